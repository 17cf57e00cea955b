/**
 * The other process of the native tests: it runs inside a network namespace and does what it is told
 * by lines of JSON, `{id, call, args}` in and `{id, result}` out.
 */

import { Buffer } from 'node:buffer';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { isFault } from '../../src/base/fault.ts';
import { hasLinkLocal } from '../../src/edge/ipv6.ts';
import { isOsError, netlite } from '../../src/edge/native/netlite.ts';
import type { NetEvent } from '../../src/edge/netlink.ts';
import { Netlink, NetMonitor } from '../../src/edge/netlink.ts';
import { ArpSocket, NdSocket } from '../../src/edge/packet.ts';
import { VipDevice } from '../../src/edge/tun.ts';
import { Face, Hosts } from '../../src/pair/face.ts';

function must<T>(x: T): Exclude<T, { readonly osError: string }> {
  if (isOsError(x)) throw new Error(`${x.call}: ${x.osError}`);
  return x as Exclude<T, { readonly osError: string }>;
}

const netlink = must(Netlink.open());
const events: NetEvent[] = [];
/** Moments (CLOCK_MONOTONIC, the same in every process) at which the probed address answered. */
const replies: number[] = [];
const frames: string[] = [];
const renewals: unknown[] = [];
let vip: VipDevice | undefined;
let arp: ArpSocket | undefined;
let monitor: NetMonitor | undefined;
let face: Face | undefined;
let nd: NdSocket | undefined;
let holding = false;
const hosts = new Hosts();
const heard: object[] = [];
let ndFrames = 0;

function ip4(text: string): Buffer {
  return Buffer.from(text.split('.').map(Number));
}

/** Ethernet, then ARP who-has (RFC 826). */
function whoHas(mac: string, sender: string, target: string): Buffer {
  const own = Buffer.from(mac.replaceAll(':', ''), 'hex');
  const head = Buffer.from('08060001080006040001', 'hex');
  const none = Buffer.alloc(6);
  return Buffer.concat([Buffer.alloc(6, 0xff), own, head, own, ip4(sender), none, ip4(target)]);
}

function onFrame(frame: Uint8Array): void {
  const hex = Buffer.from(frame).toString('hex');
  frames.push(hex);
  // Operation 2, reply.
  if (hex.slice(40, 44) === '0002') replies.push(netlite.monotonic());
}

/** What the sentry does with a frame, without its roles: the holder answers. */
function onFaceFrame(frame: Uint8Array): void {
  const event = face?.take(frame);
  if (event === undefined) return;
  if (isFault(event)) {
    heard.push(event);
    return;
  }
  const { kind, vip: about, mac } = event;
  heard.push({ kind, vip: about, mac });
  if (kind === 'asked' || kind === 'host') hosts.remember(event);
  if (!holding || (kind !== 'asked' && kind !== 'probed')) return;
  if (event.reply !== undefined) must(nd?.send(event.reply));
}

function say(frames: readonly Uint8Array[]): object {
  for (const frame of frames) must((frame[12] === 0x86 ? nd : arp)?.send(frame));
  return { frames: frames.length };
}

type Calls = { readonly [name: string]: (...args: never[]) => unknown };
const calls: Calls = {
  vipOpen(name: string, ipv6 = false) {
    const made = VipDevice.open(name, ipv6);
    if (isOsError(made)) return made;
    vip = made;
    return { ok: true };
  },
  vipClaim: (ips: string[], seconds: number) => vip?.claim(ips, seconds) ?? { ok: true },
  /** Median cost of claim and drop of the group in microseconds. */
  claimCost(ips: string[]) {
    const each: number[] = [];
    for (let i = 0; i < 200; i++) {
      const from = netlite.monotonic();
      const claimed = vip?.claim(ips, 60);
      each.push(netlite.monotonic() - from);
      if (claimed !== undefined || vip?.drop() !== undefined) throw new Error('claim or drop');
    }
    each.sort((a, b) => a - b);
    return Math.round((each[100] ?? 0) * 1e4) / 10;
  },
  vipRenew: (seconds: number) => vip?.renew(seconds) ?? { ok: true },
  vipRenewEvery(seconds: number, ms: number) {
    setInterval(() => renewals.push(vip?.renew(seconds) ?? 'renewed'), ms);
    return { ok: true };
  },
  renewals: () => renewals.splice(0),
  vipDrop: () => vip?.drop() ?? { ok: true },
  vipClose: () => vip?.close() ?? { ok: true },
  faceOpen(ifname: string, vips: string[]) {
    face = new Face(vips, String(netlite.ifHwaddr(ifname)));
    const six = vips.filter((v) => v.includes(':'));
    const onNd = (frame: Uint8Array): void => {
      ndFrames++;
      onFaceFrame(frame);
    };
    const made = NdSocket.open(ifname, six, onNd);
    if (isOsError(made)) return made;
    nd = made;
    arp = must(ArpSocket.open(ifname, onFaceFrame));
    return { ok: true };
  },
  /** A takeover: the group is claimed and told to all, or only to those who asked for it. */
  faceTake(seconds: number, to: 'all' | 'hosts') {
    if (face === undefined) throw new Error('faceOpen first');
    const fault = vip?.claim(face.vips, seconds);
    if (fault !== undefined) return fault;
    holding = true;
    return say(to === 'all' ? face.announcements() : face.refreshers(hosts.list()));
  },
  faceProbe: () => say(face?.probes() ?? []),
  faceClose: () => nd?.close() ?? { ok: true },
  heard: () => heard.splice(0),
  hosts: () => hosts.list(),
  ndFrames: () => ndFrames,
  hasLinkLocal: (ifname: string) => hasLinkLocal(ifname),
  arpOpen(ifname: string) {
    const made = ArpSocket.open(ifname, onFrame);
    if (isOsError(made)) return made;
    arp = made;
    return { ok: true };
  },
  arpProbe(ifname: string, sender: string, target: string, everyMs: number) {
    const frame = whoHas(String(netlite.ifHwaddr(ifname)), sender, target);
    if (everyMs === 0) return arp?.send(frame) ?? { ok: true };
    setInterval(() => arp?.send(frame), everyMs);
    return { ok: true };
  },
  arpSend: (hex: string) => arp?.send(Buffer.from(hex, 'hex')) ?? { ok: true },
  arpErrors: () => ({ errors: arp?.errors, lastErrno: arp?.lastErrno }),
  replies: () => replies.splice(0),
  frames: () => frames.splice(0),
  monitor() {
    monitor = must(NetMonitor.open((event) => events.push(event)));
    return { ok: monitor !== undefined };
  },
  events: () => events.splice(0),
  /** Changes the tables without returning to the loop, so the monitor's socket overflows. */
  churn(ifname: string, times: number) {
    for (let i = 0; i < times; i++) {
      const ip = `10.9.${i >> 8}.${i & 255}`;
      must(netlink.addAddress({ ifname, ip, prefix: 32, validLftSec: 60 }));
      must(netlink.delAddress({ ifname, ip, prefix: 32 }));
    }
    return { ok: true };
  },
  /** Median cost of one address request in microseconds. */
  renewCost(ifname: string, ip: string) {
    const each: number[] = [];
    for (let i = 0; i < 2000; i++) {
      const from = netlite.monotonic();
      must(netlink.addAddress({ ifname, ip, prefix: 32, validLftSec: 60 }));
      each.push(netlite.monotonic() - from);
    }
    each.sort((a, b) => a - b);
    return Math.round((each[1000] ?? 0) * 1e4) / 10;
  },
  addAddress: (request: never) => netlink.addAddress(request) ?? { ok: true },
  delAddress: (name: never) => netlink.delAddress(name) ?? { ok: true },
  setLinkUp: (ifname: string) => netlink.setLinkUp(ifname) ?? { ok: true },
  setLinkDown: (ifname: string) => netlink.setLinkDown(ifname) ?? { ok: true },
  link: (ifname: string) => netlink.link(ifname),
  links: () => netlink.links(),
  addresses: (ifname: string) => netlink.addresses(ifname),
  hwaddr: (ifname: string) => netlite.ifHwaddr(ifname),
  fifo: (priority: number) => netlite.setFifo(netlite.gettid(), priority),
  tid: () => netlite.gettid(),
  freebind(ip: string) {
    return {
      udp: netlite.udpOpen(ip, 5060, false, false, '', 0),
      udpFree: netlite.udpOpen(ip, 5060, true, false, '', 0),
      tcp: netlite.tcpListen(ip, 5060, false, ''),
      tcpFree: netlite.tcpListen(ip, 5060, true, ''),
    };
  },
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, call, args } = JSON.parse(line) as { id: number; call: string; args: never[] };
  const result = calls[call]?.(...args);
  process.stdout.write(`${JSON.stringify({ id, result: result ?? null })}\n`);
});
process.stdin.on('end', () => process.exit(0));
process.stdout.write('{"id":0,"result":"up"}\n');
