/**
 * A site with phones, a media service and a recorder that act by themselves, for tests of whatever uses
 * conferences; commands of programs; and what all of them find to complain of.
 */

import { publish } from '../../src/call/csta/publish.ts';
import type { Done, Refusal } from '../../src/call/csta/refusal.ts';
import { MONITOR, PARTY } from '../../src/call/csta/rows.ts';
import { watched } from '../../src/call/events/watch.ts';
import { CONTACT } from '../../src/call/trunk-rows.ts';
import { PLAIN_CENTRE } from '../../src/proto/centre.ts';
import type { Context, SipSettings } from '../../src/proto/context.ts';
import { PLAIN_SITE } from '../../src/proto/site.ts';
import { Lab } from './call-lab.ts';
import { point } from './distribute-lab.ts';
import { TransferPhone } from './transfer-phone.ts';

export const STEP = 50;

/** The media service of the box (RFC 4240), or a recorder: answers at once, unless it is told not to. */
export class Service extends TransferPhone {
  refuses = 0;
  /** It answers only when it is told to. */
  slow = false;

  override act(): void {
    super.act();
    if (!this.slow) while (this.lift(this.refuses === 0 ? 200 : this.refuses)) super.act();
  }

  /** Who takes part in which mode, by what they described last: "talk 1001". */
  members(): string[] {
    return this.living()
      .map((t) => {
        const uri = t.invite?.requestUri ?? '';
        const what = /conf=/.test(uri) ? (/;mode=(\w+)/.exec(uri)?.[1] ?? 'talk') : playOf(uri);
        const coach = /;coach=(\w+)/.exec(uri);
        return `${what} ${who(t.heard)}${coach === null ? '' : ` to ${this.named(coach[1] as string)}`}`;
      })
      .sort();
  }

  /** Conferences it keeps. */
  conferences(): string[] {
    const words = this.living().map((t) => /conf=([^@]*)/.exec(t.invite?.requestUri ?? '')?.[1]);
    return [...new Set(words.filter((w) => w !== undefined))] as string[];
  }

  private named(member: string): string {
    const found = this.living().find((t) =>
      new RegExp(`;member=${member}(?!\\d)`).test(t.invite?.requestUri ?? ''),
    );
    return found === undefined ? 'nobody' : who(found.heard);
  }
}

function playOf(uri: string): string {
  return /;play=([^;]*)/.exec(uri)?.[1] ?? 'nothing';
}

/** Whose description it is. */
export function who(sdp: string): string {
  const name = /^s=(.*?)(?:v\d+)?\r?$/m.exec(sdp)?.[1] ?? 'nobody';
  const quiet = /^a=inactive/m.test(sdp) ? ' quiet' : '';
  return (name === '-' ? 'nobody' : name) + quiet;
}

export type Cast = {
  readonly lab: Lab;
  readonly media: Service;
  readonly recorder: Service;
  /** 1001, 1002, ... */
  readonly phones: readonly TransferPhone[];
  /** What programs were told so far, and what is wrong with it. */
  readonly told: string[];
  readonly faults: string[];
};

export const RECORDER = {
  name: 'rec',
  kinds: ['recorder'],
  contact: 'sip:record@192.0.2.80',
  msml: false,
} as const;

/** An agent whose calls are recorded. */
const ANN = {
  ...{ id: 'ann', password: '', queues: [], wrapUpS: 0, autoLogoutS: 0, legalGuardS: 0 },
  noAnswer: { afterS: 0, overflow: [], action: 'none' },
  record: true,
} as const;

export function stage(recorder = false, settings: Partial<SipSettings> = {}): Cast {
  const services = recorder ? [RECORDER] : [];
  const points = { '5000': point('5000') };
  const centre = { ...PLAIN_CENTRE, services, agents: { ann: ANN }, points };
  const site = { ...PLAIN_SITE, centre };
  const lab = new Lab({ site, ...settings });
  const phones = [1, 2, 3, 4].map((n) => new TransferPhone(lab, `100${n}`, `192.0.2.${n}`));
  for (const phone of phones) lab.register(phone);
  const media = new Service(lab, 'media', '127.0.0.90');
  const rec = new Service(lab, 'record', '192.0.2.80');
  lab.store.insert(MONITOR, { session: 1, kind: 'all', subject: '*' });
  // contacts of services are followed from the first turn on, as on a box
  lab.swap(false);
  if (recorder) {
    const row = [...lab.store.rows(CONTACT)][0];
    if (row !== undefined) lab.store.patch(CONTACT, row, { state: 'up' });
  }
  return { lab, media, recorder: rec, phones, told: [], faults: [] };
}

export function command(lab: Lab, f: (cx: Context) => Done | Refusal): Done | Refusal {
  lab.cx.now = lab.now;
  const cx = watched(lab.cx);
  cx.turn.session = 7;
  cx.turn.request = '"r"';
  const done = f(cx);
  publish(cx);
  return done;
}

/** The connections of a device, the first first. */
export function at(cx: Context, device: string, n = 0): { callId: number; deviceId: string } {
  const party = cx.store.all(PARTY, 'device', device)[n];
  return { callId: party?.ccall ?? 0, deviceId: device };
}

export function act(cast: Cast): void {
  for (const one of [...cast.phones, cast.media, cast.recorder]) one.act();
}

/** Lets the cast act for so long. */
export function live(cast: Cast, ms: number): void {
  for (let t = 0; t < ms; t += STEP) {
    act(cast);
    cast.lab.pass(STEP);
  }
}

/** What programs were told, as "event device". */
export function told(lab: Lab): string[] {
  return lab.programs.map((text) => {
    const [head = '', body = ''] = text.split('\n');
    if (!head.includes('"kind":"event"')) return head;
    const said = JSON.parse(body);
    return `${said.event} ${said.connection?.deviceId ?? said.supervisorDevice ?? ''}`.trim();
  });
}

export function complaints(cast: Cast): string[] {
  const all = [...cast.phones, cast.media, cast.recorder].flatMap((p) =>
    p.complaints.map((c) => `${p.user}: ${c}`),
  );
  // a box that never got its BYE offers it the session once more
  return all.filter((c) => c !== 'media: re-INVITE when over');
}
