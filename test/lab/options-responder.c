/*
 * The smallest SIP server there is: answers every OPTIONS with 200. It is the service behind the
 * peer in the outage figures (keepalived moves an address; something must answer at it).
 *
 *     options-responder ADDRESS PORT        the address need not be there yet
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Copies the header line that begins with `name` to `to`; gives how long it was. */
static size_t copy(char *to, const char *text, const char *name) {
  const char *at = strstr(text, name);
  const char *end = at == NULL ? NULL : strstr(at + 2, "\r\n");
  if (end == NULL) return 0;
  memcpy(to, at + 2, end - at);
  return end - at;
}

int main(int argc, char **argv) {
  if (argc != 3) return fprintf(stderr, "options-responder ADDRESS PORT\n"), 2;
  static const char *const headers[] = {"\r\nVia:", "\r\nFrom:", "\r\nTo:", "\r\nCall-ID:", "\r\nCSeq:"};
  int s = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
  inet_pton(AF_INET, argv[1], &own.sin_addr);
  setsockopt(s, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
  if (s < 0 || bind(s, (struct sockaddr *)&own, sizeof own) < 0) return perror("options-responder"), 1;
  for (;;) {
    char in[4096], out[6000];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(s, in, sizeof in - 1, 0, (struct sockaddr *)&from, &size);
    if (n < 8 || memcmp(in, "OPTIONS ", 8) != 0) continue;
    in[n] = 0;
    size_t length = sprintf(out, "SIP/2.0 200 OK\r\n");
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) length += copy(out + length, in, headers[i]);
    length += sprintf(out + length, "Content-Length: 0\r\n\r\n");
    sendto(s, out, length, 0, (struct sockaddr *)&from, size);
  }
}
