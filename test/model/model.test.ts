/**
 * The short form of `./build.sh model`, and the proof that it would turn red: a saboteur for each
 * property. From worlds that look alike from far a deviation is tried `samples` times, not always
 * (`search.ts`); with two deviations only the one property the title names is asked.
 */

import test from 'ava';
import { variant } from './adapter.ts';
import { clone } from './clone.ts';
import { printOf } from './print.ts';
import { options } from './properties.ts';
import { budgetOf, SABOTEURS } from './saboteurs.ts';
import { act, coldPair, GO, type Limits, Search, steadyPair } from './search.ts';
import { transcript } from './transcript.ts';
import { HONEST, type World } from './world.ts';

const FULL = budgetOf({
  ...{ crash: 2, pause: 1, cut: 1, lan: 1, operator: 1 },
  ...{ lose: 1, late: 1, stuck: 1, witness: 1, port: 1 },
});

const SHORT: Limits = {
  total: 1,
  budget: FULL,
  depth: 2000,
  states: 400_000,
  seconds: 240,
  samples: 1,
  liveEvery: 8,
};

/** @returns '' when nothing bad was found and everything within the limits was seen. */
function clean(root: World, limits: Limits): string {
  const result = new Search(limits).run(root);
  const [found] = result.found;
  if (found !== undefined) return `${found.text}\n${transcript(root, found.choices).join('\n')}`;
  return result.stopped === 'nothing left' ? '' : `only ${result.states} states: ${result.stopped}`;
}

test('nothing bad comes of one deviation in a steady pair, at any step', (t) => {
  t.is(clean(steadyPair(), { ...SHORT, samples: 0 }), '');
});

test('nothing bad comes of one deviation while two new boxes start, wherever it is tried', (t) => {
  t.is(clean(coldPair(), { ...SHORT, liveEvery: 32 }), '');
});

test('nothing bad comes of one deviation in a pair with a witness and a fence', (t) => {
  Object.assign(variant, { witness: true, fence: true });
  const said = clean(steadyPair(), { ...SHORT, liveEvery: 32 });
  Object.assign(variant, { witness: false, fence: false });
  t.is(said, '');
});

test('two crashes, of processes or machines, never make two voices', (t) => {
  const root = steadyPair();
  root.only = 'one-voice';
  t.is(clean(root, { ...SHORT, total: 2, budget: budgetOf({ crash: 2 }), liveEvery: 0 }), '');
});

test('what was said is known to whoever speaks next, though the cable is cut and a box freezes', (t) => {
  const root = steadyPair();
  root.only = 'no-amnesia';
  options.strict = true;
  const said = clean(root, {
    ...SHORT,
    total: 2,
    budget: budgetOf({ cut: 1, pause: 1 }),
    liveEvery: 0,
  });
  options.strict = false;
  t.is(said, '');
});

test('a copy goes the way of the original, and neither disturbs the other', (t) => {
  const w = steadyPair();
  const copy = clone(w);
  const begin = printOf(w, true);
  for (let i = 0; i < 40; i += 1) {
    act(copy, GO, HONEST);
    if (i === 20) t.is(printOf(w, true), begin);
  }
  for (let i = 0; i < 40; i += 1) act(w, GO, HONEST);
  t.is(printOf(copy, true), printOf(w, true));
});

for (const saboteur of SABOTEURS) {
  test(`${saboteur.breaks} is broken by a box that: ${saboteur.name}`, (t) => {
    const hooks = { sabotage: saboteur.sabotage, tell: undefined };
    const root = steadyPair(hooks);
    root.only = saboteur.breaks;
    const liveEvery = saboteur.breaks === 'live' ? 1 : 0;
    const limits = { ...SHORT, total: 2, budget: budgetOf(saboteur.needs), liveEvery };
    options.strict = saboteur.strict === true;
    const { found } = new Search(limits, hooks).run(root);
    options.strict = false;
    t.is(found.length, 1);
    t.is(found[0]?.property, saboteur.breaks);
    t.is(found[0]?.deviations, saboteur.deviations);
    const lines = transcript(root, found[0]?.choices ?? [], saboteur.sabotage);
    t.true(lines.length > 3);
  });
}
