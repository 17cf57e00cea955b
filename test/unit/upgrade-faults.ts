/** What may be wrong with a bundle, and what may happen while a job is under way. */

/**
 * What is in a bundle, or in a slot. `broken`: half written. Two that stand well as backup and cannot lead:
 * `no-lead` loses it again, `deaf` keeps it and nobody answers at the virtual address.
 */
export type Kind =
  | 'good'
  | 'no-boot'
  | 'no-service'
  | 'no-step'
  | 'no-lead'
  | 'deaf'
  | 'stranger'
  | 'broken';
export type Content = { readonly version: string; readonly kind: Kind };

/** What happens to a box or the cable, at one of its doings. */
export const FAULTS = [
  'power-before',
  'power-after',
  'both-power',
  'other-power',
  'agent',
  'cable',
  'disk-full',
] as const;
export type Fault = (typeof FAULTS)[number];
