/** What the tests of the monitor say for a daemon, an agent and a machine in good health. */

import type { Moment } from '../../src/panel/monitor/alarm-book.ts';
import { type Kept, NOTHING_KEPT } from '../../src/panel/monitor/alarm-log.ts';
import type {
  BoxStatus,
  DaemonStatus,
  Health,
  StatusChange,
  SystemState,
} from '../../src/panel/monitor/box-status.ts';
import { Monitor, type MonitorInput } from '../../src/panel/monitor/monitor.ts';

export const UTC = Date.UTC(2026, 10, 26, 12);
export const DAY = 86_400_000;
const GIB = 2 ** 30;

/** A primary with a backup in step. */
export const DAEMON: DaemonStatus = {
  release: 'sipair 0.1.0',
  pid: 1,
  redundancy: 'hot-standby',
  vip: '192.0.2.10',
  upMs: 60_000,
  box: 'a',
  role: 'primary',
  phase: 'primary',
  epoch: 5,
  cause: 'cold-start',
  since: 0,
  lease: 0,
  carrier: { x: true, l: true },
  peer: {
    box: 'b',
    seen: { x: true, l: true },
    role: 'backup',
    epoch: 5,
    lsn: 9,
    inStep: true,
    peerStale: false,
    fit: true,
    engineOk: true,
    pairNow: 0,
    heardMsAgo: 3,
  },
  readiness: { ready: true, why: '' },
  automaticLately: 0,
  witness: { state: 'unknown', each: [] },
  vrrp: undefined,
  alarms: { active: [], over: [] },
  lateness: { '<250ms': 0, more: 0 },
  pairCounters: {} as DaemonStatus['pairCounters'],
  refused: {},
  lsn: 9,
  chain: 1,
  inStep: true,
  peerStale: false,
  engineRole: 'primary',
  peerRelease: 'sipair 0.1.0',
  disk: 'works',
  calls: 3,
  registrations: 20,
  connections: 4,
  held: 0,
  trunks: [],
  programs: { sessions: 1, away: 0, monitors: 0, answers: 0, events: 0 },
  counters: { callsOverload: 0 },
};

export const SYSTEM: SystemState = {
  identity: { box: 'a' },
  paired: true,
  revision: { number: 7, by: 'admin' },
  peer: { reachable: true, revision: 7, release: 'sipair 0.1.0' },
  image: {},
  upgrade: {},
  applying: { step: 'settled' },
  alarms: [],
};

export const HEALTH: Health = {
  uptimeS: 1000,
  temperatureC: 50,
  memory: { totalBytes: 4 * GIB, availableBytes: 3 * GIB },
  load1: 0.2,
  processors: 2,
  storage: {
    totalBytes: 20 * GIB,
    freeBytes: 15 * GIB,
    readOnly: false,
    wearPercent: 10,
    writtenBytes: 0,
  },
  certificate: { notAfter: UTC + 300 * DAY },
  clock: { synchronised: true, offsetMs: 0.1, source: 'chrony' },
  ports: [],
};

/** A monitor and its time. What is said is said again in every step, until something else is. */
export class Bench {
  readonly monitor: Monitor;
  readonly changes: StatusChange[] = [];
  mono = 1_000_000;
  utc = UTC;
  daemon: DaemonStatus | undefined = DAEMON;
  system: SystemState | undefined = SYSTEM;
  health: Health = HEALTH;

  constructor(kept: Kept = NOTHING_KEPT) {
    this.monitor = new Monitor('sipair 0.1.0', kept, this.moment);
    this.say({ kind: 'configured', configured: true, name: 'berlin-1' });
  }

  get moment(): Moment {
    return { mono: this.mono, utc: this.utc };
  }

  say(input: MonitorInput): BoxStatus {
    const { status, changes } = this.monitor.step(this.moment, input);
    this.changes.push(...changes);
    return status;
  }

  /** Lets so much time pass, with the questions of every half second. */
  run(ms: number): BoxStatus {
    let status = this.say({ kind: 'tick' });
    for (let at = 0; at < ms; at += 500) {
      this.mono += 500;
      this.utc += 500;
      this.say({ kind: 'daemon', answer: this.daemon });
      this.say({ kind: 'system', answer: this.system });
      status = this.say({ kind: 'health', health: this.health });
    }
    return status;
  }

  /** Kinds of the changes since they were asked for last; alarms with their codes. */
  told(): string[] {
    return this.changes.splice(0).map((c) => ('alarm' in c ? `${c.kind} ${c.alarm.code}` : c.kind));
  }
}

export function codes(status: BoxStatus): string[] {
  return status.alarms.map((a) => (a.subject === '' ? a.code : `${a.code} ${a.subject}`));
}
