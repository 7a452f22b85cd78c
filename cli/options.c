/* options.c: command lines, from one table per command. Options end at the first operand, so that what follows a module is the guest's. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* ---- values -------------------------------------------------------------------------------------------- */

bool parse_count(const char *text, uint64_t max, uint64_t *out) {
  uint64_t n = 0;
  if (!*text) return false;
  for (; *text; text++) {
    unsigned digit = (unsigned)(unsigned char)*text - '0';
    if (digit > 9 || n > (max - digit) / 10) return false;
    n = n * 10 + digit;
  }
  *out = n;
  return true;
}

/* "64M": digits, then K, M, G or T for powers of 1,024. */
static bool parse_size(const char *text, uint64_t max, uint64_t *out) {
  static const char units[] = "KMGT";
  size_t n = strlen(text);
  char digits[24];
  const char *unit = n > 1 ? strchr(units, text[n - 1] & ~0x20) : NULL;
  unsigned shift = unit ? 10 * ((unsigned)(unit - units) + 1) : 0;
  if (unit) n--;
  if (n >= sizeof digits) return false;
  memcpy(digits, text, n);
  digits[n] = 0;
  if (!parse_count(digits, max >> shift, out)) return false;
  *out <<= shift;
  return true;
}

static const char not_a_number[] = "not a number, or too large";
static const char not_a_size[] = "not a number of bytes (with K, M, G or T), or too large";

const char *set_flag(void *at, const char *value) {
  (void)value;
  *(bool *)at = true;
  return NULL;
}

const char *set_text(void *at, const char *value) {
  *(const char **)at = value;
  return NULL;
}

const char *set_size(void *at, const char *value) { return parse_size(value, UINT64_MAX, at) ? NULL : not_a_size; }

const char *set_stack(void *at, const char *value) {
  uint64_t n;
  if (!parse_size(value, SIZE_MAX, &n)) return not_a_size;
  *(size_t *)at = (size_t)n;
  return NULL;
}

const char *set_count(void *at, const char *value) { return parse_count(value, UINT64_MAX, at) ? NULL : not_a_number; }

const char *set_count32(void *at, const char *value) {
  uint64_t n;
  if (!parse_count(value, UINT32_MAX, &n)) return not_a_number;
  *(uint32_t *)at = (uint32_t)n;
  return NULL;
}

const char *set_features(void *at, const char *value) {
  static char reason[80];
  const char *bad;
  if (mv_features_parse(value, at, &bad)) return NULL;
  snprintf(reason, sizeof reason, "unknown feature '%.*s'", (int)(strcspn(bad, ",") % 32), bad);
  return reason;
}

/* ---- suggestions --------------------------------------------------------------------------------------- */

/* Levenshtein's distance, for words of up to 31 letters. */
unsigned word_distance(const char *a, const char *b) {
  unsigned row[32], n = (unsigned)strlen(b);
  if (n >= 32 || strlen(a) >= 32) return 99;
  for (unsigned j = 0; j <= n; j++) row[j] = j;
  for (unsigned i = 1; *a; a++, i++) {
    unsigned diagonal = row[0];
    row[0] = i;
    for (unsigned j = 1; j <= n; j++) {
      unsigned best = diagonal + (*a != b[j - 1]);
      diagonal = row[j];
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      row[j] = best;
    }
  }
  return row[n];
}

static const char *nearest_option(const struct option *o, const char *word) {
  const char *best = NULL;
  unsigned least = WORD_SLIP + 1;
  for (; o->name || o->text; o++) {
    unsigned d = o->name ? word_distance(o->name, word) : 99;
    if (d < least) least = d, best = o->name;
  }
  return best;
}

/* ---- parsing ------------------------------------------------------------------------------------------- */

static const struct option *find_option(const struct command *c, const char *name, size_t size) {
  for (const struct option *o = c->options; o->name || o->text; o++)
    if (o->name && strlen(o->name) == size && !memcmp(o->name, name, size)) return o;
  return NULL;
}

static int unknown_option(const struct command *c, const char *word, size_t size) {
  char name[64];
  const char *near;
  snprintf(name, sizeof name, "%.*s", (int)(size < 63 ? size : 63), word);
  near = nearest_option(c->options, name);
  if (near) return report_usage(c->name, "unknown option --%s; did you mean --%s?", name, near);
  return report_usage(c->name, "unknown option --%s", name);
}

/* Handles argv[i], which begins with two dashes. Returns the index of the next argument, -1 with *status on an error. */
static int parse_option(const struct command *c, void *state, int i, int argc, char **argv, int *status) {
  const char *word = argv[i] + 2, *value = strchr(word, '='), *why;
  size_t size = value ? (size_t)(value++ - word) : strlen(word);
  const struct option *o = find_option(c, word, size);
  bool optional = o && o->arg && o->arg[0] == '[';
  if (!o) {
    *status = unknown_option(c, word, size);
    return -1;
  }
  if (value && !o->arg) {
    *status = report_usage(c->name, "--%s takes no value", o->name);
    return -1;
  }
  if (!value && o->arg && !optional) {
    if (++i >= argc) {
      *status = report_usage(c->name, "--%s needs a value: %s", o->name, o->arg);
      return -1;
    }
    value = argv[i];
  }
  why = o->set((char *)state + o->offset, value);
  if (why) {
    *status = report_usage(c->name, "--%s %s: %s", o->name, value ? value : "", why);
    return -1;
  }
  return i + 1;
}

int options_parse(const struct command *c, void *state, int argc, char **argv, int *status) {
  int i = 1;
  while (i < argc && argv[i][0] == '-' && argv[i][1]) {
    if (!strcmp(argv[i], "--")) return i + 1;
    if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
      print_help(c, stdout);
      *status = finish_output(EXIT_OK);
      return -1;
    }
    if (argv[i][1] != '-') {
      *status = report_usage(c->name, "unknown option %s; options have two dashes", argv[i]);
      return -1;
    }
    i = parse_option(c, state, i, argc, argv, status);
    if (i < 0) return -1;
  }
  return i;
}

/* ---- help ---------------------------------------------------------------------------------------------- */

static void help_row(const struct option *o, FILE *out) {
  char left[64];
  snprintf(left, sizeof left, "--%s%s%s", o->name, o->arg && o->arg[0] != '[' ? " " : "", o->arg ? o->arg : "");
  if (strlen(left) > 28)
    fprintf(out, "  %s\n  %-28s%s\n", left, "", o->text);
  else
    fprintf(out, "  %-28s%s\n", left, o->text);
}

void print_help(const struct command *c, FILE *out) {
  fprintf(out, "usage: minivm %s\n\n%s\n", c->synopsis, c->summary);
  if (c->options->name) fputs("\noptions:\n", out);
  for (const struct option *o = c->options; o->name || o->text; o++) {
    if (o->name)
      help_row(o, out);
    else
      fprintf(out, "\n%s:\n", o->text);
  }
  if (c->details) fprintf(out, "\n%s", c->details);
}
