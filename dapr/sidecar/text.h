/* text.h: pieces of text, growing buffers, and memory that is released all at once.
 *
 * A span is borrowed text without a terminator. A buf grows; after an allocation has failed it stays as it is and
 * remembers, so that a writer checks once at the end. A pool serves the many small pieces of one request or one
 * configuration; nothing in it is freed on its own. */
#ifndef SIDECAR_TEXT_H
#define SIDECAR_TEXT_H

#include "minivm.h"

struct span {
  const char *p;
  size_t n;
};

#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})

struct span span_of(const char *text); /* NULL gives the empty span */
bool span_equal(struct span a, struct span b);
bool span_is(struct span a, const char *text);
bool span_is_nocase(struct span a, const char *text);
bool span_starts(struct span a, const char *prefix);
bool span_has(struct span a, const char *part);
struct span span_trim(struct span a);
/* Cuts `*rest` at the first `c`: the part before it is returned, *rest is what follows. */
struct span span_cut(struct span *rest, char c);
/* A decimal integer that fills the whole span. */
MV_MUST_USE bool span_int(struct span a, int64_t *out);

struct buf {
  char *p;
  size_t n, cap;
  bool failed;
};

void buf_fini(struct buf *);
void buf_clear(struct buf *);
void buf_put(struct buf *, const void *bytes, size_t n);
void buf_span(struct buf *, struct span);
void buf_str(struct buf *, const char *text);
void buf_char(struct buf *, char c);
void buf_printf(struct buf *, const char *format, ...) MV_PRINTF(2, 3);
/* n more bytes to be written by the caller, or NULL. */
char *buf_room(struct buf *, size_t n);
/* The content with a terminator; "" when there is none or memory ran out. */
const char *buf_text(struct buf *);
struct span buf_view(const struct buf *);

struct pool_chunk;
struct pool {
  struct pool_chunk *chunks;
  char *next;
  size_t left;
  bool failed;
};

/* The first `n` bytes come from `first`, which the caller owns (typically his stack). */
void pool_init(struct pool *, void *first, size_t n);
void pool_fini(struct pool *);
/* Releases what came after `mark`, a copy of the pool as it was. */
void pool_release(struct pool *, struct pool mark);
void *pool_alloc(struct pool *, size_t n); /* aligned for anything; NULL: no memory */
void *pool_zero(struct pool *, size_t count, size_t size);
char *pool_copy(struct pool *, struct span); /* terminated */
char *pool_str(struct pool *, const char *text);
char *pool_printf(struct pool *, const char *format, ...) MV_PRINTF(2, 3);
/* Room for one more element behind `count` elements of `size` bytes: the array, moved when its power-of-two capacity is used up. */
void *pool_grow(struct pool *, void *array, size_t count, size_t size);

/* Names with values: component metadata, request metadata. */
struct property {
  const char *name, *value;
};
struct properties {
  struct property *p;
  size_t n;
};
const char *properties_get(const struct properties *, const char *name);        /* exact; NULL: absent */
const char *properties_find(const struct properties *, const char *name);       /* regardless of case */
MV_MUST_USE bool properties_set(struct pool *, struct properties *, const char *name, const char *value); /* keeps the pointers */
bool text_true(const char *value); /* as Dapr reads switches: y yes true t on 1 */

/* Fills *err and returns false. */
bool report(mv_error_t *err, mv_kind_t kind, const char *format, ...) MV_PRINTF(3, 4);
bool report_memory(mv_error_t *err);

#endif
