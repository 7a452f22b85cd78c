/* Routes, URLs, YAML, CEL, durations, policies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../dapr/sidecar/cel.h"
#include "../../dapr/sidecar/clock.h"
#include "../../dapr/sidecar/policy.h"
#include "../../dapr/sidecar/route.h"
#include "../../dapr/sidecar/url.h"
#include "../../dapr/sidecar/ytree.h"

/* ---- routes ---- */

static const char *route_name(const struct route_index *index, const char *method, const char *path, const char *args) {
  struct span a[ROUTE_ARGS] = {{0}};
  const struct route *r = route_find(index, route_method(method), span_of(path), a);
  if (!r) return "none";
  char joined[200] = "";
  for (size_t i = 0; i < ROUTE_ARGS && a[i].p; i++)
    snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%.*s", i ? " " : "", (int)a[i].n, a[i].p);
  assert_string_equal(joined, args);
  return r->name;
}

static void finding_routes(void **state) {
  (void)state;
  struct route_index x;
  route_index_init(&x);
  assert_string_equal(route_name(&x, "GET", "/v1.0/state/s/k", "s k"), "GetState");
  assert_string_equal(route_name(&x, "GET", "/v1.0/state/s/bulk", "s bulk"), "GetState");
  assert_string_equal(route_name(&x, "POST", "/v1.0/state/s/bulk", "s"), "GetBulkState");
  assert_string_equal(route_name(&x, "PUT", "/v1.0/state/s", "s"), "SaveState");
  assert_string_equal(route_name(&x, "POST", "/v1.0/state/s/", "s"), "SaveState");
  assert_string_equal(route_name(&x, "POST", "//v1.0//state//s", "s"), "SaveState");
  assert_string_equal(route_name(&x, "DELETE", "/v1.0/state/s/a%2Fb", "s a%2Fb"), "DeleteState");
  assert_string_equal(route_name(&x, "POST", "/v1.0/publish/p/a/b/c", "p a/b/c"), "PublishEvent");
  assert_string_equal(route_name(&x, "POST", "/v1.0/publish/bulk/p/t", "p t"), "BulkPublishEvent");
  assert_string_equal(route_name(&x, "POST", "/v1.0/publish/bulk/t", "bulk t"), "PublishEvent"); /* a component named bulk */
  assert_string_equal(route_name(&x, "GET", "/v1.0/secrets/s/bulk", "s"), "GetBulkSecret");
  assert_string_equal(route_name(&x, "GET", "/v1.0/healthz", ""), "Healthz");
  assert_string_equal(route_name(&x, "PATCH", "/v1.0/actors/t/1/method/a/b", "t 1 a/b"), "InvokeActor");
  const char *const none[][2] = {{"GET", "/v1.0/state/s"},
                                 {"PATCH", "/v1.0/state/s"},
                                 {"DELET", "/v1.0/state/s/k"},
                                 {"HEAD", "/v1.0/state/s/k"},
                                 {"GET", "/v1.0/state/s/a/b"},
                                 {"POST", "/v1.0/publish/p"},
                                 {"POST", "/v1.0/publish/p/"},
                                 {"GET", "/"},
                                 {"GET", ""},
                                 {"GET", "/v1.0"},
                                 {"GET", "/v0.1/state/s/k"},
                                 {"GET", "/v1.0/state"},
                                 {"POST", "/v1.0/state/s/query"},
                                 {"GET", "/v1.0/invoke/a/method/b"},
                                 {"OPTIONS", "/v1.0/state/s"}};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_string_equal(route_name(&x, none[i][0], none[i][1], ""), "none");
}

static void every_route_is_found(void **state) {
  (void)state;
  struct route_index x;
  size_t n = 0;
  route_index_init(&x);
  for (; routes[n].pattern; n++) {
    char path[200] = "/";
    for (const char *p = routes[n].pattern; *p; p++) {
      if (strncmp(p, "{}", 2) == 0) strcat(path, "seg"), p++;
      else strncat(path, *p == '*' ? "r" : p, 1);
    }
    struct span args[ROUTE_ARGS];
    assert_ptr_equal(route_find(&x, routes[n].methods & ROUTE_GET ? ROUTE_GET : routes[n].methods, span_of(path), args), &routes[n]);
  }
  assert_int_equal(x.count, n);
  assert_true(n < ROUTE_MAX);
}

/* ---- URLs ---- */

static void urls(void **state) {
  (void)state;
  struct pool pool;
  pool_init(&pool, NULL, 0);
  assert_string_equal(url_decode(&pool, SPAN("a%2Bb+c%20d%zz%4"), true).p, "a+b c d%zz%4");
  assert_string_equal(url_decode(&pool, SPAN("a+b"), false).p, "a+b");
  assert_int_equal(url_decode(&pool, SPAN("a%00b"), false).n, 3);
  const char *const cleaned[][2] = {{"/a//b/", "/a/b"},     {"", "/"},    {"/../../x", "/x"},
                                    {"a/./b/../c", "/a/c"}, {"/..", "/"}, {"...", "/..."}};
  for (size_t i = 0; i < sizeof cleaned / sizeof *cleaned; i++)
    assert_string_equal(url_clean(&pool, span_of(cleaned[i][0])).p, cleaned[i][1]);
  struct buf b = {0};
  url_encode_path(&b, SPAN("/a b/\xc3\xa9?%!"));
  assert_string_equal(buf_text(&b), "/a%20b/%C3%A9%3F%25%21");
  assert_string_equal(url_query_get(&pool, SPAN("a=1&b=x%20y&&c&b=2"), "b").p, "x y");
  assert_int_equal(url_query_get(&pool, SPAN("a=1&c"), "c").n, 0);
  assert_null(url_query_get(&pool, SPAN("a=1"), "z").p);
  for (size_t n = 0; n < 8; n++) { /* base64 there and back */
    struct buf code = {0}, back = {0};
    base64_encode(&code, (struct span){"Death Star", n});
    assert_true(base64_decode(&back, buf_view(&code)));
    assert_true(span_equal(buf_view(&back), (struct span){"Death Star", n}));
    buf_fini(&code);
    buf_fini(&back);
  }
  const char *const wrong[] = {"a", "ab", "abc", "ab=c", "a===", "ab*=", "abcd=", "====", "file body"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct buf back = {0};
    assert_false(base64_decode(&back, span_of(wrong[i])));
    buf_fini(&back);
  }
  buf_fini(&b);
  pool_fini(&pool);
}

/* ---- YAML ---- */

static void yaml_trees(void **state) {
  (void)state;
  const char text[] =
      "# c\nkind: Component\nmetadata: {name: 'a: b'}\nspec:\n  list:\n  - name: x\n    value: 5\n  - &r {name: y}\n  - *r\n---\nkind: "
      "Two\nempty:\ntilde: ~\nquoted: \"null\"\n---\n---\nkind: Three\n";
  struct pool pool;
  const struct ytree *docs;
  mv_error_t err = {0};
  pool_init(&pool, NULL, 0);
  assert_true(ytree_parse(&pool, "f.yaml", span_of(text), &docs, &err));
  assert_string_equal(ytree_text(docs, "kind"), "Component");
  assert_string_equal(ytree_text(ytree_get(docs, "metadata"), "name"), "a: b");
  const struct ytree *list = ytree_get(ytree_get(docs, "spec"), "list");
  assert_int_equal(list->kind, YTREE_LIST);
  assert_int_equal(list->first->line, 6);
  assert_string_equal(ytree_text(list->first, "value"), "5");
  assert_string_equal(ytree_text(list->first->next->next, "name"), "y");
  assert_string_equal(ytree_text(docs->next, "kind"), "Two");
  assert_null(ytree_text(docs->next, "empty"));
  assert_null(ytree_text(docs->next, "tilde"));
  assert_string_equal(ytree_text(docs->next, "quoted"), "null");
  assert_string_equal(ytree_text(docs->next, "QUOTED"), "null"); /* as Go reads names */
  assert_string_equal(ytree_text(docs->next->next, "kind"), "Three"); /* the empty document between is left out */
  pool_fini(&pool);
}

static void yaml_errors(void **state) {
  (void)state;
  const char *const cases[][2] = {{"a: b: c\n", "f.yaml:1:5:"},
                                  {"a:\n\t- b\n", "f.yaml:2:1:"},
                                  {"a: 1\nb: 2\na: 3\n", "f.yaml:3: key \"a\" occurs twice (first on line 1)"},
                                  {"a: *x\n", "f.yaml:1: alias *x has no finished anchor"},
                                  {"? [a]\n: b\n", "f.yaml:1: a key must be plain text"},
                                  {"a: \"b\n", "f.yaml:2:1:"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct pool pool;
    const struct ytree *docs;
    mv_error_t err = {0};
    pool_init(&pool, NULL, 0);
    assert_false(ytree_parse(&pool, "f.yaml", span_of(cases[i][0]), &docs, &err));
    if (strncmp(err.message, cases[i][1], strlen(cases[i][1])) != 0)
      fail_msg("\"%s\" does not begin with \"%s\"", err.message, cases[i][1]);
    pool_fini(&pool);
  }
}

/* Files that mean to be slow or large. */
static void yaml_bombs(void **state) {
  (void)state;
  struct buf many = {0}, deep = {0}, bomb = {0};
  for (int i = 0; i < 100000; i++) buf_printf(&many, "k%d: 1\n", i);
  for (int i = 0; i < 5000; i++) buf_str(&deep, "[");
  buf_str(&bomb, "a0: &a0 [x, x]\n");
  for (int i = 1; i < 60; i++) { /* 2 to the 60th, were it written out */
    buf_printf(&bomb, "a%d: &a%d [*a%d, *a%d]\n", i, i, i - 1, i - 1);
  }
  const struct { struct buf *text; const char *error; } cases[] = {{&many, "f.yaml:10001: more than 10000 members"}, {&deep, "f.yaml:1: nested more than 100 deep"}, {&bomb, NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct pool pool;
    const struct ytree *docs;
    mv_error_t err = {0};
    pool_init(&pool, NULL, 0);
    bool ok = ytree_parse(&pool, "f.yaml", buf_view(cases[i].text), &docs, &err);
    if (ok == (cases[i].error != NULL) || (cases[i].error && strcmp(err.message, cases[i].error) != 0)) fail_msg("case %zu: %s", i, err.message);
    pool_fini(&pool);
    buf_fini(cases[i].text);
  }
}

/* ---- CEL ---- */

static const char event[] =
    "{\"type\":\"order\",\"data\":{\"n\":5,\"color\":\"red\",\"list\":[\"a\",\"b\"],\"nested\":{\"x\":null},\"a-b\":true,\"f\":1.5},\"id\":"
    "\"1\"}";

/* 1 true, 0 false, -1 error when run, -2 error when compiled */
static int match(const char *rule) {
  struct pool pool;
  struct buf why = {0};
  struct json e;
  bool result = false;
  pool_init(&pool, NULL, 0);
  assert_true(json_check_all(SPAN(event), &e, &why));
  const struct cel *c = cel_compile(&pool, rule, NULL, &why);
  int r = !c ? -2 : !cel_match(c, e, &result, &why) ? -1 : result;
  if (r < 0) assert_true(why.n > 0);
  buf_fini(&why);
  pool_fini(&pool);
  return r;
}

static void cel_rules(void **state) {
  (void)state;
  const struct { const char *rule; int expected; } cases[] = {
      {"event.type == \"order\"", 1}, {"event.type == 'x'", 0}, {"event.type != 'x' && event.data.n > 4", 1}, {"event.data.n >= 5.0 || false", 1},
      {"event.data.color in [\"red\", \"blue\"]", 1}, {"'z' in event.data.list", 0}, {"'n' in event.data", 1}, {"event.data['a-b']", 1}, {"event.data.list[1] == 'b'", 1},
      {"has(event.data.n)", 1}, {"has(event.data.zzz)", 0}, {"!has(event.data.zzz)", 1}, {"size(event.data.list) == 2", 1}, {"event.type.size() == 5", 1},
      {"event.type.startsWith('or') && event.type.endsWith(\"er\") && event.type.contains('rde')", 1}, {"event.type.matches('^o.*r$')", 1},
      {"event.data.n * 2 + 1 == 11 && 7 % 4 == 3 && -event.data.n < 0", 1}, {"(event.data.n > 1 ? 'a' : 'b') == 'a'", 1}, {"int('7') == 7 && double(\"1.5\") == event.data.f", 1},
      {"string(5) == '5'", 1}, {"event.data.nested.x == null", 1}, {"event.data.nested == event.data.nested", 1}, {"'a' + 'b' == \"ab\"", 1}, {"1 == '1'", 0},
      {"event.data.zzz == 1", -1}, {"false && event.data.zzz == 1", 0}, {"event.data.zzz == 1 && false", 0}, {"event.data.zzz == 1 || true", 1}, {"true || event.data.zzz", 1},
      {"event.type > 5", -1}, {"event.type", -1}, {"1 / 0 == 1", -1}, {"event.data.list[9] == 'a'", -1}, {"event.type.matches('(')", -1}, {"!event.type", -1},
      {"", -2}, {"event.", -2}, {"foo == 1", -2}, {"event.type == ", -2}, {"event.type = 'x'", -2}, {"'abc", -2}, {"(1", -2}, {"[1, 2", -2}, {"bar(1)", -2}, {"event.type.foo()", -2},
      {"1 2", -2}, {"has(1)", -2}, {"event.data[", -2}, {"inside == 1", -2}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (match(cases[i].rule) != cases[i].expected) fail_msg("%s gives %d", cases[i].rule, match(cases[i].rule));
  char deep[600];
  memset(deep, '(', 500);
  strcpy(deep + 500, "true");
  assert_int_equal(match(deep), -2);
  memset(deep, '!', 500);
  assert_int_equal(match(deep), -2);
  char *chain = malloc(2 * 100000 + 1); /* not deep to parse, but to evaluate */
  assert_non_null(chain);
  for (int i = 0; i < 100000; i++) memcpy(chain + 2 * i, "1+", 2);
  strcpy(chain + 2 * 100000 - 1, "");
  assert_int_equal(match(chain), -2);
  strcpy(chain + 2 * 200 - 1, "==200");
  assert_int_equal(match(chain), 1);
  free(chain);
}

/* ---- times ---- */

static void times(void **state) {
  (void)state;
  const struct {
    const char *text;
    int64_t ms;
  } good[] = {{"300ms", 300}, {"1h30m", 5400000}, {"1.5s", 1500}, {"0", 0}, {"1000", 1000}, {"2m", 120000}, {"1us", 0}};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    int64_t ms = -1;
    assert_true(clock_duration(span_of(good[i].text), 1, &ms));
    assert_int_equal(ms, good[i].ms);
  }
  const char *const bad[] = {"", "x", "5x", "-1s", "s", "1 s", "999999999999h", "9223372036854775807"};
  int64_t ms;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(clock_duration(span_of(bad[i]), 1000, &ms));
  char text[CLOCK_TEXT];
  const struct {
    int64_t ms;
    const char *text;
  } printed[] = {{0, "0s"}, {500, "500ms"}, {1000, "1s"}, {1500, "1.5s"}, {60000, "1m0s"}, {61001, "1m1.001s"}, {3600000, "1h0m0s"}};
  for (size_t i = 0; i < sizeof printed / sizeof *printed; i++) {
    clock_print(printed[i].ms, text);
    assert_string_equal(text, printed[i].text);
  }
  clock_rfc3339(951782400000, text); /* a leap day */
  assert_string_equal(text, "2000-02-29T00:00:00Z");
  assert_true(clock_parse(SPAN("2000-02-29T00:00:00Z"), &ms));
  assert_int_equal(ms, 951782400000);
  assert_true(clock_parse(SPAN("2000-02-29T02:30:00.123+02:30"), &ms));
  assert_int_equal(ms, 951782400000);
  assert_false(clock_parse(SPAN("yesterday"), &ms));
}

/* ---- policies ---- */

static int64_t slept[16];
static size_t sleeps;

static bool note_sleep(void *env, int64_t ms) {
  (void)env;
  if (sleeps < 16) slept[sleeps] = ms;
  return ++sleeps < 16;
}

static int tries(const struct policy *p, enum outcome outcome, int status) {
  struct attempt a = {.policy = p, .sleep = note_sleep};
  int n = 0;
  sleeps = 0;
  while (attempt_begin(&a)) n++, attempt_end(&a, outcome, status);
  return a.refused ? -n : n;
}

static void policies(void **state) {
  (void)state;
  const char text[] = "kind: Resiliency\nmetadata: {name: r}\nspec:\n  policies:\n    timeouts: {t: 2s}\n    retries:\n"
                      "      quick: {policy: constant, duration: 300ms, maxRetries: 3}\n"
                      "      grow: {policy: exponential, maxInterval: 1s, maxRetries: 4}\n"
                      "      some: {duration: 1ms, maxRetries: 2, matching: {httpStatusCodes: \"429,500-503\"}}\n"
                      "    circuitBreakers:\n      cb: {timeout: 1h, trip: consecutiveFailures >= 2}\n"
                      "  targets:\n    apps:\n      a: {timeout: t, retry: quick}\n      g: {retry: grow}\n      s: {retry: some}\n      c: {circuitBreaker: cb}\n"
                      "    components:\n      p: {inbound: {retry: quick}, outbound: {retry: some}}\n";
  struct pool pool;
  struct policies p = {0};
  const struct ytree *docs;
  mv_error_t err = {0};
  pool_init(&pool, NULL, 0);
  assert_true(ytree_parse(&pool, "r.yaml", span_of(text), &docs, &err));
  assert_true(policies_load(&p, &pool, "r.yaml", docs, &err));
  const struct policy *a = policies_find(&p, POLICY_APP, "a");
  assert_int_equal(a->timeout_ms, 2000);
  assert_int_equal(tries(a, OUTCOME_RETRIABLE, 500), 4);
  assert_int_equal(slept[2], 300);
  assert_int_equal(tries(a, OUTCOME_FINAL, 404), 1);
  assert_int_equal(tries(a, OUTCOME_OK, 200), 1);
  assert_int_equal(tries(policies_find(&p, POLICY_APP, "g"), OUTCOME_RETRIABLE, 0), 5);
  assert_int_equal(slept[0], 500);
  assert_int_equal(slept[1], 750);
  assert_int_equal(slept[3], 1000);
  assert_int_equal(tries(policies_find(&p, POLICY_APP, "s"), OUTCOME_RETRIABLE, 502), 3);
  assert_int_equal(tries(policies_find(&p, POLICY_APP, "s"), OUTCOME_RETRIABLE, 504), 1);
  const struct policy *c = policies_find(&p, POLICY_APP, "c");
  struct attempt early = {.policy = c, .sleep = note_sleep};
  assert_true(attempt_begin(&early));
  assert_int_equal(tries(c, OUTCOME_RETRIABLE, 500), 1);
  assert_int_equal(tries(c, OUTCOME_RETRIABLE, 500), 1);
  assert_int_equal(tries(c, OUTCOME_OK, 200), 0); /* open: refused without a try */
  attempt_end(&early, OUTCOME_OK, 200); /* what had begun before does not close it */
  assert_int_equal(tries(c, OUTCOME_OK, 200), 0);
  assert_non_null(policies_find(&p, POLICY_INBOUND, "p"));
  assert_non_null(policies_find(&p, POLICY_OUTBOUND, "p"));
  assert_null(policies_find(&p, POLICY_OUTBOUND, "a"));
  assert_int_equal(tries(NULL, OUTCOME_RETRIABLE, 500), 1);
  policies_fini(&p);
  const char reserved[] =
      "kind: Resiliency\nspec:\n  policies:\n    retries:\n      DefaultRetryPolicy: {duration: 1ms, maxRetries: 1}\n      "
      "DefaultComponentInboundRetryPolicy: {duration: 1ms, maxRetries: 2}\n";
  struct policies d = {0};
  assert_true(ytree_parse(&pool, "r.yaml", span_of(reserved), &docs, &err));
  assert_true(policies_load(&d, &pool, "r.yaml", docs, &err));
  assert_int_equal(tries(policies_find(&d, POLICY_APP, "x"), OUTCOME_RETRIABLE, 500), 2);
  assert_int_equal(tries(policies_find(&d, POLICY_INBOUND, "x"), OUTCOME_RETRIABLE, 500), 3);
  /* a rule of a breaker knows all counters */
  const char trips[] = "kind: Resiliency\nspec:\n  policies:\n    circuitBreakers:\n      r: {timeout: 1h, trip: requests > 2}\n      t: {timeout: 1h, trip: totalFailures >1}\n"
                       "      b: {timeout: 1h, trip: consecutiveFailures > 1 && requests >= 4}\n      o: {timeout: 1h}\n      z: {timeout: 1ns, trip: totalFailures > 0}\n"
                       "  targets:\n    apps: {r: {circuitBreaker: r}, t: {circuitBreaker: t}, b: {circuitBreaker: b}, o: {circuitBreaker: o}, z: {circuitBreaker: z}}\n";
  const struct { const char *app, *outcomes; bool open; } runs[] = {
      {"r", "ok.", false}, {"r", "..", true}, {"t", ".", false}, {"t", "ok.", true}, {"b", "...", false}, {"b", ".", true},
      {"o", ".....", false}, {"o", "ok.....", false}, {"o", ".", true}, {"z", ".o", false}, {"z", "oo", false}};
  struct policies b = {0};
  assert_true(ytree_parse(&pool, "r.yaml", span_of(trips), &docs, &err));
  assert_true(policies_load(&b, &pool, "r.yaml", docs, &err));
  for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
    const struct policy *run = policies_find(&b, POLICY_APP, runs[i].app);
    for (const char *o = runs[i].outcomes; *o; o++)
      if (*o != 'k') tries(run, *o == 'o' ? OUTCOME_OK : OUTCOME_RETRIABLE, 500);
    if ((run->breaker->open_until_us > 0) != runs[i].open) fail_msg("%s after %s", runs[i].app, runs[i].outcomes);
  }
  policies_fini(&b);
  const char odd[] = "kind: Resiliency\nspec:\n  policies:\n    circuitBreakers:\n      r: {trip: failures > 2}\n";
  struct policies e = {0};
  assert_true(ytree_parse(&pool, "r.yaml", span_of(odd), &docs, &err));
  assert_false(policies_load(&e, &pool, "r.yaml", docs, &err));
  assert_string_equal(err.message, "r.yaml:5: trip: unknown name at column 10 of \"failures > 2\": write consecutiveFailures >= 5");
  const char number[] = "kind: Resiliency\nspec:\n  policies:\n    circuitBreakers:\n      r: {trip: requests}\n";
  err = (mv_error_t){0};
  assert_true(ytree_parse(&pool, "r.yaml", span_of(number), &docs, &err));
  assert_false(policies_load(&e, &pool, "r.yaml", docs, &err));
  assert_string_equal(err.message, "r.yaml:5: trip: the rule gives no true or false: write consecutiveFailures >= 5");
  err = (mv_error_t){0};
  const char wrong[] = "kind: Resiliency\nspec:\n  targets:\n    apps:\n      a: {retry: nowhere}\n";
  struct policies q = {0};
  assert_true(ytree_parse(&pool, "r.yaml", span_of(wrong), &docs, &err));
  assert_false(policies_load(&q, &pool, "r.yaml", docs, &err));
  assert_string_equal(err.message, "r.yaml:5: policy \"nowhere\" is not defined under spec.policies");
  pool_fini(&pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(finding_routes), cmocka_unit_test(every_route_is_found),
                                     cmocka_unit_test(urls),           cmocka_unit_test(yaml_trees),
                                     cmocka_unit_test(yaml_errors),    cmocka_unit_test(yaml_bombs),     cmocka_unit_test(cel_rules),
                                     cmocka_unit_test(times),          cmocka_unit_test(policies)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
