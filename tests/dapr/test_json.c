/* JSON as Go sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../../dapr/sidecar/json.h"

static void normal(const char *text, unsigned flags, const char *expected) {
  struct json v;
  struct buf why = {0}, out = {0};
  assert_true(json_check_all(span_of(text), &v, &why));
  assert_true(json_normal(&out, v, flags));
  assert_string_equal(buf_text(&out), expected);
  buf_fini(&why);
  buf_fini(&out);
}

static void numbers(void **state) {
  (void)state;
  const char *const pairs[][2] = {{"1.50", "1.5"},
                                  {"12345678901234567890", "12345678901234567000"},
                                  {"-0", "-0"},
                                  {"0.0", "0"},
                                  {"1e3", "1000"},
                                  {"1E-7", "1e-7"},
                                  {"0.000001", "0.000001"},
                                  {"1e21", "1e+21"},
                                  {"1e20", "100000000000000000000"},
                                  {"123456789012345", "123456789012345"},
                                  {"1234567890123456789", "1234567890123456800"},
                                  {"0.1", "0.1"},
                                  {"1.7976931348623157e308", "1.7976931348623157e+308"},
                                  {"5e-324", "5e-324"},
                                  {"3.0", "3"},
                                  {"-12.25", "-12.25"},
                                  {"0.30000000000000004", "0.30000000000000004"},
                                  {"100", "100"},
                                  {"1e-10", "1e-10"}};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) normal(pairs[i][0], 0, pairs[i][1]);
  normal("[1.50,12345678901234567890]", JSON_DIGITS, "[1.50,12345678901234567890]");
  struct json v;
  struct buf why = {0}, out = {0};
  assert_true(json_check_all(SPAN("1e400"), &v, &why));
  assert_false(json_normal(&out, v, 0)); /* out of a double's range: Go refuses it */
  buf_fini(&out);
}

static void strings(void **state) {
  (void)state;
  normal("\"<a>&b\"", JSON_HTML, "\"\\u003ca\\u003e\\u0026b\"");
  normal("\"<a>&b\"", 0, "\"<a>&b\"");
  normal("\"\\u0041\\n\\u0001\\/\\\"\"", 0, "\"A\\n\\u0001/\\\"\"");
  normal("\"\\ud83d\\ude00\"", 0, "\"\xf0\x9f\x98\x80\"");
  normal("\"\\ud83d\"", 0, "\"\xef\xbf\xbd\"");
  normal("\"\\ud83dx\"", 0, "\"\xef\xbf\xbdx\"");
  normal("\"\xff\"", 0, "\"\xef\xbf\xbd\"");
  normal("\"\xe2\x80\xa8\"", JSON_HTML, "\"\\u2028\"");
  normal("\"a\\u0000b\"", 0, "\"a\\u0000b\""); /* what a terminated string would lose */
  struct pool pool;
  pool_init(&pool, NULL, 0);
  struct span s = json_text(&pool, (struct json){"\"a\\u0000b\"", 10});
  assert_int_equal(s.n, 3);
  assert_memory_equal(s.p, "a\0b", 4);
  pool_fini(&pool);
}

static void objects(void **state) {
  (void)state;
  normal("{ \"b\" : 1, \"a\" : [ 1, 2 ,{ } ], \"\" : null }", 0, "{\"\":null,\"a\":[1,2,{}],\"b\":1}");
  normal("{\"a\":1,\"b\":2,\"a\":3}", 0, "{\"a\":3,\"b\":2}");
  normal("{\"a\":1,\"\\u0061\":2}", 0, "{\"a\":2}");
  normal("[]", 0, "[]");
  normal("[[],[[]]]", 0, "[[],[[]]]");
}

static void refuses(const char *text, const char *words) {
  struct json v;
  struct buf why = {0};
  assert_false(json_check(span_of(text), &v, &why));
  assert_string_equal(buf_text(&why), words);
  buf_fini(&why);
}

static void words_of_go(void **state) {
  (void)state;
  refuses("", "EOF");
  refuses(" \n", "EOF");
  refuses("[{\"key\":", "unexpected EOF");
  refuses("\"abc", "unexpected EOF");
  refuses("tru", "unexpected EOF");
  refuses("-", "unexpected EOF");
  refuses("hello", "invalid character 'h' looking for beginning of value");
  refuses("{a:1}", "invalid character 'a' looking for beginning of object key string");
  refuses("{\"a\" 1}", "invalid character '1' after object key");
  refuses("{\"a\":1 \"b\":2}", "invalid character '\"' after object key:value pair");
  refuses("[1 2]", "invalid character '2' after array element");
  refuses("[1,]", "invalid character ']' looking for beginning of value");
  refuses("{\"a\":1,}", "invalid character '}' looking for beginning of object key string");
  refuses("\"\\x\"", "invalid character 'x' in string escape code");
  refuses("\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape");
  refuses("\"a\nb\"", "invalid character '\\n' in string literal");
  refuses("1.x", "invalid character 'x' after decimal point in numeric literal");
  refuses("1ex", "invalid character 'x' in exponent of numeric literal");
  refuses("-x", "invalid character 'x' in numeric literal");
  refuses("trux", "invalid character 'x' in literal true (expecting 'e')");
  refuses("\xc3\xa9", "invalid character '\xc3\x83' looking for beginning of value");
  refuses("'a'", "invalid character '\\'' looking for beginning of value");
  char deep[3000];
  memset(deep, '[', sizeof deep);
  deep[sizeof deep - 1] = 0;
  refuses(deep, "exceeded max depth");
  struct json v;
  struct buf why = {0};
  assert_true(json_check(SPAN("1 garbage"), &v, &why)); /* the decoder stops after a value */
  assert_false(json_check_all(SPAN("1 garbage"), &v, &why));
  assert_string_equal(buf_text(&why), "invalid character 'g' after top-level value");
  buf_fini(&why);
}

static void walking(void **state) {
  (void)state;
  struct json v, m, name;
  struct buf why = {0};
  struct pool pool;
  pool_init(&pool, NULL, 0);
  assert_true(json_check_all(SPAN("{\"Key\":\"x,]}\",\"list\":[1,\"]\",{\"a\":[2]}],\"key\":\"y\"}"), &v, &why));
  assert_true(json_member(v, "KEY", &m));
  assert_string_equal(json_text(&pool, m).p, "y");
  assert_true(json_member_exact(v, SPAN("Key"), &m));
  assert_string_equal(json_text(&pool, m).p, "x,]}");
  assert_false(json_member_exact(v, SPAN("KEY"), &m));
  assert_true(json_member(v, "list", &m));
  int n = 0;
  for (struct json_walk w = {0}; json_next(m, &w, &name, &v);) n++;
  assert_int_equal(n, 3);
  assert_int_equal(json_kind(v), JSON_OBJECT);
  pool_fini(&pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(numbers), cmocka_unit_test(strings), cmocka_unit_test(objects),
                                     cmocka_unit_test(words_of_go), cmocka_unit_test(walking)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
