/* Precompiled modules: they do what the module does that they were made from, in any engine of this build, and what is not one, or not whole, or
 * another's is refused. */
#define _GNU_SOURCE /* memmem */
#include "embed.h"

#include <sys/mman.h>

static const char text[] =
    "(module (type $pair (struct (field i32) (field (mut i64)))) (type $list (array (mut i8))) (type $i (func (param i32) (result i32)))"
    "  (type $unlike (func (param i64 f64) (result f64)))"
    "  (import \"h\" \"host\" (func $host (param i32) (result i32)))"
    "  (memory (export \"m\") 2) (data (i32.const 1000) \"some data\") (data $p \"passive\")"
    "  (table 4 funcref) (elem (i32.const 0) $double $square $host $odd) (tag $t (param i32)) (elem declare func $odd)"
    "  (func $double (type $i) (i32.shl (local.get 0) (i32.const 1)))"
    "  (func $square (type $i) (i32.mul (local.get 0) (local.get 0)))"
    "  (func $odd (type $unlike) (local.get 1))"
    "  (func $fib (export \"fib\") (type $i) (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))"
    "    (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))"
    "  (func (export \"indirect\") (type $i) (call_indirect (type $i) (i32.const 7) (local.get 0)))"
    "  (func (export \"table\") (type $i) (block (block (block (br_table 0 1 2 (local.get 0))) (return (i32.const 10))) (return (i32.const 20))) (i32.const 30))"
    "  (func (export \"thrown\") (type $i) (block $h (result i32) (try_table (catch $t $h) (throw $t (local.get 0))) (i32.const -1)))"
    "  (func (export \"object\") (type $i) (local $p (ref $pair)) (local.set $p (struct.new $pair (local.get 0) (i64.const 5)))"
    "    (struct.set $pair 1 (local.get $p) (i64.const 9)) (i32.add (struct.get $pair 0 (ref.cast (ref $pair) (local.get $p)))"
    "      (i32.add (i32.wrap_i64 (struct.get $pair 1 (local.get $p))) (array.len (array.new_data $list $p (i32.const 0) (i32.const 7))))))"
    "  (func (export \"test\") (type $i) (ref.test (ref $list) (array.new_default $list (local.get 0))))"
    "  (func (export \"reference\") (type $i) (call_ref $unlike (i64.const 1) (f64.const 2) (ref.func $odd)) (i32.trunc_f64_s))"
    "  (func (export \"vector\") (type $i) (i32x4.extract_lane 1 (i32x4.add (i32x4.splat (local.get 0)) (v128.const i32x4 1 2 3 4))))"
    "  (func (export \"load\") (type $i) (i32.load8_u (local.get 0)))"
    "  (func $named (export \"trap\") (type $i) (i32.div_u (local.get 0) (i32.const 0))))";

static bool host(mv_caller_t *c, void *env, uint64_t *cells) {
  (void)c, (void)env;
  cells[0] += 1000;
  return true;
}

struct bytes {
  char *data;
  size_t size;
};

static struct bytes serialize(const wasm_module_t *module) {
  struct bytes b = {0};
  mv_error_t err;
  FILE *out = open_memstream(&b.data, &b.size);
  assert_non_null(out);
  if (!mv_module_serialize(module, out, &err)) fail_msg("%s", err.message);
  assert_int_equal(fclose(out), 0);
  return b;
}

/* A text module as another engine of these options precompiles it. */
static struct bytes compile(const char *wat, mv_options_t options) {
  struct fixture f;
  begin_with(&f, options);
  wasm_module_t *module = module_of(f.store, wat);
  struct bytes b = serialize(module);
  wasm_module_delete(module);
  end(&f);
  return b;
}

static wasm_module_t *deserialize(struct fixture *f, struct bytes b) {
  mv_error_t err;
  wasm_module_t *module = mv_module_deserialize(f->engine, b.data, b.size, -1, &err);
  if (!module) fail_msg("%s", err.message);
  return module;
}

static int32_t call(const wasm_instance_t *i, const char *name, int32_t arg) {
  wasm_func_t *f = func_of((wasm_instance_t *)(uintptr_t)i, name);
  int32_t result = call_i(f, 1, &arg);
  wasm_func_delete(f);
  return result;
}

/* All that the module can do. */
static void check(struct fixture *f, const wasm_module_t *module) {
  static const struct { const char *name; int32_t arg, result; } calls[] = {
      {"fib", 15, 610},     {"indirect", 0, 14},   {"indirect", 1, 49}, {"indirect", 2, 1007}, {"table", 0, 10}, {"table", 1, 20},    {"table", 7, 30},
      {"thrown", 5, 5},     {"object", 3, 19},     {"test", 4, 1},      {"reference", 0, 2},   {"vector", 6, 8}, {"load", 1000, 's'}, {"load", 1009, 0},
  };
  mv_linker_t *linker = mv_linker_new(f->store);
  mv_error_t err;
  assert_true(mv_linker_func(linker, "h", "host", "i:i", host, NULL));
  for (int round = 0; round < 3; round++) {
    wasm_instance_t *i = mv_linker_instantiate(linker, module, NULL, NULL, &err);
    if (!i) fail_msg("%s", err.message);
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
      int32_t result = call(i, calls[k].name, calls[k].arg);
      if (result != calls[k].result) fail_msg("%s %d: %d", calls[k].name, calls[k].arg, result);
    }
    wasm_func_t *indirect = func_of(i, "indirect"), *trap = func_of(i, "trap");
    uint64_t cell = 3;
    assert_false(mv_func_call(indirect, &cell, &err));
    assert_prefix(err.message, "indirect call type mismatch");
    assert_false(mv_func_call(trap, &cell, &err));
    assert_prefix(err.message, "integer divide by zero");
    assert_contains(mv_store_backtrace(f->store), "named");
    assert_true(err.offset != MV_NO_OFFSET);
    wasm_func_delete(indirect);
    wasm_func_delete(trap);
    wasm_instance_delete(i);
  }
  mv_linker_delete(linker);
}

static void does_the_same(void **state) {
  (void)state;
  struct fixture f;
  struct bytes b = compile(text, (mv_options_t){0});
  begin(&f);
  wasm_module_t *plain = module_of(f.store, text), *module = deserialize(&f, b);
  check(&f, plain);
  check(&f, module);
  /* The module's bytes are there, for all that looks at them. */
  wasm_byte_vec_t bytes, again;
  const uint8_t *source;
  size_t size;
  wasm_module_serialize(plain, &bytes);
  wasm_module_serialize(module, &again);
  assert_int_equal(bytes.size, again.size);
  assert_memory_equal(bytes.data, again.data, bytes.size);
  assert_true(mv_precompiled_source(b.data, b.size, &source, &size));
  assert_int_equal(size, bytes.size);
  assert_memory_equal(source, bytes.data, size);
  assert_false(mv_precompiled_source(bytes.data, bytes.size, &source, &size));
  wasm_byte_vec_delete(&bytes);
  wasm_byte_vec_delete(&again);
  wasm_module_delete(plain);
  wasm_module_delete(module);
  end(&f);
  free(b.data);
}

/* In an engine that has other types already, canonical types have other numbers. */
static void other_types(void **state) {
  (void)state;
  struct fixture f;
  struct bytes b = compile(text, (mv_options_t){0});
  begin(&f);
  wasm_module_t *other = module_of(f.store, "(module (type (func (param f32 f32 f32))) (type (struct (field f64))) (type (func (param i32))))");
  wasm_module_t *module = deserialize(&f, b), *twice = deserialize(&f, b);
  check(&f, module);
  check(&f, twice);
  struct bytes again = serialize(module); /* and it is written as before */
  assert_int_equal(again.size, b.size);
  assert_memory_equal(again.data, b.data, b.size);
  wasm_module_delete(module);
  wasm_module_delete(twice);
  wasm_module_delete(other);
  end(&f);
  free(b.data);
  free(again.data);
}

/* The code is used: without it, translating would be needed. */
static void is_used(void **state) {
  (void)state;
  struct fixture f;
  struct bytes b = compile(text, (mv_options_t){0});
  wasm_byte_vec_t binary;
  binary_of(text, &binary);
  char *at = memmem(b.data, b.size, binary.data, binary.size);
  assert_non_null(at);
  size_t fib = 0; /* the body of $fib: (i32.lt_s (local.get 0) (i32.const 2)) */
  while (fib < binary.size && memcmp(binary.data + fib, "\x20\0\x41\2\x48", 5) != 0) fib++;
  assert_true(fib < binary.size);
  at[fib + 3] = 0; /* had it been translated again, it would not end */
  begin(&f);
  wasm_module_t *module = deserialize(&f, b);
  check(&f, module);
  wasm_module_delete(module);
  end(&f);
  wasm_byte_vec_delete(&binary);
  free(b.data);
}

/* Options that change the code: the module is translated for them. */
static void other_options(void **state) {
  (void)state;
  struct fixture f;
  static const mv_options_t options[] = {{.fuel = true}, {.interruptible = true}, {.no_fusion = true}, {.max_depth = 1000}, {.eager = true}, {.profile = true}};
  struct bytes b = compile(text, (mv_options_t){0}), counted = compile(text, (mv_options_t){.fuel = true});
  for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
    begin_with(&f, options[k]);
    mv_store_set_fuel(f.store, UINT64_MAX);
    wasm_module_t *module = deserialize(&f, b);
    check(&f, module);
    wasm_module_delete(module);
    end(&f);
  }
  uint64_t used[2];
  for (int k = 0; k < 2; k++) {
    begin_with(&f, options[0]);
    mv_store_set_fuel(f.store, 1000000);
    wasm_module_t *module = deserialize(&f, k ? counted : b);
    check(&f, module);
    used[k] = 1000000 - mv_store_fuel(f.store);
    wasm_module_delete(module);
    end(&f);
  }
  assert_true(used[0] > 1000);
  assert_int_equal(used[0], used[1]);
  free(b.data);
  free(counted.data);
}

/* ---- what is refused ---- */

static void refused(struct fixture *f, const void *bytes, size_t size, mv_kind_t kind, const char *why) {
  mv_error_t err;
  void *copy = malloc(size + 1); /* so that a sanitizer sees what is read behind the end */
  assert_non_null(copy);
  if (size) memcpy(copy, bytes, size);
  wasm_module_t *module = mv_module_deserialize(f->engine, copy, size, -1, &err);
  if (module) fail_msg("taken, though %s", why);
  if (err.kind != kind || !strstr(err.message, why)) fail_msg("%s: %s", mv_kind_name(err.kind), err.message);
  free(copy);
}

static void not_whole(void **state) {
  (void)state;
  struct fixture f;
  struct bytes b = compile(text, (mv_options_t){0});
  begin(&f);
  for (size_t n = 0; n < b.size; n += n < 200 || n + 200 > b.size ? 1 : 37) refused(&f, b.data, n, MV_MALFORMED, n < 48 ? "magic number" : "truncated or damaged");
  refused(&f, b.data, b.size - 16, MV_MALFORMED, "truncated or damaged");
  char *longer = calloc(1, b.size + 16);
  memcpy(longer, b.data, b.size);
  refused(&f, longer, b.size + 16, MV_MALFORMED, "truncated or damaged");
  for (size_t n = b.size - 80; n < b.size; n++) { /* each byte of the tail counts */
    b.data[n] ^= 1;
    refused(&f, b.data, b.size, MV_MALFORMED, "truncated or damaged");
    b.data[n] ^= 1;
  }
  free(longer);
  end(&f);
  free(b.data);
}

static void foreign(void **state) {
  (void)state;
  static const struct { size_t at; const char *why; } flips[] = {
      {1, "magic number"}, {8, "made by minivm"}, {24, "another kind of CPU"}, {28, "another kind of CPU"}, {32, "another build"}, {40, "truncated or damaged"}};
  struct fixture f;
  struct bytes b = compile(text, (mv_options_t){0});
  begin(&f);
  for (size_t k = 0; k < sizeof flips / sizeof *flips; k++) {
    b.data[flips[k].at] ^= 1;
    refused(&f, b.data, b.size, MV_MALFORMED, flips[k].why);
    b.data[flips[k].at] ^= 1;
  }
  refused(&f, "\0asm\1\0\0\0", 8, MV_MALFORMED, "magic number");
  /* It is not taken for a module either, nor a module for one. */
  mv_error_t err;
  assert_true(mv_bytes_precompiled(b.data, b.size));
  assert_false(mv_bytes_precompiled("\0asm\1\0\0\0", 8));
  assert_false(mv_bytes_precompiled(b.data, 7));
  assert_null(mv_module_load(f.engine, b.data, b.size, true, &err));
  assert_contains(err.message, "precompiled");
  assert_false(mv_module_check(f.engine, b.data, b.size, &err));
  /* At an odd place. */
  char *moved = malloc(b.size + 1);
  assert_non_null(moved);
  memcpy(moved + 1, b.data, b.size);
  assert_null(mv_module_deserialize(f.engine, moved + 1, b.size, -1, &err));
  assert_int_equal(err.kind, MV_USAGE);
  free(moved);
  end(&f);
  begin_with(&f, (mv_options_t){.features = mv_features_default() & ~MV_FEATURE(GC)});
  refused(&f, b.data, b.size, MV_MALFORMED, "features that are off here");
  end(&f);
  free(b.data);
}

/* ---- files ---- */

/* Instances map their memory from the file, whose descriptor need not stay open. */
static void from_file(void **state) {
  (void)state;
  struct fixture f;
  char path[] = "/tmp/minivm-test-XXXXXX", data[30001];
  const int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(unlink(path), 0);
  memset(data, 'y', 30000);
  data[30000] = 0;
  char *wat = malloc(sizeof data + 400);
  sprintf(wat, "(module (memory 4) (data (i32.const 66000) \"%s\") (data (i32.const 66002) \"z\")"
               "(func (export \"load\") (param i32) (result i32) (i32.load8_u (local.get 0)) (i32.store8 (local.get 0) (i32.const 1))))", data);
  struct bytes b = compile(wat, (mv_options_t){0});
  assert_int_equal(write(fd, b.data, b.size), b.size);
  void *map = mmap(NULL, b.size, PROT_READ, MAP_PRIVATE, fd, 0);
  assert_true(map != MAP_FAILED);
  begin(&f);
  mv_error_t err;
  wasm_module_t *module = mv_module_deserialize(f.engine, map, b.size, fd, &err);
  if (!module) fail_msg("%s", err.message);
  assert_int_equal(close(fd), 0);
  for (int k = 0; k < 3; k++) {
    wasm_extern_vec_t none = WASM_EMPTY_VEC;
    wasm_instance_t *i = wasm_instance_new(f.store, module, &none, NULL);
    assert_non_null(i);
    assert_int_equal(call(i, "load", 66001), 'y');
    assert_int_equal(call(i, "load", 66001), 1);
    assert_int_equal(call(i, "load", 66002), 'z');
    assert_int_equal(call(i, "load", 95999), 'y');
    assert_int_equal(call(i, "load", 96000), 0);
    assert_int_equal(call(i, "load", 262143), 0);
    wasm_instance_delete(i);
  }
  wasm_module_delete(module);
  end(&f);
  munmap(map, b.size);
  free(b.data);
  free(wat);
}

/* A stream that cannot take it all. */
static void unwritable(void **state) {
  (void)state;
  struct fixture f;
  mv_error_t err;
  FILE *full = fopen("/dev/full", "w");
  if (!full) skip();
  begin(&f);
  wasm_module_t *module = module_of(f.store, text);
  assert_false(mv_module_serialize(module, full, &err));
  assert_contains(err.message, "cannot be written");
  fclose(full);
  wasm_module_delete(module);
  end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(does_the_same), cmocka_unit_test(other_types), cmocka_unit_test(is_used),   cmocka_unit_test(other_options),
      cmocka_unit_test(not_whole),     cmocka_unit_test(foreign),     cmocka_unit_test(from_file), cmocka_unit_test(unwritable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
