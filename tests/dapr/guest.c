/* guest.c: state calls per second as a guest sees them, through the C client: guest.wasm STORE CALLS. Prints lines as bench.c does, and
 * what a second of CPU time would give: the same on a machine that does nothing else. */
#include "../../dapr/clients/c/dapr.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 16 };

__attribute__((import_module("wasi_snapshot_preview1"), import_name("clock_time_get"))) int clock_time_get(int id, uint64_t precision, uint64_t *ns);

static double cpu(void) {
  uint64_t ns;
  if (clock_time_get(2, 1, &ns)) abort(); /* of the process */
  return (double)ns * 1e-9;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void measure(struct dapr *d, const char *store, const char *name, long batches) {
  double *times = malloc((size_t)batches * sizeof *times), begun = now(), used = cpu(), total;
  if (!times) abort();
  for (long i = 0; i < batches; i++) {
    double t = now();
    for (int k = 0; k < BATCH; k++) {
      bool ok = *name == 's' ? dapr_save(d, store, "weapon", "\"Death Star\"") : dapr_get(d, store, "weapon", NULL) && !strcmp(d->body, "\"Death Star\"");
      if (ok) continue;
      fprintf(stderr, "%s: %s\n", name, dapr_error(d));
      exit(1);
    }
    times[i] = (now() - t) / BATCH;
  }
  total = now() - begun;
  used = cpu() - used;
  qsort(times, (size_t)batches, sizeof *times, by_value);
  printf("%s %.0f /s p50 %.2f us p99 %.2f us cpu %.0f\n", name, (double)(batches * BATCH) / total, times[batches / 2] * 1e6, times[batches * 99 / 100] * 1e6,
         (double)(batches * BATCH) / used);
  free(times);
}

int main(int argc, char **argv) {
  struct dapr d;
  if (argc < 3) return 2;
  dapr_init(&d);
  measure(&d, argv[1], "save", atol(argv[2]) / BATCH);
  measure(&d, argv[1], "get", atol(argv[2]) / BATCH);
  dapr_fini(&d);
  return 0;
}
