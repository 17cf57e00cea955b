/**
 * Kamailio as the peer: the best known open SIP proxy, tm + rr + dialog, replicated to a second
 * Kamailio with DMQ. It does less than sipair (no B2BUA, no registrar in the way, ringing calls are
 * not kept, a reply leaves before the copy arrives), so it is a hard peer, not an equal one.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { CORE, Daemon } from './daemon.ts';
import type { BenchTransport } from './generator.ts';
import { memoryOf, run, sleep } from './machine.ts';
import { type BoxName, CALLEES, CROSSOVER, LAN, type Place, VIP } from './place.ts';
import type { Boxes, Subject } from './subject.ts';

const TEMPLATE = new URL('./kamailio.cfg', import.meta.url);

/** @returns e.g. `5.6.3`. */
export async function kamailioVersion(): Promise<string> {
  return /kamailio (\S+)/.exec(await run('kamailio', ['-v']))?.[1] ?? 'unknown';
}

export class Kamailio implements Subject {
  readonly name = 'kamailio';
  readonly lan: string;
  readonly registrar = false;
  private readonly place: Place;
  private readonly folder: string;
  private readonly alone: boolean;
  private readonly transport: BenchTransport;
  /** Megabytes of shared memory, all touched at the start. */
  private readonly pool: number;
  private primary: Daemon | undefined;
  private backup: Daemon | undefined;

  /** @param load calls a second and seconds a call stays up, at most; for the size of the pool. */
  constructor(
    place: Place,
    folder: string,
    alone: boolean,
    load: { rate: number; hold: number },
    transport: BenchTransport = 'udp',
  ) {
    this.transport = transport;
    this.place = place;
    this.lan = place.lan;
    this.folder = folder;
    this.alone = alone;
    // A call takes some 20 kB, and what is finished stays for 5 s; four times that, because an
    // overloaded proxy keeps more
    const wanted = (load.rate * (5 + load.hold) * 20 * 4) / 1024;
    this.pool = Math.floor(Math.min(Math.max(512, wanted), freemem() / 2 ** 20 / 4));
  }

  async start(): Promise<void> {
    await run('ip', ['-n', this.place.a, 'addr', 'add', `${VIP}/24`, 'dev', 'lan0']);
    if (!this.alone) this.backup = this.launch('b', CORE.others);
    this.primary = this.launch('a', CORE.primary);
    const until = performance.now() + 60_000;
    while (!(await this.ready())) {
      this.primary.mustRun();
      this.backup?.mustRun();
      if (performance.now() > until)
        throw new Error('Kamailio: the pair did not come up in a minute');
      await sleep(200);
    }
  }

  async boxes(): Promise<Boxes> {
    if (this.primary === undefined) throw new Error('Kamailio is not started');
    this.primary.mustRun();
    this.backup?.mustRun();
    return { primary: this.primary, backup: this.backup };
  }

  async proveMirror(calls: number): Promise<string> {
    const a = await this.dialogs('a');
    if (a !== calls) throw new Error(`Kamailio: ${calls} calls are up, box a knows ${a}`);
    if (this.alone) return `${a} calls up, nobody mirrors them (--alone)`;
    const b = await this.dialogs('b');
    if (b !== calls) throw new Error(`Kamailio: ${calls} calls are up, the replica has ${b}`);
    return `${a} calls up, ${b} dialogs at the replica`;
  }

  /** Kamailio never waits for its replica, so it never has to go on without. */
  async lapses(): Promise<number> {
    return 0;
  }

  /** Of the shared pool only what is in use counts. */
  async memory(daemon: Daemon): Promise<number> {
    const box = daemon === this.primary ? 'a' : 'b';
    const used = /real_used: (\d+)/.exec(await this.ask(box, 'core.shmmem'))?.[1];
    return memoryOf(daemon.netns) - this.pool + Number(used ?? Number.NaN) / 2 ** 20;
  }

  async stop(): Promise<void> {
    await Promise.all([this.primary?.stop(), this.backup?.stop()]);
  }

  private launch(box: BoxName, core: number): Daemon {
    const folder = `${this.folder}/${box}`;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const words: Readonly<Record<string, string>> = {
      LAN: box === 'a' ? VIP : LAN.b,
      CROSSOVER: CROSSOVER[box],
      OTHER: CROSSOVER[box === 'a' ? 'b' : 'a'],
      CALLEES: `${CALLEES}:5070`,
      RUN: folder,
      DMQ: this.alone ? '#' : '',
      NOTCP: this.transport === 'udp' ? 'yes' : 'no',
      TCP: this.transport === 'udp' ? '#' : '',
      TLS: this.transport === 'tls' ? '' : '#',
      PARAM: this.transport === 'udp' ? '' : `;transport=${this.transport}`,
    };
    const text = readFileSync(TEMPLATE, 'utf8').replace(/@([A-Z]+)@/g, (_, w) => words[w] ?? '');
    writeFileSync(`${folder}/kamailio.cfg`, text);
    // tlsf: Debian's default allocator collapses first
    const memory = [
      '-x',
      'tlsf',
      '-X',
      'tlsf',
      '-m',
      String(this.pool),
      '-M',
      '32',
      '-b',
      '4194304',
    ];
    const rest = ['-DD', '-E', '-f', `${folder}/kamailio.cfg`, '-Y', folder, '-w', folder];
    const command = ['kamailio', ...memory, ...rest];
    return new Daemon(this.place[box], core, command, `${folder}/log`);
  }

  private async ready(): Promise<boolean> {
    try {
      await this.dialogs('a');
      if (this.alone) return true;
      const nodes = await this.ask('a', 'dmq.list_nodes');
      return new RegExp(`host: ${CROSSOVER.b}\\b[^}]*status: active`).test(nodes);
    } catch {
      return false;
    }
  }

  /** Calls that are up, as this Kamailio knows them. */
  private async dialogs(box: BoxName): Promise<number> {
    const answer = await this.ask(box, 'dlg.stats_active');
    return Number(/ongoing: (\d+)/.exec(answer)?.[1] ?? Number.NaN);
  }

  private ask(box: BoxName, command: string): Promise<string> {
    return run('kamcmd', ['-s', `unix:${this.folder}/${box}/ctl`, command]);
  }
}
