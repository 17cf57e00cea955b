/**
 * The system agent: the process that owns the configuration of a box. It holds the commit machine, its
 * files and its link to the other agent together, applies what is active to the machine, and does what the
 * console asks for. It carries no call: killed at any moment, it goes on from its files.
 */

import type { Server } from 'node:net';
import type { BoxId } from '../../pair/terms.ts';
import type { AgentAlarmCode } from '../../panel/monitor/agent-alarms.ts';
import { Commit } from '../../panel/system/commit.ts';
import type { CommitEffect, CommitInput, CommitMessage } from '../../panel/system/commit-terms.ts';
import { EMPTY, type Entry } from '../../panel/system/revision.ts';
import type { SystemAlarm, SystemState, Tree } from '../../panel/system/terms.ts';
import { restarts } from '../../panel/tree/changes.ts';
import { effective, numberOf, textOf } from '../../panel/tree/defaults.ts';
import { mono } from '../clock.ts';
import { RELEASE } from '../config.ts';
import { ask } from '../control-client.ts';
import { isKeyFault, readKeyFile } from '../key-file.ts';
import { log } from '../log.ts';
import type { PairPlace } from '../pair-command.ts';
import { Admin, LOCK_RULE } from './admin.ts';
import { Applier } from './apply.ts';
import { dataFault, type Places, placesOf, readJson, removeFile, writeWhole } from './files.ts';
import type { ImageContext, ImageRoom } from './image-room.ts';
import { judgeTree, vetTree } from './judge.ts';
import { AgentLink } from './link.ts';
import type { Machine } from './machine.ts';
import { PeerPassword } from './peer-password.ts';
import { SiteFiles } from './site-files.ts';
import { Store } from './store.ts';

/** What a box said at its first boot. */
export type Draft = {
  readonly box: BoxId;
  readonly own: Tree;
  readonly system: Tree;
  readonly shared?: Tree;
};

type Json = { readonly [name: string]: unknown };

/** The daemon is asked who leads this often, ms. */
const LOOK_MS = 1000;
const LONGEST_TIMER = 2 ** 31 - 1;

export class Agent {
  readonly places: Places;
  readonly store: Store;
  readonly machine: Machine;
  readonly applier: Applier;
  readonly image: ImageRoom;
  readonly peerPassword = new PeerPassword(
    () => this.link,
    () => this.admin(),
  );
  readonly files: SiteFiles;
  box: BoxId | undefined;
  draft: Draft | undefined;
  commit: Commit | undefined;
  link: AgentLink | undefined;

  private readonly alarms = new Map<string, SystemAlarm>();
  private readonly answers = new Map<number, (value: object) => void>();
  private readonly queue: CommitInput[] = [];
  private readonly look: NodeJS.Timeout;
  private peerRelease = '';
  private peerDraft: (Omit<Draft, 'shared'> & { readonly shared: boolean }) | undefined;
  private peerRuns = '';
  private runs = '';
  private nextId = 1;
  private timer: NodeJS.Timeout | undefined;
  private stepping = false;

  constructor(root: string, machine: Machine, image: (context: ImageContext) => ImageRoom) {
    this.places = placesOf(root);
    this.machine = machine;
    this.store = new Store(this.places);
    this.applier = new Applier(this.places, machine, {
      alarm: (code, text) => this.alarm(code, 'major', text),
      log: (text) => log('info', text),
      settled: (id) => this.settled(id),
      peerIsThere: () => this.link?.up === true,
      peerRuns: () => this.peerRuns,
    });
    this.image = image({
      places: this.places,
      machine,
      link: () => this.link,
      alarm: (code, severity, text) => this.alarm(code, severity, text),
      log: (text) => log('info', text),
      configured: () => this.entry.number > 0,
      askDaemon: (request) => ask(this.places.control, request),
    });
    this.files = new SiteFiles({
      root,
      link: () => this.link,
      trees: () => {
        const before = this.commit?.active.provisional?.before;
        return before === undefined ? [this.entry.tree] : [this.entry.tree, before.tree];
      },
      changed: () => void ask(this.places.control, { command: 'reload' }),
      log: (text) => log('info', text),
    });
    this.alarm('data-unusable', 'critical', dataFault(this.places));
    this.box = readJson<{ box: BoxId }>(this.places.identity)?.box;
    this.draft = readJson<Draft>(this.places.draft);
    this.begin();
    this.look = setInterval(() => void this.askPair(), LOOK_MS);
    void this.askPair();
  }

  /** Who this box is has become known, or is known at a start. */
  begin(): void {
    const { box } = this;
    if (box === undefined || this.commit !== undefined) return;
    const { durable, wrong } = this.store.load();
    if (wrong !== '') this.alarm('configuration-damaged', 'major', wrong);
    this.commit = new Commit(
      {
        box,
        judge: (tree) => judgeTree(tree, this.places),
        vet: (tree, active) => vetTree(tree, active.entry.tree, box, this.places),
        restarts: (old, next) => restarts(old, next),
      },
      durable,
      { now: mono(), wall: Date.now() },
    );
    const { active } = this.commit;
    log('info', `${RELEASE} system agent of box ${box}, revision ${active.entry.number}`);
    if (active.entry.number > 0) this.applier.apply(active.entry, box);
    else if (this.draft !== undefined) void this.applier.machineFiles(this.draftTree(), box);
    this.relink();
    this.step({ kind: 'tick' });
  }

  close(server?: Server): void {
    clearInterval(this.look);
    clearTimeout(this.timer);
    this.link?.close();
    this.image.close();
    server?.close();
  }

  // ── what is active ───────────────────────────────────────────────────────────────────────────

  get entry(): Entry {
    return this.commit?.active.entry ?? EMPTY.entry;
  }

  /** The tree, or as much of it as first boot has said. */
  private draftTree(): Tree {
    const { draft } = this;
    if (draft === undefined) return {};
    return { ...draft.shared, box: { [draft.box]: draft.own }, system: draft.system };
  }

  tree(): Tree {
    return this.entry.number > 0 ? this.entry.tree : this.draftTree();
  }

  admin(): Admin {
    const tree = this.tree();
    const of = (leaf: string, or: number): number => numberOf(tree, `system console ${leaf}`) || or;
    const rule = {
      attempts: of('attempts', LOCK_RULE.attempts),
      lockMin: of('lockMin', LOCK_RULE.lockMin),
    };
    return new Admin(this.places.admin, rule, Date.now);
  }

  /** Where the cable is; undefined before first boot. */
  pairPlace(): PairPlace | undefined {
    const { box } = this;
    if (box === undefined) return undefined;
    const tree = this.tree();
    const of = (which: BoxId, leaf: string): string =>
      String(effective(tree, ['box', which, 'crossover', leaf]) ?? '');
    const address = of(box, 'address');
    const peerAddress = of(box === 'a' ? 'b' : 'a', 'address');
    const crossover = { interface: of(box, 'interface'), address, peerAddress };
    return { box, crossover, keyFile: this.places.key };
  }

  get paired(): boolean {
    return !isKeyFault(readKeyFile(this.places.key));
  }

  /** The key or the cable is another one: the link is made anew. */
  relink(): void {
    this.link?.close();
    this.link = undefined;
    const place = this.pairPlace();
    const key = readKeyFile(this.places.key);
    if (place === undefined || isKeyFault(key)) return;
    const { box, crossover } = place;
    try {
      this.link = new AgentLink(
        { box, crossover, node: { pair: { key } } },
        {
          up: (release) => this.linkUp(release),
          down: () => this.linkDown(),
          message: (kind, json) => this.message(kind, json),
          trouble: ({ text, alarm }) => {
            log(alarm ? 'alarm' : 'warning', `system link: ${text}`);
            if (alarm) this.alarm('system-link', 'major', text);
          },
          file: (meta, size) => this.image.file(meta, size),
          fileDone: (meta, path, fault) => this.image.fileDone(meta, path, fault),
        },
      );
      this.alarm('system-link', 'major', '');
    } catch (e) {
      this.alarm('system-link', 'major', (e as Error).message);
    }
  }

  // ── the peer ─────────────────────────────────────────────────────────────────────────────────

  private linkUp(release: string): void {
    this.peerRelease = release;
    this.alarm('system-link', 'major', '');
    this.step({ kind: 'link-up', release });
    this.link?.send('history', { numbers: this.store.kept() });
    if (this.runs !== '') this.link?.send('runs', { id: this.runs });
    this.files.linkUp();
    this.sayDraft();
    this.image.peer(true, release);
  }

  private linkDown(): void {
    this.peerDraft = undefined;
    this.peerRuns = '';
    this.step({ kind: 'link-down' });
    this.image.peer(false, '');
  }

  private message(kind: string, json: Json): void {
    if (kind === 'commit') {
      this.step({ kind: 'message', message: json['message'] as CommitMessage });
      this.beginPair();
    } else if (kind === 'runs') this.peerRuns = String(json['id']);
    else if (kind === 'draft') {
      this.peerDraft = json as unknown as NonNullable<typeof this.peerDraft>;
      this.beginPair();
    } else if (kind === 'history') this.history((json['numbers'] ?? []) as readonly number[]);
    else if (kind === 'revision') this.kept(json['entry'] as Entry);
    else if (![this.image, this.peerPassword, this.files].some((x) => x.message(kind, json))) {
      log('warning', `system link: the other box says ${kind}, which this release does not know`);
    }
  }

  /** Revisions the peer has not. */
  private history(theirs: readonly number[]): void {
    for (const number of this.store.kept()) {
      if (theirs.includes(number)) continue;
      const entry = this.store.revision(number);
      if (entry !== undefined) this.link?.send('revision', { entry });
    }
  }

  private kept(entry: Entry): void {
    if (this.store.kept().includes(entry.number)) return;
    this.store.write([{ name: 'revision', content: entry }]);
  }

  private settled(id: string): void {
    this.runs = id;
    this.link?.send('runs', { id });
  }

  // ── first boot ───────────────────────────────────────────────────────────────────────────────

  sayDraft(): void {
    const { draft } = this;
    if (draft === undefined || this.entry.number > 0) return;
    const { box, own, system } = draft;
    this.link?.send('draft', { box, own, system, shared: draft.shared !== undefined });
  }

  /** Both boxes have said who they are, and one what the pair is: revision 1 is committed for both. */
  beginPair(): void {
    const { draft, peerDraft: peer, commit } = this;
    if (draft?.shared === undefined || peer === undefined || commit === undefined) return;
    if (this.entry.number > 0 || commit.peer === undefined || commit.peer.entry.number > 0) return;
    // both were told: box a is believed
    if (peer.shared && draft.box === 'b') return;
    const tree = {
      ...draft.shared,
      box: { [draft.box]: draft.own, [peer.box]: peer.own },
      system: { ...peer.system, ...draft.system },
    };
    const order = { base: 0, tree, by: 'first-boot', comment: 'first boot', confirmMin: 0 };
    this.ask({ kind: 'commit', id: 0, ...order }, (value) => {
      const { error, text = '' } = value as { error?: string; text?: string };
      if (error === 'commit-busy') return;
      const faults = 'faults' in value ? JSON.stringify(value.faults) : '';
      this.alarm('first-boot', 'major', error === undefined ? '' : `${text} ${faults}`);
    });
  }

  // ── the machine ──────────────────────────────────────────────────────────────────────────────

  /** Asks the commit machine; the answer comes once. */
  ask(request: Extract<CommitInput, { id: number }>, answer: (value: object) => void): void {
    const id = this.nextId;
    this.nextId += 1;
    this.answers.set(id, answer);
    this.step({ ...request, id });
  }

  private step(input: CommitInput): void {
    this.queue.push(input);
    // an effect may be an input: in order, not inside each other
    if (this.stepping) return;
    this.stepping = true;
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      this.one(next);
    }
    this.stepping = false;
    this.arm();
  }

  private one(input: CommitInput): void {
    const { commit } = this;
    if (commit === undefined) return;
    const at = { now: mono(), wall: Date.now() };
    const out: CommitEffect[] = [];
    commit.step(at, input, out);
    for (let effect = out.shift(); effect !== undefined; effect = out.shift()) {
      if (effect.kind !== 'store') this.perform(effect);
      else commit.step(at, { kind: 'stored', fault: this.store.write(effect.files) }, out);
    }
  }

  private perform(effect: Exclude<CommitEffect, { kind: 'store' }>): void {
    switch (effect.kind) {
      case 'send':
        this.link?.send('commit', { message: effect.message });
        return;
      case 'answer':
        this.answers.get(effect.id)?.(effect.value);
        this.answers.delete(effect.id);
        return;
      case 'apply':
        this.inForce(effect.entry, effect.was);
        return;
      case 'drop-link':
        this.link?.drop();
        return;
      case 'alarm':
        this.alarm(effect.code, effect.severity, effect.text);
        return;
      case 'log':
        log('info', effect.text);
        return;
    }
  }

  private inForce(entry: Entry, was: Entry): void {
    const { box } = this;
    if (box === undefined) return;
    log('info', `revision ${entry.number} of ${entry.by} is active, after ${was.number}`);
    if (entry.number > 0 && this.draft !== undefined) {
      this.draft = undefined;
      removeFile(this.places.draft);
      this.alarm('first-boot', 'major', '');
    }
    this.applier.apply(entry, box);
    const cable = (tree: Tree): string =>
      ['a', 'b']
        .flatMap((b) =>
          ['interface', 'address'].map((l) => textOf(tree, `box ${b} crossover ${l}`)),
        )
        .join();
    // after this step: the link under which it was committed still has to say so
    if (cable(entry.tree) !== cable(was.tree)) setTimeout(() => this.relink(), LOOK_MS);
  }

  private arm(): void {
    clearTimeout(this.timer);
    const at = this.commit?.deadline() ?? Number.POSITIVE_INFINITY;
    if (!Number.isFinite(at)) return;
    const wait = Math.min(LONGEST_TIMER, Math.max(0, Math.ceil(at - mono())));
    this.timer = setTimeout(() => this.step({ kind: 'tick' }), wait);
  }

  private async askPair(): Promise<void> {
    const status = (await ask(this.places.control, { command: 'status', digest: false })) as {
      role?: string;
      epoch?: number;
    };
    const primary = status.role === 'primary';
    this.step({ kind: 'pair', epoch: status.epoch ?? this.entry.epoch, primary });
  }

  // ── for the console and the monitor ──────────────────────────────────────────────────────────

  alarm(code: AgentAlarmCode, severity: SystemAlarm['severity'], text: string): void {
    const known = this.alarms.get(code);
    if (text === '') {
      if (known !== undefined) log('info', `${code}: over`);
      this.alarms.delete(code);
      return;
    }
    if (known?.text === text) return;
    log('alarm', `${code}: ${text}`);
    this.alarms.set(code, { code, severity, text, at: known?.at ?? Date.now() });
  }

  state(): SystemState {
    const { entry } = this;
    const { tree: _, id: _id, parent: _parent, kind: _kind, led: _led, ...head } = entry;
    const until = this.commit?.active.provisional?.until;
    const peer = this.commit?.peer;
    return {
      ok: true,
      release: RELEASE,
      ...(this.box === undefined ? {} : { identity: { box: this.box } }),
      paired: this.paired,
      admin: this.admin().exists,
      revision: until === undefined ? head : { ...head, confirmBy: until },
      ...(this.draft === undefined ? {} : { draft: this.draftTree() }),
      peer: {
        reachable: this.link?.up === true,
        revision: peer?.entry.number ?? -1,
        release: this.peerRelease,
      },
      applying: this.applier.state,
      alarms: [...this.alarms.values()],
      ...this.image.state(),
    };
  }

  /** @returns '' or why the draft could not be kept. */
  keepDraft(draft: Draft): string {
    const identity = writeWhole(this.places.identity, JSON.stringify({ box: draft.box }), 0o644);
    const fault = identity || writeWhole(this.places.draft, JSON.stringify(draft));
    if (fault !== '') return fault;
    // a box that took another name begins anew with it
    if (this.box !== draft.box) this.commit = undefined;
    this.box = draft.box;
    this.draft = draft;
    if (this.commit === undefined) this.begin();
    else {
      void this.applier.machineFiles(this.draftTree(), draft.box);
      this.relink();
    }
    return '';
  }
}
