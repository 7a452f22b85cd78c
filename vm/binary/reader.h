/* Reading a range of bytes: the only place where LEB128 is decoded (core/binary/values). Offsets are those of the module. */
#ifndef BINARY_READER_H
#define BINARY_READER_H

#include "types/module.h"

struct reader {
  const uint8_t *base;     /* the module's first byte: offset 0 */
  const uint8_t *pos, *end;
  mv_error_t *err;
};

static inline uint64_t reader_offset(const struct reader *r) { return (uint64_t)(r->pos - r->base); }
static inline size_t reader_left(const struct reader *r) { return (size_t)(r->end - r->pos); }

/* All report "unexpected end", "integer representation too long" or "integer too large" with the offset. The one-byte case is inline. */
MV_MUST_USE bool reader_u32_long(struct reader *, uint32_t *); /* only where reader_u32 has found no number of one byte */
MV_MUST_USE bool reader_byte(struct reader *, uint8_t *);
MV_MUST_USE bool reader_u64(struct reader *, uint64_t *);
MV_MUST_USE bool reader_s32(struct reader *, int32_t *);
MV_MUST_USE bool reader_s33(struct reader *, int64_t *);
MV_MUST_USE bool reader_s64(struct reader *, int64_t *);
MV_MUST_USE bool reader_skip(struct reader *, uint64_t n);
MV_MUST_USE bool reader_name(struct reader *, struct name *); /* checks UTF-8 */
/* The length of a list or byte string; "length out of bounds" when more elements than bytes are left. */
MV_MUST_USE bool reader_length(struct reader *, uint32_t *);
/* Reports MV_MALFORMED at the reader's position, `back` bytes earlier. Always false. */
bool reader_malformed(struct reader *, unsigned back, const char *text);

MV_MUST_USE static inline bool reader_u32(struct reader *r, uint32_t *v) {
  if (likely(r->pos < r->end && *r->pos < 0x80)) {
    *v = *r->pos++;
    return true;
  }
  return reader_u32_long(r, v);
}

#endif
