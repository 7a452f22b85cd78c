/* dapr.h: what the two Dapr parts of the program offer and need.
 *
 * They are shared objects, so that a run without Dapr pays nothing for them and their libraries: minivm-dapr.so is the sidecar and
 * exports `minivm_dapr`; minivm-daprd.so puts it behind a port for `minivm dapr` and exports `dapr_main`. The sidecar uses the client of
 * http/http.h, so it is linked with the object that has it. */
#ifndef DAPR_DAPR_H
#define DAPR_DAPR_H

#include "../http/http.h"
#include "minivm.h"

struct sidecar;

enum { DAPR_LOG_DEBUG, DAPR_LOG_INFO, DAPR_LOG_WARN, DAPR_LOG_ERROR, DAPR_LOG_FATAL, DAPR_LOG_OFF };

/* Whether an application behind a port is asked for its health; if so, all of it is to be set. */
struct app_health {
  bool enabled;
  const char *path;
  int64_t interval_ms, timeout_ms; /* between probes; for one */
  int threshold;                   /* so many failures in a row, and it is not well */
};

/* How a sidecar is set up. Zero is a good value for everything but app_id. All pointers are only read during the call. */
struct sidecar_options {
  const char *app_id;
  const char *name_space;            /* default "default" */
  const char *const *resources;      /* folders or files of components, subscriptions ..., NULL at the end; NULL: built-in components */
  const char *config;                /* a Configuration file */
  const char *state_file;            /* of the built-in `statestore`: NULL ".minivm/state.db", "" in memory */
  const char *const *peers;          /* "app-id=http://host:port[/path]", NULL at the end: where other applications are */

  http_handler app;                  /* the application's channel when it lives in this process, else: */
  void *app_env;
  const char *app_host;              /* default 127.0.0.1 */
  int app_port;                      /* 0: no application to call */
  int app_max_concurrency;           /* calls of the application at a time; 0: any number */
  struct app_health app_health;

  const struct http_policy *policy;  /* what invocation of a URL may reach; must outlive the sidecar; NULL: everything */
  const char *api_token, *app_token; /* demanded from callers / shown to the application */
  int http_port;                     /* only told by /v1.0/metadata */
  int log_level;                     /* DAPR_LOG_...; 0 is DEBUG: say what you mean */
  bool log_json, log_api;            /* log_api: each call of the API is logged */
  FILE *log;                         /* NULL: stderr */
};

enum { DAPR_INTERFACE_VERSION = 3 };

struct dapr_interface {
  unsigned version; /* DAPR_INTERFACE_VERSION */
  /* Loads components and begins to deliver to the application. NULL: *err says why. */
  struct sidecar *(*open)(const struct sidecar_options *, mv_error_t *err);
  void (*close)(struct sidecar *); /* waits for deliveries under way; NULL is allowed */
  /* Serves a request without a socket, on any number of threads at once. env is the sidecar. */
  http_handler handle;
  /* For the program around it: the page for Prometheus on GET /metrics (an http_handler, too); waiting until shutdown is asked for, by
   * POST /v1.0/shutdown or by ask; a line of the log. */
  http_handler metrics;
  void (*wait)(struct sidecar *);
  void (*ask)(struct sidecar *);
  void (*log)(struct sidecar *, int level, const char *text);
};

/* dapr_main of minivm-daprd.so: the command `minivm dapr`; argv[0] is its name. Returns the exit code. */
typedef int (*dapr_main_fn)(const struct dapr_interface *, int argc, char **argv);

#endif
