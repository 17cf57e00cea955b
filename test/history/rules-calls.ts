/** Promises about calls: what is told of them makes sense, and one CDR says the same at their end. */

import type { History } from './history.ts';
import { type CallModel, Calls } from './model-calls.ts';
import type { CdrView } from './record.ts';
import type { Rule } from './rule.ts';

/** Events of calls that began under the eyes of a witness, in order. */
function replay(history: History, each: (id: number, wrong: string) => void): Calls {
  const calls = new Calls();
  const half = new Set<number>();
  for (const event of history.events) {
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
    if (wrong !== '') each(event.id, `call ${event.callId}, event ${event.id}: ${wrong}`);
  }
  return calls;
}

export const callLegal: Rule = {
  name: 'call-legal',
  about:
    'connections go from state to state as the reference model does; nothing after callCleared',
  find(history, broken) {
    replay(history, (_id, text) => broken(0, text));
  },
};

export const asModel: Rule = {
  name: 'devices-as-model',
  about: 'at the end every connection is what its events made it',
  find(history, broken) {
    const { quiet } = history;
    if (quiet === undefined) return;
    const calls = replay(history, () => {});
    const at = history.lines.indexOf(quiet);
    const own: string[] = [];
    for (const call of calls.calls.values()) {
      for (const c of call.connections) own.push(`${call.callId} ${c.deviceId} ${c.state}`);
    }
    const theirs: string[] = [];
    for (const c of quiet.snapshot.connections) {
      if (calls.calls.has(c.callId)) theirs.push(`${c.callId} ${c.deviceId} ${c.state}`);
    }
    own.sort();
    theirs.sort();
    for (const one of own)
      if (!theirs.includes(one)) broken(at, `by its events: ${one}; is not so`);
    for (const one of theirs) if (!own.includes(one)) broken(at, `is: ${one}; by its events not`);
  },
};

/** How far a CDR's times may be from those of the events, ms: both are of the pair clock. */
const SAME_MS = 1;

export const oneCdr: Rule = {
  name: 'one-cdr',
  about: 'a call that is over has one CDR, with its times; one that is not has none',
  find(history, broken) {
    const cdrs = new Map<number, CdrView[]>();
    for (const line of history.lines) {
      if (line.kind !== 'cdr') continue;
      const list = cdrs.get(line.cdr.callId) ?? [];
      list.push(line.cdr);
      cdrs.set(line.cdr.callId, list);
    }
    const calls = replay(history, () => {});
    for (const call of calls.calls.values()) {
      const own = cdrs.get(call.callId) ?? [];
      if (!call.over) {
        if (own.length > 0) broken(0, `call ${call.callId} goes on, and has a CDR`);
        continue;
      }
      const done = history.head?.whole === true || history.quiet !== undefined;
      if (own.length > 1) broken(0, `call ${call.callId} has ${own.length} CDRs`);
      else if (own.length === 0 && done) broken(0, `call ${call.callId} has no CDR`);
      const [cdr] = own;
      if (cdr !== undefined) times(call, cdr, broken);
    }
  },
};

function times(call: CallModel, cdr: CdrView, broken: (line: number, text: string) => void): void {
  const pairs = [
    ['globalCallId', call.globalCallId, cdr.guid],
    ['start', call.startedAt / 1000, cdr.start],
    ['answer', call.answeredAt / 1000, cdr.answer],
    ['end', call.endedAt / 1000, cdr.end],
  ] as const;
  for (const [what, event, said] of pairs) {
    const same =
      typeof event === 'number' && typeof said === 'number'
        ? Math.abs(event - said) <= SAME_MS
        : event === said;
    if (!same)
      broken(0, `the CDR of call ${call.callId} says ${what} ${said}, events say ${event}`);
  }
}
