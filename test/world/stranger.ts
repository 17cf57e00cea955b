/**
 * A host on the LAN that means no good: it floods, sends garbage, asks for numbers nobody has, says
 * messages of others again that it overheard, or nearly theirs, and forges the addresses of hosts.
 * No promise to the phones may depend on it being quiet.
 *
 * The site of the world has no passwords, so what anybody may do there it does not do: register under
 * a phone's number, call a phone. What it overheard it says from its own address, for a packet that is
 * in everything the phone's own is not to be told from it.
 */

import { VIP } from './box.ts';
import type { Dice } from './dice.ts';
import type { Frame, Mac, Udp } from './ether.ts';
import { Host } from './host.ts';
import type { Queue } from './queue.ts';
import type { Switch } from './switch.ts';

export const STRANGER = '192.0.2.200';
const STRANGER_MAC = '02:53:50:00:02:00';
/** Messages it remembers. */
const OVERHEARD = 64;
/** Messages of one burst. */
const BURST = 40;

export class Stranger extends Host {
  sent = 0;
  heard = 0;
  private readonly dice: Dice;
  private readonly gap: number;
  private readonly phones: readonly string[];
  private readonly overheard: string[] = [];
  private n = 0;

  /** @param gap mean pause between two bursts, ms. */
  constructor(queue: Queue, lan: Switch, dice: Dice, gap: number, phones: readonly string[]) {
    super(queue, lan, 'stranger', STRANGER_MAC, STRANGER);
    this.dice = dice;
    this.gap = gap;
    this.phones = phones;
    this.onUdp = () => {
      this.heard += 1;
    };
    lan.taps.push((port, frame) => this.listen(port, frame));
  }

  start(): void {
    this.queue.after(this.dice.wait(this.gap), () => {
      this.burst();
      this.start();
    });
  }

  /** What phones say to the pair in dialogs and transactions that stand. */
  private listen(port: string, frame: Frame): void {
    if (port === 'stranger' || frame.kind !== 'udp' || frame.udp.dstIp !== VIP) return;
    const { text } = frame.udp;
    if (text === undefined || !/^(?:SIP\/2\.0|ACK|CANCEL|BYE|INVITE)/.test(text)) return;
    if (this.overheard.length >= OVERHEARD) this.overheard.shift();
    this.overheard.push(text);
  }

  private burst(): void {
    const act = this.dice.pick([
      () => this.knock(),
      () => this.garbage(),
      () => this.again(),
      () => this.nearly(),
      () => this.forge(),
    ]);
    const most = this.dice.pick([1, 5, BURST]);
    for (let i = 0; i < most; i += 1) this.queue.after(this.dice.between(0, 20), act);
  }

  private say(text: string): void {
    this.sent += 1;
    this.send({ srcIp: STRANGER, srcPort: 5060, dstIp: VIP, dstPort: 5060, text });
  }

  /** A request that nobody here has asked before. */
  private request(method: string, ip: string, toTag = ''): string {
    this.n += 1;
    const id = `s${this.n}x${this.dice.u32().toString(36)}`;
    const number = 4000 + this.dice.whole(0, 999);
    return (
      `${method} sip:${number}@${VIP} SIP/2.0\r\nVia: SIP/2.0/UDP ${ip}:5060;branch=z9hG4bK${id};rport\r\n` +
      `Max-Forwards: 70\r\nFrom: <sip:${number}@${VIP}>;tag=${id}\r\n` +
      `To: <sip:${number}@${VIP}>${toTag}\r\nCall-ID: ${id}\r\nCSeq: 1 ${method}\r\n` +
      `Contact: <sip:x@${this.dice.pick([ip, VIP, '127.0.0.1', '192.0.2.11:5405'])}>\r\n` +
      `Event: dialog\r\nExpires: 60\r\nContent-Length: 0\r\n\r\n`
    );
  }

  private knock(): void {
    const { dice } = this;
    const method = dice.pick([
      'OPTIONS',
      'REGISTER',
      'INVITE',
      'SUBSCRIBE',
      'MESSAGE',
      'PUBLISH',
      'X',
    ]);
    this.say(this.request(method, STRANGER));
  }

  private garbage(): void {
    const { dice } = this;
    const text = this.request('INVITE', STRANGER);
    if (dice.odds(0.5)) {
      this.say(text.slice(0, dice.whole(0, text.length - 1)));
      return;
    }
    let noise = '';
    for (let i = dice.whole(1, 300); i > 0; i -= 1)
      noise += String.fromCharCode(dice.whole(0, 255));
    this.say(noise);
  }

  /**
   * Somebody else's words once more: an answer, an ACK, a CANCEL. Not the 2xx to an INVITE, which has to
   * be acknowledged whoever says it, long after the call is over.
   */
  private again(): void {
    const text = this.pickOverheard(/^(?:SIP\/2\.0 [13-6]|ACK|CANCEL)/);
    if (text !== undefined) this.say(text);
  }

  /** Somebody else's words with one that was guessed: a tag, a branch, a Call-ID. */
  private nearly(): void {
    const text = this.pickOverheard(/^/);
    if (text === undefined) return;
    const word = this.dice.u32().toString(36);
    const changed = /^SIP/.test(text)
      ? text.replace(/branch=z9hG4bK([^-;\r]*)[^;\r]*/, `branch=z9hG4bK$1-${word}`)
      : text
          .replace(/\r\nTo: ([^\r]*?)(?:;tag=([^-;\r]*)[^;\r]*)?\r/, `\r\nTo: $1;tag=$2-${word}\r`)
          .replace(/branch=[^;\r]*/, `branch=z9hG4bK${word}`);
    if (changed !== text) this.say(changed);
  }

  /** From the address of a phone, or of a box, or of nobody: only what nothing is answered to. */
  private forge(): void {
    const { dice } = this;
    const srcIp = dice.pick([...this.phones, VIP, '192.0.2.11', '192.0.2.12', '192.0.2.222']);
    const answer = `SIP/2.0 200 OK\r\n${this.request('X', srcIp).split('\r\n').slice(1).join('\r\n')}`;
    const text =
      srcIp === VIP
        ? this.request(dice.pick(['OPTIONS', 'INVITE']), srcIp)
        : dice.pick([this.request('ACK', srcIp, ';tag=1-x'), answer, '\0\x01\x02']);
    this.sendForged({ srcIp, srcPort: 5060, dstIp: VIP, dstPort: 5060, text });
  }

  private sendForged(udp: Udp): void {
    const dst: Mac | undefined = this.macOf(VIP);
    if (dst === undefined) return;
    this.sent += 1;
    this.lan.send(this.name, { kind: 'udp', src: this.mac, dst, udp });
  }

  private pickOverheard(what: RegExp): string | undefined {
    const fit = this.overheard.filter((text) => what.test(text));
    return fit.length === 0 ? undefined : this.dice.pick(fit);
  }
}
