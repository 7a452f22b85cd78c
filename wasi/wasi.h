/* wasi.h: what the files of wasi/ share: the state of one program, its descriptors, and one call.
 *
 * A call arrives in wasi.c, which looks up the descriptors and rights that its row of abi.def names and then runs the function
 * wasi_NAME of one of the other files. That returns a WASI error number, or WASI_TRAP after it ended the execution.
 * Values are those of the preview 1 witx files. Knows of the engine only what include/minivm.h says.
 */
#ifndef WASI_WASI_H
#define WASI_WASI_H

#include "os.h"

#include "minivm.h"

typedef uint16_t wasi_errno_t;

enum {
  WASI_ESUCCESS,
#define WASI_ERRNO(name) WASI_E##name,
#include "errno.def"
#undef WASI_ERRNO
  WASI_ENOTCAPABLE,
  WASI_TRAP = 0xffff /* not a number of WASI's: the host function returns false */
};

enum {
#define WASI_RIGHT(name) WASI_BIT_##name,
#include "rights.def"
#undef WASI_RIGHT
  WASI_RIGHTS_COUNT
};

/* As constants, since the rows of abi.def combine them. */
enum {
#define WASI_RIGHT(name) WASI_R_##name = 1 << WASI_BIT_##name,
#include "rights.def"
#undef WASI_RIGHT
  WASI_R_ALL = (1 << WASI_RIGHTS_COUNT) - 1
};

enum { WASI_UNKNOWN, WASI_BLOCK_DEVICE, WASI_CHARACTER_DEVICE, WASI_DIRECTORY, WASI_REGULAR_FILE, WASI_SOCKET_DGRAM, WASI_SOCKET_STREAM, WASI_SYMBOLIC_LINK };
enum { WASI_APPEND = 1, WASI_DSYNC = 2, WASI_NONBLOCK = 4, WASI_RSYNC = 8, WASI_SYNC = 16, WASI_FDFLAGS = 31 };
enum { WASI_CREAT = 1, WASI_ODIRECTORY = 2, WASI_EXCL = 4, WASI_TRUNC = 8, WASI_OFLAGS = 15 };
enum { WASI_FOLLOW = 1 };
enum { WASI_READABLE = 1, WASI_WRITABLE = 2 };

enum {
#define WASI_CALL(name, sig, args, right, right2) WASI_ID_##name,
#include "abi.def"
#undef WASI_CALL
  WASI_CALLS
};

/* ---- state -------------------------------------------------------------------------------------------- */

/* A folder's entries as fd_readdir returns them, see dir.c. */
struct wasi_listing;

/* What a guest descriptor number stands for. */
struct wasi_entry {
  int host;          /* the host's descriptor; -1: the number is free */
  bool owned;        /* opened here: closed with the entry, and set not to block */
  bool seekable;
  bool counted;      /* written bytes count against mv_wasi_max_output */
  uint8_t type;      /* WASI_UNKNOWN ... */
  uint8_t access;    /* WASI_READABLE | WASI_WRITABLE, as opened */
  uint16_t flags;    /* WASI_APPEND ...; NONBLOCK is a promise of ours, the host descriptor's mode is not the guest's */
  uint64_t base, inheriting;
  uint64_t withheld; /* rights that the user of the command keeps from everything below this folder (":ro") */
  char *preopen;     /* the guest's name of a preopened folder, or NULL */
  struct wasi_listing *listing;
};

struct wasi_strings {
  char **at;
  size_t count;
};

/* What a call needs to know beside its cells; the `env` of its host function. */
struct wasi_binding {
  struct mv_wasi *wasi;
  uint8_t id;        /* WASI_ID_... */
  bool unstable;     /* called as wasi_unstable */
  uint8_t fds;       /* number of descriptors among the arguments */
  uint8_t fd_cell[2];
  char fd_kind[2];   /* 'f', 'd', 's': any, folder, socket */
};

enum wasi_resolver { WASI_RESOLVER_AUTO, WASI_RESOLVER_KERNEL, WASI_RESOLVER_WALK };

struct mv_wasi {
  struct wasi_entry *fds;
  uint32_t fd_count, fd_capacity;
  struct wasi_strings args, env;
  uint64_t max_output, output;
  uint64_t listed;   /* bytes in listings */
  FILE *trace;
  enum wasi_resolver resolver;
#ifdef WASI_TEST_DEFENCES
  uint32_t defences_off;                        /* bits 1 << enum wasi_defence */
  void (*race)(void *env, const char *point);   /* called in the windows that an attacker would aim at */
  void *race_env;
#endif
  struct wasi_binding bindings[2 * WASI_CALLS];
};

/* ---- defences ----------------------------------------------------------------------------------------- */

/* What keeps a guest inside. The program is built with all of them; tests build with WASI_TEST_DEFENCES, where each can be taken out
 * to show that the attempt which names it then succeeds. */
enum wasi_defence {
  WASI_GUARD_ABSOLUTE,      /* paths that begin with a slash are refused */
  WASI_GUARD_DOTDOT,        /* .. does not climb above the descriptor */
  WASI_GUARD_LINK_ABSOLUTE, /* links with absolute contents are not followed */
  WASI_GUARD_MAGIC,         /* the kernel's magic links (/proc) are not followed */
  WASI_GUARD_COMPONENT,     /* a folder on the way is opened without following links */
  WASI_GUARD_LAST,          /* the last component is used without following links */
  WASI_GUARD_LINK_FOLLOW,   /* path_link never follows */
  WASI_GUARD_SYMLINK,       /* links with absolute contents cannot be made */
  WASI_GUARD_NUL,           /* paths with a NUL are refused */
  WASI_GUARD_RIGHTS,        /* an operation needs its right */
  WASI_GUARD_GROW,          /* rights cannot be added */
  WASI_GUARD_INHERIT,       /* rights of an opened file come from its folder's */
  WASI_GUARD_READ_ONLY,     /* read-only folders withhold rights from what is below them */
  WASI_GUARD_BOUNDS         /* guest addresses lie in the guest's memory */
};

#ifdef WASI_TEST_DEFENCES
#define WASI_GUARD(wasi, guard) (!((wasi)->defences_off >> (guard) & 1))
#define WASI_RACE(wasi, point) ((wasi)->race ? (wasi)->race((wasi)->race_env, (point)) : (void)0)
#else
#define WASI_GUARD(wasi, guard) ((void)(wasi), (void)(guard), 1)
#define WASI_RACE(wasi, point) ((void)0)
#endif

/* ---- one call ----------------------------------------------------------------------------------------- */

struct wasi_call {
  struct mv_wasi *wasi;
  mv_caller_t *caller;
  const struct wasi_binding *binding;
  uint64_t *cells;
  struct wasi_entry *fd[2]; /* the entries of the descriptor arguments; invalid once a descriptor was added */
  uint8_t none;             /* what an empty span of a missing memory points to */
};

static inline uint32_t wasi_u32(const struct wasi_call *c, unsigned i) { return (uint32_t)c->cells[i]; }

#define WASI_CALL(name, sig, args, right, right2) wasi_errno_t wasi_##name(struct wasi_call *);
#include "abi.def"
#undef WASI_CALL

/* The WASI number of a host errno. */
wasi_errno_t wasi_errno(int host);

/* Ends the execution with a trap that names the call. Returns WASI_TRAP. */
wasi_errno_t wasi_trap(struct wasi_call *, const char *what, uint64_t a, uint64_t b);
/* WASI_TRAP when the engine wants the program to stop, else 0. Asked before and during everything that can take long. */
MV_MUST_USE wasi_errno_t wasi_interrupted(struct wasi_call *);

/* The longest time to sleep without asking wasi_interrupted. */
#define WASI_SLICE_NS 20000000u

/* ---- descriptors (fds.c) ------------------------------------------------------------------------------- */

/* The entry of a number, or NULL. */
struct wasi_entry *wasi_entry(struct mv_wasi *, uint32_t fd);
/* Puts a copy of *e at the lowest free number from `from` on. false: no memory; the entry is then still the caller's. */
MV_MUST_USE bool wasi_entry_add(struct mv_wasi *, const struct wasi_entry *e, uint32_t from, uint32_t *fd);
/* Frees a number and all that its entry holds. Returns the error of close. */
wasi_errno_t wasi_entry_close(struct mv_wasi *, struct wasi_entry *);
/* Fills an entry from an open host descriptor: type, rights that make sense for it; both kinds of access as the host has them. */
MV_MUST_USE wasi_errno_t wasi_entry_describe(struct wasi_entry *e, int host, bool owned);
/* 0 if the entry may do what `need` names, else why not. */
MV_MUST_USE wasi_errno_t wasi_entry_allows(const struct mv_wasi *, const struct wasi_entry *, uint64_t need);
static inline bool wasi_is_socket(const struct wasi_entry *e) { return e->type == WASI_SOCKET_DGRAM || e->type == WASI_SOCKET_STREAM; }
/* May reads and writes of it wait? */
static inline bool wasi_is_stream(const struct wasi_entry *e) { return e->type != WASI_REGULAR_FILE && e->type != WASI_BLOCK_DEVICE; }
uint8_t wasi_filetype(mode_t mode);

/* Waits until the host descriptor has one of `events`; EAGAIN at once if `nonblock`. */
MV_MUST_USE wasi_errno_t wasi_wait(struct wasi_call *, int host, short events, bool nonblock);

/* ---- reading and writing (io.c) ------------------------------------------------------------------------ */

struct wasi_transfer {
  bool write;
  bool at;          /* at `offset`, not at the current position */
  uint64_t offset;
  int send_flags;   /* of recvmsg */
  bool all;         /* a stream is read until the buffers are full */
  bool truncated;   /* out: a datagram was longer than the buffers */
  uint32_t done;    /* out: bytes */
};
/* Moves bytes between a descriptor and the buffers of the guest's list. */
MV_MUST_USE wasi_errno_t wasi_move(struct wasi_call *, struct wasi_entry *, uint32_t list, uint32_t count, struct wasi_transfer *);

/* ---- file status (stat.c) ------------------------------------------------------------------------------ */

MV_MUST_USE wasi_errno_t wasi_put_filestat(struct wasi_call *, uint32_t ptr, const struct stat *st, uint8_t type);
/* The arguments of utimensat from those of the set_times calls. */
MV_MUST_USE wasi_errno_t wasi_times(uint64_t atim, uint64_t mtim, uint32_t flags, struct timespec out[2]);

/* ---- paths (path.c, sandbox.c) -------------------------------------------------------------------------- */

#define WASI_PATH_MAX 4096

/* Where a path leads: a folder and a name in it, which the resolution did not follow. `name` is "." for the folder itself. */
struct wasi_place {
  int dir;
  bool owned;  /* dir is to be closed */
  bool slash;  /* the path ended in a slash: a folder is meant */
#ifdef WASI_TEST_DEFENCES
  bool raw;    /* a defence was taken out: `name` is the whole path */
#endif
  char name[WASI_PATH_MAX];
};
/* Resolves `path` below the folder `root`. With `follow` a link as the last component is replaced by what it points to, which need
 * not exist. On success the place must be given to wasi_place_fini. */
MV_MUST_USE wasi_errno_t wasi_resolve(struct mv_wasi *, int root, const char *path, bool follow, struct wasi_place *);
void wasi_place_fini(struct wasi_place *);
/* AT_SYMLINK_NOFOLLOW, for operations on the name of a place. */
int wasi_place_at(const struct mv_wasi *, const struct wasi_place *);
/* Opens what a path leads to; `flags` are open(2)'s. */
MV_MUST_USE wasi_errno_t wasi_open_below(struct mv_wasi *, int root, const char *path, bool follow, int flags, int *host);

/* ---- folders (dir.c) ----------------------------------------------------------------------------------- */

void wasi_listing_delete(struct mv_wasi *, struct wasi_listing *);

/* ---- clocks (clock.c) ----------------------------------------------------------------------------------- */

/* The host's clock of a WASI clock number; false: there is none. */
bool wasi_clock(uint32_t id, clockid_t *out);
/* Its time in nanoseconds. */
uint64_t wasi_now(clockid_t);
uint64_t wasi_nanoseconds(const struct timespec *);

/* ---- trace (trace.c) ------------------------------------------------------------------------------------ */

/* Writes the line of a finished call. `err` as the function returned it. */
void wasi_trace(struct wasi_call *, wasi_errno_t err);
/* The name of a call, its signature and how its arguments are to be read: the columns of abi.def. */
struct wasi_row {
  char name[24], sig[12], args[56];
  uint32_t right, right2;
};
const struct wasi_row *wasi_row(unsigned id);
/* The number of cells of an argument that a row describes with this word. */
unsigned wasi_word_cells(const char *word, size_t len);

#endif
