/** What an engine tells about itself, in the words of the documents; `status` and the lab show it. */

import type { Lsn } from './base/units.ts';
import type { TrunkView } from './call/trunk-view.ts';
import type { DiskState } from './pair/disk-watch.ts';
import type { GateKind } from './pair/gate.ts';

/**
 * idle: no role yet. backup: applies what the primary sends. reigning: the new reign is being made
 * durable. ready: it is; the VIP is being claimed. primary: speaks. resigning: primary that reads no
 * more and waits until everything it said is the peer's too.
 */
export type EngineRole = 'idle' | 'backup' | 'reigning' | 'ready' | 'primary' | 'resigning';

/** What is kept for programs. */
export type ProgramsView = {
  readonly sessions: number;
  /** Of these, so many have no connection and end when nobody comes back. */
  readonly away: number;
  readonly monitors: number;
  /** Answers kept for who repeats his request, events kept for who was away. */
  readonly answers: number;
  readonly events: number;
};

export type EngineView = {
  readonly engineRole: EngineRole;
  readonly gate: GateKind;
  /** Connections of phones and trunks (TCP, TLS, WebSocket) that stand. */
  readonly connections: number;
  readonly held: number;
  readonly mirror: string;
  readonly ackedLsn: Lsn;
  readonly durableLsn: Lsn;
  /** How long the peer took to acknowledge what was sent, in buckets. */
  readonly ackLatency: { readonly [bucket: string]: number };
  readonly peerRelease: string;
  readonly snapshots: number;
  readonly catchUps: number;
  /** Snapshots given because rows differed or the operator asked; comparisons that found a difference. */
  readonly resyncs: number;
  readonly drifts: number;
  readonly wentAlone: number;
  /** Times acknowledgements were late. */
  readonly lateTimes: number;
  readonly diskBatches: number;
  /** Bytes of rows handed to the disk. */
  readonly diskBytes: number;
  /** Bytes the disk thread caused to be written to the medium, as the kernel counts them. */
  readonly flashBytes: number;
  readonly disk: DiskState;
  readonly diskFaults: number;
  readonly diskStalls: number;
  readonly diskReplaced: number;
  /** Fields of a newer release that the peer or the disk gave, and that are kept. */
  readonly newerFields: number;
  readonly calls: number;
  readonly established: number;
  readonly registrations: number;
  /** Trunks: in service or not and why, calls on each, register-out. */
  readonly trunks: readonly TrunkView[];
  readonly programs: ProgramsView;
  /** Connections of programs to this box; only where there are any. */
  readonly programConnections?: number;
  /** Call detail records that wait for their file; callers who were played nothing for want of room. */
  readonly cdrWaiting?: number;
  readonly mediaFull?: number;
  /** What of the certificates cannot be used, and is not: '' for nothing. */
  readonly certificates?: string;
  readonly tables: { readonly [name: string]: { readonly count: number; readonly hash: number } };
  readonly counters: { readonly [name: string]: number };
};
