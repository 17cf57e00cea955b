/**
 * The matrix's command line.
 *
 *   ./build.sh matrix [--seed N] [--runs K] [--only state=S,transport=T,died=D,next=A] [--tell CELL]
 *
 * Plays every cell once for each seed and says which did not end as they would have without the
 * fault. `--only` leaves the others out; a cell shares its world with others, so what one of many
 * showed is shown again by the same seed and the same cells: `--tell` prints its tale.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chosen, notYet } from './cells.ts';
import { markdown, picture, summary } from './picture.ts';
import { nameOf, type Played, play } from './play.ts';

const USAGE =
  'usage: ./build.sh matrix [--seed N] [--runs K] [--only state=S,transport=T,died=D,next=A] ' +
  '[--tell CELL]';

function read() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (e) {
    console.error(`matrix: ${(e as Error).message}\n${USAGE}`);
    return process.exit(2);
  }
}

const OPTIONS = {
  seed: { type: 'string', default: '1' },
  runs: { type: 'string', default: '1' },
  only: { type: 'string', default: '' },
  tell: { type: 'string', default: '' },
  help: { type: 'boolean', default: false },
} as const;

const values = read();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const groups = chosen(values.only);
if (typeof groups === 'string') {
  console.error(`matrix: ${groups}\n${USAGE}`);
  process.exit(2);
}
const all: Played[] = [];
const began = performance.now();
const first = Number(values.seed);
for (let seed = first; seed < first + Number(values.runs); seed += 1) {
  for (const cells of groups) {
    const started = performance.now();
    const played = play(cells, seed);
    all.push(played);
    const bad = played.verdicts.filter((v) => v.troubles.length > 0);
    console.log(
      `seed ${seed}, ${cells[0]?.death.about}: ${cells.length} cells, ` +
        `${(played.virtualMs / 1000).toFixed(0)} s in ${(performance.now() - started).toFixed(0)} ms: ` +
        `${bad.length} went wrong${played.broken.length > 0 ? ', and the pair' : ''}`,
    );
    for (const text of played.broken.slice(0, 5)) console.log(`  ${text}`);
    for (const v of played.verdicts) {
      const told = values.tell !== '' && nameOf(v.cell) === values.tell;
      if (v.troubles.length === 0 && !told) continue;
      console.log(
        `  ${nameOf(v.cell)}, ${v.lead.toFixed(2)} ms before: ${v.troubles[0]?.what ?? 'well'}`,
      );
      if (!told) continue;
      for (const line of v.tale()) console.log(`    ${line}`);
      for (const t of v.troubles) console.log(`    ${t.at.toFixed(1)} ${t.what}\n${t.text}`);
    }
  }
}
const told = [picture(all), '', ...notYet(), summary(all, performance.now() - began)].join('\n');
console.log(`\n${told}`);
const kept = new URL('../../build/matrix.txt', import.meta.url);
mkdirSync(new URL('.', kept), { recursive: true });
writeFileSync(kept, `${told}\n`);
writeFileSync(new URL('matrix.md', kept), `${markdown(all)}\n`);
process.exitCode = all.some((p) => p.broken.length + wrong(p) > 0) ? 1 : 0;

function wrong(p: Played): number {
  return p.verdicts.filter((v) => v.troubles.length > 0).length;
}
