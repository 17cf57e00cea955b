/**
 * What SIPp scenarios say again and again, once: `{{caller BYE 2}}` in a scenario of `sipp/` becomes the
 * lines of a BYE of the caller. See the table; `{{status}}` and `{{pause}}` are numbers of the run.
 */

const CALLER = '<sip:[caller]@[remote_ip]>;tag=[pid]c[call_number]';
const HOST = '[local_ip]:[local_port]';

type Word = (...args: readonly string[]) => readonly string[];

const via = (branch = 'branch'): string => `Via: SIP/2.0/UDP ${HOST};branch=[${branch}]`;

const answer = (status: string, head: readonly string[]): readonly string[] => [
  `SIP/2.0 ${status}`,
  ...head,
  `Contact: <sip:[service]@${HOST}>`,
];

const LAST = ['[last_Via:]', '[last_From:]'] as const;
const LAST_END = ['[last_Call-ID:]', '[last_CSeq:]'] as const;
const KEPT = ['Via: [$via]', 'From: [$from]'] as const;
const KEPT_END = ['Call-ID: [call_id]', 'CSeq: [$cseq]'] as const;
const OWN_TAG = ';tag=[pid]s[call_number]';

export const WORDS: Readonly<Record<string, Word>> = {
  /** The INVITE that starts a call. */
  invite: () => [
    'INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0',
    via(),
    `From: ${CALLER}`,
    'To: <sip:[service]@[remote_ip]>',
    'Call-ID: [call_id]',
    'CSeq: 1 INVITE',
    `Contact: <sip:[caller]@${HOST}>`,
    'Max-Forwards: 70',
  ],
  /** A request of the caller in the dialog; `rrs="true"` at the 200 gives its way. */
  caller: (method = '', cseq = '', branch = 'branch') => [
    `${method} [next_url] SIP/2.0`,
    via(branch),
    `From: ${CALLER}`,
    'To: <sip:[service]@[remote_ip]>[peer_tag_param]',
    'Call-ID: [call_id]',
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:[caller]@${HOST}>`,
    'Max-Forwards: 70',
  ],
  /**
   * A request of the callee in the dialog: the scenario keeps `target` (our Contact) and `from` and `to`
   * of a request that has both tags.
   */
  callee: (method = '', cseq = '', branch = 'branch') => [
    `${method} [$target] SIP/2.0`,
    via(branch),
    'From: [$to]',
    'To: [$from]',
    'Call-ID: [call_id]',
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:[service]@${HOST}>`,
    'Max-Forwards: 70',
  ],
  /** The answer that gives a tag, to the request that came last. */
  first: (...status) => answer(status.join(' '), [...LAST, `[last_To:]${OWN_TAG}`, ...LAST_END]),
  /** An answer in the dialog, to the request that came last. */
  reply: (...status) => answer(status.join(' '), [...LAST, '[last_To:]', ...LAST_END]),
  /** As `first`, to the request whose `via`, `from`, `to` and `cseq` were kept. */
  kept: (...status) => answer(status.join(' '), [...KEPT, `To: [$to]${OWN_TAG}`, ...KEPT_END]),
  /** As `reply`, to the request whose `via`, `from`, `to` and `cseq` were kept. */
  again: (...status) => answer(status.join(' '), [...KEPT, 'To: [$to]', ...KEPT_END]),
  /** A description of a session, and the end of the message. */
  sdp: (way = '') => [
    'Content-Type: application/sdp',
    'Content-Length: [len]',
    '',
    'v=0',
    'o=- 1 1 IN IP4 [local_ip]',
    's=-',
    'c=IN IP4 [local_ip]',
    't=0 0',
    'm=audio [media_port] RTP/AVP 0',
    `a=${way}`,
  ],
  /** The end of a message without a body. */
  empty: () => ['Content-Length: 0', '', ''],
};

/** A scenario as SIPp reads it. Throws when a word is unknown. */
export function scenarioText(text: string, numbers: Readonly<Record<string, number>>): string {
  return text.replace(/\{\{(\w+)((?: [^ }]+)*)\}\}/g, (whole, name: string, rest: string) => {
    const number = numbers[name];
    if (number !== undefined) return String(number);
    const word = WORDS[name];
    if (word === undefined) throw new Error(`${whole}: no such word`);
    return word(...rest.split(' ').slice(1)).join('\n      ');
  });
}
