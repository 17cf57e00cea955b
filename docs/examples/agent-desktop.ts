/**
 * An agent's desktop on a terminal: logs on, and does what is typed: ready, pause REASON, answer,
 * hang-up, after-call, off. Shows state and calls as they change.
 *
 *   node docs/examples/agent-desktop.ts --agent agent1001 --device 1001 --pin pw-1001
 */

import { createInterface } from 'node:readline';
import { connect, type Params } from 'sipair/client';
import { options } from './options.ts';

const { own, ...where } = options({ agent: 'agent1001', device: '1001', pin: 'pw-1001' });
const client = await connect(where);
const deviceId = own.device;
let callId = 0;

type State = Params<'setAgentState'>['requestedAgentState'];

async function ask(requestedAgentState: State, reason?: string): Promise<void> {
  const why = reason === undefined ? {} : { reason };
  await client.call('setAgentState', { deviceId, requestedAgentState, ...why });
}

async function obey(line: string): Promise<void> {
  const [word = '', ...rest] = line.trim().split(' ');
  const connection = { callId, deviceId };
  if (word === 'ready') await ask('ready');
  else if (word === 'pause') await ask('notReady', rest.join(' ') || 'pause');
  else if (word === 'after-call') await ask('workingAfterCall');
  else if (word === 'answer') await client.call('answerCall', { connection });
  else if (word === 'hang-up') await client.call('clearConnection', { connection });
  else if (word === 'off') {
    await ask('loggedOff');
    await client.close();
    process.exit(0);
  } else console.log('ready, pause REASON, answer, hang-up, after-call, off');
}

client.on('event', (event) => {
  const name = event.event;
  if (name.startsWith('agent')) {
    console.log(`${event['agentId']}: ${event['state'] ?? name} ${event['reason'] ?? ''}`.trim());
  } else if (event.connection?.deviceId === deviceId) {
    if (name === 'delivered' && event.callId !== undefined) callId = event.callId;
    console.log(`call ${event.callId}: ${name} ${JSON.stringify(event.userData ?? {})}`);
  }
});

async function begin(): Promise<void> {
  await client.call('monitorStart', { deviceId });
  const { agent: agentId, pin: password } = own;
  const requestedAgentState = 'loggedOn';
  await client.call('setAgentState', { deviceId, requestedAgentState, agentId, password });
}

client.on('afresh', begin);
await begin();
createInterface({ input: process.stdin }).on('line', (line) => {
  obey(line).catch((error: Error) => console.log(error.message));
});
