/**
 * IPv6 addresses as text and as 16 octets (RFC 4291 2.2), without a scope ("%eth0"). Text that we
 * write is canonical (RFC 5952), so two texts are the same address if and only if they are equal:
 *
 *   lower case, no leading zeros            2001:DB8::0001              2001:db8::1
 *   "::" for the longest run of zeros,      2001:0:0:1:0:0:0:1          2001:0:0:1::1
 *     the first of equal ones,              2001:db8:0:0:1:0:0:1        2001:db8::1:0:0:1
 *     never for a single group              2001:db8::1:1:1:1:1         2001:db8:0:1:1:1:1:1
 *   an IPv4-mapped address ends dotted      ::ffff:c000:20a             ::ffff:192.0.2.10
 */

import { isIp4 } from './arp.ts';

export const NO_IP6 = '::';

/** What an address is for. Only a `global` one (unique local ones are) can be a virtual address. */
export type Ip6Kind = 'unspecified' | 'loopback' | 'link-local' | 'multicast' | 'mapped' | 'global';

const GROUPS = 8;
const GROUP_FORM = /^[0-9a-f]{1,4}$/i;
/** Longest text: eight groups of four, or six and a dotted IPv4 address. */
const LONGEST = 45;

/** @returns 16 octets, or undefined when the text is no IPv6 address. */
export function parseIp6(text: string): Uint8Array | undefined {
  if (text.length > LONGEST) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const compressed = halves.length === 2;
  const head = groupsOf(halves[0]!, !compressed);
  const tail = compressed ? groupsOf(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = GROUPS - head.length - tail.length;
  // "::" stands for at least one group
  if (compressed ? missing < 1 : missing !== 0) return undefined;
  const bytes = new Uint8Array(16);
  for (const [i, group] of head.entries()) put(bytes, i, group);
  for (const [i, group] of tail.entries()) put(bytes, head.length + missing + i, group);
  return bytes;
}

/** @returns canonical text of the 16 octets at `at`. */
export function formatIp6(bytes: Uint8Array, at = 0): string {
  const mapped = isMapped(bytes, at);
  const groups: number[] = [];
  for (let i = 0; i < (mapped ? 6 : GROUPS); i += 1) {
    groups.push(((bytes[at + 2 * i] as number) << 8) | (bytes[at + 2 * i + 1] as number));
  }
  const words = groups.map((g) => g.toString(16));
  if (mapped) words.push(bytes.subarray(at + 12, at + 16).join('.'));
  const [from, length] = longestZeros(groups);
  if (length < 2) return words.join(':');
  return `${words.slice(0, from).join(':')}::${words.slice(from + length).join(':')}`;
}

/** @returns the one canonical text of an address, or undefined when the text is none. */
export function canonicalIp6(text: string): string | undefined {
  const bytes = parseIp6(text);
  return bytes === undefined ? undefined : formatIp6(bytes);
}

/** @returns true for canonical text of an IPv6 address. */
export function isIp6(text: string): boolean {
  return canonicalIp6(text) === text;
}

/** @returns what the address is for; undefined when the text is no IPv6 address. */
export function kindOfIp6(text: string): Ip6Kind | undefined {
  const b = parseIp6(text);
  if (b === undefined) return undefined;
  if (b[0] === 0xff) return 'multicast';
  if (b[0] === 0xfe && ((b[1] as number) & 0xc0) === 0x80) return 'link-local';
  if (isMapped(b, 0)) return 'mapped';
  if (b.subarray(0, 15).some((octet) => octet !== 0)) return 'global';
  if (b[15] === 0) return 'unspecified';
  return b[15] === 1 ? 'loopback' : 'global';
}

/** Groups of one side of "::"; `last`: an IPv4 address may stand at its end, as two groups. */
function groupsOf(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (GROUP_FORM.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else if (last && i === parts.length - 1 && isIp4(part)) {
      const [a, b, c, d] = part.split('.').map(Number) as [number, number, number, number];
      groups.push((a << 8) | b, (c << 8) | d);
    } else {
      return undefined;
    }
  }
  return groups;
}

function put(bytes: Uint8Array, group: number, value: number): void {
  bytes[2 * group] = value >> 8;
  bytes[2 * group + 1] = value & 0xff;
}

/** @returns where the longest run of zero groups begins, and its length; the first of equal ones. */
function longestZeros(groups: readonly number[]): readonly [number, number] {
  let best: readonly [number, number] = [0, 0];
  let from = 0;
  for (let i = 0; i <= groups.length; i += 1) {
    if (groups[i] === 0) continue;
    if (i - from > best[1]) best = [from, i - from];
    from = i + 1;
  }
  return best;
}

function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 12; i += 1) {
    if (bytes[at + i] !== (i < 10 ? 0 : 0xff)) return false;
  }
  return true;
}
