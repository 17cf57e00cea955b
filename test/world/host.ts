/**
 * An IPv4 host on the LAN as far as a failover needs one: addresses, an ARP cache that ages and is
 * verified, requests for unknown neighbours with the datagrams waiting behind them, and the ways
 * stacks differ in believing a gratuitous ARP (some read only the request form, some only the reply).
 *
 * Ageing follows the RFC 1122 §2.3.2.1 advice as Linux does it: an entry older than its reachable
 * time is still used but asked for by unicast; three unanswered questions and it is gone.
 */

import type { Frame } from './ether.ts';
import {
  ANY_IP,
  type Arp,
  arpFrame,
  BROADCAST,
  type Mac,
  NO_MAC,
  type Packet,
  readArp,
  type Udp,
} from './ether.ts';
import type { Queue } from './queue.ts';
import type { Switch } from './switch.ts';
import { TcpStack } from './tcp.ts';

/** Which form of gratuitous ARP this stack believes. */
export type Believes = 'both' | 'request' | 'reply';

type Neighbour = {
  mac: Mac | undefined;
  /** Last confirmation. */
  at: number;
  asked: number;
  askedAt: number;
  waiting: Packet[];
};

const ASK_EVERY = 1000;
const ASK_TIMES = 3;
/** An ordinary (not gratuitous) reply does not move an entry this young: Linux `locktime`. */
const LOCK = 1000;
/** Packets that wait for an address, the youngest: Linux `unres_qlen`. */
const WAITING_MAX = 101;

export class Host {
  readonly name: string;
  readonly mac: Mac;
  readonly addresses = new Set<string>();
  readonly neighbours = new Map<string, Neighbour>();
  believes: Believes = 'both';
  /** Age at which an entry wants to be verified. */
  reachable = 30_000;
  /** A datagram for one of our addresses. */
  onUdp: (udp: Udp) => void = () => {};
  /** Every ARP frame that came in, for a raw socket. */
  onArp: ((bytes: Uint8Array) => void) | undefined;
  readonly tcp: TcpStack;
  protected readonly queue: Queue;
  protected readonly lan: Switch;

  constructor(queue: Queue, lan: Switch, name: string, mac: Mac, ip: string) {
    this.queue = queue;
    this.lan = lan;
    this.name = name;
    this.mac = mac;
    this.addresses.add(ip);
    this.tcp = new TcpStack({
      queue,
      send: (tcp) => {
        this.sendPacket(tcp.srcIp, tcp.dstIp, { kind: 'tcp', tcp });
      },
    });
    lan.plug(
      name,
      (frame) => this.receive(frame),
      (up) => this.carrier(up),
    );
  }

  /** The MAC this host would send to for `ip`, undefined when it does not know. */
  macOf(ip: string): Mac | undefined {
    return this.neighbours.get(ip)?.mac;
  }

  /** @returns false when `srcIp` is not an address of this host: the kernel refuses (EINVAL). */
  send(udp: Udp): boolean {
    return this.sendPacket(udp.srcIp, udp.dstIp, { kind: 'udp', udp });
  }

  private sendPacket(srcIp: string, dstIp: string, packet: Packet): boolean {
    if (!this.addresses.has(srcIp)) return false;
    let n = this.neighbours.get(dstIp);
    if (n === undefined) {
      n = { mac: undefined, at: 0, asked: 0, askedAt: -ASK_EVERY, waiting: [] };
      this.neighbours.set(dstIp, n);
    }
    if (n.mac === undefined) {
      if (n.waiting.length >= WAITING_MAX) n.waiting.shift();
      n.waiting.push(packet);
      if (n.asked === 0) this.ask(dstIp, n);
      return true;
    }
    if (this.queue.now - n.at > this.reachable && n.asked === 0) this.ask(dstIp, n);
    this.lan.send(this.name, { ...packet, src: this.mac, dst: n.mac });
    return true;
  }

  /** Whether the host runs at all; a box without power is a host that is not alive. */
  protected alive(): boolean {
    return true;
  }

  protected carrier(_up: boolean): void {}

  /** Forgets its neighbours, as at boot. */
  protected forget(): void {
    this.neighbours.clear();
  }

  /** Forgets what waits to be sent from `srcIp`. */
  protected discard(srcIp: string): void {
    for (const n of this.neighbours.values()) {
      n.waiting = n.waiting.filter((p) => (p.kind === 'udp' ? p.udp : p.tcp).srcIp !== srcIp);
    }
  }

  private ask(ip: string, n: Neighbour): void {
    if (n.asked >= ASK_TIMES) {
      this.neighbours.delete(ip);
      return;
    }
    n.asked += 1;
    n.askedAt = this.queue.now;
    const [own] = this.addresses;
    this.lan.send(
      this.name,
      arpFrame(n.mac ?? BROADCAST, {
        op: 'request',
        senderMac: this.mac,
        senderIp: own as string,
        targetMac: NO_MAC,
        targetIp: ip,
      }),
    );
    const asked = n.asked;
    this.queue.after(ASK_EVERY, () => {
      if (this.neighbours.get(ip) === n && n.asked === asked && this.alive()) this.ask(ip, n);
    });
  }

  private receive(frame: Frame): void {
    if (!this.alive()) return;
    if (frame.dst !== BROADCAST && frame.dst !== this.mac) return;
    if (frame.kind === 'arp') {
      const arp = readArp(frame.bytes);
      if (arp !== undefined) this.receiveArp(arp);
      this.onArp?.(frame.bytes);
      return;
    }
    if (frame.kind === 'tcp') {
      if (this.addresses.has(frame.tcp.dstIp)) this.tcp.receive(frame.tcp);
      return;
    }
    if (this.addresses.has(frame.udp.dstIp)) this.onUdp(frame.udp);
  }

  private receiveArp(arp: Arp): void {
    if (arp.senderIp !== ANY_IP) this.learn(arp);
    if (arp.op !== 'request' || !this.addresses.has(arp.targetIp)) return;
    if (arp.senderIp === arp.targetIp) return;
    this.lan.send(
      this.name,
      arpFrame(arp.senderMac, {
        op: 'reply',
        senderMac: this.mac,
        senderIp: arp.targetIp,
        targetMac: arp.senderMac,
        targetIp: arp.senderIp,
      }),
    );
  }

  private learn(arp: Arp): void {
    let n = this.neighbours.get(arp.senderIp);
    if (n === undefined) {
      // who asks for us will be spoken to; anyone else is not worth an entry
      if (arp.op !== 'request' || !this.addresses.has(arp.targetIp)) return;
      n = { mac: undefined, at: 0, asked: 0, askedAt: 0, waiting: [] };
      this.neighbours.set(arp.senderIp, n);
    }
    const gratuitous = arp.senderIp === arp.targetIp;
    if (gratuitous) {
      if (this.believes !== 'both' && this.believes !== arp.op) return;
    } else if (n.mac !== undefined && n.mac !== arp.senderMac && this.queue.now - n.at < LOCK) {
      return;
    }
    n.mac = arp.senderMac;
    n.at = this.queue.now;
    n.asked = 0;
    const waiting = n.waiting;
    n.waiting = [];
    for (const late of waiting) {
      const packet: Packet =
        late.kind === 'udp' ? { kind: 'udp', udp: { ...late.udp, waited: true } } : late;
      this.lan.send(this.name, { ...packet, src: this.mac, dst: n.mac });
    }
  }
}
