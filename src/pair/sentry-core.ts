/**
 * What a sentry remembers, and the few things it can do: the plain part under the tables of
 * `takeover.ts`. Nothing here decides when; `sentry-moves.ts` gives the guards and actions of the
 * tables their meaning in these terms, `sentry.ts` turns inputs and time into events.
 */

import { type Chance, hex } from '../base/chance.ts';
import type { Epoch, Instant, Millis, Mono } from '../base/units.ts';
import { NEVER } from '../base/units.ts';
import type { VrrpSpeaker } from '../proto/vrrp.ts';
import { arpRequest } from '../wire/arp.ts';
import { encodeHeartbeat, type Heartbeat } from '../wire/heartbeat.ts';
import { type AlarmCode, Alarms } from './alarms.ts';
import { Announcer, Prober } from './announce.ts';
import { isFit } from './eligible.ts';
import { Face, type Host, Hosts } from './face.ts';
import { FlapGuard } from './flap.ts';
import { Lateness } from './lateness.ts';
import { Peer } from './peer.ts';
import { speaker, virtualMac } from './router.ts';
import { noStanding } from './standing.ts';
import { DOUBTING } from './takeover-row.ts';
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
import { Witnesses } from './witness.ts';

/** How long an order to the engine or the edge may take, and how long a successor may. */
const PATIENCE: Millis = 1000;
/** Neighbours told in one step: a takeover has more urgent things to send. */
const TOLD_AT_ONCE = 32;

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
  /** Switchovers agreed because the own LAN was worse. */
  lanHandovers: number;
  fences: number;
};

/** The operator's question that is being handled. */
export type Question = {
  readonly id: number;
  readonly asks: 'switchover' | 'promote' | 'resync' | 'retire';
  readonly force: boolean;
};

export class Core {
  readonly settings: PairSettings;
  readonly mac: string;
  readonly boot: string;
  readonly peer: Peer;
  readonly announcer: Announcer;
  readonly prober: Prober;
  readonly face: Face;
  /** Neighbours that have the VIP in their caches. */
  readonly hosts = new Hosts();
  /** Those that are still to be told where it is now. */
  toTell: Host[] = [];
  readonly witnesses: Witnesses;
  readonly flap: FlapGuard;
  readonly lateness = new Lateness();
  readonly alarms = new Alarms();

  // valid during one step
  now: Mono = 0;
  standing: Standing = noStanding();
  out: SentryEffect[] = [];
  /** The heartbeat that is being handled. */
  frame: Heartbeat | undefined;
  /** The epoch a report names. */
  reportEpoch: Epoch = 0;
  /** The operator's question, when one is being handled. */
  question: Question | undefined;
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
  /** The reign and the pair clock of the frame that said so. */
  private markEpoch: Epoch = 0;
  private markAt: Instant = 0;
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
  /** When it was last known that nothing lives that could speak. */
  silentAt: Mono = -NEVER;
  forced = false;
  /** The peer was fenced in this takeover. */
  fenced = false;
  /** The last try. */
  fencedAt: Mono = -NEVER;
  /** Why this box hands over, when nobody asked it to. */
  handoverCause: Cause | undefined;

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

  /** VRRP, where the pair has a router id. */
  readonly router: VrrpSpeaker | undefined;
  conflictSince: Mono = NEVER;
  /** Another host was last heard to claim the VIP. */
  conflictHeardAt: Mono = -NEVER;
  /** Its MAC address. */
  rival = '';
  /** First step of this sentry. */
  startedAt: Mono = NEVER;
  lastAssert: Mono = -NEVER;
  lastDefence: Mono = -NEVER;
  /** Since when the own LAN is dead: no carrier, or no witness; NEVER while it is not. */
  lanLostAt: Mono = NEVER;
  /** Since when the peer says that it sees a witness; NEVER while it does not. */
  peerSeesAt: Mono = NEVER;
  /** The LAN did not show the peer while the crossover did, when it was last to be seen. */
  lanBlind = false;
  /** A third host was last heard on the LAN. */
  lanHeardAt: Mono = -NEVER;
  /** Since when no carrier is seen. */
  carrierLostAt: Mono = NEVER;
  /** We take our own port down until here: that it shows neither carrier nor witness means nothing. */
  bounceUntil: Mono = -NEVER;
  /** First frame that told the peer that it is stale, 0 while it was not told so. */
  toldStaleFrom = 0;
  /** The operator who waits for the end of a switchover. */
  pending: number | undefined;
  last: Takeover | undefined;
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
    lanHandovers: 0,
    fences: 0,
  };
  /** VIP and voice are gone for good. */
  gone = false;
  /** The operator forces the peer to lead. */
  yields = false;
  private sequence = 0;
  private turns = -1;
  private turnsAt: Mono = -NEVER;

  /** @param linkLocal own IPv6 address of the LAN's link, by which VRRP speaks of IPv6 VIPs. */
  constructor(settings: PairSettings, mac: string, chance: Chance, linkLocal: string | undefined) {
    this.settings = settings;
    this.mac = mac;
    this.boot = hex(chance, 2);
    this.peer = new Peer(settings.box, this.boot, settings.heartbeatMs, settings.missed);
    this.announcer = new Announcer(settings.garpAtMs, settings.garpRefreshMs);
    this.prober = new Prober(settings.probeMs);
    const { vrrp } = settings;
    this.face = new Face(
      settings.vips,
      mac,
      vrrp?.virtualMac === true ? virtualMac(vrrp.vrid) : mac,
    );
    this.router = vrrp === undefined ? undefined : speaker(settings, vrrp, linkLocal);
    const { witnesses, witnessMs, witnessFastMs, witnessMissed } = settings;
    this.witnesses = new Witnesses(witnesses, witnessMs, witnessFastMs, witnessMissed);
    this.flap = new FlapGuard(settings.flapMs, settings.flapMost, settings.flapWindowMs);
  }

  role(): Role {
    return PHASE_ROLE[this.phase];
  }

  leading(): boolean {
    return this.phase === 'primary' || this.phase === 'flushing';
  }

  enter(phase: Phase): void {
    if (PHASE_ROLE[phase] !== this.role()) this.roleSince = this.now;
    if (phase !== 'awaiting') this.yields = false;
    this.phase = phase;
    this.phaseSince = this.now;
    switch (phase) {
      case 'flushing':
      case 'awaiting':
      case 'claiming':
        this.phaseDeadline = this.now + PATIENCE;
        break;
      case 'fencing':
        this.phaseDeadline = this.now + this.settings.fenceMs;
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
    // what a heartbeat said before that may arrive after it
    if (
      this.marked &&
      this.markEpoch === standing.recordEpoch &&
      this.markAt <= standing.inStepAt
    ) {
      this.marked = false;
    }
  }

  /** What the heartbeat of the peer says of this box. */
  mark(h: Heartbeat): void {
    const { standing } = this;
    // the mark of an earlier reign is about a history that is over
    if (h.recordEpoch < standing.recordEpoch) return;
    const outdated = h.recordEpoch === standing.recordEpoch && h.pairNow <= standing.inStepAt;
    this.marked = h.peerStale && !outdated;
    this.markEpoch = h.recordEpoch;
    this.markAt = h.pairNow;
  }

  /** This sentry was held up, and so perhaps was the engine: it gets as long again. */
  excuse(gap: Millis): void {
    this.turnsAt = Math.min(this.now, this.turnsAt + gap);
  }

  /** The engine has just taken a turn, whatever its counter says yet. */
  turned(): void {
    this.turnsAt = this.now;
  }

  engineOk(): boolean {
    return this.now - this.turnsAt < this.settings.engineStuckMs;
  }

  /** @returns whether the engine has not taken a turn for longer than is to be waited for. */
  engineStuck(): boolean {
    const { engineStuckMs, engineStuckAloneMs } = this.settings;
    const h = this.peer.state;
    const served = this.leading() && this.peer.present(this.now) && h?.fit === true && h.inStep;
    return this.now - this.turnsAt >= (served ? engineStuckMs : engineStuckAloneMs);
  }

  /** Own port to the service LAN works, as far as carrier tells. */
  lanUp(): boolean {
    return this.carrier.l || this.now < this.bounceUntil;
  }

  /**
   * @returns whether a witness that used to answer does not; or none ever did, though the peer sees
   * one, and when the peer was last heard the LAN had not shown it: this port was dead from the start.
   * Behind a port that we took down ourselves nobody answers, and that means nothing.
   */
  witnessLost(): boolean {
    if (this.now < this.bounceUntil) return false;
    const state = this.witnesses.state();
    const h = this.peer.state;
    if (state !== 'unknown' || this.settings.witnesses.length === 0) return state === 'lost';
    if (h?.witnessSeen !== true) return false;
    const { detector, stateAt } = this.peer;
    return detector.quietMs('l', stateAt) >= detector.redAfterMs();
  }

  /** @returns whether the peer is known to have heard that it is stale: it will not take over. */
  peerKnowsStale(): boolean {
    const h = this.peer.state;
    if (!this.standing.peerStale || this.toldStaleFrom === 0 || h === undefined) return false;
    return h.echoBoot === this.boot && h.echoSequence >= this.toldStaleFrom;
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

  /** One heartbeat on each path. */
  beat(query: boolean, reply: boolean): void {
    this.frameOut('x', query, reply);
    this.frameOut('l', query, reply);
  }

  private frameOut(path: Path, query: boolean, reply: boolean): void {
    this.sequence += 1;
    const s = this.standing;
    if (!this.peerStale()) this.toldStaleFrom = 0;
    else if (this.toldStaleFrom === 0) this.toldStaleFrom = this.sequence;
    const witness = this.witnesses.state();
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
        fit: isFit(this),
        fresh: this.loaded?.fresh === true,
        lanUp: this.lanUp(),
        witnessKnown: witness !== 'unknown',
        witnessSeen: witness === 'seen',
        gone: this.gone,
        flapHold: this.alarms.isActive('flap-hold'),
        conflict: this.alarms.isActive('vip-conflict'),
        yields: this.yields,
        epoch: this.epoch(),
        recordEpoch: s.recordEpoch,
        lsn: s.lsn,
        chain: s.chain,
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

  /** Tells a few of the neighbours that know the VIP, each by a question of its own. */
  tellHosts(): void {
    const some = this.toTell.splice(0, TOLD_AT_ONCE);
    for (const bytes of this.face.refreshers(some)) this.out.push({ kind: 'frame', bytes });
  }

  /** Asks the witnesses that are due. */
  askWitnesses(): void {
    for (const { address, by } of this.witnesses.due(this.now)) {
      if (by === 'icmp') this.out.push({ kind: 'ping', address });
      else {
        const bytes = arpRequest(this.mac, this.settings.lanAddress, address);
        this.out.push({ kind: 'frame', bytes });
      }
    }
  }

  /** One probe for each VIP and one query on each path. */
  ask(): void {
    if (this.queryFrom === 0) {
      this.queryFrom = this.sequence + 1;
      this.queryAt = this.now;
    }
    for (const bytes of this.face.probes()) this.out.push({ kind: 'frame', bytes });
    this.beat(true, false);
  }

  forgetQueries(): void {
    this.queryFrom = 0;
    this.queryAt = NEVER;
    this.lateFrames.x = 0;
    this.lateFrames.l = 0;
  }

  /** Gratuitous ARP in both forms, unsolicited neighbour advertisements. */
  garp(): void {
    for (const bytes of this.face.announcements()) this.out.push({ kind: 'frame', bytes });
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
    this.origin = DOUBTING.includes(this.phase) ? this.origin : this.phase;
    this.fenced = false;
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

  /** A condition that lasts and that somebody should do something about. */
  raise(code: AlarmCode, text: string): void {
    const epoch = Math.max(this.epoch(), 0);
    if (this.alarms.raise(code, text, this.now, epoch)) this.log('alarm', `${code}: ${text}`);
  }

  /** The condition is over. */
  clear(code: AlarmCode): void {
    if (this.alarms.clear(code, this.now)) this.log('info', `alarm over: ${code}`);
  }

  /** As the condition is now. */
  alarmIf(on: boolean, code: AlarmCode, text: string): void {
    if (on) this.raise(code, text);
    else this.clear(code);
  }
}
