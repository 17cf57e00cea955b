/**
 * What can be seen of a pair from outside, all the time: who answers ARP for the VIP, who speaks SIP
 * and from which address. It asks the boxes nothing.
 */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Lab } from '../lab/lab.ts';
import { BOXES, type BoxName, LAN_MAC, NODE, VIP } from '../lab/places.ts';

/** Two boxes may answer for the VIP this long: one has just lost it, the other announced it. */
const TWO_MS = 1000;
const KEPT = 50;

export class Watch {
  readonly violations: string[] = [];
  /** How often the box that speaks SIP was another than before. */
  changes = 0;
  datagrams = 0;
  longestTwoMs = 0;
  longestSilentMs = 0;
  readonly #spokeAt: Record<BoxName, number> = { a: 0, b: 0 };
  #speaker: BoxName | undefined;
  readonly #children: ChildProcessWithoutNullStreams[] = [];
  #ending = false;

  /** Watches until `stop`. */
  constructor(lab: Lab) {
    const arp = lab.spawn('lan', [NODE, join(import.meta.dirname, 'arp-watch.ts')]);
    createInterface({ input: arp.stdout }).on('line', (line) => this.#arp(line));
    const boxes = BOXES.map((box) => `ether src ${LAN_MAC[box]}`).join(' or ');
    // The whole of a datagram is not needed; line by line, so that nothing is late.
    const options = ['-Z', 'root', '-l', '-n', '-e', '-tt', '-s', '80', '-i', 'lan0'];
    const filter = `udp and not port 5405 and (${boxes})`;
    const sip = lab.spawn('lan', ['tcpdump', ...options, filter]);
    createInterface({ input: sip.stdout }).on('line', (line) => this.#sip(line));
    this.#watched('arp-watch', arp);
    this.#watched('tcpdump', sip);
  }

  /** An observer that ended sees nothing, which must not look like peace. */
  #watched(name: string, child: ChildProcessWithoutNullStreams): void {
    let words = '';
    child.stderr.on('data', (bytes) => {
      words = (words + String(bytes)).slice(-400);
    });
    child.on('exit', () => {
      if (!this.#ending) this.#violation(`the observer ${name} ended: ${words}`);
    });
    this.#children.push(child);
  }

  #violation(text: string): void {
    if (this.violations.length < KEPT) this.violations.push(text);
  }

  #arp(line: string): void {
    const { twoMs, silentMs } = JSON.parse(line) as { twoMs: number; silentMs: number };
    this.longestTwoMs = Math.max(this.longestTwoMs, twoMs);
    this.longestSilentMs = Math.max(this.longestSilentMs, silentMs);
    if (twoMs > TWO_MS) {
      this.#violation(`two boxes answer ARP for the VIP for ${twoMs.toFixed(0)} ms`);
    }
  }

  #sip(line: string): void {
    const match = /^([\d.]+) (\S+) > .*?: (\d+\.\d+\.\d+\.\d+)\.(\d+) > /.exec(line);
    if (match === null) return;
    const [, at = '', mac = '', from = '', port = ''] = match;
    const box = BOXES.find((one) => LAN_MAC[one] === mac);
    if (box === undefined) return;
    this.datagrams++;
    if (from !== VIP) {
      this.#violation(`box ${box} says something from its own address ${from}:${port}`);
      return;
    }
    if (this.#speaker !== undefined && this.#speaker !== box) this.changes++;
    this.#speaker = box;
    this.#spokeAt[box] = Number(at) * 1000;
  }

  /** When a box last said something from the VIP, ms since 1970; 0: never. */
  spokeAt(box: BoxName): number {
    return this.#spokeAt[box];
  }

  /** The box spoke after `at` (ms since 1970), which it must not have. */
  mustBeSilent(box: BoxName, at: number, why: string): void {
    if (this.#spokeAt[box] > at) {
      const late = (this.#spokeAt[box] - at).toFixed(0);
      this.#violation(`box ${box} spoke SIP ${late} ms after ${why}`);
    }
  }

  stop(): void {
    this.#ending = true;
    for (const child of this.#children) child.kill('SIGTERM');
  }
}
