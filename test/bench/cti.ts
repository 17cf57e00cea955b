/**
 * What programs are served with: a real pair in a lab, programs and phones in one process beside it.
 *
 * To repeat: `./build.sh bench cti [--seconds N] [--away N] [--programs N]`. What a call costs the
 * engine with and without programs: `./build.sh bench engine --csta`.
 */

import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createLab, labName } from '../lab/lab.ts';
import { NODE } from '../lab/places.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    away: { type: 'string', default: '60' },
    programs: { type: 'string', default: '500' },
  },
});

const SCRIPT = fileURLToPath(new URL('./cti-load.ts', import.meta.url));
// other work on the machine must not look like the death of an engine
const config = { timers: { engineStuckMs: 5000, engineStuckAloneMs: 30_000 } };
const lab = await createLab({ name: labName('cti'), config });
try {
  for (const args of [
    ['latency', '1', values.seconds],
    ['requests', '1', values.seconds],
    ['reads', '1', values.seconds],
    ['monitors', '2000', '0'],
    ['latency', values.programs, values.seconds],
    ['away', '1', values.away],
  ]) {
    await lab.ready();
    const child = lab.spawn('lan', [NODE, SCRIPT, ...args]);
    child.stderr.on('data', (text) => process.stderr.write(text));
    for await (const line of createInterface({ input: child.stdout })) console.log(line);
  }
} finally {
  await lab.down();
}
