/**
 * Types of values: what a word must look like, what it becomes, and how that is said to a person.
 * `readValue` takes a typed word; `checkValue` a value that came as JSON.
 */

import { parsePattern } from '../../call/pattern.ts';
import { isFault, parseUri } from '../../sip-parser/index.ts';
import { ipBytes, ipCanonical, ipFamily } from '../../wire/ip.ts';
import type { FaultCode, Scalar, Type } from './terms.ts';
import { MASK } from './terms.ts';

/** What is wrong with a word. */
export type Wrong = { readonly code: FaultCode; readonly text: string };
export type Read = { readonly value: Scalar } | Wrong;

const TEXT_MOST = 255;
const PRINTABLE = /^[\x20-\x7e]*$/;
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const HOSTNAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*\\.?$`);
const AGENT = /^[A-Za-z0-9][A-Za-z0-9_.]{0,31}$/;
/** `N-M`, `agentN-agentM`: front, first number, front, last number. */
const RANGE = /^([A-Za-z_.]*)(\d{1,9})-([A-Za-z_.]*)(\d{1,9})$/;
const NUMBERS = /^(\d{1,9})-(\d{1,9})$/;

/** How a value of this type is written in help: `<1..255 ms>`, `<address>`. */
export function typeText(type: Type): string {
  switch (type.type) {
    case 'int':
      return `<${type.min}..${type.max}${type.unit === undefined ? '' : ` ${type.unit}`}>`;
    case 'port':
      return type.off === true ? '<0..65535>' : '<1..65535>';
    case 'enum':
      return Object.keys(type.words).join('|');
    case 'flag':
      return 'true|false';
    case 'name':
      return type.words === undefined ? '<name>' : `${type.words.join('|')}|<name>`;
    case 'text':
      return type.what === undefined ? '<text>' : `<${type.what.replace(/^an? /, '')}>`;
    default:
      return `<${SHORT[type.type]}>`;
  }
}

type Plain = Exclude<Type['type'], 'int' | 'port' | 'enum' | 'flag' | 'name' | 'text'>;

const SHORT: { readonly [T in Plain]: string } = {
  ipv4: 'IPv4 address',
  ip: 'IP address',
  prefix: 'network/length',
  ports: 'first-last',
  hostname: 'host name',
  host: 'host name or address',
  server: 'address or address:port',
  uri: 'SIP URI',
  pattern: 'pattern',
  digits: 'digits',
  path: '/path',
  interface: 'network port',
  timeZone: 'Area/City',
  extension: 'number',
  numbers: 'number or N-M',
  agents: 'agent or agentN-agentM',
};

const RIGHT: { readonly [T in Plain]: string } = {
  ipv4: 'an IPv4 address is needed here, as 192.0.2.10',
  ip: 'an IP address is needed here, as 192.0.2.10 or 2001:db8::10',
  prefix: 'a network is needed here, as 192.0.2.0/24: no bits behind the length',
  ports: 'the first and the last port are needed here, 1024 .. 65535, as 16384-18383',
  hostname: 'a host name of letters, digits and - is needed here',
  host: 'a host name or an IP address is needed here',
  server: 'an IP address is needed here, with :port if it is not 53, [..]:port for IPv6',
  uri: 'a SIP URI is needed here, as sip:gw.example.net or sips:10.0.0.1:5061',
  pattern: 'a pattern of digits, X, Z, N, [1-5], and . or ! at its end is needed here',
  digits: 'digits, *, # and + are needed here',
  path: 'a path from / is needed here',
  interface: 'the name of a network port is needed here, as eth0',
  timeZone: 'a time zone is needed here, as UTC or Europe/Berlin',
  extension: 'a number of at most 16 digits, * and # is needed here',
  numbers: 'a number, or a range N-M of two numbers, is needed here',
  agents: 'an id of letters, digits, _ and ., or a range agentN-agentM, is needed here',
};

function wrong(code: FaultCode, text: string): Wrong {
  return { code, text };
}

function range(from: string, to: string): boolean {
  return from.length <= to.length && Number(from) <= Number(to);
}

function isUri(text: string): boolean {
  const uri = parseUri(text);
  return !isFault(uri) && /^sips?$/.test(uri.scheme) && uri.headers === '' && !/[<>"\s]/.test(text);
}

function isPrefix(text: string): boolean {
  const m = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text);
  const bytes = m === null ? undefined : ipBytes(m[1] as string);
  const length = Number(m?.[2]);
  if (bytes === undefined || length > bytes.length * 8) return false;
  for (let bit = length; bit < bytes.length * 8; bit += 1) {
    if (((bytes[bit >> 3] as number) >> (7 - (bit & 7))) & 1) return false;
  }
  return true;
}

function isServer(text: string): boolean {
  const six = /^\[(.*)\](?::(\d{1,5}))?$/.exec(text);
  const four = /^([\d.]+):(\d{1,5})$/.exec(text);
  const host = six?.[1] ?? four?.[1] ?? text;
  const port = Number(six?.[2] ?? four?.[2] ?? 53);
  return ipFamily(host) !== undefined && port >= 1 && port <= 65_535;
}

function isPorts(text: string): boolean {
  const m = /^(\d{4,5})-(\d{4,5})$/.exec(text);
  return m !== null && Number(m[1]) >= 1024 && Number(m[1]) < Number(m[2]) && Number(m[2]) < 65_536;
}

function isNumbers(text: string): boolean {
  const m = NUMBERS.exec(text);
  return m === null ? /^[0-9*#]{1,16}$/.test(text) : range(m[1] as string, m[2] as string);
}

function isAgents(text: string): boolean {
  const m = RANGE.exec(text);
  if (m === null) return AGENT.test(text);
  const whole = `${m[3]}${m[4]}`;
  return m[1] === m[3] && AGENT.test(whole) && range(m[2] as string, m[4] as string);
}

const PLAIN: { readonly [T in Plain]: (word: string) => boolean } = {
  ipv4: (w) => ipFamily(w) === 4,
  ip: (w) => ipFamily(w) !== undefined,
  prefix: isPrefix,
  ports: isPorts,
  hostname: (w) => w.length <= 63 && new RegExp(`^${LABEL}$`).test(w),
  host: (w) =>
    ipFamily(w) !== undefined || (w.length <= 253 && HOSTNAME.test(w) && !/^[\d.]+$/.test(w)),
  server: isServer,
  uri: isUri,
  pattern: (w) => /^[\x21-\x7e]+$/.test(w) && parsePattern(w) !== undefined,
  digits: (w) => /^[0-9*#+A-D]{1,64}$/.test(w),
  path: (w) => /^\/[\x21-\x7e]{1,200}$/.test(w),
  interface: (w) => /^[A-Za-z0-9_.-]{1,15}$/.test(w) && w !== '.' && w !== '..',
  timeZone: (w) => /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/.test(w) && w.length <= 64,
  extension: (w) => /^[0-9*#]{1,16}$/.test(w),
  numbers: isNumbers,
  agents: isAgents,
};

function readInt(word: string, min: number, max: number, unit = ''): Read {
  const text = `a whole number ${min} .. ${max}${unit === '' ? '' : ` ${unit}`} is needed here`;
  if (!/^-?(0|[1-9]\d{0,14})$/.test(word)) return wrong('tree-type', text);
  const value = Number(word);
  return value >= min && value <= max && !Object.is(value, -0)
    ? { value }
    : wrong('tree-range', text);
}

/** One of `words`, whole or by an unambiguous beginning, in capitals or not. */
export function oneOf(word: string, words: readonly string[]): string | Wrong {
  if (words.includes(word)) return word;
  const low = word.toLowerCase();
  const same = words.find((w) => w.toLowerCase() === low);
  if (same !== undefined) return same;
  const fit = word === '' ? [] : words.filter((w) => w.toLowerCase().startsWith(low));
  if (fit.length === 1) return fit[0] as string;
  if (fit.length > 1) {
    return wrong('tree-ambiguous', `${word} may be ${fit.join(' or ')}: write more of it`);
  }
  return wrong('tree-choice', `one of ${words.join(', ')} is needed here`);
}

function readText(word: string, type: Extract<Type, { type: 'text' }>): Read {
  if (word === '' && type.empty !== true) {
    return wrong('tree-type', 'a text is needed here; delete takes it away');
  }
  if (!PRINTABLE.test(word)) return wrong('tree-type', 'a text of printable ASCII is needed here');
  const most = type.max ?? TEXT_MOST;
  if (word.length > most) return wrong('tree-range', `at most ${most} characters fit here`);
  if (type.pattern !== undefined && !new RegExp(`^(?:${type.pattern})$`).test(word)) {
    return wrong('tree-type', `${type.what ?? 'another text'} is needed here`);
  }
  // what stands for a secret is never one
  if (word === MASK) return wrong('tree-secret', 'this stands for a secret and is none');
  return { value: word };
}

/** Reads a typed word. @returns the value, or what would be right. */
export function readValue(type: Type, word: string): Read {
  switch (type.type) {
    case 'int':
      return readInt(word, type.min, type.max, type.unit);
    case 'port':
      return readInt(word, type.off === true ? 0 : 1, 65_535);
    case 'flag':
    case 'enum': {
      const words = type.type === 'flag' ? ['true', 'false'] : Object.keys(type.words);
      const found = oneOf(word, words);
      if (typeof found !== 'string') return found;
      return { value: type.type === 'flag' ? found === 'true' : found };
    }
    case 'text':
      return readText(word, type);
    case 'name':
      return readText(word, {
        type: 'text',
        max: 64,
        pattern: '\\S+',
        what: 'a name without spaces',
      });
    case 'ipv4':
    case 'ip': {
      if (!PLAIN[type.type](word)) return wrong('tree-type', RIGHT[type.type]);
      return { value: ipCanonical(word) as string };
    }
    case 'pattern': {
      const whole = type.front === true ? `${word}!` : word;
      return PLAIN.pattern(whole) ? { value: word } : wrong('tree-type', RIGHT.pattern);
    }
    default:
      return PLAIN[type.type](word) ? { value: word } : wrong('tree-type', RIGHT[type.type]);
  }
}

/** Checks a value that was not typed. @returns it in its one form, or what would be right. */
export function checkValue(type: Type, value: unknown): Read {
  const number = type.type === 'int' || type.type === 'port';
  const kind = number ? 'number' : type.type === 'flag' ? 'boolean' : 'string';
  if (typeof value !== kind) {
    const what = { number: 'a number', boolean: 'true or false', string: 'a text' }[kind];
    return wrong('tree-type', `${what} is needed here`);
  }
  const read = readValue(type, String(value));
  // no beginnings of words here
  if ('value' in read && type.type === 'enum' && read.value !== value) {
    return wrong('tree-choice', `one of ${Object.keys(type.words).join(', ')} is needed here`);
  }
  return read;
}

/** Whether `name` is one of the names the key `N-M` or `agentN-agentM` stands for. */
export function isInRange(key: string, name: string): boolean {
  const m = RANGE.exec(key);
  const front = m?.[1] ?? '';
  const [from = '', to = ''] = [m?.[2], m?.[4]];
  const digits = name.slice(front.length);
  if (m === null || !name.startsWith(front) || !/^\d{1,9}$/.test(digits)) return false;
  // as wide as the first is written
  if (digits.length < from.length || (digits.startsWith('0') && digits.length > from.length))
    return false;
  return Number(from) <= Number(digits) && Number(digits) <= Number(to);
}
