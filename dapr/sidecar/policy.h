/* policy.h: resiliency: time limits, retries and circuit breakers, as resiliency files define them. */
#ifndef SIDECAR_POLICY_H
#define SIDECAR_POLICY_H

#include <pthread.h>

#include "text.h"
#include "ytree.h"

struct cel;

struct retry {
  const char *name;
  bool exponential;
  int64_t interval_ms, max_interval_ms;
  int64_t max_retries;  /* -1: without end */
  const char *statuses; /* "500-599,429": which HTTP statuses are tried again; NULL: all failures */
};

struct breaker {
  const char *name;
  int64_t timeout_ms, interval_ms;
  const struct cel *trip; /* over the counters */
  pthread_mutex_t lock;
  int64_t requests, failures, in_a_row; /* since it was closed, or since its interval began; in_a_row: failures */
  int64_t open_until_us, counted_since_us;
  bool probing;
};

struct policy {
  int64_t timeout_ms; /* 0: none */
  const struct retry *retry;
  struct breaker *breaker;
};

/* What a policy is for. */
enum policy_side { POLICY_APP, POLICY_OUTBOUND, POLICY_INBOUND };

struct target {
  enum policy_side side;
  const char *name;
  struct policy policy;
};

struct policies {
  struct target *targets;
  size_t target_count;
  struct retry *retries;
  size_t retry_count;
  struct { const char *name; int64_t ms; } *timeouts;
  size_t timeout_count;
  struct breaker **breakers;
  size_t breaker_count;
  struct policy defaults[3]; /* by enum policy_side: from the policies named Default...Policy */
  bool has_default[3];
  const char **files; /* names of the documents, for /v1.0/metadata */
  size_t file_count;
};

/* Adds one document of kind Resiliency. */
MV_MUST_USE bool policies_load(struct policies *, struct pool *, const char *file, const struct ytree *doc, mv_error_t *err);
void policies_fini(struct policies *);
/* The policy of a target, else the default one of its side, or NULL. */
const struct policy *policies_find(const struct policies *, enum policy_side, const char *name);

enum outcome { OUTCOME_OK, OUTCOME_RETRIABLE, OUTCOME_FINAL };

/* One operation under a policy: while (attempt_begin(&a)) { ...; attempt_end(&a, outcome, status); } */
struct attempt {
  const struct policy *policy;
  bool (*sleep)(void *env, int64_t ms); /* false: shutting down */
  void *env;
  int64_t tries;
  bool done, refused; /* refused: the circuit breaker is open, nothing was tried */
};
bool attempt_begin(struct attempt *);
void attempt_end(struct attempt *, enum outcome, int http_status);

#endif
