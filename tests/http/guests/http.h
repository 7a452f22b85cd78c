/* http.h: the imports of wasi_experimental_http as a C guest sees them, and a little around them for the tests. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(name) __attribute__((import_module("wasi_experimental_http"), import_name(name)))

IMPORT("req") uint32_t http_req(const char *url, uint32_t url_len, const char *method, uint32_t method_len, const char *headers, uint32_t headers_len,
                                const void *body, uint32_t body_len, uint16_t *status, uint32_t *handle);
IMPORT("close") uint32_t http_close(uint32_t handle);
IMPORT("header_get") uint32_t http_header_get(uint32_t handle, const char *name, uint32_t name_len, char *value, uint32_t cap, uint32_t *written);
IMPORT("headers_get_all") uint32_t http_headers_get_all(uint32_t handle, char *buf, uint32_t cap, uint32_t *written);
IMPORT("body_read") uint32_t http_body_read(uint32_t handle, void *buf, uint32_t cap, uint32_t *written);

enum { OK, INVALID_HANDLE, NO_MEMORY, MEMORY_ACCESS, TOO_SMALL, NO_HEADER, UTF8, NOT_ALLOWED, BAD_METHOD, BAD_HEADER, BAD_URL, FAILED, RUNTIME, TOO_MANY };

static const char *base; /* http://127.0.0.1:PORT */

/* Sends; `path` is added to the base unless it is a URL. */
static inline uint32_t request(const char *method, const char *path, const char *headers, const char *body, uint16_t *status, uint32_t *handle) {
  char url[4096];
  snprintf(url, sizeof url, "%s%s", path[0] == '/' ? base : "", path);
  return http_req(url, (uint32_t)strlen(url), method, (uint32_t)strlen(method), headers, (uint32_t)strlen(headers), body, (uint32_t)strlen(body), status, handle);
}

/* The whole body into `buf`; its length, or -code. */
static inline long read_all(uint32_t handle, char *buf, uint32_t cap) {
  uint32_t n = 1, at = 0;
  while (n && at < cap) {
    uint32_t code = http_body_read(handle, buf + at, cap - at, &n);
    if (code) return -(long)code;
    at += n;
  }
  return (long)at;
}
