/** The emulator's own control socket (QMP): one JSON object a line, answers by id. */

import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { sleep } from '../lab/processes.ts';

type Waiting = { readonly done: (value: unknown) => void; readonly fail: (e: Error) => void };

export class Qmp {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  /** Names of events since the connection: RESET, WATCHDOG, SHUTDOWN, GUEST_PANICKED, ... */
  readonly events: string[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('close', () => {
      for (const { fail } of this.#waiting.values()) fail(new Error('the emulator is gone'));
      this.#waiting.clear();
    });
    createInterface({ input: socket }).on('line', (line) => this.#line(line));
  }

  #line(line: string): void {
    const said = JSON.parse(line) as {
      id?: number;
      return?: unknown;
      error?: { desc: string };
      event?: string;
    };
    if (said.event !== undefined) this.events.push(said.event);
    if (said.id === undefined) return;
    const waiting = this.#waiting.get(said.id);
    this.#waiting.delete(said.id);
    if (said.error === undefined) waiting?.done(said.return);
    else waiting?.fail(new Error(said.error.desc));
  }

  static async open(path: string, alive: () => boolean): Promise<Qmp> {
    for (let tries = 0; ; tries++) {
      const socket = await new Promise<Socket | undefined>((done) => {
        const s = connect(path);
        s.once('error', () => done(undefined));
        s.once('connect', () => done(s));
      });
      if (socket !== undefined) {
        socket.removeAllListeners('error');
        socket.on('error', () => {});
        const qmp = new Qmp(socket);
        await qmp.ask('qmp_capabilities');
        return qmp;
      }
      if (!alive() || tries > 400) throw new Error(`${path} does not answer`);
      await sleep(25);
    }
  }

  ask(execute: string, args?: object): Promise<unknown> {
    const id = this.#next++;
    return new Promise((done, fail) => {
      this.#waiting.set(id, { done, fail });
      const command = { execute, id, ...(args === undefined ? {} : { arguments: args }) };
      this.#socket.write(`${JSON.stringify(command)}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
