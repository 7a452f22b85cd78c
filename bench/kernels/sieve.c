/* Byte stores with a stride, then a scan: the sieve of Eratosthenes, several rounds. */
#include "kernel.h"

enum { LIMIT = 1 << 19 };

static unsigned char composite[LIMIT];

static unsigned sieve(void)
{
    unsigned count = 0;

    memset(composite, 0, sizeof composite);
    for (unsigned i = 2; i < LIMIT; i++) {
        if (composite[i])
            continue;
        count++;
        for (uint64_t j = (uint64_t)i * i; j < LIMIT; j += i)
            composite[j] = 1;
    }
    return count;
}

int main(int argc, char **argv)
{
    unsigned n = kernel_size(argc, argv, 145);
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum = kernel_mix(sum, sieve() + composite[i % LIMIT]);
    return kernel_report("sieve", n, sum);
}
