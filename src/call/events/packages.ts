/**
 * The event packages: what each is about, in which type of document it is told, and how that is made
 * of rows. A document has the whole state each time, so nobody who missed one is wrong for long.
 *
 *   dialog            RFC 4235  the calls of the extension's phones: lamps, and picking up
 *   presence          RFC 3856  registered or not, on the phone or not (PIDF, RFC 3863)
 *   message-summary   RFC 3842  what waits in its mailbox
 *   reg               RFC 3680  its contacts
 *   as-feature-event  what is set at it, and its agent (`features.ts`); the one that tells differences
 */

import type { Context } from '../../proto/context.ts';
import { uriOf } from '../../proto/sip/address.ts';
import { STX } from '../../proto/sip/rows.ts';
import { isFault, parseNameAddr } from '../../sip-parser/index.ts';
import { holds } from '../hold.ts';
import { tagOf } from '../leg.ts';
import { BINDING, LEG, type Leg } from '../rows.ts';
import { featureState, featuresTypeOf, writeFeatures } from './features.ts';
import { type EventName, FEATURES, FEATURES_TYPE, MAILBOX, type Subscription } from './rows.ts';
import { XML_HEAD, xml } from './xml.ts';

/** What a package depends on: legs, registrations, mailboxes, features and agents of devices. */
export const ABOUT = { legs: 1, bindings: 2, mailbox: 4, features: 8 } as const;

/** The state of a watched extension, as one package sees it. */
export type State = {
  /** What is so now: equal texts are equal states. */
  readonly live: string;
  /** Ids of what `live` lists. */
  readonly ids: readonly number[];
};

type Package = {
  /** A sum of `ABOUT`. */
  readonly about: number;
  readonly type: string;
  /** The type of a document that has another. */
  readonly typeOf?: (body: string) => string;
  readonly state: (cx: Context, aor: string) => State;
  /** @param gone ids that stood in the document before and are no more. */
  readonly write: (sub: Subscription, state: State, gone: readonly string[]) => string;
};

/** Calls and contacts told of one extension: a document has to fit into a datagram. */
const MOST = 12;

export const PACKAGES: { readonly [name in EventName]: Package } = {
  dialog: {
    about: ABOUT.legs,
    type: 'application/dialog-info+xml',
    state: dialogs,
    write: (sub, state, gone) =>
      `${XML_HEAD}<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="${sub.version}" ` +
      `state="full" entity="${entity(sub)}">\r\n${state.live}` +
      `${gone.map((id) => `<dialog id="l${id}"><state>terminated</state></dialog>\r\n`).join('')}` +
      '</dialog-info>\r\n',
  },
  presence: {
    about: ABOUT.legs + ABOUT.bindings,
    type: 'application/pidf+xml',
    state: presence,
    write: (sub, state) =>
      `${XML_HEAD}<presence xmlns="urn:ietf:params:xml:ns:pidf" ` +
      'xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" ' +
      `xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="${entity(sub)}">\r\n` +
      `${state.live}</presence>\r\n`,
  },
  'message-summary': {
    about: ABOUT.mailbox,
    type: 'application/simple-message-summary',
    state: mailbox,
    write: (sub, state) => {
      const [waiting = '', ...rest] = state.live.split('\r\n');
      return `${waiting}\r\nMessage-Account: ${uriOf(sub.localUri)}\r\n${rest.join('\r\n')}`;
    },
  },
  reg: {
    about: ABOUT.bindings,
    type: 'application/reginfo+xml',
    state: contacts,
    write: (sub, state, gone) => {
      const empty = gone.length > 0 ? 'terminated' : 'init';
      return (
        `${XML_HEAD}<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="${sub.version}" ` +
        `state="full">\r\n<registration aor="${entity(sub)}" id="r${sub.aor}" ` +
        `state="${state.live === '' ? empty : 'active'}">\r\n${state.live}</registration>\r\n` +
        '</reginfo>\r\n'
      );
    },
  },
  [FEATURES]: {
    about: ABOUT.features,
    type: FEATURES_TYPE,
    typeOf: featuresTypeOf,
    state: featureState,
    write: writeFeatures,
  },
};

/** The URI the watcher asked for, as he wrote it. */
function entity(sub: Subscription): string {
  return xml(uriOf(sub.localUri));
}

/** State of a leg seen from its phone (RFC 4235 3.7.1); '' when the dialog is over for it. */
export function dialogState(cx: Context, leg: Leg): string {
  switch (leg.state) {
    case 'confirmed':
      return 'confirmed';
    case 'early':
      return 'early';
    case 'inviting': {
      if (leg.side === 'callee') return 'trying';
      // a caller has our 100 from the first moment on; what rings is in its INVITE's transaction
      const stx = cx.store.get(STX, leg.uas);
      return stx !== undefined && stx.status > 100 ? 'early' : 'proceeding';
    }
    default:
      return '';
  }
}

/** RFC 4235 4.1.6.1: the phone plays nothing of what it hears: it holds the call. */
const NOT_RENDERED = '<param pname="+sip.rendering" pval="no"/>';

function party(name: 'local' | 'remote', value: string, target: string, held = false): string {
  const a = parseNameAddr(value);
  const display = isFault(a) || a.display === '' ? '' : ` display="${xml(a.display)}"`;
  const uri = isFault(a) ? uriOf(value) : a.uri;
  const params = held ? `>${NOT_RENDERED}</target>` : '/>';
  const to = target === '' ? '' : `<target uri="${xml(target)}"${params}`;
  return `<${name}><identity${display}>${xml(uri)}</identity>${to}</${name}>`;
}

/** Call-ID and tags are the phone's own, so that an INVITE with Replaces (RFC 3891) names its call. */
function dialogs(cx: Context, aor: string): State {
  let live = '';
  const ids: number[] = [];
  for (const leg of cx.store.all(LEG, 'aor', aor)) {
    const state = dialogState(cx, leg);
    if (state === '') continue;
    const its = leg.remoteTag === '' ? '' : ` local-tag="${xml(leg.remoteTag)}"`;
    live +=
      `<dialog id="l${leg.id}" call-id="${xml(leg.callId)}"${its} remote-tag="${tagOf(leg)}" ` +
      `direction="${leg.side === 'caller' ? 'initiator' : 'recipient'}"><state>${state}</state>` +
      `${party('local', leg.remoteUri, leg.remoteTarget, holds(cx, leg))}${party('remote', leg.localUri, '')}` +
      '</dialog>\r\n';
    ids.push(leg.id);
    if (ids.length === MOST) break;
  }
  return { live, ids };
}

function presence(cx: Context, aor: string): State {
  const open = cx.store.all(BINDING, 'aor', aor).some((b) => b.expiresAt > cx.now);
  const busy = cx.store.all(LEG, 'aor', aor).some((leg) => leg.state === 'confirmed');
  const note = busy ? 'On the phone' : open ? 'Online' : 'Offline';
  const activity = busy
    ? `<dm:person id="p${aor}"><rpid:activities><rpid:on-the-phone/></rpid:activities></dm:person>\r\n`
    : '';
  const live =
    `<tuple id="t${aor}"><status><basic>${open ? 'open' : 'closed'}</basic></status>` +
    `<note>${note}</note></tuple>\r\n${activity}`;
  return { live, ids: [] };
}

/** RFC 3842 5.2: new/old messages, urgent ones in brackets. */
function mailbox(cx: Context, aor: string): State {
  const box = cx.store.find(MAILBOX, 'aor', aor);
  if (box === undefined) return { live: 'Messages-Waiting: no\r\n', ids: [] };
  const waiting = box.waiting ? 'yes' : 'no';
  const counts = `${box.newMessages}/${box.oldMessages} (${box.newUrgent}/${box.oldUrgent})`;
  return { live: `Messages-Waiting: ${waiting}\r\nVoice-Message: ${counts}\r\n`, ids: [] };
}

/** What changes with every refresh (expiry, CSeq) is left out: it would be told every time. */
function contacts(cx: Context, aor: string): State {
  let live = '';
  const ids: number[] = [];
  for (const b of cx.store.all(BINDING, 'aor', aor)) {
    if (b.expiresAt <= cx.now) continue;
    live +=
      `<contact id="c${b.id}" state="active" event="registered" q="${b.q / 1000}">` +
      `<uri>${xml(b.contact)}</uri></contact>\r\n`;
    ids.push(b.id);
    if (ids.length === MOST) break;
  }
  return { live, ids };
}
