/*
 * The system calls that Node lacks, part one: descriptors, readiness on the event loop, AF_PACKET,
 * AF_NETLINK, TUN, thread priority, memory locking. Part two (UDP batches and TCP) is inet.c.
 *
 * Node-API only, so one build serves every Node version, and no state outside the table of
 * descriptors, so the main thread and worker threads use it at once. When a worker ends, its watches
 * stop and the descriptors that it opened are closed.
 */
#include "netlite.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

/* ---- arguments ---------------------------------------------------------------------------- */

bool whole(napi_env env, napi_value value, int64_t low, int64_t high, int64_t *out) {
  double d;
  if (napi_get_value_double(env, value, &d) != napi_ok) return false;
  if (!(d >= (double)low && d <= (double)high) || d != (double)(int64_t)d) return false;
  *out = (int64_t)d;
  return true;
}

bool truth(napi_env env, napi_value value, bool *out) {
  return napi_get_value_bool(env, value, out) == napi_ok;
}

bool text(napi_env env, napi_value value, char *out, size_t size) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return false;
  if (length >= size) return false;
  if (napi_get_value_string_utf8(env, value, out, size, &length) != napi_ok) return false;
  return strlen(out) == length;
}

bool whole_view(napi_env env, napi_value view, uint8_t **at, size_t *n) {
  bool is_view = false;
  void *base = NULL;
  if (napi_is_buffer(env, view, &is_view) != napi_ok || !is_view) return false;
  if (napi_get_buffer_info(env, view, &base, n) != napi_ok) return false;
  *at = base;
  return true;
}

bool bytes(napi_env env, napi_value view, napi_value off, napi_value len, uint8_t **at, size_t *n) {
  uint8_t *base;
  size_t size = 0;
  int64_t from, count;
  if (!whole_view(env, view, &base, &size)) return false;
  if (!whole(env, off, 0, (int64_t)size, &from)) return false;
  if (!whole(env, len, 0, (int64_t)size - from, &count)) return false;
  *at = base + from;
  *n = (size_t)count;
  return true;
}

bool descriptor(napi_env env, napi_value value, int *fd) {
  int64_t n;
  if (!whole(env, value, 0, INT32_MAX, &n)) return false;
  *fd = (int)n;
  return true;
}

bool tagged(napi_env env, napi_value value, const napi_type_tag *tag, void **out) {
  napi_valuetype type;
  bool same = false;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external) return false;
  if (napi_check_object_type_tag(env, value, tag, &same) != napi_ok || !same) return false;
  return napi_get_value_external(env, value, out) == napi_ok && *out != NULL;
}

/* ---- descriptors -------------------------------------------------------------------------- */

/*
 * Whose descriptor is it? One table for the process, because a thread may pass a number to another.
 * It makes three mistakes impossible: closing a descriptor that is not ours or no longer ours,
 * closing one that a loop still watches (libuv aborts the process at its next change), and leaving
 * descriptors behind when a worker is terminated.
 */
typedef struct {
  napi_env env; /* the environment that opened it; NULL: orphan, watched by another thread */
  uint16_t watchers;
  bool open;
} Entry;

static pthread_mutex_t books = PTHREAD_MUTEX_INITIALIZER;
static Entry *entries = NULL;
static size_t entry_count = 0;

int keep(napi_env env, int fd) {
  bool kept = true;
  pthread_mutex_lock(&books);
  if ((size_t)fd >= entry_count) {
    size_t count = entry_count ? entry_count : 64;
    while (count <= (size_t)fd) count *= 2;
    Entry *grown = realloc(entries, count * sizeof *grown);
    if (grown) {
      memset(grown + entry_count, 0, (count - entry_count) * sizeof *grown);
      entries = grown;
      entry_count = count;
    } else {
      kept = false;
    }
  }
  if (kept) entries[fd] = (Entry){.env = env, .watchers = 0, .open = true};
  pthread_mutex_unlock(&books);
  if (kept) return fd;
  close(fd);
  return -ENOMEM;
}

/* Counts a watch on or off; false: not a descriptor of this addon, which is allowed. */
static bool count_watch(int fd, int change) {
  bool ours = false;
  pthread_mutex_lock(&books);
  if ((size_t)fd < entry_count && entries[fd].open) {
    entries[fd].watchers = (uint16_t)(entries[fd].watchers + change);
    ours = true;
  }
  pthread_mutex_unlock(&books);
  return ours;
}

/* Strikes a descriptor from the books. 0; EBADF when it is not in them, EBUSY while it is watched. */
static int disown(int fd) {
  int fault = 0;
  pthread_mutex_lock(&books);
  if ((size_t)fd >= entry_count || !entries[fd].open) fault = EBADF;
  else if (entries[fd].watchers > 0) fault = EBUSY;
  else entries[fd].open = false;
  pthread_mutex_unlock(&books);
  return fault;
}

/* release(fd) -> 0; from now on somebody else closes it. Faults as of close. */
static napi_value Release(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd;
  if (!descriptor(env, arg[0], &fd)) return INVALID;
  return number(env, -disown(fd));
}

/* close(fd) -> 0; -EBADF when this addon did not open it, -EBUSY while it is watched. */
static napi_value Close(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd;
  if (!descriptor(env, arg[0], &fd)) return INVALID;
  int fault = disown(fd);
  if (fault) return number(env, -fault);
  /* EINTR: Linux has closed it all the same, and a second close could hit a stranger. */
  return number(env, close(fd) < 0 && errno != EINTR ? -errno : 0);
}

/* The environment ends: its watches are stopped by now, so what it opened can go. */
static void close_all_of(void *arg) {
  napi_env env = arg;
  for (size_t fd = 0;; fd++) {
    bool mine = false;
    pthread_mutex_lock(&books);
    bool end = fd >= entry_count;
    if (!end && entries[fd].open && entries[fd].env == env) {
      entries[fd].env = NULL;
      mine = entries[fd].watchers == 0;
      if (mine) entries[fd].open = false;
    }
    pthread_mutex_unlock(&books);
    if (end) return;
    if (mine) close((int)fd);
  }
}

/* send(fd, bytes, off, len) -> bytes taken */
static napi_value Send(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  int fd;
  uint8_t *at;
  size_t n;
  if (!descriptor(env, arg[0], &fd) || !bytes(env, arg[1], arg[2], arg[3], &at, &n)) return INVALID;
  if (n > INT32_MAX) n = INT32_MAX;
  ssize_t r;
  do r = send(fd, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (r < 0 && errno == EINTR);
  return number(env, r < 0 ? -errno : (int32_t)r);
}

/* recv(fd, bytes, off, len) -> bytes written; 0 is end of stream; -EAGAIN when nothing waits */
static napi_value Recv(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  int fd;
  uint8_t *at;
  size_t n;
  if (!descriptor(env, arg[0], &fd) || !bytes(env, arg[1], arg[2], arg[3], &at, &n)) return INVALID;
  if (n > INT32_MAX) n = INT32_MAX;
  ssize_t r;
  do r = recv(fd, at, n, MSG_DONTWAIT);
  while (r < 0 && errno == EINTR);
  return number(env, r < 0 ? -errno : (int32_t)r);
}

/* ---- readiness on the loop of the calling thread -------------------------------------------- */

static const napi_type_tag watch_tag = {0x5d0f1e7a93b84c11ULL, 0x9a6e27c0f4d1b350ULL};

typedef struct {
  uv_poll_t poll;
  napi_env env;
  napi_ref callback;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
  int fd;
  int mask;
  bool counted; /* in the table of descriptors */
  bool closing;
  int holders; /* libuv until its close callback, JavaScript until the handle is collected */
} Watch;

static void release(Watch *w) {
  if (--w->holders == 0) free(w);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  release(data);
}

/* libuv has let go. The environment is still alive: it waits for the hook to be removed. */
static void on_closed(uv_handle_t *handle) {
  Watch *w = handle->data;
  napi_delete_reference(w->env, w->callback);
  napi_async_destroy(w->env, w->context);
  napi_remove_async_cleanup_hook(w->hook);
  release(w);
}

static void stop(Watch *w) {
  if (w->closing) return;
  w->closing = true;
  uv_close((uv_handle_t *)&w->poll, on_closed); /* leaves epoll at once, calls on_closed later */
  if (w->counted) count_watch(w->fd, -1);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *arg) {
  (void)hook; /* on_closed removes it, whichever way the watch ended */
  stop(arg);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
  Watch *w = poll->data;
  if (status == UV_EBADF) {
    /*
     * libuv's name for POLLERR: an ICMP error, a netlink overrun, an interface that went down, a
     * reset connection. It has stopped the watch, which would leave the socket deaf for ever. Go on
     * watching and report "ready": the next recv, send or tcpConnected gets the error itself.
     */
    events = w->mask;
    status = events ? uv_poll_start(poll, events, on_ready) : 0;
  }
  napi_env env = w->env;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value callback, receiver, result, what = number(env, status < 0 ? status : events);
  if (napi_get_reference_value(env, w->callback, &callback) == napi_ok &&
      napi_get_global(env, &receiver) == napi_ok &&
      napi_make_callback(env, w->context, receiver, callback, 1, &what, &result) != napi_ok) {
    bool thrown = false;
    napi_value exception;
    if (napi_is_exception_pending(env, &thrown) == napi_ok && thrown &&
        napi_get_and_clear_last_exception(env, &exception) == napi_ok)
      napi_fatal_exception(env, exception); /* our bug: as an uncaught exception */
  }
  napi_close_handle_scope(env, scope);
}

/* Undoes a half-made watch before libuv knows it. */
static napi_value refuse(napi_env env, Watch *w, int fault) {
  if (w->context) napi_async_destroy(env, w->context);
  if (w->callback) napi_delete_reference(env, w->callback);
  free(w);
  return number(env, fault);
}

/* watch(fd, mask: 1 read, 2 write, 0 pause, callback(events)) -> handle */
static napi_value WatchStart(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  int fd;
  int64_t mask;
  napi_valuetype type;
  uv_loop_t *loop;
  napi_value name, handle;
  if (!descriptor(env, arg[0], &fd) || !whole(env, arg[1], 0, 3, &mask)) return INVALID;
  if (napi_typeof(env, arg[2], &type) != napi_ok || type != napi_function) return INVALID;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return INVALID;
  Watch *w = calloc(1, sizeof *w);
  if (!w) return number(env, -ENOMEM);
  w->env = env;
  w->fd = fd;
  w->mask = (int)mask;
  if (napi_create_reference(env, arg[2], 1, &w->callback) != napi_ok ||
      napi_create_string_utf8(env, "netlite", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_async_init(env, NULL, name, &w->context) != napi_ok)
    return refuse(env, w, -ENOMEM);
  int fault = uv_poll_init(loop, &w->poll, fd);
  if (fault) return refuse(env, w, fault);
  w->poll.data = w;
  w->holders = 1;
  w->counted = count_watch(fd, 1);
  if (napi_add_async_cleanup_hook(env, on_environment_end, w, &w->hook) != napi_ok) {
    stop(w);
    return number(env, -ENOMEM);
  }
  if (mask) fault = uv_poll_start(&w->poll, w->mask, on_ready);
  if (fault) {
    stop(w);
    return number(env, fault);
  }
  if (napi_create_external(env, w, on_collected, NULL, &handle) != napi_ok) {
    stop(w);
    return number(env, -ENOMEM);
  }
  w->holders++;
  napi_type_tag_object(env, handle, &watch_tag);
  return handle;
}

/* rewatch(handle, mask) -> 0; -EBADF after unwatch */
static napi_value Rewatch(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  void *found;
  int64_t mask;
  if (!tagged(env, arg[0], &watch_tag, &found) || !whole(env, arg[1], 0, 3, &mask)) return INVALID;
  Watch *w = found;
  if (w->closing) return number(env, -EBADF);
  w->mask = (int)mask;
  return number(env, mask ? uv_poll_start(&w->poll, w->mask, on_ready) : uv_poll_stop(&w->poll));
}

/* unwatch(handle) -> 0, as often as one likes; no callback comes after it */
static napi_value Unwatch(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  void *found;
  if (!tagged(env, arg[0], &watch_tag, &found)) return INVALID;
  stop(found);
  return number(env, 0);
}

/* ---- interfaces, frames, netlink, TUN ------------------------------------------------------- */

/*
 * openPacket(ifname, ethertype, filter) -> fd of an AF_PACKET socket, whole frames both ways. The
 * filter is a program of classic BPF as the kernel reads it (struct sock_filter, 8 bytes each). It is
 * there before the socket hears anything, so no frame slips by.
 */
static napi_value OpenPacket(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  char name[IFNAMSIZ];
  int64_t type;
  uint8_t *at_filter;
  size_t size;
  if (!text(env, arg[0], name, sizeof name) || !whole(env, arg[1], 1, 0xffff, &type) ||
      !whole_view(env, arg[2], &at_filter, &size) || size == 0 || size % sizeof(struct sock_filter) ||
      size / sizeof(struct sock_filter) > BPF_MAXINSNS)
    return INVALID;
  unsigned index = if_nametoindex(name);
  if (!index) return number(env, -errno);
  /* Protocol 0 until bind: nothing of other interfaces is queued in between. */
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return number(env, -errno);
  struct sock_fprog program = {.len = (unsigned short)(size / sizeof(struct sock_filter)),
                               .filter = (struct sock_filter *)at_filter};
  struct sockaddr_ll at = {.sll_family = AF_PACKET,
                           .sll_protocol = htons((uint16_t)type),
                           .sll_ifindex = (int)index};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
      bind(fd, (struct sockaddr *)&at, sizeof at) < 0) {
    int fault = errno;
    close(fd);
    return number(env, -fault);
  }
  return number(env, keep(env, fd));
}

/* packetJoin(fd, ifname, mac of 6 bytes) -> 0: the card lets frames to this group address in */
static napi_value PacketJoin(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  int fd;
  char name[IFNAMSIZ];
  uint8_t *mac;
  size_t size;
  if (!descriptor(env, arg[0], &fd) || !text(env, arg[1], name, sizeof name) ||
      !whole_view(env, arg[2], &mac, &size) || size != 6)
    return INVALID;
  unsigned index = if_nametoindex(name);
  if (!index) return number(env, -errno);
  struct packet_mreq group = {
      .mr_ifindex = (int)index, .mr_type = PACKET_MR_MULTICAST, .mr_alen = (unsigned short)size};
  memcpy(group.mr_address, mac, size);
  int r = setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group, sizeof group);
  return number(env, r < 0 ? -errno : 0);
}

/*
 * groupOpen(ifname, group of 16 bytes) -> fd: this host is a member of the IPv6 group on that
 * interface while it is open, and says so to the switches (MLD). Nothing is received on it.
 */
static napi_value GroupOpen(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  char name[IFNAMSIZ];
  uint8_t *group;
  size_t size;
  if (!text(env, arg[0], name, sizeof name) || !whole_view(env, arg[1], &group, &size) ||
      size != sizeof(struct in6_addr))
    return INVALID;
  struct ipv6_mreq request = {.ipv6mr_interface = if_nametoindex(name)};
  if (!request.ipv6mr_interface) return number(env, -errno);
  memcpy(&request.ipv6mr_multiaddr, group, size);
  int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return number(env, -errno);
  if (setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request) < 0) {
    int fault = errno;
    close(fd);
    return number(env, -fault);
  }
  return number(env, keep(env, fd));
}

/* openNetlink(protocol, groups) -> fd */
static napi_value OpenNetlink(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int64_t protocol, groups;
  if (!whole(env, arg[0], 0, 31, &protocol) || !whole(env, arg[1], 0, UINT32_MAX, &groups))
    return INVALID;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, (int)protocol);
  if (fd < 0) return number(env, -errno);
  int on = 1;
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on); /* short acks; old kernels: long */
  struct sockaddr_nl at = {.nl_family = AF_NETLINK, .nl_groups = (uint32_t)groups};
  if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0) {
    int fault = errno;
    close(fd);
    return number(env, -fault);
  }
  return number(env, keep(env, fd));
}

/* ifIndex(name) -> index */
static napi_value IfIndex(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  char name[IFNAMSIZ];
  if (!text(env, arg[0], name, sizeof name)) return INVALID;
  unsigned index = if_nametoindex(name);
  return number(env, index ? (int32_t)index : -errno);
}

/* ifHwaddr(name) -> "02:00:00:00:00:01"; -EOPNOTSUPP when the interface has none of Ethernet's */
static napi_value IfHwaddr(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  char name[IFNAMSIZ] = {0};
  if (!text(env, arg[0], name, sizeof name)) return INVALID;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return number(env, -errno);
  struct ifreq request = {0};
  memcpy(request.ifr_name, name, sizeof name);
  int fault = ioctl(fd, SIOCGIFHWADDR, &request) < 0 ? errno : 0;
  close(fd);
  if (fault) return number(env, -fault);
  unsigned short family = request.ifr_hwaddr.sa_family;
  if (family != ARPHRD_ETHER && family != ARPHRD_LOOPBACK) return number(env, -EOPNOTSUPP);
  const unsigned char *m = (const unsigned char *)request.ifr_hwaddr.sa_data;
  char out[18];
  snprintf(out, sizeof out, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
  napi_value result = NULL;
  napi_create_string_latin1(env, out, NAPI_AUTO_LENGTH, &result);
  return result;
}

/*
 * tunOpen(name) -> fd. Not persistent and not inherited: the device and every address on it live
 * exactly as long as this descriptor, so they die with the process however it dies.
 */
static napi_value TunOpen(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  char name[IFNAMSIZ] = {0};
  if (!text(env, arg[0], name, sizeof name) || !name[0]) return INVALID;
  int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return number(env, -errno);
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  memcpy(request.ifr_name, name, sizeof name);
  if (ioctl(fd, TUNSETIFF, &request) < 0) {
    int fault = errno;
    close(fd);
    return number(env, -fault);
  }
  /*
   * A killed process lets go of its latest descriptor first. Were that a connection, its FIN would
   * still leave, and who reads it would connect again, to a listener that dies a moment later: so
   * the device has a number above those of all connections, and the addresses go before them.
   */
  for (int above = 1 << 16; above > fd; above >>= 1) {
    int high = fcntl(fd, F_DUPFD_CLOEXEC, above);
    if (high < 0) continue; /* beyond the limit of descriptors */
    close(fd);
    return number(env, keep(env, high));
  }
  return number(env, keep(env, fd));
}

/* ---- threads, memory, time ------------------------------------------------------------------ */

/* gettid() -> the kernel's id of the calling thread */
static napi_value GetTid(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, (int32_t)syscall(SYS_gettid));
}

/*
 * setFifo(tid, priority 1..99) -> 0; tid 0 is the calling thread, priority 0 is the ordinary class.
 * Threads and processes that it starts later do not inherit the real-time class.
 */
static napi_value SetFifo(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int64_t tid, priority;
  if (!whole(env, arg[0], 0, INT32_MAX, &tid) || !whole(env, arg[1], 0, 99, &priority))
    return INVALID;
  struct sched_param param = {.sched_priority = (int)priority};
  int policy = priority ? SCHED_FIFO | SCHED_RESET_ON_FORK : SCHED_OTHER;
  return number(env, sched_setscheduler((pid_t)tid, policy, &param) < 0 ? -errno : 0);
}

/* monotonic() -> CLOCK_MONOTONIC in milliseconds, with a fraction */
static napi_value Monotonic(napi_env env, napi_callback_info info) {
  (void)info;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  napi_value result = NULL;
  napi_create_double(env, (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6, &result);
  return result;
}

/* clockUnsynchronised() -> 1: the kernel knows of nobody who keeps the wall clock right; 0: somebody does */
static napi_value ClockUnsynchronised(napi_env env, napi_callback_info info) {
  (void)info;
  struct timex t = {0};
  int state = adjtimex(&t);
  return number(env, state < 0 ? -errno : (t.status & STA_UNSYNC) != 0);
}

/*
 * addressOf(view, out, off) -> 8, after writing where `view` begins, as a pointer lies in memory, to
 * out[off..off+8). For structures that a system call wants with a pointer in them; `view` must be
 * kept until that call is over.
 */
static napi_value AddressOf(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  uint8_t *of = NULL, *to = NULL;
  size_t none = 0, room = 0;
  napi_value zero = number(env, 0), size = number(env, sizeof of);
  if (!bytes(env, arg[0], zero, zero, &of, &none)) return INVALID;
  if (!bytes(env, arg[1], arg[2], size, &to, &room)) return INVALID;
  memcpy(to, &of, sizeof of);
  return number(env, sizeof of);
}

/* ---- module --------------------------------------------------------------------------------- */

#define FUNCTION(name, f) {name, NULL, f, NULL, NULL, NULL, napi_enumerable, NULL}
static const napi_property_descriptor functions[] = {
    FUNCTION("send", Send),           FUNCTION("recv", Recv),
    FUNCTION("close", Close),         FUNCTION("watch", WatchStart),
    FUNCTION("release", Release),
    FUNCTION("rewatch", Rewatch),     FUNCTION("unwatch", Unwatch),
    FUNCTION("ifIndex", IfIndex),     FUNCTION("ifHwaddr", IfHwaddr),
    FUNCTION("tunOpen", TunOpen),     FUNCTION("openPacket", OpenPacket),
    FUNCTION("gettid", GetTid),       FUNCTION("openNetlink", OpenNetlink),
    FUNCTION("setFifo", SetFifo),
    FUNCTION("monotonic", Monotonic), FUNCTION("packetJoin", PacketJoin),
    FUNCTION("groupOpen", GroupOpen), FUNCTION("addressOf", AddressOf),
    FUNCTION("clockUnsynchronised", ClockUnsynchronised),
};

NAPI_MODULE_INIT() {
  const size_t count = sizeof functions / sizeof *functions;
  if (napi_define_properties(env, exports, count, functions) != napi_ok ||
      napi_define_properties(env, exports, inet_function_count, inet_functions) != napi_ok ||
      /* Hooks run in reverse order: the watches of this environment stop before this one. */
      napi_add_env_cleanup_hook(env, close_all_of, env) != napi_ok) {
    napi_throw_error(env, NULL, "netlite could not register itself");
    return NULL;
  }
  return exports;
}
