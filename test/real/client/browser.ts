/**
 * Chromium without a window, on a host of a lab, driven by the DevTools protocol over two pipes: a
 * JSON message and a zero octet each. The few commands a page test needs, and nothing to install but
 * the browser.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

type Answer = { readonly result?: object; readonly error?: { readonly message: string } };
type Message = Answer & {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly [name: string]: unknown };
};

const BROWSER = 'chromium-headless-shell';
const ARGUMENTS = [
  '--remote-debugging-pipe',
  // tests run as root
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--no-first-run',
  '--hide-scrollbars',
  '--window-size=1400,900',
];
const PATIENCE = 30_000;
/** Octets of the browser's own words that are kept for a failure. */
const LAST_WORDS = 2000;

export class Browser {
  /** What the page complained of: exceptions, refusals by its content policy; not boxes that are away. */
  readonly complaints: string[] = [];
  readonly #child: ChildProcess;
  readonly #home: string;
  readonly #open = new Map<number, (m: Answer) => void>();
  #next = 0;
  #session = '';
  #rest = '';
  #words = '';

  private constructor(command: readonly string[], home: string) {
    const [program = '', ...rest] = command;
    this.#home = home;
    this.#child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] });
    const [, , words, , out] = this.#child.stdio as readonly (Readable | null)[];
    words?.on('data', (octets) => {
      this.#words = `${this.#words}${octets}`.slice(-LAST_WORDS);
    });
    out?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.#child.on('exit', () => {
      for (const done of this.#open.values()) {
        done({ error: { message: `the browser ended: ${this.#words}` } });
      }
    });
  }

  /** @param within a command that runs the rest in a place, as `ip netns exec NAME`. */
  static async start(within: readonly string[]): Promise<Browser> {
    const home = mkdtempSync(join(tmpdir(), 'sipair-browser-'));
    const browser = new Browser(
      [...within, BROWSER, ...ARGUMENTS, `--user-data-dir=${home}`],
      home,
    );
    const { targetId } = (await browser.#ask('Target.createTarget', { url: 'about:blank' })) as {
      readonly targetId: string;
    };
    const attached = await browser.#ask('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = (attached as { readonly sessionId: string }).sessionId;
    for (const domain of ['Page', 'Runtime', 'Log']) await browser.#ask(`${domain}.enable`, {});
    return browser;
  }

  async open(url: string): Promise<void> {
    const answer = (await this.#ask('Page.navigate', { url })) as { readonly errorText?: string };
    if (answer.errorText !== undefined) throw new Error(`${url}: ${answer.errorText}`);
    await this.until('the page is there', 'document.readyState === "complete"');
  }

  /** @returns what the expression gives in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = (await this.#ask('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    })) as {
      readonly result?: { readonly value?: unknown };
      readonly exceptionDetails?: { readonly text: string };
    };
    if (answer.exceptionDetails !== undefined) {
      throw new Error(`${expression}: ${JSON.stringify(answer.exceptionDetails)}`);
    }
    return answer.result?.value;
  }

  /** Waits until the expression holds in the page; then it says what the page shows. */
  async until(what: string, expression: string, ms = PATIENCE): Promise<void> {
    const end = performance.now() + ms;
    while ((await this.evaluate(`Boolean(${expression})`)) !== true) {
      if (performance.now() > end) {
        const shown = await this.evaluate('document.body.innerText');
        throw new Error(`not within ${ms} ms: ${what}; the page: ${shown} ${this.complaints}`);
      }
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  /** Keys into a field, as a person gives them. */
  async type(selector: string, text: string): Promise<void> {
    await this.evaluate(`document.querySelector(${JSON.stringify(selector)}).focus()`);
    await this.#ask('Input.insertText', { text });
  }

  async click(selector: string): Promise<void> {
    await this.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
  }

  /** Another size, another colour scheme. */
  async looks(width: number, height: number, scheme: 'light' | 'dark'): Promise<void> {
    await this.#ask('Emulation.setDeviceMetricsOverride', {
      ...{ width, height, deviceScaleFactor: 1, mobile: width < 600 },
    });
    await this.#ask('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: scheme }],
    });
  }

  async screenshot(): Promise<Buffer> {
    const { data } = (await this.#ask('Page.captureScreenshot', { format: 'png' })) as {
      readonly data: string;
    };
    return Buffer.from(data, 'base64');
  }

  async close(): Promise<void> {
    const ended = new Promise((done) => this.#child.once('exit', done));
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      void this.#ask('Browser.close', {}).catch(() => {});
      const late = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(late);
    }
    rmSync(this.#home, { recursive: true, force: true });
  }

  #ask(method: string, params: object): Promise<object> {
    const id = ++this.#next;
    const to =
      this.#session === '' || method.startsWith('Browser.') ? {} : { sessionId: this.#session };
    const input = this.#child.stdio[3] as Writable;
    input.write(`${JSON.stringify({ id, method, params, ...to })}\0`);
    return new Promise((done, failed) => {
      this.#open.set(id, ({ result, error }) => {
        this.#open.delete(id);
        if (error === undefined) done(result ?? {});
        else failed(new Error(`${method}: ${error.message}`));
      });
    });
  }

  #read(text: string): void {
    const parts = (this.#rest + text).split('\0');
    this.#rest = parts.pop() ?? '';
    for (const part of parts) {
      const m = JSON.parse(part) as Message;
      if (m.id !== undefined) this.#open.get(m.id)?.(m);
      else this.#noted(m);
    }
  }

  #noted({ method, params }: Message): void {
    if (method === 'Runtime.exceptionThrown') this.complaints.push(JSON.stringify(params));
    if (method === 'Log.entryAdded') {
      const { entry } = params as { readonly entry: { readonly level: string; source: string } };
      const { level, source } = entry;
      if (level === 'error' && source !== 'network') this.complaints.push(JSON.stringify(entry));
    }
  }
}
