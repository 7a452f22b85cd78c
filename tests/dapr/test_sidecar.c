/* The sidecar without a socket: what the recorded corpus does not reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

static struct got g;

static struct sidecar *open_memory(const struct sidecar_options *with) {
  struct sidecar_options o = with ? *with : (struct sidecar_options){0};
  mv_error_t err = {0};
  if (!o.app_id) o.app_id = "app";
  if (!o.state_file) o.state_file = "";
  o.log_level = DAPR_LOG_OFF;
  struct sidecar *sc = minivm_dapr.open(&o, &err);
  if (!sc) fail_msg("%s", err.message);
  return sc;
}

static void write_file(const char *name, const char *text) {
  FILE *f = fopen(name, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static void state(void **s) {
  (void)s;
  struct sidecar *sc = open_memory(NULL);
  assert_int_equal(call(sc, "POST", "/v1.0/state/statestore", NULL,
                        "[{\"key\":\"a\",\"value\":{\"z\":1,\"a\":[1.0]}},{\"key\":\"b\",\"value\":\"x\\u0000y\"}]", &g),
                   204);
  assert_int_equal(call(sc, "GET", "/v1.0/state/statestore/a", NULL, NULL, &g), 200);
  assert_string_equal(g.body, "{\"a\":[1],\"z\":1}");
  assert_non_null(strstr(g.headers, "Etag: "));
  assert_int_equal(call(sc, "GET", "/v1.0/state/statestore/b", NULL, NULL, &g), 200);
  assert_string_equal(g.body, "\"x\\u0000y\"");
  assert_int_equal(call(sc, "DELETE", "/v1.0/state/statestore/a", NULL, NULL, &g), 204);
  assert_int_equal(call(sc, "GET", "/v1.0/state/statestore/a", NULL, NULL, &g), 204);
  char path[80];
  for (int i = 0; i < 5000; i++) { /* the table grows */
    char body[80];
    snprintf(body, sizeof body, "[{\"key\":\"k%d\",\"value\":%d}]", i, i);
    assert_int_equal(call(sc, "POST", "/v1.0/state/statestore", NULL, body, &g), 204);
  }
  for (int i = 0; i < 5000; i += 97) {
    snprintf(path, sizeof path, "/v1.0/state/statestore/k%d", i);
    assert_int_equal(call(sc, "GET", path, NULL, NULL, &g), 200);
    assert_int_equal(atoi(g.body), i);
  }
  minivm_dapr.close(sc);
}

static void sqlite_survives(void **s) {
  (void)s;
  struct sidecar_options o = {.state_file = "folder/state.db"};
  for (int run = 0; run < 3; run++) {
    struct sidecar *sc = open_memory(&o);
    assert_int_equal(call(sc, "GET", "/v1.0/state/statestore/weapon", NULL, NULL, &g), run ? 200 : 204);
    if (run) assert_string_equal(g.body, "\"Death Star\"");
    assert_int_equal(call(sc, "POST", "/v1.0/state/statestore", NULL, "[{\"key\":\"weapon\",\"value\":\"Death Star\"}]", &g), 204);
    assert_int_equal(access("folder/state.db-wal", F_OK), 0);
    minivm_dapr.close(sc);
    assert_int_not_equal(access("folder/state.db-wal", F_OK), 0); /* what was saved is in the one file */
  }
}

/* ---- an application in this process ---- */

struct app {
  pthread_mutex_t lock;
  int calls, answer;
  const char *subscribe;
  char body[4096], path[200];
};

static bool app_handle(void *env, const struct http_request *r, const struct http_sink *sink, mv_error_t *err) {
  struct app *a = env;
  const char *const json[] = {"Content-Type", "application/json", NULL};
  (void)err;
  if (strcmp(r->path, "/dapr/subscribe") == 0)
    return sink->head(sink->env, a->subscribe ? 200 : 404, json) &&
           sink->data(sink->env, a->subscribe ? a->subscribe : "", a->subscribe ? strlen(a->subscribe) : 0);
  pthread_mutex_lock(&a->lock);
  a->calls++;
  snprintf(a->path, sizeof a->path, "%s", r->path);
  snprintf(a->body, sizeof a->body, "%.*s", (int)r->body_size, r->body ? (const char *)r->body : "");
  int answer = a->answer;
  pthread_mutex_unlock(&a->lock);
  if (answer < 0) return false; /* not reached */
  return sink->head(sink->env, answer, json);
}

static int wait_calls(struct app *a, int n, int ms) {
  for (int i = 0; i < ms; i++) {
    pthread_mutex_lock(&a->lock);
    int calls = a->calls;
    pthread_mutex_unlock(&a->lock);
    if (calls >= n) return calls;
    nanosleep(&(struct timespec){0, 1000000}, NULL);
  }
  return a->calls;
}

static struct sidecar *open_with_app(struct app *a, const char *const *resources) {
  struct sidecar_options o = {.app = app_handle, .app_env = a, .resources = resources};
  struct sidecar *sc = open_memory(&o);
  for (int i = 0; i < 2000 && call(sc, "GET", "/v1.0/healthz", NULL, NULL, &g) != 204; i++) nanosleep(&(struct timespec){0, 1000000}, NULL);
  assert_int_equal(g.status, 204);
  return sc;
}

static void delivery(void **s) {
  (void)s;
  struct app a = {
      .lock = PTHREAD_MUTEX_INITIALIZER,
      .answer = 200,
      .subscribe =
          "[{\"pubsubname\":\"pubsub\",\"topic\":\"t\",\"routes\":{\"rules\":[{\"match\":\"event.data.n > "
          "5\",\"path\":\"/big\"}],\"default\":\"small\"}},"
          "{\"pubsubname\":\"nowhere\",\"topic\":\"t\",\"route\":\"/"
          "x\"},{\"topic\":1},{\"pubsubname\":\"pubsub\",\"topic\":\"bad\",\"routes\":{\"rules\":[{\"match\":\"((\",\"path\":\"/y\"}]}}]"};
  struct sidecar *sc = open_with_app(&a, NULL);
  assert_int_equal(call(sc, "POST", "/v1.0/publish/pubsub/t", NULL, "{\"n\":12345678901234567890}", &g), 204);
  assert_int_equal(wait_calls(&a, 1, 2000), 1);
  assert_string_equal(a.path, "/big");
  assert_non_null(strstr(a.body, "\"data\":{\"n\":12345678901234567890}")); /* events keep the digits of numbers */
  assert_int_equal(call(sc, "POST", "/v1.0/publish/pubsub/t", NULL, "{\"n\":1}", &g), 204);
  assert_int_equal(wait_calls(&a, 2, 2000), 2);
  assert_string_equal(a.path, "/small");
  const char *const event[] = {"Content-Type", "application/cloudevents+json", NULL};
  assert_int_equal(call(sc, "POST", "/v1.0/publish/pubsub/t", event, "{ }", &g),
                   204); /* an event of nothing: no data.n, so the rule fails and it is dropped */
  assert_int_equal(call(sc, "POST", "/v1.0/publish/pubsub/t", event, "[1]", &g), 500);
  assert_int_equal(call(sc, "POST", "/v1.0/publish/pubsub/t?metadata.rawPayload=true", NULL, "no json", &g), 204);
  assert_int_equal(call(sc, "GET", "/v1.0/invoke/app/method/hello/../there?x=1", NULL, NULL, &g), 200);
  assert_string_equal(a.path, "/there?x=1");
  a.answer = -1;
  assert_int_equal(call(sc, "GET", "/v1.0/invoke/app/method/hello", NULL, NULL, &g), 500);
  minivm_dapr.close(sc);
}

static void scopes_and_tokens(void **s) {
  (void)s;
  write_file("c.yaml",
             "kind: Component\nmetadata: {name: p}\nspec:\n  type: pubsub.in-memory\n  metadata:\n  - {name: publishingScopes, value: 'app=a,b;other=c'}\n  - {name: protectedTopics, value: secret}\n"
             "---\nkind: Component\nmetadata: {name: elsewhere}\nspec: {type: state.in-memory}\nscopes: [other]\n"
             "---\nkind: Component\nmetadata: {name: s}\nspec:\n  type: secretstores.local.file\n  metadata: [{name: secretsFile, value: secrets.json}]\n"
             "---\nkind: Component\nmetadata: {name: st}\nauth: {secretStore: s}\nspec:\n  type: state.in-memory\n  metadata:\n  - {name: keyPrefix, value: '{appID}-x'}\n  - name: k\n    secretKeyRef: {name: one}\n");
  write_file("secrets.json", "{\"one\":\"1\",\"two\":\"2\"}");
  write_file("conf.yaml",
             "kind: Configuration\nspec:\n  secrets:\n    scopes:\n    - {storeName: s, defaultAccess: deny, allowedSecrets: [one]}\n  "
             "mtls: {}\n");
  const char *const resources[] = {"c.yaml", NULL};
  struct sidecar_options o = {.resources = resources, .config = "conf.yaml", .api_token = "tok"};
  struct sidecar *sc = open_memory(&o);
  const char *const token[] = {"dapr-api-token", "tok", NULL}, *const wrong[] = {"dapr-api-token", "tokk", NULL};
  assert_int_equal(call(sc, "POST", "/v1.0/publish/p/a", token, "1", &g), 204);
  assert_int_equal(call(sc, "POST", "/v1.0/publish/p/c", token, "1", &g), 403);
  assert_int_equal(call(sc, "POST", "/v1.0/publish/p/secret", token, "1", &g), 403);
  assert_int_equal(call(sc, "POST", "/v1.0/publish/p/a", wrong, "1", &g), 401);
  assert_int_equal(call(sc, "GET", "/v1.0/healthz", wrong, NULL, &g), 204);
  assert_int_equal(call(sc, "GET", "/v1.0/secrets/s/one", token, NULL, &g), 200);
  assert_int_equal(call(sc, "GET", "/v1.0/secrets/s/two", token, NULL, &g), 403);
  assert_int_equal(call(sc, "GET", "/v1.0/secrets/s/bulk", token, NULL, &g), 200);
  assert_string_equal(g.body, "{\"one\":{\"one\":\"1\"}}\n");
  assert_int_equal(call(sc, "GET", "/v1.0/state/elsewhere/k", token, NULL, &g), 400);
  assert_int_equal(call(sc, "GET", "/v1.0/state/st/k", token, NULL, &g), 204);
  for (int i = 0; i < 3; i++) assert_int_equal(call(sc, "PUT", "/v1.0/metadata/k", token, i ? "v" : "w", &g), 204);
  assert_int_equal(call(sc, "GET", "/v1.0/metadata", token, NULL, &g), 200);
  assert_non_null(strstr(g.body, "\"k\":\"v\""));
  minivm_dapr.close(sc);
}

static int file_call(struct sidecar *sc, const char *operation, const char *name) {
  char body[300];
  snprintf(body, sizeof body, "{\"operation\":\"%s\",\"data\":\"changed!\",\"metadata\":{\"fileName\":\"%s\"}}", operation, name);
  return call(sc, "POST", "/v1.0/bindings/files", NULL, body, &g);
}

/* No name and no link leads out of the folder. */
static void files_stay_in_their_folder(void **s) {
  (void)s;
  const char *const names[] = {"../outside.txt", "/../outside.txt", "a/../../outside.txt", "link", "up/outside.txt", "up/up/outside.txt", "./link", "abs", "..", "up"};
  assert_int_equal(mkdir("root", 0777), 0);
  assert_int_equal(symlink("../outside.txt", "root/link") | symlink("..", "root/up") | symlink("/etc/passwd", "root/abs") | mkfifo("root/fifo", 0666), 0);
  write_file("outside.txt", "outside!");
  write_file("files.yaml", "kind: Component\nmetadata: {name: files}\nspec: {type: bindings.localstorage, metadata: [{name: rootPath, value: root}]}\n");
  const char *const resources[] = {"files.yaml", NULL};
  struct sidecar_options o = {.resources = resources};
  struct sidecar *sc = open_memory(&o);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    assert_int_equal(file_call(sc, "get", names[i]), 500);
    assert_null(strstr(g.body, "outside!"));
    assert_null(strstr(g.body, "root:x:"));
  }
  assert_int_equal(file_call(sc, "list", ""), 200);
  assert_null(strstr(g.body, "outside.txt"));
  assert_int_equal(file_call(sc, "list", "up"), 500);
  assert_int_equal(file_call(sc, "create", "up/new.txt"), 500);
  assert_int_not_equal(access("new.txt", F_OK), 0);
  assert_int_equal(file_call(sc, "delete", "up/outside.txt"), 500);
  assert_int_equal(file_call(sc, "create", "link"), 200); /* in place of the link */
  assert_int_equal(file_call(sc, "get", "link"), 200);
  assert_string_equal(g.body, "changed!");
  assert_int_equal(file_call(sc, "create", "../outside.txt"), 200); /* below the folder */
  assert_int_equal(file_call(sc, "get", "fifo"), 200);              /* nobody is waited for */
  FILE *f = fopen("outside.txt", "r");
  char text[20] = "";
  assert_non_null(f);
  assert_int_equal(fread(text, 1, sizeof text - 1, f), 8);
  fclose(f);
  assert_string_equal(text, "outside!");
  minivm_dapr.close(sc);
}

/* What the Configuration file may take away. */
static void denials(void **s) {
  (void)s;
  write_file("apis.yaml", "kind: Component\nmetadata: {name: a}\nspec: {type: state.in-memory, version: v1}\n---\nkind: Component\nmetadata: {name: b}\nspec: {type: pubsub.in-memory, version: v1}\n---\n"
                          "kind: Component\nmetadata: {name: c}\nspec: {type: lock.in-memory, version: v1}\n");
  const char *const resources[] = {"apis.yaml", NULL};
  struct sidecar_options o = {.resources = resources, .config = "deny.yaml"};
  write_file("deny.yaml", "kind: Configuration\nspec:\n  components: {deny: [State.In-Memory, lock.in-memory/v1, pubsub.in-memory/v2]}\n");
  struct sidecar *sc = open_memory(&o);
  assert_int_equal(call(sc, "GET", "/v1.0/state/a/k", NULL, NULL, &g), 500); /* there is no state store */
  assert_int_equal(call(sc, "POST", "/v1.0/publish/b/t", NULL, "1", &g), 204);
  assert_int_equal(call(sc, "POST", "/v1.0-alpha1/lock/c", NULL, "{\"resourceId\":\"r\",\"lockOwner\":\"o\",\"expiryInSeconds\":9}", &g), 500);
  minivm_dapr.close(sc);
  write_file("deny.yaml", "kind: Configuration\nspec:\n  api:\n    allowed:\n    - {name: state, version: v1.0, protocol: http}\n    - {name: publish, protocol: grpc}\n    - {name: lock, version: v1.0}\n");
  sc = open_memory(&o);
  assert_int_equal(call(sc, "GET", "/v1.0/state/a/k", NULL, NULL, &g), 204);
  const char *const refused[][2] = {{"POST", "/v1.0/publish/b/t"}, {"POST", "/v1.0-alpha1/lock/c"}, {"GET", "/v1.0/metadata"}, {"GET", "/v1.0/invoke/app/method/x"}, {"GET", "//v1.0//metadata"}, {"POST", "/v1.0-alpha1/state/a/query"}};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    assert_int_equal(call(sc, refused[i][0], refused[i][1], NULL, "1", &g), 404);
    assert_non_null(strstr(g.body, "ERR_DIRECT_INVOKE"));
  }
  assert_int_equal(call(sc, "GET", "/v1.0/healthz", NULL, NULL, &g), 204);
  minivm_dapr.close(sc);
  write_file("deny.yaml", "kind: Configuration\nspec:\n  api:\n    denied: [{name: state, version: v1.0}, {name: invoke, version: v1.0}]\n");
  sc = open_memory(&o);
  assert_int_equal(call(sc, "GET", "/v1.0/state/a/k", NULL, NULL, &g), 404);
  assert_int_equal(call(sc, "POST", "/v1.0/publish/b/t", NULL, "1", &g), 204);
  const char *const id[] = {"dapr-app-id", "app", NULL};
  assert_int_equal(call(sc, "GET", "/x", id, NULL, &g), 404);
  minivm_dapr.close(sc);
}

static atomic_int at_once, at_most;

static bool slow_app(void *env, const struct http_request *r, const struct http_sink *sink, mv_error_t *err) {
  const char *const none[] = {NULL};
  (void)env, (void)r, (void)err;
  int now = atomic_fetch_add(&at_once, 1) + 1;
  if (now > atomic_load(&at_most)) atomic_store(&at_most, now);
  nanosleep(&(struct timespec){0, 20000000}, NULL);
  atomic_fetch_sub(&at_once, 1);
  return sink->head(sink->env, 200, none);
}

static void *invoke_app(void *sc) {
  struct got *mine = malloc(sizeof *mine);
  bool ok = mine && call(sc, "GET", "/v1.0/invoke/app/method/x", NULL, NULL, mine) == 200;
  free(mine);
  return ok ? sc : NULL;
}

static void an_app_in_turn(void **s) {
  (void)s;
  for (int limit = 0; limit <= 2; limit++) {
    struct sidecar_options o = {.app = slow_app, .app_max_concurrency = limit};
    struct sidecar *sc = open_memory(&o);
    pthread_t threads[6];
    atomic_store(&at_most, 0);
    for (int i = 0; i < 6; i++) assert_int_equal(pthread_create(&threads[i], NULL, invoke_app, sc), 0);
    for (int i = 0; i < 6; i++) {
      void *good;
      pthread_join(threads[i], &good);
      assert_non_null(good);
    }
    if (limit) assert_int_equal(atomic_load(&at_most), limit);
    else assert_true(atomic_load(&at_most) > 2);
    minivm_dapr.close(sc);
  }
}

/* A mistake in a file: the message names the file, the line and what to do. */
static void clear_errors(void **s) {
  (void)s;
  const char *const cases[][2] = {
      {"a: b: c", "bad.yaml:1:5: "},
      {"apiVersion: x\n", "bad.yaml:1: kind is missing: write kind: Component"},
      {"kind: Component\nspec: {type: state.in-memory}\n", "bad.yaml:1: metadata.name is missing"},
      {"kind: Component\nmetadata: {name: x}\n", "bad.yaml:1: spec.type is missing"},
      {"kind: Component\nmetadata: {name: x}\nspec:\n  type: state.etcd\n", "bad.yaml:4: component type \"state.etcd\" is not built in; known are: state.in-memory, state.sqlite, state.redis"},
      {"kind: Component\nmetadata: {name: x}\nspec:\n  type: state.redis\n", "bad.yaml:4: component x (state.redis): metadata redisHost is missing: write host:port"},
      {"kind: Component\nmetadata: {name: x}\nspec:\n  type: state.sqlite\n", "bad.yaml:4: component x (state.sqlite): metadata connectionString is missing: name a file"},
      {"kind: Component\nmetadata: {name: x}\nspec:\n  type: state.in-memory\n  metadata:\n  - name: k\n    value: [1]\n", "bad.yaml:7: the value of k must be text: put it in quotes"},
      {"kind: Component\nmetadata: {name: x}\nspec:\n  type: state.in-memory\n  metadata:\n  - value: 1\n", "bad.yaml:6: an item without a name"},
      {"kind: Component\nmetadata: {name: x}\nspec:\n  type: state.in-memory\n  metadata:\n  - name: k\n    secretKeyRef: {name: n}\n", "bad.yaml:6: secret \"n\" cannot be read: add auth: {secretStore: NAME} to the file"},
      {"kind: Component\nmetadata: {name: x}\nspec: {type: state.in-memory}\n---\nkind: Component\nmetadata: {name: x}\nspec: {type: pubsub.in-memory}\n", "bad.yaml:5: there is another component named x"},
      {"kind: Component\nmetadata: {name: x}\nspec:\n  type: secretstores.local.file\n  metadata: [{name: secretsFile, value: /nonexistent}]\n", "bad.yaml:4: component x (secretstores.local.file): cannot read /nonexistent"},
      {"kind: Subscription\nspec: {pubsubname: p}\n", "bad.yaml:1: spec.topic is missing"},
      {"kind: Component\nmetadata: {name: p}\nspec: {type: pubsub.in-memory}\n---\nkind: Subscription\nspec: {pubsubname: p, topic: t, routes: {rules: [{match: 'event.', path: /x}]}}\n", "bad.yaml:5: routing rule: "},
      {"kind: Resiliency\nspec:\n  policies:\n    retries:\n      r: {policy: linear}\n", "bad.yaml:5: retry policy \"linear\" is unknown: use constant or exponential"},
      {"kind: Resiliency\nspec:\n  policies:\n    timeouts:\n      r: soon\n", "bad.yaml:5: timeout r is no duration: write 300ms"},
      {"kind: HTTPEndpoint\nmetadata: {name: x}\nspec: {}\n", "bad.yaml:1: spec.baseUrl is missing"}};
  const char *const resources[] = {"bad.yaml", NULL};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct sidecar_options o = {.app_id = "app", .resources = resources, .log_level = DAPR_LOG_OFF};
    mv_error_t err = {0};
    write_file("bad.yaml", cases[i][0]);
    assert_null(minivm_dapr.open(&o, &err));
    if (strncmp(err.message, cases[i][1], strlen(cases[i][1])) != 0)
      fail_msg("\"%s\" does not begin with \"%s\"", err.message, cases[i][1]);
  }
}

/* A disk that is full is an error in words, and over when there is room again. */
static void full_disk(void **s) {
  (void)s;
  write_file("small.yaml",
             "kind: Component\nmetadata: {name: small}\nspec:\n  type: state.sqlite\n  metadata:\n  - name: connectionString\n    value: "
             "file:small.db?_pragma=max_page_count(24)\n");
  const char *const resources[] = {"small.yaml", NULL};
  struct sidecar_options o = {.resources = resources};
  struct sidecar *sc = open_memory(&o);
  static char body[10000];
  int status = 204, n = 0;
  for (; status == 204 && n < 100; n++) {
    int at = snprintf(body, sizeof body, "[{\"key\":\"k%d\",\"value\":\"", n);
    memset(body + at, 'x', 8000);
    strcpy(body + at + 8000, "\"}]");
    status = call(sc, "POST", "/v1.0/state/small", NULL, body, &g);
  }
  assert_int_equal(status, 500);
  assert_string_equal(
      g.body, "{\"errorCode\":\"ERR_STATE_SAVE\",\"message\":\"failed saving state in state store small: database or disk is full\"}");
  assert_int_equal(call(sc, "GET", "/v1.0/state/small/k0", NULL, NULL, &g), 200);
  assert_int_equal(call(sc, "DELETE", "/v1.0/state/small/k0", NULL, NULL, &g), 204);
  assert_int_equal(call(sc, "POST", "/v1.0/state/small", NULL, "[{\"key\":\"again\",\"value\":1}]", &g), 204);
  minivm_dapr.close(sc);
}

static bool closed_head(void *env, int status, const char *const *headers) { return (void)env, (void)status, (void)headers, false; }

static void receiver_gives_up(void **s) {
  (void)s;
  struct sidecar *sc = open_memory(NULL);
  struct http_request r = {"GET", "/v1.0/metadata", "/v1.0/metadata", NULL, NULL, 0};
  struct http_sink sink = {closed_head, got_data, &g};
  mv_error_t err = {0};
  assert_false(minivm_dapr.handle(sc, &r, &sink, &err));
  assert_int_equal(err.kind, MV_INTERRUPTED);
  minivm_dapr.close(sc);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(state),
                                     cmocka_unit_test(sqlite_survives),
                                     cmocka_unit_test(delivery),
                                     cmocka_unit_test(scopes_and_tokens),
                                     cmocka_unit_test(files_stay_in_their_folder),
                                     cmocka_unit_test(denials),
                                     cmocka_unit_test(an_app_in_turn),
                                     cmocka_unit_test(clear_errors),
                                     cmocka_unit_test(full_disk),
                                     cmocka_unit_test(receiver_gives_up)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
