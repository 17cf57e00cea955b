/**
 * docs/transcripts: sessions at the console as a person sees them. The sessions are run, with services that
 * always say the same; what is in the page is what the console wrote.
 */

import { Bench } from '../console/bench.ts';
import { FakePair, NOON, PASSWORD } from '../console/fake-pair.ts';

export type Transcript = {
  /** File in docs/transcripts. */
  readonly file: string;
  readonly title: string;
  readonly about: string;
  readonly play: () => Bench | readonly Part[];
};

/** A page of several sessions. */
type Part = { readonly what: string; readonly bench: Bench };

function carton(): FakePair {
  const pair = new FakePair('none');
  pair.password = undefined;
  pair.identity = undefined;
  pair.paired = false;
  return pair;
}

function firstBoot(): Bench {
  const b = new Bench({ pair: carton() });
  const lines = ['short', PASSWORD, PASSWORD, 'a', 'north-a', '192.0.2.11', '', '198.51.100.1'];
  for (const l of [...lines, '192.0.2.1', 'Europe/Berlin', '192.0.2.1']) b.line(l);
  b.keys('\x03');
  for (const l of ['', '192.0.2.10', '1000-1999', 'y', 'y']) b.line(l);
  b.keys('y');
  return b;
}

/** Nobody types, and `commit confirm` is over. */
function wait(b: Bench, minutes: number, word: string): void {
  b.screen.write(`\r\n(${word} minutes pass: both boxes went back; nothing is to be done)`);
  b.pass(minutes * 60_000);
}

function configuration(): Bench {
  const b = new Bench().login();
  b.line('configure');
  b.keys('set sip ?');
  b.keys('\x15');
  for (const l of [
    'set sip prot 5070',
    'set box a lan address 192.0.2',
    'set box a lan prefix 25',
    'commit',
    'set box b lan prefix 25',
    'set users to 2999',
    'compare',
    'check',
    'commit comment "more numbers, a smaller net"',
    'set sip port 5070',
    'commit confirm 5',
  ])
    b.line(l);
  wait(b, 5, 'five');
  for (const l of [
    '',
    'run show configuration revisions',
    'rollback 0',
    'edit box a',
    'show',
    'top',
    'rollback 2',
    'compare',
    'discard',
    'exit',
    'exit',
  ])
    b.line(l);
  return b;
}

const CALLS = [
  {
    id: 7,
    state: 'talking',
    place: 'up',
    caller: '1001',
    called: '1002',
    parties: ['1001', '1002'],
    trunks: [],
    startedAt: NOON - 95_000,
    answeredAt: NOON - 90_000,
    csta: 12,
    global: '6f1c',
  },
  {
    id: 8,
    state: 'ringing',
    place: 'ringing',
    caller: '1003',
    called: '1004',
    parties: ['1003', '1004'],
    trunks: [],
    startedAt: NOON - 4000,
    answeredAt: 0,
    csta: 13,
    global: '6f1d',
  },
];

const SIP: readonly (readonly [ms: number, direction: string, peer: string, first: string])[] = [
  [0, 'in', '192.0.2.20:5060', 'INVITE sip:1002@192.0.2.10 SIP/2.0'],
  [2, 'out', '192.0.2.20:5060', 'SIP/2.0 100 Trying'],
  [3, 'out', '192.0.2.21:5060', 'INVITE sip:1002@192.0.2.21 SIP/2.0'],
  [50, 'in', '192.0.2.21:5060', 'SIP/2.0 180 Ringing'],
  [52, 'out', '192.0.2.20:5060', 'SIP/2.0 180 Ringing'],
  [2100, 'in', '192.0.2.21:5060', 'SIP/2.0 200 OK'],
  [2102, 'out', '192.0.2.20:5060', 'SIP/2.0 200 OK'],
  [2120, 'in', '192.0.2.20:5060', 'ACK sip:1002@192.0.2.10 SIP/2.0'],
  [2121, 'out', '192.0.2.21:5060', 'ACK sip:1002@192.0.2.21 SIP/2.0'],
];

function operating(): Bench {
  const b = new Bench();
  b.pair.rows['calls'] = CALLS;
  b.pair.messages = SIP.map(([ms, direction, peer, first]) => ({
    at: NOON + ms,
    direction,
    from: direction === 'in' ? peer : '192.0.2.10:5060',
    to: direction === 'in' ? '192.0.2.10:5060' : peer,
    transport: 'udp',
    text: `${first}\r\nCSeq: 1 INVITE\r\n\r\n`,
  }));
  b.line('admin');
  b.line('not the password');
  b.login();
  for (const l of [
    'show ha',
    'show calls',
    'show calls | match ringing | count',
    'sh zebra',
    'request ha s',
    'monitor sip number 1002',
  ])
    b.line(l);
  b.keys('\x03');
  b.line('request ha switchover');
  b.pair.down.add('control');
  b.pass(60_000);
  b.line('');
  b.line('show calls');
  b.pair.down.delete('control');
  for (const l of ['request support bundle', 'factory-reset', 'no', 'exit']) b.line(l);
  return b;
}

const NEW_PASSWORD = 'a new one for b';

/** At the box whose password nobody knows. */
function lockedOut(): Bench {
  const b = new Bench();
  for (let i = 0; i < 6; i += 1) {
    b.line('admin');
    b.line('not the password');
  }
  return b;
}

function lines(b: Bench, all: readonly string[]): Bench {
  for (const l of all) b.line(l);
  return b;
}

/** A box in the place of a dead one: at the one that is left. */
function replaced(): Bench {
  const pair = new FakePair();
  pair.status = { ...pair.status, inStep: false };
  const b = new Bench({ pair }).login();
  b.line('show configuration commands | match "box b"');
  b.line('request pair');
  b.keys('y');
  return lines(b, ['exit']);
}

function noData(): Bench {
  const pair = carton();
  pair.dataFault = 'it is damaged beyond repair';
  return lines(new Bench({ pair }), ['factory-reset', 'factory-reset']);
}

function cutOff(): Bench {
  const b = lines(new Bench().login(), [
    'configure',
    'set vip address 192.0.2.99',
    'commit confirm 10 comment "a new VIP"',
    'exit',
  ]);
  wait(b, 10, 'ten');
  return lines(b, ['', 'show configuration commands | match vip']);
}

const RECOVERY = (): readonly Part[] => [
  { what: 'Five wrong passwords', bench: lockedOut() },
  {
    what: 'A forgotten password, at the other box',
    bench: lines(new Bench().login(), [
      'request system password other-box',
      PASSWORD,
      NEW_PASSWORD,
      NEW_PASSWORD,
    ]),
  },
  { what: 'A new box in the place of box b, at box a', bench: replaced() },
  { what: 'A change that was not meant', bench: cutOff() },
  {
    what: 'Everything worth keeping, onto a USB stick',
    bench: lines(new Bench().login(), [
      'request support bundle usb',
      'configure',
      'save usb:north.conf',
    ]),
  },
  { what: 'A data partition that cannot be used', bench: noData() },
];

export const TRANSCRIPTS: readonly Transcript[] = [
  {
    file: 'first-boot.md',
    title: 'First boot of box a',
    about:
      'A box out of its carton. Passwords are not shown while they are typed; the first was too short, the gateway of the\n' +
      'first answer was in another network, and `^C` went one question back. Box b is asked the first five questions only.',
    play: firstBoot,
  },
  {
    file: 'configuration.md',
    title: 'Changing the configuration',
    about:
      '`?`, mistakes and how they are told, a commit on both boxes, a `commit confirm` nobody confirmed, and earlier revisions.',
    play: configuration,
  },
  {
    file: 'operating.md',
    title: 'Looking and acting',
    about:
      'A wrong password, what the pair does, calls, a call watched live as a ladder, a switchover, one that is refused, the\n' +
      'service being down, a support bundle, and a factory reset that was not meant.',
    play: operating,
  },
  {
    file: 'recovery.md',
    title: 'When something went wrong',
    about: 'The sessions of [recovery.md](../recovery.md): what is asked, what is said.',
    play: RECOVERY,
  },
];

export function transcriptText(one: Transcript): string {
  const played = one.play();
  const parts = played instanceof Bench ? [{ what: '', bench: played }] : played;
  const sessions = parts.map(({ what, bench }) => {
    const fenced = `\`\`\`\n${bench.screen.text().replace(/^\n+/, '')}\n\`\`\`\n`;
    return what === '' ? fenced : `## ${what}\n\n${fenced}`;
  });
  return `# ${one.title}

${one.about}

This page is what the console wrote when the session was run (\`./build.sh docs\`); the services behind it were made up.

${sessions.join('\n')}`;
}
