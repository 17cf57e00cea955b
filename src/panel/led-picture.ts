/**
 * Lamps as pictures: on a terminal two seconds of each lamp as a strip of time, in the manual the front
 * of the box as SVG that blinks as the box does. Made from the table, so they cannot lie.
 */

import {
  BLINK_MS,
  inWords,
  isLit,
  LED_NAMES,
  type LedFacts,
  type LedName,
  type LedState,
  type Leds,
  ledsOf,
  meaningOf,
} from './leds.ts';

/** As printed on the front. */
export const LED_LABELS: { readonly [name in LedName]: string } = {
  power: 'PWR',
  status: 'STATUS',
  ha: 'HA',
  alarm: 'ALARM',
};

/** A sign of the strip is so long, ms; the strip shows so much. */
const SIGN_MS = 62.5;
const STRIP_MS = 2000;

/** On and off over two seconds: `####....####....`. */
function strip(led: LedState, signs: number): string {
  let out = '';
  for (let i = 0; i < signs; i += 1) out += isLit(led, i * SIGN_MS) ? '#' : '.';
  return out;
}

/** Cut at a word. */
function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  const at = text.lastIndexOf(' ', width);
  return text.slice(0, at > 0 ? at : width).replace(/[,:;]$/, '');
}

/** Lines for a terminal of that width, without escape sequences. */
export function ledPicture(leds: Leds, width: number): readonly string[] {
  const signs = Math.min(STRIP_MS / SIGN_MS, Math.max(16, width - 40));
  const wide = Math.max(...LED_NAMES.map((name) => LED_LABELS[name].length));
  return LED_NAMES.flatMap((name) => {
    const shown = leds[name];
    const head = `${LED_LABELS[name].padEnd(wide)}  ${strip(shown, signs)}  ${inWords(shown)}`;
    return [cut(head, width), cut(`${' '.repeat(wide + 2)}${meaningOf(name, shown)}`, width)];
  });
}

// ── the front, for the manual ──────────────────────────────────────────────────────────────────

const PAINT = { off: '#3a3f44', green: '#2fbf4f', amber: '#ffb020', red: '#e5372b' } as const;
const STEP = 92;
const SIZE = { width: 24 + STEP * LED_NAMES.length, height: 78 } as const;

/** One round as `animate` wants it: a value for each stretch, and when each begins (0 to 1). */
function animation(led: LedState): string {
  const round = BLINK_MS[led.blink];
  if (led.colour === 'off' || round.length === 0) return '';
  const whole = round.reduce((sum, ms) => sum + ms, 0);
  let at = 0;
  const starts = round.map((ms) => {
    const start = at / whole;
    at += ms;
    return String(Math.round(start * 10_000) / 10_000);
  });
  const values = round.map((_, i) => (i % 2 === 0 ? PAINT[led.colour] : PAINT.off));
  return (
    `<animate attributeName="fill" calcMode="discrete" dur="${whole}ms" repeatCount="indefinite"` +
    ` values="${values.join(';')}" keyTimes="${starts.join(';')}"/>`
  );
}

/** The front of the box with these lamps: an SVG file, the same text for the same lamps. */
export function ledSvg(leds: Leds): string {
  const lamps = LED_NAMES.map((name, i) => {
    const led = leds[name];
    const x = 12 + STEP * i + STEP / 2;
    return [
      `  <circle cx="${x}" cy="30" r="11" fill="${PAINT[led.colour]}" stroke="#0d0f11"` +
        ` stroke-width="2">${animation(led)}<title>${LED_LABELS[name]}: ${inWords(led)}</title></circle>`,
      `  <text x="${x}" y="62" text-anchor="middle">${LED_LABELS[name]}</text>`,
    ].join('\n');
  });
  const { width, height } = SIZE;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"` +
      ` viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" fill="#e8eaec">`,
    `  <rect width="${width}" height="${height}" rx="6" fill="#1d2125"/>`,
    ...lamps,
    '</svg>',
    '',
  ].join('\n');
}

/** What a person sees, and when: the pictures of the manual, each a file of this name. */
export const LED_SCENES: readonly {
  readonly name: string;
  readonly facts: LedFacts;
  readonly when: string;
}[] = [
  scene('booting', 'The box was switched on and starts.', { service: 'booting' }),
  scene('unconfigured', 'Out of the carton: the console asks for the first configuration.', {
    service: 'unconfigured',
    ha: 'unpaired',
  }),
  scene('primary', 'Primary, the pair is in step: as it should be.', { ha: 'primary-in-step' }),
  scene('backup', 'Backup, the pair is in step: as it should be.', { ha: 'backup-in-step' }),
  scene('resyncing', 'The other box came back; it is being given what it missed.', {
    ha: 'resyncing',
    alarm: 'major',
  }),
  scene('alone', 'The other box or the crossover is gone: calls go on, on this box.', {
    ha: 'alone',
    alarm: 'major',
  }),
  scene('conflict', 'Somebody else has the virtual address.', {
    ha: 'conflict',
    alarm: 'critical',
  }),
  scene('updating', 'A new image is being installed or started.', {
    service: 'updating',
    ha: 'backup-in-step',
  }),
  scene('down', 'The service of this box does not run.', {
    service: 'down',
    ha: 'unknown',
    alarm: 'critical',
  }),
  scene('locate', '`request locate on`: which of the boxes in the rack is it?', {
    locate: true,
  }),
];

function scene(name: string, when: string, facts: Partial<LedFacts>): (typeof LED_SCENES)[number] {
  const usual: LedFacts = { service: 'running', ha: 'unknown', alarm: 'none', locate: false };
  return { name, when, facts: { ...usual, ...facts } };
}

export function sceneSvg(name: string): string {
  const found = LED_SCENES.find((s) => s.name === name);
  return found === undefined ? '' : ledSvg(ledsOf(found.facts));
}
