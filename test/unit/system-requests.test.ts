/** Requests of the agent that come to nothing: each is told, and the next one is served as the first. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Agent } from '../../src/edge/system/agent.ts';
import { placesOf } from '../../src/edge/system/files.ts';
import { answer } from '../../src/edge/system/requests.ts';
import type { Caller } from '../../src/edge/system/socket.ts';

type Said = { readonly error?: string; readonly text?: string };

function folder(t: ExecutionContext): string {
  const root = mkdtempSync(join(tmpdir(), 'sipair-requests-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  return root;
}

/** @returns what is said last. */
function asked(agent: Partial<Agent>, request: object): Promise<Said> {
  return new Promise((resolve) => {
    const caller: Caller = {
      say: (value) => {
        if ('error' in value || 'ok' in value) resolve(value as Said);
      },
      hear: undefined,
      gone: () => {},
    };
    answer(agent as Agent, request as { command: string }, caller);
  });
}

test('pairing without a port to pair at is told each time: it keeps nobody away', async (t) => {
  const root = folder(t);
  const crossover = { interface: 'none0', address: '198.51.100.1', peerAddress: '198.51.100.2' };
  const place = { box: 'a', crossover, keyFile: join(root, 'pair.key') } as const;
  const agent = { places: placesOf(root), pairPlace: () => place };
  for (let i = 0; i < 2; i++) {
    t.like(await asked(agent, { command: 'pair' }), { error: 'pairing-socket' });
  }
});

test('what fails in the midst of a request is the end of its answer only', async (t) => {
  const root = folder(t);
  const places = placesOf(root);
  const files = { install: () => Promise.reject(new Error('the medium fails')) };
  const agent = { places, files } as unknown as Agent;
  t.deepEqual(await asked(agent, { command: 'files', verb: 'install', source: 'usb:a.pem' }), {
    error: 'system-failed',
    text: 'the medium fails',
  });
  // a file stands where the mount point has to be
  writeFileSync(join(root, 'run'), '');
  t.like(await asked(agent, { command: 'stick', verb: 'read', file: 'a' }), {
    error: 'system-failed',
  });
});

test('the log is looked through for an expression, which cannot keep the agent from its work', async (t) => {
  const long = Array.from({ length: 300 }, (_, i) => `${'a'.repeat(60)} ${i}`).join('\n');
  const agent = { machine: { journal: () => Promise.resolve(long) } } as unknown as Agent;
  const log = (match: string): Promise<Said> => asked(agent, { command: 'log', lines: 2, match });
  t.deepEqual(await log('A 29\\d$'), {
    ok: true,
    lines: [`${'a'.repeat(60)} 298`, `${'a'.repeat(60)} 299`],
  } as Said);
  t.like(await log('(?=a)'), { error: 'log-match' });
  // one that tries all its ways would not come back in this life
  t.deepEqual(await log('(a+)+$'), { ok: true, lines: [] } as Said);
  t.deepEqual(await log(`${'.?'.repeat(20)}!!`), { ok: true, lines: [] } as Said);
});

test('a factory reset that cannot be made is told, and the agent goes on', async (t) => {
  const root = folder(t);
  const done: string[] = [];
  const machine = {
    reset: () => Promise.resolve(done.shift() ?? ''),
    power: (verb: string) => {
      done.push(verb);
      return Promise.resolve('');
    },
  };
  const close = (): void => void done.push('closed');
  const agent = { places: placesOf(root), machine, close } as unknown as Agent;
  const request = { command: 'factory-reset', word: 'factory-reset' };
  done.push('bootenv: both copies are damaged');
  t.deepEqual(await asked(agent, request), {
    error: 'factory-reset-failed',
    text: 'bootenv: both copies are damaged',
  });
  t.deepEqual(done, []);
  t.like(await asked(agent, request), { ok: true });
  for (let i = 0; i < 200 && done.length === 0; i++)
    await new Promise((end) => setTimeout(end, 20));
  t.deepEqual(done, ['reboot']);
});
