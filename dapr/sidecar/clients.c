/* clients.c: see clients.h. */
#include "clients.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CLIENTS_IDLE = 32 };

struct idle {
  struct http_client *client;
  int64_t timeout_ms;
};

struct clients {
  struct clients_options options;
  struct http_policy *everything; /* when no policy was given */
  pthread_mutex_t lock;
  struct idle idle[CLIENTS_IDLE];
  size_t count;
};

struct clients *clients_new(const struct clients_options *options) {
  struct clients *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->options = *options;
  if (!options->policy) {
    c->everything = http_policy_new();
    if (!c->everything) return free(c), NULL;
    http_policy_allow_all(c->everything);
    c->options.policy = c->everything;
  }
  pthread_mutex_init(&c->lock, NULL);
  return c;
}

void clients_delete(struct clients *c) {
  if (!c) return;
  for (size_t i = 0; i < c->count; i++) http_client_delete(c->idle[i].client);
  http_policy_delete(c->everything);
  pthread_mutex_destroy(&c->lock);
  free(c);
}

static struct http_client *make(const struct clients *c, int64_t timeout_ms, mv_error_t *err) {
  const struct clients_options *o = &c->options;
  struct http_options options = {.timeout_ms = timeout_ms > 0 ? (long)timeout_ms : -1, .max_redirects = o->redirects, .path_as_is = o->path_as_is};
  struct http_client *client = http_client_new(o->policy, &options, err);
  if (!client) return NULL;
  http_client_stop(client, o->stopped, o->env);
  if (!o->origin || http_client_forward(client, o->origin, o->origin, o->headers, err)) return client;
  http_client_delete(client);
  return NULL;
}

static struct http_client *take(struct clients *c, int64_t timeout_ms, mv_error_t *err) {
  struct http_client *client = NULL;
  pthread_mutex_lock(&c->lock);
  for (size_t i = c->count; i-- > 0 && !client;) {
    if (c->idle[i].timeout_ms != timeout_ms) continue;
    client = c->idle[i].client;
    c->idle[i] = c->idle[--c->count];
  }
  pthread_mutex_unlock(&c->lock);
  return client ? client : make(c, timeout_ms, err);
}

static void give(struct clients *c, struct http_client *client, int64_t timeout_ms) {
  pthread_mutex_lock(&c->lock);
  bool keep = c->count < CLIENTS_IDLE;
  if (keep) c->idle[c->count++] = (struct idle){client, timeout_ms};
  pthread_mutex_unlock(&c->lock);
  if (!keep) http_client_delete(client);
}

enum http_code clients_send(struct clients *c, int64_t timeout_ms, const struct http_request *request, const struct http_sink *sink,
                            mv_error_t *err) {
  struct http_client *client = take(c, timeout_ms, err);
  if (!client) return HTTP_RUNTIME_ERROR;
  enum http_code code = http_send(client, request, sink, err);
  give(c, client, timeout_ms);
  return code;
}

/* ---- answers ---- */

static bool answer_head(void *env, int status, const char *const *headers) {
  struct answer *a = env;
  a->status = status;
  a->headers = (struct properties){0};
  for (; headers && headers[0]; headers += 2) {
    struct property *p = pool_grow(a->pool, a->headers.p, a->headers.n, sizeof *p);
    if (!p) return false;
    a->headers.p = p;
    p[a->headers.n] = (struct property){pool_str(a->pool, headers[0]), pool_str(a->pool, headers[1])};
    if (!p[a->headers.n].name || !p[a->headers.n].value) return false;
    a->headers.n++;
  }
  return true;
}

static bool answer_data(void *env, const void *bytes, size_t n) {
  struct answer *a = env;
  if (a->limit && n > a->limit - a->body.n) return false;
  buf_put(&a->body, bytes, n);
  return !a->body.failed;
}

struct http_sink answer_sink(struct answer *a) { return (struct http_sink){answer_head, answer_data, a}; }

void answer_fini(struct answer *a) { buf_fini(&a->body); }

const char *answer_header(const struct answer *a, const char *name) { return properties_find(&a->headers, name); }

/* ---- headers ---- */

static bool is_token(const char *name) {
  for (const char *p = name; *p; p++)
    if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("!#$%&'*+-.^_`|~", *p))) return false;
  return *name != 0;
}

static bool is_value(const char *value) {
  for (const char *p = value; *p; p++)
    if ((unsigned char)*p < 0x20 && *p != '\t') return false;
  return true;
}

bool headers_add(struct headers *h, const char *name, const char *value) {
  if (!name || !value) return false;
  if (!is_token(name) || !is_value(value)) return true;
  for (size_t i = 0; i < 3; i++) { /* name, value and the end are three slots, of which the last is written again */
    const char **list = pool_grow(h->pool, h->list, h->n + i, sizeof *list);
    if (!list) return false;
    h->list = list;
    list[h->n + i] = i == 0 ? name : i == 1 ? value : NULL;
  }
  h->n += 2;
  return true;
}

const char *headers_get(const char *const *list, const char *name) {
  for (; list && list[0]; list += 2)
    if (strcasecmp(list[0], name) == 0) return list[1];
  return NULL;
}
