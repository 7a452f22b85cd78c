/* dapr.c: see dapr.h. */
#include "dapr.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(name) __attribute__((import_module("wasi_experimental_http"), import_name(name)))
IMPORT("req") uint32_t http_req(const char *url, uint32_t url_len, const char *method, uint32_t method_len, const char *headers, uint32_t headers_len,
                                const void *body, uint32_t body_len, uint16_t *status, uint32_t *handle);
IMPORT("close") uint32_t http_close(uint32_t handle);
IMPORT("header_get") uint32_t http_header_get(uint32_t handle, const char *name, uint32_t name_len, char *value, uint32_t cap, uint32_t *written);
IMPORT("body_read") uint32_t http_body_read(uint32_t handle, void *buf, uint32_t cap, uint32_t *written);

/* ---- text ---------------------------------------------------------------------------------------------- */

/* Text that grows. Once memory was short it stays so, and nothing more is added. */
struct text {
  char *p;
  size_t n, capacity;
  bool failed;
};

static void add_bytes(struct text *t, const char *bytes, size_t n) {
  if (t->failed) return;
  if (n >= t->capacity - t->n) {
    size_t capacity = (t->n + n + 1) * 2;
    char *p = n < SIZE_MAX / 4 && t->n < SIZE_MAX / 4 ? realloc(t->p, capacity) : NULL;
    t->failed = !p;
    if (!p) return;
    t->p = p;
    t->capacity = capacity;
  }
  memcpy(t->p + t->n, bytes, n);
  t->n += n;
  t->p[t->n] = 0;
}

static void add(struct text *t, const char *text) { add_bytes(t, text, strlen(text)); }

/* RFC 3986: everything but unreserved characters is encoded; in a path `also` stays too. */
static void add_encoded(struct text *t, const char *text, const char *also) {
  static const char hex[] = "0123456789ABCDEF";
  const char *from = text;
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    char code[3] = {'%', hex[c >> 4], hex[c & 15]};
    if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || strchr("-._~", c) || strchr(also, c)) continue;
    add_bytes(t, from, (size_t)(text - from));
    add_bytes(t, code, 3);
    from = text + 1;
  }
  add_bytes(t, from, (size_t)(text - from));
}

static void add_string(struct text *t, const char *text) {
  const char *from = text;
  add(t, "\"");
  for (; *text; text++) {
    char code[8];
    if (*text != '"' && *text != '\\' && (unsigned char)*text >= 0x20) continue;
    add_bytes(t, from, (size_t)(text - from));
    snprintf(code, sizeof code, (unsigned char)*text < 0x20 ? "\\u%04x" : "\\%c", (unsigned)*text);
    add(t, code);
    from = text + 1;
  }
  add_bytes(t, from, (size_t)(text - from));
  add(t, "\"");
}

char *dapr_string(const char *text) {
  struct text t = {0};
  add_string(&t, text);
  if (!t.failed) return t.p;
  free(t.p);
  return NULL;
}

/* "name":value, with a comma before it unless it is the first of its object. */
static void add_name(struct text *t, const char *name) {
  if (t->n && t->p[t->n - 1] != '{') add(t, ",");
  add_string(t, name);
  add(t, ":");
}

static void add_member(struct text *t, const char *name, const char *value) {
  if (!value) return;
  add_name(t, name);
  add_string(t, value);
}

static void add_pairs(struct text *t, const char *name, const struct dapr_pair *pairs) {
  if (!pairs) return;
  add_name(t, name);
  add(t, "{");
  for (; pairs->name; pairs++) add_member(t, pairs->name, pairs->value);
  add(t, "}");
}

/* The end of the JSON value at p. */
static const char *skip_value(const char *p) {
  int depth = 0;
  do {
    if (*p == '"')
      for (p++; *p && *p != '"'; p++) p += *p == '\\' && p[1];
    depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
    if (*p) p++;
  } while (*p && (depth > 0 || !strchr(",}]", *p)));
  return p;
}

char *dapr_member(const char *json, const char *name) {
  struct text quoted = {0};
  char *found = NULL;
  add_string(&quoted, name);
  json += strspn(json, " \t\r\n");
  while (!quoted.failed && !found && *json && *json != '}') {
    const char *key = json + 1, *end, *value; /* behind '{' or ',' */
    key += strspn(key, " \t\r\n");
    if (*key != '"') break;
    for (end = key + 1; *end && *end != '"'; end++) end += *end == '\\' && end[1];
    value = end + (*end == '"');
    value += strspn(value, " \t\r\n:");
    json = skip_value(value);
    if ((size_t)(end - key) + 1 == quoted.n && !memcmp(key, quoted.p, quoted.n)) {
      size_t n = (size_t)(json - value);
      while (n && strchr(" \t\r\n", value[n - 1])) n--;
      found = malloc(n + 1);
      if (found) memcpy(found, value, n), found[n] = 0;
    }
  }
  free(quoted.p);
  return found;
}

/* ---- requests ------------------------------------------------------------------------------------------ */

void dapr_init(struct dapr *d) {
  const char *port = getenv("DAPR_HTTP_PORT");
  memset(d, 0, sizeof *d);
  snprintf(d->address, sizeof d->address, "http://127.0.0.1:%.5s", port && *port ? port : "3500");
  d->url = d->address;
}

void dapr_fini(struct dapr *d) {
  free(d->body);
  d->body = NULL;
}

const char *dapr_error(struct dapr *d) {
  static const char *const words[] = {"no error", "invalid handle", "memory not found", "memory access error", "buffer too small", "header not found", "UTF-8 error",
                                      "destination not allowed", "invalid method", "invalid encoding", "invalid URL", "request error", "runtime error", "too many sessions"};
  if (d->no_memory) return "out of memory";
  if (d->status && d->body && *d->body) return d->body;
  if (d->status) return "the sidecar refused the request";
  return d->code < sizeof words / sizeof *words ? words[d->code] : "unknown error";
}

static uint32_t read_answer(struct dapr *d, uint32_t handle) {
  struct text body = {0};
  uint32_t n = 0, code = http_header_get(handle, "etag", 4, d->etag, sizeof d->etag - 1, &n);
  d->etag[code ? 0 : n] = 0;
  do {
    char piece[4096];
    code = http_body_read(handle, piece, sizeof piece, &n);
    if (!code) add_bytes(&body, piece, n);
  } while (!code && n);
  http_close(handle);
  d->body = body.p;
  d->size = body.n;
  d->no_memory = body.failed;
  return code;
}

/* Sends what was put together, and frees it. body NULL: none. */
static bool send(struct dapr *d, const char *method, struct text *url, const char *headers, struct text *body) {
  uint16_t status = 0;
  uint32_t handle;
  size_t n = body ? body->n : 0;
  const char *bytes = n ? body->p : "";
  free(d->body);
  d->body = NULL;
  d->size = 0;
  d->status = 0;
  d->code = 0;
  d->etag[0] = 0;
  d->no_memory = url->failed || (body && body->failed);
  if (!d->no_memory) {
    if (d->trace) fprintf(d->trace, n ? "%s %s with %s\n" : "%s %s\n", method, url->p, bytes);
    d->code = http_req(url->p, (uint32_t)url->n, method, (uint32_t)strlen(method), headers, (uint32_t)strlen(headers), bytes, (uint32_t)n, &status, &handle);
    if (!d->code) d->code = read_answer(d, handle);
    if (!d->code) d->status = status;
  }
  free(url->p);
  if (body) free(body->p);
  return !d->code && !d->no_memory && d->status >= 200 && d->status < 300;
}

static const char json[] = "Content-Type:application/json\n";

/* "URL/v1.0/AREA/name/", with the names encoded; the last may be NULL. */
static struct text url_of(const struct dapr *d, const char *area, const char *name, const char *last) {
  struct text t = {0};
  add(&t, d->url);
  add(&t, "/v1.0/");
  add(&t, area);
  add(&t, "/");
  add_encoded(&t, name, "");
  if (last) {
    add(&t, "/");
    add_encoded(&t, last, "");
  }
  return t;
}

static void add_query(struct text *t, const char *prefix, const char *name, const char *value) {
  if (!value) return;
  add(t, t->p && strchr(t->p, '?') ? "&" : "?");
  add(t, prefix);
  add_encoded(t, name, "");
  add(t, "=");
  add_encoded(t, value, "");
}

static void add_metadata(struct text *t, const struct dapr_pair *metadata) {
  for (; metadata && metadata->name; metadata++) add_query(t, "metadata.", metadata->name, metadata->value);
}

static void add_keys(struct text *t, const char *const *keys, size_t count) {
  add(t, "[");
  for (size_t i = 0; i < count; i++) {
    if (i) add(t, ",");
    add_string(t, keys[i]);
  }
  add(t, "]");
}

/* ---- state --------------------------------------------------------------------------------------------- */

static void add_item(struct text *t, const struct dapr_item *item) {
  add(t, "{");
  add_member(t, "key", item->key);
  if (item->value) {
    add_name(t, "value");
    add(t, item->value);
  }
  add_member(t, "etag", item->etag);
  add_pairs(t, "metadata", item->metadata);
  if (item->concurrency || item->consistency) {
    add_name(t, "options");
    add(t, "{");
    add_member(t, "concurrency", item->concurrency);
    add_member(t, "consistency", item->consistency);
    add(t, "}");
  }
  add(t, "}");
}

bool dapr_save_bulk(struct dapr *d, const char *store, const struct dapr_item *items, size_t count) {
  struct text url = url_of(d, "state", store, NULL), body = {0};
  add(&body, "[");
  for (size_t i = 0; i < count; i++) {
    if (i) add(&body, ",");
    add_item(&body, &items[i]);
  }
  add(&body, "]");
  return send(d, "POST", &url, json, &body);
}

bool dapr_save(struct dapr *d, const char *store, const char *key, const char *value) {
  struct dapr_item item = {.key = key, .value = value};
  return dapr_save_bulk(d, store, &item, 1);
}

bool dapr_get(struct dapr *d, const char *store, const char *key, const char *consistency) {
  struct text url = url_of(d, "state", store, key);
  add_query(&url, "", "consistency", consistency);
  if (!send(d, "GET", &url, "", NULL)) return false;
  if (!d->body) d->body = calloc(1, 1);
  return d->body != NULL;
}

bool dapr_get_bulk(struct dapr *d, const char *store, const char *const *keys, size_t count) {
  struct text url = url_of(d, "state", store, "bulk"), body = {0};
  add(&body, "{\"keys\":");
  add_keys(&body, keys, count);
  add(&body, "}");
  return send(d, "POST", &url, json, &body);
}

bool dapr_delete(struct dapr *d, const char *store, const char *key, const char *etag) {
  struct text url = url_of(d, "state", store, key), headers = {0};
  bool ok;
  add(&headers, "");
  if (etag) {
    add(&headers, "If-Match:");
    add(&headers, etag);
    add(&headers, "\n");
  }
  ok = send(d, "DELETE", &url, headers.p && !headers.failed ? headers.p : "", NULL);
  free(headers.p);
  return ok;
}

bool dapr_transaction(struct dapr *d, const char *store, const struct dapr_operation *operations, size_t count, const struct dapr_pair *metadata) {
  struct text url = url_of(d, "state", store, "transaction"), body = {0};
  add(&body, "{\"operations\":[");
  for (size_t i = 0; i < count; i++) {
    add(&body, i ? ",{\"operation\":" : "{\"operation\":");
    add(&body, operations[i].remove ? "\"delete\",\"request\":" : "\"upsert\",\"request\":");
    add_item(&body, &operations[i].item);
    add(&body, "}");
  }
  add(&body, "]");
  add_pairs(&body, "metadata", metadata);
  add(&body, "}");
  return send(d, "POST", &url, json, &body);
}

/* ---- the other building blocks ------------------------------------------------------------------------- */

static bool send_typed(struct dapr *d, const char *method, struct text *url, const char *data, const char *content_type) {
  struct text body = {0}, headers = {0};
  bool ok;
  if (data) add(&body, data);
  add(&headers, "Content-Type:");
  add(&headers, content_type ? content_type : "application/json");
  add(&headers, "\n");
  if (headers.failed) body.failed = true;
  ok = send(d, method, url, data && !headers.failed ? headers.p : "", &body);
  free(headers.p);
  return ok;
}

bool dapr_publish(struct dapr *d, const char *pubsub, const char *topic, const char *data, const char *content_type, const struct dapr_pair *metadata) {
  struct text url = url_of(d, "publish", pubsub, topic);
  add_metadata(&url, metadata);
  return send_typed(d, "POST", &url, data, content_type);
}

bool dapr_invoke(struct dapr *d, const char *app, const char *method, const char *path, const char *body, const char *content_type) {
  struct text url = url_of(d, "invoke", "", NULL);
  if (strstr(app, "://"))
    add(&url, app); /* a URL stands for itself */
  else
    add_encoded(&url, app, "");
  add(&url, "/method/");
  add_encoded(&url, path + (*path == '/'), "/?&=%:@!$'()*+,;");
  return send_typed(d, method, &url, body, content_type);
}

bool dapr_secret(struct dapr *d, const char *store, const char *key, const struct dapr_pair *metadata) {
  struct text url = url_of(d, "secrets", store, key ? key : "bulk");
  add_metadata(&url, metadata);
  return send(d, "GET", &url, "", NULL);
}

bool dapr_configuration(struct dapr *d, const char *store, const char *const *keys, size_t count) {
  struct text url = url_of(d, "configuration", store, NULL);
  for (size_t i = 0; i < count; i++) add_query(&url, "", "key", keys[i]);
  return send(d, "GET", &url, "", NULL);
}

bool dapr_binding(struct dapr *d, const char *name, const char *operation, const char *data, const struct dapr_pair *metadata) {
  struct text url = url_of(d, "bindings", name, NULL), body = {0};
  add(&body, "{");
  if (data) {
    add_name(&body, "data");
    add(&body, data);
  }
  add_pairs(&body, "metadata", metadata);
  add_member(&body, "operation", operation);
  add(&body, "}");
  return send(d, "POST", &url, json, &body);
}
