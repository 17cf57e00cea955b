/** The integrator's guide is true where a machine can say so. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { z } from 'zod';
import { EVENT_NAMES } from '../../src/call/csta/event.ts';
import { REFUSALS } from '../../src/call/csta/refusal.ts';
import { NOTICES } from '../../src/cti/notices.ts';
import { SERVICES } from '../../src/cti/services.ts';
import { PROGRAM_ROLES } from '../../src/proto/centre.ts';
import { ROOT } from '../tidy/source.ts';
import { CTI_EVENTS } from './cti-events.ts';
import { readDocument } from './pictures.ts';

const guide = readDocument('integrating.md');

for (const event of EVENT_NAMES) {
  test(`the example of ${event} is an event`, (t) => {
    const whole = { id: 1, time: 1, event, monitors: [1], ...CTI_EVENTS[event].example };
    const looked = NOTICES.event.params.safeParse(whole);
    t.true(looked.success, looked.success ? '' : z.prettifyError(looked.error));
  });
}

test('the event that is shown whole is one', (t) => {
  const [text = '{}'] = /\{"jsonrpc":"2.0","method":"event"[^`]*/.exec(guide) ?? [];
  const { params } = JSON.parse(text) as { readonly params: object };
  const looked = NOTICES.event.params.safeParse(params);
  t.true(looked.success, looked.success ? '' : z.prettifyError(looked.error));
});

test('every role is explained', (t) => {
  for (const role of PROGRAM_ROLES) t.true(guide.includes(`| \`${role}\` |`), role);
});

test('examples call services that exist, with refusals that exist', (t) => {
  for (const name of ['screen-pop', 'click-to-dial', 'router', 'agent-desktop']) {
    const text = readFileSync(join(ROOT, `docs/examples/${name}.ts`), 'utf8');
    t.true(guide.includes(`examples/${name}.ts`), `${name} is in the guide`);
    for (const [, method = ''] of text.matchAll(/\.call\(\s*'(\w+)'/g)) {
      t.true(Object.hasOwn(SERVICES, method), method);
    }
  }
  for (const code of ['notPrimary', 'unknownSession', 'eventsLost', 'limitReached']) {
    t.true(Object.hasOwn(REFUSALS, code) && guide.includes(code), code);
  }
});

test('the router has 40 lines', (t) => {
  const text = readFileSync(join(ROOT, 'docs/examples/router.ts'), 'utf8');
  t.true(text.trimEnd().split('\n').length <= 40);
});
