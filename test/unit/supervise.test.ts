/**
 * Supervision: who listens in is heard by nobody, by the one he coaches, or by all, over any switchover;
 * the call goes on whatever becomes of him.
 */

import test from 'ava';
import type { TableSpec } from '../../src/base/row.ts';
import { setAgentState } from '../../src/call/agent/commands.ts';
import { CONFERENCE, MEMBER, WATCH } from '../../src/call/conference/rows.ts';
import {
  changeMonitoring,
  startMonitoring,
  stopMonitoring,
  type WatchMode,
} from '../../src/call/conference/supervise.ts';
import { isRefusal } from '../../src/call/csta/refusal.ts';
import { at, command, live, stage } from './conference-lab.ts';
import { asks, calls, hangsUp, lifts, type Play, playAll, type Step } from './conference-plays.ts';

const who = { supervisorDevice: '1004', device: '1002' };
const TALK = [calls(1, '1002'), lifts(2)] as const;
const watch = (mode: WatchMode, scope: 'call' | 'nextCalls' = 'call'): Step =>
  asks((cx) => startMonitoring(cx, { ...who, mode, scope }));
const change = (mode: WatchMode): Step =>
  asks((cx) => changeMonitoring(cx, { ...who, mode }), 1500);
const stop = asks((cx) => stopMonitoring(cx, who), 1500);
const WATCHED = [...TALK, watch('silent'), lifts(4)] as const;
const TWO = ['talk 1001', 'talk 1002'];

const PLAYS: Record<string, Play> = {
  'he listens': { steps: WATCHED, members: ['listen 1004', ...TWO], living: [1, 2, 4] },
  'he coaches': {
    steps: [...TALK, watch('coach'), lifts(4)],
    members: ['coach 1004 to 1002', ...TWO],
    living: [1, 2, 4],
  },
  'he talks with both': {
    steps: [...TALK, watch('join'), lifts(4)],
    members: [...TWO, 'talk 1004'],
    living: [1, 2, 4],
  },
  'he listens, coaches, and talks': {
    steps: [...WATCHED, change('coach'), change('join')],
    members: [...TWO, 'talk 1004'],
    living: [1, 2, 4],
  },
  'he coaches, and only listens': {
    steps: [...TALK, watch('coach'), lifts(4), change('silent')],
    members: ['listen 1004', ...TWO],
    living: [1, 2, 4],
  },
  'it is stopped': { steps: [...WATCHED, stop], members: TWO, living: [1, 2] },
  'it is stopped before he answers': {
    steps: [...TALK, watch('silent'), stop],
    members: [],
    living: [1, 2],
  },
  'he hangs up': { steps: [...WATCHED, hangsUp(4)], members: TWO, living: [1, 2] },
  'he refuses': {
    steps: [...TALK, watch('silent'), lifts(4, 486)],
    members: [],
    living: [1, 2],
  },
  'the agent hangs up': { steps: [...WATCHED, hangsUp(2)], members: [], living: [] },
  'the customer hangs up': { steps: [...WATCHED, hangsUp(1)], members: [], living: [] },
  'the customer hangs up before he answers': {
    steps: [...TALK, watch('silent'), hangsUp(1)],
    members: [],
    living: [],
  },
  'it waits for the next call': {
    steps: [watch('silent'), ...TALK, lifts(4)],
    members: ['listen 1004', ...TWO],
    living: [1, 2, 4],
  },
  'an agent at his device': {
    steps: [
      asks((cx) =>
        setAgentState(cx, { device: '1002', agentId: 'ann', requestedState: 'loggedOn' }),
      ),
      ...TALK,
      asks((cx) =>
        startMonitoring(cx, { supervisorDevice: '1004', agentId: 'ann', mode: 'coach' }),
      ),
      lifts(4),
    ],
    members: ['coach 1004 to 1002', ...TWO],
    living: [1, 2, 4],
  },
  'every next call': {
    steps: [
      ...[watch('silent', 'nextCalls'), ...TALK, lifts(4), hangsUp(1)],
      ...[calls(3, '1002'), lifts(2), lifts(4)],
    ],
    members: ['listen 1004', 'talk 1002', 'talk 1003'],
    living: [2, 3, 4],
  },
  'he refuses one call and listens to the next': {
    steps: [
      ...[watch('silent', 'nextCalls'), ...TALK, lifts(4, 486), hangsUp(1)],
      ...[calls(3, '1002'), lifts(2), lifts(4)],
    ],
    members: ['listen 1004', 'talk 1002', 'talk 1003'],
    living: [2, 3, 4],
  },
};

const EMPTY = [CONFERENCE, MEMBER] as unknown as readonly TableSpec[];

for (const [name, p] of Object.entries(PLAYS)) {
  const lasting = name.includes('next') && !name.includes('waits');
  const empty = lasting ? EMPTY : [...EMPTY, WATCH as unknown as TableSpec];
  test(`${name}; the box is replaced at every input`, (t) => playAll(t, p, empty));
}

for (const tellDevice of [false, true]) {
  test(`the device is ${tellDevice ? '' : 'not '}told that somebody listens`, (t) => {
    const cast = stage();
    const [customer, agent, , supervisor] = cast.phones;
    customer?.call('1002');
    live(cast, 300);
    agent?.lift();
    live(cast, 300);
    const call = at(cast.lab.cx, '1002').callId;
    command(cast.lab, (cx) => startMonitoring(cx, { ...who, tellDevice }));
    live(cast, 300);
    supervisor?.lift();
    live(cast, 1000);
    t.deepEqual(cast.media.members(), ['listen 1004', ...TWO]);
    const events = cast.lab.programs.map((text) => {
      const [head = '{}', body = '{}'] = text.split('\n');
      return { ...JSON.parse(head), ...JSON.parse(body) };
    });
    const started = events.find((e) => e.event === 'monitoringStarted');
    t.deepEqual(started.devices, tellDevice ? ['1004', '1002'] : ['1004']);
    t.is(started.monitoredCall, call);
    // who listens is no party of the call he listens to
    for (const e of events.filter((x) => x.callId === call && x.parties !== undefined)) {
      t.false(
        e.parties.some((p: { deviceId: string }) => p.deviceId === '1004'),
        e.event,
      );
    }
  });
}

test('who cannot be supervised, or by whom, is refused', (t) => {
  const { lab } = stage();
  const said = (p: Parameters<typeof startMonitoring>[1]): string => {
    const answer = command(lab, (cx) => startMonitoring(cx, p));
    return isRefusal(answer) ? answer.refused : 'ok';
  };
  t.is(said({ supervisorDevice: '99', device: '1002' }), 'invalidDeviceId');
  t.is(said({ supervisorDevice: '1004', device: '99' }), 'invalidDeviceId');
  t.is(said({ supervisorDevice: '1004', agentId: 'nobody' }), 'invalidAgentId');
  t.is(said({ supervisorDevice: '1004', device: '1004' }), 'invalidParameter');
  t.is(said(who), 'ok');
  t.is(said(who), 'resourceBusy');
  const none = command(lab, (cx) => stopMonitoring(cx, { supervisorDevice: '1003' }));
  t.is(isRefusal(none) ? none.refused : '', 'invalidMonitor');
});
