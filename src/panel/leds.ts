/**
 * What the lights of a box mean: one table from what is known to colour and pattern. The pattern
 * carries the meaning as well as the colour, for those who do not see colours. Lamps, console, SNMP and
 * manual show the same from here.
 */

/** Lamps on the front, in their order. */
export const LED_NAMES = ['power', 'status', 'ha', 'alarm'] as const;
export type LedName = (typeof LED_NAMES)[number];

export type Colour = 'off' | 'green' | 'amber' | 'red';
/** double: two short flashes, then a pause. */
export type Blink = 'steady' | '1hz' | '2hz' | '4hz' | 'double';
/** single: one short flash every two seconds. Only a lamp of one colour shows it. */
export type Pattern = Blink | 'single';
export type LedState = { readonly colour: Colour; readonly blink: Blink };
export type Leds = { readonly [name in LedName]: LedState };

/** What STATUS can say. */
export const SERVICE_STATES = ['booting', 'unconfigured', 'running', 'down', 'updating'] as const;
/**
 * What HA can say. unknown: the service does not answer, so nothing is known of the pair. resyncing:
 * the other box is there and both are not in step yet; a box that starts looks for it.
 */
export const HA_STATES = [
  'unknown',
  'unpaired',
  'conflict',
  'fenced',
  'primary-in-step',
  'backup-in-step',
  'resyncing',
  'alone',
] as const;
/** What ALARM can say: the gravest one that is active. */
export const ALARM_STATES = ['none', 'warning', 'minor', 'major', 'critical'] as const;

export type LedFacts = {
  readonly service: (typeof SERVICE_STATES)[number];
  readonly ha: (typeof HA_STATES)[number];
  readonly alarm: (typeof ALARM_STATES)[number];
  /** Somebody looks for this box. */
  readonly locate: boolean;
};

type Row = {
  readonly led: LedName;
  /** Facts the row is about; those not named may be any. */
  readonly when: { readonly [fact in keyof LedFacts]?: readonly LedFacts[fact][] };
  readonly show: LedState;
  /**
   * The same on a lamp that has not both green and red: there the pattern alone tells. What is well
   * looks as it does in green; of one lamp no two rows look alike, and nothing else is lit steadily.
   */
  readonly plain: Pattern | 'off';
  /** For the person in front of the box. */
  readonly means: string;
};

const show = (colour: Colour, blink: Blink): LedState => ({ colour, blink });

/** Of each lamp the first row that fits. For every combination of facts one does (a test). */
export const LED_TABLE: readonly Row[] = [
  ...LED_NAMES.map(
    (led): Row => ({
      led,
      when: { locate: [true] },
      show: show(led === 'alarm' ? 'red' : 'green', '2hz'),
      plain: '2hz',
      means: 'all lamps blink: somebody looks for this box (`locate`)',
    }),
  ),
  {
    led: 'power',
    when: {},
    show: show('green', 'steady'),
    plain: 'steady',
    means: 'the box has power',
  },
  {
    led: 'status',
    when: { service: ['updating'] },
    show: show('amber', '2hz'),
    plain: 'double',
    means: 'an image is being installed or started: do not switch off',
  },
  {
    led: 'status',
    when: { service: ['booting', 'unconfigured'] },
    show: show('green', '1hz'),
    plain: '1hz',
    means: 'starting, or waiting for its first configuration',
  },
  {
    led: 'status',
    when: { service: ['running'] },
    show: show('green', 'steady'),
    plain: 'steady',
    means: 'the service runs',
  },
  {
    led: 'status',
    when: { service: ['down'] },
    show: show('red', 'steady'),
    plain: '4hz',
    means: 'the service does not run, or nothing watches over it',
  },
  {
    led: 'ha',
    when: { ha: ['conflict', 'fenced'] },
    show: show('red', '4hz'),
    plain: '4hz',
    means: 'the address is claimed twice, or this box stopped being primary by itself',
  },
  {
    led: 'ha',
    when: { ha: ['primary-in-step'] },
    show: show('green', 'steady'),
    plain: 'steady',
    means: 'primary, and the other box could take over now',
  },
  {
    led: 'ha',
    when: { ha: ['backup-in-step'] },
    show: show('green', 'double'),
    plain: 'double',
    means: 'backup, and could take over now',
  },
  {
    led: 'ha',
    when: { ha: ['resyncing'] },
    show: show('amber', '1hz'),
    plain: '1hz',
    means: 'not in step yet: leave both boxes and their cables alone',
  },
  {
    led: 'ha',
    when: { ha: ['alone'] },
    show: show('amber', 'steady'),
    plain: 'single',
    means: 'alone: nothing would take over from this box, or it may not take over',
  },
  {
    led: 'ha',
    when: { ha: ['unknown', 'unpaired'] },
    show: show('off', 'steady'),
    plain: 'off',
    means: 'not paired, or the service does not run',
  },
  {
    led: 'alarm',
    when: { alarm: ['major', 'critical'] },
    show: show('red', 'steady'),
    plain: '4hz',
    means: 'an alarm that cannot wait: `show alarms`',
  },
  {
    led: 'alarm',
    when: { alarm: ['minor', 'warning'] },
    show: show('amber', 'steady'),
    plain: '1hz',
    means: 'an alarm to look into: `show alarms`',
  },
  {
    led: 'alarm',
    when: { alarm: ['none'] },
    show: show('off', 'steady'),
    plain: 'off',
    means: 'no alarm',
  },
];

function fits(row: Row, facts: LedFacts): boolean {
  return Object.entries(row.when).every(([fact, values]) =>
    (values as readonly unknown[]).includes(facts[fact as keyof LedFacts]),
  );
}

/** @returns the row a lamp shows. */
export function rowOf(led: LedName, facts: LedFacts): Row {
  const row = LED_TABLE.find((r) => r.led === led && fits(r, facts));
  // the last rows of each lamp name every value there is
  return row ?? { led, when: {}, show: show('off', 'steady'), plain: 'off', means: '' };
}

/** What a lamp that shows this means: of one lamp no two meanings look alike (a test). */
export function meaningOf(led: LedName, shown: LedState): string {
  return looksLike(led, shown)?.means ?? '';
}

/** How a lamp that has not both green and red says the same. */
export function plainOf(led: LedName, shown: LedState): Pattern | 'off' {
  return looksLike(led, shown)?.plain ?? 'off';
}

function looksLike(led: LedName, shown: LedState): Row | undefined {
  const looks = (row: Row): boolean =>
    row.show.colour === shown.colour &&
    (row.show.blink === shown.blink || row.show.colour === 'off');
  return LED_TABLE.find((row) => row.led === led && looks(row));
}

export function ledsOf(facts: LedFacts): Leds {
  const lit = (led: LedName): LedState => rowOf(led, facts).show;
  return { power: lit('power'), status: lit('status'), ha: lit('ha'), alarm: lit('alarm') };
}

/** On and off of one round, ms, beginning with on; nothing for a steady lamp. */
export const BLINK_MS: { readonly [b in Pattern]: readonly number[] } = {
  steady: [],
  '1hz': [500, 500],
  '2hz': [250, 250],
  '4hz': [125, 125],
  double: [125, 125, 125, 625],
  single: [125, 1875],
};

/** @returns whether the lamp is lit at this moment of its round. */
export function isLit({ colour, blink }: LedState, at: number): boolean {
  return colour !== 'off' && isLitBy(blink, at);
}

/** @returns whether a light of this pattern is lit at this moment of its round. */
export function isLitBy(blink: Pattern, at: number): boolean {
  const round = BLINK_MS[blink];
  const whole = round.reduce((sum, ms) => sum + ms, 0);
  if (whole === 0) return true;
  let rest = at % whole;
  for (const [i, ms] of round.entries()) {
    if (rest < ms) return i % 2 === 0;
    rest -= ms;
  }
  return false;
}

const PATTERN_WORDS: { readonly [p in Pattern]: string } = {
  steady: 'steady',
  '1hz': 'blinks once a second',
  '2hz': 'blinks twice a second',
  '4hz': 'flickers',
  double: 'flashes twice, pauses',
  single: 'flashes once every two seconds',
};

/** In words: "amber, blinks once a second". */
export function inWords({ colour, blink }: LedState): string {
  return colour === 'off' ? 'off' : `${colour}, ${PATTERN_WORDS[blink]}`;
}

/** Of a lamp of one colour. */
export function plainInWords(plain: Pattern | 'off'): string {
  return plain === 'off' ? 'off' : PATTERN_WORDS[plain];
}
