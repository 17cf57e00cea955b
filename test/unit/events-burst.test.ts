/**
 * Many lamps: 60 phones, each watching 20 others, and all of them change at once. The burst is worked
 * off in turns of bounded length, every lamp shows what is so, and what came within one pause is told
 * once.
 */

import test from 'ava';
import { LIMITS } from '../../src/base/limits.ts';
import { SUBSCRIPTION } from '../../src/call/events/rows.ts';
import { Bench } from './engine-pair.ts';
import { lampsOf } from './events-lab.ts';
import { invite, PHONE, register } from './phone-words.ts';

const PHONES = 60;
const EACH = 20;

const number = (i: number): number => 1000 + (i % PHONES);

function line(text: string, name: string): string {
  return new RegExp(`^${name}: ([^\\r]*)\\r$`, 'm').exec(text)?.[1] ?? '';
}

class Site {
  readonly bench = new Bench('hot-standby');
  /** Last body by Call-ID of the subscription. */
  readonly told = new Map<string, string>();
  readonly invites: string[] = [];
  notifies = 0;
  mostInOneTurn = 0;

  constructor() {
    const { bench } = this;
    bench.settle();
    bench.crown('a');
    bench.followAll('b');
    bench.connect();
    bench.advance(300);
  }

  give(text: string): void {
    this.bench.a.give({ kind: 'sip', transport: 'udp', ip: PHONE, port: 5060, text });
  }

  /** A response to a request the box sent. */
  answer(text: string, status: string, tag: string): void {
    const to = line(text, 'To');
    this.give(
      `SIP/2.0 ${status}\r\nVia: ${line(text, 'Via')}\r\nFrom: ${line(text, 'From')}\r\n` +
        `To: ${to}${to.includes(';tag=') ? '' : tag}\r\nCall-ID: ${line(text, 'Call-ID')}\r\n` +
        `CSeq: ${line(text, 'CSeq')}\r\nContact: <sip:x@${PHONE}:5060>\r\nContent-Length: 0\r\n\r\n`,
    );
  }

  /** Lets time pass; every NOTIFY is answered. */
  pass(ms: number): void {
    const { bench } = this;
    const step = bench.a.engine.step.bind(bench.a.engine);
    bench.a.engine.step = (now, lease, inputs, out): void => {
      const before = this.made();
      step(now, lease, inputs, out);
      this.mostInOneTurn = Math.max(this.mostInOneTurn, this.made() - before);
    };
    for (let at = 0; at < ms; at += 10) {
      bench.advance(10);
      while (bench.a.sent.length > 0) {
        for (const { text } of bench.a.sent.splice(0)) {
          if (text.startsWith('INVITE ')) this.invites.push(text);
          if (!text.startsWith('NOTIFY ')) continue;
          this.notifies += 1;
          this.told.set(line(text, 'Call-ID'), text);
          this.answer(text, '200 OK', '');
        }
        bench.settle();
      }
    }
    bench.a.engine.step = step;
  }

  private made(): number {
    return this.bench.a.engine.view(false).counters['notificationsSent'] ?? 0;
  }

  lamps(): string[] {
    return [...this.told.values()].map((text) => lampsOf(text).join('+'));
  }
}

function subscribe(site: Site, from: number, to: number): void {
  site.give(
    `SUBSCRIBE sip:${to}@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP ${PHONE}:5060;branch=z9hG4bK-w${from}${to}\r\n` +
      `From: <sip:${from}@192.0.2.10>;tag=w${from}\r\nTo: <sip:${to}@192.0.2.10>\r\n` +
      `Call-ID: w-${from}-${to}\r\nCSeq: 1 SUBSCRIBE\r\nContact: <sip:${from}@${PHONE}:5060>\r\n` +
      'Max-Forwards: 70\r\nEvent: dialog\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n',
  );
}

test('1200 lamps change at once, again and again, and all are right', (t) => {
  const site = new Site();
  const { bench } = site;
  for (let i = 0; i < PHONES; i += 1) register(bench.a, number(i));
  site.pass(50);
  for (let i = 0; i < PHONES; i += 1) {
    for (let j = 1; j <= EACH; j += 1) subscribe(site, number(i), number(i + j));
    site.pass(10);
  }
  site.pass(400);
  const all = PHONES * EACH;
  t.is(bench.a.engine.ledger.count(SUBSCRIPTION), all);
  t.is(site.notifies, all);
  t.deepEqual(new Set(site.lamps()), new Set(['']));

  site.notifies = 0;
  site.mostInOneTurn = 0;
  for (let i = 0; i < PHONES; i += 2) invite(bench.a, number(i), number(i + 1), i);
  site.pass(1000);
  t.is(site.notifies, all, 'each lamp once');
  t.true(site.mostInOneTurn <= LIMITS.duePerTurn, `${site.mostInOneTurn} in one turn`);
  t.true(site.mostInOneTurn > LIMITS.duePerTurn / 4, 'and they did come together');
  t.deepEqual(new Set(site.lamps()), new Set(['trying', 'proceeding']));

  site.notifies = 0;
  for (const text of site.invites) site.answer(text, '180 Ringing', ';tag=b');
  bench.settle();
  for (const text of site.invites) site.answer(text, '486 Busy Here', ';tag=b');
  site.pass(1000);
  t.deepEqual(new Set(site.lamps()), new Set(['terminated']));
  t.is(site.notifies, all, 'ringing that was over at once is not told');
  t.is(bench.b.engine.ledger.count(SUBSCRIPTION), all, 'the backup has them too');
  t.is(bench.b.engine.ledger.chain, bench.a.engine.ledger.chain);
});
