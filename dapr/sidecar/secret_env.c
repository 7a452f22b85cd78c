/* secret_env.c: the secret store secretstores.local.env: variables of the environment, below a prefix. The sidecar's own tokens are not
 * told. */
#include <stdlib.h>
#include <string.h>

#include "sidecar.h"

extern char **environ;

static bool open_env(struct component *c, mv_error_t *err) { return (void)c, (void)err, true; }

static void close_env(struct component *c) { (void)c; }

static bool is_hidden(const char *name) { return strcmp(name, "DAPR_API_TOKEN") == 0 || strcmp(name, "APP_API_TOKEN") == 0; }

static const char *prefix_of(const struct component *c) {
  const char *prefix = component_get(c, "prefix");
  return prefix ? prefix : "";
}

static bool get(struct component *c, struct pool *pool, const char *key, struct properties *values, struct buf *why) {
  char *name = pool_printf(pool, "%s%s", prefix_of(c), key);
  const char *value = name && !is_hidden(name) ? getenv(name) : NULL;
  if (!name || !properties_set(pool, values, pool_str(pool, key), pool_str(pool, value ? value : "")))
    return buf_str(why, "out of memory"), false;
  return true; /* a variable that is not set is empty text, as in daprd */
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static bool list(struct component *c, struct pool *pool, bool (*each)(void *, const char *, const struct properties *), void *env,
                 struct buf *why) {
  size_t n = 0, skip = strlen(prefix_of(c));
  const char **names = NULL;
  for (char **p = environ; p && *p; p++) {
    const char *equals = strchr(*p, '=');
    if (!equals || strncmp(*p, prefix_of(c), skip) != 0) continue;
    char *name = pool_copy(pool, (struct span){*p, (size_t)(equals - *p)});
    names = pool_grow(pool, (void *)(uintptr_t)names, n, sizeof *names);
    if (!name || !names) return buf_str(why, "out of memory"), false;
    if (!is_hidden(name)) names[n++] = name;
  }
  if (n) qsort((void *)(uintptr_t)names, n, sizeof *names, by_name);
  for (size_t i = 0; i < n; i++) {
    struct properties one = {0};
    const char *value = getenv(names[i]);
    if (!properties_set(pool, &one, names[i] + skip, pool_str(pool, value ? value : ""))) return buf_str(why, "out of memory"), false;
    if (!each(env, names[i] + skip, &one)) return false;
  }
  return true;
}

static const struct secrets_ops ops = {get, list};

const struct component_type secrets_env_type = {SECRETS, "secretstores.local.env", "", &ops, open_env, close_env};
