/*
 * Runs a WASI command on wasmtime through its C interface: `[--dir HOST[::GUEST]] [--env K=V] MODULE
 * [ARGS…]`. The Python package of wasmtime carries the shared library but no headers, so the few
 * declarations that are needed are here, for the version that ./install asks for. WASMTIME_TARGET
 * chooses another back end, such as the interpreter pulley64.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { size_t size; char *data; } bytes;
typedef struct { uint64_t store; void *index; } func;

struct config; struct engine; struct store; struct context; struct linker; struct module; struct wasi; struct error; struct trap;

struct config *wasm_config_new(void);
struct engine *wasm_engine_new_with_config(struct config *);
struct error *wasmtime_config_target_set(struct config *, const char *);
void wasmtime_config_wasm_exceptions_set(struct config *, bool);
void wasmtime_config_wasm_function_references_set(struct config *, bool);
void wasmtime_config_wasm_gc_set(struct config *, bool);
struct store *wasmtime_store_new(struct engine *, void *, void (*)(void *));
struct context *wasmtime_store_context(struct store *);
struct error *wasmtime_context_set_wasi(struct context *, struct wasi *);
struct linker *wasmtime_linker_new(struct engine *);
struct error *wasmtime_linker_define_wasi(struct linker *);
struct error *wasmtime_linker_module(struct linker *, struct context *, const char *, size_t, const struct module *);
struct error *wasmtime_linker_get_default(struct linker *, struct context *, const char *, size_t, func *);
struct error *wasmtime_module_new(struct engine *, const uint8_t *, size_t, struct module **);
struct error *wasmtime_func_call(struct context *, const func *, const void *, size_t, void *, size_t, struct trap **);
bool wasmtime_error_exit_status(const struct error *, int *);
void wasmtime_error_message(const struct error *, bytes *);
void wasm_trap_message(const struct trap *, bytes *);
struct wasi *wasi_config_new(void);
bool wasi_config_set_argv(struct wasi *, size_t, const char **);
bool wasi_config_set_env(struct wasi *, size_t, const char **, const char **);
bool wasi_config_preopen_dir(struct wasi *, const char *, const char *, bool);
void wasi_config_inherit_stdin(struct wasi *);
void wasi_config_inherit_stdout(struct wasi *);
void wasi_config_inherit_stderr(struct wasi *);

static void check(struct error *error)
{
    bytes text = { 0, NULL };
    int status;

    if (!error)
        return;
    if (wasmtime_error_exit_status(error, &status))
        exit(status);
    wasmtime_error_message(error, &text);
    fprintf(stderr, "wasmtime: %.*s\n", (int)text.size, text.data);
    exit(134);
}

static void require(bool fine, const char *what)
{
    if (!fine) {
        fprintf(stderr, "wasmtime: %s\n", what);
        exit(1);
    }
}

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    long end = 0;
    uint8_t *data = NULL;

    require(file && !fseek(file, 0, SEEK_END) && (end = ftell(file)) >= 0 && !fseek(file, 0, SEEK_SET)
        && (data = malloc((size_t)end + 1)) && fread(data, 1, (size_t)end, file) == (size_t)end, "cannot read the module");
    fclose(file);
    *size = (size_t)end;
    return data;
}

int main(int argc, char **argv)
{
    const char *names[64], *values[64];
    size_t variables = 0, size;
    int i;
    struct wasi *wasi = wasi_config_new();

    for (i = 1; i + 1 < argc && !strncmp(argv[i], "--", 2); i += 2) {
        char *value = argv[i + 1], *cut = NULL;
        if (!strcmp(argv[i], "--dir")) {
            if ((cut = strstr(value, "::")))
                *cut = 0;
            require(wasi_config_preopen_dir(wasi, value, cut ? cut + 2 : value, true), "cannot open a folder");
        } else {
            require(!strcmp(argv[i], "--env") && variables < 64 && (cut = strchr(value, '=')), "unknown option");
            *cut = 0;
            names[variables] = value;
            values[variables++] = cut + 1;
        }
    }
    require(i < argc, "no module given");
    wasi_config_set_argv(wasi, (size_t)(argc - i), (const char **)(argv + i));
    wasi_config_set_env(wasi, variables, names, values);
    wasi_config_inherit_stdin(wasi);
    wasi_config_inherit_stdout(wasi);
    wasi_config_inherit_stderr(wasi);

    struct config *config = wasm_config_new();
    wasmtime_config_wasm_function_references_set(config, true);
    wasmtime_config_wasm_gc_set(config, true);
    wasmtime_config_wasm_exceptions_set(config, true);
    if (getenv("WASMTIME_TARGET"))
        check(wasmtime_config_target_set(config, getenv("WASMTIME_TARGET")));
    struct engine *engine = wasm_engine_new_with_config(config);
    struct module *module;
    uint8_t *code = read_file(argv[i], &size);
    check(wasmtime_module_new(engine, code, size, &module));
    struct context *context = wasmtime_store_context(wasmtime_store_new(engine, NULL, NULL));
    struct linker *linker = wasmtime_linker_new(engine);
    struct trap *trap = NULL;
    func start;
    check(wasmtime_linker_define_wasi(linker));
    check(wasmtime_context_set_wasi(context, wasi));
    check(wasmtime_linker_module(linker, context, "", 0, module));
    check(wasmtime_linker_get_default(linker, context, "", 0, &start));
    check(wasmtime_func_call(context, &start, NULL, 0, NULL, 0, &trap));
    if (trap) {
        bytes text;
        wasm_trap_message(trap, &text);
        fprintf(stderr, "wasmtime: %.*s\n", (int)text.size, text.data);
        return 134;
    }
    return 0;
}
