/**
 * The wallboard in a browser: log in, a call comes to a queue, an agent takes it, the primary is killed,
 * and the page goes on without being loaded again and says what happened.
 */

import test from 'ava';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { LAN_ADDRESS, other } from '../lab/places.ts';
import { Browser } from './client/browser.ts';
import { Desk } from './client/desk.ts';
import { Example } from './client/example.ts';
import { until } from './clients/until.ts';

async function browserAt(lab: Lab): Promise<Browser> {
  return Browser.start(['ip', 'netns', 'exec', lab.places.netns('lan')]);
}

/** The thread of the programs listens a moment after its box is up. */
async function opened(browser: Browser, url: string): Promise<void> {
  let why = new Error(url);
  const there = (): Promise<boolean> =>
    browser.open(url).then(
      () => true,
      (error: Error) => {
        why = error;
        return false;
      },
    );
  await until(there, () => why, 30_000);
}

const shows = (table: string, what: string): string =>
  `/${what}/.test(document.querySelector('#${table} tbody').innerText)`;

async function logIn(browser: Browser, password: string): Promise<void> {
  await browser.until('the form', '!document.querySelector("#login").hidden');
  await browser.evaluate('document.querySelector("#program").value = ""');
  await browser.type('#program', 'lab');
  await browser.type('#password', password);
  await browser.click('#login button');
}

test.serial(
  'queues, agents, calls and the pair, live, over the death of the primary',
  async (t) => {
    const lab = await createLab({ name: labName('wallboard') });
    t.teardown(() => lab.down());
    const browser = await browserAt(lab);
    t.teardown(() => browser.close());
    const desk = new Desk(lab);
    t.teardown(() => desk.close());
    const primary = (await lab.status()).primary ?? 'a';
    await opened(browser, `http://${LAN_ADDRESS[primary]}:8088/wallboard`);
    await logIn(browser, 'wrong');
    await browser.until(
      'a refusal',
      '/password/i.test(document.querySelector("#refusal").innerText)',
    );
    await logIn(browser, 'lab');
    await browser.until('the board', '!document.querySelector("#board").hidden');
    const inStep =
      '[...document.querySelectorAll("#boxes li")].every((li) => /, in step/.test(li.innerText))';
    await browser.until('both boxes, in step', inStep);
    // were the page loaded again, it would not know this
    await browser.evaluate('window.loadedOnce = true');

    await desk.phone(1050);
    await desk.phone(1051, 1000);
    const own = { agent: 'agent1051', device: '1051', pin: 'pw-1051' };
    const desktop = new Example(lab, 'agent-desktop', own);
    t.teardown(() => desktop.kill());
    await desktop.says(/agent1051: notReady/);
    await browser.until('an agent', shows('agents', 'agent1051\\s+1051\\s+not ready'));
    desk.call(1050, 6000);
    await browser.until('a call that waits', shows('queues', '6000\\s+1\\s'));
    await browser.until('its caller', shows('calls', '1050 calls, waits at 6000'));
    desktop.type('ready');
    await desk.saw(1051, 'talks');
    await browser.until('a busy agent', shows('agents', 'agent1051\\s+1051\\s+busy\\s+0:'));
    await browser.until('who talks', shows('calls', '1051 talks'));

    await lab.kill(primary);
    await browser.until(
      'the switchover',
      '/switchover/.test(document.querySelector("#news").innerText)',
    );
    const now = `box ${other(primary)}: primary`;
    await browser.until(
      'who leads now',
      `document.querySelector("#boxes").innerText.includes("${now}")`,
    );
    desk.hangUp(1050);
    await browser.until('the end of the call', shows('calls', 'No calls'));
    await browser.until('a ready agent', shows('agents', 'agent1051\\s+1051\\s+ready'));
    await lab.start(primary);
    await browser.until('both boxes again, in step', inStep);
    t.true(await browser.evaluate('window.loadedOnce'));
    t.deepEqual(browser.complaints, []);
  },
);

test.serial('in warm standby it says that it began anew', async (t) => {
  const lab = await createLab({ name: labName('wallboard-w'), redundancy: 'warm-standby' });
  t.teardown(() => lab.down());
  const browser = await browserAt(lab);
  t.teardown(() => browser.close());
  const primary = (await lab.status()).primary ?? 'a';
  await opened(browser, `http://${LAN_ADDRESS[primary]}:8088/wallboard`);
  await logIn(browser, 'lab');
  const there = 'document.querySelector("#boxes").innerText.includes("backup")';
  await browser.until('both boxes', there);
  await lab.kill(primary);
  const news = '/switchover.*began anew/.test(document.querySelector("#news").innerText)';
  await browser.until('what happened', news);
  await browser.until('an empty board', shows('calls', 'No calls'));
  t.deepEqual(browser.complaints, []);
});
