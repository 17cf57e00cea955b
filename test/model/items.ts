/** What is under way in the pretend world, and what will happen to it. */

import type { BoxId, OperatorCommand, Order, Path, Report } from '../../src/pair/terms.ts';
import type { Heartbeat } from '../../src/wire/heartbeat.ts';
import type { Arp } from './adapter.ts';
import type { Disk, Frame } from './engine.ts';

export type Channel = Path | 'arp' | 'stream' | 'order' | 'report' | 'disk' | 'lazy' | 'edge';

export type Item =
  | { readonly kind: 'heartbeat'; readonly path: Path; readonly bytes: Uint8Array; h: Heartbeat }
  | { readonly kind: 'arp'; readonly bytes: Uint8Array; readonly arp: Arp }
  | { readonly kind: 'frame'; readonly link: number; readonly frame: Frame }
  | { readonly kind: 'closed'; readonly link: number }
  | { readonly kind: 'order'; readonly order: Order }
  | { readonly kind: 'report'; readonly report: Report }
  | { readonly kind: 'written'; readonly ticket: number; readonly disk: Disk }
  | { readonly kind: 'vip'; readonly up: boolean; readonly error: string }
  | { readonly kind: 'carrier'; readonly path: Path; readonly up: boolean }
  | { readonly kind: 'operator'; readonly command: OperatorCommand }
  | { readonly kind: 'fenced' }
  | { readonly kind: 'loaded' }
  | { readonly kind: 'link-silent'; readonly link: number };

/** What happens to the world as such. */
export type Deed =
  | { readonly kind: 'boot' | 'stop' | 'thaw' | 'plug-lan' | 'loosen'; readonly box: BoxId }
  /** Its port works again; the witness is seen again from it, or from both. */
  | { readonly kind: 'port' | 'see-witness'; readonly box: BoxId }
  | { readonly kind: 'plug-x' | 'connect' | 'witness' };

export type Coming = { at: number; readonly to: BoxId; readonly channel: Channel; item: Item };
export type Later = { readonly at: number; readonly deed: Deed };
