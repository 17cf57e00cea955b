/** What the agent does for each request of its socket; the words are those of `panel/system/terms.ts`. */

import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BoxId } from '../../pair/terms.ts';
import { expression, search } from '../../panel/expression.ts';
import type { SystemFault, SystemRequest, Tree } from '../../panel/system/terms.ts';
import { checkTree } from '../../panel/tree/check.ts';
import { log } from '../log.ts';
import { PairSession } from '../pair-command.ts';
import type { Agent, Draft } from './agent.ts';
import { makeFolder, removeFile, writeWhole } from './files.ts';
import { runProgram } from './image.ts';
import { zoneFaults } from './judge.ts';
import type { Caller } from './socket.ts';
import { readStick, writeStick } from './stick.ts';
import { stamp, supportBundle } from './support.ts';

type Json = { readonly [name: string]: unknown };
type Of<C extends SystemRequest['command']> = Extract<SystemRequest, { command: C }>;
type Act = (agent: Agent, request: Json, caller: Caller) => void;

const MOST_LINES = 5000;
const MOST_CONFIRM_MIN = 24 * 60;
/** Longer lines are not looked through by an operator's pattern. */
const LINE_LETTERS = 2000;
/** The answer leaves before the machine goes down, ms. */
const LEAVE_MS = 300;
const BUNDLES_KEPT = 3;
/** In place of a folder. */
const STICK = 'usb:';
const COMMENT_LETTERS = 200;

function fault(error: string, text: string): SystemFault {
  return { error, text };
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What nobody thought of is the end of this answer, and not of the agent. */
function later(caller: Caller, work: Promise<unknown>): void {
  work.catch((e: Error) => {
    log('warning', `a request came to nothing: ${e.message}`);
    caller.say(fault('system-failed', e.message));
  });
}

const NOT_YET = fault('first-boot-first', 'this box does not know yet which of the two it is');

function commit(agent: Agent, request: Omit<Of<'commit'>, 'command'>, caller: Caller): void {
  if (agent.box === undefined) {
    caller.say(NOT_YET);
    return;
  }
  const { base, by, comment, confirmMin = 0 } = request;
  const whole = Number.isInteger(confirmMin) && confirmMin >= 0 && confirmMin <= MOST_CONFIRM_MIN;
  if (!isTree(request.tree) || !Number.isInteger(base) || !whole) {
    caller.say(fault('system-shape', 'a commit has base, tree, by, comment and confirmMin'));
    return;
  }
  const tree = checkTree(request.tree);
  if (Array.isArray(tree)) {
    const text = 'the configuration has faults: nothing was changed';
    caller.say({ ...fault('commit-faults', text), faults: tree });
    return;
  }
  const said = { by: String(by), comment: String(comment ?? '').slice(0, COMMENT_LETTERS) };
  const order = { kind: 'commit', id: 0, base, tree: tree as Tree, ...said, confirmMin } as const;
  agent.ask(order, (value) => caller.say(value));
}

function rollback(agent: Agent, { revision, by }: Of<'rollback'>, caller: Caller): void {
  const entry = agent.store.revision(Number(revision));
  if (entry === undefined) {
    caller.say(fault('revision-none', `there is no revision ${revision}`));
    return;
  }
  const comment = `as revision ${revision}`;
  commit(agent, { base: agent.entry.number, tree: entry.tree, by, comment }, caller);
}

function configuration(agent: Agent, { revision }: Of<'configuration'>, caller: Caller): void {
  const entry = revision === undefined ? agent.entry : agent.store.revision(Number(revision));
  if (entry === undefined) {
    caller.say(fault('revision-none', `there is no revision ${revision}`));
    return;
  }
  const { number, epoch, box, by, at, comment, digest, tree } = entry;
  caller.say({ ok: true, revision: { number, epoch, box, by, at, comment, digest }, tree });
}

function firstBoot(agent: Agent, request: Of<'first-boot'>, caller: Caller): void {
  const { box, own, shared } = request;
  const system = request.system ?? {};
  if ((box !== 'a' && box !== 'b') || !isTree(own) || !isTree(system)) {
    caller.say(fault('system-shape', 'first-boot has box (a or b), own and system'));
    return;
  }
  if (agent.entry.number > 0) {
    caller.say(fault('first-boot-done', 'this box is configured: change it by a commit'));
    return;
  }
  const checked = checkTree({ ...shared, box: { [box]: own }, system });
  const faults = Array.isArray(checked) ? checked : zoneFaults({ system }, agent.places);
  if (faults.length > 0) {
    caller.say({ ...fault('commit-faults', 'there are faults: nothing was kept'), faults });
    return;
  }
  const draft: Draft = { box: box as BoxId, own, system, ...(shared ? { shared } : {}) };
  const wrong = agent.keepDraft(draft);
  if (wrong !== '') {
    caller.say(fault('commit-disk', wrong));
    return;
  }
  agent.sayDraft();
  agent.beginPair();
  const waits = agent.paired ? (shared === undefined ? 'shared' : 'peer') : 'pairing';
  const revision = agent.entry.number;
  caller.say(revision > 0 ? { ok: true, revision } : { ok: true, waits, revision });
}

/** One at a time: two would want the same port. */
let pairing: PairSession | undefined;

function pair(agent: Agent, _request: Json, caller: Caller): void {
  const place = agent.pairPlace();
  if (place === undefined) {
    caller.say(NOT_YET);
    return;
  }
  if (pairing !== undefined) {
    caller.say(fault('pairing-busy', 'another console of this box is pairing'));
    return;
  }
  makeFolder(agent.places.secret, 0o700);
  // an interface that is not there ends it before it is made
  let ended = false;
  const session: PairSession = new PairSession(place, {
    say: (text) => caller.say({ say: text }),
    code: (code) => caller.say({ code }),
    end(text) {
      ended = true;
      pairing = undefined;
      caller.hear = undefined;
      const [, code = 'pairing-failed', why = text] = /^([a-z-]+): (.*)$/s.exec(text) ?? [];
      caller.say(text === '' ? { ok: true } : fault(code, why));
      if (text === '') paired(agent);
    },
  });
  if (ended) return;
  pairing = session;
  caller.hear = (value) => session.answer(String(value['answer']));
  caller.gone(() => {
    if (pairing === session) session.stop();
  });
}

function paired(agent: Agent): void {
  agent.relink();
  if (agent.entry.number > 0 && agent.box !== undefined)
    agent.applier.apply(agent.entry, agent.box);
}

function power(verb: 'reboot' | 'poweroff'): Act {
  return (agent, _request, caller) => {
    caller.say({ ok: true });
    leave(agent, verb);
  };
}

/** The answer goes first: it has no way once units end. */
function leave({ machine }: Agent, verb: 'reboot' | 'poweroff'): void {
  setTimeout(() => {
    void machine.power(verb).then((wrong) => {
      if (wrong !== '') log('alarm', `${verb} came to nothing: ${wrong}`);
    });
  }, LEAVE_MS);
}

/** As it left the factory: nothing is kept, and nothing is said to the peer, which goes on alone. */
function factoryReset(agent: Agent, request: Json, caller: Caller): void {
  if (request['word'] !== 'factory-reset') {
    caller.say(fault('factory-reset-word', 'the word factory-reset is needed'));
    return;
  }
  const { machine, places } = agent;
  const wipe = (): void => {
    agent.close();
    removeFile(places.box);
    for (const folder of [places.config, places.secret, places.state, places.log, places.image]) {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  void machine.reset(wipe).then((wrong) => {
    if (wrong !== '') {
      caller.say(fault('factory-reset-failed', wrong));
      return;
    }
    caller.say({ ok: true });
    leave(agent, 'reboot');
  });
}

async function bundle(agent: Agent, request: Json, caller: Caller): Promise<void> {
  const folder = typeof request['to'] === 'string' ? request['to'] : agent.places.log;
  const at = new Date();
  const name = `sipair-support-${stamp(at)}.tar.gz`;
  const { places, machine } = agent;
  const facts = { places, machine, tree: agent.tree(), state: agent.state() };
  const revisions = agent.store.heads();
  let bytes: Buffer;
  try {
    bytes = await supportBundle({ ...facts, revisions }, at);
  } catch (e) {
    caller.say(fault('support-failed', (e as Error).message));
    return;
  }
  if (folder === STICK) {
    const put = await writeStick(name, bytes, { root: places.root, run: runProgram });
    caller.say('error' in put ? put : { ok: true, ...put, bytes: bytes.length });
    return;
  }
  const path = join(folder, name);
  const wrong = writeWhole(path, bytes);
  if (wrong === '') prune(folder);
  caller.say(wrong === '' ? { ok: true, path, bytes: bytes.length } : fault('support-disk', wrong));
}

/** A configuration that leaves the box, or comes back: nobody can reach its files. */
async function stick(agent: Agent, request: Json, caller: Caller): Promise<void> {
  const { verb, file, text } = request;
  const tools = { root: agent.places.root, run: runProgram };
  let answer: object;
  if (verb === 'write') answer = await writeStick(String(file), String(text), tools);
  else if (verb === 'read') answer = await readStick(String(file), tools);
  else answer = fault('system-shape', 'stick has the verbs write and read');
  caller.say('error' in answer ? answer : { ok: true, ...answer });
}

/** Certificates and prompts. */
async function files(agent: Agent, request: Json, caller: Caller): Promise<void> {
  const { verb, source, file } = request;
  if (verb === 'list') {
    const list = agent.files.list().map((f) => ({ ...f, path: agent.files.pathOf(f.name) }));
    caller.say({ ok: true, files: list });
  } else if (verb === 'install') caller.say(await agent.files.install(String(source)));
  else if (verb === 'delete') caller.say(agent.files.remove(String(file)));
  else caller.say(fault('system-shape', 'files has the verbs list, install and delete'));
}

/** Old bundles would fill the partition of the calls. */
function prune(folder: string): void {
  const all = readdirSync(folder)
    .filter((name) => /^sipair-support-.*\.tar\.gz$/.test(name))
    .sort((a, b) => statSync(join(folder, b)).mtimeMs - statSync(join(folder, a)).mtimeMs);
  for (const name of all.slice(BUNDLES_KEPT)) rmSync(join(folder, name), { force: true });
}

function showLog(agent: Agent, request: Json, caller: Caller): void {
  const lines = Math.min(MOST_LINES, Math.max(1, Number(request['lines']) || 100));
  const match = request['match'];
  const pattern = typeof match === 'string' && match !== '' ? expression(match) : undefined;
  if (typeof pattern === 'string') {
    caller.say(fault('log-match', `${String(match)} is refused: ${pattern}`));
    return;
  }
  const asked = pattern === undefined ? lines : MOST_LINES;
  const work = agent.machine.journal(asked).then((text) => {
    const all = text.split('\n').filter((l) => l !== '');
    if (pattern === undefined) {
      caller.say({ ok: true, lines: all.slice(-lines) });
      return;
    }
    // the last lines are wanted: they are looked at first
    const { lines: fit, unread } = search(all.reverse(), pattern, true, LINE_LETTERS);
    if (fit.length < lines && unread > 0) {
      const text = `${String(match)} takes too long: ${unread} of ${all.length} lines not looked at`;
      caller.say(fault('log-match', text));
    } else caller.say({ ok: true, lines: fit.slice(0, lines).reverse() });
  });
  later(caller, work);
}

function admin(agent: Agent, request: Json, caller: Caller): void {
  const { verb, password, old } = request;
  if (typeof password !== 'string' || (old !== undefined && typeof old !== 'string')) {
    caller.say(fault('system-shape', 'a password is a text'));
    return;
  }
  if (verb === 'verify') caller.say(agent.admin().verify(password));
  else if (verb === 'set') caller.say(agent.admin().set(password, old));
  else if (verb === 'set-peer') later(caller, setAtPeer(agent, password, old, caller));
  else caller.say(fault('system-shape', 'admin has the verbs verify, set and set-peer'));
}

/** For a box whose password nobody knows: who asks proves himself at this one. */
async function setAtPeer(
  agent: Agent,
  password: string,
  own: string | undefined,
  caller: Caller,
): Promise<void> {
  const verdict = agent.admin().verify(own ?? '');
  if ('error' in verdict || !verdict.verified) caller.say(verdict);
  else caller.say((await agent.peerPassword.set(password)) ?? verdict);
}

function check(agent: Agent, { tree }: Of<'check'>, caller: Caller): void {
  if (agent.box === undefined) caller.say(NOT_YET);
  else if (!isTree(tree)) caller.say(fault('system-shape', 'check has a tree'));
  else agent.ask({ kind: 'check', id: 0, tree }, (value) => caller.say(value));
}

const ACTS: { readonly [c in SystemRequest['command']]: Act } = {
  state: (agent, _request, caller) => caller.say(agent.state()),
  configuration: (agent, request, caller) =>
    configuration(agent, request as unknown as Of<'configuration'>, caller),
  revisions(agent, _request, caller) {
    caller.say({ ok: true, revisions: agent.store.heads(), active: agent.entry.number });
  },
  check: (agent, request, caller) => check(agent, request as unknown as Of<'check'>, caller),
  commit: (agent, request, caller) => commit(agent, request as unknown as Of<'commit'>, caller),
  confirm(agent, _request, caller) {
    if (agent.box === undefined) caller.say(NOT_YET);
    else agent.ask({ kind: 'confirm', id: 0 }, (value) => caller.say(value));
  },
  rollback: (agent, request, caller) =>
    rollback(agent, request as unknown as Of<'rollback'>, caller),
  reboot: power('reboot'),
  poweroff: power('poweroff'),
  'factory-reset': factoryReset,
  pair,
  'first-boot': (agent, request, caller) =>
    firstBoot(agent, request as unknown as Of<'first-boot'>, caller),
  image(agent, request, caller) {
    const work = agent.image.request(String(request['verb']), request);
    later(
      caller,
      work.then((value) => caller.say(value)),
    );
  },
  'support-bundle'(agent, request, caller) {
    later(caller, bundle(agent, request, caller));
  },
  files(agent, request, caller) {
    later(caller, files(agent, request, caller));
  },
  stick(agent, request, caller) {
    later(caller, stick(agent, request, caller));
  },
  log: showLog,
  admin,
};

export function answer(agent: Agent, request: Json, caller: Caller): void {
  const command = String(request['command']);
  if (Object.hasOwn(ACTS, command)) {
    ACTS[command as SystemRequest['command']](agent, request, caller);
    return;
  }
  const known = Object.keys(ACTS).join(', ');
  caller.say(fault('system-command', `no such command: ${command}; there are ${known}`));
}
