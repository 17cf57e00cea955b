/**
 * The other process of native.test.ts: it runs inside a network namespace and does what it is told
 * by lines of JSON, `{id, call, args}` in and `{id, result}` out.
 */

import { Buffer } from 'node:buffer';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { isOsError, netlite } from '../../src/edge/native/netlite.ts';
import type { NetEvent } from '../../src/edge/netlink.ts';
import { Netlink, NetMonitor } from '../../src/edge/netlink.ts';
import { ArpSocket } from '../../src/edge/packet.ts';
import { VipDevice } from '../../src/edge/tun.ts';

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

type Calls = { readonly [name: string]: (...args: never[]) => unknown };
const calls: Calls = {
  vipOpen(name: string) {
    const made = VipDevice.open(name);
    if (isOsError(made)) return made;
    vip = made;
    return { ok: true };
  },
  vipAdd: (ip: string, seconds: number) => vip?.add(ip, seconds) ?? { ok: true },
  vipRenew: (seconds: number) => vip?.renew(seconds) ?? { ok: true },
  vipRenewEvery(seconds: number, ms: number) {
    setInterval(() => renewals.push(vip?.renew(seconds) ?? 'renewed'), ms);
    return { ok: true };
  },
  renewals: () => renewals.splice(0),
  vipDrop: () => vip?.drop() ?? { ok: true },
  vipClose: () => vip?.close() ?? { ok: true },
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
  mlockall: () => netlite.mlockall(),
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
