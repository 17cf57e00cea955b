/**
 * Patterns of numbers, as dial plans write them:
 *
 *   0-9 * # + A-D  themselves    X  0-9    Z  1-9    N  2-9    [1-5]  one of these
 *   .  one or more of anything   !  nothing or anything        both at the end only
 *
 * Of several that fit a number the most specific decides: the one that says more places, then the
 * one whose first place that differs allows less, then the one without an open end. What is left is
 * decided by the text, so that the order in which rules are written never matters.
 */

export type Pattern = {
  readonly text: string;
  /** The characters each place allows, sorted. */
  readonly places: readonly string[];
  readonly open: '' | '.' | '!';
};

const CLASSES: { readonly [c: string]: string } = {
  X: '0123456789',
  Z: '123456789',
  N: '23456789',
};
const LITERAL = /^[0-9*#+A-D]$/;
/** Places of one pattern. */
export const MOST_PLACES = 32;

/** Characters of "1-5", "135" or "1-37" between brackets; undefined when it is none. */
function setOf(text: string): string | undefined {
  const chars = new Set<string>();
  for (let i = 0; i < text.length; i += 1) {
    const from = text[i] as string;
    if (!LITERAL.test(from)) return undefined;
    if (text[i + 1] !== '-') {
      chars.add(from);
      continue;
    }
    const to = text[i + 2] ?? '';
    if (!/^\d$/.test(from) || !/^\d$/.test(to) || to < from) return undefined;
    for (let c = Number(from); c <= Number(to); c += 1) chars.add(`${c}`);
    i += 2;
  }
  return chars.size === 0 ? undefined : [...chars].sort().join('');
}

/** @returns undefined for a text that is no pattern. */
export function parsePattern(text: string): Pattern | undefined {
  const places: string[] = [];
  let open: Pattern['open'] = '';
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i] as string;
    if (c === '.' || c === '!') {
      if (i !== text.length - 1) return undefined;
      open = c;
      break;
    }
    let set: string | undefined = CLASSES[c] ?? (LITERAL.test(c) ? c : undefined);
    if (c === '[') {
      const end = text.indexOf(']', i);
      set = end < 0 ? undefined : setOf(text.slice(i + 1, end));
      i = end;
    }
    if (set === undefined || places.length >= MOST_PLACES) return undefined;
    places.push(set);
  }
  return text === '' ? undefined : { text, places, open };
}

export function matches(p: Pattern, number: string): boolean {
  const n = p.places.length;
  if (p.open === '' ? number.length !== n : number.length < n + (p.open === '.' ? 1 : 0)) {
    return false;
  }
  for (let i = 0; i < n; i += 1) {
    if (!(p.places[i] as string).includes(number[i] as string)) return false;
  }
  return true;
}

/** Below 0 when `a` is the more specific; 0 only for patterns that mean the same. */
export function compare(a: Pattern, b: Pattern): number {
  if (a.places.length !== b.places.length) return b.places.length - a.places.length;
  for (let i = 0; i < a.places.length; i += 1) {
    const [x, y] = [a.places[i] as string, b.places[i] as string];
    if (x.length !== y.length) return x.length - y.length;
  }
  const rank = '.!';
  if (a.open !== b.open) return rank.indexOf(a.open || ' ') - rank.indexOf(b.open || ' ');
  const [s, t] = [meaning(a), meaning(b)];
  return s < t ? -1 : s > t ? 1 : 0;
}

/** Equal for patterns that fit the same numbers. */
export function meaning(p: Pattern): string {
  return `${p.places.join(',')}${p.open}`;
}

/** The most specific of `all` that fits; `all` in any order. */
export function best<T>(
  all: readonly { readonly pattern: Pattern; readonly value: T }[],
  number: string,
): { readonly pattern: Pattern; readonly value: T } | undefined {
  let found: { readonly pattern: Pattern; readonly value: T } | undefined;
  for (const one of all) {
    if (!matches(one.pattern, number)) continue;
    if (found === undefined || compare(one.pattern, found.pattern) < 0) found = one;
  }
  return found;
}
