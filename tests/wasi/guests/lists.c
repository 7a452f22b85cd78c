/* Lists of any length that fit into memory: a call ends soon, whatever they hold. */
#include <stdio.h>
#include <stdlib.h>
#include <wasi/api.h>

enum { MANY = 65536 };

#define CHECK(what, ok) printf("%s %s\n", what, (ok) ? "yes" : "no")

int main(void) {
  __wasi_subscription_t *subs = calloc(MANY + 1, sizeof *subs);
  __wasi_event_t *events = calloc(MANY + 1, sizeof *events);
  __wasi_ciovec_t *buffers = calloc(MANY + 1, sizeof *buffers);
  __wasi_size_t n = 0;
  if (!subs || !events || !buffers) return 1;
  for (int i = 0; i <= MANY; i++) subs[i].u.u.clock.id = __WASI_CLOCKID_MONOTONIC; /* a time that has passed */
  CHECK("poll many", __wasi_poll_oneoff(subs, events, MANY, &n) == 0 && n == MANY);
  CHECK("poll more", __wasi_poll_oneoff(subs, events, MANY + 1, &n) == __WASI_ERRNO_INVAL);
  buffers[MANY - 1] = buffers[MANY] = (__wasi_ciovec_t){(const uint8_t *)"last yes\n", 9};
  CHECK("write more", __wasi_fd_write(1, buffers, MANY + 1, &n) == __WASI_ERRNO_INVAL);
  fflush(stdout);
  return !(__wasi_fd_write(1, buffers, MANY, &n) == 0 && n == 9);
}
