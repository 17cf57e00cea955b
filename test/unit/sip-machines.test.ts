/** The transaction tables and the call table are total, connected, and can always end. */

import test from 'ava';
import { CALL_MACHINE } from '../../src/call/call.ts';
import { CALL_TABLES } from '../../src/call/switch.ts';
import {
  INVITE_CLIENT,
  INVITE_SERVER,
  OTHER_CLIENT,
  OTHER_SERVER,
} from '../../src/proto/sip/machines.ts';
import { CTX, STX } from '../../src/proto/sip/rows.ts';
import { TIMERS } from '../../src/proto/sip/timers.ts';

type Cell = { readonly to: string; readonly act: readonly string[] };
type Machine = { readonly [state: string]: { readonly [event: string]: Cell } };

const SERVER_EVENTS = [
  'request',
  'ack',
  'provisional',
  'success',
  'refusal',
  'resend',
  'giveUp',
  'end',
];
const CLIENT_EVENTS = ['provisional', 'success', 'refusal', 'resend', 'giveUp', 'end'];
const ACTIONS = new Set([
  'repeat',
  'tell',
  'timeout',
  'ack',
  'send',
  'quiet',
  'still',
  'double',
  'backOff',
  'slow',
  ...Object.keys(TIMERS).map((name) => `start${name}`),
]);

const machines: [string, Machine, readonly string[], readonly string[]][] = [
  ['INVITE server', INVITE_SERVER, SERVER_EVENTS, STX.fields.state],
  ['non-INVITE server', OTHER_SERVER, SERVER_EVENTS, STX.fields.state],
  ['INVITE client', INVITE_CLIENT, CLIENT_EVENTS, CTX.fields.state],
  ['non-INVITE client', OTHER_CLIENT, CLIENT_EVENTS, CTX.fields.state],
];

for (const [name, machine, events, tags] of machines) {
  test(`${name}: every state has a cell for every event, with known states and actions`, (t) => {
    for (const [state, row] of Object.entries(machine)) {
      t.true(tags.includes(state), `${state} can be stored`);
      t.deepEqual(Object.keys(row).sort(), [...events].sort(), state);
      for (const [event, cell] of Object.entries(row)) {
        t.true(cell.to === 'same' || cell.to === 'gone' || cell.to in machine, `${state} ${event}`);
        for (const action of cell.act) t.true(ACTIONS.has(action), `${state} ${event} ${action}`);
      }
    }
  });

  test(`${name}: every state is reached and can come to an end`, (t) => {
    const first = Object.keys(machine)[0] as string;
    const reached = new Set([first]);
    for (const state of reached) {
      for (const cell of Object.values(machine[state] as object) as Cell[]) {
        if (cell.to !== 'same' && cell.to !== 'gone') reached.add(cell.to);
      }
    }
    t.deepEqual([...reached].sort(), Object.keys(machine).sort());
    const ends = new Set<string>();
    for (let grown = true; grown; ) {
      grown = false;
      for (const [state, row] of Object.entries(machine)) {
        if (ends.has(state)) continue;
        if (Object.values(row).some((cell) => cell.to === 'gone' || ends.has(cell.to))) {
          ends.add(state);
          grown = true;
        }
      }
    }
    t.deepEqual([...ends].sort(), Object.keys(machine).sort());
  });
}

test('a final state is entered with the timer that ends it', (t) => {
  const starts = (cell: Cell): string[] => cell.act.filter((a) => a.startsWith('start'));
  t.deepEqual(starts(INVITE_SERVER.proceeding.refusal), ['startG', 'startH']);
  t.deepEqual(starts(INVITE_SERVER.completed.ack), ['startI']);
  t.true(starts(INVITE_SERVER.proceeding.success).includes('startL'));
  t.deepEqual(starts(OTHER_SERVER.trying.success), ['startJ']);
  for (const state of ['calling', 'proceeding'] as const) {
    t.deepEqual(starts(INVITE_CLIENT[state].refusal), ['startD']);
    t.deepEqual(starts(INVITE_CLIENT[state].success), ['startM']);
  }
  for (const state of ['trying', 'proceeding'] as const) {
    t.deepEqual(starts(OTHER_CLIENT[state].success), ['startK']);
    t.deepEqual(starts(OTHER_CLIENT[state].refusal), ['startK']);
  }
});

test('the call table is total and ends nowhere but in ending', (t) => {
  const states = Object.keys(CALL_MACHINE);
  const events = Object.keys(CALL_MACHINE.trying).sort();
  t.is(events.length, 13);
  for (const [state, row] of Object.entries(CALL_MACHINE)) {
    t.deepEqual(Object.keys(row).sort(), events, state);
    for (const cell of Object.values(row)) {
      t.true(cell.to === 'same' || states.includes(cell.to));
      if (state === 'ending') t.is(cell.to, 'same');
    }
  }
});

test('tables have numbers of their own between 1 and 63, and deadlines from their rows', (t) => {
  const numbers = CALL_TABLES.map((table) => table.number);
  t.is(new Set(numbers).size, numbers.length);
  t.true(numbers.every((n) => n >= 1 && n <= 63));
  for (const table of CALL_TABLES) {
    for (const field of Object.keys(table.indexes)) t.true(field in table.fields);
  }
});
