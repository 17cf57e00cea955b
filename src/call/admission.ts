/**
 * The checks of RFC 3261 8.2 for a request that starts something new, in the order of that section.
 * What fails is answered without a row: a repeated request gets the same answer.
 */

import { isReliable, type Peer } from '../base/peer.ts';
import type { Context, SipSettings } from '../proto/context.ts';
import { authenticate, challenge, type Proof, REGISTRAR, SERVICE } from '../proto/sip/digest.ts';
import { answerStateless, serverKey } from '../proto/sip/server.ts';
import { ALLOW, EMPTY_TAIL, idIn, isWord, OPTION_TAGS } from '../proto/sip/text.ts';
import { trunkOfUser } from '../proto/site.ts';
import { H, M, type SipMessage } from '../sip-parser/index.ts';
import { calledIn, emergencyNumber, isExtension } from './dialplan.ts';
import { CALL, LEG } from './rows.ts';
import { trunkAt } from './trunk.ts';

/** A call to an emergency number: no limit of ours may refuse it. */
export function isEmergency(settings: SipSettings, m: SipMessage): boolean {
  const { site } = settings;
  if (site.emergency.numbers.length === 0) return false;
  return emergencyNumber(site, calledIn(site, m.requestUri)) !== undefined;
}

type Refusal = { readonly status: number; readonly tail: string };

const REFUSE = (status: number, headers = ''): Refusal => ({ status, tail: headers + EMPTY_TAIL });

/** False when a request outside any dialog is one too many of this source: it is not answered. */
export function admits(cx: Context, from: Peer): boolean {
  // a trunk is no stranger, though it proves nothing but where it is
  const trunks = cx.settings.site.trunks.length > 0;
  if (trunks && !cx.guard.isKnown(cx.now, from.ip) && trunkAt(cx, from) !== undefined) {
    cx.guard.know(cx.now, from.ip);
  }
  if (cx.guard.admits(cx.now, from.ip)) return true;
  cx.count('floodDropped');
  return false;
}

/** Refusals of a new request that do not depend on who sends it; undefined when it may go on. */
export function refusal(cx: Context, m: SipMessage): Refusal | undefined {
  const wait = m.methodId === M.INVITE ? noRoom(cx, m) : 0;
  if (wait !== 0) {
    cx.count('callsOverload');
    return REFUSE(503, `Retry-After: ${wait}\r\n`);
  }
  if (!/^sips?:/i.test(m.requestUri) && !isEmergency(cx.settings, m)) return REFUSE(416);
  // 8.2.2.2: same From tag, Call-ID and CSeq as an ongoing transaction, but another branch.
  if (m.methodId === M.INVITE && merged(cx, m)) return REFUSE(482);
  if (m.methodId === M.INVITE && cameBack(cx, m)) {
    cx.count('callsLooped');
    return REFUSE(482);
  }
  return tooLarge(m) ?? extensions(m);
}

/** What an answer adds to the headers it repeats: tags, addresses, the length of nothing. */
const ECHO_BYTES = 45;
/** Octets by which an answer may be longer than twice its request; below it all headers count. */
const GROWTH_BYTES = 64;

/**
 * Octets there are for headers of our own in the answer to `m`. A packet may have a forged source: what
 * we send there is not to be much more than what the forger sent us.
 */
export function roomFor(cx: Context, m: SipMessage, from: Peer): number {
  if (isReliable(from.transport) || cx.guard.isKnown(cx.now, from.ip)) return Infinity;
  return m.text.length + GROWTH_BYTES - ECHO_BYTES;
}

/** What is passed on grows by our own headers, and a UDP datagram carries 65 507 octets. */
const PASSABLE_BYTES = 64_000;

/** A registration or a subscription is kept for hours: ten contacts fit, kilobytes of parameters do not. */
const LASTING_BYTES = 8192;

/** RFC 3261 21.5.14: 513 for what would not fit when it is passed on, rather than silence. */
export function tooLarge(m: SipMessage): Refusal | undefined {
  const lasts = m.methodId === M.REGISTER || m.methodId === M.SUBSCRIBE;
  return m.text.length > (lasts ? LASTING_BYTES : PASSABLE_BYTES) ? REFUSE(513) : undefined;
}

/** Extensions a request may require of us. */
const EXTENSIONS: ReadonlySet<string> = new Set([...OPTION_TAGS, 'path']);

/** RFC 3261 8.2.2.3: 420 for extensions that are required and not ours; undefined for none. */
export function extensions(m: SipMessage): Refusal | undefined {
  if (!m.has(H.Require) && !m.has(H.ProxyRequire)) return undefined;
  const wanted = [...m.values(H.Require), ...m.values(H.ProxyRequire)];
  const strange = wanted.filter((tag) => !EXTENSIONS.has(tag.toLowerCase()));
  return strange.length === 0 ? undefined : REFUSE(420, `Unsupported: ${strange.join(', ')}\r\n`);
}

/** A Call-ID is unique (8.1.1.4); who repeats one would make us look at all his calls each time. */
const SAME_CALL_ID = 16;

function merged(cx: Context, m: SipMessage): boolean {
  const calls = cx.store.all(CALL, 'callId', m.callId);
  if (calls.length >= SAME_CALL_ID) return true;
  for (const call of calls) {
    for (const leg of cx.store.all(LEG, 'call', call.id)) {
      if (leg.side !== 'caller' || leg.remoteTag !== m.fromTag) continue;
      if (leg.remoteCseq === m.cseq) return true;
    }
  }
  return false;
}

/** Seconds to wait when there are more calls than there may be, or more to do than can be done; or 0. */
function noRoom(cx: Context, m: SipMessage): number {
  if (isEmergency(cx.settings, m)) return 0;
  const key = serverKey(m, m.method);
  const wait = cx.overload.refuses(key, cx.chance);
  if (wait !== 0 || cx.store.count(CALL) < cx.settings.maxCalls) return wait;
  return cx.overload.remember(key, 5);
}

/** RFC 3261 16.3 step 4, for a back-to-back user agent: an INVITE of our own is back, with our tag. */
function cameBack(cx: Context, m: SipMessage): boolean {
  const id = idIn(m.fromTag, 0);
  const leg = id === 0 ? undefined : cx.store.get(LEG, id);
  return leg !== undefined && leg.callId === m.callId && isWord(m.fromTag, 0, leg.tag);
}

/** RFC 3261 8.2.1: "405 ... MUST also include an Allow header field". */
export function notAllowed(cx: Context, m: SipMessage, from: Peer): void {
  answerStateless(cx, m, from, 405, ALLOW + EMPTY_TAIL);
}

/**
 * Who sends this; undefined when he was challenged instead, or guesses and is not answered. On an open site everybody is welcome,
 * as nobody in particular.
 */
export function whoIs(cx: Context, m: SipMessage, from: Peer): Proof | undefined {
  if (!cx.settings.auth) return { as: 'nobody', stale: false, tried: '' };
  const face = m.methodId === M.REGISTER ? REGISTRAR : SERVICE;
  const proof = authenticate(cx, m, face.from, from.ip);
  if (proof.as === 'locked') {
    cx.count('authLocked');
    return undefined;
  }
  // The password of a user who does not exist can be worked out by anybody.
  if (proof.as === 'user' && exists(cx, proof.user)) {
    cx.guard.right(cx.now, from.ip, proof.user);
    return proof;
  }
  const stale = proof.as === 'nobody' && proof.stale;
  if (m.has(face.from) && !stale) cx.count('authFailures');
  const tried = proof.as === 'user' ? proof.user : proof.tried;
  if (tried !== '') cx.guard.wrong(cx.now, from.ip, tried);
  askAgain(cx, m, from, stale);
  return undefined;
}

/** An extension, or a trunk that proves itself. */
function exists(cx: Context, user: string): boolean {
  return isExtension(cx.settings, user) || trunkOfUser(cx.settings.site, user) !== undefined;
}

/** Challenges the sender of `m` (401 for REGISTER, 407 otherwise). */
export function askAgain(cx: Context, m: SipMessage, from: Peer, stale: boolean): void {
  const face = m.methodId === M.REGISTER ? REGISTRAR : SERVICE;
  cx.count('challenges');
  const asked = challenge(cx, m, from.ip, face.ask, stale, roomFor(cx, m, from));
  answerStateless(cx, m, from, face.status, asked + EMPTY_TAIL);
}
