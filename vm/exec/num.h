/* The numeric instructions as pure functions (core/exec/numerics), named as in ops.def; what is a plain C operator on unsigned integers
 * or floats is missing here. Knows nothing of frames, cells and traps: where an instruction traps, the caller asks first or is told.
 *
 * Floats: operations that compute take and give float and double and quiet every NaN; those that only touch the sign or move bits work on the bits, since
 * some hosts quiet a NaN that merely passes through a float (x87). The host rounds to nearest, evaluates in the declared
 * type and does not contract a*b+c (gcc: -ffp-contract=off).
 *
 * -DNUM_PORTABLE asks for what a compiler without gcc's extensions gets. */
#ifndef EXEC_NUM_H
#define EXEC_NUM_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "floats must be evaluated in their own type (i386: -msse2 -mfpmath=sse; gcc for s390: -fexcess-precision=fast)"
#endif
#ifdef __FAST_MATH__
#error "WebAssembly's floats are IEEE 754's: no -ffast-math"
#endif
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

/* What stands between a float and an integer (core/exec/numerics#op-trunc-u): the trapping truncations say which trap it is. */
enum num_trap { NUM_OK, NUM_INVALID, NUM_OVERFLOW }; /* "invalid conversion to integer", "integer overflow" */

/* Bits */

static inline uint32_t i32_reinterpret_f32(float x) {
  uint32_t r;
  memcpy(&r, &x, sizeof r);
  return r;
}

static inline uint64_t i64_reinterpret_f64(double x) {
  uint64_t r;
  memcpy(&r, &x, sizeof r);
  return r;
}

static inline float f32_reinterpret_i32(uint32_t x) {
  float r;
  memcpy(&r, &x, sizeof r);
  return r;
}

static inline double f64_reinterpret_i64(uint64_t x) {
  double r;
  memcpy(&r, &x, sizeof r);
  return r;
}

static inline bool f32_is_nan(float x) { return x != x; }
static inline bool f64_is_nan(double x) { return x != x; }

static inline uint32_t i32_popcnt(uint32_t x) {
#if defined(__POPCNT__) && !defined(NUM_PORTABLE)
  return (uint32_t)__builtin_popcount(x);
#else
  x -= x >> 1 & 0x55555555u;
  x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
  return ((x + (x >> 4)) & 0x0f0f0f0fu) * 0x01010101u >> 24;
#endif
}

static inline uint64_t i64_popcnt(uint64_t x) {
#if defined(__POPCNT__) && !defined(NUM_PORTABLE)
  return (uint64_t)__builtin_popcountll(x);
#else
  x -= x >> 1 & 0x5555555555555555u;
  x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
  return ((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56;
#endif
}

#if defined(__GNUC__) && !defined(NUM_PORTABLE)
static inline uint32_t i32_clz(uint32_t x) { return x ? (uint32_t)__builtin_clz(x) : 32; }
static inline uint32_t i32_ctz(uint32_t x) { return x ? (uint32_t)__builtin_ctz(x) : 32; }
static inline uint64_t i64_clz(uint64_t x) { return x ? (uint64_t)__builtin_clzll(x) : 64; }
static inline uint64_t i64_ctz(uint64_t x) { return x ? (uint64_t)__builtin_ctzll(x) : 64; }
#else
static inline uint32_t i32_ctz(uint32_t x) { return i32_popcnt(~x & (x - 1)); }
static inline uint64_t i64_ctz(uint64_t x) { return i64_popcnt(~x & (x - 1)); }
static inline uint32_t i32_clz(uint32_t x) {
  for (unsigned n = 1; n < 32; n *= 2) x |= x >> n;
  return i32_popcnt(~x);
}
static inline uint64_t i64_clz(uint64_t x) {
  for (unsigned n = 1; n < 64; n *= 2) x |= x >> n;
  return i64_popcnt(~x);
}
#endif

/* Integers */

static inline uint32_t i32_add(uint32_t a, uint32_t b) { return a + b; }
static inline uint64_t i64_add(uint64_t a, uint64_t b) { return a + b; }
static inline uint32_t i32_sub(uint32_t a, uint32_t b) { return a - b; }
static inline uint64_t i64_sub(uint64_t a, uint64_t b) { return a - b; }
static inline uint32_t i32_mul(uint32_t a, uint32_t b) { return a * b; }
static inline uint64_t i64_mul(uint64_t a, uint64_t b) { return a * b; }
static inline uint32_t i32_and(uint32_t a, uint32_t b) { return a & b; }
static inline uint64_t i64_and(uint64_t a, uint64_t b) { return a & b; }
static inline uint32_t i32_or(uint32_t a, uint32_t b) { return a | b; }
static inline uint64_t i64_or(uint64_t a, uint64_t b) { return a | b; }
static inline uint32_t i32_xor(uint32_t a, uint32_t b) { return a ^ b; }
static inline uint64_t i64_xor(uint64_t a, uint64_t b) { return a ^ b; }
static inline uint32_t i32_shl(uint32_t a, uint32_t n) { return a << (n & 31); }
static inline uint64_t i64_shl(uint64_t a, uint64_t n) { return a << (n & 63); }
static inline uint32_t i32_shr_u(uint32_t a, uint32_t n) { return a >> (n & 31); }
static inline uint64_t i64_shr_u(uint64_t a, uint64_t n) { return a >> (n & 63); }
static inline uint32_t i32_rotl(uint32_t a, uint32_t n) { return a << (n & 31) | a >> (-n & 31); }
static inline uint64_t i64_rotl(uint64_t a, uint64_t n) { return a << (n & 63) | a >> (-n & 63); }
static inline uint32_t i32_rotr(uint32_t a, uint32_t n) { return a >> (n & 31) | a << (-n & 31); }
static inline uint64_t i64_rotr(uint64_t a, uint64_t n) { return a >> (n & 63) | a << (-n & 63); }

/* C leaves >> of negative numbers to the compiler; all known ones copy the sign, others take the long way. */
#define NUM_SHIFT_COPIES_SIGN ((-1 >> 1) == -1)
static inline uint32_t i32_shr_s(uint32_t a, uint32_t n) {
  if (NUM_SHIFT_COPIES_SIGN) return (uint32_t)((int32_t)a >> (n & 31));
  return a >> 31 ? ~(~a >> (n & 31)) : a >> (n & 31);
}
static inline uint64_t i64_shr_s(uint64_t a, uint64_t n) {
  if (NUM_SHIFT_COPIES_SIGN) return (uint64_t)((int64_t)a >> (n & 63));
  return a >> 63 ? ~(~a >> (n & 63)) : a >> (n & 63);
}
#undef NUM_SHIFT_COPIES_SIGN

/* Division: the divisor is not zero; the quotients of div_s do not overflow either. */
static inline bool i32_div_s_overflows(uint32_t a, uint32_t b) { return b == UINT32_MAX && a == 0x80000000u; }
static inline bool i64_div_s_overflows(uint64_t a, uint64_t b) { return b == UINT64_MAX && a == 0x8000000000000000u; }
static inline uint32_t i32_div_s(uint32_t a, uint32_t b) { return (uint32_t)((int32_t)a / (int32_t)b); }
static inline uint64_t i64_div_s(uint64_t a, uint64_t b) { return (uint64_t)((int64_t)a / (int64_t)b); }
static inline uint32_t i32_div_u(uint32_t a, uint32_t b) { return a / b; }
static inline uint64_t i64_div_u(uint64_t a, uint64_t b) { return a / b; }
static inline uint32_t i32_rem_u(uint32_t a, uint32_t b) { return a % b; }
static inline uint64_t i64_rem_u(uint64_t a, uint64_t b) { return a % b; }
static inline uint32_t i32_rem_s(uint32_t a, uint32_t b) {
  return b == UINT32_MAX ? 0 : (uint32_t)((int32_t)a % (int32_t)b);
}
static inline uint64_t i64_rem_s(uint64_t a, uint64_t b) {
  return b == UINT64_MAX ? 0 : (uint64_t)((int64_t)a % (int64_t)b);
}

static inline uint32_t i32_extend8_s(uint32_t x) { return (uint32_t)(int8_t)x; }
static inline uint32_t i32_extend16_s(uint32_t x) { return (uint32_t)(int16_t)x; }
static inline uint64_t i64_extend8_s(uint64_t x) { return (uint64_t)(int8_t)x; }
static inline uint64_t i64_extend16_s(uint64_t x) { return (uint64_t)(int16_t)x; }
static inline uint64_t i64_extend32_s(uint64_t x) { return (uint64_t)(int32_t)x; }
static inline uint64_t i64_extend_i32_s(uint32_t x) { return (uint64_t)(int32_t)x; }
static inline uint64_t i64_extend_i32_u(uint32_t x) { return x; }
static inline uint32_t i32_wrap_i64(uint64_t x) { return (uint32_t)x; }

/* Wide arithmetic: 128 bits as two halves. */
struct num_wide {
  uint64_t lo, hi;
};

static inline struct num_wide i64_add128(uint64_t al, uint64_t ah, uint64_t bl, uint64_t bh) {
  uint64_t lo = al + bl;
  return (struct num_wide){lo, ah + bh + (lo < al)};
}

static inline struct num_wide i64_sub128(uint64_t al, uint64_t ah, uint64_t bl, uint64_t bh) {
  return (struct num_wide){al - bl, ah - bh - (al < bl)};
}

static inline struct num_wide i64_mul_wide_u(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__) && !defined(NUM_PORTABLE)
  __extension__ unsigned __int128 p = (unsigned __int128)a * b;
  return (struct num_wide){(uint64_t)p, (uint64_t)(p >> 64)};
#else
  uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
  uint64_t low = al * bl, mid = ah * bl + (low >> 32), cross = al * bh + (uint32_t)mid;
  return (struct num_wide){cross << 32 | (uint32_t)low, ah * bh + (mid >> 32) + (cross >> 32)};
#endif
}

/* A negative factor stands for itself minus 2^64: that times the other factor comes off the upper half. */
static inline struct num_wide i64_mul_wide_s(uint64_t a, uint64_t b) {
  struct num_wide p = i64_mul_wide_u(a, b);
  p.hi -= (a >> 63 ? b : 0) + (b >> 63 ? a : 0);
  return p;
}

static inline float f32_add(float a, float b) { return a + b; }
static inline double f64_add(double a, double b) { return a + b; }
static inline float f32_sub(float a, float b) { return a - b; }
static inline double f64_sub(double a, double b) { return a - b; }
static inline float f32_mul(float a, float b) { return a * b; }
static inline double f64_mul(double a, double b) { return a * b; }

/* Signs of floats, on the bits: a NaN keeps its payload and stays as quiet or signalling as it is. */

#define F32_SIGN 0x80000000u
#define F64_SIGN 0x8000000000000000u
static inline uint32_t f32_abs(uint32_t x) { return x & ~F32_SIGN; }
static inline uint64_t f64_abs(uint64_t x) { return x & ~F64_SIGN; }
static inline uint32_t f32_neg(uint32_t x) { return x ^ F32_SIGN; }
static inline uint64_t f64_neg(uint64_t x) { return x ^ F64_SIGN; }
static inline uint32_t f32_copysign(uint32_t x, uint32_t y) { return (x & ~F32_SIGN) | (y & F32_SIGN); }
static inline uint64_t f64_copysign(uint64_t x, uint64_t y) { return (x & ~F64_SIGN) | (y & F64_SIGN); }

/* Minimum and maximum (core/exec/numerics#op-fmin): any NaN wins, -0 is below +0. The two that are neither less nor greater are equal or
 * unordered, and rare: what remains is the host's own selecting instruction. */

static inline float f32_min(float a, float b) {
  if (islessgreater(a, b)) return a < b ? a : b;
  return a == b ? f32_reinterpret_i32(i32_reinterpret_f32(a) | i32_reinterpret_f32(b)) : a + b;
}
static inline double f64_min(double a, double b) {
  if (islessgreater(a, b)) return a < b ? a : b;
  return a == b ? f64_reinterpret_i64(i64_reinterpret_f64(a) | i64_reinterpret_f64(b)) : a + b;
}
static inline float f32_max(float a, float b) {
  if (islessgreater(a, b)) return a > b ? a : b;
  return a == b ? f32_reinterpret_i32(i32_reinterpret_f32(a) & i32_reinterpret_f32(b)) : a + b;
}
static inline double f64_max(double a, double b) {
  if (islessgreater(a, b)) return a > b ? a : b;
  return a == b ? f64_reinterpret_i64(i64_reinterpret_f64(a) & i64_reinterpret_f64(b)) : a + b;
}

/* Rounding to integers. Where the host has instructions for it the library's functions become these; elsewhere a call would cost more than
 * the arithmetic: adding and taking away 2^23 (2^52) leaves no room for a fraction, to which 0 or 1 is put right. What is at least that large is
 * an integer already and meets a zero instead, which quiets a NaN. The sign of the operand is that of every result, also of zero. */

#if defined(__SSE4_1__) || defined(__aarch64__)

static inline float f32_ceil(float x) { return ceilf(x); }
static inline float f32_floor(float x) { return floorf(x); }
static inline float f32_trunc(float x) { return truncf(x); }
static inline float f32_nearest(float x) { return rintf(x); }
static inline double f64_ceil(double x) { return ceil(x); }
static inline double f64_floor(double x) { return floor(x); }
static inline double f64_trunc(double x) { return trunc(x); }
static inline double f64_nearest(double x) { return rint(x); }

#else

static inline float f32_nearest(float x) {
  uint32_t bits = i32_reinterpret_f32(x), sign = bits & F32_SIGN;
  float shift = f32_reinterpret_i32((f32_abs(bits) < 0x4b000000u ? 0x4b000000u : 0) | sign);
  return f32_reinterpret_i32(i32_reinterpret_f32((x + shift) - shift) | sign);
}
static inline double f64_nearest(double x) {
  uint64_t bits = i64_reinterpret_f64(x), sign = bits & F64_SIGN;
  double shift = f64_reinterpret_i64((f64_abs(bits) < 0x4330000000000000u ? 0x4330000000000000u : 0) | sign);
  return f64_reinterpret_i64(i64_reinterpret_f64((x + shift) - shift) | sign);
}
static inline float f32_floor(float x) {
  float r = f32_nearest(x);
  return r > x ? r - 1 : r;
}
static inline double f64_floor(double x) {
  double r = f64_nearest(x);
  return r > x ? r - 1 : r;
}
static inline float f32_ceil(float x) {
  float r = f32_nearest(x);
  r = r < x ? r + 1 : r;
  return f32_reinterpret_i32(i32_reinterpret_f32(r) | (i32_reinterpret_f32(x) & F32_SIGN));
}
static inline double f64_ceil(double x) {
  double r = f64_nearest(x);
  r = r < x ? r + 1 : r;
  return f64_reinterpret_i64(i64_reinterpret_f64(r) | (i64_reinterpret_f64(x) & F64_SIGN));
}
static inline float f32_trunc(float x) {
  uint32_t bits = i32_reinterpret_f32(x);
  float r = f32_floor(f32_reinterpret_i32(f32_abs(bits)));
  return f32_reinterpret_i32(i32_reinterpret_f32(r) | (bits & F32_SIGN));
}
static inline double f64_trunc(double x) {
  uint64_t bits = i64_reinterpret_f64(x);
  double r = f64_floor(f64_reinterpret_i64(f64_abs(bits)));
  return f64_reinterpret_i64(i64_reinterpret_f64(r) | (bits & F64_SIGN));
}

#endif

static inline float f32_sqrt(float x) { return sqrtf(x); }
static inline double f64_sqrt(double x) { return sqrt(x); }

/* Conversions to integers. lo < x < hi, or lo <= x where lo itself is a float and representable, are the operands that have a result. */

#define NUM_TRUNC(id, F, sat, U, I, in_range, min, max) \
  static inline enum num_trap id(F x, U *out) { \
    if (!(in_range)) return x != x ? NUM_INVALID : NUM_OVERFLOW; \
    *out = (U)(I)x; \
    return NUM_OK; \
  } \
  static inline U sat(F x) { \
    if (in_range) return (U)(I)x; \
    return x != x ? 0 : x < 0 ? (min) : (max); \
  }
NUM_TRUNC(i32_trunc_f32_s, float, i32_trunc_sat_f32_s, uint32_t, int32_t, x >= -0x1p31f && x < 0x1p31f, 0x80000000u, 0x7fffffffu)
NUM_TRUNC(i32_trunc_f32_u, float, i32_trunc_sat_f32_u, uint32_t, uint32_t, x > -1 && x < 0x1p32f, 0, UINT32_MAX)
NUM_TRUNC(i32_trunc_f64_s, double, i32_trunc_sat_f64_s, uint32_t, int32_t, x > -0x1.00000002p31 && x < 0x1p31, 0x80000000u, 0x7fffffffu)
NUM_TRUNC(i32_trunc_f64_u, double, i32_trunc_sat_f64_u, uint32_t, uint32_t, x > -1 && x < 0x1p32, 0, UINT32_MAX)
NUM_TRUNC(i64_trunc_f32_s, float, i64_trunc_sat_f32_s, uint64_t, int64_t, x >= -0x1p63f && x < 0x1p63f, 0x8000000000000000u, 0x7fffffffffffffffu)
NUM_TRUNC(i64_trunc_f32_u, float, i64_trunc_sat_f32_u, uint64_t, uint64_t, x > -1 && x < 0x1p64f, 0, UINT64_MAX)
NUM_TRUNC(i64_trunc_f64_s, double, i64_trunc_sat_f64_s, uint64_t, int64_t, x >= -0x1p63 && x < 0x1p63, 0x8000000000000000u, 0x7fffffffffffffffu)
NUM_TRUNC(i64_trunc_f64_u, double, i64_trunc_sat_f64_u, uint64_t, uint64_t, x > -1 && x < 0x1p64, 0, UINT64_MAX)
#undef NUM_TRUNC

/* Conversions to floats: C rounds once, to nearest, as WebAssembly does; promotion and demotion quiet a NaN. */

static inline float f32_convert_i32_s(uint32_t x) { return (float)(int32_t)x; }
static inline float f32_convert_i32_u(uint32_t x) { return (float)x; }
static inline float f32_convert_i64_s(uint64_t x) { return (float)(int64_t)x; }
static inline float f32_convert_i64_u(uint64_t x) { return (float)x; }
static inline double f64_convert_i32_s(uint32_t x) { return (int32_t)x; }
static inline double f64_convert_i32_u(uint32_t x) { return x; }
static inline double f64_convert_i64_s(uint64_t x) { return (double)(int64_t)x; }
static inline double f64_convert_i64_u(uint64_t x) { return (double)x; }
static inline float f32_demote_f64(double x) { return (float)x; }
static inline double f64_promote_f32(float x) {
#ifdef __powerpc__
  if (x != x) x += x; /* its registers hold doubles: the conversion does nothing, not even that */
#endif
  return x;
}

#endif
