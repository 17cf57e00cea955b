/**
 * Reading a text into a tree: curly form or set lines (`text.ts` has both), told apart by the first
 * word. Every mistake is collected with line and column. A secret that was not shown reads as MASK;
 * `mergeSecrets` puts the old one back.
 */

import { type Fault, faultAt, isTree, MASK, type Scalar, type Tree, type Value } from './terms.ts';
import { SECRET_MARK } from './text.ts';
import { deletePath, isPlace, putOf, resolve, valueAt } from './tree.ts';
import { sameValue, visit } from './walk.ts';
import { tokenise, wordAt } from './words.ts';

/** A text has no more than so many mistakes that are told. */
const MOST_FAULTS = 50;
export const MOST_BYTES = 8 * 1024 * 1024;

type Open = { [name: string]: Open | Value };

type Token =
  | { readonly kind: 'word'; readonly text: string; readonly line: number; readonly column: number }
  | {
      readonly kind: '{' | '}' | ';' | '[' | ']' | 'mask' | 'end';
      readonly line: number;
      readonly column: number;
    };

class Reader {
  readonly faults: Fault[] = [];
  tree: Open;

  constructor(onto: Tree) {
    this.tree = copy(onto);
  }

  wrong(fault: Fault, line: number, column?: number): void {
    const at = column ?? fault.column;
    if (this.faults.length >= MOST_FAULTS) return;
    this.faults.push({ ...fault, line, ...(at === undefined ? {} : { column: at }) });
  }

  /** One `set`. @param masked the value was not shown. */
  put(words: readonly string[], masked: boolean, line: number, column: number): void {
    const place = resolve(words);
    if (!isPlace(place)) {
      this.wrong(place, line, column);
      return;
    }
    if (masked) {
      const { node, rest } = place;
      if (node.kind === 'leaf' && node.secret === true && rest.length === 0) {
        assign(this.tree, place.words, MASK);
      } else {
        const text = 'this is no secret: its value is needed here';
        this.wrong(faultAt('tree-missing-value', place.words, text), line, column);
      }
      return;
    }
    const put = putOf(this.tree as Tree, place);
    if ('code' in put) this.wrong(put, line, column);
    else assign(this.tree, put.words, put.value);
  }

  take(words: readonly string[], line: number): void {
    const left = deletePath(this.tree as Tree, words);
    if ('code' in left && 'text' in left) this.wrong(left as Fault, line, 1);
    else this.tree = copy(left as Tree);
  }
}

/** A tree that is built: nobody else sees it. */
function copy(tree: Tree): Open {
  const out: Open = {};
  for (const [name, value] of Object.entries(tree)) {
    define(out, name, isTree(value) ? copy(value) : value);
  }
  return out;
}

function define(tree: Open, name: string, value: Open | Value): void {
  Object.defineProperty(tree, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function assign(tree: Open, words: readonly string[], value: Tree | Value): void {
  let here = tree;
  words.forEach((word, i) => {
    if (i === words.length - 1) define(here, word, isTree(value) ? copy(value) : value);
    else {
      const next = Object.hasOwn(here, word) ? here[word] : undefined;
      if (!isTree(next as Tree)) define(here, word, {});
      here = here[word] as Open;
    }
  });
}

/**
 * @param onto what the text is added to; nothing unless told otherwise.
 * @returns the tree, or every mistake. Whether it is complete is asked by `verifyTree`.
 */
export function parseText(text: string, onto: Tree = {}): Tree | readonly Fault[] {
  if (text.length > MOST_BYTES) {
    return [faultAt('tree-full', [], `a configuration has at most ${MOST_BYTES} characters`)];
  }
  const reader = new Reader(onto);
  const first = /^(?:\s|#.*|\/\*[\s\S]*?\*\/)*(\S*)/.exec(text)?.[1] ?? '';
  const marked = text.trimStart().startsWith(`${SECRET_MARK} set `);
  if (first === 'set' || first === 'delete' || marked) readLines(reader, text);
  else readCurly(reader, text);
  return reader.faults.length > 0 ? reader.faults : (reader.tree as Tree);
}

function readLines(reader: Reader, text: string): void {
  text.split('\n').forEach((raw, i) => {
    const line = i + 1;
    const masked = raw.startsWith(`${SECRET_MARK} set `);
    const said = masked ? raw.slice(SECRET_MARK.length) : raw;
    if (!masked && /^\s*(#.*)?$/.test(raw)) return;
    const tokens = tokenise(said);
    if ('code' in tokens) {
      reader.wrong(tokens, line);
      return;
    }
    const [verb, ...rest] = tokens.words.map((w) => w.text);
    const column = tokens.words[1]?.column ?? 1;
    if (verb === 'set') reader.put(rest, masked, line, column);
    else if (verb === 'delete') reader.take(rest, line);
    else reader.wrong(faultAt('tree-syntax', [], 'set or delete is needed here'), line, 1);
  });
}

/** Splits a curly text; comments are gone, but what stands for a secret is a token. */
function tokensOf(reader: Reader, text: string): readonly Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let start = 0;
  for (let i = 0; i < text.length; ) {
    const c = text[i] as string;
    const column = i - start + 1;
    if (c === '\n') {
      line += 1;
      i += 1;
      start = i;
    } else if (/\s/.test(c)) i += 1;
    else if (c === '#') {
      const end = text.indexOf('\n', i);
      i = end < 0 ? text.length : end;
    } else if (text.startsWith('/*', i)) {
      const end = text.indexOf('*/', i + 2);
      if (end < 0) {
        const fault = faultAt('tree-syntax', [], 'this /* is not closed by */');
        reader.wrong(fault, line, column);
        break;
      }
      const comment = text.slice(i, end + 2);
      if (comment === MASK) tokens.push({ kind: 'mask', line, column });
      const breaks = comment.split('\n').length - 1;
      if (breaks > 0) start = i + comment.lastIndexOf('\n') + 1;
      line += breaks;
      i = end + 2;
    } else if ('{};[]'.includes(c)) {
      tokens.push({ kind: c as '{', line, column });
      i += 1;
    } else {
      // a word does not go over the end of its line
      const lineEnd = text.indexOf('\n', i);
      const rest = text.slice(i, lineEnd < 0 ? text.length : lineEnd);
      const word = wordAt(rest, 0, '{};[]#');
      if ('code' in word) {
        reader.wrong(word, line, column + (word.column ?? 1) - 1);
        i += rest.length;
        continue;
      }
      tokens.push({ kind: 'word', text: word.word.text, line, column });
      i += word.end;
    }
  }
  tokens.push({ kind: 'end', line, column: text.length - start + 1 });
  return tokens;
}

function readCurly(reader: Reader, text: string): void {
  const tokens = tokensOf(reader, text);
  const groups: { readonly words: readonly string[]; said: boolean; readonly at: Token }[] = [];
  let words: string[] = [];
  let masked = false;
  let began: Token | undefined;
  const path = (): readonly string[] => groups.flatMap((g) => g.words);
  const syntax = (t: Token, say: string): void =>
    reader.wrong(faultAt('tree-syntax', path(), say), t.line, t.column);
  const clear = (): void => {
    words = [];
    masked = false;
    began = undefined;
  };
  for (const token of tokens) {
    const at = began ?? token;
    const group = groups.at(-1);
    if (token.kind === 'word' || token.kind === '[' || token.kind === ']') {
      began ??= token;
      words.push(token.kind === 'word' ? token.text : token.kind);
    } else if (token.kind === 'mask') {
      // elsewhere it is a comment like others
      masked = words.length > 0;
    } else if (token.kind === ';') {
      if (group !== undefined) group.said = true;
      if (words.length > 0) reader.put([...path(), ...words], masked, at.line, at.column);
      clear();
    } else if (token.kind === '{') {
      if (words.length === 0) syntax(token, 'a name is needed before {');
      if (group !== undefined) group.said = true;
      groups.push({ words, said: words.length === 0, at });
      clear();
    } else {
      if (words.length > 0) syntax(at, '; is needed after this');
      clear();
      if (token.kind === '}') {
        if (group === undefined) syntax(token, 'nothing is open here that } could close');
        else if (!group.said) reader.put(path(), false, group.at.line, group.at.column);
        groups.pop();
      } else if (group !== undefined) syntax(group.at, 'this is not closed by }');
    }
  }
}

/** A text that was shown, with the secrets it did not show taken from `old`. */
export function mergeSecrets(old: Tree, shown: Tree): Tree | readonly Fault[] {
  const out = copy(shown);
  const faults: Fault[] = [];
  visit(shown, (words, node, value) => {
    if (node.kind !== 'leaf' || node.secret !== true || !sameValue(value, MASK)) return;
    const before = valueAt(old, words) as Scalar | undefined;
    if (before === undefined || before === MASK) {
      faults.push(faultAt('tree-secret', words, 'not shown in the text, and not known: set it'));
    } else assign(out, words, before);
  });
  return faults.length > 0 ? faults : (out as Tree);
}
