/**
 * What is written down while programs and phones live through switchovers: one JSON line a thing that
 * was said, heard or done, in the order in which it happened. The checker (`check.ts`) reads nothing
 * else, so a history can be kept, sent to somebody, and judged again by a better checker.
 *
 *   program ─ asked, sent, heard, answered, event, session, link ─┐
 *   phone   ─ what its end of each dialog is                      ├─► lines ─► check.ts
 *   box     ─ one CDR line a call                                 │
 *   who plays ─ faults, and snapshots when everything is quiet    ┘
 */

/** A notification `event` as a program takes it: docs of `src/cti/`. */
export type EventView = {
  readonly id: number;
  /** µs of the pair clock. */
  readonly time: number;
  readonly event: string;
  readonly callId?: number;
  readonly globalCallId?: string;
  readonly cause?: string;
  readonly monitors: readonly (string | number)[];
  readonly requestId?: string | number;
  readonly connection?: { readonly callId: number; readonly deviceId: string };
  readonly localState?: string;
  readonly parties?: readonly PartyView[];
  readonly [more: string]: unknown;
};

export type PartyView = {
  readonly deviceId: string;
  readonly state: string;
  readonly side?: string;
};

export type Answer = { readonly result: unknown } | { readonly error: unknown };

export type Snapshot = {
  /** It shows what events up to this id said. */
  readonly position: number;
  /** Connections of devices; a device without any may be left out. */
  readonly connections: readonly {
    readonly callId: number;
    readonly deviceId: string;
    readonly state: string;
  }[];
  /** Agents that are logged on; and what they are. */
  readonly agents: readonly {
    readonly agentId: string;
    readonly deviceId: string;
    readonly state: string;
  }[];
};

/** What is judged of a CDR as a box writes it. */
export type CdrView = {
  readonly callId: number;
  /** The globalCallId. */
  readonly guid: string;
  /** ms of the pair clock; 0: never. */
  readonly start: number;
  readonly answer: number;
  readonly end: number;
};

type Said<K extends string, More> = {
  readonly kind: K;
  /** ms of the clock of who writes it down: one for all of a history. */
  readonly at: number;
} & More;

type Ofs = { readonly program: string; readonly session: string };

export type Line =
  /** The first line: where it was played, and how again. `whole`: nothing was left out at the end. */
  | Said<'head', { readonly place: string; readonly seed: number; readonly whole: boolean }>
  | Said<'link', { readonly program: string; readonly box: string; readonly up: boolean }>
  /**
   * `resumed`: it goes on after the event `since`. `lost`: the box says the session or its events are
   * gone (warm standby, an absence longer than promised).
   */
  | Said<
      'session',
      Ofs & { readonly how: 'started' | 'resumed' | 'lost' | 'stopped'; readonly since: number }
    >
  /** The program wants something: once a request. */
  | Said<'asked', Ofs & { readonly id: string; readonly method: string; readonly params: Params }>
  /** The request goes to a box: once a transmission. */
  | Said<'sent', Ofs & { readonly id: string; readonly box: string }>
  /** An answer comes from a box: once a reception. */
  | Said<'heard', Ofs & { readonly id: string; readonly answer: Answer }>
  /** The program is given the answer. */
  | Said<'answered', Ofs & { readonly id: string; readonly answer: Answer }>
  /** The program is given an event. */
  | Said<'event', Ofs & { readonly event: EventView }>
  /** Its library heard an event and did not give it to the program. */
  | Said<'dropped', Ofs & { readonly event: number }>
  /** A phone's end of a dialog is something else from now on. */
  | Said<'phone', { readonly phone: string; readonly dialog: string; readonly state: PhoneState }>
  | Said<'cdr', { readonly box: string; readonly cdr: CdrView }>
  | Said<'fault', { readonly box: string; readonly what: string }>
  /** Nothing is under way any more: what the primary says it is. */
  | Said<'quiet', { readonly snapshot: Snapshot }>;

export type PhoneState = 'early' | 'established' | 'ended';
export type Params = { readonly [name: string]: unknown };
export type LineOf<K extends Line['kind']> = Extract<Line, { readonly kind: K }>;

/** @returns the lines of a record; the number of the first one that is none. */
export function readLines(text: string): readonly Line[] | { readonly badLine: number } {
  const lines: Line[] = [];
  const texts = text.split('\n');
  for (const [i, one] of texts.entries()) {
    if (one === '') continue;
    try {
      lines.push(JSON.parse(one));
    } catch {
      // whoever wrote it was killed in the middle of the last one
      return i === texts.length - 1 ? lines : { badLine: i + 1 };
    }
  }
  return lines;
}

export function writeLines(lines: readonly Line[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
