/**
 * Audio on its way to a phone: RTP with PCMU (RFC 3551 4.5.14) from a capture, searched for a tone.
 * For what a phone is sent after it was held: baresip 1.0 stops recording then, though it plays.
 */

import type { Lab } from '../../lab/lab.ts';
import { Capture, type Frame } from '../capture.ts';
import { RATE, share } from './tone.ts';
import { until } from './until.ts';

const RTP_HEADER = 12;
/** G.711 mu-law, RFC 3551 4.5.14: 8 bits to 14, here scaled to 16. */
function linear(octet: number): number {
  const code = ~octet & 0xff;
  const magnitude = (((code & 15) << 3) + 0x84) << ((code >> 4) & 7);
  return (code & 0x80) !== 0 ? 0x84 - magnitude : magnitude - 0x84;
}

/** The even ports a phone takes for RTP, first to last. */
export type Ports = readonly [number, number];

/** Half seconds of the PCMU sent to `ports` since `at` that have the tone. */
export function toned(frames: readonly Frame[], ports: Ports, at: number, hz: number): number {
  const samples: number[] = [];
  for (const frame of frames) {
    const { udp } = frame;
    if (udp === undefined || frame.at < at || udp.toPort % 2 !== 0) continue;
    if (udp.toPort < ports[0] || udp.toPort > ports[1]) continue;
    // Version 2, payload type 0.
    if ((udp.text.charCodeAt(0) & 0xc0) !== 0x80 || (udp.text.charCodeAt(1) & 0x7f) !== 0) continue;
    for (let i = RTP_HEADER; i < udp.text.length; i += 1) {
      samples.push(linear(udp.text.charCodeAt(i)));
    }
  }
  let found = 0;
  for (let i = 0; i + RATE / 2 <= samples.length; i += RATE / 2) {
    if (share(Int16Array.from(samples.slice(i, i + RATE / 2)), hz) > 0.8) found += 1;
  }
  return found;
}

export class Audio {
  readonly #capture: Capture;

  private constructor(capture: Capture) {
    this.#capture = capture;
  }

  static async listen(lab: Lab): Promise<Audio> {
    return new Audio(await Capture.inside(lab, 'udp portrange 20000-39999'));
  }

  /** Waits until two seconds sent to these ports from now on have this tone. */
  async reaches(ports: Ports, hz: number): Promise<void> {
    const at = Date.now() * 1000;
    let found = 0;
    await until(
      () => {
        found = toned(this.#capture.soFar(), ports, at, hz);
        return found >= 4;
      },
      () => new Error(`${found} half seconds of ${hz} Hz were sent to ${ports.join('-')}`),
    );
  }

  /** Waits for a second and a half in which this tone is not sent there. */
  async stays(ports: Ports, hz: number): Promise<void> {
    await until(
      async () => {
        const at = Date.now() * 1000;
        await new Promise((wake) => setTimeout(wake, 1500));
        return toned(this.#capture.soFar(), ports, at, hz) === 0;
      },
      () => new Error(`${hz} Hz is still sent to ${ports.join('-')}`),
    );
  }
}
