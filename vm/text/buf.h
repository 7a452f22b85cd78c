/* A growing byte buffer with the encodings of the binary format (core/binary/values). Lack of memory is remembered in `failed` and makes all
 * further writing void, so that a writer checks once, at the end. */
#ifndef TEXT_BUF_H
#define TEXT_BUF_H

#include "base/arena.h"
#include "base/bytes.h"

struct buf {
  uint8_t *data;
  size_t size, cap;
  bool failed;
};

void buf_fini(struct buf *);
void buf_grow(struct buf *, size_t more);
void buf_put(struct buf *, const void *bytes, size_t n);
void buf_u64(struct buf *, uint64_t);
void buf_s64(struct buf *, int64_t);
/* A vector of bytes: its size as u32, then the bytes. The size must fit. */
void buf_bytes(struct buf *, const void *bytes, size_t n);
/* Formatted text, unterminated. */
void buf_printf(struct buf *, const char *format, ...) MV_PRINTF(2, 3);
void buf_text(struct buf *, const char *text);

static inline void buf_byte(struct buf *b, unsigned byte) {
  if (b->size == b->cap) buf_grow(b, 1);
  if (b->size < b->cap) b->data[b->size++] = (uint8_t)byte;
}

static inline void buf_u32(struct buf *b, uint32_t x) {
  if (x < 0x80) buf_byte(b, x);
  else buf_u64(b, x);
}

static inline void buf_clear(struct buf *b) { b->size = 0; }

#endif
