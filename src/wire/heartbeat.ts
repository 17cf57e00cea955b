/**
 * The heartbeat: what one sentry says to the other, 40 times a second, on the crossover and on the
 * service LAN. One UDP datagram, little endian: a header in clear, which says whose frame it is, and
 * a body that only the pair can read, both authenticated (ChaCha20-Poly1305, RFC 8439: quick and in
 * constant time also on processors without AES).
 *
 *   ┌───────┬─────┬─────┬──────┬───────┬──────┬──────────┐
 *   │ magic │ ver │ box │ path │ spare │ boot │ sequence │   in clear, associated data
 *   │ 4     │ u8  │ u8  │ u8   │ u8    │ 8    │ u64      │
 *   └───────┴─────┴─────┴──────┴───────┴──────┴──────────┘
 *   0       4     5     6      7       8      16         24
 *   ┌──────┬───────┬───────┬──────────┬──────────────┬─────────┐
 *   │ role │ spare │ flags │ position │ record epoch │ pairNow │   encrypted
 *   │ u8   │ 3     │ u32   │ 16       │ u32          │ f64     │
 *   └──────┴───────┴───────┴──────────┴──────────────┴─────────┘
 *   24     25      28      32         48             52        60
 *   ┌───────────┬───────────────┬────────────────────┬─────┐
 *   │ echo boot │ echo sequence │ of a newer release │ tag │
 *   │ 8         │ u64           │ 0 ..               │ 16  │
 *   └───────────┴───────────────┴────────────────────┴─────┘
 *   60          68              76                   76    92
 *
 *   magic     the letters spHB
 *   box, path the sender ('a', 'b') and the path it was sent on ('x', 'l'), as ASCII, so that a
 *             frame heard on one path and played on the other, or to its sender, is noticed
 *   boot      drawn at random when the sentry starts; `sequence` counts the frames of that boot on
 *             both paths together
 *   role      1 starting, 2 backup, 3 promoting, 4 primary, 5 resigning
 *   flags     bits from the least significant, see FLAGS; unknown bits are ignored
 *   position  epoch u32, lsn u64, chain u32: the epoch the sender is in, what it has applied
 *   record epoch  the epoch of the last record applied: below `epoch` when a reign wrote nothing yet
 *   echo      the newest boot and sequence the sender has heard of the *other* box. A frame that
 *             echoes number n was sent after frame n had arrived: this is how "it answered after I
 *             asked" is known without any clock, and how a recording is told from a living box
 *   spare     zero when sent, not looked at
 *   tag       over everything before it
 *
 * The key is derived from the pair key for this box and this boot; the nonce is four zero bytes and
 * the sequence. A nonce never comes twice under one key: a sentry counts its sequence up before each
 * frame and forgets it only by starting anew, with 64 fresh random bits of boot and so another key;
 * the two boxes have different keys because their names differ. (A box would have to start four
 * million times before two of its boots are equal with a chance of one in two million.)
 *
 * Growing: a newer release appends fields to the body, and an older one, which has checked the tag
 * over all of it, leaves the tail alone. The version changes only when that is not enough; a frame
 * of another version is refused and counted, never guessed at.
 *
 * Worked example: box a, path x, primary, flags inStep, engineOk, loaded, fit and lanUp, epoch 7,
 * lsn 258, chain 0x01020304, record epoch 6, pair clock 1000.5, boot 00112233aabbccdd, sequence 5,
 * echo 8899aabb00112233/4, under the pair key 00 01 02 … 1f:
 *
 *   73704842 02 61 78 00  00112233aabbccdd 0500000000000000
 *   04 000000 c9020000  07000000 0201000000000000 04030201  06000000  0000000000448f40
 *   8899aabb00112233 0400000000000000
 *
 * of which the last two lines are sent as
 *
 *   0b8d9618efbe8890ed4214b3fc93a49d5b266d0b3206271aa1c6c647b1c80bcd2af6d99f
 *   a6ec2d682ec84a4b9918c9f2ac8d8d13
 *   90fc060c5f41b831e1c956d01ceefc05
 */

import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { type Fault, fault } from '../base/fault.ts';
import { derive } from './derive.ts';
import { getPosition, putPosition } from './frame.ts';

/** Bytes of a frame of this release, and the most that is taken from a newer one. */
export const HEARTBEAT_SIZE = 92;
export const HEARTBEAT_MAX = 512;
export const HEARTBEAT_VERSION = 2;
/** "Nobody heard yet" in `echoBoot`. */
export const NO_BOOT = '0000000000000000';

const MAGIC = 0x42487073;
const HEADER = 24;
const BODY_END = 76;
const TAG = 16;
const CIPHER = 'chacha20-poly1305';

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
  /** A witness has answered the sender at least once. */
  readonly witnessKnown: boolean;
  /** A witness answers the sender now. */
  readonly witnessSeen: boolean;
  /** The sender has dropped VIP and voice and will say nothing more: a goodbye by its sentry. */
  readonly gone: boolean;
  /** The sender holds automatic switchovers back. */
  readonly flapHold: boolean;
  /** Another box answers for, or leads with, the sender's VIP. */
  readonly conflict: boolean;
  /** Its operator forces the peer to lead: the sender has dropped VIP and voice. */
  readonly yields: boolean;
  readonly epoch: number;
  readonly lsn: number;
  readonly chain: number;
  /** Epoch of the last record the sender applied. */
  readonly recordEpoch: number;
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
  'witnessKnown',
  'witnessSeen',
  'gone',
  'flapHold',
  'conflict',
  'yields',
] as const;

export type HeartbeatFault =
  | 'heartbeat-length'
  | 'heartbeat-magic'
  /** Of a release that does not pair with this one. */
  | 'heartbeat-version'
  /** The tag is not the one our key gives: forged, damaged, or another pair's. */
  | 'heartbeat-forged'
  /** Authentic, but a field has a value this version does not know. */
  | 'heartbeat-field';

/**
 * @param key the pair key, 32 bytes.
 * @param tail what a newer release would append to the body.
 * @returns the frame. The caller counts `h.sequence` up for every frame of a boot: see the top.
 */
export function encodeHeartbeat(
  h: Heartbeat,
  key: Uint8Array,
  tail: Uint8Array = NOTHING,
): Uint8Array {
  const bytes = new Uint8Array(HEARTBEAT_SIZE + tail.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  bytes[4] = HEARTBEAT_VERSION;
  bytes[5] = h.box.charCodeAt(0);
  bytes[6] = h.path.charCodeAt(0);
  putBoot(view, 8, h.boot);
  putCount(view, 16, h.sequence);
  bytes[24] = HEARTBEAT_ROLES.indexOf(h.role) + 1;
  let flags = 0;
  for (let i = 0; i < FLAGS.length; i += 1) if (h[FLAGS[i]!]) flags |= 1 << i;
  view.setUint32(28, flags, true);
  putPosition(view, 32, h);
  view.setUint32(48, h.recordEpoch, true);
  view.setFloat64(52, h.pairNow, true);
  putBoot(view, 60, h.echoBoot);
  putCount(view, 68, h.echoSequence);
  bytes.set(tail, BODY_END);
  const { id, secret } = bootKey(bytes, key);
  remember(key, id, secret);
  const cipher = createCipheriv(CIPHER, secret, nonce(bytes), { authTagLength: TAG });
  const end = bytes.length - TAG;
  cipher.setAAD(bytes.subarray(0, HEADER), { plaintextLength: end - HEADER });
  bytes.set(cipher.update(bytes.subarray(HEADER, end)), HEADER);
  cipher.final();
  bytes.set(cipher.getAuthTag(), end);
  return bytes;
}

/**
 * @returns the heartbeat, or the reason why it is none. The tag is verified (in constant time)
 * before any field after the version is believed. Who sent it, on which path, and whether it was
 * heard before is for the caller (`pair/peer.ts`), who remembers.
 */
export function decodeHeartbeat(
  bytes: Uint8Array,
  key: Uint8Array,
): Heartbeat | Fault<HeartbeatFault> {
  if (bytes.length < HEADER) return fault('heartbeat-length', bytes.length);
  const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (head.getUint32(0, true) !== MAGIC) return fault('heartbeat-magic', 0);
  // before the length: another version may have another
  if (bytes[4] !== HEARTBEAT_VERSION) return fault('heartbeat-version', 4);
  if (bytes.length < HEARTBEAT_SIZE || bytes.length > HEARTBEAT_MAX) {
    return fault('heartbeat-length', bytes.length);
  }
  const clear = open(bytes, key);
  if (clear === undefined) return fault('heartbeat-forged', bytes.length - TAG);
  const box = bytes[5] === 0x61 ? 'a' : bytes[5] === 0x62 ? 'b' : undefined;
  if (box === undefined) return fault('heartbeat-field', 5);
  const path = bytes[6] === 0x78 ? 'x' : bytes[6] === 0x6c ? 'l' : undefined;
  if (path === undefined) return fault('heartbeat-field', 6);
  const view = new DataView(clear.buffer, clear.byteOffset, clear.byteLength);
  const role = HEARTBEAT_ROLES[view.getUint8(24 - HEADER) - 1];
  if (role === undefined) return fault('heartbeat-field', 24);
  const pairNow = view.getFloat64(52 - HEADER, true);
  if (!Number.isFinite(pairNow)) return fault('heartbeat-field', 52);
  const flags = view.getUint32(28 - HEADER, true);
  const position = getPosition(view, 32 - HEADER);
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
    witnessKnown: (flags & 1024) !== 0,
    witnessSeen: (flags & 2048) !== 0,
    gone: (flags & 4096) !== 0,
    flapHold: (flags & 8192) !== 0,
    conflict: (flags & 16_384) !== 0,
    yields: (flags & 32_768) !== 0,
    epoch: position.epoch,
    lsn: position.lsn,
    chain: position.chain,
    recordEpoch: view.getUint32(48 - HEADER, true),
    pairNow,
    boot: getBoot(head, 8),
    sequence: getCount(head, 16),
    echoBoot: getBoot(view, 60 - HEADER),
    echoSequence: getCount(view, 68 - HEADER),
  };
}

/** @returns the body in clear, undefined when the tag does not fit. */
function open(bytes: Uint8Array, key: Uint8Array): Uint8Array | undefined {
  const { id, secret } = bootKey(bytes, key);
  const end = bytes.length - TAG;
  const decipher = createDecipheriv(CIPHER, secret, nonce(bytes), { authTagLength: TAG });
  decipher.setAAD(bytes.subarray(0, HEADER), { plaintextLength: end - HEADER });
  decipher.setAuthTag(bytes.subarray(end));
  const clear = decipher.update(bytes.subarray(HEADER, end));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  // only now: strangers must not crowd out the keys in use
  remember(key, id, secret);
  return clear;
}

const NOTHING = new Uint8Array(0);

function nonce(bytes: Uint8Array): Uint8Array {
  const twelve = new Uint8Array(12);
  twelve.set(bytes.subarray(16, 24), 4);
  return twelve;
}

type BootKey = { readonly id: string; readonly secret: KeyObject };

/** Keys in use: own boot, the peer's, and a few of its earlier ones. */
const KEPT = 8;
/** Deriving costs more than using. By pair key, then by box and boot; the newest used is last. */
const kept = new WeakMap<Uint8Array, Map<string, KeyObject>>();

function bootKey(bytes: Uint8Array, key: Uint8Array): BootKey {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const id = `${bytes[5]} ${getBoot(view, 8)}`;
  const secret = kept.get(key)?.get(id) ?? createSecretKey(derive(key, 'heartbeat 2', id));
  return { id, secret };
}

function remember(key: Uint8Array, id: string, secret: KeyObject): void {
  let keys = kept.get(key);
  if (keys === undefined) {
    keys = new Map();
    kept.set(key, keys);
  }
  keys.delete(id);
  keys.set(id, secret);
  for (const oldest of keys.keys()) {
    if (keys.size <= KEPT) return;
    keys.delete(oldest);
  }
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
