/** What the console does itself, because it must work when nothing else does. */

import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../panel/console/dialog.ts';
import { Admin, LOCK_RULE } from '../system/admin.ts';
import { dataFault, placesOf } from '../system/files.ts';
import { readText } from '../system/text-file.ts';

const PROGRAM_MS = 30_000;
/** Of the image: forgets the data partition at the next start, and starts anew. */
const FACTORY_RESET = '/usr/lib/sipair/factory-reset';

/** Saved configurations: plain names, in one folder. */
function fileOf(root: string, name: unknown): string | undefined {
  if (typeof name !== 'string' || !/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(name))
    return undefined;
  return join(root, 'data/config/saved', name);
}

const NO_NAME: Json = {
  error: 'file-name',
  text: 'a name of letters, digits, . _ - is expected, without a folder',
};

function writeSaved(root: string, request: Json): Json {
  const path = fileOf(root, request['file']);
  if (path === undefined) return NO_NAME;
  try {
    mkdirSync(join(root, 'data/config/saved'), { recursive: true, mode: 0o700 });
    writeFileSync(path, String(request['text']), { mode: 0o600 });
    return { ok: true, path };
  } catch (e) {
    return { error: 'file-write', text: (e as Error).message };
  }
}

function readSaved(root: string, request: Json): Json {
  const path = fileOf(root, request['file']);
  if (path === undefined) return NO_NAME;
  const read = readText(path);
  return 'fault' in read
    ? { error: 'file-read', text: `${path}: ${read.fault}` }
    : { ok: true, ...read };
}

function run(program: string, args: readonly string[], answer: (value: Json) => void): void {
  let said = '';
  let over = false;
  const end = (value: Json): void => {
    if (over) return;
    over = true;
    clearTimeout(late);
    answer(value);
  };
  const child = spawn(program, [...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const late = setTimeout(() => {
    child.kill('SIGKILL');
    end({ error: 'program-late', text: `${program} ${args.join(' ')} takes too long` });
  }, PROGRAM_MS);
  child.stderr.on('data', (bytes: Buffer) => {
    said = (said + String(bytes)).slice(-500);
  });
  child.on('error', (e) => end({ error: 'program', text: e.message }));
  child.on('close', (code) =>
    end(
      code === 0
        ? { ok: true }
        : { error: 'program', text: said.trim() || `${program}: exit code ${code}` },
    ),
  );
}

/** The password without the agent: the same file, the same count of wrong ones. */
function admin(root: string, request: Json): Json {
  if (request['verb'] !== 'verify') {
    return { error: 'console-command', text: 'a password is changed by sipair-system only' };
  }
  const file = new Admin(placesOf(root).admin, LOCK_RULE, () => Date.now());
  return file.verify(String(request['password']));
}

export function answerSelf(root: string, request: Json, answer: (value: Json) => void): void {
  switch (request['command']) {
    case 'write-file':
      answer(writeSaved(root, request));
      return;
    case 'read-file':
      answer(readSaved(root, request));
      return;
    case 'admin':
      answer(admin(root, request));
      return;
    case 'data-fault':
      answer({ ok: true, text: dataFault(placesOf(root)) });
      return;
    case 'restart-service':
      run('systemctl', ['restart', 'sipair.service'], answer);
      return;
    case 'factory-reset':
      run(FACTORY_RESET, [], answer);
      return;
    case 'reboot':
    case 'poweroff':
      run('systemctl', [request['command']], answer);
      return;
    default:
      answer({ error: 'console-command', text: `nobody knows ${String(request['command'])}` });
  }
}
