/** The packet capture of a virtual run is read by tshark: nothing malformed, every checksum right. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { run } from '../world/run.ts';

test('tshark reads a virtual run', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sipair-sim-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'run.pcap');
  const { world } = run({ seed: 5, capture: true });
  writeFileSync(file, world.capture?.file() ?? new Uint8Array());
  const count = (filter: string): number => {
    const checks = ['-o', 'ip.check_checksum:TRUE', '-o', 'udp.check_checksum:TRUE'];
    const fields = ['-Y', filter, '-T', 'fields', '-e', 'frame.number'];
    let out: string;
    try {
      out = execFileSync('tshark', ['-r', file, ...checks, ...fields], {
        encoding: 'latin1',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    } catch (error) {
      throw new Error('tshark does not run: apt-get install tshark', { cause: error });
    }
    return out.split('\n').filter((line) => line !== '').length;
  };
  t.is(count('ip.checksum.status != 1 || udp.checksum.status != 1 || _ws.malformed'), 0);
  t.true(count('sip.Method == "INVITE"') > 0);
  t.true(count('arp.isgratuitous && arp.opcode == 1 && arp.src.proto_ipv4 == 192.0.2.10') >= 5);
  t.true(count('arp.isgratuitous && arp.opcode == 2 && arp.src.proto_ipv4 == 192.0.2.10') >= 5);
});
