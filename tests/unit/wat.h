/* For unit tests: modules from text, and stores without the API around them. */
#ifndef TESTS_UNIT_WAT_H
#define TESTS_UNIT_WAT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "code/code.h"
#include "exec/exec.h"
#include "run/gc.h"

/* The message of a failure, for a test that did not expect one. */
#define MUST(what, err) \
  do { \
    if (!(what)) fail_msg("%s: %s: %s", #what, mv_kind_name((err)->kind), (err)->message); \
  } while (0)

#define assert_prefix(text, prefix) \
  do { \
    if (strncmp(text, prefix, strlen(prefix)) != 0) fail_msg("\"%s\" does not begin with \"%s\"", text, prefix); \
  } while (0)

static inline struct module *module_of(struct types *types, const mv_options_t *options, const char *wat) {
  mv_error_t err = {0};
  uint8_t *bytes;
  size_t size;
  struct module *m;
  mv_features_t features = options->features ? options->features : mv_features_default();
  MUST(mv_wat2wasm(wat, strlen(wat), features, &bytes, &size, &err), &err);
  MUST(module_decode(types, features, bytes, size, false, &m, &err), &err);
  mv_free(bytes);
  MUST(module_validate(m, &err), &err);
  MUST(code_init(m, options, &err), &err);
  return m;
}

static inline void module_drop(struct module *m) {
  code_fini(m);
  module_delete(m);
}

static inline struct store *store_open(struct types *types, const mv_options_t *options) {
  mv_error_t err = {0};
  struct store *s;
  MUST(store_new(types, options, &s, &err), &err);
  MUST(exec_new(s, &err), &err);
  return s;
}

static inline void store_close(struct store *s) {
  exec_delete(s);
  store_delete(s);
}

static inline struct extern_ref export_of(struct instance *inst, const char *name) {
  struct extern_ref x;
  if (!instance_export(inst, name, strlen(name), &x)) fail_msg("no export %s", name);
  return x;
}

#endif
