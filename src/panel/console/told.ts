/**
 * What the log tells of a line that was typed. The log goes to the journal, from there to a log server and
 * into support bundles, so a line is told as it stands only when all of it was understood. Of any other the
 * words of the grammar and of the schema are told up to the first that is none: a slip anywhere may have
 * made a password of what should have been a keyword.
 *
 *   understood, no secret in it       as it stands, without the password of a web server
 *   what follows a secret's name      (secret)
 *   anything else                     *** in place of each word that is not known, and of all after it
 */

import { HIDDEN, withoutLogins } from '../logins.ts';
import { isCommand, readCommand } from './command.ts';
import { CONFIGURATION, OPERATIONAL } from './grammar.ts';
import type { GrammarNode } from './node.ts';
import { harmless } from './pager.ts';
import { known, type Parsed } from './parse.ts';
import { deleteWords, isTreeFault, knownPath, secretAt, setWords } from './tree-tools.ts';
import { split, type Word } from './words.ts';

/** Where a line was typed: configuration mode has a place; `tree` is its candidate. */
export type Spot = {
  readonly path: readonly string[];
  readonly tree: Parameters<typeof setWords>[0];
};

export const SECRET = '(secret)';

function textOf(words: readonly Word[]): readonly string[] {
  return words.map((w) => w.text);
}

/** Does the rest of the line say what it should, at a place of the configuration? */
function fits({ verb, rest }: Parsed, { path, tree }: Spot): boolean {
  const words = [...path, ...textOf(rest)];
  const { whole, keys, values } = knownPath(words);
  // no name of anything has a blank: a quote has swallowed what followed
  if (!whole || words.slice(0, keys).some((w) => /\s/.test(w))) return false;
  if (verb === 'set') return !isTreeFault(setWords(tree, words));
  return values === 0 || (verb === 'delete' && !isTreeFault(deleteWords(tree, words)));
}

/** Words of the grammar, then of the schema; stops at the first that is neither. */
function keywords(roots: readonly GrammarNode[], text: string, spot: Spot | undefined): string {
  const { words, pipes } = split(text);
  const { told, rest, path } = known(roots, words);
  const out = [...told];
  if (path === 'command')
    return [...out, keywords(OPERATIONAL, tail(text, rest), undefined)].join(' ');
  if (path === 'path') {
    const before = spot?.path ?? [];
    const whole = [...before, ...textOf(rest)];
    const place = knownPath(whole);
    out.push(...place.told.slice(before.length).map((w) => w ?? HIDDEN));
    if (secretAt(whole) !== undefined) return [...out, SECRET].join(' ');
    if (!place.whole || place.values > 0) out.push(HIDDEN);
  } else if (rest.length > 0) out.push(HIDDEN);
  if (pipes.length > 0) out.push('|', HIDDEN);
  return out.join(' ');
}

function tail(text: string, rest: readonly Word[]): string {
  return text.slice(rest[0]?.at ?? text.length);
}

/** What stands before the value of a secret, as it was typed; undefined: there is none in it. */
function beforeSecret(text: string, parsed: Parsed, spot: Spot): string | undefined {
  const at = secretAt([...spot.path, ...textOf(parsed.rest)]);
  const value = at === undefined ? undefined : parsed.rest[at - spot.path.length];
  if (value === undefined) return undefined;
  return `${text.slice(0, value.at).trim()} ${SECRET}`;
}

/** @param spot undefined in operational mode. */
export function toldOf(text: string, spot: Spot | undefined): string {
  const roots = spot === undefined ? OPERATIONAL : CONFIGURATION;
  const line = text.trim();
  const command = readCommand(roots, line);
  if (!isCommand(command)) return harmless(keywords(roots, line, spot));
  const { parsed } = command;
  if (parsed.verb === 'run') {
    const from = parsed.rest[0]?.at ?? line.length;
    return `${harmless(line.slice(0, from))}${toldOf(line.slice(from), undefined)}`;
  }
  if (parsed.rest.length > 0) {
    const here = spot ?? { path: [], tree: {} };
    const before = beforeSecret(line, parsed, here);
    if (before !== undefined) return harmless(before);
    if (!fits(parsed, here)) return harmless(keywords(roots, line, here));
  }
  return withoutLogins(harmless(line));
}
