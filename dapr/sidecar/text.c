/* text.c: see text.h. */
#include "text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct span span_of(const char *text) { return (struct span){text ? text : "", text ? strlen(text) : 0}; }

bool span_equal(struct span a, struct span b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }

bool span_is(struct span a, const char *text) { return span_equal(a, span_of(text)); }

bool span_is_nocase(struct span a, const char *text) {
  return a.n == strlen(text) && (a.n == 0 || strncasecmp(a.p, text, a.n) == 0);
}

bool span_starts(struct span a, const char *prefix) {
  size_t n = strlen(prefix);
  return a.n >= n && memcmp(a.p, prefix, n) == 0;
}

bool span_has(struct span a, const char *part) {
  size_t n = strlen(part);
  for (size_t i = 0; i + n <= a.n; i++)
    if (memcmp(a.p + i, part, n) == 0) return true;
  return n == 0;
}

struct span span_trim(struct span a) {
  while (a.n > 0 && isspace((unsigned char)a.p[0])) a.p++, a.n--;
  while (a.n > 0 && isspace((unsigned char)a.p[a.n - 1])) a.n--;
  return a;
}

struct span span_cut(struct span *rest, char c) {
  const char *at = rest->n ? memchr(rest->p, c, rest->n) : NULL;
  struct span head = {rest->p, at ? (size_t)(at - rest->p) : rest->n};
  size_t used = at ? head.n + 1 : head.n;
  *rest = (struct span){rest->n ? rest->p + used : rest->p, rest->n - used};
  return head;
}

bool span_int(struct span a, int64_t *out) {
  bool negative = a.n > 0 && a.p[0] == '-';
  size_t i = a.n > 0 && (a.p[0] == '-' || a.p[0] == '+') ? 1 : 0;
  if (i == a.n) return false;
  uint64_t value = 0;
  for (; i < a.n; i++) {
    unsigned digit = (unsigned)((unsigned char)a.p[i] - '0');
    if (digit > 9 || value > (UINT64_MAX - digit) / 10) return false;
    value = value * 10 + digit;
  }
  if (value > (uint64_t)INT64_MAX) return false;
  *out = negative ? -(int64_t)value : (int64_t)value;
  return true;
}

/* ---- growing buffer ---- */

void buf_fini(struct buf *b) {
  free(b->p);
  *b = (struct buf){0};
}

void buf_clear(struct buf *b) {
  b->n = 0;
  b->failed = false;
}

static bool buf_reserve(struct buf *b, size_t n) {
  if (b->failed || n > SIZE_MAX / 2 - b->n) return b->failed = true, false;
  if (b->n + n <= b->cap) return true;
  size_t cap = b->cap ? b->cap : 64;
  while (cap < b->n + n) cap *= 2;
  char *p = realloc(b->p, cap);
  if (!p) return b->failed = true, false;
  b->p = p;
  b->cap = cap;
  return true;
}

char *buf_room(struct buf *b, size_t n) {
  if (!buf_reserve(b, n)) return NULL;
  char *at = b->p + b->n;
  b->n += n;
  return at;
}

void buf_put(struct buf *b, const void *bytes, size_t n) {
  if (n == 0) return;
  char *at = buf_room(b, n);
  if (at) memcpy(at, bytes, n);
}

void buf_span(struct buf *b, struct span s) { buf_put(b, s.p, s.n); }

void buf_str(struct buf *b, const char *text) { buf_put(b, text, strlen(text)); }

void buf_char(struct buf *b, char c) { buf_put(b, &c, 1); }

void buf_printf(struct buf *b, const char *format, ...) {
  char small[256];
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(small, sizeof small, format, args);
  va_end(args);
  if (n >= 0 && (size_t)n < sizeof small) {
    buf_put(b, small, (size_t)n);
  } else if (n < 0 || !buf_reserve(b, (size_t)n + 1)) {
    b->failed = true;
  } else {
    vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
    b->n += (size_t)n;
  }
  va_end(again);
}

const char *buf_text(struct buf *b) {
  bool before = b->failed;
  b->failed = false;
  if (!buf_reserve(b, 1)) return "";
  b->failed = before;
  b->p[b->n] = 0;
  return b->p;
}

struct span buf_view(const struct buf *b) { return (struct span){b->p ? b->p : "", b->n}; }

/* ---- pool ---- */

struct pool_chunk {
  struct pool_chunk *next;
};

enum { POOL_ALIGN = 16, POOL_CHUNK = 8192 };

void pool_init(struct pool *pool, void *first, size_t n) {
  uintptr_t skip = (POOL_ALIGN - (uintptr_t)first % POOL_ALIGN) % POOL_ALIGN;
  *pool = (struct pool){0};
  if (!first || n <= skip) return;
  pool->next = (char *)first + skip;
  pool->left = n - skip;
}

void pool_release(struct pool *pool, struct pool mark) {
  while (pool->chunks != mark.chunks) {
    struct pool_chunk *c = pool->chunks;
    pool->chunks = c->next;
    free(c);
  }
  *pool = mark;
}

void pool_fini(struct pool *pool) { pool_release(pool, (struct pool){0}); }

void *pool_alloc(struct pool *pool, size_t n) {
  if (n > SIZE_MAX / 2) return pool->failed = true, NULL;
  n = (n + POOL_ALIGN - 1) / POOL_ALIGN * POOL_ALIGN;
  if (n > pool->left) {
    size_t room = n > POOL_CHUNK ? n : POOL_CHUNK;
    struct pool_chunk *chunk = malloc(POOL_ALIGN + room);
    if (!chunk) return pool->failed = true, NULL;
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    pool->next = (char *)chunk + POOL_ALIGN;
    pool->left = room;
  }
  void *at = pool->next;
  pool->next += n;
  pool->left -= n;
  return at;
}

void *pool_zero(struct pool *pool, size_t count, size_t size) {
  if (size && count > SIZE_MAX / size) return pool->failed = true, NULL;
  void *p = pool_alloc(pool, count * size);
  if (p) memset(p, 0, count * size);
  return p;
}

char *pool_copy(struct pool *pool, struct span s) {
  char *p = pool_alloc(pool, s.n + 1);
  if (!p) return NULL;
  if (s.n) memcpy(p, s.p, s.n);
  p[s.n] = 0;
  return p;
}

char *pool_str(struct pool *pool, const char *text) { return pool_copy(pool, span_of(text)); }

char *pool_printf(struct pool *pool, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, args);
  va_end(args);
  char *p = n < 0 ? NULL : pool_alloc(pool, (size_t)n + 1);
  if (p) vsnprintf(p, (size_t)n + 1, format, again);
  va_end(again);
  return p;
}

void *pool_grow(struct pool *pool, void *array, size_t count, size_t size) {
  if (count && (count & (count - 1))) return array;
  if (count > SIZE_MAX / 2 / size) return pool->failed = true, NULL;
  void *p = pool_alloc(pool, (count ? count * 2 : 1) * size);
  if (p && count) memcpy(p, array, count * size);
  return p;
}

/* ---- properties ---- */

const char *properties_get(const struct properties *list, const char *name) {
  for (size_t i = 0; i < list->n; i++)
    if (strcmp(list->p[i].name, name) == 0) return list->p[i].value;
  return NULL;
}

const char *properties_find(const struct properties *list, const char *name) {
  for (size_t i = 0; i < list->n; i++)
    if (strcasecmp(list->p[i].name, name) == 0) return list->p[i].value;
  return NULL;
}

bool properties_set(struct pool *pool, struct properties *list, const char *name, const char *value) {
  if (!name || !value) return false;
  for (size_t i = 0; i < list->n; i++)
    if (strcmp(list->p[i].name, name) == 0) return list->p[i].value = value, true;
  struct property *p = pool_grow(pool, list->p, list->n, sizeof *p);
  if (!p) return false;
  p[list->n++] = (struct property){name, value};
  list->p = p;
  return true;
}

bool text_true(const char *value) {
  const char *const words[] = {"y", "yes", "true", "t", "on", "1"};
  for (size_t i = 0; value && i < sizeof words / sizeof *words; i++)
    if (strcasecmp(value, words[i]) == 0) return true;
  return false;
}

/* ---- errors ---- */

bool report(mv_error_t *err, mv_kind_t kind, const char *format, ...) {
  if (!err) return false;
  *err = (mv_error_t){.kind = kind, .offset = MV_NO_OFFSET};
  va_list args;
  va_start(args, format);
  vsnprintf(err->message, sizeof err->message, format, args);
  va_end(args);
  return false;
}

bool report_memory(mv_error_t *err) { return report(err, MV_NO_MEMORY, "out of memory"); }
