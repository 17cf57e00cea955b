/**
 * Sessions of programs: they begin, go on over another connection or another box, end. What a program
 * missed it is given in parts, each asked for by the hub when it has sent the one before, so that a
 * long gap fills nobody's memory.
 */

import { hex } from '../base/chance.ts';
import { asciiJson, type JsonObject } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { eventItem } from '../call/csta/event.ts';
import { endsSeen, tellMonitor } from '../call/csta/monitors.ts';
import { type Done, type Refusal, refuse } from '../call/csta/refusal.ts';
import { EVENT, MONITOR, REQUEST, SESSION, type Session } from '../call/csta/rows.ts';
import type { Context } from '../proto/context.ts';
import { endSession, goneUpTo, openHouse, position } from './house.ts';
import { item, type ProgramInput } from './terms.ts';

/** 32-bit words of the secret by which a session is resumed. */
const WORDS = 4;

export function startSession(cx: Context, r: ProgramInput): Done | Refusal {
  if (cx.store.count(SESSION) >= LIMITS.ctiSessions) return refuse('limitReached');
  const at = position(cx);
  const { conn, program } = r;
  const word = hex(cx.chance, WORDS);
  openHouse(cx, at);
  const row = cx.store.insert(SESSION, { program, word, startedAt: cx.now, seen: at, conn });
  cx.tell(item({ kind: 'attach', conn, session: row.id, since: at, position: at }));
  return { session: `${row.id}.${word}`, role: 'primary', position: at };
}

/** The row of `<id>.<word>`, when it is this program's. */
function known(cx: Context, program: string, text: string): Session | undefined {
  const dot = text.indexOf('.');
  const row = cx.store.get(SESSION, Number(text.slice(0, Math.max(0, dot))) || 0);
  const same = row !== undefined && row.program === program && row.word === text.slice(dot + 1);
  return same ? row : undefined;
}

export type Lost = Refusal & { readonly position: number };

/** Goes on with a session; it is refused `eventsLost` when what it missed is not all there. */
export function resumeSession(cx: Context, r: ProgramInput): Done | Refusal | Lost {
  const { session, since } = r.params as { readonly session: string; readonly since: number };
  const row = known(cx, r.program, session);
  if (row === undefined) return refuse('unknownSession');
  const at = position(cx);
  if (since < goneUpTo(cx) || since > at) return { ...refuse('eventsLost'), position: at };
  cx.store.patch(SESSION, row, { endsAt: 0, conn: r.conn, seen: Math.max(row.seen, since) });
  cx.tell(item({ kind: 'attach', conn: r.conn, session: row.id, since, position: at }));
  endsSeen(cx, row.id, row.seen);
  for (const monitor of cx.store.all(MONITOR, 'session', row.id)) tellMonitor(cx, monitor);
  return { missed: at - since, position: at };
}

export function stopSession(cx: Context, session: Session): Done {
  endSession(cx, session);
  return {};
}

/** Its connection is no more: it has so long to come back. */
export function gone(cx: Context, r: ProgramInput): void {
  const row = cx.store.get(SESSION, r.session);
  // another connection speaks for it already
  if (row === undefined || row.conn !== r.conn) return;
  cx.store.patch(SESSION, row, { endsAt: cx.now + LIMITS.sessionKeepMs, conn: 0 });
}

/** The hub lost all its connections. */
export function allGone(cx: Context): void {
  for (const row of cx.store.rows(SESSION)) {
    if (row.conn === 0) continue;
    cx.store.patch(SESSION, row, { endsAt: cx.now + LIMITS.sessionKeepMs, conn: 0 });
  }
}

/** The next part of what the session missed: events after `since`. */
export function more(cx: Context, r: ProgramInput): void {
  const row = cx.store.get(SESSION, r.session);
  if (row === undefined || row.conn !== r.conn) return;
  const at = position(cx);
  const since = r.params['since'] as number;
  if (since < goneUpTo(cx)) {
    // it reads more slowly than events are kept: it is told so when it resumes
    const none = { upTo: since, last: false, lost: true } as const;
    cx.tell(item({ kind: 'gap', conn: r.conn, session: row.id, ...none }));
    return;
  }
  let upTo = since;
  let told = 0;
  for (; upTo < at && told < LIMITS.gapEvents; upTo += 1) {
    const event = cx.store.get(EVENT, upTo + 1);
    if (event === undefined) continue;
    cx.tell(`{"to":${row.id},${eventItem(event).slice(1)}`);
    told += 1;
  }
  cx.tell(item({ kind: 'gap', conn: r.conn, session: row.id, upTo, last: upTo >= at }));
}

/** Events and answers that came to the program need not be kept for it. */
export function ack(cx: Context, session: Session, p: JsonObject): Done {
  const { upTo, request } = p as { readonly upTo?: number; readonly request?: number | string };
  const at = position(cx);
  if (upTo !== undefined && upTo > session.seen) {
    cx.store.patch(SESSION, session, { seen: Math.min(upTo, at) });
    endsSeen(cx, session.id, session.seen);
  }
  if (request !== undefined) answersCame(cx, session, asciiJson(request));
  return { position: at };
}

function answersCame(cx: Context, session: Session, id: string): void {
  const last = cx.store.find(REQUEST, 'key', requestKey(session.id, id));
  if (last === undefined) return;
  const upTo = last.id;
  const came = cx.store.all(REQUEST, 'session', session.id).filter((row) => row.id <= upTo);
  for (const row of came) cx.store.remove(REQUEST, row);
}

export function requestKey(session: number, id: string): string {
  return `${session} ${id}`;
}
