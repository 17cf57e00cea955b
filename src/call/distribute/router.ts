/**
 * Programs that say where calls go (CSTA routing services, ECMA-269 20). A route request goes to one
 * program alone: to a monitor that nobody else has. When its session ends, the next registration of the
 * same number is asked.
 */

import type { JsonObject } from '../../base/json.ts';
import { asciiJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { type NoAnswer, pointOf } from '../../proto/centre.ts';
import type { Context } from '../../proto/context.ts';
import { recordRouted } from '../conference/record.ts';
import type { Cause } from '../csta/causes.ts';
import { type EventName, emit } from '../csta/event.ts';
import { tellMonitor, unmonitor } from '../csta/monitors.ts';
import { aboutCall } from '../csta/publish.ts';
import { type Done, type Refusal, refuse } from '../csta/refusal.ts';
import { CCALL, type Ccall, MONITOR, SESSION } from '../csta/rows.ts';
import { route } from '../route.ts';
import { CALL } from '../rows.ts';
import { noAnswerFor } from './deliver.ts';
import { collect } from './digits.ts';
import { happens } from './machine.ts';
import { DISTRIBUTION, type Distribution, ROUTER, type Router } from './rows.ts';
import { type Treatment, treat } from './treatment.ts';

const ALL = '*';

const ROUTES = 'route:';

/** What a router's own monitor watches. */
function subjectOf(row: Pick<Router, 'id'>): string {
  return `${ROUTES}${row.id}`;
}

/** A router's own monitor ends with its registration, not before. */
export function isRouters(monitor: { readonly subject: string }): boolean {
  return monitor.subject.startsWith(ROUTES);
}

/** Devices by which the router of a call hears what becomes of it. */
export function routerSubject(d: Distribution): readonly string[] {
  return d.router === 0 ? [] : [subjectOf({ id: d.router })];
}

// ── registrations ────────────────────────────────────────────────────────────────────────────────

export type RouteRegister = { readonly deviceId?: string | undefined };

/** Routes the calls of a routing point, or of all of them. */
export function routeRegister(cx: Context, p: RouteRegister): Done | Refusal {
  const { session } = cx.turn;
  const device = p.deviceId ?? ALL;
  const { centre } = cx.settings.site;
  if (device !== ALL && !pointOf(centre, device)) return refuse('invalidDeviceId');
  const own = cx.store.all(ROUTER, 'session', session);
  const same = own.find((r) => r.device === device);
  if (same !== undefined) return registered(same);
  if (own.length >= LIMITS.routersOfOne) return refuse('limitReached');
  const row = cx.store.insert(ROUTER, { session, device });
  const monitor = cx.store.insert(MONITOR, { session, kind: 'device', subject: subjectOf(row) });
  cx.store.patch(ROUTER, row, { monitor: monitor.id });
  tellMonitor(cx, monitor);
  // calls that nobody was asked about go on by default; those that wait now are its own
  return registered(row);
}

/** By the monitor he knows events of calls he routes: it stands in their `monitors`. */
function registered({ id, monitor }: Router): Done {
  return { registration: id, monitor };
}

export type RouteRegisterCancel = { readonly registration: number };

export function routeRegisterCancel(cx: Context, p: RouteRegisterCancel): Done | Refusal {
  const row = cx.store.get(ROUTER, p.registration);
  if (row?.session !== cx.turn.session) return refuse('invalidRouteId');
  drop(cx, row);
  return {};
}

/** A session is over: the calls it was asked about are asked of others. */
export function routersLeave(cx: Context, session: number): void {
  for (const row of [...cx.store.all(ROUTER, 'session', session)]) drop(cx, row);
}

function drop(cx: Context, row: Router): void {
  const monitor = cx.store.get(MONITOR, row.monitor);
  if (monitor !== undefined) unmonitor(cx, monitor);
  cx.store.remove(ROUTER, row);
  for (const d of [...cx.store.rows(DISTRIBUTION)]) {
    if (d.router !== row.id) continue;
    cx.store.patch(DISTRIBUTION, d, { router: 0 });
    happens(cx, d, 'orphan', { cause: 'normal' });
  }
}

/** Who is asked: the first registered whose program is there, else the first. */
function routerFor(cx: Context, device: string): Router | undefined {
  const all = [...cx.store.all(ROUTER, 'device', device), ...cx.store.all(ROUTER, 'device', ALL)];
  const here = all.find((r) => cx.store.get(SESSION, r.session)?.endsAt === 0);
  return here ?? all[0];
}

// ── asking ───────────────────────────────────────────────────────────────────────────────────────

function ccallFor(cx: Context, d: Distribution): Ccall | undefined {
  const call = cx.store.get(CALL, d.call);
  return call === undefined ? undefined : cx.store.get(CCALL, call.ccall);
}

/**
 * Asks a router where a call goes. @param failed status by which its last destination, `by`, refused; 0: none.
 * @returns false when nobody is there to be asked.
 */
export function askRouter(cx: Context, d: Distribution, failed = 0, by = ''): boolean {
  const row = routerFor(cx, d.device);
  const timeoutS = pointOf(cx.settings.site.centre, d.device)?.timeoutS ?? 0;
  if (row === undefined || timeoutS === 0) return false;
  cx.store.patch(DISTRIBUTION, d, {
    state: 'routing',
    router: row.id,
    timeoutAt: cx.now + timeoutS * 1000,
  });
  const ccall = ccallFor(cx, d);
  told(cx, d, 'routeRequest', {
    ...(failed === 0 ? {} : { failedRoute: by, failedStatus: failed }),
    waitingSince: d.since * 1000,
    ...aboutCall(ccall),
  });
  return true;
}

function told(cx: Context, d: Distribution, event: EventName, more: JsonObject, cause?: Cause) {
  emit(cx, {
    event,
    ccall: ccallFor(cx, d)?.id ?? 0,
    devices: event === 'routeRequest' ? routerSubject(d) : [d.device, ...routerSubject(d)],
    ...(cause === undefined ? {} : { cause }),
    body: { routeId: d.id, deviceId: d.device, ...more },
  });
}

/** The dialogue with the router ends: the call was sent on, or is over. */
export function routeOver(cx: Context, d: Distribution, cause: Cause): void {
  if (d.router === 0) return;
  told(cx, d, 'routeEnd', {}, cause);
  cx.store.patch(DISTRIBUTION, d, { router: 0 });
}

// ── what routers say ─────────────────────────────────────────────────────────────────────────────

export type RouteRef = { readonly routeId: number };

/** The call a router speaks of: one that waits, and that it was asked about, or nobody was. */
function spokenOf(cx: Context, p: RouteRef): Distribution | Refusal {
  const d = cx.store.get(DISTRIBUTION, p.routeId);
  if (d === undefined || d.state === 'arriving') return refuse('invalidRouteId');
  const row = d.router === 0 ? undefined : cx.store.get(ROUTER, d.router);
  if (row !== undefined && row.session !== cx.turn.session) return refuse('privilegeViolation');
  return d;
}

/** Any instruction: the call is in hands again, and has hops and default numbers anew. */
function instructed(cx: Context, d: Distribution): void {
  cx.store.patch(DISTRIBUTION, d, {
    timeoutAt: d.kind === 'point' ? 0 : d.timeoutAt,
    hops: 0,
    tried: '',
    rest: '',
    last: false,
    listed: false,
  });
}

export type RouteSelect = RouteRef & {
  readonly destination: string;
  readonly callingDevice?: string | undefined;
  readonly userData?: JsonObject | undefined;
  readonly noAnswerS?: number | undefined;
  readonly overflow?: readonly string[] | undefined;
  readonly record?: boolean | undefined;
};

/** Sends a waiting call to a number. */
export function routeSelect(cx: Context, p: RouteSelect): Done | Refusal {
  const d = spokenOf(cx, p);
  if ('refused' in d) return d;
  if (p.destination === d.device) return refuse('invalidDestination');
  const way = route(cx, p.destination);
  // who is not registered now is refused now: the router can think again
  if (way.kind === 'refuse') return refuse('invalidDestination', `(${way.status})`);
  const ccall = ccallFor(cx, d);
  if (p.userData !== undefined && ccall !== undefined) {
    const before = ccall.data === '' ? {} : JSON.parse(ccall.data);
    const data = asciiJson({ ...before, ...p.userData });
    if (data.length > LIMITS.userDataBytes) {
      return refuse('limitReached', 'The user data is too long.');
    }
    cx.store.patch(CCALL, ccall, { data });
  }
  if (p.callingDevice !== undefined && ccall !== undefined) {
    cx.store.patch(CCALL, ccall, { calling: p.callingDevice });
  }
  if (p.record === true && ccall !== undefined) recordRouted(cx, ccall, d.device);
  instructed(cx, d);
  told(cx, d, 'routeUsed', {
    routeUsed: p.destination,
    ...(p.callingDevice === undefined ? {} : { callingDevice: p.callingDevice }),
  });
  const noAnswer = supervision(cx, d, p);
  happens(cx, d, 'instruct', {
    number: p.destination,
    cause: 'redirected',
    ...(noAnswer === undefined ? {} : { noAnswer }),
  });
  return {};
}

function supervision(cx: Context, d: Distribution, p: RouteSelect): NoAnswer | undefined {
  if (p.noAnswerS === undefined && p.overflow === undefined) return undefined;
  const own = noAnswerFor(cx, d);
  return {
    ...own,
    afterS: p.noAnswerS ?? own.afterS,
    overflow: p.overflow ?? own.overflow,
  };
}

const REJECTIONS = { busy: 486, rejected: 603, invalid: 404 } as const;

export type RouteReject = RouteRef & { readonly cause?: keyof typeof REJECTIONS | undefined };

/** Refuses a waiting call. */
export function routeReject(cx: Context, p: RouteReject): Done | Refusal {
  const d = spokenOf(cx, p);
  if ('refused' in d) return d;
  happens(cx, d, 'reject', { status: REJECTIONS[p.cause ?? 'rejected'], cause: 'callRejected' });
  return {};
}

/** The router has nothing to say: default routing at once. */
export function routeEnd(cx: Context, p: RouteRef): Done | Refusal {
  const d = spokenOf(cx, p);
  if ('refused' in d) return d;
  if (d.state !== 'routing') return refuse('requestIncompatibleWithCall');
  happens(cx, d, 'late', { cause: 'normal' });
  return {};
}

/** A treatment as a program asks for it. */
type Asked = { readonly [K in keyof Treatment]: Treatment[K] | undefined } & {
  readonly kind: Treatment['kind'];
};

export type ApplyTreatment = RouteRef & {
  readonly treatment: Asked & {
    /** collect: so many at most, at least; patience for the first, between two, in all, seconds. */
    readonly digits?: number | undefined;
    readonly leastDigits?: number | undefined;
    readonly firstDigitS?: number | undefined;
    readonly interDigitS?: number | undefined;
    readonly totalS?: number | undefined;
    readonly terminator?: string | undefined;
  };
};

/** The waiting caller hears something, or is asked for digits. The router has all its time again. */
export function applyTreatment(cx: Context, p: ApplyTreatment): Done | Refusal {
  const d = spokenOf(cx, p);
  if ('refused' in d) return d;
  if (d.state === 'offering') return refuse('requestIncompatibleWithCall');
  const { kind, prompt, repeat, durationS, charge } = p.treatment;
  if (kind === 'prompt' && (prompt ?? '') === '') return refuse('invalidParameter');
  instructed(cx, d);
  const asked = d.state === 'routing' && d.router !== 0;
  const s = pointOf(cx.settings.site.centre, d.device)?.timeoutS ?? 0;
  if (asked) cx.store.patch(DISTRIBUTION, d, { timeoutAt: cx.now + (waitFor(p) + s) * 1000 });
  treat(cx, d, {
    kind,
    ...(prompt === undefined ? {} : { prompt }),
    ...(repeat === undefined ? {} : { repeat }),
    ...(durationS === undefined ? {} : { durationS }),
    ...(charge === undefined ? {} : { charge }),
  });
  if (kind === 'collect') collect(cx, d, p.treatment);
  return {};
}

/** A treatment is under way so long before its router is expected to speak again, seconds. */
function waitFor({ treatment: t }: ApplyTreatment): number {
  return t.totalS ?? t.durationS ?? LONGEST_TREATMENT_S;
}

/** What a treatment lasts that says nothing of it; its router is waited for. */
const LONGEST_TREATMENT_S = 300;
