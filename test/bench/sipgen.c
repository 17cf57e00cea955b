/*
 * sipgen: one thread that plays every caller and every callee of a benchmark.
 *
 * The basic call, as the system under test sees it (7 messages in, 7 out):
 *
 *   caller --INVITE--> SUT --INVITE--> callee      callee answers 100, 180, 200 at once
 *   caller <-100,180,200- SUT <-100,180,200- callee
 *   caller --ACK--> SUT --ACK--> callee            caller hangs up --hold ms after the 200
 *   caller --BYE--> SUT --BYE--> callee
 *   caller <--200-- SUT <--200-- callee
 *
 * It must cost little and lie never. So: recvmmsg and sendmmsg in batches, no allocation but the
 * dialog's strings, one timer a call in a wheel. Repetition as RFC 3261 has it (T1 0.5 s, T2 4 s:
 * INVITE 17.1.1.2, BYE 17.1.2.2, the callee's 200 13.3.1.4), except that a call is given up after
 * --give-up ms, so that a run always ends. The callee answers what it gets by copying headers and
 * knows a call only by its Call-ID, so the system between may be a proxy or a back-to-back agent.
 * A request inside a dialog goes where its Route or Contact says, like a real phone's.
 *
 * Set-up delay: from the sending of the first INVITE to the arrival of the first 200. Calls start
 * evenly spaced; how late the generator itself was is reported (late_ms), because a late generator
 * makes the figures worthless.
 *
 * Result: one line of JSON on stdout. Delays as [microseconds, count] pairs, 1.6 % wide buckets.
 * Exit: 0 when the run ended by itself (whatever failed), 2 when it could not start.
 *
 *   gcc -O2 -o sipgen sipgen.c
 */
#include "sipgen-io.h"

/* ---- options ------------------------------------------------------------------------------- */

static Address target, uac_address, uas_address;
static char target_ip[16], uac_ip[16], uas_ip[16];
static double rate = 1000, seconds = 5;
static int calls_wanted = 0, users = 10, first_user = 1001, caller = 1000;
static int hold_ms = 0, give_up_ms = 8000, established = 0;
static bool registering = false;

#include "sipgen-sip.h"

/* ---- calls and legs ------------------------------------------------------------------------- */

enum { T1 = 500000, T2 = 4000000 };
typedef enum { CALLING, PROCEEDING, UP, ENDING, DONE, FAILED } State;
typedef struct {
  Timer timer;
  uint64_t began, phase; /* first INVITE; first send of what is now repeated */
  char *dialog;          /* remote target, then Route and To lines, each ending in NUL */
  Address hop;           /* where requests inside the dialog go */
  uint8_t state, tries;
} Call;
typedef struct {
  Timer timer;
  uint64_t key, phase;
  char *answer; /* our 200, until its ACK comes */
  int length;
  Address to;
  uint8_t tries;
  bool ended;
} Leg;

static Call *calls;
static Leg *legs;
static int *leg_index;
static int made, up, completed, failed, held, peak, leg_count, leg_room, leg_mask;
static uint64_t run_id, release_at;
static struct { uint64_t invite, bye, answer; } repeats;
static struct { uint64_t invite, ack, bye, unknown, unacked, full; } callee;
/* By status; [0] no answer to INVITE, [1] none to BYE, [2] the other side hung up. */
static unsigned failed_with[700];


static char sdp[512];
static const char *features =
    "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nSupported: replaces\r\n";

/* Numeric host and port of a URI; anything else goes to the target. */
static Address hop_of(Span uri) {
  Address to = target;
  const char *host = memchr(uri.at, '@', (size_t)uri.len);
  if (!host) host = memchr(uri.at, ':', (size_t)uri.len);
  if (!host++) return to;
  char ip[16] = "";
  int n = (int)strspn(host, "0123456789.");
  if (n == 0 || n > 15 || host + n > uri.at + uri.len) return to;
  memcpy(ip, host, (size_t)n);
  if (inet_pton(AF_INET, ip, &to.sin_addr) != 1) return target;
  to.sin_port = htons(host[n] == ':' ? (uint16_t)atoi(host + n + 1) : 5060);
  return to;
}

/* ---- the caller ----------------------------------------------------------------------------- */

static int from_and_ids(char *p, int n, int i, int cseq, const char *method) {
  return add(p, n,
             "From: \"Alice Liddell\" <sip:%d@%s>;tag=f%llx%d\r\nCall-ID: %d-%llx@%s\r\n"
             "CSeq: %d %s\r\nContact: <sip:%d@%s:%d>\r\nMax-Forwards: 70\r\n",
             caller, target_ip, (unsigned long long)run_id, i, i, (unsigned long long)run_id,
             uac_ip, cseq, method, caller, uac_ip, ntohs(uac_address.sin_port));
}

static int via(char *p, int n, int i, char transaction) {
  return add(p, n, "Via: SIP/2.0/UDP %s:%d;branch=z9hG4bK%llx-%d%c;rport\r\n", uac_ip,
             ntohs(uac_address.sin_port), (unsigned long long)run_id, i, transaction);
}

static void send_invite(int i) {
  char *p = next_slot(uac);
  int user = first_user + i % users;
  int n = add(p, 0, "INVITE sip:%d@%s SIP/2.0\r\n", user, target_ip);
  n = via(p, n, i, 'i');
  n = from_and_ids(p, n, i, 1, "INVITE");
  n = add(p, n, "To: \"Bob Example\" <sip:%d@%s>\r\nUser-Agent: sipgen\r\n%s", user, target_ip,
          features);
  n = add(p, n, "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", (int)strlen(sdp),
          sdp);
  queue(uac, n, &target);
}

/* ACK of a 200 or BYE: a request inside the dialog. */
static void send_inside(int i, const char *method, int cseq, char transaction) {
  const char *uri = calls[i].dialog, *lines = uri + strlen(uri) + 1;
  char *p = next_slot(uac);
  int n = add(p, 0, "%s %s SIP/2.0\r\n", method, uri);
  n = via(p, n, i, transaction);
  n = from_and_ids(p, n, i, cseq, method);
  n = add(p, n, "%sContent-Length: 0\r\n\r\n", lines);
  queue(uac, n, &calls[i].hop);
}

/* ACK of a refusal belongs to the INVITE's own transaction (17.1.1.3). */
static void send_refusal_ack(int i, const Message *m) {
  char *p = next_slot(uac);
  int n = add(p, 0, "ACK sip:%d@%s SIP/2.0\r\n", first_user + i % users, target_ip);
  n = via(p, n, i, 'i');
  n = from_and_ids(p, n, i, 1, "ACK");
  n = add(p, n, "To: %.*s\r\nContent-Length: 0\r\n\r\n", m->to.len, m->to.at);
  queue(uac, n, &target);
}

static void finish(Call *c, State state, int cause) {
  if (c->state >= DONE) return;
  if (c->state == UP) held--;
  if (state == DONE) completed++;
  else failed++, failed_with[cause]++;
  c->state = (uint8_t)state;
  disarm(&c->timer);
}

static void keep_dialog(Call *c, const Message *m) {
  char text[SLOT];
  Span uri = m->contact.len ? uri_in(m->contact) : uri_in(m->to);
  int n = add(text, 0, "%.*s", uri.len, uri.at) + 1;
  c->hop = hop_of(m->records ? uri_in(m->record[m->records - 1]) : uri);
  for (int k = m->records - 1; k >= 0; k--)
    n = add(text, n, "Route: %.*s\r\n", m->record[k].len, m->record[k].at);
  n = add(text, n, "To: %.*s\r\n", m->to.len, m->to.at);
  free(c->dialog);
  c->dialog = malloc((size_t)n + 1);
  memcpy(c->dialog, text, (size_t)n + 1);
}

static void hang_up(int i, uint64_t t) {
  Call *c = &calls[i];
  held--;
  c->state = ENDING;
  c->phase = t;
  c->tries = 0;
  send_inside(i, "BYE", 2, 'b');
  arm(&c->timer, t + T1);
}

static void answered(int i, const Message *m, uint64_t t) {
  Call *c = &calls[i];
  if (c->dialog) { /* the 200 again: our ACK was lost */
    send_inside(i, "ACK", 1, 'a');
    return;
  }
  keep_dialog(c, m);
  send_inside(i, "ACK", 1, 'a');
  if (c->state >= UP) { /* we had given up: end it politely */
    send_inside(i, "BYE", 2, 'b');
    return;
  }
  uint64_t delay = t - c->began;
  delays[bucket_of(delay)]++;
  delay_count++;
  if (delay > delay_max) delay_max = delay;
  c->state = UP;
  up++;
  held++;
  if (established) {
    disarm(&c->timer);
    if (release_at) arm(&c->timer, t);
  } else if (hold_ms == 0) hang_up(i, t);
  else arm(&c->timer, t + (uint64_t)hold_ms * 1000);
}

static void ok_to(Port *port, const Message *m, const Address *from, const char *status) {
  char *p = next_slot(port);
  int n = add(p, 0, "SIP/2.0 %s\r\n", status);
  for (int k = 0; k < m->vias; k++) n = add(p, n, "Via: %.*s\r\n", m->via[k].len, m->via[k].at);
  n = add(p, n, "From: %.*s\r\nTo: %.*s\r\n", m->from.len, m->from.at, m->to.len, m->to.at);
  n = add(p, n, "Call-ID: %.*s\r\nCSeq: %.*s\r\nContent-Length: 0\r\n\r\n", m->call_id.len,
          m->call_id.at, m->cseq.len, m->cseq.at);
  queue(port, n, from);
}

/* @returns the call a message at the caller's port belongs to, -1 for none of this run. */
static int call_of(const Message *m) {
  char *dash;
  long i = strtol(m->call_id.at, &dash, 10);
  if (*dash != '-' || strtoull(dash + 1, NULL, 16) != run_id) return -1;
  return i >= 0 && i < made ? (int)i : -1;
}

static void caller_got(const Message *m, const Address *from, uint64_t t) {
  int i = call_of(m);
  if (m->status == 0) {
    if (method_is(m->method, "ACK")) return;
    ok_to(uac, m, from, i < 0 && method_is(m->method, "BYE") ? "481 No Such Call" : "200 OK");
    if (i >= 0 && method_is(m->method, "BYE")) finish(&calls[i], FAILED, 2);
    return;
  }
  if (i < 0) return;
  Call *c = &calls[i];
  Span method = cseq_method(m);
  if (method_is(method, "INVITE")) {
    if (m->status < 200) {
      if (c->state == CALLING) {
        c->state = PROCEEDING;
        arm(&c->timer, c->began + (uint64_t)give_up_ms * 1000);
      }
    } else if (m->status < 300) answered(i, m, t);
    else {
      send_refusal_ack(i, m);
      if (c->state < UP) finish(c, FAILED, m->status);
    }
  } else if (method_is(method, "BYE") && c->state == ENDING && m->status >= 200) {
    if (m->status < 300) finish(c, DONE, 0);
    else finish(c, FAILED, m->status);
  }
}

/* Next moment of a repetition that doubles from T1, up to T2 (0: no ceiling). */
static uint64_t next_repeat(uint64_t t, int tries, uint64_t ceiling) {
  uint64_t wait = (uint64_t)T1 << (tries < 10 ? tries : 10);
  return t + (ceiling && wait > ceiling ? ceiling : wait);
}

static void call_due(int i, uint64_t t) {
  Call *c = &calls[i];
  uint64_t patience = (uint64_t)give_up_ms * 1000;
  switch (c->state) {
    case CALLING:
    case PROCEEDING:
      if (t >= c->began + patience) finish(c, FAILED, 0);
      else if (c->state == CALLING) {
        repeats.invite++;
        send_invite(i);
        uint64_t next = next_repeat(t, ++c->tries, 0), last = c->began + patience;
        arm(&c->timer, next < last ? next : last);
      }
      break;
    case UP: hang_up(i, t); break;
    case ENDING:
      if (t >= c->phase + patience) finish(c, FAILED, 1);
      else {
        repeats.bye++;
        send_inside(i, "BYE", 2, 'b');
        arm(&c->timer, next_repeat(t, ++c->tries, T2));
      }
      break;
    default: break;
  }
}

#include "sipgen-callee.h"

/* ---- the loop ------------------------------------------------------------------------------- */

static int receive(Port *p) {
  int n = recvmmsg(p->fd, p->in, BATCH, MSG_DONTWAIT, NULL);
  if (n <= 0) return 0;
  uint64_t t = now_us();
  Message m;
  p->received += (uint64_t)n;
  for (int i = 0; i < n; i++) {
    p->in_bytes[i][p->in[i].msg_len] = 0;
    p->in[i].msg_hdr.msg_namelen = sizeof(Address);
    if (!read_message(p->in_bytes[i], &m)) continue;
    if (p == uac) caller_got(&m, &p->in_from[i], t);
    else callee_got(&m, &p->in_from[i], t);
  }
  return n;
}

static void run_timers(uint64_t t) {
  for (uint64_t ms = t / 1000; wheel_ms < ms;) {
    Timer *head = &wheel[++wheel_ms % SPOKES];
    for (Timer *k = head->next; k != head;) {
      Timer *next = k->next;
      if (k->due <= t) {
        /* what is handled may disarm others, but only its own timer is in its hands */
        disarm(k);
        if (k->owner >= 0) call_due(k->owner, t);
        else leg_due(-1 - k->owner, t);
      }
      k = next;
    }
  }
}

static int turn(void) {
  int got = receive(uas);
  flush(uas);
  got += receive(uac);
  flush(uac);
  run_timers(now_us());
  flush(uac);
  flush(uas);
  return got;
}

static void wait_until(uint64_t due) {
  uint64_t t = now_us();
  if (due <= t) return;
  uint64_t us = due - t > 2000 ? 2000 : due - t;
  struct timespec span = {0, (long)us * 1000};
  struct pollfd fds[2] = {{uac->fd, POLLIN, 0}, {uas->fd, POLLIN, 0}};
  ppoll(fds, 2, &span, NULL);
}

/* Registers every callee at the target, from the callee's own port; refuses to go on without. */
static void register_callees(void) {
  is_registered = calloc((size_t)users, sizeof *is_registered);
  uint64_t start = now_us();
  for (int tries = 0; registered < users; tries++) {
    if (now_us() - start > 10000000u)
      refuse("only %d of %d callees could register in 10 s", registered, users);
    for (int k = 0; k < users; k++) {
      if (is_registered[k]) continue;
      int user = first_user + k, port = ntohs(uas_address.sin_port);
      char *p = next_slot(uas);
      int n = add(p, 0,
                  "REGISTER sip:%s SIP/2.0\r\n"
                  "Via: SIP/2.0/UDP %s:%d;branch=z9hG4bK%llx-r%d;rport\r\n"
                  "From: <sip:%d@%s>;tag=r%llx\r\nTo: <sip:%d@%s>\r\nCall-ID: %d-%llx-r@%s\r\n"
                  "CSeq: 1 REGISTER\r\nContact: <sip:%d@%s:%d>\r\nExpires: 3600\r\n"
                  "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
                  target_ip, uas_ip, port, (unsigned long long)run_id, user, user, target_ip,
                  (unsigned long long)run_id, user, target_ip, user, (unsigned long long)run_id,
                  uas_ip, user, uas_ip, port);
      queue(uas, n, &target);
    }
    flush(uas);
    uint64_t again = next_repeat(now_us(), tries, T2);
    while (registered < users && now_us() < again)
      if (!turn()) wait_until(again);
  }
}

static volatile sig_atomic_t stopping;
static void on_signal(int signal) {
  (void)signal;
  if (stopping++) _exit(130);
}

/* Lets the calls of --established go, one after the other at the rate they came with. */
static void release_calls(uint64_t t) {
  release_at = t;
  int k = 0;
  for (int i = 0; i < made; i++)
    if (calls[i].state == UP) arm(&calls[i].timer, t + (uint64_t)(k++ * 1e6 / rate));
}

static uint64_t first_at, last_at;
static double late_us;

static void place_calls(uint64_t t) {
  double due = (double)(t - first_at) * rate / 1e6;
  for (int burst = 0; made < calls_wanted && made <= due && burst < BATCH; burst++) {
    Call *c = &calls[made];
    double late = (due - made) * 1e6 / rate;
    if (late > late_us) late_us = late;
    c->began = last_at = t;
    c->timer.owner = made;
    send_invite(made++);
    arm(&c->timer, t + T1);
  }
  flush(uac);
}

/* A late generator may take a fifth longer to place all calls; then it stops. */
static void run(void) {
  first_at = now_us();
  bool announced = false;
  for (;;) {
    uint64_t t = now_us();
    bool placing = made < calls_wanted && !stopping && t - first_at < (uint64_t)(seconds * 1.2e6);
    if (placing) place_calls(t);
    int got = turn();
    int live = made - completed - failed;
    if (live > peak) peak = live;
    if (established && !release_at && !placing) {
      if (!announced && held == live) {
        announced = true;
        printf("{\"established\":%d,\"failed\":%d}\n", held, failed);
        fflush(stdout);
        if (hold_ms) seconds = (double)(t - first_at) / 1e6 + hold_ms / 1e3;
        else seconds = 1e9;
      }
      bool over = announced && (double)(t - first_at) >= seconds * 1e6;
      if (over || stopping) release_calls(t);
    } else if (!established && stopping && hold_ms) {
      hold_ms = 0;
      release_calls(t);
    }
    if (!placing && live == 0 && (!established || release_at)) return;
    if (!got) wait_until(placing ? first_at + (uint64_t)(made * 1e6 / rate) : t + 2000);
  }
}

static void say(const char *name, uint64_t value, const char *after) {
  printf("\"%s\":%llu%s", name, (unsigned long long)value, after);
}

static void say_repeats(void) {
  fputs("\"repeats\":{", stdout);
  say("invite", repeats.invite, ",");
  say("bye", repeats.bye, ",");
  say("answer", repeats.answer, "},\"callee\":{");
  say("invite", callee.invite, ",");
  say("ack", callee.ack, ",");
  say("bye", callee.bye, ",");
  say("unknown", callee.unknown, ",");
  say("unacked", callee.unacked, ",");
  say("full", callee.full, "},");
}

static void say_failures(void) {
  static const char *names[] = {"no answer to INVITE", "no answer to BYE",
                                "hung up by the other side"};
  fputs("\"failed_with\":{", stdout);
  const char *comma = "";
  for (int i = 0; i < 700; i++) {
    if (!failed_with[i]) continue;
    if (i < 3) printf("%s\"%s\":%u", comma, names[i], failed_with[i]);
    else printf("%s\"%d\":%u", comma, i, failed_with[i]);
    comma = ",";
  }
  fputs("},", stdout);
}

static void say_delays(void) {
  fputs("\"setup_us\":[", stdout);
  const char *comma = "";
  for (int i = 0; i < BUCKETS; i++) {
    if (!delays[i]) continue;
    printf("%s[%llu,%llu]", comma, (unsigned long long)bucket_middle(i),
           (unsigned long long)delays[i]);
    comma = ",";
  }
  fputs("]", stdout);
}

static void report(uint64_t end) {
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  uint64_t cpu = (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000u +
                 (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
  double span = made > 1 ? (double)(last_at - first_at) / 1e6 * made / (made - 1) : 0;
  printf("{\"rate\":%g,\"calls\":%d,\"up\":%d,\"ok\":%d,\"failed\":%d,\"fail_pct\":%.3f,", rate,
         made, up, completed, failed, made ? 100.0 * failed / made : 0);
  printf("\"placed_s\":%.3f,\"wall_s\":%.3f,\"achieved_cps\":%.1f,", span,
         (double)(end - first_at) / 1e6, span > 0 ? completed / span : 0);
  printf("\"late_ms\":%.1f,\"peak\":%d,", late_us / 1e3, peak);
  printf("\"setup_ms\":{\"p50\":%.2f,\"p99\":%.2f,\"max\":%.2f},", quantile(0.5), quantile(0.99),
         (double)delay_max / 1000);
  say_repeats();
  say("sent", uac->sent + uas->sent, ",");
  say("received", uac->received + uas->received, ",");
  say("send_errors", uac->send_errors + uas->send_errors, ",");
  say("cpu_us", cpu, ",");
  say_failures();
  say_delays();
  puts("}");
}

static void read_address(const char *text, Address *to, char ip[16]) {
  const char *colon = strchr(text, ':');
  int n = colon ? (int)(colon - text) : (int)strlen(text);
  if (n > 15) refuse("'%s' is not ADDRESS:PORT", text);
  memcpy(ip, text, (size_t)n);
  ip[n] = 0;
  uint16_t port = colon ? (uint16_t)atoi(colon + 1) : 5060;
  *to = (Address){.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, ip, &to->sin_addr) != 1) refuse("'%s' is not ADDRESS:PORT", text);
}

static void read_options(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    const char *name = argv[i];
    if (!strcmp(name, "--register")) {
      registering = true;
      continue;
    }
    if (i + 1 == argc) refuse("%s needs a value", name);
    const char *v = argv[++i];
    if (!strcmp(name, "--target")) read_address(v, &target, target_ip);
    else if (!strcmp(name, "--uac")) read_address(v, &uac_address, uac_ip);
    else if (!strcmp(name, "--uas")) read_address(v, &uas_address, uas_ip);
    else if (!strcmp(name, "--rate")) rate = atof(v);
    else if (!strcmp(name, "--secs")) seconds = atof(v);
    else if (!strcmp(name, "--calls")) calls_wanted = atoi(v);
    else if (!strcmp(name, "--users")) users = atoi(v);
    else if (!strcmp(name, "--first-user")) first_user = atoi(v);
    else if (!strcmp(name, "--caller")) caller = atoi(v);
    else if (!strcmp(name, "--hold")) hold_ms = atoi(v);
    else if (!strcmp(name, "--give-up")) give_up_ms = atoi(v);
    else if (!strcmp(name, "--established")) established = atoi(v);
    else refuse("unknown option %s", name);
  }
  if (!target.sin_family || !uac_address.sin_family || !uas_address.sin_family)
    refuse("--target, --uac and --uas are needed");
  if (rate <= 0 || seconds <= 0 || users < 1) refuse("--rate, --secs and --users must be positive");
  if (established) {
    calls_wanted = established;
    seconds = established / rate * 2 + 1;
  } else if (!calls_wanted) calls_wanted = (int)(rate * seconds);
}

int main(int argc, char **argv) {
  read_options(argc, argv);
  prctl(PR_SET_TIMERSLACK, 1000); /* a millisecond's call must not start 50 us late */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  struct timespec wall;
  clock_gettime(CLOCK_REALTIME, &wall);
  uint64_t seed = (uint64_t)wall.tv_sec << 20 ^ (uint64_t)wall.tv_nsec >> 10;
  run_id = (seed ^ (uint64_t)getpid()) & 0xffffffffffu;
  uac = open_port(&uac_address);
  uas = open_port(&uas_address);
  calls = calloc((size_t)calls_wanted + 1, sizeof *calls);
  leg_room = calls_wanted * 2 + 1024;
  for (leg_mask = 1; leg_mask < leg_room * 2; leg_mask *= 2) {}
  leg_index = malloc((size_t)leg_mask * sizeof *leg_index);
  memset(leg_index, 0xff, (size_t)leg_mask * sizeof *leg_index);
  leg_mask--;
  legs = calloc((size_t)leg_room, sizeof *legs);
  if (!calls || !legs || !leg_index) refuse("no memory for %d calls", calls_wanted);
  snprintf(sdp, sizeof sdp,
           "v=0\r\no=bench 53655765 2353687637 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
           "m=audio 16384 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
           "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n",
           uac_ip, uac_ip);
  for (int i = 0; i < SPOKES; i++) wheel[i].next = wheel[i].prev = &wheel[i];
  wheel_ms = now_us() / 1000;
  if (registering) register_callees();
  run();
  report(now_us());
  return 0;
}
