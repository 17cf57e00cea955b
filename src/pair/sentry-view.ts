/** What the sentry shows: status, console and SNMP say the same from here. */

import type { Epoch, Instant, Lsn, Millis, Mono } from '../base/units.ts';
import type { VrrpSpeaker } from '../proto/vrrp.ts';
import type { Alarms } from './alarms.ts';
import type { Lateness } from './lateness.ts';
import type { Core, Counters, Takeover } from './sentry-core.ts';
import type { Phase } from './takeover-words.ts';
import type { BoxId, Cause, Role } from './terms.ts';
import type { Witnesses, WitnessState } from './witness.ts';

/** What status, console and SNMP show. */
export type SentryView = {
  readonly box: BoxId;
  readonly role: Role;
  readonly phase: Phase;
  readonly epoch: Epoch;
  /** Why this box last became primary; undefined before the first time. */
  readonly cause: Cause | undefined;
  /** Since when the role is what it is. */
  readonly since: Mono;
  /** The door is open until here, 0 when shut. */
  readonly lease: Mono;
  readonly carrier: { readonly x: boolean; readonly l: boolean };
  readonly peer:
    | {
        readonly box: BoxId;
        readonly seen: { readonly x: boolean; readonly l: boolean };
        readonly role: Role;
        readonly epoch: Epoch;
        readonly lsn: Lsn;
        readonly inStep: boolean;
        readonly peerStale: boolean;
        readonly fit: boolean;
        readonly engineOk: boolean;
        readonly pairNow: Instant;
        readonly heardMsAgo: Millis;
      }
    | undefined;
  /** One value, shown the same everywhere: may the roles change without loss, and if not, why. */
  readonly readiness: { readonly ready: boolean; readonly why: string };
  /** The last time this box became primary. */
  readonly lastSwitchover: Takeover | undefined;
  /** Switchovers nobody asked for within the flap guard's window, as many as it remembers. */
  readonly automaticLately: number;
  readonly witness: {
    readonly state: WitnessState;
    readonly each: ReturnType<Witnesses['view']>;
  };
  /** VRRP, where the pair has a router id: what was said and heard, and a stranger with our id. */
  readonly vrrp:
    | {
        readonly leads: boolean;
        readonly vrid: number;
        readonly priority: number;
        readonly intervalCs: number;
        readonly vips: readonly string[];
        readonly sent: number;
        readonly heard: number;
        /** Advertisements that were refused, by reason. */
        readonly faults: VrrpSpeaker['counters']['faults'];
        readonly neighbour: ReturnType<VrrpSpeaker['neighbour']>;
      }
    | undefined;
  readonly alarms: ReturnType<Alarms['view']>;
  /** How late this sentry was run, in buckets. */
  readonly lateness: ReturnType<Lateness['view']>;
  readonly counters: Readonly<Counters>;
  /** Frames that were refused, by reason. */
  readonly refused: { readonly [reason: string]: number };
};

/**
 * @param readiness may the roles change without loss, and if not, why.
 * @param refused frames that were refused, by reason.
 */
export function viewOf(
  c: Core,
  readiness: SentryView['readiness'],
  refused: SentryView['refused'],
): SentryView {
  const { now } = c;
  const h = c.peer.state;
  return {
    box: c.settings.box,
    role: c.role(),
    phase: c.phase,
    epoch: c.epoch(),
    cause: c.last?.cause,
    since: c.roleSince,
    lease: c.lease,
    carrier: { x: c.carrier.x, l: c.carrier.l },
    peer:
      h === undefined
        ? undefined
        : {
            box: h.box,
            seen: {
              x: c.peer.detector.colour('x', now) !== 'red',
              l: c.peer.detector.colour('l', now) !== 'red',
            },
            role: h.role,
            epoch: h.epoch,
            lsn: h.lsn,
            inStep: h.inStep,
            peerStale: h.peerStale,
            fit: h.fit,
            engineOk: h.engineOk,
            pairNow: h.pairNow,
            heardMsAgo: now - c.peer.stateAt,
          },
    readiness,
    lastSwitchover: c.last,
    automaticLately: c.flap.lately(now),
    witness: { state: c.witnesses.state(), each: c.witnesses.view(now) },
    vrrp:
      c.router === undefined || c.settings.vrrp === undefined
        ? undefined
        : {
            leads: c.router.leads,
            vrid: c.settings.vrrp.vrid,
            priority: c.settings.vrrp.priority,
            intervalCs: c.settings.vrrp.intervalCs,
            vips: c.settings.vips,
            sent: c.router.counters.sent,
            heard: c.router.counters.heard,
            faults: { ...c.router.counters.faults },
            neighbour: c.router.neighbour(now),
          },
    alarms: c.alarms.view(),
    lateness: c.lateness.view(),
    counters: { ...c.counters },
    refused: { ...refused },
  };
}
