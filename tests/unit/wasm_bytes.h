/* Modules made of bytes, for the tests of decoder and validator. */
#ifndef TESTS_WASM_BYTES_H
#define TESTS_WASM_BYTES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "types/module.h"

struct bytes {
  uint8_t *p;
  size_t n, cap;
};

static inline void put(struct bytes *b, const void *p, size_t n) {
  if (b->n + n > b->cap) {
    b->cap = (b->n + n) * 2;
    b->p = realloc(b->p, b->cap);
    if (!b->p) abort();
  }
  if (n) memcpy(b->p + b->n, p, n);
  b->n += n;
}

static inline void put_byte(struct bytes *b, unsigned x) { put(b, &(uint8_t){(uint8_t)x}, 1); }

static inline void put_u32(struct bytes *b, uint32_t x) {
  for (; x >= 0x80; x >>= 7) put_byte(b, x | 0x80);
  put_byte(b, x);
}

/* Text with its length known at compile time, so that zeros count. */
#define PUT(b, text) put(b, text, sizeof(text) - 1)

static inline void put_header(struct bytes *b) { PUT(b, "\0asm\1\0\0\0"); }

static inline void put_section(struct bytes *b, unsigned id, const void *p, size_t n) {
  put_byte(b, id);
  put_u32(b, (uint32_t)n);
  put(b, p, n);
}
#define SECTION(b, id, text) put_section(b, id, text, sizeof(text) - 1)

/* Decodes and, if asked for, validates; the error's kind. The bytes are a copy of exactly their size, so that a sanitizer sees what is read behind them. */
static inline mv_kind_t load(struct types *ts, mv_features_t f, const void *p, size_t n, bool validate, struct module **out, mv_error_t *err) {
  struct module *m = NULL;
  memset(err, 0, sizeof *err);
  uint8_t *copy = malloc(n ? n : 1);
  if (!copy) abort();
  if (n) memcpy(copy, p, n);
  bool ok = module_decode(ts, f, copy, n, !out, &m, err) && (!validate || module_validate(m, err));
  if (out && ok)
    *out = m;
  else
    module_delete(m);
  free(copy);
  if (ok != (err->kind == MV_OK) || (!ok && (!err->message[0] || err->offset > n))) abort(); /* no failure without a report that says where */
  return err->kind;
}

#endif
