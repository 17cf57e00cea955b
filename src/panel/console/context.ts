/** What a session knows while it lasts, and what all its commands use: prompt, output, complaints. */

import { render, renderJson, type ShowName } from '../show/index.ts';
import { wrap } from '../show/kit.ts';
import {
  ask,
  type Dialog,
  failed,
  here,
  type Json,
  type Program,
  part,
  say,
  text,
  UNREACHABLE,
  write,
} from './dialog.ts';
import { harmless, page } from './pager.ts';
import type { Pipes } from './pipes.ts';
import { startWord } from './standing.ts';

export type Cx = {
  readonly release: string;
  readonly history: string[];
  /** Name of this box, as far as it is known. */
  name: string;
  /** The part of the prompt in brackets, and when it was asked for; 0: ask. */
  standing: string;
  standingAt: number;
};

/** The prompt may be so old. */
const PROMPT_MS = 3000;
/** A prompt does not wait longer than that for a service that does not answer. */
const PROMPT_PATIENCE_MS = 1000;
/** After that it is not asked again for so long. */
const PROMPT_REST_MS = 15_000;

function alarmsText(n: number): string {
  return n === 0 ? '' : n === 1 ? ', 1 alarm' : `, ${n} alarms`;
}

function roleText(daemon: Json): string {
  const role = text(daemon, 'role');
  return `${role}, ${daemon['inStep'] === true ? 'in step' : 'not in step'}`;
}

/** Asks how the box stands, when what is known is old. */
export function* look(cx: Cx): Dialog<void> {
  const { mono } = yield* here();
  if (cx.standingAt > 0 && mono < cx.standingAt) return;
  const status = yield* ask('monitor', { command: 'status' }, PROMPT_PATIENCE_MS);
  const daemon = part(status, 'daemon');
  cx.standingAt = mono + PROMPT_MS;
  if (!failed(status) && 'role' in daemon) {
    cx.name = text(status, 'name') || cx.name;
    const alarms = Array.isArray(status['alarms']) ? status['alarms'].length : 0;
    const phase = text(status, 'phase');
    const updating = phase === 'updating' ? ', updating' : '';
    cx.standing = roleText(daemon) + updating + alarmsText(alarms);
    return;
  }
  const own = yield* ask('control', { command: 'status' }, PROMPT_PATIENCE_MS);
  if (!failed(own)) {
    const active = part(own, 'alarms')['active'];
    cx.standing = roleText(own) + alarmsText(Array.isArray(active) ? active.length : 0);
    return;
  }
  // not what the monitor heard of it some seconds ago
  const state = yield* ask('system', { command: 'state' }, PROMPT_PATIENCE_MS);
  const known = failed(state) ? part(status, 'system') : state;
  const told = Array.isArray(status['alarms']) ? status['alarms'].length : 0;
  const word = startWord({ phase: text(status, 'phase'), state: known });
  cx.standing = word === 'sipair down' ? word : word + alarmsText(told);
  cx.name = text(status, 'name') || cx.name;
  const late = yield* here();
  if (late.mono - mono >= PROMPT_PATIENCE_MS) cx.standingAt = late.mono + PROMPT_REST_MS;
}

/** What can be done when one of the services does not answer. */
const CURES: { readonly [service: string]: readonly string[] } = {
  control: [
    'the service sipair does not answer: this box takes no calls (the other box may)',
    'try: show log | request system service restart | request system reboot',
  ],
  system: [
    'the service sipair-system does not answer: configuration and images are out of reach',
    'try: show log | request system reboot',
  ],
  monitor: [
    'the service sipair-monitor does not answer: calls are not affected',
    'try: show ha | show log | request system reboot',
  ],
};

/** An answer that is a refusal, as lines. */
export function complaint(service: string, answer: Json): string[] {
  const lines = [`${text(answer, 'error')}: ${text(answer, 'text')}`];
  if (answer['error'] === UNREACHABLE) lines.push(...(CURES[service] ?? []));
  const faults = answer['faults'];
  if (Array.isArray(faults)) {
    for (const f of faults as Json[]) lines.push(...faultLines(f));
  }
  return lines;
}

/** A mistake in a configuration: place, reason, code. */
export function faultLines(f: Json): string[] {
  const line = text(f, 'line');
  const where = line === '' ? '' : `line ${line}: `;
  const place = text(f, 'place');
  return [
    `  ${where}${place === '' ? 'configuration' : place}`,
    `    ${text(f, 'text')} (${text(f, 'code')})`,
  ];
}

export function* complain(service: string, answer: Json): Dialog<void> {
  yield { want: 'failed' };
  yield* tell(complaint(service, answer));
}

/** Sentences, broken where the terminal ends; what is indented stays so. */
export function* tell(lines: readonly string[]): Dialog<void> {
  const { settings } = yield* here();
  for (const line of lines) {
    const indent = /^ */.exec(line)?.[0] ?? '';
    const text = harmless(line.slice(indent.length));
    for (const one of wrap(text, Math.max(16, settings.columns - 1 - indent.length))) {
      yield* say(indent + one);
    }
  }
}

/** Lines through the pipes and the pager. */
export function* emit(lines: readonly string[], pipes: Pipes): Dialog<void> {
  yield* page(pipes.apply(lines), pipes.more);
}

/** An answer as its formatter shows it. */
export function* show(what: ShowName, answer: Json, pipes: Pipes): Dialog<void> {
  const { now, settings } = yield* here();
  const lines = pipes.json
    ? renderJson(answer)
    : render(what, answer, { width: settings.columns - 1, now });
  yield* emit(lines, pipes);
}

/** y or n. */
export function* yes(prompt: string): Dialog<boolean> {
  for (;;) {
    const got = yield { want: 'line', prompt: `${prompt} [y/n] ` };
    if (got.got !== 'line') return false;
    const word = got.text.trim().toLowerCase();
    if (word === 'y' || word === 'yes') return true;
    if (word === 'n' || word === 'no') return false;
  }
}

/** Runs a program and shows what it says, until it ends or ^C. */
export function* program(name: Program, args: readonly string[]): Dialog<void> {
  yield { want: 'spawn', program: name, args };
  try {
    for (;;) {
      const got = yield { want: 'event' };
      if (got.got === 'output') {
        const lines = got.text.replace(/\r/g, '').split('\n');
        yield* write(lines.map(harmless).join('\r\n'));
      } else if (got.got === 'over') {
        if (got.dropped > 0) yield* say(`(${got.dropped} pieces of output were dropped)`);
        return;
      }
    }
  } finally {
    yield { want: 'stop' };
  }
}
