/* os_posix.c: os.h on other POSIX systems. */
#include "os.h"

#if !defined(__linux__)

int os_open_beneath(int dir, const char *path, int flags, mode_t mode, bool beneath) {
  (void)dir, (void)path, (void)flags, (void)mode, (void)beneath;
  errno = ENOSYS;
  return -1;
}

int os_wait(struct pollfd *fds, size_t count, uint64_t ns) {
  uint64_t ms = ns / 1000000u + (ns % 1000000u != 0);
  return poll(fds, (nfds_t)count, ms < INT_MAX ? (int)ms : INT_MAX);
}

bool os_random(void *buf, size_t size) {
  uint8_t *p = buf;
  int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  while (size > 0) {
    ssize_t n = read(fd, p, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    p += n;
    size -= (size_t)n;
  }
  close(fd);
  return size == 0;
}

#if defined(POSIX_FADV_NORMAL)
int os_allocate(int fd, off_t offset, off_t len) { return posix_fallocate(fd, offset, len); }

int os_advise(int fd, off_t offset, off_t len, unsigned advice) {
  static const uint8_t host[] = {POSIX_FADV_NORMAL, POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM, POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED, POSIX_FADV_NOREUSE};
  return posix_fadvise(fd, offset, len, host[advice]);
}
#else
int os_allocate(int fd, off_t offset, off_t len) {
  (void)fd, (void)offset, (void)len;
  return ENOTSUP;
}

int os_advise(int fd, off_t offset, off_t len, unsigned advice) {
  (void)fd, (void)offset, (void)len, (void)advice;
  return 0; /* advice may always be ignored */
}
#endif

int os_accept(int fd) {
  int conn = accept(fd, NULL, NULL);
  if (conn < 0) return -1;
  if (fcntl(conn, F_SETFD, FD_CLOEXEC) < 0 || fcntl(conn, F_SETFL, O_NONBLOCK) < 0) {
    close(conn);
    return -1;
  }
  return conn;
}

void os_stat_times(const struct stat *st, struct timespec out[3]) {
#if defined(__APPLE__)
  out[0] = st->st_atimespec;
  out[1] = st->st_mtimespec;
  out[2] = st->st_ctimespec;
#else
  out[0] = st->st_atim;
  out[1] = st->st_mtim;
  out[2] = st->st_ctim;
#endif
}

#else
typedef int os_posix_is_empty;
#endif
