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
import type { Epoch, Instant, Lsn, Millis, Mono } from '../base/units.ts';
import { NEVER } from '../base/units.ts';
import { decodeArp, NO_IP } from '../wire/arp.ts';
import { decodeHeartbeat } from '../wire/heartbeat.ts';
import { leads } from './peer.ts';
import { Core, type Counters, type Takeover } from './sentry-core.ts';
import { ACTION_OF, GUARD_OF, notReady } from './sentry-moves.ts';
import { rowsFor } from './takeover.ts';
import { type PairEvent, PHASE_ROLE, type Phase } from './takeover-words.ts';
import type {
  BoxId,
  Cause,
  OperatorCommand,
  PairSettings,
  Path,
  Report,
  Role,
  SentryEffect,
  SentryInput,
  Standing,
} from './terms.ts';

/** What status, console and SNMP show. */
export type SentryView = {
  readonly box: BoxId;
  readonly role: Role;
  readonly phase: Phase;
  readonly epoch: Epoch;
  /** Why this box last became primary; undefined before the first time. */
  readonly cause: Cause | undefined;
  /** Since when the role is what it is. */
  readonly since: Mono;
  /** The door is open until here, 0 when shut. */
  readonly lease: Mono;
  readonly carrier: { readonly x: boolean; readonly l: boolean };
  readonly peer:
    | {
        readonly box: BoxId;
        readonly seen: { readonly x: boolean; readonly l: boolean };
        readonly role: Role;
        readonly epoch: Epoch;
        readonly lsn: Lsn;
        readonly inStep: boolean;
        readonly peerStale: boolean;
        readonly fit: boolean;
        readonly engineOk: boolean;
        readonly pairNow: Instant;
        readonly heardMsAgo: Millis;
      }
    | undefined;
  /** One value, shown the same everywhere: may the roles change without loss, and if not, why. */
  readonly readiness: { readonly ready: boolean; readonly why: string };
  /** The last time this box became primary. */
  readonly lastSwitchover: Takeover | undefined;
  /** Takeovers nobody asked for within the last ten minutes (the flap guard's measure). */
  readonly automaticLately: number;
  readonly counters: Readonly<Counters>;
  /** Frames that were refused, by reason. */
  readonly refused: { readonly [reason: string]: number };
};

const FLAP_WINDOW: Millis = 600_000;

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

  /** @param mac own address on the service LAN, six lower-case hexadecimal pairs with colons. */
  constructor(settings: PairSettings, mac: string, chance: Chance) {
    this.core = new Core(settings, mac, chance);
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

  view(): SentryView {
    const c = this.core;
    const now = c.now;
    const h = c.peer.state;
    return {
      box: c.settings.box,
      role: c.role(),
      phase: c.phase,
      epoch: c.epoch(),
      cause: c.last?.cause,
      since: c.roleSince,
      lease: c.lease,
      carrier: { x: c.carrier.x, l: c.carrier.l },
      peer:
        h === undefined
          ? undefined
          : {
              box: h.box,
              seen: {
                x: c.peer.detector.colour('x', now) !== 'red',
                l: c.peer.detector.colour('l', now) !== 'red',
              },
              role: h.role,
              epoch: h.epoch,
              lsn: h.lsn,
              inStep: h.inStep,
              peerStale: h.peerStale,
              fit: h.fit,
              engineOk: h.engineOk,
              pairNow: h.pairNow,
              heardMsAgo: now - c.peer.stateAt,
            },
      readiness: this.readiness(),
      lastSwitchover: c.last,
      automaticLately: c.automatic.filter((at) => now - at < FLAP_WINDOW).length,
      counters: { ...c.counters },
      refused: { ...this.refused },
    };
  }

  private readiness(): { ready: boolean; why: string } {
    const c = this.core;
    let why: string;
    if (c.phase === 'primary') why = notReady(c, false);
    else if (c.phase === 'following') why = c.mayNotStand();
    else if (c.phase === 'looking') why = c.verdict().why;
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
    }
    this.lastStep = now;
  }

  private take(input: SentryInput): void {
    switch (input.kind) {
      case 'heartbeat':
        this.takeHeartbeat(input.path, input.bytes);
        break;
      case 'arp':
        this.takeArp(input.bytes);
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
      // the mark of an earlier reign is about a history that is over
      if (h.epoch >= c.epoch()) c.marked = h.peerStale;
      c.frame = h;
      c.detail = leads(h) ? `box ${h.box} is primary of epoch ${h.epoch}` : '';
      this.fire(leads(h) ? 'peer-leads' : 'peer-seeks');
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
    if (c.peer.strangerDoubted(c.now)) {
      c.alarm(
        'stranger',
        'heartbeats come that do not answer this box: a recording, or the peer hears nothing of us; ' +
          'not waited for any longer',
      );
    }
    if (!asks || c.now < this.nextStrangerReply) return false;
    this.nextStrangerReply = c.now + c.settings.heartbeatMs;
    return true;
  }

  private refuse(reason: string): void {
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
  }

  private takeArp(bytes: Uint8Array): void {
    const c = this.core;
    const arp = decodeArp(bytes);
    if (isFault(arp)) {
      this.refuse(arp.fault);
      return;
    }
    if (arp.senderMac === c.mac || arp.ethSrc === c.mac) return;
    const vip = c.settings.vip;
    if (arp.senderIp === vip) {
      c.counters.arpsHeard += 1;
      c.detail = arp.senderMac;
      this.fire('vip-answered');
    } else if (arp.op === 'request' && arp.senderIp === NO_IP && arp.targetIp === vip) {
      c.counters.arpsHeard += 1;
      c.detail = arp.senderMac;
      this.fire('rival-probes');
    }
  }

  private takeCarrier(path: Path, up: boolean): void {
    const c = this.core;
    if (c.carrier[path] === up) return;
    c.carrier[path] = up;
    const name = path === 'x' ? 'crossover' : 'service LAN';
    c.log(up ? 'info' : 'alarm', `${name}: carrier ${up ? 'up' : 'lost'}`);
    // hosts behind a port that was down have forgotten us, or a switch has
    if (up && path === 'l' && c.leading()) ACTION_OF['announce'](c);
  }

  private takeReport(report: Report): void {
    const c = this.core;
    c.detail = '';
    switch (report.kind) {
      case 'loaded':
        c.loaded ??= report;
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
      if (!up) this.fire('vip-down');
      else c.alarm('drop', `the VIP could not be dropped: ${error}; its lifetime ends it`);
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
    if (c.leading() && !c.carrier.l && !this.crossoverShowsPeer()) {
      c.detail = 'own service LAN has no carrier and the crossover shows nobody';
      this.fire('isolated');
    }
    if (c.now >= c.phaseDeadline) {
      c.detail = '';
      this.fire('timeout');
    }
    if (c.phase === 'following' && c.peer.detector.silent(c.now)) this.fire('silent');
    if (c.phase === 'looking' && c.verdict().decision === 'stand') this.fire('elected');
    this.settleProbes();
    this.settleFace();
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
  }

  /** The regular heartbeat, and one at once when what it says has changed. */
  private sayBeat(now: Mono): void {
    const c = this.core;
    const changed =
      PHASE_ROLE[c.phase] !== this.saidRole ||
      c.peerStale() !== this.saidStale ||
      c.epoch() !== this.saidEpoch;
    if (!changed && now < this.nextBeat) return;
    this.saidRole = c.role();
    this.saidStale = c.peerStale();
    this.saidEpoch = c.epoch();
    c.beat(false, false);
    if (now >= this.nextBeat) {
      const next = this.nextBeat + c.settings.heartbeatMs;
      this.nextBeat = next > now ? next : now + c.settings.heartbeatMs;
    }
  }

  private nextWake(now: Mono): Mono {
    const c = this.core;
    let at = Math.min(this.nextBeat, c.phaseDeadline, c.prober.deadline());
    at = Math.min(at, c.peer.detector.deadline(now));
    if (c.leading()) {
      at = Math.min(at, c.lease, c.announcer.deadline());
      if (c.asked.length === 0) at = Math.min(at, c.nextRenew);
    }
    if (c.phase === 'looking') {
      const hold = c.phaseSince + c.settings.holdMs;
      if (hold > now) at = Math.min(at, hold);
    }
    return at;
  }
}
