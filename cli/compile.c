/* compile.c: `minivm compile`: a module in the form in which it is mapped and run at once. */
#include <stdlib.h>

#include "cli.h"

struct compile {
  mv_options_t engine;
  const char *output;
  bool depth;
};

#define AT(member) offsetof(struct compile, member)
static const struct option options[] = {
  {"output", "FILE", "where to write (also -o); default: the input's name with .mvm, or standard output for standard input", set_text, AT(output)},
  {"o", "FILE", NULL, set_text, AT(output)},
  OPTION_FEATURES(struct compile, engine.features),
  {NULL, NULL, "for runs with certain options; in others that have them functions are translated at their first call", NULL, 0},
  {"fuel", NULL, "with --fuel", set_flag, AT(engine.fuel)},
  {"timeout", NULL, "with --timeout", set_flag, AT(engine.interruptible)},
  {"max-depth", NULL, "with --max-depth", set_flag, AT(depth)},
  {"no-fusion", NULL, "with --no-fusion", set_flag, AT(engine.no_fusion)},
  {NULL, NULL, NULL, NULL, 0},
};

static int cmd_compile(int argc, char **argv);
const struct command command_compile = {
  "compile", "compile [OPTIONS] MODULE", "Validates and translates a module ahead of time.",
  "The file that is written, about four times the size of the module, starts within milliseconds. It holds code\n"
  "for this very build of minivm, and is trusted as native code is: run takes it with --allow-precompiled alone.\n"
  "It holds the module too, so that it can be inspected, and compiled again after an update of minivm.\n",
  options, cmd_compile,
};

static bool write_module(const wasm_module_t *module, const char *path) {
  mv_error_t err = {0};
  struct output out;
  if (!output_open(&out, path)) return false;
  bool ok = mv_module_serialize(module, out.file, &err) || err.kind == MV_USAGE; /* that is a failure to write, which output_close reports */
  if (!ok) report(mv_kind_name(err.kind), "%s: %s", out.path, err.message);
  return output_close(&out, ok);
}

static bool compile(const struct compile *c, const char *path, const char *output) {
  struct file f;
  bool ok = false;
  if (!file_open(&f, path, c->engine.features, DETAIL_FULL)) return false;
  wasm_engine_t *engine = engine_open(&c->engine);
  wasm_module_t *module = engine ? file_module(&f, engine) : NULL;
  if (module) ok = write_module(module, output);
  wasm_module_delete(module);
  wasm_engine_delete(engine);
  file_close(&f);
  return ok;
}

static int cmd_compile(int argc, char **argv) {
  struct compile c = {.engine.features = mv_features_default()};
  int status = EXIT_OK, i = options_parse_one(&command_compile, &c, argc, argv, &status);
  if (i < 0) return status;
  if (c.depth) c.engine.max_depth = UINT32_MAX; /* that there is a limit matters, not which */
  char *made = c.output ? NULL : output_name(argv[i], ".mvm"); /* in the input's folder, for what is precompiled belongs to it */
  bool ok = (c.output || made) && compile(&c, argv[i], c.output ? c.output : made);
  free(made);
  return ok ? EXIT_OK : EXIT_MODULE;
}
