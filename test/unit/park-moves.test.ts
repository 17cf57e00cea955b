/** Who is parked gives his place away: the one who comes instead waits on, and is parked. */

import test from 'ava';
import type { TableSpec } from '../../src/base/row.ts';
import { consultationCall } from '../../src/call/control/make.ts';
import { transferCall } from '../../src/call/control/transfer.ts';
import { PARTY, type Party } from '../../src/call/csta/rows.ts';
import { parkCall, pickupCall } from '../../src/call/park/park.ts';
import { PARK } from '../../src/call/park/rows.ts';
import type { Context } from '../../src/proto/context.ts';
import { at } from './conference-lab.ts';
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

const PARKED = [
  calls(1, '1002'),
  lifts(2),
  asks((cx) => parkCall(cx, { connection: at(cx, '1002'), parkTo: '700' })),
] as const;

/** 1001, who waits, consults 1003 and connects him with what he hears. */
const gives: readonly Step[] = [
  asks((cx) => consultationCall(cx, { connection: at(cx, '1001'), calledDevice: '1003' })),
  lifts(3),
  asks((cx) => transferCall(cx, both(cx)), 1500),
];
function both(cx: Context) {
  const all = cx.store.all(PARTY, 'device', '1001');
  const of = (state: Party['state']) => ({
    callId: all.find((p) => p.state === state)?.ccall ?? 0,
    deviceId: '1001',
  });
  return { activeConnection: of('connected'), heldConnection: of('hold') };
}
/** The same by his phone: a second call, and a REFER with Replaces. */
const refers: readonly Step[] = [
  calls(1, '1003'),
  lifts(3),
  {
    wait: 1500,
    do: (cast) => {
      const [parked, second] = phone(cast, 1).living();
      if (parked === undefined || second === undefined) return false;
      const replaces = `${parked.callId};to-tag=${parked.remoteTag};from-tag=${parked.tag}`;
      const to = `sip:700@192.0.2.10?Replaces=${encodeURIComponent(replaces)}`;
      phone(cast, 1).ask(second, 'REFER', `Refer-To: <${to}>\r\n`);
      return true;
    },
  },
];
const waits = (ms: number): Step => ({
  wait: 2500,
  do: ({ lab }) => {
    lab.pass(ms);
    return true;
  },
});
const pick = (device: string): Step =>
  asks((cx) => pickupCall(cx, { device, target: '700' }), 4000);

const PLAYS: Record<string, Play> = {
  'he is transferred': { steps: [...PARKED, ...gives], members: ['music 1003'], living: [3] },
  'he is transferred, and who came instead is picked up': {
    steps: [...PARKED, ...gives, pick('1004'), lifts(4)],
    members: [],
    living: [3, 4],
  },
  'he is transferred, and who came instead hangs up': {
    steps: [...PARKED, ...gives, hangsUp(3)],
    members: [],
    living: [],
  },
  'his phone gives his place away, and who came instead is picked up': {
    steps: [...PARKED, ...refers, pick('1004'), lifts(4)],
    members: [],
    living: [3, 4],
  },
  'his phone gives his place away, and it comes back': {
    steps: [...PARKED, ...refers, waits(60_000), lifts(2)],
    members: [],
    living: [2, 3],
  },
  'his phone gives his place away, and who came instead hangs up': {
    steps: [...PARKED, ...refers, hangsUp(3)],
    members: [],
    living: [],
  },
  'his phone gives his place away': {
    steps: [...PARKED, ...refers],
    members: ['music 1003'],
    living: [3],
  },
};

const EMPTY = [PARK] as unknown as readonly TableSpec[];

for (const [name, p] of Object.entries(PLAYS)) {
  test(`${name}; the box is replaced at every input`, (t) => playAll(t, p, EMPTY));
}
