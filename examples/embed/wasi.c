/* A WASI program inside of a program: arguments, an environment, no files at all, and its exit code in the end. With a file's name as argument
 * it runs that file.
 *
 *   cc wasi.c -lminivm && ./a.out [program.wasm [arguments]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minivm.h"

/* Writes its first argument to standard output, and ends with code 3. */
static const char text[] =
    "(module"
    "  (import \"wasi_snapshot_preview1\" \"args_get\" (func $args_get (param i32 i32) (result i32)))"
    "  (import \"wasi_snapshot_preview1\" \"fd_write\" (func $fd_write (param i32 i32 i32 i32) (result i32)))"
    "  (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $proc_exit (param i32)))"
    "  (memory (export \"memory\") 1)"
    "  (func $length (param $s i32) (result i32) (local $n i32)"
    "    (loop $next (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if $next (i32.load8_u (i32.add (local.get $s) (local.get $n)))))"
    "    (local.get $n))"
    "  (func (export \"_start\")"
    "    (drop (call $args_get (i32.const 0) (i32.const 1024)))"
    "    (i32.store (i32.const 512) (i32.load (i32.const 4)))"
    "    (i32.store (i32.const 516) (call $length (i32.load (i32.const 4))))"
    "    (drop (call $fd_write (i32.const 1) (i32.const 512) (i32.const 1) (i32.const 520)))"
    "    (call $proc_exit (i32.const 3))))";

static wasm_module_t *load(wasm_engine_t *engine, const char *path, mv_error_t *err) {
  if (!path) {
    uint8_t *binary;
    size_t size;
    if (!mv_wat2wasm(text, strlen(text), mv_features_default(), &binary, &size, err)) return NULL;
    wasm_module_t *module = mv_module_load(engine, binary, size, false, err);
    mv_free(binary);
    return module;
  }
  wasm_module_t *module = NULL;
  FILE *file = fopen(path, "rb");
  long size = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
  char *bytes = size > 0 ? malloc((size_t)size) : NULL;
  if (bytes) {
    rewind(file);
    if (fread(bytes, 1, (size_t)size, file) == (size_t)size) module = mv_module_load(engine, bytes, (size_t)size, false, err);
  } else {
    snprintf(err->message, sizeof err->message, "%s cannot be read", path);
  }
  free(bytes);
  if (file) fclose(file);
  return module;
}

int main(int argc, char **argv) {
  mv_error_t err = {0};
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);
  wasm_module_t *module = load(engine, argc > 1 ? argv[1] : NULL, &err);
  mv_wasi_t *wasi = mv_wasi_new();
  mv_linker_t *linker = mv_linker_new(store);
  int code = 1;

  bool ok = module && wasi && linker;
  if (argc > 1)
    for (int i = 1; i < argc; i++) ok = ok && mv_wasi_arg(wasi, argv[i]);
  else
    ok = ok && mv_wasi_arg(wasi, "program") && mv_wasi_arg(wasi, "written by the guest\n");
  ok = ok && mv_wasi_env(wasi, "LANG", "C") && mv_wasi_define(wasi, linker);

  wasm_instance_t *instance = ok ? mv_linker_instantiate(linker, module, NULL, NULL, &err) : NULL;
  wasm_extern_t *start = instance ? mv_instance_export(instance, "_start") : NULL;
  if (start && wasm_extern_as_func(start)) {
    uint64_t none[1];
    if (mv_func_call(wasm_extern_as_func(start), none, &err)) code = 0;
    else if (err.kind == MV_EXIT) code = err.code; /* not a failure: the program wants to end */
    else fprintf(stderr, "%s: %s\n%s", mv_kind_name(err.kind), err.message, mv_store_backtrace(store));
  } else {
    fprintf(stderr, "it cannot be run: %s\n", err.message);
  }

  wasm_extern_delete(start);
  wasm_instance_delete(instance);
  mv_linker_delete(linker);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  mv_wasi_delete(wasi);
  if (argc > 1) return code;
  printf("it ended with %d\n", code);
  return code == 3 ? 0 : 1;
}
