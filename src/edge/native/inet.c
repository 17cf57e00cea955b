/*
 * The system calls that Node lacks, part two: UDP in batches, and TCP with the options a box needs
 * (bind to an address it does not own yet, bind to a device, user timeout); a word to systemd.
 *
 * A batch is one recvmmsg or sendmmsg over memory that JavaScript sees as ArrayBuffers, so a packet
 * costs no object and no call of its own. Layout, `slots` and `slotSize` as given to udpBatch:
 *
 *   rx, tx          slots x slotSize bytes, one datagram a slot
 *   rxMeta, txMeta  slots x 3 int32: length, IPv4 address as it lies on the wire, port
 *                   (IPv6: the middle one is the scope id; length -1: did not fit into its slot)
 *   rxAddr, txAddr  slots x 16 bytes, IPv6 address; empty for IPv4
 *   status          2 int32, of the last sendBatch: messages skipped, errno of the last of them
 */
#include "netlite.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* ---- addresses ------------------------------------------------------------------------------ */

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} Address;

enum { ADDRESS_TEXT = INET6_ADDRSTRLEN + IFNAMSIZ + 1 };

/* "192.0.2.1", "2001:db8::1" or "fe80::1%eth0"; gives the length of the address, 0 if it is none. */
static socklen_t read_address(const char *ip, uint16_t port, Address *out) {
  memset(out, 0, sizeof *out);
  if (inet_pton(AF_INET, ip, &out->v4.sin_addr) == 1) {
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(port);
    return sizeof out->v4;
  }
  char host[ADDRESS_TEXT];
  snprintf(host, sizeof host, "%s", ip);
  char *scope = strchr(host, '%');
  if (scope) *scope++ = 0;
  if (inet_pton(AF_INET6, host, &out->v6.sin6_addr) != 1) return 0;
  if (scope && !(out->v6.sin6_scope_id = if_nametoindex(scope))) return 0;
  out->v6.sin6_family = AF_INET6;
  out->v6.sin6_port = htons(port);
  return sizeof out->v6;
}

static bool address(napi_env env, napi_value ip, napi_value port, Address *out, socklen_t *length) {
  char host[ADDRESS_TEXT];
  int64_t number_of_port;
  if (!text(env, ip, host, sizeof host) || !whole(env, port, 0, 0xffff, &number_of_port))
    return false;
  *length = read_address(host, (uint16_t)number_of_port, out);
  return *length > 0;
}

/* pton(text, bytes, off) -> 4 or 16, the number of bytes written */
static napi_value Pton(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  char host[ADDRESS_TEXT];
  uint8_t *at;
  size_t n;
  napi_value none = number(env, 0);
  int64_t off;
  uint8_t raw[16];
  if (!text(env, arg[0], host, sizeof host) || !whole(env, arg[2], 0, INT32_MAX, &off))
    return INVALID;
  int size = inet_pton(AF_INET, host, raw) == 1 ? 4 : inet_pton(AF_INET6, host, raw) == 1 ? 16 : 0;
  if (!size || !bytes(env, arg[1], arg[2], none, &at, &n)) return INVALID;
  if (!bytes(env, arg[1], arg[2], number(env, size), &at, &n)) return INVALID;
  memcpy(at, raw, (size_t)size);
  return number(env, size);
}

/* ntop(bytes, off, 4 or 16) -> text */
static napi_value Ntop(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  uint8_t *at;
  size_t n;
  char out[INET6_ADDRSTRLEN];
  if (!bytes(env, arg[0], arg[1], arg[2], &at, &n) || (n != 4 && n != 16)) return INVALID;
  if (!inet_ntop(n == 4 ? AF_INET : AF_INET6, at, out, sizeof out)) return number(env, -errno);
  napi_value result = NULL;
  napi_create_string_latin1(env, out, NAPI_AUTO_LENGTH, &result);
  return result;
}

/* ---- sockets -------------------------------------------------------------------------------- */

typedef struct {
  bool freebind, reuse;
  char device[IFNAMSIZ];
} Binding;

static bool binding(napi_env env, napi_value freebind, napi_value reuse, napi_value device,
                    Binding *out) {
  return truth(env, freebind, &out->freebind) && truth(env, reuse, &out->reuse) &&
         text(env, device, out->device, sizeof out->device);
}

static int turn_on(int fd, int level, int option) {
  int on = 1;
  return setsockopt(fd, level, option, &on, sizeof on);
}

static int fail_closing(int fd) {
  int fault = errno;
  close(fd);
  return -fault;
}

/* A socket with what must be set before bind; gives fd or -errno. */
static int prepared(int family, int type, const Binding *b) {
  int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  bool six = family == AF_INET6;
  if ((six && turn_on(fd, IPPROTO_IPV6, IPV6_V6ONLY) < 0) ||
      (b->reuse && turn_on(fd, SOL_SOCKET, SO_REUSEADDR) < 0) ||
      /* The VIP is bound before it is owned: a takeover opens no sockets. */
      (b->freebind && turn_on(fd, IPPROTO_IP, IP_FREEBIND) < 0) ||
      (b->device[0] && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, b->device,
                                  (socklen_t)strlen(b->device) + 1) < 0))
    return fail_closing(fd);
  return fd;
}

static void grow(int fd, int force, int plain, int size) {
  if (setsockopt(fd, SOL_SOCKET, force, &size, sizeof size) < 0)
    setsockopt(fd, SOL_SOCKET, plain, &size, sizeof size); /* no privilege: up to the system's cap */
}

/* udpOpen(ip, port, freebind, reuseaddr, device or '', bufferBytes or 0) -> fd */
static napi_value UdpOpen(napi_env env, napi_callback_info info) {
  ARGUMENTS(6);
  Address at;
  socklen_t length;
  Binding b;
  int64_t size;
  if (!address(env, arg[0], arg[1], &at, &length) || !binding(env, arg[2], arg[3], arg[4], &b) ||
      !whole(env, arg[5], 0, 1 << 30, &size))
    return INVALID;
  int fd = prepared(at.any.sa_family, SOCK_DGRAM, &b);
  if (fd < 0) return number(env, fd);
  if (size) {
    grow(fd, SO_RCVBUFFORCE, SO_RCVBUF, (int)size);
    grow(fd, SO_SNDBUFFORCE, SO_SNDBUF, (int)size);
  }
  if (bind(fd, &at.any, length) < 0) return number(env, fail_closing(fd));
  return number(env, keep(env, fd));
}

/* tcpListen(ip, port, freebind, device or '') -> fd */
static napi_value TcpListen(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  Address at;
  socklen_t length;
  Binding b = {.reuse = true}; /* a restart must not wait for TIME-WAIT */
  if (!address(env, arg[0], arg[1], &at, &length) || !truth(env, arg[2], &b.freebind) ||
      !text(env, arg[3], b.device, sizeof b.device))
    return INVALID;
  int fd = prepared(at.any.sa_family, SOCK_STREAM, &b);
  if (fd < 0) return number(env, fd);
  if (bind(fd, &at.any, length) < 0 || listen(fd, 511) < 0) return number(env, fail_closing(fd));
  return number(env, keep(env, fd));
}

/* tcpAccept(fd) -> fd of the connection; -EAGAIN when none waits */
static napi_value TcpAccept(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int listener, fd;
  if (!descriptor(env, arg[0], &listener)) return INVALID;
  do fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (fd < 0) return number(env, -errno);
  turn_on(fd, IPPROTO_TCP, TCP_NODELAY); /* fails only on a connection that is dead already */
  return number(env, keep(env, fd));
}

/* tcpConnect(ip, port, localIp or '', device or '') -> fd, connecting; see tcpConnected */
static napi_value TcpConnect(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  Address to, from;
  socklen_t to_length, from_length = 0;
  char local[ADDRESS_TEXT];
  Binding b = {0};
  if (!address(env, arg[0], arg[1], &to, &to_length) || !text(env, arg[2], local, sizeof local) ||
      !text(env, arg[3], b.device, sizeof b.device))
    return INVALID;
  if (local[0]) {
    from_length = read_address(local, 0, &from);
    if (!from_length || from.any.sa_family != to.any.sa_family) return INVALID;
  }
  int fd = prepared(to.any.sa_family, SOCK_STREAM, &b);
  if (fd < 0) return number(env, fd);
  turn_on(fd, IPPROTO_TCP, TCP_NODELAY);
  if (from_length) {
    /* The port is chosen at connect, from the whole range, not one that is free for everybody. */
    turn_on(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
    if (bind(fd, &from.any, from_length) < 0) return number(env, fail_closing(fd));
  }
  int r;
  do r = connect(fd, &to.any, to_length);
  while (r < 0 && errno == EINTR);
  if (r < 0 && errno != EINPROGRESS && errno != EALREADY) return number(env, fail_closing(fd));
  return number(env, keep(env, fd));
}

/* tcpConnected(fd) -> 0 once it stands, -EINPROGRESS before, else the reason (told once) */
static napi_value TcpConnected(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd, fault = 0;
  socklen_t size = sizeof fault;
  Address peer;
  socklen_t length = sizeof peer;
  if (!descriptor(env, arg[0], &fd)) return INVALID;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &size) < 0) return number(env, -errno);
  if (fault) return number(env, -fault);
  if (getpeername(fd, &peer.any, &length) == 0) return number(env, 0);
  return number(env, errno == ENOTCONN ? -EINPROGRESS : -errno);
}

/* shutdown(fd, 0 reading, 1 writing, 2 both) -> 0 */
static napi_value Shutdown(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd;
  int64_t how;
  if (!descriptor(env, arg[0], &fd) || !whole(env, arg[1], 0, 2, &how)) return INVALID;
  return number(env, shutdown(fd, (int)how) < 0 ? -errno : 0);
}

/* setOption(fd, level, option, value) -> 0: any socket option that is an int */
static napi_value SetOption(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  int fd;
  int64_t level, option, value;
  if (!descriptor(env, arg[0], &fd) || !whole(env, arg[1], 0, INT32_MAX, &level) ||
      !whole(env, arg[2], 0, INT32_MAX, &option) ||
      !whole(env, arg[3], INT32_MIN, INT32_MAX, &value))
    return INVALID;
  int v = (int)value;
  return number(env, setsockopt(fd, (int)level, (int)option, &v, sizeof v) < 0 ? -errno : 0);
}

/* setUserTimeout(fd, ms) -> 0: how long sent data may stay unacknowledged (RFC 5482); 0 = default */
static napi_value SetUserTimeout(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd;
  int64_t ms;
  if (!descriptor(env, arg[0], &fd) || !whole(env, arg[1], 0, INT32_MAX, &ms)) return INVALID;
  unsigned value = (unsigned)ms;
  int r = setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, sizeof value);
  return number(env, r < 0 ? -errno : 0);
}

/* keepalive(fd, idle s, interval s, count) -> 0; idle 0 turns it off */
static napi_value Keepalive(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  int fd;
  int64_t idle, interval, count;
  if (!descriptor(env, arg[0], &fd) || !whole(env, arg[1], 0, 32767, &idle) ||
      !whole(env, arg[2], 1, 32767, &interval) || !whole(env, arg[3], 1, 127, &count))
    return INVALID;
  int on = idle > 0, a = (int)idle, b = (int)interval, c = (int)count;
  if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) < 0 ||
      (on && (setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &a, sizeof a) < 0 ||
              setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &b, sizeof b) < 0 ||
              setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &c, sizeof c) < 0)))
    return number(env, -errno);
  return number(env, 0);
}

/* resetOnClose(fd) -> 0: its end, however it comes, is a RST, and leaves nothing in the kernel */
static napi_value ResetOnClose(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd;
  if (!descriptor(env, arg[0], &fd)) return INVALID;
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  return number(env, setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) < 0 ? -errno : 0);
}

/* localName(fd), peerName(fd) -> "address port" */
static napi_value name_of(napi_env env, napi_callback_info info,
                          int (*ask)(int, struct sockaddr *, socklen_t *)) {
  ARGUMENTS(1);
  int fd;
  Address at;
  socklen_t length = sizeof at;
  if (!descriptor(env, arg[0], &fd)) return INVALID;
  if (ask(fd, &at.any, &length) < 0) return number(env, -errno);
  bool six = at.any.sa_family == AF_INET6;
  if (!six && at.any.sa_family != AF_INET) return number(env, -EAFNOSUPPORT);
  const void *raw = six ? (const void *)&at.v6.sin6_addr : (const void *)&at.v4.sin_addr;
  char ip[INET6_ADDRSTRLEN], out[INET6_ADDRSTRLEN + 8];
  if (!inet_ntop(at.any.sa_family, raw, ip, sizeof ip)) return number(env, -errno);
  snprintf(out, sizeof out, "%s %u", ip, ntohs(six ? at.v6.sin6_port : at.v4.sin_port));
  napi_value result = NULL;
  napi_create_string_latin1(env, out, NAPI_AUTO_LENGTH, &result);
  return result;
}
static int ask_local(int fd, struct sockaddr *a, socklen_t *l) { return getsockname(fd, a, l); }
static int ask_peer(int fd, struct sockaddr *a, socklen_t *l) { return getpeername(fd, a, l); }
static napi_value LocalName(napi_env env, napi_callback_info info) {
  return name_of(env, info, ask_local);
}
static napi_value PeerName(napi_env env, napi_callback_info info) {
  return name_of(env, info, ask_peer);
}

/* ---- UDP batches ---------------------------------------------------------------------------- */

static const napi_type_tag batch_tag = {0x1c94d06be7f24a83ULL, 0xb1057d3ea86c49f2ULL};

/* How long sendBatch waits for room in the socket before it gives up on the rest. */
static const int64_t SEND_PATIENCE_NS = 1000000;

enum { PARTS = 7 };
static const char *const part_names[PARTS] = {"rx",     "tx",     "rxMeta", "txMeta",
                                              "rxAddr", "txAddr", "status"};

typedef struct {
  int fd;
  bool six;
  uint32_t slots, slot_size;
  struct mmsghdr *rx_head, *tx_head;
  struct iovec *rx_vec, *tx_vec;
  Address *rx_from, *tx_to;
  /* Memory of the ArrayBuffers; the references keep it alive as long as the batch. */
  napi_ref refs[PARTS];
  uint8_t *rx, *tx, *rx_addr, *tx_addr;
  int32_t *rx_meta, *tx_meta, *status;
} Batch;

static void free_batch(napi_env env, Batch *b) {
  for (int i = 0; i < PARTS; i++)
    if (b->refs[i]) napi_delete_reference(env, b->refs[i]);
  free(b->rx_head);
  free(b->tx_head);
  free(b->rx_vec);
  free(b->tx_vec);
  free(b->rx_from);
  free(b->tx_to);
  free(b);
}

static void on_batch_collected(napi_env env, void *data, void *hint) {
  (void)hint;
  free_batch(env, data);
}

static void point_slots(Batch *b) {
  socklen_t length = b->six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  for (uint32_t i = 0; i < b->slots; i++) {
    size_t at = (size_t)i * b->slot_size;
    b->rx_vec[i] = (struct iovec){.iov_base = b->rx + at, .iov_len = b->slot_size};
    b->tx_vec[i] = (struct iovec){.iov_base = b->tx + at};
    b->tx_to[i].any.sa_family = b->six ? AF_INET6 : AF_INET;
    b->rx_head[i].msg_hdr = (struct msghdr){.msg_name = &b->rx_from[i],
                                            .msg_namelen = length,
                                            .msg_iov = &b->rx_vec[i],
                                            .msg_iovlen = 1};
    b->tx_head[i].msg_hdr = (struct msghdr){.msg_name = &b->tx_to[i],
                                            .msg_namelen = length,
                                            .msg_iov = &b->tx_vec[i],
                                            .msg_iovlen = 1};
  }
}

/* udpBatch(fd, slots, slotSize) -> {handle, six, rx, tx, rxMeta, txMeta, rxAddr, txAddr, status} */
static napi_value UdpBatch(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  int fd;
  int64_t slots, size;
  Address at;
  socklen_t length = sizeof at;
  if (!descriptor(env, arg[0], &fd) || !whole(env, arg[1], 1, 1024, &slots) ||
      !whole(env, arg[2], 1, 1 << 17, &size))
    return INVALID;
  if (getsockname(fd, &at.any, &length) < 0) return number(env, -errno);
  Batch *b = calloc(1, sizeof *b);
  if (!b) return number(env, -ENOMEM);
  b->fd = fd;
  b->six = at.any.sa_family == AF_INET6;
  b->slots = (uint32_t)slots;
  b->slot_size = (uint32_t)size;
  b->rx_head = calloc(b->slots, sizeof *b->rx_head);
  b->tx_head = calloc(b->slots, sizeof *b->tx_head);
  b->rx_vec = calloc(b->slots, sizeof *b->rx_vec);
  b->tx_vec = calloc(b->slots, sizeof *b->tx_vec);
  b->rx_from = calloc(b->slots, sizeof *b->rx_from);
  b->tx_to = calloc(b->slots, sizeof *b->tx_to);
  size_t data = (size_t)slots * (size_t)size, meta = (size_t)slots * 3 * sizeof(int32_t);
  size_t addr = b->six ? (size_t)slots * 16 : 0;
  const size_t sizes[PARTS] = {data, data, meta, meta, addr, addr, 2 * sizeof(int32_t)};
  void *memory[PARTS];
  napi_value object, part, handle, six;
  bool made = b->rx_head && b->tx_head && b->rx_vec && b->tx_vec && b->rx_from && b->tx_to &&
              napi_create_object(env, &object) == napi_ok;
  for (int i = 0; made && i < PARTS; i++)
    made = napi_create_arraybuffer(env, sizes[i], &memory[i], &part) == napi_ok &&
           napi_create_reference(env, part, 1, &b->refs[i]) == napi_ok &&
           napi_set_named_property(env, object, part_names[i], part) == napi_ok;
  made = made && napi_get_boolean(env, b->six, &six) == napi_ok &&
         napi_set_named_property(env, object, "six", six) == napi_ok &&
         napi_create_external(env, b, on_batch_collected, NULL, &handle) == napi_ok;
  if (!made) {
    napi_value ignored;
    napi_get_and_clear_last_exception(env, &ignored);
    free_batch(env, b);
    return number(env, -ENOMEM);
  }
  b->rx = memory[0], b->tx = memory[1], b->rx_meta = memory[2], b->tx_meta = memory[3];
  b->rx_addr = memory[4], b->tx_addr = memory[5], b->status = memory[6];
  point_slots(b);
  napi_type_tag_object(env, handle, &batch_tag);
  napi_set_named_property(env, object, "handle", handle);
  return object;
}

/*
 * recvBatch(handle) -> datagrams taken, 0 when none waits. A negative result is a pending ICMP error
 * that the kernel hands over once: read on after it.
 */
static napi_value RecvBatch(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  void *found;
  if (!tagged(env, arg[0], &batch_tag, &found)) return INVALID;
  Batch *b = found;
  int n;
  do n = recvmmsg(b->fd, b->rx_head, b->slots, MSG_DONTWAIT, NULL);
  while (n < 0 && errno == EINTR);
  if (n < 0) return number(env, errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno);
  int32_t *meta = b->rx_meta;
  for (int i = 0; i < n; i++, meta += 3) {
    struct mmsghdr *m = &b->rx_head[i];
    const Address *from = &b->rx_from[i];
    meta[0] = m->msg_hdr.msg_flags & MSG_TRUNC ? -1 : (int32_t)m->msg_len;
    if (b->six) {
      memcpy(b->rx_addr + 16 * i, &from->v6.sin6_addr, 16);
      meta[1] = (int32_t)from->v6.sin6_scope_id;
      meta[2] = ntohs(from->v6.sin6_port);
      m->msg_hdr.msg_namelen = sizeof from->v6;
    } else {
      meta[1] = (int32_t)from->v4.sin_addr.s_addr;
      meta[2] = ntohs(from->v4.sin_port);
      m->msg_hdr.msg_namelen = sizeof from->v4;
    }
  }
  return number(env, n);
}

/* Fills header i from its meta; false when it cannot be a datagram. */
static bool address_slot(Batch *b, uint32_t i) {
  const int32_t *meta = b->tx_meta + 3 * i;
  if (meta[0] < 0 || (uint32_t)meta[0] > b->slot_size || meta[2] < 1 || meta[2] > 0xffff)
    return false;
  b->tx_vec[i].iov_len = (size_t)meta[0];
  Address *to = &b->tx_to[i];
  if (b->six) {
    memcpy(&to->v6.sin6_addr, b->tx_addr + 16 * i, 16);
    to->v6.sin6_scope_id = (uint32_t)meta[1];
    to->v6.sin6_port = htons((uint16_t)meta[2]);
  } else {
    to->v4.sin_addr.s_addr = (uint32_t)meta[1];
    to->v4.sin_port = htons((uint16_t)meta[2]);
  }
  return true;
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Waits for room, false when patience is at its end. ENOBUFS has no readiness to poll for. */
static bool wait_for_room(int fd, int fault, int64_t *deadline) {
  int64_t now = now_ns();
  if (!*deadline) *deadline = now + SEND_PATIENCE_NS;
  int64_t left = *deadline - now;
  if (left <= 0) return false;
  bool full = fault == EAGAIN || fault == EWOULDBLOCK;
  struct pollfd p = {.fd = fd, .events = POLLOUT};
  struct timespec nap = {.tv_nsec = full || left < 50000 ? left : 50000};
  ppoll(&p, full ? 1 : 0, &nap, NULL);
  return true;
}

/*
 * sendBatch(handle, n) -> messages sent. A message that the kernel refuses (no route, firewall, too
 * long) is skipped and counted in `status`; n - sent - skipped at the end found no room within 1 ms.
 */
static napi_value SendBatch(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  void *found;
  int64_t count;
  if (!tagged(env, arg[0], &batch_tag, &found)) return INVALID;
  Batch *b = found;
  if (!whole(env, arg[1], 0, b->slots, &count)) return INVALID;
  const uint32_t n = (uint32_t)count;
  int32_t sent = 0, skipped = 0, last = 0;
  int64_t deadline = 0;
  uint32_t next = 0, ready = 0; /* [next, ready): addressed, not sent */
  bool again = false;           /* the message at `next` has failed once */
  while (next < n) {
    if (ready <= next) {
      ready = next;
      while (ready < n && address_slot(b, ready)) ready++;
      if (ready == next) {
        skipped++, last = EINVAL, next++;
        continue;
      }
    }
    int r = sendmmsg(b->fd, b->tx_head + next, ready - next, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (r > 0) {
      sent += r, next += (uint32_t)r, again = false;
      continue;
    }
    int fault = errno;
    if (fault == EINTR) continue;
    if (fault == EBADF || fault == ENOTSOCK) return number(env, -fault);
    if (fault == EAGAIN || fault == EWOULDBLOCK || fault == ENOBUFS) {
      if (!wait_for_room(b->fd, fault, &deadline)) break;
    } else if (!again) {
      again = true; /* it may be the pending error of an earlier message: that is reported once */
    } else {
      skipped++, last = fault, next++, again = false;
    }
  }
  b->status[0] = skipped;
  b->status[1] = last;
  return number(env, sent);
}

/* ---- a word to systemd ----------------------------------------------------------------------- */

/*
 * notify(address, text) -> 0. One datagram to a unix socket that somebody reads: sd_notify(3). A path,
 * or, beginning with @, a name of the abstract namespace. Never waits.
 */
static napi_value Notify(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  char name[sizeof to.sun_path], word[1024];
  if (!text(env, arg[0], name, sizeof name) || !name[0] || !text(env, arg[1], word, sizeof word))
    return INVALID;
  size_t length = strlen(name);
  memcpy(to.sun_path, name, length);
  if (name[0] == '@') to.sun_path[0] = 0;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return number(env, -errno);
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  ssize_t sent =
      sendto(fd, word, strlen(word), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, size);
  int fault = sent < 0 ? errno : 0;
  close(fd);
  return number(env, -fault);
}

#define FUNCTION(name, f) {name, NULL, f, NULL, NULL, NULL, napi_enumerable, NULL}
const napi_property_descriptor inet_functions[] = {
    FUNCTION("pton", Pton),
    FUNCTION("ntop", Ntop),
    FUNCTION("udpOpen", UdpOpen),
    FUNCTION("udpBatch", UdpBatch),
    FUNCTION("recvBatch", RecvBatch),
    FUNCTION("sendBatch", SendBatch),
    FUNCTION("tcpListen", TcpListen),
    FUNCTION("tcpAccept", TcpAccept),
    FUNCTION("tcpConnect", TcpConnect),
    FUNCTION("tcpConnected", TcpConnected),
    FUNCTION("shutdown", Shutdown),
    FUNCTION("setOption", SetOption),
    FUNCTION("setUserTimeout", SetUserTimeout),
    FUNCTION("keepalive", Keepalive),
    FUNCTION("resetOnClose", ResetOnClose),
    FUNCTION("localName", LocalName),
    FUNCTION("peerName", PeerName),
    FUNCTION("notify", Notify),
};
const size_t inet_function_count = sizeof inet_functions / sizeof *inet_functions;
