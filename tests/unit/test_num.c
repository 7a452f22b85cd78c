/* The numeric instructions (exec/num.h) against references that know no instruction: bits one by one, floats taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "exec/num.h"
#include "ref.h"

#define ROUNDS 20000

static uint64_t signed_of(uint64_t x, unsigned bits) { return bits == 64 || !(x >> (bits - 1) & 1) ? x : x | UINT64_MAX << bits; }

/* What is true of every numeric instruction of one or two integers, by bits. */
static uint64_t ref_clz(uint64_t x, unsigned bits) {
  uint64_t n = 0;
  while (n < bits && !(x >> (bits - 1 - n) & 1)) n++;
  return n;
}
static uint64_t ref_ctz(uint64_t x, unsigned bits) {
  uint64_t n = 0;
  while (n < bits && !(x >> n & 1)) n++;
  return n;
}
static uint64_t ref_popcnt(uint64_t x) {
  uint64_t n = 0;
  for (; x; x >>= 1) n += x & 1;
  return n;
}
static uint64_t ref_move(uint64_t x, uint64_t count, unsigned bits, const char *how) {
  uint64_t r = 0, n = count % bits;
  for (unsigned i = 0; i < bits; i++) {
    unsigned from = how[0] == 'l' ? i - (unsigned)n : i + (unsigned)n;
    bool inside = from < bits, round = how[1] == 'r', sign = how[1] == 's';
    uint64_t bit = inside ? x >> from & 1 : round ? x >> (from & (bits - 1)) & 1 : sign ? x >> (bits - 1) : 0;
    r |= bit << i;
  }
  return r;
}

/* Quotient and remainder by subtraction of shifted divisors, signs apart. */
static void ref_divide(uint64_t x, uint64_t y, bool is_signed, uint64_t *quotient, uint64_t *rest) {
  bool nx = is_signed && x >> 63, ny = is_signed && y >> 63;
  uint64_t q = 0, r = 0, a = nx ? 0 - x : x, b = ny ? 0 - y : y;
  for (int i = 63; i >= 0; i--) {
    bool carry = r >> 63;
    r = r << 1 | (a >> i & 1);
    if (carry || r >= b) {
      r -= b;
      q |= UINT64_C(1) << i;
    }
  }
  *quotient = nx != ny ? 0 - q : q;
  *rest = nx ? 0 - r : r;
}

static void check32(uint32_t a, uint32_t b) {
  uint64_t q, r;
  assert_int_equal(i32_clz(a), ref_clz(a, 32));
  assert_int_equal(i32_ctz(a), ref_ctz(a, 32));
  assert_int_equal(i32_popcnt(a), ref_popcnt(a));
  assert_int_equal(i32_shl(a, b), ref_move(a, b, 32, "l0"));
  assert_int_equal(i32_shr_u(a, b), ref_move(a, b, 32, "r0"));
  assert_int_equal(i32_shr_s(a, b), ref_move(a, b, 32, "rs"));
  assert_int_equal(i32_rotl(a, b), ref_move(a, b, 32, "lr"));
  assert_int_equal(i32_rotr(a, b), ref_move(a, b, 32, "rr"));
  assert_int_equal(i32_extend8_s(a), (uint32_t)signed_of(a & 0xff, 8));
  assert_int_equal(i32_extend16_s(a), (uint32_t)signed_of(a & 0xffff, 16));
  assert_int_equal(i64_extend_i32_s(a), signed_of(a, 32));
  assert_int_equal(i64_extend_i32_u(a), a);
  assert_int_equal(i32_div_s_overflows(a, b), a == 0x80000000 && b == 0xffffffff);
  if (b == 0) return;
  ref_divide(a, b, false, &q, &r);
  assert_int_equal(i32_div_u(a, b), q);
  assert_int_equal(i32_rem_u(a, b), r);
  ref_divide(signed_of(a, 32), signed_of(b, 32), true, &q, &r);
  if (!i32_div_s_overflows(a, b)) assert_int_equal(i32_div_s(a, b), (uint32_t)q);
  assert_int_equal(i32_rem_s(a, b), (uint32_t)r);
}

static void check64(uint64_t a, uint64_t b) {
  uint64_t q, r;
  assert_int_equal(i64_clz(a), ref_clz(a, 64));
  assert_int_equal(i64_ctz(a), ref_ctz(a, 64));
  assert_int_equal(i64_popcnt(a), ref_popcnt(a));
  assert_int_equal(i64_shl(a, b), ref_move(a, b, 64, "l0"));
  assert_int_equal(i64_shr_u(a, b), ref_move(a, b, 64, "r0"));
  assert_int_equal(i64_shr_s(a, b), ref_move(a, b, 64, "rs"));
  assert_int_equal(i64_rotl(a, b), ref_move(a, b, 64, "lr"));
  assert_int_equal(i64_rotr(a, b), ref_move(a, b, 64, "rr"));
  assert_int_equal(i64_extend8_s(a), signed_of(a & 0xff, 8));
  assert_int_equal(i64_extend16_s(a), signed_of(a & 0xffff, 16));
  assert_int_equal(i64_extend32_s(a), signed_of(a & 0xffffffff, 32));
  assert_int_equal(i32_wrap_i64(a), a & 0xffffffff);
  assert_int_equal(i64_div_s_overflows(a, b), a == UINT64_C(1) << 63 && b == UINT64_MAX);
  if (b == 0) return;
  ref_divide(a, b, false, &q, &r);
  assert_int_equal(i64_div_u(a, b), q);
  assert_int_equal(i64_rem_u(a, b), r);
  ref_divide(a, b, true, &q, &r);
  if (!i64_div_s_overflows(a, b)) assert_int_equal(i64_div_s(a, b), q);
  assert_int_equal(i64_rem_s(a, b), r);
}

static void test_integers(void **state) {
  uint64_t random = 1;
  (void)state;
  for (unsigned i = 0; i < sizeof ref_edges32 / sizeof *ref_edges32; i++)
    for (unsigned j = 0; j < sizeof ref_edges32 / sizeof *ref_edges32; j++) check32(ref_edges32[i], ref_edges32[j]);
  for (unsigned i = 0; i < sizeof ref_edges64 / sizeof *ref_edges64; i++)
    for (unsigned j = 0; j < sizeof ref_edges64 / sizeof *ref_edges64; j++) check64(ref_edges64[i], ref_edges64[j]);
  for (unsigned i = 0; i < ROUNDS; i++) {
    check32((uint32_t)ref_operand32(&random), (uint32_t)ref_operand32(&random));
    check64(ref_operand64(&random), ref_operand64(&random));
  }
}

/* Wide arithmetic in digits of 16 bits, as at school. */
struct digits {
  uint64_t d[8];
};
static struct digits digits_of(uint64_t lo, uint64_t hi) {
  struct digits r;
  for (int i = 0; i < 8; i++) r.d[i] = (i < 4 ? lo >> 16 * i : hi >> 16 * (i - 4)) & 0xffff;
  return r;
}
static void digits_equal(struct digits x, struct num_wide w) {
  struct digits y = digits_of(w.lo, w.hi);
  for (int i = 0; i < 7; i++) {
    x.d[i + 1] += x.d[i] >> 16;
    x.d[i] &= 0xffff;
  }
  x.d[7] &= 0xffff;
  for (int i = 0; i < 8; i++) assert_int_equal(x.d[i], y.d[i]);
}

static void check_wide(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
  struct digits x = digits_of(a, b), y = digits_of(c, d), sum, difference, product = {{0}}, extended = {{0}};
  struct digits xs = digits_of(a, a >> 63 ? UINT64_MAX : 0), ys = digits_of(b, b >> 63 ? UINT64_MAX : 0);
  struct digits xu = digits_of(a, 0), yu = digits_of(b, 0);
  for (int i = 0; i < 8; i++) {
    sum.d[i] = x.d[i] + y.d[i];
    difference.d[i] = x.d[i] + (y.d[i] ^ 0xffff) + (i == 0);
    for (int j = 0; i + j < 8; j++) {
      product.d[i + j] += xu.d[i] * yu.d[j];
      extended.d[i + j] += xs.d[i] * ys.d[j];
    }
  }
  digits_equal(sum, i64_add128(a, b, c, d));
  digits_equal(difference, i64_sub128(a, b, c, d));
  digits_equal(product, i64_mul_wide_u(a, b));
  digits_equal(extended, i64_mul_wide_s(a, b));
}

static void test_wide(void **state) {
  uint64_t random = 2;
  (void)state;
  for (unsigned i = 0; i < ROUNDS; i++)
    check_wide(ref_operand64(&random), ref_operand64(&random), ref_operand64(&random), ref_operand64(&random));
}

static float f32(uint32_t bits) { return f32_reinterpret_i32(bits); }
static double f64(uint64_t bits) { return f64_reinterpret_i64(bits); }

/* r came from x and y: a NaN that may come, or else exactly that. */
static void expect(struct ref_format f, uint64_t r, uint64_t expected, uint64_t x, uint64_t y) {
  if (ref_is_nan(f, expected)) assert_true(ref_nan_from(f, r, x, y));
  else assert_int_equal(r, expected);
}

static uint64_t ref_min(struct ref_format f, uint64_t x, uint64_t y, bool max) {
  if (ref_is_nan(f, x) || ref_is_nan(f, y)) return ref_canonical(f);
  return ref_less(f, x, y) != max ? x : y;
}

#define CHECK_FLOAT(F, U, bits_of, format) \
  static void check_##F(U a, U b) { \
    const U sign = (U)ref_sign(format); \
    assert_int_equal(bits_of(F(a)), a); \
    assert_int_equal(F##_is_nan(F(a)), ref_is_nan(format, a)); \
    assert_int_equal(F##_abs(a), a & (U)~sign); \
    assert_int_equal(F##_neg(a), a ^ sign); \
    assert_int_equal(F##_copysign(a, b), (a & (U)~sign) | (b & sign)); \
    expect(format, bits_of(F##_min(F(a), F(b))), ref_min(format, a, b, false), a, b); \
    expect(format, bits_of(F##_max(F(a), F(b))), ref_min(format, a, b, true), a, b); \
    expect(format, bits_of(F##_ceil(F(a))), ref_round(format, a, REF_UP), a, a); \
    expect(format, bits_of(F##_floor(F(a))), ref_round(format, a, REF_DOWN), a, a); \
    expect(format, bits_of(F##_trunc(F(a))), ref_round(format, a, REF_ZERO), a, a); \
    expect(format, bits_of(F##_nearest(F(a))), ref_round(format, a, REF_NEAREST), a, a); \
    expect(format, bits_of(F##_sqrt(F(a))), ref_arithmetic(format, 'q', a, 0), a, a); \
  }
CHECK_FLOAT(f32, uint32_t, i32_reinterpret_f32, ref_f32)
CHECK_FLOAT(f64, uint64_t, i64_reinterpret_f64, ref_f64)

static void test_floats(void **state) {
  uint64_t random = 3;
  (void)state;
  for (unsigned i = 0; i < sizeof ref_edges32 / sizeof *ref_edges32; i++)
    for (unsigned j = 0; j < sizeof ref_edges32 / sizeof *ref_edges32; j++) check_f32(ref_edges32[i], ref_edges32[j]);
  for (unsigned i = 0; i < sizeof ref_edges64 / sizeof *ref_edges64; i++)
    for (unsigned j = 0; j < sizeof ref_edges64 / sizeof *ref_edges64; j++) check_f64(ref_edges64[i], ref_edges64[j]);
  for (unsigned i = 0; i < ROUNDS; i++) {
    check_f32((uint32_t)ref_operand32(&random), (uint32_t)ref_operand32(&random));
    check_f64(ref_operand64(&random), ref_operand64(&random));
  }
}

#define CHECK_TRUNC(id, sat, x, bits_of_x, format, U, is_signed) \
  do { \
    uint64_t expected; \
    U out = 0; \
    int trap = ref_trunc(format, bits_of_x, sizeof(U) * 8, is_signed, &expected); \
    assert_int_equal(id(x, &out), trap); \
    if (trap == NUM_OK) assert_int_equal(out, expected); \
    assert_int_equal(sat(x), expected); \
  } while (0)

static void check_conversions(uint32_t a, uint64_t b) {
  struct ref_float v;
  CHECK_TRUNC(i32_trunc_f32_s, i32_trunc_sat_f32_s, f32(a), a, ref_f32, uint32_t, true);
  CHECK_TRUNC(i32_trunc_f32_u, i32_trunc_sat_f32_u, f32(a), a, ref_f32, uint32_t, false);
  CHECK_TRUNC(i64_trunc_f32_s, i64_trunc_sat_f32_s, f32(a), a, ref_f32, uint64_t, true);
  CHECK_TRUNC(i64_trunc_f32_u, i64_trunc_sat_f32_u, f32(a), a, ref_f32, uint64_t, false);
  CHECK_TRUNC(i32_trunc_f64_s, i32_trunc_sat_f64_s, f64(b), b, ref_f64, uint32_t, true);
  CHECK_TRUNC(i32_trunc_f64_u, i32_trunc_sat_f64_u, f64(b), b, ref_f64, uint32_t, false);
  CHECK_TRUNC(i64_trunc_f64_s, i64_trunc_sat_f64_s, f64(b), b, ref_f64, uint64_t, true);
  CHECK_TRUNC(i64_trunc_f64_u, i64_trunc_sat_f64_u, f64(b), b, ref_f64, uint64_t, false);
  assert_int_equal(i32_reinterpret_f32(f32_convert_i32_s(a)), ref_from_int(ref_f32, signed_of(a, 32), true));
  assert_int_equal(i32_reinterpret_f32(f32_convert_i32_u(a)), ref_from_int(ref_f32, a, false));
  assert_int_equal(i32_reinterpret_f32(f32_convert_i64_s(b)), ref_from_int(ref_f32, b, true));
  assert_int_equal(i32_reinterpret_f32(f32_convert_i64_u(b)), ref_from_int(ref_f32, b, false));
  assert_int_equal(i64_reinterpret_f64(f64_convert_i32_s(a)), ref_from_int(ref_f64, signed_of(a, 32), true));
  assert_int_equal(i64_reinterpret_f64(f64_convert_i32_u(a)), ref_from_int(ref_f64, a, false));
  assert_int_equal(i64_reinterpret_f64(f64_convert_i64_s(b)), ref_from_int(ref_f64, b, true));
  assert_int_equal(i64_reinterpret_f64(f64_convert_i64_u(b)), ref_from_int(ref_f64, b, false));

  v = ref_decode(ref_f32, a);
  if (v.nan) assert_true(ref_nan_converted(ref_f64, i64_reinterpret_f64(f64_promote_f32(f32(a))), ref_f32, a));
  else assert_int_equal(i64_reinterpret_f64(f64_promote_f32(f32(a))), ref_encode(ref_f64, v));
  v = ref_decode(ref_f64, b);
  if (v.nan) assert_true(ref_nan_converted(ref_f32, i32_reinterpret_f32(f32_demote_f64(f64(b))), ref_f64, b));
  else assert_int_equal(i32_reinterpret_f32(f32_demote_f64(f64(b))), ref_encode(ref_f32, v));
}

static void test_conversions(void **state) {
  uint64_t random = 4;
  (void)state;
  for (unsigned i = 0; i < sizeof ref_edges32 / sizeof *ref_edges32; i++) check_conversions(ref_edges32[i], ref_edges32[i]);
  for (unsigned i = 0; i < sizeof ref_edges64 / sizeof *ref_edges64; i++) check_conversions((uint32_t)ref_edges64[i], ref_edges64[i]);
  for (unsigned i = 0; i < ROUNDS; i++) check_conversions((uint32_t)ref_operand32(&random), ref_operand64(&random));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_integers),
      cmocka_unit_test(test_wide),
      cmocka_unit_test(test_floats),
      cmocka_unit_test(test_conversions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
