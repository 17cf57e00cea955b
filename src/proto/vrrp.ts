/**
 * VRRP (RFC 9568) as this pair speaks it: one virtual router, one list of addresses a family.
 *
 * The election among our two boxes is not VRRP's (leases and fences do better); VRRP is what we say
 * to *others* that speak it on the service LAN, and how we learn that a stranger holds our VIP. So
 * of the RFC's machine the Active half speaks when the sentry says so, and the Backup half only
 * keeps a timer on the stranger:
 *
 *   call        says                                            then
 *   lead        an advertisement at once                        one every interval (`due`)
 *   quit        one with priority 0: others need not wait for   silent
 *               their timers (RFC 9568 6.4.3, Shutdown)
 *   rest        nothing, and takes back what was not taken out  silent
 *   preempt     one advertisement: a stranger of lower          as before
 *               priority goes back to Backup (6.4.3), so the
 *               address is free when we claim it
 *
 *   hear        who said it
 *   own         our own address; the socket does not loop, so another host has it
 *   peer        our other box
 *   lower, equal, higher   a stranger with our VRID, by its priority against ours: while we lead, a
 *               conflict. Priority 0 is lower: it is going away
 *   a fault     what the RFC says to discard (`wire/vrrp.ts`)
 *
 * A stranger is kept for three of *its* intervals and our skew (6.1: 3 * Active_Adver_Interval +
 * Skew_Time), one that said priority 0 for the skew only.
 *
 * IPv4 checksums have two readings (`wire/vrrp.ts`). Unless one is ordered we speak RFC 9568's until
 * another router of our VRID is heard, then always the form that was heard last: it is the one that
 * router understands, and one that does not understand us takes the VIP.
 */

import { type Fault, isFault } from '../base/fault.ts';
import { type Millis, type Mono, NEVER } from '../base/units.ts';
import { type Family, ipCanonical } from '../wire/ip.ts';
import {
  decodeVrrp,
  encodeVrrp,
  VRRP_FAULTS,
  type VrrpChecksum,
  type VrrpFault,
  type VrrpHeard,
  type VrrpPacket,
} from '../wire/vrrp.ts';

const FAMILIES = [4, 6] as const;
/** Active_Down_Interval is three intervals and the skew. */
const INTERVALS_MISSED = 3;

export type VrrpFamily = {
  /** Our own address on the LAN; for IPv6 the link-local one (RFC 9568 5.1.2.1). */
  readonly source: string;
  readonly vips: readonly string[];
};

export type VrrpOptions = {
  readonly vrid: number;
  readonly priority: number;
  /** Between two advertisements, hundredths of a second. */
  readonly intervalCs: number;
  readonly families: { readonly 4?: VrrpFamily; readonly 6?: VrrpFamily };
  /** Our other box's own addresses. */
  readonly peers: readonly string[];
  /** What IPv4 checksums cover; as it is heard unless given. */
  readonly checksum?: VrrpChecksum;
};

export type VrrpOut = { readonly family: Family; readonly bytes: Uint8Array };

export type VrrpVerdict = 'own' | 'peer' | 'lower' | 'equal' | 'higher' | Fault<VrrpFault>;

/** A router that is not ours and speaks for our VRID. */
export type VrrpNeighbour = {
  readonly family: Family;
  readonly ip: string;
  readonly priority: number;
  readonly intervalCs: number;
  /** When it was last heard. */
  readonly at: Mono;
  /** Active now; false: it has just said that it stops. */
  readonly leads: boolean;
  /** It speaks for the addresses that we speak for. If not, one of us is configured wrongly. */
  readonly sameAddresses: boolean;
  readonly checksum: VrrpChecksum;
};

export type VrrpCounters = {
  sent: number;
  /** Good ones, from whomever. */
  heard: number;
  strangers: number;
  /** Of strangers, with addresses other than ours. */
  otherAddresses: number;
  readonly faults: { [code in VrrpFault]: number };
};

type Kept = { readonly neighbour: VrrpNeighbour; readonly until: Mono };

export class VrrpSpeaker {
  readonly counters: VrrpCounters = {
    sent: 0,
    heard: 0,
    strangers: 0,
    otherAddresses: 0,
    faults: noFaults(),
  };
  readonly #options: VrrpOptions;
  readonly #interval: Millis;
  readonly #peers: ReadonlySet<string>;
  readonly #vips: { readonly [family in Family]: string };
  readonly #kept: { [family in Family]?: Kept } = {};
  #out: VrrpOut[] = [];
  #leads = false;
  /** A farewell. */
  #owed = false;
  #nextAt: Mono = NEVER;
  #form: VrrpChecksum;

  constructor(options: VrrpOptions) {
    this.#options = options;
    this.#interval = options.intervalCs * 10;
    this.#peers = new Set(options.peers.map(canonical));
    this.#vips = { 4: listed(options.families[4]?.vips), 6: listed(options.families[6]?.vips) };
    this.#form = options.checksum ?? 'message';
    // What cannot be said is found out now and not at a takeover.
    this.#say(options.priority);
    this.rest();
  }

  get leads(): boolean {
    return this.#leads;
  }

  /** Advertises now and from now on. Asked again while leading it does nothing. */
  lead(now: Mono): void {
    if (this.#leads) return;
    this.#leads = true;
    this.#owed = true;
    this.#say(this.#options.priority);
    this.#nextAt = now + this.#interval;
  }

  /** Says that we stop, if we led since it was last said: a moment of rest may lie between. */
  quit(): void {
    const owed = this.#owed;
    this.rest();
    this.#owed = false;
    if (!owed) return;
    this.#say(0);
  }

  /** Silent at once: the lease is lost, or nobody knows how long we slept. */
  rest(): void {
    this.#leads = false;
    this.#nextAt = NEVER;
    this.#out = [];
  }

  /** One advertisement, leading or not. */
  preempt(now: Mono): void {
    this.#say(this.#options.priority);
    if (this.#leads) this.#nextAt = now + this.#interval;
  }

  /** Advertises when it is time. @returns true when there is something to take out. */
  due(now: Mono): boolean {
    if (this.#leads && now >= this.#nextAt) {
      this.#say(this.#options.priority);
      // Late ones are not made good.
      this.#nextAt = Math.max(this.#nextAt + this.#interval, now + this.#interval / 2);
    }
    return this.#out.length > 0;
  }

  /** When `due` wants to be called. */
  deadline(): Mono {
    return this.#nextAt;
  }

  /** @returns what is to be sent now, each once. */
  takeOut(): readonly VrrpOut[] {
    const out = this.#out;
    this.#out = [];
    this.counters.sent += out.length;
    return out;
  }

  hear(now: Mono, packet: VrrpPacket): VrrpVerdict {
    const heard = decodeVrrp(packet, this.#options.vrid);
    if (isFault(heard)) {
      this.counters.faults[heard.fault] += 1;
      return heard;
    }
    this.counters.heard += 1;
    const ip = canonical(packet.from);
    const own = this.#options.families[packet.family]?.source;
    if (own !== undefined && ip === canonical(own)) return 'own';
    if (packet.family === 4 && this.#options.checksum === undefined) this.#form = heard.checksum;
    if (this.#peers.has(ip)) return 'peer';
    this.#keep(now, packet.family, ip, heard);
    const ours = this.#options.priority;
    if (heard.priority === ours) return 'equal';
    return heard.priority < ours ? 'lower' : 'higher';
  }

  /** @returns the stranger heard last, of one family or of both; undefined when it is gone. */
  neighbour(now: Mono, family?: Family): VrrpNeighbour | undefined {
    let newest: VrrpNeighbour | undefined;
    for (const f of FAMILIES) {
      const kept = this.#kept[f];
      if (kept === undefined || now >= kept.until || (family ?? f) !== f) continue;
      if (newest === undefined || kept.neighbour.at > newest.at) newest = kept.neighbour;
    }
    return newest;
  }

  #keep(now: Mono, family: Family, ip: string, heard: VrrpHeard): void {
    const sameAddresses = listed(heard.addresses) === this.#vips[family];
    this.counters.strangers += 1;
    if (!sameAddresses) this.counters.otherAddresses += 1;
    const { priority, intervalCs, checksum } = heard;
    const interval = intervalCs * 10;
    const skew = ((256 - this.#options.priority) * interval) / 256;
    const leads = priority > 0;
    this.#kept[family] = {
      neighbour: { family, ip, priority, intervalCs, at: now, leads, sameAddresses, checksum },
      until: now + skew + (leads ? INTERVALS_MISSED * interval : 0),
    };
  }

  /** Puts one advertisement a family out, instead of what nobody has taken yet. */
  #say(priority: number): void {
    const { vrid, intervalCs, families } = this.#options;
    this.#out = [];
    for (const family of FAMILIES) {
      const of = families[family];
      if (of === undefined || of.vips.length === 0) continue;
      const advert = { vrid, priority, intervalCs, addresses: of.vips };
      this.#out.push({ family, bytes: encodeVrrp(family, advert, of.source, this.#form) });
    }
  }
}

function noFaults(): { [code in VrrpFault]: number } {
  const none = Object.fromEntries(VRRP_FAULTS.map((code) => [code, 0]));
  return none as { [code in VrrpFault]: number };
}

/** Also what is no address has one form: itself. */
function canonical(ip: string): string {
  return ipCanonical(ip) ?? ip;
}

/** A list of addresses, whatever its order and spelling. */
function listed(addresses: readonly string[] | undefined): string {
  return [...(addresses ?? [])].map(canonical).sort().join(' ');
}
