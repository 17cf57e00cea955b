/** The few SIP texts streamgen says, made by concatenation: a generator must cost little. */

import type { Transport } from './streamgen-line.ts';

export const SDP =
  'v=0\r\no=alice 2890844526 2890844526 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n' +
  'm=audio 49170 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n' +
  'a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n';

export type Names = {
  readonly transport: Transport;
  readonly here: string;
  readonly branch: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly contact: string;
};

/** @param extra header lines. */
export function requestText(
  method: string,
  uri: string,
  n: Names,
  transaction: string,
  cseq: number,
  extra: string,
  body: string,
): string {
  return (
    `${method} ${uri} SIP/2.0\r\n` +
    `Via: SIP/2.0/${n.transport.toUpperCase()} ${n.here};branch=z9hG4bK${n.branch}${transaction};rport\r\n` +
    `Max-Forwards: 70\r\n${extra}From: ${n.from}\r\nTo: ${n.to}\r\nCall-ID: ${n.callId}\r\n` +
    `CSeq: ${cseq} ${method}\r\nContact: ${n.contact}\r\n` +
    (body === '' ? '' : 'Content-Type: application/sdp\r\n') +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  );
}

/** Value of the first such header, '' for none; names as our peers write them. */
export function fieldOf(m: string, name: string): string {
  const at = m.indexOf(`\r\n${name}: `);
  if (at < 0) return '';
  const from = at + name.length + 4;
  return m.slice(from, m.indexOf('\r\n', from));
}

export function fieldsOf(m: string, name: string): string[] {
  const out: string[] = [];
  for (let at = m.indexOf(`\r\n${name}: `); at >= 0; at = m.indexOf(`\r\n${name}: `, at + 2)) {
    const from = at + name.length + 4;
    out.push(...m.slice(from, m.indexOf('\r\n', from)).split(/,\s*(?=<)/));
  }
  return out;
}

export function uriOf(value: string): string {
  return /<([^>]*)>/.exec(value)?.[1] ?? value;
}

function mirrored(m: string, tag: string): string {
  const vias = fieldsOf(m, 'Via').map((v) => `Via: ${v}\r\n`);
  const routes = fieldsOf(m, 'Record-Route').map((r) => `Record-Route: ${r}\r\n`);
  const to = fieldOf(m, 'To');
  return (
    `${vias.join('')}${routes.join('')}From: ${fieldOf(m, 'From')}\r\n` +
    `To: ${tag === '' || to.includes(';tag=') ? to : `${to};tag=${tag}`}\r\n` +
    `Call-ID: ${fieldOf(m, 'Call-ID')}\r\nCSeq: ${fieldOf(m, 'CSeq')}\r\n`
  );
}

export function bodyless(m: string, status: number, tag: string): string {
  return `SIP/2.0 ${status} ${status === 200 ? 'OK' : 'No'}\r\n${mirrored(m, tag)}Content-Length: 0\r\n\r\n`;
}

/** What a callee says to an INVITE. */
export function calleeAnswer(m: string, status: number, contact: string): string {
  if (status === 100) return bodyless(m, 100, '').replace('100 No', '100 Trying');
  const tag = `c${fieldOf(m, 'Call-ID').slice(0, 12)}`;
  const head = `SIP/2.0 ${status} ${status === 180 ? 'Ringing' : 'OK'}\r\n${mirrored(m, tag)}Contact: <${contact}>\r\n`;
  if (status === 180) return `${head}Content-Length: 0\r\n\r\n`;
  return `${head}Content-Type: application/sdp\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}`;
}
