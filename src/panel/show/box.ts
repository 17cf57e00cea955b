/** `show alarms`, `history`, `system`, `leds`, `version`, `image`: the box itself. */

import type { AlarmRecord, BoxStatus, Health } from '../monitor/box-status.ts';
import {
  bytes,
  clean,
  clockOf,
  count,
  cut,
  left,
  type Pair,
  pairs,
  type ShowContext,
  table,
  utc,
  wrap,
  yes,
} from './kit.ts';

/** Two lines an alarm: what it is, and since when; the text may be long. */
function alarmLines(alarm: AlarmRecord, cx: ShowContext): string[] {
  const subject = alarm.subject === '' ? '' : ` ${alarm.subject}`;
  const head = `${alarm.severity.padEnd(8)}  ${alarm.code}${subject}`;
  const lasted = clockOf(((alarm.clearedAt ?? cx.now) - alarm.raisedAt) / 1000);
  const when =
    alarm.clearedAt === undefined
      ? `since ${utc(alarm.raisedAt)} (${lasted})`
      : `${utc(alarm.raisedAt)}, lasted ${lasted}`;
  const text = wrap(clean(`${alarm.text} [${alarm.source}, epoch ${alarm.epoch}]`), cx.width - 10);
  return [
    cut(clean(head), cx.width),
    cut(`          ${when}`, cx.width),
    ...text.map((line) => `          ${line}`),
  ];
}

export function showAlarms(s: BoxStatus, cx: ShowContext): string[] {
  if (s.alarms.length === 0) return [cut('no alarms', cx.width)];
  const last = cut(count(s.alarms.length, 'alarm active', 'alarms active'), cx.width);
  return [...s.alarms.flatMap((alarm) => alarmLines(alarm, cx)), last];
}

/** The newest first: that is what is looked for. */
export function showHistory(s: BoxStatus, cx: ShowContext): string[] {
  if (s.history.length === 0) return [cut('no alarm was raised and cleared yet', cx.width)];
  return [...s.history].reverse().flatMap((alarm) => alarmLines(alarm, cx));
}

export function showSystem(s: BoxStatus, cx: ShowContext): string[] {
  const h = s.health;
  const { totalBytes, availableBytes } = h.memory;
  const all: Pair[] = [
    ['name', s.name],
    ['box', s.box ?? 'not set up yet'],
    ['state', s.phase],
    ['release', s.daemon?.release ?? s.release],
    ['time', `${utc(s.at)} UTC`],
    ['clock', clockLine(h)],
    ['up', clockOf(h.uptimeS)],
    ['load', `${h.load1.toFixed(2)} on ${count(h.processors, 'processor')}`],
    ['memory', `${bytes(availableBytes)} free of ${bytes(totalBytes)}${used(h.memory)}`],
    ['storage', storageLine(h)],
    ['written', `${bytes(h.storage.writtenBytes)} since the start${wear(h)}`],
    ['temperature', h.temperatureC === undefined ? 'no sensor' : `${h.temperatureC} C`],
    ['certificate', certificateLine(h, cx.now)],
  ];
  if (s.daemon !== undefined) all.push(['service up', clockOf(s.daemon.upMs / 1000)]);
  if (s.system?.revision !== undefined) all.push(['configuration', revisionLine(s, cx.now)]);
  return pairs(all, cx);
}

function used({ totalBytes, availableBytes }: Health['memory']): string {
  return totalBytes === 0
    ? ''
    : ` (${Math.round((100 * (totalBytes - availableBytes)) / totalBytes)}% used)`;
}

function clockLine({ clock }: Health): string {
  if (!clock.synchronised) return 'NOT synchronised';
  const off = clock.offsetMs === undefined ? '' : `, off by ${clock.offsetMs.toFixed(1)} ms`;
  return `synchronised by ${clock.source}${off}`;
}

function storageLine({ storage }: Health): string {
  const only = storage.readOnly ? ', READ ONLY' : '';
  const on = storage.device === undefined ? '' : ` on ${storage.device}`;
  return `${bytes(storage.freeBytes)} free of ${bytes(storage.totalBytes)}${on}${only}`;
}

function wear({ storage }: Health): string {
  return storage.wearPercent === undefined ? '' : `, ${storage.wearPercent}% worn`;
}

function certificateLine({ certificate }: Health, now: number): string {
  if (certificate.fault !== undefined) return `UNUSABLE: ${certificate.fault}`;
  if (certificate.notAfter === undefined) return 'none';
  const days = Math.floor((certificate.notAfter - now) / 86_400_000);
  return days < 0 ? `EXPIRED ${utc(certificate.notAfter)}` : `good for ${count(days, 'day')}`;
}

function revisionLine(s: BoxStatus, now: number): string {
  const r = s.system?.revision;
  if (r === undefined) return '-';
  const by = r.by === undefined ? '' : ` by ${r.by}`;
  const back = r.confirmBy === undefined ? '' : `, REVERTS in ${left(r.confirmBy, now)}`;
  return `revision ${r.number}${by}${back}`;
}

const LABELS = { power: 'PWR', status: 'STATUS', ha: 'HA', alarm: 'ALARM' } as const;
const SIGNS = { off: ' ', green: 'G', amber: 'A', red: 'R' } as const;
const BLINKS = {
  steady: '',
  '1hz': ', blinks once a second',
  '2hz': ', blinks twice a second',
  '4hz': ', blinks four times a second',
  double: ', two flashes and a pause',
} as const;

/** The front of the box, and what each lamp does. */
export function showLeds(s: BoxStatus, cx: ShowContext): string[] {
  const names = ['power', 'status', 'ha', 'alarm'] as const;
  const faces = names.map((name) => `(${SIGNS[s.leds[name].colour]}) ${LABELS[name]}`).join('  ');
  const rim = `+${'-'.repeat(faces.length + 2)}+`;
  const picture = [rim, `| ${faces} |`, rim].map((line) => cut(line, cx.width));
  const words = names.map((name): Pair => {
    const { colour, blink } = s.leds[name];
    return [LABELS[name], colour === 'off' ? 'off' : `${colour}${BLINKS[blink]}`];
  });
  const locate = s.locate === undefined ? [] : [`locate: for ${left(s.locate.until, cx.now)} more`];
  return [...picture, ...pairs(words, cx), ...locate];
}

export function showVersion(s: BoxStatus, cx: ShowContext): string[] {
  const image = s.system?.image;
  const all: Pair[] = [
    ['sipair', s.daemon?.release ?? s.release],
    ['monitor', s.release],
    ['peer', s.daemon?.peerRelease || s.system?.peer?.release || 'unknown'],
    ['slot', image?.slot ?? '-'],
  ];
  if (image?.confirmed !== undefined) all.push(['confirmed', yes(image.confirmed)]);
  return pairs(all, cx);
}

/** Slots and the upgrade under way, as far as the answer says them. */
export type ImageAnswer = {
  readonly slots?: readonly {
    readonly name: string;
    readonly booted?: boolean;
    readonly state?: string;
    readonly release?: string;
    readonly installedAt?: number;
  }[];
  readonly upgrade?: { readonly step?: string; readonly text?: string; readonly failed?: string };
};

export function showImage(a: ImageAnswer, cx: ShowContext): string[] {
  const lines = table(
    a.slots ?? [],
    [
      { head: 'slot', value: (r) => r.name },
      { head: 'booted', value: (r) => (r.booted === true ? 'yes' : '') },
      { head: 'state', value: (r) => r.state ?? '-' },
      { head: 'release', value: (r) => r.release ?? '-', least: 8 },
      {
        head: 'installed',
        value: (r) => (r.installedAt === undefined ? '-' : utc(r.installedAt)),
        drop: 1,
      },
    ],
    cx,
    'this box has no slots',
  );
  const { step, text, failed } = a.upgrade ?? {};
  const upgrade: Pair[] = [['upgrade', step === undefined || step === '' ? 'none' : step]];
  if (text !== undefined && text !== '') upgrade.push(['', text]);
  if (failed !== undefined && failed !== '') upgrade.push(['failed', failed]);
  return [...lines, ...pairs(upgrade, cx)];
}
