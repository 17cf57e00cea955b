import test from 'ava';
import fc from 'fast-check';
import {
  type Candidate,
  type Looking,
  outranks,
  RULES,
  verdict,
} from '../../src/pair/cold-start.ts';
import { ACTION_OF, GUARD_OF } from '../../src/pair/sentry-moves.ts';
import { ROWS, rowsFor, STEPS } from '../../src/pair/takeover.ts';
import { ACTIONS, EVENTS, GUARDS, PHASE_ROLE, PHASES } from '../../src/pair/takeover-words.ts';

test('every phase answers every event: guarded rows, then exactly one without guard', (t) => {
  for (const phase of PHASES) {
    for (const event of EVENTS) {
      const rows = rowsFor(phase, event);
      const open = rows.findIndex((row) => row.guard === undefined);
      t.true(open >= 0, `${phase} × ${event}: no answer when no guard holds`);
      // an 'ignore' that names several phases may stand behind another in one of them, never be dead
      for (const row of rows.slice(open + 1)) {
        const alive = row.in.some((p) => {
          const at = rowsFor(p, event).indexOf(row);
          return rowsFor(p, event)
            .slice(0, at)
            .every((before) => before.guard !== undefined);
        });
        t.true(alive, `${phase} × ${event}: dead row "${row.why}"`);
      }
    }
  }
});

test('every row has a reason, every guard and action is used and has a meaning', (t) => {
  const guards = new Set(ROWS.flatMap((row) => (row.guard === undefined ? [] : [row.guard])));
  const actions = new Set(ROWS.flatMap((row) => row.do));
  t.deepEqual(
    [...guards].sort(),
    Object.keys(GUARDS).sort() as typeof guards extends Set<infer G> ? G[] : never,
  );
  t.deepEqual(
    [...actions].sort(),
    Object.keys(ACTIONS).sort() as typeof actions extends Set<infer A> ? A[] : never,
  );
  t.deepEqual(Object.keys(GUARD_OF).sort(), Object.keys(GUARDS).sort());
  t.deepEqual(Object.keys(ACTION_OF).sort(), Object.keys(ACTIONS).sort());
  for (const row of ROWS) t.true(row.why.length > 0 && row.in.length > 0);
});

test('every phase can be reached, and left', (t) => {
  const reached = new Set(['loading']);
  for (;;) {
    const before = reached.size;
    for (const row of ROWS) {
      if (row.to === undefined || !row.in.some((p) => reached.has(p))) continue;
      if (row.to !== 'origin') reached.add(row.to);
    }
    if (reached.size === before) break;
  }
  t.deepEqual([...reached].sort(), [...PHASES].sort());
  for (const phase of PHASES) {
    t.true(ROWS.some((row) => row.in.includes(phase) && row.to !== undefined && row.to !== phase));
  }
});

test('a voice is given in one place, and taken wherever a leading phase ends', (t) => {
  const leads = (role: string): boolean => role === 'primary' || role === 'resigning';
  for (const row of ROWS) {
    const speaks = row.do.includes('speak');
    t.is(speaks, row.do.includes('lease'));
    t.is(speaks, row.to === 'primary' && row.on === 'vip-up');
    if (speaks) t.deepEqual(row.do.slice(0, 3), ['announce', 'lease', 'speak']);
    if (row.to === undefined || row.to === 'origin') continue;
    for (const phase of row.in) {
      if ((phase === 'primary' || phase === 'flushing') && !leads(PHASE_ROLE[row.to])) {
        const first = row.do.filter((action) => action !== 'farewell').slice(0, 2);
        t.deepEqual(first, ['silence', 'drop'], `${phase} × ${row.on}`);
      }
    }
    if (row.to === 'dropping') t.deepEqual(row.do, ['silence', 'farewell', 'drop']);
    if (row.to === 'claiming') t.true(row.do.includes('claim'));
    if (row.in.includes('claiming') && row.to !== 'primary') t.true(row.do.includes('drop'));
  }
});

test('nothing but silence, a goodbye, a fence or the operator leads to a reign', (t) => {
  const to = ROWS.filter((row) => row.to === 'reigning').map((row) => `${row.on} ${row.guard}`);
  t.deepEqual(to.sort(), [
    'fenced may-stand',
    'goodbye may-succeed',
    'peer-gone may-stand',
    'peer-yields whole-and-up',
    'quiet may-stand',
  ]);
  const claims = ROWS.filter((row) => row.do.includes('claim')).map((r) => `${r.on} ${r.guard}`);
  t.deepEqual(claims.sort(), ['quiet reign-durable', 'reigning reign-in-time']);
});

test('the takeover steps name phases and events that exist, in the order of the phases', (t) => {
  let last = -1;
  for (const step of STEPS) {
    for (const event of step.confirmedBy) t.true(EVENTS.includes(event));
    const order = ['following', 'probing', 'reigning', 'claiming', 'primary'];
    const at = Math.min(...step.phase.map((p) => order.indexOf(p)).filter((n) => n >= 0));
    t.true(at >= last);
    last = at;
  }
});

const candidate = (box: 'a' | 'b'): fc.Arbitrary<Candidate> =>
  fc.record({
    box: fc.constant(box),
    fit: fc.boolean(),
    epoch: fc.integer({ min: 0, max: 3 }),
    recordEpoch: fc.integer({ min: 0, max: 3 }),
    lsn: fc.integer({ min: 0, max: 3 }),
    inStep: fc.boolean(),
    peerStale: fc.boolean(),
  });

test('of two boxes exactly one goes first, whoever compares', (t) => {
  fc.assert(
    fc.property(candidate('a'), candidate('b'), (a, b) => outranks(a, b) !== outranks(b, a)),
  );
  t.pass();
});

const NEW: Looking = {
  own: { box: 'b', fit: true, epoch: 3, recordEpoch: 3, lsn: 5, inStep: false, peerStale: false },
  lookedMs: 0,
  holdMs: 1000,
  ownLanUp: true,
  witnessLost: false,
  wasPrimary: false,
  fresh: false,
  marked: false,
  gone: false,
  stranger: false,
  peerUnfitMs: 0,
  peer: undefined,
};
const PEER: NonNullable<Looking['peer']> = {
  box: 'a',
  fit: true,
  epoch: 3,
  recordEpoch: 3,
  lsn: 5,
  inStep: false,
  peerStale: false,
  role: 'starting',
  loaded: true,
};

test('cold start, rule by rule: each can decide', (t) => {
  const late = { ...NEW, lookedMs: 1000 };
  const cases: readonly Looking[] = [
    { ...late, gone: true, wasPrimary: true },
    { ...late, ownLanUp: false, wasPrimary: true },
    { ...late, witnessLost: true, wasPrimary: true },
    { ...late, marked: true, wasPrimary: true },
    { ...late, wasPrimary: true, peer: { ...PEER, role: 'promoting', lsn: 0 } },
    { ...NEW, peer: { ...PEER, loaded: false, epoch: 0 } },
    { ...late, peerUnfitMs: 999, peer: { ...PEER, fit: false, lsn: 6 } },
    { ...NEW, peer: { ...PEER, lsn: 4 } },
    { ...late, wasPrimary: true, peer: PEER },
    { ...late, wasPrimary: true, stranger: true },
    { ...NEW, lookedMs: 999, wasPrimary: true },
    { ...late, own: { ...NEW.own, peerStale: true } },
    { ...late, wasPrimary: true },
    { ...late, fresh: true },
    late,
  ];
  t.is(cases.length, RULES.length);
  cases.forEach((looking, i) => {
    const rule = RULES[i]!;
    t.deepEqual(verdict(looking), { decision: rule.decision, why: rule.why });
  });
});

test('two boxes that hear each other never both stand, and in the end one does', (t) => {
  const box = (id: 'a' | 'b') =>
    fc.record({
      own: candidate(id),
      lookedMs: fc.integer({ min: 0, max: 2000 }),
      wasPrimary: fc.boolean(),
      peerUnfitMs: fc.integer({ min: 0, max: 2000 }),
    });
  fc.assert(
    fc.property(box('a'), box('b'), (a, b) => {
      const look = (me: typeof a, other: typeof a): Looking => ({
        ...NEW,
        own: me.own,
        lookedMs: me.lookedMs,
        wasPrimary: me.wasPrimary,
        peerUnfitMs: me.peerUnfitMs,
        peer: { ...other.own, role: 'starting', loaded: true },
      });
      const stands = [look(a, b), look(b, a)].filter((l) => verdict(l).decision === 'stand');
      const held = [a, b].every((l) => Math.min(l.lookedMs, l.peerUnfitMs) >= NEW.holdMs);
      return held ? stands.length === 1 : stands.length <= 1;
    }),
  );
  t.pass();
});

test('older tables wait for newer ones that cannot be served yet, and not for ever', (t) => {
  const peer = { ...PEER, fit: false };
  const ahead: readonly Partial<Candidate>[] = [{ recordEpoch: 4 }, { lsn: 6 }, { inStep: true }];
  for (const more of ahead) {
    for (const lookedMs of [0, 60_000]) {
      const looking: Looking = { ...NEW, lookedMs, peer: { ...peer, ...more } };
      t.is(verdict({ ...looking, peerUnfitMs: NEW.holdMs - 1 }).decision, 'wait');
      t.is(verdict({ ...looking, peerUnfitMs: NEW.holdMs }).decision, 'stand');
    }
  }
  t.is(verdict({ ...NEW, peer: { ...peer, lsn: 4 } }).decision, 'stand', 'it has nothing more');
});

test('a number without a record ranks nobody', (t) => {
  const back: Candidate = { ...NEW.own, box: 'a', epoch: 4, lsn: 1 };
  t.true(outranks({ ...NEW.own, inStep: true }, back));
  t.false(outranks({ ...NEW.own, inStep: true }, { ...back, recordEpoch: 4 }));
});
