/* app_health.c: asks the application now and then whether it is well. While it is not, nothing is delivered to it and nobody may invoke it. */
#include "sidecar.h"

#define SCOPE "dapr.apphealth"

enum { LISTENING_MS = 50 };

static bool take_status(void *env, int status, const char *const *headers) { return (void)headers, *(int *)env = status, true; }
static bool ignore_data(void *env, const void *bytes, size_t n) { return (void)env, (void)bytes, (void)n, true; }

/* The status of an answer; 0: none came. */
static int probe(struct sidecar *sc, const char *url, int64_t timeout_ms) {
  const char *const headers[] = {"User-Agent", CLIENT_NAME, NULL};
  int status = 0;
  struct http_request r = {.method = "GET", .url = url, .headers = headers};
  struct http_sink sink = {take_status, ignore_data, &status};
  return clients_send(sc->clients, timeout_ms, &r, &sink, NULL) == HTTP_OK ? status : 0;
}

bool app_is_well(struct sidecar *sc) { return atomic_load(&sc->app_well); }

void app_health_run(struct sidecar *sc) {
  const struct app_health *h = &sc->health;
  const char *url = pool_printf(&sc->pool, "%s%s%s", sc->app_url, *h->path == '/' ? "" : "/", h->path);
  bool listens = false, started = false;
  int failures = 0;
  if (!url) return;
  do {
    int status = probe(sc, url, h->timeout_ms);
    bool good = status >= 200 && status <= 299;
    listens = listens || status;
    if (listens) sidecar_set_ready(sc);
    failures = good ? 0 : failures + 1;
    if (good && !app_is_well(sc)) {
      log_write(&sc->log, DAPR_LOG_INFO, SCOPE, "App entered healthy status");
      atomic_store(&sc->app_well, true);
      if (!started) delivery_start(sc);
      started = true;
    } else if (failures >= h->threshold && app_is_well(sc)) {
      log_write(&sc->log, DAPR_LOG_WARN, SCOPE, "App entered un-healthy status: %d probes of %s have failed", failures, url);
      atomic_store(&sc->app_well, false);
    }
  } while (sidecar_sleep(sc, listens ? h->interval_ms : LISTENING_MS));
}
