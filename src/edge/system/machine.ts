/**
 * What the agent does to the machine it runs on: units, network, host name, power. One small door, so that
 * tests and the lab run an agent in a folder: there it writes down what it would have done.
 */

import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
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
  /** The last lines of the journal. */
  readonly journal: (lines: number, unit?: string) => Promise<string>;
};

export type MachinePart = 'network' | 'hostname' | 'timezone' | 'time' | 'snmp';

function run(program: string, args: readonly string[]): Promise<{ out: string; fault: string }> {
  return new Promise((resolve) => {
    const options = { timeout: PATIENCE_MS, maxBuffer: OUTPUT_BYTES };
    execFile(program, [...args], options, (error, out, err) => {
      const why = err.trim().split('\n').at(-1) ?? '';
      resolve({ out, fault: error === null ? '' : `${program}: ${why || error.message}` });
    });
  });
}

const SETTLE: { readonly [part in MachinePart]: (value: string) => readonly string[] } = {
  network: () => ['networkctl', 'reload'],
  hostname: (name) => ['hostname', name],
  timezone: (zone) => ['timedatectl', 'set-timezone', zone],
  time: () => ['systemctl', 'try-restart', 'chrony.service'],
  snmp: (on) => ['systemctl', on === 'on' ? 'restart' : 'stop', 'snmpd.service'],
};

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
    journal: () => Promise.resolve(''),
  };
}
