/** What becomes of bridges that programs' requests began. */

import type { Context } from '../../proto/context.ts';
import type { Bridge } from '../bridge-rows.ts';
import type { BridgeOutcome } from '../bridged.ts';
import type { Leg } from '../rows.ts';

export function controlBridged(
  _cx: Context,
  _b: Bridge,
  _outcome: BridgeOutcome,
  _status: number,
  _left: readonly Leg[],
): void {}
