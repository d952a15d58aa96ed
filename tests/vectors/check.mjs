// The vectors, read by a codec that is made of docs/protocol.json alone: node check.mjs PROTOCOL.JSON VECTORS-FOLDER
//
// Prints one line for each vector that does not hold, and how many there were; ends with status 1 if one does not.

import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import assert from 'node:assert/strict';

const [protocolFile, folder] = process.argv.slice(2);
const protocol = JSON.parse(readFileSync(protocolFile, 'utf8'));
const {framing} = protocol;
const patterns = new Map(protocol.token_types.map(({name, pattern}) => [name, new RegExp(`^(?:${pattern})$`, 's')]));

/** Payloads of a stream, whether something is left, and whether it broke. */
function cut(stream, limit) {
  const payloads = [];
  let at = 0;
  while (at < stream.length) {
    const hash = stream.indexOf(framing.behind_count, at);
    const digits = stream.subarray(at, hash < 0 ? stream.length : hash).toString('latin1');
    if (hash < 0 ? !/^[0-9]{0,8}$/.test(digits) : !new RegExp(`^(?:${framing.count})$`).test(digits)) {
      return {payloads, incomplete: false, broken: at};
    }
    if (hash < 0) return {payloads, incomplete: true, broken: -1};
    if (Number(digits) > limit) return {payloads, incomplete: false, broken: at};
    const end = hash + 1 + Number(digits);
    if (end > stream.length) return {payloads, incomplete: true, broken: -1};
    if (Number(digits) > 0) payloads.push(stream.subarray(hash + 1, end));
    at = end;
  }
  return {payloads, incomplete: false, broken: -1};
}

function holds(condition, tokens, message) {
  const value = tokens[condition.token] ?? '';
  return (condition.equals === undefined || value === condition.equals)
    && (condition.empty === undefined || (value === '') === condition.empty)
    && (condition.contains === undefined || value.includes(condition.contains))
    && tokens.length >= (condition.tokens_at_least ?? 0)
    && (condition.tokens_at_most === undefined || tokens.length <= condition.tokens_at_most)
    && message.startsWith(condition.message_begins ?? '');
}

/** What a payload means: the kind of frame, its tokens by name, its message. */
function decode(payload, direction) {
  const end = payload.indexOf(framing.message_separator);
  const line = (end < 0 ? payload : payload.subarray(0, end)).toString('utf8');
  const message = end < 0 ? Buffer.alloc(0) : payload.subarray(end + framing.message_separator.length);
  const tokens = line.split(framing.token_separator);
  const frame = protocol.frames.find((each) => each.direction === direction
    && each.conditions.every((condition) => holds(condition, tokens, message.toString('latin1'))));
  if (!frame) return {frame: 'unknown', tokens: {id: tokens[0], type: tokens[1] ?? ''}, message};
  const named = {};
  frame.tokens.forEach((token, place) => {
    if (place >= tokens.length) return;
    const rest = token.type === 'rest-of-line';
    const value = rest ? tokens.slice(place).join(framing.token_separator) : tokens[place];
    if (!(token.may_be_empty && value === '')) assert.match(value, patterns.get(token.type), token.name);
    named[token.name] = value;
  });
  if (frame.more) {
    tokens.slice(frame.tokens.length).forEach((value, index) => { named[`${frame.more.name}-${index + 1}`] = value; });
  }
  return {frame: frame.name, tokens: named, message, missing: tokens.length < frame.required_tokens};
}

function encode({tokens, message}, codePoints) {
  const line = Object.values(tokens).join(framing.token_separator);
  const payload = message.length ? Buffer.concat([Buffer.from(line + framing.message_separator), message]) : Buffer.from(line);
  const count = codePoints ? [...payload.toString('utf8')].length : payload.length;
  return Buffer.concat([Buffer.from(`${count}${framing.behind_count}`), payload]);
}

function expectedMessage(decoded) {
  if (decoded['sip-hex'] !== undefined) return Buffer.from(decoded['sip-hex'], 'hex');
  return Buffer.from(decoded.sip ?? '', 'utf8');
}

function checkStream(vector) {
  const found = cut(Buffer.from(vector.wire, 'hex'), vector.limit ?? framing.largest_payload);
  const {payloads} = vector.decoded ?? vector.error;
  assert.deepEqual(found.payloads.map((payload) => payload.toString('hex')), payloads);
  assert.equal(found.broken >= 0, vector.error !== undefined, 'broken');
  if (vector.error) assert.ok(vector.error.text.endsWith(`at byte ${found.broken}`), vector.error.text);
  else assert.equal(found.incomplete, vector.decoded.incomplete ?? false, 'incomplete');
}

function checkFrame(vector, direction, canonical) {
  const wire = Buffer.from(vector.wire, 'hex');
  const found = decode(wire.subarray(wire.indexOf('#') + 1), direction);
  if (vector.error) {
    const refused = found.frame === 'unknown' ? found.tokens.id !== undefined : found.missing;
    assert.ok(refused, 'a frame that must be refused has all it needs');
    return;
  }
  assert.equal(found.frame, vector.decoded.frame);
  assert.deepEqual(Object.entries(found.tokens), Object.entries(vector.decoded.tokens));
  assert.deepEqual(found.message, expectedMessage(vector.decoded));
  const inCodePoints = vector.dialect === '0.8' && found.tokens.type === 'sip';
  assert.equal(encode(found, inCodePoints).equals(wire), canonical, 'canonical');
}

let count = 0;
let failed = 0;
function check(name, work) {
  count += 1;
  try {
    work();
  } catch (error) {
    failed += 1;
    console.log(`${name}: ${error.message.split('\n')[0]}`);
  }
}

const load = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
for (const vector of load('framing')) check(`framing/${vector.id}`, () => checkStream(vector));
for (const direction of ['to-server', 'to-application']) {
  for (const vector of load(direction)) {
    check(`${direction}/${vector.id}`, () => checkFrame(vector, direction, vector.canonical));
  }
}
for (const session of load('sessions')) {
  session.events.forEach((event, index) => {
    if (event.decoded) {
      check(`sessions/${session.id}/${index}`, () => checkFrame(event, `to-${event.to}`, true));
    }
  });
}
console.log(`${count} vectors, ${failed} do not hold`);
process.exitCode = failed ? 1 : 0;
