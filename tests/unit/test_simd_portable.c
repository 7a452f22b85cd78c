/* The vector instructions without code of one processor: what every gcc and clang can build. */
#define SIMD_PORTABLE
#include "test_simd.c"
