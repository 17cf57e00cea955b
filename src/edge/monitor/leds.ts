/**
 * The lamps: shows on the box what the state of the box says. Names of the lights come from the
 * configuration (`system leds`), or are `sipair:COLOUR:LAMP`. A box without an amber light shows amber
 * by green and red together. What the lamps show stands in words in `/run/sipair/leds.json` too.
 */

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type Colour,
  isLit,
  LED_NAMES,
  type LedName,
  type LedState,
  type Leds,
} from '../../panel/leds.ts';
import type { Consumer, ConsumerContext, SystemTree } from './consumer.ts';
import { Lamp } from './lamp.ts';
import { placesBelow } from './places.ts';

/** Lights are looked at this often: one may be written by others, or come late. */
const LOOK_MS = 2000;
/** How often lights that blink by hand are looked at. */
const HAND_MS = 62;

const COLOURS = ['green', 'amber', 'red'] as const;
type Lit = (typeof COLOURS)[number];
type Names = { readonly [name in LedName]: { readonly [colour in Lit]?: string } };

/** Names of the kernel by lamp and colour, and whether somebody configured them. */
export function lampNames(system: SystemTree): { readonly names: Names; readonly told: boolean } {
  const given = system['leds'];
  const told = typeof given === 'object' && given !== null;
  const of = (led: LedName): Names[LedName] => {
    const own = told ? (given as { readonly [led: string]: unknown })[led] : undefined;
    if (typeof own !== 'object' || own === null) {
      return Object.fromEntries(COLOURS.map((colour) => [colour, `sipair:${colour}:${led}`]));
    }
    const texts = Object.entries(own).filter(([, name]) => isName(name));
    return Object.fromEntries(texts);
  };
  return {
    names: { power: of('power'), status: of('status'), ha: of('ha'), alarm: of('alarm') },
    told,
  };
}

/** One folder of the class, and not the way out of it. */
function isName(name: unknown): boolean {
  return typeof name === 'string' && /^[\w:.+-]+$/.test(name) && !/^\.+$/.test(name);
}

type Part = { readonly lamp: Lamp; readonly colour: Lit; readonly mixes: boolean };

function isOn({ colour, mixes }: Part, shown: Colour): boolean {
  if (shown === colour) return true;
  return shown === 'amber' && mixes && colour !== 'amber';
}

export class LampPanel {
  private readonly root: string;
  private readonly log: ConsumerContext['log'];
  private names: ReturnType<typeof lampNames>;
  private parts: { [name in LedName]?: readonly Part[] } = {};
  private missing: readonly string[] = [];
  private saidMissing = '';
  private saidFault = '';
  private shown: Leds | undefined;

  constructor(root: string, system: SystemTree, log: ConsumerContext['log']) {
    this.root = root;
    this.log = log;
    this.names = lampNames(system);
    this.find();
  }

  configure(system: SystemTree): void {
    this.names = lampNames(system);
    this.find();
    const { shown } = this;
    this.shown = undefined;
    if (shown !== undefined) this.show(shown);
  }

  /** What the lamps show from now on. @param again also those that should show it already. */
  show(leds: Leds, again = false): void {
    const before = this.shown;
    this.shown = leds;
    for (const led of LED_NAMES) {
      if (!again && before !== undefined && same(before[led], leds[led])) continue;
      for (const part of this.parts[led] ?? []) this.light(part, leds[led]);
    }
    const changed = before === undefined || LED_NAMES.some((n) => !same(before[n], leds[n]));
    if (changed) this.inWords(leds);
  }

  /** Lights that were written by others, or were not there before. */
  look(): void {
    if (this.missing.length > 0) {
      const before = this.missing.length;
      this.find();
      if (this.missing.length !== before && this.shown !== undefined) this.show(this.shown, true);
    }
    this.each((part, led) => {
      if (!part.lamp.shows(isOn(part, led.colour), led.blink)) this.light(part, led);
    });
  }

  /** Those that blink by hand. @returns whether there are any. */
  beat(at: number): boolean {
    let any = false;
    this.each((part, led) => {
      if (!part.lamp.byHand) return;
      any = true;
      this.trying(() => part.lamp.switch(isOn(part, led.colour) && isLit(led, at)));
    });
    return any;
  }

  private each(f: (part: Part, led: LedState) => void): void {
    for (const led of LED_NAMES) {
      for (const part of this.parts[led] ?? [])
        if (this.shown !== undefined) f(part, this.shown[led]);
    }
  }

  private light(part: Part, { colour, blink }: LedState): void {
    this.trying(() => part.lamp.show(isOn(part, colour), blink));
  }

  private trying(f: () => void): void {
    try {
      f();
    } catch (e) {
      const { message } = e as Error;
      if (message !== this.saidFault) this.log('warning', `lamps: ${message}`);
      this.saidFault = message;
    }
  }

  private find(): void {
    const missing: string[] = [];
    const { lampClass } = placesBelow(this.root);
    for (const led of LED_NAMES) {
      const found: Part[] = [];
      const named = this.names.names[led];
      for (const colour of COLOURS) {
        const name = named[colour];
        if (name === undefined) continue;
        const lamp = Lamp.open(join(lampClass, name));
        if (lamp === undefined) missing.push(name);
        else found.push({ lamp, colour, mixes: false });
      }
      const mixes = !found.some((p) => p.colour === 'amber');
      this.parts[led] = found.map((p) => ({ ...p, mixes }));
    }
    this.missing = missing;
    this.tellMissing();
  }

  /** Once, and of the names nobody gave only that there are no lamps at all. */
  private tellMissing(): void {
    const { told } = this.names;
    const none = LED_NAMES.every((led) => (this.parts[led] ?? []).length === 0);
    const text = told ? this.missing.join(', ') : none ? 'all' : '';
    if (text === this.saidMissing || text === '') return;
    this.saidMissing = text;
    if (told) this.log('warning', `lamps: the kernel has none of these names: ${text}`);
    else this.log('info', 'lamps: this board has none that are known; `system leds` names them');
  }

  private inWords(leds: Leds): void {
    const words = Object.fromEntries(
      LED_NAMES.map((n) => [n, `${leds[n].colour} ${leds[n].blink}`]),
    );
    const { lampWords } = placesBelow(this.root);
    this.trying(() => {
      mkdirSync(dirname(lampWords), { recursive: true });
      writeFileSync(`${lampWords}.new`, `${JSON.stringify(words)}\n`);
      renameSync(`${lampWords}.new`, lampWords);
    });
  }
}

function same(a: LedState, b: LedState): boolean {
  return a.colour === b.colour && a.blink === b.blink;
}

export function makeLeds({ root, system, log }: ConsumerContext): Consumer {
  const panel = new LampPanel(root, system, log);
  let lookedAt = 0;
  let timer: NodeJS.Timeout | undefined;
  const beat = (): void => {
    timer = panel.beat(performance.now()) ? setTimeout(beat, HAND_MS) : undefined;
  };
  return {
    update: ({ leds, at }) => {
      panel.show(leds);
      if (Math.abs(at - lookedAt) >= LOOK_MS) {
        lookedAt = at;
        panel.look();
      }
      if (timer === undefined) beat();
    },
    configure: (tree) => panel.configure(tree),
    // what blinks goes on: who stops this process says what the lamps show then (`sipair leds`)
    close: () => clearTimeout(timer),
  };
}
