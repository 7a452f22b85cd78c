/*
 * Runs a WASI command on wasm3, with the handful of preview1 calls that the kernels make. Built by
 * ./install from the C sources that the Python package of wasm3 carries.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "wasm3.h"

enum { BADF = 8, NOTSUP = 58 };

static struct { unsigned count; char **list; } arguments;

m3ApiRawFunction(args_sizes_get)
{
    m3ApiReturnType(uint32_t)
    m3ApiGetArgMem(uint32_t *, count)
    m3ApiGetArgMem(uint32_t *, bytes)
    uint32_t size = 0;
    (void)runtime, (void)_ctx, (void)_mem;

    for (unsigned i = 0; i < arguments.count; i++)
        size += (uint32_t)strlen(arguments.list[i]) + 1;
    m3ApiWriteMem32(count, arguments.count);
    m3ApiWriteMem32(bytes, size);
    m3ApiReturn(0)
}

m3ApiRawFunction(args_get)
{
    m3ApiReturnType(uint32_t)
    m3ApiGetArgMem(uint32_t *, list)
    m3ApiGetArgMem(char *, text)
    (void)runtime, (void)_ctx, (void)_mem;

    for (unsigned i = 0; i < arguments.count; i++) {
        size_t size = strlen(arguments.list[i]) + 1;
        m3ApiWriteMem32(list + i, m3ApiPtrToOffset(text));
        memcpy(text, arguments.list[i], size);
        text += size;
    }
    m3ApiReturn(0)
}

m3ApiRawFunction(fd_write)
{
    m3ApiReturnType(uint32_t)
    m3ApiGetArg(uint32_t, fd)
    m3ApiGetArgMem(uint32_t *, iovs)
    m3ApiGetArg(uint32_t, count)
    m3ApiGetArgMem(uint32_t *, written)
    uint32_t total = 0;
    (void)_ctx;

    if (fd != 1 && fd != 2)
        m3ApiReturn(BADF)
    m3ApiCheckMem(iovs, (uint64_t)count * 8)
    for (uint32_t i = 0; i < count; i++) {
        void *p = m3ApiOffsetToPtr(m3ApiReadMem32(iovs + 2 * i));
        uint32_t size = m3ApiReadMem32(iovs + 2 * i + 1);
        m3ApiCheckMem(p, size)
        if (write((int)fd, p, size) != (ssize_t)size)
            m3ApiReturn(NOTSUP)
        total += size;
    }
    m3ApiWriteMem32(written, total);
    m3ApiReturn(0)
}

m3ApiRawFunction(fd_fdstat_get)
{
    m3ApiReturnType(uint32_t)
    m3ApiGetArg(uint32_t, fd)
    m3ApiGetArgMem(unsigned char *, stat)
    (void)_ctx;

    if (fd > 2)
        m3ApiReturn(BADF)
    m3ApiCheckMem(stat, 24)
    memset(stat, 0, 24);
    stat[0] = 2;                    /* a character device with every right */
    memset(stat + 8, 0xff, 16);
    m3ApiReturn(0)
}

m3ApiRawFunction(clock_time_get)
{
    m3ApiReturnType(uint32_t)
    m3ApiGetArg(uint32_t, id)
    m3ApiGetArg(uint64_t, precision)
    m3ApiGetArgMem(uint64_t *, result)
    struct timespec t;
    (void)runtime, (void)_ctx, (void)_mem, (void)precision;

    clock_gettime(id == 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC, &t);
    m3ApiWriteMem64(result, (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec);
    m3ApiReturn(0)
}

m3ApiRawFunction(proc_exit)
{
    m3ApiGetArg(uint32_t, status)
    (void)runtime, (void)_ctx, (void)_mem;
    exit((int)status);
}

m3ApiRawFunction(bad_descriptor)
{
    m3ApiReturnType(uint32_t)
    (void)runtime, (void)_ctx, (void)_mem;
    m3ApiReturn(BADF)
}

m3ApiRawFunction(none)
{
    m3ApiReturnType(uint32_t)
    m3ApiGetArgMem(uint32_t *, count)
    m3ApiGetArgMem(uint32_t *, bytes)
    (void)runtime, (void)_ctx, (void)_mem;

    m3ApiWriteMem32(count, 0);
    m3ApiWriteMem32(bytes, 0);
    m3ApiReturn(0)
}

static const struct { const char *name, *type; M3RawCall call; } calls[] = {
    { "args_sizes_get", "i(ii)", args_sizes_get },
    { "args_get", "i(ii)", args_get },
    { "environ_sizes_get", "i(ii)", none },
    { "environ_get", "i(ii)", none },
    { "fd_write", "i(iiii)", fd_write },
    { "fd_read", "i(iiii)", bad_descriptor },
    { "fd_close", "i(i)", bad_descriptor },
    { "fd_seek", "i(iIii)", bad_descriptor },
    { "fd_fdstat_get", "i(ii)", fd_fdstat_get },
    { "fd_prestat_get", "i(ii)", bad_descriptor },
    { "fd_prestat_dir_name", "i(iii)", bad_descriptor },
    { "clock_time_get", "i(iIi)", clock_time_get },
    { "proc_exit", "v(i)", proc_exit },
};

static void check(M3Result result)
{
    if (result) {
        fprintf(stderr, "wasm3: %s\n", result);
        exit(134);
    }
}

int main(int argc, char **argv)
{
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    long size;
    unsigned char *bytes;
    IM3Environment environment = m3_NewEnvironment();
    IM3Runtime runtime = m3_NewRuntime(environment, 1 << 20, NULL);
    IM3Module module;
    IM3Function start;

    if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET)
            || !(bytes = malloc((size_t)size)) || fread(bytes, 1, (size_t)size, file) != (size_t)size)
        check("cannot read the module");
    arguments.count = (unsigned)argc - 1;
    arguments.list = argv + 1;
    check(m3_ParseModule(environment, &module, bytes, (uint32_t)size));
    check(m3_LoadModule(runtime, module));
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
        M3Result result = m3_LinkRawFunction(module, "wasi_snapshot_preview1", calls[i].name, calls[i].type, calls[i].call);
        if (result != m3Err_functionLookupFailed)
            check(result);
    }
    check(m3_FindFunction(&start, runtime, "_start"));
    check(m3_CallV(start));
    return 0;
}
