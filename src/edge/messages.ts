/** What the main thread (sentry) and the engine thread say to each other, besides shared memory. */

import type { Peer } from '../base/peer.ts';
import type { LogLine } from '../effect.ts';
import type { Order, Report } from '../pair/terms.ts';
import type { SipSettings } from '../proto/context.ts';
import type { EngineView } from '../status.ts';
import type { Config } from './config.ts';
import type { DnsSettings } from './config-site.ts';
import type { FromDesk, ToDesk } from './show-desk.ts';

export type EngineThreadData = {
  readonly config: Config;
  /** pair/standing.ts: the engine writes, the sentry reads. */
  readonly standing: SharedArrayBuffer;
  /** One float64: the lease. The sentry writes, the engine looks at the door. */
  readonly lease: SharedArrayBuffer;
};

export type ToEngine =
  | { readonly kind: 'order'; readonly order: Order }
  | ToDesk
  | { readonly kind: 'view'; readonly id: number; readonly digest: boolean }
  /** Read certificates and keys again, and take over what may change while calls go on. */
  | {
      readonly kind: 'reload';
      readonly id: number;
      readonly sip: SipSettings;
      readonly dns: DnsSettings;
    };

export type FromEngine =
  | { readonly kind: 'report'; readonly report: Report }
  | FromDesk
  | { readonly kind: 'view'; readonly id: number; readonly view: EngineView }
  /** It is in use; `fault`: but for certificates that cannot be used, '' for none. */
  | { readonly kind: 'reloaded'; readonly id: number; readonly fault: string }
  /** Other sides of connections that died with the old primary: they are to notice. */
  | { readonly kind: 'tickle'; readonly peers: readonly Peer[] }
  | { readonly kind: 'log'; readonly line: LogLine };
