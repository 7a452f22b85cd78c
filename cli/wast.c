/* wast.c: `minivm wast`: finds the scripts, runs each in a process of its own, several at a time, and adds up. A script that crashes or hangs its
 * process is one failure. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "wast.h"

/* What each folder of the suite asserts, on top of the final Wasm 3.0 set. The first row whose folders occur in a path is taken. */
static const struct { const char *folders, *features; } feature_table[] = {
    {"legacy", "legacy-exceptions"},
    {"proposals/threads", "threads,-multi-memory,-multi-table,-memory64"}, /* it is older than these, and asserts their absence */
    {"threads", "threads"},
    {"proposals/custom-page-sizes", "custom-page-sizes"},
    {"proposals/custom-descriptors", "custom-descriptors"},
    {"proposals/wide-arithmetic", "wide-arithmetic"},
    {"compact-imports", "compact-imports"},
};

struct state {
  const char *features, *junit, *extract;
  uint32_t jobs, timeout;
  uint64_t mutate, seed;
  bool no_fusion, gc_stress, eager, precompile, verbose, roundtrip;
};

static const struct option options[] = {
    {"jobs", "N", "run N scripts at a time (also -j N); default: as many as there are processors", set_count32, offsetof(struct state, jobs)},
    {"j", "N", NULL, set_count32, offsetof(struct state, jobs)},
    {"features", "LIST", "change the set of features that the folder gives: threads,-gc,all,none ...", set_text, offsetof(struct state, features)},
    {"junit", "FILE", "write the results as JUnit XML", set_text, offsetof(struct state, junit)},
    {"timeout", "SECONDS", "end a script that takes longer; default 120", set_limit32, offsetof(struct state, timeout)},
    {"verbose", NULL, "list every script", set_flag, offsetof(struct state, verbose)},
    {"no-fusion", NULL, "translate without superinstructions", set_flag, offsetof(struct state, no_fusion)},
    {"gc-stress", NULL, "collect garbage at every allocation", set_flag, offsetof(struct state, gc_stress)},
    {"eager", NULL, "translate all functions at load", set_flag, offsetof(struct state, eager)},
    {"precompile", NULL, "precompile each module in another engine, and run what came of that", set_flag, offsetof(struct state, precompile)},
    {NULL, NULL, "instead of running the scripts", NULL, 0},
    {"roundtrip", NULL, "print each module as text, read it back and compare", set_flag, offsetof(struct state, roundtrip)},
    {"extract", "FOLDER", "write each text or binary module of the one script to FOLDER/0.wasm, 1.wasm ...", set_text, offsetof(struct state, extract)},
    {"mutate", "N", "damage each script N times, and parse, validate and print what is left of it", set_count, offsetof(struct state, mutate)},
    {"seed", "N", "of the damages; default 1", set_count, offsetof(struct state, seed)},
    {NULL, NULL, NULL, NULL, 0},
};

const struct command command_wast = {
    "wast", "wast [OPTIONS] FILE|FOLDER...", "Runs test scripts, such as those of the official suite.",
    "A failure is printed as FILE:LINE, what was expected, and what came instead. The last line is the sum.\n"
    "Exit status 0 when everything passed, 1 when not, 2 for wrong usage.\n",
    options, cmd_wast};

/* ---- scripts ------------------------------------------------------------------------------------------- */

/* How a file's process is doing. */
struct script {
  char *path;
  size_t size;
  pid_t pid;
  int pipe; /* what it writes; -1: not running */
  double started, seconds;
  struct wast_result result;
  char *text; /* its failures, one a line */
  size_t text_size;
  bool finished; /* it reported its result */
};

struct suite {
  struct state state;
  struct script *scripts;
  size_t n, cap;
  volatile uint32_t *lines; /* shared with the processes: where each is */
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool out_of_memory(void) {
  report(mv_kind_name(MV_NO_MEMORY), "no memory for the list of scripts");
  return false;
}

static char *join(const char *folder, const char *name) {
  size_t n = strlen(folder);
  char *path = malloc(n + strlen(name) + 2);
  if (path) sprintf(path, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name);
  return path;
}

static bool add_script(struct suite *s, const char *path, size_t size) {
  if (s->n == s->cap) {
    size_t cap = s->cap ? s->cap * 2 : 64;
    struct script *more = realloc(s->scripts, cap * sizeof *more);
    if (!more) return out_of_memory();
    s->scripts = more;
    s->cap = cap;
  }
  char *copy = malloc(strlen(path) + 1);
  if (!copy) return out_of_memory();
  s->scripts[s->n++] = (struct script){.path = strcpy(copy, path), .size = size, .pipe = -1};
  return true;
}

static bool add_path(struct suite *s, const char *path, bool named);

static bool add_folder(struct suite *s, const char *path) {
  DIR *d = opendir(path);
  if (!d) {
    report("unreadable folder", "%s: %s", path, strerror(errno));
    return false;
  }
  bool ok = true;
  for (struct dirent *e; ok && (e = readdir(d)) != NULL;) {
    if (e->d_name[0] == '.') continue;
    char *inner = join(path, e->d_name);
    ok = inner ? add_path(s, inner, false) : out_of_memory();
    free(inner);
  }
  closedir(d);
  return ok;
}

/* A script, or the scripts below a folder. `named`: by the user, who is told when there is nothing. */
static bool add_path(struct suite *s, const char *path, bool named) {
  struct stat st;
  bool script = has_suffix(path, ".wast");
  if ((named || script ? stat(path, &st) : lstat(path, &st)) != 0) { /* links to folders may go round in circles */
    report("unreadable script", "%s: %s", path, strerror(errno));
    return false;
  }
  if (S_ISDIR(st.st_mode)) return add_folder(s, path);
  return (!named && !script) || add_script(s, path, (size_t)st.st_size);
}

static int by_path(const void *a, const void *b) { return strcmp(((const struct script *)a)->path, ((const struct script *)b)->path); }

/* The length of a path's folder. */
static int folder_size(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? (int)(slash - path) : 0;
}

/* Are `folders` among the folders of this path? */
static bool lies_in(const char *path, const char *folders) {
  size_t n = strlen(folders);
  for (const char *p = path; (p = strstr(p, folders)) != NULL; p++)
    if ((p == path || p[-1] == '/') && p[n] == '/') return true;
  return false;
}

static bool script_features(const struct state *state, const char *path, mv_features_t *features) {
  const char *bad;
  *features = mv_features_default();
  for (size_t i = 0; i < sizeof feature_table / sizeof *feature_table; i++) {
    if (!lies_in(path, feature_table[i].folders)) continue;
    if (!mv_features_parse(feature_table[i].features, features, &bad)) return false;
    break;
  }
  return !state->features || mv_features_parse(state->features, features, &bad);
}

/* ---- one process --------------------------------------------------------------------------------------- */

/* What a process writes: failures, each a head and its text, and at last a head of zero length with the result. */
struct head {
  uint32_t line, size;
};

static void write_all(int fd, const void *bytes, size_t n) {
  for (const char *p = bytes; n > 0;) {
    ssize_t w = write(fd, p, n);
    if (w < 0 && errno == EINTR) continue;
    if (w <= 0) _exit(EXIT_MODULE);
    p += w;
    n -= (size_t)w;
  }
}

static void send_failure(void *env, uint32_t line, const char *text) {
  struct head h = {line, (uint32_t)strlen(text)};
  if (h.size == 0) h.size = 1, text = "?";
  write_all(*(int *)env, &h, sizeof h);
  write_all(*(int *)env, text, h.size);
}

static char *read_file(const char *path, size_t *size) {
  FILE *f = fopen(path, "rb");
  if (!f) return NULL;
  size_t cap = *size + 1;
  char *text = malloc(cap);
  *size = 0;
  for (size_t n; text && (n = fread(text + *size, 1, cap - *size, f)) > 0;) {
    *size += n;
    if (*size < cap) continue;
    char *more = realloc(text, cap *= 2);
    if (!more) free(text);
    text = more;
  }
  fclose(f);
  return text;
}

static void run_script(const struct suite *s, size_t index, int fd) {
  const struct script *x = &s->scripts[index];
  const struct state *state = &s->state;
  struct wast_options o = {.engine = {.no_fusion = state->no_fusion, .gc_stress = state->gc_stress, .eager = state->eager}, .precompile = state->precompile,
                           .line = &s->lines[index], .extract = state->extract, .mutate = state->mutate, .seed = state->seed};
  wast_fn *run = state->roundtrip ? wast_roundtrip : state->mutate ? wast_mutate : state->extract ? wast_extract : wast_run;
  struct wast_result result = {.failures = 1};
  struct head end = {0, 0};
  size_t size = x->size;
  char *text = read_file(x->path, &size);
  if (!text) send_failure(&fd, 0, strerror(errno));
  else if (!script_features(&s->state, x->path, &o.engine.features)) send_failure(&fd, 0, "unknown feature");
  else result = run(text, size, &o, send_failure, &fd);
  free(text);
  write_all(fd, &end, sizeof end);
  write_all(fd, &result, sizeof result);
}

static void add_failure(struct script *x, uint32_t line, const char *text, size_t size) {
  char *more = realloc(x->text, x->text_size + strlen(x->path) + 3 * size + 32);
  if (!more) return;
  x->text = more;
  more += x->text_size;
  more += sprintf(more, "%s:%u: ", x->path, (unsigned)line);
  mv_visible(text, size, more, 3 * size + 1);
  strcat(more, "\n");
  x->text_size = (size_t)(more - x->text) + strlen(more);
}

/* Reads exactly n bytes; false at the end of the pipe. */
static bool read_exactly(int fd, void *to, size_t n) {
  for (char *p = to; n > 0;) {
    ssize_t r = read(fd, p, n);
    if (r < 0 && errno == EINTR) continue;
    if (r <= 0) return false;
    p += r;
    n -= (size_t)r;
  }
  return true;
}

/* Takes one message of a process. false: there are no more. */
static bool receive(struct script *x) {
  struct head h;
  char text[4096];
  if (!read_exactly(x->pipe, &h, sizeof h)) return false;
  if (h.size == 0) {
    x->finished = read_exactly(x->pipe, &x->result, sizeof x->result);
    return false;
  }
  if (h.size >= sizeof text || !read_exactly(x->pipe, text, h.size)) return false;
  add_failure(x, h.line, text, h.size);
  return true;
}

static void start(struct suite *s, size_t index) {
  struct script *x = &s->scripts[index];
  int fds[2];
  x->started = now();
  fflush(NULL);
  if (pipe(fds) != 0 || (x->pid = fork()) < 0) {
    add_failure(x, 0, strerror(errno), strlen(strerror(errno)));
    x->result.failures = 1;
    x->finished = true;
    return;
  }
  if (x->pid == 0) {
    close(fds[0]);
    for (size_t i = 0; i < s->n; i++)
      if (s->scripts[i].pipe >= 0) close(s->scripts[i].pipe);
    run_script(s, index, fds[1]);
    close(fds[1]);
    exit(EXIT_OK); /* not _exit: a leak checker wants its say */
  }
  close(fds[1]);
  x->pipe = fds[0];
}

/* The process has said all it will. */
static void finish(struct suite *s, size_t index, bool timed_out) {
  struct script *x = &s->scripts[index];
  char why[160] = "";
  int status = 0;
  if (timed_out) kill(x->pid, SIGKILL);
  close(x->pipe);
  x->pipe = -1;
  while (waitpid(x->pid, &status, 0) < 0 && errno == EINTR) continue;
  x->seconds = now() - x->started;
  if (timed_out) snprintf(why, sizeof why, "not done after %u seconds", (unsigned)s->state.timeout);
  else if (WIFSIGNALED(status)) snprintf(why, sizeof why, "crashed: %s", strsignal(WTERMSIG(status)));
  else if (WEXITSTATUS(status) != 0 || !x->finished) snprintf(why, sizeof why, "ended with status %d", WEXITSTATUS(status));
  if (!why[0]) return;
  add_failure(x, s->lines[index], why, strlen(why));
  x->result.failures++;
}

/* ---- all of them --------------------------------------------------------------------------------------- */

/* The largest script that waits; s->n: none does. */
static size_t next_script(const struct suite *s) {
  size_t best = s->n;
  for (size_t i = 0; i < s->n; i++)
    if (s->scripts[i].started == 0 && (best == s->n || s->scripts[i].size > s->scripts[best].size)) best = i;
  return best;
}

static void wait_some(struct suite *s, struct pollfd *fds, size_t *index, size_t running) {
  size_t n = 0;
  for (size_t i = 0; i < s->n && n < running; i++) {
    if (s->scripts[i].pipe < 0) continue;
    index[n] = i;
    fds[n++] = (struct pollfd){.fd = s->scripts[i].pipe, .events = POLLIN};
  }
  if (poll(fds, (nfds_t)n, 200) < 0) return;
  for (size_t i = 0; i < n; i++) {
    struct script *x = &s->scripts[index[i]];
    bool timed_out = now() - x->started > s->state.timeout;
    if (timed_out || (fds[i].revents && !receive(x))) finish(s, index[i], timed_out);
  }
}

static bool run_all(struct suite *s) {
  size_t jobs = s->state.jobs < s->n ? s->state.jobs : s->n, running = 0;
  struct pollfd *fds = calloc(jobs, sizeof *fds);
  size_t *index = calloc(jobs, sizeof *index);
  if (!fds || !index) {
    free(fds);
    free(index);
    return out_of_memory();
  }
  for (;;) {
    for (size_t i = next_script(s); running < jobs && i < s->n; i = next_script(s)) {
      start(s, i);
      running++;
    }
    if (running == 0) break;
    wait_some(s, fds, index, running);
    running = 0;
    for (size_t i = 0; i < s->n; i++) running += s->scripts[i].pipe >= 0;
  }
  free(fds);
  free(index);
  return true;
}

/* ---- results ------------------------------------------------------------------------------------------- */

struct sum {
  size_t files, passed_files, commands, assertions, failures;
  double seconds;
};

static void sum_add(struct sum *sum, const struct script *x) {
  sum->files++;
  sum->passed_files += x->result.failures == 0;
  sum->commands += x->result.commands;
  sum->assertions += x->result.assertions;
  sum->failures += x->result.failures;
  sum->seconds += x->seconds;
}

static void print_row(const char *name, int size, const struct sum *sum) {
  printf("%-44.*s %4zu/%-4zu %9zu %11zu %8zu\n", size, name, sum->passed_files, sum->files, sum->commands, sum->assertions, sum->failures);
}

static size_t folder_end(const struct suite *s, size_t first, struct sum *sum) {
  int n = folder_size(s->scripts[first].path);
  size_t i = first;
  *sum = (struct sum){0};
  for (; i < s->n && folder_size(s->scripts[i].path) == n && !strncmp(s->scripts[i].path, s->scripts[first].path, (size_t)n); i++)
    sum_add(sum, &s->scripts[i]);
  return i;
}

/* By folder, for paths are sorted so that a folder's files come together. */
static int by_folder(const void *a, const void *b) {
  const struct script *x = a, *y = b;
  int n = folder_size(x->path), m = folder_size(y->path), order = strncmp(x->path, y->path, (size_t)(n < m ? n : m));
  if (order == 0) order = n - m;
  return order ? order : by_path(a, b);
}

/* The length of the folders that all paths begin with, but for the last of them, which tells what the suite is. */
static int common_folders(const struct suite *s) {
  const char *first = s->scripts[0].path;
  int n = folder_size(first);
  for (size_t i = 1; i < s->n; i++) {
    int k = 0, m = folder_size(s->scripts[i].path);
    while (k < n && k < m && first[k] == s->scripts[i].path[k]) k++;
    if (k < n && !(k == m && first[k] == '/')) /* differs within a name: back to where the name begins */
      while (k > 0 && first[k - 1] != '/') k--;
    n = k;
  }
  if (n > 0 && first[n - 1] == '/') return n;
  while (n > 0 && first[n - 1] != '/') n--;
  return n;
}

static struct sum print_results(const struct suite *s) {
  struct sum all = {0}, sum;
  for (size_t i = 0; i < s->n; i++) {
    const struct script *x = &s->scripts[i];
    if (s->state.verbose) printf("%s %s (%u commands, %.2f s)\n", x->result.failures ? "FAIL" : "ok", x->path, (unsigned)x->result.commands, x->seconds);
    if (x->text) fwrite(x->text, 1, x->text_size, stdout);
    sum_add(&all, x);
  }
  int cut = common_folders(s);
  printf("%-44s %9s %9s %11s %8s\n", "folder", "files", "commands", "assertions", "failed");
  for (size_t i = 0, end; i < s->n; i = end) {
    const char *path = s->scripts[i].path;
    int n = folder_size(path);
    end = folder_end(s, i, &sum);
    print_row(n > cut ? path + cut : ".", n > cut ? n - cut : 1, &sum);
  }
  print_row("all", 3, &all);
  return all;
}

static void put_xml(FILE *out, const char *text, size_t n) {
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '<') fputs("&lt;", out);
    else if (c == '&') fputs("&amp;", out);
    else if (c == '"') fputs("&quot;", out);
    else putc(c >= 0x20 || c == '\n' || c == '\t' ? c : '?', out);
  }
}

static bool write_junit(const struct suite *s) {
  FILE *out = fopen(s->state.junit, "w");
  if (!out) {
    report("unwritable file", "%s: %s", s->state.junit, strerror(errno));
    return false;
  }
  fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", out);
  for (size_t i = 0, end; i < s->n; i = end) {
    struct sum sum;
    int n = folder_size(s->scripts[i].path);
    end = folder_end(s, i, &sum);
    fputs("<testsuite name=\"", out);
    put_xml(out, s->scripts[i].path, (size_t)n);
    fprintf(out, "\" tests=\"%zu\" failures=\"%zu\" time=\"%.3f\">\n", sum.files, sum.files - sum.passed_files, sum.seconds);
    for (; i < end; i++) {
      const struct script *x = &s->scripts[i];
      fputs("<testcase classname=\"", out);
      put_xml(out, x->path, (size_t)n);
      fputs("\" name=\"", out);
      put_xml(out, x->path + n + (n > 0), strlen(x->path) - (size_t)(n + (n > 0)));
      fprintf(out, "\" time=\"%.3f\">", x->seconds);
      if (x->result.failures) {
        fprintf(out, "<failure message=\"%u failed\">", (unsigned)x->result.failures);
        put_xml(out, x->text ? x->text : "", x->text_size);
        fputs("</failure>", out);
      }
      fputs("</testcase>\n", out);
    }
    fputs("</testsuite>\n", out);
  }
  fputs("</testsuites>\n", out);
  if (fclose(out) == 0) return true;
  report("unwritable file", "%s: %s", s->state.junit, strerror(errno));
  return false;
}

/* ---- the command --------------------------------------------------------------------------------------- */

static int run_suite(struct suite *s) {
  qsort(s->scripts, s->n, sizeof *s->scripts, by_folder);
  s->lines = mmap(NULL, s->n * sizeof *s->lines, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (s->lines == MAP_FAILED || !run_all(s)) return EXIT_MODULE;
  struct sum all = print_results(s);
  bool written = !s->state.junit || write_junit(s), ok = written && all.failures == 0;
  printf("%zu passed, %zu failed\n", all.assertions, all.failures);
  munmap((void *)(uintptr_t)s->lines, s->n * sizeof *s->lines);
  return finish_output(ok ? EXIT_OK : EXIT_MODULE);
}

static int check_usage(const struct suite *s) {
  mv_features_t features = 0;
  const char *bad;
  if (s->state.features && !mv_features_parse(s->state.features, &features, &bad)) return report_usage("wast", "unknown feature %s", bad);
  if (s->n == 0) return report_usage("wast", "no script given, or none found");
  if (s->state.roundtrip + (s->state.extract != NULL) + (s->state.mutate != 0) > 1)
    return report_usage("wast", "--roundtrip, --extract and --mutate exclude each other");
  if (s->state.extract && s->n != 1) return report_usage("wast", "--extract takes one script");
  return EXIT_OK;
}

int cmd_wast(int argc, char **argv) {
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  struct suite s = {.state = {.timeout = 120, .seed = 1}};
  int status = EXIT_OK, i = options_parse(&command_wast, &s.state, argc, argv, &status);
  if (i < 0) return status;
  if (s.state.jobs == 0) s.state.jobs = processors > 0 ? (uint32_t)processors : 1;
  bool ok = true;
  for (; ok && i < argc; i++) ok = add_path(&s, argv[i], true);
  status = ok ? check_usage(&s) : EXIT_USAGE;
  if (status == EXIT_OK) status = run_suite(&s);
  for (size_t k = 0; k < s.n; k++) {
    free(s.scripts[k].path);
    free(s.scripts[k].text);
  }
  free(s.scripts);
  return status;
}
