/**
 * What a recorder is told of the call it records: the metadata of RFC 7865 as RFC 7866 carries it, in
 * one INVITE with the session description.
 *
 *   multipart/mixed ─┬ application/sdp            what it will hear
 *                    └ application/rs-metadata+xml  who that is
 */

import { civilDay } from '../../base/civil.ts';
import type { Instant } from '../../base/units.ts';

/** Somebody whose voice is in the recording. */
export type Participant = {
  readonly device: string;
  /** The agent logged in there; '' for none. */
  readonly agent: string;
};

export type Recorded = {
  /** Id of the recording session and of the call, the latter as programs know it. */
  readonly word: string;
  readonly guid: string;
  readonly startedAt: Instant;
  /** Our own name, behind the @ of numbers. */
  readonly host: string;
  readonly participants: readonly Participant[];
};

/** RFC 7865 ids are UUIDs in base64; what makes them is the row they are of. */
function idOf(word: string, n: number): string {
  const seed = `${word}-${n}`;
  let out = '';
  for (let i = 0; out.length < 22; i += 1) {
    const code = (seed.charCodeAt(i % seed.length) * 31 + i * 7 + n * 13) % 64;
    out += 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'[code];
  }
  return `${out}==`;
}

function escaped(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/[^ -~]/g, '?');
}

/** `2026-11-26T19:00:00.000Z`, without asking a clock of ours (RFC 3339). */
export function dateTime(at: Instant): string {
  const days = Math.floor(at / 86_400_000);
  const ms = at - days * 86_400_000;
  const { year, month, day } = civilDay(days);
  const two = (n: number): string => String(n).padStart(2, '0');
  const clock = [3_600_000, 60_000, 1000].map((u, i) => two(Math.floor(ms / u) % (i ? 60 : 24)));
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  return `${date}T${clock.join(':')}.${String(ms % 1000).padStart(3, '0')}Z`;
}

/** The metadata document (RFC 7865 6): one group, one session, its participants, one mixed stream. */
export function metadata(r: Recorded): string {
  const at = dateTime(r.startedAt);
  const session = idOf(r.word, 0);
  const group = idOf(r.word, 1);
  const stream = idOf(r.word, 2);
  const people = r.participants.map((p, i) => ({ ...p, id: idOf(r.word, 3 + i) }));
  const ns = 'xmlns="urn:ietf:params:xml:ns:recording:1"';
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<recording ${ns}>`,
    '<datamode>complete</datamode>',
    `<group group_id="${group}"><associate-time>${at}</associate-time></group>`,
    `<session session_id="${session}"><sipSessionID>${escaped(r.guid)}</sipSessionID>` +
      `<group-ref>${group}</group-ref><start-time>${at}</start-time></session>`,
    ...people.map((p) => {
      const aor = `sip:${escaped(p.device)}@${escaped(r.host)}`;
      const name = p.agent === '' ? '' : `<name>${escaped(p.agent)}</name>`;
      const id = `participant_id="${p.id}"`;
      return `<participant ${id}><nameID aor="${aor}">${name}</nameID></participant>`;
    }),
    `<stream stream_id="${stream}" session_id="${session}"><label>1</label></stream>`,
    ...people.map(
      (p) =>
        `<participantsessionassoc participant_id="${p.id}" session_id="${session}">` +
        `<associate-time>${at}</associate-time></participantsessionassoc>` +
        `<participantstreamassoc participant_id="${p.id}"><send>${stream}</send>` +
        '</participantstreamassoc>',
    ),
    '</recording>',
  ];
  return lines.join('\r\n');
}

/** The second part of the INVITE to a recorder (RFC 7866 9.1): its headers and body. */
export function metadataPart(r: Recorded): string {
  return (
    'Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n' +
    metadata(r)
  );
}
