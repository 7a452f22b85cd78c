/* Little-endian memory access on any host, unaligned. Linear memory, binaries and immediates are little-endian by specification
 * (core/binary, core/exec/numerics#aux-bytes); a big-endian host swaps here and nowhere else. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define MV_BIG_ENDIAN 1
#else
#define MV_BIG_ENDIAN 0
#endif

static inline uint16_t bytes_swap16(uint16_t x) { return (uint16_t)(x << 8 | x >> 8); }
static inline uint32_t bytes_swap32(uint32_t x) {
  return x >> 24 | (x >> 8 & 0xff00u) | (x << 8 & 0xff0000u) | x << 24;
}
static inline uint64_t bytes_swap64(uint64_t x) {
  return (uint64_t)bytes_swap32((uint32_t)x) << 32 | bytes_swap32((uint32_t)(x >> 32));
}

static inline uint8_t load_le8(const void *p) { return *(const uint8_t *)p; }
static inline void store_le8(void *p, uint8_t x) { *(uint8_t *)p = x; }

#define BYTES_ACCESS(N) \
  static inline uint##N##_t load_le##N(const void *p) { \
    uint##N##_t x; \
    memcpy(&x, p, sizeof x); \
    return MV_BIG_ENDIAN ? bytes_swap##N(x) : x; \
  } \
  static inline void store_le##N(void *p, uint##N##_t x) { \
    if (MV_BIG_ENDIAN) x = bytes_swap##N(x); \
    memcpy(p, &x, sizeof x); \
  }
BYTES_ACCESS(16)
BYTES_ACCESS(32)
BYTES_ACCESS(64)
#undef BYTES_ACCESS

#endif
