/* differ.c: runs generated modules in this build's engine, in each of its ways, and prints a line for each seed: the seed, a hash of all that
 * could be seen, and the fuel it took. Ways that differ among themselves are a failure.
 *
 *   differ FROM TO      seeds from FROM up to, not including, TO
 *   differ -v SEED      all that was seen, of the first way
 *   differ -o SEED FILE the module */
#include <minivm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"

static const struct way {
  const char *name;
  mv_options_t options;
} ways[] = {
  {"as it is", {0}},
  {"with fuel", {.fuel = true}},
  {"without superinstructions", {.no_fusion = true}},
  {"without superinstructions, with fuel", {.no_fusion = true, .fuel = true}},
  {"interruptible, all translated at load", {.interruptible = true, .eager = true}},
  {"a collection at every allocation, with fuel", {.gc_stress = true, .fuel = true, .interruptible = true}},
  {"profiled", {.profile = true}},
};
enum { NWAYS = sizeof ways / sizeof *ways };

static bool mix(mv_caller_t *caller, void *env, uint64_t *cells) {
  (void)caller, (void)env;
  cells[0] = generated_mix(cells[0], cells[1]);
  return true;
}

static void call(wasm_instance_t *instance, wasm_global_t *budget, const struct generated *made, uint64_t seed, unsigned i, unsigned n, struct bytes *trace) {
  const char *sig = made->funcs[i].sig, *results = strchr(sig, ':') + 1;
  char name[16];
  uint64_t args[16][2], cells[64] = {0}, *p = cells;
  mv_error_t err;
  snprintf(name, sizeof name, "f%u", made->funcs[i].index);
  wasm_extern_t *e = mv_instance_export(instance, name);
  wasm_global_set(budget, &(wasm_val_t){.kind = WASM_I32, .of = {.i32 = GENERATED_BUDGET}});
  generated_args(seed, i, n, sig, args);
  for (unsigned k = 0; sig[k] != ':'; k++) {
    *p++ = args[k][0];
    if (sig[k] == 'v') *p++ = args[k][1];
  }
  bytes_print(trace, "%s", name);
  if (!e) {
    bytes_print(trace, " no memory\n");
    return;
  }
  if (mv_func_call(wasm_extern_as_func(e), cells, &err)) {
    p = cells;
    for (const char *r = results; *r; r++) {
      trace_value(trace, *r, p);
      p += *r == 'v' ? 2 : 1;
    }
    bytes_print(trace, "\n");
  } else {
    trace_trap(trace, err.kind == MV_EXCEPTION ? "exception" : err.message);
  }
  wasm_extern_delete(e);
}

/* Runs a module; what was seen is in *trace. */
static void run(const struct generated *made, uint64_t seed, const struct way *way, struct bytes *trace, uint64_t *fuel) {
  const uint64_t enough = 1000000000;
  wasm_config_t *config = wasm_config_new();
  mv_config_set(config, &way->options);
  wasm_engine_t *engine = wasm_engine_new_with_config(config);
  wasm_store_t *store = wasm_store_new(engine);
  mv_linker_t *linker = mv_linker_new(store);
  wasm_module_t *module = NULL;
  wasm_instance_t *instance = NULL;
  mv_error_t err = {0};
  char name[16];
  if (mv_linker_func(linker, "env", "mix", "II:I", mix, NULL) && (module = mv_module_load(engine, made->module.data, made->module.size, true, &err))) {
    if (way->options.fuel) mv_store_set_fuel(store, enough);
    instance = mv_linker_instantiate(linker, module, NULL, NULL, &err);
  }
  if (!instance) {
    bytes_print(trace, "cannot run: %s at %llx\n", err.message, (unsigned long long)err.offset);
  } else {
    wasm_extern_t *budget = mv_instance_export(instance, "g0");
    for (unsigned n = 0; n < GENERATED_CALLS; n++)
      for (unsigned i = 0; i < made->nfuncs; i++) call(instance, wasm_extern_as_global(budget), made, seed, i, n, trace);
    wasm_extern_delete(budget);
    for (unsigned i = 0; i < made->nmemories; i++) {
      snprintf(name, sizeof name, "m%u", i);
      wasm_extern_t *e = mv_instance_export(instance, name);
      wasm_memory_t *m = wasm_extern_as_memory(e);
      uint64_t h = hash_bytes(wasm_memory_data(m), wasm_memory_data_size(m));
      bytes_print(trace, "%s %lu %016llx\n", name, (unsigned long)wasm_memory_size(m), (unsigned long long)h);
      wasm_extern_delete(e);
    }
    for (unsigned i = 0; i < made->nglobals; i++) {
      uint64_t cells[2] = {0};
      if (!made->globals[i]) continue;
      snprintf(name, sizeof name, "g%u", i);
      wasm_extern_t *e = mv_instance_export(instance, name);
      char letter = mv_global_cells(wasm_extern_as_global(e), cells);
      bytes_print(trace, "%s", name);
      trace_value(trace, letter, cells);
      bytes_print(trace, "\n");
      wasm_extern_delete(e);
    }
  }
  *fuel = way->options.fuel ? enough - mv_store_fuel(store) : 0;
  if (instance) wasm_instance_delete(instance);
  if (module) wasm_module_delete(module);
  mv_linker_delete(linker);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
}

static bool same(const struct bytes *a, const struct bytes *b) { return a->size == b->size && !memcmp(a->data, b->data, a->size); }

int main(int argc, char **argv) {
  struct generated made;
  int status = 0;
  if (argc == 4 && !strcmp(argv[1], "-o")) {
    generate(strtoull(argv[2], NULL, 10), &made);
    FILE *f = fopen(argv[3], "wb");
    if (!f || fwrite(made.module.data, 1, made.module.size, f) != made.module.size || fclose(f)) return 2;
    generated_free(&made);
    return 0;
  }
  if (argc != 3) return 2;
  bool verbose = !strcmp(argv[1], "-v");
  uint64_t from = strtoull(argv[verbose ? 2 : 1], NULL, 10), to = verbose ? from + 1 : strtoull(argv[2], NULL, 10);
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (uint64_t seed = from; seed < to; seed++) {
    struct bytes first = {0}, trace = {0};
    uint64_t fuel = 0, its_fuel;
    generate(seed, &made);
    for (unsigned i = 0; i < NWAYS; i++) {
      run(&made, seed, &ways[i], i ? &trace : &first, &its_fuel);
      if (its_fuel && !fuel) fuel = its_fuel;
      if (i && (!same(&first, &trace) || (its_fuel && its_fuel != fuel))) {
        printf("FAIL seed %llu: %s: another result%s\n", (unsigned long long)seed, ways[i].name, same(&first, &trace) ? " of fuel" : "");
        if (verbose) printf("%.*s", (int)trace.size, (const char *)trace.data);
        status = 1;
      }
      trace.size = 0;
    }
    if (verbose) printf("%.*s", (int)first.size, (const char *)first.data);
    else printf("%llu %016llx %llu\n", (unsigned long long)seed, (unsigned long long)hash_bytes(first.data, first.size), (unsigned long long)fuel);
    bytes_free(&first);
    bytes_free(&trace);
    generated_free(&made);
  }
  return status;
}
