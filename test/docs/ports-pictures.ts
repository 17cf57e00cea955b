/** The tables of docs/ports.md. */

import { OPENERS, PORT_PLACES, PORTS, portText, SENDS } from '../../src/panel/ports.ts';
import { grid } from './grid.ts';

function line(words: string): string {
  return words === '' ? 'nothing' : `\`set ${words}\``;
}

function listens(): string {
  return grid(
    ['port', 'where', 'what', 'open', 'who may', 'opened by', 'changed by'],
    PORTS.map((row) => [
      `${row.protocol.toUpperCase()} ${portText(row)}`,
      PORT_PLACES[row.place],
      row.about,
      row.when,
      row.who,
      OPENERS[row.opener],
      line(row.line),
    ]),
  );
}

function sends(): string {
  return grid(
    ['what', 'protocol, port there', 'from', 'to', 'when', 'sent by', 'changed by'],
    SENDS.map((row) => [
      row.name,
      [row.protocol === 'ethernet' ? 'Ethernet' : row.protocol.toUpperCase(), row.port]
        .filter((text) => text !== '')
        .join(' '),
      row.from === 'lan' ? 'LAN' : PORT_PLACES[row.from],
      row.to,
      row.when,
      OPENERS[row.opener],
      line(row.line),
    ]),
  );
}

export const PORTS_PICTURES: { readonly [name: string]: () => string } = {
  'ports-open': listens,
  'ports-sent': sends,
};
