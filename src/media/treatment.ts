/**
 * What a Request-URI asks of the media service (RFC 4240), with parameters of ours:
 *
 *   sip:annc@…   ;play=NAME|URI  ;repeat=N|forever  ;delay=MS  ;duration=MS
 *                ;stay=yes             the end is told by INFO, the dialog stays
 *   sip:conf=ID@…;mode=talk|listen|coach|muted   ;coach=MEMBER   ;member=NAME
 *
 * The answer's Contact is the same URI with what it takes to go on with the session elsewhere:
 *
 *   ;at=MS        when the dialog began, on the pair clock: RTP counts from there
 *   ;since=MS     when what is heard now began, if that was later
 *   ;rtp=PORT     where RTP is received
 */

import type { ConferenceMode } from '../proto/media.ts';
import { isFault, parseUri, unescapeUser, uriParam } from '../sip-parser/index.ts';
import type { Library } from './library.ts';
import { FRAME_MS, type Playing } from './sound.ts';

export type Treatment =
  | { readonly kind: 'announcement'; readonly playing: Playing; readonly stay: boolean }
  | {
      readonly kind: 'conference';
      readonly conference: string;
      readonly mode: ConferenceMode;
      /** The member a coach is heard by. */
      readonly coached: string;
      /** Its own name there; '' for none. */
      readonly member: string;
    };

/** What a session needs to be made again. */
export type Bearings = { readonly at: number; readonly since: number; readonly port: number };

/** Parts of a Request-URI: `service` is the same for the same wish. */
export type Wish = { readonly service: string; readonly bearings: Bearings | undefined };

const OWN = /;(?:at|since|rtp)=[^;]*/gi;
const MODES: readonly ConferenceMode[] = ['talk', 'listen', 'coach', 'muted'];
/** Longest user part and parameters that are looked at. */
const MOST_TEXT = 512;

/** @returns the wish in a Request-URI; undefined for what is none of ours. */
export function wishIn(uri: string): Wish | undefined {
  const parsed = parseUri(uri);
  if (isFault(parsed) || parsed.user.length + parsed.params.length > MOST_TEXT) return undefined;
  const number = (name: string): number => {
    const found = new RegExp(`;${name}=(\\d{1,15})(?=;|$)`, 'i').exec(parsed.params);
    return found === null ? -1 : Number(found[1]);
  };
  const [at, port] = [number('at'), number('rtp')];
  const since = number('since');
  const known = at >= 0 && port > 0 && port < 65_535;
  return {
    service: `${parsed.user}@${parsed.params.replace(OWN, '')}`,
    bearings: known ? { at, since: since < 0 ? at : since, port } : undefined,
  };
}

/** The Contact URI of a session, at `host`. */
export function contactUri(host: string, service: string, b: Bearings): string {
  const cut = service.lastIndexOf('@');
  const since = b.since === b.at ? '' : `;since=${b.since}`;
  return `sip:${service.slice(0, cut)}@${host}${service.slice(cut + 1)};at=${b.at}${since};rtp=${b.port}`;
}

/** @returns what is to be done, or the status of the refusal. */
export function treatmentOf(service: string, library: Library): Treatment | number {
  const cut = service.lastIndexOf('@');
  const user = unescapeUser(service.slice(0, cut));
  const uri = parseUri(`sip:${service.slice(0, cut)}@media${service.slice(cut + 1)}`);
  if (isFault(uri)) return 400;
  const said = (name: string): string => uriParam(uri, name) ?? '';
  if (user === 'annc') return announcement(said, library);
  // RFC 4240 5.1: "conf" with the id of the conference
  if (user.startsWith('conf=') && user.length > 5) return conference(user.slice(5), said);
  return 404;
}

function announcement(said: (name: string) => string, library: Library): Treatment | number {
  const play = said('play');
  // RFC 4240 3.1: "play=" is mandatory
  if (play === '') return 400;
  const sound = library.find(play);
  if (sound === undefined) return 404;
  const repeat = said('repeat').toLowerCase();
  const endless = repeat === 'forever' || (repeat === '' && sound.endless);
  const times = endless ? Infinity : repeat === '' ? 1 : whole(repeat);
  const pause = said('delay') === '' ? 0 : whole(said('delay'));
  const most = said('duration') === '' ? Infinity : whole(said('duration'));
  if (times < 1 || pause < 0 || most < 0) return 400;
  return {
    kind: 'announcement',
    playing: { sound, times, pause: frames(pause), most: frames(most) },
    stay: said('stay') === 'yes',
  };
}

function frames(ms: number): number {
  return Math.ceil(ms / FRAME_MS);
}

/** -1 for what is no number. */
function whole(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : -1;
}

function conference(id: string, said: (name: string) => string): Treatment | number {
  const mode = said('mode') === '' ? 'talk' : MODES.find((m) => m === said('mode'));
  if (mode === undefined || (mode === 'coach' && said('coach') === '')) return 400;
  return {
    kind: 'conference',
    conference: id,
    mode,
    coached: said('coach'),
    member: said('member'),
  };
}
