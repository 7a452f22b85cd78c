/* inspect.c: `minivm inspect`: what is in a module. */
#include "cli.h"

struct inspect {
  mv_features_t features;
  bool json;
};

static const struct option options[] = {
  {"json", NULL, "as JSON", set_flag, offsetof(struct inspect, json)},
  OPTION_FEATURES(struct inspect, features),
  {NULL, NULL, NULL, NULL, 0},
};

static int cmd_inspect(int argc, char **argv);
const struct command command_inspect = {
  "inspect", "inspect [OPTIONS] MODULE", "Prints a module's sections, imports, exports and sizes.", NULL, options, cmd_inspect,
};

static int cmd_inspect(int argc, char **argv) {
  struct inspect s = {.features = mv_features_default()};
  mv_error_t err = {0};
  struct file f;
  wasm_engine_t *engine;
  wasm_module_t *module = NULL;
  int status = EXIT_OK, i = options_parse_one(&command_inspect, &s, argc, argv, &status);
  mv_options_t engine_options = {.features = s.features};
  if (i < 0) return status;
  if (!file_open(&f, argv[i], s.features, DETAIL_FULL)) return EXIT_MODULE;
  status = EXIT_MODULE;
  engine = engine_open(&engine_options);
  if (engine) module = file_module(&f, engine);
  if (module) {
    if (mv_module_inspect(module, s.json, stdout, &err))
      status = EXIT_OK;
    else
      file_report(&f, &err);
  }
  wasm_module_delete(module);
  wasm_engine_delete(engine);
  file_close(&f);
  return finish_output(status);
}
