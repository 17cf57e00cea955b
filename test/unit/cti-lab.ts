/**
 * Programs beside the SIP core of `call-lab.ts`: the door and the hub as the box has them, and programs
 * that speak by frames of text. `swap` is another box: a hub that knows nobody, rows that know all.
 */

import { readFrame } from '../../src/cti/door.ts';
import { CLOSE, Hub } from '../../src/cti/hub.ts';
import {
  type Centre,
  PLAIN_CENTRE,
  type Program as ProgramConfig,
} from '../../src/proto/centre.ts';
import { PLAIN_SITE } from '../../src/proto/site.ts';
import { type Lab, Peer, Lab as SipLab } from './call-lab.ts';

export const ALL_ROLES: ProgramConfig['roles'] = ['observe', 'control', 'route', 'supervise'];

export function programConfig(name: string, given: Partial<ProgramConfig> = {}): ProgramConfig {
  return {
    name,
    password: 'secret',
    roles: ALL_ROLES,
    devices: [],
    rate: 1000,
    burst: 1000,
    ...given,
  };
}

export type Answer = {
  readonly id?: number | string | null;
  readonly result?: { readonly [key: string]: unknown };
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data: { readonly code: string; readonly [key: string]: unknown };
  };
};

export type Told = {
  readonly id: number;
  readonly event: string;
  readonly monitors: readonly number[];
  readonly requestId?: number | string;
  readonly [key: string]: unknown;
};

export class CtiLab {
  readonly lab: Lab;
  hub = new Hub();
  /** What the engine said that has not passed its gate. */
  closedGate = false;
  private conns = new Map<number, Program>();
  private nextConn = 1;

  constructor(
    programs: readonly ProgramConfig[] = [programConfig('desk')],
    centre: Partial<Centre> = {},
  ) {
    const site = { ...PLAIN_SITE, centre: { ...PLAIN_CENTRE, ...centre, programs } };
    this.lab = new SipLab({ site });
    this.hub.serves(true);
  }

  connect(program: Program): number {
    const conn = this.nextConn;
    this.nextConn += 1;
    this.hub.open(conn);
    this.conns.set(conn, program);
    return conn;
  }

  drop(conn: number): void {
    this.conns.delete(conn);
    this.hub.closed(conn);
    this.settle();
  }

  frame(conn: number, program: string, text: string): void {
    const asked = readFrame(text);
    if (typeof asked === 'string') {
      this.conns.get(conn)?.hear(asked);
      return;
    }
    this.hub.asked(conn, program, asked.id, asked.method, asked.params);
    this.settle();
  }

  /** Lets what was said through, and what follows from it, until nothing is said any more. */
  settle(): void {
    for (;;) {
      const effect = this.hub.out.shift();
      if (effect !== undefined) {
        if (effect.kind === 'ask') this.lab.fromProgram(effect.request);
        else if (effect.kind === 'gap') this.hub.goOn(effect.conn);
        else if (effect.kind === 'close') {
          this.conns.get(effect.conn)?.closed(effect.code);
          this.conns.delete(effect.conn);
        } else this.conns.get(effect.conn)?.hear(effect.text);
        continue;
      }
      const said = this.closedGate ? undefined : this.lab.programs.shift();
      if (said === undefined) return;
      this.hub.take(said);
    }
  }

  /** Another box serves; `lose`: what waited at the gate was never said. */
  swap(lose: boolean): void {
    if (lose) this.lab.programs.length = 0;
    else this.settle();
    this.closedGate = false;
    for (const program of this.conns.values()) program.closed(0);
    this.conns.clear();
    this.hub = new Hub();
    this.hub.serves(true);
    this.lab.swap(lose);
    this.settle();
  }

  pass(ms: number): void {
    this.lab.pass(ms);
    this.settle();
  }
}

/** A program, driven by hand. */
export class Program {
  readonly cti: CtiLab;
  readonly name: string;
  conn = 0;
  session = '';
  closedBy: number | undefined;
  readonly answers: Answer[] = [];
  readonly events: Told[] = [];
  private nextId = 1;

  constructor(cti: CtiLab, name = 'desk') {
    this.cti = cti;
    this.name = name;
    this.conn = cti.connect(this);
  }

  hear(text: string): void {
    const frame = JSON.parse(text);
    if (frame.method === 'event') this.events.push(frame.params);
    else this.answers.push(frame);
  }

  closed(code: number): void {
    this.closedBy = code;
    this.conn = 0;
  }

  send(method: string, params: object = {}, id?: number | string): number | string {
    const known = id ?? this.nextId++;
    const text = JSON.stringify({ jsonrpc: '2.0', id: known, method, params });
    this.cti.frame(this.conn, this.name, text);
    return known;
  }

  /** Asks, and gives the one answer. */
  ask(method: string, params: object = {}, id?: number | string): Answer {
    const known = this.send(method, params, id);
    const mine = this.answers.filter((a) => a.id === known);
    const last = mine.at(-1);
    if (last === undefined) throw new Error(`no answer to ${method}`);
    return last;
  }

  start(): this {
    const { result } = this.ask('startSession', { program: this.name, password: 'secret' });
    this.session = String(result?.['session']);
    return this;
  }

  /** Comes back over a new connection, having seen everything up to `since`. */
  resume(since = this.events.at(-1)?.id ?? 0): Answer {
    this.conn = this.cti.connect(this);
    this.closedBy = undefined;
    const credentials = { program: this.name, password: 'secret', session: this.session };
    return this.ask('resumeSession', { ...credentials, since });
  }

  /** @returns the reference of a new monitor. */
  watch(what: object): number {
    return Number(this.ask('monitorStart', what).result?.['monitor']);
  }

  drop(): void {
    this.cti.drop(this.conn);
    this.conn = 0;
  }

  take(): Told[] {
    return this.events.splice(0);
  }
}

export function phone(cti: CtiLab, user: string, ip: string): Peer {
  const peer = new Peer(cti.lab, user, ip);
  cti.lab.register(peer);
  return peer;
}

export { CLOSE };
