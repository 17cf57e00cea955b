/** Promises about requests: answered once, the same each time; done once; the reference returned. */

import { isFor } from './about.ts';
import { type Ask, askKey, type History, isResult, resultOf, type Story } from './history.ts';
import type { EventView } from './record.ts';
import type { Rule } from './rule.ts';

const NONE: ReadonlySet<string> = new Set();

export const answeredOnce: Rule = {
  name: 'answered-once',
  about: 'every request is answered to the program exactly once',
  find(history, broken) {
    for (const ask of history.asks) {
      const story = history.stories.get(ask.session);
      // who was told that his session is gone, or ended it, knows that nobody will answer
      const open = story === undefined || story.ended === 'open';
      const many = ask.answered.length;
      if (many > 1) broken(ask.line, `${say(ask)} was answered ${many} times`);
      if (many === 0 && open && history.head?.whole) broken(ask.line, `${say(ask)} got no answer`);
    }
    const known = new Set(history.asks.map((ask) => askKey(ask.session, ask.id)));
    for (const [n, line] of history.lines.entries()) {
      if (line.kind !== 'heard' && line.kind !== 'answered') continue;
      if (known.has(askKey(line.session, line.id))) continue;
      broken(n, `${line.program} got an answer to ${line.id}, which it never asked`);
    }
  },
};

const READS = /^(get|snapshot|ping$|ack$)/;

export const sameAnswer: Rule = {
  name: 'same-answer',
  about: 'a request that is repeated is answered as before',
  find(history, broken) {
    for (const ask of history.asks) {
      // what only looks is looked at again
      if (READS.test(ask.method)) continue;
      const texts = new Set(ask.heard.map((answer) => JSON.stringify(answer)));
      if (texts.size > 1) broken(ask.line, `${say(ask)} was answered ${[...texts].join(' and ')}`);
      if (ask.heard.length > ask.sent.length) {
        const times = `sent ${ask.sent.length} times, answered ${ask.heard.length} times`;
        broken(ask.line, `${say(ask)} was ${times}`);
      }
      const given = ask.answered[0];
      if (given !== undefined && texts.size > 0 && !texts.has(JSON.stringify(given))) {
        broken(ask.line, `${say(ask)}: the program was given what no box said`);
      }
    }
  },
};

/**
 * What an accepted request leads to: of each of these events, in its name, one at most; `own`: only those
 * of the connection it names count. `told`: there is at least one event in its name, whatever it says.
 */
const EFFECTS: { readonly [method: string]: Effect } = {
  makeCall: { events: ['originated'], told: true },
  consultationCall: { events: ['originated'], told: true },
  answerCall: { events: ['established'], own: true },
  holdCall: { events: ['held'], own: true },
  retrieveCall: { events: ['retrieved'], own: true },
  clearConnection: { events: ['connectionCleared'], own: true },
  deflectCall: { events: ['diverted'], own: true },
  setAgentState: {
    // what he is besides may follow from a call in which he is
    events: ['agentLoggedOn', 'agentLoggedOff'],
  },
  associateData: { events: ['callInformation'], told: true },
  setDoNotDisturb: { events: ['doNotDisturb'] },
  setForwarding: { events: ['forwarding'] },
};
type Effect = {
  readonly events: readonly string[];
  readonly own?: boolean;
  readonly told?: boolean;
};

export const doneOnce: Rule = {
  name: 'done-once',
  about: 'an accepted request is done once, however often it was sent; a refused one not at all',
  find(history, broken) {
    const effects = effectsOf(history);
    const calls = new Map<number, Ask>();
    for (const ask of history.asks) {
      const answer = ask.answered[0];
      if (answer === undefined) continue;
      const got = effects.get(askKey(ask.session, ask.id)) ?? [];
      const effect = EFFECTS[ask.method];
      if (effect !== undefined) counted(history, ask, effect, got, broken);
      if (ask.method !== 'makeCall' || !isResult(answer)) continue;
      const callId = callOf(ask);
      const first = calls.get(callId);
      if (first !== undefined) broken(ask.line, `${say(ask)} and ${say(first)} made one call`);
      calls.set(callId, ask);
      const own = got.find((e) => e.event === 'originated');
      if (own !== undefined && own.callId !== callId) {
        broken(ask.line, `${say(ask)} was said to make call ${callId}, and made ${own.callId}`);
      }
    }
  },
};

function counted(
  history: History,
  ask: Ask,
  effect: Effect,
  got: readonly EventView[],
  broken: (line: number, text: string) => void,
): void {
  const { connection } = ask.params;
  const events = got.filter((e) => {
    if (!effect.events.includes(e.event)) return false;
    return effect.own !== true || JSON.stringify(e.connection) === JSON.stringify(connection);
  });
  const names = events.map((e) => `${e.event} ${e.id}`).join(', ');
  if (!isResult(ask.answered[0])) {
    if (events.length > 0) broken(ask.line, `${say(ask)} was refused, and led to ${names}`);
    return;
  }
  // what is done once is done in one turn, whatever number of connections the device has
  const turns = (some: readonly EventView[]): number =>
    new Set(some.map((e) => (effect.own === true ? e.time : e.id))).size;
  const most = Math.max(
    ...effect.events.map((name) => turns(events.filter((e) => e.event === name))),
  );
  if (most > 1) broken(ask.line, `${say(ask)} led to ${names}`);
  const story = history.stories.get(ask.session) as Story;
  const must = effect.told === true && story.ended === 'open' && history.quiet !== undefined;
  if (must && got.length === 0 && hears(story, ask)) {
    broken(ask.line, `${say(ask)} was accepted, and nothing was told of it`);
  }
}

/** The program watches what its request is about, from before it asked until the end. */
function hears(story: Story, ask: Ask): boolean {
  const before = story.seen.findLast((seen) => seen.line < ask.line)?.event.id ?? 0;
  return story.watches.some((w) => {
    if (w.since > before || w.until !== Number.MAX_SAFE_INTEGER || w.filter.size > 0) return false;
    return w.kind === 'all' || (w.kind === 'device' && w.subject === deviceOf(ask));
  });
}

/** The device for which it is asked. */
function deviceOf(ask: Ask): string {
  const { existingCall, callingDevice, deviceId } = ask.params;
  const { connection = existingCall } = ask.params;
  if (typeof connection === 'object' && connection !== null) {
    return String((connection as { deviceId?: string }).deviceId ?? '');
  }
  return String(callingDevice ?? deviceId ?? '');
}

function callOf(ask: Ask): number {
  const { connection, callingDevice = connection } = resultOf(ask);
  return Number((callingDevice as { callId?: number } | undefined)?.callId ?? 0);
}

/** Events by the request they name, as their requesters were told. */
function effectsOf(history: History): Map<string, EventView[]> {
  const effects = new Map<string, EventView[]>();
  for (const story of history.stories.values()) {
    for (const { event } of story.seen) {
      if (event.requestId === undefined) continue;
      const key = askKey(story.session, String(event.requestId));
      const list = effects.get(key) ?? [];
      list.push(event);
      effects.set(key, list);
    }
  }
  return effects;
}

export const references: Rule = {
  name: 'references',
  about: 'a reference is told to whoever gave it, and to nobody else',
  find(history, broken) {
    const asks = new Map(history.asks.map((ask) => [askKey(ask.session, ask.id), ask]));
    const owner = new Map<number, string>();
    for (const story of history.stories.values()) {
      for (const { event, line } of story.seen) {
        if (event.requestId === undefined) continue;
        const ask = asks.get(askKey(story.session, String(event.requestId)));
        const what = `${event.event} ${event.id} names request ${event.requestId}`;
        if (ask === undefined || ask.line > line) {
          broken(line, `${what}, which ${story.program} has not made`);
        }
        const other = owner.get(event.id) ?? story.session;
        if (other !== story.session) broken(line, `${what} to ${story.program}, and to ${other}`);
        owner.set(event.id, other);
        const own = story.watches.some((w) => isFor(w, event, history.about.get(event.id) ?? NONE));
        const asked = story.routes && event['routeId'] !== undefined;
        if (!own && !asked) broken(line, `${what} to ${story.program}, which does not watch it`);
      }
    }
  },
};

function say(ask: Ask): string {
  return `${ask.method} ${ask.id} of ${ask.program}`;
}
