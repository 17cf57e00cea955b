/**
 * The live view of `./build.sh up`, as lines of text: 80 columns, 24 rows, colours by the terminal's
 * own sixteen. Pure: what it shows is its argument.
 */

import type { BoxName } from './places.ts';

export type BoxPanel = {
  readonly role: string;
  readonly epoch: number | null;
  readonly lsn: number | null;
  readonly inStep: boolean;
  readonly calls: number | null;
  readonly held: number | null;
  readonly registrations: number | null;
  readonly gate: string;
  readonly pid: number | null;
  readonly cause: string;
};

export type Screen = {
  readonly name: string;
  readonly redundancy: string;
  readonly vip: string;
  readonly seconds: number;
  readonly boxes: Readonly<Record<BoxName, BoxPanel>>;
  readonly primary: BoxName | null;
  readonly crossover: boolean;
  readonly calls: {
    readonly phones: number;
    readonly registered: number;
    readonly attempts: number;
    readonly up: number;
    readonly ended: number;
    readonly survived: number;
    readonly lost: number;
    readonly failed: number;
  };
  readonly silentMs: number;
  /** Outage of every switchover so far, ms. */
  readonly outages: readonly number[];
  readonly lastSwitchover: string;
  readonly events: readonly string[];
  /** What will happen by itself. */
  readonly next: string;
};

export const COLUMNS = 80;
export const ROWS = 24;
const INNER = 33;
const EVENTS = 6;

type Colour = 'bold' | 'dim' | 'red' | 'green' | 'amber' | 'plain';
const CODES: Readonly<Record<Colour, string>> = {
  bold: '1',
  dim: '2',
  red: '1;31',
  green: '32',
  amber: '33',
  plain: '0',
};

/** Text of a fixed width, then its colour: a colour has no width. */
function cell(text: string, width: number, colour: Colour = 'plain'): string {
  const fitted = [...text].slice(0, width).join('');
  const padded = fitted + ' '.repeat(Math.max(0, width - [...fitted].length));
  return colour === 'plain' ? padded : `\x1b[${CODES[colour]}m${padded}\x1b[0m`;
}

function number(value: number | null): string {
  return value === null ? '-' : String(value);
}

function roleColour(role: string): Colour {
  if (role === 'primary') return 'green';
  return role === 'backup' ? 'plain' : role === 'starting' ? 'amber' : 'red';
}

/** One box, seven lines of INNER + 2 columns. */
function boxLines(box: BoxName, panel: BoxPanel): string[] {
  const rows: readonly (readonly [string, Colour])[] = [
    [
      ` ${panel.role.toUpperCase()}${panel.cause === '' ? '' : `  (${panel.cause})`}`,
      roleColour(panel.role),
    ],
    [` epoch ${number(panel.epoch)}   position ${number(panel.lsn)}`, 'plain'],
    [panel.inStep ? ' in step' : ' NOT in step', panel.inStep ? 'green' : 'amber'],
    [` calls ${number(panel.calls)}   registrations ${number(panel.registrations)}`, 'plain'],
    [` held ${number(panel.held)}   gate ${panel.gate}`, 'plain'],
  ];
  const title = ` box ${box} ${panel.pid === null ? '' : `· process ${panel.pid} `}`;
  return [
    `┌─${title}${'─'.repeat(INNER - 1 - [...title].length)}┐`,
    ...rows.map(([text, colour]) => `│${cell(text, INNER, colour)}│`),
    `└${'─'.repeat(INNER)}┘`,
  ];
}

/** The pair: LAN above, crossover between. */
function picture(screen: Screen): string[] {
  const { primary, calls } = screen;
  const drop = (box: BoxName) =>
    primary === box ? `│ VIP ${screen.vip}` : screen.boxes[box].pid === null ? '╵' : '│';
  const a = boxLines('a', screen.boxes.a);
  const b = boxLines('b', screen.boxes.b);
  const wire = screen.crossover ? '════════' : '══ cut ═';
  const gap = (row: number) =>
    row === 3
      ? cell(wire, 8, screen.crossover ? 'plain' : 'red')
      : cell(row === 2 ? ' cable x' : '', 8, 'dim');
  const phones = ` LAN · ${calls.registered} of ${calls.phones} phones registered `;
  return [
    ` ═╤${`═════${phones}`.slice(0, 42).padEnd(42, '═')}╤${'═'.repeat(33)}`,
    `  ${cell(drop('a'), INNER + 2 + 8)}${cell(drop('b'), 34)}`,
    ...a.map((line, row) => ` ${line}${gap(row)}${b[row]}`),
  ];
}

function outageLine(screen: Screen): string {
  const sorted = [...screen.outages].sort((x, y) => x - y);
  if (sorted.length === 0) return ' no switchover yet';
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  const most = sorted.at(-1) ?? 0;
  return ` switchovers ${sorted.length}: outage median ${median} ms, max ${most} ms`;
}

/** Exactly ROWS - 1 lines of at most COLUMNS - 1 columns: nothing ever scrolls. */
export function render(screen: Screen): string[] {
  const { calls } = screen;
  const clock = `${Math.floor(screen.seconds / 60)}:${String(screen.seconds % 60).padStart(2, '0')}`;
  const silent = screen.silentMs > 100;
  const events = screen.events.slice(-EVENTS);
  return [
    cell(` sipair  ${screen.name}  ${screen.redundancy}   ${clock}   ${screen.next}`, 79, 'bold'),
    cell('', 79),
    ...picture(screen),
    cell('', 79),
    [
      cell(` calls made ${calls.attempts}`, 19),
      cell(`up now ${calls.up}`, 13),
      cell(`ended well ${calls.ended}`, 18),
      cell(`SURVIVED ${calls.survived}`, 15, 'green'),
      cell(
        `lost ${calls.lost + calls.failed}`,
        14,
        calls.lost + calls.failed > 0 ? 'red' : 'plain',
      ),
    ].join(''),
    [
      cell(outageLine(screen), 55),
      cell(
        silent ? `VIP silent ${screen.silentMs} ms` : 'VIP answers',
        24,
        silent ? 'red' : 'green',
      ),
    ].join(''),
    cell(` ${screen.lastSwitchover}`, 79, 'dim'),
    cell('', 79),
    ...Array.from({ length: EVENTS }, (_, i) => cell(` ${events[i] ?? ''}`, 79)),
    cell(
      ' k kill primary  p planned switchover  x cable x  o power of primary  q quit',
      79,
      'bold',
    ),
  ];
}
