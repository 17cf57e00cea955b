/**
 * A phone answers 3xx: whoever it names is called in its place (RFC 3261 8.1.3.4), if they are numbers
 * of ours that the phone's own extension may call. A redirection cannot lead where its extension may
 * not dial, nor out to an address that is no number.
 *
 *   300, 301, 302   the contacts with the highest q at once, the others when those fail
 *   305, 380        refusals: a proxy of the phone's choice, a service that is no call
 *
 * Bounded: a call is redirected `HOPS` times, a number is tried once. What is still to be tried, and
 * with which offer, is in the call's row.
 */

import type { Context } from '../proto/context.ts';
import { userOf } from '../proto/sip/address.ts';
import { cancel } from '../proto/sip/client.ts';
import { CTX, type Ctx } from '../proto/sip/rows.ts';
import {
  addresses,
  H,
  isFault,
  param,
  type SipMessage,
  unescapeUser,
} from '../sip-parser/index.ts';
import { type Diverted, onwardWhenBusy, onwardWhenSilent } from './device/features.ts';
import { isExtension } from './dialplan.ts';
import { arrive } from './distribute/arrive.ts';
import { distributionOf } from './distribute/leave.ts';
import { keepHunt } from './hunt.ts';
import { invite, type Offer } from './invite.ts';
import { callerOf, inviteLines } from './leg.ts';
import { answersNailed } from './nail/nail.ts';
import { classOf, type Route, route } from './route.ts';
import { CALL, type Call, LEG, type Leg } from './rows.ts';
import { REDIRECT, type Redirect } from './transfer-rows.ts';

/** Redirections of one call. */
const HOPS = 5;
/** Numbers one response may name; of a call, all that may wait. */
const CONTACTS = 8;

/** Others are called in place of the phone of `leg`, which answered `m`. */
export function sendsOn(cx: Context, leg: Leg, m: SipMessage): boolean {
  return redirects(m) || onwardWhenBusy(cx, leg, m.status) !== '';
}

/** True for a 3xx that names whom to call instead. */
function redirects(m: SipMessage): boolean {
  return (m.status === 300 || m.status === 301 || m.status === 302) && m.has(H.Contact);
}

/** May `by` send a caller to `called`? What a class of service says of a redirection goes here. */
function mayRedirect(cx: Context, by: string, called: string): boolean {
  return isExtension(cx.settings, by) && by !== called;
}

type Named = { readonly user: string; readonly q: number };

/** Whom the contacts of a 3xx name, best first, each once. */
function named(m: SipMessage): readonly Named[] {
  const all = addresses(m, H.Contact);
  if (isFault(all)) return [];
  const found: Named[] = [];
  for (const { uri, params } of all) {
    if (!/^(?:sips?|tel):/i.test(uri)) continue;
    const user = unescapeUser(userOf(uri));
    // what a number is made of: it is put into requests and rows
    if (!/^[\w+*#.-]{1,64}$/.test(user) || found.some((f) => f.user === user)) continue;
    const q = Number(param(params, 'q') ?? '1');
    found.push({ user, q: q >= 0 && q <= 1 ? q : 1 });
  }
  return found.sort((a, b) => b.q - a.q).slice(0, CONTACTS);
}

/** Numbers of the highest q together, each other one by itself. */
function grouped(wanted: readonly Named[]): string[] {
  const best = wanted[0]?.q;
  const first = wanted.filter((n) => n.q === best).map((n) => n.user);
  return [first.join(' '), ...wanted.filter((n) => n.q !== best).map((n) => n.user)];
}

function list(text: string, between: string): readonly string[] {
  return text.split(between).filter((word) => word !== '');
}

/**
 * Follows the 3xx, or a busy phone's refusal, that `leg` answered its INVITE `sent` (the text after
 * its Route lines) with. Where it leads nowhere nothing happens: then it was a refusal.
 */
export function follow(cx: Context, call: Call, ctx: Ctx, leg: Leg, m: SipMessage, sent: string) {
  const to = redirects(m) ? '' : onwardWhenBusy(cx, leg, m.status);
  if (to === '') sendOn(cx, call, ctx, leg, named(m), diversion(cx, m, leg, leg.aor), sent, false);
  else sendOn(cx, call, ctx, leg, [{ user: to, q: 1 }], line(cx, leg.aor, 'user-busy'), sent, true);
}

/**
 * `named` are called in place of the extension behind `leg`, if they may be.
 * @returns false when nobody is.
 */
function sendOn(
  cx: Context,
  call: Call,
  ctx: Ctx,
  leg: Leg,
  named: readonly Named[],
  first: string,
  sent: string,
  forwarded: boolean,
): boolean {
  const row = cx.store.find(REDIRECT, 'call', call.id);
  if (sent === '' || (row !== undefined && row.count >= HOPS)) return false;
  // '' at a trunk, which sends nobody on
  const by = leg.aor;
  const tried = new Set([...list(row?.tried ?? '', ' '), call.called, by]);
  const wanted = named.filter((n) => !tried.has(n.user) && mayRedirect(cx, by, n.user));
  if (wanted.length === 0) return false;
  cx.count(forwarded ? 'callsForwarded' : 'callsRedirected');
  const later = [...grouped(wanted), ...list(row?.later ?? '', '\n')].slice(0, CONTACTS).join('\n');
  const values = {
    count: (row?.count ?? 0) + 1,
    tried: [...tried].join(' '),
    later,
    hops: hopsLeft(sent),
    by,
    forwarded,
    ...remade(cx, sent, by, first),
  };
  if (row !== undefined) cx.store.patch(REDIRECT, row, values);
  else {
    cx.store.insert(REDIRECT, {
      ...values,
      call: call.id,
      caller: leg.user,
      localUri: leg.localUri,
      offerless: ctx.offerless,
    });
  }
  return tryNext(cx, call);
}

/**
 * What rings on `leg` is to ring at `to` in its place, as if its phone had said so. @returns false when
 * it cannot: then it goes on ringing.
 */
export function deflect(cx: Context, call: Call, leg: Leg, to: string): boolean {
  const ctx = cx.store.get(CTX, leg.uac);
  const row = cx.store.find(REDIRECT, 'call', call.id);
  if (!ctx || ctx.request === '' || (row !== undefined && row.count >= HOPS)) return false;
  const by = leg.aor;
  const values = {
    count: (row?.count ?? 0) + 1,
    tried: [...new Set([...list(row?.tried ?? '', ' '), by])].filter((n) => n !== to).join(' '),
    later: [to, ...list(row?.later ?? '', '\n')].slice(0, CONTACTS).join('\n'),
    hops: hopsLeft(ctx.request),
    by,
    ...remade(
      cx,
      ctx.request,
      by,
      `Diversion: <sip:${by}@${cx.settings.here}>;reason=deflection;counter=1\r\n`,
    ),
  };
  if (row !== undefined) cx.store.patch(REDIRECT, row, values);
  else {
    const { user: caller, localUri } = leg;
    const { offerless } = ctx;
    cx.store.insert(REDIRECT, { ...values, call: call.id, caller, localUri, offerless });
  }
  const his = cx.store
    .all(LEG, 'call', call.id)
    .filter((l) => l.side === 'callee' && l.aor === by && l.state !== 'confirmed');
  if (!tryNext(cx, call)) return false;
  cx.count('callsRedirected');
  cx.turn.causes.set(call.id, 'redirected');
  for (const one of his) {
    const invited = cx.store.get(CTX, one.uac);
    if (invited !== undefined) cancel(cx, invited, inviteLines(one));
    // programs see it ring there no more
    cx.store.patch(LEG, one, { part: 'left', peer: one.id });
  }
  return true;
}

/** Invites the next of those a redirection named. @returns false when nobody is left. */
export function tryNext(cx: Context, call: Call): boolean {
  const row = cx.store.find(REDIRECT, 'call', call.id);
  if (row === undefined || row.hops <= 0) return false;
  while (row.later !== '') {
    const [group = '', ...rest] = row.later.split('\n');
    const tried = list(row.tried, ' ');
    const users = list(group, ' ').filter((u) => !tried.includes(u));
    cx.store.patch(REDIRECT, row, {
      later: rest.join('\n'),
      tried: [...tried, ...users].join(' '),
    });
    let invited = 0;
    for (const user of users) {
      // as if the redirecting extension called: it leads nowhere that it may not dial itself
      const way = route(cx, user, { classOfService: classOf(cx, row.by), trunk: '' });
      if (way.kind === 'distribute' && waitsThere(cx, call, row, user, way)) return true;
      if (way.kind !== 'targets') continue;
      const plain = offerTo(cx, row, user);
      const offer = { ...plain, tail: withDiverted(cx, plain.tail, way.diverted ?? []) };
      noteTried(cx, row, way.diverted ?? []);
      if (answersNailed(cx, call, way.targets, offer)) return true;
      for (const target of way.targets) invite(cx, call, target, offer);
      keepHunt(cx, call, way.targets, way.later, offer);
      invited += way.targets.length;
    }
    if (invited > 0) return true;
  }
  return false;
}

/**
 * Nobody answered in time: an extension that forwards such calls has others called in its place.
 * @returns false when there is none: then the call ends.
 */
export function forwardsSilence(cx: Context, call: Call): boolean {
  if (call.state !== 'trying' && call.state !== 'ringing') return false;
  const legs = cx.store
    .all(LEG, 'call', call.id)
    .filter((l) => l.side === 'callee' && (l.state === 'inviting' || l.state === 'early'));
  const onward = onwardWhenSilent(cx, legs);
  const ctx = onward === undefined ? undefined : cx.store.get(CTX, onward.leg.uac);
  if (onward === undefined || ctx === undefined || ctx.cancel !== 'no') return false;
  cx.store.patch(CALL, call, { noAnswerAt: cx.now + cx.settings.noAnswerMs });
  const { leg, to } = onward;
  const first = line(cx, leg.aor, 'no-answer');
  if (!sendOn(cx, call, ctx, leg, [{ user: to, q: 1 }], first, ctx.request, true)) return false;
  const waits = distributionOf(cx, call.id) !== undefined;
  for (const old of legs) {
    // who answers now all the same is nobody a waiting call knows (distribute/hear.ts)
    if (waits) cx.store.patch(LEG, old, { peer: old.id });
    const out = cx.store.get(CTX, old.uac);
    if (out !== undefined && out.cancel === 'no') cancel(cx, out, inviteLines(old));
  }
  return true;
}

/** Devices that forwarded at once are not tried again. */
function noteTried(cx: Context, row: Redirect, diverted: readonly Diverted[]): void {
  const tried = new Set([...list(row.tried, ' '), ...diverted.map((d) => d.by)]);
  cx.store.patch(REDIRECT, row, { tried: [...tried].join(' ') });
}

/** What an INVITE says of devices that forwarded its call: the last one above those before. */
function withDiverted(cx: Context, tail: string, diverted: readonly Diverted[]): string {
  let text = tail;
  for (const { by, to, reason } of diverted) {
    const { lines, index, body } = remade(cx, text, by, line(cx, by, reason));
    text = `${lines}History-Info: <sip:${to}@${cx.settings.here}>;index=${index}\r\n${body}`;
  }
  return text;
}

/**
 * A call that devices forwarded before anybody was invited: what its INVITEs say of that, and what is
 * remembered of it for the next one who sends it on.
 */
export function divert(
  cx: Context,
  call: Call,
  offer: Offer,
  diverted: readonly Diverted[],
): Offer {
  const last = diverted.at(-1)?.by ?? '';
  cx.count('callsForwarded');
  cx.store.insert(REDIRECT, {
    call: call.id,
    count: diverted.length,
    tried: [call.called, ...diverted.map((d) => d.by)].join(' '),
    hops: offer.hops,
    caller: offer.caller,
    localUri: offer.localUri,
    offerless: offer.offerless,
    by: last,
    forwarded: true,
  });
  return { ...offer, tail: withDiverted(cx, offer.tail, diverted) };
}

/** A caller who is still there waits where a phone sends him. @returns false when he waits already. */
function waitsThere(
  cx: Context,
  call: Call,
  row: Redirect,
  user: string,
  way: Extract<Route, { kind: 'distribute' }>,
): boolean {
  const leg = callerOf(cx, call);
  if (leg?.state !== 'inviting' || distributionOf(cx, call.id) !== undefined) return false;
  const offer = offerTo(cx, row, user);
  endRedirect(cx, call);
  arrive(cx, call, leg, way.number, way.at, { offer, via: row.by });
  return true;
}

/** The call is answered, or over: nobody else is tried. */
export function endRedirect(cx: Context, call: Call): void {
  if (cx.store.count(REDIRECT) === 0) return;
  const row = cx.store.find(REDIRECT, 'call', call.id);
  if (row !== undefined) cx.store.remove(REDIRECT, row);
}

function offerTo(cx: Context, row: Redirect, user: string): Offer {
  const remoteUri = `<sip:${user}@${cx.settings.here}>`;
  const { caller, localUri, hops, offerless, lines, index, body } = row;
  // each way says of the caller what may be said there (identity.ts)
  const identity = /^P-Asserted-Identity: (.*)\r$/im.exec(lines)?.[1] ?? '';
  const anonymous = /^Privacy:.*\b(?:id|user|header)\b/im.test(lines);
  const kept = lines.replace(/^P-Asserted-Identity: .*\r\n/gim, '');
  const tail = `${kept}History-Info: ${remoteUri};index=${index}\r\n${body}`;
  return { caller, localUri, remoteUri, hops, tail, offerless, identity, anonymous };
}

/** Max-Forwards of the INVITE that was redirected, less one: what goes round comes to an end. */
function hopsLeft(sent: string): number {
  const found = /^Max-Forwards: (\d+)\r$/m.exec(sent);
  return Math.max(0, Number(found?.[1] ?? 70) - 1);
}

function line(cx: Context, by: string, reason: string): string {
  return `Diversion: <sip:${by}@${cx.settings.here}>;reason=${reason};counter=1\r\n`;
}

/** RFC 5806 4: who diverted, and why, above those before. The phone may say it better than we. */
function diversion(cx: Context, m: SipMessage, leg: Leg, by: string): string {
  const said = addresses(m, H.Diversion);
  const reason = isFault(said) ? '' : (param(said[0]?.params ?? '', 'reason') ?? '');
  const known = /^[a-z-]{1,32}$/i.test(reason)
    ? reason
    : rang(leg)
      ? 'deflection'
      : 'unconditional';
  return line(cx, by, known);
}

function rang(leg: Leg): boolean {
  return leg.state === 'early';
}

/** What every INVITE says anew, by `invite`. */
const OF_ONE_INVITE =
  /^(?:Max-Forwards|From|To|Call-ID|CSeq|Contact|Supported|Require|Session-Expires|Min-SE):/i;

/**
 * What of the INVITE that was redirected is sent again: all but its dialog and its Contact. The next
 * History-Info is one level below the last (RFC 7044 10.4), mapped from it (`mp`).
 */
function remade(cx: Context, sent: string, by: string, first: string) {
  const end = sent.indexOf('\r\n\r\n');
  let lines = first;
  let last = '';
  for (const line of sent.slice(0, end).split('\r\n')) {
    if (OF_ONE_INVITE.test(line)) continue;
    lines += `${line}\r\n`;
    const index = /^History-Info:.*;\s*index=([\d.]{1,64})/i.exec(line);
    if (index !== null) last = index[1] as string;
  }
  if (last === '') lines += `History-Info: <sip:${by}@${cx.settings.here}>;index=1\r\n`;
  const from = last === '' ? '1' : last;
  return { lines, index: `${from}.1;mp=${from}`, body: sent.slice(end + 2) };
}
