// The shapes nearly every message has, as sticky expressions: validation tries these first, for one
// native test costs half of a walk over the characters, and does the exact walk only when they do
// not match. Each must accept nothing that the exact check refuses (a property test says so), and
// each must be linear: every repetition ends at a character its own class lacks.

const HOST_PORT = '[A-Za-z0-9.\\-]+(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}))?';
const SIP_URI = `sips?:(?:[A-Za-z0-9.\\-_+*]+@)?${HOST_PORT}(?:;[a-zA-Z\\-]+(?:=[A-Za-z0-9.\\-]+)?)*`;
const PARAMS = '(?:;[A-Za-z0-9.+\\-]+(?:=(?:[A-Za-z0-9.\\-_:~*+]+|"[^"\\\\\\r\\n]*"))?)*';

const VIA = new RegExp(`SIP/2\\.0/[A-Z]+ ${HOST_PORT}${PARAMS}\\r\\n`, 'y');
const ADDR = new RegExp(
  `(?:"[^"\\\\\\r\\n]*" ?|[A-Za-z0-9.\\-_ ]*)<${SIP_URI}>${PARAMS}\\r\\n`,
  'y',
);
const REQUEST_URI = new RegExp(`${SIP_URI} SIP/2\\.0\\r\\n`, 'y');

/** All of them, for the test that counts their steps. */
export const USUAL: readonly RegExp[] = [VIA, ADDR, REQUEST_URI];

/** True when the line value at `start` is one plain Via value up to the line end. */
export function isUsualVia(text: string, start: number): boolean {
  VIA.lastIndex = start;
  return VIA.test(text);
}

/**
 * True when the line value at `start` is one plain name-addr with a sip(s) URI, up to the line
 * end.
 */
export function isUsualAddr(text: string, start: number): boolean {
  ADDR.lastIndex = start;
  return ADDR.test(text);
}

/**
 * True when a plain sip(s) URI without headers stands at `start`, followed by version and line
 * end.
 */
export function isUsualRequestUri(text: string, start: number): boolean {
  REQUEST_URI.lastIndex = start;
  return REQUEST_URI.test(text);
}
