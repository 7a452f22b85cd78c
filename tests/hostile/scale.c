/* scale.c: modules that are large in one way, up to the limits, each made twice, the second four times as large: loading, and translating all of it,
 * take time in proportion. One that is quadratic takes sixteen times as long; eight is the bound here. Also what lies just beyond each limit.
 *
 *   scale [DIVISOR]    sizes are divided by it, for builds and machines that are slow */
#include <minivm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "generate.h"

static unsigned passed, failed;

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- making modules ------------------------------------------------------------------------------------ */

enum { I32 = 0x7f, I64 = 0x7e, F64 = 0x7c, FUNCREF = 0x70 };

static void begin(struct bytes *m) {
  m->size = 0;
  bytes_put(m, "\0asm\1\0\0\0", 8);
}

static void section(struct bytes *m, unsigned id, size_t count, struct bytes *content) {
  struct bytes n = {0};
  bytes_unsigned(&n, count);
  bytes_byte(m, id);
  bytes_unsigned(m, n.size + content->size);
  bytes_put(m, n.data, n.size);
  bytes_put(m, content->data, content->size);
  bytes_free(&n);
  content->size = 0;
}

static void repeat(struct bytes *b, size_t n, const void *bytes, size_t size) {
  for (size_t i = 0; i < n; i++) bytes_put(b, bytes, size);
}

/* A name that is the number i in hexadecimal. */
static void name(struct bytes *b, size_t i) {
  char text[16];
  int n = snprintf(text, sizeof text, "%zx", i);
  bytes_byte(b, (unsigned)n);
  bytes_put(b, text, (size_t)n);
}

/* A module of one function () -> () with these locals and this body, which gets its `end` here; then the scraps are free again. */
static void one_function(struct bytes *m, struct bytes *locals, size_t groups, struct bytes *body) {
  struct bytes s = {0}, n = {0};
  begin(m);
  bytes_put(&s, "\x60\0\0", 3);
  section(m, 1, 1, &s);
  bytes_byte(&s, 0);
  section(m, 3, 1, &s);
  bytes_put(&s, "\0\1", 2);
  section(m, 5, 1, &s);
  bytes_unsigned(&n, groups);
  bytes_unsigned(&s, n.size + locals->size + body->size + 1);
  bytes_put(&s, n.data, n.size);
  bytes_put(&s, locals->data, locals->size);
  bytes_put(&s, body->data, body->size);
  bytes_byte(&s, 0x0b);
  section(m, 10, 1, &s);
  bytes_free(&s), bytes_free(&n), bytes_free(locals), bytes_free(body);
}

static void long_body(struct bytes *m, size_t n) { /* 19 bytes each */
  struct bytes locals = {0}, body = {0};
  bytes_put(&locals, "\4\x7f", 2);
  repeat(&body, n, "\x20\0\x20\1\x6a\x21\2\x20\2\x41\7\x71\x28\2\0\x20\1\x6c\x1a", 19);
  one_function(m, &locals, 1, &body);
}

static void branch_table(struct bytes *m, size_t n) {
  struct bytes locals = {0}, body = {0};
  bytes_put(&locals, "\1\x7f", 2);
  repeat(&body, 100, "\2\x40", 2);
  bytes_put(&body, "\x20\0\x0e", 3);
  bytes_unsigned(&body, n);
  for (size_t i = 0; i <= n; i++) bytes_byte(&body, (unsigned)(i * 7 % 100));
  repeat(&body, 100, "\x0b", 1);
  one_function(m, &locals, 1, &body);
}

static void many_locals(struct bytes *m, size_t n) { /* a group each */
  struct bytes locals = {0}, body = {0};
  for (size_t i = 0; i < n; i++) bytes_byte(&locals, 1), bytes_byte(&locals, i & 1 ? I32 : F64);
  for (size_t i = 0; i < n; i++) {
    bytes_byte(&body, 0x20), bytes_unsigned(&body, i);
    bytes_byte(&body, 0x21), bytes_unsigned(&body, ((i + 2) % n & ~(size_t)1) | (i & 1));
  }
  one_function(m, &locals, n, &body);
}

static void nested_blocks(struct bytes *m, size_t n) {
  struct bytes locals = {0}, body = {0};
  repeat(&body, n, "\2\x40", 2);
  repeat(&body, n, "\x0b", 1);
  one_function(m, &locals, 0, &body);
}

static void nested_ifs(struct bytes *m, size_t n) {
  struct bytes locals = {0}, body = {0};
  repeat(&body, n, "\x41\1\4\x40", 4);
  repeat(&body, n, "\5\x0b", 2);
  one_function(m, &locals, 0, &body);
}

static void deep_operands(struct bytes *m, size_t n) { /* reads of a local that is then set, over and over */
  struct bytes locals = {0}, body = {0};
  bytes_put(&locals, "\4\x7f", 2);
  repeat(&body, n, "\x20\0", 2);
  repeat(&body, n, "\x41\1\x21\0\x41\1\x21\1", 8);
  repeat(&body, n, "\x1a", 1);
  one_function(m, &locals, 1, &body);
}

static void branches_out(struct bytes *m, size_t n) { /* each block is left by branches */
  struct bytes locals = {0}, body = {0};
  bytes_put(&locals, "\4\x7f", 2);
  repeat(&body, n, "\2\x40\x20\0\x0d\0\x20\1\x0d\1\x20\2\x0d\0", 14);
  repeat(&body, n, "\x20\3\x0d\0\x0b", 5);
  one_function(m, &locals, 1, &body);
}

static void set_in_blocks(struct bytes *m, size_t n) { /* references that are not null, set inside and unset outside */
  struct bytes locals = {0}, body = {0};
  for (size_t i = 0; i < n; i++) bytes_put(&locals, "\1\x64\0", 3);
  for (size_t i = 0; i < n; i++) {
    bytes_put(&body, "\2\x40\xd2\0\x21", 5), bytes_unsigned(&body, i);
    bytes_byte(&body, 0x20), bytes_unsigned(&body, i);
    bytes_put(&body, "\x1a\x0b", 2);
  }
  struct bytes s = {0}, exported = {0};
  one_function(m, &locals, n, &body);
  /* ref.func wants the function exported: the export section goes before the code */
  bytes_put(&exported, "\1f\0\0", 4);
  size_t code = 8 + 6 + 4 + 5;
  bytes_put(&s, m->data + code, m->size - code);
  m->size = code;
  section(m, 7, 1, &exported);
  bytes_put(m, s.data, s.size);
  bytes_free(&s), bytes_free(&exported);
}

static void many_values(struct bytes *m, size_t n) { /* a block of 1,000 results, which branches carry from elsewhere */
  struct bytes s = {0}, body = {0};
  begin(m);
  bytes_put(&s, "\x60\0\0", 3);
  bytes_put(&s, "\x60\0", 2);
  bytes_unsigned(&s, 1000);
  repeat(&s, 1000, "\x7f", 1);
  section(m, 1, 2, &s);
  bytes_byte(&s, 0);
  section(m, 3, 1, &s);
  bytes_put(&body, "\1\4\x7f\2\1\x41\5", 7);
  repeat(&body, 1000, "\x20\0", 2);
  repeat(&body, n, "\x20\1\x0d\0", 4);
  bytes_put(&body, "\x0c\0\x0b", 3);
  repeat(&body, 1000, "\x1a", 1);
  bytes_byte(&body, 0x0b);
  bytes_unsigned(&s, body.size);
  bytes_put(&s, body.data, body.size);
  section(m, 10, 1, &s);
  bytes_free(&s), bytes_free(&body);
}

static void many_types(struct bytes *m, size_t n) { /* all different */
  struct bytes s = {0};
  begin(m);
  for (size_t i = 0; i < n; i++) {
    bytes_byte(&s, 0x60), bytes_byte(&s, 20);
    for (unsigned k = 0; k < 20; k++) bytes_byte(&s, i >> k & 1 ? I32 : I64);
    bytes_byte(&s, 0);
  }
  section(m, 1, n, &s);
  bytes_free(&s);
}

static void one_group(struct bytes *m, size_t n) { /* of types that refer to each other */
  struct bytes s = {0};
  begin(m);
  bytes_byte(&s, 0x4e);
  bytes_unsigned(&s, n);
  for (size_t i = 0; i < n; i++) {
    bytes_put(&s, "\x5f\1\x63", 3);
    bytes_signed(&s, (int64_t)((i * 7919 + 1) % n));
    bytes_byte(&s, 1);
  }
  section(m, 1, 1, &s);
  bytes_free(&s);
}

static void deep_types(struct bytes *m, size_t n) { /* chains of 63 supertypes */
  struct bytes s = {0};
  begin(m);
  for (size_t i = 0; i < n; i++) {
    bytes_byte(&s, 0x50);
    bytes_unsigned(&s, i % 64 != 0);
    if (i % 64) bytes_unsigned(&s, i - 1);
    bytes_put(&s, "\x5f\1\x63", 3);
    bytes_signed(&s, (int64_t)(i / 64 * 64));
    bytes_byte(&s, 0);
  }
  section(m, 1, n, &s);
  bytes_free(&s);
}

static void many_functions(struct bytes *m, size_t n) { /* with exports and names */
  struct bytes s = {0}, names = {0};
  begin(m);
  bytes_put(&s, "\x60\0\0", 3);
  section(m, 1, 1, &s);
  repeat(&s, n, "\0", 1);
  section(m, 3, n, &s);
  for (size_t i = 0; i < n; i++) name(&s, i), bytes_byte(&s, 0), bytes_unsigned(&s, i);
  section(m, 7, n, &s);
  repeat(&s, n, "\2\0\x0b", 3);
  section(m, 10, n, &s);
  for (size_t i = 0; i < n; i++) bytes_unsigned(&names, i), name(&names, i * 3);
  struct bytes count = {0};
  bytes_unsigned(&count, n);
  bytes_put(&s, "name\1", 5);
  bytes_unsigned(&s, count.size + names.size);
  bytes_put(&s, count.data, count.size);
  bytes_put(&s, names.data, names.size);
  section(m, 0, 4, &s); /* the count is the length of the name */
  bytes_free(&s), bytes_free(&names), bytes_free(&count);
}

static void many_imports(struct bytes *m, size_t n) {
  struct bytes s = {0};
  begin(m);
  bytes_put(&s, "\x60\0\0", 3);
  section(m, 1, 1, &s);
  for (size_t i = 0; i < n; i++) name(&s, i % 1000), name(&s, i), bytes_byte(&s, 0), bytes_byte(&s, 0);
  section(m, 2, n, &s);
  bytes_free(&s);
}

static void many_globals(struct bytes *m, size_t n) {
  struct bytes s = {0};
  begin(m);
  for (size_t i = 0; i < n; i++) {
    bytes_put(&s, "\x7f\0", 2);
    if (i) bytes_byte(&s, 0x23), bytes_unsigned(&s, i - 1);
    else bytes_put(&s, "\x41\1", 2);
    bytes_byte(&s, 0x0b);
  }
  section(m, 6, n, &s);
  bytes_free(&s);
}

static void many_elements(struct bytes *m, size_t n) {
  struct bytes s = {0};
  begin(m);
  bytes_put(&s, "\x60\0\0", 3);
  section(m, 1, 1, &s);
  bytes_byte(&s, 0);
  section(m, 3, 1, &s);
  bytes_byte(&s, 1), bytes_byte(&s, 0);
  bytes_unsigned(&s, n);
  repeat(&s, n, "\0", 1);
  section(m, 9, 1, &s);
  bytes_put(&s, "\2\0\x0b", 3);
  section(m, 10, 1, &s);
  bytes_free(&s);
}

static void many_segments(struct bytes *m, size_t n) {
  struct bytes s = {0};
  begin(m);
  bytes_put(&s, "\0\1", 2);
  section(m, 5, 1, &s);
  for (size_t i = 0; i < n; i++) bytes_put(&s, "\0\x41\7\x0b\3abc", 8);
  section(m, 11, n, &s);
  bytes_free(&s);
}

static void many_handlers(struct bytes *m, size_t n) { /* nested, each with a clause for each of 16 labels */
  struct bytes locals = {0}, body = {0};
  repeat(&body, 20, "\2\x40", 2);
  for (size_t i = 0; i < n; i++) bytes_put(&body, "\x1f\x40\2\2\0\2\1", 7);
  repeat(&body, n, "\x0b", 1);
  repeat(&body, 20, "\x0b", 1);
  one_function(m, &locals, 0, &body);
}

/* ---- text ---------------------------------------------------------------------------------------------- */

static void text_folded(struct bytes *m, size_t n) {
  m->size = 0;
  bytes_print(m, "(module (func ");
  repeat(m, n, "(block ", 7);
  repeat(m, n, ")", 1);
  bytes_print(m, "))");
}

static void text_comments(struct bytes *m, size_t n) {
  m->size = 0;
  repeat(m, n, "(;", 2);
  repeat(m, n, ";)", 2);
  bytes_print(m, "(module)");
}

static void text_annotations(struct bytes *m, size_t n) {
  m->size = 0;
  bytes_print(m, "(module (@x ");
  repeat(m, n, "(", 1);
  repeat(m, n, ")", 1);
  bytes_print(m, "))");
}

static void text_names(struct bytes *m, size_t n) {
  m->size = 0;
  bytes_print(m, "(module ");
  for (size_t i = 0; i < n; i++) bytes_print(m, "(func $f%zu (export \"e%zu\") (param $x i32) (call $f%zu (local.get $x)))\n", i, i, i * 31 % n);
  bytes_print(m, ")");
}

static void text_operands(struct bytes *m, size_t n) {
  m->size = 0;
  bytes_print(m, "(module (func (result i32)");
  repeat(m, n, "(i32.eqz ", 9);
  bytes_print(m, "(i32.const 1)");
  repeat(m, n, ")", 1);
  bytes_print(m, "))");
}

/* ---- measuring ----------------------------------------------------------------------------------------- */

enum what { LOAD, EAGER, TEXT };

static double load(const struct bytes *m, enum what what, mv_error_t *err) {
  wasm_config_t *config = wasm_config_new();
  mv_options_t options = {.eager = what == EAGER};
  double start;
  bool ok = false;
  mv_config_set(config, &options);
  wasm_engine_t *engine = wasm_engine_new_with_config(config);
  start = seconds();
  if (what == TEXT) {
    uint8_t *binary;
    size_t size;
    ok = mv_wat2wasm((const char *)m->data, m->size, mv_features_default(), &binary, &size, err);
    if (ok) { /* and back */
      char *text;
      size_t text_size;
      ok = mv_wasm2wat(binary, size, 0, &text, &text_size, err);
      if (ok) mv_free(text);
      mv_free(binary);
    }
  } else if (what == EAGER) {
    wasm_store_t *store = wasm_store_new(engine);
    mv_linker_t *linker = mv_linker_new(store);
    wasm_module_t *module = mv_module_load(engine, m->data, m->size, true, err);
    wasm_instance_t *instance = module ? mv_linker_instantiate(linker, module, NULL, NULL, err) : NULL;
    ok = instance != NULL;
    if (instance) wasm_instance_delete(instance);
    if (module) wasm_module_delete(module);
    mv_linker_delete(linker);
    wasm_store_delete(store);
  } else {
    wasm_module_t *module = mv_module_load(engine, m->data, m->size, true, err);
    ok = module != NULL;
    if (module) wasm_module_delete(module);
  }
  double took = seconds() - start;
  wasm_engine_delete(engine);
  return ok ? took : -1;
}

static void measure(const char *what_name, void (*make)(struct bytes *, size_t), size_t most, enum what what) {
  struct bytes m = {0};
  double took[2] = {1e9, 1e9};
  mv_error_t err = {0};
  size_t bytes = 0;
  for (int big = 0; big < 2; big++) {
    make(&m, big ? most : most / 4);
    bytes = m.size;
    for (int round = 0; round < 3; round++) {
      double t = load(&m, what, &err);
      if (t < 0) {
        printf("FAIL scale: %s, %zu: %s\n", what_name, big ? most : most / 4, err.message);
        failed++;
        bytes_free(&m);
        return;
      }
      if (t < took[big]) took[big] = t;
      if (took[big] > 0.1) break; /* long enough to be believed */
    }
  }
  bytes_free(&m);
  /* small ones are all noise and caches; at these sizes anything quadratic takes seconds */
  if (took[1] > 8 * took[0] + 0.1) {
    printf("FAIL scale: %s: %.0f ms for %zu, %.0f ms for a fourth\n", what_name, took[1] * 1e3, most, took[0] * 1e3);
    failed++;
  } else {
    printf("ok scale: %s: %zu, %.1f MB: %.0f ms, a fourth: %.0f ms\n", what_name, most, (double)bytes / 1e6, took[1] * 1e3, took[0] * 1e3);
    passed++;
  }
}

/* ---- limits -------------------------------------------------------------------------------------------- */

static void beyond(const char *what_name, void (*make)(struct bytes *, size_t), size_t most) {
  struct bytes m = {0};
  mv_error_t err = {0};
  make(&m, most);
  if (load(&m, LOAD, &err) < 0) {
    printf("FAIL scale: %s, %zu: %s\n", what_name, most, err.message);
    failed++;
  }
  make(&m, most + 1);
  if (load(&m, LOAD, &err) >= 0 || err.kind != MV_LIMIT || err.offset > m.size) {
    printf("FAIL scale: %s, %zu: %s\n", what_name, most + 1, err.kind ? err.message : "it loads");
    failed++;
  } else {
    printf("ok scale: %s: %zu, one more is refused: %s\n", what_name, most, err.message);
    passed++;
  }
  bytes_free(&m);
}

static void long_chain(struct bytes *m, size_t n) { /* of supertypes */
  struct bytes s = {0};
  begin(m);
  for (size_t i = 0; i <= n; i++) {
    bytes_byte(&s, 0x50), bytes_byte(&s, i != 0);
    if (i) bytes_unsigned(&s, i - 1);
    bytes_put(&s, "\x5f\0", 2);
  }
  section(m, 1, n + 1, &s);
  bytes_free(&s);
}

static void exact_body(struct bytes *m, size_t n) { /* a body of n bytes */
  struct bytes locals = {0}, body = {0};
  repeat(&body, n - 2, "\1", 1);
  one_function(m, &locals, 0, &body);
}

static void local_count(struct bytes *m, size_t n) {
  struct bytes locals = {0}, body = {0};
  bytes_unsigned(&locals, n), bytes_byte(&locals, I32);
  one_function(m, &locals, 1, &body);
}

static void params(struct bytes *m, size_t n) {
  struct bytes s = {0};
  begin(m);
  bytes_byte(&s, 0x60);
  bytes_unsigned(&s, n);
  repeat(&s, n, "\x7f", 1);
  bytes_byte(&s, 0);
  section(m, 1, 1, &s);
  bytes_free(&s);
}

static void results(struct bytes *m, size_t n) {
  struct bytes s = {0};
  begin(m);
  bytes_put(&s, "\x60\0", 2);
  bytes_unsigned(&s, n);
  repeat(&s, n, "\x7f", 1);
  section(m, 1, 1, &s);
  bytes_free(&s);
}

static void fields(struct bytes *m, size_t n) {
  struct bytes s = {0};
  begin(m);
  bytes_byte(&s, 0x5f);
  bytes_unsigned(&s, n);
  repeat(&s, n, "\x7f\1", 2);
  section(m, 1, 1, &s);
  bytes_free(&s);
}

static void name_bytes(struct bytes *m, size_t n) {
  struct bytes s = {0};
  begin(m);
  bytes_put(&s, "\0\1", 2);
  section(m, 5, 1, &s);
  bytes_unsigned(&s, n);
  repeat(&s, n, "x", 1);
  bytes_put(&s, "\2\0", 2);
  section(m, 7, 1, &s);
  bytes_free(&s);
}

static void memories(struct bytes *m, size_t n) {
  struct bytes s = {0};
  begin(m);
  repeat(&s, n, "\0\0", 2);
  section(m, 5, n, &s);
  bytes_free(&s);
}

int main(int argc, char **argv) {
  size_t d = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
  if (!d) return 2;
  measure("a long body", long_body, 7600000 / 19 / d, LOAD);
  measure("a long body, translated", long_body, 7600000 / 19 / d, EAGER);
  measure("targets of a br_table, translated", branch_table, 1000000 / d, EAGER);
  measure("groups of locals, translated", many_locals, 50000 / d, EAGER);
  measure("nested blocks, translated", nested_blocks, 1000000 / d, EAGER);
  measure("nested ifs, translated", nested_ifs, 1000000 / d, EAGER);
  measure("operands read from locals that change, translated", deep_operands, 600000 / d, EAGER);
  measure("blocks with branches, translated", branches_out, 300000 / d, EAGER);
  measure("locals set in blocks, translated", set_in_blocks, 50000 / d, EAGER);
  measure("branches with 1,000 values, translated", many_values, 100000 / d, EAGER);
  measure("nested handlers, translated", many_handlers, 200000 / d, EAGER);
  measure("types", many_types, 1000000 / d, LOAD);
  measure("types of one group", one_group, 1000000 / d, LOAD);
  measure("types with 63 supertypes", deep_types, 1000000 / d, LOAD);
  measure("functions, exports and names", many_functions, 1000000 / d, LOAD);
  measure("functions, exports and names, translated", many_functions, 1000000 / d, EAGER);
  measure("imports", many_imports, 1000000 / d, LOAD);
  measure("globals, instantiated", many_globals, 1000000 / d, EAGER);
  measure("elements", many_elements, 10000000 / d, LOAD);
  measure("data segments, instantiated", many_segments, 100000 / d, EAGER);
  measure("text: nested folded blocks", text_folded, 1000000 / d, TEXT);
  measure("text: nested comments", text_comments, 1000000 / d, TEXT);
  measure("text: nested annotations", text_annotations, 1000000 / d, TEXT);
  measure("text: nested operands", text_operands, 1000000 / d, TEXT);
  measure("text: named functions", text_names, 200000 / d, TEXT);
  beyond("supertypes", long_chain, 63);
  beyond("bytes of a body", exact_body, 7654321);
  beyond("locals", local_count, 50000);
  beyond("parameters", params, 1000);
  beyond("results", results, 1000);
  beyond("fields", fields, 10000);
  beyond("bytes of a name", name_bytes, 100000);
  beyond("memories", memories, 100);
  if (d == 1) {
    beyond("types", many_types, 1000000);
    beyond("types of one group", one_group, 1000000);
    beyond("functions", many_functions, 1000000);
    beyond("imports", many_imports, 1000000);
    beyond("globals", many_globals, 1000000);
  }
  printf("%u passed, %u failed\n", passed, failed);
  return failed != 0;
}
