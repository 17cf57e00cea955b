/**
 * The state of one box in one value: what its daemon says, what its system agent says, what the machine
 * shows, and the alarms that come of it. Lamps, console, SNMP, metrics and syslog all speak from this
 * value, so they cannot contradict each other.
 */

import type { Epoch, Mono } from '../../base/units.ts';
import type { Severity as PairSeverity } from '../../pair/alarms.ts';
import type { Counters as PairCounters, Takeover } from '../../pair/sentry-core.ts';
import type { SentryView } from '../../pair/sentry-view.ts';
import type { BoxId, Cause, Path, Redundancy, Role } from '../../pair/terms.ts';
import type { EngineView } from '../../status.ts';
import type { LampsSeen } from '../boards.ts';
import { type Leds, SERVICE_STATES } from '../leds.ts';

/** A moment as people count: UTC, milliseconds since 1970. Monotonic moments end with a process's life. */
export type Utc = number;

/**
 * booting: the service has not answered yet, and may still. unconfigured: there is nothing it could
 * begin with. running: it answers. down: it should answer and does not. updating: an image is being
 * installed, or the box is about to start from it.
 */
export const PHASES = SERVICE_STATES;
export type Phase = (typeof PHASES)[number];

// ── the daemon ─────────────────────────────────────────────────────────────────────────────────

/** What the daemon knows without asking its engine. Moments are of its monotonic clock. */
export type DaemonFacts = Omit<SentryView, 'counters' | 'lastSwitchover'> & {
  readonly release: string;
  readonly pid: number;
  readonly redundancy: Redundancy;
  /** The first one; the one SIP speaks from. */
  readonly vip: string;
  readonly upMs: number;
  /** What its monotonic clock shows now: moments are before it. */
  readonly monoNow?: number;
  /** The own port to the service LAN. */
  readonly lan?: { readonly interface: string; readonly address: string };
  readonly pairCounters: Readonly<PairCounters>;
  readonly lastSwitchover?: Takeover & { readonly tookMs: number };
  readonly lsn: number;
  readonly chain: number;
  readonly inStep: boolean;
  readonly peerStale: boolean;
};

/** The answer to `status`. The engine's part is missing while its engine does not answer. */
export type DaemonStatus = DaemonFacts & {
  readonly engineRole: EngineView['engineRole'] | 'does not answer';
} & Partial<Omit<EngineView, 'engineRole'>>;

// ── the system agent ───────────────────────────────────────────────────────────────────────────

/** The answer to `state` of the system agent, as far as it is looked at here. */
export type SystemState = {
  readonly identity?: { readonly box: BoxId };
  readonly paired?: boolean;
  readonly revision?: {
    readonly number: number;
    readonly epoch?: number;
    readonly at?: Utc;
    readonly by?: string;
    readonly comment?: string;
    // number 0: nothing is committed yet
    /** `commit confirm` runs: both boxes go back by themselves at this moment. */
    readonly confirmBy?: Utc;
  };
  readonly peer?: {
    readonly reachable: boolean;
    readonly revision?: number;
    readonly release?: string;
  };
  readonly image?: {
    readonly slot?: 'A' | 'B';
    /** false: started from a new image that has not proved itself yet. */
    readonly confirmed?: boolean;
    readonly release?: string;
  };
  readonly upgrade?: {
    /** '' or 'idle': nothing is being done. */
    readonly step?: string;
    /** What went wrong with the last one; '' when nothing did. */
    readonly failed?: string;
  };
  /** What the agent does to the machine: `settled` is nothing. */
  readonly applying?: { readonly step: string };
  /** Raised while they are in the list. */
  readonly alarms?: readonly {
    readonly code: string;
    readonly severity: AlarmSeverity;
    readonly text: string;
    readonly at: Utc;
  }[];
};

// ── the machine ────────────────────────────────────────────────────────────────────────────────

type PortCounts = {
  readonly packets: number;
  readonly bytes: number;
  readonly errors: number;
  readonly dropped: number;
};

/** A port as the kernel has it. */
export type PortReading = {
  readonly port: 'lan' | 'crossover';
  readonly interface: string;
  /** false: the kernel has no port of this name. */
  readonly present: boolean;
  readonly mac: string;
  /** A cable, and somebody at its other end. */
  readonly carrier: boolean;
  /** With their prefix. */
  readonly addresses: readonly string[];
  /** Speed of the link, where its driver says it. */
  readonly mbit?: number;
  readonly duplex?: 'full' | 'half';
  /** Since the start of the machine. */
  readonly received: PortCounts;
  readonly sent: PortCounts;
};

export type Health = {
  readonly uptimeS: number;
  /** The hottest sensor, where there is one. */
  readonly temperatureC?: number;
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number };
  readonly load1: number;
  readonly processors: number;
  /** The file system of /data and what it lies on. */
  readonly storage: {
    readonly totalBytes: number;
    readonly freeBytes: number;
    readonly readOnly: boolean;
    /** Of the life the maker promises so much is used, where the medium says it. */
    readonly wearPercent?: number;
    /** What the medium is: its kind and what its maker calls it. */
    readonly medium?: string;
    /** Written to the medium since this start of the machine. */
    readonly writtenBytes: number;
    /** Name of the kernel's block device. */
    readonly device?: string;
  };
  /** Of SIP over TLS; nothing where there is none. */
  readonly certificate: { readonly notAfter?: Utc; readonly fault?: string };
  readonly clock: {
    readonly synchronised: boolean;
    readonly offsetMs?: number;
    /** chrony, kernel, or none when nobody disciplines it. */
    readonly source: 'chrony' | 'kernel' | 'none';
  };
  readonly ports: readonly PortReading[];
};

// ── alarms ─────────────────────────────────────────────────────────────────────────────────────

/** The pair's, and `warning`: nothing is wrong yet. */
export type AlarmSeverity = PairSeverity | 'warning';
/** The gravest first. */
export const SEVERITIES = [
  'critical',
  'major',
  'minor',
  'warning',
] as const satisfies readonly AlarmSeverity[];

export type AlarmRecord = {
  /** Grows by one with each alarm this box ever raised. */
  readonly id: number;
  readonly code: string;
  /** Which one, where a code can be raised for several things: a trunk, a limit. '' else. */
  readonly subject: string;
  readonly severity: AlarmSeverity;
  readonly text: string;
  /** pair: the daemon raised it. system: of the services of the box. health: of the machine. */
  readonly source: 'pair' | 'system' | 'health';
  readonly raisedAt: Utc;
  /** Missing while it is active. */
  readonly clearedAt?: Utc;
  readonly epoch: Epoch;
};

// ── what changed ───────────────────────────────────────────────────────────────────────────────

export type StatusChange = { readonly at: Utc } & (
  | { readonly kind: 'phase'; readonly from: Phase; readonly to: Phase }
  | {
      readonly kind: 'role-change';
      readonly from: Role | 'none';
      readonly to: Role | 'none';
      /** Why it became primary. */
      readonly cause?: Cause;
      readonly epoch: Epoch;
    }
  | { readonly kind: 'peer-lost' | 'peer-back' }
  /** Heartbeats over that path. */
  | { readonly kind: 'link-lost' | 'link-back'; readonly path: Path }
  | { readonly kind: 'in-step' | 'out-of-step' }
  | { readonly kind: 'vip-conflict'; readonly on: boolean; readonly text: string }
  | {
      readonly kind: 'capacity';
      readonly what: Capacity;
      readonly used: number;
      readonly limit: number;
    }
  | { readonly kind: 'configuration'; readonly revision: number; readonly by: string }
  | { readonly kind: 'image'; readonly text: string }
  | { readonly kind: 'certificate'; readonly daysLeft: number }
  | { readonly kind: 'wear'; readonly percent: number }
  | { readonly kind: 'alarm-raised' | 'alarm-cleared'; readonly alarm: AlarmRecord }
);

/** What can be used up. */
export type Capacity = 'calls' | 'registrations' | 'connections' | 'programs' | 'held';

// ── all of it ──────────────────────────────────────────────────────────────────────────────────

export type DaemonTimes = {
  /** When it was started, on its monotonic clock. */
  readonly began: Mono;
  /** UTC when that clock showed 0. */
  readonly zero: Utc;
};

export type BoxStatus = {
  readonly at: Utc;
  readonly phase: Phase;
  /** undefined before the box knows which of the two it is. */
  readonly box: BoxId | undefined;
  readonly name: string;
  /** Of the running monitor; the daemon says its own. */
  readonly release: string;
  /** undefined: it does not answer. */
  readonly daemon: DaemonStatus | undefined;
  /** Of the daemon that answers: the same with every answer of one run, but for a clock that is set. */
  readonly daemonTimes?: DaemonTimes;
  readonly system: SystemState | undefined;
  readonly health: Health;
  /** Active ones: the gravest first, then the newest. */
  readonly alarms: readonly AlarmRecord[];
  /** Those that are over, the newest last, at most 1000. */
  readonly history: readonly AlarmRecord[];
  readonly leds: Leds;
  /** What of that the lamps of this board can show; missing before it was looked at. */
  readonly lamps?: LampsSeen;
  /** All lamps blink, so that somebody finds the box; until then. undefined: they do not. */
  readonly locate: { readonly until: Utc } | undefined;
};
