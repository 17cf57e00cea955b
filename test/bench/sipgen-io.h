/*
 * What sipgen does with the machine: UDP ports that read and write in batches, a wheel of timers,
 * a histogram. Nothing of SIP.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct sockaddr_in Address;

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static void refuse(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("sipgen: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  exit(2);
}

/* ---- sockets in batches -------------------------------------------------------------------- */

enum { BATCH = 64, SLOT = 4096 };
typedef struct {
  int fd, queued;
  uint64_t sent, received, send_errors;
  struct mmsghdr in[BATCH], out[BATCH];
  struct iovec in_vec[BATCH], out_vec[BATCH];
  Address in_from[BATCH], out_to[BATCH];
  char in_bytes[BATCH][SLOT], out_bytes[BATCH][SLOT];
} Port;
static Port *uac, *uas;

static Port *open_port(const Address *local) {
  Port *p = calloc(1, sizeof *p);
  p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int bytes = 16 << 20;
  setsockopt(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  setsockopt(p->fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
  if (bind(p->fd, (const struct sockaddr *)local, sizeof *local) < 0)
    refuse("cannot bind %s:%d: %s", inet_ntoa(local->sin_addr), ntohs(local->sin_port),
           strerror(errno));
  for (int i = 0; i < BATCH; i++) {
    p->in_vec[i] = (struct iovec){p->in_bytes[i], SLOT - 1};
    p->out_vec[i] = (struct iovec){p->out_bytes[i], 0};
    p->in[i].msg_hdr = (struct msghdr){.msg_name = &p->in_from[i], .msg_iov = &p->in_vec[i],
                                       .msg_namelen = sizeof(Address), .msg_iovlen = 1};
    p->out[i].msg_hdr = (struct msghdr){.msg_name = &p->out_to[i], .msg_iov = &p->out_vec[i],
                                        .msg_namelen = sizeof(Address), .msg_iovlen = 1};
  }
  return p;
}

static void flush(Port *p) {
  for (int done = 0; done < p->queued;) {
    int n = sendmmsg(p->fd, p->out + done, (unsigned)(p->queued - done), 0);
    if (n > 0) {
      done += n;
      p->sent += (uint64_t)n;
    } else if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) {
      struct pollfd wait = {p->fd, POLLOUT, 0};
      poll(&wait, 1, 1);
    } else { /* this one cannot go (no route, host gone): as lost as on a wire */
      p->send_errors++;
      done++;
    }
  }
  p->queued = 0;
}

static char *next_slot(Port *p) {
  if (p->queued == BATCH) flush(p);
  return p->out_bytes[p->queued];
}

static void queue(Port *p, int length, const Address *to) {
  if (length >= SLOT) length = SLOT - 1;
  p->out_vec[p->queued].iov_len = (size_t)length;
  p->out_to[p->queued++] = *to;
}

/* Appends to a message of SLOT bytes at most; too long is cut, never overrun. */
static int add(char *at, int n, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int add(char *at, int n, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int more = vsnprintf(at + n, (size_t)(SLOT - n), format, args);
  va_end(args);
  return n + more < SLOT ? n + more : SLOT - 1;
}

/* ---- one timer a call, in a wheel of milliseconds ------------------------------------------- */

typedef struct Timer {
  struct Timer *prev, *next;
  uint64_t due;
  int owner; /* a call: its index; a callee's leg: -1 - its index */
} Timer;
enum { SPOKES = 4096 };
static Timer wheel[SPOKES];
static uint64_t wheel_ms;

static void disarm(Timer *t) {
  if (t->next == NULL) return;
  t->prev->next = t->next;
  t->next->prev = t->prev;
  t->next = t->prev = NULL;
}

static void arm(Timer *t, uint64_t due) {
  disarm(t);
  uint64_t ms = due / 1000 + 1;
  if (ms <= wheel_ms) ms = wheel_ms + 1;
  Timer *head = &wheel[ms % SPOKES];
  t->due = due;
  t->next = head->next;
  t->prev = head;
  head->next->prev = t;
  head->next = t;
}

/* ---- delays: buckets 1.6 % wide ------------------------------------------------------------- */

enum { BUCKETS = 4096 };
static uint64_t delays[BUCKETS], delay_count, delay_max;
static int bucket_of(uint64_t us) {
  if (us < 128) return (int)us;
  int shift = 57 - __builtin_clzll(us);
  return (shift << 6) + (int)(us >> shift);
}
static uint64_t bucket_middle(int i) {
  if (i < 128) return (uint64_t)i;
  int shift = (i >> 6) - 1;
  return ((uint64_t)(i - (shift << 6)) << shift) + (1u << shift) / 2;
}

static double quantile(double q) {
  uint64_t want = (uint64_t)(q * (double)delay_count), seen = 0;
  for (int i = 0; i < BUCKETS; i++)
    if ((seen += delays[i]) > want) return (double)bucket_middle(i) / 1000;
  return (double)delay_max / 1000;
}
