/** Every fault of the lab does what it says, as seen by ping, ARP and SIP from outside, and is undone. */

import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { statusOf } from '../lab/control.ts';
import { createLab, FAULTS, type Lab, labName } from '../lab/lab.ts';
import {
  BOXES,
  type BoxName,
  HOSTS,
  type HostName,
  LAN_ADDRESS,
  NODE,
  other,
  X_ADDRESS,
} from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { run } from '../lab/run.ts';
import { RemotePinger } from './client/pinger.ts';

/** A host asks again instead of waiting for the second in which it believes in its last failure. */
async function forget(lab: Lab): Promise<void> {
  await Promise.all(HOSTS.map((host) => lab.exec(host, ['ip', 'neigh', 'flush', 'all'])));
}

/** Whether `to` answers a ping of `from` within 300 ms. */
async function reaches(lab: Lab, from: HostName, to: string): Promise<boolean> {
  const command = ['ping', '-n', '-q', '-c', '1', '-W', '0.3', to];
  return lab.exec(from, command).then(
    () => true,
    () => false,
  );
}

async function seen(lab: Lab): Promise<Record<'X' | 'L' | 'Wa' | 'Wb', boolean>> {
  await forget(lab);
  const [X, L, Wa, Wb] = await Promise.all([
    reaches(lab, 'a', X_ADDRESS.b),
    reaches(lab, 'a', LAN_ADDRESS.b),
    reaches(lab, 'lan', LAN_ADDRESS.a),
    reaches(lab, 'lan', LAN_ADDRESS.b),
  ]);
  return { X, L, Wa, Wb };
}

async function carrier(lab: Lab, box: BoxName, device: string): Promise<string> {
  return (await lab.exec(box, ['cat', `/sys/class/net/${device}/carrier`])).trim();
}

const up = { X: true, L: true, Wa: true, Wb: true };

/** What each link case looks like when a is the primary. */
const CASES: Readonly<Record<number, Awaited<ReturnType<typeof seen>>>> = {
  1: up,
  2: { ...up, X: false },
  3: { ...up, L: false, Wb: false },
  4: { ...up, L: false, Wa: false },
  5: { ...up, L: false, Wa: false, Wb: false },
  6: { X: false, L: false, Wa: true, Wb: false },
  7: { X: false, L: false, Wa: false, Wb: true },
  8: { X: false, L: false, Wa: true, Wb: true },
};

async function idle(t: ExecutionContext, what: string): Promise<Lab> {
  const lab = await createLab({ name: labName(what), idle: true });
  t.teardown(() => lab.down());
  return lab;
}

test.serial('the eight link cases, by pulled cables and by failed switch ports', async (t) => {
  const lab = await idle(t, 'links');
  for (const withCarrier of [true, false]) {
    for (const [n, wanted] of Object.entries(CASES)) {
      await lab.links(Number(n), 'a', withCarrier);
      t.deepEqual(await seen(lab), wanted, `case ${n}, carrier goes: ${withCarrier}`);
    }
    await lab.links(7, 'a', withCarrier);
    const lan0 = lab.exec('a', ['cat', '/sys/class/net/lan0/carrier']);
    t.is((await lan0).trim(), withCarrier ? '0' : '1');
  }
  await lab.wellWired();
  t.deepEqual(await seen(lab), up);
});

test.serial('a pulled cable, a failed port, a switch that hides', async (t) => {
  const lab = await idle(t, 'ports');
  for (const box of BOXES) {
    await lab.fault(`port-${box}`);
    t.false(await reaches(lab, 'lan', LAN_ADDRESS[box]));
    t.true(await reaches(lab, 'lan', LAN_ADDRESS[other(box)]));
    t.is(await carrier(lab, box, 'lan0'), '1', 'the box sees nothing of it');
    await lab.undo(`port-${box}`);
    await lab.cut(`lan-${box}`);
    t.is(await carrier(lab, box, 'lan0'), '0');
    await lab.heal(`lan-${box}`);
    await forget(lab);
    t.true(await reaches(lab, 'lan', LAN_ADDRESS[box]));
  }
  await lab.cut('lan-lan');
  t.deepEqual(await seen(lab), { ...up, Wa: false, Wb: false });
  await lab.heal('lan-lan');
  await lab.fault('hide');
  t.deepEqual((await lab.status()).faults, ['hide']);
  t.deepEqual(await seen(lab), { ...up, L: false });
  // A box that had no power is as hidden when it comes back.
  await lab.powerOff('a');
  await lab.start('a', { wait: false });
  t.deepEqual(await seen(lab), { ...up, L: false });
  await lab.undo('hide');
  t.deepEqual(await seen(lab), up);
});

/** Round trips of many pings in a row, ms; those that came. */
async function pings(lab: Lab, from: HostName, to: string, count: number): Promise<number[]> {
  const command = ['ping', '-n', '-i', '0.005', '-W', '1', '-c', String(count), to];
  const text = await lab.exec(from, command).catch(() => '');
  return [...text.matchAll(/time=([\d.]+) ms/g)].map((m) => Number(m[1]));
}

test.serial('bad cables lose, delay and shuffle; with other faults too', async (t) => {
  const lab = await idle(t, 'wires');
  await lab.fault('wire-x', { loss: 20 });
  const lossy = await pings(lab, 'a', X_ADDRESS.b, 200);
  // Each way 20 %: 128 of 200 are expected; the bounds are five deviations away.
  t.true(lossy.length > 94 && lossy.length < 162, `${lossy.length} of 200 came`);
  await lab.fault('wire-x', { delay: 20, jitter: 30 });
  const late = await pings(lab, 'a', X_ADDRESS.b, 60);
  t.is(late.length, 60);
  t.true(Math.min(...late) >= 40, `${Math.min(...late)} ms`);
  t.true(Math.max(...late) - Math.min(...late) > 10, 'unevenly');
  await lab.fault('wire-x', { loss: 100 });
  t.false((await seen(lab)).X);
  await lab.undo('wire-x');
  t.deepEqual(await seen(lab), up);
  await lab.fault('wire-lan-a', { delay: 5 });
  await lab.fault('hide');
  t.deepEqual(await seen(lab), { ...up, L: false });
  await lab.fault('port-a');
  t.deepEqual(await seen(lab), { ...up, L: false, Wa: false });
  t.is(await carrier(lab, 'a', 'lan0'), '1');
  await lab.undo('port-a');
  await lab.undo('hide');
  t.true(Math.min(...(await pings(lab, 'lan', LAN_ADDRESS.a, 5))) >= 10);
  // The cable is as bad when the box at its end gets its power back.
  await lab.powerOff('a');
  await lab.start('a', { wait: false });
  t.true(Math.min(...(await pings(lab, 'lan', LAN_ADDRESS.a, 5))) >= 10);
  await lab.wellWired();
  t.deepEqual(await seen(lab), up);
  const devices = await run('ip', ['-n', lab.places.netns('sw'), '-br', 'link']);
  t.notRegex(devices, /^w-/m);
});

function threadStates(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((tid) => {
    const text = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2)[0] ?? '';
  });
}

/** Sends one OPTIONS to the VIP from the host `lan`; "200", or how it failed. */
async function options(lab: Lab): Promise<string> {
  const script = `
    const s = require('node:dgram').createSocket('udp4');
    const end = (what) => { console.log(what); process.exit(0); };
    s.on('error', (e) => end(e.code));
    s.on('message', (m) => end(String(m).split(' ')[1]));
    s.connect(5060, '192.0.2.10', () => s.send('OPTIONS sip:192.0.2.10 SIP/2.0\\r\\n' +
      'Via: SIP/2.0/UDP 192.0.2.1:' + s.address().port + ';branch=z9hG4bKo;rport\\r\\n' +
      'Max-Forwards: 70\\r\\nFrom: <sip:o@192.0.2.1>;tag=o\\r\\nTo: <sip:192.0.2.10>\\r\\n' +
      'Call-ID: o' + Math.random() + '\\r\\nCSeq: 1 OPTIONS\\r\\nContent-Length: 0\\r\\n\\r\\n'));
    setTimeout(() => end('silence'), 1500);`;
  return (await lab.exec('lan', [NODE, '-e', script])).trim();
}

test.serial('the engine of a box alone stands still; its SIP socket alone is deaf', async (t) => {
  const lab = await createLab({ name: labName('inside') });
  t.teardown(() => lab.down());
  const { primary, boxes } = await lab.status();
  const backup = other(primary ?? 'a');
  const pid = boxes[backup].pid ?? 0;
  // The backup: a primary would be relieved, and then the fault is over.
  await lab.fault(`engine-${backup}`);
  t.deepEqual(
    threadStates(pid).filter((state) => state === 't'),
    ['t'],
    'one thread, no more',
  );
  await lab.undo(`engine-${backup}`);
  t.false(threadStates(pid).includes('t'));
  await lab.ready();
  t.not(await statusOf(lab.places.control(backup)), undefined, 'it goes on');
  const now = (await lab.status()).primary ?? 'a';
  t.is(await options(lab), '200');
  await lab.fault(`socket-${now}`);
  t.is(await options(lab), 'ECONNREFUSED');
  await lab.undo(`socket-${now}`);
  t.is(await options(lab), '200');
  t.deepEqual((await lab.status()).faults, []);
});

test.serial('a switch that drops gratuitous ARP', async (t) => {
  const lab = await createLab({ name: labName('garp') });
  t.teardown(() => lab.down());
  const heard: string[] = [];
  const filter = 'arp and arp[14:4] = arp[24:4]';
  const tcpdump = lab.spawn('lan', ['tcpdump', '-Z', 'root', '-l', '-n', '-i', 'lan0', filter]);
  createInterface({ input: tcpdump.stdout }).on('line', (line) => heard.push(line));
  await sleep(300);
  const handOver = async (): Promise<number> => {
    heard.length = 0;
    const { ok, text } = await lab.switchover();
    t.true(ok, text);
    await sleep(700);
    await lab.ready();
    return heard.length;
  };
  t.true((await handOver()) > 0, 'they are heard on a good switch');
  await lab.fault('garp');
  t.is(await handOver(), 0, 'and not on this one');
  await lab.undo('garp');
  t.true((await handOver()) > 0);
  const pinger = new RemotePinger(lab);
  const mark = await pinger.mark();
  await sleep(500);
  t.true((await pinger.since(mark)).ms < 400, 'and SIP goes through');
});

test.serial('a lab with every fault at once comes down and leaves nothing', async (t) => {
  const lab = await createLab({ name: labName('all') });
  t.teardown(() => lab.down());
  for (const name of FAULTS) await lab.fault(name, { loss: 1 });
  t.deepEqual((await lab.status()).faults, [...FAULTS]);
  const removed = await lab.down();
  t.true(removed.length > 0);
  t.deepEqual(await lab.down(), []);
});
