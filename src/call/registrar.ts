/**
 * The registrar (RFC 3261 10.3). Bindings are rows with an absolute expiry, so a registration ends
 * when it was promised to, whichever box is there then.
 */

import type { Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { isOurs, literalHop, uriOf, userOf } from '../proto/sip/address.ts';
import type { Proof } from '../proto/sip/digest.ts';
import { answer, answerStateless } from '../proto/sip/server.ts';
import { behindNat, EMPTY_TAIL } from '../proto/sip/text.ts';
import {
  EXPIRES_MAX,
  H,
  isFault,
  param,
  parseNameAddr,
  quote,
  type SipMessage,
  unescapeUser,
} from '../sip-parser/index.ts';
import { askAgain, refusal, whoIs } from './admission.ts';
import { isExtension } from './dialplan.ts';
import { lampFor } from './events/unsolicited.ts';
import { bindingFollows } from './flow.ts';
import { hopFor } from './leg.ts';
import { lacksOutbound, OUTBOUND_LINES, regIdOf, renewed, wantsOutbound } from './outbound.ts';
import { BINDING, type Binding } from './rows.ts';

type Wish = {
  readonly uri: string;
  readonly seconds: number;
  readonly q: number;
  readonly instance: string;
  readonly regId: number;
  readonly known: Binding | undefined;
};

/** A refusal of a REGISTER: status and headers. */
type No = { readonly no: number; readonly headers: string };

/** A REGISTER that repeats none. */
export function register(cx: Context, m: SipMessage, key: string, from: Peer): void {
  const bad = refusal(cx, m);
  if (bad !== undefined) {
    answerStateless(cx, m, from, bad.status, bad.tail);
    return;
  }
  const proof = whoIs(cx, m, from);
  if (proof === undefined) return;
  const aor = unescapeUser(userOf(uriOf(m.header(H.To) ?? '')));
  const outbound = wantsOutbound(m);
  if (outbound && lacksOutbound(m)) {
    answerStateless(cx, m, from, 439, EMPTY_TAIL);
    return;
  }
  const status = !isExtension(cx.settings, aor) ? 404 : mayRegister(proof, aor) ? 0 : 403;
  if (status !== 0) {
    answerStateless(cx, m, from, status, EMPTY_TAIL);
    return;
  }
  const bindings = cx.store.all(BINDING, 'aor', aor);
  if (proof.as === 'user' && used(bindings, proof.nonce, proof.nc)) {
    askAgain(cx, m, from, true);
    return;
  }
  const no = m.contactUri === '*' ? clear(cx, m, bindings) : update(cx, m, from, aor, proof);
  if (no !== undefined) {
    answerStateless(cx, m, from, no.no, no.headers + EMPTY_TAIL);
    return;
  }
  cx.count('registrations');
  cx.guard.know(cx.now, from.ip);
  // 10.3 step 8: the 200 lists all current bindings.
  // RFC 3327 5.3: the Path is told to who said that he knows it
  const own = outbound ? OUTBOUND_LINES : '';
  const path = m.has(H.Path) && knows(m, 'path') ? m.lines(H.Path) : '';
  answer(cx, m, key, from, 200, contacts(cx, aor) + path + own + EMPTY_TAIL);
}

function knows(m: SipMessage, option: string): boolean {
  return m.values(H.Supported).some((s) => s.toLowerCase() === option);
}

/** 10.3 step 4: who may change this address of record: its own user, or anybody on an open site. */
function mayRegister(proof: Proof, aor: string): boolean {
  return proof.as !== 'user' || proof.user === aor;
}

/** RFC 7616 3.4.5: a nonce count that was seen already is a replay. */
function used(bindings: readonly Binding[], nonce: string, nc: number): boolean {
  return bindings.some((b) => b.nonce === nonce && nc <= b.nonceCount);
}

// 10.3 step 6: "*" with an expiry other than 0, or with other contacts, is invalid.
function clear(cx: Context, m: SipMessage, bindings: readonly Binding[]): No | undefined {
  if (m.expires !== 0 || m.values(H.Contact).length !== 1) return { no: 400, headers: '' };
  for (const b of bindings) if (outOfOrder(b, m)) return { no: 500, headers: '' };
  for (const b of [...bindings]) cx.store.remove(BINDING, b);
  return undefined;
}

// 10.3 step 7: "If the Call-ID ... agrees, the CSeq must be higher, otherwise the update MUST be
// aborted and the request fails."
function outOfOrder(b: Binding, m: SipMessage): boolean {
  return b.callId === m.callId && m.cseq <= b.cseq;
}

/** Adds, refreshes and removes bindings, all or none (10.3 step 7). */
function update(cx: Context, m: SipMessage, from: Peer, aor: string, proof: Proof): No | undefined {
  const s = cx.settings;
  const wishes: Wish[] = [];
  const bindings = cx.store.all(BINDING, 'aor', aor);
  let added = 0;
  let removed = 0;
  for (const value of m.values(H.Contact)) {
    const wish = wishOf(cx, m, from, value, bindings);
    if ('no' in wish) return wish;
    if (wish.known !== undefined && outOfOrder(wish.known, m)) return { no: 500, headers: '' };
    if (wish.known === undefined && wish.seconds > 0) added += 1;
    if (wish.known !== undefined && wish.seconds === 0) removed += 1;
    wishes.push(wish);
  }
  if (added > 0 && bindings.length + added - removed > s.maxContacts)
    return { no: 403, headers: '' };
  if (added > 0 && cx.store.count(BINDING) + added > s.maxBindings) {
    return { no: 503, headers: 'Retry-After: 30\r\n' };
  }
  for (const wish of wishes) grant(cx, m, from, aor, proof, wish);
  return undefined;
}

function wishOf(
  cx: Context,
  m: SipMessage,
  from: Peer,
  value: string,
  bindings: readonly Binding[],
): Wish | No {
  const s = cx.settings;
  const contact = parseNameAddr(value);
  // "*" among other contacts, or something that is no SIP address: 10.2.1, 10.3.
  if (isFault(contact) || !/^sips?:/i.test(contact.uri)) return { no: 400, headers: '' };
  // A contact that leads back to us would ring for ever.
  const hop = literalHop(contact.uri);
  if (hop !== undefined && isOurs(s, hop.ip)) return { no: 403, headers: '' };
  const asked = param(contact.params, 'expires');
  let seconds = asked === undefined ? m.expires : secondsOf(asked);
  if (seconds < 0) seconds = s.defaultExpiresS;
  // 10.3 step 7: "If the interval is too brief, the registrar MUST return a 423".
  if (seconds > 0 && seconds < s.minExpiresS) {
    return { no: 423, headers: `Min-Expires: ${s.minExpiresS}\r\n` };
  }
  const instance = param(contact.params, '+sip.instance') ?? '';
  const regId = regIdOf(param(contact.params, 'reg-id'), instance);
  const said = { uri: contact.uri, instance, regId };
  const q = Number.parseFloat(param(contact.params, 'q') ?? '1');
  return {
    ...said,
    seconds: Math.min(seconds, s.maxExpiresS),
    q: q >= 0 && q <= 1 ? Math.round(q * 1000) : 1000,
    known: renewed(cx, bindings, said, from),
  };
}

/** 10.2.1.1: a malformed expires parameter counts as 3600. */
function secondsOf(text: string): number {
  return /^\d+$/.test(text) ? Math.min(Number.parseInt(text, 10), EXPIRES_MAX) : 3600;
}

function grant(
  cx: Context,
  m: SipMessage,
  from: Peer,
  aor: string,
  proof: Proof,
  wish: Wish,
): void {
  // The same contact twice in one request: the first may have removed it, or made it.
  const live = renewed(cx, cx.store.all(BINDING, 'aor', aor), wish, from);
  if (wish.seconds === 0) {
    if (live !== undefined) cx.store.remove(BINDING, live);
    return;
  }
  const path = pathOf(m);
  // with a proxy in between, its Via says where it is, and nothing of the phone
  const nat = path === '' && behindNat(m, from.ip);
  const hop = hopFor(cx, path, wish.uri, from, nat);
  const values = {
    contact: wish.uri,
    transport: hop.transport,
    ip: hop.ip,
    port: hop.port,
    sourceIp: from.ip,
    sourcePort: from.port,
    nat,
    callId: m.callId,
    cseq: m.cseq,
    q: wish.q,
    expiresAt: cx.now + wish.seconds * 1000,
    userAgent: m.header(H.UserAgent) ?? '',
    instance: wish.instance,
    regId: wish.regId,
    nonce: proof.as === 'user' ? proof.nonce : '',
    nonceCount: proof.as === 'user' ? proof.nc : 0,
    path,
  };
  if (live !== undefined) {
    const { transport, ip, port, callId } = live;
    cx.store.patch(BINDING, live, values);
    bindingFollows(cx, live, { transport, ip, port }, hop);
    // it began anew, with its lamp dark
    if (callId !== m.callId) lampFor(cx, live);
  } else lampFor(cx, cx.store.insert(BINDING, { aor, registeredAt: cx.now, ...values }));
}

/** RFC 3327 5.3: the Path of a registration, as the Route that leads back along it. */
function pathOf(m: SipMessage): string {
  let out = '';
  for (const value of m.values(H.Path)) out += `Route: ${value}\r\n`;
  return out;
}

function contacts(cx: Context, aor: string): string {
  let out = '';
  for (const b of cx.store.all(BINDING, 'aor', aor)) {
    const left = Math.ceil((b.expiresAt - cx.now) / 1000);
    if (left <= 0) continue;
    const q = b.q === 1000 ? '' : `;q=${b.q / 1000}`;
    const instance = b.instance === '' ? '' : `;+sip.instance=${quote(b.instance)}`;
    const regId = b.regId === 0 ? '' : `;reg-id=${b.regId}`;
    out += `Contact: <${b.contact}>;expires=${left}${q}${instance}${regId}\r\n`;
  }
  return out;
}

/** A registration ran out. */
export function expire(cx: Context, binding: Binding): void {
  cx.store.remove(BINDING, binding);
  cx.count('registrationsExpired');
}
