/**
 * Secrets taken out of what leaves the box: those of every configuration that is kept on it, as a log may
 * tell of any of them. A site may have a hundred thousand, so a text is gone through once.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HIDDEN, withoutLogins } from '../../panel/logins.ts';
import type { Tree } from '../../panel/tree/terms.ts';
import { visit } from '../../panel/tree/walk.ts';
import { type Places, readJson } from './files.ts';

/** Shorter ones would take ordinary words out of the logs. */
const SECRET_LETTERS = 4;
/** In active.json a tree stands four deep: active, provisional, before, tree. */
const DEEPEST = 4;

/** Every tree in a file of the store, wherever it stands in it. */
function* treesIn(value: unknown, depth = 0): Generator<Tree> {
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return;
  for (const [name, part] of Object.entries(value)) {
    if (name !== 'tree') yield* treesIn(part, depth + 1);
    else if (typeof part === 'object' && part !== null) yield part as Tree;
  }
}

function gather(tree: Tree, into: Set<string>): void {
  visit(tree, (_words, node, value) => {
    if (node.kind === 'leaf' && node.secret === true) into.add(String(value));
  });
}

function filesOf({ active, prepared, revisions }: Places): readonly string[] {
  try {
    return [active, prepared, ...readdirSync(revisions).map((name) => join(revisions, name))];
  } catch {
    return [active, prepared];
  }
}

/** Of what is active, of all that is kept or prepared, and the pair key. */
export function secretsOf(places: Places, tree: Tree): readonly string[] {
  const found = new Set<string>();
  gather(tree, found);
  for (const path of filesOf(places)) {
    for (const kept of treesIn(readJson(path))) gather(kept, found);
  }
  try {
    found.add(readFileSync(places.key, 'latin1').trim());
  } catch {
    // not paired
  }
  return [...found].filter((s) => s.length >= SECRET_LETTERS);
}

/** @returns what takes these out of a text, also as they stand in JSON. */
export function masker(secrets: readonly string[]): (text: string) => string {
  // by their first letters, the longest first: one may be a part of another
  const begins = new Map<string, string[]>();
  const firsts = new Set<number>();
  const forms = new Set(secrets.flatMap((s) => [s, JSON.stringify(s).slice(1, -1)]));
  for (const form of [...forms].sort((a, b) => b.length - a.length)) {
    const begin = form.slice(0, SECRET_LETTERS);
    const same = begins.get(begin);
    if (same === undefined) begins.set(begin, [form]);
    else same.push(form);
    firsts.add(form.charCodeAt(0));
  }
  return (text) => {
    const out: string[] = [];
    let from = 0;
    for (let i = 0; i < text.length; i += 1) {
      if (!firsts.has(text.charCodeAt(i))) continue;
      const found = begins
        .get(text.slice(i, i + SECRET_LETTERS))
        ?.find((form) => text.startsWith(form, i));
      if (found === undefined) continue;
      out.push(text.slice(from, i), HIDDEN);
      from = i + found.length;
      i = from - 1;
    }
    return withoutLogins(out.length === 0 ? text : out.join('') + text.slice(from));
  };
}
