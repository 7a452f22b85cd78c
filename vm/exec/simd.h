/* The vector instructions as pure functions (core/exec/numerics#vector-operations), named as in ops.def behind simd_ and shaped as simd.def says.
 * Knows nothing of frames and bounds.
 *
 * What a processor does much better than the compiler finds out by itself, a file of its intrinsics takes over, by groups named SIMD_HOST_...; this
 * file stays complete without them. Relaxed instructions have the results of the deterministic profile here; a host's file may
 * choose others that the specification allows. */
#ifndef EXEC_SIMD_H
#define EXEC_SIMD_H

#include "exec/simd_v128.h"

#if defined(SIMD_VECTORS) && !defined(SIMD_PORTABLE)
#if defined(__SSE2__)
#include "exec/simd_x86.h"
#elif defined(__aarch64__) && !MV_BIG_ENDIAN
#include "exec/simd_arm.h"
#endif
#endif

/* Bits */

SIMD_OP1(v128_not, u64x2, ~x)
SIMD_OP2(v128_and, u64x2, x & y)
SIMD_OP2(v128_andnot, u64x2, x & ~y)
SIMD_OP2(v128_or, u64x2, x | y)
SIMD_OP2(v128_xor, u64x2, x ^ y)
static inline v128 simd_v128_bitselect(v128 a, v128 b, v128 mask) {
  return simd_v128_xor(b, simd_v128_and(mask, simd_v128_xor(a, b)));
}

/* Splats and lanes. Floats come and go as their bits. */

static inline v128 simd_i64x2_splat(uint64_t x) { return v128_from_halves(x, x); }
#ifdef SIMD_VECTORS
static inline v128 simd_i32x4_splat(uint32_t x) { return (v128)(u32x4){x, x, x, x}; }
#else
static inline v128 simd_i32x4_splat(uint32_t x) { return simd_i64x2_splat(x * UINT64_C(0x100000001)); }
#endif
static inline v128 simd_i16x8_splat(uint32_t x) { return simd_i32x4_splat((x & 0xffff) * 0x10001u); }
static inline v128 simd_i8x16_splat(uint32_t x) { return simd_i32x4_splat((x & 0xff) * 0x1010101u); }
static inline v128 simd_f32x4_splat(uint32_t x) { return simd_i32x4_splat(x); }
static inline v128 simd_f64x2_splat(uint64_t x) { return simd_i64x2_splat(x); }

#define SIMD_EXTRACT_LANE(id, V, R) \
  static inline R simd_##id(v128 a, unsigned lane) { \
    SIMD_UNPACK(V, xs, a); \
    return (R)xs[SIMD_AT(SIMD_COUNT_##V, lane)]; \
  }
SIMD_EXTRACT_LANE(i8x16_extract_lane_s, i8x16, uint32_t)
SIMD_EXTRACT_LANE(i8x16_extract_lane_u, u8x16, uint32_t)
SIMD_EXTRACT_LANE(i16x8_extract_lane_s, i16x8, uint32_t)
SIMD_EXTRACT_LANE(i16x8_extract_lane_u, u16x8, uint32_t)
SIMD_EXTRACT_LANE(i32x4_extract_lane, u32x4, uint32_t)
SIMD_EXTRACT_LANE(i64x2_extract_lane, u64x2, uint64_t)
SIMD_EXTRACT_LANE(f32x4_extract_lane, u32x4, uint32_t)
SIMD_EXTRACT_LANE(f64x2_extract_lane, u64x2, uint64_t)
#undef SIMD_EXTRACT_LANE

/* The mask of a lane is the ones of its width at its place: a wide load from within two rows of zeros. A narrow store into the vector would
 * stall the wide load that follows. */
static inline v128 simd_replace(v128 a, unsigned lane, unsigned width, v128 splat) {
  static const uint8_t ones[4][32] = {
      {[16] = 0xff},
      {[16] = 0xff, 0xff},
      {[16] = 0xff, 0xff, 0xff, 0xff},
      {[16] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
  };
  return simd_v128_bitselect(splat, a, v128_load(ones[width] + 16 - (lane << width)));
}
static inline v128 simd_i8x16_replace_lane(v128 a, unsigned lane, uint32_t x) {
  return simd_replace(a, lane, 0, simd_i8x16_splat(x));
}
static inline v128 simd_i16x8_replace_lane(v128 a, unsigned lane, uint32_t x) {
  return simd_replace(a, lane, 1, simd_i16x8_splat(x));
}
static inline v128 simd_i32x4_replace_lane(v128 a, unsigned lane, uint32_t x) {
  return simd_replace(a, lane, 2, simd_i32x4_splat(x));
}
static inline v128 simd_i64x2_replace_lane(v128 a, unsigned lane, uint64_t x) {
  return simd_replace(a, lane, 3, simd_i64x2_splat(x));
}
static inline v128 simd_f32x4_replace_lane(v128 a, unsigned lane, uint32_t x) { return simd_i32x4_replace_lane(a, lane, x); }
static inline v128 simd_f64x2_replace_lane(v128 a, unsigned lane, uint64_t x) { return simd_i64x2_replace_lane(a, lane, x); }

/* Comparisons */

#define SIMD_COMPARE_INT(S, I, U) \
  SIMD_COMPARE(S##_eq, U, U, ==) \
  SIMD_COMPARE(S##_ne, U, U, !=) \
  SIMD_COMPARE(S##_lt_s, I, U, <) \
  SIMD_COMPARE(S##_gt_s, I, U, >) \
  SIMD_COMPARE(S##_le_s, I, U, <=) \
  SIMD_COMPARE(S##_ge_s, I, U, >=)
#define SIMD_COMPARE_UNSIGNED(S, U) \
  SIMD_COMPARE(S##_lt_u, U, U, <) \
  SIMD_COMPARE(S##_gt_u, U, U, >) \
  SIMD_COMPARE(S##_le_u, U, U, <=) \
  SIMD_COMPARE(S##_ge_u, U, U, >=)
#define SIMD_COMPARE_FLOAT(F, U) \
  SIMD_COMPARE(F##_eq, F, U, ==) \
  SIMD_COMPARE(F##_ne, F, U, !=) \
  SIMD_COMPARE(F##_lt, F, U, <) \
  SIMD_COMPARE(F##_gt, F, U, >) \
  SIMD_COMPARE(F##_le, F, U, <=) \
  SIMD_COMPARE(F##_ge, F, U, >=)
SIMD_COMPARE_INT(i8x16, i8x16, u8x16)
SIMD_COMPARE_INT(i16x8, i16x8, u16x8)
SIMD_COMPARE_INT(i32x4, i32x4, u32x4)
#ifndef SIMD_HOST_COMPARE64
SIMD_COMPARE_INT(i64x2, i64x2, u64x2)
#endif
SIMD_COMPARE_UNSIGNED(i8x16, u8x16)
SIMD_COMPARE_UNSIGNED(i16x8, u16x8)
SIMD_COMPARE_UNSIGNED(i32x4, u32x4)
SIMD_COMPARE_FLOAT(f32x4, u32x4)
SIMD_COMPARE_FLOAT(f64x2, u64x2)

/* Integer arithmetic */

#define SIMD_ARITHMETIC(S, U) \
  SIMD_OP1(S##_neg, U, -x) \
  SIMD_OP2(S##_add, U, x + y) \
  SIMD_OP2(S##_sub, U, x - y)
SIMD_ARITHMETIC(i8x16, u8x16)
SIMD_ARITHMETIC(i16x8, u16x8)
SIMD_ARITHMETIC(i32x4, u32x4)
SIMD_ARITHMETIC(i64x2, u64x2)
SIMD_OP2(i16x8_mul, u16x8, x * y)
SIMD_OP2(i32x4_mul, u32x4, x * y)
SIMD_OP2(i64x2_mul, u64x2, x * y)

SIMD_SHIFT_BY(i16x8_shl, u16x8, 15, <<)
SIMD_SHIFT_BY(i32x4_shl, u32x4, 31, <<)
SIMD_SHIFT_BY(i64x2_shl, u64x2, 63, <<)
SIMD_SHIFT_BY(i16x8_shr_u, u16x8, 15, >>)
SIMD_SHIFT_BY(i32x4_shr_u, u32x4, 31, >>)
SIMD_SHIFT_BY(i64x2_shr_u, u64x2, 63, >>)
SIMD_SHIFT_BY(i16x8_shr_s, i16x8, 15, >>)
SIMD_SHIFT_BY(i32x4_shr_s, i32x4, 31, >>)

/* Few processors shift bytes, or 64 bits with sign. Bytes are shifted in twos and what came from the neighbour is cut off; the
 * sign bit, wherever a logical shift has left it, is spread by flipping and subtracting it. */
static inline v128 simd_i8x16_shl(v128 a, uint32_t n) {
  return simd_v128_and(simd_i16x8_shl(a, n & 7), simd_i8x16_splat(0xffu << (n & 7)));
}
static inline v128 simd_i8x16_shr_u(v128 a, uint32_t n) {
  return simd_v128_and(simd_i16x8_shr_u(a, n & 7), simd_i8x16_splat(0xffu >> (n & 7)));
}
static inline v128 simd_i8x16_shr_s(v128 a, uint32_t n) {
  v128 sign = simd_i8x16_splat(0x80u >> (n & 7));
  return simd_i8x16_sub(simd_v128_xor(simd_i8x16_shr_u(a, n), sign), sign);
}
static inline v128 simd_i64x2_shr_s(v128 a, uint32_t n) {
  v128 sign = simd_i64x2_splat(F64_SIGN >> (n & 63));
  return simd_i64x2_sub(simd_v128_xor(simd_i64x2_shr_u(a, n), sign), sign);
}

/* The numbers of bits of neighbouring fields are added up, a width after the other; no sum outgrows its field. */
static inline v128 simd_i8x16_popcnt(v128 a) {
  const v128 fields1 = simd_i8x16_splat(0x55), fields2 = simd_i8x16_splat(0x33), fields4 = simd_i8x16_splat(0x0f);
  a = simd_i64x2_sub(a, simd_v128_and(simd_i64x2_shr_u(a, 1), fields1));
  a = simd_i64x2_add(simd_v128_and(a, fields2), simd_v128_and(simd_i64x2_shr_u(a, 2), fields2));
  return simd_v128_and(simd_i64x2_add(a, simd_i64x2_shr_u(a, 4)), fields4);
}

/* A negative number is flipped and increased by one: that is what its mask of ones does in an exclusive or and a subtraction. */
#define SIMD_ABS(S, mask) \
  static inline v128 simd_##S##_abs(v128 a) { \
    const v128 sign = mask; \
    return simd_##S##_sub(simd_v128_xor(a, sign), sign); \
  }
SIMD_ABS(i8x16, simd_i8x16_lt_s(a, (v128){0}))
SIMD_ABS(i16x8, simd_i16x8_shr_s(a, 15))
SIMD_ABS(i32x4, simd_i32x4_shr_s(a, 31))
SIMD_ABS(i64x2, simd_i64x2_neg(simd_i64x2_shr_u(a, 63)))

#ifndef SIMD_HOST_MINMAX
#define SIMD_MINMAX(S, I, U) \
  SIMD_OP2(S##_min_s, I, SIMD_SELECT(x < y, x, y)) \
  SIMD_OP2(S##_min_u, U, SIMD_SELECT(x < y, x, y)) \
  SIMD_OP2(S##_max_s, I, SIMD_SELECT(x > y, x, y)) \
  SIMD_OP2(S##_max_u, U, SIMD_SELECT(x > y, x, y))
SIMD_MINMAX(i8x16, i8x16, u8x16)
SIMD_MINMAX(i16x8, i16x8, u16x8)
SIMD_MINMAX(i32x4, i32x4, u32x4)
#endif

/* Saturation (core/exec/numerics#aux-sat-s); lanes narrower than their sums and products */

static inline int32_t simd_clamp(int32_t x, int32_t min, int32_t max) { return x < min ? min : x > max ? max : x; }

#ifndef SIMD_HOST_SATURATE
#define SIMD_SATURATE(S, I, U, min, max, umax) \
  SIMD_EACH2(S##_add_sat_s, I, I, simd_clamp(x + y, min, max)) \
  SIMD_EACH2(S##_sub_sat_s, I, I, simd_clamp(x - y, min, max)) \
  SIMD_EACH2(S##_add_sat_u, U, U, x + y > (umax) ? (umax) : x + y) \
  SIMD_EACH2(S##_sub_sat_u, U, U, x > y ? x - y : 0) \
  SIMD_EACH2(S##_avgr_u, U, U, (x + y + 1) >> 1)
SIMD_SATURATE(i8x16, i8x16, u8x16, INT8_MIN, INT8_MAX, UINT8_MAX)
SIMD_SATURATE(i16x8, i16x8, u16x8, INT16_MIN, INT16_MAX, UINT16_MAX)
SIMD_EACH2(i16x8_q15mulr_sat_s, i16x8, i16x8, simd_clamp((x * y + 0x4000) >> 15, INT16_MIN, INT16_MAX))
#endif

#ifndef SIMD_HOST_NARROW
#define SIMD_NARROW(id, V, W, min, max) \
  static inline v128 simd_##id(v128 a, v128 b) { \
    SIMD_UNPACK(V, xs, a); \
    SIMD_UNPACK(V, ys, b); \
    SIMD_LANE_##W rs[SIMD_COUNT_##W]; \
    for (unsigned i = 0; i < SIMD_COUNT_##V; i++) { \
      rs[SIMD_HALF(0) * SIMD_COUNT_##V + i] = (SIMD_LANE_##W)simd_clamp(xs[i], min, max); \
      rs[SIMD_HALF(1) * SIMD_COUNT_##V + i] = (SIMD_LANE_##W)simd_clamp(ys[i], min, max); \
    } \
    SIMD_PACK(a, rs); \
    return a; \
  }
SIMD_NARROW(i8x16_narrow_i16x8_s, i16x8, i8x16, INT8_MIN, INT8_MAX)
SIMD_NARROW(i8x16_narrow_i16x8_u, i16x8, u8x16, 0, UINT8_MAX)
SIMD_NARROW(i16x8_narrow_i32x4_s, i32x4, i16x8, INT16_MIN, INT16_MAX)
SIMD_NARROW(i16x8_narrow_i32x4_u, i32x4, u16x8, 0, UINT16_MAX)
#endif

/* Lanes of half a v128 seen as V become the wider ones of W. */
#define SIMD_WIDEN(id, V, W, high) \
  static inline v128 simd_##id(v128 a) { \
    SIMD_UNPACK(V, xs, a); \
    SIMD_LANE_##W rs[SIMD_COUNT_##W]; \
    for (unsigned i = 0; i < SIMD_COUNT_##W; i++) rs[i] = xs[SIMD_HALF(high) * SIMD_COUNT_##W + i]; \
    SIMD_PACK(a, rs); \
    return a; \
  }
#ifndef SIMD_HOST_EXTEND
SIMD_WIDEN(i16x8_extend_low_i8x16_s, i8x16, i16x8, 0)
SIMD_WIDEN(i16x8_extend_high_i8x16_s, i8x16, i16x8, 1)
SIMD_WIDEN(i16x8_extend_low_i8x16_u, u8x16, u16x8, 0)
SIMD_WIDEN(i16x8_extend_high_i8x16_u, u8x16, u16x8, 1)
SIMD_WIDEN(i32x4_extend_low_i16x8_s, i16x8, i32x4, 0)
SIMD_WIDEN(i32x4_extend_high_i16x8_s, i16x8, i32x4, 1)
SIMD_WIDEN(i32x4_extend_low_i16x8_u, u16x8, u32x4, 0)
SIMD_WIDEN(i32x4_extend_high_i16x8_u, u16x8, u32x4, 1)
SIMD_WIDEN(i64x2_extend_low_i32x4_s, i32x4, i64x2, 0)
SIMD_WIDEN(i64x2_extend_high_i32x4_s, i32x4, i64x2, 1)
SIMD_WIDEN(i64x2_extend_low_i32x4_u, u32x4, u64x2, 0)
SIMD_WIDEN(i64x2_extend_high_i32x4_u, u32x4, u64x2, 1)
#endif

#define SIMD_EXTMUL(S, T, half, sign) \
  static inline v128 simd_##S##_extmul_##half##_##T##_##sign(v128 a, v128 b) { \
    return simd_##S##_mul(simd_##S##_extend_##half##_##T##_##sign(a), simd_##S##_extend_##half##_##T##_##sign(b)); \
  }
SIMD_EXTMUL(i16x8, i8x16, low, s)
SIMD_EXTMUL(i16x8, i8x16, high, s)
SIMD_EXTMUL(i16x8, i8x16, low, u)
SIMD_EXTMUL(i16x8, i8x16, high, u)
#ifndef SIMD_HOST_MULTIPLY
SIMD_EXTMUL(i32x4, i16x8, low, s)
SIMD_EXTMUL(i32x4, i16x8, high, s)
SIMD_EXTMUL(i32x4, i16x8, low, u)
SIMD_EXTMUL(i32x4, i16x8, high, u)
SIMD_EXTMUL(i64x2, i32x4, low, s)
SIMD_EXTMUL(i64x2, i32x4, high, s)
SIMD_EXTMUL(i64x2, i32x4, low, u)
SIMD_EXTMUL(i64x2, i32x4, high, u)
#endif

/* Of each pair of lanes the even and the odd one, extended to the pair's width. */
static inline v128 simd_even8_s(v128 a) { return simd_i16x8_shr_s(simd_i16x8_shl(a, 8), 8); }
static inline v128 simd_even8_u(v128 a) { return simd_v128_and(a, simd_i16x8_splat(0xff)); }
static inline v128 simd_even16_s(v128 a) { return simd_i32x4_shr_s(simd_i32x4_shl(a, 16), 16); }
static inline v128 simd_even16_u(v128 a) { return simd_v128_and(a, simd_i32x4_splat(0xffff)); }
static inline v128 simd_odd8_s(v128 a) { return simd_i16x8_shr_s(a, 8); }
static inline v128 simd_odd8_u(v128 a) { return simd_i16x8_shr_u(a, 8); }
static inline v128 simd_odd16_s(v128 a) { return simd_i32x4_shr_s(a, 16); }
static inline v128 simd_odd16_u(v128 a) { return simd_i32x4_shr_u(a, 16); }

static inline v128 simd_i16x8_extadd_pairwise_i8x16_s(v128 a) { return simd_i16x8_add(simd_even8_s(a), simd_odd8_s(a)); }
static inline v128 simd_i16x8_extadd_pairwise_i8x16_u(v128 a) { return simd_i16x8_add(simd_even8_u(a), simd_odd8_u(a)); }
static inline v128 simd_i32x4_extadd_pairwise_i16x8_u(v128 a) { return simd_i32x4_add(simd_even16_u(a), simd_odd16_u(a)); }
#ifndef SIMD_HOST_DOT
static inline v128 simd_i32x4_extadd_pairwise_i16x8_s(v128 a) { return simd_i32x4_add(simd_even16_s(a), simd_odd16_s(a)); }
static inline v128 simd_i32x4_dot_i16x8_s(v128 a, v128 b) {
  return simd_i32x4_add(simd_i32x4_mul(simd_even16_s(a), simd_even16_s(b)), simd_i32x4_mul(simd_odd16_s(a), simd_odd16_s(b)));
}
#endif

/* Tests */

#ifndef SIMD_HOST_TEST
#define SIMD_ALL_TRUE(S, U) \
  static inline uint32_t simd_##S##_all_true(v128 a) { \
    SIMD_UNPACK(U, xs, a); \
    uint32_t r = 1; \
    for (unsigned i = 0; i < SIMD_COUNT_##U; i++) r &= xs[i] != 0; \
    return r; \
  }
#define SIMD_BITMASK(S, I) \
  static inline uint32_t simd_##S##_bitmask(v128 a) { \
    SIMD_UNPACK(I, xs, a); \
    uint32_t r = 0; \
    for (unsigned i = 0; i < SIMD_COUNT_##I; i++) r |= (uint32_t)(xs[SIMD_AT(SIMD_COUNT_##I, i)] < 0) << i; \
    return r; \
  }
static inline uint32_t simd_v128_any_true(v128 a) { return (v128_low(a) | v128_high(a)) != 0; }
SIMD_ALL_TRUE(i8x16, u8x16)
SIMD_ALL_TRUE(i16x8, u16x8)
SIMD_ALL_TRUE(i32x4, u32x4)
SIMD_ALL_TRUE(i64x2, u64x2)
SIMD_BITMASK(i8x16, i8x16)
SIMD_BITMASK(i16x8, i16x8)
SIMD_BITMASK(i32x4, i32x4)
SIMD_BITMASK(i64x2, i64x2)
#endif

/* Permutations, without an instruction for them. lanes are below 32, which validation has seen to. Most shuffles of compiled code move whole groups of
 * four bytes: one load then does for four. */

#ifndef SIMD_HOST_SHUFFLE
static inline bool simd_moves_words(const uint8_t lanes[8]) {
  const uint64_t all = load_le64(lanes), first = all & 0x000000ff000000ffu;
  return all == first * 0x01010101u + 0x0302010003020100u;
}
static inline uint64_t simd_gather_words(const uint8_t from[32], const uint8_t lanes[8]) {
  return load_le32(from + lanes[0]) | (uint64_t)load_le32(from + lanes[4]) << 32;
}
static inline uint64_t simd_gather_4(const uint8_t from[32], const uint8_t lanes[4]) {
  return from[lanes[0]] | (uint64_t)from[lanes[1]] << 8 | (uint64_t)from[lanes[2]] << 16 | (uint64_t)from[lanes[3]] << 24;
}
static inline uint64_t simd_gather_bytes(const uint8_t from[32], const uint8_t lanes[8]) {
  return simd_gather_4(from, lanes) | simd_gather_4(from, lanes + 4) << 32;
}
static inline v128 simd_i8x16_shuffle(v128 a, v128 b, const uint8_t lanes[16]) {
  uint8_t from[32];
  v128_store(from, a);
  v128_store(from + 16, b);
  if (simd_moves_words(lanes) && simd_moves_words(lanes + 8))
    return v128_from_halves(simd_gather_words(from, lanes), simd_gather_words(from, lanes + 8));
  return v128_from_halves(simd_gather_bytes(from, lanes), simd_gather_bytes(from, lanes + 8));
}
static inline v128 simd_i8x16_permute(v128 a, const uint8_t lanes[16]) { return simd_i8x16_shuffle(a, a, lanes); }
static inline v128 simd_i8x16_swizzle(v128 a, v128 b) {
  uint8_t lanes[16], from[32] = {0};
  v128_store(from, a);
  v128_store(lanes, simd_i8x16_min_u(b, simd_i8x16_splat(16)));
  return v128_from_halves(simd_gather_bytes(from, lanes), simd_gather_bytes(from, lanes + 8));
}
#endif

/* Floats */

SIMD_OP1(f32x4_abs, u32x4, x & ~F32_SIGN)
SIMD_OP1(f64x2_abs, u64x2, x & ~F64_SIGN)
SIMD_OP1(f32x4_neg, u32x4, x ^ F32_SIGN)
SIMD_OP1(f64x2_neg, u64x2, x ^ F64_SIGN)
SIMD_OP2(f32x4_add, f32x4, x + y)
SIMD_OP2(f64x2_add, f64x2, x + y)
SIMD_OP2(f32x4_sub, f32x4, x - y)
SIMD_OP2(f64x2_sub, f64x2, x - y)
SIMD_OP2(f32x4_mul, f32x4, x * y)
SIMD_OP2(f64x2_mul, f64x2, x * y)
SIMD_OP2(f32x4_div, f32x4, x / y)
SIMD_OP2(f64x2_div, f64x2, x / y)

#ifndef SIMD_HOST_FLOAT
SIMD_EACH1(f32x4_sqrt, f32x4, f32x4, f32_sqrt(x))
SIMD_EACH1(f64x2_sqrt, f64x2, f64x2, f64_sqrt(x))
SIMD_EACH2(f32x4_min, f32x4, f32x4, f32_min(x, y))
SIMD_EACH2(f64x2_min, f64x2, f64x2, f64_min(x, y))
SIMD_EACH2(f32x4_max, f32x4, f32x4, f32_max(x, y))
SIMD_EACH2(f64x2_max, f64x2, f64x2, f64_max(x, y))
SIMD_OP2(f32x4_pmin, f32x4, SIMD_SELECT(y < x, y, x))
SIMD_OP2(f64x2_pmin, f64x2, SIMD_SELECT(y < x, y, x))
SIMD_OP2(f32x4_pmax, f32x4, SIMD_SELECT(x < y, y, x))
SIMD_OP2(f64x2_pmax, f64x2, SIMD_SELECT(x < y, y, x))
#endif

#ifndef SIMD_HOST_ROUND
SIMD_EACH1(f32x4_ceil, f32x4, f32x4, f32_ceil(x))
SIMD_EACH1(f64x2_ceil, f64x2, f64x2, f64_ceil(x))
SIMD_EACH1(f32x4_floor, f32x4, f32x4, f32_floor(x))
SIMD_EACH1(f64x2_floor, f64x2, f64x2, f64_floor(x))
SIMD_EACH1(f32x4_trunc, f32x4, f32x4, f32_trunc(x))
SIMD_EACH1(f64x2_trunc, f64x2, f64x2, f64_trunc(x))
SIMD_EACH1(f32x4_nearest, f32x4, f32x4, f32_nearest(x))
SIMD_EACH1(f64x2_nearest, f64x2, f64x2, f64_nearest(x))
#endif

SIMD_EACH1(f32x4_convert_i32x4_s, u32x4, f32x4, f32_convert_i32_s(x))
SIMD_EACH1(f32x4_convert_i32x4_u, u32x4, f32x4, f32_convert_i32_u(x))
#ifndef SIMD_HOST_CONVERT
/* Two lanes of f64 become the lower two, the upper two are zero. */
#define SIMD_HALVE(id, W, expr) \
  static inline v128 simd_##id(v128 a) { \
    SIMD_UNPACK(f64x2, xs, a); \
    SIMD_LANE_##W rs[4] = {0}; \
    for (unsigned i = 0; i < 2; i++) { \
      const double x = xs[i]; \
      rs[SIMD_HALF(0) * 2 + i] = expr; \
    } \
    SIMD_PACK(a, rs); \
    return a; \
  }
SIMD_EACH1(i32x4_trunc_sat_f32x4_s, f32x4, u32x4, i32_trunc_sat_f32_s(x))
SIMD_EACH1(i32x4_trunc_sat_f32x4_u, f32x4, u32x4, i32_trunc_sat_f32_u(x))
SIMD_HALVE(i32x4_trunc_sat_f64x2_s_zero, u32x4, i32_trunc_sat_f64_s(x))
SIMD_HALVE(i32x4_trunc_sat_f64x2_u_zero, u32x4, i32_trunc_sat_f64_u(x))
SIMD_HALVE(f32x4_demote_f64x2_zero, f32x4, f32_demote_f64(x))
SIMD_WIDEN(f64x2_convert_low_i32x4_s, i32x4, f64x2, 0)
SIMD_WIDEN(f64x2_convert_low_i32x4_u, u32x4, f64x2, 0)
static inline v128 simd_f64x2_promote_low_f32x4(v128 a) {
  SIMD_UNPACK(f32x4, xs, a);
  const double rs[2] = {f64_promote_f32(xs[SIMD_HALF(0) * 2]), f64_promote_f32(xs[SIMD_HALF(0) * 2 + 1])};
  SIMD_PACK(a, rs);
  return a;
}
#endif

/* Relaxed (core/exec/numerics#relaxed-operations) */

#ifndef SIMD_HOST_RELAXED
static inline v128 simd_i32x4_relaxed_trunc_f32x4_s(v128 a) { return simd_i32x4_trunc_sat_f32x4_s(a); }
static inline v128 simd_i32x4_relaxed_trunc_f64x2_s_zero(v128 a) { return simd_i32x4_trunc_sat_f64x2_s_zero(a); }
static inline v128 simd_f32x4_relaxed_min(v128 a, v128 b) { return simd_f32x4_min(a, b); }
static inline v128 simd_f32x4_relaxed_max(v128 a, v128 b) { return simd_f32x4_max(a, b); }
static inline v128 simd_f64x2_relaxed_min(v128 a, v128 b) { return simd_f64x2_min(a, b); }
static inline v128 simd_f64x2_relaxed_max(v128 a, v128 b) { return simd_f64x2_max(a, b); }
#endif
static inline v128 simd_i32x4_relaxed_trunc_f32x4_u(v128 a) { return simd_i32x4_trunc_sat_f32x4_u(a); }
static inline v128 simd_i32x4_relaxed_trunc_f64x2_u_zero(v128 a) { return simd_i32x4_trunc_sat_f64x2_u_zero(a); }
static inline v128 simd_i8x16_relaxed_swizzle(v128 a, v128 b) { return simd_i8x16_swizzle(a, b); }
static inline v128 simd_f32x4_relaxed_madd(v128 a, v128 b, v128 c) { return simd_f32x4_add(simd_f32x4_mul(a, b), c); }
static inline v128 simd_f64x2_relaxed_madd(v128 a, v128 b, v128 c) { return simd_f64x2_add(simd_f64x2_mul(a, b), c); }
static inline v128 simd_f32x4_relaxed_nmadd(v128 a, v128 b, v128 c) { return simd_f32x4_sub(c, simd_f32x4_mul(a, b)); }
static inline v128 simd_f64x2_relaxed_nmadd(v128 a, v128 b, v128 c) { return simd_f64x2_sub(c, simd_f64x2_mul(a, b)); }
static inline v128 simd_i8x16_relaxed_laneselect(v128 a, v128 b, v128 mask) { return simd_v128_bitselect(a, b, mask); }
static inline v128 simd_i16x8_relaxed_laneselect(v128 a, v128 b, v128 mask) { return simd_v128_bitselect(a, b, mask); }
static inline v128 simd_i32x4_relaxed_laneselect(v128 a, v128 b, v128 mask) { return simd_v128_bitselect(a, b, mask); }
static inline v128 simd_i64x2_relaxed_laneselect(v128 a, v128 b, v128 mask) { return simd_v128_bitselect(a, b, mask); }
static inline v128 simd_i16x8_relaxed_q15mulr_s(v128 a, v128 b) { return simd_i16x8_q15mulr_sat_s(a, b); }
static inline v128 simd_i16x8_relaxed_dot_i8x16_i7x16_s(v128 a, v128 b) {
  return simd_i16x8_add_sat_s(simd_i16x8_mul(simd_even8_s(a), simd_even8_s(b)), simd_i16x8_mul(simd_odd8_s(a), simd_odd8_s(b)));
}
static inline v128 simd_i32x4_relaxed_dot_i8x16_i7x16_add_s(v128 a, v128 b, v128 c) {
  return simd_i32x4_add(simd_i32x4_extadd_pairwise_i16x8_s(simd_i16x8_relaxed_dot_i8x16_i7x16_s(a, b)), c);
}

/* Rotations, which are no instructions; 0 < n < width */
#define SIMD_ROTL(S, width) \
  static inline v128 simd_##S##_rotl(v128 a, uint32_t n) { return simd_v128_or(simd_##S##_shl(a, n), simd_##S##_shr_u(a, (width) - n)); }
SIMD_ROTL(i16x8, 16)
SIMD_ROTL(i32x4, 32)
SIMD_ROTL(i64x2, 64)

/* Twins for processors that have more than the compiler may count on */
#ifndef SIMD_HOST_TWINS
static inline bool simd_has_twins(void) { return false; }
#define SIMD_SAME1(id) \
  static inline v128 simd_##id##_cpu(v128 a) { return simd_##id(a); }
#define SIMD_SAME2(id) \
  static inline v128 simd_##id##_cpu(v128 a, v128 b) { return simd_##id(a, b); }
#define SIMD_SAME_SHUFFLE(id) \
  static inline v128 simd_##id##_cpu(v128 a, v128 b, const uint8_t *lanes) { return simd_##id(a, b, lanes); }
#define SIMD_SAME_PERMUTE(id) \
  static inline v128 simd_##id##_cpu(v128 a, const uint8_t *lanes) { return simd_##id(a, lanes); }
#define SIMD_TWIN(shape, id) SIMD_SAME##shape(id)
#include "exec/simd.def"
#undef SIMD_SAME1
#undef SIMD_SAME2
#undef SIMD_SAME_SHUFFLE
#undef SIMD_SAME_PERMUTE
#endif

/* Memory: p is in bounds and of any alignment. */

static inline v128 simd_v128_load(const uint8_t *p) { return v128_load(p); }
static inline void simd_v128_store(uint8_t *p, v128 a) { v128_store(p, a); }
static inline v128 simd_v128_load32_zero(const uint8_t *p) { return v128_from_halves(load_le32(p), 0); }
static inline v128 simd_v128_load64_zero(const uint8_t *p) { return v128_from_halves(load_le64(p), 0); }
static inline v128 simd_v128_load8x8_s(const uint8_t *p) { return simd_i16x8_extend_low_i8x16_s(simd_v128_load64_zero(p)); }
static inline v128 simd_v128_load8x8_u(const uint8_t *p) { return simd_i16x8_extend_low_i8x16_u(simd_v128_load64_zero(p)); }
static inline v128 simd_v128_load16x4_s(const uint8_t *p) { return simd_i32x4_extend_low_i16x8_s(simd_v128_load64_zero(p)); }
static inline v128 simd_v128_load16x4_u(const uint8_t *p) { return simd_i32x4_extend_low_i16x8_u(simd_v128_load64_zero(p)); }
static inline v128 simd_v128_load32x2_s(const uint8_t *p) { return simd_i64x2_extend_low_i32x4_s(simd_v128_load64_zero(p)); }
static inline v128 simd_v128_load32x2_u(const uint8_t *p) { return simd_i64x2_extend_low_i32x4_u(simd_v128_load64_zero(p)); }

#define SIMD_LANE_ACCESS(bits, S, extract) \
  static inline v128 simd_v128_load##bits##_splat(const uint8_t *p) { return simd_##S##_splat(load_le##bits(p)); } \
  static inline v128 simd_v128_load##bits##_lane(const uint8_t *p, v128 a, unsigned lane) { \
    return simd_##S##_replace_lane(a, lane, load_le##bits(p)); \
  } \
  static inline void simd_v128_store##bits##_lane(uint8_t *p, v128 a, unsigned lane) { \
    store_le##bits(p, (uint##bits##_t)simd_##S##_##extract(a, lane)); \
  }
SIMD_LANE_ACCESS(8, i8x16, extract_lane_u)
SIMD_LANE_ACCESS(16, i16x8, extract_lane_u)
SIMD_LANE_ACCESS(32, i32x4, extract_lane)
SIMD_LANE_ACCESS(64, i64x2, extract_lane)
#undef SIMD_LANE_ACCESS

#endif
