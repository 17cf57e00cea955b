/**
 * A contact centre in the lab: callers, agents' phones, a media service, programs. Everybody acts by
 * himself; a play is a list of steps, and whatever the box is asked or told is a moment at which it can
 * be replaced.
 */

import { setAgentState } from '../../src/call/agent/commands.ts';
import { AGENT } from '../../src/call/agent/rows.ts';
import { BRIDGE } from '../../src/call/bridge-rows.ts';
import { publish } from '../../src/call/csta/publish.ts';
import { CCALL, EVENT, MONITOR, PARTY, SESSION } from '../../src/call/csta/rows.ts';
import { DISTRIBUTION, TURNS } from '../../src/call/distribute/rows.ts';
import { watched } from '../../src/call/events/watch.ts';
import { partner } from '../../src/call/leg.ts';
import { CALL, LEG } from '../../src/call/rows.ts';
import { TRANSFER } from '../../src/call/transfer-rows.ts';
import {
  type AgentLogin,
  type Centre,
  type NoAnswer,
  PLAIN_CENTRE,
  type Queue,
  type RoutingPoint,
} from '../../src/proto/centre.ts';
import type { Context, SipSettings } from '../../src/proto/context.ts';
import { LOCAL_MEDIA } from '../../src/proto/media.ts';
import { PLAIN_SITE } from '../../src/proto/site.ts';
import { Lab } from './call-lab.ts';
import { TransferPhone } from './transfer-phone.ts';

export const STEP = 50;

export const SILENT: NoAnswer = { afterS: 0, overflow: [], action: 'none' };

export function point(number: string, more: Partial<RoutingPoint> = {}): RoutingPoint {
  return {
    number,
    timeoutS: 10,
    defaults: [],
    hopLimit: 4,
    charge: 'answered',
    treatment: '',
    noAnswer: SILENT,
    ...more,
  };
}

export function queue(number: string, more: Partial<Queue> = {}): Queue {
  return {
    number,
    name: number,
    charge: 'answered',
    treatment: '',
    maxCalls: 0,
    maxWaitS: 0,
    overflow: [],
    noAnswer: SILENT,
    ...more,
  };
}

export function login(id: string, more: Partial<AgentLogin> = {}): AgentLogin {
  return {
    id,
    password: '',
    queues: ['6000'],
    wrapUpS: 0,
    noAnswer: SILENT,
    autoLogoutS: 0,
    legalGuardS: 0,
    record: false,
    ...more,
  };
}

const byNumber = <T extends { readonly number: string }>(all: readonly T[]) =>
  Object.fromEntries(all.map((x) => [x.number, x]));

export type House = {
  readonly points?: readonly RoutingPoint[];
  readonly queues?: readonly Queue[];
  readonly agents?: readonly AgentLogin[];
};

/** The media service: answers whatever it is asked, at once. */
export class Service extends TransferPhone {
  mute = false;
  constructor(lab: Lab) {
    super(lab, 'annc', LOCAL_MEDIA.ip);
  }
  override act(): void {
    super.act();
    while (!this.mute && this.lift());
  }
  /** What it was asked to play. */
  get played(): string[] {
    return [...this.talks.values()].map((t) => t.asked);
  }
}

export class Centrum {
  readonly lab: Lab;
  readonly phones: readonly TransferPhone[];
  readonly media: Service;

  constructor(house: House = {}, settings: Partial<SipSettings> = {}) {
    const centre: Centre = {
      ...PLAIN_CENTRE,
      points: byNumber(house.points ?? []),
      queues: byNumber(house.queues ?? []),
      agents: Object.fromEntries((house.agents ?? []).map((a) => [a.id, a])),
    };
    this.lab = new Lab({ site: { ...PLAIN_SITE, centre }, ...settings });
    const phone = (n: number) => new TransferPhone(this.lab, `${1000 + n}`, `192.0.2.${n}`);
    this.phones = [1, 2, 3, 4, 5].map(phone);
    for (const p of this.phones) this.lab.register(p);
    this.media = new Service(this.lab);
    this.program(1);
    this.as(0, (cx) => {
      cx.store.insert(MONITOR, { session: 1, kind: 'all', subject: '*' });
    });
  }

  /** Phone 1001 is 1. */
  phone(n: number): TransferPhone {
    return this.phones[n - 1] as TransferPhone;
  }

  /** A session of a program. */
  program(id: number): void {
    this.as(0, (cx) => {
      const row = cx.store.insert(SESSION, { program: `p${id}`, word: 'w' });
      if (row.id !== id) throw new Error('sessions are counted from 1');
    });
  }

  /** A turn a program asks for. */
  as<T>(session: number, f: (cx: Context) => T): T {
    const { lab } = this;
    lab.cx.now = lab.now;
    const cx = watched(lab.cx);
    cx.turn.session = session;
    cx.turn.request = session === 0 ? '' : `r${session}`;
    const out = f(cx);
    publish(cx);
    return out;
  }

  /** An agent logs on at his phone and is ready. */
  on(n: number, id = `a${n}`): void {
    const device = `100${n}`;
    for (const requestedState of ['loggedOn', 'ready'] as const) {
      const done = this.as(1, (cx) => setAgentState(cx, { device, agentId: id, requestedState }));
      if ('refused' in done) throw new Error(`${requestedState}: ${JSON.stringify(done)}`);
    }
  }

  /** Time passes, and everybody does what he has to. */
  pass(ms: number): void {
    for (let at = 0; at < ms; at += STEP) {
      this.media.act();
      for (const p of this.phones) p.act();
      this.lab.pass(STEP);
    }
    this.media.act();
    for (const p of this.phones) p.act();
  }

  /** Events so far, as `event device cause`. */
  get events(): string[] {
    return this.said().map((e) => `${e.event} ${e.device}${e.cause === '' ? '' : ` ${e.cause}`}`);
  }

  said(): { event: string; device: string; cause: string; body: Record<string, unknown> }[] {
    return this.lab.programs.flatMap((text) => {
      const at = text.indexOf('\n');
      const head = JSON.parse(text.slice(0, at));
      if (head.kind !== 'event') return [];
      const body = JSON.parse(text.slice(at + 1));
      const device = body.connection?.deviceId ?? body.deviceId ?? '';
      return [{ event: body.event as string, device, cause: body.cause ?? '', body }];
    });
  }

  /** The last event of a name. */
  last(event: string): Record<string, unknown> {
    return this.said().findLast((e) => e.event === event)?.body ?? {};
  }

  /** Calls that wait, as numbers of callers, in order of arrival. */
  waiting(device: string): string[] {
    const rows = [...this.lab.cx.store.rows(DISTRIBUTION)].filter((d) => d.device === device);
    rows.sort((a, b) => a.since - b.since || a.id - b.id);
    return rows.map(
      (d) =>
        [...this.lab.cx.store.rows(PARTY)].find((p) => p.leg === d.leg)?.device ?? `leg ${d.leg}`,
    );
  }

  complaints(): string[] {
    const all = [...this.phones, this.media];
    return all.flatMap((p) => p.complaints.map((c) => `${p.user}: ${c}`));
  }

  /** Everybody hangs up; what is left afterwards that should not be. */
  end(): string[] {
    for (let i = 0; i < 4; i += 1) {
      for (const p of this.phones) p.hangUp();
      this.pass(1000);
    }
    for (let i = 0; i < 240; i += 1) {
      this.lab.pass(1000);
      this.media.act();
      for (const p of this.phones) p.act();
    }
    const { store } = this.lab.cx;
    const out = this.complaints();
    if (store.count(CCALL) > 0) out.push('a call is left');
    if (store.count(PARTY) > 0) out.push('a connection is left');
    for (const p of [...this.phones, this.media]) {
      if (p.living().length > 0) out.push(`${p.user} still talks`);
      if (!p.idle) out.push(`${p.user} waits for an answer`);
    }
    const known = [EVENT, SESSION, MONITOR, AGENT, TURNS].map((t) =>
      store.count(t as typeof EVENT),
    );
    const left = this.lab.rows() - known.reduce((a, b) => a + b, 0) - this.phones.length;
    const routers = [...this.lab.store.shelves.values()].find((s) => s.spec.name === 'router');
    if (left !== (routers?.rows.size ?? 0)) out.push(`${left} rows are left`);
    return out;
  }
}

/** What is wrong when nothing is on its way. */
export function lost(c: Centrum): string[] {
  const { store } = c.lab.cx;
  const out: string[] = [];
  for (const leg of store.rows(LEG)) {
    if (leg.part !== 'device' || (leg.state !== 'inviting' && leg.state !== 'confirmed')) continue;
    const call = store.get(CALL, leg.call);
    if (
      call === undefined ||
      (leg.peer === leg.id && leg.side === 'callee' && leg.state === 'inviting')
    )
      continue;
    if ([...store.rows(DISTRIBUTION)].some((d) => d.leg === leg.id)) continue;
    if ([...store.rows(BRIDGE)].some((b) => b.stays === leg.id || b.other === leg.id)) continue;
    if ([...store.rows(TRANSFER)].some((t) => t.transferor === leg.id || t.transferee === leg.id))
      continue;
    const tried = store
      .all(LEG, 'call', call.id)
      .some((l) => l.side !== leg.side && l.peer !== l.id);
    if (leg.state === 'inviting' ? tried : partner(c.lab.cx, call, leg) !== undefined) continue;
    out.push(`${leg.aor || leg.remoteUri} (${leg.state}) has nobody`);
  }
  return out;
}
