/**
 * One request of a program: one turn, one transaction. What it changed, what was said of it and its
 * answer are safe in two places together, so that whoever repeats it, after whatever failure, is given
 * the same answer and nothing is done twice.
 */

import type { JsonObject } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { isRefusal, type Refusal, refuse } from '../call/csta/refusal.ts';
import { REQUEST, SESSION, type Session } from '../call/csta/rows.ts';
import type { Program } from '../proto/centre.ts';
import type { Context } from '../proto/context.ts';
import { command } from './commands.ts';
import { type Service, serviceOf } from './services.ts';
import {
  ack,
  allGone,
  gone,
  type Lost,
  more,
  requestKey,
  resumeSession,
  startSession,
  stopSession,
} from './session.ts';
import { errorText, item, type ProgramInput, resultText } from './terms.ts';

export function handle(cx: Context, r: ProgramInput): void {
  switch (r.method) {
    case 'gone':
      gone(cx, r);
      return;
    case 'allGone':
      allGone(cx);
      return;
    case 'more':
      more(cx, r);
      return;
    case 'startSession':
      reply(cx, r, answerText(r, startSession(cx, r)));
      return;
    case 'resumeSession':
      reply(cx, r, answerText(r, resumeSession(cx, r)));
      return;
    default:
      inSession(cx, r);
  }
}

function reply(cx: Context, r: ProgramInput, text: string): void {
  // a notification: nobody waits
  if (r.id !== '') cx.tell(item({ kind: 'reply', conn: r.conn }, text));
}

function answerText(r: ProgramInput, outcome: object | Refusal | Lost): string {
  if (!isRefusal(outcome)) return resultText(r.id, outcome as JsonObject);
  const { refused, text } = outcome;
  const more = 'position' in outcome ? { position: outcome.position } : {};
  return errorText(r.id, refused, text, more);
}

function inSession(cx: Context, r: ProgramInput): void {
  const session = cx.store.get(SESSION, r.session);
  const service = serviceOf(r.method);
  if (session === undefined || service === undefined) {
    const code = session === undefined ? 'unknownSession' : 'notSupported';
    reply(cx, r, errorText(r.id, code));
    return;
  }
  if (service.kind !== 'write') {
    reply(cx, r, answerText(r, outcome(cx, r, service, session)));
    return;
  }
  const key = requestKey(session.id, r.id);
  const known = cx.store.find(REQUEST, 'key', key);
  if (known !== undefined) {
    reply(cx, r, known.answer);
    return;
  }
  cx.turn.session = session.id;
  cx.turn.request = r.id;
  const answer = answerText(r, outcome(cx, r, service, session));
  const kept = cx.store.all(REQUEST, 'session', session.id);
  const oldest = kept[0];
  // who never says that answers came keeps the younger ones
  if (oldest !== undefined && kept.length >= LIMITS.ctiAnswers) cx.store.remove(REQUEST, oldest);
  const { now } = cx;
  const expiresAt = now + LIMITS.answerKeepMs;
  cx.store.insert(REQUEST, { key, session: session.id, at: now, answer, expiresAt });
  reply(cx, r, answer);
}

function outcome(cx: Context, r: ProgramInput, service: Service, session: Session): object {
  if (r.method === 'stopSession') return stopSession(cx, session);
  if (r.method === 'ack') return ack(cx, session, r.params);
  const program = cx.settings.site.centre.programs.find((p) => p.name === session.program);
  if (!mayDo(program, service, r.params)) return refuse('privilegeViolation');
  return command(cx, r.method, r.params, session);
}

/** By its roles; a program that may only act for its own devices names one of them. */
export function mayDo(program: Program | undefined, service: Service, params: object): boolean {
  if (service.roles.length === 0) return true;
  if (program === undefined) return false;
  const { roles, devices } = program;
  if (service.roles.some((role) => role !== 'own-device' && roles.includes(role))) return true;
  if (!service.roles.includes('own-device') || !roles.includes('own-device')) return false;
  // to log somebody off elsewhere is more than to act for a device of one's own
  if ((params as { readonly force?: unknown }).force === true) return false;
  return (
    service.acts.length > 0 &&
    service.acts.every((name) => devices.includes(deviceIn(params, name)))
  );
}

function deviceIn(params: object, name: string): string {
  const value: unknown = (params as { readonly [key: string]: unknown })[name];
  if (typeof value === 'object' && value !== null && 'deviceId' in value) {
    return String(value.deviceId);
  }
  return typeof value === 'string' ? value : '';
}
