/* Floating point and addresses: the product of two square matrices of doubles, inner loop over a
 * column, as one writes it first. */
#include "kernel.h"

enum { MAX = 560 };

static double a[MAX][MAX], b[MAX][MAX], c[MAX][MAX];

__attribute__((noinline)) static void multiply(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j < n; j++) {
            double sum = 0;
            for (unsigned k = 0; k < n; k++)
                sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

int main(int argc, char **argv)
{
    unsigned n = kernel_size(argc, argv, 550);
    uint32_t seed = 1;
    uint64_t sum = 0;

    if (n > MAX)
        n = MAX;
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j < n; j++) {
            a[i][j] = kernel_random(&seed) / 16777216.0;
            b[i][j] = kernel_random(&seed) / 16777216.0 - 0.5;
        }
    multiply(n);
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j < n; j++)
            sum = kernel_mix(sum, kernel_bits(c[i][j]));
    return kernel_report("matmul", n, sum);
}
