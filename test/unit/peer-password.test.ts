/** A password set from the other box: told once, and why not; what is no password is none. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Admin, LOCK_RULE } from '../../src/edge/system/admin.ts';
import type { AgentLink } from '../../src/edge/system/link.ts';
import { PeerPassword } from '../../src/edge/system/peer-password.ts';

type Json = { readonly [name: string]: unknown };

/** Of one box: its password, and what it says to the other. */
function side(t: ExecutionContext): {
  admin: Admin;
  word: PeerPassword;
  peer: { hear: ((kind: string, json: Json) => boolean) | undefined };
} {
  const root = mkdtempSync(join(tmpdir(), 'sipair-password-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const peer: { hear: ((kind: string, json: Json) => boolean) | undefined } = { hear: undefined };
  const send = (kind: string, json: Json): boolean => peer.hear?.(kind, json) ?? false;
  const admin = new Admin(join(root, 'admin.json'), LOCK_RULE, Date.now);
  const word = new PeerPassword(
    () => ({ send }) as unknown as AgentLink,
    () => admin,
  );
  return { admin, word, peer };
}

test('set at the other box; refused there; nobody there; what is no text', async (t) => {
  const [a, b] = [side(t), side(t)];
  t.like(await a.word.set('correct horse'), { error: 'admin-peer' });
  a.peer.hear = (kind, json) => b.word.message(kind, json);
  b.peer.hear = (kind, json) => a.word.message(kind, json);
  t.is(await a.word.set('correct horse'), undefined);
  t.like(b.admin.verify('correct horse'), { verified: true });
  t.false(a.admin.exists);
  t.like(await a.word.set('short'), { error: 'admin-length' });
  const said: Json[] = [];
  b.peer.hear = (_kind, json) => said.push(json) > 0;
  for (const password of [undefined, 12_345_678, ['correct horse']]) {
    t.true(b.word.message('password', { id: 9, password }));
  }
  t.true(said.length === 3 && said.every((json) => 'fault' in json));
  t.like(b.admin.verify('correct horse'), { verified: true });
});
