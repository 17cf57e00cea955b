/**
 * Somebody on the service LAN has recorded every heartbeat, and sends them again: as they were, in
 * another order, twice, changed, cut, to the wrong box, while the pair works, after a switchover, and
 * while a box dies. The pair does what it would have done without him.
 */

import { join } from 'node:path';
import test from 'ava';
import type { BoxStatus } from '../lab/control.ts';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { BOXES, type BoxName, LAN_ADDRESS, LAN_MAC, NODE, other } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { Capture } from './capture.ts';

const PORT = 5405;
const RATE = 500;
const REPLAY = join(import.meta.dirname, 'client/replay.ts');

type Refused = { readonly [reason: string]: number };
type Status = BoxStatus & { readonly refused?: Refused };
/** Heartbeats by who said them. */
type Tape = Readonly<Record<BoxName, readonly Buffer[]>>;

async function record(lab: Lab, ms: number): Promise<Tape> {
  const captures = await Promise.all(BOXES.map((box) => Capture.of(lab, box)));
  await sleep(ms);
  const [a, b] = await Promise.all(captures.map((one) => one.end()));
  const beats = (frames: typeof a): Buffer[] =>
    (frames ?? []).flatMap((f) =>
      f.udp?.toPort === PORT ? [Buffer.from(f.udp.text, 'latin1')] : [],
    );
  return { a: beats(a), b: beats(b) };
}

/** One line of `replay.ts`: to a box, as if from the other. */
const line = (to: BoxName, bytes: Uint8Array): string =>
  `${LAN_MAC[to]} ${LAN_ADDRESS[to]} ${LAN_ADDRESS[other(to)]} ${Buffer.from(bytes).toString('hex')}`;

/** Sends the lines round and round; gives how many were sent. */
async function attack(lab: Lab, lines: readonly string[], seconds: number): Promise<number> {
  const child = lab.spawn('lan', [NODE, REPLAY, 'lan0', String(RATE), String(seconds)]);
  let said = '';
  let wrong = '';
  child.stdout.on('data', (bytes) => {
    said += String(bytes);
  });
  child.stderr.on('data', (bytes) => {
    wrong += String(bytes);
  });
  child.stdin.end(`${lines.join('\n')}\n`);
  const code = await new Promise((done) => child.once('exit', done));
  if (code !== 0) throw new Error(`replay: ${wrong}`);
  return Number(said);
}

/** Every line many ways: what a box may hear of somebody who has a recorder and no key. */
function variants(tape: Tape): string[] {
  const lines: string[] = [];
  for (const to of BOXES) {
    const heard = tape[other(to)];
    heard.forEach((bytes, i) => {
      lines.push(line(to, bytes), line(to, bytes)); // replayed, twice
      lines.push(line(to, heard[heard.length - 1 - i] as Buffer)); // backwards
      lines.push(line(to, tape[to][i % tape[to].length] as Buffer)); // reflected
      const bent = Buffer.from(bytes);
      const bit = 40 + ((i * 37) % ((bytes.length - 5) * 8));
      bent[bit >> 3] = (bent[bit >> 3] as number) ^ (1 << (bit & 7));
      lines.push(line(to, bent));
      lines.push(line(to, bytes.subarray(0, 24 + (i % (bytes.length - 24)))));
      const old = Buffer.from(bytes);
      old[4] = 1;
      lines.push(line(to, old));
    });
  }
  return lines;
}

async function statuses(lab: Lab): Promise<Readonly<Record<BoxName, Status>>> {
  const { a, b } = (await lab.status()).boxes;
  if (a.status === null || b.status === null) throw new Error('a box does not answer');
  return { a: a.status, b: b.status };
}

/** What must not move. */
const sane = (s: Status): object => ({ role: s.role, epoch: s.epoch, inStep: s.inStep });

function more(before: Status, after: Status, reason: string): number {
  return (after.refused?.[reason] ?? 0) - (before.refused?.[reason] ?? 0);
}

test('recordings, changed and unchanged, at 500 a second: counted by reason, and nothing else', async (t) => {
  const lab = await createLab({ name: labName('paths') });
  t.teardown(() => lab.down());
  const first = (await lab.status()).primary;
  const tape = await record(lab, 1500);
  t.true(tape.a.length > 40 && tape.b.length > 40, `${tape.a.length}, ${tape.b.length} heard`);
  const lines = variants(tape);

  // while the pair works
  const before = await statuses(lab);
  const sent = await attack(lab, lines, 4);
  t.true(sent > 1500, `${sent} sent`);
  let after = await statuses(lab);
  for (const box of BOXES) {
    t.deepEqual(sane(after[box]), sane(before[box]));
    const counts: readonly (readonly [string, number])[] = [
      ['replayed', 3],
      ['reflected', 1],
      ['heartbeat-forged', 0.9],
      ['heartbeat-length', 0.9],
      ['heartbeat-version', 1],
    ];
    for (const [reason, share] of counts) {
      const wanted = (sent / 14) * share * 0.7;
      const counted = more(before[box], after[box], reason);
      t.true(counted > wanted, `box ${box}: ${counted} × ${reason}, ${wanted.toFixed(0)} wanted`);
    }
  }

  // after a switchover: what the old primary said as primary is still only a recording
  t.true((await lab.switchover()).ok);
  const turned = await lab.ready();
  t.not(turned.primary, first);
  const middle = await statuses(lab);
  await attack(lab, lines, 3);
  after = await statuses(lab);
  for (const box of BOXES) {
    t.deepEqual(sane(after[box]), sane(middle[box]));
    t.true(more(middle[box], after[box], 'replayed') > 200);
  }

  // while the primary dies: its voice from the tape does not keep it alive
  const primary = turned.primary as BoxName;
  const backup = other(primary);
  const fresh = await record(lab, 1000);
  const noise = attack(
    lab,
    fresh[primary].map((bytes) => line(backup, bytes)),
    6,
  );
  await sleep(1500);
  await lab.powerOff(primary);
  await sleep(1500);
  const alone = (await lab.status()).boxes[backup].status as Status;
  t.is(alone.role, 'primary');
  t.true((alone.lastSwitchover?.tookMs ?? 9999) < 500, `${alone.lastSwitchover?.tookMs} ms`);

  // and a box that starts alone into recordings of its dead peer leads in the end
  await noise;
  await lab.kill(backup);
  const again = attack(
    lab,
    [...tape[primary], ...fresh[primary]].map((bytes) => line(backup, bytes)),
    16,
  );
  await lab.start(backup);
  const began = performance.now();
  let status: Status | null = null;
  while (performance.now() - began < 16_000 && status?.role !== 'primary') {
    await sleep(100);
    status = (await lab.status()).boxes[backup].status;
  }
  const took = performance.now() - began;
  t.is(status?.role, 'primary');
  t.true(took > 3000 && took < 13_000, `${took.toFixed(0)} ms`);
  t.true((status?.refused?.['stranger'] ?? 0) > 500);
  await again;
});
