/** The connection of a pairing: a yes belongs to the digits that were on the screen, and to no others. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { isFault } from '../../src/base/fault.ts';
import { PAIRING_PORT } from '../../src/edge/config.ts';
import { PairSession } from '../../src/edge/pair-command.ts';
import { PAIRING_CHANCE, Pairing } from '../../src/pair/pairing.ts';

/** Box b of this exchange, up to the digits. */
async function digitsShown(address: string, peer: string, shown: () => boolean): Promise<Socket> {
  const machine = new Pairing('b', randomBytes(PAIRING_CHANCE));
  const socket = connect({ port: PAIRING_PORT, host: address, localAddress: peer });
  await once(socket, 'connect');
  socket.on('data', (bytes) => {
    const answers = machine.data(bytes);
    if (!isFault(answers)) for (const one of answers as readonly Uint8Array[]) socket.write(one);
  });
  socket.write(machine.begin());
  while (!shown()) await new Promise((wait) => setTimeout(wait, 10));
  return socket;
}

test('an exchange that breaks off under the digits ends the pairing: no others are shown', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sipair-pair-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [address, peerAddress] = ['127.53.0.1', '127.53.0.2'];
  const codes: string[] = [];
  const said: string[] = [];
  const end = Promise.withResolvers<string>();
  const keyFile = join(folder, 'pair.key');
  const place = {
    box: 'a',
    crossover: { interface: 'lo', address, peerAddress },
    keyFile,
  } as const;
  const session = new PairSession(place, {
    say: (text) => said.push(text),
    code: (digits) => codes.push(digits),
    end: end.resolve,
  });
  t.teardown(() => session.stop());
  const socket = await digitsShown(address, peerAddress, () => codes.length > 0);
  socket.destroy();
  t.regex(await end.promise, /^pairing-gone: /);
  session.answer('y');
  t.is(codes.length, 1);
  t.true(said.includes('the other box has gone'));
  t.false(existsSync(keyFile));
});
