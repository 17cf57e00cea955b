/**
 * A box's control socket: one JSON line out, one JSON line back. Also how a lab reads what a box
 * says about itself: a status may lack any field while a box starts, so all are optional here.
 */

import { createConnection } from 'node:net';

export type Switchover = {
  readonly cause?: string;
  /** From the suspicion to the claim of the VIP, ms: said, or as two moments of one clock. */
  readonly tookMs?: number;
  readonly suspectedAt?: number;
  readonly claimedAt?: number;
};

export type BoxStatus = {
  readonly box?: string;
  readonly role?: string;
  readonly epoch?: number;
  readonly lsn?: number;
  readonly chain?: number | string;
  readonly inStep?: boolean;
  /** Whether a change of roles would be refused now, and why. */
  readonly readiness?: { readonly ready: boolean; readonly why: string };
  readonly cause?: string;
  readonly since?: number;
  readonly gate?: string;
  readonly held?: number;
  readonly calls?: number;
  readonly established?: number;
  readonly registrations?: number;
  readonly lastSwitchover?: Switchover | null;
  readonly tables?: Readonly<Record<string, { readonly count: number; readonly hash: string }>>;
  readonly counters?: Readonly<Record<string, number>>;
  /** What the sentry counted. */
  readonly pairCounters?: Readonly<Record<string, number>>;
  /** How late the sentry was run, in buckets. */
  readonly lateness?: Readonly<Record<string, number>>;
  readonly wentAlone?: number;
  readonly witness?: { readonly state: string };
  readonly alarms?: { readonly active: readonly { readonly code: string }[] };
  readonly pid?: number;
};

/** How long the box needed to take over, ms; null when it does not say. */
export function tookMs(last: Switchover | null | undefined): number | null {
  if (last?.tookMs !== undefined) return last.tookMs;
  if (last?.suspectedAt === undefined || last.claimedAt === undefined) return null;
  return Math.round((last.claimedAt - last.suspectedAt) * 10) / 10;
}

export type Answer = { readonly ok: boolean; readonly text: string };

/** Sends one command; the value of the answer's line. Rejects with the cause. */
export function ask(path: string, command: object, timeoutMs = 2000): Promise<unknown> {
  return new Promise((done, fail) => {
    const socket = createConnection({ path });
    const parts: Buffer[] = [];
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer in ${timeoutMs} ms`)));
    socket.on('error', fail);
    socket.on('connect', () => socket.write(`${JSON.stringify(command)}\n`));
    socket.on('data', (bytes) => {
      parts.push(bytes);
      if (!bytes.includes(10)) return;
      socket.destroy();
      const text = Buffer.concat(parts).toString('utf8');
      try {
        done(JSON.parse(text.slice(0, text.indexOf('\n'))));
      } catch {
        fail(new Error(`not a line of JSON: ${text.slice(0, 80)}`));
      }
    });
    socket.on('close', () => fail(new Error('closed without an answer')));
  });
}

/** Status of a box, or undefined while it cannot be asked. */
export async function statusOf(
  path: string,
  options: { readonly digest?: boolean; readonly timeoutMs?: number } = {},
): Promise<BoxStatus | undefined> {
  const command = options.digest ? { command: 'status', digest: true } : { command: 'status' };
  try {
    const value = await ask(path, command, options.timeoutMs ?? 1000);
    return typeof value === 'object' && value !== null ? (value as BoxStatus) : undefined;
  } catch {
    return undefined;
  }
}

/** A command that is done or refused. A box that cannot be asked is a refusal with the cause. */
export async function order(path: string, command: object, timeoutMs = 15_000): Promise<Answer> {
  try {
    const value = (await ask(path, command, timeoutMs)) as { ok?: unknown; text?: unknown } | null;
    return { ok: value?.ok === true, text: String(value?.text ?? '') };
  } catch (error) {
    return { ok: false, text: messageOf(error) };
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
