/**
 * What changed between two looks at the box: the events that SNMP sends as notifications and syslog as
 * messages. A box that is seen for the first time has not changed, except that it has a role now.
 */

import type { BoxStatus, DaemonStatus, StatusChange } from './box-status.ts';

/** What changes are looked for in; kept from one look to the next. */
export type Seen = {
  readonly role: DaemonStatus['role'] | 'none';
  readonly epoch: number;
  readonly inStep: boolean;
  /** undefined: not known yet. */
  readonly peer: boolean | undefined;
  readonly links: { readonly x: boolean | undefined; readonly l: boolean | undefined };
  readonly revision: number | undefined;
  readonly image: string | undefined;
};

export const NOTHING_SEEN: Seen = {
  role: 'none',
  epoch: 0,
  inStep: false,
  peer: undefined,
  links: { x: undefined, l: undefined },
  revision: undefined,
  image: undefined,
};

export type View = Pick<BoxStatus, 'phase' | 'daemon' | 'system'>;

/** @returns what is seen now; of what does not answer, what was seen last. */
export function see(before: Seen, { phase, daemon, system }: View): Seen {
  const revision = system?.revision?.number ?? before.revision;
  const image = imageText(system) ?? before.image;
  if (daemon === undefined) {
    // a question may be lost; a service that is down has no role
    const gone = phase === 'down' ? ({ role: 'none', inStep: false } as const) : {};
    return { ...before, ...gone, revision, image };
  }
  const { peer } = daemon;
  // a box that has just started has not had the time to hear anybody
  const early = daemon.role === 'starting' && before.peer === undefined;
  const links = early ? before.links : { x: peer?.seen.x ?? false, l: peer?.seen.l ?? false };
  return {
    role: daemon.role,
    epoch: daemon.epoch,
    inStep: daemon.inStep,
    peer: early ? before.peer : links.x === true || links.l === true,
    links,
    revision,
    image,
  };
}

function imageText(system: View['system']): string | undefined {
  if (system?.image === undefined) return undefined;
  const { slot, release, confirmed } = system.image;
  const step = system.upgrade?.step ?? '';
  return [
    slot === undefined ? '' : `slot ${slot}`,
    release ?? '',
    confirmed === false ? 'not confirmed' : '',
    step === 'idle' ? '' : step,
  ]
    .filter((word) => word !== '')
    .join(', ');
}

export type Bare = StatusChange extends infer C
  ? C extends unknown
    ? Omit<C, 'at'>
    : never
  : never;

/** The changes from one to the other, the gravest first; `at` is given by the caller. */
export function changesOf(from: Seen, to: Seen, { daemon, system }: View): Bare[] {
  const out: Bare[] = [];
  if (from.role !== to.role) {
    const cause =
      to.role === 'primary' && daemon?.cause !== undefined ? { cause: daemon.cause } : {};
    out.push({ kind: 'role-change', from: from.role, to: to.role, epoch: to.epoch, ...cause });
  }
  const turned = (a: boolean | undefined, b: boolean | undefined): boolean =>
    a !== b && b !== undefined && (a !== undefined || !b);
  if (turned(from.peer, to.peer)) out.push({ kind: to.peer === true ? 'peer-back' : 'peer-lost' });
  for (const path of ['x', 'l'] as const) {
    if (turned(from.links[path], to.links[path])) {
      out.push({ kind: to.links[path] === true ? 'link-back' : 'link-lost', path });
    }
  }
  if (from.inStep !== to.inStep) out.push({ kind: to.inStep ? 'in-step' : 'out-of-step' });
  if (from.revision !== undefined && to.revision !== undefined && from.revision !== to.revision) {
    const by = system?.revision?.by ?? '';
    out.push({ kind: 'configuration', revision: to.revision, by });
  }
  if (from.image !== undefined && to.image !== undefined && from.image !== to.image) {
    out.push({ kind: 'image', text: to.image });
  }
  return out;
}
