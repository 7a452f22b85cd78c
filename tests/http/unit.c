/* unit.c: the parser of URLs, references, the options, and the client with handlers and forwarded origins. Its arguments are those of attack.c. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../http/fields.h"
#include "../../http/http.h"
#include "../../http/options.h"
#include "../../http/url.h"

static int passed, failed;

static void check(const char *name, bool ok, const char *got) {
  if (ok) {
    passed++;
  } else {
    printf("FAIL %s: %s\n", name, got ? got : "");
    failed++;
  }
}

/* ---- URLs ---------------------------------------------------------------------------------------------- */

static const struct {
  const char *text, *wanted; /* NULL: refused */
} urls[] = {
  {"http://host", "http://host/"},
  {"http://host/", "http://host/"},
  {"HTTP://HoSt:80/A?b#c", "http://host/A?b"},
  {"https://host:443/", "https://host/"},
  {"https://host:80/", "https://host:80/"},
  {"http://host:443", "http://host:443/"},
  {"http://host:/x", "http://host/x"},
  {"http://host:08080/", "http://host:8080/"},
  {"http://host?q", "http://host/?q"},
  {"http://host#f", "http://host/"},
  {"http://h/a/./b", "http://h/a/b"},
  {"http://h/a/../b", "http://h/b"},
  {"http://h/../../b", "http://h/b"},
  {"http://h/a/..", "http://h/"},
  {"http://h/a/.", "http://h/a/"},
  {"http://h/..", "http://h/"},
  {"http://h/.", "http://h/"},
  {"http://h/a/b/../../../c", "http://h/c"},
  {"http://h/a//../b", "http://h/a/b"},
  {"http://h/...", "http://h/..."},
  {"http://h/.a/..b", "http://h/.a/..b"},
  {"http://h/a/%2e%2E/b", "http://h/b"}, /* as the URL Standard has it: who decodes later would see dots */
  {"http://h/a/.%2e/%2E./b", "http://h/b"},
  {"http://h/a/%2e/b", "http://h/a/b"},
  {"http://h/a/%2e", "http://h/a/"},
  {"http://h/%2ea/%2e%2e%2e", "http://h/%2ea/%2e%2e%2e"},
  {"http://h/a?x/../y", "http://h/a?x/../y"},
  {"http://h/a b", "http://h/a%20b"},
  {"http://h/\xc3\xa9?\xc3\xa9", "http://h/%C3%A9?%C3%A9"},
  {"http://h/a\\b", "http://h/a%5Cb"},
  {"http://h/%zz%2F", "http://h/%zz%2F"},
  {"http://1.2.3.4/", "http://1.2.3.4/"},
  {"http://[::1]:8/", "http://[::1]:8/"},
  {"http://[0:0:0:0:0:0:0:1]/", "http://[::1]/"},
  {"http://[FE80::A]/", "http://[fe80::a]/"},
  {"http://[::ffff:1.2.3.4]/", "http://[::ffff:1.2.3.4]/"},
  {"http://a.b.c./", "http://a.b.c./"},
  {"http://1.a/", "http://1.a/"},
  {"http://0x/", NULL},
  {"http://a_b-c/", "http://a_b-c/"},
  {"", NULL},
  {"host", NULL},
  {"/path", NULL},
  {"//host/", NULL},
  {"http:", NULL},
  {"http:/host", NULL},
  {"http:host", NULL},
  {"http://", NULL},
  {"http:///x", NULL},
  {"http://:80/", NULL},
  {"http://?x", NULL},
  {" http://host/", NULL},
  {"ftp://host/", NULL},
  {"httpss://host/", NULL},
  {"http+x://host/", NULL},
  {"http://u@host/", NULL},
  {"http://u:p@host/", NULL},
  {"http://@host/", NULL},
  {"http://host:65536/", NULL},
  {"http://host:99999999999999999999/", NULL},
  {"http://host:0/", NULL},
  {"http://host:8a/", NULL},
  {"http://host:-1/", NULL},
  {"http://host: 80/", NULL},
  {"http://ho st/", NULL},
  {"http://ho%73t/", NULL},
  {"http://h\\x/", NULL},
  {"http://h\xc3\xa9/", NULL},
  {"http://a..b/", NULL},
  {"http://.a/", NULL},
  {"http://./", NULL},
  {"http://a*b/", NULL},
  {"http://127.1/", NULL},
  {"http://1/", NULL},
  {"http://1./", NULL},
  {"http://1.2.3.4./", NULL},
  {"http://0x7f.1/", NULL},
  {"http://a.0x1/", NULL},
  {"http://1.2.3.256/", NULL},
  {"http://1.2.3.04/", NULL},
  {"http://1.2.3.4.5/", NULL},
  {"http://[::1/", NULL},
  {"http://[::1]x/", NULL},
  {"http://[1.2.3.4]/", NULL},
  {"http://[::1%25eth0]/", NULL},
  {"http://[]/", NULL},
  {"http://::1/", NULL},
  {"http://host/\n", NULL},
  {"http://host/\x7f", NULL},
  {"http://h\tost/", NULL},
  {"http://a123456789012345678901234567890123456789012345678901234567890123/", NULL}, /* a label of 64 */
};

/* RFC 3986, section 5.4, on http://a/b/c/d;p?q; without fragments, and ours alone where a URL must be http. */
static const struct {
  const char *reference, *wanted;
} references[] = {
  {"g", "http://a/b/c/g"}, {"./g", "http://a/b/c/g"}, {"g/", "http://a/b/c/g/"}, {"/g", "http://a/g"}, {"//g", "http://g/"}, {"?y", "http://a/b/c/d;p?y"},
  {"g?y", "http://a/b/c/g?y"}, {"#s", "http://a/b/c/d;p?q"}, {"g#s", "http://a/b/c/g"}, {";x", "http://a/b/c/;x"}, {"g;x", "http://a/b/c/g;x"},
  {"", "http://a/b/c/d;p?q"}, {".", "http://a/b/c/"}, {"./", "http://a/b/c/"}, {"..", "http://a/b/"}, {"../", "http://a/b/"}, {"../g", "http://a/b/g"},
  {"../..", "http://a/"}, {"../../", "http://a/"}, {"../../g", "http://a/g"}, {"../../../g", "http://a/g"}, {"/./g", "http://a/g"}, {"/../g", "http://a/g"},
  {"g.", "http://a/b/c/g."}, {"..g", "http://a/b/c/..g"}, {"./../g", "http://a/b/g"}, {"g;x=1/../y", "http://a/b/c/y"}, {"g?y/../x", "http://a/b/c/g?y/../x"},
  {"https://x/y", "https://x/y"}, {"g:h", NULL}, {"http:g", NULL}, {"//u@g", NULL}, {"/\\evil/", "http://a/%5Cevil/"}, {"\\\\evil/", "http://a/b/c/%5C%5Cevil/"},
  {"a\rb", NULL},
};

static void test_urls(void) {
  struct url url = {0}, base = {0};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    const char *why = url_parse(&url, urls[i].text, strlen(urls[i].text));
    check(urls[i].text, urls[i].wanted ? !why && !strcmp(url.text, urls[i].wanted) : why != NULL, why ? why : url.text);
  }
  check("a zero", url_parse(&url, "http://a\0b/", 11) != NULL, NULL);
  check("base", !url_parse(&base, "http://a/b/c/d;p?q", 18), NULL);
  for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
    const char *why = url_resolve(&url, &base, references[i].reference);
    check(references[i].reference, references[i].wanted ? !why && !strcmp(url.text, references[i].wanted) : why != NULL, why ? why : url.text);
  }
  url.as_is = true;
  check("as it is", !url_parse(&url, "http://h/../a/./%2e%2e/b c", 26) && !strcmp(url.text, "http://h/../a/./%2e%2e/b%20c"), url.text);
  url.as_is = false;
  check("an origin", !url_parse_origin(&base, "http://127.0.0.1:3500"), NULL);
  check("no origin", url_parse_origin(&url, "http://h/x") && url_parse_origin(&url, "http://h?") && url_parse_origin(&url, "http://h/#") && !url_parse_origin(&url, "http://h/"), NULL);
  url_fini(&url);
  url_fini(&base);
}

/* What the shortcut takes, the parser takes in the same way; what the parser yields, it yields again. */
static void test_mutations(void) {
  static const char *const seeds[] = {"http://127.0.0.1:3500/v1.0/state/%2e./key?a=b", "https://User@[::1]:443/a/../b?c#d", "http://h.test/%2e/\xc3\xa9", "http://1.2.3.4:5/"};
  static const char alphabet[] = "/:.@?#[]%\\ a0x\xc3\xa9\t\n-_{}";
  struct url url = {0}, again = {0}, origin = {0};
  unsigned random = 1;
  bool ok = !url_parse_origin(&origin, "http://127.0.0.1:3500");
  for (int i = 0; i < 200000 && ok; i++) {
    char text[128];
    size_t n = strlen(seeds[i % 4]);
    const char *why;
    memcpy(text, seeds[i % 4], n);
    for (int k = 0; k < 1 + i % 5; k++) {
      random = random * 1103515245 + 12345;
      if (random >> 30 == 0 && n > 1) {
        size_t at = (random >> 8) % n;
        memmove(text + at, text + at + 1, --n - at);
      } else {
        text[(random >> 8) % n] = alphabet[(random >> 20) % (sizeof alphabet - 1)];
      }
    }
    why = url_parse(&url, text, n);
    if (!why) ok = url.text[url.size] == 0 && strlen(url.text) == url.size && !url_parse(&again, url.text, url.size) && !strcmp(url.text, again.text);
    if (ok && url_parse_plain(&again, &origin, text, n)) ok = !why && !strcmp(url.text, again.text) && url_same_origin(&url, &again);
    check("a mutated URL", ok, text);
    passed -= ok; /* counted once */
  }
  check("mutated URLs", ok, NULL);
  url_fini(&url);
  url_fini(&again);
  url_fini(&origin);
}

/* ---- fields and options ---------------------------------------------------------------------------------- */

static void test_fields(void) {
  struct fields f = {0};
  const char *const *list;
  check("add", fields_add(&f, "One", 3, "1", 1) && fields_add(&f, "two", 3, "", 0) && fields_add(&f, "ONE", 3, "3", 1), NULL);
  check("find", !strcmp(fields_find(&f, "one"), "1") && !strcmp(fields_find(&f, "two"), "") && !fields_find(&f, "on"), NULL);
  list = fields_list(&f);
  check("list", f.count == 3 && !strcmp(list[0], "one") && !strcmp(list[5], "3") && !list[6], NULL);
  check("set", fields_set(&f, "TWO", 3, "22", 2) && f.count == 3 && !strcmp(fields_find(&f, "two"), "22"), NULL);
  fields_remove(&f, "one");
  list = fields_list(&f);
  check("remove", f.count == 1 && !strcmp(list[0], "two") && !list[2], NULL);
  for (int i = 0; i < 1000; i++)
    if (!fields_add(&f, "n", 1, "v", 1)) failed++;
  check("many", f.count == 1001 && !fields_list(&f)[2002], NULL);
  fields_fini(&f);
  check("tokens", is_token("a-b!#", 5) && !is_token("", 0) && !is_token("a b", 3) && !is_token("a\0b", 3) && !is_token("\xc3\xa9", 2), NULL);
  check("values", is_field_value("a\tb\xff", 4) && is_field_value("", 0) && !is_field_value("a\n", 2) && !is_field_value("a\0", 2) && !is_field_value("\x7f", 1), NULL);
}

static void test_options(void) {
  struct http_settings s = {0};
  check("allow", !http_set_allow(&s, "http://a:1") && !http_set_allow(&s, "https://b/") && s.allowed == 2 && !strcmp(s.allow[1], "https://b/"), NULL);
  check("allow what is no origin", http_set_allow(&s, "a:1") && http_set_allow(&s, "http://a/b") && http_set_allow(&s, "*") && http_set_allow(&s, "ftp://a") && s.allowed == 2, NULL);
  check("timeout", !http_set_timeout(&s, "1500ms") && s.timeout_ms == 1500 && !http_set_timeout(&s, "2") && s.timeout_ms == 2000 && !http_set_timeout(&s, "3m") && s.timeout_ms == 180000, NULL);
  check("no timeout", !http_set_timeout(&s, "none") && s.timeout_ms == -1, NULL);
  check("bad timeouts", http_set_timeout(&s, "") && http_set_timeout(&s, "x") && http_set_timeout(&s, "0") && http_set_timeout(&s, "1d") && http_set_timeout(&s, "99999999999999999999s"), NULL);
  check("max body", !http_set_max_body(&s, "10M") && s.max_body == 10 << 20 && !http_set_max_body(&s, "7") && s.max_body == 7, NULL);
  check("bad sizes", http_set_max_body(&s, "0") && http_set_max_body(&s, "1X") && http_set_max_body(&s, "-1") && http_set_max_body(&s, "99999999999999999999"), NULL);
  check("they fit", !http_settings_check(&s), NULL);
  http_set_deny_private(&s, NULL);
  http_set_proxy(&s, NULL);
  check("they do not fit", http_settings_check(&s) != NULL, NULL);
  http_settings_fini(&s);
}

/* ---- the client ------------------------------------------------------------------------------------------ */

struct log {
  char text[512];
};

/* Answers with what it was asked. */
static bool echo(void *env, const struct http_request *r, const struct http_sink *sink, mv_error_t *err) {
  static const char *const headers[] = {"X-Reply", "yes", NULL};
  char text[256];
  int n = snprintf(text, sizeof text, "%s %s %s %.*s", r->method, r->path, r->headers[0] ? r->headers[0] : "-", (int)r->body_size, (const char *)r->body);
  (void)err;
  if (env) ++*(int *)env;
  return sink->head(sink->env, 201, headers) && sink->data(sink->env, text, (size_t)n);
}

static bool broken(void *env, const struct http_request *r, const struct http_sink *sink, mv_error_t *err) {
  (void)env, (void)r, (void)sink;
  snprintf(err->message, sizeof err->message, "out of order");
  return false;
}

static bool endless(void *env, const struct http_request *r, const struct http_sink *sink, mv_error_t *err) {
  static const char *const headers[] = {NULL};
  static const char block[4096];
  (void)env, (void)r, (void)err;
  if (!sink->head(sink->env, 200, headers)) return false;
  while (sink->data(sink->env, block, sizeof block)) {}
  return false;
}

/* The response in words: status, body, error. */
static const char *fetch(struct http_client *c, const char *method, const char *url, const char *const *headers, const char *body) {
  static char text[8192];
  struct http_request r = {.method = method, .url = url, .headers = headers, .body = body, .body_size = strlen(body)};
  struct http_exchange *x;
  mv_error_t err;
  size_t at, n = 1;
  enum http_code code = http_open(c, &r, &x, &err);
  if (code) {
    snprintf(text, sizeof text, "code %d: %s", (int)code, err.message);
    return text;
  }
  at = (size_t)snprintf(text, sizeof text, "%d ", http_status(x));
  while (n && !code && at < 4096) {
    code = http_read(x, text + at, 4096 - at, &n, &err);
    at += n;
  }
  text[at] = 0;
  if (code) snprintf(text, sizeof text, "reading: code %d: %s", (int)code, err.message);
  http_close(x);
  return text;
}

static void test_handlers(void) {
  static const char *const headers[] = {"X-A", "1", "Host", "h", "Connection", "close", NULL};
  struct http_policy *policy = http_policy_new();
  struct http_options options = {.max_redirects = 10, .max_body = 100000};
  struct http_client *c = http_client_new(policy, &options, NULL);
  struct http_stats stats;
  int calls = 0;
  const char *got;
  http_policy_allow_all(policy);
  check("mount", http_client_mount(c, "http://127.0.0.1:3500", echo, &calls) && http_client_mount(c, "http://broken", broken, NULL) && http_client_mount(c, "http://endless", endless, NULL), NULL);
  check("mount of what is no origin", !http_client_mount(c, "127.0.0.1:3500", echo, NULL), NULL);
  got = fetch(c, "POST", "http://127.0.0.1:3500/a?b", headers, "body");
  check("a handler", !strcmp(got, "201 POST /a?b x-a body"), got);
  got = fetch(c, "GET", "HTTP://127.0.0.1:3500/a b#c", NULL, "");
  check("a handler by another spelling", !strcmp(got, "201 GET /a%20b - "), got);
  got = fetch(c, "GET", "http://127.0.0.1:3500/x/../.?b", NULL, "");
  check("dots are the handler's", !strcmp(got, "201 GET /x/../.?b - "), got);
  got = fetch(c, "GET", "http://broken/", NULL, "");
  check("a handler that fails", !strcmp(got, "code 11: out of order"), got);
  got = fetch(c, "GET", "http://endless/", NULL, "");
  check("a handler without end", !strncmp(got, "200 ", 4), got);
  check("calls", calls == 3, NULL);
  http_client_stats(c, &stats);
  check("statistics", stats.requests == 5 && stats.mounted == 5 && stats.failed == 1 && stats.connections == 0, NULL);
  http_client_delete(c);
  http_policy_delete(policy);
}

static void test_forward(const char *port) {
  static const char *const token[] = {"dapr-api-token", "real", NULL};
  static const char *const guess[] = {"Dapr-Api-Token", "guess", NULL};
  struct http_policy *policy = http_policy_new(); /* allows nothing */
  struct http_options options = {.max_redirects = 10};
  struct http_client *c = http_client_new(policy, &options, NULL);
  char endpoint[64];
  mv_error_t err;
  const char *got;
  snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%s", port);
  check("forward", http_client_forward(c, "http://127.0.0.1:3500", endpoint, token, &err), err.message);
  snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%s/echo/", port);
  check("forward to a path", http_client_forward(c, "http://path", endpoint, NULL, &err), err.message);
  check("forward to nobody", http_client_forward(c, "http://nobody", "http://127.0.0.1:1", NULL, &err), err.message);
  check("forward to what is no URL", !http_client_forward(c, "http://x", "127.0.0.1", NULL, &err), NULL);
  got = fetch(c, "GET", "http://127.0.0.1:3500/headers", guess, "");
  check("the host's token", strstr(got, "dapr-api-token:real\n") && !strstr(got, "guess"), got);
  got = fetch(c, "POST", "http://path/x?y", NULL, "z");
  check("below the path", !strcmp(got, "200 z"), got);
  got = fetch(c, "GET", "http://path/a/../../headers", guess, "");
  check("no dots lead out of the path", !strstr(got, "guess"), got);
  got = fetch(c, "GET", "http://127.0.0.1:3500/echo/../headers", guess, "");
  check("dots are the server's", !strcmp(got, "200 "), got);
  got = fetch(c, "GET", "http://nobody/", NULL, "");
  check("no fallback", !strncmp(got, "code 11", 7), got);
  got = fetch(c, "GET", endpoint, NULL, "");
  check("the endpoint itself is not allowed", !strncmp(got, "code 7", 6), got);
  http_client_delete(c);
  http_policy_delete(policy);
}

/* What the host adds for an endpoint is for that endpoint alone. */
static void test_forward_secrets(const char *port) {
  static const char *const secret[] = {"x-secret", "sesame", NULL};
  struct http_policy *policy = http_policy_new();
  struct http_options options = {.max_redirects = 10};
  struct http_client *c = http_client_new(policy, &options, NULL);
  char endpoint[64], url[128];
  mv_error_t err;
  const char *got, *why;
  snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%s", port);
  check("forward with a secret", http_client_forward(c, "http://sidecar", endpoint, secret, &err), err.message);
  check("and the same origin by itself", http_policy_allow(policy, endpoint, &why), why);
  got = fetch(c, "GET", "http://sidecar/redirect?to=/headers", NULL, "");
  check("a secret stays with its origin", strstr(got, "x-secret:sesame\n") != NULL, got);
  snprintf(url, sizeof url, "http://sidecar/redirect?code=307&to=%s/headers", endpoint);
  got = fetch(c, "GET", url, NULL, "");
  check("a secret does not follow a redirect", !strncmp(got, "200 ", 4) && !strstr(got, "sesame"), got);
  got = fetch(c, "TRACE", "http://sidecar/headers", NULL, "");
  check("a secret is not echoed", !strncmp(got, "code 8", 6), got);
  snprintf(url, sizeof url, "%s/echo", endpoint);
  got = fetch(c, "TRACE", url, NULL, "");
  check("where there is no secret, TRACE is a method", !strncmp(got, "200 ", 4), got);
  http_client_delete(c);
  http_policy_delete(policy);
}

/* The connections of an endpoint, which may be private, serve nobody else. */
static void test_forward_private(const char *port) {
  struct http_policy *policy = http_policy_new();
  struct http_options options = {.max_redirects = 10};
  struct http_client *c;
  char endpoint[64], url[128];
  mv_error_t err;
  const char *got, *why;
  snprintf(endpoint, sizeof endpoint, "http://localhost:%s", port);
  http_policy_deny_private(policy, true);
  check("allow localhost", http_policy_allow(policy, endpoint, &why), why);
  c = http_client_new(policy, &options, NULL);
  check("forward to localhost", http_client_forward(c, "http://sidecar", endpoint, NULL, &err), err.message);
  got = fetch(c, "GET", "http://sidecar/bytes/1", NULL, "");
  check("an endpoint may be private", !strncmp(got, "200 ", 4), got);
  snprintf(url, sizeof url, "%s/bytes/1", endpoint);
  got = fetch(c, "GET", url, NULL, "");
  check("its connection is not for others", !strncmp(got, "code 7", 6), got);
  http_client_delete(c);
  http_policy_delete(policy);
}

/* A token for the sidecar is not shown to a proxy. */
static void test_forward_proxy(const char *port) {
  static const char *const token[] = {"dapr-api-token", "real", NULL};
  struct http_policy *policy = http_policy_new();
  struct http_options options = {.proxy = true};
  struct http_client *c = http_client_new(policy, &options, NULL);
  char endpoint[64];
  mv_error_t err;
  const char *got;
  snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%s", port);
  check("forward beside a proxy", http_client_forward(c, "http://sidecar", endpoint, token, &err), err.message);
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  got = fetch(c, "GET", "http://sidecar/bytes/1", NULL, "");
  unsetenv("http_proxy");
  check("the sidecar is not asked through a proxy", !strncmp(got, "200 ", 4), got);
  http_client_delete(c);
  http_policy_delete(policy);
}

static bool stop_now(void *env) { return ++*(int *)env > 2; }

static void test_network(const char *port) {
  struct http_policy *policy = http_policy_new();
  struct http_options options = {.timeout_ms = 300, .max_body = 1000};
  struct http_client *c;
  char url[128];
  int asked = 0;
  const char *got;
  http_policy_allow_all(policy);
  c = http_client_new(policy, &options, NULL);
#define URL(path) (snprintf(url, sizeof url, "http://127.0.0.1:%s" path, port), url)
  got = fetch(c, "GET", URL("/slow/3000"), NULL, "");
  check("a time limit", !strcmp(got, "code 11: the time limit is over"), got);
  got = fetch(c, "GET", URL("/drip/5/150"), NULL, "");
  check("each read has its own", !strncmp(got, "200 drip 0", 10) && strstr(got, "drip 4"), got);
  got = fetch(c, "GET", URL("/bytes/1000"), NULL, "");
  check("as large as allowed", !strncmp(got, "200 ", 4), got);
  got = fetch(c, "GET", URL("/bytes/1001"), NULL, "");
  check("larger", !strcmp(got, "reading: code 11: the response is larger than allowed"), got);
  got = fetch(c, "GET", URL("/redirect?to=/echo"), NULL, "");
  check("redirects are returned as they are", !strcmp(got, "302 moved"), got);
  http_client_stop(c, stop_now, &asked);
  got = fetch(c, "GET", URL("/slow/3000"), NULL, "");
  check("a stop", !strcmp(got, "code 12: interrupted"), got);
  http_client_delete(c);
  http_policy_delete(policy);
}

/* ---- threads --------------------------------------------------------------------------------------------- */

/* Each with a client of its own, as in the sidecar. */
static void *fetch_many(void *port) {
  struct http_policy *policy = http_policy_new();
  struct http_options options = {0};
  struct http_client *c;
  struct http_exchange *x;
  char url[64], buf[200];
  size_t good = 0, n;
  http_policy_allow_all(policy);
  c = http_client_new(policy, &options, NULL);
  snprintf(url, sizeof url, "http://127.0.0.1:%s/bytes/100", (const char *)port);
  for (int i = 0; i < 20; i++) {
    struct http_request r = {.method = "GET", .url = url};
    if (http_open(c, &r, &x, NULL)) break;
    good += http_read(x, buf, sizeof buf, &n, NULL) == HTTP_OK && n == 100;
    http_close(x);
  }
  http_client_delete(c);
  http_policy_delete(policy);
  return good == 20 ? port : NULL;
}

static void test_threads(const char *port) {
  pthread_t threads[4];
  int good = 0;
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, fetch_many, (void *)(uintptr_t)port);
  for (int i = 0; i < 4; i++) {
    void *result;
    pthread_join(threads[i], &result);
    good += result != NULL;
  }
  check("four threads", good == 4, NULL);
}

/* ---- no memory ------------------------------------------------------------------------------------------- */

#ifdef WRAP_MALLOC
static long fail_at = -1; /* this allocation fails, and all after it */

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
static bool out_of_luck(void) { return fail_at >= 0 && fail_at-- == 0 && ++fail_at == 0; }
void *__wrap_malloc(size_t n) { return out_of_luck() ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t n, size_t size) { return out_of_luck() ? NULL : __real_calloc(n, size); }
void *__wrap_realloc(void *p, size_t n) { return out_of_luck() ? NULL : __real_realloc(p, n); }

/* One request of each kind. true: all of it went well. */
static bool try_all(const char *url) {
  static const char *const headers[] = {"X-A", "1", "x-b", "2", NULL};
  struct http_settings settings = {0};
  struct http_policy *policy = http_policy_new();
  struct http_options options = {.max_redirects = 3};
  struct http_client *c = NULL;
  const char *why;
  bool ok = policy != NULL;
  ok = ok && !http_set_allow(&settings, "http://a") && !http_set_allow(&settings, "http://b");
  ok = ok && http_policy_allow(policy, "http://127.0.0.1:1", &why);
  if (ok) http_policy_allow_all(policy);
  if (ok) c = http_client_new(policy, &options, NULL);
  ok = c && http_client_mount(c, "http://h", echo, NULL) && http_client_forward(c, "http://f", "http://127.0.0.1:1/x", headers, NULL);
  ok = ok && !strncmp(fetch(c, "POST", "http://h/a", headers, "body"), "201 ", 4) && !strncmp(fetch(c, "GET", "http://h/../a b", NULL, ""), "201 ", 4);
  if (ok && url) ok = !strncmp(fetch(c, "POST", url, headers, "body"), "200 ", 4);
  http_client_delete(c);
  http_policy_delete(policy);
  http_settings_fini(&settings);
  return ok;
}

static void test_no_memory(const char *port) {
  char url[64];
  long n;
  snprintf(url, sizeof url, "http://127.0.0.1:%s/redirect?code=307&to=/echo", port ? port : "0");
  for (n = 0; n < 10000; n++) {
    bool ok;
    fail_at = n;
    ok = try_all(port ? url : NULL);
    if (fail_at > 0 || ok) break;
  }
  fail_at = -1;
  check("every allocation can fail", n > 20 && n < 10000 && try_all(port ? url : NULL), NULL);
}
#else
static void test_no_memory(const char *port) { (void)port; }
#endif

int main(int argc, char **argv) {
  const char *port = NULL;
  for (int i = 1; i < argc; i++)
    if (!strncmp(argv[i], "MAIN=", 5)) port = argv[i] + 5;
  test_urls();
  test_mutations();
  test_fields();
  test_options();
  test_handlers();
  if (port) {
    test_forward(port);
    test_forward_secrets(port);
    test_forward_private(port);
    test_forward_proxy(port);
    test_network(port);
    test_threads(port);
  }
  test_no_memory(port);
  printf("unit: %d passed, %d failed\n", passed, failed);
  return failed != 0;
}
