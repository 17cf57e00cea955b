/**
 * One cell while it is played: three phones on the LAN of a shared world, a script that is a
 * generator, and what went wrong. A script yields what it waits for; the play asks after every few
 * milliseconds of virtual time.
 */

import type { Transport } from '../../src/base/peer.ts';
import type { Dice } from '../world/dice.ts';
import { Host } from '../world/host.ts';
import type { World } from '../world/world.ts';
import { Hand, type Stage } from './hand.ts';

export type Wait = { readonly what: string; readonly until: () => boolean; readonly ms: number };
export type Script = Generator<Wait, void, void>;

export type Trouble = { readonly at: number; readonly what: string; readonly text: string };

/** Addresses of the phones begin so. */
export const PHONES = '198.18.';

/** What takes longer than this has gone wrong. */
const PATIENCE = 40_000;

export class Scene {
  readonly name: string;
  readonly world: World;
  readonly dice: Dice;
  /** Caller, callee, and whoever else takes part: transfer target, watcher. */
  readonly a: Hand;
  readonly b: Hand;
  private readonly third: Hand | undefined;
  readonly troubles: Trouble[] = [];
  /** When the fault happens, and when the last act before it is done. */
  readonly faultAt: number;
  readonly intoAt: number;
  /** That act was done, and when. */
  enteredAt = 0;
  done = false;
  readonly stage: Stage;

  constructor(
    world: World,
    dice: Dice,
    name: string,
    transport: Transport,
    place: number,
    moments: { readonly faultAt: number; readonly intoAt: number },
    three = false,
  ) {
    this.name = name;
    this.world = world;
    this.dice = dice;
    this.faultAt = moments.faultAt;
    this.intoAt = moments.intoAt;
    this.stage = {
      queue: world.queue,
      dice,
      bodies: new Set(),
      over: false,
      trouble: (what, text) => this.trouble(what, text),
    };
    const hand = (role: string, i: number): Hand => {
      const n = place * 3 + i;
      const ip = `${PHONES}${Math.floor(n / 200)}.${1 + (n % 200)}`;
      const mac = `02:53:50:01:${byte(n >> 8)}:${byte(n & 255)}`;
      // its port is named as its address: see `suppressArp`
      const host = new Host(world.queue, world.lan, ip, mac, ip);
      host.reachable = dice.between(60_000, 120_000);
      world.hosts.push(host);
      return new Hand(this.stage, host, role, String(1000 + n), ip, transport);
    };
    this.a = hand('caller', 0);
    this.b = hand('callee', 1);
    this.third = three ? hand('third', 2) : undefined;
  }

  get now(): number {
    return this.world.now;
  }

  get c(): Hand {
    if (this.third === undefined) throw new Error('the state does not say that it has three');
    return this.third;
  }

  get hands(): readonly Hand[] {
    return this.third === undefined ? [this.a, this.b] : [this.a, this.b, this.third];
  }

  trouble(what: string, text: string): void {
    this.troubles.push({ at: this.now, what, text });
  }

  /** Waits until something holds; that it does not in time is what the cell fails by. */
  *until(what: string, until: () => boolean, ms = PATIENCE): Script {
    yield { what, until, ms };
  }

  *pause(ms: number): Script {
    const end = this.now + ms;
    yield { what: 'time', until: () => this.now >= end, ms: ms + 1000 };
  }

  /** Says it when a moment is not where it belongs. */
  expect(ok: boolean, what: string): void {
    if (!ok) this.trouble(what, '');
  }

  /** What was seen and said, in order. */
  tale(): string[] {
    return this.hands
      .flatMap((hand) => hand.history)
      .sort((x, y) => x.at - y.at)
      .map((h) => `${(h.at - this.faultAt).toFixed(3).padStart(11)} ${h.text}`);
  }
}

function byte(n: number): string {
  return (n + 256).toString(16).slice(1);
}
