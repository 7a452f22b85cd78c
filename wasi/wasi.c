/* wasi.c: what the embedder sees of WASI (include/minivm.h), and the dispatch of calls by the rows of abi.def. */
#include "guest.h"

#include <stdlib.h>
#include <string.h>

/* Text as arrays, not pointers: the table needs no relocation. The names of rights in a row are those of rights.def. */
enum {
#define WASI_RIGHT(name) name = WASI_R_##name,
#include "rights.def"
#undef WASI_RIGHT
  NO_RIGHT
};

static const struct wasi_row rows[WASI_CALLS] = {
#define WASI_CALL(name, sig, args, right, right2) {#name, sig, args, right, right2},
#include "abi.def"
#undef WASI_CALL
};

const struct wasi_row *wasi_row(unsigned id) { return &rows[id]; }

unsigned wasi_word_cells(const char *word, size_t len) {
  static const char wide[][6] = {"path", "iovs", "ciovs", "buf", "out"};
  for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
    if (strlen(wide[i]) == len && memcmp(word, wide[i], len) == 0) return 2;
  return 1;
}

wasi_errno_t wasi_errno(int host) {
  switch (os_errno(host)) {
    case 0: return WASI_ESUCCESS;
#define WASI_ERRNO(name) \
  case E##name: return WASI_E##name;
#include "errno.def"
#undef WASI_ERRNO
    default: return WASI_EIO;
  }
}

/* ---- calls ----------------------------------------------------------------------------------------------- */

wasi_errno_t wasi_trap(struct wasi_call *c, const char *what, uint64_t a, uint64_t b) {
  char text[128];
  (void)snprintf(text, sizeof text, what, (unsigned long long)a, (unsigned long long)b);
  (void)mv_throw_trap(c->caller, "wasi %s: %s", rows[c->binding->id].name, text);
  return WASI_TRAP;
}

wasi_errno_t wasi_interrupted(struct wasi_call *c) {
  if (!mv_caller_interrupted(c->caller)) return 0;
  (void)mv_throw(c->caller, MV_INTERRUPTED, "interrupted in wasi %s", rows[c->binding->id].name);
  return WASI_TRAP;
}

/* Looks up the descriptors of a call and checks that they are of the right kind and may do it. */
static wasi_errno_t prepare(struct wasi_call *c) {
  const struct wasi_binding *b = c->binding;
  const uint32_t need[2] = {rows[b->id].right, rows[b->id].right2};
  for (unsigned i = 0; i < b->fds; i++) {
    c->fd[i] = wasi_entry(c->wasi, wasi_u32(c, b->fd_cell[i]));
    if (!c->fd[i]) return WASI_EBADF;
  }
  for (unsigned i = 0; i < b->fds; i++) {
    wasi_errno_t err;
    if (b->fd_kind[i] == 'd' && c->fd[i]->type != WASI_DIRECTORY) return WASI_ENOTDIR;
    if (b->fd_kind[i] == 's' && !wasi_is_socket(c->fd[i])) return WASI_ENOTSOCK;
    err = wasi_entry_allows(c->wasi, c->fd[i], need[i]);
    if (err) return err;
  }
  return 0;
}

static wasi_errno_t run(struct wasi_call *c) {
  switch (c->binding->id) {
#define WASI_CALL(name, sig, args, right, right2) \
  case WASI_ID_##name: return wasi_##name(c);
#include "abi.def"
#undef WASI_CALL
    default: return WASI_ENOSYS;
  }
}

static bool call(mv_caller_t *caller, void *env, uint64_t *cells) {
  const struct wasi_binding *b = env;
  struct wasi_call c = {.wasi = b->wasi, .caller = caller, .binding = b, .cells = cells};
  wasi_errno_t err = prepare(&c);
  if (!err) err = run(&c);
  if (b->wasi->trace) wasi_trace(&c, err);
  if (err == WASI_TRAP) return false;
  cells[0] = err;
  return true;
}

/* ---- linking ---------------------------------------------------------------------------------------------- */

/* Finds the descriptors among the arguments that a row describes. */
static void bind_row(struct mv_wasi *w, struct wasi_binding *b, unsigned id, bool unstable) {
  uint8_t cell = 0;
  *b = (struct wasi_binding){.wasi = w, .id = (uint8_t)id, .unstable = unstable};
  for (const char *p = rows[id].args; *p;) {
    size_t len = strcspn(p, " ");
    if ((len == 2 && memcmp(p, "fd", 2) == 0) || (len == 3 && memcmp(p, "dir", 3) == 0) || (len == 4 && memcmp(p, "sock", 4) == 0)) {
      b->fd_cell[b->fds] = cell;
      b->fd_kind[b->fds++] = *p;
    }
    cell = (uint8_t)(cell + wasi_word_cells(p, len));
    p += len + (p[len] == ' ');
  }
}

static bool define(mv_wasi_t *w, mv_linker_t *linker, bool unstable) {
  const char *module = unstable ? "wasi_unstable" : "wasi_snapshot_preview1";
  for (unsigned id = 0; id < WASI_CALLS; id++) {
    struct wasi_binding *b = &w->bindings[unstable ? WASI_CALLS + id : id];
    if (unstable && id == WASI_ID_sock_accept) continue;
    bind_row(w, b, id, unstable);
    if (!mv_linker_func(linker, module, rows[id].name, rows[id].sig, call, b)) return false;
  }
  return true;
}

bool mv_wasi_define(mv_wasi_t *w, mv_linker_t *linker) { return define(w, linker, false) && define(w, linker, true); }

/* ---- set-up ----------------------------------------------------------------------------------------------- */

/* What a standard stream is good for, beside reading or writing, whatever is behind it: the folder or the log file there was not granted. */
#define STREAM_RIGHTS                                                                                                              \
  (WASI_R_FD_SEEK | WASI_R_FD_TELL | WASI_R_FD_ADVISE | WASI_R_FD_FDSTAT_SET_FLAGS | WASI_R_FD_SYNC | WASI_R_FD_DATASYNC |         \
   WASI_R_FD_FILESTAT_GET | WASI_R_POLL_FD_READWRITE | WASI_R_SOCK_ACCEPT | WASI_R_SOCK_SHUTDOWN)

void mv_wasi_stdio(mv_wasi_t *w, int which, int host_fd) {
  struct wasi_entry *e, now;
  if (which < 0 || which > 2) return;
  e = &w->fds[which];
  (void)wasi_entry_close(w, e);
  if (host_fd < 0 || wasi_entry_describe(&now, host_fd, false)) return;
  /* A terminal is open both ways, the guest gets one. */
  now.access = which == 0 ? WASI_READABLE : WASI_WRITABLE;
  now.base &= STREAM_RIGHTS | (which == 0 ? WASI_R_FD_READ : WASI_R_FD_WRITE);
  now.inheriting = now.base;
  now.counted = which != 0;
  *e = now;
}

mv_wasi_t *mv_wasi_new(void) {
  mv_wasi_t *w = calloc(1, sizeof *w);
  uint32_t fd;
  if (!w) return NULL;
  for (int i = 0; i < 3; i++) {
    if (!wasi_entry_add(w, &(struct wasi_entry){.host = 0}, (uint32_t)i, &fd)) {
      mv_wasi_delete(w);
      return NULL;
    }
    w->fds[i].host = -1;
  }
  for (int i = 0; i < 3; i++) mv_wasi_stdio(w, i, i);
  return w;
}

static void strings_fini(struct wasi_strings *s) {
  for (size_t i = 0; i < s->count; i++) free(s->at[i]);
  free(s->at);
}

void mv_wasi_delete(mv_wasi_t *w) {
  if (!w) return;
  for (uint32_t i = 0; i < w->fd_count; i++) (void)wasi_entry_close(w, &w->fds[i]);
  free(w->fds);
  strings_fini(&w->args);
  strings_fini(&w->env);
  free(w);
}

/* Takes over `text`, at an index up to the count. */
static bool strings_set(struct wasi_strings *s, size_t i, char *text) {
  if (i == s->count) {
    char **at = text && s->count < SIZE_MAX / 2 / sizeof *at ? realloc(s->at, (s->count + 1) * sizeof *at) : NULL;
    if (!at) {
      free(text);
      return false;
    }
    s->at = at;
    s->at[s->count++] = NULL;
  }
  free(s->at[i]);
  s->at[i] = text;
  return true;
}

bool mv_wasi_arg(mv_wasi_t *w, const char *arg) { return strings_set(&w->args, w->args.count, strdup(arg)); }

bool mv_wasi_env(mv_wasi_t *w, const char *name, const char *value) {
  size_t len = strlen(name), i = 0;
  char *text = malloc(len + strlen(value) + 2);
  if (!text) return false;
  memcpy(text, name, len);
  text[len] = '=';
  strcpy(text + len + 1, value);
  while (i < w->env.count && strncmp(w->env.at[i], text, len + 1) != 0) i++; /* a later value replaces */
  return strings_set(&w->env, i, text);
}

/* The rights that change anything; and making links, through which a file could be changed from elsewhere. */
#define CHANGING_RIGHTS                                                                                                              \
  (WASI_R_FD_WRITE | WASI_R_FD_ALLOCATE | WASI_R_FD_FILESTAT_SET_SIZE | WASI_R_FD_FILESTAT_SET_TIMES | WASI_R_PATH_CREATE_DIRECTORY | \
   WASI_R_PATH_CREATE_FILE | WASI_R_PATH_LINK_SOURCE | WASI_R_PATH_LINK_TARGET | WASI_R_PATH_RENAME_SOURCE |                          \
   WASI_R_PATH_RENAME_TARGET | WASI_R_PATH_FILESTAT_SET_SIZE | WASI_R_PATH_FILESTAT_SET_TIMES | WASI_R_PATH_SYMLINK |                 \
   WASI_R_PATH_REMOVE_DIRECTORY | WASI_R_PATH_UNLINK_FILE)

bool mv_wasi_dir(mv_wasi_t *w, const char *host_path, const char *guest_path, bool read_only) {
  struct wasi_entry e;
  uint32_t fd;
  int host = open(host_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), why;
  if (host < 0) return false;
  if (wasi_entry_describe(&e, host, true)) goto fail;
  e.preopen = strdup(guest_path);
  if (!e.preopen) goto fail;
  if (read_only && WASI_GUARD(w, WASI_GUARD_READ_ONLY)) {
    e.withheld = CHANGING_RIGHTS;
    e.base &= ~e.withheld; /* but not from `inheriting`: C libraries would open a file to be written without the right, and succeed */
  }
  if (wasi_entry_add(w, &e, 3, &fd)) return true;
  free(e.preopen);
  errno = ENOMEM;
fail:
  why = errno;
  close(host);
  errno = why;
  return false;
}

bool mv_wasi_listen_fd(mv_wasi_t *w, int host) {
  struct wasi_entry e;
  uint32_t fd;
  if (wasi_entry_describe(&e, host, false)) return false;
  return wasi_entry_add(w, &e, 3, &fd);
}

void mv_wasi_max_output(mv_wasi_t *w, uint64_t bytes) { w->max_output = bytes; }

void mv_wasi_trace(mv_wasi_t *w, FILE *out) { w->trace = out; }
