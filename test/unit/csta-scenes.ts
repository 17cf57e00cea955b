/** Calls of all kinds, each step an act of a phone, and the whole stream of events a program hears of it. */

import { SDP } from './call-lab.ts';
import { type Stage, stage, withTrunks } from './csta-stage.ts';

type Step = (s: Stage) => void;
export type Scenario = {
  readonly name: string;
  readonly setup: () => Stage;
  readonly steps: readonly Step[];
  readonly events: readonly string[];
  /** Who is found silent first depends on when who was asked: the order of the end is not compared. */
  readonly loose?: true;
};

const held = (owner: string): string => `${SDP(owner)}a=sendonly\r\n`;
const inactive = (owner: string): string => `${SDP(owner)}a=inactive\r\n`;

const call =
  (to = '1002'): Step =>
  (s) =>
    s.invite('1001', to, 'a');
const rings =
  (phone = '1002', as = 'b'): Step =>
  (s) =>
    s.answer(phone, as, 180);
const answers =
  (phone = '1002', as = 'b'): Step =>
  (s) =>
    s.answer(phone, as, 200);
const thanks: Step = (s) => s.ack('1001', 'a');
const says =
  (phone: string, status: number, as = 'b', extra = ''): Step =>
  (s) =>
    s.answer(phone, as, status, extra);
const bye =
  (phone: string, as: string): Step =>
  (s) =>
    s.ask(phone, as, 'BYE');
const agrees =
  (phone: string, method: string, body = ''): Step =>
  (s) =>
    s.agree(phone, method, body);
const pass =
  (ms: number): Step =>
  (s) =>
    s.lab.pass(ms);

const TALK: readonly Step[] = [call(), rings(), answers(), thanks];
const END: readonly Step[] = [bye('1001', 'a'), agrees('1002', 'BYE')];
const escaped = (value: string): string =>
  value.replace(/[;=@]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a call; the caller hangs up',
    setup: stage,
    steps: [...TALK, ...END],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 established 1002 (normal) 1001 connected, 1002 connected',
      '1 connectionCleared 1001 (normalClearing) 1002 connected',
      '1 connectionCleared 1002 (normalClearing)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'a call; who was called hangs up',
    setup: stage,
    steps: [...TALK, bye('1002', 'b'), agrees('1001', 'BYE')],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 established 1002 (normal) 1001 connected, 1002 connected',
      '1 connectionCleared 1002 (normalClearing) 1001 connected',
      '1 connectionCleared 1001 (normalClearing)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'busy',
    setup: stage,
    steps: [call(), says('1002', 486)],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 failed 1002 (busy) 1001 connected, 1002 failed',
      '1 connectionCleared 1002 (busy) 1001 connected',
      '1 connectionCleared 1001 (busy)',
      '1 callCleared  (busy)',
    ],
  },
  {
    name: 'busy after it rang',
    setup: stage,
    steps: [call(), rings(), says('1002', 486)],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 failed 1002 (busy) 1001 connected, 1002 failed',
      '1 connectionCleared 1002 (busy) 1001 connected',
      '1 connectionCleared 1001 (busy)',
      '1 callCleared  (busy)',
    ],
  },
  {
    name: 'rejected',
    setup: stage,
    steps: [call(), rings(), says('1002', 603)],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 failed 1002 (callRejected) 1001 connected, 1002 failed',
      '1 connectionCleared 1002 (callRejected) 1001 connected',
      '1 connectionCleared 1001 (callRejected)',
      '1 callCleared  (callRejected)',
    ],
  },
  {
    name: 'nobody answers',
    setup: stage,
    steps: [call(), rings(), pass(181_000)],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 failed 1002 (noAnswer) 1001 connected, 1002 failed',
      '1 connectionCleared 1002 (noAnswer) 1001 connected',
      '1 connectionCleared 1001 (noAnswer)',
      '1 callCleared  (noAnswer)',
    ],
  },
  {
    name: 'no such number',
    setup: stage,
    steps: [call('7777')],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 failed 7777 (invalidDestination) 1001 connected, 7777 failed',
      '1 connectionCleared 7777 (invalidDestination) 1001 connected',
      '1 connectionCleared 1001 (invalidDestination)',
      '1 callCleared  (invalidDestination)',
    ],
  },
  {
    name: 'nobody is registered there',
    setup: stage,
    steps: [call('1777')],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 failed 1777 (destNotObtainable) 1001 connected, 1777 failed',
      '1 connectionCleared 1777 (destNotObtainable) 1001 connected',
      '1 connectionCleared 1001 (destNotObtainable)',
      '1 callCleared  (destNotObtainable)',
    ],
  },
  {
    name: 'the caller withdraws',
    setup: stage,
    steps: [call(), rings(), (s) => s.cancel('1001', 'a'), says('1002', 487)],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 connectionCleared 1002 (callCancelled) 1001 connected',
      '1 connectionCleared 1001 (abandoned)',
      '1 callCleared  (abandoned)',
    ],
  },
  {
    name: 'the caller never acknowledges the answer',
    setup: stage,
    steps: [call(), rings(), answers(), pass(40_000)],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 established 1002 (normal) 1001 connected, 1002 connected',
      '1 connectionCleared 1002 (timeout) 1001 connected',
      '1 connectionCleared 1001 (timeout)',
      '1 callCleared  (timeout)',
    ],
  },
  {
    name: 'two phones of an extension ring, one is busy, the other answers',
    setup: () => stage([['1002b', '1002']]),
    steps: [
      call(),
      rings('1002', 'b'),
      rings('1002b', 'c'),
      says('1002', 486, 'b'),
      answers('1002b', 'c'),
      thanks,
      bye('1002b', 'c'),
    ],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 established 1002 (normal) 1001 connected, 1002 connected',
      '1 connectionCleared 1002 (normalClearing) 1001 connected',
      '1 connectionCleared 1001 (normalClearing)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'two phones of an extension ring, one answers, the other is withdrawn',
    setup: () => stage([['1002b', '1002']]),
    steps: [
      call(),
      rings('1002', 'b'),
      rings('1002b', 'c'),
      answers('1002b', 'c'),
      says('1002', 487, 'b'),
      thanks,
      bye('1001', 'a'),
    ],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 established 1002 (normal) 1001 connected, 1002 connected',
      '1 connectionCleared 1001 (normalClearing) 1002 connected',
      '1 connectionCleared 1002 (normalClearing)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'hold and retrieve by who was called',
    setup: stage,
    steps: [
      ...TALK,
      (s) => s.ask('1002', 'b', 'INVITE', { body: held('b') }),
      agrees('1001', 'INVITE', SDP('a')),
      (s) => s.ack('1002', 'b'),
      (s) => s.ask('1002', 'b', 'INVITE', { body: SDP('b') }),
      agrees('1001', 'INVITE', SDP('a')),
      (s) => s.ack('1002', 'b'),
      ...END,
    ],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 established 1002 (normal) 1001 connected, 1002 connected',
      '1 held 1002 (normal) 1001 connected, 1002 hold',
      '1 retrieved 1002 (normal) 1001 connected, 1002 connected',
      '1 connectionCleared 1001 (normalClearing) 1002 connected',
      '1 connectionCleared 1002 (normalClearing)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'hold by both, retrieved by one after the other',
    setup: stage,
    steps: [
      ...TALK,
      (s) => s.ask('1001', 'a', 'INVITE', { body: held('a') }),
      agrees('1002', 'INVITE', SDP('b')),
      thanks,
      (s) => s.ask('1002', 'b', 'INVITE', { body: inactive('b') }),
      agrees('1001', 'INVITE', inactive('a')),
      (s) => s.ack('1002', 'b'),
      (s) => s.ask('1001', 'a', 'INVITE', { body: SDP('a') }),
      agrees('1002', 'INVITE', held('b')),
      thanks,
      (s) => s.ask('1002', 'b', 'INVITE', { body: SDP('b') }),
      agrees('1001', 'INVITE', SDP('a')),
      (s) => s.ack('1002', 'b'),
      ...END,
    ],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 established 1002 (normal) 1001 connected, 1002 connected',
      '1 held 1001 (normal) 1001 hold, 1002 connected',
      '1 held 1002 (normal) 1001 hold, 1002 hold',
      '1 retrieved 1001 (normal) 1001 connected, 1002 hold',
      '1 retrieved 1002 (normal) 1001 connected, 1002 connected',
      '1 connectionCleared 1001 (normalClearing) 1002 connected',
      '1 connectionCleared 1002 (normalClearing)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'a phone redirects: to one number, before it rings',
    setup: stage,
    steps: [
      call(),
      says('1002', 302, 'b', 'Contact: <sip:1003@x>\r\n'),
      rings('1003', 'c'),
      answers('1003', 'c'),
      thanks,
      bye('1001', 'a'),
    ],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1003 (redirected from 1002) 1001 connected, 1003 alerting',
      '1 established 1003 (normal from 1002) 1001 connected, 1003 connected',
      '1 connectionCleared 1001 (normalClearing) 1003 connected',
      '1 connectionCleared 1003 (normalClearing from 1002)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'a phone that rings redirects to two, one answers',
    setup: stage,
    steps: [
      call(),
      rings(),
      says('1002', 302, 'b', 'Contact: <sip:1003@x>\r\nContact: <sip:1004@x>\r\n'),
      rings('1003', 'c'),
      rings('1004', 'd'),
      answers('1004', 'd'),
      says('1003', 487, 'c'),
      thanks,
      bye('1001', 'a'),
    ],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 diverted 1002 (redirected) 1001 connected',
      '1 delivered 1003 (redirected from 1002) 1001 connected, 1003 alerting',
      '1 delivered 1004 (redirected from 1002) 1001 connected, 1003 alerting, 1004 alerting',
      '1 established 1004 (normal from 1002) 1001 connected, 1003 alerting, 1004 connected',
      '1 connectionCleared 1003 (multipleAlerting from 1002) 1001 connected, 1004 connected',
      '1 connectionCleared 1001 (normalClearing) 1004 connected',
      '1 connectionCleared 1004 (normalClearing from 1002)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'blind transfer (REFER) by who was called',
    setup: stage,
    steps: [
      ...TALK,
      (s) => s.ask('1002', 'b', 'REFER', { extra: 'Refer-To: <sip:1003@x>\r\n' }),
      rings('1003', 'c'),
      answers('1003', 'c'),
      agrees('1001', 'INVITE', SDP('a')),
      bye('1002', 'b'),
      bye('1001', 'a'),
      agrees('1003', 'BYE'),
    ],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 established 1002 (normal) 1001 connected, 1002 connected',
      '1 delivered 1003 (transfer from 1002) 1001 connected, 1002 connected, 1003 alerting',
      '1 established 1003 (normal from 1002) 1001 connected, 1002 connected, 1003 connected',
      '1 transferred 1002 (transfer) 1001 connected, 1003 connected',
      '1 connectionCleared 1001 (normalClearing) 1003 connected',
      '1 connectionCleared 1003 (normalClearing from 1002)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'blind transfer to somebody who is busy: the two talk on',
    setup: stage,
    steps: [
      ...TALK,
      (s) => s.ask('1002', 'b', 'REFER', { extra: 'Refer-To: <sip:1003@x>\r\n' }),
      says('1003', 486, 'c'),
      ...END,
    ],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 established 1002 (normal) 1001 connected, 1002 connected',
      '1 failed 1003 (busy) 1001 connected, 1002 connected, 1003 failed',
      '1 connectionCleared 1003 (busy) 1001 connected, 1002 connected',
      '1 connectionCleared 1001 (normalClearing) 1002 connected',
      '1 connectionCleared 1002 (normalClearing)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'attended transfer (REFER with Replaces)',
    setup: stage,
    steps: [
      ...TALK,
      (s) => s.invite('1002', '1003', 'b2'),
      rings('1003', 'c'),
      answers('1003', 'c'),
      (s) => s.ack('1002', 'b2'),
      (s) => {
        const named = escaped(s.replaces('1002', 'b2'));
        s.ask('1002', 'b', 'REFER', { extra: `Refer-To: <sip:1003@x?Replaces=${named}>\r\n` });
      },
      agrees('1003', 'INVITE', SDP('c')),
      agrees('1001', 'INVITE', SDP('a')),
      bye('1002', 'b'),
      bye('1003', 'c'),
      agrees('1001', 'BYE'),
    ],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 established 1002 (normal) 1001 connected, 1002 connected',
      '2 originated 1002 (normal) 1002 connected',
      '2 delivered 1003 (normal) 1002 connected, 1003 alerting',
      '2 established 1003 (normal) 1002 connected, 1003 connected',
      '1 with 2 transferred 1002 (transfer) 1001 connected, 1003 connected',
      '2 callCleared  (transfer)',
      '1 connectionCleared 1003 (normalClearing) 1001 connected',
      '1 connectionCleared 1001 (normalClearing)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'attended transfer while the target rings',
    setup: stage,
    steps: [
      ...TALK,
      (s) => s.invite('1002', '1003', 'b2'),
      rings('1003', 'c'),
      (s) => {
        const named = escaped(s.replaces('1002', 'b2'));
        s.ask('1002', 'b', 'REFER', { extra: `Refer-To: <sip:1003@x?Replaces=${named}>\r\n` });
      },
      answers('1003', 'c'),
      agrees('1003', 'INVITE', SDP('c')),
      agrees('1001', 'INVITE', SDP('a')),
      bye('1002', 'b'),
      bye('1003', 'c'),
    ],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 established 1002 (normal) 1001 connected, 1002 connected',
      '2 originated 1002 (normal) 1002 connected',
      '2 delivered 1003 (normal) 1002 connected, 1003 alerting',
      '2 established 1003 (normal) 1002 connected, 1003 connected',
      '2 connectionCleared 1002 (transfer) 1003 connected',
      '1 with 2 transferred 1002 (transfer) 1001 connected, 1003 connected',
      '2 callCleared  (transfer)',
      '1 connectionCleared 1003 (normalClearing) 1001 connected',
      '1 connectionCleared 1001 (normalClearing)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'INVITE with Replaces takes the place of a phone that talks',
    setup: stage,
    steps: [
      ...TALK,
      (s) => s.invite('1004', '1002', 'd', `Replaces: ${s.replaces('1002', 'b')}\r\n`),
      agrees('1001', 'INVITE', SDP('a')),
      (s) => s.ack('1004', 'd'),
      bye('1004', 'd'),
    ],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 established 1002 (normal) 1001 connected, 1002 connected',
      '1 transferred 1002 (transfer) 1001 connected',
      '1 established 1004 (transfer) 1001 connected, 1004 connected',
      '1 connectionCleared 1004 (normalClearing) 1001 connected',
      '1 connectionCleared 1001 (normalClearing)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'INVITE with Replaces picks up what rings',
    setup: stage,
    steps: [
      call(),
      rings(),
      (s) => s.invite('1004', '1002', 'd', `Replaces: ${s.replaces('1002', 'b')}\r\n`),
      thanks,
      pass(1000),
      agrees('1001', 'INVITE', SDP('a')),
      (s) => s.ack('1004', 'd'),
      says('1002', 487, 'b'),
      bye('1004', 'd'),
    ],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 diverted 1002 (callPickup) 1001 connected',
      '1 established 1004 (callPickup) 1001 connected, 1004 connected',
      '1 connectionCleared 1004 (normalClearing) 1001 connected',
      '1 connectionCleared 1001 (normalClearing)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'a call goes out by the second trunk, the first refuses after it rang',
    setup: withTrunks,
    steps: [
      call('0331234'),
      says('g1', 180, 'x'),
      says('g1', 503, 'x'),
      says('g2', 180, 'y'),
      says('g2', 200, 'y'),
      thanks,
      bye('g2', 'y'),
    ],
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 0331234 (normal) 1001 connected, 0331234 alerting',
      '1 established 0331234 (normal) 1001 connected, 0331234 connected',
      '1 connectionCleared 0331234 (normalClearing) 1001 connected',
      '1 connectionCleared 1001 (normalClearing)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'a call comes in by a trunk',
    setup: withTrunks,
    steps: [
      (s) => s.invite('g2', '1002', 'g'),
      rings(),
      answers(),
      (s) => s.ack('g2', 'g'),
      bye('1002', 'b'),
    ],
    events: [
      '1 originated 5552 (normal) 5552 connected',
      '1 delivered 1002 (normal) 5552 connected, 1002 alerting',
      '1 established 1002 (normal) 5552 connected, 1002 connected',
      '1 connectionCleared 1002 (normalClearing) 5552 connected',
      '1 connectionCleared 5552 (normalClearing)',
      '1 callCleared  (normalClearing)',
    ],
  },
  {
    name: 'a session nobody refreshes expires',
    setup: () => stage([], { sessionExpiresS: 600 }),
    steps: [...TALK, pass(700_000)],
    loose: true,
    events: [
      '1 originated 1001 (normal) 1001 connected',
      '1 delivered 1002 (normal) 1001 connected, 1002 alerting',
      '1 established 1002 (normal) 1001 connected, 1002 connected',
      '1 connectionCleared 1002 (timeout) 1001 connected',
      '1 connectionCleared 1001 (timeout)',
      '1 callCleared  (timeout)',
    ],
  },
];
