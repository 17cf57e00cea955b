/**
 * In a conference, supervised and recorded, everything else can be done that could be done before: held,
 * cleared, transferred, consulted, in one step or two, by a program or a phone.
 */

import test from 'ava';
import type { TableSpec } from '../../src/base/row.ts';
import { conferenceCall } from '../../src/call/conference/commands.ts';
import { startRecording } from '../../src/call/conference/record.ts';
import { CONFERENCE, MEMBER, RECORDING, WATCH } from '../../src/call/conference/rows.ts';
import { startMonitoring } from '../../src/call/conference/supervise.ts';
import { clearCall, clearConnection } from '../../src/call/control/clear.ts';
import { holdCall, retrieveCall } from '../../src/call/control/hold.ts';
import { consultationCall } from '../../src/call/control/make.ts';
import { singleStepTransferCall, transferCall } from '../../src/call/control/transfer.ts';
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

const TALK = [calls(1, '1002'), lifts(2)] as const;
const CONFER = [
  ...[...TALK, calls(1, '1003'), lifts(3)],
  asks((cx) => conferenceCall(cx, { heldCall: at(cx, '1001', 0), activeCall: at(cx, '1001', 1) })),
] as const;
const RECORDED = [
  ...TALK,
  asks((cx) => startRecording(cx, { connection: at(cx, '1002') })),
] as const;
const WATCHED = [
  ...TALK,
  asks((cx) => startMonitoring(cx, { supervisorDevice: '1004', device: '1002', mode: 'coach' })),
  lifts(4),
] as const;
const step = (n: string, to: string): Step =>
  asks((cx) => singleStepTransferCall(cx, { connection: at(cx, n), transferredTo: to }), 2500);
const refer = (n: number, to: string): Step => ({
  wait: 2500,
  do: (cast) => {
    const talk = phone(cast, n).living()[0];
    if (talk !== undefined) phone(cast, n).ask(talk, 'REFER', `Refer-To: <sip:${to}@x>\r\n`);
    return talk !== undefined;
  },
});
const hold = (n: string): Step => asks((cx) => holdCall(cx, { connection: at(cx, n) }), 2500);
const retrieve = (n: string): Step =>
  asks((cx) => retrieveCall(cx, { connection: at(cx, n) }), 2500);
const consult = (n: string, to: string): Step =>
  asks((cx) => consultationCall(cx, { connection: at(cx, n), calledDevice: to }), 2500);
const both = (n: string) => (cx: Parameters<typeof at>[0]) => ({
  heldConnection: at(cx, n, 0),
  activeConnection: at(cx, n, 1),
});
const calls2 = (n: string) => (cx: Parameters<typeof at>[0]) => ({
  heldCall: at(cx, n, 0),
  activeCall: at(cx, n, 1),
});
const THREE = ['talk 1001', 'talk 1002', 'talk 1003'];

const PLAYS: Record<string, Play> = {
  'a member is held': {
    steps: [...CONFER, hold('1002')],
    members: ['talk 1001', 'talk 1002', 'talk 1003'],
    living: [1, 2, 3],
  },
  'a member is held and taken up': {
    steps: [...CONFER, hold('1002'), retrieve('1002')],
    members: THREE,
    living: [1, 2, 3],
  },
  'a remote party is cleared': {
    steps: [...CONFER, asks((cx) => clearConnection(cx, { connection: at(cx, '1003') }), 2500)],
    members: ['talk 1001', 'talk 1002'],
    living: [1, 2],
  },
  'the call is cleared': {
    steps: [...CONFER, asks((cx) => clearCall(cx, at(cx, '1003')), 2500)],
    members: [],
    living: [],
  },
  'a member gives its place away in one step': {
    steps: [...CONFER, step('1002', '1004'), lifts(4)],
    members: ['talk 1001', 'talk 1003', 'talk 1004'],
    living: [1, 3, 4],
  },
  'who takes the place leaves': {
    steps: [...CONFER, step('1002', '1004'), lifts(4), hangsUp(4), hangsUp(1)],
    members: [],
    living: [],
  },
  'nobody takes the place': {
    steps: [...CONFER, step('1002', '1004'), lifts(4, 486)],
    members: THREE,
    living: [1, 2, 3],
  },
  'a phone gives its place away': {
    steps: [...CONFER, refer(2, '1004'), lifts(4)],
    members: ['talk 1001', 'talk 1003', 'talk 1004'],
    living: [1, 3, 4],
  },
  'a member consults and transfers': {
    steps: [
      ...[...CONFER, consult('1002', '1004'), lifts(4)],
      asks((cx) => transferCall(cx, both('1002')(cx)), 2500),
    ],
    members: ['talk 1001', 'talk 1003', 'talk 1004'],
    living: [1, 3, 4],
  },
  'a member consults and adds': {
    steps: [
      ...[...CONFER, consult('1002', '1004'), lifts(4)],
      asks((cx) => conferenceCall(cx, calls2('1002')(cx)), 2500),
    ],
    members: [...THREE, 'talk 1004'],
    living: [1, 2, 3, 4],
  },
  'two calls held for a program become one': {
    steps: [
      ...[...TALK, consult('1001', '1003'), lifts(3)],
      asks((cx) => conferenceCall(cx, calls2('1001')(cx)), 2500),
    ],
    members: THREE,
    living: [1, 2, 3],
  },
  'a recorded call is transferred in one step': {
    steps: [...RECORDED, step('1002', '1003'), lifts(3)],
    members: ['listen record', 'talk 1001', 'talk 1003'],
    recorded: ['media'],
    living: [1, 3],
  },
  'a recorded call is held': {
    steps: [...RECORDED, hold('1002')],
    members: ['listen record', 'talk 1001', 'talk 1002'],
    recorded: ['media'],
    living: [1, 2],
  },
  'a recorded call is cleared': {
    steps: [...RECORDED, asks((cx) => clearCall(cx, at(cx, '1002')), 2500)],
    members: [],
    recorded: [],
    living: [],
  },
  'a supervised call is transferred in one step': {
    steps: [...WATCHED, step('1002', '1003'), lifts(3)],
    members: ['coach 1004 to 1003', 'talk 1001', 'talk 1003'],
    living: [1, 3, 4],
  },
  'a supervised caller is given to somebody by his phone': {
    steps: [...WATCHED, refer(1, '1003'), lifts(3)],
    members: ['coach 1004 to 1002', 'talk 1002', 'talk 1003'],
    living: [2, 3, 4],
  },
};

const EMPTY = [CONFERENCE, MEMBER, RECORDING, WATCH] as unknown as readonly TableSpec[];

for (const [name, p] of Object.entries(PLAYS)) {
  test(`${name}; the box is replaced at every input`, (t) => playAll(t, p, EMPTY));
}
