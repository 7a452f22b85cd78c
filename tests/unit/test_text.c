/* The text format (vm/text): number literals against the C library and against each other, tokens, errors and their positions, the map from offsets to
 * lines, and texts that are hostile by size or depth. That whole modules come out right is for the official suite to tell (tests/spec). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "minivm.h"
#include "text/lex.h"
#include "text/number.h"

/* ---- numbers ------------------------------------------------------------------------------------------- */

static uint64_t seed = 0x123456789abcdef;
static uint64_t random64(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed;
}

static uint64_t float_bits(const char *text, unsigned bits) {
  uint64_t x = 0;
  assert_true(number_float(text, strlen(text), bits, &x));
  return x;
}

static uint64_t bits_of_double(double d) {
  uint64_t x;
  memcpy(&x, &d, sizeof x);
  return x;
}
static uint64_t bits_of_float(float f) {
  uint32_t x;
  memcpy(&x, &f, sizeof x);
  return x;
}

/* The C library of this test rounds correctly in the "C" locale. */
static void check_against_libc(const char *text) {
  uint64_t x = 0;
  double d = strtod(text, NULL);
  float f = strtof(text, NULL);
  bool ok = number_float(text, strlen(text), 64, &x);
  if (ok != !isinf(d) || (ok && x != bits_of_double(d))) fail_msg("f64 %s: 0x%llx, not 0x%llx", text, (unsigned long long)x, (unsigned long long)bits_of_double(d));
  ok = number_float(text, strlen(text), 32, &x);
  if (ok != !isinf(f) || (ok && x != bits_of_float(f))) fail_msg("f32 %s: 0x%llx, not 0x%llx", text, (unsigned long long)x, (unsigned long long)bits_of_float(f));
}

static void floats_round_as_libc(void **state) {
  (void)state;
  char text[128];
  for (int i = 0; i < 60000; i++) {
    int digits = (int)(random64() % 25), exp = (int)(random64() % 700) - 350;
    int n = snprintf(text, sizeof text, "%s%llu", random64() & 1 ? "-" : "", (unsigned long long)(random64() >> (random64() % 64)));
    if (digits) n += snprintf(text + n, sizeof text - (size_t)n, ".%0*llu", digits, (unsigned long long)random64());
    if (random64() & 1) snprintf(text + n, sizeof text - (size_t)n, "e%+d", random64() & 1 ? exp : exp / 10);
    check_against_libc(text);
    snprintf(text, sizeof text, "0x%llx.%llxp%+d", (unsigned long long)(random64() >> (random64() % 64)), (unsigned long long)random64(),
             (int)(random64() % 2400) - 1200);
    check_against_libc(text);
  }
}

/* Numbers just at, above and below the middle between two floats, written out in full. */
static void floats_at_halves(void **state) {
  (void)state;
  static const char *const texts[] = {
      "0x1.000001p0", "0x1.0000010000000001p0", "0x1.000000ffffffffffp0", "0x1.000003p0", "0x1.fffffefp127", "0x1.fffffeffffffp127", "0x1.ffffffp127",
      "0x1p-149", "0x1p-150", "0x1.8p-150", "0x0.8000001p-149", "0x1p-1074", "0x1p-1075", "0x1.0000000000001p-1075", "0x0.fffffffffffffp-1022",
      "0x1.fffffffffffff8p1023", "0x1.fffffffffffff7fffp1023", "1.00000005960464477539062500000000000000000", "1.00000005960464477539062500000000000001",
      "1.000000059604644775390624999999999999999", "2.2250738585072011e-308", "2.2250738585072012e-308", "4.9406564584124654e-324", "2.4703282292062327e-324",
      "2.4703282292062328e-324", "1.7976931348623158e308", "1.7976931348623159e308", "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880",
      "9007199254740993", "9007199254740993.0000000000000000000000000000000001", "3.4028235677973366e38", "3.4028234663852886e38", "3.40282357e38"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) check_against_libc(texts[i]);
  char text[1200] = "0."; /* more digits than are kept: the rest must still tip the balance */
  memset(text + 2, '0', 900);
  check_against_libc(text);
  strcpy(text, "1.000000059604644775390625");
  size_t n = strlen(text);
  memset(text + n, '0', 900);
  strcpy(text + n + 900, "1");
  assert_int_equal(float_bits(text, 32), 0x3f800001);
  text[n + 900] = '0';
  assert_int_equal(float_bits(text, 32), 0x3f800000);
}

/* f32 must not be rounded by way of f64: this one is above the middle of two floats by less than an f64 can hold. */
static void floats_round_once(void **state) {
  (void)state;
  assert_int_equal(float_bits("0x1.00000100000000001p0", 32), 0x3f800001);
  assert_int_equal(float_bits("1.00000005960464477540", 32), 0x3f800001);
}

static void special_floats(void **state) {
  (void)state;
  uint64_t x;
  assert_int_equal(float_bits("inf", 32), 0x7f800000);
  assert_true(float_bits("-inf", 64) == UINT64_C(0xfff0000000000000));
  assert_int_equal(float_bits("nan", 32), 0x7fc00000);
  assert_int_equal(float_bits("-nan:0x1", 32), 0xff800001);
  assert_true(float_bits("nan:0xf_ffff_ffff_ffff", 64) == UINT64_C(0x7fffffffffffffff));
  assert_int_equal(float_bits("-0", 32), 0x80000000);
  assert_int_equal(float_bits("0e999999999999999999999", 32), 0);
  assert_int_equal(float_bits("1e-999999999999999999999", 32), 0);
  assert_false(number_float("1e999999999999999999999", 23, 64, &x));
  assert_false(number_float("nan:0x0", 7, 32, &x));
  assert_false(number_float("nan:0x80_0000", 13, 32, &x));
}

static void integers(void **state) {
  (void)state;
  uint64_t x;
  assert_true(number_int("4294967295", 10, 32, &x) && x == 4294967295u);
  assert_false(number_int("4294967296", 10, 32, &x));
  assert_true(number_int("-2147483648", 11, 32, &x) && x == 0x80000000u);
  assert_false(number_int("-2147483649", 11, 32, &x));
  assert_true(number_int("-0x80", 5, 8, &x) && x == 0x80);
  assert_false(number_int("-0x81", 5, 8, &x));
  assert_true(number_int("0xffff_ffff_ffff_ffff", 21, 64, &x) && x == UINT64_MAX);
  assert_false(number_int("18446744073709551616", 20, 64, &x));
  assert_false(number_nat("256", 3, 255, &x));
  assert_true(number_nat("0x0000000000000000000ff", 23, 255, &x) && x == 255);
}

/* ---- tokens -------------------------------------------------------------------------------------------- */

static void check_tokens(const char *text, const char *expected) {
  static const char kinds[] = {[TOKEN_EOF] = '.', [TOKEN_ERROR] = '!', [TOKEN_LPAR] = '(', [TOKEN_RPAR] = ')', [TOKEN_NAT] = 'n', [TOKEN_INT] = 'i',
                               [TOKEN_FLOAT] = 'f', [TOKEN_STRING] = 's', [TOKEN_ID] = '$', [TOKEN_KEYWORD] = 'k', [TOKEN_OFFSET] = 'o',
                               [TOKEN_ALIGN] = 'a', [TOKEN_RESERVED] = '?'};
  struct source s;
  char actual[64] = "";
  assert_true(source_lex(&s, text, strlen(text), mv_features_default(), NULL));
  for (size_t i = 0; i < s.ntokens && i < 63; i++) actual[i] = kinds[s.tokens[i].kind];
  source_fini(&s);
  if (strcmp(actual, expected) != 0) fail_msg("%s: %s, not %s", text, actual, expected);
}

static void tokens(void **state) {
  (void)state;
  check_tokens("", ".");
  check_tokens("(module)", "(k).");
  check_tokens("i32.add i32.addx", "k?.");
  check_tokens("0 -1 +0x1F 1_000 1__0 1_ 0x 0x_1", "niin????.");
  check_tokens("1. 1.5e-3 0x1p4 .5 1e 1e+ nan inf -inf nan:0x7 nan:7 infx", "fff???ffff??.");
  check_tokens("nan:canonical offset=1 offset=x align=0x4 align=", "ko?a?.");
  check_tokens("$a $ $b", "$!");
  check_tokens("$\"a b\" $\"\" ", "$!");
  check_tokens("\"a\" \"a\"\"b\" \"a\"b 0$x a\"b\"", "s????.");
  check_tokens("\"\\u{1F600}\\00\\n\"", "s.");
  check_tokens("\"\\u{d800}\"", "!");
  check_tokens("\"\\u{110000}\"", "!");
  check_tokens("\"\\q\"", "!");
  check_tokens("\"a\nb\"", "!");
  check_tokens("(; (; ;) ;) ;; x\n0", "n.");
  check_tokens("(; (; ;)", "!");
  check_tokens("(@x (y \")\") ;)\n) 1", ")n."); /* no comment: the annotation ends behind the semicolon */
  check_tokens("(@x (y)", "!");
  check_tokens("(@) 1", "!");
  check_tokens("a , ; 1", "???n.");
  check_tokens("\x01", "!");
  check_tokens("\xff", "!");
}

/* ---- errors and positions ------------------------------------------------------------------------------- */

static void check_error(const char *text, const char *message, unsigned line, unsigned column) {
  uint8_t *out;
  size_t size;
  mv_error_t err;
  assert_false(mv_wat2wasm(text, strlen(text), mv_features_default(), &out, &size, &err));
  assert_null(out);
  assert_int_equal(err.kind, MV_MALFORMED);
  if (strncmp(err.message, message, strlen(message)) != 0) fail_msg("%s: \"%s\", not \"%s\"", text, err.message, message);
  if (err.line != line || err.column != column) fail_msg("%s: at %u:%u, not %u:%u", text, err.line, err.column, line, column);
}

static void errors(void **state) {
  (void)state;
  check_error("(module\n  (func\n\ti32.foo))", "unknown operator i32.foo", 3, 2);
  check_error("(module (func (call $f)))", "unknown function $f", 1, 21);
  check_error("(module (func $f) (func $f))", "duplicate function $f", 1, 25);
  check_error("(module (func (block $a (br $b))))", "unknown label $b", 1, 29);
  check_error("(module (func block $a end $b))", "mismatching label", 1, 28);
  check_error("(module (func) (import \"a\" \"b\" (func)))", "import after function", 1, 16);
  check_error("(module (type (func)) (func (type 0) (param i32)))", "inline function type", 1, 29);
  check_error("(module (func (i32.const 4294967296)))", "constant out of range", 1, 26);
  check_error("(module (memory 1) (func (i32.load align=3)))", "alignment must be a power of two", 1, 36);
  check_error("(module (func)", "unexpected token: the text ends, expected )", 1, 15);
  check_error("(module)(module)", "unexpected token", 1, 9);
  check_error("(module (func (i32.const 1) (then)))", "unexpected token", 1, 29);
  check_error("(module (func end))", "unexpected token", 1, 15);
  check_error("(module (func (if (i32.const 0))))", "unexpected token", 1, 32);
  check_error(";; \xc3\xa9\n(; \xc3\xa9 ;) (func $)", "empty identifier", 2, 15);
  check_error("(module (func memory.atomic.notify))", "unknown operator memory.atomic.notify", 1, 15); /* threads are off by default */
}

static void caret(void **state) {
  (void)state;
  char text[200] = "";
  FILE *f = fmemopen(text, sizeof text, "w");
  assert_non_null(f);
  mv_wat_caret("a\n\tb \xc3\xa9 c\n", 11, 2, 6, f);
  fclose(f);
  assert_string_equal(text, "  \tb \xc3\xa9 c\n  \t    ^\n");
}

/* ---- binaries ------------------------------------------------------------------------------------------ */

static void check_binary(const char *text, unsigned flags, const void *expected, size_t n) {
  uint8_t *out;
  size_t size;
  mv_error_t err;
  if (!mv_wat_parse(text, strlen(text), mv_features_all(), flags, &out, &size, NULL, &err)) fail_msg("%s: %s", text, err.message);
  if (size != n + 8 || memcmp(out + 8, expected, n) != 0) fail_msg("%s: another binary of %zu bytes", text, size);
  mv_free(out);
}
#define BINARY(text, flags, bytes) check_binary(text, flags, bytes, sizeof bytes - 1)

static void binaries(void **state) {
  (void)state;
  BINARY("", 0, "");
  BINARY("(module)", 0, "");
  BINARY("(func)", MV_WAT_NO_NAMES, "\1\4\1\x60\0\0\3\2\1\0\xa\4\1\2\0\xb");
  /* an implicit type is found again, but not in a group of several, nor when it is open */
  BINARY("(type (func)) (func)", 0, "\1\4\1\x60\0\0\3\2\1\0\xa\4\1\2\0\xb");
  BINARY("(type (sub (func))) (func)", 0, "\1\x9\2\x50\0\x60\0\0\x60\0\0\3\2\1\1\xa\4\1\2\0\xb");
  BINARY("(rec (type (func))) (func)", 0, "\1\4\1\x60\0\0\3\2\1\0\xa\4\1\2\0\xb");
  /* equal locals are counted together */
  BINARY("(func (local i32 i32) (local i32) (local i64))", 0, "\1\4\1\x60\0\0\3\2\1\0\xa\x8\1\6\2\3\x7f\1\x7e\xb");
  /* names: module, function, local, label */
  BINARY("(module $m (func $f (local $x i32) (block $l)))", 0,
         "\1\4\1\x60\0\0\3\2\1\0\xa\x9\1\7\1\1\x7f\2\x40\xb\xb"
         "\0\x1f\4name\0\2\1m\1\4\1\0\1f\2\6\1\0\1\0\1x\3\6\1\0\1\0\1l");
  BINARY("(module (func (@name \"f f\")))", 0, "\1\4\1\x60\0\0\3\2\1\0\xa\4\1\2\0\xb\0\xd\4name\1\6\1\0\3f f");
  /* custom sections find their places */
  BINARY("(module (@custom \"a\" \"x\") (@custom \"b\" (before first) \"\\00\" \"y\"))", 0, "\0\4\1b\0y\0\3\1ax");
  BINARY("(module (func (@metadata.code.branch_hint \"\\01\") (if (i32.const 0) (then))))", 0,
         "\1\4\1\x60\0\0\3\2\1\0\0\x20\x19metadata.code.branch_hint\1\0\1\3\1\1\xa\x9\1\7\0\x41\0\4\x40\xb\xb");
}

static void map_to_lines(void **state) {
  (void)state;
  const char *text = "(module\n  (func\n    i32.const 1\n    drop)\n  (global i32\n    (i64.const 0)))";
  uint8_t *out;
  size_t size;
  uint32_t line = 0, column = 0;
  mv_wat_map_t *map;
  assert_true(mv_wat_parse(text, strlen(text), mv_features_default(), 0, &out, &size, &map, NULL));
  /* 8 + type section 6 + func section 4 = 18: global section, then code */
  const uint8_t *at = memchr(out + 18, 0x42, size - 18); /* i64.const */
  assert_true(at && mv_wat_map_find(map, (uint64_t)(at - out), &line, &column));
  assert_int_equal(line, 6);
  assert_int_equal(column, 6);
  assert_true(mv_wat_map_find(map, size - 2, &line, &column)); /* drop */
  assert_int_equal(line, 4);
  assert_int_equal(column, 5);
  assert_false(mv_wat_map_find(map, 0, &line, &column));
  mv_wat_map_delete(map);
  mv_free(out);
}

/* An invalid field on line 3, between fields of its kind and of others; ^ is where the report points. */
static void points_at(const char *field, mv_features_t features) {
  static const char before[] = "(module\n  (type (func)) (type (struct)) (import \"\" \"f\" (func)) (import \"\" \"m\" (memory 1))\n";
  static const char after[] = "\n  (func) (table 1 funcref) (memory 1) (global i32 (i32.const 0)) (tag) (elem func 0) (data \"\")\n  (export \"last\" (func 0)))";
  char text[1024];
  uint8_t *out;
  size_t size;
  uint32_t line = 0, at = 0;
  mv_wat_map_t *map;
  mv_error_t err;
  mv_options_t options = {.features = features};
  wasm_config_t *config = wasm_config_new();
  mv_config_set(config, &options);
  wasm_engine_t *engine = wasm_engine_new_with_config(config);
  const char *caret = strchr(field, '^');
  int column = (int)(caret - field);
  snprintf(text, sizeof text, "%s%.*s%s%s", before, column, field, caret + 1, after);
  if (!mv_wat_parse(text, strlen(text), mv_features_all(), 0, &out, &size, &map, &err)) fail_msg("%s: %s", field, err.message);
  if (mv_module_check(engine, out, size, &err)) fail_msg("%s: valid", field);
  if (err.kind != MV_INVALID) fail_msg("%s: %s", field, err.message);
  if (!mv_wat_map_find(map, err.offset, &line, &at)) fail_msg("%s: no line: %s", field, err.message);
  if (line != 3 || at != (uint32_t)column + 1) fail_msg("%s: at %u:%u: %s", field, (unsigned)line, (unsigned)at, err.message);
  mv_wat_map_delete(map);
  mv_free(out);
  wasm_engine_delete(engine);
}

static void invalid_fields(void **state) {
  (void)state;
  static const char *const fields[] = {
      "(^memory 2 1)", "(memory 1) (^memory 70000)", "(^memory $m (export \"a\") 2 1)", "(^memory i64 0x1000000000001)", "(^memory 1 shared)",
      "(^import \"a\" \"b\" (memory 2 1))", "(^memory (import \"a\" \"b\") 2 1)", "(memory 1) (^memory 1 (pagesize 2))",
      "(memory 0 1 (pagesize 1)) (memory i64 1 2 (pagesize 65536)) (^memory 2 1)",
      "(^table 2 1 funcref)", "(table 1 funcref) (^table 1 (ref func))", "(^table $t (export \"a\") 2 1 funcref)", "(^table 1 (ref 99))",
      "(^table 2 1 funcref (ref.null func))", "(table 1 funcref (^i32.const 0))", "(^import \"a\" \"b\" (table 2 1 funcref))",
      "(^table funcref (elem 99))", "(table funcref (elem (^i32.const 0)))",
      "(^tag (result i32))", "(tag) (^tag $t (result i32))", "(^tag (type 1))", "(^tag (type 99))", "(^tag (import \"a\" \"b\") (result i32))",
      "(^type (func (param (ref 99))))", "(^type $t (struct (field (ref 99))))", "(rec (type (func)) (^type $u (sub 99 (func))))",
      "(^type $f (func (param (ref 99))))", "(func (^param (ref 99)))", "(func $f (export \"a\") (^result (ref 99) i32) unreachable)",
      "(func (block (^param i32 (ref 99)) drop drop))", "(^func (type 99))", "(^func $f (export \"a\") (type 99))", "(^func (type 1))",
      "(^func (import \"a\" \"b\") (type 99))", "(import \"a\" \"b\" (func (^param (ref 99))))", "(^func (local (ref 99)))",
      "(^func (result i32))", "(func (^call 99))", "(func nop (^i32.add))", "(func) (func (local i32) (^i32.const 0))",
      "(global $g (export \"a\") i32 (^i64.const 0))", "(^global $g (export \"a\") (ref 99) (ref.null 99))", "(^global $g i32)",
      "(^import \"a\" \"b\" (global (ref 99)))",
      "(^export \"a\" (func 99))", "(func (export \"b\")) (func (^export \"b\"))", "(func (export \"last\")) (^export \"last\" (func 0))",
      "(^start 99)", "(^elem func 99)", "(elem $e func 0) (^elem $f func 99)", "(elem (table 99) (^i32.const 0) func)", "(^elem (ref 99))",
      "(elem funcref (item (^i32.const 1)))", "(data (memory 99) (^i32.const 0) \"a\")", "(data $d (^i64.const 0) \"a\")"};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) points_at(fields[i], mv_features_all());
  const mv_features_t one_memory = mv_features_all() & ~MV_FEATURE(MULTI_MEMORY), one_table = mv_features_all() & ~MV_FEATURE(MULTI_TABLE);
  points_at("(^memory 1)", one_memory);
  points_at("(^import \"\" \"n\" (memory 1)) (import \"\" \"o\" (memory 1))", one_memory);
  points_at("(table 1 funcref) (^table 1 funcref)", one_table);
  points_at("(import \"\" \"t\" (table 1 funcref)) (func (import \"\" \"g\")) (^import \"\" \"u\" (table 1 funcref))", one_table);
}

/* Bytes that no field has are of no line: behind the code there are only names. */
static void offsets_of_nothing(void **state) {
  (void)state;
  const char *text = "(module (@custom \"a\" (before code) \"bcdefgh\") (memory 1) (func $f nop))";
  uint8_t *out;
  size_t size;
  uint32_t line, column;
  mv_wat_map_t *map;
  assert_true(mv_wat_parse(text, strlen(text), mv_features_default(), 0, &out, &size, &map, NULL));
  const uint8_t *custom = memchr(out, 'd', size), *name = memchr(out, 'n', size);
  assert_true(custom && name);
  assert_false(mv_wat_map_find(map, (uint64_t)(custom - out), &line, &column));
  assert_false(mv_wat_map_find(map, (uint64_t)(name - out), &line, &column));
  assert_false(mv_wat_map_find(map, size - 1, &line, &column));
  assert_false(mv_wat_map_find(map, size, &line, &column));
  mv_wat_map_delete(map);
  mv_free(out);
}

/* ---- printing ------------------------------------------------------------------------------------------ */

/* Text to binary to text to binary: the binaries are equal. Returns the text in between. */
static char *there_and_back(const char *text, unsigned flags) {
  uint8_t *a, *b;
  size_t na, nb, n;
  char *printed;
  mv_error_t err;
  if (!mv_wat_parse(text, strlen(text), mv_features_all(), 0, &a, &na, NULL, &err)) fail_msg("%s: %s", text, err.message);
  if (!mv_wasm2wat(a, na, flags, &printed, &n, &err)) fail_msg("%s: %s", text, err.message);
  if (!mv_wat_parse(printed, n, mv_features_all(), 0, &b, &nb, NULL, &err)) fail_msg("%s: %s", printed, err.message);
  if (na != nb || memcmp(a, b, na) != 0) fail_msg("%s: comes back different from\n%s", text, printed);
  mv_free(a);
  mv_free(b);
  return printed;
}

static void prints(void **state) {
  (void)state;
  char *text = there_and_back("(module (func $f (param $a i32) (result i32) (i32.add (local.get $a) (i32.const 1))))", 0);
  assert_non_null(strstr(text, "(func $f (;0;) (type 0) (param $a i32) (result i32)\n    (i32.add (local.get $a) (i32.const 1)))"));
  mv_free(text);
  text = there_and_back("(module (func $f (result f32) (block $l (result f32) (f32.const 1.5) (br $l))))", MV_WAT_FLAT);
  assert_non_null(strstr(text, "block $l (result f32)\n      f32.const 0x1.8p+0\n      br $l\n    end"));
  mv_free(text);
  /* what no identifier can say */
  mv_free(there_and_back("(module (@name \"\") (func (@name \"\")) (func $a) (func (@name \"a\") (local $x i32) (local (@name \"x\") i64)))", 0));
  mv_free(there_and_back("(module (@custom \"name\" \"garbage\") (func $f))", 0));
  for (unsigned sections = 1; sections < 5; sections++) { /* of which two or more say nothing of identifiers */
    char module[512] = "(module (func)";
    for (unsigned i = 0; i < sections; i++) strcat(module, "(@custom \"name\" \"\\01\\04\\01\\00\\01f\")");
    mv_free(there_and_back(strcat(module, ")"), 0));
  }
  mv_free(there_and_back("(module (func) (@custom \"metadata.code.branch_hint\" (before code) \"\\01\\00\\01\\7f\\01\\00\"))", 0));
  mv_free(there_and_back("(module (func $a) (@custom \"x\" (after data) \"1\") (@custom \"y\" \"2\"))", 0));
  mv_free(there_and_back("(module (func (local $\"a b\" i32) (drop (local.get $\"a b\"))) (data \"\\00\\ff\\\"\\\\\"))", 0));
  mv_free(there_and_back("(module (func (block $a (block $a (br $a) (br 1)))))", 0));
  mv_free(there_and_back("(module (tag $e) (func (try $t (do (throw $e)) (catch $e (rethrow $t)) (catch_all)) (try (do) (delegate 0))))", 0));
}

static void refuses_binaries(void **state) {
  (void)state;
  static const struct { const char *bytes; size_t n; } bad[] = {
      {"", 0}, {"\0asm", 4}, {"\0asm\2\0\0\0", 8}, {"\0asm\1\0\0\0\1", 9}, {"\0asm\1\0\0\0\1\5\1\x60", 12}, {"\0asm\1\0\0\0\x20\0", 10},
      {"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\xa\4\1\2\0\5", 24} /* else without if */};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    for (unsigned flags = 0; flags < 2; flags++) {
      char *text;
      size_t n;
      mv_error_t err;
      uint8_t *exact = malloc(bad[i].n + 1);
      assert_non_null(exact);
      memcpy(exact, bad[i].bytes, bad[i].n);
      assert_false(mv_wasm2wat(exact, bad[i].n, flags, &text, &n, &err));
      assert_int_equal(err.kind, MV_MALFORMED);
      free(exact);
    }
  }
}

/* ---- size and depth ------------------------------------------------------------------------------------ */

static char *repeat(const char *head, const char *piece, const char *middle, const char *back, const char *tail, size_t n) {
  size_t size = strlen(head) + strlen(middle) + strlen(tail) + n * (strlen(piece) + strlen(back)) + 1;
  char *text = malloc(size), *p = text;
  assert_non_null(text);
  p = strcpy(p, head) + strlen(head);
  for (size_t i = 0; i < n; i++, p += strlen(piece)) memcpy(p, piece, strlen(piece));
  p = strcpy(p, middle) + strlen(middle);
  for (size_t i = 0; i < n; i++, p += strlen(back)) memcpy(p, back, strlen(back));
  strcpy(p, tail);
  return text;
}

/* Nesting costs no C stack, and time in proportion: a million levels either way. */
static void deep(void **state) {
  (void)state;
  enum { LEVELS = 300000 };
  static const char *const forms[][5] = {
      {"(module (func ", "(block ", "", ")", "))"}, {"(module (func ", "block $l ", "br $l ", "end ", "))"},
      {"(module (func ", "(drop ", "(nop)", ")", "))"}, {"(module (func ", "(if (i32.const 0) (then ", "", "))", "))"},
      {"(module ", "(; ", "", ";)", ")"}, {"(module (@x ", "(", "", ")", "))"}};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    char *text = repeat(forms[i][0], forms[i][1], forms[i][2], forms[i][3], forms[i][4], LEVELS), *printed;
    uint8_t *out;
    size_t size, n;
    mv_error_t err;
    if (!mv_wat2wasm(text, strlen(text), mv_features_default(), &out, &size, &err)) fail_msg("%s...: %s", forms[i][1], err.message);
    free(text);
    if (!mv_wasm2wat(out, size, 0, &printed, &n, &err)) fail_msg("%s...: %s", forms[i][1], err.message);
    mv_free(printed);
    mv_free(out);
  }
  /* and what is never closed is an error, not a crash */
  char *text = repeat("(module (func ", "(block ", "", "", "", LEVELS);
  check_error(text, "unexpected token", 1, (unsigned)strlen(text) + 1);
  free(text);
}

/* ---- scripts ------------------------------------------------------------------------------------------- */

static void scripts(void **state) {
  (void)state;
  const char *text = "(module $M (func (export \"f\")))\n(assert_return (invoke $M \"f\" (f32.const 1)) (f32.const nan:canonical) (either (i32.const 1) (ref.null)))\n"
                     "(frobnicate 1)\n(module (func (foo)))\n(assert_malformed (module quote \"(\") \"unexpected\")\n"
                     "(thread $T (shared (module $M)) (invoke \"g\")) (wait $T)";
  mv_wast_t w;
  mv_error_t err;
  assert_true(mv_wast_parse(text, strlen(text), mv_features_default(), 0, &w, &err));
  assert_int_equal(w.ncommands, 7);
  assert_int_equal(w.commands[0].kind, MV_WAST_MODULE);
  assert_int_equal(w.commands[0].module.form, MV_WAST_TEXT);
  assert_null(w.commands[0].module.error);
  const mv_wast_command_t *c = &w.commands[1];
  assert_int_equal(c->kind, MV_WAST_ASSERT_RETURN);
  assert_int_equal(c->line, 2);
  assert_true(c->action.instance.size == 1 && c->action.instance.bytes[0] == 'M');
  assert_true(c->action.nargs == 1 && c->action.args[0].bits[0] == 0x3f800000);
  assert_true(c->nexpected == 2 && c->expected[0].nan[0] == MV_WAST_NAN_CANONICAL && c->expected[1].neither == 2);
  assert_int_equal(c->expected[1].either[1].type, MV_WAST_NULL);
  assert_int_equal(w.commands[2].kind, MV_WAST_UNKNOWN);
  assert_true(strncmp(w.commands[2].error->message, "unknown operator frobnicate", 27) == 0);
  assert_non_null(w.commands[3].module.error);
  assert_int_equal(w.commands[3].module.error->line, 4);
  assert_int_equal(w.commands[4].module.form, MV_WAST_QUOTE);
  assert_int_equal(w.commands[5].ncommands, 1);
  assert_int_equal(w.commands[5].nshared, 1);
  assert_int_equal(w.commands[6].kind, MV_WAST_WAIT);
  mv_wast_free(&w);
  assert_true(mv_wast_parse("(func)", 6, mv_features_default(), 0, &w, &err)); /* a module without its brackets */
  assert_int_equal(w.ncommands, 1);
  mv_wast_free(&w);
  assert_false(mv_wast_parse("(module) \x80", 10, mv_features_default(), 0, &w, &err));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(floats_round_as_libc), cmocka_unit_test(floats_at_halves), cmocka_unit_test(floats_round_once), cmocka_unit_test(special_floats),
      cmocka_unit_test(integers), cmocka_unit_test(tokens), cmocka_unit_test(errors), cmocka_unit_test(caret), cmocka_unit_test(binaries),
      cmocka_unit_test(map_to_lines), cmocka_unit_test(invalid_fields), cmocka_unit_test(offsets_of_nothing),
      cmocka_unit_test(prints), cmocka_unit_test(refuses_binaries), cmocka_unit_test(deep), cmocka_unit_test(scripts)};
  return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
