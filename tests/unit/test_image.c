/* Copy-on-write images: instances of one module, of which the first copies its data and the later ones map them, cannot be told apart, do not see each
 * other's writes, and share their pages. */
#include "embed.h"

enum { PAGE = 65536, DATA = 40000 };

/* A module whose memory begins with `head`, has DATA bytes of 'x' from 70,000 on, and functions to look, to write and to grow. */
static char *text_of(const char *memory, const char *head) {
  static const char format[] =
      "(module %s %s (data (i32.const 70000) \"%s\")"
      "(func (export \"load\") (param i32) (result i32) (i32.load8_u (local.get 0)))"
      "(func (export \"store\") (param i32 i32) (result i32) (i32.store8 (local.get 0) (local.get 1)) (i32.const 0))"
      "(func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))"
      "(func (export \"sum\") (result i32) (local $i i32) (local $s i32)"
      "  (loop (local.set $s (i32.add (local.get $s) (i32.load8_u (local.get $i))))"
      "    (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 196608)))) (local.get $s)))";
  size_t size = sizeof format + strlen(memory) + strlen(head) + DATA;
  char *data = malloc(DATA + 1), *text = malloc(size);
  assert_true(data && text);
  memset(data, 'x', DATA);
  data[DATA] = 0;
  snprintf(text, size, format, memory, head, data);
  free(data);
  return text;
}

static const char memory[] = "(memory (export \"m\") 3 10)";

static int32_t call(wasm_instance_t *i, const char *name, size_t n, int32_t a, int32_t b) {
  wasm_func_t *f = func_of(i, name);
  int32_t result = call_i(f, n, (int32_t[]){a, b});
  wasm_func_delete(f);
  return result;
}

static wasm_instance_t *instance(wasm_store_t *store, wasm_module_t *module) {
  wasm_extern_vec_t none = WASM_EMPTY_VEC;
  wasm_trap_t *trap = NULL;
  wasm_instance_t *i = wasm_instance_new(store, module, &none, &trap);
  if (trap) trap_print(trap);
  assert_non_null(i);
  return i;
}

/* Each of several instances sees the same memory, writes all over it, and leaves the others alone. */
static void check_apart(struct fixture *f, const char *text, int32_t sum) {
  wasm_module_t *module = module_of(f->store, text);
  wasm_instance_t *all[6];
  for (int k = 0; k < 6; k++) {
    all[k] = instance(f->store, module);
    assert_int_equal(call(all[k], "sum", 0, 0, 0), sum);
    call(all[k], "store", 2, 70000 + k, 1 + k);
    call(all[k], "store", 2, 5, 100 + k);
  }
  for (int k = 0; k < 6; k++) {
    for (int j = 0; j < 6; j++) assert_int_equal(call(all[k], "load", 1, 70000 + j, 0), j == k ? 1 + k : 'x');
    assert_int_equal(call(all[k], "load", 1, 5, 0), 100 + k);
    assert_int_equal(call(all[k], "grow", 1, 4, 0), 3);
    assert_int_equal(call(all[k], "load", 1, 70000 + k, 0), 1 + k);
    assert_int_equal(call(all[k], "load", 1, 7 * PAGE - 1, 0), 0);
    call(all[k], "store", 2, 7 * PAGE - 1, 9);
    assert_int_equal(call(all[k], "grow", 1, 4, 0), -1);
    wasm_instance_delete(all[k]);
  }
  wasm_module_delete(module);
}

static void apart(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  char *text = text_of(memory, "(data (i32.const 1) \"ab\") (data (i32.const 2) \"c\")"); /* the later one wins */
  check_apart(&f, text, DATA * 'x' + 'a' + 'c');
  free(text);
  end(&f);
}

/* Where no image is possible all goes on as before: an imported base, passive segments beside, a memory of another module. */
static void not_constant(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  char *text = text_of(memory, "(global $b i32 (i32.const 1)) (data (global.get $b) \"ab\") (data \"passive\")");
  check_apart(&f, text, DATA * 'x' + 'a' + 'b');
  free(text);
  end(&f);
}

/* Two memories of one module. */
static void two_memories(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  char *text = text_of(memory, "(memory $n 1) (data (memory $n) (i32.const 0) \"other\")");
  check_apart(&f, text, DATA * 'x');
  free(text);
  end(&f);
}

/* A memory whose end is in the middle of a page: the image's last page is not all the memory's. */
static void odd_size(void **state) {
  (void)state;
  struct fixture f;
  begin_with(&f, (mv_options_t){.features = mv_features_all()});
  char *text = text_of("(memory (export \"m\") 200001 300000 (pagesize 1))", "(data (i32.const 199900) \"end\")");
  wasm_module_t *module = module_of(f.store, text);
  for (int k = 0; k < 3; k++) {
    wasm_instance_t *i = instance(f.store, module);
    assert_int_equal(call(i, "load", 1, 199902, 0), 'd');
    assert_int_equal(call(i, "load", 1, 200000, 0), 0);
    assert_int_equal(call(i, "grow", 1, 50000, 0), 200001);
    assert_int_equal(call(i, "load", 1, 250000, 0), 0);
    wasm_instance_delete(i);
  }
  wasm_module_delete(module);
  free(text);
  end(&f);
}

/* Segments that do not fit trap in every instantiation, and those before them have been written. */
static void out_of_bounds(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_instance_t *owner = instance_with(f.store, "(module (memory (export \"m\") 2) (func (export \"load\") (param i32) (result i32) (i32.load8_u (local.get 0))))", NULL, 0);
  char *text = text_of("(import \"o\" \"m\" (memory 2)) (memory 3)", "(data (i32.const 3) \"q\") (data (i32.const 131071) \"zz\")");
  wasm_module_t *module = module_of(f.store, text);
  wasm_extern_t *import = mv_instance_export(owner, "m");
  wasm_extern_vec_t imports = {1, &import};
  for (int k = 0; k < 3; k++) {
    wasm_trap_t *trap = NULL;
    assert_null(wasm_instance_new(f.store, module, &imports, &trap));
    expect_trap(trap, MV_TRAP, "out of bounds memory access: data segment 1");
    assert_int_equal(call(owner, "load", 1, 3, 0), 'q');
    assert_int_equal(call(owner, "load", 1, 131071, 0), 0);
  }
  wasm_extern_delete(import);
  wasm_instance_delete(owner);
  wasm_module_delete(module);
  free(text);
  end(&f);
}

/* After a trap, the segments from the one that failed on are not dropped, as a function that got into another's table can find out. */
static void kept(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_instance_t *owner = instance_with(f.store, "(module (memory (export \"m\") 1) (table (export \"t\") 1 funcref)"
                                                  "(func (export \"load\") (param i32) (result i32) (i32.load8_u (local.get 0)))"
                                                  "(func (export \"call\") (param i32) (result i32) (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0))))",
                                         NULL, 0);
  wasm_module_t *module = module_of(f.store, "(module (import \"o\" \"m\" (memory 1)) (import \"o\" \"t\" (table 1 funcref)) (elem (i32.const 0) $f)"
                                             "(data (i32.const 0) \"a\") (data (i32.const 65536) \"b\") (data (i32.const 1) \"c\")"
                                             "(func $f (param i32) (result i32) (if (local.get 0) (then (memory.init 2 (i32.const 9) (i32.const 0) (i32.const 1))))"
                                             "  (if (i32.eqz (local.get 0)) (then (memory.init 0 (i32.const 9) (i32.const 0) (i32.const 1)))) (i32.const 7)))");
  wasm_extern_t *imports[] = {mv_instance_export(owner, "m"), mv_instance_export(owner, "t")};
  wasm_extern_vec_t vec = {2, imports};
  wasm_trap_t *trap = NULL;
  assert_null(wasm_instance_new(f.store, module, &vec, &trap));
  expect_trap(trap, MV_TRAP, "out of bounds memory access: data segment 1");
  assert_int_equal(call(owner, "load", 1, 0, 0), 'a');
  assert_int_equal(call(owner, "load", 1, 1, 0), 0);
  assert_int_equal(call(owner, "call", 1, 1, 0), 7);
  assert_int_equal(call(owner, "load", 1, 9, 0), 'c');
  wasm_val_t zero[1] = {WASM_I32_VAL(0)}, r[1] = {WASM_INIT_VAL};
  wasm_val_vec_t args = WASM_ARRAY_VEC(zero), results = WASM_ARRAY_VEC(r);
  wasm_func_t *func = func_of(owner, "call");
  expect_trap(wasm_func_call(func, &args, &results), MV_TRAP, "out of bounds memory access");
  wasm_func_delete(func);
  for (int k = 0; k < 2; k++) wasm_extern_delete(imports[k]);
  wasm_module_delete(module);
  wasm_instance_delete(owner);
  end(&f);
}

/* Active segments are dropped by the instantiation; passive ones are not. */
static void dropped(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  char *text = text_of(memory, "(data $p \"pq\")"
                               "(func (export \"init\") (param i32) (result i32) (memory.init $p (i32.const 0) (i32.const 0) (local.get 0)) (i32.const 1))"
                               "(func (export \"active\") (param i32) (result i32) (memory.init 1 (i32.const 0) (i32.const 0) (local.get 0)) (i32.const 1))"
                               "(func (export \"drop\") (result i32) (data.drop $p) (data.drop 1) (i32.const 1))");
  wasm_module_t *module = module_of(f.store, text);
  for (int k = 0; k < 3; k++) {
    wasm_instance_t *i = instance(f.store, module);
    wasm_val_t one[1] = {WASM_I32_VAL(1)}, r[1] = {WASM_INIT_VAL};
    wasm_val_vec_t args = WASM_ARRAY_VEC(one), results = WASM_ARRAY_VEC(r);
    wasm_func_t *init = func_of(i, "init"), *active = func_of(i, "active");
    assert_int_equal(call(i, "active", 1, 0, 0), 1);
    expect_trap(wasm_func_call(active, &args, &results), MV_TRAP, "out of bounds memory access");
    assert_int_equal(call(i, "init", 1, 2, 0), 1);
    assert_int_equal(call(i, "drop", 0, 0, 0), 1);
    assert_int_equal(call(i, "drop", 0, 0, 0), 1);
    expect_trap(wasm_func_call(init, &args, &results), MV_TRAP, "out of bounds memory access");
    expect_trap(wasm_func_call(active, &args, &results), MV_TRAP, "out of bounds memory access");
    wasm_func_delete(init);
    wasm_func_delete(active);
    wasm_instance_delete(i);
  }
  wasm_module_delete(module);
  free(text);
  end(&f);
}

/* Kilobytes of this process, shared pages counted by their part; -1 where the system does not say. */
static long kilobytes(void) {
  FILE *file = fopen("/proc/self/smaps_rollup", "r");
  char line[128];
  long n = -1;
  while (file && fgets(line, sizeof line, file))
    if (!strncmp(line, "Pss:", 4)) n = atol(line + 4);
  if (file) fclose(file);
  return n;
}

/* A sanitizer's shadow memory counts as ours. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SHADOWED 1
#elif defined(__has_feature)
#define SHADOWED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SHADOWED 0
#endif

/* A thousand instances that are read as a whole take about the pages that each has written. An emulator keeps books on
 * every page of the address space that they reserve, so there it is a few, and they are not measured. */
static void shared_pages(void **state) {
  (void)state;
  const char *runner = getenv("RUNNER");
  const bool emulated = runner && *runner;
  const int n = emulated ? 10 : 1000;
  struct fixture f;
  begin(&f);
  char *text = text_of("(memory 20)", "");
  wasm_module_t *module = module_of(f.store, text);
  wasm_instance_t *all[1000];
  for (int k = 0; k < 2; k++) call(all[k] = instance(f.store, module), "sum", 0, 0, 0);
  wasm_instance_delete(all[1]);
  long before = kilobytes();
  for (int k = 1; k < n; k++) {
    all[k] = instance(f.store, module);
    for (int32_t at = 70000; at < 70000 + DATA; at += 1024) assert_int_equal(call(all[k], "load", 1, at, 0), 'x');
    call(all[k], "store", 2, 70001, 1);
  }
  long after = kilobytes();
  for (int k = 0; k < n; k++) wasm_instance_delete(all[k]);
  wasm_module_delete(module);
  free(text);
  end(&f);
  if (SHADOWED || emulated || before < 0) skip(); /* no /proc here */
  if ((after - before) / (n - 1) >= 28) fail_msg("%ld KB for each instance of a module with %d bytes of data", (after - before) / (n - 1), DATA);
}

/* Threads of one engine share the module; whoever is second makes its image while others go on. */
struct team {
  wasm_engine_t *engine;
  wasm_shared_module_t *module;
};

static void *instantiate_many(void *team) {
  const struct team *t = team;
  wasm_store_t *store = wasm_store_new(t->engine);
  wasm_module_t *m = wasm_module_obtain(store, t->module);
  intptr_t sum = 0;
  for (int k = 0; k < 20; k++) {
    wasm_instance_t *i = instance(store, m);
    sum += call(i, "sum", 0, 0, 0);
    call(i, "store", 2, 70000, 1);
    wasm_instance_delete(i);
  }
  wasm_module_delete(m);
  wasm_store_delete(store);
  return (void *)sum;
}

static void threads(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  char *text = text_of(memory, "");
  wasm_module_t *module = module_of(f.store, text);
  struct team team = {f.engine, wasm_module_share(module)};
  pthread_t thread[4];
  for (int k = 0; k < 4; k++) assert_int_equal(pthread_create(&thread[k], NULL, instantiate_many, &team), 0);
  for (int k = 0; k < 4; k++) {
    void *sum;
    assert_int_equal(pthread_join(thread[k], &sum), 0);
    assert_int_equal((intptr_t)sum, 20 * DATA * 'x');
  }
  wasm_shared_module_delete(team.module);
  wasm_module_delete(module);
  free(text);
  end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(apart),         cmocka_unit_test(not_constant), cmocka_unit_test(two_memories), cmocka_unit_test(odd_size),
      cmocka_unit_test(out_of_bounds), cmocka_unit_test(dropped),      cmocka_unit_test(shared_pages), cmocka_unit_test(threads),
      cmocka_unit_test(kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
