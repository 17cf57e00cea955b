/** Directed pick-up: what rings at one device rings at another, which takes it (ECMA-269 17.1.13). */

import type { Context } from '../../proto/context.ts';
import { type Done, type Refusal, refuse } from '../csta/refusal.ts';
import type { Party } from '../csta/rows.ts';

export function pickUpRinging(_cx: Context, _party: Party, _device: string): Done | Refusal {
  return refuse('notSupported');
}
