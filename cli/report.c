/* report.c: what the host says on standard error. The first line always reads "minivm: KIND: ...", so that a script can tell it from the guest's output. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static void begin(const char *kind) {
  const char *no_color = getenv("NO_COLOR");
  bool color = (!no_color || !*no_color) && isatty(STDERR_FILENO);
  fflush(stdout);
  fprintf(stderr, color ? "\033[1;31mminivm\033[0m: \033[1m%s\033[0m: " : "minivm: %s: ", kind);
}

/* The message may be cut; one that a module chose has at most MV_ERROR_TEXT bytes. */
static void put_message(const char *format, va_list ap) {
  char text[8192];
  vsnprintf(text, sizeof text, format, ap);
  mv_print_visible(text, strlen(text), stderr);
}

void report(const char *kind, const char *format, ...) {
  va_list ap;
  begin(kind);
  va_start(ap, format);
  put_message(format, ap);
  va_end(ap);
  fputc('\n', stderr);
}

int report_usage(const char *command, const char *format, ...) {
  va_list ap;
  begin("usage");
  va_start(ap, format);
  put_message(format, ap);
  va_end(ap);
  fprintf(stderr, " (see minivm help%s%s)\n", command ? " " : "", command ? command : "");
  return EXIT_USAGE;
}

int finish_output(int status) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return status;
  report("unwritable file", "standard output: %s", strerror(errno));
  return status == EXIT_OK ? EXIT_MODULE : status;
}
