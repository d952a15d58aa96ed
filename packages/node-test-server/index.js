// Starts the drachtio reference server for a test, and stops it; with telephones, if they are wanted. The server is a
// Python package: it is taken from PATH (pip install 'drachtio-conformance[http]'), or run by uvx, which fetches it.
'use strict';

const {spawn, spawnSync} = require('node:child_process');
const {randomBytes} = require('node:crypto');
const {createInterface} = require('node:readline');

const PATIENCE = 60000; // uvx may have to fetch the package first

function command(program, variable) {
  const there = (name) => spawnSync(name, ['--version'], {stdio: 'ignore'}).status === 0;
  if (process.env[variable]) return [process.env[variable]];
  if (there(program)) return [program];
  if (there('uvx')) return ['uvx', '--from', 'drachtio-conformance[http]', program];
  throw new Error(`neither ${program} (pip install 'drachtio-conformance[http]') nor uvx is there`);
}

// Starts a program that says on its first line of output, in JSON, where it is.
async function run([program, ...before], words, onLog) {
  const server = spawn(program, [...before, ...words], {stdio: ['pipe', 'pipe', 'pipe']});
  server.stdin.on('error', () => undefined);
  let log = '';
  server.stderr.on('data', (data) => {
    log += data;
    if (onLog) onLog(String(data));
  });
  const ended = new Promise((resolve) => server.once('close', (status) => resolve(status)));
  const stop = () => {
    server.stdin.end();
    server.kill('SIGTERM');
    return ended;
  };
  const ready = await firstLine(server, ended, () => log);
  return {ready, stop, log: () => log};
}

function firstLine(server, ended, log) {
  const program = server.spawnfile;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      server.kill('SIGKILL');
      reject(new Error(`${program} was not ready within ${PATIENCE / 1000} s\n${log()}`));
    }, PATIENCE);
    const settle = (act) => (value) => {
      clearTimeout(timer);
      act(value);
    };
    server.once('error', settle(reject));
    ended.then((status) => settle(reject)(new Error(`${program} ended with status ${status}\n${log()}`)));
    createInterface({input: server.stdout}).once('line', settle((line) => resolve(JSON.parse(line))));
  });
}

async function start(options = {}) {
  const secret = options.secret || randomBytes(8).toString('hex');
  const words = ['--secret', secret, '--port', '0', '--contact', 'sip:127.0.0.1:0;transport=udp,tcp'];
  if (options.fault) words.push('--fault', options.fault);
  if (options.lint) words.push('--lint');
  if (options.strict) words.push('--strict');
  if (options.trace) words.push('--trace', options.trace);
  words.push(...(options.arguments || []));
  const program = command('drachtio-reference-server', 'DRACHTIO_REFERENCE_SERVER');
  const {ready, stop, log} = await run(program, words, options.onLog);
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
    log,
    stop,
  };
}

async function startWithPhones(options = {}) {
  const words = ['--until-eof'];
  if (options.fault) words.push('--fault', options.fault);
  if (options.lint) words.push('--lint');
  if (options.cdrs) words.push('--cdrs');
  if (options.transports) words.push('--transports', options.transports.join(','));
  if (options.patience) words.push('--patience', String(options.patience));
  const program = command('drachtio-test-server', 'DRACHTIO_TEST_SERVER');
  const {ready, stop, log} = await run(program, words, options.onLog);

  async function ask(method, path, body) {
    const response = await fetch(ready.control + path, {
      method,
      headers: {Authorization: `Bearer ${ready.token}`},
      body: body && JSON.stringify(body),
    });
    const told = await response.json();
    if (!response.ok) throw new Error(told.error);
    return told;
  }

  async function phone(name = 'phone', transport = 'udp') {
    const {address, uri} = await ask('POST', '/v1/phones', {name, transport});
    const does = (what, body = {}) => ask('POST', `/v1/phones/${encodeURIComponent(name)}/${what}`, body);
    return {
      name,
      address,
      uri,
      play: (script = [], {user = 'bob', headers = {}} = {}) => does('call', {user, headers, script}),
      take: (script, {within = null} = {}) => does('answer', script ? {script, within} : {within}),
      goOn: (script) => does('play', {script}),
      send: (method, request = {}) => does('send', {method, ...request}),
      receive: (what, options = {}) => does('receive', {what, ...options}),
      respond: (status, response = {}) => does('respond', {status, ...response}),
      ack: () => does('ack'),
      cancel: () => does('cancel'),
      hangUp: () => does('hang-up'),
      hungUp: () => does('hung-up'),
    };
  }

  return {
    ...ready,
    log,
    stop,
    ask,
    phone,
    applications: (count = 1, routed = []) => ask('POST', '/v1/applications', {count, routed}),
    drop: (number, {reset = false} = {}) => ask('POST', `/v1/applications/${number}/drop`, {reset}),
    happens: (what, options = {}) => ask('POST', '/v1/wait', {what, ...options}),
    advance: (seconds) => ask('POST', '/v1/advance', {seconds}),
    setFaults: async(faults) => (await (faults ? ask('PUT', '/v1/faults', {faults}) : ask('DELETE', '/v1/faults'))).faults,
    state: () => ask('GET', '/v1/server'),
    trace: () => ask('GET', '/v1/trace'),
  };
}

module.exports = {start, startWithPhones};
