/* run.c: `minivm run`, the command that is meant when none is named: loads a module, gives it what the options grant, runs it, and turns its end
 * into an exit status. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

/* ---- options ------------------------------------------------------------------------------------------- */

static const char no_memory[] = "out of memory";

/* HOST[::GUEST][:ro]. A final ":ro" is always the flag. */
static const char *set_dir(void *at, const char *value) {
  struct run *r = at;
  size_t size = strlen(value);
  bool read_only = size > 3 && !strcmp(value + size - 3, ":ro");
  char *host = strdup(value), *guest;
  const char *why = NULL;
  if (!host) return no_memory;
  if (read_only) host[size - 3] = 0;
  guest = strstr(host, "::");
  if (guest) {
    *guest = 0;
    guest += 2;
  }
  if (!*host || (guest && !*guest))
    why = "a folder's name is empty";
  else if (!mv_wasi_dir(r->wasi, host, guest ? guest : host, read_only))
    why = strerror(errno);
  free(host);
  return why;
}

/* K=V, or K alone for the host's value; one that the host does not have is not passed. */
static const char *set_env(void *at, const char *value) {
  struct run *r = at;
  const char *equals = strchr(value, '='), *host;
  char *name;
  bool ok = true;
  if (!*value || equals == value) return "a variable needs a name";
  name = strdup(value);
  if (!name) return no_memory;
  if (equals) name[equals - value] = 0;
  host = equals ? equals + 1 : getenv(name);
  if (host) ok = mv_wasi_env(r->wasi, name, host);
  free(name);
  return ok ? NULL : no_memory;
}

static const char *set_preload(void *at, const char *value) {
  struct run *r = at;
  const char *equals = strchr(value, '=');
  struct preload *p = calloc(1, sizeof *p), **last = &r->preloads;
  if (!p) return no_memory;
  while (*last) last = &(*last)->next;
  *last = p;
  if (!equals || !equals[1]) return "wanted: NAME=FILE";
  p->path = equals + 1;
  p->name = strndup(value, (size_t)(equals - value));
  return p->name ? NULL : no_memory;
}

static const char *set_listen_fd(void *at, const char *value) {
  struct run *r = at;
  uint64_t fd;
  if (!parse_count(value, INT32_MAX, &fd)) return "not a descriptor";
  if (fcntl((int)fd, F_GETFD) < 0) return strerror(errno);
  return mv_wasi_listen_fd(r->wasi, (int)fd) ? NULL : no_memory;
}

static const char *set_fuel(void *at, const char *value) {
  struct run *r = at;
  r->options.fuel = true;
  return set_count(&r->fuel, value);
}

/* "100ms", "2s", "1.5m"; a number alone means seconds. */
static const char *set_timeout(void *at, const char *value) {
  static const struct {
    const char *unit;
    double us;
  } units[] = {{"", 1e6}, {"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}};
  struct run *r = at;
  char *end;
  double n = strtod(value, &end);
  size_t digits = strspn(value, "0123456789.");
  for (size_t i = 0; digits && end == value + digits && i < sizeof units / sizeof *units; i++) {
    if (strcmp(end, units[i].unit) != 0 || !(n * units[i].us < 1e15)) continue;
    r->timeout_us = (uint64_t)(n * units[i].us) + 1; /* 0 would mean none */
    r->timeout = value;
    r->options.interruptible = true;
    return NULL;
  }
  return "not a time such as 100ms, 2s or 1.5m";
}

static const char *set_max_output(void *at, const char *value) {
  struct run *r = at;
  uint64_t n;
  const char *why = set_size(&n, value);
  if (!why) mv_wasi_max_output(r->wasi, n);
  return why;
}

static const char *set_trace(void *at, const char *value) {
  struct run *r = at;
  if (!value)
    r->options.trace = true;
  else if (!strcmp(value, "wasi"))
    mv_wasi_trace(r->wasi, stderr);
  else
    return "wanted: --trace or --trace=wasi";
  setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
  return NULL;
}

static const char *set_profile(void *at, const char *value) {
  struct run *r = at;
  r->options.profile = true;
  r->profile = value;
  return value && !*value ? "a file's name is empty" : NULL;
}

#define AT(member) offsetof(struct run, member)
static const struct option options[] = {
  {"invoke", "NAME", "call this exported function with ARGS, typed by its signature, and print its results", set_text, AT(invoke)},
  {"argv0", "NAME", "the guest's argument 0; default: the module's file name", set_text, AT(argv0)},
  {"allow-precompiled", NULL, "take what minivm compile made; its code is run unchecked, as native code is", set_flag, AT(allow_precompiled)},
  {"preload", "NAME=FILE", "instantiate another module first and offer its exports as imports from NAME", set_preload, 0},
  {NULL, NULL, "what the guest may touch (nothing by default)", NULL, 0},
  {"dir", "HOST[::GUEST][:ro]", "a folder, under the name GUEST, for reading only with :ro", set_dir, 0},
  {"env", "NAME[=VALUE]", "an environment variable; without =VALUE with the host's value", set_env, 0},
  {"listen-fd", "N", "an open descriptor, such as a listening socket, as the next one of the guest", set_listen_fd, 0},
  {NULL, NULL, "what it may reach by HTTP (nothing by default)", NULL, 0},
  {"allow-http", "ORIGIN", "requests to http://HOST[:PORT]; may be given several times", http_set_allow, AT(net.http)},
  {"deny-private", NULL, "not where a name resolves to a loopback, private, link-local or multicast address", http_set_deny_private, AT(net.http)},
  {"dapr", NULL, "the Dapr sidecar that the environment names, or the embedded one", set_flag, AT(net.dapr)},
  {"app-id", "ID", "the app's name for Dapr; default: the module's", set_text, AT(net.app_id)},
  {"resources-path", "PATH", "component files for the embedded sidecar", set_resources, AT(net)},
  {"http-timeout", "TIME", "to wait for the head of a response, and for each piece of its body; default: 30s", http_set_timeout, AT(net.http)},
  {"http-max-body", "SIZE", "bytes of each response", http_set_max_body, AT(net.http)},
  {"http-proxy", NULL, "obey the proxy variables of the environment", http_set_proxy, AT(net.http)},
  {"http-ca", "FILE", "certificates to trust instead of the system's", http_set_ca, AT(net.http)},
  {"log-http", NULL, "print each request with its time", http_set_log, AT(net.http)},
  {NULL, NULL, "limits", NULL, 0},
  {"fuel", "N", "executed Wasm instructions", set_fuel, 0},
  {"timeout", "TIME", "wall-clock time: 100ms, 2s, 1m; ends blocking calls too", set_timeout, 0},
  {"max-memory", "SIZE", "bytes of each linear memory, with K, M or G", set_size, AT(options.max_memory)},
  {"max-table", "N", "elements of each table", set_limit, AT(options.max_table)},
  {"max-instances", "N", "module instances", set_limit, AT(options.max_instances)},
  {"max-depth", "N", "call frames", set_limit32, AT(options.max_depth)},
  {"max-stack", "SIZE", "bytes of the guest's value stack", set_stack, AT(options.max_stack)},
  {"max-heap", "SIZE", "bytes of the garbage-collected heap", set_size, AT(options.max_heap)},
  {"max-output", "SIZE", "bytes written to standard output and error", set_max_output, 0},
  {NULL, NULL, "to see what happens", NULL, 0},
  {"trace", "[=wasi]", "print every instruction, or every WASI call with its arguments and result", set_trace, 0},
  {"stats", NULL, "print what the run took: instructions, memory, collections, requests, time", set_flag, AT(stats)},
  {"profile", "[=FILE]", "print executed instructions by function and loop, or write them by call stack to FILE", set_profile, 0},
  {"quiet", NULL, "of an error print the first line alone", set_flag, AT(quiet)},
  {NULL, NULL, "the engine", NULL, 0},
  OPTION_FEATURES(struct run, options.features),
  {"eager", NULL, "translate all functions at load, not at their first call", set_flag, AT(options.eager)},
  {"no-fusion", NULL, "translate without superinstructions", set_flag, AT(options.no_fusion)},
  {"gc-stress", NULL, "collect garbage at every allocation", set_flag, AT(options.gc_stress)},
  {NULL, NULL, NULL, NULL, 0},
};

static const char details[] =
  "The module is a .wasm or .wat file; - reads it from standard input. Options end at the module: what\n"
  "follows it belongs to the guest. A command module's _start is called; of a reactor, _initialize and then\n"
  "the function that --invoke names.\n"
  "\n"
  "exit status:\n"
  "  0-125  the guest's own; one above 125 becomes 1\n"
  "  134    a trap, an uncaught exception, or fuel, time, stack or memory used up while running\n"
  "  2      wrong usage\n"
  "  1      the module cannot be read, or is malformed, invalid or not linkable\n"
  "\n"
  "An error of the host begins with a line \"minivm: KIND: ...\" on standard error.\n";

const struct command command_run = {
  "run", "[run] [OPTIONS] MODULE [ARGS...]", "Runs a WebAssembly module.", details, options, cmd_run,
};

/* ---- time limit ---------------------------------------------------------------------------------------- */

static wasm_store_t *volatile timed_store; /* for the signal handler */

static void on_alarm(int signal) {
  (void)signal;
  if (timed_store) mv_store_interrupt(timed_store);
}

/* The signal also ends a blocking system call with EINTR. It repeats, for the first one can fall between a check and the call that it guards. */
static void timeout_start(const struct run *r) {
  struct sigaction action = {.sa_handler = on_alarm};
  struct itimerval timer = {.it_value = {.tv_sec = (time_t)(r->timeout_us / 1000000), .tv_usec = (suseconds_t)(r->timeout_us % 1000000)},
                            .it_interval = {.tv_usec = 10000}};
  if (!r->timeout_us) return;
  timed_store = r->store;
  sigemptyset(&action.sa_mask);
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
}

static void timeout_stop(void) {
  struct itimerval timer = {0};
  if (!timed_store) return;
  setitimer(ITIMER_REAL, &timer, NULL);
  timed_store = NULL;
}

/* ---- failures ------------------------------------------------------------------------------------------ */

static int guest_status(int code) { return code >= 0 && code <= EXIT_GUEST_MAX ? code : 1; }

static const char *remedy(const struct run *r, mv_kind_t kind) {
  if (kind != MV_EXHAUSTION) return "";
  return r->options.max_depth ? "; a higher --max-depth allows more" : "; a higher --max-stack allows more";
}

/* The end of guest code that did not return. */
static int report_end(const struct run *r, const wasm_module_t *module, const mv_error_t *err) {
  if (err->kind == MV_EXIT) return guest_status(err->code);
  if (err->kind == MV_USAGE) return report_usage("run", "%s", err->message);
  if (err->kind == MV_INTERRUPTED && r->timeout)
    report(mv_kind_name(err->kind), "the time limit of %s is over", r->timeout);
  else
    report(mv_kind_name(err->kind), "%s%s", err->message, remedy(r, err->kind));
  if (!r->quiet) backtrace_print(mv_store_backtrace(r->store), r->file, module, stderr);
  return EXIT_TRAP;
}

/* An instance that could not be made: guest code may have run already (the start function, active segments). */
static int report_instance(const struct run *r, const struct file *f, const wasm_module_t *module, const mv_error_t *err, const char *imports) {
  const uint8_t *bytes;
  size_t size;
  const char *kind, *second = strchr(imports, '\n');
  if (err->kind != MV_UNLINKABLE && err->kind != MV_NO_MEMORY && err->kind != MV_LIMIT) return report_end(r, module, err);
  file_report(f, err);
  if (err->kind != MV_UNLINKABLE || r->quiet) return EXIT_MODULE;
  if (second && second[1]) fputs(imports, stderr); /* more than the one that is reported already */
  file_binary(f, &bytes, &size);
  kind = mv_bytes_kind(bytes, size);
  if (kind) {
    fputs("  ", stderr);
    mv_print_visible(f->path, strlen(f->path), stderr);
    fprintf(stderr, ": this is a %s; minivm offers WASI preview 1\n", kind);
  }
  return EXIT_MODULE;
}

/* ---- instances ----------------------------------------------------------------------------------------- */

static void import_line(void *env, const char *line) {
  fputs("  ", env);
  mv_print_visible(line, strlen(line), env);
  fputc('\n', env);
}

/* NULL after a report, with *status. */
static wasm_instance_t *instantiate(struct run *r, const struct file *f, const wasm_module_t *module, int *status) {
  mv_error_t err = {0};
  char *imports = NULL;
  size_t size = 0;
  FILE *lines = NULL;
  wasm_instance_t *instance = mv_linker_instantiate(r->linker, module, NULL, NULL, &err);
  if (instance) return instance;
  if (err.kind == MV_UNLINKABLE) lines = open_memstream(&imports, &size);
  if (lines) { /* once more, for the whole list: nothing has run */
    mv_error_t again = {0};
    wasm_instance_delete(mv_linker_instantiate(r->linker, module, import_line, lines, &again));
    fclose(lines);
  }
  *status = report_instance(r, f, module, &err, imports ? imports : "");
  free(imports);
  return NULL;
}

/* Calls an exported function without parameters and results. found: does it exist? */
static int call_plain(struct run *r, const wasm_module_t *module, const wasm_instance_t *instance, const char *name, bool *found) {
  mv_error_t err = {0};
  wasm_extern_t *export = mv_instance_export(instance, name);
  const wasm_func_t *func = export ? wasm_extern_as_func(export) : NULL;
  uint64_t cells[1];
  size_t params, results;
  int status = EXIT_OK;
  *found = func != NULL;
  if (func) {
    mv_func_cells(func, &params, &results);
    if (params || results) {
      report(mv_kind_name(MV_UNLINKABLE), "%s must have neither parameters nor results", name);
      status = EXIT_MODULE;
    } else if (!mv_func_call(func, cells, &err)) {
      status = report_end(r, module, &err);
      r->ended = true;
    }
  }
  wasm_extern_delete(export);
  return status;
}

/* The names of the exported functions, for a message. */
static void list_functions(const wasm_module_t *module, FILE *out) {
  wasm_exporttype_vec_t exports;
  size_t shown = 0;
  wasm_module_exports(module, &exports);
  for (size_t i = 0; i < exports.size && shown <= 20; i++) {
    const wasm_name_t *name = wasm_exporttype_name(exports.data[i]);
    if (wasm_externtype_kind(wasm_exporttype_type(exports.data[i])) != WASM_EXTERN_FUNC) continue;
    fputs(shown++ == 20 ? " ..." : " ", out);
    if (shown <= 20) mv_print_visible(name->data, name->size, out);
  }
  fputs(shown ? "\n" : " none\n", out);
  wasm_exporttype_vec_delete(&exports);
}

static int call_invoked(struct run *r, const wasm_module_t *module, const wasm_instance_t *instance, int argc, char **argv) {
  mv_error_t err = {0};
  wasm_extern_t *export = mv_instance_export(instance, r->invoke);
  const wasm_func_t *func = export ? wasm_extern_as_func(export) : NULL;
  int status = EXIT_OK;
  if (!func) {
    status = report_usage("run", "the module exports no function '%s'", r->invoke);
    if (!r->quiet) fputs("  it exports:", stderr), list_functions(module, stderr);
  } else if (!mv_func_invoke(func, argc, argv, stdout, &err)) {
    status = report_end(r, module, &err);
  }
  wasm_extern_delete(export);
  return status;
}

/* What the module is for: --invoke's function, or _start. */
static int call_entry(struct run *r, const wasm_module_t *module, const wasm_instance_t *instance, int argc, char **argv) {
  bool found;
  int status = EXIT_OK;
  if (!r->invoke) {
    status = call_plain(r, module, instance, "_start", &found);
    if (found) return status;
  }
  status = call_plain(r, module, instance, "_initialize", &found);
  if (status != EXIT_OK || r->ended) return status;
  if (!r->invoke) return call_plain(r, module, instance, "", &found); /* a reactor's default export */
  return call_invoked(r, module, instance, argc, argv);
}

static int open_preload(struct run *r, struct preload *p) {
  int status = EXIT_MODULE;
  bool found;
  if (!file_open(&p->file, p->path, r->options.features, r->quiet ? DETAIL_LINE : DETAIL_FULL)) return EXIT_MODULE;
  p->module = file_program(&p->file, r->engine, r->allow_precompiled);
  if (!p->module) return EXIT_MODULE;
  p->instance = instantiate(r, &p->file, p->module, &status);
  if (!p->instance) return status;
  status = call_plain(r, p->module, p->instance, "_initialize", &found);
  if (status != EXIT_OK || r->ended) return status;
  if (mv_linker_instance(r->linker, p->name, p->instance)) return EXIT_OK;
  report(mv_kind_name(MV_NO_MEMORY), "%s", p->path);
  return EXIT_MODULE;
}

/* ---- the run ------------------------------------------------------------------------------------------- */

/* From standard input to error: a closed one stays closed for the guest, and its number is taken, so that no file of ours gets it. */
static bool claim_stdio(struct run *r) {
  for (int fd = 0; fd <= 2; fd++) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    if (open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd) return false; /* so that we fail with it as with a closed one */
    mv_wasi_stdio(r->wasi, fd, -1);
  }
  return true;
}

static bool pass_arguments(struct run *r, const char *path, int argc, char **argv) {
  const char *slash = strrchr(path, '/');
  if (r->net.dapr && !mv_wasi_env(r->wasi, "DAPR_HTTP_PORT", "3500")) return false;
  if (!mv_wasi_arg(r->wasi, r->argv0 ? r->argv0 : slash ? slash + 1 : path)) return false;
  for (int i = 0; i < argc; i++)
    if (!mv_wasi_arg(r->wasi, argv[i])) return false;
  return true;
}

/* Everything between the loaded module and its end. */
static int run_module(struct run *r, const struct file *f, const wasm_module_t *module, int argc, char **argv) {
  int status = EXIT_MODULE;
  wasm_instance_t *instance;
  r->store = wasm_store_new(r->engine);
  r->linker = r->store ? mv_linker_new(r->store) : NULL;
  if (!r->linker || !mv_wasi_define(r->wasi, r->linker)) {
    report(mv_kind_name(MV_NO_MEMORY), "%s", f->path);
    return EXIT_MODULE;
  }
  if (r->options.trace) mv_store_set_trace(r->store, stderr);
  if (r->options.fuel) mv_store_set_fuel(r->store, r->fuel);
  timeout_start(r);
  for (struct preload *p = r->preloads; p; p = p->next) {
    status = open_preload(r, p);
    if (status != EXIT_OK || r->ended) return status;
  }
  if (!net_open(&r->net, r->linker, module, f->path)) return EXIT_MODULE;
  instance = instantiate(r, f, module, &status);
  if (instance) status = call_entry(r, module, instance, argc, argv);
  timeout_stop();
  wasm_instance_delete(instance);
  return status;
}

static int run_file(struct run *r, const char *path, int argc, char **argv) {
  struct file f;
  wasm_module_t *module = NULL;
  int status = EXIT_MODULE;
  if (!file_open(&f, path, r->options.features, r->quiet ? DETAIL_LINE : DETAIL_FULL)) return EXIT_MODULE;
  if (r->profile && !(r->profile_out = fopen(r->profile, "w"))) {
    report("unwritable file", "%s: %s", r->profile, strerror(errno));
    file_close(&f);
    return EXIT_MODULE;
  }
  r->file = r->preloads ? NULL : &f;
  r->engine = engine_open(&r->options);
  if (r->engine) module = file_program(&f, r->engine, r->allow_precompiled);
  if (module) status = run_module(r, &f, module, argc, argv);
  timeout_stop();
  if (r->store && r->options.profile) status = profile_print(r, module, status);
  if (r->store && r->stats) {
    stats_print(r);
    net_stats(&r->net, stderr);
  }
  mv_linker_delete(r->linker);
  for (struct preload *p = r->preloads; p; p = p->next) {
    wasm_instance_delete(p->instance);
    wasm_module_delete(p->module);
  }
  wasm_module_delete(module);
  wasm_store_delete(r->store);
  wasm_engine_delete(r->engine);
  for (struct preload *p = r->preloads; p; p = p->next)
    if (p->file.path) file_close(&p->file);
  file_close(&f);
  return status;
}

static void run_fini(struct run *r) {
  while (r->preloads) {
    struct preload *p = r->preloads;
    r->preloads = p->next;
    free(p->name);
    free(p);
  }
  net_close(&r->net);
  mv_wasi_delete(r->wasi);
  if (r->profile_out) fclose(r->profile_out);
}

/* What no option can see alone. */
static bool check_options(struct run *r, int operands, int *status) {
  const char *why = http_settings_check(&r->net.http);
  if (!why && !r->net.dapr && (r->net.app_id || r->net.resources)) why = "--app-id and --resources-path are for --dapr";
  if (!why && !operands) why = "no module given";
  if (!why) return true;
  *status = report_usage("run", "%s", why);
  return false;
}

int cmd_run(int argc, char **argv) {
  struct run r = {.options.features = mv_features_default(), .fuel = UINT64_MAX, .wasi = mv_wasi_new()};
  int status = EXIT_MODULE, first = -1;
  if (r.wasi && claim_stdio(&r)) {
    first = options_parse_first(&command_run, &r, argc, argv, &status);
    if (first >= 0 && !check_options(&r, argc - first, &status)) first = -1;
  } else {
    report(mv_kind_name(MV_NO_MEMORY), "at the start");
  }
  if (first >= 0) {
    if (r.stats) r.options.fuel = true; /* to count instructions */
    if (pass_arguments(&r, argv[first], argc - first - 1, argv + first + 1))
      status = run_file(&r, argv[first], argc - first - 1, argv + first + 1);
    else
      report(mv_kind_name(MV_NO_MEMORY), "arguments");
  }
  run_fini(&r);
  return finish_output(status);
}
