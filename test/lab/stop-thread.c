/*
 * Stops one thread of a process and nothing else of it, as a program does that hangs in a loop or a
 * system call. SIGSTOP would stop all of them. The thread goes on when this process ends.
 *
 *     stop-thread TID          says "stopped", ends by SIGTERM or when the thread does
 */

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static volatile sig_atomic_t ending;

static void end(int signal) {
  (void)signal;
  ending = 1;
}

static int fail(const char *what) {
  fprintf(stderr, "stop-thread: %s: %s\n", what, strerror(errno));
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 2) return fprintf(stderr, "stop-thread TID\n"), 2;
  pid_t tid = atoi(argv[1]);
  /* No SA_RESTART: the signal shall end the wait. */
  struct sigaction on_end = {.sa_handler = end};
  sigaction(SIGTERM, &on_end, NULL);
  sigaction(SIGINT, &on_end, NULL);
  if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0) return fail("seize");
  if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0) return fail("interrupt");
  int told = 0, status;
  while (!ending) {
    pid_t seen = waitpid(tid, &status, __WALL);
    if (seen < 0 && errno == EINTR) continue;
    /* A thread that ended must be waited for, or its process would not end either. */
    if (seen < 0 || WIFEXITED(status) || WIFSIGNALED(status)) return 0;
    if (!WIFSTOPPED(status) || told) continue;
    told = 1;
    puts("stopped");
    fflush(stdout);
  }
  ptrace(PTRACE_DETACH, tid, NULL, NULL);
  return 0;
}
