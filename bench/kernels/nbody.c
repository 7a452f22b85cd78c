/* Floating point with divisions and square roots: five bodies under gravity, fixed time steps. */
#include "kernel.h"

enum { BODIES = 5 };

static struct body { double p[3], v[3], mass; } body[BODIES] = {
    {{ 0.0, 0.0, 0.0 }, { 0.0, 0.0, 0.0 }, 39.5 },
    {{ 4.9, -1.2, -0.1 }, { 0.6, 2.8, -0.02 }, 0.0377 },
    {{ 8.3, 4.1, -0.4 }, { -1.0, 1.8, 0.008 }, 0.0113 },
    {{ 12.9, -15.1, -0.2 }, { 1.1, 0.9, -0.01 }, 0.0017 },
    {{ 15.4, -25.9, 0.2 }, { 1.0, 0.6, -0.03 }, 0.002 },
};

__attribute__((noinline)) static void advance(double dt)
{
    for (unsigned i = 0; i < BODIES; i++)
        for (unsigned j = i + 1; j < BODIES; j++) {
            struct body *a = &body[i], *b = &body[j];
            double d[3], square = 0;

            for (unsigned k = 0; k < 3; k++) {
                d[k] = a->p[k] - b->p[k];
                square += d[k] * d[k];
            }
            double pull = dt / (square * __builtin_sqrt(square));
            for (unsigned k = 0; k < 3; k++) {
                a->v[k] -= d[k] * (b->mass * pull);
                b->v[k] += d[k] * (a->mass * pull);
            }
        }
    for (unsigned i = 0; i < BODIES; i++)
        for (unsigned k = 0; k < 3; k++)
            body[i].p[k] += dt * body[i].v[k];
}

int main(int argc, char **argv)
{
    unsigned n = kernel_size(argc, argv, 1900000);
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++)
        advance(0.001);
    for (unsigned i = 0; i < BODIES; i++)
        for (unsigned k = 0; k < 3; k++)
            sum = kernel_mix(sum, kernel_bits(body[i].p[k]));
    return kernel_report("nbody", n, sum);
}
