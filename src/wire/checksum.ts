/**
 * The checksum of the Internet protocols (RFC 1071): the one's complement of the one's complement
 * sum of all 16-bit words in network order; an odd octet at the end counts as if a zero followed.
 * A message whose checksum field is right sums up to 0 by `checksum`.
 *
 * What some protocols sum up besides their own octets is the *pseudo-header*, so that a packet
 * delivered to the wrong address is noticed:
 *
 *   IPv4 (RFC 9293 3.1)   source 4, destination 4, zero 1, protocol 1, length 2
 *   IPv6 (RFC 8200 8.1)   source 16, destination 16, length 4, zero 3, next header 1
 *
 * Worked example (RFC 1071 §3): 0001 f203 f4f5 f6f7 sums up to ddf2, the checksum is 220d.
 */

/** @returns the one's complement sum of `bytes`, added to `start`, not yet complemented. */
export function sum16(bytes: Uint8Array, start = 0): number {
  let sum = start;
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) sum += ((bytes[i] as number) << 8) | (bytes[i + 1] as number);
  if (even < bytes.length) sum += (bytes[even] as number) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return sum;
}

/** @returns what belongs into the checksum field, when that was zero; 0 when it was right. */
export function checksum(bytes: Uint8Array, start = 0): number {
  return ~sum16(bytes, start) & 0xffff;
}

/**
 * @returns the sum of the pseudo-header, as `start` for `checksum`. Zeros do not change a sum, so
 * one formula serves both families.
 * @param source, destination 4 or 16 octets each
 */
export function pseudoHeader(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  length: number,
): number {
  return sum16(destination, sum16(source, protocol + length));
}
