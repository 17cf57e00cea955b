// sipair/sip-parser: SIP and SDP text to values and back. Self-contained and pure: it imports
// nothing outside this folder, keeps no state but the framer's buffer, and never throws on remote
// bytes.

export { type Auth, parseAuth } from './auth.ts';
export { type RequestParts, type ResponseParts, requestText, responseText } from './build.ts';
export { quote, unquote } from './chars.ts';
export { isFault, SIP_FAULTS, type SipFault, type SipFaultCode, sipFault } from './faults.ts';
export { H, HEADERS, type HeaderFacts, type HeaderId, headerId, OTHER } from './headers.ts';
export { CSEQ_END, EXPIRES_MAX, LIMITS } from './limits.ts';
export { SipMessage, VERSION } from './message.ts';
export { M, METHODS, methodId, reasonPhrase } from './methods.ts';
export { type BodyPart, bodyOfType, parseMultipart } from './multipart.ts';
export {
  formatNameAddr,
  type NameAddr,
  param,
  parseNameAddr,
  setParam,
  withoutParam,
} from './name-addr.ts';
export { parseMessage, salvage } from './parse.ts';
export {
  formatSdp,
  parseSdp,
  rewriteSdpOrigin,
  type Sdp,
  type SdpConnection,
  type SdpDirection,
  type SdpMedia,
  type SdpOrigin,
} from './sdp.ts';
export { type StreamFrame, StreamFramer } from './stream.ts';
export {
  escapeUriHeader,
  formatReferTo,
  formatReplaces,
  parseReferredBy,
  parseReferTo,
  parseReplaces,
  type ReferredBy,
  type ReferTo,
  type Replaces,
  uriHeaders,
} from './transfer.ts';
export {
  escapeUser,
  formatUri,
  parseUri,
  type SipUri,
  unescapeUser,
  uriEquals,
  uriParam,
} from './uri.ts';
export { validateRequest, validateResponse } from './validate.ts';
export {
  type AssertedIdentity,
  addresses,
  assertedIdentity,
  type EventType,
  formatEvent,
  formatRAck,
  formatReason,
  formatSessionExpires,
  formatSubscriptionState,
  hasWord,
  parseEtag,
  parseEvent,
  parseFlowTimer,
  parseMinSe,
  parseRAck,
  parseReason,
  parseRetryAfter,
  parseRSeq,
  parseSessionExpires,
  parseSubscriptionState,
  type RAck,
  type Reason,
  type RetryAfter,
  RSEQ_MAX,
  type SessionExpires,
  type SubscriptionState,
  sameEvent,
  words,
} from './values.ts';
export { formatVia, parseVia, type Via } from './via.ts';
