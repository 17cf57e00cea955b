/**
 * What the network sees of the pair: who answers for the VIP, what is announced, that the backup is
 * silent, and what an operator finds in the databases. Captured on the wire, at the switch.
 */

import test, { type ExecutionContext } from 'ava';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { run } from '../lab/network.ts';
import { type BoxName, LAN_MAC, other, VIP } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { Capture, type Frame } from './capture.ts';
import { RemoteCrowd } from './client/remote.ts';

const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const NOBODY = '00:00:00:00:00:00';
const SIP = 5060;

async function pair(t: ExecutionContext, what: string): Promise<{ lab: Lab; primary: BoxName }> {
  const lab = await createLab({ name: labName(what) });
  t.teardown(() => lab.down());
  const { primary } = await lab.status();
  return { lab, primary: primary ?? 'a' };
}

/** Frames by which a box acts as the owner of the VIP: claims or answers by ARP, or speaks from it. */
function asOwner(frames: readonly Frame[]): Frame[] {
  return frames.filter(
    (f) => f.arp?.spa === VIP || f.udp?.from === VIP || f.udp?.fromPort === SIP || f.ip === VIP,
  );
}

async function neighbour(lab: Lab): Promise<string> {
  const text = await lab.exec('lan', ['ip', 'neigh', 'show', VIP, 'dev', 'lan0']);
  return /lladdr (\S+)/.exec(text)?.[1] ?? text;
}

async function within(ms: number, done: () => Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + ms; !(await done()); await sleep(20)) {
    if (performance.now() > end) return false;
  }
  return true;
}

/** Both forms, whole: RFC 5227 §2.3, RFC 5944 §4.6. */
function announced(t: ExecutionContext, frames: readonly Frame[], own: string): void {
  // A request *from* the VIP for somebody else is the kernel's, looking for a phone to send to.
  const about = frames.filter(
    (f) => f.arp?.tpa === VIP && f.dst === BROADCAST && f.arp.spa === VIP,
  );
  const requests = about.filter((f) => f.arp?.op === 1);
  const replies = about.filter((f) => f.arp?.op === 2);
  t.true(requests.length >= 4, `${requests.length} gratuitous requests`);
  t.true(replies.length >= 4, `${replies.length} gratuitous replies`);
  for (const f of requests) {
    t.is(f.src, own);
    t.deepEqual(f.arp, { op: 1, sha: own, spa: VIP, tha: NOBODY, tpa: VIP });
  }
  for (const f of replies) {
    t.is(f.src, own);
    t.deepEqual(f.arp, { op: 2, sha: own, spa: VIP, tha: own, tpa: VIP });
  }
}

type Event = (lab: Lab, primary: BoxName) => Promise<void>;

const EVENTS: Readonly<Record<string, Event>> = {
  'kill -9': async (lab, primary) => {
    await lab.kill(primary);
  },
  'planned switchover': async (lab) => {
    await lab.ready();
    const { ok, text } = await lab.switchover();
    if (!ok) throw new Error(text);
  },
};

for (const [what, event] of Object.entries(EVENTS)) {
  test.serial(
    `${what}: announced in both forms, one owner at any time, no SIP from the backup`,
    async (t) => {
      const { lab, primary } = await pair(t, what.replace(/\W+/g, ''));
      const second = other(primary);
      const crowd = await RemoteCrowd.start(lab);
      await crowd.register();
      const said = {
        [primary]: await Capture.of(lab, primary),
        [second]: await Capture.of(lab, second),
      };
      await crowd.establish(20);
      await crowd.startFlow(20);
      // Somebody asks for the VIP all the time; who answers is on the wires.
      const asker = lab.spawn('lan', ['arping', '-w', '6', '-i', '0.05', '-I', 'lan0', VIP]);
      asker.stdout.resume();
      await sleep(1000);
      await event(lab, primary);
      const moved = async (): Promise<boolean> => (await lab.status()).primary === second;
      t.true(await within(10_000, moved));
      await sleep(2000);
      const flow = await crowd.endFlow();
      t.deepEqual(flow.failed, []);
      await sleep(500);
      asker.kill();
      const old = await (said[primary] as Capture).end();
      const fresh = await (said[second] as Capture).end();
      t.true(
        asOwner(old).some((f) => f.arp?.op === 2 && f.dst === LAN_MAC.lan),
        'it answered before',
      );
      t.true(
        asOwner(fresh).some((f) => f.arp?.op === 2 && f.dst === LAN_MAC.lan),
        'and this after',
      );
      t.true(
        asOwner(old).some((f) => f.udp !== undefined) &&
          asOwner(fresh).some((f) => f.udp !== undefined),
      );
      // One voice, one face: the last the old owner said is before the first of the new one.
      const last = asOwner(old).at(-1)?.at ?? Number.NaN;
      const first = asOwner(fresh)[0]?.at ?? Number.NaN;
      t.true(last < first, `the old owner ended ${first - last} us before the new one began`);
      announced(t, fresh, LAN_MAC[second]);
      // Each speaks with its own hardware address only.
      t.deepEqual([...new Set(old.map((f) => f.src))], [LAN_MAC[primary]]);
      t.deepEqual([...new Set(fresh.map((f) => f.src))], [LAN_MAC[second]]);
      t.deepEqual((await crowd.book()).violations, []);
    },
  );
}

test.serial('the neighbour cache of a silent host follows by the announcement alone', async (t) => {
  const { lab, primary } = await pair(t, 'cache');
  await lab.exec('lan', ['arping', '-c', '1', '-I', 'lan0', VIP]);
  await lab.exec('lan', [
    'sh',
    '-c',
    `echo hello >/dev/udp/${VIP}/9 2>/dev/null || ping -c1 -W1 ${VIP} >/dev/null 2>&1 || true`,
  ]);
  t.is(await neighbour(lab), LAN_MAC[primary]);
  await lab.powerOff(primary);
  const follows = async (): Promise<boolean> => (await neighbour(lab)) === LAN_MAC[other(primary)];
  t.true(await within(5000, follows), await neighbour(lab));
});

// ── databases ──────────────────────────────────────────────────────────────────────────────────

async function sqlite(lab: Lab, box: BoxName, query: string): Promise<string> {
  const file = `${lab.places.data(box)}/sipair.db`;
  return (await run('sqlite3', ['-readonly', file, query])).trim();
}

test.serial(
  'sqlite3 reads both databases: the same rows when idle, the epoch before it is spoken',
  async (t) => {
    const { lab, primary } = await pair(t, 'sqlite');
    const second = other(primary);
    const crowd = await RemoteCrowd.start(lab);
    await crowd.register();
    await crowd.establish(20);
    const tables = (await sqlite(lab, 'a', 'SELECT name FROM sqlite_schema ORDER BY name')).split(
      '\n',
    );
    for (const name of ['binding', 'box', 'call', 'leg']) t.true(tables.includes(name), name);
    const rows = (name: string) => `SELECT * FROM "${name}" ORDER BY id`;
    /** Both files at the head of the journal, which stands still: nothing happens. */
    const same = async (): Promise<boolean> => {
      for (const name of tables.filter((one) => one !== 'box' && one !== 'schema')) {
        if ((await sqlite(lab, 'a', rows(name))) !== (await sqlite(lab, 'b', rows(name))))
          return false;
      }
      const { boxes } = await lab.status();
      const head = `${boxes.a.status?.lsn}|${boxes.a.status?.chain}`;
      const position = 'SELECT lsn, chain FROM box';
      return (
        (await sqlite(lab, 'a', position)) === head && (await sqlite(lab, 'b', position)) === head
      );
    };
    t.true(await within(10_000, same), 'every table is the same on both boxes');
    for (const box of [primary, second]) {
      t.is(await sqlite(lab, box, 'SELECT count(*) FROM binding'), '200');
      t.is(await sqlite(lab, box, "SELECT count(*) FROM call WHERE state = 'talking'"), '20');
      t.is(
        await sqlite(lab, box, "SELECT contact FROM binding WHERE aor = '1007'"),
        'sip:1007@192.0.2.21:5071',
      );
      t.is(await sqlite(lab, box, 'PRAGMA integrity_check'), 'ok');
    }
    t.is(await sqlite(lab, primary, 'SELECT epoch, "primary" FROM box'), '1|1');
    t.is(await sqlite(lab, second, 'SELECT epoch, "primary" FROM box'), '1|0');
    await lab.kill(primary);
    const leads = async (): Promise<boolean> =>
      (await lab.status()).boxes[second].status?.role === 'primary';
    t.true(await within(10_000, leads));
    // Once it leads its reign is on its disk, and so is that the other one is stale.
    t.is(await sqlite(lab, second, 'SELECT epoch, "primary", peerStale FROM box'), '2|1|1');
    await lab.start(primary);
    await lab.ready();
    t.deepEqual((await crowd.hangUp(0)).failed, []);
    t.true(await within(10_000, same), 'and again after the old primary is back');
  },
);
