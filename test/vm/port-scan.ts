/**
 * What a box has open, as somebody on its network sees it: nmap from a network namespace, all TCP ports and
 * the UDP ports that matter, and the comparison with the table of ports.
 *
 *   const open = await scan(netns, '192.0.2.11');
 *   const { strange, missing } = beyond(open, expectedPorts(tree, 'a', true), 'own');
 */

import { execFile } from 'node:child_process';
import { PORTS, type PortPlace, type PortRange } from '../../src/panel/ports.ts';

export type OpenPort = { readonly protocol: 'tcp' | 'udp'; readonly port: number };

/** An emulated box answers 65535 questions slowly. */
const PATIENCE_MS = 600_000;
const OUTPUT_BYTES = 16 * 1024 * 1024;

/**
 * UDP is asked port by port: those of the table, and those where
 * something usually listens that nobody meant to (names, DHCP, time, RPC, SNMP, IKE, syslog, SSDP, mDNS, LLMNR).
 */
const USUAL_UDP = [53, 67, 68, 69, 111, 123, 137, 500, 514, 546, 1900, 4500, 5353, 5355];
/** Linux says once a second and host that a port is closed; who asks faster takes closed ones for open. */
const AT_ITS_PACE = ['--scan-delay', '1100ms', '--max-retries', '3'];
/** Media has thousands: its ends. */
const ENDS = 2;

export function udpPorts(more: readonly number[] = []): readonly number[] {
  const known = PORTS.flatMap(({ protocol, port }) =>
    protocol === 'udp' && typeof port === 'number' ? [port] : [],
  );
  return [...new Set([...USUAL_UDP, ...known, ...more])].sort((a, b) => a - b);
}

/** Of the expected ones at a place, for the scan of one configuration. */
export function udpOf(expected: readonly PortRange[], place: PortPlace): readonly number[] {
  return expected
    .filter((e) => e.protocol === 'udp' && e.place === place)
    .flatMap(({ first, last }) => [first, last].slice(0, first === last ? 1 : ENDS));
}

function nmap(netns: string, args: readonly string[]): Promise<string> {
  const words = ['netns', 'exec', netns, 'nmap', '-n', '-Pn', '-oX', '-', ...args];
  return new Promise((resolve, reject) => {
    const options = { timeout: PATIENCE_MS, maxBuffer: OUTPUT_BYTES };
    execFile('ip', words, options, (error, out, err) => {
      if (error === null) resolve(out);
      else reject(new Error(`nmap ${args.join(' ')}: ${err.trim() || error.message}`));
    });
  });
}

/** What nmap found open; a UDP port that does not answer is open unless the kernel refuses it. */
export function openOf(xml: string): readonly OpenPort[] {
  const ports = /<port protocol="(tcp|udp)" portid="(\d+)"><state state="(open|open\|filtered)"/g;
  return [...xml.matchAll(ports)].map(([, protocol, port]) => ({
    protocol: protocol as OpenPort['protocol'],
    port: Number(port),
  }));
}

/**
 * @param netns from where; root is needed.
 * @param udp asked besides the usual ones.
 */
export async function scan(
  netns: string,
  address: string,
  udp: readonly number[] = [],
): Promise<readonly OpenPort[]> {
  // one after the other: a refusal that is due to the other scan would be one that is missing here
  const tcp = await nmap(netns, ['-sS', '-p-', '-T4', '--max-retries', '3', address]);
  const list = udpPorts(udp).join(',');
  const datagrams = await nmap(netns, ['-sU', '-p', list, ...AT_ITS_PACE, address]);
  return [...openOf(tcp), ...openOf(datagrams)];
}

/** What is open and in no row; rows that must be open at that address and are not. */
export function beyond(
  open: readonly OpenPort[],
  expected: readonly PortRange[],
  place: PortPlace,
): { readonly strange: readonly OpenPort[]; readonly missing: readonly string[] } {
  const here = expected.filter((e) => e.place === place);
  const covers = (e: PortRange, o: OpenPort): boolean =>
    e.protocol === o.protocol && e.first <= o.port && o.port <= e.last;
  return {
    strange: open.filter((o) => !here.some((e) => covers(e, o))),
    missing: here.filter((e) => e.sure && !open.some((o) => covers(e, o))).map((e) => e.name),
  };
}
