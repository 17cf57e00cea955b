/** What a phone of the two-engine tests says. */

import type { Hand } from './engine-pair.ts';

export const PHONE = '192.0.2.21';

/** A REGISTER of an extension, given to an engine; `device` makes it a binding of its own. */
export function register(hand: Hand, user: number, cseq = 1, device = ''): void {
  const name = `${user}${device}`;
  const text =
    `REGISTER sip:192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP ${PHONE}:5060;branch=z9hG4bK-${name}-${cseq}\r\n` +
    `From: <sip:${user}@192.0.2.10>;tag=f${user}\r\nTo: <sip:${user}@192.0.2.10>\r\n` +
    `Call-ID: reg-${name}\r\nCSeq: ${cseq} REGISTER\r\nContact: <sip:${name}@${PHONE}:5060>\r\n` +
    'Max-Forwards: 70\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n';
  hand.give({ kind: 'sip', transport: 'udp', ip: PHONE, port: 5060, text });
}

/** An INVITE from one extension to another; `n` tells calls apart. */
export function invite(hand: Hand, from: number, to: number, n: number): void {
  const text =
    `INVITE sip:${to}@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP ${PHONE}:5060;branch=z9hG4bK-c${n}\r\n` +
    `From: <sip:${from}@192.0.2.10>;tag=g${n}\r\nTo: <sip:${to}@192.0.2.10>\r\nCall-ID: c-${n}\r\n` +
    `CSeq: 1 INVITE\r\nContact: <sip:${from}@${PHONE}:5060>\r\nMax-Forwards: 70\r\n` +
    'Content-Length: 0\r\n\r\n';
  hand.give({ kind: 'sip', transport: 'udp', ip: PHONE, port: 5060, text });
}

/** Statuses of the responses a box let out, in order. */
export function statuses(hand: Hand): string[] {
  return hand.sent.map((d) => d.text.split(' ')[1] ?? '');
}
