/**
 * The words two boxes share. `pair/` is two machines that never touch a clock or a socket: the
 * *sentry* (roles, evidence, lease, VIP) runs on the main thread, the *mirror* (journal over the
 * crossover, gate) runs with the engine. They talk by the orders and reports below, whether between
 * two threads of a box or inside the simulator.
 */

import type { Epoch, Instant, Lsn, Millis, Mono } from '../base/units.ts';

export type BoxId = 'a' | 'b';
export type Redundancy = 'hot-standby' | 'warm-standby';
/** x: the crossover cable. l: the service LAN. */
export type Path = 'x' | 'l';

/**
 * starting: loaded, looking for the peer. backup: follows a primary and has no voice. promoting:
 * silence of the old primary is being proved, or the new reign is being made durable. primary: has
 * the VIP. resigning: primary that hands over by order.
 */
export type Role = 'starting' | 'backup' | 'promoting' | 'primary' | 'resigning';

/**
 * Why a box became primary, as logs, status and (later) SNMP say it. lan-lost: the other one handed
 * over because its service LAN was worse. engine-stuck: the other one's sentry stopped its own box.
 */
export type Cause =
  | 'cold-start'
  | 'switchover'
  | 'lan-lost'
  | 'engine-stuck'
  | 'peer-closed'
  | 'peer-silent'
  | 'operator';

/** An address that shows whether our service LAN works: the gateway, or what the operator names. */
export type Witness = {
  readonly address: string;
  /** arp: on the LAN itself. icmp: behind a router, or IPv6. */
  readonly by: 'arp' | 'icmp';
};

export type PairSettings = {
  readonly box: BoxId;
  readonly redundancy: Redundancy;
  /** Heartbeat interval on each path. */
  readonly heartbeatMs: Millis;
  /** Heartbeats in a row that may be missing before a path is red. */
  readonly missed: number;
  /** How long a renewed lease lasts; shorter than the address lifetime. */
  readonly leaseMs: Millis;
  /** Lifetime given to the VIP on its device, whole seconds. */
  readonly vipLifetimeS: number;
  /** Lease and address are renewed this often. */
  readonly renewMs: Millis;
  /**
   * Gap between two ARP probes (and two queries), and the wait after the last. Two are asked when
   * the kernel of the old primary ended its stream, six when it only fell silent.
   */
  readonly probeMs: Millis;
  /** Cold start: how long a box looks for its peer before it may promote itself. */
  readonly holdMs: Millis;
  /** Hot standby: how long an acknowledgement may be late before the primary goes alone. */
  readonly mirrorWaitMaxMs: Millis;
  /** When gratuitous ARP is repeated after a claim, from the claim; then every `garpRefreshMs`. */
  readonly garpAtMs: readonly Millis[];
  readonly garpRefreshMs: Millis;
  /** An engine that takes no turn for so long is stuck, if the other box could go on. */
  readonly engineStuckMs: Millis;
  /** … and if nobody could. */
  readonly engineStuckAloneMs: Millis;
  /** Asked whether our LAN works; none is allowed, then only carrier tells. */
  readonly witnesses: readonly Witness[];
  /** How often a witness is asked while the peer is heard over the LAN, and while it is not. */
  readonly witnessMs: Millis;
  readonly witnessFastMs: Millis;
  /** Questions in a row without an answer after which a witness is lost. */
  readonly witnessMissed: number;
  /** Between two switchovers that nobody asked for and nobody died for. */
  readonly flapMs: Millis;
  /** So many automatic switchovers within `flapWindowMs`, and further ones are held. */
  readonly flapMost: number;
  readonly flapWindowMs: Millis;
  /** A primary whose LAN showed nobody for so long is handed over whatever the flap guard says. */
  readonly lanDeadMs: Millis;
  /** A power or relay fence is there: a box that only fell silent is fenced before its VIP is taken. */
  readonly fence: boolean;
  /** How long the fence may take. */
  readonly fenceMs: Millis;
  /** Take the LAN port down and up once after a claim, for switches that ignore announcements. */
  readonly carrierBounce: boolean;
  /** VRRP router id and priority by which the rest of the LAN knows this pair; undefined: none. */
  readonly vrrp:
    | {
        readonly vrid: number;
        readonly priority: number;
        readonly intervalCs: number;
        /** IPv4 addresses are known by 00:00:5e:00:01:VRID (RFC 9568 7.3) instead of the port's MAC. */
        readonly virtualMac: boolean;
      }
    | undefined;
  /** The virtual addresses, IPv4 and IPv6, claimed and dropped as one. */
  readonly vips: readonly string[];
  /** Own and peer's IPv4 address on the service LAN. */
  readonly lanAddress: string;
  readonly peerLanAddress: string;
  /** Pair key, 32 bytes: all keys between the boxes come from it (`wire/derive.ts`). */
  readonly key: Uint8Array;
};

/**
 * What the engine lets the sentry read at any time (shared memory on a box). All numbers, so that
 * it fits a Float64Array; `standing.ts` names the places.
 */
export type Standing = {
  epoch: Epoch;
  /** The reign in which the last record here was made. */
  recordEpoch: Epoch;
  lsn: Lsn;
  chain: number;
  /** This box holds everything its peer acknowledged or sent: may stand for election. */
  inStep: boolean;
  /** Pair clock at which this box last became in step; 0 when it never did. */
  inStepAt: Instant;
  /** We know the peer to be stale: we went on without it. */
  peerStale: boolean;
  /** The engine counts its turns here; a stuck engine stops counting. */
  turns: number;
  pairNow: Instant;
  /** Crossover link of the mirror is established. */
  linkUp: boolean;
  calls: number;
};

/** Engine → sentry: things that happened once. */
export type Report =
  | {
      readonly kind: 'loaded';
      readonly epoch: Epoch;
      readonly lsn: Lsn;
      readonly chain: number;
      /** The last durable word of this box was that it is primary. */
      readonly wasPrimary: boolean;
      /** The last durable word of this box was that its peer is stale. */
      readonly peerStale: boolean;
      /** This box has never been in a pair. */
      readonly fresh: boolean;
    }
  /** The link went down without a goodbye: FIN, RST, or a fault in the stream. */
  | { readonly kind: 'link-closed' }
  /** The primary handed over: everything it did is applied here. */
  | { readonly kind: 'goodbye'; readonly epoch: Epoch }
  /** Our own reign is durable; the VIP may be claimed. */
  | { readonly kind: 'reigning'; readonly epoch: Epoch }
  /** Resigning: nothing is held any more, the peer acknowledged the last record. */
  | { readonly kind: 'flushed' }
  /** Resigning was not possible (the peer fell out of step): stay primary. */
  | { readonly kind: 'flush-refused'; readonly why: string };

/** Sentry → engine. */
export type Order =
  /** Drain what was received, make `epoch` durable, then report `reigning`. */
  | { readonly kind: 'reign'; readonly epoch: Epoch; readonly cause: Cause }
  /** The VIP is ours and announced: arm deadlines, resume rows, open the gate. */
  | { readonly kind: 'speak'; readonly epoch: Epoch }
  /** Be a backup of the primary with this epoch: no voice, join its mirror. */
  | { readonly kind: 'follow'; readonly epoch: Epoch }
  /** Stop reading SIP, release what is held, wait for the last acknowledgement, report `flushed`. */
  | { readonly kind: 'resign' }
  /** The VIP is gone: send the goodbye over the link and follow. */
  | { readonly kind: 'hand-over' }
  /** Resigning came to nothing: read again. */
  | { readonly kind: 'stay' }
  /** The operator wants a whole copy: a primary gives its peer one, a backup asks for one. */
  | { readonly kind: 'resync' };

export type SentryInput =
  | { readonly kind: 'heartbeat'; readonly path: Path; readonly bytes: Uint8Array }
  /** An Ethernet frame of the LAN about who has an address: ARP, or neighbour discovery. */
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  | { readonly kind: 'carrier'; readonly path: Path; readonly up: boolean }
  | { readonly kind: 'report'; readonly report: Report }
  /** A witness answered an ICMP echo. */
  | { readonly kind: 'echo'; readonly address: string }
  /** A VRRP packet heard on the LAN: what follows the IP header. */
  | {
      readonly kind: 'vrrp';
      readonly family: 4 | 6;
      readonly from: string;
      readonly ttl: number;
      readonly bytes: Uint8Array;
    }
  /** The fence did its work, or could not. */
  | { readonly kind: 'fenced'; readonly ok: boolean; readonly text: string }
  /** The edge did, or could not do, what the last `vip` effect asked. */
  | { readonly kind: 'vip'; readonly up: boolean; readonly error: string }
  | { readonly kind: 'operator'; readonly id: number; readonly command: OperatorCommand }
  /** Nothing happened but the deadline. */
  | { readonly kind: 'tick' };

export type OperatorCommand =
  | { readonly kind: 'switchover'; readonly force: boolean }
  | { readonly kind: 'promote' }
  | { readonly kind: 'resync' }
  /** The box is being switched off: give up the voice, whoever takes it. */
  | { readonly kind: 'retire' };

export type SentryEffect =
  | { readonly kind: 'heartbeat'; readonly path: Path; readonly bytes: Uint8Array }
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  /**
   * Take the device and address with a lifetime, or renew it, or let it go. Each is answered by
   * one `vip`, in order.
   */
  | { readonly kind: 'vip'; readonly action: 'claim' | 'renew' | 'drop' }
  /** Ask a witness by ICMP echo. */
  | { readonly kind: 'ping'; readonly address: string }
  /** Send a VRRP packet to the group of its family. */
  | { readonly kind: 'vrrp'; readonly family: 4 | 6; readonly bytes: Uint8Array }
  /** Cut the peer's power or port; answered by one `fenced`. */
  | { readonly kind: 'fence' }
  /** Take the LAN port down and up. */
  | { readonly kind: 'bounce' }
  /** End this process at once, without waiting for any thread of it. */
  | { readonly kind: 'abort'; readonly why: string }
  /** Shared memory: effects may leave until this moment of our monotonic clock; 0 is never. */
  | { readonly kind: 'lease'; readonly until: Mono }
  | { readonly kind: 'order'; readonly order: Order }
  | { readonly kind: 'answer'; readonly id: number; readonly ok: boolean; readonly text: string }
  | { readonly kind: 'log'; readonly level: 'info' | 'warning' | 'alarm'; readonly text: string };
