/** Mistakes in the configuration that would start, and then not do what the operator wrote. */

import test from 'ava';
import { good, mistakes as places } from './config-of.ts';

test('digest authentication is on, off, or refused: nothing else switches it off', (t) => {
  t.true(good({}).node.sip.auth);
  t.false(good({ users: { from: 1, to: 2 } }).node.sip.auth);
  t.is(places({ users: { from: 1, to: 2, auth: 'yes' } }), 'users.auth config-shape');
  t.is(places({ users: { from: 1, to: 2, auth: 1 } }), 'users.auth config-shape');
  const voicemail = ['192.0.2.50', '1900', '2001:db8::5'];
  t.deepEqual(good({ users: { from: 1, to: 2, voicemail } }).node.sip.voicemail, voicemail);
  t.is(places({ users: { from: 1, to: 2, voicemail: ['x'] } }), 'users.voicemail[0] config-shape');
});

test('digest algorithms are those that are named, in that order', (t) => {
  const users = { from: 1, to: 2, auth: true };
  t.deepEqual(good({ users }).node.sip.digest, ['SHA-256', 'MD5']);
  t.deepEqual(good({ users: { ...users, digest: ['MD5'] } }).node.sip.digest, ['MD5']);
  t.deepEqual(good({ users: { ...users, digest: ['MD5', 'SHA-256'] } }).node.sip.digest, [
    'MD5',
    'SHA-256',
  ]);
  for (const digest of [[], ['SHA-1'], ['MD5', 'MD5'], ['MD5', 'SHA-256', 'x']]) {
    t.is(places({ users: { ...users, digest } }), 'users.digest config-choice');
  }
});

test('the two paths are two cables', (t) => {
  const crossover = { address: '169.254.77.1', peerAddress: '169.254.77.2' };
  t.is(
    places({ crossover: { ...crossover, interface: 'lan0' } }),
    'crossover.interface config-choice',
  );
  const same = { ...crossover, interface: 'x0', peerAddress: crossover.address };
  t.is(places({ crossover: same }), 'crossover.peerAddress config-address');
});

test('the peer cannot be the virtual address', (t) => {
  t.regex(places({ vip: { address: '192.0.2.12' } }), /vip.address config-address/);
});

test('a mistake in the fence is told once, and an argument is a text', (t) => {
  t.is(
    places({ fence: { program: '', timeoutMs: 5 } }),
    'fence.program config-missing,fence.timeoutMs config-range',
  );
  t.is(
    places({ fence: { program: '/bin/off', arguments: ['a', { b: 1 }] } }),
    'fence.arguments[1] config-shape',
  );
  t.deepEqual(good({ fence: { program: '/bin/off', arguments: ['3'] } }).fence, ['/bin/off', '3']);
});

test('an IPv6 witness is named as its answer names it', (t) => {
  const { witnesses } = good({ witnesses: ['2001:DB8:0:0::0001'] }).node.pair;
  t.deepEqual(witnesses, [{ address: '2001:db8::1', by: 'icmp' }]);
});
