/**
 * The stand-in for an engine: the least of `src/node.ts`, `src/pair/voice.ts`, `src/pair/feed.ts`
 * and `src/pair/follow.ts` that obeys the sentry's orders. Histories are counted, not kept: a
 * position, and in which reign each stretch of it was made. At most one message waits for the gate.
 *
 *   orders ──► Engine ──► reports         frames over the crossover stream, in order
 *                │  ▲
 *                ▼  │ written (later)
 *               disk: word (epoch, primary, peer stale), position
 */

import { noStanding } from '../../src/pair/standing.ts';
import type { BoxId, Order, Report, Standing } from '../../src/pair/terms.ts';
import { agreed, COARSE } from './adapter.ts';
import type { Property } from './properties.ts';

/** `[epoch, last position made in it]`, rising. */
export type History = readonly (readonly [number, number])[];

/** `staleEpoch`: the first reign of whose records the peer lacks some (`src/pair/keeper.ts`). */
export type Word = { epoch: number; primary: boolean; peerStale: boolean; staleEpoch: number };
export type Disk = Word & { lsn: number; history: History };

export type Frame =
  | { readonly f: 'join' | 'filling' | 'checked' }
  | { readonly f: 'in-step'; readonly inStepAt: number }
  | { readonly f: 'filled'; readonly lsn: number; readonly history: History }
  | { readonly f: 'record' | 'goodbye'; readonly epoch: number; readonly lsn: number }
  | { readonly f: 'ack'; readonly lsn: number };

/** What an engine asks of the world. */
export type Outside = {
  readonly now: number;
  send(box: BoxId, link: number, frame: Frame): void;
  /** Ends the stream from our side; the other one is told. */
  hangUp(box: BoxId, link: number): void;
  write(box: BoxId, ticket: number, disk: Disk, lazy: boolean): void;
  report(box: BoxId, report: Report): void;
  /** Something was let out under the rules. */
  released(box: BoxId, epoch: number, lsn: number): void;
  spoke(box: BoxId): void;
  /** Until when this box may be heard. */
  lease(box: BoxId): number;
  broken(property: Property, text: string): void;
  /** Sabotage: the gate is open. */
  readonly openGate: boolean;
};

export function holds(history: History, epoch: number, lsn: number): boolean {
  let from = 0;
  for (const [e, upTo] of history) {
    if (lsn > from && lsn <= upTo) return e === epoch;
    from = upTo;
  }
  return false;
}

function extend(history: History, epoch: number, lsn: number): History {
  const last = history.at(-1);
  if (last === undefined || last[0] !== epoch) return [...history, [epoch, lsn]];
  return [...history.slice(0, -1), [epoch, lsn]];
}

const NOT_STALE = { peerStale: false, staleEpoch: 0 } as const;

/** @returns whether the peer lacks something that was said, by a disk or by an engine. */
export function peerIsStale(word: Word, recordEpoch: number): boolean {
  return word.peerStale && word.staleEpoch <= recordEpoch;
}

export class Engine {
  readonly box: BoxId;
  readonly standing: Standing = noStanding();
  /** Has read its disk: before that it shows nothing. */
  loaded = false;
  /** Pair clock, which both boxes read alike, when it last became in step. */
  inStepAt = 0;
  role: 'idle' | 'backup' | 'reigning' | 'ready' | 'primary' | 'resigning' = 'idle';
  word: Word = { epoch: 0, primary: false, peerStale: false, staleEpoch: 0 };
  lsn = 0;
  history: History = [];
  durable: Disk;
  link = 0;
  mirror: 'none' | 'primary' | 'backup' = 'none';
  // leading
  feed: 'none' | 'filling' | 'agreed' | 'live' | 'late' = 'none';
  joinAsked = false;
  acked = 0;
  /** When the oldest unacknowledged record was sent, 0 for none. */
  sentAt = 0;
  /** Position a message to the outside waits for, 0 for none. */
  held = 0;
  aloneAt = 0;
  // following
  follow: 'none' | 'joining' | 'filling' | 'receiving' | 'in-step' = 'none';
  stands = false;
  filling = false;
  stood = false;
  handedOver = false;
  flushTold = false;
  /** Writes asked for and not done; what the last one of each kind waits for. */
  pending = 0;
  ticket = 0;
  reignTicket = 0;
  trustTicket = 0;

  constructor(box: BoxId, disk: Disk) {
    this.box = box;
    this.durable = disk;
    const { epoch, primary, peerStale, staleEpoch, lsn, history } = disk;
    this.word = { epoch, primary, peerStale, staleEpoch };
    this.lsn = lsn;
    this.history = history;
  }

  load(o: Outside): void {
    this.loaded = true;
    this.turn(o);
  }

  get voiced(): boolean {
    return this.role === 'primary' || this.role === 'resigning';
  }

  recordEpoch(): number {
    return this.history.at(-1)?.[0] ?? 0;
  }

  inStep(): boolean {
    if (this.role === 'backup') return this.mirror === 'backup' && this.stands;
    if (this.role === 'reigning' || this.role === 'ready') return this.stood;
    return this.mirror === 'primary' && this.feed === 'live';
  }

  private stand(now: number): void {
    if (!this.loaded) return;
    const s = this.standing;
    s.recordEpoch = this.recordEpoch();
    s.inStepAt = this.inStepAt;
    s.pairNow = now;
    s.epoch = Math.max(this.word.epoch, this.recordEpoch());
    s.lsn = this.lsn;
    s.inStep = this.inStep();
    s.peerStale = peerIsStale(this.word, this.recordEpoch());
    s.linkUp = this.link !== 0;
  }

  // ── orders ───────────────────────────────────────────────────────────────────────────────────

  order(order: Order, o: Outside): void {
    switch (order.kind) {
      case 'reign':
        this.reign(order.epoch, agreed(order.cause), o);
        break;
      case 'speak':
        this.speak(order.epoch, o);
        break;
      case 'follow':
        this.followPrimary(order.epoch, true, o);
        break;
      case 'resign':
        if (this.role !== 'primary' || this.feed !== 'live') {
          o.report(this.box, { kind: 'flush-refused', why: 'the backup is not in step' });
          break;
        }
        this.role = 'resigning';
        this.flushTold = false;
        break;
      case 'hand-over':
        if (this.role !== 'resigning') break;
        this.say(o, { f: 'goodbye', epoch: this.recordEpoch(), lsn: this.lsn });
        this.followPrimary(this.word.epoch, false, o);
        this.handedOver = true;
        break;
      case 'stay':
        if (this.role === 'resigning') this.role = 'primary';
        break;
    }
    this.turn(o);
  }

  private reign(epoch: number, isAgreed: boolean, o: Outside): void {
    if (this.voiced) return;
    if (epoch <= this.recordEpoch()) {
      o.broken('epoch', `engine assertion: reign ${epoch} over history of ${this.recordEpoch()}`);
    }
    this.stood = this.inStep();
    this.filling = false;
    this.rest();
    if (!isAgreed && this.link !== 0) {
      o.hangUp(this.box, this.link);
      this.unlink();
    }
    this.role = 'reigning';
    this.handedOver = false;
    const { word } = this;
    const staleEpoch = peerIsStale(word, this.recordEpoch()) ? word.staleEpoch : epoch;
    this.word = { epoch, primary: true, peerStale: true, staleEpoch };
    this.aloneAt = 0;
    this.reignTicket = this.write(o, false);
  }

  private speak(epoch: number, o: Outside): void {
    if (this.role !== 'ready' || epoch !== this.word.epoch) return;
    this.role = 'primary';
    o.spoke(this.box);
    this.lsn += 1;
    this.history = extend(this.history, epoch, this.lsn);
    this.mirror = 'primary';
    this.feed = 'none';
  }

  private followPrimary(epoch: number, join: boolean, o: Outside): void {
    this.held = 0;
    this.role = 'backup';
    this.handedOver = false;
    this.aloneAt = 0;
    this.rest();
    if (join) {
      this.mirror = 'backup';
      this.joinAsked = false;
      if (this.link !== 0) this.join(o);
    }
    const changed = this.word.primary || this.word.peerStale || epoch !== this.word.epoch;
    // the own voice is only laid down: what the peer lacks it still lacks
    const laidDown = join && this.word.primary && epoch === this.word.epoch;
    if (laidDown) this.word = { ...this.word, primary: false };
    else this.word = { epoch, ...NOT_STALE, primary: false };
    if (changed) this.write(o, true);
  }

  private rest(): void {
    this.mirror = 'none';
    this.feed = 'none';
    this.sentAt = 0;
    this.follow = 'none';
    this.stands = false;
  }

  // ── stream ───────────────────────────────────────────────────────────────────────────────────

  private say(o: Outside, frame: Frame): void {
    if (this.link !== 0) o.send(this.box, this.link, frame);
  }

  private join(o: Outside): void {
    this.follow = 'joining';
    this.say(o, { f: 'join' });
  }

  linkUp(link: number, o: Outside): void {
    if (this.link !== 0) this.linkDown(o);
    this.link = link;
    if (this.mirror === 'backup') this.join(o);
    this.turn(o);
  }

  private unlink(): void {
    this.link = 0;
    this.joinAsked = false;
    this.feed = 'none';
    this.sentAt = 0;
    if (this.follow !== 'in-step') this.follow = 'none';
  }

  linkDown(o: Outside): void {
    const stood = this.mirror === 'backup' && this.stands;
    this.unlink();
    if (this.role === 'backup') {
      this.write(o, false);
      if (stood) o.report(this.box, { kind: 'link-closed' });
    }
    this.turn(o);
  }

  hear(frame: Frame, o: Outside): void {
    if (frame.f === 'join') this.joinAsked = true;
    else if (frame.f === 'checked' || frame.f === 'ack') this.hearBackup(frame, o);
    else if (this.mirror === 'backup') this.hearPrimary(frame, o);
    this.turn(o);
  }

  private hearBackup(frame: Frame, o: Outside): void {
    if (this.mirror !== 'primary' || this.feed === 'none') return;
    if (frame.f === 'checked' && this.feed === 'filling') this.agree(o);
    if (frame.f === 'ack') {
      this.acked = frame.lsn;
      this.sentAt = frame.lsn < this.lsn ? o.now : 0;
    }
  }

  private agree(o: Outside): void {
    this.feed = 'agreed';
    this.word = { ...this.word, ...NOT_STALE };
    this.trustTicket = this.write(o, false);
  }

  private hearPrimary(frame: Frame, o: Outside): void {
    const waiting = this.follow === 'none' || this.follow === 'joining';
    if (waiting && frame.f !== 'filling') return;
    switch (frame.f) {
      case 'filling':
        this.follow = 'filling';
        this.stands = false;
        this.filling = true;
        return;
      case 'filled':
        this.follow = 'receiving';
        this.filling = false;
        this.lsn = frame.lsn;
        this.history = frame.history;
        this.say(o, { f: 'checked' });
        this.say(o, { f: 'ack', lsn: this.lsn });
        return;
      case 'record':
        if (frame.lsn !== this.lsn + 1) {
          o.broken('stream', `record ${frame.lsn} follows ${this.lsn}`);
          return;
        }
        this.lsn = frame.lsn;
        this.history = extend(this.history, frame.epoch, frame.lsn);
        this.say(o, { f: 'ack', lsn: this.lsn });
        return;
      case 'in-step':
        this.follow = 'in-step';
        this.stands = true;
        this.inStepAt = frame.inStepAt;
        if (this.word.peerStale) {
          this.word = { ...this.word, ...NOT_STALE };
          this.write(o, true);
        }
        return;
      case 'goodbye':
        if (this.follow !== 'in-step' || frame.lsn !== this.lsn) return;
        o.report(this.box, { kind: 'goodbye', epoch: frame.epoch });
        return;
      default:
        return;
    }
  }

  // ── disk ─────────────────────────────────────────────────────────────────────────────────────

  private write(o: Outside, lazy: boolean): number {
    this.ticket += 1;
    this.pending += 1;
    const { word } = this;
    // a half-filled state has no position
    const { lsn, history } = this.filling ? this.durable : this;
    o.write(this.box, this.ticket, { ...word, lsn, history }, lazy);
    return this.ticket;
  }

  written(ticket: number, disk: Disk, o: Outside): void {
    this.pending -= 1;
    this.durable = disk;
    if (this.trustTicket > 0 && ticket >= this.trustTicket) {
      this.trustTicket = 0;
      if (this.feed === 'agreed') {
        this.feed = 'live';
        this.inStepAt = o.now;
        this.say(o, { f: 'in-step', inStepAt: o.now });
      }
    }
    if (this.role === 'reigning' && ticket >= this.reignTicket) {
      this.role = 'ready';
      o.report(this.box, { kind: 'reigning', epoch: this.word.epoch });
    }
    this.turn(o);
  }

  // ── turns ────────────────────────────────────────────────────────────────────────────────────

  /** It takes turns though nothing happens; then it shows what it stands for now. */
  breathe(o: Outside): void {
    this.standing.turns += 1;
    this.stand(o.now);
  }

  /** A call changes something: one record, and one message that waits for it. */
  work(o: Outside): void {
    if (this.role !== 'primary' || this.held !== 0) return;
    const epoch = this.word.epoch;
    this.lsn += 1;
    this.history = extend(this.history, epoch, this.lsn);
    this.held = this.lsn;
    if (this.feed !== 'none') {
      this.say(o, { f: 'record', epoch, lsn: this.lsn });
      if (this.sentAt === 0) this.sentAt = o.now;
    }
    this.turn(o);
  }

  turn(o: Outside): void {
    if (this.voiced) {
      if (this.joinAsked && this.role === 'primary' && this.link !== 0) this.fill(o);
      this.watch(o);
      this.release(o);
      if (this.role === 'resigning') this.flush(o);
    }
    this.stand(o.now);
  }

  private fill(o: Outside): void {
    this.joinAsked = false;
    this.feed = 'filling';
    this.acked = 0;
    this.sentAt = 0;
    this.say(o, { f: 'filling' });
    this.say(o, { f: 'filled', lsn: this.lsn, history: this.history });
  }

  private watch(o: Outside): void {
    const wait = COARSE.mirrorWaitMaxMs;
    if (this.feed === 'live' && this.sentAt > 0 && o.now - this.sentAt >= wait) this.feed = 'late';
    if (this.feed === 'late' && this.sentAt === 0 && this.acked >= this.durable.lsn) this.agree(o);
    if (this.feed !== 'live' && this.feed !== 'agreed' && !this.word.peerStale) {
      this.word = { ...this.word, peerStale: true, staleEpoch: this.recordEpoch() };
      this.aloneAt = o.now;
      this.trustTicket = 0;
      this.write(o, false);
    }
    if (this.feed !== 'live' && this.lsn > this.durable.lsn && this.pending === 0) {
      this.write(o, false);
    }
  }

  private opensAt(now: number): number {
    if (this.feed === 'live') return this.acked;
    const d = this.durable;
    const said = this.aloneAt === 0 ? 0 : this.aloneAt + 2 * COARSE.heartbeatMs;
    const alone = d.peerStale && d.primary && now >= said ? d.lsn : -1;
    return this.feed === 'agreed' ? Math.min(alone, this.acked) : alone;
  }

  private release(o: Outside): void {
    if (this.held === 0 || o.now >= o.lease(this.box)) return;
    if (!o.openGate && this.held > this.opensAt(o.now)) return;
    const lsn = this.held;
    this.held = 0;
    o.released(this.box, this.word.epoch, lsn);
  }

  private flush(o: Outside): void {
    if (this.flushTold) return;
    if (this.feed !== 'live') {
      this.flushTold = true;
      o.report(this.box, { kind: 'flush-refused', why: 'the backup fell out of step' });
    } else if (this.held === 0 && this.acked >= this.lsn) {
      this.flushTold = true;
      o.report(this.box, { kind: 'flushed' });
    }
  }

  /** When it wants a turn though nothing happens. */
  deadline(now: number): number {
    let at = Number.MAX_SAFE_INTEGER;
    if (!this.voiced) return at;
    if (this.feed === 'live' && this.sentAt > 0) at = this.sentAt + COARSE.mirrorWaitMaxMs;
    if (this.held > 0 && this.aloneAt > 0 && this.feed !== 'live') {
      const said = this.aloneAt + 2 * COARSE.heartbeatMs;
      if (said > now) at = Math.min(at, said);
    }
    return at;
  }
}
