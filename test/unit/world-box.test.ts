/** A box of the virtual world under small fakes: address, lifetime, lease, threads, death. */

import test from 'ava';
import { noStanding } from '../../src/pair/standing.ts';
import type { SentryEffect } from '../../src/pair/terms.ts';
import { Box, VIP } from '../world/box.ts';
import { Crossover } from '../world/crossover.ts';
import { Dice } from '../world/dice.ts';
import { Host } from '../world/host.ts';
import type { EngineProgram, Program, SentryProgram } from '../world/program.ts';
import { Queue } from '../world/queue.ts';
import { Switch } from '../world/switch.ts';

/** A program that does what the test says, and remembers what it was told. */
function puppet() {
  const told: string[] = [];
  const todo: SentryEffect[] = [];
  const say: string[] = [];
  const standing = noStanding();
  const engine: EngineProgram = {
    standing,
    deadline: () => Number.POSITIVE_INFINITY,
    facts: () => ({ epoch: 0, lsn: 0, held: 0, calls: 0 }),
    step(now, lease, inputs, out) {
      for (const input of inputs) {
        told.push(input.kind === 'order' ? `order ${input.order.kind}` : input.kind);
      }
      for (const text of say.splice(0)) {
        if (now < lease)
          out.sends.push({ stamp: 0, transport: 'udp', ip: '192.0.2.101', port: 5060, text });
      }
    },
  };
  const sentry: SentryProgram = {
    deadline: () => Number.POSITIVE_INFINITY,
    role: () => 'primary',
    step(_now, inputs, out) {
      for (const input of inputs) {
        told.push(input.kind === 'vip' ? `vip ${input.up} ${input.error}` : `s:${input.kind}`);
      }
      out.push(...todo.splice(0));
    },
  };
  const program: Program = { engine: () => engine, sentry: () => sentry };
  return { told, todo, say, program };
}

function box() {
  const queue = new Queue();
  const fair = { loss: 0, duplicate: 0, reorder: 0, latency: [0.1, 0.1] } as const;
  const lan = new Switch(queue, new Dice(1), fair);
  const phone = new Host(queue, lan, 'phone', '02:00:00:00:00:65', '192.0.2.101');
  const cable = new Crossover(queue, new Dice(2), {
    latency: [0.1, 0.1],
    loss: 0,
    splits: 0,
    carrierFalls: false,
  });
  const spoke: boolean[] = [];
  const p = puppet();
  const options = {
    vipLifetimeS: 2,
    ppm: 5,
    disk: { commit: 1, sync: 1, stall: 0 },
    pace: { turn: [0.1, 0.1], pause: 0, pauseMs: [0, 0] },
  } as const;
  const watcher = {
    log: () => {},
    stepped: () => {},
    spoke: (_box: Box, _stamp: number, sent: boolean) => spoke.push(sent),
  };
  const a = new Box('a', { queue, dice: new Dice(3), lan, cable }, p.program, options, watcher);
  const b = new Box('b', { queue, dice: new Dice(4), lan, cable }, p.program, options, watcher);
  cable.plug({ a: a.station, b: b.station });
  const run = (ms: number): void => queue.runUntil(queue.now + ms, () => {});
  const tick = (): void => a.process?.toSentry({ kind: 'tick' });
  return { queue, phone, a, run, tick, spoke, ...p };
}

/** Whether anybody answers ARP for the VIP. */
function answers(phone: Host, run: (ms: number) => void): boolean {
  phone.neighbours.clear();
  phone.send({ srcIp: '192.0.2.101', srcPort: 5060, dstIp: VIP, dstPort: 5060, text: 'hello' });
  run(2);
  return phone.macOf(VIP) !== undefined;
}

test('the VIP comes with a claim and goes with the process', (t) => {
  const { a, run, tick, todo, told, phone } = box();
  a.powerOn();
  a.start();
  run(1);
  t.false(answers(phone, run));
  todo.push({ kind: 'vip', action: 'claim' });
  tick();
  run(5);
  t.true(told.includes('vip true '));
  t.true(answers(phone, run));
  t.true(told.includes('sip'), 'what is sent to it reaches the engine');
  a.kill();
  t.false(answers(phone, run));
});

test('a frozen process keeps the VIP until its lifetime ends, not longer', (t) => {
  const { a, run, tick, todo, phone } = box();
  a.powerOn();
  a.start();
  run(1);
  todo.push({ kind: 'vip', action: 'claim' });
  tick();
  run(5);
  a.freeze();
  run(1500);
  t.true(answers(phone, run), 'the kernel answers for it');
  run(2000);
  t.false(answers(phone, run));
  a.thaw();
  todo.push({ kind: 'vip', action: 'renew' });
  run(5);
  t.false(answers(phone, run), 'what is gone cannot be renewed');
});

test('renewing keeps it, power off silences everything', (t) => {
  const { a, run, tick, todo, phone } = box();
  a.powerOn();
  a.start();
  run(1);
  todo.push({ kind: 'vip', action: 'claim' });
  tick();
  run(5);
  for (let i = 0; i < 10; i += 1) {
    todo.push({ kind: 'vip', action: 'renew' });
    tick();
    run(500);
  }
  t.true(answers(phone, run));
  a.powerOff();
  t.false(answers(phone, run));
  t.is(a.state, 'off');
});

test('the lease is shared memory, orders take a moment, speaking needs the address', (t) => {
  const { a, run, tick, todo, say, told, spoke } = box();
  a.powerOn();
  a.start();
  run(1);
  const until = (a.clock.mono(0) as number) + 1000;
  todo.push({ kind: 'lease', until }, { kind: 'order', order: { kind: 'speak', epoch: 1 } });
  tick();
  run(1);
  t.true(told.includes('order speak'));
  t.true(a.leaseEnd() > 990 && a.leaseEnd() <= 1000.1);
  say.push('too early');
  a.process?.toEngine({ kind: 'tick' });
  run(1);
  t.deepEqual(spoke, [false], 'no VIP: the kernel refuses');
  todo.push({ kind: 'vip', action: 'claim' });
  tick();
  run(5);
  say.push('now');
  a.process?.toEngine({ kind: 'tick' });
  run(1);
  t.deepEqual(spoke, [false, true]);
  run(1000);
  say.push('after the lease');
  a.process?.toEngine({ kind: 'tick' });
  run(1);
  t.deepEqual(spoke, [false, true]);
});
