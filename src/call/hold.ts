/**
 * Does a phone hold the call? Its last description says so: what it described is what its other side was
 * told last, so that is looked at there. RFC 3264 8.4: a stream on hold is `sendonly`, or `inactive`;
 * RFC 2543 phones give the address 0.0.0.0.
 */

import type { Context } from '../proto/context.ts';
import { isFault, parseSdp } from '../sip-parser/index.ts';
import { partner } from './leg.ts';
import { CALL, type Leg } from './rows.ts';

/** The leg on which is said what the phone of `leg` describes. */
export function otherOf(cx: Context, leg: Leg): Leg | undefined {
  const call = cx.store.get(CALL, leg.call);
  return call === undefined ? undefined : partner(cx, call, leg);
}

/** True when the phone of a confirmed leg renders nothing of what its other side sends. */
export function holds(cx: Context, leg: Leg): boolean {
  if (leg.state !== 'confirmed') return false;
  const other = otherOf(cx, leg);
  // what a muted one is told says nothing of its other side
  const said = other === undefined || other.muted ? '' : other.sdp;
  // nearly every description says neither, and is not read for that
  if (!said.includes('a=sendonly') && !said.includes('a=inactive') && !said.includes('0.0.0.0')) {
    return false;
  }
  const start = said.indexOf('v=0');
  const sdp = start < 0 ? undefined : parseSdp(said.slice(start));
  if (sdp === undefined || isFault(sdp)) return false;
  const streams = sdp.media.filter((m) => m.port !== 0);
  return (
    streams.length > 0 &&
    streams.every(
      (m) =>
        m.direction === 'sendonly' ||
        m.direction === 'inactive' ||
        (m.connection ?? sdp.connection)?.addr === '0.0.0.0',
    )
  );
}
