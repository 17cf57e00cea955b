/**
 * What the wallboard knows, without a browser: calls and agents as snapshots and events tell them, and
 * the lines that are made of it. Events are the truth; nothing is asked again while they come.
 */

export type PartyState = 'initiated' | 'alerting' | 'connected' | 'hold' | 'queued' | 'failed';

export type Party = {
  readonly deviceId: string;
  readonly state: PartyState;
  /** Microseconds of the pair clock. */
  readonly since: number;
};

export type BoardCall = {
  readonly callId: number;
  readonly kind: string;
  readonly callingDevice: string;
  readonly calledDevice: string;
  readonly startedAt: number;
  readonly parties: readonly Party[];
};

export type BoardAgent = {
  readonly agentId: string;
  readonly deviceId: string;
  readonly state: string;
  readonly reason: string;
  readonly since: number;
  readonly queues: readonly string[];
};

/** A JSON object as it came: every field is looked at before it is used. */
export type Fields = { readonly [name: string]: unknown };

export type QueueLine = {
  readonly deviceId: string;
  readonly name: string;
  readonly waiting: number;
  /** Since when the first of those who wait does; 0 for nobody. */
  readonly longestSince: number;
  readonly agents: { readonly [state in AgentColumn]: number };
};

export const AGENT_COLUMNS = ['ready', 'busy', 'workingAfterCall', 'notReady'] as const;
export type AgentColumn = (typeof AGENT_COLUMNS)[number];

const PARTY_STATES: readonly string[] = [
  'initiated',
  'alerting',
  'connected',
  'hold',
  'queued',
  'failed',
];

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function whole(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

export class Board {
  readonly calls = new Map<number, BoardCall>();
  readonly agents = new Map<string, BoardAgent>();
  /** Queues by number, with their names. */
  readonly queues = new Map<string, string>();

  /** Everything is told anew. */
  clear(): void {
    this.calls.clear();
    this.agents.clear();
  }

  /** From `getDevices`. */
  takeDevices(answer: Fields): void {
    this.queues.clear();
    for (const number of list(answer['queues'])) this.queues.set(text(number), '');
  }

  /** From `snapshotQueues`: names. */
  takeQueues(answer: Fields): void {
    for (const one of list(answer['queues'])) {
      const { deviceId, name } = fields(one);
      this.queues.set(text(deviceId), text(name));
    }
  }

  /** A page of `snapshotCalls`. */
  takeCalls(answer: Fields): void {
    for (const one of list(answer['calls'])) {
      const call = fields(one);
      const callId = whole(call['callId']);
      this.calls.set(callId, this.callOf(callId, call, whole(call['startedAt'])));
    }
  }

  /** A page of `snapshotAgents`. */
  takeAgents(answer: Fields): void {
    for (const one of list(answer['agents'])) this.agent(fields(one), 0);
  }

  /** One event. @returns false when it changes nothing here. */
  event(e: Fields): boolean {
    const name = text(e['event']);
    const time = whole(e['time']);
    if (name === 'agentLoggedOff') return this.agents.delete(text(e['agentId']));
    if (name.startsWith('agent')) {
      this.agent(e, time);
      return true;
    }
    const callId = whole(e['callId']);
    if (callId === 0) return false;
    if (name === 'callCleared') return this.calls.delete(callId);
    // two calls became one
    const gone = whole(e['secondaryOldCall']);
    if (gone !== callId) this.calls.delete(gone);
    if (!Array.isArray(e['parties'])) return false;
    this.calls.set(callId, this.callOf(callId, e, this.calls.get(callId)?.startedAt ?? time));
    return true;
  }

  private callOf(callId: number, given: Fields, startedAt: number): BoardCall {
    const before = this.calls.get(callId);
    const time = whole(given['time']) || startedAt;
    return {
      callId,
      kind: text(given['kind']) || (before?.kind ?? ''),
      callingDevice: text(given['callingDevice']) || (before?.callingDevice ?? ''),
      calledDevice: text(given['calledDevice']) || (before?.calledDevice ?? ''),
      startedAt,
      // events have parties, snapshots connections
      parties: list(given['parties'] ?? given['connections']).map((one) => {
        const party = fields(one);
        const deviceId = text(party['deviceId'] ?? fields(party['connection'])['deviceId']);
        const state = text(party['state'] ?? party['localState']);
        const known = PARTY_STATES.includes(state) ? (state as PartyState) : 'failed';
        const was = before?.parties.find((p) => p.deviceId === deviceId && p.state === known);
        return { deviceId, state: known, since: whole(party['since']) || (was?.since ?? time) };
      }),
    };
  }

  private agent(given: Fields, time: number): void {
    const agentId = text(given['agentId']);
    if (agentId === '') return;
    this.agents.set(agentId, {
      agentId,
      deviceId: text(given['deviceId']),
      state: text(given['state']),
      reason: text(given['reason']),
      since: whole(given['since']) || time,
      queues: list(given['queues']).map(text),
    });
  }

  /** Queues somebody waits in or somebody serves; all of them when `all`. */
  queueLines(all: boolean): readonly QueueLine[] {
    const lines = new Map<string, { waiting: number; since: number; agents: number[] }>();
    const lineOf = (number: string) => {
      const known = lines.get(number) ?? { waiting: 0, since: 0, agents: [0, 0, 0, 0] };
      lines.set(number, known);
      return known;
    };
    for (const call of this.calls.values()) {
      for (const party of call.parties) {
        if (party.state !== 'queued' || !this.queues.has(party.deviceId)) continue;
        const line = lineOf(party.deviceId);
        line.waiting += 1;
        line.since = line.since === 0 ? party.since : Math.min(line.since, party.since);
      }
    }
    for (const agent of this.agents.values()) {
      const column = AGENT_COLUMNS.indexOf(agent.state as AgentColumn);
      if (column < 0) continue;
      for (const queue of agent.queues) {
        const { agents } = lineOf(queue);
        agents[column] = (agents[column] ?? 0) + 1;
      }
    }
    if (all) for (const number of this.queues.keys()) lineOf(number);
    return [...lines]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([deviceId, { waiting, since, agents }]) => ({
        deviceId,
        name: this.queues.get(deviceId) ?? '',
        waiting,
        longestSince: since,
        agents: {
          ready: agents[0] ?? 0,
          busy: agents[1] ?? 0,
          workingAfterCall: agents[2] ?? 0,
          notReady: agents[3] ?? 0,
        },
      }));
  }

  agentLines(): readonly BoardAgent[] {
    return [...this.agents.values()].sort((a, b) => a.agentId.localeCompare(b.agentId));
  }

  /** Oldest first. */
  callLines(): readonly BoardCall[] {
    return [...this.calls.values()].sort((a, b) => a.startedAt - b.startedAt);
  }
}

/** Seconds as a clock shows them. */
export function clock(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n: number): string => `${n}`.padStart(2, '0');
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}
