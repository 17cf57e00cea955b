/**
 * Every service through the door, as a program asks for it: with nobody there, in a call, and again on
 * the box that takes over. It answers what its schema says or refuses with a code; it never throws; and
 * its name leads to a command.
 */

import test from 'ava';
import { type Method, type Params, SERVICES, type Service } from '../../src/cti/services.ts';
import type { Queue, RoutingPoint } from '../../src/proto/centre.ts';
import { SDP } from './call-lab.ts';
import { type Answer, CtiLab, Program, phone, programConfig } from './cti-lab.ts';

const alice = { callId: 1, deviceId: '1001' };
const bob = { callId: 1, deviceId: '1002' };
const other = { callId: 2, deviceId: '1001' };
const two = { heldCall: other, activeCall: alice };

/** What each service is asked with; door and session ones are elsewhere. */
const SAMPLES: { readonly [M in Method]?: Params<M> } = {
  ack: { upTo: 1 },
  monitorStart: { deviceId: '1001' },
  monitorStop: { monitor: 99 },
  changeMonitorFilter: { monitor: 99, filter: ['held'] },
  snapshotDevice: { deviceId: '1001' },
  snapshotCall: { callId: 1 },
  snapshotCalls: {},
  getDevices: {},
  makeCall: { callingDevice: '1001', calledNumber: '1002', userData: { a: '1' } },
  makePredictiveCall: { callingDevice: '1001', calledNumber: '1002' },
  answerCall: { connection: bob },
  clearConnection: { connection: bob },
  clearCall: { callId: 1 },
  holdCall: { connection: alice },
  retrieveCall: { connection: alice },
  alternateCall: two,
  reconnectCall: two,
  consultationCall: { existingCall: alice, consultedDevice: '1003' },
  transferCall: two,
  conferenceCall: two,
  singleStepTransferCall: { activeCall: alice, transferredTo: '1003' },
  singleStepConferenceCall: { activeCall: alice, deviceToJoin: '1003' },
  deflectCall: { connection: bob, newDestination: '1003' },
  generateDigits: { connection: alice, digits: '12#' },
  setMute: { connection: alice, muted: true },
  parkCall: { connection: alice, parkTo: '70' },
  directedPickupCall: { callToBePickedUp: bob, newDevice: '1003' },
  associateData: { callId: 1, attach: { name: 'Müller' } },
  routeRegister: { deviceId: '5000' },
  routeRegisterCancel: { registration: 9 },
  routeSelect: { routeId: 1, destination: '1002' },
  routeReject: { routeId: 1, cause: 'busy' },
  routeEnd: { routeId: 1 },
  applyTreatment: { routeId: 1, treatment: { kind: 'music' } },
  setAgentState: { deviceId: '1001', requestedAgentState: 'loggedOn', agentId: 'agent1' },
  getAgentState: { deviceId: '1001' },
  reserveAgent: { agentId: 'agent1', reserveMs: 1000 },
  snapshotAgents: {},
  snapshotQueues: {},
  setDoNotDisturb: { deviceId: '1001', doNotDisturbOn: true },
  getDoNotDisturb: { deviceId: '1001' },
  setForwarding: {
    deviceId: '1001',
    forwardingType: 'forwardBusy',
    activateForward: true,
    forwardDN: '1003',
  },
  getForwarding: { deviceId: '1001' },
  nailUp: { deviceId: '1001' },
  releaseNailed: { deviceId: '1001' },
  setMessageWaiting: { deviceId: '1001', messageWaitingOn: true },
  getMessageWaiting: { deviceId: '1001' },
  startMonitoring: { supervisor: '1003', deviceId: '1001' },
  changeMonitoring: { supervisor: '1003', mode: 'coach' },
  stopMonitoring: { supervisor: '1003' },
  startRecording: { connection: alice },
  pauseRecording: { connection: alice },
  resumeRecording: { connection: alice },
  stopRecording: { connection: alice },
};

const NO_ANSWER = { afterS: 0, overflow: [], action: 'none' } as const;
const POINT: RoutingPoint = {
  number: '5000',
  timeoutS: 10,
  defaults: ['1002'],
  hopLimit: 4,
  charge: 'answered',
  treatment: '',
  noAnswer: NO_ANSWER,
};
const QUEUE: Queue = {
  number: '6000',
  name: 'sales',
  charge: 'answered',
  treatment: '',
  maxCalls: 0,
  maxWaitS: 0,
  overflow: [],
  noAnswer: NO_ANSWER,
};

/** Three phones and a program; `talks`: 1001 talks with 1002. */
function scene(talks: boolean): { readonly cti: CtiLab; readonly desk: Program } {
  const cti = new CtiLab([programConfig('desk')], {
    points: { '5000': POINT },
    queues: { '6000': QUEUE },
    strict: 'no',
    services: [{ name: 'rec', kinds: ['recorder'], contact: 'sip:rec@192.0.2.99', msml: false }],
  });
  const desk = new Program(cti).start();
  const [a, b] = [1, 2, 3].map((n) => phone(cti, `100${n}`, `192.0.2.${n}`));
  if (!talks || a === undefined || b === undefined) return { cti, desk };
  const invite = a.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  a.send(invite);
  a.inbox();
  const toBob = b.take();
  b.reply(toBob, 180, 'bt');
  b.reply(toBob, 200, 'bt', SDP('bob'));
  const ok = a.inbox().at(-1);
  if (ok === undefined) throw new Error('no answer');
  a.ack(invite, ok);
  b.inbox();
  cti.settle();
  return { cti, desk };
}

function fits(service: Service, answer: Answer): string {
  if (answer.error !== undefined) {
    const { code } = answer.error.data;
    return code === 'notSupported' || code === 'invalidParameter' ? `refused: ${code}` : '';
  }
  const looked = service.result.safeParse(answer.result);
  return looked.success ? '' : JSON.stringify(looked.error.issues[0]);
}

for (const [method, service] of Object.entries(SERVICES) as [Method, Service][]) {
  const params = SAMPLES[method];
  if (params === undefined) {
    test(`${method} is of the door or of sessions`, (t) => {
      t.true(['door', 'session'].includes(service.kind) || method === 'stopSession');
    });
    continue;
  }
  for (const talks of [false, true]) {
    test(`${method} ${talks ? 'in a call' : 'with nobody there'}, and on the next box`, (t) => {
      const { cti, desk } = scene(talks);
      const first = desk.ask(method, params, 'it');
      t.is(fits(service, first), '');
      cti.swap(true);
      desk.resume(0);
      const again = desk.ask(method, params, 'it');
      if (service.kind === 'write') t.deepEqual(again, first, 'the same answer');
      else t.is(fits(service, again), '');
      cti.pass(200_000);
      t.notThrows(() => cti.swap(false));
    });
  }
}
