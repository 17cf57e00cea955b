/** A pair with standing calls, a flow of new ones, and the observers; what must be true of them. */

import { messageOf, statusOf } from '../lab/control.ts';
import { createLab, type Lab, type LabStatus } from '../lab/lab.ts';
import { run } from '../lab/network.ts';
import { BOXES, type BoxName } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { RemoteCrowd } from '../real/client/remote.ts';
import { Watch } from './watch.ts';

/** How long a pair may need until it is in step again, ms. */
const IN_STEP_MS = 60_000;
/** How long the tables may need to be equal once nothing happens, ms. */
const EQUAL_MS = 10_000;

export class Scene {
  readonly lab: Lab;
  readonly crowd: RemoteCrowd;
  readonly watch: Watch;
  readonly standing: number;
  readonly rate: number;
  readonly #epoch: number;
  #told = 0;
  #step = 0;
  #flowing = false;
  flowed = 0;

  private constructor(
    lab: Lab,
    crowd: RemoteCrowd,
    watch: Watch,
    settings: { readonly standing: number; readonly rate: number },
    epoch: number,
  ) {
    this.lab = lab;
    this.crowd = crowd;
    this.watch = watch;
    this.standing = settings.standing;
    this.rate = settings.rate;
    this.#epoch = epoch;
  }

  /** Makes lab and calls. Rejects, leaving nothing, when that fails. */
  static async make(
    name: string,
    settings: { readonly standing: number; readonly rate: number },
  ): Promise<Scene> {
    // one switchover after the other, by itself: the flap guard would hold them, as it should
    const config = { timers: { flapMs: 0, flapMost: 100, flapWindowMs: 0 } };
    const lab = await createLab({ name, config });
    try {
      const { primary, boxes } = await lab.status();
      const crowd = await RemoteCrowd.start(lab);
      const registered = await crowd.register();
      const established = await crowd.establish(settings.standing);
      const failed = [...registered.failed, ...established.failed];
      if (failed.length > 0) throw new Error(`before anything happened: ${failed.join(', ')}`);
      const epoch = boxes[primary ?? 'a'].status?.epoch ?? 0;
      const scene = new Scene(lab, crowd, new Watch(lab), settings, epoch);
      await scene.flow();
      return scene;
    } catch (error) {
      await lab.down();
      throw error;
    }
  }

  async flow(): Promise<void> {
    if (this.rate === 0 || this.#flowing) return;
    await this.crowd.startFlow(this.rate);
    this.#flowing = true;
  }

  /** The pair as it is once it is in step and both say that roles may change; or why it is not. */
  async inStep(): Promise<LabStatus | string> {
    try {
      for (const end = performance.now() + IN_STEP_MS; ; await sleep(10)) {
        const now = await this.lab.ready(IN_STEP_MS);
        const why = BOXES.map((box) => now.boxes[box].status?.readiness)
          .filter((readiness) => readiness?.ready !== true)
          .map((readiness) => readiness?.why);
        if (why.length === 0) return now;
        if (performance.now() > end) return `not ready to change roles: ${why.join(', ')}`;
      }
    } catch (error) {
      return `not in step: ${messageOf(error)}`;
    }
  }

  /** What is wrong with calls, tables and voices now; the flow of new calls is stopped for it. */
  async wrong(): Promise<string[]> {
    const found: string[] = [];
    if (this.#flowing) {
      this.#flowing = false;
      const flow = await this.crowd.endFlow();
      this.flowed += flow.asked;
      found.push(...flow.failed.map((text) => `of the flow, ${text}`));
    }
    const step = `step ${++this.#step}`;
    const tally = await this.crowd.reinvite((this.#step % 2) as 0 | 1, step);
    found.push(...tally.failed.map((text) => `re-INVITE of a standing call, ${text}`));
    if (tally.ok !== this.standing) found.push(`${tally.ok} of ${this.standing} calls stand`);
    const book = await this.crowd.book();
    found.push(...book.violations.slice(this.#told));
    this.#told = book.violations.length;
    found.push(...(await this.#databases()), ...this.seen());
    found.push(...(await this.#voices()));
    return found;
  }

  /** What the observers noted since they were last asked. */
  seen(): string[] {
    return this.watch.violations.splice(0);
  }

  /** Tables equal by digest, and the files on both disks tell of the same epoch. */
  async #databases(): Promise<string[]> {
    let why = '';
    for (const end = performance.now() + EQUAL_MS; performance.now() < end; await sleep(100)) {
      const [a, b] = await Promise.all(
        BOXES.map((box) => statusOf(this.lab.places.control(box), { digest: true })),
      );
      const disks = await Promise.all(BOXES.map((box) => this.#disk(box)));
      if (a === undefined || b === undefined) why = 'a box does not answer';
      else if (a.lsn !== b.lsn) why = `positions ${a.lsn} and ${b.lsn}`;
      else if (JSON.stringify(a.tables) !== JSON.stringify(b.tables)) {
        why = `tables differ: ${JSON.stringify(a.tables)} ${JSON.stringify(b.tables)}`;
      } else if (disks[0] !== disks[1]) why = `disks differ: ${disks.join(' and ')}`;
      else return [];
    }
    return [`databases after ${EQUAL_MS} ms of quiet: ${why}`];
  }

  async #disk(box: BoxName): Promise<string> {
    const counts = ['binding', 'call', 'leg'].map((t) => `(SELECT count(*) FROM "${t}") "${t}"`);
    const query = `SELECT epoch, ${counts.join(', ')} FROM box`;
    const file = `${this.lab.places.data(box)}/sipair.db`;
    return (await run('sqlite3', ['-readonly', '-json', file, query]).catch(String)).trim();
  }

  /** The voice changes hands once an epoch at most. */
  async #voices(): Promise<string[]> {
    const { primary, boxes } = await this.lab.status();
    const reigns = (boxes[primary ?? 'a'].status?.epoch ?? 0) - this.#epoch;
    const { changes } = this.watch;
    return changes > reigns ? [`the voice changed ${changes} times in ${reigns} reigns`] : [];
  }

  async end(): Promise<void> {
    this.watch.stop();
    this.crowd.close();
    await this.lab.down();
  }
}
