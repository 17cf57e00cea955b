/** One box of the pretend pair: a sentry, and what little of an engine and a kernel it needs. */

import type { Sentry } from '../../src/pair/sentry.ts';
import type { SentryView } from '../../src/pair/sentry-view.ts';
import { noStanding } from '../../src/pair/standing.ts';
import type { BoxId, Order, Path, SentryInput, Standing } from '../../src/pair/terms.ts';

/** What a box's disk remembers. */
export type Disk = {
  epoch: number;
  lsn: number;
  wasPrimary: boolean;
  peerStale: boolean;
  fresh: boolean;
};

export class Box {
  readonly id: BoxId;
  readonly disk: Disk = { epoch: 0, lsn: 0, wasPrimary: false, peerStale: false, fresh: true };
  sentry: Sentry | undefined;
  standing: Standing = noStanding();
  /** What the engine does: nothing, follow a primary, lead silently, lead with a voice. */
  engine: 'idle' | 'follower' | 'reigning' | 'speaking' = 'idle';
  frozen = false;
  lease = 0;
  vipUntil = 0;
  failClaims = 0;
  readonly carrier: Record<Path, boolean> = { x: true, l: true };
  readonly waiting: SentryInput[] = [];
  /** The witness is reached from this box. */
  witness = true;
  /** What its sentry cannot do: count turns. */
  engineStopped = false;
  private turned = 0;
  /** Times this box's sentry ended its own process. */
  aborts = 0;
  /** Grows with every life, so that what an earlier one began does not reach a later one. */
  life = 0;
  wake = 0;
  readonly orders: Order[] = [];
  readonly answers: { id: number; ok: boolean; text: string }[] = [];
  /** Times at which a lease was given from none. */
  claims: number[] = [];

  constructor(id: BoxId) {
    this.id = id;
  }

  /** The engine's turns: they go on with time unless it is stopped. */
  turns(now: number): number {
    if (!this.engineStopped) this.turned = Math.floor(now / 10);
    return this.turned;
  }

  view(): SentryView {
    return (this.sentry as Sentry).view();
  }

  role(): string {
    return this.sentry === undefined ? 'off' : this.view().role;
  }
}
