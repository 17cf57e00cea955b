/** Message waiting for phones that do not subscribe (`site.extensions.N.mwi`). */

import test from 'ava';
import { SUBSCRIPTION } from '../../src/call/events/rows.ts';
import type { SipSettings } from '../../src/proto/context.ts';
import { PLAIN_SITE } from '../../src/proto/site.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, Lab, Peer } from './call-lab.ts';
import { Watcher } from './events-lab.ts';

const SERVICE = '192.0.2.50';
const EXTENSION = {
  classOfService: '',
  contact: '',
  password: undefined,
  name: '',
  callerId: '',
  mwi: true,
};

function site(mwi = true): Partial<SipSettings> {
  const extensions = mwi ? { '1001': EXTENSION } : {};
  return { voicemail: [SERVICE], site: { ...PLAIN_SITE, extensions } };
}

function scene(mwi = true) {
  const lab = new Lab(site(mwi));
  const phone = new Peer(lab, '1001', '192.0.2.1');
  const vm = new Peer(lab, 'vm', SERVICE);
  lab.register(phone);
  return { lab, phone, vm };
}

function mailbox(vm: Peer, waiting: string, voice: string): void {
  const body = `Messages-Waiting: ${waiting}\r\nVoice-Message: ${voice}\r\n`;
  const text = vm.request('NOTIFY', 'sip:1001@192.0.2.10', {
    extra: 'Event: message-summary\r\n',
    body,
  });
  vm.send(text.replace('application/sdp', 'application/simple-message-summary'));
  vm.take();
}

/** The NOTIFY a phone got by now, which it answers. */
function told(lab: Lab, phone: Peer, status = 200): SipMessage {
  lab.pass(320);
  const m = phone.take();
  phone.reply(m, status, 'x');
  return m;
}

test('RFC 3842 a phone that did not subscribe is told when it registers, and when it changes', (t) => {
  const { lab, phone, vm } = scene();
  const first = told(lab, phone);
  t.is(first.method, 'NOTIFY');
  t.is(first.requestUri, phone.contact);
  t.is(first.header(H.Event), 'message-summary');
  t.is(first.header(H.SubscriptionState), 'terminated');
  t.is(first.toTag, '', 'outside any dialog');
  t.is(first.contentType, 'application/simple-message-summary');
  t.regex(first.body, /^Messages-Waiting: no\r\n/);
  mailbox(vm, 'yes', '2/0');
  const second = told(lab, phone);
  t.regex(second.body, /^Messages-Waiting: yes\r\n[\s\S]*Voice-Message: 2\/0 \(0\/0\)/);
  t.is(second.cseq, first.cseq + 1);
  mailbox(vm, 'yes', '2/0');
  lab.pass(1000);
  t.is(heard(phone), '', 'the same is not said twice');
  lab.register(phone);
  lab.pass(1000);
  t.is(heard(phone), '', 'a refresh is no news');
});

test('only where it is asked for', (t) => {
  const { lab, phone, vm } = scene(false);
  mailbox(vm, 'yes', '2/0');
  lab.pass(1000);
  t.is(heard(phone), '');
  t.is(lab.store.count(SUBSCRIPTION), 0);
});

test('a phone that subscribes has its subscription, and no second word', (t) => {
  const { lab, vm } = scene();
  const w = new Watcher(lab, '1001', '192.0.2.1', '1001', 'message-summary');
  w.subscribe();
  lab.pass(400);
  w.act();
  mailbox(vm, 'yes', '1/0');
  lab.pass(400);
  w.act();
  t.deepEqual(
    w.notes.map((note) => note.state.split(';')[0]),
    ['active', 'active'],
  );
  t.deepEqual(w.complaints, []);
});

test('refused or not answered: nothing until the next change; who begins anew is told anew', (t) => {
  const { lab, phone, vm } = scene();
  told(lab, phone, 481);
  lab.pass(60_000);
  t.is(heard(phone), '');
  mailbox(vm, 'yes', '1/0');
  t.is(told(lab, phone, 489).method, 'NOTIFY');
  lab.pass(60_000);
  phone.send(
    phone.request('REGISTER', 'sip:192.0.2.10', {
      to: phone.aor,
      callId: 'after-its-start',
      extra: `Contact: <${phone.contact}>;expires=3600\r\n`,
      contact: false,
    }),
  );
  phone.take();
  t.regex(told(lab, phone).body, /^Messages-Waiting: yes/);
});

test('it ends with its registration', (t) => {
  const { lab, phone, vm } = scene();
  told(lab, phone);
  lab.register(phone, 0);
  mailbox(vm, 'yes', '1/0');
  lab.pass(1000);
  t.is(heard(phone), '');
  lab.pass(4_000_000);
  t.is(lab.store.count(SUBSCRIPTION), 0);
});

test('a new primary says again what was not answered, and goes on', (t) => {
  const { lab, phone, vm } = scene();
  told(lab, phone);
  mailbox(vm, 'yes', '1/0');
  lab.pass(320);
  const before = phone.take();
  lab.swap(true);
  t.is(phone.take().text, before.text);
  phone.reply(before, 200, 'x');
  mailbox(vm, 'no', '0/1');
  lab.swap(true);
  t.regex(told(lab, phone).body, /^Messages-Waiting: no/);
  // registered before the setting was there
  const late = scene(false);
  Object.assign(late.lab.settings, site());
  late.lab.swap(true);
  t.is(told(late.lab, late.phone).method, 'NOTIFY');
  // and with the setting gone
  Object.assign(lab.settings, site(false));
  lab.swap(true);
  t.is(lab.store.count(SUBSCRIPTION), 0);
});
