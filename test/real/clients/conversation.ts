/**
 * What two phones say to each other and what is done to the pair meanwhile, the same for every client:
 * each step waits until all who should know of it do.
 */

import type { Lab } from '../../lab/lab.ts';
import { other } from '../../lab/places.ts';
import type { Audio } from './audio.ts';
import type { Baresip } from './baresip.ts';
import { until } from './until.ts';

/** `from` calls, the other one accepts: both say that the call stands. */
export async function call(from: Baresip, to: Baresip): Promise<void> {
  const [calls, rings] = [from.count('CALL_ESTABLISHED'), to.count('CALL_INCOMING')];
  const answers = to.count('CALL_ESTABLISHED');
  await from.dial(to.number);
  await to.told('CALL_INCOMING', rings + 1);
  await to.accept();
  await from.told('CALL_ESTABLISHED', calls + 1);
  await to.told('CALL_ESTABLISHED', answers + 1);
}

/** One hangs up, the other one is told, and the boxes are idle. */
export async function hangUp(lab: Lab, one: Baresip, two: Baresip): Promise<void> {
  const closed = two.count('CALL_CLOSED');
  await one.hangUp();
  await two.told('CALL_CLOSED', closed + 1);
  await idle(lab);
}

/** No box has a call any more. */
export async function idle(lab: Lab, ms = 20_000): Promise<void> {
  let seen = '';
  await until(
    async () => {
      const { boxes } = await lab.status();
      const calls = [boxes.a, boxes.b].flatMap((view) => view.status?.calls ?? []);
      seen = calls.join(', ');
      return calls.length > 0 && calls.every((n) => n === 0);
    },
    () => new Error(`calls left on the boxes: ${seen}`),
    ms,
  );
}

/** kill -9 of the primary of a pair in step; the other one leads when it is over. */
export async function killPrimary(lab: Lab): Promise<void> {
  const { primary } = await lab.ready();
  const box = primary ?? 'a';
  await lab.kill(box);
  await until(
    async () => (await lab.status()).primary === other(box),
    () => new Error('the backup does not lead'),
  );
}

/** One holds and resumes: silence, then both tones again. */
export async function holdAndResume(audio: Audio, one: Baresip, two: Baresip): Promise<void> {
  await one.hold();
  await Promise.all([audio.stays(one.ports, two.hz), audio.stays(two.ports, one.hz)]);
  await one.resume();
  await Promise.all([audio.reaches(one.ports, two.hz), audio.reaches(two.ports, one.hz)]);
}
