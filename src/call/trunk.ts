/**
 * Trunks as neighbours: are they there (OPTIONS by deadlines), where are they (the name service), how
 * full are they, and is a message from one of them. All of it is rows, so a new primary goes on with
 * the same Call-ID and the next CSeq, and takes nothing in or out of service by itself.
 *
 *   check due ─ OPTIONS to the first address ─┬ answered ─ in service
 *                                             └ unfit, or silent for forceS ─ the next address …
 *                                                  none left ─ out of service
 */

import type { Peer } from '../base/peer.ts';
import { type Context, hereFor, type Resolved } from '../proto/context.ts';
import { request } from '../proto/sip/client.ts';
import { CTX, type Ctx } from '../proto/sip/rows.ts';
import { EMPTY_TAIL, randomWord, TRANSPORT_PARAM } from '../proto/sip/text.ts';
import { type Site, type Trunk, trunkOf } from '../proto/site.ts';
import type { SipMessage } from '../sip-parser/index.ts';
import { addressesOf, addressesText, isAt, literalAddress, serviceKey } from './addresses.ts';
import { LEG, type Leg } from './rows.ts';
import { CONTACT, type Contact, REGOUT } from './trunk-rows.ts';

/** Answers by which a neighbour says that it, not the callee, cannot serve. */
export const UNFIT: ReadonlySet<number> = new Set([408, 500, 502, 503, 504]);

/** An unanswered question to the name service is asked again, and one that failed, after, ms. */
const ASK_AGAIN = 5000;
const FAILED_AGAIN = 30_000;
/** Bounds of what a name service may say of its answer's life, seconds. */
const TTL_S = [5, 86_400] as const;
/** Checks of a site begin so far apart, ms, not all in one turn. */
const SPREAD = 100;

export function contactKey(trunk: Trunk, index: number | 'registrar'): string {
  return `${trunk.name}#${index}`;
}

export function contactRow(cx: Context, key: string): Contact | undefined {
  return cx.store.find(CONTACT, 'key', key);
}

type Wanted = { readonly trunk: string; readonly uri: string; readonly checked: boolean };

/** Every contact that has a row, by key. */
function wanted(site: Site): ReadonlyMap<string, Wanted> {
  const all = new Map<string, Wanted>();
  for (const trunk of site.trunks) {
    const checked = trunk.options.periodS > 0;
    trunk.contacts.forEach((uri, i) => {
      all.set(contactKey(trunk, i), { trunk: trunk.name, uri, checked });
    });
    const registrar = trunk.register?.registrar ?? '';
    if (registrar === '') continue;
    all.set(contactKey(trunk, 'registrar'), { trunk: trunk.name, uri: registrar, checked: false });
  }
  for (const [number, { contact }] of Object.entries(site.extensions)) {
    if (contact !== '') all.set(number, { trunk: '', uri: contact, checked: false });
  }
  for (const { name, contact } of site.centre.services) {
    all.set(serviceKey(name), { trunk: '', uri: contact, checked: false });
  }
  return all;
}

/** On a new primary: a row for each contact configured, and none else; what was lost begins again. */
export function settleContacts(cx: Context): void {
  const { store, now, settings } = cx;
  const all = wanted(settings.site);
  for (const row of [...store.rows(CONTACT)]) {
    const want = all.get(row.key);
    if (want === undefined || want.uri !== row.uri) {
      store.remove(CONTACT, row);
      continue;
    }
    const named = literalAddress(row.uri) === undefined;
    const lost = row.probe !== 0 && store.get(CTX, row.probe) === undefined;
    store.patch(CONTACT, row, {
      ...(named && row.addresses === '' ? { resolveAt: now } : {}),
      ...(lost ? { probe: 0, forceAt: 0, checkAt: now } : {}),
      // checks were switched on or off since
      ...(want.checked && row.probe === 0 && row.checkAt === 0 ? { checkAt: now } : {}),
      ...(want.checked ? {} : { checkAt: 0, forceAt: 0, probe: 0, state: 'up', cause: '' }),
    });
  }
  for (const row of store.rows(CONTACT)) {
    if (row.state === 'down') cx.log('info', `trunk ${row.trunk}, ${row.uri}: still ${row.cause}`);
  }
  let nth = 0;
  for (const [key, { trunk, uri, checked }] of all) {
    if (store.find(CONTACT, 'key', key) !== undefined) continue;
    const literal = literalAddress(uri);
    store.insert(CONTACT, {
      key,
      trunk,
      uri,
      state: 'up',
      since: now,
      addresses: literal === undefined ? '' : addressesText(settings, [literal]),
      resolveAt: literal === undefined ? now : 0,
      checkAt: checked ? now + nth * SPREAD : 0,
      callId: `${randomWord(cx.chance)}@${settings.vip}`,
      tag: randomWord(cx.chance),
    });
    nth += 1;
  }
}

/** A moment of a contact has come. */
export function contactDue(cx: Context, row: Contact): void {
  const { now } = cx;
  if (row.resolveAt !== 0 && row.resolveAt <= now) {
    cx.store.patch(CONTACT, row, { resolveAt: now + ASK_AGAIN });
    cx.resolve(row.uri);
  }
  if (row.forceAt !== 0 && row.forceAt <= now) {
    const ctx = cx.store.get(CTX, row.probe);
    if (ctx !== undefined) cx.store.remove(CTX, ctx);
    failed(cx, row, 'OPTIONS are not answered');
  } else if (row.checkAt !== 0 && row.checkAt <= now) probe(cx, row, 0);
}

function probe(cx: Context, row: Contact, index: number): void {
  const trunk = trunkOf(cx.settings.site, row.trunk);
  if (trunk === undefined) {
    cx.store.patch(CONTACT, row, { checkAt: 0 });
    return;
  }
  const to = addressesOf(row)[index];
  if (to === undefined && row.state === 'up') {
    // not known yet; that there is no answer is for the name service to say
    cx.store.patch(CONTACT, row, { checkAt: cx.now + ASK_AGAIN });
    return;
  }
  if (to === undefined) {
    ended(cx, row, trunk, 'down', 'its name does not resolve');
    return;
  }
  const here = hereFor(cx.settings, to);
  const cseq = row.cseq + 1;
  const ctx = request(cx, {
    method: 'OPTIONS',
    uri: row.uri,
    route: '',
    rest:
      `Max-Forwards: 70\r\nFrom: <sip:${here}>;tag=${row.tag}\r\nTo: <${row.uri}>\r\n` +
      `Call-ID: ${row.callId}\r\nCSeq: ${cseq} OPTIONS\r\n` +
      `Contact: <sip:${here}${TRANSPORT_PARAM[to.transport]}>\r\nAccept: application/sdp\r\n${EMPTY_TAIL}`,
    cseq,
    to,
    leg: 0,
    onward: 0,
    offerless: false,
  });
  const { forceS } = trunk.options;
  cx.store.patch(CONTACT, row, {
    cseq,
    probe: ctx.id,
    probing: index,
    forceAt: forceS === 0 ? 0 : cx.now + forceS * 1000,
    checkAt: 0,
  });
}

/** The contact whose check `ctx` is. */
export function contactOfProbe(cx: Context, ctx: Ctx): Contact | undefined {
  for (const row of cx.store.rows(CONTACT)) if (row.probe === ctx.id) return row;
  return undefined;
}

/** An answer to a check; `status` 408 for none. */
export function probed(cx: Context, row: Contact, status: number): void {
  const trunk = trunkOf(cx.settings.site, row.trunk);
  if (trunk === undefined || status < 200) return;
  if (UNFIT.has(status)) {
    failed(cx, row, status === 408 ? 'OPTIONS are not answered' : `OPTIONS answered ${status}`);
  } else ended(cx, row, trunk, 'up', '');
}

function failed(cx: Context, row: Contact, cause: string): void {
  const trunk = trunkOf(cx.settings.site, row.trunk);
  cx.store.patch(CONTACT, row, { probe: 0, forceAt: 0 });
  if (trunk === undefined) return;
  if (row.probing + 1 < addressesOf(row).length) probe(cx, row, row.probing + 1);
  else ended(cx, row, trunk, 'down', cause);
}

/** A check came to its end. */
function ended(
  cx: Context,
  row: Contact,
  trunk: Trunk,
  state: Contact['state'],
  cause: string,
): void {
  const { periodS, recoveryS } = trunk.options;
  cx.store.patch(CONTACT, row, {
    probe: 0,
    forceAt: 0,
    checkAt: periodS === 0 ? 0 : cx.now + (state === 'up' ? periodS : recoveryS) * 1000,
    at: state === 'up' ? row.probing : 0,
    avoidUntil: state === 'up' ? 0 : row.avoidUntil,
  });
  turn(cx, row, trunk, state, cause);
}

/** Into or out of service: said once, with what it means for the trunk. */
function turn(
  cx: Context,
  row: Contact,
  trunk: Trunk,
  state: Contact['state'],
  cause: string,
): void {
  if (row.state === state) {
    cx.store.patch(CONTACT, row, { cause });
    return;
  }
  const before = inService(cx, trunk);
  cx.store.patch(CONTACT, row, { state, cause, since: cx.now });
  const after = inService(cx, trunk);
  const who = `trunk ${trunk.name}, ${row.uri}`;
  if (state === 'down') {
    cx.count('contactsLost');
    cx.log('alarm', `${after ? 'trunk-contact' : 'trunk-out-of-service'}: ${who}: ${cause}`);
    return;
  }
  // who is back may have forgotten us, or is heard for the first time
  const registration = cx.store.find(REGOUT, 'trunk', trunk.name);
  if (registration !== undefined && registration.asking === 0) {
    cx.store.patch(REGOUT, registration, { nextAt: cx.now });
  }
  cx.log('info', `alarm over: ${before ? 'trunk-contact' : 'trunk-out-of-service'}: ${who}`);
}

/** True when some contact of the trunk serves. */
export function inService(cx: Context, trunk: Trunk): boolean {
  return trunk.contacts.some((_, i) => {
    const row = contactRow(cx, contactKey(trunk, i));
    return row !== undefined && row.state === 'up' && row.addresses !== '';
  });
}

export function isFull(cx: Context, trunk: Trunk): boolean {
  return trunk.capacity > 0 && cx.store.all(LEG, 'trunk', trunk.name).length >= trunk.capacity;
}

/** A call heard nothing from where `leg` went: others first for a while, and a check at once. */
export function suspect(cx: Context, leg: Leg): void {
  const trunk = trunkOf(cx.settings.site, leg.trunk);
  if (trunk === undefined) return;
  for (const [i] of trunk.contacts.entries()) {
    const row = contactRow(cx, contactKey(trunk, i));
    if (row === undefined || !isAt(row, leg.ip)) continue;
    const idle = row.checkAt !== 0 && row.state === 'up';
    cx.store.patch(CONTACT, row, {
      avoidUntil: cx.now + trunk.options.recoveryS * 1000,
      ...(idle ? { checkAt: cx.now } : {}),
    });
  }
}

/** The name service answered. */
export function contactsResolved(cx: Context, answer: Resolved): void {
  const text = addressesText(cx.settings, answer.addresses);
  for (const row of [...cx.store.rows(CONTACT)]) {
    if (row.uri !== answer.uri || row.resolveAt === 0) continue;
    const trunk = trunkOf(cx.settings.site, row.trunk);
    if (text === '') {
      // what was known goes on being used: a name service that is down must not end calls
      cx.store.patch(CONTACT, row, { resolveAt: cx.now + FAILED_AGAIN });
      const why = answer.cause === '' ? 'no address' : answer.cause;
      cx.log('warning', `${row.uri} does not resolve: ${why}`);
      if (row.addresses === '' && trunk !== undefined && !row.key.endsWith('#registrar')) {
        turn(cx, row, trunk, 'down', 'its name does not resolve');
      }
      continue;
    }
    const ttl = Math.min(Math.max(answer.ttlS, TTL_S[0]), TTL_S[1]);
    const moved = row.addresses !== text;
    const wasLost = row.addresses === '' || row.state === 'down';
    cx.store.patch(CONTACT, row, {
      resolveAt: cx.now + ttl * 1000,
      addresses: text,
      at: moved ? 0 : row.at,
    });
    if (!moved || trunk === undefined) continue;
    if (trunk.options.periodS === 0 || row.key.endsWith('#registrar')) {
      if (wasLost) turn(cx, row, trunk, 'up', '');
    } else if (row.probe === 0) cx.store.patch(CONTACT, row, { checkAt: cx.now });
  }
}

/** The trunk a message from `from` comes by, by its source address; undefined for a phone. */
export function trunkAt(cx: Context, from: Peer): Trunk | undefined {
  const { trunks } = cx.settings.site;
  if (trunks.length === 0) return undefined;
  const here = trunks.filter(
    (t) =>
      t.inbound.addresses.includes(from.ip) ||
      (t.inbound.contacts &&
        t.contacts.some((_, i) => {
          const row = contactRow(cx, contactKey(t, i));
          return row !== undefined && isAt(row, from.ip);
        })),
  );
  if (here.length < 2) return here[0];
  // two trunks at one address: the one whose port it is, if any
  const exact = here.find((t) =>
    t.contacts.some((_, i) => {
      const row = contactRow(cx, contactKey(t, i));
      return (
        row !== undefined && addressesOf(row).some((a) => a.ip === from.ip && a.port === from.port)
      );
    }),
  );
  return exact ?? here[0];
}

/** An answer to our OPTIONS. */
export function optionsAnswered(cx: Context, ctx: Ctx, m: SipMessage): void {
  const row = contactOfProbe(cx, ctx);
  if (row !== undefined) probed(cx, row, m.status);
}
