/**
 * Mixing of a small conference: everybody hears the sum of the others and not himself.
 *
 *   mode     is heard by             hears
 *   talk     everybody               all who talk, and its coaches
 *   coach    the member it coaches   all who talk
 *   listen   nobody                  all who talk
 *   muted    nobody, for now         all who talk, and its coaches
 */

import type { ConferenceMode } from '../proto/media.ts';
import { FRAME } from './sound.ts';

export type MixMember = {
  readonly mode: ConferenceMode;
  /** Its name, and the name of the one it coaches. */
  readonly member: string;
  readonly coached: string;
  /** What it says; undefined: nothing. */
  readonly says: Int16Array | undefined;
  /** What it hears is put here. */
  readonly hears: Int16Array;
};

const sum = new Int32Array(FRAME);
const own = new Int32Array(FRAME);

function add(into: Int32Array, samples: Int16Array, sign: 1 | -1): void {
  for (let i = 0; i < FRAME; i += 1) {
    into[i] = (into[i] as number) + sign * (samples[i] as number);
  }
}

/** One frame of a conference. */
export function mix(members: readonly MixMember[]): void {
  sum.fill(0);
  let coaches = false;
  for (const m of members) {
    if (m.says === undefined) continue;
    if (m.mode === 'talk') add(sum, m.says, 1);
    else if (m.mode === 'coach') coaches = true;
  }
  for (const m of members) {
    own.set(sum);
    if (m.mode === 'talk' && m.says !== undefined) add(own, m.says, -1);
    if (coaches && m.member !== '') {
      for (const c of members) {
        const heard = c !== m && c.mode === 'coach' && c.coached === m.member;
        if (heard && c.says !== undefined) add(own, c.says, 1);
      }
    }
    for (let i = 0; i < FRAME; i += 1) {
      m.hears[i] = Math.max(-32_768, Math.min(32_767, own[i] as number));
    }
  }
}
