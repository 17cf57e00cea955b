/** Who hears what became of a re-INVITE of ours: by its purpose. */

import type { Context } from '../proto/context.ts';
import { awaitsAck } from '../proto/sip/client.ts';
import { bridgeOutcome } from './bridge.ts';
import { holdOutcome } from './control/answer.ts';
import { mediaResumed } from './media.ts';
import { nailOutcome } from './nail/nail.ts';
import { acknowledge, type Verdict } from './renegotiate.ts';
import { transferOutcome } from './transfer.ts';

/** Tells whoever wanted a re-INVITE what came of it. */
export function hearOutcome(cx: Context, verdict: Verdict): void {
  if (verdict === undefined) return;
  const { outcome, row } = verdict;
  if (row.purpose === 'media') mediaResumed(cx, outcome);
  if (row.purpose === 'hold') holdOutcome(cx, row.ref, outcome);
  if (row.purpose === 'transfer' && transferOutcome(cx, row.ref, outcome)) return;
  if (row.purpose === 'nail' && nailOutcome(cx, row.ref, outcome)) return;
  if (row.purpose === 'bridge' && bridgeOutcome(cx, row.ref, outcome)) return;
  // whoever asked for an offer is gone: its answer is what it was told last, so that nothing changes
  if (outcome.kind === 'answered' && awaitsAck(outcome.ctx)) {
    acknowledge(cx, outcome.leg, outcome.ctx, outcome.leg.sdp);
  }
}
