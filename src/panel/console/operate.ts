/** Operational mode: what each command asks of whom, and what is said about the answer. */

import { ASKS, renderJson, type ShowName } from '../show/index.ts';
import { utc } from '../show/kit.ts';
import {
  type Cx,
  complain,
  emit,
  faultLines,
  linesOf,
  program,
  show,
  tell,
  yes,
} from './context.ts';
import {
  ask,
  type Dialog,
  failed,
  type Json,
  part,
  question,
  type Service,
  say,
  text,
  UNREACHABLE,
} from './dialog.ts';
import { HELP } from './help.ts';
import { monitorSip } from './monitor-sip.ts';
import { pair } from './pair.ts';
import type { Parsed } from './parse.ts';
import type { Pipes } from './pipes.ts';
import { isTreeFault, jsonAt, setLinesOf, shownAt } from './tree-tools.ts';
import type { OperationalVerb, Subject } from './verbs.ts';

type Args = Parsed['args'];
/** `rest`: of a place in the configuration, its words. */
type Run = (cx: Cx, args: Args, pipes: Pipes, rest: readonly string[]) => Dialog<void>;

/** An order is answered when it is done; some take their time. */
const ORDER_MS = 30_000;
const LONG_MS = 300_000;
/** A bundle comes over a slow line, and is checked. */
const BUNDLE_MS = 20 * 60_000;
const LOCATE_MINUTES = 60;
const LOG_LINES = 100;
/** Pages of rows that are put together; a page has up to 1000. */
const PAGES_MAX = 50;

/** What the formatters call a subject. */
export const SHOWN: { readonly [S in Subject]?: ShowName } = {
  'alarms-history': 'history',
};

/** All rows of an answer that comes in pages. */
function* allRows(service: Service, request: Json): Dialog<Json> {
  const first = yield* ask(service, request);
  let next = first['next'];
  if (!Array.isArray(first['rows'])) return first;
  const rows: unknown[] = [...first['rows']];
  for (let i = 0; next !== undefined && next !== null && i < PAGES_MAX; i += 1) {
    const more = yield* ask(service, { ...request, from: next });
    if (!Array.isArray(more['rows'])) return more;
    rows.push(...more['rows']);
    next = more['next'];
  }
  return { ...first, rows };
}

function shower(subject: Subject): Run {
  return function* showSubject(_cx, args, pipes) {
    const name = SHOWN[subject] ?? (subject as ShowName);
    const [service, base] = ASKS[name];
    const id = args['id'];
    const request: Json = id === undefined ? { ...base } : { ...base, id };
    const answer = yield* allRows(service, request);
    if (failed(answer)) yield* complain(service, answer);
    else yield* show(name, answer, pipes);
  };
}

function* configuration(_cx: Cx, args: Args, pipes: Pipes, rest: readonly string[]): Dialog<void> {
  const number = args['number'];
  const answer = yield* ask('system', {
    command: 'configuration',
    ...(number === undefined ? {} : { revision: Number(number) }),
  });
  if (failed(answer)) {
    yield* complain('system', answer);
    return;
  }
  const tree = part(answer, 'tree') as never;
  // never the answer itself: its secrets are in the clear
  const shown = pipes.json ? jsonAt(tree, rest) : shownAt(tree, rest);
  if (isTreeFault(shown)) {
    yield { want: 'failed' };
    yield* tell(faultLines(shown));
    return;
  }
  yield* emit(pipes.json ? renderJson(shown as Json) : (shown as readonly string[]), pipes);
}

/** Lines that are no picture of anything: their JSON is a list. */
function* asLines(lines: readonly string[], pipes: Pipes): Dialog<void> {
  yield* emit(pipes.json ? renderJson(lines) : lines, pipes);
}

function* commands(_cx: Cx, _args: Args, pipes: Pipes): Dialog<void> {
  const answer = yield* ask('system', { command: 'configuration' });
  if (failed(answer)) yield* complain('system', answer);
  else yield* asLines(setLinesOf(part(answer, 'tree') as never, false), pipes);
}

/**
 * In the order of `rollback`: the active one first, then the newest. One that went back by itself, or lost
 * to the other box, has a higher number than what is active.
 */
export function backwards(answer: Json): readonly Json[] {
  const rows = Array.isArray(answer['revisions']) ? (answer['revisions'] as Json[]) : [];
  const rank = (r: Json): number =>
    r['number'] === answer['active'] ? Number.POSITIVE_INFINITY : Number(r['number']);
  return [...rows].sort((a, b) => rank(b) - rank(a));
}

export function revisionLines(answer: Json): string[] {
  return [
    'back  revision  when (UTC)           by               comment',
    ...backwards(answer).map((r, i) => {
      const at = Number.isFinite(r['at']) ? utc(Number(r['at'])) : '';
      const by = `${text(r, 'by')}@${text(r, 'box')}`;
      return [
        String(i).padStart(4),
        text(r, 'number').padStart(8),
        at.padEnd(19),
        by.padEnd(15),
        text(r, 'comment'),
      ]
        .join('  ')
        .trimEnd();
    }),
  ];
}

function* revisions(_cx: Cx, _args: Args, pipes: Pipes): Dialog<void> {
  const answer = yield* ask('system', { command: 'revisions' });
  if (failed(answer)) yield* complain('system', answer);
  else
    yield* emit(
      pipes.json ? JSON.stringify(answer, undefined, 2).split('\n') : revisionLines(answer),
      pipes,
    );
}

function* files(_cx: Cx, _args: Args, pipes: Pipes): Dialog<void> {
  const answer = yield* ask('system', { command: 'files', verb: 'list' });
  if (failed(answer)) {
    yield* complain('system', answer);
    return;
  }
  const rows = Array.isArray(answer['files']) ? (answer['files'] as Json[]) : [];
  const lines = rows.map((f) =>
    [utc(Number(f['at'])), text(f, 'bytes').padStart(8), text(f, 'path')].join('  '),
  );
  const table = ['when (UTC)              bytes  file', ...lines];
  yield* emit(pipes.json ? renderJson(rows) : rows.length === 0 ? ['no files'] : table, pipes);
}

function* installFile(args: Args): Dialog<void> {
  const request = { command: 'files', verb: 'install', source: args['source'] ?? '' };
  const answer = yield* ask('system', request, LONG_MS);
  if (failed(answer)) yield* complain('system', answer);
  else {
    const where =
      answer['peer'] === true ? 'on both boxes' : 'on this box; the other gets it later';
    yield* say(`${text(answer, 'path')}, ${where}`);
  }
}

function* deleteFile(args: Args): Dialog<void> {
  const answer = yield* ask('system', {
    command: 'files',
    verb: 'delete',
    file: args['file'] ?? '',
  });
  if (failed(answer)) yield* complain('system', answer);
  else yield* say('removed from both boxes');
}

function* log(_cx: Cx, args: Args, pipes: Pipes): Dialog<void> {
  const lines = Number(args['lines'] ?? LOG_LINES);
  const answer = yield* ask('system', { command: 'log', lines });
  if (!failed(answer) && Array.isArray(answer['lines'])) {
    yield* asLines(answer['lines'].map(String), pipes);
    return;
  }
  // the journal is there without the agent
  yield* say('(sipair-system does not answer: from the journal itself)');
  const words = ['--no-pager', '-o', 'short-iso', '-n', String(lines)];
  yield* asLines(yield* linesOf('journalctl', words), pipes);
}

function* version(cx: Cx, _args: Args, pipes: Pipes): Dialog<void> {
  const [service, base] = ASKS.version;
  const answer = yield* ask(service, { ...base });
  if (failed(answer)) {
    const own = { console: cx.release };
    yield* emit(pipes.json ? renderJson(own) : [`console  ${cx.release}`], pipes);
  } else yield* show('version', answer, pipes);
}

/** Sends an order; says `done`, or what was answered. */
function order(service: Service, request: Json, done: string, patienceMs = ORDER_MS): Run {
  return function* doOrder(cx, _args, _pipes) {
    const answer = yield* ask(service, request, patienceMs);
    cx.standingAt = 0;
    if (failed(answer) || answer['ok'] === false) yield* complain(service, asFault(answer));
    else yield* say(text(answer, 'text') || done);
  };
}

/** The daemon says {ok: false, why} where it refuses. */
function asFault(answer: Json): Json {
  if (failed(answer)) return answer;
  const said = text(answer, 'why') || text(answer, 'text') || 'refused';
  return { error: 'refused', text: said.replace(/^refused: /, '') };
}

function asked(prompt: string, run: Run): Run {
  return function* onlyIf(cx, args, pipes, rest) {
    if (yield* yes(prompt)) yield* run(cx, args, pipes, rest);
    else yield* say('nothing was done');
  };
}

function image(verb: string, done: string, force = false): Run {
  return function* doImage(_cx, args, _pipes) {
    const source = args['source'];
    const from = source === undefined ? {} : { source };
    const request = { command: 'image', verb, ...from, ...(force ? { force } : {}) };
    const patienceMs = verb === 'install' ? BUNDLE_MS : LONG_MS;
    const answer = yield* ask('system', request, patienceMs);
    if (failed(answer)) yield* complain('system', answer);
    else yield* say(text(answer, 'text') || done);
  };
}

/** Starts or stops the machine: through the agent, so that a primary hands over; without it too. */
function machine(command: 'reboot' | 'poweroff', done: string): Run {
  return function* doMachine() {
    const answer = yield* ask('system', { command }, ORDER_MS);
    if (answer['error'] === UNREACHABLE) {
      yield* say('sipair-system does not answer: the machine is told itself');
      const own = yield* ask('self', { command }, ORDER_MS);
      if (failed(own)) yield* complain('self', own);
      else yield* say(done);
    } else if (failed(answer)) yield* complain('system', answer);
    else yield* say(done);
  };
}

function* locate(minutes: number): Dialog<void> {
  const on = minutes > 0;
  const answer = yield* ask('monitor', { command: 'locate', on, ...(on ? { minutes } : {}) });
  if (failed(answer)) yield* complain('monitor', answer);
  else yield* say(on ? `all lights blink for ${minutes} min` : 'the lights are as before');
}

/** The least a password must be. */
export const PASSWORD_MIN = 10;

export function passwordWrong(password: string): string {
  if (password.length < PASSWORD_MIN) return `at least ${PASSWORD_MIN} characters are needed`;
  if (new Set(password).size < 5) return 'at least 5 different characters are needed';
  return '';
}

/** @param peer of the other box, by who is admin here. */
function* password(peer: boolean): Dialog<void> {
  const old = yield* question(peer ? 'Password of this box: ' : 'Old password: ', true);
  const one = yield* question(peer ? 'New password of the other box: ' : 'New password: ', true);
  const wrong = passwordWrong(one);
  if (wrong !== '') {
    yield* say(wrong);
    return;
  }
  if ((yield* question('Again: ', true)) !== one) {
    yield* say('the two differ: nothing was changed');
    return;
  }
  const request = { command: 'admin', verb: peer ? 'set-peer' : 'set', password: one, old };
  const answer = yield* ask('system', request, ORDER_MS);
  if (failed(answer)) yield* complain('system', answer);
  else if (answer['verified'] !== true) yield* say(refusal(answer));
  else yield* say(`the password of admin${peer ? ' of the other box' : ''} was changed`);
}

function refusal(answer: Json): string {
  const locked = Number(answer['lockedMs'] ?? 0) > 0;
  return `${locked ? 'too many wrong passwords: locked' : 'wrong password'}; nothing was changed`;
}

function* bundle(to: Json): Dialog<void> {
  const answer = yield* ask('system', { command: 'support-bundle', ...to }, LONG_MS);
  if (failed(answer)) yield* complain('system', answer);
  else yield* say(`${text(answer, 'path')} (${text(answer, 'bytes')} bytes)`);
}

/** Also from the login prompt: who stands before the box may. It keeps nothing, and tells nothing. */
export function* factoryReset(): Dialog<void> {
  yield* say('This box forgets everything: configuration, calls, records, pair key, password.');
  yield* say('The other box is not touched and goes on alone. It cannot be undone.');
  const word = yield* question('Type factory-reset to go on: ');
  if (word !== 'factory-reset') {
    yield* say('nothing was done');
    return;
  }
  const request = { command: 'factory-reset', word };
  let answer = yield* ask('system', request, ORDER_MS);
  // a box whose agent is broken is the one that needs it
  if (answer['error'] === UNREACHABLE) answer = yield* ask('self', request, ORDER_MS);
  if (failed(answer)) yield* complain('self', answer);
  else yield* say('done: the box starts anew, and asks as on its first day');
}

function* traffic(args: Args): Dialog<void> {
  const port = args['interface'] ?? 'eth0';
  yield* say(`packets on ${port}; ^C ends`);
  yield* program('tcpdump', ['-l', '-n', '-i', port]);
}

function* setCli(args: Args): Dialog<void> {
  const rows = args['rows'];
  const columns = args['columns'];
  yield {
    want: 'settings',
    settings: {
      ...(rows === undefined ? {} : { rows: Number(rows) }),
      ...(columns === undefined ? {} : { columns: Number(columns) }),
    },
  };
}

function clear(what: string, done: string): Run {
  return function* doClear(_cx, args) {
    const id = args['id'];
    const answer = yield* ask('control', {
      command: 'clear',
      what,
      ...(id === undefined ? {} : { id }),
    });
    if (failed(answer) || answer['ok'] === false) yield* complain('control', asFault(answer));
    else yield* say(done);
  };
}

const SHOWS: { readonly [S in Subject]?: Run } = {
  files,
  log,
  version,
  configuration,
  commands,
  revision: configuration,
  revisions,
};

const RUNS: { readonly [V in OperationalVerb]?: Run } = {
  switchover: order('control', { command: 'switchover', force: false }, 'the roles have changed'),
  'switchover force': asked(
    'Calls may be lost. Go on?',
    order('control', { command: 'switchover', force: true }, 'the roles have changed'),
  ),
  promote: asked(
    'If the other box is alive, two boxes will be primary. Is it off?',
    order('control', { command: 'promote' }, 'this box leads'),
  ),
  resync: order('control', { command: 'resync' }, 'the backup gets all tables anew'),
  'image install': image('install', 'installing: show system image'),
  'image install force': asked(
    'Calls may be interrupted. Go on?',
    image('install', 'installing: show system image', true),
  ),
  'image activate': asked('This box starts anew. Go on?', image('activate', 'starting anew')),
  'image activate force': asked(
    'Calls may be interrupted. Go on?',
    image('activate', 'starting anew', true),
  ),
  'image confirm': image('confirm', 'this image stays'),
  'image rollback': asked('This box starts anew. Go on?', image('rollback', 'starting anew')),
  'image rollback force': asked(
    'Calls may be interrupted. Go on?',
    image('rollback', 'starting anew', true),
  ),
  'support bundle': () => bundle({}),
  'support bundle usb': () => bundle({ to: 'usb:' }),
  pair: () => pair(),
  'service restart': asked(
    'Calls of this box are cut unless the other box takes over. Go on?',
    order('self', { command: 'restart-service' }, 'started anew'),
  ),
  reboot: asked('This box starts anew. Go on?', machine('reboot', 'the box starts anew')),
  poweroff: asked(
    'This box switches itself off. Go on?',
    machine('poweroff', 'the box switches itself off'),
  ),
  'file install': (_cx, args) => installFile(args),
  'file delete': (_cx, args) => deleteFile(args),
  'locate on': (_cx, args) => locate(Number(args['minutes'] ?? LOCATE_MINUTES)),
  'locate off': () => locate(0),
  password: () => password(false),
  'password peer': () => password(true),
  ping: (_cx, args) => program('ping', ['-c', '5', '-w', '15', args['host'] ?? '']),
  traceroute: (_cx, args) =>
    program('traceroute', ['-n', '-w', '2', '-q', '2', '-m', '20', args['host'] ?? '']),
  'monitor sip': (_cx, args) => monitorSip(args),
  'monitor traffic': (_cx, args) => traffic(args),
  'clear call': clear('call', 'the call is being ended'),
  'clear registration': clear('registration', 'forgotten; the phone registers again by itself'),
  'clear counters': clear('counters', 'the counters begin at zero'),
  confirm: (cx) => confirm(cx),
  'factory-reset': () => factoryReset(),
  'set cli': (_cx, args) => setCli(args),
  help: (_cx, _args, pipes) => emit(HELP, pipes),
};

/** Keeps what `commit confirm` made active. */
export function* confirm(_cx: Cx): Dialog<void> {
  const answer = yield* ask('system', { command: 'confirm' });
  if (failed(answer)) yield* complain('system', answer);
  else yield* say(`revision ${text(answer, 'revision')} stays`);
}

function runOf(verb: OperationalVerb): Run | undefined {
  if (!verb.startsWith('show ')) return RUNS[verb];
  const subject = verb.slice(5) as Subject;
  return SHOWS[subject] ?? shower(subject);
}

/** Is there somebody who does it? */
export function operates(verb: OperationalVerb): boolean {
  return runOf(verb) !== undefined;
}

/** Does a command; `configure`, `quit` are the session's. */
export function* operate(
  cx: Cx,
  verb: OperationalVerb,
  args: Args,
  pipes: Pipes,
  rest: readonly string[],
): Dialog<void> {
  const run = runOf(verb);
  if (run !== undefined) yield* run(cx, args, pipes, rest);
}
