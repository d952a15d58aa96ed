// A small SDK for the drachtio admin protocol: what "An SDK in an hour" builds, step by step.

import {randomUUID} from 'node:crypto';
import {EventEmitter, once} from 'node:events';
import {connect} from 'node:net';
import {setTimeout as pause} from 'node:timers/promises';

// [frames]
/** A payload (a Buffer) as a frame: the count is of octets. */
export const encode = (payload) => Buffer.concat([Buffer.from(`${payload.length}#`), payload]);

/** Cuts a stream that comes in any pieces into payloads. */
export class Decoder {
  #buffer = Buffer.alloc(0);

  /** The payloads that are complete now. Throws where there is no frame, behind those before it. */
  *feed(data) {
    this.#buffer = Buffer.concat([this.#buffer, data]);
    while (this.#buffer.length) {
      const hash = this.#buffer.indexOf('#');
      const count = this.#buffer.toString('latin1', 0, hash < 0 ? 9 : hash);
      if (!/^[0-9]{1,8}$/.test(count)) {
        throw new Error(`expected 1-8 digits and '#', got ${JSON.stringify(count.slice(0, 16))}`);
      }
      const end = hash + 1 + Number(count);
      if (hash < 0 || end > this.#buffer.length) break;
      const payload = this.#buffer.subarray(hash + 1, end);
      this.#buffer = this.#buffer.subarray(end);
      if (payload.length) yield payload; // an empty frame is skipped
    }
  }
}

// [tokens]
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

// [connection]
/** NO or NOK; the message is the rest of the line. */
export class Refused extends Error {}

/** What outlives a connection: who handles which requests. */
export class Application {
  handlers = new Map(); // by method: requests outside dialogs
  dialogs = new Map(); // by dialog id: requests inside

  /** Told what went wrong and what no caller of a method waits for. */
  failed(text) { console.error(text); }
}

/** An admin connection. Open one with `await Connection.open(…)`. */
export class Connection {
  heard = 0; // when something came last
  #socket;
  #decoder = new Decoder();
  #waiting = new Map(); // by message id: frames without their last answer
  #open = new Map(); // by transaction id: requests without a final response

  constructor(socket, application) {
    this.application = application;
    this.#socket = socket;
    this.ended = new Promise((resolve) => { socket.on('close', resolve); });
    socket.on('data', (data) => this.#read(data));
    socket.on('error', (error) => application.failed(error.message));
    socket.on('close', () => {
      const error = new Error('the connection ended');
      for (const {reject} of [...this.#waiting.values(), ...this.#open.values()]) reject(error);
    });
  }

  /** Connect and authenticate. */
  static async open(host, port, secret, application = new Application()) {
    const socket = connect(port, host);
    await new Promise((resolve, reject) => { socket.once('connect', resolve).once('error', reject); });
    const connection = new Connection(socket, application);
    connection.greeting = await connection.ask(['authenticate', secret, '']);
    return connection;
  }

  /** Send a frame and wait for its last answer; `told` sees each. */
  async ask(tokens, message = '', told = () => undefined) {
    if (this.#socket.destroyed) throw new Error('the connection has ended');
    const id = randomUUID();
    const answered = new Promise((resolve, reject) => this.#waiting.set(id, {resolve, reject, told}));
    this.#socket.write(encode(new Frame([id, ...tokens], Buffer.from(message)).format()));
    return answered;
  }

  close() { this.#socket.destroy(); }

  /** Do work beside all else; that it fails is told, unless the connection has ended, and ends nothing. */
  run(work) {
    Promise.resolve(work).catch((error) => this.#socket.destroyed || this.application.failed(error.message));
  }

  #read(data) {
    this.heard = Date.now();
    try {
      for (const payload of this.#decoder.feed(data)) this.#take(Frame.parse(payload));
    } catch (error) {
      this.application.failed(error.message);
      this.close();
    }
  }

  #take(frame) {
    if (frame.token(1) === 'response') this.#answer(frame);
    else if (frame.token(1) === 'sip' && frame.status) this.#response(frame);
    else if (frame.token(1) === 'sip') this.#request(frame);
    // any other type: left out (FRAME-25)
  }

  /** What follows from an echo follows at once: what it brings about may be the next frame (FRAME-26). */
  #answer(frame) {
    const text = frame.tokens.slice(4).join('|');
    const waiting = this.#waiting.get(frame.token(2));
    if (!waiting) {
      if (frame.token(3) === 'NO') this.application.failed(text); // it belongs to no frame (APP-4)
      return;
    }
    if (frame.token(3) === 'OK') waiting.told(frame);
    if (frame.tokens.at(-1) === 'continue') return; // more answers to this frame will come (APP-3)
    this.#waiting.delete(frame.token(2));
    if (frame.token(3) === 'OK') waiting.resolve(frame);
    else waiting.reject(new Refused(text));
  }

  // [requests]
  /** Have the requests of a method delivered to `handler`. */
  async route(method, handler) {
    this.application.handlers.set(method.toUpperCase(), handler);
    await this.ask(['route', method.toLowerCase()]);
  }

  /** Answer a request, "486 Busy Here" or so; the dialog id, if there is one. */
  async respond(request, status, {headers = '', body = '', told} = {}) {
    const echo = await this.ask(['sip', request.token(8), ''], `SIP/2.0 ${status}\r\n${headers}\r\n${body}`, told);
    return echo.token(11);
  }

  #request(request) {
    const {dialogs, handlers} = this.application;
    const dialog = request.token(9);
    const handler = dialogs.get(dialog) ?? (dialog ? undefined : handlers.get(request.method));
    if (handler) {
      this.run(handler(this, request));
    } else if (request.token(2) === 'network' && !['ACK', 'CANCEL'].includes(request.method)) {
      this.run(this.respond(request, dialog ? '481 No Such Call' : '405 Method Not Allowed'));
    }
  }

  // [dialogs]
  /** Answer 101 to 299; what comes in the dialog that this makes is for `inside`. */
  accept(request, status, inside, {headers, body} = {}) {
    const told = (echo) => echo.token(11) && this.application.dialogs.set(echo.token(11), inside);
    return this.respond(request, status, {headers, body, told});
  }

  /**
   * Send a request in a dialog, or outside to `uri`; its final response, or the echo of an ACK.
   * `told` sees the echo and each response as it comes: the next frame may be in its dialog already.
   */
  async send(method, {uri = 'sip:placeholder', dialog = '', headers = '', body = '', told = () => undefined} = {}) {
    let final;
    const echo = await this.ask(['sip', '', dialog], `${method} ${uri} SIP/2.0\r\n${headers}\r\n${body}`, (sent) => {
      if (method === 'ACK') return;
      final = new Promise((resolve, reject) => this.#open.set(sent.token(10), {resolve, reject, told}));
      told(sent);
    });
    return method === 'ACK' ? echo : final;
  }

  #response(response) {
    const open = this.#open.get(response.token(8));
    open?.told(response);
    if (open && response.status >= 200) {
      this.#open.delete(response.token(8));
      open.resolve(response);
    }
  }

  // [calls]
  /** Send INVITE or SUBSCRIBE; its final response. What comes in the dialog that this makes is for `inside`. */
  async begin(method, uri, inside, {headers, body, told = () => undefined} = {}) {
    const known = new Set();
    const heard = (frame) => {
      if (frame.token(1) === 'sip' && frame.status > 100 && frame.status < 300 && frame.token(9)) {
        known.add(frame.token(9));
        this.application.dialogs.set(frame.token(9), inside);
      }
      told(frame);
    };
    let final;
    try {
      final = await this.send(method, {uri, headers, body, told: heard});
    } finally {
      if (!final || final.status >= 300) for (const dialog of known) this.application.dialogs.delete(dialog);
    }
    if (method === 'INVITE' && final.status < 300) await this.send('ACK', {dialog: final.token(9)});
    return final;
  }

  /** Cancel an INVITE of one's own, by the transaction id of its echo alone. */
  cancel(transaction) { return this.ask(['sip', transaction, ''], 'CANCEL sip:placeholder SIP/2.0\r\n\r\n'); }
}

// [survive]
/** An application that stays connected. */
export class Client extends Application {
  #news = new EventEmitter();

  /** `delay`: milliseconds before the first try to connect again; `silence`: before a ping. */
  constructor(secret, {delay = 1000, silence = 20000} = {}) {
    super();
    Object.assign(this, {secret, delay, silence});
  }

  /** The connection, once there is one. */
  async connected() {
    while (!this.connection) await once(this.#news, 'connected');
    return this.connection;
  }

  stop() {
    this.stopped = true;
    this.connection?.close();
  }

  /** Connect, and after each loss again, later and later (APP-24). Throws Refused: the secret is wrong. */
  async dial(host, port) {
    for (let delay = this.delay; !this.stopped; delay = Math.min(delay * 2, 30000)) {
      try {
        const connection = await Connection.open(host, port, this.secret, this);
        if (connection.greeting.token(5)) this.#ping(connection); // a server that tells no version knows no ping
        for (const method of this.handlers.keys()) await connection.ask(['route', method.toLowerCase()]);
        this.connection = connection;
        this.#news.emit('connected');
        await connection.ended;
        this.connection = undefined;
        delay = this.delay;
      } catch (error) {
        if (error instanceof Refused) throw error;
        this.failed(error.message);
      }
      await pause(delay * (0.8 + 0.4 * Math.random()));
    }
  }

  /** Give a connection up on which nothing comes, not even a pong (APP-25). */
  #ping(connection) {
    let pinged = 0;
    const timer = setInterval(() => {
      const silent = Date.now() - connection.heard;
      if (silent > this.silence * 1.5 && pinged > connection.heard) connection.close();
      else if (silent > this.silence && pinged < connection.heard) {
        pinged = Date.now();
        connection.ask(['ping']).catch(() => undefined);
      }
    }, this.silence / 4);
    connection.ended.then(() => clearInterval(timer));
  }
}
// [end]
