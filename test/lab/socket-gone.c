/*
 * Makes the service's UDP socket of a running process deaf: the process keeps it and learns nothing,
 * every datagram to it is answered "port unreachable". The socket is borrowed (pidfd_getfd) and
 * connected to an address where nobody is; unconnected, it hears again.
 *
 *     socket-gone PID ADDRESS PORT gone|back
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_service(int fd, const struct sockaddr_in *wanted) {
  struct sockaddr_in own;
  socklen_t size = sizeof own;
  int type = 0;
  socklen_t type_size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) < 0 || type != SOCK_DGRAM) return 0;
  if (getsockname(fd, (struct sockaddr *)&own, &size) < 0 || own.sin_family != AF_INET) return 0;
  return own.sin_port == wanted->sin_port && own.sin_addr.s_addr == wanted->sin_addr.s_addr;
}

int main(int argc, char **argv) {
  if (argc != 5) return fprintf(stderr, "socket-gone PID ADDRESS PORT gone|back\n"), 2;
  struct sockaddr_in wanted = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[3]))};
  if (inet_pton(AF_INET, argv[2], &wanted.sin_addr) != 1) return fprintf(stderr, "address?\n"), 2;
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/fd", argv[1]);
  DIR *all = opendir(path);
  int process = syscall(SYS_pidfd_open, atoi(argv[1]), 0), found = 0;
  if (all == NULL || process < 0) return perror("socket-gone: process"), 1;
  for (struct dirent *one; (one = readdir(all)) != NULL;) {
    if (one->d_name[0] == '.') continue;
    int fd = syscall(SYS_pidfd_getfd, process, atoi(one->d_name), 0);
    if (fd < 0) continue;
    if (is_service(fd, &wanted)) {
      struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_port = htons(9)};
      inet_pton(AF_INET, "127.0.0.9", &nobody.sin_addr);
      struct sockaddr nothing = {.sa_family = AF_UNSPEC};
      int gone = strcmp(argv[4], "gone") == 0;
      /* A backup has the socket before it has the address: only a transparent one may connect then. */
      int on = 1, off = 0;
      setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on);
      int failed = gone ? connect(fd, (struct sockaddr *)&nobody, sizeof nobody)
                        : connect(fd, &nothing, sizeof nothing);
      setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &off, sizeof off);
      if (failed < 0) return perror("socket-gone: connect"), 1;
      found++;
    }
    close(fd);
  }
  if (found == 0) return fprintf(stderr, "socket-gone: no such socket\n"), 1;
  printf("%d\n", found);
  return 0;
}
