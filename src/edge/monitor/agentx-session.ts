/**
 * The way to Debian's snmpd: AgentX (RFC 2741) by the npm package net-snmp, and what the package leaves
 * to be done. Found in version 3.29.2, and mended here:
 *
 *   - it takes each piece of the stream for one message: pieces are put together and cut apart here
 *   - nothing connects anew, and what was asked of a connection that ended is never answered: a session
 *     is thrown away whole, a new one opened after a growing pause, and everything registered again
 *   - a question that is never answered waits for ever: a ping each 10 s finds a master that hangs
 *   - GETBULK reads a field that does not exist, GETNEXT ignores where a range ends and whether its
 *     start counts: the three are answered here, from a list that is sorted once
 *   - strings are written as UTF-8 with the length in characters: addresses and dates would be damaged
 *   - the uptime it sends with notifications is that of the process, not of the agent: it is left out,
 *     and the master puts its own in (RFC 2741 6.2.10)
 *   - values live in a tree that must be kept up to date: it is not used
 */

import snmp, {
  type AgentxVarbind,
  type Done,
  type Pdu,
  type SearchRange,
  type Subagent,
} from 'net-snmp';
import { type Instances, type Oid, oidOf, oidText, type Varbind } from '../../panel/mib/values.ts';

const { AgentXPdu, AgentXPduType, ObjectType } = snmp;

/** RFC 2741 6.1: version, type, flags, reserved, session, transaction, packet, payload length. */
const HEADER_BYTES = 20;
/** No message of a master is longer. */
const LONGEST_BYTES = 1024 * 1024;
const PING_MS = 10_000;
/** Between tries: doubled from the first to the last. */
const AGAIN_MS = 500;
const AGAIN_MOST_MS = 30_000;
/** Notifications that wait for a master or for its answer; the oldest goes. */
const WAITING = 100;
/** One that so many masters took and none answered is not told again: it may be what they die of. */
const TRIES = 3;
/** Values of one answer to GETBULK, whatever is asked. */
const BULK = 500;

const END_OF_VIEW = 130;
const NO_OBJECT = 128;
const NO_INSTANCE = 129;
const NOT_WRITABLE = 17;
const SNMP_TRAP_OID = '1.3.6.1.6.3.1.1.4.1.0';

const TYPES = {
  integer: 2,
  octets: 4,
  oid: 6,
  counter32: 65,
  gauge: 66,
  ticks: 67,
  counter64: 70,
} as const;

// ── mended once, for all sessions ──────────────────────────────────────────────────────────────

AgentXPdu.writeOctetString = (buffer, value) => {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  buffer.writeUInt32BE(bytes.length);
  buffer.writeBuffer(Buffer.from(bytes));
  for (let i = bytes.length; i % 4 !== 0; i++) buffer.writeUInt8(0);
};

type Peek = { readonly internalBuffer: Buffer; readonly readOffset: number };

AgentXPdu.readSearchRange = (buffer) => {
  const { internalBuffer, readOffset } = buffer as unknown as Peek;
  // the third octet of an object identifier; the package reads it and forgets it
  const include = internalBuffer[readOffset + 2] === 1;
  return { start: AgentXPdu.readOid(buffer), end: AgentXPdu.readOid(buffer), include };
};

// ── a session ──────────────────────────────────────────────────────────────────────────────────

export type AgentxOptions = {
  /** Path of a unix socket, or a port of 127.0.0.1. */
  readonly master: string | number;
  readonly regions: readonly Oid[];
  /** What there is now. */
  readonly instances: () => Instances;
  /** The master's uptime, hundredths of a second, as it says when a session begins. */
  readonly begun: (sysUpTime: number) => void;
  readonly log: (level: 'info' | 'warning', text: string) => void;
  /** Between signs of life; 10 s unless given. */
  readonly pingMs?: number;
};

type Told = { readonly pdu: Pdu; tries: number };

export class AgentxSession {
  private readonly options: AgentxOptions;
  private agent: Subagent | undefined;
  private pending: Buffer = Buffer.alloc(0);
  private registered = false;
  private waiting: Told[] = [];
  /** Given to this master, not answered: one that ends may have lost it, or sent it. Better twice. */
  private readonly unanswered = new Set<Told>();
  private lost = 0;
  private pauseMs = AGAIN_MS;
  private timer: NodeJS.Timeout | undefined;
  private answered = true;
  private closed = false;
  private told = '';

  constructor(options: AgentxOptions) {
    this.options = options;
    this.connect();
  }

  /** Registered, and able to tell. */
  get up(): boolean {
    return this.registered;
  }

  notify(trap: Oid, varbinds: readonly Varbind[]): void {
    const pdu = AgentXPdu.createFromVariables({
      pduType: AgentXPduType['Notify'],
      varbinds: [
        { oid: SNMP_TRAP_OID, type: ObjectType['OID'], value: oidText(trap) },
        ...varbinds.map(wireOf),
      ],
    });
    this.wait([...this.waiting, { pdu, tries: 0 }]);
    if (this.registered) this.tellAll();
  }

  private wait(told: readonly Told[]): void {
    this.waiting = told.slice(-WAITING);
    this.lost += told.length - this.waiting.length;
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.drop();
  }

  private connect(): void {
    const { master } = this.options;
    const agent = snmp.createSubagent({
      masterPort: master,
      master: '127.0.0.1',
      description: 'sipair',
      // its own tree would read files for a tenth of a second, for nothing
      mib: {},
    });
    this.agent = agent;
    this.pending = Buffer.alloc(0);
    agent.socket.removeAllListeners('data');
    agent.socket.on('data', (piece) => this.data(agent, piece));
    agent.on('error', (e: Error) => this.again(agent, e.message));
    agent.on('close', () => this.again(agent, 'it closed the connection'));
    agent.getRequest = (pdu) => answer(agent, pdu, this.get(pdu));
    agent.getNextRequest = (pdu) => answer(agent, pdu, this.next(pdu));
    agent.getBulkRequest = (pdu) => answer(agent, pdu, this.bulk(pdu));
    agent.testSet = (pdu) => refuse(agent, pdu);
    agent.socket.once('connect', () => this.open(agent));
  }

  private open(agent: Subagent): void {
    agent.open((_, opened) => {
      if (this.wrong(agent, 'open', opened)) return;
      this.options.begun(opened.sysUpTime ?? 0);
      let left = this.options.regions.length;
      for (const oid of this.options.regions) {
        this.register(agent, oid, () => {
          left -= 1;
          if (left === 0) this.ready(agent);
        });
      }
    });
    this.watch(agent);
  }

  private register(agent: Subagent, oid: Oid, done: () => void): void {
    const pdu = AgentXPdu.createFromVariables({
      pduType: AgentXPduType['Register'],
      sessionID: agent.sessionID,
      rangeSubid: 0,
      timeout: 5,
      priority: 127,
      oid: oidText(oid),
    });
    agent.sendPdu(pdu, (_, answered) => {
      if (!this.wrong(agent, `register ${oidText(oid)}`, answered)) done();
    });
  }

  private ready(agent: Subagent): void {
    if (agent !== this.agent) return;
    this.registered = true;
    this.pauseMs = AGAIN_MS;
    this.told = '';
    this.options.log('info', 'snmp: snmpd takes what this box serves');
    this.tellAll();
  }

  /** As many at once as may wait for answers; the others go when one came. */
  private tellAll(): void {
    if (this.lost > 0 && this.unanswered.size === 0) {
      const { lost } = this;
      this.lost = 0;
      this.options.log('warning', `snmp: ${lost} notifications were lost while snmpd was away`);
    }
    const { agent } = this;
    while (agent !== undefined && this.unanswered.size < WAITING) {
      const told = this.waiting.shift();
      if (told === undefined) return;
      this.tell(agent, told);
    }
  }

  private tell(agent: Subagent, told: Told): void {
    const { pdu } = told;
    pdu.sessionID = agent.sessionID;
    told.tries += 1;
    this.unanswered.add(told);
    const done: Done = (_, answered) => {
      this.unanswered.delete(told);
      if (answered.error !== 0) {
        this.options.log('warning', `snmp: snmpd refused a notification: ${answered.error}`);
      }
      if (agent === this.agent) this.tellAll();
    };
    agent.sendPdu(pdu, done);
  }

  /** A master that answers nothing is as good as none. */
  private watch(agent: Subagent): void {
    const pingMs = this.options.pingMs ?? PING_MS;
    clearTimeout(this.timer);
    this.answered = true;
    const beat = (): void => {
      if (agent !== this.agent) return;
      if (!this.answered) {
        this.again(agent, 'it does not answer');
        return;
      }
      this.answered = false;
      // before the session is open a ping would be refused; that it opens is waited for as long
      if (this.registered) agent.ping(() => (this.answered = true));
      this.timer = setTimeout(beat, pingMs);
      this.timer.unref();
    };
    this.timer = setTimeout(beat, pingMs);
    this.timer.unref();
  }

  private wrong(agent: Subagent, what: string, answered: Pdu): boolean {
    if (answered.error === 0) return false;
    this.again(agent, `${what}: error ${answered.error}`);
    return true;
  }

  /** What was begun with this master is over; the next try is later each time. */
  private again(agent: Subagent, why: string): void {
    if (agent !== this.agent || this.closed) return;
    this.drop();
    // said once, not with every try
    if (this.told !== why) this.options.log('warning', `snmp: no snmpd: ${why}`);
    this.told = why;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), this.pauseMs);
    this.timer.unref();
    this.pauseMs = Math.min(AGAIN_MOST_MS, this.pauseMs * 2);
  }

  private drop(): void {
    const { agent } = this;
    this.agent = undefined;
    this.registered = false;
    const [...unanswered] = this.unanswered;
    this.unanswered.clear();
    const again = unanswered.filter((told) => told.tries < TRIES);
    this.lost += unanswered.length - again.length;
    this.wait([...again, ...this.waiting]);
    if (agent === undefined) return;
    agent.removeAllListeners();
    agent.on('error', () => {});
    agent.socket.destroy();
  }

  // ── messages ─────────────────────────────────────────────────────────────────────────────────

  private data(agent: Subagent, piece: Buffer): void {
    if (agent !== this.agent) return;
    this.pending = this.pending.length === 0 ? piece : Buffer.concat([this.pending, piece]);
    while (this.pending.length >= HEADER_BYTES) {
      const length = this.pending.readUInt32BE(HEADER_BYTES - 4);
      if (length > LONGEST_BYTES) {
        this.again(agent, 'what it says is not AgentX');
        return;
      }
      if (this.pending.length < HEADER_BYTES + length) return;
      const message = this.pending.subarray(0, HEADER_BYTES + length);
      this.pending = this.pending.subarray(HEADER_BYTES + length);
      try {
        agent.onMsg(message);
      } catch (e) {
        this.again(agent, `a message that is not understood: ${(e as Error).message}`);
        return;
      }
      if (agent !== this.agent) return;
    }
  }

  private get(pdu: Pdu): AgentxVarbind[] {
    const instances = this.options.instances();
    return ranges(pdu).map(({ start }) => {
      const oid = oidOf(start ?? '0.0');
      const found = instances.get(oid);
      if (found !== undefined) return wireOf(found);
      // without the last number it is the object of which this would be the instance
      const type = instances.has(oid.slice(0, -1)) ? NO_INSTANCE : NO_OBJECT;
      return { oid: oidText(oid), type, value: null };
    });
  }

  private next(pdu: Pdu): AgentxVarbind[] {
    const instances = this.options.instances();
    return ranges(pdu).map((range) => after(instances, range));
  }

  /** RFC 3416 4.2.3, for the part of it that a subagent is asked for. */
  private bulk(pdu: Pdu): AgentxVarbind[] {
    const instances = this.options.instances();
    const all = ranges(pdu);
    const once = pdu.nonRepeaters ?? 0;
    const out = all.slice(0, once).map((range) => after(instances, range));
    const repeated = all.slice(once);
    const most = repeated.length === 0 ? 0 : Math.floor(BULK / repeated.length);
    let at = [...repeated];
    for (let i = 0; i < Math.min(most, pdu.maxRepetitions ?? 0); i++) {
      const found = at.map((range) => after(instances, range));
      out.push(...found);
      if (found.every((v) => v.type === END_OF_VIEW)) break;
      at = at.map(({ end }, n) => ({
        start: (found[n] as AgentxVarbind).oid,
        end,
        include: false,
      }));
    }
    return out;
  }
}

function ranges(pdu: Pdu): readonly SearchRange[] {
  return pdu.searchRangeList ?? [];
}

function after(instances: Instances, { start, end, include }: SearchRange): AgentxVarbind {
  const oid = oidOf(start ?? '0.0');
  const limit = end === null || end === undefined ? undefined : oidOf(end);
  const found = instances.next(oid, limit, include === true);
  return found === undefined
    ? { oid: oidText(oid), type: END_OF_VIEW, value: null }
    : wireOf(found);
}

function answer(agent: Subagent, pdu: Pdu, varbinds: readonly AgentxVarbind[]): void {
  const response = pdu.getResponsePduForRequest();
  response.varbinds = varbinds;
  agent.sendPdu(response, null);
}

/** Nothing can be written. */
function refuse(agent: Subagent, pdu: Pdu): void {
  const response = pdu.getResponsePduForRequest();
  response.error = NOT_WRITABLE;
  response.index = 1;
  agent.sendPdu(response, null);
}

function wireOf({ oid, value }: Varbind): AgentxVarbind {
  const of = value.type === 'oid' ? oidText(value.value) : value.value;
  return { oid: oidText(oid), type: TYPES[value.type], value: of };
}
