/**
 * The one place where the model checker touches the real sentry: how a sentry is made and stepped,
 * which of its fields are what (time, number of a frame, position, noise), and what a reader wants
 * to see of it. New inputs and effects of `src/pair` are bound here and in `world.ts` (`perform`).
 *
 * The rules of `print` below decide which states are the same. What they leave out or blur is
 * written beside them; an unknown field of a new release is taken as it is, so forgetting a rule
 * costs merging (more states), never a false "seen before".
 */

import type { Chance } from '../../src/base/chance.ts';
import { isFault } from '../../src/base/fault.ts';
import type { Alarms } from '../../src/pair/alarms.ts';
import { Sentry } from '../../src/pair/sentry.ts';
import type { SentryView } from '../../src/pair/sentry-view.ts';
import { pairSettings } from '../../src/pair/settings.ts';
import type {
  BoxId,
  Cause,
  PairSettings,
  Report,
  SentryEffect,
  SentryInput,
  Standing,
} from '../../src/pair/terms.ts';
import { arpReply, decodeArp } from '../../src/wire/arp.ts';
import { decodeHeartbeat, type Heartbeat } from '../../src/wire/heartbeat.ts';
import { type Disk, peerIsStale } from './engine.ts';

/** Virtual time begins here, so that a moment is told from every other number by its size. */
export const T0 = 1_000_000_000;
export const VIP = '192.0.2.10';
export const WITNESS = '192.0.2.1';
const WITNESS_MAC = '02:00:00:00:00:01';
export const MAC = { a: '02:00:00:00:00:0a', b: '02:00:00:00:00:0b' } as const;
const KEY = Uint8Array.from({ length: 32 }, (_, i) => i * 7 + 1);

/**
 * Coarse, on a grid of ten milliseconds, and in the order of the real values:
 * probe < mirror wait < heartbeat < red < lease < lifetime of the VIP.
 */
export const COARSE = {
  redundancy: 'hot-standby',
  heartbeatMs: 100,
  missed: 2,
  leaseMs: 600,
  vipLifetimeS: 1,
  renewMs: 200,
  probeMs: 20,
  holdMs: 600,
  mirrorWaitMaxMs: 50,
  garpAtMs: [0],
  garpRefreshMs: 60_000,
  engineStuckMs: 200,
  engineStuckAloneMs: 800,
  witnessMs: 200,
  witnessFastMs: 20,
  witnessMissed: 3,
  flapMs: 400,
  flapMost: 3,
  flapWindowMs: 600_000,
  lanDeadMs: 800,
  fenceMs: 300,
  vips: [VIP],
  key: KEY,
} as const;

/** What an operator may have given the pair besides. */
export const variant = { witness: false, fence: false };

function settingsOf(box: BoxId): PairSettings {
  return pairSettings({
    ...COARSE,
    box,
    lanAddress: box === 'a' ? '192.0.2.11' : '192.0.2.12',
    peerLanAddress: box === 'a' ? '192.0.2.12' : '192.0.2.11',
    witnesses: variant.witness ? [{ address: WITNESS, by: 'arp' }] : [],
    fence: variant.fence,
  });
}

/** Every boot of the pair has the next number. */
class Numbers implements Chance {
  private next: number;

  constructor(next: number) {
    this.next = next;
  }

  u32(): number {
    this.next += 1;
    return this.next;
  }
}

export function makeSentry(box: BoxId, boots: number): Sentry {
  return new Sentry(settingsOf(box), MAC[box], new Numbers(boots * 1000));
}

/** @param standing what the engine says of itself; `turns` it counts as long as it is not stuck. */
export function give(
  sentry: Sentry,
  now: number,
  input: SentryInput,
  standing: Standing,
  out: SentryEffect[],
): void {
  sentry.step(now, input, standing, out);
}

export function viewOf(sentry: Sentry): SentryView {
  return sentry.view();
}

/** Reigns whose silence was agreed over the stream: it stays up (`src/node.ts`, reign). */
export function agreed(cause: Cause): boolean {
  return cause === 'switchover' || cause === 'lan-lost';
}

/** The alarm that a property asks for; no other one tells states apart. */
export function beganOnOlder(sentry: Sentry): boolean {
  const alarms = Reflect.get(Reflect.get(sentry, 'core') as object, 'alarms') as Alarms;
  return alarms.isActive('older-tables');
}

/** Since when the sentry has seen no turn of its engine. */
export function turnsAtOf(sentry: Sentry): number {
  return Reflect.get(Reflect.get(sentry, 'core') as object, 'turnsAt') as number;
}

/** What an engine reports when it has read its disk. */
export function loadedReport(disk: Disk, fresh: boolean): Report {
  const { epoch, lsn, primary: wasPrimary } = disk;
  const peerStale = peerIsStale(disk, disk.history.at(-1)?.[0] ?? 0);
  return { kind: 'loaded', epoch, lsn, chain: 0, wasPrimary, peerStale, fresh };
}

/** The phase alone, which every print and every choice asks for. */
export function phaseOf(sentry: Sentry): string {
  const core = Reflect.get(sentry, 'core') as { readonly phase?: string } | undefined;
  return core?.phase ?? sentry.view().phase;
}

export function frameOf(bytes: Uint8Array): Heartbeat {
  const h = decodeHeartbeat(bytes, KEY);
  if (isFault(h)) throw new Error(h.fault);
  return h;
}

/** What an ARP frame asks or says about the VIP. */
export type Arp = 'probe' | 'answer' | 'garp' | 'witness?' | 'witness' | 'else';

export function arpOf(bytes: Uint8Array): Arp {
  const arp = decodeArp(bytes);
  if (isFault(arp)) throw new Error(arp.fault);
  if (arp.senderIp === VIP) return 'garp';
  if (arp.targetIp === WITNESS) return 'witness?';
  return arp.op === 'request' && arp.targetIp === VIP ? 'probe' : 'else';
}

/** What the kernel of `box` answers to a probe for the VIP. */
export function arpAnswer(box: BoxId, probe: Uint8Array): Uint8Array {
  const arp = decodeArp(probe);
  if (isFault(arp)) throw new Error(arp.fault);
  return arpReply(MAC[box], VIP, arp.senderMac, arp.senderIp);
}

/** What the witness answers to `question`. */
export function witnessAnswer(question: Uint8Array): Uint8Array {
  const arp = decodeArp(question);
  if (isFault(arp)) throw new Error(arp.fault);
  return arpReply(WITNESS_MAC, WITNESS, arp.senderMac, arp.senderIp);
}

// ── which states are the same ────────────────────────────────────────────────────────────────────

/** Never changed in place: copies share them. `Class.field`. */
export const SHARED: ReadonlySet<string> = new Set([
  'Core.settings',
  'Core.loaded',
  'Core.frame',
  'Core.last',
  'Peer.state',
  'Announcer.burst',
  'Engine.history',
  'Engine.durable',
  'Box.disk',
  'World.used',
  'World.released',
  // changed, but nothing a property could see comes of it
  'Core.counters',
  'Core.lateness',
  'Core.hosts',
  'Core.toTell',
  'Core.face',
  'Sentry.refused',
]);

/** Lists that grow and shrink, of things that are never changed in place. */
export const SHALLOW: ReadonlySet<string> = new Set([
  'World.coming',
  'World.later',
  'Box.backlog',
  'Core.asked',
  'Peer.retired',
  'FlapGuard.moments',
  'Alarms.over',
  // maps of things that are never changed in place
  'Alarms.active',
  'Alarms.saidAt',
]);

/**
 * Fields that decide nothing a property could see: valid only within a step, or read only by logs,
 * counters, alarms and views. `turns`, `turnsAt`: of an engine that is not stuck (`print.ts`).
 */
const NOISE: ReadonlySet<string> = new Set([
  ...['now', 'out', 'frame', 'question', 'detail', 'answered', 'settings', 'mac', 'standing'],
  ...['counters', 'refused', 'logged', 'last@Core', 'provedAt', 'lateness', 'alarms', 'hosts'],
  ...['durableAt', 'roleSince', 'turns', 'turnsAt', 'serial', 'claimSerial', 'pending', 'toTell'],
  ...['chain', 'primaryAt', 'primaryPairNow', 'start', 'sent', 'reportEpoch', 'boots', 'face'],
  ...['ownBox', 'ownBoot', 'burst', 'gap', 'refresh', 'yellowAfter', 'redAfter', 'box', 'bytes'],
  ...['startedAt', 'rival', 'conflictHeardAt', 'flapHold', 'conflict', 'witness@Witnesses.doors'],
]);

/**
 * How far back a moment may lie before it is "long ago": nothing in `src/pair` looks further, but
 * strangers (10 s, longer than any stranger of the model lasts) and, with witnesses, HURRY.
 */
const LONG_AGO = 1100;
const LONG_AGO_WITNESS = 2100;
/** How far ahead before it is "one day" (the refresh of gratuitous ARP). */
const ONE_DAY = 6000;

export type Meaning =
  | 'skip'
  | 'plain'
  /** Only the order of these counts, per sender. */
  | 'own-sequence'
  | 'peer-sequence'
  /** Only order and neighbourhood count. */
  | 'lsn'
  | 'epoch'
  /** A moment of the pair clock: only order counts. */
  | 'pair'
  /** Only which are equal counts. */
  | 'boot'
  | 'strangers'
  | 'turn'
  /** Questions without an answer: only up to where the witness is lost. */
  | 'open'
  | 'retired'
  | 'history'
  | 'ticket';

const MEANINGS: { readonly [field: string]: Meaning } = {
  sequence: 'own-sequence',
  queryFrom: 'own-sequence',
  newest: 'peer-sequence',
  echoSequence: 'peer-sequence',
  toldStaleFrom: 'own-sequence',
  pairNow: 'pair',
  inStepAt: 'pair',
  markAt: 'pair',
  strangers: 'strangers',
  turn: 'turn',
  open: 'open',
  lsn: 'lsn',
  acked: 'lsn',
  held: 'lsn',
  history: 'history',
  ticket: 'ticket',
  reignTicket: 'ticket',
  trustTicket: 'ticket',
  link: 'boot',
  boot: 'boot',
  echoBoot: 'boot',
  retired: 'retired',
  epoch: 'epoch',
  recordEpoch: 'epoch',
  markEpoch: 'epoch',
  staleEpoch: 'epoch',
  seenEpoch: 'epoch',
  leaderEpoch: 'epoch',
  followed: 'epoch',
  reignEpoch: 'epoch',
  saidEpoch: 'epoch',
  spokenEpoch: 'epoch',
};

const known = new Map<string, Map<string, Meaning>>();

/** @returns the meanings of the fields of `owner` as far as they were asked. */
export function meaningsOf(owner: string): Map<string, Meaning> {
  let meanings = known.get(owner);
  if (meanings === undefined) {
    meanings = new Map();
    known.set(owner, meanings);
  }
  return meanings;
}

export function meaningOf(owner: string, field: string): Meaning {
  if (owner === 'Peer.last') return 'peer-sequence';
  if (NOISE.has(field) || NOISE.has(`${field}@${owner}`)) return 'skip';
  return MEANINGS[field] ?? 'plain';
}

const ASKING: ReadonlySet<string> = new Set(['probing', 'waiting', 'fencing']);

const TAKING: ReadonlySet<string> = new Set([...ASKING, 'reigning', 'claiming']);
const GIVING: ReadonlySet<string> = new Set(['flushing', 'dropping']);

/** What a takeover, or a handover, remembers of its beginning: written anew when the next begins. */
const PASSING: { readonly [field: string]: ReadonlySet<string> } = {
  cause: TAKING,
  origin: TAKING,
  silentAt: TAKING,
  handoverCause: GIVING,
};

/** @returns whether a field says nothing in this phase. */
export function isOver(owner: string, field: string, phase: string): boolean {
  return owner === 'Core' && PASSING[field]?.has(phase) === false;
}

/** @returns a moment as seen from `now`, blurred where nothing looks closely. */
export function relative(field: string, at: number, now: number, phase: string): number {
  const d = at - now;
  // how long a phase lasts is asked only of these two
  if (field === 'phaseSince' && phase !== 'looking' && phase !== 'following') return 0;
  if (field === 'leaderAt' && phase !== 'following') return 0;
  if (field === 'moments' && d < -COARSE.flapMs) return -COARSE.flapMs;
  if (field === 'unfitSince' && d < -COARSE.holdMs) return -COARSE.holdMs;
  // asked only of a witness that is to answer after it
  if (field === 'suspectedAt' && !(variant.witness && ASKING.has(phase))) return 0;
  const longAgo = variant.witness ? LONG_AGO_WITNESS : LONG_AGO;
  if (d < -longAgo) return -longAgo;
  return Math.min(d, ONE_DAY);
}
