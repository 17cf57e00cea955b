/**
 * The board on the page. Rows are kept by key and only what changed is written, so that a reader's
 * place, selection and screen reader are left alone.
 */

import { type Board, type BoardCall, clock } from './board.ts';

export type Tone = 'good' | 'busy' | 'late' | 'bad' | '';

type Cell = { readonly text: string; readonly tone?: Tone; readonly number?: boolean };
type Row = { readonly key: string; readonly cells: readonly Cell[] };

/** Lines of a table that are drawn; the rest is counted. */
const MOST_LINES = 200;

export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

function fill(td: HTMLTableCellElement, cell: Cell): void {
  if (td.textContent !== cell.text) td.textContent = cell.text;
  if ((td.dataset['tone'] ?? '') !== (cell.tone ?? '')) td.dataset['tone'] = cell.tone ?? '';
}

function drawRows(table: HTMLTableElement, rows: readonly Row[], none: string): void {
  const body = table.tBodies[0];
  if (body === undefined) return;
  const shown: readonly Row[] =
    rows.length === 0
      ? [{ key: '', cells: [{ text: none }] }]
      : rows.length > MOST_LINES
        ? [...rows.slice(0, MOST_LINES), more(rows.length - MOST_LINES)]
        : rows;
  const old = new Map([...body.rows].map((tr) => [tr.dataset['key'] ?? '', tr]));
  let at: Element | null = body.firstElementChild;
  for (const row of shown) {
    const tr = old.get(row.key) ?? document.createElement('tr');
    old.delete(row.key);
    tr.dataset['key'] = row.key;
    while (tr.cells.length > row.cells.length) tr.deleteCell(-1);
    for (const [i, cell] of row.cells.entries()) {
      const td = tr.cells[i] ?? tr.insertCell();
      td.className = cell.number === true ? 'number' : '';
      td.colSpan = row.cells.length === 1 ? 9 : 1;
      fill(td, cell);
    }
    if (tr === at) at = at.nextElementSibling;
    else body.insertBefore(tr, at);
  }
  for (const tr of old.values()) tr.remove();
}

function more(count: number): Row {
  return { key: 'more', cells: [{ text: `and ${count} more` }] };
}

const AGENT_WORDS: { readonly [state: string]: readonly [string, Tone] } = {
  ready: ['ready', 'good'],
  busy: ['busy', 'busy'],
  workingAfterCall: ['after call', 'late'],
  notReady: ['not ready', ''],
};

const PARTY_WORDS: { readonly [state: string]: string } = {
  initiated: 'calls',
  alerting: 'rings',
  hold: 'on hold',
  failed: 'failed',
};

const count = (n: number, tone: Tone = ''): Cell => ({
  text: `${n}`,
  number: true,
  tone: n === 0 ? '' : tone,
});

/** A queue whose first caller waits longer is drawn as late, then as bad; seconds. */
const LATE_S = 20;
const BAD_S = 60;

/** @param now microseconds of the pair clock. */
export function drawBoard(board: Board, now: number, all: boolean): void {
  const since = (at: number): number => (now - at) / 1e6;
  const forSo = (at: number): Cell => ({ text: at === 0 ? '' : clock(since(at)), number: true });
  const queues = board.queueLines(all).map((q): Row => {
    const wait = q.waiting === 0 ? 0 : since(q.longestSince);
    const tone: Tone = wait >= BAD_S ? 'bad' : wait >= LATE_S ? 'late' : '';
    return {
      key: q.deviceId,
      cells: [
        { text: q.name === '' ? q.deviceId : `${q.name} (${q.deviceId})` },
        count(q.waiting, tone),
        { text: q.waiting === 0 ? '' : clock(wait), tone, number: true },
        count(q.agents.ready, 'good'),
        count(q.agents.busy, 'busy'),
        count(q.agents.workingAfterCall, 'late'),
        count(q.agents.notReady),
      ],
    };
  });
  const agents = board.agentLines();
  const calls = board.callLines();
  drawRows(byId('queues', HTMLTableElement), queues, 'No queue has calls or agents.');
  drawRows(
    byId('agents', HTMLTableElement),
    agents.map((a) => {
      const [word, tone] = AGENT_WORDS[a.state] ?? [a.state, ''];
      const text = a.reason === '' ? word : `${word}: ${a.reason}`;
      const cells = [{ text: a.agentId }, { text: a.deviceId }, { text, tone }, forSo(a.since)];
      return { key: a.agentId, cells };
    }),
    'No agent is logged on.',
  );
  drawRows(
    byId('calls', HTMLTableElement),
    calls.map((c) => ({
      key: `${c.callId}`,
      cells: [
        { text: c.callingDevice },
        { text: c.calledDevice },
        { text: partiesOf(c) },
        forSo(c.startedAt),
      ],
    })),
    'No calls.',
  );
  byId('agent-count', HTMLElement).textContent = agents.length === 0 ? '' : `${agents.length}`;
  byId('call-count', HTMLElement).textContent = calls.length === 0 ? '' : `${calls.length}`;
}

function partiesOf({ parties }: BoardCall): string {
  const talk = parties.filter((p) => p.state === 'connected').length > 1;
  const words = parties.map(({ deviceId, state }) => {
    if (state === 'queued') return `waits at ${deviceId}`;
    if (state === 'connected') return `${deviceId} ${talk ? 'talks' : 'calls'}`;
    return `${deviceId} ${PARTY_WORDS[state] ?? state}`;
  });
  return words.join(', ');
}

export type BoxLine = {
  readonly box: string;
  readonly role: 'primary' | 'backup' | 'away';
  readonly epoch: number;
  /** What the box says of the mirror; undefined: nothing. */
  readonly inStep: boolean | undefined;
};

export function drawBoxes(boxes: readonly BoxLine[]): void {
  const list = byId('boxes', HTMLElement);
  while (list.children.length > boxes.length) list.lastElementChild?.remove();
  for (const [i, { box, role, epoch, inStep }] of boxes.entries()) {
    const li = list.children[i] ?? list.appendChild(document.createElement('li'));
    if (!(li instanceof HTMLElement)) continue;
    const known = role !== 'away' && inStep !== undefined;
    const step = known ? (inStep ? ', in step' : ', not in step') : '';
    const text =
      role === 'away'
        ? `box ${box}: not there`
        : `box ${box}: ${role}${step}${role === 'primary' ? `, epoch ${epoch}` : ''}`;
    if (li.textContent !== text) li.textContent = text;
    li.dataset['role'] = role;
    li.dataset['step'] = known && !inStep ? 'no' : 'yes';
  }
}

export function say(text: string, kind: 'calm' | 'switchover' | 'away'): void {
  const news = byId('news', HTMLElement);
  if (news.textContent !== text) news.textContent = text;
  news.dataset['kind'] = kind;
}
