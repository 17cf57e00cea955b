/**
 * Client-initiated connections (RFC 5626): a phone names itself (`+sip.instance`) and each of its
 * connections (`reg-id`), so that a registration over a new connection replaces that over the old one,
 * whatever its Contact is, and a call reaches a phone with two connections once.
 */

import { isReliable, type Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { H, isFault, parseNameAddr, type SipMessage, uriEquals } from '../sip-parser/index.ts';
import type { Binding } from './rows.ts';

/** What a Contact says of its phone; `regId` 0 for one that does not take part in RFC 5626. */
export type Named = { readonly uri: string; readonly instance: string; readonly regId: number };

const OUTBOUND = /(?:^|,)\s*outbound\s*(?:,|$)/i;
const REG_ID_MAX = 2 ** 31;

/** RFC 5626 4.2.1: a reg-id without an instance id says nothing. */
export function regIdOf(text: string | undefined, instance: string): number {
  if (text === undefined || instance === '' || !/^\d{1,10}$/.test(text)) return 0;
  const id = Number(text);
  return id < REG_ID_MAX ? id : 0;
}

/**
 * The registration a Contact renews. RFC 5626 6: with a reg-id it is that of the same instance and
 * reg-id; otherwise that of the same URI (RFC 3261 10.3 step 7). Phones that know nothing of RFC 5626
 * still put the port of their connection into their Contact, and come back with another: the same
 * instance whose connection is dead is the same phone.
 */
export function renewed(
  cx: Context,
  bindings: readonly Binding[],
  said: Named,
  from: Peer,
): Binding | undefined {
  const { uri, instance, regId } = said;
  if (regId > 0) {
    const own = bindings.find((b) => b.instance === instance && b.regId === regId);
    if (own !== undefined) return own;
  }
  const same = bindings.find((b) => b.contact === uri || uriEquals(b.contact, uri));
  if (same !== undefined || regId > 0 || instance === '' || !isReliable(from.transport))
    return same;
  return bindings.find(
    (b) => b.instance === instance && b.regId === 0 && isReliable(b.transport) && !cx.isOpen(b),
  );
}

/** True when this REGISTER wants RFC 5626 and says how. */
export function wantsOutbound(m: SipMessage): boolean {
  if (!m.has(H.Supported) || !OUTBOUND.test(m.values(H.Supported).join(','))) return false;
  return m.values(H.Contact).some((value) => /;\s*reg-id\s*=/i.test(value));
}

/**
 * RFC 5626 6: "If the REGISTER request contains the reg-id parameter ... and the first edge proxy
 * doesn't support outbound, the registrar MUST return a 439". A proxy that does says `ob` in its Path.
 */
export function lacksOutbound(m: SipMessage): boolean {
  if (m.values(H.Via).length < 2) return false;
  const path = m.values(H.Path).at(-1);
  const edge = path === undefined ? undefined : parseNameAddr(path);
  return edge === undefined || isFault(edge) || !/;ob(?:[;=?]|$)/i.test(edge.uri);
}

/** Said in the answer to such a REGISTER: how often a keep-alive is expected (5.4). */
export const OUTBOUND_LINES = 'Require: outbound\r\nFlow-Timer: 120\r\n';

/**
 * RFC 5626 5.3: of several connections of one phone a request goes by one: the one that stands, of
 * those the one registered last.
 */
export function oneFlowEach(cx: Context, phones: readonly Binding[]): readonly Binding[] {
  if (!phones.some((b) => b.regId > 0)) return phones;
  const best = new Map<string, Binding>();
  for (const b of phones) {
    const key = b.regId > 0 ? b.instance : `${b.id}`;
    const known = best.get(key);
    if (known === undefined || rank(cx, b) > rank(cx, known)) best.set(key, b);
  }
  return [...best.values()];
}

function rank(cx: Context, b: Binding): number {
  return (cx.isOpen(b) ? 2 ** 52 : 0) + b.expiresAt;
}
