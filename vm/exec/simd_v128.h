/* The v128 value and the ways to define an operation on its lanes; the operations are in simd.h.
 *
 * A v128 is a 128-bit number; lane i of width w is its bits w*i to w*i+w-1 (core/syntax/types#vector-types). In a frame it is two cells, the
 * lower half first. In memory of the host, which only this file looks at, it lies in the host's byte order: so a cast to lanes of
 * another width keeps the bits of the number on any host, and lane i of n is element SIMD_AT(n, i) of the array that a C compiler sees.
 *
 * With vector extensions (gcc, clang) an operation is one expression over whole vectors, without them the same expression over
 * each lane. -DSIMD_SCALAR asks for the latter, -DSIMD_PORTABLE for no code of one processor. */
#ifndef EXEC_SIMD_V128_H
#define EXEC_SIMD_V128_H

#include "base/bytes.h"
#include "exec/num.h"

#if defined(__has_builtin) && !defined(SIMD_SCALAR)
#if __has_builtin(__builtin_convertvector)
#define SIMD_VECTORS 1
#endif
#endif

#ifdef SIMD_VECTORS
typedef uint64_t v128 __attribute__((vector_size(16)));
typedef int8_t i8x16 __attribute__((vector_size(16)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef int16_t i16x8 __attribute__((vector_size(16)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef int64_t i64x2 __attribute__((vector_size(16)));
typedef uint64_t u64x2 __attribute__((vector_size(16)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef double f64x2 __attribute__((vector_size(16)));
#define V128_HALVES(v) (v)
#else
typedef struct {
  uint64_t halves[2];
} v128;
#define V128_HALVES(v) ((v).halves)
#endif

/* Element of an array of n for lane i; element of an array of two for the lower (0) or upper (1) half. */
#define SIMD_AT(n, i) (MV_BIG_ENDIAN ? (n) - 1 - (i) : (i))
#define SIMD_HALF(high) SIMD_AT(2, high)

static inline v128 v128_from_halves(uint64_t low, uint64_t high) {
  v128 r = {0};
  V128_HALVES(r)[SIMD_HALF(0)] = low;
  V128_HALVES(r)[SIMD_HALF(1)] = high;
  return r;
}
static inline uint64_t v128_low(v128 a) { return V128_HALVES(a)[SIMD_HALF(0)]; }
static inline uint64_t v128_high(v128 a) { return V128_HALVES(a)[SIMD_HALF(1)]; }

static inline v128 v128_from_cells(const uint64_t *cells) {
  if (MV_BIG_ENDIAN) return v128_from_halves(cells[0], cells[1]);
  v128 r;
  memcpy(&r, cells, sizeof r);
  return r;
}
static inline void v128_to_cells(v128 a, uint64_t *cells) {
  if (MV_BIG_ENDIAN) {
    cells[0] = v128_low(a);
    cells[1] = v128_high(a);
  } else {
    memcpy(cells, &a, sizeof a);
  }
}

/* From and to linear memory, binaries and immediates, unaligned. */
static inline v128 v128_load(const void *bytes) {
  const uint8_t *p = bytes;
  if (MV_BIG_ENDIAN) return v128_from_halves(load_le64(p), load_le64(p + 8));
  v128 r;
  memcpy(&r, p, sizeof r);
  return r;
}
static inline void v128_store(void *bytes, v128 a) {
  uint8_t *p = bytes;
  if (MV_BIG_ENDIAN) {
    store_le64(p, v128_low(a));
    store_le64(p + 8, v128_high(a));
  } else {
    memcpy(p, &a, sizeof a);
  }
}

/* The views of a v128: type of a lane, type to compute in where C would promote or overflow, number of lanes. */
#define SIMD_LANE_i8x16 int8_t
#define SIMD_LANE_u8x16 uint8_t
#define SIMD_LANE_i16x8 int16_t
#define SIMD_LANE_u16x8 uint16_t
#define SIMD_LANE_i32x4 int32_t
#define SIMD_LANE_u32x4 uint32_t
#define SIMD_LANE_i64x2 int64_t
#define SIMD_LANE_u64x2 uint64_t
#define SIMD_LANE_f32x4 float
#define SIMD_LANE_f64x2 double
#define SIMD_WIDE_i8x16 int32_t
#define SIMD_WIDE_u8x16 uint32_t
#define SIMD_WIDE_i16x8 int32_t
#define SIMD_WIDE_u16x8 uint32_t
#define SIMD_WIDE_i32x4 int32_t
#define SIMD_WIDE_u32x4 uint32_t
#define SIMD_WIDE_i64x2 int64_t
#define SIMD_WIDE_u64x2 uint64_t
#define SIMD_WIDE_f32x4 float
#define SIMD_WIDE_f64x2 double
#define SIMD_COUNT_i8x16 16
#define SIMD_COUNT_u8x16 16
#define SIMD_COUNT_i16x8 8
#define SIMD_COUNT_u16x8 8
#define SIMD_COUNT_i32x4 4
#define SIMD_COUNT_u32x4 4
#define SIMD_COUNT_i64x2 2
#define SIMD_COUNT_u64x2 2
#define SIMD_COUNT_f32x4 4
#define SIMD_COUNT_f64x2 2

/* Declares an array of the lanes of v, in the host's order, and makes a v128 of one. */
#define SIMD_UNPACK(V, array, v) \
  SIMD_LANE_##V array[SIMD_COUNT_##V]; \
  memcpy(array, &(v), sizeof array)
#define SIMD_PACK(v, array) memcpy(&(v), array, sizeof(v))

/* Lane by lane: the lanes x (and y) of a (and b) seen as V give the lanes of the result seen as W. */
#define SIMD_EACH1(id, V, W, expr) \
  static inline v128 simd_##id(v128 a) { \
    SIMD_UNPACK(V, xs, a); \
    SIMD_LANE_##W rs[SIMD_COUNT_##W]; \
    for (unsigned i = 0; i < SIMD_COUNT_##W; i++) { \
      const SIMD_WIDE_##V x = xs[i]; \
      rs[i] = (SIMD_LANE_##W)(expr); \
    } \
    SIMD_PACK(a, rs); \
    return a; \
  }
#define SIMD_EACH2(id, V, W, expr) \
  static inline v128 simd_##id(v128 a, v128 b) { \
    SIMD_UNPACK(V, xs, a); \
    SIMD_UNPACK(V, ys, b); \
    SIMD_LANE_##W rs[SIMD_COUNT_##W]; \
    for (unsigned i = 0; i < SIMD_COUNT_##W; i++) { \
      const SIMD_WIDE_##V x = xs[i], y = ys[i]; \
      rs[i] = (SIMD_LANE_##W)(expr); \
    } \
    SIMD_PACK(a, rs); \
    return a; \
  }

/* At once where the compiler has vectors, else lane by lane. Wrapping arithmetic wants unsigned views, since C leaves signed overflow undefined.
 * A comparison of vectors gives all ones for true, as WebAssembly's do; M is the unsigned view of V's width. */
#ifdef SIMD_VECTORS
#define SIMD_OP1(id, V, expr) \
  static inline v128 simd_##id(v128 a) { \
    const V x = (V)a; \
    return (v128)(expr); \
  }
#define SIMD_OP2(id, V, expr) \
  static inline v128 simd_##id(v128 a, v128 b) { \
    const V x = (V)a, y = (V)b; \
    return (v128)(expr); \
  }
#define SIMD_COMPARE(id, V, M, op) SIMD_OP2(id, V, x op y)
#define SIMD_SELECT(mask, yes, no) (((v128)(mask) & (v128)(yes)) | (~(v128)(mask) & (v128)(no)))
#define SIMD_SHIFT_BY(id, V, mask, op) \
  static inline v128 simd_##id(v128 a, uint32_t count) { \
    return (v128)((V)a op (SIMD_LANE_##V)(count & (mask))); \
  }
#else
#define SIMD_OP1(id, V, expr) SIMD_EACH1(id, V, V, expr)
#define SIMD_OP2(id, V, expr) SIMD_EACH2(id, V, V, expr)
#define SIMD_COMPARE(id, V, M, op) SIMD_EACH2(id, V, M, x op y ? -1 : 0)
#define SIMD_SELECT(mask, yes, no) ((mask) ? (yes) : (no))
#define SIMD_SHIFT_BY(id, V, mask, op) \
  static inline v128 simd_##id(v128 a, uint32_t count) { \
    SIMD_UNPACK(V, xs, a); \
    for (unsigned i = 0; i < SIMD_COUNT_##V; i++) xs[i] = (SIMD_LANE_##V)(xs[i] op (count & (mask))); \
    SIMD_PACK(a, xs); \
    return a; \
  }
#endif

#endif
