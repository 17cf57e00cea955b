/** Who hears what became of a bridge: by its purpose. One line each. */

import type { Context } from '../proto/context.ts';
import type { Bridge } from './bridge-rows.ts';
import { conferenceBridged } from './conference/conference.ts';
import { controlBridged } from './control/bridged.ts';
import { routeBridged } from './distribute/hear.ts';
import { mediaBridged } from './distribute/treatment.ts';
import { nailBridged } from './nail/nail.ts';
import { parkBridged } from './park/park.ts';
import type { Leg } from './rows.ts';

/**
 * rings: somebody who is called rings, `status` 18x. joined: the two talk with each other (or, placed,
 * `bridge.other` is there). refused: it came to nothing, by `status`. After the last two the row is gone.
 */
export type BridgeOutcome = 'rings' | 'joined' | 'refused';

/** @param left joined: the legs the two were connected with before. */
export function bridged(
  cx: Context,
  b: Bridge,
  outcome: BridgeOutcome,
  status: number,
  left: readonly Leg[],
): void {
  switch (b.purpose) {
    case 'route':
      routeBridged(cx, b, outcome, status, left);
      return;
    case 'media':
      mediaBridged(cx, b, outcome, left);
      return;
    case 'control':
      controlBridged(cx, b, outcome, status, left);
      return;
    case 'park':
      parkBridged(cx, b, outcome, left);
      return;
    case 'conference':
      conferenceBridged(cx, b, outcome, status, left);
      return;
    case 'nail':
      nailBridged(cx, b, outcome);
      return;
    default:
  }
}
