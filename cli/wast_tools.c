/* wast_tools.c: what `minivm wast` does with the modules of a script beside running them: checks of the text parser and the printer, with the
 * suite as their material. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "wast.h"

struct tool {
  const struct wast_options *options;
  struct wast_result result;
  wast_fail_fn *fail;
  void *env;
  uint32_t line;
};

static bool failed(struct tool *t, const char *format, ...) MV_PRINTF(2, 3);
static bool failed(struct tool *t, const char *format, ...) {
  char text[1024];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  t->result.failures++;
  t->fail(t->env, t->line, text);
  return false;
}

/* Calls visit with each module of the commands. */
static void each_module(struct tool *t, const mv_wast_command_t *list, size_t n, void (*visit)(struct tool *, const mv_wast_command_t *)) {
  for (size_t i = 0; i < n; i++) {
    const mv_wast_command_t *c = &list[i];
    t->line = c->line;
    if (t->options->line) *t->options->line = c->line;
    if (c->module.form != MV_WAST_NO_MODULE) visit(t, c);
    each_module(t, c->commands, c->ncommands, visit);
  }
}

static struct wast_result each_script_module(const char *text, size_t size, unsigned flags, struct tool *t,
                                             void (*visit)(struct tool *, const mv_wast_command_t *)) {
  mv_wast_t script;
  mv_error_t err;
  if (!mv_wast_parse(text, size, t->options->engine.features, flags, &script, &err)) {
    t->line = err.line;
    (void)failed(t, "%s", err.message);
    return t->result;
  }
  each_module(t, script.commands, script.ncommands, visit);
  mv_wast_free(&script);
  return t->result;
}

/* ---- there and back ------------------------------------------------------------------------------------ */

struct bytes {
  uint8_t *data;
  size_t size;
};

static bool same_bytes(struct bytes a, struct bytes b) { return a.size == b.size && memcmp(a.data, b.data, a.size) == 0; }

/* Binary to text to binary. *printed: the first half succeeded. */
static bool there_and_back(struct tool *t, struct bytes in, unsigned flags, struct bytes *out, bool *printed, mv_error_t *err) {
  char *text;
  size_t size;
  *out = (struct bytes){0};
  *printed = mv_wasm2wat(in.data, in.size, flags, &text, &size, err);
  if (!*printed) return false;
  bool ok = mv_wat_parse(text, size, t->options->engine.features, 0, &out->data, &out->size, NULL, err);
  mv_free(text);
  return ok;
}

/* `shortest`: the module has the shortest encodings, for it comes from a text. Another may change once, and then no more. */
static void check_form(struct tool *t, struct bytes module, unsigned flags, bool shortest, bool may_refuse) {
  struct bytes once, twice;
  bool printed;
  mv_error_t err;
  const char *form = flags ? "flat" : "folded";
  if (!there_and_back(t, module, flags, &once, &printed, &err)) {
    if (printed || !may_refuse) (void)failed(t, "%s: %s: %s", form, printed ? "the text cannot be read" : "it cannot be printed", err.message);
    return;
  }
  t->result.assertions++;
  if (!same_bytes(module, once)) {
    if (shortest) (void)failed(t, "%s: the module comes back different", form);
    else if (!there_and_back(t, once, flags, &twice, &printed, &err)) (void)failed(t, "%s: the second time: %s", form, err.message);
    else if (!same_bytes(once, twice)) (void)failed(t, "%s: the module is different each time", form);
    if (!shortest) mv_free(twice.data);
  }
  mv_free(once.data);
}

static void roundtrip_module(struct tool *t, const mv_wast_command_t *c) {
  const mv_wast_module_t *m = &c->module;
  struct bytes b = {NULL, m->size}, made = {0};
  bool binary = m->form == MV_WAST_BINARY;
  if (m->form == MV_WAST_TEXT && m->error) return; /* other tests tell */
  if (m->form == MV_WAST_QUOTE) {
    if (!mv_wat_parse((const char *)m->bytes, m->size, t->options->engine.features, 0, &made.data, &made.size, NULL, NULL)) return;
    b = made;
  } else {
    b.data = malloc(m->size + 1);
    if (!b.data) return;
    memcpy(b.data, m->bytes, m->size);
  }
  t->result.commands++;
  check_form(t, b, 0, !binary, binary && c->kind != MV_WAST_MODULE);
  check_form(t, b, MV_WAT_FLAT, !binary, binary && c->kind != MV_WAST_MODULE);
  if (!made.data) free(b.data);
  mv_free(made.data);
}

struct wast_result wast_roundtrip(const char *text, size_t size, const struct wast_options *options, wast_fail_fn *fail, void *env) {
  struct tool t = {.options = options, .fail = fail, .env = env};
  return each_script_module(text, size, 0, &t, roundtrip_module);
}

/* ---- damage -------------------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state) {
  uint64_t x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

static size_t below(uint64_t *state, size_t n) { return n ? (size_t)(next_random(state) % n) : 0; }

/* Changes one place of the text, which has room for `cap` bytes. Returns its new size. */
static size_t damage(char *text, size_t size, size_t cap, uint64_t *state) {
  static const char *const words[] = {
      "(", ")", "\"", "(;", ";)", "(@", "(@custom \"x\" (after func) \"y\")", "(@name \"n\")", "$x", "$\"\\u{41}\"", "-0x1p-1074", "nan:0x1", "0x", "1e999",
      "0x1.fffffffffffff8p1023", "4294967296", "18446744073709551616", "(type 0)", "(param i32)", "(result", "(ref null", "(exact", "(rec", "(sub final", "end",
      "else", "(then", "(else", "try_table", "(catch 0 0)", "delegate 0", "(do", "br_table", "v128.const i8x16", "i8x16.shuffle", "offset=1", "align=3", "(item",
      "(elem declare func", "(data", "(memory i64", "(pagesize 1)", "(import \"a\" \"b\"", "(export \"a\")", "(module", "(thread $T (", "either", "\xff", "\\", "\n"};
  size_t at = below(state, size), n = below(state, 64), from;
  if (n > size - at) n = size - at;
  switch (below(state, 5)) {
  case 0: /* another byte */
    if (size) text[at] = (char)next_random(state);
    return size;
  case 1: /* less */
    memmove(text + at, text + at + n, size - at - n);
    return size - n;
  case 2: /* a piece from elsewhere */
    from = below(state, size);
    if (n > size - from) n = size - from;
    if (n > size - at) n = size - at;
    memmove(text + at, text + from, n);
    return size;
  case 3: /* a piece twice */
    if (n > cap - size) return size;
    memmove(text + at + n, text + at, size - at);
    return size + n;
  default: { /* a word of the language */
    const char *word = words[below(state, sizeof words / sizeof *words)];
    size_t m = strlen(word);
    if (m > cap - size) return size;
    memmove(text + at + m, text + at, size - at);
    memcpy(text + at, word, m);
    return size + m;
  }
  }
}

/* Whatever the parser accepts goes through everything that reads modules. Nothing is expected but that all of it ends. */
static void exercise(struct tool *t, const mv_wast_command_t *c) {
  const mv_wast_module_t *m = &c->module;
  wasm_engine_t *engine = t->env;
  mv_error_t err;
  uint8_t *binary = NULL;
  const uint8_t *bytes = m->bytes;
  size_t size = m->size, text_size;
  char *text;
  if (m->form == MV_WAST_QUOTE) {
    mv_wat_map_t *map = NULL;
    if (!mv_wat_parse((const char *)m->bytes, m->size, mv_features_all(), 0, &binary, &size, &map, &err)) return;
    mv_wat_map_delete(map);
    bytes = binary;
  }
  if (bytes) {
    t->result.commands++;
    if (mv_module_check(engine, bytes, size, &err)) (void)!mv_custom_check(bytes, size, mv_features_all(), &err);
    if (mv_wasm2wat(bytes, size, (unsigned)(size & 1), &text, &text_size, &err)) mv_free(text);
  }
  mv_free(binary);
}

struct wast_result wast_mutate(const char *text, size_t size, const struct wast_options *options, wast_fail_fn *fail, void *env) {
  enum { WINDOW = 16384, ROOM = 4096, MOST_DAMAGE = 8 };
  struct wast_options all = *options;
  all.engine.features = mv_features_all();
  wasm_engine_t *engine = engine_open(&all.engine);
  struct tool t = {.options = &all, .fail = fail, .env = engine};
  uint64_t state = options->seed * UINT64_C(0x9e3779b97f4a7c15) ^ size ^ UINT64_C(0x2545f4914f6cdd1d);
  char *copy = malloc(WINDOW + ROOM);
  if (!engine || !copy) {
    fail(env, 0, "out of memory");
    t.result.failures++;
  }
  for (uint64_t i = 0; engine && copy && i < options->mutate; i++) {
    size_t n = size < WINDOW ? size : WINDOW, start = below(&state, size - n + 1);
    mv_wast_t script;
    memcpy(copy, text + start, n);
    for (size_t k = 1 + below(&state, MOST_DAMAGE); k > 0; k--) n = damage(copy, n, WINDOW + ROOM, &state);
    char *exact = malloc(n + 1); /* so that a checker sees a read beyond the end */
    if (!exact) break;
    memcpy(exact, copy, n);
    if (mv_wast_parse(exact, n, all.engine.features, 0, &script, NULL)) {
      each_module(&t, script.commands, script.ncommands, exercise);
      mv_wast_free(&script);
    }
    free(exact);
    t.result.assertions++;
  }
  free(copy);
  wasm_engine_delete(engine);
  return t.result;
}

/* ---- extraction ---------------------------------------------------------------------------------------- */

static void extract_module(struct tool *t, const mv_wast_command_t *c) {
  char path[4096];
  if (c->module.form == MV_WAST_QUOTE) return;
  snprintf(path, sizeof path, "%s/%u.wasm", t->options->extract, (unsigned)t->result.commands++);
  if (!c->module.bytes) {
    (void)failed(t, "%s", c->module.error->message);
    return;
  }
  FILE *f = fopen(path, "wb");
  bool ok = f && fwrite(c->module.bytes, 1, c->module.size, f) == c->module.size;
  if (f) ok = fclose(f) == 0 && ok;
  if (ok) t->result.assertions++;
  else (void)failed(t, "%s: %s", path, strerror(errno));
}

struct wast_result wast_extract(const char *text, size_t size, const struct wast_options *options, wast_fail_fn *fail, void *env) {
  struct tool t = {.options = options, .fail = fail, .env = env};
  return each_script_module(text, size, MV_WAT_NO_NAMES, &t, extract_module);
}
