/** Feature keys (`as-feature-event`): told to the phone, set by it; the box replaced after each step. */

import test from 'ava';
import { setDoNotDisturb, setForwarding } from '../../src/call/device/commands.ts';
import { DEVICE } from '../../src/call/device/rows.ts';
import { FEATURES_TYPE } from '../../src/call/events/rows.ts';
import { AgentLab } from './agent-lab.ts';
import { Watcher } from './events-lab.ts';

const HEAD = '<?xml version="1.0" encoding="ISO-8859-1"?>\r\n';
const CSTA = 'xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3"';

/** What a NOTIFY says, a word for each document. */
function words(body: string): string[] {
  return body
    .split('<?xml')
    .slice(1)
    .map((part) => {
      const name = /<(\w+)Event /.exec(part)?.[1] ?? '?';
      const value = (element: string): string =>
        new RegExp(`<(?:pri:)?${element}>([^<]*)<`).exec(part)?.[1] ?? '';
      const values = [
        ...['doNotDisturbOn', 'forwardingType', 'forwardStatus', 'forwardTo', 'ringCount'],
        ...['agentID', 'AgentNotReadyReasonValue'],
      ];
      return [name, ...values.map(value).filter((v) => v !== '')].join(' ');
    });
}

class KeyPhone extends Watcher {
  readonly agentLab: AgentLab;
  private readonly swap: (lab: AgentLab) => void;
  private read = 0;

  constructor(lab: AgentLab, n: number, swap: (lab: AgentLab) => void = () => {}) {
    super(lab, `100${n}`, `192.0.2.20${n}`, `100${n}`, 'as-feature-event');
    this.agentLab = lab;
    this.swap = swap;
  }

  /** A SUBSCRIBE with a body. */
  set(body: string, type = FEATURES_TYPE): string[] {
    const whole = `${HEAD}${body}`;
    const text = this.text({ expires: 3600 });
    const head = text.slice(0, text.indexOf('Content-Length'));
    this.send(`${head}Content-Type: ${type}\r\nContent-Length: ${whole.length}\r\n\r\n${whole}`);
    return this.news();
  }

  /** What it was told since the last look. */
  news(): string[] {
    this.act();
    this.swap(this.agentLab);
    for (let i = 0; i < 10; i += 1) {
      this.agentLab.pass(100);
      this.act();
    }
    const fresh = this.notes.slice(this.read);
    this.read = this.notes.length;
    return fresh.flatMap((note) => words(note.body));
  }
}

const NOTHING = [
  'DoNotDisturb false',
  'Forwarding forwardImmediate false',
  'Forwarding forwardBusy false',
  'Forwarding forwardNoAns false',
  'AgentLoggedOff',
];

for (const [name, swap] of [
  ['one box', () => {}],
  ['a new primary after each step', (lab: AgentLab) => lab.swap(false)],
  [
    'a new primary after each step, and what was on its way lost',
    (lab: AgentLab) => lab.swap(true),
  ],
] as const) {
  test(`set by programs, told to the phone: ${name}`, (t) => {
    const lab = new AgentLab();
    const phone = new KeyPhone(lab, 2, swap);
    t.is(phone.subscribe({ expires: 3600 }), 200);
    t.deepEqual(phone.news(), NOTHING);
    t.regex(phone.notes[0]?.m.contentType ?? '', /^multipart\/mixed/);
    const device = '1002';
    lab.turn((cx) => setDoNotDisturb(cx, { device, doNotDisturbOn: true }));
    t.deepEqual(phone.news(), ['DoNotDisturb true']);
    t.is(phone.notes.at(-1)?.m.contentType, FEATURES_TYPE);
    const type = { forwardingType: 'forwardNoAns', activateForward: true } as const;
    lab.turn((cx) => setForwarding(cx, { device, ...type, forwardDN: '1003', ringDuration: 21 }));
    t.deepEqual(phone.news(), ['Forwarding forwardNoAns true 1003 4']);
    lab.set(2, 'loggedOn');
    t.deepEqual(phone.news(), ['AgentNotReady a2']);
    lab.set(2, 'notReady', { reason: 'lunch & more' });
    t.deepEqual(phone.news(), ['AgentNotReady a2 lunch &amp; more']);
    lab.turn((cx) => setDoNotDisturb(cx, { device, doNotDisturbOn: false }));
    lab.set(2, 'ready');
    t.deepEqual(phone.news(), ['DoNotDisturb false', 'AgentReady a2']);
    // nothing that another's phone is told
    lab.turn((cx) => setDoNotDisturb(cx, { device: '1003', doNotDisturbOn: true }));
    t.deepEqual(phone.news(), []);
    const call = lab.call(1, '7002', 2);
    t.deepEqual(phone.news(), [], 'a call is no news: he will be ready after it');
    call.end();
    lab.set(2, 'workingAfterCall');
    t.deepEqual(phone.news(), ['AgentWorkingAfterCall a2']);
    lab.set(2, 'loggedOff');
    t.deepEqual(phone.news(), ['AgentLoggedOff']);
    t.deepEqual(phone.complaints, []);
  });

  test(`set by the phone, told to programs: ${name}`, (t) => {
    const lab = new AgentLab({ strict: 'password' });
    const phone = new KeyPhone(lab, 2, swap);
    phone.subscribe({ expires: 3600 });
    phone.news();
    lab.events();
    const dnd = (on: boolean): string[] =>
      phone.set(
        `<SetDoNotDisturb ${CSTA}><device/><doNotDisturbOn>${on}</doNotDisturbOn></SetDoNotDisturb>`,
      );
    t.deepEqual(dnd(true), ['DoNotDisturb true']);
    t.deepEqual(
      lab.events((b) => b['doNotDisturbOn']),
      ['doNotDisturb true'],
    );
    t.true(lab.store.find(DEVICE, 'device', '1002')?.dnd);
    t.deepEqual(dnd(false), ['DoNotDisturb false']);
    const forward = (to: string, on = true): string[] =>
      phone.set(
        `<SetForwarding ${CSTA}><device/><forwardingType>forwardNoAns</forwardingType>` +
          `<activateForward>${on}</activateForward><forwardDN>${to}</forwardDN>` +
          '<ringCount>3</ringCount></SetForwarding>',
      );
    t.deepEqual(forward('sip:1003@192.0.2.10'), ['Forwarding forwardNoAns true 1003 3']);
    t.is(lab.store.find(DEVICE, 'device', '1002')?.noAnswerS, 15);
    t.is(forward('4711').length, 5, 'what may not be set is told as it is');
    t.is(lab.store.find(DEVICE, 'device', '1002')?.noAnswer, '1003');
    t.deepEqual(forward('', false), ['Forwarding forwardNoAns false']);
    t.is(lab.store.count(DEVICE), 0);
    const agent = (state: string, more = ''): string[] =>
      phone.set(
        '<csta:SetAgentState xmlns:csta="x"><device></device>' +
          `<requestedAgentState>${state}</requestedAgentState>${more}</csta:SetAgentState>`,
      );
    lab.events();
    t.is(agent('ready', '<agentID>a2</agentID><password>pw-3</password>').length, 5);
    t.is(lab.state(2), 'off');
    t.deepEqual(agent('loggedOn', '<agentID>a2</agentID><password>pw-2</password>'), [
      'AgentNotReady a2',
    ]);
    t.deepEqual(agent('ready', '<agentID></agentID><password></password>'), ['AgentReady a2']);
    const why =
      '<extensions><private><pri:AgentNotReadyReasonValue>7</pri:AgentNotReadyReasonValue>' +
      '</private></extensions>';
    t.deepEqual(agent('notReady', why), ['AgentNotReady a2 7']);
    t.deepEqual(agent('loggedOff'), ['AgentLoggedOff']);
    t.deepEqual(agent('ready', '<agentID>a2</agentID><password>pw-2</password>'), [
      'AgentReady a2',
    ]);
    t.deepEqual(
      lab.agentEvents((b) => b['reason']),
      [
        ...['agentLoggedOn', 'agentNotReady', 'agentReady', 'agentNotReady 7', 'agentLoggedOff'],
        ...['agentLoggedOn', 'agentNotReady', 'agentReady'],
      ],
    );
    t.deepEqual(phone.complaints, []);
  });
}

test('what is refused, and what is no word of ours', (t) => {
  const lab = new AgentLab();
  const stranger = new Watcher(lab, '1001', '192.0.2.201', '1002', 'as-feature-event');
  t.is(stranger.subscribe({ expires: 3600 }), 403);
  const phone = new KeyPhone(lab, 2);
  phone.set('<SetDoNotDisturb/>', 'text/plain');
  t.is(phone.statuses.at(-1), 415);
  t.deepEqual(phone.set('<SetEverything/>'), NOTHING);
  t.is(phone.statuses.at(-1), 200);
  phone.set('<SetDoNotDisturb/>', 'text/plain');
  t.is(phone.statuses.at(-1), 415);
  for (const body of [
    '',
    '<SetForwarding>',
    '<SetForwarding><forwardingType>all</forwardingType></SetForwarding>',
    '<SetAgentState><requestedAgentState>asleep</requestedAgentState></SetAgentState>',
    '<SetAgentState><requestedAgentState>ready</requestedAgentState></SetAgentState>',
    `<SetForwarding><forwardingType>${'<'.repeat(5000)}`,
    `<SetDoNotDisturb ${'x '.repeat(20_000)}><doNotDisturbOn ${' '.repeat(20_000)}>`,
  ]) {
    t.deepEqual(phone.set(body), NOTHING, body.slice(0, 40));
  }
  t.deepEqual(phone.complaints, []);
});
