/** Promises about events: each once, in order, to everybody who watches and to nobody else. */

import { isFor, type Watch } from './about.ts';
import type { History, Story } from './history.ts';
import type { Rule } from './rule.ts';

const NONE: ReadonlySet<string> = new Set();

export const idsGrow: Rule = {
  name: 'ids-grow',
  about: 'a session is told events in the order of their ids, each once',
  find(history, broken) {
    for (const story of history.stories.values()) {
      let last = 0;
      for (const { event, line } of story.seen) {
        if (event.id <= last) {
          broken(line, `${story.program} was told ${event.event} ${event.id} after ${last}`);
        }
        last = Math.max(last, event.id);
      }
    }
  },
};

export const saidOnce: Rule = {
  name: 'said-once',
  about: 'a box says an event once: after a switchover exactly the gap',
  find(history, broken) {
    for (const [n, line] of history.lines.entries()) {
      if (line.kind === 'dropped') broken(n, `${line.program} was told event ${line.event} again`);
    }
  },
};

export const sessionsLast: Rule = {
  name: 'sessions-last',
  about: 'in hot standby nobody loses his session, or an event of it',
  find(history, broken) {
    for (const [n, line] of history.lines.entries()) {
      if (line.kind !== 'session' || line.how !== 'lost') continue;
      broken(n, `${line.program} lost its session after event ${line.since}`);
    }
  },
};

export const sameEvent: Rule = {
  name: 'same-event',
  about: 'everybody is told the same of an event',
  find(history, broken) {
    const texts = new Map<number, string>();
    for (const story of history.stories.values()) {
      for (const { event, line } of story.seen) {
        const { monitors: _, requestId: __, ...said } = event;
        const text = JSON.stringify(said);
        const first = texts.get(event.id) ?? text;
        texts.set(event.id, first);
        if (first !== text) broken(line, `event ${event.id} is ${first} and ${text}`);
      }
    }
    let time = 0;
    for (const event of history.events) {
      if (event.time < time) broken(0, `event ${event.id} is older than the one before it`);
      time = Math.max(time, event.time);
    }
  },
};

export const seenByAll: Rule = {
  name: 'seen-by-all',
  about: 'whoever watches what an event is about is told of it',
  find(history, broken) {
    for (const story of history.stories.values()) {
      const seen = new Set(story.seen.map((s) => s.event.id));
      const last = limitOf(history, story);
      const bySubject = new Map<string, Watch[]>();
      for (const watch of story.watches) {
        const list = bySubject.get(watch.subject) ?? [];
        list.push(watch);
        bySubject.set(watch.subject, list);
      }
      for (const event of history.events) {
        if (event.id > last || seen.has(event.id)) continue;
        const about = history.about.get(event.id) ?? NONE;
        const subjects = ['*', String(event.callId ?? ''), ...about];
        const watch = subjects
          .flatMap((subject) => bySubject.get(subject) ?? [])
          .find((w) => event.id > w.since && event.id <= w.until && isFor(w, event, about));
        if (watch === undefined) continue;
        const what = `${event.event} ${event.id} of call ${event.callId ?? '-'}`;
        const text = `${story.program} watches ${watch.subject}, and was not told of ${what}`;
        broken(story.startedLine, text);
      }
    }
  },
};

/** What was born while everything ended may be on its way still; before `quiet` nothing is. */
function limitOf(history: History, story: Story): number {
  if (history.head?.whole || history.quiet !== undefined) return Number.MAX_SAFE_INTEGER;
  return story.seen.at(-1)?.event.id ?? 0;
}

export const onlyWatchers: Rule = {
  name: 'only-watchers',
  about: 'nobody is told what he does not watch, and the monitors named are those that watch',
  find(history, broken) {
    for (const story of history.stories.values()) {
      for (const { event, line } of story.seen) {
        const about = history.about.get(event.id) ?? NONE;
        const named = new Set(event.monitors.map(String));
        const what = `${story.program} was told ${event.event} ${event.id}`;
        if (named.size === 0) broken(line, `${what} by no monitor`);
        for (const ref of named) {
          const watch = story.watches.find((w) => w.ref === ref);
          if (watch === undefined && story.routes && event['routeId'] !== undefined) continue;
          if (watch === undefined) broken(line, `${what} by monitor ${ref}, which is not its own`);
          else if (event.id <= watch.since || event.id > watch.last) {
            broken(line, `${what} by monitor ${ref}, which was not there`);
          } else if (!isFor(watch, event, about)) {
            broken(line, `${what} by monitor ${ref}, which watches ${watch.subject}`);
          }
        }
        for (const watch of story.watches) {
          if (named.has(watch.ref) || event.id <= watch.since || event.id > watch.until) continue;
          if (isFor(watch, event, about)) broken(line, `${what}, but not by monitor ${watch.ref}`);
        }
      }
    }
  },
};
