/** Trials that take longer than a test may: ./build.sh vm trial NAME. They use what the tests use. */

import { OUTSIDE } from './faults.ts';
import { FRONT } from './front.ts';
import { VmPair } from './pair.ts';
import { ALONE } from './upgrade-alone.ts';
import { PAIR } from './upgrade-pair.ts';

export type Trial = (say: (text: string) => void) => Promise<void>;

/** From power on to the login, and to the shell of the test: under emulation, on whatever else this machine does. */
async function boot(say: (text: string) => void): Promise<void> {
  const pair = new VmPair('trial-boot');
  try {
    await pair.make();
    for (const what of ['first boot', 'second boot']) {
      await pair.a.start();
      await pair.a.waitFor(/sipair: slot [AB]/);
      say(`${what}: boot loader after ${pair.a.uptimeS().toFixed(1)} s`);
      await pair.a.waitFor(/login:|password/i);
      say(`${what}: console after ${pair.a.uptimeS().toFixed(1)} s`);
      await pair.a.tap.ready();
      say((await pair.a.tap.run('systemd-analyze')).text.split('\n')[0] ?? '');
      await pair.a.tap.run('sync');
      await pair.a.powerOff();
    }
  } finally {
    await pair.remove();
  }
}

export const TRIALS: { readonly [name: string]: Trial } = {
  boot,
  ...ALONE,
  ...PAIR,
  ...OUTSIDE,
  ...FRONT,
};
