/** Runs SIPp on the host `lan` of a lab with a scenario of `sipp/`, named by what it does. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../lab/lab.ts';
import { SIP_PORT, VIP } from '../lab/places.ts';
import { scenarioText } from './sipp-words.ts';

export type SippRun = {
  readonly scenario: string;
  /** Address of the phone on the LAN. */
  readonly local: string;
  /** The number it calls, or has. */
  readonly number: number;
  readonly calls?: number;
  readonly rate?: number;
  /** What stands for {{status}} and {{pause}} (ms) in the scenario (`sipp-words.ts`). */
  readonly status?: number;
  readonly pause?: number;
  /** Percentage of messages lost, both ways. */
  readonly lost?: number;
  readonly keys?: Readonly<Record<string, string>>;
};

export type SippEnd = { readonly code: number; readonly words: string };

let runs = 0;

/** To the end: code 0 when every call went as the scenario says; `words` tells why not. */
export function sipp(lab: Lab, run: SippRun): Promise<SippEnd> {
  const dir = join(lab.places.dir, `sipp-${++runs}-${run.scenario}`);
  mkdirSync(dir);
  const text = readFileSync(join(import.meta.dirname, 'sipp', `${run.scenario}.xml`), 'utf8');
  const file = join(dir, 'scenario.xml');
  writeFileSync(file, scenarioText(text, { status: run.status ?? 0, pause: run.pause ?? 100 }));
  const keys = { caller: String(1900), ...run.keys };
  const args = [
    ...['sipp', `${VIP}:${SIP_PORT}`, '-sf', file, '-i', run.local, '-p', String(SIP_PORT)],
    ...['-s', String(run.number), '-m', String(run.calls ?? 1), '-r', String(run.rate ?? 10)],
    ...['-nostdin', '-trace_err', '-error_file', join(dir, 'errors'), '-timeout', '90s'],
    ...(run.lost === undefined ? [] : ['-lost', String(run.lost)]),
    ...Object.entries(keys).flatMap(([key, value]) => ['-key', key, value]),
  ];
  const child = lab.spawn('lan', args);
  let out = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes) => {
      out = (out + String(bytes)).slice(-4000);
    });
  }
  return new Promise((done) => {
    child.once('exit', (code) => {
      const errors = readdirSync(dir)
        .filter((name) => name.startsWith('errors'))
        .map((name) => readFileSync(join(dir, name), 'utf8').slice(0, 3000));
      done({ code: code ?? -1, words: [...errors, out].join('\n') });
    });
  });
}
