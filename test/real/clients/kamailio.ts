/**
 * Kamailio on the host `lan` of a lab, as a neighbour: a proxy with Record-Route in front of the phones
 * behind it, and a client of our registrar with digest (its `uac` module). `kamailio.cfg` says how.
 */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../lab/lab.ts';
import { VIP } from '../../lab/places.ts';
import { until } from './until.ts';

const TEMPLATE = new URL('./kamailio.cfg', import.meta.url);
const COLUMNS =
  'id(int,auto) l_uuid(string) l_username(string) l_domain(string) r_username(string) ' +
  'r_domain(string) realm(string) auth_username(string) auth_password(string) auth_ha1(string,null) ' +
  'auth_proxy(string) expires(int) flags(int) reg_delay(int) contact_addr(string) socket(string)';
/** Flag of a registration that stands, in the answer to `uac.reg_info`. */
const ONLINE = 4;

export type KamailioOptions = {
  readonly address: string;
  readonly port: number;
  /** Where calls from the pair go: "address:port". */
  readonly behind: string;
  /** Extensions it registers with the pair. */
  readonly numbers?: readonly number[];
  /** How it speaks with the pair. */
  readonly transport?: 'udp' | 'tcp';
  /** The pair, instead of the VIP. */
  readonly server?: string;
};

export class Kamailio {
  readonly #lab: Lab;
  readonly #run: string;
  readonly #child: ChildProcessWithoutNullStreams;
  #words = '';

  private constructor(lab: Lab, options: KamailioOptions) {
    this.#lab = lab;
    this.#run = join(lab.places.dir, `kamailio-${options.port}`);
    const db = join(this.#run, 'db');
    mkdirSync(db, { recursive: true });
    const here = `${options.address}:${options.port}`;
    const server = options.server ?? VIP;
    const transport = options.transport ?? 'udp';
    const words: Readonly<Record<string, string>> = {
      HERE: here,
      VIP: server,
      TRANSPORT: transport,
      BEHIND: options.behind,
      RUN: this.#run,
    };
    const text = readFileSync(TEMPLATE, 'utf8').replace(/@([A-Z]+)@/g, (_, w) => words[w] ?? '');
    const file = join(this.#run, 'kamailio.cfg');
    writeFileSync(file, text);
    writeFileSync(
      join(db, 'version'),
      'id(int,auto) table_name(string) table_version(int) \n1:uacreg:5\n',
    );
    writeFileSync(join(db, 'uacreg'), `${COLUMNS} \n${rows(options, server, transport)}`);
    const rest = ['-m', '32', '-M', '8', '-Y', this.#run, '-w', this.#run];
    this.#child = lab.spawn('lan', ['kamailio', '-DD', '-E', '-f', file, ...rest]);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (bytes) => {
        this.#words = (this.#words + String(bytes)).slice(-8000);
      });
    }
  }

  /** Starts it and waits until it is registered for all its numbers. */
  static async start(lab: Lab, options: KamailioOptions): Promise<Kamailio> {
    const kamailio = new Kamailio(lab, options);
    await kamailio.#up();
    for (const number of options.numbers ?? []) await kamailio.registered(number);
    return kamailio;
  }

  /** Its log so far. */
  get words(): string {
    return this.#words;
  }

  #ask(...command: readonly string[]): Promise<string> {
    return this.#lab.exec('lan', ['kamcmd', '-s', `unix:${this.#run}/ctl`, ...command]);
  }

  async #up(): Promise<void> {
    let why = '';
    await until(
      async () => {
        try {
          await this.#ask('core.version');
          return true;
        } catch (error) {
          why = String(error);
          return false;
        }
      },
      () => new Error(`Kamailio did not come up: ${why}\n${this.#words}`),
    );
  }

  /** What it says of its registration of this number. */
  info(number: number): Promise<string> {
    return this.#ask('uac.reg_info', 'l_uuid', String(number));
  }

  async registered(number: number): Promise<void> {
    let last = '';
    await until(
      async () => {
        last = await this.info(number).catch(String);
        const flags = Number(/flags: (\d+)/.exec(last)?.[1] ?? 0);
        return (flags & ONLINE) !== 0;
      },
      () => new Error(`Kamailio is not registered as ${number}: ${last}\n${this.#words}`),
    );
  }

  /** Registers this number again now, and waits until that is done. */
  async refresh(number: number): Promise<void> {
    const ends = async () => Number(/timer_expires: (\d+)/.exec(await this.info(number))?.[1]);
    const before = await ends();
    // Its clock has whole seconds.
    await new Promise((wake) => setTimeout(wake, 1100));
    await this.#ask('uac.reg_refresh', `s:${number}`);
    await until(
      async () => (await ends()) > before,
      () => new Error(`Kamailio could not refresh ${number}\n${this.#words}`),
    );
    await this.registered(number);
  }

  close(): void {
    this.#child.kill();
  }
}

function rows(options: KamailioOptions, server: string, transport: string): string {
  // In the files of db_text a colon separates columns and is written with a backslash before it.
  const proxy = `sip\\:${server}\\:5060;transport=${transport}`;
  const here = `${options.address}\\:${options.port}`;
  return (options.numbers ?? [])
    .map((n, i) => {
      const self = `${n}:${n}:${server}:${n}:${server}`;
      return `${i + 1}:${self}:sipair:${n}:pw-${n}::${proxy}:60:16:0:${here}:udp\\:${here}\n`;
    })
    .join('');
}
