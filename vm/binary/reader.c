/* Integers, names and lengths (core/binary/values). Every read is checked against the end of the range. */
#include "binary/reader.h"

#include "base/utf8.h"
#include "types/limits.h"

bool reader_malformed(struct reader *r, unsigned back, const char *text) {
  return error_set(r->err, MV_MALFORMED, reader_offset(r) - back, "%s", text);
}

static bool unexpected_end(struct reader *r) {
  return error_set(r->err, MV_MALFORMED, (uint64_t)(r->end - r->base), "unexpected end of section or function");
}

/* LEB128 of at most `bits` bits. The last byte may carry only bits that fit: zeros for an unsigned number, copies of the sign for a signed one. */
static bool read_leb(struct reader *r, unsigned bits, bool is_signed, uint64_t *v) {
  uint64_t x = 0;
  for (unsigned shift = 0;; shift += 7) {
    if (shift >= bits) return reader_malformed(r, 0, "integer representation too long");
    if (r->pos >= r->end) return unexpected_end(r);
    uint8_t b = *r->pos++;
    unsigned left = bits - shift;
    if (left < 7) {
      unsigned unused = is_signed ? 0x7fu & ~((1u << (left - 1)) - 1) : 0x7fu & ~((1u << left) - 1);
      if ((b & unused) != 0 && !(is_signed && (b & unused) == unused)) return reader_malformed(r, 1, "integer too large");
    }
    x |= (uint64_t)(b & 0x7f) << shift;
    if (b & 0x80) continue;
    if (is_signed && (b & 0x40) && shift + 7 < 64) x |= ~(uint64_t)0 << (shift + 7);
    *v = x;
    return true;
  }
}

bool reader_u32_long(struct reader *r, uint32_t *v) {
  const uint8_t *p = r->pos;
  uint64_t x;
  if (likely(reader_left(r) >= 2 && p[1] < 0x80)) { /* one byte has been ruled out */
    *v = (p[0] & 0x7fu) | (uint32_t)p[1] << 7;
    r->pos += 2;
    return true;
  }
  if (!read_leb(r, 32, false, &x)) return false;
  *v = (uint32_t)x;
  return true;
}

bool reader_u64(struct reader *r, uint64_t *v) { return read_leb(r, 64, false, v); }

bool reader_s32(struct reader *r, int32_t *v) {
  uint64_t x;
  if (!read_leb(r, 32, true, &x)) return false;
  *v = (int32_t)(uint32_t)x;
  return true;
}

bool reader_s33(struct reader *r, int64_t *v) {
  uint64_t x;
  if (!read_leb(r, 33, true, &x)) return false;
  *v = (int64_t)x;
  return true;
}

bool reader_s64(struct reader *r, int64_t *v) {
  uint64_t x;
  if (!read_leb(r, 64, true, &x)) return false;
  *v = (int64_t)x;
  return true;
}

bool reader_byte(struct reader *r, uint8_t *b) {
  if (r->pos >= r->end) return unexpected_end(r);
  *b = *r->pos++;
  return true;
}

bool reader_skip(struct reader *r, uint64_t n) {
  if (n > reader_left(r)) return unexpected_end(r);
  r->pos += n;
  return true;
}

bool reader_length(struct reader *r, uint32_t *n) {
  const uint8_t *at = r->pos;
  if (!reader_u32(r, n)) return false;
  if (*n > (size_t)(r->end - at))
    return error_set(r->err, MV_MALFORMED, (uint64_t)(at - r->base), "length out of bounds: %u with %zu bytes left", *n, reader_left(r));
  return true;
}

bool reader_name(struct reader *r, struct name *name) {
  const uint8_t *at = r->pos;
  uint32_t n;
  if (!reader_length(r, &n)) return false;
  const uint8_t *bytes = r->pos;
  if (!reader_skip(r, n)) return false;
  if (!utf8_check((const char *)bytes, n)) return error_set(r->err, MV_MALFORMED, (uint64_t)(at - r->base), "malformed UTF-8 encoding");
  if (n > LIMIT_NAME) return error_set(r->err, MV_LIMIT, (uint64_t)(at - r->base), "name too long: %u bytes, at most %d", n, LIMIT_NAME);
  *name = (struct name){(const char *)bytes, n};
  return true;
}
