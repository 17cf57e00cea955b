/**
 * What an operator says about a site: extensions that differ from the rest, trunks, groups of trunks,
 * the dial plan, classes of service, emergency numbers. Plain data, the same on both boxes (its digest
 * is part of what they agree on); `edge/config-site.ts` makes it, `call/` obeys it.
 */

import { type Centre, PLAIN_CENTRE } from './centre.ts';

export type Extension = {
  /** Class of service; '' for the site's default. */
  readonly classOfService: string;
  /** A contact that is there without REGISTER; '' for none. */
  readonly contact: string;
  /** undefined: none, but in a lab (`passwordPrefix`). */
  readonly password: string | undefined;
  /** Display name towards trunks; '' for the one the phone gives. */
  readonly name: string;
  /** Number shown to trunks in place of the extension's own; '' for none. */
  readonly callerId: string;
  /** Its phones are told what waits in its mailbox though they do not subscribe to that. */
  readonly mwi: boolean;
  /** How programs steer its phone; left out: PLAIN_CONTROL. */
  readonly control?: PhoneControl;
};

/**
 * answer: by NOTIFY `talk`, by INVITE with an auto-answer header when it is called for a program, or not
 * at all (`manual`: the user lifts). hold: by NOTIFY `hold` and `talk`, or by re-INVITEs of ours. make:
 * RFC 3725 flows, or REFER.
 */
export type PhoneControl = {
  readonly answer: 'talk' | 'auto' | 'manual';
  readonly hold: 'notify' | 'reinvite';
  readonly make: 'rfc3725' | 'refer';
};

export const PLAIN_CONTROL: PhoneControl = { answer: 'talk', hold: 'reinvite', make: 'rfc3725' };

export type Credentials = { readonly user: string; readonly password: string };

/** How a number is rewritten: `strip` digits off its front, then `prepend`. */
export type Rewriting = { readonly strip: number; readonly prepend: string };

export const NUMBER_FORMATS = ['as-is', 'plus', 'plain'] as const;

export type Trunk = {
  readonly name: string;
  /** Where calls go, best first: the contact and its backups. A host may be a name. */
  readonly contacts: readonly string[];
  /** Numbers that begin with one of these belong here; the longest of all trunks wins. */
  readonly prefixes: readonly string[];
  /** The lower goes first. */
  readonly priority: number;
  /** Calls in both directions at once; 0: no limit. */
  readonly capacity: number;
  /** Host of the URIs of this trunk; '' for the host of its contact. */
  readonly domain: string;
  /**
   * OPTIONS every `periodS` (0: none); a contact that leaves one unanswered for `forceS` is out of
   * service, and asked every `recoveryS` from then on.
   */
  readonly options: {
    readonly periodS: number;
    readonly forceS: number;
    readonly recoveryS: number;
  };
  /** An INVITE of which nothing is heard for so long is tried elsewhere too, where there is. */
  readonly tryS: number;
  /** Register-out. `registrar` '' for the contact. */
  readonly register:
    | (Credentials & {
        readonly registrar: string;
        readonly aor: string;
        readonly expiresS: number;
      })
    | undefined;
  /** By which we answer its 401 and 407. */
  readonly auth: Credentials | undefined;
  readonly inbound: {
    /** Sources that are this trunk; its contacts' own addresses too when `contacts`. */
    readonly addresses: readonly string[];
    readonly contacts: boolean;
    /** By which it answers our 407; needs a site with digest. */
    readonly digest: Credentials | undefined;
    /** Front of our numbers, taken off what is called. */
    readonly prefix: string;
    readonly prepend: string;
    /** Where the called number stands. */
    readonly number: 'request-uri' | 'to';
  };
  readonly classOfService: string;
  readonly rewrite: Rewriting;
  readonly format: (typeof NUMBER_FORMATS)[number];
  readonly callerId: {
    /** Put in front of an extension's number. */
    readonly prefix: string;
    /** Shown instead of every number; '' for none. */
    readonly number: string;
    /** Every call is anonymous. */
    readonly anonymous: boolean;
    /** RFC 3325: within the Trust Domain; P-Asserted-Identity is believed and given. */
    readonly trusted: boolean;
    /** Diversion and History-Info are passed on to it. */
    readonly diversion: boolean;
  };
};

export const GROUP_ORDERS = ['priority', 'round-robin'] as const;

export type TrunkGroup = {
  readonly name: string;
  readonly trunks: readonly string[];
  readonly order: (typeof GROUP_ORDERS)[number];
};

/** One line of the dial plan. */
export type DialRule = {
  readonly match: string;
  /** Trunks or groups in order; empty: the number as rewritten is looked up once more. */
  readonly to: readonly string[];
  readonly strip: number;
  readonly prepend: string;
  /** The whole number, in place of both; '' for none. */
  readonly replace: string;
  /** The status a caller hears instead; 0 for none. */
  readonly refuse: number;
};

/** Patterns; the longest that fits decides. */
export type ServiceClass = { readonly allow: readonly string[]; readonly deny: readonly string[] };

/** A number that always routes, and the number it is called by outside. */
export type EmergencyNumber = { readonly match: string; readonly as: string };

export type Site = {
  readonly extensions: { readonly [number: string]: Extension };
  readonly trunks: readonly Trunk[];
  readonly groups: readonly TrunkGroup[];
  readonly rules: readonly DialRule[];
  readonly classes: { readonly [name: string]: ServiceClass };
  /** Of extensions that name none. */
  readonly defaultClass: string;
  readonly emergency: {
    readonly numbers: readonly EmergencyNumber[];
    /** Trunks or groups in order; empty: all trunks by priority. */
    readonly to: readonly string[];
  };
  readonly centre: Centre;
};

/** Classes there are without being configured: everything, and extensions only. */
export const BUILT_IN_CLASSES: { readonly [name: string]: ServiceClass } = {
  all: { allow: ['!'], deny: [] },
  internal: { allow: [], deny: [] },
};

/** A site that said nothing: extensions call each other. */
export const PLAIN_SITE: Site = {
  extensions: {},
  trunks: [],
  groups: [],
  rules: [],
  classes: {},
  defaultClass: 'all',
  emergency: { numbers: [], to: [] },
  centre: PLAIN_CENTRE,
};

export function extensionOf(site: Site, number: string): Extension | undefined {
  return Object.hasOwn(site.extensions, number) ? site.extensions[number] : undefined;
}

export function trunkOf(site: Site, name: string): Trunk | undefined {
  return name === '' ? undefined : site.trunks.find((t) => t.name === name);
}

/** The trunk that proves itself under this name. */
export function trunkOfUser(site: Site, user: string): Trunk | undefined {
  return site.trunks.find((t) => t.inbound.digest?.user === user);
}

/** Trunks of a list of names of trunks and groups, in that order; whether they take turns. */
export function trunksOf(
  site: Site,
  names: readonly string[],
): { readonly trunks: readonly Trunk[]; readonly turns: boolean }[] {
  return names.flatMap((name) => {
    const group = site.groups.find((g) => g.name === name);
    const members = group === undefined ? [name] : group.trunks;
    const trunks = members.map((n) => trunkOf(site, n)).filter((t) => t !== undefined);
    return trunks.length === 0 ? [] : [{ trunks, turns: group?.order === 'round-robin' }];
  });
}
