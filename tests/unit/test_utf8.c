/* Characters (vm/base/utf8.c): what is well-formed against a table of all code points, what may be shown, and how text is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

static size_t encode(uint32_t c, char out[4]) {
  if (c < 0x80) return out[0] = (char)c, 1;
  size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = n; i-- > 1; c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
  out[0] = (char)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | c);
  return n;
}

static bool obeyed(uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
         c == 0xfeff;
}

static void all_characters(void **state) {
  (void)state;
  for (uint32_t c = 0; c < 0x110000; c++) {
    char s[5] = {0};
    size_t n = encode(c, s);
    bool surrogate = c >= 0xd800 && c < 0xe000;
    if (utf8_length(s, n) != (surrogate ? 0 : n)) fail_msg("U+%04x has length %zu", (unsigned)c, utf8_length(s, n));
    if (n > 1 && utf8_length(s, n - 1) != 0) fail_msg("U+%04x, cut off, is well-formed", (unsigned)c);
    if (utf8_visible(s, n) != (surrogate || obeyed(c) ? 0 : n)) fail_msg("U+%04x is shown or not", (unsigned)c);
  }
}

/* Each sequence of up to three bytes is well-formed just when it is what a code point is encoded as; of four, the second byte decides. */
static void all_sequences(void **state) {
  (void)state;
  static uint8_t known[1 << 24 >> 3]; /* three bytes */
  for (uint32_t c = 0x800; c < 0x10000; c++) {
    char s[4];
    if (c >= 0xd800 && c < 0xe000) continue;
    encode(c, s);
    uint32_t x = (uint32_t)(uint8_t)s[0] << 16 | (uint32_t)(uint8_t)s[1] << 8 | (uint8_t)s[2];
    known[x >> 3] = (uint8_t)(known[x >> 3] | 1u << (x & 7));
  }
  for (uint32_t x = 0; x < 1 << 24; x++) {
    const char s[] = {(char)(x >> 16), (char)(x >> 8), (char)x};
    size_t n = utf8_length(s, 3);
    if ((n == 3) != (known[x >> 3] >> (x & 7) & 1)) fail_msg("%06x has length %zu", (unsigned)x, n);
    if (n == 4) fail_msg("%06x has length 4", (unsigned)x);
  }
  for (uint32_t x = 0; x < 1 << 16; x++) {
    const char s[] = {(char)(x >> 8), (char)x, '\x80', '\x80'};
    unsigned a = x >> 8, b = x & 0xff;
    bool two = a >= 0xc2 && a < 0xe0 && b >= 0x80 && b < 0xc0, four = a >= 0xf0 && a < 0xf5 && b >= (a == 0xf0 ? 0x90 : 0x80) && b < (a == 0xf4 ? 0x90 : 0xc0);
    assert_int_equal(utf8_length(s, 4) == 2, two);
    assert_int_equal(utf8_length(s, 4) == 4, four);
  }
  assert_int_equal(utf8_length("\xf0\x90\x80x", 4), 0);
  assert_false(utf8_check("a\xff", 2));
  assert_true(utf8_check("", 0));
}

static void shows(const char *text, size_t size, const char *wanted) {
  char buf[64], *printed;
  size_t n;
  assert_int_equal(mv_visible(text, size, buf, sizeof buf), size);
  assert_string_equal(buf, wanted);
  FILE *out = open_memstream(&printed, &n);
  mv_print_visible(text, size, out);
  fclose(out);
  assert_string_equal(printed, wanted);
  free(printed);
}
#define SHOWS(text, wanted) shows(text, sizeof(text) - 1, wanted)

static void escapes(void **state) {
  (void)state;
  SHOWS("plain, \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \\", "plain, \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \\");
  SHOWS("\x1b[31m\n\r\t\b\x7f", "\\1b[31m\\0a\\0d\\09\\08\\7f");
  SHOWS("a\0b", "a\\00b");
  SHOWS("\xc2\x9b", "\\c2\\9b");
  SHOWS("\xe2\x80\xae\xe2\x81\xa6\xd8\x9c", "\\e2\\80\\ae\\e2\\81\\a6\\d8\\9c");
  SHOWS("\xff\x80x\xe2\x80", "\\ff\\80x\\e2\\80");
  SHOWS("\xef\xbb\xbf(module)", "\\ef\\bb\\bf(module)");
  SHOWS("", "");
}

/* Never within a character or an escape; what is over comes in the next piece. */
static void cuts(void **state) {
  (void)state;
  const char text[] = "ab\xe2\x82\xac\x1bz";
  const char *const wanted[] = {NULL, "", "a", "ab", "ab", "ab", "ab\xe2\x82\xac", "ab\xe2\x82\xac", "ab\xe2\x82\xac", "ab\xe2\x82\xac\\1b", "ab\xe2\x82\xac\\1bz"};
  const size_t taken[] = {0, 0, 1, 2, 2, 2, 5, 5, 5, 6, 7};
  for (size_t cap = 1; cap < sizeof taken / sizeof *taken; cap++) {
    char buf[16];
    memset(buf, '#', sizeof buf);
    assert_int_equal(mv_visible(text, sizeof text - 1, buf, cap), taken[cap]);
    assert_string_equal(buf, wanted[cap]);
    assert_int_equal(buf[cap], '#');
  }
  char long_text[1000], *printed;
  size_t n;
  memset(long_text, 1, sizeof long_text);
  FILE *out = open_memstream(&printed, &n);
  mv_print_visible(long_text, sizeof long_text, out);
  fclose(out);
  assert_int_equal(n, 3 * sizeof long_text);
  free(printed);
}

static void errors_are_shown(void **state) {
  (void)state;
  mv_error_t err = {0};
  assert_false(error_set(&err, MV_TRAP, MV_NO_OFFSET, "a name %s", "\x1b[2J\n\xe2\x80\xae"));
  assert_string_equal(err.message, "a name \\1b[2J\\0a\\e2\\80\\ae");
  char name[2 * MV_ERROR_TEXT];
  memset(name, '\n', sizeof name);
  name[sizeof name - 1] = 0;
  err = (mv_error_t){0};
  assert_false(error_set(&err, MV_TRAP, MV_NO_OFFSET, "%s", name));
  assert_int_equal(strlen(err.message), (MV_ERROR_TEXT - 1) / 3 * 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_characters), cmocka_unit_test(all_sequences), cmocka_unit_test(escapes), cmocka_unit_test(cuts),
                                     cmocka_unit_test(errors_are_shown)};
  return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
