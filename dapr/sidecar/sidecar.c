/* sidecar.c: the sidecar's life, and the way of a request to its handler. */
#include "sidecar.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "call.h"
#include "clock.h"
#include "url.h"

enum { WORKERS = 64, WORK_QUEUE = 10000, REQUEST_STACK = 2048 };

struct component *sidecar_find(struct sidecar *sc, enum component_kind kind, struct span name) {
  for (size_t i = 0; i < sc->component_count; i++)
    if (sc->components[i]->is->kind == kind && span_is(name, sc->components[i]->name)) return sc->components[i];
  return NULL;
}

bool sidecar_stopping(struct sidecar *sc) {
  pthread_mutex_lock(&sc->lock);
  bool stopping = sc->stopping;
  pthread_mutex_unlock(&sc->lock);
  return stopping;
}

static struct timespec after(int64_t ms) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  t.tv_sec += (time_t)(ms / 1000);
  t.tv_nsec += (long)(ms % 1000) * 1000000;
  if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
  return t;
}

bool sidecar_sleep(void *env, int64_t ms) {
  struct sidecar *sc = env;
  struct timespec until = after(ms);
  int late = 0;
  pthread_mutex_lock(&sc->lock);
  while (!sc->stopping && !late) late = pthread_cond_timedwait(&sc->changed, &sc->lock, &until);
  bool go_on = !sc->stopping;
  pthread_mutex_unlock(&sc->lock);
  return go_on;
}

void sidecar_wait_shutdown(struct sidecar *sc) {
  pthread_mutex_lock(&sc->lock);
  while (!sc->shutdown_asked) pthread_cond_wait(&sc->changed, &sc->lock);
  pthread_mutex_unlock(&sc->lock);
}

void sidecar_ask_shutdown(struct sidecar *sc) {
  pthread_mutex_lock(&sc->lock);
  sc->shutdown_asked = true;
  pthread_cond_broadcast(&sc->changed);
  pthread_mutex_unlock(&sc->lock);
}

void sidecar_set_ready(struct sidecar *sc) {
  pthread_mutex_lock(&sc->lock);
  sc->ready = true;
  pthread_mutex_unlock(&sc->lock);
}

bool trace_sampled(struct sidecar *sc) { return sc->sampling >= 1 || (double)(random_next(&sc->random) >> 11) * 0x1p-53 < sc->sampling; }

/* ---- the application's channel ---- */

static bool app_over_http(struct sidecar *sc, int64_t timeout_ms, const struct http_request *request, const struct http_sink *sink, mv_error_t *err) {
  struct buf url = {0};
  struct http_request r = *request;
  buf_str(&url, sc->app_url);
  buf_str(&url, request->path);
  r.url = buf_text(&url);
  bool ok = !url.failed && clients_send(sc->clients, timeout_ms, &r, sink, err) == HTTP_OK;
  buf_fini(&url);
  return ok;
}

/* Where the application wants to be called by so many at a time: a call begins, or ends. */
static void take_turn(struct sidecar *sc, bool begins) {
  if (!sc->app_limit) return;
  pthread_mutex_lock(&sc->lock);
  while (begins && sc->app_busy >= sc->app_limit && !sc->stopping) pthread_cond_wait(&sc->changed, &sc->lock);
  sc->app_busy += begins ? 1 : -1;
  if (!begins) pthread_cond_broadcast(&sc->changed);
  pthread_mutex_unlock(&sc->lock);
}

bool app_call(struct sidecar *sc, int64_t timeout_ms, const struct http_request *request, const struct http_sink *sink, mv_error_t *err) {
  if (!app_is_well(sc)) return report(err, MV_INTERRUPTED, "rpc error: code = Internal desc = app is not in a healthy state");
  take_turn(sc, true);
  bool ok = sc->app ? sc->app(sc->app_env, request, sink, err) : app_over_http(sc, timeout_ms, request, sink, err);
  take_turn(sc, false);
  return ok;
}

/* ---- life ---- */

static const char *keep(struct sidecar *sc, const char *text) { return text && *text ? pool_str(&sc->pool, text) : NULL; }

bool sidecar_stopped(void *sidecar) { return sidecar_stopping(sidecar); }

static bool set_up(struct sidecar *sc, const struct sidecar_options *o, mv_error_t *err) {
  sc->name_space = o->name_space && *o->name_space ? pool_str(&sc->pool, o->name_space) : "default";
  sc->app_host = o->app_host && *o->app_host ? pool_str(&sc->pool, o->app_host) : "127.0.0.1";
  sc->api_token = keep(sc, o->api_token);
  sc->app_token = keep(sc, o->app_token);
  sc->app_port = o->app_port;
  sc->http_port = o->http_port;
  sc->app = o->app;
  sc->app_env = o->app_env;
  sc->has_app = o->app || o->app_port > 0;
  sc->app_limit = o->app_max_concurrency > 0 ? o->app_max_concurrency : 0;
  if (!sc->app && sc->has_app) {
    sc->app_url = pool_printf(&sc->pool, strchr(sc->app_host, ':') ? "http://[%s]:%d" : "http://%s:%d", sc->app_host, o->app_port);
    sc->health = o->app_health;
    if (sc->health.enabled) sc->health.path = pool_str(&sc->pool, o->app_health.path);
  }
  atomic_init(&sc->app_well, !sc->health.enabled);
  sc->log_api = o->log_api;
  sc->policy = o->policy;
  sc->clients = clients_new(&(struct clients_options){.stopped = sidecar_stopped, .env = sc});
  sc->guest_clients = clients_new(&(struct clients_options){.policy = o->policy, .stopped = sidecar_stopped, .env = sc});
  sc->workers = workers_new(WORKERS, WORK_QUEUE);
  if (sc->pool.failed || !sc->clients || !sc->guest_clients || !sc->workers) return report_memory(err);
  return resources_load(sc, o, err);
}

static void *start(void *env) {
  struct sidecar *sc = env;
  if (sc->health.enabled) return app_health_run(sc), NULL;
  delivery_start(sc);
  sidecar_set_ready(sc);
  return NULL;
}

struct sidecar *sidecar_open(const struct sidecar_options *o, mv_error_t *err) {
  struct sidecar *sc = calloc(1, sizeof *sc);
  if (!sc) return report_memory(err), NULL;
  pool_init(&sc->pool, NULL, 0);
  sc->app_id = pool_str(&sc->pool, o->app_id && *o->app_id ? o->app_id : "minivm");
  if (!sc->app_id) return free(sc), report_memory(err), NULL;
  log_init(&sc->log, o, sc->app_id);
  random_init(&sc->random);
  route_index_init(&sc->routes);
  pthread_mutex_init(&sc->lock, NULL);
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&sc->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  signal(SIGPIPE, SIG_IGN); /* a peer that has gone is an error of that write, not the end of the program */
  if (!set_up(sc, o, err)) return sidecar_close(sc), NULL;
  if (!sc->has_app) start(sc);
  else if (pthread_create(&sc->starter, NULL, start, sc) == 0) sc->starter_runs = true;
  else return report_memory(err), sidecar_close(sc), NULL;
  return sc;
}

void sidecar_close(struct sidecar *sc) {
  if (!sc) return;
  pthread_mutex_lock(&sc->lock);
  sc->stopping = true;
  pthread_cond_broadcast(&sc->changed);
  pthread_mutex_unlock(&sc->lock);
  if (sc->starter_runs) pthread_join(sc->starter, NULL);
  for (size_t i = 0; i < sc->component_count; i++) {
    const struct pubsub_ops *ops = sc->components[i]->is->ops;
    if (sc->components[i]->is->kind == PUBSUB) ops->stop(sc->components[i]);
  }
  workers_delete(sc->workers);
  for (size_t i = sc->component_count; i-- > 0;) sc->components[i]->is->close(sc->components[i]);
  for (size_t i = 0; i < sc->subscription_count; i++) delivery_fini(sc->subscriptions[i]);
  policies_fini(&sc->policies);
  clients_delete(sc->clients);
  clients_delete(sc->guest_clients);
  random_fini(&sc->random);
  log_fini(&sc->log);
  pthread_cond_destroy(&sc->changed);
  pthread_mutex_destroy(&sc->lock);
  metadata_fini(sc);
  pool_fini(&sc->pool);
  free(sc);
}

/* ---- a request ---- */

/* Takes the same time wherever the first difference is. */
static bool same_secret(const char *a, const char *b) {
  size_t n = strlen(a);
  unsigned different = 0;
  if (strlen(b) != n) return false;
  for (size_t i = 0; i < n; i++) different |= (unsigned)(a[i] ^ b[i]);
  return different == 0;
}

static bool refuse_token(struct call *c) {
  const char *const headers[] = {"Content-Type", "text/plain; charset=utf-8", "X-Content-Type-Options", "nosniff", NULL};
  return reply(c, 401, headers, SPAN("invalid api token\n"));
}

static bool decode_args(struct call *c) {
  for (size_t i = 0; i < ROUTE_ARGS && c->args[i].p; i++) {
    c->args[i] = url_decode(c->pool, c->args[i], true);
    if (!c->args[i].p) return false;
  }
  return true;
}

/* By spec.api of the configuration: what is denied, or is not among what is allowed, is as if it were not there. */
static bool api_allowed(struct call *c, const struct route *route) {
  const struct sidecar *sc = c->sidecar;
  struct span path = route ? span_of(route->pattern) : SPAN("v1.0/invoke"), version = span_cut(&path, '/'), name = span_cut(&path, '/');
  bool listed = false, wanted = false;
  if (route && route->open) return true;
  for (size_t i = 0; i < sc->api_count; i++) {
    const struct api_rule *r = &sc->apis[i];
    bool same = span_is(name, r->name) && span_is(version, r->version);
    if (same && r->deny) return false;
    listed = listed || !r->deny;
    wanted = wanted || same;
  }
  return !listed || wanted;
}

static bool serve(struct call *c, const struct route *route) {
  const char *token = c->sidecar->api_token;
  if (token && !(route && route->open)) {
    const char *given = call_header(c, "dapr-api-token");
    if (!given || !same_secret(token, given)) return refuse_token(c);
  }
  if (c->sidecar->api_count && !api_allowed(c, route)) return reply_no_app_id(c);
  if (!route) return invoke(c);
  return decode_args(c) ? route->handle(c) : reply_no_memory(c);
}

bool sidecar_handle(void *env, const struct http_request *request, const struct http_sink *sink, mv_error_t *err) {
  struct sidecar *sc = env;
  char first[REQUEST_STACK];
  struct pool pool;
  struct span rest = span_of(request->path);
  int64_t begun = clock_steady_us();
  pool_init(&pool, first, sizeof first);
  struct call c = {.sidecar = sc, .request = request, .sink = sink, .err = err, .pool = &pool};
  c.path = span_cut(&rest, '?');
  c.query = span_cut(&rest, '#');
  if (sc->log_api) log_write(&sc->log, DAPR_LOG_INFO, "dapr.runtime.http-info", "HTTP API Called: %s %.*s", request->method, (int)c.path.n, c.path.p);
  const struct route *route = route_find(&sc->routes, route_method(request->method), c.path, c.args);
  bool ok = serve(&c, route);
  metrics_count(&sc->metrics, route, c.status, clock_steady_us() - begun);
  pool_fini(&pool);
  if (!ok && err && err->kind == MV_OK) report(err, MV_INTERRUPTED, "the receiver gave up");
  return ok;
}

/* ---- metrics ---- */

struct count_row {
  enum component_kind kind;
  enum component_event event;
  const char *name, *label, *value;
};

static const struct count_row count_rows[] = {
    {STATE, EVENT_GET, "dapr_component_state_count", "operation", "get"},
    {STATE, EVENT_SET, "dapr_component_state_count", "operation", "set"},
    {STATE, EVENT_DELETE, "dapr_component_state_count", "operation", "delete"},
    {STATE, EVENT_BULK_GET, "dapr_component_state_count", "operation", "bulk_get"},
    {STATE, EVENT_TRANSACTION, "dapr_component_state_count", "operation", "transaction"},
    {PUBSUB, EVENT_PUBLISH, "dapr_component_pubsub_egress_count", NULL, NULL},
    {PUBSUB, EVENT_DELIVER, "dapr_component_pubsub_ingress_count", "process_status", "success"},
    {PUBSUB, EVENT_RETRY, "dapr_component_pubsub_ingress_count", "process_status", "retry"},
    {PUBSUB, EVENT_DROP, "dapr_component_pubsub_ingress_count", "process_status", "drop"},
    {BINDING, EVENT_INVOKE, "dapr_component_output_binding_count", NULL, NULL},
    {SECRETS, EVENT_GET, "dapr_component_secret_count", "operation", "get"},
    {CONFIGURATION, EVENT_GET, "dapr_component_configuration_count", "operation", "get"},
    {LOCK, EVENT_SET, "dapr_component_lock_count", "operation", "try_lock"},
    {LOCK, EVENT_DELETE, "dapr_component_lock_count", "operation", "unlock"}};

static void print_row(struct sidecar *sc, const struct count_row *row, struct buf *out) {
  for (size_t i = 0; i < sc->component_count; i++) {
    struct component *c = sc->components[i];
    for (unsigned ok = 0; c->is->kind == row->kind && ok < 2; ok++) {
      unsigned long n = atomic_load_explicit(&c->counts[row->event][ok], memory_order_relaxed);
      if (!n) continue;
      buf_printf(out, "%s{app_id=\"%s\",component=\"%s\",namespace=\"%s\"", row->name, sc->app_id, c->name, sc->name_space);
      if (row->label) buf_printf(out, ",%s=\"%s\"", row->label, row->value);
      buf_printf(out, ",success=\"%s\"} %lu\n", ok ? "true" : "false", n);
    }
  }
}

void sidecar_metrics(struct sidecar *sc, struct buf *out) {
  buf_printf(
      out,
      "# HELP dapr_runtime_component_loaded The number of successfully loaded components.\n# TYPE dapr_runtime_component_loaded gauge\n");
  buf_printf(out, "dapr_runtime_component_loaded{app_id=\"%s\",namespace=\"%s\"} %zu\n", sc->app_id, sc->name_space, sc->component_count);
  for (size_t i = 0; i < sizeof count_rows / sizeof *count_rows; i++) {
    if (i == 0 || strcmp(count_rows[i].name, count_rows[i - 1].name) != 0) buf_printf(out, "# TYPE %s counter\n", count_rows[i].name);
    print_row(sc, &count_rows[i], out);
  }
  metrics_print(&sc->metrics, sc->app_id, out);
}
