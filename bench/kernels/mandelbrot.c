/* Floating point in a tight loop with one exit: iteration counts over a grid of the plane. */
#include "kernel.h"

enum { DEPTH = 100 };

static unsigned escape(double cr, double ci)
{
    double r = 0, i = 0;
    unsigned n = 0;

    while (n < DEPTH) {
        double r2 = r * r, i2 = i * i;
        if (r2 + i2 > 4)
            break;
        i = 2 * r * i + ci;
        r = r2 - i2 + cr;
        n++;
    }
    return n;
}

int main(int argc, char **argv)
{
    unsigned n = kernel_size(argc, argv, 1360);
    uint64_t sum = 0;

    for (unsigned y = 0; y < n; y++)
        for (unsigned x = 0; x < n; x++)
            sum += escape(3.0 * x / n - 2.2, 2.4 * y / n - 1.2) * (1 + (x ^ y) % 7);
    return kernel_report("mandelbrot", n, sum);
}
