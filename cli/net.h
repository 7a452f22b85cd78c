/* net.h: what a run is given of the network: HTTP imports and the Dapr sidecar, through parts that are loaded when the module asks for them. */
#ifndef CLI_NET_H
#define CLI_NET_H

#include "cli.h"
#include "../dapr/dapr.h"
#include "../http/part.h"

struct net {
  struct http_settings http;
  bool dapr;
  const char *app_id;
  const char **resources; /* ends with NULL */
  size_t nresources;

  const struct http_part *part;
  struct http_guest *guest;
  const struct dapr_interface *dapr_part;
  struct sidecar *sidecar;
};

const char *set_resources(void *at, const char *path); /* at: struct net */

/* Defines the HTTP imports if the module has them, and connects the sidecar. false after a report. `path` names the app by default. */
MV_MUST_USE bool net_open(struct net *, mv_linker_t *, const wasm_module_t *, const char *path);
void net_stats(const struct net *, FILE *out);
void net_close(struct net *);

extern const struct command command_dapr;

#endif
