/**
 * Screen pop: the page of a customer opens while the phone rings. Prints what a desktop would open.
 *
 *   node docs/examples/screen-pop.ts --boxes 192.0.2.11,192.0.2.12 --device 1001
 */

import { type CtiEvent, connect } from 'sipair/client';
import { options } from './options.ts';

const { own, ...where } = options({
  device: '1001',
  url: 'https://crm.example/?caller={caller}&ticket={ticket}',
});
const client = await connect(where);

function pop(event: CtiEvent): void {
  const values = { caller: event['callingDevice'], ticket: event.userData?.['ticket'] };
  const url = own.url.replace(/\{(caller|ticket)\}/g, (_, name: 'caller' | 'ticket') =>
    encodeURIComponent(`${values[name] ?? ''}`),
  );
  console.log(`call ${event.callId} rings: ${url}`);
}

client.on('event', (event) => {
  if (event.connection?.deviceId !== own.device) return;
  if (event.event === 'delivered') pop(event);
  if (event.event === 'established') console.log(`call ${event.callId} is answered`);
  if (event.event === 'connectionCleared') console.log(`call ${event.callId} is over`);
});

const watch = () => client.call('monitorStart', { deviceId: own.device });
client.on('afresh', watch);
await watch();
console.log(`watching ${own.device}`);
