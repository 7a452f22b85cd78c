/* compile.c: `minivm compile`: a module in the form in which it is mapped and run at once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

struct compile {
  mv_options_t engine;
  const char *output;
  bool depth;
};

#define AT(member) offsetof(struct compile, member)
static const struct option options[] = {
  {"output", "FILE", "where to write (also -o); default: the input's name with .mvm, or standard output for standard input", set_text, AT(output)},
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

/* The name with another suffix: in the folder of the input, for what is precompiled belongs to it. */
static char *default_output(const char *path) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
  size_t n = dot && dot > name ? (size_t)(dot - path) : strlen(path);
  char *output = malloc(n + sizeof ".mvm");
  if (output) sprintf(output, "%.*s.mvm", (int)n, path);
  return output;
}

static bool write_module(const wasm_module_t *module, const char *path, FILE *out) {
  mv_error_t err = {0};
  bool ok = out && mv_module_serialize(module, out, &err);
  int saved = errno;
  if (out && out != stdout && fclose(out) != 0 && ok) {
    saved = errno;
    ok = false;
  }
  if (!ok && out && err.kind && err.kind != MV_USAGE) report(mv_kind_name(err.kind), "%s: %s", path, err.message);
  else if (!ok) report("unwritable file", "%s: %s", path, strerror(saved));
  return ok;
}

/* Beside its place first: a program may be running from what is there. */
static bool write_file(const wasm_module_t *module, const char *path) {
  bool ok = false;
  char *beside = malloc(strlen(path) + sizeof ".new");
  if (!beside) {
    report(mv_kind_name(MV_NO_MEMORY), "%s", path);
    return false;
  }
  sprintf(beside, "%s.new", path);
  FILE *out = fopen(beside, "wb");
  if (write_module(module, path, out)) {
    ok = rename(beside, path) == 0;
    if (!ok) report("unwritable file", "%s: %s", path, strerror(errno));
  }
  if (out && !ok) unlink(beside);
  free(beside);
  return ok;
}

static bool compile(const struct compile *c, const char *path, const char *output) {
  struct file f;
  bool ok = false;
  if (!file_open(&f, path, c->engine.features, DETAIL_FULL)) return false;
  wasm_engine_t *engine = engine_open(&c->engine);
  wasm_module_t *module = engine ? file_module(&f, engine) : NULL;
  if (module) ok = strcmp(output, "-") ? write_file(module, output) : write_module(module, "standard output", stdout);
  wasm_module_delete(module);
  if (engine) wasm_engine_delete(engine);
  file_close(&f);
  return ok;
}

static int cmd_compile(int argc, char **argv) {
  char output[] = "--output";
  struct compile c = {.engine.features = mv_features_default()};
  int status = EXIT_OK, i;
  for (i = 1; i < argc; i++)
    if (!strcmp(argv[i], "-o")) argv[i] = output;
  i = options_parse(&command_compile, &c, argc, argv, &status);
  if (i < 0) return status;
  if (argc - i != 1) return report_usage("compile", "one module is wanted, %d given", argc - i);
  if (c.depth) c.engine.max_depth = UINT32_MAX; /* that there is a limit matters, not which */
  char *made = c.output || !strcmp(argv[i], "-") ? NULL : default_output(argv[i]);
  if (compile(&c, argv[i], c.output ? c.output : made ? made : "-")) status = finish_output(EXIT_OK);
  else status = EXIT_MODULE;
  free(made);
  return status;
}
