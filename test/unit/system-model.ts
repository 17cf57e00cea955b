/**
 * Two commit machines, a cable and their disks, stepped through every small history: each choice of what
 * happens next (a message arrives, the cable is cut, a box is power-cut while idle or in the middle of
 * writing, a disk is full, time passes, an operator types) is taken in turn. States that were seen before
 * are not gone through again. After every choice the world is healed, and must be right.
 */

import { Commit } from '../../src/panel/system/commit.ts';
import type {
  CommitEffect,
  CommitInput,
  CommitMessage,
  CommitRequest,
  Durable,
  StoredFile,
} from '../../src/panel/system/commit-terms.ts';
import { EMPTY, type Entry } from '../../src/panel/system/revision.ts';
import type { Tree } from '../../src/panel/system/terms.ts';

export type Side = 'a' | 'b';
export type Typed = { readonly at: Side; readonly tree?: string; readonly min?: number };
type Trap = 'before' | 'first' | 'after' | 'full';

type Box = {
  machine: Commit;
  disk: Durable;
  readonly revisions: Map<number, Entry>;
  /** What the machine of this box runs with. */
  applied: string;
  trap: Trap | undefined;
  readonly answers: Map<number, { readonly ok?: true; readonly error?: string }>;
  readonly alarms: Map<string, string>;
};

const OTHER = { a: 'b', b: 'a' } as const;
/** 2026-01-01, so that nothing by chance begins at nought. */
const WALL = 1_767_225_600_000;

function textOf(tree: Tree): string {
  return String(tree['site'] ?? '');
}

export class World {
  readonly boxes: { readonly [s in Side]: Box };
  readonly typed: Typed[] = [];
  faults = 0;
  private readonly script: readonly Typed[];
  private up = false;
  private readonly queues: { readonly [s in Side]: CommitMessage[] } = { a: [], b: [] };
  private now = 1000;

  constructor(script: readonly Typed[], linked: boolean) {
    this.script = script;
    this.boxes = { a: this.fresh('a'), b: this.fresh('b') };
    if (linked) this.link();
  }

  private fresh(side: Side): Box {
    const disk: Durable = { active: EMPTY };
    return {
      disk,
      machine: this.started(side, disk),
      revisions: new Map(),
      applied: '',
      trap: undefined,
      answers: new Map(),
      alarms: new Map(),
    };
  }

  private started(side: Side, disk: Durable): Commit {
    const judge = (tree: Tree) =>
      textOf(tree) === 'wrong' ? [{ code: 'config-shape', place: 'site', text: 'no' }] : [];
    const settings = {
      box: side,
      judge,
      vet: judge,
      restarts: () => [],
    };
    return new Commit(settings, structuredClone(disk), this.moment());
  }

  private moment(): { now: number; wall: number } {
    return { now: this.now, wall: WALL + this.now };
  }

  // ── what can happen ──────────────────────────────────────────────────────────────────────────

  /** Names of what may happen next; `faults` more may. */
  choices(faults: number): string[] {
    const all: string[] = [];
    if (this.typed.length < this.script.length) all.push('type');
    for (const s of ['a', 'b'] as const) if (this.queues[s].length > 0) all.push(`to ${s}`);
    if (!this.up) all.push('link');
    if (this.due() < Number.POSITIVE_INFINITY) all.push('time');
    if (this.faults >= faults) return all;
    if (this.up) all.push('cut');
    for (const s of ['a', 'b'] as const) {
      all.push(`crash ${s}`);
      if (this.boxes[s].trap !== undefined) continue;
      for (const trap of ['before', 'first', 'after', 'full']) all.push(`trap ${s} ${trap}`);
    }
    return all;
  }

  choose(choice: string): void {
    const [what = '', side = '', trap = ''] = choice.split(' ');
    const s = side as Side;
    if (what === 'type') this.type();
    else if (what === 'to') this.deliver(s);
    else if (what === 'link') this.link();
    else if (what === 'time') this.pass();
    else {
      this.faults += 1;
      if (what === 'cut') this.cut();
      else if (what === 'crash') this.crash(s);
      else this.boxes[s].trap = trap as Trap;
    }
  }

  /** Everything that tells this state from another. */
  key(): string {
    const side = (s: Side): unknown => {
      const { machine, disk, applied, trap, answers } = this.boxes[s];
      const left = machine.deadline() - this.now;
      const {
        mine,
        pair: _,
        ...rest
      } = machine as unknown as { mine?: { phase: string } } & {
        pair: unknown;
      };
      const inside = [rest, mine?.phase].map((x) => JSON.stringify(x));
      return [disk, applied, trap, [...answers], left, inside, this.queues[s]];
    };
    return JSON.stringify([side('a'), side('b'), this.up, this.typed.length, this.faults]);
  }

  private type(): void {
    const typed = this.script[this.typed.length] as Typed;
    const id = this.typed.push(typed);
    const base = this.boxes[typed.at].machine.active.entry.number;
    const request: CommitRequest =
      typed.tree === undefined
        ? { kind: 'confirm', id }
        : {
            kind: 'commit',
            id,
            base,
            tree: { site: typed.tree },
            by: 'admin',
            comment: '',
            confirmMin: typed.min ?? 0,
          };
    this.tell(typed.at, request);
  }

  private deliver(s: Side): void {
    const message = this.queues[s].shift();
    if (message !== undefined) this.tell(s, { kind: 'message', message });
  }

  private link(): void {
    this.up = true;
    for (const s of ['a', 'b'] as const) this.tell(s, { kind: 'link-up', release: '' });
  }

  private cut(): void {
    if (!this.up) return;
    this.up = false;
    this.queues.a.length = 0;
    this.queues.b.length = 0;
    for (const s of ['a', 'b'] as const) {
      if (this.boxes[s].machine.linkUp) this.tell(s, { kind: 'link-down' });
    }
  }

  private crash(s: Side): void {
    const box = this.boxes[s];
    box.trap = undefined;
    box.machine = this.started(s, box.disk);
    box.applied = textOf(box.disk.active.entry.tree);
    this.cut();
  }

  private due(): number {
    return Math.min(this.boxes.a.machine.deadline(), this.boxes.b.machine.deadline());
  }

  private pass(): void {
    this.now = Math.max(this.now, this.due());
    for (const s of ['a', 'b'] as const) {
      if (this.boxes[s].machine.deadline() <= this.now) this.tell(s, { kind: 'tick' });
    }
  }

  // ── doing ────────────────────────────────────────────────────────────────────────────────────

  private tell(s: Side, input: CommitInput): void {
    const out: CommitEffect[] = [];
    const box = this.boxes[s];
    const { machine } = box;
    machine.step(this.moment(), input, out);
    for (let effect = out.shift(); effect !== undefined; effect = out.shift()) {
      if (effect.kind !== 'store') {
        this.perform(s, effect);
        continue;
      }
      if (out.length > 0) throw new Error('a store is the last effect');
      const fault = this.store(box, effect.files);
      if (fault === 'crash') {
        this.crash(s);
        return;
      }
      machine.step(this.moment(), { kind: 'stored', fault }, out);
    }
  }

  private store(box: Box, files: readonly StoredFile[]): string {
    const { trap } = box;
    box.trap = undefined;
    if (trap === 'full') return 'the file system is full (ENOSPC)';
    if (trap === 'before') return 'crash';
    for (const [i, file] of files.entries()) {
      if (file.name === 'revision') box.revisions.set(file.content.number, file.content);
      else if (file.content === undefined) box.disk = { active: box.disk.active };
      else box.disk = { ...box.disk, [file.name]: structuredClone(file.content) } as Durable;
      if (trap === 'first' && i === 0) return 'crash';
    }
    return trap === 'after' ? 'crash' : '';
  }

  private perform(s: Side, effect: CommitEffect): void {
    const box = this.boxes[s];
    if (effect.kind === 'send' && this.up)
      this.queues[OTHER[s]].push(structuredClone(effect.message));
    else if (effect.kind === 'answer') {
      if (box.answers.has(effect.id)) throw new Error('answered twice');
      box.answers.set(effect.id, effect.value);
    } else if (effect.kind === 'apply') box.applied = textOf(effect.entry.tree);
    else if (effect.kind === 'drop-link') {
      // the machine has done with it already
      this.up = false;
      this.queues.a.length = 0;
      this.queues.b.length = 0;
      const other = OTHER[s];
      if (this.boxes[other].machine.linkUp) this.tell(other, { kind: 'link-down' });
    } else if (effect.kind === 'alarm') {
      if (effect.text === '') box.alarms.delete(effect.code);
      else box.alarms.set(effect.code, effect.text);
    }
  }

  // ── after the storm ──────────────────────────────────────────────────────────────────────────

  private settle(): void {
    for (let n = 0; this.queues.a.length + this.queues.b.length > 0; n += 1) {
      if (n > 200) throw new Error('they never stop talking');
      this.deliver(this.queues.a.length > 0 ? 'a' : 'b');
    }
  }

  /** Heals everything and waits until nothing is due. @returns what is wrong, '' for nothing. */
  quiet(): string {
    this.boxes.a.trap = undefined;
    this.boxes.b.trap = undefined;
    if (!this.up) this.link();
    this.settle();
    for (let n = 0; this.due() < Number.POSITIVE_INFINITY; n += 1) {
      if (n > 50) return 'something is always due';
      this.pass();
      if (!this.up) this.link();
      this.settle();
    }
    return this.wrong();
  }

  private wrong(): string {
    const { a, b } = this.boxes;
    const active = a.machine.active.entry;
    if (active.id !== b.machine.active.entry.id) return 'the boxes differ';
    if (JSON.stringify(active) !== JSON.stringify(b.machine.active.entry))
      return 'one id, two things';
    const tree = textOf(active.tree);
    for (const box of [a, b]) {
      if (box.applied !== tree) return `runs with ${box.applied}, active is ${tree}`;
      if (box.disk.active.entry.id !== active.id) return 'the disk has another';
      if (box.machine.prepared !== undefined) return 'something prepared is left over';
      if (box.machine.active.provisional !== undefined) return 'still provisional';
    }
    return this.promises(tree, active);
  }

  private promises(tree: string, active: Entry): string {
    let confirmed = false;
    let commits = 0;
    this.typed.forEach((t) => {
      if (t.tree !== undefined) commits += 1;
    });
    for (const [i, typed] of this.typed.entries()) {
      const answer = this.boxes[typed.at].answers.get(i + 1);
      if (typed.tree === undefined && answer?.ok === true) confirmed = true;
    }
    const unkept = this.typed.every((t) => t.tree !== undefined && (t.min ?? 0) > 0);
    if (unkept && tree !== '') return `nobody confirmed ${tree}, and it is in force`;
    for (const [i, typed] of this.typed.entries()) {
      if (typed.tree === undefined) continue;
      const answer = this.boxes[typed.at].answers.get(i + 1);
      if (answer?.error !== undefined && tree === typed.tree) return 'refused, and in force';
      if (typed.tree === 'wrong' && tree === 'wrong') return 'a faulty one is in force';
      if (commits > 1) continue;
      const said = this.typed.some((t) => t.tree === undefined);
      if ((typed.min ?? 0) > 0 && !confirmed && !said && tree === typed.tree) {
        return 'nobody confirmed it, and it is in force';
      }
      const stays = (typed.min ?? 0) === 0 || confirmed;
      if (answer?.ok === true && stays && tree !== typed.tree) return 'promised, and not in force';
    }
    for (const { revisions } of Object.values(this.boxes)) {
      for (const [number, entry] of revisions) {
        if (number === active.number && entry.digest !== active.digest) return 'one number twice';
      }
    }
    return this.separated(tree);
  }

  /** What was promised and is not in force is kept as a revision. */
  private separated(tree: string): string {
    const promised = this.typed.filter((_, i) => {
      return [this.boxes.a, this.boxes.b].some((box) => box.answers.get(i + 1)?.ok === true);
    });
    for (const { tree: lost } of promised) {
      if (lost === undefined || lost === tree) continue;
      const kept = [this.boxes.a, this.boxes.b].some((box) =>
        [...box.revisions.values()].some((r) => textOf(r.tree) === lost),
      );
      if (!kept) return `${lost} was promised and is lost`;
    }
    return '';
  }
}

/** Goes through every history with at most `faults` faults. @returns the shortest bad one. */
export function explore(
  script: readonly Typed[],
  linked: boolean,
  faults: number,
  depth: number,
): { readonly states: number; readonly bad: string } {
  const seen = new Set<string>();
  let level: string[][] = [[]];
  const at = (path: readonly string[]): World => {
    const world = new World(script, linked);
    for (const choice of path) world.choose(choice);
    return world;
  };
  for (let n = 0; n < depth && level.length > 0; n += 1) {
    const next: string[][] = [];
    for (const path of level) {
      for (const choice of at(path).choices(faults)) {
        const longer = [...path, choice];
        const world = at(longer);
        const key = world.key();
        if (seen.has(key)) continue;
        seen.add(key);
        next.push(longer);
        const wrong = world.quiet();
        if (wrong !== '') return { states: seen.size, bad: `${wrong}: ${longer.join(', ')}` };
      }
    }
    level = next;
  }
  return { states: seen.size, bad: '' };
}
