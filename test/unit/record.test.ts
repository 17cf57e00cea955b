/**
 * Recording: the recorder hears the call, or nothing while it is paused, over any switchover; and the
 * call goes on whatever becomes of it.
 */

import test from 'ava';
import type { TableSpec } from '../../src/base/row.ts';
import { setAgentState } from '../../src/call/agent/commands.ts';
import { conferenceCall } from '../../src/call/conference/commands.ts';
import {
  pauseRecording,
  resumeRecording,
  startRecording,
  stopRecording,
} from '../../src/call/conference/record.ts';
import { CONFERENCE, MEMBER, RECORDING } from '../../src/call/conference/rows.ts';
import { dateTime, metadata } from '../../src/call/conference/siprec.ts';
import { startMonitoring } from '../../src/call/conference/supervise.ts';
import { isRefusal } from '../../src/call/csta/refusal.ts';
import { routeRegister, routersLeave, routeSelect } from '../../src/call/distribute/router.ts';
import { DISTRIBUTION } from '../../src/call/distribute/rows.ts';
import { H } from '../../src/sip-parser/index.ts';
import { at, type Cast, command, live, stage, told } from './conference-lab.ts';
import { asks, calls, hangsUp, lifts, type Play, playAll, type Step } from './conference-plays.ts';

const TALK = [calls(1, '1002'), lifts(2)] as const;
const start = asks((cx) => startRecording(cx, { connection: at(cx, '1002') }));
const RECORDED = [...TALK, start] as const;
const pause = asks((cx) => pauseRecording(cx, { connection: at(cx, '1002') }), 2500);
const go = asks((cx) => resumeRecording(cx, { connection: at(cx, '1002') }), 2500);
const stop = asks((cx) => stopRecording(cx, { connection: at(cx, '1002') }), 2500);
const dies: Step = {
  wait: 2500,
  do: ({ recorder }) => {
    const talk = recorder.living()[0];
    if (talk !== undefined) recorder.bye(talk);
    return talk !== undefined;
  },
};
const refuses: Step = {
  wait: 0,
  do: ({ recorder }) => {
    recorder.refuses = 503;
    return true;
  },
};
const TWO = ['talk 1001', 'talk 1002'];
const HEARD = ['listen record', ...TWO];

const PLAYS: Record<string, Play> = {
  'a call is recorded': { steps: RECORDED, members: HEARD, recorded: ['media'], living: [1, 2] },
  'it is asked for before anybody answers': {
    steps: [
      calls(1, '1002'),
      asks((cx) => startRecording(cx, { connection: at(cx, '1001') })),
      lifts(2),
    ],
    members: HEARD,
    recorded: ['media'],
    living: [1, 2],
  },
  'it is paused': {
    steps: [...RECORDED, pause],
    members: TWO,
    recorded: ['media quiet'],
    living: [1, 2],
  },
  'it is paused and goes on': {
    steps: [...RECORDED, pause, go],
    members: HEARD,
    recorded: ['media'],
    living: [1, 2],
  },
  'it is stopped': { steps: [...RECORDED, stop], members: TWO, recorded: [], living: [1, 2] },
  'the recorder hangs up': {
    steps: [...RECORDED, dies],
    members: TWO,
    recorded: [],
    living: [1, 2],
  },
  'the recorder refuses': {
    steps: [refuses, ...RECORDED],
    members: [],
    recorded: [],
    living: [1, 2],
  },
  'a device hangs up': { steps: [...RECORDED, hangsUp(1)], members: [], recorded: [], living: [] },
  'a recorded call becomes a conference': {
    steps: [
      ...[...RECORDED, calls(1, '1003'), lifts(3)],
      asks((cx) =>
        conferenceCall(cx, { heldCall: at(cx, '1001', 0), activeCall: at(cx, '1001', 1) }),
      ),
    ],
    members: [...HEARD, 'talk 1003'],
    recorded: ['media'],
    living: [1, 2, 3],
  },
  'it is supervised too': {
    steps: [
      ...RECORDED,
      asks((cx) => startMonitoring(cx, { supervisorDevice: '1004', device: '1002' })),
      lifts(4),
    ],
    members: ['listen 1004', ...HEARD],
    recorded: ['media'],
    living: [1, 2, 4],
  },
};

const logsOn = asks((cx) =>
  setAgentState(cx, { device: '1002', agentId: 'ann', requestedState: 'loggedOn' }),
);
Object.assign(PLAYS, {
  'an agent whose calls are recorded answers': {
    steps: [logsOn, ...TALK],
    members: HEARD,
    recorded: ['media'],
    living: [1, 2],
  },
  'an agent whose calls are recorded calls': {
    steps: [logsOn, calls(2, '1001'), lifts(1)],
    members: HEARD,
    recorded: ['media'],
    living: [1, 2],
  },
});

/** A program that routes the calls of the routing point, and the call that waits there. */
const listens = asks((cx) => routeRegister(cx, { deviceId: '5000' }));
const leaves = asks((cx) => {
  routersLeave(cx, cx.turn.session);
  return {};
});
const routes = (wish: { readonly record?: boolean }): Step =>
  asks((cx) => {
    const [d] = [...cx.store.rows(DISTRIBUTION)];
    return routeSelect(cx, { routeId: d?.id ?? 0, destination: '1002', ...wish });
  });
Object.assign(PLAYS, {
  'its router asks for it': {
    steps: [listens, calls(1, '5000'), routes({ record: true }), lifts(2), leaves],
    members: HEARD,
    recorded: ['media'],
    living: [1, 2],
  },
  'its router does not': {
    steps: [listens, calls(1, '5000'), routes({ record: false }), lifts(2), leaves],
    members: [],
    recorded: [],
    living: [1, 2],
  },
  'its router asks for it, and the recorder refuses': {
    steps: [refuses, listens, calls(1, '5000'), routes({ record: true }), lifts(2), leaves],
    members: [],
    recorded: [],
    living: [1, 2],
  },
});

const EMPTY = [CONFERENCE, MEMBER, RECORDING] as unknown as readonly TableSpec[];

for (const [name, p] of Object.entries(PLAYS)) {
  test(`${name}; the box is replaced at every input`, (t) => playAll(t, p, EMPTY));
}

function recorded(): Cast {
  const cast = stage(true);
  cast.phones[0]?.call('1002');
  live(cast, 300);
  cast.phones[1]?.lift();
  live(cast, 300);
  command(cast.lab, (cx) => startRecording(cx, { connection: at(cx, '1002') }));
  return cast;
}

test('the recorder is told what it records (RFC 7866)', (t) => {
  const cast = recorded();
  cast.recorder.slow = true;
  live(cast, 200);
  const invite = [...cast.recorder.talks.values()][0]?.invite;
  if (invite === undefined) {
    t.fail();
    return;
  }
  // 6.1.1: "the SRC MUST ... include the 'siprec' option tag in a Require header field"
  t.regex(invite.header(H.Require) ?? '', /siprec/);
  t.regex(invite.header(H.Contact) ?? '', /;\+sip\.src/);
  t.regex(invite.contentType, /^multipart\/mixed/);
  const [, sdp = '', xml = ''] = invite.body.split('--sipair-part');
  t.regex(sdp, /Content-Type: application\/sdp[\s\S]*\r\n\r\nv=0[\s\S]*a=inactive/);
  t.regex(xml, /application\/rs-metadata\+xml/);
  for (const aor of ['sip:1001@', 'sip:1002@']) t.true(xml.includes(aor), aor);
  t.is(/<participant /g[Symbol.match](xml)?.length, 2);
});

test('programs hear what becomes of it', (t) => {
  const cast = recorded();
  live(cast, 1000);
  command(cast.lab, (cx) => pauseRecording(cx, { connection: at(cx, '1001') }));
  live(cast, 500);
  command(cast.lab, (cx) => resumeRecording(cx, { connection: at(cx, '1001') }));
  live(cast, 500);
  command(cast.lab, (cx) => stopRecording(cx, { connection: at(cx, '1001') }));
  live(cast, 500);
  const states = cast.lab.programs
    .filter((p) => p.includes('"event":"recording"'))
    .map((p) => JSON.parse(p.split('\n')[1] as string).state);
  t.deepEqual(states, ['started', 'paused', 'resumed', 'stopped']);
  t.is(told(cast.lab).filter((e) => e.startsWith('connectionCleared')).length, 0);
});

test('what cannot be recorded is refused', (t) => {
  const none = stage();
  none.phones[0]?.call('1002');
  live(none, 300);
  none.phones[1]?.lift();
  live(none, 300);
  const ask = (cast: Cast) =>
    command(cast.lab, (cx) => startRecording(cx, { connection: at(cx, '1002') }));
  const first = ask(none);
  t.is(isRefusal(first) ? first.refused : '', 'notSupported');
  const twice = ask(recorded());
  t.is(isRefusal(twice) ? twice.refused : '', 'resourceBusy');
});

test('metadata is well-formed, whatever a device is called', (t) => {
  const doc = metadata({
    word: 'abcdef',
    guid: 'g',
    startedAt: 1_700_000_000_123,
    host: '192.0.2.10',
    participants: [{ device: '<"&>\u00e9', agent: 'Ann & Bob' }],
  });
  t.true(doc.includes('aor="sip:&lt;&quot;&amp;&gt;?@192.0.2.10"'));
  t.true(doc.includes('<name>Ann &amp; Bob</name>'));
  t.is(dateTime(1_700_000_000_123), '2023-11-14T22:13:20.123Z');
  t.is(dateTime(951_782_400_000), '2000-02-29T00:00:00.000Z');
});
