/** The verb `lab` of build.sh: a lab driven from a shell. Exit codes: 0 done, 1 failed, 2 misused. */

import { parseArgs } from 'node:util';
import { FAULTS } from './faults.ts';
import {
  createLab,
  isStale,
  type Lab,
  type LabStatus,
  labNames,
  messageOf,
  openLab,
  removeLab,
  removeStale,
} from './lab.ts';
import { BOXES, type BoxName, CABLES, VIP, VIP6 } from './places.ts';

const HELP = `./build.sh lab VERB [--name NAME]       a pair of boxes in network namespaces; NAME: lab

  up [--redundancy hot|warm] [--phones N] [--auth] [--no-wait] [--program FILE]
     [--vrrp ID] [--virtual-mac] [--ipv6]
                             makes it; ends when both boxes are up and (hot) in step, within 20 s.
                             --vrrp: the pair is VRRP router ID; --virtual-mac: known by its MAC
                             --ipv6: IPv6 on the LAN, a second VIP 2001:db8:77::10
                             --phones: N demo phones call each other all the time
                             --auth: digest authentication, password pw-<number>
                             --program: run FILE serve --config ... instead of the sources
  down [--all | --stale]     removes it and all it made, also half of one; --all: every lab;
                             --stale: those whose owner was killed
  list                       names of the labs on this machine
  status [--json] [--digest] roles, positions, in step, who answers ARP for the VIP
  exec a|b|lan -- COMMAND    runs a command on a host (192.0.2.11, .12; lan: .1 and .20 to .119)
  kill a|b [--signal KILL|STOP|CONT|TERM]
  start a|b [--no-wait]      starts a box again, powers it on first if need be
  power-off a|b              the box disappears without a goodbye; its disk stays
  cut x|lan-a|lan-b|lan-lan  pulls a cable: the crossover, or that of a box or host to the switch;
                             both ends lose their carrier
  heal x|lan-a|lan-b|lan-lan
  fault port-a|port-b        the switch's port fails: frames vanish, the carrier stays
  fault hide                 the switch hides the boxes from each other; the host lan sees both
  fault garp                 the switch drops gratuitous ARP
  fault wire-x|wire-lan-a|wire-lan-b [--loss PERCENT] [--delay MS] [--jitter MS]
                             a bad cable, each way; jitter lets frames overtake each other
  fault engine-a|engine-b    the engine's thread of a box stands still, the rest of it goes on
  fault socket-a|socket-b    the box's SIP socket is deaf: "port unreachable"
  undo FAULT|all             all: and every cable plugged in
  links 1..8 [--no-carrier]  one of the eight link cases of the design, told of the box that leads;
                             --no-carrier: by failed switch ports, not by pulled LAN cables
  switchover [--force]       the primary hands over to the backup
  promote a|b                the operator's word to a box that waits for its peer
  wait [--timeout SECONDS]   until both boxes are up and (hot) in step

The VIP is 192.0.2.10, SIP over UDP on port 5060, extensions 1000 to 1999. Several labs stand side by
side, each with a name of its own.`;

const SIGNALS = ['SIGKILL', 'SIGSTOP', 'SIGCONT', 'SIGTERM'] as const;

class Misuse extends Error {}

const OPTIONS = {
  name: { type: 'string', default: 'lab' },
  redundancy: { type: 'string', default: 'hot' },
  phones: { type: 'string', default: '0' },
  auth: { type: 'boolean', default: false },
  'no-wait': { type: 'boolean', default: false },
  program: { type: 'string' },
  vrrp: { type: 'string' },
  'virtual-mac': { type: 'boolean', default: false },
  ipv6: { type: 'boolean', default: false },
  all: { type: 'boolean', default: false },
  stale: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  digest: { type: 'boolean', default: false },
  signal: { type: 'string', default: 'KILL' },
  force: { type: 'boolean', default: false },
  timeout: { type: 'string', default: '20' },
  loss: { type: 'string', default: '0' },
  delay: { type: 'string', default: '0' },
  jitter: { type: 'string', default: '0' },
  'no-carrier': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new Misuse(messageOf(error));
  }
}

type Options = ReturnType<typeof parse>['values'];

const say = (line: string): void => console.log(line);

function oneOf<T extends string>(all: readonly T[], word: string | undefined, what: string): T {
  const found = all.find((one) => one === word);
  if (found === undefined) throw new Misuse(`${what}: ${all.join(', ')}; not ${word ?? 'nothing'}`);
  return found;
}

function count(text: string, what: string, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > max) {
    throw new Misuse(`${what}: a whole number up to ${max}, not ${text}`);
  }
  return value;
}

/** The VIP of a pair that is a VRRP router. */
function vrrp(options: Options): { readonly [name: string]: unknown } {
  if (options.vrrp === undefined) return {};
  const more = options.ipv6 ? { more: [VIP6] } : {};
  const id = count(options.vrrp, '--vrrp', 255);
  return { vip: { address: VIP, ...more, vrrp: { id, virtualMac: options['virtual-mac'] } } };
}

async function up(options: Options): Promise<void> {
  const redundancy = oneOf(['hot', 'warm'], options.redundancy, '--redundancy');
  const lab = await createLab({
    name: options.name,
    redundancy: `${redundancy}-standby`,
    phones: count(options.phones, '--phones', 1000),
    auth: options.auth,
    ipv6: options.ipv6,
    config: vrrp(options),
    wait: !options['no-wait'],
    ...(options.program === undefined ? {} : { program: options.program }),
    owned: false,
    say,
  });
  say(`lab ${lab.name}: VIP 192.0.2.10; ./build.sh lab status|exec|... --name ${lab.name}`);
}

async function down(options: Options): Promise<void> {
  if (options.stale) {
    await removeStale(say);
    return;
  }
  const names = options.all ? labNames() : [options.name];
  for (const name of names) {
    const removed = await removeLab(name, say);
    say(removed.length === 0 ? `lab ${name}: nothing is there` : `lab ${name}: down`);
  }
}

function list(): void {
  for (const name of labNames()) {
    say(isStale(name) ? `${name}  (left over: ./build.sh lab down --stale)` : name);
  }
}

function print(status: LabStatus): void {
  const holders = status.vipAnsweredBy.map((one) => `${one.box} (${one.mac})`).join(' AND ');
  say(`lab ${status.name}, ${status.redundancy}`);
  for (const box of BOXES) {
    const { running, pid, powered, stopped, status: s } = status.boxes[box];
    const state = !powered ? 'no power' : !running ? 'not running' : stopped ? 'stopped' : '';
    const words =
      s === null
        ? state || 'does not answer'
        : `${s.role}, epoch ${s.epoch}, position ${s.lsn}, ${s.inStep ? 'in step' : 'NOT in step'}, ` +
          `calls ${s.calls}, registrations ${s.registrations}${s.cause ? `, since ${s.cause}` : ''}`;
    say(`  box ${box}  ${pid === null ? '' : `process ${pid}: `}${words}`);
  }
  say(`  VIP ${status.vip} answered by ${holders || 'nobody'}`);
  if (status.faults.length > 0) say(`  faults: ${status.faults.join(', ')}`);
  if (status.cut.length > 0) say(`  cut: ${status.cut.join(', ')}`);
  if (status.phones !== null) say(`  phones: ${JSON.stringify(status.phones)}`);
  say(`  files: ${status.boxes.a.log}, ${status.boxes.a.data}, and the same for b`);
}

async function onBox(verb: string, lab: Lab, box: BoxName, options: Options): Promise<void> {
  if (verb === 'kill') {
    const name = options.signal.toUpperCase();
    const full = name.startsWith('SIG') ? name : `SIG${name}`;
    const signal = oneOf(SIGNALS, full, '--signal');
    const ended = await lab.kill(box, signal);
    if (!ended && (signal === 'SIGKILL' || signal === 'SIGTERM')) process.exitCode = 1;
  } else if (verb === 'start') {
    await lab.start(box, { wait: !options['no-wait'] });
    if (!options['no-wait']) say(`box ${box}: answers`);
  } else if (verb === 'power-off') {
    await lab.powerOff(box);
  } else {
    answered(await lab.promote(box));
  }
}

function answered(answer: { readonly ok: boolean; readonly text: string }): void {
  say(`${answer.ok ? 'done' : 'refused'}: ${answer.text}`);
  if (!answer.ok) process.exitCode = 1;
}

async function onWires(
  verb: string,
  lab: Lab,
  word: string | undefined,
  options: Options,
): Promise<void> {
  if (verb === 'cut' || verb === 'heal') {
    await lab[verb](oneOf(CABLES, word, 'which cable'));
  } else if (verb === 'links') {
    const { primary } = await lab.status();
    await lab.links(count(word ?? '', 'which case', 8), primary ?? 'a', !options['no-carrier']);
  } else if (verb === 'undo') {
    if (word === 'all') await lab.wellWired();
    else await lab.undo(oneOf(FAULTS, word, 'which fault'));
  } else {
    const name = oneOf(FAULTS, word, 'which fault');
    const amount = (key: 'loss' | 'delay' | 'jitter', max: number) =>
      count(options[key], `--${key}`, max);
    const settings = {
      loss: amount('loss', 100),
      delay: amount('delay', 5000),
      jitter: amount('jitter', 5000),
    };
    await lab.fault(name, name.startsWith('wire-') ? settings : {});
  }
}

const WIRE_VERBS: readonly string[] = ['cut', 'heal', 'fault', 'undo', 'links'];

async function onLab(verb: string, words: readonly string[], options: Options): Promise<void> {
  const lab = openLab(options.name, say);
  if (verb === 'status') {
    const status = await lab.status({ arp: true, digest: options.digest });
    if (options.json) say(JSON.stringify(status));
    else print(status);
  } else if (WIRE_VERBS.includes(verb)) {
    await onWires(verb, lab, words[0], options);
  } else if (verb === 'switchover') {
    answered(await lab.switchover(options.force));
  } else if (verb === 'wait') {
    await lab.ready(count(options.timeout, '--timeout', 3600) * 1000);
  } else {
    await onBox(verb, lab, oneOf(BOXES, words[0], 'which box'), options);
  }
}

const LAB_VERBS: readonly string[] = [
  ...['status', 'kill', 'start', 'power-off', 'switchover', 'promote', 'wait'],
  ...WIRE_VERBS,
];

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parse(args);
  const [verb, ...words] = positionals;
  if (values.help || verb === undefined || verb === 'help') say(HELP);
  else if (verb === 'up') await up(values);
  else if (verb === 'down') await down(values);
  else if (verb === 'list') list();
  else if (LAB_VERBS.includes(verb)) await onLab(verb, words, values);
  else throw new Misuse(`lab has no verb "${verb}"; see ./build.sh lab help`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`lab: ${messageOf(error)}`);
  process.exitCode = error instanceof Misuse ? 2 : 1;
}
