/* wast.h: what the parts of `minivm wast` share. */
#ifndef CLI_WAST_H
#define CLI_WAST_H

#include "cli.h"

/* How a script is run: the same for all threads of a file. */
struct wast_options {
  mv_options_t engine;
  bool precompile;         /* run each module as another engine has precompiled it */
  volatile uint32_t *line; /* where the process is, for whoever finds it dead */
  const char *extract;     /* of wast_extract: the folder */
  uint64_t mutate, seed;   /* of wast_mutate: how often, and how */
};

/* What came of one file. Counts and failures are handed to `fail` and returned. */
struct wast_result {
  uint32_t commands, assertions, failures;
};
typedef void wast_fail_fn(void *env, uint32_t line, const char *text);

int cmd_wast(int argc, char **argv);

/* Runs one script (wast_script.c). */
typedef struct wast_result wast_fn(const char *text, size_t size, const struct wast_options *, wast_fail_fn *fail, void *env);
wast_fn wast_run;
/* Does something else with its modules (wast_tools.c): prints each as text and reads it back; feeds mutations of the script to the
 * parser, the decoder, the validator and the printer; writes the binary of each into a folder. */
wast_fn wast_roundtrip, wast_mutate, wast_extract;

/* Values (wast_value.c). `letter` as in mv_func_sig. */
unsigned value_cells(char letter);
/* Fills the cells of an argument for a parameter of this type. false: it does not fit. */
MV_MUST_USE bool value_argument(wasm_store_t *, const mv_wast_value_t *, char letter, uint64_t *cells);
bool value_matches(wasm_store_t *, const mv_wast_value_t *expected, char letter, const uint64_t *cells);
/* Append text to a buffer of `size` bytes, cut where it is full. */
void value_print(wasm_store_t *, char letter, const uint64_t *cells, char *buf, size_t size);
void value_print_expected(const mv_wast_value_t *, char *buf, size_t size);

#endif
