// Character classes of RFC 3261 section 25.1 as one byte table, and the scanners built on it. All
// of them work on (text, from, end) without making substrings: validation runs for every message.

export const TOKEN = 1; // token: methods, header names, parameter names
export const USER = 2; // user part, without the escape sign
export const HOST = 4; // host name or IPv4, with "_" which real names contain
export const URI = 8; // anything that may stand in a URI
export const PVALUE = 16; // unquoted parameter value, read liberally
export const DIGIT = 32;
export const HEX = 64;
export const WORD = 128; // Call-ID characters

/** Class bits for each octet. */
export const CLASS: Uint8Array = makeClasses();

function makeClasses(): Uint8Array {
  const table = new Uint8Array(256);
  const mark = (chars: string, bits: number) => {
    for (let i = 0; i < chars.length; i += 1) {
      const c = chars.charCodeAt(i);
      table[c] = (table[c] ?? 0) | bits;
    }
  };
  const digits = '0123456789';
  const lower = 'abcdefghijklmnopqrstuvwxyz';
  const alphanum = digits + lower + lower.toUpperCase();
  mark(alphanum, TOKEN | USER | HOST | URI | PVALUE | WORD);
  mark(digits, DIGIT);
  mark(`${digits}abcdefABCDEF`, HEX);
  mark("-.!%*_+`'~", TOKEN | WORD);
  // "#" is against the grammar of user, but telephones dial it unescaped every day.
  mark("-_.!~*'()&=+$,;?/#", USER);
  mark('-._', HOST);
  mark("-_.!~*'();/?:@&=+$,[]%#", URI);
  mark('()<>:\\"/[]?{}@', WORD);
  for (let c = 0x21; c < 0x7f; c += 1) {
    if (!'",;<>'.includes(String.fromCharCode(c))) table[c] = (table[c] ?? 0) | PVALUE;
  }
  return table;
}

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HT = 9;
export const QUOTE = 34;
export const COMMA = 44;
export const SLASH = 47;
export const COLON = 58;
export const SEMI = 59;
export const LT = 60;
export const EQUAL = 61;
export const GT = 62;
export const AT = 64;
export const QUESTION = 63;
export const PERCENT = 37;
export const STAR = 42;

/** True when the octet at `p` has one of the class bits. False at and after the end of the text. */
export function isClass(text: string, p: number, bits: number): boolean {
  return ((CLASS[text.charCodeAt(p) & 255] as number) & bits) !== 0;
}

// The "& 255" is for speed: it proves the index in range, which halves the cost of a character. The
// text is latin1, so it changes nothing.
/** First offset from `p` on, below `end`, whose octet is outside the class. */
export function skipClass(text: string, p: number, end: number, bits: number): number {
  let q = p;
  while (q < end && ((CLASS[text.charCodeAt(q) & 255] as number) & bits) !== 0) q += 1;
  return q;
}

/** First offset from `p` on that is neither space nor tab. */
export function skipWs(text: string, p: number, end: number): number {
  let q = p;
  while (q < end) {
    const c = text.charCodeAt(q);
    if (c !== SP && c !== HT) break;
    q += 1;
  }
  return q;
}

/** The end of the text in [start, end) without trailing space and tab. */
export function trimEnd(text: string, start: number, end: number): number {
  let q = end;
  while (q > start) {
    const c = text.charCodeAt(q - 1);
    if (c !== SP && c !== HT) break;
    q -= 1;
  }
  return q;
}

/** `p` is at the opening quote; the offset after the closing one, or -1 when it never closes. */
export function skipQuoted(text: string, p: number, end: number): number {
  for (let q = p + 1; q < end; q += 1) {
    const c = text.charCodeAt(q);
    if (c === QUOTE) return q + 1;
    if (c === 92) q += 1; // quoted-pair
  }
  return -1;
}

/**
 * A decimal number in [p, end), no sign, no space; saturates at 2**53; -1 when it is not digits.
 */
export function decimal(text: string, p: number, end: number): number {
  if (p >= end) return -1;
  let n = 0;
  for (let q = p; q < end; q += 1) {
    const c = text.charCodeAt(q) - 48;
    if (c < 0 || c > 9) return -1;
    if (n < 2 ** 49) n = n * 10 + c;
  }
  return n;
}

/** Text of a quoted string without quotes and backslashes; other text as it is. */
export function unquote(s: string): string {
  if (s.charCodeAt(0) !== QUOTE) return s;
  const inner = s.slice(1, s.endsWith('"') && s.length > 1 ? -1 : undefined);
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner;
}

/** A quoted string with `"` and `\` escaped (RFC 3261 25.1, quoted-string). */
export function quote(s: string): string {
  return `"${/["\\]/.test(s) ? s.replace(/["\\]/g, '\\$&') : s}"`;
}

/** True when [p, p + lower.length) equals `lower`, which is lower case, ignoring case. */
export function equalsLower(text: string, p: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i += 1) {
    let c = text.charCodeAt(p + i);
    if (c >= 65 && c <= 90) c += 32;
    if (c !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/**
 * Where the parameters of a name-addr, addr-spec or Via begin: the first top-level ";" or `end`.
 */
export function paramsStart(text: string, start: number, end: number): number {
  let p = start;
  while (p < end) {
    const c = text.charCodeAt(p);
    if (c === SEMI) return p;
    if (c === QUOTE) {
      p = skipQuoted(text, p, end);
      if (p < 0) return end;
    } else if (c === LT) {
      const gt = text.indexOf('>', p);
      if (gt < 0 || gt >= end) return end;
      p = gt + 1;
    } else p += 1;
  }
  return end;
}

/**
 * Offset of the value of parameter `lower` (its lower-case name) among `;a=b;c` in [p, end), or -1.
 * A parameter without a value gives the offset where it ends, so `paramValueEnd` gives an empty
 * value.
 */
export function findParam(text: string, start: number, end: number, lower: string): number {
  let p = start;
  const size = lower.length;
  const first = lower.charCodeAt(0);
  while (p < end) {
    const c = text.charCodeAt(p);
    if (c === QUOTE) {
      p = skipQuoted(text, p, end);
      if (p < 0) return -1;
      continue;
    }
    p += 1;
    if (c !== SEMI) continue;
    const name = skipWs(text, p, end);
    if ((text.charCodeAt(name) | 32) !== first && text.charCodeAt(name) !== first) continue;
    if (name + size > end || !equalsLower(text, name, lower)) continue;
    const q = skipWs(text, name + size, end);
    if (q >= end || text.charCodeAt(q) === SEMI || text.charCodeAt(q) === COMMA) return q;
    if (text.charCodeAt(q) === EQUAL) return skipWs(text, q + 1, end);
  }
  return -1;
}

/** End of the parameter value that starts at `p`: after the closing quote, or before `; , SP`. */
export function paramValueEnd(text: string, p: number, end: number): number {
  if (p < end && text.charCodeAt(p) === QUOTE) {
    const q = skipQuoted(text, p, end);
    return q < 0 ? end : q;
  }
  let q = p;
  while (q < end) {
    const c = text.charCodeAt(q);
    if (c === SEMI || c === COMMA || c === SP || c === HT) break;
    q += 1;
  }
  return q;
}
