/**
 * The configuration file of one box: read, verified, turned into settings. Every mistake is told
 * with its place and a stable code; a box with a wrong configuration does not start.
 */

import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import type { NodeSettings } from '../node.ts';
import { settingsFault } from '../pair/settings.ts';
import type { BoxId, PairSettings, Redundancy } from '../pair/terms.ts';
import { sipSettings } from '../proto/context.ts';
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
  readonly data: string;
  readonly control: string;
  /** Where the pair key is; '' when it stands in the configuration itself. */
  readonly keyFile: string;
  readonly node: NodeSettings;
};

export type ConfigFault = { readonly code: string; readonly place: string; readonly text: string };

/** Heartbeats on the LAN and on the crossover, and the mirror's stream: fixed ports. */
export const HEARTBEAT_PORT = 5405;
export const MIRROR_PORT = 5406;
/** Only while `sipair pair` runs. */
export const PAIRING_PORT = 5407;

type Json = { readonly [key: string]: unknown };

/** Collects every mistake instead of stopping at the first. */
class Checker {
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
  'data',
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

function pairSettings(c: Checker, j: Json, lan: Json, vip: string, key: Uint8Array): PairSettings {
  const timers = (j['timers'] ?? {}) as Json;
  const t = (name: string, min: number, max: number, or: number): number =>
    c.whole(timers, name, 'timers.', min, max, or);
  c.known(timers, 'timers.', [
    'heartbeatMs',
    'missed',
    'leaseMs',
    'vipLifetimeS',
    'renewMs',
    'probeMs',
    'holdMs',
    'mirrorWaitMaxMs',
  ]);
  return {
    box: c.oneOf(j, 'box', '', ['a', 'b']),
    redundancy: c.oneOf<Redundancy>(j, 'redundancy', '', ['hot-standby', 'warm-standby']),
    heartbeatMs: t('heartbeatMs', 5, 1000, 25),
    missed: t('missed', 2, 20, 4),
    leaseMs: t('leaseMs', 200, 10_000, 1500),
    vipLifetimeS: t('vipLifetimeS', 1, 60, 2),
    renewMs: t('renewMs', 20, 2000, 250),
    probeMs: t('probeMs', 2, 30, 5),
    holdMs: t('holdMs', 100, 600_000, 3000),
    mirrorWaitMaxMs: t('mirrorWaitMaxMs', 5, 5000, 50),
    garpAtMs: [0, 50, 150, 400, 1000, 5000],
    garpRefreshMs: 60_000,
    vip,
    lanAddress: c.address(lan, 'address', 'lan.'),
    peerLanAddress: c.address(lan, 'peerAddress', 'lan.'),
    key,
  };
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
  const vip = c.address(c.object(j, 'vip', ''), 'address', 'vip.');
  const sip = c.object(j, 'sip', '');
  c.known(sip, 'sip.', ['port']);
  const users = c.object(j, 'users', '');
  c.known(users, 'users.', ['from', 'to', 'auth']);
  const pair = pairSettings(c, j, lan, vip, pairKey(c, j, keyed));
  const port = c.whole(sip, 'port', 'sip.', 1, 65_535, 5060);
  const from = c.whole(users, 'from', 'users.', 0, 999_999_999);
  const to = c.whole(users, 'to', 'users.', from, 999_999_999);
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
    data: c.text(j, 'data', ''),
    control: c.text(j, 'control', ''),
    keyFile: typeof j['keyFile'] === 'string' ? j['keyFile'] : '',
    node: {
      pair,
      sip: sipSettings({
        vip,
        port,
        userFrom: from,
        userTo: to,
        auth: users['auth'] === true,
        nonceKey: Buffer.from(pair.key).toString('hex'),
        product: RELEASE.replace(' ', '/'),
      }),
      diskGroupMs: 200,
      release: RELEASE,
    },
  };
  for (const [a, b, place] of [
    [pair.lanAddress, vip, 'vip.address'],
    [pair.lanAddress, pair.peerLanAddress, 'lan.peerAddress'],
  ] as const) {
    if (a !== '' && a === b) c.wrong(place, 'config-address', 'two things have this address');
  }
  const relation = settingsFault(pair);
  if (relation !== undefined) c.wrong('timers', 'config-timers', relation);
  return c.faults.length > 0 ? c.faults : config;
}

/** Reads the file. @returns settings, or what is wrong with it. */
export function loadConfig(path: string, keyed = true): Config | readonly ConfigFault[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (e) {
    return [{ code: 'config-file', place: path, text: (e as Error).message }];
  }
  try {
    return readConfig(JSON.parse(text), keyed);
  } catch (e) {
    return [{ code: 'config-json', place: path, text: (e as Error).message }];
  }
}
