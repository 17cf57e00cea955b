/** States of registration and of a call as RFC 3261 has them. */

import type { Scene, Script } from './scene.ts';
import {
  calleeAnswers,
  calleeEnds,
  callerCancels,
  callerEnds,
  ENDS,
  eitherEnds,
  HUNG_UP,
  inCall,
  nobodyAnswers,
  offered,
  over,
  ringing,
  talking,
  twentySeconds,
} from './scripts.ts';
import type { State } from './states.ts';

export const CALL_STATES: readonly State[] = [
  {
    name: 'trying',
    about: 'INVITE sent, the callee has said nothing',
    needs: 'calls',
    *before(s) {
      s.b.expected += 1;
      yield* s.pause(0);
    },
    into: (s) => s.a.invite(s.b.number, { allow: ENDS }),
    next: { caller: callerCancels, callee: calleeAnswers, time: nobodyAnswers },
  },
  {
    name: 'ringing',
    about: '180 sent',
    needs: 'calls',
    before: offered,
    into: (s) => s.b.ring(180),
    next: {
      caller: callerCancels,
      *callee(s) {
        if (s.dice.odds(0.5)) {
          yield* calleeAnswers(s);
          return;
        }
        s.b.refuse(486);
        yield* over(s);
        s.expect(s.a.talk.statuses.at(-1) === 486, `refused ${s.a.talk.statuses.at(-1)}`);
      },
      time: nobodyAnswers,
    },
  },
  {
    name: 'early-media',
    about: '183 with a session description sent',
    needs: 'calls',
    before: offered,
    into: (s) => s.b.ring(183, true),
    next: { caller: callerCancels, callee: calleeAnswers, time: nobodyAnswers },
  },
  {
    name: 'answered',
    about: '200 sent, its ACK lost',
    needs: 'calls',
    *before(s) {
      yield* ringing(s);
      s.a.keeps.add('ACK');
    },
    into: (s) => s.b.accept(),
    next: {
      *caller(s) {
        yield* s.until('the caller hears 200', () => s.a.talk.state === 'confirmed');
        s.a.ack();
        yield* inCall(s);
        yield* callerEnds(s);
      },
      *callee(s) {
        yield* s.until('the callee is acknowledged', () => s.b.talk.state === 'confirmed');
        s.b.bye();
        yield* s.until('the caller hears 200', () => s.a.talk.state !== 'early');
        s.a.ack();
        yield* over(s);
      },
      *time(s) {
        // §13.3.1.4: without an ACK for 64*T1 the session is ended
        yield* s.until('the caller hears 200', () => s.a.talk.state === 'confirmed');
        const began = s.now;
        yield* s.pause(25_000);
        s.stage.over = true;
        yield* over(s);
        s.expect(s.now - began < 33_500, `unacknowledged for ${(s.now - began).toFixed(0)} ms`);
        s.a.keeps.delete('ACK');
      },
    },
  },
  {
    name: 'refused',
    about: '486 sent',
    needs: 'calls',
    before: ringing,
    into: (s) => s.b.refuse(486),
    next: {
      *caller(s) {
        yield* over(s);
        s.expect(s.a.talk.statuses.at(-1) === 486, `refused ${s.a.talk.statuses.at(-1)}`);
        s.stage.over = false;
        yield* talking(s);
        yield* eitherEnds(s);
      },
      *callee(s) {
        s.a.expected += 1;
        s.b.invite(s.a.number);
        yield* s.until('the caller is called back', () => s.a.dialogs.length === 2);
        s.a.accept();
        yield* inCall(s);
        s.b.bye();
        yield* over(s);
      },
      time: over,
    },
  },
  {
    name: 'established',
    about: 'ACK sent',
    needs: 'calls',
    *before(s) {
      yield* ringing(s);
      s.a.keeps.add('ACK');
      s.b.accept();
      yield* s.until('the caller hears 200', () => s.a.talk.state === 'confirmed');
      yield* s.until('the callee is acknowledged', () => s.b.talk.state === 'confirmed');
    },
    into: (s) => s.a.ack(),
    next: { caller: callerEnds, callee: calleeEnds, time: twentySeconds },
  },
  {
    name: 'reinvite-caller',
    about: 're-INVITE of the caller not answered yet',
    needs: 'calls',
    *before(s) {
      yield* talking(s);
      s.b.keeps.add('INVITE');
    },
    into: (s) => s.a.reinvite('sendonly', HUNG_UP),
    next: {
      caller: callerEnds,
      *callee(s) {
        yield* s.until('the re-INVITE comes', () => s.b.kept.length > 0);
        s.b.release('INVITE');
        yield* s.until('it is answered', () => s.a.waits().length === 0);
        yield* eitherEnds(s);
      },
      *time(s) {
        s.b.silent = true;
        yield* s.until('the re-INVITE comes', () => s.b.kept.length > 0);
        yield* s.pause(20_000);
        s.expect(!s.stage.over, 'the call ended by itself');
        // §12.2.1.2: nobody answers it, so the dialog is given up after 64*T1
        s.stage.over = true;
        yield* over(s);
      },
    },
  },
  {
    name: 'reinvite-callee',
    about: 're-INVITE of the callee not answered yet',
    needs: 'calls',
    *before(s) {
      yield* talking(s);
      s.a.keeps.add('INVITE');
    },
    into: (s) => s.b.reinvite('sendonly', HUNG_UP),
    next: {
      *caller(s) {
        yield* s.until('the re-INVITE comes', () => s.a.kept.length > 0);
        s.a.release('INVITE');
        yield* s.until('it is answered', () => s.b.waits().length === 0);
        yield* eitherEnds(s);
      },
      callee: calleeEnds,
      *time(s) {
        s.a.silent = true;
        yield* s.until('the re-INVITE comes', () => s.a.kept.length > 0);
        yield* s.pause(20_000);
        s.expect(!s.stage.over, 'the call ended by itself');
        s.stage.over = true;
        yield* over(s);
      },
    },
  },
  {
    name: 'held-caller',
    about: 'the caller holds',
    needs: 'calls',
    before: talking,
    into: (s) => s.a.reinvite('sendonly', HUNG_UP),
    next: {
      *caller(s) {
        yield* retrieved(s, 'a');
        yield* eitherEnds(s);
      },
      callee: calleeEnds,
      *time(s) {
        yield* s.pause(15_000);
        yield* retrieved(s, 'a');
        yield* eitherEnds(s);
      },
    },
  },
  {
    name: 'held-callee',
    about: 'the callee holds',
    needs: 'calls',
    before: talking,
    into: (s) => s.b.reinvite('sendonly', HUNG_UP),
    next: {
      caller: callerEnds,
      *callee(s) {
        yield* retrieved(s, 'b');
        yield* eitherEnds(s);
      },
      *time(s) {
        yield* s.pause(15_000);
        yield* retrieved(s, 'b');
        yield* eitherEnds(s);
      },
    },
  },
  {
    name: 'held-both',
    about: 'the caller holds, now the callee too',
    needs: 'calls',
    *before(s) {
      yield* talking(s);
      s.a.reinvite('sendonly');
      yield* s.until('held', () => s.a.waits().length === 0 && s.b.talk.unacked.size === 0);
    },
    into: (s) => s.b.reinvite('inactive', HUNG_UP),
    next: {
      caller: callerEnds,
      *callee(s) {
        yield* retrieved(s, 'b');
        yield* retrieved(s, 'a');
        yield* eitherEnds(s);
      },
      time: twentySeconds,
    },
  },
  {
    name: 'cancelled',
    about: 'CANCEL sent, the callee has not given its 487',
    needs: 'calls',
    *before(s) {
      yield* ringing(s);
      s.b.keeps.add('CANCEL');
    },
    into: (s) => s.a.cancel(),
    next: {
      *caller(s) {
        yield* s.until('the caller hears 487', () => s.a.talk.state === 'ended');
        s.a.expected += 1;
        s.b.expected += 1;
        const first = s.b.talk;
        s.a.invite(s.b.number);
        yield* s.until('the callee is called again', () => s.b.talk !== first);
        s.b.accept();
        yield* inCall(s);
        s.a.expected -= 1;
        s.b.bye();
        yield* s.until('the callee stops ringing', () => first.cancelled);
        s.b.respond(first.served as never, 487, first.localTag, []);
        first.state = 'ended';
        yield* over(s);
      },
      *callee(s) {
        // its 200 crosses the CANCEL: it is thanked and hung up (§13.2.2.4)
        if (s.b.talk.state === 'ended') return;
        s.b.accept();
        yield* s.until('the caller hears', () => s.a.talk.client?.final !== 0);
        // it came before the CANCEL: so the caller has to hang up (§15)
        if (s.a.talk.state === 'confirmed') s.a.bye();
        yield* over(s);
        s.expect(
          s.b.talk.heard.some((m) => m.method === 'BYE'),
          'no BYE for a 200 too late',
        );
      },
      *time(s) {
        yield* s.until('the callee stops ringing', () => s.b.talk.cancelled);
        yield* s.until('the caller hears 487', () => s.a.talk.state === 'ended');
        s.b.terminated();
        yield* over(s);
      },
    },
  },
  {
    name: 'bye-caller',
    about: 'BYE of the caller sent, the callee has not answered it',
    needs: 'calls',
    *before(s) {
      yield* talking(s);
      s.b.keeps.add('BYE');
    },
    into: (s) => s.a.bye(),
    next: {
      caller: over,
      *callee(s) {
        // its own crosses it
        if (s.b.talk.state === 'confirmed') s.b.bye([481]);
        yield* s.pause(3000);
        s.b.release('BYE');
        yield* over(s);
      },
      *time(s) {
        yield* over(s);
      },
    },
  },
  {
    name: 'bye-callee',
    about: 'BYE of the callee sent, the caller has not answered it',
    needs: 'calls',
    *before(s) {
      yield* talking(s);
      s.a.keeps.add('BYE');
    },
    into: (s) => s.b.bye(),
    next: {
      *caller(s) {
        if (s.a.talk.state === 'confirmed') s.a.bye([481]);
        yield* s.pause(3000);
        s.a.release('BYE');
        yield* over(s);
      },
      callee: over,
      *time(s) {
        yield* over(s);
      },
    },
  },
  {
    name: 'expiring',
    about: 'the registration of the callee is about to expire',
    needs: 'calls',
    *before(s) {
      yield* s.until('it is time', () => s.now > s.faultAt - 6000);
      s.b.expires = 8;
      s.b.registered = false;
      s.b.register();
      yield* s.until('registered for eight seconds', () => s.b.registered);
    },
    into: () => {},
    next: {
      *caller(s) {
        yield* s.until(
          'it has expired',
          () => s.now > s.b.registeredUntil + 1100 && s.b.waits().length === 0,
        );
        s.b.registers = false;
        s.a.invite(s.b.number, { allow: [480] });
        s.stage.over = true;
        yield* over(s);
        s.expect(s.a.talk.statuses.at(-1) === 480, `an expired phone: ${s.a.talk.statuses}`);
      },
      *callee(s) {
        s.b.expires = 600;
        s.b.registered = false;
        s.b.register();
        yield* s.until('registered again', () => s.b.registered);
        yield* talking(s);
        yield* eitherEnds(s);
      },
      *time(s) {
        yield* s.until('it has expired', () => s.now > s.b.registeredUntil + 3000);
        s.b.invite(s.a.number, { allow: [486] });
        s.a.expected += 1;
        yield* s.until('the other is called', () => s.a.call !== undefined);
        s.a.refuse(486);
        yield* over(s);
      },
    },
  },
  {
    name: 'challenged',
    about: '407 sent, credentials not given yet',
    needs: 'calls',
    *before(s) {
      s.a.autoAuth = false;
      s.b.expected += 1;
      yield* s.pause(0);
    },
    into: (s) => s.a.invite(s.b.number, { allow: [407] }),
    next: {
      *caller(s) {
        yield* proven(s);
      },
      *time(s) {
        yield* s.pause(10_000);
        yield* proven(s);
      },
      *callee(s) {
        yield* s.until('challenged', () => s.a.waits().length === 0);
        s.a.expected += 1;
        s.b.expected -= 1;
        s.b.invite(s.a.number);
        yield* s.until('called from the other side', () => s.a.talk.side === 'uas');
        s.a.accept();
        yield* inCall(s);
        yield* eitherEnds(s);
      },
    },
  },
];

/** One side takes the call back. */
function* retrieved(s: Scene, who: 'a' | 'b'): Script {
  const hand = s[who];
  yield* s.until('held', () => s.a.waits().length === 0 && s.b.waits().length === 0);
  yield* s.until('settled', () => s.a.talk.unacked.size === 0 && s.b.talk.unacked.size === 0);
  const client = hand.reinvite('sendrecv', [491]);
  yield* s.until('retrieved', () => client.final > 0);
  if (client.final === 491) {
    // §14.1
    yield* s.pause(s.dice.between(2100, 4000));
    hand.reinvite('sendrecv');
    yield* s.until('retrieved', () => hand.waits().length === 0);
  }
}

/** The call is made with the credentials for a challenge that the box before gave. */
function* proven(s: Scene): Script {
  yield* s.until('challenged', () => s.a.talk.client?.final === 407);
  const { client } = s.a.talk;
  if (client?.answer === undefined) return;
  s.a.talk.state = 'inviting';
  s.a.withCredentials(client, client.answer);
  yield* s.until('the callee is called', () => s.b.call !== undefined);
  s.b.accept();
  yield* inCall(s);
  yield* eitherEnds(s);
}
