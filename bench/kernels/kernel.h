/*
 * What every kernel shares: one size argument and one line of output.
 *
 * A kernel is a program `NAME [N]` that prints `NAME N CHECKSUM`. It builds natively and as a
 * WASI command from the same source; both must print the same line, at any N. The default N
 * makes the native -O2 form run for about .12 s, so that an interpreter runs for one second or
 * more and start-up does not count. Kernels do their work in integers or in IEEE operations
 * that every host rounds alike, never through the C library's mathematics.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline unsigned kernel_size(int argc, char **argv, unsigned size)
{
    return argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : size;
}

static inline int kernel_report(const char *name, unsigned size, uint64_t sum)
{
    return printf("%s %u %016llx\n", name, size, (unsigned long long)sum) < 0;
}

/* A small generator for inputs: the same on every host. */
static inline uint32_t kernel_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static inline uint64_t kernel_mix(uint64_t sum, uint64_t x)
{
    sum = (sum ^ x) * 0x9e3779b97f4a7c15u;
    return sum ^ sum >> 29;
}

static inline uint64_t kernel_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

#endif
