/* dapr.h: what minivm-dapr.so offers to the program that opens it.
 *
 * The sidecar and its libraries are a shared object of their own, so that a run without Dapr pays nothing for them. It
 * exports one symbol, `minivm_dapr`, of type `struct dapr_interface`. The functions of http/http.h that it calls
 * come from the program (or from the object that holds http/); both ends see the same header. */
#ifndef DAPR_DAPR_H
#define DAPR_DAPR_H

#include "../http/http.h"
#include "minivm.h"

struct sidecar;

enum { DAPR_LOG_DEBUG, DAPR_LOG_INFO, DAPR_LOG_WARN, DAPR_LOG_ERROR, DAPR_LOG_FATAL, DAPR_LOG_OFF };

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

  const struct http_policy *policy;  /* what invocation of a URL may reach; must outlive the sidecar; NULL: everything */
  const char *api_token, *app_token; /* demanded from callers / shown to the application */
  int http_port;                     /* only told by /v1.0/metadata */
  int log_level;                     /* DAPR_LOG_...; 0 is DEBUG: say what you mean */
  bool log_json;
  FILE *log;                         /* NULL: stderr */
};

/* Loads components and begins to deliver to the application. NULL: *err says why. */
typedef struct sidecar *(*sidecar_open_fn)(const struct sidecar_options *, mv_error_t *err);

struct dapr_interface {
  unsigned version; /* DAPR_INTERFACE_VERSION */
  /* The command `minivm dapr`: argv[0] is its name. Returns the exit code. */
  int (*main)(int argc, char **argv);
  sidecar_open_fn open;
  void (*close)(struct sidecar *); /* waits for deliveries under way; NULL is allowed */
  /* An http_handler whose env is the sidecar: serves a request without a socket, on any number of threads at once. */
  http_handler handle;
};

enum { DAPR_INTERFACE_VERSION = 1 };

#endif
