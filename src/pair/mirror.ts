/**
 * The journal's way to the other box. The primary *feeds*: it brings a joining backup to its own
 * position (from the ring when the histories match, else by a snapshot cut while calls go on),
 * compares every row once, and only then calls it *in step*. The backup verifies, applies and
 * acknowledges.
 *
 *   backup                      primary
 *   hello ────────────────────► hello
 *   join(position) ───────────►
 *          ◄─────────────────── resume, records…            position is in the ring
 *          ◄─────────────────── snapshot-begin, chunk…, snapshot-end   it is not
 *          ◄─────────────────── records as they are made, from here on
 *          ◄─────────────────── digest… (each row once)
 *   digest-answer ────────────►
 *          ◄─────────────────── in-step
 *   ack(position) ────────────►                              opens the primary's gate
 *
 * The stream is first-in first-out, so a chunk or a digest needs no frozen copy: what it says is
 * true at its own place in the stream, on both sides. A row whose chunk is still to come may be
 * changed by a record before; that record finds no row and is passed over, because the chunk will
 * carry its effect.
 */

import type { Chance } from '../base/chance.ts';
import { type Fault, fault } from '../base/fault.ts';
import { LIMITS } from '../base/limits.ts';
import type { Peer } from '../base/peer.ts';
import type { Instant, Lsn, Mono } from '../base/units.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Position } from '../ledger/record.ts';
import {
  FRAME,
  FrameReader,
  type FrameView,
  forwardFrame,
  frame,
  getPosition,
  POSITION_SIZE,
  positionFrame,
  readForward,
} from '../wire/frame.ts';
import { Feed } from './feed.ts';
import { Follow } from './follow.ts';
import { Greeting, type LinkSettings } from './greeting.ts';
import type { Lateness } from './lateness.ts';
import { type MirrorEvent, type MirrorFault, viewOf } from './mirror-terms.ts';

type Facts = {
  readonly mirror: string;
  readonly peerRelease: string;
  readonly ackedLsn: Lsn;
  readonly snapshots: number;
  readonly catchUps: number;
  readonly resyncs: number;
  readonly drifts: number;
  readonly ackLatency: ReturnType<Lateness['view']>;
};

export class Mirror {
  readonly events: MirrorEvent[] = [];
  /** Frames to write, in order. The engine empties it every turn. */
  readonly frames: Uint8Array[] = [];
  readonly feed: Feed;
  readonly follow: Follow;
  up = false;

  private readonly ledger: Ledger;
  private readonly greeting: Greeting;
  private readonly reader = new FrameReader(LIMITS.frameBytes);
  private role: 'none' | 'primary' | 'backup' = 'none';
  private joinAsked: Position | undefined;
  /** When what is being read came. */
  private now: Mono = 0;

  constructor(ledger: Ledger, settings: LinkSettings, chance: Chance) {
    this.ledger = ledger;
    this.greeting = new Greeting(settings, chance);
    this.feed = new Feed(ledger, this);
    this.follow = new Follow(ledger, this);
  }

  /** Primary: the backup holds everything acknowledged and may open the gate. */
  get peerInStep(): boolean {
    return this.role === 'primary' && this.feed.state === 'live';
  }
  /** Backup: may stand for election. */
  get inStep(): boolean {
    return this.role === 'backup' && this.follow.stands;
  }
  get state(): string {
    if (this.role === 'primary') return `feed-${this.feed.state}`;
    return this.role === 'backup' ? `follow-${this.follow.state}` : 'none';
  }

  /** Name and version of the peer's software, '' before it was heard. */
  get peerRelease(): string {
    return this.greeting.peerRelease;
  }
  /** In which settings the boxes differ, after a `link-config`. */
  get differs(): string {
    return this.greeting.differs;
  }

  /** What is said in the next greeting; the connection that stands is not asked again. */
  agree(settings: LinkSettings): void {
    this.greeting.settings = settings;
  }

  /** Facts for `status`. */
  view(): Facts {
    const { ackedLsn, snapshots, catchUps, resyncs, drifts } = this.feed;
    const { state, peerRelease } = this;
    const ackLatency = this.feed.latency.view();
    const facts = { mirror: state, peerRelease, ackedLsn, ackLatency };
    return { ...facts, snapshots, catchUps, resyncs, drifts };
  }

  // ── role ─────────────────────────────────────────────────────────────────────────────────────

  lead(): void {
    this.role = 'primary';
    this.follow.reset();
    this.feed.stop();
  }

  followPrimary(): void {
    this.role = 'backup';
    this.feed.stop();
    this.follow.reset();
    this.joinAsked = undefined;
    if (this.greeting.done) this.follow.join();
  }

  /** Neither feeds nor follows, until a role is given. */
  rest(): void {
    this.role = 'none';
    this.feed.stop();
    this.follow.reset();
  }

  /** The primary's last word: everything it did is in the peer's hands. */
  sayGoodbye(): void {
    this.frames.push(positionFrame(FRAME.goodbye, this.ledger.position()));
  }

  /** Passes on what reached us after we handed over. @returns false when nobody is there. */
  forward(from: Peer, text: string): boolean {
    if (!this.greeting.done) return false;
    this.frames.push(forwardFrame(from, text));
    return true;
  }

  // ── link ─────────────────────────────────────────────────────────────────────────────────────

  linkUp(): void {
    this.linkDown();
    this.up = true;
    this.reader.reset();
    this.frames.push(this.greeting.begin());
  }

  linkDown(): void {
    this.up = false;
    this.greeting.end();
    this.joinAsked = undefined;
    this.frames.length = 0;
    this.feed.stop();
    this.follow.lost();
  }

  /** Bytes from the peer, come at `now`. A fault ends the link; the caller closes it. */
  data(bytes: Uint8Array, now: Mono = 0): MirrorFault | undefined {
    this.now = now;
    let wrong: MirrorFault | undefined;
    const bad = this.reader.push(bytes, (f) => {
      wrong = this.frame(f)?.fault;
      return wrong === undefined;
    });
    return wrong ?? bad?.fault;
  }

  /** In the middle of a turn that made many records: those so far. */
  early(now: Mono, group: Uint8Array | undefined): void {
    if (!this.up || !this.greeting.done || this.role !== 'primary') return;
    if (this.joinAsked === undefined) this.feed.group(now, group);
  }

  /**
   * After the turn's transactions: the turn's group, an owed acknowledgement, a measured piece of
   * whatever the backup still lacks.
   */
  turn(now: Mono, pairNow: Instant, group: Uint8Array | undefined): void {
    if (!this.up || !this.greeting.done) return;
    if (this.role === 'backup') this.follow.turn();
    else if (this.role === 'primary') {
      if (this.joinAsked === undefined) this.feed.turn(now, pairNow, group);
      else this.startFeed(now, pairNow, this.joinAsked);
    }
  }

  /** Between turns: the group of this turn lies before the position the peer is brought to. */
  private startFeed(now: Mono, pairNow: Instant, p: Position): void {
    this.joinAsked = undefined;
    this.feed.start(now, p);
    this.feed.turn(now, pairNow, undefined);
  }

  /** When `turn` wants to be called again though nothing happened. */
  deadline(now: Mono): Mono {
    if (!this.up || this.role !== 'primary') return Number.POSITIVE_INFINITY;
    return this.feed.deadline(now);
  }

  private frame(f: FrameView): Fault<MirrorFault> | undefined {
    if (f.type === FRAME.hello) return this.onHello(f);
    if (f.type === FRAME.proof) return this.onProof(f);
    if (!this.greeting.done) return fault('link-order', f.start);
    if (f.type === FRAME.refuse) return fault('link-protocol', f.start);
    if (f.type === FRAME.join) return this.onJoin(f);
    if (f.type === FRAME.forward) return this.onForward(f);
    if (f.type === FRAME.ack || f.type === FRAME.digestAnswer) {
      // late words of a backup that we no longer lead
      if (this.role !== 'primary') return undefined;
      return f.type === FRAME.ack ? this.feed.onAck(this.now, f) : this.feed.onDigestAnswer(f);
    }
    // everything else comes from a primary; late words of one that we no longer follow
    if (this.role !== 'backup') return undefined;
    // between asking and being answered, what still comes belongs to an earlier conversation
    if (this.follow.waiting && f.type !== FRAME.resume && f.type !== FRAME.snapshotBegin) {
      return undefined;
    }
    switch (f.type) {
      case FRAME.records:
        return this.follow.onRecords(f);
      case FRAME.resume:
      case FRAME.snapshotBegin:
      case FRAME.chunk:
      case FRAME.snapshotEnd:
        return this.follow.onFill(f);
      case FRAME.digest:
        return this.follow.onDigest(f);
      case FRAME.inStep:
        return this.follow.onInStep(f);
      case FRAME.goodbye:
        return this.follow.onGoodbye(f);
      case FRAME.clock:
        if (f.end - f.from < 8) return fault('frame-length', f.from);
        return this.onClock(viewOf(f).getFloat64(f.from, true), f);
    }
  }

  private onHello(f: FrameView): Fault<MirrorFault> | undefined {
    const proof = this.greeting.hello(f);
    if ('fault' in proof) {
      this.frames.push(frame(FRAME.refuse, Buffer.from(proof.fault, 'latin1')));
      return proof;
    }
    this.frames.push(proof);
    return undefined;
  }

  private onProof(f: FrameView): Fault<MirrorFault> | undefined {
    const wrong = this.greeting.proof(f);
    if (wrong !== undefined) return wrong;
    if (this.role === 'backup') this.follow.join();
    return undefined;
  }

  /** Answered at the end of the turn, or when this box leads. */
  private onJoin(f: FrameView): Fault<MirrorFault> | undefined {
    if (f.end - f.from < POSITION_SIZE) return fault('frame-length', f.from);
    this.joinAsked = getPosition(viewOf(f), f.from);
    return undefined;
  }

  private onClock(at: Instant, f: FrameView): Fault<MirrorFault> | undefined {
    if (!Number.isSafeInteger(at)) return fault('link-clock', f.from);
    this.follow.owe();
    this.events.push({ kind: 'clock', at });
    return undefined;
  }

  private onForward(f: FrameView): Fault<MirrorFault> | undefined {
    const message = readForward(f);
    if (message === undefined) return fault('frame-length', f.from);
    this.events.push({ kind: 'forwarded', message });
    return undefined;
  }
}
