/**
 * Programs and calls that wait at a routing point: who is sent there, and taken from there, at every step
 * of which the box is replaced. Its router never answers; after two
 * seconds its calls go to 1003.
 */

import test from 'ava';
import { clearConnection } from '../../src/call/control/clear.ts';
import { consultationCall, makeCall, makePredictiveCall } from '../../src/call/control/make.ts';
import {
  deflectCall,
  singleStepTransferCall,
  transferCall,
} from '../../src/call/control/transfer.ts';
import type { Done, Refusal } from '../../src/call/csta/refusal.ts';
import { PARTY } from '../../src/call/csta/rows.ts';
import { routeRegister } from '../../src/call/distribute/router.ts';
import type { Context } from '../../src/proto/context.ts';
import { type Cast, command, end, faults, settle, stage, view } from './control-lab.ts';
import type { TransferPhone } from './transfer-phone.ts';

const POINT = '5000';

function party(cx: Context, device: string, state: string) {
  const found = [...cx.store.all(PARTY, 'device', device)].filter((p) => p.state === state).at(-1);
  return { callId: found?.ccall ?? 0, deviceId: device };
}

type Act = (cx: Context) => Done | Refusal;
type Play = {
  readonly talk: boolean;
  readonly acts: readonly (readonly [Act, number])[];
  /** Devices in a call with each other in the end. */
  readonly ends: string;
};

const talks = (cx: Context) => party(cx, '1001', 'connected');
const PLAYS: { readonly [name: string]: Play } = {
  'a call made to the point': {
    talk: false,
    acts: [[(cx) => makeCall(cx, { callingDevice: '1001', calledDevice: POINT }), 5000]],
    ends: '1001 connected, 1003 connected',
  },
  'a predictive call for the point': {
    talk: false,
    acts: [[(cx) => makePredictiveCall(cx, { callingDevice: POINT, calledDevice: '1004' }), 5000]],
    ends: '1003 connected, 1004 connected',
  },
  'one step to the point': {
    talk: true,
    acts: [
      [(cx) => singleStepTransferCall(cx, { connection: talks(cx), transferredTo: POINT }), 5000],
    ],
    ends: '1002 connected, 1003 connected',
  },
  'a consultation that waits is transferred': {
    talk: true,
    acts: [
      [(cx) => consultationCall(cx, { connection: talks(cx), calledDevice: POINT }), 1200],
      [
        (cx) =>
          transferCall(cx, {
            heldConnection: party(cx, '1001', 'hold'),
            activeConnection: talks(cx),
          }),
        5000,
      ],
    ],
    ends: '1002 connected, 1003 connected',
  },
  'a waiting call is deflected': {
    talk: false,
    acts: [
      [(cx) => makeCall(cx, { callingDevice: '1001', calledDevice: POINT }), 1200],
      [
        (cx) => deflectCall(cx, { connection: party(cx, POINT, 'queued'), newDestination: '1004' }),
        5000,
      ],
    ],
    ends: '1001 connected, 1004 connected',
  },
  'a waiting call is cleared': {
    talk: false,
    acts: [
      [(cx) => makeCall(cx, { callingDevice: '1001', calledDevice: POINT }), 1200],
      [(cx) => clearConnection(cx, { connection: party(cx, POINT, 'queued') }), 5000],
    ],
    ends: '',
  },
};

function play(p: Play, at: number): Cast & { inputs: number } {
  const cast = stage('music');
  const { lab } = cast;
  command(lab, (cx) => routeRegister(cx, { deviceId: POINT }), 'register');
  if (p.talk) {
    (cast.phones[0] as TransferPhone).call('1002');
    settle(cast, 1500);
  }
  let inputs = 0;
  const death = ['said', 'unsaid', 'forgotten'][at % 3];
  const moment = (act: () => void): void => {
    const before = lab.air.length;
    inputs += 1;
    if (inputs !== at || death !== 'forgotten') act();
    if (inputs !== at) return;
    if (death === 'unsaid') lab.air.length = before;
    lab.swap(false);
    lab.pass(10);
    if (death === 'forgotten' && act.name === 'asks') act();
  };
  const receive = lab.receive.bind(lab);
  lab.receive = (ip, port, text) => moment(() => receive(ip, port, text));
  for (const [act, ms] of p.acts) {
    const asks = (): void => {
      const said = command(lab, act) as { refused?: string };
      if (said.refused !== undefined) throw new Error(said.refused);
    };
    moment(asks);
    settle(cast, ms);
  }
  return { ...cast, inputs };
}

for (const [name, p] of Object.entries(PLAYS)) {
  test(`${name}: the box is replaced at every step`, (t) => {
    const { inputs } = play(p, 0);
    t.true(inputs > 4);
    for (let at = 0; at <= inputs; at += 1) {
      const cast = play(p, at);
      settle(cast, 3000);
      const where = `replaced at ${at}: ${view(cast)}\n${cast.phones.map((x) => x.story.join(', ')).join('\n')}`;
      t.deepEqual(faults(cast), [], where);
      t.is(view(cast).replace(/\d+:/g, ''), p.ends, where);
      t.deepEqual(end(cast, at), [], where);
    }
  });
}
