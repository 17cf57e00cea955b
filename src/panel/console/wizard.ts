/**
 * The first boot: nine questions, the whole shown as configuration, one yes. ^C goes one question back.
 * Nothing but the password is kept before the yes, so the power may go at any moment: the box begins
 * again.
 */

import type { Tree } from '../tree/terms.ts';
import { type Cx, complain, yes } from './context.ts';
import {
  ask,
  type Dialog,
  failed,
  here,
  Interrupted,
  type Json,
  part,
  question,
  say,
  text,
  UNREACHABLE,
} from './dialog.ts';
import { passwordWrong } from './operate.ts';
import { pairBoxes } from './pair.ts';
import { isTreeFault, shownAt } from './tree-tools.ts';

type Answers = { [name: string]: string };

type Question = {
  readonly name: string;
  /** Asked only then. */
  readonly when?: (a: Answers) => boolean;
  readonly about: readonly string[];
  readonly prompt: string;
  readonly otherwise?: (a: Answers) => string;
  /** @returns '' or what is wrong. */
  readonly wrong: (text: string, a: Answers) => string;
};

const IPV4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;

function ipv4(t: string): string {
  return IPV4.test(t) ? '' : 'an IPv4 address is expected, as 192.0.2.11';
}

function number(t: string): number {
  return t.split('.').reduce((n, part) => n * 256 + Number(part), 0);
}

function sameNet(one: string, two: string, prefix: string): boolean {
  const size = 2 ** (32 - Number(prefix));
  return Math.floor(number(one) / size) === Math.floor(number(two) / size);
}

function host(t: string, prefix: string): string {
  const wrong = ipv4(t);
  if (wrong !== '') return wrong;
  const size = 2 ** (32 - Number(prefix));
  const rest = number(t) % size;
  const edge = size > 2 && (rest === 0 || rest === size - 1);
  const first = number(t) / 2 ** 24;
  if (edge || first < 1 || first >= 224 || Math.floor(first) === 127) {
    return `${t} is not an address of a host`;
  }
  return '';
}

const isA = (a: Answers): boolean => a['box'] === 'a';

function onNet(t: string, a: Answers, what: string): string {
  const prefix = a['prefix'] ?? '24';
  const wrong = host(t, prefix);
  if (wrong !== '') return wrong;
  const own = a['address'] ?? '';
  if (t === own) return `that is this box: ${what} is another address`;
  return sameNet(t, own, prefix) ? '' : `${t} is not in the network of ${own}/${prefix}`;
}

const QUESTIONS: readonly Question[] = [
  {
    name: 'box',
    about: [
      'Two boxes are a pair: one is a, the other b; it does not matter which.',
      'What both have in common is asked at box a.',
    ],
    prompt: 'Is this box a or b?',
    wrong: (t) => (t === 'a' || t === 'b' ? '' : 'a or b'),
  },
  {
    name: 'name',
    about: ['Its name in the prompt, in logs and in SNMP.'],
    prompt: 'Name of this box',
    otherwise: (a) => `sipair-${a['box']}`,
    wrong: (t) =>
      /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(t) ? '' : 'letters, digits and - are expected',
  },
  {
    name: 'address',
    about: ['Port eth0 goes to the service LAN. Its own address, not the one phones use:'],
    prompt: 'Address of this box on the LAN',
    wrong: (t) => ipv4(t),
  },
  {
    name: 'prefix',
    about: [],
    prompt: 'Length of the network prefix',
    otherwise: () => '24',
    wrong: (t, a) =>
      /^\d{1,2}$/.test(t) && Number(t) >= 8 && Number(t) <= 30
        ? host(a['address'] ?? '', t)
        : 'a number from 8 to 30 is expected',
  },
  {
    name: 'gateway',
    about: [],
    prompt: 'Gateway, - for none',
    otherwise: () => '-',
    wrong: (t, a) => (t === '-' ? '' : onNet(t, a, 'the gateway')),
  },
  {
    name: 'timeZone',
    when: isA,
    about: ['The clock of both boxes: a zone as Europe/Berlin, and who tells the time.'],
    prompt: 'Time zone',
    otherwise: () => 'UTC',
    wrong: (t) => (/^[A-Za-z][A-Za-z0-9_+/-]{1,63}$/.test(t) ? '' : 'a name is expected'),
  },
  {
    name: 'ntp',
    when: isA,
    about: [],
    prompt: 'Time servers, - for none',
    otherwise: () => '-',
    wrong: (t) =>
      t === '-' || t.split(/\s+/).every((w) => /^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$/.test(w))
        ? ''
        : 'names or addresses are expected',
  },
  {
    name: 'vip',
    when: isA,
    about: ['Phones and trunks use one address, which moves from box to box: the VIP.'],
    prompt: 'VIP',
    wrong: (t, a) => onNet(t, a, 'the VIP'),
  },
  {
    name: 'users',
    when: isA,
    about: [],
    prompt: 'Numbers of the phones, from-to',
    otherwise: () => '1000-1999',
    wrong: (t) => {
      const m = /^(\d{1,9})-(\d{1,9})$/.exec(t);
      return m !== null && Number(m[1]) <= Number(m[2]) ? '' : 'as 1000-1999 is expected';
    },
  },
];

type Back = 'back';

/** How long the console waits for the agent before it asks who is there. */
const START_TRIES = 20;
const START_WAIT_MS = 1000;

function* put(q: Question, a: Answers): Dialog<string | Back> {
  for (const l of q.about) yield* say(l);
  const usual = a[q.name] ?? q.otherwise?.(a) ?? '';
  const mark = q.prompt.endsWith('?') ? '' : ':';
  const prompt = `${q.prompt}${usual === '' ? '' : ` [${usual}]`}${mark} `;
  for (;;) {
    let answer = '';
    try {
      answer = (yield* question(prompt)) || usual;
    } catch (e) {
      if (e instanceof Interrupted && e.why === 'key') return 'back';
      throw e;
    }
    const wrong = q.wrong(answer, a);
    if (wrong === '') return answer;
    yield* say(`  ${wrong}`);
  }
}

/** Asks from question `from` to the last. @returns false when ^C went back before the first. */
function* putAll(a: Answers, from: number): Dialog<boolean> {
  let i = from;
  let forward = true;
  while (i < QUESTIONS.length) {
    if (i < 0) return false;
    const q = QUESTIONS[i];
    if (q === undefined) break;
    if (q.when !== undefined && !q.when(a)) {
      i += forward ? 1 : -1;
      continue;
    }
    const answer = yield* put(q, a);
    forward = answer !== 'back';
    if (answer === 'back') yield* say('(one question back)');
    else a[q.name] = answer;
    i += forward ? 1 : -1;
  }
  return true;
}

type FirstBoot = {
  readonly box: string;
  readonly own: Tree;
  readonly system: Tree;
  readonly shared?: Tree;
};

export function firstBootOf(a: Answers): FirstBoot {
  const gateway = a['gateway'] ?? '-';
  const own: Tree = {
    name: a['name'] ?? '',
    lan: {
      interface: 'eth0',
      address: a['address'] ?? '',
      prefix: Number(a['prefix']),
      ...(gateway === '-' ? {} : { gateway }),
    },
  };
  const box = a['box'] ?? '';
  if (!isA(a)) return { box, own, system: {} };
  const ntp = a['ntp'] ?? '-';
  const [from, to] = (a['users'] ?? '').split('-').map(Number);
  return {
    box,
    own,
    system: {
      timeZone: a['timeZone'] ?? 'UTC',
      ...(ntp === '-' ? {} : { ntp: ntp.split(/\s+/) }),
    },
    shared: { vip: { address: a['vip'] ?? '' }, users: { from: from ?? 0, to: to ?? 0 } },
  };
}

function* overview(f: FirstBoot): Dialog<void> {
  const tree: Tree = {
    box: { [f.box]: f.own },
    ...(f.shared ?? {}),
    ...(Object.keys(f.system).length === 0 ? {} : { system: f.system }),
  };
  const lines = shownAt(tree, []);
  yield* say('');
  yield* say('This will be the configuration:');
  yield* say('');
  for (const l of isTreeFault(lines) ? [lines.text] : lines) yield* say(`  ${l}`);
  yield* say('');
}

function* setPassword(): Dialog<void> {
  yield* say('Nobody can log in yet: there is no password. Choose one for the user admin.');
  for (;;) {
    try {
      const one = yield* question('Password of admin: ', true);
      const wrong = passwordWrong(one);
      if (wrong !== '') {
        yield* say(`  ${wrong}`);
        continue;
      }
      if ((yield* question('Again: ', true)) !== one) {
        yield* say('  the two differ');
        continue;
      }
      const answer = yield* ask('system', { command: 'admin', verb: 'set', password: one });
      if (!failed(answer)) return;
      yield* complain('system', answer);
    } catch (e) {
      if (!(e instanceof Interrupted) || e.why !== 'key') throw e;
    }
  }
}

const WAITS: { readonly [what: string]: string } = {
  pairing: 'It becomes active when the two boxes are paired: request pair',
  peer: 'It becomes active when the other box has answered its questions',
  shared: 'It becomes active when box a has answered its questions',
};

function* finish(f: FirstBoot): Dialog<boolean> {
  const answer = yield* ask('system', { command: 'first-boot', ...f } as Json, 30_000);
  if (failed(answer)) {
    yield* complain('system', answer);
    return false;
  }
  const waits = text(answer, 'waits');
  yield* say(waits === '' ? 'committed' : `kept. ${WAITS[waits] ?? waits}`);
  return true;
}

function* pairing(): Dialog<void> {
  const state = yield* ask('system', { command: 'state' });
  if (state['paired'] === true) {
    yield* say('The boxes are paired already.');
    return;
  }
  yield* say('');
  yield* say('Plug the crossover cable in (eth1 to eth1) and switch the other box on.');
  try {
    if (yield* yes('Pair with the other box now?')) {
      while (!(yield* pairBoxes())) {
        if (!(yield* yes('Try again?'))) break;
      }
    } else yield* say('later: request pair');
  } catch (e) {
    if (!(e instanceof Interrupted) || e.why !== 'key') throw e;
    yield* say('later: request pair');
  }
}

function* questions(cx: Cx): Dialog<void> {
  const a: Answers = {};
  let from = 0;
  for (;;) {
    if (!(yield* putAll(a, from))) {
      from = 0;
      continue;
    }
    const f = firstBootOf(a);
    yield* overview(f);
    let go = false;
    try {
      go = yield* yes('Is it right?');
    } catch (e) {
      if (!(e instanceof Interrupted) || e.why !== 'key') throw e;
    }
    if (go && (yield* finish(f))) break;
    // no: once through all, with what was said as the usual answer; ^C begins at the last
    from = 0;
  }
  cx.name = a['name'] ?? cx.name;
}

/** At power-on the console is there before the agent is. */
function* started(tries: number): Dialog<Json> {
  for (let i = 0; ; i += 1) {
    const state = yield* ask('system', { command: 'state' });
    const starting = state['error'] === UNREACHABLE || state['error'] === 'system-starting';
    if (!starting || i >= tries) return state;
    if (i === 0) yield* say('The services of this box are starting; Enter does not wait for them.');
    const { mono } = yield* here();
    yield { want: 'wait', ms: START_WAIT_MS };
    if ((yield* here()).mono - mono < START_WAIT_MS) return state;
  }
}

/** @returns what is still to be asked: a password, the questions, nothing. */
export function* whatIsMissing(atStart: boolean): Dialog<'password' | 'questions' | 'nothing'> {
  const state = yield* started(atStart ? START_TRIES : 0);
  if (failed(state)) return 'nothing';
  if (state['admin'] === false) return 'password';
  return 'box' in part(state, 'identity') ? 'nothing' : 'questions';
}

export function* choosePassword(): Dialog<void> {
  yield* say('');
  yield* say('This box is new. It asks a few questions; ^C goes one back.');
  yield* say('');
  yield* setPassword();
}

export function* firstBoot(cx: Cx): Dialog<void> {
  yield* say('');
  yield* questions(cx);
  yield* pairing();
  yield* say('');
  yield* say('That was all. show ha tells how the pair is; ? and help tell what there is.');
}
