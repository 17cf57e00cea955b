/** The part of the configuration about the media service of the box: `media`, all of it optional. */

import { LIMITS } from '../base/limits.ts';
import type { Checker, Json } from './config.ts';

export type MediaConfig = {
  /** UDP ports media is sent from and received at, at the virtual addresses; even ones are used. */
  readonly ports: readonly [number, number];
  /** Folder of prompts: WAV files. */
  readonly prompts: string;
  /** Sessions at once; 0: the service is off. */
  readonly max: number;
};

const PORTS = [16_384, 18_383] as const;

export function mediaOf(c: Checker, j: Json): MediaConfig {
  const media = c.optional(j, 'media', '') ?? {};
  c.known(media, 'media.', ['ports', 'prompts', 'max']);
  const given = media['ports'] === undefined ? PORTS : c.list(media, 'ports', 'media.');
  const [from, to] = given.map(Number);
  const right =
    given.length === 2 && given.every((p) => Number.isInteger(p) && 1024 <= Number(p)) === true;
  if (!right || (from as number) >= (to as number) || (to as number) > 65_535) {
    c.wrong('media.ports', 'config-range', 'the first and the last port, 1024 .. 65535');
  }
  const prompts = media['prompts'];
  return {
    ports: [from ?? 0, to ?? 0],
    prompts:
      prompts === undefined ? `${String(j['data'])}/prompts` : c.text(media, 'prompts', 'media.'),
    max: c.whole(media, 'max', 'media.', 0, LIMITS.mediaSessions, LIMITS.mediaSessions),
  };
}
