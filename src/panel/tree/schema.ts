/** The schema: everything that may stand in the configuration of a pair, as data. */

import { BOX, PAIR } from './schema-pair.ts';
import { SIP } from './schema-sip.ts';
import { SITE } from './schema-site.ts';
import { SYSTEM } from './schema-system.ts';
import { type Container, nodes } from './terms.ts';

export const SCHEMA: Container = nodes('restart').group(
  'The configuration of the pair',
  { box: BOX, ...PAIR, ...SIP, site: SITE, system: SYSTEM },
  { must: true },
);
