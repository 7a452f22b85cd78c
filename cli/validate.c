/* validate.c: `minivm validate`: is this a module that would run? */
#include "cli.h"

struct validate {
  mv_features_t features;
  bool quiet;
};

static const struct option options[] = {
  OPTION_FEATURES(struct validate, features),
  {"quiet", NULL, "tell by the exit status alone; a file that cannot be read is still reported", set_flag, offsetof(struct validate, quiet)},
  {NULL, NULL, NULL, NULL, 0},
};

static int cmd_validate(int argc, char **argv);
const struct command command_validate = {
  "validate", "validate [OPTIONS] MODULE...", "Decodes and validates modules, and says what is wrong with each.",
  "Prints nothing for a valid module. Exit status 0 when all are valid, 1 when one is not, 2 for wrong usage.\n", options, cmd_validate,
};

static bool check(wasm_engine_t *engine, const char *path, const struct validate *v) {
  mv_error_t err = {0};
  struct file f;
  const uint8_t *bytes;
  size_t size;
  bool ok;
  if (!file_open(&f, path, v->features, v->quiet ? DETAIL_NONE : DETAIL_FULL)) return false;
  file_binary(&f, &bytes, &size);
  ok = mv_module_check(engine, bytes, size, &err);
  if (!ok) file_report(&f, &err);
  file_close(&f);
  return ok;
}

static int cmd_validate(int argc, char **argv) {
  struct validate v = {.features = mv_features_default()};
  int status = EXIT_OK, i = options_parse(&command_validate, &v, argc, argv, &status);
  mv_options_t engine_options = {.features = v.features};
  wasm_engine_t *engine;
  if (i < 0) return status;
  if (i == argc) return report_usage("validate", "no module given");
  engine = engine_open(&engine_options);
  if (!engine) return EXIT_MODULE;
  for (; i < argc; i++)
    if (!check(engine, argv[i], &v)) status = EXIT_MODULE;
  wasm_engine_delete(engine);
  return status;
}
