/**
 * What an upgrade machine (upgrade.ts) is made of: what it knows, its record, how it speaks, and the one
 * thing it has the machine of the box do.
 */

import { assert } from '../../base/assert.ts';
import { Leave } from './upgrade-leave.ts';
import { ACTIVE, limitOf, REASONS, withStep } from './upgrade-record.ts';
import {
  type Booted,
  type Bundle,
  type ImageRequest,
  type Job,
  type Moment,
  type Operation,
  OTHER_SLOT,
  type PairView,
  type Phase,
  type UpgradeEffect,
  type UpgradeMessage,
  type UpgradeRecord,
} from './upgrade-terms.ts';

/** What was asked for, tried or said is so again after, ms. */
export const AGAIN_MS = 5000;
/** A restart that does not come is asked for again after, ms. */
const REBOOT_MS = 60_000;
/** A virtual address that does not answer for so long, ms, was one answer that got lost; */
const LAPSE_MS = 5000;
/** and for so long: callers do not have this box. */
const DEAF_MS = 30_000;
/** Handovers that came back before the job is given up. */
const HANDOVERS = 3;

const NOTHING: PairView = {
  service: 'down',
  role: 'none',
  inStep: false,
  vip: false,
  vipAsked: false,
};

export const PROVE_MS = 60_000;

export type Report = Extract<UpgradeMessage, { kind: 'report' }>;
export type Asked = {
  readonly id: number;
  readonly request: ImageRequest;
  readonly alone: boolean;
};

export class UpgradeCore {
  record: UpgradeRecord | undefined;
  /** The running slot was told to be good since this start. */
  confirmed = false;

  protected readonly booted: Booted;
  protected readonly proveMs: number;
  protected readonly trialMs: number;
  protected pair: PairView = NOTHING;
  /** The daemon has answered since it was asked. */
  protected fresh = false;
  protected linkUp = false;
  protected peer: Report | undefined;
  protected busy: Operation | undefined;
  /** A request whose bundle is being taken. */
  protected asked: Asked | undefined;
  /** A request that waits until what is being done is done. */
  protected held: { readonly id: number; readonly request: ImageRequest } | undefined;
  protected readonly absence = new Leave();
  /** Someone wants the job to end: why. */
  protected cancelled = '';
  /** The other box wants the bundle. */
  protected wanted = false;
  /** The bundle is here as it was sent, and not verified yet. */
  protected arrived = false;
  /** The bundle's file may be on the disk. */
  protected kept = false;
  /** The record is not on the disk. */
  protected unsaved = false;
  /** Planned switchovers tried, and those that were done. */
  protected switchovers = 0;
  protected handovers = 0;
  /** Since when it leads and the virtual address answers; when that was last so; since when it does not. */
  private leadsAt = Number.POSITIVE_INFINITY;
  private heardAt = Number.NEGATIVE_INFINITY;
  private deafAt: number;
  /** When the other box last asked whether it may leave. */
  protected questionAt = Number.NEGATIVE_INFINITY;
  protected phaseAt: number;
  protected wellAt = Number.POSITIVE_INFINITY;
  protected againAt = 0;
  protected saidAt = Number.NEGATIVE_INFINITY;
  protected said = '';
  protected at: Moment;
  protected out: UpgradeEffect[] = [];

  /**
   * @param proveMs a new slot is good when the pair was in step for so long.
   * @param trialMs it goes back when that did not come about for so long.
   */
  constructor(
    booted: Booted,
    record: UpgradeRecord | undefined,
    at: Moment,
    proveMs: number = PROVE_MS,
    trialMs: number = limitOf('trial'),
  ) {
    this.proveMs = proveMs;
    this.trialMs = trialMs;
    this.booted = booted;
    this.record = record;
    this.at = at;
    this.phaseAt = at.now;
    this.deafAt = at.now;
  }

  protected active(): boolean {
    return this.record !== undefined && ACTIVE.has(this.record.phase);
  }

  protected leaving(): boolean {
    return this.record?.phase === 'leaving' || this.record?.phase === 'reverting';
  }

  protected send(message: UpgradeMessage): void {
    if (this.linkUp) this.out.push({ kind: 'send', message });
  }

  /** After every change, and again and again: a report that was lost with a link is not missed. */
  protected report(): void {
    if (!this.linkUp) return;
    const { role, inStep } = this.pair;
    const message: Report = {
      kind: 'report',
      leaving: this.leaving(),
      role,
      inStep,
      ...(this.record === undefined
        ? {}
        : {
            job: {
              id: this.record.job.id,
              phase: this.record.phase,
              reason: this.record.reason,
            },
          }),
    };
    const text = JSON.stringify(message);
    if (text === this.said && this.at.now - this.saidAt < AGAIN_MS) return;
    this.said = text;
    this.saidAt = this.at.now;
    this.send(message);
  }

  protected perform(operation: Operation): void {
    assert(this.busy === undefined, 'one thing at a time');
    this.busy = operation;
    this.out.push({ kind: 'do', operation });
  }

  // ── the record ───────────────────────────────────────────────────────────────────────────────

  protected store(record: UpgradeRecord): void {
    if (record.phase !== this.record?.phase) {
      this.phaseAt = this.at.now;
      this.againAt = 0;
    }
    this.record = { ...record, boot: this.booted.boot };
    this.out.push({ kind: 'store', record: this.record });
  }

  protected jobOf(kind: Job['kind'], bundle: Bundle, asked: Asked): Job {
    const { now: _, wall } = this.at;
    return {
      id: `${wall}-${this.booted.boot.slice(0, 8)}`,
      kind,
      ...bundle,
      alone: asked.alone,
      by: asked.request.by ?? '',
      at: wall,
    };
  }

  protected start(job: Job, phase: Phase, text: string): void {
    this.cancelled = '';
    this.switchovers = 0;
    this.handovers = 0;
    this.arrived = false;
    this.kept = job.kind === 'install';
    const { slot, boot } = this.booted;
    const record: UpgradeRecord = {
      job,
      phase,
      oldSlot: slot,
      newSlot: OTHER_SLOT[slot],
      attempts: 0,
      boot,
      reason: '',
      unconfigured: this.pair.service === 'unconfigured',
      steps: [],
    };
    this.store(withStep(record, phase, text, this.at.wall));
    this.tellAlarm();
  }

  protected go(phase: Phase, text: string): void {
    if (this.record === undefined) return;
    this.store(withStep(this.record, phase, text, this.at.wall));
  }

  protected note(text: string): void {
    if (this.record !== undefined) this.go(this.record.phase, text);
  }

  protected fail(reason: string): void {
    if (this.record === undefined) return;
    this.store({ ...withStep(this.record, 'failed', reason, this.at.wall), reason });
    this.tellAlarm();
  }

  protected tellAlarm(): void {
    const text = this.record?.phase === 'failed' ? this.record.reason : '';
    this.out.push({ kind: 'alarm', code: 'image-failed', text });
    this.out.push({ kind: 'alarm', code: 'image-unproved', text: '' });
  }

  protected log(text: string): void {
    this.out.push({ kind: 'log', text });
  }

  /** Asks the daemon; until it has answered, nothing is fresh. */
  protected look(): void {
    this.fresh = false;
    this.out.push({ kind: 'look' });
  }

  protected reboot(): void {
    this.againAt = this.at.now + REBOOT_MS;
    this.report();
    this.out.push({ kind: 'reboot' });
  }

  /** What the other box is at, if it is at the same job. */
  protected peerPhase(): Phase | undefined {
    const { job } = this.peer ?? {};
    return job !== undefined && job.id === this.record?.job.id ? job.phase : undefined;
  }

  /** Why nothing happens at the moment, for people; '' when something does. */
  waits(): string {
    const { record } = this;
    if (record === undefined || !this.active() || this.busy !== undefined) return '';
    if (this.cancelled !== '') return `it ends: ${this.cancelled}`;
    if (record.phase === 'trial') return 'the pair has to be in step for a minute';
    if (this.peer === undefined && !record.job.alone) return 'the other box is not there';
    if (record.phase === 'waiting') return `the other box is at: ${this.peerPhase() ?? 'nothing'}`;
    if (record.phase === 'ready' && !this.pair.inStep) return 'the boxes are not in step';
    if (record.phase === 'ready' && this.pair.role === 'backup') {
      return 'the other box lets it go when it has led well for a minute';
    }
    if (record.phase === 'ready')
      return `the other box is at: ${this.peer?.job?.phase ?? 'nothing'}`;
    return '';
  }

  protected well(needsPeer: boolean): boolean {
    const { service, role, vip, inStep } = this.pair;
    if (service !== 'up') return service === 'unconfigured' && this.record?.unconfigured === true;
    if (role === 'primary') return vip && (inStep || !needsPeer);
    return role === 'backup' && inStep;
  }

  // ── who leads ────────────────────────────────────────────────────────────────────────────────

  protected saw(view: PairView): void {
    this.pair = view;
    this.fresh = true;
    const { now } = this.at;
    const primary = view.service === 'up' && view.role === 'primary';
    if (!primary) this.leadsAt = Number.POSITIVE_INFINITY;
    else if (view.vip) this.leadsAt = Math.min(this.leadsAt, now);
    else if (now - this.heardAt > LAPSE_MS) this.leadsAt = Number.POSITIVE_INFINITY;
    if (primary && view.vip) this.heardAt = now;
    if (!primary || view.vip) this.deafAt = now;
  }

  /** Much hangs on the virtual address: is somebody behind it? */
  asksVip(): boolean {
    const theirs = this.peer?.job?.phase;
    return (
      this.active() ||
      (theirs !== undefined && ACTIVE.has(theirs)) ||
      this.at.now - this.questionAt < 3 * AGAIN_MS
    );
  }

  /** It can lead: it does so, and has for long enough. */
  protected leads(): boolean {
    return this.pair.vip && this.pair.vipAsked && this.at.now - this.leadsAt >= this.proveMs;
  }

  /** It is what callers have. */
  protected serves(): boolean {
    return this.pair.role === 'primary' && this.at.now - this.deafAt < DEAF_MS;
  }

  /** The other box is at a job of its own, or on trial: it is not given the lead. */
  protected peerIsAtIt(): boolean {
    const theirs = this.peer?.job?.phase;
    return theirs !== undefined && ACTIVE.has(theirs) && theirs !== 'waiting';
  }

  /** The other box can lead: it is there, stays, is at nothing that is not proved, has everything. */
  protected handOver(): void {
    if (this.absence.granted || this.peer === undefined || this.peer.leaving) return;
    if (this.peerIsAtIt() || !this.pair.inStep || this.at.now < this.againAt) return;
    if (this.handovers >= HANDOVERS) {
      this.cancelled = REASONS.cameBack;
      return;
    }
    this.switchovers += 1;
    this.perform({ op: 'switchover' });
  }

  protected since(well: boolean): number {
    if (!well) this.wellAt = Number.POSITIVE_INFINITY;
    else if (this.wellAt === Number.POSITIVE_INFINITY) this.wellAt = this.at.now;
    return this.at.now - this.wellAt;
  }

  protected overThere(): boolean {
    const theirs = this.peerPhase();
    return theirs === 'proved' || theirs === 'failed' || this.record?.job.alone === true;
  }
}
