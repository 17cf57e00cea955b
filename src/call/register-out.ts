/**
 * Register-out: a trunk that wants to be registered with (RFC 3261 10.2), as a phone registers with
 * us. One row a trunk keeps Call-ID, CSeq, the registrar's challenge and when all of it ends; a new
 * primary refreshes when it is time and not sooner.
 */

import { below } from '../base/chance.ts';
import type { Peer } from '../base/peer.ts';
import { type Address, type Context, hereFor, type SipSettings } from '../proto/context.ts';
import { request } from '../proto/sip/client.ts';
import { bestChallenge, credentials, parseChallenge, roundIn } from '../proto/sip/credentials.ts';
import { CTX, type Ctx } from '../proto/sip/rows.ts';
import { EMPTY_TAIL, randomWord, TRANSPORT_PARAM } from '../proto/sip/text.ts';
import { type Trunk, trunkOf } from '../proto/site.ts';
import {
  escapeUser,
  H,
  isFault,
  param,
  parseNameAddr,
  parseUri,
  type SipMessage,
  uriEquals,
} from '../sip-parser/index.ts';
import { inOrder, isAt } from './addresses.ts';
import { contactKey, contactRow, inService } from './trunk.ts';
import { type Contact, REGOUT, type Regout } from './trunk-rows.ts';

/** After a failure it is tried again so much later, ms, doubled each time up to the second. */
const RETRY = [5000, 300_000] as const;
/** Attempts to answer challenges for one REGISTER: the second for a stale nonce. */
const ROUNDS = 2;
const LONGEST_S = 86_400;
/** Registered with a backup though the contact itself serves: with that one again so much later, ms. */
const HOME_AGAIN = 30_000;

/** On a new primary: a row for each trunk that registers, and none else. */
export function settleRegistrations(cx: Context): void {
  const { store, now } = cx;
  for (const row of [...store.rows(REGOUT)]) {
    if (trunkOf(cx.settings.site, row.trunk)?.register === undefined) store.remove(REGOUT, row);
    else if (row.asking !== 0 && store.get(CTX, row.asking) === undefined) {
      store.patch(REGOUT, row, { asking: 0, nextAt: now });
    }
  }
  for (const trunk of cx.settings.site.trunks) {
    if (trunk.register === undefined) continue;
    if (store.find(REGOUT, 'trunk', trunk.name) !== undefined) continue;
    store.insert(REGOUT, {
      trunk: trunk.name,
      state: 'asking',
      since: now,
      callId: `${randomWord(cx.chance)}${randomWord(cx.chance)}@${cx.settings.vip}`,
      tag: randomWord(cx.chance),
      // a name that is still being asked for is told by "resolved"
      nextAt: hasAddress(cx, trunk) ? now : now + RETRY[0],
      askS: trunk.register.expiresS,
    });
  }
}

function hasAddress(cx: Context, trunk: Trunk): boolean {
  return (registrarRows(cx, trunk)[0]?.addresses ?? '') !== '';
}

/** Where one may register: the registrar, else the contacts, those in service first. */
function registrarRows(cx: Context, trunk: Trunk): readonly Contact[] {
  const own = contactRow(cx, contactKey(trunk, 'registrar'));
  if (own !== undefined) return [own];
  const all = trunk.contacts.flatMap((_, i) => contactRow(cx, contactKey(trunk, i)) ?? []);
  return all.sort((a, b) => Number(a.state === 'down') - Number(b.state === 'down'));
}

/** A name was resolved: who waited for it registers now. */
export function registrarsFound(cx: Context): void {
  for (const row of cx.store.rows(REGOUT)) {
    const trunk = trunkOf(cx.settings.site, row.trunk);
    const waits = row.asking === 0 && row.state !== 'registered' && row.cseq === 0;
    if (waits && trunk !== undefined && hasAddress(cx, trunk)) {
      cx.store.patch(REGOUT, row, { nextAt: cx.now, fails: 0 });
    }
  }
}

/** It is time to register, refresh or try again. */
export function registrationDue(cx: Context, row: Regout): void {
  const trunk = trunkOf(cx.settings.site, row.trunk);
  if (trunk?.register === undefined) {
    cx.store.patch(REGOUT, row, { nextAt: 0 });
    return;
  }
  const known = parseChallenge(row.challenge);
  const count = row.nonceCount + 1;
  let line = '';
  // without qop a kept nonce cannot be told from a replay
  if (known?.qop === true) {
    const method = { method: 'REGISTER', uri: registrarUri(trunk), proxy: row.proxy };
    line = credentials(cx.chance, known, trunk.register, method, count, 0);
    cx.store.patch(REGOUT, row, { nonceCount: count });
  }
  send(cx, row, trunk, line);
}

/** The registrar's addresses, best first; when it failed before, another one first. */
function registrarAt(cx: Context, row: Regout, trunk: Trunk): Address | undefined {
  const all = registrarRows(cx, trunk).flatMap((r) => inOrder(cx.chance, r));
  return all[row.fails % Math.max(1, all.length)];
}

/** RFC 3261 10.2: "The 'userinfo' and '@' components of the SIP URI MUST NOT be present". */
function registrarUri(trunk: Trunk): string {
  if (trunk.domain !== '') return `sip:${trunk.domain}`;
  const uri = parseUri(trunk.register?.registrar || (trunk.contacts[0] as string));
  if (isFault(uri)) return trunk.contacts[0] as string;
  return `sip:${uri.host}${uri.port === 0 ? '' : `:${uri.port}`}`;
}

function aorOf(trunk: Trunk): string {
  const { aor, user } = trunk.register as NonNullable<Trunk['register']>;
  if (aor !== '') return aor;
  return `sip:${escapeUser(user)}@${registrarUri(trunk).slice(4)}`;
}

function contactUri(cx: Context, trunk: Trunk, to: Peer): string {
  const { user } = trunk.register as NonNullable<Trunk['register']>;
  return `sip:${escapeUser(user)}@${hereFor(cx.settings, to)}${TRANSPORT_PARAM[to.transport]}`;
}

/** @param at who challenged the last attempt; undefined: whoever is to be asked now. */
function send(
  cx: Context,
  row: Regout,
  trunk: Trunk,
  line: string,
  at: Peer | undefined = undefined,
): void {
  const to = at ?? registrarAt(cx, row, trunk);
  if (to === undefined) {
    failed(cx, row, 'the registrar has no address');
    return;
  }
  const ctx = ask(cx, row, trunk, { to, line, expiresS: row.askS });
  cx.store.patch(REGOUT, row, { cseq: row.cseq + 1, asking: ctx.id, nextAt: 0 });
}

type Asked = { readonly to: Peer; readonly line: string; readonly expiresS: number };

/** The next REGISTER of this registration. */
function ask(cx: Context, row: Regout, trunk: Trunk, { to, line, expiresS }: Asked): Ctx {
  const cseq = row.cseq + 1;
  const aor = aorOf(trunk);
  return request(cx, {
    method: 'REGISTER',
    uri: registrarUri(trunk),
    route: '',
    rest:
      `Max-Forwards: 70\r\nFrom: <${aor}>;tag=${row.tag}\r\nTo: <${aor}>\r\n` +
      `Call-ID: ${row.callId}\r\nCSeq: ${cseq} REGISTER\r\n${line}` +
      `Contact: <${contactUri(cx, trunk, to)}>\r\nExpires: ${expiresS}\r\n` +
      `User-Agent: ${cx.settings.product}\r\n${EMPTY_TAIL}`,
    cseq,
    to,
    leg: 0,
    onward: 0,
    offerless: false,
  });
}

/**
 * Of a trunk that is no more, or registers as somebody else or elsewhere: its registrar is told (RFC 3261 10.2.2), so that it
 * sends nobody here until the registration ends by itself. Said once: who challenges it anew has a registration that ends so.
 * Asked while the rows of its addresses are still there.
 */
export function leaveRegistrars(cx: Context, before: SipSettings): void {
  for (const row of cx.store.rows(REGOUT)) {
    const was = trunkOf(before.site, row.trunk);
    if (was?.register === undefined || row.expiresAt <= cx.now || isSame(cx, was)) continue;
    const to = registrarAt(cx, row, was);
    if (to === undefined) continue;
    const known = parseChallenge(row.challenge);
    const method = { method: 'REGISTER', uri: registrarUri(was), proxy: row.proxy };
    const line =
      known === undefined
        ? ''
        : credentials(cx.chance, known, was.register, method, row.nonceCount + 1, 0);
    ask(cx, row, was, { to, line, expiresS: 0 });
    cx.log('info', `trunk ${row.trunk}: the registration of ${aorOf(was)} is ended`);
  }
}

/** A registration that goes on, of this or another trunk, overwrites the old one, which must not be taken back after it. */
function isSame(cx: Context, was: Trunk): boolean {
  return cx.settings.site.trunks.some(
    (is) =>
      is.register !== undefined &&
      aorOf(is) === aorOf(was) &&
      registrarUri(is) === registrarUri(was),
  );
}

/** The registration whose REGISTER `ctx` is. */
export function registrationOf(cx: Context, ctx: Ctx): Regout | undefined {
  for (const row of cx.store.rows(REGOUT)) if (row.asking === ctx.id) return row;
  return undefined;
}

/** An answer to our REGISTER; `sent` is what it answers. */
export function registerAnswered(cx: Context, ctx: Ctx, m: SipMessage, sent: string): void {
  const row = registrationOf(cx, ctx);
  const trunk = row === undefined ? undefined : trunkOf(cx.settings.site, row.trunk);
  if (row === undefined || trunk?.register === undefined || m.status < 200) return;
  if (m.status < 300) {
    registered(cx, row, m, ctx);
  } else if (m.status === 401 || m.status === 407) challenged(cx, row, trunk, m, sent, ctx);
  else if (m.status === 423 && row.askS < LONGEST_S) {
    // RFC 3261 10.2.8: with an expiry that is not shorter than Min-Expires
    const least = Number.parseInt(m.header(H.MinExpires) ?? '', 10);
    const askS = least > row.askS && least <= LONGEST_S ? least : LONGEST_S;
    cx.store.patch(REGOUT, row, { askS, asking: 0, nextAt: cx.now });
  } else failed(cx, row, `${m.status} ${m.reason}`);
}

/** Nothing was heard of it. */
export function registerUnanswered(cx: Context, ctx: Ctx): void {
  const row = registrationOf(cx, ctx);
  if (row !== undefined) failed(cx, row, 'the registrar does not answer');
}

/** RFC 3261 10.2.4: the registrar may shorten what was asked for, and says so with our Contact. */
function granted(m: SipMessage, uri: string, askS: number): number {
  for (const value of m.values(H.Contact)) {
    const contact = parseNameAddr(value);
    if (isFault(contact) || !uriEquals(contact.uri, uri)) continue;
    const text = param(contact.params, 'expires') ?? '';
    if (/^\d{1,9}$/.test(text)) return Number.parseInt(text, 10);
  }
  return m.expires >= 0 ? m.expires : askS;
}

function registered(cx: Context, row: Regout, m: SipMessage, ctx: Ctx): void {
  const trunk = trunkOf(cx.settings.site, row.trunk) as Trunk;
  const lasts = Math.max(1, granted(m, contactUri(cx, trunk, ctx), row.askS));
  const news = row.state !== 'registered';
  const [first] = registrarRows(cx, trunk);
  const elsewhere = first !== undefined && first.state === 'up' && !isAt(first, ctx.ip);
  // time enough for a transaction that times out and one more
  const usual = lasts * 1000 - Math.max(Math.min(lasts * 500, 70_000), lasts * 100);
  const wasFailed = row.state === 'failed';
  cx.store.patch(REGOUT, row, {
    state: 'registered',
    since: news ? cx.now : row.since,
    cause: '',
    asking: 0,
    fails: 0,
    expiresAt: cx.now + lasts * 1000,
    nextAt: cx.now + Math.ceil(elsewhere ? Math.min(usual, HOME_AGAIN) : usual),
  });
  if (wasFailed) cx.log('info', `alarm over: trunk-not-registered: trunk ${row.trunk}`);
  else if (news) cx.log('info', `trunk ${row.trunk}: registered for ${lasts} s`);
}

function challenged(
  cx: Context,
  row: Regout,
  trunk: Trunk,
  m: SipMessage,
  sent: string,
  by: Peer,
): void {
  const best = bestChallenge(m);
  const tried = roundIn(sent);
  // what was kept from last time (round 0) may always be followed by a fresh challenge
  const fresh = best !== undefined && best.challenge.nonce !== parseChallenge(row.challenge)?.nonce;
  if (
    best === undefined ||
    tried >= ROUNDS ||
    (tried > 0 && !best.challenge.stale) ||
    (!fresh && row.nonceCount > 0)
  ) {
    cx.store.patch(REGOUT, row, { challenge: '', nonceCount: 0 });
    failed(
      cx,
      row,
      best === undefined
        ? `${m.status} without a challenge we know`
        : 'the registrar does not accept user and password',
    );
    return;
  }
  const proxy = m.status === 407;
  cx.store.patch(REGOUT, row, { challenge: best.text, nonceCount: 1, proxy });
  const method = { method: 'REGISTER', uri: registrarUri(trunk), proxy };
  const own = trunk.register as NonNullable<Trunk['register']>;
  const line = credentials(cx.chance, best.challenge, own, method, 1, tried + 1);
  // its nonce is good with who gave it: another address may be another registrar
  send(cx, row, trunk, line, { transport: by.transport, ip: by.ip, port: by.port });
}

function failed(cx: Context, row: Regout, cause: string): void {
  const wait = Math.min(RETRY[0] * 2 ** Math.min(row.fails, 16), RETRY[1]);
  const still = row.expiresAt > cx.now;
  const trunk = trunkOf(cx.settings.site, row.trunk);
  cx.store.patch(REGOUT, row, {
    asking: 0,
    fails: row.fails + 1,
    nextAt: cx.now + Math.ceil(wait / 2) + below(cx.chance, Math.ceil(wait / 2)),
  });
  // the registrar still has us: the next attempt may be in time
  if (still && row.state === 'registered') return;
  if (row.state !== 'failed' || row.cause !== cause) {
    cx.store.patch(REGOUT, row, { state: 'failed', cause, since: cx.now });
    const less = trunk !== undefined && inService(cx, trunk) ? '' : ', out of service';
    cx.log('alarm', `trunk-not-registered: trunk ${row.trunk}${less}: ${cause}`);
  }
}
