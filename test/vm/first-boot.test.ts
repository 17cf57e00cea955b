/**
 * The operator's guide from the carton to the first call, as it is written, on two virtual appliances; then a call through the
 * VIP, and the power of the primary is cut while it is up. The lamps say all the while what is. `./build.sh vm test`.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ROOT } from '../lab/places.ts';
import { guide, guideConsole, slowDown } from './guided.ts';
import { lampsShow } from './lamps.ts';
import { VmPair } from './pair.ts';
import { Phones } from './phones.ts';

const MINUTE = 60_000;
const PAGE = readFileSync(join(ROOT, 'docs/first-boot.md'), 'utf8');
/** From here on the service runs. */
const PAIRED = PAGE.indexOf('## A pair');

test('from the carton to a call that survives a power cut', async (t) => {
  t.timeout(25 * MINUTE);
  const pair = new VmPair('test-boot');
  t.teardown(() => pair.remove());
  await pair.make();
  for (const box of [pair.a, pair.b]) await box.start();
  t.log('power on');
  const say = (text: string): void => t.log(text);
  for (const box of [pair.a, pair.b]) {
    await box.tap.ready();
    await lampsShow(box, { status: '1hz', ha: 'off', alarm: 'off' }, 3 * MINUTE);
  }
  await guide(pair, PAGE.slice(0, PAIRED), say);
  await slowDown(pair, say);
  await guide(pair, PAGE.slice(PAIRED), say);

  const phones = new Phones(pair);
  t.teardown(() => phones.say('end'));
  await phones.heard('registered');
  phones.say('call');
  await phones.heard('established', 2);
  await lampsShow(pair.a, { status: 'steady', ha: 'steady' });
  await lampsShow(pair.b, { status: 'steady', ha: 'double' });

  await pair.powerOff('a');
  await guideConsole(pair.b).expect(/north-b \(primary/, 'the other leads');
  await lampsShow(pair.b, { status: 'steady', ha: 'single', alarm: '4hz' });
  phones.say('reinvite');
  await phones.heard('reinvited');

  await pair.powerOn('a');
  await guideConsole(pair.b).expect(/north-b \(primary, in step/, 'both are there again');
  await lampsShow(pair.b, { status: 'steady', ha: 'steady' });
  phones.say('reinvite');
  await phones.heard('reinvited', 2);
  phones.say('hangup');
  await phones.heard('ended', 2);
  t.true(phones.isWell, phones.said.join('\n'));
});
