/** Shapes that services share: what a device, a connection, a call is in a request or an answer. */

import { z } from 'zod';
import { CAUSES } from '../call/csta/causes.ts';
import { EVENT_NAMES } from '../call/csta/event.ts';
import { REFUSALS } from '../call/csta/refusal.ts';

/** An extension, a queue, a routing point, a number outside: what can be dialled. */
export const deviceId = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\x21-\x7e]+$/, 'printable, without spaces')
  .describe('An extension, queue or routing point; outside: the number.');

/** What is to be called. */
export const called = deviceId.describe('What is to be called, as it would be dialled.');

export const callId = z.int().min(1).describe('The call, unique in the life of the pair.');

export const connection = z
  .strictObject({ callId, deviceId })
  .describe('The part a device has in a call (ECMA-269 6.1.5).');

export const userData = z
  .record(z.string().min(1).max(128), z.string().max(8192))
  .describe('User data of the call: names and texts (CSTA correlator data).');

export const eventName = z.enum(EVENT_NAMES);
export const cause = z.enum(CAUSES);
export const refusalCode = z.enum(Object.keys(REFUSALS) as [keyof typeof REFUSALS]);

export const filter = z
  .array(eventName)
  .max(EVENT_NAMES.length)
  .describe('Events that are left out.');

export const agentId = z.string().min(1).max(64).regex(/^\S+$/);
export const text = z.string().max(256);
export const seconds = z.int().min(0).max(86_400);
export const reference = z.int().min(1);

export const partyState = z.enum([
  'initiated',
  'alerting',
  'connected',
  'hold',
  'queued',
  'failed',
]);

/** A connection as snapshots and events show it. */
export const party = z.looseObject({
  deviceId: z.string(),
  state: partyState,
  side: z.enum(['calling', 'called', 'joined']),
});

/** A call as snapshots show it. */
export const callView = z.looseObject({
  callId,
  globalCallId: z.string(),
  kind: z.enum(['internal', 'inbound', 'outbound', 'consult']),
  callingDevice: z.string(),
  calledDevice: z.string(),
  primaryCall: callId.optional(),
  userData: userData.optional(),
  startedAt: z.int().describe('Microseconds of the pair clock, as in events.'),
  connections: z.array(
    z.looseObject({
      connection,
      localState: partyState,
      side: z.enum(['calling', 'called', 'joined']),
    }),
  ),
});

export const done = z.looseObject({}).describe('Accepted; events tell what becomes of it.');
