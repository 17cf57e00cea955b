/**
 * The box is replaced at every step of what happens with trunks: hunting after a refusal and after
 * silence, a challenge to INVITE and BYE, register-out, a call in. Three ways to die, as in
 * call-switchover.test.ts. Whatever it dies of, the call ends where it would have ended, no gateway
 * keeps a call nobody has, and no row is left.
 */

import test from 'ava';
import { CALL, LEG } from '../../src/call/rows.ts';
import { CONTACT, HUNT, REGOUT } from '../../src/call/trunk-rows.ts';
import { CTX, STX } from '../../src/proto/sip/rows.ts';
import { PLAIN_SITE, type Trunk } from '../../src/proto/site.ts';
import type { SipMessage } from '../../src/sip-parser/index.ts';
import { Lab } from './call-lab.ts';
import { trunk } from './trunk-lab.ts';
import { type Answers, Party } from './trunk-party.ts';

const STEP = 50;
const ASK = 'Proxy-Authenticate: Digest realm="c", nonce="n1", algorithm=MD5, qop="auth"\r\n';
const ASK_REGISTER = ASK.replace('Proxy-Authenticate', 'WWW-Authenticate');
const AUTH = { user: 'acme', password: 'pw' };

type Scene = {
  readonly trunks: readonly Trunk[];
  /** What each gateway does with a request. */
  readonly g1: (m: SipMessage) => Answers;
  readonly g2?: (m: SipMessage) => Answers;
  readonly acts: readonly { readonly at: number; readonly do: (p: Parties) => void }[];
  /** How alice hears of it, and who had the call. */
  readonly end: 'answered' | number;
};
type Parties = { alice: Party; bob: Party; g1: Party; g2: Party; lab: Lab };

const ONE = trunk('one', ['sip:192.0.2.30'], { prefixes: ['0'], priority: 1 });
const TWO = trunk('two', ['sip:192.0.2.31'], { prefixes: ['0'], priority: 2 });
const say = (status: number, extra = ''): Answers => [{ after: 0, status, extra }];
const RINGS: Answers = [
  { after: 0, status: 180 },
  { after: 300, status: 200 },
];
const usual = (m: SipMessage): Answers => (m.method === 'INVITE' ? RINGS : say(200));
const unfit = (m: SipMessage): Answers => (m.method === 'INVITE' ? say(503) : say(200));
const deaf = (): Answers => [];
const asks = (m: SipMessage): Answers => {
  if (m.text.includes('-Authorization: Digest') || m.text.includes('\r\nAuthorization: ')) {
    return m.method === 'REGISTER' ? say(200, 'Expires: 600\r\n') : usual(m);
  }
  return m.method === 'REGISTER' ? say(401, ASK_REGISTER) : say(407, ASK);
};
const dials = { at: 200, do: (p: Parties) => p.alice.call('0301') };
const hangsUp = { at: 9000, do: (p: Parties) => p.alice.bye() };

const SCENES: Record<string, Scene> = {
  'the first trunk is unfit, the second answers, the caller hangs up': {
    trunks: [ONE, TWO],
    g1: unfit,
    acts: [dials, hangsUp],
    end: 'answered',
  },
  'the first trunk is silent, the second answers and hangs up': {
    trunks: [ONE, TWO],
    g1: deaf,
    acts: [dials, { at: 12_000, do: (p) => p.g2.bye() }],
    end: 'answered',
  },
  'both are unfit': { trunks: [ONE, TWO], g1: unfit, g2: unfit, acts: [dials], end: 500 },
  'the second says that the number does not exist': {
    trunks: [ONE, TWO],
    g1: unfit,
    g2: (m) => (m.method === 'INVITE' ? say(404) : say(200)),
    acts: [dials],
    end: 404,
  },
  'the caller gives up while the second rings': {
    trunks: [ONE, TWO],
    g1: unfit,
    g2: (m) => (m.method === 'INVITE' ? say(180) : say(200)),
    acts: [dials, { at: 3000, do: (p) => p.alice.giveUp() }],
    end: 487,
  },
  'a trunk that wants credentials for INVITE and BYE': {
    trunks: [{ ...ONE, auth: AUTH }],
    g1: asks,
    acts: [dials, hangsUp],
    end: 'answered',
  },
  'a trunk that is registered with, checked, and calls out': {
    trunks: [
      {
        ...ONE,
        options: { periodS: 20, forceS: 5, recoveryS: 20 },
        register: { ...AUTH, registrar: '', aor: '', expiresS: 600 },
      },
    ],
    g1: (m) => (m.method === 'OPTIONS' ? say(200) : asks(m)),
    acts: [{ at: 2000, do: (p) => p.alice.call('0301') }, hangsUp],
    end: 'answered',
  },
  'a call comes in by a trunk, the phone hangs up': {
    trunks: [ONE],
    g1: usual,
    acts: [
      { at: 200, do: (p) => p.g1.call('1002') },
      { at: 9000, do: (p) => p.bob.bye() },
    ],
    end: 'answered',
  },
};

type Death = 'said' | 'unsaid' | 'forgotten';

function play(scene: Scene, swapAt: number, death: Death): Parties & { steps: number } {
  const lab = new Lab({ site: { ...PLAIN_SITE, trunks: scene.trunks } });
  const alice = new Party(lab, '1001', '192.0.2.1');
  const bob = new Party(lab, '1002', '192.0.2.2');
  const g1 = new Party(lab, 'g1', '192.0.2.30');
  const g2 = new Party(lab, 'g2', '192.0.2.31');
  g1.script = scene.g1;
  g2.script = scene.g2 ?? usual;
  lab.register(alice);
  lab.register(bob);
  lab.swap(false);
  let steps = 0;
  const receive = lab.receive.bind(lab);
  lab.receive = (ip, port, text): void => {
    const before = lab.air.length;
    steps += 1;
    if (steps !== swapAt || death !== 'forgotten') receive(ip, port, text);
    if (steps !== swapAt) return;
    if (death === 'unsaid') lab.air.length = before;
    lab.swap(false);
  };
  const parties = { lab, alice, bob, g1, g2 };
  const left = [...scene.acts];
  for (let ms = 0; ms < 60_000; ms += STEP) {
    if (left[0] !== undefined && left[0].at <= ms) left.shift()?.do(parties);
    for (const party of [alice, bob, g1, g2]) party.act();
    lab.pass(STEP);
  }
  return { ...parties, steps };
}

for (const [name, scene] of Object.entries(SCENES)) {
  for (const death of ['said', 'unsaid', 'forgotten'] as const) {
    test(`${name}: the box is replaced at every step, its last turn ${death}`, (t) => {
      const { steps } = play(scene, 0, death);
      t.true(steps > 3);
      for (let at = 0; at <= steps; at += 1) {
        const { lab, ...p } = play(scene, at, death);
        const all = [p.alice, p.bob, p.g1, p.g2];
        const where = `step ${at}: ${all.map((x) => x.story.join(', ')).join(' // ')}`;
        for (const x of all) {
          t.deepEqual(x.complaints, [], where);
          t.true(
            [...x.dialogs.values()].every((state) => state === 'over'),
            `${where}: ghost`,
          );
          t.true(
            x.asked.every((a) => a.done),
            where,
          );
          t.is(x.finals.size, 0, where);
        }
        const caller = name.includes('comes in') ? p.g1 : p.alice;
        if (scene.end === 'answered') t.not(caller.answer, undefined, where);
        else t.is(caller.refusal, scene.end, where);
        lab.pass(120_000);
        // checks and registrations go on for ever: only what belongs to calls must be gone
        for (const table of [CALL, LEG, STX, HUNT]) t.is(lab.store.count(table as never), 0, where);
        const own = [...lab.store.rows(CTX)].filter((c) => c.leg !== 0 || c.method === 'INVITE');
        t.deepEqual(own, [], where);
        t.is(lab.store.count(CONTACT), scene.trunks.length);
        for (const row of lab.store.rows(REGOUT)) t.is(row.state, 'registered', where);
      }
    });
  }
}
