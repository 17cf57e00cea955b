/**
 * Park and pick-up: who is parked hears music until somebody takes the call, or it comes back to who
 * parked it, over any switchover.
 */

import test from 'ava';
import type { TableSpec } from '../../src/base/row.ts';
import { parkCall, pickupCall } from '../../src/call/park/park.ts';
import { PARK } from '../../src/call/park/rows.ts';
import { at } from './conference-lab.ts';
import { asks, calls, hangsUp, lifts, type Play, playAll, type Step } from './conference-plays.ts';

const TALK = [calls(1, '1002'), lifts(2)] as const;
/** 1002 parks 1001 at 700. */
const PARKED = [
  ...TALK,
  asks((cx) => parkCall(cx, { connection: at(cx, '1002'), parkTo: '700' })),
] as const;
const pick = (device: string): Step =>
  asks((cx) => pickupCall(cx, { device, target: '700' }), 2500);
const waits = (ms: number): Step => ({
  wait: 2500,
  do: ({ lab }) => {
    lab.pass(ms);
    return true;
  },
});

const PLAYS: Record<string, Play> = {
  'a call is parked': { steps: PARKED, members: ['music 1001'], living: [1] },
  'it is parked at the device itself': {
    steps: [...TALK, asks((cx) => parkCall(cx, { connection: at(cx, '1002') }))],
    members: ['music 1001'],
    living: [1],
  },
  'the caller parks': {
    steps: [...TALK, asks((cx) => parkCall(cx, { connection: at(cx, '1001'), parkTo: '700' }))],
    members: ['music 1002'],
    living: [2],
  },
  'it is picked up': { steps: [...PARKED, pick('1003'), lifts(3)], members: [], living: [1, 3] },
  'who parked it picks it up': {
    steps: [...PARKED, pick('1002'), lifts(2)],
    members: [],
    living: [1, 2],
  },
  'by the connection that is parked': {
    steps: [
      ...PARKED,
      asks((cx) => pickupCall(cx, { device: '1003', target: at(cx, '700') }), 2500),
      lifts(3),
    ],
    members: [],
    living: [1, 3],
  },
  'who picks it up does not answer': {
    steps: [...PARKED, pick('1003'), lifts(3, 486)],
    members: ['music 1001'],
    living: [1],
  },
  'who waits hangs up': { steps: [...PARKED, hangsUp(1)], members: [], living: [] },
  'who waits hangs up while it is picked up': {
    steps: [...PARKED, pick('1003'), hangsUp(1)],
    members: [],
    living: [],
  },
  'who parks hangs up by himself': {
    steps: [...PARKED, waits(0)],
    members: ['music 1001'],
    living: [1],
  },
  'what rings is picked up': {
    steps: [
      calls(1, '1002'),
      asks((cx) => pickupCall(cx, { device: '1003', target: '1002' })),
      lifts(3),
    ],
    members: [],
    living: [1, 3],
  },
  'what rings is picked up, and nobody answers': {
    steps: [
      calls(1, '1002'),
      asks((cx) => pickupCall(cx, { device: '1003', target: at(cx, '1002') })),
      lifts(3, 486),
    ],
    members: [],
    living: [],
  },
  'it comes back': {
    steps: [...PARKED, waits(60_000), lifts(2)],
    members: [],
    living: [1, 2],
  },
};

const EMPTY = [PARK] as unknown as readonly TableSpec[];

for (const [name, p] of Object.entries(PLAYS)) {
  test(`${name}; the box is replaced at every input`, (t) => playAll(t, p, EMPTY));
}
