/**
 * snmpd.conf of Debian's snmpd 5.9: SNMPv3 authPriv by SHA-256 and AES-128, read only; v2c only where a
 * community is set; whom traps and informs go to. We are its AgentX subagent.
 */

export type SnmpSettings = {
  readonly enabled?: boolean;
  readonly location?: string;
  readonly contact?: string;
  readonly users?: {
    readonly [name: string]: { readonly authKey: string; readonly privKey: string };
  };
  readonly community?: string;
  readonly traps?: {
    readonly [name: string]: {
      readonly address: string;
      readonly port?: number;
      readonly kind?: 'trap' | 'inform';
      readonly user: string;
    };
  };
};

export type SnmpPlace = {
  /** Own address on the service LAN. */
  readonly address: string;
  readonly port: number;
  /** Of the service LAN: its MAC address makes the engine id, which so survives everything. */
  readonly interface: string;
  /** Unix socket of the subagent. */
  readonly agentx: string;
};

const DEFAULT_TRAP_PORT = 162;

function quoted(text: string): string {
  return `"${text.replace(/["\\\r\n]/g, ' ')}"`;
}

/** The rest of a line, which quotes would become part of. */
function line(text: string): string {
  return text.replace(/[\r\n]/g, ' ');
}

function endpoint(address: string, port: number): string {
  return address.includes(':') ? `udp6:[${address}]:${port}` : `udp:${address}:${port}`;
}

export function snmpdConf(snmp: SnmpSettings, place: SnmpPlace): string {
  const users = snmp.users ?? {};
  const lines = [
    '# Made from `system snmp` of the configuration: changes here do not last.',
    `agentAddress ${endpoint(place.address, place.port)}`,
    'engineIDType 3',
    `engineIDNic ${place.interface}`,
    'master agentx',
    `agentXSocket ${place.agentx}`,
    'agentXPerms 0600 0700',
    'agentXTimeout 5',
    // the services of a host that answers up to applications: 64 + 8
    'sysServices 72',
    ...(snmp.location === undefined ? [] : [`sysLocation ${line(snmp.location)}`]),
    ...(snmp.contact === undefined ? [] : [`sysContact ${line(snmp.contact)}`]),
  ];
  for (const [name, { authKey, privKey }] of Object.entries(users)) {
    lines.push(`createUser ${name} SHA-256 ${quoted(authKey)} AES ${quoted(privKey)}`);
    lines.push(`rouser ${name} authpriv`);
  }
  if (snmp.community !== undefined && snmp.community !== '') {
    lines.push(`rocommunity ${quoted(snmp.community)}`, `rocommunity6 ${quoted(snmp.community)}`);
  }
  for (const trap of Object.values(snmp.traps ?? {})) {
    const user = users[trap.user];
    // a user that is not there is a fault of the configuration, found before
    if (user === undefined) continue;
    const inform = trap.kind === 'inform' ? ' -Ci' : '';
    const keys = `-a SHA-256 -A ${quoted(user.authKey)} -x AES -X ${quoted(user.privKey)}`;
    const to = endpoint(trap.address, trap.port ?? DEFAULT_TRAP_PORT);
    lines.push(`trapsess -v 3${inform} -u ${trap.user} -l authPriv ${keys} ${to}`);
  }
  return `${lines.join('\n')}\n`;
}
