/* api_secret.c: /v1.0/secrets, within the scopes of the Configuration file. */
#include <string.h>

#include "call.h"

static bool in(const char *const *list, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(list[i], name) == 0) return true;
  return false;
}

static bool may_read(const struct sidecar *sc, const char *store, const char *key) {
  for (size_t i = 0; i < sc->scope_count; i++) {
    const struct secret_scope *s = &sc->scopes[i];
    if (strcmp(s->store, store) != 0) continue;
    if (s->allowed_count) return in(s->allowed, s->allowed_count, key);
    return !s->deny && !in(s->denied, s->denied_count, key);
  }
  return true;
}

static struct component *find_secrets(struct call *c, bool *sent) {
  struct component *store = sidecar_find(c->sidecar, SECRETS, c->args[0]);
  if (store) return store;
  *sent = c->sidecar->kind_count[SECRETS] == 0
              ? reply_error(c, 500, "ERR_SECRET_STORES_NOT_CONFIGURED", "secret store is not configured")
              : reply_error(c, 401, "ERR_SECRET_STORE_NOT_FOUND", "failed finding secret store with key %s", c->args[0].p);
  return NULL;
}

static void print_values(struct buf *out, const struct properties *values) {
  buf_char(out, '{');
  for (size_t i = 0; i < values->n; i++) {
    if (i) buf_char(out, ',');
    json_quote(out, span_of(values->p[i].name), JSON_HTML);
    buf_char(out, ':');
    json_quote(out, span_of(values->p[i].value), JSON_HTML);
  }
  buf_char(out, '}');
}

bool secret_get(struct call *c) {
  bool sent;
  const char *key = c->args[1].p;
  struct component *store = find_secrets(c, &sent);
  if (!store) return sent;
  if (!may_read(c->sidecar, store->name, key))
    return reply_error(c, 403, "ERR_PERMISSION_DENIED", "access denied by policy to get \"%s\" from \"%s\"", key, store->name);
  const struct secrets_ops *ops = store->is->ops;
  struct properties values = {0};
  struct buf why = {0}, out = {0};
  struct attempt a = component_attempt(store);
  bool ok = false;
  while (attempt_begin(&a)) {
    buf_clear(&why);
    ok = ops->get(store, c->pool, key, &values, &why);
    attempt_end(&a, ok ? OUTCOME_OK : OUTCOME_RETRIABLE, 0);
  }
  ok = attempt_ok(&a, ok, &why);
  component_count(store, EVENT_GET, ok);
  if (ok) print_values(&out, &values);
  sent = ok ? reply_line(c, &out)
            : reply_error(c, 500, "ERR_SECRET_GET", "failed getting secret with key %s from secret store %s: %s", key, store->name,
                          buf_text(&why));
  buf_fini(&why);
  return sent;
}

struct listing {
  const struct sidecar *sidecar;
  const char *store;
  struct buf out;
};

static bool list_one(void *env, const char *key, const struct properties *values) {
  struct listing *l = env;
  if (!may_read(l->sidecar, l->store, key)) return true;
  buf_char(&l->out, l->out.n ? ',' : '{');
  json_quote(&l->out, span_of(key), JSON_HTML);
  buf_char(&l->out, ':');
  print_values(&l->out, values);
  return !l->out.failed;
}

bool secret_list(struct call *c) {
  bool sent;
  struct component *store = find_secrets(c, &sent);
  if (!store) return sent;
  const struct secrets_ops *ops = store->is->ops;
  struct listing l = {c->sidecar, store->name, {0}};
  struct buf why = {0};
  bool ok = ops->list(store, c->pool, list_one, &l, &why);
  component_count(store, EVENT_GET, ok);
  buf_str(&l.out, l.out.n ? "}" : "{}");
  sent = ok ? reply_line(c, &l.out)
            : reply_error(c, 500, "ERR_SECRET_GET", "failed getting secrets from secret store %s: %s", store->name, buf_text(&why));
  buf_fini(&l.out);
  buf_fini(&why);
  return sent;
}
