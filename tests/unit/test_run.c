/* The run-time structures (vm/run): memories, tables, linking, instantiation, constant expressions, waiting. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/os.h"
#include "wat.h"

struct fixture {
  struct types *types;
  mv_options_t options;
  struct store *s;
  struct module *modules[16];
  size_t nmodules;
};

static void begin(struct fixture *f, mv_options_t options) {
  *f = (struct fixture){.options = options};
  f->types = types_new();
  assert_non_null(f->types);
  f->s = store_open(f->types, &f->options);
}

static void end(struct fixture *f) {
  store_close(f->s);
  while (f->nmodules > 0) module_drop(f->modules[--f->nmodules]);
  types_delete(f->types);
}

static struct module *module(struct fixture *f, const char *wat) {
  struct module *m = module_of(f->types, &f->options, wat);
  return f->modules[f->nmodules++] = m;
}

static struct instance *instantiate(struct fixture *f, const char *wat, const struct extern_ref *imports) {
  mv_error_t err = {0};
  struct instance *inst;
  MUST(instance_new(f->s, module(f, wat), imports, &inst, &err), &err);
  return inst;
}

/* Instantiates what must fail; returns the instance, if there is one all the same. */
static struct instance *refuse(struct fixture *f, const char *wat, const struct extern_ref *imports, mv_kind_t kind, const char *message) {
  mv_error_t err = {0};
  struct instance *inst;
  assert_false(instance_new(f->s, module(f, wat), imports, &inst, &err));
  assert_int_equal(err.kind, kind);
  assert_prefix(err.message, message);
  return inst;
}

static cell global_value(struct instance *inst, const char *name) {
  struct extern_ref x = export_of(inst, name);
  assert_int_equal(x.kind, EXTERN_GLOBAL);
  return x.u.global->cell[0];
}

/* ---- memories ---- */

static struct memtype memtype(uint64_t min, uint64_t max, bool has_max) {
  return (struct memtype){.limits = {.min = min, .max = max, .has_max = has_max}, .page_shift = 16};
}

static void memory_grows(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  mv_error_t err = {0};
  struct mem_inst *m;
  struct memtype t = memtype(1, 20, true);
  MUST(memory_new(f.s, &t, &m, &err), &err);
  assert_int_equal(m->size, 65536);
  uint8_t *before = m->base;
  m->base[0] = 7;
  m->base[65535] = 8;
  assert_int_equal(memory_grow(m, 0), 1);
  assert_int_equal(memory_grow(m, 3), 1);
  assert_int_equal(m->size, 4 * 65536);
  if (os_reserve_most() > 0) assert_ptr_equal(m->base, before);
  assert_int_equal(m->base[0], 7);
  assert_int_equal(m->base[65535], 8);
  for (size_t i = 65536; i < 4 * 65536; i += 97) assert_int_equal(m->base[i], 0);
  m->base[4 * 65536 - 1] = 9;
  assert_true(memory_grow(m, 17) == UINT64_MAX);
  assert_true(memory_grow(m, UINT64_MAX) == UINT64_MAX);
  assert_int_equal(memory_grow(m, 16), 4);
  assert_int_equal(m->base[4 * 65536 - 1], 9);
  assert_true(memory_grow(m, 1) == UINT64_MAX);
  end(&f);
}

static void memory_limits(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){.max_memory = 3 * 65536});
  mv_error_t err = {0};
  struct mem_inst *m;
  struct memtype t = memtype(4, 0, false);
  assert_false(memory_new(f.s, &t, &m, &err));
  assert_int_equal(err.kind, MV_LIMIT);
  assert_prefix(err.message, "memory size limit");
  err = (mv_error_t){0};
  t = memtype(0, 0, false);
  MUST(memory_new(f.s, &t, &m, &err), &err);
  assert_int_equal(memory_grow(m, 3), 0);
  assert_true(memory_grow(m, 1) == UINT64_MAX);
  m->base[3 * 65536 - 1] = 1;
  t = (struct memtype){.limits = {.min = 5, .max = 70000, .has_max = true}, .page_shift = 0};
  MUST(memory_new(f.s, &t, &m, &err), &err);
  assert_int_equal(m->size, 5);
  m->base[4] = 1;
  assert_int_equal(memory_grow(m, 65540), 5);
  assert_int_equal(m->base[5] | m->base[65544], 0);
  assert_int_equal(m->base[4], 1);
  t = (struct memtype){.limits = {.min = 1, .is64 = true}, .page_shift = 16};
  MUST(memory_new(f.s, &t, &m, &err), &err);
  assert_int_equal(memory_grow(m, 1), 1);
  assert_true(memory_grow(m, (uint64_t)1 << 47) == UINT64_MAX);
  end(&f);
}

/* 65,536 pages are 4 GiB that nobody touches. */
static void memory_huge(void **state) {
  (void)state;
  if (sizeof(void *) < 8) skip();
  struct rlimit now;
  if (getrlimit(RLIMIT_AS, &now) != 0 || now.rlim_cur < (rlim_t)6 << 30) skip(); // it needs 4 GiB for itself
  struct fixture f;
  begin(&f, (mv_options_t){0});
  mv_error_t err = {0};
  struct mem_inst *m;
  struct memtype t = memtype(65536, 0, false);
  MUST(memory_new(f.s, &t, &m, &err), &err);
  m->base[((uint64_t)1 << 32) - 1] = 1;
  assert_true(memory_grow(m, 1) == UINT64_MAX);
  end(&f);
}

/* With little address space memories are mapped exactly and move; growth beyond it is refused. Exit status: what went wrong. */
enum { NOT_ENFORCED = 77 };
static int small_address_space(int alive) {
  struct fixture f;
  mv_error_t err = {0};
  struct mem_inst *m;
  struct rlimit now, limit;
  begin(&f, (mv_options_t){0});
  if (getrlimit(RLIMIT_AS, &now) != 0) return 1;
  limit = (struct rlimit){(rlim_t)256 << 20, now.rlim_max};
  if (setrlimit(RLIMIT_AS, &limit) != 0) return 1;
  if (os_map((size_t)512 << 20)) return NOT_ENFORCED;
  if (write(alive, "", 1) != 1) return 1;
  struct memtype t = memtype(2, 0, false);
  if (!memory_new(f.s, &t, &m, &err)) return 2;
  m->base[0] = 1;
  m->base[2 * 65536 - 1] = 2;
  for (unsigned i = 2; i < 200; i++) {
    if (memory_grow(m, 1) != i) return 3;
    if (m->base[0] != 1 || m->base[2 * 65536 - 1] != 2 || m->base[m->size - 1] != 0) return 4;
    m->base[m->size - 1] = 0;
  }
  if (memory_grow(m, 60000) != UINT64_MAX) return 5;
  if (m->size != (uint64_t)200 * 65536 || m->base[0] != 1) return 6;
  t.limits = (struct limits){.min = 1, .max = 65536, .has_max = true, .shared = true};
  if (memory_new(f.s, &t, &m, &err) || err.kind != MV_NO_MEMORY) return 7;
  end(&f);
  return 0;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZER 1
#endif
#endif

static void memory_without_space(void **state) {
  (void)state;
#ifdef SANITIZER
  skip(); /* the sanitizer's own address space is above any limit */
#endif
  int alive[2];
  assert_int_equal(pipe(alive), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) _exit(small_address_space(alive[1]));
  close(alive[1]);
  struct pollfd p = {.fd = alive[0], .events = POLLIN};
  bool stuck = poll(&p, 1, 5000) == 0; /* some emulators look for a place for ever; that is no failure of ours */
  if (stuck) kill(child, SIGKILL);
  close(alive[0]);
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  if (stuck) skip();
  assert_true(WIFEXITED(status));
  if (WEXITSTATUS(status) == NOT_ENFORCED) skip(); /* an emulator that does not know this limit */
  assert_int_equal(WEXITSTATUS(status), 0);
}

static void memory_shared(void **state) {
  (void)state;
  struct fixture f, g;
  begin(&f, (mv_options_t){.features = mv_features_all()});
  begin(&g, (mv_options_t){.features = mv_features_all()});
  mv_error_t err = {0};
  struct mem_inst *m;
  struct memtype t = {.limits = {.min = 1, .max = 4, .has_max = true, .shared = true}, .page_shift = 16};
  MUST(memory_new(f.s, &t, &m, &err), &err);
  uint8_t *base = m->base;
  assert_null(m->store);
  struct extern_ref import = {.kind = EXTERN_MEMORY, .u.memory = m};
  struct instance *inst = instantiate(&g, "(module (import \"a\" \"m\" (memory 1 4 shared)))", &import);
  assert_ptr_equal(inst->mem0, m);
  assert_int_equal(atomic_load(&m->refs), 2);
  assert_int_equal(memory_grow(m, 3), 1);
  assert_ptr_equal(m->base, base);
  end(&f); /* the store that made it goes first */
  assert_int_equal(memory_grow(m, 0), 4);
  m->base[4 * 65536 - 1] = 1;
  end(&g);
}

/* ---- tables ---- */

static void table_ops(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){.max_table = 100});
  mv_error_t err = {0};
  struct table_inst *t, *u;
  struct tabletype type = {.type = VT_EXTERNREF, .limits = {.min = 4, .max = 50, .has_max = true}};
  MUST(table_new(f.s, &type, 3, &t, &err), &err);
  for (int i = 0; i < 4; i++) assert_int_equal(t->elems[i], 3);
  assert_int_equal(table_grow(f.s, t, 6, 5), 4);
  assert_int_equal(t->size, 10);
  assert_int_equal(t->elems[3], 3);
  assert_int_equal(t->elems[9], 5);
  assert_true(table_grow(f.s, t, 41, 5) == UINT64_MAX);
  assert_true(table_grow(f.s, t, UINT64_MAX, 5) == UINT64_MAX);
  assert_int_equal(table_grow(f.s, t, 40, 7), 10);
  assert_true(table_fill(t, 48, 9, 2));
  assert_false(table_fill(t, 49, 9, 2));
  assert_false(table_fill(t, UINT64_MAX, 9, 2));
  assert_int_equal(t->elems[49], 9);
  assert_true(table_fill(t, 50, 1, 0));
  assert_false(table_fill(t, 51, 1, 0));
  for (cell i = 0; i < 50; i++) t->elems[i] = i * 8;
  assert_true(table_copy(t, t, 1, 0, 20));
  assert_int_equal(t->elems[20], 19 * 8);
  assert_int_equal(t->elems[1], 0);
  assert_true(table_copy(t, t, 0, 1, 20));
  assert_int_equal(t->elems[19], 19 * 8);
  assert_false(table_copy(t, t, 31, 0, 20));
  assert_false(table_copy(t, t, 0, 31, 20));
  type.limits = (struct limits){.min = 0};
  MUST(table_new(f.s, &type, 0, &u, &err), &err);
  assert_true(table_copy(u, t, 0, 50, 0));
  assert_int_equal(table_grow(f.s, u, 100, 0), 0);
  assert_true(table_grow(f.s, u, 1, 0) == UINT64_MAX);
  type.limits.min = 101;
  assert_false(table_new(f.s, &type, 0, &u, &err));
  assert_int_equal(err.kind, MV_LIMIT);
  assert_prefix(err.message, "table size limit");
  end(&f);
}

/* ---- linking ---- */

static void imports_checked(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  struct instance *p = instantiate(&f,
      "(module (func (export \"f\") (param i32) (result i32) (local.get 0)) (global (export \"g\") i32 (i32.const 1))"
      " (global (export \"gm\") (mut i64) (i64.const 1)) (table (export \"t\") 10 20 funcref) (memory (export \"m\") 2 3)"
      " (tag (export \"e\") (param i32)))", NULL);
  struct { const char *name, *wat; bool ok; } cases[] = {
      {"f", "(func (param i32) (result i32))", true},
      {"f", "(func (param i32))", false},
      {"f", "(global i32)", false},
      {"g", "(global i32)", true},
      {"g", "(global (mut i32))", false},
      {"g", "(global i64)", false},
      {"gm", "(global (mut i64))", true},
      {"gm", "(global i64)", false},
      {"t", "(table 10 20 funcref)", true},
      {"t", "(table 0 funcref)", true},
      {"t", "(table 5 30 funcref)", true},
      {"t", "(table 11 20 funcref)", false},
      {"t", "(table 10 19 funcref)", false},
      {"t", "(table 10 20 externref)", false},
      {"t", "(table i64 10 20 funcref)", false},
      {"m", "(memory 2 3)", true},
      {"m", "(memory 0)", true},
      {"m", "(memory 3)", false},
      {"m", "(memory 2 2)", false},
      {"m", "(memory i64 2 3)", false},
      {"e", "(tag (param i32))", true},
      {"e", "(tag (param i64))", false},
      {"e", "(func (param i32))", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char wat[200];
    struct instance *inst;
    mv_error_t err = {0};
    snprintf(wat, sizeof wat, "(module (import \"mod\" \"%s\" %s))", cases[i].name, cases[i].wat);
    struct extern_ref x = export_of(p, cases[i].name);
    struct module *m = module_of(f.types, &f.options, wat);
    bool ok = extern_matches(f.s, &x, m, &m->imports[0]);
    if (ok != cases[i].ok) fail_msg("%s for %s", cases[i].wat, cases[i].name);
    if (!ok) {
      assert_false(instance_new(f.s, m, &x, &inst, &err));
      assert_null(inst);
      assert_int_equal(err.kind, MV_UNLINKABLE);
      assert_prefix(err.message, "incompatible import type");
      assert_non_null(strstr(err.message, cases[i].wat + 1));
      assert_non_null(strstr(err.message, "\"mod\""));
    }
    module_drop(m);
  }
  struct extern_ref none = {.kind = EXTERN_FUNC};
  refuse(&f, "(module (import \"mod\" \"nowhere\" (func)))", &none, MV_UNLINKABLE, "unknown import: \"mod\" \"nowhere\"");
  end(&f);
}

/* Growth changes what an import sees: its size counts, not the declared minimum. */
static void import_after_growth(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  struct instance *p = instantiate(&f, "(module (memory (export \"m\") 1) (table (export \"t\") 1 funcref))", NULL);
  struct extern_ref x[2] = {export_of(p, "m"), export_of(p, "t")};
  const char *wat = "(module (import \"p\" \"m\" (memory 2)) (import \"p\" \"t\" (table 3 funcref)))";
  assert_null(refuse(&f, wat, x, MV_UNLINKABLE, "incompatible import type"));
  assert_int_equal(memory_grow(x[0].u.memory, 1), 1);
  assert_int_equal(table_grow(f.s, x[1].u.table, 2, REF_NULL), 1);
  instantiate(&f, wat, x);
  end(&f);
}

static void subtyped_imports(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  struct instance *p = instantiate(&f,
      "(module (type $a (sub (func))) (type $b (sub $a (func))) (func (export \"b\") (type $b)) (func (export \"a\") (type $a))"
      " (global (export \"g\") (ref $b) (ref.func 0)) (elem declare func 0))", NULL);
  struct extern_ref b = export_of(p, "b"), a = export_of(p, "a"), g = export_of(p, "g");
  instantiate(&f, "(module (type $a (sub (func))) (type $b (sub $a (func))) (import \"p\" \"b\" (func (type $a))))", &b);
  refuse(&f, "(module (type $a (sub (func))) (type $b (sub $a (func))) (import \"p\" \"a\" (func (type $b))))", &a, MV_UNLINKABLE, "incompatible import type");
  instantiate(&f, "(module (import \"p\" \"g\" (global funcref)))", &g);
  refuse(&f, "(module (import \"p\" \"g\" (global externref)))", &g, MV_UNLINKABLE, "incompatible import type");
  end(&f);
}

/* ---- instantiation ---- */

/* Nothing is written when linking fails; what was written before a trap stays, and functions of the failed instance are alive. */
static void all_or_nothing(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  struct instance *p = instantiate(&f, "(module (memory (export \"m\") 1) (table (export \"t\") 10 funcref))", NULL);
  struct extern_ref x[3] = {export_of(p, "m"), export_of(p, "t"), {.kind = EXTERN_FUNC}};
  const uint8_t *bytes = x[0].u.memory->base;
  uint64_t instances = f.s->ninstances;
  refuse(&f,
      "(module (import \"p\" \"m\" (memory 1)) (import \"p\" \"t\" (table 10 funcref)) (import \"q\" \"none\" (func))"
      " (func $f) (elem (i32.const 0) $f) (data (i32.const 0) \"abc\"))",
      x, MV_UNLINKABLE, "unknown import");
  assert_int_equal(bytes[0], 0);
  assert_true(x[1].u.table->elems[0] == REF_NULL);
  assert_int_equal(f.s->ninstances, instances);
  struct instance *broken = refuse(&f,
      "(module (import \"p\" \"m\" (memory 1)) (import \"p\" \"t\" (table 10 funcref))"
      " (func $f (result i32) (i32.const 42)) (elem (i32.const 3) $f) (data (i32.const 0) \"abc\") (data (i32.const 65535) \"de\") (data (i32.const 5) \"f\"))",
      x, MV_TRAP, "out of bounds memory access");
  assert_non_null(broken);
  assert_memory_equal(bytes, "abc\0\0\0", 6);
  assert_int_equal(bytes[65535], 0);
  struct func *fn = (struct func *)(uintptr_t)x[1].u.table->elems[3];
  assert_non_null(fn);
  cell c[1] = {0};
  mv_error_t err = {0};
  MUST(exec_call(f.s, fn, c, &err), &err);
  assert_int_equal(c[0], 42);
  refuse(&f, "(module (import \"p\" \"m\" (memory 1)) (import \"p\" \"t\" (table 10 funcref)) (func $f) (elem (i32.const 9) $f $f))", x, MV_TRAP,
         "out of bounds table access");
  assert_true(x[1].u.table->elems[9] == REF_NULL);
  end(&f);
}

static void constants(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  struct instance *i = instantiate(&f,
      "(module (type $s (struct (field i8) (field (mut i64)) (field (ref null $s)))) (type $v (array v128)) (type $a (array (mut i16)))"
      " (func $f) (elem declare func $f)"
      " (global (export \"add\") i32 (i32.add (i32.const -1) (i32.mul (i32.const 65536) (i32.const 65536))))"
      " (global $b (export \"sub\") i64 (i64.sub (i64.const 1) (i64.mul (i64.const 3) (i64.const -5))))"
      " (global (export \"copy\") i64 (i64.add (global.get $b) (i64.const 1)))"
      " (global (export \"f32\") f32 (f32.const -0x1p-1)) (global (export \"f64\") f64 (f64.const 2))"
      " (global (export \"v\") v128 (v128.const i64x2 5 6))"
      " (global (export \"i31\") (ref i31) (ref.i31 (i32.const -1)))"
      " (global (export \"func\") (ref func) (ref.func $f))"
      " (global (export \"null\") anyref (ref.null any))"
      " (global $s1 (export \"s\") (ref $s) (struct.new $s (i32.const 0x1ff) (i64.const 9) (struct.new_default $s)))"
      " (global (export \"same\") eqref (global.get $s1))"
      " (global (export \"ext\") externref (extern.convert_any (global.get $s1)))"
      " (global (export \"arr\") (ref $a) (array.new $a (i32.const 0x12345) (i32.const 3)))"
      " (global (export \"fix\") (ref $a) (array.new_fixed $a 3 (i32.const 1) (i32.const 2) (i32.const 3)))"
      " (global (export \"vec\") (ref $v) (array.new_fixed $v 2 (v128.const i64x2 1 2) (v128.const i64x2 3 4)))"
      " (global (export \"last\") i32 (i32.const 77)))", NULL);
  assert_true(global_value(i, "add") == UINT32_MAX);
  assert_true(global_value(i, "sub") == 16);
  assert_true(global_value(i, "copy") == 17);
  assert_true(global_value(i, "f32") == 0xbf000000u);
  assert_true(global_value(i, "f64") == 0x4000000000000000u);
  struct extern_ref v = export_of(i, "v");
  assert_int_equal(v.u.global->cell[0], 5);
  assert_int_equal(v.u.global->cell[1], 6);
  assert_true(global_value(i, "i31") == 0xffffffffu);
  assert_true(global_value(i, "func") == (cell)(uintptr_t)instance_func(i, 0));
  assert_true(global_value(i, "null") == REF_NULL);
  assert_int_equal(global_value(i, "last"), 77);
  struct object *s = ref_object(global_value(i, "s"));
  const struct deftype *t = types_get(f.types, s->type);
  cell c[2];
  field_get(s, t->u.agg.fields[0].offset, VT_I8, false, c);
  assert_int_equal(c[0], 0xff);
  field_get(s, t->u.agg.fields[0].offset, VT_I8, true, c);
  assert_true(c[0] == UINT32_MAX);
  field_get(s, t->u.agg.fields[1].offset, VT_I64, false, c);
  assert_int_equal(c[0], 9);
  field_get(s, t->u.agg.fields[2].offset, VT_ANYREF, false, c);
  assert_int_equal(ref_object(c[0])->kind, OBJ_STRUCT);
  assert_true(global_value(i, "same") == object_ref(s));
  assert_true(global_value(i, "ext") == object_ref(s));
  struct object *a = ref_object(global_value(i, "arr"));
  assert_int_equal(a->u.length, 3);
  field_get(a, 4, VT_I16, false, c);
  assert_int_equal(c[0], 0x2345);
  a = ref_object(global_value(i, "fix"));
  field_get(a, 2, VT_I16, true, c);
  assert_int_equal(c[0], 2);
  a = ref_object(global_value(i, "vec"));
  field_get(a, 16, VT_V128, false, c);
  assert_int_equal(c[0], 3);
  assert_int_equal(c[1], 4);
  end(&f);
}

/* An array.new_fixed of many values makes the evaluator's stack grow; with a collection at each allocation nothing is lost. */
static void constants_under_stress(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){.gc_stress = true});
  enum { N = 500 };
  char *wat = malloc(N * 40 + 300), *p = wat;
  p += sprintf(p, "(module (type $s (struct (field i32))) (type $a (array (ref $s))) (global (export \"g\") (ref $a) (array.new_fixed $a %d", N);
  for (int i = 0; i < N; i++) p += sprintf(p, " (struct.new $s (i32.const %d))", i);
  sprintf(p, ")))");
  struct instance *inst = instantiate(&f, wat, NULL);
  free(wat);
  gc_collect(f.s);
  struct object *a = ref_object(global_value(inst, "g"));
  assert_int_equal(a->u.length, N);
  for (unsigned i = 0; i < N; i++) {
    cell r, v;
    field_get(a, i * 8u, VT_ANYREF, false, &r);
    field_get(ref_object(r), 0, VT_I32, false, &v);
    assert_int_equal(v, i);
  }
  assert_true(f.s->stats.collections > N);
  end(&f);
}

static void segments(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){.gc_stress = true});
  struct instance *i = instantiate(&f,
      "(module (type $s (struct (field i32))) (func $f) (func $g) (memory 1) (table $t (export \"t\") 6 funcref) (table $u (export \"u\") 4 anyref)"
      " (elem $act (table $t) (i32.const 1) func $f $g) (elem $pas func $g $f $g)"
      " (elem $obj (ref $s) (item (struct.new $s (i32.const 5))) (item (struct.new $s (i32.const 6)))) (elem $decl declare func $f)"
      " (data $d \"hello\") (data $a (i32.const 10) \"xyz\"))", NULL);
  mv_error_t err = {0};
  cell *t = export_of(i, "t").u.table->elems, *u = export_of(i, "u").u.table->elems, fn[2], v;
  for (uint32_t k = 0; k < 2; k++) fn[k] = (cell)(uintptr_t)instance_func(i, k);
  assert_true(t[1] == fn[0] && t[2] == fn[1] && t[0] == REF_NULL);
  assert_true(table_init(i, 0, 1, 3, 1, 2, &err));
  assert_true(t[3] == fn[0] && t[4] == fn[1]);
  assert_false(table_init(i, 0, 1, 4, 0, 3, &err));
  assert_false(table_init(i, 0, 1, 0, 1, 3, &err));
  assert_false(table_init(i, 0, 0, 0, 0, 1, &err)); /* active: dropped */
  assert_true(table_init(i, 0, 0, 6, 0, 0, &err));
  assert_false(table_init(i, 0, 3, 0, 0, 1, &err)); /* declarative: dropped */
  assert_true(table_init(i, 1, 2, 0, 0, 2, &err));
  assert_true(table_init(i, 1, 2, 2, 0, 2, &err));
  assert_true(u[0] == u[2] && u[1] == u[3] && u[0] != u[1]); /* evaluated once */
  elem_drop(i, 2);
  gc_collect(f.s);
  field_get(ref_object(u[1]), 0, VT_I32, false, &v);
  assert_int_equal(v, 6);
  assert_false(table_init(i, 1, 2, 0, 0, 1, &err));
  assert_int_equal(err.kind, MV_OK);
  assert_memory_equal(i->mem0->base + 10, "xyz", 3);
  assert_true(memory_init(i, 0, 0, 100, 1, 4));
  assert_memory_equal(i->mem0->base + 100, "ello", 4);
  assert_false(memory_init(i, 0, 0, 65533, 0, 4));
  assert_false(memory_init(i, 0, 0, 0, 2, 4));
  assert_false(memory_init(i, 0, 1, 0, 0, 1));
  data_drop(i, 0);
  assert_false(memory_init(i, 0, 0, 0, 0, 1));
  assert_true(memory_init(i, 0, 0, 65536, 0, 0));
  end(&f);
}

static void no_memory_at_all(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){.max_instances = 2});
  struct instance *i = instantiate(&f, "(module)", NULL);
  assert_non_null(i->mem0);
  assert_int_equal(i->mem0->size, 0);
  instantiate(&f, "(module (func))", NULL);
  assert_null(refuse(&f, "(module)", NULL, MV_LIMIT, "instance limit"));
  end(&f);
}

/* A failed instantiation takes back what it made. */
static void failed_definitions(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){.max_table = 5});
  assert_null(refuse(&f, "(module (memory 1) (table 2 funcref) (table 6 funcref) (func $f) (global funcref (ref.func $f)))", NULL, MV_LIMIT, "table size limit"));
  assert_null(f.s->instances);
  assert_null(f.s->memories);
  assert_null(f.s->tables);
  assert_int_equal(f.s->ninstances, 0);
  end(&f);
}

/* ---- references ---- */

static void reference_types(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  struct instance *i = instantiate(&f,
      "(module (type $a (sub (struct (field i32)))) (type $b (sub $a (struct (field i32) (field i32)))) (type $arr (array i8)) (func $f)"
      " (elem declare func $f) (global (export \"b\") anyref (struct.new_default $b)) (global (export \"a\") anyref (struct.new_default $a))"
      " (global (export \"arr\") anyref (array.new_default $arr (i32.const 1))) (global (export \"f\") funcref (ref.func $f)))", NULL);
  cell b = global_value(i, "b"), a = global_value(i, "a"), arr = global_value(i, "arr"), fn = global_value(i, "f"), i31 = ref_i31(5);
  uint32_t ida = i->module->type_ids[0], idb = i->module->type_ids[1];
  mv_error_t err = {0};
  cell host = object_ref(&gc_host(f.s, NULL, NULL, &err)->head);
  struct { cell r; uint32_t heap; unsigned flags; bool match; } cases[] = {
      {b, ida, 0, true}, {b, idb, 0, true}, {a, idb, 0, false}, {a, ida, 0, true}, {b, ida, VT_EXACT, false}, {b, idb, VT_EXACT, true},
      {b, HEAP_STRUCT, 0, true}, {b, HEAP_ARRAY, 0, false}, {b, HEAP_EQ, 0, true}, {b, HEAP_ANY, 0, true}, {b, HEAP_I31, 0, false}, {b, HEAP_NONE, 0, false},
      {arr, HEAP_ARRAY, 0, true}, {arr, ida, 0, false}, {i31, HEAP_I31, 0, true}, {i31, HEAP_EQ, 0, true}, {i31, HEAP_STRUCT, 0, false},
      {i31, HEAP_ANY, 0, true}, {i31, HEAP_EXTERN, 0, true}, {REF_NULL, HEAP_ANY, VT_NULLABLE, true}, {REF_NULL, HEAP_ANY, 0, false},
      {fn, HEAP_FUNC, 0, true}, {fn, HEAP_NOFUNC, 0, false}, {fn, instance_func(i, 0)->type, 0, true}, {host, HEAP_EXTERN, 0, true},
      {host, HEAP_ANY, 0, true}, {host, HEAP_EQ, 0, false}, {host, HEAP_EXN, 0, false}, {host, ida, 0, false}, {host, HEAP_NOEXTERN, 0, false},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    if (ref_matches(f.s, cases[k].r, VT_REFTYPE(cases[k].heap, cases[k].flags)) != cases[k].match) fail_msg("case %zu", k);
  end(&f);
}

/* ---- waiting ---- */

struct sleeper {
  struct store *s;
  struct mem_inst *m;
  uint64_t ea;
  int64_t timeout;
  int result;
  pthread_t thread;
};

static void *sleep32(void *env) {
  struct sleeper *w = env;
  w->result = memory_wait32(w->s, w->m, w->ea, 0, w->timeout);
  return NULL;
}

static struct mem_inst *shared_memory(struct fixture *f) {
  mv_error_t err = {0};
  struct mem_inst *m;
  struct memtype t = {.limits = {.min = 1, .max = 1, .has_max = true, .shared = true}, .page_shift = 16};
  MUST(memory_new(f->s, &t, &m, &err), &err);
  return m;
}

/* Leaves the lock to others meanwhile. */
static uint32_t notify_gently(struct mem_inst *m, uint64_t ea, uint32_t count) {
  usleep(1000);
  return memory_notify(m, ea, count);
}

static void wait_and_notify(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  struct mem_inst *m = shared_memory(&f);
  assert_int_equal(memory_wait32(f.s, m, 8, 1, 0), 1);
  assert_int_equal(memory_wait32(f.s, m, 8, 0, 0), 2);
  assert_int_equal(memory_wait64(f.s, m, 8, 1, -1), 1);
  assert_int_equal(memory_wait64(f.s, m, 8, 0, 1000000), 2);
  m->base[8] = 0x34;
  m->base[9] = 0x12;
  assert_int_equal(memory_wait32(f.s, m, 8, 0x1234, 0), 2); /* little-endian */
  assert_int_equal(memory_wait64(f.s, m, 8, 0x1234, 0), 2);
  assert_int_equal(memory_notify(m, 8, 10), 0);
  struct sleeper w[4];
  for (int i = 0; i < 4; i++) {
    w[i] = (struct sleeper){.s = f.s, .m = m, .ea = i == 3 ? 64 : 16, .timeout = -1, .result = -1};
    assert_int_equal(pthread_create(&w[i].thread, NULL, sleep32, &w[i]), 0);
  }
  uint32_t woken = 0;
  while (woken < 1) woken += notify_gently(m, 16, 1);
  while (woken < 3) woken += notify_gently(m, 16, 3 - woken);
  assert_int_equal(woken, 3);
  assert_int_equal(memory_notify(m, 16, 10), 0);
  while (notify_gently(m, 64, UINT32_MAX) != 1) continue;
  for (int i = 0; i < 4; i++) {
    pthread_join(w[i].thread, NULL);
    assert_int_equal(w[i].result, 0);
  }
  end(&f);
}

static void wait_is_interrupted(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){.interruptible = true});
  struct mem_inst *m = shared_memory(&f);
  struct sleeper w = {.s = f.s, .m = m, .ea = 16, .timeout = -1, .result = -1};
  assert_int_equal(pthread_create(&w.thread, NULL, sleep32, &w), 0);
  exec_interrupt(f.s, true);
  pthread_join(w.thread, NULL);
  assert_int_equal(w.result, 3);
  exec_interrupt(f.s, false);
  assert_int_equal(memory_notify(m, 16, 1), 0);
  end(&f);
}

static void unshared_notify(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  struct instance *i = instantiate(&f, "(module (memory 1))", NULL);
  assert_int_equal(memory_notify(i->mem0, 0, 1), 0);
  end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_grows), cmocka_unit_test(memory_limits), cmocka_unit_test(memory_huge), cmocka_unit_test(memory_without_space),
      cmocka_unit_test(memory_shared), cmocka_unit_test(table_ops), cmocka_unit_test(imports_checked), cmocka_unit_test(import_after_growth),
      cmocka_unit_test(subtyped_imports), cmocka_unit_test(all_or_nothing), cmocka_unit_test(constants), cmocka_unit_test(constants_under_stress),
      cmocka_unit_test(segments), cmocka_unit_test(no_memory_at_all), cmocka_unit_test(failed_definitions), cmocka_unit_test(reference_types),
      cmocka_unit_test(wait_and_notify), cmocka_unit_test(wait_is_interrupted), cmocka_unit_test(unshared_notify),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
