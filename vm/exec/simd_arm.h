/* What 64-bit ARM does better than the compiler makes of simd.h's C: its vector unit has nearly every instruction as it is. The results are
 * the same. Little-endian only. */
#ifndef EXEC_SIMD_ARM_H
#define EXEC_SIMD_ARM_H

#include <arm_neon.h>

#include "exec/simd_v128.h"

#define ARM_1(id, V, expr) \
  static inline v128 simd_##id(v128 a) { \
    const V x = (V)a; \
    return (v128)(expr); \
  }
#define ARM_2(id, V, expr) \
  static inline v128 simd_##id(v128 a, v128 b) { \
    const V x = (V)a, y = (V)b; \
    return (v128)(expr); \
  }
#define ARM_TEST(id, V, expr) \
  static inline uint32_t simd_##id(v128 a) { \
    const V x = (V)a; \
    return (uint32_t)(expr); \
  }

#define SIMD_HOST_MINMAX
#define ARM_MINMAX(S, I, U, s, u) \
  ARM_2(S##_min_s, I, vminq_##s(x, y)) \
  ARM_2(S##_max_s, I, vmaxq_##s(x, y)) \
  ARM_2(S##_min_u, U, vminq_##u(x, y)) \
  ARM_2(S##_max_u, U, vmaxq_##u(x, y))
ARM_MINMAX(i8x16, int8x16_t, uint8x16_t, s8, u8)
ARM_MINMAX(i16x8, int16x8_t, uint16x8_t, s16, u16)
ARM_MINMAX(i32x4, int32x4_t, uint32x4_t, s32, u32)

#define SIMD_HOST_SATURATE
#define ARM_SATURATE(S, I, U, s, u) \
  ARM_2(S##_add_sat_s, I, vqaddq_##s(x, y)) \
  ARM_2(S##_sub_sat_s, I, vqsubq_##s(x, y)) \
  ARM_2(S##_add_sat_u, U, vqaddq_##u(x, y)) \
  ARM_2(S##_sub_sat_u, U, vqsubq_##u(x, y)) \
  ARM_2(S##_avgr_u, U, vrhaddq_##u(x, y))
ARM_SATURATE(i8x16, int8x16_t, uint8x16_t, s8, u8)
ARM_SATURATE(i16x8, int16x8_t, uint16x8_t, s16, u16)
ARM_2(i16x8_q15mulr_sat_s, int16x8_t, vqrdmulhq_s16(x, y))

#define SIMD_HOST_NARROW
ARM_2(i8x16_narrow_i16x8_s, int16x8_t, vcombine_s8(vqmovn_s16(x), vqmovn_s16(y)))
ARM_2(i8x16_narrow_i16x8_u, int16x8_t, vcombine_u8(vqmovun_s16(x), vqmovun_s16(y)))
ARM_2(i16x8_narrow_i32x4_s, int32x4_t, vcombine_s16(vqmovn_s32(x), vqmovn_s32(y)))
ARM_2(i16x8_narrow_i32x4_u, int32x4_t, vcombine_u16(vqmovun_s32(x), vqmovun_s32(y)))

#define SIMD_HOST_EXTEND
#define SIMD_HOST_MULTIPLY
#define ARM_EXTEND(S, T, I, U, s, u) \
  ARM_1(S##_extend_low_##T##_s, I, vmovl_##s(vget_low_##s(x))) \
  ARM_1(S##_extend_high_##T##_s, I, vmovl_high_##s(x)) \
  ARM_1(S##_extend_low_##T##_u, U, vmovl_##u(vget_low_##u(x))) \
  ARM_1(S##_extend_high_##T##_u, U, vmovl_high_##u(x))
#define ARM_EXTMUL(S, T, I, U, s, u) \
  ARM_2(S##_extmul_low_##T##_s, I, vmull_##s(vget_low_##s(x), vget_low_##s(y))) \
  ARM_2(S##_extmul_high_##T##_s, I, vmull_high_##s(x, y)) \
  ARM_2(S##_extmul_low_##T##_u, U, vmull_##u(vget_low_##u(x), vget_low_##u(y))) \
  ARM_2(S##_extmul_high_##T##_u, U, vmull_high_##u(x, y))
ARM_EXTEND(i16x8, i8x16, int8x16_t, uint8x16_t, s8, u8)
ARM_EXTEND(i32x4, i16x8, int16x8_t, uint16x8_t, s16, u16)
ARM_EXTEND(i64x2, i32x4, int32x4_t, uint32x4_t, s32, u32)
ARM_EXTMUL(i32x4, i16x8, int16x8_t, uint16x8_t, s16, u16)
ARM_EXTMUL(i64x2, i32x4, int32x4_t, uint32x4_t, s32, u32)

#define SIMD_HOST_DOT
ARM_1(i32x4_extadd_pairwise_i16x8_s, int16x8_t, vpaddlq_s16(x))
ARM_2(i32x4_dot_i16x8_s, int16x8_t, vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y)))

/* A sign becomes the bit of its lane, and the bits of all lanes add up. */
#define SIMD_HOST_TEST
ARM_TEST(v128_any_true, uint32x4_t, vmaxvq_u32(x) != 0)
ARM_TEST(i8x16_all_true, uint8x16_t, vminvq_u8(x) != 0)
ARM_TEST(i16x8_all_true, uint16x8_t, vminvq_u16(x) != 0)
ARM_TEST(i32x4_all_true, uint32x4_t, vminvq_u32(x) != 0)
ARM_TEST(i64x2_all_true, uint64x2_t, (x[0] != 0) & (x[1] != 0))
static inline uint32_t simd_i8x16_bitmask(v128 a) {
  const uint8x16_t bits = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t set = vandq_u8((uint8x16_t)vshrq_n_s8((int8x16_t)a, 7), bits);
  return (uint32_t)vaddv_u8(vget_low_u8(set)) | (uint32_t)vaddv_u8(vget_high_u8(set)) << 8;
}
ARM_TEST(i16x8_bitmask, int16x8_t, vaddvq_u16(vandq_u16((uint16x8_t)vshrq_n_s16(x, 15), (uint16x8_t){1, 2, 4, 8, 16, 32, 64, 128})))
ARM_TEST(i32x4_bitmask, int32x4_t, vaddvq_u32(vandq_u32((uint32x4_t)vshrq_n_s32(x, 31), (uint32x4_t){1, 2, 4, 8})))
ARM_TEST(i64x2_bitmask, uint64x2_t, x[0] >> 63 | x[1] >> 63 << 1)

/* A permutation gives zero for any index that is out of range. */
#define SIMD_HOST_SHUFFLE
ARM_2(i8x16_swizzle, uint8x16_t, vqtbl1q_u8(x, y))
static inline v128 simd_i8x16_shuffle(v128 a, v128 b, const uint8_t lanes[16]) {
  const uint8x16x2_t from = {{(uint8x16_t)a, (uint8x16_t)b}};
  return (v128)vqtbl2q_u8(from, vld1q_u8(lanes));
}
static inline v128 simd_i8x16_permute(v128 a, const uint8_t lanes[16]) { return (v128)vqtbl1q_u8((uint8x16_t)a, vld1q_u8(lanes)); }

#define SIMD_HOST_FLOAT
#define SIMD_HOST_ROUND
#define ARM_FLOAT(F, V, f) \
  ARM_1(F##_sqrt, V, vsqrtq_##f(x)) \
  ARM_2(F##_min, V, vminq_##f(x, y)) \
  ARM_2(F##_max, V, vmaxq_##f(x, y)) \
  ARM_2(F##_pmin, V, vbslq_##f(vcltq_##f(y, x), y, x)) \
  ARM_2(F##_pmax, V, vbslq_##f(vcltq_##f(x, y), y, x)) \
  ARM_1(F##_ceil, V, vrndpq_##f(x)) \
  ARM_1(F##_floor, V, vrndmq_##f(x)) \
  ARM_1(F##_trunc, V, vrndq_##f(x)) \
  ARM_1(F##_nearest, V, vrndnq_##f(x))
ARM_FLOAT(f32x4, float32x4_t, f32)
ARM_FLOAT(f64x2, float64x2_t, f64)

/* Conversions saturate and take NaN to zero; saturation to 64 bits first and to 32 then is the same. */
#define SIMD_HOST_CONVERT
ARM_1(i32x4_trunc_sat_f32x4_s, float32x4_t, vcvtq_s32_f32(x))
ARM_1(i32x4_trunc_sat_f32x4_u, float32x4_t, vcvtq_u32_f32(x))
ARM_1(i32x4_trunc_sat_f64x2_s_zero, float64x2_t, vcombine_s32(vqmovn_s64(vcvtq_s64_f64(x)), vdup_n_s32(0)))
ARM_1(i32x4_trunc_sat_f64x2_u_zero, float64x2_t, vcombine_u32(vqmovn_u64(vcvtq_u64_f64(x)), vdup_n_u32(0)))
ARM_1(f32x4_demote_f64x2_zero, float64x2_t, vcombine_f32(vcvt_f32_f64(x), vdup_n_f32(0)))
ARM_1(f64x2_promote_low_f32x4, float32x4_t, vcvt_f64_f32(vget_low_f32(x)))
ARM_1(f64x2_convert_low_i32x4_s, int32x4_t, vcvtq_f64_s64(vmovl_s32(vget_low_s32(x))))
ARM_1(f64x2_convert_low_i32x4_u, uint32x4_t, vcvtq_f64_u64(vmovl_u32(vget_low_u32(x))))

#undef ARM_1
#undef ARM_2
#undef ARM_TEST
#undef ARM_MINMAX
#undef ARM_SATURATE
#undef ARM_EXTEND
#undef ARM_EXTMUL
#undef ARM_FLOAT

#endif
