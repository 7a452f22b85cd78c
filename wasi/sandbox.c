/* sandbox.c: from a guest's path to a folder and a name, or a descriptor, without ever leaving the folder that the path starts at.
 *
 * Two ways lead there. Where Linux has openat2, the kernel resolves with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS, in one step and
 * proof against anything that is renamed meanwhile. Elsewhere a path is walked component by component: each folder is opened relative
 * to the one before and without following links, links are read and their text is walked in turn, and `..` starts again from the
 * root with one name less, as the parent of an open folder may by now lie outside. Neither way ever hands a path with several
 * components, or a link, to a plain system call; the operations of path.c get a single name and do not follow it.
 *
 * A refused path is EPERM, as in other engines. Knows nothing of guest memory or rights.
 */
#include "wasi.h"

#include <string.h>

enum { LINKS_MAX = 40, KERNEL_TRIES = 32 };

/* A folder, opened to be walked through only. */
enum { FOLDER_FLAGS = OS_O_WALK | O_DIRECTORY | O_CLOEXEC };

#ifdef WASI_TEST_DEFENCES
/* What would happen without the guard: the kernel gets the guest's path. */
static wasi_errno_t refuse(struct mv_wasi *w, enum wasi_defence guard, int root, const char *path, struct wasi_place *out) {
  if (WASI_GUARD(w, guard)) return WASI_EPERM;
  *out = (struct wasi_place){.dir = root, .raw = true};
  strcpy(out->name, path);
  return 0;
}
#define REFUSE(w, guard, root, path, out) refuse((w), (guard), (root), (path), (out))
#define IS_RAW(place) ((place)->raw)
#else
#define REFUSE(w, guard, root, path, out) ((void)(w), (void)(root), (void)(path), WASI_EPERM)
#define IS_RAW(place) ((void)(place), 0)
#endif

int wasi_place_at(const struct mv_wasi *w, const struct wasi_place *place) {
  return IS_RAW(place) || !WASI_GUARD(w, WASI_GUARD_LAST) ? 0 : AT_SYMLINK_NOFOLLOW;
}

static int no_follow(const struct mv_wasi *w, enum wasi_defence guard) { return WASI_GUARD(w, guard) ? O_NOFOLLOW : 0; }

void wasi_place_fini(struct wasi_place *place) {
  if (place->owned) close(place->dir);
}

/* ---- text of paths ------------------------------------------------------------------------------------- */

/* The next component of *path, which moves behind it and the slashes that follow. `slash`: there were some. */
static size_t component(const char **path, const char **start, bool *slash) {
  size_t len;
  *path += strspn(*path, "/");
  *start = *path;
  len = strcspn(*path, "/");
  *path += len;
  *slash = **path == '/';
  *path += strspn(*path, "/");
  return len;
}

static bool is_name(const char *p, size_t len, const char *name) { return strlen(name) == len && memcmp(p, name, len) == 0; }

/* The contents of a link. ENOENT or EINVAL: it is none. */
static wasi_errno_t read_link(int dir, const char *name, char out[WASI_PATH_MAX]) {
  ssize_t n = readlinkat(dir, name, out, WASI_PATH_MAX);
  if (n < 0) return wasi_errno(errno);
  if (n == 0) return WASI_ENOENT;
  if (n >= WASI_PATH_MAX) return WASI_ENAMETOOLONG;
  out[n] = '\0';
  return 0;
}

/* out = head / tail */
static bool join(char out[WASI_PATH_MAX], const char *head, size_t head_len, const char *tail, bool slash) {
  size_t tail_len = strlen(tail);
  if (head_len + tail_len + 3 > WASI_PATH_MAX) return false;
  memmove(out + head_len + (head_len > 0), tail, tail_len);
  memmove(out, head, head_len);
  if (head_len > 0) out[head_len++] = '/';
  head_len += tail_len;
  if (slash) out[head_len++] = '/';
  out[head_len] = '\0';
  return true;
}

/* ---- the kernel's way ------------------------------------------------------------------------------------ */

/* EAGAIN: something was renamed again and again during the resolution, the other way must be taken. */
static wasi_errno_t kernel_open(struct mv_wasi *w, int root, const char *path, int flags, int *host) {
  bool beneath = WASI_GUARD(w, WASI_GUARD_ABSOLUTE) && WASI_GUARD(w, WASI_GUARD_DOTDOT) && WASI_GUARD(w, WASI_GUARD_LINK_ABSOLUTE) &&
                 WASI_GUARD(w, WASI_GUARD_MAGIC) && WASI_GUARD(w, WASI_GUARD_COMPONENT);
  int tries = 0;
  WASI_RACE(w, "component");
  do {
    *host = os_open_beneath(root, path, flags, 0666, beneath);
  } while (*host < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < KERNEL_TRIES)));
  if (*host >= 0) return 0;
  return errno == EXDEV ? WASI_EPERM : wasi_errno(errno);
}

static bool has_kernel(struct mv_wasi *w, int root) {
  if (w->resolver == WASI_RESOLVER_AUTO) {
    int fd = os_open_beneath(root, ".", FOLDER_FLAGS, 0, true);
    w->resolver = fd >= 0 ? WASI_RESOLVER_KERNEL : WASI_RESOLVER_WALK;
    if (fd >= 0) close(fd);
  }
  return w->resolver == WASI_RESOLVER_KERNEL;
}

/* Splits a path at its last component; `.` and `..` at the end belong to the folder. */
static wasi_errno_t kernel_parent(struct mv_wasi *w, int root, const char *path, struct wasi_place *out, size_t *parent_len) {
  char parent[WASI_PATH_MAX];
  const char *p = path, *start = path;
  size_t len = 0;
  *out = (struct wasi_place){.dir = root};
  while (*p) len = component(&p, &start, &out->slash);
  if (is_name(start, len, ".") || is_name(start, len, "..")) {
    start += len;
    strcpy(out->name, ".");
  } else {
    memcpy(out->name, start, len);
    out->name[len] = '\0';
  }
  *parent_len = (size_t)(start - path);
  if (*parent_len == 0) return 0;
  memcpy(parent, path, *parent_len);
  parent[*parent_len] = '\0';
  wasi_errno_t err = kernel_open(w, root, parent, FOLDER_FLAGS, &out->dir);
  out->owned = !err;
  return err;
}

static wasi_errno_t kernel_resolve(struct mv_wasi *w, int root, const char *path, bool follow, struct wasi_place *out) {
  char now[WASI_PATH_MAX], target[WASI_PATH_MAX];
  strcpy(now, path);
  for (int links = 0; links <= LINKS_MAX; links++) {
    size_t parent_len;
    wasi_errno_t err = kernel_parent(w, root, now, out, &parent_len);
    if (err || !follow) return err;
    err = read_link(out->dir, out->name, target);
    if (err == WASI_EINVAL || err == WASI_ENOENT) return 0;
    bool slash = out->slash;
    wasi_place_fini(out);
    if (err) return err;
    if (target[0] == '/') return REFUSE(w, WASI_GUARD_LINK_ABSOLUTE, root, path, out);
    if (!join(now, now, parent_len, target, slash)) return WASI_ENAMETOOLONG;
  }
  return WASI_ELOOP;
}

/* ---- the walk ------------------------------------------------------------------------------------------- */

struct walk {
  struct mv_wasi *wasi;
  int root, dir;            /* dir == root is not ours to close */
  int links;
  size_t real_len;
  char real[WASI_PATH_MAX]; /* the names from root to dir, none of them a link when it was passed */
  char rest[WASI_PATH_MAX]; /* what is still to be walked */
};

static void walk_to(struct walk *k, int dir) {
  if (k->dir != k->root) close(k->dir);
  k->dir = dir;
}

static int open_folder(struct walk *k, int dir, const char *name) {
  int fd;
  WASI_RACE(k->wasi, "component");
  do {
    fd = openat(dir, name, FOLDER_FLAGS | no_follow(k->wasi, WASI_GUARD_COMPONENT));
  } while (fd < 0 && errno == EINTR);
  return fd;
}

static wasi_errno_t descend(struct walk *k, const char *name, int fd) {
  if (!join(k->real, k->real, k->real_len, name, false)) {
    close(fd);
    return WASI_ENAMETOOLONG;
  }
  k->real_len = strlen(k->real);
  walk_to(k, fd);
  return 0;
}

/* To the parent, which is not opened as `..`: the folder may have been moved to where its parent is outside. */
static wasi_errno_t climb(struct walk *k) {
  char names[WASI_PATH_MAX], name[WASI_PATH_MAX];
  const char *p = names, *start;
  bool slash;
  while (k->real_len > 0 && k->real[k->real_len - 1] != '/') k->real_len--;
  if (k->real_len > 0) k->real_len--;
  k->real[k->real_len] = '\0';
  memcpy(names, k->real, k->real_len + 1);
  k->real_len = 0;
  walk_to(k, k->root);
  while (*p) {
    size_t len = component(&p, &start, &slash);
    memcpy(name, start, len);
    name[len] = '\0';
    int fd = open_folder(k, k->dir, name);
    if (fd < 0) return wasi_errno(errno);
    wasi_errno_t err = descend(k, name, fd);
    if (err) return err;
  }
  return 0;
}

/* Replaces a link by its contents. ENOENT or EINVAL: it is none. EPERM: it is absolute. */
static wasi_errno_t expand(struct walk *k, const char *name, const char *rest, bool slash) {
  char target[WASI_PATH_MAX], tail[WASI_PATH_MAX];
  wasi_errno_t err = read_link(k->dir, name, target);
  if (err) return err;
  if (target[0] == '/') return WASI_EPERM;
  if (++k->links > LINKS_MAX) return WASI_ELOOP;
  strcpy(tail, rest);
  if (!*tail) strcpy(tail, slash ? "." : "");
  if (!*tail) {
    strcpy(k->rest, target);
    return 0;
  }
  return join(k->rest, target, strlen(target), tail, false) ? 0 : WASI_ENAMETOOLONG;
}

/* One component on the way, not the last. */
static wasi_errno_t pass(struct walk *k, const char *name, const char *rest) {
  int fd = open_folder(k, k->dir, name), why = errno;
  if (fd >= 0) {
    wasi_errno_t err = descend(k, name, fd);
    if (!err) memmove(k->rest, rest, strlen(rest) + 1);
    return err;
  }
  if (why != ENOTDIR && why != ELOOP && why != EMLINK) return wasi_errno(why); /* what systems say of a link there */
  wasi_errno_t err = expand(k, name, rest, false);
  return err == WASI_EINVAL ? WASI_ENOTDIR : err;
}

/* Walks until a place is found or refused. */
static wasi_errno_t walk(struct walk *k, const char *path, bool follow, struct wasi_place *out) {
  for (;;) {
    const char *p = k->rest, *start;
    bool slash;
    size_t len = component(&p, &start, &slash);
    wasi_errno_t err;
    memcpy(out->name, start, len);
    out->name[len] = '\0';
    out->slash = slash && !*p;
    if (is_name(start, len, "..")) {
      if (k->real_len == 0) return REFUSE(k->wasi, WASI_GUARD_DOTDOT, k->root, path, out);
      err = climb(k);
      if (err) return err;
      strcpy(out->name, ".");
    }
    if (len == 0 || is_name(out->name, strlen(out->name), ".")) {
      strcpy(out->name, ".");
      if (!*p) return 0;
      memmove(k->rest, p, strlen(p) + 1);
      continue;
    }
    if (*p) {
      err = pass(k, out->name, p);
    } else {
      if (!follow) return 0;
      err = expand(k, out->name, "", slash);
      if (err == WASI_EINVAL || err == WASI_ENOENT) return 0;
    }
    if (err == WASI_EPERM) return REFUSE(k->wasi, WASI_GUARD_LINK_ABSOLUTE, k->root, path, out);
    if (err) return err;
  }
}

static wasi_errno_t walk_resolve(struct mv_wasi *w, int root, const char *path, bool follow, struct wasi_place *out) {
  struct walk k = {.wasi = w, .root = root, .dir = root};
  wasi_errno_t err;
  *out = (struct wasi_place){.dir = root};
  strcpy(k.rest, path);
  err = walk(&k, path, follow, out);
  if (err || IS_RAW(out)) {
    walk_to(&k, root);
    return err;
  }
  out->dir = k.dir;
  out->owned = k.dir != root;
  return 0;
}

/* ---- both ----------------------------------------------------------------------------------------------- */

wasi_errno_t wasi_resolve(struct mv_wasi *w, int root, const char *path, bool follow, struct wasi_place *out) {
  wasi_errno_t err = WASI_EAGAIN;
  if (path[0] == '/') return REFUSE(w, WASI_GUARD_ABSOLUTE, root, path, out);
  if (has_kernel(w, root)) err = kernel_resolve(w, root, path, follow, out);
  if (err == WASI_EAGAIN) err = walk_resolve(w, root, path, follow, out);
  if (!err) WASI_RACE(w, "last");
  return err;
}

static wasi_errno_t walk_open(struct mv_wasi *w, int root, const char *path, bool follow, int flags, int *host) {
  struct wasi_place place;
  wasi_errno_t err;
  if (flags & O_EXCL) follow = false; /* what must not exist is not followed */
  err = wasi_resolve(w, root, path, follow, &place);
  if (err) return err;
  if (place.slash && flags & O_CREAT) err = WASI_EISDIR; /* as the kernel has it: a file cannot be made under such a name */
  if (place.slash) flags |= O_DIRECTORY;
  if (!IS_RAW(&place) || !follow) flags |= no_follow(w, WASI_GUARD_LAST);
  while (!err && (*host = openat(place.dir, place.name, flags, 0666)) < 0)
    if (errno != EINTR) err = wasi_errno(errno == EMLINK ? ELOOP : errno);
  wasi_place_fini(&place);
  return err;
}

wasi_errno_t wasi_open_below(struct mv_wasi *w, int root, const char *path, bool follow, int flags, int *host) {
  wasi_errno_t err = WASI_EAGAIN;
  size_t len = strlen(path);
  follow |= path[len - 1] == '/';
  if (path[0] != '/' && has_kernel(w, root)) err = kernel_open(w, root, path, follow ? flags : flags | O_NOFOLLOW, host);
  return err == WASI_EAGAIN ? walk_open(w, root, path, follow, flags, host) : err;
}
