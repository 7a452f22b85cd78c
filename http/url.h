/* url.h: the one parser of URLs. What it yields is what is checked, logged and dialled; the text it was made from is not used again. */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum url_host { URL_NAME, URL_IPV4, URL_IPV6 };

enum { URL_MAX = 1 << 20, URL_HOST_MAX = 256 };

/* An absolute http or https URL in canonical form. All zeros is a valid, empty one. */
struct url {
  char *text;    /* "scheme://host[:port]/path[?query]", without a default port or a fragment; terminated */
  size_t size;
  size_t origin; /* length of "scheme://host[:port]" */
  size_t capacity;
  char host[URL_HOST_MAX]; /* in lower case; IPv6 in brackets */
  enum url_host kind;
  uint16_t port;
  bool tls;
  bool as_is; /* input: the segments "." and ".." stay in the path */
};

/* NULL, or what is wrong with the URL. Reuses the memory that *url has. */
const char *url_parse(struct url *url, const char *text, size_t size);
/* The URL that the reference `text` means on the page `base` (RFC 3986, section 5.2). */
const char *url_resolve(struct url *url, const struct url *base, const char *text);
/* The same, for a URL that is nothing but an origin. */
const char *url_parse_origin(struct url *url, const char *text);
/* A shortcut past the parser: when `text` begins with this origin and the rest needs no change, takes it and returns true. */
bool url_parse_plain(struct url *url, const struct url *origin, const char *text, size_t size);
bool url_same_origin(const struct url *, const struct url *);
void url_fini(struct url *);

extern const char url_no_memory[]; /* what the functions above return when memory is short */

#endif
