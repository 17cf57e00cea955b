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
 * `claim` from there to owning the VIP (probes, durable reign), `answer` from there to the first
 * answer the client has. The event is the moment before the signal, command or cable is touched, so
 * `notice` of a power-off contains the lab's own work of pulling cables.
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
  readonly claim: number;
  readonly answer: number;
  /** Longest gap in the second before, when nothing happened: the noise of the machine. */
  readonly quiet: number;
  readonly load: number;
};

/** What a box says of the takeover it did, on the machine's monotonic clock. */
type Took = { readonly epoch: number; readonly suspectedAt: number; readonly claimedAt: number };

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
    claim: took_.claimedAt - took_.suspectedAt,
    answer: seen.to - took_.claimedAt,
    quiet: quiet.ms,
    load: loadavg()[0] ?? 0,
  };
}

function share(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

const ms = (x: number): string => x.toFixed(1).padStart(8);

function table(runs: readonly Run[]): string {
  const lines = [
    'kind         runs   median      p99      max   notice    claim   answer    quiet  (ms; the last four: medians)',
  ];
  for (const kind of KINDS) {
    const of = runs.filter((run) => run.kind === kind);
    if (of.length === 0) continue;
    const column = (key: 'outage' | 'notice' | 'claim' | 'answer' | 'quiet'): number[] =>
      of.map((run) => run[key]).sort((a, b) => a - b);
    const outage = column('outage');
    lines.push(
      `${kind.padEnd(10)} ${String(of.length).padStart(6)} ${ms(share(outage, 0.5))} ` +
        `${ms(share(outage, 0.99))} ${ms(share(outage, 1))} ${ms(share(column('notice'), 0.5))} ` +
        `${ms(share(column('claim'), 0.5))} ${ms(share(column('answer'), 0.5))} ` +
        `${ms(share(column('quiet'), 0.5))}`,
    );
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
        `${kind} ${i + 1}: ${run.outage.toFixed(1)} ms (notice ${run.notice.toFixed(1)}, claim ` +
          `${run.claim.toFixed(1)}, answer ${run.answer.toFixed(1)}), ${run.lost} pings lost, quiet ` +
          `${run.quiet.toFixed(1)}, load ${run.load.toFixed(1)}`,
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
