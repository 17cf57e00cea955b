/**
 * Every notification of SIPAIR-MIB, from what daemon, agent and machine say through the monitor, its subagent and Debian's snmpd to
 * snmptrapd. The monitor's time is the test's: minutes of a pair pass at once.
 */

import test from 'ava';
import { snmpConsumer } from '../../src/edge/monitor/agentx.ts';
import { SIPAIR_TRAPS } from '../../src/panel/mib/sipair-told.ts';
import type { DaemonStatus } from '../../src/panel/monitor/box-status.ts';
import { Bench, DAEMON, DAY, HEALTH, SYSTEM, UTC } from '../unit/monitor-kit.ts';
import { AUTH, OURS, PRIV, Stage, until } from './snmp-stage.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const { peer } = DAEMON;
const CONFLICT: DaemonStatus['alarms']['active'][number] = {
  ...{ code: 'vip-conflict' as const, severity: 'critical' as const, epoch: 5 },
  ...{ text: 'another host has 192.0.2.10', raisedAt: 1_000_000, clearedAt: undefined },
};

type Scene = {
  readonly what: string;
  readonly begins: (b: Bench) => void;
  readonly ms: number;
  /** Name of the notification, and what its sentence or its objects have. */
  readonly told: { readonly [trap: string]: RegExp };
};

const PATH = (n: number): RegExp =>
  new RegExp(`32473\\.1\\.1\\.\\d+\\.\\d+\\.0 = INTEGER: ${n}\\b`);

const STORY: readonly Scene[] = [
  {
    what: 'a pair comes up',
    begins: (b) => {
      // a role from before the monitor is no change
      b.daemon = { ...DAEMON, since: b.mono + SECOND };
    },
    ms: 5 * SECOND,
    told: {
      sipairPhase: /phase: booting to running/,
      sipairRoleChange: /role: none to primary \(cold-start\), epoch 5/,
      sipairInStep: /in step: calls are protected/,
    },
  },
  {
    what: 'the crossover is pulled',
    begins: (b) => {
      b.daemon = {
        ...DAEMON,
        inStep: false,
        ...(peer && { peer: { ...peer, seen: { x: false, l: true } } }),
      };
    },
    ms: 5 * SECOND,
    told: {
      sipairLinkLost: /the other box is not heard over the crossover/,
      sipairOutOfStep: /out of step: calls are on one box/,
    },
  },
  {
    what: 'the other box is switched off',
    begins: (b) => {
      b.daemon = { ...DAEMON, inStep: false, peer: undefined };
    },
    ms: 5 * SECOND,
    told: {
      sipairLinkLost: /the other box is not heard over the service LAN/,
      sipairPeerLost: /the other box is heard over no way/,
    },
  },
  {
    what: 'it is back',
    begins: (b) => {
      b.daemon = DAEMON;
    },
    ms: 5 * SECOND,
    told: {
      sipairLinkBack: /the other box is heard over the crossover again/,
      sipairPeerBack: /the other box is heard again/,
      sipairInStep: /in step: calls are protected/,
    },
  },
  {
    what: 'a configuration is committed, an image is started',
    begins: (b) => {
      const image = { slot: 'B' as const, release: 'sipair 0.2.0', confirmed: false };
      b.system = { ...SYSTEM, revision: { number: 8, by: 'admin' }, image };
    },
    ms: 5 * SECOND,
    told: {
      sipairConfiguration: /configuration: revision 8 by admin is active/,
      sipairImage: /image: slot B, sipair 0\.2\.0, not confirmed/,
    },
  },
  {
    what: 'somebody has the virtual address',
    begins: (b) => {
      b.daemon = { ...DAEMON, alarms: { active: [CONFLICT], over: [] } };
    },
    ms: 5 * SECOND,
    told: { sipairVipConflict: /virtual address: another host has 192\.0\.2\.10/ },
  },
  {
    what: 'much is used up: registrations, the medium, the time of the certificate',
    begins: (b) => {
      b.daemon = { ...DAEMON, registrations: 8500 };
      const storage = { ...HEALTH.storage, wearPercent: 83 };
      b.health = { ...HEALTH, storage, certificate: { notAfter: UTC + 5 * DAY + 10 * MINUTE } };
    },
    ms: 10 * SECOND,
    told: {
      sipairCapacity: /registrations: 8500 of 10000 are used/,
      sipairWear: /the medium is worn: 83 % of its life is used/,
      sipairCertificate: /the certificate of SIP over TLS ends in 5 days/,
    },
  },
  {
    what: 'the time server is gone',
    begins: (b) => {
      b.health = { ...HEALTH, clock: { synchronised: false, source: 'chrony' } };
    },
    ms: 6 * MINUTE,
    told: { sipairAlarmRaised: /STRING: "clock-unsynchronised"/ },
  },
  {
    what: 'it answers again',
    begins: (b) => {
      b.health = HEALTH;
    },
    ms: 5 * SECOND,
    told: { sipairAlarmCleared: /STRING: "clock-unsynchronised"/ },
  },
];

/** The lines of snmptrapd that are that notification. */
function heardOf(heard: string, trap: string): readonly string[] {
  const number = SIPAIR_TRAPS.find(({ name }) => name === trap)?.number;
  const oid = `.1.3.6.1.6.3.1.1.4.1.0 = OID: .1.3.6.1.4.1.32473.1.0.${number}\t`;
  return heard.split('\n').filter((line) => line.includes(oid));
}

test('each notification of the MIB is received when its time has come', async (t) => {
  const stage = await Stage.open(t);
  const noc = {
    address: '127.0.0.1',
    port: stage.trapPort,
    kind: 'trap',
    user: 'watcher',
  } as const;
  const users = { watcher: { authKey: AUTH, privKey: PRIV } };
  const consumer = snmpConsumer({
    root: stage.root,
    release: 'sipair 0.1.0',
    system: { snmp: { enabled: true } },
    log: () => {},
    askDaemon: () => Promise.resolve({}),
  });
  t.teardown(() => consumer.close());
  const bench = new Bench();
  stage.snmpd({ enabled: true, users, traps: { noc } });
  consumer.update(bench.say({ kind: 'tick' }), []);
  await until('the subagent', () => stage.value(`${OURS}.1.3.0`));
  const engine = await until('the engine id', () => stage.value('.1.3.6.1.6.3.10.2.1.1.0'));
  stage.trapd(engine.replace(/[^0-9A-F]/gi, ''));
  await until('snmptrapd', () => (stage.heard.includes('NET-SNMP version') ? true : undefined));

  const received = new Set<string>();
  for (const { what, begins, ms, told } of STORY) {
    const before = stage.heard.length;
    begins(bench);
    const status = bench.run(ms);
    consumer.update(status, bench.changes.splice(0));
    for (const [trap, text] of Object.entries(told)) {
      await until(`${what}: ${trap}`, () =>
        heardOf(stage.heard.slice(before), trap).some((line) => text.test(line)) ? true : undefined,
      );
      received.add(trap);
    }
  }
  t.deepEqual([...received].sort(), SIPAIR_TRAPS.map(({ name }) => name).sort(), 'all there are');
  // objects beside the sentence: which box, and which way
  const [lost = ''] = heardOf(stage.heard, 'sipairLinkLost');
  t.regex(lost, /32473\.1\.1\.1\.1\.0 = INTEGER: 1\b/);
  t.regex(lost, /32473\.1\.1\.1\.2\.0 = STRING: "berlin-1"/);
  t.regex(lost, PATH(1));
});
