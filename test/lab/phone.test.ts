/** The demo phones themselves: a phone that miscounts would make every demonstration a lie. */

import { createSocket, type Socket } from 'node:dgram';
import test, { type ExecutionContext } from 'ava';
import { Phone, type PhoneEvents } from './phone.ts';
import { digest, parse } from './sip-text.ts';
import { render, type Screen } from './view.ts';

/** The example of RFC 7616 §3.9.1. */
function challenge(algorithm: string): string {
  const nonce = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v';
  const opaque = 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS';
  return (
    `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, ` +
    `nonce="${nonce}", opaque="${opaque}"`
  );
}

test('digest as in RFC 7616 §3.9.1', (t) => {
  const user = {
    user: 'Mufasa',
    password: 'Circle of Life',
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  };
  const answer = (algorithm: string) =>
    digest(challenge(algorithm), 'GET', '/dir/index.html', user);
  t.regex(answer('MD5') ?? '', /response="8ca523f5e9506fed4657c9700eebdbec"/);
  const sha = '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1';
  t.regex(answer('SHA-256') ?? '', new RegExp(`response="${sha}"`));
  t.is(answer('SHA-512-256'), undefined);
});

test('parser: compact names, folded lines, and what is not SIP', (t) => {
  const text =
    'SIP/2.0 180 Ringing\r\nv: SIP/2.0/UDP h;branch=z9\r\nf: <sip:a@b>\r\n ;tag=1\r\n\r\n';
  const message = parse(text);
  t.is(message?.code, 180);
  t.deepEqual(message?.headers[1], ['from', '<sip:a@b> ;tag=1']);
  t.is(parse('GET / HTTP/1.1\r\n\r\n'), undefined);
  t.is(parse('\0\0\r\n'), undefined);
});

/** Stands between two phones; loses the first copy of everything when told to. */
class Relay {
  readonly socket: Socket = createSocket('udp4');
  readonly seen = new Set<string>();
  lossy = false;
  lost = 0;
  /** Last ACK that went to the callee. */
  ack = '';
  caller = 0;
  callee = 0;

  async start(): Promise<number> {
    this.socket.on('message', (bytes, from) => {
      const text = bytes.toString('latin1');
      if (text.startsWith('ACK ')) this.ack = text;
      if (this.lossy && !this.seen.has(text)) {
        this.seen.add(text);
        this.lost++;
        return;
      }
      this.socket.send(bytes, from.port === this.caller ? this.callee : this.caller, '127.0.0.1');
    });
    await new Promise<void>((done) => this.socket.bind(0, '127.0.0.1', done));
    return this.socket.address().port;
  }
}

type Pair = {
  readonly relay: Relay;
  readonly caller: Phone;
  readonly callee: Phone;
  log: string[];
};

async function pairOfPhones(t: ExecutionContext): Promise<Pair> {
  const relay = new Relay();
  const port = await relay.start();
  const log: string[] = [];
  const note = (what: string) => (phone: Phone, why?: string) => {
    log.push(`${phone.number} ${what}${why === undefined ? '' : ` ${why}`}`);
  };
  const events: PhoneEvents = {
    ringing: note('ringing'),
    established: note('established'),
    failed: note('failed'),
    ended: note('ended'),
    broken: note('broken'),
  };
  const server = { address: '127.0.0.1', port };
  const common = { address: '127.0.0.1', port: 0, server, password: undefined, expires: 60 };
  const phone = (number: string) => new Phone({ ...common, number, ringMs: () => 20 }, events);
  const caller = phone('1000');
  const callee = phone('1001');
  await Promise.all([caller.start(), callee.start()]);
  relay.caller = caller.endpoint.port;
  relay.callee = callee.endpoint.port;
  t.teardown(() => {
    caller.stop();
    callee.stop();
    relay.socket.close();
  });
  return { relay, caller, callee, log };
}

async function until(what: () => boolean, ms = 15_000): Promise<boolean> {
  const end = performance.now() + ms;
  while (!what() && performance.now() < end) await new Promise((done) => setTimeout(done, 5));
  return what();
}

test('a call through a path that loses the first copy of everything', async (t) => {
  const { relay, caller, callee, log } = await pairOfPhones(t);
  relay.lossy = true;
  caller.call('1001');
  t.true(await until(() => log.includes('1000 established') && log.includes('1001 established')));
  let accepted = 0;
  callee.reinvite(() => accepted++);
  t.true(await until(() => accepted === 1));
  caller.hangUp();
  t.true(await until(() => log.includes('1000 ended') && log.includes('1001 ended')));
  t.deepEqual(
    log.filter((line) => /failed|broken/.test(line)),
    [],
  );
  t.is(caller.leg, undefined);
  t.is(callee.leg, undefined);
  t.is(caller.faults + callee.faults, 0);
  t.true(relay.lost >= 6, `only ${relay.lost} lost`);
});

test('a request whose CSeq does not grow is a fault of the server, and is refused', async (t) => {
  const { relay, caller, callee, log } = await pairOfPhones(t);
  caller.call('1001');
  t.true(await until(() => log.includes('1001 established')));
  const bye = relay.ack.replaceAll('ACK', 'BYE').replace(/branch=[^;]+/, 'branch=z9hG4bKagain');
  relay.socket.send(bye, relay.callee, '127.0.0.1');
  t.true(await until(() => callee.faults === 1));
  t.not(callee.leg, undefined);
});

test('a call that the other side does not know is told as broken', async (t) => {
  const { caller, callee, log } = await pairOfPhones(t);
  caller.call('1001');
  t.true(await until(() => log.includes('1000 established') && log.includes('1001 established')));
  callee.forget();
  caller.hangUp();
  t.true(await until(() => log.includes('1000 broken BYE got 481')));
});

function screen(value: number, role: string): Screen {
  const panel = {
    ...{ role, epoch: value, lsn: value, inStep: true, calls: value, held: value },
    ...{ registrations: value, gate: 'peer-acknowledged', pid: value, cause: 'peer-silent' },
  };
  const calls = {
    ...{ phones: value, registered: value, attempts: value, up: value, ended: value },
    ...{ survived: value, lost: value, failed: value },
  };
  return {
    ...{ name: 'x'.repeat(32), redundancy: 'warm-standby', vip: '192.0.2.10', seconds: value },
    ...{ boxes: { a: panel, b: panel }, primary: 'b', crossover: false, calls, silentMs: value },
    ...{ outages: [value, value], lastSwitchover: 'w'.repeat(200), next: 'n'.repeat(100) },
    events: Array.from({ length: 40 }, (_, i) => `event ${i} ${'e'.repeat(120)}`),
  };
}

test('the live view fits 80 by 24 whatever it shows', (t) => {
  for (const [value, role] of [
    [0, 'down'],
    [1_234_567_890, 'promoting'],
  ] as const) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are control characters
    const lines = render(screen(value, role)).map((line) => line.replace(/\x1b\[[0-9;]*m/g, ''));
    t.is(lines.length, 23);
    t.deepEqual(
      lines.filter((line) => [...line].length > 79),
      [],
    );
    t.regex(lines[3] ?? '', /^ {2}│ {20,}│ VIP 192\.0\.2\.10/);
  }
});
