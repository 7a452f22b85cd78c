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

static bool translate(const struct state *s, const char *path, const char *output) {
  struct file f;
  mv_error_t err = {0};
  bool ok = false;
  if (!file_read(&f, path, s->features, DETAIL_FULL)) return false;
  if (f.size >= 4 && !memcmp(f.bytes, "\0asm", 4))
    report(mv_kind_name(MV_MALFORMED), "%s: this is a binary module already", path);
  else if (mv_wat_parse((const char *)f.bytes, f.size, s->features, s->no_names ? MV_WAT_NO_NAMES : 0, &f.binary, &f.binary_size, &f.map, &err) &&
           (s->no_check || check(s, f.binary, f.binary_size, &err)))
    ok = write_output(output, f.binary, f.binary_size);
  else
    file_report(&f, &err);
  file_close(&f);
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
