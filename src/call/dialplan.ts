/**
 * Who is meant by a number: an emergency number, an extension, or what a line of the dial plan or a
 * trunk's prefix says; and whether the caller's class of service allows it. Pure words about the
 * site: which trunk is in service or full is for `route.ts`.
 *
 *   number ─┬ emergency ─ always
 *           ├ routing point, queue
 *           ├ extension
 *           └ longest of rules and trunk prefixes ─┬ trunks
 *                                                  ├ refused
 *                                                  └ another number, looked up once more
 */

import { pointOf, queueOf } from '../proto/centre.ts';
import type { SipSettings } from '../proto/context.ts';
import { userOf } from '../proto/sip/address.ts';
import {
  BUILT_IN_CLASSES,
  type DialRule,
  extensionOf,
  type Site,
  type Trunk,
  trunksOf,
} from '../proto/site.ts';
import { unescapeUser } from '../sip-parser/index.ts';
import { best, type Pattern, parsePattern } from './pattern.ts';

/** True when `user` is an extension of this site, written as a plain number. */
export function isExtension(settings: SipSettings, user: string): boolean {
  if (!/^[1-9]\d{0,8}$/.test(user)) return extensionOf(settings.site, user) !== undefined;
  const n = Number.parseInt(user, 10);
  if (n >= settings.userFrom && n <= settings.userTo) return true;
  return extensionOf(settings.site, user) !== undefined;
}

/** A number may be rewritten and looked up again so often. */
const MOST_LOOKUPS = 4;

type Line = { readonly rule: DialRule | undefined; readonly trunks: readonly Trunk[] };

type Plan = {
  readonly lines: readonly { readonly pattern: Pattern; readonly value: Line }[];
  readonly emergency: readonly { readonly pattern: Pattern; readonly value: string }[];
  readonly classes: ReadonlyMap<
    string,
    readonly { readonly pattern: Pattern; readonly value: boolean }[]
  >;
};

/** Compiled sites. A cache: made again from the site when it is not there. */
const plans = new WeakMap<Site, Plan>();

function planOf(site: Site): Plan {
  let plan = plans.get(site);
  if (plan === undefined) {
    plan = compile(site);
    plans.set(site, plan);
  }
  return plan;
}

function compile(site: Site): Plan {
  const lines: { pattern: Pattern; value: Line }[] = [];
  for (const rule of site.rules) {
    const pattern = parsePattern(rule.match);
    if (pattern !== undefined) lines.push({ pattern, value: { rule, trunks: [] } });
  }
  const prefixes = new Set(site.trunks.flatMap((t) => t.prefixes));
  for (const prefix of prefixes) {
    const pattern = parsePattern(`${prefix}!`);
    const trunks = byPriority(site.trunks.filter((t) => t.prefixes.includes(prefix)));
    if (pattern !== undefined) lines.push({ pattern, value: { rule: undefined, trunks } });
  }
  const emergency = site.emergency.numbers.flatMap((n) => {
    const pattern = parsePattern(n.match);
    return pattern === undefined ? [] : [{ pattern, value: n.as }];
  });
  const classes = Object.entries({ ...BUILT_IN_CLASSES, ...site.classes }).map(
    ([name, c]) => [name, [...verdicts(c.deny, false), ...verdicts(c.allow, true)]] as const,
  );
  return { lines, emergency, classes: new Map(classes) };
}

/** What is denied comes first: of two that say the same it stands. */
function verdicts(patterns: readonly string[], value: boolean) {
  return patterns.flatMap((text) => {
    const pattern = parsePattern(text);
    return pattern === undefined ? [] : [{ pattern, value }];
  });
}

export function byPriority(trunks: readonly Trunk[]): readonly Trunk[] {
  return [...trunks].sort((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : 1));
}

/** The number by which an emergency call goes out; undefined for any other number. */
export function emergencyNumber(site: Site, called: string): string | undefined {
  if (site.emergency.numbers.length === 0) return undefined;
  const found = best(planOf(site).emergency, called);
  return found === undefined ? undefined : found.value === '' ? called : found.value;
}

/** RFC 5031: `urn:service:sos` and what is below it call for help by service, not by number. */
const SOS = /^urn:service:sos(?:\.|$)/i;

/** What a Request-URI calls: its user part, or the first emergency number for the service. */
export function calledIn(site: Site, uri: string): string {
  const [first] = site.emergency.numbers;
  if (first !== undefined && SOS.test(uri)) return first.as === '' ? first.match : first.as;
  return unescapeUser(userOf(uri));
}

/** Whether a class of service may call `called`; `internal` when it is an extension. */
export function mayCall(site: Site, name: string, called: string, internal: boolean): boolean {
  const verdict = best(planOf(site).classes.get(name) ?? [], called)?.value;
  return internal ? verdict !== false : verdict === true;
}

export type Way =
  | { readonly kind: 'extension'; readonly number: string }
  | { readonly kind: 'distribute'; readonly number: string; readonly at: 'point' | 'queue' }
  | {
      readonly kind: 'trunks';
      /** As rewritten by the rule; each trunk rewrites it further. */
      readonly number: string;
      /** In order; `turns`: these take turns. */
      readonly groups: readonly { readonly trunks: readonly Trunk[]; readonly turns: boolean }[];
    }
  | { readonly kind: 'refuse'; readonly status: number };

/** Where the dial plan leads. Total: every text gets an answer. */
export function lookUp(settings: SipSettings, called: string): Way {
  const { site } = settings;
  let number = called;
  for (let i = 0; i < MOST_LOOKUPS; i += 1) {
    const at = settings.csta ? waitsAt(site, number) : undefined;
    if (at !== undefined) return { kind: 'distribute', number, at };
    if (isExtension(settings, number)) return { kind: 'extension', number };
    const line =
      site.trunks.length + site.rules.length > 0 ? best(planOf(site).lines, number) : undefined;
    if (line === undefined) return { kind: 'refuse', status: 404 };
    const { rule, trunks } = line.value;
    if (rule === undefined) {
      return { kind: 'trunks', number, groups: [{ trunks, turns: false }] };
    }
    if (rule.refuse !== 0) return { kind: 'refuse', status: rule.refuse };
    number = rewritten(number, rule);
    if (rule.to.length > 0) return { kind: 'trunks', number, groups: trunksOf(site, rule.to) };
  }
  // RFC 3261 21.4.20: 482, a loop; here one in our own plan
  return { kind: 'refuse', status: 482 };
}

/** Whether calls to a number wait there to be distributed. */
export function waitsAt(site: Site, number: string): 'point' | 'queue' | undefined {
  if (pointOf(site.centre, number) !== undefined) return 'point';
  return queueOf(site.centre, number) === undefined ? undefined : 'queue';
}

function rewritten(number: string, rule: DialRule): string {
  return rule.replace === '' ? rule.prepend + number.slice(rule.strip) : rule.replace;
}

/** Trunks for emergency calls, in order. */
export function emergencyTrunks(site: Site): readonly Trunk[] {
  const { to } = site.emergency;
  return to.length === 0 ? byPriority(site.trunks) : trunksOf(site, to).flatMap((g) => g.trunks);
}
