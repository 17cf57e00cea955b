/**
 * SIP over IPv6 through a real pair, beside IPv4: UDP, TCP and TLS phones of one family call those of
 * the other, and go on when the primary dies. And a listener that serves nobody without a certificate.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { LAN_ADDRESS6, other, VIP6 } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { issue } from './client/certificates.ts';
import type { RawPhone } from './client/raw-phone.ts';
import { type StreamKind, StreamWire, until } from './client/stream-phone.ts';
import { one } from './client/text.ts';

const SIX = { from: LAN_ADDRESS6.lan, to: VIP6 };

let dir: string;
let lab: Lab;
let wire: StreamWire;
let nextNumber = 1500;

test.before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sipair-ipv6-'));
  issue(dir, 'authority');
  issue(dir, 'trunk', 'authority');
  const wss = { mutual: true, ca: join(dir, 'authority.pem') };
  const sip = { port: 5060, tls: {}, ws: {}, wss };
  lab = await createLab({ name: labName('ipv6'), ipv6: true, config: { sip } });
  wire = new StreamWire(lab);
});

test.after.always(async () => {
  wire?.close();
  await lab?.down();
  if (dir !== undefined) rmSync(dir, { recursive: true });
});

async function talk(from: RawPhone, to: RawPhone) {
  const invite = from.invite(to.number);
  from.send(invite.text);
  const got = await to.next('INVITE');
  to.send(to.answer(got, 200, 'OK'));
  const ok = await from.next('200');
  from.send(from.ack(invite, ok));
  await to.next('ACK');
  return { invite, got, ok };
}

for (const kind of ['udp', 'tcp', 'tls', 'ws'] as const satisfies readonly StreamKind[]) {
  test.serial(
    `${kind} over IPv6 and UDP over IPv4 talk, also after the primary is killed`,
    async (t) => {
      await lab.ready();
      const six = wire.phone(kind, nextNumber++, SIX);
      const four = wire.phone('udp', nextNumber++);
      await six.register();
      await four.register();
      const out = await talk(six, four);
      const into = await talk(four, six);
      // each is told the address of its own family
      t.regex(one(into.got, 'contact'), /@\[2001:db8:77::10\]:/);
      t.regex(one(into.got, 'via'), /\[2001:db8:77::10\]:/);
      t.regex(one(out.got, 'contact'), /@192\.0\.2\.10:5060>/);
      const { primary } = await lab.status();
      if (primary === null) throw new Error('nobody leads');
      await lab.ready();
      await lab.kill(primary);
      // what a UDP phone says to nobody is lost, and this one says everything once
      while ((await lab.status()).primary !== other(primary)) await sleep(50);
      try {
        if (kind !== 'udp') await six.comeBack();
        six.send(six.bye(out.invite, out.ok));
        await six.next('200');
        four.send(four.answer(await four.next('BYE'), 200, 'OK'));
        four.send(four.bye(into.invite, into.ok));
        six.send(six.answer(await six.next('BYE'), 200, 'OK'));
        await four.next('200');
      } finally {
        await lab.start(primary);
      }
      t.is(six.count('481') + four.count('481'), 0);
      six.connection?.close();
      four.connection?.close();
    },
  );
}

test.serial('mutual TLS: no certificate, no service', async (t) => {
  await lab.ready();
  const bare = wire.begin('wss', 1);
  await until('it is refused', () => bare.down !== undefined);
  t.false(bare.up);
  const read = (file: string): string => readFileSync(join(dir, file), 'utf8');
  const trunk = wire.phone('wss', nextNumber++, {
    cert: read('trunk.pem'),
    key: read('trunk.key'),
  });
  await trunk.register();
  t.is(trunk.count('200'), 1);
  trunk.connection?.close();
});
