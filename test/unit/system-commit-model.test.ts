/**
 * The commit protocol of two system agents through every small history of crashes, full disks and cuts
 * (`system-model.ts`): at quiet both boxes have the same revision, what was confirmed is never reverted,
 * what was not confirmed always is, to what was, what was refused is in force nowhere.
 */

import test from 'ava';
import { explore, type Typed } from './system-model.ts';

const SCRIPTS: { readonly [name: string]: readonly Typed[] } = {
  'one commit': [{ at: 'a', tree: 'one' }],
  'one commit, typed at box b': [{ at: 'b', tree: 'one' }],
  'a faulty commit': [{ at: 'a', tree: 'wrong' }],
  'one after the other, at either box': [
    { at: 'a', tree: 'one' },
    { at: 'b', tree: 'two' },
  ],
  'commits at both boxes': [
    { at: 'b', tree: 'one' },
    { at: 'a', tree: 'two' },
    { at: 'b', tree: 'three' },
  ],
  'a commit upon one that is to be confirmed': [
    { at: 'a', tree: 'one', min: 2 },
    { at: 'b', tree: 'two' },
  ],
  'two in a row that nobody confirms': [
    { at: 'a', tree: 'one', min: 2 },
    { at: 'a', tree: 'two', min: 2 },
  ],
  'two in a row that nobody confirms, at either box': [
    { at: 'a', tree: 'one', min: 2 },
    { at: 'b', tree: 'two', min: 2 },
  ],
  'two in a row, and the second is confirmed': [
    { at: 'a', tree: 'one', min: 2 },
    { at: 'a', tree: 'two', min: 2 },
    { at: 'b' },
  ],
  'a commit that nobody confirms': [{ at: 'a', tree: 'one', min: 2 }],
  'a commit that is confirmed where it was typed': [{ at: 'a', tree: 'one', min: 2 }, { at: 'a' }],
  'a commit that is confirmed at the other box': [{ at: 'b', tree: 'one', min: 2 }, { at: 'a' }],
};

for (const [name, script] of Object.entries(SCRIPTS)) {
  for (const linked of [true, false]) {
    test(`${name}, ${linked ? 'with' : 'without'} a peer at first: every history of two faults ends well`, (t) => {
      const { states, bad } = explore(script, linked, 2, 7);
      t.is(bad, '');
      t.true(states > 200, `${states} states`);
    });
  }
}
