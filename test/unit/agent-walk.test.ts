/**
 * Agents, calls, time and switchovers at random, beside a small model of an agent that counts where the
 * product derives. After every step both say the same of everybody, and at the end nothing is left.
 */

import test from 'ava';
import { below, seeded } from '../../src/base/chance.ts';
import { agentView } from '../../src/call/agent/agent.ts';
import { AGENT } from '../../src/call/agent/rows.ts';
import { CCALL, PARTY } from '../../src/call/csta/rows.ts';
import { AgentLab, type PhoneCall } from './agent-lab.ts';

const LOGINS = [
  {},
  { wrapUpS: 20 },
  { wrapUpS: -1, legalGuardS: 30 },
  { wrapUpS: 20, legalGuardS: 30, autoLogoutS: 120 },
] as const;

type Has = { readonly call: PhoneCall; readonly business: boolean; readonly dialled: boolean };

class Model {
  readonly wrapUp: number;
  readonly guard: number;
  readonly auto: number;
  on = false;
  base: 'notReady' | 'ready' | 'work' = 'notReady';
  back: 'notReady' | 'ready' = 'notReady';
  reason = '';
  busySince = 0;
  earned = false;
  workEnd = 0;
  left = 0;
  guardUntil = 0;
  logoutAt = 0;
  calls: Has[] = [];

  constructor(login: { wrapUpS?: number; legalGuardS?: number; autoLogoutS?: number }) {
    this.wrapUp = (login.wrapUpS ?? 0) * 1000;
    this.guard = (login.legalGuardS ?? 0) * 1000;
    this.auto = (login.autoLogoutS ?? 0) * 1000;
  }

  logOn(now: number): void {
    if (this.on) return;
    const { calls } = this;
    Object.assign(this, new Model({}), { wrapUp: this.wrapUp, guard: this.guard, auto: this.auto });
    this.calls = calls;
    this.on = true;
    this.logoutAt = this.auto === 0 ? 0 : now + this.auto;
    this.look(now);
  }

  ask(what: 'notReady' | 'ready' | 'workingAfterCall', reason: string, now: number): void {
    if (!this.on) return;
    this.reason = reason;
    const whole = Math.max(0, this.wrapUp);
    this.logoutAt = 0;
    if (what === 'workingAfterCall') {
      if (this.base !== 'work') this.back = this.base;
      this.base = 'work';
      this.workEnd = this.busy || whole === 0 ? 0 : now + whole;
      this.left = this.busy ? whole : 0;
    } else {
      this.base = what;
      this.workEnd = 0;
      this.left = 0;
      if (what === 'notReady' && !this.busy && this.auto > 0) this.logoutAt = now + this.auto;
    }
    this.look(now);
  }

  get busy(): boolean {
    return this.busySince > 0;
  }

  guarded(now: number): boolean {
    return this.base === 'ready' && !this.busy && this.guardUntil > now;
  }

  /** Calls came or went, or count for another reason. */
  look(now: number): void {
    if (!this.on) return;
    const own = this.busy || this.base === 'work' || this.guarded(now);
    const business = this.calls.some((c) => c.business);
    const counts = business || (own && this.calls.some((c) => c.dialled));
    if (business) this.earned = true;
    if (counts && !this.busy) {
      this.busySince = now;
      this.logoutAt = 0;
      if (this.base === 'work' && this.workEnd > 0) this.left = Math.max(1, this.workEnd - now);
      this.workEnd = 0;
    } else if (!counts && this.busy) this.lands(now);
  }

  private lands(now: number): void {
    if (this.guard > 0 && (this.earned || this.guardUntil > this.busySince)) {
      this.guardUntil = now + this.guard;
    } else this.guardUntil = 0;
    this.busySince = 0;
    const worked = this.earned && this.wrapUp !== 0;
    if (worked) {
      if (this.base !== 'work') this.back = this.base;
      this.base = 'work';
      this.workEnd = this.wrapUp > 0 ? now + this.wrapUp : 0;
    } else if (this.base === 'work') this.workEnd = this.left > 0 ? now + this.left : 0;
    this.left = 0;
    if (this.base === 'ready' || (this.base === 'work' && worked)) this.reason = '';
    this.earned = false;
    if (this.base === 'notReady' && this.auto > 0) this.logoutAt = now + this.auto;
    this.look(now);
  }

  /** The next moment at which something happens by itself. */
  next(now: number): number {
    const guard = this.guarded(now) ? this.guardUntil : 0;
    const all = [this.workEnd, this.logoutAt, guard].filter((at) => at > 0);
    return this.on && all.length > 0 ? Math.min(...all) : Number.POSITIVE_INFINITY;
  }

  due(now: number): void {
    if (this.logoutAt > 0 && this.logoutAt <= now) this.on = false;
    else if (this.workEnd > 0 && this.workEnd <= now) {
      this.workEnd = 0;
      this.base = this.back;
      this.reason = '';
      if (this.base === 'notReady' && this.auto > 0) this.logoutAt = now + this.auto;
    }
    if (this.guardUntil === now && this.base === 'ready') this.reason = '';
    this.look(now);
  }

  view(now: number): string {
    if (!this.on) return 'off';
    const base = this.base === 'work' ? 'workingAfterCall' : this.base;
    const guarded = this.guarded(now);
    const state = this.busy ? `busy/${base}` : guarded ? 'notReady/ready' : base;
    const reason = guarded ? 'legalGuard' : this.reason;
    return `${state} ${reason} ${this.workEnd} ${guarded ? this.guardUntil : 0} ${this.logoutAt}`;
  }
}

class Walk {
  readonly lab: AgentLab;
  readonly models: Model[];
  readonly story: string[] = [];
  private readonly chance;
  private registeredAt = 0;
  private open: { call: PhoneCall; from: number; to: number }[] = [];

  constructor(seed: number) {
    this.chance = seeded(seed);
    const login = LOGINS[seed % LOGINS.length] as (typeof LOGINS)[number];
    this.lab = new AgentLab({ login, settings: { sessionExpiresS: 0 } });
    this.registeredAt = this.lab.now;
    // phones 1 to 3 have nobody; 4 to 6 have agents
    this.models = [4, 5, 6].map(() => new Model(login));
  }

  private pick(n: number): number {
    return below(this.chance, n);
  }

  private model(n: number): Model | undefined {
    return this.models[n - 4];
  }

  step(): void {
    const n = 4 + this.pick(3);
    const model = this.model(n) as Model;
    const { lab } = this;
    switch (this.pick(12)) {
      case 0:
      case 1:
        this.say(`a${n} logs on`);
        lab.set(n, 'loggedOn');
        model.logOn(lab.now);
        break;
      case 2:
        if (this.pick(4) > 0) break;
        this.say(`a${n} logs off`);
        lab.set(n, 'loggedOff');
        model.on = false;
        break;
      case 3:
      case 4:
      case 5: {
        const what = (['ready', 'notReady', 'workingAfterCall'] as const)[this.pick(3)] as 'ready';
        const reason = ['', 'lunch'][this.pick(2)] as string;
        this.say(`a${n} ${what} ${reason}`);
        lab.set(n, what, { reason });
        model.ask(what, reason, lab.now);
        break;
      }
      case 6:
      case 7:
        this.call(1 + this.pick(6), n);
        break;
      case 8:
      case 9:
        this.end();
        break;
      case 10:
        this.pass((1 + this.pick(400)) * 100);
        break;
      default:
        this.say('another box');
        lab.swap(this.pick(2) === 0);
    }
  }

  private call(from: number, to: number): void {
    if (from === to || this.open.length > 5) return;
    const business = this.pick(2) === 0;
    this.say(`${from} calls ${to}${business ? ' on business' : ''}`);
    const call = this.lab.ring(from, `${business ? 700 : 100}${to}`, to);
    const caller = this.model(from);
    // while it rings he is dialling, and no more
    caller?.calls.push({ call, business: false, dialled: true });
    caller?.look(this.lab.now);
    if (this.pick(3) === 0) this.lab.swap(false);
    const refused = this.pick(4) === 0;
    if (refused) call.refuse(486);
    else {
      call.answer();
      this.open.push({ call, from, to });
      this.model(to)?.calls.push({ call, business, dialled: false });
    }
    if (caller !== undefined) {
      caller.calls = caller.calls.filter((c) => c.call !== call);
      if (!refused) caller.calls.push({ call, business, dialled: true });
    }
    for (const n of [from, to]) this.model(n)?.look(this.lab.now);
  }

  private end(): void {
    if (this.open.length === 0) return;
    const [gone] = this.open.splice(this.pick(this.open.length), 1);
    if (gone === undefined) return;
    this.say(`${gone.from} hangs up on ${gone.to}`);
    gone.call.end();
    for (const n of [gone.from, gone.to]) {
      const model = this.model(n);
      if (model === undefined) continue;
      model.calls = model.calls.filter((c) => c.call !== gone.call);
      model.look(this.lab.now);
    }
  }

  private pass(ms: number): void {
    this.say(`${ms} ms`);
    const end = this.lab.now + ms;
    for (;;) {
      const at = Math.min(...this.models.map((m) => m.next(this.lab.now)));
      if (at > end) break;
      this.lab.pass(at - this.lab.now);
      for (const m of this.models) if (m.next(at - 1) <= at) m.due(at);
    }
    this.lab.pass(end - this.lab.now);
    if (this.lab.now - this.registeredAt < 1_000_000) return;
    this.registeredAt = this.lab.now;
    for (const phone of this.lab.phones) this.lab.register(phone);
  }

  private say(text: string): void {
    this.story.push(text);
  }

  compare(): string {
    const { lab } = this;
    for (const [i, model] of this.models.entries()) {
      const row = lab.agent(i + 4);
      const v = row === undefined ? undefined : agentView(lab.cx, row);
      const pending = v?.['pendingState'] === undefined ? '' : `/${v['pendingState']}`;
      const is =
        v === undefined
          ? 'off'
          : [
              `${v['state']}${pending} ${v['reason'] ?? ''}`,
              // microseconds, as programs see all times
              ...['wrapUpEnd', 'readyAt', 'logoutAt'].map((name) => Number(v[name] ?? 0) / 1000),
            ].join(' ');
      const should = model.view(lab.now);
      if (is !== should) return `a${i + 4} is ${is}, should be ${should}`;
    }
    return '';
  }

  finish(): string {
    while (this.open.length > 0) this.end();
    for (const n of [4, 5, 6]) this.lab.set(n, 'loggedOff');
    this.lab.pass(200_000);
    const { store } = this.lab;
    const left = [store.count(AGENT), store.count(CCALL), store.count(PARTY)];
    return left.every((n) => n === 0) ? '' : `left: ${left}`;
  }
}

const RUNS = Number(globalThis.process.env['WALKS'] ?? 60);

test('agents are what a model says of them, whatever happens', (t) => {
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const walk = new Walk(seed);
    for (let i = 0; i < 120; i += 1) {
      walk.step();
      const wrong = walk.compare();
      if (wrong !== '') {
        t.fail(`seed ${seed} step ${i}: ${wrong}\n${walk.story.slice(-25).join('\n')}`);
        return;
      }
    }
    t.is(walk.finish(), '', `seed ${seed}`);
  }
});
