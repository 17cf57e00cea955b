/**
 * Everything that can be said against a configuration: the schema's own word, then the daemon's, which
 * reads the files that would be made of it for both boxes. Faults of those are told by the words of the tree. And of what is
 * proposed: the files it names, which the service could not start without.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { BoxId } from '../../pair/terms.ts';
import type { ConfigurationFault, Tree } from '../../panel/system/terms.ts';
import { verifyTree } from '../../panel/tree/check.ts';
import { boxFile, placeOf } from '../../panel/tree/generate.ts';
import { zoneFault } from '../../panel/tree/machine-network.ts';
import { endedFault } from '../certificate.ts';
import { readConfig } from '../config.ts';
import type { StreamConfig } from '../config-streams.ts';
import { clientContext, shownBy } from '../flow-secure.ts';
import type { Places } from './files.ts';

/** More than these are not told one by one. */
const TOLD = 50;
/** For the pair's own certificate, where only the file of who signs clients' is asked about. */
const PLACEHOLDER = '192.0.2.1';

/** A zone that this box does not have would silently be UTC. Where there are no zones at all, none is missing. */
export function zoneFaults(tree: Tree, places: Places): readonly ConfigurationFault[] {
  const { zones } = places;
  if (!existsSync(zones)) return [];
  const fault = zoneFault(tree, (zone) => existsSync(join(zones, zone)));
  return fault === undefined ? [] : [fault];
}

/** What is proposed in place of `active`, with the files it names. */
export function vetTree(
  tree: Tree,
  active: Tree,
  box: BoxId,
  places: Places,
): readonly ConfigurationFault[] {
  const faults = judgeTree(tree, places);
  return faults.length > 0 ? faults : lackingFiles(tree, active, box, places);
}

/** Certificates this box has not or cannot show; those that are active already were good. */
function lackingFiles(
  tree: Tree,
  active: Tree,
  box: BoxId,
  places: Places,
): readonly ConfigurationFault[] {
  const streams = streamsIn(tree, box, places);
  if (streams === undefined) return [];
  const before = streamsIn(active, box, places);
  const at = (path: string): string => (path === '' ? '' : join(places.root, path));
  const lacking = (place: string, text: string): ConfigurationFault => ({
    code: 'config-file',
    place: placeOf(tree, box, place),
    text: `box ${box} ${text}`,
  });
  const { ca } = streams.outgoing;
  const unread = ca === before?.outgoing.ca ? '' : caFault(at(ca));
  const believed = unread === '' ? [] : [lacking('sip.outgoing.ca', `cannot use it: ${unread}`)];
  const shown = (['tls', 'wss'] as const).flatMap((which): ConfigurationFault[] => {
    const listener = streams[which];
    if (listener === undefined || isDeepStrictEqual(listener, before?.[which])) return [];
    if (listener.certificate === '' && listener.ca === '') return [];
    const { certificate, key, ca } = listener;
    const here = { ...listener, certificate: at(certificate), key: at(key), ca: at(ca) };
    const shown = shownBy(here, new Uint8Array(32), [PLACEHOLDER], Date.now());
    const fault =
      'fault' in shown ? shown.fault : endedFault(String(shown.options.cert), Date.now());
    return fault === '' ? [] : [lacking(`sip.${which}.certificate`, `cannot show it: ${fault}`)];
  });
  return [...shown, ...believed];
}

/** @returns what is wrong with a file of who signs certificates; '' for none, and for no file. */
function caFault(path: string): string {
  try {
    if (path !== '') clientContext({ ca: path, insecure: false }, undefined);
    return '';
  } catch (e) {
    return (e as Error).message;
  }
}

function streamsIn(tree: Tree, box: BoxId, places: Places): StreamConfig | undefined {
  const { state: data, control, key: keyFile } = places;
  const read = readConfig(boxFile(tree, box, { data, control, keyFile }), false);
  return 'node' in read ? read.streams : undefined;
}

export function judgeTree(tree: Tree, places: Places): readonly ConfigurationFault[] {
  const faults: ConfigurationFault[] = [...verifyTree(tree), ...zoneFaults(tree, places)];
  if (faults.length > 0) return faults.slice(0, TOLD);
  const { state: data, control, key: keyFile } = places;
  const said = new Set<string>();
  for (const box of ['a', 'b'] as const) {
    const read = readConfig(boxFile(tree, box, { data, control, keyFile }), false);
    if ('node' in read) continue;
    for (const { code, place, text } of read) {
      const fault = { code, place: placeOf(tree, box, place), text };
      const key = JSON.stringify(fault);
      if (!said.has(key)) faults.push(fault);
      said.add(key);
    }
  }
  return faults.slice(0, TOLD);
}
