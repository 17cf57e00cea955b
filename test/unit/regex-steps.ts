/**
 * Counts the steps a backtracking matcher takes for a regular expression, so that "linear" is a
 * number and not an opinion. Knows the syntax our sources use and refuses the rest. `attacks` makes
 * the texts that make it walk: for each repetition what leads to it, then what it repeats, many
 * times, then an octet that nothing matches.
 */

type Node =
  | { readonly kind: 'set'; readonly has: (c: number) => boolean }
  | { readonly kind: 'seq'; readonly items: readonly Node[] }
  | { readonly kind: 'alt'; readonly options: readonly Node[] }
  | { readonly kind: 'repeat'; readonly body: Node; readonly min: number; readonly max: number }
  | { readonly kind: 'look'; readonly body: Node; readonly positive: boolean }
  | { readonly kind: 'edge'; readonly at: '^' | '$' | 'b' };

const WORD = (c: number): boolean => /[A-Za-z0-9_]/.test(String.fromCharCode(c));
const SETS: { readonly [letter: string]: (c: number) => boolean } = {
  d: (c) => c >= 48 && c <= 57,
  w: WORD,
  s: (c) => c === 32 || (c >= 9 && c <= 13) || c === 160,
  S: (c) => !(c === 32 || (c >= 9 && c <= 13) || c === 160),
};
const CONTROL: { readonly [letter: string]: number } = { r: 13, n: 10, t: 9, 0: 0 };

class Reader {
  private readonly source: string;
  private readonly fold: boolean;
  private at = 0;

  constructor(source: string, flags: string) {
    this.source = source;
    this.fold = flags.includes('i');
  }

  all(): Node {
    const node = this.alternatives();
    if (this.at < this.source.length) throw new Error(`regex-steps: ${this.source} at ${this.at}`);
    return node;
  }

  private peek(): string {
    return this.source.charAt(this.at);
  }

  private eat(text: string): boolean {
    if (!this.source.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  private alternatives(): Node {
    const options = [this.sequence()];
    while (this.eat('|')) options.push(this.sequence());
    return options.length === 1 ? (options[0] as Node) : { kind: 'alt', options };
  }

  private sequence(): Node {
    const items: Node[] = [];
    while (this.at < this.source.length && this.peek() !== '|' && this.peek() !== ')') {
      items.push(this.repeated(this.atom()));
    }
    return { kind: 'seq', items };
  }

  private repeated(body: Node): Node {
    const times = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})/.exec(this.source.slice(this.at));
    if (times === null) return body;
    this.at += times[0].length;
    if (this.eat('?')) throw new Error('regex-steps: lazy repetitions are not known');
    const low = Number(times[1] ?? 0);
    const open = times[3] === '' ? Number.POSITIVE_INFINITY : Number(times[3]);
    const ranges = {
      '*': [0, Number.POSITIVE_INFINITY],
      '+': [1, Number.POSITIVE_INFINITY],
      '?': [0, 1],
    };
    const range = ranges[times[0] as '*'] ?? [low, times[2] === ',' ? open : low];
    return { kind: 'repeat', body, min: range[0] as number, max: range[1] as number };
  }

  private atom(): Node {
    if (this.eat('^')) return { kind: 'edge', at: '^' };
    if (this.eat('$')) return { kind: 'edge', at: '$' };
    if (this.eat('\\b')) return { kind: 'edge', at: 'b' };
    if (this.eat('(?=') || this.eat('(?!')) {
      const positive = this.source.charAt(this.at - 1) === '=';
      return { kind: 'look', body: this.closed(), positive };
    }
    if (this.eat('(?:') || (this.peek() === '(' && this.source.charAt(this.at + 1) !== '?')) {
      if (this.peek() === '(' && this.source.charAt(this.at - 1) !== ':') this.at += 1;
      return this.closed();
    }
    if (this.eat('[')) return this.set();
    if (this.eat('.')) return { kind: 'set', has: (c) => c !== 10 && c !== 13 };
    return { kind: 'set', has: this.folded(this.one()) };
  }

  private closed(): Node {
    const node = this.alternatives();
    if (!this.eat(')')) throw new Error(`regex-steps: ${this.source} at ${this.at}`);
    return node;
  }

  private set(): Node {
    const not = this.eat('^');
    const parts: ((c: number) => boolean)[] = [];
    while (!this.eat(']')) {
      const from = this.one();
      if (
        typeof from === 'number' &&
        this.peek() === '-' &&
        this.source.charAt(this.at + 1) !== ']'
      ) {
        this.at += 1;
        const to = this.one();
        if (typeof to !== 'number') throw new Error('regex-steps: a range of sets');
        parts.push(this.foldedBy((c) => c >= from && c <= to));
      } else parts.push(this.folded(from));
    }
    return { kind: 'set', has: (c) => parts.some((has) => has(c)) !== not };
  }

  private one(): number | ((c: number) => boolean) {
    const c = this.source.charCodeAt(this.at);
    this.at += 1;
    if (c !== 92) return c;
    const letter = this.source.charAt(this.at);
    this.at += 1;
    if (letter === 'x' || letter === 'u' || letter === 'p' || /[1-9BDW]/.test(letter)) {
      throw new Error(`regex-steps: \\${letter} is not known`);
    }
    return SETS[letter] ?? CONTROL[letter] ?? letter.charCodeAt(0);
  }

  private folded(what: number | ((c: number) => boolean)): (c: number) => boolean {
    return this.foldedBy(typeof what === 'number' ? (c) => c === what : what);
  }

  private foldedBy(has: (c: number) => boolean): (c: number) => boolean {
    if (!this.fold) return has;
    return (c) => has(c) || ((c | 32) >= 97 && (c | 32) <= 122 ? has(c ^ 32) : false);
  }
}

/** After so many steps counting ends: an exponential expression would never come back. */
const ENOUGH = 300_000;

class TooMany extends Error {}

class Matcher {
  steps = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The end of the match at `at`, or -1. */
  run(node: Node, at: number): number {
    let end = -1;
    this.match(node, at, (p) => {
      end = p;
      return true;
    });
    return end;
  }

  private match(n: Node, at: number, next: (p: number) => boolean): boolean {
    this.steps += 1;
    if (this.steps > ENOUGH) throw new TooMany();
    switch (n.kind) {
      case 'set':
        return at < this.text.length && n.has(this.text.charCodeAt(at)) && next(at + 1);
      case 'seq':
        return this.sequence(n.items, 0, at, next);
      case 'alt':
        return n.options.some((o) => this.match(o, at, next));
      case 'look':
        return this.run(n.body, at) >= 0 === n.positive && next(at);
      case 'edge':
        return this.edge(n.at, at) && next(at);
      case 'repeat':
        return n.body.kind === 'set'
          ? this.many(n.body.has, n.min, n.max, at, next)
          : this.again(n.body, n.min, n.max, at, next);
    }
  }

  private sequence(
    items: readonly Node[],
    i: number,
    at: number,
    next: (p: number) => boolean,
  ): boolean {
    const item = items[i];
    if (item === undefined) return next(at);
    return this.match(item, at, (p) => this.sequence(items, i + 1, p, next));
  }

  private edge(kind: '^' | '$' | 'b', at: number): boolean {
    if (kind === '^') return at === 0;
    if (kind === '$') return at === this.text.length;
    const before = at > 0 && WORD(this.text.charCodeAt(at - 1));
    const after = at < this.text.length && WORD(this.text.charCodeAt(at));
    return before !== after;
  }

  // One octet again and again: as far as it goes, then back octet by octet.
  private many(
    has: (c: number) => boolean,
    min: number,
    max: number,
    at: number,
    next: (p: number) => boolean,
  ): boolean {
    let p = at;
    while (p < this.text.length && p - at < max && has(this.text.charCodeAt(p))) {
      p += 1;
      this.steps += 1;
    }
    for (; p - at >= min; p -= 1) {
      this.steps += 1;
      if (next(p)) return true;
    }
    return false;
  }

  private again(
    body: Node,
    min: number,
    max: number,
    at: number,
    next: (p: number) => boolean,
  ): boolean {
    if (max > 0) {
      const more = this.match(body, at, (p) => {
        if (p === at) return false;
        return this.again(body, Math.max(0, min - 1), max - 1, p, next);
      });
      if (more) return true;
    }
    return min <= 0 && next(at);
  }
}

/** Steps of a search for `regex` all through `text`; infinite when there is no end to them. */
export function steps(regex: RegExp, text: string): number {
  try {
    return search(regex, text);
  } catch (e) {
    if (e instanceof TooMany) return Number.POSITIVE_INFINITY;
    throw e;
  }
}

/** Steps of a search for `regex` all through `text`, as `replace` with the flag g does it. */
function search(regex: RegExp, text: string): number {
  const node = new Reader(regex.source, regex.flags).all();
  const matcher = new Matcher(text);
  for (let at = 0; at <= text.length; ) {
    const end = matcher.run(node, at);
    if (regex.sticky || (end >= 0 && !regex.global)) break;
    // V8 looks for the start of an anchored expression only once.
    if (regex.source.startsWith('^')) break;
    at = end > at ? end : at + 1;
  }
  return matcher.steps;
}

const SAMPLES = 'a0 ;=-.\t"%@:,\\\r\nZ(/s';

/** A text that `n` matches: the `variant`-th choice where there are several. */
function sample(n: Node, variant: number): string {
  switch (n.kind) {
    case 'set': {
      const fits = [...SAMPLES].filter((c) => n.has(c.charCodeAt(0)));
      for (let c = 32; fits.length === 0 && c < 127; c += 1) {
        if (n.has(c)) fits.push(String.fromCharCode(c));
      }
      return fits[variant % Math.max(1, fits.length)] ?? '';
    }
    case 'seq':
      return n.items.map((item) => sample(item, variant)).join('');
    case 'alt':
      return sample(n.options[variant % n.options.length] as Node, variant);
    case 'repeat':
      return sample(n.body, variant).repeat(Math.max(1, n.min));
    default:
      return '';
  }
}

function* repetitions(
  n: Node,
  before: string,
  variant: number,
): Generator<readonly [string, Node]> {
  switch (n.kind) {
    case 'seq': {
      let prefix = before;
      for (const item of n.items) {
        yield* repetitions(item, prefix, variant);
        prefix += sample(item, variant);
      }
      break;
    }
    case 'alt':
      for (const o of n.options) yield* repetitions(o, before, variant);
      break;
    case 'repeat':
      if (n.max > 100) yield [before, n.body];
      yield* repetitions(n.body, before, variant);
      break;
    case 'look':
      yield* repetitions(n.body, before, variant);
      break;
    default:
  }
}

/** What may be pumped, as [before, again and again]. */
export function attacks(regex: RegExp): readonly (readonly [string, string])[] {
  const node = new Reader(regex.source, regex.flags).all();
  const out = new Map<string, readonly [string, string]>();
  for (let variant = 0; variant < 6; variant += 1) {
    for (const [prefix, body] of repetitions(node, '', variant)) {
      const piece = sample(body, variant);
      for (const pump of [
        piece,
        prefix + piece,
        prefix.slice(-1) + piece,
        piece + piece.slice(0, 1),
      ]) {
        if (pump !== '') out.set(`${prefix}\0${pump}`, [prefix, pump]);
      }
    }
    const whole = sample(node, variant);
    if (whole !== '') out.set(`\0${whole}`, ['', whole]);
  }
  return [...out.values()];
}

/** The attack under which the steps grow most, and how often they do when the text has ten times the size. */
export function worstGrowth(regex: RegExp): { readonly growth: number; readonly pump: string } {
  let worst = { growth: 1, pump: '' };
  for (const [prefix, pump] of attacks(regex)) {
    const text = (n: number) => `${prefix}${pump.repeat(Math.ceil(n / pump.length))}\x01`;
    const large = steps(regex, text(600));
    const growth = Number.isFinite(large) ? large / (steps(regex, text(60)) + 20) : large;
    if (growth > worst.growth) worst = { growth, pump };
  }
  return worst;
}
