/**
 * The monitor: daemon, system agent, readings of the machine and time go in, one state of the box and
 * what changed come out.
 *
 *   status of the daemon ─┐                 ┌─► lamps
 *   state of the agent ───┼─► Monitor ──────┼─► SNMP, metrics, syslog
 *   readings, time ───────┘  (this file)    └─► alarms: a number each, in a file
 *
 * It decides nothing about the box: without it calls go on, and only nobody is told.
 */

import type { Millis, Mono } from '../../base/units.ts';
import { TRUNK_ALARMS } from '../../call/trunk-view.ts';
import type { LampsSeen } from '../boards.ts';
import { type LedFacts, ledsOf } from '../leds.ts';
import { AlarmBook, type Moment, type Turn, type Wanted } from './alarm-book.ts';
import type { Kept } from './alarm-log.ts';
import { BOX_ALARMS, type BoxAlarm, capacityOf } from './box-alarms.ts';
import type {
  AlarmRecord,
  BoxStatus,
  DaemonStatus,
  DaemonTimes,
  Health,
  Phase,
  StatusChange,
  SystemState,
  Utc,
} from './box-status.ts';
import { type Bare, changesOf, NOTHING_SEEN, type Seen, see } from './changes.ts';
import { type Observed, Signs, START_MS } from './observed.ts';
import { DOWN_MS, haOf, isLeaving, phaseOf, shownPhase } from './phase.ts';

/** An agent that answered and does not for so long does not answer. */
const SYSTEM_DOWN_MS: Millis = 5000;
/** The pair's own alarms are over only after so long: one that comes and goes is one. */
const PAIR_OVER_MS: Millis = 3000;
const DAY_MS: Millis = 86_400_000;
/** Alarms of the pair that are no trouble while two boxes come together. */
const EARLY: readonly string[] = ['not-protected', 'crossover-down', 'lan-path-down'];
/** Keys that are being changed are not the same for an instant. */
const LINK_AFTER_MS: Millis = 10_000;
/** Times of the daemon that differ by less are the same. */
const SAME_MS: Millis = 2000;
/** `locate` ends by itself. */
const LOCATE_MAX_MS: Millis = 24 * 3_600_000;

export const UNKNOWN_HEALTH: Health = {
  uptimeS: 0,
  memory: { totalBytes: 0, availableBytes: 0 },
  load1: 0,
  processors: 1,
  storage: { totalBytes: 0, freeBytes: 0, readOnly: false, writtenBytes: 0 },
  certificate: {},
  clock: { synchronised: false, source: 'none' },
  ports: [],
};

export type MonitorInput =
  /** undefined: it did not answer. */
  | { readonly kind: 'daemon'; readonly answer: DaemonStatus | undefined }
  | { readonly kind: 'system'; readonly answer: SystemState | undefined }
  | { readonly kind: 'health'; readonly health: Health }
  /** Whether there is a configuration the daemon can start with, and the name in it. */
  | { readonly kind: 'configured'; readonly configured: boolean; readonly name: string }
  | { readonly kind: 'lamps'; readonly lamps: LampsSeen }
  /** 0: no more. */
  | { readonly kind: 'locate'; readonly forMs: Millis }
  | { readonly kind: 'tick' };

export type MonitorStep = {
  readonly status: BoxStatus;
  readonly changes: readonly StatusChange[];
};

/** The last answer of somebody who is asked again and again. */
/** `failed`: the last question got no answer, or there was nobody to ask. While one is out, nothing is known to be wrong. */
type Heard<T> = { answer: T | undefined; at: Mono; ever: boolean; failed: boolean };

export class Monitor {
  private readonly release: string;
  private readonly book: AlarmBook;
  private readonly signs = new Signs();
  private readonly daemon: Heard<DaemonStatus>;
  private readonly system: Heard<SystemState>;
  private health: Health | undefined;
  private configured = false;
  private name = '';
  private lamps: LampsSeen | undefined;
  /** Not as UTC: that may be set meanwhile. */
  private locateUntil: Mono = Number.NEGATIVE_INFINITY;
  /** Since when the daemon has all it needs. */
  private mayStartSince: Mono;
  /** The daemon that runs was in step, some time. */
  private wasInStep = false;
  private phase: Phase = 'booting';
  private seen: Seen = NOTHING_SEEN;
  private readonly began: Mono;
  private daemonTimes: DaemonTimes | undefined;
  /** Alarms of the daemon that are over, as it told them last; undefined before it told any. */
  private overThere: ReadonlySet<string> | undefined;

  constructor(release: string, kept: Kept, now: Moment) {
    this.release = release;
    this.book = new AlarmBook(kept);
    this.daemon = { answer: undefined, at: now.mono, ever: false, failed: false };
    this.system = { answer: undefined, at: now.mono, ever: false, failed: false };
    this.mayStartSince = now.mono;
    this.began = now.mono;
  }

  /** Everything that is over or active: for the file. */
  kept(): Omit<Kept, 'nextId'> {
    return { active: this.book.active, history: this.book.history };
  }

  step(now: Moment, input: MonitorInput): MonitorStep {
    const turns = this.take(now, input);
    const daemon = heard(this.daemon, now.mono, DOWN_MS);
    const system = heard(this.system, now.mono, SYSTEM_DOWN_MS);
    const bare: Bare[] = [];
    const service = this.judgePhase(now.mono, daemon, system);
    const phase = shownPhase(service, system);
    if (phase !== this.phase) bare.push({ kind: 'phase', from: this.phase, to: phase });
    this.phase = phase;

    const view = { phase: service, daemon, system };
    const seen = see(this.seen, view);
    bare.push(...changesOf(this.seen, seen, view));
    this.seen = seen;

    turns.push(...this.alarms(now, service, daemon, system));
    for (const turn of turns) bare.push(...this.asChanges(turn, now.utc, daemon));
    return {
      status: this.status(now, phase, daemon, system),
      changes: bare.map((change) => ({ ...change, at: now.utc }) as StatusChange),
    };
  }

  private take(now: Moment, input: MonitorInput): Turn[] {
    switch (input.kind) {
      case 'daemon':
        if (input.answer === undefined) {
          this.daemon.failed = true;
          return [];
        }
        this.noteStep(input.answer);
        this.noteTimes(input.answer, now);
        if (!this.daemon.ever) this.meet(input.answer);
        listen(this.daemon, input.answer, now.mono);
        this.signs.note(input.answer, now.mono);
        return this.missed(now, input.answer);
      case 'system':
        if (input.answer === undefined) this.system.failed = true;
        else listen(this.system, input.answer, now.mono);
        return [];
      case 'health':
        this.health = input.health;
        return [];
      case 'configured':
        this.configured = input.configured;
        this.name = input.name;
        return [];
      case 'lamps':
        this.lamps = input.lamps;
        return [];
      case 'locate':
        this.locateUntil = now.mono + Math.min(input.forMs, LOCATE_MAX_MS);
        return [];
      case 'tick':
        return [];
    }
  }

  /** A role from before this monitor was taken while another one looked, and told. */
  private meet({ role, epoch, inStep, since }: DaemonStatus): void {
    if (since < this.began) this.seen = { ...this.seen, role, epoch, inStep };
  }

  /** An answer is read a little later each time, which changes nothing in what is past. */
  private noteTimes({ monoNow, upMs }: DaemonStatus, now: Moment): void {
    const at = monoNow ?? now.mono;
    const times = { began: at - upMs, zero: now.utc - at };
    const { began = times.began, zero = times.zero } = this.daemonTimes ?? {};
    this.daemonTimes = {
      began: Math.abs(times.began - began) < SAME_MS ? began : times.began,
      zero: Math.abs(times.zero - zero) < SAME_MS ? zero : times.zero,
    };
  }

  private noteStep({ upMs, inStep }: DaemonStatus): void {
    if (upMs < (this.daemon.answer?.upMs ?? 0)) this.wasInStep = false;
    this.wasInStep ||= inStep;
  }

  /** What a pair that comes together has for some seconds, and every consequence of it: not yet an alarm. */
  private isEarly({ code }: PairAlarm, upMs: Millis): boolean {
    return EARLY.includes(code) && upMs < START_MS && !this.wasInStep && !this.book.isActive(code);
  }

  private judgePhase(
    mono: Mono,
    daemon: DaemonStatus | undefined,
    system: SystemState | undefined,
  ): Phase {
    const mayStart = this.configured && system?.paired !== false;
    if (!mayStart) this.mayStartSince = mono;
    return phaseOf({
      daemonAnswers: daemon !== undefined,
      silentMs: mono - this.daemon.at,
      heardEver: this.daemon.ever,
      young: (this.daemon.answer?.upMs ?? START_MS) < START_MS && !this.wasInStep,
      mayStart,
      mayStartMs: mono - this.mayStartSince,
      applying: (system?.applying?.step ?? 'settled') !== 'settled',
      leaving: isLeaving(system),
    });
  }

  // ── alarms ───────────────────────────────────────────────────────────────────────────────────

  private alarms(
    now: Moment,
    phase: Phase,
    daemon: DaemonStatus | undefined,
    system: SystemState | undefined,
  ): Turn[] {
    const epoch = daemon?.epoch ?? this.daemon.answer?.epoch ?? 0;
    const o: Observed = {
      ...now,
      phase,
      daemon,
      system,
      health: this.health,
      grewMsAgo: this.signs.msAgo(now.mono),
    };
    const wanted: Wanted[] = [];
    const untold = new Set<string>();
    for (const [code, row] of Object.entries<BoxAlarm>(BOX_ALARMS)) {
      const found = row.look(o, (subject) => this.book.isActive(code, subject));
      if (found === undefined) untold.add(code);
      else for (const f of found) wanted.push({ code, epoch, ...row, ...f });
    }
    if (daemon !== undefined) {
      const late = daemon.alarms.active.filter((a) => !this.isEarly(a, daemon.upMs));
      wanted.push(...pairAlarms(now, late), ...trunkAlarms(daemon));
    }
    if (system !== undefined) wanted.push(...agentAlarms(system, epoch));
    const pairTells = daemon !== undefined || phase === 'down';
    const tells = (r: AlarmRecord): boolean => {
      if (r.source === 'pair')
        return (
          pairTells && (r.subject === '' || daemon === undefined || daemon.trunks !== undefined)
        );
      if (r.code in BOX_ALARMS) return !untold.has(r.code);
      return r.source !== 'system' || system !== undefined;
    };
    return this.book.look(now, wanted, tells);
  }

  /** Alarms of the daemon that came and went between two questions. */
  private missed(now: Moment, { alarms, upMs }: DaemonStatus): Turn[] {
    const before = this.overThere;
    const keyed = alarms.over.map((a) => [`${a.code} ${a.clearedAt}`, a] as const);
    this.overThere = new Set(keyed.map(([key]) => key));
    if (before === undefined) return [];
    return keyed.flatMap(([key, a]) => {
      if (before.has(key) || this.book.isActive(a.code) || this.isEarly(a, upMs)) return [];
      const utc = (mono: Mono): Utc => Math.round(now.utc - (now.mono - mono));
      return this.book.passed(pairWanted(a), utc(a.raisedAt), utc(a.clearedAt ?? now.mono));
    });
  }

  /** An alarm is a change, and some are one of a name of its own beside. */
  private asChanges(turn: Turn, utc: Utc, daemon: DaemonStatus | undefined): Bare[] {
    const { kind, alarm } = turn;
    const out: Bare[] = [{ kind, alarm }];
    const on = kind === 'alarm-raised';
    if (alarm.code === 'vip-conflict') out.push({ kind: 'vip-conflict', on, text: alarm.text });
    if (!on) return out;
    const row = capacityOf(alarm);
    if (row !== undefined && daemon !== undefined) {
      out.push({ kind: 'capacity', what: row.what, used: row.used(daemon), limit: row.limit });
    }
    const { certificate, storage } = this.health ?? UNKNOWN_HEALTH;
    if (alarm.code.startsWith('certificate-') && certificate.notAfter !== undefined) {
      const daysLeft = Math.floor((certificate.notAfter - utc) / DAY_MS);
      out.push({ kind: 'certificate', daysLeft });
    }
    if (/^storage-w/.test(alarm.code)) {
      out.push({ kind: 'wear', percent: storage.wearPercent ?? 0 });
    }
    return out;
  }

  // ── what is shown ────────────────────────────────────────────────────────────────────────────

  private status(
    now: Moment,
    phase: Phase,
    daemon: DaemonStatus | undefined,
    system: SystemState | undefined,
  ): BoxStatus {
    const { active, history } = this.book;
    const { utc } = now;
    const leftMs = this.locateUntil - now.mono;
    const locate = leftMs > 0 ? { until: Math.round(utc + leftMs) } : undefined;
    const times = this.daemonTimes;
    return {
      at: utc,
      phase,
      box: daemon?.box ?? system?.identity?.box,
      name: this.name,
      release: this.release,
      daemon,
      ...(daemon === undefined || times === undefined ? {} : { daemonTimes: times }),
      system,
      health: this.health ?? UNKNOWN_HEALTH,
      alarms: active,
      history,
      leds: ledsOf(this.ledFacts(phase, daemon, system, locate !== undefined)),
      ...(this.lamps === undefined ? {} : { lamps: this.lamps }),
      locate,
    };
  }

  private ledFacts(
    phase: Phase,
    daemon: DaemonStatus | undefined,
    system: SystemState | undefined,
    locate: boolean,
  ): LedFacts {
    // without an agent the daemon's key says it: it does not start without one
    const paired = system?.paired ?? (daemon !== undefined || this.configured);
    return {
      service: phase,
      ha: haOf(phase, daemon, paired),
      alarm: this.book.active[0]?.severity ?? 'none',
      locate,
    };
  }
}

function heard<T>(of: Heard<T>, mono: Mono, patience: Millis): T | undefined {
  return !of.failed || mono - of.at < patience ? of.answer : undefined;
}

function listen<T>(to: Heard<T>, answer: T, mono: Mono): void {
  to.answer = answer;
  to.at = mono;
  to.ever = true;
  to.failed = false;
}

type PairAlarm = DaemonStatus['alarms']['active'][number];

function pairWanted({ code, severity, text, epoch }: PairAlarm): Wanted {
  const times = { afterMs: 0, overMs: PAIR_OVER_MS };
  return { code, subject: '', severity, text, source: 'pair', epoch, ...times };
}

function pairAlarms(now: Moment, active: readonly PairAlarm[]): Wanted[] {
  return active.map((a) => ({
    ...pairWanted(a),
    since: Math.round(now.utc - Math.max(0, now.mono - a.raisedAt)),
  }));
}

/** Trunks raise theirs in the rows: the same on both boxes. */
function trunkAlarms({ trunks, epoch }: DaemonStatus): Wanted[] {
  return (trunks ?? []).flatMap(({ trunk, alarms }) =>
    alarms.map(({ code, severity }) => ({
      code,
      subject: trunk,
      severity,
      text: `trunk ${trunk}: ${TRUNK_ALARMS[code][1]}`,
      source: 'pair' as const,
      epoch,
      afterMs: 0,
      overMs: PAIR_OVER_MS,
    })),
  );
}

function agentAlarms({ alarms }: SystemState, epoch: number): Wanted[] {
  return (alarms ?? []).map(({ code, severity, text, at }) => ({
    code,
    subject: '',
    severity,
    text,
    source: 'system' as const,
    epoch,
    afterMs: code === 'system-link' ? LINK_AFTER_MS : 0,
    overMs: 0,
    since: at,
  }));
}
