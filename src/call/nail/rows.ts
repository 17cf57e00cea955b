/** What nailed-up devices keep: the session that stays when their calls are over. */

import { type RowOf, table } from '../../base/row.ts';
import { NEVER } from '../../base/units.ts';

export const NAIL = table({
  name: 'nail',
  about: 'Nailed-up devices: their phone was called once, and stays connected between calls.',
  number: 34,
  fields: {
    device: 'text',
    /** The row of `call` its session is in, for as long as it lasts. */
    call: 'int',
    /** The leg to its phone; 0 while that rings. */
    leg: 'int',
    /**
     * calling: its phone rings for the first time. parked: it hears nothing, and is free. taking: it is
     * being connected with a call. talking: it is in one.
     */
    state: ['calling', 'parked', 'taking', 'talking'],
    /** It is hung up as soon as it is in no call. */
    ending: 'flag',
    /** taking: the leg of a caller nobody has answered yet; 0: it is connected by a bridge. */
    caller: 'int',
    since: 'time',
    /** Whose request is to be named by the next event; 0 and ''. */
    session: 'int',
    request: 'text',
  },
  indexes: { device: 'unique', call: 'unique' },
  deadline: () => NEVER,
  warm: false,
});

export type Nail = RowOf<typeof NAIL.fields>;
