/** Signs of life: at their time, and only while the work moves. */

import test from 'ava';
import { Life } from '../../src/edge/notify.ts';

test('a sign of life goes out at its time, and none for work that stands still', (t) => {
  const said: string[] = [];
  const life = new Life(100, (text) => said.push(text));
  const alive = (): number => said.filter((text) => text === 'WATCHDOG=1').length;
  for (let now = 0; now < 1000; now += 10) life.turn(now, now);
  t.is(alive(), 10);
  for (let now = 1000; now < 5000; now += 10) life.turn(now, 990);
  t.is(alive(), 11, 'once for the last of its turns: a stuck engine is not said to live');
  life.turn(5000, 991);
  t.is(alive(), 12);
  const nobody = new Life(0, (text) => said.push(text));
  nobody.turn(0, 1);
  t.is(alive(), 12);
});

test('ready is said once, a text when it is another, the end', (t) => {
  const said: string[] = [];
  const life = new Life(0, (text) => said.push(text));
  for (let i = 0; i < 3; i += 1) {
    life.serves();
    life.says('backup, in step');
  }
  life.says('primary, not in step');
  life.ends();
  t.deepEqual(said, [
    'READY=1',
    'STATUS=backup, in step',
    'STATUS=primary, not in step',
    'STOPPING=1',
  ]);
});
