/**
 * The examples of the integrator's guide against a lab pair, with phones that call: each does what the
 * guide says, and the router goes on over a primary that is killed while callers come.
 */

import test from 'ava';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { Desk } from './client/desk.ts';
import { Example } from './client/example.ts';
import { until } from './clients/until.ts';

let lab: Lab;
let desk: Desk;
const running: Example[] = [];

test.before(async () => {
  lab = await createLab({ name: labName('examples') });
  desk = new Desk(lab);
});

test.after.always(async () => {
  for (const one of running) one.kill();
  desk?.close();
  await lab?.down();
});

function start(name: string, own: { readonly [option: string]: string } = {}): Example {
  const one = new Example(lab, name, own);
  running.push(one);
  return one;
}

test.serial('screen pop: the page opens while the phone rings', async (t) => {
  await desk.phone(1010);
  await desk.phone(1011, 500);
  const pop = start('screen-pop', { device: '1011' });
  await pop.says(/watching 1011/);
  desk.call(1010, 1011);
  await pop.says(/rings: https:.*caller=1010/);
  await pop.says(/is answered/);
  desk.hangUp(1010);
  await pop.says(/is over/);
  pop.kill();
  t.is(desk.count(1011, 'talks'), 1);
});

test.serial('click to dial: both phones talk, and the program hears the end', async (t) => {
  await desk.phone(1012);
  await desk.phone(1013);
  const dial = start('click-to-dial', { device: '1012', number: '1013', hangUpS: '1' });
  await dial.says(/established 1013/);
  await desk.saw(1012, 'talks');
  await desk.saw(1013, 'talks');
  await dial.says(/connectionCleared 1012/);
  t.is(await dial.ended(), 0);
  await desk.saw(1012, 'ended');
  await desk.saw(1013, 'ended');
});

test.serial('click to dial: a number that leads nowhere is refused with its code', async (t) => {
  const dial = start('click-to-dial', { device: '1012', number: '4242' });
  await dial.says(/refused: invalidCalledDevice/);
  t.is(await dial.ended(), 2);
});

test.serial('agent desktop: log on, ready, answer, hang up', async (t) => {
  await desk.phone(1020, -1);
  await desk.phone(1021);
  const agent = { agent: 'agent1020', device: '1020', pin: 'pw-1020' };
  const desktop = start('agent-desktop', agent);
  await desktop.says(/agent1020: notReady/);
  desktop.type('ready');
  await desktop.says(/agent1020: ready/);
  desktop.type('pause lunch');
  await desktop.says(/agent1020: notReady lunch/);
  desktop.type('ready');
  desk.call(1021, 6000);
  await desktop.says(/: delivered/);
  await desk.saw(1020, 'rings');
  desktop.type('answer');
  await desktop.says(/: established/);
  await desktop.says(/agent1020: busy/);
  await desk.saw(1020, 'talks');
  desktop.type('hang-up');
  await desktop.says(/: connectionCleared/);
  await desk.saw(1021, 'ended');
  desktop.type('off');
  t.is(await desktop.ended(), 0);
});

test.serial(
  'a router: calls go on while the primary is killed, and no caller is lost',
  async (t) => {
    const callers = [1030, 1031, 1032, 1033];
    for (const number of callers) await desk.phone(number);
    const agents = [1040, 1041, 1042, 1043];
    for (const number of agents) {
      await desk.phone(number, 300);
      const desktop = start('agent-desktop', {
        ...{ agent: `agent${number}`, device: `${number}`, pin: `pw-${number}` },
      });
      await desktop.says(/: notReady/);
      desktop.type('ready');
      await desktop.says(/: ready/);
    }
    const router = start('router', { point: '5000', queue: '6000', important: '999' });
    await router.says(/routing 5000/);
    const { primary } = await lab.status();
    desk.call(1030, 5000);
    desk.call(1031, 5000);
    await router.says(/1030 goes to 6000/);
    t.true(primary !== null && (await lab.kill(primary)));
    desk.call(1032, 5000);
    desk.call(1033, 5000);
    for (const number of callers) await desk.saw(number, 'talks');
    await router.says(/1033 goes to 6000/);
    const taken = (): number => agents.reduce((sum, n) => sum + desk.count(n, 'talks'), 0);
    await until(
      () => taken() === callers.length,
      () => new Error(`${taken()} calls came to agents: ${JSON.stringify(desk.events)}`),
    );
    for (const number of callers) desk.hangUp(number);
    for (const number of callers) await desk.saw(number, 'ended');
    for (const number of [...callers, ...agents]) {
      t.is(desk.count(number, 'failed') + desk.count(number, 'broken'), 0, `${number}`);
    }
  },
);
