/* api_invoke.c: service invocation: /v1.0/invoke/{app id}/method/..., or any other path with the header dapr-app-id.
 *
 * An application id is the sidecar's own, an HTTPEndpoint, a peer, or a URL. Answers are passed on as they come; only where
 * a resiliency policy may try again are they held until it is known that they stand. */
#include <string.h>
#include <strings.h>

#include "call.h"
#include "url.h"

/* ---- who is meant ---- */

/* Skips "/v1.0/invoke/", any number of slashes at a time. */
static bool skip_prefix(struct span *path) {
  const char *const parts[] = {"v1.0", "invoke"};
  for (size_t i = 0; i < 2; i++) {
    while (path->n && *path->p == '/') path->p++, path->n--;
    if (!span_is(span_cut(path, '/'), parts[i])) return false;
  }
  while (path->n && *path->p == '/') path->p++, path->n--;
  return path->n > 0;
}

static bool from_basic_auth(struct call *c, struct span *id) {
  const char *header = call_header(c, "Authorization");
  struct buf plain = {0};
  if (!header || strncmp(header, "Basic ", 6) != 0) return false;
  bool ok = base64_decode(&plain, span_of(header + 6));
  struct span rest = buf_view(&plain), user = span_cut(&rest, ':');
  ok = ok && span_is_nocase(user, "dapr-app-id") && rest.n && !span_has(rest, ":");
  if (ok) *id = (struct span){pool_copy(c->pool, rest), rest.n};
  buf_fini(&plain);
  return ok && id->p;
}

/* The method is a cleaned path with a leading slash. */
static bool find_target(struct call *c, struct span *id, struct span *method) {
  const char *header = call_header(c, "dapr-app-id");
  struct span path = c->path;
  if (header && *header) {
    *id = span_of(header);
  } else if (!from_basic_auth(c, id)) {
    size_t at = 1;
    if (!skip_prefix(&path)) return false;
    while (at < path.n && !span_starts((struct span){path.p + at, path.n - at}, "/method/")) at++;
    if (at >= path.n) return false;
    *id = url_decode(c->pool, (struct span){path.p, at}, true);
    path = (struct span){path.p + at + 8, path.n - at - 8};
  }
  struct span decoded = url_decode(c->pool, path, false);
  *method = decoded.p ? url_clean(c->pool, decoded) : decoded;
  return id->p && method->p;
}

static const struct endpoint *find_endpoint(const struct sidecar *sc, struct span id) {
  for (size_t i = 0; i < sc->endpoint_count; i++)
    if (span_is(id, sc->endpoints[i].name)) return &sc->endpoints[i];
  return NULL;
}

/* ---- headers ---- */

/* Between two hops only, or meant for this one. */
static bool is_hop(const char *name, bool request) {
  const char *const both[] = {
      "Connection",        "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
      "Transfer-Encoding", "Upgrade",    "Content-Length"};
  const char *const in_request[] = {"Host", "Expect", "dapr-app-id", "dapr-api-token"};
  for (size_t i = 0; i < sizeof both / sizeof *both; i++)
    if (strcasecmp(name, both[i]) == 0) return true;
  for (size_t i = 0; request && i < sizeof in_request / sizeof *in_request; i++)
    if (strcasecmp(name, in_request[i]) == 0) return true;
  return !request && strcasecmp(name, "Date") == 0;
}

static bool make_headers(struct call *c, struct headers *h, struct span id, const struct endpoint *e, bool local) {
  const struct sidecar *sc = c->sidecar;
  bool trace = sc->sampling > 0, ok = true;
  for (const char *const *p = c->request->headers; ok && p && p[0]; p += 2)
    if (!is_hop(p[0], true) && !(trace && strcasecmp(p[0], "traceparent") == 0)) ok = headers_add(h, p[0], p[1]);
  if (!call_header(c, "User-Agent")) ok = ok && headers_add(h, "User-Agent", CLIENT_NAME);
  if (trace) {
    char *text = pool_alloc(c->pool, TRACE_TEXT);
    if (!text) return false;
    trace_child(&c->sidecar->random, span_of(call_header(c, "traceparent")), trace_sampled(c->sidecar), text);
    ok = ok && headers_add(h, "traceparent", text);
  }
  if (local && sc->app_token) ok = ok && headers_add(h, "dapr-api-token", sc->app_token);
  for (size_t i = 0; e && i < e->headers.n; i++) ok = ok && headers_add(h, e->headers.p[i].name, e->headers.p[i].value);
  if (e && e->peer)
    ok = ok && headers_add(h, "dapr-callee-app-id", pool_copy(c->pool, id)) && headers_add(h, "dapr-caller-app-id", sc->app_id) &&
         headers_add(h, "dapr-caller-namespace", sc->name_space);
  return ok;
}

/* ---- passing the answer on ---- */

struct relay {
  struct call *call;
  struct headers headers;
  int status;
  bool untyped, begun; /* untyped: the head waits for the first bytes, from which the type is told */
};

/* Go's net/http gives an answer without Content-Type one by its first bytes. */
static const char *sniff(const unsigned char *p, size_t n) {
  if (n > 512) n = 512;
  for (size_t i = 0; i < n; i++)
    if (p[i] < 0x20 && (p[i] == 0 || !strchr("\t\n\f\r\x1b", p[i]))) return "application/octet-stream";
  return n >= 5 && strncasecmp((const char *)p, "<html", 5) == 0 ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
}

static bool relay_begin(struct relay *r) {
  const char *const none[] = {NULL};
  r->begun = true;
  r->call->status = r->status;
  return r->call->sink->head(r->call->sink->env, r->status, r->headers.list ? (const char *const *)r->headers.list : none);
}

static bool relay_head(void *env, int status, const char *const *headers) {
  struct relay *r = env;
  const char *type = headers_get(headers, "Content-Type");
  r->status = status;
  r->untyped = !type || !*type;
  for (; headers && headers[0]; headers += 2) {
    if (is_hop(headers[0], false) || (r->untyped && strcasecmp(headers[0], "Content-Type") == 0)) continue;
    if (!headers_add(&r->headers, pool_str(r->call->pool, headers[0]), pool_str(r->call->pool, headers[1]))) return false;
  }
  return r->untyped || relay_begin(r);
}

static bool relay_data(void *env, const void *bytes, size_t n) {
  struct relay *r = env;
  if (n == 0) return true;
  if (!r->begun && (!headers_add(&r->headers, "Content-Type", sniff(bytes, n)) || !relay_begin(r))) return false;
  return r->call->sink->data(r->call->sink->env, bytes, n);
}

static bool relay_end(struct relay *r) { return r->begun || relay_begin(r); }

/* ---- sending ---- */

struct destination {
  struct sidecar *app;     /* whose application it is; NULL: over clients */
  struct clients *clients;
  const struct policy *policy;
};

static bool send_once(const struct destination *t, const struct http_request *request, const struct http_sink *sink, mv_error_t *err) {
  int64_t timeout = t->policy ? t->policy->timeout_ms : 0;
  return t->app ? app_call(t->app, timeout, request, sink, err) : clients_send(t->clients, timeout, request, sink, err) == HTTP_OK;
}

static bool reply_failed(struct call *c, struct span id, const char *why) {
  return reply_error(c, 500, "ERR_DIRECT_INVOKE", "failed to invoke, id: %s, err: %s", pool_copy(c->pool, id), why);
}

static bool send_streaming(struct call *c, const struct destination *t, const struct http_request *request, struct span id) {
  mv_error_t err = {0};
  struct relay r = {.call = c, .headers = {.pool = c->pool}};
  struct http_sink sink = {relay_head, relay_data, &r};
  bool ok = send_once(t, request, &sink, &err);
  if (ok) return relay_end(&r);
  if (r.begun) {
    if (c->err) *c->err = err;
    return false; /* too late for another answer */
  }
  return reply_failed(c, id, err.message);
}

static bool pass_answer(struct call *c, struct answer *a) {
  struct relay r = {.call = c, .headers = {.pool = c->pool}};
  struct headers all = {.pool = c->pool};
  for (size_t i = 0; i < a->headers.n; i++)
    if (!headers_add(&all, a->headers.p[i].name, a->headers.p[i].value)) return reply_no_memory(c);
  return relay_head(&r, a->status, (const char *const *)all.list) && relay_data(&r, a->body.p, a->body.n) && relay_end(&r);
}

static bool send_with_policy(struct call *c, const struct destination *t, const struct http_request *request, struct span id) {
  struct attempt attempt = {.policy = t->policy, .sleep = sidecar_sleep, .env = c->sidecar};
  struct answer a = {.pool = c->pool};
  mv_error_t err = {0};
  while (attempt_begin(&attempt)) {
    struct http_sink sink = answer_sink(&a);
    buf_clear(&a.body);
    a.status = 0;
    bool ok = send_once(t, request, &sink, &err) && a.status >= 200 && a.status < 400;
    attempt_end(&attempt, ok ? OUTCOME_OK : OUTCOME_RETRIABLE, a.status);
  }
  bool sent = attempt.refused ? reply_failed(c, id, "circuit breaker is open")
              : a.status      ? pass_answer(c, &a)
                              : reply_failed(c, id, err.message);
  answer_fini(&a);
  return sent;
}

/* base + method + query */
static const char *make_url(struct call *c, const char *base, struct span method, bool whole) {
  struct buf url = {0};
  struct span b = span_of(base);
  while (b.n && b.p[b.n - 1] == '/') b.n--;
  if (whole) buf_span(&url, b);
  url_encode_path(&url, method);
  if (c->query.n) buf_char(&url, '?'), buf_span(&url, c->query);
  const char *copy = url.failed ? NULL : pool_copy(c->pool, buf_view(&url));
  buf_fini(&url);
  return copy;
}

bool invoke(struct call *c) {
  struct sidecar *sc = c->sidecar;
  struct span id, method;
  if (!find_target(c, &id, &method)) return c->pool->failed ? reply_no_memory(c) : reply_no_app_id(c);
  char *name = pool_copy(c->pool, id);
  if (!name) return reply_no_memory(c);
  const struct endpoint *e = find_endpoint(sc, id);
  bool url = span_starts(id, "http://") || span_starts(id, "https://"), local = !url && !e && span_is(id, sc->app_id);
  struct destination t = {.policy = policies_find(&sc->policies, POLICY_APP, name), .clients = url ? sc->guest_clients : sc->clients};
  if (!url && !e && !local) return reply_failed(c, id, "no host found with the given ID");
  if (local && !sc->has_app) return reply_failed(c, id, "app channel is not initialized: start with --app-port");
  if (local) t.app = sc;
  struct headers h = {.pool = c->pool};
  struct http_request r = *c->request;
  r.path = make_url(c, "", method, false);
  r.url = local ? r.path : make_url(c, e ? e->url : name, method, true);
  if (!r.url || !r.path || !make_headers(c, &h, id, e, local)) return reply_no_memory(c);
  r.headers = (const char *const *)h.list;
  return t.policy && (t.policy->retry || t.policy->breaker) ? send_with_policy(c, &t, &r, id) : send_streaming(c, &t, &r, id);
}
