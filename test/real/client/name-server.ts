/**
 * A name server for one zone, on the host `lan`: SRV and A records from the command line, everything
 * else does not exist (RFC 1035 as far as a trunk needs it).
 *   name-server.ts ADDRESS NAME=srv:PRIORITY:WEIGHT:PORT:TARGET NAME=a:IP …
 */

import { createSocket } from 'node:dgram';

const [address = '', ...records] = process.argv.slice(2);
const TYPES = { a: 1, srv: 33 } as const;
const TTL_S = 5;

function nameBytes(name: string): Buffer {
  const labels = name.split('.').filter((l) => l !== '');
  return Buffer.concat([
    ...labels.map((l) => Buffer.concat([Buffer.from([l.length]), Buffer.from(l)])),
    Buffer.from([0]),
  ]);
}

type Answer = { readonly type: number; readonly data: Buffer };

function answersFor(name: string, type: number): readonly Answer[] {
  return records.flatMap((record) => {
    const [owner, value = ''] = record.split('=');
    const [kind, ...parts] = value.split(':');
    if (owner !== name || TYPES[kind as keyof typeof TYPES] !== type) return [];
    if (kind === 'a') return [{ type, data: Buffer.from((parts[0] ?? '').split('.').map(Number)) }];
    const numbers = Buffer.alloc(6);
    parts.slice(0, 3).forEach((n, i) => {
      numbers.writeUInt16BE(Number(n), i * 2);
    });
    return [{ type, data: Buffer.concat([numbers, nameBytes(parts[3] ?? '')]) }];
  });
}

const socket = createSocket('udp4');
socket.on('message', (query, from) => {
  const labels: string[] = [];
  let at = 12;
  for (let size = query[at] as number; size > 0; size = query[at] as number) {
    labels.push(query.toString('latin1', at + 1, at + 1 + size));
    at += size + 1;
  }
  const end = at + 5;
  const found = answersFor(labels.join('.').toLowerCase(), query.readUInt16BE(at + 1));
  const head = Buffer.from(query.subarray(0, 12));
  // a response, authoritative; "no such name" (3) when there is nothing
  head.writeUInt16BE(found.length > 0 ? 0x8580 : 0x8583, 2);
  head.writeUInt16BE(found.length, 6);
  head.fill(0, 8);
  const rest = found.map(({ type, data }) => {
    const fixed = Buffer.alloc(12);
    fixed.writeUInt16BE(0xc00c, 0);
    fixed.writeUInt16BE(type, 2);
    fixed.writeUInt16BE(1, 4);
    fixed.writeUInt32BE(TTL_S, 6);
    fixed.writeUInt16BE(data.length, 10);
    return Buffer.concat([fixed, data]);
  });
  socket.send(Buffer.concat([head, query.subarray(12, end), ...rest]), from.port, from.address);
});
socket.bind(53, address, () => process.stdout.write('ready\n'));
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
