/**
 * Every file of the machine that is made from the configuration of one box: where it belongs, what is in
 * it, and who reads it anew. The agent writes what differs and tells those. Of a tree that is not
 * complete yet (first boot) there are the files that can be made.
 */

import { type SnmpSettings, snmpdConf } from '../mib/snmpd-conf.ts';
import { chronyConf } from '../telemetry/chrony-conf.ts';
import { flagOf, listOf, textOf } from './defaults.ts';
import type { Which } from './generate.ts';
import { crossoverNetwork, hostName, lanNetwork, resolvConf, timeZone } from './machine-network.ts';
import type { Tree } from './terms.ts';
import { valueAt } from './tree.ts';

export type MachineFile = {
  /** Below the root. */
  readonly path: string;
  /** undefined: it must not be there, and who reads it is stopped. */
  readonly text: string | undefined;
  readonly mode: number;
  /** What of the machine has to look at it, and with which word. */
  readonly part: 'network' | 'names' | 'hostname' | 'timezone' | 'time' | 'snmp';
  readonly value: string;
};

const SNMP_PORT = 161;
const AGENTX = '/run/sipair/agentx.sock';
const DRIFT = '/data/chrony/chrony.drift';
const PUBLIC = 0o644;
const PRIVATE = 0o600;

function snmpText(tree: Tree, box: Which): string | undefined {
  const address = textOf(tree, `box ${box} lan address`);
  if (!flagOf(tree, 'system snmp enabled') || address === '') return undefined;
  // its shape is that of the schema, which was checked
  const settings = valueAt(tree, ['system', 'snmp']) as SnmpSettings;
  return snmpdConf(settings, {
    address,
    port: SNMP_PORT,
    interface: textOf(tree, `box ${box} lan interface`),
    agentx: AGENTX,
  });
}

function chronyText(tree: Tree): string | undefined {
  const servers = listOf(tree, 'system ntp').map(String);
  return servers.length === 0 ? undefined : chronyConf(servers, { drift: DRIFT });
}

/** A port needs its address: the other box's part alone says nothing here. */
function networks(tree: Tree, box: Which): readonly MachineFile[] {
  const has = (port: string): boolean => textOf(tree, `box ${box} ${port} address`) !== '';
  const file = (name: string, text: string): MachineFile => ({
    path: `run/systemd/network/${name}.network`,
    text,
    mode: PUBLIC,
    part: 'network',
    value: '',
  });
  return [
    ...(has('lan') ? [file('10-lan', lanNetwork(tree, box))] : []),
    file('20-crossover', crossoverNetwork(tree, box)),
  ];
}

function word(part: 'hostname' | 'timezone', value: string): readonly MachineFile[] {
  if (value === '') return [];
  return [{ path: `run/sipair/${part}`, text: `${value}\n`, mode: PUBLIC, part, value }];
}

/** A file of a service that runs only where it is there. */
function service(
  path: string,
  text: string | undefined,
  mode: number,
  part: 'time' | 'snmp',
): MachineFile {
  return { path, text, mode, part, value: text === undefined ? 'stop' : 'restart' };
}

export function machineFiles(tree: Tree, box: Which): readonly MachineFile[] {
  return [
    ...networks(tree, box),
    { path: 'run/resolv.conf', text: resolvConf(tree), mode: PUBLIC, part: 'names', value: '' },
    ...word('hostname', hostName(tree, box)),
    ...word('timezone', timeZone(tree)),
    service('run/chrony/chrony.conf', chronyText(tree), PUBLIC, 'time'),
    // it has the passwords of SNMP users
    service('run/snmp/snmpd.conf', snmpText(tree, box), PRIVATE, 'snmp'),
  ];
}
