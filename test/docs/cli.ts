/** docs/cli.md: every command of the console, printed from its grammar. */

import { CONFIGURATION, OPERATIONAL, PIPES } from '../../src/panel/console/grammar.ts';
import type { GrammarNode } from '../../src/panel/console/node.ts';
import { grid } from './grid.ts';

export const CLI_DOCUMENT = 'cli.md';

type Row = readonly [command: string, what: string];

function nameOf(n: GrammarNode): string {
  return n.kind === 'word' ? n.word : `<${n.name}>`;
}

function rangeOf(n: GrammarNode): string {
  if (n.kind !== 'argument' || n.min === undefined) return '';
  return n.max === undefined ? ` (from ${n.min})` : ` (${n.min} to ${n.max})`;
}

/** A line for every command that is complete there. */
function rowsOf(nodes: readonly GrammarNode[], before: string, about = ''): Row[] {
  return nodes.flatMap((n) => {
    const command = `${before}${nameOf(n)}`;
    const what = n.kind === 'word' ? n.help : `${about}; ${n.name}: ${n.help}${rangeOf(n)}`;
    const own: Row[] = n.run === undefined ? [] : [[`\`${command}\``, what]];
    const next = n.kind === 'word' || n.kind === 'argument' ? (n.next ?? []) : [];
    return [...own, ...rowsOf(next, `${command} `, n.kind === 'word' ? n.help : about)];
  });
}

/** One section a first word that has several commands; the others together. */
function tables(roots: readonly GrammarNode[]): string {
  const single: Row[] = [];
  const parts: string[] = [];
  for (const n of roots) {
    const rows = rowsOf([n], '');
    if (rows.length < 5) single.push(...rows);
    else parts.push(`### ${nameOf(n)}: ${n.help}\n\n${grid(['command', 'what'], rows)}`);
  }
  return [...parts, `### The others\n\n${grid(['command', 'what'], single)}`].join('\n\n');
}

const HEAD = `# The command line

Every command of the console, printed from the table it obeys (\`./build.sh docs\`). The console is reached over the
serial line, 115200 8N1; any terminal will do, it is asked for nothing. Sessions as a person sees them are in
[transcripts](transcripts/).

Words may be shortened while they stay unambiguous (\`sh ha\`). \`?\` shows what could stand at the cursor, Tab completes.
A mistake is shown with a caret under its place, the reason with its code, and what could stand there. \`^C\` ends what runs,
\`^D\` on an empty line goes one level up or logs out. Who types nothing for 15 minutes (\`system console idleMin\`) is
logged out. Every command is logged without its secrets, in \`/data/log/console.log\` and in the journal: as it was typed where all
of it was understood, else its keywords, and \`***\` in place of the rest.

The prompt tells the name of the box, its role, whether the pair is in step, and how many alarms stand:
\`north-a (primary, in step)>\`; with \`#\` in configuration mode.

## Behind a command

`;

const EXPRESSIONS = `An expression is a text or has \`. [a-z] [^a-z] \\d \\w \\s \\b ^ $ ? * + {n,m} ( ) |\`,
capitals as small letters, at most 100 characters; there
are no references back and no looking ahead. \`\\\` takes the next character as it is, and quotes keep
spaces and \`|\` together (in them \`\\\` is typed twice).`;

const KEYS: readonly Row[] = [
  ['`←` `→`, `^B` `^F`', 'a character to the left, to the right'],
  ['`Home` `End`, `^A` `^E`', 'begin and end of the line'],
  ['`Esc b`, `Esc f`', 'a word to the left, to the right'],
  ['`Backspace`, `Delete`', 'the character before, under the cursor'],
  ['`^W`, `Esc d`, `^U`, `^K`', 'cut the word before, the word after, to the begin, to the end'],
  ['`^Y`', 'put back what was cut'],
  ['`↑` `↓`, `^P` `^N`', 'lines typed before'],
  ['`^R`', 'search in them; again: further back; `^G` gives up'],
  ['`^L`', 'draw the line anew, when noise has spoilt the screen'],
  ['`^V`', 'the next character as it is, a `?` for example'],
];

export function cliDocument(): string {
  const pipes = PIPES.map((p): Row => {
    const argument = p.argument === undefined ? '' : ` <${p.argument}>`;
    return [`\`\\| ${p.word}${argument}\``, p.help];
  });
  return [
    HEAD + grid(['behind a command', 'what'], pipes),
    EXPRESSIONS,
    'At `--More--`: space shows one screen more, Enter one line, `/` goes on at what is typed, `q` ends.',
    `## Keys\n\n${grid(['key', 'what'], KEYS)}`,
    `## Operational mode\n\n${tables(OPERATIONAL)}`,
    `## Configuration mode\n\n${tables(CONFIGURATION)}`,
    '`<path>` is a place of the configuration, as `sip port`; what may stand in it is shown by `set ?`.\n',
  ].join('\n\n');
}
