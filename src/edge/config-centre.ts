/**
 * The part of the configuration that is the contact centre: `site.centre` (points, queues, agents,
 * strict, services, programs, musicOnHold). A key of points and queues is a number `N` or a range
 * `N-M`, one of agents an id or `agentN-agentM`: everybody of a range is told the same.
 */

import { emergencyNumber, isExtension, lookUp } from '../call/dialplan.ts';
import {
  type AgentLogin,
  type Centre,
  CHARGES,
  type MediaService,
  NO_ANSWER_ACTIONS,
  type NoAnswer,
  PLAIN_CENTRE,
  PROGRAM_ROLES,
  type Program,
  type Queue,
  type RoutingPoint,
  SERVICE_KINDS,
  STRICT,
} from '../proto/centre.ts';
import { type SipSettings, sipSettings } from '../proto/context.ts';
import type { Checker, Json } from './config.ts';
import { choice, flagOr, maybe, objectAt, sipUri, texts } from './config-values.ts';

/** How many of each there may be. */
const MOST = {
  points: 10_000,
  queues: 10_000,
  agents: 100_000,
  services: 100,
  programs: 1000,
  ways: 16,
  queuesOfAgent: 100,
} as const;

const NUMBER = /^[0-9*#]{1,16}$/;
const NUMBERS = /^(\d{1,9})-(\d{1,9})$/;
const AGENT = /^[A-Za-z0-9][A-Za-z0-9_.]{0,31}$/;
const AGENTS = /^([A-Za-z_.]*)(\d{1,9})-([A-Za-z_.]*)(\d{1,9})$/;

/** The names from `from` to `to`, as wide as the first is written; undefined when that is no range. */
function range(from: string, to: string, most: number, front = ''): string[] | undefined {
  const [a, b] = [Number(from), Number(to)];
  if (b < a || from.length > to.length || b - a >= most) return undefined;
  return Array.from({ length: b - a + 1 }, (_, i) => front + `${a + i}`.padStart(from.length, '0'));
}

function numbersOf(key: string, most: number): string[] | undefined {
  const m = NUMBERS.exec(key);
  if (m !== null) return range(m[1] as string, m[2] as string, most);
  return NUMBER.test(key) ? [key] : undefined;
}

function agentsOf(key: string, most: number): string[] | undefined {
  const m = AGENTS.exec(key);
  if (m !== null) {
    const ids = m[1] === m[3] ? range(m[2] as string, m[4] as string, most, m[1]) : undefined;
    return ids?.every((id) => AGENT.test(id)) ? ids : undefined;
  }
  return AGENT.test(key) ? [key] : undefined;
}

/** Everything under one name of `site.centre`, ranges spread out. */
function spread<T>(
  c: Checker,
  centre: Json,
  name: 'points' | 'queues' | 'agents',
  make: (j: Json, place: string) => (one: string) => T,
): { readonly [one: string]: T } {
  const out: { [one: string]: T } = {};
  const most = MOST[name];
  let n = 0;
  for (const [key, value] of Object.entries(c.optional(centre, name, 'site.centre.') ?? {})) {
    const place = `site.centre.${name}.${key}`;
    const all = name === 'agents' ? agentsOf(key, most) : numbersOf(key, most);
    if (all === undefined) {
      const what = name === 'agents' ? 'an id or agentN-agentM' : 'a number or a range N-M';
      c.wrong(place, 'config-number', `${what} is needed here`);
      continue;
    }
    const one = make(objectAt(c, value, place), `${place}.`);
    n += all.length;
    if (n > most) {
      c.wrong(`site.centre.${name}`, 'config-range', `at most ${most}`);
      return out;
    }
    const twice = all.find((id) => Object.hasOwn(out, id));
    if (twice !== undefined) c.wrong(place, 'config-twice', `${twice} is there twice`);
    for (const id of all) out[id] = one(id);
  }
  return out;
}

function ways(c: Checker, j: Json, key: string, place: string): readonly string[] {
  const all = texts(c, j, key, place);
  if (all.length > MOST.ways) c.wrong(place + key, 'config-range', `at most ${MOST.ways}`);
  return all;
}

function noAnswerOf(c: Checker, j: Json, place: string): NoAnswer {
  const given = c.optional(j, 'noAnswer', place) ?? {};
  const at = `${place}noAnswer.`;
  c.known(given, at, ['afterS', 'overflow', 'action']);
  return {
    afterS: c.whole(given, 'afterS', at, 0, 600, 0),
    overflow: ways(c, given, 'overflow', at),
    action: choice(c, given, 'action', at, NO_ANSWER_ACTIONS),
  };
}

const POINT = ['timeoutS', 'defaults', 'hopLimit', 'charge', 'treatment', 'noAnswer'];

function pointAt(c: Checker, j: Json, place: string): (number: string) => RoutingPoint {
  c.known(j, place, POINT);
  const point = {
    timeoutS: c.whole(j, 'timeoutS', place, 0, 600, 10),
    defaults: ways(c, j, 'defaults', place),
    hopLimit: c.whole(j, 'hopLimit', place, 1, 15, 4),
    charge: choice(c, j, 'charge', place, CHARGES),
    treatment: maybe(c, j, 'treatment', place),
    noAnswer: noAnswerOf(c, j, place),
  };
  return (number) => ({ number, ...point });
}

const QUEUE = ['name', 'charge', 'treatment', 'maxCalls', 'maxWaitS', 'overflow', 'noAnswer'];

function queueAt(c: Checker, j: Json, place: string): (number: string) => Queue {
  c.known(j, place, QUEUE);
  const queue = {
    name: maybe(c, j, 'name', place),
    charge: choice(c, j, 'charge', place, CHARGES),
    treatment: maybe(c, j, 'treatment', place, 'music'),
    maxCalls: c.whole(j, 'maxCalls', place, 0, 100_000, 0),
    maxWaitS: c.whole(j, 'maxWaitS', place, 0, 86_400, 0),
    overflow: ways(c, j, 'overflow', place),
    noAnswer: noAnswerOf(c, j, place),
  };
  return (number) => ({ number, ...queue });
}

const LOGIN = ['password', 'queues', 'wrapUpS', 'noAnswer', 'autoLogoutS', 'legalGuardS', 'record'];

function agentAt(c: Checker, j: Json, place: string): (id: string) => AgentLogin {
  c.known(j, place, LOGIN);
  const queues = texts(c, j, 'queues', place);
  if (queues.length > MOST.queuesOfAgent) {
    c.wrong(`${place}queues`, 'config-range', `at most ${MOST.queuesOfAgent}`);
  }
  const login = {
    password: j['password'] === undefined ? '' : c.text(j, 'password', place),
    queues,
    // -1: until he says so
    wrapUpS: c.whole(j, 'wrapUpS', place, -1, 3600, 0),
    noAnswer: noAnswerOf(c, j, place),
    autoLogoutS: c.whole(j, 'autoLogoutS', place, 0, 604_800, 0),
    legalGuardS: c.whole(j, 'legalGuardS', place, 0, 3600, 0),
    record: c.flag(j, 'record', place),
  };
  return (id) => ({ id, ...login });
}

function serviceOf(c: Checker, value: unknown, place: string): MediaService {
  const j = objectAt(c, value, place.slice(0, -1));
  c.known(j, place, ['name', 'kinds', 'contact', 'msml']);
  return {
    name: c.text(j, 'name', place),
    kinds: someOf(c, j, 'kinds', place, SERVICE_KINDS),
    contact: sipUri(c, c.text(j, 'contact', place), `${place}contact`),
    msml: flagOr(c, j, 'msml', place, false),
  };
}

/** A list of some of `all`, at least one, none twice. */
function someOf<T extends string>(
  c: Checker,
  j: Json,
  key: string,
  place: string,
  all: readonly T[],
): readonly T[] {
  const list = c.list(j, key, place);
  const found = all.filter((name) => list.includes(name));
  if (found.length === 0 || found.length !== list.length) {
    c.wrong(place + key, 'config-choice', `some of ${all.join(', ')} are needed here`);
  }
  return found;
}

function programOf(c: Checker, value: unknown, place: string): Program {
  const j = objectAt(c, value, place.slice(0, -1));
  c.known(j, place, ['name', 'password', 'roles', 'devices', 'rate', 'burst']);
  const roles = someOf(c, j, 'roles', place, PROGRAM_ROLES);
  const devices = texts(c, j, 'devices', place);
  if (roles.includes('own-device') !== devices.length > 0) {
    c.wrong(`${place}devices`, 'config-choice', 'devices are given with the role own-device');
  }
  return {
    name: c.text(j, 'name', place),
    password: secret(c, j, place),
    roles,
    devices,
    rate: c.whole(j, 'rate', place, 1, 100_000, 100),
    burst: c.whole(j, 'burst', place, 1, 100_000, 200),
  };
}

/** A password, or what scrypt (RFC 7914) made of one. */
function secret(c: Checker, j: Json, place: string): string {
  const text = c.text(j, 'password', place);
  if (!text.startsWith('scrypt:')) return text;
  const m = /^scrypt:(\d{1,7}):(\d{1,2}):(\d{1,2}):([\w+/]{8,}={0,2}):([\w+/]{16,}={0,2})$/.exec(
    text,
  );
  const [n, r, p] = [Number(m?.[1]), Number(m?.[2]), Number(m?.[3])];
  // RFC 7914 2: N is "larger than 1, a power of 2"; memory is 128 * N * r
  const good = n > 1 && Number.isInteger(Math.log2(n)) && r >= 1 && p >= 1 && p <= 16;
  if (!good || 128 * n * r > 64 * 1024 * 1024) {
    c.wrong(
      `${place}password`,
      'config-key',
      'scrypt:N:r:p:salt:hash in base64, of at most 64 MiB',
    );
  }
  return text;
}

export function centreOf(c: Checker, site: Json): Centre {
  const given = c.optional(site, 'centre', 'site.');
  if (given === undefined) return PLAIN_CENTRE;
  c.known(given, 'site.centre.', Object.keys(PLAIN_CENTRE));
  const listOf = <T>(key: 'services' | 'programs', make: (v: unknown, place: string) => T): T[] => {
    const all = c.list(given, key, 'site.centre.');
    if (all.length > MOST[key])
      c.wrong(`site.centre.${key}`, 'config-range', `at most ${MOST[key]}`);
    return all.slice(0, MOST[key]).map((v, i) => make(v, `site.centre.${key}[${i}].`));
  };
  return {
    points: spread(c, given, 'points', (j, place) => pointAt(c, j, place)),
    queues: spread(c, given, 'queues', (j, place) => queueAt(c, j, place)),
    agents: spread(c, given, 'agents', (j, place) => agentAt(c, j, place)),
    strict:
      given['strict'] === undefined
        ? PLAIN_CENTRE.strict
        : c.oneOf(given, 'strict', 'site.centre.', STRICT),
    services: listOf('services', (v, place) => serviceOf(c, v, place)),
    programs: listOf('programs', (v, place) => programOf(c, v, place)),
    musicOnHold: maybe(c, given, 'musicOnHold', 'site.centre.', PLAIN_CENTRE.musicOnHold),
  };
}

type Around = Pick<SipSettings, 'userFrom' | 'userTo' | 'passwordPrefix' | 'site'>;

/** Numbers are one thing each, and what is named is there. */
export function centreReferences(c: Checker, around: Around): void {
  const { site } = around;
  const { centre } = site;
  if (centre === PLAIN_CENTRE) return;
  const settings = sipSettings({ vip: '', nonceKey: '', ...around });
  for (const name of ['points', 'queues'] as const) {
    for (const number of Object.keys(centre[name])) {
      const other = isExtension(settings, number)
        ? 'an extension'
        : emergencyNumber(site, number) !== undefined
          ? 'an emergency number'
          : name === 'queues' && Object.hasOwn(centre.points, number)
            ? 'a routing point'
            : '';
      const place = `site.centre.${name}.${number}`;
      if (other !== '') c.wrong(place, 'config-twice', `${number} is ${other} too`);
    }
  }
  const leads = (number: string): boolean =>
    Object.hasOwn(centre.points, number) ||
    Object.hasOwn(centre.queues, number) ||
    lookUp(settings, number).kind !== 'refuse';
  const everyWay = (all: readonly string[], place: string, words: readonly string[] = []): void => {
    all.forEach((number, i) => {
      if (words.includes(number) || leads(number)) return;
      c.wrong(`${place}[${i}]`, 'config-name', `${number} leads nowhere`);
    });
  };
  const overflow = (n: NoAnswer, place: string): void =>
    everyWay(n.overflow, `${place}.noAnswer.overflow`, ['recall', 'release']);
  for (const p of distinct(centre.points)) {
    everyWay(p.defaults, `site.centre.points.${p.number}.defaults`);
    overflow(p.noAnswer, `site.centre.points.${p.number}`);
  }
  for (const q of distinct(centre.queues)) {
    everyWay(q.overflow, `site.centre.queues.${q.number}.overflow`);
    overflow(q.noAnswer, `site.centre.queues.${q.number}`);
  }
  agentReferences(c, centre, overflow, around.passwordPrefix !== '');
  uniqueNames(c, centre, 'services');
  uniqueNames(c, centre, 'programs');
  centre.programs.forEach(({ devices }, i) => {
    everyWay(devices, `site.centre.programs[${i}].devices`);
  });
}

/** The first of each range: a mistake is told once, not a thousand times. */
function distinct<T extends { readonly noAnswer: NoAnswer }>(all: {
  readonly [one: string]: T;
}): readonly T[] {
  const seen = new Set<NoAnswer>();
  return Object.values(all).filter((one) => {
    const first = !seen.has(one.noAnswer);
    seen.add(one.noAnswer);
    return first;
  });
}

function agentReferences(
  c: Checker,
  centre: Centre,
  overflow: (n: NoAnswer, place: string) => void,
  derived: boolean,
): void {
  for (const agent of distinct(centre.agents)) {
    const place = `site.centre.agents.${agent.id}`;
    agent.queues.forEach((number, i) => {
      if (Object.hasOwn(centre.queues, number)) return;
      c.wrong(`${place}.queues[${i}]`, 'config-name', `${number} is no queue`);
    });
    overflow(agent.noAnswer, place);
    if (centre.strict !== 'password' || agent.password !== '') continue;
    // in a lab it is the prefix and the number at the end of the id
    if (derived && /\d$/.test(agent.id)) continue;
    c.wrong(`${place}.password`, 'config-missing', 'with strict "password" an agent needs one');
  }
}

function uniqueNames(c: Checker, centre: Centre, key: 'services' | 'programs'): void {
  const seen = new Set<string>();
  centre[key].forEach(({ name }, i) => {
    if (seen.has(name)) {
      c.wrong(`site.centre.${key}[${i}].name`, 'config-twice', `${name} is there twice`);
    }
    seen.add(name);
  });
}
