/**
 * The process `sipair monitor`: asks daemon and agent, reads the machine, and tells everybody who shows
 * the state of the box. Nothing waits for it, and it waits for nobody: whoever is down is an answer, too.
 */

import type { Worker } from 'node:worker_threads';
import { lampsSeen, lightsOf } from '../../panel/boards.ts';
import type { BoxStatus, DaemonStatus, SystemState } from '../../panel/monitor/box-status.ts';
import { Monitor, type MonitorInput } from '../../panel/monitor/monitor.ts';
import { mono } from '../clock.ts';
import { ask } from '../control-client.ts';
import type { Inventory } from '../inventory-thread.ts';
import { log } from '../log.ts';
import { keepAlive, Life } from '../notify.ts';
import { startThread } from '../worker.ts';
import { AlarmFile } from './alarm-file.ts';
import { Asker } from './asker.ts';
import type { Consumer, ConsumerContext, ConsumerMaker, SystemTree } from './consumer.ts';
import { CONSUMERS } from './consumers.ts';
import { HealthReader } from './health.ts';
import { readBoard } from './leds.ts';
import { type Places, placesBelow } from './places.ts';
import { readBoxFile, readSystem, stampOf } from './settings.ts';
import { type MonitorServer, onlyOne, serveMonitor } from './socket.ts';

const DAEMON_MS = 500;
const SYSTEM_MS = 2000;
const HEALTH_MS = 5000;
const SLOW_MS = 30_000;
/** Consumers are told at least so often, and files are looked at. */
const TICK_MS = 1000;
/** An update that takes longer is said, once a minute and consumer. */
const LONG_MS = 250;
const SAY_MS = 60_000;
/** At its end the monitor waits so long for its file. */
const LAST_MS = 1000;
/** Faults nobody caught, within a minute: more of them, and it is begun anew. */
const FAULTS = 10;

export type MonitorOptions = {
  readonly root: string;
  readonly release: string;
  readonly makers?: readonly ConsumerMaker[];
};

type Running = { readonly name: string; readonly consumer: Consumer; saidAt: number };

export class MonitorProcess {
  private readonly options: MonitorOptions;
  private readonly places: Places;
  private readonly file: AlarmFile;
  private readonly monitor: Monitor;
  private readonly health: HealthReader;
  private readonly life = new Life();
  private readonly running: Running[] = [];
  private readonly askers: readonly Asker[];
  private readonly timers: NodeJS.Timeout[] = [];
  private inventory: Worker | undefined;
  private server: MonitorServer | undefined;
  private last: BoxStatus;
  private stamps = { box: '', active: '' };

  constructor(options: MonitorOptions) {
    this.options = options;
    this.places = placesBelow(options.root);
    this.file = new AlarmFile(this.places.alarmLog, log);
    const now = { mono: mono(), utc: Date.now() };
    this.monitor = new Monitor(options.release, this.file.load(), now);
    this.health = new HealthReader(options.root);
    this.last = this.monitor.step(now, { kind: 'tick' }).status;
    this.readFiles();
    const system = readSystem(options.root);
    this.seeLamps(system);
    this.makeConsumers(system);
    const { places } = this;
    this.askers = [
      new Asker(places.control, { command: 'status' }, DAEMON_MS, (answer) =>
        this.take({ kind: 'daemon', answer: answer as DaemonStatus | undefined }),
      ),
      new Asker(places.system, { command: 'state' }, SYSTEM_MS, (answer) =>
        this.take({ kind: 'system', answer: answer as SystemState | undefined }),
      ),
    ];
    this.every(TICK_MS, () => {
      this.readFiles();
      this.take({ kind: 'tick' });
    });
    this.every(HEALTH_MS, () => void this.readHealth());
    this.every(SLOW_MS, () => void this.health.readSlow());
    // what is slow to answer holds up nothing else
    void this.readHealth();
    void this.health.readSlow().then(() => this.readHealth());
    this.takeInventory();
  }

  /** Rejects when its socket cannot be had. */
  async serve(): Promise<void> {
    this.server = await serveMonitor(this.places.monitor, {
      status: () => this.last,
      locate: (forMs) => {
        log('info', forMs > 0 ? 'locate: all lamps blink' : 'locate: over');
        this.take({ kind: 'locate', forMs });
        return this.last;
      },
    });
    this.life.serves();
    const timer = keepAlive(this.life);
    if (timer !== undefined) this.timers.push(timer);
  }

  /** Resolves when what was said is written, or a medium that hangs was given a moment. */
  async close(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    for (const asker of this.askers) asker.close();
    this.server?.close();
    void this.inventory?.terminate();
    for (const { name, consumer } of this.running) {
      this.guarded(name, () => consumer.close());
    }
    await Promise.race([this.file.settled(), new Promise((r) => setTimeout(r, LAST_MS).unref())]);
  }

  private every(ms: number, f: () => void): void {
    this.timers.push(setInterval(f, ms));
  }

  private take(input: MonitorInput): void {
    const now = { mono: mono(), utc: Date.now() };
    const { status, changes } = this.monitor.step(now, input);
    this.last = status;
    for (const change of changes) {
      const { at: _, kind, ...rest } = change;
      if (!('alarm' in change)) log('info', `${kind} ${JSON.stringify(rest)}`);
      else if (kind === 'alarm-raised') log('alarm', `${change.alarm.code}: ${change.alarm.text}`);
      else log('info', `alarm over: ${change.alarm.code} ${change.alarm.subject}`.trimEnd());
    }
    for (const one of this.running) {
      const began = performance.now();
      this.guarded(one.name, () => one.consumer.update(status, changes));
      this.judge(one, performance.now() - began);
    }
    this.server?.tell(changes);
    const alarms = changes.flatMap((c) => ('alarm' in c ? [c.alarm] : []));
    if (alarms.length > 0) this.file.append(alarms, () => this.monitor.kept());
    this.life.says(`${status.phase}, ${status.alarms.length} alarms`);
  }

  private judge(one: Running, tookMs: number): void {
    const now = mono();
    if (tookMs < LONG_MS || now - one.saidAt < SAY_MS) return;
    one.saidAt = now;
    log('warning', `${one.name}: took ${Math.round(tookMs)} ms, which the others waited`);
  }

  private guarded(name: string, f: () => void): void {
    try {
      f();
    } catch (e) {
      const one = this.running.find((r) => r.name === name);
      const now = mono();
      if (one !== undefined && now - one.saidAt < SAY_MS) return;
      if (one !== undefined) one.saidAt = now;
      log('alarm', `${name}: ${(e as Error).stack ?? String(e)}`);
    }
  }

  private makeConsumers(system: SystemTree): void {
    const { root, release, makers = CONSUMERS } = this.options;
    const context: ConsumerContext = {
      root,
      release,
      system,
      log,
      askDaemon: (request) => ask(this.places.control, request),
    };
    for (const { name, make } of makers) {
      this.guarded(name, () => {
        const saidAt = Number.NEGATIVE_INFINITY;
        this.running.push({ name, consumer: make(context), saidAt });
      });
    }
  }

  /** What the agent wrote anew. */
  private readFiles(): void {
    const { root } = this.options;
    const stamps = { box: stampOf(this.places.boxFile), active: stampOf(this.places.active) };
    const before = this.stamps;
    this.stamps = stamps;
    if (stamps.box !== before.box || stamps.active !== before.active) {
      const file = readBoxFile(root);
      this.take({ kind: 'configured', configured: file !== undefined, name: file?.name ?? '' });
    }
    if (stamps.active === before.active) return;
    const system = readSystem(root);
    this.seeLamps(system);
    for (const { name, consumer } of this.running) {
      this.guarded(name, () => consumer.configure?.(system));
    }
  }

  private seeLamps(system: SystemTree): void {
    const board = readBoard(this.options.root);
    this.take({ kind: 'lamps', lamps: lampsSeen(lightsOf(system['leds'], board), board) });
  }

  private async readHealth(): Promise<void> {
    try {
      this.take({ kind: 'health', health: await this.health.read() });
    } catch (e) {
      log('warning', `readings of the machine: ${(e as Error).message}`);
    }
  }

  private takeInventory(): void {
    const worker = startThread('inventory-thread', {});
    worker.on('message', (found: Inventory) => this.health.found(found));
    worker.on('error', (e) => log('warning', `inventory: ${e.message}`));
    worker.unref();
    this.inventory = worker;
  }
}

function refuse(e: unknown): never {
  log('alarm', `start-failed: ${(e as Error).message}`);
  process.exit(1);
}

/** Runs until the process is told to end. */
export async function runMonitor(options: MonitorOptions): Promise<void> {
  // before anything is touched that the other one uses
  await onlyOne(placesBelow(options.root).monitor).catch(refuse);
  const monitor = new MonitorProcess(options);
  let faults = 0;
  setInterval(() => {
    faults = 0;
  }, SAY_MS).unref();
  // of a consumer, in a callback of its own: the others go on
  process.on('uncaughtException', (e) => {
    log('alarm', `monitor-fault: ${e.stack ?? e.message}`);
    faults += 1;
    if (faults > FAULTS) process.exit(1);
  });
  const stop = (): void => {
    void monitor.close().finally(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await monitor.serve().catch(refuse);
  log('info', `${options.release} monitor, root ${options.root}`);
}
