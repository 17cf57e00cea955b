/**
 * Every alarm the system agent raises has words in the manual: what it means, what to do. That there is a row
 * for each code the compiler sees (`AgentAlarmCode`); severities and the length of the words are seen here.
 */

import test from 'ava';
import { TRUNK_ALARMS } from '../../src/call/trunk-view.ts';
import { ALARMS } from '../../src/pair/alarms.ts';
import { CONFIGURATION, OPERATIONAL } from '../../src/panel/console/grammar.ts';
import { isWrong, parse } from '../../src/panel/console/parse.ts';
import { split } from '../../src/panel/console/words.ts';
import { AGENT_ALARMS } from '../../src/panel/monitor/agent-alarms.ts';
import { BOX_ALARMS } from '../../src/panel/monitor/box-alarms.ts';
import { sources } from './source.ts';

test('every alarm the system agent raises is in a table, under one severity', (t) => {
  const raised = [...sources('src/edge'), ...sources('src/panel')]
    .filter(({ path }) => /^src\/(edge|panel)\/system\//.test(path))
    .flatMap(({ text, path }) =>
      [...text.matchAll(/alarm\(\s*'([a-z-]+)',\s*(?:'(critical|major|minor|warning)')?/g)].map(
        ([, code = '', severity]) => ({ code, severity, path }),
      ),
    );
  for (const { code, severity, path } of raised) {
    const words =
      (AGENT_ALARMS as Readonly<Record<string, readonly [string, ...string[]]>>)[code]?.[0] ??
      (BOX_ALARMS as Readonly<Record<string, { severity: string }>>)[code]?.severity;
    t.truthy(words, `${path} raises ${code}: a row in src/panel/monitor/agent-alarms.ts`);
    if (severity !== undefined) t.is(words, severity, `${path}: ${code}`);
  }
  for (const [code, [, about, cure]] of Object.entries(AGENT_ALARMS)) {
    t.false(code in BOX_ALARMS, code);
    t.true(about.length > 4 && about.length < 110, about);
    t.true(cure.length > 4 && cure.length < 240, cure);
  }
});

test('every row of the agent is raised somewhere', (t) => {
  const texts = [...sources('src/edge'), ...sources('src/panel')]
    .filter(({ path }) => /^src\/(edge|panel)\/system\//.test(path))
    .map(({ text }) => text);
  for (const code of Object.keys(AGENT_ALARMS)) {
    t.true(
      texts.some((text) => text.includes(`'${code}'`)),
      code,
    );
  }
});

/** Of all tables: code, what to do. */
const CURES: readonly (readonly [string, string])[] = [
  ...[ALARMS, TRUNK_ALARMS, AGENT_ALARMS].flatMap((table) =>
    Object.entries<readonly [string, string, string]>(table).map(
      ([code, [, , cure]]) => [code, cure] as const,
    ),
  ),
  ...Object.entries(BOX_ALARMS).map(([code, { cure }]) => [code, cure] as const),
];

test('a code means one thing', (t) => {
  const codes = CURES.map(([code]) => code);
  t.deepEqual([...new Set(codes)], codes);
});

test('what an alarm tells the operator to type is a command of the console', (t) => {
  const roots = [...OPERATIONAL, ...CONFIGURATION];
  let typed = 0;
  for (const [code, cure] of CURES) {
    for (const [, command = ''] of cure.matchAll(/`([^`]+)`/g)) {
      const [first = ''] = command.split(' ');
      if (!roots.some((node) => node.word === first)) continue;
      typed += 1;
      const end = command.length;
      // `show` of configuration mode takes any place
      const trees = first === 'show' ? [OPERATIONAL] : [OPERATIONAL, CONFIGURATION];
      const parsed = trees.map((tree) => parse(tree, split(command).words, end));
      t.true(
        // what the operator has to add, a file for example, may be missing
        parsed.some((p) => !isWrong(p) || p.at === end),
        `${code}: ${command}`,
      );
    }
    t.notRegex(cure, /`sipair /, `${code}: the console has no shell`);
  }
  t.true(typed > 10);
});
