/**
 * tshark reads everything both boxes said in a test: nothing that the virtual address sent may be
 * malformed. Notes of its experts are not counted, only what does not follow the grammar.
 */

import type { ExecutionContext } from 'ava';
import type { Lab } from '../../lab/lab.ts';
import { VIP } from '../../lab/places.ts';
import { run } from '../../lab/run.ts';
import { Capture, type Frame } from '../capture.ts';

/** A refusal of a datagram (ICMP) quotes the beginning of it, which is no message of ours. */
const SAID = `sip && ip.src == ${VIP} && !icmp`;

async function lines(file: string, filter: string): Promise<readonly string[]> {
  // A WebSocket is known by its HTTP only.
  const ports = ['-d', 'tcp.port==8080,http'];
  const out = await run('tshark', ['-r', file, ...ports, '-Y', filter], '', 60_000);
  return out.split('\n').filter((line) => line !== '');
}

export class Malformed {
  readonly #captures: readonly Capture[];

  private constructor(captures: readonly Capture[]) {
    this.#captures = captures;
  }

  static async watch(lab: Lab): Promise<Malformed> {
    return new Malformed(await Promise.all([Capture.around(lab, 'a'), Capture.around(lab, 'b')]));
  }

  /**
   * Ends the captures and judges them, before the lab is taken down. Gives everything on the ports of
   * the boxes. SIP must have been said over each of `transports`, or nothing was looked at.
   */
  async none(
    t: ExecutionContext,
    transports: readonly ('udp' | 'tcp' | 'websocket')[] = ['udp'],
  ): Promise<readonly Frame[]> {
    const frames: Frame[] = [];
    const said = new Map<string, number>();
    for (const capture of this.#captures) {
      frames.push(...(await capture.end()));
      for (const one of transports) {
        const count = (await lines(capture.file, `${SAID} && ${one}`)).length;
        said.set(one, (said.get(one) ?? 0) + count);
      }
      t.deepEqual(await lines(capture.file, `${SAID} && _ws.malformed`), []);
    }
    for (const one of transports) t.true((said.get(one) ?? 0) > 0, `SIP was said over ${one}`);
    return frames;
  }
}
