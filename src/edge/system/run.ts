/** `sipair system`: the agent as a process. */

import { log } from '../log.ts';
import { Agent } from './agent.ts';
import { placesOf } from './files.ts';
import { noImage } from './image-room.ts';
import { recordingMachine, systemdMachine } from './machine.ts';
import { answer } from './requests.ts';
import { serveSystem } from './socket.ts';

export type SystemOptions = {
  readonly root: string;
  /** `systemd`; `none`: nothing is done, what would be is written down; or a program for units. */
  readonly apply: string;
};

/** @returns the exit code of a start that came to nothing. */
export async function runSystem({ root, apply }: SystemOptions): Promise<number | undefined> {
  process.umask(0o022);
  const places = placesOf(root);
  let agent: Agent | undefined;
  const server = await serveSystem(places.socket, (request, caller) => {
    if (agent !== undefined) answer(agent, request, caller);
    else caller.say({ error: 'system-starting', text: 'the agent starts: try again' });
  });
  if (typeof server === 'string') {
    process.stderr.write(`${server}\n`);
    return 1;
  }
  const hook = apply === 'none' ? undefined : apply;
  const machine = apply === 'systemd' ? systemdMachine() : recordingMachine(places.orders, hook);
  try {
    agent = new Agent(root, machine, noImage);
  } catch (e) {
    process.stderr.write(`system-start: ${(e as Error).message}\n`);
    return 1;
  }
  const end = (): void => {
    log('info', 'system agent: stopped');
    agent?.close(server);
    process.exit(0);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  return undefined;
}
