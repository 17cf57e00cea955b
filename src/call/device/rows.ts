/** What the user or a program set at a device; a device without a row has nothing set. */

import { type RowOf, table } from '../../base/row.ts';
import { NEVER } from '../../base/units.ts';

export const DEVICE = table({
  name: 'device',
  about: 'Features set at extensions: do not disturb, forwarding.',
  number: 26,
  fields: {
    device: 'text',
    dnd: 'flag',
    /** Numbers calls are forwarded to: at once, when busy, when unanswered for so long; '' for none. */
    immediate: 'text',
    busy: 'text',
    noAnswer: 'text',
    noAnswerS: 'int',
  },
  indexes: { device: 'unique' },
  deadline: () => NEVER,
  warm: false,
});

export type Device = RowOf<typeof DEVICE.fields>;
