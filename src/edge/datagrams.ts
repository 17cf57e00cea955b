/**
 * SIP over UDP at every virtual address. What came to one address is answered from it (RFC 3581 4:
 * a NAT lets nothing else back in); everything else leaves from the first address of its family,
 * which is the one our Via and Contact name.
 */

import { LIMITS } from '../base/limits.ts';
import { isOsError } from './native/netlite.ts';
import { type DatagramSink, READ_BATCHES, UdpSocket } from './udp.ts';

/** Others of the pair's addresses that somebody speaks with: remembered, and begun afresh when full. */
const REMEMBERED = 16_384;

export class Datagrams {
  private readonly sockets: readonly UdpSocket[];
  private readonly first: { readonly 4: UdpSocket | undefined; readonly 6: UdpSocket | undefined };
  /** "ip port" of those who speak with another than the first address. */
  private readonly others = new Map<string, UdpSocket>();

  /** Throws with a sentence when an address cannot be had: the box does not start. */
  constructor(vips: readonly string[], port: number, wake: () => void) {
    this.sockets = vips.map((ip) => {
      const slots = LIMITS.inputsPerTurn / READ_BATCHES;
      const socket = UdpSocket.open({
        ip,
        port,
        freebind: true,
        maxDatagram: LIMITS.sipBytes,
        slots,
      });
      if (!isOsError(socket)) return socket;
      throw new Error(`start-failed: sip-socket: udp ${ip}: ${socket.osError} (${socket.call})`);
    });
    this.first = {
      4: this.sockets.find((_, i) => !(vips[i] as string).includes(':')),
      6: this.sockets.find((_, i) => (vips[i] as string).includes(':')),
    };
    for (const socket of this.sockets) socket.onReadable(wake);
  }

  /** Reads what waits at all addresses. @returns datagrams delivered. */
  receive(sink: DatagramSink): number {
    let delivered = 0;
    for (const socket of this.sockets) {
      if (socket === this.first[4] || socket === this.first[6]) {
        delivered += socket.receive(sink);
        continue;
      }
      delivered += socket.receive((text, ip, port) => {
        if (this.others.size >= REMEMBERED) this.others.clear();
        this.others.set(`${ip} ${port}`, socket);
        sink(text, ip, port);
      });
    }
    return delivered;
  }

  /** Into the batch; `flush` sends it. */
  queue(text: string, ip: string, port: number): void {
    const other = this.others.size === 0 ? undefined : this.others.get(`${ip} ${port}`);
    (other ?? this.first[ip.includes(':') ? 6 : 4])?.queue(text, ip, port);
  }

  flush(): void {
    for (const socket of this.sockets) socket.flush();
  }

  setReading(on: boolean): void {
    for (const socket of this.sockets) socket.setReading(on);
  }
}
