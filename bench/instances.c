/*
 * What an instance costs: for modules with 10 KB, 1 MB and 10 MB of data, the time of one instantiation
 * in a store that has others, the first (which copies) apart, with the store's own end divided among
 * them; then the memory of a thousand instances that each read all of it and write one page.
 *
 *     cc -O2 -Iinclude bench/instances.c build/libminivm.a -lm -pthread -o instances && ./instances
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "minivm.h"

enum { SPAN = 2000, PAGE = 65536 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *what)
{
    fprintf(stderr, "instances: %s\n", what);
    exit(1);
}

static size_t leb(unsigned char *p, unsigned long n)
{
    size_t k = 0;

    do {
        p[k++] = (unsigned char)((n & 127) | (n > 127 ? 128 : 0));
    } while (n >>= 7);
    return k;
}

/* A section whose contents end with `size` bytes that are not zero. */
static unsigned char *section(unsigned char *p, int id, const unsigned char *head, size_t n, size_t size)
{
    *p++ = (unsigned char)id;
    p += leb(p, n + size);
    memcpy(p, head, n);
    memset(p + n, 'x', size);
    return p + n + size;
}

/* (memory (export "m") PAGES) (data (i32.const 0) SIZE bytes) (func (export "f") ...): reads a byte of each page, writes the first. */
static wasm_module_t *module_of(wasm_engine_t *engine, size_t size)
{
    static const unsigned char type[] = {1, 0x60, 0, 1, 0x7f}, function[] = {1, 0}, export[] = {2, 1, 'm', 2, 0, 1, 'f', 0, 0};
    /* (local i32 i32) loop: sum += load8(at); at += 4096; br_if at < size */
    unsigned char code[64] = {1, 0, 1, 2, 0x7f, 3, 0x40, 0x20, 0, 0x20, 1, 0x2d, 0, 0, 0x6a, 0x21, 0, 0x20, 1, 0x41, 0x80, 0x20, 0x6a, 0x22, 1, 0x41};
    unsigned char head[16] = {1}, *bytes = malloc(size + 1024), *p = bytes;
    size_t pages = (size + PAGE - 1) / PAGE, n = 26;
    mv_error_t err;
    wasm_module_t *module;

    if (!bytes)
        fail("out of memory");
    memcpy(p, "\0asm\1\0\0\0", 8);
    p = section(p + 8, 1, type, sizeof type, 0);
    p = section(p, 3, function, sizeof function, 0);
    head[1] = 0;
    p = section(p, 5, head, 2 + leb(head + 2, pages), 0);
    p = section(p, 7, export, sizeof export, 0);
    for (int k = 0; k < 5; k++) /* a signed number of five bytes */
        code[n++] = (unsigned char)((size >> 7 * k & 127) | (k < 4 ? 128 : 0));
    memcpy(code + n, "\x49\x0d\0\x0b\x41\0\x20\0\x36\2\0\x20\0\x0b", 14);
    n += 14;
    code[1] = (unsigned char)(n - 2);
    p = section(p, 10, code, n, 0);
    memcpy(head, "\1\0\x41\0\x0b", 5);
    p = section(p, 11, head, 5 + leb(head + 5, size), size);
    module = mv_module_load(engine, bytes, (size_t)(p - bytes), false, &err);
    if (!module)
        fail(err.message);
    free(bytes);
    return module;
}

static wasm_instance_t *instance_of(wasm_store_t *store, const wasm_module_t *module)
{
    wasm_extern_vec_t none = WASM_EMPTY_VEC;
    wasm_instance_t *instance = wasm_instance_new(store, module, &none, NULL);

    if (!instance)
        fail("no instance");
    return instance;
}

static void run(const wasm_instance_t *instance)
{
    wasm_extern_t *f = mv_instance_export(instance, "f");
    uint64_t cell = 0;
    mv_error_t err;

    if (!f || !mv_func_call(wasm_extern_as_func(f), &cell, &err))
        fail("the call failed");
    wasm_extern_delete(f);
}

/* Kilobytes by /proc: "Pss:" counts a shared page once. 0 where there is none. */
static long kilobytes(const char *what)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    char line[128];
    long n = 0;

    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, what, strlen(what)))
            n = atol(line + strlen(what));
    if (file)
        fclose(file);
    return n;
}

/* Seconds for one of `count` instances, made and (with their store) deleted again. */
static double span(wasm_engine_t *engine, const wasm_module_t *module, int count, double *made)
{
    wasm_store_t *store = wasm_store_new(engine);
    double start = now();

    for (int i = 0; i < count; i++)
        wasm_instance_delete(instance_of(store, module));
    *made = (now() - start) / count;
    wasm_store_delete(store);
    return (now() - start) / count;
}

int main(void)
{
    static const struct { const char *name; size_t size; } sizes[] = {{"10 KB", 10240}, {"100 KB", 102400}, {"1 MB", 1 << 20}, {"10 MB", 10 << 20}};
    wasm_engine_t *engine = wasm_engine_new();

    printf("%-8s %10s %10s %14s\n", "data", "first us", "made us", "and deleted us");
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        wasm_module_t *module = module_of(engine, sizes[k].size);
        double first = 0, made = 1, both = 1, once;

        span(engine, module, 1, &first);
        span(engine, module, 1, &once);
        for (int round = 0; round < 5; round++) {
            double all = span(engine, module, SPAN / 10, &once);

            made = once < made ? once : made;
            both = all < both ? all : both;
        }
        printf("%-8s %10.1f %10.1f %14.1f\n", sizes[k].name, first * 1e6, made * 1e6, both * 1e6);
        wasm_module_delete(module);
    }

    wasm_module_t *module = module_of(engine, 10 << 20);
    wasm_store_t *store = wasm_store_new(engine);
    wasm_instance_t *instances[1000];

    run(instance_of(store, module));
    long before = kilobytes("Pss:");
    for (int i = 0; i < 1000; i++)
        run(instances[i] = instance_of(store, module));
    printf("1000 instances of 10 MB, each read as a whole, one page of each written: %ld KB each, the image's pages among them\n",
        (kilobytes("Pss:") - before) / 1000);
    for (int i = 0; i < 1000; i++)
        wasm_instance_delete(instances[i]);
    wasm_store_delete(store);
    wasm_module_delete(module);
    wasm_engine_delete(engine);
    return 0;
}
