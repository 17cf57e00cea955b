/**
 * Lamps by board, in a folder that looks like the kernel's: every board of the table and boards that are
 * in none, in every state a box can be in; and what `sipair leds` leaves behind.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { LampPanel } from '../../src/edge/monitor/leds.ts';
import { showLeds } from '../../src/edge/monitor/leds-command.ts';
import {
  BOARDS,
  boardOf,
  isPlain,
  LIT,
  lampsSeen,
  lightsOf,
  startRules,
} from '../../src/panel/boards.ts';
import {
  ALARM_STATES,
  BLINK_MS,
  HA_STATES,
  LED_NAMES,
  type LedFacts,
  type LedName,
  type Leds,
  ledsOf,
  rowOf,
  SERVICE_STATES,
} from '../../src/panel/leds.ts';
import { ROOT } from '../tidy/source.ts';

const APU = BOARDS[0];
const RULES = join(ROOT, 'image/root/usr/lib/udev/rules.d/70-sipair-lamps.rules');
const LIGHTS = ['apu:green:1', 'apu:green:2', 'apu:green:3'] as const;

function allFacts(): LedFacts[] {
  return SERVICE_STATES.flatMap((service) =>
    HA_STATES.flatMap((ha) =>
      ALARM_STATES.flatMap((alarm) =>
        [false, true].map((locate) => ({ service, ha, alarm, locate })),
      ),
    ),
  );
}

class Folder {
  readonly root = mkdtempSync(join(tmpdir(), 'sipair-boards-'));
  readonly said: string[] = [];

  constructor(t: ExecutionContext, vendor: string, product: string) {
    t.teardown(() => rmSync(this.root, { recursive: true }));
    this.write('sys/class/dmi/id/sys_vendor', `${vendor}\n`);
    this.write('sys/class/dmi/id/product_name', `${product}\n`);
  }

  light(name: string, triggers = '[none] timer pattern'): this {
    this.write(`sys/class/leds/${name}/brightness`, '1\n');
    this.write(`sys/class/leds/${name}/max_brightness`, '1\n');
    this.write(`sys/class/leds/${name}/trigger`, `${triggers}\n`);
    return this;
  }

  write(path: string, text: string): void {
    mkdirSync(join(this.root, path, '..'), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  open(system: object = {}): LampPanel {
    return new LampPanel(this.root, system as never, (_level, text) => this.said.push(text));
  }

  /** What a person sees: 'off', 'on', or the times of a round. */
  seen(name: string): string {
    const read = (file: string): string => {
      return readFileSync(join(this.root, 'sys/class/leds', name, file), 'utf8').trim();
    };
    const trigger = read('trigger');
    if (trigger === 'timer') return `${read('delay_on')} ${read('delay_off')}`;
    if (trigger === 'pattern') return read('pattern');
    return Number(read('brightness')) > 0 ? 'on' : 'off';
  }
}

test('boards are known by what their firmwares say', (t) => {
  for (const product of ['APU', 'apu2', 'APU3', 'PC Engines apu4', 'apu6\n']) {
    t.is(boardOf({ vendor: 'PC Engines\n', product }), APU, product);
  }
  const others = [
    ['QEMU', 'Standard PC (Q35 + ICH9, 2009)'],
    ['PC Engines', 'WRAP'],
    ['PC Engines', 'apu20'],
    ['Other', 'APU2'],
    ['', ''],
  ] as const;
  for (const [vendor, product] of others) t.is(boardOf({ vendor, product }), undefined, product);
});

test('every board of the table in every state: one light a lamp, and no two meanings alike', (t) => {
  for (const board of BOARDS) {
    const { names, spare } = lightsOf(undefined, board);
    t.deepEqual(spare, []);
    const all = LED_NAMES.flatMap((led) => Object.values(names[led]));
    t.is(new Set(all).size, all.length, `${board.name}: a light is one lamp's`);
    t.true(all.length > 0);
    const folder = new Folder(t, board.vendor, board.products[0] ?? '');
    for (const name of all) folder.light(name);
    const panel = folder.open();
    // of each lamp: what is seen, and what it is to mean
    const meanings = new Map<string, string>();
    const done = new Set<string>();
    for (const facts of allFacts()) {
      const leds = ledsOf(facts);
      // rows of a lamp depend on few of the facts: once each
      if (done.has(JSON.stringify(leds))) continue;
      done.add(JSON.stringify(leds));
      panel.show(leds, true);
      for (const led of LED_NAMES) {
        if (Object.keys(names[led]).length === 0) continue;
        const seen = LIT.map((c) =>
          names[led][c] === undefined ? '' : folder.seen(names[led][c]),
        );
        const key = `${led}: ${seen.join(', ')}`;
        const { means } = rowOf(led, facts);
        t.is(meanings.get(key) ?? means, means, key);
        meanings.set(key, means);
        for (const name of Object.values(names[led])) folder.light(name);
      }
    }
    t.deepEqual(folder.said, []);
  }
});

const usual: LedFacts = { service: 'running', ha: 'primary-in-step', alarm: 'none', locate: false };
const SEEN: readonly (readonly [Partial<LedFacts>, string, string, string])[] = [
  [{}, 'on', 'on', 'off'],
  [{ service: 'booting', ha: 'unknown' }, '500 500', 'off', 'off'],
  [{ service: 'down', ha: 'unknown', alarm: 'critical' }, '125 125', 'off', '125 125'],
  [{ ha: 'alone', alarm: 'major' }, 'on', '125 1875', '125 125'],
  [{ ha: 'resyncing', alarm: 'minor' }, 'on', '500 500', '500 500'],
  [{ ha: 'conflict', alarm: 'critical' }, 'on', '125 125', '125 125'],
  [{ locate: true }, '250 250', '250 250', '250 250'],
];

for (const [facts, ...seen] of SEEN) {
  test(`three green lights of ${JSON.stringify(facts)}`, (t) => {
    const folder = new Folder(t, 'PC Engines', 'APU');
    for (const name of LIGHTS) folder.light(name);
    const panel = folder.open();
    panel.show(ledsOf({ ...usual, ...facts }));
    t.deepEqual(
      LIGHTS.map((name) => folder.seen(name)),
      seen,
    );
    panel.look();
    t.deepEqual(
      LIGHTS.map((name) => folder.seen(name)),
      seen,
      'nothing to put right',
    );
  });
}

test('the configuration is above the table: a light it takes is no other lamp', (t) => {
  const folder = new Folder(t, 'PC Engines', 'apu2');
  for (const name of LIGHTS) folder.light(name);
  const panel = folder.open({ leds: { power: { green: 'apu:green:1' } } });
  panel.show(ledsOf({ ...usual, service: 'down', alarm: 'none' }));
  t.deepEqual(
    LIGHTS.map((name) => folder.seen(name)),
    ['on', 'on', 'off'],
  );
  // what nothing uses does not go on showing what somebody else had said
  folder.light('apu:green:3');
  const other = folder.open({ leds: { alarm: {} } });
  other.show(ledsOf(usual));
  t.is(folder.seen('apu:green:3'), 'off');
  t.deepEqual(folder.said, []);
});

test('a board that is in no table and has no lights says so once, and shows the words', (t) => {
  const folder = new Folder(t, 'QEMU', 'Standard PC');
  folder.open().show(ledsOf(usual));
  t.is(folder.said.length, 1);
  t.regex(folder.said[0] ?? '', /no.* known/);
});

test('from the first moment: the rules of udev light what the monitor would', (t) => {
  const text = startRules();
  if (process.env['BOARDS_WRITE'] === '1') writeFileSync(RULES, text);
  t.is(readFileSync(RULES, 'utf8'), text);
  // obeyed in a folder, they leave what `sipair leds booting` leaves
  for (const board of [undefined, ...BOARDS]) {
    const { names } = lightsOf(undefined, board);
    const all = LED_NAMES.flatMap((led) => Object.values(names[led]));
    const [vendor, product] = [board?.vendor ?? '', board?.products[0] ?? ''];
    const told = new Folder(t, vendor, product);
    const ruled = new Folder(t, vendor, product);
    for (const name of all) {
      told.light(name);
      ruled.light(name);
      const rules = text.split('\n').filter((line) => line.includes(`KERNEL=="${name}"`));
      t.true(rules.length > 0, name);
      for (const rule of rules) {
        const [, file = '', value = ''] = /ATTR\{(\w+)\}="(\w+)"/.exec(rule) ?? [];
        if (file !== '') ruled.write(`sys/class/leds/${name}/${file}`, value);
        else t.regex(rule, /="kmod load ledtrig-timer"$/, 'before the trigger is chosen');
      }
    }
    showLeds(told.root, 'booting', () => {});
    for (const name of all) t.is(ruled.seen(name), told.seen(name), name);
  }
});

test('what the lamps of this box can show is told', (t) => {
  t.deepEqual(lampsSeen(lightsOf(undefined, APU), APU), {
    board: 'PC Engines APU',
    plain: ['status', 'ha', 'alarm'],
    without: ['power'],
  });
  t.deepEqual(lampsSeen(lightsOf(undefined, undefined), undefined), {
    board: '',
    plain: [],
    without: [],
  });
  t.true(isPlain(['red']));
  t.false(isPlain([]));
});

test('`leds down` goes on telling of an update, and nobody else', (t) => {
  const folder = new Folder(t, 'PC Engines', 'APU');
  for (const name of LIGHTS) folder.light(name);
  const after = (facts: Partial<LedFacts>): string => {
    folder.open().show(ledsOf({ ...usual, ...facts }));
    // a kernel shows all triggers there are; this folder what was written last
    for (const name of LIGHTS) folder.light(name);
    showLeds(folder.root, 'down', () => {});
    return folder.seen('apu:green:1');
  };
  t.is(after({ service: 'updating' }), '1 125 1 0 0 125 0 0 1 125 1 0 0 625 0 0');
  t.is(after({ service: 'running' }), '125 125');
  t.is(after({ locate: true }), '125 125');
});

test('without the kernel to blink, a lamp of one colour that is left alone is not lit for what is wrong', (t) => {
  const lit = (word: 'down' | 'booting' | 'updating'): string => {
    const folder = new Folder(t, 'PC Engines', 'APU');
    for (const name of LIGHTS) folder.light(name, '[none]');
    showLeds(folder.root, word, () => {});
    return LIGHTS.map((name) => folder.seen(name)).join(' ');
  };
  t.is(lit('booting'), 'on off off');
  t.is(lit('down'), 'off off off');
  t.is(lit('updating'), 'off off off');
});

test('patterns of a lamp: by hand they are as the kernel would blink them', (t) => {
  const folder = new Folder(t, 'PC Engines', 'APU');
  for (const name of LIGHTS) folder.light(name, '[none]');
  const panel = folder.open();
  const leds: Leds = ledsOf({ ...usual, ha: 'alone' });
  panel.show(leds);
  const [on = 0, off = 0] = BLINK_MS.single;
  const at = (ms: number): string => {
    t.true(panel.beat(ms));
    return folder.seen('apu:green:2');
  };
  t.deepEqual(
    [at(0), at(on - 1), at(on), at(on + off - 1), at(on + off)],
    ['on', 'on', 'off', 'off', 'on'],
  );
  const led: LedName = 'ha';
  t.is(leds[led].blink, 'steady');
});
