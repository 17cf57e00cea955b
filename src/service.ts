/**
 * The call side of an engine: runs `call/` over the ledger. One message, one due row, one resume is
 * one transaction; what is said in it is stamped with the record it rests on.
 */

import { assert } from './base/assert.ts';
import type { Chance } from './base/chance.ts';
import { LIMITS } from './base/limits.ts';
import { isReliable, type Peer } from './base/peer.ts';
import type { Instant } from './base/units.ts';
import { unreachable } from './call/flow.ts';
import { endRegistrations, reconfigured } from './call/reload.ts';
import { BINDING, LEG } from './call/rows.ts';
import { onMessage, onResolved } from './call/switch.ts';
import { clear } from './call/view/clear.ts';
import { onDue, onRequest, resume } from './cti/entry.ts';
import { errorText, item, type ProgramInput } from './cti/terms.ts';
import type { EngineEffects, LogLine, Outgoing } from './effect.ts';
import type { ClearInput } from './input.ts';
import type { LiveRow } from './ledger/codec.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Table } from './ledger/tables.ts';
import type { HeldQueue } from './pair/gate.ts';
import { type Context, newTurn, type Resolved, type SipSettings } from './proto/context.ts';
import { Guard } from './proto/sip/guard.ts';
import { Overload } from './proto/sip/overload.ts';

/** A hub has few connections with something to say; beyond it a session ends later than it could. */
const MISSED = 10_000;
/** Both boxes are told within this, ms: later, what follows was done by the primary. */
const TOGETHER_MS = 60_000;
/** Registrations ended in one transaction, when their extensions are gone. */
const ENDED_AT_ONCE = 500;

export class Service {
  readonly counters: { [name: string]: number } = {};
  /** What an operator should hear of, since it was last taken. */
  readonly alarms: string[] = [];
  /** What this turn has to tell, and to ask of the name service. */
  private readonly logs: LogLine[] = [];
  private readonly questions: string[] = [];

  private readonly ledger: Ledger;
  private readonly held: HeldQueue<Outgoing>;
  private readonly cx: Context;
  private readonly dueRows: LiveRow[] = [];
  private readonly makeRoom: () => void;
  /** What the hub said while this box had no voice. */
  private readonly missed: ProgramInput[] = [];
  private sends = 0;
  private readonly overload = new Overload();
  private droppedBefore = 0;
  /** What was configured before a reload whose consequences are still to be drawn. */
  private before: SipSettings | undefined;
  private beforeAt: Instant = 0;
  /** Connections that stand: volatile, each box's own. */
  private readonly open = new Set<string>();

  /** @param makeRoom called before each transaction: a group that grew too long goes early. */
  constructor(
    ledger: Ledger,
    held: HeldQueue<Outgoing>,
    settings: SipSettings,
    chance: Chance,
    makeRoom: () => void,
  ) {
    this.ledger = ledger;
    this.held = held;
    this.makeRoom = makeRoom;
    const service = this;
    this.cx = {
      now: 0,
      store: ledger,
      chance,
      settings,
      guard: new Guard(settings.guard, !settings.auth, (text) => service.alarms.push(text)),
      overload: this.overload,
      send(to: Peer, text: string): void {
        service.sends += 1;
        service.note(text.startsWith('SIP/') ? 'responsesOut' : 'requestsOut');
        const { transport, ip, port } = to;
        held.push({ stamp: ledger.lsn + 1, transport, ip, port, text });
      },
      isOpen(peer: Peer): boolean {
        return service.open.has(`${peer.transport} ${peer.ip} ${peer.port}`);
      },
      tell(text: string): void {
        service.sends += 1;
        held.push({ stamp: ledger.lsn + 1, transport: 'program', ip: '', port: 0, text });
      },
      turn: newTurn(),
      count(name: string): void {
        service.note(name);
      },
      log(level, text): void {
        service.logs.push({ level, text });
      },
      resolve(uri): void {
        service.questions.push(uri);
      },
    };
  }

  get connections(): number {
    return this.open.size;
  }

  /** The pair clock of this turn. */
  set now(at: Instant) {
    this.cx.now = at;
  }

  note(counter: string): void {
    this.counters[counter] = (this.counters[counter] ?? 0) + 1;
  }

  /**
   * After a turn that read `inputs`. `busy`: far too much waits to be let go. A turn that was full of
   * what nobody looked at is no load: refusing calls would not help against a flood.
   */
  turned(inputs: number, busy: boolean): void {
    const dropped = this.counters['floodDropped'] ?? 0;
    const idle = dropped - this.droppedBefore;
    this.droppedBefore = dropped;
    const full = busy || (inputs >= LIMITS.inputsPerTurn && idle * 2 < inputs);
    const news = this.overload.turn(full);
    if (news === 'begins') this.alarms.push('overload: new calls are refused');
    if (news === 'ends') this.alarms.push('overload: over, new calls are taken again');
  }

  /** Hands over what the turn had to tell and to ask. */
  tell(out: EngineEffects): void {
    for (const line of this.logs) out.logs.push(line);
    for (const uri of this.questions) out.questions.push(uri);
    this.logs.length = 0;
    this.questions.length = 0;
  }

  /** One SIP message. */
  message(from: Peer, text: string): void {
    this.begin();
    onMessage(this.cx, from, text);
    this.commit();
  }

  /** A connection stands, or stands no more. */
  flow(peer: Peer, up: boolean): void {
    const key = `${peer.transport} ${peer.ip} ${peer.port}`;
    if (up) this.open.add(key);
    else this.open.delete(key);
  }

  /** There is no way to this peer: what waits for its answer need not wait. */
  unreachable(peer: Peer): void {
    this.begin();
    unreachable(this.cx, peer);
    this.commit();
  }

  /** Who was reached by connections that died with the old primary. */
  wake(out: Peer[]): void {
    const seen = new Set<string>();
    const look = ({ transport, ip, port }: Peer): void => {
      const key = `${transport} ${ip} ${port}`;
      if (!isReliable(transport) || this.open.has(key) || seen.has(key)) return;
      seen.add(key);
      out.push({ transport, ip, port });
    };
    for (const binding of this.ledger.rows(BINDING)) look(binding);
    for (const leg of this.ledger.rows(LEG)) look(leg);
  }

  /** A program asks. Without the voice nothing is promised, so that may be said at once. */
  request(r: ProgramInput, primary: boolean, out: EngineEffects): void {
    if (!primary) {
      // a word of the hub itself has no id, and nobody waits for an answer to it
      if (r.id === '') {
        if (this.missed.length < MISSED) this.missed.push(r);
        return;
      }
      out.programs.push(item({ kind: 'reply', conn: r.conn }, errorText(r.id, 'notPrimary')));
      return;
    }
    this.begin();
    onRequest(this.cx, r);
    this.commit();
  }

  /** The operator ends a call or a registration: with the voice only. */
  clear(input: ClearInput, primary: boolean, out: EngineEffects): void {
    const { id, request } = input;
    if (!primary) {
      const text = 'only the primary can do that: ask the other box';
      out.cleared.push({ id, answer: { error: 'not-primary', text } });
      return;
    }
    this.begin();
    out.cleared.push({ id, answer: clear(this.cx, request) });
    this.commit();
  }

  /**
   * The site was configured anew. `primary`: what follows from it is done now; else whoever becomes
   * primary does it (`resume`), or this box when it stays (`stay`).
   */
  reload(settings: SipSettings, primary: boolean): void {
    this.before ??= this.cx.settings;
    this.beforeAt = this.cx.now;
    this.cx.settings = settings;
    this.cx.guard.reload(settings.guard, !settings.auth);
    if (primary) this.settle();
  }

  private settle(): void {
    const { before } = this;
    if (before === undefined) return;
    this.before = undefined;
    this.begin();
    reconfigured(this.cx, before);
    this.commit();
    for (let more = true; more; ) {
      this.begin();
      more = endRegistrations(this.cx, ENDED_AT_ONCE);
      this.commit();
    }
  }

  /** This box was to hand over, and stays: who went meanwhile has gone, who waits for his gap goes on. */
  stay(out: EngineEffects): void {
    this.settle();
    for (const r of this.missed.splice(0)) this.request(r, true, out);
  }

  /** The name service answered. */
  resolved(answer: Resolved): void {
    this.begin();
    onResolved(this.cx, answer);
    this.commit();
  }

  /** Rows whose moment has come. */
  due(): void {
    const rows = this.dueRows;
    const { now } = this.cx;
    this.ledger.due(now, rows, LIMITS.duePerTurn);
    for (const row of rows) {
      if (row.$gone) continue;
      const table = this.ledger.tables.byNumber[row.$table] as Table;
      // an earlier row of this turn may have given this one another moment
      if (table.compiled.deadline(row as never) <= now) {
        this.begin();
        onDue(this.cx, table.compiled.spec, row as never);
        this.commit();
        assert(
          row.$gone || table.compiled.deadline(row as never) > now,
          `a due row of ${table.compiled.spec.name} moves its deadline`,
        );
      }
      this.ledger.rearm(row);
    }
    rows.length = 0;
  }

  /** A new primary's first act: what was in flight is said again. `warm`: calls are forgotten. */
  resume(warm: boolean): void {
    // of connections nothing is left
    this.missed.length = 0;
    this.begin();
    if (warm) this.ledger.forgetAllButWarm();
    resume(this.cx);
    this.commit();
    // the old primary may have died before it was told
    if (this.cx.now > this.beforeAt + TOGETHER_MS) this.before = undefined;
    this.settle();
  }

  private begin(): void {
    this.sends = 0;
    this.makeRoom();
    this.ledger.begin(this.cx.now);
  }

  private commit(): void {
    // nothing was changed: what was said rests on what is there already
    if (!this.ledger.commit() && this.sends > 0) this.held.restamp(this.sends, this.ledger.lsn);
  }
}
