/**
 * A lab that stands: what can be done to it and asked of it. Nothing is kept in memory that is not
 * in the lab's directory, so any number of processes may work on one lab at once.
 */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, type BoxStatus, order, statusOf } from './control.ts';
import {
  FAULTS,
  type FaultName,
  type FaultSettings,
  faultsOf,
  linksOf,
  makeFault,
  undoFault,
} from './faults.ts';
import {
  insiders,
  makeBox,
  netnsExists,
  plug,
  removeBox,
  run,
  unplugBox,
  whoHas,
} from './network.ts';
import {
  BOXES,
  type BoxName,
  CABLES,
  type Cable,
  type HostName,
  LAN_MAC,
  NODE,
  other,
  type Places,
  ROOT,
  VIP,
} from './places.ts';
import {
  gone,
  isAlive,
  isStopped,
  type Known,
  knownOf,
  lastLines,
  living,
  remove,
  signal,
  sleep,
  startDetached,
} from './processes.ts';
import { removeLab } from './removal.ts';
import type { Settings } from './settings.ts';

export type BoxView = {
  readonly running: boolean;
  readonly pid: number | null;
  /** Stopped by a signal. */
  readonly stopped: boolean;
  readonly powered: boolean;
  /** What the box says of itself; null while it cannot be asked. */
  readonly status: BoxStatus | null;
  readonly data: string;
  readonly control: string;
  readonly log: string;
};

export type LabStatus = {
  readonly name: string;
  readonly redundancy: string;
  readonly vip: string;
  readonly boxes: Readonly<Record<BoxName, BoxView>>;
  /** The box that says it is primary; null when none or both do. */
  readonly primary: BoxName | null;
  /** One is primary, the other backup, and both say they are in step. */
  readonly inStep: boolean;
  /** Everybody on the LAN who answers ARP for the VIP (empty also when not asked). */
  readonly vipAnsweredBy: readonly { readonly mac: string; readonly box: string }[];
  readonly cut: readonly Cable[];
  readonly faults: readonly FaultName[];
  /** Last line of the demo phones; null when there are none. */
  readonly phones: unknown;
};

export class Lab {
  readonly name: string;
  readonly places: Places;
  readonly settings: Settings;
  readonly #say: (line: string) => void;

  constructor(places: Places, settings: Settings, say: (line: string) => void) {
    this.name = places.name;
    this.places = places;
    this.settings = settings;
    this.#say = say;
  }

  /** Process of a box while it lives. */
  process(box: BoxName): Known | undefined {
    return living(this.places.pid(box));
  }

  /** Starts a box, powers it on first if need be; waits until it answers unless told not to. */
  async start(box: BoxName, options: { readonly wait?: boolean } = {}): Promise<Known> {
    const { places } = this;
    const running = this.process(box);
    if (running !== undefined) throw new Error(`box ${box} is running (process ${running.pid})`);
    if (existsSync(places.off(box))) {
      if (!netnsExists(places.netns(box))) await makeBox(places, box, this.settings);
      remove(places.off(box));
      await plug(places);
      this.#say(`box ${box}: power on`);
    }
    remove(places.control(box));
    // What was wrong inside of the process before is not wrong with this one.
    for (const name of [`engine-${box}`, `socket-${box}`]) remove(places.fault(name));
    const known = await startDetached({
      netns: places.netns(box),
      command: this.#boxCommand(box),
      cwd: places.data(box),
      log: places.log(box),
      pidFile: places.pid(box),
    });
    this.#say(`box ${box}: process ${known.pid}, log ${places.log(box)}`);
    if (options.wait !== false) await this.answers(box);
    return known;
  }

  #boxCommand(box: BoxName): readonly string[] {
    const program = this.settings.program ?? join(ROOT, 'src/main.ts');
    const head = program.endsWith('.ts') ? [NODE, program] : [program];
    return [...head, 'serve', '--config', this.places.config(box)];
  }

  /** Waits until the box answers on its control socket. */
  async answers(box: BoxName, timeoutMs = 20_000): Promise<BoxStatus> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const status = await statusOf(this.places.control(box));
      if (status !== undefined) return status;
      if (this.process(box) === undefined) throw this.#failure(`box ${box} did not come up`, [box]);
      if (performance.now() > until) {
        throw this.#failure(`box ${box} does not answer on ${this.places.control(box)}`, [box]);
      }
      await sleep(20);
    }
  }

  /** Waits for one primary and one backup that are (hot standby) in step. */
  async ready(timeoutMs = 20_000): Promise<LabStatus> {
    const began = performance.now();
    for (;;) {
      const now = await this.status();
      const paired =
        now.primary !== null && now.boxes[other(now.primary)].status?.role === 'backup';
      if (paired && (now.inStep || this.settings.redundancy === 'warm-standby')) {
        const ms = Math.round(performance.now() - began);
        const step = now.inStep ? ', in step' : '';
        this.#say(`lab ${this.name}: both up, ${now.primary} is primary${step} (${ms} ms)`);
        return now;
      }
      for (const box of BOXES) {
        if (!now.boxes[box].running) throw this.#failure(`box ${box} did not come up`, [box]);
      }
      if (performance.now() - began > timeoutMs) {
        throw this.#failure(`not in step after ${timeoutMs} ms: ${summary(now)}`, BOXES);
      }
      await sleep(20);
    }
  }

  #failure(what: string, boxes: readonly BoxName[]): Error {
    const lines = boxes.flatMap((box) => [
      `  last lines of box ${box}:`,
      ...lastLines(this.places.log(box), 12).map((line) => `    ${line}`),
    ]);
    return new Error([what, ...lines].join('\n'));
  }

  /** `arp`: ask the LAN who has the VIP, takes a second. `digest`: hashes of all tables. */
  async status(
    options: { readonly arp?: boolean; readonly digest?: boolean } = {},
  ): Promise<LabStatus> {
    const { places } = this;
    const [a, b, macs] = await Promise.all([
      this.#view('a', options.digest === true),
      this.#view('b', options.digest === true),
      options.arp === true ? whoHas(places, VIP) : [],
    ]);
    const boxes = { a, b };
    const primaries = BOXES.filter((box) => boxes[box].status?.role === 'primary');
    const primary = primaries.length === 1 ? (primaries[0] ?? null) : null;
    const backup = primary === null ? undefined : boxes[other(primary)].status;
    return {
      name: places.name,
      redundancy: this.settings.redundancy,
      vip: VIP,
      boxes,
      primary,
      inStep: backup?.role === 'backup' && a.status?.inStep === true && b.status?.inStep === true,
      vipAnsweredBy: macs.map((mac) => ({
        mac,
        box: BOXES.find((box) => LAN_MAC[box] === mac) ?? 'unknown',
      })),
      cut: CABLES.filter((cable) => existsSync(places.cut(cable))),
      faults: faultsOf(places),
      phones: this.#lastOfPhones(),
    };
  }

  async #view(box: BoxName, digest: boolean): Promise<BoxView> {
    const { places } = this;
    const known = this.process(box);
    const stopped = known !== undefined && isStopped(known);
    // A stopped process would only let us wait.
    const asked = known !== undefined && !stopped;
    const status = asked ? await statusOf(places.control(box), { digest }) : undefined;
    return {
      running: known !== undefined,
      pid: known?.pid ?? null,
      stopped,
      powered: !existsSync(places.off(box)),
      status: status ?? null,
      data: places.data(box),
      control: places.control(box),
      log: places.log(box),
    };
  }

  #lastOfPhones(): unknown {
    if (living(this.places.pid('phones')) === undefined) return null;
    const lines = lastLines(this.places.phones, 50);
    const last = lines.findLast((line) => line.startsWith('{"type":"phones"'));
    return last === undefined ? null : JSON.parse(last);
  }

  /** Sends a signal; after KILL and TERM waits for the end. Gives whether the process is gone. */
  async kill(box: BoxName, name: NodeJS.Signals = 'SIGKILL'): Promise<boolean> {
    const known = this.process(box);
    if (known === undefined) {
      const why = existsSync(this.places.off(box)) ? 'has no power' : 'is not running';
      throw new Error(`box ${box} ${why}; ./build.sh lab start ${box} --name ${this.name}`);
    }
    const began = performance.now();
    signal(known, name);
    const ends = name === 'SIGKILL' || name === 'SIGTERM';
    const ended = ends && (await gone(known, 10_000));
    const after = `after ${(performance.now() - began).toFixed(1)} ms`;
    const what = ends ? `, ${ended ? 'gone' : 'still there'} ${after}` : '';
    this.#say(`box ${box}: ${name} to process ${known.pid}${what}`);
    return ended;
  }

  /** Pulls a cable: its two ends lose their carrier. */
  async cut(cable: Cable): Promise<void> {
    writeFileSync(this.places.cut(cable), '');
    await plug(this.places);
    this.#say(`cable ${cable}: cut`);
  }

  async heal(cable: Cable): Promise<void> {
    remove(this.places.cut(cable));
    await plug(this.places);
    this.#say(`cable ${cable}: healed`);
  }

  /** Makes a fault of `faults.ts`. */
  async fault(name: FaultName, settings: FaultSettings = {}): Promise<void> {
    await makeFault(this.places, name, settings);
    this.#say(`fault ${name}: there ${JSON.stringify(settings)}`);
  }

  async undo(name: FaultName): Promise<void> {
    await undoFault(this.places, name);
    this.#say(`fault ${name}: undone`);
  }

  /** Every cable plugged in, every fault undone. */
  async wellWired(): Promise<void> {
    for (const cable of CABLES) remove(this.places.cut(cable));
    for (const name of FAULTS) if (existsSync(this.places.fault(name))) await this.undo(name);
    await plug(this.places);
  }

  /** Makes the links one of the eight cases, whatever they were; `primary` is the box it is told of. */
  async links(n: number, primary: BoxName, carrier = true): Promise<void> {
    const wanted = linksOf(n, primary, carrier);
    if (wanted === undefined) throw new Error(`there is no link case ${n}`);
    for (const cable of CABLES) remove(this.places.cut(cable));
    for (const cable of wanted.cables) writeFileSync(this.places.cut(cable), '');
    for (const name of ['port-a', 'port-b', 'hide'] as const) remove(this.places.fault(name));
    for (const name of wanted.faults) writeFileSync(this.places.fault(name), '{}');
    await plug(this.places);
    this.#say(`links: case ${n}, ${[...wanted.cables, ...wanted.faults].join(', ') || 'all well'}`);
  }

  /**
   * Frozen first, unplugged next, then killed: nothing of what a dying process and its kernel could
   * still say (FIN, RST, a goodbye) reaches a wire. The data directory is the box's disk and stays.
   */
  async powerOff(box: BoxName): Promise<void> {
    const { places } = this;
    if (existsSync(places.off(box))) throw new Error(`box ${box} has no power already`);
    const known = this.process(box);
    if (known !== undefined) signal(known, 'SIGSTOP');
    await unplugBox(places, box);
    writeFileSync(places.off(box), '');
    const inside = (await insiders([places.netns(box)])).map(knownOf);
    if (known !== undefined) inside.push(known);
    for (const one of inside) signal(one, 'SIGKILL');
    await Promise.all(inside.map((one) => gone(one, 5000)));
    await removeBox(places, box);
    remove(places.control(box));
    this.#say(`box ${box}: power off`);
  }

  /** Asks the primary to hand over. */
  async switchover(force = false): Promise<Answer> {
    const { primary } = await this.status();
    if (primary === null) return { ok: false, text: 'no box, or more than one, is primary' };
    return order(this.places.control(primary), { command: 'switchover', force });
  }

  promote(box: BoxName): Promise<Answer> {
    return order(this.places.control(box), { command: 'promote' });
  }

  /** Everybody on the LAN who answers ARP for the VIP: hardware addresses. */
  vipHolders(): Promise<string[]> {
    return whoHas(this.places, VIP);
  }

  /** Runs a program on a host to its end; gives what it printed, rejects with what it complained. */
  exec(host: HostName, command: readonly string[], timeoutMs = 60_000): Promise<string> {
    const args = ['netns', 'exec', this.places.netns(host), ...command];
    return run('ip', args, '', timeoutMs);
  }

  /** Starts a program on a host; its streams are pipes, its number the program's. */
  spawn(host: HostName, command: readonly string[]): ChildProcessWithoutNullStreams {
    return spawn('ip', ['netns', 'exec', this.places.netns(host), ...command]);
  }

  /** How the demo phones are run on the host `lan`. */
  phonesCommand(count: number): readonly string[] {
    return [
      NODE,
      join(import.meta.dirname, 'phones.ts'),
      `--count=${count}`,
      ...BOXES.map((box) => `--control=${this.places.control(box)}`),
      ...(this.settings.auth ? ['--auth'] : []),
    ];
  }

  /** Demo phones in a process of their own that stays. */
  async startPhones(count: number): Promise<Known> {
    const { places } = this;
    const running = living(places.pid('phones'));
    if (running !== undefined) throw new Error(`phones are there (process ${running.pid})`);
    const known = await startDetached({
      netns: places.netns('lan'),
      command: this.phonesCommand(count),
      cwd: places.dir,
      log: places.phones,
      pidFile: places.pid('phones'),
    });
    await sleep(400);
    if (!isAlive(known)) {
      throw new Error(`the phones did not start: ${lastLines(places.phones, 5).join(' | ')}`);
    }
    this.#say(`phones: ${count}, process ${known.pid}, ${places.phones}`);
    return known;
  }

  down(): Promise<readonly string[]> {
    return removeLab(this.name, this.#say);
  }
}

function summary(now: LabStatus): string {
  const words = BOXES.map((box) => {
    const status = now.boxes[box].status;
    if (status === null) return `box ${box} does not answer`;
    const step = status.inStep === true ? 'in step' : 'not in step';
    return `box ${box} ${status.role} epoch ${status.epoch} position ${status.lsn} ${step}`;
  });
  return words.join('; ');
}
