/** Names and passwords that stand before a host in addresses: what is told of an address goes without them. */

export const HIDDEN = '***';

/** `https://name:password@host`, up to the last @ of the word: a password may have any sign in it. */
const WEB = /:\/\/[^\s"]*@/g;
/** `sip:name:password@host` (RFC 3261 19.1.1): the name is who it is. */
const SIP = /\b(sips?:[^\s"<>;@:/]*:)[^\s"<>;@?/]*@/g;

export function withoutLogins(text: string): string {
  return text.replace(WEB, `://${HIDDEN}@`).replace(SIP, `$1${HIDDEN}@`);
}
