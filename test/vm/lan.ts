/**
 * What is on the LAN of two virtual appliances while they are upgraded, in a process of its own: two phones in one call that
 * lasts, six that call each other again and again, an OPTIONS twice a second, and a web server with bundles. A line of JSON
 * every second, and for every call that comes to a bad end. The end of standard input ends it.
 */

import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import { Demo } from '../lab/demo.ts';
import { Phone, type PhoneEvents } from '../lab/phone.ts';
import { Pinger } from '../lab/pinger.ts';
import { HOST_ADDRESS, PHONE_ADDRESSES, SIP_PORT, VIP } from '../lab/places.ts';
import { BUNDLES } from './places.ts';

const PING_MS = 500;
const REINVITE_MS = 15_000;
/** Emulated boxes: a few calls a minute. */
const PACE = {
  idleMs: [2000, 6000],
  ringMs: [500, 2000],
  talkMs: [5000, 25_000],
  reinvite: 0.4,
} as const;
/** What the operator's page calls it. */
const NAMES: { readonly [name: string]: string } = { 'sipair-0.2.0.raucb': 'next.raucb' };

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const server = { address: VIP, port: SIP_PORT };
const settings = (index: number) => ({
  ...{ number: String(1001 + index), address: PHONE_ADDRESSES[index] ?? HOST_ADDRESS },
  ...{ port: SIP_PORT, server, password: undefined, expires: 120 },
});

/** The call that lasts. */
const lasting = { established: 0, reinvited: 0, lost: 0, why: '' };
function bad(_phone: Phone, why: string): void {
  lasting.lost++;
  lasting.why = why;
  say({ what: 'lost', why });
}
const events: PhoneEvents = {
  ringing: () => {},
  established: () => lasting.established++,
  failed: bad,
  broken: bad,
  ended: (phone) => bad(phone, 'ended'),
};
const [first, second] = [0, 1].map(
  (i) => new Phone({ ...settings(i), ringMs: () => 500 }, events),
) as [Phone, Phone];
const demo = new Demo({
  phones: [2, 3, 4, 5, 6, 7].map(settings),
  pace: PACE,
  event: (event) => say({ ...event, what: event.what }),
});
const pinger = new Pinger(HOST_ADDRESS, server, PING_MS);

createServer((request, response) => {
  const name = basename(request.url ?? '');
  const file = join(BUNDLES, NAMES[name] ?? name);
  if (!existsSync(file)) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-length': statSync(file).size });
  createReadStream(file).pipe(response);
}).listen(80, HOST_ADDRESS);

for (const phone of [first, second]) {
  await phone.start();
  phone.register();
}
await demo.start();
await pinger.start();

setInterval(() => {
  if (first.leg === undefined && lasting.lost === 0 && first.registered && second.registered) {
    first.call(second.number);
  }
}, 1000);
setInterval(() => {
  if (first.leg?.state === 'established') first.reinvite(() => lasting.reinvited++);
}, REINVITE_MS);
setInterval(() => {
  const silentMs = Math.round(pinger.worstMs());
  say({ what: 'counts', ...demo.counts(), lasting, silentMs, at: Date.now() });
}, 1000);

process.stdin.on('data', () => {});
process.stdin.on('end', () => process.exit(0));
