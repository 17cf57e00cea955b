/** For each property one way to break it: a checker that never turned red proves nothing. */

import type { SentryEffect, SentryInput } from '../../src/pair/terms.ts';
import { arpOf } from './adapter.ts';
import type { Budget, Kind } from './deviations.ts';
import type { Property } from './properties.ts';
import type { Sabotage } from './world.ts';

export type Saboteur = {
  readonly name: string;
  /** What it breaks. */
  readonly breaks: Property;
  readonly sabotage: Sabotage;
  /** The deviations that bring it to light. */
  readonly needs: Partial<Budget>;
  /** Asked also when nobody awake knows better; honest boxes stand this with the same needs. */
  readonly strict?: true;
  /** No history with fewer deviations may show it. */
  readonly deviations: number;
};

const NONE: { readonly [K in Kind]: number } = {
  crash: 0,
  pause: 0,
  cut: 0,
  lan: 0,
  operator: 0,
  lose: 0,
  late: 0,
  stuck: 0,
  witness: 0,
  port: 0,
};

export function budgetOf(needs: Partial<Budget>): Budget {
  return { ...NONE, ...needs };
}

function deaf(input: SentryInput): SentryInput | undefined {
  return input.kind === 'frame' && arpOf(input.bytes) === 'garp' ? undefined : input;
}

function bend<K extends SentryEffect['kind']>(
  kind: K,
  change: (e: Extract<SentryEffect, { kind: K }>) => SentryEffect,
): (effect: SentryEffect) => SentryEffect {
  return (effect) =>
    effect.kind === kind ? change(effect as Extract<SentryEffect, { kind: K }>) : effect;
}

export const SABOTEURS: readonly Saboteur[] = [
  {
    name: 'does not hear who answers for the VIP',
    breaks: 'one-face',
    sabotage: { input: (_w, _box, input) => deaf(input) },
    needs: { pause: 1 },
    deviations: 1,
  },
  {
    name: 'does not hear who answers for the VIP, and the other one wakes within its lease',
    breaks: 'one-voice',
    sabotage: { input: (_w, _box, input) => deaf(input) },
    needs: { pause: 1 },
    deviations: 1,
  },
  {
    name: 'says that it dropped the VIP and did not',
    breaks: 'one-face',
    sabotage: { keepsVip: true },
    needs: { operator: 1 },
    deviations: 1,
  },
  {
    name: 'a lease that outlives the VIP',
    breaks: 'voice-has-vip',
    sabotage: {
      effect: (_w, _box, effect) =>
        bend('lease', (e) => (e.until === 0 ? e : { ...e, until: e.until + 5000 }))(effect),
    },
    needs: { pause: 1 },
    deviations: 1,
  },
  {
    name: 'does not see that its own LAN is down',
    breaks: 'lan',
    sabotage: {
      input: (_w, _box, input) =>
        input.kind === 'carrier' && input.path === 'l' ? { ...input, up: true } : input,
    },
    needs: { lan: 1, crash: 1 },
    deviations: 2,
  },
  {
    name: 'reigns in the epoch of its predecessor',
    breaks: 'epoch',
    sabotage: {
      effect: (_w, _box, effect) =>
        bend('order', (e) =>
          e.order.kind === 'reign' && e.order.epoch > 1
            ? { ...e, order: { ...e.order, epoch: e.order.epoch - 1 } }
            : e,
        )(effect),
    },
    needs: { crash: 1 },
    deviations: 1,
  },
  {
    name: 'says what the backup does not have',
    breaks: 'no-amnesia',
    sabotage: { openGate: true },
    needs: { cut: 1, pause: 1 },
    strict: true,
    deviations: 2,
  },
  {
    name: 'does not hear that its reign is durable',
    breaks: 'live',
    sabotage: {
      input: (_w, _box, input) =>
        input.kind === 'report' && input.report.kind === 'reigning' && input.report.epoch > 1
          ? undefined
          : input,
    },
    needs: { crash: 1 },
    deviations: 1,
  },
];
