/**
 * Homer: a copy of every SIP message by HEP3 over UDP. Nothing waits for it: what the kernel does not take
 * at once is dropped and counted, and for a moment no more is tried. An unreachable collector does no harm.
 * What TLS hides on the network stands open in these copies: the way to the collector should be trusted.
 */

import type { Peer } from '../base/peer.ts';
import type { Mono } from '../base/units.ts';
import { hepPacket } from '../wire/hep.ts';
import { mono } from './clock.ts';
import type { HepConfig } from './config-hep.ts';
import { isOsError } from './native/netlite.ts';
import { UdpSocket } from './udp.ts';

/** After the kernel had no room, for so long nothing is tried. */
const REST_MS = 100;
/** Trouble is told this often. */
const TELL_MS = 60_000;

export class HepSender {
  private readonly config: HepConfig;
  private readonly socket: UdpSocket | undefined;
  private readonly warn: (text: string) => void;
  /** Not by the moments of the messages: their clock may be set back. */
  private restUntil: Mono = Number.NEGATIVE_INFINITY;
  private toldAt = Number.NEGATIVE_INFINITY;
  private unsent = 0;
  private lostBefore = 0;

  constructor(config: HepConfig, warn: (text: string) => void) {
    this.config = config;
    this.warn = warn;
    const six = config.address.includes(':');
    const socket = UdpSocket.open({
      ip: six ? '::' : '0.0.0.0',
      port: 0,
      slots: 32,
      bufferBytes: 1 << 20,
    });
    if (isOsError(socket)) {
      warn(`hep: no socket for the copies to Homer: ${socket.osError} (${socket.call})`);
      return;
    }
    this.socket = socket;
  }

  get counters(): { readonly hepSent: number; readonly hepDropped: number } {
    const sent = this.socket?.counters.sent ?? 0;
    return { hepSent: sent, hepDropped: this.unsent + this.lost() };
  }

  /** Taken by us and not by the kernel. */
  private lost(): number {
    const { refused, dropped } = this.socket?.counters ?? { refused: 0, dropped: 0 };
    return refused + dropped;
  }

  /** `here`: our side, `address:port`. */
  queue(
    direction: 'in' | 'out',
    peer: Peer,
    here: string,
    atUs: number,
    correlation: string,
    text: string,
  ): void {
    const { socket, config } = this;
    if (socket === undefined || mono() < this.restUntil) {
      this.unsent += 1;
      return;
    }
    const colon = here.lastIndexOf(':');
    const [ip, port] = [here.slice(0, colon).replace(/[[\]]/g, ''), Number(here.slice(colon + 1))];
    const [source, target] = direction === 'in' ? [peer.ip, ip] : [ip, peer.ip];
    const [sourcePort, targetPort] = direction === 'in' ? [peer.port, port] : [port, peer.port];
    const overUdp = peer.transport === 'udp';
    const ends = { source, sourcePort, target, targetPort, overUdp };
    const { id: agent, key } = config;
    const packet = hepPacket({ ...ends, atUs, agent, key, correlation, text });
    const queued =
      packet !== undefined && socket.queue(latin1(packet), config.address, config.port);
    if (!queued) this.unsent += 1;
  }

  flush(): void {
    const { socket } = this;
    if (socket === undefined) return;
    socket.flush();
    const lost = this.lost() - this.lostBefore;
    if (lost === 0) return;
    this.lostBefore += lost;
    const now = mono();
    this.restUntil = now + REST_MS;
    if (now < this.toldAt + TELL_MS) return;
    this.toldAt = now;
    const { address, port } = this.config;
    this.warn(
      `hep: copies for Homer at ${address} port ${port} are lost: errno ${socket.lastErrno}`,
    );
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
