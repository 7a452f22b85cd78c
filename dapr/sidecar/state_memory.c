/* state_memory.c: the state store state.in-memory: a hash table under a lock. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "sidecar.h"

struct item {
  struct item *next; /* in its bucket */
  uint64_t hash;
  size_t key_size, value_size;
  int64_t expires_ms; /* 0: never */
  char etag[UUID_SIZE];
  char bytes[];       /* key, value */
};

struct memory {
  pthread_rwlock_t lock;
  struct item **buckets;
  size_t size, count; /* size is a power of two */
  uint64_t seed;
};

/* Keys may come from strangers, so the hash is seeded. */
static uint64_t hash_key(uint64_t seed, struct span key) {
  uint64_t h = seed ^ key.n * UINT64_C(0x9e3779b97f4a7c15);
  for (size_t i = 0; i < key.n;) {
    uint64_t word = 0;
    size_t n = key.n - i < 8 ? key.n - i : 8;
    memcpy(&word, key.p + i, n);
    h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 32;
    i += n;
  }
  return h;
}

static bool open_memory(struct component *c, mv_error_t *err) {
  struct memory *m = calloc(1, sizeof *m);
  if (!m) return report_memory(err);
  m->size = 64;
  m->buckets = calloc(m->size, sizeof *m->buckets);
  if (!m->buckets) return free(m), report_memory(err);
  m->seed = random_next(&c->sidecar->random);
  pthread_rwlock_init(&m->lock, NULL);
  c->self = m;
  return true;
}

static void close_memory(struct component *c) {
  struct memory *m = c->self;
  if (!m) return;
  for (size_t i = 0; i < m->size; i++)
    for (struct item *it = m->buckets[i], *next; it; it = next) {
      next = it->next;
      free(it);
    }
  pthread_rwlock_destroy(&m->lock);
  free(m->buckets);
  free(m);
}

static bool alive(const struct item *it) { return it->expires_ms == 0 || clock_wall_ms() <= it->expires_ms; }

/* The link that points to the key's item, or to NULL at its bucket's end. */
static struct item **find(const struct memory *m, uint64_t hash, struct span key) {
  struct item **link = &m->buckets[hash & (m->size - 1)];
  while (*link && !((*link)->hash == hash && (*link)->key_size == key.n && memcmp((*link)->bytes, key.p, key.n) == 0))
    link = &(*link)->next;
  return link;
}

static void remove_at(struct memory *m, struct item **link) {
  struct item *it = *link;
  if (!it) return;
  *link = it->next;
  m->count--;
  free(it);
}

/* Doubles the table; items whose time is over go. Without memory it stays as it is. */
static void grow(struct memory *m) {
  struct item **buckets = calloc(m->size * 2, sizeof *buckets);
  if (!buckets) return;
  for (size_t i = 0; i < m->size; i++)
    for (struct item *it = m->buckets[i], *next; it; it = next) {
      next = it->next;
      if (!alive(it)) {
        m->count--;
        free(it);
        continue;
      }
      struct item **link = &buckets[it->hash & (m->size * 2 - 1)];
      it->next = *link;
      *link = it;
    }
  free(m->buckets);
  m->buckets = buckets;
  m->size *= 2;
}

static struct item *make(struct component *c, const struct state_write *w, int64_t seconds) {
  struct memory *m = c->self;
  struct item *it = malloc(sizeof *it + w->key.n + w->value.n);
  if (!it) return NULL;
  *it = (struct item){.hash = hash_key(m->seed, w->key), .key_size = w->key.n, .value_size = w->value.n};
  if (seconds > 0) it->expires_ms = clock_wall_ms() + (seconds > INT64_MAX / 2000 ? INT64_MAX / 2 : seconds * 1000);
  random_uuid(&c->sidecar->random, it->etag);
  memcpy(it->bytes, w->key.p, w->key.n);
  memcpy(it->bytes + w->key.n, w->value.p, w->value.n);
  return it;
}

static enum state_status check_etag(const struct memory *m, const struct state_write *w, struct buf *why) {
  if (!w->has_etag && w->concurrency.n == 0) return STATE_OK;
  struct item *it = *find(m, hash_key(m->seed, w->key), w->key);
  bool exists = it && alive(it);
  return state_check_etag(w, exists, exists ? (struct span){it->etag, UUID_SIZE - 1} : SPAN(""), why);
}

static void apply(struct memory *m, const struct state_write *w, struct item *made) {
  struct item **link = find(m, made ? made->hash : hash_key(m->seed, w->key), w->key);
  remove_at(m, link);
  if (!made) return;
  made->next = *link;
  *link = made;
  if (++m->count > m->size) grow(m);
}

/* All or none: everything is checked and allocated before anything is changed. */
static enum state_status write_all(struct component *c, const struct state_write *w, size_t n, struct buf *why) {
  struct memory *m = c->self;
  struct item *one = NULL, **made = n == 1 ? &one : calloc(n, sizeof(struct item *));
  enum state_status status = made ? STATE_OK : STATE_FAILED;
  for (size_t i = 0; i < n && status == STATE_OK; i++) {
    int64_t seconds = 0;
    status = state_check_options(&w[i], why);
    if (status == STATE_OK && !w[i].remove) status = state_check_ttl(w[i].ttl, "Atoi", &seconds, why);
    if (status == STATE_OK && !w[i].remove && !(made[i] = make(c, &w[i], seconds))) status = STATE_FAILED;
  }
  pthread_rwlock_wrlock(&m->lock);
  for (size_t i = 0; i < n && status == STATE_OK; i++) status = check_etag(m, &w[i], why);
  for (size_t i = 0; i < n && status == STATE_OK; i++) {
    apply(m, &w[i], made[i]);
    made[i] = NULL;
  }
  pthread_rwlock_unlock(&m->lock);
  for (size_t i = 0; made && i < n; i++) free(made[i]);
  if (made != &one) free(made);
  if (status == STATE_FAILED && why->n == 0) buf_str(why, "out of memory");
  return status;
}

static enum state_status write_one(struct component *c, const struct state_write *w, struct buf *why) { return write_all(c, w, 1, why); }

static enum state_status get(struct component *c, struct span key, struct state_item *out, struct buf *why) {
  struct memory *m = c->self;
  pthread_rwlock_rdlock(&m->lock);
  const struct item *it = *find(m, hash_key(m->seed, key), key);
  if (it && alive(it)) {
    out->found = out->has_etag = true;
    out->expires_ms = it->expires_ms;
    buf_put(&out->value, it->bytes + it->key_size, it->value_size);
    buf_put(&out->etag, it->etag, UUID_SIZE - 1);
  }
  pthread_rwlock_unlock(&m->lock);
  if (!out->value.failed && !out->etag.failed) return STATE_OK;
  buf_str(why, "out of memory");
  return STATE_FAILED;
}

static const struct state_ops ops = {JSON_HTML, get, write_one, write_all, write_all};

const struct component_type state_memory_type = {
    STATE, "state.in-memory", "\"ETAG\",\"TRANSACTIONAL\",\"TTL\",\"DELETE_WITH_PREFIX\",\"KEYS_LIKE\",\"ACTOR\"",
    &ops,  open_memory,       close_memory};
