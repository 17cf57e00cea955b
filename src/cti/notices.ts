/** What a box says to a program by itself: shapes for the client and the document. */

import { z } from 'zod';
import * as s from './schema.ts';

const role = z.enum(['primary', 'backup']);
const inStep = z.boolean().optional().describe('Both boxes have the same: nothing can be lost.');
const time = z.int().optional().describe('The pair clock now, in microseconds as in events.');

export const NOTICES = {
  hello: {
    about: 'First, over every connection, from either box.',
    params: z.looseObject({
      box: z.enum(['a', 'b']),
      role,
      epoch: z.int().describe('Reign number: grows by one at every takeover.'),
      position: z.int().describe('Position of the journal.'),
      inStep,
      time,
      release: z.string(),
      liveness: z.strictObject({
        periodMs: z.int().describe('Each side says something at least so often.'),
        misses: z.int().describe('Silent for so many of these, it is dead.'),
      }),
    }),
  },
  systemStatus: {
    about: 'The role of the box changed, or whether both boxes are in step.',
    params: z.looseObject({
      box: z.enum(['a', 'b']),
      role,
      epoch: z.int(),
      position: z.int(),
      inStep,
      time,
    }),
  },
  caughtUp: {
    about: 'What was missed was given; from here on events come as they happen.',
    params: z.looseObject({ position: z.int() }),
  },
  event: {
    about: 'Something happened that the session watches; once, whatever number of monitors match.',
    params: z.looseObject({
      id: z.int().describe('Only grows; by it a session is resumed.'),
      time: z.int().describe('Microseconds of the pair clock.'),
      event: s.eventName,
      callId: s.callId.optional(),
      globalCallId: z.string().optional(),
      cause: s.cause.optional(),
      connection: s.connection.optional(),
      localState: z.union([s.partyState, z.literal('null')]).optional(),
      parties: z.array(s.party).optional(),
      userData: s.userData.optional(),
      monitors: z.array(s.reference),
      requestId: z.union([z.int(), z.string()]).optional().describe('To the requester only.'),
    }),
  },
} as const;

export type Hello = z.infer<typeof NOTICES.hello.params>;
export type SystemStatus = z.infer<typeof NOTICES.systemStatus.params>;
export type CtiEvent = z.infer<typeof NOTICES.event.params>;
