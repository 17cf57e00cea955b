/** How the fuzzer makes a new input of old ones: edits of octets, of words of SIP, and of lines. */

import type { Dice } from '../world/dice.ts';

/** Words that lead into the parser's branches; names of headers are added by the caller. */
const WORDS: readonly string[] = [
  ...';,<>"\\@:?=/ \t%[]*&().~\0\r\n\x7f\xff-',
  ...['\r\n', '\r\n ', '\r\n\t', '\r\n\r\n', '\r\n\r\n\r\n', ': ', ' : ', '""', '\\"', '<>', ';;'],
  ...['SIP/2.0', 'SIP/3.0', 'sip:', 'sips:', 'tel:', 'urn:', 'SIP / 2.0 / TCP ', 'z9hG4bK'],
  ...['%00', '%0d%0a', '%41', '%', '%4', '[::1]', '[1:2:3]', '192.0.2.1', ':5060', ':0', ':65536'],
  ...['0', '1', '-1', '255', '256', '65535', '2147483647', '2147483648', '4294967295'],
  ...['4294967296', '9007199254740993', '99999999999999999999', '00000000000000000001', '1e3'],
  ...[';tag=x', ';branch=z9hG4bK1', ';rport', ';received=', ';maddr=a', ';ttl=9', ';lr', ';a="b'],
  ...[';to-tag=1', ';from-tag=2', ';early-only', ';refresher=uac', ';id=7', ';reason=timeout'],
  ...[';expires=60', ';retry-after=5', ';duration=9', ';cause=16', ';text="x"', ';method=BYE'],
  ...['?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2', '&Require=replaces', '?a=b', '?x', ';cid="a@b"'],
  ...['INVITE', 'ACK', 'PRACK', 'REFER', 'active', 'terminated', 'presence.winfo', 'Digest '],
  ...['realm="a"', ', nonce="b"', 'Basic YTpi', '(a (b) \\) c)', 'multipart/mixed;boundary=b'],
  ...['--b\r\n', '\r\n--b\r\n', '\r\n--b--', 'Content-Type: application/sdp\r\n\r\n'],
  ...['v=0\r\n', 'o=a 1 2 IN IP4 h\r\n', 'm=audio 5004/2 RTP/AVP 0\r\n', 'a=inactive\r\n', 'c=IN '],
];

/** The longest input: what a stream or a datagram may bring, and a little more. */
const MAX = 70_000;

export class Mutator {
  private readonly dice: Dice;
  private readonly names: readonly string[];

  constructor(dice: Dice, headerNames: readonly string[]) {
    this.dice = dice;
    this.names = headerNames;
  }

  /** A new input of one of the corpus, with one to eight edits. */
  next(corpus: readonly string[]): string {
    const dice = this.dice;
    // Half of the inputs are short: they run a hundred times faster than the long ones.
    let text = dice.pick(corpus);
    for (let i = 0; i < 3 && text.length > 300 && dice.odds(0.5); i += 1) text = dice.pick(corpus);
    const edits = dice.pick([1, 1, 1, 1, 2, 2, 4, 8]);
    for (let i = 0; i < edits; i += 1) text = this.edit(text, corpus);
    return text.length > MAX ? text.slice(0, MAX) : text;
  }

  private edit(text: string, corpus: readonly string[]): string {
    const dice = this.dice;
    const at = dice.odds(0.5) ? this.joint(text) : dice.whole(0, text.length);
    const size = 1 << dice.whole(0, 6);
    switch (dice.whole(0, 11)) {
      case 0:
        return splice(text, at, 1, String.fromCharCode(dice.whole(0, 255)));
      case 1:
        return splice(text, at, 0, dice.pick(WORDS));
      case 2:
        return splice(text, at, dice.whole(1, 4), dice.pick(WORDS));
      case 3:
        return splice(text, at, size, '');
      case 4:
        return splice(text, at, 0, text.slice(at, at + size));
      case 5: {
        const other = dice.pick(corpus);
        return text.slice(0, at) + other.slice(dice.whole(0, other.length));
      }
      case 6:
        return this.lineFrom(text, dice.pick(corpus));
      case 7:
        return this.withoutLine(text);
      case 8:
        return this.renamed(text);
      case 9:
        return this.numbered(text);
      case 10: {
        const piece = dice.odds(0.5) ? dice.pick(WORDS) : text.slice(at, at + size);
        // Long runs find what is slow and make the fuzzer slow: few of them are very long.
        const room = dice.odds(0.1) ? MAX : 1500;
        const times = Math.min(1 << dice.whole(1, 11), Math.ceil(room / (piece.length + 1)));
        return splice(text, at, 0, piece.repeat(times));
      }
      default:
        return this.lineFrom(text, `${dice.pick(this.names)}: ${dice.pick(WORDS)}`);
    }
  }

  /** Behind a character that has a meaning: edits there lead further than in a word. */
  private joint(text: string): number {
    const from = this.dice.whole(0, text.length);
    const found = /[;=?&@:<>,"%\r\n ]/.exec(text.slice(from, from + 100));
    return found === null ? from : from + found.index + 1;
  }

  /** A line of `source` put between two lines of `text`. */
  private lineFrom(text: string, source: string): string {
    const at = this.lineStart(text);
    const lines = source.split('\r\n');
    return splice(text, at, 0, `${this.dice.pick(lines)}\r\n`);
  }

  private withoutLine(text: string): string {
    const at = this.lineStart(text);
    const end = text.indexOf('\r\n', at);
    return end < 0 ? text : splice(text, at, end + 2 - at, '');
  }

  private renamed(text: string): string {
    const at = this.lineStart(text);
    const colon = text.indexOf(':', at);
    return colon < 0 ? text : splice(text, at, colon - at, this.dice.pick(this.names));
  }

  private numbered(text: string): string {
    const from = this.dice.whole(0, text.length);
    const found = /\d+/.exec(text.slice(from, from + 400));
    if (found === null) return text;
    const by = this.dice.pick([
      '0',
      '1',
      '255',
      '256',
      '2147483648',
      '4294967296',
      '999999999999',
      '',
    ]);
    return splice(text, from + found.index, found[0].length, by);
  }

  private lineStart(text: string): number {
    const before = text.indexOf('\r\n', this.dice.whole(0, text.length));
    return before < 0 ? 0 : before + 2;
  }
}

function splice(text: string, at: number, cut: number, put: string): string {
  return text.slice(0, at) + put + text.slice(at + cut);
}
