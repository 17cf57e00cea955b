/**
 * The operator's guide from the carton to the first call, as it is written, on two virtual appliances; then a call through the
 * VIP, and the power of the primary is cut while it is up. `./build.sh vm test`.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'ava';
import { ROOT } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { guide, guideConsole, slowDown } from './guided.ts';
import { VmPair } from './pair.ts';

const MINUTE = 60_000;
const PAGE = readFileSync(join(ROOT, 'docs/first-boot.md'), 'utf8');
/** From here on the service runs. */
const PAIRED = PAGE.indexOf('## A pair');

/** Two phones in a process of their own, on the LAN of the pair. */
class Phones {
  readonly process: ChildProcess;
  readonly said: string[] = [];

  constructor(pair: VmPair) {
    const script = join(ROOT, 'test/vm/two-phones.ts');
    const args = ['netns', 'exec', pair.places.netns, process.execPath, script];
    this.process = spawn('ip', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    if (this.process.stdout !== null) {
      createInterface({ input: this.process.stdout }).on('line', (line) => this.said.push(line));
    }
  }

  say(word: string): void {
    this.process.stdin?.write(`${word}\n`);
  }

  async heard(what: string, times = 1): Promise<void> {
    const end = performance.now() + 3 * MINUTE;
    while (this.said.filter((l) => l.includes(`"what":"${what}"`)).length < times) {
      if (performance.now() > end) throw new Error(`no ${what}; ${this.said.join(' ')}`);
      await sleep(100);
    }
  }
}

test('from the carton to a call that survives a power cut', async (t) => {
  t.timeout(25 * MINUTE);
  const pair = new VmPair('test-boot');
  t.teardown(() => pair.remove());
  await pair.make();
  for (const box of [pair.a, pair.b]) await box.start();
  t.log('power on');
  const say = (text: string): void => t.log(text);
  await guide(pair, PAGE.slice(0, PAIRED), say);
  await slowDown(pair, say);
  await guide(pair, PAGE.slice(PAIRED), say);

  const phones = new Phones(pair);
  t.teardown(() => phones.say('end'));
  await phones.heard('registered');
  phones.say('call');
  await phones.heard('established', 2);

  await pair.powerOff('a');
  await guideConsole(pair.b).expect(/north-b \(primary/, 'the other leads');
  phones.say('reinvite');
  await phones.heard('reinvited');

  await pair.powerOn('a');
  await guideConsole(pair.b).expect(/north-b \(primary, in step/, 'both are there again');
  phones.say('reinvite');
  await phones.heard('reinvited', 2);
  phones.say('hangup');
  await phones.heard('ended', 2);
  t.false(
    phones.said.some((l) => /"what":"(failed|broken)"/.test(l)),
    phones.said.join('\n'),
  );
});
