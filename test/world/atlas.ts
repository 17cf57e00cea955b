/**
 * The fault atlas: what no pair can survive, or this one does not promise to, each by name and with
 * the reason. The injector asks here before it breaks anything; what it was refused is counted and
 * shown. Everything not in this list must be survived.
 */

import type { BoxId, Role } from '../../src/pair/terms.ts';
import { ALL_FAULT_KINDS, type FaultKind } from './options.ts';

/** What is known of the pair from above, where everything can be seen. */
export type Sight = {
  readonly states: Readonly<Record<BoxId, 'off' | 'dead' | 'frozen' | Role>>;
  /** The one box that has and uses the voice, if there is exactly one. */
  readonly primary: BoxId | undefined;
  /** The backup says that it may stand, the primary says that its backup may. */
  readonly inStep: boolean;
  readonly cableUp: boolean;
  /** Heartbeats on the LAN come through. */
  readonly heard: boolean;
  /** The backup's LAN port carries. */
  readonly backupLan: boolean;
  readonly primaryLan: boolean;
  /** A port carries nothing behind its carrier. */
  readonly deadPort: boolean;
  /** There is a witness, and it is on. */
  readonly witness: boolean;
  /** The wall clock of the primary was stepped since its process started. */
  readonly clockStepped: boolean;
  /** The primary's word "my peer is stale" is durable. */
  readonly alone: boolean;
  /** How long the primary's disk has done what it is asked to. */
  readonly diskSoundMs: number;
  /** Time since the last fault or repair that touched a box or a path. */
  readonly quietMs: number;
};

type Region = {
  readonly name: string;
  readonly why: string;
  readonly kinds: readonly FaultKind[];
  readonly excluded: (s: Sight) => boolean;
};

const STOPS_PRIMARY: readonly FaultKind[] = [
  'kill-primary',
  'power-primary',
  'freeze-primary',
  'engine-stuck',
  'isolate-primary',
];

/** Nothing stops by these; a failing disk stops a box only when it damages what it holds. */
const HARMLESS: readonly FaultKind[] = [
  'wall-step',
  'gateway-off',
  'lossy-x',
  'disk-stall',
  'disk-full',
  'disk-read-only',
];

const HIDES: readonly FaultKind[] = ['deaf', 'isolate-primary', 'isolate-backup'];

export const ATLAS: readonly Region[] = [
  {
    name: 'both-boxes-at-once',
    why:
      'while nobody leads, one box is the only one that holds the calls; stopping it, or its port ' +
      'or path, stops both',
    kinds: ALL_FAULT_KINDS.filter((kind) => !HARMLESS.includes(kind)),
    excluded: (s) => s.primary === undefined,
  },
  {
    name: 'second-failure-before-in-step',
    why:
      'the primary dies while the backup is dead, left behind, catching up, or cut off from the LAN: ' +
      'what only the primary held is gone, or waits on its disk until it comes back',
    kinds: STOPS_PRIMARY,
    excluded: (s) => !s.inStep || !s.cableUp || !s.backupLan,
  },
  {
    name: 'primary-and-path-at-once',
    why: 'the primary dies within the time it takes to tell the backup that it was left behind',
    kinds: STOPS_PRIMARY,
    excluded: (s) => s.quietMs < 100,
  },
  {
    name: 'handover-on-one-leg',
    why: 'an operator who forces a switchover onto a backup that is not in step asks for loss',
    kinds: ['switchover'],
    excluded: (s) => !s.inStep,
  },
  {
    name: 'hidden-from-each-other-while-changing',
    why:
      'both paths are cut between two boxes while a role is still changing: the boxes cannot be ' +
      'told apart from dead ones by anybody',
    kinds: HIDES,
    excluded: (s) => s.quietMs < 3000 || !s.inStep,
  },
  {
    name: 'frozen-behind-a-dead-port',
    why:
      'a frozen primary whose kernel nobody can ask either looks dead before its lease has ended: ' +
      'two failures within one lease',
    kinds: ['freeze-primary'],
    excluded: (s) => !s.primaryLan,
  },
  {
    name: 'isolated-without-witness',
    why:
      'a box whose port died behind its carrier, and that has neither peer nor witness, cannot know ' +
      'that nobody hears it: it takes over, or goes on, where nobody is',
    kinds: ['isolate-primary', 'isolate-backup'],
    excluded: (s) => !s.witness,
  },
  {
    name: 'path-cut-behind-a-dead-port',
    why: 'the same, one after the other: a port is dead behind its carrier, and the crossover is cut',
    kinds: ['cut-x', 'dead-port-primary', 'dead-port-backup', 'lan-gone'],
    excluded: (s) => !s.witness && (s.deadPort || !s.cableUp),
  },
  {
    name: 'not-alone',
    why: 'the fault is about a primary whose backup is out of reach and known to be stale',
    kinds: ['restart-alone'],
    excluded: (s) => !s.alone || s.inStep || s.quietMs < 100,
  },
  {
    name: 'alone-on-a-failing-disk',
    why:
      'what is answered by a box that is alone while its disk does not write is in one memory ' +
      'only, with an alarm that says so',
    kinds: ['restart-alone'],
    excluded: (s) => s.diskSoundMs < 2500,
  },
  {
    name: 'alone-unheard-and-gone',
    why:
      'a primary that could tell nobody that it went on alone dies: its word is on its disk ' +
      'only, and the other one finds the VIP silent',
    kinds: ['restart-alone', 'pull-lan-primary', 'dead-port-primary', 'lan-gone'],
    excluded: (s) => s.alone && !s.heard,
  },
  {
    name: 'clock-stepped-then-restarted-from-disk',
    why:
      'after a restart from disk the pair clock rests on the wall clock; one that was stepped ' +
      'since cannot be told from time spent switched off',
    kinds: ['restart-alone'],
    excluded: (s) => s.clockStepped,
  },
];

/**
 * Regions that lie in how a fault is performed, not in when.
 *
 *   stale-box-first   both boxes are down and the stale one is back first, by more than its hold: it
 *                     was a primary once, nobody is there to tell it that another reign followed
 *   fenced-and-back-alone   an isolated primary was fenced and starts again still isolated: it was the
 *                     last primary it knows of, no witness has ever answered it, so it leads where
 *                     nobody is; after the heal both reigns have the same number
 *   hidden            crossover cut, and a LAN that shows both boxes to everybody but hides them from
 *                     each other: the residual case. Without a fence two primaries; with one, what a
 *                     primary said alone before it was fenced is lost. In the stories only
 *   clock-while-off   a wall clock stepped while the box is off: the same as time spent off
 */
export const PERFORMED_AROUND = [
  'stale-box-first',
  'fenced-and-back-alone',
  'hidden',
  'clock-while-off',
] as const;

/** @returns the region of the atlas that forbids `kind` now, undefined when it may happen. */
export function forbidden(kind: FaultKind, sight: Sight): Region | undefined {
  return ATLAS.find((r) => r.kinds.includes(kind) && r.excluded(sight));
}
