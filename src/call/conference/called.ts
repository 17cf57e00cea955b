/** Somebody is called for a conference: a device that is to join, a supervisor, a recorder. */

import type { Values } from '../../base/row.ts';
import type { Context } from '../../proto/context.ts';
import { type Calling, placeCall, type Targets } from '../bridge.ts';
import { BRIDGE } from '../bridge-rows.ts';
import type { Beginning } from '../csta/ccall.ts';
import type { Ccall } from '../csta/rows.ts';
import { newConference } from './members.ts';
import { CONFERENCE, type Conference, MEMBER, type Member } from './rows.ts';

/** Calls `way`, in the call `of`; once it answers it takes part, as `how` says. */
export function callIn(
  cx: Context,
  conf: Conference,
  of: Ccall | Beginning,
  way: Targets,
  calling: Calling & { readonly from: string },
  how: Values<typeof MEMBER.fields>,
): Member {
  const note = calling.called;
  const bridge = placeCall(cx, of, way, { ...calling, note }, 'conference', 0);
  const m = cx.store.insert(MEMBER, {
    conference: conf.id,
    call: bridge.call,
    state: 'calling',
    bridge: bridge.id,
    ...how,
  });
  cx.store.patch(BRIDGE, bridge, { ref: m.id });
  return m;
}

/** The conference somebody is called for: the one the call is in, or that others are called for. */
export function conferenceToBe(
  cx: Context,
  ccall: number,
  known: Conference | undefined,
): Conference {
  if (known !== undefined) return known;
  for (const conf of cx.store.rows(CONFERENCE)) {
    if (conf.ccall === ccall && (conf.state === 'calling' || conf.state === 'gathering'))
      return conf;
  }
  return newConference(cx, ccall);
}
