/**
 * How a program of the world reaches the pair: a connection to each box at its own address, a session at
 * whichever leads, everything unanswered said again there. Written from the guide alone, so that the
 * product's library is not the only one that works.
 */

import type { BoxId } from '../../src/pair/terms.ts';
import type { Actor, End } from '../history/actor.ts';
import type { Answer, EventView, Params } from '../history/record.ts';
import { LAN_ADDRESS } from './box.ts';
import { CTI_PASSWORD, LIVENESS, WS_PING } from './cti-door.ts';
import type { Dice } from './dice.ts';
import type { Host } from './host.ts';
import type { Queue } from './queue.ts';
import { CTI_PORT, Stream } from './stream.ts';

type Waiting = {
  readonly id: string;
  readonly text: string;
  readonly told: (answer: Answer) => void;
};

type Frame = {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: { readonly role?: string; readonly position?: number } & Params;
  readonly result?: Params;
  readonly error?: { readonly data?: { readonly code?: string } };
};

/** Begins the ids of requests for a session. */
const PROOF = 'session';
/** How long a connection may take, and between two attempts. */
const PATIENCE_MS = 1500;
const AGAIN: readonly [number, number] = [50, 400];

class Way {
  stream: Stream | undefined;
  leads = false;
  heardAt = 0;
  /** A session is being asked for, or had, over it. */
  asked: '' | 'start' | 'resume' = '';
  /** Id of the request that asks; only its answer counts. */
  proof = '';
  attached = false;
}

export class CtiEnd implements End {
  private readonly ways: Record<BoxId, Way> = { a: new Way(), b: new Way() };
  private readonly waiting = new Map<string, Waiting>();
  private session = '';
  private since = 0;
  private next = 1;
  private proofs = 0;
  private readonly queue: Queue;
  private readonly dice: Dice;
  private readonly host: Host;
  private readonly ip: string;
  private readonly actor: Actor;

  constructor(queue: Queue, dice: Dice, host: Host, ip: string, actor: Actor) {
    this.queue = queue;
    this.dice = dice;
    this.host = host;
    this.ip = ip;
    this.actor = actor;
  }

  start(): void {
    this.connect('a');
    this.connect('b');
    this.actor.join(this);
  }

  request(method: string, params: Params, told: (answer: Answer) => void): string {
    const id = `${this.next}`;
    this.next += 1;
    // some programs count, some have names
    const own = this.next % 3 === 0 ? `r${id}` : Number(id);
    const text = JSON.stringify({ jsonrpc: '2.0', id: own, method, params });
    this.waiting.set(`${own}`, { id: `${own}`, text, told });
    for (const box of ['a', 'b'] as const) {
      if (this.ways[box].attached) this.say(box, `${own}`, text);
    }
    return `${own}`;
  }

  private say(box: BoxId, id: string, text: string): void {
    this.ways[box].stream?.send(text);
    this.queue.after(0, () => this.actor.sent(id, box));
  }

  private connect(box: BoxId): void {
    const way = this.ways[box];
    const connection = this.host.tcp.connect(this.ip, LAN_ADDRESS[box], CTI_PORT);
    connection.userTimeout = PATIENCE_MS;
    const stream = new Stream('ws', connection, false);
    way.stream = stream;
    way.heardAt = this.queue.now;
    stream.onText = (text) => {
      way.heardAt = this.queue.now;
      if (text !== WS_PING && way.stream === stream) this.frame(box, JSON.parse(text) as Frame);
    };
    stream.onDown = () => this.down(box, stream);
    this.beat(box, stream);
  }

  private down(box: BoxId, stream: Stream): void {
    const way = this.ways[box];
    if (way.stream !== stream) return;
    this.ways[box] = new Way();
    this.queue.after(this.dice.between(...AGAIN), () => this.connect(box));
  }

  /** Says something so often, and gives up a box that is silent for too long. */
  private beat(box: BoxId, stream: Stream): void {
    this.queue.after(LIVENESS.periodMs, () => {
      const way = this.ways[box];
      if (way.stream !== stream) return;
      if (this.queue.now - way.heardAt > LIVENESS.periodMs * LIVENESS.misses) {
        stream.connection.abort();
        this.down(box, stream);
        return;
      }
      if (stream.up) stream.send(WS_PING);
      this.beat(box, stream);
    });
  }

  private frame(box: BoxId, frame: Frame): void {
    const way = this.ways[box];
    if (frame.method === 'hello' || frame.method === 'systemStatus') {
      way.leads = frame.params?.role === 'primary';
      if (!way.leads) {
        way.attached = false;
        way.asked = '';
      } else if (way.asked === '') this.open(box);
    } else if (frame.method === 'event') {
      // what a box that was left had still to say is in what the other one gives
      if (!way.attached) return;
      const event = frame.params as unknown as EventView;
      this.since = Math.max(this.since, event.id);
      this.actor.hear(event);
    } else if (`${frame.id}`.startsWith(PROOF)) {
      if (frame.id === way.proof) this.opened(box, frame);
    } else if (frame.id !== undefined) this.answered(`${frame.id}`, frame);
  }

  private open(box: BoxId): void {
    const way = this.ways[box];
    const proof = { program: this.actor.name, password: CTI_PASSWORD };
    // the gap begins where we say: nothing more is taken from a box that is left, and what it answers
    // late, when the session is at the other one, is no news
    for (const one of Object.values(this.ways)) Object.assign(one, { attached: false, proof: '' });
    this.ways[box === 'a' ? 'b' : 'a'].asked = '';
    way.asked = this.session === '' ? 'start' : 'resume';
    this.proofs += 1;
    way.proof = `${PROOF}${this.proofs}`;
    const method = `${way.asked}Session`;
    const more = this.session === '' ? {} : { session: this.session, since: this.since };
    const params = { ...proof, ...more };
    way.stream?.send(JSON.stringify({ jsonrpc: '2.0', id: way.proof, method, params }));
  }

  private opened(box: BoxId, { result, error }: Frame): void {
    const way = this.ways[box];
    const { asked } = way;
    way.asked = '';
    way.proof = '';
    if (result === undefined) {
      const code = error?.data?.code;
      if (code === 'unknownSession' || code === 'eventsLost') this.lost();
      if (code === 'notPrimary') way.leads = false;
      // the box that was left for this one may be the one that leads
      for (const one of ['a', 'b'] as const) this.again(one);
      return;
    }
    for (const one of Object.values(this.ways)) one.attached = false;
    way.attached = true;
    way.asked = asked;
    if (asked === 'start') {
      this.session = String(result['session']);
      this.since = Number(result['position']);
    }
    this.actor.sessionIs(this.session, asked === 'start' ? 'started' : 'resumed', this.since);
    for (const { id, text } of this.waiting.values()) this.say(box, id, text);
  }

  /** Asks a box that leads once more, in a moment. */
  private again(box: BoxId): void {
    const way = this.ways[box];
    if (!way.leads) return;
    way.asked = '';
    this.queue.after(this.dice.between(...AGAIN), () => {
      if (this.ways[box] === way && way.leads && way.asked === '') this.open(box);
    });
  }

  private lost(): void {
    this.actor.sessionIs(this.session, 'lost', this.since);
    this.session = '';
    for (const { told } of this.waiting.values()) told({ error: { code: 'sessionLost' } });
    this.waiting.clear();
  }

  private answered(id: string, frame: Frame): void {
    const code = frame.error?.data?.code;
    // the role or the session went while it was on its way: it is said again
    if (code === 'notPrimary' || code === 'unknownSession') return;
    const answer: Answer =
      frame.result === undefined ? { error: frame.error } : { result: frame.result };
    this.actor.heard(id, answer);
    const known = this.waiting.get(id);
    this.waiting.delete(id);
    known?.told(answer);
  }
}
