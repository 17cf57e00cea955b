/**
 * A router in 40 lines: calls at a routing point go to a queue, those of important callers to another,
 * with a word about them attached. Kill a box, or this program: callers wait, and go on.
 *
 *   node docs/examples/router.ts --point 5000 --queue 6000 --important 030,1002 --first 6001
 */

import { type CtiEvent, connect } from 'sipair/client';
import { options } from './options.ts';

const { own, ...where } = options({
  point: '5000',
  queue: '6000',
  important: '1002',
  first: '6001',
});
const client = await connect(where);

async function route(event: CtiEvent): Promise<void> {
  const routeId = Number(event['routeId']);
  const caller = `${event['callingDevice']}`;
  const matters = own.important.split(',').some((start) => caller.startsWith(start));
  const failed = event['failedRoute'] === undefined ? '' : ` (${event['failedRoute']} failed)`;
  const destination = matters ? own.first : own.queue;
  const userData = { caller, treatment: matters ? 'important' : 'usual' };
  await client.call('routeSelect', { routeId, destination, userData });
  console.log(`${caller} goes to ${destination}${failed}`);
}

client.on('event', (event) => {
  if (event.event !== 'routeRequest') return;
  // refused when the caller has hung up meanwhile
  route(event).catch((error: Error) => console.log(error.message));
});

const register = () => client.call('routeRegister', { deviceId: own.point });
client.on('afresh', register);
await register();
console.log(`routing ${own.point}`);
