/**
 * The upgrade machine (`panel/system/upgrade.ts`) at work in the agent: its record is a file, its messages
 * go over the agents' link, its operations are those of the slots, and it is told every second what the
 * daemon says of the pair.
 */

import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Upgrade } from '../../panel/system/upgrade.ts';
import { ACTIVE, recordFrom } from '../../panel/system/upgrade-record.ts';
import type {
  Bundle,
  ImageRequest,
  Operation,
  PairView,
  SlotView,
  UpgradeEffect,
  UpgradeInput,
  UpgradeMessage,
  UpgradeRecord,
} from '../../panel/system/upgrade-terms.ts';
import { mono } from '../clock.ts';
import { answersSip } from './answers-sip.ts';
import { dataFault, readJson, writeWhole } from './files.ts';
import { bootedFrom, type Images, RaucImages } from './image.ts';
import { type ImageContext, type ImageRoom, noImage } from './image-room.ts';

type Json = { readonly [name: string]: unknown };

/** The daemon is asked this often, ms. */
const LOOK_MS = 1000;
const SLOTS_MS = 15_000;
/** Tests have less patience than a pair that serves. */
const PROVE_MS = Number(process.env['SIPAIR_PROVE_MS'] ?? 60_000);
const TRIAL_MS = Number(process.env['SIPAIR_TRIAL_MS'] ?? 600_000);
const VERBS: readonly string[] = ['install', 'activate', 'confirm', 'rollback'];

type DaemonWord = {
  readonly role?: string;
  readonly inStep?: boolean;
  readonly redundancy?: string;
  readonly engineRole?: string;
  readonly vip?: string;
  readonly peer?: { readonly seen?: { readonly x: boolean; readonly l: boolean } };
};

class UpgradeRoom implements ImageRoom {
  private readonly context: ImageContext;
  private readonly images: Images;
  private readonly machine: Upgrade;
  private readonly recordPath: string;
  private readonly answers = new Map<number, (value: object) => void>();
  private readonly queue: UpgradeInput[] = [];
  /** The data partition is another one, in memory: nothing of what runs is proved by that. */
  private readonly noData: string;
  private readonly look: NodeJS.Timeout;
  private readonly slotsTimer: NodeJS.Timeout;
  private slotsSeen: readonly SlotView[] = [];
  private nextId = 1;
  private looking = false;
  private stepping = false;
  private closed = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(context: ImageContext, images: Images) {
    this.context = context;
    this.images = images;
    this.recordPath = join(context.places.image, 'upgrade.json');
    this.noData = dataFault(context.places);
    this.say('image-unproved', '');
    const record = this.read();
    this.machine = new Upgrade(images.booted, record, this.moment(), PROVE_MS, TRIAL_MS);
    const out: UpgradeEffect[] = [];
    this.machine.begin(out);
    this.perform(out);
    this.look = setInterval(() => void this.askPair(), LOOK_MS);
    this.slotsTimer = setInterval(() => void this.askSlots(), SLOTS_MS);
    void this.askPair();
    void this.askSlots();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.look);
    clearInterval(this.slotsTimer);
    clearTimeout(this.timer);
  }

  private say(code: 'image-failed' | 'image-unproved', text: string): void {
    const proof = code === 'image-unproved' ? this.noProof() : '';
    this.context.alarm(code, 'major', text || proof);
  }

  /** What stands in the alarm while nothing of what runs can be proved; ''. */
  private noProof(): string {
    if (this.noData === '') return '';
    return (
      `slot ${this.images.booted.slot} is not marked good while the data partition cannot be used ` +
      `(${this.noData}); if its version is new, restart the box: after three starts that did not ` +
      'prove it the boot loader takes the other slot'
    );
  }

  /** A file that is no record is set aside: the agent starts, and somebody is told. */
  private read(): UpgradeRecord | undefined {
    const record = recordFrom(readJson<unknown>(this.recordPath));
    if (record !== undefined || !existsSync(this.recordPath)) return record;
    const aside = `${this.recordPath}.bad`;
    const text = `upgrade.json was damaged, and is ${aside} now: what was under way is not known`;
    try {
      renameSync(this.recordPath, aside);
    } catch (e) {
      this.context.log(`image: upgrade.json: ${(e as Error).message}`);
    }
    this.context.log(`image: ${text}`);
    this.say('image-failed', text);
    return undefined;
  }

  private moment(): { now: number; wall: number } {
    return { now: mono(), wall: Date.now() };
  }

  // ── asked ────────────────────────────────────────────────────────────────────────────────────

  state(): { image: object; upgrade: object } {
    const { record, confirmed } = this.machine;
    const active = record !== undefined && ACTIVE.has(record.phase);
    return {
      image: {
        slot: this.images.booted.slot,
        release: this.images.release,
        confirmed: record?.phase !== 'trial' && record?.phase !== 'reverting',
        good: confirmed,
        slots: this.slotsSeen,
      },
      upgrade: {
        step: active ? record.phase : 'idle',
        failed: record?.phase === 'failed' ? record.reason : '',
        ...(record === undefined ? {} : { record }),
      },
    };
  }

  async request(verb: string, request: Json): Promise<object> {
    if (verb === 'status') {
      await this.askSlots();
      const { record } = this.machine;
      return {
        ok: true,
        slots: this.slotsSeen,
        ...(record === undefined ? {} : { upgrade: record }),
        waits: this.machine.waits(),
      };
    }
    if (!VERBS.includes(verb)) return { error: 'image-verb', text: `there is no image ${verb}` };
    const source = request['source'];
    if (verb === 'install' && typeof source !== 'string') {
      return { error: 'image-file', text: 'the name of a bundle is needed' };
    }
    const asked: ImageRequest = {
      verb: verb as ImageRequest['verb'],
      ...(typeof source === 'string' ? { source } : {}),
      force: request['force'] === true,
      by: typeof request['by'] === 'string' ? request['by'] : '',
    };
    const id = this.nextId;
    this.nextId += 1;
    return new Promise((resolve) => {
      this.answers.set(id, resolve);
      this.step({ kind: 'request', id, request: asked });
    });
  }

  // ── the peer ─────────────────────────────────────────────────────────────────────────────────

  peer(up: boolean): void {
    this.step({ kind: up ? 'link-up' : 'link-down' });
  }

  message(kind: string, json: Json): boolean {
    if (kind !== 'upgrade') return false;
    this.step({ kind: 'message', message: json['message'] as UpgradeMessage });
    return true;
  }

  file(meta: Json, size: number): string | undefined {
    const { record } = this.machine;
    const { job, phase } = record ?? {};
    const wanted = phase === 'fetching' && meta['image'] === job?.id && size === job?.bytes;
    if (!wanted) return undefined;
    const { path } = this.images;
    const half = this.images.incoming();
    // of an earlier job: room for this one
    for (const old of [path, half]) rmSync(old, { force: true });
    const room = this.images.room();
    if (size > room) {
      const megabytes = (bytes: number): number => Math.floor(bytes / 1_000_000);
      const fault = `image-space: it has ${megabytes(size)} MB, there is room for ${megabytes(room)}`;
      this.step({ kind: 'fetched', id: String(meta['image']), fault });
      return undefined;
    }
    return half;
  }

  fileDone(meta: Json, _path: string, fault: string): void {
    this.step({ kind: 'fetched', id: String(meta['image']), fault });
  }

  // ── the daemon and the slots ─────────────────────────────────────────────────────────────────

  private async askSlots(): Promise<void> {
    this.slotsSeen = await this.images.slots();
  }

  private async askPair(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    const view = await this.pairView();
    this.looking = false;
    this.step({ kind: 'pair', view });
  }

  private async pairView(): Promise<PairView> {
    const word = (await this.context.askDaemon({ command: 'status' })) as DaemonWord;
    const role = word.role === 'primary' || word.role === 'backup' ? word.role : 'none';
    const up = word.role !== undefined && word.engineRole !== 'does not answer';
    const { seen } = word.peer ?? {};
    const warm = word.redundancy === 'warm-standby';
    // without its data it is not unconfigured: it has lost what it is
    const unconfigured = !this.context.configured() && this.noData === '';
    const vipAsked = up && role === 'primary' && this.machine.asksVip();
    return {
      service: up ? 'up' : unconfigured ? 'unconfigured' : 'down',
      role: up ? role : 'none',
      // in warm standby nothing is mirrored that one could be in step with
      inStep: word.inStep === true || (warm && seen?.x === true),
      vip: up && role === 'primary' && (!vipAsked || (await this.vipAnswers(word.vip ?? ''))),
      vipAsked,
    };
  }

  private vipAnswers(vip: string): Promise<boolean> {
    const box = readJson<{ sip?: { port?: number } }>(this.context.places.box);
    return answersSip(vip, box?.sip?.port ?? 5060);
  }

  // ── steps ────────────────────────────────────────────────────────────────────────────────────

  private step(input: UpgradeInput): void {
    this.queue.push(input);
    if (this.stepping) return;
    this.stepping = true;
    try {
      for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
        const out: UpgradeEffect[] = [];
        this.machine.step(this.moment(), next, out);
        this.perform(out);
      }
    } finally {
      this.stepping = false;
    }
    clearTimeout(this.timer);
    const at = this.machine.deadline();
    if (this.closed || !Number.isFinite(at)) return;
    this.timer = setTimeout(() => this.step({ kind: 'tick' }), Math.max(1, at - mono()));
  }

  /** What stands behind a record that cannot be written is not done; people are told all the same. */
  private perform(effects: readonly UpgradeEffect[]): void {
    let unstored = '';
    for (const effect of effects) {
      const words = ['answer', 'alarm', 'log'].includes(effect.kind);
      if (unstored !== '' && !words) continue;
      switch (effect.kind) {
        case 'store': {
          const fault = writeWhole(this.recordPath, JSON.stringify(effect.record), 0o644);
          if (fault !== '') {
            unstored = fault;
            this.queue.push({ kind: 'unstored', text: fault });
            break;
          }
          this.context.log(`image: ${effect.record.phase}: ${effect.record.steps.at(-1)?.text}`);
          break;
        }
        case 'send':
          this.context.link()?.send('upgrade', { message: effect.message });
          break;
        case 'do':
          void this.operate(effect.operation);
          break;
        case 'look':
          void this.askPair();
          break;
        case 'reboot':
          this.context.log('image: restarts');
          void this.context.machine.power('reboot');
          break;
        case 'answer': {
          const answer = this.answers.get(effect.id);
          this.answers.delete(effect.id);
          const fault = { error: 'image-space', text: `upgrade.json: ${unstored}` };
          answer?.(unstored === '' ? effect.value : fault);
          break;
        }
        case 'alarm':
          this.say(effect.code, effect.text);
          break;
        case 'log':
          this.context.log(`image: ${effect.text}`);
          break;
      }
    }
  }

  private async operate(operation: Operation): Promise<void> {
    let fault = '';
    let bundle: Bundle | undefined;
    try {
      const end = await this.really(operation);
      if (typeof end === 'string') fault = end;
      else bundle = end;
    } catch (e) {
      fault = `image-failed: ${(e as Error).message}`;
    }
    const { op } = operation;
    this.step({ kind: 'done', op, fault, ...(bundle === undefined ? {} : { bundle }) });
    if (op !== 'send' && op !== 'take') void this.askSlots();
  }

  private really(operation: Operation): Promise<Bundle | string> {
    const { images } = this;
    switch (operation.op) {
      case 'take':
        return images.take(operation.source);
      case 'send': {
        const link = this.context.link();
        if (link === undefined) return Promise.resolve('file-peer: the other box is not there');
        return link.sendFile(images.path, { image: operation.id });
      }
      case 'verify':
        return images.verify(operation.digest);
      case 'install':
        return images.install();
      case 'activate':
        return images.activate(operation.slot);
      case 'mark-good':
        if (this.noData !== '') return Promise.resolve(`image-data: ${this.noData}`);
        return images.markGood();
      case 'fall-back':
        return images.fallBack(operation.slot);
      case 'switchover':
        return this.switchover();
      case 'drop':
        return images.drop();
    }
  }

  private async switchover(): Promise<string> {
    const request = { command: 'switchover', force: false };
    const answer = (await this.context.askDaemon(request)) as {
      readonly ok?: boolean;
      readonly error?: string;
      readonly text?: string;
      readonly why?: string;
    };
    if (answer.ok === true) return '';
    return `switchover: ${answer.text ?? answer.why ?? answer.error ?? 'refused'}`;
  }
}

/** The room of this machine: of its slots, or none where it runs from a folder. */
export function imageRoom(context: ImageContext): ImageRoom {
  const booted = bootedFrom(context.places.root);
  if (booted === undefined) return noImage();
  return new UpgradeRoom(context, new RaucImages(context.places, booted));
}
