/** Every alarm the system agent raises has words in the manual: what it means, what to do. */

import test from 'ava';
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
      AGENT_ALARMS[code]?.[0] ??
      (BOX_ALARMS as Readonly<Record<string, { severity: string }>>)[code]?.severity;
    t.truthy(words, `${path} raises ${code}: a row in src/panel/monitor/agent-alarms.ts`);
    if (severity !== undefined) t.is(words, severity, `${path}: ${code}`);
  }
  for (const [code, [, about, cure]] of Object.entries(AGENT_ALARMS)) {
    t.false(code in BOX_ALARMS, code);
    for (const text of [about, cure]) t.true(text.length > 4 && text.length < 110, text);
  }
});
