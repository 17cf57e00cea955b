/** The part of the configuration about Homer: `hep`, where copies of all SIP messages go; none without it. */

import { isIP } from 'node:net';
import type { BoxId } from '../pair/terms.ts';
import { ipCanonical } from '../wire/ip.ts';
import type { Checker, Json } from './config.ts';

export type HepConfig = {
  readonly address: string;
  readonly port: number;
  /** Capture agent id: which box says so. */
  readonly id: number;
  /** Authentication key; '' for none. */
  readonly key: string;
};

const PORT = 9060;
const USUAL_ID: { readonly [box in BoxId]: number } = { a: 1, b: 2 };

export function hepOf(c: Checker, j: Json, box: BoxId): HepConfig | undefined {
  const hep = c.optional(j, 'hep', '');
  if (hep === undefined) return undefined;
  c.known(hep, 'hep.', ['address', 'port', 'id', 'key']);
  const address = c.text(hep, 'address', 'hep.');
  if (address !== '' && isIP(address) === 0) {
    c.wrong('hep.address', 'config-address', `${address} is no IP address`);
  }
  const key = hep['key'] ?? '';
  if (typeof key !== 'string' || !/^[\x21-\x7e]{0,64}$/.test(key)) {
    c.wrong('hep.key', 'config-shape', 'at most 64 printable characters without a space');
  }
  return {
    address: ipCanonical(address) ?? address,
    port: c.whole(hep, 'port', 'hep.', 1, 65_535, PORT),
    id: c.whole(hep, 'id', 'hep.', 0, 0xffff_ffff, USUAL_ID[box]),
    key: String(key),
  };
}
