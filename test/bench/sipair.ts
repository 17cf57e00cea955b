/**
 * sipair as measured: the real program, one process a box, as it is started on an appliance, with
 * its SQLite file in the run's folder.
 */

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { fileURLToPath } from 'node:url';
import { CORE, Daemon } from './daemon.ts';
import { memoryOf, sleep } from './machine.ts';
import { type BoxName, CROSSOVER, LAN, type Place, VIP } from './place.ts';
import type { Boxes, Subject } from './subject.ts';

export type SipairOptions = {
  readonly alone: boolean;
  readonly redundancy: 'hot-standby' | 'warm-standby';
  /** Folder in which V8 writes processor profiles of each box (one a thread, when it ends). */
  readonly profile: string | undefined;
  /** First and last extension; 1000 to 1999 when not said. */
  readonly users?: readonly [number, number];
};

type Status = {
  readonly role: string;
  readonly lsn: number;
  readonly inStep: boolean;
  readonly wentAlone?: number;
};

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
    // Two new boxes wait for each other before one of them serves
    this.a = this.launch('a', CORE.primary);
    this.b = this.launch('b', CORE.others);
    await this.until('the pair to be in step', async () => {
      const [a, b] = [await this.status('a'), await this.status('b')];
      const roles = [a?.role, b?.role].sort().join(' ');
      return roles === 'backup primary' && a?.inStep === true && b?.inStep === true;
    });
    const { primary, backup } = await this.boxes();
    await primary.pin(CORE.primary);
    await backup?.pin(CORE.others);
    if (!this.options.alone) return;
    await backup?.stop();
    if (primary === this.a) this.b = undefined;
    else this.a = undefined;
    await this.until('the primary to go on alone', async () => {
      const status = await this.status(primary === this.a ? 'a' : 'b');
      return status?.role === 'primary' && !status.inStep;
    });
  }

  async boxes(): Promise<Boxes> {
    const { a, b } = this;
    a?.mustRun();
    b?.mustRun();
    for (const [box, primary, backup] of [['a', a, b] as const, ['b', b, a] as const]) {
      if (primary === undefined || (await this.status(box))?.role !== 'primary') continue;
      return { primary, backup };
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

  async lapses(): Promise<number> {
    const statuses = [await this.status('a'), await this.status('b')];
    return statuses.find((s) => s?.role === 'primary')?.wentAlone ?? 0;
  }

  async memory(daemon: Daemon): Promise<number> {
    return memoryOf(daemon.netns);
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
    const [from, to] = this.options.users ?? [1000, 1999];
    const config = {
      box,
      redundancy: this.options.redundancy,
      lan: { interface: 'lan0', address: LAN[box], prefix: 24, peerAddress: LAN[other] },
      crossover: { interface: 'x0', address: CROSSOVER[box], peerAddress: CROSSOVER[other] },
      vip: { address: VIP },
      sip: { port: 5060, tls: { port: 5061 } },
      users: { from, to, auth: false },
      data,
      control: `${data}/control.sock`,
      key: this.key,
    };
    writeFileSync(`${data}/config.json`, JSON.stringify(config, undefined, 1));
    const { profile } = this.options;
    const watch = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}/${box}`];
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
