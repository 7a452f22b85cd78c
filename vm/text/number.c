/* Number literals; see number.h. Floats: the digits become a 64-bit significand, a sticky bit for what lies below, and a power of two; then they are
 * rounded to nearest, ties to even. Decimals get there by exact arithmetic on big integers. */
#include "text/number.h"

#include <string.h>

static unsigned digit_value(char c) {
  if (c <= '9') return (unsigned)(c - '0');
  return (unsigned)((c | 0x20) - 'a') + 10;
}

bool number_nat(const char *p, size_t n, uint64_t max, uint64_t *out) {
  unsigned base = n > 2 && p[1] == 'x' ? 16 : 10;
  uint64_t x = 0;
  for (size_t i = base == 16 ? 2 : 0; i < n; i++) {
    if (p[i] == '_') continue;
    unsigned d = digit_value(p[i]);
    if (d > max || x > (max - d) / base) return false;
    x = x * base + d;
  }
  *out = x;
  return true;
}

bool number_int(const char *p, size_t n, unsigned bits, uint64_t *out) {
  uint64_t most = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1, half = most / 2;
  if (*p != '+' && *p != '-') return number_nat(p, n, most, out);
  if (!number_nat(p + 1, n - 1, *p == '-' ? half + 1 : most, out)) return false;
  if (*p == '-') *out = (0 - *out) & most;
  return true;
}

/* ---- floats -------------------------------------------------------------------------------------------- */

struct format {
  unsigned mantissa; /* stored bits of the significand */
  int min_exp;       /* exponent of the smallest normal number */
  uint64_t infinity; /* its bits */
};

/* The value significand * 2^exp (and a little more if sticky), rounded. The significand's top bit is set. */
static bool pack(const struct format *f, uint64_t significand, bool sticky, int64_t exp, uint64_t *out) {
  int64_t e = exp + 63; /* 1.xxx * 2^e */
  int64_t shift = 63 - (int64_t)f->mantissa + (e < f->min_exp ? f->min_exp - e : 0);
  uint64_t q = 0, rest = significand, half = UINT64_C(1) << 63;
  if (shift > 64) {
    *out = 0;
    return true;
  }
  if (shift < 64) {
    q = significand >> shift;
    rest = significand & ((UINT64_C(1) << shift) - 1);
    half = UINT64_C(1) << (shift - 1);
  }
  if (rest > half || (rest == half && (sticky || (q & 1)))) q++;
  if (e > 2000) return false;
  if (e > f->min_exp) q += (uint64_t)(e - f->min_exp) << f->mantissa; /* a carry out of q raises the exponent */
  *out = q;
  return q < f->infinity;
}

/* The exponent behind 'e' or 'p', bounded so that sums cannot overflow. */
static int64_t parse_exponent(const char *p, const char *end) {
  bool negative = *p == '-';
  int64_t x = 0;
  if (*p == '+' || *p == '-') p++;
  for (; p < end; p++)
    if (*p != '_' && x < INT64_C(1) << 40) x = x * 10 + (int64_t)digit_value(*p);
  return negative ? -x : x;
}

static bool parse_hex(const struct format *f, const char *p, const char *end, uint64_t *out) {
  uint64_t m = 0;
  int64_t exp = 0;
  bool sticky = false, fraction = false;
  for (; p < end && *p != 'p' && *p != 'P'; p++) {
    if (*p == '_') continue;
    if (*p == '.') {
      fraction = true;
      continue;
    }
    unsigned d = digit_value(*p);
    if (m >> 60 == 0) {
      m = m << 4 | d;
      if (fraction) exp -= 4;
    } else {
      sticky = sticky || d != 0;
      if (!fraction) exp += 4;
    }
  }
  if (p < end) exp += parse_exponent(p + 1, end);
  *out = 0;
  if (m == 0) return true;
  for (; m >> 63 == 0; m <<= 1) exp--;
  return pack(f, m, sticky, exp, out);
}

/* Natural numbers, least significant limb first. Large enough for 10^1200 and 800 digits, shifted to meet it. */
struct big {
  unsigned n;
  uint32_t limb[136];
};

enum { MOST_DIGITS = 800, MOST_SCALE = 400 };

static void big_muladd(struct big *b, uint32_t factor, uint32_t add) {
  uint64_t carry = add;
  for (unsigned i = 0; i < b->n; i++) {
    carry += (uint64_t)b->limb[i] * factor;
    b->limb[i] = (uint32_t)carry;
    carry >>= 32;
  }
  if (carry) b->limb[b->n++] = (uint32_t)carry;
}

static void big_scale10(struct big *b, int64_t k) {
  for (; k >= 9; k -= 9) big_muladd(b, 1000000000, 0);
  for (; k > 0; k--) big_muladd(b, 10, 0);
}

static int64_t big_bits(const struct big *b) {
  int64_t bits = (int64_t)b->n * 32;
  for (uint32_t top = b->limb[b->n - 1]; top >> 31 == 0; top <<= 1) bits--;
  return bits;
}

static void big_shift(struct big *b, int64_t count) {
  unsigned limbs = (unsigned)(count / 32), bits = (unsigned)(count % 32);
  if (bits) big_muladd(b, UINT32_C(1) << bits, 0);
  if (limbs == 0) return;
  memmove(b->limb + limbs, b->limb, b->n * sizeof *b->limb);
  memset(b->limb, 0, limbs * sizeof *b->limb);
  b->n += limbs;
}

static bool big_less(const struct big *a, const struct big *b) {
  if (a->n != b->n) return a->n < b->n;
  for (unsigned i = a->n; i-- > 0;)
    if (a->limb[i] != b->limb[i]) return a->limb[i] < b->limb[i];
  return false;
}

/* a -= b, for a >= b */
static void big_sub(struct big *a, const struct big *b) {
  uint32_t borrow = 0;
  for (unsigned i = 0; i < a->n; i++) {
    uint64_t x = (uint64_t)a->limb[i] - (i < b->n ? b->limb[i] : 0) - borrow;
    a->limb[i] = (uint32_t)x;
    borrow = x >> 63 != 0;
  }
  while (a->n > 0 && a->limb[a->n - 1] == 0) a->n--;
}

/* The first 64 bits of a / b, and the power of two that belongs to them. a is used up: what is left of it is the remainder. */
static uint64_t big_divide(struct big *a, struct big *b, int64_t *exp) {
  int64_t difference = big_bits(a) - big_bits(b);
  if (difference < 0) big_shift(a, -difference);
  else big_shift(b, difference);
  uint64_t q = 0;
  *exp = difference + 1;
  while (q >> 63 == 0) {
    bool bit = !big_less(a, b);
    if (bit) big_sub(a, b);
    big_muladd(a, 2, 0);
    q = q << 1 | bit;
    --*exp;
  }
  return q;
}

static bool parse_decimal(const struct format *f, const char *p, const char *end, uint64_t *out) {
  struct big a = {0}, b = {.n = 1, .limb = {1}};
  int64_t exp10 = 0, exp2 = 0;
  unsigned digits = 0;
  bool sticky = false, fraction = false;
  for (; p < end && *p != 'e' && *p != 'E'; p++) {
    if (*p == '_') continue;
    if (*p == '.') {
      fraction = true;
      continue;
    }
    unsigned d = digit_value(*p);
    if (digits < MOST_DIGITS) {
      big_muladd(&a, 10, d);
      digits += digits > 0 || d != 0;
      exp10 -= fraction;
    } else {
      sticky = sticky || d != 0;
      exp10 += !fraction;
    }
  }
  if (p < end) exp10 += parse_exponent(p + 1, end);
  *out = 0;
  if (a.n == 0 || exp10 + digits < -MOST_SCALE) return true;
  if (exp10 + digits > MOST_SCALE) return false;
  if (exp10 >= 0) big_scale10(&a, exp10);
  else big_scale10(&b, -exp10);
  uint64_t q = big_divide(&a, &b, &exp2);
  return pack(f, q, sticky || a.n > 0, exp2, out);
}

bool number_float(const char *p, size_t n, unsigned bits, uint64_t *out) {
  static const struct format f32 = {23, -126, 0x7f800000}, f64 = {52, -1022, UINT64_C(0x7ff0000000000000)};
  const struct format *f = bits == 32 ? &f32 : &f64;
  const char *end = p + n;
  uint64_t sign = *p == '-' ? UINT64_C(1) << (bits - 1) : 0;
  bool ok = true;
  if (*p == '+' || *p == '-') p++;
  if (*p == 'i') {
    *out = f->infinity;
  } else if (*p == 'n') {
    uint64_t payload = UINT64_C(1) << (f->mantissa - 1);
    if (end - p > 3) ok = number_nat(p + 4, (size_t)(end - p) - 4, (UINT64_C(1) << f->mantissa) - 1, &payload) && payload != 0;
    *out = f->infinity | payload;
  } else if (end - p > 2 && p[1] == 'x') {
    ok = parse_hex(f, p + 2, end, out);
  } else {
    ok = parse_decimal(f, p, end, out);
  }
  *out |= sign;
  return ok;
}
