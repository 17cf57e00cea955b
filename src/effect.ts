/**
 * Everything the engine of a box can do. The split that matters is when an effect may leave:
 *
 *   now    journal to the peer, batch to the disk, report to the sentry, log line
 *   held   every SIP message and everything said to programs, until the facts it rests on are safe in
 *          two places. What appears in `sends` has already passed the gate and the lease.
 *
 * One object, reused for every step: the edge empties it after performing it.
 */

import type { Peer, Transport } from './base/peer.ts';
import type { Lsn } from './base/units.ts';
import type { ClearAnswer } from './call/view/clear.ts';
import type { PersistBatch } from './ledger/disk.ts';
import type { Report } from './pair/terms.ts';
import type { LogLevel } from './proto/context.ts';

/** A SIP message to send from the service address, and the record it rests on. */
export type Outgoing = {
  stamp: Lsn;
  /** `program`: for the hub of the programs; `record`: a CDR for the file. They have no address. */
  readonly transport: Transport | 'program' | 'record';
  readonly ip: string;
  readonly port: number;
  readonly text: string;
};

/** The same when it is a SIP message. */
export type Send = Outgoing & { readonly transport: Transport };

export type LogLine = {
  readonly level: LogLevel;
  readonly text: string;
};

export class EngineEffects {
  /** Bytes for the crossover stream, in order. Slices of the journal: read-only, kept by the ring. */
  readonly link: Uint8Array[] = [];
  /** End the crossover stream after `link` was written. */
  closeLink = false;
  readonly sends: Send[] = [];
  /** What the hub of the programs is told: passed the gate and the lease like `sends`. */
  readonly programs: string[] = [];
  /** CDRs to append to this box's file (cdr-feed.ts). */
  readonly records: string[] = [];
  readonly persist: PersistBatch[] = [];
  readonly reports: Report[] = [];
  /** Answers to `clear`. */
  readonly cleared: { readonly id: number; readonly answer: ClearAnswer }[] = [];
  readonly logs: LogLine[] = [];
  /** Our connections are nobody's any more: read what they brought, then end them. */
  dropFlows = false;
  /** Other sides of the old primary's connections, which do not know yet that those are dead. */
  readonly tickles: Peer[] = [];
  /** SIP URIs whose hosts are names: the answer is an input. */
  readonly questions: string[] = [];
  /** Whether SIP sockets should be read: false while resigning. */
  reading = true;

  /** Takes what may leave now, and empties the list it came in. */
  leave(freed: Outgoing[]): void {
    for (const said of freed) {
      if (said.transport === 'program') this.programs.push(said.text);
      else if (said.transport === 'record') this.records.push(said.text);
      else this.sends.push(said as Send);
    }
    freed.length = 0;
  }

  clear(): void {
    this.link.length = 0;
    this.closeLink = false;
    this.dropFlows = false;
    this.tickles.length = 0;
    this.sends.length = 0;
    this.programs.length = 0;
    this.records.length = 0;
    this.persist.length = 0;
    this.reports.length = 0;
    this.cleared.length = 0;
    this.logs.length = 0;
    this.questions.length = 0;
  }
}
