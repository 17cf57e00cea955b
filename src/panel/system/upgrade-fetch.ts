/**
 * How a bundle comes from one box to the other: the one that lacks it wants a piece, writes it, wants the
 * next, and never faster than the crossover can bear beside the journal. What was broken off with the
 * link goes on where it was; the digest of the whole is looked at in the end.
 */

import type { Job, Operation, UpgradeMessage } from './upgrade-terms.ts';

const PIECE_BYTES = 256 * 1024;
/** Between two pieces, ms: 25 MB a second at most. */
const PACE_MS = 10;
/** A piece that does not come is wanted again after, ms. */
const AGAIN_MS = 5000;

export class Fetch {
  /** The bundle's file may be on the disk. */
  kept = false;
  private readonly send: (message: UpgradeMessage) => void;
  private readonly perform: (operation: Operation) => void;
  private job: Job | undefined;
  /** Octets that are written. */
  private offset = 0;
  private wantAt = 0;
  private piece: { readonly offset: number; readonly bytes: Uint8Array } | undefined;
  /** What the other box wants; -1: nothing. */
  private asked = -1;

  constructor(send: (message: UpgradeMessage) => void, perform: (operation: Operation) => void) {
    this.send = send;
    this.perform = perform;
  }

  begin(job: Job): void {
    this.job = job;
    this.offset = 0;
    this.wantAt = 0;
    this.piece = undefined;
    this.kept = job.kind === 'install';
  }

  /** The link came or went. */
  link(): void {
    this.wantAt = 0;
    this.piece = undefined;
    this.asked = -1;
  }

  deadline(): number {
    return this.wantAt;
  }

  // ── the box that lacks it ────────────────────────────────────────────────────────────────────

  /** Wants, writes or verifies, whichever is next. */
  pull(now: number): void {
    const { job, piece } = this;
    if (job === undefined) return;
    if (piece !== undefined) {
      this.piece = undefined;
      this.perform({ op: 'write', ...piece });
    } else if (this.offset >= job.bytes) this.perform({ op: 'verify', digest: job.digest });
    else if (now >= this.wantAt) {
      this.wantAt = now + AGAIN_MS;
      this.send({ kind: 'want', id: job.id, offset: this.offset });
    }
  }

  arrived(offset: number, bytes: Uint8Array): void {
    if (offset === this.offset && bytes.length > 0) this.piece = { offset, bytes };
  }

  written(bytes: number, now: number): void {
    this.offset += bytes;
    this.wantAt = now + PACE_MS;
  }

  // ── the box that has it ──────────────────────────────────────────────────────────────────────

  wanted(offset: number): void {
    this.asked = offset;
  }

  serve(): void {
    if (this.asked < 0) return;
    const offset = this.asked;
    this.asked = -1;
    this.perform({ op: 'read', offset, length: PIECE_BYTES });
  }

  read(offset: number, bytes: Uint8Array): void {
    if (this.job === undefined) return;
    this.send({ kind: 'chunk', id: this.job.id, offset, bytes });
  }
}
