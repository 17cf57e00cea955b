/**
 * A pair as a monitoring system sees it from the LAN: Debian's snmpget and snmptrapd, a log server, a scraper, a time server; all of
 * it against the hardened units of the image. Notifications are understood by one receiver that runs all the while, also
 * after the agents and a whole box were started again.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BOXES, type BoxName, HOST_ADDRESS, LAN_ADDRESS, other } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { run } from '../lab/run.ts';
import { guide } from './guided.ts';
import { MINUTE, type Say, Serving, serving } from './serving.ts';
import { expectThat } from './upgrade-kit.ts';

const OURS = '.1.3.6.1.4.1.32473.1.1';
const ROLE = `${OURS}.2.1.0`;
const ENGINE_ID = '.1.3.6.1.6.3.10.2.1.1.0';
const KEYS = { auth: 'authentication-1', privacy: 'privacy-12345' } as const;
/** A receiver takes what is at most so much older than what it has heard (RFC 3414 2.2.3). */
const WINDOW_S = 150;
/** sipairPairRole. */
const ROLES = { backup: '3', primary: '5' } as const;

const PAGE = `
\`\`\`serial a
)> › configure
# › set system snmp enabled true
# › set system snmp users watcher authKey ${KEYS.auth}
# › set system snmp users watcher privKey ${KEYS.privacy}
# › set system snmp traps nms address ${HOST_ADDRESS}
# › set system snmp traps nms user watcher
# › set system syslog main address ${HOST_ADDRESS}
# › set system syslog main level info
# › set system metrics port 9464
# › set system metrics allow 192.0.2.0/24
# › commit comment "it is watched"
on both boxes
# › exit
\`\`\`
`;

class Watched extends Serving {
  readonly #children: ChildProcess[] = [];
  traps = '';
  logs = '';

  /** A program on the LAN that runs until the end of the trial. */
  runs(program: string, args: readonly string[], take: (text: string) => void): void {
    const { netns, dir } = this.pair.places;
    const child = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', 'ip', 'netns', 'exec', netns, program, ...args],
      {
        env: { ...process.env, MIBS: '', SNMP_PERSISTENT_DIR: join(dir, 'receiver') },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    child.stdout?.setEncoding('utf8').on('data', take);
    child.stderr?.setEncoding('utf8').on('data', take);
    this.#children.push(child);
  }

  end(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  /** What a program on the LAN says; '' when it comes to nothing. */
  async lan(program: string, ...args: readonly string[]): Promise<string> {
    const words = ['netns', 'exec', this.pair.places.netns, program, ...args];
    return await run('ip', words, '', MINUTE).catch(() => '');
  }

  /** The value of one object, '' where there is none. */
  async get(box: BoxName, oid: string): Promise<string> {
    const who = ['-v3', '-l', 'authPriv', '-u', 'watcher', '-a', 'SHA-256', '-A', KEYS.auth];
    const how = ['-x', 'AES', '-X', KEYS.privacy, '-m', '', '-On', '-Oe', '-t', '5', '-r', '3'];
    const said = await this.lan('snmpget', ...who, ...how, LAN_ADDRESS[box], oid);
    return /= (?:[\w-]+: )?(.*)/.exec(said)?.[1]?.trim() ?? '';
  }

  async until(what: string, look: () => Promise<boolean> | boolean): Promise<void> {
    const end = performance.now() + 6 * MINUTE;
    while (!(await look())) {
      if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
      await sleep(2000);
    }
    this.say(what);
  }

  /** SNMP, metrics and the console say the same of both. */
  async agree(): Promise<BoxName> {
    const primary = await this.inStep();
    for (const box of BOXES) {
      const role = box === primary ? 'primary' : 'backup';
      await this.until(
        `SNMP: ${box} is ${role}`,
        async () => (await this.get(box, ROLE)) === ROLES[role],
      );
      await this.until(`metrics: ${box} is ${role}`, async () => {
        const text = await this.lan('curl', '-sf', `http://${LAN_ADDRESS[box]}:9464/metrics`);
        return new RegExp(`^sipair_role\\{.*role="${role}".*\\} 1$`, 'm').test(text);
      });
    }
    return primary;
  }

  /** The roles change, and the receiver has a notification of each box of it. */
  async switched(when: string): Promise<void> {
    const primary = await this.agree();
    const from = this.traps.length;
    await this.type(primary, 'request ha switchover');
    const next = other(primary);
    const heard = (box: BoxName, role: string): boolean =>
      new RegExp(
        `UDP: \\[${LAN_ADDRESS[box].replaceAll('.', '\\.')}\\][\\s\\S]*?to ${role}\\b`,
      ).test(this.traps.slice(from));
    await this.until(
      `traps of both boxes ${when}`,
      () => heard(next, 'primary') && heard(primary, 'backup'),
    );
    await this.agree();
  }
}

async function clocks(all: Watched): Promise<void> {
  for (const box of BOXES) {
    await all.until(`the clock of ${box} follows the server`, async () =>
      /synchronised.*chrony/.test(await all.type(box, 'show system')),
    );
  }
}

async function watched(say: Say): Promise<void> {
  await serving('trial-watched', say, Watched, async (all) => {
    const { dir } = all.pair.places;
    mkdirSync(join(dir, 'receiver'), { mode: 0o700 });
    const time = join(dir, 'chrony.conf');
    const where = ['cmdport 0', `pidfile ${dir}/chrony.pid`, `bindaddress ${HOST_ADDRESS}`];
    writeFileSync(time, `${['local stratum 8', 'allow 192.0.2.0/24', ...where].join('\n')}\n`);
    all.runs('chronyd', ['-d', '-x', '-u', 'root', '-f', time], () => {});
    all.runs('socat', ['-u', `UDP4-RECVFROM:514,bind=${HOST_ADDRESS},fork`, '-'], (text) => {
      all.logs += text;
    });
    try {
      await all.operators.a.ready();
      all.pair.a.type('\r');
      await guide(all.pair, PAGE, say);
      await clocks(all);
      await all.agree();

      const conf = join(dir, 'snmptrapd.conf');
      const keys = `SHA-256 "${KEYS.auth}" AES "${KEYS.privacy}"`;
      const engines = await Promise.all(BOXES.map((box) => all.get(box, ENGINE_ID)));
      expectThat(new Set(engines).size === 2 && !engines.includes(''), `engine ids: ${engines}`);
      const users = engines.map(
        (id) => `createUser -e 0x${id.replace(/[^0-9A-F]/gi, '')} watcher ${keys}`,
      );
      writeFileSync(conf, `${[...users, 'authUser log watcher priv'].join('\n')}\n`, {
        mode: 0o600,
      });
      all.runs(
        'snmptrapd',
        ['-f', '-Lo', '-On', '-C', '-c', conf, `udp:${HOST_ADDRESS}:162`],
        (text) => {
          all.traps += text;
        },
      );
      await all.until('snmptrapd', () => all.traps.includes('NET-SNMP version'));
      await all.switched('as they are');
      await all.until('log lines of both boxes', () =>
        BOXES.every((box) => new RegExp(`^<\\d+>1 .* north-${box} `, 'm').test(all.logs)),
      );

      // longer than a receiver forgives a clock that begins anew
      await sleep((WINDOW_S + 30) * 1000);
      for (const box of BOXES) {
        await all.pair.machine(box).tap.text('systemctl restart snmpd', MINUTE);
      }
      await all.switched('after both agents were started again');
      const backup = other(await all.agree());
      await all.pair.powerOff(backup);
      await all.pair.powerOn(backup);
      await all.pair.machine(backup).tap.ready();
      await all.switched('after one box was started again');
      for (const [i, box] of BOXES.entries()) {
        expectThat((await all.get(box, ENGINE_ID)) === engines[i], 'the engine id stays');
      }
      all.town.check();
    } finally {
      all.end();
      say(`log lines: ${all.logs.split('\n').length}, of traps: ${all.traps.split('\n').length}`);
      say(all.traps.slice(-6000));
      say(all.logs.slice(-4000));
    }
  });
}

export const WATCHED = { watched } as const;
