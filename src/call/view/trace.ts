/**
 * Which call a SIP message is of, after the turn in which it was heard or said: for those who watch live
 * and for Homer, who show the legs of a call as one ladder. Messages that come when the rows are gone (the
 * 200 to a BYE) are found by what was known of their Call-ID before.
 */

import type { Store } from '../../base/row.ts';
import { idIn } from '../../proto/sip/text.ts';
import { H, type SipMessage } from '../../sip-parser/index.ts';
import { CCALL } from '../csta/rows.ts';
import { CALL, type Call, LEG } from '../rows.ts';

/** Call-IDs that are remembered; beyond it the memory begins anew. */
const REMEMBERED = 20_000;

export class Tracer {
  private readonly known = new Map<string, string>();

  /**
   * The global call id, or the caller's Call-ID where programs see no calls; the message's own Call-ID for
   * what is of no call (REGISTER).
   */
  correlation(store: Store, m: SipMessage): string {
    const call = callOf(store, m);
    if (call === undefined) return this.known.get(m.callId) ?? m.callId;
    const found = correlationOf(store, call);
    if (this.known.size >= REMEMBERED) this.known.clear();
    this.known.set(m.callId, found);
    return found;
  }
}

export function correlationOf(store: Store, call: Call): string {
  const ccall = call.ccall === 0 ? undefined : store.get(CCALL, call.ccall);
  return ccall?.guid ?? call.callId;
}

function callOf(store: Store, m: SipMessage): Call | undefined {
  for (const tag of [m.toTag, m.fromTag]) {
    const id = idIn(tag, 0);
    const leg = id === 0 ? undefined : store.get(LEG, id);
    if (leg !== undefined && leg.callId === m.callId) return store.get(CALL, leg.call);
  }
  return store.all(CALL, 'callId', m.callId)[0];
}

export type SipFilter = {
  /** A number in the request line, From, To, Contact or P-Asserted-Identity; '' for every message. */
  readonly number: string;
  /** A Call-ID, a global call id, or the number of a call; '' for all. */
  readonly call: string;
  /** Method of requests, and of their responses; '' for all. */
  readonly method: string;
};

const NAMING = [H.From, H.To, H.Contact, H.PAssertedIdentity] as const;

/** Does the message name this number as a user part? */
export function names(m: SipMessage, number: string): boolean {
  if (namesIn(m.requestUri, number)) return true;
  return NAMING.some((h) => m.has(h) && namesIn(m.header(h) ?? '', number));
}

function namesIn(text: string, number: string): boolean {
  for (let at = text.indexOf(number); at >= 0; at = text.indexOf(number, at + 1)) {
    const before = text[at - 1] ?? '';
    const after = text[at + number.length] ?? '';
    if (':+"'.includes(before) && '@;>"'.includes(after)) return true;
  }
  return false;
}
