/* path.c: the calls on paths. Each resolves (sandbox.c) and then acts on one name in one folder, which is not followed. */
#include "guest.h"

#include <string.h>

/* A path argument at cell i of the call, resolved below a folder. */
static wasi_errno_t resolve(struct wasi_call *c, const struct wasi_entry *dir, unsigned i, bool follow, struct wasi_place *out) {
  char path[WASI_PATH_MAX];
  wasi_errno_t err = guest_path(c, wasi_u32(c, i), wasi_u32(c, i + 1), path);
  return err ? err : wasi_resolve(c->wasi, dir->host, path, follow, out);
}

/* As above for calls that look at what a path names: those follow a link before a slash. */
static wasi_errno_t resolve_existing(struct wasi_call *c, unsigned i, bool follow, struct wasi_place *out) {
  char path[WASI_PATH_MAX];
  wasi_errno_t err = guest_path(c, wasi_u32(c, i), wasi_u32(c, i + 1), path);
  return err ? err : wasi_resolve(c->wasi, c->fd[0]->host, path, follow || path[strlen(path) - 1] == '/', out);
}

static wasi_errno_t finish(struct wasi_place *place, int result) {
  wasi_errno_t err = result < 0 ? wasi_errno(errno) : 0;
  wasi_place_fini(place);
  return err;
}

/* Names with a slash behind never reach the kernel, which might follow them. 0: a folder. */
static wasi_errno_t check_folder(const struct mv_wasi *w, const struct wasi_place *place) {
  struct stat st;
  if (fstatat(place->dir, place->name, &st, wasi_place_at(w, place)) < 0) return wasi_errno(errno);
  return S_ISDIR(st.st_mode) ? 0 : WASI_ENOTDIR;
}

/* What a call that makes a new name, but not a folder, must say of one with a slash. */
static wasi_errno_t check_new(const struct mv_wasi *w, const struct wasi_place *place) {
  wasi_errno_t err;
  if (!place->slash) return 0;
  err = check_folder(w, place);
  return err == 0 || err == WASI_ENOTDIR ? WASI_EEXIST : err;
}

static bool known_lookup(uint32_t flags) { return (flags & ~(uint32_t)WASI_FOLLOW) == 0; }

wasi_errno_t wasi_path_create_directory(struct wasi_call *c) {
  struct wasi_place place;
  wasi_errno_t err = resolve(c, c->fd[0], 1, false, &place);
  return err ? err : finish(&place, mkdirat(place.dir, place.name, 0777));
}

wasi_errno_t wasi_path_filestat_get(struct wasi_call *c) {
  struct wasi_place place;
  struct stat st;
  wasi_errno_t err;
  if (!known_lookup(wasi_u32(c, 1))) return WASI_EINVAL;
  err = resolve_existing(c, 2, wasi_u32(c, 1) & WASI_FOLLOW, &place);
  if (err) return err;
  bool slash = place.slash;
  err = finish(&place, fstatat(place.dir, place.name, &st, wasi_place_at(c->wasi, &place)));
  if (!err && slash && !S_ISDIR(st.st_mode)) err = WASI_ENOTDIR;
  return err ? err : wasi_put_filestat(c, wasi_u32(c, 4), &st, wasi_filetype(st.st_mode));
}

wasi_errno_t wasi_path_filestat_set_times(struct wasi_call *c) {
  struct wasi_place place;
  struct timespec times[2];
  wasi_errno_t err;
  if (!known_lookup(wasi_u32(c, 1))) return WASI_EINVAL;
  err = wasi_times(c->cells[4], c->cells[5], wasi_u32(c, 6), times);
  if (!err) err = resolve_existing(c, 2, wasi_u32(c, 1) & WASI_FOLLOW, &place);
  if (err) return err;
  if (place.slash) err = check_folder(c->wasi, &place);
  if (err) {
    wasi_place_fini(&place);
    return err;
  }
  return finish(&place, utimensat(place.dir, place.name, times, wasi_place_at(c->wasi, &place)));
}

/* Following a link here would be a way to name files that no path of the guest can reach; other engines refuse it too. */
wasi_errno_t wasi_path_link(struct wasi_call *c) {
  struct wasi_place from, to;
  wasi_errno_t err;
  int flags = 0;
  if (!known_lookup(wasi_u32(c, 1))) return WASI_EINVAL;
  if (wasi_u32(c, 1) & WASI_FOLLOW) {
    if (WASI_GUARD(c->wasi, WASI_GUARD_LINK_FOLLOW)) return WASI_EINVAL;
    flags = AT_SYMLINK_FOLLOW;
  }
  err = resolve(c, c->fd[0], 2, false, &from);
  if (err) return err;
  err = resolve(c, c->fd[1], 5, false, &to);
  if (err) {
    wasi_place_fini(&from);
    return err;
  }
  if (from.slash) err = check_folder(c->wasi, &from);
  if (!err) err = check_new(c->wasi, &to);
  if (!err && linkat(from.dir, from.name, to.dir, to.name, flags) < 0) err = wasi_errno(errno);
  wasi_place_fini(&from);
  wasi_place_fini(&to);
  return err;
}

wasi_errno_t wasi_path_readlink(struct wasi_call *c) {
  char target[WASI_PATH_MAX];
  struct wasi_place place;
  uint32_t len = wasi_u32(c, 4);
  ssize_t n;
  wasi_errno_t err = resolve_existing(c, 1, false, &place);
  uint8_t *p;
  if (err) return err;
  n = readlinkat(place.dir, place.name, target, sizeof target);
  err = finish(&place, n < 0 ? -1 : 0);
  if (err) return err;
  if ((uint32_t)n < len) len = (uint32_t)n;
  p = guest_span(c, wasi_u32(c, 3), len, 1);
  if (!p) return WASI_TRAP;
  memcpy(p, target, len);
  return guest_put32(c, wasi_u32(c, 5), len);
}

wasi_errno_t wasi_path_remove_directory(struct wasi_call *c) {
  struct wasi_place place;
  wasi_errno_t err = resolve(c, c->fd[0], 1, false, &place);
  if (err) return err;
  err = finish(&place, unlinkat(place.dir, place.name, AT_REMOVEDIR));
  return err == WASI_EEXIST ? WASI_ENOTEMPTY : err; /* POSIX allows either */
}

wasi_errno_t wasi_path_rename(struct wasi_call *c) {
  struct wasi_place from, to;
  wasi_errno_t err = resolve(c, c->fd[0], 1, false, &from);
  if (err) return err;
  err = resolve(c, c->fd[1], 4, false, &to);
  if (err) {
    wasi_place_fini(&from);
    return err;
  }
  if (from.slash || to.slash) err = check_folder(c->wasi, &from);
  if (!err && renameat(from.dir, from.name, to.dir, to.name) < 0) err = wasi_errno(errno == EEXIST ? ENOTEMPTY : errno);
  wasi_place_fini(&from);
  wasi_place_fini(&to);
  return err;
}

/* Relative contents may point anywhere: they are checked when they are followed. Absolute ones never could be, and would mislead host
 * programs that come across them. */
wasi_errno_t wasi_path_symlink(struct wasi_call *c) {
  char target[WASI_PATH_MAX];
  struct wasi_place place;
  wasi_errno_t err = guest_path(c, wasi_u32(c, 0), wasi_u32(c, 1), target);
  if (err) return err;
  if (target[0] == '/' && WASI_GUARD(c->wasi, WASI_GUARD_SYMLINK)) return WASI_EPERM;
  err = resolve(c, c->fd[0], 3, false, &place);
  if (err) return err;
  err = check_new(c->wasi, &place);
  if (!err && symlinkat(target, place.dir, place.name) < 0) err = wasi_errno(errno);
  wasi_place_fini(&place);
  return err;
}

wasi_errno_t wasi_path_unlink_file(struct wasi_call *c) {
  struct wasi_place place;
  struct stat st;
  wasi_errno_t err = resolve(c, c->fd[0], 1, false, &place);
  if (err) return err;
  if (place.slash) {
    err = check_folder(c->wasi, &place);
    if (!err) err = WASI_EISDIR;
  }
  if (!err && unlinkat(place.dir, place.name, 0) < 0) {
    err = wasi_errno(errno);
    /* POSIX lets the host say EPERM of a folder. */
    if (err == WASI_EPERM && fstatat(place.dir, place.name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) err = WASI_EISDIR;
  }
  wasi_place_fini(&place);
  return err;
}

/* ---- path_open ------------------------------------------------------------------------------------------- */

/* What the arguments ask of the folder's own and of its inheriting rights. */
static wasi_errno_t check_rights(const struct wasi_call *c, uint32_t oflags, uint64_t base, uint64_t inheriting, uint32_t fdflags) {
  const struct wasi_entry *dir = c->fd[0];
  const uint64_t cut = WASI_R_FD_WRITE | WASI_R_FD_FILESTAT_SET_SIZE; /* who gets these could truncate next: Go asks for no more */
  uint64_t here = 0, below = base | inheriting, missing;
  if (oflags & WASI_CREAT) here |= WASI_R_PATH_CREATE_FILE;
  if (oflags & WASI_TRUNC && (base & cut & ~dir->withheld) != cut) here |= WASI_R_PATH_FILESTAT_SET_SIZE;
  if (fdflags & WASI_DSYNC) below |= WASI_R_FD_DATASYNC;
  if (fdflags & (WASI_RSYNC | WASI_SYNC)) below |= WASI_R_FD_SYNC;
  if (base & dir->withheld & WASI_R_FD_WRITE) return WASI_EPERM;
  missing = below & ~dir->inheriting; /* what else is withheld is left out without a word: programs ask for all there is */
  if (missing && WASI_GUARD(c->wasi, WASI_GUARD_INHERIT)) return WASI_ENOTCAPABLE;
  return wasi_entry_allows(c->wasi, dir, here);
}

static int open_flags(uint32_t oflags, uint64_t base, uint32_t fdflags) {
  bool read = base & WASI_R_FD_READ, write = base & WASI_R_FD_WRITE;
  int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  if (write) flags |= read ? O_RDWR : O_WRONLY;
  else flags |= oflags & WASI_TRUNC ? O_RDWR : O_RDONLY;
  if (oflags & WASI_CREAT) flags |= O_CREAT;
  if (oflags & WASI_EXCL) flags |= O_EXCL;
  if (oflags & WASI_TRUNC) flags |= O_TRUNC;
  if (oflags & WASI_ODIRECTORY) flags |= O_DIRECTORY;
  if (fdflags & WASI_APPEND) flags |= O_APPEND;
  if (fdflags & WASI_DSYNC) flags |= O_DSYNC;
  if (fdflags & WASI_RSYNC) flags |= O_RSYNC;
  if (fdflags & WASI_SYNC) flags |= O_SYNC;
  return flags;
}

/* Does ENXIO mean a named pipe that nobody reads yet? */
static bool is_fifo(struct wasi_call *c, const char *path, bool follow) {
  struct wasi_place place;
  struct stat st;
  if (wasi_resolve(c->wasi, c->fd[0]->host, path, follow, &place)) return false;
  return !finish(&place, fstatat(place.dir, place.name, &st, wasi_place_at(c->wasi, &place))) && S_ISFIFO(st.st_mode);
}

static wasi_errno_t open_path(struct wasi_call *c, const char *path, bool follow, int flags, bool nonblock, int *host) {
  for (;;) {
    wasi_errno_t err = wasi_open_below(c->wasi, c->fd[0]->host, path, follow, flags, host);
    if (err != WASI_ENXIO || nonblock || !(flags & O_WRONLY) || !is_fifo(c, path, follow)) return err;
    err = wasi_interrupted(c);
    if (err) return err;
    (void)os_wait(NULL, 0, WASI_SLICE_NS);
  }
}

wasi_errno_t wasi_path_open(struct wasi_call *c) {
  uint32_t lookup = wasi_u32(c, 1), oflags = wasi_u32(c, 4), fdflags = wasi_u32(c, 7), fd;
  uint64_t base = c->cells[5], inheriting = c->cells[6], withheld = c->fd[0]->withheld;
  char path[WASI_PATH_MAX];
  struct wasi_entry e;
  int host;
  wasi_errno_t err;
  if (!known_lookup(lookup) || oflags & ~(uint32_t)WASI_OFLAGS || fdflags & ~(uint32_t)WASI_FDFLAGS || (base | inheriting) & ~(uint64_t)WASI_R_ALL)
    return WASI_EINVAL;
  err = guest_path(c, wasi_u32(c, 2), wasi_u32(c, 3), path);
  if (!err && oflags & WASI_ODIRECTORY && oflags & ~(uint32_t)WASI_ODIRECTORY) err = WASI_EINVAL;
  if (!err) err = check_rights(c, oflags, base, inheriting, fdflags);
  if (!err) err = open_path(c, path, lookup & WASI_FOLLOW, open_flags(oflags, base, fdflags), fdflags & WASI_NONBLOCK, &host);
  if (err) return err;
  err = wasi_entry_describe(&e, host, true);
  e.flags = (uint16_t)fdflags;
  e.access = (uint8_t)((base & WASI_R_FD_READ ? WASI_READABLE : 0) | (base & WASI_R_FD_WRITE ? WASI_WRITABLE : 0));
  e.withheld = withheld;
  e.base &= base & ~withheld;
  e.inheriting = inheriting;
  if (!err && !wasi_entry_add(c->wasi, &e, 0, &fd)) err = WASI_ENOMEM;
  if (err) {
    close(host);
    return err;
  }
  return guest_put32(c, wasi_u32(c, 8), fd);
}
