import { run } from '../world/run.ts';

const seed = Number(process.argv[2]);
const ids = process.argv.slice(3);
const heavy = process.env.HEAVY === '1';
const { violations, world } = run({
  seed,
  adjust: (d) =>
    heavy
      ? { ...d, mix: { ...d.mix, transfer: 0.9, redirect: 0.2, talk: [1000, 8000], endless: 0.1 } }
      : d,
});
console.log(violations); const c8 = world.book.calls.get(process.env.C ?? ""); if (c8) console.log(JSON.stringify({...c8, offers: 0, transfer: 0}));
for (const p of world.phones)
  if (ids.includes(p.number)) {
    console.log('==', p.number);
    for (const h of p.history
      .filter((h) => !process.env.ID || h.text.includes(process.env.ID))
      .slice(-Number(process.env.N ?? 40)))
      console.log(
        h.at.toFixed(1),
        h.dir,
        h.text.split('\r\n')[0],
        '|',
        /CSeq: ([^\r]*)/.exec(h.text)?.[1],
        '|',
        /Call-ID: ([^\r]*)/.exec(h.text)?.[1],
        '|',
        /Refer-To: ([^\r]*)/.exec(h.text)?.[1]?.slice(0, 30) ?? '',
        /sipfrag/.test(h.text) ? h.text.split('\r\n').at(-2) : '',
        /s=([^\r]*)/.exec(h.text)?.[1] ?? '',
      );
  }
