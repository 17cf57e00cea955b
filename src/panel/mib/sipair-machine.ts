/** The machine and its software in SIPAIR-MIB: what wears out, what runs out, what is installed. */

import type { BoxStatus } from '../monitor/box-status.ts';
import { maybe, scalarsOf } from './rows.ts';
import type { Group, Scene } from './terms.ts';
import { counter64, dateAndTime, gauge, integer, text, truth } from './values.ts';

const statusOf = ({ status }: Scene): BoxStatus => status;

const DAY_MS = 86_400_000;
const KIB = 1024;
const MIB = 1024 * 1024;

/** Whole days until the certificate ends; negative after it did. */
export function certificateDays({ at, health }: BoxStatus): number | undefined {
  const { notAfter } = health.certificate;
  return notAfter === undefined ? undefined : Math.floor((notAfter - at) / DAY_MS);
}

export const MACHINE: Group = {
  name: 'sipairMachine',
  number: 6,
  help: 'The machine. What it has no sensor for does not exist.',
  scalars: scalarsOf('sipairMachine', statusOf, [
    [
      'Temperature',
      1,
      'integer',
      'tenths of a degree Celsius',
      'The hottest sensor.',
      ({ health }) => maybe(health.temperatureC, (t) => integer(t * 10)),
    ],
    ['Memory', 2, 'gauge', 'KiB', 'Memory.', ({ health }) => gauge(health.memory.totalBytes / KIB)],
    [
      'MemoryAvailable',
      3,
      'gauge',
      'KiB',
      'Memory that programs can have.',
      ({ health }) => gauge(health.memory.availableBytes / KIB),
    ],
    [
      'Load',
      4,
      'gauge',
      'hundredths',
      'Load of the last minute.',
      ({ health }) => gauge(health.load1 * 100),
    ],
    [
      'Processors',
      5,
      'gauge',
      '',
      'Processors, which the load is to be compared with.',
      ({ health }) => gauge(health.processors),
    ],
    [
      'Storage',
      6,
      'gauge',
      'MiB',
      'The data partition.',
      ({ health }) => gauge(health.storage.totalBytes / MIB),
    ],
    [
      'StorageFree',
      7,
      'gauge',
      'MiB',
      'Of it, free.',
      ({ health }) => gauge(health.storage.freeBytes / MIB),
    ],
    [
      'StorageReadOnly',
      8,
      'truth',
      '',
      'It can only be read: the kernel found a fault.',
      ({ health }) => truth(health.storage.readOnly),
    ],
    [
      'Wear',
      9,
      'gauge',
      'percent',
      'So much of the life that the maker of the medium promises is used.',
      ({ health }) => maybe(health.storage.wearPercent, gauge),
    ],
    [
      'Written',
      10,
      'counter64',
      'bytes',
      'Written to the medium since the machine was started.',
      ({ health }) => counter64(health.storage.writtenBytes),
    ],
    [
      'CertificateEnds',
      11,
      'date',
      '',
      'The certificate of SIP over TLS is valid until then.',
      ({ health }) => maybe(health.certificate.notAfter, dateAndTime),
    ],
    [
      'CertificateDays',
      12,
      'integer',
      'days',
      'Whole days until then; negative after it.',
      (status) => maybe(certificateDays(status), integer),
    ],
    [
      'ClockSynchronised',
      13,
      'truth',
      '',
      'The clock follows a time server.',
      ({ health }) => truth(health.clock.synchronised),
    ],
    [
      'ClockOffset',
      14,
      'integer',
      'microseconds',
      'How far the clock is off, as far as that is known.',
      ({ health }) => maybe(health.clock.offsetMs, (ms) => integer(ms * 1000)),
    ],
  ]),
  tables: [],
};

export const SOFTWARE: Group = {
  name: 'sipairSoftware',
  number: 7,
  help: 'Configuration and image.',
  scalars: scalarsOf('sipairSoftware', statusOf, [
    [
      'Revision',
      1,
      'gauge',
      '',
      'Number of the active configuration.',
      ({ system }) => maybe(system?.revision?.number, gauge),
    ],
    [
      'RevisionAt',
      2,
      'date',
      '',
      'When it was committed.',
      ({ system }) => maybe(system?.revision?.at, dateAndTime),
    ],
    ['RevisionBy', 3, 'text', '', 'By whom.', ({ system }) => maybe(system?.revision?.by, text)],
    [
      'RevisionConfirmBy',
      4,
      'date',
      '',
      'Both boxes go back by themselves then, unless somebody confirms.',
      ({ system }) => maybe(system?.revision?.confirmBy, dateAndTime),
    ],
    [
      'PeerRevision',
      5,
      'gauge',
      '',
      'Number of the configuration that is active on the other box.',
      ({ system }) => maybe(system?.peer?.revision, gauge),
    ],
    [
      'Slot',
      6,
      'text',
      '',
      'The slot the machine was started from: A or B.',
      ({ system }) => maybe(system?.image?.slot, text),
    ],
    [
      'Confirmed',
      7,
      'truth',
      '',
      'The image has proved itself; false: it is on trial.',
      ({ system }) => maybe(system?.image?.confirmed, truth),
    ],
    [
      'Upgrade',
      8,
      'text',
      '',
      'What the upgrade does now; empty or idle when there is none.',
      ({ system }) => maybe(system?.upgrade?.step, text),
    ],
    [
      'UpgradeFault',
      9,
      'text',
      '',
      'What went wrong with the last one; empty when nothing did.',
      ({ system }) => maybe(system?.upgrade?.failed, text),
    ],
  ]),
  tables: [],
};
