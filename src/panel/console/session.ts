/** A session from the login to the logout: the loop of the two modes. */

import { type Completer, choiceLines, complete, type Knowledge } from './complete.ts';
import { beginConfiguring, type Candidate, doConfigure, mayLeave } from './configure.ts';
import { type Cx, emit, look, tell } from './context.ts';
import {
  ask,
  audit,
  type ColumnOf,
  type Dialog,
  failed,
  here,
  Interrupted,
  line,
  type Moment,
  part,
  type Settings,
  say,
  text,
} from './dialog.ts';
import { CONFIGURATION, OPERATIONAL } from './grammar.ts';
import { HELP } from './help.ts';
import { login } from './login.ts';
import { ConsoleMachine } from './machine.ts';
import type { GrammarNode } from './node.ts';
import { operate } from './operate.ts';
import { harmless } from './pager.ts';
import { isWrong, type Parsed, parse, type Wrong } from './parse.ts';
import { type Pipes, readPipes } from './pipes.ts';
import { startSentence } from './standing.ts';
import { choicesAt, hasSecret } from './tree-tools.ts';
import type { OperationalVerb } from './verbs.ts';
import { choosePassword, firstBoot, whatIsMissing } from './wizard.ts';
import { split } from './words.ts';

export type SessionOptions = {
  readonly release: string;
  readonly settings: Settings;
  readonly now: Moment;
  /** The first session of this process: the other services may be starting too. */
  readonly starting: boolean;
  /** Of the machine, until the configuration says it. */
  readonly name: string;
};

/** The terminal everybody has. */
export const TERMINAL: Settings = { columns: 80, rows: 24, idleMs: 15 * 60_000 };

/** What fits nowhere is no size of a screen. */
const LEAST = { columns: 20, rows: 5 };
const MOST = { columns: 500, rows: 500 };

/** What a terminal says of itself, as a session can use it; a serial line knows no size and says 0. */
export function screenSize(columns: number, rows: number): { columns: number; rows: number } {
  const side = (n: number, what: 'columns' | 'rows'): number =>
    n > 0 ? Math.min(MOST[what], Math.max(LEAST[what], Math.floor(n))) : TERMINAL[what];
  return { columns: side(columns, 'columns'), rows: side(rows, 'rows') };
}

type Command = { readonly parsed: Parsed; readonly pipes: Pipes; readonly end: number };

function read(roots: readonly GrammarNode[], text: string): Command | Wrong {
  const s = split(text);
  if (s.open) return { at: s.end, text: 'a quote is not closed', choices: [] };
  const end = s.pipes.length === 0 ? s.end : (s.words.at(-1)?.at ?? 0);
  const parsed = parse(roots, s.words, end);
  if (isWrong(parsed)) return parsed;
  const pipes = readPipes(s.pipes, s.end);
  return 'choices' in pipes ? pipes : { parsed, pipes, end };
}

/** More than that would push the caret out of sight: then without their help. */
const CHOICES_TOLD = 10;

/** The caret under the place, and what could stand there. */
function* tellWrong(wrong: Wrong, column: ColumnOf): Dialog<void> {
  yield { want: 'failed' };
  const { settings } = yield* here();
  const at = column(wrong.at);
  if (at !== undefined) yield* say(`${' '.repeat(at)}^`);
  yield* tell([wrong.text]);
  const { choices } = wrong;
  if (choices.length <= CHOICES_TOLD) {
    for (const l of choiceLines(choices, settings.columns)) yield* say(l);
  } else yield* tell([`  ${choices.map((c) => c.word).join('  ')}`]);
}

function isCommand(x: Command | Wrong): x is Command {
  return 'parsed' in x;
}

/** Of what is active nothing is known while somebody types: the schema's words. */
const ANY_PLACE: Knowledge['paths'] = (words, partial, value) =>
  choicesAt({}, words, partial, value);

function completerOf(c: Candidate | undefined): Completer {
  const k: Knowledge =
    c === undefined
      ? { roots: OPERATIONAL, paths: ANY_PLACE, other: OPERATIONAL }
      : {
          roots: CONFIGURATION,
          paths: (words, partial, value) =>
            choicesAt(c.tree, [...c.path, ...words], partial, value),
          other: OPERATIONAL,
        };
  return (text) => complete(k, text);
}

type Mode = { candidate: Candidate | undefined };

/** @returns false when the session is over. */
function* operational(cx: Cx, mode: Mode, command: Command): Dialog<boolean> {
  const { parsed, pipes } = command;
  if (parsed.verb === 'quit') return false;
  if (parsed.verb === 'configure') {
    if (mode.candidate === undefined) mode.candidate = yield* beginConfiguring();
    if (mode.candidate !== undefined) yield* say('Nothing is active before commit.');
    return true;
  }
  const rest = parsed.rest.map((w) => w.text);
  yield* operate(cx, parsed.verb as OperationalVerb, parsed.args, pipes, rest);
  return true;
}

function* leave(mode: Mode, c: Candidate): Dialog<void> {
  if (c.path.length > 0) c.path = [];
  else if (yield* mayLeave(c)) mode.candidate = undefined;
}

/** @returns what is wrong with the line. */
function* configuring(
  cx: Cx,
  mode: Mode,
  c: Candidate,
  command: Command,
  text: string,
): Dialog<Wrong | undefined> {
  const { parsed, pipes, end } = command;
  switch (parsed.verb) {
    case 'exit':
      yield* leave(mode, c);
      return undefined;
    case 'help':
      yield* emit(HELP, pipes);
      return undefined;
    case 'run': {
      const from = parsed.rest[0]?.at ?? 0;
      const other = read(OPERATIONAL, text.slice(from));
      if (!isCommand(other)) return { ...other, at: other.at + from };
      yield* operational(cx, mode, other);
      return undefined;
    }
    default:
      return yield* doConfigure(cx, c, parsed, pipes, end);
  }
}

/** For the log: what was typed, without the secrets in it. */
function told(mode: Mode, text: string): string {
  const words = split(text).words.map((w) => w.text);
  const path = mode.candidate?.path ?? [];
  if (words[0]?.startsWith('s') && hasSecret([...path, ...words.slice(1)])) {
    return `${words.slice(0, -1).join(' ')} (secret)`;
  }
  // a web server may want a name and a password
  return harmless(text.trim()).replace(/:\/\/[^\s/]*@/g, '://***@');
}

function* obey(cx: Cx, mode: Mode, text: string, column: ColumnOf): Dialog<boolean> {
  if (text.trim() === '') return true;
  const words = told(mode, text);
  yield* audit(words);
  // a secret is not shown again by the arrow up
  if (words.endsWith('(secret)') && cx.history.at(-1) === text) cx.history.pop();
  const c = mode.candidate;
  const command = read(c === undefined ? OPERATIONAL : CONFIGURATION, text);
  if (!isCommand(command)) {
    yield* tellWrong(command, column);
    return true;
  }
  if (c === undefined) return yield* operational(cx, mode, command);
  const wrong = yield* configuring(cx, mode, c, command, text);
  if (wrong !== undefined) yield* tellWrong(wrong, column);
  return true;
}

function* once(cx: Cx, mode: Mode): Dialog<boolean> {
  const c = mode.candidate;
  yield* look(cx);
  if (c !== undefined) yield* say(`[edit${c.path.map((w) => ` ${w}`).join('')}]`);
  const prompt = `${cx.name} (${cx.standing})${c === undefined ? '>' : '#'} `;
  const got = yield* line({ prompt, history: cx.history, complete: completerOf(c) });
  if (got !== undefined) return yield* obey(cx, mode, got.text, got.column);
  if (c === undefined) return false;
  yield* leave(mode, c);
  return true;
}

/** What went wrong in a command is said; the session goes on. */
function* survive(cx: Cx, mode: Mode): Dialog<boolean> {
  try {
    return yield* once(cx, mode);
  } catch (e) {
    if (e instanceof Interrupted) {
      if (e.why === 'over') throw e;
      return true;
    }
    const why = e instanceof Error ? e.message : String(e);
    yield* audit(`console-fault: ${harmless(why)}`);
    yield* say(`console-fault: ${harmless(why)}; the session goes on`);
    return true;
  }
}

/** What the configuration says about consoles. */
function* ownSettings(): Dialog<void> {
  const answer = yield* ask('system', { command: 'configuration' });
  const minutes = part(part(part(answer, 'tree'), 'system'), 'console')['idleMin'];
  if (typeof minutes !== 'number') return;
  yield { want: 'settings', settings: { idleMs: minutes * 60_000 } };
}

/** A login does not wait longer for a monitor that does not answer. */
const LOOK_MS = 1000;

/** What keeps this box from being half of a pair. */
function* unfinished(): Dialog<void> {
  const state = yield* ask('system', { command: 'state' });
  const status = yield* ask('monitor', { command: 'status' }, LOOK_MS);
  if (failed(state) || 'daemon' in status) return;
  const sentence = startSentence({ phase: text(status, 'phase'), state });
  if (sentence !== '') yield* tell([sentence]);
}

/**
 * The data partition could not be had: what this box knew is out of reach, its password too. Nothing is
 * asked as on a first day: what was answered would be in memory only. @returns whether it is so.
 */
function* dataFault(): Dialog<boolean> {
  const answer = yield* ask('self', { command: 'data-fault' });
  const why = text(answer, 'text');
  if (why === '' || failed(answer)) return false;
  yield* tell([
    `The data partition could not be mounted: ${why}`,
    'This box has no configuration and takes no calls; the other box may. Switch it off and on once. ' +
      'If this stays, log in as factory-reset to make the partition anew: it forgets everything, and ' +
      'is paired again. If that does not help either, the storage of this box is broken.',
  ]);
  return true;
}

function* whole(cx: Cx, starting: boolean): Dialog<void> {
  yield* say('');
  yield* say(`${cx.release}, console of box ${cx.name}`);
  // without its file no password is right, and only factory-reset is heard
  const missing = (yield* dataFault()) ? 'nothing' : yield* whatIsMissing(starting);
  if (missing === 'password') yield* choosePassword();
  else yield* login(cx.name);
  const isNew = (yield* whatIsMissing(false)) === 'questions';
  if (isNew) yield* firstBoot(cx);
  yield* ownSettings();
  // who has just answered everything was told what comes now
  if (!isNew) yield* unfinished();
  const mode: Mode = { candidate: undefined };
  while (yield* survive(cx, mode));
  yield* audit('logout');
}

/** ^C before the login begins it again; the end of the session ends it everywhere. */
function* untilOver(cx: Cx, starting: boolean): Dialog<void> {
  for (let first = starting; ; first = false) {
    try {
      return yield* whole(cx, first);
    } catch (e) {
      if (!(e instanceof Interrupted)) throw e;
      if (e.why === 'over') {
        yield* audit('logout: idle');
        return;
      }
    }
  }
}

function contextOf(o: SessionOptions): Cx {
  return {
    release: o.release,
    history: [],
    name: o.name,
    standing: '',
    standingAt: 0,
  };
}

/** A session on a terminal. */
export function newSession(o: SessionOptions): ConsoleMachine {
  return new ConsoleMachine(untilOver(contextOf(o), o.starting), o.settings, o.now);
}

function* onlyOne(cx: Cx, text: string): Dialog<void> {
  const mode: Mode = { candidate: undefined };
  try {
    yield* obey(cx, mode, text, () => undefined);
  } catch (e) {
    if (!(e instanceof Interrupted)) throw e;
  }
}

/** `sipair cli -c "show ha"`: one operational command, without a login: who runs it is root. */
export function oneCommand(o: SessionOptions, text: string): ConsoleMachine {
  return new ConsoleMachine(onlyOne(contextOf(o), text), { ...o.settings, rows: 0 }, o.now);
}
