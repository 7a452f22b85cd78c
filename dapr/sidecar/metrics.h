/* metrics.h: counters of requests, printed for Prometheus. */
#ifndef SIDECAR_METRICS_H
#define SIDECAR_METRICS_H

#include <stdatomic.h>

#include "route.h"

enum { METRIC_BUCKETS = 24 };

struct route_metrics {
  _Atomic unsigned long statuses[6]; /* 1xx ... 5xx by index 1 ... 5 */
  _Atomic unsigned long buckets[METRIC_BUCKETS + 1];
  _Atomic unsigned long total_us;
};

struct metrics {
  struct route_metrics routes[ROUTE_MAX + 1]; /* the last: what no row serves, that is invocation */
};

void metrics_count(struct metrics *, const struct route *, int status, int64_t us);
void metrics_print(const struct metrics *, const char *app_id, struct buf *out);

#endif
