/** Syslog to the log servers of the configuration: what changes, and the lines of the box's own log. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { BoxStatus, StatusChange } from '../../panel/monitor/box-status.ts';
import {
  type Entry,
  entryOf,
  journalEntry,
  LEVELS,
  type Level,
  type Sender,
  senderOf,
  syslogMessage,
} from '../../panel/telemetry/syslog.ts';
import type { Consumer, ConsumerContext, SystemTree } from './consumer.ts';
import { type SyslogServer, SyslogWay } from './syslog-way.ts';

/** `--all`: a line above 4096 octets would have no text. */
export const JOURNALCTL: readonly string[] = [
  ...['journalctl', '--follow', '--lines=0', '--output=json', '--all'],
  '--unit=sipair*',
];
/** A journal that ended is read again after this. */
const AGAIN_MS = 5000;
const PORTS = { udp: 514, tcp: 514, tls: 6514 } as const;

/** `system syslog` of the configuration. */
function serversOf({ syslog }: SystemTree): SyslogServer[] {
  if (typeof syslog !== 'object' || syslog === null) return [];
  return Object.entries(syslog).flatMap(([name, value]) => {
    const s = value as {
      readonly address?: unknown;
      readonly port?: unknown;
      readonly transport?: unknown;
      readonly level?: unknown;
    };
    if (typeof s?.address !== 'string') return [];
    const transport = s.transport === 'tcp' || s.transport === 'tls' ? s.transport : 'udp';
    const port = typeof s.port === 'number' ? s.port : PORTS[transport];
    const level = typeof s.level === 'string' && s.level in LEVELS ? (s.level as Level) : 'notice';
    return [{ name, address: s.address, port, transport, level }];
  });
}

/** Whatever level a server wants: it cannot know otherwise. */
function lostEntry(count: number): Entry {
  const text = `${count} messages to this server were lost`;
  return { at: Date.now(), level: 'warning', id: 'lost', process: 'monitor', text };
}

class SyslogConsumer implements Consumer {
  private readonly context: ConsumerContext;
  private readonly command: readonly string[] | undefined;
  private readonly ways = new Map<string, SyslogWay>();
  private sender: Sender = { name: '', box: '', role: 'none', epoch: 0, inStep: false };
  private journal: ChildProcess | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(context: ConsumerContext, command: readonly string[] | undefined) {
    this.context = context;
    this.command = command;
    this.configure(context.system);
  }

  configure(system: SystemTree): void {
    const servers = new Map(serversOf(system).map((s) => [JSON.stringify(s), s]));
    for (const [key, way] of this.ways) {
      if (servers.has(key)) continue;
      way.close();
      this.ways.delete(key);
    }
    for (const [key, server] of servers) {
      if (!this.ways.has(key)) {
        const { root, log } = this.context;
        // said here, and so to the other servers too
        const tell = (text: string): void => log('warning', text);
        const lostAs = (count: number): Uint8Array => syslogMessage(lostEntry(count), this.sender);
        this.ways.set(key, new SyslogWay(server, root, { tell, lostAs }));
      }
    }
    if (this.ways.size > 0 && this.journal === undefined) this.follow();
    if (this.ways.size === 0) this.unfollow();
  }

  update(status: BoxStatus, changes: readonly StatusChange[]): void {
    this.sender = senderOf(status);
    for (const change of changes) this.say(entryOf(change));
  }

  close(): void {
    this.unfollow();
    for (const way of this.ways.values()) way.close();
    this.ways.clear();
  }

  private say(entry: Entry): void {
    if (this.ways.size === 0) return;
    const message = syslogMessage(entry, this.sender);
    for (const way of this.ways.values()) {
      if (LEVELS[entry.level] > LEVELS[way.server.level]) continue;
      // a line that each line makes anew has no end
      if (!way.isOwn(entry.text)) way.send(message);
    }
  }

  private follow(): void {
    const [program, ...args] = this.command ?? [];
    if (program === undefined) return;
    const journal = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.journal = journal;
    const again = (): void => {
      if (this.journal !== journal) return;
      this.journal = undefined;
      this.timer = setTimeout(() => this.follow(), AGAIN_MS);
      this.timer.unref();
    };
    journal.on('error', again);
    journal.on('exit', again);
    createInterface({ input: journal.stdout }).on('line', (line) => {
      const entry = journalEntry(line);
      if (entry !== undefined) this.say(entry);
    });
  }

  private unfollow(): void {
    clearTimeout(this.timer);
    const { journal } = this;
    this.journal = undefined;
    journal?.kill();
  }
}

/** @param command what gives the lines of the log, as journalctl does. */
export function syslogConsumer(
  context: ConsumerContext,
  command: readonly string[] | undefined = journalOf(context.root),
): Consumer {
  return new SyslogConsumer(context, command);
}

/** A box that runs in a folder has no journal of its own. */
function journalOf(root: string): readonly string[] | undefined {
  return root === '/' && existsSync('/usr/bin/journalctl') ? JOURNALCTL : undefined;
}
