/**
 * Values and names as SNMP knows them (RFC 2578), and the list of all instances that exist at one
 * moment: what an agent answers from. A list that is sorted once answers GET, GETNEXT and GETBULK
 * without a tree, and a walk over it cannot contradict itself.
 */

import { civilDay } from '../../base/civil.ts';
import { ipBytes } from '../../wire/ip.ts';

/** Object identifier: its numbers. */
export type Oid = readonly number[];

export type SnmpValue =
  | { readonly type: 'integer'; readonly value: number }
  | { readonly type: 'octets'; readonly value: Uint8Array }
  | { readonly type: 'oid'; readonly value: Oid }
  | { readonly type: 'counter32' | 'gauge' | 'ticks'; readonly value: number }
  | { readonly type: 'counter64'; readonly value: number };

export type Varbind = { readonly oid: Oid; readonly value: SnmpValue };

const TOP32 = 0xffff_ffff;

/** Longest text of a value: more is cut off. */
const TEXT_BYTES = 255;

export function compareOids(a: Oid, b: Oid): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const d = (a[i] as number) - (b[i] as number);
    if (d !== 0) return d;
  }
  return a.length - b.length;
}

export function oidOf(text: string): Oid {
  return text.split('.').map(Number);
}

export function oidText(oid: Oid): string {
  return oid.join('.');
}

// ── values ─────────────────────────────────────────────────────────────────────────────────────

export function integer(n: number): SnmpValue {
  const whole = Math.trunc(n);
  return { type: 'integer', value: Math.max(-0x8000_0000, Math.min(0x7fff_ffff, whole)) };
}

/** SMIv2 7.1.7: a gauge that reaches its largest value stays there. */
export function gauge(n: number): SnmpValue {
  return { type: 'gauge', value: Math.max(0, Math.min(TOP32, Math.trunc(n))) };
}

/** SMIv2 7.1.6: a counter that reaches its largest value begins at 0 again. */
export function counter32(n: number): SnmpValue {
  return { type: 'counter32', value: Math.max(0, Math.trunc(n)) % (TOP32 + 1) };
}

export function counter64(n: number): SnmpValue {
  return { type: 'counter64', value: Math.max(0, Math.trunc(n)) };
}

/** Hundredths of a second; they begin anew as a counter does. */
export function ticks(hundredths: number): SnmpValue {
  return { type: 'ticks', value: Math.max(0, Math.trunc(hundredths)) % (TOP32 + 1) };
}

export function octets(value: Uint8Array): SnmpValue {
  return { type: 'octets', value };
}

export function text(s: string): SnmpValue {
  const bytes = new TextEncoder().encode(s);
  if (bytes.length <= TEXT_BYTES) return octets(bytes);
  let end = TEXT_BYTES;
  // not in the middle of a character
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return octets(bytes.subarray(0, end));
}

/** TruthValue of RFC 2579. */
export function truth(yes: boolean): SnmpValue {
  return integer(yes ? 1 : 2);
}

/** DateAndTime of RFC 2579, in UTC: 11 octets. */
export function dateAndTime(utcMs: number): SnmpValue {
  const days = Math.floor(utcMs / 86_400_000);
  const rest = utcMs - days * 86_400_000;
  const { year, month, day } = civilDay(days);
  const [h, m] = [Math.floor(rest / 3_600_000), Math.floor(rest / 60_000) % 60];
  const [s, tenth] = [Math.floor(rest / 1000) % 60, Math.floor(rest / 100) % 10];
  const utc = [0x2b, 0, 0];
  return octets(Uint8Array.from([year >> 8, year & 255, month, day, h, m, s, tenth, ...utc]));
}

/** RFC 3339, in UTC with milliseconds: for people, syslog and JSON. */
export function isoTime(utcMs: number): string {
  const days = Math.floor(utcMs / 86_400_000);
  const rest = Math.floor(utcMs - days * 86_400_000);
  const { year, month, day } = civilDay(days);
  const two = (n: number): string => `${n}`.padStart(2, '0');
  const [h, m] = [Math.floor(rest / 3_600_000), Math.floor(rest / 60_000) % 60];
  const [s, ms] = [Math.floor(rest / 1000) % 60, rest % 1000];
  const date = `${`${year}`.padStart(4, '0')}-${two(month)}-${two(day)}`;
  return `${date}T${two(h)}:${two(m)}:${two(s)}.${`${ms}`.padStart(3, '0')}Z`;
}

/** InetAddressType and InetAddress of RFC 4001; undefined for what is no address. */
export function inetAddress(
  ip: string,
): { readonly type: number; readonly bytes: Uint8Array } | undefined {
  const bytes = ipBytes(ip);
  if (bytes === undefined) return undefined;
  return { type: bytes.length === 4 ? 1 : 2, bytes };
}

/** BITS of RFC 2578: bit 0 is the highest of the first octet. */
export function bits(numbers: readonly number[]): SnmpValue {
  const bytes = new Uint8Array(Math.floor(Math.max(0, ...numbers) / 8) + 1);
  for (const n of numbers) bytes[n >> 3] = (bytes[n >> 3] as number) | (0x80 >> (n & 7));
  return octets(bytes);
}

// ── the list ───────────────────────────────────────────────────────────────────────────────────

export class Instances {
  private readonly sorted: readonly Varbind[];

  constructor(varbinds: readonly Varbind[]) {
    this.sorted = [...varbinds].sort((a, b) => compareOids(a.oid, b.oid));
  }

  get all(): readonly Varbind[] {
    return this.sorted;
  }

  get(oid: Oid): Varbind | undefined {
    const found = this.sorted[this.position(oid)];
    return found !== undefined && compareOids(found.oid, oid) === 0 ? found : undefined;
  }

  /** Whether something is named below `oid`: RFC 3416 calls what lies there an instance, not an object. */
  has(oid: Oid): boolean {
    const found = this.sorted[this.position(oid)];
    return found !== undefined && oid.every((n, i) => found.oid[i] === n);
  }

  /** The first one after `oid` (or at it, with `include`) and before `end`. */
  next(oid: Oid, end: Oid | undefined, include: boolean): Varbind | undefined {
    let at = this.position(oid);
    let found = this.sorted[at];
    if (!include && found !== undefined && compareOids(found.oid, oid) === 0) {
      at += 1;
      found = this.sorted[at];
    }
    if (found === undefined || (end !== undefined && compareOids(found.oid, end) >= 0)) {
      return undefined;
    }
    return found;
  }

  /** Of the first one that is not before `oid`. */
  private position(oid: Oid): number {
    let [low, high] = [0, this.sorted.length];
    while (low < high) {
      const mid = (low + high) >> 1;
      if (compareOids((this.sorted[mid] as Varbind).oid, oid) < 0) low = mid + 1;
      else high = mid;
    }
    return low;
  }
}
