/**
 * Prompts as WAV files: 8000 samples a second, one channel, 16 bit PCM, A-law or mu-law (RFC 2361).
 * Everything else is refused with a code, so that an operator learns what to convert.
 *
 *   "RIFF" u32 size "WAVE"  then chunks: 4 letters, u32 size, content, a pad octet after an odd size
 *   "fmt "  u16 format  u16 channels  u32 rate  u32 octets a second  u16 block  u16 bits
 */

import { type Fault, fault } from '../base/fault.ts';
import { decode } from './g711.ts';
import { RATE } from './sound.ts';

export type WavFault =
  /** Not a RIFF/WAVE file, or one without format or data. */
  | 'wav-shape'
  /** Another coding than 16 bit PCM, A-law and mu-law. */
  | 'wav-format'
  /** Not one channel at 8000 Hz. */
  | 'wav-rate';

const PCM = 1;
const CODED = { 6: 'PCMA', 7: 'PCMU' } as const;
const EXTENSIBLE = 0xfffe;

function letters(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

/** @returns the samples of a file. */
export function parseWav(bytes: Uint8Array): Int16Array | Fault<WavFault> {
  if (bytes.length < 12 || letters(bytes, 0) !== 'RIFF' || letters(bytes, 8) !== 'WAVE') {
    return fault('wav-shape', 0);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format = -1;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = letters(bytes, at);
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (name === 'fmt ') {
      if (size < 16 || start + size > bytes.length) return fault('wav-shape', at);
      format = view.getUint16(start, true);
      // the real one stands in the first two octets of its GUID
      if (format === EXTENSIBLE && size >= 26) format = view.getUint16(start + 24, true);
      const bits = view.getUint16(start + 14, true);
      const known = format === PCM ? bits === 16 : format in CODED && bits === 8;
      if (!known) return fault('wav-format', start);
      const right = view.getUint16(start + 2, true) === 1;
      if (!right || view.getUint32(start + 4, true) !== RATE) return fault('wav-rate', start);
    } else if (name === 'data') {
      if (format < 0) return fault('wav-shape', at);
      // a recorder that was cut off leaves a size that is too large
      const data = bytes.subarray(start, Math.min(start + size, bytes.length));
      if (format !== PCM) return decode(CODED[format as keyof typeof CODED], data);
      const half = new DataView(data.buffer, data.byteOffset, data.byteLength);
      const count = data.length >> 1;
      return Int16Array.from({ length: count }, (_, i) => half.getInt16(2 * i, true));
    }
    at = start + size + (size & 1);
  }
  return fault('wav-shape', bytes.length);
}
