/**
 * Programs and phones in one process on the host `lan`, so that one clock sees a phone's message leave
 * and the event come. Arguments: what to measure, and how long. Says one line of JSON.
 */

import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '../../src/client/index.ts';
import { LAN_ADDRESS, SIP_PORT, VIP } from '../lab/places.ts';
import { RawPhone } from '../real/client/raw-phone.ts';

const boxes = [LAN_ADDRESS.a, LAN_ADDRESS.b];
const login = { boxes, program: 'lab', password: 'lab' };

type Spread = {
  readonly n: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
};

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number): number =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0) * 100) /
    100;
  return { n: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

async function phone(number: number): Promise<RawPhone> {
  const socket = createSocket('udp4');
  const port = 10_000 + number;
  await new Promise<void>((done) => socket.bind(port, '192.0.2.60', done));
  const made = new RawPhone(number, '192.0.2.60', port, (text) => {
    socket.send(Buffer.from(text, 'latin1'), SIP_PORT, VIP);
  });
  socket.on('message', (bytes) => made.got(bytes.toString('latin1')));
  await made.register();
  return made;
}

/** When a message of a phone left, by the event it leads to. */
type Marks = Map<string, number>;

/** A call; `marks` notes when each message left. */
async function call(alice: RawPhone, bob: RawPhone, marks: Marks): Promise<void> {
  const invite = alice.invite(bob.number);
  marks.set('originated', performance.now());
  alice.send(invite.text);
  const rings = await bob.next('INVITE');
  marks.set('delivered', performance.now());
  bob.send(bob.answer(rings, 180, 'Ringing'));
  await alice.next('180');
  marks.set('established', performance.now());
  bob.send(bob.answer(rings, 200, 'OK'));
  const ok = await alice.next('200');
  alice.send(alice.ack(invite, ok));
  await bob.next('ACK');
  marks.set('connectionCleared', performance.now());
  alice.send(alice.bye(invite, ok));
  bob.send(bob.answer(await bob.next('BYE'), 200, 'OK'));
  await alice.next('200');
}

/** Latency of events at `programs` programs that each watch everything. */
async function latency(programs: number, seconds: number): Promise<object> {
  const clients: Client[] = [];
  for (let i = 0; i < programs; i += 1) clients.push(await connect(login));
  for (const client of clients) await client.call('monitorStart', { all: true });
  const marks: Marks = new Map();
  const values: number[] = [];
  let events = 0;
  for (const client of clients) {
    client.on('event', ({ event }) => {
      events += 1;
      const at = marks.get(event);
      if (at !== undefined) values.push(performance.now() - at);
    });
  }
  const alice = await phone(1201);
  const bob = await phone(1202);
  const from = performance.now();
  let calls = 0;
  while (performance.now() - from < seconds * 1000) {
    marks.clear();
    await call(alice, bob, marks);
    calls += 1;
    // the second connectionCleared of a call is of another message
    marks.clear();
    await sleep(20);
  }
  const took = (performance.now() - from) / 1000;
  for (const client of clients) client.abandon();
  return {
    programs,
    calls,
    eventsPerSecond: Math.round(events / took),
    messageToProgramMs: spread(values),
  };
}

/** Requests of one program, so many open at once. */
async function requests(method: 'associateData' | 'snapshotDevice', seconds: number) {
  const client = await connect(login);
  const alice = await phone(1203);
  const bob = await phone(1204);
  const invite = alice.invite(1204);
  await client.call('monitorStart', { all: true });
  const begun = new Promise<number>((done) => {
    client.on('event', (e) => done(e.callId ?? 0));
  });
  alice.send(invite.text);
  await bob.next('INVITE');
  const callId = await begun;
  const values: number[] = [];
  const end = performance.now() + seconds * 1000;
  let n = 0;
  let refused = 0;
  const one = async (): Promise<void> => {
    while (performance.now() < end) {
      n += 1;
      const from = performance.now();
      const asked: Promise<unknown> =
        method === 'associateData'
          ? client.call(method, { callId, attach: { n: `${n}` } })
          : client.call(method, { deviceId: '1203' });
      const done = await asked.then(
        () => true,
        () => false,
      );
      if (done) values.push(performance.now() - from);
      else {
        // more than the lab's program may ask in a second
        refused += 1;
        await sleep(10);
      }
    }
  };
  await Promise.all(Array.from({ length: 64 }, one));
  alice.send(alice.cancel(invite));
  client.abandon();
  return { method, perSecond: Math.round(values.length / seconds), refused, ms: spread(values) };
}

/** A program that is away for so long while events come. */
async function away(seconds: number): Promise<object> {
  const writer = await connect(login);
  let cut = false;
  const sockets: WebSocket[] = [];
  const reader = await connect({
    ...login,
    webSocket: (url) => {
      // while it is away it finds nobody
      const web = new WebSocket(cut ? 'ws://192.0.2.1:9/' : url);
      sockets.push(web);
      return web;
    },
  });
  const alice = await phone(1205);
  const bob = await phone(1206);
  const begun = new Promise<number>((done) => {
    reader.on('event', (e) => done(e.callId ?? 0));
  });
  await reader.call('monitorStart', { all: true });
  const invite = alice.invite(1206);
  alice.send(invite.text);
  // it rings for longer than an INVITE waits for a first answer
  bob.send(bob.answer(await bob.next('INVITE'), 180, 'Ringing'));
  const callId = await begun;
  cut = true;
  for (const web of sockets) web.close();
  let n = 0;
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const many = Array.from({ length: 10 }, () => {
      n += 1;
      return writer.call('associateData', { callId, attach: { n: `${n}` } });
    });
    await Promise.all([...many, sleep(20)]);
  }
  let heard = 0;
  const whole = new Promise<number>((done) => {
    reader.on('event', ({ event }) => {
      if (event === 'callInformation') heard += 1;
      if (heard === n) done(performance.now());
    });
  });
  const back = new Promise<number>((done) => {
    reader.on('serving', () => done(performance.now()));
  });
  cut = false;
  const from = await back;
  const took = (await whole) - from;
  alice.send(alice.cancel(invite));
  writer.abandon();
  reader.abandon();
  return { awaySeconds: seconds, missed: n, catchUpMs: Math.round(took) };
}

/** Monitors of single devices, started one after the other with 64 open. */
async function monitors(count: number): Promise<object> {
  const client = await connect(login);
  const from = performance.now();
  let n = 0;
  const one = async (): Promise<void> => {
    while (n < count) {
      n += 1;
      await client.call('monitorStart', { deviceId: `${1000 + n}` });
    }
  };
  await Promise.all(Array.from({ length: 64 }, one));
  const took = performance.now() - from;
  client.abandon();
  return { monitors: count, startedPerSecond: Math.round((count / took) * 1000) };
}

const [what = '', amount = '1', seconds = '5'] = process.argv.slice(2);
const WORK: { readonly [name: string]: () => Promise<object> } = {
  latency: () => latency(Number(amount), Number(seconds)),
  requests: () => requests('associateData', Number(seconds)),
  reads: () => requests('snapshotDevice', Number(seconds)),
  away: () => away(Number(seconds)),
  monitors: () => monitors(Number(amount)),
};
const result = await (WORK[what] ?? (async () => ({ fault: `nothing is called ${what}` })))();
process.stdout.write(`${JSON.stringify({ what, ...result })}\n`, () => process.exit(0));
