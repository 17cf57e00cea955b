/**
 * Plays: steps of phones and programs, done with the box replaced at every input in turn, and what must be
 * so at the end: who talks, who is heard how, nothing to complain of, a true story for programs, and no row
 * left once everybody has hung up.
 */

import type { ExecutionContext } from 'ava';
import type { TableSpec } from '../../src/base/row.ts';
import { AGENT } from '../../src/call/agent/rows.ts';
import { WATCH } from '../../src/call/conference/rows.ts';
import { CDR } from '../../src/call/csta/cdr.ts';
import { isRefusal } from '../../src/call/csta/refusal.ts';
import { EVENT, MONITOR, PARTY, type Party } from '../../src/call/csta/rows.ts';
import { DEVICE } from '../../src/call/device/rows.ts';
import { BINDING, LEG, type Leg } from '../../src/call/rows.ts';
import { CONTACT } from '../../src/call/trunk-rows.ts';
import type { Context } from '../../src/proto/context.ts';
import {
  act,
  type Cast,
  command,
  complaints,
  live,
  STEP,
  stage,
  told,
  who,
} from './conference-lab.ts';
import { CstaModel } from './csta-model.ts';

export type Step = { readonly wait: number; readonly do: (cast: Cast) => boolean };

export function phone(cast: Cast, n: number) {
  return cast.phones[n - 1] as Cast['phones'][number];
}

export const calls = (n: number, number: string): Step => ({
  wait: 500,
  do: (cast) => {
    phone(cast, n).call(number);
    return true;
  },
});
export const lifts = (n: number, status = 200): Step => ({
  wait: 300,
  do: (cast) => phone(cast, n).lift(status),
});
export const hangsUp = (n: number, i = 0): Step => ({
  wait: 1500,
  do: (cast) => {
    const talk = phone(cast, n).living()[i];
    if (talk !== undefined) phone(cast, n).bye(talk);
    return talk !== undefined;
  },
});
/** A request, asked again while it is refused: a box that was replaced may still be busy. */
export const asks = (f: Parameters<typeof command>[1], wait = 900): Step => ({
  wait,
  do: ({ lab }) => !isRefusal(command(lab, f)),
});

export function partyAt(cx: Context, device: string): Party {
  return cx.store.all(PARTY, 'device', device)[0] as Party;
}
export function legAt(cx: Context, device: string): Leg {
  return cx.store.get(LEG, partyAt(cx, device)?.leg ?? 0) as Leg;
}

export type Play = {
  readonly steps: readonly Step[];
  readonly members: readonly string[];
  /** What the recorder hears. */
  readonly recorded?: readonly string[];
  /** Phones that talk at the end. */
  readonly living: readonly number[];
};

export type Death = 'said' | 'unsaid' | 'forgotten';

export function play(
  p: Play,
  swapAt: number,
  death: Death,
): Cast & { inputs: number; done: boolean } {
  const cast = stage(p.recorded !== undefined);
  const { lab } = cast;
  const model = new CstaModel();
  let inputs = 0;
  const receive = lab.receive.bind(lab);
  lab.receive = (ip, port, text): void => {
    const before = lab.air.length;
    inputs += 1;
    if (inputs !== swapAt || death !== 'forgotten') receive(ip, port, text);
    if (inputs !== swapAt) return;
    if (death === 'unsaid') lab.air.length = before;
    lab.swap(false);
  };
  let next = 0;
  let from = lab.now;
  for (let ms = 0; ms < 45_000 && (next < p.steps.length || lab.now - from < 12_000); ms += STEP) {
    const step = p.steps[next];
    if (step !== undefined && step.wait <= lab.now - from && step.do(cast)) {
      next += 1;
      from = lab.now;
    }
    act(cast);
    lab.pass(STEP);
    cast.told.push(...told(lab));
    if (cast.faults.length === 0) cast.faults.push(...model.look(lab));
  }
  return { ...cast, inputs, done: next === p.steps.length };
}

/** What there may be without any call: who is registered, logged on, watched; and what was told. */
const LASTING: ReadonlySet<string> = new Set(
  [BINDING, EVENT, MONITOR, CONTACT, WATCH, AGENT, DEVICE, CDR].map((table) => table.name),
);

/** Everybody hangs up. @returns rows that are left. */
export function over(cast: Cast): string[] {
  for (const one of cast.phones) for (const talk of one.living()) one.bye(talk);
  live(cast, 3000);
  cast.lab.pass(200_000);
  const left: string[] = [];
  for (const [name, shelf] of cast.lab.store.shelves) {
    if (!LASTING.has(name) && shelf.rows.size > 0) left.push(`${name} ${shelf.rows.size}`);
  }
  return left;
}

const DEATHS: readonly Death[] = ['said', 'unsaid', 'forgotten'];

/** Plays `p` with the box replaced at every input; `empty`: tables that must be so at the end. */
export function playAll(t: ExecutionContext, p: Play, empty: readonly TableSpec[]): void {
  for (const death of DEATHS) {
    const { inputs } = play(p, 0, death);
    for (let swapAt = 0; swapAt <= inputs; swapAt += 1) {
      const cast = play(p, swapAt, death);
      const label = `${death}, at ${swapAt} of ${inputs}`;
      const story = () => [label, ...cast.told, ...cast.lab.told].join('\n');
      t.true(cast.done, story());
      t.deepEqual(complaints(cast), [], story());
      t.deepEqual(cast.faults, [], label);
      t.deepEqual(cast.media.members(), p.members, story());
      t.true(cast.media.conferences().length <= 1, story());
      if (p.recorded !== undefined) t.deepEqual(hears(cast), p.recorded, story());
      const living = cast.phones.flatMap((x, i) => (x.living().length === 1 ? [i + 1] : []));
      t.deepEqual(living, p.living, story());
      t.deepEqual(over(cast), [], story());
      for (const table of empty) t.is(cast.lab.store.count(table), 0, `${table.name}: ${story()}`);
      t.is(cast.media.living().length + cast.recorder.living().length, 0, story());
    }
  }
}

function hears(cast: Cast): string[] {
  return cast.recorder.living().map((talk) => who(talk.heard));
}
