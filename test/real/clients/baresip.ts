/**
 * baresip, a softphone that is not ours, on the host `lan` of a lab: without sound hardware, playing a
 * tone of its own and recording what it hears, driven over its control connection (`ctrl_tcp`).
 */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../lab/lab.ts';
import { NODE, VIP } from '../../lab/places.ts';
import type { Ports } from './audio.ts';
import { recorded, windows, writeTone } from './tone.ts';
import { until } from './until.ts';

const MODULES = '/usr/lib/baresip/modules';
/** Longer than any test. */
const TONE_SECONDS = 240;

export type BaresipOptions = {
  readonly number: number;
  /** Address and port on the host `lan`; everything else of this phone is counted from the port. */
  readonly address: string;
  readonly port: number;
  /** The tone it plays. */
  readonly hz: number;
  /** False: it makes and takes calls without a registration. */
  readonly registers?: boolean;
  readonly transport?: 'udp' | 'tcp' | 'tls';
  /** Where its requests go, instead of the VIP: an outbound proxy. */
  readonly proxy?: string;
  /** The server and domain, instead of the VIP. */
  readonly server?: string;
};

export type BaresipEvent = {
  /** "REGISTER_OK", "CALL_INCOMING", "CALL_ESTABLISHED", "CALL_CLOSED", ... */
  readonly type: string;
  readonly param?: string;
  readonly peeruri?: string;
  readonly id?: string;
};

type Reply = { readonly ok: boolean; readonly data: string };

export class Baresip {
  readonly number: number;
  readonly hz: number;
  /** Where it wants its RTP. */
  readonly ports: Ports;
  readonly #server: string;
  /** Everything it told of, in order. */
  readonly events: BaresipEvent[] = [];
  readonly #dir: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #pipe: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<string, (reply: Reply) => void>();
  #token = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #words = '';

  private constructor(lab: Lab, options: BaresipOptions) {
    this.number = options.number;
    this.hz = options.hz;
    this.ports = portsOf(options);
    this.#server = options.server ?? VIP;
    this.#dir = join(lab.places.dir, `baresip-${options.number}`);
    mkdirSync(join(this.#dir, 'heard'), { recursive: true });
    writeTone(join(this.#dir, 'tone.wav'), options.hz, TONE_SECONDS);
    const control = options.port + 20_000;
    writeFileSync(join(this.#dir, 'config'), configOf(options, this.#dir, control));
    writeFileSync(join(this.#dir, 'accounts'), accountOf(options));
    writeFileSync(join(this.#dir, 'contacts'), '');
    // Should it crash at its end, nobody wants its core.
    const quietly = `ulimit -c 0; exec baresip -f '${this.#dir}' -s`;
    this.#child = lab.spawn('lan', ['sh', '-c', quietly]);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (bytes) => {
        this.#words = (this.#words + String(bytes)).slice(-60_000);
      });
    }
    this.#pipe = lab.spawn('lan', [
      NODE,
      join(import.meta.dirname, 'pipe.ts'),
      '127.0.0.1',
      String(control),
    ]);
    this.#pipe.stdout.on('data', (bytes: Buffer) => this.#got(bytes));
    // What is written after its end is answered by nobody; `command` says so.
    this.#pipe.stdin.on('error', () => {});
  }

  /** Starts the phone and waits until it is registered, or ready if it registers nowhere. */
  static async start(lab: Lab, options: BaresipOptions): Promise<Baresip> {
    const phone = new Baresip(lab, options);
    if (options.registers !== false) await phone.registered();
    else await phone.command('reginfo');
    return phone;
  }

  /** All it said on its terminal lately, its SIP trace included: for the one who asks why. */
  get words(): string {
    return this.#words;
  }

  #got(bytes: Buffer): void {
    // netstrings: "12:{...},"
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    for (;;) {
      const colon = this.#bytes.indexOf(58);
      if (colon < 0) return;
      const end = colon + 1 + Number(this.#bytes.toString('latin1', 0, colon));
      if (this.#bytes.length <= end) return;
      const text = this.#bytes.toString('utf8', colon + 1, end);
      this.#bytes = this.#bytes.subarray(end + 1);
      const value = JSON.parse(text) as Partial<Reply> &
        BaresipEvent & { readonly response?: boolean; readonly token?: string };
      if (value.response === true) {
        const done = this.#waiting.get(value.token ?? '');
        this.#waiting.delete(value.token ?? '');
        done?.({ ok: value.ok === true, data: value.data ?? '' });
      } else this.events.push(value);
    }
  }

  /** Gives what the command printed. Rejects when it is refused, or not answered in 10 s. */
  async command(command: string, params = ''): Promise<string> {
    const token = String(++this.#token);
    const text = JSON.stringify({ command, params, token });
    const reply = await new Promise<Reply>((done) => {
      const timer = setTimeout(() => done({ ok: false, data: 'no answer in 10 s' }), 10_000);
      this.#waiting.set(token, (answer) => {
        clearTimeout(timer);
        done(answer);
      });
      this.#pipe.stdin.write(`${Buffer.byteLength(text)}:${text},`);
    });
    if (!reply.ok) throw this.#failure(`${command} ${params}: ${reply.data}`);
    return reply.data;
  }

  #failure(what: string): Error {
    const seen = this.events.map((e) => `${e.type} ${e.param ?? ''}`).join(', ');
    return new Error(`baresip ${this.number}: ${what}; ${seen}\n${this.#words.slice(-6000)}`);
  }

  /** Waits until the phone's own list of registrations says OK. */
  async registered(): Promise<void> {
    let last = '';
    await until(
      async () => {
        last = await this.command('reginfo');
        return last.includes('OK ');
      },
      () => this.#failure(`not registered: ${last}`),
    );
  }

  /** How often something was told. */
  count(type: string): number {
    return this.events.filter((event) => event.type === type).length;
  }

  /** Waits until `type` was told at least `times` times. */
  async told(type: string, times = 1): Promise<BaresipEvent> {
    await until(
      () => this.count(type) >= times,
      () => this.#failure(`${type} was not told ${times} times`),
    );
    return this.events.filter((event) => event.type === type)[times - 1] as BaresipEvent;
  }

  dial(number: number): Promise<string> {
    return this.command('dial', `sip:${number}@${this.#server}`);
  }

  accept(): Promise<string> {
    return this.command('accept');
  }

  hold(): Promise<string> {
    return this.command('hold');
  }

  resume(): Promise<string> {
    return this.command('resume');
  }

  transfer(number: number): Promise<string> {
    return this.command('transfer', `sip:${number}@${this.#server}`);
  }

  hangUp(): Promise<string> {
    return this.command('hangup');
  }

  /** Recordings of what was decoded, oldest first, and their lengths now: a mark in time. */
  #recordings(): ReadonlyMap<string, number> {
    const dir = join(this.#dir, 'heard');
    const names = readdirSync(dir).filter((name) => name.endsWith('-dec.wav'));
    return new Map(names.map((name) => [join(dir, name), recorded(join(dir, name))]));
  }

  /** Waits until two seconds recorded from now on have this tone. Not once it was held (`audio.ts`). */
  async hears(hz: number): Promise<void> {
    const before = this.#recordings();
    let seen = '';
    await until(
      () => {
        const files = [...this.#recordings().keys()];
        const all = files.map((file) => windows(file, before.get(file) ?? 0, hz));
        seen = all.map((one) => `${one.toned} of ${one.all}`).join(', ');
        return all.some((one) => one.toned >= 4);
      },
      () => this.#failure(`does not hear ${hz} Hz: ${seen}`),
    );
  }

  close(): void {
    this.#pipe.kill();
    this.#child.kill();
  }
}

function portsOf(options: BaresipOptions): Ports {
  const first = 20_000 + (options.port % 1000) * 20;
  return [first, first + 19];
}

function configOf(options: BaresipOptions, dir: string, control: number): string {
  const modules = ['g711', 'sndfile', 'aubridge', 'aufile', 'uuid'];
  const applications = ['account', 'contact', 'menu', 'ctrl_tcp'];
  return [
    'poll_method epoll',
    `sip_listen ${options.address}:${options.port}`,
    `audio_source aufile,${join(dir, 'tone.wav')}`,
    'audio_player aubridge,nil',
    'audio_alert none',
    'ausrc_srate 8000',
    'auplay_srate 8000',
    'ausrc_channels 1',
    'auplay_channels 1',
    `rtp_ports ${portsOf(options).join('-')}`,
    'rtp_stats no',
    `module_path ${MODULES}`,
    ...modules.map((name) => `module ${name}.so`),
    ...applications.map((name) => `module_app ${name}.so`),
    `snd_path ${join(dir, 'heard')}`,
    `ctrl_tcp_listen 127.0.0.1:${control}`,
    '',
  ].join('\n');
}

function accountOf(options: BaresipOptions): string {
  const { number } = options;
  const transport = options.transport ?? 'udp';
  const server = options.server ?? VIP;
  const proxy = options.proxy ?? server;
  return (
    `<sip:${number}@${server}>;auth_user=${number};auth_pass=pw-${number};` +
    `outbound="sip:${proxy};transport=${transport}";` +
    `regint=${options.registers === false ? 0 : 120};answermode=manual;` +
    'audio_codecs=PCMU/8000/1\n'
  );
}
