/**
 * Wakes the other sides of connections that died with the old primary. They have sent nothing that
 * was not acknowledged, so they would notice only when they next say something, or never. A bare
 * segment from our address (`wire/segment.ts`) makes each answer, and our kernel, which knows no such
 * connection, resets it; the phone connects again, and we are ready for it. (CTDB does the same.)
 *
 * Paced, so that what comes back is a stream and not a flood; twice, because segments are not repeated.
 */

import { LIMITS } from '../base/limits.ts';
import type { Peer, Transport } from '../base/peer.ts';
import { bareAck } from '../wire/segment.ts';
import type { Config } from './config.ts';
import { isOsError } from './native/netlite.ts';
import { RawSocket } from './raw.ts';

/** Whole packets are given, header and all; nothing is ever received (raw(7)). */
const IPPROTO_RAW = 255;
const STEP_MS = 20;
/** The second time: after the first one's connections are there. */
const AGAIN_MS = 1500;
const PER_STEP = (LIMITS.ticklesPerSecond * STEP_MS) / 1000;

type Round = { readonly peers: readonly Peer[]; at: number };

export class Tickler {
  private readonly config: Config;
  private readonly mayWake: () => boolean;
  private readonly trouble: (text: string) => void;
  private readonly sockets: { readonly 4?: RawSocket; readonly 6?: RawSocket };
  /** The newest call for each transport: another reign has another list. */
  private timers: NodeJS.Timeout[] = [];

  constructor(config: Config, mayWake: () => boolean, trouble: (text: string) => void) {
    this.config = config;
    this.mayWake = mayWake;
    this.trouble = trouble;
    // now and not when it is needed: what is missing shows at the start
    this.sockets = this.open();
  }

  wake(peers: readonly Peer[]): void {
    for (const timer of this.timers.splice(0)) clearInterval(timer);
    const byTransport = new Map<Transport, Peer[]>();
    for (const peer of peers) {
      const list = byTransport.get(peer.transport);
      if (list === undefined) byTransport.set(peer.transport, [peer]);
      else list.push(peer);
    }
    for (const list of byTransport.values()) {
      this.begin({ peers: list, at: 0 });
      this.timers.push(setTimeout(() => this.begin({ peers: list, at: 0 }), AGAIN_MS));
    }
  }

  private begin(round: Round): void {
    const timer = setInterval(() => this.step(round, timer), STEP_MS);
    this.timers.push(timer);
    this.step(round, timer);
  }

  private step(round: Round, timer: NodeJS.Timeout): void {
    const end = Math.min(round.peers.length, round.at + PER_STEP);
    if (!this.mayWake() || round.at >= end) {
      clearInterval(timer);
      return;
    }
    for (; round.at < end; round.at += 1) this.say(round.peers[round.at] as Peer);
  }

  private say(peer: Peer): void {
    const family = peer.ip.includes(':') ? 6 : 4;
    const socket = this.sockets[family];
    const port = this.portOf(peer.transport);
    if (socket === undefined || port === 0) return;
    for (const ip of this.config.node.pair.vips) {
      // by which of our addresses it came is not known any more
      const packet = bareAck({ ip, port }, peer);
      if (packet !== undefined) socket.send(packet, peer.ip);
    }
  }

  private portOf(transport: Transport): number {
    const { tls, ws, wss } = this.config.streams;
    if (transport === 'tls') return tls?.port ?? 0;
    if (transport === 'ws') return ws?.port ?? 0;
    return transport === 'wss' ? (wss?.port ?? 0) : this.config.sipPort;
  }

  private open(): { readonly 4?: RawSocket; readonly 6?: RawSocket } {
    const { interface: ifname } = this.config.lan;
    const made: { 4?: RawSocket; 6?: RawSocket } = {};
    for (const family of [4, 6] as const) {
      if (!this.config.node.pair.vips.some((ip) => ip.includes(':') === (family === 6))) continue;
      const socket = RawSocket.open({ family, protocol: IPPROTO_RAW, ifname }, [], () => {});
      if (!isOsError(socket)) made[family] = socket;
      else this.trouble(`tickle: no raw socket: ${socket.osError} (${socket.call})`);
    }
    return made;
  }
}
