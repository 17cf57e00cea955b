/** Tables of docs/monitoring.md, printed from what is served. */

import { SIPAIR_GROUPS } from '../../src/panel/mib/sipair.ts';
import { SIPAIR_TRAPS } from '../../src/panel/mib/sipair-told.ts';
import { LEFT_OUT, SERVED } from '../../src/panel/mib/standard.ts';
import { isSent } from '../../src/panel/mib/terms.ts';
import { FAMILIES } from '../../src/panel/telemetry/metrics.ts';
import { grid } from './grid.ts';

function unitsOf({ units }: { readonly units?: string }): string {
  return units === undefined ? '' : ` (${units})`;
}

function objects(): string {
  const rows = SIPAIR_GROUPS.flatMap((g) => [
    ...g.scalars
      .filter((s) => !isSent(s))
      .map((s) => [`\`${s.name}\``, `1.${g.number}.${s.number}.0`, `${s.help}${unitsOf(s)}`]),
    ...g.tables.flatMap((t) => [
      [`**\`${t.name}\`**`, `1.${g.number}.${t.number}`, `by \`${t.index.name}\`: ${t.help}`],
      ...t.columns.map((c) => [
        `\`${c.name}\``,
        `1.${g.number}.${t.number}.1.${c.number}`,
        `${c.help}${unitsOf(c)}`,
      ]),
    ]),
  ]);
  return grid(['object', 'below 1.3.6.1.4.1.32473.1', 'meaning'], rows);
}

export const MONITORING_PICTURES: { readonly [name: string]: () => string } = {
  'mib-objects': objects,
  'mib-notifications': () =>
    grid(
      ['notification', 'below 1.3.6.1.4.1.32473.1', 'when', 'carries, besides box and name'],
      SIPAIR_TRAPS.map((n) => [
        `\`${n.name}\``,
        `0.${n.number}`,
        n.help,
        n.objects
          .slice(2)
          .map((o) => `\`${o}\``)
          .join(', '),
      ]),
    ),
  'mib-standard': () =>
    grid(
      ['module', 'at', 'served'],
      SERVED.map((row) => [...row]),
    ),
  'mib-left-out': () => LEFT_OUT.map((line) => `- ${line}`).join('\n'),
  metrics: () =>
    grid(
      ['family', 'type', 'meaning'],
      FAMILIES.map((f) => [`\`${f.name}\``, f.type, f.help]),
    ),
};
