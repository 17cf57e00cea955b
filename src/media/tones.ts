/**
 * Tones of the network, as ETSI TR 101 041 has them for most of Europe: 425 Hz, told apart by their
 * rhythm. The three rising tones before an intercept announcement are those of ITU-T E.180 7.
 */

import { RATE, Sound } from './sound.ts';

/** Frequency in Hz (0: silence) and milliseconds. */
type Part = readonly [hz: number, ms: number];

const TONES: { readonly [name: string]: readonly Part[] } = {
  ringback: [
    [425, 1000],
    [0, 4000],
  ],
  busy: [
    [425, 500],
    [0, 500],
  ],
  'fast-busy': [
    [425, 250],
    [0, 250],
  ],
  congestion: [
    [425, 250],
    [0, 250],
  ],
  dial: [[425, 1000]],
  silence: [[0, 1000]],
  information: [
    [950, 330],
    [1400, 330],
    [1800, 330],
    [0, 1010],
  ],
};

/** About -13 dBm0 a tone. */
const AMPLITUDE = 6000;
/** A tone that begins and ends at once clicks. */
const EDGE = RATE / 250;

/** @returns undefined when no tone has that name. */
export function tone(name: string): Sound | undefined {
  const parts = Object.hasOwn(TONES, name) ? TONES[name] : undefined;
  if (parts === undefined) return undefined;
  const lengths = parts.map(([, ms]) => (ms * RATE) / 1000);
  const samples = new Int16Array(lengths.reduce((a, b) => a + b, 0));
  const steady = parts.length === 1;
  let at = 0;
  parts.forEach(([hz], i) => {
    const length = lengths[i] as number;
    for (let n = 0; hz > 0 && n < length; n += 1) {
      const edge = steady ? 1 : Math.min(1, (n + 1) / EDGE, (length - n) / EDGE);
      samples[at + n] = Math.round(AMPLITUDE * edge * Math.sin((2 * Math.PI * hz * n) / RATE));
    }
    at += length;
  });
  return new Sound(name, samples, true);
}
