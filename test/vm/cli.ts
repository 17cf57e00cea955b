/**
 * ./build.sh vm: two virtual appliances by hand. They stay until `down`; only what this program made is ended or removed, known by
 * process number and start time.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { BOXES, type BoxName } from '../lab/places.ts';
import { Machine } from './machine.ts';
import type { Port } from './network.ts';
import { pairs, VmPair } from './pair.ts';
import { imageFile, vmPlaces } from './places.ts';
import { TRIALS } from './trials.ts';

const USAGE = `./build.sh vm VERB [--name NAME]

  up                 two boxes from dist/sipair-VERSION.img, as they leave the carton; --memory MB, --uefi, --image FILE
  console a|b        the serial console; ^] leaves
  status             what runs, and where its sockets are
  power-off a|b      pulls the plug; power-on a|b
  unplug a|b lan|x   pulls a cable (x: both ends); plug a|b lan|x
  freeze a|b         everything stands still; thaw a|b
  reset a|b          the reset button; crash a|b: a kernel panic
  exec -- COMMAND    on the LAN, among the phones (192.0.2.1, 192.0.2.20 to 192.0.2.119)
  shell a|b COMMAND  inside a box, by a line that only the emulator has
  down               both off, everything removed; --all
  test               docs/first-boot.md as it is written, a call, a power cut
  trial NAME         a long trial: ${Object.keys(TRIALS).join(', ')}

The boxes are emulated: what takes seconds here takes less on the hardware. SIPAIR_VM_ACCEL=kvm where KVM works.
LAN 192.0.2.0/24 in the namespace sipair-vm-NAME, crossover between the two.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string', default: 'vm' },
    memory: { type: 'string', default: '768' },
    image: { type: 'string', default: imageFile() },
    uefi: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

function fail(text: string): never {
  process.stderr.write(`vm: ${text}\n`);
  process.exit(2);
}

function say(text: string): void {
  process.stdout.write(`vm: ${text}\n`);
}

if (!/^[a-z][a-z0-9-]{0,15}$/.test(values.name)) fail(`a name is like "vm", not ${values.name}`);
const pair = new VmPair(values.name, {
  stays: true,
  memoryMb: Number(values.memory),
  uefi: values.uefi,
});

function boxOf(word: string | undefined): BoxName {
  const box = BOXES.find((b) => b === word);
  return box ?? fail('which box, a or b?');
}

function portOf(word: string | undefined): Port {
  return word === 'lan' || word === 'x' ? word : fail('which cable, lan or x?');
}

/** A machine that runs already, with its lines. */
async function running(word: string | undefined): Promise<Machine> {
  const machine = pair.machine(boxOf(word));
  if (machine.alive === undefined) fail(`box ${word} has no power`);
  await machine.attach();
  return machine;
}

async function up(): Promise<void> {
  if (BOXES.some((box) => pair.machine(box).alive !== undefined)) fail('they run already');
  if (!existsSync(values.image)) fail(`${values.image} is missing: ./build.sh image`);
  await pair.make(values.image);
  for (const box of BOXES) {
    const machine = pair.machine(box);
    await machine.start();
    machine.detach();
  }
  say(`two boxes have power; their first boot takes about a minute`);
  say(`./build.sh vm console a    (and b, in another terminal)`);
}

/** The terminal becomes the serial line; ^] ends. */
function attach(box: BoxName): void {
  const { serial, log } = vmPlaces(values.name).box(box);
  if (pair.machine(box).alive === undefined) fail(`box ${box} has no power`);
  const line = connect(serial);
  line.on('error', () => fail(`the console of ${box} is taken, or gone`));
  line.on('close', () => end('the line is closed'));
  line.on('connect', () => {
    // What was said while nobody listened: the last screen of it.
    if (existsSync(log)) process.stdout.write(readFileSync(log).subarray(-2000));
    process.stdout.write(`\r\nvm: console of box ${box}; ^] leaves\r\n`);
    if (process.stdin.isTTY) process.stdin.setRawMode(true);
    line.pipe(process.stdout);
    process.stdin.on('data', (bytes) => {
      const stop = bytes.indexOf(0x1d);
      line.write(stop < 0 ? bytes : bytes.subarray(0, stop));
      if (stop >= 0) end('left');
    });
  });
}

function end(text: string): never {
  if (process.stdin.isTTY) process.stdin.setRawMode(false);
  process.stdout.write(`\r\nvm: ${text}\r\n`);
  process.exit(0);
}

function status(): void {
  const names = pairs();
  if (names.length === 0) say('there are none');
  for (const name of names) {
    const places = vmPlaces(name);
    say(`${name}: namespace ${places.netns}, files ${places.dir}`);
    for (const box of BOXES) {
      const alive = new Machine(places, box).alive;
      const { serial, monitor } = places.box(box);
      say(
        `  ${box}: ${alive === undefined ? 'off' : `on, pid ${alive.pid}`}; console ${serial}, QMP ${monitor}`,
      );
    }
  }
}

async function down(): Promise<void> {
  for (const name of values.all ? pairs() : [values.name]) {
    await new VmPair(name).remove();
    say(`${name} is removed`);
  }
}

const [verb = 'help', ...words] = values.help ? ['help'] : positionals;

async function main(): Promise<void> {
  switch (verb) {
    case 'up':
      return up();
    case 'down':
      return down();
    case 'status':
      return status();
    case 'console':
      return attach(boxOf(words[0]));
    case 'power-off':
      return pair.powerOff(boxOf(words[0]));
    case 'power-on':
      await pair.machine(boxOf(words[0])).start();
      return process.exit(0);
    case 'plug':
    case 'unplug': {
      const port = portOf(words[1]);
      const boxes = port === 'x' ? BOXES : [boxOf(words[0])];
      for (const box of boxes) {
        if (pair.machine(box).alive === undefined) continue;
        await (await running(box)).setLink(port, verb === 'plug');
      }
      return process.exit(0);
    }
    case 'freeze':
    case 'thaw':
    case 'reset':
    case 'crash':
      await (await running(words[0]))[verb]();
      return process.exit(0);
    case 'exec': {
      const run = spawnSync('ip', ['netns', 'exec', vmPlaces(values.name).netns, ...words], {
        stdio: 'inherit',
      });
      return process.exit(run.status ?? 1);
    }
    case 'shell': {
      const machine = await running(words[0]);
      const ran = await machine.tap.run(words.slice(1).join(' '));
      process.stdout.write(`${ran.text}\n`);
      return process.exit(ran.status);
    }
    case 'trial': {
      const trial = TRIALS[words[0] ?? ''];
      if (trial === undefined) fail(`which trial? ${Object.keys(TRIALS).join(', ')}`);
      await trial(say);
      return process.exit(0);
    }
    case 'help':
      process.stdout.write(USAGE);
      return;
    default:
      fail(`no verb "${verb}"\n${USAGE}`);
  }
}

await main();
