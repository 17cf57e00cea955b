/** Every oracle, in the order in which they are asked. */

import type { Oracle, World } from '../world/world.ts';
import { bounded } from './bounded.ts';
import { callsSurvive } from './calls-survive.ts';
import { faceFollowsRole } from './face-follows-role.ts';
import { indexIsCache } from './index-is-cache.ts';
import { noAmnesia } from './no-amnesia.ts';
import { noGibberish } from './no-gibberish.ts';
import { oneFace } from './one-face.ts';
import { oneVoice } from './one-voice.ts';
import { agentsAsModel, oneCdr, programsHearOnce, requestsDoneOnce } from './programs.ts';
import { quietBackup } from './quiet-backup.ts';
import { samePositionSameTables } from './same-position-same-tables.ts';
import { timersKept } from './timers-kept.ts';
import { watchersSee } from './watchers-see.ts';

export const ORACLES: readonly ((world: World) => Oracle)[] = [
  oneVoice,
  quietBackup,
  noAmnesia,
  samePositionSameTables,
  indexIsCache,
  oneFace,
  faceFollowsRole,
  timersKept,
  bounded,
  noGibberish,
  callsSurvive,
  watchersSee,
  programsHearOnce,
  requestsDoneOnce,
  agentsAsModel,
  oneCdr,
];
