/** An operator at the serial console of a box: logs in, types a command, reads what it says. */

import type { Machine } from './machine.ts';
import { PASSWORD } from './set-up.ts';

const PROMPT = /^[a-z0-9-]+ \(([^)\n]*)\)> $/m;
/** The prompt, or the question who one is. */
const ASKS = /^[a-z0-9-]+ (?:(login: )|\([^)\n]*\)> )$/m;
const LOOK_MS = 60_000;
const GLANCE_MS = 10_000;

export class Operator {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** At the prompt, whatever the console shows: logs in where it asks for that. */
  async ready(patienceMs = 400_000): Promise<void> {
    const { console } = this.#machine;
    const end = performance.now() + patienceMs;
    for (;;) {
      console.skip();
      console.type('\r');
      try {
        const { match } = await console.waitFor(ASKS, GLANCE_MS);
        if (match[1] === undefined) return;
        console.type('admin\r');
        await console.waitFor(/Password: /, LOOK_MS);
        console.type(`${PASSWORD}\r`);
        await console.waitFor(PROMPT, LOOK_MS);
        return;
      } catch (e) {
        if (performance.now() > end) throw e;
      }
    }
  }

  /** What the command says; the prompt that comes after it ends it. */
  async command(text: string, patienceMs = LOOK_MS): Promise<string> {
    const { console } = this.#machine;
    console.skip();
    console.type(`${text}\r`);
    const { before } = await console.waitFor(PROMPT, patienceMs);
    return before.slice(before.indexOf('\n') + 1).trimEnd();
  }

  /** A command that asks whether one is sure: one is. */
  async sure(text: string, patienceMs = LOOK_MS): Promise<string> {
    const { console } = this.#machine;
    console.skip();
    console.type(`${text}\r`);
    await console.waitFor(/\[y\/n\] $/m, LOOK_MS);
    return await this.command('y', patienceMs);
  }

  /** What stands in the brackets of the prompt: `primary, in step`. */
  async state(): Promise<string> {
    const { console } = this.#machine;
    console.skip();
    console.type('\r');
    return (await console.waitFor(PROMPT, LOOK_MS)).match[1] ?? '';
  }

  /** Waits until the prompt says so. */
  async until(what: RegExp, patienceMs: number): Promise<string> {
    const end = performance.now() + patienceMs;
    for (;;) {
      const state = await this.state().catch((e: Error) => e.message);
      if (what.test(state)) return state;
      if (performance.now() > end) {
        throw new Error(`${this.#machine.box} is "${state}", not ${what}`);
      }
      await new Promise((done) => setTimeout(done, 2000));
    }
  }
}
