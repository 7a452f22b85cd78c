/* options.c: command lines, from one table per command. Options may stand anywhere, except that those of `run` end at the module: what follows it
 * is the guest's. */
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

static const char not_a_number[] = "not a whole number, or too large";
static const char not_a_size[] = "not a number of bytes (with K, M, G or T), or too large";
static const char not_a_limit[] = "a limit is above 0; leave the option out for the default";

const char *set_flag(void *at, const char *value) {
  (void)value;
  *(bool *)at = true;
  return NULL;
}

const char *set_text(void *at, const char *value) {
  *(const char **)at = value;
  return NULL;
}

const char *set_count(void *at, const char *value) { return parse_count(value, UINT64_MAX, at) ? NULL : not_a_number; }

const char *set_count32(void *at, const char *value) {
  uint64_t n;
  if (!parse_count(value, UINT32_MAX, &n)) return not_a_number;
  *(uint32_t *)at = (uint32_t)n;
  return NULL;
}

const char *set_size(void *at, const char *value) {
  if (!parse_size(value, UINT64_MAX, at)) return not_a_size;
  return *(uint64_t *)at ? NULL : not_a_limit;
}

const char *set_stack(void *at, const char *value) {
  uint64_t n;
  if (!parse_size(value, SIZE_MAX, &n)) return not_a_size;
  *(size_t *)at = (size_t)n;
  return n ? NULL : not_a_limit;
}

const char *set_limit(void *at, const char *value) {
  const char *why = set_count(at, value);
  return why || *(uint64_t *)at ? why : not_a_limit;
}

const char *set_limit32(void *at, const char *value) {
  const char *why = set_count32(at, value);
  return why || *(uint32_t *)at ? why : not_a_limit;
}

const char *set_features(void *at, const char *value) {
  static char reason[160];
  const char *bad, *name, *near = NULL;
  char word[64];
  unsigned least = WORD_SLIP + 1;
  if (mv_features_parse(value, at, &bad)) return NULL;
  snprintf(word, sizeof word, "%.*s", (int)strcspn(bad, ","), bad);
  for (unsigned bit = 0; (name = mv_feature_name(bit)) != NULL; bit++) {
    unsigned d = word_distance(name, word);
    if (d < least) least = d, near = name;
  }
  if (near) snprintf(reason, sizeof reason, "unknown feature '%s'; did you mean %s?", word, near);
  else snprintf(reason, sizeof reason, "unknown feature '%s'; minivm help features lists them", word);
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
    unsigned d = o->name && o->text ? word_distance(o->name, word) : 99;
    if (d < least) least = d, best = o->name;
  }
  return best;
}

/* ---- parsing ------------------------------------------------------------------------------------------- */

static const struct option *find_option(const struct command *c, bool letter, const char *name, size_t size) {
  for (const struct option *o = c->options; o->name || o->text; o++)
    if (o->name && letter == !o->text && strlen(o->name) == size && !memcmp(o->name, name, size)) return o;
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

/* Handles the option argv[i]: --NAME, --NAME=VALUE, --NAME VALUE, -L, -LVALUE, -L VALUE. Returns the index of the next argument, or -1 with *status when the
 * command is over. */
static int parse_option(const struct command *c, void *state, int i, int argc, char **argv, int *status) {
  const bool letter = argv[i][1] != '-';
  const char *dashes = letter ? "-" : "--", *word = argv[i] + strlen(dashes), *value, *why, *quote;
  const size_t size = letter ? 1 : strcspn(word, "=");
  const struct option *o = find_option(c, letter, word, size);
  value = word[size] == '=' ? word + size + 1 : word[size] ? word + size : NULL;
  *status = EXIT_USAGE;
  if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
    print_help(c, stdout);
    *status = finish_output(EXIT_OK);
  } else if (!o && letter) {
    (void)report_usage(c->name, "unknown option %s; options have two dashes", argv[i]);
  } else if (!o) {
    (void)unknown_option(c, word, size);
  } else if (value && !o->arg) {
    (void)report_usage(c->name, "%s%s takes no value", dashes, o->name);
  } else if (!value && o->arg && o->arg[0] != '[' && i + 1 == argc) {
    (void)report_usage(c->name, "%s%s needs a value: %s", dashes, o->name, o->arg);
  } else {
    if (!value && o->arg && o->arg[0] != '[') value = argv[++i];
    why = o->set((char *)state + o->offset, value);
    if (!why) {
      *status = EXIT_OK;
      return i + 1;
    }
    quote = value && strcspn(value, " \t\n") == strlen(value) && *value ? "" : "'";
    if (value) (void)report_usage(c->name, "%s%s %s%s%s: %s", dashes, o->name, quote, value, quote, why);
    else (void)report_usage(c->name, "%s%s: %s", dashes, o->name, why);
  }
  return -1;
}

/* Moves the words [from, to) in front of the operands, which begin at `first`. Returns where these begin now. */
static int move_front(char **argv, int first, int from, int to) {
  for (; from < to; from++) {
    char *word = argv[from];
    memmove(argv + first + 1, argv + first, (size_t)(from - first) * sizeof *argv);
    argv[first++] = word;
  }
  return first;
}

static int parse(const struct command *c, void *state, int argc, char **argv, bool anywhere, int *status) {
  int first = 1, next = 1;
  while (next < argc) {
    int from = next;
    bool last = !strcmp(argv[from], "--");
    if (argv[from][0] != '-' || !argv[from][1]) {
      if (!anywhere) break;
      next++;
      continue;
    }
    next = last ? from + 1 : parse_option(c, state, from, argc, argv, status);
    if (next < 0) return -1;
    first = move_front(argv, first, from, next);
    if (last) break;
  }
  return first;
}

int options_parse(const struct command *c, void *state, int argc, char **argv, int *status) { return parse(c, state, argc, argv, true, status); }

int options_parse_one(const struct command *c, void *state, int argc, char **argv, int *status) {
  int i = parse(c, state, argc, argv, true, status);
  if (i < 0 || argc - i == 1) return i;
  *status = i == argc ? report_usage(c->name, "no module given") : report_usage(c->name, "one module is wanted, %d given", argc - i);
  return -1;
}

int options_parse_first(const struct command *c, void *state, int argc, char **argv, int *status) { return parse(c, state, argc, argv, false, status); }

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
    if (o->name && o->text)
      help_row(o, out);
    else if (o->text)
      fprintf(out, "\n%s:\n", o->text);
  }
  if (c->details) fprintf(out, "\n%s", c->details);
}
