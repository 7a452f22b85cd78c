/* cli.h: what the commands share: options, messages, exit statuses, module files. The commands see only the public headers. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "minivm.h"

/* Exit statuses of the host; the guest's own go up to EXIT_GUEST_MAX (docs/run.md). */
enum { EXIT_OK = 0, EXIT_MODULE = 1, EXIT_USAGE = 2, EXIT_GUEST_MAX = 125, EXIT_TRAP = 134 };

/* ---- commands and options (options.c) ------------------------------------------------------------------ */

/* One option. Its row is all there is of it: the parser, --help, the manual's check and the completions read it. */
struct option {
  const char *name; /* without dashes; NULL for a heading, which is `text`; a row of NULLs ends the table */
  const char *arg;  /* its argument as --help names it; NULL: none; "[=X]": optional, only behind '=' */
  const char *text; /* NULL: the name is a letter, which an option above has too */
  const char *(*set)(void *at, const char *value); /* NULL: taken; else what is wrong with the value */
  size_t offset;                                   /* of `at` in the command's state */
};

struct command {
  const char *name, *synopsis, *summary;
  const char *details; /* after the options in --help; may be NULL */
  const struct option *options;
  int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit status */
};

extern const struct command *const commands[]; /* in the order of `minivm help`; NULL ends */
const struct command *command_find(const char *name);
const char *command_near(const char *word); /* the name of a command that a word almost is, or NULL */
void print_help(const struct command *, FILE *out);

/* Reads the options, which may stand between operands, and returns the index where all operands now stand together. When the command is over
 * (--help, wrong usage), returns -1 and *status. */
int options_parse(const struct command *, void *state, int argc, char **argv, int *status);
/* The same, but the first operand ends the options. */
int options_parse_first(const struct command *, void *state, int argc, char **argv, int *status);
/* As options_parse, for a command of one operand: its index. */
int options_parse_one(const struct command *, void *state, int argc, char **argv, int *status);

/* Setters. */
const char *set_flag(void *at, const char *value);     /* bool */
const char *set_text(void *at, const char *value);     /* const char * */
const char *set_count(void *at, const char *value);    /* uint64_t: a number */
const char *set_count32(void *at, const char *value);  /* uint32_t: a number */
/* Limits: above 0, since 0 would mean none. */
const char *set_size(void *at, const char *value);     /* uint64_t: bytes with K, M, G */
const char *set_stack(void *at, const char *value);    /* size_t: the same */
const char *set_limit(void *at, const char *value);    /* uint64_t: a number */
const char *set_limit32(void *at, const char *value);  /* uint32_t: a number */
const char *set_features(void *at, const char *value); /* mv_features_t */
MV_MUST_USE bool parse_count(const char *text, uint64_t max, uint64_t *out);

/* How many letters of two words differ. Up to WORD_SLIP may be a slip of the hand. */
unsigned word_distance(const char *a, const char *b);
enum { WORD_SLIP = 2 };

/* The row that several commands have. */
#define OPTION_FEATURES(type, member) \
  {"features", "LIST", "change the set of features: threads,-gc,all,none ... (minivm help features)", set_features, offsetof(type, member)}

/* ---- messages (report.c) ------------------------------------------------------------------------------- */

/* "minivm: KIND: ..." on standard error; "minivm" is coloured on a terminal. */
void report(const char *kind, const char *format, ...) MV_PRINTF(2, 3);
/* "minivm: usage: ..." and where to read more. Returns EXIT_USAGE. */
int report_usage(const char *command, const char *format, ...) MV_PRINTF(2, 3);
/* Flushes standard output; a failure is reported and becomes EXIT_MODULE, else returns `status`. */
int finish_output(int status);

/* ---- files that commands make (output.c) ---------------------------------------------------------------- */

struct output {
  const char *path; /* for messages */
  FILE *file;
  char *place, *beside; /* what it becomes, and what it is so far; NULL: it is written in place */
};

/* "-" is standard output. Reports a failure itself. */
MV_MUST_USE bool output_open(struct output *, const char *path);
/* Puts the file into its place, unless something could not be written, which is reported, or `keep` is false. Was it put there? */
MV_MUST_USE bool output_close(struct output *, bool keep);
/* The name of an input with another suffix; "-" stays. NULL after a report. */
MV_MUST_USE own char *output_name(const char *path, const char *suffix);
/* All at once. */
MV_MUST_USE bool output_write(const char *path, const void *bytes, size_t size);

/* ---- module files (file.c) ----------------------------------------------------------------------------- */

struct file {
  const char *path;          /* as given; "-" is standard input */
  mv_features_t features;
  enum detail { DETAIL_FULL, DETAIL_LINE, DETAIL_NONE } detail; /* how much to say of a module that is refused */
  uint8_t *bytes;            /* as read */
  size_t size;
  bool mapped;
  int fd;                    /* of a precompiled module that is mapped; else -1 */
  uint8_t *binary;           /* when the file was text: what it became */
  size_t binary_size;
  mv_wat_map_t *map;         /* from the binary's offsets to lines */
};

/* Reads a file. Reports a failure itself. */
MV_MUST_USE bool file_read(struct file *, const char *path, mv_features_t, enum detail);
/* Reads a module, translates text to binary. Reports a failure itself. */
MV_MUST_USE bool file_open(struct file *, const char *path, mv_features_t, enum detail);
void file_close(struct file *);
bool has_suffix(const char *path, const char *suffix);
/* The binary, of a precompiled module the one it was made from: adopt it, it lives until file_close. */
void file_binary(const struct file *, const uint8_t **bytes, size_t *size);
/* Reports why `file` was refused: position, the features that would make it a module, and the line with a caret for text. */
void file_report(const struct file *, const mv_error_t *);
/* Decodes and validates. Reports a failure itself. The file must outlive the module. */
MV_MUST_USE own wasm_module_t *file_module(const struct file *, wasm_engine_t *);
/* The same; a precompiled module is taken as it is if it is trusted, and refused otherwise. */
MV_MUST_USE own wasm_module_t *file_program(const struct file *, wasm_engine_t *, bool trusted);

/* An engine with these options; NULL after a report. */
MV_MUST_USE own wasm_engine_t *engine_open(const mv_options_t *);

/* ---- parts that are loaded at their first use (part.c) -------------------------------------------------- */

/* Loads minivm-NAME.so, which lies beside the program or in PREFIX/lib/minivm, and puts the address of its function `symbol` into the
 * function pointer at `function`. false: *why says what is missing. */
MV_MUST_USE bool part_load(const char *name, const char *symbol, void *function, const char **why);

/* Prints a backtrace, or a profile, with the source lines of a text module, or of one that has DWARF where the part for it is there. `file` is NULL when
 * it is about several modules (backtrace.c). */
void backtrace_print(const char *backtrace, const struct file *file, const wasm_module_t *, FILE *out);

#endif
