/**
 * The agent's door to slots and bundles. What is behind it is `image.ts`, where the machine has slots; a
 * box that runs from a folder has none, and says so.
 */

import type { AgentAlarmCode } from '../../panel/monitor/agent-alarms.ts';
import type { Places } from './files.ts';
import type { AgentLink } from './link.ts';
import type { Machine } from './machine.ts';

type Json = { readonly [name: string]: unknown };

export type ImageContext = {
  readonly places: Places;
  readonly machine: Machine;
  /** The link to the peer's agent; undefined while there is none. */
  readonly link: () => AgentLink | undefined;
  readonly alarm: (
    code: AgentAlarmCode,
    severity: 'critical' | 'major' | 'minor' | 'warning',
    text: string,
  ) => void;
  readonly log: (text: string) => void;
  /** A configuration is active: the daemon should run. */
  readonly configured: () => boolean;
  /** Asks the daemon of this box. */
  readonly askDaemon: (request: object) => Promise<object>;
};

export type ImageRoom = {
  /** Parts `image` and `upgrade` of the agent's state. */
  readonly state: () => { readonly image: object; readonly upgrade: object };
  /** The request `image` of the socket, with all that stands in it. */
  readonly request: (verb: string, request: Json) => Promise<object>;
  /** The link to the peer came up, or went down. */
  readonly peer: (up: boolean, release: string) => void;
  /** A message of the peer's room. @returns false: it is not for this room. */
  readonly message: (kind: string, json: Json) => boolean;
  /** The peer has a file. @returns where it goes. */
  readonly file: (meta: Json, size: number) => string | undefined;
  readonly fileDone: (meta: Json, path: string, fault: string) => void;
  readonly close: () => void;
};

export function noImage(): ImageRoom {
  const text = 'this box does not run from an image: it has no slots';
  return {
    state: () => ({ image: {}, upgrade: {} }),
    request: () => Promise.resolve({ error: 'image-none', text }),
    peer: () => {},
    message: () => false,
    file: () => undefined,
    fileDone: () => {},
    close: () => {},
  };
}
