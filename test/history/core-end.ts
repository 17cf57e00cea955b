/**
 * A program's way to the pair by the product's own library: its core, without its shell, so that every
 * frame can be written down on its way. The simulated world and the lab give it sockets and a clock.
 */

import { Core, type CoreEffect } from '../../src/client/core.ts';
import type { Actor, End } from './actor.ts';
import type { Alarm, Clock } from './clock.ts';
import type { Answer, EventView, Params } from './record.ts';

export type Socket = { send(text: string): void; close(): void };
export type SocketEars = {
  readonly open: () => void;
  readonly text: (text: string) => void;
  readonly closed: (code: number) => void;
};
/** @returns a connection to the first or the second box; its ears are called later. */
export type Connect = (box: number, ears: SocketEars) => Socket;

const NAMES = ['a', 'b'];

type Frame = {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly id?: number; readonly since?: number };
  readonly result?: unknown;
  readonly error?: { readonly data?: { readonly code?: string } };
};

export class CoreEnd implements End {
  readonly core: Core;
  private readonly actor: Actor;
  private readonly clock: Clock;
  private readonly connect: Connect;
  private readonly sockets: (Socket | undefined)[] = [];
  private readonly told = new Map<number, (answer: Answer) => void>();
  private session = '';
  private alarm: Alarm | undefined;
  /** The event after which it asked to go on. */
  private since = 0;

  constructor(
    actor: Actor,
    clock: Clock,
    connect: Connect,
    proof: { readonly program: string; readonly password: string },
  ) {
    this.actor = actor;
    this.clock = clock;
    this.connect = connect;
    this.core = new Core({ boxes: NAMES.length, ...proof }, clock.now);
  }

  start(): void {
    this.actor.join(this);
    this.perform();
  }

  stop(): void {
    this.core.close();
    this.perform();
    if (this.alarm !== undefined) this.alarm.dead = true;
  }

  request(method: string, params: Params, told: (answer: Answer) => void): string {
    const call = this.core.call(method, params);
    this.told.set(call, told);
    // what is said is written down after what was wanted
    this.clock.after(0, () => this.perform());
    return `${call}`;
  }

  private perform(): void {
    const { out } = this.core;
    for (let effect = out.shift(); effect !== undefined; effect = out.shift()) this.do(effect);
    if (this.alarm !== undefined) this.alarm.dead = true;
    const wait = Math.max(1, Math.min(this.core.deadline() - this.clock.now, 60_000));
    this.alarm = this.clock.after(wait, () => {
      this.core.tick(this.clock.now);
      this.perform();
    });
  }

  private do(effect: CoreEffect): void {
    switch (effect.kind) {
      case 'connect':
        this.open(effect.box);
        return;
      case 'send':
        this.say(effect.box, effect.text);
        return;
      case 'close': {
        const socket = this.sockets[effect.box];
        this.sockets[effect.box] = undefined;
        socket?.close();
        return;
      }
      case 'result':
        this.answer(effect.call, { result: effect.result });
        return;
      case 'fault': {
        const { fault } = effect;
        // as the box said it, so that both can be compared
        this.answer(effect.call, { error: fault.data ?? fault });
        return;
      }
      case 'event':
        this.actor.hear(effect.event as unknown as EventView);
        return;
      case 'serving': {
        const how = this.core.session === this.session ? 'resumed' : 'started';
        this.session = this.core.session;
        this.actor.sessionIs(this.session, how, this.core.since);
        return;
      }
      case 'afresh':
      case 'eventsLost':
      case 'over':
        this.actor.sessionIs(this.session, 'lost', this.core.since);
        this.session = '';
        return;
      case 'status':
        return;
    }
  }

  private answer(call: number, answer: Answer): void {
    const told = this.told.get(call);
    this.told.delete(call);
    told?.(answer);
  }

  private say(box: number, text: string): void {
    const { id, method, params } = JSON.parse(text) as Frame;
    if (method === 'resumeSession') this.since = params?.since ?? 0;
    if (typeof id === 'number' && this.told.has(id)) {
      this.actor.sent(`${id}`, NAMES[box] ?? '');
    }
    this.sockets[box]?.send(text);
  }

  private open(box: number): void {
    const mine = (then: () => void): void => {
      // an old connection says nothing of the new one
      if (this.sockets[box] !== socket) return;
      then();
      this.perform();
    };
    const socket: Socket = this.connect(box, {
      open: () => mine(() => this.core.opened(box, this.clock.now)),
      text: (text) => mine(() => this.frame(box, text)),
      closed: (code) =>
        mine(() => {
          this.sockets[box] = undefined;
          this.core.closed(box, code, this.clock.now);
        }),
    });
    this.sockets[box] = socket;
  }

  private frame(box: number, text: string): void {
    const frame = JSON.parse(text) as Frame;
    const { id, error } = frame;
    const code = error?.data?.code;
    const done = code !== 'notPrimary' && code !== 'unknownSession';
    if (frame.method === undefined && typeof id === 'number' && done && this.told.has(id)) {
      const answer =
        error === undefined ? { result: frame.result } : { error: error.data ?? error };
      this.actor.heard(`${id}`, answer);
    }
    const serves = this.core.serving === box;
    this.core.frame(box, text, this.clock.now);
    if (frame.method !== 'event' || !serves) return;
    const { out } = this.core;
    const given = out.some((effect) => effect.kind === 'event');
    // the box that was left may have told the beginning of the gap while the other one was asked
    const event = frame.params?.id ?? 0;
    if (!given && event <= this.since) this.actor.dropped(event);
  }
}
