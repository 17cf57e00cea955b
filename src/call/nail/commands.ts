/** Nailing devices up and letting them go again, for programs. */

import type { Context } from '../../proto/context.ts';
import { escapeUser } from '../../sip-parser/index.ts';
import { placeCall } from '../bridge.ts';
import { BRIDGE } from '../bridge-rows.ts';
import { phonesOf, roomLeft } from '../control/make.ts';
import { answerLines } from '../control/phone.ts';
import { type Done, isRefusal, type Refusal, refuse } from '../csta/refusal.ts';
import { isExtension } from '../dialplan.ts';
import { letNailGo, nailAt } from './nail.ts';
import { NAIL } from './rows.ts';

export type OneDevice = { readonly device: string };

/**
 * The phone of a device is called; once its user has answered it stays connected between calls, and they
 * reach him at once. What is so already is answered alike.
 */
export function nailUp(cx: Context, { device }: OneDevice): Done | Refusal {
  const known = nailAt(cx, device);
  if (known !== undefined) {
    if (known.ending) cx.store.patch(NAIL, known, { ending: false, session: 0, request: '' });
    return { deviceId: device };
  }
  const way = phonesOf(cx, device);
  if (isRefusal(way)) return way;
  if (!roomLeft(cx)) return refuse('overload');
  const from = `<sip:${escapeUser(device)}@${cx.settings.here}>`;
  const how = { called: device, from, lines: answerLines(cx, device) };
  const bridge = placeCall(cx, undefined, way, how, 'nail', 0);
  const { session, request } = cx.turn;
  const row = { device, call: bridge.call, since: cx.now, session, request };
  cx.store.patch(BRIDGE, bridge, { ref: cx.store.insert(NAIL, row).id });
  return { deviceId: device };
}

/** It is hung up, at once or when the call it is in is over. */
export function releaseNailed(cx: Context, { device }: OneDevice): Done | Refusal {
  if (!isExtension(cx.settings, device)) return refuse('invalidDeviceId', device);
  const row = nailAt(cx, device);
  if (row === undefined) return refuse('requestIncompatibleWithDevice', 'It is not nailed up.');
  letNailGo(cx, row);
  return { deviceId: device };
}
