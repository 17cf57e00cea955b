/**
 * The npm package raw-socket, loaded when it is first asked for: it is not for worker threads. In the
 * executable image/binary.ts puts a `require` here that its bundler can follow.
 */

import { createRequire } from 'node:module';

export function rawPackage(): typeof import('raw-socket') {
  return createRequire(import.meta.url)('raw-socket') as typeof import('raw-socket');
}
