/**
 * Where a called number leads: the phones of an extension. Asked for a new call, for the target of a
 * transfer and for a redirection alike.
 */

import type { Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { targetOf } from '../proto/sip/address.ts';
import { isExtension } from './dialplan.ts';
import { BINDING, type Binding } from './rows.ts';

/** Somebody who can be invited: where, by which Request-URI. */
export type Target = {
  readonly peer: Peer;
  readonly uri: string;
  /** What it says of itself is not where it is: send to `peer` whatever its Contact says. */
  readonly nat: boolean;
  /** Route lines, '' for none; `peer` is then where the first of them leads. */
  readonly route: string;
  /** The registration by which it is reached; 0 for none. */
  readonly binding: number;
};

/** `refuse`: the status a caller hears. Targets are invited at once, best first. */
export type Route =
  | { readonly kind: 'targets'; readonly targets: readonly Target[] }
  | { readonly kind: 'refuse'; readonly status: number };

/** @param called the user part of the Request-URI, unescaped. */
export function route(cx: Context, called: string): Route {
  if (!isExtension(cx.settings, called)) return { kind: 'refuse', status: 404 };
  const phones = phonesOf(cx, called);
  if (phones.length === 0) return { kind: 'refuse', status: 480 };
  return { kind: 'targets', targets: phones.map(targetAt) };
}

function targetAt(phone: Binding): Target {
  return {
    peer: phone,
    uri: targetOf(phone.contact),
    nat: phone.nat,
    route: phone.path,
    binding: phone.id,
  };
}

function phonesOf(cx: Context, aor: string): readonly Binding[] {
  const all = cx.store.all(BINDING, 'aor', aor);
  const now = cx.now;
  if (all.length === 1 && (all[0] as Binding).expiresAt > now) return all;
  const valid = all.filter((b) => b.expiresAt > now);
  if (valid.length > 1) valid.sort((a, b) => b.q - a.q);
  return valid.length > cx.settings.maxForks ? valid.slice(0, cx.settings.maxForks) : valid;
}
