/* For unit tests of the public interface: engines, modules from text, instances, calls that must succeed or fail. */
#ifndef TESTS_UNIT_EMBED_H
#define TESTS_UNIT_EMBED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "minivm.h"

#define assert_prefix(text, prefix) \
  do { \
    if (strncmp(text, prefix, strlen(prefix)) != 0) fail_msg("\"%s\" does not begin with \"%s\"", text, prefix); \
  } while (0)
#define assert_contains(text, part) \
  do { \
    if (!strstr(text, part)) fail_msg("\"%s\" does not contain \"%s\"", text, part); \
  } while (0)

static inline wasm_engine_t *engine_with(mv_options_t options) {
  wasm_config_t *config = wasm_config_new();
  assert_non_null(config);
  mv_config_set(config, &options);
  wasm_engine_t *e = wasm_engine_new_with_config(config);
  assert_non_null(e);
  return e;
}

static inline void binary_of(const char *wat, wasm_byte_vec_t *out) {
  mv_error_t err = {0};
  uint8_t *bytes;
  size_t size;
  if (!mv_wat2wasm(wat, strlen(wat), mv_features_all(), &bytes, &size, &err)) fail_msg("%s", err.message);
  wasm_byte_vec_new(out, size, (const char *)bytes);
  mv_free(bytes);
}

static inline wasm_module_t *module_of(wasm_store_t *store, const char *wat) {
  wasm_byte_vec_t binary;
  binary_of(wat, &binary);
  wasm_module_t *m = wasm_module_new(store, &binary);
  wasm_byte_vec_delete(&binary);
  if (!m) fail_msg("module refused: %s", wat);
  return m;
}

static inline void trap_print(wasm_trap_t *trap) {
  wasm_message_t message;
  wasm_trap_message(trap, &message);
  fail_msg("trap: %s", message.data);
}

static inline wasm_instance_t *instance_with(wasm_store_t *store, const char *wat, wasm_extern_t **imports, size_t n) {
  wasm_module_t *m = module_of(store, wat);
  wasm_extern_vec_t vec = {n, imports};
  wasm_trap_t *trap = NULL;
  wasm_instance_t *i = wasm_instance_new(store, m, &vec, &trap);
  if (trap) trap_print(trap);
  assert_non_null(i);
  wasm_module_delete(m);
  return i;
}

struct fixture {
  wasm_engine_t *engine;
  wasm_store_t *store;
};

static inline void begin_with(struct fixture *f, mv_options_t options) {
  f->engine = engine_with(options);
  f->store = wasm_store_new(f->engine);
  assert_non_null(f->store);
}
static inline void begin(struct fixture *f) { begin_with(f, (mv_options_t){0}); }
static inline void end(struct fixture *f) {
  wasm_store_delete(f->store);
  wasm_engine_delete(f->engine);
}

static inline wasm_func_t *func_of(wasm_instance_t *i, const char *name) {
  wasm_extern_t *x = mv_instance_export(i, name);
  assert_non_null(x);
  assert_non_null(wasm_extern_as_func(x));
  return wasm_extern_as_func(x);
}

static inline int32_t call_i(wasm_func_t *f, size_t n, const int32_t *args) {
  wasm_val_t a[4], r[1] = {WASM_INIT_VAL};
  for (size_t k = 0; k < n; k++) a[k] = (wasm_val_t)WASM_I32_VAL(args[k]);
  wasm_val_vec_t av = {n, a}, rv = WASM_ARRAY_VEC(r);
  wasm_trap_t *trap = wasm_func_call(f, &av, &rv);
  if (trap) trap_print(trap);
  assert_int_equal(r[0].kind, WASM_I32);
  return r[0].of.i32;
}

static inline void expect_trap(wasm_trap_t *trap, mv_kind_t kind, const char *prefix) {
  assert_non_null(trap);
  wasm_message_t message;
  mv_error_t err;
  wasm_trap_message(trap, &message);
  mv_trap_error(trap, &err);
  assert_int_equal(message.data[message.size - 1], 0);
  assert_prefix(message.data, prefix);
  if (err.kind != kind) fail_msg("%s: a %s", message.data, mv_kind_name(err.kind));
  wasm_byte_vec_delete(&message);
  wasm_trap_delete(trap);
}

#endif
