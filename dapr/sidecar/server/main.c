/* main.c: the command `minivm dapr`: the sidecar on its own, with the flags of `dapr run` and daprd. */
#include <errno.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../dapr.h"
#include "../text.h"
#include "server.h"

enum { LIST_MAX = 32, SERVERS_MAX = 8, METRICS_PORT = 9090, HTTP_PORT = 3500, GRACE_SECONDS = 5, WRONG_USAGE = 2 };

struct settings {
  const struct dapr_interface *dapr;
  struct sidecar *opened;
  struct sidecar_options sidecar;
  const char *resources[LIST_MAX + 1], *peers[LIST_MAX + 1];
  size_t resource_count, peer_count;
  const char *addresses, *metrics_address, *app_protocol;
  int metrics_port;
  bool metrics;
  int64_t max_body, grace;
  const char *ignored[LIST_MAX]; /* flags that have no effect here */
  size_t ignored_count;
  char **command; /* after --: the application */
};

enum kind { TEXT, NUMBER, PORT, SWITCH, LIST, SIZE_MB, SIZE, LEVEL, SECONDS, PROBE_SECONDS, PROBE_MS, PROBE_COUNT, IGNORED, IGNORED_SWITCH };

struct flag {
  const char *name;
  enum kind kind;
  size_t offset;
  const char *help;
};

#define AT(member) offsetof(struct settings, member)

static const struct flag flags[] = {
    {"app-id", TEXT, AT(sidecar.app_id), "ID: the application's name (default minivm)"},
    {"app-port", PORT, AT(sidecar.app_port), "PORT: where the application listens"},
    {"app-channel-address", TEXT, AT(sidecar.app_host), "HOST: of the application (default 127.0.0.1)"},
    {"app-protocol", TEXT, AT(app_protocol), "http"},
    {"dapr-http-port", PORT, AT(sidecar.http_port), "PORT: of the Dapr API (default 3500)"},
    {"dapr-listen-addresses", TEXT, AT(addresses), "IP,IP: of the Dapr API (default 127.0.0.1)"},
    {"resources-path", LIST, AT(resources), "FOLDER: component, subscription, resiliency and endpoint files; repeatable"},
    {"components-path", LIST, AT(resources), "the older name of --resources-path"},
    {"config", TEXT, AT(sidecar.config), "FILE: the Configuration file"},
    {"peer", LIST, AT(peers), "ID=URL: where another application is; repeatable"},
    {"state-file", TEXT, AT(sidecar.state_file), "FILE: of the built-in statestore (default .minivm/state.db)"},
    {"log-level", LEVEL, 0, "debug, info, warn, error, fatal (default info)"},
    {"log-as-json", SWITCH, AT(sidecar.log_json), ""},
    {"enable-api-logging", SWITCH, AT(sidecar.log_api), "each call of the API"},
    {"app-max-concurrency", NUMBER, AT(sidecar.app_max_concurrency), "N: calls of the application at a time (default any number)"},
    {"enable-app-health-check", SWITCH, AT(sidecar.app_health.enabled), "the application is asked for its health"},
    {"app-health-check-path", TEXT, AT(sidecar.app_health.path), "PATH: of the probes (default /healthz)"},
    {"app-health-probe-interval", PROBE_SECONDS, AT(sidecar.app_health.interval_ms), "SECONDS: between probes (default 5)"},
    {"app-health-probe-timeout", PROBE_MS, AT(sidecar.app_health.timeout_ms), "MILLISECONDS: for a probe (default 500)"},
    {"app-health-threshold", PROBE_COUNT, AT(sidecar.app_health.threshold), "N: failures in a row, and nothing is sent to it (default 3)"},
    {"enable-metrics", SWITCH, AT(metrics), "(default true)"},
    {"metrics-port", PORT, AT(metrics_port), "PORT: of /metrics (default 9090)"},
    {"metrics-listen-address", TEXT, AT(metrics_address), "IP: of /metrics (default 127.0.0.1)"},
    {"max-body-size", SIZE, AT(max_body), "SIZE: of requests, such as 4Mi (default 4Mi)"},
    {"dapr-http-max-request-size", SIZE_MB, AT(max_body), "MB: the older name of --max-body-size"},
    {"dapr-graceful-shutdown-seconds", SECONDS, 0, "N: for requests under way (default 5)"},
    /* daprd's flags for what is not here are accepted, so that its command lines work. */
    {"namespace", TEXT, AT(sidecar.name_space), ""},
    {"dapr-grpc-port", IGNORED, 0, ""}, {"dapr-internal-grpc-port", IGNORED, 0, ""},
    {"dapr-public-port", IGNORED, 0, ""}, {"dapr-internal-grpc-listen-address", IGNORED, 0, ""},
    {"placement-host-address", IGNORED, 0, ""}, {"scheduler-host-address", IGNORED, 0, ""}, {"control-plane-address", IGNORED, 0, ""},
    {"sentry-address", IGNORED, 0, ""}, {"mode", IGNORED, 0, ""},
    {"profile-port", IGNORED, 0, ""}, {"unix-domain-socket", IGNORED, 0, ""}, {"trust-domain", IGNORED, 0, ""},
    {"read-buffer-size", IGNORED, 0, ""}, {"dapr-http-read-buffer-size", IGNORED, 0, ""},
    {"dapr-block-shutdown-duration", IGNORED, 0, ""}, {"allowed-origins", IGNORED, 0, ""}, {"enable-mtls", IGNORED_SWITCH, 0, ""}, {"enable-profiling", IGNORED_SWITCH, 0, ""},
    {"app-ssl", IGNORED_SWITCH, 0, ""}, {"disable-builtin-k8s-secret-store", IGNORED_SWITCH, 0, ""}};

enum { FLAGS = sizeof flags / sizeof *flags };

static int help(void) {
  puts("usage: minivm dapr [flags] [-- application and its arguments]\n\nThe Dapr sidecar for one application. Flags, and their letters, as of dapr run:");
  for (size_t i = 0; i < FLAGS; i++)
    if (*flags[i].help || flags[i].kind == SWITCH) printf("  --%-32s %s\n", flags[i].name, flags[i].help);
  printf("\nWithout --resources-path: a state store `statestore` in .minivm/state.db and a pub/sub `pubsub` in memory.\n"
         "DAPR_API_TOKEN and APP_API_TOKEN of the environment are demanded from callers and shown to the application.\n");
  return 0;
}

/* Wrong usage, in the form that all commands have. Returns false. */
static bool wrong(const char *format, ...) MV_PRINTF(1, 2);
static bool wrong(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("minivm: usage: ", stderr);
  vfprintf(stderr, format, args);
  fputs(" (see minivm dapr --help)\n", stderr);
  va_end(args);
  return false;
}

static bool bad(const struct flag *f, const char *value, const char *what) { return wrong("--%s %s: %s", f->name, value, what); }

static bool set_list(struct settings *s, const struct flag *f, const char *value) {
  bool peers = f->offset == AT(peers);
  const char **list = peers ? s->peers : s->resources;
  size_t *n = peers ? &s->peer_count : &s->resource_count;
  if (*n == LIST_MAX) return bad(f, value, "one too many");
  list[(*n)++] = value;
  return true;
}

static bool set_size(struct settings *s, const struct flag *f, const char *value) {
  const struct {
    const char *unit;
    int64_t bytes;
  } units[] = {{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"K", 1000}, {"M", 1000000}, {"G", 1000000000}};
  size_t digits = strspn(value, "0123456789"), unit = 0;
  int64_t n, scale = f->kind == SIZE_MB ? 1 << 20 : 1;
  while (unit < sizeof units / sizeof *units && strcmp(value + digits, units[unit].unit) != 0) unit++;
  if (unit < sizeof units / sizeof *units) scale = units[unit].bytes;
  else if (value[digits]) return bad(f, value, "no size: write 4Mi");
  if (!span_int((struct span){value, digits}, &n) || n > INT32_MAX || n * scale > (int64_t)1 << 40)
    return bad(f, value, "no size: write 4Mi");
  s->max_body = n * scale;
  return true;
}

static bool set_level(struct settings *s, const struct flag *f, const char *value) {
  const char *const names[] = {"debug", "info", "warn", "error", "fatal", "off"}; /* in the order of DAPR_LOG_... */
  if (strcmp(value, "warning") == 0) value = "warn";
  for (int i = 0; i <= DAPR_LOG_OFF; i++)
    if (strcmp(value, names[i]) == 0) return s->sidecar.log_level = i, true;
  return bad(f, value, "unknown: use debug, info, warn, error or fatal");
}

static bool set(struct settings *s, const struct flag *f, const char *value) {
  char *base = (char *)s;
  int64_t n;
  switch (f->kind) {
    case LIST: return set_list(s, f, value);
    case SIZE:
    case SIZE_MB: return set_size(s, f, value);
    case SWITCH: *(bool *)(void *)(base + f->offset) = text_true(value); return true;
    case TEXT:
      *(const char **)(void *)(base + f->offset) = value;
      return true;
    case LEVEL: return set_level(s, f, value);
    case NUMBER:
    case PORT:
    case PROBE_SECONDS:
    case PROBE_MS:
    case PROBE_COUNT:
    case SECONDS: /* -1 stands for none, as in dapr run */
      if (!span_int(span_of(value), &n) || n < -1 || n > INT32_MAX) return bad(f, value, "not a number, or too large");
      if (f->kind == PORT && n > 65535) return bad(f, value, "a port is at most 65535");
      if (f->kind == SECONDS) s->grace = n < 0 ? GRACE_SECONDS : n;
      else if (f->kind == NUMBER || f->kind == PORT) *(int *)(void *)(base + f->offset) = n < 0 ? 0 : (int)n;
      else if (n <= 0) return true; /* the default, as in daprd */
      else if (f->kind == PROBE_COUNT) *(int *)(void *)(base + f->offset) = (int)n;
      else *(int64_t *)(void *)(base + f->offset) = f->kind == PROBE_MS ? n : n * 1000;
      return true;
    default: return true;
  }
}

static const struct flag *find(struct span name) {
  const struct { const char *letter, *name; } letters[] = {{"a", "app-id"}, {"p", "app-port"}, {"P", "app-protocol"}, {"c", "config"}, {"d", "resources-path"},
    {"H", "dapr-http-port"}, {"G", "dapr-grpc-port"}, {"I", "dapr-internal-grpc-port"}, {"M", "metrics-port"}, {"u", "unix-domain-socket"}};
  for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
    if (span_is(name, letters[i].letter)) name = span_of(letters[i].name);
  for (size_t i = 0; i < FLAGS; i++)
    if (span_is(name, flags[i].name)) return &flags[i];
  return NULL;
}

/* -1: go on; otherwise an exit code. */
static int parse(struct settings *s, int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    const char *arg = argv[i];
    if (strcmp(arg, "--") == 0) return s->command = argv[i + 1] ? argv + i + 1 : NULL, -1;
    struct span rest = span_of(arg + strspn(arg, "-"));
    if (rest.p == arg) return wrong("unexpected \"%s\": write -- before the application", arg), WRONG_USAGE;
    struct span name = span_cut(&rest, '=');
    bool inline_value = name.p[name.n] == '=';
    if (span_is(name, "help") || span_is(name, "h")) return help();
    if (span_is(name, "version")) return printf("minivm %s\n", MINIVM_VERSION), 0;
    const struct flag *f = find(name);
    if (!f) return wrong("unknown flag --%.*s", (int)name.n, name.p), WRONG_USAGE;
    const char *value = inline_value ? rest.p : "true";
    if (!inline_value && f->kind != SWITCH && f->kind != IGNORED_SWITCH) {
      if (++i == argc) return wrong("--%s needs a value", f->name), WRONG_USAGE;
      value = argv[i];
    }
    if (!set(s, f, value)) return WRONG_USAGE;
    if ((f->kind == IGNORED || f->kind == IGNORED_SWITCH) && s->ignored_count < LIST_MAX) s->ignored[s->ignored_count++] = f->name;
  }
  return -1;
}

/* ---- the application, when this command starts it ---- */

struct app {
  const struct settings *settings;
  pid_t pid;
  int code;
};

static pid_t start_app(const struct settings *s) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  char port[16];
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  snprintf(port, sizeof port, "%d", s->sidecar.http_port);
  setenv("DAPR_HTTP_PORT", port, 1);
  setenv("APP_ID", s->sidecar.app_id, 1);
  snprintf(port, sizeof port, "%d", s->sidecar.app_port);
  if (s->sidecar.app_port) setenv("APP_PORT", port, 1);
  execvp(s->command[0], s->command);
  fprintf(stderr, "minivm: dapr: cannot start %s: %s\n", s->command[0], strerror(errno));
  _exit(127);
}

static void *wait_app(void *env) {
  struct app *a = env;
  int status = 0;
  while (waitpid(a->pid, &status, 0) < 0 && errno == EINTR) continue;
  a->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  a->settings->dapr->ask(a->settings->opened);
  return NULL;
}

/* ---- life ---- */

static void *wait_signal(void *env) {
  const struct settings *s = env;
  sigset_t set;
  int signal_number;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigwait(&set, &signal_number);
  s->dapr->ask(s->opened);
  return NULL;
}

/* An application that never answers must not keep the sidecar from ending. What was acknowledged is stored by then. */
static void *watch_end(void *env) {
  const struct settings *s = env;
  sleep((unsigned)s->grace + 1);
  fprintf(stderr, "minivm: dapr: requests or deliveries are still under way after %lld s: ending without them\n", (long long)s->grace);
  _exit(1);
  return NULL;
}

static void say(const struct settings *s, int level, const char *format, ...) MV_PRINTF(3, 4);
static void say(const struct settings *s, int level, const char *format, ...) {
  char text[MV_ERROR_TEXT + 100];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  s->dapr->log(s->opened, level, text);
}

struct servers {
  struct server *list[SERVERS_MAX];
  size_t count;
};

static bool listen_all(struct servers *v, const struct settings *s, mv_error_t *err) {
  struct span rest = span_of(s->addresses);
  char address[64];
  while (rest.n > 0 && v->count < SERVERS_MAX - 1) {
    struct span one = span_trim(span_cut(&rest, ','));
    if (one.n > 2 && one.p[0] == '[') one.p++, one.n -= 2;
    snprintf(address, sizeof address, "%.*s", (int)(one.n < 63 ? one.n : 63), one.p);
    struct server_options o = {address, s->sidecar.http_port, s->dapr->handle, s->opened, (size_t)s->max_body};
    if (!(v->list[v->count] = server_new(&o, err))) return false;
    v->count++;
    say(s, DAPR_LOG_INFO, "HTTP server listening on %s port %d", address, s->sidecar.http_port);
  }
  if (!s->metrics) return true;
  struct server_options o = {s->metrics_address, s->metrics_port, s->dapr->metrics, s->opened, 0};
  mv_error_t why = {0};
  if ((v->list[v->count] = server_new(&o, &why))) v->count++;
  else say(s, DAPR_LOG_WARN, "no metrics: %s", why.message);
  return true;
}

static int run(const struct settings *s) {
  struct servers servers = {.count = 0};
  struct app app = {.settings = s};
  mv_error_t err = {0};
  pthread_t signals, child;
  int code = 0;
  bool ok = listen_all(&servers, s, &err), watching = ok && pthread_create(&signals, NULL, wait_signal, (void *)(uintptr_t)s) == 0;
  if (!watching) say(s, DAPR_LOG_FATAL, "%s", ok ? "no thread for signals" : err.message), code = 1;
  if (watching && s->command) {
    app.pid = start_app(s);
    if (app.pid < 0 || pthread_create(&child, NULL, wait_app, &app) != 0) app.pid = 0, code = 1;
  }
  for (size_t i = 0; i < s->ignored_count; i++) say(s, DAPR_LOG_WARN, "--%s has no effect here", s->ignored[i]);
  if (!code) {
    say(s, DAPR_LOG_INFO, "dapr initialized. Status: Running. minivm %s", MINIVM_VERSION);
    s->dapr->wait(s->opened);
    say(s, DAPR_LOG_INFO, "Dapr is shutting down");
  }
  pthread_t watchdog;
  if (pthread_create(&watchdog, NULL, watch_end, (void *)(uintptr_t)s) == 0) pthread_detach(watchdog);
  if (app.pid > 0) {
    kill(app.pid, SIGTERM);
    pthread_join(child, NULL);
    code = app.code;
  }
  for (size_t i = 0; i < servers.count; i++) server_delete(servers.list[i], s->grace);
  if (watching) {
    pthread_kill(signals, SIGTERM);
    pthread_join(signals, NULL);
  }
  return code;
}

int dapr_main(const struct dapr_interface *, int, char **);
int dapr_main(const struct dapr_interface *dapr, int argc, char **argv) {
  struct settings s = {.dapr = dapr,
                       .addresses = "127.0.0.1",
                       .metrics_address = "127.0.0.1",
                       .metrics_port = METRICS_PORT,
                       .metrics = true,
                       .max_body = 4 << 20,
                       .grace = GRACE_SECONDS};
  mv_error_t err = {0};
  sigset_t set;
  s.sidecar = (struct sidecar_options){.app_id = getenv("APP_ID"), .http_port = HTTP_PORT, .log_level = DAPR_LOG_INFO, .log = stdout,
                                       .api_token = getenv("DAPR_API_TOKEN"), .app_token = getenv("APP_API_TOKEN"),
                                       .app_health = {.path = "/healthz", .interval_ms = 5000, .timeout_ms = 500, .threshold = 3}};
  if (!s.sidecar.app_id) s.sidecar.app_id = "minivm";
  if (dapr->version != DAPR_INTERFACE_VERSION) return fprintf(stderr, "minivm: part: the Dapr parts are of different versions\n"), 1;
  int code = parse(&s, argc, argv);
  if (code >= 0) return code;
  if (s.app_protocol && strcmp(s.app_protocol, "http") != 0)
    return wrong("--app-protocol %s: not built in: use http", s.app_protocol), WRONG_USAGE;
  if (s.sidecar.app_health.timeout_ms > s.sidecar.app_health.interval_ms)
    return wrong("--app-health-probe-timeout: a probe may not take longer than the time between two"), WRONG_USAGE;
  if (s.resource_count) s.sidecar.resources = s.resources;
  if (s.peer_count) s.sidecar.peers = s.peers;
#ifdef M_ARENA_MAX
  mallopt(M_ARENA_MAX, 2); /* a thread per connection must not mean a heap per thread */
#endif
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, NULL); /* one thread waits for them */
  s.opened = dapr->open(&s.sidecar, &err);
  if (!s.opened) return fprintf(stderr, "minivm: dapr: %s\n", err.message), 1;
  code = run(&s);
  dapr->close(s.opened);
  return code;
}
