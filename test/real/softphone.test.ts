/**
 * A softphone of the web (JsSIP): over WebSocket, with digest, against a desk phone on UDP. It calls and
 * is called, holds and is held, hangs up and is hung up, and the primary is killed under it: it finds
 * the other box by itself, and the call goes on.
 */

import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { createLab, type Lab, labName } from '../lab/lab.ts';
import { VIP } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { callSigned, signIn } from './client/digest.ts';
import { type RawPhone, Wire } from './client/raw-phone.ts';
import { type Message, one, param, sdp, uriIn, write } from './client/text.ts';
import { idle, killPrimary } from './clients/conversation.ts';
import { Malformed } from './clients/malformed.ts';
import { Softphone } from './clients/softphone.ts';

const WEB = `ws://${VIP}:8080/`;
const DESK = 1002;

async function scene(t: ExecutionContext, what: string) {
  const lab = await createLab({ name: labName(what), auth: true });
  t.teardown(() => lab.down());
  const malformed = await Malformed.watch(lab);
  const wire = new Wire(lab);
  t.teardown(() => wire.close());
  const desk = await wire.phone(DESK);
  await signIn(desk);
  const web = await Softphone.start(lab, { number: 1001, url: WEB });
  t.teardown(() => web.close());
  return { lab, malformed, wire, desk, web };
}

/** A request of the desk phone in the call that `invite` brought it. */
function fromDesk(
  desk: RawPhone,
  method: string,
  invite: Message,
  cseq: number,
  body = '',
): string {
  const self = {
    callId: one(invite, 'call-id'),
    branch: '',
    tag: `t${desk.number}`,
    to: 1001,
    cseq,
  };
  const branch = `z9hG4bK${randomBytes(8).toString('hex')}`;
  const lines = desk.lines(method, self, branch, param(one(invite, 'from'), 'tag'));
  return write(`${method} ${uriIn(one(invite, 'contact'))} SIP/2.0`, lines, body);
}

/** The softphone calls, the desk phone answers. Gives the INVITE that reached it. */
async function call(web: Softphone, desk: RawPhone): Promise<Message> {
  const before = web.count('confirmed');
  web.say({ do: 'call', number: desk.number });
  const invite = await desk.next('INVITE');
  desk.send(desk.answer(invite, 180, 'Ringing'));
  await web.told('progress');
  desk.send(desk.answer(invite, 200, 'OK'));
  await desk.next('ACK');
  await web.told('confirmed', before + 1);
  return invite;
}

/** The softphone holds and resumes: the desk phone is told so. */
async function holdAndResume(t: ExecutionContext, web: Softphone, desk: RawPhone): Promise<void> {
  for (const [order, way] of [
    ['hold', 'sendonly'],
    ['unhold', 'sendrecv'],
  ] as const) {
    const before = web.count(order);
    web.say({ do: order });
    const invite = await desk.next('INVITE');
    t.regex(invite.body, new RegExp(`a=${way}`));
    desk.send(desk.answer(invite, 200, 'OK'));
    await desk.next('ACK');
    await web.told(order, before + 1);
  }
}

/**
 * The desk phone re-INVITEs. While the softphone's ACK to an answer before is on its way that is refused
 * (491), and tried again (RFC 3261 14.1). Gives the 200.
 */
async function reinvite(desk: RawPhone, invite: Message, way: string): Promise<Message> {
  for (let cseq = 1; ; cseq += 1) {
    const offer = fromDesk(desk, 'INVITE', invite, cseq, sdp('192.0.2.60', cseq + 1, way));
    desk.send(offer);
    const end = await desk.next('200 491');
    desk.send(
      end.status === 200
        ? fromDesk(desk, 'ACK', invite, cseq)
        : offer.replace(/^INVITE /, 'ACK ').replace(`CSeq: ${cseq} INVITE`, `CSeq: ${cseq} ACK`),
    );
    if (end.status === 200) return end;
    if (cseq === 20) throw new Error('refused twenty times');
    await sleep(300);
  }
}

/** The primary is killed: the softphone loses its connection, makes another, registers by it. */
async function killUnder(lab: Lab, web: Softphone): Promise<void> {
  const before = web.count('registered');
  await killPrimary(lab);
  await web.told('registered', before + 1, 30_000);
}

test.serial('the softphone calls; killed under it; it holds, is held and hangs up', async (t) => {
  const { lab, malformed, desk, web } = await scene(t, 'webcalls');
  const invite = await call(web, desk);
  await holdAndResume(t, web, desk);
  await killUnder(lab, web);
  await holdAndResume(t, web, desk);
  // The desk phone holds too: by the connection that came after.
  t.regex((await reinvite(desk, invite, 'sendonly')).body, /a=recvonly/);
  await web.told('hold', 3);
  web.say({ do: 'hang-up' });
  const bye = await desk.next('BYE');
  desk.send(desk.answer(bye, 200, 'OK'));
  await web.told('ended');
  await idle(lab);
  await malformed.none(t, ['udp', 'websocket']);
});

test.serial('the softphone is called; killed under it; it is hung up', async (t) => {
  const { lab, malformed, desk, web } = await scene(t, 'webcalled');
  const invite = await callSigned(desk, web.number);
  await web.told('incoming call');
  web.say({ do: 'answer' });
  const ok = await desk.next('200');
  desk.send(desk.ack(invite, ok));
  await web.told('confirmed');
  await killUnder(lab, web);
  desk.send(desk.bye(invite, ok));
  await desk.next('200');
  await web.told('ended');
  // The registration that came by the new connection leads there: called again.
  const again = await callSigned(desk, web.number);
  await web.told('incoming call', 2);
  web.say({ do: 'answer' });
  desk.send(desk.ack(again, await desk.next('200')));
  await web.told('confirmed', 2);
  web.say({ do: 'hang-up' });
  desk.send(desk.answer(await desk.next('BYE'), 200, 'OK'));
  await web.told('ended', 2);
  await idle(lab);
  await malformed.none(t, ['udp', 'websocket']);
});

test.serial('the softphone transfers its call; killed while the target rings', async (t) => {
  const { lab, malformed, wire, desk, web } = await scene(t, 'webrefer');
  const target = await wire.phone(1003);
  await signIn(target);
  const invite = await call(web, desk);
  web.say({ do: 'refer', number: target.number });
  await web.told('refer requestSucceeded');
  const offer = await target.next('INVITE');
  target.send(target.answer(offer, 180, 'Ringing'));
  await killUnder(lab, web);
  target.send(target.answer(offer, 200, 'OK'));
  await target.next('ACK');
  await web.told('refer accepted');
  t.not(one(offer, 'call-id'), one(invite, 'call-id'));
  await malformed.none(t, ['udp', 'websocket']);
});
