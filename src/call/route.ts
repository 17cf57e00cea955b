/**
 * Where a called number leads: the phones of an extension, or trunks one after the other. Asked for a
 * new call, for the target of a transfer and for a redirection alike.
 *
 *   emergency ─ every trunk for it, whatever its state and however full
 *   routing point, queue ─ class of service ─ the call waits there
 *   extension ─ its phones and its static contact, at once
 *   trunks    ─ class of service ─ in service first, then by priority or turn, full ones left out;
 *               of each its contact and backups, of each of those its addresses: one at a time
 */

import type { Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { targetOf } from '../proto/sip/address.ts';
import { EMPTY_TAIL } from '../proto/sip/text.ts';
import { extensionOf, type Trunk, trunkOf } from '../proto/site.ts';
import { escapeUser, isFault, parseUri } from '../sip-parser/index.ts';
import { inOrder } from './addresses.ts';
import { type Diverted, onwardAtOnce } from './device/features.ts';
import {
  byPriority,
  emergencyNumber,
  emergencyTrunks,
  isExtension,
  lookUp,
  mayCall,
  type Way,
} from './dialplan.ts';
import { oneFlowEach } from './outbound.ts';
import { BINDING, type Binding, type Leg } from './rows.ts';
import { contactKey, contactRow, isFull } from './trunk.ts';
import type { Contact } from './trunk-rows.ts';

/** The way out: which trunk, which number there, and whether nothing may stand in its way. */
export type TrunkHop = {
  readonly trunk: string;
  readonly number: string;
  readonly emergency: boolean;
};

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
  /** The extension whose phone it is; '' for none. */
  readonly extension: string;
  /** Set when it is reached by a trunk. */
  readonly hop?: TrunkHop;
};

/**
 * `refuse`: the status a caller hears, and further headers and body. Targets are invited at once, best
 * first; when they fail, each group of `later` in turn (`hunt.ts`).
 */
export type Route =
  | {
      readonly kind: 'targets';
      readonly targets: readonly Target[];
      readonly later: readonly (readonly Target[])[];
      /** Devices that forwarded the call, in order. */
      readonly diverted?: readonly Diverted[];
    }
  /** It waits at a routing point or in a queue to be distributed (`distribute/`). */
  | { readonly kind: 'distribute'; readonly number: string; readonly at: 'point' | 'queue' }
  | { readonly kind: 'refuse'; readonly status: number; readonly tail?: string };

/** Who calls: his class of service, and the trunk he comes by ('' for none). */
export type Caller = { readonly classOfService: string; readonly trunk: string };

export const TRUSTED_CALLER: Caller = { classOfService: 'all', trunk: '' };

/** Who is no extension of ours may call extensions: an open site is no way out for strangers. */
export function classOf(cx: Context, number: string): string {
  if (!isExtension(cx.settings, number)) return 'internal';
  const { site } = cx.settings;
  return extensionOf(site, number)?.classOfService || site.defaultClass;
}

/** Who calls when the other side of `leg` has somebody called: its extension, or the trunk it came by. */
export function callerOn(cx: Context, leg: Leg): Caller {
  const trunk = trunkOf(cx.settings.site, leg.trunk);
  if (trunk !== undefined) return { classOfService: trunk.classOfService, trunk: trunk.name };
  return { classOfService: classOf(cx, leg.aor), trunk: '' };
}

/** Groups tried for one call, the first one included. */
const MOST_GROUPS = 16;

// ITU-T Q.850, by RFC 3326: what a caller's phone can show or act on.
const NO_CIRCUIT = `Reason: Q.850;cause=34;text="no circuit available"\r\n${EMPTY_TAIL}`;
const UNDISTURBED = `Reason: SIP;cause=486;text="Do not disturb"\r\n${EMPTY_TAIL}`;
const OUT_OF_ORDER = `Reason: Q.850;cause=27;text="destination out of order"\r\n${EMPTY_TAIL}`;

/** Devices that may forward one call, one after the other. */
const MOST_DIVERTED = 5;

/**
 * @param called the user part of the Request-URI, unescaped.
 * @param by devices that forwarded the call until now.
 */
export function route(
  cx: Context,
  called: string,
  caller: Caller = TRUSTED_CALLER,
  by: readonly Diverted[] = [],
): Route {
  const way = routed(cx, called, caller, by);
  return by.length === 0 || way.kind !== 'targets' || way.diverted ? way : { ...way, diverted: by };
}

function routed(cx: Context, called: string, caller: Caller, by: readonly Diverted[]): Route {
  const { site } = cx.settings;
  const emergency = caller.trunk === '' ? emergencyNumber(site, called) : undefined;
  if (emergency !== undefined) {
    return byTrunks(cx, emergency, emergencyTrunks(site), caller, true);
  }
  const way = lookUp(cx.settings, called);
  switch (way.kind) {
    case 'refuse':
      return { kind: 'refuse', status: way.status };
    case 'distribute':
      return mayCall(site, caller.classOfService, called, true)
        ? way
        : { kind: 'refuse', status: 403 };
    case 'extension':
      if (!mayCall(site, caller.classOfService, called, true)) {
        return { kind: 'refuse', status: 403 };
      }
      return toExtension(cx, way.number, by);
    case 'trunks': {
      if (!mayCall(site, caller.classOfService, called, false)) {
        cx.count('callsBarred');
        return { kind: 'refuse', status: 403 };
      }
      const trunks = way.groups.flatMap((g) => arranged(cx, g));
      const own = onNet(cx, way.number, trunks);
      if (own !== '') return toExtension(cx, own, by);
      return byTrunks(cx, way.number, trunks, caller, false);
    }
  }
}

/** The phones of an extension, or where it has calls forwarded to. */
function toExtension(cx: Context, number: string, by: readonly Diverted[]): Route {
  const phones = toPhones(cx, number);
  const onward = onwardAtOnce(cx, number, phones.kind === 'targets');
  if (onward === undefined) return phones;
  const { to, reason } = onward;
  if (to === '') return { kind: 'refuse', status: 486, tail: UNDISTURBED };
  const all = [...by, { by: number, to, reason }];
  if (all.length > MOST_DIVERTED || all.some((d) => d.by === to)) {
    return { kind: 'refuse', status: 482 };
  }
  return route(cx, to, { classOfService: classOf(cx, number), trunk: '' }, all);
}

/** The phones of an extension, whatever its user has set for calls to him. */
export function toPhones(cx: Context, number: string): Route {
  const targets = oneFlowEach(cx, phonesOf(cx, number)).map(targetAt);
  const row = contactRow(cx, number);
  const at = row === undefined ? undefined : inOrder(cx.chance, row)[0];
  if (row !== undefined && at !== undefined && targets.length < cx.settings.maxForks) {
    const { transport, ip, port } = at;
    targets.push({
      peer: { transport, ip, port },
      uri: targetOf(row.uri),
      route: '',
      nat: false,
      binding: 0,
      extension: number,
    });
  }
  if (targets.length === 0) return { kind: 'refuse', status: 480 };
  return { kind: 'targets', targets, later: [] };
}

function targetAt(phone: Binding): Target {
  return {
    peer: phone,
    uri: targetOf(phone.contact),
    nat: phone.nat,
    route: phone.path,
    binding: phone.id,
    extension: phone.aor,
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

/** Trunks of a group in the order in which they are tried. */
function arranged(cx: Context, group: Extract<Way, { kind: 'trunks' }>['groups'][number]) {
  if (!group.turns) return group.trunks.length > 1 ? byPriority(group.trunks) : group.trunks;
  const used = (t: Trunk): number => contactRow(cx, contactKey(t, 0))?.lastUsed ?? 0;
  return [...group.trunks].sort((a, b) => used(a) - used(b));
}

/** The extension behind a number that a trunk would send back to us; '' for none. */
function onNet(cx: Context, number: string, trunks: readonly Trunk[]): string {
  for (const trunk of trunks) {
    const { prefix, prepend } = trunk.inbound;
    const outside = numberFor(trunk, number);
    if (prefix === '' || !outside.startsWith(prefix)) continue;
    const own = prepend + outside.slice(prefix.length);
    if (isExtension(cx.settings, own)) return own;
  }
  return '';
}

/** A number as a trunk wants it. */
export function numberFor(trunk: Trunk, number: string): string {
  const { strip, prepend } = trunk.rewrite;
  const plain = prepend + number.slice(strip);
  if (trunk.format === 'plus') return plain.startsWith('+') ? plain : `+${plain}`;
  return trunk.format === 'plain' && plain.startsWith('+') ? plain.slice(1) : plain;
}

type Ranked = { readonly rank: number; readonly target: Target };

function byTrunks(
  cx: Context,
  number: string,
  trunks: readonly Trunk[],
  caller: Caller,
  emergency: boolean,
): Route {
  const found: Ranked[] = [];
  let why = OUT_OF_ORDER;
  let loop = trunks.length > 0;
  for (const trunk of trunks) {
    // what came by it does not go back by it
    if (trunk.name === caller.trunk) continue;
    loop = false;
    if (!emergency && isFull(cx, trunk)) {
      why = NO_CIRCUIT;
      continue;
    }
    found.push(...targetsOf(cx, trunk, number, emergency));
  }
  if (loop) return { kind: 'refuse', status: 482 };
  if (found.length === 0) {
    cx.count('callsUnroutable');
    return { kind: 'refuse', status: 480, tail: why };
  }
  found.sort((a, b) => a.rank - b.rank);
  const [first, ...later] = found.slice(0, MOST_GROUPS).map((f) => [f.target]);
  return { kind: 'targets', targets: first as Target[], later };
}

/** 0 in service, 1 in service but silent lately, 2 out of service. */
function rankOf(cx: Context, row: Contact): number {
  if (row.state === 'down') return 2;
  return row.avoidUntil > cx.now ? 1 : 0;
}

function targetsOf(cx: Context, trunk: Trunk, number: string, emergency: boolean): Ranked[] {
  const there =
    emergency && trunk.rewrite.strip > number.length ? number : numberFor(trunk, number);
  const hop: TrunkHop = { trunk: trunk.name, number: there, emergency };
  return trunk.contacts.flatMap((contact, i) => {
    const row = contactRow(cx, contactKey(trunk, i));
    const rank = row === undefined ? 2 : rankOf(cx, row);
    if (row === undefined || (rank === 2 && !emergency)) return [];
    const uri = uriOn(trunk, contact, there);
    return inOrder(cx.chance, row).map(({ transport, ip, port }) => ({
      rank,
      target: {
        peer: { transport, ip, port },
        uri,
        route: '',
        nat: false,
        binding: 0,
        extension: '',
        hop,
      },
    }));
  });
}

/** True while a target that was to be tried later still may be. */
export function stillServes(cx: Context, target: Target): boolean {
  const { hop } = target;
  if (hop === undefined || hop.emergency) return true;
  const trunk = cx.settings.site.trunks.find((t) => t.name === hop.trunk);
  if (trunk === undefined || isFull(cx, trunk)) return false;
  return trunk.contacts.some((_, i) => {
    const row = contactRow(cx, contactKey(trunk, i));
    return row?.state === 'up' && row.addresses.includes(` ${target.peer.ip} `);
  });
}

/** The Request-URI of `number` at a contact of a trunk. */
function uriOn(trunk: Trunk, contact: string, number: string): string {
  const uri = parseUri(contact);
  if (isFault(uri)) return contact;
  const port = uri.port === 0 ? '' : `:${uri.port}`;
  const host = trunk.domain === '' ? `${uri.host}${port}` : trunk.domain;
  return `${uri.scheme}:${escapeUser(number)}@${host}${uri.params}`;
}
