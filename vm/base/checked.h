/* Arithmetic on sizes that says when it overflows: true means the result is exact. */
#ifndef BASE_CHECKED_H
#define BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool checked_add(size_t a, size_t b, size_t *r) {
  *r = a + b;
  return *r >= a;
}

static inline bool checked_mul(size_t a, size_t b, size_t *r) {
  *r = a * b;
  return b == 0 || *r / b == a;
}

static inline bool checked_add64(uint64_t a, uint64_t b, uint64_t *r) {
  *r = a + b;
  return *r >= a;
}

static inline bool checked_mul64(uint64_t a, uint64_t b, uint64_t *r) {
  *r = a * b;
  return b == 0 || *r / b == a;
}

/* Does [offset, offset + len) lie within [0, size)? */
static inline bool range_ok(uint64_t offset, uint64_t len, uint64_t size) {
  return len <= size && offset <= size - len;
}

#endif
