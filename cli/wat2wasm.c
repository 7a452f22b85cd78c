/* wat2wasm.c: `minivm wat2wasm`: a text module to a binary one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

int cmd_wat2wasm(int argc, char **argv);

struct state {
  mv_features_t features;
  const char *output;
  bool no_names, no_check;
};

static const struct option options[] = {
    {"output", "FILE", "where to write (also -o); default: the input's name with .wasm, or standard output for standard input", set_text,
     offsetof(struct state, output)},
    {"no-names", NULL, "leave out the name section", set_flag, offsetof(struct state, no_names)},
    {"no-check", NULL, "do not validate the result", set_flag, offsetof(struct state, no_check)},
    OPTION_FEATURES(struct state, features),
    {NULL, NULL, NULL, NULL, 0},
};

const struct command command_wat2wasm = {
    "wat2wasm", "wat2wasm [OPTIONS] FILE", "Translates a text module to binary.",
    "FILE may be - for standard input, and so may the output. The result is validated unless --no-check is given.\n", options, cmd_wat2wasm};

/* The text as read, even when the file is binary by its looks. */
static char *read_text(const char *path, size_t *size) {
  FILE *f = strcmp(path, "-") ? fopen(path, "rb") : stdin;
  size_t cap = 65536;
  char *text = f ? malloc(cap) : NULL;
  *size = 0;
  for (size_t n; text && (n = fread(text + *size, 1, cap - *size, f)) > 0;) {
    *size += n;
    if (*size < cap) continue;
    char *more = realloc(text, cap *= 2);
    if (!more) free(text);
    text = more;
  }
  if (f && ferror(f)) {
    free(text);
    text = NULL;
  }
  if (!text) report("unreadable module", "%s: %s", path, strerror(errno));
  if (f && f != stdin) fclose(f);
  return text;
}

static bool write_output(const char *path, const void *bytes, size_t size) {
  FILE *f = strcmp(path, "-") ? fopen(path, "wb") : stdout;
  bool ok = f && fwrite(bytes, 1, size, f) == size;
  if (f && f != stdout) ok = fclose(f) == 0 && ok;
  if (f == stdout) ok = fflush(f) == 0 && ok;
  if (!ok) report("unwritable file", "%s: %s", path, strerror(errno));
  return ok;
}

static bool check(const struct state *s, const uint8_t *bytes, size_t size, mv_error_t *err) {
  mv_options_t o = {.features = s->features};
  wasm_engine_t *engine = engine_open(&o);
  bool ok = engine && mv_module_check(engine, bytes, size, err) && mv_custom_check(bytes, size, s->features, err);
  if (engine) wasm_engine_delete(engine);
  return ok;
}

/* What is wrong, with the line of the text. */
static void report_error(const char *path, const char *text, size_t size, const mv_wat_map_t *map, const mv_error_t *err) {
  uint32_t line = err->line, column = err->column;
  if (!line && map && err->offset != MV_NO_OFFSET && !mv_wat_map_find(map, err->offset, &line, &column)) line = 0;
  if (!line) {
    report(mv_kind_name(err->kind), "%s: %s", path, err->message);
    return;
  }
  report(mv_kind_name(err->kind), "%s:%u:%u: %s", path, (unsigned)line, (unsigned)column, err->message);
  mv_wat_caret(text, size, line, column, stderr);
}

static bool translate(const struct state *s, const char *path, const char *output) {
  size_t size, binary_size;
  uint8_t *binary = NULL;
  mv_wat_map_t *map = NULL;
  mv_error_t err = {0};
  char *text = read_text(path, &size);
  if (!text) return false;
  bool ok = mv_wat_parse(text, size, s->features, s->no_names ? MV_WAT_NO_NAMES : 0, &binary, &binary_size, &map, &err) &&
            (s->no_check || check(s, binary, binary_size, &err));
  if (!ok) report_error(path, text, size, map, &err);
  ok = ok && write_output(output, binary, binary_size);
  mv_wat_map_delete(map);
  mv_free(binary);
  free(text);
  return ok;
}

/* a/b.wat -> b.wasm, as wabt does */
static char *default_output(const char *path) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
  size_t n = dot && dot > name ? (size_t)(dot - name) : strlen(name);
  char *output = malloc(n + sizeof ".wasm");
  if (!output) return NULL;
  memcpy(output, name, n);
  strcpy(output + n, ".wasm");
  return output;
}

int cmd_wat2wasm(int argc, char **argv) {
  char output[] = "--output";
  struct state s = {.features = mv_features_default()};
  int status = EXIT_OK, i;
  for (i = 1; i < argc; i++)
    if (!strcmp(argv[i], "-o")) argv[i] = output;
  i = options_parse(&command_wat2wasm, &s, argc, argv, &status);
  if (i < 0) return status;
  if (i + 1 != argc) return report_usage("wat2wasm", i == argc ? "no module given" : "more than one module given");
  char *made = s.output || !strcmp(argv[i], "-") ? NULL : default_output(argv[i]);
  bool ok = translate(&s, argv[i], s.output ? s.output : made ? made : "-");
  free(made);
  return ok ? EXIT_OK : EXIT_MODULE;
}
