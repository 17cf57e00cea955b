/**
 * A hostile LAN: scanners (SIPVicious, sipsak), floods from many sources over UDP, and connections that
 * cost more than they say, while registered phones call each other. Those notice nothing, and scanners
 * learn nothing.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { useOf } from '../chaos/leaks.ts';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { BOXES, NODE, VIP } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { signIn } from './client/digest.ts';
import { type StreamPhone, StreamWire } from './client/stream-phone.ts';

const PHONES = 20;
/** The phones have port 5060 of the host; a scanner that finds it taken hears nothing. */
const PORT = ['-P', '5999'];
/** What the whole of an attack may cost a box in memory, MB: its collector is in no hurry. */
const MEMORY_MB = 300;

let lab: Lab;
let wire: StreamWire;

/** What the demo phones say of themselves. */
type Phones = {
  readonly registered: number;
  readonly attempts: number;
  readonly connected: number;
  readonly up: number;
  readonly ended: number;
  readonly failed: number;
  readonly lost: number;
  readonly faults: number;
};

async function phones(): Promise<Phones> {
  for (const end = performance.now() + 20_000; ; ) {
    const said = (await lab.status()).phones as Partial<Phones> | null;
    if (said?.registered !== undefined) return said as Phones;
    if (performance.now() > end) throw new Error('the phones say nothing');
    await sleep(100);
  }
}

async function phonesUntil(
  what: string,
  done: (p: Phones) => boolean,
  ms: number,
): Promise<Phones> {
  for (const end = performance.now() + ms; ; await sleep(200)) {
    const p = await phones();
    if (done(p)) return p;
    if (performance.now() > end) throw new Error(`not in ${ms} ms: ${what}: ${JSON.stringify(p)}`);
  }
}

/** What both boxes counted and wrote, together: either may lead. */
async function counted(name: string): Promise<number> {
  const { boxes } = await lab.status();
  return BOXES.reduce((sum, box) => sum + (boxes[box].status?.counters?.[name] ?? 0), 0);
}

function logs(): string {
  return BOXES.map((box) => readFileSync(lab.places.log(box), 'utf8')).join('\n');
}

/** A program on the LAN to its end, whatever that is; what it printed. */
function program(command: readonly string[]): Promise<string> {
  const child = lab.spawn('lan', ['timeout', '--kill-after=1', '60', ...command]);
  let out = '';
  child.stdin.end();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes) => {
      out = (out + String(bytes)).slice(-20_000);
    });
  }
  return new Promise((done) => {
    child.once('close', () => done(out));
  });
}

const attacker = (...args: readonly string[]): Promise<string> =>
  program([NODE, join(import.meta.dirname, 'client/attacker.ts'), ...args]);

/** Processor time of a process so far, ms. */
function cpuMs(pid: number | null): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function cpu(): Promise<number[]> {
  const { boxes } = await lab.status();
  return BOXES.map((box) => cpuMs(boxes[box].pid));
}

test.before(async () => {
  const users = { from: 1000, to: 1999, auth: true, passwordPrefix: 'pw-', digest: ['MD5'] };
  lab = await createLab({
    name: labName('hostile'),
    config: { users },
    auth: true,
    phones: PHONES,
  });
  wire = new StreamWire(lab);
  // an attacker has as many addresses as he likes
  await lab.exec('lan', ['ip', 'route', 'add', 'local', '198.51.100.0/24', 'dev', 'lo']);
  await phonesUntil('registered and talking', (p) => p.registered === PHONES && p.up >= 3, 40_000);
});

test.after.always(async () => {
  wire?.close();
  await lab?.down();
});

test.serial(
  'scanners find no extension and no password; the right one is not looked at',
  async (t) => {
    // these bind no address of their own: it is the route that says which they have
    const scan = async (n: number, command: readonly string[]): Promise<string> => {
      const way = ['route', 'replace', `${VIP}/32`, 'dev', 'lan0', 'src', `198.51.100.${n}`];
      await lab.exec('lan', ['ip', ...way]);
      return program(command);
    };
    const map = await scan(201, ['svmap', ...PORT, VIP]);
    t.regex(map, /192\.0\.2\.10:5060/, 'that there is a server is no secret');
    for (const [n, method] of [
      [202, 'REGISTER'],
      [203, 'INVITE'],
      [204, 'OPTIONS'],
    ] as const) {
      const out = await scan(n, ['svwar', ...PORT, '--force', '-m', method, '-e', '995-1004', VIP]);
      if (method !== 'OPTIONS') t.regex(out, /SIP\/2\.0 40[17]/, 'it was answered');
      const seen = (user: number): string =>
        new RegExp(`\\|\\s*${user}\\s*\\|\\s*(\\w+)`).exec(out)?.[1] ?? 'nothing';
      const answers = Array.from({ length: 10 }, (_, i) => seen(995 + i));
      t.is(new Set(answers).size, 1, `${method}: ${answers.join(' ')}\n${out}`);
    }
    const crack = async (n: number, list: readonly string[]): Promise<string> => {
      const file = join(lab.places.dir, `passwords-${n}`);
      writeFileSync(file, `${list.join('\n')}\n`);
      return scan(n, ['svcrack', ...PORT, '-u', '1500', '-d', file, VIP]);
    };
    t.regex(
      await crack(205, ['no', 'pw-1500']),
      /\|\s*1500\s*\|\s*pw-1500\s*\|/,
      'it would, if it knew',
    );
    const wrong = Array.from({ length: 30 }, (_, i) => `wrong${i}`);
    t.notRegex(await crack(206, [...wrong, 'pw-1500', ...wrong]), /\|\s*pw-1500/);
    t.true((await counted('authLocked')) > 0);
    t.regex(logs(), /digest-guessing: 198\.51\.100\.206 tries passwords of "1500"/);
    await lab.exec('lan', ['ip', 'route', 'del', `${VIP}/32`]);
  },
);

async function comes(phone: StreamPhone): Promise<void> {
  await phone.open();
  await signIn(phone);
}

/** The phones before and after, and what it cost. */
async function undisturbed(t: ExecutionContext, attack: () => Promise<string[]>): Promise<void> {
  const before = {
    phones: await phones(),
    use: await useOf(lab),
    cpu: await cpu(),
    at: performance.now(),
  };
  const said = await attack();
  const seconds = (performance.now() - before.at) / 1000;
  const use = await useOf(lab);
  const busy = (await cpu()).map((ms, i) => (ms - (before.cpu[i] ?? 0)) / seconds / 10);
  // what was dialled during the attack has come to its end, one way or the other
  const { attempts } = await phones();
  const after = await phonesUntil(
    'calls go on',
    (p) => p.attempts > attempts + 5 && p.connected > before.phones.connected + 5,
    60_000,
  );
  t.log(said.join(' '), `boxes busy ${busy.map((x) => x.toFixed(0)).join(' and ')} %`);
  t.log(`calls ${after.attempts - before.phones.attempts}, up ${after.up}`);
  const { failed, lost, faults, registered } = after;
  const was = before.phones;
  t.deepEqual(
    { failed, lost, faults, registered },
    { failed: was.failed, lost: was.lost, faults: was.faults, registered: PHONES },
  );
  for (const box of BOXES) {
    const grown = (use.boxes[box]?.rssMb ?? 0) - (before.use.boxes[box]?.rssMb ?? 0);
    t.true(grown < MEMORY_MB, `box ${box} grew by ${grown.toFixed(0)} MB`);
  }
}

test.serial('floods and garbage over UDP: calls go on, new ones stand', async (t) => {
  await undisturbed(t, async () => {
    const said = await Promise.all([
      attacker('udp', '10', '2500'),
      program(['timeout', '8', 'sipsak', '-F', '-e', '1000', '-s', `sip:1000@${VIP}`]),
      program(['timeout', '8', 'sipsak', '-R', '-t', '40', '-s', `sip:1001@${VIP}`]),
    ]);
    return [said[0]];
  });
  t.true((await counted('floodDropped')) > 1000);
  t.true((await counted('faultsDropped')) + (await counted('faultsAnswered')) > 0);
  t.regex(logs(), /flood: 198\.51\.100\.\d+ asks too often: \d+ requests not answered/);
  t.is(await counted('callsOverload'), 0, 'nobody was refused for what others do');
});

test.serial(
  'connections that say nothing, little, or too much: phones on streams notice nothing',
  async (t) => {
    const standing = (['tcp', 'tls', 'ws', 'wss'] as const).map((kind, i) =>
      wire.phone(kind, 1600 + i),
    );
    for (const phone of standing) await comes(phone);
    await undisturbed(t, async () => {
      const attack = attacker('streams', '10');
      await sleep(2000);
      // new ones come while it lasts
      const fresh = (['tcp', 'tls', 'ws', 'wss'] as const).map((kind, i) =>
        wire.phone(kind, 1610 + i),
      );
      for (const phone of fresh) {
        await comes(phone);
        phone.connection?.close();
      }
      return [await attack];
    });
    for (const phone of standing) {
      t.is(phone.connection?.down, undefined, phone.transport);
      phone.send(phone.registration(3));
      await phone.next('401');
      phone.connection?.close();
    }
  },
);
