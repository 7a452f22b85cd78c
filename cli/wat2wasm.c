/* wat2wasm.c: `minivm wat2wasm`: a text module to a binary one. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static int cmd_wat2wasm(int argc, char **argv);

struct state {
  mv_features_t features;
  const char *output;
  bool no_names, no_check;
};

static const struct option options[] = {
    {"output", "FILE", "where to write (also -o); default: the input's name with .wasm, or standard output for standard input", set_text,
     offsetof(struct state, output)},
    {"o", "FILE", NULL, set_text, offsetof(struct state, output)},
    {"no-names", NULL, "leave out the name section", set_flag, offsetof(struct state, no_names)},
    {"no-check", NULL, "do not validate the result", set_flag, offsetof(struct state, no_check)},
    OPTION_FEATURES(struct state, features),
    {NULL, NULL, NULL, NULL, 0},
};

const struct command command_wat2wasm = {
    "wat2wasm", "wat2wasm [OPTIONS] FILE", "Translates a text module to binary.",
    "FILE may be - for standard input, and so may the output. The result is validated unless --no-check is given.\n", options, cmd_wat2wasm};

static bool check(const struct state *s, const uint8_t *bytes, size_t size, mv_error_t *err) {
  mv_options_t o = {.features = s->features};
  wasm_engine_t *engine = engine_open(&o);
  bool ok = engine && mv_module_check(engine, bytes, size, err) && mv_custom_check(bytes, size, s->features, err);
  wasm_engine_delete(engine);
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
    ok = output_write(output, f.binary, f.binary_size);
  else
    file_report(&f, &err);
  file_close(&f);
  return ok;
}

static int cmd_wat2wasm(int argc, char **argv) {
  struct state s = {.features = mv_features_default()};
  int status = EXIT_OK, i = options_parse_one(&command_wat2wasm, &s, argc, argv, &status);
  if (i < 0) return status;
  const char *slash = strrchr(argv[i], '/');
  char *made = s.output ? NULL : output_name(slash ? slash + 1 : argv[i], ".wasm"); /* in the current folder, as wabt does */
  bool ok = (s.output || made) && translate(&s, argv[i], s.output ? s.output : made);
  free(made);
  return ok ? EXIT_OK : EXIT_MODULE;
}
