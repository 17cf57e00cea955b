/**
 * The AgentX session before a master that is ours: what the package net-snmp does not do by itself, and
 * what a real snmpd does too seldom for a test.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { AgentxSession } from '../../src/edge/monitor/agentx-session.ts';
import {
  counter64,
  Instances,
  integer,
  type Oid,
  octets,
  oidOf,
  type Varbind,
} from '../../src/panel/mib/values.ts';

const TYPE = {
  open: 1,
  register: 3,
  get: 5,
  next: 6,
  bulk: 7,
  test: 8,
  notify: 12,
  ping: 13,
  response: 18,
};
const ROOT: Oid = [1, 3, 6, 1, 4, 1, 9];

type Heard = { readonly type: number; readonly packet: number; readonly body: Buffer };

function u32(n: number): Buffer {
  const b = Buffer.alloc(4);
  b.writeUInt32BE(n);
  return b;
}

/** RFC 2741 5.1, without the prefix that shortens it. */
function oidBytes(oid: Oid, include = false): Buffer {
  return Buffer.concat([Buffer.of(oid.length, 0, include ? 1 : 0, 0), ...oid.map(u32)]);
}

function message(type: number, packet: number, body: Buffer): Buffer {
  const head = Buffer.of(1, type, 0x10, 0);
  return Buffer.concat([head, u32(7), u32(1), u32(packet), u32(body.length), body]);
}

function rangeOf(start: Oid, end: Oid, include = false): Buffer {
  return Buffer.concat([oidBytes(start, include), oidBytes(end)]);
}

/** Names and raw values of an answer. */
function varbindsOf(body: Buffer): { oid: string; type: number; value: Buffer }[] {
  const out: { oid: string; type: number; value: Buffer }[] = [];
  let at = 8;
  while (at < body.length) {
    const type = body.readUInt16BE(at);
    const [length, prefix] = [body[at + 4] as number, body[at + 5] as number];
    const numbers = prefix === 0 ? [] : [1, 3, 6, 1, prefix];
    at += 8;
    for (let i = 0; i < length; i++, at += 4) numbers.push(body.readUInt32BE(at));
    let size = 0;
    if (type === 2) size = 4;
    else if (type === 70) size = 8;
    else if (type === 4) size = 4 + Math.ceil(body.readUInt32BE(at) / 4) * 4;
    out.push({ oid: numbers.join('.'), type, value: body.subarray(at, at + size) });
    at += size;
  }
  return out;
}

class Master {
  readonly path: string;
  readonly heard: Heard[] = [];
  sockets: Socket[] = [];
  silent = false;
  /** What is taken and never answered. */
  deafTo = 0;
  private readonly server: Server;
  private waiters: (() => void)[] = [];
  sessions = 0;

  constructor(t: ExecutionContext) {
    const folder = mkdtempSync(join(tmpdir(), 'sipair-agentx-'));
    this.path = join(folder, 's');
    this.server = createServer((socket) => this.serve(socket));
    this.server.listen(this.path);
    t.teardown(() => {
      for (const socket of this.sockets) socket.destroy();
      this.server.close();
      rmSync(folder, { recursive: true, force: true });
    });
  }

  private serve(socket: Socket): void {
    this.sockets.push(socket);
    let pending = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (piece) => {
      pending = Buffer.concat([pending, piece]);
      while (pending.length >= 20 && pending.length >= 20 + pending.readUInt32BE(16)) {
        const end = 20 + pending.readUInt32BE(16);
        const [type, packet] = [pending[1] as number, pending.readUInt32BE(12)];
        this.heard.push({ type, packet, body: Buffer.from(pending.subarray(20, end)) });
        pending = pending.subarray(end);
        if (type === TYPE.open) this.sessions += 1;
        if (type !== TYPE.response && type !== this.deafTo && !this.silent) {
          socket.write(message(TYPE.response, packet, Buffer.concat([u32(4200), u32(0)])));
        }
      }
      for (const wake of this.waiters.splice(0)) wake();
    });
  }

  async until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise<void>((done) => this.waiters.push(done));
    }
  }

  registered(): Promise<Heard> {
    return this.until(() => this.heard.find((h) => h.type === TYPE.register));
  }

  answer(packet: number): Promise<Heard> {
    return this.until(() =>
      this.heard.find((h) => h.type === TYPE.response && h.packet === packet),
    );
  }

  get socket(): Socket {
    return this.sockets.at(-1) as Socket;
  }
}

const LIST: readonly Varbind[] = [
  { oid: [...ROOT, 1, 0], value: integer(-5) },
  { oid: [...ROOT, 2, 1], value: octets(Uint8Array.of(0xc0, 0, 2, 0xff, 0x80)) },
  { oid: [...ROOT, 2, 2], value: counter64(2 ** 40) },
  { oid: [...ROOT, 3, 0], value: integer(7) },
];

function sessionOf(
  t: ExecutionContext,
  master: Master,
  pingMs = 10_000,
  logs: string[] = [],
): AgentxSession {
  const session = new AgentxSession({
    master: master.path,
    regions: [ROOT],
    instances: () => new Instances(LIST),
    begun: (upTime) => t.is(upTime, 4200),
    log: (_level, text) => logs.push(text),
    pingMs,
  });
  t.teardown(() => session.close());
  return session;
}

const END: Oid = [...ROOT.slice(0, -1), 10];

test('pieces of messages, and several in one piece, are what they were', async (t) => {
  const master = new Master(t);
  sessionOf(t, master);
  await master.registered();
  const get = message(TYPE.get, 900, rangeOf([...ROOT, 1, 0], []));
  const next = message(TYPE.next, 901, rangeOf(ROOT, END));
  const both = Buffer.concat([get, next]);
  master.socket.write(both.subarray(0, 7));
  await new Promise((done) => setTimeout(done, 20));
  master.socket.write(both.subarray(7));
  const [got] = varbindsOf((await master.answer(900)).body);
  t.is(got?.value.readInt32BE(0), -5);
  t.is(
    varbindsOf((await master.answer(901)).body)[0]?.oid,
    oidOf([...ROOT, 1, 0].join('.')).join('.'),
  );
});

test('octets that are no text arrive as they are, and 64 bits', async (t) => {
  const master = new Master(t);
  sessionOf(t, master);
  await master.registered();
  const ranges = [rangeOf([...ROOT, 2, 1], []), rangeOf([...ROOT, 2, 2], [])];
  master.socket.write(message(TYPE.get, 900, Buffer.concat(ranges)));
  const [bytes, wide] = varbindsOf((await master.answer(900)).body);
  t.deepEqual([...(bytes?.value ?? [])], [0, 0, 0, 5, 0xc0, 0, 2, 0xff, 0x80, 0, 0, 0]);
  t.is(wide?.value.readBigUInt64BE(0), 2n ** 40n);
});

test('what comes after keeps to its range, and may be the start itself', async (t) => {
  const master = new Master(t);
  sessionOf(t, master);
  await master.registered();
  const asks = [
    rangeOf([...ROOT, 2, 2], [...ROOT, 3]),
    rangeOf([...ROOT, 2, 2], [...ROOT, 3], true),
    rangeOf([...ROOT, 2, 2], END),
  ];
  master.socket.write(message(TYPE.next, 900, Buffer.concat(asks)));
  const found = varbindsOf((await master.answer(900)).body);
  t.deepEqual(
    found.map((v) => v.type),
    [130, 70, 2],
  );
});

test('GETBULK: the first once, the others again and again, to the end of the view', async (t) => {
  const master = new Master(t);
  sessionOf(t, master);
  await master.registered();
  const counts = Buffer.of(0, 1, 0, 10);
  const asks = [rangeOf(ROOT, END), rangeOf([...ROOT, 2], END), rangeOf([...ROOT, 3], END)];
  master.socket.write(message(TYPE.bulk, 900, Buffer.concat([counts, ...asks])));
  const found = varbindsOf((await master.answer(900)).body).map(
    (v) => `${v.oid.slice(14)} ${v.type}`,
  );
  const tail = ['3.0 130', '3.0 130'];
  t.deepEqual(found, ['1.0 2', '2.1 4', '3.0 2', '2.2 70', '3.0 130', '3.0 2', '3.0 130', ...tail]);
});

test('nothing can be written', async (t) => {
  const master = new Master(t);
  sessionOf(t, master);
  await master.registered();
  const varbind = Buffer.concat([Buffer.of(0, 2, 0, 0), oidBytes([...ROOT, 1, 0]), u32(1)]);
  master.socket.write(message(TYPE.test, 900, varbind));
  t.is((await master.answer(900)).body.readUInt16BE(4), 17);
});

test('what is told while no master is there is told when one is, the oldest lost first', async (t) => {
  const master = new Master(t);
  const session = sessionOf(t, master);
  for (let i = 0; i < 120; i++) {
    session.notify([...ROOT, 0, i + 1], [{ oid: [...ROOT, 1, 0], value: integer(i) }]);
  }
  const told = await master.until(() => {
    const found = master.heard.filter((h) => h.type === TYPE.notify);
    return found.length === 100 ? found : undefined;
  });
  t.is(told[0]?.body.readInt32BE(told[0].body.length - 4), 20);
  t.is(told[99]?.body.readInt32BE((told[99]?.body.length ?? 0) - 4), 119);
});

/** The numbers of the notifications that came, in their order. */
function numbersIn(master: Master): number[] {
  const told = master.heard.filter((h) => h.type === TYPE.notify);
  return told.map(({ body }) => body.readInt32BE(body.length - 4));
}

async function turned(session: AgentxSession, up: boolean): Promise<void> {
  for (let i = 0; session.up !== up; i += 1) {
    if (i > 2000) throw new Error(`waited in vain for a session that is ${up ? 'up' : 'over'}`);
    await new Promise((r) => setTimeout(r, 10));
  }
}

function tellOf(session: AgentxSession, n: number): void {
  session.notify([...ROOT, 0, n + 1], [{ oid: [...ROOT, 1, 0], value: integer(n) }]);
}

test('what a master took and did not answer before it ended is told to the next one, in order', async (t) => {
  const master = new Master(t);
  const session = sessionOf(t, master);
  await turned(session, true);
  master.deafTo = TYPE.notify;
  for (const n of [1, 2, 3]) tellOf(session, n);
  await master.until(() => (numbersIn(master).length === 3 ? true : undefined));
  master.deafTo = 0;
  master.socket.destroy();
  await turned(session, false);
  tellOf(session, 4);
  await master.until(() => (numbersIn(master).length >= 7 ? true : undefined));
  t.deepEqual(numbersIn(master), [1, 2, 3, 1, 2, 3, 4]);
});

test('what waits for answers is bounded, and what goes is counted; none is told for ever', async (t) => {
  const master = new Master(t);
  const logs: string[] = [];
  const session = sessionOf(t, master, 10_000, logs);
  await turned(session, true);
  master.deafTo = TYPE.notify;
  for (let n = 0; n < 130; n += 1) tellOf(session, n);
  await master.until(() => (numbersIn(master).length === 100 ? true : undefined));
  master.socket.destroy();
  await master.until(() => (numbersIn(master).length === 200 ? true : undefined));
  t.deepEqual(
    numbersIn(master).slice(100),
    Array.from({ length: 100 }, (_, i) => i + 30),
  );
  t.true(logs.includes('snmp: 30 notifications were lost while snmpd was away'), logs.join('\n'));
  // the third time for some, and the last
  master.socket.destroy();
  await master.until(() => (numbersIn(master).length === 300 ? true : undefined));
  master.socket.destroy();
  await master.until(() => (numbersIn(master).length === 330 ? true : undefined));
  t.deepEqual(
    numbersIn(master).slice(300),
    Array.from({ length: 30 }, (_, i) => i + 100),
  );
  t.true(logs.includes('snmp: 70 notifications were lost while snmpd was away'), logs.join('\n'));
});

test('a master that hangs, or goes, is left for the next one', async (t) => {
  const master = new Master(t);
  sessionOf(t, master, 50);
  await master.registered();
  master.silent = true;
  await master.until(() => (master.sessions >= 2 ? true : undefined));
  master.silent = false;
  await master.until(() => (master.sessions >= 3 ? true : undefined));
  const before = master.sessions;
  master.socket.destroy();
  await master.until(() => (master.sessions > before ? true : undefined));
  t.pass();
});

test('who does not speak AgentX is left', async (t) => {
  const master = new Master(t);
  sessionOf(t, master);
  await master.registered();
  master.socket.write(Buffer.alloc(40, 0xff));
  await master.until(() => (master.sessions >= 2 ? true : undefined));
  t.pass();
});
