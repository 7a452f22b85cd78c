/* binding_http.c: the output binding bindings.http: a request to a configured URL.
 *
 * Its origin is granted by the component, and the security token goes there alone. A redirect that leads elsewhere is the guest's own affair:
 * under the policy of the sidecar's options. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sidecar.h"
#include "url.h"

enum { REDIRECTS = 10 };
#define JSON_TYPE "application/json; charset=utf-8"

struct binding {
  const char *url;
  const char *secret[3]; /* the token's header */
  struct clients *clients;
  int64_t timeout_ms, body_max;
  bool error_if_not_2xx;
};

static bool open_binding(struct component *c, mv_error_t *err) {
  struct binding *b = pool_zero(&c->sidecar->pool, 1, sizeof *b);
  if (!b) return report_memory(err);
  c->self = b;
  b->url = component_get(c, "url");
  b->body_max = 100 << 20;
  const char *only_2xx = component_get(c, "errorIfNot2XX");
  b->error_if_not_2xx = !only_2xx || text_true(only_2xx);
  if (!b->url) return component_fail(c, err, "metadata url is missing");
  struct clients_options o = {.policy = c->sidecar->policy, .headers = b->secret, .redirects = REDIRECTS, .path_as_is = true,
                              .stopped = sidecar_stopped, .env = c->sidecar};
  const char *token = component_get(c, "securityToken"), *token_name = component_get(c, "securityTokenHeader"), *host = strstr(b->url, "://");
  if (token && token_name) b->secret[0] = token_name, b->secret[1] = token;
  if (!host) return component_fail(c, err, "metadata url: \"%s\" is no URL: write http://host:port/path", b->url);
  o.origin = pool_copy(&c->sidecar->pool, (struct span){b->url, (size_t)(host - b->url) + 3 + strcspn(host + 3, "/?#")});
  b->clients = o.origin ? clients_new(&o) : NULL;
  if (!b->clients) return report_memory(err);
  if (component_get(c, "MTLSClientCert") || component_get(c, "MTLSRootCA"))
    return component_fail(c, err, "client certificates are not built in");
  return component_duration(c, "responseTimeout", 1, &b->timeout_ms, err);
}

static void close_binding(struct component *c) {
  const struct binding *b = c->self;
  if (b && b->clients) clients_delete(b->clients);
}

static const char *reason(int status) {
  const struct { int status; const char *reason; } known[] = {
      {200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"}, {301, "Moved Permanently"}, {302, "Found"},
      {303, "See Other"}, {304, "Not Modified"}, {307, "Temporary Redirect"}, {308, "Permanent Redirect"}, {400, "Bad Request"},
      {401, "Unauthorized"}, {402, "Payment Required"}, {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
      {406, "Not Acceptable"}, {408, "Request Timeout"}, {409, "Conflict"}, {410, "Gone"}, {411, "Length Required"},
      {412, "Precondition Failed"}, {413, "Request Entity Too Large"}, {415, "Unsupported Media Type"}, {418, "I'm a teapot"},
      {422, "Unprocessable Entity"}, {429, "Too Many Requests"}, {500, "Internal Server Error"}, {501, "Not Implemented"},
      {502, "Bad Gateway"}, {503, "Service Unavailable"}, {504, "Gateway Timeout"}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].status == status) return known[i].reason;
  return "";
}

/* Metadata whose name begins with a capital letter is a header. */
static bool make_headers(const struct binding_call *call, struct headers *h, bool body) {
  bool ok = headers_add(h, "User-Agent", CLIENT_NAME);
  if (body && !properties_get(&call->metadata, "Content-Type")) ok = ok && headers_add(h, "Content-Type", JSON_TYPE);
  if (!properties_get(&call->metadata, "Accept")) ok = ok && headers_add(h, "Accept", JSON_TYPE);
  for (size_t i = 0; ok && i < call->metadata.n; i++) {
    const struct property *p = &call->metadata.p[i];
    if ((*p->name >= 'A' && *p->name <= 'Z') || strcmp(p->name, "traceparent") == 0 || strcmp(p->name, "tracestate") == 0)
      ok = headers_add(h, p->name, p->value);
  }
  return ok;
}

static const char *make_url(const struct binding *b, const struct binding_call *call) {
  const char *path = properties_get(&call->metadata, "path");
  struct span base = span_of(b->url);
  if (!path || !*path) return b->url;
  while (base.n && base.p[base.n - 1] == '/') base.n--;
  while (*path == '/') path++;
  return pool_printf(call->pool, "%.*s/%s", (int)base.n, base.p, path);
}

static bool keep_answer(struct binding_call *call, struct answer *a) {
  struct pool *pool = call->pool;
  struct properties *m = &call->out_metadata;
  call->answered = true;
  call->out = a->body;
  a->body = (struct buf){0};
  bool ok = properties_set(pool, m, "statusCode", pool_printf(pool, "%d", a->status)) &&
            properties_set(pool, m, "status", pool_printf(pool, "%d %s", a->status, reason(a->status)));
  for (size_t i = 0; ok && i < a->headers.n; i++) {
    const char *before = properties_find(m, a->headers.p[i].name), *value = a->headers.p[i].value;
    if (strcasecmp(a->headers.p[i].name, "status") == 0 || strcasecmp(a->headers.p[i].name, "statusCode") == 0) continue;
    ok = properties_set(pool, m, a->headers.p[i].name, before ? pool_printf(pool, "%s, %s", before, value) : value);
  }
  return ok;
}

static bool invoke_binding(struct component *c, struct binding_call *call, struct buf *why) {
  const struct binding *b = c->self;
  const char *operation = strcmp(call->operation, "create") == 0 ? "post" : call->operation,
             *only_2xx = properties_get(&call->metadata, "errorIfNot2XX");
  bool body = strcmp(operation, "post") == 0 || strcmp(operation, "put") == 0 || strcmp(operation, "patch") == 0;
  char *method = pool_str(call->pool, operation);
  struct headers h = {.pool = call->pool};
  struct answer a = {.pool = call->pool, .limit = (size_t)b->body_max};
  struct http_sink sink = answer_sink(&a);
  mv_error_t err = {0};
  for (char *p = method; p && *p; p++) *p = (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
  struct http_request r = {.method = method, .url = make_url(b, call)};
  if (!method || !r.url || !make_headers(call, &h, body)) return buf_str(why, "out of memory"), false;
  const char *host = strstr(r.url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
  r.path = path ? path : "/";
  r.headers = (const char *const *)h.list;
  if (body) r.body = call->data.p, r.body_size = call->data.n;
  enum http_code code = clients_send(b->clients, b->timeout_ms, &r, &sink, &err);
  bool ok = code == HTTP_OK && keep_answer(call, &a);
  if (!ok) buf_str(why, err.message[0] ? err.message : "request failed");
  bool strict = only_2xx && *only_2xx ? text_true(only_2xx) : b->error_if_not_2xx;
  if (ok && strict && a.status / 100 != 2) buf_printf(why, "received status code %d", a.status), ok = false;
  answer_fini(&a);
  return ok;
}

static const struct binding_ops ops = {"create get head post put patch delete options trace", invoke_binding};

const struct component_type binding_http_type = {BINDING, "bindings.http", "\"OUTPUT_BINDING\"", &ops, open_binding, close_binding};
