/**
 * The engine thread: reads everything that waits, steps once, performs what came out. Whatever
 * becomes readable in one round of the event loop is one turn: one group of records, one frame to
 * the peer, one wait for its answer.
 *
 * May load: everything below edge/, the native addon, sockets. Not SQLite, not the sentry.
 */

import { parentPort, type Worker, workerData } from 'node:worker_threads';
import { hostsAt } from '../call/addresses.ts';
import { CONTACT } from '../call/trunk-rows.ts';
import type { EngineInput } from '../input.ts';
import type { Loaded } from '../ledger/disk.ts';
import { Engine, EngineEffects } from '../node.ts';
import { StandingCell } from '../pair/standing.ts';
import { LOCAL_MEDIA } from '../proto/media.ts';
import type { EngineView } from '../status.ts';
import { systemChance } from './chance.ts';
import { mono } from './clock.ts';
import { CtiDoor } from './cti-door.ts';
import { Datagrams } from './datagrams.ts';
import type { CdrBatch, DiskAnswer, DiskThreadData } from './disk-thread.ts';
import { Flows } from './flows.ts';
import { Link } from './link.ts';
import { MediaDoor } from './media-door.ts';
import type { EngineThreadData, FromEngine, ToEngine } from './messages.ts';
import { Names } from './resolver.ts';
import { ShowDesk } from './show-desk.ts';
import { startThread } from './worker.ts';

const data = workerData as EngineThreadData;
const { config } = data;

function say(message: FromEngine): void {
  parentPort?.postMessage(message);
}

/**
 * Under load, turns that read SIP are at least this far apart, ms. What arrives meanwhile shares one
 * record group, one frame, one acknowledgement and one batch of sends; the wait costs no processor
 * time. A datagram that comes when nothing else does is handled at once.
 */
const TURN_GAP_MS = 0.3;
/** Shorter waits are not worth a system call. */
const SHORTEST_NAP_MS = 0.05;
const napCell = new Int32Array(new SharedArrayBuffer(4));

class Loop {
  private readonly engine: Engine;
  private readonly disk: Worker;
  private readonly udp: Datagrams;
  private readonly flows: Flows;
  private readonly link: Link;
  private readonly names: Names;
  private readonly media: MediaDoor;
  private readonly programs: CtiDoor;
  private readonly desk: ShowDesk;
  private readonly standing = new StandingCell(data.standing);
  private readonly lease = new Float64Array(data.lease);
  private readonly out = new EngineEffects();
  private inputs: EngineInput[] = [];
  private spare: EngineInput[] = [];
  private scheduled = false;
  private reading = true;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = 0;
  private cdrWaiting = 0;
  private turnedAt = 0;
  /** Something came over a stream since the last turn; and the turn has waited for more already. */
  private streamed = false;
  private waited = false;

  constructor(disk: Worker, loaded: Loaded) {
    this.disk = disk;
    this.engine = new Engine(config.node, loaded, systemChance(), mono());
    this.desk = new ShowDesk(config, this.engine, say, (input) => this.take(input));
    this.udp = new Datagrams(config.node.pair.vips, config.sipPort, () => this.readSip());
    this.flows = new Flows(config, {
      message: ({ transport, ip, port }, text) => {
        if (ip === LOCAL_MEDIA.ip) return;
        this.streamed = true;
        this.take({ kind: 'sip', transport, ip, port, text });
      },
      flow: (peer, up) => this.take({ kind: 'flow', ...peer, up }),
      unreachable: (peer) => this.take({ kind: 'unreachable', ...peer }),
      // hosts of the configured URIs that lead to a peer (RFC 5922 7)
      namesOf: (peer) => hostsAt(this.engine.ledger.rows(CONTACT), peer),
      mayAnswer: () => this.mayAnswer(),
      log: (line) => say({ kind: 'log', line }),
    });
    disk.on('message', (answer: DiskAnswer) => this.fromDisk(answer));
    this.link = new Link(config, {
      up: () => this.take({ kind: 'link-up' }),
      // the socket's buffer is used again before the turn
      data: (bytes) => this.take({ kind: 'link-data', bytes: Buffer.from(bytes) }),
      down: () => this.take({ kind: 'link-down' }),
      trouble: ({ text, alarm }) => {
        say({
          kind: 'log',
          line: { level: alarm ? 'alarm' : 'warning', text: `crossover: ${text}` },
        });
      },
    });
    const { tcp, tls } = config.streams;
    const usable = [
      'udp' as const,
      ...(tcp ? ['tcp' as const] : []),
      ...(tls ? ['tls' as const] : []),
    ];
    this.names = new Names(config.dns, usable, config.node.sip.vip6 !== '', (answer) =>
      this.take({ kind: 'resolved', answer }),
    );
    this.media = new MediaDoor(
      config,
      data.lease,
      (text) => this.take({ kind: 'sip', ...LOCAL_MEDIA, text }),
      (line) => say({ kind: 'log', line }),
    );
    this.programs = new CtiDoor(config, data, {
      ask: (request) => this.take(request),
      log: (line) => say({ kind: 'log', line }),
    });
    parentPort?.on('message', (m: ToEngine) => this.fromSentry(m));
    this.take({ kind: 'tick' });
  }

  private fromSentry(m: ToEngine): void {
    switch (m.kind) {
      case 'order':
        this.take({ kind: 'order', order: m.order });
        return;
      case 'view':
        say({ kind: 'view', id: m.id, view: this.view(m.digest) });
        return;
      case 'show':
      case 'clear':
      case 'watch':
      case 'unwatch':
        this.desk.take(m);
        return;
      case 'reload':
        this.reload(m);
        return;
    }
  }

  /** A certificate that cannot be used is in the way of nothing else: its predecessor is shown on. */
  private reload(m: Extract<ToEngine, { kind: 'reload' }>): void {
    const fault = this.flows.reload();
    this.names.reload(m.dns);
    this.programs.reload(m.sip.site.centre.programs);
    this.take({ kind: 'reload', sip: m.sip });
    say({ kind: 'reloaded', id: m.id, fault });
  }

  private view(digest: boolean): EngineView {
    return {
      ...this.engine.view(digest),
      programConnections: this.programs.connections,
      cdrWaiting: this.cdrWaiting,
      mediaFull: this.media.full,
      certificates: this.flows.certificates,
    };
  }

  private fromDisk(answer: DiskAnswer): void {
    if (answer.kind === 'cdr') {
      say({ kind: 'log', line: { level: answer.level, text: answer.text } });
    } else if (answer.kind === 'cdr-waiting') this.cdrWaiting = answer.lines;
    else if (answer.kind !== 'loaded') this.take(answer);
  }

  private readonly onSip = (text: string, ip: string, port: number): void => {
    // nobody outside is the media service of this box
    if (ip === LOCAL_MEDIA.ip) return;
    this.inputs.push({ kind: 'sip', transport: 'udp', ip, port, text });
  };

  /** Under load only. @returns false when the last turn is long enough ago. */
  private nap(): boolean {
    const nap = this.turnedAt + TURN_GAP_MS - mono();
    if (nap <= SHORTEST_NAP_MS || nap > TURN_GAP_MS) return false;
    Atomics.wait(napCell, 0, 0, nap);
    return true;
  }

  private readSip(): void {
    if (!this.reading) return;
    this.nap();
    if (this.udp.receive(this.onSip) > 0) this.schedule();
  }

  private take(input: EngineInput): void {
    this.inputs.push(input);
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.turn);
  }

  private readonly turn = (): void => {
    // The event loop reads streams by itself, so whoever waited lets it go round once more.
    if (this.streamed && !this.waited && this.nap()) {
      this.waited = true;
      setImmediate(this.turn);
      return;
    }
    this.streamed = false;
    this.waited = false;
    this.scheduled = false;
    const inputs = this.inputs;
    this.inputs = this.spare;
    this.turnedAt = mono();
    this.engine.step(this.turnedAt, this.lease[0] as number, inputs, this.out);
    if (this.desk.tap.on) this.desk.tap.heard(inputs, this.engine.role === 'primary');
    inputs.length = 0;
    this.spare = inputs;
    this.perform();
    this.arm();
  };

  private perform(): void {
    const { out } = this;
    for (const bytes of out.link) this.link.write(bytes);
    this.link.flush();
    // the bytes change hands without a copy: the persister made them for this
    for (const batch of out.persist)
      this.disk.postMessage(batch, [batch.bytes.buffer as ArrayBuffer]);
    if (out.records.length > 0) {
      this.disk.postMessage({ records: [...out.records] } satisfies CdrBatch);
    }
    if (out.closeLink) this.link.drop();
    if (out.sends.length > 0) this.send();
    this.programs.turn(out.programs, this.engine.role, this.mayAnswer());
    if (out.reading !== this.reading) {
      this.reading = out.reading;
      this.udp.setReading(out.reading);
      this.flows.setReading(out.reading);
    }
    if (out.dropFlows) {
      this.flows.drop();
      this.media.drop();
    }
    if (out.tickles.length > 0) say({ kind: 'tickle', peers: [...out.tickles] });
    // before the reports: who reads one looks at the state it is about
    this.standing.write(this.engine.standing);
    for (const report of out.reports) say({ kind: 'report', report });
    for (const line of out.logs) say({ kind: 'log', line });
    for (const { id, answer } of out.cleared) this.desk.cleared(id, answer);
    for (const uri of out.questions) this.names.ask(uri);
    out.clear();
  }

  /** The lease is looked at once more at the door: a turn may have been long, or slept. */
  private send(): void {
    if (!this.mayAnswer()) return;
    if (this.desk.tap.on) this.desk.tap.said(this.out.sends);
    for (const d of this.out.sends) {
      if (d.ip === LOCAL_MEDIA.ip) this.media.queue(d.text);
      else if (d.transport === 'udp') this.udp.queue(d.text, d.ip, d.port);
      else this.flows.send(d, d.text);
    }
    this.udp.flush();
    this.flows.flush();
    this.media.flush(this.engine.pairNow() - this.turnedAt);
  }

  private mayAnswer(): boolean {
    return mono() < (this.lease[0] as number);
  }

  private arm(): void {
    const at = this.engine.deadline();
    if (this.timer !== undefined) {
      if (this.timerAt <= at) return;
      clearTimeout(this.timer);
    }
    this.timerAt = at;
    const wait = at - mono();
    if (wait <= 0) {
      this.timer = undefined;
      this.schedule();
      return;
    }
    this.timer = setTimeout(this.onTimer, Math.ceil(wait));
  }

  private readonly onTimer = (): void => {
    this.timer = undefined;
    this.schedule();
  };
}

const disk = startThread('disk-thread', {
  workerData: {
    path: `${config.data}/sipair.db`,
    cdrs: `${config.data}/cdr`,
  } satisfies DiskThreadData,
});
disk.on('error', (e) => {
  throw e;
});
disk.once('message', (answer: DiskAnswer) => {
  if (answer.kind !== 'loaded') throw new Error('the disk thread loads first');
  if (answer.setAside !== '') {
    const text = `the database could not be used and was set aside as ${answer.setAside}`;
    say({ kind: 'log', line: { level: 'alarm', text } });
  }
  new Loop(disk, answer.loaded);
});
