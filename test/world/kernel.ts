/**
 * The kernel of a box: a host with a service address that comes and goes. The VIP lies on a device
 * the process holds, with a lifetime: it is gone in the instant the process dies, and by itself when
 * nobody renews it (a frozen process; Linux notices up to a second late). While it is there the
 * kernel answers ARP for it, whatever the process does. It outlives no power cut.
 */

import type { Dice } from './dice.ts';
import type { Mac } from './ether.ts';
import { Host } from './host.ts';
import type { Queue, Timer } from './queue.ts';
import type { Switch } from './switch.ts';

export class Kernel extends Host {
  powered = false;
  readonly vip: string;
  readonly lanIp: string;
  onCarrier: (up: boolean) => void = () => {};
  private expiry: Timer | undefined;
  private readonly dice: Dice;

  constructor(
    queue: Queue,
    dice: Dice,
    lan: Switch,
    spec: { readonly name: string; readonly mac: Mac; readonly ip: string; readonly vip: string },
  ) {
    super(queue, lan, spec.name, spec.mac, spec.ip);
    this.dice = dice;
    this.vip = spec.vip;
    this.lanIp = spec.ip;
  }

  get hasVip(): boolean {
    return this.addresses.has(this.vip);
  }

  /** Adds the address or renews it; the lifetime starts anew. */
  holdVip(lifetimeMs: number): void {
    this.addresses.add(this.vip);
    if (this.expiry !== undefined) this.expiry.dead = true;
    const late = this.dice.between(0, 1000);
    this.expiry = this.queue.after(lifetimeMs + late, () => this.dropVip());
  }

  /**
   * With the address go the datagrams that wait for a neighbour's MAC. (Linux would still send up
   * to three of them when the neighbour answers, a second later perhaps: old truths that a phone
   * takes for repetitions, but they would blur what the oracles can tell of a box.)
   */
  dropVip(): void {
    this.addresses.delete(this.vip);
    this.discard(this.vip);
    if (this.expiry !== undefined) this.expiry.dead = true;
    this.expiry = undefined;
  }

  /** A timer of the process, which the kernel keeps. */
  queueAfter(ms: number, run: () => void): void {
    this.queue.after(ms, run);
  }

  /** A frame from a raw socket, as it is. */
  raw(bytes: Uint8Array, dst: Mac, src: Mac): void {
    if (this.powered) this.lan.send(this.name, { kind: 'arp', src, dst, bytes });
  }

  powerOn(): void {
    this.powered = true;
    this.forget();
  }

  powerOff(): void {
    this.powered = false;
    this.dropVip();
    this.tcp.forget();
  }

  protected override alive(): boolean {
    return this.powered;
  }

  protected override carrier(up: boolean): void {
    if (this.powered) this.onCarrier(up);
  }
}
