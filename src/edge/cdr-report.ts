/** `sipair cdr`: the calls in a box's files, as they are or as CSV (RFC 4180). */

import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cdrFiles } from './cdr-file.ts';

type Line = { readonly [name: string]: unknown };
type Device = { readonly device: string };

const COLUMNS: readonly (readonly [string, (l: Line) => unknown])[] = [
  ...['guid', 'kind', 'calling', 'called', 'start', 'answer', 'end', 'cause'].map(
    (name) => [name, (l: Line) => l[name]] as const,
  ),
  ['seconds', (l) => seconds(l)],
  ['devices', (l) => (l['devices'] as readonly Device[]).map((d) => d.device).join(' ')],
  ['passed', (l) => listed(l['passed'])],
  ['userData', (l) => listed(l['userData'])],
];

function listed(value: unknown): string {
  const empty = value === undefined || (Array.isArray(value) && value.length === 0);
  return empty ? '' : JSON.stringify(value);
}

/** How long they talked. */
function seconds(l: Line): number {
  if (typeof l['answer'] !== 'string') return 0;
  return Math.round((Date.parse(String(l['end'])) - Date.parse(l['answer'])) / 1000);
}

/**
 * What a spreadsheet would run as a formula, from whoever calls. A number with a sign is none: +49 30 1234
 * is how numbers of calls begin.
 */
const FORMULA = /^(?:[=@\t\r\n]|[+-](?![\d.() -]*$))/;

/**
 * RFC 4180 2: a field with a quote, a comma or a line end stands in quotes, a quote in it twice. One that
 * a spreadsheet would take for a formula has a ' before it, which makes it a text there.
 */
export function csvField(value: unknown): string {
  const said = value === null || value === undefined ? '' : String(value);
  const text = FORMULA.test(said) ? `'${said}` : said;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvRow(fields: readonly unknown[]): string {
  return `${fields.map(csvField).join(',')}\r\n`;
}

export function csvHeader(): string {
  return csvRow(COLUMNS.map(([name]) => name));
}

export function csvLine(l: Line): string {
  return csvRow(COLUMNS.map(([, of]) => of(l)));
}

/**
 * Writes what is in `folder` to `write`, oldest first. @param since only calls that ended then or
 * later, ISO 8601 (UTC). @returns how many lines could not be read.
 */
export async function reportCdrs(
  folder: string,
  options: { readonly csv: boolean; readonly since: string },
  write: (text: string) => Promise<void> | void,
): Promise<number> {
  const { csv, since } = options;
  let bad = 0;
  const from = since === '' ? '' : new Date(since).toISOString();
  if (csv) await write(csvHeader());
  for (const name of cdrFiles(folder)) {
    if (name.slice(0, 10) < from.slice(0, 10)) continue;
    const input = createReadStream(join(folder, name), 'latin1');
    for await (const text of createInterface({ input })) {
      let line: Line;
      try {
        line = JSON.parse(text) as Line;
      } catch {
        // a line that is being written just now, or that a crash cut off
        bad += 1;
        continue;
      }
      if (String(line['end']) < from) continue;
      await write(csv ? csvLine(line) : `${text}\n`);
    }
  }
  return bad;
}
