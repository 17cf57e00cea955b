/** TCP of the world: what a moved address shows is what a real kernel would show. */

import test from 'ava';
import { VIP } from '../world/box.ts';
import { Dice } from '../world/dice.ts';
import { Flows, type FlowWord } from '../world/flows.ts';
import { Host } from '../world/host.ts';
import { Kernel } from '../world/kernel.ts';
import { Line } from '../world/line.ts';
import { Queue } from '../world/queue.ts';
import { Switch } from '../world/switch.ts';

const FAIR = { loss: 0, duplicate: 0, reorder: 0, latency: [0.1, 0.1] } as const;
const ROUGH = { loss: 0.2, duplicate: 0.1, reorder: 0.3, latency: [0.1, 2] } as const;
const IP = '192.0.2.101';

function stage(transport: 'tcp' | 'tls' | 'ws' | 'wss', faults: Switch['faults'] = FAIR) {
  const queue = new Queue();
  const dice = new Dice(5);
  const lan = new Switch(queue, dice.fork('lan'), faults);
  const kernel = (name: string, last: string): Kernel => {
    const spec = { name, mac: `02:00:00:00:00:${last}`, ip: `192.0.2.1${last}`, vip: VIP };
    const k = new Kernel(queue, dice.fork(name), lan, spec);
    k.powerOn();
    return k;
  };
  const a = kernel('a', '11');
  const b = kernel('b', '12');
  const words: string[] = [];
  const serve = (k: Kernel): Flows => {
    const flows = new Flows(k, VIP, (word: FlowWord) => {
      words.push(`${k.name} ${word.kind}${word.kind === 'text' ? ` ${word.text}` : ''}`);
      if (word.kind === 'text') flows.send(word.peer, `echo ${word.text}`);
    });
    return flows;
  };
  const host = new Host(queue, lan, 'phone', '02:00:00:00:01:01', IP);
  host.reachable = 1000;
  const line = new Line({ queue, dice }, host, IP, transport);
  const heard: string[] = [];
  const events: string[] = [];
  line.onText = (text) => heard.push(text);
  line.onUp = () => events.push('up');
  line.onBroken = () => events.push('broken');
  const run = (ms: number): void => queue.runUntil(queue.now + ms, () => {});
  /** The VIP is at this kernel now, and everybody knows. */
  const move = (to: Kernel, from?: Kernel): void => {
    from?.dropVip();
    to.holdVip(1e9);
    const n = host.neighbours.get(VIP);
    if (n !== undefined) n.mac = to.mac;
  };
  return { queue, lan, a, b, serve, line, heard, events, words, run, move };
}

for (const transport of ['tcp', 'tls', 'ws', 'wss'] as const) {
  test(`${transport}: messages there and back, in order, whatever the LAN does`, (t) => {
    const s = stage(transport, ROUGH);
    s.serve(s.a);
    s.move(s.a);
    s.line.open();
    s.run(15_000);
    t.true(s.line.up);
    const said = Array.from({ length: 30 }, (_, i) => `m${i}`);
    for (const text of said) s.line.send(text);
    s.run(20_000);
    t.deepEqual(
      s.heard,
      said.map((text) => `echo ${text}`),
    );
    t.deepEqual(s.events, ['up']);
  });
}

test('the address moves: the next bytes meet a kernel that has no such connection (RST)', (t) => {
  const s = stage('tcp');
  s.serve(s.a);
  s.serve(s.b);
  s.move(s.a);
  s.line.open();
  s.run(500);
  s.move(s.b, s.a);
  s.line.send('lost');
  s.run(900);
  t.deepEqual(s.events, ['up', 'broken', 'up']);
  s.line.send('heard');
  s.run(500);
  t.deepEqual(s.heard, ['echo heard']);
  t.true(s.words.includes('b text heard'));
  t.false(s.words.includes('b text lost'));
});

test('a tickle tells a phone that says nothing', (t) => {
  const s = stage('tcp');
  s.serve(s.a);
  const flows = s.serve(s.b);
  s.move(s.a);
  s.line.open();
  s.run(500);
  s.move(s.b, s.a);
  s.b.send({ srcIp: VIP, srcPort: 5060, dstIp: IP, dstPort: 1, text: '' });
  s.run(10);
  t.deepEqual(s.events, ['up']);
  flows.tickle({ transport: 'tcp', ip: IP, port: 40_001 });
  s.run(400);
  t.deepEqual(s.events, ['up', 'broken', 'up']);
});

test('nobody answers: the user timeout ends it', (t) => {
  const s = stage('tls');
  s.serve(s.a);
  s.move(s.a);
  s.line.open();
  s.run(500);
  s.a.powerOff();
  s.run(1000);
  t.deepEqual(s.events, ['up']);
  s.run(15_000);
  t.deepEqual(s.events, ['up', 'broken']);
  s.serve(s.b);
  s.move(s.b);
  s.run(15_000);
  t.deepEqual(s.events, ['up', 'broken', 'up']);
});

test('a frozen box accepts a connection and finishes no handshake', (t) => {
  const tcp = stage('tcp');
  const tls = stage('tls');
  for (const s of [tcp, tls]) {
    const flows = s.serve(s.a);
    s.move(s.a);
    flows.freeze();
    s.line.open();
    s.run(1000);
    t.deepEqual(s.words, []);
    t.is(s.line.up, s === tcp);
    flows.thaw();
    s.run(1000);
    t.true(s.line.up);
    t.deepEqual(s.words, ['a up']);
  }
});

test('who gave up the role resets its connections; a browser cannot be connected to', (t) => {
  const s = stage('ws');
  const flows = s.serve(s.a);
  s.move(s.a);
  s.line.open();
  s.run(500);
  flows.drop();
  s.run(1000);
  t.deepEqual(s.events, ['up', 'broken', 'up']);
  flows.send({ transport: 'ws', ip: IP, port: 9 }, 'never');
  t.is(s.words.at(-1), 'a unreachable');
});
