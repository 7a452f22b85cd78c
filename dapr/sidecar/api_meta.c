/* api_meta.c: health, metadata, shutdown, and the building blocks that are not built in. */
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "clock.h"
#include "url.h"

/* ---- health ---- */

bool health(struct call *c) {
  struct span wanted = url_query_get(c->pool, c->query, "appid");
  if (wanted.p && wanted.n && !span_is(wanted, c->sidecar->app_id))
    return reply_error(c, 500, "ERR_HEALTH_APPID_NOT_MATCH", "dapr app-id does not match");
  pthread_mutex_lock(&c->sidecar->lock);
  bool ready = c->sidecar->ready;
  pthread_mutex_unlock(&c->sidecar->lock);
  return ready ? reply_empty(c) : reply_error(c, 500, "ERR_HEALTH_NOT_READY", "dapr is not ready");
}

bool health_outbound(struct call *c) { return reply_empty(c); } /* components are loaded before the first request is served */

bool shut_down(struct call *c) {
  bool ok = reply_empty(c);
  sidecar_ask_shutdown(c->sidecar);
  return ok;
}

/* ---- metadata ---- */

static void field(struct buf *b, const char *name, const char *value) {
  buf_printf(b, "%s\"%s\":", b->p[b->n - 1] == '{' ? "" : ",", name);
  json_quote(b, span_of(value), JSON_HTML);
}

static void print_pairs(struct buf *b, const struct properties *list) {
  buf_char(b, '{');
  for (size_t i = 0; i < list->n && !b->failed; i++) {
    buf_str(b, i ? "," : "");
    json_quote(b, span_of(list->p[i].name), JSON_HTML);
    buf_char(b, ':');
    json_quote(b, span_of(list->p[i].value), JSON_HTML);
  }
  buf_char(b, '}');
}

static void print_components(struct buf *b, const struct sidecar *sc) {
  buf_str(b, ",\"components\":[");
  for (size_t i = 0; i < sc->component_count && !b->failed; i++) {
    const struct component *c = sc->components[i];
    buf_str(b, i ? ",{" : "{");
    field(b, "name", c->name);
    field(b, "type", c->type);
    field(b, "version", c->version);
    if (*c->is->capabilities) buf_printf(b, ",\"capabilities\":[%s]", c->is->capabilities);
    buf_char(b, '}');
  }
  buf_char(b, ']');
}

static void print_subscription(struct buf *b, const struct subscription *s) {
  buf_char(b, '{');
  field(b, "pubsubname", s->pubsub_name);
  field(b, "topic", s->topic);
  if (s->metadata.n) buf_str(b, ",\"metadata\":"), print_pairs(b, &s->metadata);
  buf_str(b, ",\"rules\":[");
  for (size_t i = 0; i < s->rule_count && !b->failed; i++) {
    buf_str(b, i ? ",{" : "{");
    if (*s->rules[i].match) field(b, "match", s->rules[i].match);
    field(b, "path", s->rules[i].path);
    buf_char(b, '}');
  }
  buf_char(b, ']');
  field(b, "deadLetterTopic", s->dead_letter ? s->dead_letter : "");
  field(b, "type", s->type);
  buf_char(b, '}');
}

/* With the lock held: subscriptions are added while the application starts. */
static void print_subscriptions(struct buf *b, const struct sidecar *sc) {
  if (sc->subscription_count == 0) return;
  buf_str(b, ",\"subscriptions\":[");
  for (size_t i = 0; i < sc->subscription_count && !b->failed; i++) {
    if (i) buf_char(b, ',');
    print_subscription(b, sc->subscriptions[i]);
  }
  buf_char(b, ']');
}

static void print_application(struct buf *b, const struct sidecar *sc) {
  char interval[CLOCK_TEXT], timeout[CLOCK_TEXT];
  buf_printf(b, ",\"appConnectionProperties\":{\"port\":%d,\"protocol\":\"http\"", sc->app_port);
  field(b, "channelAddress", sc->app_host);
  if (sc->app_limit) buf_printf(b, ",\"maxConcurrency\":%d", sc->app_limit);
  if (sc->health.enabled) {
    clock_print(sc->health.interval_ms, interval);
    clock_print(sc->health.timeout_ms, timeout);
    buf_str(b, ",\"health\":{");
    field(b, "healthCheckPath", sc->health.path);
    field(b, "healthProbeInterval", interval);
    field(b, "healthProbeTimeout", timeout);
    buf_printf(b, ",\"healthThreshold\":%d}", sc->health.threshold);
  }
  buf_char(b, '}');
}

static void print_rest(struct buf *b, const struct sidecar *sc) {
  if (sc->endpoint_count) buf_str(b, ",\"httpEndpoints\":[");
  for (size_t i = 0; i < sc->endpoint_count && !b->failed; i++) {
    buf_str(b, i ? ",{" : "{");
    field(b, "name", sc->endpoints[i].name);
    buf_char(b, '}');
  }
  if (sc->endpoint_count) buf_char(b, ']');
  if (sc->has_app) print_application(b, sc);
  buf_str(b, ",\"actorRuntime\":{\"runtimeStatus\":\"DISABLED\",\"hostReady\":false}");
  if (sc->policies.file_count) buf_str(b, ",\"resiliencies\":[");
  for (size_t i = 0; i < sc->policies.file_count && !b->failed; i++) {
    buf_str(b, i ? ",{" : "{");
    field(b, "name", sc->policies.files[i]);
    buf_char(b, '}');
  }
  if (sc->policies.file_count) buf_char(b, ']');
}

bool metadata_get(struct call *c) {
  struct sidecar *sc = c->sidecar;
  struct buf b = {0};
  buf_char(&b, '{');
  if (b.failed) return reply_no_memory(c);
  field(&b, "id", sc->app_id);
  field(&b, "runtimeVersion", DAPR_COMPATIBLE);
  print_components(&b, sc);
  pthread_mutex_lock(&sc->lock);
  buf_str(&b, ",\"extended\":{");
  field(&b, "daprRuntimeVersion", DAPR_COMPATIBLE);
  field(&b, "minivm", MINIVM_VERSION);
  for (size_t i = 0; i < sc->extended.n && !b.failed; i++) {
    buf_char(&b, ',');
    json_quote(&b, span_of(sc->extended.p[i].name), JSON_HTML);
    buf_char(&b, ':');
    json_quote(&b, span_of(sc->extended.p[i].value), JSON_HTML);
  }
  buf_char(&b, '}');
  print_subscriptions(&b, sc);
  pthread_mutex_unlock(&sc->lock);
  print_rest(&b, sc);
  buf_str(&b, "}\n");
  bool ok = b.failed ? reply_no_memory(c) : reply_json(c, 200, buf_view(&b));
  buf_fini(&b);
  return ok;
}

enum { EXTENDED_MAX = 1000 };

/* The list and its texts are of their own memory, since they change at any time. */
static bool set_extended(struct sidecar *sc, struct span name, struct span value) {
  char *text = malloc(value.n + 1), *key = NULL;
  struct property *p = NULL;
  if (!text) return false;
  if (value.n) memcpy(text, value.p, value.n);
  text[value.n] = 0;
  for (size_t i = 0; i < sc->extended.n; i++) {
    if (!span_is(name, sc->extended.p[i].name)) continue;
    free((void *)(uintptr_t)sc->extended.p[i].value);
    return sc->extended.p[i].value = text, true;
  }
  key = malloc(name.n + 1);
  if (key) p = realloc(sc->extended.p, (sc->extended.n + 1) * sizeof *p);
  if (!p) return free(key), free(text), false;
  memcpy(key, name.p, name.n + 1);
  p[sc->extended.n++] = (struct property){key, text};
  sc->extended.p = p;
  return true;
}

bool metadata_put(struct call *c) {
  struct sidecar *sc = c->sidecar;
  pthread_mutex_lock(&sc->lock);
  bool full = sc->extended.n >= EXTENDED_MAX && !properties_get(&sc->extended, c->args[0].p);
  bool ok = !full && set_extended(sc, c->args[0], call_body(c));
  pthread_mutex_unlock(&sc->lock);
  if (full) return reply_error(c, 400, "ERR_MALFORMED_REQUEST", "more than %d metadata items", EXTENDED_MAX);
  return ok ? reply_empty(c) : reply_no_memory(c);
}

void metadata_fini(struct sidecar *sc) {
  for (size_t i = 0; i < sc->extended.n; i++) {
    free((void *)(uintptr_t)sc->extended.p[i].name);
    free((void *)(uintptr_t)sc->extended.p[i].value);
  }
  free(sc->extended.p);
}

/* ---- not built in ---- */

bool no_actors(struct call *c) {
  return reply_error(c, 500, "ERR_ACTOR_RUNTIME_NOT_FOUND",
                     "the state store is not configured to use the actor runtime. Have you set the - name: actorStateStore value: \"true\" "
                     "in your state store component file?");
}

bool no_jobs(struct call *c) {
  bool get = strcmp(c->request->method, "GET") == 0, remove = strcmp(c->request->method, "DELETE") == 0;
  const char *code = get ? "DAPR_SCHEDULER_GET_JOB" : remove ? "DAPR_SCHEDULER_DELETE_JOB" : "DAPR_SCHEDULER_SCHEDULE_JOB";
  return reply_error(c, 500, code, "failed to %s job due to: scheduler is not built in", get ? "get" : remove ? "delete" : "schedule");
}

bool no_crypto(struct call *c) {
  return reply_error(c, 400, "ERR_CRYPTO_PROVIDER_NOT_FOUND", "crypto provider %s not found", c->args[0].p);
}

bool no_conversation(struct call *c) {
  return reply_error(c, 400, "ERR_CONVERSATION_NOT_FOUND", "failed finding conversation component %s", c->args[0].p);
}

bool no_workflow(struct call *c) {
  if (strcmp(c->request->method, "GET") == 0)
    return reply_error(c, 404, "ERR_INSTANCE_ID_NOT_FOUND", "unable to find workflow with the provided instance ID: %s", c->args[1].p);
  return reply_error(c, 500, "ERR_WORKFLOW", "workflows are not built in");
}
