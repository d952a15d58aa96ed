// Made by python -m drachtio_testing.typescript: what a telephone can be told to do.

/** One act of a script; a script is an array of them, carried out one after the other. */
export type Act =
  /** Send 180, and go on so many seconds later (callee). */
  | {do: 'ring'; seconds?: number}
  /** Answer the INVITE with this status, and wait for the ACK (callee). */
  | {do: 'answer'; status?: number}
  /** Answer nothing at all, until the other side cancels (callee). */
  | {do: 'silent'}
  /** CANCEL the INVITE if it has no final response after so many seconds (caller). */
  | {do: 'cancel'; after?: number}
  /** BYE as soon as it rings (caller). */
  | {do: 'early-bye'}
  /** Never acknowledge the answer: the other side has to hang up (caller). */
  | {do: 'no-ack'}
  /** Offer the session anew by a re-INVITE. */
  | {do: 'reinvite'}
  /** Put the other side on hold (a=sendonly) for so many seconds, then take it back (a=sendrecv). */
  | {do: 'hold'; seconds?: number}
  /** Send an INFO (application/dtmf-relay) for each of these digits. */
  | {do: 'dtmf'; digits: string}
  /** Ask the other side to call this URI instead (REFER). */
  | {do: 'refer'; to: string}
  /** Leave the call as it is for so many seconds. */
  | {do: 'talk'; seconds?: number}
  /** Send BYE after so many seconds, if the other side has not. */
  | {do: 'hang-up'; after?: number}
  /** Wait so many seconds, at most, for the BYE of the other side. */
  | {do: 'hung-up'; seconds?: number};
