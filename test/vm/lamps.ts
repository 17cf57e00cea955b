/**
 * The lamps of a virtual appliance as its kernel has them (the board's LED driver, leds-apu): what a person in front of the box
 * would see, and what `show leds` says of it on the console.
 */

import { BLINK_MS, type Pattern, plainInWords } from '../../src/panel/leds.ts';
import { sleep } from '../lab/processes.ts';
import type { Machine } from './machine.ts';

/** From left to right. */
const LIGHTS = { status: 'apu:green:1', ha: 'apu:green:2', alarm: 'apu:green:3' } as const;
const LAMPS = ['status', 'ha', 'alarm'] as const;
type Lamp = (typeof LAMPS)[number];
type Shown = Pattern | 'off' | 'changing';
export type Front = Readonly<Record<Lamp, Shown>>;

const PATTERNS = Object.keys(BLINK_MS) as Pattern[];
const FILES = ['trigger', 'brightness', 'delay_on', 'delay_off', 'pattern'] as const;
type Files = Readonly<Record<(typeof FILES)[number], string>>;

/** The pattern of these times, ms; changing: none of ours, as between two writes of the monitor; or no light yet. */
function blinking(ms: readonly number[]): Shown {
  return PATTERNS.find((name) => BLINK_MS[name].join() === ms.join()) ?? 'changing';
}

function shownBy(files: Files, light: string): Shown {
  const trigger = /\[([^\]]+)\]/.exec(files.trigger)?.[1] ?? '';
  if (trigger === 'timer') {
    return blinking([Number(files.delay_on), Number(files.delay_off)]);
  }
  if (trigger === 'pattern') {
    const times = files.pattern.trim().split(/\s+/).map(Number);
    const ms = times.filter((_, i) => i % 2 === 1 && times[i] !== 0);
    return blinking(ms);
  }
  // in the start of the box its driver comes after the shell of the test
  if (files.trigger === '') return 'changing';
  if (trigger !== 'none') throw new Error(`${light} is triggered by "${files.trigger}"`);
  return Number(files.brightness) > 0 ? 'steady' : 'off';
}

/** What the kernel shows on the front now. */
export async function front(machine: Machine): Promise<Front> {
  const lights = Object.values(LIGHTS).join(' ');
  const text = await machine.tap.text(
    `cd /sys/class/leds; for l in ${lights}; do for f in ${FILES.join(' ')}; do echo "$(cat $l/$f 2>/dev/null)"; done; done`,
  );
  const lines = text.split('\n');
  const of = (lamp: Lamp): Shown => {
    const from = LAMPS.indexOf(lamp) * FILES.length;
    const files = Object.fromEntries(FILES.map((name, i) => [name, lines[from + i] ?? '']));
    return shownBy(files as Files, LIGHTS[lamp]);
  };
  return { status: of('status'), ha: of('ha'), alarm: of('alarm') };
}

/** What `show leds` says a person in front of this box sees. */
export function saidBy(text: string): Front {
  const of = (lamp: Lamp): Shown => {
    const words = new RegExp(`^${lamp.toUpperCase()} .*\\(here: ([^)]+)\\)`, 'm').exec(text)?.[1];
    const found = [...PATTERNS, 'off' as const].find((shown) => plainInWords(shown) === words);
    if (found === undefined) throw new Error(`show leds says of ${lamp}: ${text}`);
    return found;
  };
  return { status: of('status'), ha: of('ha'), alarm: of('alarm') };
}

/** Waits until the lamps show that; those that are not named may show anything. */
export async function lampsShow(
  machine: Machine,
  expected: Partial<Front>,
  patienceMs = 60_000,
): Promise<Front> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const now = await front(machine);
    if (LAMPS.every((lamp) => (expected[lamp] ?? now[lamp]) === now[lamp])) return now;
    if (performance.now() > end) {
      const [should, does] = [expected, now].map((x) => JSON.stringify(x));
      throw new Error(`the lamps of ${machine.box} should show ${should}, not ${does}`);
    }
    await sleep(500);
  }
}
