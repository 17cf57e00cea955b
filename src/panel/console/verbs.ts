/** The commands by name: what the grammar leads to, and what `operate.ts` and `configure.ts` do. */

export const SUBJECTS = [
  'ha',
  'calls',
  'call',
  'registrations',
  'subscriptions',
  'queues',
  'agents',
  'devices',
  'programs',
  'trunks',
  'conferences',
  'routing-points',
  'parks',
  'counters',
  'tables',
  'alarms',
  'alarms-history',
  'log',
  'system',
  'interfaces',
  'leds',
  'files',
  'version',
  'configuration',
  'commands',
  'revisions',
  'revision',
  'image',
] as const;
/** What `show` shows. */
export type Subject = (typeof SUBJECTS)[number];

export type OperationalVerb =
  | `show ${Subject}`
  | 'switchover'
  | 'switchover force'
  | 'promote'
  | 'resync'
  | 'image install'
  | 'image install force'
  | 'image activate'
  | 'image activate force'
  | 'image confirm'
  | 'image rollback'
  | 'image rollback force'
  | 'support bundle'
  | 'support bundle usb'
  | 'pair'
  | 'service restart'
  | 'reboot'
  | 'poweroff'
  | 'file install'
  | 'file delete'
  | 'locate on'
  | 'locate off'
  | 'password'
  | 'password peer'
  | 'ping'
  | 'traceroute'
  | 'monitor sip'
  | 'monitor traffic'
  | 'clear call'
  | 'clear registration'
  | 'clear counters'
  | 'configure'
  | 'confirm'
  | 'factory-reset'
  | 'set cli'
  | 'help'
  | 'quit';

export type ConfigurationVerb =
  | 'set'
  | 'delete'
  | 'edit'
  | 'up'
  | 'top'
  | 'show'
  | 'compare'
  | 'check'
  | 'commit'
  | 'commit confirm'
  | 'confirm'
  | 'rollback'
  | 'save'
  | 'load'
  | 'discard'
  | 'run'
  | 'help'
  | 'exit'
  | 'quit';

export type Verb = OperationalVerb | ConfigurationVerb;
