/* api_config.c: /v1.0/configuration, and telling the application of changes. */
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "url.h"

static struct component *find_config(struct call *c, bool *sent) {
  struct component *store = sidecar_find(c->sidecar, CONFIGURATION, c->args[0]);
  if (store) return store;
  *sent = c->sidecar->kind_count[CONFIGURATION] == 0
              ? reply_error(c, 500, "ERR_CONFIGURATION_STORE_NOT_CONFIGURED", "configuration stores not configured")
              : reply_error(c, 400, "ERR_CONFIGURATION_STORE_NOT_FOUND", "configuration store %s not found", c->args[0].p);
  return NULL;
}

/* The values of `key` in the query, NULL at the end. */
static const char *const *query_keys(struct call *c) {
  struct span rest = c->query, name, value;
  const char **keys = pool_zero(c->pool, 1, sizeof *keys);
  size_t n = 0;
  while (keys && url_query_next(c->pool, &rest, &name, &value)) {
    if (!span_is(name, "key")) continue;
    const char **more = pool_zero(c->pool, n + 2, sizeof *more);
    if (!more) return NULL;
    if (n) memcpy((void *)(uintptr_t)more, keys, n * sizeof *keys);
    keys = more;
    keys[n++] = value.p;
  }
  return c->pool->failed ? NULL : (const char *const *)keys;
}

static int by_key(const void *a, const void *b) {
  return strcmp(((const struct config_item *)a)->key, ((const struct config_item *)b)->key);
}

static void print_item(struct buf *out, const struct config_item *item) {
  json_quote(out, span_of(item->key), JSON_HTML);
  if (!item->value) {
    buf_str(out, ":null");
    return;
  }
  buf_str(out, ":{\"value\":");
  json_quote(out, span_of(item->value), JSON_HTML);
  if (item->version && *item->version) buf_str(out, ",\"version\":"), json_quote(out, span_of(item->version), JSON_HTML);
  buf_char(out, '}');
}

static const char *join(struct call *c, const char *const *keys) {
  struct buf b = {0};
  buf_char(&b, '[');
  for (size_t i = 0; keys[i]; i++) buf_printf(&b, "%s%s", i ? " " : "", keys[i]);
  buf_char(&b, ']');
  char *text = pool_copy(c->pool, buf_view(&b));
  buf_fini(&b);
  return text ? text : "";
}

bool config_get(struct call *c) {
  bool sent;
  struct config_item *items;
  size_t n = 0;
  struct component *store = find_config(c, &sent);
  if (!store) return sent;
  const struct config_ops *ops = store->is->ops;
  const char *const *keys = query_keys(c);
  if (!keys) return reply_no_memory(c);
  struct buf why = {0}, out = {0};
  struct attempt a = component_attempt(store);
  bool ok = false;
  while (attempt_begin(&a)) {
    buf_clear(&why);
    ok = ops->get(store, c->pool, keys, &items, &n, &why);
    attempt_end(&a, ok ? OUTCOME_OK : OUTCOME_RETRIABLE, 0);
  }
  ok = attempt_ok(&a, ok, &why);
  component_count(store, EVENT_GET, ok);
  if (ok && n) qsort(items, n, sizeof *items, by_key);
  buf_char(&out, '{');
  for (size_t i = 0; ok && i < n; i++) {
    if (i && strcmp(items[i].key, items[i - 1].key) == 0) continue;
    if (i) buf_char(&out, ',');
    print_item(&out, &items[i]);
  }
  buf_char(&out, '}');
  if (!ok)
    sent = reply_error(c, 500, "ERR_CONFIGURATION_GET", "failed to get %s from Configuration store %s: %s", join(c, keys), store->name,
                       buf_text(&why));
  else sent = n ? reply_line(c, &out) : reply_empty(c);
  buf_fini(&out);
  buf_fini(&why);
  return sent;
}

bool config_subscribe(struct call *c) {
  bool sent;
  struct component *store = find_config(c, &sent);
  if (!store) return sent;
  if (!c->sidecar->has_app)
    return reply_error(c, 500, "ERR_APP_CHANNEL_NIL", "app channel is not initialized. cannot subscribe to configuration updates");
  const struct config_ops *ops = store->is->ops;
  const char *const *keys = query_keys(c);
  char id[UUID_SIZE];
  struct buf why = {0}, out = {0};
  if (!keys) return reply_no_memory(c);
  random_uuid(&c->sidecar->random, id);
  bool ok = ops->subscribe(store, keys, id, configuration_update, &why);
  buf_printf(&out, "{\"id\":\"%s\"}", id);
  sent = ok ? reply_line(c, &out)
            : reply_error(c, 500, "ERR_CONFIGURATION_SUBSCRIBE", "failed to subscribe %s from Configuration store %s: %s", join(c, keys),
                          store->name, buf_text(&why));
  buf_fini(&out);
  buf_fini(&why);
  return sent;
}

bool config_unsubscribe(struct call *c) {
  bool sent;
  struct component *store = find_config(c, &sent);
  if (!store) return sent;
  const struct config_ops *ops = store->is->ops;
  struct buf why = {0}, out = {0};
  if (ops->unsubscribe(store, c->args[1].p, &why)) {
    sent = reply_json(c, 200, SPAN("{\"ok\":true}\n"));
  } else {
    buf_str(&out, "{\"message\":");
    json_quote(&out, span_of(pool_printf(c->pool, "failed to unsubscribe to configuration request %s: %s", c->args[1].p, buf_text(&why))),
               JSON_HTML);
    buf_str(&out, "}\n");
    sent = reply_json(c, 500, buf_view(&out));
  }
  buf_fini(&out);
  buf_fini(&why);
  return sent;
}

/* POST /configuration/{store}/{key} with {"id", "items": {key: item}}. */
void configuration_update(struct component *store, const char *id, const struct config_item *item) {
  struct sidecar *sc = store->sidecar;
  struct pool pool;
  struct buf body = {0}, path = {0};
  pool_init(&pool, NULL, 0);
  struct headers h = {.pool = &pool};
  struct answer a = {.pool = &pool, .limit = 1 << 20};
  buf_printf(&body, "{\"id\":\"%s\",\"items\":{", id);
  print_item(&body, item);
  buf_str(&body, "}}\n");
  buf_str(&path, "/configuration/");
  url_encode_path(&path, span_of(store->name));
  buf_char(&path, '/');
  url_encode_path(&path, span_of(item->key));
  bool ok = headers_add(&h, "User-Agent", CLIENT_NAME) && headers_add(&h, "Content-Type", "application/json") &&
            (!sc->app_token || headers_add(&h, "dapr-api-token", sc->app_token));
  struct http_request r = {"POST", buf_text(&path), buf_text(&path), (const char *const *)h.list, body.p, body.n};
  struct attempt attempt = {.policy = store->inbound, .sleep = sidecar_sleep, .env = sc};
  while (ok && !body.failed && !path.failed && attempt_begin(&attempt)) {
    mv_error_t err = {0};
    struct http_sink sink = answer_sink(&a);
    buf_clear(&a.body);
    a.status = 0;
    bool done = app_call(sc, store->inbound ? store->inbound->timeout_ms : 0, &r, &sink, &err) && a.status == 200;
    attempt_end(&attempt, done ? OUTCOME_OK : OUTCOME_RETRIABLE, a.status);
    if (!done && attempt.done)
      log_write(&sc->log, DAPR_LOG_ERROR, "dapr.runtime.http", "error sending configuration item to the app: %s (status %d)", err.message,
                a.status);
  }
  answer_fini(&a);
  buf_fini(&body);
  buf_fini(&path);
  pool_fini(&pool);
}
