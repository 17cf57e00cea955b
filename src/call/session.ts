/**
 * Session timers (RFC 4028). Each leg has its own, agreed with its side alone: the interval, who
 * refreshes, and the moment the session is over unless somebody did. All of it is in the leg's row,
 * as moments of the pair clock, so a takeover neither shortens nor lengthens a session.
 *
 *   we refresh      at half of the interval: UPDATE without a description where the other side
 *                   allows it, else re-INVITE with the one we sent last, the same octets
 *   they refresh    any re-INVITE or UPDATE of theirs does
 *   nobody did      BYE, a third of the interval (at most 32 s) before the end
 *
 * A side that knows no session timer is refreshed by us; it ends no call by silence of its own, only
 * by not answering (408) or not knowing the dialog (481).
 */

import { below } from '../base/chance.ts';
import type { Values } from '../base/row.ts';
import type { Context } from '../proto/context.ts';
import { outstanding } from '../proto/sip/client.ts';
import { CTX, type Ctx, STX, type Stx } from '../proto/sip/rows.ts';
import { unsettled } from '../proto/sip/server.ts';
import { ALLOW, EMPTY_TAIL, SUPPORTED } from '../proto/sip/text.ts';
import {
  H,
  isFault,
  parseMinSe,
  parseRetryAfter,
  parseSessionExpires,
  type SessionExpires,
  type SipMessage,
} from '../sip-parser/index.ts';
import { refreshTarget, sendAck, sendInDialog } from './leg.ts';
import { exchange, move } from './offer.ts';
import { LEG, type Leg } from './rows.ts';

/** Longest interval we follow a 422 to, seconds: a day. */
const LONGEST_S = 86_400;
/** A refresh that cannot be sent now, or was refused for now, is tried again so much later, ms. */
const AGAIN_MS = 5000;
/** RFC 4028 4: "The minimum ... 90 seconds" is what everybody may assume. */
const USUAL_MIN_S = 90;

/** Where nobody could acknowledge a reliable provisional response. */
export const TIMER_ONLY = 'Supported: timer\r\n';

export type Terms = Pick<Stx, 'sessionS' | 'refresher'>;

const NO_TERMS: Terms = { sessionS: 0, refresher: 'none' };

function supportsTimer(m: SipMessage): boolean {
  return lists(m, H.Supported, 'timer') || lists(m, H.Require, 'timer');
}

/** True when a header of `m` that is a list names `tag`, whatever its case. */
export function lists(m: SipMessage, header: Parameters<SipMessage['has']>[0], tag: string) {
  if (!m.has(header)) return false;
  for (const value of m.values(header)) if (value.toLowerCase() === tag) return true;
  return false;
}

function sessionIn(m: SipMessage): SessionExpires | undefined {
  const text = m.header(H.SessionExpires);
  const value = text === undefined ? undefined : parseSessionExpires(text);
  return value === undefined || isFault(value) ? undefined : value;
}

function minSeIn(m: SipMessage): number {
  const text = m.header(H.MinSE);
  const value = text === undefined ? 0 : parseMinSe(text);
  return isFault(value) ? 0 : value;
}

/**
 * RFC 4028 9: a UAS rejects with 422 and Min-SE an interval below its minimum, if whoever asks knows
 * session timers; '' when there is nothing to refuse.
 */
export function tooBrief(cx: Context, m: SipMessage): string {
  if (!m.has(H.SessionExpires) || !supportsTimer(m)) return '';
  const asked = sessionIn(m);
  const { minSeS } = cx.settings;
  if (asked === undefined || asked.seconds >= minSeS) return '';
  cx.count('sessionsTooSmall');
  return `Min-SE: ${minSeS}\r\n`;
}

// ── as the one who is asked ────────────────────────────────────────────────────────────────────

/** What our 2xx to an INVITE or UPDATE will say of the session (RFC 4028 9, table 2). */
export function termsFor(cx: Context, leg: Leg, m: SipMessage): Terms {
  const { sessionExpiresS, minSeS } = cx.settings;
  const asked = sessionIn(m);
  const able = supportsTimer(m);
  if (asked === undefined) {
    const own = leg.sessionS > 0 ? leg.sessionS : sessionExpiresS;
    if (own === 0) return NO_TERMS;
    // who refreshed until now goes on with it
    const they = able && leg.refresher !== 'us';
    const sessionS = Math.max(own, minSeS, minSeIn(m));
    return { sessionS, refresher: they ? 'them' : 'us' };
  }
  const they = able && asked.refresher !== 'uas';
  const sessionS = Math.min(Math.max(asked.seconds, minSeS), LONGEST_S);
  return { sessionS, refresher: they ? 'them' : 'us' };
}

/** Our 2xx to `stx` goes out on `leg`: its session lines, and the timer begins. */
export function grantSession(cx: Context, leg: Leg, stx: Terms): string {
  cx.store.patch(LEG, leg, armed(cx, stx, true));
  return grantLines(stx);
}

/** The same for the answer to a caller, whose dialog it confirms. */
export function grantFirst(cx: Context, leg: Leg, stx: Terms): string {
  cx.store.patch(LEG, leg, { state: 'confirmed', ...armed(cx, stx, true) });
  return grantLines(stx);
}

function grantLines(stx: Terms): string {
  if (stx.sessionS === 0) return SUPPORTED;
  // RFC 4028 9: "If the refresher parameter ... is set to 'uac', the UAS MUST place a Require header
  // field into the response with the value 'timer'."
  return stx.refresher === 'them'
    ? `${SUPPORTED}Session-Expires: ${stx.sessionS};refresher=uac\r\nRequire: timer\r\n`
    : `${SUPPORTED}Session-Expires: ${stx.sessionS};refresher=uas\r\n`;
}

// ── as the one who asks ────────────────────────────────────────────────────────────────────────

/** Supported and the session lines of an INVITE or UPDATE of ours on `leg`. */
export function sessionLines(cx: Context, leg: Leg | undefined, supported: string): string {
  const { sessionExpiresS, minSeS } = cx.settings;
  const known = leg?.sessionS ?? 0;
  const wanted = known > 0 ? known : sessionExpiresS;
  if (wanted === 0) return supported;
  const min = Math.max(minSeS, leg?.minSe ?? 0);
  // 7.4: the role stays with whom it was
  const who = leg?.refresher ?? 'none';
  const role = who === 'none' ? '' : who === 'us' ? ';refresher=uac' : ';refresher=uas';
  const least = min > USUAL_MIN_S ? `Min-SE: ${min}\r\n` : '';
  return `${supported}Session-Expires: ${Math.max(wanted, min)}${role}\r\n${least}`;
}

/** A 2xx to an INVITE or UPDATE of ours on `leg`: what it says of its sender and the session holds. */
export function heed(cx: Context, leg: Leg, m: SipMessage): void {
  cx.store.patch(LEG, leg, { ...learned(leg, m), ...heeded(cx, leg, m) });
}

function heeded(cx: Context, leg: Leg, m: SipMessage): Values<typeof LEG.fields> {
  const said = sessionIn(m);
  if (said !== undefined && said.seconds > 0) {
    const refresher = said.refresher === 'uas' ? 'them' : 'us';
    return armed(cx, { sessionS: Math.min(said.seconds, LONGEST_S), refresher }, true);
  }
  // 7.2: without Session-Expires there is no session expiration; we go on asking whether it lives.
  const own = cx.settings.sessionExpiresS;
  if (own === 0) return armed(cx, NO_TERMS, false);
  return armed(cx, { sessionS: Math.max(own, leg.minSe), refresher: 'us' }, false);
}

/** The timer of a leg whose session begins, or goes on, now. */
function armed(cx: Context, terms: Terms, agreed: boolean): Values<typeof LEG.fields> {
  const { sessionS, refresher } = terms;
  const length = sessionS * 1000;
  // 10: "The minimum of 32 seconds and one third of the session interval is RECOMMENDED."
  const early = Math.min(32_000, Math.floor(length / 3));
  return {
    sessionS,
    refresher,
    refreshAt: refresher === 'us' ? cx.now + length / 2 : 0,
    expiresAt: sessionS > 0 && agreed ? cx.now + length - early : 0,
  };
}

/** What an INVITE says of its sender: does he take UPDATE, and how short may his sessions be. */
export function abilities(m: SipMessage): { readonly update: boolean; readonly minSe: number } {
  return { update: lists(m, H.Allow, 'update'), minSe: Math.min(minSeIn(m), LONGEST_S) };
}

/** The same of a message inside the dialog, which need not say all of it again. */
export function learn(cx: Context, leg: Leg, m: SipMessage): void {
  cx.store.patch(LEG, leg, learned(leg, m));
}

function learned(leg: Leg, m: SipMessage): Values<typeof LEG.fields> {
  const said = abilities(m);
  const update = m.has(H.Allow) ? said.update : leg.update;
  const minSe = Math.max(leg.minSe, said.minSe);
  return { update, minSe };
}

// ── refreshing ─────────────────────────────────────────────────────────────────────────────────

/** A moment of a leg has come. @returns true when its session is over. */
export function sessionDue(cx: Context, leg: Leg): boolean {
  if (leg.expiresAt !== 0 && leg.expiresAt <= cx.now) {
    cx.store.patch(LEG, leg, { refreshAt: 0, expiresAt: 0 });
    cx.count('sessionsExpired');
    return true;
  }
  if (leg.refreshAt !== 0 && leg.refreshAt <= cx.now) refresh(cx, leg);
  return false;
}

/** True while an INVITE on this leg, from either side, is not settled. */
export function inviteOpen(cx: Context, leg: Leg): boolean {
  if (leg.uas !== 0 && unsettled(cx.store.get(STX, leg.uas))) return true;
  return leg.uac !== 0 && outstanding(cx.store.get(CTX, leg.uac));
}

function refresh(cx: Context, leg: Leg): void {
  const busy = leg.offer === 'local' || leg.offer === 'remote' || inviteOpen(cx, leg);
  if (busy) {
    cx.store.patch(LEG, leg, { refreshAt: cx.now + AGAIN_MS });
    return;
  }
  cx.store.patch(LEG, leg, { refreshAt: 0 });
  const lines = ALLOW + sessionLines(cx, leg, TIMER_ONLY);
  if (leg.update) {
    // not all who say UPDATE in Allow take it: `refreshed` goes on by re-INVITE
    sendInDialog(cx, leg, 'UPDATE', 70, lines + EMPTY_TAIL, 0, false, true);
    return;
  }
  // Nothing to repeat: only the other side can refresh this session.
  if (leg.sdp === '') return;
  move(cx, leg, 'offerOut', leg.sdp);
  const ctx = sendInDialog(cx, leg, 'INVITE', 70, lines + leg.sdp, 0, false, true);
  cx.store.patch(LEG, leg, { uac: ctx.id });
}

/**
 * A response to a refresh of ours, repeated ones to a re-INVITE too.
 * @returns true when the other side does not know the dialog any more.
 */
export function refreshed(cx: Context, ctx: Ctx, leg: Leg, m: SipMessage): boolean {
  if (m.status < 200) return false;
  const invite = ctx.method === 'INVITE';
  if (m.status < 300) {
    if (invite) sendAck(cx, leg, ctx, leg.remoteTag);
    // a repeated 2xx, or one that crossed our BYE
    if ((invite && ctx.acked) || leg.state !== 'confirmed') return false;
    if (invite) {
      cx.store.patch(CTX, ctx, { acked: true });
      exchange(cx, leg, 'answerIn');
    }
    refreshTarget(cx, leg, m);
    heed(cx, leg, m);
    cx.count('sessionsRefreshed');
    return false;
  }
  if (invite) exchange(cx, leg, 'failed');
  if (m.status === 481 || m.status === 408) return true;
  if (!invite && (m.status === 405 || m.status === 501)) {
    cx.store.patch(LEG, leg, { update: false });
    if (leg.state === 'confirmed') refresh(cx, leg);
    return false;
  }
  cx.store.patch(LEG, leg, { refreshAt: cx.now + waitFor(cx, leg, m) });
  return false;
}

/** How long to wait after a refused refresh. */
function waitFor(cx: Context, leg: Leg, m: SipMessage): number {
  if (m.status === 491) {
    // RFC 3261 14.1: the owner of the Call-ID waits "between 2.1 and 4 seconds in units of 10 ms",
    // the other "between 0 and 2 seconds in units of 10 ms".
    return leg.side === 'callee' ? 2100 + 10 * below(cx.chance, 191) : 10 * below(cx.chance, 201);
  }
  // Who refuses lives: where no end was agreed, that is all we want to know.
  if (leg.expiresAt === 0) return leg.sessionS * 500;
  const text = m.header(H.RetryAfter);
  const wait = text === undefined ? undefined : parseRetryAfter(text);
  const asked = wait === undefined || isFault(wait) ? 0 : Math.min(wait.seconds, 60) * 1000;
  // 10: "the UAC ... retry if possible", but not all the time.
  return Math.max(AGAIN_MS, asked, Math.floor((leg.expiresAt - cx.now) / 4));
}

// ── 422 ────────────────────────────────────────────────────────────────────────────────────────

/**
 * The request of a 422 once more, with the interval it asks for (RFC 4028 7.3): its text after
 * Max-Forwards; '' when that is no use. `sent` is the text of the request.
 */
export function longer(cx: Context, leg: Leg, m: SipMessage, sent: string, cseq: number): string {
  const least = minSeIn(m);
  const end = sent.indexOf('\r\n\r\n');
  const asked = /\r\nSession-Expires: (\d+)([^\r]*)/.exec(sent.slice(0, end));
  if (asked === null || least <= Number(asked[1]) || least > LONGEST_S) return '';
  cx.store.patch(LEG, leg, { minSe: least });
  const head = sent
    .slice(0, end)
    .replace(/\r\nMin-SE: [^\r]*/, '')
    .replace(asked[0], `\r\nSession-Expires: ${least}${asked[2]}\r\nMin-SE: ${least}`)
    .replace(/\r\nCSeq: \d+/, `\r\nCSeq: ${cseq}`);
  return head + sent.slice(end);
}
