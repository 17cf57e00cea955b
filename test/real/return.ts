/**
 * How long phones with connections are away when the primary dies: each time from the kill to the 200
 * to the new REGISTER of 50, 90, 99 and 100 % of them.
 *
 *   node test/real/return.ts [--phones 500] [--transport tls|tcp] [--runs 5] [--kind kill|planned]
 *
 * Needs root (network namespaces). Measures; asserts nothing.
 */

import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { createLab, labName } from '../lab/lab.ts';
import { NODE } from '../lab/places.ts';

const { values } = parseArgs({
  options: {
    phones: { type: 'string', default: '500' },
    transport: { type: 'string', default: 'tls' },
    runs: { type: 'string', default: '5' },
    kind: { type: 'string', default: 'kill' },
  },
});

type Said = {
  readonly registered?: number;
  readonly back?: readonly number[];
  readonly lost?: number;
  readonly resumed?: number;
  readonly retries?: number;
  readonly error?: string;
  /** Who is not back, and how far each has come. */
  readonly missing?: string;
};

function share(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0;
}

const lab = await createLab({ name: labName('return') });
try {
  const command = [NODE, join(import.meta.dirname, 'client/returners.ts')];
  const child = lab.spawn('lan', [...command, values.transport, values.phones]);
  const waiting: ((said: Said) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const said = JSON.parse(line) as Said;
    if (said.error !== undefined) process.stderr.write(`phone: ${said.error}\n`);
    else if (said.missing !== undefined) process.stderr.write(`not back: ${said.missing}\n`);
    else waiting.shift()?.(said);
  });
  const next = (): Promise<Said> => new Promise((done) => waiting.push(done));
  await next();
  for (let run = 1; run <= Number(values.runs); run += 1) {
    await lab.ready(60_000);
    const { primary } = await lab.status();
    if (primary === null) throw new Error('nobody leads');
    const all = next();
    child.stdin.write('mark\n');
    if (values.kind === 'planned') await lab.switchover();
    else await lab.kill(primary);
    const slow = setInterval(() => child.stdin.write('how\n'), 10_000);
    const { back = [], lost = 0, resumed = 0, retries = 0 } = await all;
    clearInterval(slow);
    const sorted = [...back].sort((a, b) => a - b);
    const figures = [0.5, 0.9, 0.99, 1]
      .map((part) => `${share(sorted, part)}`.padStart(6))
      .join('');
    process.stdout.write(
      `run ${run}: ${back.length} ${values.transport} phones back, ms at 50/90/99/100 %:${figures}` +
        `  (${lost} noticed, ${resumed} sessions resumed, ${retries} tries failed)\n`,
    );
    if (values.kind !== 'planned') await lab.start(primary, { wait: false });
  }
  child.stdin.end();
} finally {
  await lab.down();
}
process.exit(0);
