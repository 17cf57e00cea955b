/**
 * What a program knows that heard every event and nothing else: calls and their connections, made of
 * the stream of a monitor on `*`. Compared with the rows at any moment it must be the same, whatever
 * happened and whoever leads.
 *
 * A box that dies takes the events of a turn with it that was in no other memory, and the rows of that
 * turn too (output commit): so both go on from where the other box stood. In the lab no row is ever lost
 * at a swap and no event either, only what was on its way to phones.
 */

import type { JsonObject } from '../../src/base/json.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { CDR } from '../../src/call/csta/cdr.ts';
import { CCALL, EVENT, MONITOR, PARTY } from '../../src/call/csta/rows.ts';
import { CALL, LEG } from '../../src/call/rows.ts';
import type { Lab } from './call-lab.ts';

export type Connection = { device: string; side: string; state: string };

export type Heard = JsonObject & {
  readonly id: number;
  readonly time: number;
  readonly event: string;
  readonly callId?: number;
  readonly cause?: string;
  readonly connection?: { readonly callId: number; readonly deviceId: string };
  readonly side?: string;
  readonly localState?: string;
  readonly parties?: readonly { deviceId: string; state: string; side: string }[];
  readonly secondaryOldCall?: number;
  readonly transferringDevice?: string;
  readonly conferencingDevice?: string;
  readonly lastRedirection?: string;
};

/** Events that are about no connection of a call, or change none. */
const APART = new Set(['callInformation', 'digitsGenerated', 'recording', 'muted', 'unmuted']);

/** State of a connection before an event ('': it is none yet), and after it ('': none any more). */
const STEPS: {
  readonly [event: string]: { readonly from: readonly string[]; readonly to: string };
} = {
  serviceInitiated: { from: [''], to: 'initiated' },
  originated: { from: ['', 'initiated'], to: 'connected' },
  delivered: { from: [''], to: 'alerting' },
  established: { from: ['alerting', ''], to: 'connected' },
  held: { from: ['connected', 'alerting'], to: 'hold' },
  retrieved: { from: ['hold'], to: 'connected' },
  failed: { from: ['alerting', ''], to: 'failed' },
  queued: { from: [''], to: 'queued' },
  diverted: { from: ['alerting', 'queued', 'connected'], to: '' },
  connectionCleared: {
    from: ['connected', 'alerting', 'hold', 'failed', 'queued', 'initiated'],
    to: '',
  },
};

/** Lets `lab` tell everything, as a monitor on all devices does. */
export function watchAll(lab: Lab): void {
  lab.store.insert(MONITOR, { session: 1, kind: 'all', subject: '*' });
}

/** Events told and not taken yet. */
export function eventsOf(lab: Lab): Heard[] {
  const out: Heard[] = [];
  for (const text of lab.programs) {
    const end = text.indexOf('\n');
    if (JSON.parse(text.slice(0, end)).kind === 'event') out.push(JSON.parse(text.slice(end + 1)));
  }
  lab.programs = [];
  return out;
}

/** Do all that are like `c` go on? */
function stays(e: Heard, c: Connection): boolean {
  const like = (e.parties ?? []).filter((p) => p.deviceId === c.device && p.side === c.side);
  return like.some((p) => p.state === c.state);
}

export class CstaModel {
  readonly calls = new Map<number, Connection[]>();
  readonly over = new Set<number>();
  readonly faults: string[] = [];
  /** The last events, for who looks for the reason of a fault. */
  readonly story: string[] = [];
  private last = 0;
  /** Calls that are over and whose CDR was not seen yet, with their end; CDRs seen, by call. */
  private readonly ended = new Map<number, number>();
  private readonly recorded = new Set<number>();
  private lastCdr = 0;

  /** Takes what `lab` told, compares, and lets the events go as programs that heard them do. */
  look(lab: Lab): string[] {
    for (const e of eventsOf(lab)) this.hear(e);
    for (const row of [...lab.store.rows(EVENT)]) lab.store.remove(EVENT, row);
    this.compare(lab);
    this.records(lab);
    return this.faults.length === 0 ? [] : [...this.faults, ...this.story.slice(-30)];
  }

  private fault(e: Heard, what: string): void {
    this.faults.push(`${what}: ${JSON.stringify(e)}`);
  }

  hear(e: Heard): void {
    const { event, callId = 0 } = e;
    const who = e.connection?.deviceId ?? e.transferringDevice ?? '';
    const parties = (e.parties ?? []).map((p) => `${p.deviceId} ${p.state}`).join(', ');
    this.story.push(`   ${e.id} call ${callId} ${event} ${e.cause ?? ''} ${who} [${parties}]`);
    if (e.id <= this.last) this.fault(e, `an id after ${this.last}`);
    this.last = e.id;
    if (this.over.has(callId)) this.fault(e, 'a call that is over');
    if (event === 'callCleared') {
      if ((this.calls.get(callId) ?? []).length > 0) this.fault(e, 'somebody is left in the call');
      this.calls.delete(callId);
      this.over.add(callId);
      this.ended.set(callId, e.time / 1000);
      return;
    }
    if (event === 'transferred' || event === 'conferenced') this.merge(e);
    else if (e.connection !== undefined && !APART.has(event)) this.step(e, callId);
    else return;
    if (e.event === 'failed' && e.side === undefined) return;
    const own = (this.calls.get(callId) ?? []).map((c) => `${c.device} ${c.state} ${c.side}`);
    const said = (e.parties ?? []).map((p) => `${p.deviceId} ${p.state} ${p.side}`);
    if (own.sort().join() !== said.sort().join()) this.fault(e, `parties, but [${own}]`);
  }

  private step(e: Heard, callId: number): void {
    const step = STEPS[e.event];
    // a request that came to nothing is no connection's step
    if (step === undefined || (e.event === 'failed' && e.side === undefined)) return;
    const list = this.calls.get(callId) ?? [];
    this.calls.set(callId, list);
    const device = e.connection?.deviceId ?? '';
    const same = list.filter((c) => c.device === device && c.side === e.side);
    const fits = same.filter((c) => step.from.includes(c.state));
    // a device can be in a call twice (sent back to itself): the parties say which one it is
    const found = fits.find((c) => !stays(e, c)) ?? fits[0];
    if (found === undefined && !step.from.includes('')) {
      this.fault(e, 'a connection in no such state');
      return;
    }
    if (e.localState !== (step.to || 'null')) this.fault(e, `local state is ${step.to}`);
    if (step.to === '') list.splice(list.indexOf(found as Connection), 1);
    else if (found !== undefined) found.state = step.to;
    else list.push({ device, side: e.side ?? '', state: step.to });
  }

  /** Who did it is in the call no more, and those of the other call are in this one. */
  private merge(e: Heard): void {
    const callId = e.callId ?? 0;
    const list = [...(this.calls.get(callId) ?? [])];
    const second = e.secondaryOldCall ?? 0;
    if (second !== 0) {
      list.push(...(this.calls.get(second) ?? []));
      this.calls.set(second, []);
    }
    const stay = (e.parties ?? []).map((p) => `${p.deviceId} ${p.state} ${p.side}`);
    const kept: Connection[] = [];
    for (const c of list) {
      const at = stay.indexOf(`${c.device} ${c.state} ${c.side}`);
      if (at >= 0) {
        stay.splice(at, 1);
        kept.push(c);
      } else if (c.device !== (e.transferringDevice ?? e.conferencingDevice)) {
        this.fault(e, `${c.device} is lost`);
      }
    }
    this.calls.set(callId, kept);
  }

  private compare({ store }: Lab): void {
    const known = [...this.calls.keys()];
    // one that begins for a program is not heard of before a phone rings
    const seen = (id: number): boolean =>
      this.calls.has(id) || store.all(PARTY, 'ccall', id).length > 0;
    const rows = [...store.rows(CCALL)].map((c) => c.id).filter(seen);
    const [a, b] = [known.sort((x, y) => x - y).join(), rows.sort((x, y) => x - y).join()];
    if (a !== b) this.faults.push(`calls ${b}, but a program knows ${a}`);
    for (const [id, list] of this.calls) {
      const mine = list.map((c) => `${c.device} ${c.state} ${c.side}`).sort();
      const all = store.all(PARTY, 'ccall', id).map((p) => `${p.device} ${p.state} ${p.side}`);
      if (mine.join() !== all.sort().join()) {
        this.faults.push(`call ${id}: [${all}], but a program knows [${mine}]`);
      }
    }
    for (const p of store.rows(PARTY)) {
      if (store.get(CCALL, p.ccall) === undefined) this.faults.push(`${p.device} is in no call`);
      if (p.leg === 0) continue;
      const call = store.get(CALL, p.call);
      if (call?.ccall !== p.ccall) this.faults.push(`${p.device}: call of its leg is another`);
      if (store.get(LEG, p.leg) === undefined) this.faults.push(`${p.device} has no leg`);
    }
    this.count(store);
  }

  /** Whoever is told that a call is over finds its CDR, and there is one. */
  private records({ store, now }: Lab): void {
    for (const row of store.rows(CDR)) {
      if (row.id <= this.lastCdr) continue;
      this.lastCdr = row.id;
      const { callId } = JSON.parse(row.line) as { readonly callId: number };
      if (this.recorded.has(callId)) this.faults.push(`call ${callId} has two CDRs`);
      if (!this.over.has(callId)) this.faults.push(`call ${callId} has a CDR and goes on`);
      this.recorded.add(callId);
    }
    for (const [callId, at] of this.ended) {
      const kept = now - at < LIMITS.cdrKeepMs;
      if (kept && !this.recorded.has(callId)) this.faults.push(`call ${callId} has no CDR`);
    }
    this.ended.clear();
  }

  /** A call lasts while one of its rows of `call` does. */
  private count(store: Lab['store']): void {
    const rows = new Map<number, number>();
    for (const call of store.rows(CALL)) {
      if (call.state !== 'ending') rows.set(call.ccall, (rows.get(call.ccall) ?? 0) + 1);
    }
    for (const c of store.rows(CCALL)) {
      if (c.calls !== (rows.get(c.id) ?? 0)) this.faults.push(`call ${c.id} counts ${c.calls}`);
    }
  }
}
