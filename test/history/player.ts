/**
 * Programs and phones of a lab, in one process on its host `lan`, with one clock: so that the order of
 * what they wrote down is the order in which it happened. One JSON line in is a command, one out its
 * answer; `lab.ts` is the other end.
 */

import { createSocket } from 'node:dgram';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { Dice } from '../world/dice.ts';
import { Actor } from './actor.ts';
import type { Alarm, Clock } from './clock.ts';
import { type Connect, CoreEnd } from './core-end.ts';
import type { Snapshot } from './record.ts';
import { Recorder } from './recorder.ts';
import { Softphone } from './softphone.ts';
import { Will } from './will.ts';

export type PlayerSettings = {
  readonly record: string;
  readonly seed: number;
  readonly programs: number;
  readonly agents: number;
  readonly calls: number;
  readonly boxes: readonly string[];
  readonly vip: string;
  readonly gapMs: number;
};

export type PlayerCommand =
  | { readonly do: 'start' | 'work' | 'rest' | 'state' | 'look' | 'hang-up' | 'end' }
  | { readonly do: 'fault'; readonly box: string; readonly what: string };

export type PlayerState = {
  readonly witnessed: boolean;
  readonly registered: number;
  readonly phones: number;
  readonly busy: number;
  readonly asked: number;
  readonly pending: number;
  readonly events: number;
  readonly sessions: number;
  readonly oddities: readonly string[];
};

const FIRST = 1000;
const ADDRESS = '192.0.2.20';
const FIRST_PORT = 20_000;
/** How long a call lasts, so that as many stand at once as are wanted. */
const TALK_MS: readonly [number, number] = [15_000, 90_000];
const RING_MS: readonly [number, number] = [300, 5000];
const LOOK_MS = 20_000;
const LOOKS = 5;
/** Of the lab's centre: those some agents serve, and those one program routes. */
const QUEUES = ['6000', '6001'];
const POINTS = ['5000'];
const LEFT_OUT: ReadonlySet<string> = new Set();

const settings = JSON.parse(process.argv[2] ?? '{}') as PlayerSettings;

const clock: Clock = {
  get now() {
    return performance.now();
  },
  after(ms: number, run: () => void): Alarm {
    const alarm = { dead: false };
    setTimeout(() => {
      if (!alarm.dead) run();
    }, ms);
    return alarm;
  },
};

const file = createWriteStream(settings.record);
const book = new Recorder(
  () => Math.round(clock.now * 1000) / 1000,
  (line) => file.write(`${JSON.stringify(line)}\n`),
);
const dice = new Dice(settings.seed);
book.say('head', { place: 'lab', seed: settings.seed, whole: true });

/** Agents first, then as many others as the calls need. */
const count = Math.max(settings.agents, 2 * settings.calls + 10);
const numbers = Array.from({ length: count }, (_, n) => `${FIRST + n}`);
const own = numbers.slice(0, settings.agents);

const phones = numbers.map((number, n) => {
  const socket = createSocket('udp4');
  const port = FIRST_PORT + n;
  socket.on('error', () => {});
  const phone = new Softphone(
    {
      number,
      ip: ADDRESS,
      port,
      server: settings.vip,
      send: (text) => socket.send(Buffer.from(text, 'latin1'), 5060, settings.vip, () => {}),
    },
    {
      ringMs: RING_MS,
      selfOdds: 0.7,
      refuseOdds: 0.05,
      talkMs: TALK_MS,
      gapMs: 6000,
      calls: numbers.filter((other) => other !== number),
    },
    { clock, dice: dice.fork(number), book },
  );
  socket.on('message', (bytes) => phone.receive(bytes.toString('latin1')));
  return { phone, socket, port };
});

const connect: Connect = (box, ears) => {
  const socket = new WebSocket(`ws://${settings.boxes[box]}:8088/`);
  socket.on('open', () => ears.open());
  socket.on('message', (data) => ears.text(String(data)));
  socket.on('close', (code) => ears.closed(code));
  // its end follows
  socket.on('error', () => {});
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => socket.terminate(),
  };
};

const proof = { program: 'lab', password: 'lab' };
const share = Math.max(1, Math.ceil(own.length / settings.programs));
const programs = Array.from({ length: settings.programs + 1 }, (_, n) => {
  const witness = n === 0;
  const name = witness ? 'witness' : `program${n}`;
  const die = dice.fork(name);
  const from = (n - 1) * share;
  // neighbours watch some devices together
  const devices = witness ? [] : own.slice(from, from + share + die.whole(0, 2));
  const centre = witness ? { queues: [], points: [] } : { queues: QUEUES, points: POINTS };
  const duty = { devices, others: numbers, ...centre, routes: n === 1, leaveOut: LEFT_OUT };
  const actor = new Actor(
    name,
    new Will(die.fork('will'), duty),
    { gapMs: settings.gapMs, most: 4, witness },
    { clock, dice: die.fork('pace'), book },
  );
  return { actor, end: new CoreEnd(actor, clock, connect, proof) };
});

function state(): PlayerState {
  const actors = programs.map(({ actor }) => actor);
  const sum = (of: (actor: Actor) => number): number => actors.reduce((n, a) => n + of(a), 0);
  return {
    witnessed: programs[0]?.actor.idle === true,
    registered: phones.filter(({ phone }) => phone.registered).length,
    phones: phones.length,
    busy: phones.reduce((n, { phone }) => n + phone.busy, 0),
    asked: sum((a) => a.asked),
    pending: sum((a) => (a.idle ? 0 : Math.max(1, a.pending))),
    events: sum((a) => a.events),
    sessions: actors.filter((a) => a.session !== '').length,
    oddities: phones.flatMap(({ phone }) => phone.oddities).slice(0, 20),
  };
}

type Shown = {
  readonly position?: number;
  readonly connections?: readonly {
    readonly connection: { readonly callId: number; readonly deviceId: string };
    readonly localState: string;
  }[];
  readonly agents?: Snapshot['agents'];
};

/** The witness looks at every device and every agent, until nothing happens meanwhile. */
async function look(): Promise<{ quiet: boolean }> {
  const witness = programs[0]?.actor as Actor;
  for (let n = 0; n < LOOKS; n += 1) {
    const before = witness.events;
    const snapshot = await lookOnce(witness);
    if (witness.events !== before) continue;
    book.say('quiet', { snapshot });
    return { quiet: true };
  }
  return { quiet: false };
}

async function lookOnce(witness: Actor): Promise<Snapshot> {
  const ask = (method: string, params: object): Promise<Shown> =>
    new Promise((done, fail) => {
      setTimeout(() => fail(new Error(`${method} is not answered`)), LOOK_MS);
      witness.ask({ method, params: params as never }, (answer) =>
        done(('result' in answer ? answer.result : {}) as Shown),
      );
    });
  const connections: Snapshot['connections'][number][] = [];
  let position = 0;
  for (const deviceId of [...numbers, ...QUEUES, ...POINTS]) {
    const shown = await ask('snapshotDevice', { deviceId });
    position = Math.max(position, shown.position ?? 0);
    for (const { connection, localState } of shown.connections ?? []) {
      connections.push({ ...connection, state: localState });
    }
  }
  const { agents = [] } = await ask('snapshotAgents', {});
  return { position, connections, agents };
}

async function obey(command: PlayerCommand): Promise<unknown> {
  switch (command.do) {
    case 'start':
      await Promise.all(
        phones.map(
          ({ socket, port }) =>
            new Promise<void>((done) => {
              socket.bind(port, ADDRESS, () => done());
            }),
        ),
      );
      for (const { end } of programs) end.start();
      return {};
    case 'work':
      for (const { phone } of phones) clock.after(dice.between(0, 3000), () => phone.start());
      for (const { actor } of programs) actor.work();
      return {};
    case 'rest':
      for (const { actor } of programs) actor.rest();
      for (const { phone } of phones) phone.rest();
      return {};
    case 'fault':
      book.say('fault', { box: command.box, what: command.what });
      return {};
    case 'look':
      return look();
    case 'hang-up':
      for (const { phone } of phones) phone.hangUp();
      return {};
    case 'state':
      return state();
    case 'end':
      for (const { end } of programs) end.stop();
      await new Promise<void>((done) => {
        file.end(() => done());
      });
      return {};
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { id, command } = JSON.parse(line) as { id: number; command: PlayerCommand };
  void obey(command).then(
    (value) => process.stdout.write(`${JSON.stringify({ id, value })}\n`),
    (error: Error) => process.stdout.write(`${JSON.stringify({ id, error: error.stack })}\n`),
  );
});
lines.on('close', () => process.exit(0));
process.stdout.write('{"id":0,"value":{}}\n');
