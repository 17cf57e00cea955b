/**
 * The sentry of a box: the machine that decides who is primary. It hears heartbeats, ARP, carrier,
 * reports of the engine and the operator, and says what to send, when the door may be open, and
 * what the engine is to do. It never waits and never throws on what others send.
 *
 * A step is: has the lease ended while nobody looked? — the input — what time alone has made due.
 * Each of these raises events; `takeover.ts` says what an event means in the present phase,
 * `sentry-moves.ts` what the named guards and actions are, `sentry-core.ts` holds the memory. The
 * first question comes first on purpose: a box that was frozen learns that it is no longer primary
 * before it does anything else.
 */

import type { Chance } from '../base/chance.ts';
import { isFault } from '../base/fault.ts';
import type { Epoch, Instant, Millis, Mono } from '../base/units.ts';
import { NEVER } from '../base/units.ts';
import { decodeArp } from '../wire/arp.ts';
import { decodeHeartbeat, type Heartbeat } from '../wire/heartbeat.ts';
import { mayNotStand, ownVerdict } from './eligible.ts';
import { leads } from './peer.ts';
import { hearRouter, settleRouter } from './router.ts';
import { Core } from './sentry-core.ts';
import { ACTION_OF, GUARD_OF, notReady } from './sentry-moves.ts';
import { type SentryView, viewOf } from './sentry-view.ts';
import { watch } from './sentry-watch.ts';
import { rowsFor } from './takeover.ts';
import { DOUBTING, PROVING } from './takeover-row.ts';
import { type PairEvent, PHASE_ROLE } from './takeover-words.ts';
import type {
  OperatorCommand,
  PairSettings,
  Path,
  Report,
  Role,
  SentryEffect,
  SentryInput,
  Standing,
} from './terms.ts';

/** A LAN that shows the peer but no witness for so long works: the witnesses are gone themselves. */
const DISCOUNT: Millis = 1000;
/** The peer sees a witness again: ours is asked quickly for so long. */
const AGAIN: Millis = 500;
/** After the peer was heard over the LAN for the last time, witnesses are asked quickly for so long. */
const HURRY: Millis = 2000;

/** What a heartbeat of the peer means. */
function eventOf(h: Heartbeat): PairEvent {
  if (h.gone) return 'peer-gone';
  if (h.yields) return 'peer-yields';
  return leads(h) ? 'peer-leads' : 'peer-seeks';
}

export class Sentry {
  private readonly core: Core;
  private readonly refused: { [reason: string]: number } = {};
  private nextBeat: Mono = -NEVER;
  private lastStep: Mono = -NEVER;
  private wakeAt: Mono = 0;
  private nextStrangerReply: Mono = -NEVER;
  private saidRole: Role = 'starting';
  private saidStale = false;
  private saidEpoch: Epoch = 0;
  private saidLan = '';
  /** When the own service LAN last came back. */
  private lanBackAt: Mono = -NEVER;
  /** What the LAN showed when it was last looked at. */
  private saw = { peer: false, witness: true };
  /** Since when neither box has a witness though the LAN works. */
  private alikeSince: Mono = NEVER;

  /**
   * @param mac own address on the service LAN, six lower-case hexadecimal pairs with colons.
   * @param linkLocal own IPv6 address of that link, where VRRP is to speak of IPv6 VIPs.
   */
  constructor(settings: PairSettings, mac: string, chance: Chance, linkLocal?: string) {
    this.core = new Core(settings, mac, chance, linkLocal);
  }

  /**
   * Handles one input at `now`, and everything that has come due. `standing` is the engine's state
   * at this moment; effects are appended to `out` in the order in which they must be done.
   */
  step(now: Mono, input: SentryInput, standing: Standing, out: SentryEffect[]): void {
    const c = this.core;
    c.now = now;
    c.out = out;
    c.look(standing);
    this.noticeStall(now);
    if (c.startedAt > now) c.startedAt = now;
    if (input.kind === 'tick' && now >= this.wakeAt) c.lateness.note(now - this.wakeAt);
    if (c.leading() && now >= c.lease) {
      c.detail = `the lease ended ${(now - c.lease).toFixed(0)} ms ago`;
      this.fire('lease-over');
    }
    this.take(input);
    this.settle();
    this.sayBeat(now);
    this.wakeAt = this.nextWake(now);
  }

  /** @returns when the sentry wants a `tick` if nothing else happens before. */
  deadline(): Mono {
    return this.wakeAt;
  }

  /** @returns pair time by the newest authentic heartbeat of a primary, undefined without one. */
  peerPairNow(now: Mono): Instant | undefined {
    return this.core.peer.pairNow(now);
  }

  role(): Role {
    return this.core.role();
  }

  view(): SentryView {
    return viewOf(this.core, this.readiness(), this.refused);
  }

  private readiness(): { ready: boolean; why: string } {
    const c = this.core;
    let why: string;
    if (c.phase === 'primary') why = notReady(c);
    else if (c.phase === 'following') why = mayNotStand(c);
    else if (c.phase === 'looking') why = ownVerdict(c).why;
    else why = `changing roles (${c.phase})`;
    return { ready: why === '', why };
  }

  /** Looks up what `event` means now, and does it. */
  private fire(event: PairEvent): void {
    const c = this.core;
    for (const row of rowsFor(c.phase, event)) {
      if (row.guard !== undefined && !GUARD_OF[row.guard](c)) continue;
      const origin = c.origin;
      for (const action of row.do) ACTION_OF[action](c);
      if (row.to !== undefined) c.enter(row.to === 'origin' ? origin : row.to);
      return;
    }
  }

  private noticeStall(now: Mono): void {
    const c = this.core;
    const gap = now - this.lastStep;
    if (gap > 2 * c.settings.heartbeatMs && this.lastStep !== -NEVER) {
      c.counters.stalls += 1;
      c.counters.longestStallMs = Math.max(c.counters.longestStallMs, gap);
      c.peer.detector.excuse(this.lastStep, now);
      c.excuse(gap);
      // what was asked before says nothing of now: somebody may have begun meanwhile
      if (PROVING.includes(c.phase)) c.prober.again(now);
    }
    this.lastStep = now;
  }

  private take(input: SentryInput): void {
    const c = this.core;
    switch (input.kind) {
      case 'heartbeat':
        this.takeHeartbeat(input.path, input.bytes);
        break;
      case 'frame':
        this.takeFrame(input.bytes);
        break;
      case 'carrier':
        this.takeCarrier(input.path, input.up);
        break;
      case 'report':
        this.takeReport(input.report);
        break;
      case 'vip':
        this.takeVip(input.up, input.error);
        break;
      case 'echo':
        c.witnesses.heard(input.address, c.now);
        break;
      case 'vrrp': {
        const event = hearRouter(c, input);
        if (event !== undefined) {
          c.detail = input.from;
          this.fire(event);
        }
        break;
      }
      case 'fenced':
        c.detail = input.text;
        // of an earlier attempt it says nothing about this suspicion
        if (DOUBTING.includes(c.phase)) c.fenced = input.ok;
        this.fire(input.ok ? 'fenced' : 'fence-failed');
        break;
      case 'operator':
        this.takeOperator(input.id, input.command);
        break;
      case 'tick':
        break;
    }
  }

  private takeHeartbeat(path: Path, bytes: Uint8Array): void {
    const c = this.core;
    const h = decodeHeartbeat(bytes, c.settings.key);
    if (isFault(h)) {
      this.refuse(h.fault);
      return;
    }
    const heard = c.peer.hear(h, path, c.now, c.lastSequence());
    if (heard !== 'newest' && heard !== 'heard' && heard !== 'stranger') {
      this.refuse(heard);
      return;
    }
    let reply = h.query;
    if (heard === 'stranger') reply = this.hearStranger(h.query);
    else c.counters.heartbeatsHeard += 1;
    if (heard === 'newest') {
      c.mark(h);
      c.frame = h;
      c.detail = leads(h) ? `box ${h.box} is primary of epoch ${h.epoch}` : '';
      this.fire(eventOf(h));
      c.frame = undefined;
    }
    if (reply) c.beat(false, true);
  }

  /**
   * It may be a recording: it is answered, but does not set the pace of our answers.
   * @returns whether it is answered now.
   */
  private hearStranger(asks: boolean): boolean {
    const c = this.core;
    this.refuse('stranger');
    const doubted = c.peer.strangerDoubted(c.now);
    if (doubted) c.raise('stranger', 'heartbeats come that do not answer this box: not waited for');
    if (!asks || c.now < this.nextStrangerReply) return false;
    this.nextStrangerReply = c.now + c.settings.heartbeatMs;
    return true;
  }

  private refuse(reason: string): void {
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
  }

  private takeFrame(bytes: Uint8Array): void {
    const c = this.core;
    const seen = c.face.take(bytes);
    if (isFault(seen)) {
      this.refuse(seen.fault);
      return;
    }
    if (seen === undefined) {
      this.takeThird(bytes);
      return;
    }
    c.counters.arpsHeard += 1;
    switch (seen.kind) {
      case 'answered':
        c.detail = seen.mac;
        this.fire('vip-answered');
        return;
      case 'probed':
        c.detail = seen.mac;
        this.answerFor(seen.reply);
        this.fire('rival-probes');
        return;
      case 'asked':
        c.lanHeardAt = c.now;
        this.answerFor(seen.reply);
        c.hosts.remember(seen);
        return;
      case 'host':
        c.lanHeardAt = c.now;
        c.hosts.remember(seen);
        return;
    }
  }

  /** IPv6: the kernel does not answer for an address of another interface; the holder does. */
  private answerFor(reply: Uint8Array | undefined): void {
    const c = this.core;
    if (reply !== undefined && c.leading() && c.now < c.lease) {
      c.out.push({ kind: 'frame', bytes: reply });
    }
  }

  /** A frame that is not about the VIP: perhaps of a witness, else of somebody who lives there. */
  private takeThird(bytes: Uint8Array): void {
    const c = this.core;
    const arp = decodeArp(bytes);
    if (isFault(arp) || arp.senderMac === c.mac) return;
    c.witnesses.heard(arp.senderIp, c.now);
    if (arp.senderIp !== c.settings.peerLanAddress) c.lanHeardAt = c.now;
  }

  private takeCarrier(path: Path, up: boolean): void {
    const c = this.core;
    if (c.carrier[path] === up) return;
    c.carrier[path] = up;
    const name = path === 'x' ? 'crossover' : 'service LAN';
    c.log(up ? 'info' : 'warning', `${name}: carrier ${up ? 'up' : 'lost'}`);
    if (up && path === 'l') c.witnesses.soon();
    // hosts behind a port that was down have forgotten us, or a switch has
    if (up && path === 'l' && c.leading()) ACTION_OF['announce'](c);
  }

  private takeReport(report: Report): void {
    const c = this.core;
    c.detail = '';
    switch (report.kind) {
      case 'loaded':
        c.loaded ??= report;
        // its turns are counted from here: reading its tables took as long as it did
        c.turned();
        this.fire('loaded');
        break;
      case 'link-closed':
        this.fire('link-closed');
        break;
      case 'goodbye':
        c.reportEpoch = report.epoch;
        this.fire('goodbye');
        break;
      case 'reigning':
        c.reportEpoch = report.epoch;
        this.fire('reigning');
        break;
      case 'flushed':
        this.fire('flushed');
        break;
      case 'flush-refused':
        c.detail = report.why;
        this.fire('flush-refused');
        break;
    }
  }

  private takeVip(up: boolean, error: string): void {
    const c = this.core;
    const asked = c.asked.shift();
    c.detail = error;
    if (asked === undefined) {
      // nobody asked: the device or the address went away by itself
      if (!up && c.leading()) this.fire('vip-lost');
      return;
    }
    if (asked.action === 'drop') {
      if (error === '') {
        c.clear('drop-failed');
        this.fire('vip-down');
      } else c.raise('drop-failed', `the VIP could not be dropped: ${error}`);
      return;
    }
    if (asked.serial < c.claimSerial) return; // of a claim that was given up
    c.answered = asked;
    this.fire(up ? 'vip-up' : 'vip-lost');
    c.answered = undefined;
  }

  private takeOperator(id: number, command: OperatorCommand): void {
    const c = this.core;
    const force = command.kind === 'switchover' && command.force;
    c.question = { id, asks: command.kind, force };
    this.fire(command.kind);
    c.question = undefined;
  }

  /** What time, or a condition that lasts, has made due. */
  private settle(): void {
    const c = this.core;
    this.settleLan();
    if (c.phase !== 'loading' && c.engineStuck()) this.fire('engine-stuck');
    if (c.now >= c.phaseDeadline) {
      c.detail = '';
      this.fire('timeout');
    }
    if (c.phase === 'following' && this.silent()) this.fire('silent');
    if (c.phase === 'looking' && ownVerdict(c).decision === 'stand') this.fire('elected');
    this.settleProbes();
    this.settleFace();
    settleRouter(c);
    watch(c);
  }

  /** Both paths are red; and so long too since the own LAN was dead: then it would have heard nobody. */
  private silent(): boolean {
    const { detector } = this.core.peer;
    const { now } = this.core;
    return detector.silent(now) && now - this.lanBackAt >= detector.redAfterMs();
  }

  /** The own service LAN: is it worse than the other's, or are we cut off? */
  private settleLan(): void {
    const c = this.core;
    const { detector } = c.peer;
    this.settleWitnesses();
    this.settleSight();
    if (c.lanUp()) c.carrierLostAt = NEVER;
    else if (c.carrierLostAt === NEVER) c.carrierLostAt = c.now;
    if (!c.lanUp() || c.witnessLost()) {
      if (c.lanLostAt === NEVER) c.lanLostAt = c.now;
    } else if (c.lanLostAt !== NEVER) {
      c.lanLostAt = NEVER;
      this.lanBackAt = c.now;
    }
    if (c.lanLostAt > c.now || !c.leading()) return;
    this.fire('lan-lost');
    if (!c.leading()) return;
    if (!c.lanUp()) {
      if (this.crossoverShowsPeer()) return;
      c.detail = 'own service LAN has no carrier and the crossover shows nobody';
      this.fire('isolated');
      return;
    }
    // No witness, no peer on either path: either the other one is dead and the witness with it, or
    // this box is cut off and the other one takes over. A peer that knows itself to be stale will
    // not, and one that died long ago has not.
    const lately = c.now - c.peer.stateAt < HURRY;
    if (!detector.silent(c.now) || !lately || c.peerKnowsStale()) return;
    c.detail = 'no witness answers, and neither path shows the other box';
    this.fire('isolated');
  }

  /** The LAN carries again though no carrier fell: what was announced meanwhile nobody heard. */
  private settleSight(): void {
    const c = this.core;
    const peer = c.peer.detector.colour('l', c.now) !== 'red';
    if (peer || !c.lanUp()) c.lanBlind = false;
    // the crossover is heard just now: had the peer died, both paths would have fallen silent
    else if (c.peer.detector.colour('x', c.now) === 'green') c.lanBlind = true;
    const witness = !c.witnessLost();
    const back = (peer && !this.saw.peer) || (witness && !this.saw.witness);
    this.saw = { peer, witness };
    if (back && c.leading()) ACTION_OF['announce'](c);
  }

  private settleWitnesses(): void {
    const c = this.core;
    const { detector } = c.peer;
    const quiet = detector.quietMs('l', c.now);
    const doubt = detector.colour('l', c.now) !== 'green' && quiet < HURRY;
    const proving = DOUBTING.includes(c.phase) && !c.witnesses.seenSince(c.suspectedAt);
    const sees = c.peer.state?.witnessSeen === true && c.peer.present(c.now);
    if (!sees) c.peerSeesAt = NEVER;
    else if (c.peerSeesAt === NEVER) {
      c.peerSeesAt = c.now;
      c.witnesses.soon();
    }
    const again = c.now - c.peerSeesAt < AGAIN;
    // in doubt also a lost one: it may be back before the heartbeats are red
    c.witnesses.hurry(doubt || again || (proving && !c.witnessLost()));
    // while the LAN shows the other box, and neither has a witness, it is the witness that is gone
    const alike = c.witnessLost() && !doubt && quiet < HURRY && c.peer.state?.witnessSeen === false;
    if (!alike) this.alikeSince = NEVER;
    else if (this.alikeSince === NEVER) this.alikeSince = c.now;
    else if (c.now - this.alikeSince >= DISCOUNT) {
      c.log('warning', 'no witness answers either box over a LAN that works: not counted');
      c.witnesses.discount();
    }
    c.askWitnesses();
  }

  /** Quicker than red: to give up a face nobody sees costs nothing, to keep it may. */
  private crossoverShowsPeer(): boolean {
    const c = this.core;
    return c.carrier.x && c.peer.detector.colour('x', c.now) === 'green';
  }

  private settleProbes(): void {
    const c = this.core;
    switch (c.prober.due(c.now)) {
      case 'ask':
        c.ask();
        break;
      case 'quiet':
        c.silentAt = c.now;
        this.fire('quiet');
        break;
      case 'nothing':
        break;
    }
  }

  private settleFace(): void {
    const c = this.core;
    if (!c.leading()) return;
    if (c.now >= c.nextRenew && c.asked.length === 0) {
      c.nextRenew = c.now + c.settings.renewMs;
      c.vip(c.repairing ? 'claim' : 'renew');
    }
    if (c.announcer.due(c.now)) c.garp();
    if (c.toTell.length > 0) c.tellHosts();
  }

  /** The regular heartbeat, and one at once when what it says has changed. */
  private sayBeat(now: Mono): void {
    const c = this.core;
    const changed =
      PHASE_ROLE[c.phase] !== this.saidRole ||
      c.peerStale() !== this.saidStale ||
      c.epoch() !== this.saidEpoch ||
      this.lanWord() !== this.saidLan;
    if (!changed && now < this.nextBeat) return;
    this.saidRole = c.role();
    this.saidStale = c.peerStale();
    this.saidEpoch = c.epoch();
    this.saidLan = this.lanWord();
    c.beat(false, false);
    if (now >= this.nextBeat) {
      const next = this.nextBeat + c.settings.heartbeatMs;
      this.nextBeat = next > now ? next : now + c.settings.heartbeatMs;
    }
  }

  /** What the heartbeat says of the own LAN. */
  private lanWord(): string {
    return `${this.core.lanUp()} ${this.core.witnesses.state()}`;
  }

  private nextWake(now: Mono): Mono {
    const c = this.core;
    let at = Math.min(this.nextBeat, c.phaseDeadline, c.prober.deadline());
    at = Math.min(at, c.peer.detector.deadline(now), c.witnesses.deadline());
    at = Math.min(at, c.router?.deadline() ?? NEVER);
    if (c.leading()) {
      at = Math.min(at, c.lease, c.announcer.deadline());
      if (c.toTell.length > 0) at = Math.min(at, now + 1);
      if (c.asked.length === 0) at = Math.min(at, c.nextRenew);
    }
    if (c.phase === 'looking') {
      const hold = c.phaseSince + c.settings.holdMs;
      if (hold > now) at = Math.min(at, hold);
    }
    return at;
  }
}
