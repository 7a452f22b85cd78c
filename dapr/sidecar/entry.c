/* entry.c: the symbol that the program looks up in minivm-dapr.so; see dapr.h. */
#include "sidecar.h"

int dapr_main(int argc, char **argv);

extern const struct dapr_interface minivm_dapr;
const struct dapr_interface minivm_dapr = {DAPR_INTERFACE_VERSION, dapr_main, sidecar_open, sidecar_close, sidecar_handle};
