/** What was decided when a lab was made, and the configuration its boxes get. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { LAB_CENTRE, LAB_CTI } from './centre.ts';
import {
  type BoxName,
  EXTENSIONS,
  HOST_ADDRESS,
  LABS,
  LAN_ADDRESS,
  LAN_PREFIX,
  nameFault,
  other,
  type Places,
  placesOf,
  SIP_PORT,
  VIP,
  VIP6,
  X_ADDRESS,
} from './places.ts';
import { isAlive, isKnown, type Known, writeWhole } from './processes.ts';

export type Settings = {
  readonly redundancy: 'hot-standby' | 'warm-standby';
  readonly auth: boolean;
  /** IPv6 on the LAN, and an IPv6 address beside the VIP. */
  readonly ipv6: boolean;
  /** What else stands in the configuration of both boxes, over what a lab says itself. */
  readonly config: { readonly [name: string]: unknown };
  /** Executable used instead of this repository's sources. */
  readonly program: string | null;
  /** The lab ends with this process; null: it stays until it is taken down. */
  readonly owner: Known | null;
};

export function readSettings(places: Places): Settings | undefined {
  try {
    return JSON.parse(readFileSync(places.settings, 'utf8')) as Settings;
  } catch {
    return undefined;
  }
}

export function writeSettings(places: Places, settings: Settings): void {
  writeWhole(places.settings, JSON.stringify(settings));
}

export function writeConfig(places: Places, settings: Settings, box: BoxName, key: string): void {
  mkdirSync(places.data(box), { recursive: true, mode: 0o700 });
  const peer = other(box);
  const config = {
    box,
    redundancy: settings.redundancy,
    lan: {
      interface: 'lan0',
      address: LAN_ADDRESS[box],
      prefix: LAN_PREFIX,
      peerAddress: LAN_ADDRESS[peer],
    },
    crossover: { interface: 'x0', address: X_ADDRESS[box], peerAddress: X_ADDRESS[peer] },
    vip: { address: VIP, ...(settings.ipv6 ? { more: [VIP6] } : {}) },
    witnesses: [HOST_ADDRESS],
    sip: { port: SIP_PORT, tls: {}, ws: {}, wss: {} },
    users: { ...EXTENSIONS, auth: settings.auth, passwordPrefix: 'pw-' },
    site: { centre: LAB_CENTRE },
    cti: LAB_CTI,
    data: places.data(box),
    control: places.control(box),
    key,
    ...settings.config,
  };
  writeFileSync(places.config(box), `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}

/** Names of all labs on this machine. */
export function labNames(): string[] {
  if (!existsSync(LABS)) return [];
  return readdirSync(LABS).filter((name) => nameFault(name) === undefined);
}

/** True when the lab has an owner and that process is gone: killed before it could clean up. */
export function isStale(name: string): boolean {
  const owner = readSettings(placesOf(name))?.owner;
  return isKnown(owner) && !isAlive(owner);
}
