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
