/**
 * One run: boot, safety, liveness.
 *
 *   boot       both boxes start; within 10 s one is primary and the pair is in step
 *   safety     phones call each other all the time, the injector breaks what it may; oracles watch
 *   liveness   everything is healed; within bounded virtual time: exactly one primary, pair in step;
 *              every standing call takes a re-INVITE and a BYE from a random side; new calls connect
 *              and end; nothing is left over
 *
 * The first broken promise ends a run.
 */

import { AssertionFailed } from '../../src/base/assert.ts';
import type { BoxId } from '../../src/pair/terms.ts';
import { ORACLES } from '../oracle/all.ts';
import { isEstablished } from './book.ts';
import { centreSite } from './centre.ts';
import { Injector } from './faults.ts';
import { drawOptions, type Options } from './options.ts';
import { type Configured, product, STREAM_PORTS } from './product.ts';
import { type Violation, World } from './world.ts';

export type RunSettings = {
  readonly seed: number;
  /** Changes the drawn options, for stories about one thing. */
  readonly adjust?: (drawn: Options) => Options;
  /** Breaks something under an oracle, before the first event. */
  readonly sabotage?: (world: World) => void;
  /** Does what an operator does while everything else happens. */
  readonly operate?: (world: World, programs: Readonly<Record<BoxId, Configured>>) => void;
  readonly print?: ((line: string) => void) | undefined;
  readonly verbose?: boolean;
  readonly capture?: boolean;
  readonly only?: string | undefined;
};

export type RunResult = {
  readonly seed: number;
  readonly hash: number;
  readonly violations: readonly Violation[];
  readonly world: World;
  readonly injector: Injector;
};

/** The longest things may take in the liveness phase, ms of virtual time. */
const CONVERGE = 15_000;
const SLICE = 20;
const QUIET = 100;

class Stop extends Error {}

/** Runs the world of `seed` to its end or to the first broken promise. */
export function run(settings: RunSettings): RunResult {
  const drawn = drawOptions(settings.seed);
  const options = settings.adjust?.(drawn) ?? drawn;
  const { centre } = options;
  const sip = {
    ...(options.streams > 0 ? STREAM_PORTS : {}),
    ...(centre === undefined ? {} : { csta: true, site: centreSite(centre) }),
  };
  const programs = {
    a: product('a', options.pair, sip),
    b: product('b', options.pair, sip),
  };
  const world = new World({
    options,
    programs,
    oracles: ORACLES,
    print: settings.print,
    verbose: settings.verbose === true,
    capture: settings.capture === true,
    only: settings.only,
  });
  const injector = new Injector(world);
  settings.sabotage?.(world);
  settings.operate?.(world, programs);
  try {
    play(world, injector);
  } catch (error) {
    if (error instanceof AssertionFailed || (error instanceof Error && !(error instanceof Stop))) {
      world.violate('assertion', `${error.message}\n${error.stack ?? ''}`);
    } else if (!(error instanceof Stop)) throw error;
  }
  return {
    seed: settings.seed,
    hash: world.hash,
    violations: world.violations,
    world,
    injector,
  };
}

function play(world: World, injector: Injector): void {
  const { queue, dice } = world;
  const start = dice.fork('start');
  for (const box of world.pair) {
    queue.after(start.between(0, 500), () => {
      box.powerOn();
      box.start();
    });
  }
  const quiet = (): void => {
    world.look();
    queue.after(QUIET, quiet);
  };
  queue.after(QUIET, quiet);
  if (!advance(world, CONVERGE, () => world.inStep())) {
    demand(world, 'cold start: one primary and a backup in step');
  }
  const { centre } = world;
  centre?.start();
  if (centre !== undefined && !advance(world, CONVERGE, () => centre.witnessed)) {
    demand(world, 'a program is heard');
  }
  world.say('safety phase');
  world.traffic.start();
  centre?.work();
  world.stranger?.start();
  injector.start();
  advance(world, world.options.safetyMs, () => false);
  liveness(world, injector);
}

function liveness(world: World, injector: Injector): void {
  world.say('liveness phase: everything is healed');
  world.traffic.stopDialing();
  world.centre?.rest();
  // a cable that loses keeps a busy pair out of step for seconds each time, and would for ever
  world.cable.sound = true;
  injector.healAll();
  advance(world, 1, () => false);
  // a second repair may have been waiting for the first (power, then the process)
  injector.healAll();
  if (!advance(world, CONVERGE, () => world.inStep())) {
    demand(world, 'after healing: one primary and a backup in step');
  }
  advance(world, 3000, () => false);
  world.say('liveness phase: every standing call is updated and ended');
  endAll(world);
  world.say('liveness phase: new calls');
  const calls = world.traffic.callAround();
  const up = (): boolean => calls.every((call) => isEstablished(call) || call.failure !== '');
  if (!advance(world, CONVERGE, up)) demand(world, 'new calls connect');
  world.traffic.controlAll();
  advance(world, CONVERGE, () => world.book.established().length === 0);
  if (world.book.established().length > 0) demand(world, 'every call can be ended');
  advance(world, 2000, () => false);
  world.look();
  // a lost segment on the crossover may have made an acknowledgement late just now
  if (!advance(world, CONVERGE, () => world.inStep())) demand(world, 'the pair stays in step');
  closeCentre(world);
  world.end();
  if (world.violations.length > 0) throw new Stop();
}

/** Every request is answered; what stands is looked at, then ended by the phones. */
function closeCentre(world: World): void {
  const { centre } = world;
  if (centre === undefined) return;
  world.say('liveness phase: programs are answered, and their calls end');
  // whatever is not answered by then is the affair of requests-done-once
  advance(world, CONVERGE, () => centre.idle);
  advance(world, SETTLE, () => false);
  const primary = world.primary();
  if (primary !== undefined) centre.look(primary);
  for (let round = 0; round < CENTRE_ROUNDS && !centre.quiet; round += 1) {
    centre.hangUp();
    advance(world, CONVERGE, () => centre.quiet);
  }
  if (!centre.quiet) demand(world, 'every call of the centre ends');
  advance(world, SETTLE, () => false);
  if (primary !== undefined) centre.look(primary);
  centre.close(world.pair);
}

/** What phones still have to say to each other when nobody wants anything any more, ms. */
const SETTLE = 3000;
const CENTRE_ROUNDS = 4;

/** A call that was held up by the LAN may be answered now only: it is ended in a later round. */
const ROUNDS = 4;

function endAll(world: World): void {
  const idle = (): boolean => world.phones.every((phone) => phone.calls.busy() === 0);
  for (let round = 0; round < ROUNDS && !idle(); round += 1) {
    world.traffic.controlAll();
    advance(world, CONVERGE, idle);
  }
  advance(world, 2000, () => false);
  if (!idle()) demand(world, 'every call from before ends');
}

function demand(world: World, what: string): void {
  world.violate('liveness', `demanded within ${CONVERGE / 1000} s: ${what}`);
  throw new Stop();
}

/** Lets time pass until `until` holds. @returns whether it did within `ms`. */
function advance(world: World, ms: number, until: () => boolean): boolean {
  const end = world.now + ms;
  const { queue, violations } = world;
  while (world.now < end) {
    if (until()) return true;
    queue.runUntil(Math.min(end, world.now + SLICE), () => {
      if (violations.length > 0) throw new Stop();
    });
  }
  return until();
}
