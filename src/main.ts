/**
 * The command line. No logic: it finds the verb, reads its arguments, calls the room that does it;
 * what a verb alone needs is loaded with it.
 */

import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { reportCdrs } from './edge/cdr-report.ts';
import { type Config, type ConfigFile, loadConfigFile, RELEASE } from './edge/config.ts';
import { ask } from './edge/control-client.ts';
import { newKey, writeKeyFile } from './edge/key-file.ts';
import { log } from './edge/log.ts';
import { quote } from './panel/console/words.ts';

const USAGE = `${RELEASE}

usage: sipair serve --config FILE        be one box of the pair
       sipair status --control SOCKET [--digest]
       sipair switchover --control SOCKET [--force]
       sipair promote --control SOCKET
       sipair resync --control SOCKET
       sipair reload --control SOCKET    read configuration and certificates again
       sipair pair --config FILE         agree on a pair key with the other box
       sipair system [--root DIR] [--apply none|systemd|PROGRAM]   keep and apply the configuration
       sipair key --out FILE             write a new random pair key
       sipair cdr --config FILE [--csv] [--since ISO]   calls that are over, from this box's files
       sipair monitor [--root FOLDER]    watch the box: lamps, alarms, SNMP, metrics, syslog
       sipair leds down|booting|updating [--root FOLDER]   what the lamps show when nobody watches
       sipair console [--root DIR]       the console: login and command line, on this terminal
       sipair cli -c COMMAND             one command of the console, without a login
       sipair show ...                   the same for show: sipair show ha
       sipair version
`;

function fail(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}

type Values = { readonly [name: string]: string | boolean | undefined };

function need(values: Values, name: string): string {
  const v = values[name];
  if (typeof v === 'string' && v !== '') return v;
  fail(`cli-option: --${name} is needed\n\n${USAGE}`);
}

function fileOf(path: string, keyed: boolean): ConfigFile {
  const file = loadConfigFile(path, keyed);
  if (!('config' in file)) {
    for (const f of file) process.stderr.write(`${f.code}: ${f.place}: ${f.text}\n`);
    process.exit(2);
  }
  return file;
}

function configOf(path: string, keyed: boolean): Config {
  return fileOf(path, keyed).config;
}

function key(path: string): void {
  const wrong = writeKeyFile(path, newKey(), false);
  if (wrong !== undefined) fail(`${wrong.code}: ${wrong.text}`);
  process.stdout.write(`a new pair key is in ${path}; the other box needs the same file\n`);
}

async function command(values: Values, request: object): Promise<void> {
  const answer = await ask(need(values, 'control'), request);
  process.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
  if ('error' in answer || ('ok' in answer && answer.ok === false)) process.exitCode = 1;
}

async function cdrs(values: Values): Promise<void> {
  const since = typeof values['since'] === 'string' ? values['since'] : '';
  if (since !== '' && Number.isNaN(Date.parse(since))) fail('cli-option: --since is no ISO time');
  const folder = `${configOf(need(values, 'config'), false).data}/cdr`;
  const { stdout } = process;
  // whoever reads may have seen enough
  stdout.on('error', () => process.exit(0));
  const bad = await reportCdrs(folder, { csv: values['csv'] === true, since }, async (text) => {
    if (!stdout.write(text)) await once(stdout, 'drain');
  });
  if (bad > 0) process.stderr.write(`cdr-line: ${bad} lines could not be read\n`);
}

/** Options come first: what follows is a command of the console, with its own words and pipes. */
async function atConsole(argv: readonly string[]): Promise<void> {
  const { runConsole } = await import('./edge/console.ts');
  const [verb = '', ...rest] = argv;
  let root = '/';
  if (rest[0] === '--root') {
    root = rest[1] ?? '/';
    rest.splice(0, 2);
  }
  if (verb === 'console') {
    if (rest.length > 0) fail(`cli-option: not known: ${rest.join(' ')}\n\n${USAGE}`);
    process.exit(await runConsole({ root }));
  }
  if (verb === 'cli' && (rest[0] !== '-c' || rest.length !== 2)) {
    fail(`cli-option: -c COMMAND is needed\n\n${USAGE}`);
  }
  const pipe = (word: string): string => (word === '|' ? word : quote(word));
  const command = verb === 'cli' ? (rest[1] ?? '') : ['show', ...rest.map(pipe)].join(' ');
  process.exit(await runConsole({ root, command }));
}

/** The folder all paths of a box hang off. */
function rootOf(values: Values): string {
  const { root } = values;
  return typeof root === 'string' && root !== '' ? root : '/';
}

async function leds(values: Values, word: string): Promise<void> {
  const { isLedWord, LED_WORDS, showLeds } = await import('./edge/monitor/leds-command.ts');
  if (!isLedWord(word)) fail(`cli-option: one of ${LED_WORDS.join(', ')} is needed`);
  showLeds(rootOf(values), word, log);
}

async function main(argv: readonly string[]): Promise<void> {
  const verb = argv[0] ?? '';
  if (verb === 'console' || verb === 'cli' || verb === 'show') return atConsole(argv);
  let values: Values = {};
  let words: readonly string[] = [];
  try {
    const parsed = parseArgs({
      args: argv.slice(1),
      options: {
        config: { type: 'string' },
        control: { type: 'string' },
        digest: { type: 'boolean' },
        force: { type: 'boolean' },
        out: { type: 'string' },
        csv: { type: 'boolean' },
        since: { type: 'string' },
        root: { type: 'string' },
        apply: { type: 'string' },
      },
      allowPositionals: verb === 'leds',
    });
    values = parsed.values;
    words = parsed.positionals;
  } catch (e) {
    fail(`cli-option: ${(e as Error).message}\n\n${USAGE}`);
  }
  switch (verb) {
    case 'serve': {
      const path = need(values, 'config');
      const file = fileOf(path, true);
      const { runBox } = await import('./edge/box.ts');
      runBox(path, file);
      return;
    }
    case 'pair': {
      const config = configOf(need(values, 'config'), false);
      const { runPairing } = await import('./edge/pair-command.ts');
      process.exit(await runPairing(config));
      break;
    }
    case 'system': {
      const { runSystem } = await import('./edge/system/run.ts');
      const apply = typeof values['apply'] === 'string' ? values['apply'] : 'systemd';
      const code = await runSystem({ root: rootOf(values), apply });
      if (code !== undefined) process.exit(code);
      return;
    }
    case 'key':
      key(need(values, 'out'));
      return;
    case 'status':
      return command(values, { command: 'status', digest: values['digest'] === true });
    case 'switchover':
      return command(values, { command: 'switchover', force: values['force'] === true });
    case 'promote':
    case 'resync':
    case 'reload':
      return command(values, { command: verb });
    case 'cdr':
      return cdrs(values);
    case 'monitor': {
      const { runMonitor } = await import('./edge/monitor/process.ts');
      return runMonitor({ root: rootOf(values), release: RELEASE });
    }
    case 'leds':
      return leds(values, words[0] ?? '');
    case 'help':
    case '--help':
      process.stdout.write(USAGE);
      return;
    case 'version':
      process.stdout.write(`${RELEASE}\n`);
      return;
    default:
      fail(verb === '' ? USAGE : `cli-verb: no such verb: ${verb}\n\n${USAGE}`);
  }
}

// not awaited: one executable is one CommonJS script, where nothing is at the top
void main(process.argv.slice(2));
