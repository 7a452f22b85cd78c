/* sidecar.h: the sidecar's parts, for its own files. */
#ifndef SIDECAR_SIDECAR_H
#define SIDECAR_SIDECAR_H

#include "../dapr.h"
#include "cel.h"
#include "clients.h"
#include "component.h"
#include "log.h"
#include "metrics.h"
#include "policy.h"
#include "random.h"
#include "route.h"
#include "trace.h"
#include "workers.h"

/* The version of daprd whose recorded behaviour this is. */
#define DAPR_COMPATIBLE "1.18.1"
/* How the sidecar calls itself to applications: as under daprd, where some of them look for it. */
#define CLIENT_NAME "Go-http-client/1.1"

/* Where an application id leads: an HTTPEndpoint file or --peer. */
struct endpoint {
  const char *name, *url;
  struct properties headers;
  bool peer; /* another application, which is told who calls */
};

struct rule {
  const char *match;       /* "" for the default */
  const struct cel *when;  /* NULL: always */
  const char *path;
};

struct bulk;
struct subscription {
  struct sidecar *sidecar;
  struct component *pubsub;
  const char *pubsub_name, *topic, *dead_letter, *type; /* type: PROGRAMMATIC or DECLARATIVE */
  struct properties metadata;
  struct rule *rules;
  size_t rule_count;
  bool raw, bulk_enabled;
  int64_t bulk_count, bulk_wait_ms;
  struct bulk *bulk;
};

struct secret_scope {
  const char *store;
  bool deny; /* by default */
  const char **allowed, **denied;
  size_t allowed_count, denied_count;
};

/* Of spec.api: an API that callers may or may not use. */
struct api_rule {
  const char *name, *version; /* "state", "v1.0" */
  bool deny;
};

struct sidecar {
  struct pool pool; /* configuration; lives as long as the sidecar */
  const char *app_id, *name_space, *app_url, *app_host, *api_token, *app_token;
  int app_port, http_port;
  bool has_app;
  http_handler app; /* the application's channel when it lives in this process, else app_url */
  void *app_env;
  struct app_health health;
  atomic_bool app_well; /* always, where its health is not asked for */

  struct component **components;
  size_t component_count, kind_count[COMPONENT_KINDS];
  struct endpoint *endpoints;
  size_t endpoint_count;
  struct subscription **subscriptions;
  size_t subscription_count;
  struct api_rule *apis;
  size_t api_count;
  const char **denied_types; /* of components: "state.redis" or "state.redis/v1" */
  size_t denied_type_count;
  struct secret_scope *scopes;
  size_t scope_count;
  struct policies policies;
  double sampling; /* of traces: 0 none, 1 all */

  struct log log;
  struct random random;
  struct metrics metrics;
  struct route_index routes;
  struct clients *clients;       /* to the application and to endpoints of files */
  struct clients *guest_clients; /* to URLs that a caller names: under the policy of the options */
  const struct http_policy *policy; /* of the options: what a guest may reach; NULL: everything */
  struct workers *workers;

  pthread_mutex_t lock; /* the rest */
  pthread_cond_t changed;
  bool stopping, ready, shutdown_asked, log_api;
  int app_limit, app_busy; /* calls of the application at a time; 0: any number */
  struct properties extended; /* PUT /v1.0/metadata */
  pthread_t starter;
  bool starter_runs;
};

/* Calls the application. timeout_ms 0: none. false: it is not well, or was not reached; *err says so. */
bool app_call(struct sidecar *, int64_t timeout_ms, const struct http_request *, const struct http_sink *, mv_error_t *err);
struct component *sidecar_find(struct sidecar *, enum component_kind, struct span name);
/* Waits; false: the sidecar is stopping. */
bool sidecar_sleep(void *sidecar, int64_t ms);
bool sidecar_stopping(struct sidecar *);
bool sidecar_stopped(void *sidecar); /* the same, for clients */
/* Whether a trace that begins here is sampled. */
bool trace_sampled(struct sidecar *);
/* The metrics page. */
void sidecar_metrics(struct sidecar *, struct buf *out);
void sidecar_set_ready(struct sidecar *);
void sidecar_wait_shutdown(struct sidecar *); /* until somebody has asked for it */
void sidecar_ask_shutdown(struct sidecar *);

struct sidecar *sidecar_open(const struct sidecar_options *, mv_error_t *err);
void sidecar_close(struct sidecar *);
bool sidecar_handle(void *sidecar, const struct http_request *, const struct http_sink *, mv_error_t *err);

/* resource.c: reads component, subscription, resiliency, endpoint and configuration files. */
MV_MUST_USE bool resources_load(struct sidecar *, const struct sidecar_options *, mv_error_t *err);

/* delivery.c: from a pub/sub component to the application. */
MV_MUST_USE bool delivery_add(struct sidecar *, struct subscription *, mv_error_t *err); /* checks, compiles rules, subscribes */
void delivery_fini(struct subscription *);
/* Asks the application for its subscriptions, then starts all pub/sub components. */
void delivery_start(struct sidecar *);
/* app_health.c: probes until the sidecar stops, and starts delivery when the application is well for the first time. */
void app_health_run(struct sidecar *);
bool app_is_well(struct sidecar *);

/* Publishes under the component's policy and counts it. */
bool pubsub_publish(struct component *, const struct message *, struct buf *why);
bool pubsub_allowed(const struct component *, const char *list, const char *topic);

/* api_config.c: tells the application of a changed item. */
void configuration_update(struct component *, const char *id, const struct config_item *);
/* api_meta.c: releases what PUT /v1.0/metadata has left. */
void metadata_fini(struct sidecar *);

#endif
