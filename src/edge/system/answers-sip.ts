/** Is somebody behind an address of this box, who speaks SIP? Asked as anybody would: by an OPTIONS. */

import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { mono } from '../clock.ts';

/** One that answers does so at once, ms. */
const ANSWER_MS = 500;

export function answersSip(ip: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(ip) ? 'udp6' : 'udp4');
    let ended = false;
    const end = (answered: boolean): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      socket.close();
      resolve(answered);
    };
    const timer = setTimeout(() => end(false), ANSWER_MS);
    socket.on('error', () => end(false));
    socket.on('message', () => end(true));
    const host = isIPv6(ip) ? `[${ip}]` : ip;
    // a fault of connect(2) comes here, not as an event: there is no way to the address
    socket.connect(port, ip, (fault?: Error) => {
      if (ended) return;
      if (fault) {
        end(false);
        return;
      }
      const { address, port: own } = socket.address();
      const us = isIPv6(address) ? `[${address}]` : address;
      const id = `${process.pid}-${Math.round(mono())}`;
      socket.send(
        [
          `OPTIONS sip:${host} SIP/2.0`,
          `Via: SIP/2.0/UDP ${us}:${own};branch=z9hG4bK${id};rport`,
          'Max-Forwards: 70',
          `From: <sip:system@${us}>;tag=${id}`,
          `To: <sip:${host}>`,
          `Call-ID: ${id}`,
          'CSeq: 1 OPTIONS',
          'Content-Length: 0',
          '\r\n',
        ].join('\r\n'),
      );
    });
  });
}
