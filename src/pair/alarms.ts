/**
 * Alarms of the pair: conditions that last and that somebody should do something about. Each has a
 * stable code, a severity, and says its cause and the epoch it was raised in. What is active, and
 * what was, is shown the same by status, console and (later) SNMP.
 */

import type { Epoch, Millis, Mono } from '../base/units.ts';

/** minor: look into it. major: one more failure and callers notice. critical: they may notice now. */
export type Severity = 'minor' | 'major' | 'critical';

/** Every alarm: its severity, what it means, and what to do. */
export const ALARMS = {
  'not-protected': [
    'major',
    'this primary has no backup in step: calls go on, on one box',
    'look at the other box and the crossover cable',
  ],
  'crossover-down': [
    'major',
    'the peer is not heard over the crossover',
    'plug the crossover in; is the other box on?',
  ],
  'lan-path-down': [
    'minor',
    'the peer is not heard over the service LAN',
    'the LAN cable or switch port of the other box',
  ],
  'lan-down': [
    'critical',
    'the own port to the service LAN has no carrier',
    'plug the LAN cable in; the switch port',
  ],
  'witness-lost': [
    'major',
    'no witness answers on the service LAN',
    'the cable to the switch, the switch, the witness itself',
  ],
  'flap-hold': [
    'major',
    'an automatic switchover is held back by the flap guard',
    'repair the LAN; `request ha switchover` decides at once',
  ],
  'not-eligible': [
    'critical',
    'nobody is known to be primary, and this box must not be',
    'bring the other box back; `request ha promote` leads with what this box has',
  ],
  'vip-answered': [
    'major',
    'the virtual address is still answered, and is not claimed',
    'both boxes live and do not hear each other, or a third host has the address',
  ],
  'claim-failed': [
    'critical',
    'the virtual address could not be taken',
    "the reason is the system's: look at it; it is tried again",
  ],
  'vip-held': [
    'critical',
    'the virtual address could not be renewed',
    'as above; the lease ends by itself',
  ],
  'drop-failed': [
    'critical',
    'the virtual address could not be dropped; its lifetime ends it',
    'as above',
  ],
  'vip-conflict': [
    'critical',
    'another host claims the virtual address',
    'find the host with that MAC address and take the address from it',
  ],
  'two-primaries': [
    'critical',
    'both boxes were primary',
    'find out why LAN and crossover failed together. `show log 5000 | match lost` says ' +
      'whether rows were set aside: then keep the box as it is and ask the maker',
  ],
  fenced: [
    'critical',
    'this box stopped being primary by itself',
    'the load of the machine, or its LAN; it follows by itself',
  ],
  'engine-stuck': [
    'critical',
    'the engine takes no turns',
    'report it with the log: the process was ended and started again',
  ],
  'older-tables': [
    'critical',
    'this box leads on tables older than those of a box that cannot',
    'what the other box holds is set aside when it joins: `show log 5000 | match lost` ' +
      'there says so; keep that box as it is and ask the maker',
  ],
  'fence-failed': [
    'critical',
    'the peer could not be fenced',
    'the relay; `request ha promote` if you know that the other box is off',
  ],
  stranger: [
    'minor',
    'heartbeats of a recording, or of a peer that does not hear this box',
    "is the other box's network one-way? else somebody replays frames on the LAN",
  ],
  'vrrp-conflict': [
    'major',
    'another router uses our VRRP router id',
    'give one of the two another router id',
  ],
} as const satisfies { readonly [code: string]: readonly [Severity, string, string] };

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
/** One that comes and goes is one alarm: the same words are not said sooner than this again. */
const QUIET: Millis = 10_000;

type Said = { readonly text: string; readonly at: Mono };

export class Alarms {
  private readonly active = new Map<AlarmCode, Alarm>();
  private readonly over: Alarm[] = [];
  private readonly said = new Map<AlarmCode, Said>();

  /** @returns true when it shall be said: it is new, or has lasted another minute. */
  raise(code: AlarmCode, text: string, now: Mono, epoch: Epoch): boolean {
    const before = this.active.get(code);
    const raisedAt = before?.raisedAt ?? now;
    const severity = ALARMS[code][0];
    const first = before?.epoch ?? epoch;
    this.active.set(code, { code, severity, text, epoch: first, raisedAt, clearedAt: undefined });
    const said = this.said.get(code);
    if (said !== undefined && now - said.at < this.pause(said, raisedAt, text)) return false;
    this.said.set(code, { text, at: now });
    return true;
  }

  /** How long after it was said last it is not said again. */
  private pause(said: Said, raisedAt: Mono, text: string): Millis {
    if (said.at >= raisedAt) return REPEAT;
    return said.text === text ? QUIET : 0;
  }

  /** @returns true when it was active, and said to be. */
  clear(code: AlarmCode, now: Mono): boolean {
    const alarm = this.active.get(code);
    if (alarm === undefined) return false;
    this.active.delete(code);
    this.remember({ ...alarm, clearedAt: now });
    return (this.said.get(code)?.at ?? now) >= alarm.raisedAt;
  }

  /** One that came and went again and again is remembered once, from its first time on. */
  private remember(alarm: Alarm): void {
    const { over } = this;
    const at = over.findIndex(
      (o) => o.code === alarm.code && o.text === alarm.text && lately(o, alarm),
    );
    const [first] = at < 0 ? [] : over.splice(at, 1);
    over.push({ ...alarm, raisedAt: first?.raisedAt ?? alarm.raisedAt });
    if (over.length > HISTORY) over.shift();
  }

  isActive(code: AlarmCode): boolean {
    return this.active.has(code);
  }

  /** Active ones first, then what is over, the newest last. */
  view(): { readonly active: readonly Alarm[]; readonly over: readonly Alarm[] } {
    return { active: [...this.active.values()], over: [...this.over] };
  }
}

/** @returns whether `earlier` was over only just before `alarm` began. */
function lately(earlier: Alarm, { raisedAt, epoch }: Alarm): boolean {
  return earlier.epoch === epoch && raisedAt - (earlier.clearedAt ?? raisedAt) < QUIET;
}
