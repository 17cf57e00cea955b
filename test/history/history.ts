/**
 * A record, sorted by what the rules ask: requests, sessions with what they watched and heard, and the
 * union of all events, which is what happened as far as anybody was told.
 */

import { devicesOf, type Watch } from './about.ts';
import type { Answer, EventView, Line, LineOf, Params } from './record.ts';

/** One request, from the wish to the answer. */
export type Ask = {
  readonly program: string;
  readonly session: string;
  readonly id: string;
  readonly method: string;
  readonly params: Params;
  /** Places in the record. */
  readonly line: number;
  readonly sent: number[];
  readonly heard: Answer[];
  readonly answered: Answer[];
  answeredLine: number;
};

export type Seen = { readonly event: EventView; readonly line: number };

/** A session as long as the boxes knew it. */
export type Story = {
  readonly program: string;
  readonly session: string;
  readonly startedLine: number;
  /** It was stopped, or the box said that it is gone; the record's end otherwise. */
  endedLine: number;
  ended: 'stopped' | 'lost' | 'open';
  readonly seen: Seen[];
  readonly watches: Watch[];
  /** It routes calls: what is asked of it comes by a monitor of its own that has no name. */
  routes: boolean;
};

export type History = {
  readonly lines: readonly Line[];
  readonly head: LineOf<'head'> | undefined;
  readonly asks: readonly Ask[];
  readonly stories: ReadonlyMap<string, Story>;
  /** By id, growing. The view of the first program that was told; monitors and references differ. */
  readonly events: readonly EventView[];
  /** Devices that an event is about, by its id. */
  readonly about: ReadonlyMap<number, ReadonlySet<string>>;
  /** A program that watched everything was there when events with greater ids were born; Infinity: none. */
  readonly witnessedFrom: number;
  readonly quiet: LineOf<'quiet'> | undefined;
};

export function isResult(answer: Answer | undefined): answer is { readonly result: unknown } {
  return answer !== undefined && 'result' in answer;
}

/** A field of a result that is an object. */
export function resultOf(ask: Ask): Params {
  const answer = ask.answered[0];
  const value = isResult(answer) ? answer.result : undefined;
  return typeof value === 'object' && value !== null ? (value as Params) : {};
}

export function askKey(session: string, id: string): string {
  return `${session} ${id}`;
}

export function historyOf(lines: readonly Line[]): History {
  const asks = new Map<string, Ask>();
  const stories = new Map<string, Story>();
  let head: LineOf<'head'> | undefined;
  let quiet: LineOf<'quiet'> | undefined;
  for (const [n, line] of lines.entries()) {
    switch (line.kind) {
      case 'head':
        head = line;
        break;
      case 'quiet':
        quiet = line;
        break;
      case 'session':
        session(stories, line, n, lines.length);
        break;
      case 'asked':
        asks.set(askKey(line.session, line.id), {
          ...line,
          line: n,
          sent: [],
          heard: [],
          answered: [],
          answeredLine: lines.length,
        });
        break;
      case 'sent':
        asks.get(askKey(line.session, line.id))?.sent.push(n);
        break;
      case 'heard':
        asks.get(askKey(line.session, line.id))?.heard.push(line.answer);
        break;
      case 'answered': {
        const ask = asks.get(askKey(line.session, line.id));
        if (ask?.answered.length === 0) ask.answeredLine = n;
        ask?.answered.push(line.answer);
        break;
      }
      case 'event':
        stories.get(line.session)?.seen.push({ event: line.event, line: n });
        break;
      default:
    }
  }
  const list = [...asks.values()];
  watched(list, stories);
  const events = unionOf(stories);
  return {
    lines,
    head,
    asks: list,
    stories,
    events,
    about: aboutOf(events, stories),
    witnessedFrom: witnessed(stories),
    quiet,
  };
}

function session(
  stories: Map<string, Story>,
  line: LineOf<'session'>,
  n: number,
  end: number,
): void {
  const known = stories.get(line.session);
  if (known === undefined) {
    stories.set(line.session, {
      program: line.program,
      session: line.session,
      startedLine: n,
      endedLine: end,
      ended: 'open',
      seen: [],
      watches: [],
      routes: false,
    });
  } else if (line.how === 'lost' || line.how === 'stopped') {
    known.endedLine = n;
    known.ended = line.how;
  }
}

function unionOf(stories: ReadonlyMap<string, Story>): EventView[] {
  const byId = new Map<number, EventView>();
  for (const story of stories.values()) {
    for (const { event } of story.seen) if (!byId.has(event.id)) byId.set(event.id, event);
  }
  return [...byId.values()].sort((x, y) => x.id - y.id);
}

function aboutOf(
  events: readonly EventView[],
  stories: ReadonlyMap<string, Story>,
): Map<number, ReadonlySet<string>> {
  const told = toldOf(stories);
  const about = new Map<number, ReadonlySet<string>>();
  for (const event of events) {
    const devices = devicesOf(event) ?? told.get(event.id);
    if (devices !== undefined) about.set(event.id, devices);
  }
  return about;
}

/** Subjects of the device monitors that were told of an event. */
function toldOf(stories: ReadonlyMap<string, Story>): Map<number, Set<string>> {
  const told = new Map<number, Set<string>>();
  for (const story of stories.values()) {
    for (const { event } of story.seen) {
      for (const ref of event.monitors) {
        const watch = story.watches.find((w) => w.ref === String(ref));
        if (watch?.kind !== 'device') continue;
        const subjects = told.get(event.id) ?? new Set<string>();
        subjects.add(watch.subject);
        told.set(event.id, subjects);
      }
    }
  }
  return told;
}

/** What a session watched from when to when, by its answered requests. */
function watched(asks: readonly Ask[], stories: ReadonlyMap<string, Story>): void {
  for (const ask of asks) {
    const story = stories.get(ask.session);
    if (story === undefined || !isResult(ask.answered[0])) continue;
    const result = resultOf(ask);
    if (ask.method === 'routeRegister') story.routes = true;
    else if (ask.method === 'monitorStart') {
      const ref = String(result['monitor'] ?? '');
      const { deviceId, callId } = ask.params;
      const kind = callId !== undefined ? 'call' : deviceId !== undefined ? 'device' : 'all';
      const filter = (ask.params['filter'] ?? []) as readonly string[];
      story.watches.push({
        session: ask.session,
        ref,
        kind,
        subject: String(callId ?? deviceId ?? '*'),
        filter: new Set(filter),
        since: Number(result['position'] ?? Number.MAX_SAFE_INTEGER),
        until: Number.MAX_SAFE_INTEGER,
        last: Number.MAX_SAFE_INTEGER,
      });
    } else if (ask.method === 'monitorStop') {
      const ref = String(ask.params['monitor'] ?? '');
      const watch = story.watches.find((w) => w.ref === ref);
      if (watch === undefined) continue;
      // what it had been told before it asked was born before; answers and events come in one order
      watch.until = newest(story, ask.line);
      watch.last = newest(story, ask.answeredLine);
    }
  }
  for (const story of stories.values()) {
    if (story.ended === 'open') continue;
    for (const watch of story.watches) {
      watch.until = Math.min(watch.until, newest(story, story.endedLine));
    }
  }
}

/** The greatest event id that a session was told before a place in the record. */
function newest(story: Story, before: number): number {
  let id = 0;
  for (const seen of story.seen) {
    if (seen.line >= before) break;
    id = Math.max(id, seen.event.id);
  }
  return id;
}

function witnessed(stories: ReadonlyMap<string, Story>): number {
  let from = Number.POSITIVE_INFINITY;
  for (const story of stories.values()) {
    if (story.ended !== 'open') continue;
    for (const watch of story.watches) {
      const whole = watch.kind === 'all' && watch.filter.size === 0;
      if (whole && watch.until === Number.MAX_SAFE_INTEGER) from = Math.min(from, watch.since);
    }
  }
  return from;
}
