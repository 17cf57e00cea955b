/**
 * IP addresses as octets and as text: dotted decimal for IPv4, RFC 4291 §2.2 for IPv6, which is
 * written as RFC 5952 §4 wants it (lower case, no leading zeros, the first longest run of at least
 * two zero groups as "::"), so that two texts are equal when the addresses are.
 *
 *   text                      octets
 *   192.0.2.10                c000020a
 *   2001:db8::50              20010db8 00000000 00000000 00000050
 *   ::ffff:192.0.2.10         00000000 00000000 0000ffff c000020a, written back as ::ffff:c000:20a
 *   fe80::1%eth0              none: a zone is not part of an address
 */

export type Family = 4 | 6;

const DECIMAL = /^(0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;

/** @returns 4 or 16 octets; undefined when `text` is no address. */
export function ipBytes(text: string): Uint8Array | undefined {
  return text.includes(':') ? bytes6(text) : bytes4(text);
}

/** @returns the address of 4 or of 16 octets as text; '' for any other length. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  return bytes.length === 16 ? text6(bytes) : '';
}

/** @returns the family of a text; undefined when it is no address. */
export function ipFamily(text: string): Family | undefined {
  const bytes = ipBytes(text);
  if (bytes === undefined) return undefined;
  return bytes.length === 4 ? 4 : 6;
}

/** @returns the same address in its one written form; undefined when it is none. */
export function ipCanonical(text: string): string | undefined {
  const bytes = ipBytes(text);
  return bytes === undefined ? undefined : ipText(bytes);
}

function bytes4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i += 1) {
    const part = parts[i] as string;
    if (!DECIMAL.test(part) || Number(part) > 255) return undefined;
    bytes[i] = Number(part);
  }
  return bytes;
}

function bytes6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groups(halves[0] as string, halves.length === 1);
  const tail = halves.length === 2 ? groups(halves[1] as string, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  // "::" stands for at least one group (RFC 4291: "one or more").
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const bytes = new Uint8Array(16);
  const put = (list: readonly number[], at: number): void => {
    list.forEach((group, i) => {
      bytes[2 * (at + i)] = group >> 8;
      bytes[2 * (at + i) + 1] = group & 0xff;
    });
  };
  put(head, 0);
  put(tail, 8 - tail.length);
  return bytes;
}

/** The groups of one side of "::"; dotted decimal may stand at the very end. */
function groups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const list: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (GROUP.test(part)) {
      list.push(Number.parseInt(part, 16));
      continue;
    }
    const four = last && i === parts.length - 1 ? bytes4(part) : undefined;
    if (four === undefined) return undefined;
    list.push(((four[0] as number) << 8) | (four[1] as number));
    list.push(((four[2] as number) << 8) | (four[3] as number));
  }
  return list;
}

function text6(bytes: Uint8Array): string {
  const list: number[] = [];
  for (let i = 0; i < 16; i += 2) list.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number));
  let best = 0;
  let length = 0;
  for (let i = 0; i < 8; i += 1) {
    let n = 0;
    while (i + n < 8 && list[i + n] === 0) n += 1;
    if (n > length) {
      best = i;
      length = n;
    }
  }
  const hex = (part: readonly number[]): string => part.map((n) => n.toString(16)).join(':');
  if (length < 2) return hex(list);
  return `${hex(list.slice(0, best))}::${hex(list.slice(best + length))}`;
}
