/** `./build.sh model`: looks through histories within the given limits and tells the first bad one. */

import { parseArgs } from 'node:util';
import { variant } from './adapter.ts';
import { KINDS } from './deviations.ts';
import { options, PROPERTIES } from './properties.ts';
import { coldPair, type Limits, type Result, Search, steadyPair } from './search.ts';
import { transcript } from './transcript.ts';

const HELP = `model: every history of a pair within limits, shortest first
  --total N      deviations in one history (3)
  --crashes N --pauses N --cuts N --lans N --operators N --loses N --lates N
                 --stucks N --witnesses N --ports N of each kind (2 1 1 …)
  --samples N    deviations from worlds that look alike: so often each; 0 always (1)
  --depth N      steps (2000)   --states N (2000000)   --seconds N (300)
  --live N       the fair run from every Nth new state; 0 none (8)
  --witness      the pair has a witness on its LAN   --fence  it has a fence
  --cold         from two new boxes just switched on, not from a steady pair
  --all          goes on after a finding: one of each property
  --only P       looks at one property: one-voice voice-has-vip one-face lan epoch no-amnesia live
  --strict       amnesia and epochs also when nobody running knows better
  --residual     a box may be frozen while its LAN is down
  --full         transcripts with every heartbeat`;

const { values } = parseArgs({
  options: {
    total: { type: 'string', default: '3' },
    crashes: { type: 'string', default: '2' },
    pauses: { type: 'string', default: '1' },
    cuts: { type: 'string', default: '1' },
    lans: { type: 'string', default: '1' },
    operators: { type: 'string', default: '1' },
    loses: { type: 'string', default: '1' },
    lates: { type: 'string', default: '1' },
    stucks: { type: 'string', default: '1' },
    witnesses: { type: 'string', default: '1' },
    ports: { type: 'string', default: '1' },
    samples: { type: 'string', default: '1' },
    depth: { type: 'string', default: '2000' },
    states: { type: 'string', default: '2000000' },
    seconds: { type: 'string', default: '300' },
    live: { type: 'string', default: '8' },
    witness: { type: 'boolean', default: false },
    fence: { type: 'boolean', default: false },
    cold: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    strict: { type: 'boolean', default: false },
    residual: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function count(name: keyof typeof values): number {
  const n = Number(values[name]);
  if (!Number.isInteger(n) || n < 0) throw new Error(`--${name}: a whole number`);
  return n;
}

function limits(): Limits {
  return {
    total: count('total'),
    budget: {
      crash: count('crashes'),
      pause: count('pauses'),
      cut: count('cuts'),
      lan: count('lans'),
      operator: count('operators'),
      lose: count('loses'),
      late: count('lates'),
      stuck: count('stucks'),
      witness: count('witnesses'),
      port: count('ports'),
    },
    depth: count('depth'),
    states: count('states'),
    seconds: count('seconds'),
    samples: count('samples'),
    liveEvery: count('live'),
  };
}

function tell(r: Result): void {
  const rate = (r.states / r.seconds).toFixed(0);
  const memory = (process.memoryUsage().rss / 1e6).toFixed(0);
  console.log(
    `${r.states} states, ${r.transitions} transitions, ${r.fairRuns} fair runs, ` +
      `${r.depth} steps deep, ${r.seconds.toFixed(1)} s (${rate}/s), ${memory} MB`,
  );
  const how = r.capped ? 'sampled by outline' : 'all of them';
  console.log(`complete up to ${r.complete} deviations (${how}); ended: ${r.stopped}`);
}

if (values.help) console.log(HELP);
else {
  options.strict = values.strict;
  options.residual = values.residual;
  variant.witness = values.witness;
  variant.fence = values.fence;
  const root = values.cold ? coldPair() : steadyPair();
  root.only = PROPERTIES.find((p) => p === values.only) ?? '';
  if (root.only !== values.only) throw new Error(`--only: one of ${PROPERTIES.join(' ')}`);
  const search = new Search(limits(), undefined, values.all);
  search.onProgress = (text) => console.log(text);
  console.log(`kinds of deviations: ${KINDS.join(', ')}`);
  const result = search.run(root);
  for (const f of result.found) {
    console.log(`\n${f.property}: ${f.text}`);
    console.log(`${f.deviations} deviations, ${f.choices.length} steps`);
    for (const line of transcript(root, f.choices, {}, !values.full)) console.log(line);
  }
  tell(result);
  process.exitCode = result.found.length > 0 ? 1 : 0;
}
