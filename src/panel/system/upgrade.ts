/**
 * The upgrade of a pair, one such machine in the system agent of each box. There is no conductor that
 * could be lost: each box looks at where it is itself, at what the other one reports, and at what its
 * daemon says, and does what follows.
 *
 *   box where it was typed      the other box
 *   takes the bundle ─────────► fetches it, verifies it                         both: waiting
 *   the backup installs, restarts from the new slot, proves itself for a minute in step
 *   the primary hands over by a planned switchover; now backup, it does the same
 *
 * Never are both away by our doing. A box restarts only when it is not primary and the other one has
 * said that it serves and stays; who has said so asks for nothing itself until the other is back or has
 * said that it stays. A box on trial says so to nobody, so it may go back to its old slot unasked, and does
 * unless it is primary and answers: then it is what callers have, and an alarm asks for a person. And who has
 * not led well for a minute says so to nobody: a new release leads before the last box with the old one goes.
 * The lead is given to no box that is on trial, or about to be.
 *
 * The record is durable before anything is done that it tells of. After a power cut it says together
 * with the slot that was started how things stand (`resumed`): an installation begins anew, a new slot is
 * on trial, an old one means that the new did not start. What the boot loader counts, it counts beside.
 */

import { AGAIN_MS } from './upgrade-core.ts';
import { UpgradeOrders } from './upgrade-orders.ts';
import { ACTIVE, limitOf, notNext, REASONS, resumed, withStep } from './upgrade-record.ts';
import type {
  Job,
  Moment,
  UpgradeEffect,
  UpgradeInput,
  UpgradeMessage,
  UpgradeRecord,
} from './upgrade-terms.ts';

/** A slot that was good before is good again when the service has answered for so long, ms. */
const ANSWERED_MS = 10_000;
/** A bundle that does not come is wanted again after, ms; one that comes is not sent twice. */
const WANT_MS = 60_000;
/** Planned switchovers tried before the job is given up. */
const SWITCHOVERS = 6;
/** Installations begun before the job is given up. */
const ATTEMPTS = 3;

type Done = Extract<UpgradeInput, { kind: 'done' }>;

export class Upgrade extends UpgradeOrders {
  private alarmedAt = Number.NEGATIVE_INFINITY;

  /** Once, before any step: what the record means after this start. */
  begin(out: UpgradeEffect[]): void {
    this.out = out;
    if (this.record === undefined) return;
    this.kept = this.record.job.kind === 'install';
    const { record, undo } = resumed(this.record, this.booted, this.at.wall);
    if (record !== this.record) this.store(record);
    if (ACTIVE.has(record.phase)) this.cancelled = record.cancelled ?? '';
    if (undo) this.perform({ op: 'fall-back', slot: record.oldSlot });
    else if (notNext(record)) this.perform({ op: 'activate', slot: record.newSlot });
    this.tellAlarm();
  }

  /** When a `tick` is wanted though nothing happens. */
  deadline(): number {
    const idle = this.confirmed && !this.linkUp && !this.active();
    return idle ? Number.POSITIVE_INFINITY : this.at.now + 1000;
  }

  step(at: Moment, input: UpgradeInput, out: UpgradeEffect[]): void {
    this.at = at;
    this.out = out;
    switch (input.kind) {
      case 'request':
        this.request(input.id, input.request);
        break;
      case 'link-up':
      case 'link-down':
        this.link(input.kind === 'link-up');
        break;
      case 'message':
        this.message(input.message);
        break;
      case 'pair':
        this.saw(input.view);
        break;
      case 'done':
        this.done(input);
        break;
      case 'unstored':
        this.unstored(input.text);
        break;
      case 'fetched':
        this.fetched(input.id, input.fault);
        break;
      case 'tick':
        break;
    }
    if (this.busy === undefined && this.held !== undefined) {
      const { id, request } = this.held;
      this.held = undefined;
      this.request(id, request);
    }
    if (this.busy === undefined) this.advance();
    this.report();
  }

  // ── what is said ─────────────────────────────────────────────────────────────────────────────

  private link(up: boolean): void {
    this.linkUp = up;
    this.peer = undefined;
    this.absence.link();
    this.said = '';
    this.wanted = false;
  }

  private message(message: UpgradeMessage): void {
    switch (message.kind) {
      case 'report':
        this.peer = message;
        this.absence.reported(message.leaving);
        return;
      case 'offer':
        this.offered(message.job);
        break;
      case 'refuse':
        if (this.active() && message.id === this.record?.job.id) this.cancelled = message.text;
        return;
      case 'want':
        this.wanted ||= message.id === this.record?.job.id && this.busy?.op !== 'send';
        return;
      case 'may-leave':
        this.mayItLeave(message.nonce);
        break;
      case 'leave':
        if (this.absence.answered(message.nonce)) this.allowed();
        return;
      case 'stay':
        this.absence.granted = false;
        return;
    }
  }

  private mayItLeave(nonce: number): void {
    this.questionAt = this.at.now;
    const phase = this.record?.phase;
    const stays = !this.leaving() && phase !== 'trial' && this.busy?.op !== 'switchover';
    if (!stays || this.pair.service !== 'up' || this.pair.role !== 'primary') return;
    if (!this.leads()) return;
    this.absence.grant();
    this.send({ kind: 'leave', nonce });
  }

  private offered(job: Job): void {
    if (this.record?.job.id === job.id) return;
    if (this.active() || this.asked !== undefined) {
      this.send({ kind: 'refuse', id: job.id, text: REASONS.busyThere });
      return;
    }
    this.start(job, 'fetching', `${job.version} is fetched from the other box`);
  }

  // ── what was done ────────────────────────────────────────────────────────────────────────────

  private done(input: Done): void {
    const operation = this.busy;
    // let go while it was done: the record could not be written (unstored)
    if (operation?.op !== input.op) return;
    this.busy = undefined;
    const { fault } = input;
    switch (operation.op) {
      case 'take':
        this.taken(fault, input.bundle);
        break;
      case 'activate':
        this.activated(fault);
        break;
      case 'send':
        if (fault !== '') this.log(`the bundle did not come over: ${fault}`);
        return;
      case 'verify':
        if (fault !== '') this.cancelled = fault;
        else this.go('waiting', 'the bundle is here, and good');
        return;
      case 'install':
        if (fault !== '') this.cancelled = fault;
        else this.go('ready', `installed in slot ${this.record?.newSlot}`);
        return;
      case 'mark-good':
        this.marked(fault);
        break;
      case 'fall-back':
        this.fellBack(fault);
        break;
      case 'switchover':
        if (fault === '') this.handovers += 1;
        this.againAt = this.at.now + AGAIN_MS;
        this.note(fault === '' ? 'handed over' : `not handed over: ${fault}`);
        if (fault !== '' && this.switchovers >= SWITCHOVERS) this.cancelled = fault;
        return;
      case 'drop':
        return;
    }
  }

  private fellBack(fault: string): void {
    this.againAt = this.at.now + AGAIN_MS;
    const { record } = this;
    if (fault !== '') {
      this.log(`the old slot could not be made the next: ${fault}`);
      return;
    }
    if (record === undefined || !ACTIVE.has(record.phase)) return;
    const reason = this.cancelled;
    this.cancelled = '';
    if (this.booted.slot === record.oldSlot) {
      this.fail(reason);
      return;
    }
    this.store({
      ...withStep(record, 'reverting', `back to slot ${record.oldSlot}: ${reason}`, this.at.wall),
      reason,
    });
    this.look();
  }

  private unstored(text: string): void {
    this.log(`upgrade.json could not be written: ${text}`);
    // what stood behind it was not done: not even a restart
    if (this.record?.phase === 'leaving') this.record = { ...this.record, phase: 'ready' };
    this.busy = undefined;
    if (this.asked !== undefined) this.answer(this.asked.id, { error: 'image-space', text });
    this.asked = undefined;
    this.absence.refrain();
    this.send({ kind: 'stay' });
    this.againAt = this.at.now + AGAIN_MS;
    this.unsaved = true;
    if (this.active() && this.record?.phase !== 'trial' && !this.leaving()) {
      this.cancelled = `upgrade.json could not be written: ${text}`;
    }
  }

  // ── what follows ─────────────────────────────────────────────────────────────────────────────

  private advance(): void {
    if (this.unsaved && this.record !== undefined) {
      // what stands in no file is not acted upon
      if (this.at.now < this.againAt) return;
      this.unsaved = false;
      this.store(this.record);
      this.tellAlarm();
      return;
    }
    const { record } = this;
    if (record !== undefined && this.wanted && this.linkUp) {
      this.wanted = false;
      this.perform({ op: 'send', id: record.job.id });
      return;
    }
    if (record !== undefined && ACTIVE.has(record.phase)) {
      if (this.ended(record)) return;
      this.onward(record);
    } else this.settle();
  }

  /** Is it over: cancelled, given up, or given up by the other box? */
  private ended(record: UpgradeRecord): boolean {
    if (this.leaving()) return false;
    if (record.phase !== 'trial') {
      if (this.cancelled === '' && this.peerPhase() === 'failed') {
        this.cancelled = `the other box: ${this.peer?.job?.reason}`;
      }
      const limit = limitOf(record.phase);
      if (this.cancelled === '' && this.at.now - this.phaseAt > limit) {
        this.cancelled = REASONS[record.phase === 'fetching' ? 'slowFetch' : 'slow'];
      }
    }
    if (this.cancelled === '') return false;
    if (this.at.now < this.againAt) return true;
    if (record.phase === 'trial' && this.serves() && !(record.cancelled && record.forced)) {
      // what callers have does not restart
      this.unproved();
      if (!record.cancelled) return false;
      this.handBack();
    } else if ((record.phase === 'ready' && !notNext(record)) || record.phase === 'trial') {
      this.perform({ op: 'fall-back', slot: record.oldSlot });
    } else {
      const reason = this.cancelled;
      this.cancelled = '';
      this.fail(reason);
    }
    return true;
  }

  private unproved(): void {
    if (this.at.now - this.alarmedAt < AGAIN_MS) return;
    this.alarmedAt = this.at.now;
    const why = this.cancelled === '' ? this.record?.reason : this.cancelled;
    const text = `slot ${this.booted.slot} leads and is not proved: ${why}`;
    this.out.push({ kind: 'alarm', code: 'image-unproved', text });
  }

  /** An operator wants the old slot: the other box takes over first. */
  private handBack(): void {
    this.handOver();
    if (this.busy === undefined) this.againAt = this.at.now + AGAIN_MS;
  }

  private onward(record: UpgradeRecord): void {
    switch (record.phase) {
      case 'fetching':
        this.fetch(record.job);
        break;
      case 'waiting':
        this.turn(record);
        break;
      case 'installing':
        // the agent was started anew while it was done
        this.go('waiting', 'the installation was interrupted');
        break;
      case 'ready':
        this.depart(record);
        break;
      case 'leaving':
      case 'reverting':
        this.goAway(record);
        break;
      case 'trial':
        this.prove();
        break;
    }
  }

  private fetch({ id, digest }: Job): void {
    if (this.arrived) {
      this.arrived = false;
      this.perform({ op: 'verify', digest });
    } else if (this.linkUp && this.at.now >= this.againAt) {
      this.againAt = this.at.now + WANT_MS;
      this.send({ kind: 'want', id });
    }
  }

  private fetched(id: string, fault: string): void {
    if (this.record?.phase !== 'fetching' || this.record.job.id !== id) return;
    this.arrived = fault === '';
    // what was broken off is wanted again; what cannot be kept is not
    if (fault === '' || fault.startsWith('file-peer')) this.againAt = this.at.now + AGAIN_MS;
    else {
      this.againAt = 0;
      this.cancelled = fault;
    }
  }

  private turn(record: UpgradeRecord): void {
    const { job } = record;
    const theirs = this.peerPhase();
    if (!job.alone && this.peer !== undefined && theirs === undefined) {
      if (this.at.now >= this.againAt) {
        this.againAt = this.at.now + AGAIN_MS;
        this.send({ kind: 'offer', job });
      }
      return;
    }
    const { role } = this.pair;
    const backupFirst = theirs === 'waiting' && role === 'backup' && this.peer?.role === 'primary';
    if (theirs === 'proved' && role === 'primary') {
      this.handOver();
      return;
    }
    if (!job.alone && !backupFirst && theirs !== 'proved') return;
    if (record.attempts >= ATTEMPTS) {
      this.cancelled = REASONS.attempts;
      return;
    }
    this.store({
      ...withStep(record, 'installing', `into slot ${record.newSlot}`, this.at.wall),
      attempts: record.attempts + 1,
    });
    this.perform({ op: 'install' });
  }

  private depart(record: UpgradeRecord): void {
    // one that was let go and never came back stops nobody who was forced
    if (this.absence.granted && !(record.job.alone && !this.linkUp)) return;
    if (!this.linkUp) {
      if (record.job.alone) this.leave();
      return;
    }
    if (this.pair.role === 'primary') {
      this.handOver();
      return;
    }
    const may = this.pair.inStep || this.pair.role === 'none';
    if (!may || this.at.now < this.againAt) return;
    this.againAt = this.at.now + AGAIN_MS;
    this.send({ kind: 'may-leave', nonce: this.absence.ask() });
  }

  /** The other box stays. */
  private allowed(): void {
    if (this.record?.phase !== 'ready' || this.cancelled !== '' || this.busy !== undefined) {
      this.send({ kind: 'stay' });
    } else this.leave();
  }

  private leave(): void {
    this.go('leaving', `restarts from slot ${this.record?.newSlot}`);
    this.look();
  }

  /** It has been written down: what the daemon says now is the last word. */
  private goAway({ phase, job, cancelled, forced }: UpgradeRecord): void {
    if (!this.fresh) return;
    const stays = phase === 'reverting' ? this.serves() : this.pair.role === 'primary';
    if (stays && !job.alone && !(phase === 'reverting' && forced)) {
      if (phase === 'reverting') {
        if (this.at.now < this.againAt) return;
        this.unproved();
        if (cancelled) this.handBack();
        else this.againAt = this.at.now + AGAIN_MS;
      } else {
        this.go('ready', 'leads now, and stays');
        this.send({ kind: 'stay' });
      }
    } else if (this.at.now >= this.againAt) this.reboot();
  }

  private prove(): void {
    const alone = this.record?.job.alone === true;
    const wellMs = this.since(this.well(!alone));
    if (wellMs >= this.proveMs) {
      if (this.at.now >= this.againAt) this.perform({ op: 'mark-good' });
    } else if (this.at.now - this.phaseAt > this.trialMs && this.cancelled === '') {
      this.cancelled = this.pair.service === 'up' ? REASONS.notInStep : REASONS.notUp;
    }
  }

  /** No job: a slot that was good before is good again when the service answers. */
  private settle(): void {
    const answers = this.pair.service !== 'down';
    if (!this.confirmed && this.since(answers) >= ANSWERED_MS && this.at.now >= this.againAt) {
      this.perform({ op: 'mark-good' });
    } else if (this.record !== undefined && this.kept && this.overThere()) {
      this.kept = false;
      this.perform({ op: 'drop' });
    }
  }
}
