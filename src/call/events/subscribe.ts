/**
 * SUBSCRIBE (RFC 6665 4.2.1): a new subscription, its refresh, its end. Every accepted one is answered
 * by a 200 and told the state at once, in the same turn.
 *
 * Any extension of the site may watch any other; on a site with passwords it has to prove who it is.
 */

import type { Peer } from '../../base/peer.ts';
import type { Context } from '../../proto/context.ts';
import { uriOf, userOf } from '../../proto/sip/address.ts';
import { answer, answerStateless } from '../../proto/sip/server.ts';
import {
  ALLOW_EVENTS,
  behindNat,
  EMPTY_TAIL,
  idIn,
  isWord,
  randomWord,
  withoutTag,
} from '../../proto/sip/text.ts';
import {
  type EventType,
  H,
  isFault,
  parseEvent,
  type SipMessage,
  unescapeUser,
} from '../../sip-parser/index.ts';
import { refusal, whoIs } from '../admission.ts';
import { isExtension } from '../dialplan.ts';
import { contactIn, hopFor, routeLines, tagOf } from '../leg.ts';
import { BINDING } from '../rows.ts';
import { vouched } from '../voucher.ts';
import { featuresRefuse, setFeatures } from './features.ts';
import { notifyFollows } from './flow.ts';
import { contactLine, notify, terminate } from './notifier.ts';
import { PACKAGES } from './packages.ts';
import {
  EVENTS,
  type EventName,
  FEATURES,
  FEATURES_TYPE,
  SUBSCRIPTION,
  type Subscription,
} from './rows.ts';

/** RFC 6665 4.2.1.1: who asks for an hour or more is not told 423. */
const NEVER_TOO_BRIEF_S = 3600;
/** An id is ours to repeat in every NOTIFY. */
const LONGEST_ID = 64;

/** A status and the headers that go with it. */
type No = { readonly status: number; readonly headers: string };

export const BAD_EVENT: No = { status: 489, headers: ALLOW_EVENTS };

function refuse(cx: Context, m: SipMessage, from: Peer, no: No): void {
  answerStateless(cx, m, from, no.status, no.headers + EMPTY_TAIL);
}

/** The package a request is about; the refusal when it is none of ours (RFC 6665 7.2.1, 8.3.2). */
export function eventOf(m: SipMessage): (EventType & { readonly name: EventName }) | No {
  const value = m.header(H.Event);
  if (value === undefined) return BAD_EVENT;
  const event = parseEvent(value);
  if (isFault(event) || event.id.length > LONGEST_ID) return { status: 400, headers: '' };
  const name = EVENTS.find((e) => e === event.package);
  return name === undefined || event.template !== '' ? BAD_EVENT : { ...event, name };
}

/** Seconds granted, or 423 (RFC 6665 4.2.1.1). */
function expiryOf(cx: Context, m: SipMessage): number | No {
  const s = cx.settings;
  const asked = m.expires < 0 ? s.defaultExpiresS : m.expires;
  if (asked > 0 && asked < s.minExpiresS && asked < NEVER_TOO_BRIEF_S) {
    return { status: 423, headers: `Min-Expires: ${s.minExpiresS}\r\n` };
  }
  return Math.min(asked, s.maxExpiresS);
}

/** RFC 6665 8.2.2, RFC 3261 8.2.3: 406 when he could not read what we would send. */
function readable(m: SipMessage, name: EventName): No | undefined {
  const { type } = PACKAGES[name];
  // without Accept the package's own type is meant, and an empty one accepts nothing
  if (!m.has(H.Accept)) return undefined;
  const fits = m.values(H.Accept).some((value) => {
    const range = (value.split(';')[0] as string).trim().toLowerCase();
    return range === type || range === '*/*' || range === 'application/*';
  });
  return fits ? undefined : { status: 406, headers: `Accept: ${type}\r\n` };
}

/** A SUBSCRIBE outside any dialog that repeats none. */
export function subscribe(cx: Context, m: SipMessage, key: string, from: Peer): void {
  const bad = refusal(cx, m);
  if (bad !== undefined) {
    answerStateless(cx, m, from, bad.status, bad.tail);
    return;
  }
  const proof = whoIs(cx, m, from);
  if (proof === undefined) return;
  const event = eventOf(m);
  if ('status' in event) {
    refuse(cx, m, from, event);
    return;
  }
  const aor = unescapeUser(userOf(m.requestUri));
  const named = unescapeUser(userOf(uriOf(m.header(H.From) ?? '')));
  const watcher = proof.as === 'user' ? proof.user : named;
  const expires = expiryOf(cx, m);
  const no = typeof expires === 'number' ? mayWatch(cx, m, aor, watcher, event.name) : expires;
  if (no !== undefined || typeof expires !== 'number') {
    refuse(cx, m, from, no ?? { status: 400, headers: '' });
    return;
  }
  if (event.name === FEATURES) setFeatures(cx, m.body, aor);
  const sub = open(cx, m, from, { aor, watcher, event, expires });
  cx.count('subscriptions');
  // RFC 3261 12.1.1: the answer that makes a dialog copies Record-Route
  const route = m.has(H.RecordRoute) ? m.lines(H.RecordRoute) : '';
  answer(cx, m, key, from, 200, route + granted(cx, sub, expires), tagOf(sub));
  if (expires === 0) terminate(cx, sub, 'timeout');
  else notify(cx, sub);
}

function granted(cx: Context, sub: Subscription, expires: number): string {
  return `${contactLine(cx, sub)}Expires: ${expires}\r\n${EMPTY_TAIL}`;
}

function mayWatch(
  cx: Context,
  m: SipMessage,
  aor: string,
  watcher: string,
  name: EventName,
): No | undefined {
  const s = cx.settings;
  if (!isExtension(s, aor)) return { status: 404, headers: '' };
  const unreadable = readable(m, name);
  if (unreadable !== undefined) return unreadable;
  if (contactIn(m) === '') return { status: 400, headers: '' };
  const bad = name === FEATURES ? featuresRefuse(m, aor, watcher) : 0;
  if (bad !== 0) return { status: bad, headers: `Accept: ${FEATURES_TYPE}\r\n` };
  const his = cx.store.all(SUBSCRIPTION, 'watcher', watcher);
  // RFC 3261 8.2.2.2: the same request by another way
  if (
    his.some((x) => x.callId === m.callId && x.remoteTag === m.fromTag && x.remoteCseq === m.cseq)
  ) {
    return { status: 482, headers: '' };
  }
  if (his.length >= s.maxWatches) return { status: 403, headers: '' };
  if (cx.store.count(SUBSCRIPTION) < s.maxSubscriptions) return undefined;
  return { status: 503, headers: 'Retry-After: 60\r\n' };
}

type Wish = {
  readonly aor: string;
  readonly watcher: string;
  readonly event: EventType & { readonly name: EventName };
  readonly expires: number;
};

/** RFC 3261 12.1.1: the dialog a SUBSCRIBE makes. */
function open(cx: Context, m: SipMessage, from: Peer, wish: Wish): Subscription {
  const nat = behindNat(m, from.ip);
  const target = contactIn(m);
  const routeSet = routeLines(m, false);
  // who has not proved himself does not name a third party that we then speak to again and again
  const asked = hopFor(cx, routeSet, target, from, nat);
  const hop = cx.settings.auth || asked.ip === from.ip ? asked : from;
  return cx.store.insert(SUBSCRIPTION, {
    event: wish.event.name,
    aor: wish.aor,
    eventId: wish.event.id,
    watcher: wish.watcher,
    callId: m.callId,
    tag: randomWord(cx.chance),
    remoteTag: m.fromTag,
    localUri: withoutTag(m.header(H.To) ?? ''),
    remoteUri: withoutTag(m.header(H.From) ?? ''),
    remoteCseq: m.cseq,
    remoteTarget: target,
    routeSet,
    transport: hop.transport,
    ip: hop.ip,
    port: hop.port,
    nat,
    binding: bindingAt(cx, wish.watcher, from),
    expiresAt: cx.now + wish.expires * 1000,
  });
}

/** The registration of `user` that lives where this request came from. */
function bindingAt(cx: Context, user: string, from: Peer): number {
  for (const b of cx.store.all(BINDING, 'aor', user)) {
    if (b.sourceIp === from.ip && b.sourcePort === from.port) return b.id;
  }
  return 0;
}

/** The subscription a request inside a dialog is for (RFC 3261 12.2.2). */
function findSubscription(cx: Context, m: SipMessage): Subscription | undefined {
  if (cx.store.count(SUBSCRIPTION) === 0) return undefined;
  const tag = m.toTag;
  const id = idIn(tag, 0);
  const sub = id === 0 ? undefined : cx.store.get(SUBSCRIPTION, id);
  if (sub === undefined || !isWord(tag, 0, sub.tag) || sub.callId !== m.callId) return undefined;
  return sub.remoteTag === m.fromTag ? sub : undefined;
}

/** A request in the dialog of a subscription. @returns false when it is in none. */
export function inSubscription(cx: Context, m: SipMessage, key: string, from: Peer): boolean {
  const sub = findSubscription(cx, m);
  if (sub === undefined) return false;
  if (!vouched(cx, m, from, sub.watcher, sub.ip)) return true;
  cx.guard.know(cx.now, from.ip);
  if (m.method !== 'SUBSCRIBE') {
    // nothing else is said in such a dialog
    refuse(cx, m, from, {
      status: m.method === 'BYE' ? 481 : 405,
      headers: 'Allow: SUBSCRIBE\r\n',
    });
    return true;
  }
  const no = refreshes(cx, m, sub);
  if (typeof no !== 'number') {
    refuse(cx, m, from, no);
    return true;
  }
  renew(cx, m, from, sub, no);
  if (sub.event === FEATURES) setFeatures(cx, m.body, sub.aor);
  answer(cx, m, key, from, 200, granted(cx, sub, no));
  // RFC 6665 4.2.1.2: every 200 is followed by a NOTIFY; one that is out already comes first
  if (no === 0) terminate(cx, sub, 'timeout');
  else if (sub.notify === 0) notify(cx, sub);
  else cx.store.patch(SUBSCRIPTION, sub, { said: 0, changed: true });
  return true;
}

/** Seconds granted, or why not. */
function refreshes(cx: Context, m: SipMessage, sub: Subscription): number | No {
  if (sub.state === 'ending') return { status: 481, headers: '' };
  if (m.cseq <= sub.remoteCseq) return { status: 500, headers: '' };
  const event = eventOf(m);
  if ('status' in event) return event;
  // another subscription in the same dialog (RFC 6665 5.1 keeps clear of that)
  if (event.name !== sub.event || event.id !== sub.eventId) return BAD_EVENT;
  const bad = sub.event === FEATURES ? featuresRefuse(m, sub.aor, sub.watcher) : 0;
  if (bad !== 0) return { status: bad, headers: `Accept: ${FEATURES_TYPE}\r\n` };
  return expiryOf(cx, m);
}

/** A refresh is a target refresh (RFC 6665 4.5.2) and says anew where the watcher is. */
function renew(cx: Context, m: SipMessage, from: Peer, sub: Subscription, expires: number): void {
  const target = contactIn(m) || sub.remoteTarget;
  const nat = behindNat(m, from.ip);
  const asked = hopFor(cx, sub.routeSet, target, from, nat);
  const hop = cx.settings.auth || asked.ip === from.ip ? asked : from;
  cx.store.patch(SUBSCRIPTION, sub, {
    remoteCseq: m.cseq,
    remoteTarget: target,
    transport: hop.transport,
    ip: hop.ip,
    port: hop.port,
    nat,
    binding: bindingAt(cx, sub.watcher, from),
    expiresAt: cx.now + expires * 1000,
  });
  notifyFollows(cx, sub);
}
