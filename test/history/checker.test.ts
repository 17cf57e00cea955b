/**
 * The checker keeps quiet about good histories, and each of its rules is shown to fail: a history that
 * is broken in one way is seen by the rule that is there for it, and by no other.
 */

import test from 'ava';
import { check, RULES } from './check.ts';
import { idealHistory } from './ideal.ts';
import { readLines, writeLines } from './record.ts';
import { HISTORY_SABOTEURS } from './saboteurs.ts';

const SEEDS = 20;

test('good histories are good, and have everything in them', (t) => {
  const kinds = new Set<string>();
  let repeated = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const lines = idealHistory(seed);
    const { history, broken } = check(lines);
    t.deepEqual(broken, [], `seed ${seed}`);
    for (const event of history.events) kinds.add(event.event);
    repeated += history.asks.filter((ask) => ask.sent.length > 1).length;
  }
  for (const event of ['held', 'retrieved', 'callCleared', 'agentLoggedOff']) {
    t.true(kinds.has(event), event);
  }
  t.true(repeated > SEEDS);
});

for (const saboteur of HISTORY_SABOTEURS) {
  test(`${saboteur.name}: ${saboteur.rule}`, (t) => {
    let spoiled = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const lines = saboteur.spoil(idealHistory(seed));
      if (lines === undefined) continue;
      const seen = new Set(check(lines).broken.map((b) => b.rule));
      if (seen.size === 0) continue;
      spoiled += 1;
      t.true(seen.has(saboteur.rule), `seed ${seed}: seen by ${[...seen].join(', ')}`);
      const allowed = [saboteur.rule, ...(saboteur.also ?? [])];
      for (const rule of seen) t.true(allowed.includes(rule), `seed ${seed}: seen by ${rule} too`);
    }
    t.true(spoiled >= SEEDS / 4, `it was seen in ${spoiled} of ${SEEDS} histories`);
  });
}

test('every rule has a saboteur', (t) => {
  for (const rule of RULES) {
    t.true(
      HISTORY_SABOTEURS.some((s) => s.rule === rule.name),
      rule.name,
    );
  }
});

test('a record is read as it was written, and a torn last line is no fault', (t) => {
  const lines = idealHistory(1);
  const text = writeLines(lines);
  t.deepEqual(readLines(text), JSON.parse(JSON.stringify(lines)));
  t.deepEqual(readLines(`${text}{"kind":"ev`), JSON.parse(JSON.stringify(lines)));
  t.deepEqual(readLines(`{"kind":"ev\n${text}`), { badLine: 1 });
});
