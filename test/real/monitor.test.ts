/**
 * What a person in front of the two boxes sees: a pair with a monitor on each, the primary is killed,
 * comes back, is killed with its monitor. Lamps, alarms and changes tell the truth on both.
 */

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ask } from '../../src/edge/control-client.ts';
import type { AlarmRecord, BoxStatus, StatusChange } from '../../src/panel/monitor/box-status.ts';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { BOXES, type BoxName, NODE, ROOT } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { until } from './native-help.ts';

/** One box as its monitor shows it, below a root of its own. */
class Watched {
  readonly root: string;
  readonly changes: StatusChange[] = [];
  status: BoxStatus | undefined;
  private readonly lab: Lab;
  private readonly box: BoxName;
  private child: ReturnType<Lab['spawn']> | undefined;
  private over = false;

  constructor(t: ExecutionContext, lab: Lab, box: BoxName) {
    this.lab = lab;
    this.box = box;
    this.root = mkdtempSync(join(tmpdir(), `sipair-${box}-`));
    const run = join(this.root, 'run/sipair');
    mkdirSync(run, { recursive: true });
    mkdirSync(join(this.root, 'data'));
    for (const colour of ['green', 'red']) {
      const light = join(this.root, `sys/class/leds/sipair:${colour}:status`);
      mkdirSync(light, { recursive: true });
      writeFileSync(join(light, 'trigger'), '[none] timer\n');
      writeFileSync(join(light, 'brightness'), '0\n');
    }
    symlinkSync(lab.places.control(box), join(run, 'control.sock'));
    symlinkSync(lab.places.config(box), join(run, 'box.json'));
    this.start();
    void this.look();
    t.teardown(() => {
      this.over = true;
      this.kill();
      rmSync(this.root, { recursive: true, force: true });
    });
  }

  get socket(): string {
    return join(this.root, 'run/sipair/monitor.sock');
  }

  start(): void {
    const verb = [NODE, join(ROOT, 'src/main.ts'), 'monitor', '--root', this.root];
    this.child = this.lab.spawn(this.box, verb);
    this.child.stdout.resume();
    this.child.stderr.resume();
  }

  kill(): void {
    this.child?.kill('SIGKILL');
  }

  private async look(): Promise<void> {
    while (!this.over) {
      const answer = await ask(this.socket, { command: 'status' });
      this.status = 'error' in answer ? undefined : (answer as BoxStatus);
      await sleep(100);
    }
  }

  follow(t: ExecutionContext): void {
    let pending = '';
    const socket = connect(this.socket, () => socket.write('{"command":"follow"}\n'));
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      pending += String(bytes);
      const lines = pending.split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) {
        const change = JSON.parse(line) as StatusChange | { readonly ok: true };
        if ('kind' in change) this.changes.push(change);
      }
    });
    t.teardown(() => socket.destroy());
  }

  /** "status ha alarm", as `leds.json` has them: also of a monitor that is dead. */
  get lamps(): string {
    try {
      const text = readFileSync(join(this.root, 'run/sipair/leds.json'), 'utf8');
      const words = JSON.parse(text) as { readonly [led: string]: string };
      return [words['status'], words['ha']].join(', ');
    } catch {
      return '';
    }
  }

  /** Whether that light of STATUS is lit. */
  isLit(colour: 'green' | 'red'): boolean {
    const light = join(this.root, `sys/class/leds/sipair:${colour}:status`);
    return Number(readFileSync(join(light, 'brightness'), 'utf8')) > 0;
  }

  /** STATUS and HA, and every alarm that must be there. */
  shows(lamps: string, ...codes: readonly string[]): boolean {
    const active = this.status?.alarms.map((a) => a.code) ?? [];
    return this.lamps === lamps && codes.every((code) => active.includes(code));
  }
}

const LIMIT_MS = 60_000;

test('lamps, alarms and changes follow a kill of the primary, on both boxes', async (t) => {
  const lab = await createLab({ name: labName('monitor') });
  t.teardown(() => lab.down());
  const ready = await lab.ready();
  const led = ready.primary as BoxName;
  const rest = led === 'a' ? 'b' : 'a';
  const watched = { a: new Watched(t, lab, 'a'), b: new Watched(t, lab, 'b') };
  const primary = watched[led];
  const backup = watched[rest];

  const wait = (what: string, done: () => boolean): Promise<void> => until(what, done, LIMIT_MS);
  await wait('primary, steady', () => primary.shows('green steady, green steady'));
  await wait('backup, two flashes', () => backup.shows('green steady, green double'));
  for (const box of BOXES) watched[box].follow(t);
  // status says what the lamps say; it is asked now and then, and readings of the machine come later
  await wait('status says it, too', () => {
    const { daemon, box, health } = primary.status ?? {};
    return daemon?.role === 'primary' && box === led && (health?.memory.totalBytes ?? 0) > 0;
  });
  t.deepEqual([primary.isLit('green'), primary.isLit('red')], [true, false]);

  await lab.kill(led);
  await wait('red', () => primary.shows('red steady, off steady', 'service-down'));
  await wait('the other one leads, alone', () =>
    backup.shows('green steady, amber steady', 'not-protected'),
  );
  t.deepEqual([primary.isLit('green'), primary.isLit('red')], [false, true]);
  const role = backup.changes.find((c) => c.kind === 'role-change');
  t.like(role, { from: 'backup', to: 'primary' });
  await wait('it is told', () => primary.changes.some((c) => c.kind === 'out-of-step'));

  await lab.start(led);
  await wait('it follows', () => primary.shows('green steady, green double'));
  await wait('in step', () => backup.shows('green steady, green steady'));
  await wait('the alarm is over', () => {
    const over = primary.status?.history.map((a) => a.code) ?? [];
    return over.includes('service-down') && backup.changes.some((c) => c.kind === 'in-step');
  });

  // a monitor that is killed comes back with what it knew
  const before = (await ask(primary.socket, { command: 'alarms' })) as {
    readonly history: readonly AlarmRecord[];
  };
  primary.kill();
  await wait('it is gone', () => primary.status === undefined);
  primary.start();
  await wait('it is back', () => primary.status !== undefined);
  const after = (await ask(primary.socket, { command: 'alarms' })) as typeof before;
  const known = (r: AlarmRecord): boolean => after.history.some((a) => a.id === r.id);
  t.true(before.history.length > 0);
  t.true(before.history.every(known));
  // and a second one is refused
  const verb = [join(ROOT, 'src/main.ts'), 'monitor', '--root', primary.root];
  const second = spawn(NODE, verb, { stdio: 'ignore' });
  const code = await new Promise((resolve) => second.on('exit', resolve));
  t.is(code, 1);
});
