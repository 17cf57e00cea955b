/** What the agent serves, from the state of a box: the values, their places, and what does not exist. */

import { readFileSync } from 'node:fs';
import test from 'ava';
import { instancesNow, REGIONS } from '../../src/panel/mib/agent.ts';
import { SIPAIR_GROUPS } from '../../src/panel/mib/sipair.ts';
import { SIPAIR_TRAPS } from '../../src/panel/mib/sipair-told.ts';
import { operationOf, vrrpReason } from '../../src/panel/mib/standard.ts';
import type { Scene } from '../../src/panel/mib/terms.ts';
import { sipairMibText } from '../../src/panel/mib/text.ts';
import { notificationsOf, sentenceOf } from '../../src/panel/mib/traps.ts';
import { type Oid, oidOf, oidText, type SnmpValue } from '../../src/panel/mib/values.ts';
import type { BoxStatus, StatusChange } from '../../src/panel/monitor/box-status.ts';
import { AT, alarmOf, boxOf, daemonOf } from './status-scenes.ts';

/** The agent began 100 s before. */
function sceneOf(status: BoxStatus, lanIfIndex = 2): Scene {
  return { status, lanIfIndex, upTimeAt: (mono) => Math.max(0, (mono - 400_000) / 10) };
}

function at(place: string, over: Partial<BoxStatus> = {}): SnmpValue['value'] | undefined {
  const list = instancesNow(sceneOf(boxOf(over)));
  const value = list.get(oidOf(place))?.value;
  return value?.type === 'octets' ? latin(value.value) : value?.value;
}

function latin(bytes: Uint8Array): never {
  return Buffer.from(bytes).toString('utf8') as never;
}

const OURS = '1.3.6.1.4.1.32473.1.1';

test('the text in the repository is the one that is made from the data', (t) => {
  const file = new URL('../../src/panel/mib/mibs/SIPAIR-MIB.txt', import.meta.url);
  t.is(readFileSync(file, 'utf8'), sipairMibText());
});

test('names and numbers are used once', (t) => {
  const names = SIPAIR_GROUPS.flatMap((g) => [
    g.name,
    ...g.scalars.map((s) => s.name),
    ...g.tables.flatMap((x) => [x.name, x.index.name, ...x.columns.map((c) => c.name)]),
  ]).concat(SIPAIR_TRAPS.map((n) => n.name));
  t.is(new Set(names).size, names.length);
  for (const g of SIPAIR_GROUPS) {
    const numbers = [...g.scalars, ...g.tables].map((o) => o.number);
    t.is(new Set(numbers).size, numbers.length, g.name);
    for (const x of g.tables) {
      const columns = [x.index, ...x.columns].map((c) => c.number);
      t.is(new Set(columns).size, columns.length, x.name);
    }
  }
});

test('the pair: role, epoch, readiness, lag, the last change', (t) => {
  t.is(at(`${OURS}.1.1.0`), 1);
  t.is(at(`${OURS}.1.2.0`), 'Käfertal' as never);
  t.is(at(`${OURS}.2.1.0`), 5);
  t.is(at(`${OURS}.2.2.0`), 3);
  t.is(at(`${OURS}.2.4.0`), 1);
  t.is(at(`${OURS}.2.6.0`), 1);
  t.is(at(`${OURS}.2.10.0`), 3);
  t.is(at(`${OURS}.2.17.0`), 'peer-silent' as never);
  t.is(at(`${OURS}.2.19.0`), 100);
  // buckets: below 2 ms, nine
  t.is(at(`${OURS}.2.23.1.2.2`), 2);
  t.is(at(`${OURS}.2.23.1.3.2`), 9);
  t.is(at(`${OURS}.2.23.1.2.9`), 0);
  t.is(at(`${OURS}.2.24.1.3.9`), 1);
});

test('a backup lacks what the primary has and it has not', (t) => {
  const peer = { ...daemonOf().peer, role: 'primary', lsn: 50 };
  t.is(at(`${OURS}.2.10.0`, { daemon: daemonOf({ role: 'backup', lsn: 47, peer }) }), 3);
  t.is(at(`${OURS}.2.10.0`, { daemon: daemonOf({ role: 'backup', peer: undefined }) }), undefined);
});

test('counters are found by their names, and are 64 bits wide', (t) => {
  const index = [...Buffer.from('callsTried')].join('.');
  t.is(at(`${OURS}.3.20.1.2.${index}`), 5_000_000_000);
  const pair = [...Buffer.from('takeovers')].join('.');
  t.is(at(`${OURS}.3.21.1.2.${pair}`), 1);
});

test('alarms: active and over, with severity, and what is active is known by its number', (t) => {
  const alarms = [alarmOf()];
  const history = [alarmOf({ id: 3, code: 'lan-down', severity: 'critical', clearedAt: AT })];
  t.is(at(`${OURS}.4.1.0`, { alarms }), 1);
  t.is(at(`${OURS}.4.2.0`, { alarms }), 2);
  t.is(at(`${OURS}.4.2.0`), 0);
  t.is(at(`${OURS}.4.3.1.2.8`, { alarms }), 'crossover-down' as never);
  t.is(at(`${OURS}.4.4.1.4.3`, { history }), 1);
  t.not(at(`${OURS}.4.4.1.9.3`, { alarms, history }), undefined);
  t.is(at(`${OURS}.4.3.1.9.8`, { alarms }), undefined);
});

test('the machine: what it has no sensor for does not exist', (t) => {
  t.is(at(`${OURS}.6.1.0`), 485);
  t.is(at(`${OURS}.6.12.0`), 40);
  t.is(at(`${OURS}.6.14.0`), -250);
  const { temperatureC: _, ...health } = boxOf().health;
  t.is(at(`${OURS}.6.1.0`, { health: { ...health, certificate: {} } }), undefined);
  t.is(at(`${OURS}.6.12.0`, { health: { ...health, certificate: {} } }), undefined);
});

test('without a service only box, machine and lamps exist', (t) => {
  t.is(at(`${OURS}.1.7.0`, { daemon: undefined }), 2);
  t.is(at(`${OURS}.2.1.0`, { daemon: undefined }), 1);
  t.is(at(`${OURS}.2.4.0`, { daemon: undefined }), undefined);
  t.is(at(`${OURS}.3.1.0`, { daemon: undefined }), undefined);
  t.is(at('1.3.6.1.2.1.149.1.1.1.1.2.1', { daemon: undefined, phase: 'down' }), 3);
  // its engine is silent
  const { counters: _, calls: __, ...rest } = daemonOf() as { [field: string]: unknown };
  t.is(at(`${OURS}.3.1.0`, { daemon: rest as never }), undefined);
  t.is(at(`${OURS}.2.2.0`, { daemon: rest as never }), 3);
});

test('SIP-COMMON-MIB and SIP-SERVER-MIB at their standard places', (t) => {
  t.is(at('1.3.6.1.2.1.149.1.1.1.1.1.1'), 'SIP/2.0' as never);
  t.is(at('1.3.6.1.2.1.149.1.1.1.1.2.1'), 2);
  // started 60 s ago, the agent 100 s ago
  t.is(at('1.3.6.1.2.1.149.1.1.1.1.3.1'), 4000);
  t.is(at('1.3.6.1.2.1.149.1.1.1.1.4.1'), 7000);
  t.is(at('1.3.6.1.2.1.149.1.3.1.1.1.1'), 100);
  t.is(at('1.3.6.1.2.1.149.1.3.1.1.2.1'), 70);
  t.is(at('1.3.6.1.2.1.149.1.3.1.1.3.1'), 80);
  t.is(at('1.3.6.1.2.1.149.1.3.1.1.4.1'), 110);
  t.is(at('1.3.6.1.2.1.149.1.8.1.1.3.1'), 7);
  t.is(at('1.3.6.1.2.1.149.1.1.4.1.2.1.1'), 'INVITE' as never);
  t.is(at('1.3.6.1.2.1.149.1.1.3.1.2.1.1'), '100rel' as never);
  t.is(at('1.3.6.1.2.1.151.1.1.1.1.1.1'), 1);
  t.is(at('1.3.6.1.2.1.151.1.5.1.1.3.1'), 12);
  t.is(at('1.3.6.1.2.1.151.1.6.1.1.1.1'), 20);
});

test('a backup is not up: the other box processes SIP', (t) => {
  const of = (role: string): number => operationOf(boxOf({ daemon: daemonOf({ role }) }));
  t.deepEqual(['primary', 'resigning', 'backup', 'starting'].map(of), [2, 6, 3, 5]);
  t.is(operationOf(boxOf({ daemon: undefined, phase: 'booting' })), 5);
});

test('VRRPV3-MIB: one virtual router, by interface, id and family', (t) => {
  t.is(at('1.3.6.1.2.1.207.1.1.1.1.6.2.51.1'), 3);
  t.is(at('1.3.6.1.2.1.207.1.1.1.1.7.2.51.1'), 200);
  t.is(at('1.3.6.1.2.1.207.1.1.1.1.8.2.51.1'), 1);
  t.is(at('1.3.6.1.2.1.207.1.1.1.1.12.2.51.1'), 3000);
  t.is(at('1.3.6.1.2.1.207.1.1.2.1.2.2.51.1.4.192.0.2.10'), 1);
  t.is(at('1.3.6.1.2.1.207.1.2.1.0'), 5);
  t.is(at('1.3.6.1.2.1.207.1.2.2.0'), 1);
  t.is(at('1.3.6.1.2.1.207.1.2.5.1.5.2.51.1'), 2);
  t.is(at('1.3.6.1.2.1.207.1.2.5.1.2.2.51.1'), 3);
  const none = instancesNow(sceneOf(boxOf({ daemon: daemonOf({ vrrp: undefined }) })));
  t.is(none.has(oidOf('1.3.6.1.2.1.207')), false);
  t.deepEqual(
    ['peer-silent', 'switchover', 'cold-start', undefined].map((c) => vrrpReason(c)),
    [3, 2, 1, 0],
  );
});

test('everything lies in what is registered', (t) => {
  const inside = (oid: Oid): boolean =>
    REGIONS.some((r) => r.every((n: number, i: number) => oid[i] === n));
  const { all } = instancesNow(sceneOf(boxOf({ alarms: [alarmOf()] })));
  t.true(all.length > 150);
  t.true(all.every(({ oid }) => inside(oid)));
  t.is(new Set(all.map(({ oid }) => oidText(oid))).size, all.length);
});

const CHANGES: readonly StatusChange[] = [
  { at: AT, kind: 'phase', from: 'booting', to: 'running' },
  { at: AT, kind: 'role-change', from: 'backup', to: 'primary', cause: 'peer-silent', epoch: 3 },
  { at: AT, kind: 'peer-lost' },
  { at: AT, kind: 'peer-back' },
  { at: AT, kind: 'link-lost', path: 'x' },
  { at: AT, kind: 'link-back', path: 'l' },
  { at: AT, kind: 'in-step' },
  { at: AT, kind: 'out-of-step' },
  { at: AT, kind: 'vip-conflict', on: true, text: 'claimed by 02:00:00:00:00:01' },
  { at: AT, kind: 'capacity', what: 'registrations', used: 9000, limit: 10_000 },
  { at: AT, kind: 'configuration', revision: 15, by: 'admin' },
  { at: AT, kind: 'image', text: 'sipair 0.2.0 is confirmed' },
  { at: AT, kind: 'certificate', daysLeft: 12 },
  { at: AT, kind: 'wear', percent: 91 },
  { at: AT, kind: 'alarm-raised', alarm: alarmOf() },
  { at: AT, kind: 'alarm-cleared', alarm: alarmOf({ clearedAt: AT }) },
];

test('each change has its notification, with a sentence and all objects the module names', (t) => {
  const scene = sceneOf(boxOf({ alarms: [alarmOf()] }));
  const seen = new Set<string>();
  for (const change of CHANGES) {
    const [first, ...more] = notificationsOf(change, scene);
    if (first === undefined) return t.fail(change.kind);
    seen.add(oidText(first.oid));
    t.true(sentenceOf(change).length > 10);
    const spec = SIPAIR_TRAPS.find((n) => n.number === first.oid.at(-1));
    t.is(first.varbinds.length, spec?.objects.length ?? -1, change.kind);
    // of VRRP only with a new primary
    t.is(more.length, change.kind === 'role-change' ? 1 : 0);
  }
  t.is(seen.size, SIPAIR_TRAPS.length, 'no notification without a change that sends it');
});

test('a role change carries the role it changed to, whatever the state is by then', (t) => {
  const scene = sceneOf(boxOf({ daemon: daemonOf({ role: 'backup' }) }));
  const [own] = notificationsOf(CHANGES[1] as StatusChange, scene);
  const role = own?.varbinds.find((v) => oidText(v.oid) === `${OURS}.2.1.0`);
  t.is(role?.value.value, 5);
});

test('an alarm is known by the row it has in the table', (t) => {
  const [raised] = notificationsOf(CHANGES[14] as StatusChange, sceneOf(boxOf()));
  t.true(raised?.varbinds.some((v) => oidText(v.oid) === `${OURS}.4.3.1.2.8`));
});
