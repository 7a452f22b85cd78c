/* help.c: `minivm help`: the list of commands, one command's options, the features. */
#include <string.h>

#include "cli.h"

static const struct option no_options[] = {{NULL, NULL, NULL, NULL, 0}};

static int cmd_help(int argc, char **argv);
const struct command command_help = {
  "help", "help [COMMAND|features]", "Explains a command, or lists the features that --features knows.", NULL, no_options, cmd_help,
};

static void list_commands(FILE *out) {
  fputs("usage: minivm [OPTIONS] MODULE [ARGS...]\n       minivm COMMAND [OPTIONS] ...\n\n"
        "Runs WebAssembly modules.\n\ncommands:\n", out);
  for (const struct command *const *c = commands; *c; c++) fprintf(out, "  %-12s%s\n", (*c)->name, (*c)->summary);
  fputs("\nminivm help COMMAND tells more; minivm --version prints the version.\n", out);
}

static void list_features(FILE *out) {
  mv_features_t on = mv_features_default();
  const char *name;
  fputs("Features, and whether they are on by default (docs/PROPOSALS.md):\n", out);
  for (unsigned bit = 0; (name = mv_feature_name(bit)) != NULL; bit++) fprintf(out, "  %-24s%s\n", name, on >> bit & 1 ? "on" : "off");
  fputs("--features changes the set from left to right: NAME adds, -NAME takes away; all, none and default set everything.\n", out);
}

static int cmd_help(int argc, char **argv) {
  int status = EXIT_OK, i = options_parse(&command_help, NULL, argc, argv, &status);
  const struct command *c;
  if (i < 0) return status;
  if (argc - i > 1) return report_usage("help", "one command at a time");
  if (i == argc) {
    list_commands(stdout);
  } else if (!strcmp(argv[i], "features")) {
    list_features(stdout);
  } else {
    c = command_find(argv[i]);
    if (!c && command_near(argv[i])) return report_usage(NULL, "no command '%s'; did you mean %s?", argv[i], command_near(argv[i]));
    if (!c) return report_usage(NULL, "no command '%s'", argv[i]);
    print_help(c, stdout);
  }
  return finish_output(EXIT_OK);
}
