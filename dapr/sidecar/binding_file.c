/* binding_file.c: the output binding bindings.localstorage: files below a folder.
 *
 * A name is taken apart here and opened part by part without following symbolic links, so that nothing outside
 * the folder can be reached, whatever the name or the folder's content. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "sidecar.h"
#include "url.h"

enum { LIST_DEPTH = 32 };

static bool make_folder(char *path) {
  for (char *p = path + 1;; p++) {
    char c = *p;
    if (c != '/' && c != 0) continue;
    *p = 0;
    if (mkdir(path, 0777) != 0 && errno != EEXIST) return *p = c, false;
    *p = c;
    if (c == 0) return true;
  }
}

static bool open_folder(struct component *c, mv_error_t *err) {
  const char *const forbidden[] = {"/proc", "/sys", "/boot", "/var/run/secrets"};
  const char *root = component_get(c, "rootPath");
  if (!root) return component_fail(c, err, "metadata rootPath is missing: name a folder");
  char *copy = pool_str(&c->sidecar->pool, root);
  if (!copy) return report_memory(err);
  if (!make_folder(copy)) return component_fail(c, err, "cannot make the folder %s: %s", root, strerror(errno));
  char *real = realpath(copy, NULL);
  if (!real) return component_fail(c, err, "cannot open the folder %s: %s", root, strerror(errno));
  c->self = pool_str(&c->sidecar->pool, real);
  free(real);
  if (!c->self) return report_memory(err);
  for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
    size_t n = strlen(forbidden[i]);
    if (strncmp(c->self, forbidden[i], n) == 0 && (((char *)c->self)[n] == 0 || ((char *)c->self)[n] == '/'))
      return component_fail(c, err, "metadata rootPath points to a disallowed location");
  }
  return true;
}

static void close_folder(struct component *c) { (void)c; }

/* Opens the folder that holds `name` (cleaned, with a leading slash); *last is the part within it, "" for the root. -1: errno. */
static int open_parent(const char *root, struct span name, bool make, struct pool *pool, const char **last) {
  int at = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct span rest = {name.p + 1, name.n - 1};
  *last = "";
  while (at >= 0 && rest.n > 0) {
    char *part = pool_copy(pool, span_cut(&rest, '/'));
    if (!part) return close(at), errno = ENOMEM, -1;
    if (rest.n == 0) return *last = part, at;
    if (make && mkdirat(at, part, 0777) != 0 && errno != EEXIST) return close(at), -1;
    int next = openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    close(at);
    at = next;
  }
  return at;
}

static bool explain(struct buf *why, const char *what, const char *path) {
  buf_printf(why, "%s %s: %s", what, path, strerror(errno));
  return false;
}

/* Text that Go's strconv.Unquote takes is unquoted, and what then is base64 is decoded. */
static struct span content(struct binding_call *call) {
  struct json v;
  struct buf bytes = {0}, unused = {0};
  struct span data = call->data;
  if (json_check_all(data, &v, &unused) && json_kind(v) == JSON_STRING) data = json_text(call->pool, v);
  buf_fini(&unused);
  if (data.p && data.n && base64_decode(&bytes, data)) data = (struct span){pool_copy(call->pool, buf_view(&bytes)), bytes.n};
  buf_fini(&bytes);
  return data;
}

/* Written beside and moved into place, so that a full disk leaves the old file. */
static bool write_file(int at, const char *name, struct span data) {
  char temporary[64];
  snprintf(temporary, sizeof temporary, ".%ld-%p.tmp", (long)getpid(), (void *)&data);
  int fd = openat(at, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd < 0) return false;
  bool ok = true;
  for (size_t done = 0; ok && done < data.n;) {
    ssize_t n = write(fd, data.p + done, data.n - done);
    ok = n > 0 || (n < 0 && errno == EINTR);
    if (n > 0) done += (size_t)n;
  }
  if (close(fd) != 0) ok = false;
  if (ok && renameat(at, temporary, at, name) == 0) return true;
  int saved = errno;
  unlinkat(at, temporary, 0);
  errno = saved;
  return false;
}

static bool create(struct binding_call *call, const char *root, struct span name, const char *path, struct buf *why) {
  const char *last;
  struct span data = content(call);
  int at = data.p ? open_parent(root, name, true, call->pool, &last) : -1;
  bool ok = at >= 0 && *last && write_file(at, last, data);
  if (!ok) explain(why, "error creating file", path);
  if (at >= 0) close(at);
  if (!ok) return false;
  call->answered = true;
  buf_str(&call->out, "{\"fileName\":");
  json_quote(&call->out, (struct span){name.p + 1, name.n - 1}, JSON_HTML);
  buf_char(&call->out, '}');
  return !call->out.failed;
}

static bool get(struct binding_call *call, const char *root, struct span name, const char *path, struct buf *why) {
  const char *last;
  char block[16384];
  ssize_t n = -1;
  int at = open_parent(root, name, false, call->pool, &last),
      fd = at >= 0 && *last ? openat(at, last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
  if (fd >= 0) {
    while ((n = read(fd, block, sizeof block)) > 0) buf_put(&call->out, block, (size_t)n);
  } else if (errno == ENOENT) {
    buf_printf(why, "file not found: %s", path);
  }
  bool ok = fd >= 0 && n == 0 && !call->out.failed;
  if (!ok && why->n == 0) explain(why, "error reading file", path);
  if (fd >= 0) close(fd);
  if (at >= 0) close(at);
  return call->answered = ok;
}

static bool erase(struct binding_call *call, const char *root, struct span name, const char *path, struct buf *why) {
  const char *last;
  int at = open_parent(root, name, false, call->pool, &last);
  bool ok = at >= 0 && *last && unlinkat(at, last, 0) == 0;
  if (!ok) explain(why, "error deleting file", path);
  if (at >= 0) close(at);
  return ok;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Takes over the descriptor. Files in the order of a sorted walk. */
static bool walk(struct binding_call *call, int fd, const char *path, int depth) {
  DIR *dir = fdopendir(fd);
  char **names = NULL;
  size_t n = 0;
  bool ok = dir && depth < LIST_DEPTH;
  if (!dir) close(fd);
  for (struct dirent *e; ok && (e = readdir(dir));) {
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    names = pool_grow(call->pool, names, n, sizeof *names);
    ok = names && (names[n++] = pool_str(call->pool, e->d_name));
  }
  if (ok && n) qsort(names, n, sizeof *names, by_name);
  for (size_t i = 0; ok && i < n; i++) {
    char *full = pool_printf(call->pool, "%s/%s", path, names[i]);
    int sub = openat(dirfd(dir), names[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (!(ok = full != NULL)) break;
    if (sub >= 0) {
      ok = walk(call, sub, full, depth + 1);
      continue;
    }
    buf_char(&call->out, call->out.n ? ',' : '[');
    json_quote(&call->out, span_of(full), JSON_HTML);
  }
  if (dir) closedir(dir);
  return ok;
}

static bool list(struct binding_call *call, const char *root, struct span name, const char *path, struct buf *why) {
  const char *last;
  int at = open_parent(root, name, false, call->pool, &last), fd = at;
  if (at >= 0 && *last) {
    fd = openat(at, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    close(at);
  }
  if (fd < 0 && errno == ENOTDIR) return buf_printf(why, "unable to list files as the file specified is not a directory: %s", path), false;
  if (fd < 0) return explain(why, "error getting stats for path", path);
  if (!walk(call, fd, path, 0)) return explain(why, "error listing files in the directory", path);
  buf_str(&call->out, call->out.n ? "]" : "null");
  return call->answered = !call->out.failed;
}

static bool invoke_binding(struct component *c, struct binding_call *call, struct buf *why) {
  const char *root = c->self, *file = properties_get(&call->metadata, "fileName");
  char uuid[UUID_SIZE];
  if (!file || !*file) {
    random_uuid(&c->sidecar->random, uuid);
    file = strcmp(call->operation, "create") == 0 ? uuid : "";
  }
  struct span name = url_clean(call->pool, span_of(file));
  const char *path = name.p ? pool_printf(call->pool, "%s%s", root, name.n > 1 ? name.p : "") : NULL;
  if (!path) return buf_str(why, "out of memory"), false;
  if (strcmp(call->operation, "create") == 0) return create(call, root, name, path, why);
  if (strcmp(call->operation, "get") == 0) return get(call, root, name, path, why);
  if (strcmp(call->operation, "list") == 0) return list(call, root, name, path, why);
  return erase(call, root, name, path, why);
}

static const struct binding_ops ops = {"create get list delete", invoke_binding};

const struct component_type binding_file_type = {BINDING, "bindings.localstorage", "\"OUTPUT_BINDING\"", &ops, open_folder, close_folder};
