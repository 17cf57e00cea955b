/**
 * Keeps connections (PARTY) equal to the legs, and tells what changed. Run at the end of every turn, in
 * its transaction, over the calls whose legs changed in it: no place that changes a leg can forget to
 * say so, and what was told can always be read off the rows.
 *
 *   legs of a call ─► state of each device ─┬ as last told: nothing
 *                                           └ other: PARTY changes, an event, hooks.ts
 */

import type { Context } from '../../proto/context.ts';
import { targetOf, userOf } from '../../proto/sip/address.ts';
import { unescapeUser } from '../../sip-parser/index.ts';
import { holds } from '../hold.ts';
import { CALL, type Call, LEG, type Leg } from '../rows.ts';
import type { Cause } from './causes.ts';
import { type EventName, emit } from './event.ts';
import { callOver, partyChanged, partyMoved } from './hooks.ts';
import { CCALL, type Ccall, PARTY, type Party } from './rows.ts';

type State = Party['state'];

/** Hooks may change legs of other calls: they are looked at too, so often. */
const ROUNDS = 16;

/** Tells what the turn changed. The last act of every entry (`switch.ts`); `cx` is a watched one. */
export function publish(cx: Context): void {
  if (!cx.settings.csta) return;
  const { turn } = cx;
  for (let round = 0; round < ROUNDS && turn.calls.size + turn.ended.size > 0; round += 1) {
    const calls = [...turn.calls];
    turn.calls.clear();
    for (const id of calls) reconcile(cx, id);
    // the last connections of a call are told before its end
    if (turn.calls.size > 0) continue;
    const ended = [...turn.ended];
    turn.ended.clear();
    for (const id of ended) over(cx, id);
  }
  turn.calls.clear();
  turn.causes.clear();
  turn.via.clear();
  turn.session = 0;
  turn.request = '';
}

function over(cx: Context, id: number): void {
  const ccall = cx.store.get(CCALL, id);
  // another row of `call` may have joined it in the same turn
  if (ccall === undefined || ccall.calls > 0) return;
  const cause = (ccall.cause || 'normalClearing') as Cause;
  emit(cx, { event: 'callCleared', devices: [], ccall: id, cause, body: {} });
  callOver(cx, ccall, cause);
  cx.store.remove(CCALL, ccall);
}

function reconcile(cx: Context, id: number): void {
  const call = cx.store.get(CALL, id);
  const legs = call === undefined ? [] : cx.store.all(LEG, 'call', id);
  const known = [...cx.store.all(PARTY, 'call', id)];
  const cause = cx.turn.causes.get(id) as Cause | undefined;
  if (call !== undefined && call.ccall !== 0) {
    for (const party of known) if (party.ccall !== call.ccall) moveParty(cx, party, call);
  }
  for (const party of known) {
    if (party.leg === 0 || cx.store.get(PARTY, party.id) === undefined) continue;
    const leg = legs.find((l) => l.id === party.leg);
    const state = leg === undefined || call === undefined ? undefined : stateOf(cx, call, leg);
    if (state === party.state) continue;
    if (state === undefined) clear(cx, party, cause ?? 'normalClearing');
    else change(cx, party, state, cause ?? 'normal');
  }
  if (call === undefined || call.ccall === 0) return;
  for (const leg of legs) {
    if (leg.part !== 'device' || cx.store.all(PARTY, 'leg', leg.id).length > 0) continue;
    const state = stateOf(cx, call, leg);
    if (state !== undefined) appear(cx, call, leg, state, cause ?? 'normal');
  }
}

/** The state of the device at the other side of a leg; undefined: it has none (yet, or any more). */
function stateOf(cx: Context, call: Call, leg: Leg): State | undefined {
  switch (leg.state) {
    case 'inviting':
      return leg.side === 'caller' && call.state !== 'ending' ? 'connected' : undefined;
    case 'early':
      // one that was withdrawn does not ring, whatever it says
      return call.state === 'ending' || leg.peer === leg.id ? undefined : 'alerting';
    case 'confirmed':
      if (call.state !== 'talking') return undefined;
      return leg.held || holds(cx, leg) ? 'hold' : 'connected';
    default:
      return undefined;
  }
}

/** The device at the other side of a leg: its extension, or the number outside. */
export function deviceOf(leg: Leg): string {
  if (leg.aor !== '') return leg.aor;
  const user = unescapeUser(userOf(targetOf(uriIn(leg.remoteUri))));
  return user === '' ? 'anonymous' : user.replace(/\s/g, '_');
}

function uriIn(value: string): string {
  const open = value.indexOf('<');
  const close = value.indexOf('>', open);
  return open < 0 || close < 0 ? value : value.slice(open + 1, close);
}

function appear(cx: Context, call: Call, leg: Leg, state: State, cause: Cause): void {
  const side = leg.side === 'caller' ? 'calling' : 'called';
  const device = deviceOf(leg);
  const party = cx.store.insert(PARTY, {
    ccall: call.ccall,
    call: call.id,
    leg: leg.id,
    device,
    state,
    side,
    via: cx.turn.via.get(leg.id) ?? '',
    since: cx.now,
    session: cx.turn.session,
    request: cx.turn.request,
  });
  const event: EventName =
    state === 'alerting' ? 'delivered' : side === 'calling' ? 'originated' : 'established';
  tell(cx, party, event, cause);
  partyChanged(cx, { party, was: undefined, is: state, cause });
}

const EVENT_TO: { readonly [s in State]: EventName } = {
  initiated: 'originated',
  alerting: 'delivered',
  connected: 'established',
  hold: 'held',
  queued: 'queued',
  failed: 'failed',
};

function change(cx: Context, party: Party, state: State, cause: Cause): void {
  const was = party.state;
  cx.store.patch(PARTY, party, { state, since: cx.now });
  const ccall = cx.store.get(CCALL, party.ccall);
  const answers = was === 'alerting' && state === 'connected';
  if (ccall !== undefined && answers && ccall.answeredAt === 0) {
    cx.store.patch(CCALL, ccall, { answeredAt: cx.now });
  }
  tell(cx, party, was === 'hold' && state === 'connected' ? 'retrieved' : EVENT_TO[state], cause);
  partyChanged(cx, { party, was, is: state, cause });
}

/** A connection is over. */
export function clear(
  cx: Context,
  party: Party,
  cause: Cause,
  event: EventName = 'connectionCleared',
): void {
  const ccall = cx.store.get(CCALL, party.ccall);
  const was = party.state;
  tell(cx, party, event, cause);
  if (ccall !== undefined && event === 'connectionCleared') {
    cx.store.patch(CCALL, ccall, { cause });
  }
  cx.store.remove(PARTY, party);
  partyChanged(cx, { party, was, is: undefined, cause });
}

/** The row of `call` it is seen in became part of another call. */
function moveParty(cx: Context, party: Party, call: Call): void {
  const { id: _, ccall: __, ...rest } = party;
  const values = Object.fromEntries(
    Object.keys(PARTY.fields).map((k) => [k, party[k as keyof typeof rest]]),
  );
  cx.store.remove(PARTY, party);
  const moved = cx.store.insert(PARTY, { ...values, ccall: call.ccall });
  partyMoved(cx, cx.store.get(CCALL, party.ccall), moved);
}

/** Says `event` of a connection, to those who watch its device, its call, or another device of it. */
export function tell(cx: Context, party: Party, event: EventName, cause: Cause): void {
  const ccall = cx.store.get(CCALL, party.ccall);
  const all = cx.store.all(PARTY, 'ccall', party.ccall);
  emit(cx, {
    event,
    ccall: party.ccall,
    devices: [...new Set([party.device, ...all.map((p) => p.device)])],
    cause,
    session: party.session,
    request: party.request,
    body: {
      connection: { callId: party.ccall, deviceId: party.device },
      localState: event === 'connectionCleared' || event === 'diverted' ? 'null' : party.state,
      ...(party.via === '' ? {} : { lastRedirection: party.via }),
      ...aboutCall(ccall),
      parties: all.map(partyView),
    },
  });
  if (party.session !== 0) cx.store.patch(PARTY, party, { session: 0, request: '' });
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
