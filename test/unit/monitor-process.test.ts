/**
 * The process around the monitor: it asks daemon and agent that come, go and talk nonsense; a consumer
 * that throws does not stop the others; alarms outlive it; its socket.
 */

import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { mono } from '../../src/edge/clock.ts';
import { ask } from '../../src/edge/control-client.ts';
import { AlarmFile } from '../../src/edge/monitor/alarm-file.ts';
import { Asker } from '../../src/edge/monitor/asker.ts';
import type { Consumer, ConsumerMaker } from '../../src/edge/monitor/consumer.ts';
import { placesBelow } from '../../src/edge/monitor/places.ts';
import { MonitorProcess } from '../../src/edge/monitor/process.ts';
import { onlyOne } from '../../src/edge/monitor/socket.ts';
import { HISTORY, lineOf } from '../../src/panel/monitor/alarm-log.ts';
import type { AlarmRecord, BoxStatus, StatusChange } from '../../src/panel/monitor/box-status.ts';
import { ASKS, render } from '../../src/panel/show/index.ts';
import { DAEMON, SYSTEM } from './monitor-kit.ts';
import { AT, alarmOf } from './status-scenes.ts';

async function until(what: string, done: () => boolean, ms = 15_000): Promise<void> {
  for (const end = Date.now() + ms; !done(); await new Promise((r) => setTimeout(r, 20))) {
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
  }
}

function root(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sipair-mon-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'run/sipair'), { recursive: true });
  return dir;
}

/** Answers every line with the same text, until it is taken away. */
class Answers {
  text: string;
  asked = 0;
  /** After the next answer this process has no time for so long: longer than an answer may take. */
  busyMs = 0;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor(path: string, text: string) {
    this.text = text;
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('data', () => {
        this.asked += 1;
        socket.write(this.text);
        const end = performance.now() + this.busyMs;
        this.busyMs = 0;
        while (performance.now() < end) Math.hypot(1, 1);
      });
    });
    this.server.listen(path);
  }

  gone(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

class Listener implements Consumer {
  readonly statuses: BoxStatus[] = [];
  readonly changes: StatusChange[] = [];
  readonly systems: object[] = [];
  closed = false;

  update(status: BoxStatus, changes: readonly StatusChange[]): void {
    this.statuses.push(status);
    this.changes.push(...changes);
  }
  configure(system: object): void {
    this.systems.push(system);
  }
  close(): void {
    this.closed = true;
  }
  get last(): BoxStatus | undefined {
    return this.statuses.at(-1);
  }
}

function start(t: ExecutionContext, dir: string, makers: readonly ConsumerMaker[]): MonitorProcess {
  const monitor = new MonitorProcess({ root: dir, release: 'sipair 0.1.0', makers });
  t.teardown(() => monitor.close());
  return monitor;
}

test('daemon and agent come and go; a consumer that throws stops nobody', async (t) => {
  const dir = root(t);
  const places = placesBelow(dir);
  const heard = new Listener();
  const bad: ConsumerMaker = {
    name: 'bad',
    make: () => ({
      update: () => {
        throw new Error('a mistake');
      },
      configure: () => {
        throw new Error('another');
      },
      close: () => {
        throw new Error('the last');
      },
    }),
  };
  const worse: ConsumerMaker = {
    name: 'worse',
    make: () => {
      throw new Error('not even made');
    },
  };
  const monitor = start(t, dir, [bad, worse, { name: 'heard', make: () => heard }]);
  await monitor.serve();
  await until('it is unconfigured', () => heard.last?.phase === 'unconfigured');

  const daemon = new Answers(places.control, `${JSON.stringify(DAEMON)}\n`);
  const system = new Answers(places.system, `${JSON.stringify({ ok: true, ...SYSTEM })}\n`);
  t.teardown(() => daemon.gone());
  t.teardown(() => system.gone());
  await until('it runs', () => heard.last?.phase === 'running' && heard.last.system !== undefined);
  t.is(heard.last?.leds.ha.colour, 'green');

  mkdirSync(join(dir, 'data/config'), { recursive: true });
  const tree = { system: { syslog: {} }, box: { a: { name: 'berlin-1' } } };
  writeFileSync(places.boxFile, JSON.stringify({ box: 'a' }));
  writeFileSync(places.active, JSON.stringify({ format: 1, revision: 1, tree }));
  await until('it is configured', () => heard.last?.name === 'berlin-1');
  t.deepEqual(heard.systems.at(-1), { syslog: {} });

  daemon.text = 'no JSON\n';
  await until('nonsense is no answer', () => heard.last?.phase === 'down');
  daemon.text = `${JSON.stringify({ error: 'x', text: 'y' })}\n`;
  daemon.gone();
  const reborn = new Answers(places.control, `${JSON.stringify(DAEMON)}\n`);
  t.teardown(() => reborn.gone());
  await until('it runs again', () => heard.last?.phase === 'running');
  const kinds = heard.changes.map((c) => ('alarm' in c ? `${c.kind} ${c.alarm.code}` : c.kind));
  t.true(kinds.includes('alarm-raised service-down'));
  monitor.close();
  t.true(heard.closed);
});

test('its socket: status, alarms, locate, follow, and what is no request', async (t) => {
  const dir = root(t);
  const { monitor: path, control } = placesBelow(dir);
  // what a killed one left
  writeFileSync(path, '');
  const heard = new Listener();
  const monitor = start(t, dir, [{ name: 'heard', make: () => heard }]);
  await onlyOne(path);
  await monitor.serve();
  t.is(statSync(path).mode & 0o777, 0o600);
  await t.throwsAsync(onlyOne(path), { message: /monitor-twice/ });
  t.like(await ask(path, { command: 'status' }), {
    release: 'sipair 0.1.0',
    phase: 'unconfigured',
  });
  t.deepEqual(await ask(path, { command: 'alarms' }), { active: [], history: [] });
  t.like(await ask(path, { command: 'reboot' }), { error: 'control-command' });
  t.like(await ask(path, { command: 'locate', minutes: -1 }), { error: 'monitor-minutes' });

  let said = '';
  const follower = connect(path, () => follower.write('{"command":"follow"}\n'));
  t.teardown(() => follower.destroy());
  follower.on('data', (bytes) => {
    said += String(bytes);
  });
  await until('it follows', () => said.includes('"ok":true'));
  // younger than the monitor: what was before is no change
  const daemon = new Answers(control, `${JSON.stringify({ ...DAEMON, since: mono() })}\n`);
  t.teardown(() => daemon.gone());
  await until('it is told', () => said.includes('"role-change"') && said.includes('"in-step"'));

  t.like(await ask(path, { command: 'locate', on: true, minutes: 5 }), { ok: true });
  t.is(heard.last?.leds.power.blink, '2hz');
  t.deepEqual(await ask(path, { command: 'locate', on: false }), { ok: true });
  t.is(heard.last?.leds.power.blink, 'steady');
});

test('alarms outlive the monitor, whatever happened to the last line of their file', async (t) => {
  const dir = root(t);
  const places = placesBelow(dir);
  const alarming = { ...DAEMON, disk: 'fails' };
  const daemon = new Answers(places.control, `${JSON.stringify(alarming)}\n`);
  t.teardown(() => daemon.gone());
  const first = new Listener();
  const one = start(t, dir, [{ name: 'first', make: () => first }]);
  await until('it is raised', () => first.last?.alarms[0]?.code === 'disk-fails');
  const written = (): number => linesIn(places.alarmLog).length;
  await until('it is written', () => written() === 1);
  await one.close();
  appendFileSync(places.alarmLog, '{"id":2,"co');
  const second = new Listener();
  const two = start(t, dir, [{ name: 'second', make: () => second }]);
  t.deepEqual(second.last ?? (await firstOf(second)), second.last);
  t.is(second.last?.alarms[0]?.id, first.last?.alarms[0]?.id);
  daemon.text = `${JSON.stringify(DAEMON)}\n`;
  await until('it is over', () => second.last?.history.length === 1);
  await until('it is written, too', () =>
    linesIn(places.alarmLog).some((l) => /clearedAt/.test(l)),
  );
  await two.close();
  const third = new Listener();
  start(t, dir, [{ name: 'third', make: () => third }]);
  await until('it is remembered', () => third.last?.history[0]?.code === 'disk-fails');
});

function linesIn(path: string): string[] {
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((l) => l !== '')
    : [];
}

async function firstOf(listener: Listener): Promise<BoxStatus | undefined> {
  await until('a first state', () => listener.last !== undefined);
  return listener.last;
}

test('a medium that hangs keeps no alarm from anybody', async (t) => {
  const dir = root(t);
  const places = placesBelow(dir);
  const heard = new Listener();
  const daemon = new Answers(places.control, `${JSON.stringify(DAEMON)}\n`);
  t.teardown(() => daemon.gone());
  start(t, dir, [{ name: 'heard', make: () => heard }]);
  await until('it runs', () => heard.last?.phase === 'running');
  // whoever opens it to write waits until somebody reads
  mkdirSync(dirname(places.alarmLog), { recursive: true });
  execFileSync('mkfifo', [places.alarmLog]);
  for (const disk of ['fails', 'works', 'stalls']) {
    daemon.text = `${JSON.stringify({ ...DAEMON, disk })}\n`;
    const wanted = disk === 'works' ? 0 : 1;
    await until(disk, () => heard.last?.alarms.length === wanted);
  }
  t.is(heard.changes.filter((c) => c.kind === 'alarm-raised').length, 2);
  const reader = openSync(places.alarmLog, constants.O_RDWR | constants.O_NONBLOCK);
  t.teardown(() => closeSync(reader));
  const bytes = Buffer.alloc(65_536);
  let text = '';
  await until('it is written', () => {
    try {
      text += bytes.subarray(0, readSync(reader, bytes)).toString();
    } catch {
      // nothing more for the moment
    }
    return text.match(/disk-fails/g)?.length === 3;
  });
});

test('more than can wait for a medium: all of it is written anew when it can be', async (t) => {
  const dir = root(t);
  const path = join(dir, 'data/log/alarms.jsonl');
  const file = new AlarmFile(path, () => {});
  const all = Array.from({ length: 1500 }, (_, i) => alarm(i + 1));
  const kept = (): { active: AlarmRecord[]; history: AlarmRecord[] } => ({
    active: [],
    history: all.slice(-HISTORY),
  });
  for (const record of all) file.append([record], kept);
  await file.settled();
  t.deepEqual(
    file.load().history.map((r) => r.id),
    all.slice(-HISTORY).map((r) => r.id),
  );
  // what could not be written is written with the next one
  rmSync(join(dir, 'data'), { recursive: true });
  writeFileSync(join(dir, 'data'), 'no folder');
  file.append([alarm(2000)], kept);
  await file.settled();
  rmSync(join(dir, 'data'));
  all.push(alarm(2000), alarm(2001));
  file.append([alarm(2001)], kept);
  await file.settled();
  t.deepEqual(
    file
      .load()
      .history.slice(-2)
      .map((r) => r.id),
    [2000, 2001],
  );
});

function alarm(id: number): AlarmRecord {
  return {
    id,
    code: 'load-high',
    subject: '',
    severity: 'minor',
    text: 'x'.repeat(1000),
    source: 'health',
    raisedAt: id,
    clearedAt: id + 1,
    epoch: 1,
  };
}

test('the file of alarms is made short, and a folder in its place is said once', async (t) => {
  const dir = root(t);
  const path = join(dir, 'data/log/alarms.jsonl');
  const said: string[] = [];
  const file = new AlarmFile(path, (_level, text) => said.push(text));
  const all: AlarmRecord[] = [];
  for (let id = 1; id <= 4000; id += 1) {
    all.push(alarm(id));
    if (all.length > HISTORY) all.shift();
    file.append([alarm(id)], () => ({ active: [], history: all }));
    if (id % 10 === 0) await file.settled();
  }
  t.true(statSync(path).size < 1_100_000);
  const { history, nextId } = file.load();
  t.deepEqual([history.length, history.at(-1)?.id, nextId], [HISTORY, 4000, 4001]);
  const blocked = new AlarmFile(join(dir, 'run/sipair'), (_level, text) => said.push(text));
  t.deepEqual(said, []);
  for (const id of [1, 2]) {
    blocked.append([alarm(id)], () => ({ active: [], history: [] }));
    await blocked.settled();
  }
  t.is(said.length, 1);
});

test('a question is asked again on one connection, and the end of it is noticed at once', async (t) => {
  const dir = root(t);
  const path = join(dir, 'x.sock');
  const heard: (object | undefined)[] = [];
  const asker = new Asker(path, { command: 'status' }, 50, (answer) => heard.push(answer));
  t.teardown(() => asker.close());
  await until('nobody is there', () => heard.length > 1);
  t.deepEqual(heard[0], undefined);
  const server = new Answers(path, '{"a":1}\n');
  await until('it answers', () => server.asked > 3 && heard.at(-1) !== undefined);
  t.deepEqual(heard.at(-1), { a: 1 });
  server.text = '{"error":"x","text":"y"}\n';
  await until('a fault is no answer', () => heard.at(-1) === undefined);
  server.text = '{"b":2}\n';
  await until('it answers again', () => heard.at(-1) !== undefined);
  heard.length = 0;
  server.busyMs = 2500;
  await until('it was read', () => heard.length > 1);
  t.false(heard.includes(undefined), 'an answer that waited is an answer');
  server.gone();
});

test('the console shows every alarm that is kept, not only those of a status', async (t) => {
  const dir = root(t);
  const { alarmLog, monitor: path } = placesBelow(dir);
  const kept = Array.from({ length: HISTORY }, (_, i) =>
    alarmOf({
      id: i + 1,
      code: 'crossover-down',
      subject: `s${i}`,
      raisedAt: AT,
      clearedAt: AT + i,
    }),
  );
  mkdirSync(dirname(alarmLog), { recursive: true });
  writeFileSync(alarmLog, kept.map(lineOf).join(''));
  await start(t, dir, []).serve();
  const [service, request] = ASKS.history;
  t.is(service, 'monitor');
  const lines = render('history', await ask(path, request), { width: 80, now: AT });
  const heads = lines.filter((line) => line.includes('crossover-down'));
  t.is(heads.length, kept.length);
  t.regex(heads[0] ?? '', /crossover-down s999$/, 'the newest first');
});
