/* Growing byte buffers; see buf.h. */
#include "text/buf.h"

#include <stdarg.h>
#include <stdlib.h>

void buf_fini(struct buf *b) {
  free(b->data);
  *b = (struct buf){0};
}

void buf_grow(struct buf *b, size_t more) {
  if (b->failed) return;
  if (more > SIZE_MAX - b->size || !array_reserve((void **)&b->data, &b->cap, b->size + more, 1)) {
    b->failed = true;
    b->cap = b->size; /* nothing fits any more */
  }
}

void buf_put(struct buf *b, const void *bytes, size_t n) {
  if (n > b->cap - b->size) buf_grow(b, n);
  if (b->failed || n == 0) return;
  memcpy(b->data + b->size, bytes, n);
  b->size += n;
}

void buf_u64(struct buf *b, uint64_t x) {
  for (; x >= 0x80; x >>= 7) buf_byte(b, (unsigned)(x & 0x7f) | 0x80);
  buf_byte(b, (unsigned)x);
}

void buf_s64(struct buf *b, int64_t x) {
  while (x < -0x40 || x >= 0x40) {
    buf_byte(b, (unsigned)((uint64_t)x & 0x7f) | 0x80);
    x = x < 0 ? ~(~x >> 7) : x >> 7; /* an arithmetic shift on any compiler */
  }
  buf_byte(b, (unsigned)((uint64_t)x & 0x7f));
}

void buf_bytes(struct buf *b, const void *bytes, size_t n) {
  buf_u64(b, n);
  buf_put(b, bytes, n);
}

void buf_printf(struct buf *b, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (n > 0) buf_put(b, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void buf_text(struct buf *b, const char *text) { buf_put(b, text, strlen(text)); }
