/* The smallest embedding, with the standard API alone: a host function, a module that calls it, and a call into the module.
 *
 *   cc hello.c -lminivm && ./a.out */
#include <stdio.h>

#include "wasm.h"

/* (module (import "host" "say" (func $say (param i32) (result i32)))
 *         (func (export "run") (param i32) (result i32) (i32.add (call $say (local.get 0)) (i32.const 1)))) */
static const unsigned char module_bytes[] = {
    0x00, 'a',  's',  'm',  0x01, 0x00, 0x00, 0x00,                                     /* magic, version */
    0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01, 0x7f,                                     /* type 0: i32 -> i32 */
    0x02, 0x0c, 0x01, 0x04, 'h',  'o',  's',  't',  0x03, 's', 'a', 'y', 0x00, 0x00,    /* import */
    0x03, 0x02, 0x01, 0x00,                                                             /* function 1 has type 0 */
    0x07, 0x07, 0x01, 0x03, 'r',  'u',  'n',  0x00, 0x01,                               /* export */
    0x0a, 0x0b, 0x01, 0x09, 0x00, 0x20, 0x00, 0x10, 0x00, 0x41, 0x01, 0x6a, 0x0b,       /* its body */
};

static wasm_trap_t *say(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  printf("the guest says %d\n", args->data[0].of.i32);
  results->data[0] = (wasm_val_t)WASM_I32_VAL(args->data[0].of.i32 * 2);
  return NULL; /* no trap */
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);

  wasm_byte_vec_t binary;
  wasm_byte_vec_new(&binary, sizeof module_bytes, (const char *)module_bytes);
  wasm_module_t *module = wasm_module_new(store, &binary);
  wasm_byte_vec_delete(&binary);
  if (!module) {
    fprintf(stderr, "the module is not valid\n");
    return 1;
  }

  wasm_functype_t *type = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  wasm_func_t *host = wasm_func_new(store, type, say);
  wasm_functype_delete(type);

  wasm_extern_t *imports[] = {wasm_func_as_extern(host)}; /* in the order of the module's imports */
  wasm_extern_vec_t import_vec = WASM_ARRAY_VEC(imports), exports;
  wasm_instance_t *instance = wasm_instance_new(store, module, &import_vec, NULL);
  if (!instance) {
    fprintf(stderr, "the module cannot be instantiated\n");
    return 1;
  }
  wasm_instance_exports(instance, &exports);

  wasm_val_t arg = WASM_I32_VAL(21), result = WASM_INIT_VAL;
  wasm_val_vec_t args = {1, &arg}, results = {1, &result};
  wasm_trap_t *trap = wasm_func_call(wasm_extern_as_func(exports.data[0]), &args, &results);
  if (!trap) printf("run(21) = %d\n", result.of.i32);

  wasm_trap_delete(trap);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_func_delete(host);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return trap != NULL;
}
