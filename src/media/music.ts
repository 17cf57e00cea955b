/**
 * Music on hold and the chimes that stand in for prompts nobody has recorded yet. All of it is made
 * here of a few plucked strings, so nobody has rights in it. The notes that ring on at the end of the
 * piece ring into its beginning: it goes round without a seam.
 */

import { RATE, Sound } from './sound.ts';

/** A note: semitones from A4 (440 Hz), start and strength. */
type Note = { readonly pitch: number; readonly at: number; readonly force: number };

const BEAT_S = 0.4;
const BAR_BEATS = 8;

/** Root and upper notes of the chord of each bar: C major 7, A minor 7, F major 7, G 6, and again. */
const CHORDS: readonly (readonly number[])[] = [
  [-21, -5, -2, 2],
  [-24, -5, 0, 3],
  [-28, -9, -5, -4],
  [-26, -10, -7, -5],
  [-21, -2, 2, 7],
  [-24, 0, 3, 7],
  [-28, -4, 0, 3],
  [-26, -7, -2, 2],
];
/** Which note of the chord each beat plucks, and a melody over every second pair of bars. */
const FIGURE = [0, 1, 2, 3, 2, 1, 2, 3];
const MELODY: readonly (readonly [beat: number, pitch: number])[] = [
  [32, 7],
  [35, 10],
  [37, 7],
  [40, 12],
  [44, 10],
  [48, 8],
  [51, 7],
  [53, 3],
  [56, 5],
  [60, 2],
];

const PEAK = 9000;

/** Adds a plucked string; what goes beyond the end goes on at the beginning. */
function pluck(into: Float32Array, { pitch, at, force }: Note, ring: number): void {
  const hz = 440 * 2 ** (pitch / 12);
  const start = Math.round(at * RATE);
  const length = Math.round(ring * 4 * RATE);
  for (let n = 0; n < length; n += 1) {
    const s = n / RATE;
    const swell = Math.min(1, s / 0.008) * Math.exp(-s / ring) * force;
    const phase = 2 * Math.PI * hz * s;
    const fades = Math.exp(-s * 3);
    const wave = Math.sin(phase) + 0.35 * fades * Math.sin(2 * phase);
    const i = (start + n) % into.length;
    into[i] = (into[i] as number) + swell * (wave + 0.12 * fades * Math.sin(3 * phase));
  }
}

function finished(name: string, wave: Float32Array, endless: boolean): Sound {
  let peak = 0;
  for (const x of wave) peak = Math.max(peak, Math.abs(x));
  const samples = Int16Array.from(wave, (x) => Math.round((x * PEAK) / peak));
  return new Sound(name, samples, endless);
}

export function music(): Sound {
  const wave = new Float32Array(CHORDS.length * BAR_BEATS * BEAT_S * RATE);
  CHORDS.forEach((chord, bar) => {
    FIGURE.forEach((which, beat) => {
      const at = (bar * BAR_BEATS + beat) * BEAT_S;
      const force = beat === 0 ? 1 : 0.55;
      pluck(wave, { pitch: chord[which] as number, at, force }, which === 0 ? 1.1 : 0.7);
    });
  });
  for (const [beat, pitch] of MELODY) pluck(wave, { pitch, at: beat * BEAT_S, force: 0.8 }, 0.9);
  return finished('music', wave, true);
}

/** Chimes by the name of the prompt they stand in for. */
const CHIMES: { readonly [name: string]: readonly number[] } = {
  welcome: [3, 7, 10, 15],
  'all-busy': [7, 3, 7, 3],
  goodbye: [15, 10, 7, 3],
};
const CHIME_S = 0.28;

/** @returns undefined when there is none of that name. */
export function chime(name: string): Sound | undefined {
  const notes = Object.hasOwn(CHIMES, name) ? CHIMES[name] : undefined;
  if (notes === undefined) return undefined;
  const wave = new Float32Array(2 * RATE);
  notes.forEach((pitch, i) => {
    pluck(wave, { pitch, at: i * CHIME_S, force: 1 }, 0.25);
  });
  return finished(name, wave, false);
}
