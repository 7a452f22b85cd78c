/* peer.c: what differ.c and verdict.c do, in wasmtime, through its C interface. Its Python package carries the shared library but no headers, so
 * the few declarations that are needed are here, for the version that bench/install-peers asks for.
 *
 *   peer FROM TO | -v SEED       as differ; without fuel
 *   peer validate FILE...        a line for each: its name, valid or invalid, and why */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "mutate.h"

struct text { size_t size; char *data; };
struct types { size_t size; void **data; };
typedef struct { uint64_t store; void *index; } wasmtime_func;
typedef struct { union { struct { uint64_t store; uint32_t a; }; } head; uint32_t b; } wasmtime_memory;
typedef struct { uint64_t store; uint32_t a, b, c; } wasmtime_global;
typedef struct { uint64_t store; size_t index; } wasmtime_instance;
typedef struct { uint8_t kind; union { wasmtime_func func; wasmtime_global global; wasmtime_memory memory; uint64_t words[4]; } of; } wasmtime_extern;
typedef struct { uint8_t kind; union { int32_t i32; int64_t i64; uint8_t bytes[16]; uint64_t words[3]; } of; } wasmtime_val;

struct config; struct engine; struct store; struct context; struct linker; struct module; struct error; struct trap; struct caller;

struct config *wasm_config_new(void);
struct engine *wasm_engine_new_with_config(struct config *);
void wasmtime_config_wasm_exceptions_set(struct config *, bool);
void wasmtime_config_wasm_function_references_set(struct config *, bool);
void wasmtime_config_wasm_gc_set(struct config *, bool);
void wasmtime_config_wasm_memory64_set(struct config *, bool);
void wasmtime_config_wasm_multi_memory_set(struct config *, bool);
void wasmtime_config_wasm_tail_call_set(struct config *, bool);
void wasmtime_config_wasm_threads_set(struct config *, bool);
void wasmtime_config_wasm_wide_arithmetic_set(struct config *, bool);
void wasmtime_config_async_stack_size_set(struct config *, size_t);
void wasmtime_config_max_wasm_stack_set(struct config *, size_t);
void wasmtime_config_cranelift_opt_level_set(struct config *, uint8_t);
void wasmtime_config_parallel_compilation_set(struct config *, bool);
struct store *wasmtime_store_new(struct engine *, void *, void (*)(void *));
void wasmtime_store_delete(struct store *);
struct context *wasmtime_store_context(struct store *);
struct linker *wasmtime_linker_new(struct engine *);
void wasmtime_linker_delete(struct linker *);
void *wasm_valtype_new(uint8_t);
void *wasm_functype_new(struct types *, struct types *);
void wasm_functype_delete(void *);
struct error *wasmtime_linker_define_func(struct linker *, const char *, size_t, const char *, size_t, const void *, struct trap *(*)(void *, struct caller *, const wasmtime_val *, size_t, wasmtime_val *, size_t), void *, void (*)(void *));
struct error *wasmtime_linker_instantiate(struct linker *, struct context *, const struct module *, wasmtime_instance *, struct trap **);
bool wasmtime_instance_export_get(struct context *, const wasmtime_instance *, const char *, size_t, wasmtime_extern *);
struct error *wasmtime_module_new(struct engine *, const uint8_t *, size_t, struct module **);
struct error *wasmtime_module_validate(struct engine *, const uint8_t *, size_t);
void wasmtime_module_delete(struct module *);
struct error *wasmtime_func_call(struct context *, const wasmtime_func *, const wasmtime_val *, size_t, wasmtime_val *, size_t, struct trap **);
void wasmtime_global_get(struct context *, const wasmtime_global *, wasmtime_val *);
struct error *wasmtime_global_set(struct context *, const wasmtime_global *, const wasmtime_val *);
uint8_t *wasmtime_memory_data(struct context *, const wasmtime_memory *);
size_t wasmtime_memory_data_size(struct context *, const wasmtime_memory *);
void wasmtime_error_message(const struct error *, struct text *);
void wasmtime_error_delete(struct error *);
void wasm_trap_message(const struct trap *, struct text *);
void wasm_trap_delete(struct trap *);

static struct engine *new_engine(void) {
  struct config *c = wasm_config_new();
  wasmtime_config_wasm_function_references_set(c, true);
  wasmtime_config_wasm_gc_set(c, true);
  wasmtime_config_wasm_exceptions_set(c, true);
  wasmtime_config_wasm_memory64_set(c, true);
  wasmtime_config_wasm_multi_memory_set(c, true);
  wasmtime_config_wasm_tail_call_set(c, true);
  wasmtime_config_wasm_threads_set(c, false);
  wasmtime_config_wasm_wide_arithmetic_set(c, false);
  wasmtime_config_async_stack_size_set(c, 8 << 20);
  wasmtime_config_max_wasm_stack_set(c, 4 << 20);
  wasmtime_config_cranelift_opt_level_set(c, 0);
  wasmtime_config_parallel_compilation_set(c, false);
  return wasm_engine_new_with_config(c);
}

/* The words of an error, which it takes. */
static const char *error_words(struct error *e, char *words, size_t cap) {
  struct text text = {0};
  wasmtime_error_message(e, &text);
  snprintf(words, cap, "%.*s", (int)text.size, text.data);
  wasmtime_error_delete(e);
  free(text.data);
  for (char *p = words; *p; p++)
    if (*p == '\n') *p = ' ';
  return words;
}

static struct trap *mix(void *env, struct caller *caller, const wasmtime_val *args, size_t nargs, wasmtime_val *results, size_t nresults) {
  (void)env, (void)caller, (void)nargs, (void)nresults;
  results[0].kind = 1;
  results[0].of.i64 = (int64_t)generated_mix((uint64_t)args[0].of.i64, (uint64_t)args[1].of.i64);
  return NULL;
}

static wasmtime_val value_of(char letter, const uint64_t v[2]) {
  wasmtime_val r = {.kind = (uint8_t)(strchr("iIfFv", letter) - "iIfFv")};
  memcpy(r.of.bytes, v, 16);
  return r;
}

static void put_value(struct bytes *trace, char letter, const wasmtime_val *v) {
  uint64_t words[2];
  memcpy(words, v->of.bytes, 16);
  trace_value(trace, letter, words);
}

static void run(struct engine *engine, const struct generated *made, uint64_t seed, struct bytes *trace) {
  struct store *store = wasmtime_store_new(engine, NULL, NULL);
  struct context *context = wasmtime_store_context(store);
  struct linker *linker = wasmtime_linker_new(engine);
  struct module *module = NULL;
  struct error *error;
  struct trap *trap = NULL;
  wasmtime_instance instance;
  wasmtime_extern e;
  char name[16], words[60000];
  struct types params = {2, malloc(2 * sizeof(void *))}, results = {1, malloc(sizeof(void *))};
  params.data[0] = wasm_valtype_new(1), params.data[1] = wasm_valtype_new(1), results.data[0] = wasm_valtype_new(1);
  void *type = wasm_functype_new(&params, &results);
  error = wasmtime_linker_define_func(linker, "env", 3, "mix", 3, type, mix, NULL, NULL);
  wasm_functype_delete(type);
  if (!error) error = wasmtime_module_new(engine, made->module.data, made->module.size, &module);
  if (!error) error = wasmtime_linker_instantiate(linker, context, module, &instance, &trap);
  if (error) {
    bytes_print(trace, "cannot run: %s\n", error_words(error, words, sizeof words));
    goto end;
  }
  for (unsigned n = 0; n < GENERATED_CALLS; n++) {
    for (unsigned i = 0; i < made->nfuncs; i++) {
      const char *sig = made->funcs[i].sig, *r = strchr(sig, ':') + 1;
      uint64_t args[16][2];
      wasmtime_val in[16], out[16];
      size_t nin = (size_t)(r - 1 - sig);
      wasmtime_instance_export_get(context, &instance, "g0", 2, &e);
      error = wasmtime_global_set(context, &e.of.global, &(wasmtime_val){.kind = 0, .of = {.i32 = GENERATED_BUDGET}});
      if (error) error_words(error, words, sizeof words);
      snprintf(name, sizeof name, "f%u", made->funcs[i].index);
      wasmtime_instance_export_get(context, &instance, name, strlen(name), &e);
      generated_args(seed, i, n, sig, args);
      for (size_t k = 0; k < nin; k++) in[k] = value_of(sig[k], args[k]);
      bytes_print(trace, "%s", name);
      trap = NULL;
      error = wasmtime_func_call(context, &e.of.func, in, nin, out, strlen(r), &trap);
      if (trap) {
        struct text text = {0};
        wasm_trap_message(trap, &text);
        snprintf(words, sizeof words, "%.*s", (int)text.size, text.data);
        /* the backtrace before the reason may hold any words */
        const char *reason = strstr(words, "wasm trap: ");
        trace_trap(trace, reason ? reason + 11 : strstr(words, "exception") ? "exception" : words);
        free(text.data);
        wasm_trap_delete(trap);
      } else if (error) {
        error_words(error, words, sizeof words);
        const char *reason = strstr(words, "wasm trap: ");
        trace_trap(trace, reason ? reason + 11 : strstr(words, "xception") ? "exception" : words);
      } else {
        for (size_t k = 0; r[k]; k++) put_value(trace, r[k], &out[k]);
        bytes_print(trace, "\n");
      }
    }
  }
  for (unsigned i = 0; i < made->nmemories; i++) {
    snprintf(name, sizeof name, "m%u", i);
    wasmtime_instance_export_get(context, &instance, name, strlen(name), &e);
    size_t size = wasmtime_memory_data_size(context, &e.of.memory);
    uint64_t h = hash_bytes(wasmtime_memory_data(context, &e.of.memory), size);
    bytes_print(trace, "%s %lu %016llx\n", name, (unsigned long)(size / 65536), (unsigned long long)h);
  }
  for (unsigned i = 0; i < made->nglobals; i++) {
    wasmtime_val v;
    if (!made->globals[i]) continue;
    snprintf(name, sizeof name, "g%u", i);
    wasmtime_instance_export_get(context, &instance, name, strlen(name), &e);
    wasmtime_global_get(context, &e.of.global, &v);
    bytes_print(trace, "%s", name);
    put_value(trace, made->globals[i], &v);
    bytes_print(trace, "\n");
  }
end:
  if (module) wasmtime_module_delete(module);
  wasmtime_linker_delete(linker);
  wasmtime_store_delete(store);
}

static int validate(struct engine *engine, uint64_t from, uint64_t to, char **files, size_t nfiles) {
  struct corpus corpus;
  char words[60000];
  if (!corpus_read(&corpus, files, nfiles)) return 2;
  for (uint64_t seed = from; seed < to; seed++) {
    struct bytes b = {0};
    const char *name = mutate(&corpus, seed, &b);
    struct error *error = wasmtime_module_validate(engine, b.data, b.size);
    if (error) printf("%llu %s invalid ; %s\n", (unsigned long long)seed, name, error_words(error, words, sizeof words));
    else printf("%llu %s valid\n", (unsigned long long)seed, name);
    bytes_free(&b);
  }
  corpus_free(&corpus);
  return 0;
}

int main(int argc, char **argv) {
  struct generated made;
  if (argc > 4 && !strcmp(argv[1], "validate"))
    return validate(new_engine(), strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10), argv + 4, (size_t)argc - 4);
  if (argc != 3) return 2;
  bool verbose = !strcmp(argv[1], "-v");
  uint64_t from = strtoull(argv[verbose ? 2 : 1], NULL, 10), to = verbose ? from + 1 : strtoull(argv[2], NULL, 10);
  setvbuf(stdout, NULL, _IOLBF, 0);
  struct engine *engine = new_engine();
  for (uint64_t seed = from; seed < to; seed++) {
    struct bytes trace = {0};
    generate(seed, &made);
    run(engine, &made, seed, &trace);
    if (verbose) printf("%.*s", (int)trace.size, (const char *)trace.data);
    else printf("%llu %016llx\n", (unsigned long long)seed, (unsigned long long)hash_bytes(trace.data, trace.size));
    bytes_free(&trace);
    generated_free(&made);
  }
  return 0;
}
