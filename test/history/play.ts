/**
 * A history in the lab: a real pair, programs with the product's library, phones, and a primary that
 * is taken away again and again. Leaves a record behind, and what the checker says of it.
 */

import { createReadStream } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { statusOf } from '../lab/control.ts';
import type { Lab, LabStatus } from '../lab/lab.ts';
import { run } from '../lab/network.ts';
import { BOXES, type BoxName, LAN_ADDRESS, NODE, other, VIP } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { Dice } from '../world/dice.ts';
import { check, type Verdict } from './check.ts';
import type { PlayerCommand, PlayerSettings, PlayerState } from './player.ts';
import type { CdrView, Line } from './record.ts';

export type PlaySettings = {
  readonly switchovers: number;
  readonly programs: number;
  readonly agents: number;
  readonly calls: number;
  readonly seed: number;
  /** It ends after so long, however many switchovers there were. */
  readonly minutes: number;
  /** Folder of the record. */
  readonly folder: string;
  /** Mean pause of a program between two wishes. */
  readonly gapMs: number;
  readonly say: (line: string) => void;
};

export type Played = {
  readonly verdict: Verdict;
  /** Switchovers by kind; `alone`: there was none, because the backup was not in step. */
  readonly done: ReadonlyMap<Kind | 'alone' | 'by itself', number>;
  /** What went wrong on the way, besides what the checker says. */
  readonly wrong: readonly string[];
};

/** Of ten: how the primary is taken away. */
const BAG = ['kill', 'kill', 'kill', 'power', 'power', 'freeze', 'freeze', 'planned'] as const;
type Kind = (typeof BAG)[number];

const IN_STEP_MS = 60_000;
const TAKEOVER_MS = 15_000;
/** Everything under way has come to its end after so long: phones repeat for 32 s. */
const ENDS_MS = 90_000;
const REST_MS = 3000;
const MINUTE = 60_000;

/** The player's process, and how it is spoken to. */
class Player {
  private readonly child;
  private readonly waiting = new Map<number, (said: { value?: unknown; error?: string }) => void>();
  private next = 0;
  private words = '';
  private gone = false;

  constructor(lab: Lab, settings: PlayerSettings) {
    const program = join(import.meta.dirname, 'player.ts');
    this.child = lab.spawn('lan', [NODE, program, JSON.stringify(settings)]);
    this.child.stderr.on('data', (bytes) => {
      this.words = (this.words + String(bytes)).slice(-2000);
    });
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as { id: number; value?: unknown; error?: string };
      this.waiting.get(said.id)?.(said);
      this.waiting.delete(said.id);
    });
    this.child.on('exit', () => {
      this.gone = true;
      for (const tell of this.waiting.values()) tell({ error: `the player ended: ${this.words}` });
    });
  }

  /** The first line it says: it is there. */
  async up(): Promise<void> {
    await this.told(this.next++);
  }

  async ask<T>(command: PlayerCommand): Promise<T> {
    const id = this.next++;
    const told = this.told(id);
    this.child.stdin.write(`${JSON.stringify({ id, command })}\n`);
    return (await told) as T;
  }

  private told(id: number): Promise<unknown> {
    return new Promise((done, fail) => {
      if (this.gone) fail(new Error(`the player ended: ${this.words}`));
      this.waiting.set(id, ({ value, error }) =>
        error === undefined ? done(value) : fail(new Error(error)),
      );
    });
  }

  close(): void {
    this.child.stdin.end();
  }
}

async function until(done: () => Promise<boolean>, ms: number): Promise<boolean> {
  for (const end = performance.now() + ms; ; await sleep(100)) {
    if (await done()) return true;
    if (performance.now() > end) return false;
  }
}

/** CDRs read at a time. */
const CDR_PAGE = 200;

export class Play {
  private readonly lab: Lab;
  private readonly settings: PlaySettings;
  private readonly dice: Dice;
  private readonly record: string;
  private readonly done = new Map<Kind | 'alone' | 'by itself', number>();
  private readonly wrong: string[] = [];
  private toldAt = 0;
  private readonly began = performance.now();

  constructor(lab: Lab, settings: PlaySettings) {
    this.lab = lab;
    this.settings = settings;
    this.dice = new Dice(settings.seed);
    this.record = join(settings.folder, 'record.jsonl');
  }

  async run(): Promise<Played> {
    const { programs, agents, calls, seed, gapMs } = this.settings;
    const boxes = BOXES.map((box) => LAN_ADDRESS[box]);
    const { record } = this;
    const player = new Player(this.lab, {
      ...{ record, seed, programs, agents, calls, boxes, vip: VIP, gapMs },
    });
    try {
      await player.up();
      await player.ask({ do: 'start' });
      await this.until(player, 'the witness watches', (s) => s.witnessed);
      await player.ask({ do: 'work' });
      await this.until(player, 'every phone is registered', (s) => s.registered === s.phones);
      await this.storm(player);
      await this.end(player);
    } finally {
      player.close();
    }
    await this.cdrs();
    const lines = await readRecord(record);
    return { verdict: check(lines), done: this.done, wrong: this.wrong };
  }

  private async until(
    player: Player,
    what: string,
    holds: (state: PlayerState) => boolean,
    ms = ENDS_MS,
  ): Promise<void> {
    const good = await until(async () => holds(await player.ask({ do: 'state' })), ms);
    if (!good) this.wrong.push(`not within ${ms / 1000} s: ${what}`);
  }

  // ── switchovers ──────────────────────────────────────────────────────────────────────────────

  private async storm(player: Player): Promise<void> {
    const end = this.began + this.settings.minutes * MINUTE;
    for (let n = 1; n <= this.settings.switchovers && performance.now() < end; n += 1) {
      await sleep(this.dice.between(300, 3000));
      // the last thing before: a second failure is not survived by any pair
      const ready = await this.inStep();
      if (typeof ready === 'string') {
        this.wrong.push(`before switchover ${n}: ${ready}`);
        return;
      }
      const box = ready.primary ?? 'a';
      const kind = this.dice.pick(BAG);
      await player.ask({ do: 'fault', box, what: kind });
      const taken = await this.strike(kind, box, ready.boxes[box].status?.epoch ?? 0);
      // on a busy machine the primary may have gone on alone in between: then it comes back alone
      const what = taken ? kind : 'alone';
      this.done.set(what, (this.done.get(what) ?? 0) + 1);
      await this.tell(player, n);
    }
    await this.inStep();
  }

  private async tell(player: Player, n: number): Promise<void> {
    if (performance.now() < this.toldAt + MINUTE && n < this.settings.switchovers) return;
    this.toldAt = performance.now();
    const s = await player.ask<PlayerState>({ do: 'state' });
    const seconds = ((performance.now() - this.began) / 1000).toFixed(0);
    this.settings.say(
      `${seconds} s: ${n} of ${this.settings.switchovers} switchovers, ${s.busy} ends of calls, ` +
        `${s.asked} requests (${s.pending} under way), ${s.events} events heard, ` +
        `${s.sessions} sessions`,
    );
  }

  private async inStep(): Promise<LabStatus | string> {
    try {
      // on a machine that stands still a box ends itself (`engine-stuck`): a service manager starts it
      const { boxes } = await this.lab.status();
      for (const box of BOXES) {
        if (boxes[box].running) continue;
        this.done.set('by itself', (this.done.get('by itself') ?? 0) + 1);
        await this.lab.start(box);
      }
      for (const end = performance.now() + IN_STEP_MS; ; await sleep(20)) {
        const now = await this.lab.ready(IN_STEP_MS);
        const why = BOXES.map((box) => now.boxes[box].status?.readiness)
          .filter((readiness) => readiness?.ready !== true)
          .map((readiness) => readiness?.why);
        if (why.length === 0) return now;
        if (performance.now() > end) return `not ready to change roles: ${why.join(', ')}`;
      }
    } catch (error) {
      return `not in step: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** Takes the primary away and gives it back. @returns whether the other one took over. */
  private async strike(kind: Kind, box: BoxName, epoch: number): Promise<boolean> {
    const { lab } = this;
    if (kind === 'kill') await lab.kill(box);
    else if (kind === 'power') await lab.powerOff(box);
    else if (kind === 'freeze') await lab.kill(box, 'SIGSTOP');
    else {
      // on a busy machine the backup may be out of step at that moment: asked again
      for (let tries = 0; tries < 20; tries += 1) {
        const { ok } = await lab.switchover();
        if (ok) break;
        await lab.ready(IN_STEP_MS);
      }
    }
    const taken = await until(async () => {
      const status = await statusOf(lab.places.control(other(box)));
      return status?.role === 'primary' && (status.epoch ?? 0) > epoch;
    }, TAKEOVER_MS);
    await sleep(this.dice.between(0, 1000));
    if (kind === 'freeze') await lab.kill(box, 'SIGCONT');
    else if (kind !== 'planned') await lab.start(box);
    return taken;
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────

  private async end(player: Player): Promise<void> {
    await player.ask({ do: 'rest' });
    await this.until(player, 'every request is answered', (s) => s.pending === 0);
    await sleep(REST_MS);
    await player.ask({ do: 'look' });
    const over = async (): Promise<boolean> => {
      await player.ask({ do: 'hang-up' });
      return (await player.ask<PlayerState>({ do: 'state' })).busy === 0;
    };
    if (!(await until(over, ENDS_MS))) this.wrong.push('calls do not end');
    await sleep(REST_MS);
    await player.ask({ do: 'look' });
    const { oddities } = await player.ask<PlayerState>({ do: 'state' });
    this.wrong.push(...oddities);
    await player.ask({ do: 'end' });
  }

  /** What both boxes keep of calls that are over. */
  private async cdrs(): Promise<void> {
    const at = performance.now();
    for (const box of BOXES) {
      const db = `${this.lab.places.data(box)}/sipair.db`;
      // in pages: what a program prints is taken only up to a megabyte
      for (let from = 0; ; from += CDR_PAGE) {
        const page = `SELECT line FROM cdr ORDER BY id LIMIT ${CDR_PAGE} OFFSET ${from}`;
        const out = await run('sqlite3', ['-readonly', '-json', db, page]);
        const rows = JSON.parse(out.trim() === '' ? '[]' : out) as { line: string }[];
        const lines = rows.map(({ line }) => {
          const cdr = JSON.parse(line) as CdrView;
          return `${JSON.stringify({ kind: 'cdr', at, box, cdr })}\n`;
        });
        await appendFile(this.record, lines.join(''));
        if (rows.length < CDR_PAGE) break;
      }
    }
  }
}

/** A record may be longer than a text can be: line by line. */
export async function readRecord(path: string): Promise<readonly Line[]> {
  const lines: Line[] = [];
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (line !== '') lines.push(JSON.parse(line) as Line);
  }
  return lines;
}
