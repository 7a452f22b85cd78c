/* daprd.c: the sidecar's server alone, for tests that need its socket but no HTTP client: usage daprd dapr [flags]. */
#include "../../dapr/dapr.h"

extern const struct dapr_interface minivm_dapr;
int dapr_main(const struct dapr_interface *, const struct dapr_http *(*)(mv_error_t *), int, char **);

int main(int argc, char **argv) { return dapr_main(&minivm_dapr, NULL, argc - 1, argv + 1); }
