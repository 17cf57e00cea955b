/**
 * The pictures of the manual, printed from the tables the program obeys, so that they cannot lie.
 * `./build.sh docs` writes them between the markers of the documents; a test compares.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CALL_MACHINE } from '../../src/call/call.ts';
import { CALL_TABLES } from '../../src/call/switch.ts';
import { TRANSFER_MACHINE } from '../../src/call/transfer-machine.ts';
import { openRpcText } from '../../src/cti/document.ts';
import { RELEASE } from '../../src/edge/config.ts';
import { ALARMS } from '../../src/pair/alarms.ts';
import { RANKS, RULES } from '../../src/pair/cold-start.ts';
import { GATE_TABLE } from '../../src/pair/gate.ts';
import { STEPS } from '../../src/pair/takeover.ts';
import {
  INVITE_CLIENT,
  INVITE_SERVER,
  OTHER_CLIENT,
  OTHER_SERVER,
} from '../../src/proto/sip/machines.ts';
import { TIMERS } from '../../src/proto/sip/timers.ts';
import { BOX_PICTURES, DRAWINGS } from './box-pictures.ts';
import { CLI_DOCUMENT, cliDocument } from './cli.ts';
import { CONFIG_PICTURES } from './config-pictures.ts';
import { CTI_PICTURES } from './cti-pictures.ts';
import { grid } from './grid.ts';
import { MONITORING_PICTURES } from './monitoring-pictures.ts';
import { PORTS_PICTURES } from './ports-pictures.ts';
import { TRANSCRIPTS, transcriptText } from './transcripts.ts';

/** The documents with pictures. */
export const DOCUMENTS = [
  'architecture.md',
  'integrating.md',
  'configuration.md',
  'monitoring.md',
  'leds.md',
  'alarms.md',
  'ports.md',
] as const;

function pathOf(document: string): string {
  return fileURLToPath(new URL(`../../docs/${document}`, import.meta.url));
}

type AnyMachine = {
  readonly [state: string]: {
    readonly [event: string]: { readonly to: string; readonly act: readonly string[] };
  };
};

/** state × event; a cell is "→ state: actions", empty when the event is absorbed. */
function machine(m: AnyMachine): string {
  const events = Object.keys(Object.values(m)[0] ?? {});
  const rows = Object.entries(m).map(([state, cells]) => [
    `**${state}**`,
    ...events.map((e) => {
      const cell = cells[e];
      if (cell === undefined || (cell.to === 'same' && cell.act.length === 0)) return '';
      const to = cell.to === 'same' ? '' : `→ ${cell.to}`;
      return [to, cell.act.join(', ')].filter((x) => x !== '').join(': ');
    }),
  ]);
  return grid(['', ...events], rows);
}

function gate(): string {
  const yes = (v: boolean | undefined): string => (v === undefined ? 'either' : v ? 'yes' : 'no');
  return grid(
    [
      'speaks',
      'warm standby',
      'peer in step',
      'alone is durable',
      'disk fails',
      'gate opens',
      'because',
    ],
    GATE_TABLE.map((r) => [
      yes(r.speaking),
      yes(r.warm),
      yes(r.peerInStep),
      yes(r.aloneIsDurable),
      yes(r.diskFails),
      { shut: 'never', peer: "at the peer's ack", disk: 'at own sync', open: 'at once' }[r.gate],
      r.because,
    ]),
  );
}

function tables(): string {
  return grid(
    ['table', 'what', 'columns'],
    CALL_TABLES.map((t) => [`\`${t.name}\``, t.about, `id, ${Object.keys(t.fields).join(', ')}`]),
  );
}

const PICTURES: { readonly [name: string]: () => string } = {
  ...CTI_PICTURES,
  ...CONFIG_PICTURES,
  ...MONITORING_PICTURES,
  ...PORTS_PICTURES,
  ...BOX_PICTURES,
  gate,
  takeover: () =>
    grid(
      Object.keys(STEPS[0] ?? {}),
      STEPS.map((s) => Object.values(s).map(String)),
    ),
  tables,
  ranks: () =>
    grid(
      ['of two boxes, first', 'because'],
      RANKS.map((r) => [r.name, r.why]),
    ),
  'cold-start': () =>
    grid(
      ['what is known', 'then'],
      RULES.map((r) => [r.why, r.decision]),
    ),
  alarms: () =>
    grid(
      ['alarm', 'severity', 'meaning', 'do'],
      Object.entries(ALARMS).map(([code, [severity, about, cure]]) => [
        `\`${code}\``,
        severity,
        about,
        cure,
      ]),
    ),
  timers: () =>
    grid(
      ['timer', ...Object.keys(TIMERS.A).filter((k) => typeof TIMERS.A[k as never] === 'string')],
      Object.entries(TIMERS).map(([name, facts]) => [
        name,
        ...Object.values(facts).filter((v): v is string => typeof v === 'string'),
      ]),
    ),
  call: () => machine(CALL_MACHINE as unknown as AnyMachine),
  transfer: () => machine(TRANSFER_MACHINE as unknown as AnyMachine),
  'invite-server': () => machine(INVITE_SERVER as unknown as AnyMachine),
  'invite-client': () => machine(INVITE_CLIENT as unknown as AnyMachine),
  'other-server': () => machine(OTHER_SERVER as unknown as AnyMachine),
  'other-client': () => machine(OTHER_CLIENT as unknown as AnyMachine),
};

/** The document with every picture printed anew. */
export function withPictures(text: string): string {
  return text.replace(/<!-- picture: ([a-z-]+) -->[\s\S]*?<!-- end -->/g, (whole, name: string) => {
    const draw = PICTURES[name];
    return draw === undefined ? whole : `<!-- picture: ${name} -->\n\n${draw()}\n\n<!-- end -->`;
  });
}

export function readDocument(document: string): string {
  return readFileSync(pathOf(document), 'utf8');
}

/** The services for programs, for machines: `docs/cti.openrpc.json`, as the boxes serve it. */
export const RPC_DOCUMENT = 'cti.openrpc.json';

export function rpcDocument(): string {
  return openRpcText(RELEASE);
}

/** Documents that are written as a whole: name below docs/ → text. */
export const WHOLE_DOCUMENTS: { readonly [document: string]: () => string } = {
  [CLI_DOCUMENT]: cliDocument,
  ...Object.fromEntries(TRANSCRIPTS.map((t) => [`transcripts/${t.file}`, () => transcriptText(t)])),
};

export const PICTURE_NAMES: readonly string[] = Object.keys(PICTURES);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const document of DOCUMENTS) {
    writeFileSync(pathOf(document), withPictures(readDocument(document)));
    process.stdout.write(`docs/${document}: pictures printed from the tables\n`);
  }
  mkdirSync(pathOf('transcripts'), { recursive: true });
  for (const [document, text] of Object.entries(WHOLE_DOCUMENTS)) {
    writeFileSync(pathOf(document), text());
    process.stdout.write(`docs/${document}: written from the console\n`);
  }
  mkdirSync(pathOf('leds'), { recursive: true });
  for (const { file, draw } of DRAWINGS) writeFileSync(pathOf(file), draw());
  process.stdout.write(`docs/leds/: ${DRAWINGS.length} drawings of the front\n`);
  writeFileSync(pathOf(RPC_DOCUMENT), rpcDocument());
  process.stdout.write(`docs/${RPC_DOCUMENT}: written from the services\n`);
}
