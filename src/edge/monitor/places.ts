/** Where the things of a box are, below its root. */

import { join } from 'node:path';

export type Places = {
  readonly root: string;
  readonly control: string;
  readonly system: string;
  readonly monitor: string;
  /** What the daemon starts with: made by the system agent. */
  readonly boxFile: string;
  /** The active configuration, of both boxes. */
  readonly active: string;
  readonly data: string;
  readonly alarmLog: string;
  readonly lampClass: string;
  /** What the firmware says of the board. */
  readonly dmi: string;
  /** What the medium says of itself, as smartctl writes it. */
  readonly smart: string;
  /** What the lamps show, in words: for boards without lamps. */
  readonly lampWords: string;
};

export function placesBelow(root: string): Places {
  const run = join(root, 'run/sipair');
  return {
    root,
    control: join(run, 'control.sock'),
    system: join(run, 'system.sock'),
    monitor: join(run, 'monitor.sock'),
    boxFile: join(run, 'box.json'),
    active: join(root, 'data/config/active.json'),
    data: join(root, 'data'),
    alarmLog: join(root, 'data/log/alarms.jsonl'),
    lampClass: join(root, 'sys/class/leds'),
    dmi: join(root, 'sys/class/dmi/id'),
    smart: join(run, 'smart.json'),
    lampWords: join(run, 'leds.json'),
  };
}
