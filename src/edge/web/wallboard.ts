/**
 * The wallboard of a pair: a program like any other, in a browser. It watches everything, holds a
 * connection to both boxes by the client library, and goes on over a switchover without being loaded
 * again: what it missed it is given.
 */

import { Client, RequestError } from '../../client/index.ts';
import { Board, type Fields } from './board.ts';
import { type BoxLine, byId, drawBoard, drawBoxes, say } from './draw.ts';

type BoxAddress = { readonly box: string; readonly url?: string; readonly secureUrl?: string };

const KEPT = 'sipair-wallboard';
/** Drawn at most so often while events come, ms; and once a second for the clocks. */
const DRAW_MS = 150;

const board = new Board();
const form = byId('login', HTMLFormElement);
const program = byId('program', HTMLInputElement);
const password = byId('password', HTMLInputElement);
const refusal = byId('refusal', HTMLElement);
const main = byId('board', HTMLElement);
const leave = byId('leave', HTMLButtonElement);
const allQueues = byId('all-queues', HTMLInputElement);

let addresses: readonly BoxAddress[] = [];
let client: Client | undefined;
let lines: BoxLine[] = [];
let serving = -1;
let epoch = 0;
/** Pair clock less this browser's, microseconds. */
let ahead = 0;
let drawing = false;
/** The session, or events of it, were lost; no box was there. */
let anew = false;
let alone = false;

function draw(): void {
  if (drawing) return;
  drawing = true;
  setTimeout(() => {
    drawing = false;
    drawBoard(board, Date.now() * 1000 + ahead, allQueues.checked);
  }, DRAW_MS);
}

function timeOf(date: Date): string {
  return date.toLocaleTimeString(undefined, { timeStyle: 'medium' });
}

/** Everything as it is now; events with greater ids follow. @param watches there is a monitor already. */
async function snapshots(from: Client, watches = false): Promise<void> {
  board.clear();
  if (!watches) await from.call('monitorStart', { all: true, filter: ['digitsGenerated'] });
  board.takeDevices(await from.call('getDevices', {}));
  await Promise.all([pagesOf(from, 'snapshotAgents'), pagesOf(from, 'snapshotCalls')]);
  // names of queues; a board without them is a board
  await from.call('snapshotQueues', {}).then(
    (answer) => board.takeQueues(answer),
    () => {},
  );
  draw();
}

async function pagesOf(from: Client, what: 'snapshotAgents' | 'snapshotCalls'): Promise<void> {
  for (let at: number | undefined = 0; at !== undefined; ) {
    const page: Fields = await from.call(what, at === 0 ? {} : { from: at });
    if (what === 'snapshotCalls') board.takeCalls(page);
    else board.takeAgents(page);
    const more: unknown = page['more'];
    at = typeof more === 'number' ? more : undefined;
  }
}

function boxLine(at: number, change: Partial<BoxLine>): void {
  const before = lines[at];
  if (before === undefined) return;
  lines = lines.with(at, { ...before, ...change });
  drawBoxes([...lines].sort((a, b) => a.box.localeCompare(b.box)));
}

function served(at: number): void {
  const now = lines[at];
  if (now === undefined) return;
  const before = lines[serving];
  if (serving >= 0 && (serving !== at || now.epoch > epoch)) {
    const from = before === undefined || serving === at ? '' : ` from box ${before.box}`;
    const missed = anew ? 'what was missed is gone, the board began anew' : 'nothing was missed';
    say(`${timeOf(new Date())}: switchover${from} to box ${now.box}; ${missed}`, 'switchover');
  } else if (serving < 0 || alone) say('', 'calm');
  serving = at;
  epoch = Math.max(epoch, now.epoch);
  anew = false;
  alone = false;
}

function follow(one: Client): void {
  one.on('event', (event) => {
    if (board.event(event)) draw();
  });
  one.on('status', (status) => {
    const { at, role, time } = status;
    const inStep = typeof status['inStep'] === 'boolean' ? status['inStep'] : undefined;
    if (typeof time === 'number') ahead = time - Date.now() * 1000;
    boxLine(at, { box: status.box, role, epoch: status.epoch, inStep });
    if (at === serving) served(at);
  });
  one.on('away', ({ at }) => {
    boxLine(at, { role: 'away' });
    if (serving >= 0 && lines.every((line) => line.role === 'away')) {
      alone = true;
      say('no box is there; what is shown may be old', 'away');
    }
  });
  one.on('serving', ({ at }) => served(at));
  const again = (watches: boolean) => (): void => {
    anew = true;
    void snapshots(one, watches).catch(trouble);
  };
  one.on('afresh', again(false));
  one.on('eventsLost', again(true));
  one.on('over', (fault) => {
    if (client === one) logOut(fault.message);
  });
}

function trouble(error: unknown): void {
  if (error instanceof RequestError && error.code === 'privilegeViolation') {
    logOut('This program may not watch: it needs the role observe.');
  } else say(error instanceof Error ? error.message : `${error}`, 'away');
}

function urls(): string[] {
  const secure = location.protocol === 'https:';
  return addresses.map(({ url, secureUrl }) => (secure ? secureUrl : url) ?? '');
}

async function logIn(name: string, word: string): Promise<void> {
  refusal.textContent = '';
  lines = addresses.map(({ box }) => ({ box, role: 'away', epoch: 0, inStep: undefined }));
  serving = -1;
  const one = new Client({ boxes: urls(), program: name, password: word });
  follow(one);
  await new Promise<void>((done, refused) => {
    one.on('serving', () => done());
    one.on('over', (fault) => refused(new RequestError(fault)));
  });
  client = one;
  sessionStorage.setItem(KEPT, JSON.stringify({ name, word }));
  form.hidden = true;
  main.hidden = false;
  leave.hidden = false;
  await snapshots(one);
}

function logOut(why: string): void {
  sessionStorage.removeItem(KEPT);
  const one = client;
  client = undefined;
  void one?.close();
  board.clear();
  form.hidden = false;
  main.hidden = true;
  leave.hidden = true;
  refusal.textContent = why;
  password.value = '';
  say('', 'calm');
  program.focus();
}

function enter(name: string, word: string): void {
  logIn(name, word).catch((error: unknown) => {
    if (client === undefined) logOut(error instanceof Error ? error.message : `${error}`);
    else trouble(error);
  });
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  enter(program.value, password.value);
});
leave.addEventListener('click', () => logOut(''));
allQueues.addEventListener('change', draw);
setInterval(draw, 1000);

async function begin(): Promise<void> {
  const told = (await (await fetch('/wallboard.json')).json()) as {
    readonly boxes: readonly BoxAddress[];
  };
  addresses = told.boxes;
  const kept = sessionStorage.getItem(KEPT);
  if (kept === null) {
    form.hidden = false;
    program.focus();
    return;
  }
  const { name, word } = JSON.parse(kept) as { readonly name: string; readonly word: string };
  enter(name, word);
}

begin().catch((error: unknown) => {
  form.hidden = false;
  refusal.textContent = `${error}`;
});
