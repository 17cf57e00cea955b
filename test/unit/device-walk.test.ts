/**
 * Phones that do anything at any time (`call-walker.ts`), whose extensions forward calls, are not to be
 * disturbed and have agents logged on and off, all at random; and a box replaced at any moment. No call
 * goes round, nobody is left ringing, and when everything is over nothing is left.
 */

import test from 'ava';
import { setAgentState } from '../../src/call/agent/commands.ts';
import { AGENT } from '../../src/call/agent/rows.ts';
import { publish } from '../../src/call/csta/publish.ts';
import { setDoNotDisturb, setForwarding } from '../../src/call/device/commands.ts';
import { DEVICE } from '../../src/call/device/rows.ts';
import { watched } from '../../src/call/events/watch.ts';
import { LEG } from '../../src/call/rows.ts';
import { REDIRECT } from '../../src/call/transfer-rows.ts';
import { PLAIN_CENTRE } from '../../src/proto/centre.ts';
import type { Context } from '../../src/proto/context.ts';
import { PLAIN_SITE } from '../../src/proto/site.ts';
import { Walker } from './call-walker.ts';

const USERS = ['1001', '1002', '1003', '1004'];
const TYPES = ['forwardImmediate', 'forwardBusy', 'forwardNoAns'] as const;
const STATES = ['loggedOn', 'loggedOff', 'ready', 'notReady', 'workingAfterCall'] as const;

class DeviceWalker extends Walker {
  forwarded = 0;

  constructor(seed: number) {
    super(seed, { site: { ...PLAIN_SITE, centre: { ...PLAIN_CENTRE, strict: 'no' } } });
  }

  /** An INVITE to whom a call was forwarded may be so old already when it is seen. */
  private late = 0;

  protected override pass(ms: number): void {
    this.late = ms;
    super.pass(ms);
  }

  protected override patience(): number {
    return 30_000 - this.late;
  }

  private any<T>(list: readonly T[]): T {
    return list[this.dice.u32() % list.length] as T;
  }

  private turn(command: (cx: Context) => unknown): void {
    this.lab.cx.now = this.lab.now;
    const cx = watched(this.lab.cx);
    this.story.push(JSON.stringify(command(cx)));
    publish(cx);
    this.listen();
  }

  override step(): void {
    this.late = 0;
    const device = this.any(USERS);
    switch (this.dice.u32() % 24) {
      case 0:
        this.turn((cx) => setDoNotDisturb(cx, { device, doNotDisturbOn: this.chance(3) }));
        return;
      case 1:
      case 2: {
        const forwardingType = this.any(TYPES);
        const p = { device, forwardingType, activateForward: !this.chance(3) };
        this.turn((cx) => setForwarding(cx, { ...p, forwardDN: this.any(USERS), ringDuration: 5 }));
        return;
      }
      case 3: {
        const requestedState = this.any(STATES);
        this.turn((cx) => setAgentState(cx, { agentId: `x${device}`, device, requestedState }));
        return;
      }
      default:
        super.step();
    }
    // a call has so many legs as it was sent on, and no more
    for (const row of this.lab.store.rows(REDIRECT)) {
      if (row.count > 10) this.faults.push(`call ${row.call} goes round`);
      const legs = this.lab.store.all(LEG, 'call', row.call).length;
      if (legs > 30) this.faults.push(`call ${row.call} has ${legs} legs`);
    }
  }

  /** Who is not to be disturbed is refused without a row: asked again later, he may be. */
  override unfair(): string[] {
    for (const ask of this.asks.values()) if (ask.finals.has(486)) ask.loose = true;
    return super.unfair();
  }

  finish(): string[] {
    this.turn((cx) => {
      for (const row of cx.store.rows(DEVICE)) cx.store.remove(DEVICE, row);
      for (const row of cx.store.rows(AGENT)) {
        setAgentState(cx, { agentId: row.agent, requestedState: 'loggedOff' });
      }
    });
    this.forwarded = this.lab.counters.get('callsForwarded') ?? 0;
    return [...this.leftovers(), ...this.faults, ...this.unfair()];
  }
}

const RUNS = Number(globalThis.process.env['WALKS'] ?? 60);

test('features at random leave nothing behind', (t) => {
  let forwarded = 0;
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const w = new DeviceWalker(seed);
    let left: string[];
    try {
      for (let i = 0; i < 200; i += 1) {
        if (w.chance(25)) w.swap();
        w.step();
      }
      left = w.finish();
    } catch (error) {
      left = [String((error as Error).stack)];
    }
    forwarded += w.forwarded;
    if (left.length > 0) {
      t.fail(
        `seed ${seed}: ${left.join('\n')}\n${w.story.slice(-Number(globalThis.process.env['STORY'] ?? 60)).join('\n')}`,
      );
      return;
    }
  }
  t.true(forwarded > RUNS, `${forwarded} calls were forwarded`);
});
