/**
 * The engine of one box: a function from what happened to what is to be done. It routes inputs to
 * the machines (calls, mirror, disk), lets each input write one record, and lets nothing be heard
 * outside before the gate and the lease allow it.
 *
 *   inputs ─► call/ ─► ledger ─► one frame to the peer, one batch to the disk     (now)
 *               │
 *               └────► held ─► gate (peer acknowledged | disk synced) ─► lease ─► messages
 *
 * `call/` does not know that a peer exists and `pair/` does not know SIP: they meet only here.
 */

import { assert } from './base/assert.ts';
import type { Chance } from './base/chance.ts';
import { LIMITS } from './base/limits.ts';
import type { Peer } from './base/peer.ts';
import type { Epoch, Instant, Millis, Mono } from './base/units.ts';
import { hostsAt } from './call/addresses.ts';
import { CALL } from './call/rows.ts';
import { CALL_TABLES, summary } from './call/switch.ts';
import { CONTACT } from './call/trunk-rows.ts';
import { CdrFeed } from './cdr-feed.ts';
import { programsView } from './cti/entry.ts';
import { EngineEffects, type Outgoing } from './effect.ts';
import type { EngineInput } from './input.ts';
import type { Loaded } from './ledger/disk.ts';
import { Ledger } from './ledger/ledger.ts';
import type { Position } from './ledger/record.ts';
import { LINK_WORDS, linkSettings, type NodeSettings } from './node-settings.ts';
import type { GateKind } from './pair/gate.ts';
import { type Clocks, Keeper } from './pair/keeper.ts';
import { Mirror } from './pair/mirror.ts';
import type { Cause, Order, Standing } from './pair/terms.ts';
import { Voice } from './pair/voice.ts';
import { Service } from './service.ts';
import type { EngineRole, EngineView } from './status.ts';
import type { Forwarded } from './wire/frame.ts';

export { EngineEffects };

/** An engine with nothing to do still turns: by that the sentry sees that it lives. */
const TICK_MS: Millis = 50;
/** A fault of the crossover is told this often. */
const FAULT_TELL_MS: Millis = 10_000;

export class Engine {
  readonly ledger: Ledger;
  readonly standing: Standing;
  role: EngineRole = 'idle';

  private settings: NodeSettings;
  private readonly mirror: Mirror;
  private readonly keeper: Keeper;
  private readonly voice: Voice<Outgoing>;
  private readonly service: Service;
  private readonly cdrs = new CdrFeed();
  private readonly wallOffset: number;
  /** Pair clock minus monotonic clock. */
  private pairOffset: number;
  private reported = false;
  private resignReported = false;
  private faultToldAt: Mono = Number.NEGATIVE_INFINITY;
  /** This box was in step when it was ordered to reign. */
  private stood = false;
  /** The peer was told goodbye and nobody was followed since. */
  private handedOver = false;
  private readonly forwarded: Forwarded[] = [];
  /** Used anew in every turn. */
  private readonly freed: Outgoing[] = [];
  private now: Mono;

  constructor(settings: NodeSettings, loaded: Loaded, chance: Chance, now: Mono) {
    this.settings = settings;
    this.now = now;
    this.ledger = new Ledger(settings.tables ?? CALL_TABLES, {
      ...(settings.ledger ?? LIMITS),
      warmOnly: settings.pair.redundancy === 'warm-standby',
    });
    const box = loaded.box;
    const position: Position =
      box === undefined
        ? { epoch: 0, lsn: 0, chain: 0 }
        : { epoch: box.recordEpoch, lsn: box.lsn, chain: box.chain };
    this.ledger.restart(position, box?.nextIds ?? []);
    const wrong = this.ledger.applyOps(loaded.rows, 0, loaded.rows.length, true);
    assert(wrong === undefined, `rows of the disk are readable: ${wrong?.fault}`);
    for (const table of this.ledger.tables.list) table.markStored();
    this.keeper = new Keeper(this.ledger, settings.diskGroupMs, box);
    this.mirror = new Mirror(this.ledger, linkSettings(settings), chance);
    this.voice = new Voice(settings.pair, this.mirror, this.keeper);
    this.wallOffset = loaded.wallNow - now;
    const down = box === undefined ? 0 : Math.max(0, loaded.wallNow - box.wallAt);
    this.pairOffset = (box === undefined ? loaded.wallNow : box.pairAt + down) - now;
    this.standing = {
      epoch: this.keeper.word.epoch,
      recordEpoch: position.epoch,
      lsn: position.lsn,
      chain: position.chain,
      inStep: false,
      inStepAt: 0,
      peerStale: this.keeper.peerIsStale(position.epoch),
      turns: 0,
      pairNow: this.pairNow(),
      linkUp: false,
      calls: 0,
    };
    this.service = new Service(this.ledger, this.voice.held, settings.sip, chance, () => {
      if (this.ledger.groupBytes < LIMITS.groupBytes) return;
      this.mirror.early(this.now, this.ledger.takeGroup());
    });
  }

  /** The pair clock, whole milliseconds. */
  pairNow(): Instant {
    return Math.floor(this.now + this.pairOffset);
  }

  private wallNow(): Instant {
    return Math.floor(this.now + this.wallOffset);
  }

  // ── one turn ─────────────────────────────────────────────────────────────────────────────────

  /**
   * Takes what happened, in order, and gives what is to be done. `lease` is the moment of our
   * monotonic clock until which effects may leave.
   */
  step(now: Mono, lease: Mono, inputs: readonly EngineInput[], out: EngineEffects): void {
    this.now = now;
    this.service.now = this.pairNow();
    this.standing.turns += 1;
    if (!this.reported) out.reports.push(this.keeper.loaded(this.ledger));
    this.reported = true;
    for (let i = 0; i < inputs.length; i += 1) this.input(inputs[i] as EngineInput, out);
    this.wordsKept(out);
    if (this.role === 'primary') {
      this.takeForwarded();
      this.service.due();
    }
    this.judge(inputs.length, out);
    this.service.tell(out);
    this.cdrs.turn(this.ledger, this.role, this.mirror.inStep, this.voice.held, out);
    this.mirror.turn(now, this.pairNow(), this.ledger.takeGroup());
    if (this.voice.prompt(now)) this.mirror.feed.agree();
    this.mirrorEvents(out);
    // without a lease nobody hears that we go on alone, and the other one may be leading already
    if (now < lease) this.watchPeer(out);
    this.persist(out);
    this.voice.release(now, lease, this.freed);
    out.leave(this.freed);
    this.cdrs.left(out.records);
    // after the release: what was let go in this turn is not waited for until the next input
    if (this.role === 'resigning') this.watchFlush(out);
    for (const bytes of this.mirror.frames) out.link.push(bytes);
    this.mirror.frames.length = 0;
    // between two reigns what arrives waits in the kernel; a backup takes it and lets it fall
    out.reading = this.role === 'primary' || this.role === 'backup' || this.role === 'idle';
    this.stand();
  }

  /** How much there is to do, and what an operator should hear of it. */
  private judge(inputs: number, out: EngineEffects): void {
    this.service.turned(inputs, this.voice.held.size > LIMITS.heldBusy);
    for (const text of this.service.alarms) out.logs.push({ level: 'alarm', text });
    this.service.alarms.length = 0;
  }

  /** When the engine wants a `tick` though nothing happens. */
  deadline(): Mono {
    let at = Math.min(this.mirror.deadline(this.now), this.keeper.persister.deadline());
    if (this.role === 'primary') {
      if (this.forwarded.length > 0) return this.now;
      const due = this.ledger.deadlines.next();
      if (due !== Number.MAX_SAFE_INTEGER) at = Math.min(at, due - this.pairOffset);
    }
    at = Math.min(at, this.voice.deadline(this.now));
    return Math.min(at, this.now + TICK_MS);
  }

  private input(input: EngineInput, out: EngineEffects): void {
    switch (input.kind) {
      case 'sip':
        this.message(input, input.text);
        return;
      case 'flow':
        this.service.flow(input, input.up);
        return;
      case 'unreachable':
        if (this.role === 'primary') this.service.unreachable(input);
        return;
      case 'link-data':
        this.linkData(input.bytes, out);
        return;
      case 'link-up':
        this.mirror.linkUp();
        return;
      case 'link-down':
        this.linkDown(out);
        return;
      case 'order':
        this.order(input.order, out);
        return;
      case 'request':
        this.service.request(input, this.role === 'primary', out);
        return;
      case 'clear':
        this.service.clear(input, this.role === 'primary', out);
        return;
      case 'reload':
        this.settings = { ...this.settings, sip: input.sip };
        this.mirror.agree(linkSettings(this.settings));
        this.service.reload(input.sip, this.role === 'primary');
        return;
      case 'resolved':
        if (this.role === 'primary') this.service.resolved(input.answer);
        return;
      case 'tick':
        return;
      default:
        this.keeper.says(input, this.now, out);
    }
  }

  /** One SIP message is one transaction of the ledger. */
  private message(from: Peer, text: string): void {
    if (this.role !== 'primary') {
      // what was on its way when we handed over belongs to the successor
      const passed = this.handedOver && this.mirror.forward(from, text);
      this.service.note(passed ? 'forwarded' : 'ignoredWithoutVoice');
      return;
    }
    // whoever is not heard now says it again (RFC 3261 17.1.1.2)
    if (this.voice.held.size >= LIMITS.held) {
      this.service.note('ignoredHeldFull');
      return;
    }
    this.service.message(from, text);
  }

  /** What the old primary passed on while we were not speaking yet. */
  private takeForwarded(): void {
    if (this.forwarded.length === 0) return;
    for (const d of this.forwarded) this.message(d, d.text);
    this.forwarded.length = 0;
  }

  // ── gate, lease, disk ────────────────────────────────────────────────────────────────────────

  get gate(): GateKind {
    return this.voice.gate(this.now);
  }

  private clocks(): Clocks {
    return { now: this.now, pairAt: this.pairNow(), wallAt: this.wallNow() };
  }

  private persist(out: EngineEffects): void {
    const ready = this.role === 'ready' && !this.mirror.peerInStep;
    this.keeper.turn(ready || this.voice.alone(this.now), this.clocks(), out);
  }

  /** What waited for the box's word waits no longer. */
  private wordsKept(out: EngineEffects): void {
    const { keeper } = this;
    keeper.look(this.now, this.role === 'reigning' || this.voice.waitsForDisk, out);
    if (keeper.takeTrust()) this.mirror.feed.live(this.pairNow());
    if (this.role === 'reigning' && keeper.reignKept) {
      this.role = 'ready';
      out.reports.push({ kind: 'reigning', epoch: keeper.word.epoch });
    }
  }

  // ── orders of the sentry ─────────────────────────────────────────────────────────────────────

  private order(order: Order, out: EngineEffects): void {
    switch (order.kind) {
      case 'reign':
        this.reign(order.epoch, order.cause, out);
        return;
      case 'speak':
        this.speak(order.epoch, out);
        return;
      case 'follow':
        this.followPrimary(order.epoch, out);
        return;
      case 'resign':
        this.resign(out);
        return;
      case 'hand-over':
        if (this.role !== 'resigning') return;
        this.mirror.sayGoodbye();
        // Nobody leads yet: joined is the successor, when `follow` names it. A second join in one
        // stream is answered twice, and the follower takes the second answer for disorder.
        this.followPrimary(this.keeper.word.epoch, out, false);
        this.handedOver = true;
        return;
      case 'stay':
        if (this.role !== 'resigning') return;
        this.role = 'primary';
        this.service.stay(out);
        return;
      case 'resync':
        this.resync(out);
        return;
    }
  }

  private reign(epoch: Epoch, cause: Cause, out: EngineEffects): void {
    if (this.role === 'primary' || this.role === 'resigning') return;
    assert(epoch > this.ledger.epoch, 'a reign is younger than the history');
    // what the mirror told before this order is about the backup we were
    this.mirrorEvents(out);
    this.stood = this.inStep();
    if (this.ledger.filling) {
      this.keeper.persister.reset();
      out.logs.push({
        level: 'alarm',
        text: 'leads with an incomplete state: a snapshot broke off',
      });
      this.ledger.filling = false;
    }
    this.mirror.rest();
    if (cause !== 'switchover' && cause !== 'lan-lost' && this.mirror.up) {
      // whoever fell silent comes back over a new connection: this one may be half open for ever
      out.closeLink = true;
      this.mirror.linkDown();
    }
    this.role = 'reigning';
    this.handedOver = false;
    this.voice.settleAlone();
    this.keeper.sayReign(epoch, this.ledger.position(), this.clocks(), out);
  }

  private speak(epoch: number, out: EngineEffects): void {
    if (this.role !== 'ready' || epoch !== this.keeper.word.epoch) return;
    this.role = 'primary';
    this.voice.speaking = true;
    this.ledger.arm();
    // only now: a takeover that comes to nothing leaves no trace in the history
    this.ledger.reign(epoch, this.pairNow());
    // warm standby keeps registrations: what belongs to calls ends with the box that had them
    this.service.resume(this.settings.pair.redundancy === 'warm-standby');
    this.service.wake(out.tickles);
    this.mirror.lead();
    out.logs.push({ level: 'info', text: `primary, epoch ${epoch}, from lsn ${this.ledger.lsn}` });
  }

  private followPrimary(epoch: number, out: EngineEffects, join = true): void {
    const dropped = this.voice.held.clear();
    this.voice.speaking = false;
    this.handedOver = false;
    out.dropFlows = true;
    this.forwarded.length = 0;
    if (dropped > 0) {
      out.logs.push({ level: 'warning', text: `${dropped} held effects dropped with the voice` });
    }
    this.role = 'backup';
    this.voice.settleAlone();
    this.ledger.disarm();
    // records made after the last acknowledged one are history nobody heard of: the new primary's
    // ring or snapshot decides whether they stand; should they not, the disk sets aside what it has
    this.ledger.takeGroup();
    if (this.keeper.word.led > 0) this.keeper.flushAsked = true;
    if (join) this.mirror.followPrimary();
    else this.mirror.rest();
    // the own voice is only laid down: what the peer lacks it still lacks
    const laidDown = join && this.keeper.word.primary && epoch === this.keeper.word.epoch;
    if (laidDown) this.keeper.persister.change({ primary: false });
    else if (this.keeper.word.primary || this.keeper.word.peerStale) {
      this.keeper.persister.change({
        primary: false,
        peerStale: false,
        staleEpoch: 0,
        staleLsn: 0,
      });
    }
    // also when it is lower: our own reign of a higher one came to nothing, and a box that kept its
    // number would outrank the primary it follows
    if (epoch !== this.keeper.word.epoch) this.keeper.persister.change({ epoch });
  }

  private resign(out: EngineEffects): void {
    if (this.role !== 'primary') {
      out.reports.push({ kind: 'flush-refused', why: 'not primary' });
      return;
    }
    if (!this.mirror.peerInStep) {
      out.reports.push({ kind: 'flush-refused', why: 'the backup is not in step' });
      return;
    }
    this.role = 'resigning';
    this.resignReported = false;
  }

  /** A whole copy by order: over a new conversation, so that no word of the old one is taken for one. */
  private resync(out: EngineEffects): void {
    if (this.role !== 'primary' && this.role !== 'backup') {
      out.logs.push({ level: 'warning', text: `resync: not while ${this.role}` });
      return;
    }
    if (this.role === 'primary') this.mirror.feed.resync();
    else {
      this.ledger.filling = true;
      this.mirror.follow.reset();
    }
    out.logs.push({ level: 'info', text: 'resync: by order' });
    out.closeLink = true;
    this.mirror.linkDown();
  }

  // ── the peer ─────────────────────────────────────────────────────────────────────────────────

  private linkData(bytes: Uint8Array, out: EngineEffects): void {
    // of a connection that was given up earlier in this turn
    if (!this.mirror.up) return;
    const wrong = this.mirror.data(bytes, this.now);
    if (wrong === undefined) return;
    const why = LINK_WORDS[wrong as keyof typeof LINK_WORDS] ?? '';
    const text = `crossover: ${wrong}${why}${wrong === 'link-config' ? this.mirror.differs : ''}`;
    // it is tried again several times a second: told once in a while
    if (this.now >= this.faultToldAt + FAULT_TELL_MS) {
      this.faultToldAt = this.now;
      out.logs.push({ level: 'alarm', text });
    }
    this.service.note(`link.${wrong}`);
    // our own history can no longer be trusted to be the primary's: begin again from nothing
    if (this.role === 'backup' && /^(record|op)-/.test(wrong)) this.ledger.filling = true;
    // the reason goes before the end
    out.link.push(...this.mirror.frames);
    out.closeLink = true;
    this.mirror.linkDown();
  }

  private linkDown(out: EngineEffects): void {
    const stood = this.mirror.inStep;
    this.mirror.linkDown();
    if (this.role === 'backup') {
      // what was received is all there will be: have it on the disk before it is needed
      this.keeper.flushAsked = true;
      if (stood) out.reports.push({ kind: 'link-closed' });
    }
  }

  private mirrorEvents(out: EngineEffects): void {
    for (const event of this.mirror.events) {
      switch (event.kind) {
        case 'joined':
          out.logs.push({ level: 'info', text: `peer joins by ${event.how}` });
          break;
        case 'agreed':
          this.keeper.sayTrust(this.clocks(), out);
          if (this.keeper.takeTrust()) this.mirror.feed.live(this.pairNow());
          break;
        case 'in-step':
          if (this.role === 'backup') this.keeper.proven();
          else this.voice.settleAlone();
          this.standing.inStepAt = event.at > 0 ? event.at : this.pairNow();
          out.logs.push({ level: 'info', text: 'in step' });
          break;
        case 'filled':
          this.keeper.persister.reset();
          break;
        case 'goodbye':
          out.reports.push({ kind: 'goodbye', epoch: event.epoch });
          break;
        case 'clock':
          if (this.role === 'backup') this.pairOffset = event.at - this.now;
          break;
        case 'forwarded':
          if (this.forwarded.length < LIMITS.forwarded) this.forwarded.push(event.message);
          break;
        case 'drift':
          out.logs.push({ level: 'alarm', text: `peer differs in table ${event.table}: resync` });
          break;
      }
    }
    this.mirror.events.length = 0;
    if (this.role === 'backup' && this.ledger.lastAt > this.pairNow()) {
      this.pairOffset = this.ledger.lastAt - this.now;
    }
  }

  /**
   * A primary whose peer stopped acknowledging goes on alone: first durably and aloud, then with its
   * own disk as the second place.
   */
  private watchPeer(out: EngineEffects): void {
    if (this.role !== 'primary' && this.role !== 'resigning') return;
    // late again and again is one alarm
    let news = true;
    if (this.voice.late(this.now)) {
      news = this.voice.distrust(this.now);
      const { lateTimes, holdMs } = this.voice;
      const text = news
        ? 'acknowledgements are late: going on alone'
        : `acknowledgements are late again (${lateTimes} times): trusted when prompt for ${holdMs} ms`;
      out.logs.push({ level: news ? 'alarm' : 'info', text });
    }
    if (!this.voice.goAlone(this.now, this.ledger.epoch)) return;
    this.keeper.sayStale(this.clocks(), out);
    if (news) out.logs.push({ level: 'alarm', text: 'not protected: the peer is out of step' });
  }

  private watchFlush(out: EngineEffects): void {
    if (this.resignReported) return;
    const lost = !this.mirror.peerInStep;
    const waits = this.voice.held.size > 0 || this.mirror.feed.ackedLsn < this.ledger.lsn;
    if (waits && !lost) return;
    this.resignReported = true;
    const why = 'the backup fell out of step';
    out.reports.push(lost ? { kind: 'flush-refused', why } : { kind: 'flushed' });
  }

  // ── what others may know ─────────────────────────────────────────────────────────────────────

  private stand(): void {
    const s = this.standing;
    s.epoch = Math.max(this.keeper.word.epoch, this.ledger.epoch);
    s.lsn = this.ledger.lsn;
    s.chain = this.ledger.chain;
    s.inStep = this.inStep();
    s.peerStale = this.keeper.peerIsStale(this.ledger.epoch);
    s.pairNow = this.pairNow();
    s.linkUp = this.mirror.up;
    s.calls = this.ledger.count(CALL);
    s.recordEpoch = this.ledger.epoch;
  }

  private inStep(): boolean {
    if (this.role === 'backup') return this.mirror.inStep;
    // nobody has led since: if this takeover comes to nothing, the next may begin from here
    if (this.role === 'reigning' || this.role === 'ready') return this.stood;
    return this.mirror.peerInStep;
  }

  /** Hosts of the configured URIs that lead to a peer (RFC 5922 7). */
  namesOf(peer: Peer): readonly string[] {
    return hostsAt(this.ledger.rows(CONTACT), peer);
  }

  /** Facts for `status`, in the words of the documents. */
  view(digest: boolean): EngineView {
    return {
      engineRole: this.role,
      connections: this.service.connections,
      ...this.voice.view(this.now),
      ...this.mirror.view(),
      ...this.keeper.view(),
      ...summary(this.ledger),
      programs: programsView(this.ledger),
      newerFields: this.ledger.unknown,
      tables: this.ledger.tables.digests(digest),
      counters: this.service.counters,
    };
  }
}
