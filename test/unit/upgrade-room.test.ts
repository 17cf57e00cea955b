/** The upgrade room of an agent on a file system that is damaged, full or not there. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { answersSip } from '../../src/edge/system/answers-sip.ts';
import { placesOf } from '../../src/edge/system/files.ts';
import type { ImageRoom } from '../../src/edge/system/image-room.ts';
import { imageRoom } from '../../src/edge/system/image-upgrade.ts';
import { recordingMachine } from '../../src/edge/system/machine.ts';

type Desk = {
  readonly room: ImageRoom;
  readonly alarms: Map<string, string>;
  readonly path: (name: string) => string;
};

const BYTES = 1e15;
const FETCHING = {
  job: { id: 'j', kind: 'install', version: '2', digest: 'd', bytes: BYTES, alone: false },
  phase: 'fetching',
  oldSlot: 'A',
  newSlot: 'B',
  attempts: 0,
  boot: 'boot-1',
  reason: '',
  steps: [],
};

function desk(t: ExecutionContext, files: { readonly [path: string]: string } = {}): Desk {
  const root = mkdtempSync('/tmp/sipair-room-');
  const path = (name: string): string => join(root, name);
  const put = (name: string, text: string, mode = 0o600): void => {
    mkdirSync(join(path(name), '..'), { recursive: true });
    writeFileSync(path(name), text, { mode });
  };
  put('run/sipair/slot', 'A\n');
  put('proc/sys/kernel/random/boot_id', 'boot-1\n');
  put('usr/lib/sipair/bootenv', '#!/bin/sh\necho "$*" >>"$(dirname "$0")/asked"\n', 0o755);
  for (const [name, text] of Object.entries(files)) put(name, text);
  const alarms = new Map<string, string>();
  const room = imageRoom({
    places: placesOf(root),
    machine: recordingMachine(path('run/sipair/machine-orders')),
    link: () => undefined,
    alarm: (code, _severity, text) => alarms.set(code, text),
    log: () => {},
    configured: () => false,
    askDaemon: () => Promise.resolve({}),
  });
  t.teardown(() => {
    room.close();
    rmSync(root, { recursive: true, force: true });
  });
  return { room, alarms, path };
}

test('a record that is none is set aside, with an alarm', (t) => {
  for (const text of ['null', '{"phase":"ready"}', '{half']) {
    const { room, alarms, path } = desk(t, { 'data/image/upgrade.json': text });
    t.regex(alarms.get('image-failed') ?? '', /damaged/, text);
    t.false(existsSync(path('data/image/upgrade.json')));
    t.is(readFileSync(path('data/image/upgrade.json.bad'), 'utf8'), text);
    t.like(room.state().upgrade, { step: 'idle' });
  }
  t.is(desk(t).alarms.get('image-failed'), undefined, 'none at all is no fault');
});

test('a record that cannot be written: whoever asked is told at once', async (t) => {
  const { room, path } = desk(t);
  mkdirSync(path('data/image/upgrade.json.new'));
  const answer = await room.request('rollback', { force: true });
  t.like(answer, { error: 'image-space' });
});

test('a bundle for which there is no room is not begun, and what is old makes room', (t) => {
  const old = ['data/image/bundle.raucb', 'data/image/incoming.raucb'];
  const { room, path } = desk(t, {
    'data/image/upgrade.json': JSON.stringify(FETCHING),
    ...Object.fromEntries(old.map((name) => [name, 'old'])),
  });
  t.is(room.file({ image: 'other' }, BYTES), undefined);
  t.true(existsSync(path('data/image/bundle.raucb')));
  t.is(room.file({ image: 'j' }, BYTES), undefined);
  for (const name of old) t.false(existsSync(path(name)));
  t.regex(JSON.stringify(room.state().upgrade), /image-space: it has 1000000000 MB/);
});

test('one for which there is room has a place', (t) => {
  const small = { ...FETCHING, job: { ...FETCHING.job, bytes: 10 } };
  const { room, path } = desk(t, { 'data/image/upgrade.json': JSON.stringify(small) });
  t.is(room.file({ image: 'j' }, 10), path('data/image/incoming.raucb'));
});

test('without its data partition no slot is marked good', async (t) => {
  const { room, alarms, path } = desk(t, { 'run/sipair/data-fault': 'it is not there\n' });
  t.regex(alarms.get('image-unproved') ?? '', /slot A is not marked good .*it is not there/);
  t.like(await room.request('confirm', {}), {
    error: 'image-slot',
    text: 'image-data: it is not there',
  });
  const asked = existsSync(path('usr/lib/sipair/asked'))
    ? readFileSync(path('usr/lib/sipair/asked'), 'utf8')
    : '';
  t.false(asked.includes('good'));
});

test('an address to which there is no way: nobody answers there', async (t) => {
  // connect(2) refuses it: no broadcast was asked for
  t.false(await answersSip('255.255.255.255', 5060));
});
