/** The checker: every rule over a record. Pure; `main.ts` and the simulator print what it says. */

import { type History, historyOf } from './history.ts';
import type { Line } from './record.ts';
import type { Rule } from './rule.ts';
import { agentLegal, agentsAsModel, agentsObey } from './rules-agents.ts';
import { asModel, callLegal, oneCdr } from './rules-calls.ts';
import {
  idsGrow,
  onlyWatchers,
  saidOnce,
  sameEvent,
  seenByAll,
  sessionsLast,
} from './rules-events.ts';
import { noDialogAnew, phonesAgree } from './rules-phones.ts';
import { answeredOnce, doneOnce, references, sameAnswer } from './rules-requests.ts';

export const RULES: readonly Rule[] = [
  answeredOnce,
  sameAnswer,
  doneOnce,
  references,
  idsGrow,
  saidOnce,
  sessionsLast,
  sameEvent,
  seenByAll,
  onlyWatchers,
  callLegal,
  asModel,
  oneCdr,
  agentLegal,
  agentsAsModel,
  agentsObey,
  phonesAgree,
  noDialogAnew,
];

export type Broken = {
  readonly rule: string;
  /** Number of the line of the record, from 0. */
  readonly line: number;
  readonly text: string;
};

export type Verdict = { readonly history: History; readonly broken: readonly Broken[] };

/** What one rule may say: the first are the interesting ones. */
const MOST = 20;

export function check(lines: readonly Line[], only: readonly Rule[] = RULES): Verdict {
  const history = historyOf(lines);
  const broken: Broken[] = [];
  for (const rule of only) {
    let said = 0;
    rule.find(history, (line, text) => {
      said += 1;
      if (said <= MOST) broken.push({ rule: rule.name, line, text });
    });
  }
  return { history, broken };
}

/** One line for the end of a run. */
export function summary({ history, broken }: Verdict): string {
  const heard = [...history.stories.values()].reduce((n, s) => n + s.seen.length, 0);
  const resumed = history.lines.filter((l) => l.kind === 'session' && l.how === 'resumed').length;
  const again = history.asks.filter((a) => a.sent.length > 1).length;
  const calls = new Set(history.events.map((e) => e.callId ?? 0));
  calls.delete(0);
  const verdict = broken.length === 0 ? 'every promise kept' : `${broken.length} promises broken`;
  return (
    `${history.stories.size} sessions, resumed ${resumed} times, ${history.asks.length} requests, ` +
    `${again} of them repeated, ${history.events.length} events told ${heard} times, ` +
    `${calls.size} calls: ${verdict}`
  );
}
