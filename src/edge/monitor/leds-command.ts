/**
 * `sipair leds down|booting|updating`: what the lamps show when nobody else is there to say it. The unit
 * of the monitor says down when that has ended, whatever ended it; in the midst of an update it goes
 * on saying so: the box starts anew then. (At a start rules of udev say booting: `panel/boards.ts`.)
 */

import { readFileSync } from 'node:fs';
import { type LedFacts, ledsOf, rowOf } from '../../panel/leds.ts';
import { LampPanel } from './leds.ts';
import { placesBelow } from './places.ts';
import { readSystem } from './settings.ts';

export const LED_WORDS = ['down', 'booting', 'updating'] as const;
export type LedWord = (typeof LED_WORDS)[number];

export function isLedWord(word: string): word is LedWord {
  return (LED_WORDS as readonly string[]).includes(word);
}

export function showLeds(
  root: string,
  word: LedWord,
  log: (level: 'info' | 'warning' | 'alarm', text: string) => void,
): void {
  const service = word === 'down' && showsUpdate(root) ? 'updating' : word;
  const alarm = service === 'down' ? 'critical' : 'none';
  const facts: LedFacts = { service, ha: 'unknown', alarm, locate: false };
  const panel = new LampPanel(root, readSystem(root), log);
  panel.show(ledsOf(facts));
  // what the kernel cannot blink: this process does not stay
  panel.rest();
}

/** What the monitor showed last: of an update only it knew. */
function showsUpdate(root: string): boolean {
  const { colour, blink } = rowOf('status', UPDATING).show;
  try {
    const words: unknown = JSON.parse(readFileSync(placesBelow(root).lampWords, 'utf8'));
    return (words as { readonly status?: unknown } | null)?.status === `${colour} ${blink}`;
  } catch {
    return false;
  }
}

const UPDATING: LedFacts = { service: 'updating', ha: 'unknown', alarm: 'none', locate: false };
