/**
 * Phones on desks, as a process on the host `lan`: one JSON line in is a command, one JSON line out
 * what happened. `desk.ts` is the other end.
 */

import { createInterface } from 'node:readline';
import { Phone } from '../../lab/phone.ts';
import { PHONE_ADDRESSES, SIP_PORT, VIP } from '../../lab/places.ts';

export type DeskCommand =
  /** `answersMs`: lifts after so long; -1: when somebody, or a program, says so. */
  | { readonly do: 'phone'; readonly number: number; readonly answersMs: number }
  | { readonly do: 'call'; readonly number: number; readonly to: number }
  | { readonly do: 'hang-up'; readonly number: number };

export type DeskEvent = {
  readonly number: number;
  readonly what: 'registered' | 'rings' | 'talks' | 'failed' | 'ended' | 'broken';
  readonly why?: string;
};

/** Nobody lifts. */
const NEVER_MS = 3_600_000;
const REGISTERED_MS = 20;

const phones = new Map<number, Phone>();

function tell(event: DeskEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function teller(what: DeskEvent['what']): (phone: Phone, why?: string) => void {
  return (phone, why) =>
    tell({ number: Number(phone.number), what, ...(why === undefined ? {} : { why }) });
}

async function make(number: number, answersMs: number): Promise<void> {
  const settings = {
    number: `${number}`,
    address: PHONE_ADDRESSES[phones.size % PHONE_ADDRESSES.length] ?? '',
    port: SIP_PORT,
    server: { address: VIP, port: SIP_PORT },
    password: undefined,
    expires: 600,
    ringMs: () => (answersMs < 0 ? NEVER_MS : answersMs),
  };
  const phone = new Phone(settings, {
    ringing: teller('rings'),
    established: teller('talks'),
    failed: teller('failed'),
    ended: teller('ended'),
    broken: teller('broken'),
  });
  phones.set(number, phone);
  await phone.start();
  phone.register();
  const look = setInterval(() => {
    if (!phone.registered) return;
    clearInterval(look);
    tell({ number, what: 'registered' });
  }, REGISTERED_MS);
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const command = JSON.parse(line) as DeskCommand;
    const phone = phones.get(command.number);
    if (command.do === 'phone') void make(command.number, command.answersMs);
    else if (command.do === 'call') phone?.call(`${command.to}`);
    else phone?.hangUp();
  })
  .on('close', () => process.exit(0));
