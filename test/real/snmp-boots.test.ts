/**
 * Debian's snmpd started again and again, as the appliance's unit starts it: a receiver of SNMPv3 traps that has heard it before
 * goes on hearing it (RFC 3414, 2.2.2 and 3.2 (7)), and of users and keys only the configuration decides.
 */

import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { SnmpSettings } from '../../src/panel/mib/snmpd-conf.ts';
import { AUTH, PRIV, run, Stage, until } from './snmp-stage.ts';

const ENGINE = '.1.3.6.1.6.3.10.2.1.1.0';
const BOOTS = '.1.3.6.1.6.3.10.2.1.2.0';
/** Longer than any test has run: a receiver believes that the engine is as old as this, s. */
const LONG = 1_000_000;

const WATCHER = { watcher: { authKey: AUTH, privKey: PRIV } };

/** The clock that is counted from then goes by seconds. */
const SECOND_MS = 1100;

/** Ends it as a power cut does, and starts it with other settings. */
async function again(
  stage: Stage,
  before: ReturnType<Stage['snmpd']>,
  settings: SnmpSettings,
): Promise<ReturnType<Stage['snmpd']>> {
  const ended = once(before, 'exit');
  before.kill('SIGKILL');
  await ended;
  return stage.snmpd(settings);
}

test('traps are taken after every restart, by who has heard the engine before', async (t) => {
  const stage = await Stage.open(t);
  const noc = { address: '127.0.0.1', port: stage.trapPort, user: 'watcher' };
  const settings = { enabled: true, users: WATCHER, traps: { noc } };
  let snmpd = stage.snmpd(settings);
  const engine = await until('the engine id', () => stage.value(ENGINE));
  const engineId = engine.replace(/[^0-9A-F]/gi, '');
  stage.trapd(engineId);
  await until('snmptrapd', () => (stage.heard.includes('NET-SNMP version') ? true : undefined));

  const coldStarts = (): number =>
    [...stage.heard.matchAll(/= OID: \.1\.3\.6\.1\.6\.3\.1\.1\.5\.1\b/g)].length;
  const seen: number[] = [];
  for (let restart = 1; restart <= 3; restart++) {
    const boots = Number(await until('the count of starts', () => stage.value(BOOTS)));
    seen.push(boots);
    // the receiver hears the engine at a great age, and would drop what is younger of the same start
    const who = ['-v3', '-l', 'authPriv', '-u', 'watcher', '-a', 'SHA-256', '-A', AUTH];
    const how = [
      '-x',
      'AES',
      '-X',
      PRIV,
      '-e',
      `0x${engineId}`,
      '-Z',
      `${boots},${LONG * restart}`,
    ];
    const to = `127.0.0.1:${stage.trapPort}`;
    await run('snmptrap', [...who, ...how, to, '', `.1.3.6.1.4.1.32473.9.${restart}`], {
      env: stage.env,
    });
    await until('the old engine', () =>
      stage.heard.includes(`32473.9.${restart}`) ? true : undefined,
    );
    const before = coldStarts();
    snmpd = await again(stage, snmpd, settings);
    t.true(await until('coldStart', () => (coldStarts() > before ? true : undefined)));
    t.is(await until('the engine id', () => stage.value(ENGINE)), engine);
  }
  t.deepEqual(
    seen,
    [...new Set(seen)].sort((a, b) => a - b),
    'it rises with every start',
  );
});

test('who was deleted is gone, and a key that was changed is the only one', async (t) => {
  const stage = await Stage.open(t);
  const ask = (auth?: string) => stage.ask('snmpget', [BOOTS], auth);
  const other = { authKey: 'authentication-2', privKey: PRIV };
  let snmpd = stage.snmpd({ enabled: true, users: WATCHER });
  t.truthy(await until('the first key', () => ask()));
  snmpd = await again(stage, snmpd, { enabled: true, users: { watcher: other } });
  t.truthy(await until('the second key', () => ask(other.authKey)));
  t.is(await ask(AUTH), undefined, 'the first is no more');
  snmpd = await again(stage, snmpd, { enabled: true, users: { noc: other }, community: 'readme' });
  const open = ['-v2c', '-c', 'readme', '-On', `127.0.0.1:${stage.port}`, BOOTS];
  await until('another start', () =>
    run('snmpget', open, { env: stage.env }).catch(() => undefined),
  );
  t.is(await ask(AUTH), undefined);
  t.is(await ask(other.authKey), undefined);
});

test('snmpd starts when the count cannot be read, nor kept', async (t) => {
  const stage = await Stage.open(t);
  const settings = { enabled: true, users: WATCHER };
  const count = () => until('the count of starts', () => stage.value(BOOTS));
  let snmpd = stage.snmpd(settings);
  const first = Number(await count());
  writeFileSync(join(stage.root, 'data/snmp/boots'), 'xyzzy');
  await sleep(SECOND_MS);
  snmpd = await again(stage, snmpd, settings);
  const second = Number(await count());
  t.true(second > first, `${second} > ${first}`);
  // neither the folder can be made nor a file in it
  rmSync(join(stage.root, 'data/snmp'), { recursive: true });
  writeFileSync(join(stage.root, 'data/snmp'), '');
  await sleep(SECOND_MS);
  snmpd = await again(stage, snmpd, settings);
  const third = Number(await count());
  t.true(third > second, `${third} > ${second}`);
});
