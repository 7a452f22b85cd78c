/* fds.c: the table of descriptors: what a number stands for and what may be done with it.
 *
 * A right decides only what makes sense for the kind of file; for the rest the error says what is wrong with the kind, as POSIX would
 * (not a directory, illegal seek ...). See `rights` in typenames.witx.
 */
#include "wasi.h"

#include <stdlib.h>
#include <string.h>

enum {
  POSITION_RIGHTS = WASI_R_FD_SEEK | WASI_R_FD_TELL | WASI_R_FD_ADVISE,
  STREAM_RIGHTS = WASI_R_FD_READ | WASI_R_FD_WRITE | WASI_R_FD_FDSTAT_SET_FLAGS | WASI_R_FD_SYNC | WASI_R_FD_DATASYNC | WASI_R_FD_FILESTAT_GET |
                  WASI_R_POLL_FD_READWRITE,
  FILE_RIGHTS = STREAM_RIGHTS | POSITION_RIGHTS | WASI_R_FD_ALLOCATE | WASI_R_FD_FILESTAT_SET_SIZE | WASI_R_FD_FILESTAT_SET_TIMES,
  SOCKET_RIGHTS = WASI_R_SOCK_SHUTDOWN | WASI_R_SOCK_ACCEPT,
  PATH_RIGHTS = WASI_R_PATH_CREATE_DIRECTORY | WASI_R_PATH_CREATE_FILE | WASI_R_PATH_LINK_SOURCE | WASI_R_PATH_LINK_TARGET | WASI_R_PATH_OPEN |
                WASI_R_FD_READDIR | WASI_R_PATH_READLINK | WASI_R_PATH_RENAME_SOURCE | WASI_R_PATH_RENAME_TARGET | WASI_R_PATH_FILESTAT_GET |
                WASI_R_PATH_FILESTAT_SET_SIZE | WASI_R_PATH_FILESTAT_SET_TIMES | WASI_R_PATH_SYMLINK | WASI_R_PATH_REMOVE_DIRECTORY |
                WASI_R_PATH_UNLINK_FILE,
  FOLDER_RIGHTS = PATH_RIGHTS | WASI_R_FD_FDSTAT_SET_FLAGS | WASI_R_FD_SYNC | WASI_R_FD_DATASYNC | WASI_R_FD_FILESTAT_GET |
                  WASI_R_FD_FILESTAT_SET_TIMES
};

/* The rights that mean something for this kind of file. */
static uint64_t applicable(const struct wasi_entry *e) {
  switch (e->type) {
    case WASI_DIRECTORY: return FOLDER_RIGHTS;
    case WASI_REGULAR_FILE: return FILE_RIGHTS;
    case WASI_SOCKET_DGRAM:
    case WASI_SOCKET_STREAM: return STREAM_RIGHTS | SOCKET_RIGHTS;
    default: return e->seekable ? STREAM_RIGHTS | POSITION_RIGHTS : STREAM_RIGHTS;
  }
}

/* Why a file of this kind can never do what `need` names. */
static wasi_errno_t inapplicable(const struct wasi_entry *e, uint64_t need) {
  if (need & SOCKET_RIGHTS) return WASI_ENOTSOCK;
  if (need & PATH_RIGHTS) return WASI_ENOTDIR;
  if (e->type == WASI_DIRECTORY) return need & WASI_R_FD_READ ? WASI_EISDIR : WASI_EBADF;
  if (need & POSITION_RIGHTS) return WASI_ESPIPE;
  return WASI_EINVAL;
}

wasi_errno_t wasi_entry_allows(const struct mv_wasi *w, const struct wasi_entry *e, uint64_t need) {
  uint64_t have = e->base;
  if (need & ~applicable(e)) return inapplicable(e, need & ~applicable(e));
  if (have & WASI_R_FD_SEEK) have |= WASI_R_FD_TELL;
  need &= ~have;
  if (need == 0 || !WASI_GUARD(w, WASI_GUARD_RIGHTS)) return 0;
  if (need & e->withheld) return WASI_EPERM;
  if ((need & WASI_R_FD_READ && !(e->access & WASI_READABLE)) || (need & WASI_R_FD_WRITE && !(e->access & WASI_WRITABLE))) return WASI_EBADF;
  return WASI_ENOTCAPABLE;
}

struct wasi_entry *wasi_entry(struct mv_wasi *w, uint32_t fd) {
  return fd < w->fd_count && w->fds[fd].host >= 0 ? &w->fds[fd] : NULL;
}

static bool reserve(struct mv_wasi *w, uint32_t count) {
  uint32_t capacity = w->fd_capacity;
  struct wasi_entry *fds;
  if (count <= capacity) return true;
  while (capacity < count) {
    if (capacity > INT32_MAX / 2 / sizeof *fds) return false;
    capacity = capacity ? 2 * capacity : 8;
  }
  fds = realloc(w->fds, capacity * sizeof *fds);
  if (!fds) return false;
  w->fds = fds;
  w->fd_capacity = capacity;
  return true;
}

bool wasi_entry_add(struct mv_wasi *w, const struct wasi_entry *e, uint32_t from, uint32_t *fd) {
  uint32_t i = from;
  while (i < w->fd_count && w->fds[i].host >= 0) i++;
  if (i >= w->fd_count) {
    if (!reserve(w, i + 1)) return false;
    for (; w->fd_count <= i; w->fd_count++) w->fds[w->fd_count] = (struct wasi_entry){.host = -1};
  }
  w->fds[i] = *e;
  *fd = i;
  return true;
}

wasi_errno_t wasi_entry_close(struct mv_wasi *w, struct wasi_entry *e) {
  wasi_errno_t err = 0;
  if (e->host >= 0 && e->owned && close(e->host) < 0 && errno != EINTR) err = wasi_errno(errno);
  free(e->preopen);
  wasi_listing_delete(w, e->listing);
  *e = (struct wasi_entry){.host = -1};
  return err;
}

uint8_t wasi_filetype(mode_t mode) {
  if (S_ISREG(mode)) return WASI_REGULAR_FILE;
  if (S_ISDIR(mode)) return WASI_DIRECTORY;
  if (S_ISLNK(mode)) return WASI_SYMBOLIC_LINK;
  if (S_ISCHR(mode)) return WASI_CHARACTER_DEVICE;
  if (S_ISBLK(mode)) return WASI_BLOCK_DEVICE;
  if (S_ISSOCK(mode)) return WASI_SOCKET_STREAM;
  return WASI_UNKNOWN;
}

static uint8_t socket_type(int host) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(host, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM ? WASI_SOCKET_DGRAM : WASI_SOCKET_STREAM;
}

wasi_errno_t wasi_entry_describe(struct wasi_entry *e, int host, bool owned) {
  struct stat st;
  int flags = fcntl(host, F_GETFL);
  *e = (struct wasi_entry){.host = host, .owned = owned};
  if (flags < 0 || fstat(host, &st) < 0) return wasi_errno(errno);
  e->type = wasi_filetype(st.st_mode);
  if (S_ISSOCK(st.st_mode)) e->type = socket_type(host);
  /* A terminal can be told from other devices by the guest only by its not having a position. */
  e->seekable = lseek(host, 0, SEEK_CUR) >= 0 && !(e->type == WASI_CHARACTER_DEVICE && isatty(host));
  e->access = (flags & O_ACCMODE) == O_RDWR ? WASI_READABLE | WASI_WRITABLE : (flags & O_ACCMODE) == O_WRONLY ? WASI_WRITABLE : WASI_READABLE;
  e->flags = flags & O_APPEND ? WASI_APPEND : 0;
  e->base = applicable(e);
  e->inheriting = e->type == WASI_DIRECTORY ? (uint64_t)WASI_R_ALL : e->base;
  return 0;
}

wasi_errno_t wasi_wait(struct wasi_call *c, int host, short events, bool nonblock) {
  struct pollfd p = {.fd = host, .events = events};
  for (;;) {
    wasi_errno_t err = wasi_interrupted(c);
    if (err) return err;
    int n = os_wait(&p, 1, nonblock ? 0 : WASI_SLICE_NS);
    if (n > 0) return p.revents & POLLNVAL ? WASI_EBADF : 0;
    if (n < 0 && errno != EINTR) return wasi_errno(errno);
    if (n == 0 && nonblock) return WASI_EAGAIN;
  }
}
