/* guest.c: the imports of module `wasi_experimental_http` (version 0.3.0 to 0.10.0 of their interface), so that guests made for it run unchanged: the same
 * codes, the same order of checks, the same handles. Where the first host of that interface panics, there is a code here; and bodies are not read
 * before the guest asks for them. It sees the engine through minivm.h and the network through the client. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "defence.h"
#include "part.h"

enum {
  HANDLES_MAX = 65536,
  HEADERS_MAX = 1024, /* of a request; each is compared with those before it */
  HEADERS_SIZE_MAX = 256 << 10,
  TEXT_MAX = 1 << 20, /* what is longer is refused for its length */
  BUCKETS = 1024, /* of open handles */
  REPORTS_MAX = 8 /* of refused origins */
};

/* An open response. */
struct response {
  uint32_t handle;
  bool streaming; /* an event stream: body_read does not wait for its buffer to be full */
  struct http_exchange *exchange;
  struct response *next; /* of the bucket */
};

struct http_guest {
  struct http_policy *policy;
  struct http_client *client;
  bool log;
  struct response *buckets[BUCKETS], *spare;
  uint32_t open, cursor;
  struct fields fields; /* scratch */
  char *text;
  size_t text_size;
  char *reported[REPORTS_MAX]; /* messages of refused requests */
};

/* ---- the guest's memory -------------------------------------------------------------------------------- */

struct slice {
  const char *p;
  size_t n;
};

/* One call: the guest's memory as it is now, and the arguments. */
struct call {
  mv_caller_t *caller;
  struct http_guest *guest;
  uint8_t *base;
  uint64_t size;
  uint64_t *cells;
};

static uint32_t argument(const struct call *c, unsigned i) { return (uint32_t)c->cells[i]; }

static bool in_memory(const struct call *c, uint32_t at, uint64_t n) { return at <= c->size && n <= c->size - at; }

/* The input whose address and length are arguments i and i + 1. */
static enum http_code get_slice(const struct call *c, unsigned i, struct slice *out) {
  uint32_t at = argument(c, i), n = argument(c, i + 1);
  if (n > UINT32_MAX - at || !in_memory(c, at, n)) return HTTP_BUFFER_TOO_SMALL;
  *out = (struct slice){(const char *)c->base + at, n};
  return HTTP_OK;
}

/* RFC 3629. */
static bool is_utf8(const char *text, size_t n) {
  const unsigned char *p = (const unsigned char *)text, *end = p + n;
  while (p < end) {
    unsigned c = *p++, more = c < 0x80 ? 0 : c < 0xc2 ? 9 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : 9;
    unsigned least = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80, most = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (more > (size_t)(end - p)) return false;
    for (; more; more--, p++, least = 0x80, most = 0xbf)
      if (*p < least || *p > most) return false;
  }
  return true;
}

static enum http_code get_text(const struct call *c, unsigned i, struct slice *out) {
  enum http_code code = get_slice(c, i, out);
  return code ? code : out->n > TEXT_MAX || is_utf8(out->p, out->n) ? HTTP_OK : HTTP_UTF8;
}

static enum http_code put_bytes(const struct call *c, uint32_t at, const void *bytes, size_t n) {
  if (!in_memory(c, at, n)) return HTTP_MEMORY_ACCESS;
  if (n) memcpy(c->base + at, bytes, n);
  return HTTP_OK;
}

static enum http_code put_number(const struct call *c, uint32_t at, uint32_t value, size_t bytes) {
  unsigned char little[4];
  for (size_t i = 0; i < bytes; i++) little[i] = (unsigned char)(value >> 8 * i);
  return put_bytes(c, at, little, bytes);
}

/* ---- handles ------------------------------------------------------------------------------------------- */

static struct response **find(struct http_guest *g, uint32_t handle) {
  struct response **r = &g->buckets[handle % BUCKETS];
  while (*r && (*r)->handle != handle) r = &(*r)->next;
  return r;
}

/* The numbers are those of the first host: a cursor that moves on while it points at an open handle. */
static struct response *response_new(struct http_guest *g) {
  struct response *r = g->spare, **at;
  if (r)
    g->spare = r->next;
  else
    r = malloc(sizeof *r);
  if (!r) return NULL;
  while (*(at = find(g, g->cursor))) g->cursor++;
  *r = (struct response){.handle = g->cursor};
  *at = r;
  g->open++;
  return r;
}

static void response_close(struct http_guest *g, struct response **at) {
  struct response *r = *at;
  *at = r->next;
  if (r->exchange) http_close(r->exchange);
  r->next = g->spare;
  g->spare = r;
  g->open--;
}

static struct response *response_of(const struct call *c) { return *find(c->guest, argument(c, 0)); }

/* ---- messages ------------------------------------------------------------------------------------------ */

/* What went wrong can quote the guest, and what it talked to. */
static void put_message(const char *message) {
  mv_print_visible(message, strlen(message), stderr);
  fputc('\n', stderr);
}

/* Tells the user, once for each origin, what was refused and which option would allow it. */
static void report_refused(struct http_guest *g, const char *message) {
  size_t i = 0;
  while (i < REPORTS_MAX && g->reported[i] && strcmp(g->reported[i], message) != 0) i++;
  if (i == REPORTS_MAX || g->reported[i]) return;
  g->reported[i] = strdup(message);
  fputs("minivm: http: ", stderr);
  put_message(message);
}

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The URL is in canonical form and the method a token, so that nothing here can change a terminal. */
static void log_request(const char *method, const char *url, double start, int status, enum http_code code, const mv_error_t *err) {
  double ms = now_ms() - start;
  if (!code) {
    fprintf(stderr, "minivm: http: %s %s: %d in %.3f ms\n", method, url, status, ms);
    return;
  }
  fprintf(stderr, "minivm: http: %s %s: error %d in %.3f ms: ", method, url, (int)code, ms);
  put_message(err->message);
}

/* ---- req ----------------------------------------------------------------------------------------------- */

static enum http_code bad_headers(mv_error_t *err, const char *why) {
  snprintf(err->message, sizeof err->message, "%s", why);
  return HTTP_INVALID_ENCODING;
}

/* "name:value" in lines. The value is not trimmed; a later header replaces an earlier one of its name. */
static enum http_code parse_headers(struct http_guest *g, struct slice text, mv_error_t *err) {
  const char *p = text.p, *end = p + text.n;
  fields_clear(&g->fields);
  if (text.n > HEADERS_SIZE_MAX) return bad_headers(err, "the headers are too long");
  while (p < end) {
    const char *line = memchr(p, '\n', (size_t)(end - p)), *next = line ? line + 1 : end, *colon;
    enum http_code code;
    if (!line) line = end;
    if (line < end && line > p && line[-1] == '\r') line--;
    colon = memchr(p, ':', (size_t)(line - p));
    if (!colon) return bad_headers(err, "a header without a colon");
    code = client_header(p, (size_t)(colon - p), colon + 1, (size_t)(line - colon - 1), err);
    if (code) return code;
    if (g->fields.count >= HEADERS_MAX) return bad_headers(err, "there are too many headers");
    if (!fields_set(&g->fields, p, (size_t)(colon - p), colon + 1, (size_t)(line - colon - 1))) return HTTP_RUNTIME_ERROR;
    p = next;
  }
  return HTTP_OK;
}

static bool is_event_stream(const struct http_exchange *x) {
  const char *type = client_response_header(x, "content-type");
  return type && !strncmp(type, "text/event-stream", 17);
}

/* Method: a copy, which is terminated; one with a zero in it is no token. */
static enum http_code get_method(const struct call *c, char *method, size_t cap, mv_error_t *err) {
  struct slice s;
  enum http_code code = get_text(c, 2, &s);
  if (code) return code;
  if (s.n >= cap || memchr(s.p, 0, s.n)) return HTTP_INVALID_METHOD;
  memcpy(method, s.p, s.n);
  method[s.n] = 0;
  return client_method(method, err);
}

static enum http_code send_request(const struct call *c, char *method, size_t cap, struct http_exchange **x, mv_error_t *err) {
  struct http_guest *g = c->guest;
  struct slice headers, body;
  enum http_code code = get_method(c, method, cap, err);
  if (!code) code = get_slice(c, 6, &body);
  if (!code) code = get_text(c, 4, &headers);
  if (!code) code = parse_headers(g, headers, err);
  return code ? code : client_open(g->client, method, &g->fields, body.p, body.n, x, err);
}

/* Nothing of the guest has run since the call began, but a handler may have, and grown the memory: it is asked for again. */
static enum http_code finish(struct call *c, struct http_exchange *x) {
  struct response *r;
  enum http_code code;
  if (!mv_caller_memory(c->caller, &c->base, &c->size)) return HTTP_NO_MEMORY_EXPORT;
  code = put_number(c, argument(c, 8), (uint32_t)http_status(x), 2);
  if (code) return code;
  if (!in_memory(c, argument(c, 9), 4)) return HTTP_MEMORY_ACCESS;
  r = response_new(c->guest);
  if (!r) return HTTP_RUNTIME_ERROR;
  r->exchange = x;
  r->streaming = is_event_stream(x);
  return put_number(c, argument(c, 9), r->handle, 4);
}

static enum http_code do_req(struct call *c) {
  struct http_guest *g = c->guest;
  struct slice url;
  const struct target *t = NULL;
  struct http_exchange *x = NULL;
  char method[64] = "";
  mv_error_t err;
  double start = g->log ? now_ms() : 0;
  enum http_code code = HTTP_OK;
  err.message[0] = 0;
  if (g->open >= HANDLES_MAX) return HTTP_TOO_MANY_SESSIONS;
  code = get_text(c, 0, &url);
  if (code) return code;
  code = client_target(g->client, url.p, url.n, &t, &err);
  if (code == HTTP_INVALID_URL) t = NULL;
  if (!code) code = send_request(c, method, sizeof method, &x, &err);
  if (code == HTTP_NOT_ALLOWED) report_refused(g, err.message);
  if (g->log) {
    mv_error_t ignored;
    if (!is_token(method, strlen(method)) && get_method(c, method, sizeof method, &ignored)) strcpy(method, "?");
    log_request(method, t ? t->url.text : "?", start, x ? http_status(x) : 0, code, &err);
  }
  if (code) return code;
  code = finish(c, x);
  if (code) http_close(x);
  return code;
}

/* ---- the others ---------------------------------------------------------------------------------------- */

static enum http_code do_close(struct call *c) {
  struct response **r = find(c->guest, argument(c, 0));
  if (*r) response_close(c->guest, r);
  return HTTP_OK;
}

static enum http_code do_header_get(struct call *c) {
  struct response *r = response_of(c);
  struct slice name;
  char lower[256];
  const char *value;
  size_t n;
  enum http_code code;
  if (!r) return HTTP_INVALID_HANDLE;
  code = get_text(c, 1, &name);
  if (code) return code;
  if (name.n >= sizeof lower) return HTTP_HEADER_NOT_FOUND;
  for (size_t i = 0; i < name.n; i++) lower[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] | 0x20 : name.p[i]);
  lower[name.n] = 0;
  value = strlen(lower) == name.n ? client_response_header(r->exchange, lower) : NULL;
  if (!value) return HTTP_HEADER_NOT_FOUND;
  n = strlen(value);
  if (n > argument(c, 4)) return HTTP_BUFFER_TOO_SMALL;
  code = put_bytes(c, argument(c, 3), value, n);
  return code ? code : put_number(c, argument(c, 5), (uint32_t)n, 4);
}

/* Makes the scratch text at least `size` long. */
static bool reserve_text(struct http_guest *g, size_t size) {
  char *text;
  if (size <= g->text_size) return true;
  text = realloc(g->text, size);
  if (!text) return false;
  g->text = text;
  g->text_size = size;
  return true;
}

/* The lines "name:value\n" into the scratch text. A value that is not UTF-8 or has a control character cannot be given out this way. */
static enum http_code write_headers(struct http_guest *g, const char *const *headers, size_t *size) {
  *size = 0;
  for (; headers[0]; headers += 2) {
    size_t name = strlen(headers[0]), value = strlen(headers[1]);
    if (!is_utf8(headers[1], value) || !is_field_value(headers[1], value)) return HTTP_RUNTIME_ERROR;
    if (!reserve_text(g, (*size + name + value + 2) * 2)) return HTTP_RUNTIME_ERROR;
    memcpy(g->text + *size, headers[0], name);
    g->text[*size + name] = ':';
    memcpy(g->text + *size + name + 1, headers[1], value);
    *size += name + value + 2;
    g->text[*size - 1] = '\n';
  }
  return HTTP_OK;
}

static enum http_code do_headers_get_all(struct call *c) {
  struct response *r = response_of(c);
  size_t n;
  enum http_code code;
  if (!r) return HTTP_INVALID_HANDLE;
  code = write_headers(c->guest, http_headers(r->exchange), &n);
  if (code) return code;
  if (n > argument(c, 2)) return HTTP_BUFFER_TOO_SMALL;
  code = put_bytes(c, argument(c, 1), c->guest->text, n);
  return code ? code : put_number(c, argument(c, 3), (uint32_t)n, 4);
}

/* Fills the buffer or reaches the end of the body, as guests are used to from hosts that hold the whole body; bytes before a failure are given out
 * first. Of an event stream it gives what has come. */
static enum http_code do_body_read(struct call *c) {
  struct response *r = response_of(c);
  uint32_t at = argument(c, 1), cap = argument(c, 2);
  size_t n = 0, got = 1;
  enum http_code code = HTTP_OK;
  mv_error_t err;
  if (!r) return HTTP_INVALID_HANDLE;
  if (!in_memory(c, at, 0) || !in_memory(c, argument(c, 3), 4)) return HTTP_MEMORY_ACCESS;
  if (cap > c->size - at) cap = (uint32_t)(c->size - at);
  err.message[0] = 0;
  while (!code && got && n < cap && !(n && r->streaming)) {
    code = http_read(r->exchange, c->base + at + n, cap - n, &got, &err);
    n += got;
  }
  if (code && c->guest->log) {
    fprintf(stderr, "minivm: http: reading a body: error %d: ", (int)code);
    put_message(err.message);
  }
  if (code && !n) return code;
  return put_number(c, argument(c, 3), (uint32_t)n, 4);
}

/* ---- the table ----------------------------------------------------------------------------------------- */

static bool is_stopped(void *env) { return mv_caller_interrupted(env); }

static bool serve(enum http_code (*function)(struct call *), mv_caller_t *caller, void *env, uint64_t *cells) {
  struct call c = {.caller = caller, .guest = env, .cells = cells};
  enum http_code code = HTTP_NO_MEMORY_EXPORT;
  http_client_stop(c.guest->client, is_stopped, caller);
  if (mv_caller_memory(caller, &c.base, &c.size)) code = function(&c);
  if (code && mv_caller_interrupted(caller)) return mv_throw(caller, MV_INTERRUPTED, "interrupted in an HTTP request");
  cells[0] = code;
  return true;
}

static bool call_req(mv_caller_t *c, void *env, uint64_t *cells) { return serve(do_req, c, env, cells); }
static bool call_close(mv_caller_t *c, void *env, uint64_t *cells) { return serve(do_close, c, env, cells); }
static bool call_header_get(mv_caller_t *c, void *env, uint64_t *cells) { return serve(do_header_get, c, env, cells); }
static bool call_headers_get_all(mv_caller_t *c, void *env, uint64_t *cells) { return serve(do_headers_get_all, c, env, cells); }
static bool call_body_read(mv_caller_t *c, void *env, uint64_t *cells) { return serve(do_body_read, c, env, cells); }

static const struct {
  const char *name, *sig;
  mv_host_fn function;
} imports[] = {
  {"req", "iiiiiiiiii:i", call_req},
  {"close", "i:i", call_close},
  {"header_get", "iiiiii:i", call_header_get},
  {"headers_get_all", "iiii:i", call_headers_get_all},
  {"body_read", "iiii:i", call_body_read},
};

/* ---- the part ------------------------------------------------------------------------------------------ */

static void guest_close(struct http_guest *g) {
  if (!g) return;
  for (size_t i = 0; i < BUCKETS; i++)
    while (g->buckets[i]) response_close(g, &g->buckets[i]);
  while (g->spare) {
    struct response *r = g->spare;
    g->spare = r->next;
    free(r);
  }
  http_client_delete(g->client);
  http_policy_delete(g->policy);
  fields_fini(&g->fields);
  for (size_t i = 0; i < REPORTS_MAX; i++) free(g->reported[i]);
  free(g->text);
  free(g);
}

/* NULL, or what went wrong. */
static const char *set_up(struct http_guest *g, const struct http_settings *s, mv_linker_t *linker, mv_error_t *err) {
  struct http_options options = {.timeout_ms = s->timeout_ms, .max_body = s->max_body, .ca_file = s->ca_file, .proxy = s->proxy, .max_redirects = 10, .sidecar = s->sidecar};
  const char *why = http_settings_check(s);
  if (why) return why;
  g->log = s->log;
  g->policy = http_policy_new();
  if (!g->policy) return url_no_memory;
  http_policy_deny_private(g->policy, s->deny_private);
  for (size_t i = 0; i < s->allowed; i++)
    if (!http_policy_allow(g->policy, s->allow[i], &why)) return why;
  g->client = http_client_new(g->policy, &options, err);
  if (!g->client) return err->message;
  for (size_t i = 0; i < sizeof imports / sizeof *imports; i++)
    if (!mv_linker_func(linker, HTTP_MODULE, imports[i].name, imports[i].sig, imports[i].function, g)) return url_no_memory;
  return NULL;
}

static struct http_guest *guest_open(const struct http_settings *s, mv_linker_t *linker, mv_error_t *err) {
  struct http_guest *g = calloc(1, sizeof *g);
  mv_error_t own_error = {0};
  const char *why = g ? set_up(g, s, linker, &own_error) : url_no_memory;
  if (!why) return g;
  if (err) {
    *err = (mv_error_t){.kind = why == url_no_memory ? MV_NO_MEMORY : MV_USAGE, .offset = MV_NO_OFFSET};
    snprintf(err->message, sizeof err->message, "%s", why);
  }
  guest_close(g);
  return NULL;
}

static bool guest_mount(struct http_guest *g, const char *origin, http_handler handler, void *env) {
  return http_client_mount(g->client, origin, handler, env);
}

static bool guest_forward(struct http_guest *g, const char *origin, const char *endpoint, const char *const *headers, mv_error_t *err) {
  return http_client_forward(g->client, origin, endpoint, headers, err);
}

static const struct http_policy *guest_policy(const struct http_guest *g) { return g->policy; }

static void guest_stats(const struct http_guest *g, FILE *out) {
  struct http_stats s;
  http_client_stats(g->client, &s);
  const struct {
    const char *name;
    uint64_t value;
  } rows[] = {{"HTTP requests", s.requests}, {"in this process", s.mounted}, {"redirects followed", s.redirects}, {"connections", s.connections},
              {"requests refused", s.refused}, {"requests failed", s.failed}, {"body bytes sent", s.bytes_sent}, {"body bytes received", s.bytes_received}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) fprintf(out, "  %-24s%llu\n", rows[i].name, (unsigned long long)rows[i].value);
}

const struct http_part *mv_http_part(void) {
  static const struct http_part part = {HTTP_PART_VERSION, guest_open, guest_close, guest_mount, guest_forward, guest_policy, guest_stats};
  return &part;
}
