/**
 * Keeps connections (PARTY) equal to the legs, and tells what changed. Run at the end of every turn, in
 * its transaction, over the calls whose legs changed in it: no place that changes a leg can forget to
 * say so, and what was told can always be read off the rows.
 *
 *   legs of a call ─► state of each device ─┬ as last told: nothing
 *                                           └ other: PARTY changes, an event, hooks.ts
 *
 * Several phones of one extension are one device, and so are the ways by which one number outside is
 * tried in turn: its connection lasts while one of its legs does (`devices.ts`).
 *
 * Order within a turn: what changed, who came, who left (the one who hung up first, a caller last), and
 * the end of the call.
 */

import type { Context } from '../../proto/context.ts';
import { tellService } from '../device/service.ts';
import { CALL, type Call, LEG, type Leg } from '../rows.ts';
import type { Cause } from './causes.ts';
import { noteDevice, writeCdr } from './cdr.ts';
import { calls, deviceIn, type Seen, seenAs, sentBy, stateOf } from './devices.ts';
import { type EventName, emit } from './event.ts';
import { callOver, partyChanged, partyMoved } from './hooks.ts';
import { CCALL, type Ccall, MONITOR, PARTY, type Party } from './rows.ts';

export { deviceOf } from './devices.ts';

type State = Party['state'];

/** Hooks may change legs of other calls: they are looked at too, so often. */
const ROUNDS = 16;

/** Tells what the turn changed. The last act of every entry (`switch.ts`); `cx` is a watched one. */
export function publish(cx: Context): void {
  if (!cx.settings.csta) return;
  const { turn } = cx;
  if (turn.devices.size > 0) tellService(cx);
  if (turn.calls.size + turn.ended.size > 0) {
    for (let round = 0; round < ROUNDS && turn.calls.size + turn.ended.size > 0; round += 1) {
      for (let n = turn.calls.size; n > 0; n -= 1) reconcile(cx, turn.calls.shift() ?? 0);
      // the last connections of a call are told before its end
      if (turn.calls.size > 0) continue;
      for (let n = turn.ended.size; n > 0; n -= 1) over(cx, turn.ended.shift() ?? 0);
    }
    // what is left is looked at in the next turn
    if (turn.calls.size > 0) cx.log('warning', 'csta: what follows from a call goes round');
  }
  turn.causes.clear();
  turn.via.clear();
  turn.failed.clear();
  turn.ender.clear();
  // said of a call of which nothing else changed, too
  if (turn.ends.size > 0) keepEnds(cx);
  if (turn.logs.size > 0) keepLogs(cx);
  turn.session = 0;
  turn.request = '';
}

/** What CDRs will tell of calls that go on. */
function keepLogs(cx: Context): void {
  for (let i = 0; i < cx.turn.logs.size; i += 1) {
    const id = cx.turn.logs.key(i);
    const said = cx.turn.logs.get(id) ?? '';
    const ccall = cx.store.get(CCALL, id);
    if (ccall === undefined) continue;
    cx.store.patch(CCALL, ccall, { log: ccall.log === '' ? said : `${ccall.log},${said}` });
  }
  cx.turn.logs.clear();
}

function keepEnds(cx: Context): void {
  for (let i = 0; i < cx.turn.ends.size; i += 1) {
    const id = cx.turn.ends.key(i);
    const cause = cx.turn.ends.get(id) ?? '';
    const ccall = cx.store.get(CCALL, id);
    if (ccall !== undefined) cx.store.patch(CCALL, ccall, { cause });
  }
  cx.turn.ends.clear();
}

function over(cx: Context, id: number): void {
  const ccall = cx.store.get(CCALL, id);
  // another row of `call` may have joined it in the same turn
  if (ccall === undefined || ccall.calls > 0) return;
  const cause = (cx.turn.ends.get(id) ?? (ccall.cause || 'normalClearing')) as Cause;
  for (const party of [...cx.store.all(PARTY, 'ccall', id)]) clear(cx, party, cause);
  emit(cx, { event: 'callCleared', devices: [], ccall: id, cause, body: aboutCall(ccall) });
  callOver(cx, ccall, cause);
  writeCdr(cx, ccall, cause);
  cx.store.remove(CCALL, ccall);
  cx.turn.logs.delete(id);
  cx.turn.ends.delete(id);
}

const NO_LEGS: readonly Leg[] = [];

function reconcile(cx: Context, id: number): void {
  const { store, turn } = cx;
  const call = store.get(CALL, id);
  const known = store.all(PARTY, 'call', id);
  const cause = turn.causes.get(id) as Cause | undefined;
  // one that ends has no devices any more: what its legs still do is between us and the phones
  const shown = call !== undefined && call.ccall !== 0 && call.state !== 'ending';
  const legs = shown ? store.all(LEG, 'call', id) : NO_LEGS;
  let gone: Party[] | undefined;
  if (known.length > 0) {
    const parties = [...known];
    for (let party of parties) {
      if (party.leg === 0) {
        if (call === undefined) gone = add(gone, party);
        else if (party.ccall !== call.ccall) remade(cx, party, { ccall: call.ccall });
        continue;
      }
      if (shown && party.ccall !== call.ccall) party = remade(cx, party, { ccall: call.ccall });
      const seen = shown ? seenAs(cx, call, legs, party) : undefined;
      if (seen === undefined) gone = add(gone, party);
      else follow(cx, party, seen, cause);
    }
  }
  if (shown) {
    for (const leg of legs) {
      if (leg.part === 'media') continue;
      const state = stateOf(cx, call, leg);
      if (state !== undefined && !isKnown(cx, call, leg)) appear(cx, call, leg, state, cause);
    }
  }
  const wanted = turn.failed.get(id);
  if (wanted !== undefined) failed(cx, id, wanted, gone, cause ?? 'destNotObtainable');
  if (gone !== undefined) leave(cx, id, call, gone, cause);
}

function add(list: Party[] | undefined, party: Party): Party[] {
  if (list === undefined) return [party];
  list.push(party);
  return list;
}

/** Has the device of `leg` a connection in this call already? */
function isKnown(cx: Context, call: Call, leg: Leg): boolean {
  const parties = cx.store.all(PARTY, 'call', call.id);
  for (const party of parties) if (party.leg === leg.id) return true;
  if (parties.length === 0 || leg.side === 'caller') return false;
  const device = deviceIn(cx, call, leg);
  return parties.some((p) => p.device === device && p.side === 'called' && p.leg !== 0);
}

/** A connection as its device is seen now. */
function follow(cx: Context, party: Party, seen: Seen, cause: Cause | undefined): void {
  const now = seen.leg.id === party.leg ? party : remade(cx, party, { leg: seen.leg.id });
  if (seen.state !== now.state) change(cx, now, seen.state, cause ?? 'normal');
}

/** Connections that are over, in the order in which they are told. */
function leave(
  cx: Context,
  id: number,
  call: Call | undefined,
  gone: readonly Party[],
  cause: Cause | undefined,
): void {
  const ender = cx.turn.ender.get(id) ?? 0;
  const answered = call?.state === 'talking';
  for (let rank = 0; rank < 3; rank += 1) {
    for (const party of gone) {
      // the end of one may have taken another with it (a call that waits and its caller)
      if (cx.store.get(PARTY, party.id) !== party) continue;
      const own = party.leg !== 0 && party.leg === ender ? 0 : party.side === 'calling' ? 2 : 1;
      // the end of one may have taken another with it (a call that waits and its caller)
      if (own === rank && cx.store.get(PARTY, party.id) === party) part(cx, party, cause, answered);
    }
  }
}

/** @param answered its call goes on: somebody else has answered it. */
function part(cx: Context, party: Party, cause: Cause | undefined, answered: boolean): void {
  if (party.state !== 'alerting') {
    const calling = party.side === 'calling';
    const left = cause === 'callCancelled' && calling ? 'abandoned' : cause;
    // the transfer he waited for has taken his call
    clear(cx, party, left === 'normal' ? 'transfer' : (left ?? 'normalClearing'));
  } else if (cause === 'callPickup' || cause === 'redirected') {
    clear(cx, party, cause, 'diverted');
  } else clear(cx, party, answered ? 'multipleAlerting' : (cause ?? 'normalClearing'));
}

/** Nobody answered, and why: told of who was alerted, or else of whom the caller wanted. */
function failed(
  cx: Context,
  id: number,
  wanted: { readonly ccall: number; readonly called: string },
  gone: readonly Party[] | undefined,
  cause: Cause,
): void {
  const alerted = gone?.filter((p) => p.state === 'alerting') ?? [];
  for (const party of alerted) {
    cx.store.patch(PARTY, party, { state: 'failed', since: cx.now });
    tell(cx, party, 'failed', cause);
  }
  const ccall = alerted.length > 0 ? undefined : cx.store.get(CCALL, wanted.ccall);
  if (ccall === undefined) return;
  const party = cx.store.insert(PARTY, {
    ccall: ccall.id,
    call: id,
    device: wanted.called === '' ? 'anonymous' : wanted.called.replace(/\s/g, '_'),
    state: 'failed',
    side: 'called',
    since: cx.now,
    startedAt: ccall.startedAt,
  });
  tell(cx, party, 'failed', cause);
  clear(cx, party, cause);
}

function appear(cx: Context, call: Call, leg: Leg, state: State, cause: Cause | undefined): void {
  const sent = sentBy(cx, call, leg);
  // a caller is seen from his INVITE on, unless he takes somebody's place
  const joins = sent !== undefined || (leg.side === 'caller' && leg.state === 'confirmed');
  const own = calls(cx, call, leg, state);
  const side = !own ? 'called' : joins ? 'joined' : 'calling';
  const party = cx.store.insert(PARTY, {
    ccall: call.ccall,
    call: call.id,
    leg: leg.id,
    device: deviceIn(cx, call, leg),
    state,
    side,
    via: cx.turn.via.get(leg.id) ?? sent?.via ?? '',
    since: cx.now,
    session: cx.turn.session,
    request: cx.turn.request,
    startedAt: side === 'calling' ? call.startedAt : cx.now,
    answeredAt: state === 'alerting' || side === 'calling' ? 0 : cx.now,
  });
  if (side !== 'calling' && state !== 'alerting') answered(cx, call.ccall);
  const why = (state === 'alerting' ? undefined : cause) ?? sent?.cause ?? cause ?? 'normal';
  const first: EventName = side === 'calling' ? 'originated' : 'established';
  const event = state === 'connected' ? first : EVENT_TO[state];
  tell(cx, party, event, why);
  partyChanged(cx, { party, was: undefined, is: state, cause: why });
}

/** Somebody is talked with for the first time. */
function answered(cx: Context, id: number): void {
  const ccall = cx.store.get(CCALL, id);
  if (ccall !== undefined && ccall.answeredAt === 0) {
    cx.store.patch(CCALL, ccall, { answeredAt: cx.now });
  }
}

const EVENT_TO: { readonly [s in State]: EventName } = {
  initiated: 'serviceInitiated',
  alerting: 'delivered',
  connected: 'established',
  hold: 'held',
  queued: 'queued',
  failed: 'failed',
};

function eventOf(was: State, state: State): EventName {
  if (state !== 'connected') return EVENT_TO[state];
  return was === 'hold' ? 'retrieved' : was === 'initiated' ? 'originated' : 'established';
}

function change(cx: Context, party: Party, state: State, cause: Cause): void {
  const was = party.state;
  if (was === 'alerting' && party.answeredAt === 0) {
    cx.store.patch(PARTY, party, { state, since: cx.now, answeredAt: cx.now });
    answered(cx, party.ccall);
  } else cx.store.patch(PARTY, party, { state, since: cx.now });
  tell(cx, party, eventOf(was, state), cause);
  partyChanged(cx, { party, was, is: state, cause });
}

/** A connection is over. */
export function clear(
  cx: Context,
  party: Party,
  cause: Cause,
  event: EventName = 'connectionCleared',
): void {
  const was = party.state;
  tell(cx, party, event, cause);
  if (event === 'connectionCleared') cx.turn.ends.set(party.ccall, cause);
  forget(cx, party, was, cause);
}

/** The same without a word of its own: another event said so. */
export function forget(cx: Context, party: Party, was: State, cause: Cause): void {
  noteDevice(cx, party, cause);
  cx.store.remove(PARTY, party);
  partyChanged(cx, { party, was, is: undefined, cause });
}

/**
 * Connections go with the rows of `call` that became part of another call, at once: what is told next in
 * the same turn lists them all.
 */
export function moveParties(cx: Context, from: Ccall, but: readonly Party[] = []): void {
  for (const party of [...cx.store.all(PARTY, 'ccall', from.id)]) {
    if (but.includes(party)) continue;
    const call = cx.store.get(CALL, party.call);
    if (call !== undefined && call.ccall !== from.id) remade(cx, party, { ccall: call.ccall });
  }
}

/**
 * The connection with another call or leg: fields by which rows are found do not change. Another call
 * knows the device from now on.
 */
export function remade(
  cx: Context,
  party: Party,
  values: { readonly ccall?: number; readonly call?: number; readonly leg?: number },
): Party {
  const { device, state, side, via, since, session, request } = party;
  const { ccall = party.ccall, call = party.call, leg = party.leg } = values;
  let { startedAt, answeredAt } = party;
  if (ccall !== party.ccall) {
    noteDevice(cx, party, 'transfer');
    startedAt = cx.now;
    if (answeredAt !== 0) answeredAt = cx.now;
  }
  cx.store.remove(PARTY, party);
  const moved = cx.store.insert(PARTY, {
    ...{ ccall, call, leg, device, state, side, via, since },
    ...{ session, request, startedAt, answeredAt },
  });
  if (ccall !== party.ccall) partyMoved(cx, cx.store.get(CCALL, party.ccall), moved);
  return moved;
}

/** Says `event` of a connection, to those who watch its device, its call, or another device of it. */
export function tell(cx: Context, party: Party, event: EventName, cause: Cause): void {
  const { session, request } = party;
  if (session !== 0) cx.store.patch(PARTY, party, { session: 0, request: '' });
  if (cx.store.count(MONITOR) === 0) return;
  const ccall = cx.store.get(CCALL, party.ccall);
  const all = cx.store.all(PARTY, 'ccall', party.ccall);
  const cleared = event === 'connectionCleared' || event === 'diverted';
  emit(cx, {
    event,
    ccall: party.ccall,
    devices: [...new Set([party.device, ...all.map((p) => p.device)])],
    cause,
    session,
    request,
    body: {
      connection: { callId: party.ccall, deviceId: party.device },
      side: party.side,
      localState: cleared ? 'null' : party.state,
      ...(party.via === '' ? {} : { lastRedirection: party.via }),
      ...aboutCall(ccall),
      // as things stand after it
      parties: (cleared ? all.filter((p) => p !== party) : all).map(partyView),
    },
  });
}

/** A connection as snapshots and events show it. */
export function partyView(p: Party): { deviceId: string; state: State; side: Party['side'] } {
  return { deviceId: p.device, state: p.state, side: p.side };
}

export function aboutCall(ccall: Ccall | undefined): { readonly [name: string]: unknown } {
  if (ccall === undefined) return {};
  const { kind, calling, called, data, primary } = ccall;
  return {
    kind,
    callingDevice: calling,
    calledDevice: called,
    ...(primary === 0 ? {} : { primaryCall: primary }),
    ...(data === '' ? {} : { userData: JSON.parse(data) }),
  };
}
