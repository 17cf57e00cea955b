/**
 * RTP sockets at the virtual addresses, one a session. They are bound before the box has the address
 * (a backup has none), so that a new primary receives with its first packet.
 */

import { hash } from 'node:crypto';
import type { MediaConfig } from './config-media.ts';
import { isOsError } from './native/netlite.ts';
import { UdpSocket } from './udp.ts';

/** Octets as the text of a datagram. */
type Latin1 = { latin1Slice(start: number, end: number): string };

/** Ports tried in vain for one session: other programs hold some of them now and then. */
const TRIES = 32;
const LONGEST = 1500;

export type RtpSink = (id: string, bytes: Uint8Array, ip: string, port: number) => void;

export class MediaSockets {
  private readonly vips: { readonly 4: string; readonly 6: string };
  private readonly range: MediaConfig['ports'];
  private readonly sink: RtpSink;
  private readonly sockets = new Map<string, UdpSocket>();
  private readonly used = new Set<string>();

  constructor(vip: string, vip6: string, range: MediaConfig['ports'], sink: RtpSink) {
    this.vips = { 4: vip, 6: vip6 };
    this.range = range;
    this.sink = sink;
  }

  /** @returns the port; 0 when there is none. */
  take(id: string, family: 4 | 6, wanted: number): number {
    const first = this.range[0] + (this.range[0] & 1);
    const pairs = (this.range[1] - first + 1) >> 1;
    if (pairs < 1) return 0;
    // spread, so that what a session has on one box is seldom taken by another on the other box
    const start = Number.parseInt(hash('md5', id, 'hex').slice(0, 8), 16) % pairs;
    let tries = 0;
    for (let i = wanted === 0 ? 0 : -1; i < pairs && tries < TRIES; i += 1) {
      const port = i < 0 ? wanted : first + 2 * ((start + i) % pairs);
      if (this.used.has(`${family} ${port}`)) continue;
      tries += 1;
      const socket = UdpSocket.open({
        ip: this.vips[family],
        port,
        freebind: true,
        bufferBytes: 65_536,
        slots: 8,
        maxDatagram: LONGEST,
      });
      if (isOsError(socket)) continue;
      this.sockets.set(id, socket);
      this.used.add(`${family} ${port}`);
      socket.onReadable(() => {
        socket.receive((text, ip, from) => this.sink(id, Buffer.from(text, 'latin1'), ip, from));
      });
      return port;
    }
    return 0;
  }

  free(id: string): void {
    const socket = this.sockets.get(id);
    if (socket === undefined) return;
    socket.close();
    this.sockets.delete(id);
    this.used.delete(`${socket.ip.includes(':') ? 6 : 4} ${socket.port}`);
  }

  /** Sends at once. */
  readonly send: RtpSink = (id, bytes, ip, port) => {
    const socket = this.sockets.get(id);
    if (socket === undefined) return;
    const octets = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) as Buffer & Latin1;
    if (socket.queue(octets.latin1Slice(0, bytes.length), ip, port)) socket.flush();
  };
}
