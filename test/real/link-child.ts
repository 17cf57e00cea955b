/** Box b's end of a crossover link, alone in a process that a test can kill. */

import type { Config } from '../../src/edge/config.ts';
import { Link } from '../../src/edge/link.ts';

const { key, ...config } = JSON.parse(process.argv[2] ?? '') as Config & { key: number[] };

new Link({ ...config, node: { pair: { key: Uint8Array.from(key) } } } as unknown as Config, {
  up: () => {},
  data: () => {},
  down: () => {},
  trouble: () => {},
});
