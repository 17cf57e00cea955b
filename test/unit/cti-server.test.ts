/**
 * The server of the programs on the loopback, with real sockets: credentials, liveness, bounds, pages,
 * and the hostile. What the engine would say is said by hand.
 */

import { scryptSync } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { LIMITS } from '../../src/base/limits.ts';
import { connect } from '../../src/client/index.ts';
import { CLOSE } from '../../src/cti/hub.ts';
import { item, type ProgramInput, resultText } from '../../src/cti/terms.ts';
import { ownIdentity } from '../../src/edge/certificate.ts';
import { Auth } from '../../src/edge/cti-auth.ts';
import { Rates } from '../../src/edge/cti-rates.ts';
import { CtiServer } from '../../src/edge/cti-server.ts';
import { programConfig } from './cti-lab.ts';

let nextPort = 10_000 + (process.pid % 10_000);

/** A server whose engine starts sessions, and answers the rest with its own method. */
class Bed {
  readonly port = nextPort++;
  readonly asked: ProgramInput[] = [];
  readonly logs: string[] = [];
  lease = true;
  answers = true;
  readonly server: CtiServer;

  constructor(
    given: { periodMs?: number; misses?: number; rate?: number; burst?: number } = {},
    primary = true,
  ) {
    const { periodMs = 2000, misses = 5, rate = 100_000, burst = 100_000 } = given;
    this.server = new CtiServer(
      {
        box: 'a',
        address: '127.0.0.1',
        peerAddress: '127.0.0.2',
        cti: { enabled: true, port: this.port, tlsPort: 0, periodMs, misses },
        programs: [programConfig('desk', { rate, burst })],
        release: 'sipair test',
        identity: undefined,
        firstConn: 0,
      },
      {
        ask: (request) => this.engine(request),
        log: (line) => this.logs.push(line.text),
        mayAnswer: () => this.lease,
        standing: () => ({ epoch: 3, lsn: 77, inStep: true, pairNow: 5 }),
      },
    );
    if (primary) this.server.role(true);
  }

  private engine(r: ProgramInput): void {
    this.asked.push(r);
    if (!this.answers || r.id === '') return;
    setImmediate(() => {
      if (r.method === 'startSession') {
        const head = {
          kind: 'attach',
          conn: r.conn,
          session: r.conn,
          since: 0,
          position: 0,
        } as const;
        this.server.said([
          item(head),
          item({
            kind: 'monitor',
            session: r.conn,
            ref: 1,
            subject: '*',
            of: 'all',
            filter: '',
            since: 0,
          }),
        ]);
      }
      const result =
        r.method === 'startSession'
          ? { session: `${r.conn}.w`, role: 'primary', position: 0 }
          : { method: r.method };
      this.server.said([item({ kind: 'reply', conn: r.conn }, resultText(r.id, result))]);
    });
  }

  /** An event to all who watch, of `bytes`. */
  event(id: number, bytes = 0): void {
    const head = {
      kind: 'event',
      id,
      event: 'callInformation',
      ccall: 0,
      devices: ['1001'],
      session: 0,
      request: '',
    } as const;
    const body = `{"id":${id},"time":1,"event":"callInformation","pad":"${'x'.repeat(bytes)}"}`;
    this.server.said([item(head, body)]);
  }
}

function bedOf(t: ExecutionContext, ...given: ConstructorParameters<typeof Bed>): Bed {
  const bed = new Bed(...given);
  t.teardown(() => bed.server.close());
  return bed;
}

type Frame = {
  method?: string;
  id?: unknown;
  params?: { role?: string };
  result?: { role?: string };
  error?: { data: { code: string } };
};

class Speaker {
  readonly web: WebSocket;
  readonly frames: Frame[] = [];
  code = 0;
  readonly opened: Promise<void>;

  constructor(port: number, options: object = {}) {
    this.web = new WebSocket(`ws://127.0.0.1:${port}/`, options);
    this.web.on('message', (data) => this.frames.push(JSON.parse(String(data))));
    this.web.on('close', (code) => {
      this.code = code;
    });
    this.web.on('error', () => {
      if (this.code === 0) this.code = -1;
    });
    this.opened = new Promise((resolve, reject) => {
      this.web.once('open', () => resolve());
      this.web.once('error', reject);
    });
    // who does not wait for it looks at the code
    this.opened.catch(() => {});
  }

  send(method: string, params: object = {}, id: number | string = 1): void {
    this.web.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  }

  login(password = 'secret'): void {
    this.send('startSession', { program: 'desk', password }, 'login');
  }

  answer(id: unknown): Frame | undefined {
    return this.frames.find((f) => f.id === id);
  }
}

async function until(what: () => boolean, why: string): Promise<void> {
  const end = performance.now() + 15_000;
  while (!what()) {
    if (performance.now() > end) throw new Error(`never: ${why}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function loggedIn(bed: Bed): Promise<Speaker> {
  const speaker = new Speaker(bed.port);
  await speaker.opened;
  speaker.login();
  await until(() => speaker.answer('login') !== undefined, 'a session');
  return speaker;
}

test('hello first; a session; requests and events; the credentials go no further', async (t) => {
  const bed = bedOf(t);
  const desk = await loggedIn(bed);
  t.deepEqual(desk.frames[0], {
    jsonrpc: '2.0',
    method: 'hello',
    params: {
      box: 'a',
      role: 'primary',
      epoch: 3,
      position: 77,
      inStep: true,
      time: 5000,
      release: 'sipair test',
      liveness: { periodMs: 2000, misses: 5 },
    },
  } as never);
  t.deepEqual(bed.asked[0]?.params, {});
  desk.send('getDevices', {}, 7);
  await until(() => desk.answer(7) !== undefined, 'an answer');
  bed.event(5);
  await until(() => desk.frames.at(-1)?.method === 'event', 'an event');
  t.deepEqual(desk.frames.at(-1)?.params, {
    id: 5,
    time: 1,
    event: 'callInformation',
    pad: '',
    monitors: [1],
  } as never);
});

test('a wrong password is told, and who guesses waits; who proved himself does not', async (t) => {
  const bed = bedOf(t);
  const desk = await loggedIn(bed);
  for (let i = 0; i < LIMITS.ctiGuesses + 2; i += 1) {
    const thief = new Speaker(bed.port);
    await thief.opened;
    thief.login(`guess ${i}`);
    await until(() => thief.code !== 0, 'the end of a guess');
    t.is(thief.code, CLOSE.badPassword);
    t.is(
      thief.answer('login')?.error?.data.code,
      i < LIMITS.ctiGuesses ? 'invalidPassword' : 'limitReached',
    );
  }
  const again = await loggedIn(bed);
  t.is(again.answer('login')?.error, undefined);
  t.true(desk.web.readyState === desk.web.OPEN);
  t.true(bed.logs.some((text) => text.includes('password is wrong')));
});

test('a password by scrypt; a hash that means nothing is nobody\u2019s', async (t) => {
  const salt = Buffer.from('salt');
  const hash = scryptSync('right', salt, 32, { N: 1024, r: 8, p: 1 }).toString('base64');
  const auth = new Auth(
    [
      programConfig('good', { password: `scrypt:1024:8:1:${salt.toString('base64')}:${hash}` }),
      programConfig('bad', { password: 'scrypt:0:x:y::' }),
    ],
    () => 0,
  );
  const prove = (name: string, password: string): Promise<string> =>
    new Promise((resolve) => auth.prove('192.0.2.1', name, password, resolve));
  t.is(await prove('good', 'right'), 'yes');
  t.is(await prove('good', 'wrong'), 'no');
  t.is(await prove('bad', ''), 'no');
  t.is(await prove('nobody', 'x'), 'no');
  t.is(await prove('constructor', 'x'), 'no');
  t.is(await prove('nobody', 'x'), 'no');
  t.is(await prove('good', 'right2'), 'wait');
  // remembered, whatever others guess from there
  t.is(await prove('good', 'right'), 'yes');
});

test('guesses come back one by one', (t) => {
  let now = 0;
  const auth = new Auth([programConfig('desk')], () => now);
  const guess = (): string => {
    let verdict = '';
    auth.prove('s', 'desk', 'wrong', (v) => {
      verdict = v;
    });
    return verdict;
  };
  for (let i = 0; i < LIMITS.ctiGuesses; i += 1) t.is(guess(), 'no');
  t.is(guess(), 'wait');
  now += LIMITS.ctiGuessMs;
  t.is(guess(), 'no');
  t.is(guess(), 'wait');
  now += LIMITS.ctiGuessMs * 100;
  for (let i = 0; i < LIMITS.ctiGuesses; i += 1) t.is(guess(), 'no');
  t.is(guess(), 'wait');
});

test('a program asks so often and no oftener; its signs of life are free', async (t) => {
  let now = 0;
  const rates = new Rates(() => now);
  const p = programConfig('p', { rate: 10, burst: 3 });
  t.deepEqual(
    [1, 2, 3, 4].map(() => rates.takes(p)),
    [true, true, true, false],
  );
  now += 200;
  t.deepEqual(
    [1, 2, 3].map(() => rates.takes(p)),
    [true, true, false],
  );
  now += 10_000;
  t.true(rates.takes(p, 5), 'more than all there is, of a full measure');
  now += 400;
  t.deepEqual([rates.takes(p, 3), rates.takes(p), rates.takes(p, 1)], [false, true, true]);
  const bed = bedOf(t, { rate: 1, burst: 2 });
  const desk = await loggedIn(bed);
  for (let i = 0; i < 4; i += 1) desk.send('getDevices', {}, `r${i}`);
  for (let i = 0; i < 20; i += 1) desk.send('ping', {}, `p${i}`);
  await until(() => desk.answer('p19') !== undefined, 'all answers');
  await until(() => desk.answer('r3') !== undefined, 'all answers');
  const refused = [0, 1, 2, 3].filter((i) => desk.answer(`r${i}`)?.error !== undefined);
  t.deepEqual(refused, [2, 3]);
});

test('what is not counted as a request is no way around the rate', async (t) => {
  const bed = bedOf(t);
  const desk = await loggedIn(bed);
  const before = bed.asked.length;
  const ack = { jsonrpc: '2.0', method: 'ack', params: { upTo: 1 } };
  for (let i = 0; i < 5 * LIMITS.ctiManaged; i += 1) desk.web.send(JSON.stringify(ack));
  // some, not all: a slow machine is given some back meanwhile
  const last = Array.from({ length: LIMITS.ctiManaged }, (_, i) => `last${i}`);
  for (const id of last) desk.send('ack', {}, id);
  await until(() => last.every((id) => desk.answer(id) !== undefined), 'answers');
  t.true(last.some((id) => desk.answer(id)?.error?.data.code === 'limitReached'));
  t.true(bed.asked.length - before < 4 * LIMITS.ctiManaged);
  const more = Array.from({ length: 3 * LIMITS.ctiManaged }, (_, i) => `more${i}`);
  for (const id of more) desk.send('startSession', { program: 'desk', password: 'secret' }, id);
  await until(() => more.every((id) => desk.answer(id) !== undefined), 'answers');
  t.true(more.some((id) => desk.answer(id)?.error?.data.code === 'limitReached'));
});

test('a backup says what it is, looks at credentials, and serves nobody', async (t) => {
  const bed = bedOf(t, {}, false);
  const desk = new Speaker(bed.port);
  await desk.opened;
  desk.login();
  await until(() => desk.answer('login') !== undefined, 'an answer');
  t.is(desk.answer('login')?.error?.data.code, 'notPrimary');
  desk.send('getSystemStatus', {}, 2);
  await until(() => desk.answer(2) !== undefined, 'a status');
  t.is(desk.answer(2)?.result?.role, 'backup');
  bed.server.role(true);
  await until(() => desk.frames.some((f) => f.method === 'systemStatus'), 'news of the role');
  t.deepEqual(bed.asked, []);
  desk.send('startSession', { program: 'desk', password: 'secret' }, 3);
  await until(() => desk.answer(3)?.result !== undefined, 'a session');
});

test('without the lease nothing is said, and sessions begin anew from what they saw', async (t) => {
  const bed = bedOf(t);
  const desk = await loggedIn(bed);
  bed.lease = false;
  bed.event(9);
  await until(() => desk.code !== 0, 'the end of the connection');
  t.is(desk.code, CLOSE.voiceLost);
  t.false(desk.frames.some((f) => f.method === 'event'));
  t.true(bed.asked.some((r) => r.method === 'gone'));
  const late = new Speaker(bed.port);
  await until(() => late.frames.length > 0, 'hello');
  t.is(late.frames[0]?.params?.role, 'backup');
});

test('signs of life both ways: who is silent is ended, who answers is not', async (t) => {
  const bed = bedOf(t, { periodMs: 500, misses: 8 });
  const deaf = new Speaker(bed.port, { autoPong: false });
  await deaf.opened;
  deaf.login();
  const desk = await loggedIn(bed);
  let pings = 0;
  desk.web.on('ping', () => {
    pings += 1;
  });
  await until(() => deaf.code !== 0, 'the end of a silent one');
  t.is(deaf.code, CLOSE.silent);
  await until(() => pings > 2, 'signs of life');
  t.is(desk.web.readyState, desk.web.OPEN);
});

test('who never reads is closed, and nobody else waits for him', async (t) => {
  const bed = bedOf(t);
  const desk = await loggedIn(bed);
  const slow = await loggedIn(bed);
  slow.web.pause();
  let id = 0;
  let heard = 0;
  desk.web.on('message', () => {
    heard += 1;
  });
  await until(() => {
    for (let i = 0; i < 10; i += 1) {
      id += 1;
      bed.event(id, 20_000);
    }
    return bed.logs.some((text) => text.includes('reads too slowly'));
  }, 'the end of the slow one');
  await until(() => heard >= id, 'all events');
  t.is(desk.web.readyState, desk.web.OPEN);
  slow.web.resume();
  await until(() => slow.code !== 0, 'his end');
});

test('garbage, huge frames and floods of it end who sends them', async (t) => {
  const bed = bedOf(t);
  const desk = await loggedIn(bed);
  const babbler = new Speaker(bed.port);
  await babbler.opened;
  for (let i = 0; i < LIMITS.ctiFaultsUnproven + 5; i += 1) babbler.web.send(`{{{${i}`);
  await until(() => babbler.code !== 0, 'the end of the babbler');
  t.is(babbler.code, CLOSE.tooMany);
  const huge = new Speaker(bed.port);
  await huge.opened;
  huge.web.send('x'.repeat(LIMITS.ctiFrameBytes + 1));
  await until(() => huge.code !== 0, 'the end of the huge one');
  t.is(huge.code, 1009);
  // bytes that are no frame at all, and a handshake that never ends
  const raw: Socket[] = [];
  for (const text of ['\x00\xff\x00'.repeat(1000), 'GET / HTTP/1.1\r\nHost: x\r\n', '']) {
    const socket = connectTcp(bed.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(text);
    raw.push(socket);
  }
  const upgraded = connectTcp(bed.port, '127.0.0.1');
  upgraded.on('error', () => {});
  upgraded.write(
    'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  await new Promise((resolve) => upgraded.once('data', resolve));
  const ended = new Promise((resolve) => upgraded.once('close', resolve));
  upgraded.write(Buffer.from('ffffffffffffffffffffffffffff', 'hex'));
  await ended;
  desk.send('getDevices', {}, 'still');
  await until(() => desk.answer('still') !== undefined, 'an answer beside all that');
  for (const socket of raw) socket.destroy();
  t.pass();
});

test('connections that say nothing are bounded, and take no place from a program', async (t) => {
  const bed = bedOf(t);
  const desk = await loggedIn(bed);
  const silent = Array.from({ length: LIMITS.ctiUnproven + 50 }, () => {
    const socket = connectTcp(bed.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    return socket;
  });
  await until(() => silent.some((s) => s.destroyed || s.readableEnded), 'a bound');
  desk.send('getDevices', {}, 'still');
  await until(() => desk.answer('still') !== undefined, 'an answer');
  for (const socket of silent) socket.destroy();
  await until(() => bed.logs.some((text) => text.includes('say nothing')), 'a word of it');
  // their end is noticed in a moment
  let next = new Speaker(bed.port);
  await until(() => {
    if (next.code !== 0) next = new Speaker(bed.port);
    return next.web.readyState === next.web.OPEN;
  }, 'a place again');
  next.login();
  await until(() => next.answer('login')?.result !== undefined, 'a session');
  t.is(next.code, 0);
});

test('what is said while the password is looked at is done after it, in order', async (t) => {
  const bed = bedOf(t);
  const desk = new Speaker(bed.port);
  await desk.opened;
  desk.login();
  desk.send('ping', {}, 'p');
  await until(() => desk.answer('p') !== undefined, 'both answers');
  await until(() => desk.answer('login') !== undefined, 'both answers');
  t.pass();
});

test('pages: the document, the client for browsers; nothing outside', async (t) => {
  const bed = bedOf(t);
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${bed.port}${path}`);
  const document = (await (await get('/openrpc.json')).json()) as { methods: { name: string }[] };
  t.true(document.methods.some((m) => m.name === 'makeCall'));
  const client = await get('/client/core.ts');
  t.true(client.headers.get('content-type')?.startsWith('text/javascript'));
  t.notRegex(await client.text(), /readonly/);
  for (const path of ['/', '/client/', '/client/../edge/box.ts', '/client/%2e%2e/main.ts', '/x']) {
    t.true((await get(path)).status >= 400, path);
  }
});

test('inside TLS, with a certificate for the own addresses of both boxes', async (t) => {
  const identity = ownIdentity(new Uint8Array(32).fill(7), ['127.0.0.1']);
  const port = nextPort++;
  const server = new CtiServer(
    {
      box: 'a',
      address: '127.0.0.1',
      peerAddress: '127.0.0.2',
      cti: { enabled: true, port: 0, tlsPort: port, periodMs: 1000, misses: 3 },
      programs: [],
      release: 'sipair test',
      identity,
      firstConn: 0,
    },
    {
      ask: () => {},
      log: () => {},
      mayAnswer: () => true,
      standing: () => ({ epoch: 1, lsn: 1, inStep: true, pairNow: 5 }),
    },
  );
  t.teardown(() => server.close());
  const trusted = new WebSocket(`wss://127.0.0.1:${port}/`, { ca: identity.certificate });
  const hello = await new Promise<string>((resolve, reject) => {
    trusted.once('message', (data) => resolve(String(data)));
    trusted.once('error', reject);
  });
  t.is(JSON.parse(hello).method, 'hello');
  trusted.close();
  const stranger = new WebSocket(`wss://127.0.0.1:${port}/`);
  const why = await new Promise<string>((resolve) => {
    stranger.once('error', (e) => resolve((e as NodeJS.ErrnoException).code ?? ''));
    stranger.once('open', () => resolve('trusted'));
  });
  t.regex(why, /SELF_SIGNED/);
});

test('the wallboard: strict about what it loads and whom it connects to', async (t) => {
  const bed = bedOf(t);
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${bed.port}${path}`);
  const boxes = ['127.0.0.1', '127.0.0.2'].map((ip) => `ws://${ip}:${bed.port}`);
  const told = (await (await get('/wallboard.json')).json()) as { boxes: object[] };
  t.deepEqual(told.boxes, [
    { box: 'a', url: `${boxes[0]}/` },
    { box: 'b', url: `${boxes[1]}/` },
  ]);
  const page = await get('/wallboard');
  const policy = page.headers.get('content-security-policy') ?? '';
  t.notRegex(policy, /unsafe|\*/);
  t.true(policy.includes(`connect-src 'self' ${boxes.join(' ')};`), policy);
  const text = await page.text();
  t.notRegex(text, /<script>|style=|onclick|https?:/);
  // all it loads is there
  for (const [, path = ''] of text.matchAll(/(?:src|href)="([^"]+)"/g)) {
    t.is((await get(path)).status, 200, path);
  }
  for (const name of ['board', 'draw', 'wallboard']) {
    const script = await get(`/wallboard/${name}.ts`);
    t.true(script.headers.get('content-type')?.startsWith('text/javascript'), name);
  }
});

test('the client library over real sockets', async (t) => {
  const bed = bedOf(t);
  const spare = bedOf(t, {}, false);
  const boxes = [`127.0.0.1:${spare.port}`, `127.0.0.1:${bed.port}`];
  const client = await connect({ boxes, program: 'desk', password: 'secret' });
  const events: number[] = [];
  client.on('event', (event) => events.push(event.id));
  t.deepEqual(await client.call('getDevices', {}), { method: 'getDevices' } as never);
  bed.event(4);
  await until(() => events.length === 1, 'an event');
  await client.close();
  const wrong = connect({ boxes, program: 'desk', password: 'no' });
  await t.throwsAsync(wrong, { message: /password/ });
});
