/** Keys and certificates by openssl, for tests: what strangers, trunks and operators bring along. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/**
 * Writes DIR/NAME.pem and DIR/NAME.key. @param by signed by that one; otherwise by itself.
 * @param names subjectAltName, as "DNS:a.test,URI:sip:a.test"; '' for none.
 */
export function issue(dir: string, name: string, by?: string, names = ''): void {
  const at = (file: string): string => join(dir, file);
  const subject = ['-subj', `/CN=${name}`, '-days', '30', '-nodes', '-newkey', 'rsa:2048'];
  const signed = by === undefined ? [] : ['-CA', at(`${by}.pem`), '-CAkey', at(`${by}.key`)];
  if (names !== '') subject.push('-addext', `subjectAltName=${names}`);
  const out = ['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)];
  execFileSync('openssl', ['req', '-x509', ...subject, ...signed, ...out], { stdio: 'ignore' });
}
