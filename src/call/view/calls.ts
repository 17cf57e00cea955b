/** Calls as an operator sees them: one line each, and everything that is known of one. */

import type { Store } from '../../base/row.ts';
import { CTX, type Ctx, STX, type Stx } from '../../proto/sip/rows.ts';
import { isFault, parseSdp } from '../../sip-parser/index.ts';
import { deviceOf } from '../csta/devices.ts';
import { CCALL, EVENT, PARTY, type Party } from '../csta/rows.ts';
import { DISTRIBUTION } from '../distribute/rows.ts';
import { tagOf } from '../leg.ts';
import { PARK } from '../park/rows.ts';
import { CALL, type Call, LEG, type Leg } from '../rows.ts';
import type {
  CallDetail,
  CallRow,
  EventView,
  LegView,
  PartyView,
  Place,
  TransactionView,
} from './terms.ts';

/** Transactions and events of one call that are shown. */
const MOST_PARTS = 100;

export function callRow(store: Store, call: Call): CallRow {
  const legs = store.all(LEG, 'call', call.id);
  const ccall = call.ccall === 0 ? undefined : store.get(CCALL, call.ccall);
  return {
    id: call.id,
    state: call.state,
    place: placeOf(store, call, legs),
    caller: call.caller,
    called: call.called,
    parties: [...new Set(partiesOf(store, call).map(({ device }) => device))],
    trunks: [...new Set(legs.map(({ trunk }) => trunk))].filter((name) => name !== ''),
    startedAt: call.startedAt,
    answeredAt: call.answeredAt,
    csta: call.ccall,
    global: ccall?.guid ?? '',
  };
}

/** Its devices; of a call that is not shown to programs there are none. */
function partiesOf(store: Store, call: Call): readonly Party[] {
  return call.ccall === 0 ? [] : store.all(PARTY, 'ccall', call.ccall);
}

function placeOf(store: Store, call: Call, legs: readonly Leg[]): Place {
  if (call.state === 'ending') return 'ending';
  if (store.all(DISTRIBUTION, 'call', call.id).length > 0) return 'queued';
  if (call.state === 'trying') return 'setting-up';
  if (call.state === 'ringing') return 'ringing';
  for (const park of store.count(PARK) === 0 ? [] : store.rows(PARK)) {
    if (legs.some(({ id }) => id === park.leg)) return 'parked';
  }
  const held =
    call.ccall === 0
      ? legs.some(({ held: is, sdp }) => is || /\r\na=(sendonly|inactive)/.test(sdp))
      : store.all(PARTY, 'call', call.id).some(({ state }) => state === 'hold');
  return held ? 'held' : 'up';
}

/** By its number, its global call id, or a SIP Call-ID of one of its legs. */
export function findCall(store: Store, id: string): Call | undefined {
  if (/^\d{1,15}$/.test(id)) {
    const call = store.get(CALL, Number(id));
    if (call !== undefined) return call;
  }
  const known = id === '' ? undefined : store.all(CALL, 'callId', id)[0];
  if (known !== undefined || id === '') return known;
  for (const ccall of store.rows(CCALL)) {
    if (ccall.guid !== id) continue;
    for (const call of store.rows(CALL)) if (call.ccall === ccall.id) return call;
  }
  for (const leg of store.rows(LEG)) if (leg.callId === id) return store.get(CALL, leg.call);
  return undefined;
}

export function callDetail(store: Store, call: Call): CallDetail {
  const legs = store.all(LEG, 'call', call.id);
  const ccall = call.ccall === 0 ? undefined : store.get(CCALL, call.ccall);
  return {
    ...callRow(store, call),
    kind: ccall?.kind ?? '',
    noAnswerAt: call.noAnswerAt,
    refusal: call.refusal,
    data: ccall?.data ?? '',
    business: ccall?.business ?? false,
    connections: partiesOf(store, call).map(partyView),
    legs: legs.map(legView),
    transactions: transactionsOf(store, new Set(legs.map(({ id }) => id))),
    events: call.ccall === 0 ? [] : eventsOf(store, call.ccall),
    cdr: ccall === undefined || ccall.log === '' ? '' : `[${ccall.log}]`,
  };
}

function partyView(p: Party): PartyView {
  const { device, state, side, via, since, startedAt, answeredAt } = p;
  return { device, state, side, via, since, startedAt, answeredAt };
}

function legView(leg: Leg): LegView {
  return {
    id: leg.id,
    side: leg.side,
    state: leg.state,
    part: leg.part,
    device: deviceOf(leg),
    trunk: leg.trunk,
    callId: leg.callId,
    localTag: tagOf(leg),
    remoteTag: leg.remoteTag,
    remoteUri: leg.remoteUri,
    contact: leg.remoteTarget,
    transport: leg.transport,
    ip: leg.ip,
    port: leg.port,
    nat: leg.nat,
    media: mediaOf(leg.sdp),
    offer: leg.offer,
    held: leg.held,
    muted: leg.muted,
    sessionS: leg.sessionS,
    refresher: leg.refresher,
    refreshAt: leg.refreshAt,
    expiresAt: leg.expiresAt,
  };
}

/** `audio sendrecv 192.0.2.20:4000 PCMU PCMA`: a line a stream; [] where nothing is described. */
function mediaOf(said: string): readonly string[] {
  const start = said.indexOf('v=0');
  const sdp = start < 0 ? undefined : parseSdp(said.slice(start));
  if (sdp === undefined || isFault(sdp)) return [];
  return sdp.media.map((m) => {
    const names = new Map<string, string>();
    for (const attribute of m.attributes) {
      // RFC 8866 6.6: rtpmap:<payload type> <encoding name>/<clock rate>
      if (!attribute.startsWith('rtpmap:')) continue;
      const [type = '', encoding = ''] = attribute.slice('rtpmap:'.length).split(' ');
      names.set(type, encoding.split('/')[0] ?? '');
    }
    const codecs = m.formats.map((f) => names.get(f) ?? STATIC_TYPES[f] ?? f);
    const at = m.port === 0 ? 'off' : `${(m.connection ?? sdp.connection)?.addr ?? ''}:${m.port}`;
    return `${m.type} ${m.direction} ${at} ${codecs.join(' ')}`;
  });
}

/** RFC 3551 6: payload types that need no rtpmap. */
const STATIC_TYPES: { readonly [type: string]: string } = {
  0: 'PCMU',
  3: 'GSM',
  4: 'G723',
  8: 'PCMA',
  9: 'G722',
  13: 'CN',
  18: 'G729',
};

function transactionsOf(store: Store, legs: ReadonlySet<number>): readonly TransactionView[] {
  const found: TransactionView[] = [];
  for (const stx of store.rows(STX)) {
    if (found.length < MOST_PARTS && legs.has(stx.leg)) found.push(transactionView(stx));
  }
  for (const ctx of store.rows(CTX)) {
    if (found.length < MOST_PARTS && legs.has(ctx.leg)) found.push(transactionView(ctx));
  }
  return found;
}

function transactionView(t: Stx | Ctx): TransactionView {
  const moments = [t.resendAt, t.giveUpAt, t.endAt].filter((at) => at !== 0);
  return {
    kind: 'key' in t ? 'server' : 'client',
    leg: t.leg,
    method: t.method,
    state: t.state,
    cseq: t.cseq,
    status: 'status' in t ? t.status : 0,
    transport: t.transport,
    ip: t.ip,
    port: t.port,
    nextAt: moments.length === 0 ? 0 : Math.min(...moments),
  };
}

/** The last ones. */
function eventsOf(store: Store, ccall: number): readonly EventView[] {
  const found: EventView[] = [];
  for (const e of store.rows(EVENT)) {
    if (e.ccall !== ccall) continue;
    found.push({ id: e.id, at: e.at, event: e.event, devices: e.devices.trim() });
    if (found.length > MOST_PARTS) found.shift();
  }
  return found;
}
