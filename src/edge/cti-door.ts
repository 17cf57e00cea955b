/**
 * Between the engine and the thread of the programs. A thread that broke or fell behind for good is
 * replaced: its programs connect anew and are given what they missed, and no call hears of it.
 */

import type { Worker } from 'node:worker_threads';
import { LIMITS } from '../base/limits.ts';
import type { ProgramInput } from '../cti/terms.ts';
import type { LogLine } from '../effect.ts';
import type { Program } from '../proto/centre.ts';
import type { EngineRole } from '../status.ts';
import { derive } from '../wire/derive.ts';
import { ownIdentity } from './certificate.ts';
import { type Config, RELEASE } from './config.ts';
import type { ServerSettings } from './cti-server.ts';
import { CELL, CELL_BYTES, type CtiThreadData, type FromCti, type ToCti } from './cti-words.ts';
import { startThread } from './worker.ts';

export type CtiDoorEvents = {
  readonly ask: (request: ProgramInput) => void;
  readonly log: (line: LogLine) => void;
};

/** A thread that broke is replaced after this, ms. */
const AGAIN_MS = 1000;
/** Connections of one thread; the next one counts on from here. */
const CONNS = 1e9;

export class CtiDoor {
  private readonly config: Config;
  private readonly events: CtiDoorEvents;
  private readonly shared: Pick<CtiThreadData, 'standing' | 'lease'>;
  private worker: Worker | undefined;
  private allowed: readonly Program[];
  private cell = new Int32Array(new SharedArrayBuffer(CELL_BYTES));
  private posted = 0;
  private generation = 0;
  private primary = false;

  constructor(
    config: Config,
    shared: { readonly standing: SharedArrayBuffer; readonly lease: SharedArrayBuffer },
    events: CtiDoorEvents,
  ) {
    this.config = config;
    this.events = events;
    this.allowed = config.node.sip.site.centre.programs;
    this.shared = { standing: shared.standing, lease: shared.lease };
    const { enabled, port, tlsPort } = config.cti;
    if (enabled && port + tlsPort > 0) this.start();
  }

  get connections(): number {
    return this.cell[CELL.connections] ?? 0;
  }

  /**
   * After a turn: what the gate let go, and whether this box serves now. A box that begins to serve
   * says so first, one that ends says so last.
   */
  turn(items: readonly string[], role: EngineRole, mayAnswer: boolean): void {
    // while it resigns what is said already is on its way
    const primary = role === 'primary' || role === 'resigning';
    if (primary && !this.primary) this.post({ kind: 'role', primary });
    if (items.length > 0) {
      this.post(mayAnswer ? { kind: 'said', items: [...items] } : { kind: 'lost' });
    }
    if (!primary && this.primary) this.post({ kind: 'role', primary });
    this.primary = primary;
  }

  /** Configured anew: who may connect. */
  reload(programs: readonly Program[]): void {
    this.allowed = programs;
    this.post({ kind: 'programs', programs });
  }

  private start(): void {
    const cell = new SharedArrayBuffer(CELL_BYTES);
    this.cell = new Int32Array(cell);
    this.posted = 0;
    const settings = this.settings();
    this.generation += 1;
    const worker = startThread('cti-thread', {
      workerData: { settings, cell, ...this.shared } satisfies CtiThreadData,
      // that types are stripped for browsers too is nothing to tell an operator
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.worker = worker;
    worker.on('error', (e) => this.broke(worker, e.stack ?? e.message));
    worker.on('exit', () => this.broke(worker, 'the thread ended'));
    worker.on('message', (m: FromCti) => {
      if (m.kind === 'log') this.events.log(m.line);
      else if (worker === this.worker) for (const request of m.requests) this.events.ask(request);
    });
    if (this.primary) this.post({ kind: 'role', primary: true });
  }

  private settings(): ServerSettings {
    const { box, cti, lan, node, peerLan } = this.config;
    // one certificate for both boxes, of another key than that of SIP: the two must not be confused
    const key = derive(node.pair.key, 'cti certificate');
    return {
      box,
      address: lan.address,
      peerAddress: peerLan,
      cti,
      programs: this.allowed,
      release: RELEASE,
      cdrFolder: `${this.config.data}/cdr`,
      identity:
        cti.tlsPort === 0
          ? undefined
          : ownIdentity(key, [...node.pair.vips, ...[lan.address, peerLan].sort()]),
      firstConn: this.generation * CONNS,
    };
  }

  private post(message: ToCti): void {
    if (this.worker === undefined) return;
    this.worker.postMessage(message);
    this.posted += 1;
    if (this.posted - (this.cell[CELL.taken] ?? 0) <= LIMITS.ctiBacklog) return;
    this.broke(this.worker, 'it takes nothing any more');
  }

  private broke(worker: Worker, why: string): void {
    if (worker !== this.worker) return;
    this.worker = undefined;
    this.cell = new Int32Array(new SharedArrayBuffer(CELL_BYTES));
    void worker.terminate();
    this.events.log({ level: 'alarm', text: `programs: the thread is replaced: ${why}` });
    const gone = { kind: 'request', conn: 0, session: 0, program: '', id: '', params: {} } as const;
    this.events.ask({ ...gone, method: 'allGone' });
    setTimeout(() => this.start(), AGAIN_MS);
  }
}
