/**
 * The notifier (RFC 6665 4.2.2). A subscription is marked when what it watches changes, and the mark
 * is a moment in its row: so the calendar collects all changes of a turn into one NOTIFY, and a new
 * primary finds what was still to be said. At most one NOTIFY of a subscription is under way; what
 * changes meanwhile is said when that is answered, the newest state only.
 *
 *   marked ── notifyAt ──► state as before? nothing : NOTIFY ── answered ──► changed? marked
 *                                                      └ 481, gone, silence: the row is removed
 */

import { crc32 } from 'node:zlib';
import { type Context, hereFor } from '../../proto/context.ts';
import { request } from '../../proto/sip/client.ts';
import { CTX, type Ctx } from '../../proto/sip/rows.ts';
import { TRANSPORT_PARAM } from '../../proto/sip/text.ts';
import { H, isFault, parseRetryAfter, type SipMessage } from '../../sip-parser/index.ts';
import { isExtension } from '../dialplan.ts';
import { dialogLines, routed } from '../leg.ts';
import { LEG } from '../rows.ts';
import { ABOUT, PACKAGES } from './packages.ts';
import { SUBSCRIPTION, type Subscription } from './rows.ts';
import { lampIsHeard, resumeLamps } from './unsolicited.ts';

/**
 * RFC 5057 5.1: answers to a NOTIFY that end the subscription; RFC 6665 4.2.2. Others only mean that
 * it was not heard this time.
 */
const ENDS = [404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 502, 604];

/** A watcher who could not take a NOTIFY and did not say for how long is tried again after this. */
const AGAIN_MS = 30_000;
const AGAIN_MAX_S = 3600;

/** RFC 3261 8.1.1.5: a CSeq is below 2**31. Who is near begins a new subscription. */
const LAST_CSEQ = 2 ** 31 - 2;

/** A warm standby that took over has no calls: what it tells its watchers of that is spread. */
const SPREAD_MS = 5000;

/** Our Contact in the dialog of a subscription. */
export function contactLine(cx: Context, sub: Subscription): string {
  const here = hereFor(cx.settings, sub);
  return `Contact: <sip:${sub.aor}@${here}${TRANSPORT_PARAM[sub.transport]}>\r\n`;
}

/** What `sub` watches may have changed. Cheap, and safe to say too often. */
export function touch(cx: Context, sub: Subscription): void {
  if (sub.state === 'ending') return;
  if (sub.notify !== 0) cx.store.patch(SUBSCRIPTION, sub, { changed: true });
  else if (sub.notifyAt === 0) {
    const notifyAt = Math.max(cx.now, sub.saidAt + cx.settings.notifyGapMs);
    cx.store.patch(SUBSCRIPTION, sub, { notifyAt });
  }
}

/** Sends the state of now, whatever was said last; nothing may be outstanding. */
export function notify(cx: Context, sub: Subscription): void {
  const package_ = PACKAGES[sub.event];
  const state = package_.state(cx, sub.aor);
  tell(cx, sub, package_.write(sub, state, gone(sub, state.ids)), state.live, state.ids);
}

function gone(sub: Subscription, ids: readonly number[]): readonly string[] {
  if (sub.known === '') return [];
  return sub.known.split(' ').filter((id) => !ids.includes(Number(id)));
}

/** Never 0, which means that nothing was said. */
function checksum(live: string): number {
  return crc32(live) + 1;
}

function tell(
  cx: Context,
  sub: Subscription,
  body: string,
  live: string,
  ids: readonly number[],
): void {
  const cseq = sub.localCseq + 1;
  const left = Math.max(0, Math.ceil((sub.expiresAt - cx.now) / 1000));
  const state = sub.unasked
    ? 'terminated'
    : sub.state === 'ending'
      ? `terminated;reason=${sub.reason}`
      : `active;expires=${left}`;
  const id = sub.eventId === '' ? '' : `;id=${sub.eventId}`;
  const { uri, route } = routed(sub);
  const package_ = PACKAGES[sub.event];
  const type = package_.typeOf?.(body) ?? package_.type;
  const ctx = request(cx, {
    method: 'NOTIFY',
    uri,
    route,
    rest:
      `Max-Forwards: 70\r\n${dialogLines(sub, true)}CSeq: ${cseq} NOTIFY\r\n` +
      `${contactLine(cx, sub)}Event: ${sub.event}${id}\r\nSubscription-State: ${state}\r\n` +
      `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    cseq,
    to: sub,
    leg: 0,
    subscription: sub.id,
    onward: 0,
    offerless: false,
  });
  cx.count('notificationsSent');
  cx.store.patch(SUBSCRIPTION, sub, {
    localCseq: cseq,
    version: sub.version + 1,
    notify: ctx.id,
    changed: false,
    notifyAt: 0,
    saidAt: cx.now,
    said: checksum(live),
    known: ids.join(' '),
  });
}

/** Ends a subscription by our own word (RFC 6665 4.4.1); its row lasts until that is heard. */
export function terminate(cx: Context, sub: Subscription, reason: Subscription['reason']): void {
  if (sub.state === 'ending') return;
  if (sub.unasked) {
    cx.store.remove(SUBSCRIPTION, sub);
    return;
  }
  cx.store.patch(SUBSCRIPTION, sub, { state: 'ending', reason, notifyAt: 0 });
  if (sub.notify === 0) notify(cx, sub);
  else cx.store.patch(SUBSCRIPTION, sub, { changed: true });
}

/** A moment of the row has come: it lapses, or something is to be said. */
export function subscriptionDue(cx: Context, sub: Subscription): void {
  if (sub.unasked && !lampIsHeard(cx, sub)) return;
  if (sub.state === 'active' && sub.expiresAt <= cx.now) {
    cx.count('subscriptionsExpired');
    terminate(cx, sub, 'timeout');
    return;
  }
  const package_ = PACKAGES[sub.event];
  const state = package_.state(cx, sub.aor);
  if (sub.state === 'active' && sub.said === checksum(state.live)) {
    cx.store.patch(SUBSCRIPTION, sub, { notifyAt: 0 });
    return;
  }
  tell(cx, sub, package_.write(sub, state, gone(sub, state.ids)), state.live, state.ids);
}

/** The NOTIFY of `ctx` was answered, or (`m` undefined) nobody answered it. */
export function notified(cx: Context, ctx: Ctx, m: SipMessage | undefined): void {
  const sub = cx.store.get(SUBSCRIPTION, ctx.subscription);
  if (sub === undefined || sub.notify !== ctx.id) return;
  if (m !== undefined && m.status < 200) return;
  const status = m?.status ?? 408;
  const wait = m === undefined ? 0 : retryAfter(m);
  if (sub.unasked) {
    if (status >= 300) cx.count('notificationsRefused');
    const again = sub.changed;
    cx.store.patch(SUBSCRIPTION, sub, { notify: 0, changed: false });
    if (again) touch(cx, sub);
    return;
  }
  if (m === undefined || status === 481 || (ENDS.includes(status) && wait === 0)) {
    cx.count('subscriptionsLost');
    cx.store.remove(SUBSCRIPTION, sub);
    return;
  }
  const owed = sub.changed;
  cx.store.patch(SUBSCRIPTION, sub, { notify: 0, changed: false });
  if (sub.state === 'ending') {
    // the last word was this one, or it waited for its turn
    if (owed) notify(cx, sub);
    else cx.store.remove(SUBSCRIPTION, sub);
    return;
  }
  if (status >= 300) {
    cx.count('notificationsRefused');
    const notifyAt = cx.now + (wait > 0 ? wait * 1000 : AGAIN_MS);
    cx.store.patch(SUBSCRIPTION, sub, { said: 0, notifyAt });
  } else if (sub.localCseq >= LAST_CSEQ) terminate(cx, sub, 'deactivated');
  else if (owed) touch(cx, sub);
}

/** Seconds a watcher asked us to stay away; 0 for none. */
function retryAfter(m: SipMessage): number {
  if (m.status < 300) return 0;
  const value = m.header(H.RetryAfter);
  const parsed = value === undefined ? undefined : parseRetryAfter(value);
  if (parsed === undefined || isFault(parsed)) return 0;
  return Math.min(Math.max(parsed.seconds, 1), AGAIN_MAX_S);
}

/**
 * On a new primary. What was outstanding is repeated by its transaction; here is what a warm standby
 * lacks, which has neither the transactions nor the calls, and what the settings no longer have.
 */
export function resumeSubscriptions(cx: Context): void {
  for (const sub of [...cx.store.rows(SUBSCRIPTION)]) {
    if (sub.notify !== 0 && cx.store.get(CTX, sub.notify) === undefined) {
      // it may have been heard or not: it is said anew
      cx.store.patch(SUBSCRIPTION, sub, { notify: 0, changed: false, said: 0, notifyAt: 0 });
      later(cx, sub);
    } else if (
      (PACKAGES[sub.event].about & ABOUT.legs) !== 0 &&
      gone(sub, liveLegs(cx, sub)).length > 0
    )
      later(cx, sub);
    // who comes back with a refresh is no stranger
    cx.guard.know(cx.now, sub.ip);
    if (!isExtension(cx.settings, sub.aor)) terminate(cx, sub, 'noresource');
  }
  resumeLamps(cx);
}

function liveLegs(cx: Context, sub: Subscription): readonly number[] {
  return sub.known === '' ? [] : cx.store.all(LEG, 'aor', sub.aor).map((leg) => leg.id);
}

function later(cx: Context, sub: Subscription): void {
  if (sub.notify !== 0 || sub.notifyAt !== 0) return;
  const notifyAt = cx.now + 1 + ((sub.id * 7) % SPREAD_MS);
  cx.store.patch(SUBSCRIPTION, sub, { notifyAt });
}
