/**
 * Everything has a limit, and all limits of the engine live here. Their relations are asserted when
 * this file is loaded: a box with impossible limits does not start.
 */

import { assert } from './assert.ts';

export const LIMITS = {
  /** Inputs handled in one turn; more wait in the kernel. */
  inputsPerTurn: 256,
  /** Rows whose moment has come that are looked at in one turn; the others are in the next. */
  duePerTurn: 512,
  /** A frame on the crossover. */
  frameBytes: 16 * 1024 * 1024,
  /** Records of one turn are sent in groups of about this size. */
  groupBytes: 4 * 1024 * 1024,
  /** A journal slab; a turn's records normally fit many times. */
  slabBytes: 1024 * 1024,
  /** Journal kept in memory for a peer that catches up. */
  ringBytes: 64 * 1024 * 1024,
  /** Rows or journal bytes sent ahead of the peer's answer while it catches up. */
  bulkWindow: 4,
  chunkRows: 256,
  chunkBytes: 128 * 1024,
  /** Rows compared by one digest frame. */
  digestRows: 256,
  /**
   * A peer whose acknowledgements were late twice within so long, ms, is trusted again only after they
   * were prompt for `trustMs`, and twice as long each time, up to `trustMaxMs`.
   */
  trustWindowMs: 10_000,
  trustMs: 500,
  trustMaxMs: 8000,
  /** Batches handed to a disk that has not answered the first; the rest waits as changed rows. */
  diskBatches: 4,
  /** A batch unanswered for so long, ms, while somebody waits for it: the disk fails. */
  diskWaitMs: 500,
  /** The same when nobody waits. */
  diskStallMs: 2000,
  /** In hot standby what was written is flushed to the medium this often. */
  diskSettleMs: 5000,
  /** Databases kept beside the one in use: damaged ones, and rows of reigns that lost. */
  setAsideFiles: 5,
  /** Held effects; beyond it new calls are refused before they write a row. */
  held: 200_000,
  /** So many are a sign that there is more to do than can be done. */
  heldBusy: 50_000,
  /** Datagrams taken over from a primary that hands over, until we speak. */
  forwarded: 1000,
  /** Hosts of the LAN remembered because they asked for a virtual address. */
  faceHosts: 1024,
  /** A SIP message over UDP. */
  sipBytes: 65_535,
  /** Connections in all (phones, trunks, strangers), and from one address. */
  flows: 20_000,
  flowsPerSource: 2000,
  /** Connections that have not said who they are yet: handshakes, HTTP requests. */
  flowsShaking: 1000,
  /** A handshake, an HTTP request or the first SIP message takes no longer, ms. */
  flowHelloMs: 10_000,
  /** A message that was begun is whole after this, ms. */
  flowMessageMs: 10_000,
  /** A connection that was silent for longer is nobody's: more than the longest registration, ms. */
  flowIdleMs: 8_000_000,
  /** A WebSocket is pinged when it was silent for so long, and ends after twice that, ms. */
  webPingMs: 30_000,
  /** Bytes that wait for room in one connection; beyond it the connection ends, not the memory. */
  flowOutBytes: 262_144,
  /** Connections of ours that do not stand yet, and how long one may take, ms. */
  connects: 64,
  connectMs: 4000,
  /** An HTTP request that wants to become a WebSocket. */
  httpBytes: 8192,
  /** Registrations of one program as a router. */
  routersOfOne: 1000,
  /** Other sides of dead connections that are woken in a second, per transport. */
  ticklesPerSecond: 200,
  /** Sessions of programs, monitors of one and of all. */
  ctiSessions: 2000,
  ctiMonitors: 10_000,
  ctiMonitorsAll: 200_000,
  /** Requests of one connection that are not answered yet; JSON of a request's id. */
  ctiPending: 256,
  ctiIdBytes: 66,
  /** Connections of programs, and those of one address that are no program's yet; how long, ms. */
  ctiConnections: 4000,
  ctiUnproven: 500,
  ctiHelloMs: 10_000,
  /** Of `ack` and what begins a session a connection says so many at once, and in so long, ms. */
  ctiManaged: 40,
  ctiManagedMs: 2000,
  /** A frame of a program, and what waits for one that reads slowly. */
  ctiFrameBytes: 262_144,
  ctiOutBytes: 4 * 1024 * 1024,
  /** Frames that mean nothing, before and after it proved itself; then it is closed. */
  ctiFaultsUnproven: 10,
  ctiFaults: 1000,
  /** Wrong passwords of one address at once; one more is allowed after so long, ms. */
  ctiGuesses: 5,
  ctiGuessMs: 2000,
  /** Passwords that are hashed at once, and that wait for it. */
  ctiHashesAtOnce: 2,
  ctiHashes: 100,
  /** Messages the thread of the programs has not taken; then it is replaced. */
  ctiBacklog: 50_000,
  /** A session without a connection ends after this, ms. */
  sessionKeepMs: 120_000,
  /** Events are kept for those who were away, so many and so long, ms; a part of a gap. */
  eventsKept: 200_000,
  eventKeepMs: 180_000,
  gapEvents: 256,
  /**
   * Answers are kept for who repeats his request: so long, ms, and so many of a session. A takeover gives
   * a session its whole time anew.
   */
  answerKeepMs: 300_000,
  ctiAnswers: 20_000,
  /** Rows of the above that go in one turn. */
  trimRows: 1000,
  /** User data of a call, as JSON. */
  userDataBytes: 32_768,
  /** Media sessions, conferences and members of one: the box plays to callers who wait. */
  mediaSessions: 1000,
  conferences: 200,
  conferenceMembers: 32,
  /** A prompt file, and all that are kept in memory. */
  promptBytes: 8 * 1024 * 1024,
  promptsBytes: 64 * 1024 * 1024,
  /** What the CDR of one call tells of the devices, queues and agents it passed, bytes. */
  cdrLogBytes: 16_384,
  /** Calls that are over, kept as rows for a box that was away, and for how long, ms. */
  cdrRows: 20_000,
  cdrKeepMs: 3_600_000,
  /** CDRs that wait for a file that cannot be written; files kept, one a day, and their bytes. */
  cdrWaiting: 50_000,
  cdrFiles: 400,
  cdrBytes: 2_147_483_648,
} as const;

assert(LIMITS.heldBusy < LIMITS.held, 'new calls are refused before anything is ignored');
assert(LIMITS.slabBytes < LIMITS.frameBytes, 'a slab fits into a frame');
assert(LIMITS.trustMs <= LIMITS.trustMaxMs, 'trust is waited for longer and longer');
assert(LIMITS.diskWaitMs < LIMITS.diskStallMs, 'who waits loses patience first');
assert(LIMITS.flowOutBytes > 2 * LIMITS.sipBytes, 'a connection takes the longest message');
assert(LIMITS.flowsPerSource <= LIMITS.flows, 'one address has its share of the connections');
assert(LIMITS.promptBytes < LIMITS.promptsBytes, 'the longest prompt is kept');
assert(
  LIMITS.answerKeepMs > 2 * LIMITS.sessionKeepMs,
  'who may come back finds his answers, over a takeover too',
);
assert(LIMITS.ringBytes > 4 * LIMITS.frameBytes - 1, 'the ring holds several frames');
assert(
  LIMITS.groupBytes + 64 * LIMITS.sipBytes < LIMITS.frameBytes,
  'a group fits into a frame, whatever its last record is',
);
assert(LIMITS.sessionKeepMs < LIMITS.eventKeepMs, 'who comes back finds what he missed');
assert(LIMITS.sessionKeepMs < LIMITS.answerKeepMs, 'who comes back finds his answers');
