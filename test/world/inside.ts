/** What oracles may look at inside a box: its ledger, when it runs the product. */

import type { Ledger } from '../../src/ledger/ledger.ts';
import type { Box } from './box.ts';
import { ProductEngine } from './product.ts';

export function ledgerOf(box: Box): Ledger | undefined {
  const engine = box.process?.engine;
  return engine instanceof ProductEngine ? engine.engine.ledger : undefined;
}
