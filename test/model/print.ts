/**
 * The canonical print of a world: a number that is the same for two worlds exactly when they are
 * the same but for the names of things. Moments count from now, frame numbers by their order,
 * epochs and positions by order and neighbourhood, boots by which are equal; counters and logs do
 * not count (`adapter.ts` has the rules). Prints have 53 bits: of a million states two are taken
 * for one with a probability of about 1 in 20 000.
 */

import {
  beganOnOlder,
  COARSE,
  isOver,
  type Meaning,
  meaningOf,
  meaningsOf,
  phaseOf,
  relative,
  T0,
  turnsAtOf,
} from './adapter.ts';
import type { Box } from './box.ts';
import type { Coming } from './items.ts';
import type { World } from './world.ts';

type Stranger = {
  readonly boot: string;
  readonly sequence: number;
  readonly at: number;
  readonly echoed: number;
};
type Bag = { [key: string]: unknown };
type Rank = 'sequence-a' | 'sequence-b' | 'ticket-a' | 'ticket-b' | 'lsn' | 'epoch' | 'pair';

const interned = new Map<string, number>();

function intern(text: string): number {
  let n = interned.get(text);
  if (n === undefined) {
    n = interned.size + 7;
    interned.set(text, n);
  }
  return n;
}

export class Printer {
  private readonly words: number[] = [];
  private readonly ranked: { [R in Rank]: number[] } = {
    'sequence-a': [],
    'sequence-b': [],
    'ticket-a': [],
    'ticket-b': [],
    lsn: [],
    epoch: [],
    pair: [],
  };
  /** Scratch of `settle`. */
  private readonly values: number[] = [];
  private readonly ranks: number[] = [];
  private readonly boots = new Map<string, number>();
  private readonly later: string[] = [];
  private now = 0;
  private box: 'a' | 'b' = 'a';
  private phase = '';

  begin(now: number): void {
    this.now = now;
    this.words.length = 0;
    this.boots.clear();
    this.later.length = 0;
    for (const list of Object.values(this.ranked)) list.length = 0;
  }

  /** Whose numbers `own` are from here on, and its phase. */
  whose(box: 'a' | 'b', phase: string): void {
    this.box = box;
    this.phase = phase;
  }

  text(s: string): void {
    this.words.push(intern(s));
  }

  number(n: number): void {
    this.words.push(n);
  }

  moment(at: number): void {
    this.words.push(at === 0 ? -1 : relative('', at, this.now, ''));
  }

  value(value: unknown, owner = '', field = ''): void {
    switch (typeof value) {
      case 'number':
        if (value > T0 / 2 && value < T0 * 1000) {
          this.words.push(relative(field, value, this.now, this.phase));
        } else this.words.push(value);
        return;
      case 'string':
        this.words.push(intern(value));
        return;
      case 'boolean':
        this.words.push(value ? 1 : 0);
        return;
      case 'object':
        if (value === null) this.words.push(-5);
        else this.object(value, owner, field);
        return;
      default:
        this.words.push(-6);
    }
  }

  private object(value: object, owner: string, field: string): void {
    if (ArrayBuffer.isView(value)) return;
    if (Array.isArray(value)) {
      this.words.push(-2, value.length);
      for (const v of value) this.value(v, owner, field);
      return;
    }
    if (value instanceof Map || value instanceof Set) {
      this.words.push(-3, value.size);
      for (const v of value) this.value(v, owner, field);
      return;
    }
    const bag = value as Bag;
    const kind = value.constructor.name;
    const name = kind === 'Object' ? `${owner}.${field}` : kind;
    // a heartbeat has its sender's numbers
    const sender = bag['echoBoot'] !== undefined && kind === 'Object' ? bag['box'] : undefined;
    const mine = this.box;
    if (sender === 'a' || sender === 'b') this.box = sender;
    this.words.push(-4);
    const meanings = meaningsOf(name);
    for (const key in bag) {
      let meaning = meanings.get(key);
      if (meaning === undefined) {
        meaning = meaningOf(name, key);
        meanings.set(key, meaning);
      }
      if (meaning === 'skip') continue;
      if (isOver(name, key, this.phase)) this.words.push(-9);
      else this.member(bag[key], name, key, meaning);
    }
    this.box = mine;
  }

  private member(v: unknown, name: string, key: string, meaning: Meaning): void {
    switch (meaning) {
      case 'skip':
        return;
      case 'own-sequence':
        this.rank(this.box === 'a' ? 'sequence-a' : 'sequence-b', v as number);
        return;
      case 'peer-sequence':
        this.rank(this.box === 'a' ? 'sequence-b' : 'sequence-a', v as number);
        return;
      case 'lsn':
      case 'epoch':
      case 'pair':
        this.rank(meaning, v as number);
        return;
      case 'boot':
        this.boot(v as string | number);
        return;
      case 'ticket':
        this.rank(this.box === 'a' ? 'ticket-a' : 'ticket-b', v as number);
        return;
      case 'history':
        for (const [epoch, lsn] of v as readonly (readonly [number, number])[]) {
          this.rank('epoch', epoch);
          this.rank('lsn', lsn);
        }
        this.words.push(-7);
        return;
      case 'retired':
        for (const boot of v as string[]) this.later.push(boot);
        this.later.push('');
        return;
      case 'strangers':
        this.strangers([...(v as Map<string, Stranger>).values()]);
        return;
      case 'turn':
        this.boot((v as Stranger | undefined)?.boot ?? 0);
        return;
      case 'open':
        this.words.push(Math.min(v as number, COARSE.witnessMissed + 1));
        return;
      case 'plain':
        this.value(v, name, key);
    }
  }

  /** Those that were echoed more often than others come later. */
  private strangers(list: readonly Stranger[]): void {
    const least = Math.min(...list.map((s) => s.echoed));
    this.words.push(-8, list.length);
    for (const s of list) {
      this.boot(s.boot);
      this.rank(this.box === 'a' ? 'sequence-b' : 'sequence-a', s.sequence);
      this.moment(s.at);
      this.words.push(s.echoed - least);
    }
  }

  rank(group: Rank, n: number): void {
    if (n > 0) this.ranked[group].push(this.words.length);
    this.words.push(n);
  }

  private boot(which: string | number): void {
    const name = `${which}`;
    let n = which === 0 ? 0 : this.boots.get(name);
    if (n === undefined) {
      n = this.boots.size + 1;
      this.boots.set(name, n);
    }
    this.words.push(n);
  }

  end(): number {
    this.settle('sequence-a', 1);
    this.settle('sequence-b', 1);
    this.settle('ticket-a', 1);
    this.settle('ticket-b', 1);
    this.settle('lsn', 2);
    this.settle('epoch', 2);
    this.settle('pair', 1);
    // a boot that is over matters while something still names it
    for (const boot of this.later) this.words.push(this.boots.get(boot) ?? 0);
    return hash(this.words);
  }

  /** Replaces numbers by their rank; a gap between neighbours counts at most `gap`. */
  private settle(group: Rank, gap: number): void {
    const at = this.ranked[group];
    if (at.length === 0) return;
    const words = this.words;
    const { values, ranks } = this;
    values.length = 0;
    for (const i of at) insert(values, words[i] as number);
    let r = 1;
    let before = values[0] as number;
    for (let k = 0; k < values.length; k += 1) {
      r += Math.min(gap, (values[k] as number) - before);
      before = values[k] as number;
      ranks[k] = r;
    }
    for (const i of at) words[i] = ranks[values.indexOf(words[i] as number)] as number;
  }
}

/** Keeps `sorted` so, each value once. */
function insert(sorted: number[], value: number): void {
  let k = sorted.length;
  while (k > 0 && (sorted[k - 1] as number) > value) k -= 1;
  if (k > 0 && sorted[k - 1] === value) return;
  sorted.push(value);
  for (let m = sorted.length - 1; m > k; m -= 1) sorted[m] = sorted[m - 1] as number;
  sorted[k] = value;
}

const printer = new Printer();

/** @param withUsed whether what was spent on deviations tells worlds apart. */
export function printOf(w: World, withUsed: boolean): number {
  const p = printer;
  p.begin(w.now);
  printBox(p, w, w.a);
  printBox(p, w, w.b);
  p.number(w.crossover ? 1 : 0);
  p.number(w.witness ? 1 : 0);
  for (const l of w.later) {
    p.moment(l.at);
    p.value(l.deed);
  }
  p.value(w.released, 'World', 'released');
  p.rank('epoch', w.spokenEpoch);
  if (withUsed) for (const kind of Object.keys(w.used).sort()) p.text(`${kind} ${w.used[kind]}`);
  return p.end();
}

function printBox(p: Printer, w: World, box: Box): void {
  p.whose(box.id, box.sentry === undefined ? 'off' : phaseOf(box.sentry));
  p.number(box.sentry !== undefined && beganOnOlder(box.sentry) ? 1 : 0);
  const flags = [box.fresh, box.frozen, box.lan, box.toldLan, box.port, box.witness, box.stuck];
  for (const flag of flags) p.number(flag ? 1 : 0);
  if (box.stuck && box.sentry !== undefined) {
    p.moment(turnsAtOf(box.sentry));
    for (const item of box.waits) p.value(item, 'Item', item.kind);
    p.value(box.engine.standing, 'Engine', 'shown');
  }
  p.moment(box.lease > w.now ? box.lease : 0);
  p.moment(box.vipUntil > w.now ? box.vipUntil : 0);
  p.value(box.sentry ?? 'off');
  p.value(box.engine);
  p.value(box.disk, 'Box', 'disk');
  const coming = w.coming.filter((c) => c.to === box.id).sort((x, y) => x.at - y.at);
  for (const list of [coming, box.backlog]) printComing(p, list, list === coming);
}

function printComing(p: Printer, list: readonly Coming[], timed: boolean): void {
  p.number(list.length);
  for (const c of list) {
    if (timed) p.moment(c.at);
    p.text(c.channel);
    p.value(c.item, 'Item', c.item.kind);
  }
}

function hash(words: readonly number[]): number {
  let h = 0x9e3779b9;
  let g = 0x85ebca6b;
  for (let i = 0; i < words.length; i += 1) {
    // halves of milliseconds are told apart
    const w = ((words[i] as number) * 16) | 0;
    h = Math.imul(h ^ w, 0xcc9e2d51);
    h = ((h << 15) | (h >>> 17)) + 0x52dce729;
    g = Math.imul(g ^ (w + 0x7f4a7c15), 0x1b873593);
    g = ((g << 13) | (g >>> 19)) + 0x38495ab5;
    h ^= g;
  }
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  g ^= g >>> 16;
  g = Math.imul(g, 0xc2b2ae35);
  g ^= g >>> 13;
  return (h >>> 0) * 0x20_0000 + (g & 0x1f_ffff);
}
