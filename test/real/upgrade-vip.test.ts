/** A box asks its own virtual address, as an upgrade does before the last box with the old release goes. */

import { join } from 'node:path';
import test from 'ava';
import { createLab, labName } from '../lab/lab.ts';
import { NODE, ROOT } from '../lab/places.ts';

test.serial(
  'whoever leads hears itself at the virtual address; where nobody is, nobody answers',
  async (t) => {
    const lab = await createLab({ name: labName('own-vip') });
    t.teardown(() => lab.down());
    const primary = (await lab.status()).primary ?? 'a';
    const asked = async (address: string, port: number): Promise<string> => {
      const script = `
      const { answersSip } = await import('${join(ROOT, 'src/edge/system/answers-sip.ts')}');
      let answers = 0;
      for (let i = 0; i < 10; i += 1) if (await answersSip('${address}', ${port})) answers += 1;
      console.log(answers > 0 ? 'answers' : 'silence');`;
      return (await lab.exec(primary, [NODE, '--input-type=module', '-e', script])).trim();
    };
    t.is(await asked('192.0.2.10', 5060), 'answers');
    t.is(await asked('192.0.2.10', 5999), 'silence');
  },
);
