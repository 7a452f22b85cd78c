/* entry.c: the symbol that the program looks up in minivm-dapr.so; see dapr.h. */
#include <string.h>

#include "sidecar.h"

static bool metrics(void *sidecar, const struct http_request *r, const struct http_sink *sink, mv_error_t *err) {
  const char *const headers[] = {"Content-Type", "text/plain; version=0.0.4; charset=utf-8", NULL};
  struct buf out = {0};
  (void)err;
  bool found = strcmp(r->path, "/metrics") == 0 || strcmp(r->path, "/") == 0;
  if (found) sidecar_metrics(sidecar, &out);
  else buf_str(&out, "not found: see /metrics\n");
  bool ok = !out.failed && sink->head(sink->env, found ? 200 : 404, headers) && sink->data(sink->env, out.p, out.n);
  buf_fini(&out);
  return ok;
}

static void write_log(struct sidecar *sc, int level, const char *text) { log_write(&sc->log, level, "dapr.runtime", "%s", text); }

extern const struct dapr_interface minivm_dapr;
const struct dapr_interface minivm_dapr = {DAPR_INTERFACE_VERSION, sidecar_open,         sidecar_close, sidecar_handle, metrics,
                                           sidecar_wait_shutdown,  sidecar_ask_shutdown, write_log};
