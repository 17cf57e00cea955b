/**
 * Somebody who listens: a UDP socket on the host `lan` that tells of every RTP packet in a line of
 * JSON, and speaks now and then, so that whoever sends to him knows that he is there.
 *   rtp-ear.ts ADDRESS PORT
 */

import { createSocket } from 'node:dgram';

export type HeardPacket = {
  readonly from: string;
  readonly type: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  /** Octets that are not silence in mu-law. */
  readonly loud: number;
};

const [address = '', port = ''] = process.argv.slice(2);
const socket = createSocket('udp4');
let said = 0;

socket.on('message', (b, { address: ip, port: from }) => {
  const heard: HeardPacket = {
    from: `${ip}:${from}`,
    type: b.readUInt8(1) & 127,
    sequence: b.readUInt16BE(2),
    timestamp: b.readUInt32BE(4),
    ssrc: b.readUInt32BE(8),
    loud: b.subarray(12).filter((x) => (x | 0x80) !== 0xff).length,
  };
  process.stdout.write(`${JSON.stringify(heard)}\n`);
  // one packet in five is answered, and some of that is no RTP at all
  said += 1;
  if (said % 5 !== 0) return;
  const mine = Buffer.alloc(172, 0xff);
  mine.writeUInt32BE(0x80000000 + said, 0);
  mine.writeUInt32BE(160 * said, 4);
  mine.writeUInt32BE(77, 8);
  socket.send(said % 10 === 0 ? mine.subarray(0, said % 13) : mine, from, ip);
});
socket.bind(Number(port), address, () => process.stdout.write('{}\n'));
process.stdin.on('end', () => process.exit(0)).resume();
