/**
 * A lamp on a desk, on real boxes: it subscribes to the calls of a neighbour, the neighbour is called,
 * the primary is killed while the phone rings, and the lamp goes on as if nothing had been: versions
 * and CSeq rise by one, the tag stays, the refresh is taken.
 */

import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { VIP } from '../lab/places.ts';
import { type RawPhone, Wire } from './client/raw-phone.ts';
import { cseqOf, type Message, one, param, uriIn, write } from './client/text.ts';

const PATIENCE = 30_000;

let lab: Lab;
let wire: Wire;

test.before(async () => {
  lab = await createLab({ name: labName('blf') });
  wire = new Wire(lab);
});

test.after.always(async () => {
  wire?.close();
  await lab?.down();
});

const word = (): string => randomBytes(8).toString('hex');

class Lamp {
  readonly phone: RawPhone;
  readonly #self: { callId: string; tag: string; to: number };
  #toTag = '';
  #target: string;
  #cseq = 0;
  readonly seen: { readonly branch: string; readonly version: number; readonly m: Message }[] = [];

  constructor(phone: RawPhone, watched: number) {
    this.phone = phone;
    this.#self = { callId: word(), tag: word(), to: watched };
    this.#target = `sip:${watched}@${VIP}`;
  }

  /** Sends the SUBSCRIBE until it is answered. @returns the status. */
  async subscribe(expires: number): Promise<number> {
    this.#cseq += 1;
    const part = { ...this.#self, cseq: this.#cseq, branch: `z9hG4bK${word()}` };
    const lines = this.phone.lines('SUBSCRIBE', part, part.branch, this.#toTag);
    const more = ['Event: dialog', `Expires: ${expires}`, 'Accept: application/dialog-info+xml'];
    const text = write(`SUBSCRIBE ${this.#target} SIP/2.0`, [...lines, ...more]);
    const ours = (m: Message): boolean =>
      m.status >= 200 && one(m, 'cseq') === `${part.cseq} SUBSCRIBE`;
    const answer = await until(
      () => this.phone.send(text),
      () => this.phone.inbox.find(ours),
    );
    if (answer.status === 200) {
      this.#toTag = param(one(answer, 'to'), 'tag');
      this.#target = uriIn(one(answer, 'contact'));
    }
    return answer.status;
  }

  /** Answers every NOTIFY that came, once more when it comes once more. */
  read(): void {
    for (const m of this.phone.inbox.splice(0)) {
      if (m.method !== 'NOTIFY') continue;
      this.phone.send(this.phone.answer(m, 200, 'OK'));
      const branch = param(one(m, 'via'), 'branch');
      if (this.seen.some((s) => s.branch === branch)) continue;
      this.seen.push({ branch, version: Number(/version="(\d+)"/.exec(m.body)?.[1] ?? -1), m });
    }
  }

  get states(): string[] {
    const body = this.seen.at(-1)?.m.body ?? '';
    return [...body.matchAll(/<state>([a-z]+)<\/state>/g)].map((s) => s[1] ?? '');
  }

  /** Waits until the lamp shows this. */
  async shows(state: string): Promise<void> {
    await until(
      () => this.read(),
      () => (this.states.includes(state) ? true : undefined),
      100,
    );
  }

  judge(t: ExecutionContext): void {
    t.deepEqual(
      this.seen.map((s) => s.version),
      this.seen.map((_, i) => i),
      'versions rise by one',
    );
    const first = cseqOf(this.seen[0]?.m as Message).number;
    for (const [i, { m }] of this.seen.entries()) {
      t.is(cseqOf(m).number, first + i, 'and the CSeq');
      t.is(param(one(m, 'from'), 'tag'), this.#toTag, 'the tag stays');
      t.regex(m.body, /state="full"/);
    }
  }
}

/** Acts again and again until something is there. */
async function until<T>(act: () => void, look: () => T | undefined, every = 500): Promise<T> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    act();
    for (let i = 0; i < every; i += 20) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise((done) => setTimeout(done, 20));
    }
    if (performance.now() > end) throw new Error(`not within ${PATIENCE} ms`);
  }
}

test('a lamp follows a call through the death of the primary', async (t) => {
  const caller = await wire.phone(1002);
  const callee = await wire.phone(1001);
  const lamp = new Lamp(await wire.phone(1003), 1001);
  await callee.register();
  t.is(await lamp.subscribe(600), 200);
  await until(
    () => lamp.read(),
    () => (lamp.seen.length > 0 ? true : undefined),
    100,
  );
  t.deepEqual(lamp.states, []);

  const invite = caller.invite(1001);
  caller.send(invite.text);
  const got = await callee.next('INVITE');
  await lamp.shows('trying');
  callee.send(callee.answer(got, 180, 'Ringing'));
  await lamp.shows('early');
  const body = lamp.seen.at(-1)?.m.body ?? '';
  t.true(body.includes(`call-id="${one(got, 'call-id')}"`), 'it could be picked up');

  const { primary } = await lab.status();
  await lab.ready();
  await lab.kill(primary ?? 'a');
  const ok = await until(
    () => callee.send(callee.answer(got, 200, 'OK')),
    () => caller.inbox.find((m) => m.status === 200),
  );
  caller.send(caller.ack(invite, ok));
  await lamp.shows('confirmed');
  t.is(await lamp.subscribe(600), 200, 'the refresh is taken by the other box');

  const bye = caller.bye(invite, ok);
  await until(
    () => caller.send(bye),
    () => caller.inbox.find((m) => m.status === 200 && /BYE/.test(one(m, 'cseq'))),
  );
  callee.send(callee.answer(await callee.next('BYE'), 200, 'OK'));
  await lamp.shows('terminated');
  t.is(await lamp.subscribe(0), 200);
  await until(
    () => lamp.read(),
    () =>
      /^terminated/.test(one(lamp.seen.at(-1)?.m as Message, 'subscription-state')) ? 1 : undefined,
    100,
  );
  lamp.judge(t);
});
