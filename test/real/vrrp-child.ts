/**
 * The other process of vrrp.test.ts and virtual-mac.test.ts: it runs inside a network namespace and
 * does what it is told by lines of JSON, `{id, call, args}` in and `{id, result}` out. Also because
 * raw-socket is for a main thread, which no test of ava is.
 */

import process from 'node:process';
import { createInterface } from 'node:readline';
import { isFault } from '../../src/base/fault.ts';
import { bounceCarrier } from '../../src/edge/carrier.ts';
import { Pinger } from '../../src/edge/icmp.ts';
import { isOsError, netlite } from '../../src/edge/native/netlite.ts';
import { VipDevice } from '../../src/edge/tun.ts';
import { VirtualMac } from '../../src/edge/virtual-mac.ts';
import { VrrpSocket, type VrrpSocketOptions } from '../../src/edge/vrrp.ts';
import { type VrrpOptions, VrrpSpeaker } from '../../src/proto/vrrp.ts';
import { arpAnnouncement } from '../../src/wire/arp.ts';
import type { VrrpPacket } from '../../src/wire/vrrp.ts';

const OK = { ok: true };
const BEAT_MS = 5;
/** Seconds: longer than any of these tests. */
const LEASE = 60;

let speaker: VrrpSpeaker | undefined;
let pinger: Pinger | undefined;
let vmac: VirtualMac | undefined;
let vip: VipDevice | undefined;
const sockets: VrrpSocket[] = [];
const heard: { readonly at: number; readonly verdict: string; readonly ttl: number }[] = [];
const echoes: string[] = [];
const faults: unknown[] = [];

function must<T>(x: T): Exclude<T, { readonly osError: string }> {
  if (isOsError(x)) throw new Error(`${x.call}: ${x.osError}`);
  return x as Exclude<T, { readonly osError: string }>;
}

function spoken(): VrrpSpeaker {
  if (speaker === undefined) throw new Error('open first');
  return speaker;
}

/** Sends what is to be sent, now. */
function send(): { ok: true } | object {
  for (const { family, bytes } of spoken().takeOut()) {
    for (const socket of sockets) {
      if (socket.family !== family) continue;
      const fault = socket.send(bytes);
      if (fault !== undefined) faults.push(fault);
    }
  }
  return OK;
}

function onPacket(packet: VrrpPacket): void {
  const at = netlite.monotonic();
  const verdict = spoken().hear(at, packet);
  heard.push({ at, verdict: isFault(verdict) ? verdict.fault : verdict, ttl: packet.ttl });
}

type Calls = { readonly [name: string]: (...args: never[]) => unknown };
const calls: Calls = {
  open(options: VrrpOptions, where: VrrpSocketOptions[]) {
    speaker = new VrrpSpeaker(options);
    for (const one of where) {
      const socket = VrrpSocket.open(one, onPacket);
      if (isOsError(socket)) return socket;
      sockets.push(socket);
    }
    setInterval(() => {
      if (spoken().due(netlite.monotonic())) send();
    }, BEAT_MS);
    return OK;
  },
  lead() {
    spoken().lead(netlite.monotonic());
    return send();
  },
  quit() {
    spoken().quit();
    return send();
  },
  rest() {
    spoken().rest();
    return send();
  },
  preempt() {
    spoken().preempt(netlite.monotonic());
    return send();
  },
  neighbour: (family?: 4 | 6) => spoken().neighbour(netlite.monotonic(), family) ?? null,
  counters: () => spoken().counters,
  heard: () => heard.splice(0),
  faults: () => faults.splice(0),
  pingOpen(ifname: string, address: string) {
    const made = Pinger.open(ifname, address, (ip) => echoes.push(ip));
    if (isOsError(made)) return made;
    pinger = made;
    return OK;
  },
  ping: (ip: string) => pinger?.ping(ip) ?? OK,
  echoes: () => echoes.splice(0),
  vmacOpen(ifname: string, address: string, vrid: number) {
    const made = VirtualMac.open({ ifname, address, vrid });
    if (isOsError(made)) return made;
    vmac = made;
    return { mac: made.mac, device: made.device };
  },
  /** As a primary does: the address first, then the word. */
  claim(ip: string) {
    vip ??= must(VipDevice.open('vip0'));
    const fault = vip.claim([ip], LEASE) ?? vmac?.up([ip]);
    if (fault !== undefined) return fault;
    if (vmac !== undefined) vmac.send(arpAnnouncement(vmac.mac, ip));
    return calls['lead']?.();
  },
  release() {
    calls['quit']?.();
    return vip?.drop() ?? vmac?.down() ?? OK;
  },
  vmacClose() {
    vmac?.close();
    return OK;
  },
  bounce: (ifname: string) => bounceCarrier(ifname) ?? OK,
  close() {
    for (const socket of sockets.splice(0)) socket.close();
    pinger?.close();
    return OK;
  },
};

// Whoever tells us what to do has ended: so do we.
process.stdin.on('end', () => process.exit(0));
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, call, args } = JSON.parse(line) as { id: number; call: string; args: never[] };
  const f = calls[call];
  const result = f === undefined ? `no call ${call}` : f(...args);
  process.stdout.write(`${JSON.stringify({ id, result })}\n`);
});
process.stdout.write(`${JSON.stringify({ id: 0, result: 'up' })}\n`);
