/**
 * A real warm-standby pair: kill -9 of the primary in the middle of a call. Phones stay registered, the
 * call is answered 481, and a new call to the same phone works without anybody registering again.
 */

import test, { type ExecutionContext } from 'ava';
import { createLab, labName } from '../lab/lab.ts';
import { other } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { type RawPhone, Wire } from './client/raw-phone.ts';
import { one, param, write } from './client/text.ts';

async function talk(caller: RawPhone, callee: RawPhone) {
  const invite = caller.invite(callee.number);
  caller.send(invite.text);
  const got = await callee.next('INVITE');
  callee.send(callee.answer(got, 180, 'Ringing'));
  callee.send(callee.answer(got, 200, 'OK'));
  const ok = await caller.next('200');
  caller.send(caller.ack(invite, ok));
  await callee.next('ACK');
  return { invite, ok };
}

test('warm standby: registrations survive kill -9, the call is answered 481, a new one works', async (t: ExecutionContext) => {
  const lab = await createLab({ name: labName('warm'), redundancy: 'warm-standby' });
  t.teardown(() => lab.down());
  const wire = new Wire(lab);
  t.teardown(() => wire.close());
  const caller = await wire.phone(1001);
  const callee = await wire.phone(1002);
  await caller.register();
  await callee.register();
  const { invite, ok } = await talk(caller, callee);
  const primary = (await lab.status()).primary ?? 'a';
  // nothing waits for the backup: it has what it shall have a little later
  const until = performance.now() + 5000;
  while (!(await lab.status()).inStep && performance.now() < until) await sleep(50);
  t.true((await lab.status()).inStep);
  const view = (await lab.status()).boxes;
  t.is(view[primary].status?.established, 1);
  t.is(view[other(primary)].status?.registrations, 2);
  t.is(view[other(primary)].status?.calls, 0, 'calls are not mirrored');

  await lab.kill(primary);
  const toTag = param(one(ok, 'to'), 'tag');
  const again = { ...invite, cseq: invite.cseq + 1, branch: `${invite.branch}x` };
  const lines = caller.lines('INVITE', again, again.branch, toTag);
  // as a phone does over UDP: said again until it is answered
  const answer = caller.next('481', 8000);
  const repeat = setInterval(() => caller.send(write(`INVITE sip:1002 SIP/2.0`, lines)), 250);
  await answer.finally(() => clearInterval(repeat));
  caller.send(caller.bye(invite, ok));
  await caller.next('481');

  const before = callee.count('INVITE');
  await talk(caller, callee);
  t.is(callee.count('INVITE'), before + 1);
  const after = (await lab.status()).boxes[other(primary)].status;
  t.is(after?.role, 'primary');
  t.is(after?.registrations, 2);
  t.is(after?.established, 1);
  await lab.start(primary);
  await lab.ready();
});
