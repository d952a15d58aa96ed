// Starts the drachtio reference server for a test, and stops it. The server is a Python package: it is taken from PATH
// (pip install drachtio-conformance), or run by uvx, which fetches it.
'use strict';

const {spawn, spawnSync} = require('node:child_process');
const {randomBytes} = require('node:crypto');
const {createInterface} = require('node:readline');

const PROGRAM = 'drachtio-reference-server';
const PATIENCE = 60000; // uvx may have to fetch the package first

function command() {
  const there = (program) => spawnSync(program, ['--version'], {stdio: 'ignore'}).status === 0;
  if (process.env.DRACHTIO_REFERENCE_SERVER) return [process.env.DRACHTIO_REFERENCE_SERVER];
  if (there(PROGRAM)) return [PROGRAM];
  if (there('uvx')) return ['uvx', '--from', 'drachtio-conformance', PROGRAM];
  throw new Error(`neither ${PROGRAM} (pip install drachtio-conformance) nor uvx is there`);
}

async function start(options = {}) {
  const secret = options.secret || randomBytes(8).toString('hex');
  const words = ['--secret', secret, '--port', '0', '--contact', 'sip:127.0.0.1:0;transport=udp,tcp'];
  if (options.fault) words.push('--fault', options.fault);
  if (options.lint) words.push('--lint');
  if (options.strict) words.push('--strict');
  if (options.trace) words.push('--trace', options.trace);
  const [program, ...before] = command();
  const server = spawn(program, [...before, ...words, ...(options.arguments || [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  server.stderr.on('data', (data) => {
    log += data;
    if (options.onLog) options.onLog(String(data));
  });
  const ended = new Promise((resolve) => server.once('close', (status) => resolve(status)));
  const ready = await firstLine(server, ended, () => log);
  const address = (transport) => {
    const found = ready.sip.find((each) => each.startsWith(`${transport}/`));
    return found && found.slice(transport.length + 1);
  };
  const colon = ready.admin.lastIndexOf(':');
  return {
    host: ready.admin.slice(0, colon),
    port: Number(ready.admin.slice(colon + 1)),
    secret,
    sip: {udp: address('udp'), tcp: address('tcp')},
    version: ready.version,
    log: () => log,
    stop: () => {
      server.kill('SIGTERM');
      return ended;
    },
  };
}

function firstLine(server, ended, log) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      server.kill('SIGKILL');
      reject(new Error(`${PROGRAM} was not ready within ${PATIENCE / 1000} s\n${log()}`));
    }, PATIENCE);
    const settle = (act) => (value) => {
      clearTimeout(timer);
      act(value);
    };
    server.once('error', settle(reject));
    ended.then((status) => settle(reject)(new Error(`${PROGRAM} ended with status ${status}\n${log()}`)));
    createInterface({input: server.stdout}).once('line', settle((line) => resolve(JSON.parse(line))));
  });
}

module.exports = {start};
