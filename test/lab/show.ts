/**
 * `./build.sh up`: a pair, demo phones, and what happens to them. This file keeps what is known and
 * does what the keys say; `view.ts` draws it, `up.ts` owns the terminal and the end.
 */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type BoxView, type Lab, type LabStatus, messageOf } from './lab.ts';
import { BOXES, type BoxName, VIP } from './places.ts';
import type { BoxPanel, Screen } from './view.ts';

/** A killed box is started again after this long, ms. */
const RESTART_MS = 3000;

export type ShowEvent = { readonly text: string } & Readonly<Record<string, unknown>>;

type PhonesLine = {
  readonly type: string;
  readonly at: number;
  readonly phones: number;
  readonly registered: number;
  readonly attempts: number;
  readonly failed: number;
  readonly connected: number;
  readonly up: number;
  readonly ended: number;
  readonly survived: number;
  readonly lost: number;
  readonly faults: number;
  readonly ping: { readonly silentMs: number; readonly worstMs: number };
};

type SwitchoverLine = {
  readonly box: string;
  readonly epoch: number;
  readonly cause: string;
  readonly tookMs: number | null;
  readonly carried: number;
  readonly outageMs: number;
};

type CallLine = { readonly what: string; readonly from: string; readonly to: string; why: string };

const NO_PHONES: PhonesLine = {
  ...{
    type: 'phones',
    at: 0,
    phones: 0,
    registered: 0,
    attempts: 0,
    failed: 0,
    connected: 0,
    up: 0,
  },
  ...{ ended: 0, survived: 0, lost: 0, faults: 0, ping: { silentMs: 0, worstMs: 0 } },
};

export class Show {
  readonly #lab: Lab;
  readonly #onEvent: (event: ShowEvent) => void;
  readonly #began = performance.now();
  readonly #events: string[] = [];
  readonly #outages: number[] = [];
  readonly #restartAt: Partial<Record<BoxName, number>> = {};
  /** Boxes that are off by the key `o` and stay so until it is pressed again. */
  readonly #unpowered = new Set<BoxName>();
  #child: ChildProcessWithoutNullStreams | undefined;
  #phones: PhonesLine = NO_PHONES;
  #status: LabStatus | undefined;
  #last = '';
  #busy = false;
  #stopped = false;
  /** When the primary is to be killed next, on `performance.now`; 0: never. */
  #killAt = 0;
  readonly #killEveryMs: number;

  constructor(lab: Lab, killEveryMs: number, onEvent: (event: ShowEvent) => void) {
    this.#lab = lab;
    this.#onEvent = onEvent;
    this.#killEveryMs = killEveryMs;
    this.#killAt = killEveryMs > 0 ? this.#began + killEveryMs : 0;
  }

  event(text: string, more: Readonly<Record<string, unknown>> = {}): void {
    const seconds = Math.round((performance.now() - this.#began) / 1000);
    this.#events.push(`${String(seconds).padStart(4)} s  ${text}`);
    if (this.#events.length > 100) this.#events.shift();
    this.#onEvent({ text, ...more });
  }

  startPhones(count: number): void {
    const child = this.#lab.spawn('lan', [...this.#lab.phonesCommand(count), '--every=250']);
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => this.#phonesSaid(line));
    createInterface({ input: child.stderr }).on('line', (line) => this.event(`phones: ${line}`));
    child.on('error', (error) => this.event(`phones: ${error.message}`));
    child.on('exit', (code) => {
      if (!this.#stopped) this.event(`the phones ended (${code})`);
    });
  }

  #phonesSaid(line: string): void {
    const value: unknown = JSON.parse(line);
    const { type } = value as { type: string };
    if (type === 'phones') {
      this.#phones = value as PhonesLine;
    } else if (type === 'switchover') {
      const { box, epoch, cause, tookMs, carried, outageMs } = value as SwitchoverLine;
      this.#outages.push(outageMs);
      const took = tookMs === null ? '' : `, takeover ${Math.round(tookMs)} ms`;
      const text = `box ${box} took over (${cause}): ${carried} calls carried, outage ${outageMs} ms`;
      this.#last = `last switchover: ${text}${took}`;
      this.event(text, { what: 'switchover', box, epoch, cause, tookMs, carried, outageMs });
    } else if (type === 'call') {
      const { what, from, to, why } = value as CallLine;
      this.event(`call ${from} to ${to} ${what}: ${why}`, { what, from, to, why });
    }
  }

  /** Reads both boxes; starts and kills what is due. Called a few times a second. */
  async tick(): Promise<void> {
    if (this.#busy || this.#stopped) return;
    this.#busy = true;
    try {
      this.#status = await this.#lab.status();
      await this.#restarts(this.#status);
      await this.#killWhenDue(this.#status);
    } catch (error) {
      this.event(messageOf(error).split('\n')[0] ?? '');
    } finally {
      this.#busy = false;
    }
  }

  async #restarts(status: LabStatus): Promise<void> {
    const now = performance.now();
    for (const box of BOXES) {
      if (status.boxes[box].running || this.#unpowered.has(box)) continue;
      const at = this.#restartAt[box];
      if (at === undefined) {
        this.#restartAt[box] = now + RESTART_MS;
        this.event(`box ${box} ended by itself; see ${status.boxes[box].log}`, {
          what: 'ended',
          box,
        });
      } else if (now >= at) {
        delete this.#restartAt[box];
        await this.#lab.start(box, { wait: false });
        this.event(`box ${box} started again`, { what: 'start', box });
      }
    }
  }

  async #killWhenDue(status: LabStatus): Promise<void> {
    if (this.#killAt === 0 || performance.now() < this.#killAt) return;
    // A pair that is not in step does not promise to survive: wait for it.
    if (!status.inStep && this.#lab.settings.redundancy === 'hot-standby') return;
    this.#killAt = performance.now() + this.#killEveryMs;
    await this.#kill(status);
  }

  async #kill(status: LabStatus): Promise<void> {
    const { primary } = status;
    if (primary === null) {
      this.event('nothing to kill: no primary');
      return;
    }
    this.#restartAt[primary] = performance.now() + RESTART_MS;
    this.event(`kill -9 of box ${primary}, the primary`, { what: 'kill', box: primary });
    await this.#lab.kill(primary);
  }

  /** Does what a key says; true when it says: quit. */
  async key(key: string): Promise<boolean> {
    try {
      const status = this.#status ?? (await this.#lab.status());
      if (key === 'q' || key === '\u0003') return true;
      if (key === 'k') await this.#kill(status);
      else if (key === 'p') await this.#planned();
      else if (key === 'x') await this.#cable(status);
      else if (key === 'o') await this.#power(status);
    } catch (error) {
      this.event(messageOf(error).split('\n')[0] ?? '');
    }
    return false;
  }

  async #planned(): Promise<void> {
    this.event('planned switchover', { what: 'planned' });
    const { ok, text } = await this.#lab.switchover();
    if (!ok) this.event(`switchover refused: ${text}`);
  }

  async #cable(status: LabStatus): Promise<void> {
    const isCut = status.cut.includes('x');
    await (isCut ? this.#lab.heal('x') : this.#lab.cut('x'));
    this.event(`crossover ${isCut ? 'healed' : 'cut'}`, { what: isCut ? 'heal' : 'cut' });
    this.#status = await this.#lab.status();
  }

  async #power(status: LabStatus): Promise<void> {
    const off = [...this.#unpowered][0];
    if (off !== undefined) {
      this.#unpowered.delete(off);
      // Said first, so that a tick in between does not think the box ended by itself.
      this.#restartAt[off] = Number.POSITIVE_INFINITY;
      await this.#lab.start(off, { wait: false });
      delete this.#restartAt[off];
      this.event(`box ${off}: power on`, { what: 'power-on', box: off });
    } else if (status.primary !== null) {
      this.#unpowered.add(status.primary);
      this.event(`box ${status.primary}, the primary: power off`, {
        ...{ what: 'power-off', box: status.primary },
      });
      await this.#lab.powerOff(status.primary);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#child?.kill('SIGTERM');
  }

  screen(): Screen {
    const status = this.#status;
    const seconds = Math.floor((performance.now() - this.#began) / 1000);
    const left = Math.max(0, Math.ceil((this.#killAt - performance.now()) / 1000));
    return {
      name: this.#lab.name,
      redundancy: this.#lab.settings.redundancy,
      vip: VIP,
      seconds,
      boxes: { a: this.#panel('a', status?.boxes.a), b: this.#panel('b', status?.boxes.b) },
      primary: status?.primary ?? null,
      crossover: status === undefined || !status.cut.includes('x'),
      calls: this.#phones,
      silentMs: Math.round(this.#phones.ping.silentMs),
      outages: this.#outages,
      lastSwitchover: this.#last,
      events: this.#events,
      next: this.#killAt === 0 ? '' : `primary is killed in ${left} s`,
    };
  }

  #panel(box: BoxName, view: BoxView | undefined): BoxPanel {
    const status = view?.status;
    const mute = view?.stopped === true ? 'stopped' : 'no answer';
    const without = view?.running === true ? mute : 'down';
    return {
      role: status?.role ?? (this.#unpowered.has(box) ? 'no power' : without),
      epoch: status?.epoch ?? null,
      lsn: status?.lsn ?? null,
      inStep: status?.inStep === true,
      calls: status?.calls ?? null,
      held: status?.held ?? null,
      registrations: status?.registrations ?? null,
      gate: status?.gate ?? '-',
      pid: view?.pid ?? null,
      cause: status?.role === 'primary' ? (status.cause ?? '') : '',
    };
  }

  /** One line a second for programs. */
  line(): object {
    const { boxes, primary, outages, name } = this.screen();
    const { ping, type: _, at, ...calls } = this.#phones;
    return {
      ...{ type: 'status', at: Date.now(), name, primary },
      inStep: this.#status?.inStep ?? false,
      ...{ boxes, calls, ping, countedAt: at },
      switchovers: outages.length,
      lastOutageMs: outages.at(-1) ?? null,
    };
  }

  summary(): string {
    const { attempts, survived, lost, failed } = this.#phones;
    const sorted = [...this.#outages].sort((x, y) => x - y);
    const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
    const outage =
      sorted.length === 0 ? '' : `, outage median ${median} ms, max ${sorted.at(-1)} ms`;
    return (
      `calls made ${attempts}, survived a switchover ${survived}, lost ${lost}, ` +
      `not set up ${failed}; switchovers ${sorted.length}${outage}`
    );
  }
}
