/* The vector instructions lane by lane: what a compiler without vector extensions builds. */
#define SIMD_SCALAR
#define NUM_PORTABLE
#include "test_simd.c"
