/* policy.h: what may be dialled, for the rest of http/. */
#ifndef HTTP_POLICY_H
#define HTTP_POLICY_H

#include "http.h"
#include "url.h"

struct sockaddr;

/* May this URL be requested? *exempt: its host is an address that the allow-list names, which --deny-private does not concern. */
bool policy_allows(const struct http_policy *, const struct url *, bool *exempt);
bool policy_is_open(const struct http_policy *); /* everything is allowed */
bool policy_denies_private(const struct http_policy *);

/* Is this an address that only the own machine or network can reach, or one that is no single host? */
bool address_is_private(const struct sockaddr *);

#endif
