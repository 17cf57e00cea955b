/**
 * Plays cells of the matrix: those with one cause of death share a world, so that the same fault
 * finds each of them at another moment of its own. A cell is as long before the fault as its seed
 * says: so short that its last message has not left, is with the box, is written and not yet
 * mirrored, has been said and not heard; or long enough to be at rest.
 */

import type { Transport } from '../../src/base/peer.ts';
import { ORACLES } from '../oracle/all.ts';
import { Dice } from '../world/dice.ts';
import { BROADCAST, type Frame, readArp } from '../world/ether.ts';
import { ledgerOf } from '../world/inside.ts';
import { drawOptions, type Options } from '../world/options.ts';
import { product, STREAM_PORTS } from '../world/product.ts';
import { World } from '../world/world.ts';
import type { Death } from './faults.ts';
import { BRIEF_S, PATIENT_MS } from './measures.ts';
import { PHONES, Scene, type Script, type Trouble, type Wait } from './scene.ts';
import type { Actor, State } from './states.ts';

export type Cell = {
  readonly state: State;
  readonly transport: Transport;
  readonly death: Death;
  readonly actor: Actor;
};

export type Verdict = {
  readonly cell: Cell;
  readonly seed: number;
  /** How long before the fault its last act was done. */
  readonly lead: number;
  readonly troubles: readonly Trouble[];
  readonly tale: () => string[];
};

export type Played = {
  readonly seed: number;
  readonly verdicts: readonly Verdict[];
  /** What no single cell is to blame for: promises of the pair. */
  readonly broken: readonly string[];
  readonly virtualMs: number;
};

export function nameOf(cell: Cell): string {
  return `${cell.state.name} ${cell.transport} ${cell.death.name} ${cell.actor}`;
}

const SLICE = 10;
/** From being in step until the fault, when no state needs longer. */
const LEAD = 9000;
/** No cell plays longer than this after the fault. */
const LONGEST = 150_000;
/** When the last cell is over, every row it left has its end within this: 64*T1 twice, and T4. */
const TIDY = 75_000;

type Run = { readonly scene: Scene; readonly script: Script; wait: Wait | undefined; end: number };

function optionsFor(seed: number): Options {
  const drawn = drawOptions(seed);
  return {
    ...drawn,
    phones: 0,
    kinds: [],
    lan: { ...drawn.lan, loss: 0, duplicate: 0, reorder: 0 },
    cable: { ...drawn.cable, loss: 0 },
    pair: { measures: drawn.pair.measures, witness: false, fence: false },
  };
}

/** What a test breaks to see that a cell notices. */
export type Damage = {
  readonly adjust?: (options: Options) => Options;
  readonly sabotage: (world: World) => void;
};

/** Plays cells that die of the same. With `damage` only the cells judge, not the oracles. */
export function play(cells: readonly Cell[], seed: number, damage?: Damage): Played {
  const [first] = cells;
  if (first === undefined) return { seed, verdicts: [], broken: [], virtualMs: 0 };
  const options = damage?.adjust?.(optionsFor(seed)) ?? optionsFor(seed);
  const sip = {
    ...STREAM_PORTS,
    auth: true,
    userTo: 9999,
    noAnswerMs: PATIENT_MS,
    minExpiresS: BRIEF_S,
    sessionExpiresS: 1800,
    minSeS: 90,
  };
  const world = new World({
    options,
    programs: { a: product('a', options.pair, sip), b: product('b', options.pair, sip) },
    oracles: damage === undefined ? ORACLES : [],
  });
  damage?.sabotage(world);
  suppressArp(world);
  const dice = new Dice(seed).fork(first.death.name);
  for (const box of world.pair) {
    box.powerOn();
    box.start();
  }
  advance(world, 20_000, () => world.inStep());
  const lead = Math.max(LEAD, ...cells.map((cell) => cell.state.lead ?? 0));
  const faultAt = world.now + lead + 2000;
  const runs = cells.map((cell, place) => begin(world, dice, cell, place, faultAt));
  world.queue.at(faultAt, () => {
    world.say(`fault: ${first.death.about}`);
    first.death.strike(world, dice.fork('fault'));
  });
  const steps = (): boolean => {
    let left = false;
    for (const run of runs) if (step(run)) left = true;
    return !left;
  };
  advance(world, lead + LONGEST, steps);
  for (const run of runs) if (!run.scene.done) run.scene.trouble('it does not end', '');
  for (let ms = 0; ms < TIDY && untidy(world); ms += 1000) advance(world, 1000, () => false);
  world.look();
  leftovers(world, runs);
  const broken = world.violations.map((v) => `${v.at.toFixed(1)} ${v.oracle}: ${v.text}`);
  if (!world.inStep()) broken.push('the pair is not in step at the end');
  return {
    seed,
    broken,
    virtualMs: world.now,
    verdicts: runs.map((run, i) => ({
      cell: cells[i] as Cell,
      seed,
      lead: faultAt - run.scene.intoAt,
      troubles: run.scene.troubles,
      tale: () => run.scene.tale(),
    })),
  };
}

/**
 * The switch carries a question for an address to whoever may have it, as switches with ARP suppression
 * do: hundreds of hosts that hear each other's questions would be most of the work.
 */
function suppressArp(world: World): void {
  let last: Frame | undefined;
  let target = '';
  world.lan.blocked = (_from, to, frame) => {
    if (frame.kind !== 'arp' || frame.dst !== BROADCAST) return false;
    if (frame !== last) {
      const arp = readArp(frame.bytes);
      last = frame;
      target = arp === undefined || arp.senderIp === arp.targetIp ? '' : arp.targetIp;
    }
    if (target === '') return false;
    return target.startsWith(PHONES) ? to !== target : to !== 'a' && to !== 'b';
  };
}

/** How long before the fault the last act is done. */
function drawLead(dice: Dice): number {
  if (dice.odds(0.65)) return dice.between(0, 3);
  return dice.odds(0.5) ? dice.between(3, 40) : dice.between(100, 1500);
}

function begin(world: World, dice: Dice, cell: Cell, place: number, faultAt: number): Run {
  const own = dice.fork(nameOf(cell));
  const intoAt = faultAt - drawLead(own);
  const moments = { faultAt, intoAt };
  const scene = new Scene(
    world,
    own,
    nameOf(cell),
    cell.transport,
    place,
    moments,
    cell.state.three,
  );
  const script = whole(scene, cell);
  world.queue.at(intoAt, () => {
    if (scene.enteredAt < 0) {
      cell.state.into(scene);
      scene.enteredAt = world.now;
    } else scene.trouble('the state was not reached before the fault', '');
  });
  return { scene, script, wait: undefined, end: 0 };
}

/** A cell from registration to the last answer. */
function* whole(s: Scene, cell: Cell): Script {
  const { state } = cell;
  yield* s.pause(s.dice.between(0, 1200));
  for (const hand of s.hands) hand.begin();
  yield* s.until('everybody is registered', () => s.hands.every((hand) => hand.registered), 5000);
  const begins = s.faultAt - (state.lead ?? LEAD) + 2000 + s.dice.between(0, 1500);
  yield* s.until('it begins', () => s.now >= begins, 1e6);
  yield* state.before(s);
  s.enteredAt = -1;
  yield* s.until('the fault', () => s.now >= s.faultAt, 1e6);
  yield* s.pause(s.dice.pick([0, 30, 400, 3500]));
  yield* (state.next[cell.actor] as (s: Scene) => Script)(s);
}

/** @returns whether it goes on. */
function step(run: Run): boolean {
  const { scene } = run;
  if (scene.done) return false;
  try {
    for (;;) {
      const { wait } = run;
      if (wait !== undefined && !wait.until()) {
        if (scene.now < run.end) return true;
        scene.trouble(`in vain for ${(wait.ms / 1000).toFixed(0)} s: ${wait.what}`, '');
        scene.done = true;
        return false;
      }
      const next = run.script.next();
      if (next.done === true) {
        scene.done = true;
        return false;
      }
      run.wait = next.value;
      run.end = scene.now + next.value.ms;
    }
  } catch (error) {
    scene.trouble(`the script: ${(error as Error).message}`, (error as Error).stack ?? '');
    scene.done = true;
    return false;
  }
}

/** Tables that outlive calls. */
const STAYS = new Set(['binding']);

function untidy(world: World): boolean {
  return world.pair.some((box) =>
    (ledgerOf(box)?.tables.list ?? []).some(
      (table) => !STAYS.has(table.compiled.spec.name) && table.rows.size > 0,
    ),
  );
}

/** Rows nobody needs any more, each with the cell whose it is. */
function leftovers(world: World, runs: readonly Run[]): void {
  for (const box of world.pair) {
    for (const table of ledgerOf(box)?.tables.list ?? []) {
      const { name } = table.compiled.spec;
      if (STAYS.has(name)) continue;
      for (const row of table.rows.values()) {
        const text = JSON.stringify(row);
        const words = Object.values(row)
          .filter((v) => typeof v === 'string')
          .join(' ');
        const owner = runs.find(({ scene }) =>
          scene.hands.some((h) => new RegExp(`(^|\\D)${h.number}(\\D|$)`).test(words)),
        );
        const what = `a row is left in ${name} of box ${box.id}`;
        if (owner === undefined) world.violate('matrix', `${what}: ${text}`);
        else owner.scene.trouble(what, text);
      }
    }
  }
}

function advance(world: World, ms: number, until: () => boolean): boolean {
  const end = world.now + ms;
  let looked = world.now;
  while (world.now < end) {
    if (until()) return true;
    world.queue.runUntil(Math.min(end, world.now + SLICE), () => {});
    if (world.now - looked >= 250) {
      looked = world.now;
      world.look();
    }
  }
  return until();
}
