/**
 * SNMP as an operator's monitoring sees it: Debian's snmpd in front, this box's subagent behind it, asked
 * by snmpwalk, and traps and informs taken by snmptrapd, all by SNMPv3 with authentication and privacy.
 */

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { snmpConsumer } from '../../src/edge/monitor/agentx.ts';
import type { BoxStatus, DaemonStatus } from '../../src/panel/monitor/box-status.ts';
import { createLab, labName } from '../lab/lab.ts';
import { ROOT } from '../lab/places.ts';
import { AT, alarmOf, boxOf, daemonOf } from '../unit/status-scenes.ts';
import { AUTH, OURS, PRIV, run, Stage, until } from './snmp-stage.ts';

const USERS = { watcher: { authKey: AUTH, privKey: PRIV } };

function consumerOf(t: ExecutionContext, stage: Stage) {
  const logs: string[] = [];
  const consumer = snmpConsumer({
    root: stage.root,
    release: 'sipair 0.1.0',
    system: { snmp: { enabled: true } },
    log: (level, text) => logs.push(`${level} ${text}`),
    askDaemon: () => Promise.resolve({}),
  });
  t.teardown(() => consumer.close());
  return { consumer, logs };
}

test('the state of a box is read by SNMPv3, survives snmpd, and is for nobody without the password', async (t) => {
  const stage = await Stage.open(t);
  const { consumer, logs } = consumerOf(t, stage);
  const status = boxOf({ alarms: [alarmOf()] });
  consumer.update(status, []);
  let snmpd = stage.snmpd({ enabled: true, location: 'rack 7', users: USERS });
  t.is(await until('role', () => stage.value(`${OURS}.2.1.0`)), '5');
  t.is(await stage.value('.1.3.6.1.2.1.1.6.0'), '"rack 7"', 'the standard MIBs are snmpd’s own');
  t.not(await stage.value('.1.3.6.1.2.1.2.1.0'), undefined);
  t.is(await stage.value('.1.3.6.1.2.1.149.1.3.1.1.1.1'), '100');
  t.is(await stage.value('.1.3.6.1.2.1.151.1.1.1.1.2.1'), 'C0 00 02 0A ');
  const index = [...Buffer.from('callsTried')].join('.');
  t.is(await stage.value(`${OURS}.3.20.1.2.${index}`), '5000000000', '64 bits');
  // both ways of walking give the same, and end
  const walked = await stage.ask('snmpwalk', [OURS]);
  const bulk = await stage.ask('snmpbulkwalk', ['-Cr25', OURS]);
  t.is(walked, bulk);
  t.true((walked ?? '').split('\n').length > 100);
  t.regex(walked ?? '', /crossover-down/);
  t.not(await stage.ask('snmpwalk', ['.1.3.6.1.2.1.207']), undefined);
  // several at once, of which one does not exist
  const some = await stage.ask('snmpget', [`${OURS}.2.2.0`, `${OURS}.2.99.0`, `${OURS}.4.1.0`]);
  t.regex(some ?? '', /2\.2\.0 = Gauge32: 3\n.*No Such.*\n.*4\.1\.0 = Gauge32: 1/);

  t.is(await stage.ask('snmpwalk', [OURS], 'another-password'), undefined, 'wrong password');
  t.is(await stage.ask('snmpset', [`${OURS}.1.2.0`, 's', 'mine']), undefined, 'nothing is written');
  const v2c = ['-v2c', '-c', 'public', '-t', '1', '-r', '0', `127.0.0.1:${stage.port}`, OURS];
  await t.throwsAsync(run('snmpwalk', v2c, { env: stage.env }), undefined, 'v2c is off');

  snmpd.kill('SIGKILL');
  await until('the end of snmpd is noticed', () => logs.find((l) => l.includes('no snmpd')));
  snmpd = stage.snmpd({ enabled: true, users: USERS, community: 'readme' });
  consumer.update(boxOf({ daemon: daemonOf({ role: 'backup' }) }), []);
  t.is(await until('role after a restart', () => stage.value(`${OURS}.2.1.0`)), '3');
  const open = ['-v2c', '-c', 'readme', '-On', `127.0.0.1:${stage.port}`, `${OURS}.2.2.0`];
  t.regex((await run('snmpget', open, { env: stage.env })).stdout, /Gauge32: 3/);
});

test('what changes is told: traps, and informs until they are acknowledged', async (t) => {
  const stage = await Stage.open(t);
  const { consumer } = consumerOf(t, stage);
  const traps = {
    once: { address: '127.0.0.1', port: stage.trapPort, kind: 'trap', user: 'watcher' },
    sure: { address: '127.0.0.1', port: stage.trapPort, kind: 'inform', user: 'watcher' },
  } as const;
  consumer.update(boxOf(), []);
  const first = stage.snmpd({ enabled: true, users: USERS });
  const engine = await until('the engine id', () => stage.value('.1.3.6.1.6.3.10.2.1.1.0'));
  first.kill('SIGKILL');
  const engineId = engine.replace(/[^0-9A-F]/gi, '');
  stage.trapd(engineId);
  await until('snmptrapd', () => (stage.heard.includes('NET-SNMP version') ? true : undefined));
  stage.snmpd({ enabled: true, users: USERS, traps });
  await until('the subagent is back', () => stage.value(`${OURS}.2.1.0`));
  t.is(await stage.value('.1.3.6.1.6.3.10.2.1.1.0'), engine, 'the engine id is that of the port');

  const alarm = alarmOf();
  consumer.update(boxOf({ alarms: [alarm] }), [
    { at: AT, kind: 'role-change', from: 'backup', to: 'primary', cause: 'peer-silent', epoch: 3 },
    { at: AT, kind: 'alarm-raised', alarm },
  ]);
  // each once as a trap and once as an inform, which snmptrapd only prints after it answered
  const count = (what: RegExp): number => [...stage.heard.matchAll(what)].length;
  const TRAP_OID = '\\.1\\.3\\.6\\.1\\.6\\.3\\.1\\.1\\.4\\.1\\.0 = OID: ';
  const role = new RegExp(`${TRAP_OID}\\.1\\.3\\.6\\.1\\.4\\.1\\.32473\\.1\\.0\\.1\\b`, 'g');
  const raised = new RegExp(`${TRAP_OID}\\.1\\.3\\.6\\.1\\.4\\.1\\.32473\\.1\\.0\\.14\\b`, 'g');
  const vrrp = new RegExp(`${TRAP_OID}\\.1\\.3\\.6\\.1\\.2\\.1\\.207\\.0\\.1\\b`, 'g');
  await until('two of each', () =>
    count(role) >= 2 && count(raised) >= 2 && count(vrrp) >= 2 ? true : undefined,
  );
  t.regex(stage.heard, /role: backup to primary \(peer-silent\), epoch 3/);
  t.regex(stage.heard, /32473\.1\.1\.4\.3\.1\.2\.8 = STRING: "crossover-down"/);
  t.regex(stage.heard, /\.1\.3\.6\.1\.2\.1\.1\.3\.0 = Timeticks/, 'the uptime is the agent’s');

  consumer.close();
  t.is(
    await until('unregistered', async () =>
      (await stage.value(`${OURS}.2.1.0`)) === undefined ? 'gone' : undefined,
    ),
    'gone',
  );
});

/** How often the backup acknowledged, and that was measured. */
function ackedBy(daemon: DaemonStatus | undefined): number {
  return Object.values(daemon?.ackLatency ?? {}).reduce((n, c) => n + c, 0);
}

test('what SNMP says is what the daemon says', async (t) => {
  const stage = await Stage.open(t);
  const lab = await createLab({ name: labName('snmp'), phones: 2 });
  t.teardown(() => lab.down());
  const { consumer } = consumerOf(t, stage);
  stage.snmpd({ enabled: true, users: USERS });
  const { primary } = await lab.status();
  const box = primary ?? 'a';
  const daemon = await until('an answer of the daemon', async () => {
    const { status } = (await lab.status()).boxes[box];
    const asked = status as unknown as DaemonStatus | undefined;
    const busy = (asked?.counters?.['requestsIn'] ?? 0) > 0 && ackedBy(asked) > 0;
    return asked?.readiness.ready === true && busy ? asked : undefined;
  });
  const status: BoxStatus = boxOf({ at: Date.now(), box, daemon });
  consumer.update(status, []);
  t.is(await until('role', () => stage.value(`${OURS}.2.1.0`)), '5');
  t.is(await stage.value(`${OURS}.2.4.0`), '1');
  t.is(await stage.value(`${OURS}.2.2.0`), `${daemon.epoch}`);
  t.is(await stage.value(`${OURS}.3.3.0`), `${daemon.registrations}`);
  const walked = (await stage.ask('snmpwalk', [`${OURS}.3.20`])) ?? '';
  const said: { [name: string]: number } = {};
  for (const [, index = '', value] of walked.matchAll(
    /3\.20\.1\.2\.([\d.]+) = Counter64: (\d+)/g,
  )) {
    said[String.fromCharCode(...index.split('.').map(Number))] = Number(value);
  }
  t.deepEqual(said, daemon.counters as { [name: string]: number });
  t.true((said['requestsOut'] ?? 0) + (said['responsesOut'] ?? 0) > 0);
});

test('the module is accepted by smilint, and its names are found by snmptranslate', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sipair-mib-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  // Debian has no modules of the IETF (they are not free); those that SMIv2 itself needs come with net-snmp
  const theirs = join(ROOT, 'node_modules/net-snmp/lib/mibs');
  for (const name of ['SNMPv2-SMI', 'SNMPv2-TC', 'SNMPv2-CONF']) {
    copyFileSync(join(theirs, `${name}.mib`), join(folder, name));
  }
  const own = join(folder, 'SIPAIR-MIB');
  copyFileSync(join(ROOT, 'src/panel/mib/mibs/SIPAIR-MIB.txt'), own);
  const conf = join(folder, 'smi.conf');
  writeFileSync(conf, `path ${folder}\n`);
  const said = execFileSync('smilint', ['-c', conf, '-s', '-l', '6', own], { encoding: 'utf8' });
  t.is(said, '');
  const translate = (name: string): string =>
    execFileSync('snmptranslate', ['-M', folder, '-m', 'SIPAIR-MIB', '-IR', '-On', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  t.is(translate('sipairPairReady.0'), `${OURS}.2.4.0`);
  t.is(translate('sipairAlarmRaised'), '.1.3.6.1.4.1.32473.1.0.14');
});
