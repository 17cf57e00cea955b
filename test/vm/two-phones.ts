/**
 * Two phones on the LAN of two virtual appliances, in a process of their own (the namespace is the process's): they register at
 * the VIP, one calls the other, they talk until told to stop. A line of JSON for whatever happens; a word on standard input is
 * done: `call`, `reinvite`, `hangup`, `end`.
 */

import { createInterface } from 'node:readline';
import { Phone, type PhoneEvents } from '../lab/phone.ts';
import { HOST_ADDRESS, PHONE_ADDRESSES, SIP_PORT, VIP } from '../lab/places.ts';

function say(what: string, more: object = {}): void {
  process.stdout.write(`${JSON.stringify({ what, ...more, at: Date.now() })}\n`);
}

const events: PhoneEvents = {
  ringing: (phone, from) => say('ringing', { phone: phone.number, from }),
  established: (phone) => say('established', { phone: phone.number }),
  failed: (phone, why) => say('failed', { phone: phone.number, why }),
  ended: (phone) => say('ended', { phone: phone.number }),
  broken: (phone, why) => say('broken', { phone: phone.number, why }),
};

const phones = ['1001', '1002'].map((number, i) => {
  const settings = {
    ...{ number, address: PHONE_ADDRESSES[i] ?? HOST_ADDRESS, port: SIP_PORT, expires: 120 },
    ...{ server: { address: VIP, port: SIP_PORT }, password: undefined, ringMs: () => 500 },
  };
  return new Phone(settings, events);
});
const [first, second] = phones as [Phone, Phone];

for (const phone of phones) {
  await phone.start();
  phone.register();
}

let registered = false;
const watch = setInterval(() => {
  if (registered === phones.every((p) => p.registered)) return;
  registered = !registered;
  say(registered ? 'registered' : 'unregistered');
}, 100);

createInterface({ input: process.stdin }).on('line', (word) => {
  switch (word) {
    case 'call':
      return first.call(second.number);
    case 'reinvite':
      return first.reinvite(() => say('reinvited', { faults: first.faults + second.faults }));
    case 'hangup':
      return first.hangUp();
    default:
      clearInterval(watch);
      for (const phone of phones) phone.stop();
      process.exit(0);
  }
});
