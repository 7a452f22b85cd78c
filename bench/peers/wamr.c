/*
 * Runs a WASI command on the fast interpreter of WAMR: `wamr MODULE [ARGS…]`. Built by ../install-peers from
 * the C sources that a crate carries. The sizes of its stack are those of its own command.
 */
#include <stdio.h>
#include <stdlib.h>
#include "wasm_export.h"

static void fail(const char *message)
{
    fprintf(stderr, "wamr: %s\n", message);
    exit(134);
}

int main(int argc, char **argv)
{
    RuntimeInitArgs settings = { .mem_alloc_type = Alloc_With_System_Allocator };
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    char error[256];
    const char *trap;
    long size;
    unsigned char *bytes;
    wasm_module_t module;
    wasm_module_inst_t instance;

    if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET)
            || !(bytes = malloc((size_t)size)) || fread(bytes, 1, (size_t)size, file) != (size_t)size)
        fail("cannot read the module");
    if (!wasm_runtime_full_init(&settings))
        fail("cannot be started");
    if (!(module = wasm_runtime_load(bytes, (uint32_t)size, error, sizeof error)))
        fail(error);
    wasm_runtime_set_wasi_args(module, NULL, 0, NULL, 0, NULL, 0, argv + 1, argc - 1);
    if (!(instance = wasm_runtime_instantiate(module, 64 * 1024, 0, error, sizeof error)))
        fail(error);
    wasm_application_execute_main(instance, argc - 1, argv + 1);
    trap = wasm_runtime_get_exception(instance);
    if (trap)
        fail(trap);
    return (int)wasm_runtime_get_wasi_exit_code(instance);
}
