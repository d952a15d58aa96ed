// The seven steps of "An SDK in an hour": `node steps.mjs 4` says pass, or what went wrong.

import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {Client, Connection, Decoder, Frame, Refused, encode} from './drachtio.mjs';

const SECRET = 'cymru';

/** A file of vectors; `drachtio-conformance vectors export vectors` writes them. */
const vectors = (name) => JSON.parse(readFileSync(join(process.env.VECTORS ?? 'vectors', `${name}.json`), 'utf8'));

/** Run `work` with a reference server on free ports: what it says of itself on its first line. */
async function withServer(work) {
  const server = spawn('drachtio-reference-server',
    ['--secret', SECRET, '--port', '0', '--contact', 'sip:127.0.0.1:0;transport=udp,tcp'],
    {stdio: ['ignore', 'pipe', 'ignore']});
  try {
    const [line] = await once(server.stdout, 'data');
    const ready = JSON.parse(line);
    await work({
      port: Number(ready.admin.split(':')[1]),
      udp: ready.sip.find((each) => each.startsWith('udp/')).slice('udp/'.length),
    });
  } finally {
    server.kill();
    await once(server, 'exit');
  }
}

/** A telephone calls; 0 if it was answered, 1 if it was refused. */
async function call(udp) {
  const telephone = spawn('drachtio-conformance', ['call', `sip:bob@${udp}`], {stdio: 'ignore'});
  const [status] = await once(telephone, 'exit');
  return status;
}

const open = (port) => Connection.open('127.0.0.1', port, SECRET);
const busy = (connection, invite) => connection.respond(invite, '486 Busy Here');

/** BYE, INFO, a re-INVITE … */
const inside = async(connection, request) => request.method !== 'ACK' && connection.respond(request, '200 OK');
const answer = (connection, invite) => connection.accept(invite, '200 OK', inside, {body: 'v=0\r\n'});

const STEPS = [
  async function frames() {
    for (const vector of vectors('framing')) {
      if (vector.limit) continue; // a client has no limit
      const decoder = new Decoder();
      const found = [];
      let broken = false;
      try {
        for (const octet of Buffer.from(vector.wire, 'hex')) found.push(...decoder.feed(Buffer.of(octet)));
      } catch {
        broken = true;
      }
      assert.deepEqual(found.map((payload) => payload.toString('hex')), (vector.decoded ?? vector.error).payloads, vector.id);
      assert.equal(broken, vector.error !== undefined, vector.id);
    }
  },
  async function tokens() {
    for (const vector of vectors('to-application')) {
      if (vector.dialect === '0.8') continue;
      const wire = Buffer.from(vector.wire, 'hex');
      const frame = Frame.parse([...new Decoder().feed(wire)][0]);
      assert.equal(frame.tokens[1], vector.decoded.tokens.type, vector.id);
      assert.deepEqual(encode(frame.format()), wire, vector.id);
    }
  },
  () => withServer(async ({port}) => {
    const connection = await open(port);
    assert.equal((await connection.ask(['ping'])).token(4), 'pong');
    connection.close();
    await assert.rejects(Connection.open('127.0.0.1', port, 'wrong'), /^Error: incorrect secret$/);
  }),
  () => withServer(async ({port, udp}) => {
    const connection = await open(port);
    await connection.route('invite', busy);
    assert.equal(await call(udp), 1);
    connection.close();
  }),
  () => withServer(async ({port, udp}) => {
    const connection = await open(port);
    await connection.route('invite', answer);
    assert.equal(await call(udp), 0);
    connection.close();
  }),
  () => withServer((near) => withServer(async (far) => {
    const called = await open(far.port);
    await called.route('invite', answer);
    const calling = await open(near.port);
    const final = await calling.begin('INVITE', `sip:bob@${far.udp}`, inside, {body: 'v=0\r\n'});
    assert.equal(final.status, 200);
    assert.equal((await calling.send('BYE', {dialog: final.token(9)})).status, 200);
    calling.close();
    called.close();
  })),
  () => withServer((near) => withServer(async (far) => {
    const called = await open(far.port);
    await called.route('invite', answer);
    const client = new Client(SECRET, {delay: 10});
    client.dial('127.0.0.1', near.port);
    const first = await client.connected();
    const final = await first.begin('INVITE', `sip:bob@${far.udp}`, inside, {body: 'v=0\r\n'});
    // What the server does not know it answers NO, and closes (APP-4).
    await assert.rejects(first.ask(['nonsense']), new Refused('Unknown message type'));
    await first.ended;
    const again = await client.connected();
    assert.equal((await again.send('BYE', {dialog: final.token(9)})).status, 200);
    client.stop();
    called.close();
  })),
];

const step = STEPS[Number(process.argv[2]) - 1];
if (!step) {
  console.error('usage: node steps.mjs 1 … 7');
  process.exit(2);
}
await step();
console.log(`step ${process.argv[2]}: pass`);
