/**
 * The client library against boxes that die at any moment: the real hub and the real rows behind
 * connections that are cut, slow, and of another box from now on. Every request is answered once and
 * done once, every event comes once and in order.
 */

import test from 'ava';
import fc from 'fast-check';
import { Core, changesNothing } from '../../src/client/core.ts';
import { urlOf } from '../../src/client/index.ts';
import { readFrame } from '../../src/cti/door.ts';
import { Hub } from '../../src/cti/hub.ts';
import { SERVICES } from '../../src/cti/services.ts';
import { errorText, resultText } from '../../src/cti/terms.ts';
import { PLAIN_CENTRE } from '../../src/proto/centre.ts';
import { PLAIN_SITE } from '../../src/proto/site.ts';
import { Lab, Peer, SDP } from './call-lab.ts';
import { programConfig } from './cti-lab.ts';

type Wire = { conn: number; up: string[]; down: string[] };

const BOXES = 2;
const PERIOD = { periodMs: 1000, misses: 3 };

/** A pair with one program connected to both boxes. */
class World {
  readonly lab: Lab;
  readonly core: Core;
  readonly results = new Map<number, object>();
  readonly faults: string[] = [];
  readonly events: { id: number; changed?: string[]; event: string }[] = [];
  readonly said: string[] = [];
  /** Every event that was ever told to a hub or waits to be. */
  readonly emitted = new Set<number>();
  private primary = 0;
  private epoch = 1;
  private hubs = [new Hub(), new Hub()];
  private wires: (Wire | undefined)[] = [undefined, undefined];
  private nextConn = 1;
  private gate = true;
  private read = 0;

  constructor() {
    const centre = { ...PLAIN_CENTRE, programs: [programConfig('desk')] };
    this.lab = new Lab({ site: { ...PLAIN_SITE, centre } });
    const alice = new Peer(this.lab, '1001', '192.0.2.1');
    const bob = new Peer(this.lab, '1002', '192.0.2.2');
    this.lab.register(alice);
    this.lab.register(bob);
    alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') }));
    this.hubs[0]?.serves(true);
    this.core = new Core({ boxes: BOXES, program: 'desk', password: 'x' }, this.lab.now);
    this.perform();
  }

  private status(box: number, method: string): string {
    const role = box === this.primary ? 'primary' : 'backup';
    const epoch = box === this.primary ? this.epoch : this.epoch - 1;
    const params = { box: 'a', role, epoch, position: 0, release: 'test', liveness: PERIOD };
    return JSON.stringify({ jsonrpc: '2.0', method, params });
  }

  /** What the client wants. */
  perform(): void {
    const { out } = this.core;
    for (let e = out.shift(); e !== undefined; e = out.shift()) {
      switch (e.kind) {
        case 'connect': {
          const wire = { conn: this.nextConn, up: [], down: [this.status(e.box, 'hello')] };
          this.nextConn += 1;
          this.wires[e.box] = wire;
          this.hubs[e.box]?.open(wire.conn);
          this.core.opened(e.box, this.lab.now);
          break;
        }
        case 'send':
          this.wires[e.box]?.up.push(e.text);
          break;
        case 'close':
          this.hangUp(e.box);
          break;
        case 'result':
          if (this.results.has(e.call)) this.faults.push(`answered twice: ${e.call}`);
          this.results.set(e.call, e.result);
          break;
        case 'fault':
          this.faults.push(`${e.call} ${e.fault.code}`);
          break;
        case 'event':
          this.events.push(e.event as never);
          break;
        case 'status':
        case 'away':
        case 'serving':
          break;
        default:
          this.faults.push(e.kind);
      }
    }
  }

  private hangUp(box: number): void {
    const wire = this.wires[box];
    this.wires[box] = undefined;
    if (wire !== undefined) this.hubs[box]?.closed(wire.conn);
  }

  /** The connection breaks; what is on its way is lost. */
  cut(box: number): void {
    if (this.wires[box] === undefined) return;
    this.hangUp(box);
    this.core.closed(box, 0, this.lab.now);
    this.settle();
  }

  up(box: number): void {
    const wire = this.wires[box];
    const text = wire?.up.shift();
    if (wire === undefined || text === undefined) return;
    const asked = readFrame(text);
    if (typeof asked === 'string') throw new Error(`the client says ${text}`);
    if (asked.service.kind === 'door') wire.down.push(resultText(asked.id, {}));
    else if (asked.service.kind === 'session' && box !== this.primary) {
      wire.down.push(errorText(asked.id, 'notPrimary'));
    } else this.hubs[box]?.asked(wire.conn, 'desk', asked.id, asked.method, asked.params);
    this.settle();
  }

  down(box: number): void {
    const text = this.wires[box]?.down.shift();
    if (text === undefined) return;
    this.core.frame(box, text, this.lab.now);
    this.perform();
  }

  /** The engine and the hubs until nothing happens; the gate holds what is said. */
  private settle(): void {
    for (;;) {
      let moved = false;
      for (let box = 0; box < BOXES; box += 1) {
        const hub = this.hubs[box] as Hub;
        for (let e = hub.out.shift(); e !== undefined; e = hub.out.shift()) {
          moved = true;
          if (e.kind === 'ask') {
            if (box === this.primary) this.lab.fromProgram(e.request);
          } else if (e.kind === 'gap') hub.goOn(e.conn);
          else {
            const wire = this.wires.find((w) => w?.conn === e.conn);
            if (e.kind === 'send') wire?.down.push(e.text);
            else if (wire !== undefined) this.cut(box);
          }
        }
      }
      for (; this.read < this.lab.programs.length; this.read += 1) {
        const head = JSON.parse((this.lab.programs[this.read] as string).split('\n')[0] ?? '');
        if (head.kind === 'event') this.emitted.add(head.id);
      }
      if (this.gate) {
        for (const item of this.lab.programs) this.hubs[this.primary]?.take(item);
        moved ||= this.lab.programs.length > 0;
        this.lab.programs.length = 0;
        this.read = 0;
      }
      if (!moved) break;
    }
    this.perform();
  }

  setGate(open: boolean): void {
    this.gate = open;
    this.settle();
  }

  /** The other box serves; of the old one only its connections may still be there for a while. */
  swap(quiet: boolean): void {
    const old = this.primary;
    this.lab.programs.length = 0;
    this.read = 0;
    this.primary = 1 - old;
    this.epoch += 1;
    this.gate = true;
    this.lab.swap(true);
    this.hubs[old]?.serves(false);
    this.hubs[this.primary]?.serves(true);
    this.wires[this.primary]?.down.push(this.status(this.primary, 'systemStatus'));
    // a box that died says nothing; one that handed over says so
    if (quiet) this.wires[old]?.down.push(this.status(old, 'systemStatus'));
    else this.cut(old);
    this.settle();
  }

  pass(ms: number): void {
    this.lab.now += ms;
    this.lab.tick();
    this.core.tick(this.lab.now);
    this.settle();
  }

  call(method: string, params: object): number {
    const id = this.core.call(method, params);
    this.perform();
    return id;
  }

  /** Everything works from now on. */
  calm(): void {
    this.setGate(true);
    for (let round = 0; round < 60; round += 1) {
      for (let n = 0; n < 40; n += 1) {
        for (let box = 0; box < BOXES; box += 1) {
          this.up(box);
          this.down(box);
        }
      }
      this.pass(100);
    }
  }
}

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('up' as const), box: fc.nat(1) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('down' as const), box: fc.nat(1) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('call' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(900) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('gate' as const), open: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), box: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('swap' as const), quiet: fc.boolean() }) },
);

test('whatever dies, every request is done and answered once, every event comes once', (t) => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 120 }), (steps) => {
      const world = new World();
      const calls: number[] = [world.call('monitorStart', { all: true })];
      world.calm();
      let n = 0;
      for (const s of steps) {
        if (s.do === 'up') world.up(s.box);
        else if (s.do === 'down') world.down(s.box);
        else if (s.do === 'pass') world.pass(s.ms);
        else if (s.do === 'gate') world.setGate(s.open);
        else if (s.do === 'cut') world.cut(s.box);
        else if (s.do === 'swap') world.swap(s.quiet);
        else {
          n += 1;
          calls.push(world.call('associateData', { callId: 1, attach: { [`k${n}`]: `${n}` } }));
        }
      }
      world.calm();
      if (world.faults.length > 0) throw new Error(world.faults.join(', '));
      const lost = calls.filter((id) => !world.results.has(id));
      if (lost.length > 0) throw new Error(`never answered: ${lost.join()}`);
      const changed = world.events.flatMap((e) => e.changed ?? []);
      const wanted = Array.from({ length: n }, (_, i) => `k${i + 1}`);
      if (changed.join() !== wanted.join()) throw new Error(`heard ${changed.join()}`);
      const ids = world.events.map((e) => e.id);
      const all = [...world.emitted].sort((a, b) => a - b);
      if (ids.join() !== all.join()) throw new Error(`ids ${ids.join()} of ${all.join()}`);
      return world.core.unanswered === 0;
    }),
    { numRuns: 300, seed: 5 },
  );
  t.pass();
});

/** A client and what its boxes hear, by hand. */
function alone(boxes = 2) {
  const core = new Core({ boxes, program: 'desk', password: 'x' }, 0);
  const take = () => core.out.splice(0);
  const sent = () =>
    take().flatMap((e) => (e.kind === 'send' ? [{ box: e.box, ...JSON.parse(e.text) }] : []));
  const hello = (box: number, role: string, epoch: number, now = 0): void => {
    const params = { box: 'a', role, epoch, position: 0, release: 'x', liveness: PERIOD };
    core.opened(box, now);
    core.frame(box, JSON.stringify({ jsonrpc: '2.0', method: 'hello', params }), now);
  };
  const reply = (box: number, id: number, result: object, now = 0): void =>
    core.frame(box, JSON.stringify({ jsonrpc: '2.0', id, result }), now);
  const refuse = (box: number, id: number, code: string, more = {}, now = 0): void =>
    core.frame(box, errorText(`${id}`, code as never, code, more), now);
  return { core, take, sent, hello, reply, refuse };
}

test('of two boxes that both say primary, the one of the younger reign is asked', (t) => {
  const { sent, hello, take } = alone();
  take();
  hello(1, 'primary', 8);
  const [first] = sent();
  t.is(first.box, 1);
  hello(0, 'primary', 9);
  t.deepEqual(
    sent().map((s) => [s.box, s.method]),
    [[0, 'startSession']],
  );
});

test('the late answer of a box that was left gives no session, and takes none away', (t) => {
  for (const first of [{ session: '7.late', position: 90 }, undefined]) {
    const { core, take, sent, hello, reply } = alone();
    take();
    hello(0, 'primary', 1);
    if (first === undefined) {
      // it had one, and resumes
      reply(0, sent()[0].id, { session: '1.w', position: 5 });
      core.closed(0, 0, 10);
      core.tick(300);
      take();
      hello(0, 'primary', 1, 300);
    }
    const late = sent().find((s) => s.box === 0);
    hello(1, 'primary', 2, 400);
    const now = sent().find((s) => s.box === 1);
    const own = first === undefined ? { missed: 0, position: 5 } : { session: '2.w', position: 6 };
    reply(1, now?.id, own, 500);
    take();
    reply(0, late?.id, first ?? { missed: 4, position: 9 }, 600);
    t.deepEqual(take(), []);
    t.is(core.serving, 1);
    t.is(core.session, first === undefined ? '1.w' : '2.w');
    // what the one that serves tells is heard, what the other tells is not
    const event = (id: number) =>
      JSON.stringify({ jsonrpc: '2.0', method: 'event', params: { id } });
    core.frame(0, event(8), 700);
    core.frame(1, event(9), 700);
    t.deepEqual(
      take().flatMap((e) => (e.kind === 'event' ? [e.event.id] : [])),
      [9],
    );
  }
});

test('a box that falls silent is left, and called again', (t) => {
  const { core, take, hello } = alone(1);
  take();
  hello(0, 'primary', 1, 0);
  take();
  for (let now = 100; now <= 3000; now += 100) core.tick(now);
  t.false(take().some((e) => e.kind === 'close'));
  core.tick(3100);
  t.true(take().some((e) => e.kind === 'close'));
  core.tick(3500);
  t.true(take().some((e) => e.kind === 'connect'));
});

test('a session that is gone: what was said is told to have failed, what was not is asked', (t) => {
  const { core, take, sent, hello, reply, refuse } = alone(1);
  take();
  hello(0, 'primary', 1);
  reply(0, sent()[0].id, { session: '1.w', position: 5 });
  take();
  const said = core.call('holdCall', {});
  take();
  core.closed(0, 0, 10);
  const unsaid = core.call('retrieveCall', {});
  core.tick(300);
  hello(0, 'primary', 2, 300);
  const [resume] = sent();
  t.is(resume.method, 'resumeSession');
  t.is(resume.params.since, 5);
  refuse(0, resume.id, 'unknownSession', {}, 300);
  const effects = core.out.map((e) => e.kind);
  t.true(effects.includes('afresh'));
  t.deepEqual(
    core.out.flatMap((e) => (e.kind === 'fault' ? [[e.call, e.fault.code]] : [])),
    [[said, 'unknownSession']],
  );
  const [start] = sent();
  t.is(start.method, 'startSession');
  reply(0, start.id, { session: '2.w', position: 9 }, 300);
  t.deepEqual(
    sent().map((s) => s.id),
    [unsaid],
  );
});

test('a request that may have been done is not told to have failed because the door is busy', (t) => {
  const { core, take, sent, hello, reply, refuse } = alone(1);
  take();
  hello(0, 'primary', 1);
  reply(0, sent()[0].id, { session: '1.w', position: 5 });
  take();
  const busy = core.call('holdCall', {});
  take();
  refuse(0, busy, 'limitReached', { again: true });
  // said once: nothing was done, and it is told so
  t.deepEqual(
    take().map((e) => e.kind),
    ['fault'],
  );
  const said = core.call('holdCall', {});
  take();
  core.closed(0, 0, 10);
  core.tick(300);
  hello(0, 'primary', 2, 300);
  reply(0, sent()[0].id, { missed: 0, position: 5 }, 300);
  t.deepEqual(
    sent().map((s) => s.id),
    [said],
  );
  refuse(0, said, 'limitReached', { again: true }, 300);
  t.deepEqual(take(), []);
  core.tick(450);
  t.true(sent().some((s) => s.id === said));
  // the box itself refuses it: so it was
  refuse(0, said, 'limitReached', {}, 450);
  t.deepEqual(
    take().map((e) => e.kind),
    ['fault'],
  );
});

test('a session that was stopped, its answer lost, is stopped; no other is begun for it', (t) => {
  const { core, take, sent, hello, reply, refuse } = alone(1);
  take();
  hello(0, 'primary', 1);
  reply(0, sent()[0].id, { session: '1.w', position: 5 });
  take();
  const stop = core.call('stopSession', {});
  take();
  refuse(0, stop, 'unknownSession');
  t.deepEqual(take(), [{ kind: 'result', call: stop, result: {} }]);
});

test('events that are lost are told, and it goes on from there', (t) => {
  const { core, take, sent, hello, reply, refuse } = alone(1);
  take();
  hello(0, 'primary', 1);
  reply(0, sent()[0].id, { session: '1.w', position: 5 });
  core.closed(0, 4008, 10);
  core.tick(300);
  take();
  hello(0, 'primary', 1, 300);
  refuse(0, sent()[0].id, 'eventsLost', { position: 70 }, 300);
  t.true(core.out.some((e) => e.kind === 'eventsLost'));
  const [again] = sent();
  t.is(again.params.since, 70);
});

test('a wrong password, and a session somebody else took, are the end', (t) => {
  const wrong = alone(1);
  wrong.take();
  wrong.hello(0, 'primary', 1);
  const call = wrong.core.call('getDevices', {});
  wrong.refuse(0, wrong.sent()[0].id, 'invalidPassword');
  t.deepEqual(
    wrong.core.out.flatMap((e) => (e.kind === 'fault' ? [e.call] : [])),
    [call],
  );
  t.true(wrong.core.out.some((e) => e.kind === 'over'));
  const taken = alone(1);
  taken.take();
  taken.hello(0, 'primary', 1);
  taken.reply(0, taken.sent()[0].id, { session: '1.w', position: 0 });
  taken.core.closed(0, 4001, 5);
  t.true(taken.core.out.some((e) => e.kind === 'over'));
  t.is(taken.core.call('getDevices', {}) > 0, true);
});

test('the position of an answer counts only when nothing is missing before it', (t) => {
  const { core, take, sent, hello, reply } = alone(1);
  take();
  hello(0, 'primary', 1);
  reply(0, sent()[0].id, { session: '1.w', position: 5 });
  core.closed(0, 0, 10);
  core.tick(300);
  take();
  hello(0, 'primary', 1, 300);
  reply(0, sent()[0].id, { missed: 3, position: 8 }, 300);
  core.tick(1400);
  const ack = sent().find((s) => s.method === 'ack');
  t.is(ack?.params.upTo, 5);
  reply(0, ack?.id, { position: 9 }, 1400);
  t.is(core.since, 5);
  const up = { jsonrpc: '2.0', method: 'caughtUp', params: { position: 9 } };
  core.frame(0, JSON.stringify(up), 1500);
  t.is(core.since, 9);
});

test('frames that mean nothing are signs of life and nothing else', (t) => {
  const { core, take, hello } = alone(1);
  take();
  hello(0, 'primary', 1);
  take();
  for (const text of ['', '{', 'null', '7', '[]', '{"id":{}}', '{"method":"x"}']) {
    core.frame(0, text, 1);
  }
  t.deepEqual(take(), []);
});

test('what the library takes for reading is what the services say', (t) => {
  for (const [method, { kind }] of Object.entries(SERVICES)) {
    if (kind !== 'session') t.is(changesNothing(method), kind !== 'write', method);
  }
});

test('where a box is', (t) => {
  t.is(urlOf('192.0.2.11'), 'ws://192.0.2.11:8088/');
  t.is(urlOf('192.0.2.11:99'), 'ws://192.0.2.11:99/');
  t.is(urlOf('wss://box-a:8089/'), 'wss://box-a:8089/');
});
