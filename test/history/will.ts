/**
 * What a program wants next, drawn from dice and from what it has been told: the same will drives the
 * programs of the simulated world and those of the lab. It asks for what makes sense most of the time,
 * and for nonsense now and then: a refusal is an answer too.
 */

import type { Dice } from '../world/dice.ts';
import { type CallModel, Calls, type Connection } from './model-calls.ts';
import type { EventView, Params } from './record.ts';

export type Wish = { readonly method: string; readonly params: Params };

/** What a program does with its day. */
export type Duty = {
  /** Devices it cares for, each with its agent. */
  readonly devices: readonly string[];
  /** Whom its devices call besides each other. */
  readonly others: readonly string[];
  readonly queues: readonly string[];
  readonly points: readonly string[];
  /** It routes the calls of the points. */
  readonly routes: boolean;
  /** Services the product does not have (yet) are not asked for. */
  readonly leaveOut: ReadonlySet<string>;
};

type Draw = (will: Will) => Wish | undefined;

/** Calls a program keeps up at once: more would only be more of the same. */
const CALLS = 6;
const PASSWORD = 'pw-';

const WISHES: readonly (readonly [number, Draw])[] = [
  [6, (w) => w.make()],
  [6, (w) => w.on('alerting', 'answerCall')],
  [3, (w) => w.on('connected', 'holdCall')],
  [5, (w) => w.on('hold', 'retrieveCall')],
  [4, (w) => w.on('connected', 'clearConnection')],
  [1, (w) => w.on('alerting', 'clearConnection')],
  [2, (w) => w.consult()],
  [4, (w) => w.two('transferCall')],
  [2, (w) => w.two('conferenceCall')],
  [2, (w) => w.two('alternateCall')],
  [2, (w) => w.two('reconnectCall')],
  [2, (w) => w.away('connected', 'singleStepTransferCall', 'transferredTo', 'activeCall')],
  [2, (w) => w.away('alerting', 'deflectCall', 'newDestination')],
  [1, (w) => w.on('connected', 'parkCall')],
  [1, (w) => w.pickUp()],
  [3, (w) => w.data()],
  [8, (w) => w.agent()],
  [1, (w) => w.feature()],
  [2, (w) => w.look()],
  [1, (w) => w.nonsense()],
];
const WEIGHT = WISHES.reduce((sum, [weight]) => sum + weight, 0);

export class Will {
  private readonly dice: Dice;
  private readonly duty: Duty;
  private readonly calls = new Calls();
  private readonly agents = new Map<string, string>();
  private readonly routes: number[] = [];
  private attached = 0;

  constructor(dice: Dice, duty: Duty) {
    this.dice = dice;
    this.duty = duty;
  }

  /** The first things a program does: it watches what it cares for. */
  beginning(): Wish[] {
    const { devices, queues, points, routes } = this.duty;
    const watched = [...devices, ...queues, ...points].map((deviceId) => ({
      method: 'monitorStart',
      params: { deviceId },
    }));
    if (!routes) return watched;
    return [
      ...watched,
      ...points.map((deviceId) => ({ method: 'routeRegister', params: { deviceId } })),
    ];
  }

  hear(event: EventView): void {
    this.calls.take(event);
    this.prune(event.callId ?? 0);
    this.prune(Number(event['secondaryOldCall'] ?? 0));
    const agentId = event['agentId'];
    if (event.event.startsWith('agent') && typeof agentId === 'string') {
      this.agents.set(agentId, event.event);
    }
    const routeId = event['routeId'];
    if (event.event === 'routeRequest' && typeof routeId === 'number') this.routes.push(routeId);
  }

  /** Of calls that none of its devices is in it hears no more. */
  private prune(callId: number): void {
    const call = this.calls.calls.get(callId);
    if (call?.connections.some((at) => this.duty.devices.includes(at.deviceId))) return;
    this.calls.calls.delete(callId);
  }

  /** The session began anew: what was known is no more. */
  forget(): void {
    this.calls.calls.clear();
    this.agents.clear();
    this.routes.length = 0;
  }

  /** @returns what it wants now; undefined: nothing. */
  next(): Wish | undefined {
    const wish = this.route() ?? this.drawn();
    return wish === undefined || this.duty.leaveOut.has(wish.method) ? undefined : wish;
  }

  private drawn(): Wish | undefined {
    let x = this.dice.between(0, WEIGHT);
    for (const [weight, draw] of WISHES) {
      x -= weight;
      if (x < 0) return draw(this);
    }
    return undefined;
  }

  // ── what it knows ────────────────────────────────────────────────────────────────────────────

  private own(state: string): { call: CallModel; at: Connection }[] {
    const found: { call: CallModel; at: Connection }[] = [];
    for (const call of this.calls.calls.values()) {
      for (const at of call.connections) {
        if (at.state === state && this.duty.devices.includes(at.deviceId)) found.push({ call, at });
      }
    }
    return found;
  }

  private idle(): string[] {
    const busy = new Set<string>();
    for (const call of this.calls.calls.values()) {
      for (const at of call.connections) busy.add(at.deviceId);
    }
    return this.duty.devices.filter((device) => !busy.has(device));
  }

  /** A number to call or to send somebody to; not the device itself: its connections have one name. */
  private somebody(besides: unknown): string {
    const { devices, others, queues, points } = this.duty;
    const all = [devices, devices, others, queues, points].filter((list) => list.length > 0);
    for (;;) {
      const number = this.dice.pick(this.dice.pick(all));
      if (number !== besides) return number;
    }
  }

  // ── wishes ───────────────────────────────────────────────────────────────────────────────────

  make(): Wish | undefined {
    const idle = this.idle();
    if (idle.length === 0 || this.calls.calls.size >= CALLS) return undefined;
    const callingDevice = this.dice.pick(idle);
    const params = { callingDevice, calledNumber: this.somebody(callingDevice) };
    return { method: 'makeCall', params };
  }

  on(state: string, method: string): Wish | undefined {
    const found = this.own(state);
    if (found.length === 0) return undefined;
    const { call, at } = this.dice.pick(found);
    return { method, params: { connection: { callId: call.callId, deviceId: at.deviceId } } };
  }

  consult(): Wish | undefined {
    const wish = this.on('connected', 'consultationCall');
    if (wish === undefined) return undefined;
    const { connection: existingCall } = wish.params;
    const consultedDevice = this.somebody(deviceIn(wish));
    return { ...wish, params: { existingCall, consultedDevice } };
  }

  away(state: string, method: string, field: string, which = 'connection'): Wish | undefined {
    const wish = this.on(state, method);
    if (wish === undefined) return undefined;
    const { connection } = wish.params;
    return { ...wish, params: { [which]: connection, [field]: this.somebody(deviceIn(wish)) } };
  }

  /** Somebody idle takes a call that rings or waits elsewhere. */
  pickUp(): Wish | undefined {
    const idle = this.idle();
    if (idle.length === 0) return undefined;
    const ringing = [...this.calls.calls.values()].flatMap((call) =>
      call.connections
        .filter((at) => at.state === 'alerting' || at.state === 'queued')
        .map((at) => ({ callId: call.callId, deviceId: at.deviceId })),
    );
    if (ringing.length === 0) return undefined;
    const params = { callToBePickedUp: this.dice.pick(ringing), newDevice: this.dice.pick(idle) };
    return { method: 'directedPickupCall', params };
  }

  two(method: string): Wish | undefined {
    for (const held of this.own('hold')) {
      const { deviceId } = held.at;
      const active = this.own('connected').find((a) => a.at.deviceId === deviceId);
      if (active === undefined) continue;
      return {
        method,
        params: {
          heldCall: { callId: held.call.callId, deviceId },
          activeCall: { callId: active.call.callId, deviceId },
        },
      };
    }
    return undefined;
  }

  data(): Wish | undefined {
    const calls = [...this.calls.calls.values()];
    if (calls.length === 0) return undefined;
    this.attached += 1;
    // a value nobody had: each of these is news
    const attach = { [`key${this.dice.whole(1, 3)}`]: `v${this.attached} ${this.dice.u32()}` };
    return { method: 'associateData', params: { callId: this.dice.pick(calls).callId, attach } };
  }

  agent(): Wish | undefined {
    const { devices } = this.duty;
    if (devices.length === 0) return undefined;
    const deviceId = this.dice.pick(devices);
    const agentId = `agent${deviceId}`;
    const now = this.agents.get(agentId) ?? 'agentLoggedOff';
    if (now === 'agentLoggedOff') {
      const more = { agentId, password: `${PASSWORD}${deviceId}` };
      return this.agentTo(deviceId, 'loggedOn', more);
    }
    const states = ['ready', 'ready', 'ready', 'notReady', 'workingAfterCall', 'loggedOff'];
    const state = this.dice.pick(states);
    const more = state === 'notReady' ? { reason: this.dice.pick(['lunch', 'coffee']) } : {};
    return this.agentTo(deviceId, state, { agentId, ...more });
  }

  private agentTo(deviceId: string, requestedAgentState: string, more: Params): Wish {
    return { method: 'setAgentState', params: { deviceId, requestedAgentState, ...more } };
  }

  feature(): Wish | undefined {
    const { devices } = this.duty;
    if (devices.length === 0) return undefined;
    const deviceId = this.dice.pick(devices);
    return this.dice.pick<Wish>([
      {
        method: 'setDoNotDisturb',
        params: { deviceId, doNotDisturbOn: this.dice.odds(0.3) },
      },
      {
        method: 'setForwarding',
        params: {
          deviceId,
          forwardingType: 'forwardNoAns',
          ...(this.dice.odds(0.3)
            ? { activateForward: true, forwardDN: this.dice.pick(devices), ringDuration: 2 }
            : { activateForward: false }),
        },
      },
      { method: 'setMessageWaiting', params: { deviceId, messageWaitingOn: this.dice.odds(0.5) } },
    ]);
  }

  look(): Wish | undefined {
    const { devices } = this.duty;
    if (devices.length === 0) return undefined;
    const deviceId = this.dice.pick(devices);
    return this.dice.pick<Wish>([
      { method: 'snapshotDevice', params: { deviceId } },
      { method: 'getAgentState', params: { deviceId } },
      { method: 'getDevices', params: {} },
    ]);
  }

  nonsense(): Wish | undefined {
    const deviceId = this.dice.pick(this.duty.devices);
    const connection = { callId: this.dice.whole(1, 50), deviceId };
    return this.dice.pick<Wish>([
      { method: 'answerCall', params: { connection } },
      { method: 'holdCall', params: { connection } },
      { method: 'clearConnection', params: { connection: { callId: 999_999, deviceId } } },
      { method: 'makeCall', params: { callingDevice: deviceId, calledNumber: '4999' } },
      { method: 'monitorStop', params: { monitor: 999_999 } },
    ]);
  }

  /** A router answers before anything else. */
  private route(): Wish | undefined {
    const routeId = this.routes.shift();
    if (routeId === undefined) return undefined;
    const x = this.dice.between(0, 10);
    if (x < 7) {
      const { queues, devices } = this.duty;
      const to = queues.length > 0 && this.dice.odds(0.6) ? queues : devices;
      return { method: 'routeSelect', params: { routeId, destination: this.dice.pick(to) } };
    }
    if (x < 8) return { method: 'routeReject', params: { routeId, cause: 'busy' } };
    return { method: 'routeEnd', params: { routeId } };
  }
}

function deviceIn({ params }: Wish): unknown {
  return (params['connection'] as { readonly deviceId?: string } | undefined)?.deviceId;
}
