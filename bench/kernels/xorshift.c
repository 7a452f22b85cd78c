/* 64-bit shifts, exclusive ors, multiplications and rotations in registers. */
#include "kernel.h"

__attribute__((noinline)) static uint64_t run(uint64_t x, unsigned n)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        sum += (x << 23 | x >> 41) * 0x2545f4914f6cdd1du;
        if ((x & 7) == 0)
            sum ^= i;
    }
    return sum;
}

int main(int argc, char **argv)
{
    unsigned n = kernel_size(argc, argv, 62000000);
    return kernel_report("xorshift", n, run(88172645463325252u, n));
}
