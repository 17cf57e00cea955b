/**
 * What waits for connections that are being made, found by its call. Meanwhile its other side may come
 * by a connection of its own, and what is said by that one would overtake what waits: a BYE its
 * re-INVITE, a final response a provisional one. So what waits goes first, by the way of the later one.
 *
 * RFC 3261 12.2.2 has an answer to such disorder (500), but no transport makes it that we need not.
 */

import type { Peer } from '../../base/peer.ts';

/** A connection that is being made, and what waits for it, in order of birth. */
export type Waits = { readonly peer: Peer; texts: string[] };

const NOTHING: readonly string[] = [];

/** What a header line of a message that we wrote says. */
function said(text: string, header: string): string {
  const at = text.indexOf(header);
  return at < 0 ? '' : text.slice(at + header.length, text.indexOf('\r\n', at + header.length));
}

function callIn(text: string): string {
  return said(text, '\r\nCall-ID: ');
}

/** The number a request has among those of its dialog. */
function numberIn(text: string, response: number): number {
  return text.startsWith('SIP/2.0 ') ? response : Number.parseInt(said(text, '\r\nCSeq: '), 10);
}

export class Waiting {
  private readonly byCall = new Map<string, Waits>();

  add(waits: Waits, text: string): void {
    waits.texts.push(text);
    this.byCall.set(callIn(text), waits);
  }

  /** It stands, or cannot be made. */
  over(waits: Waits): void {
    for (const text of waits.texts) {
      const call = callIn(text);
      if (this.byCall.get(call) === waits) this.byCall.delete(call);
    }
  }

  /**
   * `text` is about to leave for `peer`: takes away what it would overtake. That is neither a later
   * request, when this one is said again, nor the same message. Only what waits for the same host, as
   * with every way we choose (reach.ts): a Call-ID alone says little about who somebody is.
   */
  overtaken(peer: Peer, text: string): readonly string[] {
    if (this.byCall.size === 0) return NOTHING;
    const call = callIn(text);
    const waits = this.byCall.get(call);
    if (waits === undefined) return NOTHING;
    const { transport, ip, port } = waits.peer;
    if (ip !== peer.ip || transport !== peer.transport || port === peer.port) return NOTHING;
    const number = numberIn(text, Number.MAX_SAFE_INTEGER);
    const taken: string[] = [];
    const left: string[] = [];
    let others = true;
    for (const t of waits.texts) {
      const mine = callIn(t) === call;
      if (!mine || numberIn(t, 0) > number) {
        left.push(t);
        others &&= !mine;
      } else if (t !== text) taken.push(t);
    }
    waits.texts = left;
    if (others) this.byCall.delete(call);
    return taken;
  }
}
