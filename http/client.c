/* client.c: what a request goes through before dial.c sends it and after: the check of its URL, its method and its headers, handlers mounted in this
 * process, and redirects, each hop of which is a request that is checked again. It knows neither libcurl nor guests. */
#include "client.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "defence.h"
#include "dial.h"
#include "policy.h"

enum { SPARE_MAX = 8, SPARE_BODY = 64 << 10 };
static const uint64_t held_default = 256 << 20;

struct mount {
  struct url origin;
  http_handler handler;
  void *env;
  struct url endpoint;   /* when there is no handler */
  struct fields headers; /* sent to it */
  struct mount *next;
};

/* One hop of a request. */
struct hop {
  const char *method;
  struct fields *fields;
  const void *body;
  size_t body_size;
};

struct http_exchange {
  struct http_client *client;
  int status;
  struct fields head;
  struct transfer *transfer; /* NULL: a handler has answered */
  char *body;                /* its answer; [at, size) waits to be read */
  size_t at, size, capacity;
  bool over; /* the answer was too large */
  int64_t until; /* for http_send; INT64_MAX: each read has its own limit */
  struct http_exchange *next;
};

struct http_client {
  const struct http_policy *policy;
  struct http_options options;
  struct dialer *dialer;
  struct mount *mounts;
  struct target target;
  struct url next_url, dial_url; /* scratch */
  struct fields fields;
  struct http_exchange *spare; /* SPARE_MAX at most, with their memory */
  size_t spares;
  struct http_stats stats;
  uint64_t held;
  bool (*stopped)(void *env);
  void *stopped_env;
};

static enum http_code out_of_memory(mv_error_t *err) {
  enum http_code code = http_fail(err, HTTP_RUNTIME_ERROR, "out of memory");
  if (err) err->kind = MV_NO_MEMORY;
  return code;
}

/* ---- clients ------------------------------------------------------------------------------------------- */

struct http_client *http_client_new(const struct http_policy *policy, const struct http_options *options, mv_error_t *err) {
  struct http_client *c = calloc(1, sizeof *c);
  if (!c) {
    (void)out_of_memory(err);
    return NULL;
  }
  c->policy = policy;
  c->options = *options;
  if (!c->options.timeout_ms) c->options.timeout_ms = 30000;
  if (!c->options.max_held) c->options.max_held = held_default;
  c->dialer = dialer_new(&c->options, policy_denies_private(policy), &c->stats, &c->held);
  if (c->dialer) return c;
  (void)out_of_memory(err);
  free(c);
  return NULL;
}

static void mount_delete(struct mount *m) {
  url_fini(&m->origin);
  url_fini(&m->endpoint);
  fields_fini(&m->headers);
  free(m);
}

static void exchange_delete(struct http_exchange *x) {
  fields_fini(&x->head);
  free(x->body);
  free(x);
}

void http_client_delete(struct http_client *c) {
  if (!c) return;
  while (c->mounts) {
    struct mount *m = c->mounts;
    c->mounts = m->next;
    mount_delete(m);
  }
  while (c->spare) {
    struct http_exchange *x = c->spare;
    c->spare = x->next;
    exchange_delete(x);
  }
  dialer_delete(c->dialer);
  url_fini(&c->target.url);
  url_fini(&c->next_url);
  url_fini(&c->dial_url);
  fields_fini(&c->fields);
  free(c);
}

static struct mount *mount_new(struct http_client *c, const char *origin, const char **why) {
  struct mount *m = calloc(1, sizeof *m);
  *why = m ? url_parse_origin(&m->origin, origin) : url_no_memory;
  if (!*why) {
    m->next = c->mounts;
    c->mounts = m;
    return m;
  }
  if (m) mount_delete(m);
  return NULL;
}

bool http_client_mount(struct http_client *c, const char *origin, http_handler handler, void *env) {
  const char *why;
  struct mount *m = mount_new(c, origin, &why);
  if (!m) return false;
  m->handler = handler;
  m->env = env;
  return true;
}

bool http_client_forward(struct http_client *c, const char *origin, const char *endpoint, const char *const *headers, mv_error_t *err) {
  const char *why;
  struct mount *m = mount_new(c, origin, &why);
  if (m) why = url_parse(&m->endpoint, endpoint, strlen(endpoint));
  for (const char *const *h = headers; !why && h && h[0]; h += 2) {
    if (client_header(h[0], strlen(h[0]), h[1], strlen(h[1]), err)) return false;
    if (!fields_add(&m->headers, h[0], strlen(h[0]), h[1], strlen(h[1]))) why = url_no_memory;
  }
  if (why) (void)http_fail(err, HTTP_INVALID_URL, "%s: %s", m ? endpoint : origin, why);
  return !why;
}

void http_client_stop(struct http_client *c, bool (*stopped)(void *env), void *env) {
  c->stopped = stopped;
  c->stopped_env = env;
}

void http_client_stats(const struct http_client *c, struct http_stats *out) { *out = c->stats; }

/* ---- checks -------------------------------------------------------------------------------------------- */

static struct mount *find_mount(const struct http_client *c, const struct url *url) {
  for (struct mount *m = c->mounts; m; m = m->next)
    if (url_same_origin(&m->origin, url)) return m;
  return NULL;
}

/* May t->url be requested? Sets the rest of *t. */
static enum http_code check_target(struct http_client *c, struct target *t, bool redirected, mv_error_t *err) {
  t->mount = find_mount(c, &t->url);
  t->exempt = t->mount != NULL;
  if (t->mount || policy_allows(c->policy, &t->url, &t->exempt)) return HTTP_OK;
  int n = (int)t->url.origin;
  const char *sidecar = c->options.sidecar;
  bool dapr = sidecar && !redirected && strlen(sidecar) == t->url.origin && !memcmp(sidecar, t->url.text, t->url.origin);
  c->stats.refused++;
  return http_fail(err, HTTP_NOT_ALLOWED, "%s%.*s is not allowed; %s--allow-http %.*s would allow it", redirected ? "the redirect to " : "", n, t->url.text,
                   dapr ? "--dapr would connect a Dapr sidecar there, and " : "", n, t->url.text);
}

/* Who serves all paths of an origin gets them as they were written: a key may be "..". Below a path of an endpoint none may lead out of it. */
static bool owns_paths(const struct mount *m) { return m->handler || m->endpoint.size == m->endpoint.origin + 1; }

enum http_code client_target(struct http_client *c, const char *text, size_t size, const struct target **out, mv_error_t *err) {
  struct target *t = &c->target;
  const char *why;
  enum http_code code;
  *out = t;
  t->raw = text;
  t->exempt = true;
  t->url.as_is = c->options.path_as_is;
  for (t->mount = c->mounts; t->mount; t->mount = t->mount->next)
    if (url_parse_plain(&t->url, &t->mount->origin, text, size)) return HTTP_OK;
  why = url_parse(&t->url, text, size);
  if (why == url_no_memory) return out_of_memory(err);
  if (why) return http_fail(err, HTTP_INVALID_URL, "invalid URL: %s", why);
  code = check_target(c, t, false, err);
  if (code || t->url.as_is || !t->mount || !owns_paths(t->mount)) return code;
  t->url.as_is = true;
  return url_parse(&t->url, text, size) ? out_of_memory(err) : HTTP_OK;
}

bool client_is_mounted(const struct target *t) { return t->mount && t->mount->handler; }

enum http_code client_method(const char *method, mv_error_t *err) {
  if (!is_token(method, strlen(method)) && DEFENCE(METHOD)) return http_fail(err, HTTP_INVALID_METHOD, "the method is not a token");
  if (!strcmp(method, "CONNECT") && DEFENCE(TUNNEL)) return http_fail(err, HTTP_INVALID_METHOD, "CONNECT is not allowed");
  return HTTP_OK;
}

enum http_code client_header(const char *name, size_t name_size, const char *value, size_t value_size, mv_error_t *err) {
  if (!is_token(name, name_size) && DEFENCE(NAME)) return http_fail(err, HTTP_INVALID_ENCODING, "the name of a header is not a token");
  if (!is_field_value(value, value_size) && DEFENCE(VALUE)) return http_fail(err, HTTP_INVALID_ENCODING, "a control character in a header is not allowed");
  return HTTP_OK;
}

static bool is_length(const char *text, size_t length) {
  size_t n = 0;
  if (!*text) return false;
  for (; *text; text++) {
    if (*text < '0' || *text > '9' || n > (SIZE_MAX - 9) / 10) return false;
    n = n * 10 + (size_t)(*text - '0');
  }
  return n == length;
}

/* Host and Content-Length are the client's to write: they are only compared, and not that for the sidecar, which passes on what it was sent. */
static enum http_code check_framing(const struct http_client *c, const struct target *t, struct fields *f, size_t body_size, mv_error_t *err) {
  const char *host = fields_find(f, "host"), *length = fields_find(f, "content-length");
  const char *authority = t->url.text + (t->url.tls ? 8 : 7);
  size_t n = t->url.origin - (t->url.tls ? 8 : 7);
  bool strict = !policy_is_open(c->policy);
  if (host && strict && (strlen(host) != n || memcmp(host, authority, n) != 0) && DEFENCE(AUTHORITY))
    return http_fail(err, HTTP_NOT_ALLOWED, "a Host header that is not the URL's is not allowed");
  if (length && strict && !is_length(length, body_size) && DEFENCE(LENGTH))
    return http_fail(err, HTTP_INVALID_ENCODING, "Content-Length is not the length of the body");
  if (host && DEFENCE(AUTHORITY)) fields_remove(f, "host");
  if (length && DEFENCE(LENGTH)) fields_remove(f, "content-length");
  return HTTP_OK;
}

/* What concerns one connection only (RFC 9110, section 7.6.1). */
static void drop_connection_headers(struct fields *f) {
  static const char *const names[] = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer", "upgrade", "expect", "proxy-authorization"};
  for (size_t i = 0; i < sizeof names / sizeof *names && DEFENCE(HOP); i++) fields_remove(f, names[i]);
}

/* ---- one hop ------------------------------------------------------------------------------------------- */

static struct http_exchange *exchange_new(struct http_client *c) {
  struct http_exchange *x = c->spare;
  if (x) {
    c->spare = x->next;
    c->spares--;
  } else {
    x = calloc(1, sizeof *x);
    if (!x) return NULL;
  }
  c->held += x->capacity;
  x->client = c;
  x->until = INT64_MAX;
  return x;
}

void http_close(struct http_exchange *x) {
  struct http_client *c = x->client;
  if (x->transfer) transfer_end(x->transfer);
  c->held -= x->capacity;
  x->transfer = NULL;
  x->at = x->size = 0;
  x->over = false;
  fields_clear(&x->head);
  if (c->spares < SPARE_MAX && x->capacity <= SPARE_BODY && x->head.capacity <= SPARE_BODY) {
    x->next = c->spare;
    c->spare = x;
    c->spares++;
  } else {
    exchange_delete(x);
  }
}

static struct wait wait_for(const struct http_exchange *x) {
  const struct http_client *c = x->client;
  struct wait w = {x->until, c->stopped, c->stopped_env};
  if (w.until == INT64_MAX && c->options.timeout_ms >= 0) w.until = http_now() + c->options.timeout_ms;
  return w;
}

static bool take_head(void *env, int status, const char *const *headers) {
  struct http_exchange *x = env;
  x->status = status;
  for (; headers && headers[0]; headers += 2)
    if (!fields_add(&x->head, headers[0], strlen(headers[0]), headers[1], strlen(headers[1]))) return false;
  return true;
}

static bool take_data(void *env, const void *bytes, size_t size) {
  struct http_exchange *x = env;
  struct http_client *c = x->client;
  uint64_t max = c->options.max_body && c->options.max_body < c->options.max_held ? c->options.max_body : c->options.max_held;
  x->over = x->over || size > max - x->size;
  if (x->over) return false;
  if (size > x->capacity - x->size) {
    size_t capacity = x->capacity ? x->capacity : 1024;
    char *body;
    while (capacity - x->size < size) capacity *= 2;
    body = realloc(x->body, capacity);
    if (!body) return false;
    c->held += capacity - x->capacity;
    x->body = body;
    x->capacity = capacity;
  }
  if (size) memcpy(x->body + x->size, bytes, size);
  x->size += size;
  return true;
}

static enum http_code call_handler(struct http_exchange *x, const struct target *t, const struct hop *hop, mv_error_t *err) {
  struct http_client *c = x->client;
  struct http_sink sink = {take_head, take_data, x};
  struct http_request request = {.method = hop->method, .url = t->url.text, .path = t->url.text + t->url.origin, .body = hop->body, .body_size = hop->body_size};
  mv_error_t why;
  request.headers = fields_list(hop->fields);
  if (!request.headers) return out_of_memory(err);
  why.message[0] = 0;
  x->status = 0;
  c->stats.mounted++;
  c->stats.bytes_sent += hop->body_size;
  if (!t->mount->handler(t->mount->env, &request, &sink, &why) && !x->over) {
    why.message[sizeof why.message - 1] = 0;
    return http_fail(err, HTTP_REQUEST_ERROR, "%.*s", (int)sizeof why.message - 1, why.message[0] ? why.message : "the handler failed");
  }
  if (!x->status) return http_fail(err, HTTP_REQUEST_ERROR, "the handler sent no response");
  c->stats.bytes_received += x->size;
  return HTTP_OK;
}

/* The URL at the endpoint that a mounted origin stands for. */
static enum http_code forward_url(struct http_client *c, const struct target *t, mv_error_t *err) {
  const struct url *endpoint = &t->mount->endpoint;
  size_t prefix = strcspn(endpoint->text, "?"), path = t->url.size - t->url.origin;
  const char *why;
  char *text;
  while (prefix > endpoint->origin && endpoint->text[prefix - 1] == '/') prefix--;
  text = malloc(prefix + path + 1);
  if (!text) return out_of_memory(err);
  memcpy(text, endpoint->text, prefix);
  memcpy(text + prefix, t->url.text + t->url.origin, path);
  c->dial_url.as_is = t->url.as_is;
  why = url_parse(&c->dial_url, text, prefix + path);
  free(text);
  return why ? http_fail(err, HTTP_INVALID_URL, "invalid URL: %s", why) : HTTP_OK;
}

/* What add_mount_headers has added is for that endpoint alone. */
static void drop_mount_headers(const struct mount *m, struct fields *fields) {
  for (const char *p = m->headers.text; m->headers.size && p < m->headers.text + m->headers.size && DEFENCE(CREDENTIALS);) {
    const char *value = p + strlen(p) + 1;
    fields_remove(fields, p);
    p = value + strlen(value) + 1;
  }
}

static enum http_code add_mount_headers(const struct mount *m, struct fields *fields, mv_error_t *err) {
  for (const char *p = m->headers.text; m->headers.size && p < m->headers.text + m->headers.size;) {
    const char *value = p + strlen(p) + 1;
    if (!fields_set(fields, p, strlen(p), value, strlen(value))) return out_of_memory(err);
    p = value + strlen(value) + 1;
  }
  return HTTP_OK;
}

static enum http_code dial(struct http_exchange *x, const struct target *t, const struct hop *hop, mv_error_t *err) {
  struct http_client *c = x->client;
  struct dial d = {.method = hop->method, .url = &t->url, .raw = t->raw, .body = hop->body, .body_size = hop->body_size, .exempt = t->exempt};
  struct wait wait = wait_for(x);
  enum http_code code = HTTP_OK;
  if (t->mount) {
    if (t->mount->headers.size && !strcasecmp(hop->method, "TRACE")) return http_fail(err, HTTP_INVALID_METHOD, "TRACE would show what the host adds");
    d.direct = !t->mount->endpoint.tls;
    code = forward_url(c, t, err);
    if (!code) code = add_mount_headers(t->mount, hop->fields, err);
    d.url = &c->dial_url;
  }
  if (code) return code;
  d.headers = fields_list(hop->fields);
  if (!d.headers) return out_of_memory(err);
  code = transfer_start(c->dialer, &d, &x->transfer, err);
  if (!code) code = transfer_head(x->transfer, &wait, &x->status, &x->head, err);
  if (code == HTTP_NOT_ALLOWED) c->stats.refused++;
  return code;
}

/* ---- redirects ----------------------------------------------------------------------------------------- */

static const char *redirect_location(const struct http_exchange *x) {
  int s = x->status;
  if (s != 301 && s != 302 && s != 303 && s != 307 && s != 308) return NULL;
  return fields_find(&x->head, "location");
}

/* What becomes of a request at its next hop (RFC 9110, section 15.4): as clients do, all but 307 and 308 make it a GET. */
static void change_request(int status, bool same_origin, struct hop *hop) {
  static const char *const content[] = {"content-type", "content-encoding", "content-language", "content-location", "content-length"};
  static const char *const credentials[] = {"authorization", "cookie", "cookie2", "www-authenticate", "dapr-api-token"};
  if (status < 307 && strcmp(hop->method, "GET") != 0 && strcmp(hop->method, "HEAD") != 0) {
    hop->method = "GET";
    hop->body = NULL;
    hop->body_size = 0;
    for (size_t i = 0; i < sizeof content / sizeof *content; i++) fields_remove(hop->fields, content[i]);
  }
  for (size_t i = 0; i < sizeof credentials / sizeof *credentials && !same_origin && DEFENCE(CREDENTIALS); i++) fields_remove(hop->fields, credentials[i]);
}

/* Makes the client's target what the response points to. */
static enum http_code follow(struct http_exchange *x, const char *location, struct hop *hop, mv_error_t *err) {
  struct http_client *c = x->client;
  struct target *t = &c->target;
  struct url previous = t->url;
  const struct mount *from = t->mount;
  const char *why;
  enum http_code code;
  c->next_url.as_is = false;
  why = url_resolve(&c->next_url, &t->url, location);
  if (why) return http_fail(err, HTTP_REQUEST_ERROR, "the server redirects to an invalid URL: %s", why);
  change_request(x->status, url_same_origin(&previous, &c->next_url), hop);
  t->url = c->next_url;
  c->next_url = previous;
  t->raw = t->url.text;
  c->stats.redirects++;
  code = check_target(c, t, true, err);
  if (code && !DEFENCE(REDIRECT)) code = HTTP_OK;
  if (from && t->mount != from) drop_mount_headers(from, hop->fields);
  if (!code && t->mount && t->mount != from && DEFENCE(INWARD)) {
    c->stats.refused++;
    return http_fail(err, HTTP_NOT_ALLOWED, "a server may not redirect to %.*s", (int)t->url.origin, t->url.text);
  }
  return code;
}

/* ---- a request ----------------------------------------------------------------------------------------- */

static enum http_code send_hops(struct http_exchange *x, struct hop *hop, mv_error_t *err) {
  struct http_client *c = x->client;
  for (int hops = 0;; hops++) {
    const struct target *t = &c->target;
    enum http_code code = client_is_mounted(t) ? call_handler(x, t, hop, err) : dial(x, t, hop, err);
    const char *location = code ? NULL : redirect_location(x);
    if (!location || c->options.max_redirects <= 0) return code;
    if (hops >= c->options.max_redirects && DEFENCE(REDIRECTS)) return http_fail(err, HTTP_REQUEST_ERROR, "more than %d redirects", hops);
    code = follow(x, location, hop, err);
    if (code) return code;
    if (x->transfer) transfer_end(x->transfer);
    x->transfer = NULL;
    x->size = 0;
    fields_clear(&x->head);
  }
}

static enum http_code open_until(struct http_client *c, const char *method, struct fields *fields, const void *body, size_t body_size, int64_t until,
                                 struct http_exchange **out, mv_error_t *err) {
  struct hop hop = {method, fields, body, body_size};
  enum http_code code;
  *out = NULL;
  c->stats.requests++;
  code = check_framing(c, &c->target, fields, body_size, err);
  if (code) return code;
  drop_connection_headers(fields);
  if (c->held >= c->options.max_held) return http_fail(err, HTTP_TOO_MANY_SESSIONS, "responses that were not closed hold too much memory");
  *out = exchange_new(c);
  if (!*out) return out_of_memory(err);
  (*out)->until = until;
  code = send_hops(*out, &hop, err);
  if (!code) return HTTP_OK;
  if (code != HTTP_NOT_ALLOWED) c->stats.failed++;
  http_close(*out);
  *out = NULL;
  return code;
}

enum http_code client_open(struct http_client *c, const char *method, struct fields *fields, const void *body, size_t body_size, struct http_exchange **out,
                           mv_error_t *err) {
  return open_until(c, method, fields, body, body_size, INT64_MAX, out, err);
}

static enum http_code open_request(struct http_client *c, const struct http_request *r, int64_t until, struct http_exchange **out, mv_error_t *err) {
  const struct target *t;
  struct fields *f = &c->fields;
  enum http_code code = client_target(c, r->url, strlen(r->url), &t, err);
  *out = NULL;
  if (!code) code = client_method(r->method, err);
  fields_clear(f);
  for (const char *const *h = r->headers; !code && h && h[0]; h += 2) {
    code = client_header(h[0], strlen(h[0]), h[1], strlen(h[1]), err);
    if (!code && !fields_add(f, h[0], strlen(h[0]), h[1], strlen(h[1]))) code = out_of_memory(err);
  }
  return code ? code : open_until(c, r->method, f, r->body, r->body_size, until, out, err);
}

enum http_code http_open(struct http_client *c, const struct http_request *r, struct http_exchange **out, mv_error_t *err) {
  return open_request(c, r, INT64_MAX, out, err);
}

int http_status(const struct http_exchange *x) { return x->status; }
const char *client_response_header(const struct http_exchange *x, const char *name) { return fields_find(&x->head, name); }

const char *const *http_headers(const struct http_exchange *x) {
  static const char *const none[] = {NULL};
  const char *const *list = fields_list((struct fields *)&x->head); /* the list is a cache of the text */
  return list ? list : none;
}

enum http_code http_read(struct http_exchange *x, void *buf, size_t cap, size_t *n, mv_error_t *err) {
  size_t left = x->size - x->at;
  struct wait wait;
  enum http_code code;
  *n = 0;
  if (!cap) return HTTP_OK;
  if (x->transfer) {
    wait = wait_for(x);
    code = transfer_read(x->transfer, &wait, buf, cap, n, err);
    if (code) x->client->stats.failed++;
    return code;
  }
  if (!left) return x->over ? http_fail(err, HTTP_REQUEST_ERROR, "the response is larger than allowed") : HTTP_OK;
  *n = left < cap ? left : cap;
  memcpy(buf, x->body + x->at, *n);
  x->at += *n;
  return HTTP_OK;
}

enum http_code http_send(struct http_client *c, const struct http_request *r, const struct http_sink *sink, mv_error_t *err) {
  int64_t until = c->options.timeout_ms >= 0 ? http_now() + c->options.timeout_ms : INT64_MAX;
  struct http_exchange *x;
  char buf[16384];
  size_t n = 1;
  enum http_code code = open_request(c, r, until, &x, err);
  if (code) return code;
  if (!sink->head(sink->env, x->status, http_headers(x))) code = http_fail(err, HTTP_REQUEST_ERROR, "the response was not taken");
  while (!code && n) {
    code = http_read(x, buf, sizeof buf, &n, err);
    if (!code && n && !sink->data(sink->env, buf, n)) code = http_fail(err, HTTP_REQUEST_ERROR, "the response was not taken");
  }
  http_close(x);
  return code;
}
