/**
 * `sipair leds down|booting|updating`: what the lamps show when nobody else is there to say it. The
 * early boot says booting; a unit whose service ended says down (ExecStopPost), whatever ended it.
 */

import { type LedFacts, ledsOf } from '../../panel/leds.ts';
import { LampPanel } from './leds.ts';
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
  const alarm = word === 'down' ? 'critical' : 'none';
  const facts: LedFacts = { service: word, ha: 'unknown', alarm, locate: false };
  const panel = new LampPanel(root, readSystem(root), log);
  panel.show(ledsOf(facts));
  // what the kernel cannot blink is lit: this process does not stay
  panel.beat(0);
}
