/** What a box shows inside TLS, and whom it believes: read again while connections stand, on loopback. */

import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import test from 'ava';
import { issue } from './client/certificates.ts';
import { until } from './client/stream-phone.ts';
import { certificateOf, listen, OPTIONS, portsAhead, serve, tcp } from './flow-stage.ts';

test('a certificate is read again: new connections see it, old ones go on; a bad one changes nothing', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sipair-tls-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  issue(dir, 'one');
  const tls = { certificate: join(dir, 'one.pem'), key: join(dir, 'one.key') };
  const s = serve(t, {}, { tls: { port: portsAhead().tls, ...tls } });
  const before = await certificateOf(s.ports.tls);
  const old = listen(before.socket);
  old.socket.write(OPTIONS(1));
  await until('it stands', () => s.messages.length === 1);
  writeFileSync(tls.certificate, 'nothing');
  t.not(s.flows.reload(), '');
  t.is((await certificateOf(s.ports.tls)).pem, before.pem, 'the old one is shown');
  issue(dir, 'one');
  t.is(s.flows.reload(), '');
  t.not((await certificateOf(s.ports.tls)).pem, before.pem, 'the new one is shown');
  old.socket.write(OPTIONS(2));
  await until('the old connection goes on', () => s.messages.length === 2);
  t.is(old.ended, '');
  issue(dir, 'two');
  writeFileSync(tls.key, readFileSync(join(dir, 'two.key')));
  t.regex(s.flows.reload(), /the key is not that of the certificate/);
  old.socket.destroy();
});

test('a box whose certificate cannot be used starts: by TLS it ends connections until the file is right', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sipair-tls-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const tls = { certificate: join(dir, 'one.pem'), key: join(dir, 'one.key') };
  const s = serve(t, {}, { tls: { port: portsAhead().tls, ...tls } });
  t.true(s.log.some((text) => text.startsWith('certificate-unusable: tls: ')));
  await t.throwsAsync(certificateOf(s.ports.tls));
  const plain = tcp(s.ports.tcp);
  plain.socket.write(OPTIONS(1));
  await until('TCP serves', () => s.messages.length === 1);
  issue(dir, 'one');
  t.is(s.flows.reload(), '');
  const { pem, socket } = await certificateOf(s.ports.tls);
  t.is(pem, new X509Certificate(readFileSync(tls.certificate)).toString());
  socket.destroy();
  plain.socket.destroy();
});

test('mutual TLS: without a certificate that the CA has signed nobody is served', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sipair-mutual-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  issue(dir, 'authority');
  issue(dir, 'trunk', 'authority');
  issue(dir, 'stranger');
  const s = serve(
    t,
    {},
    { tls: { port: portsAhead().tls, mutual: true, ca: join(dir, 'authority.pem') } },
  );
  const read = (name: string): object => ({
    cert: readFileSync(join(dir, `${name}.pem`)),
    key: readFileSync(join(dir, `${name}.key`)),
  });
  const tries = async (more: object): Promise<string> => {
    const client = listen(
      connectTls({ host: '127.0.0.1', port: s.ports.tls, rejectUnauthorized: false, ...more }),
    );
    const before = s.messages.length;
    client.socket.write(OPTIONS(before));
    await until('an end of it', () => client.ended !== '' || s.messages.length > before);
    client.socket.destroy();
    return s.messages.length > before ? 'served' : 'refused';
  };
  t.is(await tries({}), 'refused');
  t.is(await tries(read('stranger')), 'refused');
  t.is(await tries(read('trunk')), 'served');
});

test('a session of a client whose authority is believed no more does not come in by its ticket', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sipair-tickets-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  issue(dir, 'authority');
  issue(dir, 'trunk', 'authority');
  const ca = join(dir, 'authority.pem');
  const s = serve(t, {}, { tls: { port: portsAhead().tls, mutual: true, ca } });
  const to = { host: '127.0.0.1', port: s.ports.tls, rejectUnauthorized: false };
  const own = {
    cert: readFileSync(join(dir, 'trunk.pem')),
    key: readFileSync(join(dir, 'trunk.key')),
  };
  let session: Buffer | undefined;
  const first = connectTls({ ...to, ...own });
  first.on('session', (bytes: Buffer) => {
    session = bytes;
  });
  first.write(OPTIONS(1));
  await until('a ticket', () => session !== undefined && s.messages.length === 1);
  first.destroy();
  const again = listen(connectTls({ ...to, session }));
  again.socket.write(OPTIONS(2));
  await until('the ticket is good', () => s.messages.length === 2);
  again.socket.destroy();
  issue(dir, 'other');
  writeFileSync(ca, readFileSync(join(dir, 'other.pem')));
  t.is(s.flows.reload(), '');
  const late = listen(connectTls({ ...to, session }));
  late.socket.write(OPTIONS(3));
  await until('it is refused', () => late.ended !== '');
  t.is(s.messages.length, 2);
});

test('both boxes show the same certificate and open each other’s session tickets', async (t) => {
  const a = serve(t);
  const b = serve(t);
  const first = connectTls({ host: '127.0.0.1', port: a.ports.tls, rejectUnauthorized: false });
  let session: Buffer | undefined;
  first.on('session', (bytes: Buffer) => {
    session = bytes;
  });
  first.write(OPTIONS(1));
  await until('a ticket', () => session !== undefined);
  t.is((await certificateOf(b.ports.tls)).pem, (await certificateOf(a.ports.tls)).pem);
  t.true((await certificateOf(b.ports.tls, { session })).resumed);
  first.destroy();
});
