/* minivm.h: what it adds to wasm.h, seen through the public headers alone. */
#include "embed.h"

/* ---- minivm.h: linker and host functions ---- */

struct host {
  unsigned calls;
  bool no_memory;
};

static bool host_sum(mv_caller_t *c, void *env, uint64_t *cells) {
  struct host *h = env;
  uint8_t *base;
  uint64_t size;
  h->calls++;
  if (!mv_caller_memory(c, &base, &size)) {
    h->no_memory = true;
    return mv_throw_trap(c, "no memory for %d", 1);
  }
  if (cells[0] + cells[1] > size) return mv_throw_trap(c, "out of reach: %u", (unsigned)cells[0]);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < cells[1]; i++) sum += base[cells[0] + i];
  cells[0] = sum;
  return true;
}

static bool host_exit(mv_caller_t *c, void *env, uint64_t *cells) {
  (void)env;
  return mv_throw_exit(c, (int)cells[0]);
}

static bool host_limit(mv_caller_t *c, void *env, uint64_t *cells) {
  (void)env, (void)cells;
  assert_false(mv_caller_interrupted(c));
  return mv_throw(c, MV_LIMIT, "enough");
}

static bool host_again(mv_caller_t *c, void *env, uint64_t *cells) {
  (void)env;
  mv_error_t err;
  wasm_extern_t *x = mv_caller_export(c, "double");
  assert_non_null(x);
  assert_null(mv_caller_export(c, "nothing"));
  assert_ptr_equal(mv_caller_store(c), env);
  bool ok = mv_func_call(wasm_extern_as_func(x), cells, &err);
  wasm_extern_delete(x);
  return ok;
}

struct lines {
  char text[6][600];
  unsigned n;
};
static void take_line(void *env, const char *line) {
  struct lines *l = env;
  assert_true(l->n < 6);
  snprintf(l->text[l->n++], sizeof l->text[0], "%s", line);
}

static void linker(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  struct host h = {0};
  mv_error_t err;
  mv_linker_t *l = mv_linker_new(f.store);
  assert_true(mv_linker_func(l, "env", "sum", "ii:I", host_exit, NULL));
  assert_true(mv_linker_func(l, "env", "sum", "ii:I", host_sum, &h)); /* the later one counts */
  assert_true(mv_linker_func(l, "env", "exit", "i", host_exit, NULL));
  assert_true(mv_linker_func(l, "env", "limit", ":", host_limit, NULL));
  assert_true(mv_linker_func(l, "env", "again", "i:i", host_again, f.store));
  assert_false(mv_linker_func(l, "env", "bad", "iz:", host_limit, NULL));
  assert_false(mv_linker_func(l, "env", "bad", "i::i", host_limit, NULL));
  wasm_module_t *m = module_of(f.store,
      "(module (import \"env\" \"sum\" (func $sum (param i32 i32) (result i64))) (import \"env\" \"exit\" (func $exit (param i32)))"
      " (import \"env\" \"limit\" (func $limit)) (import \"env\" \"again\" (func $again (param i32) (result i32)))"
      " (memory $other 1) (memory (export \"memory\") 1) (data (memory 1) (i32.const 10) \"\\01\\02\\03\")"
      " (func (export \"sum\") (param i32 i32) (result i64) (call $sum (local.get 0) (local.get 1)))"
      " (func (export \"exit\") (param i32) (call $exit (local.get 0))) (func (export \"limit\") (call $limit))"
      " (func (export \"double\") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))"
      " (func (export \"again\") (param i32) (result i32) (i32.add (i32.const 1) (call $again (local.get 0)))) (global (export \"g\") i32 (i32.const 5))"
      " (func $start (drop (call $again (i32.const 1)))) (start $start))");
  wasm_instance_t *i = mv_linker_instantiate(l, m, NULL, NULL, &err);
  if (!i) fail_msg("%s", err.message);
  wasm_func_t *sum = func_of(i, "sum"), *ex = func_of(i, "exit"), *limit = func_of(i, "limit"), *again = func_of(i, "again");
  size_t np, nr;
  mv_func_cells(sum, &np, &nr);
  assert_int_equal(np, 2);
  assert_int_equal(nr, 1);
  uint64_t c[2] = {10, 3};
  assert_true(mv_func_call(sum, c, &err));
  assert_int_equal(c[0], 6);
  c[0] = 65535, c[1] = 2;
  assert_false(mv_func_call(sum, c, &err));
  assert_int_equal(err.kind, MV_TRAP);
  assert_string_equal(err.message, "out of reach: 65535");
  c[0] = 42;
  assert_false(mv_func_call(ex, c, &err));
  assert_int_equal(err.kind, MV_EXIT);
  assert_int_equal(err.code, 42);
  assert_false(mv_func_call(limit, c, &err));
  assert_int_equal(err.kind, MV_LIMIT);
  assert_string_equal(err.message, "enough");
  c[0] = 21;
  assert_true(mv_func_call(again, c, &err));
  assert_int_equal(c[0], 43);
  assert_int_equal(h.calls, 2);
  mv_stats_t stats;
  mv_store_stats(f.store, &stats);
  assert_int_equal(stats.memory_bytes, 2 * 65536);
  assert_true(stats.calls_host >= 6 && stats.functions_translated >= 5 && stats.code_bytes > 0);
  wasm_func_delete(sum);
  wasm_func_delete(ex);
  wasm_func_delete(limit);
  wasm_func_delete(again);
  /* an instance's exports as imports, and all that is missing at once */
  assert_true(mv_linker_instance(l, "first", i));
  wasm_extern_t *g = mv_instance_export(i, "g");
  assert_true(mv_linker_extern(l, "alone", "g2", g));
  wasm_extern_delete(g);
  wasm_module_delete(m);
  wasm_instance_delete(i);
  m = module_of(f.store, "(module (import \"first\" \"double\" (func (param i32) (result i32))) (import \"alone\" \"g2\" (global i32)) (import \"first\" \"memory\" (memory 1)))");
  i = mv_linker_instantiate(l, m, NULL, NULL, &err);
  assert_non_null(i);
  wasm_instance_delete(i);
  wasm_module_delete(m);
  m = module_of(f.store,
      "(module (import \"env\" \"exit\" (func (param i64))) (import \"alone\" \"g2\" (global i32)) (import \"nowhere\" \"f\" (func (param i32) (result f64)))"
      " (import \"alone\" \"h\" (memory 3)))");
  struct lines lines = {.n = 0};
  assert_null(mv_linker_instantiate(l, m, take_line, &lines, &err));
  assert_int_equal(err.kind, MV_UNLINKABLE);
  assert_string_equal(err.message, lines.text[0]);
  assert_int_equal(lines.n, 3);
  assert_string_equal(lines.text[0], "incompatible import type: \"env\" \"exit\": wanted (func (param i64)), on offer (func (param i32))");
  assert_prefix(lines.text[1], "unknown import: \"nowhere\" \"f\": wanted (func (param i32) (result f64)) (no such module; on offer: env, first, alone)");
  assert_string_equal(lines.text[2], "unknown import: \"alone\" \"h\": wanted (memory 3) (on offer there: g2)");
  wasm_module_delete(m);
  mv_linker_delete(l);
  end(&f);
}

static void linker_of_many(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  mv_linker_t *l = mv_linker_new(f.store);
  char name[20];
  for (int i = 0; i < 1000; i++) {
    snprintf(name, sizeof name, "f%d", i);
    assert_true(mv_linker_func(l, i % 3 ? "a" : "b", name, i % 2 ? "i" : "I", host_exit, NULL));
  }
  wasm_module_t *m = module_of(f.store, "(module (import \"b\" \"f999\" (func (param i32))) (import \"a\" \"f500\" (func (param i64))) (import \"b\" \"f0\" (func (param i64))))");
  mv_error_t err;
  wasm_instance_t *i = mv_linker_instantiate(l, m, NULL, NULL, &err);
  if (!i) fail_msg("%s", err.message);
  wasm_instance_delete(i);
  wasm_module_delete(m);
  mv_linker_delete(l);
  end(&f);
}

/* ---- minivm.h: invoke ---- */

static char *invoke(wasm_instance_t *i, const char *name, int argc, char **argv, char *buf, size_t cap) {
  mv_error_t err;
  FILE *out = tmpfile();
  assert_non_null(out);
  wasm_func_t *fn = func_of(i, name);
  bool ok = mv_func_invoke(fn, argc, argv, out, &err);
  wasm_func_delete(fn);
  if (ok) {
    rewind(out);
    size_t n = fread(buf, 1, cap - 1, out);
    buf[n] = 0;
  } else {
    snprintf(buf, cap, "%s: %s", mv_kind_name(err.kind), err.message);
  }
  fclose(out);
  return buf;
}

static void invoking(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_instance_t *inst = instance_with(f.store,
      "(module (func (export \"i\") (param i32) (result i32) (local.get 0)) (func (export \"I\") (param i64) (result i64) (local.get 0))"
      " (func (export \"f\") (param f32) (result f32) (local.get 0)) (func (export \"F\") (param f64) (result f64) (local.get 0))"
      " (func (export \"v\") (param v128) (result v128) (local.get 0)) (func (export \"r\") (param externref) (result externref) (local.get 0))"
      " (func $c (export \"c\") (result funcref) (ref.func $c)) (func (export \"two\") (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))"
      " (func (export \"trap\") unreachable))", NULL, 0);
  struct { const char *name, *arg, *result; } cases[] = {
      {"i", "5", "5\n"}, {"i", "-5", "-5\n"}, {"i", "+7", "7\n"}, {"i", "4294967295", "-1\n"}, {"i", "0xff", "255\n"}, {"i", "-0x80000000", "-2147483648\n"},
      {"i", "4294967296", NULL}, {"i", "-2147483649", NULL}, {"i", "", NULL}, {"i", "-", NULL}, {"i", "0x", NULL}, {"i", "12a", NULL}, {"i", " 1", NULL}, {"i", "1.5", NULL},
      {"I", "18446744073709551615", "-1\n"}, {"I", "-9223372036854775808", "-9223372036854775808\n"}, {"I", "18446744073709551616", NULL},
      {"I", "0xffffffffffffffff", "-1\n"}, {"I", "99999999999999999999999999999999999999999999", NULL},
      {"f", "1.5", "1.5\n"}, {"f", "0.1", "0.1\n"}, {"f", "1e10", "10000000000\n"}, {"f", "nan", "NaN\n"}, {"f", "-inf", "-inf\n"}, {"f", "3", "3\n"}, {"f", "-0", "-0\n"},
      {"f", "16777217", "16777216\n"}, {"f", "x", NULL}, {"f", "1.5z", NULL},
      {"F", "0.1", "0.1\n"}, {"F", "-4.5", "-4.5\n"}, {"F", "1e21", "1000000000000000000000\n"}, {"F", "1.25e-7", "0.000000125\n"}, {"F", "0x1p-1", "0.5\n"},
      {"F", "123456789.125", "123456789.125\n"}, {"F", "inf", "inf\n"}, {"F", "0", "0\n"}, {"F", "1e-5", "0.00001\n"}, {"F", "100", "100\n"},
      {"F", "0.30000000000000004", "0.30000000000000004\n"},
      {"v", "340282366920938463463374607431768211455", "340282366920938463463374607431768211455\n"}, {"v", "18446744073709551616", "18446744073709551616\n"},
      {"v", "0", "0\n"}, {"v", "-1", "340282366920938463463374607431768211455\n"}, {"v", "340282366920938463463374607431768211456", NULL},
      {"r", "null", "<null externref>\n"}, {"r", "5", NULL},
  };
  char buf[1000];
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    char *argv[1] = {(char *)(uintptr_t)cases[k].arg};
    invoke(inst, cases[k].name, 1, argv, buf, sizeof buf);
    if (!cases[k].result) assert_prefix(buf, "usage: argument 1, `");
    else if (strcmp(buf, cases[k].result) != 0) fail_msg("%s(%s) is %s", cases[k].name, cases[k].arg, buf);
  }
  char one[] = "1", two[] = "2", *argv[2] = {one, two};
  assert_string_equal(invoke(inst, "two", 2, argv, buf, sizeof buf), "2\n1\n");
  assert_string_equal(invoke(inst, "two", 1, argv, buf, sizeof buf), "usage: 2 arguments are wanted, 1 given");
  assert_string_equal(invoke(inst, "c", 0, NULL, buf, sizeof buf), "<funcref>\n");
  assert_prefix(invoke(inst, "trap", 0, NULL, buf, sizeof buf), "trap: unreachable");
  wasm_instance_delete(inst);
  end(&f);
}

/* ---- minivm.h: the rest ---- */

static void bytes_kind(void **state) {
  (void)state;
  assert_null(mv_bytes_kind("\0asm\1\0\0\0", 8));
  assert_string_equal(mv_bytes_kind("\0asm\x0d\0\1\0", 8), "WebAssembly component");
  assert_string_equal(mv_bytes_kind("\x1f\x8b\x08", 3), "gzip file");
  assert_contains(mv_bytes_kind("\x7f" "ELF\2", 5), "ELF");
  assert_string_equal(mv_bytes_kind(" ;; c\n (; (; x ;) ;) (module)", 29), "text module");
  assert_string_equal(mv_bytes_kind("", 0), "empty file");
  assert_null(mv_bytes_kind("hello", 5));
  assert_null(mv_bytes_kind("\0asm", 4));
  assert_null(mv_bytes_kind("(; unclosed", 11));
  wasm_byte_vec_t b;
  binary_of("(module (import \"wasi:cli/environment@0.2.0\" \"get\" (func)))", &b);
  assert_string_equal(mv_bytes_kind(b.data, b.size), "WASI preview 2 module");
  for (size_t n = 0; n < b.size; n++) (void)mv_bytes_kind(b.data, n); /* cut anywhere */
  wasm_byte_vec_delete(&b);
  binary_of("(module (import \"env\" \"get\" (func)))", &b);
  assert_null(mv_bytes_kind(b.data, b.size));
  wasm_byte_vec_delete(&b);
}

static char *printed(bool (*print)(const wasm_module_t *, FILE *), const wasm_module_t *m, char *buf, size_t cap) {
  FILE *out = tmpfile();
  assert_non_null(out);
  assert_true(print(m, out));
  rewind(out);
  buf[fread(buf, 1, cap - 1, out)] = 0;
  fclose(out);
  return buf;
}
static bool inspect_text(const wasm_module_t *m, FILE *out) { return mv_module_inspect(m, false, out, NULL); }
static bool inspect_json(const wasm_module_t *m, FILE *out) { return mv_module_inspect(m, true, out, NULL); }
static bool disasm_all(const wasm_module_t *m, FILE *out) { return mv_module_disasm(m, UINT32_MAX, out, NULL); }
static bool disasm_one(const wasm_module_t *m, FILE *out) { return mv_module_disasm(m, 1, out, NULL); }

static void inspecting(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_module_t *m = module_of(f.store,
      "(module $nice (import \"env\" \"q\\\"\\n\" (func (param i32))) (func $add (export \"add\") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))"
      " (func (export \"plain\")) (memory 1 2) (data (i32.const 0) \"xyz\"))");
  char buf[8000];
  printed(inspect_text, m, buf, sizeof buf);
  assert_prefix(buf, "module \"nice\": ");
  assert_contains(buf, "imports:\n  func   \"env\" \"q\\\"\\0a\" (func (param i32))\n");
  assert_contains(buf, "  func   \"add\" (func (param i32 i32) (result i32))\n");
  assert_contains(buf, "memory 0: (memory 1 2)");
  assert_contains(buf, "functions           3 (1 imported)");
  printed(inspect_json, m, buf, sizeof buf);
  assert_prefix(buf, "{\"name\":\"nice\",\"size\":");
  assert_contains(buf, "{\"module\":\"env\",\"name\":\"q\\\"\\u000a\",\"kind\":\"func\",\"type\":\"(func (param i32))\"}");
  assert_contains(buf, "\"data_bytes\":3");
  assert_contains(buf, "\"start\":null}\n");
  char name[20];
  mv_module_func_name(m, 1, name, sizeof name);
  assert_string_equal(name, "add");
  mv_module_func_name(m, 2, name, sizeof name);
  assert_string_equal(name, "plain");
  mv_module_func_name(m, 1, name, 3);
  assert_string_equal(name, "ad");
  mv_module_func_name(m, 9, name, sizeof name);
  assert_string_equal(name, "func[9]");
  assert_contains(printed(disasm_all, m, buf, sizeof buf), "i32.add");
  assert_contains(printed(disasm_one, m, buf, sizeof buf), "i32.add");
  mv_error_t err;
  assert_false(mv_module_disasm(m, 0, stdout, &err));
  assert_int_equal(err.kind, MV_USAGE);
  wasm_module_delete(m);
  end(&f);
}

static void fuel(void **state) {
  (void)state;
  struct fixture f;
  begin_with(&f, (mv_options_t){.fuel = true});
  wasm_instance_t *i = instance_with(f.store, "(module (func (export \"loop\") (loop $l (br $l))) (func (export \"one\") (nop)))", NULL, 0);
  wasm_func_t *loop = func_of(i, "loop"), *one = func_of(i, "one");
  mv_error_t err;
  uint64_t cells[1];
  mv_stats_t stats;
  mv_store_set_fuel(f.store, 10000);
  assert_false(mv_func_call(loop, cells, &err));
  assert_int_equal(err.kind, MV_OUT_OF_FUEL);
  assert_int_equal(mv_store_fuel(f.store), 0);
  mv_store_stats(f.store, &stats);
  assert_in_range(stats.instructions, 9000, 10000);
  mv_store_set_fuel(f.store, 100);
  assert_true(mv_func_call(one, cells, &err));
  assert_in_range(mv_store_fuel(f.store), 95, 99);
  uint64_t before = stats.instructions;
  mv_store_stats(f.store, &stats);
  assert_int_equal(stats.instructions, before + 100 - mv_store_fuel(f.store));
  wasm_func_delete(loop);
  wasm_func_delete(one);
  wasm_instance_delete(i);
  end(&f);
}

static void *interrupt_soon(void *store) {
  usleep(20000);
  mv_store_interrupt(store);
  return NULL;
}

static void interrupts(void **state) {
  (void)state;
  struct fixture f;
  begin_with(&f, (mv_options_t){.interruptible = true, .features = mv_features_all()});
  wasm_instance_t *i = instance_with(f.store,
      "(module (memory 1 1 shared) (func (export \"loop\") (loop $l (br $l)))"
      " (func (export \"wait\") (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))) (func (export \"one\") (nop)))", NULL, 0);
  const char *names[] = {"loop", "wait"};
  for (int k = 0; k < 2; k++) {
    wasm_func_t *fn = func_of(i, names[k]);
    pthread_t thread;
    mv_error_t err;
    uint64_t cells[1];
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, f.store), 0);
    assert_false(mv_func_call(fn, cells, &err));
    assert_int_equal(err.kind, MV_INTERRUPTED);
    pthread_join(thread, NULL);
    assert_true(mv_store_interrupted(f.store));
    mv_store_clear_interrupt(f.store);
    assert_false(mv_store_interrupted(f.store));
    wasm_func_delete(fn);
  }
  wasm_func_t *one = func_of(i, "one");
  assert_null(wasm_func_call(one, NULL, NULL));
  wasm_func_delete(one);
  wasm_instance_delete(i);
  end(&f);
}

static void options(void **state) {
  (void)state;
  wasm_config_t *config = wasm_config_new();
  mv_options_t o = {.max_memory = 1 << 20, .max_heap = 4 << 20, .max_instances = 1, .eager = true};
  mv_config_set(config, &o);
  mv_config_get(config, &o);
  assert_int_equal(o.max_memory, 1 << 20);
  struct fixture f;
  f.engine = wasm_engine_new_with_config(config);
  f.store = wasm_store_new(f.engine);
  assert_true(mv_engine_options(f.engine)->features == mv_features_default());
  assert_int_equal(mv_engine_options(f.engine)->max_table, 10000000);
  wasm_module_t *m = module_of(f.store,
      "(module (memory 1) (type $a (array i8)) (type $s (struct (field (ref null $s)))) (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))"
      " (func (export \"big\") (drop (array.new_default $a (i32.const 5000000))))"
      " (func (export \"leak\") (local $s (ref null $s)) (loop $l (local.set $s (struct.new $s (local.get $s))) (br $l))))");
  wasm_trap_t *trap;
  wasm_instance_t *i = wasm_instance_new(f.store, m, NULL, NULL);
  assert_null(wasm_instance_new(f.store, m, NULL, &trap));
  expect_trap(trap, MV_LIMIT, "instance limit");
  wasm_func_t *grow = func_of(i, "grow"), *big = func_of(i, "big"), *leak = func_of(i, "leak");
  assert_int_equal(call_i(grow, 1, (int32_t[]){15}), 1);
  assert_int_equal(call_i(grow, 1, (int32_t[]){1}), -1);
  trap = wasm_func_call(big, NULL, NULL);
  assert_non_null(trap);
  mv_error_t err;
  mv_trap_error(trap, &err);
  assert_contains(err.message, "heap limit");
  wasm_trap_delete(trap);
  trap = wasm_func_call(leak, NULL, NULL);
  assert_non_null(trap);
  mv_trap_error(trap, &err);
  assert_contains(err.message, "heap limit");
  wasm_trap_delete(trap);
  mv_stats_t stats;
  mv_store_stats(f.store, &stats);
  assert_true(stats.collections > 0 && stats.heap_peak > 3 << 20 && stats.heap_peak <= 4 << 20);
  assert_int_equal(stats.functions_translated, 3);
  wasm_func_delete(grow);
  wasm_func_delete(big);
  wasm_func_delete(leak);
  wasm_module_delete(m);
  wasm_instance_delete(i);
  end(&f);
}

static void runner_tools(void **state) {
  (void)state;
  struct fixture f;
  begin(&f);
  wasm_instance_t *i = instance_with(f.store,
      "(module (type $s (struct)) (type $a (array i8)) (func $f (export \"f\") (param i32 i64 f32 f64 v128 funcref externref anyref exnref (ref $s)) (result i32 i64) unreachable)"
      " (global (export \"v\") v128 (v128.const i64x2 1 2)) (global (export \"i\") (mut i32) (i32.const -1)) (global (export \"\") i64 (i64.const 9))"
      " (func (export \"id\") (param anyref) (result anyref) (local.get 0)) (global (export \"s\") anyref (struct.new $s)) (global (export \"i31\") anyref (ref.i31 (i32.const 1)))"
      " (global (export \"a\") anyref (array.new_default $a (i32.const 1))) (global (export \"fn\") funcref (ref.func $f)))", NULL, 0);
  wasm_func_t *fn = func_of(i, "f");
  char sig[20], tiny[4];
  assert_int_equal(mv_func_sig(fn, sig, sizeof sig), 13);
  assert_string_equal(sig, "iIfFvcraxa:iI");
  assert_int_equal(mv_func_sig(fn, tiny, sizeof tiny), 13);
  assert_string_equal(tiny, "iIf");
  wasm_func_delete(fn);
  uint64_t c[2], number;
  struct { const char *name; char letter; mv_ref_kind_t kind; } cases[] = {
      {"s", 'a', MV_REF_STRUCT}, {"i31", 'a', MV_REF_I31}, {"a", 'a', MV_REF_ARRAY}, {"fn", 'c', MV_REF_FUNC}};
  for (size_t k = 0; k < 4; k++) {
    wasm_extern_t *x = mv_instance_export(i, cases[k].name);
    assert_int_equal(mv_global_cells(wasm_extern_as_global(x), c), cases[k].letter);
    assert_int_equal(mv_ref_classify(f.store, cases[k].letter, c[0], &number), cases[k].kind);
    wasm_extern_delete(x);
  }
  assert_int_equal(mv_ref_classify(f.store, 'r', 0, &number), MV_REF_NULL);
  wasm_extern_t *x = mv_instance_find(i, "", 0);
  assert_int_equal(mv_global_cells(wasm_extern_as_global(x), c), 'I');
  assert_int_equal(c[0], 9);
  wasm_extern_delete(x);
  x = mv_instance_export(i, "v");
  assert_int_equal(mv_global_cells(wasm_extern_as_global(x), c), 'v');
  assert_int_equal(c[1], 2);
  wasm_extern_delete(x);
  mv_error_t err;
  uint64_t a = 0, b = 0;
  assert_true(mv_ref_host(f.store, 7, &a, &err) && mv_ref_host(f.store, UINT64_MAX, &b, &err) && mv_ref_host(f.store, 7, &c[0], &err));
  assert_true(a == c[0] && a != b);
  fn = func_of(i, "id");
  assert_true(mv_func_call(fn, c, &err));
  assert_int_equal(mv_ref_classify(f.store, 'a', c[0], &number), MV_REF_HOST);
  assert_int_equal(number, 7);
  assert_int_equal(mv_ref_classify(f.store, 'r', b, &number), MV_REF_HOST);
  assert_true(number == UINT64_MAX);
  wasm_func_delete(fn);
  wasm_instance_delete(i);
  end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(linker), cmocka_unit_test(linker_of_many), cmocka_unit_test(invoking), cmocka_unit_test(bytes_kind),
      cmocka_unit_test(inspecting), cmocka_unit_test(fuel), cmocka_unit_test(interrupts), cmocka_unit_test(options), cmocka_unit_test(runner_tools),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
