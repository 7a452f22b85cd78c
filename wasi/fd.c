/* fd.c: the calls on one descriptor that neither read, write nor list: position, size, flags, rights, preopens. */
#include "guest.h"

#include <string.h>

wasi_errno_t wasi_fd_advise(struct wasi_call *c) {
  uint64_t offset = c->cells[1], len = c->cells[2];
  uint32_t advice = wasi_u32(c, 3);
  if (advice > 5 || offset > INT64_MAX || len > INT64_MAX) return WASI_EINVAL;
  return wasi_errno(os_advise(c->fd[0]->host, (off_t)offset, (off_t)len, advice));
}

wasi_errno_t wasi_fd_allocate(struct wasi_call *c) {
  uint64_t offset = c->cells[1], len = c->cells[2];
  int err;
  if (offset > INT64_MAX || len > INT64_MAX) return WASI_EINVAL;
  if (len > INT64_MAX - offset) return WASI_EFBIG;
  do {
    wasi_errno_t stop = wasi_interrupted(c);
    if (stop) return stop;
    err = os_allocate(c->fd[0]->host, (off_t)offset, (off_t)len);
  } while (err == EINTR);
  return wasi_errno(err);
}

wasi_errno_t wasi_fd_close(struct wasi_call *c) { return wasi_entry_close(c->wasi, c->fd[0]); }

wasi_errno_t wasi_fd_datasync(struct wasi_call *c) { return fdatasync(c->fd[0]->host) < 0 ? wasi_errno(errno) : 0; }

wasi_errno_t wasi_fd_sync(struct wasi_call *c) { return fsync(c->fd[0]->host) < 0 ? wasi_errno(errno) : 0; }

wasi_errno_t wasi_fd_fdstat_get(struct wasi_call *c) {
  const struct wasi_entry *e = c->fd[0];
  uint8_t *p = guest_span(c, wasi_u32(c, 1), 24, 8);
  if (!p) return WASI_TRAP;
  memset(p, 0, 24);
  p[0] = e->type;
  guest_store16(p + 2, e->flags);
  guest_store64(p + 8, e->base);
  guest_store64(p + 16, e->inheriting);
  return 0;
}

/* The synchronous modes are fixed when a file is opened, here as on the host. */
wasi_errno_t wasi_fd_fdstat_set_flags(struct wasi_call *c) {
  enum { CHANGEABLE = WASI_APPEND | WASI_NONBLOCK };
  struct wasi_entry *e = c->fd[0];
  uint32_t flags = wasi_u32(c, 1);
  if (flags & ~(uint32_t)WASI_FDFLAGS || flags & ~(uint32_t)(CHANGEABLE | e->flags)) return WASI_EINVAL;
  if ((flags ^ e->flags) & WASI_APPEND) {
    if (!e->owned) return WASI_EPERM; /* it is the mode of all who share the descriptor, and keeps what they wrote */
    int host = fcntl(e->host, F_GETFL);
    if (host < 0 || fcntl(e->host, F_SETFL, flags & WASI_APPEND ? host | O_APPEND : host & ~O_APPEND) < 0) return wasi_errno(errno);
  }
  e->flags = (uint16_t)((e->flags & (WASI_DSYNC | WASI_RSYNC | WASI_SYNC)) | (flags & CHANGEABLE));
  return 0;
}

wasi_errno_t wasi_fd_fdstat_set_rights(struct wasi_call *c) {
  struct wasi_entry *e = c->fd[0];
  uint64_t base = c->cells[1], inheriting = c->cells[2];
  if ((base & ~e->base || inheriting & ~e->inheriting) && WASI_GUARD(c->wasi, WASI_GUARD_GROW)) return WASI_ENOTCAPABLE;
  e->base = base;
  e->inheriting = inheriting;
  return 0;
}

wasi_errno_t wasi_fd_filestat_get(struct wasi_call *c) {
  struct stat st;
  if (fstat(c->fd[0]->host, &st) < 0) return wasi_errno(errno);
  return wasi_put_filestat(c, wasi_u32(c, 1), &st, c->fd[0]->type);
}

wasi_errno_t wasi_fd_filestat_set_size(struct wasi_call *c) {
  uint64_t size = c->cells[1];
  if (size > INT64_MAX) return WASI_EINVAL;
  return ftruncate(c->fd[0]->host, (off_t)size) < 0 ? wasi_errno(errno) : 0;
}

wasi_errno_t wasi_fd_filestat_set_times(struct wasi_call *c) {
  struct timespec times[2];
  wasi_errno_t err = wasi_times(c->cells[1], c->cells[2], wasi_u32(c, 3), times);
  if (err) return err;
  return futimens(c->fd[0]->host, times) < 0 ? wasi_errno(errno) : 0;
}

wasi_errno_t wasi_fd_prestat_get(struct wasi_call *c) {
  const char *name = c->fd[0]->preopen;
  uint8_t *p;
  if (!name) return WASI_EBADF;
  p = guest_span(c, wasi_u32(c, 1), 8, 4);
  if (!p) return WASI_TRAP;
  guest_store32(p, 0); /* the tag: a folder, the only kind there is */
  guest_store32(p + 4, (uint32_t)strlen(name));
  return 0;
}

wasi_errno_t wasi_fd_prestat_dir_name(struct wasi_call *c) {
  const char *name = c->fd[0]->preopen;
  size_t len;
  uint8_t *p;
  if (!name) return WASI_ENOTDIR;
  len = strlen(name);
  if (len > wasi_u32(c, 2)) return WASI_ENAMETOOLONG;
  p = guest_span(c, wasi_u32(c, 1), len, 1);
  if (!p) return WASI_TRAP;
  memcpy(p, name, len);
  return 0;
}

wasi_errno_t wasi_fd_renumber(struct wasi_call *c) {
  struct wasi_entry *from = c->fd[0], *to = c->fd[1];
  if (from == to) return 0;
  (void)wasi_entry_close(c->wasi, to); /* the number is replaced in any case */
  *to = *from;
  *from = (struct wasi_entry){.host = -1};
  return 0;
}

wasi_errno_t wasi_fd_seek(struct wasi_call *c) {
  /* wasi_unstable counts from the current position, the end, the start. */
  static const uint8_t now[] = {SEEK_SET, SEEK_CUR, SEEK_END}, unstable[] = {SEEK_CUR, SEEK_END, SEEK_SET};
  int64_t offset = (int64_t)c->cells[1];
  uint32_t whence = wasi_u32(c, 2);
  wasi_errno_t err;
  off_t at;
  if (whence > 2) return WASI_EINVAL;
  whence = c->binding->unstable ? unstable[whence] : now[whence];
  if (whence != SEEK_CUR || offset != 0) {
    err = wasi_entry_allows(c->wasi, c->fd[0], WASI_R_FD_SEEK);
    if (err) return err;
  }
  at = lseek(c->fd[0]->host, (off_t)offset, (int)whence);
  return at < 0 ? wasi_errno(errno) : guest_put64(c, wasi_u32(c, 3), (uint64_t)at);
}

wasi_errno_t wasi_fd_tell(struct wasi_call *c) {
  off_t at = lseek(c->fd[0]->host, 0, SEEK_CUR);
  return at < 0 ? wasi_errno(errno) : guest_put64(c, wasi_u32(c, 1), (uint64_t)at);
}
