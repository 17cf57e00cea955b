/**
 * chrony.conf: the clock follows the servers of the configuration. It is stepped at boot only: a running
 * pair measures by clocks that never jump, and its records and logs by this one, which then only slews.
 * It serves nobody, and takes orders by its unix socket alone.
 */

export type ChronyPlace = {
  /** What it knows of the drift of this box, kept over reboots. */
  readonly drift: string;
  /** The clock was not set since this boot. */
  readonly step: boolean;
};

/** Off by more than a second at one of the first three answers: stepped. */
const STEP = 'makestep 1 3';

export function chronyConf(servers: readonly string[], { drift, step }: ChronyPlace): string {
  const lines = [
    '# Made from `system ntp` of the configuration: changes here do not last.',
    ...servers.map((server) => `server ${server.replace(/\s/g, '')} iburst`),
    ...(step ? [STEP] : []),
    `driftfile ${drift}`,
    // the kernel keeps the clock of the board right, for the next boot without a network
    'rtcsync',
    'port 0',
    'cmdport 0',
  ];
  return `${lines.join('\n')}\n`;
}
