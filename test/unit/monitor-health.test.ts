/** Readings of the machine from the files of a machine that is a folder. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ownIdentity } from '../../src/edge/certificate.ts';
import {
  certificateOf,
  diskOf,
  emmcWear,
  HealthReader,
  hottest,
  memoryOf,
  mountOf,
  trackingOf,
} from '../../src/edge/monitor/health.ts';
import { readPorts } from '../../src/edge/monitor/own-ports.ts';

function folder(t: ExecutionContext, files: { readonly [path: string]: string }): string {
  const root = mkdtempSync(join(tmpdir(), 'sipair-health-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const MOUNTS = `22 1 179:2 / / ro,relatime shared:1 - ext4 /dev/mmcblk0p2 ro
30 22 0:20 / /run rw,nosuid - tmpfs tmpfs rw,size=10
31 22 179:5 / /data rw,noatime - ext4 /dev/mmcblk0p5 rw,errors=remount-ro
`;

test('a whole machine', async (t) => {
  const root = folder(t, {
    'proc/meminfo': 'MemTotal:     4000000 kB\nMemFree:  100 kB\nMemAvailable:    3000000 kB\n',
    'proc/loadavg': '1.50 0.80 0.40 1/200 999\n',
    'proc/uptime': '3600.25 7000.00\n',
    'proc/self/mountinfo': MOUNTS,
    'sys/class/thermal/thermal_zone0/temp': '48500\n',
    'sys/class/thermal/cooling_device0/temp': '99000\n',
    'sys/class/hwmon/hwmon0/temp1_input': '52000\n',
    'sys/class/hwmon/hwmon0/temp2_input': '-273000\n',
    'sys/class/hwmon/hwmon1/temp1_input': '',
    // inputs with nothing at them
    'sys/class/hwmon/hwmon1/temp2_input': '127500\n',
    'sys/class/hwmon/hwmon1/temp3_input': '120000\n',
    'sys/class/hwmon/hwmon1/temp4_input': '99000\n',
    'sys/class/hwmon/hwmon1/temp4_fault': '1\n',
    'sys/class/hwmon/hwmon0/temp1_fault': '0\n',
    'sys/block/mmcblk0/stat': '1 2 3 4 5 6 2048 8 9 10 11\n',
    'sys/block/mmcblk0/device/life_time': '0x02 0x01\n',
    'sys/block/mmcblk0/mmcblk0p5/partition': '5\n',
    'data/x': '',
  });
  mkdirSync(join(root, 'sys/dev/block'), { recursive: true });
  symlinkSync('../../block/mmcblk0/mmcblk0p5', join(root, 'sys/dev/block/179:5'));
  const health = await new HealthReader(root).read();
  t.like(health, { uptimeS: 3600.25, temperatureC: 52, load1: 1.5 });
  t.deepEqual(health.memory, { totalBytes: 4_096_000_000, availableBytes: 3_072_000_000 });
  t.like(health.storage, {
    device: 'mmcblk0',
    wearPercent: 20,
    writtenBytes: 1_048_576,
    readOnly: false,
  });
  t.true(health.storage.totalBytes > health.storage.freeBytes);
  t.is(diskOf(join(root, 'sys'), '9:9'), undefined);
});

test('a folder that is no machine shows the one it is on, without a sensor nothing', async (t) => {
  const root = folder(t, { 'data/x': '' });
  const health = await new HealthReader(root).read();
  t.true(health.memory.totalBytes > health.memory.availableBytes);
  t.true(health.uptimeS > 0);
  t.is(hottest(join(root, 'sys')), undefined);
  t.deepEqual(memoryOf('garbage'), { totalBytes: 0, availableBytes: 0 });
});

test('the ports: as the kernel has them, one that it has not, the usual ones without a configuration', (t) => {
  const root = folder(t, {
    'run/sipair/box.json': JSON.stringify({
      lan: { interface: 'lo', address: '127.0.0.1' },
      crossover: { interface: 'nowhere0', address: '169.254.1.1' },
    }),
    'sys/class/net/lo/address': '00:00:00:00:00:01\n',
    'sys/class/net/lo/carrier': '1\n',
    'sys/class/net/lo/speed': '1000\n',
    'sys/class/net/lo/duplex': 'half\n',
    'sys/class/net/lo/statistics/rx_packets': '7\n',
    'sys/class/net/lo/statistics/rx_dropped': '2\n',
    'sys/class/net/lo/statistics/tx_bytes': '640\n',
  });
  const none = { packets: 0, bytes: 0, errors: 0, dropped: 0 };
  const [lan, crossover] = readPorts(root, join(root, 'sys'));
  t.like(lan, {
    ...{ port: 'lan', interface: 'lo', present: true, mac: '00:00:00:00:00:01' },
    ...{ carrier: true, mbit: 1000, duplex: 'half' },
    received: { ...none, packets: 7, dropped: 2 },
    sent: { ...none, bytes: 640 },
  });
  t.true(lan?.addresses.includes('127.0.0.1/8'));
  t.deepEqual(crossover, {
    ...{ port: 'crossover', interface: 'nowhere0', present: false, mac: '', addresses: [] },
    ...{ carrier: false, received: none, sent: none },
  });
  writeFileSync(join(root, 'run/sipair/box.json'), '{"lan":{"interface":"../..","address":""}}');
  for (const [i, name] of ['eth0', 'eth1'].entries()) {
    t.like(readPorts(root, join(root, 'sys'))[i], { interface: name, present: false });
  }
});

test('the mount of /data: the deepest, and read-only by itself or by its system', (t) => {
  t.deepEqual(mountOf(MOUNTS, '/data'), { device: '179:5', readOnly: false });
  t.deepEqual(mountOf(MOUNTS, '/etc'), { device: '179:2', readOnly: true });
  const remounted = MOUNTS.replace('rw,errors', 'ro,errors');
  t.deepEqual(mountOf(remounted, '/data'), { device: '179:5', readOnly: true });
  t.is(mountOf('', '/data'), undefined);
  // as ProtectSystem= shows it to the monitor: what it may write says how the storage is
  const guarded = `${MOUNTS}\n90 1 179:5 / /data ro - ext4 /dev/x rw\n91 90 179:5 /log /data/log rw - ext4 /dev/x rw\n`;
  t.deepEqual(mountOf(guarded, '/data/log'), { device: '179:5', readOnly: false });
});

test('wear: eMMC in tenths', (t) => {
  t.is(emmcWear('0x01 0x03\n'), 30);
  t.is(emmcWear('0x0b 0x01'), 100);
  t.is(emmcWear('0x00 0x00'), undefined);
  t.is(emmcWear(''), undefined);
});

test('the clock as chrony says it', (t) => {
  const line = (leap: string): string =>
    `C0000201,192.0.2.1,3,1795732023.1,0.000250000,0.0001,0.0002,-3.1,0.01,0.05,0.001,0.002,64.0,${leap}\n`;
  const followed = 1_795_732_023_100;
  t.deepEqual(trackingOf(line('Normal'), followed + 1000), {
    synchronised: true,
    offsetMs: 0.25,
    source: 'chrony',
  });
  t.is(trackingOf(line('Not synchronised'), followed)?.synchronised, false);
  // the servers died: chrony goes on to say Normal
  const at = (ms: number) => trackingOf(line('Normal'), followed + ms)?.synchronised;
  t.deepEqual(
    [at(3 * 1024_000), at(3_600_000), at(-1000), at(-86_400_000)],
    [true, false, true, false],
  );
  // never followed anybody
  t.is(trackingOf(line('Normal').replace('1795732023.1', '0.000000000'))?.synchronised, false);
  t.is(trackingOf('506 Cannot talk to daemon'), undefined);
});

test('certificates: the first that ends, one that is not there, a key of another one', (t) => {
  const one = ownIdentity(new Uint8Array(32).fill(1), ['192.0.2.10']);
  const two = ownIdentity(new Uint8Array(32).fill(2), ['192.0.2.10']);
  const root = folder(t, {
    'data/tls/cert.pem': one.certificate,
    'data/tls/key.pem': one.key,
    'data/tls/other.pem': two.key,
  });
  const now = Date.UTC(2026, 10, 26);
  const files = (key: string) => [{ certificate: '/data/tls/cert.pem', key }];
  const { notAfter = 0, fault } = certificateOf(files('/data/tls/key.pem'), root);
  t.is(fault, undefined);
  t.true(notAfter > now);
  t.regex(certificateOf(files('/data/tls/other.pem'), root).fault ?? '', /cert\.pem: /);
  t.regex(certificateOf([{ certificate: '/no', key: '' }], root).fault ?? '', /ENOENT/);
  t.deepEqual(certificateOf([], root), {});
  t.is(certificateOf(files('/data/tls/key.pem'), root).fault, undefined, 'ended');
});
