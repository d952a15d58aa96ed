import type {Act} from './acts';

export type {Act};

export interface Options {
  /** shared secret; a random one by default */
  secret?: string;
  /** harm done on purpose: `split=1,no-pong` (docs/guides/faults.md) */
  fault?: string;
  /** say in the log what the application does that is merely tolerated */
  lint?: boolean;
  /** and answer NOK to it */
  strict?: boolean;
  /** append every frame, SIP message and event to this file */
  trace?: string;
  /** further options of drachtio-reference-server */
  arguments?: string[];
  /** called with what the server logs */
  onLog?: (text: string) => void;
}

export interface Server {
  host: string;
  port: number;
  secret: string;
  /** `host:port` where SIP is taken */
  sip: {udp: string; tcp: string};
  version: string;
  /** what the server has logged so far */
  log(): string;
  /** lets calls end, and resolves with the exit status */
  stop(): Promise<number | null>;
}

/** Starts a server on free ports of 127.0.0.1. */
export function start(options?: Options): Promise<Server>;

export type Transport = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

export interface PhonesOptions {
  /** by which telephones can call besides udp and tcp */
  transports?: Transport[];
  /** harm done on purpose: `split=1,no-pong` (docs/guides/faults.md) */
  fault?: string;
  /** note what the application does that is merely tolerated: `state()` has the findings */
  lint?: boolean;
  /** send call detail records */
  cdrs?: boolean;
  /** seconds that telephones wait for a message; 5 by default */
  patience?: number;
  /** called with what the server logs */
  onLog?: (text: string) => void;
}

export interface Message {
  start: string;
  /** of a response, else null */
  status: number | null;
  /** of a request, or of the request that a response answers */
  method: string;
  headers: {name: string; value: string}[];
  body: string;
}

/** What became of a script. */
export interface Outcome {
  /** the call was answered 2xx, or as the script wants it, and each act was carried out */
  good: boolean;
  /** `answered 200 OK; hung up after 0.5 s: 200 OK` */
  sentence: string;
  did: {act: string; good: boolean; told: string}[];
}

/** And the final response to a caller's INVITE, or the INVITE that a callee got. */
export type Played = Outcome & Message;

export interface Phone {
  name: string;
  /** `host:port` */
  address: string;
  /** by which an application calls it */
  uri: string;
  /** calls a user at the server, or a whole URI, and plays the script; a call that it leaves up stays up */
  play(script?: Act[], options?: {user?: string; headers?: Record<string, string>}): Promise<Played>;
  /** waits for a call and plays the script; without one it rings and answers 200 */
  take(script?: Act[], options?: {within?: number}): Promise<Played>;
  /** plays a script in the call that is up */
  goOn(script: Act[]): Promise<Outcome>;
  /** sends a request to a user at the server, or inside the latest dialog */
  send(
    method: string,
    request?: {user?: string; headers?: Record<string, string>; body?: string; in_dialog?: boolean},
  ): Promise<object>;
  /** the next message, which has to be this response or request, but for those in `skip` (100 by default) */
  receive(
    what: number | string,
    options?: {skip?: (number | string)[]; within?: number},
  ): Promise<Message>;
  /** answers the latest request */
  respond(status: number, response?: {headers?: Record<string, string>; body?: string}): Promise<object>;
  ack(): Promise<object>;
  cancel(): Promise<object>;
  /** sends BYE; its final response */
  hangUp(): Promise<Message>;
  /** waits for a BYE and answers it */
  hungUp(): Promise<Message>;
}

export interface TraceEvent {
  at: number;
  kind: 'frame' | 'sip' | 'note';
  source: string;
  target: string;
  summary: string;
  data: string;
}

export interface ServerWithPhones {
  host: string;
  port: number;
  secret: string;
  /** `host:port` where SIP is taken, by transport */
  sip: {udp: string; tcp: string; tls?: string; ws?: string; wss?: string};
  /** address and bearer token of the control API */
  control: string;
  token: string;
  /** makes a telephone */
  phone(name?: string, transport?: Transport): Promise<Phone>;
  /** waits until so many applications have authenticated, and these verbs are routed */
  applications(count?: number, routed?: string[]): Promise<object>;
  /** ends the connection of application 1, 2 … */
  drop(number: number, options?: {reset?: boolean}): Promise<object>;
  /** waits until an event of the trace has this in its summary: `200 OK (INVITE)` */
  happens(what: string, options?: {times?: number; within?: number}): Promise<TraceEvent>;
  /** lets the server's time pass; the application's is its own */
  advance(seconds: number): Promise<object>;
  /** does this harm from now on, and no other; none if it is empty. What is done, with the seed of chance */
  setFaults(faults: string): Promise<string>;
  /** what the server holds, by table, and what lint has found */
  state(): Promise<{occupancy: Record<string, number>; findings: string[]; faults: string}>;
  trace(): Promise<{events: TraceEvent[]; ladder: string}>;
  /** any operation of the control API: GET /openapi.json has them */
  ask(method: string, path: string, body?: object): Promise<object>;
  log(): string;
  stop(): Promise<number | null>;
}

/** Starts a server with telephones that tests steer, on free ports of 127.0.0.1; it ends with this process, too. */
export function startWithPhones(options?: PhonesOptions): Promise<ServerWithPhones>;
