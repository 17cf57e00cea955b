/**
 * A shell on the second serial line of a virtual machine: how a test looks inside and does there what no operator can (stop
 * processes, fill the disk). systemd takes the unit from the emulator; the image knows nothing of it.
 */

import { randomBytes } from 'node:crypto';
import { SerialLine } from './line.ts';
import { PATIENT_UNITS } from './slow.ts';

const UNIT = `[Unit]
DefaultDependencies=no
[Service]
ExecStart=/bin/sh -c 'stty -echo -onlcr; exec /bin/bash --norc --noprofile 2>/dev/null'
StandardInput=tty-force
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS1
TTYReset=yes
Environment=HOME=/root PATH=/usr/sbin:/usr/bin TERM=dumb
Restart=always
RestartSec=0
OOMScoreAdjust=-900
IgnoreSIGPIPE=no
`;
const WANTED = `[Unit]
Wants=sipair-tap.service
`;

function credential(name: string, text: string): string[] {
  const value = Buffer.from(text).toString('base64');
  return ['-smbios', `type=11,value=io.systemd.credential.binary:${name}=${value}`];
}

/** Lines that a unit of the machine gets, besides its own. */
export function dropIn(unit: string, text: string): string[] {
  return credential(`systemd.unit-dropin.${unit}`, text);
}

/** The emulator's arguments that bring the unit into the machine. */
export function tapArguments(): string[] {
  return [
    ...credential('systemd.extra-unit.sipair-tap.service', UNIT),
    ...dropIn('multi-user.target', WANTED),
    ...PATIENT_UNITS.flatMap(([unit, text]) => dropIn(unit, text)),
  ];
}

export type Ran = { readonly status: number; readonly text: string };

export class Tap {
  readonly #line: SerialLine;

  private constructor(line: SerialLine) {
    this.#line = line;
  }

  static async open(box: string, path: string, alive: () => boolean): Promise<Tap> {
    const line = new SerialLine(`tap of ${box}`, path);
    await line.open(alive);
    return new Tap(line);
  }

  /** True as soon as the shell answers. */
  async ready(timeoutMs = 180_000): Promise<void> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      try {
        await this.run('true', 5000);
        return;
      } catch (e) {
        if (performance.now() > end) throw e;
      }
    }
  }

  /** A command of which no answer is waited for. */
  say(command: string): void {
    this.#line.type(`${command}\n`);
  }

  /** Runs a command line; its output and status. */
  async run(command: string, timeoutMs = 60_000): Promise<Ran> {
    const tag = randomBytes(6).toString('hex');
    this.#line.skip();
    // The tag is not in the command itself: an echo of it is no answer.
    this.#line.type(`{ ${command}\n} 2>&1; echo "${tag.slice(0, 6)}""${tag.slice(6)}:$?"\n`);
    const { match, before } = await this.#line.waitFor(new RegExp(`${tag}:(\\d+)\\n`), timeoutMs);
    return { status: Number(match[1]), text: before.replace(/\n$/, '') };
  }

  /** A command after which there is nobody who could answer. */
  leave(command: string): void {
    this.#line.type(`${command}\n`);
  }

  /** The output of a command that must succeed. */
  async text(command: string, timeoutMs = 60_000): Promise<string> {
    const { status, text } = await this.run(command, timeoutMs);
    if (status !== 0) throw new Error(`${command}: ${status}: ${text}`);
    return text;
  }

  close(): void {
    this.#line.close();
  }
}
