/**
 * The client of a pair, without sockets and clocks: it holds a connection to each box, knows which one
 * serves, goes on with its session wherever that is, repeats what was not answered, and gives every
 * event once and in order. `index.ts` is its shell; a test may be another.
 *
 *   hello, systemStatus ─► which box serves ─► startSession │ resumeSession {since}
 *   its answer          ─► what was not answered is said again, in its order
 *   events              ─► each once: ids only grow; `since` is the last one
 *
 * What is asked keeps its id, so that a box which did it already answers it again.
 */

import type { CtiEvent, Hello, SystemStatus } from '../cti/notices.ts';

export type CoreOptions = {
  readonly boxes: number;
  readonly program: string;
  readonly password: string;
};

export type Fault = {
  /** A stable word (`data.code` of the answer), or `closed`. */
  readonly code: string;
  readonly message: string;
  readonly data?: { readonly [name: string]: unknown };
};

export type CoreEffect =
  | { readonly kind: 'connect'; readonly box: number }
  | { readonly kind: 'send'; readonly box: number; readonly text: string }
  | { readonly kind: 'close'; readonly box: number }
  | { readonly kind: 'result'; readonly call: number; readonly result: object }
  | { readonly kind: 'fault'; readonly call: number; readonly fault: Fault }
  | { readonly kind: 'event'; readonly event: CtiEvent }
  | { readonly kind: 'status'; readonly at: number; readonly status: SystemStatus }
  /** The connection to this box is no more; another is tried. */
  | { readonly kind: 'away'; readonly at: number }
  /** A session is there, or there again, at this box. */
  | { readonly kind: 'serving'; readonly at: number }
  /** The session is gone with what it watched: begin anew. */
  | { readonly kind: 'afresh' }
  /** Events were missed that are not kept any more: take snapshots. */
  | { readonly kind: 'eventsLost' }
  /** For good: the password is wrong, or another connection took the session. */
  | { readonly kind: 'over'; readonly fault: Fault };

type Box = {
  state: 'idle' | 'connecting' | 'open';
  role: 'unknown' | 'primary' | 'backup';
  epoch: number;
  heardAt: number;
  saidAt: number;
  /** Connect, or prove again, not before. */
  againAt: number;
  /** Id of the request by which it proves itself; 0 for none. */
  proving: number;
  proven: boolean;
  periodMs: number;
  misses: number;
};

type Call = {
  readonly id: number;
  readonly method: string;
  readonly params: object;
  /** It was said to a box, which may have done it; and said again. */
  said: boolean;
  again: boolean;
};

type Frame = {
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: object;
  readonly result?: { readonly [name: string]: unknown };
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: { readonly code?: string; readonly [name: string]: unknown };
  };
};

/** A box that cannot be reached is tried again after this, ms. */
const AGAIN_MS = 250;
/** What was refused for a moment is tried again after this, ms. */
const PATIENCE_MS = 100;
/** The box is told what came after this, ms, and when nothing came after that. */
const ACK_MS = 1000;
const IDLE_ACK_MS = 5000;
/** Until a box says otherwise. */
const PERIOD_MS = 1000;
const MISSES = 3;

/** These change nothing: they are not remembered by a box, and never waited for by `ack`. */
export function changesNothing(method: string): boolean {
  return /^(get|snapshot)/.test(method) || ['ping', 'ack', 'stopSession'].includes(method);
}

export class Core {
  readonly out: CoreEffect[] = [];
  session = '';
  /** Id of the last event; everything up to it was given. */
  since = 0;
  /** The box that serves us; -1 for none. */
  serving = -1;
  private readonly options: CoreOptions;
  private readonly boxes: Box[];
  private readonly calls = new Map<number, Call>();
  private nextId = 1;
  private over = false;
  /** What was missed is being given: the position of an answer says nothing yet. */
  private behind = false;
  private ackAt = 0;
  private acking = 0;
  private answered = 0;
  private told = 0;
  /** Not primary, said a box that ought to be: then it is asked again. */
  private repeatAt = 0;
  private now = 0;

  constructor(options: CoreOptions, now: number) {
    this.options = options;
    this.now = now;
    this.boxes = Array.from({ length: options.boxes }, () => ({
      state: 'idle',
      role: 'unknown',
      epoch: -1,
      heardAt: now,
      saidAt: now,
      againAt: now,
      proving: 0,
      proven: false,
      periodMs: PERIOD_MS,
      misses: MISSES,
    }));
    this.tick(now);
  }

  get unanswered(): number {
    return this.calls.size;
  }

  // ── from the program ─────────────────────────────────────────────────────────────────────────

  /** @returns the number by which `result` or `fault` tells what came of it. */
  call(method: string, params: object): number {
    const id = this.id();
    const call = { id, method, params, said: false, again: false };
    if (this.over) this.out.push({ kind: 'fault', call: id, fault: CLOSED });
    else {
      this.calls.set(id, call);
      this.say(call);
    }
    return id;
  }

  /** Ends the connections; the session ends by itself, or was stopped before. */
  close(fault: Fault = CLOSED): void {
    if (this.over) return;
    this.over = true;
    this.serving = -1;
    this.boxes.forEach((box, at) => {
      if (box.state !== 'idle') this.out.push({ kind: 'close', box: at });
      box.state = 'idle';
    });
    for (const { id } of this.calls.values()) this.out.push({ kind: 'fault', call: id, fault });
    this.calls.clear();
  }

  // ── from the shell ───────────────────────────────────────────────────────────────────────────

  opened(at: number, now: number): void {
    this.now = now;
    const box = this.boxes[at];
    if (box === undefined || box.state !== 'connecting') return;
    Object.assign(box, { state: 'open', heardAt: now, saidAt: now, role: 'unknown' });
    box.proving = 0;
    box.proven = false;
  }

  /** @param code of the close, 0 when there was none. */
  closed(at: number, code: number, now: number): void {
    this.now = now;
    const box = this.boxes[at];
    if (box === undefined || box.state === 'idle') return;
    const replaced = code === REPLACED && at === this.serving;
    this.drop(at, box);
    if (replaced) this.end({ code: 'replaced', message: 'Another connection took the session.' });
  }

  private drop(at: number, box: Box): void {
    box.state = 'idle';
    box.role = 'unknown';
    box.proving = 0;
    box.againAt = this.now + AGAIN_MS;
    if (this.serving === at) this.serving = -1;
    this.out.push({ kind: 'away', at });
    this.settle();
  }

  /** Time passes: whoever is silent is dropped, whoever is away is called, signs of life are given. */
  tick(now: number): void {
    this.now = now;
    if (this.over) return;
    this.boxes.forEach((box, at) => {
      if (box.state === 'idle') {
        if (now < box.againAt) return;
        box.state = 'connecting';
        box.heardAt = now;
        this.out.push({ kind: 'connect', box: at });
        return;
      }
      if (now - box.heardAt > box.periodMs * box.misses) {
        this.out.push({ kind: 'close', box: at });
        this.drop(at, box);
        return;
      }
      if (box.state !== 'open') return;
      if (now - box.saidAt >= box.periodMs) this.request(at, this.id(), 'ping', {});
    });
    if (this.repeatAt !== 0 && now >= this.repeatAt) this.repeat();
    this.settle();
    if (now >= this.ackAt) this.ack();
  }

  /** When `tick` has something to do at the latest. */
  deadline(): number {
    let at = this.ackAt === 0 ? Number.MAX_SAFE_INTEGER : this.ackAt;
    if (this.repeatAt !== 0) at = Math.min(at, this.repeatAt);
    for (const box of this.boxes) {
      if (box.state === 'idle' || box.againAt > this.now) at = Math.min(at, box.againAt);
      if (box.state !== 'idle') at = Math.min(at, box.heardAt + box.periodMs * box.misses + 1);
      if (box.state === 'open') at = Math.min(at, box.saidAt + box.periodMs);
    }
    return at;
  }

  /** A frame came: a sign of life, whatever it says. */
  frame(at: number, text: string, now: number): void {
    this.now = now;
    const box = this.boxes[at];
    if (box === undefined || box.state !== 'open' || this.over) return;
    box.heardAt = now;
    const frame = read(text);
    if (frame === undefined) return;
    switch (frame.method) {
      case undefined:
        this.answer(at, box, frame);
        return;
      case 'hello': {
        const { liveness } = frame.params as Hello;
        box.periodMs = liveness.periodMs;
        box.misses = liveness.misses;
        this.status(at, box, frame.params as SystemStatus);
        return;
      }
      case 'systemStatus':
        this.status(at, box, frame.params as SystemStatus);
        return;
      case 'event':
        this.event(at, frame.params as CtiEvent);
        return;
      case 'caughtUp':
        if (at !== this.serving) return;
        this.behind = false;
        this.since = Math.max(this.since, (frame.params as { position: number }).position);
        return;
      default:
    }
  }

  private event(at: number, event: CtiEvent): void {
    // what another box still says is in what this one gives
    if (at !== this.serving || event.id <= this.since) return;
    this.since = event.id;
    this.news();
    this.out.push({ kind: 'event', event });
  }

  private status(at: number, box: Box, status: SystemStatus): void {
    box.role = status.role;
    box.epoch = status.epoch;
    this.out.push({ kind: 'status', at, status });
    if (this.serving === at && status.role !== 'primary') this.serving = -1;
    // a new reign of the box that serves knows no connections of the old one
    box.proving = 0;
    this.settle();
  }

  // ── the session ──────────────────────────────────────────────────────────────────────────────

  /** Goes where the pair serves, and shows who we are at the other box. */
  private settle(): void {
    if (this.over) return;
    const primary = this.primary();
    this.boxes.forEach((box, at) => {
      if (box.state !== 'open' || box.proving !== 0 || this.now < box.againAt) return;
      const goes = at === primary && at !== this.serving;
      const shows = box.role === 'backup' && !box.proven && this.session !== '';
      if (goes || shows) this.prove(at, box);
    });
  }

  private primary(): number {
    let best = -1;
    this.boxes.forEach((box, at) => {
      if (box.state !== 'open' || box.role !== 'primary') return;
      if (best < 0 || box.epoch > (this.boxes[best]?.epoch ?? -1)) best = at;
    });
    return best;
  }

  private prove(at: number, box: Box): void {
    const { program, password } = this.options;
    box.proving = this.id();
    if (this.session === '') this.request(at, box.proving, 'startSession', { program, password });
    else {
      const { session, since } = this;
      this.request(at, box.proving, 'resumeSession', { program, password, session, since });
    }
  }

  private answer(at: number, box: Box, frame: Frame): void {
    const { id } = frame;
    if (typeof id !== 'number') return;
    if (id === box.proving) {
      box.proving = 0;
      this.proved(at, box, frame);
      return;
    }
    if (id === this.acking) this.acked(at, frame);
    const call = this.calls.get(id);
    if (call === undefined) return;
    const code = frame.error?.data?.code;
    // a session that is not there any more was stopped, whoever heard so
    if (code === 'unknownSession' && call.method === 'stopSession') {
      this.calls.delete(id);
      this.out.push({ kind: 'result', call: id, result: {} });
      return;
    }
    // it was not done: it will be, here in a moment or there
    if (code === 'notPrimary' || code === 'unknownSession') {
      this.postpone(at, code);
      return;
    }
    // not looked at, so nobody knows whether it was done when it was said before
    if (call.again && frame.error?.data?.['again'] === true) {
      this.repeatAt = this.now + PATIENCE_MS;
      return;
    }
    this.calls.delete(id);
    if (!changesNothing(call.method)) {
      this.answered = id;
      this.news();
    }
    if (frame.result !== undefined) {
      this.out.push({ kind: 'result', call: id, result: frame.result });
    } else this.out.push({ kind: 'fault', call: id, fault: faultOf(frame) });
  }

  private postpone(at: number, code: string): void {
    if (at !== this.serving) return;
    if (code === 'unknownSession') {
      // the box forgot the connection, or the session: to resume tells which
      this.serving = -1;
      this.settle();
    } else this.repeatAt = this.now + PATIENCE_MS;
  }

  private proved(at: number, box: Box, frame: Frame): void {
    const { result, error } = frame;
    if (result !== undefined) {
      box.proven = true;
      // late: another box leads by now, and is asked, or has the session already
      if (at === this.primary()) this.attached(at, result);
      return;
    }
    switch (error?.data?.code) {
      case 'notPrimary':
        box.proven = true;
        box.againAt = this.now + PATIENCE_MS;
        return;
      case 'unknownSession':
        this.afresh();
        return;
      case 'eventsLost':
        this.since = Number(error.data['position'] ?? 0);
        this.out.push({ kind: 'eventsLost' });
        this.settle();
        return;
      case 'invalidPassword':
      case 'invalidParameter':
        this.end(faultOf(frame));
        return;
      default:
        // too many, too much: later
        box.againAt = this.now + AGAIN_MS;
    }
  }

  private attached(at: number, result: { readonly [name: string]: unknown }): void {
    this.serving = at;
    if (typeof result['session'] === 'string') {
      this.session = result['session'];
      this.since = Number(result['position']);
      this.behind = false;
    } else this.behind = Number(result['missed']) > 0;
    this.told = 0;
    this.ackAt = this.now + ACK_MS;
    this.out.push({ kind: 'serving', at });
    this.settle();
    this.repeat();
  }

  private afresh(): void {
    this.session = '';
    this.since = 0;
    this.serving = -1;
    this.answered = 0;
    // whether these were done nobody can say any more
    const fault = {
      code: 'unknownSession',
      message: 'The session is gone; it may have been done.',
    };
    for (const call of [...this.calls.values()]) {
      if (!call.said) continue;
      this.calls.delete(call.id);
      this.out.push({ kind: 'fault', call: call.id, fault });
    }
    this.out.push({ kind: 'afresh' });
    this.settle();
  }

  private end(fault: Fault): void {
    if (this.over) return;
    this.close(fault);
    this.out.push({ kind: 'over', fault });
  }

  /** What was not answered is said again, in its order. */
  private repeat(): void {
    this.repeatAt = 0;
    for (const call of this.calls.values()) this.say(call);
  }

  private say(call: Call): void {
    if (this.serving < 0) return;
    call.again = call.said;
    call.said = true;
    this.request(this.serving, call.id, call.method, call.params);
  }

  /** Tells what came, and asks how far that is: events up to there were for others. */
  private ack(): void {
    this.ackAt = 0;
    const { serving, since, answered, told } = this;
    if (serving < 0) return;
    this.ackAt = this.now + IDLE_ACK_MS;
    this.told = answered;
    this.acking = this.id();
    const request = answered === told ? {} : { request: answered };
    this.request(serving, this.acking, 'ack', { upTo: since, ...request });
  }

  /** Something came that a box keeps for us until it hears so. */
  private news(): void {
    const at = this.now + ACK_MS;
    this.ackAt = this.ackAt === 0 ? at : Math.min(this.ackAt, at);
  }

  private acked(at: number, frame: Frame): void {
    this.acking = 0;
    const position = frame.result?.['position'];
    if (at !== this.serving || this.behind || typeof position !== 'number') return;
    this.since = Math.max(this.since, position);
  }

  private id(): number {
    const id = this.nextId;
    this.nextId += 1;
    return id;
  }

  private request(at: number, id: number, method: string, params: object): void {
    const box = this.boxes[at];
    if (box?.state !== 'open') return;
    box.saidAt = this.now;
    const text = JSON.stringify({ jsonrpc: '2.0', id, method, params });
    this.out.push({ kind: 'send', box: at, text });
  }
}

const CLOSED: Fault = { code: 'closed', message: 'The client was closed.' };
/** Close code of a connection whose session another one took. */
const REPLACED = 4001;

function faultOf(frame: Frame): Fault {
  const { message = '', data } = frame.error ?? {};
  return { code: data?.code ?? 'notSupported', message, ...(data === undefined ? {} : { data }) };
}

function read(text: string): Frame | undefined {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === 'object' && frame !== null ? frame : undefined;
  } catch {
    return undefined;
  }
}
