/**
 * A contact centre in the world: phones that answer when a program says so, programs that ask for
 * things all the time, and everything they say and hear written down. It lives beside the phones of the
 * call book and knows nothing of them; `test/history` judges what was written.
 */

import { SEEN } from '../../src/call/agent/machine.ts';
import { AGENT } from '../../src/call/agent/rows.ts';
import { CDR } from '../../src/call/csta/cdr.ts';
import { EVENT, PARTY } from '../../src/call/csta/rows.ts';
import type { BoxId } from '../../src/pair/terms.ts';
import { PLAIN_CENTRE } from '../../src/proto/centre.ts';
import { PLAIN_SITE, type Site } from '../../src/proto/site.ts';
import { Actor } from '../history/actor.ts';
import { type Connect, CoreEnd } from '../history/core-end.ts';
import type { CdrView, Line } from '../history/record.ts';
import { Recorder } from '../history/recorder.ts';
import { Softphone } from '../history/softphone.ts';
import { type Duty, Will } from '../history/will.ts';
import { type Box, LAN_ADDRESS, VIP } from './box.ts';
import { CTI_PASSWORD, WS_PING } from './cti-door.ts';
import { CtiEnd } from './cti-end.ts';
import { Dice } from './dice.ts';
import { Host } from './host.ts';
import { ledgerOf } from './inside.ts';
import type { Queue } from './queue.ts';
import { CTI_PORT, Stream } from './stream.ts';
import type { Switch } from './switch.ts';

export type CentreDraw = {
  /** Programs besides the witness. */
  readonly programs: number;
  readonly phones: number;
  /** Mean pause of a program between two wishes, ms. */
  readonly gapMs: number;
  /** Mean pause of a phone between two calls of its own, ms; 0: none. */
  readonly callGapMs: number;
};

const FIRST = 1200;
const POINT = '5000';
const QUEUE = '6000';

const NO_ANSWER = { afterS: 4, overflow: ['recall'], action: 'not-ready' } as const;
const AGENT_LOGIN = {
  password: '',
  queues: [QUEUE],
  wrapUpS: 1,
  noAnswer: { afterS: 0, overflow: [], action: 'none' },
  autoLogoutS: 0,
  legalGuardS: 0,
  record: false,
} as const;

const PLACES = {
  points: {
    [POINT]: {
      number: POINT,
      timeoutS: 2,
      defaults: [QUEUE],
      hopLimit: 4,
      charge: 'early',
      treatment: '',
      noAnswer: NO_ANSWER,
    },
  },
  queues: {
    [QUEUE]: {
      number: QUEUE,
      name: 'queue',
      charge: 'early',
      treatment: '',
      maxCalls: 4,
      maxWaitS: 10,
      overflow: [],
      noAnswer: NO_ANSWER,
    },
  },
} as const;

export function centreSite(draw: CentreDraw): Site {
  const names = ['witness', ...Array.from({ length: draw.programs }, (_, n) => `program${n}`)];
  return {
    ...PLAIN_SITE,
    centre: {
      ...PLAIN_CENTRE,
      ...PLACES,
      agents: Object.fromEntries(
        Array.from({ length: draw.phones }, (_, n) => [
          `agent${FIRST + n}`,
          { ...AGENT_LOGIN, id: `agent${FIRST + n}` },
        ]),
      ),
      strict: 'no',
      // nobody plays anything in the world
      musicOnHold: '',
      programs: names.map((name) => ({
        name,
        password: CTI_PASSWORD,
        roles: ['observe', 'control', 'route', 'supervise'],
        devices: [],
        rate: 1000,
        burst: 1000,
      })),
    },
  };
}

export class Centre {
  readonly lines: Line[] = [];
  readonly phones: Softphone[] = [];
  readonly actors: Actor[] = [];
  readonly book: Recorder;
  private readonly ends: { start(): void }[] = [];
  private readonly queue: Queue;

  constructor(queue: Queue, lan: Switch, seed: number, draw: CentreDraw) {
    this.queue = queue;
    const dice = new Dice(seed).fork('centre');
    this.book = new Recorder(
      () => Math.round(queue.now * 1000) / 1000,
      (line) => this.lines.push(line),
    );
    this.book.say('head', { place: 'world', seed, whole: false });
    const numbers = Array.from({ length: draw.phones }, (_, n) => `${FIRST + n}`);
    for (const [n, number] of numbers.entries()) this.phone(lan, dice, number, n, numbers, draw);
    for (let n = 0; n <= draw.programs; n += 1) this.program(lan, dice, n, numbers, draw);
  }

  private phone(
    lan: Switch,
    dice: Dice,
    number: string,
    n: number,
    numbers: readonly string[],
    draw: CentreDraw,
  ): void {
    const ip = `192.0.2.${140 + n}`;
    const mac = `02:53:50:00:04:${(n + 256).toString(16).slice(1)}`;
    const host = new Host(this.queue, lan, `q${n}`, mac, ip);
    const phone = new Softphone(
      {
        number,
        ip,
        port: 5060,
        server: VIP,
        send: (text) => {
          host.send({ srcIp: ip, srcPort: 5060, dstIp: VIP, dstPort: 5060, text });
        },
      },
      {
        ringMs: [50, 1500],
        selfOdds: 0.6,
        refuseOdds: 0.1,
        talkMs: [500, 20_000],
        gapMs: draw.callGapMs,
        calls: numbers.filter((other) => other !== number),
      },
      { clock: this.queue, dice: dice.fork(`phone ${number}`), book: this.book },
    );
    host.onUdp = (udp) => phone.receive(udp.text ?? '');
    this.phones.push(phone);
  }

  private program(
    lan: Switch,
    dice: Dice,
    n: number,
    numbers: readonly string[],
    draw: CentreDraw,
  ): void {
    const witness = n === 0;
    const name = witness ? 'witness' : `program${n - 1}`;
    const own = dice.fork(name);
    // each has its own, and some are watched by several
    const share = Math.ceil(numbers.length / draw.programs);
    const from = (n - 1) * share;
    const devices = witness ? [] : numbers.slice(from, from + share + own.whole(0, 2));
    const duty: Duty = {
      ...{ devices, others: numbers, routes: n === 1, leaveOut: LEFT_OUT },
      ...(witness ? { queues: [], points: [] } : { queues: [QUEUE], points: [POINT] }),
    };
    const actor = new Actor(
      name,
      new Will(own.fork('will'), duty),
      { gapMs: draw.gapMs, most: 3, witness },
      { clock: this.queue, dice: own.fork('pace'), book: this.book },
    );
    const ip = `192.0.2.${160 + n}`;
    const mac = `02:53:50:00:03:${(n + 256).toString(16).slice(1)}`;
    const host = new Host(this.queue, lan, `cti${n}`, mac, ip);
    this.actors.push(actor);
    const way = own.fork('end');
    // the product's library, and one that was written from the guide alone
    const proof = { program: name, password: CTI_PASSWORD };
    this.ends.push(
      n % 2 === 0
        ? new CoreEnd(actor, this.queue, worldSockets(this.queue, host, ip), proof)
        : new CtiEnd(this.queue, way, host, ip, actor),
    );
  }

  /** Programs connect; nobody does anything before the witness watches. */
  start(): void {
    for (const end of this.ends) end.start();
  }

  get witnessed(): boolean {
    return this.actors[0]?.idle === true;
  }

  work(): void {
    for (const phone of this.phones) phone.start();
    for (const actor of this.actors) actor.work();
  }

  rest(): void {
    for (const actor of this.actors) actor.rest();
    for (const phone of this.phones) phone.rest();
  }

  get idle(): boolean {
    return this.actors.every((actor) => actor.idle);
  }

  /** Everything that stands is ended, by the phones. */
  hangUp(): void {
    for (const phone of this.phones) phone.hangUp();
  }

  get quiet(): boolean {
    return this.phones.every((phone) => phone.busy === 0);
  }

  fault(box: BoxId | '', what: string): void {
    this.book.say('fault', { box, what });
  }

  /** What the rows of the primary say. */
  look(primary: Box): void {
    const ledger = ledgerOf(primary);
    if (ledger === undefined) return;
    const connections = [...ledger.rows(PARTY)].map((party) => ({
      callId: party.ccall,
      deviceId: party.device,
      state: party.state,
    }));
    const position = ledger.tables.of(EVENT).nextId - 1;
    const agents = [...ledger.rows(AGENT)].map((agent) => ({
      agentId: agent.agent,
      deviceId: agent.device,
      state: SEEN[agent.state].state,
    }));
    this.book.say('quiet', { snapshot: { position, connections, agents } });
  }

  /** What both boxes have of calls that are over. */
  private records(boxes: readonly Box[]): void {
    for (const box of boxes) {
      const ledger = ledgerOf(box);
      if (ledger === undefined) continue;
      for (const row of ledger.rows(CDR)) {
        this.book.say('cdr', { box: box.id, cdr: JSON.parse(row.line) as CdrView });
      }
    }
  }

  /** The record is whole: whatever is missing in it was lost. */
  close(boxes: readonly Box[]): void {
    this.records(boxes);
    const [head, ...rest] = this.lines;
    if (head?.kind !== 'head') return;
    this.lines.splice(0, this.lines.length, { ...head, whole: true }, ...rest);
  }
}

/** Services that are not there yet. */
const LEFT_OUT: ReadonlySet<string> = new Set([]);

/** WebSockets of a host of the world. A ping is answered by the socket, as a browser's does. */
function worldSockets(queue: Queue, host: Host, ip: string): Connect {
  return (box, ears) => {
    const connection = host.tcp.connect(ip, LAN_ADDRESS[box === 0 ? 'a' : 'b'], CTI_PORT);
    const stream = new Stream('ws', connection, false);
    let open = true;
    stream.onUp = () => ears.open();
    stream.onText = (text) => {
      if (text === WS_PING) stream.send(WS_PING);
      else if (open) ears.text(text);
    };
    stream.onDown = () => {
      if (!open) return;
      open = false;
      ears.closed(1006);
    };
    // an attempt nobody answers is given up by the program's kernel
    queue.after(CONNECT_MS, () => {
      if (stream.up || !open) return;
      open = false;
      connection.abort();
      ears.closed(1006);
    });
    return {
      send: (text) => stream.send(text),
      close: () => {
        open = false;
        connection.abort();
      },
    };
  };
}

const CONNECT_MS = 4000;
