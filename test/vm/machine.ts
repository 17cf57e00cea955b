/**
 * One virtual appliance: QEMU on an overlay of the image, its serial console, its cables, its power. Nothing of it is kept in
 * memory that is not in its folder too, so `./build.sh vm` finds what another process started.
 *
 * The image is the product's, bit for bit. Tests need a look inside all the same: the emulator hands systemd a unit by SMBIOS
 * (systemd.system-credentials(7)), a shell on the second serial line, which no real box has (`tap.ts`).
 */

import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { BoxName } from '../lab/places.ts';
import { gone, type Known, knownOf, living, signal, sleep } from '../lab/processes.ts';
import { run } from '../lab/run.ts';
import { SerialLine } from './line.ts';
import type { Port } from './network.ts';
import type { BoxPlaces, VmPlaces } from './places.ts';
import { Qmp } from './qmp.ts';
import { Tap, tapArguments } from './tap.ts';

export type MachineOptions = {
  readonly memoryMb: number;
  readonly diskGb: number;
  readonly processors: number;
  /** Ends with this process (tests), or stays (./build.sh vm up). */
  readonly stays: boolean;
  /** A shell on the second serial line. */
  readonly tap: boolean;
  readonly uefi: boolean;
  /** More arguments for the emulator. */
  readonly more: readonly string[];
};

export const MACHINE: MachineOptions = {
  memoryMb: 768,
  diskGb: 2,
  processors: 1,
  stays: false,
  tap: true,
  uefi: false,
  more: [],
};

const UEFI = '/usr/share/ovmf/OVMF.fd';
const NUMBER: Readonly<Record<BoxName, number>> = { a: 1, b: 2 };
const NIC: Readonly<Record<Port, string>> = { lan: 'niclan', x: 'nicx' };

export class Machine {
  readonly box: BoxName;
  readonly options: MachineOptions;
  readonly #places: VmPlaces;
  readonly #own: BoxPlaces;
  #console: SerialLine;
  #qmp: Qmp | undefined;
  #tap: Tap | undefined;
  #startedAt = 0;

  constructor(places: VmPlaces, box: BoxName, options: Partial<MachineOptions> = {}) {
    this.box = box;
    this.options = { ...MACHINE, ...options };
    this.#places = places;
    this.#own = places.box(box);
    this.#console = this.#newConsole();
  }

  #newConsole(): SerialLine {
    return new SerialLine(`console of ${this.box}`, this.#own.serial);
  }

  /** A disk as it leaves the factory: an overlay, so that nothing is copied and the image stays as it is. */
  async flash(image: string, format: 'raw' | 'qcow2' = 'raw'): Promise<void> {
    rmSync(this.#own.disk, { force: true });
    const { disk } = this.#own;
    await run('qemu-img', [
      ...['create', '-q', '-f', 'qcow2', '-b', image, '-F', format, disk],
      `${this.options.diskGb}G`,
    ]);
  }

  /** The disk as a file that needs no other; the machine has no power. */
  async copyDisk(to: string): Promise<void> {
    const args = ['convert', '-q', '-O', 'qcow2', this.#own.disk, to];
    await run('qemu-img', args, '', 300_000);
  }

  /** Switched off in order, from inside. */
  async shutDown(): Promise<void> {
    const known = this.alive;
    if (known === undefined) return;
    this.tap.say('systemctl poweroff');
    if (!(await gone(known, 180_000))) throw new Error(`${this.box} does not switch itself off`);
    await this.powerOff();
  }

  get alive(): Known | undefined {
    return living(this.#own.pid);
  }

  /** Power on. */
  async start(): Promise<void> {
    if (this.alive !== undefined) throw new Error(`${this.box} runs already`);
    for (const path of [this.#own.serial, this.#own.tap, this.#own.monitor]) {
      rmSync(path, { force: true });
    }
    const words = openSync(this.#own.words, 'a');
    const ends = this.options.stays ? [] : ['setpriv', '--pdeathsig', 'KILL'];
    const [file = '', ...args] = [
      ...ends,
      ...['ip', 'netns', 'exec', this.#places.netns, 'nice', '-n', '-5', ...this.#arguments()],
    ];
    const child = spawn(file, args, { detached: true, stdio: ['ignore', words, words] });
    closeSync(words);
    child.unref();
    const pid = child.pid;
    if (pid === undefined) throw new Error('the emulator cannot be started');
    writeFileSync(this.#own.pid, JSON.stringify(knownOf(pid)));
    this.#startedAt = performance.now();
    await this.attach();
  }

  /** Connects to the lines of a machine that runs. */
  async attach(): Promise<void> {
    const alive = () => this.alive !== undefined;
    this.#console = this.#newConsole();
    try {
      await this.#console.open(alive);
      this.#qmp = await Qmp.open(this.#own.monitor, alive);
      if (this.options.tap) this.#tap = await Tap.open(this.box, this.#own.tap, alive);
    } catch (e) {
      throw new Error(`${e instanceof Error ? e.message : e}; the emulator said: ${this.#said()}`);
    }
  }

  #said(): string {
    return existsSync(this.#own.words) ? readFileSync(this.#own.words, 'utf8').slice(-500) : '';
  }

  #arguments(): string[] {
    const { box, options } = this;
    const own = this.#own;
    const tap = options.tap
      ? [
          ...['-chardev', `socket,id=tap,path=${own.tap},server=on,wait=off`],
          ...['-serial', 'chardev:tap', ...tapArguments()],
        ]
      : [];
    const nic = (port: Port, slot: string, octet: string) => [
      ...['-netdev', `tap,id=${port},ifname=${port}-${box},script=no,downscript=no`],
      '-device',
      `virtio-net-pci,netdev=${port},id=${NIC[port]},mac=52:54:00:5a:0${NUMBER[box]}:${octet},addr=${slot}`,
    ];
    return [
      ...['qemu-system-x86_64', '-name', `sipair-${this.#places.name}-${box}`],
      // KVM where a trial boot has shown that it works (accelerator.ts); emulation everywhere else.
      ...[
        '-accel',
        accelerator(),
        '-cpu',
        'qemu64',
        '-smp',
        String(options.processors),
        '-m',
        String(options.memoryMb),
      ],
      ...['-machine', 'pc', '-nodefaults', '-no-user-config', '-display', 'none'],
      ...(options.uefi ? ['-bios', UEFI] : []),
      '-chardev',
      `socket,id=console,path=${own.serial},server=on,wait=off,logfile=${own.log},logappend=on`,
      ...['-serial', 'chardev:console'],
      ...tap,
      ...['-qmp', `unix:${own.monitor},server=on,wait=off`],
      // writeback: a flush of the guest is a flush here; killing the emulator is a power cut
      ...['-drive', `file=${own.disk},if=none,id=disk,format=qcow2,cache=writeback`],
      ...['-device', 'virtio-blk-pci,drive=disk,addr=0x8'],
      ...['-object', 'rng-random,id=rng,filename=/dev/urandom'],
      ...['-device', 'virtio-rng-pci,rng=rng,addr=0x9'],
      ...nic('lan', '0x10', '01'),
      ...nic('x', '0x11', '02'),
      ...['-device', 'i6300esb', '-action', 'watchdog=reset', '-action', 'panic=none'],
      // the board whose LEDs the kernel's leds-apu drives
      ...['-smbios', 'type=1,manufacturer=PC Engines,product=APU'],
      ...['-uuid', `5150a000-0000-4000-8000-0000000000${NUMBER[box]}0`],
      ...options.more,
    ];
  }

  get console(): SerialLine {
    return this.#console;
  }

  get tap(): Tap {
    if (this.#tap === undefined) throw new Error(`${this.box} has no tap`);
    return this.#tap;
  }

  get qmp(): Qmp {
    if (this.#qmp === undefined) throw new Error(`${this.box} has no power`);
    return this.#qmp;
  }

  /** Seconds since power on. */
  uptimeS(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  /** What the serial console said since it was attached. */
  transcript(): string {
    return this.#console.transcript;
  }

  type(text: string): void {
    this.#console.type(text);
  }

  async waitFor(what: RegExp, timeoutMs = 60_000): Promise<RegExpExecArray> {
    return (await this.#console.waitFor(what, timeoutMs)).match;
  }

  /** The plug is pulled. */
  async powerOff(): Promise<void> {
    const known = this.alive;
    this.detach();
    if (known !== undefined) {
      signal(known, 'SIGKILL');
      if (!(await gone(known, 10_000))) throw new Error(`the emulator of ${this.box} stays`);
    }
    rmSync(this.#own.pid, { force: true });
  }

  detach(): void {
    this.#console.close();
    this.#tap?.close();
    this.#qmp?.close();
    this.#qmp = undefined;
    this.#tap = undefined;
  }

  /** Everything of the machine stands still, its watchdog too. */
  async freeze(): Promise<void> {
    await this.qmp.ask('stop');
  }

  async thaw(): Promise<void> {
    await this.qmp.ask('cont');
  }

  async reset(): Promise<void> {
    await this.qmp.ask('system_reset');
  }

  /** A cable; the crossover's other end loses its carrier too when the test says so there. */
  async setLink(port: Port, up: boolean): Promise<void> {
    await this.qmp.ask('set_link', { name: NIC[port], up });
  }

  /** A non-maskable interrupt, which the kernel answers with a panic (kernel.unknown_nmi_panic). */
  async crash(): Promise<void> {
    await this.qmp.ask('inject-nmi');
  }

  /** Polls until the emulator told of an event, a reset by the watchdog for example. */
  async event(name: string, timeoutMs: number): Promise<boolean> {
    const end = performance.now() + timeoutMs;
    while (performance.now() < end) {
      if (this.qmp.events.includes(name)) return true;
      await sleep(100);
    }
    return false;
  }
}

/** Decided once by `./build.sh vm kvm-trial`; without its word it is emulation. */
function accelerator(): string {
  return process.env['SIPAIR_VM_ACCEL'] === 'kvm' ? 'kvm' : 'tcg,thread=multi,tb-size=128';
}
