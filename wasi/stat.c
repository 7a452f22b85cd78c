/* stat.c: file status and times in WASI's layouts. */
#include "guest.h"

#include <string.h>

enum { ATIM = 1, ATIM_NOW = 2, MTIM = 4, MTIM_NOW = 8, FSTFLAGS = 15 };

/* wasi_unstable has a 32-bit link count, so that what follows it lies 8 bytes earlier. */
wasi_errno_t wasi_put_filestat(struct wasi_call *c, uint32_t ptr, const struct stat *st, uint8_t type) {
  uint32_t size = c->binding->unstable ? 56 : 64;
  struct timespec times[3];
  uint8_t *p = guest_span(c, ptr, size, 8);
  if (!p) return WASI_TRAP;
  memset(p, 0, size);
  guest_store64(p, (uint64_t)st->st_dev);
  guest_store64(p + 8, (uint64_t)st->st_ino);
  p[16] = type;
  if (c->binding->unstable) guest_store32(p + 20, (uint32_t)st->st_nlink);
  else guest_store64(p + 24, (uint64_t)st->st_nlink);
  p += size - 32;
  guest_store64(p, (uint64_t)st->st_size);
  os_stat_times(st, times);
  for (int i = 0; i < 3; i++) guest_store64(p + 8 + 8 * i, wasi_nanoseconds(&times[i]));
  return 0;
}

static bool set_time(uint64_t ns, bool set, bool now, struct timespec *out) {
  out->tv_sec = set ? (time_t)(ns / 1000000000u) : 0;
  out->tv_nsec = set ? (long)(ns % 1000000000u) : now ? UTIME_NOW : UTIME_OMIT;
  return !set || (uint64_t)out->tv_sec == ns / 1000000000u;
}

wasi_errno_t wasi_times(uint64_t atim, uint64_t mtim, uint32_t flags, struct timespec out[2]) {
  if (flags & ~(uint32_t)FSTFLAGS || (flags & ATIM && flags & ATIM_NOW) || (flags & MTIM && flags & MTIM_NOW)) return WASI_EINVAL;
  if (!set_time(atim, flags & ATIM, flags & ATIM_NOW, &out[0])) return WASI_EOVERFLOW;
  if (!set_time(mtim, flags & MTIM, flags & MTIM_NOW, &out[1])) return WASI_EOVERFLOW;
  return 0;
}
