/**
 * What an operator asks of an upgrade machine (upgrade.ts), and what becomes of it: every request has one
 * answer, and nothing is done that is not written down before.
 */

import { AGAIN_MS, UpgradeCore } from './upgrade-core.ts';
import { notNext, REASONS, withStep } from './upgrade-record.ts';
import { type Bundle, type ImageRequest, OTHER_SLOT, type UpgradeRecord } from './upgrade-terms.ts';

export class UpgradeOrders extends UpgradeCore {
  protected answer(id: number, value: object): void {
    this.out.push({ kind: 'answer', id, value });
  }

  protected request(id: number, request: ImageRequest): void {
    const refuse = (error: string, text: string): void => this.answer(id, { error, text });
    const idle = !this.active() && this.asked === undefined;
    if (this.busy !== undefined && this.held === undefined && idle) {
      // something short, as after every start: the slot is marked good
      this.held = { id, request };
      return;
    }
    if (request.verb === 'confirm') {
      this.confirm(id);
      return;
    }
    if (request.verb === 'rollback' && this.record !== undefined && this.active()) {
      this.takeBack(id, this.record, request.force === true);
      return;
    }
    if (this.active() || this.asked !== undefined || this.busy !== undefined) {
      refuse('image-busy', 'a job is under way: show system image');
      return;
    }
    const alone = this.peer === undefined;
    if (alone && request.force !== true) {
      refuse('image-alone', 'the other box is not there: callers would notice; force');
      return;
    }
    if (!alone && !this.pair.inStep && request.force !== true) {
      refuse('image-not-in-step', 'the boxes are not in step: repair that first, or force');
      return;
    }
    this.asked = { id, request, alone };
    if (request.verb === 'install') {
      this.perform({ op: 'take', source: request.source ?? '' });
      return;
    }
    const slot = OTHER_SLOT[this.booted.slot];
    const job = this.jobOf('switch', { version: '', digest: '', bytes: 0 }, this.asked);
    this.start(job, 'ready', `${request.verb}: slot ${slot} becomes the next`);
    this.perform({ op: 'activate', slot });
  }

  /** Nothing of it is left half done; on trial it is the trial that ends. */
  private takeBack(id: number, record: UpgradeRecord, force: boolean): void {
    const { phase } = record;
    const forced = force || record.job.alone;
    const refuse = (error: string, text: string): void => this.answer(id, { error, text });
    if (phase === 'leaving' || (phase === 'reverting' && !this.serves())) {
      refuse('image-busy', 'the box restarts');
      return;
    }
    if ((phase === 'trial' || phase === 'reverting') && this.serves() && !forced) {
      // it is what callers have: the other box takes over first
      if (this.peer === undefined) {
        refuse('image-alone', 'the other box is not there: callers would notice; force');
        return;
      }
      if (this.peerIsAtIt()) {
        refuse('image-busy', `the other box is at: ${this.peer.job?.phase}`);
        return;
      }
      if (!this.pair.inStep) {
        refuse('image-not-in-step', 'the boxes are not in step: repair that first, or force');
        return;
      }
    }
    this.cancelled = REASONS.operator;
    this.store({ ...record, cancelled: REASONS.operator, ...(forced ? { forced } : {}) });
    this.answer(id, { ok: true });
  }

  private confirm(id: number): void {
    const refuse = (text: string): void => this.answer(id, { error: 'image-busy', text });
    if (this.busy !== undefined) {
      refuse('something is being done: try again');
      return;
    }
    const reverting = this.record?.phase === 'reverting';
    if (reverting && !this.serves()) {
      refuse('the box restarts');
      return;
    }
    this.asked = { id, request: { verb: 'confirm' }, alone: false };
    // it was made the bad one, and the other one the next
    if (reverting) this.perform({ op: 'activate', slot: this.booted.slot });
    else this.perform({ op: 'mark-good' });
  }

  // ── what became of it ────────────────────────────────────────────────────────────────────────

  protected taken(fault: string, bundle: Bundle | undefined): void {
    const { asked } = this;
    this.asked = undefined;
    if (asked === undefined) return;
    if (fault !== '' || bundle === undefined) {
      const [error, ...text] = fault.split(': ');
      this.answer(asked.id, { error, text: text.join(': ') });
      return;
    }
    const job = this.jobOf('install', bundle, asked);
    this.start(job, 'waiting', `${job.version} was asked for, and is good`);
    this.answer(asked.id, { ok: true, job: job.id, version: job.version });
  }

  protected activated(fault: string): void {
    const { asked, record } = this;
    if (asked?.request.verb === 'confirm') {
      if (fault === '') this.perform({ op: 'mark-good' });
      else this.marked(fault);
      return;
    }
    this.asked = undefined;
    if (record === undefined || !notNext(record)) return;
    if (fault === '') {
      const text = `slot ${record.newSlot} is next`;
      this.store({ ...withStep(record, 'ready', text, this.at.wall), attempts: 1 });
    } else {
      // whoever asked reads it now; an alarm is for those who do not
      const reason = asked === undefined ? fault : '';
      this.cancelled = '';
      this.store({ ...withStep(record, 'failed', fault, this.at.wall), reason });
      this.tellAlarm();
    }
    if (asked === undefined) return;
    const bad = { error: 'image-slot', text: fault };
    this.answer(asked.id, fault === '' ? { ok: true, job: record.job.id } : bad);
  }

  protected marked(fault: string): void {
    const { asked } = this;
    if (asked?.request.verb === 'confirm') {
      this.asked = undefined;
      this.answer(asked.id, fault === '' ? { ok: true } : { error: 'image-slot', text: fault });
    }
    this.againAt = this.at.now + AGAIN_MS;
    if (fault !== '') {
      this.log(`the slot could not be marked good: ${fault}`);
      return;
    }
    this.confirmed = true;
    const { record } = this;
    const person = asked?.request.verb === 'confirm';
    // who took it back while it was marked is heard
    const trial = record?.phase === 'trial' && (person || !record.cancelled);
    if (record !== undefined && (trial || (person && record.phase === 'reverting'))) {
      this.cancelled = '';
      const text = `slot ${this.booted.slot} is good`;
      const proved = withStep(record, 'proved', text, this.at.wall);
      this.store({ ...proved, reason: '', cancelled: '', forced: false });
      this.tellAlarm();
    } else if (person && record?.phase === 'failed') {
      // somebody has read why, and leaves it at that; the steps still say it
      this.store({ ...record, reason: '' });
      this.tellAlarm();
    } else if (person && record === undefined) this.tellAlarm();
  }
}
