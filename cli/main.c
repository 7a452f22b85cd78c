/* main.c: picks the command. A first word that names none is a module: `minivm app.wasm` means `minivm run app.wasm`. */
#include <string.h>
#include <unistd.h>

#include "cli.h"

extern const struct command command_run, command_validate, command_inspect, command_disasm, command_compile, command_help;
extern const struct command command_wat2wasm, command_wasm2wat, command_wast, command_dapr;

const struct command *const commands[] = {
  &command_run, &command_validate, &command_inspect, &command_disasm, &command_compile, &command_wat2wasm, &command_wasm2wat, &command_wast, &command_dapr, &command_help, NULL,
};

const struct command *command_find(const char *name) {
  for (const struct command *const *c = commands; *c; c++)
    if (!strcmp((*c)->name, name)) return *c;
  return NULL;
}

const char *command_near(const char *word) {
  for (const struct command *const *c = commands; *c; c++)
    if (word_distance((*c)->name, word) <= WORD_SLIP) return (*c)->name;
  return NULL;
}

/* What a word was meant to be that names no file: a command almost, or --version, with or without its dashes. */
static const char *meant(const char *word) {
  if (access(word, F_OK) == 0) return NULL;
  if (word_distance("--version", word) <= WORD_SLIP) return "--version";
  return word[0] == '-' ? NULL : command_near(word);
}

int main(int argc, char **argv) {
  const struct command *c;
  const char *near;
  if (argc < 2) return report_usage(NULL, "no module and no command given");
  if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
    puts("minivm " MINIVM_VERSION);
    return finish_output(EXIT_OK);
  }
  if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) argv[1] = "help";
  c = command_find(argv[1]);
  if (c) return c->run(argc - 1, argv + 1);
  near = meant(argv[1]);
  if (near) return report_usage(NULL, "no file, command or option '%s'; did you mean %s?", argv[1], near);
  return command_run.run(argc, argv);
}
