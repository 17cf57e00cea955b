/**
 * Sends heartbeats that somebody recorded, or made up, from a host that is neither box: whole frames
 * with a borrowed source address. `replay.ts INTERFACE RATE SECONDS`; on standard input one datagram
 * a line: hardware address and address it goes to, address it claims to come from, bytes.
 */

import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { netlite } from '../../../src/edge/native/netlite.ts';

const PORT = 5405;
const [dev = '', rate = '500', seconds = '1'] = process.argv.slice(2);

const bytesOf = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex');
const ipOf = (ip: string): number[] => ip.split('.').map(Number);

function sum(header: Buffer): number {
  let total = 0;
  for (let at = 0; at < header.length; at += 2) total += header.readUInt16BE(at);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return ~total & 0xffff;
}

function frameOf(line: string, own: Buffer): Buffer {
  const [mac = '', to = '', from = '', hex = ''] = line.split(' ');
  const body = Buffer.from(hex, 'hex');
  const ip = Buffer.alloc(20);
  ip.set([0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17]);
  ip.writeUInt16BE(28 + body.length, 2);
  ip.set([...ipOf(from), ...ipOf(to)], 12);
  ip.writeUInt16BE(sum(ip), 10);
  // no checksum of UDP: IPv4 allows it
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(PORT, 0);
  udp.writeUInt16BE(PORT, 2);
  udp.writeUInt16BE(8 + body.length, 4);
  return Buffer.concat([bytesOf(mac), own, Buffer.from([8, 0]), ip, udp, body]);
}

const mac = netlite.ifHwaddr(dev);
// it only sends: the filter lets nothing in
const fd = netlite.openPacket(dev, 0x0800, Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0));
if (typeof mac !== 'string' || fd < 0) throw new Error(`no packet socket on ${dev}`);
const lines = (await text(process.stdin)).trim().split('\n');
const frames = lines.map((line) => frameOf(line, bytesOf(mac)));
const began = performance.now();
let sent = 0;
while (performance.now() - began < Number(seconds) * 1000) {
  const due = ((performance.now() - began) / 1000) * Number(rate);
  while (sent < due) {
    const frame = frames[sent % frames.length] as Buffer;
    if (netlite.send(fd, frame, 0, frame.length) < 0) throw new Error('not sent');
    sent += 1;
  }
  await sleep(2);
}
netlite.close(fd);
process.stdout.write(`${sent}\n`);
