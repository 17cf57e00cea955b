/** What a leg hears that has nobody to talk to: music of a media service, or nothing. */

import type { Context } from '../../proto/context.ts';
import type { Announcement } from '../../proto/media.ts';
import { bridgesOf, bridgeTo, cancelBridge } from '../bridge.ts';
import { directed } from '../held.ts';
import { partner } from '../leg.ts';
import { mediaLeg } from '../media-service.ts';
import { dismiss } from '../parts.ts';
import { reoffer } from '../renegotiate.ts';
import { CALL, LEG, type Leg } from '../rows.ts';
import { REOFFER } from '../transfer-rows.ts';
import { noteOf, noteText } from './note.ts';

/** `leg` has nobody any more: it hears the music of the site. */
export function musicFor(cx: Context, leg: Leg): void {
  const { musicOnHold } = cx.settings.site.centre;
  if (musicOnHold === '' || !playTo(cx, leg, { play: musicOnHold, repeat: 'forever' })) {
    quiet(cx, leg);
  }
}

/** It hears what a caller hears while somebody rings. */
export function ringbackFor(cx: Context, leg: Leg): void {
  playTo(cx, leg, { play: 'ringback' });
}

function playTo(cx: Context, leg: Leg, what: Announcement): boolean {
  cx.store.patch(LEG, leg, { peer: leg.id });
  const call = cx.store.get(CALL, leg.call);
  const kind = what.play === 'ringback' ? 'treatment' : 'music';
  const target = mediaLeg(cx, call?.ccall ?? 0, kind, what);
  if (leg.part !== 'device' || target === undefined) return false;
  const how = { called: 'annc', part: 'media', note: noteText({ do: 'music' }) } as const;
  bridgeTo(cx, leg, { kind: 'targets', targets: [target], later: [] }, how, 'control', 0);
  return true;
}

/** Its session is made inactive, and it has nobody. */
export function quiet(cx: Context, leg: Leg): void {
  cx.store.patch(LEG, leg, { peer: leg.id });
  still(cx, leg);
}

/** Its session is made inactive. */
export function still(cx: Context, leg: Leg): void {
  const offer = directed(cx, leg, 'inactive');
  const settled = leg.offered === '' && cx.store.all(REOFFER, 'leg', leg.id).length === 0;
  // it was told so already
  if (settled && sameButOrigin(offer, leg.sdp)) return;
  if (offer !== '') reoffer(cx, leg, offer, 'hold', 0);
}

function sameButOrigin(a: string, b: string): boolean {
  const rest = (text: string): string =>
    text.slice(text.indexOf('\r\n\r\n')).replace(/^o=[^\r\n]*/m, '');
  return rest(a) === rest(b);
}

/** What a service plays to it ends, or does not begin. */
export function hearsNothing(cx: Context, leg: Leg): void {
  noMusic(cx, leg);
  const call = cx.store.get(CALL, leg.call);
  const heard = call === undefined ? undefined : partner(cx, call, leg);
  if (heard?.part === 'media' && heard.peer === leg.id) dismiss(cx, heard);
}

/** Music that is on its way to it is not wanted any more. */
export function noMusic(cx: Context, leg: Leg): void {
  for (const b of bridgesOf(cx, leg)) {
    if (b.purpose === 'control' && noteOf(b)?.do === 'music') cancelBridge(cx, b);
  }
}
