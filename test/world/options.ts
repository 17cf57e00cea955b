/**
 * Swarm, not soup: a run first draws *which kinds* of fault exist in it, then their rates. Runs in
 * which everything happens at once all look alike; runs in which two things happen often find what
 * those two do to each other. The whole draw is printed before the first event.
 */

import type { Redundancy } from '../../src/pair/terms.ts';
import type { BoxOptions } from './box.ts';
import type { CentreDraw } from './centre.ts';
import type { CableFaults } from './crossover.ts';
import { Dice } from './dice.ts';
import { worldSession } from './manner.ts';
import type { LanFaults } from './switch.ts';
import type { CallMix } from './traffic.ts';

export const FAULT_KINDS = [
  'kill-primary',
  'kill-backup',
  'power-primary',
  'power-backup',
  'switchover',
  'freeze-primary',
  'cut-x',
  'deaf',
  'restart-alone',
  'wall-step',
] as const;
/** Drawn apart from the others, so that what a seed meant before they came is what it means. */
export const DISK_FAULTS = ['disk-stall', 'disk-full', 'disk-read-only', 'disk-damage'] as const;

/**
 * Faults of the service LAN, of the engine alone, and of both paths. They are drawn from a stream of
 * their own: adding one moves none of the others.
 */
export const LAN_FAULT_KINDS = [
  'pull-lan-primary',
  'pull-lan-backup',
  'dead-port-primary',
  'dead-port-backup',
  'lan-gone',
  'gateway-off',
  'engine-stuck',
  'freeze-backup',
  'isolate-primary',
  'isolate-backup',
  'lossy-x',
] as const;
export const ALL_FAULT_KINDS = [...FAULT_KINDS, ...DISK_FAULTS, ...LAN_FAULT_KINDS] as const;
export type FaultKind = (typeof ALL_FAULT_KINDS)[number];

/** What each kind is, for the picture and the manual of the simulator. */
export const FAULT_TEXT: { readonly [K in FaultKind]: string } = {
  'kill-primary': 'kill -9 of the primary, started again later',
  'kill-backup': 'kill -9 of the backup, started again later',
  'power-primary': 'power cut at the primary, back later',
  'power-backup': 'power cut at the backup, back later',
  'freeze-primary': 'the primary is frozen (SIGSTOP, a paused machine) and thawed later',
  switchover: 'planned switchover by the operator',
  'cut-x': 'crossover cut, healed later',
  deaf: 'crossover cut and heartbeats lost on the LAN, which carries everything else',
  'restart-alone': 'kill -9 of a primary that is alone; it starts again from its disk',
  'wall-step': 'the wall clock of a box is stepped by two hours or two years, either way',
  'pull-lan-primary': 'the LAN cable of the primary is pulled (link case 4)',
  'pull-lan-backup': 'the LAN cable of the backup is pulled (link case 3)',
  'dead-port-primary': 'the switch port of the primary carries nothing, its carrier stays (case 4)',
  'dead-port-backup': 'the switch port of the backup carries nothing, its carrier stays (case 3)',
  'lan-gone': 'the LAN is gone for both boxes (link case 5)',
  'gateway-off': 'the gateway, the witness, is switched off',
  'engine-stuck': 'the engine of the primary takes no turns any more, its sentry lives',
  'freeze-backup': 'the backup is frozen (SIGSTOP, a paused machine) and thawed later',
  'isolate-primary': 'crossover cut and the port of the primary dead (link case 7)',
  'isolate-backup': 'crossover cut and the port of the backup dead (link case 6)',
  'lossy-x': 'the crossover loses 10 % and delays by up to 50 ms',
  'disk-stall': 'the disk answers nothing for up to ten seconds',
  'disk-full': 'the disk is full for a while',
  'disk-read-only': 'the disk is read-only for a while',
  'disk-damage': 'the database is damaged, found at the next commit or start',
};

/** What of the pair's own settings a run draws. */
export type PairDraw = {
  /** The gateway is the witness. */
  readonly witness: boolean;
  /** A fence that cuts the power of the other box. */
  readonly fence: boolean;
  /** The measures a box ships with, or shorter ones. */
  readonly measures: 'shipped' | 'short';
  /** Hot standby unless said. */
  readonly redundancy?: Redundancy;
  /** Session interval the pair asks for, seconds; 0 unless said. */
  readonly sessionS?: number;
};

export type Options = {
  readonly seed: number;
  readonly phones: number;
  /** Odds that a phone speaks over a stream instead of datagrams. */
  readonly streams: number;
  readonly kinds: readonly FaultKind[];
  /** Mean time between faults, ms. */
  readonly faultGap: number;
  /** Share of faults that wait for a moment when the boxes are talking, and strike into it. */
  readonly aimed: number;
  /** How long a fault lasts, ms. */
  readonly repair: readonly [number, number];
  /** Length of the safety phase, ms. */
  readonly safetyMs: number;
  readonly mix: CallMix;
  readonly lan: LanFaults;
  readonly cable: CableFaults;
  readonly box: BoxOptions;
  readonly pair: PairDraw;
  /** Mean pause between two bursts of a hostile host on the LAN, ms; none unless said. */
  readonly stranger?: number;
  /** A contact centre besides; none unless said. */
  readonly centre?: CentreDraw | undefined;
};

/** @returns the options of a run. The same seed gives the same. */
export function drawOptions(seed: number): Options {
  const dice = new Dice(seed).fork('options');
  const kinds: FaultKind[] = FAULT_KINDS.filter(() => dice.odds(0.4));
  if (kinds.length === 0) kinds.push(dice.pick(FAULT_KINDS));
  const lanDice = new Dice(seed).fork('lan faults');
  // a few of many: two kinds that meet often tell more than twelve that meet once
  const lanKinds = lanDice.odds(0.3) ? [] : LAN_FAULT_KINDS.filter(() => lanDice.odds(0.25));
  const disks = new Dice(seed).fork('disk faults');
  const diskKinds = disks.odds(0.35) ? DISK_FAULTS.filter(() => disks.odds(0.5)) : [];
  const manners = new Dice(seed).fork('manners');
  const streamDice = new Dice(seed).fork('stream phones');
  const watching = new Dice(seed).fork('watching');
  const moves = new Dice(seed).fork('moves');
  const strange = new Dice(seed).fork('stranger');
  const quiet = dice.odds(0.5);
  const loss = quiet ? 0 : dice.pick([0, 0.002, 0.01]);
  const slowDisk = dice.odds(0.3);
  const drawn: Options = {
    seed,
    phones: dice.whole(3, 12),
    streams: streamDice.odds(0.4) ? streamDice.pick([0.3, 0.6, 1]) : 0,
    kinds: [...kinds, ...diskKinds, ...lanKinds],
    faultGap: dice.pick([1500, 3000, 6000]),
    aimed: dice.pick([0, 0.5, 1]),
    repair: dice.pick([
      [100, 1000],
      [500, 6000],
      [20, 200],
    ] as const),
    safetyMs: dice.whole(15_000, 30_000),
    mix: {
      answer: 6,
      refuse: dice.pick([0, 1, 2]),
      cancel: dice.pick([0, 1, 2]),
      unknown: dice.pick([0, 0.5]),
      gap: dice.pick([400, 1500, 4000]),
      ring: dice.pick([
        [30, 300],
        [500, 4000],
      ] as const),
      talk: dice.pick([
        [100, 1500],
        [1000, 12_000],
      ] as const),
      endless: dice.pick([0.1, 0.3]),
      update: dice.pick([0, 0.3, 0.6]),
      manners: { odds: manners.pick([0, 0.4, 1, 1]), seed: manners.u32() },
      watch: watching.pick([0, 0.3, 0.8]),
      transfer: moves.pick([0, 0.2, 0.6]),
      redirect: moves.pick([0, 0.1]),
    },
    lan: {
      loss,
      duplicate: quiet ? 0 : dice.pick([0, 0.01]),
      reorder: quiet ? 0 : dice.pick([0, 0.01]),
      latency: [0.05, dice.pick([0.2, 2])],
    },
    cable: {
      latency: [0.04, dice.pick([0.15, 1])],
      loss: dice.pick([0, 0, 0.001]),
      splits: dice.pick([0, 0.1]),
      carrierFalls: dice.odds(0.5),
    },
    box: {
      vipLifetimeS: 2,
      ppm: dice.pick([0, 5, 50]),
      disk: {
        commit: slowDisk ? 4 : 0.5,
        sync: slowDisk ? 15 : 2,
        stall: dice.pick([0, 0.01]),
      },
      pace: {
        turn: [0.02, 0.15],
        pause: dice.pick([0, 0.002]),
        pauseMs: [1, 15],
      },
    },
    pair: {
      witness: lanDice.odds(0.7),
      fence: lanDice.odds(0.25),
      measures: lanDice.odds(0.5) ? 'shipped' : 'short',
    },
  };
  const stranger = strange.pick([0, 0, 0, 300, 1500]);
  const centre = drawCentre(seed);
  return {
    ...drawn,
    stranger,
    centre,
    pair: { ...drawn.pair, sessionS: worldSession(drawn.repair[1]) },
  };
}

/** In a share of the runs; drawn apart from all else. */
function drawCentre(seed: number): CentreDraw | undefined {
  const dice = new Dice(seed).fork('centre');
  if (!dice.odds(0.25)) return undefined;
  return {
    programs: dice.whole(1, 4),
    phones: dice.whole(3, 8),
    gapMs: dice.pick([100, 300, 1000]),
    callGapMs: dice.pick([0, 2000, 8000]),
  };
}

/** One line for the head of a run. */
export function describe(o: Options): string {
  const lan = `loss ${o.lan.loss} dup ${o.lan.duplicate} reorder ${o.lan.reorder}`;
  return (
    `seed ${o.seed}: ${o.phones} phones, ${(o.safetyMs / 1000).toFixed(0)} s, ` +
    `faults every ${o.faultGap} ms for ${o.repair.join('..')} ms, ${o.aimed * 100} % aimed: ${o.kinds.join(', ')}; ` +
    `lan ${lan} ${o.lan.latency[1]} ms; x loss ${o.cable.loss} ${o.cable.latency[1]} ms; ` +
    (o.streams > 0 ? `${o.streams * 100} % of phones over streams; ` : '') +
    `disk ${o.box.disk.sync} ms; ${o.pair.measures} measures${o.pair.witness ? ', witness' : ''}` +
    `${o.pair.fence ? ', fence' : ''}; calls every ${o.mix.gap} ms, talk ${o.mix.talk.join('..')} ms` +
    (o.mix.watch > 0 ? `, ${o.mix.watch * 100} % watch` : '') +
    `, transfer ${o.mix.transfer}, redirect ${o.mix.redirect}` +
    (o.centre === undefined
      ? ''
      : `, ${o.centre.programs} programs with ${o.centre.phones} phones, a wish every ${o.centre.gapMs} ms`) +
    ((o.stranger ?? 0) > 0 ? `, a stranger every ${o.stranger} ms` : '')
  );
}
