/* wasm.h, used as an embedder would, and seen through nothing else. */
#include "embed.h"

/* ---- types ---- */

static void type_values(void **state) {
  (void)state;
  wasm_functype_t *ft = wasm_functype_new_3_2(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f32(), wasm_valtype_new_f64(), wasm_valtype_new_externref());
  wasm_functype_t *copy = wasm_functype_copy(ft);
  wasm_functype_delete(ft);
  assert_int_equal(wasm_functype_params(copy)->size, 3);
  assert_int_equal(wasm_valtype_kind(wasm_functype_params(copy)->data[1]), WASM_I64);
  assert_int_equal(wasm_valtype_kind(wasm_functype_results(copy)->data[1]), WASM_EXTERNREF);
  wasm_externtype_t *et = wasm_functype_as_externtype(copy);
  assert_int_equal(wasm_externtype_kind(et), WASM_EXTERN_FUNC);
  assert_ptr_equal(wasm_externtype_as_functype(et), copy);
  assert_null(wasm_externtype_as_globaltype(et));
  wasm_externtype_t *et2 = wasm_externtype_copy(et);
  wasm_externtype_delete(et);
  wasm_externtype_delete(et2);
  wasm_globaltype_t *gt = wasm_globaltype_new(wasm_valtype_new(WASM_F32), WASM_VAR), *gt2 = wasm_globaltype_copy(gt);
  assert_int_equal(wasm_globaltype_mutability(gt2), WASM_VAR);
  assert_int_equal(wasm_valtype_kind(wasm_globaltype_content(gt2)), WASM_F32);
  wasm_globaltype_delete(gt);
  wasm_globaltype_delete(gt2);
  wasm_limits_t limits = {2, wasm_limits_max_default};
  wasm_tabletype_t *tt = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits), *tt2 = wasm_tabletype_copy(tt);
  assert_int_equal(wasm_tabletype_limits(tt2)->min, 2);
  assert_int_equal(wasm_valtype_kind(wasm_tabletype_element(tt2)), WASM_FUNCREF);
  wasm_tabletype_delete(tt);
  wasm_memorytype_t *mt = wasm_memorytype_new(&limits), *mt2 = wasm_memorytype_copy(mt);
  assert_true(wasm_memorytype_limits(mt2)->max == wasm_limits_max_default);
  wasm_memorytype_delete(mt);
  wasm_memorytype_delete(mt2);
  wasm_tagtype_t *tag = wasm_tagtype_new(wasm_functype_new_1_0(wasm_valtype_new_i32())), *tag2 = wasm_tagtype_copy(tag);
  assert_int_equal(wasm_functype_params(wasm_tagtype_functype(tag2))->size, 1);
  wasm_tagtype_delete(tag);
  wasm_tagtype_delete(tag2);
  wasm_name_t module, name;
  wasm_name_new_from_string(&module, "m");
  wasm_name_new_from_string_nt(&name, "n");
  assert_int_equal(name.size, 2);
  wasm_importtype_t *it = wasm_importtype_new(&module, &name, wasm_tabletype_as_externtype(tt2)), *it2 = wasm_importtype_copy(it);
  wasm_importtype_delete(it);
  assert_int_equal(wasm_importtype_module(it2)->data[0], 'm');
  assert_int_equal(wasm_externtype_kind(wasm_importtype_type(it2)), WASM_EXTERN_TABLE);
  wasm_importtype_t *list[2] = {it2, wasm_importtype_copy(it2)};
  wasm_importtype_vec_t v, v2;
  wasm_importtype_vec_new(&v, 2, list);
  wasm_importtype_vec_copy(&v2, &v);
  wasm_importtype_vec_delete(&v);
  assert_int_equal(v2.size, 2);
  assert_int_equal(wasm_importtype_name(v2.data[1])->data[0], 'n');
  wasm_importtype_vec_delete(&v2);
  wasm_valtype_delete(NULL);
  wasm_functype_delete(NULL);
  wasm_externtype_delete(NULL);
  assert_true(wasm_valkind_is_ref(WASM_FUNCREF) && wasm_valkind_is_num(WASM_F64));
  int x;
  wasm_val_t val;
  wasm_val_init_ptr(&val, &x);
  assert_ptr_equal(wasm_val_ptr(&val), &x);
}

/* ---- functions ---- */

static wasm_trap_t *hello_cb(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)args, (void)results;
  return NULL;
}

static void hello(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_functype_t *t = wasm_functype_new_0_0();
  wasm_func_t *h = wasm_func_new(f.store, t, hello_cb);
  wasm_functype_delete(t);
  wasm_extern_t *imports[] = {wasm_func_as_extern(h)};
  wasm_instance_t *i = instance_with(f.store, "(module (func $h (import \"\" \"hello\")) (func (export \"run\") (call $h)))", imports, 1);
  wasm_func_delete(h);
  wasm_extern_vec_t exports;
  wasm_instance_exports(i, &exports);
  assert_int_equal(exports.size, 1);
  wasm_instance_delete(i);
  const wasm_func_t *run = wasm_extern_as_func(exports.data[0]);
  assert_int_equal(wasm_func_param_arity(run), 0);
  assert_int_equal(wasm_func_result_arity(run), 0);
  wasm_val_vec_t none = WASM_EMPTY_VEC;
  assert_null(wasm_func_call(run, &none, &none));
  assert_null(wasm_func_call(run, NULL, NULL));
  wasm_extern_vec_delete(&exports);
  end(&f);
}

static wasm_trap_t *add_one(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  results->data[0] = (wasm_val_t)WASM_I32_VAL(args->data[0].of.i32 + 1);
  return NULL;
}

static wasm_trap_t *add_env(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)args;
  results->data[0] = (wasm_val_t)WASM_I32_VAL(*(int *)env);
  return NULL;
}

static int finalized;
static void count_finalized(void *env) {
  (void)env;
  finalized++;
}

static void callback(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  int i = 42;
  wasm_functype_t *t1 = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32()), *t2 = wasm_functype_new_0_1(wasm_valtype_new_i32());
  wasm_func_t *f1 = wasm_func_new(f.store, t1, add_one), *f2 = wasm_func_new_with_env(f.store, t2, add_env, &i, count_finalized);
  wasm_functype_delete(t1);
  wasm_functype_delete(t2);
  wasm_extern_t *imports[] = {wasm_func_as_extern(f1), wasm_func_as_extern(f2)};
  wasm_instance_t *inst = instance_with(f.store,
      "(module (func $p (import \"\" \"p\") (param i32) (result i32)) (func $c (import \"\" \"c\") (result i32))"
      " (func (export \"run\") (param i32 i32) (result i32) (i32.add (call $p (i32.add (local.get 0) (local.get 1))) (call $c))))", imports, 2);
  wasm_func_delete(f1);
  wasm_func_delete(f2);
  wasm_func_t *run = func_of(inst, "run");
  wasm_instance_delete(inst);
  assert_int_equal(call_i(run, 2, (int32_t[]){3, 4}), 50);
  wasm_functype_t *t = wasm_func_type(run);
  assert_int_equal(wasm_functype_params(t)->size, 2);
  wasm_functype_delete(t);
  /* wrong arguments are refused, not executed */
  wasm_val_t args[2] = {WASM_I32_VAL(1), WASM_I64_VAL(2)}, results[1];
  wasm_val_vec_t av = WASM_ARRAY_VEC(args), rv = WASM_ARRAY_VEC(results), none = WASM_EMPTY_VEC;
  expect_trap(wasm_func_call(run, &av, &rv), MV_USAGE, "a value of type i32 is wanted");
  expect_trap(wasm_func_call(run, &none, &rv), MV_USAGE, "0 arguments given, 2 wanted");
  args[1] = (wasm_val_t)WASM_I32_VAL(2);
  expect_trap(wasm_func_call(run, &av, &none), MV_USAGE, "room for 0 results");
  wasm_func_delete(run);
  finalized = 0;
  end(&f);
  assert_int_equal(finalized, 1);
}

static wasm_trap_t *mix(const wasm_val_vec_t *a, wasm_val_vec_t *r) {
  for (size_t i = 0; i < 4; i++) r->data[i] = a->data[3 - i];
  return NULL;
}

static void multi(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_valtype_t *p[4] = {wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f32(), wasm_valtype_new_f64()};
  wasm_valtype_t *r[4] = {wasm_valtype_new_f64(), wasm_valtype_new_f32(), wasm_valtype_new_i64(), wasm_valtype_new_i32()};
  wasm_valtype_vec_t pv, rv;
  wasm_valtype_vec_new(&pv, 4, p);
  wasm_valtype_vec_new(&rv, 4, r);
  wasm_functype_t *t = wasm_functype_new(&pv, &rv);
  wasm_func_t *cb = wasm_func_new(f.store, t, mix);
  wasm_functype_delete(t);
  wasm_extern_t *imports[] = {wasm_func_as_extern(cb)};
  wasm_instance_t *i = instance_with(f.store,
      "(module (func $f (import \"\" \"f\") (param i32 i64 f32 f64) (result f64 f32 i64 i32))"
      " (func (export \"g\") (param i32 i64 f32 f64) (result f64 f32 i64 i32) (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3))))", imports, 1);
  wasm_func_t *g = func_of(i, "g");
  wasm_val_t a[4] = {WASM_I32_VAL(-1), WASM_I64_VAL(-2), WASM_F32_VAL(3.5f), WASM_F64_VAL(-0.25)}, out[4];
  wasm_val_vec_t av = WASM_ARRAY_VEC(a), ov = WASM_ARRAY_VEC(out);
  assert_null(wasm_func_call(g, &av, &ov));
  assert_true(out[0].of.f64 == -0.25 && out[1].of.f32 == 3.5f);
  assert_int_equal(out[2].of.i64, -2);
  assert_int_equal(out[3].of.i32, -1);
  assert_int_equal(out[3].kind, WASM_I32);
  wasm_func_delete(g);
  wasm_func_delete(cb);
  wasm_instance_delete(i);
  end(&f);
}

/* More parameters and results than fit into anything prepared. */
static wasm_trap_t *shift_by_one(const wasm_val_vec_t *a, wasm_val_vec_t *r) {
  for (size_t i = 0; i < r->size; i++) r->data[i] = (wasm_val_t)WASM_I32_VAL(a->data[(i + 1) % a->size].of.i32);
  return NULL;
}

static void arity(void **state) {
  (void)state;
  enum { N = 200 };
  struct fixture f;
  begin(&f);
  wasm_valtype_vec_t pv, rv;
  wasm_valtype_vec_new_uninitialized(&pv, N);
  wasm_valtype_vec_new_uninitialized(&rv, N);
  for (int i = 0; i < N; i++) pv.data[i] = wasm_valtype_new_i32(), rv.data[i] = wasm_valtype_new_i32();
  wasm_functype_t *t = wasm_functype_new(&pv, &rv);
  wasm_func_t *cb = wasm_func_new(f.store, t, shift_by_one);
  wasm_functype_delete(t);
  char wat[8000], *p = wat, sig[3000], *q = sig;
  q += sprintf(q, "(param");
  for (int i = 0; i < N; i++) q += sprintf(q, " i32");
  q += sprintf(q, ") (result");
  for (int i = 0; i < N; i++) q += sprintf(q, " i32");
  sprintf(q, ")");
  p += sprintf(p, "(module (func $f (import \"\" \"f\") %s) (func (export \"g\") %s", sig, sig);
  for (int i = 0; i < N; i++) p += sprintf(p, " local.get %d", i);
  sprintf(p, " call $f))");
  wasm_extern_t *imports[] = {wasm_func_as_extern(cb)};
  wasm_instance_t *i = instance_with(f.store, wat, imports, 1);
  wasm_func_t *g = func_of(i, "g");
  wasm_val_vec_t args, results;
  wasm_val_vec_new_uninitialized(&args, N);
  wasm_val_vec_new_uninitialized(&results, N);
  for (int k = 0; k < N; k++) args.data[k] = (wasm_val_t)WASM_I32_VAL(k);
  assert_null(wasm_func_call(g, &args, &results));
  for (int k = 0; k < N; k++) assert_int_equal(results.data[k].of.i32, (k + 1) % N);
  wasm_val_vec_delete(&args);
  wasm_val_vec_delete(&results);
  wasm_func_delete(g);
  wasm_func_delete(cb);
  wasm_instance_delete(i);
  end(&f);
}

/* ---- traps ---- */

struct thrower {
  wasm_store_t *store;
  wasm_trap_t *thrown;
  const char *message;
};

static wasm_trap_t *throw_it(void *env, const wasm_val_vec_t *a, wasm_val_vec_t *r) {
  (void)a, (void)r;
  struct thrower *t = env;
  wasm_message_t m;
  wasm_name_new_from_string_nt(&m, t->message);
  wasm_trap_t *trap = wasm_trap_new(t->store, &m);
  wasm_name_delete(&m);
  wasm_trap_set_host_info(trap, t);
  t->thrown = wasm_trap_copy(trap);
  return trap;
}

static void traps(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  char text[2000];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = 0;
  memcpy(text, "callback abort", 14);
  struct thrower env = {f.store, NULL, text};
  wasm_functype_t *t = wasm_functype_new_0_1(wasm_valtype_new_i32());
  wasm_func_t *cb = wasm_func_new_with_env(f.store, t, throw_it, &env, NULL);
  wasm_functype_delete(t);
  wasm_extern_t *imports[] = {wasm_func_as_extern(cb)};
  wasm_instance_t *i = instance_with(f.store,
      "(module (func $callback (import \"\" \"callback\") (result i32)) (func (export \"callback\") (result i32) (call $callback))"
      " (func $u unreachable) (func (export \"unreachable\") (result i32) (call $u) (i32.const 1))"
      " (func $r (export \"recurse\") (result i32) (i32.add (call $r) (i32.const 1)))"
      " (tag $e (param i32)) (func (export \"throw\") (result i32) (throw $e (i32.const 1))))", imports, 1);
  wasm_val_t r[1];
  wasm_val_vec_t none = WASM_EMPTY_VEC, rv = WASM_ARRAY_VEC(r);
  /* the callback's own trap comes out, message and all */
  wasm_func_t *fn = func_of(i, "callback");
  wasm_trap_t *trap = wasm_func_call(fn, &none, &none); /* no room for results, but none come */
  wasm_trap_delete(env.thrown);
  assert_non_null(trap);
  wasm_trap_delete(trap);
  trap = wasm_func_call(fn, &none, &rv);
  assert_non_null(trap);
  assert_true(wasm_trap_same(trap, env.thrown));
  assert_ptr_equal(wasm_trap_get_host_info(trap), &env);
  wasm_message_t m;
  wasm_trap_message(trap, &m);
  assert_int_equal(m.size, sizeof text);
  assert_string_equal(m.data, text);
  wasm_byte_vec_delete(&m);
  wasm_frame_vec_t trace;
  wasm_trap_trace(trap, &trace);
  assert_int_equal(trace.size, 1);
  assert_int_equal(wasm_frame_func_index(trace.data[0]), 1);
  wasm_frame_vec_delete(&trace);
  wasm_trap_delete(trap);
  wasm_trap_delete(env.thrown);
  wasm_func_delete(fn);
  /* and does not stick */
  fn = func_of(i, "unreachable");
  trap = wasm_func_call(fn, &none, &rv);
  assert_non_null(trap);
  assert_null(wasm_trap_get_host_info(trap));
  wasm_trap_trace(trap, &trace);
  assert_int_equal(trace.size, 2);
  assert_int_equal(wasm_frame_func_index(trace.data[0]), 2);
  assert_int_equal(wasm_frame_func_index(trace.data[1]), 3);
  assert_true(wasm_instance_same(wasm_frame_instance(trace.data[0]), i));
  assert_true(wasm_frame_module_offset(trace.data[0]) < wasm_frame_module_offset(trace.data[1]));
  assert_int_equal(wasm_frame_func_offset(trace.data[0]), 1); /* behind the empty list of locals */
  wasm_frame_t *origin = wasm_trap_origin(trap), *copy = wasm_frame_copy(trace.data[0]);
  assert_int_equal(wasm_frame_module_offset(origin), wasm_frame_module_offset(copy));
  wasm_frame_delete(origin);
  wasm_frame_delete(copy);
  wasm_frame_vec_delete(&trace);
  expect_trap(trap, MV_TRAP, "unreachable");
  assert_contains(mv_store_backtrace(f.store), "#0 0x");
  assert_contains(mv_store_backtrace(f.store), "unreachable");
  wasm_func_delete(fn);
  fn = func_of(i, "recurse");
  expect_trap(wasm_func_call(fn, &none, &rv), MV_EXHAUSTION, "call stack exhausted");
  wasm_func_delete(fn);
  fn = func_of(i, "throw");
  expect_trap(wasm_func_call(fn, &none, &rv), MV_EXCEPTION, "uncaught exception");
  wasm_func_delete(fn);
  wasm_func_delete(cb);
  wasm_instance_delete(i);
  end(&f);
}

static void start(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_module_t *m = module_of(f.store, "(module (func $s unreachable) (start $s))");
  wasm_extern_vec_t none = WASM_EMPTY_VEC;
  wasm_trap_t *trap = NULL;
  assert_null(wasm_instance_new(f.store, m, &none, &trap));
  wasm_frame_t *origin = wasm_trap_origin(trap);
  assert_non_null(origin);
  assert_int_equal(wasm_frame_func_index(origin), 0);
  wasm_frame_delete(origin);
  expect_trap(trap, MV_TRAP, "unreachable");
  assert_null(wasm_instance_new(f.store, m, &none, NULL));
  wasm_module_delete(m);
  end(&f);
}

/* ---- modules ---- */

static void reflect(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_module_t *m = module_of(f.store,
      "(module (import \"a\" \"f\" (func (param i32 v128 anyref) (result funcref))) (import \"a\" \"t\" (table 1 2 externref))"
      " (func (export \"func\") (param i32 f64 f32) (result i32) unreachable) (global (export \"global\") f64 (f64.const 0))"
      " (table (export \"table\") 0 50 funcref) (memory (export \"memory\") 1) (tag (export \"tag\") (param i64)))");
  wasm_exporttype_vec_t exports;
  wasm_module_exports(m, &exports);
  assert_int_equal(exports.size, 5);
  const wasm_externkind_t kinds[] = {WASM_EXTERN_FUNC, WASM_EXTERN_GLOBAL, WASM_EXTERN_TABLE, WASM_EXTERN_MEMORY, WASM_EXTERN_TAG};
  const char *names[] = {"func", "global", "table", "memory", "tag"};
  for (size_t i = 0; i < 5; i++) {
    const wasm_externtype_t *t = wasm_exporttype_type(exports.data[i]);
    assert_int_equal(wasm_externtype_kind(t), kinds[i]);
    assert_int_equal(wasm_exporttype_name(exports.data[i])->size, strlen(names[i]));
    assert_memory_equal(wasm_exporttype_name(exports.data[i])->data, names[i], strlen(names[i]));
  }
  const wasm_tabletype_t *tt = wasm_externtype_as_tabletype_const(wasm_exporttype_type(exports.data[2]));
  assert_int_equal(wasm_tabletype_limits(tt)->max, 50);
  wasm_importtype_vec_t imports;
  wasm_module_imports(m, &imports);
  assert_int_equal(imports.size, 2);
  const wasm_functype_t *ft = wasm_externtype_as_functype_const(wasm_importtype_type(imports.data[0]));
  assert_int_equal(wasm_valtype_kind(wasm_functype_params(ft)->data[1]), MV_V128);
  assert_int_equal(wasm_valtype_kind(wasm_functype_params(ft)->data[2]), MV_ANYREF);
  assert_int_equal(wasm_valtype_kind(wasm_functype_results(ft)->data[0]), WASM_FUNCREF);
  wasm_importtype_vec_delete(&imports);
  wasm_exporttype_vec_delete(&exports);
  wasm_module_delete(m);
  end(&f);
}

static void serialize(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_byte_vec_t binary, out;
  binary_of("(module (func (export \"f\") (result i32) (i32.const 7)))", &binary);
  assert_true(wasm_module_validate(f.store, &binary));
  wasm_module_t *m = wasm_module_new(f.store, &binary);
  wasm_module_serialize(m, &out);
  assert_int_equal(out.size, binary.size);
  assert_memory_equal(out.data, binary.data, out.size);
  wasm_module_delete(m);
  m = wasm_module_deserialize(f.store, &out);
  assert_non_null(m);
  wasm_module_delete(m);
  out.data[0] = 1;
  assert_null(wasm_module_deserialize(f.store, &out));
  assert_false(wasm_module_validate(f.store, &out));
  mv_error_t err;
  assert_null(mv_module_load(f.engine, out.data, out.size, true, &err));
  assert_int_equal(err.kind, MV_MALFORMED);
  assert_prefix(err.message, "magic header not detected");
  wasm_byte_vec_delete(&out);
  wasm_byte_vec_delete(&binary);
  binary_of("(module (func (result i32)))", &binary);
  assert_false(wasm_module_validate(f.store, &binary));
  assert_false(mv_module_check(f.engine, binary.data, binary.size, &err));
  assert_int_equal(err.kind, MV_INVALID);
  assert_prefix(err.message, "type mismatch");
  wasm_byte_vec_delete(&binary);
  end(&f);
}

static void sharing_modules(void **state) {
  (void)state;
  struct fixture f, g;
  begin(&f);
  begin(&g);
  wasm_module_t *m = module_of(f.store, "(module (func (export \"f\") (result i32) (i32.const 7)))");
  wasm_module_set_host_info_with_finalizer(m, &f, count_finalized);
  wasm_shared_module_t *shared = wasm_module_share(m);
  wasm_module_delete(m);
  wasm_store_t *second = wasm_store_new(f.engine);
  wasm_module_t *same = wasm_module_obtain(second, shared), *other = wasm_module_obtain(g.store, shared);
  finalized = 0;
  wasm_shared_module_delete(shared);
  assert_ptr_equal(wasm_module_get_host_info(same), &f);
  assert_null(wasm_module_get_host_info(other));
  wasm_module_t *both[] = {same, other};
  wasm_store_t *stores[] = {second, g.store};
  for (int k = 0; k < 2; k++) {
    wasm_instance_t *i = wasm_instance_new(stores[k], both[k], NULL, NULL);
    wasm_module_delete(both[k]);
    wasm_func_t *fn = func_of(i, "f");
    assert_int_equal(call_i(fn, 0, NULL), 7);
    wasm_func_delete(fn);
    wasm_instance_delete(i);
  }
  assert_int_equal(finalized, 0); /* an instance needs it */
  wasm_store_delete(second);
  assert_int_equal(finalized, 1);
  end(&f);
  end(&g);
}

/* ---- globals, tables, memories ---- */

static void globals(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_globaltype_t *ct = wasm_globaltype_new(wasm_valtype_new_f32(), WASM_CONST), *vt = wasm_globaltype_new(wasm_valtype_new_i64(), WASM_VAR);
  wasm_val_t one = WASM_F32_VAL(1), three = WASM_I64_VAL(3), v;
  wasm_global_t *c = wasm_global_new(f.store, ct, &one), *g = wasm_global_new(f.store, vt, &three);
  assert_null(wasm_global_new(f.store, ct, &three));
  wasm_extern_t *imports[] = {wasm_global_as_extern(c), wasm_global_as_extern(g)};
  wasm_instance_t *i = instance_with(f.store,
      "(module (global $c (import \"\" \"c\") f32) (global $g (import \"\" \"g\") (mut i64))"
      " (global (export \"cx\") (mut i32) (i32.const 5)) (func (export \"bump\") (global.set $g (i64.add (global.get $g) (i64.const 10))))"
      " (export \"g\" (global $g)))", imports, 2);
  wasm_extern_t *gx = mv_instance_export(i, "g"), *cx = mv_instance_export(i, "cx");
  assert_true(wasm_global_same(wasm_extern_as_global(gx), g));
  assert_false(wasm_global_same(wasm_extern_as_global(gx), c));
  wasm_func_t *bump = func_of(i, "bump");
  assert_null(wasm_func_call(bump, NULL, NULL));
  wasm_global_get(g, &v);
  assert_int_equal(v.of.i64, 13);
  v.of.i64 = -1;
  wasm_global_set(wasm_extern_as_global(gx), &v);
  assert_null(wasm_func_call(bump, NULL, NULL));
  wasm_global_get(g, &v);
  assert_int_equal(v.of.i64, 9);
  wasm_global_set(c, &one);
  v = (wasm_val_t)WASM_F32_VAL(2);
  wasm_global_set(c, &v); /* a constant stays */
  wasm_global_set(g, &v); /* a wrong type changes nothing */
  wasm_global_get(c, &v);
  assert_true(v.of.f32 == 1);
  wasm_global_get(wasm_extern_as_global(cx), &v);
  assert_int_equal(v.of.i32, 5);
  wasm_globaltype_t *t = wasm_global_type(wasm_extern_as_global(cx));
  assert_int_equal(wasm_globaltype_mutability(t), WASM_VAR);
  wasm_globaltype_delete(t);
  wasm_extern_delete(gx);
  wasm_extern_delete(cx);
  wasm_globaltype_delete(ct);
  wasm_globaltype_delete(vt);
  wasm_global_delete(c);
  wasm_global_delete(g);
  wasm_func_delete(bump);
  wasm_instance_delete(i);
  end(&f);
}

static void tables(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_instance_t *i = instance_with(f.store,
      "(module (table (export \"table\") 2 10 funcref) (func (export \"call\") (param i32 i32) (result i32) (call_indirect (param i32) (result i32) (local.get 0) (local.get 1)))"
      " (func $f (export \"f\") (param i32) (result i32) (local.get 0)) (func (export \"g\") (param i32) (result i32) (i32.const 666)) (elem (i32.const 1) $f))", NULL, 0);
  wasm_extern_t *x = mv_instance_export(i, "table");
  wasm_table_t *t = wasm_extern_as_table(x);
  wasm_func_t *call = func_of(i, "call"), *fn = func_of(i, "f"), *g = func_of(i, "g");
  assert_int_equal(wasm_table_size(t), 2);
  assert_null(wasm_table_get(t, 0));
  wasm_ref_t *r = wasm_table_get(t, 1);
  assert_true(wasm_ref_same(r, wasm_func_as_ref(fn)));
  assert_non_null(wasm_ref_as_func(r));
  assert_null(wasm_ref_as_global(r));
  wasm_ref_delete(r);
  assert_int_equal(call_i(call, 2, (int32_t[]){7, 1}), 7);
  assert_true(wasm_table_set(t, 0, wasm_func_as_ref(g)));
  assert_true(wasm_table_set(t, 1, NULL));
  assert_false(wasm_table_set(t, 2, NULL));
  assert_int_equal(call_i(call, 2, (int32_t[]){7, 0}), 666);
  wasm_val_t a[2] = {WASM_I32_VAL(7), WASM_I32_VAL(1)}, out[1];
  wasm_val_vec_t av = WASM_ARRAY_VEC(a), ov = WASM_ARRAY_VEC(out);
  expect_trap(wasm_func_call(call, &av, &ov), MV_TRAP, "uninitialized element");
  assert_true(wasm_table_grow(t, 3, wasm_func_as_ref(g)));
  assert_int_equal(wasm_table_size(t), 5);
  assert_int_equal(call_i(call, 2, (int32_t[]){7, 4}), 666);
  assert_false(wasm_table_grow(t, 6, NULL));
  wasm_tabletype_t *tt = wasm_table_type(t);
  assert_int_equal(wasm_tabletype_limits(tt)->min, 5);
  assert_int_equal(wasm_tabletype_limits(tt)->max, 10);
  wasm_tabletype_delete(tt);
  wasm_limits_t limits = {5, 5};
  tt = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
  wasm_table_t *t2 = wasm_table_new(f.store, tt, wasm_func_as_ref(fn));
  wasm_tabletype_delete(tt);
  assert_int_equal(wasm_table_size(t2), 5);
  assert_false(wasm_table_grow(t2, 1, NULL));
  assert_true(wasm_table_grow(t2, 0, NULL));
  wasm_foreign_t *foreign = wasm_foreign_new(f.store);
  assert_false(wasm_table_set(t2, 0, wasm_foreign_as_ref(foreign)));
  wasm_foreign_delete(foreign);
  wasm_table_delete(t2);
  wasm_func_delete(call);
  wasm_func_delete(fn);
  wasm_func_delete(g);
  wasm_extern_delete(x);
  wasm_instance_delete(i);
  end(&f);
}

static void memories(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_instance_t *i = instance_with(f.store,
      "(module (memory (export \"memory\") 2 3) (func (export \"load\") (param i32) (result i32) (i32.load8_s (local.get 0)))"
      " (data (i32.const 0x1000) \"\\01\\02\\03\\04\"))", NULL, 0);
  wasm_extern_t *x = mv_instance_export(i, "memory");
  wasm_memory_t *m = wasm_extern_as_memory(x), *copy = wasm_memory_copy(m);
  assert_true(wasm_memory_same(m, copy));
  assert_int_equal(wasm_memory_size(m), 2);
  assert_int_equal(wasm_memory_data_size(m), 2 * MEMORY_PAGE_SIZE);
  assert_int_equal(wasm_memory_data(m)[0x1003], 4);
  wasm_memory_data(m)[0x1002] = (byte_t)-6;
  wasm_func_t *load = func_of(i, "load");
  assert_int_equal(call_i(load, 1, (int32_t[]){0x1002}), -6);
  wasm_val_t a[1] = {WASM_I32_VAL(0x20000)}, out[1];
  wasm_val_vec_t av = WASM_ARRAY_VEC(a), ov = WASM_ARRAY_VEC(out);
  expect_trap(wasm_func_call(load, &av, &ov), MV_TRAP, "out of bounds memory access");
  assert_true(wasm_memory_grow(m, 1));
  assert_int_equal(call_i(load, 1, (int32_t[]){0x20000}), 0);
  assert_false(wasm_memory_grow(m, 1));
  assert_true(wasm_memory_grow(m, 0));
  wasm_memorytype_t *mt = wasm_memory_type(copy);
  assert_int_equal(wasm_memorytype_limits(mt)->min, 3);
  assert_int_equal(wasm_memorytype_limits(mt)->max, 3);
  wasm_memorytype_delete(mt);
  wasm_limits_t limits = {5, 5};
  mt = wasm_memorytype_new(&limits);
  wasm_memory_t *m2 = wasm_memory_new(f.store, mt);
  wasm_memorytype_delete(mt);
  assert_int_equal(wasm_memory_size(m2), 5);
  assert_false(wasm_memory_grow(m2, 1));
  wasm_memory_data(m2)[5 * 65536 - 1] = 1;
  wasm_memory_delete(m2);
  limits = (wasm_limits_t){5, 4};
  mt = wasm_memorytype_new(&limits);
  assert_null(wasm_memory_new(f.store, mt));
  wasm_memorytype_delete(mt);
  wasm_func_delete(load);
  wasm_extern_delete(x);
  wasm_instance_delete(i);
  end(&f);
  wasm_memory_delete(copy); /* a memory's handle may be the last to go */
}

/* ---- references ---- */

static wasm_trap_t *identity(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  wasm_val_copy(&results->data[0], &args->data[0]);
  return NULL;
}

static wasm_ref_t *call_r(wasm_func_t *fn, wasm_ref_t *arg, bool has_arg, bool has_result) {
  wasm_val_t a[1] = {WASM_REF_VAL(arg)}, r[1] = {WASM_INIT_VAL};
  wasm_val_vec_t av = {has_arg, a}, rv = {has_result, r};
  wasm_trap_t *trap = wasm_func_call(fn, &av, &rv);
  if (trap) trap_print(trap);
  return r[0].of.ref;
}

static void host_references(void **state) {
  (void)state;
  for (int stress = 0; stress < 2; stress++) {
    struct fixture f;
    begin_with(&f, (mv_options_t){.gc_stress = stress});
    wasm_functype_t *t = wasm_functype_new_1_1(wasm_valtype_new_externref(), wasm_valtype_new_externref());
    wasm_func_t *cb = wasm_func_new(f.store, t, identity);
    wasm_functype_delete(t);
    wasm_extern_t *imports[] = {wasm_func_as_extern(cb)};
    wasm_instance_t *i = instance_with(f.store,
        "(module (func $c (import \"\" \"f\") (param externref) (result externref)) (global $g (mut externref) (ref.null extern)) (table $t 10 externref)"
        " (func (export \"set\") (param externref) (global.set $g (local.get 0)) (table.set $t (i32.const 3) (local.get 0)))"
        " (func (export \"get\") (result externref) (global.get $g)) (func (export \"tget\") (result externref) (table.get $t (i32.const 3)))"
        " (func (export \"call\") (param externref) (result externref) (call $c (local.get 0))))", imports, 1);
    wasm_func_t *set = func_of(i, "set"), *get = func_of(i, "get"), *tget = func_of(i, "tget"), *call = func_of(i, "call");
    wasm_foreign_t *h1 = wasm_foreign_new(f.store), *h2 = wasm_foreign_new(f.store);
    finalized = 0;
    wasm_foreign_set_host_info_with_finalizer(h1, (void *)1, count_finalized);
    wasm_foreign_set_host_info_with_finalizer(h2, (void *)2, count_finalized);
    assert_null(call_r(get, NULL, false, true));
    wasm_ref_t *refs[] = {wasm_foreign_as_ref(h1), wasm_foreign_as_ref(h2), wasm_func_as_ref(cb), wasm_instance_as_ref(i), wasm_func_as_ref(set)};
    for (size_t k = 0; k < sizeof refs / sizeof *refs; k++) {
      call_r(set, refs[k], true, false);
      wasm_ref_t *r = call_r(get, NULL, false, true), *r2 = call_r(tget, NULL, false, true), *r3 = call_r(call, refs[k], true, true);
      assert_true(wasm_ref_same(r, refs[k]) && wasm_ref_same(r2, refs[k]) && wasm_ref_same(r3, refs[k]));
      assert_int_equal(wasm_ref_as_foreign(r) != NULL, k < 2);
      if (k < 2) assert_int_equal((intptr_t)wasm_ref_get_host_info(r3), (intptr_t)k + 1);
      wasm_ref_delete(r);
      wasm_ref_delete(r2);
      wasm_ref_delete(r3);
    }
    assert_null(call_r(call, NULL, true, true));
    wasm_trap_t *trap;
    wasm_message_t msg;
    wasm_name_new_from_string_nt(&msg, "boo");
    trap = wasm_trap_new(f.store, &msg);
    wasm_name_delete(&msg);
    wasm_ref_t *r = call_r(call, wasm_trap_as_ref(trap), true, true);
    assert_true(wasm_ref_same(r, wasm_trap_as_ref(trap)));
    wasm_trap_delete(trap);
    assert_non_null(wasm_ref_as_trap(r));
    wasm_ref_delete(r);
    call_r(set, wasm_foreign_as_ref(h1), true, false);
    wasm_foreign_delete(h1);
    wasm_foreign_delete(h2);
    if (stress) { /* the next allocation finds that nobody has h2 any more, but the guest h1 */
      wasm_foreign_delete(wasm_foreign_new(f.store));
      assert_int_equal(finalized, 1);
      wasm_ref_t *back = call_r(get, NULL, false, true);
      assert_int_equal((intptr_t)wasm_ref_get_host_info(back), 1);
      wasm_ref_delete(back);
    }
    wasm_func_delete(cb);
    wasm_func_delete(set);
    wasm_func_delete(get);
    wasm_func_delete(tget);
    wasm_func_delete(call);
    wasm_instance_delete(i);
    end(&f);
    assert_int_equal(finalized, 2);
  }
}

static void foreign_store(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_store_t *other = wasm_store_new(f.engine);
  wasm_foreign_t *h = wasm_foreign_new(other);
  wasm_instance_t *i = instance_with(f.store, "(module (func (export \"f\") (param externref)) (func (export \"g\") (param (ref extern))))", NULL, 0);
  wasm_func_t *fn = func_of(i, "f"), *g = func_of(i, "g");
  wasm_val_t a[1] = {WASM_REF_VAL(wasm_foreign_as_ref(h))}, null[1] = {WASM_REF_VAL(NULL)};
  wasm_val_vec_t av = WASM_ARRAY_VEC(a), nv = WASM_ARRAY_VEC(null), none = WASM_EMPTY_VEC;
  expect_trap(wasm_func_call(fn, &av, &none), MV_USAGE, "a reference of another store");
  assert_null(wasm_func_call(fn, &nv, &none));
  expect_trap(wasm_func_call(g, &nv, &none), MV_USAGE, "a value of type (ref extern) is wanted");
  wasm_func_delete(fn);
  wasm_func_delete(g);
  wasm_foreign_delete(h);
  wasm_instance_delete(i);
  wasm_store_delete(other);
  end(&f);
}

static void guest_objects(void **state) {
  (void)state;
  struct fixture f;
  begin_with(&f, (mv_options_t){.gc_stress = true});
  wasm_instance_t *i = instance_with(f.store,
      "(module (type $s (struct (field i32))) (func (export \"new\") (param i32) (result anyref) (struct.new $s (local.get 0)))"
      " (func (export \"get\") (param anyref) (result i32) (struct.get $s 0 (ref.cast (ref $s) (local.get 0))))"
      " (func (export \"i31\") (result i31ref) (ref.i31 (i32.const 77))))", NULL, 0);
  wasm_func_t *new = func_of(i, "new"), *get = func_of(i, "get"), *i31 = func_of(i, "i31");
  wasm_val_t r[3] = {WASM_INIT_VAL, WASM_INIT_VAL, WASM_INIT_VAL}, n, out;
  wasm_val_vec_t none = WASM_EMPTY_VEC;
  for (int k = 0; k < 2; k++) {
    n = (wasm_val_t)WASM_I32_VAL(100 + k);
    wasm_val_vec_t av = {1, &n}, rv = {1, &r[k]};
    assert_null(wasm_func_call(new, &av, &rv));
    assert_int_equal(r[k].kind, MV_ANYREF);
  }
  assert_false(wasm_ref_same(r[0].of.ref, r[1].of.ref));
  wasm_val_copy(&r[2], &r[0]);
  assert_true(wasm_ref_same(r[0].of.ref, r[2].of.ref));
  wasm_val_delete(&r[0]);
  for (int k = 1; k < 3; k++) {
    wasm_val_vec_t av = {1, &r[k]}, rv = {1, &out};
    assert_null(wasm_func_call(get, &av, &rv));
    assert_int_equal(out.of.i32, k == 1 ? 101 : 100);
  }
  wasm_val_vec_t rv = {1, &out};
  assert_null(wasm_func_call(i31, &none, &rv));
  assert_non_null(out.of.ref);
  wasm_val_vec_t av = {1, &out}, ov = {1, &n};
  expect_trap(wasm_func_call(get, &av, &ov), MV_TRAP, "cast failure");
  wasm_val_delete(&out);
  wasm_val_delete(&r[1]);
  wasm_val_delete(&r[2]);
  wasm_func_delete(new);
  wasm_func_delete(get);
  wasm_func_delete(i31);
  wasm_instance_delete(i);
  end(&f);
}

static int live;
static void finalize(void *data) {
  (void)data;
  live--;
}

static void finalizers(void **state) {
  (void)state;
  enum { N = 3000 };
  live = 0;
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *stores[2] = {wasm_store_new(engine), wasm_store_new(engine)};
  for (int k = 0; k < 2; k++) {
    wasm_module_t *m = module_of(stores[k], "(module (func (export \"f\")) (func (export \"g\")) (func (export \"h\")))");
    for (int n = 0; n < N; n++) {
      wasm_instance_t *i = wasm_instance_new(stores[k], m, NULL, NULL);
      assert_non_null(i);
      wasm_instance_set_host_info_with_finalizer(i, (void *)(intptr_t)n, finalize);
      live++;
      if (n % 100 == 0) {
        wasm_func_t *fn = func_of(i, "g");
        wasm_func_set_host_info_with_finalizer(fn, i, finalize);
        live++;
        wasm_func_set_host_info_with_finalizer(fn, NULL, finalize); /* the old info goes at once */
        wasm_func_delete(fn);
        fn = func_of(i, "g");
        assert_null(wasm_func_get_host_info(fn));
        wasm_func_delete(fn);
      }
      assert_int_equal((intptr_t)wasm_instance_get_host_info(i), n);
      wasm_instance_delete(i);
    }
    live += N / 100; /* the infos that are NULL have finalizers too */
    wasm_module_delete(m);
  }
  assert_int_equal(live, 2 * N + 2 * N / 100);
  wasm_store_delete(stores[0]);
  assert_int_equal(live, N + N / 100);
  wasm_engine_delete(engine); /* it stays as long as the store needs it */
  wasm_store_delete(stores[1]);
  assert_int_equal(live, 0);
}

static void tags(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_instance_t *i = instance_with(f.store, "(module (tag (export \"t\") (param i64)))", NULL, 0);
  wasm_extern_t *x = mv_instance_export(i, "t");
  assert_int_equal(wasm_extern_kind(x), WASM_EXTERN_TAG);
  wasm_externtype_t *t = wasm_extern_type(x);
  assert_int_equal(wasm_functype_params(wasm_tagtype_functype(wasm_externtype_as_tagtype(t)))->size, 1);
  wasm_externtype_delete(t);
  wasm_extern_t *imports[] = {x}, *copy = wasm_extern_copy(x);
  wasm_instance_t *j = instance_with(f.store, "(module (import \"\" \"t\" (tag (param i64))))", imports, 1);
  assert_true(wasm_extern_same(x, copy));
  assert_null(wasm_extern_as_func(x));
  wasm_extern_delete(x);
  wasm_extern_delete(copy);
  wasm_instance_delete(i);
  wasm_instance_delete(j);
  end(&f);
}

static void link_failures(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_module_t *m = module_of(f.store, "(module (import \"a\" \"b\" (func (param i32))) (import \"a\" \"g\" (global i32)))");
  wasm_functype_t *t = wasm_functype_new_1_0(wasm_valtype_new_i64());
  wasm_func_t *fn = wasm_func_new(f.store, t, hello_cb);
  wasm_functype_delete(t);
  wasm_extern_t *wrong[] = {wasm_func_as_extern(fn), NULL};
  wasm_extern_vec_t v = WASM_ARRAY_VEC(wrong), none = WASM_EMPTY_VEC;
  wasm_trap_t *trap;
  assert_null(wasm_instance_new(f.store, m, &v, &trap));
  expect_trap(trap, MV_UNLINKABLE, "incompatible import type");
  wrong[0] = NULL;
  assert_null(wasm_instance_new(f.store, m, &v, &trap));
  expect_trap(trap, MV_UNLINKABLE, "unknown import");
  assert_null(wasm_instance_new(f.store, m, &none, &trap));
  expect_trap(trap, MV_USAGE, "0 imports given, 2 wanted");
  wasm_func_delete(fn);
  wasm_module_delete(m);
  end(&f);
}

/* ---- several threads, several engines ---- */

struct job {
  wasm_engine_t *engine;
  wasm_shared_module_t *module;
  int32_t result;
};

static void *run_job(void *env) {
  struct job *j = env;
  for (int k = 0; k < 5; k++) {
    wasm_store_t *store = wasm_store_new(j->engine);
    wasm_module_t *m = wasm_module_obtain(store, j->module);
    wasm_functype_t *t = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
    wasm_func_t *cb = wasm_func_new(store, t, add_one);
    wasm_functype_delete(t);
    wasm_extern_t *imports[] = {wasm_func_as_extern(cb)};
    wasm_extern_vec_t v = WASM_ARRAY_VEC(imports);
    wasm_instance_t *i = wasm_instance_new(store, m, &v, NULL);
    wasm_extern_t *x = mv_instance_export(i, "run");
    uint64_t cells[1] = {1000};
    mv_error_t err;
    if (mv_func_call(wasm_extern_as_func(x), cells, &err)) j->result += (int32_t)cells[0];
    wasm_extern_delete(x);
    wasm_instance_delete(i);
    wasm_func_delete(cb);
    wasm_module_delete(m);
    wasm_store_delete(store);
  }
  return NULL;
}

static void threads(void **state) {
  (void)state;
  enum { N = 4 };
  struct fixture f;
  begin(&f);
  wasm_module_t *m = module_of(f.store,
      "(module (func $c (import \"\" \"c\") (param i32) (result i32)) (type $s (struct (field i32)))"
      " (func (export \"run\") (param i32) (result i32) (local $n i32)"
      "  (loop $l (drop (struct.new $s (local.get 0))) (local.set $n (call $c (local.get $n))) (br_if $l (i32.lt_u (local.get $n) (local.get 0)))) (local.get $n)))");
  wasm_shared_module_t *shared = wasm_module_share(m);
  wasm_module_delete(m);
  struct job jobs[N];
  pthread_t ids[N];
  for (int i = 0; i < N; i++) {
    jobs[i] = (struct job){f.engine, shared, 0};
    assert_int_equal(pthread_create(&ids[i], NULL, run_job, &jobs[i]), 0);
  }
  for (int i = 0; i < N; i++) {
    pthread_join(ids[i], NULL);
    assert_int_equal(jobs[i].result, 5000);
  }
  wasm_shared_module_delete(shared);
  end(&f);
}

static void shared_memory(void **state) {
  (void)state;
  struct fixture f;
  begin_with(&f, (mv_options_t){.features = mv_features_all()});
  wasm_store_t *other = wasm_store_new(f.engine);
  wasm_instance_t *i = instance_with(f.store, "(module (memory (export \"m\") 1 2 shared) (memory (export \"u\") 1))", NULL, 0);
  wasm_extern_t *x = mv_instance_export(i, "m"), *u = mv_instance_export(i, "u");
  assert_null(mv_memory_share(wasm_extern_as_memory(u), other));
  wasm_extern_t *there = mv_memory_share(wasm_extern_as_memory(x), other);
  assert_non_null(there);
  wasm_instance_t *j = instance_with(other, "(module (import \"\" \"m\" (memory 1 2 shared)) (func (export \"f\") (i32.store (i32.const 8) (i32.const 99))))", &there, 1);
  wasm_func_t *fn = func_of(j, "f");
  assert_null(wasm_func_call(fn, NULL, NULL));
  assert_int_equal(wasm_memory_data(wasm_extern_as_memory(x))[8], 99);
  wasm_extern_delete(x);
  wasm_extern_delete(u);
  wasm_extern_delete(there);
  wasm_instance_delete(i);
  wasm_store_delete(f.store); /* the other store keeps the memory */
  assert_null(wasm_func_call(fn, NULL, NULL));
  wasm_func_delete(fn);
  wasm_instance_delete(j);
  wasm_store_delete(other);
  wasm_engine_delete(f.engine);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(type_values), cmocka_unit_test(hello), cmocka_unit_test(callback), cmocka_unit_test(multi), cmocka_unit_test(arity),
      cmocka_unit_test(traps), cmocka_unit_test(start), cmocka_unit_test(reflect), cmocka_unit_test(serialize), cmocka_unit_test(sharing_modules),
      cmocka_unit_test(globals), cmocka_unit_test(tables), cmocka_unit_test(memories), cmocka_unit_test(host_references),
      cmocka_unit_test(foreign_store), cmocka_unit_test(guest_objects), cmocka_unit_test(finalizers), cmocka_unit_test(tags),
      cmocka_unit_test(link_failures), cmocka_unit_test(threads), cmocka_unit_test(shared_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
