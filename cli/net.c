/* net.c: connects a run to HTTP and to Dapr, and `minivm dapr`, which runs the embedded sidecar alone. */
#include <stdlib.h>
#include <string.h>

#include "net.h"

static const char sidecar_origin[] = "http://127.0.0.1:3500"; /* where a guest looks for its sidecar */

const char *set_resources(void *at, const char *path) {
  struct net *n = at;
  const char **more = realloc(n->resources, (n->nresources + 2) * sizeof *more);
  if (!more) return "out of memory";
  n->resources = more;
  n->resources[n->nresources++] = path;
  n->resources[n->nresources] = NULL;
  return NULL;
}

static bool imports_http(const wasm_module_t *module) {
  wasm_importtype_vec_t imports;
  bool found = false;
  wasm_module_imports(module, &imports);
  for (size_t i = 0; i < imports.size && !found; i++) {
    const wasm_name_t *name = wasm_importtype_module(imports.data[i]);
    found = name->size == strlen(HTTP_MODULE) && !memcmp(name->data, HTTP_MODULE, name->size);
  }
  wasm_importtype_vec_delete(&imports);
  return found;
}

static bool load(const char *name, const char *symbol, void *address) {
  const char *why;
  if (part_load(name, symbol, address, &why)) return true;
  report("part", "minivm-%s.so cannot be used: %s", name, why);
  return false;
}

/* The module's name without folders and ending. */
static const char *app_name(const char *path, char *buf, size_t size) {
  const char *slash = strrchr(path, '/');
  snprintf(buf, size, "%s", slash ? slash + 1 : path);
  char *dot = strrchr(buf, '.');
  if (dot && dot != buf) *dot = 0;
  return buf;
}

static bool open_embedded(struct net *n, const char *path, mv_error_t *err) {
  char name[128];
  struct sidecar_options options = {.app_id = n->app_id ? n->app_id : app_name(path, name, sizeof name),
                                    .resources = (const char *const *)n->resources, .log_level = DAPR_LOG_WARN, .http_port = 3500};
  if (!load("dapr", "minivm_dapr", &n->dapr_part)) return false;
  options.policy = n->part->policy(n->guest);
  n->sidecar = n->dapr_part->open(&options, err);
  if (n->sidecar && n->part->mount(n->guest, sidecar_origin, n->dapr_part->handle, n->sidecar)) return true;
  report("dapr", "%s", err->kind != MV_OK ? err->message : "out of memory");
  return false;
}

/* The sidecar that the environment names, as under `dapr run` or in a pod; else the embedded one. */
static bool open_dapr(struct net *n, const char *path, mv_error_t *err) {
  const char *endpoint = getenv("DAPR_HTTP_ENDPOINT"), *port = getenv("DAPR_HTTP_PORT"), *token = getenv("DAPR_API_TOKEN");
  const char *const headers[] = {token && *token ? "dapr-api-token" : NULL, token, NULL};
  char local[64];
  if (!(endpoint && *endpoint) && !(port && *port)) return open_embedded(n, path, err);
  if (!(endpoint && *endpoint)) {
    snprintf(local, sizeof local, "http://127.0.0.1:%.32s", port);
    endpoint = local;
  }
  if (n->part->forward(n->guest, sidecar_origin, endpoint, headers, err)) return true;
  report("dapr", "%s", err->message);
  return false;
}

bool net_open(struct net *n, mv_linker_t *linker, const wasm_module_t *module, const char *path) {
  const struct http_part *(*part)(void);
  mv_error_t err = {0};
  if (!imports_http(module)) return true;
  if (!load("http", "mv_http_part", &part)) return false;
  n->part = part();
  if (n->part->version != HTTP_PART_VERSION) {
    report("part", "minivm-http.so is of another version");
    return false;
  }
  if (!n->dapr) n->http.sidecar = sidecar_origin;
  n->guest = n->part->open(&n->http, linker, &err);
  if (!n->guest) {
    report("http", "%s", err.message);
    return false;
  }
  return !n->dapr || open_dapr(n, path, &err);
}

void net_stats(const struct net *n, FILE *out) {
  if (n->guest) n->part->stats(n->guest, out);
}

void net_close(struct net *n) {
  if (n->guest) n->part->close(n->guest);
  if (n->sidecar) n->dapr_part->close(n->sidecar);
  http_settings_fini(&n->http);
  free(n->resources);
}

/* ---- minivm dapr --------------------------------------------------------------------------------------- */

static int cmd_dapr(int argc, char **argv) {
  const struct dapr_interface *sidecar;
  dapr_main_fn run;
  if (!load("dapr", "minivm_dapr", &sidecar) || !load("daprd", "dapr_main", &run)) return EXIT_MODULE;
  return run(sidecar, argc, argv);
}

static const struct option options[] = {{NULL, NULL, NULL, NULL, 0}};

const struct command command_dapr = {
  "dapr", "dapr [OPTIONS]", "Runs the embedded Dapr sidecar alone, for an app in any language.",
  "The options are those of daprd: --app-id, --app-port, --dapr-http-port, --resources-path, --config, --log-level ...\n"
  "`minivm dapr --help` lists them.\n",
  options, cmd_dapr,
};
