/* os_linux.c: os.h on Linux. */
#include "os.h"

#if defined(__linux__)

#include <sys/random.h>
#include <sys/syscall.h>

#ifndef SYS_openat2
#define SYS_openat2 437 /* the same on every architecture that Linux has given a number to since */
#endif

/* struct open_how and the RESOLVE_ flags of <linux/openat2.h>, which older systems lack. */
struct how {
  uint64_t flags, mode, resolve;
};
enum { RESOLVE_MAGIC_OFF = 0x02, RESOLVE_ONLY_BENEATH = 0x08 };

int os_open_beneath(int dir, const char *path, int flags, mode_t mode, bool beneath) {
  struct how how = {0};
  if (!(flags & O_PATH)) flags |= O_LARGEFILE; /* what open() of a C library with 64-bit offsets would add */
  how.flags = (unsigned)flags;
  how.mode = flags & O_CREAT ? mode : 0;
  how.resolve = beneath ? RESOLVE_ONLY_BENEATH | RESOLVE_MAGIC_OFF : 0;
  return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

int os_wait(struct pollfd *fds, size_t count, uint64_t ns) {
  struct timespec t;
  t.tv_sec = (time_t)(ns / 1000000000u);
  t.tv_nsec = (long)(ns % 1000000000u);
  return ppoll(fds, (nfds_t)count, &t, NULL);
}

bool os_random(void *buf, size_t size) {
  uint8_t *p = buf;
  while (size > 0) {
    ssize_t n = getrandom(p, size < 1u << 20 ? size : 1u << 20, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    p += n;
    size -= (size_t)n;
  }
  return true;
}

int os_allocate(int fd, off_t offset, off_t len) { return posix_fallocate(fd, offset, len); }

int os_advise(int fd, off_t offset, off_t len, unsigned advice) {
  static const uint8_t host[] = {POSIX_FADV_NORMAL, POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM, POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED, POSIX_FADV_NOREUSE};
  return posix_fadvise(fd, offset, len, host[advice]);
}

int os_accept(int fd) { return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

void os_stat_times(const struct stat *st, struct timespec out[3]) {
  out[0] = st->st_atim;
  out[1] = st->st_mtim;
  out[2] = st->st_ctim;
}

#else
typedef int os_linux_is_empty;
#endif
