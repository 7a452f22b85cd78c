/* state_sqlite.c: the state store state.sqlite, with the tables of Dapr's own, so that either opens the other's file.
 *
 * The file is in WAL mode with synchronous=NORMAL: an answered write is in the file's log when the answer goes out, so that
 * the death of this process (kill -9 included) loses nothing. A power failure may cost the last writes but never the
 * file's integrity; metadata `synchronous: FULL` pays an fsync for each write to exclude that too. One connection
 * under a lock: SQLite has one writer anyway, and reads from its page cache take microseconds. */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "clock.h"
#include "json.h"
#include "sidecar.h"
#include "url.h"

enum { SQL_GET, SQL_ETAG, SQL_SET, SQL_DELETE, SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK, SQL_CLEAN, SQL_COUNT };

static const char *const statements[SQL_COUNT] = {
    "SELECT value, is_binary, etag, CAST(strftime('%%s', expiration_time) AS INTEGER) FROM \"%w\""
    " WHERE key = ?1 AND (expiration_time IS NULL OR expiration_time > datetime('now'))",
    "SELECT etag FROM \"%w\" WHERE key = ?1 AND (expiration_time IS NULL OR expiration_time > datetime('now'))",
    "REPLACE INTO \"%w\" (key, value, is_binary, etag, update_time, expiration_time)"
    " VALUES (?1, ?2, 0, ?3, CURRENT_TIMESTAMP, CASE WHEN ?4 > 0 THEN datetime('now', '+' || ?4 || ' seconds') END)",
    "DELETE FROM \"%w\" WHERE key = ?1",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "ROLLBACK",
    "DELETE FROM \"%w\" WHERE expiration_time < datetime('now')"};

struct store {
  pthread_mutex_t lock;
  sqlite3 *db;
  sqlite3_stmt *sql[SQL_COUNT];
  int64_t clean_every_ms, cleaned_ms;
};

static void close_store(struct component *c) {
  struct store *s = c->self;
  if (!s) return;
  for (size_t i = 0; i < SQL_COUNT; i++) sqlite3_finalize(s->sql[i]);
  sqlite3_close(s->db);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

static bool execute(const struct component *c, mv_error_t *err, char *sql) {
  const struct store *s = c->self;
  bool ok = sql && sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK;
  if (!ok) component_fail(c, err, "%s (in: %.200s)", sqlite3_errmsg(s->db), sql ? sql : "");
  sqlite3_free(sql);
  return ok;
}

/* Folders above a file. */
static void make_folders(char *path) {
  for (char *p = path + 1; *p; p++) {
    if (*p != '/') continue;
    *p = 0;
    mkdir(path, 0777);
    *p = '/';
  }
}

/* "file:path?_pragma=name(value)&...", "path" or ":memory:"; *pragmas is what follows the question mark. */
static bool open_file(struct component *c, struct span *pragmas, mv_error_t *err) {
  struct store *s = c->self;
  const char *connection = component_get(c, "connectionString");
  int64_t busy = 2000;
  struct stat st;
  if (!connection) connection = component_get(c, "url");
  if (!connection) return component_fail(c, err, "metadata connectionString is missing: name a file");
  *pragmas = span_of(connection);
  if (span_starts(*pragmas, "file:")) pragmas->p += 5, pragmas->n -= 5;
  char *path = pool_copy(&c->sidecar->pool, span_cut(pragmas, '?'));
  if (!path) return report_memory(err);
  if (strcmp(path, ":memory:") != 0) make_folders(path);
  int code = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
  if (code != SQLITE_OK) return component_fail(c, err, "cannot open %s: %s", path, s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code));
  if (!component_duration(c, "busyTimeout", 1, &busy, err)) return false;
  sqlite3_busy_timeout(s->db, (int)busy);
  /* A new file is made without waiting for the disk, which would take most of a first start; there is nothing in it yet. */
  if ((stat(path, &st) != 0 || st.st_size == 0) && !execute(c, err, sqlite3_mprintf("PRAGMA synchronous = OFF"))) return false;
  return text_true(component_get(c, "disableWAL")) || execute(c, err, sqlite3_mprintf("PRAGMA journal_mode = WAL"));
}

static bool set_pragmas(struct component *c, struct span pragmas, mv_error_t *err) {
  const char *synchronous = component_get(c, "synchronous");
  struct span name, value;
  if (!synchronous) synchronous = "NORMAL";
  if (strcasecmp(synchronous, "FULL") != 0 && strcasecmp(synchronous, "NORMAL") != 0 && strcasecmp(synchronous, "EXTRA") != 0)
    return component_fail(c, err, "metadata synchronous: \"%s\" is unknown: use NORMAL, FULL or EXTRA", synchronous);
  if (!execute(c, err, sqlite3_mprintf("PRAGMA synchronous = %s", synchronous))) return false;
  while (url_query_next(&c->sidecar->pool, &pragmas, &name, &value)) {
    if (!span_is(name, "_pragma")) continue;
    if (strspn(value.p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_()=-") != value.n)
      return component_fail(c, err, "connectionString: _pragma=%s is not allowed", value.p);
    if (!execute(c, err, sqlite3_mprintf("PRAGMA %s", value.p))) return false;
  }
  return true;
}

static bool make_tables(struct component *c, const char *table, mv_error_t *err) {
  const char *meta = component_get(c, "metadataTableName");
  if (!meta) meta = "metadata";
  return execute(c, err, sqlite3_mprintf("BEGIN IMMEDIATE;"
                                         "CREATE TABLE IF NOT EXISTS \"%w\" (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);"
                                         "CREATE TABLE IF NOT EXISTS \"%w\" (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL,"
                                         " is_binary BOOLEAN NOT NULL,"
                                         " etag TEXT NOT NULL, expiration_time TIMESTAMP DEFAULT NULL,"
                                         " update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);"
                                         "INSERT OR IGNORE INTO \"%w\" VALUES ('migrations', '1');"
                                         "COMMIT",
                                         meta, table, meta));
}

static bool open_store(struct component *c, mv_error_t *err) {
  struct store *s = calloc(1, sizeof *s);
  const char *table = component_get(c, "tableName");
  if (!s) return report_memory(err);
  c->self = s;
  pthread_mutex_init(&s->lock, NULL);
  struct span pragmas;
  if (!component_duration(c, "cleanupInterval", 1, &s->clean_every_ms, err) || !open_file(c, &pragmas, err)) return false;
  if (!make_tables(c, table ? table : "state", err) || !set_pragmas(c, pragmas, err)) return false;
  for (size_t i = 0; i < SQL_COUNT; i++) {
    char *sql = sqlite3_mprintf(statements[i], table ? table : "state");
    int code = sql ? sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->sql[i], NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    if (code != SQLITE_OK) return component_fail(c, err, "%s", sqlite3_errmsg(s->db));
  }
  s->cleaned_ms = clock_wall_ms();
  return true;
}

static void bind(sqlite3_stmt *sql, int at, struct span text) { sqlite3_bind_text64(sql, at, text.p, text.n, SQLITE_STATIC, SQLITE_UTF8); }

/* Runs a statement that gives no rows. */
static bool run(struct store *s, int which) {
  sqlite3_stmt *sql = s->sql[which];
  bool ok = sqlite3_step(sql) == SQLITE_DONE;
  sqlite3_reset(sql);
  return ok;
}

static enum state_status check_etag(struct store *s, const struct state_write *w, struct buf *why) {
  if (!w->has_etag && w->concurrency.n == 0) return STATE_OK;
  sqlite3_stmt *sql = s->sql[SQL_ETAG];
  bind(sql, 1, w->key);
  int code = sqlite3_step(sql);
  enum state_status status = STATE_FAILED;
  if (code == SQLITE_ROW || code == SQLITE_DONE)
    status = state_check_etag(w, code == SQLITE_ROW, code == SQLITE_ROW ? span_of((const char *)sqlite3_column_text(sql, 0)) : SPAN(""),
                              why);
  sqlite3_reset(sql);
  return status;
}

static bool apply(struct component *c, const struct state_write *w, int64_t seconds) {
  struct store *s = c->self;
  int which = w->remove ? SQL_DELETE : SQL_SET;
  char etag[UUID_SIZE];
  bind(s->sql[which], 1, w->key);
  if (!w->remove) {
    random_uuid(&c->sidecar->random, etag);
    bind(s->sql[which], 2, w->value);
    bind(s->sql[which], 3, span_of(etag));
    sqlite3_bind_int64(s->sql[which], 4, seconds);
  }
  return run(s, which);
}

static void clean_sometimes(struct store *s) {
  int64_t now = clock_wall_ms();
  if (s->clean_every_ms <= 0 || now - s->cleaned_ms < s->clean_every_ms) return;
  s->cleaned_ms = now;
  run(s, SQL_CLEAN);
}

/* All or none. One write without conditions is a transaction by itself. */
static enum state_status write_all(struct component *c, const struct state_write *w, size_t n, struct buf *why) {
  struct store *s = c->self;
  enum state_status status = STATE_OK;
  int64_t seconds = 0;
  for (size_t i = 0; i < n && status == STATE_OK; i++) {
    status = state_check_options(&w[i], why);
    if (status == STATE_OK && !w[i].remove) status = state_check_ttl(w[i].ttl, "Atoi", &seconds, why);
  }
  if (status != STATE_OK) return status;
  bool alone = n == 1 && !w->has_etag && w->concurrency.n == 0;
  pthread_mutex_lock(&s->lock);
  bool ok = alone || run(s, SQL_BEGIN);
  for (size_t i = 0; ok && i < n && status == STATE_OK; i++) status = check_etag(s, &w[i], why);
  for (size_t i = 0; ok && i < n && status == STATE_OK; i++) {
    struct buf unused = {0};
    if (!w[i].remove) status = state_check_ttl(w[i].ttl, "Atoi", &seconds, &unused);
    if (!apply(c, &w[i], seconds)) status = STATE_FAILED;
  }
  if (ok && !alone && status == STATE_OK && !run(s, SQL_COMMIT)) status = STATE_FAILED;
  if (!ok) status = STATE_FAILED;
  if (status == STATE_FAILED && why->n == 0) buf_str(why, sqlite3_errmsg(s->db));
  if (!alone && status != STATE_OK && !sqlite3_get_autocommit(s->db)) run(s, SQL_ROLLBACK);
  clean_sometimes(s);
  pthread_mutex_unlock(&s->lock);
  return status;
}

static enum state_status write_one(struct component *c, const struct state_write *w, struct buf *why) { return write_all(c, w, 1, why); }

static enum state_status get(struct component *c, struct span key, struct state_item *out, struct buf *why) {
  struct store *s = c->self;
  pthread_mutex_lock(&s->lock);
  sqlite3_stmt *sql = s->sql[SQL_GET];
  bind(sql, 1, key);
  int code = sqlite3_step(sql);
  bool ok = code == SQLITE_ROW || code == SQLITE_DONE;
  if (code == SQLITE_ROW) {
    struct span value = {(const char *)sqlite3_column_text(sql, 0), (size_t)sqlite3_column_bytes(sql, 0)};
    out->found = out->has_etag = true;
    out->expires_ms = sqlite3_column_int64(sql, 3) * 1000;
    if (!sqlite3_column_int(sql, 1)) buf_span(&out->value, value);
    else
      ok = base64_decode(&out->value,
                         span_trim((struct span){value.p + 1, value.n > 2 ? value.n - 2 : 0})); /* Dapr keeps bytes as a JSON string */
    buf_str(&out->etag, (const char *)sqlite3_column_text(sql, 2));
  }
  if (!ok) buf_str(why, sqlite3_errmsg(s->db));
  sqlite3_reset(sql);
  pthread_mutex_unlock(&s->lock);
  if (ok && (out->value.failed || out->etag.failed)) ok = false, buf_str(why, "out of memory");
  return ok ? STATE_OK : STATE_FAILED;
}

static const struct state_ops ops = {JSON_HTML, get, write_one, write_all, write_all};

const struct component_type state_sqlite_type = {STATE, "state.sqlite", "\"ETAG\",\"TRANSACTIONAL\",\"TTL\",\"KEYS_LIKE\",\"ACTOR\"",
                                                 &ops,  open_store,     close_store};
