/** SNMP: the state of the box for Debian's snmpd, and what changes as notifications. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mono } from '../../base/units.ts';
import { instancesNow, REGIONS } from '../../panel/mib/agent.ts';
import type { Scene } from '../../panel/mib/terms.ts';
import { notificationsOf } from '../../panel/mib/traps.ts';
import { Instances } from '../../panel/mib/values.ts';
import type { BoxStatus, StatusChange } from '../../panel/monitor/box-status.ts';
import { mono } from '../clock.ts';
import { AgentxSession } from './agentx-session.ts';
import type { Consumer, ConsumerContext, SystemTree } from './consumer.ts';

/** Where snmpd listens for us: `agentXSocket` of its configuration. */
export const AGENTX_SOCKET = 'run/sipair/agentx.sock';

/** `system snmp enabled` of the configuration. */
function enabled(system: SystemTree): boolean {
  const { snmp } = system;
  return typeof snmp === 'object' && snmp !== null && 'enabled' in snmp && snmp.enabled === true;
}

class SnmpConsumer implements Consumer {
  private readonly context: ConsumerContext;
  private session: AgentxSession | undefined;
  private status: BoxStatus | undefined;
  /** Of `status`, made when it is asked for first. */
  private made: Instances | undefined;
  /** When the master began. The clock of the day may be set after that, above all at a start. */
  private masterBegan: Mono | undefined;
  private readonly none = new Instances([]);

  constructor(context: ConsumerContext) {
    this.context = context;
    this.configure(context.system);
  }

  configure(system: SystemTree): void {
    const wanted = enabled(system);
    if (wanted === (this.session !== undefined)) return;
    if (!wanted) {
      this.close();
      return;
    }
    this.session = new AgentxSession({
      master: join(this.context.root, AGENTX_SOCKET),
      regions: REGIONS,
      instances: () => this.instances(),
      begun: (upTime) => {
        this.masterBegan = mono() - upTime * 10;
        this.made = undefined;
      },
      log: this.context.log,
    });
  }

  update(status: BoxStatus, changes: readonly StatusChange[]): void {
    this.status = status;
    this.made = undefined;
    if (this.session === undefined || changes.length === 0) return;
    const scene = this.scene(status);
    for (const change of changes) {
      for (const { oid, varbinds } of notificationsOf(change, scene)) {
        this.session.notify(oid, varbinds);
      }
    }
  }

  close(): void {
    this.session?.close();
    this.session = undefined;
  }

  private instances(): Instances {
    if (this.status === undefined) return this.none;
    this.made ??= instancesNow(this.scene(this.status));
    return this.made;
  }

  private scene(status: BoxStatus): Scene {
    const { masterBegan } = this;
    return {
      status,
      upTimeAt: (at) => Math.max(0, (at - (masterBegan ?? at)) / 10),
      lanIfIndex: ifIndex(status.daemon?.lan?.interface),
    };
  }
}

/** As IF-MIB numbers it: snmpd takes the kernel's number. */
function ifIndex(name: string | undefined): number {
  if (name === undefined || !/^[\w.-]+$/.test(name)) return 0;
  try {
    return Number(readFileSync(`/sys/class/net/${name}/ifindex`, 'latin1').trim());
  } catch {
    return 0;
  }
}

export function snmpConsumer(context: ConsumerContext): Consumer {
  return new SnmpConsumer(context);
}
