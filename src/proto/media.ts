/**
 * The media service inside the box: announcements, music, digits and small conferences for calls that
 * have nobody to talk to yet. To the engine it is a neighbour like any other, spoken to by RFC 4240;
 * only nothing of it goes over a network. The address is the same on both boxes, so a leg that leads
 * there is as good after a switchover as before.
 *
 * Nobody outside has this address: it is one of loopback, and the edge drops what really comes from it.
 */

import type { Peer } from '../base/peer.ts';
import type { Millis } from '../base/units.ts';
import { H, type SipMessage } from '../sip-parser/index.ts';

export const LOCAL_MEDIA: Peer = { transport: 'udp', ip: '127.0.0.90', port: 5060 };

/** True for the media service of the box itself. */
export function isLocalMedia(peer: Peer): boolean {
  return (
    peer.ip === LOCAL_MEDIA.ip &&
    peer.port === LOCAL_MEDIA.port &&
    peer.transport === LOCAL_MEDIA.transport
  );
}

/** Body type in which the service tells of what is neither a digit nor the end of the dialog. */
export const MEDIA_JSON = 'application/sipair-media+json';
/** One digit, as many gateways say it in INFO. */
export const DTMF_RELAY = 'application/dtmf-relay';

/** What an announcement is asked for by (RFC 4240 3.1). */
export type Announcement = {
  /** `music`, `ringback`, `busy`, `fast-busy`, `silence`, or the name of a prompt. */
  readonly play: string;
  /** Left out: once, music and tones without end. */
  readonly repeat?: number | 'forever';
  /** Silence between two times, and the longest it may last in all. */
  readonly delayMs?: Millis;
  readonly durationMs?: Millis;
  /** At its end an INFO comes (`end`), not a BYE. */
  readonly stay?: boolean;
};

export type ConferenceMode = 'talk' | 'listen' | 'coach' | 'muted';

/** How somebody takes part in a conference (RFC 4240 5). */
export type Membership = {
  readonly conference: string;
  readonly mode?: ConferenceMode;
  /** Its name there, by which a coach finds it; and whom a coach is heard by. */
  readonly member?: string;
  readonly coach?: string;
};

function escaped(text: string): string {
  return text.replace(
    /[^A-Za-z0-9\-_.!~*'()/:]/g,
    (c) => `%${(c.charCodeAt(0) & 255).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function param(name: string, value: string | number | undefined): string {
  return value === undefined ? '' : `;${name}=${escaped(`${value}`)}`;
}

/** Request-URI of an announcement, of the service at `host`. */
export function announcementUri(a: Announcement, host = LOCAL_MEDIA.ip): string {
  return (
    `sip:annc@${host}${param('play', a.play)}${param('repeat', a.repeat)}` +
    `${param('delay', a.delayMs)}${param('duration', a.durationMs)}${a.stay === true ? ';stay=yes' : ''}`
  );
}

/** Request-URI of a conference, of the service at `host`. */
export function conferenceUri(c: Membership, host = LOCAL_MEDIA.ip): string {
  const user = `conf=${escaped(c.conference).replace(/:/g, '%3A')}`;
  return `sip:${user}@${host}${param('mode', c.mode)}${param('coach', c.coach)}${param('member', c.member)}`;
}

/** What the service tells in an INFO. `stamp`: the same digit told twice has the same one. */
export type MediaWord =
  | {
      readonly kind: 'digit';
      readonly digit: string;
      readonly ms: Millis;
      readonly stamp: number;
    }
  | { readonly kind: 'end' };

/** @returns what an INFO says; undefined for anything else. Also digits as gateways and phones say them. */
export function mediaWord(m: SipMessage): MediaWord | undefined {
  const type = (m.header(H.ContentType) ?? '').replace(/;.*$/, '').trim().toLowerCase();
  if (type === MEDIA_JSON) {
    return /"event":\s?"end"/.test(m.body.slice(0, 200)) ? { kind: 'end' } : undefined;
  }
  if (type !== DTMF_RELAY) return undefined;
  const body = m.body.slice(0, 200);
  const digit = /^Signal ?= ?([0-9*#A-D])\s*$/im.exec(body)?.[1];
  if (digit === undefined) return undefined;
  const number = (name: string): number =>
    Number(new RegExp(`^${name} ?= ?(\\d{1,10})\\s*$`, 'im').exec(body)?.[1] ?? 0);
  return {
    kind: 'digit',
    digit: digit.toUpperCase(),
    ms: number('Duration'),
    stamp: number('Stamp'),
  };
}
