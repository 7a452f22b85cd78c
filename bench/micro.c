/* Single costs of the engine, measured through its library: instantiation, calls between host and guest, exceptions, bulk memory, growth, and
 * garbage collection with its pauses. `micro [ALLOCATIONS]` prints lines `NAME VALUE`, with the unit at the name's end; bench.py builds and reads it.
 * Times are CPU times, the least of several tries. What is compared with (memset, malloc) runs beside it. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "minivm.h"

static const char text[] =
    "(module"
    "  (import \"host\" \"add\" (func $add (param i32 i32) (result i32)))"
    "  (import \"host\" \"tick\" (func $tick))"
    "  (memory (export \"memory\") 256)"
    "  (tag $e (param i32))"
    "  (type $node (struct (field i32) (field (ref null $node))))"
    "  (global $list (mut (ref null $node)) (ref.null $node))"
    "  (global $last (mut (ref null $node)) (ref.null $node))"
    "  (func (export \"identity\") (param i32) (result i32) local.get 0)"
    "  (func (export \"calls\") (param $n i32) (local $x i32)"
    "    (loop $l (local.set $x (call $add (local.get $x) (local.get $n)))"
    "      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))"
    "  (func $throw (param i32) (throw $e (local.get 0)))"
    "  (func $deep (param $x i32) (param $depth i32)"
    "    (if (local.get $depth) (then (call $deep (local.get $x) (i32.sub (local.get $depth) (i32.const 1)))) (else (call $throw (local.get $x)))))"
    "  (func (export \"throws\") (param $n i32) (param $depth i32)"
    "    (loop $l"
    "      (drop (block $caught (result i32)"
    "        (try_table (catch $e $caught) (call $deep (local.get $n) (local.get $depth)))"
    "        (unreachable)))"
    "      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))"
    "  (func (export \"fill\") (param $n i32) (param $size i32)"
    "    (loop $l (memory.fill (i32.const 0) (local.get $n) (local.get $size))"
    "      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))"
    "  (func (export \"copy\") (param $n i32) (param $size i32)"
    "    (loop $l (memory.copy (i32.const 0) (i32.const 4194304) (local.get $size))"
    "      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))"
    "  (func (export \"grow\") (param $n i32)"
    "    (loop $l (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))"
    "      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))"
    "  (func (export \"keep\") (param $n i32)"
    "    (loop $l (global.set $list (struct.new $node (local.get $n) (global.get $list)))"
    "      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))"
    "  (func (export \"garbage\") (param $n i32)"
    "    (loop $l (global.set $last (struct.new $node (local.get $n) (ref.null $node)))"
    "      (if (i32.eqz (i32.and (local.get $n) (i32.const 1023))) (then (call $tick)))"
    "      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))";

static void fail(const char *what, const mv_error_t *err) {
  fprintf(stderr, "micro: %s: %s\n", what, err ? err->message : "failed");
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double each_ns(double seconds, uint32_t n) { return seconds * 1e9 / (double)n; }

static double least(double a, double b) { return a == 0 || b < a ? b : a; }

/* ---- the module above ---- */

static bool host_add(mv_caller_t *caller, void *env, uint64_t *cells) {
  (void)caller, (void)env;
  cells[0] = (uint32_t)(cells[0] + cells[1]);
  return true;
}

/* The collector's pauses: what was added to their sum since the last look, which is at most 1,024 allocations ago. */
enum { MAX_PAUSES = 1 << 16 };
static struct { double us[MAX_PAUSES]; size_t n; mv_stats_t seen; } pauses;

static bool host_tick(mv_caller_t *caller, void *env, uint64_t *cells) {
  mv_stats_t s;
  (void)env, (void)cells;
  mv_store_stats(mv_caller_store(caller), &s);
  const uint64_t n = s.collections - pauses.seen.collections;
  if (n && pauses.n < MAX_PAUSES) pauses.us[pauses.n++] = (double)(s.gc_pause_total_ns - pauses.seen.gc_pause_total_ns) / (double)n / 1e3;
  pauses.seen = s;
  return true;
}

struct guest {
  wasm_store_t *store;
  mv_linker_t *linker;
  wasm_instance_t *instance;
};

static void guest_init(struct guest *g, wasm_engine_t *engine, const wasm_module_t *module) {
  mv_error_t err;
  g->store = wasm_store_new(engine);
  g->linker = g->store ? mv_linker_new(g->store) : NULL;
  if (!g->linker || !mv_linker_func(g->linker, "host", "add", "ii:i", host_add, NULL) || !mv_linker_func(g->linker, "host", "tick", ":", host_tick, NULL))
    fail("linker", NULL);
  g->instance = mv_linker_instantiate(g->linker, module, NULL, NULL, &err);
  if (!g->instance) fail("instance", &err);
}

static void guest_fini(struct guest *g) {
  wasm_instance_delete(g->instance);
  mv_linker_delete(g->linker);
  wasm_store_delete(g->store);
}

static double call(const struct guest *g, const char *name, uint32_t a, uint32_t b) {
  wasm_extern_t *x = mv_instance_export(g->instance, name);
  uint64_t cells[2] = {a, b};
  mv_error_t err;
  const double start = now();
  if (!x || !mv_func_call(wasm_extern_as_func(x), cells, &err)) fail(name, x ? &err : NULL);
  const double spent = now() - start;
  wasm_extern_delete(x);
  return spent;
}

static double best(const struct guest *g, const char *name, uint32_t a, uint32_t b) {
  double t = 0;
  for (int i = 0; i < 5; i++) t = least(t, call(g, name, a, b));
  return t;
}

static void calls(const struct guest *g) {
  enum { N = 1000000 };
  wasm_extern_t *x = mv_instance_export(g->instance, "identity");
  mv_error_t err;
  double t = 0;
  for (int round = 0; round < 5; round++) {
    const double start = now();
    for (uint64_t i = 0; i < N; i++) {
      uint64_t cell = i;
      if (!mv_func_call(wasm_extern_as_func(x), &cell, &err)) fail("identity", &err);
    }
    t = least(t, now() - start);
  }
  wasm_extern_delete(x);
  printf("call-guest-ns %.2f\n", each_ns(t, N));
  printf("call-host-ns %.2f\n", each_ns(best(g, "calls", N, 0), N));
  printf("throw-ns %.1f\n", each_ns(best(g, "throws", N / 4, 0), N / 4));
  printf("throw-10-frames-ns %.1f\n", each_ns(best(g, "throws", N / 16, 10), N / 16));
}

/* Bulk operations of 1 MiB beside the C library's. */
static void bulk(const struct guest *g) {
  enum { SIZE = 1 << 20, N = 400 };
  unsigned char *memory = calloc(8, SIZE);
  double set = 0, copy = 0;
  if (!memory) fail("memory", NULL);
  void *(*volatile c_set)(void *, int, size_t) = memset; /* so that the compiler leaves the calls alone */
  void *(*volatile c_copy)(void *, const void *, size_t) = memmove;
  memset(memory, 1, 8 * SIZE);
  call(g, "fill", 4, 6 << 20);
  for (int round = 0; round < 5; round++) {
    double start = now();
    for (int i = 0; i < N; i++) c_set(memory, i, SIZE);
    set = least(set, now() - start);
    start = now();
    for (int i = 0; i < N; i++) c_copy(memory, memory + (4 << 20), SIZE);
    copy = least(copy, now() - start);
  }
  free(memory);
  const double fill = best(g, "fill", N, SIZE), move = best(g, "copy", N, SIZE);
  const double gigabytes = (double)(SIZE * N) / 1e9;
  printf("fill-GB/s %.1f\nfill-over-memset %.3f\n", gigabytes / fill, fill / set);
  printf("copy-GB/s %.1f\ncopy-over-memmove %.3f\n", gigabytes / move, move / copy);
}

static int order(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* Objects of 32 bytes that die at once, first in an empty heap, then beside a million that live. */
static void collector(const struct guest *g, uint32_t n) {
  enum { LIVE = 1000000, WINDOW = 4096 };
  static void *volatile window[WINDOW];
  double start = now();
  for (uint32_t i = 0; i < n; i++) {
    free(window[i % WINDOW]);
    window[i % WINDOW] = malloc(32);
  }
  printf("malloc-ns %.2f\n", each_ns(now() - start, n));
  printf("gc-alloc-ns %.2f\n", each_ns(call(g, "garbage", n, 0), n));
  printf("gc-keep-ns %.2f\n", each_ns(call(g, "keep", LIVE, 0), LIVE));
  mv_store_stats(g->store, &pauses.seen);
  pauses.n = 0;
  printf("gc-alloc-beside-1M-ns %.2f\n", each_ns(call(g, "garbage", n, 0), n));
  qsort(pauses.us, pauses.n, sizeof pauses.us[0], order);
  mv_stats_t s;
  mv_store_stats(g->store, &s);
  printf("gc-allocations %u\ngc-collections %llu\ngc-heap-peak-MiB %.1f\n", n, (unsigned long long)s.collections, (double)s.heap_peak / 1048576);
  if (pauses.n) printf("gc-pause-p50-us %.0f\ngc-pause-max-us %.0f\n", pauses.us[pauses.n / 2], pauses.us[pauses.n - 1]);
}

/* ---- instantiation ---- */

static size_t leb(uint8_t *p, size_t v) { /* always five bytes */
  for (int i = 0; i < 5; i++) p[i] = (uint8_t)(v >> 7 * i & 127) | (i < 4 ? 128 : 0);
  return 5;
}

/* A module of one exported memory and one data segment that fills it. */
static uint8_t *data_module(size_t mib, size_t *size) {
  static const uint8_t head[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 5, 7, 1, 0}, export[] = {7, 10, 1, 6, 'm', 'e', 'm', 'o', 'r', 'y', 2, 0};
  const size_t bytes = mib << 20;
  uint8_t *module = malloc(bytes + 64), *p = module;
  if (!module) fail("memory", NULL);
  memcpy(p, head, sizeof head), p += sizeof head;
  p += leb(p, mib * 16);
  memcpy(p, export, sizeof export), p += sizeof export;
  *p++ = 11, p += leb(p, bytes + 10), *p++ = 1;
  memcpy(p, "\0\x41\0\x0b", 4), p += 4, p += leb(p, bytes);
  memset(p, 'x', bytes), p += bytes;
  *size = (size_t)(p - module);
  return module;
}

/* This process's memory, each page divided among those who share it; 0 where the system does not tell. */
static double proportional_kib(void) {
  FILE *f = fopen("/proc/self/smaps_rollup", "r");
  char line[128];
  long n = 0;
  while (f && fgets(line, sizeof line, f))
    if (!strncmp(line, "Pss:", 4)) n = atol(line + 4);
  if (f) fclose(f);
  return (double)n;
}

/* Instances that each read all of their memory and write one page of it. */
static void shared_pages(wasm_engine_t *engine, const wasm_module_t *module) {
  enum { MOST = 1000, PAGE = 4096 };
  static const double most_kib = 512 * 1024;
  wasm_store_t *store = wasm_store_new(engine);
  mv_linker_t *linker = mv_linker_new(store);
  const double before = proportional_kib();
  double now_kib = before;
  mv_error_t err;
  int made = 0;
  while (before > 0 && made < MOST && now_kib - before < most_kib) {
    wasm_instance_t *instance = mv_linker_instantiate(linker, module, NULL, NULL, &err); /* the store owns it */
    if (!instance) break;
    wasm_extern_t *memory = mv_instance_export(instance, "memory");
    volatile char *data = wasm_memory_data(wasm_extern_as_memory(memory));
    for (size_t at = 0, size = wasm_memory_data_size(wasm_extern_as_memory(memory)); at < size; at += PAGE) (void)data[at];
    data[0] = 'y';
    wasm_extern_delete(memory);
    if (++made % 100 == 0 || made == 1) now_kib = proportional_kib();
  }
  if (made) printf("instances %d\ninstance-touched-KiB %.1f\n", made, (proportional_kib() - before) / made);
  mv_linker_delete(linker);
  wasm_store_delete(store);
}

static void instantiation(wasm_engine_t *engine, size_t mib) {
  enum { N = 300 };
  static double us[N];
  size_t size;
  mv_error_t err;
  uint8_t *bytes = data_module(mib, &size);
  wasm_module_t *module = mv_module_load(engine, bytes, size, true, &err);
  if (!module) fail("module", &err);
  int n = 0;
  double sum = 0;
  for (int i = 0; i <= N && (i < 10 || sum < 5e5); i++) { /* the first makes the image */
    wasm_store_t *store = wasm_store_new(engine);
    mv_linker_t *linker = mv_linker_new(store);
    const double start = now();
    wasm_instance_t *instance = mv_linker_instantiate(linker, module, NULL, NULL, &err);
    const double spent = (now() - start) * 1e6;
    if (i) sum += us[n++] = spent;
    else printf("instantiate-%zuMB-first-us %.0f\n", mib, spent);
    if (!instance) fail("instance", &err);
    wasm_extern_t *memory = mv_instance_export(instance, "memory");
    if (wasm_memory_data(wasm_extern_as_memory(memory))[(mib << 20) - 1] != 'x') fail("the image is wrong", NULL);
    wasm_extern_delete(memory);
    wasm_instance_delete(instance);
    mv_linker_delete(linker);
    wasm_store_delete(store);
  }
  qsort(us, (size_t)n, sizeof us[0], order);
  printf("instantiate-%zuMB-us %.1f\ninstantiate-%zuMB-median-us %.1f\n", mib, us[0], mib, us[n / 2]);
  if (mib == 10) shared_pages(engine, module);
  wasm_module_delete(module);
  free(bytes);
}

int main(int argc, char **argv) {
  const uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 10000000;
  mv_error_t err;
  uint8_t *bytes = NULL;
  size_t size = 0;
  wasm_engine_t *engine = wasm_engine_new();
  if (!engine || !mv_wat2wasm(text, strlen(text), mv_features_default(), &bytes, &size, &err)) fail("text", engine ? &err : NULL);
  wasm_module_t *module = mv_module_load(engine, bytes, size, true, &err);
  if (!module) fail("module", &err);

  struct guest g;
  guest_init(&g, engine, module);
  calls(&g);
  bulk(&g);
  collector(&g, n);
  guest_fini(&g);

  double grow = 0;
  for (int i = 0; i < 5; i++) {
    guest_init(&g, engine, module);
    grow = least(grow, call(&g, "grow", 1000, 0));
    guest_fini(&g);
  }
  printf("grow-page-us %.2f\n", grow / 1000 * 1e6);
  wasm_module_delete(module);
  mv_free(bytes);

  instantiation(engine, 1);
  instantiation(engine, 10);
  instantiation(engine, 100);
  wasm_engine_delete(engine);
  return 0;
}
