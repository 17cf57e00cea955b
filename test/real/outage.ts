/**
 * The outage a client sees, measured. Not a test: times depend on the machine.
 *
 *     node test/real/outage.ts [--runs 20] [--calls 50] [--kinds kill,power-off,planned] [--json FILE]
 *
 * One pair with standing calls; a client on the LAN sends OPTIONS to the VIP every millisecond. An
 * event happens to the primary; the outage is the longest time between two answers around it. Then
 * the pair is made whole and in step again, and the next run begins. At the end every call that
 * stood through all of it is re-INVITEd and hung up.
 *
 * Columns of the table: `notice` from the event to the suspicion (what the backup needs to notice),
 * `prove` from there to proved silence (ARP probes), `reign` until that is on the disk, `claim` until
 * the VIP is owned, `answer` until the client has its first answer. The event is the moment before
 * the signal, command or cable is touched, so `notice` of a power-off contains the lab's own work of
 * pulling cables. `quiet` is the longest gap in a second in which nothing happened: the noise.
 */

import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { statusOf } from '../lab/control.ts';
import { createLab, type Lab } from '../lab/lab.ts';
import { type BoxName, other } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { RemotePinger } from './client/pinger.ts';
import { RemoteCrowd } from './client/remote.ts';

const KINDS = ['kill', 'power-off', 'planned'] as const;
type Kind = (typeof KINDS)[number];

type Run = {
  readonly kind: Kind;
  readonly outage: number;
  readonly lost: number;
  readonly notice: number;
  readonly prove: number;
  readonly reign: number;
  readonly claim: number;
  readonly answer: number;
  readonly quiet: number;
  readonly load: number;
};

/** What a box says of the takeover it did, on the machine's monotonic clock. */
type Took = {
  readonly epoch: number;
  readonly suspectedAt: number;
  readonly provedAt: number;
  readonly durableAt: number;
  readonly claimedAt: number;
};

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    calls: { type: 'string', default: '50' },
    kinds: { type: 'string', default: KINDS.join(',') },
    json: { type: 'string' },
  },
});

async function strike(lab: Lab, kind: Kind, box: BoxName): Promise<void> {
  if (kind === 'kill') await lab.kill(box);
  else if (kind === 'power-off') await lab.powerOff(box);
  else {
    const { ok, text } = await lab.switchover();
    if (!ok) throw new Error(`switchover refused: ${text}`);
  }
}

async function took(lab: Lab, box: BoxName, epoch: number): Promise<Took> {
  for (let tries = 0; tries < 200; tries++) {
    const status = await statusOf(lab.places.control(box));
    const last = status?.lastSwitchover as Took | undefined;
    if (last?.epoch === epoch) return last;
    await sleep(20);
  }
  throw new Error(`box ${box} did not take over`);
}

async function once(lab: Lab, pinger: RemotePinger, kind: Kind): Promise<Run> {
  const before = await lab.ready(60_000);
  const box = before.primary as BoxName;
  const epoch = before.boxes[box].status?.epoch ?? 0;
  const calm = await pinger.mark();
  await sleep(1000);
  const quiet = await pinger.since(calm);
  const mark = await pinger.mark();
  await strike(lab, kind, box);
  const took_ = await took(lab, other(box), epoch + 1);
  await sleep(1000);
  const seen = await pinger.since(mark);
  if (kind !== 'planned') await lab.start(box);
  return {
    kind,
    outage: seen.ms,
    lost: seen.lost,
    notice: took_.suspectedAt - mark,
    prove: took_.provedAt - took_.suspectedAt,
    reign: took_.durableAt - took_.provedAt,
    claim: took_.claimedAt - took_.durableAt,
    answer: seen.to - took_.claimedAt,
    quiet: quiet.ms,
    load: loadavg()[0] ?? 0,
  };
}

function share(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

const ms = (x: number): string => x.toFixed(1).padStart(8);

const STEPS = ['notice', 'prove', 'reign', 'claim', 'answer', 'quiet'] as const;

function table(runs: readonly Run[]): string {
  const head = ['median', 'p99', 'max', ...STEPS].map((word) => word.padStart(8)).join('');
  const lines = [`${'kind'.padEnd(10)}runs${head}  (ms; steps: medians)`];
  for (const kind of KINDS) {
    const of = runs.filter((run) => run.kind === kind);
    if (of.length === 0) continue;
    const column = (key: 'outage' | (typeof STEPS)[number]): number[] =>
      of.map((run) => run[key]).sort((a, b) => a - b);
    const outage = column('outage');
    const shares = [0.5, 0.99, 1].map((q) => ms(share(outage, q))).join('');
    const steps = STEPS.map((key) => ms(share(column(key), 0.5))).join('');
    lines.push(`${kind.padEnd(10)}${String(of.length).padStart(4)}${shares}${steps}`);
  }
  return lines.join('\n');
}

function kindsOf(text: string): Kind[] {
  return text.split(',').map((word) => {
    const kind = KINDS.find((one) => one === word);
    if (kind === undefined) throw new Error(`--kinds: ${KINDS.join(', ')}; not ${word}`);
    return kind;
  });
}

async function measure(lab: Lab): Promise<Run[]> {
  const runs: Run[] = [];
  const crowd = await RemoteCrowd.start(lab);
  const pinger = new RemotePinger(lab);
  await crowd.register();
  await crowd.establish(Number(values.calls));
  await sleep(500);
  for (const kind of kindsOf(values.kinds)) {
    for (let i = 0; i < Number(values.runs); i++) {
      const run = await once(lab, pinger, kind);
      runs.push(run);
      console.log(
        `${kind} ${i + 1}: ${run.outage.toFixed(1)} ms, ${run.lost} pings lost; ` +
          `${STEPS.map((step) => `${step} ${run[step].toFixed(1)}`).join(', ')}; load ` +
          run.load.toFixed(1),
      );
    }
  }
  await lab.ready(60_000);
  const renewed = await crowd.reinvite(0, 'end');
  const ended = await crowd.hangUp(1);
  const book = await crowd.book();
  console.log(
    `calls: ${renewed.ok} of ${values.calls} re-INVITEd at the end, ${ended.ok} hung up; ` +
      `${book.violated} violations${[...renewed.failed, ...ended.failed, ...book.violations].map((v) => `\n  ${v}`).join('')}`,
  );
  return runs;
}

const lab = await createLab({ name: `outage-${process.pid}` });
try {
  const runs = await measure(lab);
  console.log(`\n${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, node ${process.version}`);
  console.log(table(runs));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(runs, null, 1)}\n`);
} finally {
  await lab.down();
}
process.exit(0);
