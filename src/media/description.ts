/**
 * Session descriptions of the media service (RFC 3264): one audio stream over RTP/AVP, mu-law or
 * A-law, whichever the other side names first, and telephone events (RFC 4733) where it knows them.
 */

import { literalHop } from '../proto/sip/address.ts';
import { isFault, parseSdp, type SdpDirection, type SdpMedia } from '../sip-parser/index.ts';
import type { Codec } from './g711.ts';

/** What the other side said of itself. */
export type Remote = {
  /** '' when it named no address we may send to: then its packets say where it is. */
  readonly ip: string;
  readonly port: number;
  readonly family: 4 | 6;
  readonly codec: Codec;
  /** Payload types it uses; `events` -1 for none. */
  readonly type: number;
  readonly events: number;
  /** It wants to hear us, and speaks itself. */
  readonly hears: boolean;
  readonly speaks: boolean;
};

/** Ours. */
export type Here = {
  readonly ip: string;
  readonly port: number;
  /** Session id and version of the o= line. */
  readonly id: number;
  readonly version: number;
};

/** Our direction, as it answers the other side's (RFC 3264 6.1). */
const ANSWER: { readonly [d in SdpDirection]: SdpDirection } = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

const STATIC: { readonly [type: string]: Codec } = { '0': 'PCMU', '8': 'PCMA' };
const EVENTS_TYPE = 101;

/** Codec and telephone events in a media section; undefined when there is no codec of ours. */
function codecsOf(m: SdpMedia): Pick<Remote, 'codec' | 'type' | 'events'> | undefined {
  const names = new Map<string, string>();
  for (const attribute of m.attributes) {
    const map = /^rtpmap:(\d{1,3}) +([^/\s]+)\/8000(?:\/1)?\s*$/i.exec(attribute);
    if (map !== null) names.set(map[1] as string, (map[2] as string).toUpperCase());
  }
  let codec: Codec | undefined;
  let type = -1;
  let events = -1;
  for (const format of m.formats) {
    if (!/^\d{1,3}$/.test(format) || Number(format) > 127) continue;
    const name = names.get(format) ?? STATIC[format];
    if (codec === undefined && (name === 'PCMU' || name === 'PCMA')) {
      codec = name;
      type = Number(format);
    } else if (events < 0 && name === 'TELEPHONE-EVENT') events = Number(format);
  }
  return codec === undefined ? undefined : { codec, type, events };
}

/** True for an audio stream we can take. */
function isOurs(m: SdpMedia): boolean {
  const plain = m.proto === 'RTP/AVP' || m.proto === 'RTP/AVPF';
  return m.type === 'audio' && m.port > 0 && plain && codecsOf(m) !== undefined;
}

/** Where a c= line leads; '' when nothing may be sent there because a third party says so. */
function addressOf(addr: string): string {
  const hop = literalHop(addr.includes(':') ? `sip:[${addr}]` : `sip:${addr}`);
  if (hop === undefined || /^0\.|^22[4-9]\.|^23\d\.|^255\.|^::$|^ff/i.test(hop.ip)) return '';
  return hop.ip;
}

export type Described = {
  readonly remote: Remote;
  /** The media sections of the answer, made for our port. */
  readonly sections: (port: number) => string;
};

/** @returns what a description says; undefined when there is nothing in it that we can take. */
export function describedIn(body: string): Described | undefined {
  const sdp = parseSdp(body);
  if (isFault(sdp)) return undefined;
  const chosen = sdp.media.find(isOurs);
  const codecs = chosen === undefined ? undefined : codecsOf(chosen);
  const connection = chosen?.connection ?? sdp.connection;
  if (chosen === undefined || codecs === undefined || connection === undefined) return undefined;
  // RFC 3264 8.4: the old way of hold
  const mute = connection.addr === '0.0.0.0' || connection.addr === '::';
  const heard = ANSWER[chosen.direction];
  const remote: Remote = {
    ip: addressOf(connection.addr),
    port: chosen.port,
    family: connection.addrType.toUpperCase() === 'IP6' ? 6 : 4,
    ...codecs,
    hears: !mute && (heard === 'sendrecv' || heard === 'sendonly'),
    speaks: heard === 'sendrecv' || heard === 'recvonly',
  };
  const sections = (port: number): string =>
    sdp.media
      .map((m) =>
        m === chosen
          ? section(port, m.proto, codecs, heard)
          : `m=${m.type} 0 ${m.proto} ${m.formats.join(' ')}\r\n`,
      )
      .join('');
  return { remote, sections };
}

function section(
  port: number,
  proto: string,
  c: Pick<Remote, 'codec' | 'type' | 'events'>,
  direction: SdpDirection,
): string {
  const events =
    c.events < 0 ? '' : `a=rtpmap:${c.events} telephone-event/8000\r\na=fmtp:${c.events} 0-15\r\n`;
  return (
    `m=audio ${port} ${proto} ${c.type}${c.events < 0 ? '' : ` ${c.events}`}\r\n` +
    `a=rtpmap:${c.type} ${c.codec}/8000\r\n${events}a=ptime:20\r\na=${direction}\r\n`
  );
}

function whole(here: Here, sections: string): string {
  const address = `IN IP${here.ip.includes(':') ? 6 : 4} ${here.ip}`;
  return (
    `v=0\r\no=sipair ${here.id} ${here.version} ${address}\r\ns=-\r\nc=${address}\r\nt=0 0\r\n` +
    sections
  );
}

export function answerText(here: Here, described: Described): string {
  return whole(here, described.sections(here.port));
}

/** The offer to who brought none. */
export function offerText(here: Here): string {
  return whole(
    here,
    `m=audio ${here.port} RTP/AVP 8 0 ${EVENTS_TYPE}\r\na=rtpmap:8 PCMA/8000\r\n` +
      `a=rtpmap:0 PCMU/8000\r\na=rtpmap:${EVENTS_TYPE} telephone-event/8000\r\n` +
      `a=fmtp:${EVENTS_TYPE} 0-15\r\na=ptime:20\r\na=sendrecv\r\n`,
  );
}
