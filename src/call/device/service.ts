/**
 * Devices in and out of service: the first registration of one came, the last one went. Noted as it
 * happens (`../events/watch.ts`), told at the end of the turn: a phone that registers anew in one
 * request was never away.
 */

import type { Context } from '../../proto/context.ts';
import { extensionOf } from '../../proto/site.ts';
import { agentAt, isReachable, settle } from '../agent/agent.ts';
import { emit } from '../csta/event.ts';
import { BINDING, type Binding } from '../rows.ts';

/** `binding` came or went just now. */
export function noteService(cx: Context, binding: Binding): void {
  const { devices } = cx.turn;
  if (!cx.settings.csta || devices.has(binding.aor)) return;
  const came = cx.store.get(BINDING, binding.id) !== undefined;
  const others = cx.store.all(BINDING, 'aor', binding.aor).length - (came ? 1 : 0);
  const fixed = (extensionOf(cx.settings.site, binding.aor)?.contact ?? '') !== '';
  devices.set(binding.aor, !came || others > 0 || fixed);
}

export function tellService(cx: Context): void {
  const { devices } = cx.turn;
  for (const [device, was] of devices) {
    const is = isReachable(cx, device);
    if (is === was) continue;
    const event = is ? 'backInService' : 'outOfService';
    emit(cx, { event, devices: [device], ccall: 0, body: { deviceId: device } });
    const agent = agentAt(cx, device);
    if (agent !== undefined) settle(cx, agent);
  }
  devices.clear();
}
