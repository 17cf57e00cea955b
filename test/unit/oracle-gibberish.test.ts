/** no-gibberish judges what a box said to somebody: not what its dead port swallowed. */

import test from 'ava';
import { noGibberish } from '../oracle/no-gibberish.ts';
import type { Frame } from '../world/ether.ts';
import { writeRequest } from '../world/sip-text.ts';
import type { World } from '../world/world.ts';

const notify = (branch: string): Frame =>
  ({
    kind: 'udp',
    udp: {
      dstIp: '192.0.2.101',
      dstPort: 5060,
      text: writeRequest({
        method: 'NOTIFY',
        uri: 'sip:1000@192.0.2.101:5060',
        via: `SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK${branch}`,
        from: '<sip:1001@192.0.2.10>;tag=ours',
        to: '<sip:1000@192.0.2.10>;tag=theirs',
        callId: 'one',
        cseq: 7,
        extra: [],
        body: '',
      }),
    },
  }) as unknown as Frame;

/** Box a says a NOTIFY, then box b another with its CSeq. @returns what is wrong with it. */
function judge(carried: boolean): string[] {
  const wrong: string[] = [];
  const oracle = noGibberish({
    lan: { carries: (port: string) => port === 'b' || carried },
    violate: (_: string, text: string) => wrong.push(text.replace(/:.*/s, '')),
    book: { observations: [] },
  } as unknown as World);
  oracle.frame?.('a', notify('a1'));
  oracle.frame?.('b', notify('b1'));
  return wrong;
}

test('one CSeq for two requests is wrong when both were said to somebody', (t) => {
  t.deepEqual(judge(true), ['CSeq not above 7']);
});

test('what a primary with a dead port said before it knew is said by the next one', (t) => {
  t.deepEqual(judge(false), []);
});
