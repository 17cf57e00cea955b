/**
 * How two boxes come to the same configuration, and stay with it. The box at which a commit is typed
 * coordinates it, be it primary or backup: it is the one whose operator waits, and the one that certainly
 * lives; sent on to the primary first, a commit would need two boxes where one is enough, and be lost with a
 * primary that dies in it.
 *
 *   typed here                          the other box
 *   verifies
 *   prepare(revision) ────────────────► verifies, makes it durable as prepared
 *          ◄─────────────────────────── prepared | refused: nothing has changed
 *   makes it durable as active: it is committed
 *   head ─────────────────────────────► makes it active; head
 *   answers the operator
 *
 * Whatever is lost in between, two rules settle it when the link is back: each says its head, and who is
 * behind takes what is ahead (`revision.ts`). So a prepared revision that is not in the other's head was
 * never committed, and is dropped (presumed abort); one that is, is committed. A box without its peer
 * commits alone: the peer is behind when it comes back. `confirm` and going back by itself are heads, too.
 */

import { assert } from '../../base/assert.ts';
import { Checks } from './checks.ts';
import { CommitCore } from './commit-core.ts';
import type {
  CommitEffect,
  CommitInput,
  CommitMessage,
  CommitRequest,
  Moment,
  Prepared,
} from './commit-terms.ts';
import {
  BUSY,
  conflictText,
  faulty,
  STALE,
  UNASKED,
  unusableText,
  unwritten,
} from './commit-words.ts';
import {
  type Active,
  aloneNumber,
  committed,
  confirmed,
  type Entry,
  type Head,
  headOf,
  orderOf,
  upon,
} from './revision.ts';
import type { CommitAnswer, ConfigurationFault, SystemFault } from './terms.ts';

/** A silent peer is not waited for longer, ms. */
const PATIENCE_MS = 10_000;

type CommitOrder = Extract<CommitRequest, { kind: 'commit' }>;

type Mine = {
  readonly request: CommitOrder;
  readonly entry: Entry;
  readonly restarts: readonly string[];
  /** preparing: nothing is decided. active: the operator waits for the peer to have it, too. */
  phase: 'preparing' | 'active';
  until: number;
};

export class Commit extends CommitCore {
  private mine: Mine | undefined;
  private readonly checks = new Checks();
  private pair = { epoch: 0, primary: false };

  /** When a `tick` is wanted though nothing happens. */
  deadline(): number {
    const mine = this.mine?.until ?? Number.POSITIVE_INFINITY;
    return Math.min(this.revertAt, this.againAt, mine, this.checks.deadline());
  }

  step(at: Moment, input: CommitInput, out: CommitEffect[]): void {
    this.at = at;
    this.out = out;
    assert((input.kind === 'stored') === (this.storing !== undefined), 'the disk answers first');
    switch (input.kind) {
      case 'stored': {
        const then = this.storing;
        this.storing = undefined;
        then?.(input.fault);
        return;
      }
      case 'check':
        this.check(input);
        return;
      case 'commit':
        this.commit(input);
        return;
      case 'confirm':
        this.confirm(input.id);
        return;
      case 'link-up':
        this.linkUp = true;
        this.peer = undefined;
        this.tellHead();
        return;
      case 'link-down':
        this.linkDown();
        return;
      case 'message':
        if (this.linkUp) this.message(input.message);
        return;
      case 'pair':
        this.pair = { epoch: input.epoch, primary: input.primary };
        return;
      case 'tick':
        this.tick();
        return;
    }
  }

  // ── the operator ─────────────────────────────────────────────────────────────────────────────

  private check({ id, tree }: Extract<CommitRequest, { kind: 'check' }>): void {
    const faults = this.settings.vet(tree, this.active);
    if (!this.linkUp || faults.length > 0 || this.checks.full) {
      this.answer(id, { ok: true, faults, peer: 'absent' });
      return;
    }
    this.checks.begin(id, faults, this.at.now + PATIENCE_MS);
    this.send({ kind: 'check', id, tree });
  }

  private checked(
    id: number,
    more: readonly ConfigurationFault[],
    peer: 'checked' | 'absent',
  ): void {
    const faults = this.checks.end(id, more);
    if (faults !== undefined) this.answer(id, { ok: true, faults, peer });
  }

  private commit(request: CommitOrder): void {
    const no = this.objection(request);
    if (no !== undefined) this.answer(request.id, no);
    else if (this.peer === undefined) this.alone(request);
    else {
      const number = Math.max(this.active.top, this.peer.top) + 1;
      this.mine = { ...this.made(request, number, true), phase: 'preparing' };
      const { entry } = this.mine;
      this.send({ kind: 'prepare', entry, confirmMin: request.confirmMin });
    }
  }

  private objection({ base, tree }: CommitOrder): SystemFault | undefined {
    if (this.mine !== undefined) return BUSY;
    if (base !== this.active.entry.number) return STALE;
    const faults = this.settings.vet(tree, this.active);
    if (faults.length > 0) return faulty(faults, 'here');
    if (!this.linkUp) return undefined;
    if (this.peer === undefined || this.prepared !== undefined) return BUSY;
    const order = orderOf(headOf(this.active), this.peer);
    // ahead: the peer refused what is active here, and may take this
    return order === 'same' || order === 'ahead' ? undefined : BUSY;
  }

  private made(request: CommitOrder, number: number, led: boolean) {
    const { tree, by, comment } = request;
    const epoch = Math.max(this.pair.epoch, this.active.entry.epoch);
    const { box } = this.settings;
    const given = { number, epoch, led, box, by, at: this.at.wall, comment, tree };
    return {
      request,
      entry: committed(this.active.entry, given),
      restarts: this.settings.restarts(this.active.entry.tree, tree),
      until: this.at.now + PATIENCE_MS,
    };
  }

  /** There is no peer: it is behind when it comes back. */
  private alone(request: CommitOrder): void {
    const top = Math.max(this.active.top, this.prepared?.entry.number ?? 0);
    const number = aloneNumber(top, this.settings.box);
    this.mine = { ...this.made(request, number, this.pair.primary), phase: 'preparing' };
    this.decide(this.mine);
  }

  /** Both can, or one is alone: what is durable from here on is committed. */
  private decide(mine: Mine): void {
    const { entry, request } = mine;
    const next = upon(this.active, entry, this.provisional(request.confirmMin));
    this.activate(next, (fault) => {
      if (fault !== '') {
        this.abort(unwritten(fault, 'here'));
        return;
      }
      this.alarm('configuration-conflict', 'major', '');
      mine.phase = 'active';
      mine.until = this.at.now + PATIENCE_MS;
      if (!this.linkUp) this.done('absent');
    });
  }

  private done(peer: CommitAnswer['peer']): void {
    const { mine } = this;
    if (mine === undefined) return;
    this.mine = undefined;
    const { until } = this.active.provisional ?? {};
    const confirmBy =
      until === undefined || mine.request.confirmMin === 0 ? {} : { confirmBy: until };
    const { restarts, entry } = mine;
    this.answer(mine.request.id, {
      ok: true,
      revision: entry.number,
      peer,
      restarts,
      ...confirmBy,
    });
  }

  /** Nothing came of it; a peer that has prepared it learns that from our head. */
  private abort(why: SystemFault): void {
    const { mine } = this;
    if (mine === undefined) return;
    this.mine = undefined;
    this.answer(mine.request.id, why);
    this.tellHead();
  }

  private confirm(id: number): void {
    const { active } = this;
    const busy = this.mine?.phase === 'preparing';
    if (busy || active.provisional === undefined) {
      this.answer(id, busy ? BUSY : UNASKED);
      return;
    }
    const next = upon(active, confirmed(active.entry));
    this.activate(next, (fault) => {
      if (fault === '') this.answer(id, { ok: true, revision: next.entry.number });
      else this.answer(id, unwritten(fault, 'here'));
    });
  }

  // ── the peer ─────────────────────────────────────────────────────────────────────────────────

  private message(m: CommitMessage): void {
    switch (m.kind) {
      case 'head':
        this.head(m.head);
        return;
      case 'want': {
        const { active } = this;
        const leftMs = active.provisional === undefined ? 0 : this.revertAt - this.at.now;
        this.send({ kind: 'have', active, leftMs: Math.max(0, leftMs) });
        return;
      }
      case 'have':
        this.have(m.active, m.leftMs);
        return;
      case 'lost':
        this.conflict(m.entry);
        this.store([{ name: 'revision', content: m.entry }], () => {});
        return;
      case 'check':
        this.send({ kind: 'checked', id: m.id, faults: this.settings.vet(m.tree, this.active) });
        return;
      case 'checked':
        this.checked(m.id, m.faults, 'checked');
        return;
      case 'prepare':
        this.prepare(m.entry, m.confirmMin);
        return;
      case 'prepared':
        if (this.mine?.phase === 'preparing' && this.mine.entry.id === m.id) this.decide(this.mine);
        return;
      case 'refused':
        this.refused(m.id, m.why);
        return;
    }
  }

  private head(peer: Head): void {
    this.peer = peer;
    const { prepared, mine } = this;
    const order = orderOf(headOf(this.active), peer);
    if (order === 'same' && mine?.phase === 'active') this.done('committed');
    if (order === 'same') this.alarm('configuration-peer-refuses', 'major', '');
    if (mine?.phase === 'preparing' && order !== 'same' && order !== 'ahead') this.abort(STALE);
    // upon another revision than ours it would go back to another: then it is fetched as it is there
    const fits = prepared?.confirmMin === 0 || prepared?.entry.parent === this.active.entry.id;
    if (prepared !== undefined && prepared.entry.id === peer.entry.id && fits) {
      this.takePrepared(prepared, peer);
      return;
    }
    const behind = order === 'behind' || order === 'diverged-behind';
    const take = (): void => {
      if (!behind) return;
      if (order === 'diverged-behind') {
        this.conflict(this.active.entry);
        this.send({ kind: 'lost', entry: this.active.entry });
      }
      this.send({ kind: 'want' });
    };
    // it was never committed: the one who would know does not
    if (prepared !== undefined) this.forget(take);
    else take();
  }

  private forget(then: () => void): void {
    this.store([{ name: 'prepared', content: undefined }], () => {
      this.prepared = undefined;
      then();
    });
  }

  private takePrepared({ entry, confirmMin }: Prepared, peer: Head): void {
    const provisional = this.provisional(confirmMin);
    const top = Math.max(this.active.top, peer.top);
    const next = { entry, lineage: peer.lineage, top };
    this.activate(provisional === undefined ? next : { ...next, provisional }, (fault) =>
      this.troubled(fault),
    );
  }

  private have(active: Active, leftMs: number): void {
    const order = orderOf(headOf(this.active), headOf(active));
    if (order !== 'behind' && order !== 'diverged-behind') return;
    const { entry, lineage, provisional } = active;
    const faults =
      entry.kind === 'revert' && entry.number === 0 ? [] : this.settings.judge(entry.tree);
    if (faults.length > 0) {
      const text = unusableText(entry, faults);
      this.alarm('configuration-refused', 'major', text);
      this.send({ kind: 'refused', id: entry.id, why: { error: 'commit-faults', text, faults } });
      return;
    }
    const top = Math.max(this.active.top, active.top);
    const next: Active = {
      entry,
      lineage,
      top,
      ...(provisional === undefined
        ? {}
        : { provisional: { ...provisional, until: this.at.wall + leftMs } }),
    };
    this.activate(next, (fault) => this.troubled(fault));
  }

  private prepare(entry: Entry, confirmMin: number): void {
    const refuse = (why: SystemFault): void => this.send({ kind: 'refused', id: entry.id, why });
    const no = this.refusal(entry);
    // two at once: that of box a goes first
    if (this.mine?.phase === 'preparing' && no !== BUSY) this.abort(BUSY);
    if (no !== undefined) {
      refuse(no);
      return;
    }
    const prepared = { entry, confirmMin };
    this.store([{ name: 'prepared', content: prepared }], (fault) => {
      if (fault !== '') {
        refuse(unwritten(fault, 'peer'));
        return;
      }
      this.prepared = prepared;
      this.send({ kind: 'prepared', id: entry.id });
    });
  }

  private refusal(entry: Entry): SystemFault | undefined {
    const { mine, peer } = this;
    if (mine?.phase === 'preparing' && this.settings.box === 'a') return BUSY;
    const order = peer === undefined ? 'ahead' : orderOf(headOf(this.active), peer);
    const fits = order === 'same' || order === 'behind';
    if (!fits || entry.parent !== peer?.entry.id) return STALE;
    const faults = this.settings.vet(entry.tree, this.active);
    return faults.length > 0 ? faulty(faults, 'peer') : undefined;
  }

  private refused(id: string, why: SystemFault): void {
    if (this.mine?.entry.id === id && this.mine.phase === 'preparing') {
      const { request } = this.mine;
      this.mine = undefined;
      this.answer(request.id, why);
    } else if (this.active.entry.id === id) {
      this.alarm('configuration-peer-refuses', 'major', `the other box refuses it: ${why.text}`);
      if (this.mine?.phase === 'active') this.done('absent');
    }
  }

  private conflict(lost: Entry): void {
    this.alarm('configuration-conflict', 'major', conflictText(lost));
  }

  private linkDown(): void {
    this.linkUp = false;
    this.peer = undefined;
    if (!this.unstored) this.againAt = Number.POSITIVE_INFINITY;
    for (const id of this.checks.ids) this.checked(id, [], 'absent');
    const { mine } = this;
    if (mine?.phase === 'active') this.done('absent');
    // whether it has prepared it or not: it was not told
    else if (mine !== undefined) this.alone(mine.request);
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────

  private tick(): void {
    const { now } = this.at;
    for (const id of this.checks.late(now)) this.checked(id, [], 'absent');
    if (this.mine !== undefined && this.mine.until <= now) {
      if (this.mine.phase === 'active') this.done('absent');
      else if (this.linkUp) {
        this.out.push({ kind: 'drop-link' });
        this.linkDown();
        return;
      }
    }
    if (this.againAt <= now) {
      this.againAt = Number.POSITIVE_INFINITY;
      if (this.unstored) {
        this.storeAgain();
        return;
      }
      if (this.peer !== undefined) {
        this.head(this.peer);
        return;
      }
    }
    if (this.revertAt > now) return;
    if (this.mine?.phase === 'preparing') this.abort(STALE);
    this.revert(() => {
      // what it said of itself may be ahead of that, and it says it once
      if (this.peer !== undefined) this.head(this.peer);
    });
  }
}
