/**
 * An emulated box is ten to fifty times slower than a real one: with the times of a real pair its service would be taken for
 * stuck, its lease would run out, its watchdog would kill it. So the configuration gets the longest times there are, by the
 * console as an operator would. The emulator hands systemd a longer watchdog, and the same long times for the service's first
 * start, which comes before anybody can type: from then on the configuration says the same, and nothing restarts for it.
 */

/** Typed in configuration mode; every one is within its bounds and its relations to the others. */
const SLOW_TIMERS: readonly string[] = [
  'heartbeatMs 500',
  'missed 8',
  'leaseMs 10000',
  'vipLifetimeS 30',
  'renewMs 1000',
  'holdMs 20000',
  'mirrorWaitMaxMs 5000',
  'engineStuckMs 8000',
  'engineStuckAloneMs 30000',
  'flapMs 0',
  'flapMost 100',
  'lanDeadMs 30000',
];

const PATIENT = `[Service]
WatchdogSec=120s
TimeoutStartSec=300s
`;

/** Where the agent's file says nothing of times. */
const TIMERS = SLOW_TIMERS.map((t) => t.replace(/(\w+) (\d+)/, '"$1":$2')).join();
const FIRST_START = `ExecStartPre=/usr/bin/sed -i '/"timers"/!s/^{/{"timers":{${TIMERS}},/' /run/sipair/box.json
`;

/** What the emulator hands to systemd (systemd.system-credentials(7)). */
export const PATIENT_UNITS: readonly (readonly [unit: string, text: string])[] = [
  ['sipair.service', `${PATIENT}${FIRST_START}`],
  ['sipair-system.service', PATIENT],
  ['sipair-monitor.service', PATIENT],
];

/** The page that sets them, at box a. */
export function slowPage(): string {
  return [
    '```serial a',
    ')> › configure',
    ...SLOW_TIMERS.map((t) => `# › set timers ${t}`),
    '# › commit',
    'committed as revision <slow>',
    '# › exit',
    '```',
  ].join('\n');
}
