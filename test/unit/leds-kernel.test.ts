/** The kernel's LED class in a folder: what is written to it for each lamp, and what others write. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { LampPanel } from '../../src/edge/monitor/leds.ts';
import { showLeds } from '../../src/edge/monitor/leds-command.ts';
import { lightsOf } from '../../src/panel/boards.ts';
import { type Leds, ledsOf } from '../../src/panel/leds.ts';

const OK = ledsOf({ service: 'running', ha: 'backup-in-step', alarm: 'none', locate: false });
const OLD = ledsOf({ service: 'running', ha: 'resyncing', alarm: 'major', locate: false });
const RED = ledsOf({ service: 'running', ha: 'conflict', alarm: 'major', locate: false });

class Board {
  readonly root = mkdtempSync(join(tmpdir(), 'sipair-leds-'));
  readonly said: string[] = [];
  panel: LampPanel | undefined;

  constructor(t: ExecutionContext) {
    t.teardown(() => rmSync(this.root, { recursive: true }));
  }

  light(name: string, triggers = '[none] timer pattern', full = '255'): this {
    const dir = join(this.root, 'sys/class/leds', name);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'brightness'), '0\n');
    writeFileSync(join(dir, 'max_brightness'), `${full}\n`);
    writeFileSync(join(dir, 'trigger'), `${triggers}\n`);
    return this;
  }

  /** What the firmware says. */
  dmi(vendor: string, product: string): this {
    const dir = join(this.root, 'sys/class/dmi/id');
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'sys_vendor'), `${vendor}\n`);
    writeFileSync(join(dir, 'product_name'), `${product}\n`);
    return this;
  }

  open(system: object = {}): LampPanel {
    this.panel = new LampPanel(this.root, system as never, (_level, text) => this.said.push(text));
    return this.panel;
  }

  read(name: string, file: string): string {
    return readFileSync(join(this.root, 'sys/class/leds', name, file), 'utf8').trim();
  }

  write(name: string, file: string, text: string): void {
    writeFileSync(join(this.root, 'sys/class/leds', name, file), text);
  }

  get words(): { readonly [led: string]: string } {
    return JSON.parse(readFileSync(join(this.root, 'run/sipair/leds.json'), 'utf8')) as never;
  }
}

const ALL = ['power', 'status', 'ha', 'alarm'].flatMap((led) =>
  ['green', 'amber', 'red'].map((colour) => `sipair:${colour}:${led}`),
);

test('every lamp is lit in its colour only, and the kernel blinks', (t) => {
  const board = new Board(t);
  for (const name of ALL) board.light(name);
  const panel = board.open();
  panel.show(OK);
  t.deepEqual(board.said, []);
  t.is(board.read('sipair:green:status', 'brightness'), '255');
  t.is(board.read('sipair:red:status', 'brightness'), '0');
  t.is(board.read('sipair:green:ha', 'trigger'), 'pattern');
  t.is(board.read('sipair:green:ha', 'pattern'), '255 125 255 0 0 125 0 0 255 125 255 0 0 625 0 0');
  panel.show(OLD);
  t.is(board.read('sipair:green:ha', 'trigger'), 'none');
  t.is(board.read('sipair:green:ha', 'brightness'), '0');
  t.is(board.read('sipair:amber:ha', 'trigger'), 'timer');
  t.is(board.read('sipair:amber:ha', 'delay_on'), '500');
  t.is(board.read('sipair:amber:ha', 'delay_off'), '500');
  t.is(board.read('sipair:red:alarm', 'brightness'), '255');
  panel.show(RED);
  t.is(board.read('sipair:red:ha', 'delay_on'), '125');
  t.is(board.words['ha'], 'red 4hz');
});

test('a box without amber lights shows it by green and red; without triggers, by hand', (t) => {
  const board = new Board(t);
  board.light('g', '[none] timer', '1').light('r', '[none]', '1');
  const panel = board.open({ leds: { ha: { green: 'g', red: 'r' } } });
  panel.show(OLD);
  t.is(board.read('g', 'delay_on'), '500');
  t.true(panel.beat(0));
  t.is(board.read('r', 'brightness'), '1');
  panel.beat(500);
  t.is(board.read('r', 'brightness'), '0');
  panel.beat(1000);
  t.is(board.read('r', 'brightness'), '1');
  panel.show(OK);
  t.is(board.read('r', 'brightness'), '0');
  t.true(panel.beat(0), 'two flashes without the pattern trigger');
  t.is(board.read('g', 'brightness'), '1');
  panel.beat(130);
  t.is(board.read('g', 'brightness'), '0');
});

test('names that the kernel has not are told once; a light that comes late is lit', (t) => {
  const board = new Board(t);
  const panel = board.open({ leds: { status: { green: 'late', red: '../../etc' } } });
  t.is(board.said.length, 1);
  t.regex(board.said[0] ?? '', /late/);
  t.notRegex(board.said[0] ?? '', /etc/, 'no name leads out of the class');
  panel.show(OK);
  panel.look();
  t.is(board.said.length, 1);
  board.light('late');
  panel.look();
  t.is(board.read('late', 'brightness'), '255');
  const none = new Board(t);
  none.open().show(OK);
  t.is(none.said.length, 1);
  t.deepEqual(none.words, {
    power: 'green steady',
    status: 'green steady',
    ha: 'green double',
    alarm: 'off steady',
  });
});

test('what somebody else wrote is put right', (t) => {
  const board = new Board(t);
  for (const name of ALL) board.light(name);
  const panel = board.open();
  panel.show(OK);
  showLeds(board.root, 'down', () => {});
  t.is(board.read('sipair:red:status', 'brightness'), '255');
  t.is(board.read('sipair:green:status', 'brightness'), '0');
  t.is(board.words['status'], 'red steady');
  panel.look();
  t.is(board.read('sipair:red:status', 'brightness'), '0');
  t.is(board.read('sipair:green:status', 'brightness'), '255');
  // as the kernel shows it
  board.write('sipair:green:ha', 'trigger', '[none] timer pattern');
  panel.look();
  t.is(board.read('sipair:green:ha', 'trigger'), 'pattern');
});

test('before there is a monitor: booting, updating', (t) => {
  const board = new Board(t);
  for (const name of ALL) board.light(name);
  showLeds(board.root, 'booting', () => {});
  t.is(board.read('sipair:green:status', 'delay_on'), '500');
  // a kernel shows all triggers there are; this folder what was written last
  for (const name of ALL) board.light(name);
  showLeds(board.root, 'updating', () => {});
  t.is(board.read('sipair:amber:status', 'delay_on'), '250');
  t.is(board.read('sipair:red:alarm', 'brightness'), '0');
  // nobody is left to blink it: lit is nearer to the truth than dark
  board.light('sipair:green:status', '[none]');
  showLeds(board.root, 'booting', () => {});
  t.is(board.read('sipair:green:status', 'brightness'), '255');
});

test('another configuration: other names, the same picture', (t) => {
  const board = new Board(t);
  board.light('one').light('two');
  const panel = board.open({ leds: { status: { green: 'one' } } });
  const lit: Leds = OK;
  panel.show(lit);
  t.is(board.read('one', 'brightness'), '255');
  panel.configure({ leds: { status: { green: 'two' } } });
  t.is(board.read('two', 'brightness'), '255');
  t.is(board.read('one', 'brightness'), '0', 'a light that is no lamp any more goes out');
  const { names, told } = lightsOf(undefined, undefined);
  t.is(told.size, 0);
  t.is(names.ha.amber, 'sipair:amber:ha');
});
