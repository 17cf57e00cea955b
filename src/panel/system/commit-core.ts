/**
 * What the commit machine has in force, and how that changes: first on the disk, then in force, then told
 * to the peer. Here is also what goes back by itself, as that needs nobody's word. How two boxes agree on
 * what comes next is `commit.ts`.
 */

import type {
  CommitEffect,
  CommitMessage,
  CommitSettings,
  Durable,
  Moment,
  Prepared,
  StoredFile,
} from './commit-terms.ts';
import {
  type Active,
  type Entry,
  type Head,
  headOf,
  type Provisional,
  reverted,
  upon,
} from './revision.ts';

/** What could not be stored is tried again after, ms. */
const AGAIN_MS = 10_000;
const MINUTE_MS = 60_000;

export class CommitCore {
  active: Active;
  prepared: Prepared | undefined;
  /** The peer's, as last said over this link. */
  peer: Head | undefined;
  linkUp = false;

  protected readonly settings: CommitSettings;
  /** When the provisional revision goes back, by our own clock. */
  protected revertAt = Number.POSITIVE_INFINITY;
  protected againAt = Number.POSITIVE_INFINITY;
  /** What is active is not on the disk yet. */
  protected unstored = false;
  protected storing: ((fault: string) => void) | undefined;
  protected at: Moment;
  protected out: CommitEffect[] = [];

  constructor(settings: CommitSettings, durable: Durable, at: Moment) {
    this.settings = settings;
    this.active = durable.active;
    this.prepared = durable.prepared;
    this.at = at;
    this.armRevert();
  }

  // ── going back ───────────────────────────────────────────────────────────────────────────────

  protected revert(then: () => void): void {
    const { provisional, entry } = this.active;
    if (provisional === undefined) return;
    const next = upon(this.active, reverted(entry, provisional.before));
    this.activate(next, (fault) => {
      if (fault === '') {
        const text = `revision ${entry.number} was not confirmed: back to ${next.entry.number}`;
        this.out.push({ kind: 'log', text });
        then();
        return;
      }
      // in force all the same: a disk that fails must not keep what cut the operator off
      this.active = next;
      this.armRevert();
      this.out.push({ kind: 'apply', entry: next.entry, was: entry });
      this.alarm('configuration-disk', 'critical', `going back could not be stored: ${fault}`);
      this.unstored = true;
      this.againAt = this.at.now + AGAIN_MS;
      this.tellHead();
    });
  }

  protected storeAgain(): void {
    this.store([{ name: 'active', content: this.active }], (fault) => {
      this.unstored = fault !== '';
      if (this.unstored) this.againAt = this.at.now + AGAIN_MS;
      else this.alarm('configuration-disk', 'critical', '');
    });
  }

  /** Upon one that nobody confirmed: back to what was before that one, too. */
  protected provisional(minutes: number): Provisional | undefined {
    if (minutes <= 0) return undefined;
    const before: Entry = this.active.provisional?.before ?? this.active.entry;
    return { until: this.at.wall + minutes * MINUTE_MS, minutes, before };
  }

  protected armRevert(): void {
    const { provisional } = this.active;
    this.revertAt = Number.POSITIVE_INFINITY;
    if (provisional === undefined) return;
    // a clock that was set back, or lost, does not make it longer than it was
    const left = Math.min(provisional.until - this.at.wall, provisional.minutes * MINUTE_MS);
    this.revertAt = this.at.now + Math.max(0, left);
  }

  protected troubled(fault: string): void {
    if (fault === '') return;
    const text = `the configuration of the other box cannot be stored: ${fault}`;
    this.alarm('configuration-disk', 'critical', text);
    this.againAt = this.at.now + AGAIN_MS;
  }

  // ── effects ──────────────────────────────────────────────────────────────────────────────────

  /** Makes it durable, then puts it in force and tells the peer. */
  protected activate(next: Active, then: (fault: string) => void): void {
    const files: StoredFile[] = [];
    if (next.entry.kind === 'commit') files.push({ name: 'revision', content: next.entry });
    files.push({ name: 'active', content: next });
    if (this.prepared !== undefined) files.push({ name: 'prepared', content: undefined });
    this.store(files, (fault) => {
      if (fault !== '') {
        then(fault);
        return;
      }
      const was = this.active.entry;
      this.active = next;
      this.prepared = undefined;
      this.unstored = false;
      this.armRevert();
      this.alarm('configuration-refused', 'major', '');
      this.alarm('configuration-disk', 'critical', '');
      if (was.digest !== next.entry.digest) {
        this.out.push({ kind: 'apply', entry: next.entry, was });
      }
      this.tellHead();
      then('');
    });
  }

  protected store(files: readonly StoredFile[], then: (fault: string) => void): void {
    this.storing = then;
    this.out.push({ kind: 'store', files });
  }

  protected tellHead(): void {
    this.send({ kind: 'head', head: headOf(this.active) });
  }

  protected send(message: CommitMessage): void {
    if (this.linkUp) this.out.push({ kind: 'send', message });
  }

  protected answer(id: number, value: object): void {
    this.out.push({ kind: 'answer', id, value });
  }

  protected alarm(
    code: Extract<CommitEffect, { kind: 'alarm' }>['code'],
    severity: Extract<CommitEffect, { kind: 'alarm' }>['severity'],
    text: string,
  ): void {
    this.out.push({ kind: 'alarm', code, severity, text });
  }
}
