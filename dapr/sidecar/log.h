/* log.h: daprd's log lines: key=value by default, JSON with --log-as-json. */
#ifndef SIDECAR_LOG_H
#define SIDECAR_LOG_H

#include <pthread.h>

#include "../dapr.h"
#include "text.h"

struct log {
  FILE *out;
  int level; /* DAPR_LOG_...: what is below is not written */
  bool json;
  const char *app_id;
  char instance[64];
  pthread_mutex_t lock;
};

void log_init(struct log *, const struct sidecar_options *, const char *app_id);
void log_fini(struct log *);
/* scope: "dapr.runtime", "dapr.runtime.pubsub" ... */
void log_write(struct log *, int level, const char *scope, const char *format, ...) MV_PRINTF(4, 5);

#endif
