/**
 * Conferences: whatever happens at whichever step (the box is replaced, somebody hangs up), those who are
 * in hear and are heard as they should (`conference-plays.ts`).
 */

import test from 'ava';
import type { TableSpec } from '../../src/base/row.ts';
import {
  conferenceCall,
  muteMember,
  singleStepConferenceCall,
} from '../../src/call/conference/commands.ts';
import { CONFERENCE, MEMBER } from '../../src/call/conference/rows.ts';
import { at } from './conference-lab.ts';
import {
  asks,
  calls,
  hangsUp,
  lifts,
  type Play,
  partyAt,
  playAll,
  type Step,
} from './conference-plays.ts';

/** 1001 talks with 1002 and consults 1003, who answers. */
const CONSULT = [calls(1, '1002'), lifts(2), calls(1, '1003'), lifts(3)] as const;
const CONFER = [
  ...CONSULT,
  asks((cx) => conferenceCall(cx, { heldCall: at(cx, '1001', 0), activeCall: at(cx, '1001', 1) })),
] as const;
const TALK = [calls(1, '1002'), lifts(2)] as const;
const join = (participationType: 'active' | 'silent' = 'active', device = '1003'): Step =>
  asks((cx) =>
    singleStepConferenceCall(cx, {
      activeCall: at(cx, '1001'),
      deviceToJoin: device,
      participationType,
    }),
  );

const THREE = ['talk 1001', 'talk 1002', 'talk 1003'];

const PLAYS: Record<string, Play> = {
  'two calls become one': { steps: CONFER, members: THREE, living: [1, 2, 3] },
  'one of three leaves': {
    steps: [...CONFER, hangsUp(2)],
    members: ['talk 1001', 'talk 1003'],
    living: [1, 3],
  },
  'who conferenced leaves': {
    steps: [...CONFER, hangsUp(1)],
    members: ['talk 1002', 'talk 1003'],
    living: [2, 3],
  },
  'two leave': { steps: [...CONFER, hangsUp(2), hangsUp(3)], members: [], living: [] },
  'a fourth is called': {
    steps: [...CONFER, join('active', '1004'), lifts(4)],
    members: [...THREE, 'talk 1004'],
    living: [1, 2, 3, 4],
  },
  'one joins by a single step': {
    steps: [...TALK, join(), lifts(3)],
    members: THREE,
    living: [1, 2, 3],
  },
  'one joins silently': {
    steps: [...TALK, join('silent'), lifts(3)],
    members: ['listen 1003', 'talk 1001', 'talk 1002'],
    living: [1, 2, 3],
  },
  'the one to join refuses': {
    steps: [...TALK, join(), lifts(3, 486)],
    members: [],
    living: [1, 2],
  },
  'a call ends while another is to join': {
    steps: [...TALK, join(), hangsUp(2)],
    members: [],
    living: [],
  },
  'one is muted': {
    steps: [...CONFER, asks((cx) => muteMember(cx, partyAt(cx, '1002'), true) ?? {})],
    members: ['muted 1002', 'talk 1001', 'talk 1003'],
    living: [1, 2, 3],
  },
  'one is muted and heard again': {
    steps: [
      ...CONFER,
      asks((cx) => muteMember(cx, partyAt(cx, '1002'), true) ?? {}),
      asks((cx) => muteMember(cx, partyAt(cx, '1002'), false) ?? {}),
    ],
    members: THREE,
    living: [1, 2, 3],
  },
};

const EMPTY = [CONFERENCE, MEMBER] as unknown as readonly TableSpec[];

for (const [name, p] of Object.entries(PLAYS)) {
  test(`${name}; the box is replaced at every input`, (t) => playAll(t, p, EMPTY));
}
