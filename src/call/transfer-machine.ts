/**
 * What each event leads to in a transfer (`transfer.ts` says what they are): pure data, proven total by
 * a test.
 */

import type { Transfer } from './transfer-rows.ts';

export type TransferState = Transfer['state'];
export type TransferEvent =
  | 'ring'
  | 'answer'
  | 'accept'
  | 'offer'
  | 'refuse'
  | 'connect'
  | 'deny'
  | 'leave'
  | 'lose'
  | 'vanish'
  | 'told';

export type TransferAction =
  /** NOTIFY the transferor of what became of the target. */
  | 'tell'
  /** Ask the target for an offer. */
  | 'askTarget'
  /** Offer the transferee what the target offers. */
  | 'offerTransferee'
  /** The transferee's answer is the target's. */
  | 'answerTarget'
  | 'connectLegs'
  /** The transferor is hung up: his consultation at once, the rest after he had time to do it. */
  | 'release'
  /** The call to the target is given up. */
  | 'withdraw'
  /** The target is hung up, unless it was consulted and can go on with that. */
  | 'hangUpTarget'
  | 'forgetOffer'
  /** Transferor and transferee go on; where he has left already, the transferee is hung up. */
  | 'restore'
  /** His leg ends, but not the call; a subscription may go on without it. */
  | 'detach'
  | 'finish';

type Cell = { readonly to: TransferState | 'same'; readonly act: readonly TransferAction[] };

const NOTHING: Cell = { to: 'same', act: [] };
const FINISH: Cell = { to: 'same', act: ['finish'] };
const LEAVE: Cell = { to: 'same', act: ['detach'] };

const OVER = {
  ring: NOTHING,
  answer: NOTHING,
  accept: NOTHING,
  offer: NOTHING,
  refuse: NOTHING,
  connect: NOTHING,
  deny: NOTHING,
  lose: NOTHING,
  vanish: NOTHING,
  told: FINISH,
} as const;

export const TRANSFER_MACHINE: {
  readonly [s in TransferState]: { readonly [e in TransferEvent]: Cell };
} = {
  calling: {
    ring: { to: 'same', act: ['tell'] },
    answer: { to: 'joining', act: ['offerTransferee'] },
    accept: { to: 'asking', act: ['askTarget'] },
    offer: NOTHING,
    refuse: { to: 'failed', act: ['tell', 'restore', 'finish'] },
    connect: NOTHING,
    deny: NOTHING,
    leave: LEAVE,
    lose: { to: 'failed', act: ['withdraw', 'tell', 'finish'] },
    vanish: { to: 'failed', act: ['tell', 'restore', 'finish'] },
    told: NOTHING,
  },
  asking: {
    ring: NOTHING,
    answer: NOTHING,
    accept: NOTHING,
    offer: { to: 'joining', act: ['offerTransferee'] },
    refuse: NOTHING,
    connect: NOTHING,
    // the consultation goes on, and so does the call
    deny: { to: 'failed', act: ['tell', 'restore', 'finish'] },
    leave: LEAVE,
    lose: { to: 'failed', act: ['forgetOffer', 'hangUpTarget', 'tell', 'finish'] },
    vanish: { to: 'failed', act: ['tell', 'restore', 'finish'] },
    told: NOTHING,
  },
  joining: {
    ring: NOTHING,
    answer: NOTHING,
    accept: NOTHING,
    offer: NOTHING,
    refuse: NOTHING,
    connect: { to: 'joined', act: ['answerTarget', 'connectLegs', 'tell', 'release', 'finish'] },
    // the target waits for an answer that nobody will give
    deny: { to: 'failed', act: ['hangUpTarget', 'tell', 'restore', 'finish'] },
    leave: LEAVE,
    lose: { to: 'failed', act: ['forgetOffer', 'hangUpTarget', 'tell', 'finish'] },
    vanish: { to: 'failed', act: ['forgetOffer', 'tell', 'restore', 'finish'] },
    told: NOTHING,
  },
  joined: { ...OVER, leave: { to: 'same', act: ['detach', 'finish'] } },
  failed: { ...OVER, leave: NOTHING },
};
