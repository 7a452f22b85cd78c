/* The vector instructions (exec/simd.h), each row of exec/simd.def, against a reference that reads what to do from the instruction's name and works
 * on 16 bytes, one lane after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exec/simd.h"
#include "ref.h"

#define ROUNDS 1500

struct bytes {
  uint8_t b[16];
};

static uint64_t lane(struct bytes v, unsigned width, unsigned i) {
  uint64_t r = 0;
  for (unsigned k = 0; k < width / 8; k++) r |= (uint64_t)v.b[i * width / 8 + k] << 8 * k;
  return r;
}
static void put(struct bytes *v, unsigned width, unsigned i, uint64_t x) {
  for (unsigned k = 0; k < width / 8; k++) v->b[i * width / 8 + k] = (uint8_t)(x >> 8 * k);
}

/* What a lane of a result may be: one of values, or a NaN that comes from x and y. */
struct expected {
  unsigned nvalues;
  uint64_t values[4];
  bool nan;
  struct ref_format from; /* the format of x and y */
  uint64_t x, y;
};
static struct expected exactly(uint64_t x) { return (struct expected){.nvalues = 1, .values = {x}}; }

static int64_t sign_extend(uint64_t x, unsigned width) {
  if (width < 64 && x >> (width - 1) & 1) x |= UINT64_MAX << width;
  return x >> 63 ? -(int64_t)(0 - x - 1) - 1 : (int64_t)x;
}
static uint64_t low_bits(uint64_t x, unsigned width) { return width < 64 ? x & ((UINT64_C(1) << width) - 1) : x; }
static uint64_t saturate(int64_t x, unsigned width, bool is_signed) {
  int64_t max = is_signed ? (INT64_C(1) << (width - 1)) - 1 : (INT64_C(1) << width) - 1, min = is_signed ? -max - 1 : 0;
  return low_bits((uint64_t)(x < min ? min : x > max ? max : x), width);
}

/* A name like i8x16_narrow_i16x8_s: the shape of the result, the word that says what to do, the shape of the operands if another, signedness. */
struct name {
  const char *all;
  bool is_float, from_float, is_signed, high, relaxed;
  unsigned width, count, from_width;
  char what[48];
};

static bool ends(const char *s, const char *end) {
  size_t n = strlen(s), m = strlen(end);
  return n >= m && strcmp(s + n - m, end) == 0;
}

static struct name parse(const char *id) {
  struct name r = {.all = id};
  const char *rest = strchr(id, '_') + 1;
  char from[2][8] = {{0}};
  unsigned n = 0;
  if (strncmp(id, "v128", 4) == 0) r.width = 64, r.count = 2;
  else {
    assert_int_equal(sscanf(id + 1, "%ux%u", &r.width, &r.count), 2);
    r.is_float = id[0] == 'f';
  }
  r.from_width = r.width;
  r.from_float = r.is_float;
  r.is_signed = ends(id, "_s") || ends(id, "_s_zero");
  if (strncmp(rest, "relaxed_", 8) == 0) {
    r.relaxed = true;
    rest += 8;
  }
  /* Words up to a shape, a side or a sign. */
  while (*rest) {
    size_t length = strcspn(rest, "_");
    char word[16] = {0};
    memcpy(word, rest, length);
    rest += length + (rest[length] == '_');
    if (strchr("if", word[0]) && strchr(word, 'x') && n < 2) strcpy(from[n++], word);
    else if (strcmp(word, "high") == 0) r.high = true;
    else if (strcmp(word, "low") && strcmp(word, "s") && strcmp(word, "u") && strcmp(word, "zero")) {
      if (r.what[0]) strcat(r.what, "_");
      strcat(r.what, word);
    }
  }
  if (n) {
    r.from_float = from[0][0] == 'f';
    assert_int_equal(sscanf(from[0] + 1, "%u", &r.from_width), 1);
  }
  return r;
}

static bool is(struct name n, const char *what) { return strcmp(n.what, what) == 0; }
static struct ref_format format_of(unsigned width) { return width == 32 ? ref_f32 : ref_f64; }

static struct expected float_or_nan(struct ref_format from, uint64_t r, uint64_t x, uint64_t y) {
  bool nan = r == ref_canonical(from) || ref_is_nan(from, r);
  return (struct expected){.nvalues = !nan, .values = {r}, .nan = nan, .from = from, .x = x, .y = y};
}

static uint64_t minimum(struct ref_format f, uint64_t x, uint64_t y, bool max) {
  if (ref_is_nan(f, x) || ref_is_nan(f, y)) return ref_canonical(f);
  return ref_less(f, x, y) != max ? x : y;
}

static bool less(struct name n, uint64_t x, uint64_t y) {
  struct ref_format f = format_of(n.width);
  if (n.is_float) return !ref_is_nan(f, x) && !ref_is_nan(f, y) && !ref_equal(f, x, y) && ref_less(f, x, y);
  return n.is_signed ? sign_extend(x, n.width) < sign_extend(y, n.width) : x < y;
}
static bool equal(struct name n, uint64_t x, uint64_t y) { return n.is_float ? ref_equal(format_of(n.width), x, y) : x == y; }

/* Lane i of a unary instruction. */
static struct expected unary(struct name n, struct bytes a, unsigned i) {
  unsigned w = n.width, fw = n.from_width;
  struct ref_format f = format_of(w), from = format_of(fw);
  uint64_t x = lane(a, w, i), sign = UINT64_C(1) << (w - 1), r;
  if (is(n, "not")) return exactly(~x);
  if (is(n, "abs")) return exactly(n.is_float ? x & (sign - 1) : x & sign ? low_bits(0 - x, w) : x);
  if (is(n, "neg")) return exactly(n.is_float ? x ^ sign : low_bits(0 - x, w));
  if (is(n, "popcnt")) {
    for (r = 0; x; x >>= 1) r += x & 1;
    return exactly(r);
  }
  if (is(n, "sqrt")) return float_or_nan(f, ref_arithmetic(f, 'q', x, 0), x, x);
  if (is(n, "ceil")) return float_or_nan(f, ref_round(f, x, REF_UP), x, x);
  if (is(n, "floor")) return float_or_nan(f, ref_round(f, x, REF_DOWN), x, x);
  if (is(n, "nearest")) return float_or_nan(f, ref_round(f, x, REF_NEAREST), x, x);
  if (is(n, "trunc") && n.is_float) return float_or_nan(f, ref_round(f, x, REF_ZERO), x, x);
  if (is(n, "extadd_pairwise")) {
    r = 0;
    for (unsigned k = 0; k < 2; k++) {
      x = lane(a, fw, 2 * i + k);
      r += n.is_signed ? (uint64_t)sign_extend(x, fw) : x;
    }
    return exactly(low_bits(r, w));
  }
  if (fw > w && i >= n.count / 2) return exactly(0); /* ..._zero */
  x = lane(a, fw, n.high ? i + n.count : i);
  if (is(n, "extend")) return exactly(n.is_signed ? low_bits((uint64_t)sign_extend(x, fw), w) : x);
  if (is(n, "convert")) return exactly(ref_from_int(f, n.is_signed ? (uint64_t)sign_extend(x, fw) : x, n.is_signed));
  if (is(n, "promote") || is(n, "demote")) {
    struct ref_float v = ref_decode(from, x);
    if (v.nan) return (struct expected){.nan = true, .from = from, .x = x, .y = x};
    return exactly(ref_encode(f, v));
  }
  if (is(n, "trunc_sat") || is(n, "trunc")) {
    bool fits = ref_trunc(from, x, w, n.is_signed, &r) == 0;
    struct expected e = exactly(r);
    if (!fits && n.relaxed && n.is_signed) e.values[e.nvalues++] = sign; /* specified: any; we: what is not made to fit is the least */
    return e;
  }
  fail_msg("%s: no reference", n.all);
  return exactly(0);
}

static struct expected binary(struct name n, struct bytes a, struct bytes b, unsigned i) {
  unsigned w = n.width, fw = n.from_width;
  struct ref_format f = format_of(w);
  uint64_t x = lane(a, w, i), y = lane(b, w, i), ones = low_bits(UINT64_MAX, w), r;
  int64_t sx = sign_extend(x, w), sy = sign_extend(y, w);
  if (is(n, "and")) return exactly(x & y);
  if (is(n, "andnot")) return exactly(x & ~y);
  if (is(n, "or")) return exactly(x | y);
  if (is(n, "xor")) return exactly(x ^ y);
  if (is(n, "swizzle")) return exactly(y < 16 ? a.b[y] : 0);
  if (is(n, "eq")) return exactly(equal(n, x, y) ? ones : 0);
  if (is(n, "ne")) return exactly(equal(n, x, y) ? 0 : ones);
  if (is(n, "lt")) return exactly(less(n, x, y) ? ones : 0);
  if (is(n, "gt")) return exactly(less(n, y, x) ? ones : 0);
  if (is(n, "le")) return exactly(less(n, x, y) || equal(n, x, y) ? ones : 0);
  if (is(n, "ge")) return exactly(less(n, y, x) || equal(n, x, y) ? ones : 0);
  if (n.is_float) {
    bool max = is(n, "max");
    if (is(n, "add")) return float_or_nan(f, ref_arithmetic(f, '+', x, y), x, y);
    if (is(n, "sub")) return float_or_nan(f, ref_arithmetic(f, '-', x, y), x, y);
    if (is(n, "mul")) return float_or_nan(f, ref_arithmetic(f, '*', x, y), x, y);
    if (is(n, "div")) return float_or_nan(f, ref_arithmetic(f, '/', x, y), x, y);
    if (is(n, "pmin")) return exactly(less(n, y, x) ? y : x);
    if (is(n, "pmax")) return exactly(less(n, x, y) ? y : x);
    if (is(n, "min") || max) {
      struct expected e = float_or_nan(f, minimum(f, x, y, max), x, y);
      if (n.relaxed && (e.nan || equal(n, x, y))) { /* either operand, too */
        e.values[e.nvalues++] = x;
        e.values[e.nvalues++] = y;
      }
      return e;
    }
  }
  if (is(n, "add")) return exactly(low_bits(x + y, w));
  if (is(n, "sub")) return exactly(low_bits(x - y, w));
  if (is(n, "mul")) return exactly(low_bits(x * y, w));
  if (is(n, "add_sat")) return exactly(n.is_signed ? saturate(sx + sy, w, true) : saturate((int64_t)(x + y), w, false));
  if (is(n, "sub_sat")) return exactly(n.is_signed ? saturate(sx - sy, w, true) : saturate((int64_t)(x - y), w, false));
  if (is(n, "min")) return exactly(less(n, x, y) ? x : y);
  if (is(n, "max")) return exactly(less(n, x, y) ? y : x);
  if (is(n, "avgr")) return exactly((x + y + 1) / 2);
  if (is(n, "q15mulr_sat") || is(n, "q15mulr")) {
    int64_t product = sx * sy + 0x4000, quotient = product / 0x8000;
    if (product < 0 && product % 0x8000) quotient--;
    struct expected e = exactly(saturate(quotient, 16, true));
    if (n.relaxed && quotient == 0x8000) e.values[e.nvalues++] = 0x8000;
    return e;
  }
  if (is(n, "narrow")) {
    unsigned half = n.count / 2;
    return exactly(saturate(sign_extend(lane(i < half ? a : b, fw, i % half), fw), w, n.is_signed));
  }
  if (is(n, "extmul")) {
    unsigned from = n.high ? i + n.count : i;
    x = lane(a, fw, from);
    y = lane(b, fw, from);
    if (n.is_signed) x = (uint64_t)sign_extend(x, fw), y = (uint64_t)sign_extend(y, fw);
    return exactly(low_bits(x * y, w));
  }
  if (is(n, "dot")) {
    int64_t sum = 0;
    for (unsigned k = 0; k < 2; k++) sum += sign_extend(lane(a, fw, 2 * i + k), fw) * sign_extend(lane(b, fw, 2 * i + k), fw);
    r = n.relaxed ? saturate(sum, w, true) : low_bits((uint64_t)sum, w);
    return exactly(r);
  }
  fail_msg("%s: no reference", n.all);
  return exactly(0);
}

static struct expected ternary(struct name n, struct bytes a, struct bytes b, struct bytes c, unsigned i) {
  unsigned w = n.width;
  struct ref_format f = format_of(w);
  uint64_t x = lane(a, w, i), y = lane(b, w, i), z = lane(c, w, i);
  if (is(n, "bitselect") || is(n, "laneselect")) {
    struct expected e = exactly((x & z) | (y & ~z & low_bits(UINT64_MAX, w)));
    if (n.relaxed) e.values[e.nvalues++] = z >> (w - 1) ? x : y;
    return e;
  }
  if (is(n, "madd") || is(n, "nmadd")) {
    uint64_t factor = is(n, "madd") ? x : x ^ ref_sign(f), product = ref_arithmetic(f, '*', factor, y);
    uint64_t r = ref_arithmetic(f, '+', product, z);
    struct expected e = float_or_nan(f, r, ref_is_nan(f, x) ? x : y, z);
    if (e.nan && ref_is_nan(f, x) && ref_is_nan(f, y) && (y & (ref_sign(f) - 1)) != ref_canonical(f)) e.x = y; /* the strictness of one of three will do */
    return e;
  }
  if (is(n, "dot_add")) {
    struct name dot = parse("i16x8_relaxed_dot_i8x16_i7x16_s");
    int64_t sum = sign_extend(z, 32);
    for (unsigned k = 0; k < 2; k++) sum += sign_extend(binary(dot, a, b, 2 * i + k).values[0], 16);
    return exactly(low_bits((uint64_t)sum, 32));
  }
  fail_msg("%s: no reference", n.all);
  return exactly(0);
}

static bool acceptable(struct name n, struct expected e, uint64_t r) {
  for (unsigned i = 0; i < e.nvalues; i++)
    if (r == e.values[i]) return true;
  if (!e.nan) return false;
  if (e.from.fraction != format_of(n.width).fraction) return ref_nan_converted(format_of(n.width), r, e.from, e.x);
  return ref_nan_from(e.from, r, e.x, e.y);
}

static void print(const char *what, struct bytes v) {
  print_error("%s", what);
  for (int i = 15; i >= 0; i--) print_error("%02x%s", v.b[i], i % 4 ? "" : " ");
  print_error("\n");
}

static void check(struct name n, struct expected e, v128 result, unsigned i, struct bytes a, struct bytes b, struct bytes c) {
  struct bytes r;
  v128_store(r.b, result);
  if (acceptable(n, e, lane(r, n.width, i))) return;
  print("a ", a);
  print("b ", b);
  print("c ", c);
  print("is ", r);
  fail_msg("%s: lane %u of %u bits (low end on the right)", n.all, i, n.width);
}

/* Lanes of one kind each, not always that of the instruction. */
static struct bytes random_bytes(uint64_t *state) {
  struct bytes r;
  uint64_t kind = ref_random(state) % 5;
  for (unsigned i = 0; i < 2; i++) {
    uint64_t x = ref_operand64(state);
    if (kind < 3) x = ref_operand32(state) | ref_operand32(state) << 32;
    if (kind == 0)
      for (unsigned k = 0; k < 8; k++) /* bytes at the edges of bytes, and pairs of them */
        if (ref_random(state) & 1) x = (x & ~(UINT64_C(0xff) << 8 * k)) | (uint64_t) "\x00\x01\x7f\x80\xff\x81\x7e\x10"[ref_random(state) & 7] << 8 * k;
    put(&r, 64, i, x);
  }
  return r;
}

#define CASES(array, fn) static const struct { const char *id; fn; } array[] = {
#define SIMD1(id) {#id, simd_##id},
CASES(ops1, v128 (*f)(v128))
#include "exec/simd.def"
};
#define SIMD2(id) {#id, simd_##id},
CASES(ops2, v128 (*f)(v128, v128))
#include "exec/simd.def"
};
#define SIMD3(id) {#id, simd_##id},
CASES(ops3, v128 (*f)(v128, v128, v128))
#include "exec/simd.def"
};
#define SIMD_SHIFT(id) {#id, simd_##id},
CASES(shifts, v128 (*f)(v128, uint32_t))
#include "exec/simd.def"
};
#define SIMD_TEST(id) {#id, simd_##id},
CASES(tests, uint32_t (*f)(v128))
#include "exec/simd.def"
};
#define LENGTH(array) (sizeof(array) / sizeof *(array))

static void test_unary(void **state) {
  uint64_t random = 1;
  (void)state;
  for (unsigned k = 0; k < LENGTH(ops1); k++) {
    struct name n = parse(ops1[k].id);
    for (unsigned round = 0; round < ROUNDS; round++) {
      struct bytes a = random_bytes(&random);
      v128 r = ops1[k].f(v128_load(a.b));
      for (unsigned i = 0; i < n.count; i++) check(n, unary(n, a, i), r, i, a, a, a);
    }
  }
}

static void test_binary(void **state) {
  uint64_t random = 2;
  (void)state;
  for (unsigned k = 0; k < LENGTH(ops2); k++) {
    struct name n = parse(ops2[k].id);
    for (unsigned round = 0; round < ROUNDS; round++) {
      struct bytes a = random_bytes(&random), b = random_bytes(&random);
      if (round % 8 == 0) b = a;
      if (round % 8 == 1) put(&b, n.width, round / 8 % n.count, lane(a, n.width, round / 8 % n.count));
      if (round % 8 == 2 && is(n, "swizzle"))
        for (unsigned i = 0; i < 16; i++) b.b[i] &= 0x1f;
      v128 r = ops2[k].f(v128_load(a.b), v128_load(b.b));
      for (unsigned i = 0; i < n.count; i++) check(n, binary(n, a, b, i), r, i, a, b, b);
    }
  }
}

static void test_ternary(void **state) {
  uint64_t random = 3;
  (void)state;
  for (unsigned k = 0; k < LENGTH(ops3); k++) {
    struct name n = parse(ops3[k].id);
    for (unsigned round = 0; round < ROUNDS; round++) {
      struct bytes a = random_bytes(&random), b = random_bytes(&random), c = random_bytes(&random);
      v128 r = ops3[k].f(v128_load(a.b), v128_load(b.b), v128_load(c.b));
      for (unsigned i = 0; i < n.count; i++) check(n, ternary(n, a, b, c, i), r, i, a, b, c);
    }
  }
}

static void test_shifts(void **state) {
  uint64_t random = 4;
  (void)state;
  for (unsigned k = 0; k < LENGTH(shifts); k++) {
    struct name n = parse(shifts[k].id);
    for (unsigned round = 0; round < ROUNDS; round++) {
      struct bytes a = random_bytes(&random);
      uint32_t count = round < 130 ? round : (uint32_t)ref_random(&random);
      v128 r = shifts[k].f(v128_load(a.b), count);
      for (unsigned i = 0; i < n.count; i++) {
        uint64_t x = lane(a, n.width, i), shifted = 0;
        for (unsigned bit = 0; bit < n.width; bit++) {
          unsigned from = is(n, "shl") ? bit - count % n.width : bit + count % n.width;
          if (from < n.width) shifted |= (x >> from & 1) << bit;
          else if (n.is_signed) shifted |= (x >> (n.width - 1)) << bit;
        }
        check(n, exactly(shifted), r, i, a, a, a);
      }
    }
  }
}

static void test_tests(void **state) {
  uint64_t random = 5;
  (void)state;
  for (unsigned k = 0; k < LENGTH(tests); k++) {
    struct name n = parse(tests[k].id);
    for (unsigned round = 0; round < ROUNDS; round++) {
      struct bytes a = random_bytes(&random);
      uint32_t any = 0, all = 1, mask = 0;
      if (round % 4 == 0) memset(&a, 0, sizeof a);
      if (round % 8 == 0) a.b[round / 8 % 16] = 1;
      if (round % 4 == 1) { /* no lane zero but one */
        for (unsigned i = 0; i < 16; i++) a.b[i] |= 2;
        put(&a, n.width, round / 4 % n.count, 0);
      }
      for (unsigned i = 0; i < n.count; i++) {
        uint64_t x = lane(a, n.width, i);
        any |= x != 0;
        all &= x != 0;
        mask |= (uint32_t)(x >> (n.width - 1)) << i;
      }
      assert_int_equal(tests[k].f(v128_load(a.b)), is(n, "any_true") ? any : is(n, "all_true") ? all : mask);
      if (!is(n, "any_true") && !is(n, "all_true")) assert_string_equal(n.what, "bitmask");
    }
  }
}

static void check_splat(const char *id, v128 r, uint64_t x) {
  struct name n = parse(id);
  for (unsigned i = 0; i < n.count; i++) check(n, exactly(low_bits(x, n.width)), r, i, (struct bytes){{0}}, (struct bytes){{0}}, (struct bytes){{0}});
}

static void check_replace(const char *id, v128 r, struct bytes a, unsigned at, uint64_t x) {
  struct name n = parse(id);
  put(&a, n.width, at, x);
  for (unsigned i = 0; i < n.count; i++) check(n, exactly(lane(a, n.width, i)), r, i, a, a, a);
}

static void check_extract(const char *id, uint64_t r, unsigned bits, struct bytes a, unsigned at) {
  struct name n = parse(id);
  uint64_t x = lane(a, n.width, at);
  assert_int_equal(r, n.is_signed ? low_bits((uint64_t)sign_extend(x, n.width), bits) : x);
}

static void test_lanes(void **state) {
  uint64_t random = 6;
  (void)state;
  for (unsigned round = 0; round < ROUNDS; round++) {
    struct bytes a = random_bytes(&random);
    uint64_t x = ref_operand64(&random);
#define SIMD_SPLAT(id, bits) check_splat(#id, simd_##id((uint##bits##_t)x), x);
#define SIMD_EXTRACT(id, bits) \
  for (unsigned at = 0; at < parse(#id).count; at++) check_extract(#id, simd_##id(v128_load(a.b), at), bits, a, at);
#define SIMD_REPLACE(id, bits) \
  for (unsigned at = 0; at < parse(#id).count; at++) check_replace(#id, simd_##id(v128_load(a.b), at, (uint##bits##_t)x), a, at, x);
#include "exec/simd.def"
  }
}

static void test_shuffle(void **state) {
  uint64_t random = 7;
  (void)state;
  for (unsigned round = 0; round < ROUNDS; round++) {
    struct bytes a = random_bytes(&random), b = random_bytes(&random), lanes, e;
    for (unsigned i = 0; i < 16; i++) {
      if (round % 3 == 0 || i % (round % 3 * 4) == 0) lanes.b[i] = ref_random(&random) & 31;
      else lanes.b[i] = (lanes.b[i - 1] + 1) & 31; /* groups of four or eight */
      e.b[i] = lanes.b[i] < 16 ? a.b[lanes.b[i]] : b.b[lanes.b[i] - 16];
    }
    struct bytes r;
    v128_store(r.b, simd_i8x16_shuffle(v128_load(a.b), v128_load(b.b), lanes.b));
    assert_memory_equal(&r, &e, sizeof r);
  }
}

/* Memory accesses touch n bytes and no more: each has a block of its own, odd by its place, for the sanitizers to watch. */
static uint8_t *block(struct bytes a, size_t n) {
  uint8_t *p = malloc(n + 1);
  assert_non_null(p);
  p[0] = 0;
  memcpy(p + 1, a.b, n);
  return p;
}

static void check_load(const char *id, v128 r, struct bytes memory) {
  struct bytes e = {{0}};
  unsigned width = 0, count = 0;
  struct name n = parse("i64x2_add");
  if (strcmp(id, "v128_load") == 0) e = memory;
  else if (sscanf(id, "v128_load%ux%u", &width, &count) == 2) {
    for (unsigned i = 0; i < count; i++) {
      uint64_t x = lane(memory, width, i);
      put(&e, 2 * width, i, ends(id, "_s") ? (uint64_t)sign_extend(x, width) : x);
    }
  } else {
    assert_int_equal(sscanf(id, "v128_load%u", &width), 1);
    for (unsigned i = 0; i < (ends(id, "_splat") ? 128 / width : 1); i++) put(&e, width, i, lane(memory, width, 0));
    assert_true(ends(id, "_splat") || ends(id, "_zero"));
  }
  n.all = id;
  for (unsigned i = 0; i < 2; i++) check(n, exactly(lane(e, 64, i)), r, i, memory, memory, memory);
}

static void check_load_lane(const char *id, v128 r, struct bytes a, unsigned width, unsigned at, struct bytes memory) {
  struct name n = parse("i64x2_add");
  n.all = id;
  put(&a, width, at, lane(memory, width, 0));
  for (unsigned i = 0; i < 2; i++) check(n, exactly(lane(a, 64, i)), r, i, a, memory, memory);
}

static void test_memory(void **state) {
  uint64_t random = 8;
  (void)state;
  for (unsigned round = 0; round < ROUNDS / 10; round++) {
    struct bytes a = random_bytes(&random), memory = random_bytes(&random);
    uint8_t *p;
#define SIMD_LOAD(id, n) \
  p = block(memory, n); \
  check_load(#id, simd_##id(p + 1), memory); \
  free(p);
#define SIMD_STORE(id, n) \
  p = block(memory, n); \
  simd_##id(p + 1, v128_load(a.b)); \
  assert_memory_equal(p + 1, a.b, n); \
  free(p);
#define SIMD_LOAD_LANE(id, n) \
  for (unsigned at = 0; at < 16 / (n); at++) { \
    p = block(memory, n); \
    check_load_lane(#id, simd_##id(p + 1, v128_load(a.b), at), a, 8 * (n), at, memory); \
    free(p); \
  }
#define SIMD_STORE_LANE(id, n) \
  for (unsigned at = 0; at < 16 / (n); at++) { \
    p = block(memory, n); \
    simd_##id(p + 1, v128_load(a.b), at); \
    assert_memory_equal(p + 1, a.b + at * (n), n); \
    free(p); \
  }
#include "exec/simd.def"
  }
}

/* A v128 in cells: lower half first, each a number of the host. */
static void test_cells(void **state) {
  struct bytes a, r;
  uint64_t cells[3] = {0};
  (void)state;
  for (unsigned i = 0; i < 16; i++) a.b[i] = (uint8_t)(i + 1);
  v128_to_cells(v128_load(a.b), cells + 1);
  assert_int_equal(cells[0], 0);
  assert_int_equal(cells[1], UINT64_C(0x0807060504030201));
  assert_int_equal(cells[2], UINT64_C(0x100f0e0d0c0b0a09));
  assert_int_equal(v128_low(v128_load(a.b)), cells[1]);
  assert_int_equal(v128_high(v128_load(a.b)), cells[2]);
  v128_store(r.b, v128_from_cells(cells + 1));
  assert_memory_equal(&a, &r, sizeof a);
  v128_store(r.b, v128_from_halves(cells[1], cells[2]));
  assert_memory_equal(&a, &r, sizeof a);
}

/* What superinstructions are made of: twins do what the others do, permutations and rotations what the instructions behind them do. */
static void test_twins(void **state) {
  uint64_t random = 8;
  (void)state;
  for (unsigned round = 0; simd_has_twins() && round < ROUNDS; round++) {
    const struct bytes a = random_bytes(&random), b = random_bytes(&random);
    const v128 x = v128_load(a.b), y = v128_load(b.b);
    uint8_t lanes[16], low[16];
    v128 r, expected;
    for (unsigned k = 0; k < 16; k++) lanes[k] = ref_random(&random) & 31, low[k] = lanes[k] & 15;
#define SAME(id, ...) \
  r = simd_##id##_cpu(__VA_ARGS__), expected = simd_##id(__VA_ARGS__); \
  if (memcmp(&r, &expected, sizeof r) != 0) fail_msg("the twin of " #id " differs");
#define SAME1(id) SAME(id, x)
#define SAME2(id) SAME(id, x, y)
#define SAME_SHUFFLE(id) SAME(id, x, y, lanes)
#define SAME_PERMUTE(id) SAME(id, x, low)
#define SIMD_TWIN(shape, id) SAME##shape(id)
#include "exec/simd.def"
  }
  if (!simd_has_twins()) skip();
}

static void test_own(void **state) {
  uint64_t random = 9;
  (void)state;
  for (unsigned round = 0; round < ROUNDS; round++) {
    const struct bytes a = random_bytes(&random);
    const v128 x = v128_load(a.b);
    struct bytes r;
    uint8_t lanes[16];
    for (unsigned k = 0; k < 16; k++) lanes[k] = ref_random(&random) & 15;
    v128_store(r.b, simd_i8x16_permute(x, lanes));
    for (unsigned k = 0; k < 16; k++) assert_int_equal(r.b[k], a.b[lanes[k]]);
#define ROTATED(S, width) \
  for (unsigned n = 1; n < (width); n++) { \
    v128_store(r.b, simd_##S##_rotl(x, n)); \
    for (unsigned k = 0; k < 128 / (width); k++) \
      assert_int_equal(lane(r, width, k), low_bits(lane(a, width, k) << n | lane(a, width, k) >> ((width) - n), width)); \
  }
    ROTATED(i16x8, 16)
    ROTATED(i32x4, 32)
    ROTATED(i64x2, 64)
  }
}

/* simd.def has a row for each vector instruction of ops.def but the constant, in its order. */
static void test_rows(void **state) {
  static const char *const ops[] = {
#define PAGE_00(id)
#define PAGE_FB(id)
#define PAGE_FC(id)
#define PAGE_FD(id) #id,
#define PAGE_FE(id)
#define OP(page, code, id, text, imm, signature, alignment, feature, rule) PAGE_##page(id)
#include "ops.def"
#undef OP
  };
  static const char *const rows[] = {
#define SIMD1(id) #id,
#define SIMD2(id) #id,
#define SIMD3(id) #id,
#define SIMD_SHIFT(id) #id,
#define SIMD_TEST(id) #id,
#define SIMD_SPLAT(id, b) #id,
#define SIMD_EXTRACT(id, b) #id,
#define SIMD_REPLACE(id, b) #id,
#define SIMD_SHUFFLE(id) #id,
#define SIMD_LOAD(id, n) #id,
#define SIMD_STORE(id, n) #id,
#define SIMD_LOAD_LANE(id, n) #id,
#define SIMD_STORE_LANE(id, n) #id,
#include "exec/simd.def"
  };
  unsigned row = 0;
  (void)state;
  for (unsigned i = 0; i < LENGTH(ops); i++) {
    if (strcmp(ops[i], "v128_const") == 0) continue;
    assert_true(row < LENGTH(rows));
    assert_string_equal(ops[i], rows[row++]);
  }
  assert_int_equal(row, LENGTH(rows));
}

int main(void) {
  const struct CMUnitTest all[] = {
      cmocka_unit_test(test_unary),  cmocka_unit_test(test_binary), cmocka_unit_test(test_ternary), cmocka_unit_test(test_shifts), cmocka_unit_test(test_tests),
      cmocka_unit_test(test_lanes), cmocka_unit_test(test_shuffle), cmocka_unit_test(test_memory), cmocka_unit_test(test_cells),   cmocka_unit_test(test_rows),
      cmocka_unit_test(test_twins), cmocka_unit_test(test_own),
  };
  return cmocka_run_group_tests(all, NULL, NULL);
}
