/**
 * Calls end to end through a real pair, named by how the phones behave: SIPp for well-behaved crowds,
 * a phone written by hand (`client/raw-phone.ts`) for those that lose, repeat, delay and contradict.
 */

import { createHash } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { VIP } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { Wire } from './client/raw-phone.ts';
import { type Message, one, param } from './client/text.ts';
import { type SippRun, sipp } from './sipp.ts';

let lab: Lab;
let wire: Wire;
let nextNumber = 1200;

test.before(async () => {
  lab = await createLab({ name: labName('behaviour') });
  wire = new Wire(lab);
});

test.after.always(async () => {
  wire?.close();
  await lab?.down();
});

/** A caller and a registered callee that nobody else uses. */
async function two() {
  const caller = await wire.phone(nextNumber++);
  const callee = await wire.phone(nextNumber++);
  await callee.register();
  return { caller, callee };
}

/** Both phones and the numbers of INVITEs: a call that stands. */
async function talking() {
  const { caller, callee } = await two();
  const invite = caller.invite(callee.number);
  caller.send(invite.text);
  const got = await callee.next('INVITE');
  callee.send(callee.answer(got, 200, 'OK'));
  const ok = await caller.next('200');
  return { caller, callee, invite, got, ok };
}

// ── SIPp ───────────────────────────────────────────────────────────────────────────────────────

let pairs = 0;

/** Runs caller and callee scenarios against each other, many calls at once. */
async function crowd(t: ExecutionContext, uac: string, uas: string, status = 0): Promise<void> {
  const n = ++pairs;
  const base = { number: 1100 + n, calls: 50, rate: 25, status };
  const callee: SippRun = { ...base, scenario: uas, local: `192.0.2.${70 + n}` };
  const caller: SippRun = { ...base, scenario: uac, local: `192.0.2.${90 + n}` };
  const registered = await sipp(lab, { ...callee, scenario: 'register', calls: 1 });
  t.is(registered.code, 0, registered.words);
  const [a, b] = await Promise.all([sipp(lab, callee), sipp(lab, caller)]);
  t.is(a.code, 0, `callee: ${a.words}`);
  t.is(b.code, 0, `caller: ${b.words}`);
}

test('SIPp: the caller holds, resumes and hangs up', async (t) => {
  await crowd(t, 'uac-hold-resume-and-hang-up', 'uas-answer-and-obey');
});

test('SIPp: the callee holds and hangs up', async (t) => {
  await crowd(t, 'uac-is-held-and-hung-up', 'uas-answer-hold-and-hang-up');
});

test('SIPp: the callee is busy: 486', async (t) => {
  await crowd(t, 'uac-is-refused', 'uas-busy', 486);
});

test('SIPp: the caller gives up while it rings: 487', async (t) => {
  await crowd(t, 'uac-cancel-while-ringing', 'uas-ring-until-cancelled');
});

test('SIPp: an unknown number is 404, one without a phone 480; OPTIONS is 200', async (t) => {
  const local = (i: number) => ({ local: `192.0.2.${111 + i}`, calls: 20, rate: 20 });
  const ends = await Promise.all([
    sipp(lab, { scenario: 'uac-is-refused', number: 2345, status: 404, ...local(0) }),
    sipp(lab, { scenario: 'uac-is-refused', number: 1999, status: 480, ...local(1) }),
    sipp(lab, { scenario: 'options-ping', number: 1000, ...local(2) }),
  ]);
  for (const end of ends) t.is(end.code, 0, end.words);
});

// ── lost, late, repeated ───────────────────────────────────────────────────────────────────────

test('an INVITE repeated ten times is one call; each answer is the same', async (t) => {
  const { caller, callee } = await two();
  const invite = caller.invite(callee.number);
  for (let i = 0; i < 5; i++) caller.send(invite.text);
  const got = await callee.next('INVITE');
  for (let i = 0; i < 5; i++) caller.send(invite.text);
  callee.send(callee.answer(got, 180, 'Ringing'));
  const ringing = await caller.next('180');
  caller.send(invite.text);
  t.is((await caller.next('180')).text, ringing.text);
  callee.send(callee.answer(got, 486, 'Busy Here'));
  const busy = await caller.next('486');
  caller.send(invite.text);
  t.is((await caller.next('486')).text, busy.text);
  caller.send(caller.ack(invite, busy));
  await callee.next('ACK');
  await sleep(1200);
  t.is(callee.count('INVITE'), 1);
  t.is(caller.count('486'), 2, 'quiet once it is acknowledged');
});

test('a late ACK: the 200 comes again and again, the same, until it is there', async (t) => {
  const { caller, callee, invite, ok } = await talking();
  const again = await caller.next('200');
  t.is(again.text, ok.text);
  t.is((await caller.next('200')).text, ok.text);
  caller.send(caller.ack(invite, ok));
  await sleep(100);
  const before = caller.count('200');
  await sleep(4500);
  t.is(caller.count('200'), before, 'not once more');
  t.is(callee.count('ACK'), 1);
  caller.send(caller.bye(invite, ok));
  const bye = await callee.next('BYE');
  callee.send(callee.answer(bye, 200, 'OK'));
  t.is((await caller.next('200')).status, 200);
});

test('a lost ACK: after 64*T1 both sides are hung up', async (t) => {
  const { caller, callee, ok } = await talking();
  const bye = await caller.next('BYE', 40_000);
  t.is(param(one(bye, 'from'), 'tag'), param(one(ok, 'to'), 'tag'));
  caller.send(caller.answer(bye, 200, 'OK'));
  const other = await callee.next('BYE');
  callee.send(callee.answer(other, 200, 'OK'));
  for (const m of caller.inbox.filter((one_) => one_.status === 200)) t.is(m.text, ok.text);
});

test('a callee that repeats its 200 is acknowledged every time, the caller hears it once', async (t) => {
  const { caller, callee, invite, got, ok } = await talking();
  caller.send(caller.ack(invite, ok));
  for (let i = 0; i < 3; i++) {
    await callee.next('ACK');
    callee.send(callee.answer(got, 200, 'OK'));
  }
  await callee.next('ACK');
  t.is(caller.count('200'), 1);
  caller.send(caller.bye(invite, ok));
  callee.send(callee.answer(await callee.next('BYE'), 200, 'OK'));
});

test('a callee that never answers at all: its INVITE is repeated, then the caller hears 408', async (t) => {
  const { caller, callee } = await two();
  const invite = caller.invite(callee.number);
  caller.send(invite.text);
  const refused = await caller.next('408', 40_000);
  caller.send(caller.ack(invite, refused));
  // RFC 3261 17.1.1.2: at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s
  const came = callee.inbox.filter((m) => m.method === 'INVITE');
  t.is(came.length, 7);
  t.is(new Set(came.map((m) => m.text)).size, 1, 'the same octets each time');
});

test('a callee that rings and falls silent can be given up, and hears the CANCEL until it answers', async (t) => {
  const { caller, callee } = await two();
  const invite = caller.invite(callee.number);
  caller.send(invite.text);
  const got = await callee.next('INVITE');
  callee.send(callee.answer(got, 180, 'Ringing'));
  await caller.next('180');
  caller.send(caller.cancel(invite));
  await caller.next('200');
  const refused = await caller.next('487');
  caller.send(caller.ack(invite, refused));
  const cancel = await callee.next('CANCEL');
  t.is((await callee.next('CANCEL')).text, cancel.text, 'repeated');
  callee.send(callee.answer(cancel, 200, 'OK'));
  callee.send(callee.answer(got, 487, 'Request Terminated'));
  await callee.next('ACK');
});

test('CANCEL and 200 cross: the call is hung up, or it stands', async (t) => {
  for (let i = 0; i < 20; i++) {
    const { caller, callee } = await two();
    const invite = caller.invite(callee.number);
    caller.send(invite.text);
    const got = await callee.next('INVITE');
    callee.send(callee.answer(got, 180, 'Ringing'));
    await caller.next('180');
    // Which one is first is up to the kernel.
    if (i % 2 === 0) callee.send(callee.answer(got, 200, 'OK'));
    caller.send(caller.cancel(invite));
    if (i % 2 === 1) callee.send(callee.answer(got, 200, 'OK'));
    // 200 to CANCEL, and either 487 or 200 to INVITE, in either order.
    const heard = [await caller.next('487 200'), await caller.next('487 200')];
    const end = heard.find((m) => one(m, 'cseq') === '1 INVITE') as Message;
    t.deepEqual(heard.map((m) => one(m, 'cseq')).sort(), ['1 CANCEL', '1 INVITE']);
    caller.send(caller.ack(invite, end));
    if (end.status === 200) caller.send(caller.bye(invite, end));
    await callee.next('ACK');
    const bye = await callee.next('BYE');
    callee.send(callee.answer(bye, 200, 'OK'));
    t.is(callee.count('BYE'), 1);
  }
});

test('a BYE repeated is answered each time and passed on once', async (t) => {
  const { caller, callee, invite, ok } = await talking();
  caller.send(caller.ack(invite, ok));
  const bye = caller.bye(invite, ok);
  for (let i = 0; i < 4; i++) caller.send(bye);
  for (let i = 0; i < 4; i++) t.is(one(await caller.next('200'), 'cseq'), '2 BYE');
  const other = await callee.next('BYE');
  callee.send(callee.answer(other, 200, 'OK'));
  await sleep(1000);
  t.is(callee.count('BYE'), 1);
  // The dialog is over: a new request in it is 481.
  caller.send(caller.bye({ ...invite, cseq: 2 }, ok));
  await caller.next('481');
});

/** The answer to a challenge (RFC 7616 3.4.1). */
function credentials(m: Message, hash: 'sha256' | 'md5', user: number, password: string): string {
  const name = hash === 'md5' ? 'MD5' : 'SHA-256';
  const asked = m.headers.get('www-authenticate')?.find((v) => v.includes(`algorithm=${name}`));
  const field = (key: string): string =>
    new RegExp(`${key}="([^"]*)"`).exec(asked ?? '')?.[1] ?? '';
  const digest = (text: string): string => createHash(hash).update(text).digest('hex');
  const [realm, nonce, uri] = [field('realm'), field('nonce'), `sip:${VIP}`];
  const [a1, a2] = [digest(`${user}:${realm}:${password}`), digest(`REGISTER:${uri}`)];
  const response = digest(`${a1}:${nonce}:00000001:c:auth:${a2}`);
  return (
    `Authorization: Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", ` +
    `algorithm=${name}, qop=auth, nc=00000001, cnonce="c", response="${response}"`
  );
}

test('with --auth a REGISTER is challenged; the right password is good on either box', async (t) => {
  const closed = await createLab({ name: labName('auth'), auth: true });
  t.teardown(() => closed.down());
  const wires = new Wire(closed);
  for (const [i, hash] of (['sha256', 'md5'] as const).entries()) {
    const phone = await wires.phone(1001 + i);
    phone.send(phone.registration(1));
    const challenge = await phone.next('401');
    phone.send(phone.registration(2, [credentials(challenge, hash, phone.number, 'pw-9999')]));
    const again = await phone.next('401');
    // What one box asked the other one understands.
    const { primary } = await closed.ready();
    if (i === 0) await closed.kill(primary ?? 'a');
    const right = credentials(again, hash, phone.number, `pw-${phone.number}`);
    const text = phone.registration(3, [right]);
    for (let tries = 0; tries < 20 && phone.count('200') === 0; tries++) {
      phone.send(text);
      await sleep(300);
    }
    t.true(phone.count('200') > 0, hash);
    if (i === 0) await closed.start(primary ?? 'a');
  }
  wires.close();
});
