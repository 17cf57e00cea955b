/** Builds sipgen, or takes streamgen for a comparison of transports, and runs it in a pair's LAN. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CORE, inPlace } from './daemon.ts';
import { run } from './machine.ts';
import { CALLEES, CALLERS, VIP } from './place.ts';

/** What sipgen reports; see sipgen.c. */
export type Calls = {
  readonly rate: number;
  readonly calls: number;
  readonly up: number;
  readonly ok: number;
  readonly failed: number;
  readonly placed_s: number;
  readonly wall_s: number;
  readonly achieved_cps: number;
  readonly late_ms: number;
  readonly peak: number;
  readonly repeats: { readonly invite: number; readonly bye: number; readonly answer: number };
  readonly callee: Readonly<Record<string, number>>;
  readonly cpu_us: number;
  readonly failed_with: Readonly<Record<string, number>>;
  /** Set-up delays: microseconds, how many. */
  readonly setup_us: Delays;
  /** RFC 6076, by streamgen only: INVITE to 180, BYE to its 200, REGISTER to its 200. */
  readonly srd_us?: Delays;
  readonly sdd_us?: Delays;
  readonly rrd_us?: Delays;
};

export type Delays = readonly (readonly [number, number])[];

export const BENCH_TRANSPORTS = ['udp', 'tcp', 'tls'] as const;
export type BenchTransport = (typeof BENCH_TRANSPORTS)[number];

/** Where the pair under test is spoken to, by transport. */
export function portOf(transport: BenchTransport): number {
  return transport === 'tls' ? 5061 : 5060;
}

export type Load = {
  readonly rate: number;
  readonly secs: number;
  readonly users: number;
  readonly holdMs: number;
  readonly register: boolean;
  /** Extension of the first callee, 1001. */
  readonly firstUser?: number;
};

export class Generator {
  private readonly program: string;
  /** streamgen by this transport; undefined: sipgen. */
  private readonly stream: { readonly by: BenchTransport; readonly folder: string } | undefined;
  private readonly running = new Set<ReturnType<typeof spawn>>();

  private constructor(program: string, stream?: Generator['stream']) {
    this.program = program;
    this.stream = stream;
  }

  /** Compiles sipgen into `folder`. Rejects with the compiler's words. */
  static async build(folder: string): Promise<Generator> {
    const source = fileURLToPath(new URL('./sipgen.c', import.meta.url));
    await run('gcc', ['-O2', '-Wall', '-o', `${folder}/sipgen`, source]);
    return new Generator(`${folder}/sipgen`);
  }

  /** streamgen by `transport`; its callee shows the certificate in `folder` (cert.pem, key.pem). */
  static streams(by: BenchTransport, folder: string): Generator {
    const source = fileURLToPath(new URL('./streamgen.ts', import.meta.url));
    return new Generator(source, { by, folder });
  }

  /** Callees over connections register anew in each run: their connections end with it. */
  get registersEachTime(): boolean {
    return this.stream !== undefined;
  }

  /** Places calls for `secs` seconds and waits until each has ended. */
  async place(netns: string, load: Load): Promise<Calls> {
    const { rate, secs, holdMs } = load;
    const args = ['--rate', String(rate), '--secs', String(secs), '--hold', String(holdMs)];
    const text = await this.run(netns, load, args, () => {});
    return JSON.parse(text) as Calls;
  }

  /**
   * Sets up `count` calls, calls `whileUp` when they are up, and hangs them up after it.
   * Rejects when one of them fails.
   */
  async hold(
    netns: string,
    load: Load,
    count: number,
    whileUp: () => Promise<void>,
  ): Promise<void> {
    let work: Promise<void> | undefined;
    const args = ['--rate', String(load.rate), '--established', String(count)];
    const text = await this.run(netns, load, args, (line, stop) => {
      if (work === undefined && line.includes('"established"')) work = whileUp().finally(stop);
      work?.catch(() => {}); // it is awaited below, when the generator has ended
    });
    await work;
    const calls = JSON.parse(text) as Calls;
    if (calls.ok !== count) {
      throw new Error(`${calls.ok} of ${count} calls: ${JSON.stringify(calls.failed_with)}`);
    }
  }

  /** Ends whatever still places calls. */
  stop(): void {
    for (const child of this.running) child.kill('SIGKILL');
  }

  /** @returns the last line sipgen says. */
  private run(
    netns: string,
    load: Load,
    args: readonly string[],
    onLine: (line: string, stop: () => void) => void,
  ): Promise<string> {
    const { stream } = this;
    const ends =
      stream === undefined
        ? ['--target', `${VIP}:5060`, '--uac', `${CALLERS}:5060`, '--uas', `${CALLEES}:5070`]
        : [
            ...['--transport', stream.by, '--target', `${VIP}:${portOf(stream.by)}`],
            ...['--uac', CALLERS, '--uas', CALLEES, '--uas-port', '5070'],
            ...['--certificate', `${stream.folder}/cert.pem`, '--key', `${stream.folder}/key.pem`],
          ];
    const program = stream === undefined ? [this.program] : [process.execPath, this.program];
    const first = String(load.firstUser ?? 1001);
    const register = load.register ? ['--register'] : [];
    const users = ['--users', String(load.users), '--first-user', first, ...register];
    const command = [...program, ...ends, ...users, ...args];
    return new Promise((done, fail) => {
      const child = spawn(
        'setpriv',
        inPlace(netns, CORE.others, ['--pdeathsig', 'KILL'], command),
        {
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      this.running.add(child);
      let out = '';
      let errors = '';
      const stop = () => child.kill('SIGTERM');
      child.stdout.on('data', (part: Buffer) => {
        out += part.toString('latin1');
        if (out.endsWith('\n')) onLine(out.trimEnd().split('\n').at(-1) ?? '', stop);
      });
      child.stderr.on('data', (part: Buffer) => {
        errors += part.toString('latin1');
      });
      child.on('error', fail);
      child.on('close', (code, signal) => {
        this.running.delete(child);
        if (code === 0) done(out.trimEnd().split('\n').at(-1) ?? '');
        else fail(new Error(errors.trim() || `sipgen ended with ${signal ?? code}`));
      });
    });
  }
}
