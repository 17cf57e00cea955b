/** `show alarms`, `history`, `system`, `leds`, `version`, `image`: the box itself. */

import { inWords, type LedName, plainInWords, plainOf } from '../leds.ts';
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
  const from = `[${alarm.source}, epoch ${alarm.epoch}]`;
  const text = [when, clean(`${alarm.text} ${from}`)].flatMap((t) => wrap(t, cx.width - 10));
  return [cut(clean(head), cx.width), ...text.map((line) => `          ${line}`)];
}

export function showAlarms(s: BoxStatus, cx: ShowContext): string[] {
  if (s.alarms.length === 0) return [cut('no alarms', cx.width)];
  const last = cut(count(s.alarms.length, 'alarm active', 'alarms active'), cx.width);
  return [...s.alarms.flatMap((alarm) => alarmLines(alarm, cx)), last];
}

/** The newest first: that is what is looked for. */
export function showHistory({ history }: Pick<BoxStatus, 'history'>, cx: ShowContext): string[] {
  if (history.length === 0) return [cut('no alarm was raised and cleared yet', cx.width)];
  return [...history].reverse().flatMap((alarm) => alarmLines(alarm, cx));
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
  const medium = storage.medium === undefined ? '' : ` (${storage.medium})`;
  const on = storage.device === undefined ? '' : ` on ${storage.device}${medium}`;
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
/** Where the lamp of this board cannot show just that: what a person sees instead. */
function onThisBoard({ leds, lamps }: BoxStatus, name: LedName): string {
  if (lamps?.without.includes(name) === true) return 'this board has no such lamp';
  if (lamps?.plain.includes(name) !== true) return '';
  return `here: ${plainInWords(plainOf(name, leds[name]))}`;
}

/** The front of the box, and what each lamp does. */
export function showLeds(s: BoxStatus, cx: ShowContext): string[] {
  const names = ['power', 'status', 'ha', 'alarm'] as const;
  const faces = names.map((name) => `(${SIGNS[s.leds[name].colour]}) ${LABELS[name]}`).join('  ');
  const rim = `+${'-'.repeat(faces.length + 2)}+`;
  const picture = [rim, `| ${faces} |`, rim].map((line) => cut(line, cx.width));
  const words = names.map((name): Pair => {
    const here = onThisBoard(s, name);
    return [LABELS[name], `${inWords(s.leds[name])}${here === '' ? '' : ` (${here})`}`];
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

/** Slots and the upgrade under way or done last, as far as the answer says them. */
export type ImageAnswer = {
  readonly slots?: readonly {
    readonly slot: string;
    readonly booted?: boolean;
    readonly state?: string;
    readonly tries?: number;
    readonly version?: string;
  }[];
  readonly upgrade?: {
    readonly job?: { readonly kind?: string; readonly version?: string };
    readonly phase?: string;
    readonly reason?: string;
    readonly steps?: readonly {
      readonly at: number;
      readonly phase: string;
      readonly text: string;
    }[];
  };
};

export function showImage(a: ImageAnswer, cx: ShowContext): string[] {
  const slots = table(
    a.slots ?? [],
    [
      { head: 'slot', value: (r) => r.slot },
      { head: 'running', value: (r) => yes(r.booted === true) },
      { head: 'state', value: (r) => r.state ?? '-' },
      { head: 'starts', value: (r) => String(r.tries ?? '-'), right: true, drop: 1 },
      { head: 'version', value: (r) => r.version || '-', least: 8 },
    ],
    cx,
    'this box has no slots',
  );
  const { job, phase, reason, steps } = a.upgrade ?? {};
  if (phase === undefined) return [...slots, cut('no upgrade under way', cx.width)];
  const what = job?.kind === 'switch' ? 'change of slot' : `upgrade to ${job?.version ?? '?'}`;
  const why = reason === undefined || reason === '' ? '' : `: ${reason}`;
  const said = (steps ?? []).flatMap((step) =>
    wrap(clean(`${utc(step.at)} ${step.phase}: ${step.text}`), cx.width - 2).map((l) => `  ${l}`),
  );
  return [...slots, ...wrap(clean(`${what}: ${phase}${why}`), cx.width), ...said];
}
