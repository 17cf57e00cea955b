/**
 * What the agent does to the machine it runs on: units, network, host name, power. One small door, so that
 * tests and the lab run an agent in a folder: there it writes down what it would have done.
 */

import { execFile } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** How long a program may take; a unit that stops hands its calls over first. */
const PATIENCE_MS = 60_000;
const OUTPUT_BYTES = 8 * 1024 * 1024;

export type Machine = {
  /** Each: '' when it was done, or why not. */
  readonly unit: (verb: 'start' | 'stop' | 'restart', unit: string) => Promise<string>;
  /** Machine files were written: `what` of the machine has to look at them. */
  readonly settle: (what: MachinePart, value: string) => Promise<string>;
  readonly power: (verb: 'reboot' | 'poweroff') => Promise<string>;
  /** An address or a router that a port had, and has no more. */
  readonly unport: (kind: 'address' | 'route', port: string, what: string) => Promise<string>;
  /** The next start is the first one. `wipe` removes what there is, where the image does not do it by itself. */
  readonly reset: (wipe: () => void) => Promise<string>;
  /** The last lines of the journal. */
  readonly journal: (lines: number, unit?: string) => Promise<string>;
};

export type MachinePart = 'network' | 'hostname' | 'timezone' | 'time' | 'snmp';

function run(program: string, args: readonly string[]): Promise<{ out: string; fault: string }> {
  return new Promise((resolve) => {
    const options = { timeout: PATIENCE_MS, maxBuffer: OUTPUT_BYTES };
    execFile(program, [...args], options, (error, out, err) => {
      // systemctl says why first, and then where to read more
      const lines = err.trim().split('\n');
      const why = (program === 'systemctl' ? lines[0] : lines.at(-1)) ?? '';
      resolve({ out, fault: error === null ? '' : `${program}: ${why || error.message}` });
    });
  });
}

const SETTLE: { readonly [part in MachinePart]: (value: string) => readonly string[] } = {
  network: () => ['networkctl', 'reload'],
  hostname: (name) => ['hostname', name],
  // where /etc/localtime of the read-only system points to
  timezone: (zone) => ['ln', '-sfn', `/usr/share/zoneinfo/${zone}`, '/run/sipair/localtime'],
  time: (verb) => ['systemctl', verb, 'chrony.service'],
  snmp: (verb) => ['systemctl', verb, 'snmpd.service'],
};

/** Of the image: writes a word into the boot environment, and the boot does the rest, until it is done. */
const RESET = '/usr/lib/sipair/factory-reset';

export function systemdMachine(): Machine {
  const fault = async (program: string, args: readonly string[]): Promise<string> => {
    return (await run(program, args)).fault;
  };
  return {
    unit: (verb, unit) => fault('systemctl', [verb, unit]),
    settle(what, value) {
      const [program = '', ...args] = SETTLE[what](value);
      return fault(program, args);
    },
    power: (verb) => fault('systemctl', [verb]),
    unport: (kind, port, what) =>
      kind === 'address'
        ? fault('ip', ['address', 'del', what, 'dev', port])
        : fault('ip', ['route', 'del', 'default', 'via', what, 'dev', port]),
    async reset(wipe) {
      if (existsSync(RESET)) return await fault(RESET, ['mark']);
      // an orderly end: the peer takes over with all calls
      await fault('systemctl', ['stop', 'sipair.service']);
      wipe();
      return '';
    },
    async journal(lines, unit) {
      const only = unit === undefined ? [] : ['-u', unit];
      const args = ['--no-pager', '-o', 'short-iso', '-n', String(lines), ...only];
      const { out, fault: wrong } = await run('journalctl', args);
      return wrong === '' ? out : wrong;
    },
  };
}

/**
 * Does nothing but write down what was asked for, a line of JSON each; `hook` is run with the words of
 * what concerns units: a lab restarts its daemon by it.
 */
export function recordingMachine(path: string, hook?: string): Machine {
  mkdirSync(dirname(path), { recursive: true });
  const note = (...words: readonly string[]): void => {
    appendFileSync(path, `${JSON.stringify(words)}\n`);
  };
  return {
    async unit(verb, unit) {
      note('unit', verb, unit);
      return hook === undefined ? '' : (await run(hook, [verb, unit])).fault;
    },
    settle(what, value) {
      note('settle', what, value);
      return Promise.resolve('');
    },
    power(verb) {
      note('power', verb);
      return Promise.resolve('');
    },
    unport(kind, port, what) {
      note('unport', kind, port, what);
      return Promise.resolve('');
    },
    reset(wipe) {
      wipe();
      note('reset');
      return Promise.resolve('');
    },
    journal: () => Promise.resolve(''),
  };
}
