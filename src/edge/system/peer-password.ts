/**
 * A password that was forgotten at one box, set from the other one: whoever is admin there may already
 * change everything the two have in common, and the link proves that it is the other box. Without it the
 * only way out is a factory reset.
 */

import { log } from '../log.ts';
import type { Admin, AdminFault } from './admin.ts';
import type { AgentLink } from './link.ts';

type Json = { readonly [name: string]: unknown };

/** scrypt on a busy small box, and a disk that is late. */
const PATIENCE_MS = 10_000;

const ABSENT: AdminFault = { error: 'admin-peer', text: 'the other box is not there' };
const SILENT: AdminFault = {
  error: 'admin-peer',
  text: 'the other box does not answer: is its release as this one?',
};

export class PeerPassword {
  private readonly link: () => AgentLink | undefined;
  private readonly admin: () => Admin;
  private waiting: { readonly id: number; readonly end: (fault: AdminFault | undefined) => void };
  private nextId = 1;

  constructor(link: () => AgentLink | undefined, admin: () => Admin) {
    this.link = link;
    this.admin = admin;
    this.waiting = { id: 0, end: () => {} };
  }

  /** @returns undefined when the other box has stored it. */
  set(password: string): Promise<AdminFault | undefined> {
    const id = this.nextId;
    this.nextId += 1;
    return new Promise((resolve) => {
      // one at a time: whoever asks meanwhile takes the place of who asked before
      this.waiting.end(SILENT);
      const late = setTimeout(() => end(SILENT), PATIENCE_MS);
      const end = (fault: AdminFault | undefined): void => {
        clearTimeout(late);
        this.waiting = { id: 0, end: () => {} };
        resolve(fault);
      };
      this.waiting = { id, end };
      if (this.link()?.send('password', { id, password }) !== true) end(ABSENT);
    });
  }

  /** @returns whether it was one of ours. */
  message(kind: string, json: Json): boolean {
    if (kind === 'password') this.told(Number(json['id']), json['password']);
    else if (kind === 'password-set') this.answered(json);
    else return false;
    return true;
  }

  private told(id: number, password: unknown): void {
    // what is no text is too short
    const verdict = this.admin().replace(typeof password === 'string' ? password : '');
    const fault = 'error' in verdict ? verdict : undefined;
    if (fault === undefined) log('warning', 'the password of admin was set from the other box');
    this.link()?.send('password-set', { id, ...(fault === undefined ? {} : { fault }) });
  }

  private answered(json: Json): void {
    if (json['id'] !== this.waiting.id) return;
    this.waiting.end(json['fault'] as AdminFault | undefined);
  }
}
