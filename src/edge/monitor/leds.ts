/**
 * The lamps: shows on the box what the state of the box says. Which lights of the kernel they are, the
 * configuration says (`system leds`), or the table of boards. A lamp without an amber light shows amber by
 * green and red together; one that has not green and red tells by its pattern alone. What the lamps
 * show stands in words in `/run/sipair/leds.json` too.
 */

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type Board,
  boardOf,
  isPlain,
  LIT,
  type Lights,
  type Lit,
  lightsOf,
} from '../../panel/boards.ts';
import {
  type Colour,
  isLitBy,
  LED_NAMES,
  type LedName,
  type LedState,
  type Leds,
  type Pattern,
  plainOf,
} from '../../panel/leds.ts';
import type { Consumer, ConsumerContext, SystemTree } from './consumer.ts';
import { Lamp } from './lamp.ts';
import { placesBelow } from './places.ts';

/** Lights are looked at this often: one may be written by others, or come late. */
const LOOK_MS = 2000;
/** How often lights that blink by hand are looked at. */
const HAND_MS = 62;

/** What the firmware says of the board; undefined for one the table has not. */
export function readBoard(root: string): Board | undefined {
  const { dmi } = placesBelow(root);
  const read = (name: string): string => {
    try {
      return readFileSync(join(dmi, name), 'utf8');
    } catch {
      return '';
    }
  };
  return boardOf({ vendor: read('sys_vendor'), product: read('product_name') });
}

type Part = {
  readonly led: LedName;
  readonly lamp: Lamp;
  readonly colour: Lit;
  /** Lit for amber too, with the other colour. */
  readonly mixes: boolean;
  /** Of a lamp that tells by its pattern alone: this light does, or is not needed. */
  readonly plain: 'no' | 'tells' | 'dark';
};

type Shown = { readonly on: boolean; readonly pattern: Pattern };

function isOn({ colour, mixes }: Part, shown: Colour): boolean {
  if (shown === colour) return true;
  return shown === 'amber' && mixes && colour !== 'amber';
}

/** What one light has to do so that its lamp shows that. */
function shownBy(part: Part, state: LedState): Shown {
  if (part.plain === 'no') return { on: isOn(part, state.colour), pattern: state.blink };
  const plain = plainOf(part.led, state);
  if (part.plain === 'dark' || plain === 'off') return { on: false, pattern: 'steady' };
  return { on: true, pattern: plain };
}

export class LampPanel {
  private readonly root: string;
  private readonly log: ConsumerContext['log'];
  private readonly board: Board | undefined;
  private lights: Lights;
  private parts: readonly Part[] = [];
  private missing: readonly string[] = [];
  private saidMissing = '';
  private saidFault = '';
  private shown: Leds | undefined;

  constructor(root: string, system: SystemTree, log: ConsumerContext['log']) {
    this.root = root;
    this.log = log;
    this.board = readBoard(root);
    this.lights = lightsOf(system['leds'], this.board);
    this.find();
  }

  configure(system: SystemTree): void {
    const before = this.parts;
    this.lights = lightsOf(system['leds'], this.board);
    this.find();
    for (const { lamp } of before) {
      if (!this.parts.some((part) => part.lamp.dir === lamp.dir)) this.darken(lamp);
    }
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
      for (const part of this.parts) if (part.led === led) this.light(part, leds[led]);
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
    this.each((part, state) => {
      const { on, pattern } = shownBy(part, state);
      if (!part.lamp.shows(on, pattern)) this.light(part, state);
    });
  }

  /** Those that blink by hand. @returns whether there are any. */
  beat(at: number): boolean {
    let any = false;
    this.each((part, state) => {
      if (!part.lamp.byHand) return;
      any = true;
      const { on, pattern } = shownBy(part, state);
      this.trying(() => part.lamp.switch(on && isLitBy(pattern, at)));
    });
    return any;
  }

  /**
   * Nobody will be here to blink what blinks by hand: it is lit, unless it would then look well on a
   * lamp that has no other colour for what is not.
   */
  rest(): void {
    this.each((part, state) => {
      if (!part.lamp.byHand) return;
      const fair = part.plain === 'no' || state.colour === 'green';
      this.trying(() => part.lamp.switch(fair && shownBy(part, state).on));
    });
  }

  private each(f: (part: Part, state: LedState) => void): void {
    const { shown } = this;
    if (shown !== undefined) for (const part of this.parts) f(part, shown[part.led]);
  }

  private light(part: Part, state: LedState): void {
    const { on, pattern } = shownBy(part, state);
    this.trying(() => part.lamp.show(on, pattern));
  }

  private darken(lamp: Lamp): void {
    this.trying(() => lamp.show(false, 'steady'));
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
    this.parts = LED_NAMES.flatMap((led) => {
      const found: { lamp: Lamp; colour: Lit }[] = [];
      for (const colour of LIT) {
        const name = this.lights.names[led][colour];
        if (name === undefined) continue;
        const lamp = Lamp.open(join(lampClass, name));
        if (lamp === undefined) missing.push(name);
        else found.push({ lamp, colour });
      }
      const colours = found.map((part) => part.colour);
      const mixes = !colours.includes('amber');
      const plain = (i: number): Part['plain'] =>
        isPlain(colours) ? (i === 0 ? 'tells' : 'dark') : 'no';
      return found.map((part, i): Part => ({ ...part, led, mixes, plain: plain(i) }));
    });
    for (const name of this.lights.spare) {
      const lamp = Lamp.open(join(lampClass, name));
      if (lamp !== undefined) this.darken(lamp);
    }
    this.missing = missing;
    this.tellMissing();
  }

  /** Once, and of the names nobody gave only that there are no lamps at all. */
  private tellMissing(): void {
    const told = this.missing.filter((name) => this.lights.told.has(name));
    const text = told.length > 0 ? told.join(', ') : this.parts.length === 0 ? 'all' : '';
    if (text === this.saidMissing || text === '') return;
    this.saidMissing = text;
    if (told.length > 0) {
      this.log('warning', `lamps: the kernel has none of these names: ${text}`);
    } else {
      this.log('info', 'lamps: this board has none that are known; `system leds` names them');
    }
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
