/** The text of SIPAIR-MIB, made from its data: what `mibs/SIPAIR-MIB.txt` is, and a test says so. */

import { PEN } from '../pen.ts';
import { SIPAIR_GROUPS } from './sipair.ts';
import { SIPAIR_TRAPS } from './sipair-told.ts';
import { type AnyTable, type Group, isSent, type NotificationSpec, type Syntax } from './terms.ts';

/** When it was changed last: to be said with every change of an object. */
const REVISION = '202611260000Z';

const SYNTAX: { readonly [name in Extract<Syntax, string>]: string } = {
  text: 'SipairText',
  truth: 'TruthValue',
  date: 'DateAndTime',
  gauge: 'Gauge32',
  unsigned: 'Unsigned32',
  integer: 'Integer32',
  counter64: 'Counter64',
  ticks: 'TimeTicks',
  id: 'Unsigned32 (1..4294967295)',
};

function syntaxText(syntax: Syntax): string {
  if (typeof syntax === 'string') return SYNTAX[syntax];
  const names = Object.entries(syntax.named).map(([name, n]) => `${name}(${n})`);
  return `INTEGER { ${names.join(', ')} }`;
}

/** In lines of at most 72 columns, `indent` deep. */
function folded(words: string, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of words.split(' ')) {
    if (line.length + word.length > 72 && line.trim() !== '') {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  lines.push(line.trimEnd());
  return lines.join('\n');
}

function described(help: string): string {
  return `    DESCRIPTION\n${folded(`"${help.replaceAll('"', "'")}"`, '        ')}`;
}

type Thing = {
  readonly name: string;
  readonly number: number;
  readonly syntax: Syntax;
  readonly units?: string;
  readonly help: string;
};

function objectText(o: Thing, access: string, parent: string): string {
  return [
    `${o.name} OBJECT-TYPE`,
    `    SYNTAX      ${folded(syntaxText(o.syntax), '                ').trimStart()}`,
    ...(o.units === undefined ? [] : [`    UNITS       "${o.units}"`]),
    `    MAX-ACCESS  ${access}`,
    '    STATUS      current',
    described(o.help),
    `    ::= { ${parent} ${o.number} }`,
    '',
  ].join('\n');
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function tableText(t: AnyTable, group: string): string {
  const stem = t.name.replace(/Table$/, '');
  const entry = `${stem}Entry`;
  const implied = t.index.syntax === 'text' ? 'IMPLIED ' : '';
  const fields = [t.index, ...t.columns].map((c) => {
    const plain = typeof c.syntax === 'string' ? SYNTAX[c.syntax] : 'INTEGER';
    return `    ${c.name} ${plain.replace(/ \(.*/, '')}`;
  });
  return [
    `${t.name} OBJECT-TYPE`,
    `    SYNTAX      SEQUENCE OF ${capital(entry)}`,
    '    MAX-ACCESS  not-accessible',
    '    STATUS      current',
    described(t.help),
    `    ::= { ${group} ${t.number} }`,
    '',
    `${entry} OBJECT-TYPE`,
    `    SYNTAX      ${capital(entry)}`,
    '    MAX-ACCESS  not-accessible',
    '    STATUS      current',
    described('One row.'),
    `    INDEX       { ${implied}${t.index.name} }`,
    `    ::= { ${t.name} 1 }`,
    '',
    `${capital(entry)} ::= SEQUENCE {`,
    fields.join(',\n'),
    '}',
    '',
    objectText(
      // SMIv2 7.7: what is an index by its characters has a length that fits a name
      t.index.syntax === 'text' ? { ...t.index, help: t.index.help } : t.index,
      'not-accessible',
      entry,
    ).replace('SYNTAX      SipairText\n', 'SYNTAX      SipairText (SIZE(1..64))\n'),
    ...t.columns.map((c) => objectText(c, 'read-only', entry)),
  ].join('\n');
}

function groupText(g: Group): string {
  return [
    `-- ${g.help}`,
    `${g.name} OBJECT IDENTIFIER ::= { sipairObjects ${g.number} }`,
    '',
    ...g.scalars.map((s) =>
      objectText(s, isSent(s) ? 'accessible-for-notify' : 'read-only', g.name),
    ),
    ...g.tables.map((t) => tableText(t, g.name)),
  ].join('\n');
}

function notificationText(n: NotificationSpec): string {
  return [
    `${n.name} NOTIFICATION-TYPE`,
    `    OBJECTS     { ${folded(n.objects.join(', '), '                  ').trimStart()} }`,
    '    STATUS      current',
    described(n.help),
    `    ::= { sipairNotifications ${n.number} }`,
    '',
  ].join('\n');
}

function listText(names: readonly string[]): string {
  return names.map((name) => `        ${name}`).join(',\n');
}

function conformance(): string {
  const groups = SIPAIR_GROUPS.map((g) => {
    const names = [
      ...g.scalars.map((s) => s.name),
      ...g.tables.flatMap((t) => t.columns.map((c) => c.name)),
    ];
    return [
      `${g.name}Group OBJECT-GROUP`,
      `    OBJECTS {\n${listText(names)}\n    }`,
      '    STATUS      current',
      described(g.help),
      `    ::= { sipairGroups ${g.number} }`,
      '',
    ].join('\n');
  });
  const mandatory = [...SIPAIR_GROUPS.map((g) => `${g.name}Group`), 'sipairNotificationGroup'];
  return [
    'sipairConformance OBJECT IDENTIFIER ::= { sipairMIB 2 }',
    'sipairCompliances OBJECT IDENTIFIER ::= { sipairConformance 1 }',
    'sipairGroups OBJECT IDENTIFIER ::= { sipairConformance 2 }',
    '',
    ...groups,
    'sipairNotificationGroup NOTIFICATION-GROUP',
    `    NOTIFICATIONS {\n${listText(SIPAIR_TRAPS.map((n) => n.name))}\n    }`,
    '    STATUS      current',
    described('What a box tells by itself.'),
    '    ::= { sipairGroups 100 }',
    '',
    'sipairCompliance MODULE-COMPLIANCE',
    '    STATUS      current',
    described('What every box of this kind serves.'),
    '    MODULE',
    `        MANDATORY-GROUPS {\n${listText(mandatory)}\n        }`,
    '    ::= { sipairCompliances 1 }',
    '',
  ].join('\n');
}

const ABOUT =
  'Two boxes that together are one SIP server in hot standby: who leads, whether calls are protected, ' +
  'alarms, lamps, what is counted, and the machine. Each box has its own agent and speaks of itself ' +
  'and of what it sees of the other. Everything can be read and nothing written: boxes are configured ' +
  `elsewhere. Enterprise number: ${PEN} is the one that RFC 5612 reserves for documentation. The ` +
  "maker's own is to be assigned by IANA and takes its place; nothing below it changes.";

export function sipairMibText(): string {
  return [
    'SIPAIR-MIB DEFINITIONS ::= BEGIN',
    '',
    'IMPORTS',
    '    MODULE-IDENTITY, OBJECT-TYPE, NOTIFICATION-TYPE, enterprises,',
    '    Counter64, Gauge32, Integer32, Unsigned32, TimeTicks',
    '        FROM SNMPv2-SMI',
    '    TEXTUAL-CONVENTION, DateAndTime, TruthValue',
    '        FROM SNMPv2-TC',
    '    MODULE-COMPLIANCE, OBJECT-GROUP, NOTIFICATION-GROUP',
    '        FROM SNMPv2-CONF;',
    '',
    'sipairMIB MODULE-IDENTITY',
    `    LAST-UPDATED "${REVISION}"`,
    '    ORGANIZATION "sipair"',
    '    CONTACT-INFO "whom you have the boxes from"',
    described(ABOUT),
    `    REVISION     "${REVISION}"`,
    described('The first one.'),
    `    ::= { sipair 1 }`,
    '',
    `sipair OBJECT IDENTIFIER ::= { enterprises ${PEN} }`,
    'sipairNotifications OBJECT IDENTIFIER ::= { sipairMIB 0 }',
    'sipairObjects OBJECT IDENTIFIER ::= { sipairMIB 1 }',
    '',
    'SipairText ::= TEXTUAL-CONVENTION',
    '    DISPLAY-HINT "255t"',
    '    STATUS      current',
    described('Text in UTF-8; what is longer is cut off.'),
    '    SYNTAX      OCTET STRING (SIZE(0..255))',
    '',
    ...SIPAIR_GROUPS.map(groupText),
    ...SIPAIR_TRAPS.map(notificationText),
    conformance(),
    'END',
    '',
  ].join('\n');
}

/** Rows of the manual's table of objects. */
export function sipairMibRows(): string[] {
  const rows: string[] = [];
  for (const g of SIPAIR_GROUPS) {
    for (const s of g.scalars) {
      const at = isSent(s) ? 'with notifications' : `1.${g.number}.${s.number}.0`;
      rows.push(`| \`${s.name}\` | ${at} | ${s.help}${unitsOf(s)} |`);
    }
    for (const t of g.tables) {
      for (const c of t.columns) {
        const at = `1.${g.number}.${t.number}.1.${c.number}.*`;
        rows.push(`| \`${c.name}\` | ${at} | ${c.help}${unitsOf(c)} |`);
      }
    }
  }
  return rows;
}

function unitsOf({ units }: { readonly units?: string }): string {
  return units === undefined ? '' : ` (${units})`;
}

export function sipairTrapRows(): string[] {
  return SIPAIR_TRAPS.map(
    (n) => `| \`${n.name}\` | 0.${n.number} | ${n.help} | ${n.objects.slice(2).join(', ')} |`,
  );
}
