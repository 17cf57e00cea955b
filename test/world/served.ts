/**
 * What of a world counts as served, as a caller would say: there is a primary that has the VIP and a
 * valid lease, its engine runs, the LAN reaches it, and whoever knows a MAC for the VIP knows its own.
 */

import { BOX_MAC, type Box, VIP } from './box.ts';
import type { World } from './world.ts';

export function serves(world: World, box: Box): boolean {
  const { process, kernel } = box;
  if (process === undefined || process.frozen || process.stuck || !kernel.hasVip) return false;
  if (box.state !== 'primary' || box.leaseEnd() <= world.now) return false;
  if (!world.lan.carries(box.id)) return false;
  for (const host of world.hosts) {
    const mac = host.macOf(VIP);
    if (mac !== undefined && mac !== BOX_MAC[box.id]) return false;
  }
  return true;
}

/** @returns the box that serves now, undefined when none does, or two would. */
export function server(world: World): Box | undefined {
  const { a, b } = world.boxes;
  const both = [a, b].filter((box) => serves(world, box));
  return both.length === 1 ? both[0] : undefined;
}

/** Watches for how long nobody serves. Looked at after every event. */
export class Outage {
  /** The longest time without service since `begin`. */
  longest = 0;
  private since: number | undefined;
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  /** What was before does not count. */
  begin(): void {
    this.longest = 0;
    this.since = undefined;
    this.look();
  }

  look(): void {
    if (server(this.world) !== undefined) {
      this.since = undefined;
      return;
    }
    this.since ??= this.world.now;
    this.longest = Math.max(this.longest, this.world.now - this.since);
  }
}
