/**
 * Two engines, a wire and two disks in one hand, for tests of what an engine promises without a
 * sentry: orders are given by the test. Time is a number that the test moves.
 */

import { seeded } from '../../src/base/chance.ts';
import { LIMITS } from '../../src/base/limits.ts';
import type { TableSpec } from '../../src/base/row.ts';
import { CALL_TABLES } from '../../src/call/switch.ts';
import type { Outgoing } from '../../src/effect.ts';
import type { EngineInput } from '../../src/input.ts';
import type { PersistBatch } from '../../src/ledger/disk.ts';
import { Image } from '../../src/ledger/image.ts';
import type { LedgerSettings } from '../../src/ledger/ledger.ts';
import { Engine, EngineEffects } from '../../src/node.ts';
import type { NodeSettings } from '../../src/node-settings.ts';
import { pairSettings } from '../../src/pair/settings.ts';
import type { BoxId, Cause, PairSettings, Redundancy, Report } from '../../src/pair/terms.ts';
import { type SipSettings, sipSettings } from '../../src/proto/context.ts';

export function settings(
  box: BoxId,
  redundancy: Redundancy,
  unlike: Partial<PairSettings> = {},
): NodeSettings {
  return {
    pair: pairSettings({
      box,
      redundancy,
      probeMs: 10,
      garpAtMs: [0],
      vips: ['192.0.2.10'],
      lanAddress: '192.0.2.11',
      peerLanAddress: '192.0.2.12',
      key: new Uint8Array(32),
      ...unlike,
    }),
    sip: sipSettings({ vip: '192.0.2.10', nonceKey: 'k' }),
    diskGroupMs: 200,
    release: 'test',
  };
}

export class Bench {
  now = 1000;
  readonly hands: { a: Hand; b: Hand };
  /** The crossover passes nothing while cut. */
  cut = false;

  /**
   * @param unlike settings of box b that differ from box a's.
   * @param tables of each box: a pair of two releases.
   */
  constructor(
    redundancy: Redundancy = 'hot-standby',
    unlike: Partial<PairSettings> = {},
    ledger: LedgerSettings = LIMITS,
    tables: { readonly a?: readonly TableSpec[]; readonly b?: readonly TableSpec[] } = {},
    sip: SipSettings = settings('a', redundancy).sip,
  ) {
    const a = { ...settings('a', redundancy), ledger, tables: tables.a ?? CALL_TABLES, sip };
    const b = {
      ...settings('b', redundancy, unlike),
      ledger,
      tables: tables.b ?? CALL_TABLES,
      sip,
    };
    this.hands = { a: new Hand(a, 1), b: new Hand(b, 2) };
  }

  get a(): Hand {
    return this.hands.a;
  }
  get b(): Hand {
    return this.hands.b;
  }

  connect(): void {
    this.a.give({ kind: 'link-up' });
    this.b.give({ kind: 'link-up' });
    this.settle();
  }

  /** Runs both boxes, the wire and the disks until nothing happens any more. */
  settle(): void {
    for (let round = 0; round < 400; round += 1) {
      let moved = false;
      for (const [one, other] of [
        [this.a, this.b],
        [this.b, this.a],
      ] as const) {
        if (one.idle(this.now)) continue;
        moved = true;
        one.turn(this.now);
        if (one.closed) {
          one.closed = false;
          one.give({ kind: 'link-down' });
          other.give({ kind: 'link-down' });
        }
        if (this.cut) one.wire = [];
        for (const bytes of one.wire) other.give({ kind: 'link-data', bytes });
        one.wire = [];
      }
      if (!moved) return;
    }
    throw new Error('does not settle');
  }

  advance(ms: number): void {
    for (let i = 0; i < ms; i += 10) {
      this.now += 10;
      this.a.give({ kind: 'tick' });
      this.b.give({ kind: 'tick' });
      this.settle();
    }
  }

  /** `name` becomes primary with the next epoch, at once. */
  crown(name: BoxId, cause: Cause = 'cold-start'): void {
    const hand = this.hands[name];
    const epoch = Math.max(this.a.engine.standing.epoch, this.b.engine.standing.epoch) + 1;
    hand.give({ kind: 'order', order: { kind: 'reign', epoch, cause } });
    this.settle();
    hand.give({ kind: 'order', order: { kind: 'speak', epoch } });
    this.settle();
  }

  followAll(name: BoxId): void {
    const epoch = Math.max(this.a.engine.standing.epoch, this.b.engine.standing.epoch);
    this.hands[name].give({ kind: 'order', order: { kind: 'follow', epoch } });
    this.settle();
  }
}

/** a leads, b follows and is in step. */
export function inStep(bench = new Bench()): Bench {
  bench.settle();
  bench.crown('a');
  bench.followAll('b');
  bench.connect();
  return bench;
}

/** Hands over what one box wrote, without giving the other a turn. */
export function carry(from: Hand, to: Hand): void {
  for (const bytes of from.wire) to.give({ kind: 'link-data', bytes });
  from.wire = [];
}

/** One engine with its disk and what it said. */
export class Hand {
  engine: Engine;
  disk = new Image();
  /** The disk answers only while this is true. */
  diskWorks = true;
  lease = Number.POSITIVE_INFINITY;
  sent: Outgoing[] = [];
  /** What the hub of the programs was told. */
  programs: string[] = [];
  reports: Report[] = [];
  logs: string[] = [];
  /** Questions to the name service. */
  asked: string[] = [];
  /** CDRs for its file. */
  records: string[] = [];
  wire: Uint8Array[] = [];
  closed = false;
  private inputs: EngineInput[] = [];
  /** States of reigns that lost, as the disk kept them. */
  readonly lost: { readonly epoch: number; readonly state: Image }[] = [];
  private awaitsReset = false;
  private readonly batches: PersistBatch[] = [];
  private readonly out = new EngineEffects();
  private readonly settings: NodeSettings;

  constructor(settings: NodeSettings, seed: number) {
    this.settings = settings;
    this.engine = new Engine(this.settings, this.disk.load(1_790_000_000_000), seeded(seed), 1000);
    this.give({ kind: 'tick' });
  }

  /** The process dies and starts again from its disk. */
  restart(now: number, seed: number): void {
    this.inputs = [];
    this.batches.length = 0;
    this.wire = [];
    this.sent = [];
    this.reports = [];
    this.engine = new Engine(
      this.settings,
      this.disk.load(1_790_000_000_000 + now),
      seeded(seed),
      now,
    );
    this.give({ kind: 'tick' });
  }

  give(input: EngineInput): void {
    this.inputs.push(input);
  }

  idle(now: number): boolean {
    const work = this.inputs.length > 0 || (this.diskWorks && this.batches.length > 0);
    return !work && this.engine.deadline() > now;
  }

  /** Batches the disk was given and has not answered. */
  get unanswered(): readonly PersistBatch[] {
    return this.batches;
  }

  /** The database was damaged: an empty one waits for a whole state. */
  replaceDisk(): void {
    this.disk = new Image();
    this.awaitsReset = true;
    this.batches.length = 0;
    this.give({ kind: 'disk-replaced', name: 'beside', text: 'the database is damaged' });
  }

  /** The disk commits everything it was given; the engine hears of it in its next turn. */
  commitAll(): void {
    for (const batch of this.batches) {
      if (this.awaitsReset && !batch.reset) continue;
      this.awaitsReset = false;
      if (batch.setAside > 0) {
        this.lost.push({ epoch: batch.setAside, state: this.disk.copy() });
        this.inputs.push({ kind: 'disk-kept', name: `lost-${batch.setAside}` });
      }
      this.disk.apply(batch);
      this.inputs.push({ kind: 'synced', ticket: batch.ticket, flashBytes: 0 });
    }
    this.batches.length = 0;
  }

  turn(now: number): void {
    if (this.diskWorks) this.commitAll();
    const inputs = this.inputs;
    this.inputs = [];
    this.engine.step(now, this.lease, inputs, this.out);
    this.wire.push(...this.out.link.map((b) => Uint8Array.from(b)));
    this.batches.push(...this.out.persist);
    this.sent.push(...this.out.sends);
    this.programs.push(...this.out.programs);
    this.reports.push(...this.out.reports);
    this.logs.push(...this.out.logs.map((l) => l.text));
    this.asked.push(...this.out.questions);
    this.records.push(...this.out.records);
    this.closed ||= this.out.closeLink;
    this.out.clear();
  }
}
