/**
 * The gateway of the LAN: a host that answers ARP for its own address, which is what a pair uses it
 * for as a witness. It can be off. It speaks to nobody by itself; for the VIP it knows whoever it
 * heard last, as the hosts do.
 */

import { Host } from './host.ts';
import type { Queue } from './queue.ts';
import type { Switch } from './switch.ts';

export const GATEWAY = '192.0.2.1';
const GATEWAY_MAC = '02:53:50:00:00:01';

export class Gateway extends Host {
  on = true;

  constructor(queue: Queue, lan: Switch) {
    super(queue, lan, 'gateway', GATEWAY_MAC, GATEWAY);
  }

  turn(on: boolean): void {
    this.on = on;
    if (!on) this.forget();
  }

  protected override alive(): boolean {
    return this.on;
  }
}
