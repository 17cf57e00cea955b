/** The table of the lamps: total, every row reachable, and what APPLIANCE promises a person sees. */

import test from 'ava';
import { LED_SCENES, ledPicture, ledSvg } from '../../src/panel/led-picture.ts';
import {
  ALARM_STATES,
  BLINK_MS,
  HA_STATES,
  inWords,
  isLit,
  LED_NAMES,
  LED_TABLE,
  type LedFacts,
  ledsOf,
  meaningOf,
  plainOf,
  rowOf,
  SERVICE_STATES,
} from '../../src/panel/leds.ts';

function all(): LedFacts[] {
  return SERVICE_STATES.flatMap((service) =>
    HA_STATES.flatMap((ha) =>
      ALARM_STATES.flatMap((alarm) =>
        [false, true].map((locate) => ({ service, ha, alarm, locate })),
      ),
    ),
  );
}

test('for every combination of facts each lamp has a row, and every row is used', (t) => {
  const used = new Set();
  for (const facts of all()) {
    for (const led of LED_NAMES) {
      const row = rowOf(led, facts);
      t.true(LED_TABLE.includes(row), `${led} ${JSON.stringify(facts)}`);
      used.add(row);
    }
  }
  t.deepEqual(
    LED_TABLE.filter((row) => !used.has(row)),
    [],
  );
});

const usual: LedFacts = { service: 'running', ha: 'primary-in-step', alarm: 'none', locate: false };

const SEEN: readonly (readonly [Partial<LedFacts>, string])[] = [
  [{}, 'green steady, green steady, green steady, off'],
  [{ ha: 'backup-in-step' }, 'green steady, green steady, green double, off'],
  [{ service: 'booting', ha: 'unknown' }, 'green steady, green 1hz, off, off'],
  [{ service: 'unconfigured', ha: 'unpaired' }, 'green steady, green 1hz, off, off'],
  [{ service: 'updating' }, 'green steady, amber 2hz, green steady, off'],
  [
    { service: 'down', ha: 'unknown', alarm: 'critical' },
    'green steady, red steady, off, red steady',
  ],
  [{ ha: 'resyncing', alarm: 'minor' }, 'green steady, green steady, amber 1hz, amber steady'],
  [{ ha: 'alone', alarm: 'major' }, 'green steady, green steady, amber steady, red steady'],
  [{ ha: 'conflict', alarm: 'critical' }, 'green steady, green steady, red 4hz, red steady'],
  [{ ha: 'fenced', alarm: 'critical' }, 'green steady, green steady, red 4hz, red steady'],
  [{ ha: 'unpaired', alarm: 'warning' }, 'green steady, green steady, off, amber steady'],
  [{ locate: true, service: 'down' }, 'green 2hz, green 2hz, green 2hz, red 2hz'],
];

for (const [facts, seen] of SEEN) {
  test(`lamps of ${JSON.stringify(facts)}`, (t) => {
    const leds = ledsOf({ ...usual, ...facts });
    const words = LED_NAMES.map((name) => {
      const { colour, blink } = leds[name];
      return colour === 'off' ? 'off' : `${colour} ${blink}`;
    });
    t.is(words.join(', '), seen);
  });
}

test('states of a lamp that differ in colour only differ for nobody who does not see colours', (t) => {
  // of one lamp, two meanings that matter in service never share a pattern
  const ha = LED_TABLE.filter((row) => row.led === 'ha' && row.when.locate === undefined);
  const patterns = ha.map(({ show }) => (show.colour === 'off' ? 'off' : show.blink));
  // primary in step and alone are both steady: ALARM tells them apart, which is lit when alone
  t.deepEqual([...patterns].sort(), ['1hz', '4hz', 'double', 'off', 'steady', 'steady']);
  const alone = ledsOf({ ...usual, ha: 'alone', alarm: 'major' });
  t.not(alone.alarm.colour, 'off');
});

test('of one lamp no two meanings look alike', (t) => {
  const looks = LED_TABLE.map(({ led, show }) => `${led} ${inWords(show)}`);
  t.is(new Set(looks).size, looks.length);
  for (const { led, show, means } of LED_TABLE) t.is(meaningOf(led, show), means);
});

test('a lamp of one colour: well is shown as in green, and nothing else looks like it', (t) => {
  for (const led of LED_NAMES) {
    const rows = LED_TABLE.filter((row) => row.led === led);
    const looks = rows.map(({ plain }) => plain);
    t.is(new Set(looks).size, looks.length, `${led}: ${looks.join(', ')}`);
    for (const { show, plain, means } of rows) {
      t.is(plainOf(led, show), plain);
      if (show.colour === 'green') t.is(plain, show.blink, means);
      // what is wrong is never a light that simply burns, nor dark as a board without power
      else if (show.colour !== 'off') t.false(['steady', 'off'].includes(plain), means);
      else t.is(plain, 'off', means);
    }
  }
});

test('a blinking lamp is on and off as its round says', (t) => {
  const double = { colour: 'green', blink: 'double' } as const;
  const at = [0, 124, 125, 249, 250, 374, 375, 999, 1000].map((ms) => isLit(double, ms));
  t.deepEqual(at, [true, true, false, false, true, true, false, false, true]);
  t.false(isLit({ colour: 'off', blink: '4hz' }, 0));
  t.true(isLit({ colour: 'red', blink: 'steady' }, 12_345));
  for (const round of Object.values(BLINK_MS)) t.is(round.length % 2, 0);
});

test('the picture on a terminal fits, and says the same as the table', (t) => {
  for (const facts of all()) {
    for (const width of [40, 80, 132]) {
      for (const line of ledPicture(ledsOf(facts), width)) {
        t.true(line.length <= width, `${width}: ${line}`);
        t.regex(line, /^[ -~]*$/);
      }
    }
  }
  const [power = '', , status = ''] = ledPicture(ledsOf({ ...usual, service: 'booting' }), 80);
  t.regex(power, /^PWR {5}#{32} {2}green, steady/);
  t.regex(status, /^STATUS {2}#{8}\.{8}#{8}\.{8} {2}green, blinks once a second/);
});

test('scenes of the manual: each lamp that blinks is animated, and no two are drawn alike', (t) => {
  const drawn = new Set<string>();
  for (const { name, facts } of LED_SCENES) {
    const leds = ledsOf(facts);
    const svg = ledSvg(leds);
    const blinking = LED_NAMES.filter(
      (led) => leds[led].colour !== 'off' && leds[led].blink !== 'steady',
    );
    t.is(svg.split('<animate').length - 1, blinking.length, name);
    for (const led of LED_NAMES) t.true(svg.includes(inWords(leds[led])));
    drawn.add(svg);
  }
  // starting and waiting for a first configuration look the same: the console tells
  t.is(drawn.size, LED_SCENES.length - 1);
});
