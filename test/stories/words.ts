/**
 * The words of a story. One command a line; `#` begins a comment. Time passes only in `start`,
 * `wait`, and the `expect` lines that wait. `./build.sh test test/stories/stories.test.ts` plays them,
 * `node test/stories/main.ts --write` writes the transcripts anew.
 *
 *   doing      what is done to the pair, its paths, its clocks and disks, its phones
 *   expecting  what must be seen, and within which time since the last doing
 */

import type { BoxId, OperatorCommand } from '../../src/pair/terms.ts';
import { isEstablished } from '../world/book.ts';
import { BOX_MAC, type Box, VIP } from '../world/box.ts';
import { ledgerOf } from '../world/inside.ts';
import { ProductEngine, ProductSentry } from '../world/product.ts';
import { server } from '../world/served.ts';
import type { Stage } from './stage.ts';

/** Milliseconds of `5s`, `20ms`, `2h`, `2y`, with a sign where one stands. */
export function span(text: string): number {
  const m = /^([+-]?\d+(?:\.\d+)?)(ms|s|min|h|y)$/.exec(text);
  if (m === null) throw new Error(`not a time: ${text}`);
  const unit = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, y: 31_536_000_000 };
  return Number(m[1]) * unit[m[2] as keyof typeof unit];
}

type Word = {
  readonly form: RegExp;
  readonly act: (stage: Stage, ...words: string[]) => void;
};

function boxOf(stage: Stage, id: string): Box {
  return stage.world.boxes[id as BoxId];
}

function active(box: Box): readonly string[] {
  const sentry = box.process?.sentry;
  if (!(sentry instanceof ProductSentry)) return [];
  return sentry.sentry.view().alarms.active.map((a) => a.code);
}

function operate(stage: Stage, id: string, command: OperatorCommand): void {
  boxOf(stage, id).operate(command, (ok, text) => {
    stage.tell(`${id}: console: ${ok ? 'ok' : 'no'}: ${text}`);
  });
}

function boot(stage: Stage, id: string): void {
  const box = boxOf(stage, id);
  box.powerOn();
  box.start();
}

/** Every `every` ms, for `ms`, a thread of a box is kept from its processor for `hold`. */
function load(
  stage: Stage,
  box: Box,
  who: 'engine' | 'sentry',
  hold: number,
  every: number,
  ms: number,
) {
  const end = stage.now + ms;
  const again = (): void => {
    box.process?.hold(who, hold);
    if (stage.now + every < end) stage.world.queue.after(every, again);
  };
  again();
}

function call(stage: Stage, from: string, to: string): void {
  const { traffic } = stage.world;
  const caller = traffic.phone(from);
  const callee = traffic.phone(to);
  if (caller === undefined || callee === undefined) throw new Error(`no phone ${from} or ${to}`);
  const made = traffic.call(caller, callee, {
    kind: 'answer',
    ringMs: 100,
    talkMs: 1e9,
    hangUp: 'caller',
    updates: [],
    early: false,
  });
  stage.pass(2000, () => isEstablished(made));
  if (!isEstablished(made)) stage.tell(`FAILED  ${from} does not reach ${to}`);
}

export const DOING: readonly Word[] = [
  {
    form: /^start$/,
    act: (stage) => {
      boot(stage, 'a');
      stage.pass(30);
      boot(stage, 'b');
      if (!stage.pass(15_000, () => stage.world.inStep())) stage.tell('FAILED  never in step');
      for (const phone of stage.world.phones) phone.register();
      stage.pass(500);
    },
  },
  { form: /^boot ([ab])$/, act: (stage, id = '') => boot(stage, id) },
  { form: /^cut crossover$/, act: (stage) => stage.world.cable.cut() },
  { form: /^heal crossover$/, act: (stage) => stage.world.cable.heal() },
  {
    form: /^crossover loses (\d+) % and delays up to (\d+ms)$/,
    act: ({ world }, loss = '', delay = '') => {
      world.cable.faults = {
        ...world.cable.faults,
        loss: Number(loss) / 100,
        latency: [0, span(delay)],
      };
    },
  },
  { form: /^pull lan ([ab])$/, act: ({ world }, id = '') => world.lan.setPort(id, false) },
  { form: /^plug lan ([ab])$/, act: ({ world }, id = '') => world.lan.setPort(id, true) },
  { form: /^dead port ([ab])$/, act: ({ world }, id = '') => void world.lan.mute.add(id) },
  { form: /^live port ([ab])$/, act: ({ world }, id = '') => void world.lan.mute.delete(id) },
  {
    form: /^hide the boxes from each other$/,
    act: ({ world }) => {
      world.lan.hidden.add('a');
      world.lan.hidden.add('b');
    },
  },
  { form: /^show the boxes to each other$/, act: ({ world }) => world.lan.hidden.clear() },
  {
    form: /^lose heartbeats on the lan$/,
    act: ({ world }) => {
      world.lan.blocked = (_from, _to, frame) =>
        frame.kind === 'udp' && frame.udp.bytes !== undefined;
    },
  },
  {
    form: /^carry heartbeats on the lan$/,
    act: ({ world }) => {
      world.lan.blocked = () => false;
    },
  },
  { form: /^gateway (on|off)$/, act: ({ world }, on) => world.gateway.turn(on === 'on') },
  {
    form: /^pause ([ab]) (\S+)$/,
    act: (stage, id = '', ms = '') => {
      const box = boxOf(stage, id);
      box.freeze();
      stage.world.queue.after(span(ms), () => {
        stage.tell(`${id}: thaws`);
        box.thaw();
      });
    },
  },
  { form: /^kill ([ab])$/, act: (stage, id = '') => boxOf(stage, id).kill() },
  { form: /^power off ([ab])$/, act: (stage, id = '') => boxOf(stage, id).powerOff() },
  {
    form: /^engine of ([ab]) sticks$/,
    act: (stage, id = '') => {
      const { process } = boxOf(stage, id);
      if (process !== undefined) process.stuck = true;
    },
  },
  {
    form: /^load (engine|sentry) of ([ab]) (\S+) of every (\S+) for (\S+)$/,
    act: (stage, who, id = '', hold = '', every = '', ms = '') =>
      load(stage, boxOf(stage, id), who as 'engine', span(hold), span(every), span(ms)),
  },
  {
    form: /^step clock of ([ab]) (\S+)$/,
    act: (stage, id = '', ms = '') => boxOf(stage, id).clock.stepWall(span(ms)),
  },
  {
    form: /^disk of ([ab]) (stalled|full|read-only|damaged|works)$/,
    act: (stage, id = '', what = '') => {
      const { disk } = boxOf(stage, id);
      if (what === 'works') disk.repair();
      else if (what === 'damaged') disk.damage();
      else disk.break(what as 'stalled');
    },
  },
  {
    form: /^(switchover|promote|resync|retire)( force)? ([ab])$/,
    act: (stage, what = '', force, id = '') =>
      operate(
        stage,
        id,
        what === 'switchover'
          ? { kind: what, force: force !== undefined }
          : { kind: what as 'promote' },
      ),
  },
  { form: /^call (\d+) (\d+)$/, act: call },
  {
    form: /^register$/,
    act: (stage) => {
      for (const phone of stage.world.phones) phone.register();
      stage.pass(500);
    },
  },
  { form: /^calls all the time$/, act: ({ world }) => world.traffic.start() },
  { form: /^no new calls$/, act: ({ world }) => world.traffic.stopDialing() },
];

/** A time is part of a transcript only where it is promised. */
function within(stage: Stage, text: string, limit: string, until: () => boolean): void {
  const left = Math.max(0, stage.actedAt + span(limit) - stage.now);
  const ok = stage.pass(left, until);
  stage.tell(`${ok ? 'ok     ' : 'FAILED '} ${text}`);
}

function check(stage: Stage, text: string, ok: boolean, why = ''): void {
  stage.tell(ok ? `ok      ${text}` : `FAILED  ${text}${why === '' ? '' : `: ${why}`}`);
}

/** Every call stands at both ends and takes a re-INVITE from each. */
function callsKept(stage: Stage): void {
  const { book, traffic } = stage.world;
  const before = book.failures.length;
  const calls = book.established();
  for (const side of ['caller', 'callee'] as const) {
    for (const one of calls) {
      const leg = traffic.leg(one, side);
      const phone = traffic.phone(side === 'caller' ? one.caller : one.callee);
      if (leg !== undefined) phone?.calls.update(leg, 'sendrecv', () => {});
    }
    stage.pass(2500);
  }
  const lost = calls.filter((one) => !isEstablished(one) && one.hungBy === '');
  const failed = book.failures.slice(before).map((f) => `${f.who}: ${f.what}`);
  check(
    stage,
    'calls kept',
    before === 0 && failed.length === 0 && lost.length === 0,
    failed.join('; '),
  );
  if (calls.length === 0) stage.tell('FAILED  there was no call to keep');
}

/** New calls between all phones are answered, and end. */
function serviceWorks(stage: Stage): void {
  const { traffic, book } = stage.world;
  const calls = traffic.callAround();
  stage.pass(4000, () => calls.every(isEstablished));
  check(stage, 'new calls', calls.every(isEstablished), calls.map((c) => c.failure).join(' '));
  for (const one of calls) traffic.hangUp(one, 'caller', 3, () => {});
  stage.pass(1000, () => calls.every((one) => !isEstablished(one)));
  check(stage, 'they end', book.failures.length === 0);
}

function tablesEqual(stage: Stage): boolean {
  const a = ledgerOf(stage.world.boxes.a);
  const b = ledgerOf(stage.world.boxes.b);
  if (a === undefined || b === undefined || a.filling || b.filling) return false;
  if (a.lsn !== b.lsn || a.epoch !== b.epoch || a.chain !== b.chain) return false;
  return a.tables.list.every((table) => {
    const [mine, theirs] = [table.digest(), b.tables.of(table.compiled.spec).digest()];
    return mine.count === theirs.count && mine.hash === theirs.hash;
  });
}

function cachesPointTo(stage: Stage, id: string): boolean {
  return stage.world.hosts.every((host) => {
    const mac = host.macOf(VIP);
    return mac === undefined || mac === BOX_MAC[id as BoxId];
  });
}

export const EXPECTING: readonly Word[] = [
  {
    form: /^primary ([ab]) within (\S+)$/,
    act: (stage, id = '', limit = '') =>
      within(stage, `primary ${id} within ${limit}`, limit, () => server(stage.world)?.id === id),
  },
  {
    form: /^primary ([ab])$/,
    act: (stage, id = '') => check(stage, `primary ${id}`, server(stage.world)?.id === id),
  },
  {
    form: /^outage at most (\S+)$/,
    act: (stage, limit = '') => {
      const { longest } = stage.outage;
      const ok = server(stage.world) !== undefined && longest <= span(limit);
      check(stage, `outage at most ${limit}`, ok, `${longest.toFixed(0)} ms`);
    },
  },
  {
    form: /^role ([ab]) (\w+)(?: within (\S+))?$/,
    act: (stage, id = '', role = '', limit = '0ms') =>
      within(stage, `${id} is ${role}`, limit, () => boxOf(stage, id).state === role),
  },
  {
    form: /^roles stay for (\S+)$/,
    act: (stage, ms = '') => {
      const before = stage.world.pair.map((box) => box.state).join();
      const changed = stage.pass(
        span(ms),
        () => stage.world.pair.map((b) => b.state).join() !== before,
      );
      check(stage, `roles stay for ${ms}`, !changed);
    },
  },
  {
    form: /^nobody primary for (\S+)$/,
    act: (stage, ms = '') => {
      const some = stage.pass(span(ms), () => stage.world.pair.some((b) => b.state === 'primary'));
      check(stage, `nobody primary for ${ms}`, !some);
    },
  },
  {
    form: /^([ab]) not primary for (\S+)$/,
    act: (stage, id = '', ms = '') => {
      const was = stage.pass(span(ms), () => boxOf(stage, id).state === 'primary');
      check(stage, `${id} not primary for ${ms}`, !was);
    },
  },
  {
    form: /^epoch (\d+)$/,
    act: (stage, n = '') => {
      const epoch = server(stage.world)?.process?.engine.standing.epoch;
      check(stage, `epoch ${n}`, epoch === Number(n), `it is ${epoch}`);
    },
  },
  {
    form: /^in step within (\S+)$/,
    act: (stage, limit = '') =>
      within(stage, `in step within ${limit}`, limit, () => stage.world.inStep()),
  },
  {
    form: /^equal tables within (\S+)$/,
    act: (stage, limit = '') =>
      within(stage, `equal tables within ${limit}`, limit, () => tablesEqual(stage)),
  },
  { form: /^calls kept$/, act: callsKept },
  { form: /^new calls$/, act: serviceWorks },
  {
    form: /^([ab]) silent$/,
    act: (stage, id = '') =>
      check(stage, `${id} has said no SIP`, stage.spoke[id] === 0, `${stage.spoke[id]} datagrams`),
  },
  {
    form: /^([ab]) announces within (\S+)$/,
    act: (stage, id = '', limit = '') =>
      within(stage, `${id} announces within ${limit}`, limit, () => id in stage.announcedAt),
  },
  {
    form: /^caches point to ([ab]) within (\S+)$/,
    act: (stage, id = '', limit = '') =>
      within(stage, `caches point to ${id} within ${limit}`, limit, () => cachesPointTo(stage, id)),
  },
  {
    form: /^no vip at ([ab]) within (\S+)$/,
    act: (stage, id = '', limit = '') =>
      within(
        stage,
        `no VIP at ${id} within ${limit}`,
        limit,
        () => !boxOf(stage, id).kernel.hasVip,
      ),
  },
  {
    form: /^alarm ([ab]) ([\w-]+)(?: within (\S+))?$/,
    act: (stage, id = '', code = '', limit = '0ms') =>
      within(stage, `alarm ${code} at ${id}`, limit, () => active(boxOf(stage, id)).includes(code)),
  },
  {
    form: /^no alarms$/,
    act: (stage) => {
      const all = stage.world.pair.flatMap((box) => active(box).map((code) => `${box.id} ${code}`));
      check(stage, 'no alarms', all.length === 0, all.join(', '));
    },
  },
  {
    form: /^written by ([ab]) at most (\d+) bytes a call$/,
    act: (stage, id = '', most = '') => {
      const engine = boxOf(stage, id).process?.engine;
      const bytes = engine instanceof ProductEngine ? engine.engine.view(false).diskBytes : 0;
      const each = bytes / Math.max(1, stage.world.book.calls.size);
      const ok = bytes > 0 && each <= Number(most);
      check(stage, `written by ${id} at most ${most} bytes a call`, ok, each.toFixed(0));
    },
  },
  {
    form: /^fenced (\d+)$/,
    act: (stage, n = '') => check(stage, `fenced ${n}`, stage.world.fences === Number(n)),
  },
  {
    form: /^registrations kept$/,
    act: (stage) => {
      const box = server(stage.world);
      const rows = box === undefined ? undefined : ledgerOf(box)?.tables.list;
      const known = new Set(
        [...(rows ?? [])].flatMap((t) => [...t.rows.values()].map((r) => r['aor'])),
      );
      const missing = stage.world.phones.filter((p) => !known.has(p.number)).map((p) => p.number);
      check(stage, 'registrations kept', missing.length === 0, missing.join(' '));
    },
  },
];

/** Performs one line. */
export function perform(stage: Stage, line: string): void {
  const expects = line.startsWith('expect ');
  const text = expects ? line.slice('expect '.length) : line;
  const wait = /^wait (\S+)$/.exec(text);
  if (wait !== null) {
    stage.pass(span(wait[1] as string));
    return;
  }
  for (const { form, act } of expects ? EXPECTING : DOING) {
    const m = form.exec(text);
    if (m === null) continue;
    if (!expects) {
      stage.acted();
      stage.tell(`> ${text}`);
    }
    act(stage, ...m.slice(1));
    if (text === 'start') stage.acted();
    return;
  }
  throw new Error(`no such word: ${line}`);
}
