// The header grammar as a table: canonical name, compact letter, may it hold a comma-separated
// list, must it stand alone. Everything that asks "what kind of header is this" asks here. Sources:
// RFC 3261 7.3.3 (compact forms) and 20; RFC 3262, 3265/6665, 3323, 3325, 3326, 3327, 3515, 3841,
// 3891, 3892, 3903, 4028, 4488, 5806, 5626, 6442, 7044, 7433, 7989.

/** Numbers of the headers this parser knows by name. Those below 30 have a bit in the masks. */
export const H = {
  Via: 0,
  From: 1,
  To: 2,
  CallId: 3,
  CSeq: 4,
  Contact: 5,
  MaxForwards: 6,
  ContentLength: 7,
  ContentType: 8,
  Route: 9,
  RecordRoute: 10,
  Expires: 11,
  Allow: 12,
  Supported: 13,
  Require: 14,
  ProxyRequire: 15,
  Authorization: 16,
  ProxyAuthorization: 17,
  UserAgent: 18,
  Event: 19,
  SubscriptionState: 20,
  ReferTo: 21,
  ReferredBy: 22,
  Replaces: 23,
  RSeq: 24,
  RAck: 25,
  SessionExpires: 26,
  MinSE: 27,
  ContentEncoding: 28,
  ContentDisposition: 29,
  MinExpires: 30,
  Unsupported: 31,
  WwwAuthenticate: 32,
  ProxyAuthenticate: 33,
  Server: 34,
  Subject: 35,
  RetryAfter: 36,
  Warning: 37,
  Reason: 38,
  PAssertedIdentity: 39,
  PPreferredIdentity: 40,
  Privacy: 41,
  Diversion: 42,
  HistoryInfo: 43,
  Accept: 44,
  AllowEvents: 45,
  Path: 46,
  ServiceRoute: 47,
  Date: 48,
  Timestamp: 49,
  AcceptEncoding: 50,
  AcceptLanguage: 51,
  AlertInfo: 52,
  CallInfo: 53,
  ErrorInfo: 54,
  AuthenticationInfo: 55,
  ContentLanguage: 56,
  InReplyTo: 57,
  MimeVersion: 58,
  Organization: 59,
  Priority: 60,
  ReplyTo: 61,
  SipEtag: 62,
  SipIfMatch: 63,
  ReferSub: 64,
  AcceptContact: 65,
  RejectContact: 66,
  RequestDisposition: 67,
  Join: 68,
  TargetDialog: 69,
  UserToUser: 70,
  SessionId: 71,
  RemotePartyId: 72,
  FlowTimer: 73,
  Identity: 74,
} as const;

export type HeaderId = (typeof H)[keyof typeof H];

/** The number under which a header with an unknown name is kept. */
export const OTHER = 127;

/** Grammar facts of one header. */
export type HeaderFacts = {
  readonly id: HeaderId;
  /** Canonical spelling. */
  readonly name: string;
  /** One-letter form, or ''. */
  readonly compact: string;
  /** Several values may stand in one line, separated by commas. */
  readonly list: boolean;
  /** At most one line of it may stand in a message, and the parser insists. */
  readonly single: boolean;
};

// name, compact letter, kind: L = comma-separated list, 1 = must be single and is checked, - =
// neither.
const rows: ReadonlyArray<readonly [HeaderId, string, string, 'L' | '1' | '-']> = [
  [H.Via, 'Via', 'v', 'L'],
  [H.From, 'From', 'f', '1'],
  [H.To, 'To', 't', '1'],
  [H.CallId, 'Call-ID', 'i', '1'],
  [H.CSeq, 'CSeq', '', '1'],
  [H.Contact, 'Contact', 'm', 'L'],
  [H.MaxForwards, 'Max-Forwards', '', '1'],
  [H.ContentLength, 'Content-Length', 'l', '1'],
  [H.ContentType, 'Content-Type', 'c', '1'],
  [H.Route, 'Route', '', 'L'],
  [H.RecordRoute, 'Record-Route', '', 'L'],
  [H.Expires, 'Expires', '', '1'],
  [H.Allow, 'Allow', '', 'L'],
  [H.Supported, 'Supported', 'k', 'L'],
  [H.Require, 'Require', '', 'L'],
  [H.ProxyRequire, 'Proxy-Require', '', 'L'],
  [H.Authorization, 'Authorization', '', '-'],
  [H.ProxyAuthorization, 'Proxy-Authorization', '', '-'],
  [H.UserAgent, 'User-Agent', '', '-'],
  [H.Event, 'Event', 'o', '1'],
  [H.SubscriptionState, 'Subscription-State', '', '1'],
  [H.ReferTo, 'Refer-To', 'r', '1'],
  [H.ReferredBy, 'Referred-By', 'b', '1'],
  [H.Replaces, 'Replaces', '', '1'],
  [H.RSeq, 'RSeq', '', '1'],
  [H.RAck, 'RAck', '', '1'],
  [H.SessionExpires, 'Session-Expires', 'x', '1'],
  [H.MinSE, 'Min-SE', '', '1'],
  [H.ContentEncoding, 'Content-Encoding', 'e', 'L'],
  [H.ContentDisposition, 'Content-Disposition', '', '1'],
  [H.MinExpires, 'Min-Expires', '', '-'],
  [H.Unsupported, 'Unsupported', '', 'L'],
  [H.WwwAuthenticate, 'WWW-Authenticate', '', '-'],
  [H.ProxyAuthenticate, 'Proxy-Authenticate', '', '-'],
  [H.Server, 'Server', '', '-'],
  [H.Subject, 'Subject', 's', '-'],
  [H.RetryAfter, 'Retry-After', '', '-'],
  [H.Warning, 'Warning', '', 'L'],
  [H.Reason, 'Reason', '', 'L'],
  [H.PAssertedIdentity, 'P-Asserted-Identity', '', 'L'],
  [H.PPreferredIdentity, 'P-Preferred-Identity', '', 'L'],
  [H.Privacy, 'Privacy', '', '-'],
  [H.Diversion, 'Diversion', '', 'L'],
  [H.HistoryInfo, 'History-Info', '', 'L'],
  [H.Accept, 'Accept', '', 'L'],
  [H.AllowEvents, 'Allow-Events', 'u', 'L'],
  [H.Path, 'Path', '', 'L'],
  [H.ServiceRoute, 'Service-Route', '', 'L'],
  [H.Date, 'Date', '', '-'],
  [H.Timestamp, 'Timestamp', '', '-'],
  [H.AcceptEncoding, 'Accept-Encoding', '', 'L'],
  [H.AcceptLanguage, 'Accept-Language', '', 'L'],
  [H.AlertInfo, 'Alert-Info', '', 'L'],
  [H.CallInfo, 'Call-Info', '', 'L'],
  [H.ErrorInfo, 'Error-Info', '', 'L'],
  [H.AuthenticationInfo, 'Authentication-Info', '', '-'],
  [H.ContentLanguage, 'Content-Language', '', 'L'],
  [H.InReplyTo, 'In-Reply-To', '', 'L'],
  [H.MimeVersion, 'MIME-Version', '', '-'],
  [H.Organization, 'Organization', '', '-'],
  [H.Priority, 'Priority', '', '-'],
  [H.ReplyTo, 'Reply-To', '', '-'],
  [H.SipEtag, 'SIP-ETag', '', '-'],
  [H.SipIfMatch, 'SIP-If-Match', '', '-'],
  [H.ReferSub, 'Refer-Sub', '', '-'],
  [H.AcceptContact, 'Accept-Contact', 'a', 'L'],
  [H.RejectContact, 'Reject-Contact', 'j', 'L'],
  [H.RequestDisposition, 'Request-Disposition', 'd', 'L'],
  [H.Join, 'Join', '', '-'],
  [H.TargetDialog, 'Target-Dialog', '', '-'],
  [H.UserToUser, 'User-to-User', '', 'L'],
  [H.SessionId, 'Session-ID', '', '-'],
  [H.RemotePartyId, 'Remote-Party-ID', '', 'L'],
  [H.FlowTimer, 'Flow-Timer', '', '-'],
  [H.Identity, 'Identity', 'y', '-'],
];

/** The table, indexed by header number. */
export const HEADERS: readonly HeaderFacts[] = rows.map(([id, name, compact, kind]) => ({
  id,
  name,
  compact,
  list: kind === 'L',
  single: kind === '1',
}));

/** Mask of the headers (below 30) that must not be repeated. */
export const SINGLE_MASK: number = rows.reduce(
  (mask, [id, , , kind]) => (kind === '1' && id < 30 ? mask | (1 << id) : mask),
  0,
);

const LOWER: readonly string[] = rows.map((row) => row[1].toLowerCase());

// A name is found by its length and three of its letters: no two known names agree in all of them
// (or loading stops here), so one look and one comparison decide.
const SLOTS = makeSlots();

function slotAt(text: string, start: number, end: number): number {
  const size = end - start;
  const middle = text.charCodeAt(start + (size >> 2));
  const first = (text.charCodeAt(start) ^ middle) & 31;
  return ((size & 31) << 10) | (first << 5) | (text.charCodeAt(end - 1) & 31);
}

function makeSlots(): Uint8Array {
  const slots = new Uint8Array(32 * 32 * 32).fill(OTHER);
  const put = (name: string, id: number) => {
    const slot = slotAt(name, 0, name.length);
    if (slots[slot] !== OTHER) throw new Error(`header names collide at ${name}`);
    slots[slot] = id;
  };
  for (const [id, name, compact] of rows) {
    put(name, id);
    if (compact !== '') put(compact, id);
  }
  return slots;
}

/** Number of the header whose name stands in [start, end), long or compact, any case; or OTHER. */
export function headerIdAt(text: string, start: number, end: number): number {
  const size = end - start;
  if (size > 31 || size < 1) return OTHER;
  const first = text.charCodeAt(start);
  const id = SLOTS[slotAt(text, start, end)] as number;
  if (id === OTHER) return OTHER;
  if (size === 1) return (first | 32) >= 97 && (first | 32) <= 122 && first < 128 ? id : OTHER;
  const lower = LOWER[id] as string;
  if (lower.length !== size) return OTHER;
  for (let i = 0; i < size; i += 1) {
    // Setting bit 5 lowers a letter; CR would turn into "-", but no name reaches here with a CR.
    if ((text.charCodeAt(start + i) | 32) !== lower.charCodeAt(i)) return OTHER;
  }
  return id;
}

/** Number of a known header name in long or compact form, or -1. */
export function headerId(name: string): HeaderId | -1 {
  if (/[^A-Za-z-]/.test(name)) return -1;
  const id = headerIdAt(name, 0, name.length);
  return id === OTHER ? -1 : (id as HeaderId);
}
