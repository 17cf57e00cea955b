/**
 * G.711: 14 or 13 bits of a sample in 8, by mu-law (PCMU) or A-law (PCMA). Both ways are tables: a
 * stream costs no arithmetic a sample.
 */

export type Codec = 'PCMU' | 'PCMA';

/** What a silent line is, coded. */
export const SILENCE: { readonly [c in Codec]: number } = { PCMU: 0xff, PCMA: 0xd5 };

function ulawToLinear(code: number): number {
  const u = ~code & 0xff;
  const magnitude = (((u & 15) << 3) + 0x84) << ((u & 0x70) >> 4);
  return (u & 0x80) === 0 ? magnitude - 0x84 : 0x84 - magnitude;
}

function linearToUlaw(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), 32_635) + 0x84;
  const segment = 31 - Math.clz32(magnitude) - 7;
  const bits = (sample < 0 ? 0x80 : 0) | (segment << 4) | ((magnitude >> (segment + 3)) & 15);
  return ~bits & 0xff;
}

function alawToLinear(code: number): number {
  const a = code ^ 0x55;
  const segment = (a & 0x70) >> 4;
  const low = ((a & 15) << 4) + 8;
  const magnitude = segment === 0 ? low : (low + 0x100) << (segment - 1);
  return (a & 0x80) === 0 ? -magnitude : magnitude;
}

function linearToAlaw(sample: number): number {
  const negative = sample < 0;
  const magnitude = Math.min(negative ? -sample - 1 : sample, 32_767);
  const segment = magnitude < 256 ? 0 : 31 - Math.clz32(magnitude) - 7;
  const low = segment === 0 ? magnitude >> 4 : (magnitude >> (segment + 3)) & 15;
  return ((negative ? 0 : 0x80) | (segment << 4) | low) ^ 0x55;
}

function decoding(toLinear: (code: number) => number): Int16Array {
  return Int16Array.from({ length: 256 }, (_, code) => toLinear(code));
}

function encoding(fromLinear: (sample: number) => number): Uint8Array {
  return Uint8Array.from({ length: 65_536 }, (_, i) => fromLinear(i < 32_768 ? i : i - 65_536));
}

/** Sample of a code. */
const DECODE: { readonly [c in Codec]: Int16Array } = {
  PCMU: decoding(ulawToLinear),
  PCMA: decoding(alawToLinear),
};

/** Code of a sample, by its 16 bits. */
const ENCODE: { readonly [c in Codec]: Uint8Array } = {
  PCMU: encoding(linearToUlaw),
  PCMA: encoding(linearToAlaw),
};

export function decode(codec: Codec, bytes: Uint8Array): Int16Array {
  const table = DECODE[codec];
  const out = new Int16Array(bytes.length);
  for (let i = 0; i < bytes.length; i += 1) out[i] = table[bytes[i] as number] as number;
  return out;
}

export function encode(codec: Codec, samples: Int16Array): Uint8Array {
  const out = new Uint8Array(samples.length);
  encodeInto(codec, samples, out, 0);
  return out;
}

export function encodeInto(codec: Codec, samples: Int16Array, out: Uint8Array, at: number): void {
  const table = ENCODE[codec];
  for (let i = 0; i < samples.length; i += 1) {
    out[at + i] = table[(samples[i] as number) & 0xffff] as number;
  }
}
