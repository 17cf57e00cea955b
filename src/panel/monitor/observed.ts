/**
 * What the monitor knows at one moment: the last that daemon, agent and machine said, and how long ago
 * counters grew that should not. The rows of the alarm table look at nothing else.
 */

import type { Millis, Mono } from '../../base/units.ts';
import type { DaemonStatus, Health, Phase, SystemState, Utc } from './box-status.ts';

/** Counters of the daemon whose growth is a sign of trouble. */
export const SIGNS = {
  /** New calls refused because there was more to do than could be done. */
  overload: (d: DaemonStatus) => d.counters?.['callsOverload'] ?? 0,
  /** Times the sentry was run so late that it could not judge others. */
  late: (d: DaemonStatus) => (d.lateness['<250ms'] ?? 0) + (d.lateness['more'] ?? 0),
  /** Callers who wait heard nothing: all sessions or ports of the media service were in use. */
  media: (d: DaemonStatus) => d.mediaFull ?? 0,
} as const;
export type Sign = keyof typeof SIGNS;

/** A service that starts is late, slow and without its peer for so long: that is no trouble yet. */
export const START_MS: Millis = 30_000;

export type Observed = {
  readonly mono: Mono;
  readonly utc: Utc;
  readonly phase: Phase;
  /** undefined while it does not answer. */
  readonly daemon: DaemonStatus | undefined;
  /** undefined while it does not answer. */
  readonly system: SystemState | undefined;
  readonly health: Health | undefined;
  readonly grewMsAgo: { readonly [sign in Sign]: Millis };
};

/** Remembers when each sign last grew. A daemon that starts anew counts from 0: that is no growth. */
export class Signs {
  private readonly last: { [sign in Sign]?: number } = {};
  private readonly grewAt: { [sign in Sign]?: Mono } = {};

  note(daemon: DaemonStatus, mono: Mono): void {
    // without its engine a daemon does not say these numbers
    if (daemon.counters === undefined) return;
    for (const sign of Object.keys(SIGNS) as Sign[]) {
      const value = SIGNS[sign](daemon);
      const before = this.last[sign];
      const starts = sign === 'late' && daemon.upMs < START_MS;
      if (before !== undefined && value > before && !starts) this.grewAt[sign] = mono;
      this.last[sign] = value;
    }
  }

  msAgo(mono: Mono): Observed['grewMsAgo'] {
    const ago = (sign: Sign): Millis => mono - (this.grewAt[sign] ?? Number.NEGATIVE_INFINITY);
    return { overload: ago('overload'), late: ago('late'), media: ago('media') };
  }
}
