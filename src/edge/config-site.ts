/**
 * The part of the configuration that says what leads out of the site: `site` (extensions, trunks,
 * groups, rules, classes, emergency) and `dns`. Every mistake is told with its place.
 */

import { isIP } from 'node:net';
import type { SipSettings } from '../proto/context.ts';
import {
  BUILT_IN_CLASSES,
  type DialRule,
  type EmergencyNumber,
  type Extension,
  GROUP_ORDERS,
  NUMBER_FORMATS,
  PLAIN_CONTROL,
  PLAIN_SITE,
  type ServiceClass,
  type Site,
  type Trunk,
  type TrunkGroup,
} from '../proto/site.ts';
import { isFault, parseUri } from '../sip-parser/index.ts';
import type { Checker, Json } from './config.ts';
import { centreOf, centreReferences } from './config-centre.ts';
import {
  choice,
  credentialsOf,
  digits,
  flagOr,
  maybe,
  objectAt,
  pattern,
  patterns,
  sipUri,
  texts,
} from './config-values.ts';

export type DnsSettings = {
  /** `ip` or `ip:port`; empty: those of the system. */
  readonly servers: readonly string[];
  readonly timeoutMs: number;
};

/** How many of each there may be. */
const MOST = { trunks: 100, contacts: 8, rules: 1000, extensions: 100_000 } as const;

export function dnsOf(c: Checker, j: Json): DnsSettings {
  const dns = c.optional(j, 'dns', '') ?? {};
  c.known(dns, 'dns.', ['servers', 'timeoutMs']);
  const servers = texts(c, dns, 'servers', 'dns.');
  servers.forEach((server, i) => {
    const host = /^\[(.*)\](?::\d+)?$/.exec(server)?.[1] ?? server.replace(/^([\d.]+):\d+$/, '$1');
    if (isIP(host) === 0) c.wrong(`dns.servers[${i}]`, 'config-address', `${server} is no server`);
  });
  return { servers, timeoutMs: c.whole(dns, 'timeoutMs', 'dns.', 100, 30_000, 1000) };
}

function extensionsOf(c: Checker, site: Json, from: number, to: number): Site['extensions'] {
  const all = c.optional(site, 'extensions', 'site.') ?? {};
  const out: { [number: string]: Extension } = {};
  if (Object.keys(all).length > MOST.extensions) {
    c.wrong('site.extensions', 'config-range', `at most ${MOST.extensions}`);
    return out;
  }
  for (const [number, value] of Object.entries(all)) {
    const place = `site.extensions.${number}.`;
    const j = objectAt(c, value, place.slice(0, -1));
    c.known(j, place, ['class', 'contact', 'password', 'name', 'callerId', 'mwi', 'control']);
    if (!/^[0-9*#]{1,16}$/.test(number)) {
      c.wrong(place.slice(0, -1), 'config-number', 'an extension is digits, * and #');
    }
    const n = Number(number);
    // a number outside of the range is an extension by being named, unless it is never reached
    if (/^0\d/.test(number) && n >= from && n <= to) {
      c.wrong(place.slice(0, -1), 'config-number', 'an extension of the range has no leading 0');
    }
    const contact = maybe(c, j, 'contact', place);
    out[number] = {
      classOfService: maybe(c, j, 'class', place),
      contact: contact === '' ? '' : sipUri(c, contact, `${place}contact`),
      password: j['password'] === undefined ? undefined : c.text(j, 'password', place),
      name: maybe(c, j, 'name', place),
      callerId: digits(c, j, 'callerId', place),
      mwi: c.flag(j, 'mwi', place),
      ...controlOf(c, j, place),
    };
  }
  return out;
}

/** How programs steer the phone. */
function controlOf(c: Checker, j: Json, place: string): Pick<Extension, 'control'> {
  const given = c.optional(j, 'control', place);
  if (given === undefined) return {};
  const at = `${place}control.`;
  c.known(given, at, Object.keys(PLAIN_CONTROL));
  return {
    control: {
      answer: choice(c, given, 'answer', at, ['talk', 'auto', 'manual']),
      hold: choice(c, given, 'hold', at, ['reinvite', 'notify']),
      make: choice(c, given, 'make', at, ['rfc3725', 'refer']),
    },
  };
}

const TRUNK_KEYS = [
  'name',
  'contact',
  'backup',
  'prefixes',
  'priority',
  'capacity',
  'transport',
  'domain',
  'options',
  'tryS',
  'register',
  'auth',
  'inbound',
  'class',
  'strip',
  'prepend',
  'format',
  'callerId',
];

function trunkOf(c: Checker, value: unknown, place: string): Trunk {
  const j = objectAt(c, value, place.slice(0, -1));
  c.known(j, place, TRUNK_KEYS);
  const transport = choice(c, j, 'transport', place, ['udp', 'tcp', 'tls']);
  const backup = texts(c, j, 'backup', place);
  if (backup.length >= MOST.contacts) {
    c.wrong(`${place}backup`, 'config-range', `at most ${MOST.contacts - 1}`);
  }
  const contacts = [
    sipUri(c, c.text(j, 'contact', place), `${place}contact`, transport),
    ...backup.map((uri, i) => sipUri(c, uri, `${place}backup[${i}]`, transport)),
  ];
  const prefixes = texts(c, j, 'prefixes', place);
  prefixes.forEach((prefix, i) => {
    pattern(c, `${prefix}!`, `${place}prefixes[${i}]`);
  });
  const options = c.optional(j, 'options', place) ?? {};
  c.known(options, `${place}options.`, ['periodS', 'forceS', 'recoveryS']);
  const periodS = c.whole(options, 'periodS', `${place}options.`, 0, 300, 30);
  return {
    name: c.text(j, 'name', place),
    contacts,
    prefixes,
    priority: c.whole(j, 'priority', place, 0, 1000, 10),
    capacity: c.whole(j, 'capacity', place, 0, 100_000, 0),
    domain: hostOf(c, j, place),
    options: {
      periodS,
      forceS: c.whole(options, 'forceS', `${place}options.`, 0, 30, 5),
      recoveryS: c.whole(options, 'recoveryS', `${place}options.`, 1, 300, periodS || 30),
    },
    tryS: c.whole(j, 'tryS', place, 0, 30, 4),
    register: registerOf(c, j, place, transport),
    auth: credentialsOf(c, j, 'auth', place),
    inbound: inboundOf(c, j, place),
    classOfService: maybe(c, j, 'class', place, 'internal'),
    rewrite: {
      strip: c.whole(j, 'strip', place, 0, 32, 0),
      prepend: digits(c, j, 'prepend', place),
    },
    format: choice(c, j, 'format', place, NUMBER_FORMATS),
    callerId: callerIdOf(c, j, place),
  };
}

function hostOf(c: Checker, j: Json, place: string): string {
  const domain = maybe(c, j, 'domain', place);
  const uri = parseUri(`sip:${domain}`);
  if (domain !== '' && (isFault(uri) || uri.params !== '' || uri.user !== '')) {
    c.wrong(`${place}domain`, 'config-uri', `${domain} is no host`);
  }
  return domain;
}

function registerOf(c: Checker, j: Json, place: string, transport: string): Trunk['register'] {
  const who = credentialsOf(c, j, 'register', place, ['registrar', 'aor', 'expiresS']);
  if (who === undefined) return undefined;
  const given = j['register'] as Json;
  const at = `${place}register.`;
  const registrar = maybe(c, given, 'registrar', at);
  const aor = maybe(c, given, 'aor', at);
  return {
    ...who,
    registrar: registrar === '' ? '' : sipUri(c, registrar, `${at}registrar`, transport),
    aor: aor === '' ? '' : sipUri(c, aor, `${at}aor`),
    expiresS: c.whole(given, 'expiresS', at, 30, 86_400, 600),
  };
}

function inboundOf(c: Checker, j: Json, place: string): Trunk['inbound'] {
  const given = c.optional(j, 'inbound', place) ?? {};
  const at = `${place}inbound.`;
  c.known(given, at, ['addresses', 'contacts', 'digest', 'prefix', 'prepend', 'number']);
  const addresses = texts(c, given, 'addresses', at);
  addresses.forEach((address, i) => {
    if (isIP(address) === 0) {
      c.wrong(`${at}addresses[${i}]`, 'config-address', `${address} is no IP address`);
    }
  });
  const digest = credentialsOf(c, given, 'digest', at);
  return {
    addresses,
    contacts: flagOr(c, given, 'contacts', at, digest === undefined),
    digest,
    prefix: digits(c, given, 'prefix', at),
    prepend: digits(c, given, 'prepend', at),
    number: choice(c, given, 'number', at, ['request-uri', 'to']),
  };
}

function callerIdOf(c: Checker, j: Json, place: string): Trunk['callerId'] {
  const given = c.optional(j, 'callerId', place) ?? {};
  const at = `${place}callerId.`;
  c.known(given, at, ['prefix', 'number', 'anonymous', 'trusted', 'diversion']);
  return {
    prefix: digits(c, given, 'prefix', at),
    number: digits(c, given, 'number', at),
    anonymous: c.flag(given, 'anonymous', at),
    trusted: flagOr(c, given, 'trusted', at, true),
    diversion: flagOr(c, given, 'diversion', at, true),
  };
}

function groupOf(c: Checker, value: unknown, place: string): TrunkGroup {
  const j = objectAt(c, value, place.slice(0, -1));
  c.known(j, place, ['name', 'trunks', 'order']);
  return {
    name: c.text(j, 'name', place),
    trunks: texts(c, j, 'trunks', place),
    order: choice(c, j, 'order', place, GROUP_ORDERS),
  };
}

/** One name or several. */
function names(c: Checker, j: Json, key: string, place: string): readonly string[] {
  const v = j[key];
  return typeof v === 'string' ? [v] : texts(c, j, key, place);
}

function ruleOf(c: Checker, value: unknown, place: string): DialRule {
  const j = objectAt(c, value, place.slice(0, -1));
  c.known(j, place, ['match', 'to', 'strip', 'prepend', 'replace', 'refuse']);
  const rule = {
    match: pattern(c, c.text(j, 'match', place), `${place}match`),
    to: names(c, j, 'to', place),
    strip: c.whole(j, 'strip', place, 0, 32, 0),
    prepend: digits(c, j, 'prepend', place),
    replace: digits(c, j, 'replace', place),
    refuse: j['refuse'] === undefined ? 0 : c.whole(j, 'refuse', place, 400, 699),
  };
  const changes = rule.strip > 0 || rule.prepend !== '' || rule.replace !== '';
  if (rule.to.length === 0 && rule.refuse === 0 && !changes) {
    c.wrong(
      place.slice(0, -1),
      'config-rule',
      'a rule leads to a trunk, to another number, or refuses',
    );
  }
  return rule;
}

function emergencyOf(c: Checker, site: Json): Site['emergency'] {
  const j = c.optional(site, 'emergency', 'site.') ?? {};
  c.known(j, 'site.emergency.', ['numbers', 'to']);
  const numbers = c.list(j, 'numbers', 'site.emergency.').map((item, i): EmergencyNumber => {
    const place = `site.emergency.numbers[${i}]`;
    if (typeof item === 'string') return { match: pattern(c, item, place), as: '' };
    const one = objectAt(c, item, place);
    c.known(one, `${place}.`, ['match', 'as']);
    const match = pattern(c, c.text(one, 'match', `${place}.`), `${place}.match`);
    return { match, as: digits(c, one, 'as', `${place}.`) };
  });
  // RFC 5031 calls for help without a number: the first of the list stands for it
  const [first] = numbers;
  if (first !== undefined && first.as === '' && !/^[0-9*#+]+$/.test(first.match)) {
    c.wrong('site.emergency.numbers[0]', 'config-number', 'the first one is a number, or has `as`');
  }
  return { numbers, to: names(c, j, 'to', 'site.emergency.') };
}

function classesOf(c: Checker, site: Json): Site['classes'] {
  const all = c.optional(site, 'classes', 'site.') ?? {};
  const out: { [name: string]: ServiceClass } = {};
  for (const [name, value] of Object.entries(all)) {
    const place = `site.classes.${name}.`;
    const j = objectAt(c, value, place.slice(0, -1));
    c.known(j, place, ['allow', 'deny']);
    if (Object.hasOwn(BUILT_IN_CLASSES, name)) {
      c.wrong(place.slice(0, -1), 'config-twice', 'this class is built in');
    }
    out[name] = {
      allow: j['allow'] === undefined ? ['!'] : patterns(c, j, 'allow', place),
      deny: patterns(c, j, 'deny', place),
    };
  }
  return out;
}

/** Names that must be unique, and names that must be somebody's. */
function references(c: Checker, site: Site): void {
  const trunks = new Set<string>();
  const lines = new Set<string>();
  site.trunks.forEach(({ name }, i) => {
    if (/[#,\s]/.test(name))
      c.wrong(`site.trunks[${i}].name`, 'config-shape', 'no #, comma, space');
    if (trunks.has(name))
      c.wrong(`site.trunks[${i}].name`, 'config-twice', `${name} is there twice`);
    trunks.add(name);
  });
  const ways = new Set(trunks);
  const known = (all: Set<string>, name: string, place: string): void => {
    if (!all.has(name)) c.wrong(place, 'config-name', `nothing is called ${name}`);
  };
  site.groups.forEach((group, i) => {
    const place = `site.groups[${i}].`;
    if (ways.has(group.name))
      c.wrong(`${place}name`, 'config-twice', `${group.name} is there twice`);
    ways.add(group.name);
    group.trunks.forEach((name, k) => {
      known(trunks, name, `${place}trunks[${k}]`);
    });
  });
  site.rules.forEach((rule, i) => {
    if (lines.has(rule.match)) {
      c.wrong(`site.rules[${i}].match`, 'config-twice', `${rule.match} is there twice`);
    }
    lines.add(rule.match);
    for (const name of rule.to) known(ways, name, `site.rules[${i}].to`);
  });
  for (const trunk of site.trunks) {
    for (const prefix of trunk.prefixes) {
      if (lines.has(`${prefix}!`)) {
        c.wrong(
          'site.rules',
          'config-twice',
          `${prefix}! is a rule, and a prefix of ${trunk.name}`,
        );
      }
    }
  }
  for (const name of site.emergency.to) known(ways, name, 'site.emergency.to');
  if (site.emergency.numbers.length > 0 && site.trunks.length === 0) {
    c.wrong('site.emergency', 'config-name', 'an emergency call needs a trunk');
  }
  const classes = new Set([...Object.keys(BUILT_IN_CLASSES), ...Object.keys(site.classes)]);
  known(classes, site.defaultClass, 'site.defaultClass');
  for (const [number, { classOfService }] of Object.entries(site.extensions)) {
    if (classOfService !== '') known(classes, classOfService, `site.extensions.${number}.class`);
  }
  site.trunks.forEach(({ classOfService }, i) => {
    known(classes, classOfService, `site.trunks[${i}].class`);
  });
}

export function siteOf(
  c: Checker,
  j: Json,
  users: Pick<SipSettings, 'userFrom' | 'userTo' | 'passwordPrefix'>,
): Site {
  const given = c.optional(j, 'site', '');
  if (given === undefined) return PLAIN_SITE;
  c.known(given, 'site.', [...Object.keys(PLAIN_SITE)]);
  const listOf = <T>(key: string, most: number, make: (v: unknown, place: string) => T): T[] => {
    const all = c.list(given, key, 'site.');
    if (all.length > most) c.wrong(`site.${key}`, 'config-range', `at most ${most}`);
    return all.slice(0, most).map((v, i) => make(v, `site.${key}[${i}].`));
  };
  const site: Site = {
    extensions: extensionsOf(c, given, users.userFrom, users.userTo),
    trunks: listOf('trunks', MOST.trunks, (v, place) => trunkOf(c, v, place)),
    groups: listOf('groups', MOST.trunks, (v, place) => groupOf(c, v, place)),
    rules: listOf('rules', MOST.rules, (v, place) => ruleOf(c, v, place)),
    classes: classesOf(c, given),
    defaultClass: maybe(c, given, 'defaultClass', 'site.', 'all'),
    emergency: emergencyOf(c, given),
    centre: centreOf(c, given),
  };
  references(c, site);
  centreReferences(c, { ...users, site });
  return site;
}
