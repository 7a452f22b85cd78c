/* bounds.c: the garbage collector within bounds: time in proportion to what is allocated, whatever dies young costs no space, lists and nests of any
 * depth are marked without host recursion, and a full heap is a trap after which all goes on.
 *
 *   bounds bounds.wat [DIVISOR] */
#include <minivm.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned passed, failed;
static wasm_store_t *store;
static wasm_instance_t *instance;

static void judge(bool ok, const char *what, const char *detail) {
  printf("%s bounds: %s%s%s\n", ok ? "ok" : "FAIL", what, *detail ? ": " : "", detail);
  if (ok) passed++;
  else failed++;
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The result, or -1 with *err. */
static int64_t call(const char *name, uint32_t n, mv_error_t *err) {
  uint64_t cells[2] = {n};
  wasm_extern_t *e = mv_instance_export(instance, name);
  *err = (mv_error_t){0};
  bool ok = mv_func_call(wasm_extern_as_func(e), cells, err);
  wasm_extern_delete(e);
  return ok ? (int64_t)(uint32_t)cells[0] : -1;
}

static void *test(void *argument) {
  const uint32_t d = *(const uint32_t *)argument;
  const uint32_t n = 100000000 / d, length = 10000000 / d;
  char detail[400];
  mv_error_t err;
  mv_stats_t stats;

  /* Both take equally long, so what else the machine does meets them alike; and a few rounds. */
  double ten = 0, one = 1;
  for (int round = 0; round < 5 && one > 1.1 * ten + 0.05; round++) {
    double start = seconds();
    for (int k = 0; k < 10; k++)
      if (call("churn", n / 10, &err) < 0) judge(false, "short-lived structs", err.message);
    ten = seconds() - start;
    start = seconds();
    if (call("churn", n, &err) < 0) judge(false, "short-lived structs", err.message);
    one = seconds() - start;
  }
  mv_store_stats(store, &stats);
  snprintf(detail, sizeof detail, "%u: %.0f ms, in ten runs: %.0f ms; %llu collections, peak %llu KiB", n, one * 1e3, ten * 1e3,
           (unsigned long long)stats.collections, (unsigned long long)stats.heap_peak >> 10);
  judge(one <= 1.1 * ten + 0.05, "short-lived structs in one run take as long as in ten runs", detail);
  judge(stats.heap_peak <= 64 << 20, "they stay within 64 MiB", detail);

  /* A list of `length` in a heap that has room for it, marked again and again. */
  if (call("grow", length, &err) < 0) judge(false, "a long list", err.message);
  else {
    int64_t got = call("churn", 2000000 / d, &err);
    judge(got >= 0 && call("length", 0, &err) == length, "a long list survives collections", err.message);
  }
  (void)call("forget", 0, &err);
  if (call("nest", length / 4, &err) < 0) judge(false, "a deep nest", err.message);
  else judge(call("churn", 2000000 / d, &err) >= 0, "a deep nest survives collections", err.message);
  (void)call("forget", 0, &err);

  bool refused = call("grow", 100000000, &err) < 0; /* more than any heap here */
  judge(refused && err.kind != MV_OK && err.message[0] && *mv_store_backtrace(store), "a full heap is a clean failure with a backtrace", refused ? err.message : "it fits");
  refused = call("wide", 0xffffffff, &err) < 0;
  judge(refused && err.message[0], "an array larger than the heap is a clean failure", refused ? err.message : "it fits");
  (void)call("forget", 0, &err);
  judge(call("grow", 1000, &err) == 0 && call("length", 0, &err) == 1000, "then all goes on", err.message);
  return NULL;
}

int main(int argc, char **argv) {
  uint32_t d = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
  char text[8192];
  uint8_t *binary;
  size_t size;
  mv_error_t err;
  FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;
  if (!f || !d) return 2;
  size = fread(text, 1, sizeof text, f);
  fclose(f);
  if (!mv_wat2wasm(text, size, mv_features_default(), &binary, &size, &err)) {
    printf("FAIL bounds: %s\n", err.message);
    return 1;
  }
  /* the long list alone needs more than 64 MiB, so that heap is for the short-lived ones: their peak is judged */
  mv_options_t options = {.max_heap = d == 1 ? (uint64_t)512 << 20 : 64 << 20};
  wasm_config_t *config = wasm_config_new();
  mv_config_set(config, &options);
  wasm_engine_t *engine = wasm_engine_new_with_config(config);
  store = wasm_store_new(engine);
  mv_linker_t *linker = mv_linker_new(store);
  wasm_module_t *module = mv_module_load(engine, binary, size, true, &err);
  if (module) instance = mv_linker_instantiate(linker, module, NULL, NULL, &err);
  if (!instance) {
    printf("FAIL bounds: %s\n", err.message);
    return 1;
  }
  /* A host stack of 256 KiB: what recursed per object would not get far. */
  pthread_attr_t attr;
  pthread_t thread;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 256 << 10);
  if (pthread_create(&thread, &attr, test, &d)) return 2;
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attr);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  mv_linker_delete(linker);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  mv_free(binary);
  printf("%u passed, %u failed\n", passed, failed);
  return failed != 0;
}
