/** What it means for agents, and for when a call was answered, that two calls become one. */

import test from 'ava';
import { oneCall } from '../../src/call/csta/merge.ts';
import { CCALL, type Ccall, PARTY, type Party } from '../../src/call/csta/rows.ts';
import { LEG, type Leg } from '../../src/call/rows.ts';
import { AgentLab } from './agent-lab.ts';

test('who transfers his caller to a business call that still rings is not busy with it', (t) => {
  const lab = new AgentLab();
  lab.set(2, 'loggedOn');
  lab.set(2, 'ready');
  lab.call(1, '1002', 2);
  lab.ring(2, '7003', 3);
  lab.events();
  lab.turn((cx) => {
    const party = (device: string) =>
      [...cx.store.rows(PARTY)].filter((p) => p.device === device && p.leg !== 0);
    const leg = (p: Party | undefined) => cx.store.get(LEG, p?.leg ?? 0) as Leg;
    const [own, own2] = party('1002').map(leg) as [Leg, Leg];
    const [caller, target] = [leg(party('1001')[0]), leg(party('1003')[0])];
    for (const [one, peer] of [
      [own, own.id],
      [own2, own2.id],
      [caller, target.id],
      [target, caller.id],
    ] as const) {
      cx.store.patch(LEG, one, { peer });
    }
    oneCall(cx, caller, target, own, 'transfer');
  });
  t.deepEqual(
    lab.events().filter((e) => e === 'transferred' || e.startsWith('agent')),
    ['transferred'],
  );
  t.is(lab.state(2), 'ready');
});

test('a call that nobody has answered yet is one since the call that joins it was', (t) => {
  const lab = new AgentLab();
  lab.ring(1, '1002', 2);
  lab.call(4, '1003', 3);
  const [rings, talks] = [...lab.store.rows(CCALL)] as [Ccall, Ccall];
  const { answeredAt } = talks;
  t.deepEqual([rings.answeredAt === 0, answeredAt === 0], [true, false]);
  lab.pass(1000);
  lab.turn((cx) => {
    const leg = (device: string): Leg => {
      const party = [...cx.store.rows(PARTY)].find((p) => p.device === device);
      return cx.store.get(LEG, party?.leg ?? 0) as Leg;
    };
    oneCall(cx, leg('1001'), leg('1003'), undefined, 'transfer');
  });
  t.is(rings.answeredAt, answeredAt);
});
