/**
 * Alarms of the box, besides those of the pair (pair/alarms.ts): its services, its configuration and
 * image, and the machine itself. One row each: when, how bad, what it means, what to do. A condition
 * must last `afterMs` to be raised and be gone for `overMs` to be over; measured values have two
 * thresholds. So nothing flaps.
 */

import type { Millis } from '../../base/units.ts';
import { HOUR, MINUTE, SECOND } from '../../base/units.ts';
import { dateTime } from '../../call/conference/siprec.ts';
import type { AlarmRecord, AlarmSeverity, Capacity } from './box-status.ts';
import { CAPACITIES } from './capacity.ts';
import { type Observed, START_MS } from './observed.ts';

/** One thing that an alarm is about; `subject` '' where there is only one. */
export type Finding = { readonly subject: string; readonly text: string };
/** Whether the alarm is active, for that subject. */
export type Was = (subject: string) => boolean;

export type BoxAlarm = {
  readonly severity: AlarmSeverity;
  readonly about: string;
  readonly cure: string;
  readonly source: AlarmRecord['source'];
  readonly afterMs: Millis;
  readonly overMs: Millis;
  /** @returns what is wrong now; undefined when it cannot be told: then everything stays as it is. */
  readonly look: (o: Observed, was: Was) => readonly Finding[] | undefined;
};

const NOTHING: readonly Finding[] = [];
const DAY = 24 * HOUR;

function when(is: boolean, text: string): readonly Finding[] {
  return is ? [{ subject: '', text }] : NOTHING;
}

/** Raised at `from`, over below `until`; the other way round when `from` is the lesser. */
function beyond(value: number, from: number, until: number, was: boolean): boolean {
  const edge = was ? until : from;
  return from >= until ? value >= edge : value <= edge;
}

/** Looks at what the daemon says, while it does. */
function daemonSays(
  look: (d: NonNullable<Observed['daemon']>, was: Was, o: Observed) => readonly Finding[],
): BoxAlarm['look'] {
  return (o, was) => {
    if (o.daemon !== undefined) return look(o.daemon, was, o);
    // of a service that is down nothing is wrong but that
    return o.phase === 'down' ? NOTHING : undefined;
  };
}

function systemSays(
  look: (s: NonNullable<Observed['system']>, o: Observed) => readonly Finding[],
): BoxAlarm['look'] {
  return (o) => (o.system === undefined ? undefined : look(o.system, o));
}

function healthSays(
  look: (
    h: NonNullable<Observed['health']>,
    was: boolean,
    o: Observed,
  ) => readonly Finding[] | undefined,
): BoxAlarm['look'] {
  return (o, was) => (o.health === undefined ? undefined : look(o.health, was(''), o));
}

const percent = (part: number, whole: number): number => (whole > 0 ? (100 * part) / whole : 100);

function temperature(from: number, until: number): BoxAlarm['look'] {
  return healthSays(({ temperatureC: c }, was) =>
    c === undefined ? NOTHING : when(beyond(c, from, until, was), `${Math.round(c)} degrees`),
  );
}

function free(from: number, until: number): BoxAlarm['look'] {
  return healthSays(({ storage }, was) => {
    const left = percent(storage.freeBytes, storage.totalBytes);
    return when(beyond(left, from, until, was), `${left.toFixed(1)} % of the storage is free`);
  });
}

function wear(from: number): BoxAlarm['look'] {
  return healthSays(({ storage: { wearPercent: worn } }) => {
    // it is read rarely, and not at once: what was known before stays
    if (worn === undefined) return undefined;
    return when(worn >= from, `${worn} % of the life of the storage is used`);
  });
}

/** Days left, between two moments. */
/** Who shows them knows; a service that is down does not say it. */
function certificateFault({ daemon, health }: Observed): readonly Finding[] | undefined {
  const fault = daemon?.certificates ?? health?.certificate.fault;
  if (daemon?.certificates === undefined && health === undefined) return undefined;
  return when(fault !== undefined && fault !== '', fault ?? '');
}

function certificate(above: number, most: number): BoxAlarm['look'] {
  return healthSays(({ certificate: { notAfter } }, _was, { utc }) => {
    if (notAfter === undefined) return NOTHING;
    const left = (notAfter - utc) / DAY;
    const day = dateTime(notAfter).slice(0, 10);
    return when(left <= most && left > above, `the certificate of TLS ends on ${day}`);
  });
}

function used(from: number, until: number): BoxAlarm['look'] {
  return daemonSays((d, was) =>
    CAPACITIES.flatMap(({ what, limit, used: usedOf, in: unit }) => {
      const full = percent(usedOf(d), limit);
      if (!beyond(full, from, until, was(what))) return NOTHING;
      return [{ subject: what, text: `${usedOf(d)} of ${limit} ${unit}` }];
    }),
  );
}

function grew(sign: keyof Observed['grewMsAgo'], text: string): BoxAlarm['look'] {
  return daemonSays((_d, _was, o) => when(o.grewMsAgo[sign] < MINUTE, text));
}

export const BOX_ALARMS = {
  'service-down': {
    severity: 'critical',
    about: 'the service of this box does not answer: the other box serves, or nobody does',
    cure:
      '`show log`; it is started again by itself. `request system reboot` when it does not ' +
      'come back',
    source: 'system',
    afterMs: 0,
    overMs: 2 * SECOND,
    look: (o) => when(o.phase === 'down', 'the service does not answer'),
  },
  'engine-silent': {
    severity: 'major',
    about: 'the service answers, the part of it that handles calls does not',
    cure: '`show log`; when it lasts it is ended and started again by itself',
    source: 'system',
    afterMs: 2 * SECOND,
    overMs: 5 * SECOND,
    look: daemonSays((d) =>
      when(d.engineRole === 'does not answer' && d.upMs >= START_MS, 'the engine says nothing'),
    ),
  },
  'agent-down': {
    severity: 'minor',
    about: 'the system agent does not answer: neither configuration nor image can be changed',
    cure: '`show log`; it is started again by itself. Calls do not need it',
    source: 'system',
    afterMs: MINUTE,
    overMs: 5 * SECOND,
    look: (o) => when(o.system === undefined, 'the system agent does not answer'),
  },
  'disk-fails': {
    severity: 'major',
    about: 'the database cannot be written: calls go on from memory',
    cure: '`show log` says why; the storage. Not both boxes at once',
    source: 'system',
    afterMs: 0,
    overMs: 5 * SECOND,
    look: daemonSays(({ disk }) =>
      disk === undefined || disk === 'works' ? NOTHING : when(true, `the disk ${disk}`),
    ),
  },
  'cdr-backlog': {
    severity: 'major',
    about: 'call detail records wait because their file cannot be written',
    cure: 'room on the storage; what waits beyond 50,000 is lost',
    source: 'system',
    afterMs: 5 * SECOND,
    overMs: 5 * SECOND,
    look: daemonSays(({ cdrWaiting }) => when((cdrWaiting ?? 0) > 0, `${cdrWaiting} wait`)),
  },
  'media-exhausted': {
    severity: 'minor',
    about: 'callers who should hear something hear nothing: all media sessions or ports are in use',
    cure: '`set media max`, `set media ports`; who waits so long?',
    source: 'system',
    afterMs: 0,
    overMs: MINUTE,
    look: grew('media', 'a caller was played nothing within the last minute'),
  },
  overload: {
    severity: 'major',
    about: 'new calls are refused: there is more to do than can be done',
    cure: 'who calls so much? `show system` for what the processors do',
    source: 'system',
    afterMs: 0,
    overMs: 10 * SECOND,
    look: grew('overload', 'calls were refused within the last minute'),
  },
  'run-late': {
    severity: 'minor',
    about: 'the service is run late: this box may be taken for dead under more load',
    cure: 'what else runs here? `show system`; a hypervisor that gives too little',
    source: 'health',
    afterMs: 0,
    overMs: MINUTE,
    look: grew('late', 'it was run 100 ms late or more within the last minute'),
  },
  capacity: {
    severity: 'minor',
    about: '80 % of what this box can hold, or was measured with, is in use',
    cure: 'plan before it is full; `show system` for the figures',
    source: 'system',
    afterMs: 5 * SECOND,
    overMs: MINUTE,
    look: used(80, 70),
  },
  'capacity-full': {
    severity: 'major',
    about: '97 % of that is in use: more may be refused',
    cure: 'who needs so much? less of it, or a second pair',
    source: 'system',
    afterMs: 2 * SECOND,
    overMs: MINUTE,
    look: used(97, 90),
  },
  'config-unconfirmed': {
    severity: 'warning',
    about: '`commit confirm` runs: without `confirm` both boxes go back by themselves',
    cure: '`confirm`, if you are content',
    source: 'system',
    afterMs: 0,
    overMs: 0,
    look: systemSays(({ revision }) => {
      if (revision?.confirmBy === undefined) return NOTHING;
      const at = dateTime(revision.confirmBy).slice(11, 19);
      return when(true, `revision ${revision.number} is given up at ${at} UTC`);
    }),
  },
  'config-differs': {
    severity: 'major',
    about: 'the two boxes do not have the same configuration',
    cure:
      '`show alarms` on both: `configuration-refused`, `configuration-peer-refuses`, ' +
      '`configuration-disk` say why. None of them: `configure`, `commit confirm`, ' +
      '`confirm` where the right configuration is',
    source: 'system',
    afterMs: 30 * SECOND,
    overMs: 0,
    look: systemSays(({ revision, peer }) => {
      const own = revision?.number ?? 0;
      const theirs = peer?.revision ?? -1;
      // 0: nothing is committed; -1: it has never said
      if (peer?.reachable !== true || own <= 0 || theirs < 0 || own === theirs) return NOTHING;
      return when(true, `revision ${own} here, ${theirs} at the other box`);
    }),
  },
  'image-unconfirmed': {
    severity: 'warning',
    about: 'the box runs from an image that has not proved itself: it goes back if it does not',
    cure: '`show system image`; it is confirmed by itself once the pair is in step',
    source: 'system',
    afterMs: 0,
    overMs: 0,
    look: systemSays(({ image }) =>
      when(image?.confirmed === false, `slot ${image?.slot ?? '?'} is not confirmed`),
    ),
  },
  'update-failed': {
    severity: 'major',
    about: 'an update did not succeed; the box runs what it ran before',
    cure: '`show system image` says the step and the reason',
    source: 'system',
    afterMs: 0,
    overMs: 0,
    look: systemSays(({ upgrade }) => when((upgrade?.failed ?? '') !== '', upgrade?.failed ?? '')),
  },
  'release-differs': {
    severity: 'warning',
    about: 'the other box runs another release',
    cure: 'as it should be in the middle of an update; else `request system image install`',
    source: 'system',
    afterMs: 10 * SECOND,
    overMs: 0,
    look: daemonSays(({ release, peerRelease }) =>
      peerRelease === undefined || peerRelease === '' || peerRelease === release
        ? NOTHING
        : when(true, `${release} here, ${peerRelease} at the other box`),
    ),
  },
  'temperature-high': {
    severity: 'major',
    about: '85 degrees or more in the box',
    cure: 'air, the fan, the place it stands in',
    source: 'health',
    afterMs: 20 * SECOND,
    overMs: MINUTE,
    look: temperature(85, 78),
  },
  'temperature-critical': {
    severity: 'critical',
    about: '95 degrees or more: it may switch itself off any moment',
    cure: 'at once: air, the fan; hand over with `request ha switchover`',
    source: 'health',
    afterMs: 5 * SECOND,
    overMs: MINUTE,
    look: temperature(95, 88),
  },
  'memory-low': {
    severity: 'major',
    about: 'less than a tenth of the memory is available',
    cure: '`show system`; report it with a support bundle',
    source: 'health',
    afterMs: 20 * SECOND,
    overMs: MINUTE,
    look: healthSays(({ memory }, was) => {
      const left = percent(memory.availableBytes, memory.totalBytes);
      return when(beyond(left, 10, 15, was), `${left.toFixed(1)} % of the memory is available`);
    }),
  },
  'storage-low': {
    severity: 'minor',
    about: 'less than a fifth of the storage is free',
    cure:
      '`show system` for the figures; `request file delete NAME` for prompts (both boxes); ' +
      'call records go by themselves',
    source: 'health',
    afterMs: 20 * SECOND,
    overMs: MINUTE,
    look: free(20, 25),
  },
  'storage-full': {
    severity: 'critical',
    about: 'less than a twentieth of the storage is free: soon nothing can be written',
    cure:
      '`request file delete NAME` for prompts (both boxes); call records go by themselves. ' +
      'If it stays: support bundle to a stick, hand over if primary, `factory-reset` that ' +
      'box and pair it again (its own call records go with it)',
    source: 'health',
    afterMs: 5 * SECOND,
    overMs: MINUTE,
    look: free(5, 8),
  },
  'storage-read-only': {
    severity: 'critical',
    about: 'the storage lets itself be read only: its maker or the kernel has given it up',
    cure: 'hand over, replace the storage or the box: nothing is kept here any more',
    source: 'health',
    afterMs: 5 * SECOND,
    overMs: 20 * SECOND,
    look: healthSays(({ storage }) => when(storage.readOnly, 'the storage is read-only')),
  },
  'storage-wear': {
    severity: 'minor',
    about: '80 % of the life that the maker promises for the storage is used',
    cure: 'order a replacement',
    source: 'health',
    afterMs: 0,
    overMs: 0,
    look: wear(80),
  },
  'storage-worn': {
    severity: 'major',
    about: '95 % of that life is used',
    cure: 'replace the storage, one box at a time',
    source: 'health',
    afterMs: 0,
    overMs: 0,
    look: wear(95),
  },
  'load-high': {
    severity: 'minor',
    about: 'for a minute twice as much waited for the processors as there are',
    cure: 'what else runs here? `show system`',
    source: 'health',
    afterMs: MINUTE,
    overMs: MINUTE,
    look: healthSays(({ load1, processors, uptimeS }, was) => {
      const load = load1 / Math.max(1, processors);
      return when(
        // a start is in the mean of the last minute for some minutes
        uptimeS * SECOND >= 5 * MINUTE && beyond(load, 2, 1.5, was),
        `load ${load1.toFixed(2)} on ${processors} processors`,
      );
    }),
  },
  'clock-unsynchronised': {
    severity: 'warning',
    about: 'the clock follows no time server: times in records and logs drift',
    cure: '`set system ntp`; `ping` the server: does it answer?',
    source: 'health',
    afterMs: 5 * MINUTE,
    overMs: 0,
    look: healthSays(({ clock }, _was, { phase }) =>
      // before first boot nobody has said which server
      when(!clock.synchronised && phase !== 'unconfigured', 'the clock follows no time server'),
    ),
  },
  'certificate-expires': {
    severity: 'warning',
    about: 'the certificate of SIP over TLS ends within 30 days',
    cure: 'order a new one; `request file install` brings it into use without a restart',
    source: 'health',
    afterMs: 0,
    overMs: 0,
    look: certificate(7, 30),
  },
  'certificate-soon': {
    severity: 'major',
    about: 'it ends within 7 days',
    cure: 'replace it now',
    source: 'health',
    afterMs: 0,
    overMs: 0,
    look: certificate(0, 7),
  },
  'certificate-expired': {
    severity: 'critical',
    about: 'it has ended: phones that look at it do not connect',
    cure: 'replace it',
    source: 'health',
    afterMs: 0,
    overMs: 0,
    look: certificate(Number.NEGATIVE_INFINITY, 0),
  },
  'certificate-unusable': {
    severity: 'critical',
    about: 'a certificate or key of SIP over TLS, or a file of who signs them, cannot be used',
    cure: '`request file install` the right ones; `show files` has what is there',
    source: 'health',
    afterMs: 5 * SECOND,
    overMs: 0,
    look: certificateFault,
  },
} as const satisfies { readonly [code: string]: BoxAlarm };

export type BoxAlarmCode = keyof typeof BOX_ALARMS;

/** A trunk may be called as a limit is. */
export function capacityOf({
  code,
  subject,
}: Pick<AlarmRecord, 'code' | 'subject'>): (typeof CAPACITIES)[number] | undefined {
  const is = code === 'capacity' || code === 'capacity-full';
  return is ? CAPACITIES.find((row) => row.what === (subject as Capacity)) : undefined;
}
