/**
 * One light of the kernel's LED class (`/sys/class/leds/NAME`). A blinking one is given to the kernel's
 * triggers where it has them: then it blinks on when nobody is left to blink it. Where it has not, it is
 * switched by hand.
 */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BLINK_MS, type Pattern } from '../../panel/leds.ts';
import { textIn } from './kernel-file.ts';

/** The trigger that is set: the kernel shows it in brackets among all there are. */
function chosen(text: string): string {
  return /\[([^\]]+)\]/.exec(text)?.[1] ?? text.trim();
}

export class Lamp {
  readonly dir: string;
  private readonly triggers: readonly string[];
  private readonly full: string;
  /** Blinks by hand. */
  byHand = false;

  private constructor(dir: string) {
    this.dir = dir;
    this.triggers = textIn(join(dir, 'trigger')).replace(/[[\]]/g, '').trim().split(/\s+/);
    const most = textIn(join(dir, 'max_brightness')).trim();
    this.full = most === '' || most === '0' ? '255' : most;
  }

  /** @returns undefined when there is no such light. */
  static open(dir: string): Lamp | undefined {
    return existsSync(join(dir, 'brightness')) ? new Lamp(dir) : undefined;
  }

  /** Throws when the kernel refuses. */
  show(on: boolean, blink: Pattern): void {
    this.byHand = false;
    const round = BLINK_MS[blink];
    if (!on || round.length === 0) {
      this.write('trigger', 'none');
      this.write('brightness', on ? this.full : '0');
    } else if (round.length === 2 && this.triggers.includes('timer')) {
      this.write('trigger', 'timer');
      this.write('delay_on', String(round[0]));
      this.write('delay_off', String(round[1]));
    } else if (this.triggers.includes('pattern')) {
      this.write('trigger', 'pattern');
      this.write('pattern', this.pattern(round));
    } else {
      this.write('trigger', 'none');
      this.byHand = true;
    }
  }

  /** Of one that blinks by hand. */
  switch(on: boolean): void {
    this.write('brightness', on ? this.full : '0');
  }

  /** @returns whether it still shows that: somebody else may have written. */
  shows(on: boolean, blink: Pattern): boolean {
    const steady = !on || BLINK_MS[blink].length === 0;
    const trigger = chosen(textIn(join(this.dir, 'trigger')));
    if (this.byHand) return trigger === 'none' || trigger === '';
    if (!steady) {
      if (trigger === 'timer') {
        const times = ['delay_on', 'delay_off'].map((name) => textIn(join(this.dir, name)).trim());
        return times.join() === BLINK_MS[blink].join();
      }
      return trigger === 'pattern';
    }
    const lit = Number(textIn(join(this.dir, 'brightness')).trim() || '0') > 0;
    return (trigger === 'none' || trigger === '') && lit === on;
  }

  /** Brightness and how long, pairs; one of no time before each, so that it does not fade. */
  private pattern(round: readonly number[]): string {
    return round
      .map((ms, i) => {
        const level = i % 2 === 0 ? this.full : '0';
        return `${level} ${ms} ${level} 0`;
      })
      .join(' ');
  }

  private write(name: string, text: string): void {
    writeFileSync(join(this.dir, name), text);
  }
}
