/* log.c: see log.h. */
#include "log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "json.h"

static const char *const level_names[] = {"debug", "info", "warning", "error", "fatal"};

void log_init(struct log *log, const struct sidecar_options *o, const char *app_id) {
  *log = (struct log){.out = o->log ? o->log : stderr, .level = o->log_level, .json = o->log_json, .app_id = app_id};
  if (gethostname(log->instance, sizeof log->instance - 1) != 0) strcpy(log->instance, "localhost");
  pthread_mutex_init(&log->lock, NULL);
}

void log_fini(struct log *log) { pthread_mutex_destroy(&log->lock); }

static void timestamp(char out[48]) {
  struct timespec now;
  struct tm tm;
  char seconds[24];
  clock_gettime(CLOCK_REALTIME, &now);
  if (!gmtime_r(&now.tv_sec, &tm)) memset(&tm, 0, sizeof tm);
  strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &tm);
  snprintf(out, 48, "%s.%09ldZ", seconds, now.tv_nsec);
}

void log_write(struct log *log, int level, const char *scope, const char *format, ...) {
  if (level < log->level || level >= DAPR_LOG_OFF) return;
  struct buf line = {0};
  char message[2048], time[48];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  timestamp(time);
  const char *const fields[] = {"app_id", log->app_id, "instance", log->instance, "level", level_names[level],
                                "msg",    message,     "scope",    scope,         "time",  time,
                                "type",   "log",       "ver",      MINIVM_VERSION};
  const char *const order[] = {"time",   time,        "level",    level_names[level], "msg",   message,
                               "app_id", log->app_id, "instance", log->instance,      "scope", scope,
                               "type",   "log",       "ver",      MINIVM_VERSION};
  const char *const *f = log->json ? fields : order;
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i += 2) {
    bool quoted = log->json || strcmp(f[i], "time") == 0 || strcmp(f[i], "msg") == 0;
    if (log->json) buf_printf(&line, "%c\"%s\":", i ? ',' : '{', f[i]);
    else buf_printf(&line, "%s%s=", i ? " " : "", f[i]);
    if (quoted) json_quote(&line, span_of(f[i + 1]), 0);
    else buf_str(&line, f[i + 1]);
  }
  buf_str(&line, log->json ? "}\n" : "\n");
  pthread_mutex_lock(&log->lock);
  fwrite(line.p, 1, line.failed ? 0 : line.n, log->out);
  fflush(log->out);
  pthread_mutex_unlock(&log->lock);
  buf_fini(&line);
}
