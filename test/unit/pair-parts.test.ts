import test from 'ava';
import fc from 'fast-check';
import { NEVER } from '../../src/base/units.ts';
import { Announcer, Prober } from '../../src/pair/announce.ts';
import { Detector } from '../../src/pair/detector.ts';
import { noStanding, STANDING_AT, STANDING_BYTES, StandingCell } from '../../src/pair/standing.ts';

test('detector: green, yellow after one and a half intervals, red after four and a half', (t) => {
  const d = new Detector(25, 4);
  t.is(d.colour('x', 0), 'red', 'never heard');
  t.is(d.deadline(0), NEVER);
  d.heard('x', 100);
  t.is(d.colour('x', 137), 'green');
  t.is(d.colour('x', 137.5), 'yellow');
  t.is(d.colour('x', 212.4), 'yellow');
  t.is(d.colour('x', 212.5), 'red');
  t.is(d.deadline(100), 212.5);
  t.is(d.colour('l', 110), 'red');
  t.false(d.silent(110));
  t.true(d.silent(212.5));
  d.heard('l', 150);
  t.false(d.silent(212.5));
  t.is(d.deadline(212.5), 262.5);
  d.forget();
  t.true(d.silent(151));
});

test('detector: our own sleep is not the death of the other', (t) => {
  const d = new Detector(25, 4);
  d.heard('x', 1000);
  d.excuse(1010, 3000); // looked last at 1010, again at 3000
  t.is(d.colour('x', 3000), 'yellow');
  t.is(d.colour('x', 3074), 'yellow');
  t.is(d.colour('x', 3075), 'red');
  d.excuse(4000, 9000); // was red already when we fell asleep
  t.is(d.colour('x', 9000), 'red');
  t.is(d.colour('l', 9000), 'red');
});

test('announcer: at once, the burst, then the refresh; late ones are sent, not skipped', (t) => {
  const run = (look: (next: number) => number): number[] => {
    const a = new Announcer([0, 50, 150], 1000);
    t.is(a.deadline(), NEVER);
    t.false(a.due(5));
    a.begin(10);
    const sent: number[] = [];
    while (sent.length < 6) {
      const now = look(a.deadline());
      if (a.due(now)) sent.push(now);
    }
    a.end();
    t.is(a.deadline(), NEVER);
    return sent;
  };
  t.deepEqual(
    run((next) => next),
    [10, 60, 160, 1160, 2160, 3160],
  );
  t.deepEqual(
    run((next) => Math.max(next, 500)),
    [500, 500, 500, 1500, 2500, 3500],
  );
});

test('prober: two asks, a wait each, then quiet; rounds come slower', (t) => {
  const p = new Prober(10);
  t.is(p.due(0), 'nothing');
  p.begin(100);
  t.is(p.due(100), 'ask');
  t.is(p.due(109), 'nothing');
  t.is(p.due(110), 'ask');
  t.is(p.deadline(), 120);
  p.extend(115);
  t.is(p.deadline(), 120);
  p.extend(131);
  t.is(p.due(120), 'nothing');
  t.is(p.due(131), 'quiet');
  t.is(p.deadline(), NEVER);
  const starts: number[] = [];
  for (let i = 0; i < 7; i += 1) {
    p.again(1000);
    starts.push(p.deadline() - 1000);
  }
  t.deepEqual(starts, [10, 20, 30, 40, 50, 50, 50]);
});

test('prober: a look that comes late does not count as silence, but not for ever', (t) => {
  const p = new Prober(10);
  p.begin(0);
  t.is(p.due(0), 'ask');
  t.is(p.due(500), 'ask', 'the second ask is counted from when it went out');
  t.is(p.deadline(), 510);
  t.is(p.due(600), 'nothing');
  t.is(p.deadline(), 602);
  t.is(p.due(602), 'quiet');

  const busy = new Prober(10);
  busy.begin(0);
  let now = 0;
  const steps: string[] = [];
  while (steps.at(-1) !== 'quiet') {
    steps.push(busy.due(now));
    now += 100;
  }
  t.deepEqual(steps, ['ask', 'ask', 'nothing', 'nothing', 'nothing', 'quiet']);
});

test('standing: what one thread writes the other reads', (t) => {
  const memory = new SharedArrayBuffer(STANDING_BYTES);
  const writer = new StandingCell(memory);
  const reader = new StandingCell(memory);
  const seen = noStanding();
  t.true(reader.read(seen));
  t.deepEqual(seen, noStanding());
  fc.assert(
    fc.property(
      fc.record({
        epoch: fc.nat(),
        lsn: fc.maxSafeNat(),
        chain: fc.nat(),
        inStep: fc.boolean(),
        peerStale: fc.boolean(),
        turns: fc.nat(),
        pairNow: fc.maxSafeNat(),
        linkUp: fc.boolean(),
        calls: fc.nat(),
        inStepAt: fc.maxSafeNat(),
      }),
      (s) => {
        writer.write(s);
        t.true(reader.read(seen));
        t.deepEqual(seen, s);
      },
    ),
  );
  t.deepEqual(
    Object.values(STANDING_AT),
    Array.from({ length: STANDING_BYTES / 8 - 1 }, (_, i) => i + 1),
  );
});

test('standing: a half-written picture is not read', (t) => {
  const memory = new SharedArrayBuffer(STANDING_BYTES);
  const cell = new StandingCell(memory);
  const seen = noStanding();
  cell.write({ ...noStanding(), lsn: 7 });
  t.true(cell.read(seen));
  const version = new Int32Array(memory, 0, 1);
  version[0] = (version[0] as number) + 1; // the writer was stopped here
  new Float64Array(memory)[STANDING_AT.lsn] = 8;
  t.false(cell.read(seen));
  t.is(seen.lsn, 7);
});
