/**
 * The outage a client sees, measured. Not a test: times depend on the machine.
 *
 *     ./build.sh outage [--runs 20] [--calls 50] [--kinds kill,planned,...] [--json FILE]
 *     ./build.sh outage --peer keepalived [--advert 1] [--runs 20] [--kinds ...] [--json FILE]
 *     ./build.sh outage --peer keepalived --stability 20       (seconds an interval and load)
 *
 * One pair with standing calls; a client on the LAN sends OPTIONS to the VIP every millisecond. An
 * event happens to the primary; the outage is the longest time between two answers around it. Then
 * the pair is made whole and in step again, and the next run begins. At the end every call that
 * stood through all of it is re-INVITEd and hung up. The peer gets the same client, in the same
 * namespaces, in front of a responder that knows no state.
 *
 * Columns of the table: `moved` runs after which the other box led; in the others the outage ended
 * with the repair after PATIENCE. `notice` from the event to the suspicion (what the backup needs to
 * notice), `prove` from there to proved silence (ARP probes), `reign` until that is on the disk,
 * `claim` until the VIP is owned, `answer` until the client has its first answer. The event is the
 * moment before the signal, command or cable is touched, so `notice` of a power-off contains the
 * lab's own work of pulling cables. `quiet` is the longest gap in a second in which nothing happened:
 * the noise.
 */

import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { statusOf } from '../lab/control.ts';
import { createLab, type Lab, removeLab } from '../lab/lab.ts';
import { type BoxName, other } from '../lab/places.ts';
import { gone, sleep } from '../lab/processes.ts';
import { RemotePinger } from './client/pinger.ts';
import { RemoteCrowd } from './client/remote.ts';
import { measurePeer, PEER_KINDS, stability } from './outage-peer.ts';
import { line, type Run, table } from './outage-table.ts';

/** How long an event lasts that nobody relieves, ms; an address of a frozen box lives two seconds. */
const PATIENCE = 4000;

type Kind = {
  readonly what: string;
  readonly strike: (lab: Lab, box: BoxName) => Promise<unknown>;
  /** Makes the pair whole again. */
  readonly repair: (lab: Lab, box: BoxName) => Promise<unknown>;
  /** False: roles should stay, and the wait for a takeover is short. */
  readonly moves: boolean;
};

const restart = async (lab: Lab, box: BoxName): Promise<void> => {
  if (lab.process(box) !== undefined) await lab.kill(box);
  await lab.start(box);
};

const nothing = async (): Promise<void> => {};

const KINDS: Readonly<Record<string, Kind>> = {
  planned: { what: 'switchover by the operator', strike: handOver, repair: nothing, moves: true },
  term: {
    what: 'SIGTERM',
    strike: (lab, box) => lab.kill(box, 'SIGTERM'),
    repair: restart,
    moves: true,
  },
  kill: { what: 'kill -9', strike: (lab, box) => lab.kill(box), repair: restart, moves: true },
  engine: {
    what: 'the engine is stuck, the sentry lives',
    strike: (lab, box) => lab.fault(`engine-${box}`),
    // The box may abort, or may have to be killed; with the thread held it cannot end by itself.
    repair: async (lab, box) => {
      const known = lab.process(box);
      await lab.undo(`engine-${box}`);
      const ended = known === undefined || (await gone(known, 1000));
      if (ended) await lab.start(box);
    },
    moves: true,
  },
  'power-off': {
    what: 'power off',
    strike: (lab, box) => lab.powerOff(box),
    repair: restart,
    moves: true,
  },
  freeze: {
    what: 'the process is frozen',
    strike: (lab, box) => lab.kill(box, 'SIGSTOP'),
    repair: (lab, box) => lab.kill(box, 'SIGCONT'),
    moves: true,
  },
  'lan-cable': {
    what: 'LAN cable of the primary',
    strike: (lab, box) => lab.cut(`lan-${box}`),
    repair: (lab, box) => lab.heal(`lan-${box}`),
    moves: true,
  },
  'lan-port': {
    what: 'its switch port fails, the carrier stays',
    strike: (lab, box) => lab.fault(`port-${box}`),
    repair: (lab, box) => lab.undo(`port-${box}`),
    moves: true,
  },
  'x-cut': {
    what: 'the crossover is cut: roles stay',
    strike: (lab) => lab.cut('x'),
    repair: (lab) => lab.heal('x'),
    moves: false,
  },
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
    kinds: { type: 'string' },
    peer: { type: 'string' },
    advert: { type: 'string', default: '1' },
    stability: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const HELP = `./build.sh outage [options]     what a client sees of a switchover, pinging every millisecond

  --runs N           of each kind, 20
  --kinds A,B        ${Object.keys(KINDS).join(', ')}
  --calls N          standing calls, 50
  --json FILE        all runs
  --peer keepalived  keepalived and a responder without state instead:
                     ${PEER_KINDS.join(', ')}
  --advert S         its interval of advertisement, 1
  --stability S      with --peer: changes of master in S seconds a interval, quiet and under load`;

if (values.help) {
  console.log(HELP);
  process.exit(0);
}

async function handOver(lab: Lab): Promise<void> {
  const { ok, text } = await lab.switchover();
  if (!ok) throw new Error(`switchover refused: ${text}`);
}

/** The takeover of `box` into `epoch`, undefined when there was none in `patience` ms. */
async function took(
  lab: Lab,
  box: BoxName,
  epoch: number,
  patience: number,
): Promise<Took | undefined> {
  for (const end = performance.now() + patience; performance.now() < end; ) {
    const status = await statusOf(lab.places.control(box));
    const last = status?.lastSwitchover as Took | undefined;
    if (last?.epoch === epoch && last.claimedAt > 0) return last;
    await sleep(20);
  }
  return undefined;
}

async function once(lab: Lab, pinger: RemotePinger, name: string, kind: Kind): Promise<Run> {
  const before = await lab.ready(60_000);
  const box = before.primary as BoxName;
  const epoch = before.boxes[box].status?.epoch ?? 0;
  const calm = await pinger.mark();
  await sleep(1000);
  const quiet = await pinger.since(calm);
  const mark = await pinger.mark();
  await kind.strike(lab, box);
  const took_ = await took(lab, other(box), epoch + 1, kind.moves ? PATIENCE : 1000);
  if (took_ === undefined) await kind.repair(lab, box);
  await sleep(1000);
  const seen = await pinger.since(mark);
  if (took_ !== undefined) await kind.repair(lab, box);
  return {
    kind: name,
    outage: seen.ms,
    lost: seen.lost,
    moved: took_ !== undefined,
    steps: took_ && {
      notice: took_.suspectedAt - mark,
      prove: took_.provedAt - took_.suspectedAt,
      reign: took_.durableAt - took_.provedAt,
      claim: took_.claimedAt - took_.durableAt,
      answer: seen.to - took_.claimedAt,
    },
    quiet: quiet.ms,
    load: loadavg()[0] ?? 0,
  };
}

function kindsOf(all: readonly string[]): string[] {
  return (values.kinds ?? all.join(',')).split(',').map((word) => {
    if (!all.includes(word)) throw new Error(`--kinds: ${all.join(', ')}; not ${word}`);
    return word;
  });
}

async function measure(lab: Lab): Promise<Run[]> {
  const runs: Run[] = [];
  const crowd = await RemoteCrowd.start(lab);
  const pinger = new RemotePinger(lab);
  await crowd.register();
  await crowd.establish(Number(values.calls));
  await sleep(500);
  for (const name of kindsOf(Object.keys(KINDS))) {
    for (let i = 1; i <= Number(values.runs); i++) {
      const run = await once(lab, pinger, name, KINDS[name] as Kind);
      runs.push(run);
      console.log(line(run, i));
    }
  }
  await lab.ready(60_000);
  const renewed = await crowd.reinvite(0, 'end');
  const ended = await crowd.hangUp(1);
  const book = await crowd.book();
  const wrong = [...renewed.failed, ...ended.failed, ...book.violations];
  console.log(
    `calls: ${renewed.ok} of ${values.calls} re-INVITEd at the end, ${ended.ok} hung up; ` +
      `${book.violated} violations${wrong.map((v) => `\n  ${v}`).join('')}`,
  );
  return runs;
}

async function ofPeer(lab: Lab): Promise<Run[]> {
  if (values.peer !== 'keepalived') throw new Error(`--peer: keepalived; not ${values.peer}`);
  if (values.stability !== undefined) {
    await stability(lab, Number(values.stability));
    return [];
  }
  return measurePeer(lab, Number(values.advert), kindsOf(PEER_KINDS), Number(values.runs));
}

const ours = values.peer === undefined;
const name = `outage-${process.pid}`;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => void removeLab(name).finally(() => process.exit(130)));
}
// one switchover after the other, by itself: the flap guard would hold them, as it should
const config = { timers: { flapMs: 0, flapMost: 100, flapWindowMs: 0 } };
const lab = await createLab({ name, idle: !ours, config });
try {
  const runs = ours ? await measure(lab) : await ofPeer(lab);
  const who = ours ? 'sipair' : `keepalived, advert ${values.advert} s`;
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, node ${process.version}`;
  if (runs.length > 0) {
    console.log(`\n${who}; ${machine}`);
    console.log(table(ours ? Object.keys(KINDS) : PEER_KINDS, runs));
  }
  const record = { who, machine, at: new Date().toISOString(), runs };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(record, null, 1)}\n`);
} finally {
  await lab.down();
}
process.exit(0);
