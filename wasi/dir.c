/* dir.c: fd_readdir.
 *
 * The folder is read whole when a guest starts at its beginning (cookie 0), and kept with the descriptor as the guest will see it: entries
 * of dirent and name, one after the other. A cookie is the number of an entry, so that it stays valid whatever happens to the folder
 * in between: no entry is seen twice or skipped. `.` and `..` come first, the latter with the folder's own inode number, as what lies
 * above is not the guest's business.
 */
#include "guest.h"

#include <stdlib.h>
#include <string.h>

enum { DIRENT = 24 };

/* Listings of one program may not take more of the host's memory than this. */
#define LISTINGS_MAX (UINT64_C(256) << 20)

struct wasi_listing {
  uint8_t *bytes;
  size_t size, capacity;
  uint64_t count;
  uint64_t last;      /* an entry that was asked for, and where it begins: reading usually goes on there */
  size_t last_offset;
};

void wasi_listing_delete(struct mv_wasi *w, struct wasi_listing *l) {
  if (!l) return;
  w->listed -= l->capacity;
  free(l->bytes);
  free(l);
}

static bool reserve(struct mv_wasi *w, struct wasi_listing *l, size_t more) {
  size_t capacity = l->capacity ? l->capacity : 1024;
  uint8_t *bytes;
  while (capacity - l->size < more) {
    if (capacity > LISTINGS_MAX) return false;
    capacity *= 2;
  }
  if (capacity == l->capacity) return true;
  if (w->listed - l->capacity + capacity > LISTINGS_MAX) return false;
  bytes = realloc(l->bytes, capacity);
  if (!bytes) return false;
  w->listed += capacity - l->capacity;
  l->bytes = bytes;
  l->capacity = capacity;
  return true;
}

static bool append(struct mv_wasi *w, struct wasi_listing *l, const char *name, uint64_t inode, uint8_t type) {
  size_t len = strlen(name);
  uint8_t *p;
  if (!reserve(w, l, DIRENT + len)) return false;
  p = l->bytes + l->size;
  memset(p, 0, DIRENT);
  guest_store64(p, ++l->count); /* the cookie of the entry after this one */
  guest_store64(p + 8, inode);
  guest_store32(p + 16, (uint32_t)len);
  p[20] = type;
  memcpy(p + DIRENT, name, len);
  l->size += DIRENT + len;
  return true;
}

static uint8_t entry_type(int dir, const struct dirent *d) {
  struct stat st;
  switch (OS_DIRENT_TYPE(d)) {
    case DT_REG: return WASI_REGULAR_FILE;
    case DT_DIR: return WASI_DIRECTORY;
    case DT_LNK: return WASI_SYMBOLIC_LINK;
    case DT_CHR: return WASI_CHARACTER_DEVICE;
    case DT_BLK: return WASI_BLOCK_DEVICE;
    case DT_SOCK: return WASI_SOCKET_STREAM;
    default: return fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? WASI_UNKNOWN : wasi_filetype(st.st_mode);
  }
}

static wasi_errno_t fill(struct mv_wasi *w, struct wasi_listing *l, DIR *dir, uint64_t inode) {
  if (!append(w, l, ".", inode, WASI_DIRECTORY) || !append(w, l, "..", inode, WASI_DIRECTORY)) return WASI_ENOMEM;
  for (;;) {
    errno = 0;
    const struct dirent *d = readdir(dir);
    if (!d) return wasi_errno(errno);
    if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) continue;
    if (!append(w, l, d->d_name, (uint64_t)d->d_ino, entry_type(dirfd(dir), d))) return WASI_ENOMEM;
  }
}

/* Reads the folder anew, through a descriptor of its own as reading moves a position. */
static wasi_errno_t list(struct mv_wasi *w, int host, struct wasi_listing *l) {
  struct stat st;
  wasi_errno_t err;
  int fd = openat(host, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return wasi_errno(errno);
  DIR *dir = fstat(fd, &st) == 0 ? fdopendir(fd) : NULL;
  if (!dir) {
    err = wasi_errno(errno);
    close(fd);
    return err;
  }
  err = fill(w, l, dir, (uint64_t)st.st_ino);
  closedir(dir);
  return err;
}

static wasi_errno_t listing(struct mv_wasi *w, struct wasi_entry *e, uint64_t cookie) {
  wasi_errno_t err;
  if (e->listing && cookie > 0) return 0;
  wasi_listing_delete(w, e->listing);
  e->listing = calloc(1, sizeof *e->listing);
  if (!e->listing) return WASI_ENOMEM;
  err = list(w, e->host, e->listing);
  if (err) {
    wasi_listing_delete(w, e->listing);
    e->listing = NULL;
  }
  return err;
}

/* Where the entry begins that a cookie names; the end if there is none. */
static size_t find(struct wasi_listing *l, uint64_t cookie) {
  uint64_t i = cookie < l->last ? 0 : l->last;
  size_t at = cookie < l->last ? 0 : l->last_offset;
  if (cookie >= l->count) return l->size;
  for (; i < cookie; i++) at += DIRENT + guest_load32(l->bytes + at + 16);
  l->last = cookie;
  l->last_offset = at;
  return at;
}

wasi_errno_t wasi_fd_readdir(struct wasi_call *c) {
  struct wasi_entry *e = c->fd[0];
  uint32_t len = wasi_u32(c, 2);
  uint64_t cookie = c->cells[3];
  wasi_errno_t err = listing(c->wasi, e, cookie);
  size_t at;
  uint8_t *p;
  if (err) return err;
  at = find(e->listing, cookie);
  if (e->listing->size - at < len) len = (uint32_t)(e->listing->size - at);
  p = guest_span(c, wasi_u32(c, 1), len, 1);
  if (!p) return WASI_TRAP;
  if (len > 0) memcpy(p, e->listing->bytes + at, len); /* the last entry may be cut: the guest comes again with its cookie */
  return guest_put32(c, wasi_u32(c, 4), len);
}
