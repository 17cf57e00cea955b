// Every bound of the parser in one place. A limit is here because a remote party chooses the size
// of what it sends: each loop of this folder ends at one of these numbers or at the end of its
// input.

export const LIMITS = {
  /** Octets of one message, start line to end of body. A UDP datagram cannot carry more. */
  messageBytes: 65_535,
  /** Octets from the start line to the empty line: what a stream may make us keep unframed. */
  headBytes: 32_768,
  /** Header lines of one message (after unfolding). */
  headerLines: 256,
  /** Octets of one header line or start line (after unfolding). */
  lineBytes: 8_192,
  /** Values returned by one comma-separated list header, all its lines together. */
  listValues: 256,
  /** Parameters of one challenge or credential (RFC 3261 20.7, 20.44). */
  authParams: 32,
  /** Headers inside one URI (RFC 3261 19.1.1). */
  uriHeaders: 16,
  /** Parts of one multipart body, and header lines of one part. */
  bodyParts: 32,
  partHeaders: 32,
  /** Lines of one session description. */
  sdpLines: 1_024,
  /** Media sections of one session description. */
  sdpMedia: 64,
} as const;

/** CSeq numbers MUST be below 2**31 (RFC 3261 8.1.1.5). */
export const CSEQ_END = 2 ** 31;

/** Expires and expires= are at most 2**32 - 1 (RFC 3261 20.19); larger values are read as this. */
export const EXPIRES_MAX = 2 ** 32 - 1;
