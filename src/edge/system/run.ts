/** `sipair system`: the agent as a process. */

import { log } from '../log.ts';
import { keepAlive, Life } from '../notify.ts';
import { Agent } from './agent.ts';
import { placesOf } from './files.ts';
import { imageRoom } from './image-upgrade.ts';
import { recordingMachine, systemdMachine } from './machine.ts';
import { answer } from './requests.ts';
import { serveSystem } from './socket.ts';

export type SystemOptions = {
  readonly root: string;
  /** `systemd`; `none`: nothing is done, what would be is written down; or a program for units. */
  readonly apply: string;
};

/** What it does is told to systemd this often, when it is something else. */
const SAY_MS = 2000;

/** For `systemctl status`. */
function inWords(agent: Agent | undefined): string {
  if (agent?.box === undefined) return 'waits for the first configuration';
  const peer = agent.link?.up === true ? 'the other box is there' : 'alone';
  return `box ${agent.box}, revision ${agent.entry.number}, ${peer}`;
}

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
    agent = new Agent(root, machine, imageRoom);
  } catch (e) {
    process.stderr.write(`system-start: ${(e as Error).message}\n`);
    return 1;
  }
  const life = new Life();
  life.serves();
  // a hung agent runs no timer: systemd begins it anew
  keepAlive(life);
  const says = (): void => life.says(inWords(agent));
  says();
  const told = setInterval(says, SAY_MS);
  const end = (): void => {
    clearInterval(told);
    life.ends();
    log('info', 'system agent: stopped');
    agent?.close(server);
    process.exit(0);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  return undefined;
}
