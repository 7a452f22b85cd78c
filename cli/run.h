/* run.h: the state of one `minivm run`, shared by the command and what it prints of a run. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli.h"
#include "net.h"

struct preload {
  char *name;
  const char *path;
  struct file file;
  wasm_module_t *module;
  wasm_instance_t *instance;
  struct preload *next;
};

struct run {
  const struct file *file; /* the module's; NULL when others are preloaded */
  mv_options_t options;
  mv_wasi_t *wasi;
  struct preload *preloads;
  const char *invoke, *argv0, *profile;
  const char *timeout; /* as given */
  FILE *profile_out;   /* what --profile=FILE writes */
  uint64_t timeout_us, fuel;
  bool stats, quiet, allow_precompiled;
  bool ended; /* guest code ended the program */
  wasm_engine_t *engine;
  wasm_store_t *store;
  mv_linker_t *linker;
  struct net net;
};

extern const struct command command_run;
int cmd_run(int argc, char **argv);

void stats_print(const struct run *);
/* Prints the profile, or writes it where --profile wants it; returns `status`, or EXIT_MODULE when it cannot be written. */
int profile_print(const struct run *, const wasm_module_t *, int status);

#endif
