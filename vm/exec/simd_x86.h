/* What x86 does better than the compiler makes of simd.h's C: SSE2, the baseline of x86-64, and SSSE3 and SSE4.1 where the compiler may use
 * them. The results are the same, but for the relaxed instructions at the end. */
#ifndef EXEC_SIMD_X86_H
#define EXEC_SIMD_X86_H

#include <cpuid.h>
#include <emmintrin.h>
#ifdef __SSSE3__
#include <tmmintrin.h>
#endif
#ifdef __SSE4_1__
#include <smmintrin.h>
#endif

#include "exec/simd_v128.h"

/* An operation on integers x (and y) or, by the suffix, on four floats or two doubles. */
#define X86_1(id, expr) \
  static inline v128 simd_##id(v128 a) { \
    const __m128i x = (__m128i)a; \
    return (v128)(expr); \
  }
#define X86_2(id, expr) \
  static inline v128 simd_##id(v128 a, v128 b) { \
    const __m128i x = (__m128i)a, y = (__m128i)b; \
    return (v128)(expr); \
  }
#define X86_TEST(id, expr) \
  static inline uint32_t simd_##id(v128 a) { \
    const __m128i x = (__m128i)a; \
    return (uint32_t)(expr); \
  }
#define X86_1PS(id, expr) \
  static inline v128 simd_##id(v128 a) { \
    const __m128 x = (__m128)a; \
    return (v128)(expr); \
  }
#define X86_1PD(id, expr) \
  static inline v128 simd_##id(v128 a) { \
    const __m128d x = (__m128d)a; \
    return (v128)(expr); \
  }
#define X86_2PS(id, expr) \
  static inline v128 simd_##id(v128 a, v128 b) { \
    const __m128 x = (__m128)a, y = (__m128)b; \
    return (v128)(expr); \
  }
#define X86_2PD(id, expr) \
  static inline v128 simd_##id(v128 a, v128 b) { \
    const __m128d x = (__m128d)a, y = (__m128d)b; \
    return (v128)(expr); \
  }

#define X86_ZERO _mm_setzero_si128()

/* 64-bit lanes compare by their halves: equal if both are; where the upper ones are equal the difference borrows if the lower is less. */
#define SIMD_HOST_COMPARE64
static inline __m128i x86_eq64(__m128i x, __m128i y) {
  const __m128i eq = _mm_cmpeq_epi32(x, y);
  return _mm_and_si128(eq, _mm_shuffle_epi32(eq, 0xb1));
}
static inline __m128i x86_gt64(__m128i x, __m128i y) {
  const __m128i low = _mm_and_si128(_mm_cmpeq_epi32(x, y), _mm_sub_epi64(y, x));
  return _mm_shuffle_epi32(_mm_or_si128(low, _mm_cmpgt_epi32(x, y)), 0xf5);
}
static inline __m128i x86_not(__m128i x) { return _mm_xor_si128(x, _mm_set1_epi32(-1)); }
X86_2(i64x2_eq, x86_eq64(x, y))
X86_2(i64x2_ne, x86_not(x86_eq64(x, y)))
X86_2(i64x2_lt_s, x86_gt64(y, x))
X86_2(i64x2_gt_s, x86_gt64(x, y))
X86_2(i64x2_le_s, x86_not(x86_gt64(x, y)))
X86_2(i64x2_ge_s, x86_not(x86_gt64(y, x)))

#define SIMD_HOST_MINMAX
X86_2(i8x16_min_u, _mm_min_epu8(x, y))
X86_2(i8x16_max_u, _mm_max_epu8(x, y))
X86_2(i16x8_min_s, _mm_min_epi16(x, y))
X86_2(i16x8_max_s, _mm_max_epi16(x, y))
#ifdef __SSE4_1__
X86_2(i8x16_min_s, _mm_min_epi8(x, y))
X86_2(i8x16_max_s, _mm_max_epi8(x, y))
X86_2(i16x8_min_u, _mm_min_epu16(x, y))
X86_2(i16x8_max_u, _mm_max_epu16(x, y))
X86_2(i32x4_min_s, _mm_min_epi32(x, y))
X86_2(i32x4_max_s, _mm_max_epi32(x, y))
X86_2(i32x4_min_u, _mm_min_epu32(x, y))
X86_2(i32x4_max_u, _mm_max_epu32(x, y))
#else
X86_2(i16x8_min_u, _mm_sub_epi16(x, _mm_subs_epu16(x, y)))
X86_2(i16x8_max_u, _mm_add_epi16(y, _mm_subs_epu16(x, y)))
SIMD_OP2(i8x16_min_s, i8x16, SIMD_SELECT(x < y, x, y))
SIMD_OP2(i8x16_max_s, i8x16, SIMD_SELECT(x > y, x, y))
SIMD_OP2(i32x4_min_s, i32x4, SIMD_SELECT(x < y, x, y))
SIMD_OP2(i32x4_max_s, i32x4, SIMD_SELECT(x > y, x, y))
SIMD_OP2(i32x4_min_u, u32x4, SIMD_SELECT(x < y, x, y))
SIMD_OP2(i32x4_max_u, u32x4, SIMD_SELECT(x > y, x, y))
#endif

/* The rounding product of Q15 from both halves h, l of the 32-bit product: 2h and the two top bits of l, rounded, which is what an average with zero does. Only
 * -1 * -1 overflows, to 0x8000, whose complement is the answer. */
#define SIMD_HOST_SATURATE
X86_2(i8x16_add_sat_s, _mm_adds_epi8(x, y))
X86_2(i8x16_add_sat_u, _mm_adds_epu8(x, y))
X86_2(i8x16_sub_sat_s, _mm_subs_epi8(x, y))
X86_2(i8x16_sub_sat_u, _mm_subs_epu8(x, y))
X86_2(i8x16_avgr_u, _mm_avg_epu8(x, y))
X86_2(i16x8_add_sat_s, _mm_adds_epi16(x, y))
X86_2(i16x8_add_sat_u, _mm_adds_epu16(x, y))
X86_2(i16x8_sub_sat_s, _mm_subs_epi16(x, y))
X86_2(i16x8_sub_sat_u, _mm_subs_epu16(x, y))
X86_2(i16x8_avgr_u, _mm_avg_epu16(x, y))
static inline __m128i x86_q15mulr(__m128i x, __m128i y) {
#ifdef __SSSE3__
  return _mm_mulhrs_epi16(x, y);
#else
  const __m128i high = _mm_mulhi_epi16(x, y), low = _mm_mullo_epi16(x, y);
  return _mm_add_epi16(_mm_add_epi16(high, high), _mm_avg_epu16(_mm_srli_epi16(low, 14), X86_ZERO));
#endif
}
static inline v128 simd_i16x8_q15mulr_sat_s(v128 a, v128 b) {
  const __m128i r = x86_q15mulr((__m128i)a, (__m128i)b);
  return (v128)_mm_xor_si128(r, _mm_cmpeq_epi16(r, _mm_set1_epi16(INT16_MIN)));
}

/* Without SSE4.1 32 bits narrow with signed saturation only: clear the negative ones, shift the range by 2^15 and back. */
#define SIMD_HOST_NARROW
X86_2(i8x16_narrow_i16x8_s, _mm_packs_epi16(x, y))
X86_2(i8x16_narrow_i16x8_u, _mm_packus_epi16(x, y))
X86_2(i16x8_narrow_i32x4_s, _mm_packs_epi32(x, y))
#ifdef __SSE4_1__
X86_2(i16x8_narrow_i32x4_u, _mm_packus_epi32(x, y))
#else
static inline __m128i x86_centre16(__m128i x) {
  return _mm_sub_epi32(_mm_andnot_si128(_mm_srai_epi32(x, 31), x), _mm_set1_epi32(0x8000));
}
X86_2(i16x8_narrow_i32x4_u, _mm_xor_si128(_mm_packs_epi32(x86_centre16(x), x86_centre16(y)), _mm_set1_epi16(INT16_MIN)))
#endif

#define SIMD_HOST_EXTEND
X86_1(i16x8_extend_low_i8x16_s, _mm_srai_epi16(_mm_unpacklo_epi8(x, x), 8))
X86_1(i16x8_extend_high_i8x16_s, _mm_srai_epi16(_mm_unpackhi_epi8(x, x), 8))
X86_1(i16x8_extend_low_i8x16_u, _mm_unpacklo_epi8(x, X86_ZERO))
X86_1(i16x8_extend_high_i8x16_u, _mm_unpackhi_epi8(x, X86_ZERO))
X86_1(i32x4_extend_low_i16x8_s, _mm_srai_epi32(_mm_unpacklo_epi16(x, x), 16))
X86_1(i32x4_extend_high_i16x8_s, _mm_srai_epi32(_mm_unpackhi_epi16(x, x), 16))
X86_1(i32x4_extend_low_i16x8_u, _mm_unpacklo_epi16(x, X86_ZERO))
X86_1(i32x4_extend_high_i16x8_u, _mm_unpackhi_epi16(x, X86_ZERO))
X86_1(i64x2_extend_low_i32x4_s, _mm_unpacklo_epi32(x, _mm_srai_epi32(x, 31)))
X86_1(i64x2_extend_high_i32x4_s, _mm_unpackhi_epi32(x, _mm_srai_epi32(x, 31)))
X86_1(i64x2_extend_low_i32x4_u, _mm_unpacklo_epi32(x, X86_ZERO))
X86_1(i64x2_extend_high_i32x4_u, _mm_unpackhi_epi32(x, X86_ZERO))

#define SIMD_HOST_MULTIPLY
X86_2(i32x4_extmul_low_i16x8_s, _mm_unpacklo_epi16(_mm_mullo_epi16(x, y), _mm_mulhi_epi16(x, y)))
X86_2(i32x4_extmul_high_i16x8_s, _mm_unpackhi_epi16(_mm_mullo_epi16(x, y), _mm_mulhi_epi16(x, y)))
X86_2(i32x4_extmul_low_i16x8_u, _mm_unpacklo_epi16(_mm_mullo_epi16(x, y), _mm_mulhi_epu16(x, y)))
X86_2(i32x4_extmul_high_i16x8_u, _mm_unpackhi_epi16(_mm_mullo_epi16(x, y), _mm_mulhi_epu16(x, y)))
/* The product of the even lanes. A negative factor taken as unsigned is 2^32 too large: the other factor comes off the upper half. */
static inline __m128i x86_mul32_s(__m128i x, __m128i y) {
#ifdef __SSE4_1__
  return _mm_mul_epi32(x, y);
#else
  const __m128i excess = _mm_add_epi32(_mm_and_si128(_mm_srai_epi32(x, 31), y), _mm_and_si128(_mm_srai_epi32(y, 31), x));
  return _mm_sub_epi64(_mm_mul_epu32(x, y), _mm_slli_epi64(excess, 32));
#endif
}
X86_2(i64x2_extmul_low_i32x4_s, x86_mul32_s(_mm_shuffle_epi32(x, 0x50), _mm_shuffle_epi32(y, 0x50)))
X86_2(i64x2_extmul_high_i32x4_s, x86_mul32_s(_mm_shuffle_epi32(x, 0xfa), _mm_shuffle_epi32(y, 0xfa)))
X86_2(i64x2_extmul_low_i32x4_u, _mm_mul_epu32(_mm_shuffle_epi32(x, 0x50), _mm_shuffle_epi32(y, 0x50)))
X86_2(i64x2_extmul_high_i32x4_u, _mm_mul_epu32(_mm_shuffle_epi32(x, 0xfa), _mm_shuffle_epi32(y, 0xfa)))

#define SIMD_HOST_DOT
X86_1(i32x4_extadd_pairwise_i16x8_s, _mm_madd_epi16(x, _mm_set1_epi16(1)))
X86_2(i32x4_dot_i16x8_s, _mm_madd_epi16(x, y))

#define SIMD_HOST_TEST
X86_TEST(v128_any_true, _mm_movemask_epi8(_mm_cmpeq_epi8(x, X86_ZERO)) != 0xffff)
X86_TEST(i8x16_all_true, _mm_movemask_epi8(_mm_cmpeq_epi8(x, X86_ZERO)) == 0)
X86_TEST(i16x8_all_true, _mm_movemask_epi8(_mm_cmpeq_epi16(x, X86_ZERO)) == 0)
X86_TEST(i32x4_all_true, _mm_movemask_epi8(_mm_cmpeq_epi32(x, X86_ZERO)) == 0)
X86_TEST(i64x2_all_true, _mm_movemask_epi8(x86_eq64(x, X86_ZERO)) == 0)
X86_TEST(i8x16_bitmask, _mm_movemask_epi8(x))
X86_TEST(i16x8_bitmask, _mm_movemask_epi8(_mm_packs_epi16(x, X86_ZERO)))
X86_TEST(i32x4_bitmask, _mm_movemask_ps((__m128)x))
X86_TEST(i64x2_bitmask, _mm_movemask_pd((__m128d)x))

/* The processor's permutation gives zero for an index with the highest bit set. SSE2 has none: simd.h's way by memory stays. */
#ifdef __SSSE3__
#define SIMD_HOST_SHUFFLE
static inline v128 simd_i8x16_shuffle(v128 a, v128 b, const uint8_t lanes[16]) {
  const __m128i i = (__m128i)v128_load(lanes);
  const __m128i of_a = _mm_or_si128(i, _mm_cmpgt_epi8(i, _mm_set1_epi8(15))), of_b = _mm_sub_epi8(i, _mm_set1_epi8(16));
  return (v128)_mm_or_si128(_mm_shuffle_epi8((__m128i)a, of_a), _mm_shuffle_epi8((__m128i)b, of_b));
}
static inline v128 simd_i8x16_permute(v128 a, const uint8_t lanes[16]) { return (v128)_mm_shuffle_epi8((__m128i)a, (__m128i)v128_load(lanes)); }
X86_2(i8x16_swizzle, _mm_shuffle_epi8(x, _mm_adds_epu8(y, _mm_set1_epi8(0x70))))
#endif

/* The processor's minimum and maximum give the second operand when neither is less, zeros of either sign and NaNs included. Both orders
 * together settle the sign of zero; where there is a NaN the canonical one is put. */
#define SIMD_HOST_FLOAT
X86_1PS(f32x4_sqrt, _mm_sqrt_ps(x))
X86_1PD(f64x2_sqrt, _mm_sqrt_pd(x))
X86_2PS(f32x4_pmin, _mm_min_ps(y, x))
X86_2PD(f64x2_pmin, _mm_min_pd(y, x))
X86_2PS(f32x4_pmax, _mm_max_ps(y, x))
X86_2PD(f64x2_pmax, _mm_max_pd(y, x))
static inline __m128 x86_canonical_ps(__m128 r, __m128 nan) {
  return _mm_andnot_ps((__m128)_mm_srli_epi32((__m128i)nan, 10), _mm_or_ps(r, nan));
}
static inline __m128d x86_canonical_pd(__m128d r, __m128d nan) {
  return _mm_andnot_pd((__m128d)_mm_srli_epi64((__m128i)nan, 13), _mm_or_pd(r, nan));
}
X86_2PS(f32x4_min, x86_canonical_ps(_mm_or_ps(_mm_min_ps(x, y), _mm_min_ps(y, x)), _mm_cmpunord_ps(x, y)))
X86_2PD(f64x2_min, x86_canonical_pd(_mm_or_pd(_mm_min_pd(x, y), _mm_min_pd(y, x)), _mm_cmpunord_pd(x, y)))
X86_2PS(f32x4_max, x86_canonical_ps(_mm_and_ps(_mm_max_ps(x, y), _mm_max_ps(y, x)), _mm_cmpunord_ps(x, y)))
X86_2PD(f64x2_max, x86_canonical_pd(_mm_and_pd(_mm_max_pd(x, y), _mm_max_pd(y, x)), _mm_cmpunord_pd(x, y)))

#define SIMD_HOST_ROUND
#ifdef __SSE4_1__
X86_1PS(f32x4_ceil, _mm_ceil_ps(x))
X86_1PD(f64x2_ceil, _mm_ceil_pd(x))
X86_1PS(f32x4_floor, _mm_floor_ps(x))
X86_1PD(f64x2_floor, _mm_floor_pd(x))
X86_1PS(f32x4_trunc, _mm_round_ps(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC))
X86_1PD(f64x2_trunc, _mm_round_pd(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC))
X86_1PS(f32x4_nearest, _mm_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC))
X86_1PD(f64x2_nearest, _mm_round_pd(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC))
#else
/* As the scalar ones in num.h, for all lanes. The ones that are subtracted are there or are zeros, by a mask. */
#define X86_ROUND(F, U, sign, huge, one) \
  static inline v128 simd_##F##_nearest(v128 a) { \
    const U magnitude = (U)a & ~(sign), above = (U)a & (sign); \
    const F shift = (F)(((U)((F)magnitude < (F){0} + (huge)) & (U)((F){0} + (huge))) | above); \
    return (v128)((U)(((F)a + shift) - shift) | above); \
  } \
  static inline v128 simd_##F##_floor(v128 a) { \
    const F r = (F)simd_##F##_nearest(a); \
    return (v128)(r - (F)((U)(r > (F)a) & (U)((F){0} + (one)))); \
  } \
  static inline v128 simd_##F##_ceil(v128 a) { \
    const F r = (F)simd_##F##_nearest(a); \
    return (v128)((U)(r - (F)((U)(r < (F)a) & (U)((F){0} - (one)))) | ((U)a & (sign))); \
  } \
  static inline v128 simd_##F##_trunc(v128 a) { \
    return (v128)((U)simd_##F##_floor((v128)((U)a & ~(sign))) | ((U)a & (sign))); \
  }
X86_ROUND(f32x4, u32x4, F32_SIGN, 0x1p23f, 1.0f)
X86_ROUND(f64x2, u64x2, F64_SIGN, 0x1p52, 1.0)
#undef X86_ROUND
#endif

/* Conversion to i32 gives 0x80000000 for all that does not fit: right for what is too small; NaNs become zeros before, what is too large is
 * complemented or cut. Unsigned numbers from 2^31 on are converted without these 2^31. */
#define SIMD_HOST_CONVERT
static inline v128 simd_i32x4_trunc_sat_f32x4_s(v128 a) {
  const __m128 x = (__m128)a, large = _mm_cmpge_ps(x, _mm_set1_ps(0x1p31f));
  const __m128i r = _mm_cvttps_epi32(_mm_and_ps(x, _mm_cmpord_ps(x, x)));
  return (v128)_mm_xor_si128(r, (__m128i)large);
}
static inline v128 simd_i32x4_trunc_sat_f32x4_u(v128 a) {
  const __m128 limit = _mm_set1_ps(0x1p31f), x = _mm_max_ps((__m128)a, _mm_setzero_ps()), rest = _mm_sub_ps(x, limit);
  const __m128i high = _mm_xor_si128(_mm_cvttps_epi32(_mm_max_ps(rest, _mm_setzero_ps())), (__m128i)_mm_cmpge_ps(rest, limit));
  return (v128)_mm_add_epi32(_mm_cvttps_epi32(x), high);
}
static inline v128 simd_i32x4_trunc_sat_f64x2_s_zero(v128 a) {
  const __m128d x = (__m128d)a;
  return (v128)_mm_cvttpd_epi32(_mm_min_pd(_mm_and_pd(x, _mm_cmpord_pd(x, x)), _mm_set1_pd(0x7fffffff)));
}
static inline v128 simd_i32x4_trunc_sat_f64x2_u_zero(v128 a) {
  const __m128d limit = _mm_set1_pd(0x1p31);
  const __m128d x = _mm_min_pd(_mm_max_pd((__m128d)a, _mm_setzero_pd()), _mm_set1_pd(0xffffffff)), large = _mm_cmpge_pd(x, limit);
  const __m128i r = _mm_cvttpd_epi32(_mm_sub_pd(x, _mm_and_pd(large, limit)));
  return (v128)_mm_xor_si128(r, _mm_slli_epi32(_mm_move_epi64(_mm_shuffle_epi32((__m128i)large, 0x08)), 31));
}
X86_1PD(f32x4_demote_f64x2_zero, _mm_cvtpd_ps(x))
X86_1PS(f64x2_promote_low_f32x4, _mm_cvtps_pd(x))
X86_1(f64x2_convert_low_i32x4_s, _mm_cvtepi32_pd(x))
/* Below the exponent of 2^52 the bits of a double are an integer. */
X86_1(f64x2_convert_low_i32x4_u, _mm_sub_pd((__m128d)_mm_unpacklo_epi32(x, _mm_set1_epi32(0x43300000)), _mm_set1_pd(0x1p52)))

/* Relaxed: the processor's own minimum, maximum and conversion. */
#define SIMD_HOST_RELAXED
X86_2PS(f32x4_relaxed_min, _mm_min_ps(x, y))
X86_2PS(f32x4_relaxed_max, _mm_max_ps(x, y))
X86_2PD(f64x2_relaxed_min, _mm_min_pd(x, y))
X86_2PD(f64x2_relaxed_max, _mm_max_pd(x, y))
X86_1PS(i32x4_relaxed_trunc_f32x4_s, _mm_cvttps_epi32(x))
X86_1PD(i32x4_relaxed_trunc_f64x2_s_zero, _mm_cvttpd_epi32(x))

/* What SSSE3 and SSE4.1 do in one instruction, for processors that have them although the compiler may not use them: it leaves assembly alone. */
#if defined(__GNUC__) && !defined(__SSE4_1__) && !defined(__SSSE3__)
#define SIMD_HOST_TWINS
static inline bool simd_has_twins(void) {
  unsigned eax, ebx, ecx, edx;
  __cpuid(1, eax, ebx, ecx, edx);
  return (ecx & bit_SSSE3) && (ecx & bit_SSE4_1);
}
#define X86_TWIN1(id, instruction) \
  static inline v128 simd_##id##_cpu(v128 a) { \
    v128 r; \
    __asm__(instruction " %1, %0" : "=x"(r) : "x"(a)); \
    return r; \
  }
#define X86_TWIN2(id, instruction) \
  static inline v128 simd_##id##_cpu(v128 a, v128 b) { \
    __asm__(instruction " %1, %0" : "+x"(a) : "x"(b)); \
    return a; \
  }
X86_TWIN1(f32x4_nearest, "roundps $8,")
X86_TWIN1(f32x4_floor, "roundps $9,")
X86_TWIN1(f32x4_ceil, "roundps $10,")
X86_TWIN1(f32x4_trunc, "roundps $11,")
X86_TWIN1(f64x2_nearest, "roundpd $8,")
X86_TWIN1(f64x2_floor, "roundpd $9,")
X86_TWIN1(f64x2_ceil, "roundpd $10,")
X86_TWIN1(f64x2_trunc, "roundpd $11,")
X86_TWIN2(i32x4_mul, "pmulld")
X86_TWIN2(i32x4_min_s, "pminsd")
X86_TWIN2(i32x4_min_u, "pminud")
X86_TWIN2(i32x4_max_s, "pmaxsd")
X86_TWIN2(i32x4_max_u, "pmaxud")
X86_TWIN2(x86_pshufb, "pshufb")
static inline v128 simd_i8x16_swizzle_cpu(v128 a, v128 b) {
  return simd_x86_pshufb_cpu(a, (v128)_mm_adds_epu8((__m128i)b, _mm_set1_epi8(0x70)));
}
static inline v128 simd_i8x16_relaxed_swizzle_cpu(v128 a, v128 b) { return simd_i8x16_swizzle_cpu(a, b); }
static inline v128 simd_i8x16_permute_cpu(v128 a, const uint8_t lanes[16]) { return simd_x86_pshufb_cpu(a, v128_load(lanes)); }
static inline v128 simd_i8x16_shuffle_cpu(v128 a, v128 b, const uint8_t lanes[16]) {
  const __m128i i = (__m128i)v128_load(lanes);
  const v128 of_a = (v128)_mm_or_si128(i, _mm_cmpgt_epi8(i, _mm_set1_epi8(15))), of_b = (v128)_mm_sub_epi8(i, _mm_set1_epi8(16));
  return simd_x86_pshufb_cpu(a, of_a) | simd_x86_pshufb_cpu(b, of_b);
}
#undef X86_TWIN1
#undef X86_TWIN2
#endif

#undef X86_1
#undef X86_2
#undef X86_TEST
#undef X86_1PS
#undef X86_1PD
#undef X86_2PS
#undef X86_2PD
#undef X86_ZERO

#endif
