/**
 * Click to dial: a device calls a number. Its own phone is called first; when its user is there, the
 * other one. Prints what becomes of it, and ends with the call.
 *
 *   node docs/examples/click-to-dial.ts --device 1000 --number 1001
 */

import { connect, RequestError } from 'sipair/client';
import { options } from './options.ts';

const { own, ...where } = options({ device: '1000', number: '1001', hangUpS: '' });
const client = await connect(where);

let mine = 0;
let talked = false;
client.on('event', ({ event, callId, connection, cause }) => {
  if (mine === 0 || callId !== mine) return;
  console.log(`${event} ${connection?.deviceId ?? ''} ${cause ?? ''}`.trimEnd());
  if (event === 'established' && connection?.deviceId === own.number) {
    talked = true;
    if (own.hangUpS !== '') setTimeout(hangUp, Number(own.hangUpS) * 1000);
  }
  const left = event === 'connectionCleared' && connection?.deviceId === own.device;
  if (left) void end(talked ? 0 : 1);
});

async function hangUp(): Promise<void> {
  await client.call('clearCall', { callId: mine });
}

async function end(code: number): Promise<never> {
  await client.close();
  process.exit(code);
}

try {
  // first the monitor, so that nothing is missed
  await client.call('monitorStart', { deviceId: own.device });
  const { connection } = await client.call('makeCall', {
    callingDevice: own.device,
    calledNumber: own.number,
    userData: { by: 'click-to-dial' },
  });
  mine = connection.callId;
  console.log(`call ${mine} is being made`);
} catch (error) {
  if (!(error instanceof RequestError)) throw error;
  console.log(`refused: ${error.code}: ${error.message}`);
  await end(2);
}
