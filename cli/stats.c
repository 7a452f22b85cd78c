/* stats.c: what `minivm run --stats` and `--profile` print. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "run.h"

static void row(const char *name, uint64_t value) { fprintf(stderr, "  %-24s%llu\n", name, (unsigned long long)value); }

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

void stats_print(const struct run *r) {
  mv_stats_t s;
  struct rusage usage;
  mv_store_stats(r->store, &s);
  getrusage(RUSAGE_SELF, &usage);
  fflush(stdout);
  fputs("minivm: stats:\n", stderr);
  row("instructions", r->fuel - mv_store_fuel(r->store));
  row("host calls", s.calls_host);
  row("functions translated", s.functions_translated);
  row("code bytes", s.code_bytes);
  row("memory bytes", s.memory_bytes);
  if (s.allocated_bytes) {
    row("collections", s.collections);
    row("heap bytes", s.heap_bytes);
    row("heap bytes, peak", s.heap_peak);
    row("heap bytes, allocated", s.allocated_bytes);
    row("longest pause, us", s.gc_pause_max_ns / 1000);
    row("all pauses, us", s.gc_pause_total_ns / 1000);
  }
  row("process peak, KiB", (uint64_t)usage.ru_maxrss);
  fprintf(stderr, "  %-24s%.3f user, %.3f system\n", "CPU seconds", seconds(usage.ru_utime), seconds(usage.ru_stime));
}

/* The table, with source lines as in a backtrace. */
static bool print_table(const struct run *r, const wasm_module_t *module, mv_error_t *err) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  bool ok = out && mv_profile_write(r->store, out, false, err);
  if (out && fclose(out) != 0) ok = false;
  fflush(stdout);
  if (ok) fputs("minivm: profile: ", stderr), backtrace_print(text, r->file, module, stderr);
  free(text);
  return ok;
}

/* Folded stacks into a file. */
static bool write_stacks(const struct run *r, mv_error_t *err) {
  bool ok = mv_profile_write(r->store, r->profile_out, true, err) && fflush(r->profile_out) == 0;
  if (!ok && err->kind == MV_OK) report("unwritable file", "%s: %s", r->profile, strerror(errno));
  return ok;
}

int profile_print(const struct run *r, const wasm_module_t *module, int status) {
  mv_error_t err = {0};
  if (r->profile ? write_stacks(r, &err) : print_table(r, module, &err)) return status;
  if (err.kind != MV_OK || !r->profile) report(mv_kind_name(err.kind != MV_OK ? err.kind : MV_NO_MEMORY), "profile: %s", err.message);
  return EXIT_MODULE;
}
