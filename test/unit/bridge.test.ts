/**
 * Bridges: the machine is total; and whatever happens at whichever step (the box is replaced, somebody
 * hangs up), the phones find nothing to complain of, those who are connected hear each other's last
 * description, and no row is left once everybody has hung up.
 */

import test from 'ava';
import {
  BRIDGE_MACHINE,
  type BridgeEvent,
  bridgeCall,
  bridgeLegs,
  bridgeTo,
  cancelBridge,
  placeCall,
} from '../../src/call/bridge.ts';
import { BRIDGE } from '../../src/call/bridge-rows.ts';
import { publish } from '../../src/call/csta/publish.ts';
import { CCALL, EVENT } from '../../src/call/csta/rows.ts';
import { watched } from '../../src/call/events/watch.ts';
import { dismiss } from '../../src/call/parts.ts';
import { route } from '../../src/call/route.ts';
import { CALL, LEG, type Leg } from '../../src/call/rows.ts';
import type { Context } from '../../src/proto/context.ts';
import { Lab } from './call-lab.ts';
import { TransferPhone } from './transfer-phone.ts';

const STEP = 50;

const EVENTS: readonly BridgeEvent[] = [
  'ring',
  'answer',
  'accept',
  'refuse',
  'offer',
  'connect',
  'deny',
  'lose',
  'vanish',
  'cancel',
];

test('the machine is total', (t) => {
  for (const [state, row] of Object.entries(BRIDGE_MACHINE)) {
    t.deepEqual(Object.keys(row).sort(), [...EVENTS].sort(), state);
    for (const [event, cell] of Object.entries(row)) {
      const last = cell.act.at(-1);
      // an owner hears the end, unless it is his own wish
      if (cell.to === 'gone' && event !== 'cancel') t.regex(last ?? '', /^tell/, state + event);
    }
  }
});

type Cast = {
  readonly lab: Lab;
  readonly a: TransferPhone;
  readonly b: TransferPhone;
  readonly c: TransferPhone;
};
type Step = { readonly wait: number; readonly do: (cast: Cast) => boolean };

function command(lab: Lab, f: (cx: Context) => void): boolean {
  lab.cx.now = lab.now;
  const cx = watched(lab.cx);
  f(cx);
  publish(cx);
  return true;
}

function legOf(cx: Context, aor: string, n = 0): Leg {
  const all = [...cx.store.rows(LEG)].filter((l) => l.aor === aor && l.state === 'confirmed');
  return all.sort((x, y) => x.id - y.id)[n] as Leg;
}

function wayTo(cx: Context, number: string) {
  const way = route(cx, number);
  if (way.kind !== 'targets') throw new Error(`no way to ${number}`);
  return way;
}

const calls = (from: 'a' | 'b', number: string): Step => ({
  wait: 600,
  do: (cast) => {
    cast[from].call(number);
    return true;
  },
});
const lifts = (who: 'a' | 'b' | 'c', status = 200): Step => ({
  wait: 400,
  do: (cast) => cast[who].lift(status),
});
const asks = (f: (cx: Context) => void): Step => ({ wait: 600, do: ({ lab }) => command(lab, f) });
/** The one who was left over is told that he is. */
const dismissed = (aor: string, mate: string): Step => ({
  wait: 300,
  do: ({ lab }) => {
    const leg = legOf(lab.cx, aor);
    if (leg === undefined) return true;
    const joined = [...lab.cx.store.rows(LEG)].some(
      (l) => l.aor === mate && l.peer > 0 && l.peer !== l.id,
    );
    return joined && command(lab, (cx) => dismiss(cx, legOf(cx, aor)));
  },
});

const TALK = [calls('a', '1002'), lifts('b')] as const;
const plain = { called: '1003' };
const toCarol = (cx: Context): void => {
  bridgeTo(cx, legOf(cx, '1001'), wayTo(cx, '1003'), plain, 'none', 0);
};

type Play = { readonly steps: readonly Step[]; readonly pair: 'ac' | 'ab' | 'bc' | 'c' };

const PLAYS: Record<string, Play> = {
  'somebody new answers': {
    steps: [...TALK, asks(toCarol), lifts('c'), dismissed('1002', '1003')],
    pair: 'ac',
  },
  'somebody new refuses': { steps: [...TALK, asks(toCarol), lifts('c', 486)], pair: 'ab' },
  'somebody new is wanted no more': {
    steps: [
      ...TALK,
      asks(toCarol),
      asks((cx) => {
        for (const b of [...cx.store.rows(BRIDGE)]) cancelBridge(cx, b);
      }),
    ],
    pair: 'ab',
  },
  'two who are there': {
    steps: [
      ...TALK,
      calls('b', '1003'),
      lifts('c'),
      asks((cx) => {
        bridgeLegs(cx, legOf(cx, '1001'), legOf(cx, '1003'), 'none', 0);
      }),
      {
        wait: 500,
        do: ({ lab }) =>
          lab.cx.store.count(BRIDGE) === 0 &&
          command(lab, (cx) => {
            const [stays, other] = [legOf(cx, '1001'), legOf(cx, '1003')];
            if (stays?.peer === undefined || stays.peer !== other?.id) return;
            dismiss(cx, legOf(cx, '1002', 1));
            dismiss(cx, legOf(cx, '1002'));
          }),
      },
    ],
    pair: 'ac',
  },
  'a consultation that rings': {
    steps: [
      ...TALK,
      calls('b', '1003'),
      asks((cx) => {
        const call = [...cx.store.rows(CALL)].find((x) => x.called === '1003');
        if (call !== undefined) bridgeCall(cx, legOf(cx, '1001'), call, 'none', 0);
      }),
      lifts('c'),
      dismissed('1002', '1003'),
    ],
    pair: 'ac',
  },
  'the same two once more': {
    steps: [
      ...TALK,
      asks((cx) => {
        bridgeLegs(cx, legOf(cx, '1001'), legOf(cx, '1002'), 'none', 0);
      }),
    ],
    pair: 'ab',
  },
  'somebody is placed': {
    steps: [
      asks((cx) => {
        const how = { called: '1003', from: '<sip:1001@192.0.2.10>' };
        placeCall(cx, { kind: 'internal' }, wayTo(cx, '1003'), how, 'none', 0);
      }),
      lifts('c'),
    ],
    pair: 'c',
  },
};

type Death = 'said' | 'unsaid' | 'forgotten';
type Blow = Death | 'a' | 'b' | 'c';

function attempt(step: Step, cast: Cast): boolean {
  try {
    return step.do(cast);
  } catch {
    return true;
  }
}

function play(
  p: Play,
  at: number,
  blow: Blow,
  before: (cast: Cast) => void = () => {},
): Cast & { inputs: number; done: boolean } {
  const lab = new Lab();
  const a = new TransferPhone(lab, '1001', '192.0.2.1');
  const b = new TransferPhone(lab, '1002', '192.0.2.2');
  const c = new TransferPhone(lab, '1003', '192.0.2.3');
  const cast = { lab, a, b, c };
  for (const phone of [a, b, c]) lab.register(phone);
  before(cast);
  let inputs = 0;
  let struck = false;
  const receive = lab.receive.bind(lab);
  lab.receive = (ip, port, text): void => {
    const before = lab.air.length;
    inputs += 1;
    if (inputs !== at) {
      receive(ip, port, text);
      return;
    }
    if (blow !== 'forgotten') receive(ip, port, text);
    struck = true;
    if (blow === 'a' || blow === 'b' || blow === 'c') return;
    if (blow === 'unsaid') lab.air.length = before;
    lab.swap(false);
  };
  let next = 0;
  let from = lab.now;
  for (let ms = 0; ms < 45_000; ms += STEP) {
    if (struck && (blow === 'a' || blow === 'b' || blow === 'c')) {
      for (const talk of cast[blow].living()) cast[blow].bye(talk);
      struck = cast[blow].living().length > 0;
    }
    const step = p.steps[next];
    const hurt = blow.length === 1 && inputs >= at && at > 0;
    if (step !== undefined && step.wait <= lab.now - from) {
      // whoever was to do it may be gone
      if (hurt ? attempt(step, cast) || lab.now - from > 3000 : step.do(cast)) {
        next += 1;
        from = lab.now;
      }
    }
    for (const phone of [a, b, c]) phone.act();
    lab.pass(STEP);
  }
  return { ...cast, inputs, done: next === p.steps.length };
}

/** Everybody who has somebody heard last what that one described. */
function faults({ lab, a, b, c }: Cast): string[] {
  const out: string[] = [];
  // a BYE and our INVITE may cross (RFC 5407 3.1.3)
  const crossed = 're-INVITE when over';
  for (const phone of [a, b, c]) out.push(...phone.complaints.filter((x) => x !== crossed));
  for (const phone of [a, b, c]) if (!phone.idle) out.push(`${phone.user} waits for an answer`);
  if (lab.cx.store.count(BRIDGE) > 0) out.push('a bridge is left');
  const living = [a, b, c].flatMap((p) => p.living().map((t) => ({ p, t })));
  for (const leg of lab.cx.store.rows(LEG)) {
    if (leg.state !== 'confirmed') continue;
    if (!living.some((l) => l.t.callId === leg.callId))
      out.push(`${leg.aor}: a leg without a phone`);
    const mate =
      leg.peer === 0 || leg.peer === leg.id ? undefined : lab.cx.store.get(LEG, leg.peer);
    if (leg.peer > 0 && leg.peer !== leg.id && mate?.peer !== leg.id)
      out.push(`${leg.aor} dangles`);
    const own = living.find((l) => l.t.callId === leg.callId);
    if (mate !== undefined && own !== undefined && !own.t.heard.includes(`s=${mate.aor}v`)) {
      out.push(`${leg.aor} heard ${/s=\S+/.exec(own.t.heard)?.[0]}, not ${mate.aor}`);
    }
  }
  return out;
}

function end(cast: Cast, first: number): string[] {
  const { lab, a, b, c } = cast;
  const phones = [a, b, c];
  for (let i = 0; i < 3; i += 1) {
    const phone = phones[(first + i) % 3] as TransferPhone;
    for (const talk of phone.living()) phone.bye(talk);
    for (let ms = 0; ms < 1000; ms += STEP) {
      for (const p of phones) p.act();
      lab.pass(STEP);
    }
  }
  for (let ms = 0; ms < 240_000; ms += 1000) {
    for (const p of phones) p.act();
    lab.pass(1000);
  }
  const left = lab.rows() - lab.cx.store.count(EVENT);
  const out = phones.flatMap((p) => p.complaints.filter((x) => x !== 're-INVITE when over'));
  if (lab.cx.store.count(CCALL) > 0) out.push('a call is left');
  if (left !== 3) out.push(`${left - 3} rows are left`);
  return out;
}

for (const [name, p] of Object.entries(PLAYS)) {
  for (const death of ['said', 'unsaid', 'forgotten'] as const) {
    test(`${name}: the box is replaced at every step, its last turn ${death}`, (t) => {
      const { inputs } = play(p, 0, death);
      t.true(inputs > 1);
      for (let at = 0; at <= inputs; at += 1) {
        const cast = play(p, at, death);
        const { a, b, c, done } = cast;
        const where = `step ${at}: ${[a, b, c].map((x) => x.story.join(', ')).join(' // ')}`;
        t.true(done, where);
        t.deepEqual(faults(cast), [], where);
        const living = ['a', 'b', 'c'].filter(
          (_, i) => ([a, b, c][i] as typeof a).living().length > 0,
        );
        t.is(living.join(''), p.pair, where);
        t.deepEqual(end(cast, at), [], where);
      }
    });
  }
  for (const who of ['a', 'b', 'c'] as const) {
    test(`${name}: ${who} hangs up at every step`, (t) => {
      const { inputs } = play(p, 0, 'said');
      for (let at = 1; at <= inputs; at += 1) {
        const cast = play(p, at, who);
        const { a, b, c } = cast;
        const where = `step ${at}: ${[a, b, c].map((x) => x.story.join(', ')).join(' // ')}`;
        t.deepEqual(faults(cast), [], where);
        t.deepEqual(end(cast, at), [], where);
      }
    });
  }
}

const REFUSALS = [
  { says: [491], what: 'glare', joined: true },
  { says: [491, 491, 491], what: 'glare again and again', joined: true },
  { says: [488], what: 'refused for good', joined: false },
  { says: [491, 491, 491, 491, 491, 491], what: 'glare without end', joined: false },
] as const;

for (const name of ['somebody new answers', 'two who are there', 'the same two once more']) {
  for (const who of ['a', 'b', 'c'] as const) {
    for (const { says, what, joined } of REFUSALS) {
      test(`${name}: ${what} at ${who}`, (t) => {
        const p = PLAYS[name] as Play;
        const cast = play(p, 0, 'said', (c) => {
          c[who].reinvites = [...says];
        });
        const asked = cast[who].reinvites.length < says.length;
        t.deepEqual(faults(cast), []);
        const living = [cast.a, cast.b, cast.c].map((x) => x.living().length);
        // nobody who talked before is left without anybody
        const same = joined || !asked ? p.pair : name === 'two who are there' ? 'abbc' : 'ab';
        t.is(['a', 'b', 'c'].map((x, i) => x.repeat(living[i] ?? 0)).join(''), same);
        t.deepEqual(end(cast, 0), []);
      });
    }
  }
}

test('a leg that answers no re-INVITE any more is lost, and its other side with it', (t) => {
  for (const who of ['a', 'c'] as const) {
    const cast = play(PLAYS['two who are there'] as Play, 0, 'said', (c) => {
      c[who].reinvites = new Array(100).fill(0);
    });
    cast.lab.pass(60_000);
    for (let i = 0; i < 100; i += 1) {
      for (const p of [cast.a, cast.b, cast.c]) p.act();
      cast.lab.pass(STEP);
    }
    t.is(cast.lab.cx.store.count(BRIDGE), 0);
    t.is(cast[who].living().length, 0);
    t.deepEqual(end(cast, 0), []);
  }
});
