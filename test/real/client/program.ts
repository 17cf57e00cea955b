/**
 * A program at the pair, on the host `lan`: what the test writes to it as lines of JSON it asks, what
 * it is told it writes as lines of JSON. Arguments: name, password, addresses of the boxes.
 */

import { createInterface } from 'node:readline';
import { Client, RequestError } from '../../../src/client/index.ts';

const [program = '', password = '', ...boxes] = process.argv.slice(2);

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const client = new Client({ boxes, program, password });
for (const what of ['event', 'status', 'serving', 'afresh', 'eventsLost', 'over'] as const) {
  client.on(what, (told: object) => say({ what, told }));
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line) as { id: number; method: string; params: object };
  client.call(method as never, params as never).then(
    (result) => say({ what: 'answer', id, result }),
    (error) =>
      say({
        what: 'answer',
        id,
        fault: error instanceof RequestError ? error.code : String(error),
      }),
  );
});
process.stdin.on('end', () => process.exit(0));
