/**
 * What really was on a wire: tcpdump at a port of the lab's switch, where everything a box says comes
 * in, read back as values. `tcpdump -Q in` at the port of box a is what box a said, nothing else.
 */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../lab/lab.ts';
import type { HostName } from '../lab/places.ts';

export type Frame = {
  /** Microseconds since 1970, of the one clock of this machine. */
  readonly at: number;
  readonly dst: string;
  readonly src: string;
  readonly arp?: {
    readonly op: number;
    readonly sha: string;
    readonly spa: string;
    readonly tha: string;
    readonly tpa: string;
  };
  readonly udp?: {
    readonly from: string;
    readonly fromPort: number;
    readonly to: string;
    readonly toPort: number;
    readonly text: string;
  };
  /** IPv4 that is not UDP, or a later piece of it: its source. */
  readonly ip?: string;
};

const mac = (b: Buffer, at: number): string =>
  (b.toString('hex', at, at + 6).match(/../g) ?? []).join(':');
const ipv4 = (b: Buffer, at: number): string => [...b.subarray(at, at + 4)].join('.');

function frameOf(at: number, b: Buffer): Frame {
  const base = { at, dst: mac(b, 0), src: mac(b, 6) };
  const type = b.readUInt16BE(12);
  if (type === 0x0806) {
    const [op, sha, spa, tha, tpa] = [20, 22, 28, 32, 38];
    return {
      ...base,
      arp: {
        op: b.readUInt16BE(op),
        sha: mac(b, sha as number),
        spa: ipv4(b, spa as number),
        tha: mac(b, tha as number),
        tpa: ipv4(b, tpa as number),
      },
    };
  }
  if (type !== 0x0800) return base;
  const ipEnd = 14 + (b.readUInt8(14) & 15) * 4;
  // Of a datagram in pieces only the first has ports.
  const piece = (b.readUInt16BE(20) & 0x1fff) !== 0;
  if (b[23] !== 17 || piece) return { ...base, ip: ipv4(b, 26) };
  return {
    ...base,
    udp: {
      from: ipv4(b, 26),
      to: ipv4(b, 30),
      fromPort: b.readUInt16BE(ipEnd),
      toPort: b.readUInt16BE(ipEnd + 2),
      text: b.toString('latin1', ipEnd + 8, ipEnd + b.readUInt16BE(ipEnd + 4)),
    },
  };
}

/** Reads a pcap file with microseconds, this machine's byte order, Ethernet. */
export function readPcap(file: string): Frame[] {
  const b = readFileSync(file);
  if (b.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error(`${file}: not a pcap file`);
  const frames: Frame[] = [];
  for (let at = 24; at + 16 <= b.length; ) {
    const length = b.readUInt32LE(at + 8);
    if (at + 16 + length > b.length) break;
    const time = b.readUInt32LE(at) * 1e6 + b.readUInt32LE(at + 4);
    frames.push(frameOf(time, b.subarray(at + 16, at + 16 + length)));
    at += 16 + length;
  }
  return frames;
}

export class Capture {
  readonly file: string;
  readonly #child: ChildProcessWithoutNullStreams;

  private constructor(lab: Lab, netns: string, name: string, what: readonly string[]) {
    this.file = join(lab.places.dir, `${name}-${Math.trunc(performance.now())}.pcap`);
    const always = ['--immediate-mode', '-U', '-n', '-s', '0', '-w', this.file];
    this.#child = spawn('ip', [
      'netns',
      'exec',
      netns,
      'tcpdump',
      '-Z',
      'root',
      ...always,
      ...what,
    ]);
  }

  /** Everything that a host says on the LAN, from now on. */
  static of(lab: Lab, host: HostName): Promise<Capture> {
    const port = ['-i', `lan-${host}`, '-Q', 'in'];
    return new Capture(lab, lab.places.netns('sw'), `said-by-${host}`, port).#listening();
  }

  /** What a host says on the LAN and what is said to it. */
  static around(lab: Lab, host: HostName): Promise<Capture> {
    const port = ['-i', `lan-${host}`];
    return new Capture(lab, lab.places.netns('sw'), `around-${host}`, port).#listening();
  }

  /** What the hosts and phones of the host `lan` say to each other, which never leaves it. */
  static inside(lab: Lab, filter: string): Promise<Capture> {
    const place = ['-i', 'lo', filter];
    return new Capture(lab, lab.places.netns('lan'), 'inside-lan', place).#listening();
  }

  async #listening(): Promise<Capture> {
    await new Promise<void>((done, fail) => {
      let words = '';
      this.#child.stderr.on('data', (bytes) => {
        words += String(bytes);
        if (words.includes('listening on')) done();
      });
      this.#child.once('error', fail);
      this.#child.once('exit', () => fail(new Error(`tcpdump: ${words}`)));
    });
    return this;
  }

  /** What was captured so far. */
  soFar(): Frame[] {
    return readPcap(this.file);
  }

  /** Ends the capture and reads it. */
  async end(): Promise<Frame[]> {
    const gone = new Promise<void>((done) => {
      this.#child.once('exit', () => done());
    });
    // What the kernel has kept for tcpdump is handed over within a moment.
    await new Promise((done) => setTimeout(done, 300));
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null) await gone;
    return existsSync(this.file) ? readPcap(this.file) : [];
  }
}
