/**
 * Puts a configuration in force on this box: files of the machine, the daemon's file, then the daemon, by a
 * reload where that is enough, else by a restart in the order of `panel/system/apply.ts`. One at a time; a
 * configuration that is replaced while it is being applied is finished or, while it waits, left to the
 * newest. Until the restart the daemon's file says what the daemon runs with.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BoxId } from '../../pair/terms.ts';
import type { AgentAlarmCode } from '../../panel/monitor/agent-alarms.ts';
import { isTogether, liveFirst } from '../../panel/system/apply.ts';
import type { Entry } from '../../panel/system/revision.ts';
import type { Applying } from '../../panel/system/terms.ts';
import { boxFile, type Json } from '../../panel/tree/generate.ts';
import { machineFiles } from '../../panel/tree/machine-files.ts';
import { leftovers } from '../../panel/tree/machine-network.ts';
import type { Tree } from '../../panel/tree/terms.ts';
import { LIVE } from '../config-live.ts';
import { ask } from '../control-client.ts';
import { type Places, readJson, removeFile, writeWhole } from './files.ts';
import type { Machine } from './machine.ts';

export const UNIT = 'sipair.service';

/** How long is waited for: a daemon that starts; a backup in step; the peer's turn. ms. */
export type ApplyPatience = {
  readonly start: number;
  readonly step: number;
  readonly peer: number;
};
export const PATIENCE: ApplyPatience = { start: 60_000, step: 120_000, peer: 180_000 };
const LOOK_MS = 250;

export type ApplyEvents = {
  readonly alarm: (code: AgentAlarmCode, text: string) => void;
  readonly log: (text: string) => void;
  /** Id of the entry this box runs with. */
  readonly settled: (id: string) => void;
  readonly peerIsThere: () => boolean;
  /** Id of the entry the peer runs with. */
  readonly peerRuns: () => string;
};

type Status = { readonly role?: string; readonly inStep?: boolean; readonly error?: string };

export class Applier {
  state: Applying = { revision: 0, step: 'settled', text: '' };
  private readonly places: Places;
  private readonly machine: Machine;
  private readonly events: ApplyEvents;
  private readonly patience: ApplyPatience;
  private wanted: Entry | undefined;
  private box: BoxId | undefined;
  private running = false;
  /** What the files of the machine were made of. */
  private machineTree: Tree | undefined;

  constructor(places: Places, machine: Machine, events: ApplyEvents, patience = PATIENCE) {
    this.places = places;
    this.machine = machine;
    this.events = events;
    this.patience = patience;
  }

  /** Comes into force as soon as what is under way is done. */
  apply(entry: Entry, box: BoxId): void {
    this.wanted = entry;
    this.box = box;
    if (!this.running) void this.work();
  }

  private async work(): Promise<void> {
    this.running = true;
    while (this.wanted !== undefined) {
      const entry = this.wanted;
      this.wanted = undefined;
      let fault: string;
      try {
        fault = await this.one(entry, this.box ?? 'a');
      } catch (e) {
        fault = (e as Error).message;
      }
      if (this.wanted !== undefined) continue;
      this.events.alarm('configuration-apply', fault);
      this.step(entry, 'settled', fault);
      if (fault === '') this.events.settled(entry.id);
    }
    this.running = false;
  }

  private step(entry: Entry, step: Applying['step'], text = ''): void {
    this.state = { revision: entry.number, step, text };
    if (text !== '') this.events.log(`revision ${entry.number}: ${text}`);
  }

  private async one(entry: Entry, box: BoxId): Promise<string> {
    this.step(entry, 'files');
    await this.machineFiles(entry.tree, box);
    if (entry.number === 0) return await this.nothing();
    const { state: data, control, key: keyFile } = this.places;
    const wanted = boxFile(entry.tree, box, { data, control, keyFile });
    const runs = readJson<Json>(this.places.box);
    const fault = writeWhole(this.places.box, JSON.stringify(wanted));
    if (fault !== '') return fault;
    if (!existsSync(keyFile)) {
      this.step(entry, 'waiting', 'not paired yet: the service starts when it is');
      return '';
    }
    return await this.daemon(entry, wanted, runs);
  }

  /** Nothing is configured any more. */
  private async nothing(): Promise<string> {
    if (!existsSync(this.places.box)) return '';
    return removeFile(this.places.box) || (await this.machine.unit('stop', UNIT));
  }

  /** Files that are not yet as they should be; whoever reads them is told once. */
  async machineFiles(tree: Tree, box: BoxId): Promise<void> {
    const parts = new Map<string, () => Promise<string>>();
    for (const file of machineFiles(tree, box)) {
      if (!this.differs(file.path, file.text)) continue;
      const path = join(this.places.root, file.path);
      const { text } = file;
      const fault = text === undefined ? removeFile(path) : writeWhole(path, text, file.mode);
      if (fault !== '') this.events.log(`${file.path}: ${fault}`);
      if (file.part === 'names') continue;
      const { part, value } = file;
      parts.set(part, () => this.machine.settle(part, value));
    }
    for (const settle of parts.values()) {
      const fault = await settle();
      if (fault !== '') this.events.log(fault);
    }
    if (parts.has('network')) await this.takeAway(tree, box);
    this.machineTree = tree;
  }

  /** What the ports had by the tree before: networkd leaves it, for the virtual address's sake. */
  private async takeAway(tree: Tree, box: BoxId): Promise<void> {
    if (this.machineTree === undefined) return;
    for (const left of leftovers(this.machineTree, tree, box)) {
      const fault = await this.machine.unport(left.kind, left.interface, left.what);
      if (fault !== '') this.events.log(fault);
    }
  }

  private differs(path: string, text: string | undefined): boolean {
    const at = join(this.places.root, path);
    if (!existsSync(at)) return text !== undefined;
    return text === undefined || readFileSync(at, 'utf8') !== text;
  }

  // ── the daemon ───────────────────────────────────────────────────────────────────────────────

  private async ask<T extends object>(request: object): Promise<T> {
    return (await ask(this.places.control, request)) as T;
  }

  private async daemon(entry: Entry, wanted: Json, runs: Json | undefined): Promise<string> {
    this.step(entry, 'reload');
    let answer = await this.reload();
    if (answer.error === 'control-unreachable') {
      this.step(entry, 'restart', 'starting the service');
      const fault = await this.machine.unit('start', UNIT);
      // systemd tries again by itself: a start that failed once is no reason for an alarm that stays
      answer = await this.answered(() => this.reload());
      if (answer.error === 'control-unreachable' && fault !== '') return fault;
    }
    if (answer.ok === true) return '';
    if (answer.error !== 'reload-restart') return answer.text ?? 'the service does not answer';
    return await this.restart(entry, wanted, runs, answer.places ?? []);
  }

  private reload(): Promise<{
    readonly ok?: boolean;
    readonly error?: string;
    readonly text?: string;
    readonly places?: readonly string[];
  }> {
    return this.ask({ command: 'reload' });
  }

  /** Asks until the daemon is there, or for too long. */
  private async answered<T extends { readonly error?: string }>(
    again: () => Promise<T>,
  ): Promise<T> {
    for (let waited = 0; ; waited += LOOK_MS) {
      const answer = await again();
      if (answer.error !== 'control-unreachable' || waited >= this.patience.start) return answer;
      await sleep(LOOK_MS);
    }
  }

  private async restart(
    entry: Entry,
    wanted: Json,
    runs: Json | undefined,
    places: readonly string[],
  ): Promise<string> {
    const together = isTogether(places);
    if (!together) {
      await this.liveFirst(wanted, runs);
      await this.myTurn(entry);
      if (this.isReplaced) return '';
    }
    this.step(entry, 'restart', `the service restarts for ${places.join(', ')}`);
    const written = writeWhole(this.places.box, JSON.stringify(wanted));
    if (written !== '') return written;
    const fault = await this.machine.unit('restart', UNIT);
    if (fault !== '') return fault;
    return await this.inStep();
  }

  private async liveFirst(wanted: Json, runs: Json | undefined): Promise<void> {
    if (runs === undefined) return;
    const first = JSON.stringify(liveFirst(runs, wanted, LIVE));
    const fault = writeWhole(this.places.box, first);
    if (fault === '' && first !== JSON.stringify(runs)) await this.reload();
  }

  /** A newer one has come: the other box has it too, and will never run with this one. */
  private get isReplaced(): boolean {
    return this.wanted !== undefined;
  }

  /** A backup goes at once; the primary when the backup is done, or will never be. */
  private async myTurn(entry: Entry): Promise<void> {
    for (let waited = 0; waited < this.patience.peer; waited += LOOK_MS) {
      if (this.isReplaced) return;
      const status = await this.ask<Status>({ command: 'status', digest: false });
      if (status.role !== 'primary' || !this.events.peerIsThere()) return;
      if (this.events.peerRuns() === entry.id && status.inStep === true) return;
      if (waited === 0) this.step(entry, 'waiting', 'the other box restarts first');
      await sleep(LOOK_MS);
    }
    this.events.log(`revision ${entry.number}: the other box is not done: restarting all the same`);
  }

  /** A box that restarted is done when it could take over again; alone it is when it answers. */
  private async inStep(): Promise<string> {
    const first = await this.answered(() => this.ask<Status>({ command: 'status', digest: false }));
    if (first.error !== undefined) return 'the service does not come up: look at the log';
    for (let waited = 0; waited < this.patience.step; waited += LOOK_MS) {
      const status = await this.ask<Status>({ command: 'status', digest: false });
      // what the boxes must agree on may be in the newer one
      if (status.inStep === true || !this.events.peerIsThere() || this.isReplaced) return '';
      await sleep(LOOK_MS);
    }
    return 'the service runs, but is not in step with the other box';
  }
}
