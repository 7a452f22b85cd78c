/* attack.c: runs the attacks of attacks.h on the client, which is built with HTTP_TEST_DEFENCES: with all defences, without the one that a row names, and
 * without all that it names. Its arguments are the assignments that server.py prints, and a folder. */
#include <arpa/inet.h>
#include <locale.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../../http/defence.h"
#include "../../http/http.h"
#include "attacks.h"

struct attack {
  const char *name, *defences, *allowed, *dns, *method, *url, *headers, *body;
  int code;
  const char *where, *what;
};

static const struct attack attacks[] = {
#define X(...) {__VA_ARGS__},
  ATTACKS(X)
#undef X
};

struct http_test http_test;
static const char *ports[4] = {"0", "0", "0", "0"}; /* M C T S */
static const char *ca;
static bool has_ipv6;
static char seen[1 << 16]; /* what the servers and the mount were asked */

/* ---- helpers ------------------------------------------------------------------------------------------- */

static void expand(const char *text, char *out) {
  for (; *text; text++) {
    const char *letter = text[0] == '{' && text[1] && text[2] == '}' ? strchr("MCTS", text[1]) : NULL;
    if (letter) {
      out += sprintf(out, "%s", ports[letter - "MCTS"]);
      text += 2;
    } else {
      *out++ = *text;
    }
  }
  *out = 0;
}

static uint64_t bits_of(const char *names, bool all) {
  static const char *const known[] = {
#define X(id) #id,
    HTTP_DEFENCES(X)
#undef X
  };
  uint64_t bits = 0;
  char copy[256], *word;
  snprintf(copy, sizeof copy, "%s", names);
  for (word = strtok(copy, " "); word; word = all ? strtok(NULL, " ") : NULL) {
    size_t i = 0;
    while (i < sizeof known / sizeof *known && strcmp(known[i], word) != 0) i++;
    if (i == sizeof known / sizeof *known) printf("FAIL there is no defence %s\n", word), exit(1);
    bits |= (uint64_t)1 << i;
  }
  return bits;
}

static bool is_loopback(const struct sockaddr *address) {
  if (address->sa_family == AF_INET) return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 == 127;
  return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

/* No packet leaves this machine: what is not loopback becomes the canary; the public address of one row, a port where nobody listens. */
static void dial(struct sockaddr *address, unsigned size) {
  (void)size;
  if (is_loopback(address)) return;
  if (address->sa_family == AF_INET) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)address;
    bool public = ntohl(v4->sin_addr.s_addr) == 0x5db8d822;
    v4->sin_addr.s_addr = htonl(0x7f000001);
    v4->sin_port = htons(public ? 1 : (uint16_t)atoi(ports[1]));
  } else {
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)address;
    bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
    memset(&v6->sin6_addr, 0, sizeof v6->sin6_addr);
    v6->sin6_addr.s6_addr[15] = 1;
    if (mapped) inet_pton(AF_INET6, "::ffff:127.0.0.1", &v6->sin6_addr);
    v6->sin6_port = htons((uint16_t)atoi(ports[1]));
  }
}

static bool take_head(void *env, int status, const char *const *headers) {
  (void)env, (void)status, (void)headers;
  return true;
}

static bool ignore_data(void *env, const void *bytes, size_t size) {
  (void)env, (void)bytes, (void)size;
  return true;
}

static bool keep_data(void *env, const void *bytes, size_t size) {
  (void)env;
  if (strlen(seen) + size + 2 > sizeof seen) return true;
  strncat(seen, bytes, size);
  return true;
}

static bool mounted(void *env, const struct http_request *request, const struct http_sink *sink, mv_error_t *err) {
  static const char *const none[] = {NULL};
  (void)env, (void)err;
  strcat(seen, "MOUNT ");
  strcat(seen, request->path);
  strcat(seen, "\n");
  return sink->head(sink->env, 200, none);
}

/* Adds to `seen` what the servers saw since the last time. */
static void collect(void) {
  struct http_policy *policy = http_policy_new();
  struct http_options options = {0};
  struct http_request request = {.method = "GET"};
  struct http_sink sink = {take_head, keep_data, NULL};
  struct http_client *client;
  struct http_test saved = http_test;
  char url[64];
  memset(&http_test, 0, sizeof http_test);
  http_policy_allow_all(policy);
  client = http_client_new(policy, &options, NULL);
  expand("http://127.0.0.1:{M}/__hits", url);
  request.url = url;
  if (http_send(client, &request, &sink, NULL)) printf("FAIL the server does not answer\n"), exit(1);
  http_client_delete(client);
  http_policy_delete(policy);
  http_test = saved;
}

static bool was_seen(const char *where, const char *what) {
  size_t n = strlen(where);
  for (char *line = seen, *end; *line; line = end + (*end == '\n')) {
    end = line + strcspn(line, "\n");
    char last = *end, *found;
    *end = 0;
    found = !strncmp(line, where, n) && line[n] == ' ' ? strstr(line, what) : NULL;
    *end = last;
    if (found) return true;
  }
  return false;
}

/* ---- a row --------------------------------------------------------------------------------------------- */

static struct http_policy *make_policy(const char *allowed) {
  struct http_policy *policy = http_policy_new();
  char copy[256];
  expand(allowed, copy);
  for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
    const char *why;
    if (word[0] == '*') http_policy_allow_all(policy);
    if (strchr(word, '-') && strlen(word) <= 2)
      http_policy_deny_private(policy, true);
    else if (word[0] != '*' && !http_policy_allow(policy, word, &why))
      printf("FAIL %s: %s\n", word, why), exit(1);
  }
  return policy;
}

/* Sends the row's request without the defences `out`; *hit: did the attack succeed? */
static int run(const struct attack *a, uint64_t out, bool *hit, mv_error_t *err) {
  struct http_policy *policy = make_policy(a->allowed);
  struct http_options options = {.timeout_ms = 5000, .connect_timeout_ms = 2000, .max_redirects = 10, .ca_file = strcmp(a->where, "STRANGER") ? NULL : ca};
  struct http_sink sink = {take_head, ignore_data, NULL};
  struct http_client *client = http_client_new(policy, &options, NULL);
  char url[512], dns[256], headers[512], *p = headers;
  const char *list[16];
  struct http_request request = {.method = a->method, .url = url, .headers = list, .body = a->body, .body_size = strlen(a->body)};
  size_t n = 0;
  int code;
  expand(a->url, url);
  expand(a->dns, dns);
  expand(a->headers, headers);
  for (char *end; *p; p = end + 1) {
    end = strchr(p, 1);
    *end = 0;
    list[n++] = p;
  }
  list[n] = NULL;
  if (!http_client_mount(client, "http://127.0.0.1:3500", mounted, NULL)) exit(1);
  seen[0] = 0;
  collect();
  seen[0] = 0;
  http_test = (struct http_test){out, *dns ? dns : NULL, dial};
  err->message[0] = 0;
  code = (int)http_send(client, &request, &sink, err);
  http_client_delete(client);
  http_test.out = 0;
  http_policy_delete(policy);
  collect();
  *hit = was_seen(a->where, a->what);
  return code;
}

/* NULL, or what is wrong with the row. */
static const char *judge(const struct attack *a, char *why, size_t size) {
  bool hit;
  mv_error_t err;
  int code = run(a, 0, &hit, &err);
  if (code != a->code || hit) {
    snprintf(why, size, "with all defences: code %d, not %d%s: %s", code, a->code, hit ? ", and it succeeds" : "", err.message);
    return why;
  }
  code = run(a, bits_of(a->defences, false), &hit, &err);
  if (code == a->code && !hit) {
    snprintf(why, size, "without %.*s it still ends with code %d: %s", (int)strcspn(a->defences, " "), a->defences, code, err.message);
    return why;
  }
  if (hit) return NULL;
  code = run(a, bits_of(a->defences, true), &hit, &err);
  if (hit) return NULL;
  snprintf(why, size, "without %s it does not succeed: code %d: %s; seen: %.300s", a->defences, code, err.message, seen);
  return why;
}

static bool needs_ipv6(const struct attack *a) { return strchr(a->dns, '[') || strstr(a->url, "//["); }

int main(int argc, char **argv) {
  int passed = 0, failed = 0, skipped = 0;
  char proxy[64], why[1024];
  for (int i = 1; i < argc; i++) {
    static const char *const names[] = {"MAIN=", "CANARY=", "TLS=", "STRANGER="};
    for (int k = 0; k < 4; k++)
      if (!strncmp(argv[i], names[k], strlen(names[k]))) ports[k] = argv[i] + strlen(names[k]);
    if (!strncmp(argv[i], "CA=", 3)) ca = argv[i] + 3;
    if (!strncmp(argv[i], "CANARY6=", 8)) has_ipv6 = true;
  }
  expand("http://127.0.0.1:{C}", proxy);
  if (!setlocale(LC_ALL, "C.UTF-8")) setlocale(LC_ALL, ""); /* without it libcurl takes no names beyond ASCII */
  setenv("http_proxy", proxy, 1);
  setenv("ALL_PROXY", proxy, 1);
  setenv("NO_PROXY", "localhost,127.0.0.2,.test,::1", 1);
  for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
    const struct attack *a = &attacks[i];
    if ((needs_ipv6(a) && !has_ipv6) || (strstr(a->url, "https") && !ca)) {
      printf("skip: attack: %s: this machine has no %s\n", a->name, ca ? "IPv6" : "openssl");
      skipped++;
    } else if (judge(a, why, sizeof why)) {
      printf("FAIL attack: %s: %s\n", a->name, why);
      failed++;
    } else {
      printf("ok attack: %s\n", a->name);
      passed++;
    }
    fflush(stdout);
  }
  printf("attacks: %d passed, %d failed, %d skipped\n", passed, failed, skipped);
  return failed != 0;
}
