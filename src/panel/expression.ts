/**
 * What an operator types behind `match`, looked for in time that is linear in the text: all ways through
 * the expression are followed at once (Thompson), one character after the other, and a search that takes
 * too many steps is given up, so that none hangs the console, nor the agent, which answers for more than
 * this. The words are those of every regular expression that can be had so; capitals are as small
 * letters:
 *
 *   .  [a-z]  [^a-z]  \d \w \s \D \W \S  a character; \ takes the next one as it is
 *   ^  $  \b  \B                         begin, end, edge of a word
 *   x?  x*  x+  x{n}  x{n,}  x{n,m}      how often (a ? behind it changes nothing here)
 *   ( )  (?: )  |                        groups, either or
 *
 * Refused, with a reason: references back (\1), looking ahead or behind, names, code points.
 */

export type Expression = {
  readonly test: (text: string) => boolean;
  /** All that were taken so far. */
  readonly steps: () => number;
};

/** Letters of an expression. */
export const EXPRESSION_MAX = 100;
/** Places one may be at in it, repetitions written out: each costs at every character. */
const PLACES_MAX = 256;
const REPEAT_MAX = 1000;
/** Of one search through many lines: well below a second. */
const STEPS_MAX = 20_000_000;

type CharSet = { readonly low: Uint8Array; readonly has: (code: number) => boolean };

/** `code` of a text that ends on either side: -1. */
type Edge = (before: number, after: number) => boolean;

type Node =
  | { readonly node: 'set'; readonly set: CharSet }
  | { readonly node: 'edge'; readonly edge: Edge }
  | { readonly node: 'all' | 'any'; readonly of: readonly Node[] }
  | { readonly node: 'repeat'; readonly of: Node; readonly least: number; readonly most: number };

type Place =
  | { readonly place: 'set'; readonly set: CharSet }
  | { readonly place: 'edge'; readonly edge: Edge }
  /** Goes on at both, without a character. */
  | { readonly place: 'fork'; one: number; two: number }
  | { readonly place: 'found' };

class Refused extends Error {}

/** Tables reach so far; what is beyond is looked up in ranges. */
const LOW = 256;
const ASCII = 128;
const FAR_MAX = 1024;

type Range = readonly [from: number, to: number];

/** A code and its other case; no letter beyond ASCII is one within it. */
function cases(code: number): readonly number[] {
  const c = String.fromCharCode(code);
  const others = [c.toLowerCase(), c.toUpperCase()]
    .filter((o) => o.length === 1)
    .map((o) => o.charCodeAt(0))
    .filter((o) => code < ASCII || o >= ASCII);
  return [code, ...others];
}

function charSet(ranges: readonly Range[], not = false): CharSet {
  const within = (code: number): boolean => ranges.some(([a, b]) => code >= a && code <= b);
  const looked = (code: number): boolean => cases(code).some(within) !== not;
  // a text is written in few letters, and each is asked about at every place
  const far = new Map<number, boolean>();
  const has = (code: number): boolean => {
    let yes = far.get(code);
    if (yes !== undefined) return yes;
    yes = looked(code);
    if (far.size >= FAR_MAX) far.clear();
    far.set(code, yes);
    return yes;
  };
  return { low: Uint8Array.from({ length: LOW }, (_, code) => (looked(code) ? 1 : 0)), has };
}

const LAST = 0xffff;
const DIGITS: readonly Range[] = [[48, 57]];
const WORD: readonly Range[] = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
const SPACE: readonly Range[] = [
  [9, 13],
  [32, 32],
  [160, 160],
];
const CLASSES: { readonly [letter: string]: readonly Range[] } = {
  d: DIGITS,
  w: WORD,
  s: SPACE,
  D: others(DIGITS),
  W: others(WORD),
  S: others(SPACE),
};

/** All that is in none of these; they are in their order. */
function others(ranges: readonly Range[]): readonly Range[] {
  const out: Range[] = [];
  let from = 0;
  for (const [a, b] of ranges) {
    if (a > from) out.push([from, a - 1]);
    from = b + 1;
  }
  return [...out, [from, LAST]];
}

const WORD_SET = charSet(WORD);

function inWord(code: number): boolean {
  return code >= 0 && code < LOW && WORD_SET.low[code] === 1;
}

const EDGES: { readonly [c: string]: Edge } = {
  '^': (before) => before < 0,
  $: (_, after) => after < 0,
  b: (before, after) => inWord(before) !== inWord(after),
  B: (before, after) => inWord(before) === inWord(after),
};

class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  whole(): Node {
    const node = this.either();
    if (this.at < this.text.length) throw new Refused('a ) without its (');
    return node;
  }

  private peek(): string {
    return this.text[this.at] ?? '';
  }

  private take(): string {
    const c = this.peek();
    this.at += 1;
    return c;
  }

  private either(): Node {
    const of = [this.sequence()];
    while (this.peek() === '|') {
      this.at += 1;
      of.push(this.sequence());
    }
    return of.length === 1 ? (of[0] as Node) : { node: 'any', of };
  }

  private sequence(): Node {
    const of: Node[] = [];
    while (this.peek() !== '' && this.peek() !== '|' && this.peek() !== ')') {
      of.push(this.often(this.one()));
    }
    return { node: 'all', of };
  }

  /** What stands behind `of` and says how often. */
  private often(of: Node): Node {
    const range = this.count();
    if (range === undefined) return of;
    if (of.node === 'edge') throw new Refused('there is nothing to repeat');
    if (this.peek() === '?') this.at += 1;
    if (this.count() !== undefined) throw new Refused('one repetition behind the other');
    const [least, most] = range;
    return { node: 'repeat', of, least, most };
  }

  private count(): readonly [least: number, most: number] | undefined {
    const c = this.peek();
    if (c === '*' || c === '+' || c === '?') {
      this.at += 1;
      return [c === '+' ? 1 : 0, c === '?' ? 1 : Number.POSITIVE_INFINITY];
    }
    const said = /^\{(\d{1,9})(,(\d{0,9}))?\}/.exec(this.text.slice(this.at));
    if (said === null) return undefined;
    this.at += said[0].length;
    const least = Number(said[1]);
    const most =
      said[2] === undefined ? least : said[3] === '' ? Number.POSITIVE_INFINITY : Number(said[3]);
    if (most < least) throw new Refused(`${said[0]} is the wrong way round`);
    if (least > REPEAT_MAX || (most > REPEAT_MAX && most !== Number.POSITIVE_INFINITY)) {
      throw new Refused('too many repetitions');
    }
    return [least, most];
  }

  private one(): Node {
    if (this.count() !== undefined) throw new Refused('there is nothing to repeat');
    const c = this.take();
    if (c === '(') return this.group();
    if (c === '[') return { node: 'set', set: this.brackets() };
    if (c === '.')
      return {
        node: 'set',
        set: charSet(
          [
            [10, 10],
            [13, 13],
            [0x2028, 0x2029],
          ],
          true,
        ),
      };
    const edge = EDGES[c];
    if (edge !== undefined && (c === '^' || c === '$')) return { node: 'edge', edge };
    if (c !== '\\') return literal(c);
    const next = this.peek();
    if (next === 'b' || next === 'B') {
      this.at += 1;
      return { node: 'edge', edge: EDGES[next] as Edge };
    }
    return { node: 'set', set: charSet(this.escaped()) };
  }

  /** What stands behind a \ and is one character. */
  private escaped(): readonly Range[] {
    const c = this.take();
    if (c === '') throw new Refused('nothing stands behind the last \\');
    const known = Object.hasOwn(CLASSES, c) ? CLASSES[c] : undefined;
    if (known !== undefined) return known;
    if (c === 't') return [[9, 9]];
    if (/[0-9]/.test(c)) throw new Refused(`\\${c}: there are no references back`);
    if (/[a-z]/i.test(c)) throw new Refused(`\\${c} is not known`);
    return [[c.charCodeAt(0), c.charCodeAt(0)]];
  }

  private group(): Node {
    if (this.peek() === '?') {
      if (this.text[this.at + 1] !== ':') throw new Refused('(?: is the only ( with a ?');
      this.at += 2;
    }
    const node = this.either();
    if (this.take() !== ')') throw new Refused('a ( without its )');
    return node;
  }

  private brackets(): CharSet {
    const not = this.peek() === '^';
    if (not) this.at += 1;
    const ranges: Range[] = [];
    for (;;) {
      const c = this.peek();
      if (c === '') throw new Refused('a [ without its ]');
      if (c === ']') break;
      const from = this.member();
      const [first] = from;
      const to =
        this.peek() === '-' && (this.text[this.at + 1] ?? ']') !== ']' ? this.upper() : undefined;
      if (to === undefined) ranges.push(...from);
      else if (single(from) && single(to) && first !== undefined) {
        const last = to[0]?.[1] ?? 0;
        if (last < first[0]) throw new Refused('a range of [ ] is the wrong way round');
        ranges.push([first[0], last]);
      } else ranges.push(...from, [45, 45], ...to);
    }
    this.at += 1;
    if (ranges.length === 0) throw new Refused('nothing stands in [ ]');
    return charSet(ranges, not);
  }

  private upper(): readonly Range[] {
    this.at += 1;
    return this.member();
  }

  private member(): readonly Range[] {
    const c = this.take();
    return c === '\\' ? this.escaped() : [[c.charCodeAt(0), c.charCodeAt(0)]];
  }
}

function single(ranges: readonly Range[]): boolean {
  return ranges.length === 1 && ranges[0]?.[0] === ranges[0]?.[1];
}

function literal(c: string): Node {
  return { node: 'set', set: charSet([[c.charCodeAt(0), c.charCodeAt(0)]]) };
}

/** Writes a node out; it begins where `places` ends, and goes on behind what it wrote. */
function write(places: Place[], node: Node): void {
  if (places.length >= PLACES_MAX) throw new Refused('it is too large');
  switch (node.node) {
    case 'set':
      places.push({ place: 'set', set: node.set });
      break;
    case 'edge':
      places.push({ place: 'edge', edge: node.edge });
      break;
    case 'all':
      for (const one of node.of) write(places, one);
      break;
    case 'any':
      writeAny(places, node.of);
      break;
    default:
      writeRepeat(places, node);
  }
}

type Fork = Extract<Place, { place: 'fork' }>;

/** Where it leads is said later; until then both ways go on behind it. */
function fork(places: Place[]): Fork {
  const made: Fork = { place: 'fork', one: places.length + 1, two: places.length + 1 };
  places.push(made);
  return made;
}

function writeAny(places: Place[], of: readonly Node[]): void {
  const ends: Fork[] = [];
  for (const [i, one] of of.entries()) {
    if (i === of.length - 1) {
      write(places, one);
      break;
    }
    const begin = fork(places);
    write(places, one);
    ends.push(fork(places));
    begin.two = places.length;
  }
  for (const end of ends) {
    end.one = places.length;
    end.two = places.length;
  }
}

function writeRepeat(places: Place[], node: Extract<Node, { node: 'repeat' }>): void {
  const { of, least, most } = node;
  const endless = most === Number.POSITIVE_INFINITY;
  const first = endless && least === 0 ? fork(places) : undefined;
  const times = endless ? Math.max(1, least) : least;
  let from = places.length;
  for (let i = 0; i < times; i += 1) {
    from = places.length;
    write(places, of);
    // what is empty once is so every time
    if (places.length === from) break;
  }
  if (endless) {
    fork(places).one = from;
    if (first !== undefined) first.two = places.length;
    return;
  }
  const skips: Fork[] = [];
  for (let i = least; i < most; i += 1) {
    skips.push(fork(places));
    write(places, of);
  }
  for (const skip of skips) skip.two = places.length;
}

/** The places one stands at, each once however many ways lead there. */
class Standing {
  readonly at: Int32Array;
  private readonly seen: Int32Array;
  private round = 0;
  length = 0;

  constructor(places: number) {
    this.at = new Int32Array(places);
    this.seen = new Int32Array(places);
  }

  begin(): void {
    this.round += 1;
    this.length = 0;
  }

  /** @returns false when it is there already. */
  add(place: number): boolean {
    if (this.seen[place] === this.round) return false;
    this.seen[place] = this.round;
    this.at[this.length] = place;
    this.length += 1;
    return true;
  }
}

/** Follows all ways from `start` that need no character. @returns true when one is at the end. */
function enter(
  places: readonly Place[],
  standing: Standing,
  start: number,
  before: number,
  after: number,
): boolean {
  const from = standing.length;
  standing.add(start);
  for (let i = from; i < standing.length; i += 1) {
    const index = standing.at[i] ?? 0;
    const p = places[index] as Place;
    if (p.place === 'found') return true;
    if (p.place === 'fork') {
      standing.add(p.one);
      standing.add(p.two);
    } else if (p.place === 'edge' && p.edge(before, after)) standing.add(index + 1);
  }
  return false;
}

type Meter = { steps: number };

function found(places: readonly Place[], text: string, meter: Meter): boolean {
  let now = new Standing(places.length);
  let next = new Standing(places.length);
  now.begin();
  for (let i = 0; ; i += 1) {
    const before = i === 0 ? -1 : text.charCodeAt(i - 1);
    const code = i < text.length ? text.charCodeAt(i) : -1;
    // it may begin at every character
    if (enter(places, now, 0, before, code)) return true;
    meter.steps += now.length;
    if (code < 0) return false;
    const after = i + 1 < text.length ? text.charCodeAt(i + 1) : -1;
    next.begin();
    for (let k = 0; k < now.length; k += 1) {
      const index = now.at[k] ?? 0;
      const p = places[index] as Place;
      if (p.place !== 'set') continue;
      const is = code < LOW ? p.set.low[code] === 1 : p.set.has(code);
      if (is && enter(places, next, index + 1, code, after)) return true;
    }
    [now, next] = [next, now];
  }
}

/** Nothing in it but what it says. */
const PLAIN = /^[^\\.^$*+?()[\]{}|\x80-\uffff]+$/;

/** @returns the expression, or why not. */
export function expression(text: string): Expression | string {
  if (text.length > EXPRESSION_MAX) return `longer than ${EXPRESSION_MAX} characters`;
  if (PLAIN.test(text)) {
    const low = text.toLowerCase();
    return { test: (line) => line.toLowerCase().includes(low), steps: () => 0 };
  }
  const places: Place[] = [];
  try {
    write(places, new Reader(text).whole());
  } catch (e) {
    if (e instanceof Refused) return e.message;
    throw e;
  }
  places.push({ place: 'found' });
  const meter: Meter = { steps: 0 };
  return { test: (line) => found(places, line, meter), steps: () => meter.steps };
}

/**
 * Lines in which it is found, or with `keep` false those in which it is not; of each the first `letters`
 * are looked at. @returns them, and how many lines were not looked at, because it takes too long.
 */
export function search(
  lines: readonly string[],
  what: Expression,
  keep: boolean,
  letters: number,
): { readonly lines: readonly string[]; readonly unread: number } {
  const most = what.steps() + STEPS_MAX;
  const kept: string[] = [];
  for (const [i, line] of lines.entries()) {
    if (what.steps() >= most) return { lines: kept, unread: lines.length - i };
    if (what.test(line.slice(0, letters)) === keep) kept.push(line);
  }
  return { lines: kept, unread: 0 };
}
