/** What a prompt says of a box without a role: every way from the carton to the service, and back. */

import test from 'ava';
import {
  START_TABLE,
  type Start,
  startSentence,
  startWord,
} from '../../src/panel/console/standing.ts';

const box = { identity: { box: 'a' } };
const bare = { ...box, revision: { number: 0 } };
const given = { ...box, revision: { number: 1 }, paired: true };

const WAY: readonly (readonly [string, Start, string, RegExp])[] = [
  ['out of the carton', { phase: 'unconfigured', state: { paired: false } }, 'unconfigured', /^$/],
  [
    'the questions are answered',
    { phase: 'unconfigured', state: { ...bare, paired: false } },
    'not paired',
    /request pair/,
  ],
  [
    'paired a moment ago',
    { phase: 'unconfigured', state: { ...bare, paired: true, peer: { reachable: false } } },
    'waits for the other box',
    /crossover/,
  ],
  [
    'both agents speak',
    { phase: 'unconfigured', state: { ...bare, paired: true, peer: { reachable: true } } },
    'starting',
    /agree on their configuration/,
  ],
  [
    'committed, not seen by the monitor',
    { phase: 'unconfigured', state: given },
    'starting',
    /starts/,
  ],
  ['the service is started', { phase: 'booting', state: given }, 'starting', /service starts/],
  ['it does not come', { phase: 'down', state: given }, 'sipair down', /^$/],
  ['an image is installed', { phase: 'updating', state: given }, 'updating', /^$/],
  [
    'switched on, the agent is not there yet',
    { phase: 'booting', state: {} },
    'starting',
    /starts/,
  ],
  ['nobody answers', { phase: '', state: {} }, 'sipair down', /^$/],
  ['without a monitor', { phase: '', state: { ...bare, paired: false } }, 'not paired', /pair/],
  [
    'the monitor is late, the agent starts the service',
    { phase: '', state: { ...given, applying: { step: 'restart' } } },
    'starting',
    /service starts/,
  ],
  [
    'the monitor is late, and nobody is at it',
    { phase: '', state: { ...given, applying: { step: 'settled' } } },
    'sipair down',
    /^$/,
  ],
  ['without a monitor, configured', { phase: '', state: given }, 'sipair down', /^$/],
  [
    'the key was lost',
    { phase: 'booting', state: { ...given, paired: false } },
    'not paired',
    /pair/,
  ],
];

for (const [when, start, word, sentence] of WAY) {
  test(`${when}: (${word})`, (t) => {
    t.is(startWord(start), word);
    t.regex(startSentence(start), sentence);
  });
}

test('every row of the table is on the way', (t) => {
  const used = new Set(WAY.map(([, start]) => START_TABLE.find((row) => row.when(start))));
  t.deepEqual(
    START_TABLE.filter((row) => !used.has(row)),
    [],
  );
});
