/** Who is meant by a user part: the smallest dial plan, a range of extensions. */

import type { SipSettings } from '../proto/context.ts';

/** True when `user` is an extension of this site, written as a plain number. */
export function isExtension(settings: SipSettings, user: string): boolean {
  if (!/^[1-9]\d{0,8}$/.test(user)) return false;
  const n = Number.parseInt(user, 10);
  return n >= settings.userFrom && n <= settings.userTo;
}
