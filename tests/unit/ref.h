/* References for the tests of the numeric and vector instructions: floats taken apart into integers, never computed with as floats (but for
 * + - * / and sqrt, which C defines as WebAssembly does), written for clearness and not for speed; and a source of operands. */
#ifndef TESTS_UNIT_REF_H
#define TESTS_UNIT_REF_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A float format: bits of the fraction, of the exponent. */
struct ref_format {
  unsigned fraction, exponent;
};
static const struct ref_format ref_f32 = {23, 8}, ref_f64 = {52, 11};

/* The value (-1)^negative * mantissa * 2^exponent. */
struct ref_float {
  bool nan, infinite, negative;
  uint64_t mantissa;
  int exponent;
};

static inline int ref_bias(struct ref_format f) { return (1 << (f.exponent - 1)) - 1; }
static inline uint64_t ref_infinity(struct ref_format f) { return ((UINT64_C(1) << f.exponent) - 1) << f.fraction; }
static inline uint64_t ref_quiet(struct ref_format f) { return UINT64_C(1) << (f.fraction - 1); }
static inline uint64_t ref_canonical(struct ref_format f) { return ref_infinity(f) | ref_quiet(f); }
static inline uint64_t ref_sign(struct ref_format f) { return UINT64_C(1) << (f.fraction + f.exponent); }
static inline bool ref_is_nan(struct ref_format f, uint64_t x) { return (x & (ref_sign(f) - 1)) > ref_infinity(f); }

static inline struct ref_float ref_decode(struct ref_format f, uint64_t x) {
  struct ref_float r = {0};
  uint64_t fraction = x & ((UINT64_C(1) << f.fraction) - 1);
  int e = (int)((x & ref_infinity(f)) >> f.fraction);
  r.negative = (x & ref_sign(f)) != 0;
  if (e == (1 << f.exponent) - 1) {
    r.nan = fraction != 0;
    r.infinite = !r.nan;
  } else if (e == 0) {
    r.mantissa = fraction;
    r.exponent = 1 - ref_bias(f) - (int)f.fraction;
  } else {
    r.mantissa = fraction | UINT64_C(1) << f.fraction;
    r.exponent = e - ref_bias(f) - (int)f.fraction;
  }
  return r;
}

enum ref_rounding { REF_NEAREST, REF_ZERO, REF_DOWN, REF_UP };

/* mantissa / 2^n, n > 0, rounded as its sign and the direction demand. */
static inline uint64_t ref_shift(uint64_t mantissa, int n, bool negative, enum ref_rounding rounding) {
  uint64_t quotient = n < 64 ? mantissa >> n : 0, rest = n < 64 ? mantissa & ((UINT64_C(1) << n) - 1) : mantissa;
  uint64_t half = n <= 64 ? UINT64_C(1) << (n - 1) : UINT64_MAX;
  if (rest == 0) return quotient;
  switch (rounding) {
  case REF_ZERO: return quotient;
  case REF_DOWN: return quotient + negative;
  case REF_UP: return quotient + !negative;
  default: return quotient + (n <= 64 && (rest > half || (rest == half && (quotient & 1))));
  }
}

/* The nearest float, ties to even. */
static inline uint64_t ref_encode(struct ref_format f, struct ref_float x) {
  uint64_t sign = x.negative ? ref_sign(f) : 0, m = x.mantissa;
  int least = 1 - ref_bias(f) - (int)f.fraction, e = x.exponent, length = 0, drop;
  if (x.nan) return ref_canonical(f);
  if (x.infinite) return sign | ref_infinity(f);
  if (m == 0) return sign;
  while (length < 64 && m >> length) length++;
  drop = length - (int)f.fraction - 1;
  if (e + drop < least) drop = least - e;
  if (drop > 0) m = ref_shift(m, drop, x.negative, REF_NEAREST);
  else m <<= -drop;
  e += drop;
  if (m >> f.fraction >= 2) { /* rounded up to the next power of two */
    m >>= 1;
    e++;
  }
  if (!(m >> f.fraction)) return sign | m; /* subnormal */
  e += ref_bias(f) + (int)f.fraction;
  if (e >= (1 << f.exponent) - 1) return sign | ref_infinity(f);
  return sign | (uint64_t)e << f.fraction | (m & ((UINT64_C(1) << f.fraction) - 1));
}

static inline uint64_t ref_round(struct ref_format f, uint64_t x, enum ref_rounding rounding) {
  struct ref_float v = ref_decode(f, x);
  if (v.nan || v.infinite || v.exponent >= 0) return x;
  v.mantissa = ref_shift(v.mantissa, -v.exponent, v.negative, rounding);
  v.exponent = 0;
  return ref_encode(f, v);
}

static inline uint64_t ref_from_int(struct ref_format f, uint64_t x, bool is_signed) {
  struct ref_float v = {0};
  v.negative = is_signed && x >> 63;
  v.mantissa = v.negative ? 0 - x : x;
  return ref_encode(f, v);
}

/* Truncation to an integer of that many bits, saturated: 0 it was exact, 1 it was a NaN, 2 it did not fit. */
static inline int ref_trunc(struct ref_format f, uint64_t x, unsigned bits, bool is_signed, uint64_t *out) {
  struct ref_float v = ref_decode(f, x);
  uint64_t all = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1, limit = is_signed ? all / 2 + v.negative : v.negative ? 0 : all, m;
  bool large = v.infinite;
  *out = 0;
  if (v.nan) return 1;
  if (v.exponent <= 0) m = v.exponent ? ref_shift(v.mantissa, -v.exponent, v.negative, REF_ZERO) : v.mantissa;
  else {
    large = large || v.exponent > 63 || v.mantissa > UINT64_MAX >> v.exponent;
    m = large ? 0 : v.mantissa << v.exponent;
  }
  large = large || m > limit;
  if (large) m = limit;
  *out = (v.negative ? 0 - m : m) & all;
  return large ? 2 : 0;
}

/* Order of floats that are no NaNs; -0 is below +0. */
static inline bool ref_less(struct ref_format f, uint64_t x, uint64_t y) {
  bool nx = (x & ref_sign(f)) != 0, ny = (y & ref_sign(f)) != 0;
  return nx != ny ? nx : nx ? x > y : x < y;
}

static inline bool ref_equal(struct ref_format f, uint64_t x, uint64_t y) {
  return !ref_is_nan(f, x) && !ref_is_nan(f, y) && (x == y || ((x | y) & (ref_sign(f) - 1)) == 0);
}

/* core/exec/numerics#nan-propagation: where operands x and y give a NaN, is r one that may come out? */
static inline bool ref_nan_from(struct ref_format f, uint64_t r, uint64_t x, uint64_t y) {
  uint64_t magnitude = ref_sign(f) - 1, canonical = ref_canonical(f);
  bool all = (!ref_is_nan(f, x) || (x & magnitude) == canonical) && (!ref_is_nan(f, y) || (y & magnitude) == canonical);
  if (!ref_is_nan(f, r)) return false;
  return all ? (r & magnitude) == canonical : (r & ref_quiet(f)) != 0;
}

/* The same for a NaN x that went to another format. */
static inline bool ref_nan_converted(struct ref_format to, uint64_t r, struct ref_format from, uint64_t x) {
  bool canonical = (x & (ref_sign(from) - 1)) == ref_canonical(from);
  return ref_nan_from(to, r, canonical ? ref_canonical(to) : ref_infinity(to) | 1, 0);
}

/* + - * / q (square root of x) */
static inline uint64_t ref_arithmetic(struct ref_format f, char op, uint64_t x, uint64_t y) {
  uint64_t r;
  if (f.fraction == 23) {
    uint32_t bits[2] = {(uint32_t)x, (uint32_t)y};
    volatile float v[2];
    float w[2], z;
    memcpy(w, bits, sizeof w);
    v[0] = w[0];
    v[1] = w[1];
    z = op == '+' ? v[0] + v[1] : op == '-' ? v[0] - v[1] : op == '*' ? v[0] * v[1] : op == '/' ? v[0] / v[1] : sqrtf(v[0]);
    memcpy(bits, &z, sizeof z);
    r = bits[0];
  } else {
    volatile double v[2];
    double z;
    memcpy(&z, &x, sizeof z);
    v[0] = z;
    memcpy(&z, &y, sizeof z);
    v[1] = z;
    z = op == '+' ? v[0] + v[1] : op == '-' ? v[0] - v[1] : op == '*' ? v[0] * v[1] : op == '/' ? v[0] / v[1] : sqrt(v[0]);
    memcpy(&r, &z, sizeof z);
  }
  return r;
}

/* Operands: numbers at the edges of all formats, such a number and a little, and any bits. */

static inline uint64_t ref_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static const uint32_t ref_edges32[] = {
    0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff,
    0x00800000, 0x007fffff, 0x807fffff, /* smallest normal, largest subnormal */
    0x3f000000, 0xbf000000, 0x3effffff, 0x3f000001, 0x3f7fffff, 0x3f800000, 0xbf800000, 0xbf7fffff, 0x3fc00000, 0x40200000, 0xc0200000, /* .5 1 1.5 2.5 */
    0x4affffff, 0x4b000000, 0x4b000001, 0x4b7fffff, 0x4b800000, 0xcaffffff, 0xcb000000, /* 2^23 */
    0x4effffff, 0x4f000000, 0x4f000001, 0xcf000000, 0xcf000001, 0x4f7fffff, 0x4f800000, /* 2^31, 2^32 */
    0x5effffff, 0x5f000000, 0xdf000000, 0xdf000001, 0x5f7fffff, 0x5f800000, /* 2^63, 2^64 */
    0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0xffa00000, 0x7fffffff, 0x7fc00001,
};
static const uint64_t ref_edges64[] = {
    0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001, 0xffffffffffffffff,
    0x0010000000000000, 0x000fffffffffffff, 0x800fffffffffffff,
    0x3fe0000000000000, 0xbfe0000000000000, 0x3fdfffffffffffff, 0x3fe0000000000001, 0x3fefffffffffffff, 0x3ff0000000000000, 0xbff0000000000000,
    0xbfefffffffffffff, 0x3ff8000000000000, 0x4004000000000000, 0xc004000000000000,
    0x432fffffffffffff, 0x4330000000000000, 0x4330000000000001, 0x433fffffffffffff, 0x4340000000000000, 0xc32fffffffffffff, 0xc330000000000000,
    0x41dfffffffc00000, 0x41dfffffffffffff, 0x41e0000000000000, 0x41dfffffffe00000, 0xc1e0000000000000, 0xc1e00000001fffff, 0xc1e0000000200000,
    0x41efffffffe00000, 0x41efffffffffffff, 0x41f0000000000000, 0x43dfffffffffffff, 0x43e0000000000000, 0xc3e0000000000000, 0xc3e0000000000001,
    0x43efffffffffffff, 0x43f0000000000000,
    0x36a0000000000000, 0x36a0000000000001, 0x3690000000000000, 0x3690000000000001, 0x380fffffffffffff, 0x3810000000000000, /* about the smallest f32 */
    0x47efffffe0000000, 0x47efffffefffffff, 0x47effffff0000000, 0x47f0000000000000, /* about the largest */
    0x7fefffffffffffff, 0xffefffffffffffff, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000000000, 0x7ff0000000000001,
    0xfff4000000000000, 0x7ff8000000000001,
};

static inline uint64_t ref_operand32(uint64_t *state) {
  uint64_t r = ref_random(state), edge = ref_edges32[(r >> 8) % (sizeof ref_edges32 / sizeof *ref_edges32)];
  switch (r & 7) {
  case 0: return r >> 32;
  case 1: return (uint32_t)(edge + (r >> 60) - 8);
  case 2: return (r >> 32 & 0x807fffff) | (0x3f000000 + (r >> 20 & 31) * 0x800000); /* -1 to 2^32 or so */
  case 3: return (r >> 32 & 0xff) ^ 0xffffff80u;
  default: return edge;
  }
}

static inline uint64_t ref_operand64(uint64_t *state) {
  uint64_t r = ref_random(state), edge = ref_edges64[(r >> 8) % (sizeof ref_edges64 / sizeof *ref_edges64)];
  switch (r & 7) {
  case 0: return ref_random(state);
  case 1: return edge + (r >> 60) - 8;
  case 2: return (ref_random(state) & 0x800fffffffffffff) | (0x3fe0000000000000 + (r >> 20 & 63) * 0x0010000000000000);
  case 3: return (uint64_t)(int8_t)(r >> 32);
  case 4: return ref_operand32(state);
  default: return edge;
  }
}

#endif
