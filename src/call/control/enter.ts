/** Somebody who is answered already comes to a queue or a routing point. */

import type { Context } from '../../proto/context.ts';
import type { Route } from '../route.ts';
import type { Leg } from '../rows.ts';

/** @returns false when the number is neither. */
export function enter(_cx: Context, _leg: Leg, _way: Route, _via: string): boolean {
  return false;
}
