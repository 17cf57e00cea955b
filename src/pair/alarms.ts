/**
 * Alarms of the pair: conditions that last and that somebody should do something about. Each has a
 * stable code, a severity, and says its cause and the epoch it was raised in. What is active, and
 * what was, is shown the same by status, console and (later) SNMP.
 */

import type { Epoch, Millis, Mono } from '../base/units.ts';

/** minor: look into it. major: one more failure and callers notice. critical: they may notice now. */
export type Severity = 'minor' | 'major' | 'critical';

/** Every alarm: its severity, and what it means as a sentence. */
export const ALARMS = {
  'not-protected': ['major', 'this primary has no backup in step: calls go on, on one box'],
  'crossover-down': ['major', 'the peer is not heard over the crossover'],
  'lan-path-down': ['minor', 'the peer is not heard over the service LAN'],
  'lan-down': ['critical', 'the own port to the service LAN has no carrier'],
  'witness-lost': ['major', 'no witness answers on the service LAN'],
  'flap-hold': ['major', 'an automatic switchover is held back by the flap guard'],
  'not-eligible': ['critical', 'nobody is known to be primary, and this box must not be'],
  'vip-answered': ['major', 'the virtual address is still answered, and is not claimed'],
  'claim-failed': ['critical', 'the virtual address could not be taken'],
  'vip-held': ['critical', 'the virtual address could not be renewed'],
  'drop-failed': ['critical', 'the virtual address could not be dropped; its lifetime ends it'],
  'vip-conflict': ['critical', 'another host claims the virtual address'],
  'two-primaries': ['critical', 'both boxes were primary'],
  fenced: ['critical', 'this box stopped being primary by itself'],
  'engine-stuck': ['critical', 'the engine takes no turns'],
  'older-tables': ['critical', 'this box leads on tables older than those of a box that cannot'],
  'fence-failed': ['critical', 'the peer could not be fenced'],
  stranger: ['minor', 'heartbeats of a recording, or of a peer that does not hear this box'],
  'vrrp-conflict': ['major', 'another router uses our VRRP router id'],
} as const satisfies { readonly [code: string]: readonly [Severity, string] };

export type AlarmCode = keyof typeof ALARMS;

export type Alarm = {
  readonly code: AlarmCode;
  readonly severity: Severity;
  readonly text: string;
  readonly epoch: Epoch;
  readonly raisedAt: Mono;
  /** When it was over; undefined while it is not. */
  readonly clearedAt: Mono | undefined;
};

const HISTORY = 64;
/** A condition that lasts is said again so often. */
const REPEAT: Millis = 60_000;

export class Alarms {
  private readonly active = new Map<AlarmCode, Alarm>();
  private readonly over: Alarm[] = [];
  private readonly saidAt = new Map<AlarmCode, Mono>();

  /** @returns true when it shall be said: it is new, or has lasted another minute. */
  raise(code: AlarmCode, text: string, now: Mono, epoch: Epoch): boolean {
    const before = this.active.get(code);
    const raisedAt = before?.raisedAt ?? now;
    const severity = ALARMS[code][0];
    const first = before?.epoch ?? epoch;
    this.active.set(code, { code, severity, text, epoch: first, raisedAt, clearedAt: undefined });
    const said = this.saidAt.get(code);
    if (before !== undefined && said !== undefined && now - said < REPEAT) return false;
    this.saidAt.set(code, now);
    return true;
  }

  /** @returns true when it was active. */
  clear(code: AlarmCode, now: Mono): boolean {
    const alarm = this.active.get(code);
    if (alarm === undefined) return false;
    this.active.delete(code);
    this.over.push({ ...alarm, clearedAt: now });
    if (this.over.length > HISTORY) this.over.shift();
    return true;
  }

  isActive(code: AlarmCode): boolean {
    return this.active.has(code);
  }

  /** Active ones first, then what is over, the newest last. */
  view(): { readonly active: readonly Alarm[]; readonly over: readonly Alarm[] } {
    return { active: [...this.active.values()], over: [...this.over] };
  }
}
