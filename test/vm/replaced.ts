/**
 * A box is dead, and a new one comes in its place, at a pair whose crossover is not the default one: docs/recovery.md, "A crossover
 * that is not the default one". The survivor serves all the while.
 */

import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BOXES } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { run } from '../lab/run.ts';
import { guide } from './guided.ts';
import { Operator } from './operator.ts';
import { imageFile, vmPlaces } from './places.ts';
import { MINUTE, type Say, Serving } from './serving.ts';
import { PASSWORD, pairSetUp } from './set-up.ts';
import { expectThat } from './upgrade-kit.ts';

const OTHER_CROSSOVER = `
\`\`\`serial a
)> › configure
# › set box a crossover address 169.254.99.1
# › set box b crossover address 169.254.99.2
# › commit
committed as revision <other> on both boxes
# › exit
\`\`\`
`;

const SAVED = `
\`\`\`serial a
(primary, not in step…)> › show configuration commands | match crossover
set box a crossover address 169.254.99.1
> › configure
# › save usb:pair.conf
saved: usb:pair.conf
# › exit
\`\`\`
`;

/** As it is done at the new box, with the stick of the other one in it. */
const NEW_BOX = `
\`\`\`serial b
This box is new.
Password of admin: › ${PASSWORD}
Again: › ${PASSWORD}
Is this box a or b? › b
Name of this box [sipair-b]: › north-b
Address of this box on the LAN: › 192.0.2.12
Length of the network prefix [24]: ›
Gateway, - for none [-]: › 192.0.2.1
Is it right? [y/n] › y
kept.
Pair with the other box now? [y/n] › n
That was all.
)> › configure
# › load usb:pair.conf
# › commit
committed as revision
# › exit
> › request pair
box b: waiting for the other box
\`\`\`

\`\`\`serial a
> › request pair
code: <again>
Does the other box show the same code? y or n › y
\`\`\`

\`\`\`serial b
code: <again>
Does the other box show the same code? y or n › y
paired: both boxes have the key
\`\`\`

\`\`\`serial a
the other box has the key of this one now: nothing changes here
\`\`\`
`;

const NAME = 'trial-replaced';
/** One stick for both boxes: it is read in one after it was written in the other. */
const STICK = join(vmPlaces(NAME).dir, 'stick.img');
const STICK_BYTES = 64 * 2 ** 20;
const IN_BOTH: readonly string[] = [
  ...['-device', 'qemu-xhci,id=usb'],
  ...['-drive', `file=${STICK},if=none,id=stick,format=raw,file.locking=off`],
  ...['-device', 'usb-storage,bus=usb.0,drive=stick,removable=on'],
];

async function replaced(say: Say): Promise<void> {
  const pair = await pairSetUp(NAME, say, { more: IN_BOTH });
  let all: Serving | undefined;
  try {
    writeFileSync(STICK, '');
    truncateSync(STICK, STICK_BYTES);
    await run('mkfs.ext4', ['-q', '-F', '-L', 'STICK', STICK]);
    for (const box of BOXES) await pair.machine(box).start();
    // both services start anew for it, so there are no phones yet
    const inStep = /^(primary|backup), in step/;
    for (const box of BOXES) {
      const operator = new Operator(pair.machine(box));
      await operator.ready();
      await operator.until(inStep, 6 * MINUTE);
    }
    await guide(pair, OTHER_CROSSOVER, say);
    await sleep(MINUTE);
    all = new Serving(pair, say);
    if ((await all.inStep()) === 'b') {
      await all.type('b', 'request ha switchover');
      await all.operators.a.until(/^primary, in step/, 2 * MINUTE);
    }
    await all.town.busy();
    await pair.powerOff('b');
    await pair.b.flash(imageFile());
    await all.operators.a.until(/^primary, not in step/, 2 * MINUTE);
    pair.a.type('\r');
    await guide(pair, SAVED, say);
    await pair.powerOn('b');
    await guide(pair, NEW_BOX, say);
    await all.inStep();
    for (const box of BOXES) {
      const said = await all.type(box, 'show configuration commands | match crossover');
      expectThat(/169\.254\.99\.1[\s\S]*169\.254\.99\.2/.test(said), said);
      await all.type(box, 'show alarms');
      await all.type(box, 'show configuration revisions');
    }
    // the new one has what the old one had: it may lead
    await all.type('a', 'request ha switchover');
    await all.operators.b.until(/^primary, in step/, 2 * MINUTE);
    await all.town.serves();
    all.town.check();
  } finally {
    if (all !== undefined) say(`phones: ${all.town.words()}`);
    all?.town.end();
    await pair.remove();
  }
}

export const REPLACED = { replaced } as const;
