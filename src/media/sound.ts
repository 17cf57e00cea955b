/**
 * What can be heard: samples with a name, 8000 a second, cut into frames of 20 ms. A sound is coded
 * once, not once a listener; which frame a listener hears follows from when it began for him.
 */

import { type Codec, encode, SILENCE } from './g711.ts';

export const RATE = 8000;
export const FRAME_MS = 20;
/** Samples of a frame. */
export const FRAME = (RATE * FRAME_MS) / 1000;

export class Sound {
  readonly name: string;
  /** Whole frames; what is missing of the last one is silence. */
  readonly samples: Int16Array;
  readonly frames: number;
  /** Goes round until told otherwise: music and tones. */
  readonly endless: boolean;
  private readonly coded = new Map<Codec, Uint8Array>();

  constructor(name: string, samples: Int16Array, endless: boolean) {
    this.name = name;
    this.frames = Math.max(1, Math.ceil(samples.length / FRAME));
    this.samples = new Int16Array(this.frames * FRAME);
    this.samples.set(samples);
    this.endless = endless;
  }

  /** All frames, coded. */
  as(codec: Codec): Uint8Array {
    let bytes = this.coded.get(codec);
    if (bytes === undefined) {
      bytes = encode(codec, this.samples);
      this.coded.set(codec, bytes);
    }
    return bytes;
  }
}

/** A sound as it is played (RFC 4240 3.1); lengths in frames. */
export type Playing = {
  readonly sound: Sound;
  /** How often; Infinity for `forever`. */
  readonly times: number;
  /** Silence between two times. */
  readonly pause: number;
  /** The longest it may last in all. */
  readonly most: number;
};

/** The frame of the sound that is heard `frame` frames after the beginning; -1: silence, -2: over. */
export function frameAt(p: Playing, frame: number): number {
  if (frame < 0) return -1;
  if (frame >= p.most) return -2;
  const round = p.sound.frames + p.pause;
  const at = frame % round;
  const nth = Math.floor(frame / round);
  if (nth >= p.times) return -2;
  if (at < p.sound.frames) return at;
  return nth + 1 >= p.times ? -2 : -1;
}

/** A silent frame, coded. */
export const QUIET: { readonly [c in Codec]: Uint8Array } = {
  PCMU: new Uint8Array(FRAME).fill(SILENCE.PCMU),
  PCMA: new Uint8Array(FRAME).fill(SILENCE.PCMA),
};
