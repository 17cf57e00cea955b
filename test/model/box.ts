/** One box of the pretend world: a real sentry, a pretend engine, the least of a kernel. */

import type { Sentry } from '../../src/pair/sentry.ts';
import type { BoxId } from '../../src/pair/terms.ts';
import { type Disk, Engine } from './engine.ts';
import type { Coming, Item } from './items.ts';

export class Box {
  readonly id: BoxId;
  disk: Disk = {
    ...{ epoch: 0, primary: false, peerStale: false, staleEpoch: 0 },
    ...{ lsn: 0, history: [] },
  };
  fresh = true;
  sentry: Sentry | undefined;
  /** When it was last switched on, or thawed. */
  awakeAt = 0;
  engine: Engine;
  frozen = false;
  lease = 0;
  vipUntil = 0;
  lan = true;
  /** Frames get through its port to the LAN; no carrier tells. */
  port = true;
  /** The witness can be reached from here. */
  witness = true;
  /** Its engine takes no turns; what comes for it waits. */
  stuck = false;
  waits: Item[] = [];
  /** What its sentry was told last. */
  toldLan = false;
  backlog: Coming[] = [];

  constructor(id: BoxId) {
    this.id = id;
    this.engine = new Engine(id, this.disk);
  }

  get runs(): boolean {
    return this.sentry !== undefined && !this.frozen;
  }

  /** What it sends to the LAN arrives there. */
  get onLan(): boolean {
    return this.lan && this.port;
  }

  /** Could be heard at this moment. */
  door(now: number): boolean {
    return this.runs && this.engine.voiced && this.lease > now && this.onLan;
  }
}
