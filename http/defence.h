/* defence.h: the defences of the HTTP import by name, so that a test can take each one out and see the attack that it stops succeed. An
 * ordinary build has no switch: DEFENCE(x) is 1 there. */
#ifndef HTTP_DEFENCE_H
#define HTTP_DEFENCE_H

#define HTTP_DEFENCES(X) \
  X(LIST)        /* what is not on the allow-list is refused */ \
  X(SCHEME)      /* an entry's scheme must match */ \
  X(HOST)        /* an entry's host must match, the whole of it */ \
  X(PORT)        /* an entry's port must match */ \
  X(WEB)         /* only http and https */ \
  X(USERINFO)    /* no user names in URLs */ \
  X(HOST_CHARS)  /* a host is ASCII letters, digits, '-', '_' and '.' */ \
  X(NUMERIC)     /* an IPv4 address is four decimal numbers */ \
  X(ZONE)        /* an IPv6 address has no zone */ \
  X(URL_CONTROL) /* no control characters in URLs */ \
  X(PARTS)       /* the transport is given what was checked, not the text of the URL */ \
  X(METHOD)      /* a method is a token */ \
  X(TUNNEL)      /* no CONNECT */ \
  X(NAME)        /* a header's name is a token */ \
  X(VALUE)       /* a header's value has no control characters */ \
  X(AUTHORITY)   /* the Host header is the URL's */ \
  X(LENGTH)      /* Content-Length is the body's */ \
  X(HOP)         /* headers of the connection are the host's */ \
  X(REDIRECT)    /* each hop is checked */ \
  X(REDIRECTS)   /* there are not too many hops */ \
  X(INWARD)      /* no server may redirect to a mounted origin */ \
  X(CREDENTIALS) /* credentials stay with their origin */ \
  X(PROXY)       /* proxy variables of the environment are not obeyed */ \
  X(TLS_PEER)    /* certificates are verified */ \
  X(TLS_HOST)    /* and belong to the host */ \
  X(DIALLED)     /* --deny-private looks at every address that is dialled */ \
  X(PRIVATE4)    /* and knows the private IPv4 addresses */ \
  X(PRIVATE6)    /* the private IPv6 addresses */ \
  X(EMBEDDED)    /* and IPv4 addresses inside of IPv6 addresses */ \
  X(LISTED)      /* a numeric host is exempt only when the allow-list has it */

#ifdef HTTP_TEST_DEFENCES
#include <stdint.h>
enum {
#define X(id) HTTP_DEFENCE_##id,
  HTTP_DEFENCES(X)
#undef X
};
struct sockaddr;
struct http_test {
  uint64_t out;                              /* bit set of the defences taken out */
  const char *resolve;                       /* "host:port:address" in place of DNS, or NULL */
  void (*dial)(struct sockaddr *, unsigned); /* may change an address that passed the checks, before it is dialled */
};
extern struct http_test http_test;
#define DEFENCE(id) (!(http_test.out >> HTTP_DEFENCE_##id & 1))
#else
#define DEFENCE(id) 1
#endif

#endif
