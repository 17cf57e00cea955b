/** The log's reader dies or stands still: the process that logs goes on, and does not grow. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';

const LOG = new URL('../../src/edge/log.ts', import.meta.url).href;

/** A process that logs `lines` lines of a kilobyte, then says on standard output what waits. */
function logger(lines: number): ChildProcess {
  const program = `
    import { log } from ${JSON.stringify(LOG)};
    let n = 0;
    const more = () => {
      for (let i = 0; i < 10; i += 1) log('info', 'x'.repeat(1000));
      n += 10;
      if (n < ${lines}) setTimeout(more, 1);
      else { process.stdout.write(String(process.stderr.writableLength)); setTimeout(() => process.exit(7), 50); }
    };
    more();`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function ended(child: ChildProcess): Promise<{ said: string; code: unknown }> {
  let said = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const [code] = await once(child, 'exit');
  return { said, code };
}

test('a reader that is gone does not end the box', async (t) => {
  const child = logger(200);
  child.stderr?.once('data', () => child.stderr?.destroy());
  t.is((await ended(child)).code, 7);
});

test('a reader that stands still costs a bounded memory', async (t) => {
  const child = logger(2000);
  child.stderr?.pause();
  const { said, code } = await ended(child);
  t.is(code, 7);
  t.true(Number(said) > 0 && Number(said) < 300_000, said);
});
