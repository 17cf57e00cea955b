/**
 * sipair as measured: the real program, one process a box, as it is started on an appliance, with
 * its SQLite file in the run's folder.
 */

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { fileURLToPath } from 'node:url';
import { CORE, Daemon } from './daemon.ts';
import { sleep } from './machine.ts';
import { type BoxName, CROSSOVER, LAN, type Place, VIP } from './place.ts';
import type { Boxes, Subject } from './subject.ts';

export type SipairOptions = {
  readonly alone: boolean;
  readonly redundancy: 'hot-standby' | 'warm-standby';
  /** Where V8 writes processor profiles of box a (one a thread, when it ends). */
  readonly profile: string | undefined;
};

type Status = { readonly role: string; readonly lsn: number; readonly inStep: boolean };

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** @returns why sipair cannot be started, undefined when it can. */
export function sipairMissing(): string | undefined {
  return existsSync(MAIN) ? undefined : 'there is no src/main.ts';
}

export class Sipair implements Subject {
  readonly name = 'sipair';
  readonly lan: string;
  readonly registrar = true;
  private readonly place: Place;
  private readonly folder: string;
  private readonly options: SipairOptions;
  private readonly key = randomBytes(32).toString('hex');
  private a: Daemon | undefined;
  private b: Daemon | undefined;

  constructor(place: Place, folder: string, options: SipairOptions) {
    this.place = place;
    this.lan = place.lan;
    this.folder = folder;
    this.options = options;
  }

  async start(): Promise<void> {
    this.a = this.launch('a', CORE.primary);
    // The first one up becomes primary and gets the primary's core, usually
    await this.until('box a to become primary', async () => {
      return (await this.status('a'))?.role === 'primary';
    });
    if (this.options.alone) return;
    this.b = this.launch('b', CORE.others);
    await this.until('the pair to be in step', async () => {
      const [a, b] = [await this.status('a'), await this.status('b')];
      const roles = [a?.role, b?.role].sort().join(' ');
      return roles === 'backup primary' && a?.inStep === true && b?.inStep === true;
    });
    const boxes = await this.boxes();
    await boxes.primary.pin(CORE.primary);
    await boxes.backup?.pin(CORE.others);
  }

  async boxes(): Promise<Boxes> {
    const { a, b } = this;
    if (a === undefined) throw new Error('sipair is not started');
    a.mustRun();
    b?.mustRun();
    if ((await this.status('a'))?.role === 'primary') return { primary: a, backup: b };
    if (b !== undefined && (await this.status('b'))?.role === 'primary') {
      return { primary: b, backup: a };
    }
    throw new Error('sipair: neither box says it is primary');
  }

  async proveMirror(calls: number): Promise<string> {
    if (this.options.alone) return `${calls} calls up, nobody mirrors them (--alone)`;
    let [a, b] = [await this.status('a'), await this.status('b')];
    for (let tries = 0; tries < 20 && (a === undefined || a.lsn !== b?.lsn); tries += 1) {
      await sleep(50);
      [a, b] = [await this.status('a'), await this.status('b')];
    }
    if (a === undefined || b === undefined) throw new Error('sipair: a box does not answer');
    if (a.lsn !== b.lsn || !a.inStep || !b.inStep) {
      throw new Error(`sipair: with ${calls} calls up the boxes are at ${a.lsn} and ${b.lsn}`);
    }
    return `${calls} calls up, both boxes at position ${a.lsn}, in step`;
  }

  async stop(): Promise<void> {
    // The backup first: nobody wants a takeover now
    await this.b?.stop();
    await this.a?.stop();
  }

  private launch(box: BoxName, core: number): Daemon {
    const other = box === 'a' ? 'b' : 'a';
    const data = `${this.folder}/${box}`;
    mkdirSync(data, { recursive: true });
    const config = {
      box,
      redundancy: this.options.redundancy,
      lan: { interface: 'lan0', address: LAN[box], prefix: 24, peerAddress: LAN[other] },
      crossover: { interface: 'x0', address: CROSSOVER[box], peerAddress: CROSSOVER[other] },
      vip: { address: VIP },
      sip: { port: 5060 },
      users: { from: 1000, to: 1999, auth: false },
      data,
      control: `${data}/control.sock`,
      key: this.key,
    };
    writeFileSync(`${data}/config.json`, JSON.stringify(config, undefined, 1));
    const { profile } = this.options;
    const watch =
      profile !== undefined && box === 'a' ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
    const command = [process.execPath, ...watch, MAIN, 'serve', '--config', `${data}/config.json`];
    return new Daemon(this.place[box], core, command, `${data}/log`);
  }

  private async until(what: string, reached: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + 30_000;
    while (!(await reached())) {
      this.a?.mustRun();
      this.b?.mustRun();
      if (performance.now() > end) {
        const words = JSON.stringify([await this.status('a'), await this.status('b')]);
        throw new Error(`sipair: waited 30 s for ${what}; the boxes say ${words}`);
      }
      await sleep(100);
    }
  }

  private async status(box: BoxName): Promise<Status | undefined> {
    try {
      const line = await ask(`${this.folder}/${box}/control.sock`, '{"command":"status"}\n');
      return JSON.parse(line) as Status;
    } catch {
      return undefined;
    }
  }
}

function ask(path: string, line: string): Promise<string> {
  return new Promise((done, fail) => {
    let text = '';
    const socket = createConnection(path, () => socket.write(line));
    socket.setTimeout(2000, () => socket.destroy(new Error('no answer in 2 s')));
    socket.setEncoding('utf8');
    socket.on('data', (part: string) => {
      text += part;
      const end = text.indexOf('\n');
      if (end < 0) return;
      done(text.slice(0, end));
      socket.destroy();
    });
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('closed without an answer')));
  });
}
