/* bench.c: the in-process way: state calls per second from one thread: usage bench [state file, "" for memory] [calls]. */
#include <time.h>

#include "support.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool head(void *env, int status, const char *const *headers) { return (void)headers, *(int *)env = status, true; }

static bool data(void *env, const void *bytes, size_t n) { return (void)env, (void)bytes, (void)n, true; }

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void measure(struct sidecar *sc, const char *name, const char *method, const char *path, const char *body, long calls) {
  const char *const json[] = {"Content-Type", "application/json", NULL};
  struct http_request r = {method, path, path, body ? json : json + 2, body, body ? strlen(body) : 0};
  int status = 0;
  struct http_sink sink = {head, data, &status};
  enum { BATCH = 16 };
  long batches = calls / BATCH;
  double *times = malloc((size_t)batches * sizeof *times), begun = now();
  mv_error_t err = {0};
  if (!times) abort();
  for (long i = 0; i < batches; i++) {
    double t = now();
    for (int k = 0; k < BATCH; k++)
      if (!minivm_dapr.handle(sc, &r, &sink, &err)) abort();
    times[i] = (now() - t) / BATCH;
  }
  double total = now() - begun;
  qsort(times, (size_t)batches, sizeof *times, by_value);
  printf("%s status %d %.0f /s p50 %.2f us p99 %.2f us\n", name, status, (double)(batches * BATCH) / total, times[batches / 2] * 1e6,
         times[batches * 99 / 100] * 1e6);
  free(times);
}

int main(int argc, char **argv) {
  struct sidecar_options o = {.app_id = "bench", .state_file = argc > 1 ? argv[1] : "", .log_level = DAPR_LOG_ERROR};
  long calls = argc > 2 ? atol(argv[2]) : 1000000;
  mv_error_t err = {0};
  double t = now();
  struct sidecar *sc = minivm_dapr.open(&o, &err);
  if (!sc) return fprintf(stderr, "%s\n", err.message), 1;
  printf("open %.0f us\n", (now() - t) * 1e6);
  measure(sc, "save", "POST", "/v1.0/state/statestore", "[{\"key\":\"weapon\",\"value\":\"Death Star\"}]", calls);
  measure(sc, "get", "GET", "/v1.0/state/statestore/weapon", NULL, calls);
  minivm_dapr.close(sc);
  return 0;
}
