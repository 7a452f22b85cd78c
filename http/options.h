/* options.h: what the command line says about HTTP. The setters have the form that a table of options wants: `at` is a struct http_settings, the result
 * NULL or what is wrong with the value. Needs neither the part nor libcurl, so that the program can hold it. */
#ifndef HTTP_OPTIONS_H
#define HTTP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zeros are the defaults. Strings are those of the command line, not copies. */
struct http_settings {
  const char **allow; /* origins, `allowed` of them */
  size_t allowed;
  bool deny_private, log, proxy;
  long timeout_ms;   /* 0: default */
  uint64_t max_body; /* 0: none */
  const char *ca_file;
  const char *sidecar; /* the origin where guests look for a Dapr sidecar, while it leads nowhere: who is refused there is told of --dapr */
};

const char *http_set_allow(void *at, const char *origin);
const char *http_set_deny_private(void *at, const char *value);
const char *http_set_log(void *at, const char *value);
const char *http_set_timeout(void *at, const char *time);
const char *http_set_max_body(void *at, const char *size);
const char *http_set_proxy(void *at, const char *value);
const char *http_set_ca(void *at, const char *file);
/* NULL, or why the options do not fit together. */
const char *http_settings_check(const struct http_settings *);
void http_settings_fini(struct http_settings *);

#endif
