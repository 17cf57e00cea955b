/**
 * Configuration mode: a candidate, made from one revision, changed in memory and committed on both
 * boxes or on neither. Nothing here is active before `commit`, and nothing is lost by leaving a session
 * but the candidate.
 */

import { renderJson } from '../show/index.ts';
import { utc } from '../show/kit.ts';
import { isTogether } from '../system/apply.ts';
import type { Tree } from '../tree/terms.ts';
import { type Cx, complain, emit, faultLines, tell, yes } from './context.ts';
import {
  anyLine,
  ask,
  type Dialog,
  failed,
  Interrupted,
  type Json,
  part,
  say,
  TOO_LONG,
  text,
  UNREACHABLE,
} from './dialog.ts';
import { backwards, confirm } from './operate.ts';
import type { Parsed, Wrong } from './parse.ts';
import type { Pipes } from './pipes.ts';
import {
  choicesAt,
  comparedLines,
  deleteWords,
  faultsOf,
  groupAt,
  isTreeFault,
  jsonAt,
  loaded,
  setLinesOf,
  setWords,
  shownAt,
  type TreeFault,
} from './tree-tools.ts';
import type { ConfigurationVerb } from './verbs.ts';
import { split, type Word } from './words.ts';

export type Candidate = {
  /** Number of the revision it was made from, and what that is. Another may be active by now. */
  base: number;
  from: Tree;
  tree: Tree;
  /** Where `edit` is. */
  path: readonly string[];
};

const COMMIT_MS = 60_000;
const CONFIRM_MINUTES = 10;
/** Of a configuration that is pasted. */
const LOAD_LINES_MAX = 100_000;

function differ(one: Tree, two: Tree): boolean {
  if (one === two || JSON.stringify(one) === JSON.stringify(two)) return false;
  return comparedLines(one, two).length > 0;
}

/** @returns the candidate; undefined when there is none to be had, which was said. */
export function* beginConfiguring(): Dialog<Candidate | undefined> {
  const answer = yield* ask('system', { command: 'configuration' });
  if (failed(answer)) {
    yield* complain('system', answer);
    return undefined;
  }
  const tree = part(answer, 'tree') as Tree;
  const base = Number(text(part(answer, 'revision'), 'number'));
  if (base === 0) {
    yield* say('Nothing is committed yet: what was said at the first boot becomes revision 1');
    yield* say('by itself, when the boxes are paired and both have answered (request pair).');
  }
  return { base, from: tree, tree, path: [] };
}

type Standing = { readonly number: number; readonly tree: Tree };

/**
 * Asked at each command that speaks of it: it may have gone back by itself, and the other console commits,
 * too. @returns undefined when it is not to be had, which was said.
 */
function* activeNow(): Dialog<Standing | undefined> {
  const answer = yield* ask('system', { command: 'configuration' });
  if (failed(answer)) {
    yield* complain('system', answer);
    return undefined;
  }
  const number = Number(text(part(answer, 'revision'), 'number'));
  return { number, tree: part(answer, 'tree') as Tree };
}

/** The candidate is upon that from here on. */
function begins(c: Candidate, { number, tree }: Standing): void {
  c.base = number;
  c.from = tree;
}

type In = {
  readonly cx: Cx;
  readonly c: Candidate;
  readonly parsed: Parsed;
  readonly pipes: Pipes;
};

/** Which word of the line a fault of the tree is about. */
function wrongAt(fault: TreeFault, { c, parsed }: In, end: number): Wrong {
  const depth = split(fault.place).words.length - c.path.length;
  const { rest } = parsed;
  const missing = /missing|incomplete/.test(fault.code);
  const w = missing ? undefined : (rest[Math.max(0, depth - 1)] ?? rest.at(-1));
  const before = rest.slice(0, w === undefined ? rest.length : rest.indexOf(w)).map((x) => x.text);
  const choices = choicesAt(c.tree, [...c.path, ...before], '', true);
  return { at: w?.at ?? end, text: `${fault.text} (${fault.code})`, choices };
}

function textOf(words: readonly Word[]): readonly string[] {
  return words.map((w) => w.text);
}

type Result = Wrong | undefined;
type Run = (i: In, end: number) => Dialog<Result>;
/** Changes the candidate and says nothing. */
type Move = (i: In, end: number) => Result;

function change(how: typeof setWords): Move {
  return (i, end) => {
    const { c, parsed } = i;
    const next = how(c.tree, [...c.path, ...textOf(parsed.rest)]);
    if (isTreeFault(next)) return wrongAt(next, i, end);
    c.tree = next;
    return undefined;
  };
}

export function oneUp(c: Candidate): void {
  c.path = c.path.slice(0, -1);
}

function edit(i: In, end: number): Result {
  const { c, parsed } = i;
  const place = groupAt([...c.path, ...textOf(parsed.rest)]);
  if (isTreeFault(place)) return wrongAt(place, i, end);
  c.path = place;
  return undefined;
}

function* show(i: In, end: number): Dialog<Result> {
  const { c, parsed, pipes } = i;
  const words = [...c.path, ...textOf(parsed.rest)];
  const lines = shownAt(c.tree, words);
  if (isTreeFault(lines)) return wrongAt(lines, i, end);
  if (pipes.json) yield* emit(renderJson(jsonAt(c.tree, words) as Json), pipes);
  else yield* emit(lines.length === 0 ? ['(nothing is set here)'] : lines, pipes);
  return undefined;
}

/** The revision that was active `back` commits ago. */
function* earlier(back: number): Dialog<Json | undefined> {
  const list = yield* ask('system', { command: 'revisions' });
  if (failed(list)) {
    yield* complain('system', list);
    return undefined;
  }
  const sorted = backwards(list).map((r) => Number(r['number']));
  const revision = sorted[back];
  if (revision === undefined) {
    yield* say(`there are only ${sorted.length} revisions: show configuration revisions`);
    return undefined;
  }
  const answer = yield* ask('system', { command: 'configuration', revision });
  if (!failed(answer)) return answer;
  yield* complain('system', answer);
  return undefined;
}

/** Of what `compare` begins with; undefined when it is not to be had, which was said. */
function* comparedTo(c: Candidate, back: string | undefined): Dialog<Tree | undefined> {
  if (back !== undefined) {
    const revision = yield* earlier(Number(back));
    return revision === undefined ? undefined : (part(revision, 'tree') as Tree);
  }
  const now = yield* activeNow();
  if (now === undefined)
    yield* tell([`from revision ${c.base}, which the candidate was made from:`]);
  else if (now.number !== c.base) yield* tell([movedText(c, now)]);
  return now === undefined ? c.from : now.tree;
}

function movedText({ base }: Candidate, { number }: Standing): string {
  return `revision ${number} is active now; this candidate was made from revision ${base}`;
}

function* compare({ c, parsed, pipes }: In): Dialog<Result> {
  const from = yield* comparedTo(c, parsed.args['number']);
  if (from === undefined) return undefined;
  const lines = comparedLines(from, c.tree);
  yield* emit(lines.length === 0 ? ['(no differences)'] : lines, pipes);
  return undefined;
}

function* tellFaults(faults: readonly Json[]): Dialog<void> {
  yield* say(
    faults.length === 1 ? 'refused, for one reason:' : `refused, for ${faults.length} reasons:`,
  );
  yield* tell(faults.slice(0, 100).flatMap(faultLines));
}

function* check({ c }: In): Dialog<Result> {
  const own = faultsOf(c.tree);
  if (own.length > 0) {
    yield* tellFaults(own);
    return undefined;
  }
  const answer = yield* ask('system', { command: 'check', tree: c.tree }, COMMIT_MS);
  const faults = answer['faults'];
  if (failed(answer)) yield* complain('system', answer);
  else if (Array.isArray(faults) && faults.length > 0) yield* tellFaults(faults as Json[]);
  else if (answer['peer'] === 'absent') yield* say('ok here; the other box does not answer');
  else yield* say('ok, on both boxes');
  return undefined;
}

function* tellCommitted(answer: Json): Dialog<void> {
  const number = text(answer, 'revision');
  yield* say(
    answer['peer'] === 'absent'
      ? `committed as revision ${number} on this box; the other is away and gets it later`
      : `committed as revision ${number} on both boxes`,
  );
  const restarts = Array.isArray(answer['restarts']) ? answer['restarts'].map(String) : [];
  if (restarts.length > 0) {
    const together = isTogether(restarts.map((place) => place.replaceAll(' ', '.')));
    const how = together
      ? 'on both boxes at once (callers notice)'
      : 'first on the backup, then on the primary';
    yield* say(`the service starts anew, ${how}, because of:`);
    for (const place of restarts.slice(0, 20)) yield* say(`  ${place}`);
  }
  const until = answer['confirmBy'];
  if (typeof until === 'number') {
    yield* say(`both boxes go back at ${utc(until)} UTC, unless you say: confirm`);
  }
}

/** Nobody waits any more, or nobody answered: the boxes go on with a commit that they have heard. */
function* perhaps(cx: Cx): Dialog<void> {
  cx.standingAt = 0;
  yield* say('Not known whether it was committed: boxes go on with what they have heard.');
  yield* say('Look before you commit again: run show configuration revisions');
  yield* say('What it lacks, compare rollback 0 shows.');
}

/** ^C ends the waiting only. @returns undefined when it came. */
function* askCommit(cx: Cx, request: Json): Dialog<Json | undefined> {
  try {
    return yield* ask('system', request, COMMIT_MS);
  } catch (e) {
    if (!(e instanceof Interrupted) || e.why !== 'key') throw e;
    yield* perhaps(cx);
    return undefined;
  }
}

/** What can be done when another revision is active than the one the candidate was made from. */
function* tellStale(c: Candidate, answer: Json): Dialog<void> {
  yield* tell([`commit-stale: ${text(answer, 'text')}`]);
  const now = yield* activeNow();
  if (now === undefined) return;
  yield* tell([
    movedText(c, now),
    'nothing was changed. compare shows what is different; rollback 0 begins anew',
  ]);
  // it went back by itself, and nothing was typed since
  if (c.base < now.number || differ(c.tree, c.from)) return;
  const list = yield* ask('system', { command: 'revisions' });
  const back = backwards(list).findIndex((r) => Number(r['number']) === c.base);
  if (back > 0) yield* say(`rollback ${back} takes revision ${c.base} once more`);
}

/** A commit that changes nothing confirms nothing. */
function* tellUnconfirmed(): Dialog<void> {
  const { confirmBy, number } = part(yield* ask('system', { command: 'state' }), 'revision');
  if (confirmBy !== undefined) {
    yield* say(
      `revision ${text({ number }, 'number')} goes back by itself, unless you say: confirm`,
    );
  }
}

function commit(confirming: boolean): Run {
  return function* doCommit({ cx, c, parsed }) {
    const now = yield* activeNow();
    if (now === undefined) return undefined;
    if (!differ(c.tree, now.tree)) {
      begins(c, now);
      if (!confirming) {
        yield* say('nothing was changed');
        yield* tellUnconfirmed();
        return undefined;
      }
    }
    const own = faultsOf(c.tree);
    if (own.length > 0) {
      yield* tellFaults(own);
      return undefined;
    }
    const { args } = parsed;
    const answer = yield* askCommit(cx, {
      command: 'commit',
      base: c.base,
      tree: c.tree,
      by: 'admin',
      comment: args['comment'] ?? '',
      ...(confirming ? { confirmMin: Number(args['minutes'] ?? CONFIRM_MINUTES) } : {}),
    });
    if (answer === undefined) return undefined;
    cx.standingAt = 0;
    if (answer['error'] === 'commit-stale') yield* tellStale(c, answer);
    else if (failed(answer)) {
      yield* complain('system', answer);
      if (answer['error'] === UNREACHABLE) yield* perhaps(cx);
    } else {
      begins(c, { number: Number(answer['revision']), tree: c.tree });
      yield* tellCommitted(answer);
    }
    return undefined;
  };
}

function* rollback({ c, parsed }: In): Dialog<Result> {
  const back = Number(parsed.args['number'] ?? 0);
  const active = yield* earlier(0);
  const answer = back === 0 ? active : yield* earlier(back);
  if (answer === undefined || active === undefined) return undefined;
  const number = Number(text(part(active, 'revision'), 'number'));
  begins(c, { number, tree: part(active, 'tree') as Tree });
  c.tree = back === 0 ? c.from : (part(answer, 'tree') as Tree);
  yield* say(
    back === 0
      ? `the candidate is revision ${c.base}, the active one`
      : `the candidate is as ${back} commits ago; commit makes it active`,
  );
  return undefined;
}

/** A stick is mounted by the agent; a file of the box is there without it. */
function fileRequest(verb: 'read' | 'write', file: string): readonly ['self' | 'system', Json] {
  return file.startsWith('usb:')
    ? ['system', { command: 'stick', verb, file: file.slice(4) }]
    : ['self', { command: `${verb}-file`, file }];
}

function* save({ c, parsed }: In): Dialog<Result> {
  const file = parsed.args['file'] ?? '';
  const lines = `${setLinesOf(c.tree, true).join('\n')}\n`;
  const [service, request] = fileRequest('write', file);
  const answer = yield* ask(service, { ...request, text: lines }, COMMIT_MS);
  if (failed(answer)) yield* complain(service, answer);
  else yield* say(`saved: ${text(answer, 'path')}; it holds secrets`);
  return undefined;
}

/** @returns what is typed or pasted until ^D; undefined when it cannot be had whole, which was said. */
function* typed(): Dialog<string | undefined> {
  yield* say('Type or paste; ^D on a line of its own ends, ^C gives up.');
  const lines: string[] = [];
  let wrong = '';
  for (;;) {
    const got = yield* anyLine({ prompt: '' });
    if (got === undefined) break;
    if (got.lost > 0) wrong ||= `line ${lines.length + 1} is ${TOO_LONG}`;
    // what comes until ^D is heard to its end: it is no command
    if (lines.length < LOAD_LINES_MAX) lines.push(got.text);
    else wrong ||= `there are more than ${LOAD_LINES_MAX} lines`;
  }
  if (wrong === '') return lines.join('\n');
  yield* say(`${wrong}: nothing was loaded`);
  return undefined;
}

function* load({ c, parsed }: In): Dialog<Result> {
  const file = parsed.args['file'];
  let source: string | undefined;
  if (file === undefined) source = yield* typed();
  else {
    const [service, request] = fileRequest('read', file);
    const answer = yield* ask(service, request, COMMIT_MS);
    if (failed(answer)) {
      yield* complain(service, answer);
      return undefined;
    }
    source = text(answer, 'text');
  }
  if (source === undefined) return undefined;
  const next = loaded(c.tree, source);
  if (Array.isArray(next)) yield* tellFaults(next);
  else {
    c.tree = next as Tree;
    yield* say('loaded into the candidate; compare shows what it changes');
  }
  return undefined;
}

function* discard({ c }: In): Dialog<Result> {
  const now = yield* activeNow();
  if (now !== undefined) begins(c, now);
  c.tree = c.from;
  yield* say(
    now === undefined
      ? `the candidate is as it was begun: revision ${c.base}`
      : `the candidate is as the active configuration, revision ${c.base}`,
  );
  return undefined;
}

/** @returns true when configuration mode may be left. */
export function* mayLeave(c: Candidate): Dialog<boolean> {
  const typed = differ(c.tree, c.from);
  const answer = yield* ask('system', { command: 'configuration' });
  // without an answer what was typed is what counts
  const now = failed(answer) ? c.from : (part(answer, 'tree') as Tree);
  if (!differ(c.tree, now)) return true;
  if (typed) return yield* yes('The candidate was changed and not committed. Forget the changes?');
  const number = text(part(answer, 'revision'), 'number');
  return yield* yes(`The candidate is not what is active now (revision ${number}). Forget it?`);
}

const MOVES: { readonly [V in ConfigurationVerb]?: Move } = {
  set: change(setWords),
  delete: change(deleteWords),
  edit,
  up: ({ c }) => {
    oneUp(c);
    return undefined;
  },
  top: ({ c }) => {
    c.path = [];
    return undefined;
  },
};

const RUNS: { readonly [V in ConfigurationVerb]?: Run } = {
  show,
  compare,
  check,
  commit: commit(false),
  'commit confirm': commit(true),
  confirm: function* keep({ cx }) {
    yield* confirm(cx);
    return undefined;
  },
  rollback,
  save,
  load,
  discard,
};

/** The commands that are done here. */
export const CONFIGURING: readonly string[] = [...Object.keys(MOVES), ...Object.keys(RUNS)];

/** Does one command; `run`, `help`, `exit` and `quit` are the session's. @returns what is wrong with the line. */
export function* doConfigure(
  cx: Cx,
  c: Candidate,
  parsed: Parsed,
  pipes: Pipes,
  end: number,
): Dialog<Result> {
  const move = MOVES[parsed.verb as ConfigurationVerb];
  if (move !== undefined) return move({ cx, c, parsed, pipes }, end);
  const run = RUNS[parsed.verb as ConfigurationVerb];
  return run === undefined ? undefined : yield* run({ cx, c, parsed, pipes }, end);
}
