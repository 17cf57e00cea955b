/**
 * What can be broken on the service LAN, alone or together with the crossover, and its repair: cables,
 * ports, the gateway, the view of each other. The link cases are those of docs/architecture.md.
 */

import type { BoxId } from '../../src/pair/terms.ts';
import type { Box } from './box.ts';
import type { Injector } from './faults.ts';
import type { FaultKind } from './options.ts';

const KINDS = [
  'pull-lan-primary',
  'pull-lan-backup',
  'dead-port-primary',
  'dead-port-backup',
  'lan-gone',
  'gateway-off',
  'isolate-primary',
  'isolate-backup',
  'lossy-x',
] as const satisfies readonly FaultKind[];
export type LanFaultKind = (typeof KINDS)[number];

export function isLanFault(kind: FaultKind): kind is LanFaultKind {
  return (KINDS as readonly FaultKind[]).includes(kind);
}

/** The worse crossover, and how long it lasts. */
const LOSSY = { loss: 0.1, latency: [0, 50] } as const;
const LOSSY_MS = [500, 4000] as const;

/** Pulls the cable, or lets the port go dead behind its carrier. @returns the repair. */
function breakPort(i: Injector, id: BoxId, how: 'pull' | 'dead'): (() => void) | undefined {
  const { lan } = i.world;
  if (!lan.carries(id)) return undefined;
  if (how === 'pull') lan.setPort(id, false);
  else lan.mute.add(id);
  return () => {
    lan.mute.delete(id);
    lan.setPort(id, true);
  };
}

function cutX(i: Injector): (() => void) | undefined {
  const { cable } = i.world;
  if (!cable.up) return undefined;
  cable.cut();
  return () => cable.heal();
}

function gatewayOff(i: Injector): (() => void) | undefined {
  const { gateway } = i.world;
  if (!gateway.on) return undefined;
  gateway.turn(false);
  return () => gateway.turn(true);
}

function worseX(i: Injector): (() => void) | undefined {
  const { cable } = i.world;
  const before = cable.faults;
  if (before.loss === LOSSY.loss) return undefined;
  cable.faults = { ...before, ...LOSSY };
  return () => {
    cable.faults = before;
  };
}

/** What `kind` breaks, one after the other; undefined where there is nothing to break. */
function strike(
  i: Injector,
  kind: LanFaultKind,
  primary: Box | undefined,
  backup: Box | undefined,
): readonly ((() => void) | undefined)[] {
  const at = (box: Box | undefined, how: 'pull' | 'dead'): (() => void) | undefined =>
    box === undefined ? undefined : breakPort(i, box.id, how);
  switch (kind) {
    case 'pull-lan-primary':
      return [at(primary, 'pull')];
    case 'pull-lan-backup':
      return [at(backup, 'pull')];
    case 'dead-port-primary':
      return [at(primary, 'dead')];
    case 'dead-port-backup':
      return [at(backup, 'dead')];
    case 'lan-gone': {
      const how = i.dice.odds(0.5) ? 'pull' : 'dead';
      return [breakPort(i, 'a', how), breakPort(i, 'b', how)];
    }
    case 'gateway-off':
      return [gatewayOff(i)];
    case 'isolate-primary':
      return [at(primary, 'dead'), cutX(i)];
    case 'isolate-backup':
      return [at(backup, 'dead'), cutX(i)];
    case 'lossy-x':
      return [worseX(i)];
  }
}

function place(kind: LanFaultKind, primary: Box | undefined, backup: Box | undefined) {
  if (kind === 'gateway-off') return 'gateway';
  if (kind.endsWith('-primary')) return primary?.id ?? 'x';
  if (kind.endsWith('-backup')) return backup?.id ?? 'x';
  return 'x';
}

/** Breaks it now and arranges the repair. @returns whether there was something to break. */
export function performLan(
  i: Injector,
  kind: LanFaultKind,
  primary: Box | undefined,
  backup: Box | undefined,
): boolean {
  const repairs = strike(i, kind, primary, backup).filter((r) => r !== undefined);
  if (repairs.length === 0) return false;
  i.tell(kind, place(kind, primary, backup));
  i.later(
    () => {
      i.world.say(`repair: ${kind}`);
      for (const repair of repairs) repair();
    },
    kind === 'lossy-x' ? LOSSY_MS : undefined,
  );
  return true;
}
