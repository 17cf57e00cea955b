/**
 * Nailed-up devices: one session of a phone serves call after call, and outlasts each of them, over any
 * switchover.
 */

import test from 'ava';
import type { TableSpec } from '../../src/base/row.ts';
import { setAgentState } from '../../src/call/agent/commands.ts';
import { singleStepConferenceCall } from '../../src/call/conference/commands.ts';
import { clearCall, clearConnection } from '../../src/call/control/clear.ts';
import { holdCall, retrieveCall } from '../../src/call/control/hold.ts';
import { consultationCall, makeCall } from '../../src/call/control/make.ts';
import { singleStepTransferCall, transferCall } from '../../src/call/control/transfer.ts';
import { isRefusal, refuse } from '../../src/call/csta/refusal.ts';
import { PARTY, type Party } from '../../src/call/csta/rows.ts';
import { deviceSnapshot } from '../../src/call/csta/snapshot.ts';
import { nailUp, releaseNailed } from '../../src/call/nail/commands.ts';
import { NAIL } from '../../src/call/nail/rows.ts';
import { parkCall, pickupCall } from '../../src/call/park/park.ts';
import { LEG } from '../../src/call/rows.ts';
import { REOFFER } from '../../src/call/transfer-rows.ts';
import type { Context } from '../../src/proto/context.ts';
import { at, command, live, stage, told } from './conference-lab.ts';
import {
  asks,
  calls,
  hangsUp,
  lifts,
  type Play,
  phone,
  playAll,
  type Step,
} from './conference-plays.ts';

const device = '1002';
/** The phone of 1002 has had this one dialog, and has it. */
const same: Step = {
  wait: 1500,
  do: (cast) => phone(cast, 2).talks.size === 1 && phone(cast, 2).living().length === 1,
};
/** It is parked: no connection, nothing under way, and its session is at rest. */
const parked: Step = {
  wait: 1500,
  do: (cast) => {
    const { store } = cast.lab;
    const [talk] = phone(cast, 2).living();
    return (
      same.do(cast) &&
      [...store.rows(NAIL)][0]?.state === 'parked' &&
      store.all(PARTY, 'device', device).length === 0 &&
      store.count(REOFFER) === 0 &&
      (talk?.heard ?? '').includes('a=inactive')
    );
  },
};
const talks: Step = {
  wait: 1500,
  do: (cast) => {
    const { store } = cast.lab;
    const [talk] = phone(cast, 2).living();
    return (
      same.do(cast) &&
      [...store.rows(NAIL)][0]?.state === 'talking' &&
      store.all(PARTY, 'device', device)[0]?.state === 'connected' &&
      !(talk?.heard ?? '').includes('a=inactive')
    );
  },
};
const NAILED = [asks((cx) => nailUp(cx, { device }), 300), lifts(2), parked] as const;
const CALLED = [...NAILED, calls(1, device), talks] as const;
/** The connection of a device that is in that state. */
const own = (cx: Context, deviceId: string, state: Party['state']) => ({
  callId: cx.store.all(PARTY, 'device', deviceId).find((p) => p.state === state)?.ccall ?? 0,
  deviceId,
});
/** What its phone answers the next re-INVITEs with. */
const answers = (...statuses: number[]): Step => ({
  wait: 0,
  do: (cast) => {
    phone(cast, 2).reinvites = [...statuses];
    return true;
  },
});
const gives = (n: number): Step => ({
  wait: 300,
  do: (cast) => {
    phone(cast, n).hangUp();
    return [...phone(cast, n).talks.values()].every((talk) => talk.state === 'over');
  },
});
const refers = (n: number, to: string): Step => ({
  wait: 300,
  do: (cast) => {
    const one = phone(cast, n);
    const talk = one.living()[0];
    if (talk !== undefined) one.ask(talk, 'REFER', `Refer-To: <sip:${to}@192.0.2.10>\r\n`);
    return talk !== undefined;
  },
});

const PLAYS: Record<string, Play> = {
  'it is nailed up': { steps: NAILED, members: [], living: [2] },
  'its phone refuses': {
    steps: [asks((cx) => nailUp(cx, { device }), 300), lifts(2, 486)],
    members: [],
    living: [],
  },
  'it is called': { steps: CALLED, members: [], living: [1, 2] },
  'its caller hangs up': { steps: [...CALLED, hangsUp(1), parked], members: [], living: [2] },
  'the next call': {
    steps: [...CALLED, hangsUp(1), parked, calls(3, device), talks],
    members: [],
    living: [2, 3],
  },
  'its phone hangs up': { steps: [...CALLED, hangsUp(2)], members: [], living: [] },
  'its phone hangs up between calls': { steps: [...NAILED, hangsUp(2)], members: [], living: [] },
  'its connection is cleared': {
    steps: [...CALLED, asks((cx) => clearConnection(cx, { connection: at(cx, device) })), parked],
    members: [],
    living: [2],
  },
  'its call is cleared': {
    steps: [...CALLED, asks((cx) => clearCall(cx, at(cx, device))), parked],
    members: [],
    living: [2],
  },
  'the connection of its caller is cleared': {
    steps: [...CALLED, asks((cx) => clearConnection(cx, { connection: at(cx, '1001') })), parked],
    members: [],
    living: [2],
  },
  'its phone will not have the call': {
    steps: [...NAILED, answers(488), calls(1, device), parked],
    members: [],
    living: [2],
  },
  'its caller withdraws': {
    steps: [...NAILED, answers(491), calls(1, device), gives(1), parked],
    members: [],
    living: [2],
  },
  'a program lets it call': {
    steps: [
      ...NAILED,
      asks((cx) => makeCall(cx, { callingDevice: device, calledDevice: '1003' })),
      lifts(3),
      talks,
    ],
    members: [],
    living: [2, 3],
  },
  'whom it calls refuses': {
    steps: [
      ...NAILED,
      asks((cx) => makeCall(cx, { callingDevice: device, calledDevice: '1003' })),
      lifts(3, 486),
      parked,
    ],
    members: [],
    living: [2],
  },
  'a program lets somebody call it': {
    steps: [
      ...NAILED,
      asks((cx) => makeCall(cx, { callingDevice: '1001', calledDevice: device })),
      talks,
      hangsUp(1),
      parked,
    ],
    members: [],
    living: [2],
  },
  'a call is transferred to it': {
    steps: [
      ...NAILED,
      calls(1, '1003'),
      lifts(3),
      asks((cx) =>
        singleStepTransferCall(cx, { connection: at(cx, '1003'), transferredTo: device }),
      ),
      talks,
    ],
    members: [],
    living: [1, 2],
  },
  'it is consulted, and given the call': {
    steps: [
      ...NAILED,
      calls(1, '1003'),
      lifts(3),
      asks((cx) => consultationCall(cx, { connection: at(cx, '1003'), calledDevice: device })),
      talks,
      asks((cx) =>
        transferCall(cx, {
          heldConnection: own(cx, '1003', 'hold'),
          activeConnection: own(cx, '1003', 'connected'),
        }),
      ),
      talks,
      hangsUp(1),
      parked,
    ],
    members: [],
    living: [2],
  },
  'it transfers its call': {
    steps: [
      ...CALLED,
      asks((cx) =>
        singleStepTransferCall(cx, { connection: at(cx, device), transferredTo: '1003' }),
      ),
      lifts(3),
      parked,
    ],
    members: [],
    living: [1, 2, 3],
  },
  'its phone transfers its call': {
    steps: [...CALLED, refers(2, '1003'), lifts(3), parked],
    members: [],
    living: [1, 2, 3],
  },
  'it holds its call, and its caller hangs up': {
    steps: [
      ...CALLED,
      asks((cx) => holdCall(cx, { connection: at(cx, device) }), 1500),
      hangsUp(1),
      parked,
    ],
    members: [],
    living: [2],
  },
  'it holds its call, and takes it up': {
    steps: [
      ...CALLED,
      asks((cx) => holdCall(cx, { connection: at(cx, device) }), 1500),
      asks((cx) => retrieveCall(cx, { connection: at(cx, device) }), 1500),
      talks,
      hangsUp(1),
      parked,
    ],
    members: [],
    living: [2],
  },
  'it parks its call': {
    steps: [
      ...CALLED,
      asks((cx) => parkCall(cx, { connection: at(cx, device), parkTo: '700' })),
      parked,
    ],
    members: ['music 1001'],
    living: [1, 2],
  },
  'it picks up a call': {
    steps: [
      ...NAILED,
      calls(1, '1003'),
      lifts(3),
      asks((cx) => parkCall(cx, { connection: at(cx, '1003'), parkTo: '700' })),
      asks((cx) => pickupCall(cx, { device, target: '700' }), 2500),
      talks,
      hangsUp(1),
      parked,
    ],
    members: [],
    living: [2],
  },
  'it leaves a conference': {
    steps: [
      ...CALLED,
      asks((cx) =>
        singleStepConferenceCall(cx, { activeCall: at(cx, device), deviceToJoin: '1003' }),
      ),
      lifts(3),
      { ...talks, wait: 3000 },
      asks((cx) => clearConnection(cx, { connection: at(cx, device) })),
      parked,
    ],
    members: ['talk 1001', 'talk 1003'],
    living: [1, 2, 3],
  },
  'it is let go between calls': {
    steps: [...NAILED, asks((cx) => releaseNailed(cx, { device }))],
    members: [],
    living: [],
  },
  'it is let go before its phone answered': {
    steps: [
      asks((cx) => nailUp(cx, { device }), 300),
      asks((cx) => releaseNailed(cx, { device }), 300),
    ],
    members: [],
    living: [],
  },
  'it is let go in a call': {
    steps: [...CALLED, asks((cx) => releaseNailed(cx, { device })), talks, hangsUp(1)],
    members: [],
    living: [],
  },
};

const EMPTY = [NAIL] as unknown as readonly TableSpec[];

for (const [name, p] of Object.entries(PLAYS)) {
  test(`${name}; the box is replaced at every input`, (t) => playAll(t, p, EMPTY));
}

test('a snapshot says so, and its agent may log off and on', (t) => {
  const cast = stage();
  const { lab } = cast;
  const ask = (f: Parameters<typeof command>[1]) => command(lab, f);
  const shown = () => deviceSnapshot(lab.cx, device)['nailedUp'] ?? false;
  t.false(shown());
  t.deepEqual(
    ask((cx) => nailUp(cx, { device: '9999' })),
    refuse('invalidDeviceId'),
  );
  t.like(
    ask((cx) => releaseNailed(cx, { device })),
    { refused: 'requestIncompatibleWithDevice' },
  );
  for (let i = 0; i < 2; i += 1) ask((cx) => nailUp(cx, { device }));
  live(cast, 300);
  t.false(shown());
  phone(cast, 2).lift();
  live(cast, 300);
  t.true(shown());
  for (const requestedState of ['loggedOn', 'ready', 'loggedOff'] as const) {
    t.false(isRefusal(ask((cx) => setAgentState(cx, { device, agentId: 'ann', requestedState }))));
    live(cast, 100);
  }
  t.true(shown());
  t.deepEqual(
    told(lab).filter((e) => e.startsWith('nailedUp')),
    ['nailedUp'],
  );
  ask((cx) => releaseNailed(cx, { device }));
  live(cast, 300);
  t.false(shown());
  t.is(phone(cast, 2).living().length, 0);
  t.is(lab.store.count(LEG), 0);
});

test('while it talks another call rings, as at any phone', (t) => {
  const cast = stage();
  command(cast.lab, (cx) => nailUp(cx, { device }));
  live(cast, 300);
  phone(cast, 2).lift();
  live(cast, 300);
  phone(cast, 1).call(device);
  live(cast, 1000);
  phone(cast, 3).call(device);
  live(cast, 1000);
  t.is(phone(cast, 2).talks.size, 2);
  t.true(phone(cast, 2).lift());
  live(cast, 1000);
  for (const n of [1, 3]) phone(cast, n).hangUp();
  live(cast, 2000);
  t.is(phone(cast, 2).living().length, 1);
  t.is([...cast.lab.store.rows(NAIL)][0]?.state, 'parked');
});
