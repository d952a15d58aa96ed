// A small SDK for the drachtio admin protocol: what "An SDK in an hour" builds, step by step.

import {randomUUID} from 'node:crypto';
import {connect} from 'node:net';

// [step 1]
/** A payload (a Buffer) as a frame: the count is of octets. */
export const encode = (payload) => Buffer.concat([Buffer.from(`${payload.length}#`), payload]);

/** Cuts a stream that comes in any pieces into payloads. */
export class Decoder {
  #buffer = Buffer.alloc(0);

  /** The payloads that are complete now. Throws where there is no frame. */
  feed(data) {
    this.#buffer = Buffer.concat([this.#buffer, data]);
    const found = [];
    while (this.#buffer.length) {
      const hash = this.#buffer.indexOf('#');
      const count = this.#buffer.toString('latin1', 0, hash < 0 ? 9 : hash);
      if (!/^[0-9]{1,8}$/.test(count)) {
        throw new Error(`expected 1-8 digits and '#', got ${JSON.stringify(count.slice(0, 16))}`);
      }
      const end = hash + 1 + Number(count);
      if (hash < 0 || end > this.#buffer.length) break;
      if (end > hash + 1) found.push(this.#buffer.subarray(hash + 1, end)); // an empty frame is skipped
      this.#buffer = this.#buffer.subarray(end);
    }
    return found;
  }
}

// [step 2]
/** The tokens of a payload, and the SIP message behind them. */
export class Frame {
  constructor(tokens, message = Buffer.alloc(0)) {
    this.tokens = tokens;
    this.message = message;
  }

  static parse(payload) {
    const end = payload.indexOf('\r\n');
    const line = end < 0 ? payload : payload.subarray(0, end);
    return new Frame(line.toString('utf8').split('|'), end < 0 ? Buffer.alloc(0) : payload.subarray(end + 2));
  }

  format() {
    const line = Buffer.from(this.tokens.join('|'));
    return this.message.length ? Buffer.concat([line, Buffer.from('\r\n'), this.message]) : line;
  }

  /** A token, empty if it is missing; what is behind those that one knows does not matter. */
  token(place) { return this.tokens[place] ?? ''; }

  /** The first line of the SIP message. */
  get start() { return this.message.toString('utf8').split('\r\n', 1)[0]; }

  /** Of a request, its method; of a response, nothing. */
  get method() { return this.start.startsWith('SIP/') ? '' : this.start.split(' ', 1)[0]; }

  /** Of a response, its status; of a request, 0. */
  get status() { return this.start.startsWith('SIP/') ? Number(this.start.split(' ')[1]) : 0; }
}

// [step 3]
/** NO or NOK; the message is the rest of the line. */
export class Failed extends Error {}

/** An admin connection. Open one with `await Connection.open(…)`. */
export class Connection {
  #socket;
  #decoder = new Decoder();
  #waiting = new Map(); // by message id
  #handlers = new Map(); // by method, for requests outside dialogs
  #accepting = new Map(); // by transaction id
  #calls = new Map(); // by dialog id
  #responses = new Map(); // by transaction id

  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (data) => this.#read(data));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      for (const {reject} of this.#waiting.values()) reject(new Error('the connection ended'));
    });
  }

  /** Connect and authenticate. */
  static async open(host, port, secret) {
    const socket = connect(port, host);
    await new Promise((resolve, reject) => { socket.once('connect', resolve).once('error', reject); });
    const connection = new Connection(socket);
    await connection.ask(['authenticate', secret, '']);
    return connection;
  }

  /** Send a frame and wait for its last answer. */
  async ask(tokens, message = '') {
    const id = randomUUID();
    const answered = new Promise((resolve, reject) => this.#waiting.set(id, {resolve, reject}));
    this.#socket.write(encode(new Frame([id, ...tokens], Buffer.from(message)).format()));
    const frame = await answered;
    if (frame.token(3) !== 'OK') throw new Failed(frame.tokens.slice(4).join('|'));
    return frame;
  }

  close() { this.#socket.end(); }

  /** A handler's work goes on by itself; what it waits for may end with the connection. */
  #run(work) {
    Promise.resolve(work).catch((error) => {
      if (error instanceof Failed) console.error(error.message);
      else if (!this.#socket.destroyed) throw error;
    });
  }

  #read(data) {
    try {
      for (const payload of this.#decoder.feed(data)) this.#take(Frame.parse(payload));
    } catch {
      this.#socket.destroy();
    }
  }

  #take(frame) {
    if (frame.token(1) === 'response') {
      const waiting = this.#waiting.get(frame.token(2));
      if (!waiting || frame.token(12) === 'continue') return;
      this.#waiting.delete(frame.token(2));
      this.#learn(frame);
      waiting.resolve(frame);
    } else if (frame.token(1) === 'sip') {
      this.#sip(frame);
    } // any other type: left out
  }

  // [step 4]
  /** Have the requests of a method delivered to `handler`. */
  async route(method, handler) {
    this.#handlers.set(method.toUpperCase(), handler);
    await this.ask(['route', method.toLowerCase()]);
  }

  /** Answer a request; the dialog id, where there is one. */
  async respond(request, status, reason = '', {headers = '', body = ''} = {}) {
    const message = `SIP/2.0 ${status} ${reason}\r\n${headers}\r\n${body}`;
    return (await this.ask(['sip', request.token(8), ''], message)).token(11);
  }

  #sip(frame) {
    const queue = frame.status ? this.#responses.get(frame.token(8)) : undefined;
    if (queue) {
      queue(frame);
      return;
    }
    const handler = this.#calls.get(frame.token(9)) ?? this.#handlers.get(frame.method);
    if (handler && !frame.status) {
      this.#run(handler(this, frame));
    } else if (!['ACK', 'CANCEL', ''].includes(frame.method) && frame.token(2) === 'network') {
      this.#run(this.respond(frame, 405, 'Method Not Allowed'));
    }
  }

  // [step 5]
  /** What comes inside the dialog that the answer to `request` makes is for `handler`. */
  take(request, handler) { this.#accepting.set(request.token(8), handler); }

  /** Send a request inside a dialog; its final response, or the echo of an ACK. */
  async send(dialogId, method, {headers = '', body = ''} = {}) {
    const echo = await this.ask(['sip', '', dialogId], `${method} sip:placeholder SIP/2.0\r\n${headers}\r\n${body}`);
    return method === 'ACK' ? echo : this.#final(echo.token(10));
  }

  /** An echo comes ahead of all that follows from it: be ready for that. */
  #learn(answer) {
    if (answer.token(11) === 'Msg sent:') { // of a request
      const arrived = [];
      this.#responses.set(answer.token(10), (frame) => arrived.push(frame));
      this.#responses.get(answer.token(10)).arrived = arrived;
    } else if (answer.status >= 200 && answer.status < 300 && this.#accepting.has(answer.token(10))) {
      this.#calls.set(answer.token(11), this.#accepting.get(answer.token(10)));
      this.#accepting.delete(answer.token(10));
    }
  }

  async #final(transactionId) {
    const {arrived} = this.#responses.get(transactionId);
    const final = arrived.find((frame) => frame.status >= 200) ?? await new Promise((resolve) => {
      this.#responses.set(transactionId, (frame) => { if (frame.status >= 200) resolve(frame); });
    });
    this.#responses.delete(transactionId);
    return final;
  }

  // [step 6]
  /** Send a request outside dialogs; its final response. A 2xx to INVITE is acknowledged. */
  async request(method, uri, {headers = '', body = ''} = {}) {
    const echo = await this.ask(['sip', '', ''], `${method} ${uri} SIP/2.0\r\n${headers}\r\n${body}`);
    const final = await this.#final(echo.token(10));
    if (method === 'INVITE' && final.status < 300) await this.send(final.token(9), 'ACK');
    return final;
  }
  // [end]
}
