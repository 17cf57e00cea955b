/**
 * Who answers ARP for the VIP, asked from the host `lan` many times a second. Prints one JSON line a
 * second: {"answers": {MAC: n}, "twoMs": t, "silentMs": s}: how long two hardware addresses answered
 * at once without a pause, and the longest time in which nobody did.
 */

import { ArpSocket } from '../../src/edge/packet.ts';
import { BROADCAST, decodeArp, encodeArp, NO_MAC } from '../../src/wire/arp.ts';
import { HOST_ADDRESS, LAN_MAC, VIP } from '../lab/places.ts';

const EVERY_MS = 25;
/** Two answers further apart than this belong to two questions. */
const AT_ONCE_MS = 100;

const own = LAN_MAC.lan;
const seen = new Map<string, number>();
let answers: Record<string, number> = {};
let twoSince = 0;
let twoMs = 0;
let silentSince = performance.now();
let silentMs = 0;

function answered(mac: string): void {
  const now = performance.now();
  answers[mac] = (answers[mac] ?? 0) + 1;
  silentMs = Math.max(silentMs, now - silentSince);
  silentSince = now;
  seen.set(mac, now);
  const others = [...seen].filter(([m, at]) => m !== mac && now - at < AT_ONCE_MS);
  if (others.length === 0) {
    // One alone has answered twice in a row: whatever two said before is over.
    if (![...seen].some(([m, at]) => m !== mac && now - at < AT_ONCE_MS * 2)) twoSince = 0;
    return;
  }
  if (twoSince === 0) twoSince = now;
  twoMs = Math.max(twoMs, now - twoSince);
}

const socket = ArpSocket.open('lan0', (frame) => {
  const arp = decodeArp(frame);
  if (!('op' in arp) || arp.op !== 'reply' || arp.senderIp !== VIP) return;
  // Only answers to us: a gratuitous reply is an announcement.
  if (arp.ethDst === own) answered(arp.senderMac);
});
if (!('send' in socket)) throw new Error(`${socket.call}: ${socket.osError}`);

const question = encodeArp({
  op: 'request',
  ethDst: BROADCAST,
  ethSrc: own,
  senderMac: own,
  senderIp: HOST_ADDRESS,
  targetMac: NO_MAC,
  targetIp: VIP,
});

setInterval(() => socket.send(question), EVERY_MS);
setInterval(() => {
  silentMs = Math.max(silentMs, performance.now() - silentSince);
  process.stdout.write(`${JSON.stringify({ answers, twoMs, silentMs })}\n`);
  answers = {};
  twoMs = 0;
  silentMs = 0;
}, 1000);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
