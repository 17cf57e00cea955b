/** Services of the contact centre: routing, agents, features of devices, supervision, recording. */

import { z } from 'zod';
import type { ProgramRole } from '../proto/centre.ts';
import * as s from './schema.ts';
import type { Service } from './services.ts';

const CONTROL: readonly ProgramRole[] = ['control', 'own-device'];
const OBSERVE: readonly ProgramRole[] = ['observe', 'control', 'route', 'supervise', 'own-device'];

type Kind = 'read' | 'write';

const service = <P extends z.ZodObject, R extends z.ZodType, K extends Kind>(
  about: string,
  roles: readonly ProgramRole[],
  acts: readonly string[],
  kind: K,
  params: P,
  result: R,
) => ({ about, roles, acts, kind, params, result }) as const;

const ROUTE: readonly ProgramRole[] = ['route'];
const SUPERVISE: readonly ProgramRole[] = ['supervise'];

const routeId = s.reference.describe('The `routeId` of the event routeRequest.');
const device = z.strictObject({ deviceId: s.deviceId });
const MODES = ['silent', 'coach', 'join'] as const;
const AGENT_STATES = ['loggedOn', 'loggedOff', 'notReady', 'ready', 'workingAfterCall'] as const;
const FORWARDINGS = ['forwardImmediate', 'forwardBusy', 'forwardNoAns'] as const;

const treatment = z.strictObject({
  kind: z.enum(['prompt', 'music', 'ringback', 'busy', 'fastBusy', 'silence', 'collect']),
  prompt: s.text.optional().describe('What is played: a name the media service knows, or digits.'),
  repeat: z.int().min(1).max(1000).optional(),
  durationS: s.seconds.optional(),
  charge: z
    .enum(['early', 'answered'])
    .optional()
    .describe('Heard before or after the answer; after an answer nothing is early any more.'),
  leastDigits: z.int().min(0).max(64).optional().describe('collect: fewer are told as not enough.'),
  totalS: s.seconds.optional().describe('collect: patience in all.'),
  digits: z.int().min(1).max(64).optional().describe('collect: so many are waited for.'),
  firstDigitS: s.seconds.optional(),
  interDigitS: s.seconds.optional(),
  terminator: z
    .string()
    .regex(/^[0-9*#]?$/)
    .optional(),
});

const ROUTING = {
  routeRegister: service(
    'Routes the calls of a routing point; without one, of all. Their events carry `monitor`.',
    ROUTE,
    [],
    'write',
    z.strictObject({ deviceId: s.deviceId.optional() }),
    z.looseObject({
      registration: s.reference,
      monitor: s.reference.describe(
        'Stands in `monitors` of the events of calls it routes; ends with the registration.',
      ),
    }),
  ),
  routeRegisterCancel: service(
    'Routes no longer.',
    ROUTE,
    [],
    'write',
    z.strictObject({ registration: s.reference }),
    s.done,
  ),
  routeSelect: service(
    'Sends a call that waits at a routing point to a destination.',
    ROUTE,
    [],
    'write',
    z.strictObject({
      routeId,
      destination: s.called,
      userData: s.userData.optional(),
      callingDevice: s.deviceId.optional(),
      noAnswerS: s.seconds.optional(),
      overflow: z
        .array(s.called)
        .max(16)
        .optional()
        .describe('Tried in turn after no answer: numbers, `recall`, `release`.'),
      record: z
        .boolean()
        .optional()
        .describe(
          'The call is recorded as soon as it is answered; without a recorder it goes on unrecorded.',
        ),
    }),
    s.done,
  ),
  routeReject: service(
    'Refuses a call that waits at a routing point.',
    ROUTE,
    [],
    'write',
    z.strictObject({ routeId, cause: z.enum(['busy', 'rejected', 'invalid']).optional() }),
    s.done,
  ),
  routeEnd: service(
    'The router has nothing to say: default routing, at once.',
    ROUTE,
    [],
    'write',
    z.strictObject({ routeId }),
    s.done,
  ),
  applyTreatment: service(
    'The waiting caller hears something, or is asked for digits.',
    ROUTE,
    [],
    'write',
    z.strictObject({ routeId, treatment }),
    s.done,
  ),
} as const satisfies { readonly [method: string]: Service };

const AGENTS = {
  setAgentState: service(
    'Logs an agent on or off, makes him ready or not.',
    CONTROL,
    ['deviceId'],
    'write',
    z.strictObject({
      deviceId: s.deviceId,
      requestedAgentState: z.enum(AGENT_STATES),
      agentId: s.agentId.optional(),
      password: s.text.optional(),
      reason: s.text.optional(),
      queues: z.array(s.deviceId).max(64).optional(),
      force: z
        .boolean()
        .optional()
        .describe('Whoever is in the way is logged off. Not for own-device.'),
    }),
    s.done,
  ),
  getAgentState: service(
    'The agent at a device and his state.',
    OBSERVE,
    ['deviceId'],
    'read',
    device,
    z.looseObject({ deviceId: z.string() }),
  ),
  reserveAgent: service(
    'Keeps an agent free for one call, for so long.',
    ROUTE,
    [],
    'write',
    z.strictObject({
      agentId: s.agentId,
      reserveMs: z.int().min(0).max(60_000).describe('0: he is given back.'),
    }),
    s.done,
  ),
  snapshotAgents: service(
    'Agents who are logged on, of a queue or all, in pages: `more` goes into the next `from`.',
    OBSERVE.filter((role) => role !== 'own-device'),
    [],
    'read',
    z.strictObject({ queue: s.deviceId.optional(), from: z.int().min(0).optional() }),
    z.looseObject({
      agents: z.array(z.looseObject({ agentId: z.string() })),
      more: z.int().optional(),
    }),
  ),
  snapshotQueues: service(
    'Queues: calls that wait and since when, agents.',
    OBSERVE.filter((role) => role !== 'own-device'),
    [],
    'read',
    z.strictObject({ queue: s.deviceId.optional() }),
    z.looseObject({ queues: z.array(z.looseObject({ deviceId: z.string() })) }),
  ),
} as const satisfies { readonly [method: string]: Service };

const FEATURES = {
  setDoNotDisturb: service(
    'Calls do not ring at the device, or do again.',
    CONTROL,
    ['deviceId'],
    'write',
    device.extend({ doNotDisturbOn: z.boolean() }),
    s.done,
  ),
  getDoNotDisturb: service(
    'Whether calls ring at the device.',
    OBSERVE,
    ['deviceId'],
    'read',
    device,
    z.looseObject({ doNotDisturbOn: z.boolean() }),
  ),
  nailUp: service(
    'The phone of the device is called once, and stays connected between calls.',
    CONTROL,
    ['deviceId'],
    'write',
    device,
    s.done,
  ),
  releaseNailed: service(
    'It is hung up, at once or when its call is over.',
    CONTROL,
    ['deviceId'],
    'write',
    device,
    s.done,
  ),
  setForwarding: service(
    'Calls to the device go elsewhere, or no more.',
    CONTROL,
    ['deviceId'],
    'write',
    device.extend({
      forwardingType: z.enum(FORWARDINGS),
      activateForward: z.boolean(),
      forwardDN: s.called.optional(),
      ringDuration: z.int().min(1).max(180).optional().describe('Seconds, before forwardNoAns.'),
    }),
    s.done,
  ),
  getForwarding: service(
    'Where calls to the device go.',
    OBSERVE,
    ['deviceId'],
    'read',
    device,
    z.looseObject({
      forwarding: z.array(
        z.looseObject({
          forwardingType: z.enum(FORWARDINGS),
          forwardStatus: z.boolean(),
          forwardDN: z.string().optional(),
        }),
      ),
    }),
  ),
  setMessageWaiting: service(
    'The lamp of the device is lit or not (RFC 3842).',
    CONTROL,
    ['deviceId'],
    'write',
    device.extend({ messageWaitingOn: z.boolean() }),
    s.done,
  ),
  getMessageWaiting: service(
    'Whether the lamp of the device is lit.',
    OBSERVE,
    ['deviceId'],
    'read',
    device,
    z.looseObject({ messageWaitingOn: z.boolean() }),
  ),
} as const satisfies { readonly [method: string]: Service };

const SUPERVISION = {
  startMonitoring: service(
    'A supervisor listens to a device: its present call, its next, or all.',
    SUPERVISE,
    [],
    'write',
    z.strictObject({
      supervisor: s.deviceId,
      deviceId: s.deviceId.optional().describe('The device listened to; or else the agent.'),
      agentId: s.agentId.optional().describe('The agent listened to, wherever he is logged on.'),
      mode: z.enum(MODES).optional(),
      scope: z.enum(['call', 'nextCalls']).optional(),
      tellDevice: z.boolean().optional().describe('The device is told that somebody listens.'),
    }),
    s.done,
  ),
  changeMonitoring: service(
    'The supervisor is heard by nobody, by the agent, or by all.',
    SUPERVISE,
    [],
    'write',
    z.strictObject({
      supervisor: s.deviceId,
      deviceId: s.deviceId.optional(),
      mode: z.enum(MODES),
    }),
    s.done,
  ),
  stopMonitoring: service(
    'The supervisor listens no longer.',
    SUPERVISE,
    [],
    'write',
    z.strictObject({ supervisor: s.deviceId, deviceId: s.deviceId.optional() }),
    s.done,
  ),
} as const satisfies { readonly [method: string]: Service };

const recorded = z.strictObject({ connection: s.connection });
const RECORDING = {
  startRecording: service('Records a call.', CONTROL, ['connection'], 'write', recorded, s.done),
  pauseRecording: service(
    'What is said now is not recorded.',
    CONTROL,
    ['connection'],
    'write',
    recorded,
    s.done,
  ),
  resumeRecording: service('Records again.', CONTROL, ['connection'], 'write', recorded, s.done),
  stopRecording: service('Ends a recording.', CONTROL, ['connection'], 'write', recorded, s.done),
} as const satisfies { readonly [method: string]: Service };

export const CENTRE_SERVICES = { ...ROUTING, ...AGENTS, ...FEATURES, ...SUPERVISION, ...RECORDING };
