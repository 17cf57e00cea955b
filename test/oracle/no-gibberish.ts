/**
 * no-gibberish: whatever the two boxes say between them is what one correct SIP server would say.
 * Judged where it is said (the order in which a LAN delivers is not the server's fault), unless a dead
 * port or a pulled cable swallowed it, so that it was said to nobody: an isolated primary that does not
 * know it yet goes on alone, and the other box, which leads next, says the same number to somebody.
 *
 *   a request      same branch, same text; in a dialog a new branch has a higher CSeq; tags stay
 *   a response     nothing but the same final answer after a final answer; the To tag stays
 *
 * and by what the phones, which are strict, found odd.
 */

import { gist, type Msg, readSip } from '../world/sip-text.ts';
import { STRANGER } from '../world/stranger.ts';
import { isMessage } from '../world/stream.ts';
import type { Oracle, World } from '../world/world.ts';

export function noGibberish(world: World): Oracle {
  /** Requests said, by branch and method. */
  const requests = new Map<string, string>();
  /** Highest CSeq said, and the far end's tag, by Call-ID and our tag. */
  const dialogs = new Map<string, { cseq: number; toTag: string }>();
  /** Last status and To tag said to each transaction of a phone. */
  const answers = new Map<string, { status: number; toTag: string; text: string }>();
  /** Segments seen. */
  const segments = new Set<string>();
  let heard = 0;

  function wrong(what: string, text: string): void {
    world.violate('no-gibberish', `${what}: ${gist(text)}`);
  }

  function request(msg: Msg): void {
    const key = `${msg.branch} ${msg.method}`;
    const before = requests.get(key);
    if (before !== undefined) {
      if (before !== msg.text) wrong('a retransmission that differs', msg.text);
      return;
    }
    requests.set(key, msg.text);
    const id = `${msg.callId} ${msg.fromTag}`;
    const dialog = dialogs.get(id);
    if (msg.method === 'ACK' || msg.method === 'CANCEL') {
      if (dialog === undefined) wrong(`${msg.method} in a dialog never begun`, msg.text);
      return;
    }
    if (dialog === undefined) {
      dialogs.set(id, { cseq: msg.cseq, toTag: msg.toTag });
      return;
    }
    if (msg.cseq <= dialog.cseq) wrong(`CSeq not above ${dialog.cseq}`, msg.text);
    if (dialog.toTag !== '' && dialog.toTag !== msg.toTag) wrong('the far tag changed', msg.text);
    dialog.cseq = msg.cseq;
    dialog.toTag = msg.toTag;
  }

  function response(msg: Msg, to: string): void {
    const key = `${to} ${msg.branch} ${msg.cseqMethod}`;
    const before = answers.get(key);
    if (before === undefined) {
      answers.set(key, { status: msg.status, toTag: msg.toTag, text: msg.text });
      return;
    }
    if (before.status >= 200) {
      if (msg.status !== before.status) wrong(`after the final ${before.status}`, msg.text);
      // a challenge is made anew each time, without a row: its nonce says when
      else if (msg.text !== before.text && msg.status !== 401 && msg.status !== 407) {
        wrong('a final answer repeated differently', msg.text);
      }
    }
    if (before.toTag !== '' && msg.toTag !== '' && before.toTag !== msg.toTag) {
      wrong('the To tag changed', msg.text);
    }
    answers.set(key, { status: msg.status, toTag: msg.toTag || before.toTag, text: msg.text });
  }

  function said(text: string, to: string): void {
    const msg = readSip(text);
    if (typeof msg === 'string') wrong(msg, text);
    else if (msg.method !== '') request(msg);
    else response(msg, to);
  }

  return {
    name: 'no-gibberish',
    frame(port, frame) {
      if ((port !== 'a' && port !== 'b') || !world.lan.carries(port)) return;
      if (frame.kind === 'udp' && frame.udp.text !== undefined) {
        // an answer to half a message has only what that had
        const toHalf = frame.udp.dstIp === STRANGER && frame.udp.text.startsWith('SIP/2.0 400 ');
        if (!toHalf) said(frame.udp.text, `${frame.udp.dstIp}:${frame.udp.dstPort}`);
      } else if (frame.kind === 'tcp' && isMessage(frame.tcp)) {
        const { srcPort, dstIp, dstPort, seq, text } = frame.tcp;
        const segment = `${port} ${srcPort} ${dstIp}:${dstPort} ${seq}`;
        // what TCP repeats was said when it was first sent
        // the port it came from is another with each connection (RFC 3581)
        if (!segments.has(segment)) said(text.replace(/;rport=\d+/g, ';rport'), dstIp);
        segments.add(segment);
      }
    },
    quiet() {
      const { observations } = world.book;
      for (; heard < observations.length; heard += 1) {
        const seen = observations[heard];
        if (seen !== undefined) wrong(`phone ${seen.phone} saw ${seen.what}`, seen.text);
      }
    },
  };
}
