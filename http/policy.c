/* policy.c: the allow-list of origins, and which addresses are private. It knows neither libcurl nor DNS. */
#include "policy.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "defence.h"

struct http_policy {
  struct url *origins;
  size_t count;
  bool all, deny_private;
};

struct http_policy *http_policy_new(void) { return calloc(1, sizeof(struct http_policy)); }

void http_policy_delete(struct http_policy *p) {
  if (!p) return;
  for (size_t i = 0; i < p->count; i++) url_fini(&p->origins[i]);
  free(p->origins);
  free(p);
}

bool http_policy_allow(struct http_policy *p, const char *origin, const char **why) {
  struct url *list = realloc(p->origins, (p->count + 1) * sizeof *list);
  *why = url_no_memory;
  if (!list) return false;
  p->origins = list;
  memset(&list[p->count], 0, sizeof *list);
  *why = url_parse_origin(&list[p->count], origin);
  if (*why)
    url_fini(&list[p->count]);
  else
    p->count++;
  return !*why;
}

void http_policy_allow_all(struct http_policy *p) { p->all = true; }
void http_policy_deny_private(struct http_policy *p, bool deny) { p->deny_private = deny; }
bool policy_is_open(const struct http_policy *p) { return p->all; }
bool policy_denies_private(const struct http_policy *p) { return p->deny_private; }

static bool matches(const struct url *entry, const struct url *url) {
  if (entry->tls != url->tls && DEFENCE(SCHEME)) return false;
  if (entry->port != url->port && DEFENCE(PORT)) return false;
  return !strcmp(entry->host, url->host) || !DEFENCE(HOST);
}

bool policy_allows(const struct http_policy *p, const struct url *url, bool *exempt) {
  *exempt = url->kind != URL_NAME && !DEFENCE(LISTED);
  for (size_t i = 0; i < p->count; i++) {
    if (!matches(&p->origins[i], url)) continue;
    *exempt = url->kind != URL_NAME;
    return true;
  }
  return p->all || !DEFENCE(LIST);
}

/* ---- addresses ----------------------------------------------------------------------------------------- */

/* The special-purpose registries of RFC 6890 and what came later: all but what is globally reachable by unicast. */
struct range {
  unsigned char bits, prefix[16];
};

static const struct range private4[] = {
  {8, {0}},           {8, {10}},          {10, {100, 64}},      {8, {127}},          {16, {169, 254}},      {12, {172, 16}}, {24, {192, 0, 0}},
  {24, {192, 0, 2}},  {24, {192, 88, 99}}, {16, {192, 168}},     {15, {198, 18}},     {24, {198, 51, 100}},  {24, {203, 0, 113}},
  {3, {224}}, /* multicast and reserved */
};

static const struct range private6[] = {
  {128, {0}}, {128, {[15] = 1}}, {48, {0, 0x64, 0xff, 0x9b, 0, 1}}, {64, {1}}, {32, {0x20, 1}}, /* Teredo */ {28, {0x20, 1, 0, 0x10}},
  {32, {0x20, 1, 0x0d, 0xb8}}, {20, {0x3f, 0xff}}, {16, {0x5f}}, {7, {0xfc}}, {10, {0xfe, 0x80}}, {10, {0xfe, 0xc0}}, {8, {0xff}},
};

/* Where IPv6 addresses carry an IPv4 address: compatible, mapped, translated (NAT64), 6to4. */
static const struct embedding {
  struct range range;
  unsigned char at;
} embeddings[] = {{{96, {0}}, 12}, {{96, {[10] = 0xff, 0xff}}, 12}, {{96, {[8] = 0xff, 0xff}}, 12}, {{96, {0, 0x64, 0xff, 0x9b}}, 12}, {{16, {0x20, 2}}, 2}};

static bool in_range(const unsigned char *address, const struct range *r) {
  unsigned bytes = r->bits / 8, rest = r->bits % 8;
  if (memcmp(address, r->prefix, bytes) != 0) return false;
  return !rest || (address[bytes] ^ r->prefix[bytes]) >> (8 - rest) == 0;
}

static bool is_private4(const unsigned char *address) {
  for (size_t i = 0; i < sizeof private4 / sizeof *private4; i++)
    if (in_range(address, &private4[i])) return DEFENCE(PRIVATE4);
  return false;
}

static bool is_private6(const unsigned char *address) {
  for (size_t i = 0; i < sizeof private6 / sizeof *private6; i++)
    if (in_range(address, &private6[i])) return DEFENCE(PRIVATE6);
  for (size_t i = 0; i < sizeof embeddings / sizeof *embeddings; i++)
    if (in_range(address, &embeddings[i].range) && is_private4(address + embeddings[i].at)) return DEFENCE(EMBEDDED);
  return false;
}

bool address_is_private(const struct sockaddr *address) {
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  switch (address->sa_family) { /* copied, for what libraries hand over need not be aligned */
    case AF_INET: memcpy(&v4, address, sizeof v4); return is_private4((const unsigned char *)&v4.sin_addr);
    case AF_INET6: memcpy(&v6, address, sizeof v6); return is_private6(v6.sin6_addr.s6_addr);
    default: return true;
  }
}
