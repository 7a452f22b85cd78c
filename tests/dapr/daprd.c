/* daprd.c: `minivm dapr` alone, built with sanitizers where the whole program is not: usage daprd dapr [flags]. */
#include "../../dapr/dapr.h"

extern const struct dapr_interface minivm_dapr;
int dapr_main(const struct dapr_interface *, int, char **);

int main(int argc, char **argv) { return dapr_main(&minivm_dapr, argc - 1, argv + 1); }
