/* verdict.c: damaged modules. For each seed a line: the seed, the file it was made from, and `valid`, or `invalid` with the reason. A rejection without
 * a place in the module is a failure. What is valid is printed as text, disassembled, and run with little fuel and time.
 *
 *   verdict FROM TO FILE...      as peer validate
 *   verdict -o SEED OUT FILE...  the module of a seed */
#include <minivm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "mutate.h"

static wasm_store_t *volatile running; /* what the alarm interrupts */
static volatile sig_atomic_t alarms;

static void on_alarm(int signal) {
  (void)signal;
  static const char words[] = "FAIL hang: the seed after the last line\n";
  if (running) mv_store_interrupt(running);
  if (++alarms > 20) {
    if (write(1, words, sizeof words - 1)) _exit(3);
    _exit(3);
  }
}

static bool nothing(mv_caller_t *caller, void *env, uint64_t *cells) {
  (void)caller, (void)env, (void)cells;
  return true;
}

/* Calls all exported functions that take numbers, with zeros. */
static void call_exports(wasm_instance_t *instance) {
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  for (size_t i = 0; i < exports.size && i < 20; i++) {
    wasm_func_t *f = exports.data[i] ? wasm_extern_as_func(exports.data[i]) : NULL;
    char sig[64];
    size_t nparams, nresults;
    mv_error_t err;
    if (!f || mv_func_sig(f, sig, sizeof sig) >= sizeof sig) continue;
    if (strcspn(sig, "crax") < strcspn(sig, ":")) continue;
    mv_func_cells(f, &nparams, &nresults);
    uint64_t *cells = calloc(nparams + nresults + 1, sizeof *cells);
    alarms = 0;
    if (cells && mv_func_call(f, cells, &err)) alarms = 0;
    free(cells);
  }
  wasm_extern_vec_delete(&exports);
}

static void run(wasm_engine_t *engine, const wasm_module_t *module) {
  static const char *const spectest[][2] = {{"print", ":"}, {"print_i32", "i:"}, {"print_i64", "I:"}, {"print_f32", "f:"}, {"print_f64", "F:"}, {"print_i32_f32", "if:"}, {"print_f64_f64", "FF:"}};
  wasm_store_t *store = wasm_store_new(engine);
  mv_linker_t *linker = mv_linker_new(store);
  mv_wasi_t *wasi = mv_wasi_new();
  wasm_instance_t *instance;
  for (size_t i = 0; i < sizeof spectest / sizeof *spectest; i++)
    if (!mv_linker_func(linker, "spectest", spectest[i][0], spectest[i][1], nothing, NULL)) exit(2);
  for (int i = 0; i < 3; i++) mv_wasi_stdio(wasi, i, -1);
  if (!mv_linker_func(linker, "env", "mix", "II:I", nothing, NULL) || !mv_wasi_define(wasi, linker)) exit(2);
  mv_store_set_fuel(store, 300000);
  running = store;
  instance = mv_linker_instantiate(linker, module, NULL, NULL, NULL);
  if (instance) {
    call_exports(instance);
    wasm_instance_delete(instance);
  }
  running = NULL;
  mv_linker_delete(linker);
  wasm_store_delete(store);
  mv_wasi_delete(wasi);
}

int main(int argc, char **argv) {
  struct corpus corpus;
  struct bytes b = {0};
  if (argc > 4 && !strcmp(argv[1], "-o")) {
    if (!corpus_read(&corpus, argv + 4, (size_t)argc - 4)) return 2;
    mutate(&corpus, strtoull(argv[2], NULL, 10), &b);
    FILE *f = fopen(argv[3], "wb");
    if (!f || fwrite(b.data, 1, b.size, f) != b.size || fclose(f)) return 2;
    return 0;
  }
  if (argc < 4 || !corpus_read(&corpus, argv + 3, (size_t)argc - 3)) return 2;
  struct itimerval each = {{0, 300000}, {0, 300000}};
  sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm, .sa_flags = SA_RESTART}, NULL);
  signal(SIGPIPE, SIG_IGN);
  setitimer(ITIMER_REAL, &each, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  FILE *null = fopen("/dev/null", "w");
  mv_options_t options = {.fuel = true, .interruptible = true, .max_memory = 64 << 20, .max_table = 100000, .max_heap = 64 << 20};
  int status = 0;
  if (!null) return 2;
  for (uint64_t seed = strtoull(argv[1], NULL, 10), to = strtoull(argv[2], NULL, 10); seed < to; seed++) {
    wasm_config_t *config = wasm_config_new();
    mv_error_t err = {0};
    char *text;
    size_t size;
    alarms = 0;
    b.size = 0;
    const char *name = mutate(&corpus, seed, &b);
    mv_config_set(config, &options);
    wasm_engine_t *engine = wasm_engine_new_with_config(config);
    wasm_module_t *module = mv_module_load(engine, b.data, b.size, true, &err);
    printf("%llu %s ", (unsigned long long)seed, name);
    if (module) {
      printf("valid\n");
      if (!mv_module_disasm(module, UINT32_MAX, null, &err)) {
        printf("FAIL seed %llu: it cannot be disassembled: %s\n", (unsigned long long)seed, err.message);
        status = 1;
      }
      run(engine, module);
      wasm_module_delete(module);
    } else {
      printf("invalid ; %s: %s at %llu\n", mv_kind_name(err.kind), err.message, (unsigned long long)err.offset);
      if (err.offset > b.size || !err.message[0]) {
        printf("FAIL seed %llu: a rejection without its place\n", (unsigned long long)seed);
        status = 1;
      }
    }
    if (mv_wasm2wat(b.data, b.size, seed & 1 ? MV_WAT_FLAT : 0, &text, &size, &err)) mv_free(text);
    wasm_engine_delete(engine);
  }
  fclose(null);
  bytes_free(&b);
  corpus_free(&corpus);
  return status;
}
