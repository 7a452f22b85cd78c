/* The numeric instructions without gcc's extensions. */
#define NUM_PORTABLE
#include "test_num.c"
