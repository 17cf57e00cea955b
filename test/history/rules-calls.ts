/** Promises about calls: what is told of them makes sense, and one CDR says the same at their end. */

import { type History, resultOf } from './history.ts';
import { type CallModel, Calls } from './model-calls.ts';
import type { CdrView, LineOf, Snapshot } from './record.ts';
import type { Rule } from './rule.ts';

type Replay = {
  /** Something no reference model does. */
  readonly wrong?: (text: string) => void;
  /** Before the event with this id, or at the end. */
  readonly before?: (id: number, calls: Calls) => void;
};

/** Events of calls that began under the eyes of a witness, in order. */
function replay(history: History, on: Replay): Calls {
  const calls = new Calls();
  const half = new Set<number>();
  for (const event of history.events) {
    on.before?.(event.id, calls);
    // the part of the history in which nobody watched everything cannot be judged
    if (event.id <= history.witnessedFrom) {
      if (event.callId !== undefined) half.add(event.callId);
      continue;
    }
    if (half.has(event.callId ?? 0) || half.has(Number(event['secondaryOldCall'] ?? 0))) {
      half.add(event.callId ?? 0);
      continue;
    }
    const wrong = calls.take(event);
    if (wrong !== '') on.wrong?.(`call ${event.callId}, event ${event.id}: ${wrong}`);
  }
  on.before?.(Number.POSITIVE_INFINITY, calls);
  return calls;
}

export const callLegal: Rule = {
  name: 'call-legal',
  about:
    'connections go from state to state as the reference model does; nothing after callCleared',
  find(history, broken) {
    replay(history, { wrong: (text) => broken(0, text) });
  },
};

/** What a box said of some devices, or of all, and the line of the record. */
type Look = {
  readonly line: number;
  readonly position: number;
  /** undefined: all. */
  readonly device: string | undefined;
  readonly connections: Snapshot['connections'];
};

type ShownConnection = {
  readonly connection: { readonly callId: number; readonly deviceId: string };
  readonly localState: string;
};

/** Every snapshot that anybody took, in the order of what they show. */
function looks(history: History): Look[] {
  const found: Look[] = [];
  for (const [line, one] of history.lines.entries()) {
    if (one.kind !== 'quiet') continue;
    const { position, connections } = one.snapshot;
    found.push({ line, position, device: undefined, connections });
  }
  for (const ask of history.asks) {
    if (ask.method !== 'snapshotDevice') continue;
    const { position, deviceId, connections } = resultOf(ask);
    if (typeof position !== 'number' || !Array.isArray(connections)) continue;
    found.push({
      line: ask.answeredLine,
      position,
      device: String(deviceId),
      connections: (connections as ShownConnection[]).map(({ connection, localState }) => ({
        ...connection,
        state: localState,
      })),
    });
  }
  return found.sort((x, y) => x.position - y.position);
}

export const asModel: Rule = {
  name: 'devices-as-model',
  about: 'whoever looks at a device sees what its events made it',
  find(history, broken) {
    const open = looks(history).filter((look) => look.position >= history.witnessedFrom);
    replay(history, {
      before: (id, calls) => {
        for (let look = open[0]; look !== undefined && look.position < id; look = open[0]) {
          open.shift();
          compare(look, calls, broken);
        }
      },
    });
  },
};

function compare(look: Look, calls: Calls, broken: (line: number, text: string) => void): void {
  const own: string[] = [];
  for (const call of calls.calls.values()) {
    for (const c of call.connections) {
      if (look.device !== undefined && look.device !== c.deviceId) continue;
      own.push(`${call.callId} ${c.deviceId} ${c.state}`);
    }
  }
  const theirs: string[] = [];
  for (const c of look.connections) {
    if (calls.calls.has(c.callId)) theirs.push(`${c.callId} ${c.deviceId} ${c.state}`);
  }
  const [model, said] = [own.sort().join(', '), theirs.sort().join(', ')];
  if (model === said) return;
  const text = `is [${said}], by the events up to ${look.position} [${model}]`;
  broken(look.line, `${look.device ?? 'everything'} ${text}`);
}

/** How far a CDR's times may be from those of the events, ms: both are of the pair clock. */
const SAME_MS = 1;

export const oneCdr: Rule = {
  name: 'one-cdr',
  about: 'a call that is over has one CDR, with its times; one that is not has none',
  find(history, broken) {
    const cdrs = new Map<number, LineOf<'cdr'>[]>();
    for (const line of history.lines) {
      if (line.kind !== 'cdr') continue;
      const list = cdrs.get(line.cdr.callId) ?? [];
      list.push(line);
      cdrs.set(line.cdr.callId, list);
    }
    const calls = replay(history, {});
    const asked = new Set<number>();
    for (const story of history.stories.values()) {
      for (const { event } of story.seen) if (event.requestId !== undefined) asked.add(event.id);
    }
    for (const call of calls.calls.values()) {
      const own = cdrs.get(call.callId) ?? [];
      if (!call.over) {
        if (own.length > 0) broken(0, `call ${call.callId} goes on, and has a CDR`);
        continue;
      }
      const done = history.head?.whole === true || history.quiet !== undefined;
      if (own.length === 0 && done) broken(0, `call ${call.callId} has no CDR`);
      // both boxes write: each once, and the same
      for (const box of new Set(own.map((line) => line.box))) {
        const count = own.filter((line) => line.box === box).length;
        if (count > 1) broken(0, `call ${call.callId} has ${count} CDRs at box ${box}`);
      }
      const made = call.made || asked.has(call.firstId);
      for (const line of own) times(call, made, line.cdr, broken);
    }
  },
};

function times(
  call: CallModel,
  made: boolean,
  cdr: CdrView,
  broken: (line: number, text: string) => void,
): void {
  const pairs = [
    ['globalCallId', call.globalCallId, cdr.guid],
    ['start', call.startedAt / 1000, cdr.start],
    ['answer', call.answeredAt / 1000, cdr.answer],
    ['end', call.endedAt / 1000, cdr.end],
  ] as const;
  for (const [what, event, said] of pairs) {
    // a call that a program makes begins before its first device is told of
    if (what === 'start' && made && cdr.start <= call.startedAt / 1000) continue;
    const same =
      typeof event === 'number' && typeof said === 'number'
        ? Math.abs(event - said) <= SAME_MS
        : event === said;
    if (!same)
      broken(0, `the CDR of call ${call.callId} says ${what} ${said}, events say ${event}`);
  }
}
