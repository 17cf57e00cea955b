/*
 * A bad cable: stands between a port of the lab's switch and its bridge and passes frames on, some of
 * them late, out of order, or never. The kernel's own tool for it (netem) is not in every kernel.
 *
 *     wire PORT TAP loss=PER-MILLE delay=US jitter=US garp=drop seed=N
 *
 * PORT is a device outside of any bridge; TAP is made here, to be put into the bridge in its place,
 * and is gone when this process is. Both ways are treated alike. `garp=drop`: gratuitous ARP (sender
 * and target address are equal) is swallowed, as some switches do. Frames are passed with their
 * offload headers, so checksums and large segments stay as the kernel made them. At most QUEUE frames
 * wait; more are dropped, as in any switch. Says "ready" on standard output once it passes frames.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define QUEUE 4096
#define FRAME (65536 + 64)

struct waiting {
  int64_t due;
  uint64_t order;
  int to, length;
  uint8_t *bytes;
};

static struct waiting heap[QUEUE];
static int waiting;
static uint64_t orders, seed = 1;
static int64_t loss, delay_us, jitter_us;
static int no_garp;

static void die(const char *what) {
  fprintf(stderr, "wire: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static uint64_t chance(uint64_t below) {
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
  return below == 0 ? 0 : seed % below;
}

static int before(const struct waiting *a, const struct waiting *b) {
  return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void swap(int i, int j) {
  struct waiting w = heap[i];
  heap[i] = heap[j];
  heap[j] = w;
}

static void push(struct waiting w) {
  int i = waiting++;
  heap[i] = w;
  for (; i > 0 && before(&heap[i], &heap[(i - 1) / 2]); i = (i - 1) / 2) swap(i, (i - 1) / 2);
}

static struct waiting pop(void) {
  struct waiting top = heap[0];
  heap[0] = heap[--waiting];
  for (int i = 0;;) {
    int least = i;
    for (int c = 2 * i + 1; c <= 2 * i + 2; c++)
      if (c < waiting && before(&heap[c], &heap[least])) least = c;
    if (least == i) return top;
    swap(i, least);
    i = least;
  }
}

static int gratuitous(const uint8_t *frame, int length) {
  if (length < 42 || frame[12] != 8 || frame[13] != 6) return 0;
  return memcmp(frame + 28, frame + 38, 4) == 0;
}

static void take(int from, int to) {
  static uint8_t bytes[FRAME];
  const int head = sizeof(struct virtio_net_hdr);
  for (int n = 0; n < 64; n++) {
    ssize_t length = read(from, bytes, sizeof bytes);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    /* The cable is pulled for now. */
    if (length < 0 && errno == ENETDOWN) return;
    if (length < 0) die("read");
    if (length <= head) continue;
    if (no_garp && gratuitous(bytes + head, length - head)) continue;
    if ((int64_t)chance(1000) < loss || waiting == QUEUE) continue;
    struct waiting w = {
      .due = now_us() + delay_us + (int64_t)chance(jitter_us + 1),
      .order = orders++, .to = to, .length = length, .bytes = malloc(length),
    };
    if (w.bytes == NULL) die("malloc");
    memcpy(w.bytes, bytes, length);
    push(w);
  }
}

static void pass(void) {
  for (int64_t now = now_us(); waiting > 0 && heap[0].due <= now;) {
    struct waiting w = pop();
    /* A port that is down swallows what it is given. */
    if (write(w.to, w.bytes, w.length) < 0 && errno == EBADF) die("write");
    free(w.bytes);
  }
}

static int open_port(const char *name) {
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0), on = 1, big = 4 << 20;
  if (fd < 0) die("socket");
  if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0) die("PACKET_VNET_HDR");
  if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0) die("outgoing");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof big);
  int index = if_nametoindex(name);
  if (index == 0) die(name);
  struct packet_mreq all = {.mr_ifindex = index, .mr_type = PACKET_MR_PROMISC};
  if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) < 0) die("promiscuous");
  struct sockaddr_ll at = {
    .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index,
  };
  if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0) die("bind");
  return fd;
}

static int open_tap(const char *name) {
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK), s = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || s < 0) die("/dev/net/tun");
  struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
  strncpy(r.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(fd, TUNSETIFF, &r) < 0) die("TUNSETIFF");
  if (ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0) die("TUNSETOFFLOAD");
  r.ifr_qlen = 1000;
  ioctl(s, SIOCSIFTXQLEN, &r);
  if (ioctl(s, SIOCGIFFLAGS, &r) < 0) die("flags");
  r.ifr_flags |= IFF_UP;
  if (ioctl(s, SIOCSIFFLAGS, &r) < 0) die("up");
  close(s);
  return fd;
}

int main(int argc, char **argv) {
  if (argc < 3) return fprintf(stderr, "wire PORT TAP [key=value...]\n"), 2;
  for (int i = 3; i < argc; i++) {
    long long value;
    if (sscanf(argv[i], "loss=%lld", &value) == 1) loss = value;
    else if (sscanf(argv[i], "delay=%lld", &value) == 1) delay_us = value;
    else if (sscanf(argv[i], "jitter=%lld", &value) == 1) jitter_us = value;
    else if (sscanf(argv[i], "seed=%lld", &value) == 1) seed = value * 2654435761u + 1;
    else if (strcmp(argv[i], "garp=drop") == 0) no_garp = 1;
    else return fprintf(stderr, "wire: %s?\n", argv[i]), 2;
  }
  int port = open_port(argv[1]), tap = open_tap(argv[2]);
  puts("ready");
  fflush(stdout);
  struct pollfd fds[2] = {{.fd = port, .events = POLLIN}, {.fd = tap, .events = POLLIN}};
  for (;;) {
    struct timespec wait = {0}, *timeout = NULL;
    if (waiting > 0) {
      int64_t us = heap[0].due - now_us();
      if (us > 0) wait.tv_sec = us / 1000000, wait.tv_nsec = us % 1000000 * 1000;
      timeout = &wait;
    }
    if (ppoll(fds, 2, timeout, NULL) < 0 && errno != EINTR) die("poll");
    pass();
    if (fds[0].revents & POLLERR) {
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(port, SOL_SOCKET, SO_ERROR, &error, &size);
      /* The box went away with its device: so does its cable. */
      if (if_nametoindex(argv[1]) == 0) return 0;
    }
    if (fds[0].revents & POLLIN) take(port, tap);
    if (fds[1].revents & POLLIN) take(tap, port);
    pass();
  }
}
