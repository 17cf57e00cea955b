/** The files of the machine, as systemd-networkd, chronyd and snmpd read them. */

import test from 'ava';
import { machineFiles } from '../../src/panel/tree/machine-files.ts';
import {
  hostName,
  leftovers,
  resolvConf,
  timeZone,
  zoneFault,
} from '../../src/panel/tree/machine-network.ts';
import type { Tree } from '../../src/panel/tree/terms.ts';
import { built, LEAST, RICH } from './tree-lab.ts';

function textAt(tree: Tree, path: string): string | undefined {
  const found = machineFiles(tree, 'a').find((f) => f.path.endsWith(path));
  if (found === undefined) throw new Error(path);
  return found.text;
}

test('the service LAN has its address and router, and keeps what is not its own', (t) => {
  t.is(
    textAt(built('box a lan gateway 192.0.2.1', LEAST), '10-lan.network'),
    `# Made from the configuration: changes here do not last.
[Match]
Name=eth0

[Link]
RequiredForOnline=no

[Network]
Address=192.0.2.11/24
Gateway=192.0.2.1
LinkLocalAddressing=no
IPv6AcceptRA=no
DHCP=no
LLDP=no
EmitLLDP=no
MulticastDNS=no
LLMNR=no
ConfigureWithoutCarrier=yes
IgnoreCarrierLoss=yes
KeepConfiguration=yes
`,
  );
});

test('an IPv6 virtual address gets a link-local one beside it, and no other', (t) => {
  const text = textAt(RICH, '10-lan.network') ?? '';
  t.regex(text, /^LinkLocalAddressing=ipv6$/m);
  t.regex(text, /\[IPv6AcceptRA\]\nUseAutonomousPrefix=no\n/);
  t.notRegex(text, /2001:db8::10|192\.0\.2\.10\//, "virtual addresses are the daemon's");
});

test('the crossover has one address and is silent', (t) => {
  const text = textAt(RICH, '20-crossover.network') ?? '';
  t.regex(text, /Name=eth1\n[\s\S]*\nAddress=169\.254\.77\.1\/24\nLinkLocalAddressing=no\n/);
  t.notRegex(text, /Gateway/);
  const other = machineFiles(RICH, 'b');
  t.regex(other[1]?.text ?? '', /Address=169\.254\.77\.2\/24/);
  t.regex(other[0]?.text ?? '', /Address=192\.0\.2\.12\/24/);
});

test('the resolver is told servers it can ask', (t) => {
  const some = '192.0.2.53 192.0.2.54:5353 [2001:db8::53]:53 192.0.2.55:53 192.0.2.56';
  const tree = built(`dns servers [ ${some} ]`);
  t.deepEqual(resolvConf(tree).match(/^nameserver .*$/gm), [
    'nameserver 192.0.2.53',
    'nameserver 2001:db8::53',
    'nameserver 192.0.2.55',
  ]);
  t.regex(resolvConf(LEAST), /^options /m);
});

test('no start of chronyd lets it step the clock by itself, and nobody is served', (t) => {
  const boot = textAt(RICH, 'chrony.conf') ?? '';
  t.regex(boot, /^server ntp\.example\.net iburst$/m);
  t.regex(boot, /^server 192\.0\.2\.123 iburst$/m);
  t.regex(boot, /^rtcsync$/m);
  t.regex(boot, /^port 0\nbindcmdaddress 127\.0\.0\.1\nbindcmdaddress ::1$/m);
  t.notRegex(boot, /makestep|initstepslew/);
  t.is(textAt(LEAST, 'chrony.conf'), undefined, 'nobody to ask');
});

test('SNMP is there when it is switched on, and only root reads its passwords', (t) => {
  t.is(textAt(LEAST, 'snmpd.conf'), undefined);
  const file = machineFiles(RICH, 'a').find((f) => f.part === 'snmp');
  t.is(file?.mode, 0o600);
  t.regex(file?.text ?? '', /^createUser noc SHA-256 "authauth1" AES "privpriv1"$/m);
  t.regex(file?.text ?? '', /^trapsess .*-Ci .*192\.0\.2\.60:162$/m);
  t.notRegex(file?.text ?? '', /rocommunity/);
});

test('name and time zone of a box', (t) => {
  t.is(hostName(RICH, 'a'), 'left');
  t.is(hostName(RICH, 'b'), 'right');
  t.is(timeZone(RICH), 'Europe/Berlin');
  t.is(timeZone(LEAST), 'UTC');
  t.is(
    zoneFault(RICH, (zone) => zone === 'Europe/Berlin'),
    undefined,
  );
  t.is(zoneFault(RICH, (zone) => zone === 'UTC')?.place, 'system timeZone');
});

test('of a first boot there is what can be made', (t) => {
  const files = machineFiles({}, 'b');
  t.deepEqual(
    files.map((f) => [f.path, f.part, f.value, f.text === undefined]),
    [
      ['run/systemd/network/20-crossover.network', 'network', '', false],
      ['run/resolv.conf', 'names', '', false],
      ['run/sipair/timezone', 'timezone', 'UTC', false],
      ['run/chrony/chrony.conf', 'time', 'stop', true],
      ['run/snmp/snmpd.conf', 'snmp', 'stop', true],
    ],
  );
  const own = built('box b name right\nbox b lan address 192.0.2.12\nsystem ntp 192.0.2.1');
  t.deepEqual(
    machineFiles(own, 'b').map((f) => f.part),
    ['network', 'network', 'names', 'hostname', 'timezone', 'time', 'snmp'],
  );
});

test('what networkd leaves behind when a port changes is named', (t) => {
  const say = (lines: string): string[] =>
    leftovers(RICH, built(lines, RICH), 'a').map((l) => `${l.kind} ${l.interface} ${l.what}`);
  t.deepEqual(say('sip port 5070'), []);
  t.deepEqual(say('box b lan address 192.0.2.13'), []);
  t.deepEqual(say('box a lan address 192.0.2.13'), ['address eth0 192.0.2.11/24']);
  t.deepEqual(say('box a lan gateway 192.0.2.2'), ['route eth0 192.0.2.1']);
  t.deepEqual(say('box a crossover address 169.254.77.3'), ['address eth1 169.254.77.1/24']);
  t.deepEqual(say('box a lan interface eth2'), [
    'address eth0 192.0.2.11/24',
    'route eth0 192.0.2.1',
  ]);
  t.deepEqual(leftovers({}, RICH, 'a'), []);
});
