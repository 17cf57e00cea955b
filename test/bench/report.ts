/** The bench's table, and the line that compares. */

import type { Summary } from './measure.ts';

type Column = { readonly title: string; readonly cell: (s: Summary) => string };

const fixed = (value: number | undefined, digits: number): string =>
  value === undefined ? '-' : value.toFixed(digits);

const COLUMNS: readonly Column[] = [
  { title: 'rate', cell: (s) => String(s.rate) },
  { title: 'system', cell: (s) => s.system },
  { title: 'calls/s', cell: (s) => fixed(s.achievedCps, 0) },
  { title: 'fail %', cell: (s) => fixed(s.failPct, 2) },
  { title: 'p50 ms', cell: (s) => fixed(s.p50Ms, 2) },
  { title: 'p99 ms', cell: (s) => fixed(s.p99Ms, 2) },
  { title: 'primary us', cell: (s) => fixed(s.primaryUs, 0) },
  { title: 'user', cell: (s) => fixed(s.primaryUserUs, 0) },
  { title: 'system', cell: (s) => fixed(s.primarySystemUs, 0) },
  { title: 'later us', cell: (s) => fixed(s.laterUs, 0) },
  { title: 'backup us', cell: (s) => fixed(s.backupUs, 0) },
  { title: 'MB', cell: (s) => fixed(s.memoryMb, 0) },
  { title: 'MB backup', cell: (s) => fixed(s.backupMemoryMb, 0) },
  { title: 'resent', cell: (s) => String(s.repeats) },
  { title: 'late ms', cell: (s) => fixed(s.lateMs, 0) },
  { title: 'others %', cell: (s) => fixed(s.others * 100, 0) },
];

const LEGEND = `primary us, backup us  processor time a call of all the processes of that box
later us               what the primary spends on a run's calls after it, idle work taken off
MB                     proportional set size after a run; of Kamailio's pool what is in use
resent                 messages the phones had to send again
late ms                how late the generator itself was at worst: large means distrust the row
others %               share of the machine that neither the pair nor the generator used`;

/** The whole report as text. */
export function table(summaries: readonly Summary[]): string {
  const rows = [
    COLUMNS.map((c) => c.title),
    ...summaries.map((s) => COLUMNS.map((c) => c.cell(s))),
  ];
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((r) => r[i]?.length ?? 0)));
  const lines = rows.map((r) => r.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  '));
  return `${lines.join('\n')}\n\n${LEGEND}\n${delays(summaries)}${comparison(summaries)}${lapses(summaries)}${failures(summaries)}`;
}

/** RFC 6076: SRD INVITE to 180, SDD BYE to its 200. */
function delays(summaries: readonly Summary[]): string {
  const lines = summaries.flatMap((s) =>
    s.delays.map(
      ([name, p50, p99]) =>
        `\n${s.system} at ${s.rate} calls/s: ${name} p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`,
    ),
  );
  return lines.length === 0 ? '' : `${lines.join('')}\n`;
}

function comparison(summaries: readonly Summary[]): string {
  let text = '';
  for (const ours of summaries.filter((s) => s.system === 'sipair')) {
    const peer = summaries.find((s) => s.system === 'kamailio' && s.rate === ours.rate);
    if (peer === undefined) continue;
    const ratio = (ours.primaryUs / peer.primaryUs).toFixed(2);
    text += `\nat ${ours.rate} calls/s sipair's primary costs ${ratio} x Kamailio's`;
    if (ours.backupUs !== undefined && peer.backupUs !== undefined) {
      text += `, its backup ${(ours.backupUs / peer.backupUs).toFixed(2)} x`;
    }
  }
  return text === '' ? '' : `${text}\n`;
}

function lapses(summaries: readonly Summary[]): string {
  return summaries
    .filter((s) => s.lapses > 0)
    .map((s) => `\n${s.system} at ${s.rate} calls/s went on without its backup ${s.lapses} times`)
    .join('');
}

function failures(summaries: readonly Summary[]): string {
  const bad = summaries.filter((s) => s.failPct > 0);
  const words = (s: Summary) =>
    Object.entries(s.failedWith)
      .map(([cause, n]) => `${n} x ${cause}`)
      .join(', ');
  return bad.map((s) => `\n${s.system} at ${s.rate} calls/s failed: ${words(s)}`).join('');
}
