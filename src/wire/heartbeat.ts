/**
 * The heartbeat: what one sentry says to the other, 40 times a second, on the crossover and on the
 * service LAN. One UDP datagram, always 84 bytes, little endian, authenticated under the pair key.
 *
 *   ┌───────┬─────┬─────┬──────┬──────┬───────┬──────────┬─────────┐
 *   │ magic │ ver │ box │ path │ role │ flags │ position │ pairNow │
 *   │ 4     │ u8  │ u8  │ u8   │ u8   │ u32   │ 16       │ f64     │
 *   └───────┴─────┴─────┴──────┴──────┴───────┴──────────┴─────────┘
 *   0       4     5     6      7      8       12         28        36
 *   ┌──────┬──────────┬───────────┬──────────────┬─────┐
 *   │ boot │ sequence │ echo boot │ echo sequence│ mac │
 *   │ 8    │ u64      │ 8         │ u64          │ 16  │
 *   └──────┴──────────┴───────────┴──────────────┴─────┘
 *   36     44         52          60             68    84
 *
 *   magic     the letters spHB
 *   box, path the sender ('a', 'b') and the path it was sent on ('x', 'l'), as ASCII, so that a
 *             frame heard on one path and played on the other, or to its sender, is noticed
 *   role      1 starting, 2 backup, 3 promoting, 4 primary, 5 resigning
 *   flags     bits from the least significant, see FLAGS; unknown bits are ignored
 *   position  epoch u32, lsn u64, chain u32: what the sender has applied
 *   boot      drawn at random when the sentry starts; `sequence` counts the frames of that boot on
 *             both paths together
 *   echo      the newest boot and sequence the sender has heard of the *other* box. A frame that
 *             echoes number n was sent after frame n had arrived: this is how "it answered after I
 *             asked" is known without any clock, and how a recording is told from a living box
 *   mac       HMAC-SHA256 over bytes 0 .. 67 under the pair key, its first 16 bytes (RFC 2104 §5
 *             allows to truncate to half)
 *
 * Worked example: box a, path x, primary, flags inStep, engineOk, loaded, fit and lanUp, epoch 7,
 * lsn 258, chain 0x01020304, pair clock 1000.5, boot 00112233aabbccdd, sequence 5, echo
 * 8899aabb00112233/4, under the key 00 01 02 … 1f:
 *
 *   73704842 01 61 78 04 c9020000  07000000 0201000000000000 04030201  0000000000448f40
 *   00112233aabbccdd 0500000000000000  8899aabb00112233 0400000000000000
 *   6c1df686ef094f0228d5b2c0eb01b0ce
 */

import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { type Fault, fault } from '../base/fault.ts';
import { getPosition, putPosition } from './frame.ts';

export const HEARTBEAT_SIZE = 84;
export const HEARTBEAT_VERSION = 1;
/** "Nobody heard yet" in `echoBoot`. */
export const NO_BOOT = '0000000000000000';

const MAGIC = 0x42487073;
const MAC_AT = 68;
const MAC_SIZE = 16;

export const HEARTBEAT_ROLES = ['starting', 'backup', 'promoting', 'primary', 'resigning'] as const;
export type HeartbeatRole = (typeof HEARTBEAT_ROLES)[number];

export type Heartbeat = {
  readonly box: 'a' | 'b';
  readonly path: 'x' | 'l';
  readonly role: HeartbeatRole;
  /** Backup: may stand for election. Primary: its backup may. */
  readonly inStep: boolean;
  /** "You, my peer, are stale": durable at the sender. */
  readonly peerStale: boolean;
  /** Primary that goes on without a backup. */
  readonly alone: boolean;
  /** The sender's engine made progress lately. */
  readonly engineOk: boolean;
  /** Answer at once, on both paths. */
  readonly query: boolean;
  /** Sent because of a query. */
  readonly reply: boolean;
  /** The sender's engine has loaded its tables: the position means something. */
  readonly loaded: boolean;
  /** The sender could become primary now: loaded, own LAN up, nothing missing. */
  readonly fit: boolean;
  /** The sender has never been in a pair. */
  readonly fresh: boolean;
  /** The sender's port to the service LAN has carrier. */
  readonly lanUp: boolean;
  readonly epoch: number;
  readonly lsn: number;
  readonly chain: number;
  readonly pairNow: number;
  /** 16 hexadecimal digits. */
  readonly boot: string;
  readonly sequence: number;
  readonly echoBoot: string;
  readonly echoSequence: number;
};

/** Names of the flags in the order of their bits; append only. */
export const FLAGS = [
  'inStep',
  'peerStale',
  'alone',
  'engineOk',
  'query',
  'reply',
  'loaded',
  'fit',
  'fresh',
  'lanUp',
] as const;

export type HeartbeatFault =
  | 'heartbeat-length'
  | 'heartbeat-magic'
  | 'heartbeat-version'
  /** The mac is not the one our key gives: forged, damaged, or another pair's. */
  | 'heartbeat-forged'
  /** Authentic, but a field has a value this version does not know. */
  | 'heartbeat-field';

/** @returns the 84 bytes of `h` under `key` (32 bytes). */
export function encodeHeartbeat(h: Heartbeat, key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEARTBEAT_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  bytes[4] = HEARTBEAT_VERSION;
  bytes[5] = h.box.charCodeAt(0);
  bytes[6] = h.path.charCodeAt(0);
  bytes[7] = HEARTBEAT_ROLES.indexOf(h.role) + 1;
  let flags = 0;
  for (let i = 0; i < FLAGS.length; i += 1) if (h[FLAGS[i]!]) flags |= 1 << i;
  view.setUint32(8, flags, true);
  putPosition(view, 12, h);
  view.setFloat64(28, h.pairNow, true);
  putBoot(view, 36, h.boot);
  putCount(view, 44, h.sequence);
  putBoot(view, 52, h.echoBoot);
  putCount(view, 60, h.echoSequence);
  bytes.set(mac(bytes, key), MAC_AT);
  return bytes;
}

/**
 * @returns the heartbeat, or the reason why it is none. The mac is compared (in constant time)
 * before any field after the version is looked at. Who sent it, on which path, and whether it was
 * heard before is for the caller (`pair/peer.ts`), who remembers.
 */
export function decodeHeartbeat(
  bytes: Uint8Array,
  key: Uint8Array,
): Heartbeat | Fault<HeartbeatFault> {
  if (bytes.length !== HEARTBEAT_SIZE) return fault('heartbeat-length', bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) return fault('heartbeat-magic', 0);
  if (bytes[4] !== HEARTBEAT_VERSION) return fault('heartbeat-version', 4);
  if (!timingSafeEqual(mac(bytes, key), bytes.subarray(MAC_AT))) {
    return fault('heartbeat-forged', MAC_AT);
  }
  const box = bytes[5] === 0x61 ? 'a' : bytes[5] === 0x62 ? 'b' : undefined;
  if (box === undefined) return fault('heartbeat-field', 5);
  const path = bytes[6] === 0x78 ? 'x' : bytes[6] === 0x6c ? 'l' : undefined;
  if (path === undefined) return fault('heartbeat-field', 6);
  const role = HEARTBEAT_ROLES[(bytes[7] as number) - 1];
  if (role === undefined) return fault('heartbeat-field', 7);
  const pairNow = view.getFloat64(28, true);
  if (!Number.isFinite(pairNow)) return fault('heartbeat-field', 28);
  const flags = view.getUint32(8, true);
  const position = getPosition(view, 12);
  return {
    box,
    path,
    role,
    inStep: (flags & 1) !== 0,
    peerStale: (flags & 2) !== 0,
    alone: (flags & 4) !== 0,
    engineOk: (flags & 8) !== 0,
    query: (flags & 16) !== 0,
    reply: (flags & 32) !== 0,
    loaded: (flags & 64) !== 0,
    fit: (flags & 128) !== 0,
    fresh: (flags & 256) !== 0,
    lanUp: (flags & 512) !== 0,
    epoch: position.epoch,
    lsn: position.lsn,
    chain: position.chain,
    pairNow,
    boot: getBoot(view, 36),
    sequence: getCount(view, 44),
    echoBoot: getBoot(view, 52),
    echoSequence: getCount(view, 60),
  };
}

/** Making a key object costs more than using it, and a sentry uses one key all its life. */
const keys = new WeakMap<Uint8Array, KeyObject>();

function mac(bytes: Uint8Array, key: Uint8Array): Uint8Array {
  let secret = keys.get(key);
  if (secret === undefined) {
    secret = createSecretKey(key);
    keys.set(key, secret);
  }
  const hmac = createHmac('sha256', secret).update(bytes.subarray(0, MAC_AT));
  return hmac.digest().subarray(0, MAC_SIZE);
}

function putBoot(view: DataView, at: number, boot: string): void {
  view.setUint32(at, Number.parseInt(boot.slice(0, 8), 16), false);
  view.setUint32(at + 4, Number.parseInt(boot.slice(8), 16), false);
}

function getBoot(view: DataView, at: number): string {
  return word(view.getUint32(at, false)) + word(view.getUint32(at + 4, false));
}

function word(n: number): string {
  return (n + 0x1_0000_0000).toString(16).slice(1);
}

function putCount(view: DataView, at: number, n: number): void {
  view.setUint32(at, n >>> 0, true);
  view.setUint32(at + 4, Math.floor(n / 0x1_0000_0000), true);
}

/** Counts above 2^53 never occur from a sentry; they come back rounded, which does no harm. */
function getCount(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000;
}
