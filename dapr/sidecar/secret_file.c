/* secret_file.c: the secret store secretstores.local.file: a JSON file, flattened by nestedSeparator or, with multiValued, one secret
 * per top-level member. The file is read once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "sidecar.h"

enum { FILE_MAX = 16 << 20, NESTING = 32 };

struct secret {
  const char *key;
  struct properties values;
};

struct secrets {
  struct pool *pool;
  const char *separator;
  struct secret *list;
  size_t count;
};

/* What Go prints for a value that is no text where text is asked for. */
static const char *odd_value(struct pool *pool, struct json v) {
  struct buf b = {0};
  const char *text;
  if (json_kind(v) == JSON_NUMBER) buf_str(&b, "%!s(float64="), json_double(&b, json_number(v)), buf_char(&b, ')');
  else if (json_kind(v) == JSON_BOOL) buf_printf(&b, "%%!s(bool=%s)", json_true(v) ? "true" : "false");
  else buf_str(&b, "%!s(<nil>)");
  text = pool_copy(pool, buf_view(&b));
  buf_fini(&b);
  return text;
}

static bool is_nested(struct json v) { return json_kind(v) == JSON_OBJECT || json_kind(v) == JSON_ARRAY; }

/* Adds the leaves below v under their joined names. */
static bool flatten(struct secrets *s, const char *prefix, struct json v, bool only_text, int depth, struct properties *out) {
  struct json name, item;
  size_t i = 0;
  if (depth > NESTING) return true;
  for (struct json_walk w = {0}; json_next(v, &w, &name, &item); i++) {
    const char *part = json_kind(v) == JSON_OBJECT ? json_text(s->pool, name).p : pool_printf(s->pool, "%zu", i);
    const char *full = !part ? NULL : *prefix ? pool_printf(s->pool, "%s%s%s", prefix, s->separator, part) : part;
    if (!full) return false;
    if (is_nested(item)) {
      if (!flatten(s, full, item, only_text, depth + 1, out)) return false;
    } else if (json_kind(item) == JSON_STRING || !only_text) {
      if (!properties_set(s->pool, out, full, json_kind(item) == JSON_STRING ? json_text(s->pool, item).p : odd_value(s->pool, item)))
        return false;
    }
  }
  return true;
}

static bool add(struct secrets *s, const char *key, struct properties values) {
  s->list = pool_grow(s->pool, s->list, s->count, sizeof *s->list);
  if (!s->list) return false;
  s->list[s->count++] = (struct secret){key, values};
  return true;
}

static bool read_single(struct secrets *s, struct json root) {
  struct properties all = {0};
  if (!flatten(s, "", root, false, 0, &all)) return false;
  for (size_t i = 0; i < all.n; i++) {
    struct properties one = {0};
    if (!properties_set(s->pool, &one, all.p[i].name, all.p[i].value) || !add(s, all.p[i].name, one)) return false;
  }
  return true;
}

/* A member that is an object is a secret with many values; text is a secret with one; others are left out. */
static bool read_multi(struct secrets *s, struct json root) {
  struct json name, item;
  for (struct json_walk w = {0}; json_next(root, &w, &name, &item);) {
    struct properties values = {0};
    const char *key = json_text(s->pool, name).p;
    if (!key) return false;
    if (json_kind(item) == JSON_OBJECT) {
      if (!flatten(s, "", item, true, 1, &values)) return false;
    } else if (json_kind(item) == JSON_STRING) {
      if (!properties_set(s->pool, &values, key, json_text(s->pool, item).p)) return false;
    } else {
      continue;
    }
    if (!add(s, key, values)) return false;
  }
  return true;
}

static int by_key(const void *a, const void *b) { return strcmp(((const struct secret *)a)->key, ((const struct secret *)b)->key); }

static int by_property(const void *a, const void *b) {
  return strcmp(((const struct property *)a)->name, ((const struct property *)b)->name);
}

static bool read_text(struct component *c, const char *path, struct buf *text, mv_error_t *err) {
  char block[8192];
  FILE *f = fopen(path, "rb");
  if (!f) return component_fail(c, err, "cannot read %s: %s", path, strerror(errno));
  for (size_t n; text->n < FILE_MAX && (n = fread(block, 1, sizeof block, f)) > 0;) buf_put(text, block, n);
  bool ok = !ferror(f);
  fclose(f);
  return ok ? !text->failed || report_memory(err) : component_fail(c, err, "cannot read %s: %s", path, strerror(errno));
}

static bool open_secrets(struct component *c, mv_error_t *err) {
  struct secrets *s = pool_zero(&c->sidecar->pool, 1, sizeof *s);
  const char *path = component_get(c, "secretsFile"), *separator = component_get(c, "nestedSeparator");
  struct buf text = {0}, why = {0};
  struct json root;
  if (!s) return report_memory(err);
  c->self = s;
  s->pool = &c->sidecar->pool;
  s->separator = separator ? separator : ":";
  if (!path) return component_fail(c, err, "metadata secretsFile is missing: name a JSON file");
  bool ok = read_text(c, path, &text, err);
  if (ok && !(ok = json_check_all(buf_view(&text), &root, &why))) component_fail(c, err, "%s: %s", path, buf_text(&why));
  if (ok && json_kind(root) != JSON_OBJECT) ok = component_fail(c, err, "%s: a JSON object is expected", path);
  if (ok && !(text_true(component_get(c, "multiValued")) ? read_multi : read_single)(s, root)) ok = report_memory(err);
  if (ok && s->count) qsort(s->list, s->count, sizeof *s->list, by_key);
  for (size_t i = 0; ok && i < s->count; i++)
    if (s->list[i].values.n) qsort(s->list[i].values.p, s->list[i].values.n, sizeof *s->list[i].values.p, by_property);
  buf_fini(&text);
  buf_fini(&why);
  return ok;
}

static void close_secrets(struct component *c) { (void)c; }

static bool get(struct component *c, struct pool *pool, const char *key, struct properties *values, struct buf *why) {
  const struct secrets *s = c->self;
  (void)pool;
  for (size_t i = 0; i < s->count; i++)
    if (strcmp(s->list[i].key, key) == 0) return *values = s->list[i].values, true;
  buf_printf(why, "secret %s not found", key);
  return false;
}

static bool list(struct component *c, struct pool *pool, bool (*each)(void *, const char *, const struct properties *), void *env,
                 struct buf *why) {
  const struct secrets *s = c->self;
  (void)pool;
  (void)why;
  for (size_t i = 0; i < s->count; i++)
    if (!each(env, s->list[i].key, &s->list[i].values)) return false;
  return true;
}

static const struct secrets_ops ops = {get, list};

const struct component_type secrets_file_type = {SECRETS, "secretstores.local.file", "", &ops, open_secrets, close_secrets};
