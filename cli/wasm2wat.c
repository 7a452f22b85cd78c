/* wasm2wat.c: `minivm wasm2wat`: a binary module as text. */
#include "cli.h"

static int cmd_wasm2wat(int argc, char **argv);

struct state {
  mv_features_t features;
  const char *output;
  bool flat;
};

static const struct option options[] = {
    {"output", "FILE", "where to write (also -o); default: standard output", set_text, offsetof(struct state, output)},
    {"o", "FILE", NULL, set_text, offsetof(struct state, output)},
    {"flat", NULL, "one instruction a line instead of nested expressions", set_flag, offsetof(struct state, flat)},
    OPTION_FEATURES(struct state, features),
    {NULL, NULL, NULL, NULL, 0},
};

const struct command command_wasm2wat = {
    "wasm2wat", "wasm2wat [OPTIONS] FILE", "Prints a binary module as text.",
    "FILE may be - for standard input. Names come from the name section; other custom sections become (@custom) annotations, so that wat2wasm gives\n"
    "the same module again. The module need not be valid.\n", options, cmd_wasm2wat};

static bool print(const struct state *s, const struct file *f) {
  const uint8_t *bytes;
  char *text;
  size_t size, text_size;
  mv_error_t err = {0};
  file_binary(f, &bytes, &size);
  if (!mv_wasm2wat(bytes, size, s->flat ? MV_WAT_FLAT : 0, &text, &text_size, &err)) {
    file_report(f, &err);
    return false;
  }
  bool ok = output_write(s->output ? s->output : "-", text, text_size);
  mv_free(text);
  return ok;
}

static int cmd_wasm2wat(int argc, char **argv) {
  struct state s = {.features = mv_features_all()};
  struct file f;
  int status = EXIT_OK, i = options_parse_one(&command_wasm2wat, &s, argc, argv, &status);
  if (i < 0) return status;
  if (!file_open(&f, argv[i], s.features, DETAIL_FULL)) return EXIT_MODULE;
  bool ok = print(&s, &f);
  file_close(&f);
  return ok ? EXIT_OK : EXIT_MODULE;
}
