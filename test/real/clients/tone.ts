/**
 * Proof of audio: each phone plays a tone of its own, and what a phone recorded is searched for the
 * tone of the other one (Goertzel's filter over half a second). WAV files, 16 bit or float, one channel.
 */

import { closeSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs';

export const RATE = 8000;
const HEADER_BYTES = 44;
/** Samples that are judged at once. */
const WINDOW = RATE / 2;

/** Writes `seconds` of a sine at a third of full scale. */
export function writeTone(file: string, hz: number, seconds: number): void {
  const samples = RATE * seconds;
  const bytes = Buffer.alloc(HEADER_BYTES + samples * 2);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(HEADER_BYTES - 8 + samples * 2, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(RATE, 24);
  bytes.writeUInt32LE(RATE * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(samples * 2, 40);
  for (let i = 0; i < samples; i += 1) {
    const value = Math.sin((2 * Math.PI * hz * i) / RATE) * 10_000;
    bytes.writeInt16LE(Math.round(value), HEADER_BYTES + i * 2);
  }
  writeFileSync(file, bytes);
}

/** Share of the energy of `samples` that is at `hz`: near 1 for that tone alone, near 0 for another. */
export function share(samples: Int16Array, hz: number): number {
  const k = 2 * Math.cos((2 * Math.PI * hz) / RATE);
  let [a, b, energy] = [0, 0, 0];
  for (const sample of samples) {
    [a, b] = [sample + k * a - b, a];
    energy += sample * sample;
  }
  if (energy === 0) return 0;
  return ((a * a + b * b - k * a * b) * 2) / (energy * samples.length);
}

/** Octets of a recording so far; it grows while the phone records. */
export function recorded(file: string): number {
  const fd = openSync(file, 'r');
  try {
    return fstatSync(fd).size;
  } finally {
    closeSync(fd);
  }
}

/** Of the whole half seconds recorded behind octet `from`: how many there are, how many have the tone. */
export function windows(
  file: string,
  from: number,
  hz: number,
): { readonly all: number; readonly toned: number } {
  const fd = openSync(file, 'r');
  try {
    const start = HEADER_BYTES + Math.trunc(Math.max(0, from - HEADER_BYTES) / 2) * 2;
    const bytes = Buffer.alloc(Math.max(0, fstatSync(fd).size - start));
    const length = readSync(fd, bytes, 0, bytes.length, start);
    let [all, toned] = [0, 0];
    for (let at = 0; at + WINDOW * 2 <= length; at += WINDOW * 2) {
      const samples = new Int16Array(WINDOW);
      for (let i = 0; i < WINDOW; i += 1) samples[i] = bytes.readInt16LE(at + i * 2);
      all += 1;
      if (share(samples, hz) > 0.8) toned += 1;
    }
    return { all, toned };
  } finally {
    closeSync(fd);
  }
}
