/* metrics.c: see metrics.h. Names, labels and bucket limits are those of daprd. */
#include "metrics.h"

static const unsigned limits_ms[METRIC_BUCKETS] = {1,  2,  3,  4,  5,  6,  8,   10,  13,  16,   20,   25,
                                                   30, 40, 50, 65, 80, 100, 200, 500, 1000, 2000, 5000, 10000};

static void add(_Atomic unsigned long *counter, unsigned long n) { atomic_fetch_add_explicit(counter, n, memory_order_relaxed); }

static unsigned long get(const _Atomic unsigned long *counter) { return atomic_load_explicit(counter, memory_order_relaxed); }

void metrics_count(struct metrics *m, const struct route *route, int status, int64_t us) {
  struct route_metrics *r = &m->routes[route ? route - routes : ROUTE_MAX];
  size_t i = 0;
  while (i < METRIC_BUCKETS && us > (int64_t)limits_ms[i] * 1000) i++;
  add(&r->statuses[status >= 100 && status < 600 ? status / 100 : 5], 1);
  add(&r->buckets[i], 1);
  add(&r->total_us, (unsigned long)us);
}

static void print_latency(const struct route_metrics *r, const char *app_id, const char *name, struct buf *out) {
  unsigned long sum = 0;
  for (size_t i = 0; i <= METRIC_BUCKETS; i++) sum += get(&r->buckets[i]);
  if (sum == 0) return;
  sum = 0;
  for (size_t i = 0; i <= METRIC_BUCKETS; i++) {
    sum += get(&r->buckets[i]);
    buf_printf(out, "dapr_http_server_latency_bucket{app_id=\"%s\",method=\"%s\",le=\"", app_id, name);
    if (i < METRIC_BUCKETS) buf_printf(out, "%u\"} %lu\n", limits_ms[i], sum);
    else buf_printf(out, "+Inf\"} %lu\n", sum);
  }
  buf_printf(out, "dapr_http_server_latency_sum{app_id=\"%s\",method=\"%s\"} %g\n", app_id, name, (double)get(&r->total_us) / 1000);
  buf_printf(out, "dapr_http_server_latency_count{app_id=\"%s\",method=\"%s\"} %lu\n", app_id, name, sum);
}

static const char *name_of(size_t i) { return i == ROUTE_MAX ? "InvokeService" : routes[i].name; }

/* The rows of the table, then invocation. */
static size_t next_row(size_t i) { return i == ROUTE_MAX ? ROUTE_MAX + 1 : routes[i + 1].pattern ? i + 1 : ROUTE_MAX; }

void metrics_print(const struct metrics *m, const char *app_id, struct buf *out) {
  buf_str(out, "# HELP dapr_http_server_request_count Count of HTTP requests processed by the server.\n"
               "# TYPE dapr_http_server_request_count counter\n");
  for (size_t i = 0; i <= ROUTE_MAX; i = next_row(i))
    for (unsigned s = 1; s < 6; s++) {
      unsigned long n = get(&m->routes[i].statuses[s]);
      if (n) buf_printf(out, "dapr_http_server_request_count{app_id=\"%s\",method=\"%s\",status=\"%uxx\"} %lu\n", app_id, name_of(i), s, n);
    }
  buf_str(out, "# HELP dapr_http_server_latency Latency of HTTP requests in milliseconds.\n# TYPE dapr_http_server_latency histogram\n");
  for (size_t i = 0; i <= ROUTE_MAX; i = next_row(i)) print_latency(&m->routes[i], app_id, name_of(i), out);
}
