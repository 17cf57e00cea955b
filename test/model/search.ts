/**
 * Breadth first through everything that can happen, by the number of deviations and then by the
 * number of steps: the first bad history found has the fewest deviations, and of those the fewest
 * steps. Only prints are kept of what was seen; a history is told by doing it again.
 *
 * What is bounded, and what a clean run therefore does not say:
 *   - deviations in total and by kind, steps, states, seconds: `Limits`;
 *   - a deviation may come at any step, but from worlds that look alike from far (`outline`) only
 *     `samples` times for each set of deviations spent; 0 is every time;
 *   - time is a grid of 10 ms, an ordinary message takes one of it; lengths of faults are a few
 *     values (`deviations.ts`);
 *   - the engine is a stand-in; both boxes' clocks run alike; one box's inputs of one moment come
 *     in the order they were sent unless one of them is late.
 */

import { phaseOf, T0 } from './adapter.ts';
import { clone } from './clone.ts';
import { type Budget, DEVIATIONS, outline } from './deviations.ts';
import { printOf } from './print.ts';
import { broken, PATIENCE, settled } from './properties.ts';
import { type Bad, HONEST, type Hooks, Mover, World } from './world.ts';

export type Limits = {
  readonly total: number;
  readonly budget: Budget;
  readonly depth: number;
  readonly states: number;
  readonly seconds: number;
  /** 0: every state. */
  readonly samples: number;
  /** From every how many new states the fair run is made; 0: none. */
  readonly liveEvery: number;
};

/** -1: what is due. Else a deviation. */
export type Choice = number;
export const GO: Choice = -1;

export type Found = Bad & {
  readonly choices: readonly Choice[];
  readonly deviations: number;
};

export type Result = {
  readonly states: number;
  readonly transitions: number;
  readonly fairRuns: number;
  readonly depth: number;
  /** Deviations for which everything within the limits was seen. */
  readonly complete: number;
  readonly stopped: 'nothing left' | 'states' | 'seconds' | 'found';
  readonly found: readonly Found[];
  readonly seconds: number;
  readonly capped: boolean;
};

/** The pair switched on for the first time, led to where it has nothing to do. */
export function steadyPair(hooks: Hooks = HONEST): World {
  const w = new World();
  const m = new Mover(w, hooks);
  m.boot(w.a);
  // heartbeats of the two need not be in time with each other
  w.later.push({ at: w.now + 40, deed: { kind: 'boot', box: 'b' } });
  while (w.now < T0 + 5000) m.advance();
  if (!settled(w)) throw new Error('the pair does not come up');
  return w;
}

/** Two new boxes, just switched on. */
export function coldPair(hooks: Hooks = HONEST): World {
  const w = new World();
  const m = new Mover(w, hooks);
  m.boot(w.a);
  m.boot(w.b);
  return w;
}

export function act(w: World, choice: Choice, hooks: Hooks): boolean {
  const m = new Mover(w, hooks);
  if (choice === GO) return m.advance();
  const d = DEVIATIONS[choice]!;
  hooks.tell?.('-', `*** ${d.label}`);
  w.used = { ...w.used, [d.kind]: (w.used[d.kind] ?? 0) + 1 };
  d.run(m, w);
  m.check();
  return true;
}

/** Everything is put right, and nothing more happens. */
export function heal(w: World, hooks: Hooks): void {
  const m = new Mover(w, hooks);
  hooks.tell?.('-', '*** everything is put right');
  // who was told to go goes, and comes back
  for (const { deed } of w.later) if (deed.kind === 'stop') m.stop(w.box(deed.box), true);
  w.later = w.later.filter((l) => l.deed.kind === 'connect');
  m.setCrossover(true);
  w.witness = true;
  for (const box of [w.a, w.b]) {
    m.setLan(box, true);
    box.port = true;
    box.witness = true;
    m.thaw(box);
    m.loosen(box);
    m.boot(box);
  }
}

type Node = { readonly w: World; readonly id: number; readonly choice: Choice };

export class Search {
  private readonly limits: Limits;
  private readonly hooks: Hooks;
  private readonly seen = new Map<number, number>();
  private readonly parent: number[] = [];
  private readonly chosen: Choice[] = [];
  private readonly looks = new Map<string, number>();
  private readonly live = new Set<number>();
  private readonly found = new Map<string, Found>();
  private readonly began = process.hrtime.bigint();
  private transitions = 0;
  private fairRuns = 0;
  private deepest = 0;
  private capped = false;
  private stopped: Result['stopped'] | undefined;
  /** One finding of each property, or the first only. */
  private readonly all: boolean;
  onProgress: ((text: string) => void) | undefined;

  constructor(limits: Limits, hooks: Hooks = HONEST, all = false) {
    this.limits = limits;
    this.hooks = hooks;
    this.all = all;
  }

  run(root: World): Result {
    this.note(root, -1, GO);
    let layer: Map<number, Node[]> = new Map([[0, [{ w: root, id: 0, choice: GO }]]]);
    let complete = -1;
    for (let spent = 0; spent <= this.limits.total && layer.size > 0; spent += 1) {
      const next: Map<number, Node[]> = new Map();
      this.layer(layer, next, spent);
      if (this.stopped !== undefined) break;
      complete = spent;
      const said = `${this.seen.size} states, ${this.seconds().toFixed(0)} s, ${this.memory()} MB`;
      this.onProgress?.(`${spent} deviations done: ${said}`);
      layer = next;
    }
    return {
      states: this.seen.size,
      transitions: this.transitions,
      fairRuns: this.fairRuns,
      depth: this.deepest,
      complete,
      stopped: this.stopped ?? 'nothing left',
      found: [...this.found.values()],
      seconds: this.seconds(),
      capped: this.capped,
    };
  }

  private memory(): string {
    return (process.memoryUsage().rss / 1e6).toFixed(0);
  }

  private seconds(): number {
    return Number(process.hrtime.bigint() - this.began) / 1e9;
  }

  /** All histories with this many deviations, by their number of steps. */
  private layer(at: Map<number, Node[]>, next: Map<number, Node[]>, spent: number): void {
    let going: Node[] = [];
    const last = Math.max(...at.keys());
    for (let depth = Math.min(...at.keys()); going.length > 0 || depth <= last; depth += 1) {
      if (depth > this.limits.depth) return;
      const nodes = [...going, ...(at.get(depth) ?? [])];
      at.delete(depth);
      going = [];
      for (const node of nodes) {
        this.expand(node, depth, spent, going, next);
        if (this.stopped !== undefined) return;
      }
    }
  }

  private expand(
    node: Node,
    depth: number,
    spent: number,
    going: Node[],
    next: Map<number, Node[]>,
  ): void {
    let { id } = node;
    let w = node.w;
    if (node.choice !== GO) {
      // a deviation that was only planned: the world was shared with its sisters
      w = clone(node.w);
      act(w, node.choice, this.hooks);
      this.transitions += 1;
      id = this.note(w, node.id, node.choice);
      if (id < 0) return;
    }
    this.deepest = Math.max(this.deepest, depth);
    if (spent < this.limits.total) this.plan(w, id, depth, next);
    const on = clone(w);
    if (!act(on, GO, this.hooks)) return;
    this.transitions += 1;
    const to = this.note(on, id, GO);
    if (to >= 0) going.push({ w: on, id: to, choice: GO });
  }

  private plan(w: World, id: number, depth: number, next: Map<number, Node[]>): void {
    const { samples, budget } = this.limits;
    if (samples > 0) {
      const look = `${outline(w)}|${Object.entries(w.used).sort().join()}`;
      const n = this.looks.get(look) ?? 0;
      if (n >= samples) {
        this.capped = true;
        return;
      }
      this.looks.set(look, n + 1);
    }
    for (let choice = 0; choice < DEVIATIONS.length; choice += 1) {
      const d = DEVIATIONS[choice]!;
      if ((w.used[d.kind] ?? 0) >= budget[d.kind] || !d.can(w)) continue;
      const list = next.get(depth + 1);
      if (list === undefined) next.set(depth + 1, [{ w, id, choice }]);
      else list.push({ w, id, choice });
    }
  }

  /** @returns its number, or -1 when it was seen before or nothing is to come after it. */
  private note(w: World, parent: number, choice: Choice): number {
    const print = printOf(w, true);
    if (this.seen.has(print)) return -1;
    const id = this.parent.length;
    this.seen.set(print, id);
    this.parent.push(parent);
    this.chosen.push(choice);
    if (w.bad === undefined) this.fair(w, id);
    if (w.bad !== undefined) {
      this.report(w.bad, id);
      return -1;
    }
    if (this.seen.size >= this.limits.states) this.stopped = 'states';
    else if ((id & 63) === 0 && this.seconds() > this.limits.seconds) this.stopped = 'seconds';
    return id;
  }

  private report(bad: Bad, id: number): void {
    if (this.found.has(bad.property)) return;
    const choices = this.choices(id);
    const deviations = choices.filter((c) => c !== GO).length;
    this.found.set(bad.property, { ...bad, choices, deviations });
    if (!this.all) this.stopped = 'found';
  }

  private choices(id: number): Choice[] {
    const list: Choice[] = [];
    for (let i = id; i > 0; i = this.parent[i]!) list.unshift(this.chosen[i]!);
    return list;
  }

  /** From here, when all is put right and nothing more happens, the pair must settle. */
  private fair(w: World, id: number): void {
    const every = this.limits.liveEvery;
    if (every === 0 || id % every !== 0) return;
    this.fairRuns += 1;
    const on = clone(w);
    heal(on, this.hooks);
    const trail: number[] = [];
    const m = new Mover(on, this.hooks);
    const end = on.now + PATIENCE;
    while (!settled(on)) {
      if (on.bad !== undefined) break;
      if (on.now > end || !m.advance()) {
        broken(w, 'live', stuck(on));
        return;
      }
      const print = printOf(on, false);
      if (this.live.has(print)) break;
      trail.push(print);
    }
    if (on.bad !== undefined) w.bad = { ...on.bad, text: `${on.bad.text} (when all is put right)` };
    else for (const print of trail) this.live.add(print);
  }
}

function stuck(w: World): string {
  const say = (box: World['a']): string =>
    `${box.id} ${box.sentry === undefined ? 'off' : phaseOf(box.sentry)}, engine ${
      box.engine.role
    } ${box.engine.feed} ${box.engine.follow}`;
  return `not settled after ${PATIENCE / 1000} s: ${say(w.a)}; ${say(w.b)}`;
}
