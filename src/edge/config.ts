/**
 * The configuration file of one box: read, verified, turned into settings. Every mistake is told
 * with its place and a stable code; a box with a wrong configuration does not start.
 */

import { readFileSync } from 'node:fs';
import { isIP, isIPv4 } from 'node:net';
import type { NodeSettings } from '../node-settings.ts';
import { PAIR_DEFAULTS, settingsFault } from '../pair/settings.ts';
import type { BoxId, PairSettings, Redundancy, Witness } from '../pair/terms.ts';
import { type DigestName, sipSettings } from '../proto/context.ts';
import { ipCanonical } from '../wire/ip.ts';
import { type CtiSettings, ctiOf } from './config-cti.ts';
import { type HepConfig, hepOf } from './config-hep.ts';
import { type MediaConfig, mediaOf } from './config-media.ts';
import { type DnsSettings, dnsOf, siteOf } from './config-site.ts';
import { type StreamConfig, streamsOf } from './config-streams.ts';
import { maybe } from './config-values.ts';
import { isKeyFault, readKeyFile } from './key-file.ts';

export const RELEASE = 'sipair 0.1.0';

export type Config = {
  readonly box: BoxId;
  readonly lan: { readonly interface: string; readonly address: string; readonly prefix: number };
  readonly peerLan: string;
  readonly crossover: {
    readonly interface: string;
    readonly address: string;
    readonly peerAddress: string;
  };
  readonly sipPort: number;
  readonly streams: StreamConfig;
  /** Where programs connect. */
  readonly cti: CtiSettings;
  readonly data: string;
  readonly media: MediaConfig;
  /** Where copies of all SIP messages go; undefined: nowhere. */
  readonly hep: HepConfig | undefined;
  readonly control: string;
  /** Program that cuts the peer's power or port, and its arguments. */
  readonly fence: readonly string[] | undefined;
  /** Where the pair key is; '' when it stands in the configuration itself. */
  readonly keyFile: string;
  /** Name servers for trunks. */
  readonly dns: DnsSettings;
  readonly node: NodeSettings;
};

export type ConfigFault = { readonly code: string; readonly place: string; readonly text: string };

/** Heartbeats on the LAN and on the crossover, and the mirror's stream: fixed ports. */
export const HEARTBEAT_PORT = 5405;
export const MIRROR_PORT = 5406;
/** Between the system agents. */
export const SYSTEM_PORT = 5408;
/** Only while boxes are being paired. */
export const PAIRING_PORT = 5407;

export type Json = { readonly [key: string]: unknown };

/** Collects every mistake instead of stopping at the first. */
export class Checker {
  readonly faults: ConfigFault[] = [];

  wrong(place: string, code: string, text: string): void {
    this.faults.push({ code, place, text });
  }

  object(parent: Json, key: string, place: string): Json {
    const v = parent[key];
    if (typeof v === 'object' && v !== null && !Array.isArray(v)) return v as Json;
    this.wrong(place + key, 'config-missing', 'an object is needed here');
    return {};
  }

  text(parent: Json, key: string, place: string): string {
    const v = parent[key];
    if (typeof v === 'string' && v !== '') return v;
    this.wrong(place + key, 'config-missing', 'a text is needed here');
    return '';
  }

  address(parent: Json, key: string, place: string): string {
    const v = this.text(parent, key, place);
    if (v !== '' && !isIPv4(v))
      this.wrong(place + key, 'config-address', `${v} is no IPv4 address`);
    return v;
  }

  whole(parent: Json, key: string, place: string, min: number, max: number, or?: number): number {
    const v = parent[key] ?? or;
    if (typeof v === 'number' && Number.isInteger(v) && v >= min && v <= max) return v;
    this.wrong(place + key, 'config-range', `a whole number ${min} .. ${max} is needed here`);
    return min;
  }

  oneOf<T extends string>(parent: Json, key: string, place: string, all: readonly T[]): T {
    const v = parent[key];
    if (all.includes(v as T)) return v as T;
    this.wrong(place + key, 'config-choice', `one of ${all.join(', ')} is needed here`);
    return all[0] as T;
  }

  list(parent: Json, key: string, place: string): readonly unknown[] {
    const v = parent[key];
    if (v === undefined) return [];
    if (Array.isArray(v)) return v;
    this.wrong(place + key, 'config-shape', 'a list is needed here');
    return [];
  }

  flag(parent: Json, key: string, place: string): boolean {
    const v = parent[key];
    if (v === undefined || typeof v === 'boolean') return v === true;
    this.wrong(place + key, 'config-shape', 'true or false is needed here');
    return false;
  }

  optional(parent: Json, key: string, place: string): Json | undefined {
    return parent[key] === undefined ? undefined : this.object(parent, key, place);
  }

  known(parent: Json, place: string, keys: readonly string[]): void {
    for (const key of Object.keys(parent)) {
      if (!keys.includes(key)) this.wrong(place + key, 'config-unknown', 'nothing has this name');
    }
  }
}

const TOP = [
  'box',
  'redundancy',
  'lan',
  'crossover',
  'vip',
  'sip',
  'users',
  'site',
  'cti',
  'dns',
  'witnesses',
  'fence',
  'data',
  'media',
  'hep',
  'control',
  'key',
  'keyFile',
  'timers',
];

const NO_KEY = new Uint8Array(32);

/** The pair key, from the configuration or from its file. */
function pairKey(c: Checker, j: Json, keyed: boolean): Uint8Array {
  if (j['keyFile'] === undefined) {
    const key = c.text(j, 'key', '');
    if (/^[0-9a-f]{64}$/i.test(key)) return Buffer.from(key, 'hex');
    if (key !== '') c.wrong('key', 'config-key', '64 hexadecimal digits are needed here');
    return NO_KEY;
  }
  if (j['key'] !== undefined) c.wrong('keyFile', 'config-key', 'either key or keyFile, not both');
  const path = c.text(j, 'keyFile', '');
  const key = path === '' || !keyed ? NO_KEY : readKeyFile(path);
  if (!isKeyFault(key)) return key;
  c.wrong('keyFile', `config-${key.code}`, `${path}: ${key.text}`);
  return NO_KEY;
}

/** Limits of the timers an operator may set; what they mean stands in pair/terms.ts. */
const TIMERS = {
  heartbeatMs: [5, 1000],
  missed: [2, 20],
  leaseMs: [200, 10_000],
  vipLifetimeS: [1, 60],
  renewMs: [20, 2000],
  probeMs: [2, 30],
  holdMs: [100, 600_000],
  mirrorWaitMaxMs: [5, 5000],
  engineStuckMs: [100, 10_000],
  engineStuckAloneMs: [100, 60_000],
  witnessMs: [50, 10_000],
  witnessFastMs: [5, 1000],
  witnessMissed: [2, 20],
  flapMs: [0, 3_600_000],
  flapMost: [1, 100],
  flapWindowMs: [0, 86_400_000],
  lanDeadMs: [0, 600_000],
  garpRefreshMs: [1000, 3_600_000],
} as const satisfies { readonly [N in keyof PairSettings]?: readonly [number, number] };

function timersOf(c: Checker, j: Json): { [N in keyof typeof TIMERS]: number } {
  const given = c.optional(j, 'timers', '') ?? {};
  c.known(given, 'timers.', Object.keys(TIMERS));
  const out: { [name: string]: number } = {};
  for (const [name, [least, most]] of Object.entries(TIMERS)) {
    const or = PAIR_DEFAULTS[name as keyof typeof TIMERS];
    out[name] = c.whole(given, name, 'timers.', least, most, or);
  }
  return out as { [N in keyof typeof TIMERS]: number };
}

function witnessesOf(c: Checker, j: Json): readonly Witness[] {
  return c.list(j, 'witnesses', '').flatMap((item, i) => {
    const place = `witnesses[${i}]`;
    const given = typeof item === 'string' ? { address: item } : item;
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      c.wrong(
        place,
        'config-shape',
        'an address, or an object with address and by, is needed here',
      );
      return [];
    }
    const json = given as Json;
    c.known(json, `${place}.`, ['address', 'by']);
    const address = c.text(json, 'address', `${place}.`);
    const family = isIP(address);
    if (family === 0) {
      c.wrong(`${place}.address`, 'config-address', `${address} is no IP address`);
      return [];
    }
    const usual = family === 4 ? 'arp' : 'icmp';
    const by = json['by'] === undefined ? usual : c.oneOf(json, 'by', `${place}.`, ['arp', 'icmp']);
    if (by === 'arp' && family === 6) {
      c.wrong(`${place}.by`, 'config-choice', 'an IPv6 witness is asked by icmp');
    }
    // as an answer names its sender
    return [{ address: ipCanonical(address) ?? address, by }];
  });
}

/** Digest algorithms in the order of the configuration; nothing when it does not say. */
function digestOf(c: Checker, users: Json): { readonly digest?: readonly DigestName[] } {
  if (users['digest'] === undefined) return {};
  const all: readonly DigestName[] = ['SHA-256', 'MD5'];
  const list = c.list(users, 'digest', 'users.');
  const digest = all.filter((name) => list.includes(name));
  if (digest.length === 0 || digest.length !== list.length) {
    c.wrong('users.digest', 'config-choice', `one or both of ${all.join(', ')} are needed here`);
  }
  return { digest: list as readonly DigestName[] };
}

function vipsOf(c: Checker, vip: Json): readonly string[] {
  const more = c.list(vip, 'more', 'vip.').map((item, i) => {
    if (typeof item !== 'string' || isIP(item) === 0) {
      c.wrong(`vip.more[${i}]`, 'config-address', `${String(item)} is no IP address`);
    }
    return String(item);
  });
  return [c.address(vip, 'address', 'vip.'), ...more];
}

function vrrpOf(c: Checker, vip: Json): PairSettings['vrrp'] {
  const vrrp = c.optional(vip, 'vrrp', 'vip.');
  if (vrrp === undefined) return undefined;
  c.known(vrrp, 'vip.vrrp.', ['id', 'priority', 'intervalCs', 'virtualMac']);
  return {
    vrid: c.whole(vrrp, 'id', 'vip.vrrp.', 1, 255),
    priority: c.whole(vrrp, 'priority', 'vip.vrrp.', 1, 254, 200),
    intervalCs: c.whole(vrrp, 'intervalCs', 'vip.vrrp.', 1, 4095, 100),
    virtualMac: c.flag(vrrp, 'virtualMac', 'vip.vrrp.'),
  };
}

/** @returns program and arguments of the fence, and how long it may take. */
function fenceOf(c: Checker, j: Json): { command: readonly string[] | undefined; ms: number } {
  const fence = c.optional(j, 'fence', '');
  if (fence === undefined) return { command: undefined, ms: PAIR_DEFAULTS.fenceMs };
  c.known(fence, 'fence.', ['program', 'arguments', 'timeoutMs']);
  const args = c.list(fence, 'arguments', 'fence.').map((item, i) => {
    if (typeof item !== 'string') {
      c.wrong(`fence.arguments[${i}]`, 'config-shape', 'a text is needed here');
    }
    return String(item);
  });
  return {
    command: [c.text(fence, 'program', 'fence.'), ...args],
    ms: c.whole(fence, 'timeoutMs', 'fence.', 100, 60_000, PAIR_DEFAULTS.fenceMs),
  };
}

/** Voice mail services: the address they send from, or the extension they are. */
function voicemailOf(c: Checker, users: Json): readonly string[] {
  return c.list(users, 'voicemail', 'users.').map((item, i) => {
    if (typeof item === 'string' && isIP(item) !== 0) return ipCanonical(item) ?? item;
    if (typeof item === 'string' && /^[1-9]\d{0,8}$/.test(item)) return item;
    c.wrong(`users.voicemail[${i}]`, 'config-shape', 'an address or an extension is needed here');
    return '';
  });
}

function pairOf(
  c: Checker,
  j: Json,
  lan: Json,
  vip: Json,
  key: Uint8Array,
  fence: ReturnType<typeof fenceOf>,
): PairSettings {
  return {
    ...PAIR_DEFAULTS,
    ...timersOf(c, j),
    box: c.oneOf(j, 'box', '', ['a', 'b']),
    redundancy: c.oneOf<Redundancy>(j, 'redundancy', '', ['hot-standby', 'warm-standby']),
    witnesses: witnessesOf(c, j),
    fence: fence.command !== undefined,
    fenceMs: fence.ms,
    carrierBounce: c.flag(vip, 'carrierBounce', 'vip.'),
    vrrp: vrrpOf(c, vip),
    vips: vipsOf(c, vip),
    lanAddress: c.address(lan, 'address', 'lan.'),
    peerLanAddress: c.address(lan, 'peerAddress', 'lan.'),
    key,
  };
}

/** What both boxes have besides the addresses SIP is spoken from. */
function ownAddresses(c: Checker, pair: PairSettings, x: Json): readonly string[] {
  const crossover = ['address', 'peerAddress'].map((name) => c.address(x, name, 'crossover.'));
  const all = [...pair.vips.slice(1), pair.lanAddress, pair.peerLanAddress, ...crossover];
  return all.filter((ip) => ip !== '');
}

/**
 * Verifies a parsed configuration. @returns settings, or every mistake found.
 * @param keyed false: the key file need not be there yet, and is not read.
 */
export function readConfig(value: unknown, keyed = true): Config | readonly ConfigFault[] {
  const c = new Checker();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ code: 'config-shape', place: '', text: 'the file is one JSON object' }];
  }
  const j = value as Json;
  c.known(j, '', TOP);
  const lan = c.object(j, 'lan', '');
  c.known(lan, 'lan.', ['interface', 'address', 'prefix', 'peerAddress']);
  const x = c.object(j, 'crossover', '');
  c.known(x, 'crossover.', ['interface', 'address', 'peerAddress']);
  const face = c.object(j, 'vip', '');
  c.known(face, 'vip.', ['address', 'more', 'vrrp', 'carrierBounce']);
  const sip = c.object(j, 'sip', '');
  const streams = streamsOf(c, sip);
  const cti = ctiOf(c, j);
  const users = c.object(j, 'users', '');
  c.known(users, 'users.', ['from', 'to', 'auth', 'digest', 'voicemail', 'passwordPrefix']);
  const fence = fenceOf(c, j);
  const pair = pairOf(c, j, lan, face, pairKey(c, j, keyed), fence);
  const vip = pair.vips[0] as string;
  const port = c.whole(sip, 'port', 'sip.', 1, 65_535, 5060);
  const userFrom = c.whole(users, 'from', 'users.', 0, 999_999_999);
  const userTo = c.whole(users, 'to', 'users.', userFrom, 999_999_999);
  const passwordPrefix = maybe(c, users, 'passwordPrefix', 'users.');
  const numbers = { userFrom, userTo, passwordPrefix };
  const config: Config = {
    box: pair.box,
    lan: {
      interface: c.text(lan, 'interface', 'lan.'),
      address: pair.lanAddress,
      prefix: c.whole(lan, 'prefix', 'lan.', 1, 32, 24),
    },
    peerLan: pair.peerLanAddress,
    crossover: {
      interface: c.text(x, 'interface', 'crossover.'),
      address: c.address(x, 'address', 'crossover.'),
      peerAddress: c.address(x, 'peerAddress', 'crossover.'),
    },
    sipPort: port,
    streams,
    cti,
    data: c.text(j, 'data', ''),
    media: mediaOf(c, j),
    hep: hepOf(c, j, pair.box),
    control: c.text(j, 'control', ''),
    fence: fence.command,
    dns: dnsOf(c, j),
    keyFile: typeof j['keyFile'] === 'string' ? j['keyFile'] : '',
    node: {
      pair,
      sip: sipSettings({
        vip,
        vip6: pair.vips.find((ip) => ip.includes(':')) ?? '',
        own: ownAddresses(c, pair, x),
        port,
        tlsPort: streams.tls?.port ?? 0,
        wsPort: streams.ws?.port ?? 0,
        wssPort: streams.wss?.port ?? 0,
        ...numbers,
        auth: c.flag(users, 'auth', 'users.'),
        ...digestOf(c, users),
        sessionExpiresS: c.whole(sip, 'sessionExpiresS', 'sip.', 0, 86_400, 1800),
        minSeS: c.whole(sip, 'minSeS', 'sip.', 90, 86_400, 90),
        voicemail: voicemailOf(c, users),
        nonceKey: Buffer.from(pair.key).toString('hex'),
        product: RELEASE.replace(' ', '/'),
        csta: cti.enabled,
        site: siteOf(c, j, numbers),
      }),
      diskGroupMs: 200,
      release: RELEASE,
    },
  };
  for (const [a, b, place] of [
    [pair.lanAddress, vip, 'vip.address'],
    [pair.lanAddress, pair.peerLanAddress, 'lan.peerAddress'],
    [pair.peerLanAddress, vip, 'vip.address'],
    [config.crossover.address, config.crossover.peerAddress, 'crossover.peerAddress'],
  ] as const) {
    if (a !== '' && a === b) c.wrong(place, 'config-address', 'two things have this address');
  }
  if (config.lan.interface !== '' && config.lan.interface === config.crossover.interface) {
    c.wrong(
      'crossover.interface',
      'config-choice',
      'the crossover is a cable of its own: one interface cannot be both paths',
    );
  }
  const relation = settingsFault(pair);
  if (relation !== undefined) c.wrong('timers', 'config-timers', relation);
  return c.faults.length > 0 ? c.faults : config;
}

/** Settings, and the file as it was written. */
export type ConfigFile = { readonly config: Config; readonly json: Json };

export function loadConfigFile(path: string, keyed = true): ConfigFile | readonly ConfigFault[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (e) {
    return [{ code: 'config-file', place: path, text: (e as Error).message }];
  }
  try {
    const json = JSON.parse(text) as Json;
    const config = readConfig(json, keyed);
    return 'node' in config ? { config, json } : config;
  } catch (e) {
    return [{ code: 'config-json', place: path, text: (e as Error).message }];
  }
}

/** Reads the file. @returns settings, or what is wrong with it. */
export function loadConfig(path: string, keyed = true): Config | readonly ConfigFault[] {
  const file = loadConfigFile(path, keyed);
  return 'config' in file ? file.config : file;
}
