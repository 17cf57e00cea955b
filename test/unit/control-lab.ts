/** Phones that act by themselves, a media service, and a program that steers them. */

import { BRIDGE } from '../../src/call/bridge-rows.ts';
import { answerCall, generateDigits, setMute } from '../../src/call/control/answer.ts';
import { clearCall, clearConnection } from '../../src/call/control/clear.ts';
import type { Connection } from '../../src/call/control/find.ts';
import {
  alternateCall,
  holdCall,
  reconnectCall,
  retrieveCall,
} from '../../src/call/control/hold.ts';
import { consultationCall, makeCall, makePredictiveCall } from '../../src/call/control/make.ts';
import {
  deflectCall,
  singleStepTransferCall,
  transferCall,
} from '../../src/call/control/transfer.ts';
import { publish } from '../../src/call/csta/publish.ts';
import { type Done, isRefusal, type Refusal } from '../../src/call/csta/refusal.ts';
import { CCALL, EVENT, MONITOR, PARTY, type Party, SESSION } from '../../src/call/csta/rows.ts';
import { watched } from '../../src/call/events/watch.ts';
import { nailUp } from '../../src/call/nail/commands.ts';
import { LEG } from '../../src/call/rows.ts';
import { PLAIN_CENTRE } from '../../src/proto/centre.ts';
import type { Context } from '../../src/proto/context.ts';
import { type PhoneControl, PLAIN_CONTROL, PLAIN_SITE } from '../../src/proto/site.ts';
import { Lab } from './call-lab.ts';
import { point } from './distribute-lab.ts';
import { TransferPhone } from './transfer-phone.ts';

export const STEP = 50;

const PLAIN = {
  classOfService: '',
  contact: '',
  password: undefined,
  name: '',
  callerId: '',
  mwi: false,
};

export type Cast = {
  readonly lab: Lab;
  /** 1001 to 1004. */
  readonly phones: readonly TransferPhone[];
  readonly media: TransferPhone;
};

/** `music`: what who is held hears; '' for nothing. `control`: how the phone of 1001 is steered. */
export function stage(music: string, control: Partial<PhoneControl> = {}): Cast {
  const points = { '5000': point('5000', { timeoutS: 2, defaults: ['1003'] }) };
  const centre = { ...PLAIN_CENTRE, musicOnHold: music, points };
  const extensions = { '1001': { ...PLAIN, control: { ...PLAIN_CONTROL, ...control } } };
  const lab = new Lab({ site: { ...PLAIN_SITE, centre, extensions } });
  const phones = [1, 2, 3, 4].map((n) => new TransferPhone(lab, `100${n}`, `192.0.2.${n}`));
  for (const phone of phones) lab.register(phone);
  const media = new TransferPhone(lab, 'annc', '127.0.0.90');
  const session = lab.cx.store.insert(SESSION, { program: 'lab', word: 'w', startedAt: lab.now });
  lab.cx.store.insert(MONITOR, { session: session.id, kind: 'all', subject: '*' });
  return { lab, phones, media };
}

/** Tables whose rows outlive calls. */
const LASTING: ReadonlySet<string> = new Set([
  'binding',
  'ctievent',
  'cdr',
  'ctisession',
  'ctimonitor',
  'router',
  'pointturn',
]);

/** Time passes; phones whose user is there lift. */
export function settle(cast: Cast, ms: number, lifts = true): void {
  const { lab, phones, media } = cast;
  for (let t = 0; t < ms; t += STEP) {
    for (const phone of phones) phone.act();
    media.act();
    media.lift();
    if (lifts && t % 400 === 350) for (const phone of phones) phone.lift();
    lab.pass(STEP);
  }
}

export function command<T>(lab: Lab, f: (cx: Context) => T, request = ''): T {
  lab.cx.now = lab.now;
  const cx = watched(lab.cx);
  if (request !== '') {
    cx.turn.session = 1;
    cx.turn.request = request;
  }
  const result = f(cx);
  publish(cx);
  return result;
}

function at(cx: Context, device: string, ...states: readonly Party['state'][]): Party | undefined {
  const all = [...cx.store.all(PARTY, 'device', device)].sort((x, y) => x.ccall - y.ccall);
  for (const state of states) {
    const found = all.filter((p) => p.state === state).at(-1);
    if (found !== undefined) return found;
  }
  return all.at(-1);
}

function connection(p: Party | undefined, device = '1001'): Connection {
  return { callId: p?.ccall ?? 0, deviceId: p?.device ?? device };
}

const active = (cx: Context, a: string) => connection(at(cx, a, 'connected'), a);
const held = (cx: Context, a: string) => connection(at(cx, a, 'hold'), a);
const rings = (cx: Context, a: string) =>
  connection(
    [...cx.store.rows(PARTY)].find((p) => p.state === 'alerting') ??
      [...cx.store.rows(PARTY)].find((p) => p.state === 'initiated') ??
      at(cx, a),
  );
const both = (cx: Context, a: string) => ({
  activeConnection: active(cx, a),
  heldConnection: held(cx, a),
});
/** Whom a device calls besides. */
const far = (a: string): string => (a === '1004' ? '1003' : '1004');
const one = (connection: Connection) => ({ connection });

/** Every function, with what the device `a` would mean by it as things stand. */
export const FUNCTIONS = {
  answerCall: (cx, a) => answerCall(cx, one(rings(cx, a))),
  deflectCall: (cx, a) => deflectCall(cx, { ...one(rings(cx, a)), newDestination: far(a) }),
  generateDigits: (cx, a) => generateDigits(cx, { ...one(active(cx, a)), digits: '12#' }),
  mute: (cx, a) => setMute(cx, { ...one(active(cx, a)), mute: true }),
  unmute: (cx, a) => setMute(cx, { ...one(active(cx, a)), mute: false }),
  holdCall: (cx, a) => holdCall(cx, one(active(cx, a))),
  retrieveCall: (cx, a) => retrieveCall(cx, one(held(cx, a))),
  consultationCall: (cx, a) =>
    consultationCall(cx, { ...one(active(cx, a)), calledDevice: far(a) }),
  alternateCall: (cx, a) => alternateCall(cx, both(cx, a)),
  reconnectCall: (cx, a) => reconnectCall(cx, both(cx, a)),
  transferCall: (cx, a) => transferCall(cx, both(cx, a)),
  singleStepTransferCall: (cx, a) =>
    singleStepTransferCall(cx, { ...one(active(cx, a)), transferredTo: far(a) }),
  makeCall: (cx, a) => makeCall(cx, { callingDevice: a, calledDevice: far(a) }),
  makePredictiveCall: (cx) =>
    makePredictiveCall(cx, { callingDevice: '1003', calledDevice: '1004' }),
  clearConnection: (cx, a) => clearConnection(cx, one(active(cx, a))),
  clearCall: (cx, a) => clearCall(cx, active(cx, a)),
} as const satisfies { readonly [name: string]: (cx: Context, a: string) => Done | Refusal };

export type Func = keyof typeof FUNCTIONS;

/** @returns 'ok', or the code it was refused by. */
export function ask(cast: Cast, f: Func, request = '', device = '1001'): string {
  const run: (cx: Context, a: string) => Done | Refusal = FUNCTIONS[f];
  const answer = command(cast.lab, (cx) => run(cx, device), request);
  return isRefusal(answer) ? answer.refused : 'ok';
}

function call(cast: Cast, from: number, number: string): void {
  (cast.phones[from] as TransferPhone).call(number);
}

function must(cast: Cast, f: Func): void {
  const said = ask(cast, f);
  if (said !== 'ok') throw new Error(`${f}: ${said}`);
}

const talk = (c: Cast): void => {
  call(c, 0, '1002');
  settle(c, 1500);
};
const consulted = (c: Cast): void => {
  talk(c);
  must(c, 'consultationCall');
  settle(c, 4000);
};
/** The phone of 1001 stays connected between calls. */
const nailed = (c: Cast): void => {
  command(c.lab, (cx) => nailUp(cx, { device: '1001' }));
  settle(c, 1500);
};

/** States in which functions are asked for. */
export const STATES: { readonly [name: string]: (c: Cast) => void } = {
  nothing: () => {},
  ringing: (c) => {
    call(c, 0, '1002');
    settle(c, 300, false);
  },
  talking: talk,
  called: (c) => {
    call(c, 1, '1001');
    settle(c, 1500);
  },
  held: (c) => {
    talk(c);
    must(c, 'holdCall');
    settle(c, 1500);
  },
  'held by both': (c) => {
    talk(c);
    must(c, 'holdCall');
    settle(c, 1500);
    command(c.lab, (cx) => holdCall(cx, one(connection(at(cx, '1002')))));
    settle(c, 1500);
  },
  'held by the other': (c) => {
    talk(c);
    command(c.lab, (cx) => holdCall(cx, one(connection(at(cx, '1002')))));
    settle(c, 1500);
  },
  muted: (c) => {
    talk(c);
    must(c, 'mute');
    settle(c, 1500);
  },
  'made, prompted': (c) => {
    must(c, 'makeCall');
    settle(c, STEP, false);
  },
  'made, ringing': (c) => {
    must(c, 'makeCall');
    settle(c, 300, false);
  },
  'made, talking': (c) => {
    must(c, 'makeCall');
    settle(c, 3000);
  },
  'consulting, ringing': (c) => {
    talk(c);
    must(c, 'consultationCall');
    settle(c, 300, false);
  },
  consulting: consulted,
  alternated: (c) => {
    consulted(c);
    must(c, 'alternateCall');
    settle(c, 2000);
  },
  transferred: (c) => {
    consulted(c);
    must(c, 'transferCall');
    settle(c, 2000);
  },
  'transferred at one step': (c) => {
    talk(c);
    must(c, 'singleStepTransferCall');
    settle(c, 2000);
  },
  'nailed up': nailed,
  'nailed up, called': (c) => {
    nailed(c);
    call(c, 1, '1001');
    settle(c, 1500);
  },
  'nailed up, made': (c) => {
    nailed(c);
    must(c, 'makeCall');
    settle(c, 3000);
  },
};

/** What is wrong with what is there. */
export function faults(cast: Cast): string[] {
  const { lab, phones, media } = cast;
  const out: string[] = [];
  // a BYE and our INVITE may cross (RFC 5407 3.1.3)
  const fine = (x: string): boolean => x !== 're-INVITE when over';
  for (const phone of [...phones, media]) {
    out.push(...phone.complaints.filter(fine).map((x) => `${phone.user}: ${x}`));
    if (!phone.idle) out.push(`${phone.user} waits for an answer`);
  }
  const store = lab.cx.store;
  for (const b of store.rows(BRIDGE)) out.push(`a bridge is left: ${b.state} ${b.note}`);
  const living = [...phones, media].flatMap((p) => p.living().map((t) => ({ p, t })));
  for (const leg of store.rows(LEG)) {
    if (leg.state !== 'confirmed') continue;
    const own = living.find((l) => l.t.callId === leg.callId);
    if (own === undefined) {
      out.push(`${leg.aor}: a leg without a phone`);
      continue;
    }
    const mate = leg.peer === 0 || leg.peer === leg.id ? undefined : store.get(LEG, leg.peer);
    if (leg.peer > 0 && leg.peer !== leg.id && mate === undefined) out.push(`${leg.aor} dangles`);
    if (mate !== undefined && mate.peer !== leg.id && !leg.held) out.push(`${leg.aor} is alone`);
    if (mate?.part !== 'device' || leg.held || mate.held || leg.part !== 'device') continue;
    if (!own.t.heard.includes(`s=${mate.aor}v`)) {
      out.push(`${leg.aor} heard ${/s=\S+/.exec(own.t.heard)?.[0]}, not ${mate.aor}`);
    }
  }
  for (const { p, t } of living) {
    if (![...store.rows(LEG)].some((l) => l.callId === t.callId)) out.push(`${p.user}: no leg`);
  }
  return out;
}

/** Everybody hangs up, beginning with `first`; then nothing is left. */
export function end(cast: Cast, first: number): string[] {
  const { lab, phones, media } = cast;
  for (let i = 0; i < phones.length; i += 1) {
    const phone = phones[(first + i) % phones.length] as TransferPhone;
    for (const t of phone.living()) phone.bye(t);
    settle(cast, 1000, false);
  }
  const out: string[] = [];
  if (media.living().length > 0) out.push('music plays on');
  // what is repeated is repeated by now; the rest are rows that wait for their end
  settle(cast, 2000, false);
  lab.pass(240_000);
  const { store } = lab.cx;
  for (const [name, shelf] of lab.store.shelves) {
    if (!LASTING.has(name) && shelf.rows.size > 0)
      out.push(`${shelf.rows.size} of ${name} are left`);
  }
  if (store.count(CCALL) > 0) out.push('a call is left');
  for (const phone of [...phones, media]) {
    if (phone.living().length > 0) out.push(`${phone.user} is left in a call`);
  }
  return out;
}

/** The connections as they stand, for people. */
export function view(cast: Cast): string {
  return [...cast.lab.cx.store.rows(PARTY)]
    .map((p) => `${p.ccall}:${p.device} ${p.state}`)
    .sort()
    .join(', ');
}

/** The events that were told: name, device, cause, and whose request they follow from. */
export function told(cast: Cast, from = 0): string[] {
  return [...cast.lab.cx.store.rows(EVENT)].slice(from).map((e) => {
    const body = JSON.parse(e.body) as { cause?: string; connection?: { deviceId: string } };
    return [e.event, body.connection?.deviceId, body.cause, e.request].filter((x) => x).join(' ');
  });
}

/** Events so far. */
export function eventsOf(cast: Cast): number {
  return cast.lab.cx.store.count(EVENT);
}
