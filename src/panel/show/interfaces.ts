/** `show interfaces`: the two ports as the kernel has them, and how the pair uses them. */

import type { BoxStatus, DaemonStatus, PortReading } from '../monitor/box-status.ts';
import { bytes, count, type Pair, pairs, type ShowContext } from './kit.ts';
import { pathOf, witnessesOf } from './pair.ts';

const PORTS = [
  ['LAN', 'lan', 'l'],
  ['crossover', 'crossover', 'x'],
] as const;

function countsOf(counts: PortReading['received']): string {
  const bad = [
    counts.errors > 0 ? count(counts.errors, 'error') : '',
    counts.dropped > 0 ? `${counts.dropped} dropped` : '',
  ].filter((said) => said !== '');
  return [count(counts.packets, 'packet'), bytes(counts.bytes), ...bad].join(', ');
}

function portLines(port: PortReading): readonly Pair[] {
  if (!port.present) return [['  port', `${port.interface}: THERE IS NO SUCH PORT`]];
  const speed = port.mbit === undefined ? '' : `, ${port.mbit} Mbit/s`;
  const duplex = port.duplex === 'half' ? ', HALF DUPLEX' : '';
  return [
    ['  port', `${port.interface}, ${port.mac}${speed}${duplex}`],
    ['  addresses', port.addresses.join(', ') || 'none'],
    ['  received', countsOf(port.received)],
    ['  sent', countsOf(port.sent)],
  ];
}

function pairLines(s: DaemonStatus): readonly Pair[] {
  const refused = Object.entries(s.refused).map(([why, n]) => `${why} ${n}`);
  return [
    ['VIP', `${s.vip}, ${s.lease > 0 ? 'on this box' : 'not on this box'}`],
    ['connections', String(s.connections ?? '-')],
    ['witnesses', witnessesOf(s)],
    ...(refused.length > 0 ? [['frames refused', refused.join(', ')] as const] : []),
  ];
}

export function showInterfaces({ daemon, health }: BoxStatus, cx: ShowContext): string[] {
  const ports = PORTS.flatMap(([label, name, path]): readonly Pair[] => {
    const port = health.ports.find((p) => p.port === name);
    const wire = port === undefined ? '' : port.carrier ? 'carrier; ' : 'NO CARRIER; ';
    const state =
      daemon === undefined ? `${wire}the service does not answer` : pathOf(daemon, path);
    return [[label, state], ...(port === undefined ? [] : portLines(port))];
  });
  return pairs([...ports, ...(daemon === undefined ? [] : pairLines(daemon))], cx);
}
