/**
 * chrony.conf: the box asks time servers and serves nobody. It says nothing of stepping the clock, which chronyd would
 * do again after every start of its own: a step moves every moment that a person, a log or a call record is told. The
 * appliance lets it once, with the first answers after the machine was started (`clock` in the image).
 */

export type ChronyPlace = {
  /** Where the rate of the clock outlives a reboot. */
  readonly drift: string;
};

/** A correction of more seconds than this is a line of the log. */
const LOGGED_S = 0.5;

export function chronyConf(servers: readonly string[], place: ChronyPlace): string {
  const lines = [
    '# Made from `system ntp` of the configuration: changes here do not last.',
    ...servers.map((server) => `server ${server} iburst`),
    `driftfile ${place.drift}`,
    // the hardware clock follows, so that the next boot begins near the truth
    'rtcsync',
    'maxupdateskew 100',
    `logchange ${LOGGED_S}`,
    // nobody is served; orders come over the unix socket only
    'port 0',
    // questions (no orders) over the loopback too: the monitor has no right to the folder of that socket
    'bindcmdaddress 127.0.0.1',
    'bindcmdaddress ::1',
  ];
  return `${lines.join('\n')}\n`;
}
