/* disasm.c: `minivm disasm`: a function's Wasm and the register code made from it, side by side. */
#include <string.h>

#include "cli.h"

struct disasm {
  mv_features_t features;
  const char *func;
  bool no_fusion;
};

static const struct option options[] = {
  {"func", "INDEX|NAME", "this function alone", set_text, offsetof(struct disasm, func)},
  {"no-fusion", NULL, "translate without superinstructions", set_flag, offsetof(struct disasm, no_fusion)},
  OPTION_FEATURES(struct disasm, features),
  {NULL, NULL, NULL, NULL, 0},
};

static int cmd_disasm(int argc, char **argv);
const struct command command_disasm = {
  "disasm", "disasm [OPTIONS] MODULE", "Prints functions as Wasm and as register code, side by side.",
  "docs/REGISTER-CODE.md explains the register code.\n", options, cmd_disasm,
};

/* By index or by name. Behind the imports a module has at most MOST_FUNCS functions; what is behind the last has no name but its index. */
static bool find_func(const wasm_module_t *module, const char *word, uint32_t *index) {
  enum { MOST_FUNCS = 1000000 };
  uint64_t n, count = MOST_FUNCS;
  char name[1024];
  wasm_importtype_vec_t imports;
  wasm_module_imports(module, &imports);
  for (size_t i = 0; i < imports.size; i++) count += wasm_externtype_kind(wasm_importtype_type(imports.data[i])) == WASM_EXTERN_FUNC;
  wasm_importtype_vec_delete(&imports);
  if (parse_count(word, UINT32_MAX - 1, &n)) {
    *index = (uint32_t)n;
    return true;
  }
  for (n = 0; n < count; n++) {
    mv_module_func_name(module, (uint32_t)n, name, sizeof name);
    if (!strcmp(name, word)) {
      *index = (uint32_t)n;
      return true;
    }
  }
  return false;
}

static int disassemble(const struct disasm *d, const struct file *f, const wasm_module_t *module) {
  mv_error_t err = {0};
  uint32_t index = UINT32_MAX;
  if (d->func && !find_func(module, d->func, &index)) return report_usage("disasm", "%s has no function '%s'", f->path, d->func);
  if (mv_module_disasm(module, index, stdout, &err)) return EXIT_OK;
  if (err.kind == MV_USAGE) return report_usage("disasm", "%s: %s", f->path, err.message);
  file_report(f, &err);
  return EXIT_MODULE;
}

static int cmd_disasm(int argc, char **argv) {
  struct disasm d = {.features = mv_features_default()};
  struct file f;
  wasm_engine_t *engine;
  wasm_module_t *module = NULL;
  int status = EXIT_OK, i = options_parse_one(&command_disasm, &d, argc, argv, &status);
  mv_options_t engine_options = {.features = d.features, .no_fusion = d.no_fusion};
  if (i < 0) return status;
  if (!file_open(&f, argv[i], d.features, DETAIL_FULL)) return EXIT_MODULE;
  status = EXIT_MODULE;
  engine = engine_open(&engine_options);
  if (engine) module = file_module(&f, engine);
  if (module) status = disassemble(&d, &f, module);
  wasm_module_delete(module);
  wasm_engine_delete(engine);
  file_close(&f);
  return finish_output(status);
}
