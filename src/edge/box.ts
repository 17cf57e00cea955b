/**
 * The main thread of a box: the sentry. Heartbeats, roles, lease, the VIP and its announcement. It
 * does little and never waits for the engine, so a busy second of the engine cannot look like death.
 *
 * May load: pair/, the addon, small sockets. Not SIP, not SQLite.
 */

import { mkdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { Sentry } from '../pair/sentry.ts';
import { noStanding, STANDING_BYTES, StandingCell } from '../pair/standing.ts';
import type { OperatorCommand, Path, SentryEffect, SentryInput } from '../pair/terms.ts';
import type { EngineView } from '../status.ts';
import { isIp4 } from '../wire/arp.ts';
import type { VrrpPacket } from '../wire/vrrp.ts';
import { bounceCarrier } from './carrier.ts';
import { systemChance } from './chance.ts';
import { mono } from './clock.ts';
import { type Config, type ConfigFile, HEARTBEAT_PORT, RELEASE } from './config.ts';
import { type Answer, type Asker, type ControlRequest, serveControl } from './control.ts';
import { fenceFault, runFence } from './fence.ts';
import { Pinger } from './icmp.ts';
import { Inquiries } from './inquiries.ts';
import { ipv6Off } from './ipv6.ts';
import { log } from './log.ts';
import type { EngineThreadData, FromEngine, ToEngine } from './messages.ts';
import { isOsError, netlite, type OsError } from './native/netlite.ts';
import { type Link, Netlink, NetMonitor } from './netlink.ts';
import { Life } from './notify.ts';
import { ArpSocket, NdSocket } from './packet.ts';
import { Reloads } from './reload.ts';
import { Tickler } from './tickle.ts';
import { VipDevice } from './tun.ts';
import { UdpSocket } from './udp.ts';
import { VirtualMac } from './virtual-mac.ts';
import { VrrpSocket } from './vrrp.ts';
import { startThread } from './worker.ts';

const VIP_DEVICE = 'sipair0';
/** nice(2) value; the disk thread gives itself less. */
const PRIORITY = -15;
/** Room for what lives a moment: with more of it, fewer collections find it still alive. */
const YOUNG_GENERATION_MB = 96;
/** How long `status` waits for the engine's part. */
const VIEW_PATIENCE_MS = 1000;
/** How long a stopping primary waits for its planned switchover. */
const STOP_PATIENCE_MS = 2000;

function orStop<T extends object>(value: T | OsError, what: string): T {
  if (!isOsError(value)) return value;
  log('alarm', `start-failed: ${what}: ${value.osError} (${value.call})`);
  process.exit(1);
}

/**
 * A box runs before what else the machine does: under load it must not look dead. Where it is not
 * allowed, the pair works all the same. (Real-time priority for the sentry's thread alone was tried and
 * is worse: it spins on a lock of the runtime whose holder it does not let run, a second at a time. So
 * is locked memory: V8 gives pages back in a way that Linux refuses for locked ones, and ends the process.)
 */
function takePriority(): void {
  try {
    setPriority(PRIORITY);
  } catch (e) {
    log('info', `runs at ordinary priority: ${(e as Error).message}`);
  }
}

/** Ethernet source 00:00:5e:00:01:xx: said by the virtual router. */
function isVirtual(frame: Uint8Array): boolean {
  return frame[6] === 0 && frame[7] === 0 && frame[8] === 0x5e && frame[9] === 0 && frame[10] === 1;
}

/** @returns the interface's own address of the link; an IPv6 VIP cannot do without. */
function linkLocalOf(ifname: string): string {
  const netlink = orStop(Netlink.open(), 'netlink');
  const addresses = orStop(netlink.addresses(ifname), `addresses of ${ifname}`);
  netlink.close();
  const found = addresses.find(({ ip }) => /^fe[89ab]/.test(ip));
  if (found !== undefined) return found.ip;
  log('alarm', `start-failed: an IPv6 VIP needs a link-local address on ${ifname}`);
  process.exit(1);
}

class Box {
  private readonly config: Config;
  private readonly sentry: Sentry;
  private readonly engine: Worker;
  private readonly standingCell: StandingCell;
  private readonly standing = noStanding();
  private readonly lease: Float64Array;
  private readonly heartbeats: { readonly [p in Path]: UdpSocket };
  private readonly arp: ArpSocket;
  private readonly vrrp: { readonly 4?: VrrpSocket; readonly 6?: VrrpSocket };
  private readonly virtualMac: VirtualMac | undefined;
  private readonly pinger: Pinger | undefined;
  /** Where there is an IPv6 VIP. */
  private readonly nd: NdSocket | undefined;
  private readonly vip: VipDevice;
  private readonly out: SentryEffect[] = [];
  private readonly answers = new Map<number, Answer>();
  private readonly views = new Map<number, (view: EngineView) => void>();
  private readonly inquiries = new Inquiries((m) => this.toEngine(m));
  private readonly reloads: Reloads;
  private readonly tickler: Tickler;
  private readonly startedAt = mono();
  private readonly life = new Life();
  /** What has to come before this box serves: its tables, its control socket. */
  private readonly starting = new Set(['tables', 'control']);
  private nextId = 1;
  private timer: NodeJS.Timeout | undefined;
  private stopping = false;

  constructor(path: string, file: ConfigFile) {
    const { config } = file;
    this.config = config;
    this.reloads = new Reloads(path, file, (m) => this.toEngine(m));
    try {
      takePriority();
      mkdirSync(config.data, { recursive: true, mode: 0o700 });
    } catch (e) {
      this.die(`start-failed: data directory: ${(e as Error).message}`);
    }
    const mac = netlite.ifHwaddr(config.lan.interface);
    if (typeof mac !== 'string') {
      log('alarm', `start-failed: no interface ${config.lan.interface}`);
      process.exit(1);
    }
    const standing = new SharedArrayBuffer(STANDING_BYTES);
    const lease = new SharedArrayBuffer(8);
    this.standingCell = new StandingCell(standing);
    this.lease = new Float64Array(lease);
    const { vips, vrrp, witnesses } = config.node.pair;
    const ip6 = vips.filter((vip) => vip.includes(':'));
    const linkLocal = ip6.length > 0 ? linkLocalOf(config.lan.interface) : undefined;
    this.sentry = new Sentry(config.node.pair, mac, systemChance(), linkLocal);
    this.heartbeats = { x: this.heartbeatSocket('x'), l: this.heartbeatSocket('l') };
    const onFrame = (bytes: Uint8Array): void => this.step({ kind: 'frame', bytes });
    this.arp = orStop(ArpSocket.open(config.lan.interface, onFrame), 'packet socket on the LAN');
    if (ip6.length > 0) {
      const off = ipv6Off(config.lan.interface);
      if (off !== undefined) orStop(off, 'an IPv6 VIP');
      this.nd = orStop(NdSocket.open(config.lan.interface, ip6, onFrame), 'ND socket on the LAN');
    }
    const mayWake = (): boolean => mono() < (this.lease[0] as number);
    this.tickler = new Tickler(config, mayWake, (text) => log('warning', text));
    this.vip = orStop(VipDevice.open(VIP_DEVICE, ip6.length > 0), 'the VIP device');
    if (vrrp?.virtualMac === true) {
      const { interface: ifname, address } = config.lan;
      const mayAnswer = (): boolean => mono() < (this.lease[0] as number);
      const options = { ifname, address, vrid: vrrp.vrid, mayAnswer };
      this.virtualMac = orStop(VirtualMac.open(options), 'the virtual MAC');
    } else {
      // with it the kernel was told not to answer for a VIP
      const left = VirtualMac.clear();
      if (left !== undefined) log('warning', `virtual MAC: ${left.osError} (${left.call})`);
    }
    this.vrrp = vrrp === undefined ? {} : this.vrrpSockets(ip6.length > 0 ? linkLocal : undefined);
    if (witnesses.some((w) => w.by === 'icmp')) {
      const { interface: ifname, address } = config.lan;
      const onEcho = (ip: string): void => this.step({ kind: 'echo', address: ip });
      this.pinger = orStop(Pinger.open(ifname, address, onEcho), 'ICMP socket for the witnesses');
    }
    this.engine = startThread('engine-thread', {
      workerData: { config, standing, lease } satisfies EngineThreadData,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.engine.on('message', (m: FromEngine) => this.fromEngine(m));
    // what could not be had at the start has a sentence; everything else is a mistake of ours
    this.engine.on('error', (e) => {
      if (e.message.startsWith('start-failed: ')) this.die(e.message);
      this.engineEnded(`engine: ${e.stack ?? e.message}`);
    });
    this.engine.on('exit', () => this.engineEnded('engine: the thread ended'));
    this.watchCarrier();
    const fault = config.fence === undefined ? '' : fenceFault(config.fence);
    if (fault !== '')
      log('alarm', `fence-missing: the fence cannot be run when it is needed: ${fault}`);
    const control = serveControl(config.control, (request, answer, asker) =>
      this.control(request, answer, asker),
    );
    control.on('error', (e) => this.die(`start-failed: control socket: ${e.message}`));
    control.on('listening', () => this.started('control'));
    process.on('SIGTERM', () => this.stop());
    process.on('SIGINT', () => this.stop());
    log(
      'info',
      `${RELEASE} box ${config.box} on ${config.lan.address}, VIP ${config.node.sip.vip}`,
    );
    this.step({ kind: 'tick' });
  }

  /** A box that may have to wait for its peer serves, too: its role may be long in coming. */
  private started(part: 'tables' | 'control'): void {
    this.starting.delete(part);
    if (this.starting.size === 0) this.life.serves();
  }

  private heartbeatSocket(path: Path): UdpSocket {
    const { lan, crossover } = this.config;
    const socket = orStop(
      UdpSocket.open({
        ip: path === 'x' ? crossover.address : lan.address,
        port: HEARTBEAT_PORT,
        device: path === 'x' ? crossover.interface : lan.interface,
        freebind: true,
        slots: 16,
        maxDatagram: 512,
        bufferBytes: 65_536,
      }),
      `heartbeat socket on ${path}`,
    );
    socket.onReadable(() => {
      socket.receive((text) => {
        this.step({ kind: 'heartbeat', path, bytes: Buffer.from(text, 'latin1') });
      });
    });
    return socket;
  }

  private vrrpSockets(linkLocal: string | undefined): { 4?: VrrpSocket; 6?: VrrpSocket } {
    const { interface: ifname, address } = this.config.lan;
    const onPacket = (packet: VrrpPacket): void => this.step({ kind: 'vrrp', ...packet });
    const via = this.virtualMac === undefined ? {} : { via: this.virtualMac.device };
    const four = VrrpSocket.open({ family: 4, ifname, address, ...via }, onPacket);
    const sockets: { 4?: VrrpSocket; 6?: VrrpSocket } = { 4: orStop(four, 'VRRP socket') };
    if (linkLocal !== undefined) {
      const six = VrrpSocket.open({ family: 6, ifname, address: linkLocal }, onPacket);
      sockets[6] = orStop(six, 'VRRP socket for IPv6');
    }
    return sockets;
  }

  /** Carrier of both interfaces: as it is now, and every change. */
  private watchCarrier(): void {
    const { lan, crossover } = this.config;
    const netlink = orStop(Netlink.open(), 'netlink');
    const carrier = (link: Link, gone: boolean): void => {
      const path = link.ifname === lan.interface ? 'l' : 'x';
      if (path === 'x' && link.ifname !== crossover.interface) return;
      this.step({ kind: 'carrier', path, up: !gone && link.carrier });
    };
    const ask = (): void => {
      for (const name of [lan.interface, crossover.interface]) {
        const link = netlink.link(name);
        if (isOsError(link)) log('warning', `no interface ${name}`);
        else carrier(link, false);
      }
    };
    const monitor = NetMonitor.open((event) => {
      if (event.kind === 'link') carrier(event.link, event.gone);
      else if (event.kind === 'overrun') ask();
    });
    orStop(monitor, 'link monitor');
    ask();
  }

  /** The process ends and the kernel takes the VIP with it: the other box takes over. */
  private die(why: string): never {
    log('alarm', why);
    process.exit(1);
  }

  /**
   * First the face and the word that nobody waits for, then the end. An orderly one would wait for the
   * disk thread, which may be in a write that takes seconds, and the VIP would wait with it.
   */
  private engineEnded(why: string): never {
    log('alarm', why);
    this.operate({ kind: 'retire' }, () => {});
    this.end();
  }

  private fromEngine(m: FromEngine): void {
    switch (m.kind) {
      case 'report':
        this.step({ kind: 'report', report: m.report });
        if (m.report.kind === 'loaded') this.started('tables');
        return;
      case 'log':
        log(m.line.level, m.line.text);
        return;
      case 'view':
        this.views.get(m.id)?.(m.view);
        this.views.delete(m.id);
        return;
      case 'reloaded':
        this.reloads.done(m.id, m.fault);
        return;
      case 'tickle':
        this.tickler.wake(m.peers);
        return;
      case 'told':
        this.inquiries.told(m);
        return;
    }
  }

  private readonly tick = (): void => {
    this.timer = undefined;
    this.step({ kind: 'tick' });
  };

  private step(input: SentryInput): void {
    this.standingCell.read(this.standing);
    this.sentry.step(mono(), input, this.standing, this.out);
    // performing a `vip` effect is itself an input; the queue keeps them in order
    while (this.out.length > 0) this.perform(this.out.shift() as SentryEffect);
    this.live();
    const wait = Math.max(0, this.sentry.deadline() - mono());
    clearTimeout(this.timer);
    this.timer = setTimeout(this.tick, Math.min(1000, Math.ceil(wait)));
  }

  /** To systemd: a sign of life while the engine takes its turns, and what this box is. */
  private live(): void {
    const { turns, inStep, linkUp } = this.standing;
    this.life.turn(mono(), turns);
    this.life.says(`${this.sentry.role()}, ${inStep && linkUp ? 'in step' : 'not in step'}`);
  }

  private perform(effect: SentryEffect): void {
    switch (effect.kind) {
      case 'heartbeat':
        this.heartbeat(effect.path, effect.bytes);
        return;
      case 'frame':
        this.toLan(effect.bytes);
        return;
      case 'vip':
        this.performVip(effect.action);
        return;
      case 'ping':
        this.pinger?.ping(effect.address);
        return;
      case 'vrrp':
        this.vrrp[effect.family]?.send(effect.bytes);
        return;
      case 'bounce':
        this.bounce();
        return;
      case 'fence':
        this.fence();
        return;
      case 'abort':
        log('alarm', `stopped by its own sentry: ${effect.why}`);
        this.end();
        return;
      case 'lease':
        this.lease[0] = effect.until;
        return;
      case 'order':
        this.toEngine({ kind: 'order', order: effect.order });
        return;
      case 'answer':
        this.answers.get(effect.id)?.({ ok: effect.ok, text: effect.text });
        this.answers.delete(effect.id);
        return;
      case 'log':
        log(effect.level, effect.text);
        return;
    }
  }

  /** Runs the operator's fence; it must end well within its time. */
  private fence(): void {
    const { fence, node } = this.config;
    if (fence === undefined) return;
    runFence(fence, node.pair.fenceMs, (ok, text) => this.step({ kind: 'fenced', ok, text }));
  }

  /** At once: an orderly end waits for threads, and one of them is stuck. */
  private end(): never {
    process.kill(process.pid, 'SIGKILL');
    process.exit(1);
  }

  private toEngine(m: ToEngine): void {
    this.engine.postMessage(m);
  }

  /** A frame of ours: the socket goes by its Ethernet type, and by the MAC that says it. */
  private toLan(frame: Uint8Array): void {
    const nd = frame[12] === 0x86 && frame[13] === 0xdd;
    if (nd) this.nd?.send(frame);
    else if (this.virtualMac !== undefined && isVirtual(frame)) this.virtualMac.send(frame);
    else this.arp.send(frame);
  }

  private bounce(): void {
    const fault = bounceCarrier(this.config.lan.interface);
    if (fault !== undefined) log('warning', `carrier bounce: ${fault.osError} (${fault.call})`);
  }

  private heartbeat(path: Path, bytes: Uint8Array): void {
    const { crossover, peerLan } = this.config;
    const socket = this.heartbeats[path];
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    socket.queue(text, path === 'x' ? crossover.peerAddress : peerLan, HEARTBEAT_PORT);
    socket.flush();
  }

  private performVip(action: 'claim' | 'renew' | 'drop'): void {
    const { vips, vipLifetimeS: lifetime } = this.config.node.pair;
    const error = this.askVip(action, vips, lifetime);
    const up = action !== 'drop' && error === undefined;
    const text = error === undefined ? '' : `${error.osError} (${error.call})`;
    // answered from the queue of effects, not from inside the sentry's step
    queueMicrotask(() => this.step({ kind: 'vip', up, error: text }));
  }

  private askVip(
    action: 'claim' | 'renew' | 'drop',
    vips: readonly string[],
    lifetime: number,
  ): OsError | undefined {
    if (action === 'renew') return this.vip.renew(lifetime);
    if (action === 'claim') {
      return this.vip.claim(vips, lifetime) ?? this.virtualMac?.up(vips.filter(isIp4));
    }
    // the address first: it is what speaks
    const fault = this.vip.drop();
    return this.virtualMac?.down() ?? fault;
  }

  // ── operator ─────────────────────────────────────────────────────────────────────────────────

  private control(request: ControlRequest, answer: Answer, asker: Asker): void {
    if (this.inquiries.takes(request, answer, asker)) return;
    if (request.command === 'status') {
      this.status(request.digest, answer);
      return;
    }
    if (request.command === 'reload') {
      this.reloads.ask(answer);
      return;
    }
    this.operate(
      request.command === 'switchover'
        ? { kind: 'switchover', force: request.force }
        : { kind: request.command },
      answer,
    );
  }

  private operate(command: OperatorCommand, answer: Answer): void {
    const id = this.nextId;
    this.nextId += 1;
    this.answers.set(id, answer);
    this.step({ kind: 'operator', id, command });
  }

  private status(digest: boolean, answer: Answer): void {
    const id = this.nextId;
    this.nextId += 1;
    // when the engine does not answer is when it is asked for most
    const alone = setTimeout(() => {
      this.views.delete(id);
      answer({ ...this.facts(), engineRole: 'does not answer' });
    }, VIEW_PATIENCE_MS);
    this.views.set(id, (view) => {
      clearTimeout(alone);
      answer({ ...this.facts(), ...view });
    });
    this.toEngine({ kind: 'view', id, digest });
  }

  /** What is known of this box without asking its engine. */
  private facts(): object {
    this.standingCell.read(this.standing);
    return {
      release: RELEASE,
      pid: process.pid,
      redundancy: this.config.node.pair.redundancy,
      vip: this.config.node.sip.vip,
      upMs: Math.round(mono() - this.startedAt),
      monoNow: mono(),
      lan: { interface: this.config.lan.interface, address: this.config.lan.address },
      ...this.sentryFacts(),
      lsn: this.standing.lsn,
      chain: this.standing.chain,
      // a backup without its link may stand, but nobody can say that it is still in step
      inStep: this.standing.inStep && this.standing.linkUp,
      peerStale: this.standing.peerStale,
    };
  }

  /** The sentry's view, and how long its last takeover took from suspicion to claim. */
  private sentryFacts(): object {
    // the engine counts too
    const { counters: pairCounters, ...view } = this.sentry.view();
    const last = view.lastSwitchover;
    if (last === undefined) return { ...view, pairCounters };
    const tookMs = Math.round((last.claimedAt - last.suspectedAt) * 10) / 10;
    return { ...view, pairCounters, lastSwitchover: { ...last, tookMs } };
  }

  /** Told to end: hand over first if we lead and someone can take it. */
  private stop(): void {
    if (this.stopping) process.exit(0);
    this.stopping = true;
    this.life.ends();
    const leave = (): never => {
      this.virtualMac?.close();
      log('info', 'stopped');
      process.exit(0);
    };
    // an orderly hand-over if somebody can take it; else at least nobody waits for us
    const retire = (): void => this.operate({ kind: 'retire' }, () => setTimeout(leave, 20));
    if (this.sentry.role() !== 'primary') retire();
    else {
      setTimeout(retire, STOP_PATIENCE_MS);
      this.operate({ kind: 'switchover', force: false }, (answer) => {
        if ('ok' in answer && answer.ok === true) setTimeout(leave, 100);
        else retire();
      });
    }
  }
}

/** Runs until the process is told to end. */
export function runBox(path: string, file: ConfigFile): void {
  new Box(path, file);
}
