/**
 * Conferences that cannot be: the media service refuses, a phone takes no re-INVITE, what plays goes away.
 * Nobody loses the conversation he was in.
 */

import test from 'ava';
import type { TableSpec } from '../../src/base/row.ts';
import {
  conferenceCall,
  muteMember,
  singleStepConferenceCall,
} from '../../src/call/conference/commands.ts';
import { startRecording } from '../../src/call/conference/record.ts';
import { CONFERENCE, MEMBER, RECORDING, WATCH } from '../../src/call/conference/rows.ts';
import { startMonitoring } from '../../src/call/conference/supervise.ts';
import { PARTY } from '../../src/call/csta/rows.ts';
import { at, command, live, stage, told } from './conference-lab.ts';
import { asks, calls, lifts, type Play, phone, playAll, type Step } from './conference-plays.ts';

const TALK = [calls(1, '1002'), lifts(2)] as const;
const mediaFails: Step = {
  wait: 0,
  do: ({ media }) => {
    media.refuses = 503;
    return true;
  },
};
const stubborn = (n: number): Step => ({
  wait: 0,
  do: (cast) => {
    phone(cast, n).reinvites.push(...Array.from({ length: 50 }, () => 488));
    return true;
  },
});
const record = asks((cx) => startRecording(cx, { connection: at(cx, '1002') }));
const join = asks((cx) =>
  singleStepConferenceCall(cx, { activeCall: at(cx, '1001'), deviceToJoin: '1003' }),
);
const watch = asks((cx) => startMonitoring(cx, { supervisorDevice: '1004', device: '1002' }));
const confer = asks((cx) =>
  conferenceCall(cx, { heldCall: at(cx, '1001', 0), activeCall: at(cx, '1001', 1) }),
);
/** The service hangs up on whoever is `who` there. */
const dropped = (who: string): Step => ({
  wait: 3000,
  do: ({ media }) => {
    const talk = media.living().find((t) => t.heard.includes(`s=${who}`));
    if (talk !== undefined) media.bye(talk);
    return talk !== undefined;
  },
});

const PLAYS: Record<string, Play> = {
  'no media for two calls': {
    steps: [mediaFails, ...TALK, calls(1, '1003'), lifts(3), confer],
    members: [],
    living: [2, 3],
  },
  'no media for one who is to join': {
    steps: [mediaFails, ...TALK, join, lifts(3)],
    members: [],
    living: [1, 2],
  },
  'no media for a supervisor': {
    steps: [mediaFails, ...TALK, watch, lifts(4)],
    members: [],
    living: [1, 2],
  },
  'no media for a recorder': {
    steps: [mediaFails, ...TALK, record],
    members: [],
    recorded: [],
    living: [1, 2],
  },
  'the caller takes no re-INVITE': {
    steps: [stubborn(1), ...TALK, record],
    members: [],
    recorded: [],
    living: [1, 2],
  },
  'the callee takes no re-INVITE': {
    steps: [stubborn(2), ...TALK, record],
    members: [],
    recorded: [],
    living: [1, 2],
  },
  'nobody takes a re-INVITE': {
    steps: [stubborn(1), stubborn(2), ...TALK, watch, lifts(4)],
    members: [],
    living: [1, 2],
  },
  'the service drops one of three': {
    steps: [...TALK, join, lifts(3), dropped('1002')],
    members: ['talk 1001', 'talk 1003'],
    living: [1, 3],
  },
};

const EMPTY = [CONFERENCE, MEMBER, RECORDING, WATCH] as unknown as readonly TableSpec[];

for (const [name, p] of Object.entries(PLAYS)) {
  test(`${name}; the box is replaced at every input`, (t) => playAll(t, p, EMPTY));
}

test('who cannot be muted is heard, and programs hear that', (t) => {
  const cast = stage();
  const [a, b, c] = cast.phones;
  a?.call('1002');
  live(cast, 300);
  b?.lift();
  live(cast, 300);
  command(cast.lab, (cx) =>
    singleStepConferenceCall(cx, { activeCall: at(cx, '1001'), deviceToJoin: '1003' }),
  );
  live(cast, 300);
  c?.lift();
  live(cast, 1500);
  cast.media.refuses = 503;
  command(cast.lab, (cx) => {
    const party = cx.store.all(PARTY, 'device', '1002')[0];
    return party === undefined ? {} : (muteMember(cx, party, true) ?? {});
  });
  live(cast, 1500);
  const heard = told(cast.lab).filter((e) => e.endsWith('muted 1002'));
  t.deepEqual(heard, ['muted 1002', 'unmuted 1002']);
  t.deepEqual(cast.media.members(), ['talk 1001', 'talk 1002', 'talk 1003']);
});
