/** Everything the agent serves at one moment, and what of the tree it asks the master for. */

import { SIPAIR, SIPAIR_GROUPS, SIPAIR_OBJECTS } from './sipair.ts';
import { SIP_COMMON, SIP_SERVER, standardInstances, VRRPV3 } from './standard.ts';
import { instancesOf, type Scene } from './terms.ts';
import { Instances, type Oid } from './values.ts';

/** Subtrees to be registered. */
export const REGIONS: readonly Oid[] = [SIP_COMMON, SIP_SERVER, VRRPV3, SIPAIR];

export function instancesNow(scene: Scene): Instances {
  return new Instances([
    ...standardInstances(scene),
    ...instancesOf(SIPAIR_OBJECTS, SIPAIR_GROUPS, scene),
  ]);
}
