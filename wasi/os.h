/* os.h: the host as the calls see it: POSIX, and behind a few functions what differs between systems.
 *
 * The first include of every file in wasi/, as it asks the C library for 64-bit file offsets and times. The only header here with
 * conditions on the host; os_linux.c and os_posix.c hold the two versions of the functions. Knows nothing of WASI.
 */
#ifndef WASI_OS_H
#define WASI_OS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
#if !defined(_TIME_BITS) && _FILE_OFFSET_BITS == 64
#define _TIME_BITS 64
#endif
#ifndef _DARWIN_C_SOURCE
#define _DARWIN_C_SOURCE
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* How to open a folder that is only walked through: needs no read permission where the host can say so. */
#if defined(O_PATH)
#define OS_O_WALK O_PATH
#elif defined(O_SEARCH)
#define OS_O_WALK O_SEARCH
#else
#define OS_O_WALK O_RDONLY
#endif

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif
#ifndef O_DSYNC
#define O_DSYNC O_SYNC
#endif
#ifndef O_RSYNC
#define O_RSYNC O_SYNC
#endif

#ifndef O_LARGEFILE
#define O_LARGEFILE 0
#endif

/* What a pipe that polls as writable takes without blocking. */
#ifdef PIPE_BUF
#define OS_PIPE_BUF PIPE_BUF
#else
#define OS_PIPE_BUF _POSIX_PIPE_BUF
#endif

#if defined(_DIRENT_HAVE_D_TYPE) || defined(DT_UNKNOWN)
#define OS_DIRENT_TYPE(d) ((d)->d_type)
#else
#define OS_DIRENT_TYPE(d) 0
#endif

/* An errno value without the second names that some systems have for one thing. */
static inline int os_errno(int host) {
#if EWOULDBLOCK != EAGAIN
  if (host == EWOULDBLOCK) return EAGAIN;
#endif
#if EOPNOTSUPP != ENOTSUP
  if (host == EOPNOTSUPP) return ENOTSUP;
#endif
  return host;
}

/* Opens `path` below `dir` with the whole resolution done by the kernel, which never leaves `dir` nor follows magic links when
 * `beneath`. -1 with errno EXDEV for an attempt to leave, ENOSYS where the host cannot do this. */
int os_open_beneath(int dir, const char *path, int flags, mode_t mode, bool beneath);

/* poll(2) with a time limit in nanoseconds. */
int os_wait(struct pollfd *fds, size_t count, uint64_t ns);

/* Fills a buffer with random bytes fit for keys. */
bool os_random(void *buf, size_t size);

/* posix_fallocate and posix_fadvise: an errno value, 0 for success. `advice` is WASI's: normal, sequential, random, willneed,
 * dontneed, noreuse. */
int os_allocate(int fd, off_t offset, off_t len);
int os_advise(int fd, off_t offset, off_t len, unsigned advice);

/* accept(2) giving a descriptor that is closed on exec and does not block. */
int os_accept(int fd);

/* Times of access, modification and status change. */
void os_stat_times(const struct stat *, struct timespec out[3]);

#endif
