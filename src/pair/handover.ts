/**
 * The rows of the takeover table by which a box stops being primary, or is asked to change: handing
 * over, losing the lease, being cut off, an engine that is stuck, the words of the operator. The rows by
 * which it becomes primary are in `takeover.ts`, where both are put together.
 */

import { DOUBTING, ignore, LEADING, others, PROVING, type Row } from './takeover-row.ts';
import { PHASES } from './takeover-words.ts';

export const HANDOVER_ROWS: readonly Row[] = [
  {
    on: 'flushed',
    in: ['flushing'],
    guard: 'still-in-step',
    do: ['silence', 'farewell', 'drop'],
    to: 'dropping',
    why: 'all is said',
  },
  {
    on: 'flushed',
    in: ['flushing'],
    do: ['order-stay', 'answer-failed'],
    to: 'primary',
    why: 'the backup went after its last acknowledgement: there is nobody to hand over to',
  },
  ignore('flushed', others('flushing'), 'of an order taken back'),
  {
    on: 'flush-refused',
    in: ['flushing'],
    do: ['order-stay', 'answer-failed'],
    to: 'primary',
    why: 'the backup fell out of step',
  },
  ignore('flush-refused', others('flushing'), 'of an order taken back'),

  {
    on: 'timeout',
    in: ['flushing'],
    do: ['order-stay', 'answer-failed'],
    to: 'primary',
    why: 'the backup did not acknowledge in time',
  },
  {
    on: 'timeout',
    in: ['dropping'],
    do: ['hand-over', 'expect-primary'],
    to: 'awaiting',
    why: 'no answer, but the lifetime of the address has ended',
  },
  {
    on: 'timeout',
    in: ['awaiting'],
    guard: 'rival-near',
    do: ['expect-primary'],
    why: 'the other one is at it',
  },
  {
    on: 'timeout',
    in: ['awaiting'],
    guard: 'may-stand',
    do: ['answer-failed', 'suspect-silent', 'probe'],
    to: 'probing',
    why: 'the other one did not take it',
  },
  {
    on: 'timeout',
    in: ['awaiting'],
    do: ['log-not-eligible', 'expect-primary'],
    why: 'own LAN is down',
  },
  {
    on: 'timeout',
    in: ['fencing'],
    do: ['log-fence-failed', 'probe-later'],
    to: 'waiting',
    why: 'the fence did not answer',
  },
  {
    on: 'timeout',
    in: ['claiming'],
    do: ['log-claim-failed', 'drop', 'probe-later'],
    to: 'waiting',
    why: 'the edge did not answer',
  },
  ignore(
    'timeout',
    ['loading', 'looking', 'following', ...PROVING, 'reigning', 'primary'],
    'may last as long as it does',
  ),

  {
    on: 'lease-over',
    in: ['primary'],
    do: ['silence', 'drop', 'log-fenced', 'was-primary'],
    to: 'looking',
    why: 'slept past the lease: hear the peer first',
  },
  {
    on: 'lease-over',
    in: ['flushing'],
    do: ['silence', 'drop', 'log-fenced', 'was-primary', 'order-stay', 'answer-failed'],
    to: 'looking',
    why: 'slept past the lease: hear the peer first',
  },
  ignore('lease-over', others(...LEADING), 'no lease runs'),
  {
    on: 'isolated',
    in: ['primary'],
    do: ['silence', 'drop', 'log-fenced', 'was-primary'],
    to: 'looking',
    why: 'link case 7: nobody can reach this box; the other one may be taking over',
  },
  {
    on: 'isolated',
    in: ['flushing'],
    do: ['silence', 'drop', 'log-fenced', 'was-primary', 'order-stay', 'answer-failed'],
    to: 'looking',
    why: 'link case 7: nobody can reach this box; the other one may be taking over',
  },
  ignore('isolated', others(...LEADING), 'no voice to lose'),
  {
    on: 'lan-lost',
    in: ['primary'],
    guard: 'may-hand-over',
    do: ['order-resign-lan'],
    to: 'flushing',
    why: 'link case 4: agreed over the crossover',
  },
  ignore('lan-lost', PHASES, 'not primary, or the backup is no better: keep roles'),
  {
    on: 'engine-stuck',
    in: LEADING,
    do: ['silence', 'farewell', 'drop', 'log-stuck', 'say-gone', 'abort'],
    to: 'looking',
    why: 'a box that cannot serve must not keep the other from it',
  },
  {
    on: 'engine-stuck',
    in: others('loading', ...LEADING),
    do: ['log-stuck', 'abort'],
    why: 'begins anew from its disk and its peer',
  },
  ignore('engine-stuck', ['loading'], 'reading its tables takes as long as it does'),

  {
    on: 'router-leads',
    in: DOUBTING,
    do: ['preempt'],
    why: 'it stood in while both boxes were off; by its own rules it gives way',
  },
  ignore('router-leads', others(...DOUBTING), 'hears our advertisements, if we lead'),

  {
    on: 'switchover',
    in: ['primary'],
    guard: 'ready',
    do: ['order-resign'],
    to: 'flushing',
    why: 'planned',
  },
  {
    on: 'switchover',
    in: ['primary'],
    guard: 'forced',
    do: ['silence', 'farewell', 'drop', 'say-yield', 'expect-primary'],
    to: 'awaiting',
    why: 'the operator accepts what is lost: this box has neither VIP nor voice from here',
  },
  { on: 'switchover', in: PHASES, do: ['refuse'], why: 'not ready, not primary, or under way' },
  {
    on: 'promote',
    in: ['looking', 'following'],
    guard: 'leader-silent',
    do: ['accept', 'suspect-operator', 'probe'],
    to: 'probing',
    why: 'the operator knows what the boxes cannot',
  },
  { on: 'promote', in: PHASES, do: ['refuse'], why: 'somebody is primary, or about to be' },
  {
    on: 'resync',
    in: ['primary', 'following'],
    do: ['order-resync', 'accept-resync'],
    why: 'the operator does not trust what the backup has',
  },
  { on: 'resync', in: PHASES, do: ['refuse'], why: 'there is no mirror to begin anew' },
  {
    on: 'retire',
    in: LEADING,
    do: ['silence', 'farewell', 'drop', 'say-gone', 'answer-failed', 'answer-retired'],
    to: 'looking',
    why: 'nobody could take over in order: at least nobody waits for us',
  },
  { on: 'retire', in: PHASES, do: ['answer-retired'], why: 'has no voice' },
];
