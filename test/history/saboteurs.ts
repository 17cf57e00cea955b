/**
 * Saboteurs of the checker: each takes a good history and breaks it in one way that a product could,
 * and one rule must see it. A rule that never saw anything proves nothing.
 */

import type { Line, LineOf } from './record.ts';

export type HistorySaboteur = {
  readonly name: string;
  /** The rule that must see it; rules that see it besides, because it is the same damage. */
  readonly rule: string;
  readonly also?: readonly string[];
  /** @returns the broken history; undefined when there is nothing in it to break. */
  readonly spoil: (lines: readonly Line[]) => readonly Line[] | undefined;
};

type Kind = Line['kind'];

/** The place of the middle one of the lines that match: early ones are too easy. */
function find<K extends Kind>(
  lines: readonly Line[],
  kind: K,
  fits: (line: LineOf<K>) => boolean = () => true,
): number {
  const places: number[] = [];
  for (const [n, line] of lines.entries()) {
    if (line.kind === kind && fits(line as LineOf<K>)) places.push(n);
  }
  return places[places.length >> 1] ?? -1;
}

/** Puts other lines in place of one. */
function splice<K extends Kind>(
  lines: readonly Line[],
  kind: K,
  fits: (line: LineOf<K>) => boolean,
  make: (line: LineOf<K>) => readonly Line[],
): readonly Line[] | undefined {
  const n = find(lines, kind, fits);
  if (n < 0) return undefined;
  return [...lines.slice(0, n), ...make(lines[n] as LineOf<K>), ...lines.slice(n + 1)];
}

function event(
  fits: (line: LineOf<'event'>) => boolean,
  make: (line: LineOf<'event'>) => readonly Line[],
): (lines: readonly Line[]) => readonly Line[] | undefined {
  return (lines) => splice(lines, 'event', fits, make);
}

/** Everybody was told something else of one event. */
function everywhere(
  lines: readonly Line[],
  fits: (line: LineOf<'event'>) => boolean,
  change: (line: LineOf<'event'>) => Line,
): readonly Line[] | undefined {
  const n = find(lines, 'event', fits);
  if (n < 0) return undefined;
  const { id } = (lines[n] as LineOf<'event'>).event;
  return lines.map((l) => (l.kind === 'event' && l.event.id === id ? change(l) : l));
}

function without(
  lines: readonly Line[],
  fits: (line: LineOf<'event'>) => boolean,
): readonly Line[] | undefined {
  const n = find(lines, 'event', fits);
  if (n < 0) return undefined;
  const { id } = (lines[n] as LineOf<'event'>).event;
  return lines.filter((l) => l.kind !== 'event' || l.event.id !== id);
}

const any = (): boolean => true;
const named =
  (name: string) =>
  (line: LineOf<'event'>): boolean =>
    line.event.event === name;
const ofPhone = (line: LineOf<'event'>): boolean => line.program !== 'witness';
const accepted = (line: LineOf<'answered'>): boolean => 'result' in line.answer;

export const HISTORY_SABOTEURS: readonly HistorySaboteur[] = [
  {
    name: 'an answer gets lost',
    rule: 'answered-once',
    spoil: (lines) => {
      const ask = lines.find((l) => l.kind === 'asked' && l.method === 'holdCall');
      if (ask?.kind !== 'asked') return undefined;
      return lines.filter(
        (l) =>
          (l.kind !== 'heard' && l.kind !== 'answered') ||
          l.id !== ask.id ||
          l.session !== ask.session,
      );
    },
  },
  {
    name: 'an answer is given twice',
    rule: 'answered-once',
    spoil: (lines) => splice(lines, 'answered', accepted, (l) => [l, l]),
  },
  {
    name: 'an answer nobody asked for',
    rule: 'answered-once',
    spoil: (lines) => splice(lines, 'answered', accepted, (l) => [l, { ...l, id: '99999' }]),
  },
  {
    name: 'a repeated request is answered otherwise',
    rule: 'same-answer',
    spoil: (lines) =>
      splice(lines, 'heard', any as () => boolean, (l) => [
        { ...l, kind: 'sent', box: 'b' } as Line,
        l,
        { ...l, answer: { error: { code: 'limitReached' } } },
      ]),
  },
  {
    name: 'more answers than requests',
    rule: 'same-answer',
    spoil: (lines) => splice(lines, 'heard', any as () => boolean, (l) => [l, l, l, l]),
  },
  {
    name: 'a repeated makeCall is done again',
    rule: 'done-once',
    also: ['one-cdr', 'phones-agree', 'devices-as-model'],
    spoil: (lines) => {
      const last = lines.reduce((id, l) => (l.kind === 'event' ? Math.max(id, l.event.id) : id), 0);
      const n = find(
        lines,
        'event',
        (l) => l.event.requestId !== undefined && named('originated')(l),
      );
      const quiet = lines.findIndex((l) => l.kind === 'quiet');
      if (n < 0) return undefined;
      const first = lines[n] as LineOf<'event'>;
      const told = lines.filter((l) => l.kind === 'event' && l.event.id === first.event.id);
      const again = (told as LineOf<'event'>[]).flatMap((l) => anew(l, last));
      return [...lines.slice(0, quiet), ...again, ...lines.slice(quiet)];
    },
  },
  {
    name: 'a refused request is done all the same',
    rule: 'done-once',
    spoil: (lines) => {
      const refused = { error: { code: 'resourceBusy' } };
      const ask = lines.find((l) => l.kind === 'asked' && l.method === 'answerCall');
      if (ask?.kind !== 'asked') return undefined;
      const { id, session } = ask;
      return lines.map((l) =>
        (l.kind === 'heard' || l.kind === 'answered') && l.id === id && l.session === session
          ? { ...l, answer: refused }
          : l,
      );
    },
  },
  {
    name: 'a reference is told to somebody else',
    rule: 'references',
    spoil: event(
      (l) => l.program === 'witness' && l.event.requestId === undefined,
      (l) => [{ ...l, event: { ...l.event, requestId: '77777' } }],
    ),
  },
  {
    name: 'the reference does not come back',
    rule: 'done-once',
    spoil: event(
      (l) => named('originated')(l) && l.program === 'witness' && l.event.requestId !== undefined,
      (l) => {
        const { requestId: _, ...event } = l.event;
        return [{ ...l, event }];
      },
    ),
  },
  {
    name: 'an event is told twice',
    rule: 'ids-grow',
    spoil: event(any, (l) => [l, l]),
  },
  {
    name: 'a box repeats more than the gap',
    rule: 'said-once',
    spoil: event(any, (l) => {
      const { at, program, session } = l;
      return [l, { kind: 'dropped', at, program, session, event: l.event.id }];
    }),
  },
  {
    name: 'a new primary does not know a session',
    rule: 'sessions-last',
    also: ['seen-by-all', 'only-watchers'],
    spoil: (lines) =>
      splice(
        lines,
        'session',
        (l) => l.how === 'resumed',
        (l) => [{ ...l, how: 'lost' }],
      ),
  },
  {
    name: 'two events change places',
    rule: 'ids-grow',
    also: ['references'],
    spoil: (lines) => {
      const places = [...lines.keys()].filter((n) => {
        const line = lines[n];
        return line?.kind === 'event' && line.program === 'witness';
      });
      const [x, y] = places.slice(places.length >> 1) as [number, number];
      const swapped = [...lines];
      swapped[x] = lines[y] as Line;
      swapped[y] = lines[x] as Line;
      return swapped;
    },
  },
  {
    name: 'one program is told something else',
    rule: 'same-event',
    spoil: event(ofPhone, (l) => [{ ...l, event: { ...l.event, cause: 'overflow' } }]),
  },
  {
    name: 'an event is not told to one who watches',
    rule: 'seen-by-all',
    spoil: event(
      (l) => ofPhone(l) && l.event.requestId === undefined && l.event.connection !== undefined,
      () => [],
    ),
  },
  {
    name: 'an event of an agent is not told to one who watches',
    rule: 'seen-by-all',
    spoil: event(
      (l) => l.program === 'crm' && named('agentReady')(l) && l.event.requestId === undefined,
      () => [],
    ),
  },
  {
    name: 'a program is told what it does not watch',
    rule: 'only-watchers',
    also: ['ids-grow'],
    spoil: (lines) => {
      const heard = new Set<number>();
      for (const l of lines) if (l.kind === 'event' && l.program === 'crm') heard.add(l.event.id);
      const ref = lines.flatMap((l) =>
        l.kind === 'event' && l.program === 'crm' ? l.event.monitors : [],
      );
      return splice(
        lines,
        'event',
        (l) =>
          !heard.has(l.event.id) &&
          l.event.connection !== undefined &&
          l.program === 'wallboard' &&
          l.event.requestId === undefined,
        (l) => [
          l,
          { ...l, program: 'crm', session: '2', event: { ...l.event, monitors: ref.slice(0, 1) } },
        ],
      );
    },
  },
  {
    name: 'a monitor is not named',
    rule: 'only-watchers',
    spoil: event(
      (l) => ofPhone(l) && l.event.monitors.length > 1,
      (l) => [{ ...l, event: { ...l.event, monitors: l.event.monitors.slice(1) } }],
    ),
  },
  {
    name: 'an answer to ringing is told of nobody',
    rule: 'call-legal',
    also: ['done-once', 'one-cdr', 'devices-as-model'],
    spoil: (lines) => without(lines, named('established')),
  },
  {
    name: 'the parties told are not those there are',
    rule: 'call-legal',
    spoil: (lines) =>
      everywhere(lines, named('held'), (l) => ({
        ...l,
        event: {
          ...l.event,
          parties: (l.event.parties ?? []).map((p) => ({ ...p, state: 'connected' })),
        },
      })),
  },
  {
    name: 'a call goes on after its end',
    rule: 'call-legal',
    also: ['one-cdr'],
    spoil: (lines) => {
      const n = find(lines, 'event', named('callCleared'));
      if (n < 0) return undefined;
      const over = (lines[n] as LineOf<'event'>).event;
      const last = lines.reduce((id, l) => (l.kind === 'event' ? Math.max(id, l.event.id) : id), 0);
      const cleared = lines[n] as LineOf<'event'>;
      const event = { ...over, id: last + 1, event: 'callInformation', time: 9e15 };
      const quiet = lines.findIndex((l) => l.kind === 'quiet');
      return [...lines.slice(0, quiet), { ...cleared, event } as Line, ...lines.slice(quiet)];
    },
  },
  {
    name: 'a held connection is connected at the end',
    rule: 'devices-as-model',
    spoil: (lines) =>
      splice(lines, 'quiet', any as () => boolean, (l) => {
        const connections = l.snapshot.connections.map((c) => ({
          ...c,
          state: c.state === 'connected' ? 'hold' : 'connected',
        }));
        return [{ ...l, snapshot: { ...l.snapshot, connections } }];
      }),
    also: ['phones-agree'],
  },
  {
    name: 'a device looked at in the middle is something else',
    rule: 'devices-as-model',
    spoil: (lines) =>
      splice(lines, 'event', named('held'), (l) => {
        const { program, session, at, event } = l;
        const { connection } = event;
        const of = { program, session, at, id: '88888' };
        const result = {
          deviceId: connection?.deviceId,
          position: event.id,
          connections: [{ connection, localState: 'connected' }],
        };
        return [
          l,
          { kind: 'asked', ...of, method: 'snapshotDevice', params: {} },
          { kind: 'sent', ...of, box: 'a' },
          { kind: 'heard', ...of, answer: { result } },
          { kind: 'answered', ...of, answer: { result } },
        ] as readonly Line[];
      }),
  },
  {
    name: 'a CDR is written twice',
    rule: 'one-cdr',
    spoil: (lines) => splice(lines, 'cdr', any as () => boolean, (l) => [l, l]),
  },
  {
    name: 'the boxes wrote different CDRs',
    rule: 'one-cdr',
    spoil: (lines) =>
      splice(lines, 'cdr', any as () => boolean, (l) => [
        l,
        { ...l, box: 'b', cdr: { ...l.cdr, end: l.cdr.end + 100 } },
      ]),
  },
  {
    name: 'a CDR is lost',
    rule: 'one-cdr',
    spoil: (lines) => splice(lines, 'cdr', any as () => boolean, () => []),
  },
  {
    name: 'a CDR counts the answer from the switchover',
    rule: 'one-cdr',
    spoil: (lines) =>
      splice(
        lines,
        'cdr',
        (l) => l.cdr.answer > 0,
        (l) => [{ ...l, cdr: { ...l.cdr, answer: l.cdr.answer + 3000 } }],
      ),
  },
  {
    name: 'an agent is logged on twice',
    rule: 'agent-legal',
    also: ['agents-as-model', 'agents-obey'],
    spoil: (lines) =>
      everywhere(lines, named('agentReady'), (l) => ({
        ...l,
        event: { ...l.event, event: 'agentLoggedOn' },
      })),
  },
  {
    name: 'an agent is somebody else at the end',
    rule: 'agents-as-model',
    spoil: (lines) =>
      splice(lines, 'quiet', any as () => boolean, (l) => {
        const agents = l.snapshot.agents.map((a, n) => (n === 0 ? { ...a, state: 'busy' } : a));
        return agents.length === 0 ? [l] : [{ ...l, snapshot: { ...l.snapshot, agents } }];
      }),
  },
  {
    name: 'an agent is forgotten',
    rule: 'agents-as-model',
    spoil: (lines) =>
      splice(lines, 'quiet', any as () => boolean, (l) => [
        { ...l, snapshot: { ...l.snapshot, agents: l.snapshot.agents.slice(1) } },
      ]),
  },
  {
    name: 'an agent never became what was accepted',
    rule: 'agents-obey',
    spoil: (lines) => {
      const n = find(lines, 'asked', (l) => l.method === 'setAgentState');
      if (n < 0) return undefined;
      const ask = lines[n] as LineOf<'asked'>;
      const params = { ...ask.params, requestedAgentState: 'workingAfterCall' };
      return lines.map((l) => (l === ask ? { ...ask, params } : l));
    },
  },
  {
    name: 'a phone is left in a call nobody knows',
    rule: 'phones-agree',
    spoil: (lines) =>
      splice(
        lines,
        'phone',
        (l) => l.state === 'ended',
        () => [],
      ),
  },
  {
    name: 'a call that was ended rings again',
    rule: 'no-dialog-anew',
    also: ['phones-agree'],
    spoil: (lines) =>
      splice(
        lines,
        'phone',
        (l) => l.state === 'ended',
        (l) => [l, { ...l, state: 'early' }],
      ),
  },
];

/** The same call once more, under a new id, as a request that is done twice makes it. */
function anew(line: LineOf<'event'>, last: number): readonly Line[] {
  const callId = 90_000;
  const { event } = line;
  const connection = { callId, deviceId: event.connection?.deviceId ?? '' };
  const time = 9e15;
  const globalCallId = 'again';
  return [{ ...line, event: { ...event, id: last + 1, time, callId, globalCallId, connection } }];
}
