/**
 * chrony.conf: the box asks time servers and serves nobody. The clock is stepped in the first updates
 * after boot only: later a step would move every moment that a person, a log or a call record is told,
 * so it is slewed.
 */

export type ChronyPlace = {
  /** Where the rate of the clock outlives a reboot. */
  readonly drift: string;
  /** The clock may be stepped: true for the file written at boot only. */
  readonly step: boolean;
};

/** A difference of more seconds than this is stepped, in this many first updates. */
const STEP = { seconds: 0.5, updates: 3 } as const;

export function chronyConf(servers: readonly string[], place: ChronyPlace): string {
  const lines = [
    '# Made from `system ntp` of the configuration: changes here do not last.',
    ...servers.map((server) => `server ${server} iburst`),
    `driftfile ${place.drift}`,
    ...(place.step ? [`makestep ${STEP.seconds} ${STEP.updates}`] : []),
    // the hardware clock follows, so that the next boot begins near the truth
    'rtcsync',
    'maxupdateskew 100',
    `logchange ${STEP.seconds}`,
    // nobody is served; orders come over the unix socket only
    'port 0',
    'cmdport 0',
  ];
  return `${lines.join('\n')}\n`;
}
