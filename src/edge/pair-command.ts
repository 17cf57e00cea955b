/**
 * Two boxes get their pair key from each other, over the crossover, while an operator at each compares
 * six digits. The machine is `pair/pairing.ts`; here are the connection and the key file, for `sipair
 * pair` and for the system agent. The port is open only while this runs. Box a listens, box b connects.
 */

import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { isFault } from '../base/fault.ts';
import type { Millis } from '../base/units.ts';
import { PAIRING_CHANCE, PAIRING_WORDS, Pairing, type PairingFault } from '../pair/pairing.ts';
import { type Config, PAIRING_PORT } from './config.ts';
import { isKeyFault, readKeyFile, writeKeyFile } from './key-file.ts';
import { isOsError, netlite } from './native/netlite.ts';
import { StreamListener, StreamSocket } from './tcp.ts';

/** Exchanges in which our key was shown: each is one guess for somebody in between. */
const TRIES = 3;
const PATIENCE_MS: Millis = 120_000;
/** Two boxes of one letter both wait, or both call: neither hears anything. */
const LATE =
  'nothing came of it in two minutes: is the crossover plugged in, is one box a and the other b?';
/** A yes that was meant for these digits must not fall on others. */
const GONE =
  'the exchange of these digits is over, nothing was changed on this box: pair once more';
/** From a connection to the digits no human is needed. */
const DIGITS_MS: Millis = 5000;
const RETRY_MS: Millis = 300;
/** How long the other box may take to store its key. */
const STORE_MS: Millis = 5000;

/** What the operators are told of the key. */
const KEYS: { readonly [origin in Pairing['origin']]: string } = {
  made: 'both boxes have a new key',
  own: 'the other box has the key of this one now: nothing changes here',
  given: 'this box has the key of the other one now',
};

/** Whose pair it is to be. */
export type PairPlace = Pick<Config, 'box' | 'crossover' | 'keyFile'>;

/** The operator at this box. */
export type PairConsole = {
  readonly say: (text: string) => void;
  /** Six digits, as shown: to be compared, and answered by `answer`. */
  readonly code: (digits: string) => void;
  /** The last call: '' for paired, or what went wrong, beginning with its code. */
  readonly end: (text: string) => void;
};

export class PairSession {
  private readonly config: PairPlace;
  private readonly console: PairConsole;
  private readonly patience: NodeJS.Timeout;
  private listener: StreamListener | undefined;
  private socket: StreamSocket | undefined;
  private machine: Pairing | undefined;
  private step: NodeJS.Timeout | undefined;
  private retry: NodeJS.Timeout | undefined;
  private tries = 0;
  /** Digits were shown. */
  private asked = false;
  /** The key of this exchange is not stored yet. */
  private keyless = true;
  private ended = false;

  constructor(config: PairPlace, console: PairConsole) {
    this.config = config;
    this.console = console;
    this.patience = setTimeout(() => this.finish(`pairing-timeout: ${LATE}`), PATIENCE_MS);
    const { crossover } = config;
    this.say(`box ${config.box}: waiting for the other box on ${crossover.interface}`);
    if (config.box === 'a') this.listen();
    else this.connect();
  }

  /** The operator gave up, or went away. */
  stop(): void {
    this.finish('pairing-stopped: nothing was changed on this box');
  }

  private say(text: string): void {
    this.console.say(text);
  }

  private listen(): void {
    const { crossover } = this.config;
    const listener = StreamListener.open(
      { ip: crossover.address, port: PAIRING_PORT, freebind: true, device: crossover.interface },
      (fd) => this.accept(fd),
    );
    if (!isOsError(listener)) this.listener = listener;
    else this.finish(`pairing-socket: ${listener.osError} (${listener.call})`);
  }

  /** One at a time, from the peer's address. */
  private accept(fd: number): void {
    const peer = netlite.peerName(fd);
    const known =
      typeof peer === 'string' && peer.startsWith(`${this.config.crossover.peerAddress} `);
    if (!known || this.socket !== undefined || this.ended) {
      netlite.close(fd);
      return;
    }
    const socket = StreamSocket.accepted(fd, this.events());
    if (isOsError(socket)) return;
    this.socket = socket;
    this.begin();
  }

  private connect(): void {
    const { crossover } = this.config;
    const socket = StreamSocket.connect(
      {
        ip: crossover.peerAddress,
        port: PAIRING_PORT,
        localIp: crossover.address,
        device: crossover.interface,
      },
      this.events(),
    );
    if (isOsError(socket)) this.again();
    else this.socket = socket;
  }

  private events(): {
    onOpen: () => void;
    onData: (b: Uint8Array) => void;
    onClose: () => void;
  } {
    return {
      onOpen: () => this.begin(),
      onData: (bytes) => this.data(bytes),
      onClose: () => this.lost(),
    };
  }

  private begin(): void {
    const kept = readKeyFile(this.config.keyFile);
    this.machine = new Pairing(
      this.config.box,
      randomBytes(PAIRING_CHANCE),
      isKeyFault(kept) ? undefined : kept,
    );
    this.socket?.write(this.machine.begin());
    this.within(DIGITS_MS, () => this.drop());
  }

  private data(bytes: Uint8Array): void {
    const { machine } = this;
    if (machine === undefined) return;
    const before = machine.state;
    const result = machine.data(bytes);
    // our key goes out in the answer to a hello: whoever got it has had one guess
    if (before === 'hello' && machine.state !== 'hello' && machine.state !== 'failed') {
      this.tries += 1;
    }
    if (isFault(result)) {
      this.fault(result.fault as PairingFault);
      return;
    }
    for (const answer of result as readonly Uint8Array[]) this.socket?.write(answer);
    if (before !== 'compare' && machine.state === 'compare') this.ask(machine.digits);
    if (this.keyless && machine.key !== undefined) this.store();
    else if (machine.state === 'done') this.done();
  }

  private ask(digits: string): void {
    clearTimeout(this.step);
    this.asked = true;
    this.console.code(`${digits.slice(0, 3)} ${digits.slice(3)}`);
  }

  /** A line of the operator; what was typed before the digits were shown is not an answer. */
  answer(line: string): void {
    const { machine } = this;
    if (machine === undefined || machine.state !== 'compare') return;
    const word = line.trim().toLowerCase();
    if (word === 'n' || word === 'no') {
      this.socket?.write(machine.reject());
      this.finish('pairing-refused: the operator at this box said no');
      return;
    }
    if (word !== 'y' && word !== 'yes') {
      this.say('y or n');
      return;
    }
    const confirm = machine.accept();
    if (confirm !== undefined) this.socket?.write(confirm);
    if (machine.state === 'compare') this.say('waiting for the operator at the other box');
    else if (machine.key !== undefined) this.store();
  }

  /** Both said yes. */
  private store(): void {
    const { machine, config } = this;
    const key = machine?.key;
    if (machine === undefined || key === undefined) return;
    this.keyless = false;
    const own = machine.origin === 'own';
    const wrong = own ? undefined : writeKeyFile(config.keyFile, key, true);
    if (wrong !== undefined) {
      this.finish(`${wrong.code}: ${config.keyFile}: ${wrong.text}`);
      return;
    }
    const stored = machine.stored();
    if (stored !== undefined) this.socket?.write(stored);
    this.within(STORE_MS, () => this.lost());
    if (machine.state === 'done') this.done();
  }

  private done(): void {
    this.say(KEYS[this.machine?.origin ?? 'made']);
    this.finish('');
  }

  private fault(code: PairingFault): void {
    this.say(`${code}: ${PAIRING_WORDS[code]}`);
    if (code === 'pairing-refused' || this.tries >= TRIES) {
      this.finish('pairing-failed: nothing was changed on this box');
      return;
    }
    this.drop();
  }

  /** The connection ended by itself. */
  private lost(): void {
    if (this.machine?.key !== undefined && this.machine.state !== 'done') {
      this.finish(
        'pairing-half: the key is stored here, the other box did not say so: pair once more',
      );
      return;
    }
    if (this.asked) this.say('the other box has gone');
    this.drop();
  }

  /** Ends this exchange and waits for another, unless the operator may be about to answer. */
  private drop(): void {
    clearTimeout(this.step);
    this.socket?.close();
    this.socket = undefined;
    this.machine = undefined;
    if (this.asked) {
      this.finish(`pairing-gone: ${GONE}`);
      return;
    }
    if (this.tries >= TRIES) {
      this.finish(`pairing-tries: ${TRIES} exchanges came to nothing; look who is on the cable`);
      return;
    }
    this.again();
  }

  private again(): void {
    if (this.config.box !== 'b' || this.ended) return;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.connect(), RETRY_MS);
  }

  private within(ms: Millis, late: () => void): void {
    clearTimeout(this.step);
    this.step = setTimeout(late, ms);
  }

  /** @param text what went wrong, '' when nothing did. */
  private finish(text: string): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.step);
    clearTimeout(this.retry);
    clearTimeout(this.patience);
    this.listener?.close();
    this.socket?.end();
    this.console.end(text);
  }
}

/** Pairs this box with the other one. @returns the exit code. */
export function runPairing(config: Config): Promise<number> {
  const say = (text: string): void => {
    process.stdout.write(`${text}\n`);
  };
  if (config.keyFile === '') {
    say('pairing-key-file: "keyFile" must be in the configuration, not "key"');
    return Promise.resolve(2);
  }
  return new Promise((resolve) => {
    const keys = createInterface({ input: process.stdin });
    const session = new PairSession(config, {
      say,
      code(digits) {
        say(`code: ${digits}`);
        say('does the other box show the same code? [y/n]');
      },
      end(text) {
        say(text === '' ? `paired: the key is in ${config.keyFile} on both boxes` : text);
        keys.close();
        resolve(text === '' ? 0 : 1);
      },
    });
    keys.on('line', (line) => session.answer(line));
  });
}
