/**
 * The verb `up` of build.sh: makes a lab of its own, shows it, and takes it away whatever ends the
 * show: q, Ctrl-C, a signal, an error.
 */

import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createLab, isStale, type Lab, messageOf, removeLab } from './lab.ts';
import { Show } from './show.ts';
import { render } from './view.ts';

const HELP = `./build.sh up [options]      a pair with demo phones, live; q or Ctrl-C ends it

  --kill-every 10s            kill -9 the primary each 10 s (waits until the pair is in step)
  --phones N                  demo phones, 20
  --headless                  JSON lines: one a second and one an event (also without a terminal)
  --name NAME                 name of the lab, "up"; ./build.sh lab ... --name up works on it
  --redundancy hot|warm       hot
  --auth                      digest authentication
  --for 60s                   end by itself
  --program FILE              run FILE serve --config ... instead of the sources`;

const OPTIONS = {
  'kill-every': { type: 'string', default: '0' },
  phones: { type: 'string', default: '20' },
  headless: { type: 'boolean', default: false },
  name: { type: 'string', default: 'up' },
  redundancy: { type: 'string', default: 'hot' },
  auth: { type: 'boolean', default: false },
  for: { type: 'string', default: '0' },
  program: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** `10s`, `10`, `500ms`, `2m` in ms. Throws on anything else. */
function duration(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text);
  if (match === null) throw new Error(`${what}: a time such as 10s, not ${text}`);
  const factor = { ms: 1, s: 1000, m: 60_000 }[match[2] ?? 's'] ?? 1000;
  return Number(match[1]) * factor;
}

function parse() {
  const { values } = parseArgs({ args: process.argv.slice(2), options: OPTIONS });
  const phones = Number(values.phones);
  if (!/^\d+$/.test(values.phones) || phones > 1000) throw new Error('--phones: 0 to 1000');
  if (values.redundancy !== 'hot' && values.redundancy !== 'warm') {
    throw new Error('--redundancy: hot or warm');
  }
  return {
    phones,
    name: values.name,
    help: values.help,
    auth: values.auth,
    program: values.program,
    redundancy: `${values.redundancy}-standby` as const,
    killEveryMs: duration(values['kill-every'], '--kill-every'),
    forMs: duration(values.for, '--for'),
    headless: values.headless || process.stdout.isTTY !== true,
  };
}

type Settings = ReturnType<typeof parse>;

class Up {
  readonly #settings: Settings;
  #creating: Promise<Lab> | undefined;
  #show: Show | undefined;
  #screen = false;
  #ending = false;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  #say(text: string): void {
    if (this.#settings.headless) this.#json({ type: 'event', at: Date.now(), text });
    else console.log(text);
  }

  #json(value: object): void {
    process.stdout.write(`${JSON.stringify(value)}\n`);
  }

  async run(): Promise<void> {
    const { name, redundancy, auth, phones, headless, killEveryMs, forMs, program } =
      this.#settings;
    if (isStale(name)) {
      this.#say(`an earlier ./build.sh up was killed; removing what it left`);
      await removeLab(name);
    }
    // Once the show runs, it tells its own events.
    const say = (text: string) => {
      if (this.#show === undefined) this.#say(text);
    };
    const more = program === undefined ? {} : { program };
    this.#creating = createLab({ name, redundancy, auth, say, ...more });
    const lab = await this.#creating;
    if (this.#ending) return;
    const show = new Show(lab, killEveryMs, (event) => {
      if (headless) this.#json({ type: 'event', at: Date.now(), ...event });
    });
    this.#show = show;
    if (phones > 0) show.startPhones(phones);
    this.#timers.push(setInterval(() => this.#tick(lab, show), 200));
    if (forMs > 0) this.#timers.push(setTimeout(() => void this.end(0), forMs));
    if (headless) this.#timers.push(setInterval(() => this.#json(show.line()), 1000));
    else this.#open(show);
  }

  #tick(lab: Lab, show: Show): void {
    if (existsSync(lab.places.settings)) void show.tick();
    else void this.end(1, 'somebody else took the lab down');
  }

  #open(show: Show): void {
    this.#screen = true;
    // Alternate screen, no cursor.
    process.stdout.write('\x1b[?1049h\x1b[?25l\x1b[2J');
    const draw = () => {
      const lines = render(show.screen());
      process.stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`);
    };
    this.#timers.push(setInterval(draw, 200));
    if (process.stdin.isTTY !== true) return;
    process.stdin.setRawMode(true);
    process.stdin.on('data', async (bytes) => {
      for (const key of bytes.toString('utf8')) if (await show.key(key)) await this.end(0);
    });
  }

  #close(): void {
    if (!this.#screen) return;
    this.#screen = false;
    process.stdout.write('\x1b[?25h\x1b[?1049l');
    if (process.stdin.isTTY === true) process.stdin.setRawMode(false);
  }

  /** Ends the show and the process; leaves nothing behind. */
  async end(code: number, why = ''): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#close();
    if (why !== '') console.error(`up: ${why}`);
    this.#show?.stop();
    let exit = code;
    try {
      if (this.#creating !== undefined) {
        // Taking it away makes an unfinished creation fail; then once more what that still made.
        await removeLab(this.#settings.name);
        await this.#creating.catch(() => {});
        await removeLab(this.#settings.name);
      }
      if (this.#show !== undefined) this.#say(this.#show.summary());
      this.#say(`lab ${this.#settings.name}: down`);
    } catch (error) {
      console.error(`up: ${messageOf(error)}`);
      exit = 1;
    }
    process.exit(exit);
  }
}

async function main(): Promise<void> {
  const settings = parse();
  if (settings.help) {
    console.log(HELP);
    return;
  }
  const up = new Up(settings);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => void up.end(0));
  process.on('uncaughtException', (error) => void up.end(1, messageOf(error)));
  process.on('unhandledRejection', (error) => void up.end(1, messageOf(error)));
  // The reader of our lines went away.
  process.stdout.on('error', () => void up.end(1));
  try {
    await up.run();
  } catch (error) {
    await up.end(1, messageOf(error));
  }
}

try {
  await main();
} catch (error) {
  console.error(`up: ${messageOf(error)}`);
  process.exitCode = 2;
}
