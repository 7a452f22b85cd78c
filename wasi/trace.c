/* trace.c: a line for each call, as strace prints them: name, decoded arguments, results, error number.
 *
 *   path_open(3, 0, "a.txt", CREAT, FD_READ|FD_WRITE, 0, 0) = 4 (errno 0)
 *
 * What to print is said by the words in abi.def; results are those words that begin with `>`. Never traps: what cannot be read from the
 * guest's memory is printed as an address.
 */
#include "guest.h"

#include <inttypes.h>
#include <string.h>

enum { TEXT_MAX = 48 };

static const char error_names[][16] = {"SUCCESS",
#define WASI_ERRNO(name) #name,
#include "errno.def"
#undef WASI_ERRNO
                                       "NOTCAPABLE"};

static const char rights_names[][24] = {
#define WASI_RIGHT(name) #name,
#include "rights.def"
#undef WASI_RIGHT
};

static const char fdflags_names[][9] = {"APPEND", "DSYNC", "NONBLOCK", "RSYNC", "SYNC"};
static const char oflags_names[][10] = {"CREAT", "DIRECTORY", "EXCL", "TRUNC"};
static const char lookup_names[][15] = {"SYMLINK_FOLLOW"};
static const char fstflags_names[][9] = {"ATIM", "ATIM_NOW", "MTIM", "MTIM_NOW"};
static const char riflags_names[][13] = {"RECV_PEEK", "RECV_WAITALL"};
static const char sdflags_names[][3] = {"RD", "WR"};
static const char clock_names[][19] = {"REALTIME", "MONOTONIC", "PROCESS_CPUTIME_ID", "THREAD_CPUTIME_ID"};
static const char advice_names[][11] = {"NORMAL", "SEQUENTIAL", "RANDOM", "WILLNEED", "DONTNEED", "NOREUSE"};
static const char whence_names[][4] = {"SET", "CUR", "END", "SET"}; /* wasi_unstable begins at the second */
static const char signal_names[][7] = {"NONE", "HUP",  "INT",  "QUIT", "ILL",  "TRAP", "ABRT", "BUS",  "FPE",    "KILL", "USR1",
                                       "SEGV", "USR2", "PIPE", "ALRM", "TERM", "CHLD", "CONT", "STOP", "TSTP",   "TTIN", "TTOU",
                                       "URG",  "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "POLL", "PWR",  "SYS"};
static const char type_names[][17] = {"UNKNOWN", "BLOCK_DEVICE", "CHARACTER_DEVICE", "DIRECTORY", "REGULAR_FILE", "SOCKET_DGRAM", "SOCKET_STREAM", "SYMBOLIC_LINK"};

struct line {
  FILE *out;
  struct wasi_call *call;
  uint8_t *memory;
  uint64_t size;
};

static const uint8_t *span(const struct line *l, uint64_t ptr, uint64_t len) {
  return l->memory && ptr <= l->size && len <= l->size - ptr ? l->memory + ptr : NULL;
}

/* The bits of a value by name; `names` has `count` of `width` bytes. */
static void put_bits(struct line *l, uint64_t v, const char *names, size_t count, size_t width) {
  const char *between = "";
  if (v == 0) fputc('0', l->out);
  for (size_t i = 0; i < count; i++) {
    if (!(v >> i & 1)) continue;
    fprintf(l->out, "%s%s", between, names + i * width);
    between = "|";
  }
  v = count < 64 ? v >> count << count : 0;
  if (v) fprintf(l->out, "%s%#" PRIx64, between, v);
}

static void put_one(struct line *l, uint64_t v, const char *names, size_t count, size_t width) {
  if (v < count) fputs(names + v * width, l->out);
  else fprintf(l->out, "%" PRIu64, v);
}

#define BITS(l, v, names) put_bits((l), (v), (names)[0], sizeof(names) / sizeof(names)[0], sizeof(names)[0])
#define ONE(l, v, names) put_one((l), (v), (names)[0], sizeof(names) / sizeof(names)[0], sizeof(names)[0])

/* Programs ask for nearly all rights: then those are shown that they leave out. */
static void put_rights(struct line *l, uint64_t v) {
  uint64_t rest = WASI_R_ALL & ~v;
  unsigned left_out = 0;
  for (uint64_t r = rest; r; r &= r - 1) left_out++;
  if (v & ~(uint64_t)WASI_R_ALL || left_out > WASI_RIGHTS_COUNT / 2) {
    BITS(l, v, rights_names);
    return;
  }
  fputs(rest ? "ALL-(" : "ALL", l->out);
  if (rest) BITS(l, rest, rights_names);
  if (rest) fputc(')', l->out);
}

static void put_bytes(struct line *l, const uint8_t *p, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (p[i] == '\n') fputs("\\n", l->out);
    else if (p[i] == '"' || p[i] == '\\') fprintf(l->out, "\\%c", p[i]);
    else if (p[i] < 0x20 || p[i] >= 0x7f) fprintf(l->out, "\\x%02x", p[i]);
    else fputc(p[i], l->out);
  }
}

static void put_text(struct line *l, uint32_t ptr, uint32_t len) {
  const uint8_t *p = span(l, ptr, len);
  if (!p) {
    fprintf(l->out, "%#" PRIx32 ", %" PRIu32, ptr, len);
    return;
  }
  fputc('"', l->out);
  put_bytes(l, p, len < TEXT_MAX ? len : TEXT_MAX);
  fputs(len > TEXT_MAX ? "\"..." : "\"", l->out);
}

/* The beginning of the buffers' contents, of which at most `filled` bytes mean something. */
static void put_buffers(struct line *l, uint32_t list, uint32_t count, uint64_t filled) {
  uint64_t shown = 0, total = 0;
  fputc('"', l->out);
  for (uint32_t i = 0; i < count && total < filled; i++) {
    const uint8_t *v = span(l, list + UINT64_C(8) * i, 8);
    uint64_t len = v ? guest_load32(v + 4) : 0;
    const uint8_t *p = v ? span(l, guest_load32(v), len) : NULL;
    if (!p) break;
    if (len > filled - total) len = filled - total;
    total += len;
    if (len > TEXT_MAX - shown) len = TEXT_MAX - shown;
    put_bytes(l, p, (size_t)len);
    shown += len;
  }
  fprintf(l->out, total > shown ? "\"..., %" PRIu32 : "\", %" PRIu32, count);
}

static bool is(const char *word, size_t len, const char *name) { return strlen(name) == len && memcmp(word, name, len) == 0; }

/* Bytes that a reading call put into its buffers: its first result. */
static uint64_t bytes_read(const struct line *l, unsigned cell, wasi_errno_t err) {
  const struct wasi_row *row = wasi_row(l->call->binding->id);
  unsigned last = (unsigned)(strchr(row->sig, ':') - row->sig) - 1;
  const uint8_t *p = NULL;
  if (l->call->binding->id == WASI_ID_sock_recv) last--;
  if (!err && last > cell) p = span(l, wasi_u32(l->call, last), 4);
  return p ? guest_load32(p) : 0;
}

/* Prints an argument. */
static void put_argument(struct line *l, const char *word, size_t len, unsigned i, wasi_errno_t err) {
  const struct wasi_call *c = l->call;
  uint64_t v = c->cells[i];
  uint32_t v32 = (uint32_t)v;
  if (is(word, len, "path")) put_text(l, v32, wasi_u32(c, i + 1));
  else if (is(word, len, "iovs")) put_buffers(l, v32, wasi_u32(c, i + 1), bytes_read(l, i, err));
  else if (is(word, len, "ciovs")) put_buffers(l, v32, wasi_u32(c, i + 1), UINT64_MAX);
  else if (is(word, len, "out")) put_text(l, v32, (uint32_t)bytes_read(l, i, err));
  else if (is(word, len, "buf") && err) fprintf(l->out, "%#" PRIx32 ", %" PRIu32, v32, wasi_u32(c, i + 1));
  else if (is(word, len, "buf")) put_text(l, v32, wasi_u32(c, i + 1));
  else if (is(word, len, "fd") || is(word, len, "dir") || is(word, len, "sock")) fprintf(l->out, "%" PRId32, (int32_t)v32);
  else if (is(word, len, "u32")) fprintf(l->out, "%" PRIu32, v32);
  else if (is(word, len, "u64") || is(word, len, "time")) fprintf(l->out, "%" PRIu64, v);
  else if (is(word, len, "i64")) fprintf(l->out, "%" PRId64, (int64_t)v);
  else if (is(word, len, "clock")) ONE(l, v32, clock_names);
  else if (is(word, len, "advice")) ONE(l, v32, advice_names);
  else if (is(word, len, "signal")) ONE(l, v32, signal_names);
  else if (is(word, len, "whence")) ONE(l, c->binding->unstable ? v32 + UINT64_C(1) : v32, whence_names);
  else if (is(word, len, "fdflags")) BITS(l, v32, fdflags_names);
  else if (is(word, len, "oflags")) BITS(l, v32, oflags_names);
  else if (is(word, len, "lookup")) BITS(l, v32, lookup_names);
  else if (is(word, len, "fstflags")) BITS(l, v32, fstflags_names);
  else if (is(word, len, "riflags")) BITS(l, v32, riflags_names);
  else if (is(word, len, "sdflags")) BITS(l, v32, sdflags_names);
  else if (is(word, len, "rights")) put_rights(l, v);
  else fprintf(l->out, "%#" PRIx32, v32);
}

static void put_filestat(struct line *l, const uint8_t *p) {
  bool unstable = l->call->binding->unstable;
  fputs("{ino=", l->out);
  fprintf(l->out, "%" PRIu64 ", type=", guest_load64(p + 8));
  ONE(l, p[16], type_names);
  fprintf(l->out, ", size=%" PRIu64 "}", guest_load64(p + (unstable ? 24 : 32)));
}

static void put_fdstat(struct line *l, const uint8_t *p) {
  fputs("{type=", l->out);
  ONE(l, p[0], type_names);
  fputs(", flags=", l->out);
  BITS(l, guest_load16(p + 2), fdflags_names);
  fputs(", rights=", l->out);
  put_rights(l, guest_load64(p + 8));
  fputs(", inheriting=", l->out);
  put_rights(l, guest_load64(p + 16));
  fputc('}', l->out);
}

/* Prints what a successful call stored at the address in cell i. */
static void put_result(struct line *l, const char *word, size_t len, unsigned i) {
  uint32_t ptr = wasi_u32(l->call, i);
  uint32_t size = is(word, len, ">filestat") ? 56 : is(word, len, ">fdstat") ? 24 : is(word, len, ">u16") ? 2 : is(word, len, ">u32") || is(word, len, ">fd") ? 4 : 8;
  const uint8_t *p = span(l, ptr, size);
  if (!p) fprintf(l->out, "%#" PRIx32, ptr);
  else if (size == 56) put_filestat(l, p);
  else if (size == 24) put_fdstat(l, p);
  else if (size == 2) fprintf(l->out, "%u", guest_load16(p));
  else if (size == 4) fprintf(l->out, "%" PRIu32, guest_load32(p));
  else if (is(word, len, ">prestat")) fprintf(l->out, "{dir, name_len=%" PRIu32 "}", guest_load32(p + 4));
  else fprintf(l->out, "%" PRIu64, guest_load64(p));
}

/* One pass over the words: arguments, or results. Returns how many were printed. */
static unsigned put_words(struct line *l, bool results, wasi_errno_t err) {
  unsigned i = 0, n = 0;
  for (const char *p = wasi_row(l->call->binding->id)->args; *p;) {
    size_t len = strcspn(p, " ");
    if ((*p == '>') == results) {
      if (n++ > 0) fputs(", ", l->out);
      if (results) put_result(l, p, len, i);
      else put_argument(l, p, len, i, err);
    }
    i += wasi_word_cells(p, len);
    p += len + (p[len] == ' ');
  }
  return n;
}

void wasi_trace(struct wasi_call *c, wasi_errno_t err) {
  struct line l = {.out = c->wasi->trace, .call = c};
  if (!mv_caller_memory(c->caller, &l.memory, &l.size)) l.memory = NULL;
  fprintf(l.out, "%s(", wasi_row(c->binding->id)->name);
  (void)put_words(&l, false, err);
  fputs(") = ", l.out);
  if (err == WASI_TRAP) {
    fputs(c->binding->id == WASI_ID_proc_exit ? "?\n" : "trap\n", l.out);
  } else if (err) {
    fprintf(l.out, "-1 %s (errno %u)\n", error_names[err], err);
  } else {
    if (put_words(&l, true, err) == 0) fputc('0', l.out);
    fputs(" (errno 0)\n", l.out);
  }
  fflush(l.out);
}
