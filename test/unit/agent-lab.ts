/**
 * A simulated pair with agents: phones 1001 to 1009 are registered, agents a1 to a9 are theirs. A call
 * to 700N is a business call to 100N: a routing point that nobody is registered for, and by default it
 * leads to the phone at once. A call to 100N is nobody's business.
 */

import type { JsonObject } from '../../src/base/json.ts';
import type { SetAgentState } from '../../src/call/agent/commands.ts';
import { setAgentState } from '../../src/call/agent/commands.ts';
import { AGENT, type Agent } from '../../src/call/agent/rows.ts';
import { publish } from '../../src/call/csta/publish.ts';
import type { Refusal } from '../../src/call/csta/refusal.ts';
import { MONITOR } from '../../src/call/csta/rows.ts';
import { watched } from '../../src/call/events/watch.ts';
import { type AgentLogin, PLAIN_CENTRE, type RoutingPoint } from '../../src/proto/centre.ts';
import type { Context, SipSettings } from '../../src/proto/context.ts';
import { PLAIN_SITE } from '../../src/proto/site.ts';
import type { SipMessage } from '../../src/sip-parser/index.ts';
import { Lab, Peer, SDP } from './call-lab.ts';

const NO_ANSWER = { afterS: 0, overflow: [], action: 'none' } as const;

const POINT: RoutingPoint = {
  number: '',
  timeoutS: 10,
  defaults: [],
  hopLimit: 4,
  charge: 'answered',
  treatment: '',
  noAnswer: NO_ANSWER,
};

export const LOGIN: AgentLogin = {
  id: '',
  password: '',
  queues: ['6000'],
  wrapUpS: 0,
  noAnswer: NO_ANSWER,
  autoLogoutS: 0,
  legalGuardS: 0,
  record: false,
};

const QUEUE = {
  charge: 'answered',
  treatment: '',
  maxCalls: 0,
  maxWaitS: 0,
  overflow: [],
  noAnswer: NO_ANSWER,
} as const;

export type Option = {
  readonly strict?: 'no' | 'yes' | 'password';
  readonly login?: Partial<AgentLogin>;
  readonly settings?: Partial<SipSettings>;
};

const NINE = [1, 2, 3, 4, 5, 6, 7, 8, 9];

export class AgentLab extends Lab {
  readonly phones: readonly Peer[];
  private calls = 0;

  constructor({ strict = 'yes', login = {}, settings = {} }: Option = {}) {
    const agents = NINE.map((n) => [`a${n}`, { ...LOGIN, id: `a${n}`, ...login }] as const);
    const points = [0, ...NINE].map(
      (n) => [`700${n}`, { ...POINT, number: `700${n}`, defaults: [`100${n}`] }] as const,
    );
    super({
      site: {
        ...PLAIN_SITE,
        centre: {
          ...PLAIN_CENTRE,
          strict,
          agents: Object.fromEntries(agents),
          points: Object.fromEntries(points),
          queues: {
            6000: { number: '6000', name: 'Sales', ...QUEUE },
            6001: { number: '6001', name: 'Help', ...QUEUE },
          },
        },
      },
      ...settings,
    });
    this.phones = NINE.map((n) => new Peer(this, `100${n}`, `192.0.2.${100 + n}`));
    for (const phone of this.phones) this.register(phone);
    // events of all devices and calls are to be seen
    this.store.insert(MONITOR, { session: 1, kind: 'all', subject: '*' });
  }

  phone(n: number): Peer {
    return this.phones[n - 1] as Peer;
  }

  /** A command in a turn of its own, as the engine does it. */
  turn<T>(command: (cx: Context) => T): T {
    this.cx.now = this.now;
    const cx = watched(this.cx);
    const result = command(cx);
    publish(cx);
    return result;
  }

  set(n: number, requestedState: SetAgentState['requestedState'], more: object = {}): string {
    const on = requestedState === 'loggedOn' ? { device: `100${n}` } : {};
    const p = { agentId: `a${n}`, requestedState, ...on, ...more };
    return word(this.turn((cx) => setAgentState(cx, p)));
  }

  agent(n: number): Agent | undefined {
    return this.store.find(AGENT, 'agent', `a${n}`);
  }

  state(n: number): string {
    return this.agent(n)?.state ?? 'off';
  }

  /** Events programs were told since the last look: name and what `show` makes of each. */
  events(show: (body: JsonObject) => unknown = () => ''): string[] {
    const all = this.programs.map((text) => text.split('\n'));
    this.programs = [];
    return all.flatMap(([head, body]) => {
      const { kind, event } = JSON.parse(head as string);
      if (kind !== 'event') return [];
      const more = show(JSON.parse(body as string));
      return [more === '' || more === undefined ? event : `${event} ${more}`];
    });
  }

  /** Events of agents alone. */
  agentEvents(show: (body: JsonObject) => unknown = () => ''): string[] {
    return this.events(show).filter((e) => e.startsWith('agent'));
  }

  /** Rings `number` from phone `from`; the call is at phone `to`. */
  ring(from: number, number: string, to: number): PhoneCall {
    this.calls += 1;
    return new PhoneCall(this.phone(from), this.phone(to), number, this.calls);
  }

  /** The same, and it is answered. */
  call(from: number, number: string, to: number): PhoneCall {
    const call = this.ring(from, number, to);
    call.answer();
    return call;
  }
}

/** Outcome of a command in a word. */
export function word(result: JsonObject | Refusal): string {
  if ('refused' in result) return String(result['refused']);
  const { agent } = result as { agent?: JsonObject };
  return agent === undefined ? 'done' : String(agent['state']);
}

/** One call between two phones. */
export class PhoneCall {
  readonly from: Peer;
  readonly to: Peer;
  private readonly invite: string;
  private readonly toCallee: SipMessage;
  private readonly tag: string;
  private readonly callId: string;
  private ok: SipMessage | undefined;

  constructor(from: Peer, to: Peer, number: string, n: number) {
    this.from = from;
    this.to = to;
    this.tag = `to${n}`;
    this.callId = `call${n}@lab`;
    this.invite = from.request('INVITE', `sip:${number}@192.0.2.10`, {
      callId: this.callId,
      fromTag: `from${n}`,
      body: SDP(from.user),
    });
    from.send(this.invite);
    this.toCallee = to.inbox().find((m) => m.isRequest && m.method === 'INVITE') as SipMessage;
    to.reply(this.toCallee, 180, this.tag);
    from.inbox();
  }

  answer(): void {
    this.to.reply(this.toCallee, 200, this.tag, SDP(this.to.user));
    this.ok = this.from.inbox().find((m) => m.status === 200);
    if (this.ok === undefined) throw new Error('no answer arrived');
    this.from.ack(this.invite, this.ok);
    this.to.inbox();
  }

  refuse(status: number): void {
    this.to.reply(this.toCallee, status, this.tag);
    this.to.inbox();
    const no = this.from.inbox().find((m) => m.status >= 300);
    if (no !== undefined) this.from.ack(this.invite, no);
  }

  /** The caller hangs up, or withdraws. */
  end(): void {
    const { from, to, invite, ok, tag } = this;
    if (ok === undefined) {
      from.cancel(invite);
      const cancel = to.inbox().find((m) => m.method === 'CANCEL') as SipMessage;
      to.reply(cancel, 200, tag);
      this.refuse(487);
      return;
    }
    from.send(from.inDialog('BYE', invite, ok));
    for (const m of to.inbox()) if (m.method === 'BYE') to.reply(m, 200, tag);
    from.inbox();
  }
}
