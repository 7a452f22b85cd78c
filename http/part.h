/* part.h: what minivm-http.so offers to the program: the imports `wasi_experimental_http` of a guest. It is loaded when a module imports them, by
 * its one entry mv_http_part; http/options.h, which the program has itself, reads the options. */
#ifndef HTTP_PART_H
#define HTTP_PART_H

#include "http.h"
#include "options.h"

#define HTTP_MODULE "wasi_experimental_http"

enum { HTTP_PART_VERSION = 2 };

struct http_guest;

struct http_part {
  unsigned version; /* HTTP_PART_VERSION */
  /* Defines the imports in a linker. The settings are only read. NULL: *err says why. The guest must outlive the linker and its instances. */
  struct http_guest *(*open)(const struct http_settings *, mv_linker_t *, mv_error_t *err);
  void (*close)(struct http_guest *); /* NULL is allowed */
  /* As http_client_mount and http_client_forward. */
  bool (*mount)(struct http_guest *, const char *origin, http_handler, void *env);
  bool (*forward)(struct http_guest *, const char *origin, const char *endpoint, const char *const *headers, mv_error_t *err);
  /* The allow-list of the settings, for a sidecar that makes requests in the guest's name. Lives as long as the guest. */
  const struct http_policy *(*policy)(const struct http_guest *);
  /* Rows for --stats, in the form "  NAME  NUMBER". */
  void (*stats)(const struct http_guest *, FILE *);
};

const struct http_part *mv_http_part(void);

#endif
