/** What a phone of the two-engine tests says. */

import type { Hand } from './engine-pair.ts';

export const PHONE = '192.0.2.21';

/** A REGISTER of an extension, given to an engine. */
export function register(hand: Hand, user: number, cseq = 1): void {
  const text =
    `REGISTER sip:192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP ${PHONE}:5060;branch=z9hG4bK-${user}-${cseq}\r\n` +
    `From: <sip:${user}@192.0.2.10>;tag=f${user}\r\nTo: <sip:${user}@192.0.2.10>\r\n` +
    `Call-ID: reg-${user}\r\nCSeq: ${cseq} REGISTER\r\nContact: <sip:${user}@${PHONE}:5060>\r\n` +
    'Max-Forwards: 70\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n';
  hand.give({ kind: 'datagram', ip: PHONE, port: 5060, text });
}
