/**
 * What a sentry remembers, and the few things it can do: the plain part under the tables of
 * `takeover.ts`. Nothing here decides when; `sentry-moves.ts` gives the guards and actions of the
 * tables their meaning in these terms, `sentry.ts` turns inputs and time into events.
 */

import { type Chance, hex } from '../base/chance.ts';
import type { Epoch, Millis, Mono } from '../base/units.ts';
import { NEVER } from '../base/units.ts';
import { arpAnnouncement, arpGratuitousReply, arpProbe } from '../wire/arp.ts';
import { encodeHeartbeat, type Heartbeat } from '../wire/heartbeat.ts';
import { Announcer, Prober } from './announce.ts';
import { type Candidate, type Looking, type Verdict, verdict } from './cold-start.ts';
import { Peer } from './peer.ts';
import { noStanding } from './standing.ts';
import { PHASE_ROLE, type Phase } from './takeover-words.ts';
import type {
  Cause,
  Order,
  PairSettings,
  Path,
  Report,
  Role,
  SentryEffect,
  Standing,
} from './terms.ts';

/** An engine that has not taken a turn for so long is not well. */
const ENGINE_STUCK: Millis = 250;
/** How long an order to the engine or the edge may take, and how long a successor may. */
const PATIENCE: Millis = 1000;

export type VipAction = 'claim' | 'renew' | 'drop';
type Asked = { readonly action: VipAction; readonly at: Mono; readonly serial: number };
type Loaded = Extract<Report, { kind: 'loaded' }>;

export type Takeover = {
  readonly cause: Cause;
  readonly epoch: Epoch;
  readonly suspectedAt: Mono;
  /** Silence of the old one was proved, and the reign ordered. */
  readonly provedAt: Mono;
  /** The reign was durable: what the disk cost is the time since `provedAt`. */
  readonly durableAt: Mono;
  readonly claimedAt: Mono;
};

export type Counters = {
  heartbeatsSent: number;
  heartbeatsHeard: number;
  arpsHeard: number;
  takeovers: number;
  handovers: number;
  /** Suspicions that turned out wrong. */
  falseAlarms: number;
  /** Another box answered for, or led with, our VIP while we were primary. */
  conflicts: number;
  leasesLost: number;
  claimsFailed: number;
  /** Times this sentry was not run for two heartbeats or more, and the longest such time. */
  stalls: number;
  longestStallMs: number;
};

export class Core {
  readonly settings: PairSettings;
  readonly mac: string;
  readonly boot: string;
  readonly peer: Peer;
  readonly announcer: Announcer;
  readonly prober: Prober;

  // valid during one step
  now: Mono = 0;
  standing: Standing = noStanding();
  out: SentryEffect[] = [];
  /** The heartbeat that is being handled. */
  frame: Heartbeat | undefined;
  /** The epoch a report names. */
  reportEpoch: Epoch = 0;
  /** The operator's question, when one is being handled. */
  question: { id: number; asks: 'switchover' | 'promote'; force: boolean } | undefined;
  /** MAC address or error text the event is about. */
  detail = '';
  /** The answer of the edge that is being handled. */
  answered: Asked | undefined;

  phase: Phase = 'loading';
  /** When the role (not the phase) last changed. */
  roleSince: Mono = 0;
  phaseSince: Mono = 0;
  phaseDeadline: Mono = NEVER;
  /** Where the current takeover began. */
  origin: Phase = 'looking';
  loaded: Loaded | undefined;
  wasPrimary = false;
  /** The disk said that the peer is stale, and nobody was followed since. */
  diskStale = false;
  /** The tables here are a whole state, not the middle of a snapshot. */
  whole = false;
  /** The peer, in this reign or a later one, said that this box is stale. */
  marked = false;
  readonly carrier: Record<Path, boolean> = { x: false, l: false };

  /** Reign that is followed; -1 for none. */
  leaderEpoch: Epoch = -1;
  leaderAt: Mono = -NEVER;
  /** The epoch the engine was last ordered to follow, -1 when ordered otherwise since. */
  followed: Epoch = -1;
  /** The engine was told to speak, and not yet to be a backup again. */
  spoke = false;
  /** Epoch ordered, and whether it is durable. */
  reignEpoch: Epoch = 0;
  /** Only while a takeover is under way. */
  reignDurable = false;
  cause: Cause = 'cold-start';
  suspectedAt: Mono = 0;
  provedAt: Mono = 0;
  durableAt: Mono = 0;
  forced = false;

  lease: Mono = 0;
  nextRenew: Mono = NEVER;
  repairing = false;
  readonly asked: Asked[] = [];
  private serial = 0;
  claimSerial = 0;

  /** Number of the first query of this takeover, 0 for none, and when it went out. */
  queryFrom = 0;
  queryAt: Mono = NEVER;
  readonly lateFrames: Record<Path, number> = { x: 0, l: 0 };

  conflictSince: Mono = NEVER;
  lastAssert: Mono = -NEVER;
  lastDefence: Mono = -NEVER;
  /** The operator who waits for the end of a switchover. */
  pending: number | undefined;
  last: Takeover | undefined;
  readonly automatic: Mono[] = [];
  readonly counters: Counters = {
    heartbeatsSent: 0,
    heartbeatsHeard: 0,
    arpsHeard: 0,
    takeovers: 0,
    handovers: 0,
    falseAlarms: 0,
    conflicts: 0,
    leasesLost: 0,
    claimsFailed: 0,
    stalls: 0,
    longestStallMs: 0,
  };
  private sequence = 0;
  private turns = -1;
  private turnsAt: Mono = -NEVER;
  private readonly logged = new Map<string, Mono>();

  constructor(settings: PairSettings, mac: string, chance: Chance) {
    this.settings = settings;
    this.mac = mac;
    this.boot = hex(chance, 2);
    this.peer = new Peer(settings.box, this.boot, settings.heartbeatMs, settings.missed);
    this.announcer = new Announcer(settings.garpAtMs, settings.garpRefreshMs);
    this.prober = new Prober(settings.probeMs);
  }

  role(): Role {
    return PHASE_ROLE[this.phase];
  }

  leading(): boolean {
    return this.phase === 'primary' || this.phase === 'flushing';
  }

  enter(phase: Phase): void {
    if (PHASE_ROLE[phase] !== this.role()) this.roleSince = this.now;
    this.phase = phase;
    this.phaseSince = this.now;
    switch (phase) {
      case 'flushing':
      case 'awaiting':
      case 'claiming':
        this.phaseDeadline = this.now + PATIENCE;
        break;
      case 'dropping':
        // the kernel ends the address by itself; half a second is its own slack
        this.phaseDeadline = this.now + this.settings.vipLifetimeS * 1000 + 500;
        break;
      default:
        this.phaseDeadline = NEVER;
    }
  }

  /** Reads what the engine shows: progress, and which epoch is its own. */
  look(standing: Standing): void {
    this.standing = standing;
    if (standing.turns !== this.turns) {
      this.turns = standing.turns;
      this.turnsAt = this.now;
    }
    // catching up ended: whatever was in the middle is whole again
    if (standing.inStep) this.whole = true;
  }

  engineOk(): boolean {
    return this.now - this.turnsAt < ENGINE_STUCK;
  }

  /** The epoch this box says it is in. */
  epoch(): Epoch {
    switch (this.phase) {
      case 'claiming':
      case 'primary':
      case 'flushing':
      case 'dropping':
        return this.reignEpoch;
      default:
        return this.standing.epoch;
    }
  }

  /** Its durable word that the other is stale: the engine's, or what was found on the disk. */
  peerStale(): boolean {
    if (this.phase === 'loading' || this.phase === 'looking') {
      return this.standing.peerStale || this.diskStale;
    }
    return this.standing.peerStale;
  }

  /** This box as the other one ranks it. */
  candidate(): Candidate {
    return {
      box: this.settings.box,
      fit: this.fit(),
      epoch: this.epoch(),
      lsn: this.standing.lsn,
      inStep: this.standing.inStep,
      peerStale: this.peerStale(),
    };
  }

  /** @returns whether this box could become primary now, whatever the other one does. */
  fit(): boolean {
    if (this.loaded === undefined || !this.carrier.l) return false;
    switch (this.phase) {
      case 'loading':
      case 'awaiting': // has just given it away
        return false;
      case 'looking':
        return this.mayNotStand() === '';
      case 'primary':
      case 'flushing':
      case 'dropping':
        return true;
      default:
        return this.mayNotStand() === '';
    }
  }

  /** @returns why this box must not become primary now, or '' when it may. */
  mayNotStand(): string {
    if (!this.carrier.l) return 'own service LAN has no carrier';
    // the operator decided, or the engine has left its primary behind already
    if (this.forced || this.reignDurable) return '';
    if (this.marked && !this.peerStale()) return 'the peer went on without this box';
    const proving = this.phase === 'probing' || this.phase === 'waiting';
    switch (proving || this.phase === 'reigning' ? this.origin : this.phase) {
      case 'following':
        return this.standing.inStep ? '' : 'this box is not in step';
      case 'looking':
        return this.whole ? '' : 'the tables of this box are not whole';
      default:
        return '';
    }
  }

  /** @returns the decision of the cold-start table for a box that looks for its peer. */
  verdict(): Verdict {
    const peer = this.peer;
    const h = peer.present(this.now) && peer.stateAt >= this.phaseSince ? peer.state : undefined;
    const looking: Looking = {
      own: this.candidate(),
      lookedMs: this.now - this.phaseSince,
      holdMs: this.settings.holdMs,
      ownLanUp: this.carrier.l,
      wasPrimary: this.wasPrimary,
      fresh: this.loaded?.fresh === true,
      marked: this.marked && !this.peerStale(),
      stranger: peer.strangerNear(this.now),
      peer: h,
    };
    return verdict(looking);
  }

  /** One heartbeat on each path. */
  beat(query: boolean, reply: boolean): void {
    this.frameOut('x', query, reply);
    this.frameOut('l', query, reply);
  }

  private frameOut(path: Path, query: boolean, reply: boolean): void {
    this.sequence += 1;
    const s = this.standing;
    const echo = this.peer.echo(this.now, path);
    const bytes = encodeHeartbeat(
      {
        box: this.settings.box,
        path,
        role: this.role(),
        inStep: s.inStep,
        peerStale: this.peerStale(),
        alone: this.leading() && s.peerStale,
        engineOk: this.engineOk(),
        query,
        reply,
        loaded: this.loaded !== undefined,
        fit: this.fit(),
        fresh: this.loaded?.fresh === true,
        lanUp: this.carrier.l,
        witnessKnown: false,
        witnessSeen: false,
        gone: false,
        flapHold: false,
        conflict: false,
        epoch: this.epoch(),
        lsn: s.lsn,
        chain: s.chain,
        recordEpoch: s.recordEpoch,
        pairNow: s.pairNow,
        boot: this.boot,
        sequence: this.sequence,
        echoBoot: echo.boot,
        echoSequence: echo.sequence,
      },
      this.settings.key,
    );
    this.counters.heartbeatsSent += 1;
    this.out.push({ kind: 'heartbeat', path, bytes });
  }

  lastSequence(): number {
    return this.sequence;
  }

  /** One ARP probe for the VIP and one query on each path. */
  ask(): void {
    if (this.queryFrom === 0) {
      this.queryFrom = this.sequence + 1;
      this.queryAt = this.now;
    }
    this.out.push({ kind: 'arp', bytes: arpProbe(this.mac, this.settings.vip) });
    this.beat(true, false);
  }

  forgetQueries(): void {
    this.queryFrom = 0;
    this.queryAt = NEVER;
    this.lateFrames.x = 0;
    this.lateFrames.l = 0;
  }

  /** Gratuitous ARP for the VIP, request and reply form. */
  garp(): void {
    this.out.push({ kind: 'arp', bytes: arpAnnouncement(this.mac, this.settings.vip) });
    this.out.push({ kind: 'arp', bytes: arpGratuitousReply(this.mac, this.settings.vip) });
  }

  /** Asks the edge about the VIP; answers come in the order of the asking. */
  vip(action: VipAction): void {
    this.serial += 1;
    if (action === 'claim') this.claimSerial = this.serial;
    this.asked.push({ action, at: this.now, serial: this.serial });
    this.out.push({ kind: 'vip', action });
  }

  setLease(until: Mono): void {
    this.lease = until;
    this.out.push({ kind: 'lease', until });
  }

  order(order: Order): void {
    if (order.kind === 'speak') this.spoke = true;
    else if (order.kind === 'follow' || order.kind === 'hand-over') this.spoke = false;
    this.followed = order.kind === 'follow' ? order.epoch : -1;
    this.out.push({ kind: 'order', order });
  }

  suspect(cause: Cause): void {
    this.cause = cause;
    this.suspectedAt = this.now;
    this.origin = this.phase === 'probing' || this.phase === 'waiting' ? this.origin : this.phase;
    this.forgetQueries();
  }

  answer(id: number, ok: boolean, text: string): void {
    this.out.push({ kind: 'answer', id, ok, text });
  }

  /** Answers the operator who waits for the end of a switchover, if there is one. */
  answerPending(ok: boolean, text: string): void {
    if (this.pending === undefined) return;
    this.answer(this.pending, ok, text);
    this.pending = undefined;
  }

  log(level: 'info' | 'warning' | 'alarm', text: string): void {
    this.out.push({ kind: 'log', level, text });
  }

  /** An alarm about a condition that lasts: said again only after a minute. */
  alarm(key: string, text: string): void {
    const said = this.logged.get(key);
    if (said !== undefined && this.now - said < 60_000) return;
    this.logged.set(key, this.now);
    this.log('alarm', text);
  }

  /** The condition is over: the next time it is said at once. */
  clear(key: string): void {
    this.logged.delete(key);
  }
}
