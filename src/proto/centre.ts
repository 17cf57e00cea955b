/**
 * What an operator says about the contact centre of a site: routing points, queues, agents, media
 * services, programs. Plain data like the rest of the site; `edge/config-centre.ts` makes it, `call/`
 * and `cti/` obey it.
 */

/** early: a treatment is heard before the call is answered (free to the caller); answered: after. */
export const CHARGES = ['answered', 'early'] as const;
export type Charge = (typeof CHARGES)[number];

/** What happens to an agent who did not answer. */
export const NO_ANSWER_ACTIONS = ['none', 'not-ready', 'log-out'] as const;
export type NoAnswerAction = (typeof NO_ANSWER_ACTIONS)[number];

/** No-answer supervision: after `afterS` (0: none) the call goes on by `overflow`. */
export type NoAnswer = {
  readonly afterS: number;
  /** Tried in order: `recall` (back to where it was distributed), `release`, or numbers. */
  readonly overflow: readonly string[];
  readonly action: NoAnswerAction;
};

/** Calls wait here until a program says where they go. */
export type RoutingPoint = {
  readonly number: string;
  /** A router that says nothing for so long is not waited for; 0: default routing at once. */
  readonly timeoutS: number;
  /** Numbers by default routing, in turn; empty: the caller is refused. */
  readonly defaults: readonly string[];
  /** Routing points and queues a call may pass before it is default-routed for good. */
  readonly hopLimit: number;
  readonly charge: Charge;
  /** What a caller hears before a router says otherwise: a prompt, `ringback`, `music`; '' for ringing. */
  readonly treatment: string;
  readonly noAnswer: NoAnswer;
};

/** Calls wait here for agents. */
export type Queue = {
  readonly number: string;
  readonly name: string;
  readonly charge: Charge;
  readonly treatment: string;
  /** Calls that may wait; 0: no limit. The next ones overflow. */
  readonly maxCalls: number;
  /** A call that waited so long overflows; 0: never. */
  readonly maxWaitS: number;
  /** Where calls go that cannot wait, or find no agent logged in: numbers in turn; empty: refused. */
  readonly overflow: readonly string[];
  readonly noAnswer: NoAnswer;
};

/** Who may log in. `no`: whoever asks; `yes`: agents of the list; `password`: those who prove themselves. */
export const STRICT = ['no', 'yes', 'password'] as const;

export type AgentLogin = {
  readonly id: string;
  readonly password: string;
  /** Queues he serves once logged in. */
  readonly queues: readonly string[];
  /** After-call work: seconds, 0: none, -1: until he says so. */
  readonly wrapUpS: number;
  readonly noAnswer: NoAnswer;
  /** Not ready for so long: logged off; 0: never. */
  readonly autoLogoutS: number;
  /** Ready only so long after a business call ended; 0: none (legal guard). */
  readonly legalGuardS: number;
  /** His calls are recorded. */
  readonly record: boolean;
};

export const SERVICE_KINDS = ['treatment', 'music', 'conference', 'recorder', 'voicemail'] as const;
export type ServiceKind = (typeof SERVICE_KINDS)[number];

/** A media service (RFC 4240, RFC 5707). Without any, the box's own serves treatment, music, conference. */
export type MediaService = {
  readonly name: string;
  readonly kinds: readonly ServiceKind[];
  /** SIP URI whose user part is put in by what is asked for: `annc`, `conf=ID`, `msml`. */
  readonly contact: string;
  readonly msml: boolean;
};

export const PROGRAM_ROLES = [
  'observe',
  'own-device',
  'control',
  'route',
  'supervise',
  /** Fetches the files of CDRs. */
  'report',
] as const;
export type ProgramRole = (typeof PROGRAM_ROLES)[number];

export type Program = {
  readonly name: string;
  /** `scrypt:N:r:p:salt:hash` (base64), or the password itself. */
  readonly password: string;
  readonly roles: readonly ProgramRole[];
  /** Devices of `own-device`. */
  readonly devices: readonly string[];
  /** Requests a second, and how many may come at once. */
  readonly rate: number;
  readonly burst: number;
};

export type Centre = {
  readonly points: { readonly [number: string]: RoutingPoint };
  readonly queues: { readonly [number: string]: Queue };
  readonly agents: { readonly [id: string]: AgentLogin };
  readonly strict: (typeof STRICT)[number];
  readonly services: readonly MediaService[];
  readonly programs: readonly Program[];
  /** Heard by who is held; '' for silence. */
  readonly musicOnHold: string;
};

export const PLAIN_CENTRE: Centre = {
  points: {},
  queues: {},
  agents: {},
  strict: 'yes',
  services: [],
  programs: [],
  musicOnHold: 'music',
};

export function pointOf(centre: Centre, number: string): RoutingPoint | undefined {
  return Object.hasOwn(centre.points, number) ? centre.points[number] : undefined;
}

export function queueOf(centre: Centre, number: string): Queue | undefined {
  return Object.hasOwn(centre.queues, number) ? centre.queues[number] : undefined;
}

export function agentOf(centre: Centre, id: string): AgentLogin | undefined {
  return Object.hasOwn(centre.agents, id) ? centre.agents[id] : undefined;
}
