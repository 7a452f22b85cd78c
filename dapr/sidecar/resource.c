/* resource.c: Dapr's own files: Component, Subscription, Resiliency, HTTPEndpoint and Configuration, unchanged. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "sidecar.h"
#include "ytree.h"

enum { FILE_MAX = 4 << 20 };


struct document {
  const char *file;
  const struct ytree *root;
  const char *kind;
};

struct loader {
  struct sidecar *sidecar;
  struct pool *pool;
  struct document *docs;
  size_t count;
  mv_error_t *err;
};

/* ---- files ---- */

static bool read_file(struct loader *l, const char *path, struct span *out) {
  FILE *f = fopen(path, "rb");
  if (!f) return report(l->err, MV_USAGE, "cannot read %s: %s", path, strerror(errno));
  struct buf text = {0};
  char block[8192];
  for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0 && text.n <= FILE_MAX;) buf_put(&text, block, n);
  bool ok = !ferror(f);
  fclose(f);
  if (!ok) report(l->err, MV_USAGE, "cannot read %s: %s", path, strerror(errno));
  else if (text.n > FILE_MAX) ok = report(l->err, MV_LIMIT, "%s is larger than %d bytes", path, FILE_MAX);
  *out = (struct span){ok && !text.failed ? pool_copy(l->pool, buf_view(&text)) : NULL, text.n};
  buf_fini(&text);
  return ok && (out->p || report_memory(l->err));
}

static bool load_file(struct loader *l, const char *path) {
  struct span text;
  const struct ytree *root;
  const char *name = pool_str(l->pool, path);
  if (!name) return report_memory(l->err);
  if (!read_file(l, path, &text) || !ytree_parse(l->pool, name, text, &root, l->err)) return false;
  for (; root; root = root->next) {
    const char *kind = ytree_text(root, "kind");
    if (!kind)
      return report(l->err, MV_USAGE,
                    "%s:%d: kind is missing: write kind: Component (or Subscription, Resiliency, HTTPEndpoint, Configuration)", name,
                    root->line);
    l->docs = pool_grow(l->pool, l->docs, l->count, sizeof *l->docs);
    if (!l->docs) return report_memory(l->err);
    l->docs[l->count++] = (struct document){name, root, kind};
  }
  return true;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static bool is_yaml(const char *name) {
  const char *dot = strrchr(name, '.');
  return dot && name[0] != '.' && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static bool load_path(struct loader *l, const char *path) {
  struct stat st;
  if (stat(path, &st) != 0) return report(l->err, MV_USAGE, "cannot read %s: %s", path, strerror(errno));
  if (!S_ISDIR(st.st_mode)) return load_file(l, path);
  DIR *dir = opendir(path);
  if (!dir) return report(l->err, MV_USAGE, "cannot read %s: %s", path, strerror(errno));
  char **names = NULL;
  size_t n = 0;
  bool ok = true;
  for (struct dirent *e; ok && (e = readdir(dir));) {
    if (!is_yaml(e->d_name)) continue;
    names = pool_grow(l->pool, names, n, sizeof *names);
    ok = names && (names[n++] = pool_printf(l->pool, "%s/%s", path, e->d_name));
  }
  closedir(dir);
  if (!ok) return report_memory(l->err);
  if (n) qsort(names, n, sizeof *names, by_name);
  for (size_t i = 0; ok && i < n; i++) ok = load_file(l, names[i]);
  return ok;
}

/* ---- parts of documents ---- */

static bool missing(const struct loader *l, const struct document *d, const char *what) {
  return report(l->err, MV_USAGE, "%s:%d: %s is missing", d->file, d->root->line, what);
}

static const char *name_of(const struct document *d) { return ytree_text(ytree_get(d->root, "metadata"), "name"); }

static bool in_scope(const struct loader *l, const struct document *d) {
  const struct ytree *scopes = ytree_get(d->root, "scopes");
  if (!scopes || scopes->kind != YTREE_LIST || !scopes->first) return true;
  for (const struct ytree *s = scopes->first; s; s = s->next)
    if (s->kind == YTREE_SCALAR && strcmp(s->text, l->sidecar->app_id) == 0) return true;
  return false;
}

static bool replace_all(struct loader *l, const char **value, const char *mark, const char *with) {
  for (const char *at; (at = strstr(*value, mark));) {
    *value = pool_printf(l->pool, "%.*s%s%s", (int)(at - *value), *value, with, at + strlen(mark));
    if (!*value) return report_memory(l->err);
    if (strstr(with, mark)) break;
  }
  return true;
}

/* {appID}, {namespace}, {uuid} and {podName} in values. */
static bool expand(struct loader *l, const char **value) {
  struct sidecar *sc = l->sidecar;
  char uuid[UUID_SIZE];
  if (!strchr(*value, '{')) return true;
  random_uuid(&sc->random, uuid);
  return replace_all(l, value, "{appID}", sc->app_id) && replace_all(l, value, "{namespace}", sc->name_space) &&
         replace_all(l, value, "{uuid}", uuid) && replace_all(l, value, "{podName}", sc->log.instance);
}

static bool from_secret(struct loader *l, const struct document *d, const struct ytree *item, const struct ytree *ref, const char **value) {
  const char *store_name = ytree_text(ytree_get(d->root, "auth"), "secretStore"), *name = ytree_text(ref, "name"),
             *key = ytree_text(ref, "key");
  struct component *store = sidecar_find(l->sidecar, SECRETS, span_of(store_name));
  struct properties values = {0};
  struct buf why = {0};
  if (!name) return report(l->err, MV_USAGE, "%s:%d: secretKeyRef needs a name", d->file, ref->line);
  if (!store)
    return report(l->err, MV_USAGE, "%s:%d: secret \"%s\" cannot be read: %s", d->file, item->line, name,
                store_name ? "auth.secretStore names no secret store component" : "add auth: {secretStore: NAME} to the file");
  const struct secrets_ops *ops = store->is->ops;
  bool ok = ops->get(store, l->pool, name, &values, &why);
  *value = ok ? properties_get(&values, key ? key : name) : NULL;
  if (!ok || !*value)
    ok = report(l->err, MV_USAGE, "%s:%d: secret \"%s\" key \"%s\": %s", d->file, item->line, name, key ? key : name,
                ok ? "not found" : buf_text(&why));
  buf_fini(&why);
  return ok;
}

/* A list of {name, value | secretKeyRef | envRef}. */
static bool read_pairs(struct loader *l, const struct document *d, const struct ytree *list, struct properties *out) {
  if (!list || ytree_is_null(list)) return true;
  if (list->kind != YTREE_LIST) return report(l->err, MV_USAGE, "%s:%d: a list of \"- name: ...\" is expected here", d->file, list->line);
  for (const struct ytree *item = list->first; item; item = item->next) {
    const char *name = ytree_text(item, "name"), *env = ytree_text(item, "envRef");
    const struct ytree *value = ytree_get(item, "value"), *ref = ytree_get(item, "secretKeyRef");
    const char *text = "";
    if (!name) return report(l->err, MV_USAGE, "%s:%d: an item without a name: write - name: KEY and value: TEXT", d->file, item->line);
    if (value && value->kind != YTREE_SCALAR)
      return report(l->err, MV_USAGE, "%s:%d: the value of %s must be text: put it in quotes", d->file, value->line, name);
    if (value && !ytree_is_null(value)) text = value->text;
    else if (env) text = getenv(env) ? getenv(env) : "";
    else if (ref && !from_secret(l, d, item, ref, &text)) return false;
    if (!(text = pool_str(l->pool, text))) return report_memory(l->err);
    if (!expand(l, &text)) return false;
    if (!properties_set(l->pool, out, name, text)) return report_memory(l->err);
  }
  return true;
}

/* ---- components ---- */

static bool set_prefix(struct loader *l, struct component *c) {
  const struct sidecar *sc = l->sidecar;
  const char *how = component_get(c, "keyPrefix"), *lock = c->is->kind == LOCK ? "lock||" : "";
  if (!how || strcmp(how, "appid") == 0) c->key_prefix = pool_printf(l->pool, "%s%s||", lock, sc->app_id);
  else if (strcmp(how, "none") == 0) c->key_prefix = pool_str(l->pool, lock);
  else if (strcmp(how, "name") == 0) c->key_prefix = pool_printf(l->pool, "%s%s||", lock, c->name);
  else if (strcmp(how, "namespace") == 0) c->key_prefix = pool_printf(l->pool, "%s%s.%s||", lock, sc->name_space, sc->app_id);
  else if (strstr(how, "||")) return component_fail(c, l->err, "metadata keyPrefix must not contain ||");
  else c->key_prefix = pool_printf(l->pool, "%s%s||", lock, how);
  return c->key_prefix || report_memory(l->err);
}

/* Opens a component and adds it. */
static bool add_component(struct loader *l, struct component *c) {
  struct sidecar *sc = l->sidecar;
  c->sidecar = sc;
  c->outbound = policies_find(&sc->policies, POLICY_OUTBOUND, c->name);
  c->inbound = policies_find(&sc->policies, POLICY_INBOUND, c->name);
  if (!set_prefix(l, c)) return false;
  if (!c->is->open(c, l->err)) return c->is->close(c), false;
  sc->components = pool_grow(l->pool, sc->components, sc->component_count, sizeof *sc->components);
  if (!sc->components) return c->is->close(c), report_memory(l->err);
  sc->components[sc->component_count++] = c;
  sc->kind_count[c->is->kind]++;
  log_write(&sc->log, DAPR_LOG_INFO, "dapr.runtime.processor", "Component loaded: %s (%s/%s)", c->name, c->type, c->version);
  return true;
}

/* By spec.components.deny of the configuration. */
static bool is_denied(const struct sidecar *sc, const struct component *c) {
  size_t n = strlen(c->type);
  for (size_t i = 0; i < sc->denied_type_count; i++) {
    const char *deny = sc->denied_types[i];
    if (strncasecmp(deny, c->type, n) == 0 && (deny[n] == 0 || (deny[n] == '/' && strcasecmp(deny + n + 1, c->version) == 0))) return true;
  }
  return false;
}

static bool load_component(struct loader *l, const struct document *d) {
  const struct ytree *spec = ytree_get(d->root, "spec");
  struct component *c = pool_zero(l->pool, 1, sizeof *c);
  mv_error_t why = {0};
  if (!c) return report_memory(l->err);
  c->name = name_of(d);
  c->type = ytree_text(spec, "type");
  c->version = ytree_text(spec, "version");
  if (!c->version) c->version = "v1";
  if (!c->name) return missing(l, d, "metadata.name");
  if (!c->type) return missing(l, d, "spec.type");
  if (is_denied(l->sidecar, c)) {
    log_write(&l->sidecar->log, DAPR_LOG_WARN, "dapr.runtime", "%s: component %s is not loaded: the configuration denies %s", d->file,
              c->name, c->type);
    return true;
  }
  for (size_t i = 0; i < l->sidecar->component_count; i++)
    if (strcmp(l->sidecar->components[i]->name, c->name) == 0)
      return report(l->err, MV_USAGE, "%s:%d: there is another component named %s: give one of them another name or scopes", d->file,
                    d->root->line, c->name);
  struct loader inner = *l;
  inner.err = &why;
  c->is = component_type_find(c->type, &why);
  bool ok = c->is && read_pairs(&inner, d, ytree_get(spec, "metadata"), &c->metadata) && add_component(&inner, c);
  if (ok) return true;
  if (text_true(ytree_text(spec, "ignoreErrors"))) {
    log_write(&l->sidecar->log, DAPR_LOG_ERROR, "dapr.runtime.processor", "ignoring component %s: %s", c->name, why.message);
    return true;
  }
  if (strncmp(why.message, d->file, strlen(d->file)) == 0) return l->err ? *l->err = why, false : false;
  return report(l->err, why.kind, "%s:%d: %s", d->file, spec ? spec->line : d->root->line, why.message);
}

static bool is_secrets(const struct document *d) {
  const char *type = ytree_text(ytree_get(d->root, "spec"), "type");
  return type && strncmp(type, "secretstores.", 13) == 0;
}

/* ---- subscriptions ---- */

static bool add_rule(struct loader *l, struct subscription *s, const char *match, const char *path) {
  s->rules = pool_grow(l->pool, s->rules, s->rule_count, sizeof *s->rules);
  if (!s->rules) return report_memory(l->err);
  s->rules[s->rule_count++] = (struct rule){.match = match, .path = path};
  return true;
}

static bool read_routes(struct loader *l, const struct document *d, const struct ytree *spec, struct subscription *s) {
  const struct ytree *routes_node = ytree_get(spec, "routes"), *rules = ytree_get(routes_node, "rules");
  const char *route = ytree_text(spec, "route"), *otherwise = ytree_text(routes_node, "default");
  for (const struct ytree *r = rules && rules->kind == YTREE_LIST ? rules->first : NULL; r; r = r->next) {
    const char *match = ytree_text(r, "match"), *path = ytree_text(r, "path");
    if (!path) return report(l->err, MV_USAGE, "%s:%d: a rule without a path", d->file, r->line);
    if (!add_rule(l, s, match ? match : "", path)) return false;
  }
  if (!otherwise) otherwise = route;
  if (otherwise && !add_rule(l, s, "", otherwise)) return false;
  return s->rule_count > 0 || missing(l, d, "spec.route (or spec.routes)");
}

static bool load_subscription(struct loader *l, const struct document *d) {
  const struct ytree *spec = ytree_get(d->root, "spec"), *bulk = ytree_get(spec, "bulkSubscribe"), *metadata = ytree_get(spec, "metadata");
  struct subscription *s = pool_zero(l->pool, 1, sizeof *s);
  mv_error_t why = {0};
  if (!s) return report_memory(l->err);
  s->topic = ytree_text(spec, "topic");
  s->pubsub_name = ytree_text(spec, "pubsubname");
  s->dead_letter = ytree_text(spec, "deadLetterTopic");
  s->type = "DECLARATIVE";
  if (!s->topic) return missing(l, d, "spec.topic");
  if (!s->pubsub_name) return missing(l, d, "spec.pubsubname");
  for (const struct ytree *m = metadata && metadata->kind == YTREE_MAP ? metadata->first : NULL; m; m = m->next)
    if (m->kind == YTREE_SCALAR && !properties_set(l->pool, &s->metadata, m->key, m->text)) return report_memory(l->err);
  s->bulk_enabled = text_true(ytree_text(bulk, "enabled"));
  const char *count = ytree_text(bulk, "maxMessagesCount"), *wait = ytree_text(bulk, "maxAwaitDurationMs");
  if ((count && !span_int(span_of(count), &s->bulk_count)) || (wait && !span_int(span_of(wait), &s->bulk_wait_ms)))
    return report(l->err, MV_USAGE, "%s:%d: bulkSubscribe needs integers", d->file, bulk->line);
  if (!read_routes(l, d, spec, s)) return false;
  return delivery_add(l->sidecar, s, &why) || report(l->err, why.kind, "%s:%d: %s", d->file, d->root->line, why.message);
}

/* ---- the others ---- */

static bool add_endpoint(struct loader *l, struct endpoint e) {
  struct sidecar *sc = l->sidecar;
  sc->endpoints = pool_grow(l->pool, sc->endpoints, sc->endpoint_count, sizeof e);
  if (!sc->endpoints) return report_memory(l->err);
  sc->endpoints[sc->endpoint_count++] = e;
  return true;
}

static bool load_endpoint(struct loader *l, const struct document *d) {
  const struct ytree *spec = ytree_get(d->root, "spec");
  struct endpoint e = {.name = name_of(d), .url = ytree_text(spec, "baseUrl")};
  if (!e.name) return missing(l, d, "metadata.name");
  if (!e.url) return missing(l, d, "spec.baseUrl");
  if (ytree_get(spec, "clientTLS"))
    return report(l->err, MV_USAGE, "%s:%d: clientTLS is not built in", d->file, ytree_get(spec, "clientTLS")->line);
  return read_pairs(l, d, ytree_get(spec, "headers"), &e.headers) && add_endpoint(l, e);
}

static bool read_names(struct loader *l, const struct ytree *list, const char ***out, size_t *n) {
  for (const struct ytree *y = list && list->kind == YTREE_LIST ? list->first : NULL; y; y = y->next) {
    if (y->kind != YTREE_SCALAR) continue;
    *out = pool_grow(l->pool, (void *)(uintptr_t)*out, *n, sizeof **out);
    if (!*out) return report_memory(l->err);
    (*out)[(*n)++] = y->text;
  }
  return true;
}

static bool load_scope(struct loader *l, const struct document *d, const struct ytree *y) {
  struct sidecar *sc = l->sidecar;
  const char *access = ytree_text(y, "defaultAccess");
  struct secret_scope s = {.store = ytree_text(y, "storeName"), .deny = access && strcmp(access, "deny") == 0};
  if (!s.store) return report(l->err, MV_USAGE, "%s:%d: a secret scope without storeName", d->file, y->line);
  if (!read_names(l, ytree_get(y, "allowedSecrets"), &s.allowed, &s.allowed_count) ||
      !read_names(l, ytree_get(y, "deniedSecrets"), &s.denied, &s.denied_count))
    return false;
  sc->scopes = pool_grow(l->pool, sc->scopes, sc->scope_count, sizeof s);
  if (!sc->scopes) return report_memory(l->err);
  sc->scopes[sc->scope_count++] = s;
  return true;
}

static bool load_apis(struct loader *l, const struct document *d, const struct ytree *list, bool deny) {
  struct sidecar *sc = l->sidecar;
  for (const struct ytree *y = list && list->kind == YTREE_LIST ? list->first : NULL; y; y = y->next) {
    const char *protocol = ytree_text(y, "protocol"), *version = ytree_text(y, "version");
    struct api_rule rule = {.name = ytree_text(y, "name"), .version = version ? version : "v1.0", .deny = deny};
    if (!rule.name) return report(l->err, MV_USAGE, "%s:%d: an API without a name: write - name: state", d->file, y->line);
    if (protocol && strcmp(protocol, "http") != 0) continue; /* of gRPC */
    sc->apis = pool_grow(l->pool, sc->apis, sc->api_count, sizeof rule);
    if (!sc->apis) return report_memory(l->err);
    sc->apis[sc->api_count++] = rule;
  }
  return true;
}

static bool load_configuration(struct loader *l, const struct document *d) {
  const char *const known[] = {"tracing", "metric", "metrics", "secrets", "features", "logging", "components", "api", NULL};
  const struct ytree *spec = ytree_get(d->root, "spec"), *scopes = ytree_get(ytree_get(spec, "secrets"), "scopes");
  const char *rate = ytree_text(ytree_get(spec, "tracing"), "samplingRate");
  if (rate) {
    char *end;
    double v = strtod(rate, &end);
    if (end == rate || *end || !(v >= 0 && v <= 1))
      return report(l->err, MV_USAGE, "%s:%d: samplingRate \"%s\" must be between \"0\" and \"1\"", d->file, spec->line, rate);
    l->sidecar->sampling = v;
  }
  for (const struct ytree *s = scopes && scopes->kind == YTREE_LIST ? scopes->first : NULL; s; s = s->next)
    if (!load_scope(l, d, s)) return false;
  const struct ytree *api = ytree_get(spec, "api"), *deny = ytree_get(ytree_get(spec, "components"), "deny");
  if (!load_apis(l, d, ytree_get(api, "allowed"), false) || !load_apis(l, d, ytree_get(api, "denied"), true)) return false;
  if (!read_names(l, deny, &l->sidecar->denied_types, &l->sidecar->denied_type_count)) return false;
  if (text_true(ytree_text(ytree_get(ytree_get(spec, "logging"), "apiLogging"), "enabled"))) l->sidecar->log_api = true;
  for (const struct ytree *y = spec && spec->kind == YTREE_MAP ? spec->first : NULL; y; y = y->next) {
    size_t i = 0;
    while (known[i] && strcmp(known[i], y->key) != 0) i++;
    if (!known[i])
      log_write(&l->sidecar->log, DAPR_LOG_WARN, "dapr.runtime", "%s:%d: spec.%s has no effect here", d->file, y->line, y->key);
  }
  return true;
}

static bool load_resiliency(struct loader *l, const struct document *d) {
  return policies_load(&l->sidecar->policies, l->pool, d->file, d->root, l->err);
}

static bool load_secrets(struct loader *l, const struct document *d) { return !is_secrets(d) || load_component(l, d); }

static bool load_others(struct loader *l, const struct document *d) { return is_secrets(d) || load_component(l, d); }

static bool load_kind(struct loader *l, const char *kind, bool (*load)(struct loader *, const struct document *)) {
  for (size_t i = 0; i < l->count; i++)
    if (strcmp(l->docs[i].kind, kind) == 0 && in_scope(l, &l->docs[i]) && !load(l, &l->docs[i])) return false;
  return true;
}

/* Without files: a state store in one file and publish/subscribe in memory. */
static bool load_builtin(struct loader *l, const struct sidecar_options *o) {
  const char *file = o->state_file ? o->state_file : ".minivm/state.db";
  struct component *state = pool_zero(l->pool, 1, sizeof *state), *pubsub = pool_zero(l->pool, 1, sizeof *pubsub);
  if (!state || !pubsub) return report_memory(l->err);
  state->name = "statestore";
  state->type = *file ? "state.sqlite" : "state.in-memory";
  pubsub->name = "pubsub";
  pubsub->type = "pubsub.in-memory";
  state->version = pubsub->version = "v1";
  state->is = component_type_find(state->type, l->err);
  pubsub->is = component_type_find(pubsub->type, l->err);
  if (*file && !properties_set(l->pool, &state->metadata, "connectionString", pool_str(l->pool, file))) return report_memory(l->err);
  return add_component(l, state) && add_component(l, pubsub);
}

static bool load_peers(struct loader *l, const char *const *peers) {
  for (; peers && *peers; peers++) {
    const char *equals = strchr(*peers, '=');
    if (!equals || equals == *peers || (strncmp(equals + 1, "http://", 7) != 0 && strncmp(equals + 1, "https://", 8) != 0))
      return report(l->err, MV_USAGE, "peer \"%s\": write app-id=http://host:port", *peers);
    struct endpoint e = {
        .peer = true, .name = pool_copy(l->pool, (struct span){*peers, (size_t)(equals - *peers)}), .url = pool_str(l->pool, equals + 1)};
    if (!e.name || !e.url) return report_memory(l->err);
    if (!add_endpoint(l, e)) return false;
  }
  return true;
}

bool resources_load(struct sidecar *sc, const struct sidecar_options *o, mv_error_t *err) {
  struct loader l = {.sidecar = sc, .pool = &sc->pool, .err = err};
  struct loader config = l;
  if (o->config && (!load_file(&config, o->config) || !load_kind(&config, "Configuration", load_configuration))) return false;
  for (const char *const *path = o->resources; path && *path; path++)
    if (!load_path(&l, *path)) return false;
  if (!load_kind(&l, "Resiliency", load_resiliency)) return false;
  if (!o->resources && !load_builtin(&l, o)) return false;
  return load_kind(&l, "Component", load_secrets) && load_kind(&l, "Component", load_others) &&
         load_kind(&l, "HTTPEndpoint", load_endpoint) && load_peers(&l, o->peers) && load_kind(&l, "Subscription", load_subscription);
}
