/* A plug-in that is not trusted: it gets little memory, a limited number of instructions, and one function of the host, which reads a string in the
 * guest's memory. The module is written as text, which minivm reads as well.
 *
 *   cc plugin.c -lminivm && ./a.out */
#include <stdio.h>
#include <string.h>

#include "minivm.h"

static const char text[] =
    "(module"
    "  (import \"host\" \"log\" (func $log (param i32 i32)))"
    "  (memory (export \"memory\") 1)"
    "  (data (i32.const 16) \"hello from the plug-in\")"
    "  (func (export \"greet\") (call $log (i32.const 16) (i32.const 22)))"
    "  (func (export \"lie\") (call $log (i32.const 65530) (i32.const 100)))"
    "  (func (export \"spin\") (loop $l (br $l)))"
    "  (func (export \"greedy\") (result i32) (memory.grow (i32.const 100))))";

/* Arguments and results are cells of 64 bits. What the guest passes is checked before it is used. */
static bool host_log(mv_caller_t *caller, void *env, uint64_t *cells) {
  uint64_t at = cells[0], length = cells[1], size;
  uint8_t *memory;
  if (!mv_caller_memory(caller, &memory, &size) || length > size || at > size - length)
    return mv_throw_trap(caller, "log: the string at %llu is outside of the memory", (unsigned long long)at);
  fprintf(env, "plug-in: %.*s\n", (int)length, (const char *)memory + at);
  return true;
}

static void call(wasm_store_t *store, wasm_instance_t *instance, const char *name) {
  wasm_extern_t *x = mv_instance_export(instance, name);
  uint64_t cells[1] = {0};
  mv_error_t err;
  mv_store_set_fuel(store, 100000);
  if (mv_func_call(wasm_extern_as_func(x), cells, &err)) printf("%s: %d\n", name, (int)(int32_t)cells[0]);
  else printf("%s: %s: %s\n", name, mv_kind_name(err.kind), err.message);
  wasm_extern_delete(x);
}

int main(void) {
  mv_error_t err = {0};
  mv_options_t options = {.max_memory = 4 * 65536, .max_stack = 64 * 1024, .fuel = true};
  wasm_config_t *config = wasm_config_new();
  mv_config_set(config, &options);
  wasm_engine_t *engine = wasm_engine_new_with_config(config);
  wasm_store_t *store = wasm_store_new(engine);

  uint8_t *binary = NULL;
  size_t size;
  wasm_module_t *module = NULL;
  if (mv_wat2wasm(text, strlen(text), mv_features_default(), &binary, &size, &err)) module = mv_module_load(engine, binary, size, false, &err);
  mv_free(binary);

  mv_linker_t *linker = mv_linker_new(store);
  wasm_instance_t *instance = NULL;
  if (module && mv_linker_func(linker, "host", "log", "ii:", host_log, stdout)) instance = mv_linker_instantiate(linker, module, NULL, NULL, &err);
  if (instance) {
    call(store, instance, "greet");
    call(store, instance, "lie");
    call(store, instance, "spin");
    call(store, instance, "greedy");
  } else {
    fprintf(stderr, "%s: %s\n", mv_kind_name(err.kind), err.message);
  }
  bool ok = instance != NULL;
  wasm_instance_delete(instance);
  mv_linker_delete(linker);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return ok ? 0 : 1;
}
