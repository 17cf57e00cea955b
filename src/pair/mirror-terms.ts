/**
 * What both sides of the mirror share: the words for what went wrong and for what happened.
 */

import type { Epoch, Instant } from '../base/units.ts';
import type { ApplyFault } from '../ledger/ledger.ts';
import type { Forwarded, FrameFault, FrameView } from '../wire/frame.ts';
import type { GreetingFault } from './greeting.ts';

export type MirrorFault =
  | FrameFault
  | ApplyFault
  | GreetingFault
  | 'link-order'
  | 'link-ack'
  | 'link-clock'
  | 'link-drift';

export type MirrorEvent =
  | { readonly kind: 'joined'; readonly how: 'ring' | 'snapshot' }
  /** Primary: the backup lacks nothing any more. */
  | { readonly kind: 'agreed' }
  /** `at`: pair clock of the primary's word. */
  | { readonly kind: 'in-step'; readonly at: Instant }
  /** Rows were replaced by a snapshot: the disk must be reset. */
  | { readonly kind: 'filled' }
  | { readonly kind: 'goodbye'; readonly epoch: Epoch }
  | { readonly kind: 'clock'; readonly at: Instant }
  /** A message that reached the peer just before its address went. */
  | { readonly kind: 'forwarded'; readonly message: Forwarded }
  | { readonly kind: 'drift'; readonly table: string };

/** Where both sides put what is to be sent and what is to be told; emptied every turn. */
export type MirrorOut = { readonly frames: Uint8Array[]; readonly events: MirrorEvent[] };

export function viewOf(f: FrameView): DataView {
  return new DataView(f.bytes.buffer, f.bytes.byteOffset, f.bytes.byteLength);
}
