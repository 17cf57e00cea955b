/**
 * An ideal contact centre, for the checker's own tests: calls, agents, programs that watch them, and
 * switchovers that cut every connection and have requests said again. It is written to be right, not to
 * be fast, so its histories are what a product that loses nothing would leave behind.
 */

import { Dice } from '../world/dice.ts';
import type { EventView, Line, PartyView } from './record.ts';

type Monitor = { readonly ref: string; readonly subject: string; readonly since: number };
type Program = {
  readonly name: string;
  readonly session: string;
  readonly monitors: Monitor[];
  connected: boolean;
  seen: number;
  next: number;
};
type Told = {
  readonly event: EventView;
  readonly devices: readonly string[];
  readonly owner: string;
  readonly requestId: string | undefined;
};
type Call = {
  readonly id: number;
  readonly guid: string;
  readonly parties: { deviceId: string; state: string }[];
  readonly startedAt: number;
  answeredAt: number;
};

const PHONES = ['1000', '1001', '1002', '1003', '1004', '1005'];
const MS = 1000;

export class Ideal {
  readonly lines: Line[] = [];
  private now = 1_000;
  private readonly dice: Dice;
  private readonly log: Told[] = [];
  private readonly programs: Program[] = [];
  private readonly calls = new Map<number, Call>();
  private readonly agents = new Map<string, string>();
  private nextCall = 1;
  private nextRef = 1;

  constructor(seed: number) {
    this.dice = new Dice(seed);
    this.write({ kind: 'head', place: 'ideal', seed, whole: true });
  }

  /** Plays `steps` random steps, then lets everything come to rest. */
  play(steps: number): readonly Line[] {
    for (const name of ['witness', 'crm', 'wallboard']) this.join(name);
    const [witness, crm, board] = this.programs as [Program, Program, Program];
    this.watch(witness, '*');
    for (const phone of PHONES.slice(0, 4)) this.watch(crm, phone);
    for (const phone of PHONES.slice(2)) this.watch(board, phone);
    for (let n = 0; n < steps; n += 1) this.step();
    for (const program of this.programs) this.resume(program);
    this.rest();
    return this.lines;
  }

  private step(): void {
    this.now += this.dice.whole(1, 400);
    const program = this.dice.pick(this.programs);
    const x = this.dice.between(0, 10);
    if (x < 1) this.switchover();
    else if (x < 3) this.make(program);
    else if (x < 7) this.turn(program);
    else if (x < 9) this.agent(program);
    else for (const one of this.programs) this.resume(one);
  }

  private write(line: { kind: Line['kind'] } & Record<string, unknown>): void {
    this.lines.push({ at: this.now, ...line } as unknown as Line);
  }

  private join(name: string): void {
    const session = `${this.programs.length + 1}`;
    const program = { name, session, monitors: [], connected: true, seen: 0, next: 1 };
    this.programs.push(program);
    this.write({ kind: 'session', program: name, session, how: 'started', since: 0 });
  }

  /** Asks, has it done, and is answered; said twice when a switchover took the first answer. */
  private ask(
    program: Program,
    method: string,
    params: object,
    act: (id: string) => { readonly result?: object; readonly error?: object },
  ): void {
    const of = { program: program.name, session: program.session };
    const id = `${program.next}`;
    program.next += 1;
    this.write({ kind: 'asked', ...of, id, method, params });
    this.write({ kind: 'sent', ...of, id, box: 'a' });
    const answer = act(id);
    if (!program.connected || this.dice.odds(0.2)) {
      this.resume(program);
      this.write({ kind: 'sent', ...of, id, box: 'b' });
    } else if (this.dice.odds(0.1)) {
      this.write({ kind: 'sent', ...of, id, box: 'a' });
      this.write({ kind: 'heard', ...of, id, answer });
    }
    this.write({ kind: 'heard', ...of, id, answer });
    this.write({ kind: 'answered', ...of, id, answer });
  }

  private watch(program: Program, subject: string): void {
    const ref = `m${this.nextRef}`;
    this.nextRef += 1;
    const params = subject === '*' ? { all: true } : { deviceId: subject };
    this.ask(program, 'monitorStart', params, () => {
      const since = this.log.length;
      program.monitors.push({ ref, subject, since });
      return { result: { monitor: ref, position: since } };
    });
  }

  // ── events ───────────────────────────────────────────────────────────────────────────────────

  private emit(
    event: string,
    devices: readonly string[],
    body: object,
    owner = '',
    requestId: string | undefined = undefined,
  ): void {
    const id = this.log.length + 1;
    const view = { id, time: this.now * MS, event, monitors: [], ...body } as EventView;
    const told = { event: view, devices, owner, requestId };
    this.log.push(told);
    for (const program of this.programs) if (program.connected) this.hear(program, told);
  }

  private hear(program: Program, told: Told): void {
    if (told.event.id <= program.seen) return;
    program.seen = told.event.id;
    const monitors = program.monitors
      .filter((m) => told.event.id > m.since)
      .filter((m) => m.subject === '*' || told.devices.includes(m.subject))
      .map((m) => m.ref);
    if (monitors.length === 0) return;
    const own = told.owner === program.session ? { requestId: told.requestId } : {};
    const event = { ...told.event, monitors, ...own };
    this.write({ kind: 'event', program: program.name, session: program.session, event });
  }

  private tell(
    call: Call,
    event: string,
    deviceId: string,
    localState: string,
    by: { owner: string; id: string } | undefined,
    cause = 'normal',
  ): void {
    const parties: PartyView[] = call.parties.map((p) => ({ ...p }));
    const devices = [...new Set([deviceId, ...parties.map((p) => p.deviceId)])];
    const body = {
      callId: call.id,
      globalCallId: call.guid,
      cause,
      connection: { callId: call.id, deviceId },
      localState,
      parties,
    };
    this.emit(event, devices, body, by?.owner, by?.id);
  }

  // ── what happens ─────────────────────────────────────────────────────────────────────────────

  private switchover(): void {
    this.write({ kind: 'fault', box: 'a', what: 'kill -9' });
    for (const program of this.programs) program.connected = false;
  }

  private resume(program: Program): void {
    if (program.connected) return;
    program.connected = true;
    const { name, session, seen } = program;
    this.write({ kind: 'session', program: name, session, how: 'resumed', since: seen });
    for (const told of this.log.slice(seen)) this.hear(program, told);
  }

  private make(program: Program): void {
    const free = PHONES.filter((p) => this.callOf(p) === undefined);
    const from = free[0];
    const to = free.at(-1);
    if (from === undefined || to === undefined || from === to) return;
    this.ask(program, 'makeCall', { callingDevice: from, calledDevice: to }, (id) => {
      const by = { owner: program.session, id };
      const call: Call = {
        id: this.nextCall,
        guid: `guid-${this.nextCall}`,
        parties: [{ deviceId: from, state: 'connected' }],
        startedAt: this.now,
        answeredAt: 0,
      };
      this.nextCall += 1;
      this.calls.set(call.id, call);
      this.phone(from, call, 'established');
      this.tell(call, 'originated', from, 'connected', by, 'makeCall');
      call.parties.push({ deviceId: to, state: 'alerting' });
      this.phone(to, call, 'early');
      this.tell(call, 'delivered', to, 'alerting', undefined);
      return { result: { connection: { callId: call.id, deviceId: from } } };
    });
  }

  /** The next thing that may happen to some call. */
  private turn(program: Program): void {
    const [id] = [...this.calls.keys()].sort(() => this.dice.between(-1, 1));
    const call = this.calls.get(id ?? 0);
    if (call === undefined) return;
    const party = this.dice.pick(call.parties);
    const by = { owner: program.session };
    const connection = { callId: call.id, deviceId: party.deviceId };
    if (party.state === 'alerting') {
      this.ask(program, 'answerCall', { connection }, (ref) => {
        party.state = 'connected';
        if (call.answeredAt === 0) call.answeredAt = this.now;
        this.phone(party.deviceId, call, 'established');
        this.tell(call, 'established', party.deviceId, 'connected', { ...by, id: ref });
        return { result: {} };
      });
    } else if (party.state === 'hold') {
      this.ask(program, 'retrieveCall', { connection }, (ref) => {
        party.state = 'connected';
        this.tell(call, 'retrieved', party.deviceId, 'connected', { ...by, id: ref });
        return { result: {} };
      });
    } else if (this.dice.odds(0.5)) {
      this.ask(program, 'holdCall', { connection }, (ref) => {
        if (call.answeredAt === 0) return { error: { code: 'invalidConnectionState' } };
        party.state = 'hold';
        this.tell(call, 'held', party.deviceId, 'hold', { ...by, id: ref });
        return { result: {} };
      });
    } else this.end(call);
  }

  private end(call: Call): void {
    for (const party of [...call.parties]) {
      call.parties.splice(call.parties.indexOf(party), 1);
      this.tell(call, 'connectionCleared', party.deviceId, 'null', undefined, 'normalClearing');
      this.phone(party.deviceId, call, 'ended');
    }
    this.emit('callCleared', [], { callId: call.id, globalCallId: call.guid });
    this.calls.delete(call.id);
    const { id: callId, guid, startedAt: start, answeredAt: answer } = call;
    const cdr = { callId, guid, start, answer, end: this.now };
    this.write({ kind: 'cdr', box: 'a', cdr });
  }

  private agent(program: Program): void {
    const number = this.dice.pick(PHONES);
    const agentId = `agent${number}`;
    const state = this.agents.get(agentId) ?? 'loggedOff';
    const wanted =
      state === 'loggedOff' ? 'loggedOn' : state === 'ready' ? 'loggedOff' : ('ready' as const);
    const event = { loggedOn: 'agentLoggedOn', loggedOff: 'agentLoggedOff', ready: 'agentReady' };
    const params = { agentId, deviceId: number, requestedAgentState: wanted };
    this.ask(program, 'setAgentState', params, (id) => {
      this.agents.set(agentId, wanted === 'loggedOn' ? 'notReady' : wanted);
      const body = { agentId, deviceId: number };
      this.emit(event[wanted], [number], body, program.session, id);
      return { result: {} };
    });
  }

  private phone(phone: string, call: Call, state: string): void {
    this.write({ kind: 'phone', phone, dialog: call.guid, state });
  }

  private callOf(device: string): Call | undefined {
    return [...this.calls.values()].find((c) => c.parties.some((p) => p.deviceId === device));
  }

  private rest(): void {
    const connections = [...this.calls.values()].flatMap((call) =>
      call.parties.map((p) => ({ callId: call.id, ...p })),
    );
    const agents = [...this.agents]
      .filter(([, state]) => state !== 'loggedOff')
      .map(([agentId, state]) => ({ agentId, deviceId: agentId.slice(5), state }));
    const position = this.log.length;
    this.write({ kind: 'quiet', snapshot: { position, connections, agents } });
  }
}

export function idealHistory(seed: number, steps = 150): readonly Line[] {
  return new Ideal(seed).play(steps);
}
