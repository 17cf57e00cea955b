/**
 * The crowd as a process on the host `lan`: one JSON line in is a command, one JSON line out its
 * answer. `remote.ts` is the other end.
 */

import { createInterface } from 'node:readline';
import { Crowd } from './crowd.ts';

export type Command =
  | { readonly do: 'register' }
  | { readonly do: 'establish'; readonly count: number; readonly rate: number }
  | { readonly do: 'reinvite'; readonly turn: number; readonly step: string }
  | { readonly do: 'hang-up'; readonly turn: number }
  | { readonly do: 'flow'; readonly rate: number }
  | { readonly do: 'end-flow' }
  | { readonly do: 'book' };

const crowd = new Crowd({
  server: { address: '192.0.2.10', port: 5060 },
  callers: { address: '192.0.2.20', port: 5070 },
  callees: { address: '192.0.2.21', port: 5071 },
  firstCallee: 1000,
  calleeCount: 200,
  firstCaller: 1500,
});

async function obey(command: Command): Promise<unknown> {
  switch (command.do) {
    case 'register':
      return crowd.register();
    case 'establish':
      return crowd.establish(command.count, command.rate, 30);
    case 'reinvite':
      return crowd.reinvite(command.turn, command.step);
    case 'hang-up':
      return crowd.hangUp(command.turn);
    case 'flow':
      crowd.startFlow(command.rate);
      return {};
    case 'end-flow':
      return crowd.endFlow();
    case 'book': {
      const { violations, violated, counts } = crowd.book;
      return { violations, violated, counts };
    }
  }
}

await crowd.start();
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { id, command } = JSON.parse(line) as { id: number; command: Command };
  void obey(command).then(
    (value) => process.stdout.write(`${JSON.stringify({ id, value })}\n`),
    (error: Error) => process.stdout.write(`${JSON.stringify({ id, error: error.stack })}\n`),
  );
});
lines.on('close', () => process.exit(0));
process.stdout.write('{"id":0,"value":{}}\n');
