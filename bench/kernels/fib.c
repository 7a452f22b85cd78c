/* Calls: the doubly recursive Fibonacci function, nothing but call, compare and add. */
#include "kernel.h"

__attribute__((noinline)) static uint32_t fib(uint32_t n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int main(int argc, char **argv)
{
    unsigned n = kernel_size(argc, argv, 38);
    return kernel_report("fib", n, fib(n));
}
