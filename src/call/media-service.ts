/**
 * Which media service serves a call, and how it is asked (RFC 4240): one of the site's own, in turn,
 * those out of service left out; without any configured the one inside the box. Where none is left a
 * caller hears plain ringing, for a tone generator that is down must not end calls.
 */

import type { MediaService } from '../proto/centre.ts';
import type { Context } from '../proto/context.ts';
import {
  type Announcement,
  announcementUri,
  conferenceUri,
  LOCAL_MEDIA,
  type Membership,
} from '../proto/media.ts';
import { targetOf } from '../proto/sip/address.ts';
import { isFault, parseUri } from '../sip-parser/index.ts';
import { inOrder, isAt, serviceKey } from './addresses.ts';
import { invite, type Offer } from './invite.ts';
import type { Target } from './route.ts';
import { type Call, LEG, type Leg } from './rows.ts';
import { CONTACT, type Contact } from './trunk-rows.ts';

/** A service that refused, or was not heard of, is left out for so long, ms. */
const AVOID_MS = 30_000;

export type MediaKind = 'treatment' | 'music' | 'conference';

function rowOf(cx: Context, service: MediaService): Contact | undefined {
  return cx.store.find(CONTACT, 'key', serviceKey(service.name));
}

/** `host[:port]` and parameters of a configured contact, in place of the host of a Request-URI. */
function uriAt(contact: string, uri: string): string {
  const parsed = parseUri(contact);
  if (isFault(parsed)) return uri;
  const port = parsed.port === 0 ? '' : `:${parsed.port}`;
  const at = uri.indexOf('@');
  const end = uri.indexOf(';', at);
  const params = end < 0 ? '' : uri.slice(end);
  return `${parsed.scheme}:${uri.slice(4, at)}@${parsed.host}${port}${parsed.params}${params}`;
}

function targetAt(peer: Target['peer'], uri: string): Target {
  return { peer, uri, nat: false, route: '', binding: 0, extension: '' };
}

/** The sum of a text: all that take part in one conference begin at the same service. */
function sum(text: string): number {
  let n = 0;
  for (let i = 0; i < text.length; i += 1) n = (n * 31 + text.charCodeAt(i)) % 65_521;
  return n;
}

/**
 * Where a call gets what it asks for. Services take turns by call, conferences stay together.
 * @returns undefined when every service is out of service.
 */
export function mediaLeg(
  cx: Context,
  ccall: number,
  service: MediaKind,
  params: Announcement | Membership,
): Target | undefined {
  const talks = 'conference' in params;
  const uri = talks ? conferenceUri(params) : announcementUri(params);
  const all = cx.settings.site.centre.services;
  const able = all.filter((s) => s.kinds.includes(service));
  if (able.length === 0) return targetAt(LOCAL_MEDIA, uri);
  const first = (talks ? sum(params.conference) : ccall) % able.length;
  for (let i = 0; i < able.length; i += 1) {
    const one = able[(first + i) % able.length] as MediaService;
    const row = rowOf(cx, one);
    if (row === undefined || row.state === 'down' || row.avoidUntil > cx.now) continue;
    const at = inOrder(cx.chance, row)[0];
    if (at === undefined) continue;
    const { transport, ip, port } = at;
    return targetAt({ transport, ip, port }, targetOf(uriAt(one.contact, uri)));
  }
  return undefined;
}

/** A service refused a leg, or was not heard of: others are asked for a while. */
export function avoidService(cx: Context, leg: Pick<Leg, 'ip'>): void {
  for (const service of cx.settings.site.centre.services) {
    const row = rowOf(cx, service);
    if (row === undefined || !isAt(row, leg.ip)) continue;
    if (row.avoidUntil <= cx.now) {
      cx.log('warning', `media service ${service.name} does not serve: left out for a while`);
    }
    cx.store.patch(CONTACT, row, { avoidUntil: cx.now + AVOID_MS });
  }
}

/** Invites a media service into `call`: a leg that programs never see. */
export function inviteMedia(cx: Context, call: Call, target: Target, offer: Offer): Leg {
  const leg = invite(cx, call, target, { ...offer, reliable: false, identity: '' });
  cx.store.patch(LEG, leg, { part: 'media' });
  return leg;
}
