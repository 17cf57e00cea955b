/**
 * The reference model of calls: what each event does to the connections of a call (ECMA-269 6.1.5),
 * as a table. It knows no SIP and no switchover, and whatever it cannot explain is a broken promise.
 */

import type { EventView, PartyView } from './record.ts';

export type Connection = { readonly deviceId: string; readonly side: string; state: string };

type Step = {
  /** States of the connection before; `none`: it is new. */
  readonly from: readonly string[];
  /** States after; empty: it is no more. */
  readonly to: readonly string[];
};

const LIVE = ['initiated', 'alerting', 'connected', 'hold', 'queued', 'failed'];

export const STEPS: { readonly [event: string]: Step } = {
  serviceInitiated: { from: ['none'], to: ['initiated'] },
  originated: { from: ['none', 'initiated'], to: ['initiated', 'connected', 'hold'] },
  delivered: { from: ['none', 'initiated', 'queued'], to: ['alerting'] },
  established: {
    from: ['none', 'initiated', 'alerting', 'queued', 'connected'],
    to: ['connected', 'hold'],
  },
  held: { from: ['connected'], to: ['hold'] },
  retrieved: { from: ['hold'], to: ['connected'] },
  queued: { from: ['none', 'alerting', 'connected', 'queued'], to: ['queued'] },
  failed: { from: ['none', 'initiated', 'alerting', 'queued', 'connected'], to: ['failed'] },
  diverted: { from: LIVE, to: [] },
  connectionCleared: { from: LIVE, to: [] },
};

export type CallModel = {
  readonly callId: number;
  readonly globalCallId: string;
  readonly connections: Connection[];
  /** Times of the pair clock, µs: first event, first answer, end; 0 for never. */
  readonly startedAt: number;
  answeredAt: number;
  endedAt: number;
  over: boolean;
  /** A program made it, or it began in some other way than by a phone that calls. */
  readonly made: boolean;
  /** Its first event. */
  readonly firstId: number;
};

export class Calls {
  readonly calls = new Map<number, CallModel>();

  /** @returns what is wrong with `event` after all that came before it; '' when nothing is. */
  take(event: EventView): string {
    const { callId } = event;
    if (callId === undefined || callId === 0) return '';
    const call = this.calls.get(callId) ?? begin(event, callId);
    this.calls.set(callId, call);
    if (call.over) return `${event.event} of a call that is over`;
    if (event.globalCallId !== undefined && event.globalCallId !== call.globalCallId) {
      return `the call is ${call.globalCallId} and ${event.globalCallId}`;
    }
    if (event.event === 'callCleared') return this.clear(call, event);
    if (event.event === 'transferred' || event.event === 'conferenced')
      return this.join(call, event);
    const step = STEPS[event.event];
    return step === undefined ? '' : move(call, event, step);
  }

  private clear(call: CallModel, event: EventView): string {
    call.over = true;
    call.endedAt = event.time;
    const left = call.connections.map((c) => `${c.deviceId} ${c.state}`).join(', ');
    return left === '' ? '' : `callCleared, but there is still ${left}`;
  }

  /** Two calls become one; of the device that did it some connections are no more. */
  private join(call: CallModel, event: EventView): string {
    const second = this.calls.get(Number(event['secondaryOldCall'] ?? 0));
    if (second !== undefined && second !== call) {
      call.connections.push(...second.connections);
      second.connections.length = 0;
      if (call.answeredAt === 0) call.answeredAt = second.answeredAt;
    }
    const by = String(event['transferringDevice'] ?? event['conferencingDevice'] ?? '');
    const left = [...(event.parties ?? [])];
    const gone: Connection[] = [];
    for (const own of call.connections) {
      const n = left.findIndex((p) => word(p) === word(own));
      if (n < 0) gone.push(own);
      else left.splice(n, 1);
    }
    call.connections.splice(
      0,
      call.connections.length,
      ...call.connections.filter((c) => !gone.includes(c)),
    );
    if (left.length > 0) return `${event.event} with [${listed(left)}], who were not there`;
    const wrong = gone.filter((c) => c.deviceId !== by);
    return wrong.length === 0 ? '' : `${event.event} without [${listed(wrong)}]`;
  }
}

function begin(event: EventView, callId: number): CallModel {
  return {
    callId,
    globalCallId: event.globalCallId ?? '',
    connections: [],
    startedAt: event.time,
    answeredAt: 0,
    endedAt: 0,
    over: false,
    made: event.event !== 'originated',
    firstId: event.id,
  };
}

function move(call: CallModel, event: EventView, step: Step): string {
  const { connection, localState = '' } = event;
  // what was asked for did not come to be: nobody is anything else for that
  if (event.event === 'failed' && event.localState === undefined) return '';
  if (connection === undefined) return `${event.event} of no connection`;
  if (connection.callId !== call.callId) return `a connection of call ${connection.callId}`;
  const { deviceId } = connection;
  const side = String(event['side'] ?? '');
  const own = call.connections.filter((c) => c.deviceId === deviceId && c.side === side);
  const known = own.filter((c) => step.from.includes(c.state));
  const gone = step.to.length === 0;
  const fresh = !gone && step.from.includes('none');
  if (known.length === 0 && !fresh) {
    const state = own.map((c) => c.state).join(' and ') || 'not in the call';
    return `${event.event} of ${deviceId}, which is ${state}`;
  }
  if (gone ? localState !== 'null' : !step.to.includes(localState)) {
    return `${event.event} of ${deviceId} leaves it ${localState}`;
  }
  if (event.event === 'established' && call.answeredAt === 0) call.answeredAt = event.time;
  // a device may be in a call twice: which of its connections it was, the parties tell
  const next = { deviceId, side, state: localState };
  const ways = known.map((c) =>
    call.connections.flatMap((x) => (x === c ? (gone ? [] : [next]) : [x])),
  );
  if (fresh) ways.push([...call.connections, next]);
  const way = ways.find((w) => differ(w, event.parties) === '') ?? ways[0] ?? [];
  call.connections.splice(0, call.connections.length, ...way);
  return differ(way, event.parties);
}

function differ(model: readonly Connection[], said: readonly PartyView[] | undefined): string {
  if (said === undefined) return '';
  const own = listed(model);
  const theirs = listed(said);
  return own === theirs ? '' : `its parties are said to be [${theirs}], and are [${own}]`;
}

function listed(list: readonly PartyView[]): string {
  return list.map(word).sort().join(', ');
}

function word(p: PartyView): string {
  return `${p.deviceId} ${p.state}${p.side === undefined || p.side === '' ? '' : ` (${p.side})`}`;
}
