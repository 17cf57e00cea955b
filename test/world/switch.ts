/**
 * The LAN switch: ports, a MAC table that learns from source addresses, flooding of what it does not
 * know, and the small misbehaviour real LANs show. Frames between two ports keep their order unless
 * the run drew reordering. Whoever wants to watch the wire (oracles, packet capture, hash) taps the
 * *ingress*: what a box said, in the order it said it, whatever the LAN makes of it afterwards.
 */

import type { Dice } from './dice.ts';
import { BROADCAST, type Frame, type Mac } from './ether.ts';
import type { Queue } from './queue.ts';

export type LanFaults = {
  /** Probabilities a delivery. */
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
  /** Latency, ms. */
  readonly latency: readonly [number, number];
};

export type Tap = (port: string, frame: Frame) => void;

type Port = {
  readonly name: string;
  up: boolean;
  readonly deliver: (frame: Frame) => void;
  readonly carrier: (up: boolean) => void;
  /** When the last frame from each port arrives here: order within a pair of ports. */
  readonly arrivals: Map<string, number>;
};

/** An entry of the MAC table is forgotten after this long without a frame from it. */
const MAC_AGE = 300_000;

export class Switch {
  readonly taps: Tap[] = [];
  faults: LanFaults;
  /** Frames this says true to are dropped: an access list, a broken LAN. */
  blocked: (from: string, to: string, frame: Frame) => boolean = () => false;
  /** Ports that carry nothing either way though their carrier stays. */
  readonly mute = new Set<string>();
  /** Ports hidden from each other (private VLAN, a broken trunk); everybody else sees both. */
  readonly hidden = new Set<string>();
  private readonly ports = new Map<string, Port>();
  private readonly table = new Map<Mac, { port: string; at: number }>();
  private readonly queue: Queue;
  private readonly dice: Dice;

  constructor(queue: Queue, dice: Dice, faults: LanFaults) {
    this.queue = queue;
    this.dice = dice;
    this.faults = faults;
  }

  plug(name: string, deliver: (frame: Frame) => void, carrier: (up: boolean) => void): void {
    this.ports.set(name, { name, up: true, deliver, carrier, arrivals: new Map() });
  }

  /** Pulls or plugs the cable of a port; its host sees the carrier, the MAC table forgets it. */
  setPort(name: string, up: boolean): void {
    const port = this.ports.get(name) as Port;
    if (port.up === up) return;
    port.up = up;
    for (const [mac, entry] of this.table) if (entry.port === name) this.table.delete(mac);
    port.carrier(up);
  }

  isUp(name: string): boolean {
    return this.ports.get(name)?.up === true;
  }

  /** What a host at this port says reaches the others. */
  carries(name: string): boolean {
    return this.isUp(name) && !this.mute.has(name);
  }

  /** A frame leaves a host. */
  send(name: string, frame: Frame): void {
    const from = this.ports.get(name) as Port;
    for (const tap of this.taps) tap(name, frame);
    if (!this.carries(name)) return;
    this.table.set(frame.src, { port: name, at: this.queue.now });
    if (frame.dst !== BROADCAST) {
      const known = this.table.get(frame.dst);
      if (known !== undefined && this.queue.now - known.at < MAC_AGE) {
        if (known.port !== name) this.carry(from, this.ports.get(known.port) as Port, frame);
        return;
      }
    }
    for (const port of this.ports.values()) if (port !== from) this.carry(from, port, frame);
  }

  private carry(from: Port, to: Port, frame: Frame): void {
    if (!this.carries(to.name) || this.blocked(from.name, to.name, frame)) return;
    if (this.hidden.has(from.name) && this.hidden.has(to.name)) return;
    const { loss, duplicate, reorder, latency } = this.faults;
    if (this.dice.odds(loss)) return;
    let at = this.queue.now + this.dice.between(latency[0], latency[1]);
    if (this.dice.odds(reorder)) at += this.dice.between(0, 8);
    else {
      at = Math.max(at, (to.arrivals.get(from.name) ?? 0) + 0.001);
      to.arrivals.set(from.name, at);
    }
    const arrive = (): void => {
      if (this.carries(to.name)) to.deliver(frame);
    };
    this.queue.at(at, arrive);
    if (this.dice.odds(duplicate)) this.queue.at(at + this.dice.between(0, 4), arrive);
  }
}
