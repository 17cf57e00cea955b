/** Values of a configuration, each checked where it stands; what the parts of it are read by. */

import { parsePattern } from '../call/pattern.ts';
import type { Credentials } from '../proto/site.ts';
import { isFault, parseUri } from '../sip-parser/index.ts';
import type { Checker, Json } from './config.ts';

/** A text that may be left out. */
export function maybe(c: Checker, j: Json, key: string, place: string, or = ''): string {
  const v = j[key];
  if (v === undefined) return or;
  // what goes into a header line must end with it
  if (typeof v === 'string' && /^[\x20-\x7e]*$/.test(v)) return v;
  c.wrong(place + key, 'config-shape', 'a text of printable ASCII is needed here');
  return or;
}

export function texts(c: Checker, j: Json, key: string, place: string): readonly string[] {
  return c.list(j, key, place).map((item, i) => {
    if (typeof item === 'string' && /^[\x21-\x7e]+$/.test(item)) return item;
    c.wrong(`${place}${key}[${i}]`, 'config-shape', 'a text without spaces is needed here');
    return '';
  });
}

/** An object in a list or under a name. */
export function objectAt(c: Checker, v: unknown, place: string): Json {
  if (typeof v === 'object' && v !== null && !Array.isArray(v)) return v as Json;
  c.wrong(place, 'config-shape', 'an object is needed here');
  return {};
}

export function flagOr(c: Checker, j: Json, key: string, place: string, or: boolean): boolean {
  return j[key] === undefined ? or : c.flag(j, key, place);
}

export function choice<T extends string>(
  c: Checker,
  j: Json,
  key: string,
  place: string,
  all: readonly T[],
): T {
  return j[key] === undefined ? (all[0] as T) : c.oneOf(j, key, place, all);
}

export function digits(c: Checker, j: Json, key: string, place: string): string {
  const v = maybe(c, j, key, place);
  if (/^[0-9*#+A-D]*$/.test(v)) return v;
  c.wrong(place + key, 'config-number', 'digits, *, # and + are needed here');
  return '';
}

export function pattern(c: Checker, text: string, place: string): string {
  if (parsePattern(text) === undefined) {
    c.wrong(place, 'config-pattern', `${text} is no pattern of digits, X, Z, N, [1-5], . or !`);
  }
  return text;
}

export function patterns(c: Checker, j: Json, key: string, place: string): readonly string[] {
  return texts(c, j, key, place).map((text, i) => pattern(c, text, `${place}${key}[${i}]`));
}

/** A SIP URI of a neighbour; `transport` is added when it has none. */
export function sipUri(c: Checker, text: string, place: string, transport = ''): string {
  const uri = parseUri(text);
  if (isFault(uri) || !/^sips?$/.test(uri.scheme) || uri.headers !== '' || /[<>"\s]/.test(text)) {
    c.wrong(place, 'config-uri', `${text} is no SIP URI`);
    return '';
  }
  const said = /;transport=/i.test(uri.params);
  return said || transport === '' || transport === 'udp' ? text : `${text};transport=${transport}`;
}

export function credentialsOf(
  c: Checker,
  j: Json,
  key: string,
  place: string,
  more: readonly string[] = [],
): Credentials | undefined {
  const given = c.optional(j, key, place);
  if (given === undefined) return undefined;
  const at = `${place}${key}.`;
  c.known(given, at, ['user', 'password', ...more]);
  c.text(given, 'user', at);
  c.text(given, 'password', at);
  return { user: maybe(c, given, 'user', at), password: maybe(c, given, 'password', at) };
}
