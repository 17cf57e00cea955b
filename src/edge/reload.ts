/**
 * The configuration file read again while calls go on: all that is new is taken over, or nothing. What
 * cannot change without a restart is named with its places (`config-live.ts`).
 */

import { type ConfigFile, type Json, loadConfigFile } from './config.ts';
import { restartPlaces } from './config-live.ts';
import type { Answer } from './control.ts';
import { log } from './log.ts';
import type { ToEngine } from './messages.ts';

export class Reloads {
  private readonly asked = new Map<number, { readonly answer: Answer; readonly json: Json }>();
  private readonly path: string;
  private readonly key: Uint8Array;
  private readonly toEngine: (m: ToEngine) => void;
  /** The file as what runs was read from it. */
  private json: Json;
  private nextId = 1;

  constructor(path: string, file: ConfigFile, toEngine: (m: ToEngine) => void) {
    this.path = path;
    this.json = file.json;
    this.key = file.config.node.pair.key;
    this.toEngine = toEngine;
  }

  ask(answer: Answer): void {
    const file = loadConfigFile(this.path);
    if (!('config' in file)) {
      const text = file.map((f) => `${f.code}: ${f.place}: ${f.text}`).join('; ');
      log('warning', `reload-faults: ${text}`);
      answer({ error: 'reload-faults', text, faults: file });
      return;
    }
    const places = [...restartPlaces(this.json, file.json)];
    const { node, dns } = file.config;
    // the file of the pair key has the same name for ever
    if (!Buffer.from(node.pair.key).equals(this.key)) places.push('keyFile');
    if (places.length > 0) {
      const text = `a restart is needed for ${places.join(', ')}`;
      answer({ error: 'reload-restart', text, places });
      return;
    }
    const id = this.nextId;
    this.nextId += 1;
    this.asked.set(id, { answer, json: file.json });
    this.toEngine({ kind: 'reload', id, sip: node.sip, dns });
  }

  /** The engine took it over. @param fault a certificate that it cannot show, '' for none. */
  done(id: number, fault: string): void {
    const asked = this.asked.get(id);
    if (asked === undefined) return;
    this.asked.delete(id);
    this.json = asked.json;
    const text =
      fault === ''
        ? 'configuration, certificates and keys are in use as read now'
        : `the configuration is in use; certificate-unusable: ${fault}: what was shown before stays`;
    log(fault === '' ? 'info' : 'warning', text);
    asked.answer({ ok: true, text });
  }
}
