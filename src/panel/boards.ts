/**
 * Which lights of the kernel are the lamps, by board: what the firmware says of the board (DMI) is looked
 * up in a table. A board that is not in it has lights called `sipair:COLOUR:LAMP`, or none. What the
 * configuration says (`system leds`) is above both, lamp by lamp.
 */

import { BLINK_MS, LED_NAMES, type LedName, ledsOf, type Pattern, plainOf } from './leds.ts';

/** Colours of lights; amber may be green and red together. */
export const LIT = ['green', 'amber', 'red'] as const;
export type Lit = (typeof LIT)[number];
export type LightNames = {
  readonly [led in LedName]: { readonly [colour in Lit]?: string };
};

/** `/sys/class/dmi/id`: sys_vendor and product_name. */
export type Dmi = { readonly vendor: string; readonly product: string };

export type Board = {
  readonly name: string;
  readonly vendor: string;
  /** As the product is called, in any case of letters, with or without the vendor before it. */
  readonly products: readonly string[];
  /** Lamps the board has; the others it has not. */
  readonly lamps: Partial<LightNames>;
  readonly remarks: string;
};

export const BOARDS: readonly Board[] = [
  {
    name: 'PC Engines APU',
    vendor: 'PC Engines',
    products: ['apu', 'apu1', 'apu2', 'apu3', 'apu4', 'apu5', 'apu6'],
    lamps: {
      status: { green: 'apu:green:1' },
      ha: { green: 'apu:green:2' },
      alarm: { green: 'apu:green:3' },
    },
    remarks: 'three green lights in a row, 1 to 3: STATUS, HA, ALARM',
  },
];

export function boardOf({ vendor, product }: Dmi): Board | undefined {
  const plain = (text: string): string => text.trim().toLowerCase();
  return BOARDS.find((board) => {
    const maker = plain(board.vendor);
    if (plain(vendor) !== maker) return false;
    const called = plain(product);
    const bare = called.startsWith(maker) ? called.slice(maker.length).trim() : called;
    return board.products.includes(bare);
  });
}

export type Lights = {
  readonly names: LightNames;
  /** Names that the configuration gave. */
  readonly told: ReadonlySet<string>;
  /** Lights of the board that are no lamp now: they stay dark. */
  readonly spare: readonly string[];
};

type Json = { readonly [name: string]: unknown };
const isObject = (x: unknown): x is Json => typeof x === 'object' && x !== null;

/** One folder of the class, and not the way out of it. */
function isName(name: unknown): name is string {
  return typeof name === 'string' && /^[\w:.+-]+$/.test(name) && !/^\.+$/.test(name);
}

function told(given: unknown, led: LedName): LightNames[LedName] | undefined {
  const own = isObject(given) ? given[led] : undefined;
  if (!isObject(own)) return undefined;
  return Object.fromEntries(LIT.flatMap((c) => (isName(own[c]) ? [[c, own[c]]] : [])));
}

/** @param given what the configuration says: `system leds`. */
export function lightsOf(given: unknown, board: Board | undefined): Lights {
  const own = new Map(LED_NAMES.map((led) => [led, told(given, led)]));
  const taken = new Set([...own.values()].flatMap((names) => Object.values(names ?? {})));
  const names = Object.fromEntries(
    LED_NAMES.map((led) => [led, own.get(led) ?? unless(taken, usual(led, board))]),
  ) as LightNames;
  const used = new Set(LED_NAMES.flatMap((led) => Object.values(names[led])));
  const all = Object.values(board?.lamps ?? {}).flatMap((lamp) => Object.values(lamp));
  return { names, told: taken, spare: all.filter((name) => !used.has(name)) };
}

function usual(led: LedName, board: Board | undefined): LightNames[LedName] {
  if (board !== undefined) return board.lamps[led] ?? {};
  return Object.fromEntries(LIT.map((colour) => [colour, `sipair:${colour}:${led}`]));
}

/** A light that the configuration gave to a lamp is not another one's too. */
function unless(taken: ReadonlySet<string>, lamp: LightNames[LedName]): LightNames[LedName] {
  return Object.fromEntries(Object.entries(lamp).filter(([, name]) => !taken.has(name)));
}

/** @returns whether a lamp of these lights tells by its pattern alone. */
export function isPlain(colours: readonly Lit[]): boolean {
  return colours.length > 0 && !(colours.includes('green') && colours.includes('red'));
}

/** How a person in front of this box has to read its lamps. */
export type LampsSeen = {
  /** '' for one that the table has not. */
  readonly board: string;
  /** They tell by their pattern alone. */
  readonly plain: readonly LedName[];
  /** The board has none. */
  readonly without: readonly LedName[];
};

export function lampsSeen({ names }: Lights, board: Board | undefined): LampsSeen {
  const colours = (led: LedName): Lit[] => LIT.filter((colour) => names[led][colour] !== undefined);
  return {
    board: board?.name ?? '',
    plain: LED_NAMES.filter((led) => isPlain(colours(led))),
    without: LED_NAMES.filter((led) => colours(led).length === 0),
  };
}

/** What one light shows: a pattern, or nothing. */
type Light = { readonly name: string; readonly pattern: Pattern | 'off' };

/** The lights of a box that starts. Only green ones and those that tell by their pattern are lit then. */
function startLights(board: Board | undefined): readonly Light[] {
  const start = ledsOf({ service: 'booting', ha: 'unknown', alarm: 'none', locate: false });
  const { names } = lightsOf(undefined, board);
  return LED_NAMES.flatMap((led) => {
    const lamp = LIT.flatMap((colour) => {
      const name = names[led][colour];
      return name === undefined ? [] : [{ name, colour }];
    });
    const plain = isPlain(lamp.map((l) => l.colour));
    const { colour: shown, blink } = start[led];
    return lamp.map(({ name, colour }, i): Light => {
      if (plain) return { name, pattern: i === 0 ? plainOf(led, start[led]) : 'off' };
      return { name, pattern: colour === shown ? blink : 'off' };
    });
  });
}

function ruleOf({ name, pattern }: Light): readonly string[] {
  const rule = (...rest: readonly string[]): string =>
    ['ACTION=="add"', 'SUBSYSTEM=="leds"', `KERNEL=="${name}"`, ...rest].join(', ');
  const set = (file: string, value: string): string => rule(`ATTR{${file}}="${value}"`);
  if (pattern === 'off') return [set('brightness', '0')];
  const [on, off] = BLINK_MS[pattern];
  if (on === undefined || off === undefined) return [set('brightness', '255')];
  return [
    rule('IMPORT{builtin}="kmod load ledtrig-timer"'),
    set('trigger', 'timer'),
    set('delay_on', String(on)),
    set('delay_off', String(off)),
  ];
}

/**
 * The lamps from the moment the kernel has them, long before a program of ours runs: rules of udev that
 * say "starting" (image/root/usr/lib/udev/rules.d; a test compares).
 */
export function startRules(): string {
  const lights = [undefined, ...BOARDS].flatMap((board) => startLights(board));
  return [
    '# The box starts: lamps by the table of boards (src/panel/boards.ts), each as soon as the kernel has it.',
    '# Written by BOARDS_WRITE=1 with test/unit/boards.test.ts.',
    ...lights.flatMap(ruleOf),
    '',
  ].join('\n');
}
