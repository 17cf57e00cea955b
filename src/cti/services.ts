/**
 * THE list of services for programs: name, who may, what it takes, what it answers. The validator at the
 * door, the types of the client and the document (`docs/cti.openrpc.json`) are made from it; what a
 * service does stands in `commands.ts`. Names are those of CSTA phase III (ECMA-269) where it has one.
 */

import { z } from 'zod';
import type { ProgramRole } from '../proto/centre.ts';
import * as s from './schema.ts';
import { CENTRE_SERVICES } from './services-centre.ts';

export type Service = {
  readonly about: string;
  /** One of these is needed; none: whoever has a session. */
  readonly roles: readonly ProgramRole[];
  /**
   * Parameters that name the devices it acts for: all of them are the program's own when `own-device` is
   * all it may. Without any it is not for such programs.
   */
  readonly acts: readonly string[];
  /**
   * door: done where the program is connected, on either box. session: makes one. read: changes
   * nothing, so it is not remembered and a repeat is done again. write: done once, whatever repeats.
   */
  readonly kind: 'door' | 'session' | 'read' | 'write';
  readonly params: z.ZodObject;
  readonly result: z.ZodType;
};

const OBSERVE: readonly ProgramRole[] = ['observe', 'control', 'route', 'supervise', 'own-device'];
const CONTROL: readonly ProgramRole[] = ['control', 'own-device'];

const ofCall = <P extends z.ZodObject, R extends z.ZodType>(
  about: string,
  acts: readonly string[],
  params: P,
  result: R,
) => ({ about, roles: CONTROL, acts, kind: 'write', params, result }) as const;

const oneConnection = z.strictObject({ connection: s.connection });
const twoCalls = z.strictObject({ heldCall: s.connection, activeCall: s.connection });
const madeCall = z.looseObject({ connection: s.connection, globalCallId: z.string() });

/** Sessions, and what is answered where the program is connected. */
const SESSION_SERVICES = {
  startSession: {
    about: 'Begins a session. It outlives connections and boxes: two minutes without any end it.',
    roles: [],
    acts: [],
    kind: 'session',
    params: z.strictObject({ program: s.text.min(1), password: s.text }),
    result: z.looseObject({
      session: z.string().describe('By this it is resumed; keep it secret.'),
      role: z.literal('primary'),
      position: z.int().describe('Later events have greater ids.'),
    }),
  },
  resumeSession: {
    about: 'Goes on with a session over a new connection: events after `since` follow.',
    roles: [],
    acts: [],
    kind: 'session',
    params: z.strictObject({
      program: s.text.min(1),
      password: s.text,
      session: s.text.min(1),
      since: z.int().min(0).describe('Id of the last event that was seen.'),
    }),
    result: z.looseObject({
      missed: z.int().describe('At most so many events follow for what was missed.'),
      position: z.int(),
    }),
  },
  stopSession: {
    about: 'Ends the session with its monitors.',
    roles: [],
    acts: [],
    kind: 'read',
    params: z.strictObject({}),
    result: s.done,
  },
  ack: {
    about: 'Events up to `upTo`, and answers up to that to `request`, came: they need not be kept.',
    roles: [],
    acts: [],
    kind: 'read',
    params: z.strictObject({
      upTo: z.int().min(0).optional(),
      request: z.union([z.int(), s.text]).optional(),
    }),
    result: z.looseObject({
      position: z.int().describe('Events up to here came, unless a gap is being given.'),
    }),
  },
  ping: {
    about: 'A sign of life.',
    roles: [],
    acts: [],
    kind: 'door',
    params: z.strictObject({}),
    result: s.done,
  },
  getSystemStatus: {
    about: 'What the box is now: role, epoch and position of the journal.',
    roles: [],
    acts: [],
    kind: 'door',
    params: z.strictObject({}),
    result: z.looseObject({
      box: z.enum(['a', 'b']),
      role: z.enum(['primary', 'backup']),
      epoch: z.int(),
      position: z.int(),
    }),
  },
} as const satisfies { readonly [method: string]: Service };

const MONITOR_SERVICES = {
  monitorStart: {
    about: 'Watches a device, a call, or everything: events follow.',
    roles: OBSERVE,
    acts: ['deviceId'],
    kind: 'write',
    params: z
      .strictObject({
        deviceId: s.deviceId.optional(),
        callId: s.callId.optional(),
        all: z.literal(true).optional(),
        filter: s.filter.optional(),
      })
      .refine((p) => Object.keys(p).filter((k) => k !== 'filter').length === 1, {
        message: 'one of deviceId, callId and all is needed',
      }),
    result: z.looseObject({ monitor: s.reference, position: z.int() }),
  },
  monitorStop: {
    about: 'Watches no longer.',
    roles: [],
    acts: [],
    kind: 'write',
    params: z.strictObject({ monitor: s.reference }),
    result: s.done,
  },
  changeMonitorFilter: {
    about: 'Leaves out other events from now on.',
    roles: [],
    acts: [],
    kind: 'write',
    params: z.strictObject({ monitor: s.reference, filter: s.filter }),
    result: s.done,
  },
  snapshotDevice: {
    about: 'The connections of a device as they are now.',
    roles: OBSERVE,
    acts: ['deviceId'],
    kind: 'read',
    params: z.strictObject({ deviceId: s.deviceId }),
    result: z.looseObject({
      deviceId: z.string(),
      position: z.int().describe('It shows what events up to this id said.'),
      connections: z.array(
        z.looseObject({
          connection: s.connection,
          localState: s.partyState,
          call: s.callView.optional(),
        }),
      ),
    }),
  },
  snapshotCall: {
    about: 'A call with its connections as it is now.',
    roles: OBSERVE.filter((role) => role !== 'own-device'),
    acts: [],
    kind: 'read',
    params: z.strictObject({ callId: s.callId }),
    result: s.callView.extend({ position: z.int() }),
  },
  snapshotCalls: {
    about: 'All calls as they are now, in pages: `more` goes into the next `from`.',
    roles: OBSERVE.filter((role) => role !== 'own-device'),
    acts: [],
    kind: 'read',
    params: z.strictObject({ from: z.int().min(0).optional() }),
    result: z.looseObject({
      calls: z.array(s.callView),
      position: z.int(),
      more: z.int().optional(),
    }),
  },
  getDevices: {
    about: 'The devices there are: extensions, routing points, queues.',
    roles: [],
    acts: [],
    kind: 'read',
    params: z.strictObject({}),
    result: z.looseObject({
      extensions: z.looseObject({ from: z.int(), to: z.int() }),
      routingPoints: z.array(z.string()),
      queues: z.array(z.string()),
    }),
  },
} as const satisfies { readonly [method: string]: Service };

const CALL_SERVICES = {
  makeCall: ofCall(
    'Calls from a device: its phone is called first, then the other one.',
    ['callingDevice'],
    z.strictObject({
      callingDevice: s.deviceId,
      calledNumber: s.called,
      userData: s.userData.optional(),
      autoOriginate: z.boolean().optional().describe('false: the phone rings, its user lifts.'),
    }),
    madeCall,
  ),
  makePredictiveCall: ofCall(
    'Calls a number; whoever answers is connected with the device, queue or routing point.',
    ['callingDevice'],
    z.strictObject({
      callingDevice: s.deviceId,
      calledNumber: s.called,
      userData: s.userData.optional(),
      noAnswerS: s.seconds.optional(),
    }),
    madeCall,
  ),
  answerCall: ofCall('Answers a ringing call.', ['connection'], oneConnection, s.done),
  clearConnection: ofCall('A device leaves a call.', ['connection'], oneConnection, s.done),
  clearCall: {
    ...ofCall('Ends a call for all.', [], z.strictObject({ callId: s.callId }), s.done),
    roles: ['control'],
  },
  holdCall: ofCall('Puts a call on hold.', ['connection'], oneConnection, s.done),
  retrieveCall: ofCall('Goes on with a held call.', ['connection'], oneConnection, s.done),
  alternateCall: ofCall(
    'Holds the active call and goes on with the held one.',
    ['heldCall', 'activeCall'],
    twoCalls,
    s.done,
  ),
  reconnectCall: ofCall(
    'Clears the active call and goes on with the held one.',
    ['heldCall', 'activeCall'],
    twoCalls,
    s.done,
  ),
  consultationCall: ofCall(
    'Holds the call and calls somebody else from the same device.',
    ['existingCall'],
    z.strictObject({
      existingCall: s.connection,
      consultedDevice: s.called,
      userData: s.userData.optional(),
    }),
    madeCall,
  ),
  transferCall: ofCall(
    'Connects the held and the active call; the device leaves both.',
    ['heldCall', 'activeCall'],
    twoCalls,
    s.done,
  ),
  conferenceCall: ofCall(
    'The held and the active call become one conference.',
    ['heldCall', 'activeCall'],
    twoCalls,
    s.done,
  ),
  singleStepTransferCall: ofCall(
    'Sends the other side of a call to another device, without asking it first.',
    ['activeCall'],
    z.strictObject({ activeCall: s.connection, transferredTo: s.called }),
    s.done,
  ),
  singleStepConferenceCall: ofCall(
    'Another device joins a call.',
    ['activeCall'],
    z.strictObject({
      activeCall: s.connection,
      deviceToJoin: s.called,
      participationType: z.enum(['active', 'silent']).optional(),
    }),
    s.done,
  ),
  deflectCall: ofCall(
    'Sends a ringing, queued or parked call elsewhere.',
    ['connection'],
    oneConnection.extend({ newDestination: s.called }),
    s.done,
  ),
  generateDigits: ofCall(
    'Sends digits (DTMF) in a call.',
    ['connection'],
    oneConnection.extend({
      digits: z
        .string()
        .max(32)
        .regex(/^[0-9*#A-D]+$/),
      durationMs: z.int().min(40).max(6000).optional(),
    }),
    s.done,
  ),
  setMute: ofCall(
    'A device is not heard, or is heard again.',
    ['connection'],
    oneConnection.extend({ muted: z.boolean() }),
    s.done,
  ),
  parkCall: ofCall(
    'Parks a call, at a number or at the device, to be picked up there.',
    ['connection'],
    oneConnection.extend({ parkTo: s.called.optional() }),
    s.done,
  ),
  directedPickupCall: ofCall(
    'A device takes a call that rings, waits or is parked elsewhere.',
    ['newDevice'],
    z.strictObject({
      callToBePickedUp: z.union([s.connection, s.deviceId]).describe('It, or where it is parked.'),
      newDevice: s.deviceId,
    }),
    s.done,
  ),
  associateData: ofCall(
    'Attaches, updates and deletes user data of a call; all who watch it are told.',
    ['deviceId'],
    z.strictObject({
      callId: s.callId,
      deviceId: s.deviceId.optional().describe('The device in the call for which this is done.'),
      attach: s.userData.optional(),
      delete: z.array(z.string().min(1).max(128)).max(256).optional(),
      deleteAll: z.boolean().optional().describe('First, before anything is attached.'),
    }),
    z.looseObject({ userData: s.userData }),
  ),
} as const satisfies { readonly [method: string]: Service };

export const SERVICES = {
  ...SESSION_SERVICES,
  ...MONITOR_SERVICES,
  ...CALL_SERVICES,
  ...CENTRE_SERVICES,
} as const satisfies { readonly [method: string]: Service };

export type Method = keyof typeof SERVICES;
/** What is not there is not there: nothing is `undefined`. */
type Defined<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]: Defined<Exclude<T[K], undefined>> }
    : T;
export type Params<M extends Method> = Defined<z.infer<(typeof SERVICES)[M]['params']>>;
export type Result<M extends Method> = z.infer<(typeof SERVICES)[M]['result']>;

export function serviceOf(method: string): Service | undefined {
  return Object.hasOwn(SERVICES, method) ? (SERVICES[method as Method] as Service) : undefined;
}
