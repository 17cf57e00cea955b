/** Lamps and alarms of the box as the manual shows them, and the drawings of its front. */

import { TRUNK_ALARMS } from '../../src/call/trunk-view.ts';
import { BOARDS } from '../../src/panel/boards.ts';
import { LED_LABELS, LED_SCENES, sceneSvg } from '../../src/panel/led-picture.ts';
import { inWords, LED_NAMES, LED_TABLE, ledsOf, plainInWords } from '../../src/panel/leds.ts';
import { AGENT_ALARMS } from '../../src/panel/monitor/agent-alarms.ts';
import { BOX_ALARMS } from '../../src/panel/monitor/box-alarms.ts';
import { grid } from './grid.ts';

const code = (text: string): string => `\`${text}\``;

function time(ms: number): string {
  if (ms === 0) return 'at once';
  return ms < 60_000 ? `${ms / 1000} s` : `${ms / 60_000} min`;
}

function leds(): string {
  return grid(
    ['lamp', 'shows', 'of one colour', 'while', 'means'],
    LED_TABLE.map(({ led, when, show, plain, means }) => [
      `**${LED_LABELS[led]}**`,
      inWords(show),
      plainInWords(plain),
      Object.entries(when)
        .map(([fact, values]) => (fact === 'locate' ? 'locate' : values.join(', ')))
        .join('; '),
      means,
    ]),
  );
}

function boards(): string {
  return grid(
    ['board', 'sys_vendor', 'product_name', 'lights', 'remarks'],
    BOARDS.map(({ name, vendor, products, lamps, remarks }) => [
      name,
      code(vendor),
      products.map(code).join(', '),
      LED_NAMES.flatMap((led) =>
        Object.entries(lamps[led] ?? {}).map(
          ([colour, light]) => `${LED_LABELS[led]} ${colour}: ${code(light)}`,
        ),
      ).join('; '),
      remarks,
    ]),
  );
}

function scenes(): string {
  return grid(
    ['front', 'when', 'in words'],
    LED_SCENES.map(({ name, when, facts }) => {
      const shown = ledsOf(facts);
      const words = LED_NAMES.map((led) => `${LED_LABELS[led]} ${inWords(shown[led])}`);
      return [`![${words.join('; ')}](leds/${name}.svg)`, when, words.slice(1).join('; ')];
    }),
  );
}

function boxAlarms(): string {
  return grid(
    ['alarm', 'severity', 'meaning', 'do', 'after', 'over after'],
    Object.entries(BOX_ALARMS).map(([name, { severity, about, cure, afterMs, overMs }]) => [
      code(name),
      severity,
      about,
      cure,
      time(afterMs),
      time(overMs),
    ]),
  );
}

function alarms(table: { readonly [code: string]: readonly [string, string, string] }): string {
  return grid(
    ['alarm', 'severity', 'meaning', 'do'],
    Object.entries(table).map(([name, [severity, about, cure]]) => [
      code(name),
      severity,
      about,
      cure,
    ]),
  );
}

export const BOX_PICTURES: { readonly [name: string]: () => string } = {
  leds,
  'led-scenes': scenes,
  'led-boards': boards,
  'box-alarms': boxAlarms,
  'agent-alarms': () => alarms(AGENT_ALARMS),
  'trunk-alarms': () => alarms(TRUNK_ALARMS),
};

/** Drawings below docs/, by file. */
export const DRAWINGS: readonly { readonly file: string; readonly draw: () => string }[] =
  LED_SCENES.map(({ name }) => ({ file: `leds/${name}.svg`, draw: () => sceneSvg(name) }));
