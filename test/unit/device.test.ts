/** Features of devices: do not disturb, forwarding, message waiting, service; with switchovers. */

import test from 'ava';
import { longestIdle } from '../../src/call/agent/offer.ts';
import {
  getDoNotDisturb,
  getForwarding,
  getMessageWaiting,
  type SetForwarding,
  setDoNotDisturb,
  setForwarding,
  setMessageWaiting,
} from '../../src/call/device/commands.ts';
import { DEVICE } from '../../src/call/device/rows.ts';
import { REDIRECT } from '../../src/call/transfer-rows.ts';
import { PLAIN_SITE } from '../../src/proto/site.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { AgentLab, word } from './agent-lab.ts';
import { heard, SDP } from './call-lab.ts';

const SWAPS = [
  ['one box', () => {}],
  ['a new primary after each step', (lab: AgentLab) => lab.swap(false)],
  [
    'a new primary after each step, and what was on its way lost',
    (lab: AgentLab) => lab.swap(true),
  ],
] as const;

const TO = {
  immediate: 'forwardImmediate',
  busy: 'forwardBusy',
  noAnswer: 'forwardNoAns',
} as const;

function forward(lab: AgentLab, n: number, type: keyof typeof TO, to: string, more = {}): string {
  const p: SetForwarding = {
    device: `100${n}`,
    forwardingType: TO[type],
    activateForward: to !== '',
    ...(to === '' ? {} : { forwardDN: to }),
    ...more,
  };
  return word(lab.turn((cx) => setForwarding(cx, p)));
}

function dnd(lab: AgentLab, n: number, doNotDisturbOn: boolean): string {
  return word(lab.turn((cx) => setDoNotDisturb(cx, { device: `100${n}`, doNotDisturbOn })));
}

/** Phone 1 calls a number; @returns the INVITE it sent. */
function dial(lab: AgentLab, number: string): string {
  const invite = lab.phone(1).request('INVITE', `sip:${number}@192.0.2.10`, { body: SDP('1') });
  lab.phone(1).send(invite);
  return invite;
}

/** The INVITE a phone got; undefined for none. */
function got(lab: AgentLab, n: number): SipMessage | undefined {
  return lab
    .phone(n)
    .inbox()
    .find((m) => m.method === 'INVITE' && m.isRequest);
}

/** Who forwarded and why, the last first; and where the call went, as History-Info has it. */
function told(m: SipMessage | undefined): string {
  if (m === undefined) return 'no INVITE';
  const who = m
    .values(H.Diversion)
    .map((v) => /sip:(\d+)@.*reason=([a-z-]+)/.exec(v)?.slice(1).join(' '));
  const way = m
    .values(H.HistoryInfo)
    .map((v) => /sip:(\d+)@.*;index=([\d.]+)/.exec(v)?.slice(1).join(' '));
  return `${who.join(', ')} | ${way.join(', ')}`;
}

for (const [name, swap] of SWAPS) {
  test(`do not disturb: ${name}`, (t) => {
    const lab = new AgentLab();
    lab.set(2, 'loggedOn');
    lab.set(2, 'ready');
    lab.events();
    t.is(dnd(lab, 2, true), 'done');
    t.is(dnd(lab, 2, true), 'done');
    swap(lab);
    t.deepEqual(
      lab.events((b) => b['doNotDisturbOn']),
      ['doNotDisturb true'],
    );
    t.deepEqual(
      lab.turn((cx) => getDoNotDisturb(cx, { device: '1002' })),
      {
        deviceId: '1002',
        doNotDisturbOn: true,
      },
    );
    t.is(
      lab.turn((cx) => longestIdle(cx, '6000')),
      undefined,
    );
    dial(lab, '1002');
    const no = lab.phone(1).take();
    t.is(no.status, 486);
    t.regex(no.text, /Do not disturb/);
    t.is(got(lab, 2), undefined);
    t.is(dnd(lab, 2, false), 'done');
    swap(lab);
    t.is(lab.store.count(DEVICE), 0);
    t.is(lab.turn((cx) => longestIdle(cx, '6000'))?.agent, 'a2');
    lab.call(1, '1002', 2).end();
  });

  test(`forwarded at once, by several: ${name}`, (t) => {
    const lab = new AgentLab();
    forward(lab, 2, 'immediate', '1003');
    swap(lab);
    forward(lab, 3, 'immediate', '1004');
    swap(lab);
    lab.events();
    dial(lab, '1002');
    const invite = got(lab, 4) as SipMessage;
    t.is(told(invite), '1003 unconditional, 1002 unconditional | 1002 1, 1003 1.1, 1004 1.1.1');
    swap(lab);
    lab.phone(4).reply(invite, 180, 'four');
    t.deepEqual(
      lab.events((b) => `${b['cause']} ${b['lastRedirection'] ?? ''}`.trim()),
      ['originated normal', 'delivered callForward 1003'],
    );
    swap(lab);
    lab.phone(4).reply(invite, 200, 'four', SDP('4'));
    t.is(lab.store.count(REDIRECT), 0);
    t.true(
      lab
        .phone(1)
        .inbox()
        .some((m) => m.status === 200),
    );
  });

  test(`forwarded in a circle: ${name}`, (t) => {
    const lab = new AgentLab();
    forward(lab, 2, 'immediate', '1003');
    forward(lab, 3, 'immediate', '1002');
    swap(lab);
    dial(lab, '1002');
    t.is(lab.phone(1).take().status, 482);
    forward(lab, 3, 'immediate', '');
    forward(lab, 3, 'busy', '1002');
    swap(lab);
    dial(lab, '1002');
    const invite = got(lab, 3) as SipMessage;
    lab.phone(1).inbox();
    lab.phone(3).reply(invite, 486, 'three');
    swap(lab);
    lab.pass(1000);
    t.true(
      lab
        .phone(1)
        .inbox()
        .some((m) => m.status === 486),
    );
    t.is(lab.store.count(REDIRECT), 0);
  });

  test(`too long a way: ${name}`, (t) => {
    const lab = new AgentLab();
    for (let n = 2; n < 8; n += 1) forward(lab, n, 'immediate', `100${n + 1}`);
    swap(lab);
    dial(lab, '1002');
    t.is(lab.phone(1).take().status, 482);
    dial(lab, '1003');
    t.not(got(lab, 8), undefined);
  });

  test(`forwarded when busy: ${name}`, (t) => {
    const lab = new AgentLab();
    forward(lab, 2, 'busy', '1003');
    swap(lab);
    const sent = dial(lab, '1002');
    const first = got(lab, 2) as SipMessage;
    lab.phone(2).reply(first, 180, 'two');
    swap(lab);
    lab.phone(2).reply(first, 486, 'two');
    const invite = got(lab, 3) as SipMessage;
    t.is(told(invite), '1002 user-busy | 1002 1, 1003 1.1');
    swap(lab);
    lab.phone(3).reply(invite, 200, 'three', SDP('3'));
    const ok = lab
      .phone(1)
      .inbox()
      .find((m) => m.status === 200) as SipMessage;
    lab.phone(1).ack(sent, ok);
    t.is(lab.store.count(REDIRECT), 0);
    // another refusal is none
    lab.phone(3).inbox();
    dial(lab, '1002');
    lab.phone(2).reply(got(lab, 2) as SipMessage, 603, 'again');
    t.is(got(lab, 3), undefined);
    t.is(lab.phone(1).inbox().at(-1)?.status, 603);
  });

  test(`forwarded when nobody answers: ${name}`, (t) => {
    const lab = new AgentLab();
    forward(lab, 2, 'noAnswer', '1003', { ringDuration: 15 });
    swap(lab);
    const sent = dial(lab, '1002');
    const first = got(lab, 2) as SipMessage;
    lab.phone(2).reply(first, 180, 'two');
    swap(lab);
    lab.pass(14_900);
    t.is(got(lab, 3), undefined);
    lab.pass(100);
    const invite = got(lab, 3) as SipMessage;
    t.is(told(invite), '1002 no-answer | 1002 1, 1003 1.1');
    t.regex(heard(lab.phone(2)), /CANCEL/);
    swap(lab);
    lab.phone(2).reply(first, 487, 'two');
    swap(lab);
    lab.phone(3).reply(invite, 180, 'three');
    lab.pass(20_000);
    swap(lab);
    lab.phone(3).reply(invite, 200, 'three', SDP('3'));
    const ok = lab
      .phone(1)
      .inbox()
      .find((m) => m.status === 200) as SipMessage;
    lab.phone(1).ack(sent, ok);
    t.is(lab.store.count(REDIRECT), 0);
    t.is(ok.cseqMethod, 'INVITE');
  });

  test(`forwarded to a queue: ${name}`, (t) => {
    for (const type of ['immediate', 'busy', 'noAnswer'] as const) {
      const lab = new AgentLab();
      lab.set(4, 'loggedOn');
      forward(lab, 2, type, '6000', { ringDuration: 5 });
      swap(lab);
      const sent = dial(lab, '1002');
      const first = got(lab, 2);
      t.is(first === undefined, type === 'immediate');
      if (first !== undefined) {
        lab.phone(2).reply(first, 180, 'two');
        swap(lab);
        if (type === 'busy') lab.phone(2).reply(first, 486, 'two');
        else lab.pass(5000);
        swap(lab);
        if (type === 'noAnswer') lab.phone(2).reply(first, 487, 'two');
      }
      // it waits there, for longer than a phone would ring
      lab.pass(200_000);
      swap(lab);
      t.false(
        lab
          .phone(1)
          .inbox()
          .some((m) => m.status >= 300),
        type,
      );
      lab.set(4, 'ready');
      const invite = got(lab, 4) as SipMessage;
      swap(lab);
      lab.phone(4).reply(invite, 200, 'four', SDP('4'));
      const ok = lab
        .phone(1)
        .inbox()
        .find((m) => m.status === 200) as SipMessage;
      lab.phone(1).ack(sent, ok);
      t.is(lab.state(4), 'busyReady', type);
    }
  });

  test(`nobody there is as nobody who answers: ${name}`, (t) => {
    const lab = new AgentLab();
    forward(lab, 2, 'noAnswer', '1003');
    lab.register(lab.phone(2), 0);
    swap(lab);
    dial(lab, '1002');
    t.is(told(got(lab, 3)), '1002 unavailable | 1002 1, 1003 1.1');
  });

  test(`who is not to be disturbed and forwards when busy: ${name}`, (t) => {
    const lab = new AgentLab();
    dnd(lab, 2, true);
    forward(lab, 2, 'busy', '1003');
    swap(lab);
    dial(lab, '1002');
    t.is(told(got(lab, 3)), '1002 do-not-disturb | 1002 1, 1003 1.1');
    t.is(got(lab, 2), undefined);
  });

  test(`message waiting: ${name}`, (t) => {
    const lab = new AgentLab();
    const set = (messageWaitingOn: boolean, newMessages: number) => {
      const p = { device: '1002', messageWaitingOn, newMessages };
      const result = word(lab.turn((cx) => setMessageWaiting(cx, p)));
      swap(lab);
      return result;
    };
    t.is(set(true, 3), 'done');
    t.is(set(true, 3), 'done');
    t.deepEqual(
      lab.events((b) => `${b['messageWaitingOn']} ${b['newMessages']}`),
      ['messageWaiting true 3'],
    );
    t.is(set(true, -1), 'invalidParameter');
    t.is(set(false, 0), 'done');
    t.deepEqual(
      lab.turn((cx) => getMessageWaiting(cx, { device: '1002' })),
      {
        deviceId: '1002',
        messageWaitingOn: false,
        newMessages: 0,
        oldMessages: 0,
      },
    );
  });

  test(`in and out of service: ${name}`, (t) => {
    const lab = new AgentLab();
    lab.set(2, 'loggedOn');
    lab.set(2, 'ready');
    lab.events();
    lab.register(lab.phone(2));
    t.deepEqual(lab.events(), [], 'a refresh is none');
    lab.register(lab.phone(2), 0);
    swap(lab);
    t.deepEqual(
      lab.events((b) => b['deviceId']),
      ['outOfService 1002'],
    );
    t.is(
      lab.turn((cx) => longestIdle(cx, '6000')),
      undefined,
    );
    lab.register(lab.phone(2), 60);
    swap(lab);
    t.deepEqual(
      lab.events((b) => b['deviceId']),
      ['backInService 1002'],
    );
    t.is(lab.turn((cx) => longestIdle(cx, '6000'))?.agent, 'a2');
    lab.pass(60_000);
    swap(lab);
    t.deepEqual(
      lab.events((b) => b['deviceId']),
      ['outOfService 1002'],
    );
    t.is(lab.state(2), 'ready');
  });
}

test('what cannot be set', (t) => {
  const lab = new AgentLab({
    settings: {
      site: {
        ...PLAIN_SITE,
        defaultClass: 'internal',
        trunks: [],
        rules: [{ match: '9.', to: [], strip: 1, prepend: '', replace: '', refuse: 0 }],
        classes: { quiet: { allow: [], deny: ['1005'] } },
        extensions: {
          1003: {
            classOfService: 'quiet',
            contact: '',
            password: undefined,
            name: '',
            callerId: '',
            mwi: false,
          },
        },
      },
    },
  });
  t.is(forward(lab, 2, 'immediate', '1002'), 'invalidDestination', 'to itself');
  t.is(forward(lab, 2, 'immediate', '4711'), 'invalidDestination', 'to nowhere');
  t.is(forward(lab, 2, 'immediate', 'x@y'), 'invalidDestination', 'to no number');
  t.is(forward(lab, 3, 'immediate', '1005'), 'privilegeViolation', 'where it may not call');
  t.is(forward(lab, 2, 'noAnswer', '1005', { ringDuration: 0 }), 'invalidParameter');
  t.is(forward(lab, 2, 'noAnswer', '1005', { ringDuration: 181 }), 'invalidParameter');
  t.is(forward(lab, 2, 'immediate', '', { device: '77' }), 'invalidDeviceId');
  t.is(
    word(lab.turn((cx) => setDoNotDisturb(cx, { device: '77', doNotDisturbOn: true }))),
    'invalidDeviceId',
  );
  t.is(word(lab.turn((cx) => getForwarding(cx, { device: '77' }))), 'invalidDeviceId');
  t.is(lab.store.count(DEVICE), 0);
  t.is(forward(lab, 2, 'noAnswer', '91005', { ringDuration: 9 }), 'done');
  t.deepEqual(
    lab.events(
      (b) => `${b['forwardingType']} ${b['forwardStatus']} ${b['forwardDN']} ${b['ringDuration']}`,
    ),
    ['forwarding forwardNoAns true 91005 9'],
  );
  t.is(forward(lab, 2, 'noAnswer', '91005', { ringDuration: 9 }), 'done');
  t.deepEqual(lab.events(), []);
  t.deepEqual(
    lab.turn((cx) => getForwarding(cx, { device: '1002' })),
    {
      deviceId: '1002',
      forwarding: [
        { forwardingType: 'forwardImmediate', forwardStatus: false },
        { forwardingType: 'forwardBusy', forwardStatus: false },
        {
          forwardingType: 'forwardNoAns',
          forwardStatus: true,
          forwardDN: '91005',
          ringDuration: 9,
        },
      ],
    },
  );
  t.is(forward(lab, 2, 'noAnswer', ''), 'done');
  t.is(lab.store.count(DEVICE), 0);
});
