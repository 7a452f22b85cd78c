/* clock.c: clock_res_get, clock_time_get. */
#include "guest.h"

bool wasi_clock(uint32_t id, clockid_t *out) {
  switch (id) {
    case 0: *out = CLOCK_REALTIME; return true;
    case 1: *out = CLOCK_MONOTONIC; return true;
    case 2: *out = CLOCK_PROCESS_CPUTIME_ID; return true;
    case 3: *out = CLOCK_THREAD_CPUTIME_ID; return true;
    default: return false;
  }
}

/* Times before 1970 and after 2554 do not fit a WASI timestamp. */
uint64_t wasi_nanoseconds(const struct timespec *t) {
  if (t->tv_sec < 0) return 0;
  if ((uint64_t)t->tv_sec >= UINT64_MAX / 1000000000u) return UINT64_MAX;
  return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

uint64_t wasi_now(clockid_t clock) {
  struct timespec t = {0};
  (void)clock_gettime(clock, &t); /* clocks of wasi_clock exist */
  return wasi_nanoseconds(&t);
}

wasi_errno_t wasi_clock_res_get(struct wasi_call *c) {
  clockid_t clock;
  struct timespec t;
  uint64_t ns;
  if (!wasi_clock(wasi_u32(c, 0), &clock)) return WASI_EINVAL;
  if (clock_getres(clock, &t) < 0) return wasi_errno(errno);
  ns = wasi_nanoseconds(&t);
  return guest_put64(c, wasi_u32(c, 1), ns ? ns : 1);
}

wasi_errno_t wasi_clock_time_get(struct wasi_call *c) {
  clockid_t clock;
  if (!wasi_clock(wasi_u32(c, 0), &clock)) return WASI_EINVAL;
  return guest_put64(c, wasi_u32(c, 2), wasi_now(clock));
}
